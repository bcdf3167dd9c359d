/* SPDX-License-Identifier: Apache-2.0
 *
 * SCP03, host side (GPCS Amendment D 1.1.1). A whole sequence is wrapped as one CBC run: the MAC of a command
 * begins with the MAC before it, which is just what a CBC context still holds. So each message gets sixteen
 * zero bytes in that place, all messages lie one behind the other, and one context goes over them:
 *
 *     zeros 16 | CLA INS P1 P2 Lc | field, encrypted | padding || zeros 16 | CLA ...
 *                                                    ^ xor with a CMAC subkey in the last block
 *
 * The data fields of the wrapped commands are views into this layout, with the C-MAC written over what stands
 * behind the field. */
#include "channel_internal.h"

#include <string.h>

enum {
    /* Amendment D table 4-1. */
    CONSTANT_CARD_CRYPTOGRAM = 0x00,
    CONSTANT_HOST_CRYPTOGRAM = 0x01,
    CONSTANT_S_ENC = 0x04,
    CONSTANT_S_MAC = 0x06,
    CONSTANT_S_RMAC = 0x07,

    ICV_GROUP = 64,  /* ICVs encrypted in one call */
    RUN_PIECE = 4096 /* of the MAC run; a multiple of the block */
};

/* Amendment D 4.1.5: label (11 zeros, constant) | 00 | L in bits | counter | context */
static enum err derive_data(struct crypto *c, const struct secret *key, uint8_t constant,
                            const struct view context[2], uint8_t *out, size_t len)
{
    enum { MADE_MAX = 32, HEAD = 16 };
    uint8_t made[MADE_MAX] = {0}, head[HEAD];
    enum err e = OK;
    for (size_t done = 0; done < len && e == OK; done += CMAC_LEN) {
        struct writer w;
        wr_fixed(&w, head, sizeof(head));
        for (int i = 0; i < 11; i++)
            wr_u8(&w, 0);
        wr_u8(&w, constant);
        wr_u8(&w, 0);
        wr_u16(&w, (uint16_t)(len * 8));
        wr_u8(&w, (uint8_t)(done / CMAC_LEN + 1));
        const struct view parts[] = {VIEW_OF(head), context[0], context[1]};
        e = crypto_cmac(c, secret_view(key), parts, 3, made + done);
    }
    if (e == OK)
        memcpy(out, made, len);
    wipe(made, sizeof(made));
    return e;
}

static enum err derive_key(struct crypto *c, const struct secret *key, uint8_t constant,
                           const struct view context[2], struct secret *out)
{
    enum err e = derive_data(c, key, constant, context, out->data, key->len);
    if (e == OK)
        out->len = key->len;
    return e;
}

static enum err scp03_derive(struct channel *ch, struct crypto *c, const struct card_keys *keys,
                             struct view host_challenge, const struct init_update *iu,
                             uint8_t card_cryptogram[CRYPTOGRAM_LEN])
{
    const struct view context[2] = {host_challenge, view_of(iu->challenge, iu->challenge_len)};
    /* Amendment D 6.1: the three keys have the same length. */
    if (key_length_check(KEY_AES, keys->enc.len) != OK || keys->mac.len != keys->enc.len ||
        keys->dek.len != keys->enc.len)
        return ERR_ARGUMENT;
    ch->dek = keys->dek; /* 6.2.8: the static one */
    enum err e = derive_key(c, &keys->enc, CONSTANT_S_ENC, context, &ch->enc);
    if (e == OK)
        e = derive_key(c, &keys->mac, CONSTANT_S_MAC, context, &ch->mac);
    if (e == OK && ch->method->response_mac)
        e = derive_key(c, &keys->mac, CONSTANT_S_RMAC, context, &ch->rmac);
    if (e == OK)
        e = derive_data(c, &ch->mac, CONSTANT_HOST_CRYPTOGRAM, context, ch->host_cryptogram, CRYPTOGRAM_LEN);
    if (e == OK)
        e = derive_data(c, &ch->mac, CONSTANT_CARD_CRYPTOGRAM, context, card_cryptogram, CRYPTOGRAM_LEN);
    return e;
}

/* One command's MAC message in the layout. */
struct message {
    size_t field_len, len; /* len: with padding, whole blocks */
    size_t field_at;       /* from the message's start */
    bool padded;           /* decides which subkey is used */
};

