/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands and privileges in words; what may be secret is not among them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <base/text.h>

#include "card_words.h"
#include "local_words.h"

static const struct {
    const char *hex, *words;
} rows[] = {
    {"80E602000A05F00000000100000000",
     "INSTALL [for load] package F000000001, into the domain of the channel"},
    {"80E602001205F00000000108A000000151000000000000",
     "INSTALL [for load] package F000000001, into A000000151000000"},
    {"80E60C001B05F00000000106F0000000010106F00000000199010403C9017700",
     "INSTALL [for install and make selectable] applet F00000000101 of package F000000001 as F00000000199, "
     "privileges card reset, parameters of 1 bytes"},
    {"80E620000C000006F00000000199000000", "INSTALL [for personalization] of F00000000199"},
    {"80E610001405F0000000020006F00000000199000000000000",
     "INSTALL [for extradition] of F00000000199 to F000000002"},
    {"80E800050401020304", "LOAD block 5, 4 bytes"},
    {"80E880050401020304", "LOAD block 5, 4 bytes, the last"},
    {"80E40080074F05F00000000100", "DELETE F000000001 and what came from it"},
    {"80E40000074F05F00000000100", "DELETE F000000001"},
    {"80F0408005F000000001", "SET STATUS: F000000001 becomes LOCKED (80)"},
    {"80F0807F00", "SET STATUS: the card becomes CARD_LOCKED"},
    {"80D800810401020304", "PUT KEY: new keys, from key 01, 4 bytes of data"},
    {"80D830810401020304", "PUT KEY: in place of version 30, from key 01, 4 bytes of data"},
    {"80E260010411223344", "STORE DATA block 1, 4 bytes, encrypted"},
    {"80E290000411223344", "STORE DATA block 0, 4 bytes, the last"},
    {"80CA006600", "GET DATA 0066"},
    {"80F24003024F0000", "GET STATUS of applications, next page"},
    {"00A40400", "SELECT the default application"},
    {"80FF000000", "command"},
};

static bool parse(const char *hex, struct writer *w, struct apdu *a)
{
    return hex_read(view_str(hex), w) == OK && apdu_parse(wr_view_of(w), a) == OK;
}

static void commands_are_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t memory[64];
        struct writer w;
        struct apdu a;
        wr_fixed(&w, memory, sizeof(memory));
        print_message("%s\n", rows[i].words);
        assert_true(parse(rows[i].hex, &w, &a));
        assert_string_equal(command_words(&a).text, rows[i].words);
    }
}

/* Whatever stands in the data: words are made of what is there, and of nothing behind it. */
static void cut_commands_are_told(void **state)
{
    (void)state;
    static const uint8_t data[] = {5, 0xF0, 0, 0, 0, 1, 6,    0xF0, 0, 0, 0,    1, 1,
                                   6, 0xF0, 0, 0, 0, 1, 0x99, 1,    4, 3, 0xC9, 1, 0x77};
    for (unsigned ins = 0; ins < 256; ins++)
        for (size_t len = 0; len <= sizeof(data); len++) {
            struct apdu a = {.cla = 0x80, .ins = (uint8_t)ins, .p1 = 0x0C, .data = view_of(data, len)};
            assert_true(strlen(command_words(&a).text) < COMMAND_WORDS_MAX - 1);
        }
}

static const struct {
    const char *text;
    uint8_t byte[3];
    enum err e;
} lists[] = {
    {"00", {0}, OK},
    {"04", {0x04, 0, 0}, OK},
    {"800000", {0x80, 0, 0}, OK},
    {"card-reset", {0x04, 0, 0}, OK},
    {"security-domain,card-lock", {0x90, 0, 0}, OK},
    {"dap-verification", {0xC0, 0, 0}, OK},
    {"mandated-dap-verification", {0xC1, 0, 0}, OK},
    {"authorized-management", {0x00, 0x40, 0}, OK},
    {"0000", {0}, ERR_FORMAT},
    {"40", {0}, ERR_ARGUMENT},
    {"", {0}, ERR_FORMAT},
    {"card-reset,", {0}, ERR_FORMAT},
    {"fly", {0}, ERR_FORMAT},
};

static void privileges_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        struct privileges p = {{0x11, 0x11, 0x11}};
        print_message("'%s'\n", lists[i].text);
        assert_int_equal(privileges_parse(lists[i].text, &p), lists[i].e);
        if (lists[i].e == OK)
            assert_memory_equal(p.byte, lists[i].byte, 3);
        else
            assert_int_equal(p.byte[0], 0x11);
    }
}

static const struct {
    uint8_t bcd[2];
    const char *text;
} dates[] = {{{0x32, 0x44}, "2023-09-01 (or 10, 20 years before)"},
             {{0x60, 0x01}, "2026-01-01 (or 10, 20 years before)"},
             {{0x63, 0x65}, "2016-12-30 (or 10, 20 years before)"},
             {{0x00, 0x00}, ""},
             {{0x60, 0x0A}, ""},
             {{0xA0, 0x01}, ""}};

static void dates_are_told(void **state)
{
    (void)state;
    static const uint8_t nxp[2] = {0x47, 0x90}, nobody[2] = {0, 0};
    const struct tm today = {.tm_year = 126, .tm_yday = 100};
    for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++)
        assert_string_equal(cplc_date_words(VIEW_OF(dates[i].bcd), &today).text, dates[i].text);
    assert_string_equal(cplc_fabricator(nxp), "NXP");
    assert_null(cplc_fabricator(nobody));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_told),
        cmocka_unit_test(cut_commands_are_told),
        cmocka_unit_test(privileges_are_read),
        cmocka_unit_test(dates_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
