/* SPDX-License-Identifier: Apache-2.0
 *
 * Quirks have names, each one of its own, and a sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <gp/quirk.h>

static void names_go_and_come_back(void **state)
{
    enum quirk found;
    (void)state;
    for (unsigned q = 0; q < QUIRK_COUNT; q++) {
        assert_true(strlen(quirk_text((enum quirk)q)) > 10);
        assert_int_equal(quirk_by_name(quirk_name((enum quirk)q), &found), OK);
        assert_int_equal(found, q);
        assert_true(quirk_in(1U << q, (enum quirk)q));
        assert_false(quirk_in(~(1U << q), (enum quirk)q));
    }
    assert_int_equal(quirk_by_name("odd", &found), ERR_NOT_FOUND);
    assert_string_equal(quirk_name(QUIRK_COUNT), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names_go_and_come_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
