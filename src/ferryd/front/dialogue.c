/* SPDX-License-Identifier: Apache-2.0
 *
 * One POST, from the request to the answer. All that it does to the store is one change set at its end, with
 * the session's new state and the answer in it; only when that is durable does the answer leave. So a POST
 * that comes again gets the same answer, and one that was cut short is simply done again. */
#include "front/dialogue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include <base/log.h>
#include <base/text.h>
#include <vault/serve.h>

#include "front/metrics.h"
#include "front/trace.h"
#include "front/world.h"

enum {
    REPLY_MAX = SCRIPT_MAX + 256,
    /* Somebody else changed the card's row or the session meanwhile: read again. */
    TRIES_MAX = 4,
    NONCE_LEN = 16
};

/* A POST under way. */
struct post {
    struct dialogue *d;
    const struct dialogue_wire *wire;
    struct http_reply *reply;
    struct writer body;
    char script_status[64];
    bool resume;
    char token[NAMED_TOKEN_TEXT + 1]; /* that came; "" with a ticket */
    uint8_t token_bytes[TOKEN_LEN];   /* ...its second part */
    uint8_t request_digest[DIGEST_LEN];
    char visit[VISIT_TEXT + 1]; /* that came with the ticket; "" */
    struct session session;
    bool has_session;
    struct session_row row;
    struct world world;
    struct session_turn turn;
    char next_token[NAMED_TOKEN_TEXT + 1];
    struct turn_changes changes;
    struct writer trace; /* what was said before this POST is answered (trace.h) */
    uint32_t posts_before;
    unsigned tries;
};

static void take_event(struct post *p, const struct session_event *e);
static void continue_post(struct post *p);

/* ---- Answers ----------------------------------------------------------------------------------------- */

static void header_outcome(struct http_reply *reply, enum outcome o, enum reason r, const char *detail)
{
    http_reply_header(reply, "X-Ferry-Outcome", outcome_word(o));
    http_reply_header(reply, "X-Ferry-Reason", reason_word(r));
    if (detail[0] != '\0')
        http_reply_header(reply, "X-Ferry-Detail", detail);
}

/* People who look with a browser or curl see a sentence. */
static void send_reason(const struct dialogue_wire *wire, struct http_reply *reply, enum reason r, int status)
{
    char text[400];
    (void)snprintf(text, sizeof(text), "%s %s\n", reason_text(r), reason_advice(r));
    wire->end(reply, status, status == 204 ? "" : text);
}

void dialogue_refuse(const struct dialogue_wire *wire, struct http_reply *reply, enum reason r, int status)
{
    header_outcome(reply, OUTCOME_FAILED, r, reason_text(r));
    send_reason(wire, reply, r, status);
}

static void post_free(struct post *p)
{
    p->d->under_way--;
    if (p->has_session)
        session_finish(&p->session);
    session_row_free(&p->row);
    world_finish(&p->world);
    turn_changes_finish(&p->changes);
    wr_free(&p->trace);
    wr_free(&p->body);
    wipe(p, sizeof(*p));
    free(p);
}

/* Without any effect: the same POST can be sent again. */
static void give_up(struct post *p, enum reason r, int status)
{
    LOG(status >= 500 ? LOG_ERROR : LOG_WARNING, "session.post-refused", log_str("session", p->row.id),
        log_str("reason", reason_word(r)), log_u64("status", (uint64_t)status));
    if (p->row.id[0] != '\0')
        http_reply_header(p->reply, "X-Ferry-Session", p->row.id);
    if (status == 503)
        http_reply_header(p->reply, "Retry-After", "2");
    dialogue_refuse(p->wire, p->reply, r, status);
    post_free(p);
}

static void give_up_on(struct post *p, enum err e)
{
    LOG(LOG_ERROR, "session.failed", log_str("session", p->row.id), log_err(e));
    switch (e) {
    case ERR_DISK_FULL:
        give_up(p, REASON_SERVER_FULL, 507);
        break;
    case ERR_MEMORY:
    case ERR_CLOSED:
    case ERR_TIMEOUT:
        give_up(p, REASON_SERVER_BUSY, 503);
        break;
    default:
        give_up(p, REASON_SERVER_FAULT, 500);
        break;
    }
}

