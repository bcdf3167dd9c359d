/* SPDX-License-Identifier: Apache-2.0
 *
 * The holder's side of the pages over real HTTPS: what is told to whom, each refusal, and events as a browser
 * gets them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "front/test_api_world.h"
#include "front/test_ear.h"
#include "front/trigger.h"

static const char caps[] = CF_DATA "/caps/hello-jc222.cap";

#define ASK(w, status, method, path, body) want(w, status, method, path, body, __LINE__)

static void want(struct test_world *w, long status, const char *method, const char *path, const char *body,
                 int line)
{
    if (test_ask(w, method, path, body) != status)
        fail_msg("line %d: %s %s %s: %ld %s", line, method, path, body != NULL ? body : "", w->status,
                 w->text);
}

static void has_error(const struct test_world *w, const char *word)
{
    if (strcmp(test_text(w, "error"), word) != 0 || test_text(w, "message")[0] == '\0')
        fail_msg("'%s' instead of '%s': %s", test_text(w, "error"), word, w->text);
}

static const char *field(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "(none)";
}

/* ---- things to look at ---- */

static void add_things(struct test_world *w)
{
    assert_int_equal(test_add_key(w, "master", 1, KEY_AES, 1), 201);
    assert_int_equal(test_add_type(w, "badge", ",\"title\":\"Badge\",\"title_de\":\"Ausweis\""), 201);
    assert_int_equal(
        test_add_app(w, "hello", caps,
                     ",\"title\":\"Hello\",\"description\":\"Says hello.\",\"title_de\":\"Hallo\","
                     "\"description_de\":\"Sagt Hallo.\",\"approved\":true"),
        201);
    assert_int_equal(test_add_app(w, "hello-2", caps, ",\"approved\":true"), 201);
}

struct order {
    char id[ID_TEXT + 1], ticket[TICKET_MAX];
};

static struct order add_order(struct test_world *w, const char *body)
{
    struct order o;
    ASK(w, 201, "POST", "/api/v1/orders", body);
    (void)snprintf(o.id, sizeof(o.id), "%s", test_text(w, "id"));
    (void)snprintf(o.ticket, sizeof(o.ticket), "%s", test_text(w, "ticket"));
    return o;
}

/* Makes a visit; the rest of the answer stays in w->json. */
static void make_visit(struct test_world *w, const char *ticket, char visit[VISIT_TEXT + 1])
{
    char body[200];
    (void)snprintf(body, sizeof(body), "{\"ticket\":\"%s\"}", ticket);
    ASK(w, 201, "POST", "/page/v1/visits", body);
    assert_int_equal(strlen(test_text(w, "visit")), VISIT_TEXT);
    memcpy(visit, test_text(w, "visit"), VISIT_TEXT + 1);
}

/* ---- site and catalogue ---- */

static void the_site_says_who_it_is(void **state)
{
    struct test_world *w = *state;
    ASK(w, 200, "GET", "/page/v1/site", NULL);
    assert_string_equal(test_header(w, "Content-Type"), "application/json");
    assert_string_equal(test_text(w, "issuer"), "");
    assert_string_equal(test_text(w, "package"), "");
    assert_int_equal(test_number(w, "agent_port"), 0);
    assert_true(json_is_integer(json_object_get(w->json, "agent_port")));
    assert_true(json_is_false(json_object_get(w->json, "catalogue")));
    assert_string_equal(test_text(w, "version"), CF_VERSION);
    assert_int_equal(json_object_size(w->json), 7);

    (void)snprintf(w->config.issuer, sizeof(w->config.issuer), "City of \"Example\"");
    (void)snprintf(w->config.help_phone, sizeof(w->config.help_phone), "+49 30 1234");
    (void)snprintf(w->config.help_url, sizeof(w->config.help_url), "https://example.org/help");
    (void)snprintf(w->config.client_package, sizeof(w->config.client_package),
                   "/srv/x/ferry_1.0+b~1 a%%#.deb");
    w->config.agent_port = 28573;
    ASK(w, 200, "GET", "/page/v1/site", NULL);
    assert_string_equal(test_text(w, "issuer"), "City of \"Example\"");
    assert_string_equal(test_text(w, "help_phone"), "+49 30 1234");
    assert_string_equal(test_text(w, "help_url"), "https://example.org/help");
    assert_string_equal(test_text(w, "package"), "/download/ferry_1.0+b~1%20a%25%23.deb");
    assert_int_equal(test_number(w, "agent_port"), 28573);
}

