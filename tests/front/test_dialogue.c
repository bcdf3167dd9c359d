/* SPDX-License-Identifier: Apache-2.0
 *
 * The wire of docs/protocol.md: headers and statuses, repeated and lost POSTs, a server that dies in between.
 */
#include "world.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "front/trace.h"

static const char command_type[] = "application/vnd.globalplatform.card-content-mgt;version=1.0";

static bool same(const struct exchange *a, const struct exchange *b)
{
    return a->status == b->status && strcmp(a->next, b->next) == 0 && strcmp(a->outcome, b->outcome) == 0 &&
           view_equal(wr_view_of(&a->body), wr_view_of(&b->body));
}

static void three_posts(void **state)
{
    struct front_world w;
    struct exchange m2, m4, m6;
    (void)state;
    front_world_open_hello(&w);
    front_begin(&w, "install", &m2);
    exchange_expect("M2", &m2, 200, "", "");
    assert_string_equal(m2.type, command_type);
    assert_string_equal(m2.step, "authenticate");
    assert_string_equal(m2.commands, "8");
    assert_int_equal(strncmp(m2.next, "/gp/adm?s=", 10), 0);
    assert_int_equal(strlen(m2.session), 32);
    front_go_on(&w, &m2, NULL, &m4);
    exchange_expect("M4", &m4, 200, "", "");
    assert_string_equal(m4.step, "deliver");
    assert_string_not_equal(m4.next, m2.next);
    front_go_on(&w, &m4, NULL, &m6);
    exchange_expect("M6", &m6, 204, "confirmed", "none");
    assert_string_equal(m6.next, "");
    assert_int_equal(m6.body.len, 0);
    assert_true(vcard_has_application(w.bench.card, VIEW_OF(front_hello_app)));
    exchange_finish(&m2);
    exchange_finish(&m4);
    exchange_finish(&m6);
    front_world_close(&w);
}

/* A POST that comes again gets the same answer, with one effect; another body on an old token gets none. */
static void a_repeated_post_has_one_effect(void **state)
{
    struct front_world w;
    struct exchange m2, m4, again, m6;
    struct writer m3, m5;
    (void)state;
    front_world_open_hello(&w);
    wr_heap(&m3, SCRIPT_MAX);
    wr_heap(&m5, SCRIPT_MAX);
    front_begin(&w, "install", &m2);
    front_go_on(&w, &m2, &m3, &m4);
    front_post(&w, m2.next, wr_view_of(&m3), &again);
    assert_true(again.status == 200 && same(&m4, &again));
    exchange_finish(&again);
    front_go_on(&w, &m4, &m5, &m6);
    exchange_expect("M6", &m6, 204, "confirmed", "none");
    for (unsigned n = 0; n < 3; n++) {
        front_post(&w, m4.next, wr_view_of(&m5), &again);
        assert_true(same(&m6, &again));
        exchange_finish(&again);
    }
    assert_int_equal(bench_order(&w.bench, "install").cards_left, 99999);
    assert_int_equal(bench_order(&w.bench, "install").openings_left, 99999);
    front_post(&w, m2.next, wr_view_of(&m3), &again);
    exchange_expect("an old token", &again, 409, "failed", "session-over");
    exchange_finish(&again);
    front_post(&w, m4.next, wr_view_of(&m3), &again);
    exchange_expect("another body", &again, 410, "failed", "session-over"); /* it has ended */
    exchange_finish(&again);
    exchange_finish(&m2);
    exchange_finish(&m4);
    exchange_finish(&m6);
    wr_free(&m3);
    wr_free(&m5);
    front_world_close(&w);
}

struct racer {
    struct front_world *w;
    const char *next;
    struct view body;
    struct exchange answer;
};

static void *race(void *arg)
{
    struct racer *r = arg;
    struct front_world own = *r->w;
    own.curl = curl_easy_init();
    front_post(&own, r->next, r->body, &r->answer);
    curl_easy_cleanup(own.curl);
    return NULL;
}