static void send_end(struct http_reply *reply, const struct dialogue_wire *wire,
                     const struct session_row *row, int status)
{
    enum outcome o = OUTCOME_UNKNOWN;
    enum reason r = REASON_SERVER_FAULT;
    if (outcome_by_word(row->outcome, &o) != OK || reason_by_word(row->reason, &r) != OK)
        LOG(LOG_ERROR, "session.bad-row", log_str("session", row->id));
    http_reply_header(reply, "X-Ferry-Session", row->id);
    header_outcome(reply, o, r, row->detail);
    send_reason(wire, reply, r, status);
}

static void send_script(struct http_reply *reply, const struct dialogue_wire *wire,
                        const struct session_row *row, const char *token, size_t commands, struct view packet)
{
    char count[16];
    (void)snprintf(count, sizeof(count), "%zu", commands);
    http_reply_header(reply, "X-Ferry-Session", row->id);
    http_reply_header(reply, "X-Ferry-Step", row->step);
    http_reply_header(reply, "X-Ferry-Commands", count);
    wire->script(reply, token, packet);
}

/* ---- Tokens and stored replies ----------------------------------------------------------------------- */

/* The next token follows from the one that the client has and from the stored reply's random part: so a
 * repeated POST gets the same one, and the store alone gives none. */
static enum err next_token(struct post *p, const uint8_t nonce[NONCE_LEN])
{
    uint8_t bytes[32];
    struct writer w;
    if (p->wire->keeps_token && p->token[0] != '\0') {
        memcpy(p->next_token, p->token, sizeof(p->next_token));
        return OK;
    }
    enum err e = crypto_hmac(p->d->crypto, VIEW_OF(p->token_bytes), view_of(nonce, NONCE_LEN), bytes);
    if (e != OK)
        return e;
    wr_fixed(&w, p->next_token, NAMED_TOKEN_TEXT);
    wr_view(&w, view_str(p->row.id));
    wr_u8(&w, '.');
    base64url_put(&w, VIEW_OF(bytes));
    p->next_token[w.len] = '\0';
    wipe(bytes, sizeof(bytes));
    return wr_status(&w);
}

static enum err digest_of(const struct dialogue *d, struct view a, struct view b, uint8_t out[DIGEST_LEN])
{
    const struct view parts[] = {a, b};
    return crypto_digest(d->crypto, DIGEST_SHA256, parts, 2, out);
}

/* reply of session_row: nonce, number of commands, packet. An ended session's reply is empty: the row has
 * everything. A signed packet is left out: the vault makes it again, byte for byte, from the session. */
static enum err store_reply(struct post *p)
{
    uint8_t nonce[NONCE_LEN];
    struct writer w;
    blob_free(&p->row.reply);
    if (p->turn.ended)
        return OK;
    enum err e = p->d->random.fill(p->d->random.ctx, nonce, sizeof(nonce));
    if (e == OK)
        e = next_token(p, nonce);
    if (e == OK)
        e = digest_of(p->d, view_str(p->next_token), VIEW_NULL, p->row.token_digest);
    if (e != OK)
        return e;
    wr_heap(&w, REPLY_MAX);
    wr_bytes(&w, nonce, sizeof(nonce));
    wr_u16(&w, (uint16_t)p->turn.commands);
    wr_view32(&w, p->session.state == SESSION_DELIVER ? VIEW_NULL : p->turn.packet);
    e = wr_status(&w);
    if (e == OK)
        e = blob_copy(&p->row.reply, wr_view_of(&w));
    wr_free(&w);
    return e;
}

static void on_signed_again(void *arg, enum err e, struct view reply)
{
    struct post *p = arg;
    struct writer script;
    wr_heap(&script, SCRIPT_MAX);
    if (e == OK)
        e = vault_get_sign(reply, &script);
    if (e == OK) {
        send_script(p->reply, p->wire, &p->row, p->next_token, p->turn.commands, wr_view_of(&script));
        post_free(p);
    } else {
        give_up_on(p, e);
    }
    wr_free(&script);
}

