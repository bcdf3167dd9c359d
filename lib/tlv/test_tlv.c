/* SPDX-License-Identifier: Apache-2.0
 *
 * BER-TLV objects good and bad, read and written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <base/text.h>
#include <tlv/tlv.h>

enum { BYTES_MAX = 64 };

static struct view bytes_of(const char *hex, uint8_t *memory)
{
    size_t len = 0;
    assert_int_equal(hex_read_str(hex, memory, BYTES_MAX, &len), OK);
    return view_of(memory, len);
}

static void assert_hex(const struct writer *w, const char *hex)
{
    uint8_t memory[BYTES_MAX];
    struct view want = bytes_of(hex, memory);
    assert_true(wr_ok(w));
    assert_int_equal(w->len, want.len);
    assert_memory_equal(w->data, want.data, want.len);
}

static const struct {
    const char *name, *hex;
    bool good;
    uint32_t tag;
    size_t value_len;
} objects[] = {
    {"one byte of tag", "4F03A0A1A2", true, 0x4F, 3},
    {"nothing in it", "8100", true, 0x81, 0},
    {"two bytes of tag", "9F7002070F", true, 0x9F70, 2},
    {"FCI issuer discretionary data: a number below 1F", "BF0C00", true, 0xBF0C, 0},
    {"three bytes of tag", "DF812001AA", true, 0xDF8120, 1},
    {"length 81", "4F8103A0A1A2", true, 0x4F, 3},
    {"length 82", "4F820003A0A1A2", true, 0x4F, 3},
    {"length 83", "4F83000003A0A1A2", true, 0x4F, 3},
    {"length 84", "4F8400000003A0A1A2", false, 0, 0},
    {"indefinite length", "6F800000", false, 0, 0},
    {"length FF", "4FFF00", false, 0, 0},
    {"tag 00", "0000", false, 0, 0},
    {"long tag with a leading zero digit", "9F800100", false, 0, 0},
    {"tag of four bytes", "DF81818100", false, 0, 0},
    {"tag cut", "9F", false, 0, 0},
    {"tag cut after two", "DF81", false, 0, 0},
    {"no length", "4F", false, 0, 0},
    {"length cut", "4F8200", false, 0, 0},
    {"value cut", "4F04010203", false, 0, 0},
    {"value cut, long", "4F82FFFF00", false, 0, 0},
};

static void reads_one_object(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
        uint8_t memory[BYTES_MAX];
        struct view v = bytes_of(objects[i].hex, memory);
        struct tlv object = {0};
        struct reader r;
        rd_init(&r, v);
        bool good = tlv_next(&r, &object);
        if (good != objects[i].good || rd_ok(&r) != objects[i].good || tlv_valid(v) != objects[i].good)
            fail_msg("%s", objects[i].name);
        if (object.tag != objects[i].tag || object.value.len != objects[i].value_len)
            fail_msg("%s: tag %X, %zu bytes", objects[i].name, object.tag, object.value.len);
    }
}

static void an_end_is_not_an_error(void **state)
{
    (void)state;
    struct reader r;
    struct tlv object;
    rd_init(&r, VIEW_NULL);
    assert_false(tlv_next(&r, &object));
    assert_true(rd_done(&r));
    assert_true(tlv_valid(VIEW_NULL));
}

static void finds_the_first_and_down_a_path(void **state)
{
    (void)state;
    uint8_t memory[BYTES_MAX];
    /* FCI of a card manager: 6F { 84 aid, A5 { 9F65 FF, 9F6E 01 } }, then a second 6F. */
    struct view v = bytes_of("6F0E8402A0A1A5089F6501FF9F6E0101"
                             "6F00",
                             memory);
    struct view value = VIEW_NULL;
    assert_true(tlv_valid(v));
    assert_true(tlv_find(v, 0x6F, &value));
    assert_int_equal(value.len, 14);
    assert_false(tlv_find(v, 0x84, &value)); /* directly in v only */
    assert_int_equal(value.len, 14);

    static const uint32_t path[] = {0x6F, 0xA5, 0x9F6E};
    assert_true(tlv_path(v, path, 3, &value));
    assert_int_equal(value.len, 1);
    assert_int_equal(value.data[0], 1);
    static const uint32_t astray[] = {0x6F, 0xA4, 0x9F6E};
    assert_false(tlv_path(v, astray, 3, &value));
    assert_true(tlv_path(v, NULL, 0, &value));
    assert_int_equal(value.len, v.len);
}

static void finds_only_before_what_is_malformed(void **state)
{
    (void)state;
    uint8_t memory[BYTES_MAX];
    struct view v = bytes_of("4F01AA"
                             "5080",
                             memory);
    struct view value = VIEW_NULL;
    assert_false(tlv_valid(v));
    assert_true(tlv_find(v, 0x4F, &value));
    assert_false(tlv_find(v, 0x50, &value));
}

