/* SPDX-License-Identifier: Apache-2.0
 *
 * SCP03, host side (GPCS Amendment D 1.1.1; mode S16 is of its version 1.2). A whole sequence is wrapped in
 * two CBC runs, one over all data fields and one over all MAC messages. The MAC of a command begins with the
 * MAC before it, which is just what a CBC context still holds. So each message gets sixteen zero bytes in
 * that place, all messages lie one behind the other, and one context goes over them:
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
    CONSTANT_CARD_CHALLENGE = 0x02,
    CONSTANT_S_ENC = 0x04,
    CONSTANT_S_MAC = 0x06,
    CONSTANT_S_RMAC = 0x07,

    ICV_GROUP = 64,  /* ICVs made in one call */
    RUN_PIECE = 4096 /* of the MAC run, which stays near with what it is made of; a multiple of the block */
};

/* Amendment D 4.1.5: label (11 zeros, constant) | 00 | L in bits | counter | context */
enum err channel_scp03_kdf(struct crypto *c, const struct secret *key, uint8_t constant,
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
    enum err e = channel_scp03_kdf(c, key, constant, context, out->data, key->len);
    if (e == OK)
        out->len = key->len;
    return e;
}

/* Amendment D 6.1: the three keys have the same length. */
static bool scp03_lengths_ok(size_t enc, size_t mac, size_t dek)
{
    return key_length_check(KEY_AES, enc) == OK && mac == enc && dek == enc;
}

/* 6.2.2.1: from the static ENC key, the sequence counter and the AID. */
static enum err scp03_challenge(struct crypto *c, const struct card_keys *keys, uint32_t sequence,
                                struct view aid, uint8_t *out, size_t len)
{
    const uint8_t counter[] = {(uint8_t)(sequence >> 16), (uint8_t)(sequence >> 8), (uint8_t)sequence};
    const struct view context[2] = {VIEW_OF(counter), aid};
    return channel_scp03_kdf(c, &keys->enc, CONSTANT_CARD_CHALLENGE, context, out, len);
}

static enum err scp03_derive(struct channel *ch, struct crypto *c, const struct card_keys *keys,
                             struct view host_challenge, const struct init_update *iu,
                             uint8_t card_cryptogram[CRYPTOGRAM_MAX])
{
    const struct view context[2] = {host_challenge, view_of(iu->challenge, iu->challenge_len)};
    ch->dek = keys->dek; /* 6.2.8: the static one */
    ch->host_cryptogram_len = ch->tag_len;
    enum err e = derive_key(c, &keys->enc, CONSTANT_S_ENC, context, &ch->enc);
    if (e == OK)
        e = derive_key(c, &keys->mac, CONSTANT_S_MAC, context, &ch->mac);
    if (e == OK && ch->method->response_mac)
        e = derive_key(c, &keys->mac, CONSTANT_S_RMAC, context, &ch->rmac);
    if (e == OK)
        e = channel_scp03_kdf(c, &ch->mac, CONSTANT_HOST_CRYPTOGRAM, context, ch->host_cryptogram,
                              ch->tag_len);
    if (e == OK)
        e = channel_scp03_kdf(c, &ch->mac, CONSTANT_CARD_CRYPTOGRAM, context, card_cryptogram, ch->tag_len);
    return e;
}

/* Amendment D 4.1.4. */
static void put_field(const struct outgoing *o)
{
    struct view data = o->plain->data;
    uint8_t *end = o->field + data.len;
    if (data.len > 0)
        memcpy(o->field, data.data, data.len);
    if (o->field_len > data.len) {
        memset(end, 0, o->field_len - data.len);
        *end = 0x80;
    }
}

/* 6.2.6: the counter as a block; 6.2.7: with the first byte 80 for responses. */
static void put_counter(uint8_t out[AES_BLOCK], uint8_t first, uint32_t counter)
{
    memset(out, 0, AES_BLOCK);
    out[0] = first;
    for (size_t i = 0; i < sizeof(counter); i++)
        out[AES_BLOCK - 1 - i] = (uint8_t)(counter >> 8 * i);
}