static enum err sign_again(struct post *p)
{
    struct vault_script script;
    struct writer w;
    enum err e = session_decode(&p->session, blob_view(&p->row.state));
    if (e != OK)
        return e;
    p->has_session = true;
    wr_heap(&w, KEEPER_FRAME_MAX);
    e = session_packet_again(&p->session, &script);
    if (e == OK)
        e = vault_put_sign(&w, &script);
    if (e == OK)
        e = wr_status(&w);
    if (e == OK)
        e = keeper_client_ask(p->d->keeper, wr_view_of(&w), on_signed_again, p);
    wr_free(&w);
    return e;
}

/* What stands before the packet in a stored reply. */
static struct view read_reply(struct reader *r, const struct session_row *row, size_t *commands)
{
    rd_init(r, blob_view(&row->reply));
    struct view nonce = rd_view(r, NONCE_LEN);
    *commands = rd_u16(r);
    return nonce;
}

unsigned dialogue_commands(const struct session_row *row)
{
    struct reader r;
    size_t commands = 0;
    (void)read_reply(&r, row, &commands);
    return (unsigned)commands;
}

static void send_stored(struct post *p)
{
    struct reader r;
    if (p->row.outcome[0] != '\0') {
        send_end(p->reply, p->wire, &p->row, 204);
        post_free(p);
        return;
    }
    struct view nonce = read_reply(&r, &p->row, &p->turn.commands);
    struct view packet = rd_view32(&r, SCRIPT_MAX);
    enum err e = rd_done(&r) ? next_token(p, nonce.data) : ERR_FORMAT;
    if (e == OK && packet.len == 0) {
        e = sign_again(p);
        if (e == OK)
            return;
    }
    if (e != OK) {
        give_up_on(p, e);
        return;
    }
    send_script(p->reply, p->wire, &p->row, p->next_token, p->turn.commands, packet);
    post_free(p);
}

/* ---- Turns ------------------------------------------------------------------------------------------- */

/* ferryd's log: one line when something happened that matters to somebody. */
static void log_turn(const struct post *p)
{
    const struct session *s = &p->session;
    metrics_add(METRIC_POSTS, 1);
    if (p->turn.ended)
        metrics_session(s->outcome);
    if (p->token[0] == '\0')
        metrics_add(METRIC_SESSIONS_BEGUN, 1);
    metrics_add(METRIC_COMMANDS, p->turn.commands);
    metrics_add(METRIC_PACKET_BYTES, p->turn.packet.len);
    if (p->turn.ended)
        LOG(s->facts.quarantine ? LOG_WARNING : LOG_INFO, "session.ended", log_str("session", s->id),
            log_str("order", p->row.order), log_str("card", s->card), log_str("outcome", p->row.outcome),
            log_str("reason", p->row.reason), log_str("detail", p->row.detail));
    else
        LOG(LOG_INFO, "session.sent", log_str("session", s->id), log_str("order", p->row.order),
            log_str("card", s->card), log_str("step", p->row.step), log_u64("commands", p->turn.commands),
            log_u64("bytes", p->turn.packet.len));
}

/* A client that asked its user by what a link said compares. */
static void header_order(const struct post *p)
{
    static const char *const purposes[] = {
        [PLAN_INSTALL] = "install", [PLAN_REMOVE] = "remove", [PLAN_INSPECT] = "inspect"};
    const struct session_order *order = &p->session.order;
    http_reply_header(p->reply, "X-Ferry-Purpose", purposes[order->purpose]);
    if (order->app[0] != '\0')
        http_reply_header(p->reply, "X-Ferry-App", order->app);
}

/* Who watches learns what is durable, and what the client was told. */
static void tell_live(const struct post *p)
{
    const struct session_row *row = &p->row;
    const struct live_session now = {.id = row->id,
                                     .order = row->order,
                                     .step = row->step,
                                     .commands = (uint32_t)p->turn.commands,
                                     .outcome = row->outcome,
                                     .reason = row->reason,
                                     .detail = row->detail};
    live_session(p->d->live, p->visit, &now);
}

