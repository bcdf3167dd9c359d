/* SPDX-License-Identifier: Apache-2.0
 *
 * SCP02 as the card plays it, with explicit and implicit initiation. */
#include "channel_scp02.h"

#include <string.h>

#include "channel_des.h"

enum { SCP02_CARD_CHALLENGE = 6, SCP02_LC_BYTE_MAX = 255 };

/* GPCS 2.3.1 E.4.1. */
enum { DERIVE_C_MAC = 0x0101, DERIVE_R_MAC = 0x0102, DERIVE_DEK = 0x0181, DERIVE_ENC = 0x0182 };

/* Figure E-2: constant 2 | sequence 2 | zeros 12, encrypted in CBC under the static key. */
static enum err derive_key(struct crypto *c, const struct secret *key, uint16_t constant, uint32_t sequence,
                           struct secret *out)
{
    uint8_t data[CARD_DES_KEY] = {0};
    struct writer w;
    wr_fixed(&w, data, 4);
    wr_u16(&w, constant);
    wr_u16(&w, (uint16_t)sequence);
    out->len = CARD_DES_KEY;
    return crypto_des3_cbc_encrypt(c, secret_view(key), card_des_zeros, VIEW_OF(data), out->data);
}

/* The options that cards have (GPCS 2.3.1 E.1.1 and those of its forerunners), each with or without R-MAC. */
static bool knows_i(uint8_t i)
{
    static const uint8_t known[] = {0x04, 0x05, 0x0A, 0x0B, 0x14, 0x15, 0x1A, 0x1B, 0x44, 0x45, 0x54, 0x55};
    for (size_t n = 0; n < sizeof known; n++) {
        if (known[n] == (i & ~SCP02_I_R_MAC))
            return true;
    }
    return false;
}

static bool implicit(uint8_t i)
{
    return !(i & SCP02_I_EXPLICIT);
}

static bool allows_level(uint8_t i, uint8_t level)
{
    /* GPCS 2.3.1 table E-11: level, and what i must have for it. */
    static const uint8_t rows[][2] = {
        {0x00, 0}, {0x01, 0}, {0x03, 0}, {0x10, SCP02_I_R_MAC}, {0x11, SCP02_I_R_MAC}, {0x13, SCP02_I_R_MAC}};
    if (implicit(i))
        return level == CARD_LEVEL_C_MAC; /* E.1.2.2 */
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        if (rows[n][0] == level)
            return (i & rows[n][1]) == rows[n][1];
    }
    return false;
}

static size_t host_challenge_len(uint8_t i)
{
    (void)i;
    return 8;
}

static size_t card_challenge_len(uint8_t i)
{
    (void)i;
    return SCP02_CARD_CHALLENGE;
}

static bool counts(uint8_t i)
{
    return (i & SCP02_I_PSEUDO_RANDOM) != 0;
}

/* E.3.3, E.4.2.3: a MAC over the padded AID. */
static enum err mac_over_aid(struct crypto *c, const struct secret *key, struct view aid,
                             uint8_t out[DES_BLOCK])
{
    return card_des_padded_mac(c, crypto_mac_retail, key, card_des_zeros, aid, out);
}

enum err card_scp02_challenge(struct crypto *c, const struct card_static_keys *keys, uint8_t i,
                              uint32_t sequence, struct view aid, uint8_t *challenge)
{
    (void)i;
    uint8_t mac[DES_BLOCK];
    struct secret s_mac = {0};
    enum err e = derive_key(c, &keys->mac, DERIVE_C_MAC, sequence, &s_mac);
    if (e == OK)
        e = mac_over_aid(c, &s_mac, aid, mac);
    if (e == OK)
        memcpy(challenge, mac, SCP02_CARD_CHALLENGE);
    secret_wipe(&s_mac);
    return e;
}

static bool keys_are_sound(const struct card_static_keys *keys)
{
    return keys->enc.len == CARD_DES_KEY && keys->mac.len == CARD_DES_KEY && keys->dek.len == CARD_DES_KEY;
}

static void begin(struct card_channel *out, uint8_t i)
{
    memset(out, 0, sizeof *out);
    out->scp = 0x02;
    out->i = i;
    out->mac_len = CARD_DES_MAC;
    out->response_mac_len = CARD_DES_MAC;
}

