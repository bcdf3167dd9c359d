/* SPDX-License-Identifier: Apache-2.0
 *
 * Response scripts good and bad, parsed and written; samples from docs/protocol.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <base/text.h>
#include <script/script.h>

enum { BYTES_MAX = 64, JOINED_MAX = 3 * BYTES_MAX };

static struct response_script parsed;

static const struct {
    const char *name, *script;
    enum err want;
    size_t executed;
    enum script_fault fault;
    const char *rapdus;
    bool ours; /* as we write it */
    enum script_form form;
} rows[] = {
    {"sample: malformed at once", "AB06800101900101", OK, 1, SCRIPT_UNKNOWN_TAG, "", true, SCRIPT_DEFINITE},
    {"sample: indefinite", "AF8023026A880000", OK, 1, SCRIPT_FINE, "6A88,", true, SCRIPT_INDEFINITE},
    {"sample: five commands",
     "AB19800105"
     "23029000"
     "2303009000"
     "23029000"
     "23029000"
     "2303009000",
     OK, 5, SCRIPT_FINE, "9000,009000,9000,9000,009000,", true, SCRIPT_DEFINITE},
    {"sample: failed at the third",
     "AB10800103"
     "23029000"
     "2303009000"
     "23026A84",
     OK, 3, SCRIPT_FINE, "9000,009000,6A84,", true, SCRIPT_DEFINITE},
    {"sample: keep-alive", "AB03800100", OK, 0, SCRIPT_FINE, "", true, SCRIPT_DEFINITE},
    {"malformed after one", "AB0A80010223029000900102", OK, 2, SCRIPT_WRONG_LENGTH, "9000,", true,
     SCRIPT_DEFINITE},
    {"malformed after one, which alone counts", "AB0A80010123029000900103", OK, 1, SCRIPT_NO_LENGTH, "9000,",
     false, SCRIPT_DEFINITE},
    {"80 last", "AB0723029000800101", OK, 1, SCRIPT_FINE, "9000,", false, SCRIPT_DEFINITE},
    {"80 in the middle",
     "AB0B230290008001022302"
     "6A88",
     OK, 2, SCRIPT_FINE, "9000,6A88,", false, SCRIPT_DEFINITE},
    {"80 of two bytes", "AB088002000123029000", OK, 1, SCRIPT_FINE, "9000,", false, SCRIPT_DEFINITE},
    {"longer lengths",
     "AB8200098081010123029000"
     "",
     ERR_FORMAT, 0, SCRIPT_FINE, "", false, SCRIPT_DEFINITE},
    {"longer lengths, right", "AB8200088081010123029000", OK, 1, SCRIPT_FINE, "9000,", false,
     SCRIPT_DEFINITE},
    {"indefinite, empty", "AF800000", OK, 0, SCRIPT_FINE, "", true, SCRIPT_INDEFINITE},
    {"indefinite, malformed",
     "AF8023029000900101"
     "0000",
     OK, 1, SCRIPT_UNKNOWN_TAG, "9000,", true, SCRIPT_INDEFINITE},
    {"nothing", "", ERR_FORMAT, 0, SCRIPT_FINE, "", false, SCRIPT_DEFINITE},
    {"commands", "AA00", ERR_FORMAT, 0, SCRIPT_FINE, "", false, SCRIPT_DEFINITE},
    {"tag alone", "AB", ERR_FORMAT, 0, SCRIPT_FINE, "", false, SCRIPT_DEFINITE},
    {"without 80", "AB0423029000", ERR_FORMAT, 0, SCRIPT_FINE, "", false, SCRIPT_DEFINITE},
    {"empty", "AB00", ERR_FORMAT, 0, SCRIPT_FINE, "", false, SCRIPT_DEFINITE},
    {"80 empty and nothing executed", "AB028000", ERR_FORMAT, 0, SCRIPT_FINE, "", false, SCRIPT_DEFINITE},
    {"fault of two bytes, both good", "AB0B8001022302900090020101", ERR_FORMAT, 0, SCRIPT_FINE, "", false,
     SCRIPT_DEFINITE},
    {"fault empty",
     "AB0980010223029000"
     "9000",
     ERR_FORMAT, 0, SCRIPT_FINE, "", false, SCRIPT_DEFINITE},
    {"another tag around it", "AA03800100", ERR_FORMAT, 0, SCRIPT_FINE, "", false, SCRIPT_DEFINITE},
    {"length cut", "AB82", ERR_FORMAT, 0, SCRIPT_FINE, "", false, SCRIPT_DEFINITE},
    {"80 twice", "AB0A80010180010123029000", ERR_FORMAT, 0, SCRIPT_FINE, "", false, SCRIPT_DEFINITE},
    {"80 empty", "AB06800023029000", ERR_FORMAT, 0, SCRIPT_FINE, "", false, SCRIPT_DEFINITE},
    {"80 of four bytes", "AB0A80040000000123029000", ERR_FORMAT, 0, SCRIPT_FINE, "", false, SCRIPT_DEFINITE},
    {"80 says more", "AB0780010223029000", ERR_FORMAT, 0, SCRIPT_FINE, "", false, SCRIPT_DEFINITE},
    {"80 says fewer", "AB0780010023029000", ERR_FORMAT, 0, SCRIPT_FINE, "", false, SCRIPT_DEFINITE},
    {"80 says two more, malformed", "AB0A80010323029000900101", ERR_FORMAT, 0, SCRIPT_FINE, "", false,
     SCRIPT_DEFINITE},
    {"80 says fewer, malformed", "AB0A80010023029000900101", ERR_FORMAT, 0, SCRIPT_FINE, "", false,
     SCRIPT_DEFINITE},
    {"R-APDU of one byte", "AB06800101230190", ERR_FORMAT, 0, SCRIPT_FINE, "", false, SCRIPT_DEFINITE},
    {"R-APDU empty", "AB058001012300", ERR_FORMAT, 0, SCRIPT_FINE, "", false, SCRIPT_DEFINITE},
    {"fault 00", "AB0A80010123029000900100", ERR_FORMAT, 0, SCRIPT_FINE, "", false, SCRIPT_DEFINITE},
    {"fault 04", "AB0A80010123029000900104", ERR_FORMAT, 0, SCRIPT_FINE, "", false, SCRIPT_DEFINITE},
    {"fault of two bytes", "AB0B8001012302900090020001", ERR_FORMAT, 0, SCRIPT_FINE, "", false,
     SCRIPT_DEFINITE},
    {"fault twice", "AB0D80010123029000900101900101", ERR_FORMAT, 0, SCRIPT_FINE, "", false, SCRIPT_DEFINITE},
    {"R-APDU behind the fault", "AB0A80010190010123029000", ERR_FORMAT, 0, SCRIPT_FINE, "", false,
     SCRIPT_DEFINITE},
    {"unknown tag", "AB09800101230290004100", ERR_FORMAT, 0, SCRIPT_FINE, "", false, SCRIPT_DEFINITE},
    {"too few bytes", "AB0880010123029000", ERR_FORMAT, 0, SCRIPT_FINE, "", false, SCRIPT_DEFINITE},
    {"a byte behind", "AB078001012302900000", ERR_FORMAT, 0, SCRIPT_FINE, "", false, SCRIPT_DEFINITE},
    {"object cut", "AB0780010123039000", ERR_FORMAT, 0, SCRIPT_FINE, "", false, SCRIPT_DEFINITE},
    {"AB indefinite", "AB80800101230290000000", ERR_FORMAT, 0, SCRIPT_FINE, "", false, SCRIPT_DEFINITE},
    {"AF definite", "AF0423029000", ERR_FORMAT, 0, SCRIPT_FINE, "", false, SCRIPT_DEFINITE},
    {"AF with 80", "AF80800101230290000000", ERR_FORMAT, 0, SCRIPT_FINE, "", false, SCRIPT_DEFINITE},
    {"AF without an end", "AF8023029000", ERR_FORMAT, 0, SCRIPT_FINE, "", false, SCRIPT_DEFINITE},
    {"AF with half an end", "AF802302900000", ERR_FORMAT, 0, SCRIPT_FINE, "", false, SCRIPT_DEFINITE},
    {"AF, a byte behind the end", "AF8023029000000000", ERR_FORMAT, 0, SCRIPT_FINE, "", false,
     SCRIPT_DEFINITE},
    {"end of contents in AB",
     "AB098001012302900000"
     "00",
     ERR_FORMAT, 0, SCRIPT_FINE, "", false, SCRIPT_DEFINITE},
};