static void answer(struct post *p)
{
    log_turn(p);
    if (p->token[0] == '\0')
        header_order(p);
    if (p->turn.ended) {
        /* Before any script was sent the status says what is wrong; afterwards 204 ends the dialogue. */
        int status = p->token[0] != '\0' ? 204 : reason_http_status(p->session.reason);
        send_end(p->reply, p->wire, &p->row, status);
    } else {
        send_script(p->reply, p->wire, &p->row, p->next_token, p->turn.commands, p->turn.packet);
    }
    tell_live(p);
    post_free(p);
}

/* ---- What was said ----------------------------------------------------------------------------------- */

static void trace_begin(struct post *p)
{
    wr_free(&p->trace);
    wr_heap(&p->trace, TRACE_MAX);
    wr_view(&p->trace, blob_view(&p->row.dialogue));
}

/* The client's answers to what is not signed: the session will say what is wrong with them. */
static void trace_answer(struct post *p)
{
    enum err e = OK;
    if (p->session.state == SESSION_IDENTIFY || p->session.state == SESSION_OPEN)
        e = trace_put_answers(&p->trace, wr_view_of(&p->body));
    (void)e; /* the session refuses the same, and nothing is written */
}

/* EXTERNAL AUTHENTICATE is made where the packet is signed: the plain commands are without it. */
static struct view authentication_in(struct view packet)
{
    struct script_reader s;
    enum script_fault fault;
    struct view first = VIEW_NULL;
    struct apdu a = {0};
    if (script_open(&s, packet, &fault) != OK || script_next(&s, &first, &fault) != OK ||
        apdu_parse(first, &a) != OK || a.ins != INS_EXTERNAL_AUTHENTICATE)
        return VIEW_NULL;
    return first;
}

/* With what goes out now; a POST that does not get that far leaves the trace as it was. */
static enum err trace_sent(struct post *p, uint64_t now_ms)
{
    const struct session *s = &p->session;
    bool signed_packet = s->state == SESSION_DELIVER;
    struct writer w;
    enum err e = OK;
    wr_heap(&w, TRACE_MAX);
    wr_view(&w, wr_view_of(&p->trace));
    if (!p->turn.ended)
        e = trace_put_turn(&w, now_ms, s->state,
                           signed_packet ? authentication_in(p->turn.packet) : VIEW_NULL,
                           signed_packet ? wr_view_of(&s->plain) : p->turn.packet);
    blob_free(&p->row.dialogue);
    if (e == OK)
        e = wr_status(&w);
    if (e == OK)
        e = blob_copy(&p->row.dialogue, wr_view_of(&w));
    wr_free(&w);
    return e;
}

static enum err update_row(struct post *p)
{
    struct session_row *row = &p->row;
    const struct session *s = &p->session;
    struct writer w;
    uint64_t now = p->d->clock.now_ms(p->d->clock.ctx);
    (void)snprintf(row->card, sizeof(row->card), "%s", s->card);
    (void)snprintf(row->step, sizeof(row->step), "%s", p->turn.step);
    if (p->turn.ended) {
        (void)snprintf(row->outcome, sizeof(row->outcome), "%s", outcome_word(s->outcome));
        (void)snprintf(row->reason, sizeof(row->reason), "%s", reason_word(s->reason));
        (void)snprintf(row->detail, sizeof(row->detail), "%s", s->detail);
    } else {
        row->commands += (uint32_t)p->turn.commands;
        row->bytes += (uint32_t)p->turn.packet.len;
    }
    row->posts = p->posts_before + 1; /* this may be done again */
    row->updated_ms = now;
    memcpy(row->request_digest, p->request_digest, sizeof(row->request_digest));
    wr_heap(&w, SESSION_STATE_MAX);
    enum err e = session_encode(s, &w);
    if (e == OK) {
        blob_free(&row->state);
        e = blob_copy(&row->state, wr_view_of(&w));
    }
    wr_free(&w);
    if (e == OK)
        e = trace_sent(p, now);
    return e == OK ? store_reply(p) : e;
}

static void submit(struct post *p);

/* The guard of a record said no: the session is told, and ends. */
static void tell_refused(struct post *p, enum err e, size_t failed)
{
    struct session_event event = {.kind = SESSION_REFUSED, .result = e, .refused = p->changes.kinds[failed]};
    take_event(p, &event);
}

