/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of the dialogue, and what each action uses to end its turn. */
#include "session.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parts.h"

#define WORD(id, word) [id] = (word),
static const char *const state_words[] = {SESSION_STATE_LIST(WORD)};
static const char *const event_words[] = {SESSION_EVENT_LIST(WORD)};
#undef WORD

const char *session_state_word(enum session_state s)
{
    return (size_t)s < SESSION_STATE_COUNT ? state_words[s] : "?";
}

const char *session_event_word(enum session_event_kind e)
{
    return (size_t)e < SESSION_EVENT_COUNT ? event_words[e] : "?";
}

/* ---- The table --------------------------------------------------------------------------------------- */

static session_action not_written, expired;

static const struct {
    enum session_state state;
    enum session_event_kind event;
    session_action *action;
    const char *text;
    enum session_state next[SESSION_NEXT_MAX];
    size_t next_count;
} table[] = {
    {SESSION_NEW,
     SESSION_BEGIN,
     session_begin,
     "choose the type, count the opening",
     {SESSION_IDENTIFY, SESSION_PREPARE, SESSION_OPEN, SESSION_DONE},
     4},
    {SESSION_IDENTIFY,
     SESSION_ANSWER,
     session_identified,
     "recognise the card, count the opening",
     {SESSION_IDENTIFY, SESSION_PREPARE, SESSION_OPEN, SESSION_DONE},
     4},
    {SESSION_IDENTIFY, SESSION_RESUME, session_resume, "ask again", {SESSION_IDENTIFY, SESSION_DONE}, 2},
    {SESSION_IDENTIFY, SESSION_REFUSED, not_written, "end", {SESSION_DONE}, 1},
    {SESSION_IDENTIFY, SESSION_EXPIRE, expired, "end", {SESSION_DONE}, 1},
    {SESSION_PREPARE,
     SESSION_PREPARED,
     session_prepared,
     "send the opening",
     {SESSION_OPEN, SESSION_DONE},
     2},
    {SESSION_OPEN,
     SESSION_ANSWER,
     session_answered,
     "recognise the card, compare with what is pinned",
     {SESSION_VERIFY, SESSION_PREPARE, SESSION_OPEN, SESSION_DONE},
     4},
    {SESSION_OPEN,
     SESSION_RESUME,
     session_resume,
     "count a new opening",
     {SESSION_PREPARE, SESSION_OPEN, SESSION_DONE},
     3},
    {SESSION_OPEN, SESSION_REFUSED, not_written, "end", {SESSION_DONE}, 1},
    {SESSION_OPEN, SESSION_EXPIRE, expired, "end", {SESSION_DONE}, 1},
    {SESSION_VERIFY,
     SESSION_OPENED,
     session_opened,
     "plan, or set the card aside",
     {SESSION_SIGN, SESSION_DONE},
     2},
    {SESSION_SIGN,
     SESSION_SIGNED,
     session_signed,
     "write the intent, send the packet",
     {SESSION_DELIVER, SESSION_DONE},
     2},
    {SESSION_DELIVER, SESSION_ANSWER, session_delivered, "have the answers verified", {SESSION_SETTLE}, 1},
    {SESSION_DELIVER,
     SESSION_RESUME,
     session_resume,
     "a new channel, take stock first",
     {SESSION_PREPARE, SESSION_OPEN, SESSION_DONE},
     3},
    {SESSION_DELIVER, SESSION_REFUSED, not_written, "end", {SESSION_DONE}, 1},
    {SESSION_DELIVER, SESSION_EXPIRE, expired, "end", {SESSION_DONE}, 1},
    {SESSION_SETTLE,
     SESSION_SETTLED,
     session_settled,
     "judge, plan what is left",
     {SESSION_SIGN, SESSION_DONE},
     2},
    {SESSION_DONE, SESSION_REFUSED, not_written, "end without the records", {SESSION_DONE}, 1},
};
enum { TABLE_ROWS = sizeof(table) / sizeof(table[0]) };

size_t session_table_rows(void)
{
    return TABLE_ROWS;
}

