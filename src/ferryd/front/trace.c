/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading and writing of traces. */
#include "front/trace.h"

#include <gp/command.h>
#include <script/script.h>
#include <tlv/tlv.h>

enum { RECORD_TURN = 1, RECORD_ANSWERS = 2, RECORD_CUT = 3 };
enum { ANSWERS_HEAD = 3 };
enum { TAG_AID = 0x4F, SELECT_BY_NAME = 0x04, INSTALL_FOR_LOAD = 0x02 };

static const struct {
    uint8_t code; /* in traces of all times */
    enum session_state state;
} steps[] = {{1, SESSION_IDENTIFY}, {2, SESSION_OPEN}, {3, SESSION_DELIVER}};

static uint8_t step_code(enum session_state state)
{
    for (size_t n = 0; n < sizeof(steps) / sizeof(steps[0]); n++)
        if (steps[n].state == state)
            return steps[n].code;
    return 0;
}

static const char *step_word(uint8_t code)
{
    for (size_t n = 0; n < sizeof(steps) / sizeof(steps[0]); n++)
        if (steps[n].code == code)
            return session_state_word(steps[n].state);
    return NULL;
}

/* ---- what an application is called in commands about it ---- */

static struct view select_aid(const struct apdu *a)
{
    return a->p1 == SELECT_BY_NAME ? a->data : VIEW_NULL;
}

/* GPCS 2.3.1 tables 11-43 to 11-47: the package comes first to be loaded; else what it is about is third. */
static struct view install_aid(const struct apdu *a)
{
    struct reader r;
    rd_init(&r, a->data);
    struct view first = rd_view8(&r, AID_MAX);
    if ((a->p1 & INSTALL_FOR_LOAD) != 0)
        return first;
    rd_view8(&r, AID_MAX);
    return rd_view8(&r, AID_MAX);
}

static struct view delete_aid(const struct apdu *a)
{
    struct view aid;
    return tlv_valid(a->data) && tlv_find(a->data, TAG_AID, &aid) ? aid : VIEW_NULL;
}

static const struct {
    uint8_t ins;
    struct view (*aid)(const struct apdu *a);
} with_aid[] = {{INS_SELECT, select_aid}, {INS_INSTALL, install_aid}, {INS_DELETE, delete_aid}};

static struct view aid_of(const struct apdu *a)
{
    struct view aid = VIEW_NULL;
    for (size_t n = 0; n < sizeof(with_aid) / sizeof(with_aid[0]); n++)
        if (with_aid[n].ins == a->ins)
            aid = with_aid[n].aid(a);
    return aid.len >= AID_MIN && aid.len <= AID_MAX ? aid : VIEW_NULL;
}

/* ---- writing ---- */

/* Bit 3 of CLA says that the command is signed (GPCS 2.3.1 11.1.4). */
enum { CLA_SECURE = 0x04 };

static enum err put_command(struct writer *w, struct view capdu)
{
    struct apdu a;
    enum err e = apdu_parse(capdu, &a);
    if (e != OK)
        return e;
    wr_u8(w, a.cla & (uint8_t)~CLA_SECURE);
    wr_u8(w, a.ins);
    wr_u8(w, a.p1);
    wr_u8(w, a.p2);
    wr_u16(w, (uint16_t)a.data.len);
    wr_view8(w, aid_of(&a));
    return OK;
}

static enum err put_commands(struct writer *w, struct view script)
{
    struct script_reader s;
    enum script_fault fault;
    struct view capdu;
    enum err e = script_open(&s, script, &fault);
    while (e == OK && (e = script_next(&s, &capdu, &fault)) == OK && capdu.len > 0)
        e = put_command(w, capdu);
    return e;
}

/* A record goes in whole, or leaves a mark that it was left out. */
static void put_record(struct writer *w, const struct writer *record, size_t room_behind)
{
    if (w->len + record->len + room_behind <= TRACE_MAX && wr_ok(record))
        wr_view(w, wr_view_of(record));
    else if (w->len < TRACE_MAX)
        wr_u8(w, RECORD_CUT);
}

enum err trace_put_turn(struct writer *w, uint64_t time_ms, enum session_state state, struct view first,
                        struct view script)
{
    struct writer record;
    size_t count = 0;
    if (step_code(state) == 0)
        return ERR_STATE;
    enum err e = script_count(script, &count);
    wr_heap(&record, TRACE_MAX);
    wr_u8(&record, RECORD_TURN);
    wr_u64(&record, time_ms);
    wr_u8(&record, step_code(state));
    wr_u16(&record, (uint16_t)(count + (first.len > 0 ? 1 : 0)));
    if (e == OK && first.len > 0)
        e = put_command(&record, first);
    if (e == OK)
        e = put_commands(&record, script);
    if (e == OK)
        put_record(w, &record, ANSWERS_HEAD + 2 * (count + 1));
    wr_free(&record);
    return e;
}

