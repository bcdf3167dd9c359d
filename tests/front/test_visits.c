/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole deliveries that a page watches: what it is told when, that a visit never stands in the way of an
 * order, and that nobody hears of somebody else's card. */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>
#include <jansson.h>

#include "front/test_ear.h"

/* A visit, and the ticket with it. session may be "". */
struct page {
    char visit[40], ticket[100];
    struct ear ear;
};

static void make_visit(struct front_world *w, struct page *p, const char *ticket, const char *session)
{
    char body[200];
    struct exchange x;
    (void)snprintf(body, sizeof(body), "{\"ticket\":\"%s\",\"session\":\"%s\"}", ticket, session);
    const struct question q = {
        .method = "POST", .path = "/page/v1/visits", .type = "application/json", .body = view_str(body)};
    front_ask(w, &q, &x);
    if (x.status != 201)
        fail_msg("no visit: %ld %.*s", x.status, (int)x.body.len, (const char *)x.body.data);
    json_t *j = json_loadb((const char *)x.body.data, x.body.len, 0, NULL);
    (void)snprintf(p->visit, sizeof(p->visit), "%s", json_string_value(json_object_get(j, "visit")));
    (void)snprintf(p->ticket, sizeof(p->ticket), "%s.%s", ticket, p->visit);
    json_decref(j);
    exchange_finish(&x);
}

static void open_page(struct front_world *w, struct page *p, const char *ticket, const char *session)
{
    make_visit(w, p, ticket, session);
    ear_open(w->port, &w->tls, &p->ear, p->visit);
    ear_wait(&p->ear, "HTTP/1.1 200");
}

static void hear_step(struct page *p, const struct exchange *x)
{
    char text[200];
    (void)snprintf(text, sizeof(text),
                   "event: session\ndata: {\"session\":\"%s\",\"step\":\"%s\",\"commands\":%s}\n\n",
                   x->session, x->step, x->commands);
    ear_wait(&p->ear, text);
}

static void hear_end(struct page *p, const struct exchange *x)
{
    char text[200];
    (void)snprintf(text, sizeof(text),
                   "event: end\ndata: {\"session\":\"%s\",\"outcome\":\"%s\",\"reason\":\"%s\",\"detail\":\"",
                   x->session, x->outcome, x->reason);
    ear_wait(&p->ear, text);
}

/* What a page has heard up to now: progress of its own marks the place. */
static void heard_nothing_of_sessions(struct front_world *w, struct page *p)
{
    char path[200];
    struct exchange x;
    (void)snprintf(path, sizeof(path), "/gp/progress?t=%s", p->ticket);
    const struct question q = {.method = "POST",
                               .path = path,
                               .type = "application/json",
                               .body = view_str("{\"stage\":\"client\"}")};
    front_ask(w, &q, &x);
    assert_int_equal(x.status, 204);
    exchange_finish(&x);
    ear_wait_without(&p->ear, "event: client", "event: session");
}

static void a_page_sees_a_delivery(void **state)
{
    struct front_world w;
    struct page p, other;
    struct exchange m2, m4, m6;
    (void)state;
    front_world_open_hello(&w);
    open_page(&w, &p, "install", "");
    open_page(&w, &other, "install", "");
    front_begin(&w, p.ticket, &m2);
    exchange_expect("M2", &m2, 200, "", "");
    assert_string_equal(m2.purpose, "install");
    assert_string_equal(m2.app, "hello");
    hear_step(&p, &m2);
    front_go_on(&w, &m2, NULL, &m4);
    exchange_expect("M4", &m4, 200, "", "");
    assert_string_equal(m4.purpose, ""); /* only the first answer says it */
    assert_string_equal(m4.app, "");
    assert_string_equal(m4.step, "deliver");
    hear_step(&p, &m4);
    front_go_on(&w, &m4, NULL, &m6);
    exchange_expect("M6", &m6, 204, "confirmed", "none");
    hear_end(&p, &m6);
    assert_true(vcard_has_application(w.bench.card, VIEW_OF(front_hello_app)));
    heard_nothing_of_sessions(&w, &other);
    ear_close(&p.ear);
    ear_close(&other.ear);
    exchange_finish(&m2);
    exchange_finish(&m4);
    exchange_finish(&m6);
    front_world_close(&w);
}