/* The same POST on several connections at once: one effect, one answer. */
static void posts_at_the_same_time_have_one_effect(void **state)
{
    enum { RACERS = 4 };
    struct front_world w;
    struct exchange m2, m6;
    struct writer m3;
    struct racer racers[RACERS];
    pthread_t threads[RACERS];
    (void)state;
    front_world_open_hello(&w);
    wr_heap(&m3, SCRIPT_MAX);
    front_begin(&w, "install", &m2);
    front_execute(&w, wr_view_of(&m2.body), &m3);
    for (size_t n = 0; n < RACERS; n++) {
        racers[n] = (struct racer){.w = &w, .next = m2.next, .body = wr_view_of(&m3)};
        assert_int_equal(pthread_create(&threads[n], NULL, race, &racers[n]), 0);
    }
    for (size_t n = 0; n < RACERS; n++)
        assert_int_equal(pthread_join(threads[n], NULL), 0);
    for (size_t n = 0; n < RACERS; n++) {
        if (racers[n].answer.status != 200 || !same(&racers[0].answer, &racers[n].answer))
            fail_msg("POST %zu: %ld", n, racers[n].answer.status);
    }
    assert_int_equal(bench_ledger(&w.bench, "999999-00006001111111110001", 0x30).openings, 1);
    front_go_on(&w, &racers[0].answer, NULL, &m6);
    exchange_expect("M6", &m6, 204, "confirmed", "none");
    for (size_t n = 0; n < RACERS; n++)
        exchange_finish(&racers[n].answer);
    exchange_finish(&m2);
    exchange_finish(&m6);
    wr_free(&m3);
    front_world_close(&w);
}

/* The server dies after any of its answers; the next one goes on from the store. */
static void sessions_survive_the_server(void **state)
{
    (void)state;
    for (unsigned graceful = 0; graceful < 2; graceful++) {
        struct front_world w;
        struct exchange m2, m4, m6;
        front_world_open_hello(&w);
        front_begin(&w, "install", &m2);
        if (graceful == 1)
            assert_int_equal(front_stop(&w), 0);
        else
            front_kill(&w);
        front_start(&w);
        front_go_on(&w, &m2, NULL, &m4);
        exchange_expect("M4", &m4, 200, "", "");
        if (graceful == 1)
            assert_int_equal(front_stop(&w), 0);
        else
            front_kill(&w);
        front_start(&w);
        front_go_on(&w, &m4, NULL, &m6);
        exchange_expect("M6", &m6, 204, "confirmed", "none");
        exchange_finish(&m2);
        exchange_finish(&m4);
        exchange_finish(&m6);
        front_world_close(&w);
    }
}

/* The client lost an answer: it asks with the last address that it knows, of now or of just before. */
static void a_lost_connection_is_resumed(void **state)
{
    (void)state;
    for (unsigned lost = 0; lost < 3; lost++) {
        struct front_world w;
        struct exchange m2, m4, look, rest, end;
        struct writer m3;
        front_world_open_hello(&w);
        wr_heap(&m3, SCRIPT_MAX);
        front_begin(&w, "install", &m2);
        front_go_on(&w, &m2, &m3, &m4);
        /* 0: M4 never came, and the client knows only M2's address; 1: it came, and nothing was executed; 2:
         * it was executed as a whole, and the answers were lost. */
        if (lost == 2) {
            struct writer answers;
            wr_heap(&answers, SCRIPT_MAX);
            front_execute(&w, wr_view_of(&m4.body), &answers);
            wr_free(&answers);
        }
        front_resume(&w, lost == 0 ? m2.next : m4.next, &look);
        exchange_expect("resumed", &look, 200, "", "");
        assert_string_equal(look.step, "authenticate");
        front_go_on(&w, &look, NULL, &rest);
        assert_int_equal(rest.status, 200); /* takes stock */
        while (rest.status == 200) {
            front_go_on(&w, &rest, NULL, &end);
            exchange_finish(&rest);
            rest = end;
        }
        exchange_expect("end", &rest, 204, "confirmed", lost == 2 ? "already-there" : "none");
        assert_true(vcard_has_application(w.bench.card, VIEW_OF(front_hello_app)));
        exchange_finish(&m2);
        exchange_finish(&m4);
        exchange_finish(&look);
        exchange_finish(&rest);
        wr_free(&m3);
        front_world_close(&w);
    }
}

