/* SPDX-License-Identifier: Apache-2.0
 *
 * SCP01 as the card plays it. */
#include "channel_scp01.h"

#include <string.h>

#include "channel_des.h"

enum { SCP01_CHALLENGE = 8, SINGLE_DES_KEY = 8 };

static bool knows_i(uint8_t i)
{
    return i == 0x05 || i == 0x15;
}

static bool allows_level(uint8_t i, uint8_t level)
{
    (void)i;
    return level == 0x00 || level == 0x01 || level == 0x03;
}

static size_t challenge_len(uint8_t i)
{
    (void)i;
    return SCP01_CHALLENGE;
}

static bool counts(uint8_t i)
{
    (void)i;
    return false;
}

/* A key of 8 bytes becomes K | K. */
static enum err widen(const struct secret *key, struct secret *out)
{
    enum err e = secret_set(out, secret_view(key));
    if (e == OK && key->len == SINGLE_DES_KEY) {
        memcpy(out->data + SINGLE_DES_KEY, key->data, SINGLE_DES_KEY);
        out->len = CARD_DES_KEY;
    }
    return e == OK && out->len != CARD_DES_KEY ? ERR_ARGUMENT : e;
}

/* Figures D-3 to D-5: the halves of the challenges, crossed, encrypted in ECB under the static key. With
 * single DES: in CBC, and the last block is the key (docs/single-des.md). */
static enum err derive_key(struct crypto *c, const struct secret *key, struct view derivation,
                           struct secret *out)
{
    struct secret wide = {0}, derived = {0};
    bool single = key->len == SINGLE_DES_KEY;
    derived.len = single ? SINGLE_DES_KEY : CARD_DES_KEY;
    enum err e = widen(key, &wide);
    if (e == OK && single)
        e = crypto_mac_des3(c, secret_view(&wide), card_des_zeros, derivation, derived.data);
    else if (e == OK)
        e = crypto_des3_ecb_encrypt(c, secret_view(&wide), derivation, derived.data);
    if (e == OK)
        e = widen(&derived, out);
    secret_wipe(&wide);
    secret_wipe(&derived);
    return e;
}

enum err card_scp01_open(struct crypto *c, const struct card_static_keys *keys, uint8_t i,
                         struct view host_challenge, struct view card_challenge, struct card_channel *out,
                         uint8_t *cryptogram)
{
    if (host_challenge.len != SCP01_CHALLENGE || card_challenge.len != SCP01_CHALLENGE ||
        keys->enc.len != keys->mac.len || keys->enc.len != keys->dek.len)
        return ERR_ARGUMENT;
    uint8_t derivation[2 * SCP01_CHALLENGE];
    struct writer w;
    wr_fixed(&w, derivation, sizeof derivation);
    wr_view(&w, view_tail(card_challenge, 4));
    wr_view(&w, view_head(host_challenge, 4));
    wr_view(&w, view_head(card_challenge, 4));
    wr_view(&w, view_tail(host_challenge, 4));
    memset(out, 0, sizeof *out);
    out->scp = 0x01;
    out->i = i;
    out->mac_len = CARD_DES_MAC;
    const struct view card_first[] = {card_challenge, host_challenge};
    const struct view host_first[] = {host_challenge, card_challenge};
    enum err e = derive_key(c, &keys->enc, VIEW_OF(derivation), &out->s_enc);
    if (e == OK)
        e = derive_key(c, &keys->mac, VIEW_OF(derivation), &out->s_mac);
    if (e == OK)
        e = widen(&keys->dek, &out->s_dek); /* D.3.5: the static DEK itself */
    if (e == OK)
        e = card_des_cryptogram(c, &out->s_enc, card_first, 2, out->host_cryptogram);
    if (e == OK)
        e = card_des_cryptogram(c, &out->s_enc, host_first, 2, cryptogram);
    return e;
}

/* D.3.3: full Triple-DES over the modified header and the plain data. D.1.5: the ICV is zero for the first
 * command, then the C-MAC before, encrypted with Triple-DES under S-MAC where i says so. */