static void join(const struct response_script *s, char *joined)
{
    joined[0] = '\0';
    for (size_t i = 0; i < s->count; i++) {
        hex_write(joined + strlen(joined), s->rapdus[i]);
        strcat(joined, ",");
    }
}

static void write_again(const struct response_script *s, enum script_form form, struct writer *out)
{
    struct response_writer w;
    response_begin(&w, out, form);
    for (size_t i = 0; i < s->count; i++)
        response_put(&w, s->rapdus[i]);
    if (s->fault != SCRIPT_FINE)
        response_put_fault(&w, s->fault);
    assert_int_equal(response_end(&w), OK);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t memory[BYTES_MAX], copy[BYTES_MAX];
        char joined[JOINED_MAX];
        size_t len = 0;
        struct writer again;
        print_message("row %s\n", rows[i].name);
        assert_int_equal(hex_read_str(rows[i].script, memory, sizeof(memory), &len), OK);
        assert_int_equal(response_parse(view_of(memory, len), &parsed), rows[i].want);
        if (rows[i].want != OK) {
            assert_int_equal(parsed.count, 0);
            continue;
        }
        join(&parsed, joined);
        assert_string_equal(joined, rows[i].rapdus);
        assert_int_equal(parsed.executed, rows[i].executed);
        assert_int_equal(parsed.fault, rows[i].fault);
        wr_fixed(&again, copy, sizeof(copy));
        write_again(&parsed, rows[i].form, &again);
        if (rows[i].ours)
            assert_true(view_equal(wr_view_of(&again), view_of(memory, len)));
    }
}

