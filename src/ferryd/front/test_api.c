/* SPDX-License-Identifier: Apache-2.0
 *
 * The administration asked over HTTPS: who may come in, what every resource takes, refuses and tells. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <signal.h>
#include <sys/resource.h>

#include <gp/identity.h>
#include <plan/plan.h>

#include "front/test_api_world.h"

#define CAP(name) CF_DATA "/caps/" name

/* Asks, and fails with the answer when the status is another. */
#define ASK(w, want, method, path, body)                                                                     \
    do {                                                                                                     \
        if (test_ask((w), (method), (path), (body)) != (want))                                               \
            fail_msg("%s %s: %ld %s", (method), (path), (w)->status, (w)->text);                             \
    } while (0)
#define WANT(w, want, call)                                                                                  \
    do {                                                                                                     \
        if ((call) != (want))                                                                                \
            fail_msg("%ld %s", (w)->status, (w)->text);                                                      \
    } while (0)

static void has_message(const struct test_world *w, const char *word, const char *part)
{
    if (strcmp(test_text(w, "error"), word) != 0 || strstr(test_text(w, "message"), part) == NULL)
        fail_msg("%ld %s", w->status, w->text);
}

static json_t *item(const struct test_world *w, size_t n)
{
    return json_array_get(json_object_get(w->json, "items"), n);
}

static const char *item_text(const struct test_world *w, size_t n, const char *field)
{
    const char *text = json_string_value(json_object_get(item(w, n), field));
    return text != NULL ? text : "";
}

static size_t items(const struct test_world *w)
{
    return json_array_size(json_object_get(w->json, "items"));
}

/* ---- who may come in ---- */

static void strangers_learn_nothing(void **state)
{
    struct test_world *w = *state;
    static const char *const tokens[] = {NULL, "", "x", TEST_TOKEN "x",
                                         "dGVzdCB0b2tlbiBvZiB0aGUgYWRtaW5pc3RyYXRvcG"};
    static const char *const paths[] = {"/api/v1/apps", "/api/v1/keys", "/api/v1/nothing", "/api/v1/audit"};
    for (size_t t = 0; t < sizeof(tokens) / sizeof(tokens[0]); t++) {
        for (size_t p = 0; p < sizeof(paths) / sizeof(paths[0]); p++) {
            w->token = tokens[t];
            ASK(w, 401, "GET", paths[p], NULL);
            has_message(w, "unauthorized", "token");
        }
    }
    /* Also nothing of what there is: another method of a path is answered alike. */
    ASK(w, 401, "DELETE", "/api/v1/apps", NULL);
    WANT(w, 401, test_add_app(w, "hello", CAP("hello-jc222.cap"), ""));
    ASK(w, 200, "GET", "/health", NULL);
    ASK(w, 200, "GET", "/metrics", NULL);
    w->token = TEST_TOKEN;
    ASK(w, 200, "GET", "/api/v1/apps", NULL);
    assert_int_equal(items(w), 0);
}

static void a_client_certificate_is_as_good_as_the_token(void **state)
{
    struct test_world *w = *state;
    w->token = NULL;
    w->as_operator = true;
    ASK(w, 200, "GET", "/api/v1/apps", NULL);
    WANT(w, 201, test_add_app(w, "hello", CAP("hello-jc222.cap"), ""));
    ASK(w, 200, "GET", "/api/v1/audit", NULL);
    assert_string_equal(item_text(w, 0, "who"), "certificate operator");
}

static void paths_and_methods_are_told_apart(void **state)
{
    struct test_world *w = *state;
    ASK(w, 404, "GET", "/api/v1/nothing", NULL);
    ASK(w, 404, "GET", "/api/v1/apps/", NULL);
    ASK(w, 404, "GET", "/api/v1/apps/a/b/c", NULL);
    ASK(w, 404, "GET", "/api/v1/keys/a", NULL);
    ASK(w, 405, "PUT", "/api/v1/apps", "{}");
    assert_string_equal(test_header(w, "Allow"), "POST, GET");
    ASK(w, 405, "POST", "/api/v1/audit", "{}");
    assert_string_equal(test_header(w, "Allow"), "GET");
    char longest[300] = "/api/v1/apps/";
    memset(longest + strlen(longest), 'a', 200);
    ASK(w, 404, "DELETE", longest, NULL);
    longest[strlen("/api/v1/apps/") + 70] = '\0'; /* longer than a name, not longer than a card's number */
    ASK(w, 404, "DELETE", longest, NULL);
}

/* ---- applications ---- */

static void an_application_is_added_and_told(void **state)
{
    struct test_world *w = *state;
    WANT(w, 201, test_add_app(w, "till", CAP("till-jc222.cap"), ""));
    assert_string_equal(test_header(w, "Content-Type"), "application/json");
    assert_string_equal(test_text(w, "name"), "till");
    assert_int_equal(strlen(test_text(w, "sha256")), 64);
    assert_true(test_number(w, "load_bytes") > 100);
    assert_true(json_array_size(json_object_get(w->json, "applets")) == 1);
    const json_t *import = json_array_get(json_object_get(w->json, "imports"), 0);
    assert_true(json_string_length(json_object_get(import, "aid")) >= 10);
    assert_non_null(strchr(json_string_value(json_object_get(import, "version")), '.'));
    assert_int_equal(strlen(test_text(w, "created")), strlen("2026-01-01T00:00:00.000Z"));

    WANT(w, 409, test_add_app(w, "till", CAP("till-jc222.cap"), ""));
    has_message(w, "exists", "'till'");
    ASK(w, 200, "GET", "/api/v1/apps/till", NULL);
    assert_string_equal(test_text(w, "name"), "till");
    ASK(w, 404, "GET", "/api/v1/apps/other", NULL);

    ASK(w, 200, "GET", "/api/v1/apps/till/sequence", NULL);
    assert_non_null(strstr(w->text, "load"));
    assert_non_null(strstr(w->text, "install"));
    assert_int_equal(strncmp(test_header(w, "Content-Type"), "text/plain", 10), 0);
    ASK(w, 404, "GET", "/api/v1/apps/other/sequence", NULL);
    ASK(w, 204, "DELETE", "/api/v1/apps/till", NULL);
    assert_int_equal(w->text_len, 0);
    ASK(w, 404, "DELETE", "/api/v1/apps/till", NULL);
}

static void an_application_is_approved_before_it_is_ordered(void **state)
{
    struct test_world *w = *state;
    static const char order[] = "{\"purpose\":\"install\",\"app\":\"till\"}";
    WANT(w, 201, test_add_app(w, "till", CAP("till-jc222.cap"), ""));
    assert_true(json_is_null(json_object_get(w->json, "approved")));
    ASK(w, 422, "POST", "/api/v1/orders", order);
    has_message(w, "refused", "approve it");
    ASK(w, 404, "POST", "/api/v1/apps/other/approve", "");
    ASK(w, 200, "POST", "/api/v1/apps/till/approve", "");
    const json_t *approved = json_object_get(w->json, "approved");
    assert_string_equal(json_string_value(json_object_get(approved, "by")), "admin token");
    assert_int_equal(json_string_length(json_object_get(approved, "time")), 24);
    ASK(w, 409, "POST", "/api/v1/apps/till/approve", "");
    has_message(w, "state", "approved already");
    ASK(w, 201, "POST", "/api/v1/orders", order);

    /* What was approved was another sequence. */
    ASK(w, 200, "PUT", "/api/v1/apps/till/sequence", "load hash=sha256\n");
    assert_true(json_is_null(json_object_get(w->json, "approved")));
    ASK(w, 422, "POST", "/api/v1/orders", order);
    ASK(w, 400, "PUT", "/api/v1/apps/till/sequence?approved=yes", "load\n");
    ASK(w, 200, "PUT", "/api/v1/apps/till/sequence?approved=true", "load\n");
    assert_true(json_is_object(json_object_get(w->json, "approved")));
    ASK(w, 201, "POST", "/api/v1/orders", order);
    ASK(w, 200, "GET", "/api/v1/audit?match=app.", NULL);
    assert_string_equal(item_text(w, 0, "what"), "app.sequence");
    assert_string_equal(item_text(w, 0, "detail"), "approved");
    assert_string_equal(item_text(w, 1, "detail"), "");
    assert_string_equal(item_text(w, 2, "what"), "app.approve");
    assert_string_equal(item_text(w, 3, "what"), "app.add");
    ASK(w, 200, "GET", "/api/v1/apps", NULL);
    assert_true(json_is_object(json_object_get(item(w, 0), "approved")));
    WANT(w, 201, test_add_app(w, "other", CAP("till-jc222.cap"), ",\"approved\":false"));
    assert_true(json_is_null(json_object_get(w->json, "approved")));
}