static void xor_block(uint8_t out[AES_BLOCK], const uint8_t with[AES_BLOCK])
{
    uint64_t a[2], b[2];
    memcpy(a, out, AES_BLOCK);
    memcpy(b, with, AES_BLOCK);
    a[0] ^= b[0];
    a[1] ^= b[1];
    memcpy(out, a, AES_BLOCK);
}

/* 6.2.6: the ICV is the counter, encrypted with the key of the fields; the counter moves with each command,
 * also with one that has no data. */
static enum err make_icvs(const struct channel *ch, struct crypto *c, uint32_t counter, size_t count,
                          uint8_t *icvs)
{
    for (size_t i = 0; i < count; i++)
        put_counter(icvs + i * AES_BLOCK, 0, counter + (uint32_t)i);
    return crypto_aes_ecb_encrypt(c, secret_view(&ch->enc), view_of(icvs, count * AES_BLOCK), icvs);
}

/* All fields are one CBC run too: what the run still holds of the field before is taken away again, together
 * with the ICV, in the first block of the next. */
static enum err encrypt_fields(const struct channel *ch, struct crypto *c, const struct outgoing *commands,
                               size_t count)
{
    static const uint8_t zero[AES_BLOCK];
    const uint8_t *held = zero;
    uint8_t icvs[ICV_GROUP * AES_BLOCK];
    enum err e = crypto_aes_run_begin(c, secret_view(&ch->enc), zero);
    for (size_t i = 0; i < count && e == OK; i++) {
        const struct outgoing *o = &commands[i];
        size_t left = count - i, n = i % ICV_GROUP;
        if (n == 0)
            e = make_icvs(ch, c, ch->counter + (uint32_t)i + 1, left < ICV_GROUP ? left : ICV_GROUP, icvs);
        put_field(o);
        if (e != OK || o->field_len == 0)
            continue;
        xor_block(o->field, icvs + n * AES_BLOCK);
        xor_block(o->field, held);
        e = crypto_aes_run_update(c, view_of(o->field, o->field_len), o->field);
        held = o->field + o->field_len - AES_BLOCK;
    }
    wipe(icvs, sizeof(icvs));
    return e;
}

