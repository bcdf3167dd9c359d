/* SPDX-License-Identifier: Apache-2.0
 *
 * SCP02 as the card plays it. The C-MAC covers the plain data, so decryption comes first here; whatever goes
 * wrong after that gives one and the same answer, and the session is over. */
#include "channel_scp02.h"

#include <string.h>

enum { SCP02_KEY = 16, SCP02_MAC = 8, SCP02_CARD_CHALLENGE = 6, SCP02_HEADER_MAX = 7 };

/* GPCS 2.3.1 E.4.1. */
enum { DERIVE_C_MAC = 0x0101, DERIVE_R_MAC = 0x0102, DERIVE_DEK = 0x0181, DERIVE_ENC = 0x0182 };

static const uint8_t no_icv[DES_BLOCK];

/* Figure E-2: constant 2 | sequence 2 | zeros 12, encrypted in CBC under the static key. */
static enum err derive_key(struct crypto *c, const struct secret *key, uint16_t constant, uint32_t sequence,
                           struct secret *out)
{
    uint8_t data[SCP02_KEY] = {0};
    struct writer w;
    wr_fixed(&w, data, 4);
    wr_u16(&w, constant);
    wr_u16(&w, (uint16_t)sequence);
    out->len = SCP02_KEY;
    return crypto_des3_cbc_encrypt(c, secret_view(key), no_icv, VIEW_OF(data), out->data);
}

static bool knows_i(uint8_t i)
{
    /* Explicit initiation with the C-MAC on the modified APDU and an ICV of zeros. */
    uint8_t must = SCP02_I_EXPLICIT, must_not = SCP02_I_UNMODIFIED_APDU | SCP02_I_ICV_AID | 0x80;
    return (i & must) == must && (i & must_not) == 0;
}

