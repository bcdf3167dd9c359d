/* SPDX-License-Identifier: Apache-2.0
 *
 * Readers and writers at their edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <base/bytes.h>
#include <base/secret.h>
#include <base/text.h>

static void reader_reads_straight_down(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 2, 0xAA, 0xBB};
    struct reader r;
    rd_init(&r, VIEW_OF(bytes));
    assert_int_equal(rd_u8(&r), 1);
    assert_int_equal(rd_u16(&r), 0x0203);
    assert_int_equal(rd_u24(&r), 0x040506);
    assert_int_equal(rd_u32(&r), 0x0708090A);
    assert_int_equal(rd_peek(&r), 2);
    struct view v = rd_view8(&r, 2);
    assert_int_equal(v.len, 2);
    assert_int_equal(v.data[1], 0xBB);
    assert_true(rd_done(&r));
    assert_int_equal(rd_peek(&r), -1);
}

static void reader_fails_stickily(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {5, 1, 2};
    struct reader r;
    rd_init(&r, VIEW_OF(bytes));
    assert_int_equal(rd_view8(&r, 255).len, 0);
    assert_false(rd_ok(&r));
    assert_int_equal(rd_u8(&r), 0);
    assert_int_equal(rd_left(&r), 0);
    assert_false(rd_done(&r));

    rd_init(&r, VIEW_OF(bytes));
    assert_int_equal(rd_view8(&r, 4).len, 0); /* 5 is above the maximum of 4 */
    assert_false(rd_ok(&r));

    rd_init(&r, VIEW_NULL);
    assert_true(rd_done(&r));
    assert_int_equal(rd_u8(&r), 0);
    assert_false(rd_ok(&r));
}

static void writer_stops_at_its_maximum(void **state)
{
    (void)state;
    struct writer w;
    wr_heap(&w, 300);
    for (int i = 0; i < 300; i++)
        wr_u8(&w, (uint8_t)i);
    assert_true(wr_ok(&w));
    assert_int_equal(w.len, 300);
    assert_int_equal(w.data[299], 299 & 0xFF);
    wr_u8(&w, 0);
    assert_false(wr_ok(&w));
    assert_int_equal(wr_status(&w), ERR_LIMIT);
    wr_free(&w);
    wr_free(&w);

    uint8_t memory[4];
    wr_fixed(&w, memory, sizeof(memory));
    wr_u16(&w, 0xAABB);
    wr_insert(&w, 1, view_of("\x01\x02", 2));
    assert_memory_equal(memory, "\xAA\x01\x02\xBB", 4);
    wr_u8(&w, 1);
    assert_false(wr_ok(&w));
}

static void writer_refuses_a_length_that_does_not_fit(void **state)
{
    (void)state;
    static const uint8_t bytes[256];
    struct writer w;
    wr_heap(&w, 1024);
    wr_view8(&w, view_of(bytes, 255));
    assert_true(wr_ok(&w));
    wr_view8(&w, view_of(bytes, 256));
    assert_false(wr_ok(&w));
    wr_free(&w);
    wr_heap(&w, 16);
    wr_u24(&w, 0x1000000);
    assert_false(wr_ok(&w));
    wr_free(&w);
}

struct text_row {
    const char *text;
    enum err err;
    const char *bytes;
    size_t len;
};