static void an_application_has_texts(void **state)
{
    struct test_world *w = *state;
    WANT(w, 201,
         test_add_app(w, "till", CAP("till-jc222.cap"),
                      ",\"title\":\"Till\",\"title_de\":\"Kasse f\xC3\xBCr alle\""));
    assert_string_equal(test_text(w, "title"), "Till");
    assert_string_equal(test_text(w, "title_de"), "Kasse f\xC3\xBCr alle");
    assert_true(json_is_string(json_object_get(w->json, "description")));
    ASK(w, 200, "PUT", "/api/v1/apps/till/texts", "{\"title\":\"\",\"description\":\"For shops.\"}");
    assert_string_equal(test_text(w, "title"), "");
    assert_string_equal(test_text(w, "description"), "For shops.");
    assert_string_equal(test_text(w, "title_de"), "Kasse f\xC3\xBCr alle"); /* was not named */
    assert_int_equal(strlen(test_text(w, "sha256")), 64);                   /* all else is as it was */
    ASK(w, 200, "GET", "/api/v1/apps", NULL);
    assert_string_equal(item_text(w, 0, "description"), "For shops.");
    ASK(w, 200, "GET", "/api/v1/audit?limit=1", NULL);
    assert_string_equal(item_text(w, 0, "what"), "app.texts");
    ASK(w, 404, "PUT", "/api/v1/apps/other/texts", "{}");
    static const struct {
        const char *body, *part;
    } rows[] = {
        {"{\"title\":1}", "'title'"},
        {"{\"name\":\"a\"}", "'name'"},
        {"{\"title\":\"a\\nb\"}", "'title'"},
        {"{\"title\":\"a\\u0085b\"}", "'title' is not a line"},
        {"{\"title_de\":\"0123456789012345678901234567890123456789"
         "012345678901234567890123456789012345678\xC3\xBC\"}",
         "'title_de' is longer than 80"},
        {"{\"description\":\"\xFF\"}", "JSON"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ASK(w, 400, "PUT", "/api/v1/apps/till/texts", rows[i].body);
        has_message(w, "malformed", rows[i].part);
    }
    WANT(w, 400, test_add_app(w, "b", CAP("till-jc222.cap"), ",\"description\":\"a\\u0085b\""));
}

static void what_is_inside_a_cap_is_told(void **state)
{
    struct test_world *w = *state;
    static const char *const files[] = {CAP("till-jc222.cap"), CAP("hello-resource-jc310.cap"),
                                        CAP("extended-jc310.cap")};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char name[8];
        json_int_t sum = 0;
        snprintf(name, sizeof(name), "a%zu", i);
        WANT(w, 201, test_add_app(w, name, files[i], ""));
        const json_t *components = json_object_get(w->json, "components"), *c;
        size_t n;
        json_array_foreach(components, n, c) sum += json_integer_value(json_object_get(c, "bytes"));
        if (sum == 0 || sum != test_number(w, "load_bytes"))
            fail_msg("%s: %s", files[i], w->text);
        c = json_array_get(components, 0);
        assert_string_equal(json_string_value(json_object_get(c, "name")), "Header");
        assert_int_equal(json_integer_value(json_object_get(c, "tag")), 1);
    }
}

static void bad_cap_files_are_refused_in_words(void **state)
{
    struct test_world *w = *state;
    static const struct {
        const char *file, *part;
    } rows[] = {{CAP("bad/no-header.cap"), "eader"}, {CAP("bad/text.cap"), ""},
                {CAP("bad/truncated.cap"), ""},      {CAP("bad/bomb-1g.cap"), ""},
                {CAP("bad/two-packages.cap"), ""},   {CAP("bad/applets-same.cap"), ""}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        WANT(w, 422, test_add_app(w, "bad", rows[i].file, ""));
        has_message(w, "bad-cap", rows[i].part);
        assert_true(strlen(test_text(w, "message")) > 10);
    }
    ASK(w, 200, "GET", "/api/v1/apps", NULL);
    assert_int_equal(items(w), 0);
}

