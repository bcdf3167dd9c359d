/* SPDX-License-Identifier: Apache-2.0
 *
 * SCP02, host side (GPCS 2.3.1 appendix E), in all options that table E-1 can name: one base key or three,
 * C-MAC on the command as it was or as it is sent, explicit or implicit initiation. */
#include "des.h"

#include <string.h>

enum {
    /* Table E-1. */
    I_THREE_KEYS = 0x01,
    I_UNMODIFIED = 0x02,
    I_ICV_ENCRYPTION = 0x10,

    CONSTANT_S_MAC = 0x0101,  /* E.4.1 */
    CONSTANT_S_RMAC = 0x0102, /* E.4.1 */
    CONSTANT_S_DEK = 0x0181,  /* E.4.1 */
    CONSTANT_S_ENC = 0x0182,  /* E.4.1 */

    CHALLENGE_LEN = 6,
    TAG_SEQUENCE_COUNTER = 0xC1 /* 11.3.3.1 table 11-31 */
};

/* E.4.1: constant 2 | sequence counter 2 | zeros 12, encrypted with the static key. */
static enum err derive_key(struct crypto *c, const struct secret *key, uint16_t constant, uint32_t sequence,
                           struct secret *out)
{
    uint8_t data[DES_KEY] = {0};
    struct writer w;
    wr_fixed(&w, data, sizeof(data));
    wr_u16(&w, constant);
    wr_u16(&w, (uint16_t)sequence);
    enum err e = wr_status(&w);
    if (e == OK)
        e = crypto_des3_cbc_encrypt(c, secret_view(key), des_zero, VIEW_OF(data), out->data);
    if (e == OK)
        out->len = DES_KEY;
    return e;
}

static bool scp02_lengths_ok(size_t enc, size_t mac, size_t dek)
{
    return enc == DES_KEY && mac == DES_KEY && dek == DES_KEY;
}

/* E.2: with one base key the three are that key. Others would be keys of another card. */
static enum err check_base_key(const struct channel_method *m, const struct card_keys *keys)
{
    bool same = secret_equal(secret_view(&keys->enc), secret_view(&keys->mac)) &&
                secret_equal(secret_view(&keys->enc), secret_view(&keys->dek));
    return same || (m->i & I_THREE_KEYS) != 0 ? OK : ERR_ARGUMENT;
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
        e = des_cryptogram(c, &ch->enc, host_challenge, VIEW_OF(card), card_cryptogram);
    if (e == OK)
        e = des_cryptogram(c, &ch->enc, VIEW_OF(card), host_challenge, ch->host_cryptogram);
    ch->host_cryptogram_len = DES_BLOCK;
    return e;
}

/* later: of R-MACs and of sensitive data. With implicit initiation the card makes these keys when the first
 * C-MAC was good, and its counter has moved by then (E.1.2.2). */
static enum err session_keys(struct channel *ch, struct crypto *c, const struct card_keys *keys,
                             uint32_t sequence, uint32_t later)
{
    enum err e = check_base_key(ch->method, keys);
    if (e == OK)
        e = derive_key(c, &keys->enc, CONSTANT_S_ENC, sequence, &ch->enc);
    if (e == OK)
        e = derive_key(c, &keys->mac, CONSTANT_S_MAC, sequence, &ch->mac);
    if (e == OK && ch->method->response_mac)
        e = derive_key(c, &keys->mac, CONSTANT_S_RMAC, later, &ch->rmac);
    return e == OK ? derive_key(c, &keys->dek, CONSTANT_S_DEK, later, &ch->dek) : e;
}

static enum err scp02_derive(struct channel *ch, struct crypto *c, const struct card_keys *keys,
                             struct view host_challenge, const struct init_update *iu,
                             uint8_t card_cryptogram[CRYPTOGRAM_MAX])
{
    enum err e = session_keys(ch, c, keys, iu->sequence, iu->sequence);
    return e == OK ? cryptograms(ch, c, host_challenge, iu, card_cryptogram) : e;
}

/* Retail MAC over the padded AID: of the first initial values (E.3.3), and of card challenges (E.4.2.3). */
static enum err mac_of_aid(struct crypto *c, const struct secret *key, struct view aid,
                           uint8_t out[DES_BLOCK])
{
    uint8_t padded[AID_MAX + DES_BLOCK];
    struct writer w;
    wr_fixed(&w, padded, sizeof(padded));
    wr_view(&w, aid);
    channel_pad(&w, DES_BLOCK);
    enum err e = wr_status(&w);
    return e == OK ? crypto_mac_retail(c, secret_view(key), des_zero, wr_view_of(&w), out) : e;
}

static enum err scp02_challenge(struct crypto *c, const struct card_keys *keys, uint32_t sequence,
                                struct view aid, uint8_t *out, size_t len)
{
    uint8_t mac[DES_BLOCK];
    struct secret s_mac = {0};
    enum err e = derive_key(c, &keys->mac, CONSTANT_S_MAC, sequence, &s_mac);
    if (e == OK)
        e = mac_of_aid(c, &s_mac, aid, mac);
    if (e == OK)
        memcpy(out, mac, len < CHALLENGE_LEN ? len : CHALLENGE_LEN);
    secret_wipe(&s_mac);
    return e;
}