static void hex_is_strict(void **state)
{
    (void)state;
    static const struct text_row rows[] = {
        {"", OK, "", 0},
        {"00ff", OK, "\0\xFF", 2},
        {"aBCd", OK, "\xAB\xCD", 2},
        {"0", ERR_FORMAT, "", 0},
        {"0g", ERR_FORMAT, "", 0},
        {"00 11", ERR_FORMAT, "", 0},
        {"0x11", ERR_FORMAT, "", 0},
        {"001122334455", ERR_LIMIT, "", 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t out[4];
        size_t len = 99;
        print_message("row %s\n", rows[i].text);
        assert_int_equal(hex_read_str(rows[i].text, out, sizeof(out), &len), rows[i].err);
        if (rows[i].err != OK) {
            assert_int_equal(len, 99);
            continue;
        }
        assert_int_equal(len, rows[i].len);
        assert_memory_equal(out, rows[i].bytes, len);
    }
}

static void base64url_has_one_form(void **state)
{
    (void)state;
    static const struct text_row rows[] = {
        {"", OK, "", 0},           {"Zg", OK, "f", 1},          {"Zm8", OK, "fo", 2},
        {"Zm9v", OK, "foo", 3},    {"-_8", OK, "\xFB\xFF", 2},  {"Z", ERR_FORMAT, "", 0},
        {"Zh", ERR_FORMAT, "", 0}, {"Zg==", ERR_FORMAT, "", 0}, {"Zm9+", ERR_FORMAT, "", 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t out[16], back[16];
        struct writer w, b;
        print_message("row %s\n", rows[i].text);
        wr_fixed(&w, out, sizeof(out));
        assert_int_equal(base64url_read(view_str(rows[i].text), &w), rows[i].err);
        if (rows[i].err != OK)
            continue;
        assert_true(view_equal(wr_view_of(&w), view_of(rows[i].bytes, rows[i].len)));
        wr_fixed(&b, back, sizeof(back));
        base64url_put(&b, wr_view_of(&w));
        assert_true(view_equal(wr_view_of(&b), view_str(rows[i].text)));
    }
}

static void base64_of_others_is_read(void **state)
{
    (void)state;
    static const struct text_row rows[] = {
        {"", OK, "", 0},
        {"Zg", OK, "f", 1},
        {"Zg==", OK, "f", 1},
        {"Zm8=", OK, "fo", 2},
        {"+/8=", OK, "\xFB\xFF", 2},
        {"-_8", OK, "\xFB\xFF", 2},
        {"Zg=", ERR_FORMAT, "", 0},
        {"Z===", ERR_FORMAT, "", 0},
        {"=", ERR_FORMAT, "", 0},
        {"Zh==", ERR_FORMAT, "", 0},
        {"Zm9v=Zm9", ERR_FORMAT, "", 0},
        {"Zm9v ", ERR_FORMAT, "", 0},
    };
    static const uint8_t with_a_zero[] = {'Z', 'm', '8', 0};
    uint8_t out[16];
    struct writer w;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        print_message("row %s\n", rows[i].text);
        wr_fixed(&w, out, sizeof(out));
        assert_int_equal(base64_read(view_str(rows[i].text), &w), rows[i].err);
        if (rows[i].err == OK)
            assert_true(view_equal(wr_view_of(&w), view_of(rows[i].bytes, rows[i].len)));
    }
    wr_fixed(&w, out, sizeof(out));
    assert_int_equal(base64_lines_read(view_str(" Zm9v\r\nZm\t8=\n"), &w), OK);
    assert_true(view_equal(wr_view_of(&w), view_str("foofo")));
    assert_int_equal(base64_lines_read(VIEW_OF(with_a_zero), &w), ERR_FORMAT);
}

static void secrets_compare_and_wipe(void **state)
{
    (void)state;
    struct secret s = {0};
    static const uint8_t key[16] = {1, 2, 3};
    static const uint8_t long_key[SECRET_MAX + 1];
    assert_int_equal(secret_set(&s, VIEW_OF(key)), OK);
    assert_true(secret_equal(secret_view(&s), VIEW_OF(key)));
    s.data[15] ^= 1;
    assert_false(secret_equal(secret_view(&s), VIEW_OF(key)));
    assert_false(secret_equal(view_of(key, 15), VIEW_OF(key)));
    assert_int_equal(secret_set(&s, VIEW_OF(long_key)), ERR_LIMIT);
    assert_int_equal(s.len, 0);
    assert_int_equal(s.data[15], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reader_reads_straight_down),
        cmocka_unit_test(reader_fails_stickily),
        cmocka_unit_test(writer_stops_at_its_maximum),
        cmocka_unit_test(writer_refuses_a_length_that_does_not_fit),
        cmocka_unit_test(hex_is_strict),
        cmocka_unit_test(base64url_has_one_form),
        cmocka_unit_test(base64_of_others_is_read),
        cmocka_unit_test(secrets_compare_and_wipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
