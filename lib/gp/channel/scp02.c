/* SPDX-License-Identifier: Apache-2.0
 *
 * SCP02, host side (GPCS 2.3.1 appendix E), explicit initiation, C-MAC on the modified command:
 *
 *     C-MAC over   CLA INS P1 P2 Lc+8 | data | padding      before the data is encrypted
 *     R-MAC over   CLA INS P1 P2 Lc | data | length of the response's data | data | SW1 SW2 | padding
 */
#include "channel_internal.h"

#include <string.h>

enum {
    I_ICV_ENCRYPTION = 0x10,  /* table E-1 */
    CONSTANT_S_MAC = 0x0101,  /* E.4.1 */
    CONSTANT_S_RMAC = 0x0102, /* E.4.1 */
    CONSTANT_S_DEK = 0x0181,  /* E.4.1 */
    CONSTANT_S_ENC = 0x0182,  /* E.4.1 */
    KEY_LEN = 16,
    CBC_PIECE = 512 /* a multiple of the block */
};

static const uint8_t zero_icv[DES_BLOCK];

/* E.4.1: constant 2 | sequence counter 2 | zeros 12, encrypted with the static key. */
static enum err derive_key(struct crypto *c, const struct secret *key, uint16_t constant, uint32_t sequence,
                           struct secret *out)
{
    uint8_t data[KEY_LEN] = {0};
    struct writer w;
    wr_fixed(&w, data, sizeof(data));
    wr_u16(&w, constant);
    wr_u16(&w, (uint16_t)sequence);
    enum err e = wr_status(&w);
    if (e == OK)
        e = crypto_des3_cbc_encrypt(c, secret_view(key), zero_icv, VIEW_OF(data), out->data);
    if (e == OK)
        out->len = KEY_LEN;
    return e;
}

/* E.4.2: Triple-DES MAC over two challenges of 8 bytes. */
static enum err cryptogram(struct crypto *c, const struct secret *enc, struct view first, struct view second,
                           uint8_t out[DES_BLOCK])
{
    uint8_t data[3 * DES_BLOCK];
    struct writer w;
    wr_fixed(&w, data, sizeof(data));
    wr_view(&w, first);
    wr_view(&w, second);
    channel_pad(&w, DES_BLOCK);
    enum err e = wr_status(&w);
    return e == OK ? crypto_mac_des3(c, secret_view(enc), zero_icv, wr_view_of(&w), out) : e;
}

static enum err cryptograms(struct channel *ch, struct crypto *c, struct view host_challenge,
                            const struct init_update *iu, uint8_t card_cryptogram[CRYPTOGRAM_MAX])
{
    uint8_t card[DES_BLOCK]; /* sequence counter 2 | challenge 6 */
    struct writer w;
    wr_fixed(&w, card, sizeof(card));
    wr_u16(&w, (uint16_t)iu->sequence);
    wr_view(&w, view_of(iu->challenge, iu->challenge_len));
    enum err e = wr_status(&w);
    if (e == OK)
        e = cryptogram(c, &ch->enc, host_challenge, VIEW_OF(card), card_cryptogram);
    if (e == OK)
        e = cryptogram(c, &ch->enc, VIEW_OF(card), host_challenge, ch->host_cryptogram);
    return e;
}

static bool scp02_lengths_ok(size_t enc, size_t mac, size_t dek)
{
    return enc == KEY_LEN && mac == KEY_LEN && dek == KEY_LEN;
}

static enum err scp02_derive(struct channel *ch, struct crypto *c, const struct card_keys *keys,
                             struct view host_challenge, const struct init_update *iu,
                             uint8_t card_cryptogram[CRYPTOGRAM_MAX])
{
    ch->host_cryptogram_len = DES_BLOCK;
    enum err e = derive_key(c, &keys->enc, CONSTANT_S_ENC, iu->sequence, &ch->enc);
    if (e == OK)
        e = derive_key(c, &keys->mac, CONSTANT_S_MAC, iu->sequence, &ch->mac);
    if (e == OK && ch->method->response_mac)
        e = derive_key(c, &keys->mac, CONSTANT_S_RMAC, iu->sequence, &ch->rmac);
    if (e == OK)
        e = derive_key(c, &keys->dek, CONSTANT_S_DEK, iu->sequence, &ch->dek);
    return e == OK ? cryptograms(ch, c, host_challenge, iu, card_cryptogram) : e;
}