enum err channel_scp03_put_fields(const struct channel *ch, struct crypto *c, const struct outgoing *commands,
                                  size_t count)
{
    if (channel_encrypts(ch))
        return encrypt_fields(ch, c, commands, count);
    for (size_t i = 0; i < count; i++)
        put_field(&commands[i]);
    return OK;
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

/* Put on before the run and taken off behind it, since part of the block may be the field itself. */
static void mask_last_block(const struct outgoing *o, const struct subkeys *k)
{
    bool complete = o->field + o->field_len == o->start + o->message_len;
    xor_block(o->start + o->message_len - AES_BLOCK, complete ? k->complete : k->padded);
}

/* Zeros, header, and the padding of SP 800-38B 6.2, whose end may fall into the next message's zeros, or what
 * is reserved behind the last. */
static void complete_message(const struct outgoing *o, size_t tag_len)
{
    static const uint8_t padding[AES_BLOCK] = {0x80};
    uint8_t *end = o->field + o->field_len;
    memset(o->start, 0, AES_BLOCK);
    channel_put_header(o->start + AES_BLOCK, o, o->field_len + tag_len);
    if (end < o->start + o->message_len)
        memcpy(end, padding, AES_BLOCK);
}

/* The CBC run over the layout, in pieces, of which only the end of each message is looked at. A message is
 * written just before the run comes to it, while its memory is still near. */
struct run {
    const struct outgoing *commands;
    size_t count, made, tag_len;
    bool put; /* the fields too, which are not encrypted */
    const struct subkeys *k;

    struct view rest;
    const uint8_t *at; /* how far the run has come */
    size_t piece_len;
    uint8_t piece[RUN_PIECE]; /* what came out last */
};

/* The mask comes one message later: a processor waits when it reads a block of which it has just written
 * bytes. */
static void make_to(struct run *r, const uint8_t *end)
{
    const struct outgoing *before = NULL;
    for (; r->made < r->count && r->commands[r->made].start < end; r->made++) {
        const struct outgoing *o = &r->commands[r->made];
        if (r->put)
            put_field(o);
        complete_message(o, r->tag_len);
        if (before != NULL)
            mask_last_block(before, r->k);
        before = o;
    }
    if (before != NULL)
        mask_last_block(before, r->k);
}

/* The output block that ends at end. */
static enum err run_to(struct run *r, struct crypto *c, const uint8_t *end, uint8_t mac[AES_BLOCK])
{
    while (r->at < end) {
        struct view now = view_head(r->rest, RUN_PIECE);
        make_to(r, r->at + now.len);
        enum err e = crypto_aes_run_update(c, now, r->piece);
        if (e != OK)
            return e;
        r->at += now.len;
        r->rest = view_tail(r->rest, now.len);
        r->piece_len = now.len;
    }
    memcpy(mac, r->piece + r->piece_len - (size_t)(r->at - end) - AES_BLOCK, AES_BLOCK);
    return OK;
}

static void run_begin(struct run *r, const struct channel *ch, const struct outgoing *commands, size_t count,
                      size_t len, const struct subkeys *k)
{
    r->commands = commands;
    r->count = count;
    r->made = 0;
    r->tag_len = ch->tag_len;
    r->put = !channel_encrypts(ch);
    r->k = k;
    r->rest = view_of(commands[0].start, len);
    r->at = commands[0].start;
    r->piece_len = 0;
}

/* The C-MACs of all commands, and the last of them as a whole. A C-MAC reaches into the next message: it is
 * written when the run is beyond that message's start for sure, i.e. when the next one has its MAC. */
static enum err mac_all(const struct channel *ch, struct crypto *c, const struct outgoing *commands,
                        size_t count, size_t len, const struct subkeys *k, uint8_t chain[AES_BLOCK])
{
    uint8_t mac[AES_BLOCK], *place = NULL;
    struct run r;
    run_begin(&r, ch, commands, count, len, k);
    enum err e = crypto_aes_run_begin(c, secret_view(&ch->mac), ch->chain);
    for (size_t i = 0; i < count && e == OK; i++) {
        const struct outgoing *o = &commands[i];
        e = run_to(&r, c, o->start + o->message_len, mac);
        if (e != OK)
            break;
        mask_last_block(o, k);
        if (place != NULL)
            memcpy(place, chain, ch->tag_len);
        memcpy(chain, mac, AES_BLOCK);
        place = o->field + o->field_len;
    }
    if (e == OK && place != NULL)
        memcpy(place, chain, ch->tag_len);
    wipe(r.piece, len < RUN_PIECE ? len : RUN_PIECE);
    return e;
}

static enum err protect(const struct channel *ch, struct crypto *c, const struct outgoing *commands,
                        size_t count, size_t len, uint8_t chain[AES_BLOCK])
{
    struct subkeys k;
    enum err e = channel_encrypts(ch) ? encrypt_fields(ch, c, commands, count) : OK;
    if (e == OK)
        e = derive_subkeys(ch, c, &k);
    if (e == OK)
        e = mac_all(ch, c, commands, count, len, &k, chain);
    wipe(&k, sizeof(k));
    return e;
}

static size_t blocks(size_t len)
{
    return (len + AES_BLOCK - 1) / AES_BLOCK * AES_BLOCK;
}

/* Reserves all messages one behind the other, and room for a C-MAC, or padding, that reaches over the end;
 * len is without that. */
static enum err lay_out(struct outgoing *commands, size_t count, struct writer *storage, size_t *len)
{
    size_t all = 0;
    for (size_t i = 0; i < count; i++) {
        struct outgoing *o = &commands[i];
        o->message_len = blocks(AES_BLOCK + o->header_len + o->field_len);
        all += o->message_len;
    }
    uint8_t *start = wr_room(storage, all + AES_BLOCK);
    if (start == NULL)
        return wr_status(storage);
    for (size_t i = 0; i < count; i++) {
        struct outgoing *o = &commands[i];
        o->start = start;
        o->field = start + AES_BLOCK + o->header_len;
        start += o->message_len;
    }
    *len = all;
    return OK;
}

enum err channel_scp03_wrap(struct channel *ch, struct crypto *c, struct outgoing *commands, size_t count,
                            struct writer *storage)
{
    uint8_t chain[AES_BLOCK];
    size_t len = 0;
    enum err e = lay_out(commands, count, storage, &len);
    if (e == OK)
        e = protect(ch, c, commands, count, len, chain);
    if (e == OK)
        memcpy(ch->chain, chain, AES_BLOCK);
    return e;
}

static enum err verify_mac(const struct channel *ch, struct crypto *c, struct view data, uint16_t sw,
                           struct view mac)
{
    uint8_t expected[CMAC_LEN];
    const uint8_t status[] = {(uint8_t)(sw >> 8), (uint8_t)sw};
    const struct view parts[] = {view_of(ch->chain, AES_BLOCK), data, VIEW_OF(status)};
    enum err e = crypto_cmac(c, secret_view(&ch->rmac), parts, 3, expected);
    if (e == OK && !secret_equal(view_of(expected, ch->tag_len), mac))
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

enum err channel_scp03_decrypt(const struct channel *ch, struct crypto *c, struct view data,
                               struct writer *out)
{
    uint8_t icv[AES_BLOCK];
    struct writer plain;
    struct view bare;
    if (data.len % AES_BLOCK != 0)
        return ERR_FORMAT;
    wr_heap(&plain, data.len);
    put_counter(icv, 0x80, ch->counter);
    uint8_t *place = wr_reserve(&plain, data.len);
    enum err e = place != NULL ? OK : ERR_MEMORY;
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

enum err channel_scp03_deliver(const struct channel *ch, struct crypto *c, struct view data,
                               struct writer *out, bool *proven)
{
    enum err e = OK;
    if ((ch->level & LEVEL_R_ENCRYPTION) != 0 && data.len > 0)
        e = channel_scp03_decrypt(ch, c, data, out);
    else
        wr_view(out, data);
    if (e == OK)
        e = wr_status(out);
    if (e == OK)
        *proven = true;
    return e;
}

enum err channel_scp03_unwrap(struct channel *ch, struct crypto *c, const struct rapdu *answer,
                              struct writer *out, bool *proven)
{
    struct reader r;
    if ((ch->level & LEVEL_R_MAC) == 0)
        return channel_unwrap_bare(answer, out);
    if (!channel_is_success(answer->sw)) /* 6.2.5: the status word and nothing else */
        return answer->data.len == 0 ? OK : ERR_AUTH;
    if (answer->data.len < ch->tag_len)
        return ERR_AUTH;
    rd_init(&r, answer->data);
    struct view data = rd_view(&r, answer->data.len - ch->tag_len);
    enum err e = verify_mac(ch, c, data, answer->sw, rd_rest(&r));
    return e == OK ? channel_scp03_deliver(ch, c, data, out, proven) : e;
}

enum err channel_scp03_dek_encrypt(struct channel *ch, struct crypto *c, struct view in, uint8_t *out)
{
    static const uint8_t zero[AES_BLOCK];
    return crypto_aes_cbc_encrypt(c, secret_view(&ch->dek), zero, in, out);
}

const struct channel_ops channel_scp03 = {
    .cipher_block = AES_BLOCK,
    .chain_len = AES_BLOCK,
    .lengths_ok = scp03_lengths_ok,
    .derive = scp03_derive,
    .wrap = channel_scp03_wrap,
    .unwrap = channel_scp03_unwrap,
    .dek_encrypt = channel_scp03_dek_encrypt,
    .challenge = scp03_challenge,
};