static void on_written(void *arg, enum err e, size_t failed)
{
    struct post *p = arg;
    bool of_record = failed < p->changes.first_other && p->changes.kinds[failed] != RECORD_CARD;
    if (e == OK) {
        answer(p);
    } else if (e == ERR_CONFLICT && ++p->tries < TRIES_MAX) {
        if (failed >= p->changes.first_other)
            continue_post(p); /* the same session was POSTed to at the same time */
        else
            submit(p);
    } else if (of_record && (e == ERR_BLOCKED || e == ERR_STATE || e == ERR_EXPIRED)) {
        tell_refused(p, e, failed);
    } else {
        give_up_on(p, e);
    }
}

static void submit(struct post *p)
{
    turn_changes_finish(&p->changes);
    enum err e = turn_changes_make(&p->changes, p->d->store, &p->session, &p->turn, &p->row,
                                   p->d->clock.now_ms(p->d->clock.ctx));
    if (e != OK) {
        give_up_on(p, e);
        return;
    }
    p->d->store->ops->submit(p->d->store->ctx, p->changes.list, p->changes.count, on_written, p);
}

static void commit(struct post *p)
{
    enum err e = update_row(p);
    if (e == OK)
        submit(p);
    else
        give_up_on(p, e);
}

/* ---- The vault's replies ----------------------------------------------------------------------------- */

static void on_prepared(void *arg, enum err e, struct view reply)
{
    struct post *p = arg;
    struct writer script, sealed;
    if (e != OK) {
        give_up_on(p, e);
        return;
    }
    wr_heap(&script, OPENING_BYTES_MAX);
    wr_heap(&sealed, SEALED_OPENING_MAX);
    struct session_event event = {.kind = SESSION_PREPARED,
                                  .result = vault_get_begin(reply, &script, &sealed)};
    event.bytes = wr_view_of(&script);
    event.opening = wr_view_of(&sealed);
    take_event(p, &event);
    wr_free(&script);
    wr_free(&sealed);
}

static void on_opened(void *arg, enum err e, struct view reply)
{
    struct post *p = arg;
    struct writer sealed;
    if (e != OK) {
        give_up_on(p, e);
        return;
    }
    wr_heap(&sealed, SEALED_CHANNEL_MAX);
    struct session_event event = {.kind = SESSION_OPENED, .result = vault_get_open(reply, &sealed)};
    event.bytes = wr_view_of(&sealed);
    take_event(p, &event);
    wr_free(&sealed);
}

static void on_signed(void *arg, enum err e, struct view reply)
{
    struct post *p = arg;
    struct writer script;
    if (e != OK) {
        give_up_on(p, e);
        return;
    }
    wr_heap(&script, SCRIPT_MAX);
    struct session_event event = {.kind = SESSION_SIGNED, .result = vault_get_sign(reply, &script)};
    event.bytes = wr_view_of(&script);
    take_event(p, &event);
    wr_free(&script);
}

static void on_settled(void *arg, enum err e, struct view reply)
{
    struct post *p = arg;
    struct vault_settlement *settlement = e == OK ? calloc(1, sizeof(*settlement)) : NULL;
    if (settlement == NULL) {
        give_up_on(p, e == OK ? ERR_MEMORY : e);
        return;
    }
    struct session_event event = {
        .kind = SESSION_SETTLED, .result = vault_get_settle(reply, settlement), .settlement = settlement};
    if (event.result == OK)
        trace_put_settled(&p->trace, settlement);
    take_event(p, &event);
    if (event.result == OK)
        vault_settlement_finish(settlement);
    free(settlement);
}

