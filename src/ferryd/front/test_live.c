/* SPDX-License-Identifier: Apache-2.0
 *
 * What happens now: who is told what, what is forgotten when, and that every table has an end. Time and
 * randomness are the test's; where events go is a buffer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "front/live.h"

static const char order_a[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                  order_b[] = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
static const char session_1[] = "11111111111111111111111111111111",
                  session_2[] = "22222222222222222222222222222222";
static const uint8_t ticket_a[DIGEST_LEN] = {0xA}, ticket_b[DIGEST_LEN] = {0xB};

/* The test's clock and random source. */
static uint64_t clock_ms;
static uint64_t counter;

static uint64_t read_clock(void *ctx)
{
    (void)ctx;
    return clock_ms;
}

static enum err count_up(void *ctx, uint8_t *out, size_t len)
{
    struct writer w;
    (void)ctx;
    memset(out, 0, len);
    wr_fixed(&w, out, len);
    counter++;
    if (len >= 8)
        wr_u64(&w, counter);
    return OK;
}

static struct live *open_live(unsigned watchers_max)
{
    const struct live_setup setup = {
        .random = {.fill = count_up}, .clock = {.now_ms = read_clock}, .watchers_max = watchers_max};
    struct live *l = NULL;
    clock_ms = 1000000;
    counter = 0;
    assert_int_equal(live_new(&l, &setup), OK);
    return l;
}

/* Somebody who listens: what came, how much of it is taken, whether it was ended. */
struct listener {
    char text[8192];
    size_t len;
    bool full;
    unsigned ended;
    struct live_watcher *watcher;
};

static bool listener_put(void *ctx, struct view bytes)
{
    struct listener *x = ctx;
    if (x->full)
        return false;
    assert_true(x->len + bytes.len < sizeof(x->text));
    memcpy(x->text + x->len, bytes.data, bytes.len);
    x->len += bytes.len;
    x->text[x->len] = '\0';
    return true;
}

static void listener_end(void *ctx)
{
    ((struct listener *)ctx)->ended++;
}

static enum err listen_to(struct live *l, const char *visit, struct listener *x)
{
    enum err e = live_watch(l, visit, &x->watcher);
    if (e == OK)
        live_watcher_start(x->watcher, (struct live_sink){x, listener_put, listener_end});
    return e;
}

/* Compares with what came since the last time. */
static void heard(struct listener *x, const char *text)
{
    assert_string_equal(x->text, text);
    x->len = 0;
    x->text[0] = '\0';
}

static void add_visit(struct live *l, const char *order, const uint8_t ticket[DIGEST_LEN],
                      char visit[VISIT_TEXT + 1])
{
    assert_int_equal(live_visit_add(l, order, ticket, visit), OK);
    assert_int_equal(strlen(visit), VISIT_TEXT);
}

static struct live_session turn(const char *id, const char *order, const char *step)
{
    return (struct live_session){
        .id = id, .order = order, .step = step, .commands = 8, .outcome = "", .reason = "", .detail = ""};
}

static struct live_session end(const char *id, const char *order)
{
    return (struct live_session){.id = id,
                                 .order = order,
                                 .step = "done",
                                 .outcome = "confirmed",
                                 .reason = "none",
                                 .detail = "Done."};
}

#define CLIENT(stage, done, total)                                                                           \
    "event: client\ndata: {\"stage\":\"" stage "\",\"reader\":\"R 0\",\"card\":\"47-0A\",\"done\":" done     \
    ",\"total\":" total "}\n\n"
#define SESSION(digit8, step)                                                                                \
    "event: session\ndata: {\"session\":\"" digit8 digit8 digit8 digit8 "\",\"step\":\"" step                \
    "\",\"commands\":8}\n\n"
#define END(digit8)                                                                                          \
    "event: end\ndata: {\"session\":\"" digit8 digit8 digit8 digit8                                          \
    "\",\"outcome\":\"confirmed\",\"reason\":\"none\",\"detail\":\"Done.\"}\n\n"

static struct progress say(enum stage stage, uint32_t done, uint32_t total)
{
    return (struct progress){.stage = stage, .reader = "R 0", .card = "47-0A", .done = done, .total = total};
}