static enum err make_c_mac(struct crypto *c, const struct card_channel *ch, const struct apdu *command,
                           struct view plain, uint8_t mac[DES_BLOCK])
{
    uint8_t icv[DES_BLOCK];
    struct view last = view_head(VIEW_OF(ch->chain), DES_BLOCK);
    struct writer message;
    enum err e = OK;
    memcpy(icv, last.data, sizeof icv);
    if (ch->mac_verified && (ch->i & SCP01_I_ICV_ENCRYPTION))
        e = crypto_des3_ecb_encrypt(c, secret_view(&ch->s_mac), last, icv);
    wr_heap(&message, CAPDU_MAX + DES_BLOCK);
    card_put_mac_header(&message, command, plain.len + CARD_DES_MAC);
    wr_view(&message, plain);
    if (e == OK)
        e = wr_status(&message);
    if (e == OK)
        e = card_des_padded_mac(c, crypto_mac_des3, &ch->s_mac, icv, wr_view_of(&message), mac);
    wr_free(&message);
    return e;
}

/* D.3.4: a byte of length, the data, and padding only where that is no multiple of a block. All bytes of the
 * last block are looked at, whatever the first one says. */
static bool unpad(struct view decrypted, size_t *start, size_t *len)
{
    struct reader r;
    rd_init(&r, decrypted);
    size_t said = rd_u8(&r), most = decrypted.len - 1;
    unsigned bad = said > most || most - said >= DES_BLOCK;
    size_t at = 1, from = 1 + said;
    while (rd_left(&r) != 0) {
        uint8_t b = rd_u8(&r), want = at == from ? 0x80 : 0x00;
        bad |= (unsigned)(at >= from) & (unsigned)(b != want);
        at++;
    }
    *start = 1;
    *len = bad ? most : said;
    return !bad;
}

static const struct card_des_rules rules = {make_c_mac, unpad};

uint16_t card_scp01_external_authenticate(struct crypto *c, struct card_channel *ch,
                                          const struct apdu *command)
{
    if (command->p2 != 0 || !allows_level(ch->i, command->p1))
        return SW_INCORRECT_P1P2;
    return card_des_authenticate(c, &rules, ch, command);
}

uint16_t card_scp01_unwrap(struct crypto *c, struct card_channel *ch, const struct apdu *command,
                           struct writer *plain)
{
    return card_des_unwrap(c, &rules, ch, command, plain);
}

enum err card_scp01_wrap_response(struct crypto *c, struct card_channel *ch, const struct apdu *plain_command,
                                  const struct rapdu *response, struct writer *data)
{
    (void)c;
    (void)ch;
    (void)plain_command;
    wr_view(data, response->data);
    return wr_status(data);
}

/* D.3.5: ECB. */
static enum err decrypt_sensitive(struct crypto *c, const struct card_channel *ch, struct view cipher,
                                  uint8_t *out)
{
    return crypto_des3_ecb_decrypt(c, secret_view(&ch->s_dek), cipher, out);
}

static enum err open_any(struct crypto *c, const struct card_static_keys *keys, uint8_t i, uint32_t sequence,
                         struct view host_challenge, struct view card_challenge, struct card_channel *out,
                         uint8_t *cryptogram)
{
    (void)sequence;
    return card_scp01_open(c, keys, i, host_challenge, card_challenge, out, cryptogram);
}

const struct card_channel_ops card_scp01_ops = {.scp = 0x01,
                                                .knows_i = knows_i,
                                                .allows_level = allows_level,
                                                .host_challenge_len = challenge_len,
                                                .card_challenge_len = challenge_len,
                                                .counts = counts,
                                                .open = open_any,
                                                .external_authenticate = card_scp01_external_authenticate,
                                                .unwrap = card_scp01_unwrap,
                                                .wrap_response = card_scp01_wrap_response,
                                                .decrypt_sensitive = decrypt_sensitive};