enum err card_scp02_open(struct crypto *c, const struct card_static_keys *keys, uint8_t i, uint32_t sequence,
                         struct view host_challenge, struct view card_challenge, struct card_channel *out,
                         uint8_t *cryptogram)
{
    if (host_challenge.len != 8 || card_challenge.len != SCP02_CARD_CHALLENGE || !keys_are_sound(keys))
        return ERR_ARGUMENT;
    begin(out, i);
    uint8_t counter[2] = {(uint8_t)(sequence >> 8), (uint8_t)sequence};
    const struct view card_first[] = {VIEW_OF(counter), card_challenge, host_challenge};
    const struct view host_first[] = {host_challenge, VIEW_OF(counter), card_challenge};
    enum err e = derive_key(c, &keys->mac, DERIVE_C_MAC, sequence, &out->s_mac);
    if (e == OK)
        e = derive_key(c, &keys->mac, DERIVE_R_MAC, sequence, &out->s_rmac);
    if (e == OK) /* E.4.1: BEGIN R-MAC SESSION finds the counter moved */
        e = derive_key(c, &keys->mac, DERIVE_R_MAC, sequence + 1, &out->s_rmac_begun);
    if (e == OK)
        e = derive_key(c, &keys->enc, DERIVE_ENC, sequence, &out->s_enc);
    if (e == OK)
        e = derive_key(c, &keys->dek, DERIVE_DEK, sequence, &out->s_dek);
    if (e == OK)
        e = card_des_cryptogram(c, &out->s_enc, card_first, 3, out->host_cryptogram);
    if (e == OK)
        e = card_des_cryptogram(c, &out->s_enc, host_first, 3, cryptogram);
    return e;
}

/* E.1.2.2: the C-MAC key comes from the counter as it is, the others from the one that the first C-MAC makes
 * of it. */
enum err card_scp02_open_implicit(struct crypto *c, const struct card_static_keys *keys, uint8_t i,
                                  uint32_t sequence, struct view aid, struct card_channel *out)
{
    if (!keys_are_sound(keys) || !implicit(i))
        return ERR_ARGUMENT;
    begin(out, i);
    out->level = CARD_LEVEL_C_MAC;
    enum err e = derive_key(c, &keys->mac, DERIVE_C_MAC, sequence, &out->s_mac);
    if (e == OK)
        e = derive_key(c, &keys->mac, DERIVE_R_MAC, sequence + 1, &out->s_rmac_begun);
    if (e == OK)
        e = derive_key(c, &keys->dek, DERIVE_DEK, sequence + 1, &out->s_dek);
    if (e == OK)
        e = mac_over_aid(c, &out->s_mac, aid, out->chain);
    if (e == OK)
        e = mac_over_aid(c, &out->s_rmac_begun, aid, out->response_start);
    return e;
}

/* E.4.4 and E.3.4: the first ICV is not encrypted; then it is the C-MAC before, encrypted with single DES
 * under the first half of S-MAC where i says so. */
static enum err next_icv(struct crypto *c, const struct card_channel *ch, uint8_t icv[DES_BLOCK])
{
    struct view last = view_head(VIEW_OF(ch->chain), DES_BLOCK);
    if (ch->mac_verified && (ch->i & SCP02_I_ICV_ENCRYPTION))
        return crypto_des_ecb_encrypt(c, view_head(secret_view(&ch->s_mac), 8), last, icv);
    memcpy(icv, last.data, DES_BLOCK);
    return OK;
}

/* Figure E-3: class without secure messaging and channel, Lc without the MAC, 00 when there is no data. */
static void put_unmodified_header(struct writer *w, const struct apdu *command, size_t data_len)
{
    wr_u8(w, command->cla & 0xF0 & ~0x40);
    wr_u8(w, command->ins);
    wr_u8(w, command->p1);
    wr_u8(w, command->p2);
    card_put_lc(w, command, data_len);
}

static enum err make_c_mac(struct crypto *c, const struct card_channel *ch, const struct apdu *command,
                           struct view plain, uint8_t mac[DES_BLOCK])
{
    uint8_t icv[DES_BLOCK];
    struct writer message;
    wr_heap(&message, CAPDU_MAX + DES_BLOCK);
    if (ch->i & SCP02_I_UNMODIFIED_APDU)
        put_unmodified_header(&message, command, plain.len);
    else
        card_put_mac_header(&message, command, plain.len + CARD_DES_MAC);
    wr_view(&message, plain);
    enum err e = wr_status(&message);
    if (e == OK)
        e = next_icv(c, ch, icv);
    if (e == OK)
        e = card_des_padded_mac(c, crypto_mac_retail, &ch->s_mac, icv, wr_view_of(&message), mac);
    wr_free(&message);
    return e;
}

static bool unpad(struct view decrypted, size_t *start, size_t *len)
{
    long n = card_unpad(decrypted, DES_BLOCK);
    *start = 0;
    *len = n >= 0 ? (size_t)n : decrypted.len - 1;
    return n >= 0;
}

static const struct card_des_rules rules = {make_c_mac, unpad};

uint16_t card_scp02_external_authenticate(struct crypto *c, struct card_channel *ch,
                                          const struct apdu *command)
{
    if (command->p2 != 0 || !allows_level(ch->i, command->p1))
        return SW_INCORRECT_P1P2;
    uint16_t sw = card_des_authenticate(c, &rules, ch, command);
    /* E.3.2: the R-MAC chain starts here, whenever the R-MAC session does. */
    memcpy(ch->response_start, ch->chain, sizeof ch->response_start);
    memcpy(ch->response_chain, ch->chain, sizeof ch->response_chain);
    if (sw == SW_OK && (ch->level & CARD_LEVEL_R_MAC))
        ch->r_mac = CARD_R_MAC_ALWAYS;
    return sw;
}

