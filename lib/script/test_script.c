/* SPDX-License-Identifier: Apache-2.0
 *
 * Command scripts good and bad, written and walked over; samples from docs/protocol.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <base/text.h>
#include <script/script.h>

enum { HEX_MAX = 128, BYTES_MAX = 64, JOINED_MAX = 2 * BYTES_MAX + 16 };

/* commands: hexadecimal, with commas between. */
static const struct {
    const char *name, *script;
    enum err want;
    enum script_fault fault;
    const char *commands;
    bool minimal; /* as we write it, in its form */
    enum script_form form;
} rows[] = {
    {"sample: one command", "AA0A220880F24002024F0000", OK, SCRIPT_FINE, "80F24002024F0000,", true,
     SCRIPT_DEFINITE},
    {"sample: indefinite", "AE80220580CA0085000000", OK, SCRIPT_FINE, "80CA008500,", true, SCRIPT_INDEFINITE},
    {"keep-alive", "AA00", OK, SCRIPT_FINE, "", true, SCRIPT_DEFINITE},
    {"keep-alive, indefinite", "AE800000", OK, SCRIPT_FINE, "", true, SCRIPT_INDEFINITE},
    {"two commands",
     "AA0C220400A404002204"
     "80CA9F7F",
     OK, SCRIPT_FINE, "00A40400,80CA9F7F,", true, SCRIPT_DEFINITE},
    {"two commands, indefinite", "AE80220400A40400220480CA9F7F0000", OK, SCRIPT_FINE, "00A40400,80CA9F7F,",
     true, SCRIPT_INDEFINITE},
    {"longer lengths", "AA830000082282000400A40400", OK, SCRIPT_FINE, "00A40400,", false, SCRIPT_DEFINITE},
    {"lengths 81 and 83",
     "AA810922830000"
     "0400A40400",
     OK, SCRIPT_FINE, "00A40400,", false, SCRIPT_DEFINITE},
    {"nothing", "", ERR_FORMAT, SCRIPT_UNKNOWN_TAG, "", false, SCRIPT_DEFINITE},
    {"a response", "AB03800100", ERR_FORMAT, SCRIPT_UNKNOWN_TAG, "", false, SCRIPT_DEFINITE},
    {"no length", "AA", ERR_FORMAT, SCRIPT_NO_LENGTH, "", false, SCRIPT_DEFINITE},
    {"no length, indefinite", "AE", ERR_FORMAT, SCRIPT_NO_LENGTH, "", false, SCRIPT_DEFINITE},
    {"indefinite with a length", "AE06220400A40400", ERR_FORMAT, SCRIPT_WRONG_LENGTH, "", false,
     SCRIPT_DEFINITE},
    {"definite with 80", "AA80220400A404000000", ERR_FORMAT, SCRIPT_WRONG_LENGTH, "", false, SCRIPT_DEFINITE},
    {"length 84", "AA8400000006220400A40400", ERR_FORMAT, SCRIPT_WRONG_LENGTH, "", false, SCRIPT_DEFINITE},
    {"length cut", "AA82", ERR_FORMAT, SCRIPT_WRONG_LENGTH, "", false, SCRIPT_DEFINITE},
    {"too few bytes", "AA07220400A40400", ERR_FORMAT, SCRIPT_WRONG_LENGTH, "", false, SCRIPT_DEFINITE},
    {"a byte behind", "AA06220400A4040000", ERR_FORMAT, SCRIPT_WRONG_LENGTH, "", false, SCRIPT_DEFINITE},
    {"unknown tag first", "AA06E00400A40400", ERR_FORMAT, SCRIPT_UNKNOWN_TAG, "", false, SCRIPT_DEFINITE},
    {"unknown tag second", "AA08220400A40400C000", ERR_FORMAT, SCRIPT_UNKNOWN_TAG, "00A40400,", false,
     SCRIPT_DEFINITE},
    {"tag without length second", "AA07220400A4040022", ERR_FORMAT, SCRIPT_NO_LENGTH, "00A40400,", false,
     SCRIPT_DEFINITE},
    {"command longer than the script", "AA06220500A40400", ERR_FORMAT, SCRIPT_WRONG_LENGTH, "", false,
     SCRIPT_DEFINITE},
    {"command of 3 bytes", "AA05220300A404", ERR_FORMAT, SCRIPT_WRONG_LENGTH, "", false, SCRIPT_DEFINITE},
    {"command of 0 bytes", "AA022200", ERR_FORMAT, SCRIPT_WRONG_LENGTH, "", false, SCRIPT_DEFINITE},
    {"end missing", "AE80220400A40400", ERR_FORMAT, SCRIPT_WRONG_LENGTH, "00A40400,", false, SCRIPT_DEFINITE},
    {"end cut", "AE80220400A4040000", ERR_FORMAT, SCRIPT_WRONG_LENGTH, "00A40400,", false, SCRIPT_DEFINITE},
    {"end with a length", "AE80220400A40400000100", ERR_FORMAT, SCRIPT_WRONG_LENGTH, "00A40400,", false,
     SCRIPT_DEFINITE},
    {"a byte behind the end", "AE80220400A40400000000", ERR_FORMAT, SCRIPT_WRONG_LENGTH, "00A40400,", false,
     SCRIPT_DEFINITE},
    {"end of contents in a definite one", "AA020000", ERR_FORMAT, SCRIPT_UNKNOWN_TAG, "", false,
     SCRIPT_DEFINITE},
};