static void bad_bodies_are_malformed(void **state)
{
    struct test_world *w = *state;
    static const struct {
        const char *path, *body, *part;
    } rows[] = {
        {"/api/v1/apps", "", "empty"},
        {"/api/v1/apps", "{", "JSON"},
        {"/api/v1/apps", "{\"name\":\"a\"}", "'cap'"},
        {"/api/v1/apps", "{\"name\":\"a\",\"cap\":\"*\"}", "base64"},
        {"/api/v1/apps", "{\"name\":\"a\",\"cap\":\"AAA====\"}", "base64"},
        {"/api/v1/apps", "{\"name\":\"../a\",\"cap\":\"AAAA\"}", "'name'"},
        {"/api/v1/apps", "{\"name\":\"a\",\"cap\":\"AAAA\",\"instal\":[]}", "'instal'"},
        {"/api/v1/apps", "{\"name\":\"a\",\"cap\":\"AAAA\",\"install\":[1]}", "not an object"},
        {"/api/v1/apps", "{\"name\":\"a\",\"cap\":\"AAAA\",\"install\":[{\"module\":\"00\"}]}", "entry 1"},
        {"/api/v1/apps",
         "{\"name\":\"a\",\"cap\":\"AAAA\",\"install\":[{\"module\":\"A000000151\",\"privileges\":\"0000\"}]"
         "}",
         "'privileges'"},
        {"/api/v1/apps", "{\"name\":\"a\",\"cap\":\"AAAA\",\"load_parameters\":\"C6\",\"sequence\":\"load\"}",
         "'sequence'"},
        {"/api/v1/keys",
         "{\"name\":\"a\",\"version\":0,\"use\":\"master\",\"type\":\"aes128\",\"wrapped\":\"AA\"}",
         "'version'"},
        {"/api/v1/keys",
         "{\"name\":\"a\",\"version\":1,\"use\":\"own\",\"type\":\"aes128\",\"wrapped\":\"AA\"}", "'use'"},
        {"/api/v1/keys",
         "{\"name\":\"a\",\"version\":1,\"use\":\"master\",\"type\":\"aes\",\"wrapped\":\"AA\"}", "'type'"},
        {"/api/v1/keys",
         "{\"name\":\"a\",\"version\":1,\"use\":\"master\",\"type\":\"aes128\",\"wrapped\":\"\"}",
         "'wrapped'"},
        {"/api/v1/keys",
         "{\"name\":\"a\",\"version\":1,\"use\":\"card\",\"type\":\"aes128\",\"wrapped\":\"AAAA\"}",
         "'card'"},
        {"/api/v1/keys",
         "{\"name\":\"a\",\"version\":1,\"use\":\"master\",\"card\":\"47\",\"type\":\"aes128\",\"wrapped\":"
         "\"AAAA\"}",
         "'card'"},
        {"/api/v1/types", "{\"name\":\"a\"}", "'scp'"},
        {"/api/v1/orders", "{\"purpose\":\"destroy\"}", "'purpose'"},
        {"/api/v1/orders", "{\"purpose\":\"install\"}", "'app'"},
        {"/api/v1/orders", "{\"purpose\":\"inspect\",\"app\":\"a\"}", "'app'"},
        {"/api/v1/orders", "{\"purpose\":\"inspect\",\"cards\":0}", "'cards'"},
        {"/api/v1/orders", "{\"purpose\":\"inspect\",\"card\":\"47\",\"cards\":2}", "one card"},
        {"/api/v1/orders", "{\"purpose\":\"inspect\",\"card\":\"4 7\"}", "'card'"},
        {"/api/v1/orders", "{\"purpose\":\"inspect\",\"card\":\"47\",\"offer\":true}", "offer"},
        {"/api/v1/orders", "{\"purpose\":\"inspect\",\"offer\":1}", "'offer'"},
        {"/api/v1/apps", "{\"name\":\"a\",\"cap\":\"AAAA\",\"approved\":1}", "'approved'"},
        {"/api/v1/orders", "{\"purpose\":\"inspect\",\"cards\":5,\"openings\":4}", "'openings'"},
        {"/api/v1/orders", "{\"purpose\":\"inspect\",\"expires_s\":0}", "'expires_s'"},
        {"/api/v1/orders", "{\"purpose\":\"inspect\",\"expires_s\":99999999}", "'expires_s'"},
        {"/api/v1/orders", "{\"purpose\":\"inspect\",\"level\":\"3\"}", "'level'"},
        {"/api/v1/orders", "{\"purpose\":\"inspect\",\"type\":\"a b\"}", "'type'"},
        {"/api/v1/cards/47/release", "{}", "'reason'"},
        {"/api/v1/cards/47/release", "{\"reason\":\"  \"}", "'reason'"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (test_ask(w, "POST", rows[i].path, rows[i].body) != 400)
            fail_msg("row %zu: %ld %s", i, w->status, w->text);
        has_message(w, "malformed", rows[i].part);
    }
    ASK(w, 200, "GET", "/api/v1/audit", NULL);
    assert_int_equal(items(w), 0); /* nothing was changed, nothing is told */
}

static void base64_of_both_kinds_is_taken(void **state)
{
    struct test_world *w = *state;
    static const char *const bodies[] = {"{\"name\":\"a\",\"cap\":\"+/+/AA==\"}",
                                         "{\"name\":\"a\",\"cap\":\"-_-_AA\"}"};
    for (size_t i = 0; i < 2; i++)
        ASK(w, 422, "POST", "/api/v1/apps", bodies[i]); /* understood; no CAP file */
}

static void a_sequence_is_checked(void **state)
{
    struct test_world *w = *state;
    WANT(w, 422, test_add_app(w, "s", CAP("till-jc222.cap"), ",\"sequence\":\"load\\nfly away\\n\""));
    has_message(w, "bad-cap", "2");
    WANT(w, 201, test_add_app(w, "s", CAP("till-jc222.cap"), ",\"sequence\":\"# ours\\nload\\n\""));
    ASK(w, 200, "GET", "/api/v1/apps/s/sequence", NULL);
    assert_string_equal(w->text, "# ours\nload\n");
    ASK(w, 422, "PUT", "/api/v1/apps/s/sequence", "load\nload hash=md5\n");
    has_message(w, "bad-cap", "2");
    ASK(w, 200, "GET", "/api/v1/apps/s/sequence", NULL);
    assert_string_equal(w->text, "# ours\nload\n");
    ASK(w, 200, "PUT", "/api/v1/apps/s/sequence", "load hash=sha256\n");
    ASK(w, 200, "GET", "/api/v1/apps/s/sequence", NULL);
    assert_string_equal(w->text, "load hash=sha256\n");
    ASK(w, 404, "PUT", "/api/v1/apps/other/sequence", "load\n");
    static char longest[SEQUENCE_TEXT_MAX + 8];
    memset(longest, '#', sizeof(longest) - 1);
    ASK(w, 422, "PUT", "/api/v1/apps/s/sequence", longest);
}

static void install_choices_make_the_sequence(void **state)
{
    struct test_world *w = *state;
    WANT(w, 201, test_add_app(w, "a", CAP("till-jc222.cap"), ""));
    char applet[64], more[256];
    snprintf(applet, sizeof(applet), "%s",
             json_string_value(json_array_get(json_object_get(w->json, "applets"), 0)));
    snprintf(more, sizeof(more),
             ",\"install\":[{\"module\":\"%s\",\"instance\":\"A00000015155\",\"privileges\":\"04\","
             "\"parameters\":\"AABB\"}]",
             applet);
    WANT(w, 201, test_add_app(w, "b", CAP("till-jc222.cap"), more));
    ASK(w, 200, "GET", "/api/v1/apps/b/sequence", NULL);
    assert_non_null(strstr(w->text, "A00000015155"));
    assert_non_null(strstr(w->text, "AABB"));
    WANT(w, 422,
         test_add_app(w, "c", CAP("till-jc222.cap"), ",\"install\":[{\"module\":\"A0000001519999\"}]"));
}

/* ---- keys ---- */

static void a_key_is_imported_and_never_told(void **state)
{
    struct test_world *w = *state;
    WANT(w, 201, test_add_key(w, "master", 1, KEY_AES, 1));
    assert_string_equal(test_text(w, "type"), "aes128");
    assert_string_equal(test_text(w, "use"), "master");
    assert_int_equal(test_number(w, "version"), 1);
    const json_t *values = json_object_get(w->json, "check_values");
    assert_int_equal(json_array_size(values), 3);
    assert_int_equal(json_string_length(json_array_get(values, 0)), 6);
    assert_false(json_is_true(json_object_get(w->json, "retired")));
    assert_null(json_object_get(w->json, "sealed"));
    assert_null(json_object_get(w->json, "wrapped"));

    WANT(w, 409, test_add_key(w, "master", 1, KEY_AES, 2));
    WANT(w, 201, test_add_key(w, "master", 2, KEY_AES, 2));
    ASK(w, 200, "GET", "/api/v1/keys?match=mas&limit=1", NULL);
    assert_string_equal(test_text(w, "next"), "master/1");
    ASK(w, 200, "GET", "/api/v1/keys?limit=1&after=master%2F1", NULL);
    assert_int_equal(json_integer_value(json_object_get(item(w, 0), "version")), 2);
    assert_null(json_object_get(w->json, "next"));
    ASK(w, 200, "POST", "/api/v1/keys/master/2/retire", "");
    assert_true(json_is_true(json_object_get(w->json, "retired")));
    ASK(w, 200, "GET", "/api/v1/keys/master/2", NULL);
    assert_true(json_is_true(json_object_get(w->json, "retired")));
    static const char *const absent[] = {"/api/v1/keys/master/3",  "/api/v1/keys/master/0",
                                         "/api/v1/keys/master/01", "/api/v1/keys/master/1x",
                                         "/api/v1/keys/other/1",   "/api/v1/keys/master/4294967297"};
    for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
        ASK(w, 404, "GET", absent[i], NULL);
    ASK(w, 404, "POST", "/api/v1/keys/master/3/retire", "");
    ASK(w, 404, "POST", "/api/v1/keys/master/x/retire", "");
}

/* A key that was encrypted under one name cannot be stored under another. */
static void a_key_belongs_to_its_attributes(void **state)
{
    struct test_world *w = *state;
    char body[4096];
    struct key_attributes a = {
        .name = "a", .version = 1, .use = KEY_USE_MASTER, .type = KEY_AES, .key_len = 16};
    struct key_attributes b = a;
    b.version = 2;
    test_key_body(w, &a, &b, 1, body, sizeof(body));
    ASK(w, 422, "POST", "/api/v1/keys", body);
    has_message(w, "refused", "attributes");
    ASK(w, 422, "POST", "/api/v1/keys",
        "{\"name\":\"a\",\"version\":1,\"use\":\"master\",\"type\":\"aes128\",\"wrapped\":\"AAAA\"}");
    ASK(w, 404, "GET", "/api/v1/keys/a/1", NULL);
    w->keeper_silent = true;
    WANT(w, 503, test_add_key(w, "a", 1, KEY_AES, 1));
    w->keeper_silent = false;
    WANT(w, 201, test_add_key(w, "a", 1, KEY_AES, 1));
}

/* ---- card types ---- */

static void a_card_type_is_added_changed_and_removed(void **state)
{
    struct test_world *w = *state;
    WANT(w, 422, test_add_type(w, "badge", ""));
    has_message(w, "refused", "no key 'master'");
    WANT(w, 201, test_add_key(w, "master", 1, KEY_AES, 1));
    WANT(w, 201, test_add_type(w, "badge", ",\"match\":{\"atr\":[\"3B\"]}"));
    assert_string_equal(test_text(w, "name"), "badge");
    assert_true(json_is_array(json_object_get(w->json, "warnings")));
    assert_int_equal(json_array_size(json_object_get(w->json, "warnings")), 0);
    WANT(w, 409, test_add_type(w, "badge", ""));

    static const char put[] =
        "{\"name\":\"badge\",\"scp\":\"03\",\"i\":\"70\",\"kvn\":\"31\",\"key\":\"master\","
        "\"kdf\":\"none\"}";
    ASK(w, 400, "PUT", "/api/v1/types/other", put);
    has_message(w, "malformed", "path");
    ASK(w, 200, "PUT", "/api/v1/types/badge", put);
    assert_int_equal(json_array_size(json_object_get(w->json, "warnings")), 1);
    ASK(w, 200, "GET", "/api/v1/types/badge", NULL);
    assert_string_equal(test_text(w, "kvn"), "31");
    assert_string_equal(test_text(w, "kdf"), "none");
    /* What was told can be put back as it is. */
    char *told = strdup(w->text);
    ASK(w, 200, "PUT", "/api/v1/types/badge", told);
    assert_non_null(json_object_get(w->json, "created"));
    free(told);
    ASK(w, 422, "POST", "/api/v1/types",
        "{\"name\":\"x\",\"scp\":\"03\",\"i\":\"99\",\"kvn\":\"30\",\"key\":\"master\",\"kdf\":\"none\"}");
    ASK(w, 204, "DELETE", "/api/v1/types/badge", NULL);
    ASK(w, 404, "DELETE", "/api/v1/types/badge", NULL);
    ASK(w, 404, "GET", "/api/v1/types/badge", NULL);
}

static void a_type_and_its_key_go_together(void **state)
{
    struct test_world *w = *state;
    WANT(w, 201, test_add_key(w, "master", 1, KEY_DES3, 1));
    WANT(w, 422, test_add_type(w, "badge", ""));
    has_message(w, "refused", "des3");
    ASK(w, 201, "POST", "/api/v1/types",
        "{\"name\":\"old\",\"scp\":\"02\",\"i\":\"15\",\"kvn\":\"30\",\"key\":\"master\",\"kdf\":\"visa2\"}");
    assert_true(json_array_size(json_object_get(w->json, "warnings")) >= 1);
    ASK(w, 200, "POST", "/api/v1/keys/master/1/retire", "");
    ASK(w, 422, "POST", "/api/v1/types",
        "{\"name\":\"new\",\"scp\":\"02\",\"i\":\"15\",\"kvn\":\"30\",\"key\":\"master\",\"kdf\":\"visa2\"}");
    has_message(w, "refused", "retired");
    ASK(w, 201, "POST", "/api/v1/types",
        "{\"name\":\"own\",\"scp\":\"02\",\"i\":\"15\",\"kvn\":\"30\",\"kdf\":\"imported\"}");

    char body[4096];
    struct key_attributes a = {
        .name = "d", .version = 1, .use = KEY_USE_DERIVE, .type = KEY_AES, .key_len = 16};
    test_key_body(w, &a, NULL, 1, body, sizeof(body));
    ASK(w, 201, "POST", "/api/v1/keys", body);
    assert_int_equal(json_array_size(json_object_get(w->json, "check_values")), 1);
    ASK(w, 422, "POST", "/api/v1/types",
        "{\"name\":\"new\",\"scp\":\"03\",\"i\":\"70\",\"kvn\":\"30\",\"key\":\"d\",\"kdf\":\"none\"}");
    has_message(w, "refused", "not a master key");
}

/* Otherwise the next session would burn a try of its card with a key that cannot be right. */
static void a_new_version_must_do_for_the_types_that_name_the_key(void **state)
{
    struct test_world *w = *state;
    char body[4096];
    struct key_attributes a = {
        .name = "master", .version = 2, .use = KEY_USE_DERIVE, .type = KEY_AES, .key_len = 16};
    WANT(w, 201, test_add_key(w, "master", 1, KEY_AES, 1));
    WANT(w, 201, test_add_type(w, "badge", ""));
    WANT(w, 422, test_add_key(w, "master", 2, KEY_DES3, 1));
    has_message(w, "refused", "des3");
    test_key_body(w, &a, NULL, 1, body, sizeof(body));
    ASK(w, 422, "POST", "/api/v1/keys", body);
    has_message(w, "refused", "not a master key");
    WANT(w, 201, test_add_key(w, "other", 2, KEY_DES3, 1));
    WANT(w, 201, test_add_key(w, "master", 2, KEY_AES, 2));
}

/* card-rules: well-known default keys only in a type that says virgin. */
static void default_keys_are_for_virgin_cards(void **state)
{
    struct test_world *w = *state;
    WANT(w, 201, test_add_key(w, "master", 1, KEY_AES, 0x40));
    assert_int_equal(json_array_size(json_object_get(w->json, "warnings")), 1);
    WANT(w, 422, test_add_type(w, "badge", ""));
    has_message(w, "refused", "well-known");
    WANT(w, 201, test_add_type(w, "fresh", ",\"virgin\":true"));

    /* An older version that is not retired would be used again when a newer one is retired. */
    WANT(w, 201, test_add_key(w, "master", 2, KEY_AES, 1));
    WANT(w, 422, test_add_type(w, "badge", ""));
    ASK(w, 200, "POST", "/api/v1/keys/master/1/retire", "");
    WANT(w, 201, test_add_type(w, "badge", ""));

    /* And the other way round: the key comes after the type. */
    WANT(w, 422, test_add_key(w, "master", 3, KEY_AES, 0x40));
    has_message(w, "refused", "well-known");
    char body[4096];
    struct key_attributes a = {
        .name = "c", .version = 1, .use = KEY_USE_CARD, .type = KEY_AES, .key_len = 16, .card = "4790"};
    test_key_body(w, &a, NULL, 0x40, body, sizeof(body));
    ASK(w, 422, "POST", "/api/v1/keys", body);
}

/* ---- orders ---- */

static void an_order_has_a_ticket_that_is_shown_once(void **state)
{
    struct test_world *w = *state;
    char id[64], ticket[64], path[128], url[256], digest_hex[2 * DIGEST_LEN + 1];
    WANT(w, 201, test_add_app(w, "till", CAP("till-jc222.cap"), ",\"approved\":true"));
    ASK(w, 201, "POST", "/api/v1/orders", "{\"purpose\":\"install\",\"app\":\"till\"}");
    snprintf(id, sizeof(id), "%s", test_text(w, "id"));
    snprintf(ticket, sizeof(ticket), "%s", test_text(w, "ticket"));
    assert_int_equal(strlen(id), ID_TEXT);
    assert_int_equal(strlen(ticket), 43);
    snprintf(url, sizeof(url), "https://cards.example.org:8443/gp/adm?t=%s", ticket);
    assert_string_equal(test_text(w, "url"), url);
    assert_int_equal(strncmp(test_text(w, "link"), "cardferry:", 10), 0);
    snprintf(url, sizeof(url), "https://cards.example.org:8443/i#%s", ticket);
    assert_string_equal(test_text(w, "invitation"), url);
    assert_string_equal(test_text(w, "state"), "open");
    assert_string_equal(test_text(w, "level"), "");
    assert_false(json_is_true(json_object_get(w->json, "offer")));
    assert_int_equal(test_number(w, "cards"), 1);
    assert_int_equal(test_number(w, "cards_left"), 1);
    assert_int_equal(test_number(w, "openings_left"), 3);

    snprintf(path, sizeof(path), "/api/v1/orders/%s", id);
    ASK(w, 200, "GET", path, NULL);
    assert_null(strstr(w->text, ticket));
    assert_null(json_object_get(w->json, "ticket"));
    assert_null(json_object_get(w->json, "invitation"));
    ASK(w, 200, "GET", "/api/v1/audit", NULL);
    assert_null(strstr(w->text, ticket));
    assert_string_equal(item_text(w, 0, "object"), id);

    /* The store has the digest alone. */
    uint8_t digest[DIGEST_LEN];
    struct view text = view_str(ticket);
    struct order_row row;
    assert_int_equal(crypto_digest(w->client_crypto, DIGEST_SHA256, &text, 1, digest), OK);
    assert_int_equal(w->beside.ops->get_order_by_ticket(w->beside.ctx, digest, &row), OK);
    assert_string_equal(row.id, id);
    hex_write(digest_hex, VIEW_OF(digest));

    ASK(w, 409, "DELETE", "/api/v1/apps/till", NULL);
    has_message(w, "in-use", "'till'");
    snprintf(path, sizeof(path), "/api/v1/orders/%s/cancel", id);
    ASK(w, 200, "POST", path, "");
    assert_string_equal(test_text(w, "state"), "cancelled");
    ASK(w, 409, "POST", path, "");
    ASK(w, 404, "POST", "/api/v1/orders/0/cancel", "");
    ASK(w, 404, "GET", "/api/v1/orders/0", NULL);
    ASK(w, 204, "DELETE", "/api/v1/apps/till", NULL);
}

static bool ticket_is_known(struct test_world *w, const char *ticket)
{
    uint8_t digest[DIGEST_LEN];
    struct view text = view_str(ticket);
    struct order_row row;
    assert_int_equal(crypto_digest(w->client_crypto, DIGEST_SHA256, &text, 1, digest), OK);
    return w->beside.ops->get_order_by_ticket(w->beside.ctx, digest, &row) == OK;
}

static void an_order_gets_another_ticket(void **state)
{
    struct test_world *w = *state;
    char first[64], second[64], path[128], cancel[128];
    ASK(w, 201, "POST", "/api/v1/orders", "{\"purpose\":\"inspect\",\"cards\":5,\"expires_s\":60}");
    snprintf(first, sizeof(first), "%s", test_text(w, "ticket"));
    snprintf(path, sizeof(path), "/api/v1/orders/%s/ticket", test_text(w, "id"));
    snprintf(cancel, sizeof(cancel), "/api/v1/orders/%s/cancel", test_text(w, "id"));
    ASK(w, 201, "POST", path, "");
    snprintf(second, sizeof(second), "%s", test_text(w, "ticket"));
    assert_int_equal(strlen(second), 43);
    assert_string_not_equal(first, second);
    assert_non_null(strstr(test_text(w, "url"), second));
    assert_non_null(strstr(test_text(w, "invitation"), second));
    assert_int_equal(strncmp(test_text(w, "link"), "cardferry:", 10), 0);
    assert_int_equal(test_number(w, "cards"), 5);
    assert_false(ticket_is_known(w, first));
    assert_true(ticket_is_known(w, second));
    ASK(w, 200, "GET", "/api/v1/audit?match=order.ticket", NULL);
    assert_int_equal(items(w), 1);
    assert_null(strstr(w->text, second));

    w->clock_ahead_ms = 61 * 1000;
    ASK(w, 409, "POST", path, "");
    has_message(w, "state", "is not open");
    w->clock_ahead_ms = 0;
    ASK(w, 200, "POST", cancel, "");
    ASK(w, 409, "POST", path, "");
    ASK(w, 404, "POST", "/api/v1/orders/0/ticket", "");
    assert_true(ticket_is_known(w, second)); /* and it is said to be cancelled */
}

static void an_offer_is_for_everybody(void **state)
{
    struct test_world *w = *state;
    char ticket[64], path[128];
    ASK(w, 201, "POST", "/api/v1/orders", "{\"purpose\":\"inspect\",\"cards\":100,\"offer\":true}");
    snprintf(ticket, sizeof(ticket), "%s", test_text(w, "ticket"));
    snprintf(path, sizeof(path), "/api/v1/orders/%s", test_text(w, "id"));
    assert_true(json_is_true(json_object_get(w->json, "offer")));
    ASK(w, 200, "GET", path, NULL);
    assert_true(json_is_true(json_object_get(w->json, "offer")));
    assert_string_equal(test_text(w, "ticket"), ticket);
    assert_non_null(strstr(test_text(w, "invitation"), ticket));
    assert_non_null(strstr(test_text(w, "url"), ticket));
    ASK(w, 200, "GET", "/api/v1/orders", NULL);
    assert_null(strstr(w->text, ticket));
    /* It stays one with another ticket. */
    strncat(path, "/ticket", sizeof(path) - strlen(path) - 1);
    ASK(w, 201, "POST", path, "");
    assert_string_not_equal(test_text(w, "ticket"), ticket);
    snprintf(ticket, sizeof(ticket), "%s", test_text(w, "ticket"));
    path[strlen(path) - strlen("/ticket")] = '\0';
    ASK(w, 200, "GET", path, NULL);
    assert_string_equal(test_text(w, "ticket"), ticket);
    assert_true(ticket_is_known(w, ticket));
}

static void orders_are_filtered(void **state)
{
    struct test_world *w = *state;
    char id[64];
    WANT(w, 201, test_add_app(w, "till", CAP("till-jc222.cap"), ",\"approved\":true"));
    ASK(w, 201, "POST", "/api/v1/orders", "{\"purpose\":\"inspect\",\"card\":\"47\"}");
    snprintf(id, sizeof(id), "%s", test_text(w, "id"));
    ASK(w, 201, "POST", "/api/v1/orders", "{\"purpose\":\"inspect\",\"expires_s\":60}");
    ASK(w, 201, "POST", "/api/v1/orders", "{\"purpose\":\"remove\",\"app\":\"till\"}");
    ASK(w, 200, "GET", "/api/v1/orders?state=open", NULL);
    assert_int_equal(items(w), 3);
    w->clock_ahead_ms = 61 * 1000;
    ASK(w, 200, "GET", "/api/v1/orders?state=open", NULL);
    assert_int_equal(items(w), 2);
    ASK(w, 200, "GET", "/api/v1/orders?card=47", NULL);
    assert_int_equal(items(w), 1);
    assert_string_equal(item_text(w, 0, "id"), id);
    ASK(w, 200, "GET", "/api/v1/orders?app=till&state=open", NULL);
    assert_int_equal(items(w), 1);
    assert_string_equal(item_text(w, 0, "purpose"), "remove");
    ASK(w, 200, "GET", "/api/v1/orders?app=other", NULL);
    assert_int_equal(items(w), 0);
    ASK(w, 400, "GET", "/api/v1/orders?state=done", NULL);
    has_message(w, "malformed", "'state'");
}

static void an_order_that_names_nothing_is_refused(void **state)
{
    struct test_world *w = *state;
    static const struct {
        const char *body, *part;
    } rows[] = {{"{\"purpose\":\"install\",\"app\":\"none\"}", "application 'none'"},
                {"{\"purpose\":\"inspect\",\"type\":\"none\"}", "card type 'none'"},
                {"{\"purpose\":\"inspect\",\"level\":\"00\"}", "authenticate"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ASK(w, 422, "POST", "/api/v1/orders", rows[i].body);
        has_message(w, "refused", rows[i].part);
    }
}

static void an_order_may_only_raise_the_level(void **state)
{
    struct test_world *w = *state;
    static const struct {
        const char *level;
        long status;
    } rows[] = {{"11", 201}, {"13", 201}, {"33", 201}, {"01", 422}, {"03", 422}, {"00", 422}, {"FF", 422}};
    WANT(w, 201, test_add_key(w, "master", 1, KEY_AES, 1));
    WANT(w, 201, test_add_type(w, "badge", ",\"level\":\"11\""));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char body[128];
        snprintf(body, sizeof(body), "{\"purpose\":\"inspect\",\"type\":\"badge\",\"level\":\"%s\"}",
                 rows[i].level);
        if (test_ask(w, "POST", "/api/v1/orders", body) != rows[i].status)
            fail_msg("level %s: %ld %s", rows[i].level, w->status, w->text);
    }
}

static void an_old_order_is_told_as_expired(void **state)
{
    struct test_world *w = *state;
    char path[128];
    ASK(w, 201, "POST", "/api/v1/orders", "{\"purpose\":\"inspect\",\"expires_s\":60}");
    snprintf(path, sizeof(path), "/api/v1/orders/%s", test_text(w, "id"));
    w->clock_ahead_ms = 59 * 1000 - 500;
    ASK(w, 200, "GET", path, NULL);
    assert_string_equal(test_text(w, "state"), "open");
    w->clock_ahead_ms = 61 * 1000;
    ASK(w, 200, "GET", path, NULL);
    assert_string_equal(test_text(w, "state"), "expired");
}

/* ---- cards and sessions, which the dialogue writes ---- */

static void put_card(struct test_world *w, const char *type)
{
    struct identity id = {.atr = {0x3B, 0x00}, .atr_len = 2, .scps = {{3, 0x70}}, .scp_count = 1};
    struct writer encoded;
    wr_heap(&encoded, 4096);
    assert_int_equal(identity_encode(&id, &encoded), OK);
    struct card_row card = {.number = "4790-01",
                            .identity = {encoded.data, encoded.len},
                            .pinned_scp = 3,
                            .pinned_i = -1,
                            .pinned_kvn = 0x30,
                            .quarantined = true,
                            .reason = "one wrong cryptogram",
                            .seen_ms = 1};
    struct ledger_row ledger = {.card = "4790-01", .kvn = 0x30};
    snprintf(card.type, sizeof(card.type), "%s", type);
    struct change set[] = {{.kind = CARD_PUT, .row.card = &card},
                           {.kind = LEDGER_WRONG, .row.ledger = &ledger, .now_ms = 5}};
    assert_int_equal(test_apply(&w->beside, set, 2).e, OK);
    wr_free(&encoded);
}

static void a_card_is_told_and_released(void **state)
{
    struct test_world *w = *state;
    WANT(w, 201, test_add_key(w, "master", 1, KEY_AES, 1));
    WANT(w, 201, test_add_type(w, "badge", ",\"level\":\"11\""));
    put_card(w, "badge");
    ASK(w, 200, "GET", "/api/v1/cards/4790-01", NULL);
    assert_string_equal(test_text(w, "type"), "badge");
    assert_string_equal(test_text(w, "scp"), "03");
    assert_string_equal(test_text(w, "i"), "");
    assert_string_equal(test_text(w, "reason"), "one wrong cryptogram");
    assert_true(json_is_true(json_object_get(w->json, "quarantined")));
    assert_true(json_is_null(json_object_get(w->json, "registry")));
    assert_string_equal(json_string_value(json_object_get(json_object_get(w->json, "identity"), "atr")),
                        "3B00");
    const json_t *ledger = json_array_get(json_object_get(w->json, "ledger"), 0);
    assert_string_equal(json_string_value(json_object_get(ledger, "kvn")), "30");
    assert_int_equal(json_integer_value(json_object_get(ledger, "wrong_cryptograms")), 1);
    ASK(w, 409, "DELETE", "/api/v1/types/badge", NULL);
    ASK(w, 200, "GET", "/api/v1/cards?set_aside=true", NULL);
    assert_int_equal(items(w), 1);

    /* Its type decides about an order for it, and another type is refused. */
    ASK(w, 422, "POST", "/api/v1/orders", "{\"purpose\":\"inspect\",\"card\":\"4790-01\",\"level\":\"01\"}");
    WANT(w, 201, test_add_type(w, "other", ""));
    ASK(w, 422, "POST", "/api/v1/orders",
        "{\"purpose\":\"inspect\",\"card\":\"4790-01\",\"type\":\"other\"}");

    ASK(w, 404, "POST", "/api/v1/cards/4790-02/release", "{\"reason\":\"looked at\"}");
    has_message(w, "not-found", "'4790-02' is no card that the server knows");
    ASK(w, 200, "POST", "/api/v1/cards/4790-01/release", "{\"reason\":\"looked at it\"}");
    assert_false(json_is_true(json_object_get(w->json, "quarantined")));
    assert_int_equal(json_array_size(json_object_get(w->json, "ledger")), 0);
    ASK(w, 200, "GET", "/api/v1/audit?card=4790-01", NULL);
    assert_int_equal(items(w), 1);
    assert_string_equal(item_text(w, 0, "what"), "card.released");
    assert_string_equal(item_text(w, 0, "detail"), "looked at it");
    ASK(w, 200, "GET", "/api/v1/cards?match=4790", NULL);
    assert_int_equal(items(w), 1);
    ASK(w, 200, "GET", "/api/v1/cards?type=badge", NULL);
    assert_int_equal(items(w), 1);
    ASK(w, 200, "GET", "/api/v1/cards?type=other", NULL);
    assert_int_equal(items(w), 0);
    ASK(w, 200, "GET", "/api/v1/cards?set_aside=true", NULL);
    assert_int_equal(items(w), 0);
    ASK(w, 400, "GET", "/api/v1/cards?set_aside=false", NULL);
    ASK(w, 404, "GET", "/api/v1/cards/1", NULL);
}

/* Its openings were counted, but its answers never came: there is a ledger and no card. */
static void a_card_that_never_answered_is_released(void **state)
{
    struct test_world *w = *state;
    struct ledger_row ledger = {.card = "4790-03", .kvn = 0x30};
    struct change opening = {.kind = LEDGER_OPENING, .row.ledger = &ledger, .limit = 3, .now_ms = 5};
    assert_int_equal(test_apply(&w->beside, &opening, 1).e, OK);
    ASK(w, 200, "POST", "/api/v1/cards/4790-03/release", "{\"reason\":\"looked at it\"}");
    assert_string_equal(test_text(w, "number"), "4790-03");
    ASK(w, 404, "POST", "/api/v1/cards/4790-03/release", "{\"reason\":\"looked at it\"}");
}

static void sessions_are_told_without_their_secrets(void **state)
{
    struct test_world *w = *state;
    char order[64], path[128];
    ASK(w, 201, "POST", "/api/v1/orders", "{\"purpose\":\"inspect\"}");
    snprintf(order, sizeof(order), "%s", test_text(w, "id"));
    struct session_row row = {.id = "00ff",
                              .token_digest = {1},
                              .card = "4790",
                              .state = {(uint8_t *)"SECRET STATE", 12},
                              .reply = {(uint8_t *)"SECRET REPLY", 12},
                              .step = "done",
                              .outcome = "confirmed",
                              .reason = "none",
                              .detail = "all is well",
                              .posts = 3,
                              .created_ms = 1,
                              .updated_ms = 1700000000123};
    memcpy(row.order, order, sizeof(row.order));
    struct change add = {.kind = SESSION_ADD, .row.session = &row};
    assert_int_equal(test_apply(&w->beside, &add, 1).e, OK);
    ASK(w, 200, "GET", "/api/v1/sessions/00ff", NULL);
    assert_null(strstr(w->text, "SECRET"));
    assert_string_equal(test_text(w, "outcome"), "confirmed");
    assert_string_equal(test_text(w, "updated"), "2023-11-14T22:13:20.123Z");
    assert_int_equal(test_number(w, "posts"), 3);
    snprintf(path, sizeof(path), "/api/v1/sessions?order=%s", order);
    ASK(w, 200, "GET", path, NULL);
    assert_int_equal(items(w), 1);
    ASK(w, 200, "GET", "/api/v1/sessions?card=4791", NULL);
    assert_int_equal(items(w), 0);
    ASK(w, 200, "GET", "/api/v1/sessions?state=running", NULL);
    assert_int_equal(items(w), 0);
    ASK(w, 400, "GET", "/api/v1/sessions?state=ended", NULL);
    ASK(w, 404, "GET", "/api/v1/sessions/0", NULL);
}

/* A SELECT and a LOAD that was answered; what is in the row is told, and no more. */
static void the_dialogue_of_a_session_is_told(void **state)
{
    struct test_world *w = *state;
    static const uint8_t trace[] = {1,    0,    0,    0, 0, 0,    0, 0x27, 0x10, 3, 0,    2,
                                    0x80, 0xE6, 2,    0, 0, 0x13, 5, 0xA0, 0,    0, 0,    1,
                                    0x80, 0xE8, 0x80, 0, 0, 200,  0, 2,    0,    1, 0x6A, 0x84};
    struct session_row row = {
        .id = "00aa", .created_ms = 1, .dialogue = {(uint8_t *)(uintptr_t)trace, sizeof(trace)}};
    struct change add = {.kind = SESSION_ADD, .row.session = &row};
    assert_int_equal(test_apply(&w->beside, &add, 1).e, OK);
    ASK(w, 200, "GET", "/api/v1/sessions/00aa/dialogue", NULL);
    assert_string_equal(
        w->text,
        "{\"turns\":[{\"time\":\"1970-01-01T00:00:10.000Z\",\"step\":\"deliver\",\"commands\":["
        "{\"header\":\"80E60200\",\"bytes\":19,\"aid\":\"A000000001\",\"sw\":\"6A84\"},"
        "{\"header\":\"80E88000\",\"bytes\":200,\"aid\":\"A000000001\",\"sw\":\"\"}]}],\"cut\":false}");
    ASK(w, 404, "GET", "/api/v1/sessions/0/dialogue", NULL);
    row.dialogue.len--;
    snprintf(row.id, sizeof(row.id), "00ab");
    assert_int_equal(test_apply(&w->beside, &add, 1).e, OK);
    ASK(w, 500, "GET", "/api/v1/sessions/00ab/dialogue", NULL); /* a damaged row */
}

static json_int_t day_number(const struct test_world *w, size_t n, const char *outcome)
{
    return json_integer_value(json_object_get(json_array_get(json_object_get(w->json, "days"), n), outcome));
}

static void the_overview_counts(void **state)
{
    struct test_world *w = *state;
    static const struct {
        const char *id, *outcome, *reason;
        unsigned days_ago;
    } sessions[] = {{"1", "failed", "card-pulled", 0},  {"2", "failed", "wrong-card", 0},
                    {"3", "failed", "card-pulled", 29}, {"4", "confirmed", "none", 1},
                    {"5", "failed", "card-pulled", 30}, {"6", "", "", 0},
                    {"7", "unknown", "no-answer", 29},  {"8", "", "", 0}};
    uint64_t now = test_now(w);
    ASK(w, 200, "GET", "/api/v1/overview", NULL);
    assert_int_equal(test_number(w, "sessions_now"), 0);
    assert_int_equal(json_array_size(json_object_get(w->json, "days")), 30);
    for (size_t i = 0; i < sizeof(sessions) / sizeof(sessions[0]); i++) {
        struct session_row row = {.created_ms = 1, .updated_ms = now - sessions[i].days_ago * 86400000ULL};
        snprintf(row.id, sizeof(row.id), "%s", sessions[i].id);
        snprintf(row.card, sizeof(row.card), "4790");
        snprintf(row.step, sizeof(row.step), "deliver");
        snprintf(row.outcome, sizeof(row.outcome), "%s", sessions[i].outcome);
        snprintf(row.reason, sizeof(row.reason), "%s", sessions[i].reason);
        struct change add = {.kind = SESSION_ADD, .row.session = &row};
        assert_int_equal(test_apply(&w->beside, &add, 1).e, OK);
    }
    WANT(w, 201, test_add_key(w, "master", 1, KEY_AES, 1));
    WANT(w, 201, test_add_type(w, "badge", ""));
    put_card(w, "badge");
    ASK(w, 201, "POST", "/api/v1/orders", "{\"purpose\":\"inspect\"}");
    WANT(w, 201, test_add_app(w, "till", CAP("till-jc222.cap"), ""));

    ASK(w, 200, "GET", "/api/v1/overview", NULL);
    assert_int_equal(test_number(w, "sessions_now"), 2);
    const json_t *running = json_object_get(w->json, "sessions");
    assert_int_equal(json_array_size(running), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(running, 0), "id")), "8");
    assert_string_equal(json_string_value(json_object_get(json_array_get(running, 0), "step")), "deliver");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(running, 0), "total")), 0);
    assert_int_equal(day_number(w, 29, "failed"), 2);
    assert_int_equal(day_number(w, 28, "confirmed"), 1);
    assert_int_equal(day_number(w, 0, "failed"), 1); /* and not the one of a day before */
    assert_int_equal(day_number(w, 0, "unknown"), 1);
    assert_int_equal(day_number(w, 1, "reported"), 0);
    const json_t *reasons = json_object_get(w->json, "reasons"), *most = json_array_get(reasons, 0);
    assert_int_equal(json_array_size(reasons), 2);
    assert_string_equal(json_string_value(json_object_get(most, "reason")), "card-pulled");
    assert_int_equal(json_integer_value(json_object_get(most, "count")), 2);
    assert_int_equal(test_number(w, "cards"), 1);
    assert_int_equal(test_number(w, "set_aside"), 1);
    assert_int_equal(test_number(w, "orders_open"), 1);
    assert_int_equal(test_number(w, "apps_waiting"), 1);
    char today[32];
    const time_t seconds = (time_t)(now / 1000);
    struct tm tm;
    strftime(today, sizeof(today), "%Y-%m-%d", gmtime_r(&seconds, &tm));
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(json_object_get(w->json, "days"), 29), "day")),
        today);
}