static struct message message_of(const struct channel *ch, const struct apdu *plain)
{
    struct message m = {.field_at = CHAIN_LEN + channel_header_len(plain)};
    m.field_len = channel_field_len(ch->method, channel_command_level(ch), plain->data.len);
    size_t bare = m.field_at + m.field_len;
    m.len = (bare + AES_BLOCK - 1) / AES_BLOCK * AES_BLOCK;
    m.padded = m.len != bare;
    return m;
}

static size_t layout_len(const struct channel *ch, const struct apdu *plain, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += message_of(ch, &plain[i]).len;
    return len;
}

static enum err put_message(const struct channel *ch, const struct apdu *plain, uint8_t *start)
{
    struct message m = message_of(ch, plain);
    struct writer header, field;
    wr_fixed(&header, start + CHAIN_LEN, m.field_at - CHAIN_LEN);
    channel_put_header(&header, plain, m.field_len + MAC_LEN);
    wr_fixed(&field, start + m.field_at, m.field_len);
    wr_view(&field, plain->data);
    if (m.field_len > plain->data.len)
        channel_pad(&field, AES_BLOCK);
    return wr_ok(&header) ? wr_status(&field) : wr_status(&header);
}

/* 6.2.6: the counter as a block; 6.2.7: with the first byte 80 for responses. */
static void put_counter(struct writer *w, uint8_t first, uint32_t counter)
{
    wr_u8(w, first);
    wr_u24(w, 0);
    wr_u64(w, 0);
    wr_u32(w, counter);
}

/* 6.2.6: the counter moves with each command, also with one that has no data. */
static enum err encrypt_group(const struct channel *ch, struct crypto *c, const struct apdu *plain,
                              size_t count, uint32_t counter, uint8_t **start)
{
    uint8_t icvs[ICV_GROUP * AES_BLOCK];
    struct writer w;
    wr_fixed(&w, icvs, sizeof(icvs));
    for (size_t i = 0; i < count; i++)
        put_counter(&w, 0, counter + (uint32_t)i);
    enum err e = wr_status(&w);
    if (e == OK)
        e = crypto_aes_ecb_encrypt(c, secret_view(&ch->enc), wr_view_of(&w), icvs);
    for (size_t i = 0; i < count && e == OK; i++) {
        struct message m = message_of(ch, &plain[i]);
        uint8_t *field = *start + m.field_at;
        if (m.field_len > 0)
            e = crypto_aes_cbc_encrypt(c, secret_view(&ch->enc), icvs + i * AES_BLOCK,
                                       view_of(field, m.field_len), field);
        *start += m.len;
    }
    return e;
}

static enum err encrypt_fields(const struct channel *ch, struct crypto *c, const struct apdu *plain,
                               size_t count, uint8_t *start)
{
    enum err e = OK;
    for (size_t done = 0; done < count && e == OK; done += ICV_GROUP) {
        size_t group = count - done < ICV_GROUP ? count - done : ICV_GROUP;
        e = encrypt_group(ch, c, plain + done, group, ch->counter + (uint32_t)done + 1, &start);
    }
    return e;
}

/* SP 800-38B 6.1. */
static void double_block(const uint8_t in[AES_BLOCK], uint8_t out[AES_BLOCK])
{
    uint8_t carry = 0;
    for (size_t i = AES_BLOCK; i-- > 0;) {
        uint8_t b = in[i];
        out[i] = (uint8_t)(b << 1 | carry);
        carry = b >> 7;
    }
    out[AES_BLOCK - 1] ^= (uint8_t)(0x87 & -carry);
}

/* Subkeys for complete and for padded last blocks. */
struct subkeys {
    uint8_t complete[AES_BLOCK], padded[AES_BLOCK];
};

static enum err derive_subkeys(const struct channel *ch, struct crypto *c, struct subkeys *out)
{
    static const uint8_t zero[AES_BLOCK];
    uint8_t l[AES_BLOCK];
    enum err e = crypto_aes_run_begin(c, secret_view(&ch->mac), zero);
    if (e == OK)
        e = crypto_aes_run_update(c, VIEW_OF(zero), l);
    if (e == OK) {
        double_block(l, out->complete);
        double_block(out->complete, out->padded);
    }
    wipe(l, sizeof(l));
    return e;
}