static void the_catalogue_has_what_is_offered_to_everybody(void **state)
{
    struct test_world *w = *state;
    char visit[VISIT_TEXT + 1];
    add_things(w);
    ASK(w, 200, "GET", "/page/v1/catalogue", NULL);
    assert_int_equal(json_array_size(json_object_get(w->json, "items")), 0);
    (void)add_order(w, "{\"purpose\":\"install\",\"app\":\"hello\"}"); /* somebody's own */
    struct order first = add_order(
        w,
        "{\"purpose\":\"install\",\"app\":\"hello\",\"type\":\"badge\",\"offer\":true,\"expires_s\":1000}");
    struct order second = add_order(w, "{\"purpose\":\"inspect\",\"offer\":true}");
    ASK(w, 200, "GET", "/page/v1/site", NULL);
    assert_true(json_is_true(json_object_get(w->json, "catalogue")));

    w->token = NULL;          /* it is for everybody */
    w->clock_ahead_ms = 1000; /* one look serves all who ask within a second */
    ASK(w, 200, "GET", "/page/v1/catalogue", NULL);
    const json_t *items = json_object_get(w->json, "items");
    assert_int_equal(json_array_size(items), 2);
    const json_t *newest = json_array_get(items, 0), *oldest = json_array_get(items, 1);
    assert_string_equal(field(newest, "ticket"), second.ticket);
    assert_string_equal(field(newest, "purpose"), "inspect");
    assert_true(json_is_null(json_object_get(newest, "app")));
    assert_true(json_is_null(json_object_get(newest, "type")));
    assert_string_equal(field(oldest, "ticket"), first.ticket);
    assert_int_equal(json_object_size(oldest), 5);
    assert_non_null(strchr(field(oldest, "expires"), 'Z'));
    const json_t *app = json_object_get(oldest, "app"), *type = json_object_get(oldest, "type");
    assert_string_equal(field(app, "name"), "hello");
    assert_string_equal(field(app, "title"), "Hello");
    assert_string_equal(field(app, "description"), "Says hello.");
    assert_string_equal(field(app, "title_de"), "Hallo");
    assert_string_equal(field(app, "description_de"), "Sagt Hallo.");
    assert_int_equal(json_object_size(app), 5);
    assert_string_equal(field(type, "name"), "badge");
    assert_string_equal(field(type, "title"), "Badge");
    assert_string_equal(field(type, "title_de"), "Ausweis");
    assert_int_equal(json_object_size(type), 3);
    make_visit(w, first.ticket, visit);

    w->clock_ahead_ms = 1001 * 1000;
    ASK(w, 200, "GET", "/page/v1/catalogue", NULL);
    assert_int_equal(json_array_size(json_object_get(w->json, "items")), 1);
}

static void one_look_serves_all_who_ask_within_a_second(void **state)
{
    struct test_world *w = *state;
    w->clock_stands_ms = test_now(w);
    ASK(w, 200, "GET", "/page/v1/catalogue", NULL);
    (void)add_order(w, "{\"purpose\":\"inspect\",\"offer\":true}");
    w->clock_ahead_ms = 999;
    ASK(w, 200, "GET", "/page/v1/catalogue", NULL);
    assert_int_equal(json_array_size(json_object_get(w->json, "items")), 0);
    w->clock_ahead_ms = 1000;
    ASK(w, 200, "GET", "/page/v1/catalogue", NULL);
    assert_int_equal(json_array_size(json_object_get(w->json, "items")), 1);
    /* A clock that was set back does not keep it forever. */
    (void)add_order(w, "{\"purpose\":\"inspect\",\"offer\":true}");
    w->clock_ahead_ms = 0;
    ASK(w, 200, "GET", "/page/v1/catalogue", NULL);
    assert_int_equal(json_array_size(json_object_get(w->json, "items")), 2);
}

static void a_catalogue_has_an_end(void **state)
{
    struct test_world *w = *state;
    for (unsigned n = 0; n < 101; n++)
        (void)add_order(w, "{\"purpose\":\"inspect\",\"offer\":true}");
    ASK(w, 200, "GET", "/page/v1/catalogue", NULL);
    assert_int_equal(json_array_size(json_object_get(w->json, "items")), 100);
}