struct session_row_of_table session_table_row(size_t n)
{
    struct session_row_of_table row = {.state = SESSION_DONE};
    if (n < TABLE_ROWS) {
        row = (struct session_row_of_table){.state = table[n].state,
                                            .event = table[n].event,
                                            .action = table[n].text,
                                            .next_count = table[n].next_count};
        memcpy(row.next, table[n].next, sizeof(row.next));
    }
    return row;
}

static bool next_allowed(size_t row, enum session_state state)
{
    for (size_t n = 0; n < table[row].next_count; n++) {
        if (table[row].next[n] == state)
            return true;
    }
    return false;
}

enum err session_handle(struct session *s, const struct session_world *w, const struct session_event *e,
                        struct session_turn *out)
{
    *out = (struct session_turn){0};
    if (e->kind == SESSION_ANSWER) {
        s->body = e->body;
        s->script_status = e->script_status;
    }
    for (size_t n = 0; n < TABLE_ROWS; n++) {
        if (table[n].state != s->state || table[n].event != e->kind)
            continue;
        enum err result = table[n].action(s, w, e, out);
        if (result == OK && !next_allowed(n, s->state))
            return ERR_INTERNAL;
        return result;
    }
    return ERR_STATE;
}

/* ---- Turns ------------------------------------------------------------------------------------------- */

void session_record(struct session *s, enum session_record_kind kind, uint8_t kvn, uint32_t limit)
{
    if (s->record_count < SESSION_RECORDS_MAX)
        s->records[s->record_count++] = (struct session_record){kind, kvn, limit};
}

void session_drop_records(struct session *s, enum session_record_kind kind)
{
    size_t kept = 0;
    for (size_t n = 0; n < s->record_count; n++) {
        if (s->records[n].kind != kind)
            s->records[kept++] = s->records[n];
    }
    s->record_count = kept;
}

static void commit(struct session *s, struct session_turn *out)
{
    const struct session_facts *f = &s->facts;
    if (s->card[0] != '\0' && (f->identity || f->pins || f->quarantine || f->registry != REGISTRY_KEEP))
        session_record(s, RECORD_CARD, 0, 0);
    out->want = SESSION_WANT_COMMIT;
    memcpy(out->records, s->records, sizeof(out->records));
    out->record_count = s->record_count;
    s->record_count = 0;
}

enum err session_send(struct session *s, struct session_turn *out, enum session_state state, size_t commands)
{
    s->state = state;
    commit(s, out);
    out->packet = wr_view_of(&s->packet);
    out->commands = commands;
    out->step = session_state_word(state);
    return wr_status(&s->packet);
}

/* The detail travels in a header and in logs: printable ASCII. */
static void make_printable(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7E)
            *text = '?';
    }
}

/* What becomes of the openings that the ledger holds. A response MAC shows that the card accepted EXTERNAL
 * AUTHENTICATE: it counts from zero again, and so do we. Where the channel has no response MAC, a client can
 * at most lie about this one channel, whose card cryptogram was verified: a delivery that is reported as done
 * takes back its own opening and no other. */
static void settle_ledger(struct session *s)
{
    bool load_refused = s->refused_ins == INS_LOAD || s->refused_ins == INS_INSTALL;
    bool done = s->outcome == OUTCOME_CONFIRMED || s->outcome == OUTCOME_REPORTED;
    if (load_refused && !done)
        session_record(s, RECORD_LEDGER_LOAD_FAILED, s->type.kvn, 0);
    if (s->channel_proven && done)
        session_record(s, RECORD_LEDGER_CLEAR, s->type.kvn, 0);
    else if (s->channel_proven)
        session_record(s, RECORD_LEDGER_RELEASE, s->type.kvn, UINT32_MAX);
    else if (done && s->counted)
        session_record(s, RECORD_LEDGER_RELEASE, s->type.kvn, 1);
}

/* The channel, and what was sent through it. */
static void forget_delivery(struct session *s)
{
    wr_clear(&s->opening);
    wr_clear(&s->opening_commands);
    s->opening_count = 0;
    wipe(s->channel, sizeof(s->channel));
    s->channel_len = 0;
    wr_clear(&s->plain);
    s->plain_count = 0;
    free(s->places);
    s->places = NULL;
    s->place_count = 0;
}