/* Applied before the run and taken away behind it, since part of the block may be the field itself. */
static void mask_last_block(uint8_t *start, struct message m, const struct subkeys *k)
{
    const uint8_t *subkey = m.padded ? k->padded : k->complete;
    uint8_t *last = start + m.len - AES_BLOCK;
    for (size_t i = 0; i < AES_BLOCK; i++)
        last[i] ^= subkey[i];
}

static void mask_all(const struct channel *ch, const struct apdu *plain, size_t count, uint8_t *start,
                     const struct subkeys *k)
{
    for (size_t i = 0; i < count; i++) {
        struct message m = message_of(ch, &plain[i]);
        if (m.padded)
            start[m.field_at + m.field_len] = 0x80; /* SP 800-38B 6.2; the zeros are there */
        mask_last_block(start, m, k);
        start += m.len;
    }
}

/* The CBC run over the layout, in pieces, of which only the end of each message is looked at. */
struct run {
    const uint8_t *layout;
    size_t len, done; /* how far the run has come */
    size_t piece_len;
    uint8_t piece[RUN_PIECE]; /* what came out last */
};

/* The output block that ends at position end. */
static enum err run_to(struct run *r, struct crypto *c, size_t end, uint8_t mac[AES_BLOCK])
{
    while (r->done < end) {
        struct view rest = view_of(r->layout + r->done, r->len - r->done);
        struct view now = view_head(rest, RUN_PIECE);
        enum err e = crypto_aes_run_update(c, now, r->piece);
        if (e != OK)
            return e;
        r->done += now.len;
        r->piece_len = now.len;
    }
    memcpy(mac, r->piece + r->piece_len - (r->done - end) - AES_BLOCK, AES_BLOCK);
    return OK;
}

/* The C-MACs of all commands, and the last of them as a whole. A C-MAC reaches into the next message: it is
 * written when the run is beyond that message's start for sure, i.e. when the next one has its MAC. */
static enum err mac_all(const struct channel *ch, struct crypto *c, const struct apdu *plain, size_t count,
                        uint8_t *layout, size_t len, const struct subkeys *k, uint8_t chain[CHAIN_LEN])
{
    struct run r = {.layout = layout, .len = len};
    uint8_t mac[AES_BLOCK], *start = layout, *place = NULL;
    enum err e = crypto_aes_run_begin(c, secret_view(&ch->mac), ch->chain);
    for (size_t i = 0; i < count && e == OK; i++) {
        struct message m = message_of(ch, &plain[i]);
        e = run_to(&r, c, (size_t)(start - layout) + m.len, mac);
        if (e != OK)
            break;
        mask_last_block(start, m, k);
        if (place != NULL)
            memcpy(place, chain, MAC_LEN);
        memcpy(chain, mac, CHAIN_LEN);
        place = start + m.field_at + m.field_len;
        start += m.len;
    }
    if (e == OK && place != NULL)
        memcpy(place, chain, MAC_LEN);
    return e;
}

static void give_out(const struct channel *ch, const struct apdu *plain, size_t count, const uint8_t *start,
                     struct apdu *wrapped)
{
    for (size_t i = 0; i < count; i++) {
        struct message m = message_of(ch, &plain[i]);
        wrapped[i] = channel_wrapped(&plain[i], view_of(start + m.field_at, m.field_len + MAC_LEN));
        start += m.len;
    }
}

static enum err protect(const struct channel *ch, struct crypto *c, const struct apdu *plain, size_t count,
                        uint8_t *layout, size_t len, uint8_t chain[CHAIN_LEN])
{
    struct subkeys k;
    enum err e = OK;
    uint8_t *start = layout;
    for (size_t i = 0; i < count && e == OK; i++) {
        e = put_message(ch, &plain[i], start);
        start += message_of(ch, &plain[i]).len;
    }
    if (e == OK && (channel_command_level(ch) & LEVEL_C_DECRYPTION) != 0)
        e = encrypt_fields(ch, c, plain, count, layout);
    if (e == OK)
        e = derive_subkeys(ch, c, &k);
    if (e == OK) {
        mask_all(ch, plain, count, layout, &k);
        e = mac_all(ch, c, plain, count, layout, len, &k, chain);
    }
    wipe(&k, sizeof(k));
    return e;
}