static void refused_before_anything_is_sent(void **state)
{
    static const char gp[] = "globalplatform-remote-admin/1.0";
    static const char from[] = "//se-id/ATR/3B00;//aa-id/uuid/x";
    static const char token[] = "/gp/adm?s=0123456789abcdef0123456789abcdef."
                                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    static const char response[] = "application/vnd.globalplatform.card-content-mgt-response;version=1.0";
    static const struct {
        const char *name;
        struct question q;
        long status;
        const char *outcome, *reason;
    } rows[] = {
        {"unknown ticket",
         {"POST", "/gp/adm?t=nothing", gp, from, NULL, NULL, NULL, NULL, {0}},
         403,
         "failed",
         "wrong-ticket"},
        {"empty ticket",
         {"POST", "/gp/adm?t=", gp, from, NULL, NULL, NULL, NULL, {0}},
         403,
         "failed",
         "wrong-ticket"},
        {"unknown card",
         {"POST", "/gp/adm?t=install", gp, from, NULL, NULL, NULL, NULL, {0}},
         204,
         "failed",
         "unknown-card"},
        {"no protocol",
         {"POST", "/gp/adm?t=install", NULL, from, NULL, NULL, NULL, NULL, {0}},
         400,
         "failed",
         "bad-answer"},
        {"another protocol",
         {"POST", "/gp/adm?t=install", "x/1.0", from, NULL, NULL, NULL, NULL, {0}},
         400,
         "failed",
         "bad-answer"},
        {"neither ticket nor token",
         {"POST", "/gp/adm", gp, from, NULL, NULL, NULL, NULL, {0}},
         400,
         "failed",
         "bad-answer"},
        {"both",
         {"POST", "/gp/adm?t=install&s=x", gp, from, NULL, NULL, NULL, NULL, {0}},
         400,
         "failed",
         "bad-answer"},
        {"unknown token",
         {"POST", token, gp, NULL, response, "ok", NULL, NULL, {0}},
         403,
         "failed",
         "wrong-ticket"},
        {"malformed token",
         {"POST", "/gp/adm?s=x", gp, NULL, response, "ok", NULL, NULL, {0}},
         403,
         "failed",
         "wrong-ticket"},
        {"no content type",
         {"POST", token, gp, NULL, NULL, "ok", NULL, NULL, {0}},
         415,
         "failed",
         "bad-answer"},
        {"GET", {"GET", "/gp/adm?t=install", gp, from, NULL, NULL, NULL, NULL, {0}}, 405, "", ""},
        {"another path", {"POST", "/gp/other", gp, from, NULL, NULL, NULL, NULL, {0}}, 404, "", ""},
        {"NUL in the path",
         {"POST", "/gp/adm%00x?t=install", gp, from, NULL, NULL, NULL, NULL, {0}},
         400,
         "",
         ""},
    };
    struct front_world w;
    (void)state;
    front_world_open_hello(&w);
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        struct exchange x;
        front_ask(&w, &rows[n].q, &x);
        exchange_expect(rows[n].name, &x, rows[n].status, rows[n].outcome, rows[n].reason);
        if (x.status >= 400 && x.body.len < 10)
            fail_msg("%s: no sentence for people", rows[n].name);
        exchange_finish(&x);
    }
    front_world_close(&w);
}

