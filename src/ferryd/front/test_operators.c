/* SPDX-License-Identifier: Apache-2.0
 *
 * Signing in at the operators' page: what a code, a certificate, a cookie and a page are good for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "front/operators.h"
#include "front/test_api_world.h"

/* ---- the tables ---- */

static uint64_t time_ms;

static uint64_t clock_now(void *ctx)
{
    (void)ctx;
    return time_ms;
}

struct table {
    struct crypto *crypto;
    struct operators *operators;
};

static int table_setup(void **state)
{
    static struct table t;
    time_ms = 1000000;
    *state = &t;
    return crypto_new(&t.crypto) == OK && operators_new(&t.operators, t.crypto, crypto_random(),
                                                        (struct clock_source){clock_now, NULL}) == OK
               ? 0
               : -1;
}

static int table_teardown(void **state)
{
    struct table *t = *state;
    operators_free(&t->operators);
    crypto_free(&t->crypto);
    return 0;
}

static void a_code_is_good_once(void **state)
{
    const struct table *t = *state;
    char code[OPERATOR_TOKEN_TEXT + 1], other[OPERATOR_TOKEN_TEXT + 1], who[NAME_MAX_BYTES + 1];
    uint64_t expires;
    assert_int_equal(operators_offer(t->operators, "ada", code, &expires), OK);
    assert_int_equal(operators_offer(t->operators, "bob", other, &expires), OK);
    assert_int_equal(expires, time_ms + 1000 * OPERATOR_CODE_S);
    assert_string_not_equal(code, other);
    assert_int_equal(operators_redeem(t->operators, "", who), ERR_AUTH);
    assert_int_equal(operators_redeem(t->operators, code, who), OK);
    assert_string_equal(who, "ada");
    assert_int_equal(operators_redeem(t->operators, code, who), ERR_AUTH);
    assert_int_equal(operators_redeem(t->operators, other, who), OK);
    assert_string_equal(who, "bob");
}

static void a_code_is_good_for_two_minutes(void **state)
{
    const struct table *t = *state;
    char code[OPERATOR_TOKEN_TEXT + 1], who[NAME_MAX_BYTES + 1];
    uint64_t expires;
    assert_int_equal(operators_offer(t->operators, "ada", code, &expires), OK);
    time_ms = expires;
    assert_int_equal(operators_redeem(t->operators, code, who), ERR_AUTH);
    assert_int_equal(operators_offer(t->operators, "ada", code, &expires), OK);
    time_ms = expires - 1;
    assert_int_equal(operators_redeem(t->operators, code, who), OK);
}

static void many_codes_make_room_for_each_other(void **state)
{
    const struct table *t = *state;
    static char codes[OPERATOR_CODES_MAX + 1][OPERATOR_TOKEN_TEXT + 1];
    char who[NAME_MAX_BYTES + 1];
    uint64_t expires;
    for (size_t i = 0; i <= OPERATOR_CODES_MAX; i++, time_ms++)
        assert_int_equal(operators_offer(t->operators, "ada", codes[i], &expires), OK);
    assert_int_equal(operators_redeem(t->operators, codes[0], who), ERR_AUTH);
    assert_int_equal(operators_redeem(t->operators, codes[1], who), OK);
    assert_int_equal(operators_redeem(t->operators, codes[OPERATOR_CODES_MAX], who), OK);
}

static void a_cookie_ends(void **state)
{
    const struct table *t = *state;
    char cookie[OPERATOR_TOKEN_TEXT + 1];
    struct operator_session in, found;
    assert_int_equal(operators_sign_in(t->operators, "ada", cookie, &in), OK);
    assert_int_equal(operators_find(t->operators, cookie, &found), OK);
    assert_string_equal(found.who, "ada");
    assert_string_equal(found.csrf, in.csrf);
    assert_int_equal(operators_find(t->operators, in.csrf, &found), ERR_AUTH);
    time_ms += 1000 * OPERATOR_IDLE_S - 1;
    assert_int_equal(operators_find(t->operators, cookie, &found), OK);
    time_ms += 1000 * OPERATOR_IDLE_S;
    assert_int_equal(operators_find(t->operators, cookie, &found), ERR_AUTH);
    time_ms -= 1000 * OPERATOR_IDLE_S;
    assert_int_equal(operators_find(t->operators, cookie, &found), ERR_AUTH); /* it is no more */
}

static void a_cookie_ends_although_it_is_used(void **state)
{
    const struct table *t = *state;
    char cookie[OPERATOR_TOKEN_TEXT + 1];
    struct operator_session in, found;
    assert_int_equal(operators_sign_in(t->operators, "ada", cookie, &in), OK);
    for (; time_ms < in.expires_ms; time_ms += 1000 * OPERATOR_IDLE_S / 2)
        assert_int_equal(operators_find(t->operators, cookie, &found), OK);
    assert_int_equal(operators_find(t->operators, cookie, &found), ERR_AUTH);
}

