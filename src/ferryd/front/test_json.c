/* SPDX-License-Identifier: Apache-2.0
 *
 * Strict reading of JSON: limits and rules at their edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "front/json.h"

static void only_one_whole_object_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum err e;
    } rows[] = {
        {"{}", OK},
        {" {\"a\":1} ", OK},
        {"{\"a\":[[[[[]]]]]}", OK}, /* six levels */
        {"{\"a\":[[[[[[]]]]]]}", ERR_LIMIT},
        {"{\"a\":\"[[[[[[[[\"}", OK},
        {"{\"a\":\"\\\"[[[[[[[[\"}", OK},
        {"{\"a\":\"\\\\\",\"b\":[[[[[[]]]]]]}", ERR_LIMIT},
        {"", ERR_FORMAT},
        {"null", ERR_FORMAT},
        {"[1]", ERR_FORMAT},
        {"{}{}", ERR_FORMAT},
        {"{\"a\":1,\"a\":1}", ERR_FORMAT},
        {"{\"a\":1,}", ERR_FORMAT},
        {"{'a':1}", ERR_FORMAT},
        {"{\"a\":\"\\u0000\"}", ERR_FORMAT},
        {"{\"a\":\"\xFF\"}", ERR_FORMAT},
        {"{\"a\":99999999999999999999}", ERR_FORMAT},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *j = NULL;
        char why[100] = "";
        enum err e = json_open(&j, view_str(rows[i].text), 100, why, sizeof(why));
        if (e != rows[i].e || (e == OK) != (j != NULL) || (e != OK) != (why[0] != '\0'))
            fail_msg("row %zu: %s gives %s: %s", i, rows[i].text, err_name(e), why);
        json_decref(j);
    }
    json_t *j = NULL;
    assert_int_equal(json_open(&j, view_str("{\"a\": 12}"), 8, NULL, 0), ERR_LIMIT);
    assert_int_equal(json_open(&j, view_str("{\"a\":12}"), 8, NULL, 0), OK);
    json_decref(j);
}

static void fields_keep_to_their_rules(void **state)
{
    (void)state;
    static const struct json_rule rules[] = {
        {"text", TAKE_TEXT, true, 3},  {"lines", TAKE_LINES, false, 5}, {"number", TAKE_NUMBER, false, 9},
        {"flag", TAKE_FLAG, false, 0}, {"list", TAKE_LIST, false, 2},   {"object", TAKE_OBJECT, false, 0},
    };
    static const struct {
        const char *text, *why; /* NULL: accepted */
    } rows[] = {
        {"{\"text\":\"abc\",\"lines\":\"a\\nb\\tc\",\"number\":9,\"flag\":true,\"list\":[1,2],\"object\":{}}",
         NULL},
        {"{\"text\":\"\",\"number\":0,\"flag\":false}", NULL},
        {"{\"number\":1}", "'text' is missing"},
        {"{\"text\":\"abcd\"}", "'text' is longer"},
        {"{\"text\":\"a\\nb\"}", "'text' holds a control"},
        {"{\"text\":\"a\\u007F\"}", "'text' holds a control"},
        {"{\"text\":null}", "'text' must be a string"},
        {"{\"text\":\"\",\"lines\":\"abcdef\"}", "'lines' is longer"},
        {"{\"text\":\"\",\"number\":10}", "'number' is not between"},
        {"{\"text\":\"\",\"number\":-1}", "'number' is not between"},
        {"{\"text\":\"\",\"number\":1.0}", "'number' must be a whole number"},
        {"{\"text\":\"\",\"flag\":0}", "'flag' must be true or false"},
        {"{\"text\":\"\",\"list\":[1,2,3]}", "'list' has more"},
        {"{\"text\":\"\",\"list\":{}}", "'list' must be a list"},
        {"{\"text\":\"\",\"object\":[]}", "'object' must be an object"},
        {"{\"text\":\"\",\"txet\":\"\"}", "no field 'txet'"},
        {"{\"text\":\"\",\"a\\nb\":\"\"}", "no field '?'"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *j = NULL;
        char why[100] = "";
        assert_int_equal(json_open(&j, view_str(rows[i].text), 200, NULL, 0), OK);
        enum err e = json_check(j, rules, sizeof(rules) / sizeof(rules[0]), why, sizeof(why));
        bool as_said = rows[i].why == NULL ? e == OK : e == ERR_ARGUMENT && strstr(why, rows[i].why) != NULL;
        if (!as_said)
            fail_msg("row %zu: %s gives %s: %s", i, rows[i].text, err_name(e), why);
        json_decref(j);
    }
}

static void names_are_plain(void **state)
{
    (void)state;
    static const char *const good[] = {"a", "badge-2026", "A.b_c", "0", "a."};
    static const char *const bad[] = {"", ".", "..", ".a", "a b", "a/b", "a%b", "\xC3\xA4", "a\n"};
    char longest[66];
    memset(longest, 'a', sizeof(longest));
    longest[65] = '\0';
    assert_false(name_ok(longest));
    longest[64] = '\0';
    assert_true(name_ok(longest));
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(name_ok(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(name_ok(bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_one_whole_object_is_read),
        cmocka_unit_test(fields_keep_to_their_rules),
        cmocka_unit_test(names_are_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