/* A function of vault/serve.h writes the request; done gets the reply. */
static void ask_keeper(struct post *p)
{
    static void (*const done[])(void *arg, enum err e,
                                struct view reply) = {[SESSION_WANT_BEGIN] = on_prepared,
                                                      [SESSION_WANT_OPEN] = on_opened,
                                                      [SESSION_WANT_SIGN] = on_signed,
                                                      [SESSION_WANT_SETTLE] = on_settled};
    const struct session_turn *t = &p->turn;
    struct writer w;
    wr_heap(&w, KEEPER_FRAME_MAX);
    enum err e = t->want == SESSION_WANT_BEGIN  ? vault_put_begin(&w, &t->begin)
                 : t->want == SESSION_WANT_OPEN ? vault_put_open(&w, &t->open)
                 : t->want == SESSION_WANT_SIGN ? vault_put_sign(&w, &t->script)
                                                : vault_put_settle(&w, &t->script, t->answers);
    if (e == OK)
        e = wr_status(&w);
    if (e == OK)
        e = keeper_client_ask(p->d->keeper, wr_view_of(&w), done[t->want], p);
    wr_free(&w);
    if (e != OK)
        give_up_on(p, e);
}

static void take_event(struct post *p, const struct session_event *event)
{
    struct session_world table = world_table(&p->world, p->d->random);
    enum err e = session_handle(&p->session, &table, event, &p->turn);
    if (e == ERR_FORMAT && event->kind == SESSION_ANSWER)
        give_up(p, REASON_BAD_ANSWER, 400);
    else if (e == ERR_STATE)
        give_up(p, REASON_BAD_ANSWER, 409);
    else if (e != OK)
        give_up_on(p, e);
    else if (p->turn.want == SESSION_WANT_COMMIT)
        commit(p);
    else
        ask_keeper(p);
}

/* ---- Beginning --------------------------------------------------------------------------------------- */

static enum reason order_problem(const struct order_row *order, uint64_t now_ms)
{
    if (strcmp(order->state, "cancelled") == 0)
        return REASON_CANCELLED;
    if (strcmp(order->state, "open") != 0 || order->openings_left == 0 || order->cards_left == 0)
        return REASON_TICKET_USED;
    return order->expires_ms <= now_ms ? REASON_EXPIRED_TICKET : REASON_NONE;
}

static enum err new_session_row(struct post *p, const struct order_row *order, uint64_t now_ms)
{
    uint8_t id[ID_TEXT / 2];
    enum err e = p->d->random.fill(p->d->random.ctx, id, sizeof(id));
    if (e == OK)
        e = p->d->random.fill(p->d->random.ctx, p->token_bytes, sizeof(p->token_bytes));
    if (e != OK)
        return e;
    char *text = p->row.id;
    hex_write(text, VIEW_OF(id));
    for (; *text != '\0'; text++) {
        if (*text >= 'A')
            *text = (char)(*text - 'A' + 'a');
    }
    (void)snprintf(p->row.order, sizeof(p->row.order), "%s", order->id);
    p->row.created_ms = now_ms;
    return OK;
}

static void begin_session(struct post *p, const struct dialogue_request *in)
{
    uint8_t digest[DIGEST_LEN];
    struct order_row order = {.level = -1};
    struct session_order wanted;
    struct page_ticket ticket;
    uint64_t now = p->d->clock.now_ms(p->d->clock.ctx);
    page_ticket_split(view_str(in->ticket), &ticket);
    memcpy(p->visit, ticket.visit, sizeof(p->visit));
    enum err e = digest_of(p->d, ticket.ticket, VIEW_NULL, digest);
    if (e == OK)
        e = p->d->store->ops->get_order_by_ticket(p->d->store->ctx, digest, &order);
    if (e == ERR_NOT_FOUND) {
        give_up(p, REASON_WRONG_TICKET, reason_http_status(REASON_WRONG_TICKET));
        return;
    }
    enum reason problem = e == OK ? order_problem(&order, now) : REASON_NONE;
    if (problem != REASON_NONE) {
        give_up(p, problem, reason_http_status(problem));
        return;
    }
    if (e == OK)
        e = order_for_session(&order, &wanted);
    if (e == OK)
        e = new_session_row(p, &order, now);
    if (e != OK) {
        give_up_on(p, e);
        return;
    }
    session_init(&p->session, p->row.id, &wanted, in->atr);
    p->has_session = true;
    trace_begin(p);
    struct session_event event = {.kind = SESSION_BEGIN, .card = in->card};
    take_event(p, &event);
}

/* ---- Going on ---------------------------------------------------------------------------------------- */