static void orders_that_serve_no_more(void **state)
{
    static const struct {
        const char *id, *state, *reason;
        uint32_t openings;
        bool expired;
    } rows[] = {
        {"done", "done", "ticket-used", 5, false},
        {"cancelled", "cancelled", "cancelled", 5, false},
        {"expired", "open", "expired-ticket", 5, true},
        {"no openings", "open", "ticket-used", 0, false},
    };
    struct front_world w;
    (void)state;
    front_world_open_hello(&w);
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        struct order_row order = {.level = -1, .cards_left = 1, .openings_left = rows[n].openings};
        const struct view ticket = view_of("t", 1);
        const uint8_t number = (uint8_t)('0' + n);
        const struct view parts[] = {ticket, view_of(&number, 1)};
        char text[3] = {'t', (char)number, '\0'};
        struct exchange x;
        assert_int_equal(crypto_digest(w.bench.crypto, DIGEST_SHA256, parts, 2, order.ticket_digest), OK);
        (void)snprintf(order.id, sizeof(order.id), "%s", rows[n].id);
        (void)snprintf(order.app, sizeof(order.app), "hello");
        (void)snprintf(order.purpose, sizeof(order.purpose), "install");
        (void)snprintf(order.state, sizeof(order.state), "%s", rows[n].state);
        order.expires_ms = rows[n].expired ? 1000 : UINT64_MAX / 4;
        const struct change add = {.kind = ORDER_ADD, .row.order = &order};
        bench_submit(&w.bench, &add, 1);
        front_begin(&w, text, &x);
        exchange_expect(rows[n].id, &x, 410, "failed", rows[n].reason);
        exchange_finish(&x);
    }
    front_world_close(&w);
}

/* A malformed body has no effect: the right one can follow. */
static void a_malformed_body_can_be_corrected(void **state)
{
    static const struct {
        const char *name;
        uint8_t body[8];
        size_t len;
    } rows[] = {
        {"empty", {0}, 0},
        {"no script", {0x30, 0x00}, 2},
        {"cut", {0xAB, 0x05, 0x80, 0x01}, 4},
        {"trailing", {0xAB, 0x03, 0x80, 0x01, 0x00, 0x00}, 6},
    };
    struct front_world w;
    struct exchange m2, m4, m6, x;
    (void)state;
    front_world_open_hello(&w);
    front_begin(&w, "install", &m2);
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        front_post(&w, m2.next, view_of(rows[n].body, rows[n].len), &x);
        exchange_expect(rows[n].name, &x, 400, "failed", "bad-answer");
        exchange_finish(&x);
    }
    front_go_on(&w, &m2, NULL, &m4);
    exchange_expect("M4", &m4, 200, "", "");
    front_go_on(&w, &m4, NULL, &m6);
    exchange_expect("M6", &m6, 204, "confirmed", "none");
    exchange_finish(&m2);
    exchange_finish(&m4);
    exchange_finish(&m6);
    front_world_close(&w);
}

/* Without the keeper nothing goes on, and nothing is lost: the same POST works once it is back. */
static void a_keeper_that_dies_costs_nothing(void **state)
{
    struct front_world w;
    struct exchange m2, m4, x;
    struct writer m3;
    (void)state;
    front_world_open_hello(&w);
    wr_heap(&m3, SCRIPT_MAX);
    front_begin(&w, "install", &m2);
    front_execute(&w, wr_view_of(&m2.body), &m3);
    front_kill_keeper(&w);
    front_post(&w, m2.next, wr_view_of(&m3), &x);
    assert_true(x.status == 0 || x.status == 503);
    exchange_finish(&x);
    assert_int_equal(front_stop(&w), 1);
    front_start(&w);
    front_post(&w, m2.next, wr_view_of(&m3), &m4);
    exchange_expect("M4", &m4, 200, "", "");
    exchange_finish(&m2);
    exchange_finish(&m4);
    wr_free(&m3);
    front_world_close(&w);
}

/* The store has digests of tokens, never a token. */
static void no_token_is_stored(void **state)
{
    struct front_world w;
    struct exchange m2, m4;
    (void)state;
    front_world_open_hello(&w);
    front_begin(&w, "install", &m2);
    front_go_on(&w, &m2, NULL, &m4);
    assert_int_equal(front_stop(&w), 0);
    static uint8_t file[16 * 1024 * 1024];
    const char *const ends[] = {"", "-wal"};
    for (size_t n = 0; n < 2; n++) {
        char path[300];
        (void)snprintf(path, sizeof(path), "%s%s", w.store, ends[n]);
        FILE *f = fopen(path, "rb");
        if (f == NULL)
            continue;
        size_t len = fread(file, 1, sizeof(file), f);
        (void)fclose(f);
        const char *secrets[] = {strchr(m2.next, '.') + 1, strchr(m4.next, '.') + 1};
        for (size_t k = 0; k < 2; k++)
            assert_null(memmem(file, len, secrets[k], strlen(secrets[k])));
    }
    exchange_finish(&m2);
    exchange_finish(&m4);
    front_world_close(&w);
}