/* ---- visits ---- */

static void a_visit_tells_what_its_order_is_for(void **state)
{
    struct test_world *w = *state;
    char visit[VISIT_TEXT + 1], again[VISIT_TEXT + 1], url[300], events[100], link[TRIGGER_LINK_MAX],
        ticket[100];
    add_things(w);
    struct order o =
        add_order(w, "{\"purpose\":\"install\",\"app\":\"hello\",\"type\":\"badge\",\"card\":\"4790-01\"}");
    w->token = NULL;
    make_visit(w, o.ticket, visit);
    assert_int_equal(json_object_size(w->json), 10);
    assert_string_equal(test_text(w, "purpose"), "install");
    assert_string_equal(test_text(w, "card"), "4790-01");
    assert_string_equal(test_text(w, "state"), "open");
    assert_non_null(strchr(test_text(w, "expires"), 'Z'));
    assert_string_equal(field(json_object_get(w->json, "app"), "title"), "Hello");
    assert_string_equal(field(json_object_get(w->json, "type"), "title_de"), "Ausweis");
    (void)snprintf(url, sizeof(url), "https://cards.example.org:8443/gp/adm?t=%s.%s", o.ticket, visit);
    (void)snprintf(events, sizeof(events), "/page/v1/events?visit=%s", visit);
    assert_string_equal(test_text(w, "url"), url);
    assert_string_equal(test_text(w, "events"), events);
    const struct trigger_order order = {view_str("install"), view_str("hello"), view_str("Hello")};
    assert_int_equal(trigger_link(url, &order, link), OK);
    assert_string_equal(test_text(w, "link"), link);

    /* Each is another; a ticket that carries a visit already is taken as well. */
    (void)snprintf(ticket, sizeof(ticket), "%s.%s", o.ticket, visit);
    make_visit(w, ticket, again);
    assert_string_not_equal(visit, again);
    assert_null(strstr(test_text(w, "url"), visit));
}

static void a_visit_tells_the_state_of_its_order(void **state)
{
    struct test_world *w = *state;
    char visit[VISIT_TEXT + 1], path[100];
    struct order o = add_order(w, "{\"purpose\":\"inspect\",\"expires_s\":1000}");
    struct order cancelled = add_order(w, "{\"purpose\":\"inspect\"}");
    (void)snprintf(path, sizeof(path), "/api/v1/orders/%s/cancel", cancelled.id);
    ASK(w, 200, "POST", path, "{}");
    make_visit(w, cancelled.ticket, visit);
    assert_string_equal(test_text(w, "state"), "cancelled");
    assert_true(json_is_null(json_object_get(w->json, "app")));
    assert_true(json_is_null(json_object_get(w->json, "type")));
    assert_string_equal(test_text(w, "card"), "");
    w->clock_ahead_ms = 1001 * 1000;
    make_visit(w, o.ticket, visit);
    assert_string_equal(test_text(w, "state"), "expired");
}

static void visits_are_refused(void **state)
{
    struct test_world *w = *state;
    static const struct {
        const char *body;
        long status;
        const char *word;
    } rows[] = {
        {"", 400, "malformed"},
        {"[]", 400, "malformed"},
        {"{}", 400, "malformed"},
        {"{\"ticket\":1}", 400, "malformed"},
        {"{\"ticket\":\"k3\",\"more\":1}", 400, "malformed"},
        {"{\"ticket\":\"k3\",\"session\":\"x\"}", 400, "malformed"},
        {"{\"ticket\":\"k3\"}", 404, "wrong-ticket"},
        {"{\"ticket\":\"\"}", 404, "wrong-ticket"},
    };
    w->token = NULL;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ASK(w, rows[i].status, "POST", "/page/v1/visits", rows[i].body);
        has_error(w, rows[i].word);
    }
}

static void one_address_makes_so_many_visits(void **state)
{
    struct test_world *w = *state;
    char body[200];
    unsigned made = 0;
    struct order o = add_order(w, "{\"purpose\":\"inspect\"}");
    (void)snprintf(body, sizeof(body), "{\"ticket\":\"%s\"}", o.ticket);
    /* Wrong tickets count as well. */
    while (made < 2 * PEER_VISITS_AT_ONCE &&
           test_ask(w, "POST", "/page/v1/visits", made % 2 == 0 ? body : "{\"ticket\":\"k3\"}") != 429)
        made++;
    assert_int_equal(w->status, 429);
    has_error(w, "too-many");
    assert_true(made >= PEER_VISITS_AT_ONCE);
    w->clock_ahead_ms = 10 * PEER_VISIT_MS;
    ASK(w, 201, "POST", "/page/v1/visits", body);
}