/* E.3.2, E.3.4: zero for EXTERNAL AUTHENTICATE, then the C-MAC before, which may have to be encrypted. */
static enum err next_icv(const struct channel *ch, struct crypto *c, const uint8_t chain[DES_BLOCK],
                         uint8_t icv[DES_BLOCK])
{
    bool first = ch->phase == PHASE_NEW;
    memcpy(icv, first ? zero_icv : chain, DES_BLOCK);
    if (first || (ch->method->i & I_ICV_ENCRYPTION) == 0)
        return OK;
    return crypto_des_ecb_encrypt(c, view_head(secret_view(&ch->mac), DES_BLOCK), view_of(icv, DES_BLOCK),
                                  icv);
}

/* Wraps one command and moves the chain on. There is room for the header and for the field, padded, and its
 * C-MAC; the MAC's own padding fits where the C-MAC will be. */
static enum err wrap_one(const struct channel *ch, struct crypto *c, const struct outgoing *o,
                         uint8_t chain[DES_BLOCK])
{
    uint8_t icv[DES_BLOCK];
    struct writer w;
    channel_put_header(o->start, o, o->plain->data.len + MAC_LEN);
    wr_fixed(&w, o->start, o->header_len + o->field_len + MAC_LEN);
    w.len = o->header_len;
    wr_view(&w, o->plain->data);
    channel_pad(&w, DES_BLOCK);
    enum err e = wr_status(&w);
    if (e == OK)
        e = next_icv(ch, c, chain, icv);
    if (e == OK)
        e = crypto_mac_retail(c, secret_view(&ch->mac), icv, wr_view_of(&w), chain);
    if (e != OK)
        return e;

    /* E.4.6: the data is encrypted after the MAC was made, padded anew. */
    wr_fixed(&w, o->field, o->field_len + MAC_LEN);
    wr_view(&w, o->plain->data);
    if (o->field_len > o->plain->data.len) {
        channel_pad(&w, DES_BLOCK);
        e = crypto_des3_cbc_encrypt(c, secret_view(&ch->enc), zero_icv, wr_view_of(&w), w.data);
    }
    wr_bytes(&w, chain, MAC_LEN);
    return e == OK ? wr_status(&w) : e;
}

/* Single DES over whole blocks of what came so far: the last block of an R-MAC always holds status word and
 * padding, so none of these is the last. */
static enum err absorb(const struct channel *ch, struct crypto *c, struct half_mac *m, struct view v)
{
    struct view k1 = view_head(secret_view(&ch->rmac), DES_BLOCK);
    struct secret key = {0}; /* K1 K1: Triple-DES that is single DES */
    uint8_t piece[CBC_PIECE];
    struct writer w;
    wr_fixed(&w, key.data, KEY_LEN);
    wr_view(&w, k1);
    wr_view(&w, k1);
    key.len = w.len;
    enum err e = wr_status(&w);
    while (e == OK && m->tail_len + v.len >= DES_BLOCK) {
        wr_fixed(&w, piece, sizeof(piece));
        wr_bytes(&w, m->tail, m->tail_len);
        size_t take = (CBC_PIECE - DES_BLOCK < v.len ? CBC_PIECE - DES_BLOCK : v.len);
        take -= (m->tail_len + take) % DES_BLOCK;
        wr_view(&w, view_head(v, take));
        v = view_tail(v, take);
        m->tail_len = 0;
        e = crypto_des3_cbc_encrypt(c, secret_view(&key), m->chain, wr_view_of(&w), piece);
        if (e == OK)
            memcpy(m->chain, piece + w.len - DES_BLOCK, DES_BLOCK);
    }
    wr_fixed(&w, m->tail, sizeof(m->tail));
    w.len = m->tail_len;
    wr_view(&w, v);
    m->tail_len = w.len;
    secret_wipe(&key);
    wipe(piece, sizeof(piece));
    return e == OK ? wr_status(&w) : e;
}

/* E.4.5: the command as it was before wrapping, on logical channel 0; Lc is there also without data. */
static enum err absorb_command(const struct channel *ch, struct crypto *c, const struct outgoing *o,
                               struct half_mac *m)
{
    struct view data = o->plain->data;
    uint8_t header[7];
    channel_put_header(header, o, data.len);
    header[0] = channel_bare_class(o->plain->cla);
    enum err e = absorb(ch, c, m, view_of(header, o->header_len));
    return e == OK ? absorb(ch, c, m, data) : e;
}