static enum err scp03_wrap(struct channel *ch, struct crypto *c, const struct apdu *plain, size_t count,
                           struct apdu *wrapped, struct writer *storage)
{
    uint8_t chain[CHAIN_LEN];
    size_t before = storage->len, len = layout_len(ch, plain, count);
    uint8_t *layout = wr_reserve(storage, len + AES_BLOCK); /* the last C-MAC may reach over the end */
    if (layout == NULL)
        return wr_status(storage);
    enum err e = protect(ch, c, plain, count, layout, len, chain);
    if (e != OK) {
        wipe(layout, len + AES_BLOCK);
        storage->len = before;
        return e;
    }
    give_out(ch, plain, count, layout, wrapped);
    memcpy(ch->chain, chain, CHAIN_LEN);
    if (ch->phase != PHASE_NEW) /* 6.2.6: 1 for the first command behind EXTERNAL AUTHENTICATE */
        ch->counter += (uint32_t)count;
    return OK;
}

static enum err verify_mac(const struct channel *ch, struct crypto *c, struct view data, uint16_t sw,
                           struct view mac)
{
    uint8_t expected[CMAC_LEN];
    const uint8_t status[] = {(uint8_t)(sw >> 8), (uint8_t)sw};
    const struct view parts[] = {VIEW_OF(ch->chain), data, VIEW_OF(status)};
    enum err e = crypto_cmac(c, secret_view(&ch->rmac), parts, 3, expected);
    if (e == OK && !secret_equal(view_of(expected, MAC_LEN), mac))
        e = ERR_AUTH;
    wipe(expected, sizeof(expected));
    return e;
}

/* Without the padding; some cards pad by more than one block. */
static enum err strip_padding(struct view padded, struct view *out)
{
    size_t len = padded.len;
    while (len > 0 && padded.data[len - 1] == 0)
        len--;
    if (len == 0 || padded.data[len - 1] != 0x80)
        return ERR_FORMAT;
    *out = view_head(padded, len - 1);
    return OK;
}

static enum err decrypt(const struct channel *ch, struct crypto *c, struct view data, struct writer *out)
{
    uint8_t icv[AES_BLOCK];
    struct writer w, plain;
    struct view bare;
    if (data.len % AES_BLOCK != 0)
        return ERR_FORMAT;
    wr_heap(&plain, data.len);
    wr_fixed(&w, icv, sizeof(icv));
    put_counter(&w, 0x80, ch->counter);
    uint8_t *place = wr_reserve(&plain, data.len);
    enum err e = place != NULL ? wr_status(&w) : ERR_MEMORY;
    if (e == OK)
        e = crypto_aes_ecb_encrypt(c, secret_view(&ch->enc), VIEW_OF(icv), icv);
    if (e == OK)
        e = crypto_aes_cbc_decrypt(c, secret_view(&ch->enc), icv, data, place);
    if (e == OK)
        e = strip_padding(wr_view_of(&plain), &bare);
    if (e == OK) {
        wr_view(out, bare);
        e = wr_status(out);
    }
    wr_free(&plain);
    return e;
}

static enum err scp03_unwrap(struct channel *ch, struct crypto *c, const struct rapdu *answer,
                             struct writer *out, bool *proven)
{
    struct reader r;
    if (!channel_is_success(answer->sw)) /* 6.2.5: the status word and nothing else */
        return answer->data.len == 0 ? OK : ERR_AUTH;
    if (answer->data.len < MAC_LEN)
        return ERR_AUTH;
    rd_init(&r, answer->data);
    struct view data = rd_view(&r, answer->data.len - MAC_LEN);
    enum err e = verify_mac(ch, c, data, answer->sw, rd_rest(&r));
    if (e != OK)
        return e;
    if ((ch->level & LEVEL_R_ENCRYPTION) != 0 && data.len > 0) {
        e = decrypt(ch, c, data, out);
    } else {
        wr_view(out, data);
        e = wr_status(out);
    }
    if (e == OK)
        *proven = true;
    return e;
}

static enum err scp03_dek_encrypt(struct channel *ch, struct crypto *c, struct view in, uint8_t *out)
{
    static const uint8_t zero[AES_BLOCK];
    return crypto_aes_cbc_encrypt(c, secret_view(&ch->dek), zero, in, out);
}

const struct channel_ops channel_scp03 = {
    .cipher_block = AES_BLOCK,
    .derive = scp03_derive,
    .wrap = scp03_wrap,
    .unwrap = scp03_unwrap,
    .dek_encrypt = scp03_dek_encrypt,
};