/* Every count and length, behind other bytes, survives the way there and back. */
static enum err round_trip(size_t count, size_t len)
{
    static const uint8_t rapdu[RAPDU_MAX + 1];
    struct writer out;
    struct response_writer w;
    wr_heap(&out, 2 * SCRIPT_MAX);
    wr_u8(&out, 0xFF);
    response_begin(&w, &out, SCRIPT_DEFINITE);
    for (size_t i = 0; i < count; i++)
        response_put(&w, view_of(rapdu, len));
    enum err e = response_end(&w);
    if (e == OK)
        e = response_parse(view_tail(wr_view_of(&out), 1), &parsed);
    if (e == OK) {
        assert_int_equal(parsed.count, count);
        assert_int_equal(parsed.executed, count);
        assert_int_equal(count > 0 ? parsed.rapdus[count - 1].len : len, len);
    }
    wr_free(&out);
    return e;
}

static void test_round_trip(void **state)
{
    (void)state;
    static const size_t counts[] = {0, 1, 127, 128, 255, 256, SCRIPT_COMMANDS_MAX};
    static const size_t lens[] = {2, 127, 128, 255, 256};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        for (size_t j = 0; j < sizeof(lens) / sizeof(lens[0]); j++)
            assert_int_equal(round_trip(counts[i], lens[j]), OK);
    assert_int_equal(round_trip(1, RAPDU_MAX), OK);
    assert_int_equal(round_trip(1, RAPDU_MAX + 1), ERR_FORMAT);
    assert_int_equal(round_trip(SCRIPT_COMMANDS_MAX + 1, 2), ERR_LIMIT);
    assert_int_equal(round_trip(33, RAPDU_MAX), ERR_LIMIT);
}

/* More than our own writer writes. */
static void test_reading_limits(void **state)
{
    (void)state;
    struct writer w;
    wr_heap(&w, 4 * SCRIPT_MAX);
    wr_u16(&w, 0xAF80);
    for (size_t i = 0; i <= SCRIPT_COMMANDS_MAX; i++)
        wr_u32(&w, 0x23029000);
    wr_u16(&w, 0);
    assert_int_equal(response_parse(wr_view_of(&w), &parsed), ERR_LIMIT);
    wr_clear(&w);
    wr_u16(&w, 0xAF80);
    for (size_t len = 0; len <= SCRIPT_MAX; len += RAPDU_MAX) {
        wr_u8(&w, 0x23);
        wr_u8(&w, 0x83);
        wr_u24(&w, RAPDU_MAX);
        assert_non_null(wr_reserve(&w, RAPDU_MAX));
    }
    wr_u16(&w, 0);
    assert_int_equal(response_parse(wr_view_of(&w), &parsed), ERR_LIMIT);
    wr_free(&w);
}

static void test_abandon(void **state)
{
    (void)state;
    static const uint8_t rapdu[] = {0x90, 0x00};
    uint8_t memory[8];
    struct writer out;
    struct response_writer w;
    wr_fixed(&out, memory, sizeof(memory));
    response_begin(&w, &out, SCRIPT_DEFINITE);
    response_put(&w, VIEW_OF(rapdu));
    response_abandon(&w);
    response_abandon(&w);
    assert_int_equal(out.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_reading_limits),
        cmocka_unit_test(test_abandon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