/* Walks a script, joins its commands as the rows have them, and writes them again. */
static enum err walk(struct view script, char *joined, enum script_fault *fault, struct writer *again)
{
    struct script_reader s;
    struct script_writer w;
    struct view capdu;
    joined[0] = '\0';
    enum err e = script_open(&s, script, fault);
    if (e != OK)
        return e;
    script_begin(&w, again, s.form);
    while ((e = script_next(&s, &capdu, fault)) == OK && capdu.len > 0) {
        char *end = joined + strlen(joined);
        assert_true((size_t)(end - joined) + 2 * capdu.len + 2 < JOINED_MAX);
        hex_write(end, capdu);
        strcat(joined, ",");
        script_put_capdu(&w, capdu);
    }
    assert_int_equal(script_end(&w), OK);
    return e;
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t memory[BYTES_MAX], copy[BYTES_MAX];
        char joined[JOINED_MAX];
        size_t len = 0, count = 99;
        struct writer again;
        enum script_fault fault = SCRIPT_FINE;
        print_message("row %s\n", rows[i].name);
        assert_int_equal(hex_read_str(rows[i].script, memory, sizeof(memory), &len), OK);
        wr_fixed(&again, copy, sizeof(copy));
        assert_int_equal(walk(view_of(memory, len), joined, &fault, &again), rows[i].want);
        assert_int_equal(fault, rows[i].fault);
        assert_string_equal(joined, rows[i].commands);
        assert_int_equal(script_count(view_of(memory, len), &count), rows[i].want);
        if (rows[i].want != OK)
            assert_int_equal(count, 99);
        if (rows[i].minimal)
            assert_true(view_equal(wr_view_of(&again), view_of(memory, len)));
    }
}

static void test_apdu(void **state)
{
    (void)state;
    static const uint8_t want[] = {0xAA, 0x0A, 0x22, 0x08, 0x80, 0xF2, 0x40, 0x02, 0x02, 0x4F, 0x00, 0x00};
    static const uint8_t data[] = {0x4F, 0x00};
    uint8_t memory[32];
    struct writer w;
    struct script_writer s;
    const struct apdu a = {
        .cla = 0x80, .ins = 0xF2, .p1 = 0x40, .p2 = 0x02, .data = VIEW_OF(data), .ne = 256};
    wr_fixed(&w, memory, sizeof(memory));
    script_begin(&s, &w, SCRIPT_DEFINITE);
    script_put_apdu(&s, &a);
    assert_int_equal(script_end(&s), OK);
    assert_true(view_equal(wr_view_of(&w), VIEW_OF(want)));
}