/* ---- who may ask ---- */

static void other_sites_are_refused(void **state)
{
    struct test_world *w = *state;
    static const struct {
        const char *header;
        bool foreign;
    } headers[] = {{"Sec-Fetch-Site: cross-site", true}, {"Sec-Fetch-Site: same-site", true},
                   {"Sec-Fetch-Site: anything", true},   {"Sec-Fetch-Site: same-origin", false},
                   {"Sec-Fetch-Site: none", false},      {NULL, false}};
    static const struct {
        const char *method, *path;
        long status;
    } paths[] = {{"GET", "/page/v1/site", 200},
                 {"GET", "/page/v1/catalogue", 200},
                 {"POST", "/page/v1/visits", 404},
                 {"GET", "/page/v1/events?visit=x", 204},
                 {"POST", "/gp/progress?t=x", 400}};
    for (size_t h = 0; h < sizeof(headers) / sizeof(headers[0]); h++) {
        w->headers[0] = headers[h].header;
        for (size_t p = 0; p < sizeof(paths) / sizeof(paths[0]); p++) {
            const char *body = strcmp(paths[p].method, "POST") == 0 ? "{\"ticket\":\"k3\"}" : NULL;
            ASK(w, headers[h].foreign ? 403 : paths[p].status, paths[p].method, paths[p].path, body);
            if (headers[h].foreign)
                has_error(w, "foreign");
        }
    }
}

static void paths_and_methods(void **state)
{
    struct test_world *w = *state;
    ASK(w, 404, "GET", "/page/v1/", NULL);
    has_error(w, "not-found");
    ASK(w, 404, "GET", "/page/v1/sites", NULL);
    ASK(w, 405, "POST", "/page/v1/site", "{}");
    has_error(w, "method");
    assert_string_equal(test_header(w, "Allow"), "GET");
    ASK(w, 405, "GET", "/page/v1/visits", NULL);
    assert_string_equal(test_header(w, "Allow"), "POST");
}

/* ---- events ---- */

/* Until the server has noticed. */
static void wait_for_watchers(struct test_world *w, unsigned wanted)
{
    char line[60];
    (void)snprintf(line, sizeof(line), "\ncardferry_page_watchers %u\n", wanted);
    for (unsigned n = 0; n < 1000; n++) {
        ASK(w, 200, "GET", "/metrics", NULL);
        if (strstr(w->text, line) != NULL)
            return;
        ear_nap();
    }
    fail_msg("not %u watchers", wanted);
}

static void report(struct test_world *w, long status, const char *ticket, const char *visit, const char *body)
{
    char path[200];
    (void)snprintf(path, sizeof(path), "/gp/progress?t=%s.%s", ticket, visit);
    ASK(w, status, "POST", path, body);
}

#define READER  "{\"stage\":\"reader\",\"reader\":\"R 0\",\"card\":\"47-0A\",\"done\":0,\"total\":0}"
#define DELIVER "{\"stage\":\"deliver\",\"reader\":\"R 0\",\"card\":\"47-0A\",\"done\":3,\"total\":12}"

static void a_page_follows_its_client(void **state)
{
    struct test_world *w = *state;
    char visit[VISIT_TEXT + 1];
    struct ear one, two;
    struct order o = add_order(w, "{\"purpose\":\"inspect\"}");
    make_visit(w, o.ticket, visit);
    w->token = NULL;
    ear_open(http_port(w->http), &w->tls, &one, visit);
    ear_wait(&one, "HTTP/1.1 200");
    ear_wait(&one, "Content-Type: text/event-stream");
    ear_wait(&one, "\r\n\r\n");
    report(w, 204, o.ticket, visit, READER);
    assert_int_equal(w->text_len, 0);
    ear_wait(&one, "event: client\ndata: " READER "\n\n");
    report(w, 204, o.ticket, visit, DELIVER);
    ear_wait(&one, "event: client\ndata: " DELIVER "\n\n");
    ear_open(http_port(w->http), &w->tls, &two, visit); /* it hears at once what is known */
    ear_wait(&two, "event: client\ndata: " DELIVER "\n\n");
    wait_for_watchers(w, 2);
    ear_close(&one);
    wait_for_watchers(w, 1);
    /* A comment fills the silence. */
    w->clock_ahead_ms = HEARTBEAT_MS;
    ear_wait(&two, "\r\n:\n\n\r\n");
    ear_close(&two);
    wait_for_watchers(w, 0);
}

