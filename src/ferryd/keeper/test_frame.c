/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames whole, cut at every byte, and with lengths that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <base/text.h>
#include "keeper/frame.h"

static const uint8_t body[] = {0xCA, 0xFE, 0x00};

static void frame_goes_and_comes(void **state)
{
    (void)state;
    struct writer w;
    struct frame frame;
    size_t used = 0;
    wr_heap(&w, 64);
    wr_u8(&w, 0xEE); /* what stands before is left alone */
    size_t start = frame_begin(&w, 0x01020304);
    wr_view(&w, VIEW_OF(body));
    assert_int_equal(frame_end(&w, start), OK);
    char text[64];
    hex_write(text, wr_view_of(&w));
    assert_string_equal(text, "EE0000000701020304CAFE00");

    struct view arrived = view_tail(wr_view_of(&w), 1);
    for (size_t cut = 0; cut < arrived.len; cut++) {
        assert_int_equal(frame_get(view_head(arrived, cut), &frame, &used), ERR_NOT_FOUND);
        assert_int_equal(used, cut < 4 ? 4 : arrived.len);
    }
    assert_int_equal(frame_get(arrived, &frame, &used), OK);
    assert_int_equal(frame.id, 0x01020304);
    assert_int_equal(used, arrived.len);
    assert_true(view_equal(frame.body, VIEW_OF(body)));
    wr_free(&w);
}

static void two_frames_are_told_apart(void **state)
{
    (void)state;
    struct writer w;
    struct frame frame;
    size_t used = 0;
    wr_heap(&w, 64);
    size_t start = frame_begin(&w, 1);
    wr_view(&w, VIEW_OF(body));
    assert_int_equal(frame_end(&w, start), OK);
    start = frame_begin(&w, 2);
    assert_int_equal(frame_end(&w, start), OK);
    assert_int_equal(frame_get(wr_view_of(&w), &frame, &used), OK);
    assert_int_equal(frame.id, 1);
    assert_int_equal(frame_get(view_tail(wr_view_of(&w), used), &frame, &used), OK);
    assert_int_equal(frame.id, 2);
    assert_int_equal(frame.body.len, 0);
    assert_int_equal(used, FRAME_HEAD);
    wr_free(&w);
}

static const struct {
    const char *name, *hex;
    enum err e;
} heads[] = {
    {"no id", "00000003000000", ERR_FORMAT},
    {"nothing", "00000000", ERR_FORMAT},
    {"longer than any frame", "FFFFFFFF00000000", ERR_FORMAT},
    {"one byte more than the longest", "0021000100000000", ERR_FORMAT},
    {"the longest, not yet here", "0021000000000000", ERR_NOT_FOUND},
};

static void lying_lengths(void **state)
{
    (void)state;
    struct frame frame;
    size_t used, len;
    uint8_t bytes[16];
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        assert_int_equal(hex_read_str(heads[i].hex, bytes, sizeof(bytes), &len), OK);
        if (frame_get(view_of(bytes, len), &frame, &used) != heads[i].e)
            fail_msg("%s", heads[i].name);
    }
}

static void too_long_a_body_is_not_framed(void **state)
{
    (void)state;
    struct writer w;
    wr_heap(&w, FRAME_MAX + 16);
    size_t start = frame_begin(&w, 1);
    assert_non_null(wr_reserve(&w, FRAME_BODY_MAX));
    assert_int_equal(frame_end(&w, start), OK);
    wr_u8(&w, 0);
    assert_int_equal(frame_end(&w, start), ERR_LIMIT);
    assert_false(wr_ok(&w));
    wr_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame_goes_and_comes),
        cmocka_unit_test(two_frames_are_told_apart),
        cmocka_unit_test(lying_lengths),
        cmocka_unit_test(too_long_a_body_is_not_framed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