static void whoever_signs_out_is_out(void **state)
{
    const struct table *t = *state;
    char cookie[OPERATOR_TOKEN_TEXT + 1], other[OPERATOR_TOKEN_TEXT + 1];
    struct operator_session session;
    assert_int_equal(operators_sign_in(t->operators, "ada", cookie, &session), OK);
    assert_int_equal(operators_sign_in(t->operators, "bob", other, &session), OK);
    operators_sign_out(t->operators, "nobody");
    operators_sign_out(t->operators, cookie);
    assert_int_equal(operators_find(t->operators, cookie, &session), ERR_AUTH);
    assert_int_equal(operators_find(t->operators, other, &session), OK);
}

/* ---- over HTTPS ---- */

/* Asks, and fails with the answer when the status is another. */
static void ask(struct test_world *w, long want, const char *method, const char *path, const char *body)
{
    if (test_ask(w, method, path, body) != want)
        fail_msg("%s %s: %ld %s", method, path, w->status, w->text);
}

struct page {
    char origin[64], cookie[128], csrf[80], code[100];
};

static void clear_headers(struct test_world *w)
{
    memset(w->headers, 0, sizeof(w->headers));
}

/* From now on requests look as those of a page of this server; with what p has of cookie and CSRF token. */
static void as_page(struct test_world *w, struct page *p)
{
    clear_headers(w);
    w->token = NULL;
    snprintf(p->origin, sizeof(p->origin), "Origin: https://127.0.0.1:%u", http_port(w->http));
    w->headers[0] = p->origin;
    w->headers[1] = "Sec-Fetch-Site: same-origin";
    w->headers[2] = p->cookie[0] != '\0' ? p->cookie : NULL;
    w->headers[3] = p->csrf[0] != '\0' ? p->csrf : NULL;
}

static void take_code(struct test_world *w, struct page *p)
{
    clear_headers(w);
    w->token = TEST_TOKEN;
    ask(w, 201, "POST", "/api/v1/logins", "{}");
    const char *code = strstr(test_text(w, "url"), "https://cards.example.org:8443/console#login=");
    assert_non_null(code);
    assert_int_equal(strlen(strchr(code, '=') + 1), OPERATOR_TOKEN_TEXT);
    snprintf(p->code, sizeof(p->code), "{\"code\":\"%s\"}", strchr(code, '=') + 1);
}

static void keep_session(struct test_world *w, struct page *p)
{
    static const char attributes[] = "; Path=/; Secure; HttpOnly; SameSite=Strict";
    const char *header = test_header(w, "Set-Cookie"), *end = strchr(header, ';');
    assert_non_null(end);
    assert_string_equal(end, attributes);
    snprintf(p->cookie, sizeof(p->cookie), "Cookie: other=1; %.*s", (int)(end - header), header);
    snprintf(p->csrf, sizeof(p->csrf), "X-Ferry-CSRF: %s", test_text(w, "csrf"));
    assert_string_equal(test_text(w, "role"), "operator");
}

static void sign_in(struct test_world *w, struct page *p)
{
    take_code(w, p);
    as_page(w, p);
    ask(w, 200, "POST", "/api/v1/sign-in", p->code);
    keep_session(w, p);
    as_page(w, p);
}

static void a_link_signs_in_once(void **state)
{
    struct test_world *w = *state;
    struct page p = {0}, other = {0};
    sign_in(w, &p);
    ask(w, 200, "GET", "/api/v1/me", NULL);
    assert_string_equal(test_text(w, "who"), "admin token");
    ask(w, 200, "GET", "/api/v1/apps", NULL);
    as_page(w, &other);
    ask(w, 401, "POST", "/api/v1/sign-in", p.code);
    assert_string_equal(test_header(w, "Set-Cookie"), "");
    ask(w, 401, "GET", "/api/v1/me", NULL);
    ask(w, 401, "GET", "/api/v1/apps", NULL);
    as_page(w, &p);
    ask(w, 200, "GET", "/api/v1/audit", NULL);
    const json_t *first = json_array_get(json_object_get(w->json, "items"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "what")), "operator.signed-in");
    assert_string_equal(json_string_value(json_object_get(first, "who")), "admin token");
}

static void only_an_operator_gets_a_link(void **state)
{
    struct test_world *w = *state;
    w->token = NULL;
    ask(w, 401, "POST", "/api/v1/logins", "{}");
}

static void a_certificate_signs_in(void **state)
{
    struct test_world *w = *state;
    struct page p = {0};
    as_page(w, &p);
    ask(w, 401, "POST", "/api/v1/sign-in", "{}");
    w->as_operator = true;
    /* Alone it is good for nothing else: a browser shows it to whoever makes it ask. */
    ask(w, 401, "GET", "/api/v1/apps", NULL);
    ask(w, 401, "POST", "/api/v1/logins", "{}");
    ask(w, 200, "POST", "/api/v1/sign-in", "{}");
    assert_string_equal(test_text(w, "who"), "certificate operator");
    keep_session(w, &p);
    w->as_operator = false;
    as_page(w, &p);
    ask(w, 200, "GET", "/api/v1/apps", NULL);
}

