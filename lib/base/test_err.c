/* SPDX-License-Identifier: Apache-2.0
 *
 * Every outcome has a name and a sentence of its own, also what is no outcome. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <base/err.h>

static void names_and_sentences(void **state)
{
    (void)state;
    assert_int_equal(OK, 0);
    assert_string_equal(err_name(OK), "OK");
    assert_string_equal(err_text(OK), "done");
    assert_string_equal(err_name(ERR_AUTH), "ERR_AUTH");
    assert_string_equal(err_text(ERR_AUTH), "the authentication value does not match");
    assert_string_equal(err_name(ERR_INTERNAL), "ERR_INTERNAL");
}

static void no_two_are_the_same(void **state)
{
    (void)state;
    for (int a = 0; a < ERR_COUNT; a++) {
        assert_true(strlen(err_text((enum err)a)) > 0);
        for (int b = 0; b < a; b++) {
            assert_string_not_equal(err_name((enum err)a), err_name((enum err)b));
            assert_string_not_equal(err_text((enum err)a), err_text((enum err)b));
        }
    }
}

static void what_is_not_in_the_list_is_named_too(void **state)
{
    (void)state;
    static const int outside[] = {ERR_COUNT, ERR_COUNT + 1, -1, 0x7FFFFFFF};
    for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
        volatile int value = outside[i];
        assert_string_equal(err_name((enum err)value), "ERR_?");
        assert_string_equal(err_text((enum err)value), "an unknown error");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_sentences),
        cmocka_unit_test(no_two_are_the_same),
        cmocka_unit_test(what_is_not_in_the_list_is_named_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