static void progress_is_refused(void **state)
{
    struct test_world *w = *state;
    char visit[VISIT_TEXT + 1];
    struct order o = add_order(w, "{\"purpose\":\"inspect\"}"),
                 other = add_order(w, "{\"purpose\":\"inspect\"}");
    make_visit(w, o.ticket, visit);
    report(w, 204, o.ticket, visit, "{\"stage\":\"client\"}");
    report(w, 404, o.ticket, "AAAAAAAAAAAAAAAAAAAAAA", READER);
    has_error(w, "not-found");
    report(w, 404, o.ticket, "", READER);
    report(w, 404, other.ticket, visit, READER);
    report(w, 404, "", visit, READER);
    report(w, 400, o.ticket, visit, "");
    has_error(w, "malformed");
    report(w, 400, o.ticket, visit, "{\"stage\":\"unheard-of\"}");
    report(w, 400, o.ticket, visit, "{\"stage\":\"deliver\",\"done\":2,\"total\":1}");
    ASK(w, 404, "POST", "/gp/progress", READER);
    char long_body[PAGE_BODY_MAX + 2];
    memset(long_body, ' ', sizeof(long_body));
    memcpy(long_body, READER, sizeof(READER) - 1);
    long_body[PAGE_BODY_MAX + 1] = '\0';
    report(w, 413, o.ticket, visit, long_body);
}

static void without_a_visit_there_are_no_events(void **state)
{
    struct test_world *w = *state;
    char visit[VISIT_TEXT + 1], path[100];
    ASK(w, 204, "GET", "/page/v1/events", NULL);
    ASK(w, 204, "GET", "/page/v1/events?visit=", NULL);
    ASK(w, 204, "GET", "/page/v1/events?visit=AAAAAAAAAAAAAAAAAAAAAA", NULL);
    struct order o = add_order(w, "{\"purpose\":\"inspect\"}");
    make_visit(w, o.ticket, visit);
    w->clock_ahead_ms = VISIT_IDLE_MS + 1000;
    (void)snprintf(path, sizeof(path), "/page/v1/events?visit=%s", visit);
    ASK(w, 204, "GET", path, NULL);
}

static void so_many_may_watch(void **state)
{
    struct test_world *w = *state;
    char visit[TEST_WATCHERS_MAX + 1][VISIT_TEXT + 1], path[100];
    struct ear ears[TEST_WATCHERS_MAX];
    struct order o = add_order(w, "{\"purpose\":\"inspect\"}");
    for (size_t n = 0; n <= TEST_WATCHERS_MAX; n++)
        make_visit(w, o.ticket, visit[n]);
    for (size_t n = 0; n < TEST_WATCHERS_MAX; n++) {
        ear_open(http_port(w->http), &w->tls, &ears[n], visit[n]);
        ear_wait(&ears[n], "\r\n\r\n");
    }
    (void)snprintf(path, sizeof(path), "/page/v1/events?visit=%s", visit[TEST_WATCHERS_MAX]);
    ASK(w, 503, "GET", path, NULL);
    has_error(w, "unavailable");
    ear_close(&ears[0]);
    wait_for_watchers(w, TEST_WATCHERS_MAX - 1);
    ear_open(http_port(w->http), &w->tls, &ears[0], visit[TEST_WATCHERS_MAX]);
    ear_wait(&ears[0], "HTTP/1.1 200");
    for (size_t n = 0; n < TEST_WATCHERS_MAX; n++)
        ear_close(&ears[n]);
}