/* The chain of R-MACs begins with the C-MAC of EXTERNAL AUTHENTICATE (E.3.2). Of a sequence, the last command
 * is the one that may be unwrapped. */
static enum err begin_response_mac(const struct channel *ch, struct crypto *c, const struct outgoing *last,
                                   const uint8_t chain[DES_BLOCK], struct half_mac *m)
{
    if (ch->phase == PHASE_NEW) {
        *m = (struct half_mac){0};
        memcpy(m->chain, chain, DES_BLOCK);
        return OK;
    }
    return (ch->level & LEVEL_R_MAC) != 0 ? absorb_command(ch, c, last, m) : OK;
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

static enum err scp02_wrap(struct channel *ch, struct crypto *c, struct outgoing *commands, size_t count,
                           struct writer *storage)
{
    uint8_t chain[DES_BLOCK];
    struct half_mac m = ch->response;
    memcpy(chain, ch->chain, DES_BLOCK);
    enum err e = lay_out(commands, count, storage);
    for (size_t i = 0; i < count && e == OK; i++)
        e = wrap_one(ch, c, &commands[i], chain);
    if (e == OK)
        e = begin_response_mac(ch, c, &commands[count - 1], chain, &m);
    if (e != OK)
        return e;
    memcpy(ch->chain, chain, DES_BLOCK);
    ch->response = m;
    return OK;
}

/* Behind the command: length of the data modulo 256, data, status word, padding. */
static enum err end_response_mac(const struct channel *ch, struct crypto *c, struct view data, uint16_t sw,
                                 uint8_t mac[DES_BLOCK])
{
    struct half_mac m = ch->response;
    const uint8_t li[] = {(uint8_t)data.len};
    uint8_t end[3 * DES_BLOCK];
    struct writer w;
    enum err e = absorb(ch, c, &m, VIEW_OF(li));
    if (e == OK)
        e = absorb(ch, c, &m, data);
    wr_fixed(&w, end, sizeof(end));
    wr_bytes(&w, m.tail, m.tail_len);
    wr_u16(&w, sw);
    channel_pad(&w, DES_BLOCK);
    if (e == OK)
        e = wr_status(&w);
    return e == OK ? crypto_mac_retail(c, secret_view(&ch->rmac), m.chain, wr_view_of(&w), mac) : e;
}

/* E.4.5: an error status word has no data, but it has an R-MAC, which moves the chain also when the card, or
 * a reader at T=0, keeps it back: such an answer is not proven. */
static enum err scp02_unwrap(struct channel *ch, struct crypto *c, const struct rapdu *answer,
                             struct writer *out, bool *proven)
{
    uint8_t expected[DES_BLOCK];
    struct reader r;
    if ((ch->level & LEVEL_R_MAC) == 0)
        return channel_unwrap_bare(answer, out);
    bool success = channel_is_success(answer->sw), kept_back = !success && answer->data.len == 0;
    if (!kept_back && (answer->data.len < MAC_LEN || (!success && answer->data.len > MAC_LEN)))
        return ERR_AUTH;
    rd_init(&r, answer->data);
    struct view data = rd_view(&r, kept_back ? 0 : answer->data.len - MAC_LEN);
    enum err e = end_response_mac(ch, c, data, answer->sw, expected);
    if (e == OK && !kept_back && !secret_equal(VIEW_OF(expected), rd_rest(&r)))
        e = ERR_AUTH;
    if (e == OK) {
        wr_view(out, data);
        e = wr_status(out);
    }
    if (e == OK) {
        ch->response = (struct half_mac){0};
        memcpy(ch->response.chain, expected, DES_BLOCK);
        *proven = !kept_back;
    }
    wipe(expected, sizeof(expected));
    return e;
}

/* E.4.7, explicit initiation: ECB. */
static enum err scp02_dek_encrypt(struct channel *ch, struct crypto *c, struct view in, uint8_t *out)
{
    return crypto_des3_ecb_encrypt(c, secret_view(&ch->dek), in, out);
}

const struct channel_ops channel_scp02 = {
    .cipher_block = DES_BLOCK,
    .chain_len = DES_BLOCK,
    .lengths_ok = scp02_lengths_ok,
    .derive = scp02_derive,
    .wrap = scp02_wrap,
    .unwrap = scp02_unwrap,
    .dek_encrypt = scp02_dek_encrypt,
};