static void begin_answers(struct writer *record, size_t count)
{
    wr_heap(record, TRACE_MAX);
    wr_u8(record, RECORD_ANSWERS);
    wr_u16(record, (uint16_t)count);
}

static void end_answers(struct writer *w, struct writer *record)
{
    /* Their turn had room for them; where it had not, they are left out like it. */
    if (w->len + record->len <= TRACE_MAX && wr_ok(record))
        wr_view(w, wr_view_of(record));
    wr_free(record);
}

enum err trace_put_answers(struct writer *w, struct view responses)
{
    struct response_script r;
    struct writer record;
    enum err e = response_parse(responses, &r);
    if (e != OK)
        return e;
    begin_answers(&record, r.count);
    for (size_t n = 0; n < r.count && e == OK; n++) {
        struct rapdu answer = {0};
        e = rapdu_parse(r.rapdus[n], &answer);
        wr_u16(&record, answer.sw);
    }
    if (e != OK)
        wr_clear(&record);
    end_answers(w, &record);
    return e;
}

void trace_put_settled(struct writer *w, const struct vault_settlement *s)
{
    struct writer record;
    begin_answers(&record, s->count + (s->has_authentication ? 1 : 0));
    if (s->has_authentication)
        wr_u16(&record, s->authentication.sw);
    for (size_t n = 0; n < s->count; n++)
        wr_u16(&record, s->results[n].sw);
    end_answers(w, &record);
}

/* ---- reading ---- */

void trace_open(struct trace_reader *r, struct view trace)
{
    *r = (struct trace_reader){0};
    rd_init(&r->in, trace);
}

static void read_command(struct trace_reader *r, struct trace_command *c)
{
    *c = (struct trace_command){.cla = rd_u8(&r->in)};
    c->ins = rd_u8(&r->in);
    c->p1 = rd_u8(&r->in);
    c->p2 = rd_u8(&r->in);
    c->bytes = rd_u16(&r->in);
    c->aid = rd_view8(&r->in, AID_MAX);
    if (c->ins == INS_INSTALL && (c->p1 & INSTALL_FOR_LOAD) != 0)
        r->package = c->aid;
    if (c->ins == INS_LOAD)
        c->aid = r->package;
}

/* There may be fewer answers than commands: the card was pulled, or the client stopped at an error. */
static void read_answers(struct trace_reader *r, struct trace_turn *t)
{
    if (rd_peek(&r->in) != RECORD_ANSWERS)
        return;
    rd_u8(&r->in);
    size_t count = rd_u16(&r->in);
    if (count > t->count)
        rd_fail(&r->in);
    for (size_t n = 0; n < count && rd_ok(&r->in); n++) {
        t->commands[n].answered = true;
        t->commands[n].sw = rd_u16(&r->in);
    }
}

/* Where a turn was left out so are its answers. */
static void skip_answers(struct trace_reader *r)
{
    if (rd_peek(&r->in) != RECORD_ANSWERS)
        return;
    rd_u8(&r->in);
    rd_view(&r->in, (size_t)2 * rd_u16(&r->in));
}

static void read_turn(struct trace_reader *r, struct trace_turn *out)
{
    out->time_ms = rd_u64(&r->in);
    out->step = step_word(rd_u8(&r->in));
    out->count = rd_u16(&r->in);
    if (out->step == NULL || out->count > sizeof(out->commands) / sizeof(out->commands[0]))
        rd_fail(&r->in);
    for (size_t n = 0; n < out->count && rd_ok(&r->in); n++)
        read_command(r, &out->commands[n]);
    if (rd_ok(&r->in))
        read_answers(r, out);
}

enum err trace_next(struct trace_reader *r, struct trace_turn *out, bool *cut)
{
    while (rd_peek(&r->in) == RECORD_CUT) {
        rd_u8(&r->in);
        skip_answers(r);
        *cut = true;
    }
    if (rd_ok(&r->in) && rd_left(&r->in) == 0)
        return ERR_NOT_FOUND;
    if (rd_u8(&r->in) != RECORD_TURN)
        rd_fail(&r->in);
    if (rd_ok(&r->in))
        read_turn(r, out);
    return rd_ok(&r->in) ? OK : ERR_FORMAT;
}
