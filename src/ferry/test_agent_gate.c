/* SPDX-License-Identifier: Apache-2.0
 *
 * Every condition of the agent, broken alone; bodies; and the pace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "agent_gate.h"

#define TYPE "application/vnd.cardferry.agent+json"
#define OURS "https://cm.example.org:8443"
#define HOST "127.0.0.1:28573"

static struct agent_place place(void)
{
    struct agent_place p = {.port = 28573};
    assert_int_equal(agent_place_add(&p, OURS), OK);
    assert_int_equal(agent_place_add(&p, "https://other.example.org"), OK);
    return p;
}

/* status 0: it may be looked into. */
static const struct {
    const char *name;
    struct agent_request r;
    int status;
    const char *error;
    bool readable;
} rows[] = {
    {"run", {"POST", "/v1/run", HOST, OURS, TYPE, "1", NULL, NULL, false}, 0, "", true},
    {"by IPv6", {"POST", "/v1/run", "[::1]:28573", OURS, TYPE, "1", NULL, NULL, false}, 0, "", true},
    {"the other server",
     {"POST", "/v1/state", HOST, "https://other.example.org", TYPE, "1", NULL, NULL, false},
     0,
     "",
     true},
    {"a header twice", {"POST", "/v1/run", HOST, OURS, TYPE, "1", NULL, NULL, true}, 403, "repeated", false},
    {"no host", {"POST", "/v1/run", NULL, OURS, TYPE, "1", NULL, NULL, false}, 403, "wrong-host", false},
    {"by name",
     {"POST", "/v1/run", "localhost:28573", OURS, TYPE, "1", NULL, NULL, false},
     403,
     "wrong-host",
     false},
    {"a rebound name",
     {"POST", "/v1/run", "evil.example.org:28573", OURS, TYPE, "1", NULL, NULL, false},
     403,
     "wrong-host",
     false},
    {"our server's name",
     {"POST", "/v1/run", "cm.example.org:8443", OURS, TYPE, "1", NULL, NULL, false},
     403,
     "wrong-host",
     false},
    {"another port",
     {"POST", "/v1/run", "127.0.0.1:80", OURS, TYPE, "1", NULL, NULL, false},
     403,
     "wrong-host",
     false},
    {"no port",
     {"POST", "/v1/run", "127.0.0.1", OURS, TYPE, "1", NULL, NULL, false},
     403,
     "wrong-host",
     false},
    {"another address",
     {"POST", "/v1/run", "127.0.0.2:28573", OURS, TYPE, "1", NULL, NULL, false},
     403,
     "wrong-host",
     false},
    {"a blank", {"POST", "/v1/run", HOST " ", OURS, TYPE, "1", NULL, NULL, false}, 403, "wrong-host", false},
    {"no origin", {"POST", "/v1/run", HOST, NULL, TYPE, "1", NULL, NULL, false}, 403, "wrong-origin", false},
    {"null", {"POST", "/v1/run", HOST, "null", TYPE, "1", NULL, NULL, false}, 403, "wrong-origin", false},
    {"empty", {"POST", "/v1/run", HOST, "", TYPE, "1", NULL, NULL, false}, 403, "wrong-origin", false},
    {"foreign",
     {"POST", "/v1/run", HOST, "https://evil.example.org", TYPE, "1", NULL, NULL, false},
     403,
     "wrong-origin",
     false},
    {"without TLS",
     {"POST", "/v1/run", HOST, "http://cm.example.org:8443", TYPE, "1", NULL, NULL, false},
     403,
     "wrong-origin",
     false},
    {"its other port",
     {"POST", "/v1/run", HOST, "https://cm.example.org", TYPE, "1", NULL, NULL, false},
     403,
     "wrong-origin",
     false},
    {"longer",
     {"POST", "/v1/run", HOST, OURS ".evil.org", TYPE, "1", NULL, NULL, false},
     403,
     "wrong-origin",
     false},
    {"shorter",
     {"POST", "/v1/run", HOST, "https://cm.example.org:844", TYPE, "1", NULL, NULL, false},
     403,
     "wrong-origin",
     false},
    {"our own address",
     {"POST", "/v1/run", HOST, "http://" HOST, TYPE, "1", NULL, NULL, false},
     403,
     "wrong-origin",
     false},
    {"another path", {"POST", "/v1/apdu", HOST, OURS, TYPE, "1", NULL, NULL, false}, 404, "not-found", true},
    {"with a query", {"POST", "/v1/run?x", HOST, OURS, TYPE, "1", NULL, NULL, false}, 404, "not-found", true},
    {"with a slash", {"POST", "/v1/run/", HOST, OURS, TYPE, "1", NULL, NULL, false}, 404, "not-found", true},
    {"with a host",
     {"POST", "http://" HOST "/v1/run", HOST, OURS, TYPE, "1", NULL, NULL, false},
     404,
     "not-found",
     true},
    {"GET", {"GET", "/v1/run", HOST, OURS, TYPE, "1", NULL, NULL, false}, 405, "wrong-method", true},
    {"HEAD", {"HEAD", "/v1/run", HOST, OURS, TYPE, "1", NULL, NULL, false}, 405, "wrong-method", true},
    {"post", {"post", "/v1/run", HOST, OURS, TYPE, "1", NULL, NULL, false}, 405, "wrong-method", true},
    {"a form",
     {"POST", "/v1/run", HOST, OURS, "application/x-www-form-urlencoded", "1", NULL, NULL, false},
     415,
     "wrong-type",
     true},
    {"a file form",
     {"POST", "/v1/run", HOST, OURS, "multipart/form-data; boundary=x", "1", NULL, NULL, false},
     415,
     "wrong-type",
     true},
    {"plain text",
     {"POST", "/v1/run", HOST, OURS, "text/plain", "1", NULL, NULL, false},
     415,
     "wrong-type",
     true},
    {"JSON",
     {"POST", "/v1/run", HOST, OURS, "application/json", "1", NULL, NULL, false},
     415,
     "wrong-type",
     true},
    {"with a charset",
     {"POST", "/v1/run", HOST, OURS, TYPE "; charset=utf-8", "1", NULL, NULL, false},
     415,
     "wrong-type",
     true},
    {"no type", {"POST", "/v1/run", HOST, OURS, NULL, "1", NULL, NULL, false}, 415, "wrong-type", true},
    {"no header of ours",
     {"POST", "/v1/run", HOST, OURS, TYPE, NULL, NULL, NULL, false},
     403,
     "no-agent-header",
     true},
    {"another value",
     {"POST", "/v1/run", HOST, OURS, TYPE, "2", NULL, NULL, false},
     403,
     "no-agent-header",
     true},
    /* What a browser asks first. */
    {"preflight",
     {"OPTIONS", "/v1/run", HOST, OURS, NULL, NULL, "POST", "content-type,x-ferry-agent,x-ferry-pairing",
      false},
     0,
     "",
     true},
    {"preflight with blanks",
     {"OPTIONS", "/v1/run", HOST, OURS, NULL, NULL, "POST", "Content-Type, X-Ferry-Agent", false},
     0,
     "",
     true},
    {"preflight for GET",
     {"OPTIONS", "/v1/run", HOST, OURS, NULL, NULL, "GET", "x-ferry-agent", false},
     405,
     "wrong-method",
     true},
    {"no preflight",
     {"OPTIONS", "/v1/run", HOST, OURS, NULL, NULL, NULL, NULL, false},
     405,
     "wrong-method",
     true},
    {"preflight of a simple request",
     {"OPTIONS", "/v1/run", HOST, OURS, NULL, NULL, "POST", NULL, false},
     403,
     "wrong-headers",
     true},
    {"preflight with more",
     {"OPTIONS", "/v1/run", HOST, OURS, NULL, NULL, "POST", "x-ferry-agent,authorization", false},
     403,
     "wrong-headers",
     true},
    {"preflight of a foreign page",
     {"OPTIONS", "/v1/run", HOST, "https://evil.example.org", NULL, NULL, "POST", "x-ferry-agent", false},
     403,
     "wrong-origin",
     false},
    {"preflight at a rebound name",
     {"OPTIONS", "/v1/run", "evil.example.org:28573", OURS, NULL, NULL, "POST", "x-ferry-agent", false},
     403,
     "wrong-host",
     false},
};