/* "<32 hexadecimal digits>.<43 of base64url>": false otherwise. */
static bool split_token(struct post *p, const char *text, char id[ID_TEXT + 1])
{
    struct writer w;
    if (strlen(text) != NAMED_TOKEN_TEXT || text[ID_TEXT] != '.')
        return false;
    memcpy(p->token, text, NAMED_TOKEN_TEXT + 1);
    memcpy(id, text, ID_TEXT);
    id[ID_TEXT] = '\0';
    wr_fixed(&w, p->token_bytes, sizeof(p->token_bytes));
    return base64url_read(view_str(text + ID_TEXT + 1), &w) == OK && w.len == TOKEN_LEN;
}

/* True when the token is the one before the one of now: what a client has that lost the last answer. */
static bool is_previous_token(struct post *p)
{
    struct reader r;
    uint8_t digest[DIGEST_LEN];
    rd_init(&r, blob_view(&p->row.reply));
    struct view nonce = rd_view(&r, NONCE_LEN);
    return rd_ok(&r) && next_token(p, nonce.data) == OK &&
           digest_of(p->d, view_str(p->next_token), VIEW_NULL, digest) == OK &&
           secret_equal(VIEW_OF(digest), VIEW_OF(p->row.token_digest));
}

/* The token is of now; or the request is the one that was answered last; or it asks to resume and knows the
 * token before. Else it is no request of ours. */
static enum err check_token(struct post *p, bool *repeated)
{
    uint8_t digest[DIGEST_LEN];
    struct view body = p->resume ? view_str("resume") : wr_view_of(&p->body);
    enum err e = digest_of(p->d, view_str(p->token), VIEW_NULL, digest);
    if (e == OK)
        e = digest_of(p->d, view_str(p->token), body, p->request_digest);
    if (e != OK)
        return e;
    *repeated = secret_equal(VIEW_OF(p->request_digest), VIEW_OF(p->row.request_digest));
    if (*repeated || secret_equal(VIEW_OF(digest), VIEW_OF(p->row.token_digest)) ||
        (p->resume && is_previous_token(p)))
        return OK;
    return ERR_CONFLICT;
}

static void go_on(struct post *p)
{
    struct session_event event = {.kind = p->resume ? SESSION_RESUME : SESSION_ANSWER,
                                  .body = wr_view_of(&p->body),
                                  .script_status = p->script_status};
    uint64_t now = p->d->clock.now_ms(p->d->clock.ctx);
    enum err e = session_decode(&p->session, blob_view(&p->row.state));
    if (e != OK) {
        give_up_on(p, e);
        return;
    }
    p->has_session = true;
    p->posts_before = p->row.posts;
    if (p->session.state == SESSION_DONE) {
        give_up(p, REASON_SESSION_OVER, 410);
        return;
    }
    trace_begin(p);
    if (now > p->row.updated_ms + 1000ULL * p->d->session_timeout_s)
        event.kind = SESSION_EXPIRE;
    if (event.kind == SESSION_ANSWER)
        trace_answer(p);
    take_event(p, &event);
}

/* Reads the session afresh; also after somebody else was faster. */
static void continue_post(struct post *p)
{
    char id[ID_TEXT + 1];
    bool repeated = false;
    memcpy(id, p->token, ID_TEXT);
    id[ID_TEXT] = '\0';
    if (p->has_session)
        session_finish(&p->session);
    p->has_session = false;
    session_row_free(&p->row);
    p->row = (struct session_row){.revision = 0};
    enum err e = p->d->store->ops->get_session(p->d->store->ctx, id, &p->row);
    if (e == ERR_NOT_FOUND) {
        give_up(p, REASON_WRONG_TICKET, reason_http_status(REASON_WRONG_TICKET));
        return;
    }
    if (e == OK)
        e = check_token(p, &repeated);
    if (e == ERR_CONFLICT)
        give_up(p, REASON_SESSION_OVER, 409);
    else if (e != OK)
        give_up_on(p, e);
    else if (repeated)
        send_stored(p);
    else
        go_on(p);
}

