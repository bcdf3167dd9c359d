/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers and fields of every width: what is written is read back, and every cut of it is noticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <base/bytes.h>
#include <base/text.h>

static const uint8_t text[] = {'f', 'e', 'r', 'r', 'y'};

static void put_all(struct writer *w)
{
    wr_u8(w, 0x01);
    wr_u16(w, 0x0203);
    wr_u24(w, 0x040506);
    wr_u32(w, 0x0708090A);
    wr_u64(w, 0x0B0C0D0E0F101112);
    wr_view8(w, VIEW_OF(text));
    wr_view16(w, VIEW_OF(text));
    wr_view32(w, VIEW_OF(text));
    wr_bytes(w, text, sizeof(text));
}

static bool take_all(struct reader *r)
{
    uint8_t copy[sizeof(text)];
    bool same = rd_u8(r) == 0x01;
    same &= rd_u16(r) == 0x0203;
    same &= rd_u24(r) == 0x040506;
    same &= rd_u32(r) == 0x0708090A;
    same &= rd_u64(r) == 0x0B0C0D0E0F101112;
    same &= view_equal(rd_view8(r, sizeof(text)), VIEW_OF(text));
    same &= view_equal(rd_view16(r, sizeof(text)), VIEW_OF(text));
    same &= view_equal(rd_view32(r, sizeof(text)), VIEW_OF(text));
    rd_copy(r, copy, sizeof(copy));
    return same && memcmp(copy, text, sizeof(text)) == 0 && rd_done(r);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    static const uint8_t head[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 5, 'f'};
    struct writer w;
    struct reader r;
    wr_heap(&w, 100);
    put_all(&w);
    assert_true(view_starts(wr_view_of(&w), VIEW_OF(head)));
    assert_int_equal(w.len, 18 + 6 + 7 + 9 + 5);
    rd_init(&r, wr_view_of(&w));
    assert_true(take_all(&r));
    for (size_t len = 0; len < w.len; len++) {
        rd_init(&r, view_head(wr_view_of(&w), len));
        if (take_all(&r) || rd_ok(&r))
            fail_msg("cut at %zu", len);
    }
    wr_free(&w);
}

static void every_size_that_is_too_small_turns_bad(void **state)
{
    (void)state;
    uint8_t memory[45];
    struct writer w;
    wr_fixed(&w, memory, sizeof(memory));
    put_all(&w);
    assert_int_equal(wr_status(&w), OK);
    for (size_t size = 0; size < sizeof(memory); size++) {
        wr_fixed(&w, memory, size);
        put_all(&w);
        if (wr_status(&w) != ERR_LIMIT || w.len > size)
            fail_msg("%zu bytes", size);
    }
}

static void a_cut_copy_is_cleared(void **state)
{
    (void)state;
    uint8_t copy[6] = {9, 9, 9, 9, 9, 9};
    static const uint8_t zero[6];
    struct reader r;
    rd_init(&r, VIEW_OF(text));
    rd_copy(&r, copy, sizeof(copy));
    assert_false(rd_ok(&r));
    assert_memory_equal(copy, zero, sizeof(zero));
}

static void fields_have_a_maximum(void **state)
{
    (void)state;
    static const uint8_t two[] = {0, 2, 1, 1}, four[] = {0, 0, 0, 2, 1, 1};
    struct reader r;
    rd_init(&r, VIEW_OF(two));
    assert_int_equal(rd_view16(&r, 2).len, 2);
    rd_init(&r, VIEW_OF(two));
    rd_view16(&r, 1);
    assert_false(rd_ok(&r));
    rd_init(&r, VIEW_OF(four));
    assert_int_equal(rd_view32(&r, 2).len, 2);
    rd_init(&r, VIEW_OF(four));
    rd_view32(&r, 1);
    assert_false(rd_ok(&r));
}

static void numbers_must_fit(void **state)
{
    (void)state;
    static const uint8_t long_text[256];
    struct writer w;
    wr_heap(&w, 1000);
    wr_u24(&w, 0x01000000);
    assert_false(wr_ok(&w));
    wr_clear(&w);
    wr_view8(&w, VIEW_OF(long_text));
    assert_false(wr_ok(&w));
    wr_free(&w);
}

static void room_is_zeroed_also_where_something_was(void **state)
{
    (void)state;
    uint8_t memory[8];
    static const uint8_t zero[8];
    struct writer w;
    memset(memory, 0xEE, sizeof(memory));
    wr_fixed(&w, memory, sizeof(memory));
    uint8_t *room = wr_reserve(&w, sizeof(memory));
    assert_ptr_equal(room, memory);
    assert_memory_equal(memory, zero, sizeof(zero));
    assert_null(wr_reserve(&w, 1));
}

static void views_are_cut_and_compared(void **state)
{
    (void)state;
    struct view v = VIEW_OF(text);
    assert_true(view_starts(v, VIEW_NULL));
    assert_true(view_starts(v, view_str("fer")));
    assert_false(view_starts(v, view_str("far")));
    assert_false(view_starts(view_str("fer"), v));
    assert_int_equal(view_head(v, 9).len, 5);
    assert_int_equal(view_tail(v, 5).len, 0);
    assert_true(view_equal(view_tail(v, 3), view_str("ry")));
    assert_true(view_equal(VIEW_NULL, view_tail(v, 6)));
}

static void hexadecimal_is_written_in_capitals(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x00, 0x9A, 0xFF};
    char digits[7];
    hex_write(digits, VIEW_OF(bytes));
    assert_string_equal(digits, "009AFF");
    hex_write(digits, VIEW_NULL);
    assert_string_equal(digits, "");
}

static void a_line_is_text_that_shows_what_it_is(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
        {"", true},
        {"Staff badge", true},
        {"Stra\xC3\x9F"
         "enbahn \xE2\x82\xAC \xF0\x9F\x92\xB3",
         true},
        {"two\nlines", false},
        {"\x7F", false},
        {"\xC2\x85", false},         /* a control character of Latin-1 */
        {"\xC0\xAF", false},         /* '/' in two bytes */
        {"\xE0\x82\xAF", false},     /* two bytes in three */
        {"\xED\xA0\x80", false},     /* a surrogate */
        {"\xF4\x90\x80\x80", false}, /* behind the last code point */
        {"\xE2\x82", false},         /* cut off */
        {"\xC3(", false},            /* no continuation */
        {"\x80", false},             /* nothing before it */
        {"\xFF", false},
        {"abc\xE2\x80\xAE"
         "fdp",
         false},                 /* right to left */
        {"\xE2\x80\xA8", false}, /* a line's end by another name */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (text_is_line(view_str(rows[i].text)) != rows[i].good)
            fail_msg("row %zu", i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(every_size_that_is_too_small_turns_bad),
        cmocka_unit_test(a_cut_copy_is_cleared),
        cmocka_unit_test(fields_have_a_maximum),
        cmocka_unit_test(numbers_must_fit),
        cmocka_unit_test(room_is_zeroed_also_where_something_was),
        cmocka_unit_test(views_are_cut_and_compared),
        cmocka_unit_test(hexadecimal_is_written_in_capitals),
        cmocka_unit_test(a_line_is_text_that_shows_what_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