static void add_session(struct test_world *w, const char *id, const char *order, const char *outcome)
{
    uint8_t reply[18] = {[17] = 7}; /* behind the random part: seven commands */
    struct session_row row = {.token_digest = {(uint8_t)id[0]},
                              .state = {reply, sizeof(reply)},
                              .reply = {reply, sizeof(reply)},
                              .created_ms = 1,
                              .updated_ms = 1};
    (void)snprintf(row.id, sizeof(row.id), "%s", id);
    (void)snprintf(row.order, sizeof(row.order), "%s", order);
    (void)snprintf(row.step, sizeof(row.step), "%s", outcome[0] != '\0' ? "done" : "deliver");
    (void)snprintf(row.outcome, sizeof(row.outcome), "%s", outcome);
    (void)snprintf(row.reason, sizeof(row.reason), "%s", outcome[0] != '\0' ? "none" : "");
    (void)snprintf(row.detail, sizeof(row.detail), "%s", outcome[0] != '\0' ? "Done." : "");
    struct change add = {.kind = SESSION_ADD, .row.session = &row};
    assert_int_equal(test_apply(&w->beside, &add, 1).e, OK);
}

#define ID_RUNS "11111111111111111111111111111111"
#define ID_OVER "22222222222222222222222222222222"

static void a_page_follows_its_session_again(void **state)
{
    struct test_world *w = *state;
    char body[200];
    struct ear e;
    struct order o = add_order(w, "{\"purpose\":\"inspect\"}"),
                 other = add_order(w, "{\"purpose\":\"inspect\"}");
    add_session(w, ID_RUNS, o.id, "");
    add_session(w, ID_OVER, o.id, "confirmed");
    w->token = NULL;
    (void)snprintf(body, sizeof(body), "{\"ticket\":\"%s\",\"session\":\"" ID_RUNS "\"}", o.ticket);
    ASK(w, 201, "POST", "/page/v1/visits", body);
    ear_open(http_port(w->http), &w->tls, &e, test_text(w, "visit"));
    ear_wait(&e,
             "event: session\ndata: {\"session\":\"" ID_RUNS "\",\"step\":\"deliver\",\"commands\":7}\n\n");
    ear_close(&e);
    (void)snprintf(body, sizeof(body), "{\"ticket\":\"%s\",\"session\":\"" ID_OVER "\"}", o.ticket);
    ASK(w, 201, "POST", "/page/v1/visits", body);
    ear_open(http_port(w->http), &w->tls, &e, test_text(w, "visit"));
    ear_wait(&e, "event: end\ndata: {\"session\":\"" ID_OVER
                 "\",\"outcome\":\"confirmed\",\"reason\":\"none\",\"detail\":\"Done.\"}\n\n");
    ear_close(&e);
    /* Another order's session is none of this ticket's business, and one that is not there is no reason to
     * refuse. */
    static const char *const others[] = {ID_RUNS, "33333333333333333333333333333333"};
    for (size_t n = 0; n < 2; n++) {
        char visit[VISIT_TEXT + 1];
        (void)snprintf(body, sizeof(body), "{\"ticket\":\"%s\",\"session\":\"%s\"}", other.ticket, others[n]);
        ASK(w, 201, "POST", "/page/v1/visits", body);
        memcpy(visit, test_text(w, "visit"), sizeof(visit));
        ear_open(http_port(w->http), &w->tls, &e, visit);
        ear_wait(&e, "\r\n\r\n");
        report(w, 204, other.ticket, visit, READER);
        ear_wait_without(&e, "event: client", "event: session");
        ear_close(&e);
    }
}

int main(void)
{
#define PAGE_TEST(name) cmocka_unit_test_setup_teardown(name, test_world_setup, test_world_teardown)
    const struct CMUnitTest tests[] = {
        PAGE_TEST(the_site_says_who_it_is),
        PAGE_TEST(the_catalogue_has_what_is_offered_to_everybody),
        PAGE_TEST(one_look_serves_all_who_ask_within_a_second),
        PAGE_TEST(a_catalogue_has_an_end),
        PAGE_TEST(a_visit_tells_what_its_order_is_for),
        PAGE_TEST(a_visit_tells_the_state_of_its_order),
        PAGE_TEST(visits_are_refused),
        PAGE_TEST(one_address_makes_so_many_visits),
        PAGE_TEST(other_sites_are_refused),
        PAGE_TEST(paths_and_methods),
        PAGE_TEST(a_page_follows_its_client),
        PAGE_TEST(progress_is_refused),
        PAGE_TEST(without_a_visit_there_are_no_events),
        PAGE_TEST(so_many_may_watch),
        PAGE_TEST(a_page_follows_its_session_again),
    };
    (void)signal(SIGPIPE, SIG_IGN); /* as the server does */
    curl_global_init(CURL_GLOBAL_DEFAULT);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
