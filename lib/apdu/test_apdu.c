/* SPDX-License-Identifier: Apache-2.0
 *
 * The cases of ISO/IEC 7816-3 12.1.3, at their edges and off them, and status words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <apdu/apdu.h>
#include <base/text.h>

/* An APDU is its head, data_len bytes of AA, and its tail: long ones fit a row too. */
static const struct {
    const char *name, *head;
    size_t data_len;
    const char *tail;
    bool good;
    uint32_t ne;
    bool extended;
} commands[] = {
    {"nothing", "", 0, "", false, 0, false},
    {"three bytes", "00A404", 0, "", false, 0, false},
    {"case 1", "00A40400", 0, "", true, 0, false},
    {"case 2S", "80CA006605", 0, "", true, 5, false},
    {"case 2S, Le 00", "80CA006600", 0, "", true, 256, false},
    {"case 2S, Le FF", "80CA0066FF", 0, "", true, 255, false},
    {"case 3S", "00A4040005", 5, "", true, 0, false},
    {"case 3S, 255", "00A40400FF", 255, "", true, 0, false},
    {"case 3S, data cut", "00A4040005", 4, "", false, 0, false},
    {"case 3S, all data missing but one", "00A4040002", 1, "", false, 0, false},
    {"case 4S", "00A4040005", 5, "00", true, 256, false},
    {"case 4S, 255, Le 10", "00A40400FF", 255, "10", true, 16, false},
    {"case 4S and a byte", "00A4040005", 5, "0000", false, 0, false},
    {"case 4S and two bytes", "00A4040005", 5, "000000", false, 0, false},
    {"case 2E", "80CA0066000100", 0, "", true, 256, true},
    {"case 2E, short would do", "80CA0066000001", 0, "", true, 1, true},
    {"case 2E, Le 0000", "80CA0066000000", 0, "", true, 65536, true},
    {"case 2E cut", "80CA00660001", 0, "", false, 0, false},
    {"case 3E", "00D60000000100", 256, "", true, 0, true},
    {"case 3E, short would do", "00D60000000001", 1, "", true, 0, true},
    {"case 3E, 65,535", "00D6000000FFFF", 65535, "", true, 0, true},
    {"case 3E, Lc 0000", "00D60000000000", 1, "", false, 0, false},
    {"case 3E, Lc 0000 and Le", "00D60000000000", 0, "0000", false, 0, false},
    {"case 3E, data cut", "00D60000000100", 255, "", false, 0, false},
    {"case 3E, a byte more", "00D60000000100", 256, "00", false, 0, false},
    {"case 4E", "00D60000000100", 256, "0200", true, 512, true},
    {"case 4E, Le 0000", "00D60000000100", 256, "0000", true, 65536, true},
    {"case 4E, all it can hold", "00D6000000FFFF", 65535, "0000", true, 65536, true},
    {"case 4E and a byte", "00D60000000100", 256, "000000", false, 0, false},
};

static void put_hex(struct writer *w, const char *hex)
{
    assert_int_equal(hex_read(view_str(hex), w), OK);
}

static void build(struct writer *w, size_t row)
{
    wr_heap(w, CAPDU_MAX + 8);
    put_hex(w, commands[row].head);
    uint8_t *data = wr_reserve(w, commands[row].data_len);
    assert_non_null(data);
    memset(data, 0xAA, commands[row].data_len);
    put_hex(w, commands[row].tail);
    assert_true(wr_ok(w));
}

static void parses_each_case_and_nothing_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        struct writer w;
        struct apdu a = {.cla = 0x77};
        build(&w, i);
        enum err e = apdu_parse(wr_view_of(&w), &a);
        if (e != (commands[i].good ? OK : ERR_FORMAT))
            fail_msg("%s: %s", commands[i].name, err_name(e));
        if (e != OK && a.cla != 0x77)
            fail_msg("%s: output on failure", commands[i].name);
        if (e == OK && (a.data.len != commands[i].data_len || a.ne != commands[i].ne ||
                        a.extended != commands[i].extended || a.cla != w.data[0] || a.ins != w.data[1] ||
                        a.p1 != w.data[2] || a.p2 != w.data[3]))
            fail_msg("%s: %zu bytes, ne %u", commands[i].name, a.data.len, a.ne);
        wr_free(&w);
    }
}

static void writes_back_what_it_parsed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        struct writer w, again;
        struct apdu a;
        build(&w, i);
        wr_heap(&again, CAPDU_MAX);
        if (apdu_parse(wr_view_of(&w), &a) == OK) {
            apdu_put(&again, &a);
            if (!wr_ok(&again) || !view_equal(wr_view_of(&w), wr_view_of(&again)) || apdu_len(&a) != w.len ||
                apdu_is_extended(&a) != commands[i].extended)
                fail_msg("%s", commands[i].name);
        }
        wr_free(&again);
        wr_free(&w);
    }
}