static void conditions(void **state)
{
    (void)state;
    struct agent_place p = place();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum agent_path path = AGENT_PATHS;
        struct agent_refusal refusal = {0, "", ""};
        print_message("row %s\n", rows[i].name);
        assert_int_equal(agent_gate(&p, &rows[i].r, &path, &refusal), rows[i].status == 0);
        assert_int_equal(refusal.status, rows[i].status);
        assert_string_equal(refusal.error, rows[i].error);
        assert_int_equal(path == AGENT_PATHS, rows[i].status != 0);
        assert_int_equal(agent_may_read(&p, &rows[i].r), rows[i].readable);
    }
}

static void paths(void **state)
{
    (void)state;
    static const char *const names[AGENT_PATHS] = {"/v1/hello", "/v1/pair", "/v1/run", "/v1/state"};
    struct agent_place p = place();
    for (size_t i = 0; i < AGENT_PATHS; i++) {
        enum agent_path path;
        struct agent_refusal refusal;
        struct agent_request r = {"POST", names[i], HOST, OURS, TYPE, "1", NULL, NULL, false};
        assert_true(agent_gate(&p, &r, &path, &refusal));
        assert_int_equal(path, i);
    }
}

static void origins(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        enum err err;
        const char *origin;
    } urls[] = {
        {"https://cm.example.org", OK, "https://cm.example.org"},
        {"https://CM.Example.org:8443", OK, "https://cm.example.org:8443"},
        {"HTTPS://cm.example.org:443", OK, "https://cm.example.org"},
        {"https://[::1]:8443", OK, "https://[::1]:8443"},
        {"http://cm.example.org", ERR_FORMAT, NULL},
        {"https://", ERR_FORMAT, NULL},
        {"https://cm.example.org/", ERR_FORMAT, NULL},
        {"https://cm.example.org/i", ERR_FORMAT, NULL},
        {"https://user@cm.example.org", ERR_FORMAT, NULL},
        {"https://*.example.org", ERR_FORMAT, NULL},
        {"*", ERR_FORMAT, NULL},
        {"null", ERR_FORMAT, NULL},
        {"", ERR_FORMAT, NULL},
    };
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        struct agent_place p = {.port = 1};
        print_message("row %s\n", urls[i].url);
        assert_int_equal(agent_place_add(&p, urls[i].url), urls[i].err);
        assert_int_equal(p.origin_count, urls[i].err == OK);
        if (urls[i].err == OK)
            assert_string_equal(p.origins[0], urls[i].origin);
    }
    struct agent_place p = {.port = 1};
    for (size_t i = 0; i < AGENT_ORIGINS_MAX; i++)
        assert_int_equal(agent_place_add(&p, OURS), OK);
    assert_int_equal(agent_place_add(&p, OURS), ERR_LIMIT);
}