struct ended {
    size_t failed, unknown, running;
};

static enum err count_ended(void *arg, struct session_row *row)
{
    struct ended *e = arg;
    e->failed += strcmp(row->outcome, "failed") == 0;
    e->unknown += strcmp(row->outcome, "unknown") == 0;
    e->running += row->outcome[0] == '\0';
    return OK;
}

static struct ended wait_for_end(struct front_world *w, size_t running)
{
    const struct listing all = {.limit = PAGE_MAX};
    struct ended e = {0};
    for (unsigned n = 0; n < 100; n++) {
        e = (struct ended){0};
        assert_int_equal(w->bench.store.ops->list_sessions(w->bench.store.ctx, &all, count_ended, &e), OK);
        if (e.running <= running)
            break;
        (void)usleep(100000);
    }
    return e;
}

/* A client that is not heard of again: the session ends by itself, under the same server or the next one. A
 * packet that is out may have been executed. */
static void silent_sessions_end(void **state)
{
    (void)state;
    for (unsigned restart = 0; restart < 2; restart++) {
        struct front_world w;
        struct exchange opened, m2, m4;
        assert_int_equal(setenv("FRONT_TIMEOUT_S", "1", 1), 0);
        front_world_open_hello(&w);
        front_begin(&w, "install", &opened);
        front_begin(&w, "install", &m2);
        front_go_on(&w, &m2, NULL, &m4);
        assert_int_equal(m4.status, 200);
        if (restart == 1) {
            front_kill(&w);
            (void)usleep(2200000);
            front_start(&w);
        }
        struct ended e = wait_for_end(&w, 0);
        assert_int_equal(e.running, 0);
        assert_int_equal(e.failed, 1);
        assert_int_equal(e.unknown, 1);
        assert_int_equal(unsetenv("FRONT_TIMEOUT_S"), 0);
        exchange_finish(&opened);
        exchange_finish(&m2);
        exchange_finish(&m4);
        front_world_close(&w);
    }
}

/* ---- Profile B --------------------------------------------------------------------------------------- */

static void ask_b(struct front_world *w, const char *cookie, struct view body, struct exchange *out)
{
    const struct question q = {.method = "POST",
                               .path = "/ram/install",
                               .protocol = "openscdp-remote-admin/1.0",
                               .type = "application/org.openscdp-content-mgt-response;version=1.0",
                               .cookie = cookie,
                               .body = body};
    front_ask(w, &q, out);
}

static void profile_b_delivers_too(void **state)
{
    struct front_world w;
    struct exchange x, next;
    struct writer first, atr;
    char cookie[200];
    uint8_t memory[ATR_MAX];
    unsigned posts = 1;
    (void)state;
    front_world_open_hello(&w);
    wr_fixed(&atr, memory, sizeof(memory));
    vcard_put_atr(w.bench.card, &atr);
    wr_heap(&first, 100);
    wr_u8(&first, 0xE8);
    wr_u8(&first, (uint8_t)(atr.len + 2));
    wr_u8(&first, 0xC0);
    wr_view8(&first, wr_view_of(&atr));
    ask_b(&w, NULL, wr_view_of(&first), &x);
    assert_int_equal(x.status, 200);
    assert_string_equal(x.next, "");
    assert_true(strstr(x.cookie, "HttpOnly") != NULL && strstr(x.cookie, "Secure") != NULL);
    (void)snprintf(cookie, sizeof(cookie), "%.*s", (int)strcspn(x.cookie, ";"), x.cookie);
    while (x.status == 200 && posts < 8) {
        struct writer body;
        static const struct bench_client goes_on = {.goes_on_after_errors = true};
        struct bench_result result = {0};
        bool torn = false;
        wr_heap(&body, SCRIPT_MAX);
        bench_execute(&w.bench, &goes_on, 0, wr_view_of(&x.body), &body, &torn, &result);
        ask_b(&w, cookie, wr_view_of(&body), &next);
        posts++;
        wr_free(&body);
        exchange_finish(&x);
        x = next;
    }
    exchange_expect("profile B", &x, 204, "confirmed", "none");
    assert_int_equal(posts, 3);
    assert_true(vcard_has_application(w.bench.card, VIEW_OF(front_hello_app)));
    exchange_finish(&x);
    wr_free(&first);
    front_world_close(&w);
}