/* The writer may hold other bytes already; lengths of 2 and 3 bytes. */
static void test_behind_other_bytes(void **state)
{
    (void)state;
    static const uint8_t capdu[300] = {0x80, 0xE8};
    for (size_t n = 1; n <= 300; n += 299) {
        struct writer w;
        struct script_writer s;
        size_t count = 0;
        wr_heap(&w, SCRIPT_MAX);
        wr_u32(&w, 0xCAFE);
        script_begin(&s, &w, SCRIPT_DEFINITE);
        for (size_t i = 0; i < n; i++)
            script_put_capdu(&s, VIEW_OF(capdu));
        assert_int_equal(script_end(&s), OK);
        assert_int_equal(script_count(view_tail(wr_view_of(&w), 4), &count), OK);
        assert_int_equal(count, n);
        wr_free(&w);
    }
}

static enum err write_many(size_t n, size_t len, enum script_form form, size_t *count)
{
    static const uint8_t capdu[CAPDU_MAX + 1];
    struct writer w;
    struct script_writer s;
    wr_heap(&w, 4 * SCRIPT_MAX);
    script_begin(&s, &w, form);
    for (size_t i = 0; i < n; i++)
        script_put_capdu(&s, view_of(capdu, len));
    enum err e = script_end(&s);
    if (e == OK && script_count(wr_view_of(&w), count) != OK)
        *count = SIZE_MAX;
    wr_free(&w);
    return e;
}

static void test_limits(void **state)
{
    (void)state;
    size_t count = 0;
    assert_int_equal(write_many(SCRIPT_COMMANDS_MAX, 4, SCRIPT_DEFINITE, &count), OK);
    assert_int_equal(count, SCRIPT_COMMANDS_MAX);
    assert_int_equal(write_many(SCRIPT_COMMANDS_MAX, 4, SCRIPT_INDEFINITE, &count), OK);
    assert_int_equal(write_many(SCRIPT_COMMANDS_MAX + 1, 4, SCRIPT_DEFINITE, &count), ERR_LIMIT);
    assert_int_equal(write_many(SCRIPT_COMMANDS_MAX + 1, 4, SCRIPT_INDEFINITE, &count), ERR_LIMIT);
    assert_int_equal(write_many(31, CAPDU_MAX, SCRIPT_DEFINITE, &count), OK);
    assert_int_equal(write_many(33, CAPDU_MAX, SCRIPT_DEFINITE, &count), ERR_LIMIT);
    assert_int_equal(write_many(33, CAPDU_MAX, SCRIPT_INDEFINITE, &count), ERR_LIMIT);
    /* No C-APDU is that long. */
    assert_int_equal(write_many(1, CAPDU_MAX + 1, SCRIPT_DEFINITE, &count), OK);
    assert_int_equal(count, SIZE_MAX);
}

/* More than our own writer writes. */
static void test_reading_limits(void **state)
{
    (void)state;
    struct writer w;
    size_t count = 99;
    enum script_fault fault = SCRIPT_FINE;
    struct script_reader s;
    wr_heap(&w, 4 * SCRIPT_MAX);
    wr_u16(&w, 0xAE80);
    for (size_t i = 0; i <= SCRIPT_COMMANDS_MAX; i++) {
        wr_u16(&w, 0x2204);
        wr_u32(&w, 0x00A40400);
    }
    wr_u16(&w, 0);
    assert_int_equal(script_count(wr_view_of(&w), &count), ERR_LIMIT);
    assert_int_equal(count, 99);
    wr_reserve(&w, SCRIPT_MAX);
    assert_int_equal(script_open(&s, wr_view_of(&w), &fault), ERR_LIMIT);
    assert_int_equal(fault, SCRIPT_WRONG_LENGTH);
    wr_free(&w);
}

static void test_after_the_end(void **state)
{
    (void)state;
    static const uint8_t empty[2][4] = {{0xAA, 0x00}, {0xAE, 0x80, 0x00, 0x00}};
    struct script_reader s;
    struct view capdu;
    enum script_fault fault = SCRIPT_FINE;
    for (size_t n = 0; n < 2; n++) {
        assert_int_equal(script_open(&s, view_of(empty[n], 2 * n + 2), &fault), OK);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(script_next(&s, &capdu, &fault), OK);
            assert_int_equal(capdu.len, 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_apdu),
        cmocka_unit_test(test_behind_other_bytes),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_reading_limits),
        cmocka_unit_test(test_after_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