/* ---- implicit initiation: the first C-MAC authenticates the host; the card does not authenticate itself
 * ---- */

/* E.1.2.2: the value of the sequence counter, by GET DATA. */
static enum err implicit_begin(struct channel_opening *o, struct crypto *c, struct random_source random,
                               const struct channel_keys *keys)
{
    (void)c;
    (void)random;
    (void)keys;
    if (o->request.aid.len < AID_MIN) /* the first initial value is made of it */
        return ERR_ARGUMENT;
    o->commands[0] = (struct apdu){.cla = 0x80, .ins = 0xCA, .p2 = TAG_SEQUENCE_COUNTER, .ne = 256};
    o->count = 1;
    return OK;
}

/* C1 02 | counter. At its end it opens nothing any more (E.1.2). */
static enum err read_sequence(struct view data, uint32_t *sequence)
{
    struct reader r;
    rd_init(&r, data);
    if (rd_u8(&r) != TAG_SEQUENCE_COUNTER || rd_u8(&r) != 2)
        return ERR_FORMAT;
    uint32_t value = rd_u16(&r);
    if (!rd_done(&r))
        return ERR_FORMAT;
    *sequence = value;
    return value < UINT16_MAX ? OK : ERR_STATE;
}

static enum err implicit_accept(struct channel *ch, struct crypto *c, const struct channel_opening *o,
                                const struct channel_keys *keys, const struct rapdu *answers)
{
    uint8_t icv[DES_BLOCK] = {0};
    const struct card_keys *card = keys->card;
    uint32_t sequence;
    if (card == NULL || !channel_keys_fit(ch->method, card->type, card->enc.len) ||
        !scp02_lengths_ok(card->enc.len, card->mac.len, card->dek.len))
        return ERR_ARGUMENT;
    enum err e = read_sequence(answers[0].data, &sequence);
    if (e == OK)
        e = session_keys(ch, c, card, sequence, sequence + 1);
    if (e == OK)
        e = mac_of_aid(c, &ch->mac, o->request.aid, ch->chain);
    if (e == OK && ch->method->response_mac)
        e = mac_of_aid(c, &ch->rmac, o->request.aid, icv);
    if (e == OK)
        rmac_begin(&ch->response, icv, false);
    return e;
}

/* ---- commands and answers ---- */

/* E.3.4: single DES with the first half of S-MAC. */
static enum err encrypt_icv(struct crypto *c, struct view s_mac, uint8_t icv[DES_BLOCK])
{
    return crypto_des_ecb_encrypt(c, view_head(s_mac, DES_BLOCK), view_of(icv, DES_BLOCK), icv);
}

static bool is_first(const struct channel *ch)
{
    return ch->method->authenticates ? ch->phase == PHASE_NEW : ch->counter == 0;
}

static enum err scp02_wrap(struct channel *ch, struct crypto *c, struct outgoing *commands, size_t count,
                           struct writer *storage)
{
    const struct des_rules rules = {
        .mac = crypto_mac_retail,
        .encrypt_icv = (ch->method->i & I_ICV_ENCRYPTION) != 0 ? encrypt_icv : NULL,
        .unmodified = (ch->method->i & I_UNMODIFIED) != 0,
        .first = is_first(ch),
    };
    uint8_t chain[DES_BLOCK];
    struct response_mac m = ch->response;
    enum err e = des_wrap(ch, c, &rules, commands, count, storage, chain);
    if (e == OK && ch->phase == PHASE_NEW) /* E.3.2: R-MACs begin with the C-MAC of EXTERNAL AUTHENTICATE */
        rmac_begin(&m, chain, (ch->level & LEVEL_R_MAC) != 0);
    else if (e == OK && ch->method->response_mac) /* of a sequence, the last one may be unwrapped */
        e = rmac_command(ch, c, &commands[count - 1], &m);
    if (e != OK)
        return e;
    memcpy(ch->chain, chain, DES_BLOCK);
    ch->response = m;
    return OK;
}

/* E.4.7: ECB; with implicit initiation CBC. */
static enum err scp02_dek_encrypt(struct channel *ch, struct crypto *c, struct view in, uint8_t *out)
{
    if (ch->method->authenticates)
        return crypto_des3_ecb_encrypt(c, secret_view(&ch->dek), in, out);
    return crypto_des3_cbc_encrypt(c, secret_view(&ch->dek), des_zero, in, out);
}

const struct channel_ops channel_scp02 = {
    .cipher_block = DES_BLOCK,
    .chain_len = DES_BLOCK,
    .lengths_ok = scp02_lengths_ok,
    .derive = scp02_derive,
    .wrap = scp02_wrap,
    .unwrap = rmac_answer,
    .dek_encrypt = scp02_dek_encrypt,
    .challenge = scp02_challenge,
};

const struct channel_ops channel_scp02_implicit = {
    .cipher_block = DES_BLOCK,
    .chain_len = DES_BLOCK,
    .lengths_ok = scp02_lengths_ok,
    .begin = implicit_begin,
    .accept = implicit_accept,
    .wrap = scp02_wrap,
    .unwrap = rmac_answer,
    .dek_encrypt = scp02_dek_encrypt,
};