static bool allows_level(uint8_t i, uint8_t level)
{
    /* GPCS 2.3.1 table E-11: level, and what i must have for it. */
    static const uint8_t rows[][2] = {
        {0x00, 0}, {0x01, 0}, {0x03, 0}, {0x10, SCP02_I_R_MAC}, {0x11, SCP02_I_R_MAC}, {0x13, SCP02_I_R_MAC}};
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

enum err card_scp02_challenge(struct crypto *c, const struct card_static_keys *keys, uint8_t i,
                              uint32_t sequence, struct view aid, uint8_t *challenge)
{
    (void)i;
    uint8_t memory[AID_MAX + DES_BLOCK], mac[DES_BLOCK];
    struct secret s_mac = {0};
    struct writer w;
    wr_fixed(&w, memory, sizeof memory);
    card_pad(&w, aid, DES_BLOCK);
    enum err e = wr_status(&w);
    if (e == OK)
        e = derive_key(c, &keys->mac, DERIVE_C_MAC, sequence, &s_mac);
    if (e == OK)
        e = crypto_mac_retail(c, secret_view(&s_mac), no_icv, wr_view_of(&w), mac);
    if (e == OK)
        memcpy(challenge, mac, SCP02_CARD_CHALLENGE);
    secret_wipe(&s_mac);
    return e;
}

/* E.4.2: full Triple-DES MAC under S-ENC over 16 bytes and one block of padding. */
static enum err make_cryptogram(struct crypto *c, const struct secret *s_enc, struct view first,
                                struct view second, struct view third, uint8_t out[DES_BLOCK])
{
    uint8_t memory[3 * DES_BLOCK] = {0};
    struct writer w;
    wr_fixed(&w, memory, sizeof memory);
    wr_view(&w, first);
    wr_view(&w, second);
    wr_view(&w, third);
    wr_u64(&w, 0x8000000000000000);
    enum err e = wr_status(&w);
    return e != OK ? e : crypto_mac_des3(c, secret_view(s_enc), no_icv, VIEW_OF(memory), out);
}

enum err card_scp02_open(struct crypto *c, const struct card_static_keys *keys, uint8_t i, uint32_t sequence,
                         struct view host_challenge, struct view card_challenge, struct card_channel *out,
                         uint8_t *cryptogram)
{
    if (host_challenge.len != 8 || card_challenge.len != SCP02_CARD_CHALLENGE || keys->enc.len != SCP02_KEY ||
        keys->mac.len != SCP02_KEY || keys->dek.len != SCP02_KEY)
        return ERR_ARGUMENT;
    memset(out, 0, sizeof *out);
    out->scp = 0x02;
    out->i = i;
    out->mac_len = SCP02_MAC;
    out->response_mac_len = SCP02_MAC;
    uint8_t counter[2] = {(uint8_t)(sequence >> 8), (uint8_t)sequence};
    struct view seq = VIEW_OF(counter);
    enum err e = derive_key(c, &keys->mac, DERIVE_C_MAC, sequence, &out->s_mac);
    if (e == OK)
        e = derive_key(c, &keys->mac, DERIVE_R_MAC, sequence, &out->s_rmac);
    if (e == OK)
        e = derive_key(c, &keys->enc, DERIVE_ENC, sequence, &out->s_enc);
    if (e == OK)
        e = derive_key(c, &keys->dek, DERIVE_DEK, sequence, &out->s_dek);
    if (e == OK)
        e = make_cryptogram(c, &out->s_enc, seq, card_challenge, host_challenge, out->host_cryptogram);
    if (e == OK)
        e = make_cryptogram(c, &out->s_enc, host_challenge, seq, card_challenge, cryptogram);
    return e;
}

/* E.4.4 and E.3.4: the ICV is zero for the first command, then the C-MAC before, encrypted with single DES
 * under the first half of S-MAC where i says so. */
static enum err next_icv(struct crypto *c, const struct card_channel *ch, uint8_t icv[DES_BLOCK])
{
    struct view last = view_head(VIEW_OF(ch->chain), DES_BLOCK);
    if (ch->mac_verified && (ch->i & SCP02_I_ICV_ENCRYPTION))
        return crypto_des_ecb_encrypt(c, view_head(secret_view(&ch->s_mac), 8), last, icv);
    memcpy(icv, last.data, DES_BLOCK);
    return OK;
}

/* The C-MAC over the modified header and the plain data. */
static enum err make_c_mac(struct crypto *c, const struct card_channel *ch, const struct apdu *command,
                           struct view plain, uint8_t mac[DES_BLOCK])
{
    uint8_t icv[DES_BLOCK];
    struct writer message, padded;
    wr_heap(&message, CAPDU_MAX + DES_BLOCK);
    wr_heap(&padded, CAPDU_MAX + 2 * DES_BLOCK);
    card_put_mac_header(&message, command, plain.len + SCP02_MAC);
    wr_view(&message, plain);
    card_pad(&padded, wr_view_of(&message), DES_BLOCK);
    enum err e = wr_ok(&message) ? wr_status(&padded) : ERR_LIMIT;
    if (e == OK)
        e = next_icv(c, ch, icv);
    if (e == OK)
        e = crypto_mac_retail(c, secret_view(&ch->s_mac), icv, wr_view_of(&padded), mac);
    wr_free(&message);
    wr_free(&padded);
    return e;
}

uint16_t card_scp02_external_authenticate(struct crypto *c, struct card_channel *ch,
                                          const struct apdu *command)
{
    uint8_t mac[DES_BLOCK];
    if (command->p2 != 0 || !allows_level(ch->i, command->p1))
        return SW_INCORRECT_P1P2;
    if (command->data.len != 2 * SCP02_MAC)
        return SW_WRONG_LENGTH;
    struct view cryptogram = view_head(command->data, SCP02_MAC);
    if (make_c_mac(c, ch, command, cryptogram, mac) != OK)
        return SW_NO_DIAGNOSIS;
    if (!(command->cla & 0x04) || !secret_equal(view_tail(command->data, SCP02_MAC), VIEW_OF(mac)))
        return SW_SECURITY_STATUS;
    ch->mac_verified = true;
    memcpy(ch->chain, mac, sizeof mac);
    memcpy(ch->response_chain, mac, sizeof mac); /* E.3.2: the R-MAC chain starts here too */
    if (!secret_equal(cryptogram, view_head(VIEW_OF(ch->host_cryptogram), SCP02_MAC)))
        return SW_AUTH_FAILED;
    ch->authenticated = true;
    ch->level = command->p1;
    return SW_OK;
}

/* E.4.6: CBC with an ICV of zeros; *len is the length without padding, or that of the whole when the padding
 * is wrong, which *good says. */
static enum err decrypt_data(struct crypto *c, const struct card_channel *ch, struct view data, uint8_t *room,
                             size_t *len, bool *good)
{
    enum err e = crypto_des3_cbc_decrypt(c, secret_view(&ch->s_enc), no_icv, data, room);
    if (e != OK)
        return e;
    long n = card_unpad(view_of(room, data.len), DES_BLOCK);
    *good = n >= 0;
    *len = n >= 0 ? (size_t)n : data.len - 1;
    return OK;
}

uint16_t card_scp02_unwrap(struct crypto *c, struct card_channel *ch, const struct apdu *command,
                           struct writer *plain)
{
    if (!(ch->level & CARD_LEVEL_C_MAC)) {
        wr_view(plain, command->data);
        return wr_ok(plain) ? SW_OK : SW_NO_DIAGNOSIS;
    }
    if (!(command->cla & 0x04) || command->data.len < SCP02_MAC)
        return SW_SECURITY_STATUS;
    struct view body = view_head(command->data, command->data.len - SCP02_MAC);
    struct view received = view_tail(command->data, body.len);
    size_t start = plain->len, len = body.len;
    bool good = true;
    if ((ch->level & CARD_LEVEL_C_DECRYPTION) && body.len != 0) {
        uint8_t *room = body.len % DES_BLOCK == 0 ? wr_reserve(plain, body.len) : NULL;
        if (room == NULL || decrypt_data(c, ch, body, room, &len, &good) != OK)
            return SW_SECURITY_STATUS;
        plain->len = start + len;
    } else {
        wr_view(plain, body);
    }
    uint8_t mac[DES_BLOCK];
    if (!wr_ok(plain) || make_c_mac(c, ch, command, view_tail(wr_view_of(plain), start), mac) != OK)
        return SW_NO_DIAGNOSIS;
    if (!secret_equal(received, VIEW_OF(mac)) || !good)
        return SW_SECURITY_STATUS;
    memcpy(ch->chain, mac, sizeof mac);
    return SW_OK;
}

/* E.4.5: class without channel and secure messaging bit, INS P1 P2, Lc (00 when there is no data), data, Li,
 * response data (none with an error), status word. */
static void put_r_mac_input(struct writer *w, const struct apdu *command, const struct rapdu *response)
{
    struct view data = sw_is_ok_or_warning(response->sw) ? response->data : VIEW_NULL;
    wr_u8(w, command->cla & 0xF0 & ~0x40);
    wr_u8(w, command->ins);
    wr_u8(w, command->p1);
    wr_u8(w, command->p2);
    wr_u8(w, (uint8_t)command->data.len);
    wr_view(w, command->data);
    wr_u8(w, (uint8_t)data.len);
    wr_view(w, data);
    wr_u16(w, response->sw);
}

enum err card_scp02_wrap_response(struct crypto *c, struct card_channel *ch, const struct apdu *plain_command,
                                  const struct rapdu *response, struct writer *data)
{
    wr_view(data, response->data);
    if (!(ch->level & CARD_LEVEL_R_MAC))
        return wr_status(data);
    uint8_t mac[DES_BLOCK];
    struct writer message, padded;
    wr_heap(&message, CAPDU_MAX + RAPDU_MAX + DES_BLOCK);
    wr_heap(&padded, CAPDU_MAX + RAPDU_MAX + 2 * DES_BLOCK);
    put_r_mac_input(&message, plain_command, response);
    card_pad(&padded, wr_view_of(&message), DES_BLOCK);
    enum err e = wr_ok(&message) ? wr_status(&padded) : ERR_LIMIT;
    if (e == OK)
        e = crypto_mac_retail(c, secret_view(&ch->s_rmac), ch->response_chain, wr_view_of(&padded), mac);
    if (e == OK) {
        memcpy(ch->response_chain, mac, sizeof mac);
        wr_bytes(data, mac, sizeof mac);
        e = wr_status(data);
    }
    wr_free(&message);
    wr_free(&padded);
    return e;
}

/* E.4.7. */
static enum err decrypt_sensitive(struct crypto *c, const struct card_channel *ch, struct view cipher,
                                  uint8_t *out)
{
    return crypto_des3_ecb_decrypt(c, secret_view(&ch->s_dek), cipher, out);
}

const struct card_channel_ops card_scp02_ops = {.scp = 0x02,
                                                .knows_i = knows_i,
                                                .allows_level = allows_level,
                                                .host_challenge_len = host_challenge_len,
                                                .card_challenge_len = card_challenge_len,
                                                .counts = counts,
                                                .pseudo_random = card_scp02_challenge,
                                                .open = card_scp02_open,
                                                .external_authenticate = card_scp02_external_authenticate,
                                                .unwrap = card_scp02_unwrap,
                                                .wrap_response = card_scp02_wrap_response,
                                                .decrypt_sensitive = decrypt_sensitive};
