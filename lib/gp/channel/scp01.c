/* SPDX-License-Identifier: Apache-2.0
 *
 * SCP01, host side (GPCS 2.2.1 appendix D): for the oldest cards. With keys of 8 bytes it is single DES
 * (docs/single-des.md): such keys are kept twice, K | K, since Triple-DES with equal halves is single DES;
 * only the session keys are made in another way. */
#include "des.h"

#include <string.h>

enum { I_ICV_ENCRYPTION = 0x10 /* D.1.1 */ };

static bool scp01_lengths_ok(size_t enc, size_t mac, size_t dek)
{
    return (enc == DES_KEY || enc == DES_BLOCK) && mac == enc && dek == enc;
}

static enum err doubled(const struct secret *key, struct secret *out)
{
    struct writer w;
    wr_fixed(&w, out->data, DES_KEY);
    wr_view(&w, secret_view(key));
    while (wr_ok(&w) && w.len < DES_KEY)
        wr_view(&w, secret_view(key));
    out->len = w.len;
    return wr_status(&w);
}

/* D.3.1, figure D-3: right half of the card's challenge, left half of the host's, then the other two. */
static enum err derivation_data(struct view host, struct view card, uint8_t out[DES_KEY])
{
    struct writer w;
    wr_fixed(&w, out, DES_KEY);
    wr_view(&w, view_tail(card, 4));
    wr_view(&w, view_head(host, 4));
    wr_view(&w, view_head(card, 4));
    wr_view(&w, view_tail(host, 4));
    return wr_status(&w);
}

/* Triple-DES ECB of the derivation data; with single DES the last block of its CBC, so that all of both
 * challenges counts. */
static enum err derive_key(struct crypto *c, const struct secret *key, struct view data, struct secret *out)
{
    uint8_t made[DES_KEY];
    struct secret twice = {0};
    bool single = key->len == DES_BLOCK;
    enum err e = doubled(key, &twice);
    if (e == OK && single)
        e = crypto_des3_cbc_encrypt(c, secret_view(&twice), des_zero, data, made);
    else if (e == OK)
        e = crypto_des3_ecb_encrypt(c, secret_view(&twice), data, made);
    if (e == OK)
        e = secret_set(out, single ? view_tail(VIEW_OF(made), DES_BLOCK) : VIEW_OF(made));
    if (e == OK && single) {
        twice = *out;
        e = doubled(&twice, out);
    }
    secret_wipe(&twice);
    wipe(made, sizeof(made));
    return e;
}

static enum err scp01_derive(struct channel *ch, struct crypto *c, const struct card_keys *keys,
                             struct view host_challenge, const struct init_update *iu,
                             uint8_t card_cryptogram[CRYPTOGRAM_MAX])
{
    struct view card = view_of(iu->challenge, iu->challenge_len);
    uint8_t data[DES_KEY];
    ch->host_cryptogram_len = DES_BLOCK;
    enum err e = derivation_data(host_challenge, card, data);
    if (e == OK)
        e = derive_key(c, &keys->enc, VIEW_OF(data), &ch->enc);
    if (e == OK)
        e = derive_key(c, &keys->mac, VIEW_OF(data), &ch->mac);
    if (e == OK)
        e = doubled(&keys->dek, &ch->dek); /* D.3.5: the static one */
    if (e == OK)
        e = des_cryptogram(c, &ch->enc, host_challenge, card, card_cryptogram);
    return e == OK ? des_cryptogram(c, &ch->enc, card, host_challenge, ch->host_cryptogram) : e;
}

/* D.1.5 */
static enum err encrypt_icv(struct crypto *c, struct view s_mac, uint8_t icv[DES_BLOCK])
{
    return crypto_des3_ecb_encrypt(c, s_mac, view_of(icv, DES_BLOCK), icv);
}

static enum err scp01_wrap(struct channel *ch, struct crypto *c, struct outgoing *commands, size_t count,
                           struct writer *storage)
{
    const struct des_rules rules = {
        .mac = crypto_mac_des3,
        .encrypt_icv = (ch->method->i & I_ICV_ENCRYPTION) != 0 ? encrypt_icv : NULL,
        .first = ch->phase == PHASE_NEW,
    };
    uint8_t chain[DES_BLOCK];
    enum err e = des_wrap(ch, c, &rules, commands, count, storage, chain);
    if (e == OK)
        memcpy(ch->chain, chain, DES_BLOCK);
    return e;
}

static enum err scp01_unwrap(struct channel *ch, struct crypto *c, const struct rapdu *answer,
                             struct writer *out, bool *proven)
{
    (void)ch;
    (void)c;
    *proven = false; /* the protocol has no response MAC */
    return channel_unwrap_bare(answer, out);
}

/* D.3.5: ECB. */
static enum err scp01_dek_encrypt(struct channel *ch, struct crypto *c, struct view in, uint8_t *out)
{
    return crypto_des3_ecb_encrypt(c, secret_view(&ch->dek), in, out);
}

const struct channel_ops channel_scp01 = {
    .cipher_block = DES_BLOCK,
    .chain_len = DES_BLOCK,
    .short_only = true,
    .length_byte = true,
    .lengths_ok = scp01_lengths_ok,
    .derive = scp01_derive,
    .wrap = scp01_wrap,
    .unwrap = scp01_unwrap,
    .dek_encrypt = scp01_dek_encrypt,
};