/* Without a visit, with anything behind the point, with the visit of another order: the order is served. */
static void a_visit_never_stands_in_the_way(void **state)
{
    struct front_world w;
    struct page p;
    char foreign[100];
    (void)state;
    front_world_open_hello(&w);
    open_page(&w, &p, "inspect", "");
    (void)snprintf(foreign, sizeof(foreign), "install.%s", p.visit);
    const char *const tickets[] = {"install", "install.", "install.nonsense",
                                   "install.AAAAAAAAAAAAAAAAAAAAAA", foreign};
    for (size_t n = 0; n < sizeof(tickets) / sizeof(tickets[0]); n++) {
        struct exchange m2, m4, m6;
        front_begin(&w, tickets[n], &m2);
        exchange_expect(tickets[n], &m2, 200, "", "");
        assert_string_equal(m2.purpose, "install");
        front_go_on(&w, &m2, NULL, &m4);
        exchange_expect(tickets[n], &m4, 200, "", "");
        front_go_on(&w, &m4, NULL, &m6);
        while (m6.status == 200) {
            struct exchange next;
            front_go_on(&w, &m6, NULL, &next);
            exchange_finish(&m6);
            m6 = next;
        }
        exchange_expect(tickets[n], &m6, 204, "confirmed", n == 0 ? "none" : "already-there");
        exchange_finish(&m2);
        exchange_finish(&m4);
        exchange_finish(&m6);
    }
    heard_nothing_of_sessions(&w, &p);
    ear_close(&p.ear);
    struct exchange x;
    front_begin(&w, "install-.AAAAAAAAAAAAAAAAAAAAAA", &x);
    exchange_expect("another ticket", &x, 403, "failed", "wrong-ticket");
    assert_string_equal(x.purpose, ""); /* nothing is told of an order without its ticket */
    exchange_finish(&x);
    front_world_close(&w);
}

/* An order that inspects has no application; a session that ends with its first answer is told too. */
static void a_first_answer_may_be_the_last(void **state)
{
    static const char gp[] = "globalplatform-remote-admin/1.0";
    struct front_world w;
    struct page p;
    struct exchange x;
    char path[200];
    (void)state;
    front_world_open_hello(&w);
    open_page(&w, &p, "inspect", "");
    (void)snprintf(path, sizeof(path), "/gp/adm?t=%s", p.ticket);
    const struct question q = {
        .method = "POST", .path = path, .protocol = gp, .from = "//se-id/ATR/3B00;//aa-id/uuid/x"};
    front_ask(&w, &q, &x);
    exchange_expect("unknown card", &x, 204, "failed", "unknown-card");
    assert_string_equal(x.purpose, "inspect");
    assert_string_equal(x.app, "");
    hear_end(&p, &x);
    exchange_finish(&x);
    ear_close(&p.ear);
    front_world_close(&w);
}

/* The older dialect's address ends with the ticket, and what stands behind it. */
static void profile_b_takes_a_visit_too(void **state)
{
    struct front_world w;
    struct page p;
    struct exchange x;
    struct writer first, atr;
    char path[200];
    uint8_t memory[ATR_MAX], body[100];
    (void)state;
    front_world_open_hello(&w);
    open_page(&w, &p, "install", "");
    wr_fixed(&atr, memory, sizeof(memory));
    vcard_put_atr(w.bench.card, &atr);
    wr_fixed(&first, body, sizeof(body));
    wr_u8(&first, 0xE8);
    wr_u8(&first, (uint8_t)(atr.len + 2));
    wr_u8(&first, 0xC0);
    wr_view8(&first, wr_view_of(&atr));
    (void)snprintf(path, sizeof(path), "/ram/%s", p.ticket);
    const struct question q = {
        .method = "POST", .path = path, .protocol = "openscdp-remote-admin/1.0", .body = wr_view_of(&first)};
    front_ask(&w, &q, &x);
    assert_int_equal(x.status, 200);
    hear_step(&p, &x);
    ear_close(&p.ear);
    exchange_finish(&x);
    front_world_close(&w);
}

/* The server begins anew: it has forgotten the visit, and the page follows its session with another. */
static void a_page_finds_its_session_again(void **state)
{
    struct front_world w;
    struct page p, again, late;
    struct exchange m2, m4, m6, x;
    char path[100];
    (void)state;
    front_world_open_hello(&w);
    open_page(&w, &p, "install", "");
    front_begin(&w, p.ticket, &m2);
    hear_step(&p, &m2);
    front_kill(&w);
    front_start(&w);
    ear_wait(&p.ear, NULL);
    (void)snprintf(path, sizeof(path), "/page/v1/events?visit=%s", p.visit);
    const struct question q = {.method = "GET", .path = path};
    front_ask(&w, &q, &x);
    assert_int_equal(x.status, 204);
    open_page(&w, &again, "install", m2.session);
    hear_step(&again, &m2); /* with the number of commands, from the store */
    front_go_on(&w, &m2, NULL, &m4);
    hear_step(&again, &m4);
    front_go_on(&w, &m4, NULL, &m6);
    exchange_expect("M6", &m6, 204, "confirmed", "none");
    hear_end(&again, &m6);
    open_page(&w, &late, "install", m2.session);
    hear_end(&late, &m6);
    ear_close(&p.ear);
    ear_close(&again.ear);
    ear_close(&late.ear);
    exchange_finish(&x);
    exchange_finish(&m2);
    exchange_finish(&m4);
    exchange_finish(&m6);
    front_world_close(&w);
}