static const struct {
    const char *body;
    const char *ticket; /* NULL: it is none */
    bool empty;
} bodies[] = {
    {"{\"ticket\":\"abc-_9.xyz\"}", "abc-_9.xyz", false},
    {" { \"ticket\" : \"abc\" } ", "abc", false},
    {"{}", NULL, true},
    {" {} ", NULL, true},
    {"", NULL, false},
    {"[]", NULL, false},
    {"{} {}", NULL, false},
    {"{\"ticket\":\"\"}", NULL, false},
    {"{\"ticket\":7}", NULL, false},
    {"{\"ticket\":null}", NULL, false},
    {"{\"ticket\":[\"abc\"]}", NULL, false},
    {"{\"Ticket\":\"abc\"}", NULL, false},
    {"{\"ticket\":\"abc\",\"server\":\"https://evil.example.org\"}", NULL, false},
    {"{\"ticket\":\"abc\",\"ticket\":\"abd\"}", NULL, false},
    {"{\"apdu\":\"00A40400\"}", NULL, false},
    {"{\"ticket\":\"https://evil.example.org/gp/adm?t=abc\"}", NULL, false},
    {"{\"ticket\":\"cardferry:gSaDJIkiig5jbS5leGFtcGxlLm9yZw\"}", NULL, false},
    {"{\"ticket\":\"abc&x=1\"}", NULL, false},
    {"{\"ticket\":\"abc\\nX: y\"}", NULL, false},
    {"{\"ticket\":\"abc\\u0000\"}", NULL, false},
    {"{\"ticket\":\"--help\"}", "--help", false}, /* goes through a pipe: never an option */
    {"{\"ticket\":\"-\"}", "-", false},
    {"{\"ticket\":\"abc\"", NULL, false},
    {"{\"ticket\":\"abc\"}x", NULL, false},
    {"ticket=abc", NULL, false},
};

static void what_a_body_may_be(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        char ticket[AGENT_TICKET_MAX + 1] = "before";
        const char *expected = bodies[i].ticket;
        print_message("row %s\n", bodies[i].body);
        assert_int_equal(agent_read_ticket(view_str(bodies[i].body), ticket),
                         expected != NULL ? OK : ERR_FORMAT);
        assert_string_equal(ticket, expected != NULL ? expected : "before");
        assert_int_equal(agent_read_empty(view_str(bodies[i].body)), bodies[i].empty ? OK : ERR_FORMAT);
    }
}

static void a_body_has_a_limit(void **state)
{
    (void)state;
    char body[AGENT_BODY_MAX + 2], ticket[AGENT_TICKET_MAX + 1];
    memset(body, ' ', sizeof(body));
    memcpy(body, "{}", 2);
    assert_int_equal(agent_read_empty(view_of(body, AGENT_BODY_MAX)), OK);
    assert_int_equal(agent_read_empty(view_of(body, AGENT_BODY_MAX + 1)), ERR_FORMAT);
    snprintf(body, sizeof(body), "{\"ticket\":\"%0*d\"}", AGENT_TICKET_MAX + 1, 0);
    assert_int_equal(agent_read_ticket(view_str(body), ticket), ERR_FORMAT);
}

static void so_many_a_minute(void **state)
{
    (void)state;
    struct agent_bucket b = {.per_minute = 10};
    uint64_t now = 1000000;
    for (int i = 0; i < 10; i++)
        assert_true(agent_bucket_take(&b, now));
    assert_false(agent_bucket_take(&b, now));
    assert_false(agent_bucket_take(&b, now + 5999));
    assert_true(agent_bucket_take(&b, now + 6000)); /* one every six seconds */
    assert_false(agent_bucket_take(&b, now + 6000));
    now += 6000 + 60000;
    for (int i = 0; i < 10; i++)
        assert_true(agent_bucket_take(&b, now));
    assert_false(agent_bucket_take(&b, now));
    assert_false(agent_bucket_take(&b, now - 500)); /* a clock that goes back gives nothing */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions),
        cmocka_unit_test(paths),
        cmocka_unit_test(origins),
        cmocka_unit_test(what_a_body_may_be),
        cmocka_unit_test(a_body_has_a_limit),
        cmocka_unit_test(so_many_a_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
