/* SPDX-License-Identifier: Apache-2.0
 *
 * Encodes and decodes APDUs. */
#include <apdu/apdu.h>

enum {
    HEADER_LEN = 4,
    SHORT_DATA_MAX = 255,
    SHORT_NE_MAX = 256,
    EXTENDED_DATA_MAX = 65535,
    EXTENDED_NE_MAX = 65536
};

/* ISO 7816-3 12.1.3: Le 00 means 256, 0000 means 65,536. */
static uint32_t take_le(struct reader *r, bool extended)
{
    uint32_t le = extended ? rd_u16(r) : rd_u8(r);
    if (le > 0)
        return le;
    return extended ? EXTENDED_NE_MAX : SHORT_NE_MAX;
}

/* What stands behind Lc: the data, and an Le in the same form or nothing. */
static void take_data(struct reader *r, size_t lc, struct apdu *a)
{
    a->data = rd_view(r, lc);
    if (rd_left(r) > 0)
        a->ne = take_le(r, a->extended);
}

/* Behind the header. ISO 7816-3 12.1.3: the first byte and the length of all tell the cases apart.
 *
 *   1   (nothing)       2S  Le          3S  Lc data       4S  Lc data Le       Lc 01 to FF
 *                       2E  00 Le Le    3E  00 Lc Lc data 4E  00 Lc Lc data Le Le, Lc not 0000 */
static void take_body(struct reader *r, struct apdu *a)
{
    if (rd_left(r) == 0)
        return;
    if (rd_left(r) == 1) {
        a->ne = take_le(r, false);
        return;
    }
    uint8_t first = rd_u8(r);
    if (first != 0) {
        take_data(r, first, a);
        return;
    }
    a->extended = true;
    if (rd_left(r) == 2) {
        a->ne = take_le(r, true);
        return;
    }
    uint16_t lc = rd_u16(r);
    if (lc == 0)
        rd_fail(r);
    take_data(r, lc, a);
}

enum err apdu_parse(struct view v, struct apdu *out)
{
    struct reader r;
    struct apdu a = {0};
    rd_init(&r, v);
    a.cla = rd_u8(&r);
    a.ins = rd_u8(&r);
    a.p1 = rd_u8(&r);
    a.p2 = rd_u8(&r);
    take_body(&r, &a);
    if (!rd_done(&r))
        return ERR_FORMAT;
    *out = a;
    return OK;
}

bool apdu_is_extended(const struct apdu *a)
{
    bool has_length = a->data.len > 0 || a->ne > 0; /* case 1 has nothing that could be extended */
    return has_length && (a->extended || a->data.len > SHORT_DATA_MAX || a->ne > SHORT_NE_MAX);
}

/* The largest Ne is written as zeros: what is cut off at the top. */
static void put_extended(struct writer *w, const struct apdu *a)
{
    wr_u8(w, 0);
    if (a->data.len > 0)
        wr_view16(w, a->data);
    if (a->ne > 0)
        wr_u16(w, (uint16_t)a->ne);
}

static void put_short(struct writer *w, const struct apdu *a)
{
    if (a->data.len > 0)
        wr_view8(w, a->data);
    if (a->ne > 0)
        wr_u8(w, (uint8_t)a->ne);
}

void apdu_put(struct writer *w, const struct apdu *a)
{
    if (a->data.len > EXTENDED_DATA_MAX || a->ne > EXTENDED_NE_MAX)
        wr_fail(w);
    wr_u8(w, a->cla);
    wr_u8(w, a->ins);
    wr_u8(w, a->p1);
    wr_u8(w, a->p2);
    if (apdu_is_extended(a))
        put_extended(w, a);
    else
        put_short(w, a);
}

size_t apdu_len(const struct apdu *a)
{
    bool extended = apdu_is_extended(a);
    size_t len = HEADER_LEN + a->data.len;
    if (extended)
        len += 1;
    if (a->data.len > 0)
        len += extended ? 2 : 1;
    if (a->ne > 0)
        len += extended ? 2 : 1;
    return len;
}

enum err rapdu_parse(struct view v, struct rapdu *out)
{
    struct reader r;
    if (v.len < sizeof(out->sw) || v.len > RAPDU_MAX)
        return ERR_FORMAT;
    rd_init(&r, v);
    out->data = rd_view(&r, v.len - sizeof(out->sw));
    out->sw = rd_u16(&r);
    return OK;
}

void rapdu_put(struct writer *w, const struct rapdu *r)
{
    if (r->data.len > EXTENDED_NE_MAX)
        wr_fail(w);
    wr_view(w, r->data);
    wr_u16(w, r->sw);
}

bool sw_is_ok_or_warning(uint16_t sw)
{
    uint8_t sw1 = (uint8_t)(sw >> 8);
    return sw == SW_OK || (sw1 >= 0x61 && sw1 <= 0x63);
}