/* ---- listings ---- */

static void listings_have_pages(void **state)
{
    struct test_world *w = *state;
    WANT(w, 201, test_add_key(w, "master", 1, KEY_AES, 1));
    for (int i = 0; i < 5; i++) {
        char name[8];
        snprintf(name, sizeof(name), "t%d", i);
        WANT(w, 201, test_add_type(w, name, ""));
    }
    ASK(w, 200, "GET", "/api/v1/types", NULL);
    assert_int_equal(items(w), 5);
    assert_null(json_object_get(w->json, "next"));
    ASK(w, 200, "GET", "/api/v1/types?limit=5", NULL);
    assert_null(json_object_get(w->json, "next")); /* just full is the last page */
    ASK(w, 200, "GET", "/api/v1/types?limit=4", NULL);
    assert_string_equal(test_text(w, "next"), "t3");
    ASK(w, 200, "GET", "/api/v1/types?limit=4&after=t3", NULL);
    assert_int_equal(items(w), 1);
    ASK(w, 200, "GET", "/api/v1/types?match=t2", NULL);
    assert_int_equal(items(w), 1);
    ASK(w, 200, "GET", "/api/v1/audit?limit=2", NULL);
    assert_string_equal(test_text(w, "next"), "5");
    ASK(w, 200, "GET", "/api/v1/audit?limit=2&after=5", NULL);
    assert_string_equal(item_text(w, 0, "object"), "t2");
    assert_string_equal(item_text(w, 0, "who"), "admin token");
    static const char *const bad[] = {"limit=0", "limit=201", "limit=x", "limit=", "limit=1x", "limit=-1"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char path[64];
        snprintf(path, sizeof(path), "/api/v1/types?%s", bad[i]);
        ASK(w, 400, "GET", path, NULL);
    }
    ASK(w, 200, "GET", "/api/v1/types?limit=200", NULL);
    char path[300] = "/api/v1/types?after=";
    memset(path + strlen(path), 'a', 150);
    ASK(w, 400, "GET", path, NULL);
}