static void chooses_extended_where_short_will_not_do(void **state)
{
    (void)state;
    static const uint8_t data[65536];
    static const struct {
        const char *name;
        size_t data_len;
        uint32_t ne;
        bool asked, good, extended;
        size_t len;
    } rows[] = {
        {"case 1 has no extended form", 0, 0, true, true, false, 4},
        {"255 bytes", 255, 0, false, true, false, 4 + 1 + 255},
        {"256 bytes", 256, 0, false, true, true, 4 + 3 + 256},
        {"ne 256", 1, 256, false, true, false, 4 + 1 + 1 + 1},
        {"ne 257", 1, 257, false, true, true, 4 + 3 + 1 + 2},
        {"asked for", 1, 1, true, true, true, 4 + 3 + 1 + 2},
        {"ne alone", 0, 65536, false, true, true, 4 + 3},
        {"ne too much", 0, 65537, false, false, true, 4 + 3},
        {"data too long", 65536, 0, false, false, true, 4 + 3 + 65536},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct writer w;
        struct apdu a = {.cla = 0x80,
                         .ins = 0xE8,
                         .data = view_of(data, rows[i].data_len),
                         .ne = rows[i].ne,
                         .extended = rows[i].asked};
        wr_heap(&w, 2 * CAPDU_MAX);
        apdu_put(&w, &a);
        if (wr_ok(&w) != rows[i].good || apdu_is_extended(&a) != rows[i].extended ||
            apdu_len(&a) != rows[i].len || (rows[i].good && w.len != rows[i].len))
            fail_msg("%s", rows[i].name);
        wr_free(&w);
    }
}

static void parses_responses(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {1, 2, 3, 0x90, 0x00};
    static const uint8_t longest[RAPDU_MAX + 1];
    struct rapdu r = {.sw = 0x1234};
    assert_int_equal(rapdu_parse(VIEW_OF(bytes), &r), OK);
    assert_int_equal(r.data.len, 3);
    assert_int_equal(r.sw, SW_OK);
    assert_int_equal(rapdu_parse(view_tail(VIEW_OF(bytes), 3), &r), OK);
    assert_int_equal(r.data.len, 0);
    r.sw = 0x1234;
    assert_int_equal(rapdu_parse(view_tail(VIEW_OF(bytes), 4), &r), ERR_FORMAT);
    assert_int_equal(rapdu_parse(VIEW_NULL, &r), ERR_FORMAT);
    assert_int_equal(r.sw, 0x1234);
    assert_int_equal(rapdu_parse(view_of(longest, RAPDU_MAX), &r), OK);
    assert_int_equal(rapdu_parse(view_of(longest, RAPDU_MAX + 1), &r), ERR_FORMAT);
}

static void writes_responses(void **state)
{
    (void)state;
    static const uint8_t data[65537] = {7};
    struct rapdu r = {.data = view_of(data, 1), .sw = SW_REFERENCED_DATA};
    struct writer w;
    wr_heap(&w, 2 * RAPDU_MAX);
    rapdu_put(&w, &r);
    assert_int_equal(w.len, 3);
    assert_memory_equal(w.data, "\x07\x6A\x88", 3);
    wr_clear(&w);
    r.data.len = 65537;
    rapdu_put(&w, &r);
    assert_false(wr_ok(&w));
    wr_free(&w);
}

static void status_words_have_words(void **state)
{
    (void)state;
    static const struct {
        uint16_t sw;
        const char *text;
    } rows[] = {
        {0x9000, "done"},
        {0x6110, "done, more response data waits"},
        {0x6310, "done, more data available"},
        {0x63C2, "verification failed, the last digit counts the tries that are left"},
        {0x6A84, "not enough memory space"},
        {0x6A88, "referenced data not found"},
        {0x6A70, "wrong parameters P1 P2"},
        {0x6C12, "wrong Le, the last byte says the right one"},
        {0x9484, "algorithm not supported"},
        {0x9485, "invalid key check value"},
        {0x1234, "unknown status word"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(sw_text(rows[i].sw), rows[i].text);
    for (unsigned sw = 0; sw <= 0xFFFF; sw++)
        assert_non_null(sw_text((uint16_t)sw));
}

static void warnings_are_not_errors(void **state)
{
    (void)state;
    static const uint16_t fine[] = {0x9000, 0x6100, 0x61FF, 0x6200, 0x6283, 0x6300, 0x6310, 0x63CF};
    static const uint16_t not_fine[] = {0x9001, 0x6000, 0x60FF, 0x6400, 0x6700,
                                        0x6A88, 0x6C00, 0x6D00, 0x0000};
    for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
        assert_true(sw_is_ok_or_warning(fine[i]));
    for (size_t i = 0; i < sizeof(not_fine) / sizeof(not_fine[0]); i++)
        assert_false(sw_is_ok_or_warning(not_fine[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_each_case_and_nothing_else),
        cmocka_unit_test(writes_back_what_it_parsed),
        cmocka_unit_test(chooses_extended_where_short_will_not_do),
        cmocka_unit_test(parses_responses),
        cmocka_unit_test(writes_responses),
        cmocka_unit_test(status_words_have_words),
        cmocka_unit_test(warnings_are_not_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
