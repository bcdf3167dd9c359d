/* SPDX-License-Identifier: Apache-2.0
 *
 * Response scripts (TS 102 226 5.2.2): written by whoever executed commands, parsed strictly by whoever sent
 * them, because what they say decides what is believed of a card. */
#include <script/script.h>

#include <tlv/tlv.h>

enum {
    TAG_RESPONSES = 0xAB,
    TAG_RESPONSES_INDEFINITE = 0xAF,
    TAG_EXECUTED = 0x80,
    TAG_RAPDU = 0x23,
    TAG_FAULT = 0x90,
    LENGTH_INDEFINITE = 0x80,
    RAPDU_MIN = 2,
    EXECUTED_BYTES_MAX = 3
};

void response_begin(struct response_writer *s, struct writer *out, enum script_form form)
{
    *s = (struct response_writer){.out = out, .form = form};
    wr_heap(&s->body, SCRIPT_MAX);
}

void response_put(struct response_writer *s, struct view rapdu)
{
    if (++s->executed > SCRIPT_COMMANDS_MAX)
        wr_fail(&s->body);
    tlv_put(&s->body, TAG_RAPDU, rapdu);
}

/* The malformed object counts as one that was dealt with: an unknown tag in the first place is answered by
 * AB 06 80 01 01 90 01 01. */
void response_put_fault(struct response_writer *s, enum script_fault fault)
{
    uint8_t value = (uint8_t)fault;
    s->executed++;
    tlv_put(&s->body, TAG_FAULT, view_of(&value, 1));
}

static void put_executed(struct writer *w, size_t executed)
{
    tlv_put_tag(w, TAG_EXECUTED);
    if (executed <= UINT8_MAX) {
        tlv_put_length(w, 1);
        wr_u8(w, (uint8_t)executed);
    } else {
        tlv_put_length(w, 2);
        wr_u16(w, (uint16_t)executed);
    }
}

static void put_definite(struct response_writer *s)
{
    size_t mark = 0;
    tlv_open(s->out, TAG_RESPONSES, &mark);
    put_executed(s->out, s->executed);
    wr_view(s->out, wr_view_of(&s->body));
    tlv_close(s->out, mark);
}

static void put_indefinite(struct response_writer *s)
{
    wr_u8(s->out, TAG_RESPONSES_INDEFINITE);
    wr_u8(s->out, LENGTH_INDEFINITE);
    wr_view(s->out, wr_view_of(&s->body));
    wr_u16(s->out, 0);
}

enum err response_end(struct response_writer *s)
{
    if (!wr_ok(&s->body))
        wr_fail(s->out);
    else if (s->form == SCRIPT_DEFINITE)
        put_definite(s);
    else
        put_indefinite(s);
    wr_free(&s->body);
    return wr_status(s->out);
}

void response_abandon(struct response_writer *s)
{
    wr_free(&s->body);
}

/* What one response script has said so far. */
struct parse {
    struct response_script *out;
    bool has_executed, has_fault;
};

static enum err take_executed(struct parse *p, struct view v)
{
    if (p->has_executed || v.len == 0 || v.len > EXECUTED_BYTES_MAX)
        return ERR_FORMAT;
    p->has_executed = true;
    p->out->executed = 0;
    struct reader r;
    rd_init(&r, v);
    while (rd_left(&r) > 0)
        p->out->executed = p->out->executed << 8 | rd_u8(&r);
    return OK;
}

/* Nothing runs behind a fault. */
static enum err take_rapdu(struct parse *p, struct view v)
{
    if (p->has_fault || v.len < RAPDU_MIN || v.len > RAPDU_MAX)
        return ERR_FORMAT;
    if (p->out->count == SCRIPT_COMMANDS_MAX)
        return ERR_LIMIT;
    p->out->rapdus[p->out->count++] = v;
    return OK;
}

static enum err take_fault(struct parse *p, struct view v)
{
    if (p->has_fault || v.len != 1 || v.data[0] < SCRIPT_UNKNOWN_TAG || v.data[0] > SCRIPT_NO_LENGTH)
        return ERR_FORMAT;
    p->has_fault = true;
    p->out->fault = (enum script_fault)v.data[0];
    return OK;
}

static enum err take_object(struct parse *p, uint32_t tag, struct view v)
{
    switch (tag) {
    case TAG_EXECUTED:
        return take_executed(p, v);
    case TAG_RAPDU:
        return take_rapdu(p, v);
    case TAG_FAULT:
        return take_fault(p, v);
    default:
        return ERR_FORMAT;
    }
}

/* The body of AB; or of AF, up to 00 00. */
static enum err take_objects(struct parse *p, struct reader *r, enum script_form form)
{
    struct tlv object;
    enum err e = OK;
    while (e == OK && !(form == SCRIPT_INDEFINITE && rd_peek(r) == 0)) {
        if (!tlv_next(r, &object))
            return form == SCRIPT_DEFINITE && rd_done(r) ? OK : ERR_FORMAT;
        e = take_object(p, object.tag, object.value);
    }
    if (e == OK && (rd_u16(r) != 0 || !rd_done(r)))
        return ERR_FORMAT;
    return e;
}

/* An R-APDU for every command, no more and no fewer; a malformed object counts, but has none. AF does not
 * count. */
static enum err check_executed(const struct parse *p, enum script_form form)
{
    if (p->has_executed != (form == SCRIPT_DEFINITE))
        return ERR_FORMAT;
    if (form == SCRIPT_INDEFINITE)
        p->out->executed = p->out->count;
    size_t without_rapdu = p->out->executed - p->out->count;
    return without_rapdu == 0 || (p->has_fault && without_rapdu == 1) ? OK : ERR_FORMAT;
}

enum err response_parse(struct view v, struct response_script *out)
{
    struct parse p = {.out = out};
    struct reader r;
    enum script_form form = SCRIPT_DEFINITE;
    enum err e = OK;
    out->executed = out->count = 0;
    out->fault = SCRIPT_FINE;
    if (v.len > SCRIPT_MAX)
        return ERR_LIMIT;
    rd_init(&r, v);
    uint8_t tag = rd_u8(&r);
    if (tag == TAG_RESPONSES_INDEFINITE) {
        form = SCRIPT_INDEFINITE;
        if (rd_u8(&r) != LENGTH_INDEFINITE)
            return ERR_FORMAT;
    } else if (tag != TAG_RESPONSES || tlv_length(&r) != rd_left(&r)) {
        return ERR_FORMAT;
    }
    e = take_objects(&p, &r, form);
    if (e == OK)
        e = check_executed(&p, form);
    if (e != OK)
        out->executed = out->count = 0;
    return e;
}
