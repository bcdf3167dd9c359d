/* SPDX-License-Identifier: Apache-2.0
 *
 * Profiles, good and bad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "profile.h"

static void a_profile_is_read(void **state)
{
    (void)state;
    struct profile p;
    char problem[200] = "";
    const char *text = "# server\n\n url = https://localhost:8443 \nca=/a b/ca.pem\r\ntoken_file = /t\n"
                       "import_key = AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    assert_int_equal(profile_parse(&p, view_str(text), problem, sizeof(problem)), OK);
    assert_string_equal(p.server, "https://localhost:8443");
    assert_string_equal(p.ca, "/a b/ca.pem");
    assert_string_equal(p.token_file, "/t");
    assert_true(p.has_import_key);
    assert_int_equal(p.import_key[31], 31);
}

static const struct {
    const char *text, *problem;
} bad[] = {
    {"url", "line 1: "},
    {"url =", "line 1: "},
    {"# x\nurl = a\nport = 1\n", "line 3: unknown word"},
    {"import_key = AAEC", "line 1: "},
    {"import_key = !", "line 1: "},
    {"= x", "line 1: unknown word"},
};

static void a_wrong_line_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct profile p = {.server = "before"};
        char problem[200] = "";
        print_message("row %s\n", bad[i].text);
        assert_int_equal(profile_parse(&p, view_str(bad[i].text), problem, sizeof(problem)), ERR_FORMAT);
        assert_memory_equal(problem, bad[i].problem, strlen(bad[i].problem));
        assert_string_equal(p.server, "before");
    }
}

static void a_value_has_a_limit(void **state)
{
    (void)state;
    char text[PROFILE_VALUE_MAX + 16] = "url = ";
    char problem[200];
    struct profile p;
    memset(text + 6, 'x', PROFILE_VALUE_MAX);
    assert_int_equal(profile_parse(&p, view_of(text, 6 + PROFILE_VALUE_MAX - 1), problem, sizeof(problem)),
                     OK);
    assert_int_equal(profile_parse(&p, view_of(text, 6 + PROFILE_VALUE_MAX), problem, sizeof(problem)),
                     ERR_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_profile_is_read),
        cmocka_unit_test(a_wrong_line_is_named),
        cmocka_unit_test(a_value_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
