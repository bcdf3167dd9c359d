/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes data groupings and keys in them, and finds where blocks of STORE DATA may end. */
#include <gp/store_data.h>

#include <tlv/tlv.h>

enum {
    LONG_LENGTH = 0xFF,
    SHORT_LENGTH_MAX = 0xFE,
    FORMAT_MASK = STORE_DGI | STORE_TLV,
    PADDING = 0x80,
    TAG_CRT = 0xB9,
    VALUE_MAX = 0xFFFF
};

void dgi_put(struct writer *w, uint16_t id, struct view value)
{
    wr_u16(w, id);
    if (value.len > SHORT_LENGTH_MAX) {
        wr_u8(w, LONG_LENGTH);
        wr_view16(w, value);
    } else {
        wr_view8(w, value);
    }
}

static size_t take_dgi_header(struct reader *r, uint16_t *id)
{
    *id = rd_u16(r);
    size_t len = rd_u8(r);
    return len == LONG_LENGTH ? rd_u16(r) : len;
}

bool dgi_next(struct reader *r, struct dgi *out)
{
    uint16_t id;
    if (rd_left(r) == 0)
        return false;
    struct view value = rd_view(r, take_dgi_header(r, &id));
    if (!rd_ok(r))
        return false;
    *out = (struct dgi){.id = id, .value = value};
    return true;
}

bool dgi_valid(struct view v)
{
    struct reader r;
    struct dgi d;
    rd_init(&r, v);
    while (dgi_next(&r, &d))
        ;
    return rd_done(&r);
}

enum err dgi_put_encrypted(struct writer *w, struct crypto *c, uint16_t id, struct view value,
                           bool pad_always, const struct key_encryption *dek)
{
    struct writer padded, made;
    wr_heap(&padded, VALUE_MAX);
    wr_heap(&made, VALUE_MAX);
    wr_view(&padded, value);
    if (pad_always || value.len % dek->block != 0)
        wr_u8(&padded, PADDING);
    while (wr_ok(&padded) && padded.len % dek->block != 0)
        wr_u8(&padded, 0);
    enum err e = wr_status(&padded);
    if (e == OK)
        e = dek->encrypt(dek->ctx, c, wr_view_of(&padded), &made);
    if (e == OK)
        dgi_put(w, id, wr_view_of(&made));
    wr_free(&made);
    wr_free(&padded);
    return e == OK ? wr_status(w) : e;
}

static void put_byte(struct writer *w, uint32_t tag, uint8_t byte)
{
    tlv_put(w, tag, view_of(&byte, 1));
}

/* Table 11-92, in its order. */
static enum err put_template(struct writer *w, struct crypto *c, const struct store_key *k)
{
    struct new_key checked;
    size_t mark;
    enum err e = new_key_symmetric(&checked, c, k->type, k->value);
    if (e != OK)
        return e;
    tlv_open(w, TAG_CRT, &mark);
    put_byte(w, 0x95, k->usage);
    if (k->has_access)
        put_byte(w, 0x96, k->access);
    put_byte(w, 0x80, k->type);
    put_byte(w, 0x81, (uint8_t)k->value.len);
    put_byte(w, 0x82, k->kid);
    put_byte(w, 0x83, k->kvn);
    tlv_put(w, 0x84, view_of(checked.check, checked.check_len));
    tlv_close(w, mark);
    return OK;
}

enum err store_put_keys(struct writer *w, struct crypto *c, const struct store_key *keys, size_t count,
                        const struct key_encryption *dek)
{
    struct writer templates;
    enum err e = count > 0 ? OK : ERR_ARGUMENT;
    wr_heap(&templates, VALUE_MAX);
    for (size_t n = 0; n < count && e == OK; n++)
        e = put_template(&templates, c, &keys[n]);
    if (e == OK)
        e = wr_status(&templates);
    if (e == OK)
        dgi_put(w, DGI_KEY_CONTROL, wr_view_of(&templates));
    for (size_t n = 0; n < count && e == OK; n++)
        e = dgi_put_encrypted(w, c, DGI_SECRET_KEY, keys[n].value, false, dek);
    wr_free(&templates);
    return e == OK ? wr_status(w) : e;
}

/* --- Blocks */

/* Bytes of the header at r, and of the value behind it. False when it is not all there. */
static bool take_header(struct reader *r, uint8_t format, size_t *header, size_t *value)
{
    size_t before = rd_left(r);
    if (format == STORE_DGI) {
        uint16_t id;
        *value = take_dgi_header(r, &id);
    } else {
        struct reader whole = *r;
        struct tlv object;
        if (!tlv_next(&whole, &object))
            return false;
        *value = object.value.len;
        rd_view(r, before - rd_left(&whole) - object.value.len);
    }
    *header = before - rd_left(r);
    return rd_ok(r);
}

enum err store_cut_init(struct store_cut *s, struct view data, uint8_t flags, size_t size)
{
    uint8_t format = flags & FORMAT_MASK;
    if (size < STORE_BLOCK_MIN || format == FORMAT_MASK)
        return ERR_ARGUMENT;
    if (format == STORE_DGI && !dgi_valid(data))
        return ERR_FORMAT;
    if (format == STORE_TLV && !tlv_valid(data))
        return ERR_FORMAT;
    *s = (struct store_cut){.data = data, .flags = flags, .size = size};
    return OK;
}

/* How much of the data goes into a block of this format: up to the last place where it may end. */
static size_t block_len(struct store_cut *s, struct view rest, uint8_t format)
{
    struct reader r;
    size_t header, value, len = s->inside < s->size ? s->inside : s->size;
    s->inside -= len;
    rd_init(&r, view_tail(rest, len));
    while (s->inside == 0 && take_header(&r, format, &header, &value)) {
        if (len + header > s->size)
            break;
        size_t fits = s->size - len - header;
        fits = value < fits ? value : fits;
        len += header + fits;
        s->inside = value - fits;
        rd_view(&r, fits);
    }
    return len;
}

bool store_cut_next(struct store_cut *s, struct view *block)
{
    uint8_t format = s->flags & FORMAT_MASK;
    struct view rest = view_tail(s->data, s->at);
    if (rest.len == 0)
        return false;
    size_t len = format == 0 ? s->size : block_len(s, rest, format);
    *block = view_head(rest, len);
    s->at += block->len;
    return true;
}