void dialogue_take(struct dialogue *d, const struct dialogue_wire *wire, const struct dialogue_request *in,
                   struct http_reply *reply)
{
    char id[ID_TEXT + 1];
    struct post *p = calloc(1, sizeof(*p));
    if (p == NULL) {
        dialogue_refuse(wire, reply, REASON_SERVER_BUSY, 503);
        return;
    }
    p->d = d;
    p->wire = wire;
    p->reply = reply;
    p->resume = in->resume;
    d->under_way++;
    world_init(&p->world, d->store, &d->cache, d->clock, d->allow_weak);
    wr_heap(&p->body, HTTP_BODY_MAX);
    wr_view(&p->body, in->body);
    if (in->script_status != NULL)
        (void)snprintf(p->script_status, sizeof(p->script_status), "%s", in->script_status);
    if (!wr_ok(&p->body))
        give_up(p, REASON_SERVER_BUSY, 503);
    else if (in->ticket != NULL)
        begin_session(p, in);
    else if (!split_token(p, in->token, id))
        give_up(p, REASON_WRONG_TICKET, reason_http_status(REASON_WRONG_TICKET));
    else
        continue_post(p);
}

/* ---- Sessions that nobody goes on with ---------------------------------------------------------------- */

static void script_nobody(struct http_reply *reply, const char *token, struct view packet)
{
    (void)token, (void)packet;
    http_reply_send(reply, 200, NULL, VIEW_NULL);
}

static void end_nobody(struct http_reply *reply, int status, const char *text)
{
    (void)text;
    http_reply_send(reply, status, NULL, VIEW_NULL);
}

static const struct dialogue_wire wire_nobody = {.script = script_nobody, .end = end_nobody};

static bool is_over(const struct dialogue *d, const struct session_row *row, uint64_t now_ms)
{
    return row->outcome[0] == '\0' && now_ms > row->updated_ms + 1000ULL * d->session_timeout_s;
}

static void expire(struct dialogue *d, const char *id)
{
    const struct session_event event = {.kind = SESSION_EXPIRE};
    struct post *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return;
    p->d = d;
    p->wire = &wire_nobody;
    memset(p->token, '-', 1); /* it is no beginning */
    d->under_way++;
    world_init(&p->world, d->store, &d->cache, d->clock, d->allow_weak);
    enum err e = d->store->ops->get_session(d->store->ctx, id, &p->row);
    if (e == OK)
        e = session_decode(&p->session, blob_view(&p->row.state));
    p->has_session = e == OK;
    /* Between listing and reading a client may have come back. */
    if (e != OK || !is_over(d, &p->row, d->clock.now_ms(d->clock.ctx))) {
        post_free(p);
        return;
    }
    p->posts_before = p->row.posts;
    trace_begin(p);
    take_event(p, &event);
}

struct sweep {
    struct dialogue *d;
    uint64_t now_ms;
    size_t rows, count;
    char last[ID_TEXT + 1], over[PAGE_MAX][ID_TEXT + 1];
    uint64_t oldest_ms;
};

static enum err sweep_row(void *arg, struct session_row *row)
{
    struct sweep *s = arg;
    s->rows++;
    s->oldest_ms = row->created_ms;
    (void)snprintf(s->last, sizeof(s->last), "%s", row->id);
    if (is_over(s->d, row, s->now_ms) && s->count < PAGE_MAX)
        (void)snprintf(s->over[s->count++], sizeof(s->over[0]), "%s", row->id);
    return OK;
}

void dialogue_sweep(struct dialogue *d, bool all)
{
    enum { PAGES_MAX = 100, LONGEST_SESSION_MS = 24 * 3600 * 1000 };
    struct listing page = {.limit = PAGE_MAX};
    struct sweep *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return;
    for (unsigned n = 0; n < PAGES_MAX; n++) {
        *s = (struct sweep){.d = d, .now_ms = d->clock.now_ms(d->clock.ctx)};
        if (d->store->ops->list_sessions(d->store->ctx, &page, sweep_row, s) != OK)
            break;
        for (size_t k = 0; k < s->count; k++)
            expire(d, s->over[k]);
        bool old = s->oldest_ms + 2000ULL * d->session_timeout_s + LONGEST_SESSION_MS < s->now_ms;
        if (s->rows < page.limit || (old && !all))
            break;
        (void)snprintf(page.after, sizeof(page.after), "%s", s->last);
    }
    free(s);
}
