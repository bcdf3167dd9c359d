/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers to reset of real cards, made-up abilities, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <apdu/atr.h>
#include <support/vectors.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int teardown(void **state)
{
    (void)state;
    vectors_free();
    return 0;
}

static bool same_protocols(const struct atr *a, const json_t *want)
{
    size_t n;
    const json_t *protocol;
    if (a->protocol_count != json_array_size(want))
        return false;
    json_array_foreach(want, n, protocol) if (a->protocols[n] != json_integer_value(protocol)) return false;
    return true;
}

static void real_cards(void **state)
{
    (void)state;
    size_t index, rows = 0;
    json_t *row;
    json_array_foreach(vectors_load("vectors/cplc.json"), index, row)
    {
        struct atr a;
        if (!vector_is(row, "atr"))
            continue;
        if (atr_parse(vector_bytes(row, "value"), &a) != OK ||
            !same_protocols(&a, json_object_get(row, "protocols")) ||
            !view_equal(a.historical, vector_bytes(row, "historical")) ||
            a.has_check != vector_has(row, "tck") || a.check_good != a.has_check)
            fail_msg("%s", vector_text(row, "id"));
        rows++;
    }
    assert_int_equal(rows, 13);
}

static void abilities(void **state)
{
    (void)state;
    static const struct {
        const char *name, *hex;
        bool told, extended, chaining;
        unsigned channels;
    } rows[] = {
        {"nothing", "3B00", false, false, false, 0},
        {"no category", "3B050173000040", false, false, false, 0},
        {"extended length", "3B058073000040", true, true, false, 0},
        {"chaining", "3B058073000080", true, false, true, 0},
        {"both, four channels told by the card", "3B0580730000CB", true, true, true, 3},
        {"channels not told", "3B058073000043", true, true, false, 0},
        {"two bytes only", "3B0480720000", false, false, false, 0},
        {"behind another object", "3B078031C173000040", true, true, false, 0},
        {"cut", "3B0480730000", false, false, false, 0},
        {"with status behind", "3B080073000040009000", true, true, false, 0},
        {"status looks like an object", "3B050011737300", false, false, false, 0},
        {"category 00 without status", "3B020073", false, false, false, 0},
    };
    for (size_t n = 0; n < COUNT(rows); n++) {
        struct atr a;
        if (atr_parse(vector_hex(rows[n].hex), &a) != OK || a.tells_abilities != rows[n].told ||
            a.extended_length != rows[n].extended || a.command_chaining != rows[n].chaining ||
            a.logical_channels != rows[n].channels)
            fail_msg("%s", rows[n].name);
    }
}

static void malformed(void **state)
{
    (void)state;
    static const struct {
        const char *name, *hex;
        enum err want;
    } rows[] = {
        {"shortest", "3B00", OK},
        {"inverse", "3F00", OK},
        {"T=0 with a check byte", "3B0000", OK},
        {"empty", "", ERR_FORMAT},
        {"TS alone", "3B", ERR_FORMAT},
        {"another TS", "3C00", ERR_FORMAT},
        {"historical bytes cut", "3B0201", ERR_FORMAT},
        {"two bytes behind", "3B000000", ERR_FORMAT},
        {"TA missing", "3B10", ERR_FORMAT},
        {"TD missing", "3B80", ERR_FORMAT},
        {"nine TD", "3B80808080808080808000", ERR_FORMAT},
        {"eight TD", "3B80818181818181810100", OK},
        {"34 bytes", "3B8F8F8F8F8F8F8F8F0F00112233445566778899AABBCCDDEEFF001122334455667788", ERR_FORMAT},
    };
    for (size_t n = 0; n < COUNT(rows); n++) {
        struct atr a = {.protocol_count = 77};
        enum err e = atr_parse(vector_hex(rows[n].hex), &a);
        if (e != rows[n].want || (e != OK && a.protocol_count != 77))
            fail_msg("%s: %s", rows[n].name, err_name(e));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_cards),
        cmocka_unit_test(abilities),
        cmocka_unit_test(malformed),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}