/* As when somebody changes the sequence: the application is as nobody has approved it. */
static void withdraw_approval(struct front_world *w)
{
    struct store *s = &w->bench.store;
    struct app_row app;
    assert_int_equal(s->ops->get_app(s->ctx, "hello", &app), OK);
    app.approved_by[0] = '\0';
    app.approved_ms = 0;
    const struct change c = {.kind = APP_PUT_SEQUENCE, .row.app = &app};
    bench_submit(&w->bench, &c, 1);
    app_row_free(&app);
}

static void what_is_not_approved_reaches_no_card(void **state)
{
    static const struct {
        const char *name;
        unsigned answered; /* POSTs before the approval was withdrawn */
        bool resumes;
        long status;
    } rows[] = {{"before it begins", 0, false, 403},
                {"while the channel is opened", 1, false, 204},
                {"before the channel is opened again", 2, true, 204}};
    (void)state;
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        struct front_world w;
        struct exchange x[3] = {{0}}, end;
        struct session_row row;
        front_world_open_hello(&w);
        if (rows[n].answered > 0)
            front_begin(&w, "install", &x[0]);
        if (rows[n].answered > 1)
            front_go_on(&w, &x[0], NULL, &x[1]);
        withdraw_approval(&w);
        if (rows[n].answered == 0)
            front_begin(&w, "install", &end);
        else if (rows[n].resumes)
            front_resume(&w, x[rows[n].answered - 1].next, &end);
        else
            front_go_on(&w, &x[rows[n].answered - 1], NULL, &end);
        exchange_expect(rows[n].name, &end, rows[n].status, "failed", "not-approved");
        assert_string_equal(end.next, "");
        assert_false(vcard_has_application(w.bench.card, VIEW_OF(front_hello_app)));
        assert_int_equal(w.bench.store.ops->get_session(w.bench.store.ctx, end.session, &row), OK);
        assert_string_equal(row.reason, "not-approved");
        session_row_free(&row);
        for (size_t k = 0; k < 3; k++)
            exchange_finish(&x[k]);
        exchange_finish(&end);
        front_world_close(&w);
    }
}

static void read_trace(struct front_world *w, const char *session, struct session_row *row,
                       struct trace_turn *turns, size_t max, size_t *count)
{
    struct trace_reader r;
    bool cut = false;
    assert_int_equal(w->bench.store.ops->get_session(w->bench.store.ctx, session, row), OK);
    trace_open(&r, blob_view(&row->dialogue));
    enum err e = OK;
    for (*count = 0; *count < max && (e = trace_next(&r, &turns[*count], &cut)) == OK;)
        (*count)++;
    assert_int_equal(*count == max ? trace_next(&r, &(struct trace_turn){0}, &cut) : e, ERR_NOT_FOUND);
    assert_false(cut);
}