static void progress_is_told_to_who_watches_this_visit(void **state)
{
    (void)state;
    struct live *l = open_live(10);
    char one[VISIT_TEXT + 1], two[VISIT_TEXT + 1];
    struct listener x = {.len = 0}, y = {.len = 0}, other = {.len = 0};
    struct progress p = say(STAGE_DELIVER, 3, 12);
    add_visit(l, order_a, ticket_a, one);
    add_visit(l, order_a, ticket_a, two);
    assert_string_not_equal(one, two);
    assert_int_equal(listen_to(l, one, &x), OK);
    assert_int_equal(listen_to(l, one, &y), OK);
    assert_int_equal(listen_to(l, two, &other), OK);
    heard(&x, "");
    assert_int_equal(live_progress(l, one, ticket_a, &p), OK);
    heard(&x, CLIENT("deliver", "3", "12"));
    heard(&y, CLIENT("deliver", "3", "12"));
    heard(&other, "");
    /* Who knows the visit but not the ticket reports nothing. */
    assert_int_equal(live_progress(l, one, ticket_b, &p), ERR_NOT_FOUND);
    assert_int_equal(live_progress(l, "AAAAAAAAAAAAAAAAAAAAAA", ticket_a, &p), ERR_NOT_FOUND);
    assert_int_equal(live_progress(l, "", ticket_a, &p), ERR_NOT_FOUND);
    heard(&x, "");
    assert_int_equal(live_count(l).visits, 2);
    assert_int_equal(live_count(l).watchers, 3);
    live_free(&l);
}

static void fast_progress_waits_and_the_newest_leaves(void **state)
{
    (void)state;
    struct live *l = open_live(10);
    char visit[VISIT_TEXT + 1];
    struct listener x = {.len = 0};
    struct progress p = say(STAGE_DELIVER, 1, 9);
    add_visit(l, order_a, ticket_a, visit);
    assert_int_equal(listen_to(l, visit, &x), OK);
    assert_int_equal(live_progress(l, visit, ticket_a, &p), OK);
    heard(&x, CLIENT("deliver", "1", "9"));
    for (p.done = 2; p.done < 6; p.done++) {
        clock_ms += 10;
        assert_int_equal(live_progress(l, visit, ticket_a, &p), OK);
    }
    heard(&x, "");
    live_tick(l);
    heard(&x, CLIENT("deliver", "5", "9"));
    live_tick(l);
    heard(&x, "");
    clock_ms += PROGRESS_EVERY_MS;
    assert_int_equal(live_progress(l, visit, ticket_a, &p), OK);
    heard(&x, CLIENT("deliver", "6", "9"));
    p.stage = STAGE_ENDED;
    assert_int_equal(live_progress(l, visit, ticket_a, &p), OK);
    heard(&x, CLIENT("ended", "6", "9"));
    live_free(&l);
}

static void who_comes_later_hears_the_newest_of_each_kind(void **state)
{
    (void)state;
    struct live *l = open_live(10);
    char visit[VISIT_TEXT + 1];
    struct listener x = {.len = 0}, y = {.len = 0};
    struct progress p = say(STAGE_ENDED, 9, 9);
    struct live_session now = turn(session_1, order_a, "identify");
    add_visit(l, order_a, ticket_a, visit);
    live_session(l, visit, &now);
    now = turn(session_1, order_a, "deliver");
    live_session(l, "", &now);
    assert_int_equal(live_progress(l, visit, ticket_a, &p), OK);
    assert_int_equal(listen_to(l, visit, &x), OK);
    heard(&x, CLIENT("ended", "9", "9") SESSION("11111111", "deliver"));
    now = end(session_1, order_a);
    live_session(l, "", &now);
    heard(&x, END("11111111"));
    assert_int_equal(listen_to(l, visit, &y), OK);
    heard(&y, CLIENT("ended", "9", "9") SESSION("11111111", "deliver") END("11111111"));
    /* Another session of the same visit: the end of the one before is no news of it. */
    now = turn(session_2, order_a, "authenticate");
    live_session(l, visit, &now);
    heard(&x, SESSION("22222222", "authenticate"));
    heard(&y, SESSION("22222222", "authenticate"));
    live_watcher_gone(y.watcher);
    assert_int_equal(listen_to(l, visit, &y), OK);
    heard(&y, CLIENT("ended", "0", "0") SESSION("22222222", "authenticate"));
    live_free(&l);
}

