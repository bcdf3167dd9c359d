/* SPDX-License-Identifier: Apache-2.0
 *
 * The count of failed openings: its text, its limits, and that it is durable and tied to one card. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "local_ledger.h"

static const struct {
    const char *text;
    enum err e;
    size_t rows;
} texts[] = {
    {"", OK, 0},
    {"# nothing\n\n", OK, 0},
    {"content 2\n- 00 1 0 -\nA000000151000000 30 3 1 0370\n", OK, 2},
    {"- 00 1 0 -", OK, 1},
    {"content x\n", ERR_FORMAT, 0},
    {"content\n", ERR_FORMAT, 0},
    {"- 00 1 0\n", ERR_FORMAT, 0},
    {"- 00 1 0 - more\n", ERR_FORMAT, 0},
    {"- 0 1 0 -\n", ERR_FORMAT, 0},
    {"- 00 -1 0 -\n", ERR_FORMAT, 0},
    {"- 00 99999999999999999999 0 -\n", ERR_FORMAT, 0},
    {"A0 00 1 0 -\n", ERR_FORMAT, 0},
    {"- 00 1 0 0070\n", ERR_FORMAT, 0},
    {"- 00 1 0 03\n", ERR_FORMAT, 0},
    {"\x01\x02", ERR_FORMAT, 0},
};

static void texts_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct ledger l = {.count = 7, .refused_content = 9};
        print_message("row %zu\n", i);
        assert_int_equal(ledger_parse(&l, view_str(texts[i].text)), texts[i].e);
        assert_int_equal(l.count, texts[i].e == OK ? texts[i].rows : 7);
    }
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct ledger l = {.count = 0}, back = {.count = 0};
    struct writer w;
    const struct aid domain = {.data = {1, 2, 3, 4, 5}, .len = 5}, issuer = {.len = 0};
    l.refused_content = 2;
    ledger_row(&l, &domain, 0x42)->openings = 3;
    ledger_row(&l, &issuer, 0x30)->wrong = 1;
    ledger_proven(&l, &domain, 0x30, 3, 0x70);
    wr_heap(&w, LEDGER_TEXT_MAX);
    ledger_put(&l, &w);
    assert_int_equal(ledger_parse(&back, wr_view_of(&w)), OK);
    wr_free(&w);
    assert_int_equal(back.count, l.count);
    assert_int_equal(back.refused_content, 2);
    assert_int_equal(ledger_row(&back, &domain, 0x42)->openings, 3);
    assert_int_equal(ledger_row(&back, &issuer, 0x30)->wrong, 1);
    assert_int_equal(ledger_pin(&back, &domain, 0x30)->i, 0x70);
    assert_null(ledger_pin(&back, &domain, 0x42));
    assert_null(ledger_pin(&back, &issuer, 0x30));
}

static void rows_have_a_limit(void **state)
{
    (void)state;
    struct ledger l = {.count = 0};
    struct writer w;
    const struct aid issuer = {.len = 0};
    for (unsigned n = 0; n < LEDGER_ROWS_MAX; n++)
        assert_non_null(ledger_row(&l, &issuer, (uint8_t)n));
    assert_null(ledger_row(&l, &issuer, 0xFF));
    wr_heap(&w, LEDGER_TEXT_MAX);
    ledger_put(&l, &w);
    assert_true(wr_ok(&w));
    wr_view(&w, view_str("- FF 0 0 -\n"));
    assert_int_equal(ledger_parse(&l, wr_view_of(&w)), ERR_LIMIT);
    wr_free(&w);
}

/* What was counted, for which version; which is asked for; whether that may be opened. */
static const struct {
    uint8_t counted_kvn;
    unsigned openings, wrong;
    uint8_t asked_kvn;
    enum err e;
} limits[] = {
    {0x30, 0, 0, 0x30, OK},          {0x30, 2, 0, 0x30, OK}, {0x30, 3, 0, 0x30, ERR_BLOCKED},
    {0x30, 1, 1, 0x30, ERR_BLOCKED}, {0x30, 3, 0, 0x42, OK}, {0x30, 3, 0, 0x00, ERR_BLOCKED},
    {0x00, 3, 0, 0x30, ERR_BLOCKED}, {0x00, 2, 0, 0x30, OK}, {0x30, 4, 0, 0x30, ERR_BLOCKED},
};

static void it_stops_far_from_the_cards_own_limit(void **state)
{
    (void)state;
    const struct aid issuer = {.len = 0}, other = {.data = {1, 2, 3, 4, 5}, .len = 5};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct ledger l = {.count = 0};
        unsigned counted;
        size_t rows;
        print_message("row %zu\n", i);
        struct ledger_row *row = ledger_row(&l, &issuer, limits[i].counted_kvn);
        row->openings = limits[i].openings;
        row->wrong = limits[i].wrong;
        assert_int_equal(ledger_check(&l, &issuer, limits[i].asked_kvn, &counted), limits[i].e);
        assert_int_equal(ledger_check(&l, &other, limits[i].asked_kvn, &counted), OK);
        ledger_release(&l, &rows);
        assert_int_equal(rows, limits[i].openings > 0 || limits[i].wrong > 0);
        assert_int_equal(ledger_check(&l, &issuer, limits[i].asked_kvn, &counted), OK);
    }
}

static void a_success_clears_its_own_version(void **state)
{
    (void)state;
    struct ledger l = {.count = 0};
    unsigned counted;
    const struct aid issuer = {.len = 0};
    ledger_row(&l, &issuer, 0x00)->openings = 2;
    ledger_row(&l, &issuer, 0x30)->openings = 2;
    ledger_row(&l, &issuer, 0x42)->openings = 3;
    ledger_proven(&l, &issuer, 0x30, 3, 0x70);
    assert_int_equal(ledger_check(&l, &issuer, 0x30, &counted), OK);
    assert_int_equal(counted, 0);
    assert_int_equal(ledger_check(&l, &issuer, 0x42, &counted), ERR_BLOCKED);
}

static void it_is_kept_for_each_card(void **state)
{
    (void)state;
    char folder[] = "/tmp/ferry-test.XXXXXX", command[64];
    struct ledger l, again, other;
    const struct aid issuer = {.len = 0};
    assert_non_null(mkdtemp(folder));
    setenv("XDG_STATE_HOME", folder, 1);
    assert_int_equal(ledger_open(&l, "0102-03"), OK);
    assert_int_equal(l.count, 0);
    ledger_row(&l, &issuer, 0x30)->openings = 3;
    assert_int_equal(ledger_save(&l), OK);
    assert_int_equal(ledger_open(&again, "0102-03"), OK);
    assert_int_equal(ledger_row(&again, &issuer, 0x30)->openings, 3);
    assert_int_equal(ledger_open(&other, "0102-04"), OK);
    assert_int_equal(other.count, 0);
    assert_int_equal(ledger_open(&other, "../up"), ERR_ARGUMENT);
    setenv("XDG_STATE_HOME", "relative", 1);
    unsetenv("HOME");
    assert_int_equal(ledger_open(&other, "0102-03"), ERR_NOT_FOUND);
    setenv("XDG_STATE_HOME", "/proc/no-such", 1);
    assert_int_equal(ledger_open(&other, "0102-03"), OK);
    assert_int_equal(ledger_save(&other), ERR_IO);
    snprintf(command, sizeof(command), "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_read),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(rows_have_a_limit),
        cmocka_unit_test(it_stops_far_from_the_cards_own_limit),
        cmocka_unit_test(a_success_clears_its_own_version),
        cmocka_unit_test(it_is_kept_for_each_card),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