static void a_change_needs_the_pages_own_token(void **state)
{
    struct test_world *w = *state;
    struct page p = {0};
    char wrong[80];
    sign_in(w, &p);
    w->headers[3] = NULL;
    ask(w, 200, "GET", "/api/v1/apps", NULL);
    ask(w, 403, "POST", "/api/v1/orders", "{\"purpose\":\"inspect\"}");
    assert_string_equal(test_text(w, "error"), "csrf");
    ask(w, 403, "POST", "/api/v1/sign-out", "{}");
    snprintf(wrong, sizeof(wrong), "%s", p.csrf);
    wrong[strlen(wrong) - 2] ^= 1;
    w->headers[3] = wrong;
    ask(w, 403, "POST", "/api/v1/orders", "{\"purpose\":\"inspect\"}");
    w->headers[3] = p.csrf;
    ask(w, 201, "POST", "/api/v1/orders", "{\"purpose\":\"inspect\"}");
    /* Also without what a browser says of itself. */
    w->headers[0] = w->headers[1] = w->headers[3] = NULL;
    ask(w, 403, "POST", "/api/v1/orders", "{\"purpose\":\"inspect\"}");
}

static void pages_of_others_are_not_heard(void **state)
{
    struct test_world *w = *state;
    static const char *const foreign[][2] = {
        {"Origin: https://evil.example", "Sec-Fetch-Site: cross-site"},
        {"Origin: https://evil.example", NULL},
        {"Origin: null", NULL},
        {"Origin: http://127.0.0.1", NULL},
        {NULL, "Sec-Fetch-Site: cross-site"},
        {NULL, "Sec-Fetch-Site: same-site"},
    };
    struct page p = {0};
    sign_in(w, &p);
    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
        w->headers[0] = foreign[i][0];
        w->headers[1] = foreign[i][1];
        w->token = TEST_TOKEN;
        w->as_operator = true;
        ask(w, 403, "POST", "/api/v1/orders", "{\"purpose\":\"inspect\"}");
        assert_string_equal(test_text(w, "error"), "foreign");
        ask(w, 403, "GET", "/api/v1/cards", NULL);
        ask(w, 403, "POST", "/api/v1/sign-in", "{}");
        assert_string_equal(test_header(w, "Set-Cookie"), "");
    }
    w->as_operator = false;
    as_page(w, &p);
    ask(w, 200, "GET", "/api/v1/orders", NULL);
    assert_int_equal(json_array_size(json_object_get(w->json, "items")), 0);
    /* An address that a person has typed may be looked at. */
    w->headers[0] = NULL;
    w->headers[1] = "Sec-Fetch-Site: none";
    ask(w, 200, "GET", "/api/v1/orders", NULL);
    ask(w, 403, "POST", "/api/v1/orders", "{\"purpose\":\"inspect\"}");
}

static void signing_out_ends_the_cookie(void **state)
{
    struct test_world *w = *state;
    struct page p = {0};
    sign_in(w, &p);
    ask(w, 204, "POST", "/api/v1/sign-out", "{}");
    assert_non_null(strstr(test_header(w, "Set-Cookie"), "Max-Age=0"));
    ask(w, 401, "GET", "/api/v1/me", NULL);
    ask(w, 401, "POST", "/api/v1/orders", "{\"purpose\":\"inspect\"}");
}

static void malformed_codes_are_refused(void **state)
{
    struct test_world *w = *state;
    struct page p = {0};
    as_page(w, &p);
    ask(w, 400, "POST", "/api/v1/sign-in", "");
    ask(w, 400, "POST", "/api/v1/sign-in", "{\"code\":1}");
    ask(w, 400, "POST", "/api/v1/sign-in", "{\"who\":\"root\"}");
    ask(w, 400, "POST", "/api/v1/sign-in",
        "{\"code\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}");
    ask(w, 401, "POST", "/api/v1/sign-in", "{\"code\":\"a\"}");
}

#define TABLE_TEST(f) cmocka_unit_test_setup_teardown(f, table_setup, table_teardown)
#define WORLD_TEST(f) cmocka_unit_test_setup_teardown(f, test_world_setup, test_world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TABLE_TEST(a_code_is_good_once),
        TABLE_TEST(a_code_is_good_for_two_minutes),
        TABLE_TEST(many_codes_make_room_for_each_other),
        TABLE_TEST(a_cookie_ends),
        TABLE_TEST(a_cookie_ends_although_it_is_used),
        TABLE_TEST(whoever_signs_out_is_out),
        WORLD_TEST(a_link_signs_in_once),
        WORLD_TEST(only_an_operator_gets_a_link),
        WORLD_TEST(a_certificate_signs_in),
        WORLD_TEST(a_change_needs_the_pages_own_token),
        WORLD_TEST(pages_of_others_are_not_heard),
        WORLD_TEST(signing_out_ends_the_cookie),
        WORLD_TEST(malformed_codes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