static void sessions_find_the_visit_that_began_them(void **state)
{
    (void)state;
    struct live *l = open_live(10);
    char visit[VISIT_TEXT + 1], other[VISIT_TEXT + 1];
    struct listener x = {.len = 0}, y = {.len = 0};
    struct live_session now = turn(session_1, order_a, "authenticate");
    add_visit(l, order_a, ticket_a, visit);
    add_visit(l, order_b, ticket_b, other);
    assert_int_equal(listen_to(l, visit, &x), OK);
    assert_int_equal(listen_to(l, other, &y), OK);
    /* Without a visit, with one that is none, with one of another order: nobody is told. */
    live_session(l, "", &now);
    live_session(l, "nonsense", &now);
    live_session(l, "AAAAAAAAAAAAAAAAAAAAAA", &now);
    live_session(l, other, &now);
    live_session(NULL, visit, &now);
    heard(&x, "");
    heard(&y, "");
    live_session(l, visit, &now);
    heard(&x, SESSION("11111111", "authenticate"));
    /* Later turns come without it. A session of the same order that another page began is not ours. */
    now = turn(session_2, order_a, "deliver");
    live_session(l, "", &now);
    heard(&x, "");
    now = turn(session_1, order_a, "deliver");
    live_session(l, "", &now);
    heard(&x, SESSION("11111111", "deliver"));
    heard(&y, "");
    live_free(&l);
}

static void a_page_can_follow_a_session_again(void **state)
{
    (void)state;
    struct live *l = open_live(10);
    char visit[VISIT_TEXT + 1], again[VISIT_TEXT + 1], late[VISIT_TEXT + 1];
    struct listener x = {.len = 0}, y = {.len = 0}, z = {.len = 0};
    struct live_session now = turn(session_1, order_a, "authenticate");
    add_visit(l, order_a, ticket_a, visit);
    live_session(l, visit, &now);
    add_visit(l, order_a, ticket_a, again);
    live_follow(l, again, &now);
    live_follow(l, "nonsense", &now);
    assert_int_equal(listen_to(l, visit, &x), OK);
    assert_int_equal(listen_to(l, again, &y), OK);
    heard(&x, SESSION("11111111", "authenticate"));
    heard(&y, SESSION("11111111", "authenticate"));
    now = end(session_1, order_a);
    live_session(l, "", &now);
    heard(&x, END("11111111"));
    heard(&y, END("11111111"));
    /* One that has ended, as the store has it. */
    add_visit(l, order_a, ticket_a, late);
    live_follow(l, late, &now);
    assert_int_equal(listen_to(l, late, &z), OK);
    heard(&z, END("11111111"));
    live_free(&l);
}

static void an_operator_sees_what_the_client_of_a_session_says(void **state)
{
    (void)state;
    struct live *l = open_live(10);
    char visit[VISIT_TEXT + 1], follower[VISIT_TEXT + 1];
    uint32_t done = 77, total = 77;
    struct live_session now = turn(session_1, order_a, "deliver");
    struct progress p = say(STAGE_DELIVER, 5, 12), lie = say(STAGE_DELIVER, 9, 9);
    add_visit(l, order_a, ticket_a, visit);
    assert_false(live_progress_of(l, session_1, &done, &total));
    assert_true(done == 0 && total == 0);
    live_session(l, visit, &now);
    assert_false(live_progress_of(l, session_1, &done, &total));
    assert_int_equal(live_progress(l, visit, ticket_a, &p), OK);
    assert_true(live_progress_of(l, session_1, &done, &total));
    assert_true(done == 5 && total == 12);
    assert_false(live_progress_of(l, session_2, &done, &total));
    /* Who only follows a session does not speak for its client. */
    add_visit(l, order_a, ticket_a, follower);
    live_follow(l, follower, &now);
    assert_int_equal(live_progress(l, follower, ticket_a, &lie), OK);
    assert_true(live_progress_of(l, session_1, &done, &total));
    assert_true(done == 5 && total == 12);
    /* A new session of the visit begins at nothing. */
    now = turn(session_2, order_a, "authenticate");
    live_session(l, visit, &now);
    assert_true(live_progress_of(l, session_2, &done, &total));
    assert_true(done == 0 && total == 0);
    assert_false(live_progress_of(l, session_1, &done, &total));
    live_free(&l);
}