/* What went out and what came back, and none of the data: each command takes as much as its header. */
static void what_was_said_is_kept(void **state)
{
    static const uint8_t package[] = {0xF0, 0x00, 0x00, 0x00, 0x01};
    static struct trace_turn turns[3];
    struct front_world w;
    struct exchange m2, m4, again, m6;
    struct session_row row;
    struct writer m5;
    size_t count = 0, loads = 0;
    (void)state;
    front_world_open_hello(&w);
    wr_heap(&m5, SCRIPT_MAX);
    front_begin(&w, "install", &m2);
    read_trace(&w, m2.session, &row, turns, 3, &count);
    session_row_free(&row);
    assert_int_equal(count, 1);
    assert_string_equal(turns[0].step, "authenticate");
    assert_false(turns[0].commands[0].answered);

    front_go_on(&w, &m2, NULL, &m4);
    front_go_on(&w, &m4, &m5, &m6);
    exchange_expect("M6", &m6, 204, "confirmed", "none");
    front_post(&w, m4.next, wr_view_of(&m5), &again); /* is the same turn */
    read_trace(&w, m2.session, &row, turns, 3, &count);
    assert_int_equal(count, 2);
    assert_int_equal(turns[0].count, 8);
    const struct trace_command *update = &turns[0].commands[7];
    assert_true(update->cla == 0x80 && update->ins == 0x50 && update->p1 == 0x30 && update->bytes == 8);
    assert_true(update->answered && update->sw == 0x9000);
    assert_string_equal(turns[1].step, "deliver");
    assert_true(turns[1].time_ms >= turns[0].time_ms);
    assert_int_equal(turns[1].commands[0].cla, 0x80); /* as it was before it was signed */
    assert_int_equal(turns[1].commands[0].ins, 0x82);
    size_t bytes = 0;
    for (size_t n = 0; n < turns[1].count; n++) {
        const struct trace_command *c = &turns[1].commands[n];
        assert_int_equal(c->cla & 0x04, 0);
        assert_true(c->answered && c->sw == 0x9000);
        if (c->ins != 0xE8)
            continue;
        loads++;
        bytes += c->bytes;
        assert_true(view_equal(c->aid, VIEW_OF(package)));
    }
    assert_true(loads >= 1 && bytes > 100);
    assert_int_equal(turns[1].count, row.commands - turns[0].count);
    assert_true(row.dialogue.len < (turns[0].count + turns[1].count) * (9 + AID_MAX) + 2 * 15);
    session_row_free(&row);
    exchange_finish(&m2);
    exchange_finish(&m4);
    exchange_finish(&again);
    exchange_finish(&m6);
    wr_free(&m5);
    front_world_close(&w);
}

/* A client that never comes back, and a packet that did not leave because a guard refused. */
static void what_was_not_said_is_not_kept(void **state)
{
    static struct trace_turn turns[3];
    struct front_world w;
    struct exchange m2, end;
    struct session_row row;
    size_t count = 0;
    (void)state;
    front_world_open_hello(&w);
    front_begin(&w, "install", &m2);
    const struct order_row order = bench_order(&w.bench, "install");
    const struct change cancel = {.kind = ORDER_CANCEL, .row.order = &order};
    bench_submit(&w.bench, &cancel, 1);
    front_resume(&w, m2.next, &end); /* a new opening is counted, and refused */
    exchange_expect("cancelled", &end, 204, "failed", "cancelled");
    read_trace(&w, m2.session, &row, turns, 3, &count);
    assert_int_equal(count, 1);
    assert_false(turns[0].commands[0].answered);
    session_row_free(&row);
    exchange_finish(&m2);
    exchange_finish(&end);
    front_world_close(&w);
}

int main(int argc, char **argv)
{
    int code = 0;
    if (front_child(argc, argv, &code))
        return code;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_posts),
        cmocka_unit_test(a_repeated_post_has_one_effect),
        cmocka_unit_test(posts_at_the_same_time_have_one_effect),
        cmocka_unit_test(sessions_survive_the_server),
        cmocka_unit_test(a_lost_connection_is_resumed),
        cmocka_unit_test(refused_before_anything_is_sent),
        cmocka_unit_test(orders_that_serve_no_more),
        cmocka_unit_test(a_malformed_body_can_be_corrected),
        cmocka_unit_test(a_keeper_that_dies_costs_nothing),
        cmocka_unit_test(no_token_is_stored),
        cmocka_unit_test(silent_sessions_end),
        cmocka_unit_test(profile_b_delivers_too),
        cmocka_unit_test(what_is_not_approved_reaches_no_card),
        cmocka_unit_test(what_was_said_is_kept),
        cmocka_unit_test(what_was_not_said_is_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