enum err session_end(struct session *s, struct session_turn *out, enum outcome o, enum reason r,
                     const char *detail, ...)
{
    if (detail != NULL) {
        va_list args;
        va_start(args, detail);
        (void)vsnprintf(s->detail, sizeof(s->detail), detail, args);
        va_end(args);
    } else {
        (void)snprintf(s->detail, sizeof(s->detail), "%s", reason_text(r));
    }
    make_printable(s->detail);
    s->outcome = o;
    s->reason = r;
    s->state = SESSION_DONE;
    if (s->card[0] != '\0')
        settle_ledger(s);
    if (o == OUTCOME_CONFIRMED || o == OUTCOME_REPORTED)
        session_record(s, RECORD_ORDER_SERVED, 0, 0);
    forget_delivery(s);
    commit(s, out);
    out->ended = true;
    out->step = session_state_word(SESSION_DONE);
    return OK;
}

/* A guard refused: nothing was written, nothing leaves. The card's own facts of that turn are lost, which is
 * safe: they are found out again. */
static enum err not_written(struct session *s, const struct session_world *w, const struct session_event *e,
                            struct session_turn *out)
{
    (void)w;
    s->facts = (struct session_facts){0};
    s->record_count = 0;
    s->counted = s->channel_proven = false;
    s->refused_ins = 0;
    if (e->refused == RECORD_LEDGER_OPENING && e->result == ERR_BLOCKED)
        return session_end(s, out, OUTCOME_FAILED, REASON_CARD_BLOCKED,
                           "Too many channels to this card were opened and not finished.");
    if (e->refused == RECORD_ORDER_OPENING || e->refused == RECORD_ORDER_SERVED) {
        enum reason r = e->result == ERR_EXPIRED   ? REASON_EXPIRED_TICKET
                        : e->result == ERR_BLOCKED ? REASON_TICKET_USED
                                                   : REASON_CANCELLED;
        return session_end(s, out, OUTCOME_FAILED, r, NULL);
    }
    return session_end(s, out, OUTCOME_FAILED, REASON_SERVER_FAULT, NULL);
}

static enum err expired(struct session *s, const struct session_world *w, const struct session_event *e,
                        struct session_turn *out)
{
    (void)w, (void)e;
    /* A packet may have been executed as a whole. */
    enum outcome o = s->state == SESSION_DELIVER ? OUTCOME_UNKNOWN : OUTCOME_FAILED;
    return session_end(s, out, o, REASON_NO_ANSWER, "The client was not heard of again.");
}

void session_close_channel(struct session *s)
{
    forget_delivery(s);
    s->rounds = 0;
    memset(s->pages, 0, sizeof(s->pages));
    s->refused_ins = 0;
    s->refused_sw = 0;
    s->asking_memory = false;
    s->looking = s->registry_fresh = s->registry_proven = s->listed_proven = s->tried_again = false;
    s->changed = s->unproven = s->channel_proven = s->number_proven = false;
}

const struct channel_method *session_method(const struct session *s)
{
    return channel_method(s->type.scp, s->type.i);
}

bool session_torn(const struct session *s)
{
    return s->script_status != NULL && (strcmp(s->script_status, "unavailable-se") == 0 ||
                                        strcmp(s->script_status, "temporarily-unavailable-application") == 0);
}

/* ---- Life -------------------------------------------------------------------------------------------- */

void session_init(struct session *s, const char *id, const struct session_order *order, struct view atr)
{
    *s = (struct session){.state = SESSION_NEW, .order = *order};
    (void)snprintf(s->id, sizeof(s->id), "%s", id);
    if (atr.len <= ATR_MAX && atr.len > 0) {
        memcpy(s->atr, atr.data, atr.len);
        s->atr_len = atr.len;
    }
    wr_heap(&s->opening, SEALED_OPENING_MAX);
    wr_heap(&s->opening_commands, OPENING_BYTES_MAX);
    wr_heap(&s->plain, SCRIPT_MAX);
    wr_heap(&s->packet, SCRIPT_MAX);
}

void session_finish(struct session *s)
{
    wr_free(&s->opening);
    wr_free(&s->opening_commands);
    wr_free(&s->plain);
    wr_free(&s->packet);
    free(s->places);
    free(s->vault_places);
    registry_finish(&s->registry);
    wipe(s, sizeof(*s));
}