static void who_takes_nothing_is_dropped(void **state)
{
    (void)state;
    struct live *l = open_live(10);
    char visit[VISIT_TEXT + 1];
    struct listener slow = {.len = 0}, x = {.len = 0}, late = {.full = true};
    struct progress p = say(STAGE_READER, 0, 0);
    add_visit(l, order_a, ticket_a, visit);
    assert_int_equal(listen_to(l, visit, &slow), OK);
    assert_int_equal(listen_to(l, visit, &x), OK);
    slow.full = true;
    assert_int_equal(live_progress(l, visit, ticket_a, &p), OK);
    assert_int_equal(slow.ended, 1);
    heard(&x, CLIENT("reader", "0", "0"));
    assert_int_equal(live_count(l).watchers, 1);
    /* Also at once, and by a heartbeat. */
    assert_int_equal(listen_to(l, visit, &late), OK);
    assert_int_equal(late.ended, 1);
    x.full = true;
    clock_ms += HEARTBEAT_MS;
    live_tick(l);
    assert_int_equal(x.ended, 1);
    assert_int_equal(live_count(l).watchers, 0);
    live_free(&l);
}

static void silence_is_filled(void **state)
{
    (void)state;
    struct live *l = open_live(10);
    char visit[VISIT_TEXT + 1];
    struct listener x = {.len = 0};
    struct progress p = say(STAGE_CLIENT, 0, 0);
    add_visit(l, order_a, ticket_a, visit);
    assert_int_equal(listen_to(l, visit, &x), OK);
    clock_ms += HEARTBEAT_MS - 1;
    live_tick(l);
    heard(&x, "");
    clock_ms++;
    live_tick(l);
    heard(&x, ":\n\n");
    live_tick(l);
    heard(&x, "");
    /* What was said is no silence. */
    clock_ms += HEARTBEAT_MS - 1;
    assert_int_equal(live_progress(l, visit, ticket_a, &p), OK);
    heard(&x, CLIENT("client", "0", "0"));
    clock_ms += 1000;
    live_tick(l);
    heard(&x, "");
    live_free(&l);
}

static void visits_end_when_nobody_uses_them(void **state)
{
    (void)state;
    struct live *l = open_live(10);
    char idle[VISIT_TEXT + 1], watched[VISIT_TEXT + 1], reported[VISIT_TEXT + 1], running[VISIT_TEXT + 1];
    struct listener x = {.len = 0};
    struct progress p = say(STAGE_CLIENT, 0, 0);
    struct live_session now = turn(session_1, order_a, "deliver");
    add_visit(l, order_a, ticket_a, idle);
    add_visit(l, order_a, ticket_a, watched);
    add_visit(l, order_a, ticket_a, reported);
    add_visit(l, order_a, ticket_a, running);
    assert_int_equal(listen_to(l, watched, &x), OK);
    clock_ms += VISIT_IDLE_MS - 1;
    live_tick(l);
    assert_int_equal(live_count(l).visits, 4);
    assert_int_equal(live_progress(l, reported, ticket_a, &p), OK);
    live_session(l, running, &now);
    clock_ms++;
    /* Whether or not the tick was there already. */
    assert_int_equal(live_progress(l, idle, ticket_a, &p), ERR_NOT_FOUND);
    assert_int_equal(live_count(l).visits, 4);
    live_tick(l);
    assert_int_equal(live_count(l).visits, 3);
    assert_int_equal(live_progress(l, idle, ticket_a, &p), ERR_NOT_FOUND);
    assert_int_equal(listen_to(l, idle, &x), ERR_NOT_FOUND);
    /* Its session is no visit's any more; the others live for an hour from when they were used. */
    clock_ms += VISIT_IDLE_MS - 1;
    live_tick(l);
    assert_int_equal(live_count(l).visits, 1);
    live_session(l, "", &now);
    live_watcher_gone(x.watcher);
    clock_ms += VISIT_IDLE_MS;
    live_tick(l);
    assert_int_equal(live_count(l).visits, 0);
    live_free(&l);
}