static void a_session_that_is_given_up_ends_for_the_page_too(void **state)
{
    struct front_world w;
    struct page p;
    struct exchange m2;
    char text[200];
    (void)state;
    assert_int_equal(setenv("FRONT_TIMEOUT_S", "1", 1), 0);
    front_world_open_hello(&w);
    open_page(&w, &p, "install", "");
    front_begin(&w, p.ticket, &m2);
    hear_step(&p, &m2);
    (void)snprintf(text, sizeof(text), "event: end\ndata: {\"session\":\"%s\",\"outcome\":\"failed\",",
                   m2.session);
    ear_wait(&p.ear, text);
    assert_int_equal(unsetenv("FRONT_TIMEOUT_S"), 0);
    ear_close(&p.ear);
    exchange_finish(&m2);
    front_world_close(&w);
}

/* However many watch: half of the connections (40 in this world) are left for deliveries. */
static void watchers_leave_room_for_deliveries(void **state)
{
    enum { PAGES = 7, ALL = 20 };
    struct front_world w;
    struct page pages[PAGES];
    struct ear ears[ALL - PAGES + 1];
    struct exchange m2;
    (void)state;
    front_world_open_hello(&w);
    /* Each page is of another address: one address has no so many connections. */
    for (size_t n = 0; n < ALL + 1; n++) {
        char from[20];
        (void)snprintf(from, sizeof(from), "127.0.0.%zu", 2 + n);
        if (n < PAGES) {
            make_visit(&w, &pages[n], "install", "");
            ear_open_from(w.port, &w.tls, &pages[n].ear, pages[n].visit, from);
            ear_wait(&pages[n].ear, "HTTP/1.1 200");
        } else {
            ear_open_from(w.port, &w.tls, &ears[n - PAGES], pages[n % PAGES].visit, from);
            ear_wait(&ears[n - PAGES], n < ALL ? "HTTP/1.1 200" : "HTTP/1.1 503");
        }
    }
    front_begin(&w, pages[0].ticket, &m2);
    exchange_expect("M2", &m2, 200, "", "");
    hear_step(&pages[0], &m2);
    exchange_finish(&m2);
    for (size_t n = 0; n < PAGES; n++)
        ear_close(&pages[n].ear);
    for (size_t n = 0; n < ALL - PAGES + 1; n++)
        ear_close(&ears[n]);
    front_world_close(&w);
}

/* A server that is asked to stop does not wait for those who only listen. */
static void streams_do_not_hold_the_server(void **state)
{
    enum { PAGES = 4 };
    struct front_world w;
    struct page pages[PAGES];
    struct timespec before, after;
    (void)state;
    front_world_open_hello(&w);
    for (size_t n = 0; n < PAGES; n++)
        open_page(&w, &pages[n], "install", "");
    (void)clock_gettime(CLOCK_MONOTONIC, &before);
    assert_int_equal(front_stop(&w), 0);
    (void)clock_gettime(CLOCK_MONOTONIC, &after);
    assert_true(after.tv_sec - before.tv_sec < 5);
    for (size_t n = 0; n < PAGES; n++) {
        ear_wait(&pages[n].ear, NULL);
        ear_close(&pages[n].ear);
    }
    front_world_close(&w);
}

/* A peer that is gone while the server writes is a matter of every day. */
static void clients_that_vanish_do_not_end_the_server(void **state)
{
    struct front_world w;
    (void)state;
    front_world_open_hello(&w);
    for (unsigned n = 0; n < 20; n++) {
        struct page p;
        struct exchange m2;
        const struct linger at_once = {.l_onoff = 1};
        curl_socket_t fd = CURL_SOCKET_BAD;
        open_page(&w, &p, "install", "");
        (void)curl_easy_getinfo(p.ear.curl, CURLINFO_ACTIVESOCKET, &fd);
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
        ear_close(&p.ear); /* resets the connection */
        front_begin(&w, p.ticket, &m2);
        exchange_expect("M2", &m2, 200, "", "");
        exchange_finish(&m2);
    }
    assert_int_equal(front_stop(&w), 0);
    front_world_close(&w);
}

int main(int argc, char **argv)
{
    int code = 0;
    if (front_child(argc, argv, &code))
        return code;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_sees_a_delivery),
        cmocka_unit_test(a_visit_never_stands_in_the_way),
        cmocka_unit_test(a_first_answer_may_be_the_last),
        cmocka_unit_test(profile_b_takes_a_visit_too),
        cmocka_unit_test(a_page_finds_its_session_again),
        cmocka_unit_test(a_session_that_is_given_up_ends_for_the_page_too),
        cmocka_unit_test(watchers_leave_room_for_deliveries),
        cmocka_unit_test(streams_do_not_hold_the_server),
        cmocka_unit_test(clients_that_vanish_do_not_end_the_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
