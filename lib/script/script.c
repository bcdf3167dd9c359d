/* SPDX-License-Identifier: Apache-2.0
 *
 * Command scripts (TS 102 226 5.2.1): a row of 22-objects in one outer object, of definite or indefinite
 * length, written and walked over. What is wrong with a script is told in the standard's own three words. */
#include <script/script.h>

#include <tlv/tlv.h>

enum {
    TAG_COMMANDS = 0xAA,
    TAG_COMMANDS_INDEFINITE = 0xAE,
    TAG_CAPDU = 0x22,
    LENGTH_INDEFINITE = 0x80,
    CAPDU_MIN = 4
};

void script_begin(struct script_writer *s, struct writer *out, enum script_form form)
{
    *s = (struct script_writer){.out = out, .form = form};
    if (form == SCRIPT_DEFINITE) {
        tlv_open(out, TAG_COMMANDS, &s->start);
        return;
    }
    wr_u8(out, TAG_COMMANDS_INDEFINITE);
    wr_u8(out, LENGTH_INDEFINITE);
    s->start = out->len;
}

/* A command too many makes the writer bad at once, so that nothing behind it is written. */
static void put_header(struct script_writer *s, size_t len)
{
    if (++s->count > SCRIPT_COMMANDS_MAX)
        wr_fail(s->out);
    tlv_put_tag(s->out, TAG_CAPDU);
    tlv_put_length(s->out, len);
}

void script_put_capdu(struct script_writer *s, struct view capdu)
{
    put_header(s, capdu.len);
    wr_view(s->out, capdu);
}

void script_put_apdu(struct script_writer *s, const struct apdu *a)
{
    put_header(s, apdu_len(a));
    apdu_put(s->out, a);
}

enum err script_end(struct script_writer *s)
{
    if (s->form == SCRIPT_DEFINITE)
        tlv_close(s->out, s->start);
    else
        wr_u16(s->out, 0);
    if (wr_ok(s->out) && s->out->len - s->start > SCRIPT_MAX)
        wr_fail(s->out);
    return wr_status(s->out);
}

static enum err fail(enum script_fault *fault, enum script_fault what)
{
    *fault = what;
    return ERR_FORMAT;
}

enum err script_open(struct script_reader *s, struct view script, enum script_fault *fault)
{
    struct script_reader made = {.form = SCRIPT_DEFINITE};
    if (script.len > SCRIPT_MAX) {
        *fault = SCRIPT_WRONG_LENGTH;
        return ERR_LIMIT;
    }
    rd_init(&made.in, script);
    int tag = rd_peek(&made.in);
    if (tag != TAG_COMMANDS && tag != TAG_COMMANDS_INDEFINITE)
        return fail(fault, SCRIPT_UNKNOWN_TAG);
    rd_u8(&made.in);
    if (rd_left(&made.in) == 0)
        return fail(fault, SCRIPT_NO_LENGTH);
    if (tag == TAG_COMMANDS_INDEFINITE) {
        made.form = SCRIPT_INDEFINITE;
        if (rd_u8(&made.in) != LENGTH_INDEFINITE)
            return fail(fault, SCRIPT_WRONG_LENGTH);
    } else {
        size_t len = tlv_length(&made.in);
        if (!rd_ok(&made.in) || len != rd_left(&made.in))
            return fail(fault, SCRIPT_WRONG_LENGTH);
    }
    *s = made;
    return OK;
}

/* 00 00, and nothing behind it. */
static enum err take_end(struct script_reader *s, enum script_fault *fault)
{
    if (rd_u16(&s->in) != 0 || !rd_done(&s->in))
        return fail(fault, SCRIPT_WRONG_LENGTH);
    s->ended = true;
    return OK;
}

enum err script_next(struct script_reader *s, struct view *capdu, enum script_fault *fault)
{
    *capdu = VIEW_NULL;
    if (s->ended)
        return OK;
    int tag = rd_peek(&s->in);
    if (tag < 0 && s->form == SCRIPT_DEFINITE) {
        s->ended = true;
        return OK;
    }
    if (tag == 0 && s->form == SCRIPT_INDEFINITE)
        return take_end(s, fault);
    if (tag < 0)
        return fail(fault, SCRIPT_WRONG_LENGTH);
    if (tag != TAG_CAPDU)
        return fail(fault, SCRIPT_UNKNOWN_TAG);
    rd_u8(&s->in);
    if (rd_left(&s->in) == 0)
        return fail(fault, SCRIPT_NO_LENGTH);
    struct view v = rd_view(&s->in, tlv_length(&s->in));
    if (v.len < CAPDU_MIN || v.len > CAPDU_MAX)
        return fail(fault, SCRIPT_WRONG_LENGTH);
    *capdu = v;
    return OK;
}

enum err script_count(struct view script, size_t *count)
{
    struct script_reader s;
    struct view capdu;
    enum script_fault fault;
    size_t n = 0;
    enum err e = script_open(&s, script, &fault);
    while (e == OK) {
        e = script_next(&s, &capdu, &fault);
        if (capdu.len == 0)
            break;
        if (++n > SCRIPT_COMMANDS_MAX)
            e = ERR_LIMIT;
    }
    if (e == OK)
        *count = n;
    return e;
}