static void watchers_are_bounded(void **state)
{
    (void)state;
    enum { ALL = 6 };
    struct live *l = open_live(ALL);
    char visit[VISIT_TEXT + 1], other[VISIT_TEXT + 1];
    struct listener x[WATCHERS_PER_VISIT_MAX + 1] = {{.len = 0}}, y[ALL] = {{.len = 0}};
    add_visit(l, order_a, ticket_a, visit);
    add_visit(l, order_a, ticket_a, other);
    for (size_t i = 0; i <= WATCHERS_PER_VISIT_MAX; i++)
        assert_int_equal(listen_to(l, visit, &x[i]), OK);
    /* The newest is the page that somebody looks at. */
    assert_int_equal(x[0].ended, 1);
    assert_int_equal(x[1].ended, 0);
    assert_int_equal(live_count(l).watchers, WATCHERS_PER_VISIT_MAX);
    for (size_t i = 0; i < ALL - WATCHERS_PER_VISIT_MAX; i++)
        assert_int_equal(listen_to(l, other, &y[i]), OK);
    assert_int_equal(listen_to(l, other, &y[ALL - 1]), ERR_LIMIT);
    live_watcher_gone(x[1].watcher);
    assert_int_equal(listen_to(l, other, &y[ALL - 1]), OK);
    live_free(&l);
}

static void visits_are_bounded(void **state)
{
    (void)state;
    struct live *l = open_live(2 * VISITS_MAX);
    char first[VISIT_TEXT + 1], second[VISIT_TEXT + 1], third[VISIT_TEXT + 1], visit[VISIT_TEXT + 1];
    static struct listener x, all[VISITS_MAX];
    struct progress p = say(STAGE_CLIENT, 0, 0);
    memset(&x, 0, sizeof(x));
    add_visit(l, order_a, ticket_a, first);
    add_visit(l, order_a, ticket_a, second);
    add_visit(l, order_a, ticket_a, third);
    assert_int_equal(listen_to(l, first, &x), OK);
    assert_int_equal(live_progress(l, second, ticket_a, &p), OK);
    while (live_count(l).visits < VISITS_MAX)
        add_visit(l, order_a, ticket_a, visit);
    /* The one that was used least recently goes; who is watched stays. */
    add_visit(l, order_a, ticket_a, visit);
    assert_int_equal(live_count(l).visits, VISITS_MAX);
    assert_int_equal(live_progress(l, third, ticket_a, &p), ERR_NOT_FOUND);
    assert_int_equal(live_progress(l, first, ticket_a, &p), OK);
    assert_int_equal(live_progress(l, second, ticket_a, &p), OK);
    assert_int_equal(x.ended, 0);
    live_free(&l);
    /* All are watched. */
    l = open_live(2 * VISITS_MAX);
    for (size_t i = 0; i < VISITS_MAX; i++) {
        add_visit(l, order_a, ticket_a, visit);
        assert_int_equal(listen_to(l, visit, &all[i]), OK);
    }
    assert_int_equal(live_visit_add(l, order_a, ticket_a, visit), ERR_LIMIT);
    live_watcher_gone(all[5].watcher);
    assert_int_equal(live_visit_add(l, order_a, ticket_a, visit), OK);
    live_free(&l);
}

static unsigned visits_of(struct live *l, const char *peer)
{
    unsigned count = 0;
    while (count < 1000 && live_peer_may(l, peer))
        count++;
    return count;
}