static void knows_constructed_tags(void **state)
{
    (void)state;
    assert_true(tlv_constructed(0x6F));
    assert_true(tlv_constructed(0x7F49));
    assert_true(tlv_constructed(0xBF8101));
    assert_false(tlv_constructed(0x4F));
    assert_false(tlv_constructed(0x9F70));
    assert_false(tlv_constructed(0xDF8120));
}

static const struct {
    size_t len;
    const char *hex;
} lengths[] = {
    {0, "00"},         {0x7F, "7F"},       {0x80, "8180"},        {0xFF, "81FF"},
    {0x100, "820100"}, {0xFFFF, "82FFFF"}, {0x10000, "83010000"}, {0xFFFFFF, "83FFFFFF"},
};

static void writes_minimal_lengths_and_reads_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        uint8_t memory[8];
        struct writer w;
        struct reader r;
        wr_fixed(&w, memory, sizeof(memory));
        tlv_put_length(&w, lengths[i].len);
        assert_hex(&w, lengths[i].hex);
        assert_int_equal(tlv_header_len(0x4F, lengths[i].len), 1 + w.len);
        rd_init(&r, wr_view_of(&w));
        assert_int_equal(tlv_length(&r), lengths[i].len);
        assert_true(rd_done(&r));
    }
    assert_int_equal(tlv_header_len(0x7F49, 2), 3);
    assert_int_equal(tlv_header_len(0xDF8120, 0x80), 5);
}

static void refuses_to_write_what_it_would_not_read(void **state)
{
    (void)state;
    static const uint32_t tags[] = {0, 0x9F, 0x9F80, 0x9F81, 0xDF8181, 0x4F50, 0x01000000};
    uint8_t memory[16];
    struct writer w;
    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
        wr_fixed(&w, memory, sizeof(memory));
        tlv_put(&w, tags[i], VIEW_NULL);
        if (wr_ok(&w))
            fail_msg("tag %X was written", tags[i]);
    }
    wr_fixed(&w, memory, sizeof(memory));
    tlv_put_length(&w, 0x1000000);
    assert_false(wr_ok(&w));

    size_t mark;
    wr_fixed(&w, memory, sizeof(memory));
    tlv_open(&w, 0x4F, &mark); /* primitive: nothing nests in it */
    assert_false(wr_ok(&w));
}

static void nests(void **state)
{
    (void)state;
    uint8_t memory[BYTES_MAX];
    struct writer w;
    size_t outer, inner;
    wr_fixed(&w, memory, sizeof(memory));
    tlv_open(&w, 0x6F, &outer);
    tlv_put(&w, 0x84, VIEW_OF(((const uint8_t[]){0xA0, 0xA1})));
    tlv_open(&w, 0x7F21, &inner);
    tlv_put(&w, 0x9F65, VIEW_OF(((const uint8_t[]){0xFF})));
    tlv_close(&w, inner);
    tlv_open(&w, 0xA5, &inner);
    tlv_close(&w, inner);
    tlv_close(&w, outer);
    assert_hex(&w, "6F0D8402A0A17F21049F6501FFA500");
}

static void a_long_value_moves_up(void **state)
{
    (void)state;
    struct writer w;
    size_t mark;
    wr_heap(&w, 70000);
    tlv_open(&w, 0xC4 | 0x20, &mark);
    memset(wr_reserve(&w, 300), 0xAB, 300);
    tlv_close(&w, mark);
    struct view value = VIEW_NULL;
    assert_int_equal(w.len, 4 + 300);
    assert_true(tlv_find(wr_view_of(&w), 0xE4, &value));
    assert_int_equal(value.len, 300);
    assert_int_equal(value.data[0], 0xAB);
    assert_int_equal(value.data[299], 0xAB);
    wr_free(&w);
}

static void a_full_writer_turns_bad(void **state)
{
    (void)state;
    uint8_t memory[5];
    struct writer w;
    size_t mark;
    wr_fixed(&w, memory, sizeof(memory));
    tlv_open(&w, 0xE2, &mark);
    wr_bytes(&w, "abcd", 4);
    assert_true(wr_ok(&w));
    tlv_close(&w, mark); /* no room for the length */
    assert_false(wr_ok(&w));
    tlv_close(&w, mark);
    assert_false(wr_ok(&w));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_one_object),
        cmocka_unit_test(an_end_is_not_an_error),
        cmocka_unit_test(finds_the_first_and_down_a_path),
        cmocka_unit_test(finds_only_before_what_is_malformed),
        cmocka_unit_test(knows_constructed_tags),
        cmocka_unit_test(writes_minimal_lengths_and_reads_them),
        cmocka_unit_test(refuses_to_write_what_it_would_not_read),
        cmocka_unit_test(nests),
        cmocka_unit_test(a_long_value_moves_up),
        cmocka_unit_test(a_full_writer_turns_bad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