uint16_t card_scp02_unwrap(struct crypto *c, struct card_channel *ch, const struct apdu *command,
                           struct writer *plain)
{
    /* E.1.6: with implicit initiation a command may come without a C-MAC, and the level falls. */
    if (implicit(ch->i) && !(command->cla & 0x04))
        ch->level &= (uint8_t)~CARD_LEVEL_C_MAC;
    return card_des_unwrap(c, &rules, ch, command, plain);
}

/* ---- responses ---- */

uint16_t card_scp02_begin_r_mac(struct card_channel *ch, uint8_t p1)
{
    if (!(ch->i & SCP02_I_R_MAC))
        return SW_INS;
    if (ch->r_mac != CARD_R_MAC_NONE)
        return SW_CONDITIONS;
    ch->s_rmac = ch->s_rmac_begun;
    memcpy(ch->response_chain, ch->response_start, sizeof ch->response_chain);
    ch->r_mac = p1 == CARD_LEVEL_R_MAC ? CARD_R_MAC_SENT : CARD_R_MAC_KEPT;
    ch->r_mac_turn = CARD_R_MAC_TURN_KEEPS;
    ch->level |= CARD_LEVEL_R_MAC;
    return SW_OK;
}

uint16_t card_scp02_end_r_mac(struct card_channel *ch, bool ends, struct writer *out)
{
    if (ch->r_mac == CARD_R_MAC_NONE)
        return SW_REFERENCED_DATA;
    /* E.4.5: what EXTERNAL AUTHENTICATE began lasts as long as its session. */
    if (ends && ch->r_mac == CARD_R_MAC_ALWAYS)
        return SW_CONDITIONS;
    wr_view(out, VIEW_OF(ch->response_chain));
    ch->r_mac_turn = CARD_R_MAC_TURN_SKIPS;
    if (ends) {
        ch->r_mac = CARD_R_MAC_NONE;
        ch->level &= (uint8_t)~CARD_LEVEL_R_MAC;
    }
    return SW_OK;
}

/* E.4.5: class without channel and secure messaging bit, INS P1 P2, Lc (00 when there is no data), data, Li
 * modulo 256, response data (none with an error), status word. */
static void put_r_mac_input(struct writer *w, const struct apdu *command, const struct rapdu *response)
{
    struct view data = sw_is_ok_or_warning(response->sw) ? response->data : VIEW_NULL;
    put_unmodified_header(w, command, command->data.len);
    wr_view(w, command->data);
    wr_u8(w, (uint8_t)data.len);
    wr_view(w, data);
    wr_u16(w, response->sw);
}

static enum err make_r_mac(struct crypto *c, struct card_channel *ch, const struct apdu *plain_command,
                           const struct rapdu *response)
{
    struct writer message;
    wr_heap(&message, CAPDU_MAX + RAPDU_MAX + DES_BLOCK);
    put_r_mac_input(&message, plain_command, response);
    enum err e = wr_status(&message);
    if (e == OK)
        e = card_des_padded_mac(c, crypto_mac_retail, &ch->s_rmac, ch->response_chain, wr_view_of(&message),
                                ch->response_chain);
    wr_free(&message);
    return e;
}

enum err card_scp02_wrap_response(struct crypto *c, struct card_channel *ch, const struct apdu *plain_command,
                                  const struct rapdu *response, struct writer *data)
{
    enum card_r_mac_turn turn = ch->r_mac_turn;
    ch->r_mac_turn = CARD_R_MAC_TURN_NORMAL;
    wr_view(data, response->data);
    if (ch->r_mac == CARD_R_MAC_NONE || turn == CARD_R_MAC_TURN_SKIPS)
        return wr_status(data);
    enum err e = make_r_mac(c, ch, plain_command, response);
    if (e == OK && ch->r_mac != CARD_R_MAC_KEPT && turn == CARD_R_MAC_TURN_NORMAL)
        wr_view(data, VIEW_OF(ch->response_chain));
    return e == OK ? wr_status(data) : e;
}

/* E.4.7: ECB after explicit initiation, CBC after implicit. */
static enum err decrypt_sensitive(struct crypto *c, const struct card_channel *ch, struct view cipher,
                                  uint8_t *out)
{
    struct view dek = secret_view(&ch->s_dek);
    return implicit(ch->i) ? crypto_des3_cbc_decrypt(c, dek, card_des_zeros, cipher, out)
                           : crypto_des3_ecb_decrypt(c, dek, cipher, out);
}

const struct card_channel_ops card_scp02_ops = {.scp = 0x02,
                                                .knows_i = knows_i,
                                                .implicit = implicit,
                                                .allows_level = allows_level,
                                                .host_challenge_len = host_challenge_len,
                                                .card_challenge_len = card_challenge_len,
                                                .counts = counts,
                                                .pseudo_random = card_scp02_challenge,
                                                .open = card_scp02_open,
                                                .open_implicit = card_scp02_open_implicit,
                                                .external_authenticate = card_scp02_external_authenticate,
                                                .unwrap = card_scp02_unwrap,
                                                .wrap_response = card_scp02_wrap_response,
                                                .decrypt_sensitive = decrypt_sensitive};
