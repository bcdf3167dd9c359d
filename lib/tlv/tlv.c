/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads and writes BER-TLV objects. The reader side refuses what ISO/IEC 7816-4 5.2.2 does not allow (tag 00,
 * a tag that goes on after its third byte, indefinite lengths); the writer side cannot produce it. */
#include <tlv/tlv.h>

enum {
    TAG_MORE_MASK = 0x1F, /* in the first byte: all set means that more tag bytes follow */
    TAG_GOES_ON = 0x80,   /* in the bytes behind: one more follows */
    TAG_CONSTRUCTED = 0x20,
    TAG_BYTES_MAX = 3,
    LENGTH_LONG = 0x80,
    LENGTH_BYTES_MAX = 3, /* behind the first */
    LENGTH_MAX = 0xFFFFFF
};

/* ISO 7816-4 5.2.2.1: tag 00 does not exist, and the number of a long tag does not begin with a zero digit
 * (80). */
static uint32_t take_tag(struct reader *r)
{
    uint8_t byte = rd_u8(r);
    uint32_t tag = byte;
    if (tag == 0)
        rd_fail(r);
    if ((tag & TAG_MORE_MASK) != TAG_MORE_MASK)
        return tag;
    if (rd_peek(r) == TAG_GOES_ON)
        rd_fail(r);
    for (int i = 1; i < TAG_BYTES_MAX; i++) {
        byte = rd_u8(r);
        tag = tag << 8 | byte;
        if ((byte & TAG_GOES_ON) == 0)
            return tag;
    }
    rd_fail(r);
    return 0;
}

size_t tlv_length(struct reader *r)
{
    uint8_t first = rd_u8(r);
    if (first < LENGTH_LONG)
        return first;
    uint8_t count = (uint8_t)(first - LENGTH_LONG);
    if (count == 0 || count > LENGTH_BYTES_MAX) {
        rd_fail(r);
        return 0;
    }
    size_t len = 0;
    for (uint8_t i = 0; i < count; i++)
        len = len << 8 | rd_u8(r);
    return rd_ok(r) ? len : 0;
}

bool tlv_next(struct reader *r, struct tlv *out)
{
    if (rd_left(r) == 0)
        return false;
    uint32_t tag = take_tag(r);
    struct view value = rd_view(r, tlv_length(r));
    if (!rd_ok(r))
        return false;
    *out = (struct tlv){.tag = tag, .value = value};
    return true;
}

bool tlv_find(struct view v, uint32_t tag, struct view *value)
{
    struct reader r;
    struct tlv object;
    rd_init(&r, v);
    while (tlv_next(&r, &object)) {
        if (object.tag != tag)
            continue;
        *value = object.value;
        return true;
    }
    return false;
}

bool tlv_path(struct view v, const uint32_t *tags, size_t count, struct view *value)
{
    for (size_t i = 0; i < count; i++)
        if (!tlv_find(v, tags[i], &v))
            return false;
    *value = v;
    return true;
}

bool tlv_valid(struct view v)
{
    struct reader r;
    struct tlv object;
    rd_init(&r, v);
    while (tlv_next(&r, &object))
        ;
    return rd_done(&r);
}

static size_t tag_len(uint32_t tag)
{
    return tag > 0xFFFF ? 3 : tag > 0xFF ? 2 : 1;
}

bool tlv_constructed(uint32_t tag)
{
    return (tag >> (8 * (tag_len(tag) - 1)) & TAG_CONSTRUCTED) != 0;
}

static void put_bytes(struct writer *w, size_t number, size_t bytes)
{
    while (bytes-- > 0)
        wr_u8(w, (uint8_t)(number >> (8 * bytes)));
}

/* The same rules as for reading: what take_tag would not give back is not written. */
static bool tag_is_good(uint32_t tag)
{
    uint8_t bytes[TAG_BYTES_MAX];
    struct writer w;
    struct reader r;
    if (tag > 0xFFFFFF)
        return false;
    wr_fixed(&w, bytes, sizeof(bytes));
    put_bytes(&w, tag, tag_len(tag));
    rd_init(&r, wr_view_of(&w));
    take_tag(&r);
    return rd_done(&r);
}

void tlv_put_tag(struct writer *w, uint32_t tag)
{
    if (!tag_is_good(tag))
        wr_fail(w);
    put_bytes(w, tag, tag_len(tag));
}

static size_t length_len(size_t len)
{
    return len > 0xFFFF ? 4 : len > 0xFF ? 3 : len >= LENGTH_LONG ? 2 : 1;
}

void tlv_put_length(struct writer *w, size_t len)
{
    size_t more = length_len(len) - 1;
    if (len > LENGTH_MAX)
        wr_fail(w);
    if (more > 0)
        wr_u8(w, (uint8_t)(LENGTH_LONG | more));
    put_bytes(w, len, more > 0 ? more : 1);
}

void tlv_put(struct writer *w, uint32_t tag, struct view value)
{
    tlv_put_tag(w, tag);
    tlv_put_length(w, value.len);
    wr_view(w, value);
}

void tlv_open(struct writer *w, uint32_t tag, size_t *mark)
{
    if (!tlv_constructed(tag))
        wr_fail(w);
    tlv_put_tag(w, tag);
    *mark = w->len;
}

/* The length is known only now: it is put in where the value began. */
void tlv_close(struct writer *w, size_t mark)
{
    uint8_t bytes[1 + LENGTH_BYTES_MAX];
    struct writer length;
    if (!wr_ok(w))
        return;
    wr_fixed(&length, bytes, sizeof(bytes));
    tlv_put_length(&length, w->len - mark);
    if (!wr_ok(&length))
        wr_fail(w);
    wr_insert(w, mark, wr_view_of(&length));
}

size_t tlv_header_len(uint32_t tag, size_t value_len)
{
    return tag_len(tag) + length_len(value_len);
}