/* ---- policy ---- */

static void weak_choices_need_a_policy(void **state)
{
    struct test_world *w = *state;
    static const struct {
        const char *body, *message;
    } rows[] = {
        {"{\"name\":\"o\",\"scp\":\"01\",\"i\":\"05\",\"kvn\":\"30\",\"key\":\"m\",\"kdf\":\"visa2\"}",
         "allow_weak = scp01"},
        {"{\"name\":\"o\",\"scp\":\"01\",\"i\":\"15\",\"kvn\":\"30\",\"kdf\":\"imported\"}",
         "allow_weak = scp01"},
        {"{\"name\":\"o\",\"scp\":\"01\",\"i\":\"15\",\"kvn\":\"30\",\"kdf\":\"imported\",\"single_des\":"
         "true}",
         "allow_weak = des"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ASK(w, 422, "POST", "/api/v1/types", rows[i].body);
        has_message(w, "refused", rows[i].message);
    }
}

/* SHA-1 in a sequence, too; where the policy has it, it is told. */
static void a_weak_hash_needs_a_policy(void **state)
{
    struct test_world *w = *state;
    WANT(w, 422, test_add_app(w, "s", CAP("till-jc222.cap"), ",\"sequence\":\"load hash=sha1\\n\""));
    has_message(w, "refused", "allow_weak = sha1");
    WANT(w, 201, test_add_app(w, "s", CAP("till-jc222.cap"), ",\"sequence\":\"load hash=sha256\\n\""));
    ASK(w, 422, "PUT", "/api/v1/apps/s/sequence", "load hash=sha1\n");
    has_message(w, "refused", "allow_weak = sha1");
    ASK(w, 200, "PUT", "/api/v1/apps/s/sequence", "load hash=sha384\n");
    assert_null(json_object_get(w->json, "warnings"));
}

/* ---- limits ---- */

static void a_long_body_is_too_large(void **state)
{
    struct test_world *w = *state;
    static char body[36 * 1024];
    memset(body, ' ', sizeof(body) - 1);
    memcpy(body, "{\"purpose\":\"inspect\"}", strlen("{\"purpose\":\"inspect\"}"));
    static const char *const paths[] = {"/api/v1/orders", "/api/v1/keys", "/api/v1/types",
                                        "/api/v1/cards/1/release"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        ASK(w, 413, "POST", paths[i], body);
        has_message(w, "too-large", "longer");
    }
}

static void limit_files(rlim_t bytes)
{
    struct rlimit limit = {bytes, RLIM_INFINITY};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_is_told_and_changes_nothing(void **state)
{
    struct test_world *w = *state;
    void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
    WANT(w, 201, test_add_app(w, "till", CAP("till-jc222.cap"), ""));
    limit_files(4096);
    WANT(w, 507, test_add_app(w, "hello", CAP("hello-jc222.cap"), ""));
    has_message(w, "disk-full", "no space");
    ASK(w, 507, "DELETE", "/api/v1/apps/till", NULL);
    ASK(w, 507, "POST", "/api/v1/orders", "{\"purpose\":\"inspect\"}");
    assert_null(json_object_get(w->json, "ticket"));
    ASK(w, 503, "GET", "/health", NULL);
    assert_string_equal(test_text(w, "store"), "no space is left on the disk");
    assert_string_equal(test_text(w, "keeper"), "ok");
    ASK(w, 404, "GET", "/api/v1/apps/hello", NULL);
    ASK(w, 200, "GET", "/api/v1/apps/till", NULL);
    ASK(w, 200, "GET", "/api/v1/orders", NULL);
    assert_int_equal(items(w), 0);
    ASK(w, 200, "GET", "/api/v1/audit", NULL);
    assert_int_equal(items(w), 1);

    limit_files(RLIM_INFINITY);
    signal(SIGXFSZ, before);
    w->clock_ahead_ms = 2000;
    ASK(w, 200, "GET", "/health", NULL);
    WANT(w, 201, test_add_app(w, "hello", CAP("hello-jc222.cap"), ""));
}

/* ---- the server itself ---- */

static void health_says_what_fails(void **state)
{
    struct test_world *w = *state;
    w->token = NULL;
    ASK(w, 200, "GET", "/health", NULL);
    assert_string_equal(test_text(w, "status"), "ok");
    assert_string_equal(test_text(w, "store"), "ok");
    assert_string_equal(test_text(w, "keeper"), "ok");
    w->keeper_silent = true;
    ASK(w, 200, "GET", "/health", NULL); /* looked at within a second */
    w->clock_ahead_ms = 2000;
    ASK(w, 503, "GET", "/health", NULL);
    assert_string_equal(test_text(w, "status"), "failing");
    assert_string_equal(test_text(w, "store"), "ok");
    assert_string_equal(test_text(w, "keeper"), "no answer in time");
    w->keeper_silent = false;
    w->clock_ahead_ms = 4000;
    ASK(w, 200, "GET", "/health", NULL);
}

static void metrics_count(void **state)
{
    struct test_world *w = *state;
    ASK(w, 404, "GET", "/api/v1/cards/0", NULL);
    ASK(w, 200, "GET", "/metrics", NULL);
    static const char *const lines[] = {"# TYPE cardferry_posts_total counter\n",
                                        "cardferry_sessions_total{outcome=\"confirmed\"} 0\n",
                                        "cardferry_http_requests_total{status=\"404\"} ",
                                        "cardferry_store_commits_total ",
                                        "cardferry_store_batch_max ",
                                        "cardferry_keeper_requests_total "};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        if (strstr(w->text, lines[i]) == NULL)
            fail_msg("no '%s' in %s", lines[i], w->text);
}

static void the_server_tells_its_import_key(void **state)
{
    struct test_world *w = *state;
    uint8_t key[33];
    struct writer out;
    ASK(w, 200, "GET", "/api/v1/server", NULL);
    wr_fixed(&out, key, sizeof(key));
    assert_int_equal(base64url_read(view_str(test_text(w, "import_key")), &out), OK);
    assert_true(view_equal(wr_view_of(&out), VIEW_OF(w->import_key)));
    assert_string_equal(test_text(w, "version"), CF_VERSION);
    w->keeper_silent = true;
    ASK(w, 503, "GET", "/api/v1/server", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define ROW(f) cmocka_unit_test_setup_teardown(f, test_world_setup, test_world_teardown)
        ROW(strangers_learn_nothing),
        ROW(a_client_certificate_is_as_good_as_the_token),
        ROW(paths_and_methods_are_told_apart),
        ROW(an_application_is_added_and_told),
        ROW(an_application_is_approved_before_it_is_ordered),
        ROW(an_application_has_texts),
        ROW(what_is_inside_a_cap_is_told),
        ROW(bad_cap_files_are_refused_in_words),
        ROW(bad_bodies_are_malformed),
        ROW(base64_of_both_kinds_is_taken),
        ROW(a_sequence_is_checked),
        ROW(install_choices_make_the_sequence),
        ROW(a_key_is_imported_and_never_told),
        ROW(a_key_belongs_to_its_attributes),
        ROW(a_card_type_is_added_changed_and_removed),
        ROW(a_type_and_its_key_go_together),
        ROW(a_new_version_must_do_for_the_types_that_name_the_key),
        ROW(default_keys_are_for_virgin_cards),
        ROW(an_order_has_a_ticket_that_is_shown_once),
        ROW(an_order_gets_another_ticket),
        ROW(an_offer_is_for_everybody),
        ROW(orders_are_filtered),
        ROW(an_order_that_names_nothing_is_refused),
        ROW(an_order_may_only_raise_the_level),
        ROW(an_old_order_is_told_as_expired),
        ROW(a_card_is_told_and_released),
        ROW(a_card_that_never_answered_is_released),
        ROW(sessions_are_told_without_their_secrets),
        ROW(the_dialogue_of_a_session_is_told),
        ROW(the_overview_counts),
        ROW(listings_have_pages),
        ROW(weak_choices_need_a_policy),
        ROW(a_weak_hash_needs_a_policy),
        ROW(a_long_body_is_too_large),
        ROW(a_full_disk_is_told_and_changes_nothing),
        ROW(health_says_what_fails),
        ROW(metrics_count),
        ROW(the_server_tells_its_import_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
