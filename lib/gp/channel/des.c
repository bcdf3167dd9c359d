/* SPDX-License-Identifier: Apache-2.0
 *
 * Wrapping for SCP01 and SCP02: lay out, MAC one behind the other, then encrypt. */
#include "des.h"

#include <string.h>

enum { FIELDS_AT_A_TIME = 256 };

const uint8_t des_zero[DES_BLOCK];

enum err des_cryptogram(struct crypto *c, const struct secret *enc, struct view first, struct view second,
                        uint8_t out[DES_BLOCK])
{
    uint8_t data[3 * DES_BLOCK];
    struct writer w;
    wr_fixed(&w, data, sizeof(data));
    wr_view(&w, first);
    wr_view(&w, second);
    channel_pad(&w, DES_BLOCK);
    enum err e = wr_status(&w);
    return e == OK ? crypto_mac_des3(c, secret_view(enc), des_zero, wr_view_of(&w), out) : e;
}

static enum err lay_out(struct outgoing *commands, size_t count, struct writer *storage)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += commands[i].header_len + commands[i].field_len + MAC_LEN;
    uint8_t *start = wr_reserve(storage, len);
    if (start == NULL)
        return wr_status(storage);
    for (size_t i = 0; i < count; i++) {
        struct outgoing *o = &commands[i];
        o->start = start;
        o->field = start + o->header_len;
        start = o->field + o->field_len + MAC_LEN;
    }
    return OK;
}

static enum err next_icv(const struct channel *ch, struct crypto *c, const struct des_rules *rules,
                         bool first, const uint8_t chain[DES_BLOCK], uint8_t icv[DES_BLOCK])
{
    memcpy(icv, chain, DES_BLOCK);
    if (first || rules->encrypt_icv == NULL)
        return OK;
    return rules->encrypt_icv(c, secret_view(&ch->mac), icv);
}

/* There is room for header, field and C-MAC; the MAC's own padding fits where the C-MAC will be. */
static enum err mac_one(const struct channel *ch, struct crypto *c, const struct des_rules *rules,
                        const struct outgoing *o, bool first, uint8_t chain[DES_BLOCK])
{
    uint8_t icv[DES_BLOCK];
    struct writer w;
    channel_put_header(o->start, o, o->plain->data.len + (rules->unmodified ? 0 : MAC_LEN));
    if (rules->unmodified)
        o->start[0] = channel_bare_class(o->plain->cla);
    wr_fixed(&w, o->start, o->header_len + o->field_len + MAC_LEN);
    w.len = o->header_len;
    wr_view(&w, o->plain->data);
    channel_pad(&w, DES_BLOCK);
    enum err e = wr_status(&w);
    if (e == OK)
        e = next_icv(ch, c, rules, first, chain, icv);
    return e == OK ? rules->mac(c, secret_view(&ch->mac), icv, wr_view_of(&w), chain) : e;
}

static bool is_encrypted(const struct outgoing *o)
{
    return o->field_len > o->plain->data.len;
}

/* The data anew, since padding for the MAC stands behind it, or its length comes before it. */
static enum err put_field(const struct channel *ch, const struct outgoing *o, const uint8_t mac[DES_BLOCK])
{
    struct writer w;
    wr_fixed(&w, o->field, o->field_len + MAC_LEN);
    if (is_encrypted(o) && ch->method->ops->length_byte)
        wr_u8(&w, (uint8_t)o->plain->data.len);
    wr_view(&w, o->plain->data);
    if (w.len < o->field_len)
        channel_pad(&w, DES_BLOCK);
    wr_bytes(&w, mac, MAC_LEN);
    return wr_status(&w);
}

/* Each field is a chain by itself (E.4.6), so that many are encrypted at a time. */
static enum err encrypt_fields(const struct channel *ch, struct crypto *c, const struct outgoing *commands,
                               size_t count)
{
    struct cipher_job jobs[FIELDS_AT_A_TIME];
    size_t n = 0;
    enum err e = OK;
    for (size_t i = 0; i < count && e == OK; i++) {
        const struct outgoing *o = &commands[i];
        if (is_encrypted(o))
            jobs[n++] = (struct cipher_job){view_of(o->field, o->field_len), o->field};
        if (n == FIELDS_AT_A_TIME || i + 1 == count) {
            e = crypto_des3_cbc_encrypt_many(c, secret_view(&ch->enc), des_zero, jobs, n);
            n = 0;
        }
    }
    return e;
}

enum err des_wrap(const struct channel *ch, struct crypto *c, const struct des_rules *rules,
                  struct outgoing *commands, size_t count, struct writer *storage, uint8_t chain[DES_BLOCK])
{
    enum err e = lay_out(commands, count, storage);
    memcpy(chain, ch->chain, DES_BLOCK);
    for (size_t i = 0; i < count && e == OK; i++) {
        e = mac_one(ch, c, rules, &commands[i], rules->first && i == 0, chain);
        if (e == OK)
            e = put_field(ch, &commands[i], chain);
    }
    return e == OK ? encrypt_fields(ch, c, commands, count) : e;
}
