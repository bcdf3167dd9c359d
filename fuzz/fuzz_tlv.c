/* links: cf_tlv */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes: nothing is read outside them, what reads well is found again, and what is written again in
 * minimal form reads as the same objects. */
#include <assert.h>
#include <stdint.h>

#include <tlv/tlv.h>

enum { DEPTH_MAX = 8, OUT_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void walk(struct view v, int depth)
{
    struct reader r;
    struct tlv object;
    rd_init(&r, v);
    while (tlv_next(&r, &object)) {
        struct view found;
        assert(tlv_find(v, object.tag, &found));
        if (tlv_constructed(object.tag) && depth < DEPTH_MAX)
            walk(object.value, depth + 1);
    }
    assert(tlv_valid(v) == rd_done(&r));
}

static void write_again(struct view v)
{
    struct reader r, again;
    struct tlv object, copy;
    struct writer w;
    wr_heap(&w, OUT_MAX);
    rd_init(&r, v);
    while (tlv_next(&r, &object)) {
        size_t before = w.len;
        tlv_put(&w, object.tag, object.value);
        assert(w.len - before == tlv_header_len(object.tag, object.value.len) + object.value.len);
    }
    assert(wr_ok(&w));
    rd_init(&r, v);
    rd_init(&again, wr_view_of(&w));
    while (tlv_next(&r, &object)) {
        assert(tlv_next(&again, &copy));
        assert(copy.tag == object.tag && view_equal(copy.value, object.value));
    }
    assert(rd_done(&again));
    wr_free(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len > OUT_MAX)
        return 0;
    walk(view_of(data, len), 0);
    write_again(view_of(data, len));
    return 0;
}