static void one_address_makes_so_many_visits(void **state)
{
    (void)state;
    struct live *l = open_live(10);
    assert_int_equal(visits_of(l, "192.0.2.1"), PEER_VISITS_AT_ONCE);
    assert_int_equal(visits_of(l, "192.0.2.1"), 0);
    assert_int_equal(visits_of(l, "192.0.2.2"), PEER_VISITS_AT_ONCE);
    clock_ms += PEER_VISIT_MS - 1;
    assert_int_equal(visits_of(l, "192.0.2.1"), 0);
    clock_ms++;
    assert_int_equal(visits_of(l, "192.0.2.1"), 1);
    clock_ms += 1000ULL * PEER_VISIT_MS;
    assert_int_equal(visits_of(l, "192.0.2.1"), PEER_VISITS_AT_ONCE);
    /* Who has one address of a network has them all. */
    assert_int_equal(visits_of(l, "2001:db8:0:1::1"), PEER_VISITS_AT_ONCE);
    assert_int_equal(visits_of(l, "2001:db8:0:1:ffff::2"), 0);
    assert_int_equal(visits_of(l, "2001:db8:0:2::1"), PEER_VISITS_AT_ONCE);
    live_free(&l);
}

/* More than there are places in the tables for a few: some share one. */
static void many_visits_are_told_apart(void **state)
{
    enum { MANY = 500 };
    (void)state;
    struct live *l = open_live(2 * MANY);
    static struct listener x[MANY];
    static char visits[MANY][VISIT_TEXT + 1], sessions[MANY][ID_TEXT + 1];
    memset(x, 0, sizeof(x));
    for (size_t n = 0; n < MANY; n++) {
        struct progress p = say(STAGE_DELIVER, (uint32_t)n, MANY);
        (void)snprintf(sessions[n], sizeof(sessions[n]), "%032zx", n);
        struct live_session now = turn(sessions[n], order_a, "authenticate");
        add_visit(l, order_a, ticket_a, visits[n]);
        live_session(l, visits[n], &now);
        assert_int_equal(live_progress(l, visits[n], ticket_a, &p), OK);
    }
    for (size_t n = 0; n < MANY; n++) {
        assert_int_equal(listen_to(l, visits[n], &x[n]), OK);
        assert_non_null(strstr(x[n].text, sessions[n]));
        x[n].len = 0;
    }
    for (size_t n = 0; n < MANY; n++) {
        uint32_t done = 0, total = 0;
        struct live_session now = turn(sessions[n], order_a, "deliver");
        live_session(l, "", &now);
        assert_true(live_progress_of(l, sessions[n], &done, &total));
        assert_int_equal(done, n);
    }
    for (size_t n = 0; n < MANY; n++) {
        char event[200];
        (void)snprintf(event, sizeof(event),
                       "event: session\ndata: {\"session\":\"%s\",\"step\":\"deliver\",\"commands\":8}\n\n",
                       sessions[n]);
        heard(&x[n], event);
    }
    live_free(&l);
}

static enum err no_random(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx, (void)out, (void)len;
    return counter++ == 0 ? OK : ERR_CRYPTO;
}

static void without_randomness_there_is_no_visit(void **state)
{
    (void)state;
    const struct live_setup setup = {.random = {.fill = no_random}, .clock = {.now_ms = read_clock}};
    char visit[VISIT_TEXT + 1] = "";
    struct live *l = NULL;
    counter = 1;
    assert_int_equal(live_new(&l, &setup), ERR_CRYPTO);
    assert_null(l);
    counter = 0;
    assert_int_equal(live_new(&l, &setup), OK);
    assert_int_equal(live_visit_add(l, order_a, ticket_a, visit), ERR_CRYPTO);
    assert_string_equal(visit, "");
    assert_int_equal(live_count(l).visits, 0);
    live_free(&l);
    live_free(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(progress_is_told_to_who_watches_this_visit),
        cmocka_unit_test(fast_progress_waits_and_the_newest_leaves),
        cmocka_unit_test(who_comes_later_hears_the_newest_of_each_kind),
        cmocka_unit_test(sessions_find_the_visit_that_began_them),
        cmocka_unit_test(a_page_can_follow_a_session_again),
        cmocka_unit_test(an_operator_sees_what_the_client_of_a_session_says),
        cmocka_unit_test(who_takes_nothing_is_dropped),
        cmocka_unit_test(silence_is_filled),
        cmocka_unit_test(visits_end_when_nobody_uses_them),
        cmocka_unit_test(watchers_are_bounded),
        cmocka_unit_test(visits_are_bounded),
        cmocka_unit_test(one_address_makes_so_many_visits),
        cmocka_unit_test(many_visits_are_told_apart),
        cmocka_unit_test(without_randomness_there_is_no_visit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
