/* SPDX-License-Identifier: Apache-2.0
 *
 * SCP03 as the card plays it: derive, compare, verify, decrypt, answer. */
#include "channel_scp03.h"

#include <string.h>

enum { SCP03_HEADER_MAX = 7 };

/* Amendment D table 4-1. */
enum derivation {
    DERIVE_CARD_CRYPTOGRAM = 0x00,
    DERIVE_HOST_CRYPTOGRAM = 0x01,
    DERIVE_CARD_CHALLENGE = 0x02,
    DERIVE_S_ENC = 0x04,
    DERIVE_S_MAC = 0x06,
    DERIVE_S_RMAC = 0x07
};

/* Amendment D 4.1.5: SP 800-108 in counter mode with CMAC over
 * label (11 zeros, constant) | 00 | bits 2 | counter 1 | context. */
static enum err derive(struct crypto *c, struct view key, enum derivation constant, struct view context,
                       uint8_t *out, size_t len)
{
    struct writer w;
    wr_fixed(&w, out, len);
    for (uint8_t n = 1; w.len < len; n++) {
        uint8_t fixed[16] = {0}, block[CMAC_LEN];
        fixed[11] = (uint8_t)constant;
        fixed[13] = (uint8_t)(len * 8 >> 8);
        fixed[14] = (uint8_t)(len * 8);
        fixed[15] = n;
        const struct view parts[] = {VIEW_OF(fixed), context};
        enum err e = crypto_cmac(c, key, parts, 2, block);
        if (e != OK)
            return e;
        wr_view(&w, view_head(VIEW_OF(block), len - w.len));
        wipe(block, sizeof block);
    }
    return wr_status(&w);
}

static enum err derive_key(struct crypto *c, const struct secret *key, enum derivation constant,
                           struct view context, struct secret *out)
{
    out->len = key->len;
    return derive(c, secret_view(key), constant, context, out->data, out->len);
}

static size_t mac_len(uint8_t i)
{
    return i & SCP03_I_S16 ? 16 : 8;
}

static bool knows_i(uint8_t i)
{
    /* Response encryption goes with response MACs (Amendment D table 5-1). */
    uint8_t known = SCP03_I_S16 | SCP03_I_PSEUDO_RANDOM | SCP03_I_R_MAC | SCP03_I_R_ENC;
    return (i & ~known) == 0 && (!(i & SCP03_I_R_ENC) || (i & SCP03_I_R_MAC));
}

static bool allows_level(uint8_t i, uint8_t level)
{
    /* Amendment D table 7-3: level, and what i must have for it. */
    static const uint8_t rows[][2] = {{0x00, 0},
                                      {0x01, 0},
                                      {0x03, 0},
                                      {0x11, SCP03_I_R_MAC},
                                      {0x13, SCP03_I_R_MAC},
                                      {0x33, SCP03_I_R_MAC | SCP03_I_R_ENC}};
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        if (rows[n][0] == level)
            return (i & rows[n][1]) == rows[n][1];
    }
    return false;
}

static bool counts(uint8_t i)
{
    return (i & SCP03_I_PSEUDO_RANDOM) != 0;
}

enum err card_scp03_challenge(struct crypto *c, const struct card_static_keys *keys, uint8_t i,
                              uint32_t sequence, struct view aid, uint8_t *challenge)
{
    uint8_t memory[3 + AID_MAX];
    struct writer context;
    wr_fixed(&context, memory, sizeof memory);
    wr_u24(&context, sequence);
    wr_view(&context, aid);
    enum err e = wr_status(&context);
    if (e != OK)
        return e;
    return derive(c, secret_view(&keys->enc), DERIVE_CARD_CHALLENGE, wr_view_of(&context), challenge,
                  mac_len(i));
}

enum err card_scp03_open(struct crypto *c, const struct card_static_keys *keys, uint8_t i,
                         struct view host_challenge, struct view card_challenge, struct card_channel *out,
                         uint8_t *cryptogram)
{
    size_t len = mac_len(i);
    if (host_challenge.len != len || card_challenge.len != len)
        return ERR_ARGUMENT;
    uint8_t memory[2 * CARD_CHALLENGE_MAX];
    struct writer w;
    wr_fixed(&w, memory, sizeof memory);
    wr_view(&w, host_challenge);
    wr_view(&w, card_challenge);
    struct view context = wr_view_of(&w);

    memset(out, 0, sizeof *out);
    out->scp = 0x03;
    out->i = i;
    out->mac_len = (uint16_t)len;
    out->response_mac_len = (uint16_t)len;
    enum err e = secret_set(&out->s_dek, secret_view(&keys->dek)); /* 6.2.8: the static DEK itself */
    if (e == OK)
        e = derive_key(c, &keys->enc, DERIVE_S_ENC, context, &out->s_enc);
    if (e == OK)
        e = derive_key(c, &keys->mac, DERIVE_S_MAC, context, &out->s_mac);
    if (e == OK)
        e = derive_key(c, &keys->mac, DERIVE_S_RMAC, context, &out->s_rmac);
    if (e == OK)
        e = derive(c, secret_view(&out->s_mac), DERIVE_HOST_CRYPTOGRAM, context, out->host_cryptogram, len);
    if (e == OK)
        e = derive(c, secret_view(&out->s_mac), DERIVE_CARD_CRYPTOGRAM, context, cryptogram, len);
    return e;
}

/* Takes the C-MAC off the end of the data and verifies it (6.2.4); on success the chaining value moves and
 * *data is what stands before the C-MAC. */
static uint16_t verify_c_mac(struct crypto *c, struct card_channel *ch, const struct apdu *command,
                             struct view *data)
{
    if (!(command->cla & 0x04) || command->data.len < ch->mac_len)
        return SW_SECURITY_STATUS;
    struct view body = view_head(command->data, command->data.len - ch->mac_len);
    struct view received = view_tail(command->data, body.len);
    uint8_t header[SCP03_HEADER_MAX], mac[CMAC_LEN];
    struct writer h;
    wr_fixed(&h, header, sizeof header);
    card_put_mac_header(&h, command, command->data.len);
    const struct view parts[] = {VIEW_OF(ch->chain), wr_view_of(&h), body};
    if (crypto_cmac(c, secret_view(&ch->s_mac), parts, 3, mac) != OK)
        return SW_NO_DIAGNOSIS;
    if (!secret_equal(received, view_of(mac, ch->mac_len)))
        return SW_SECURITY_STATUS;
    memcpy(ch->chain, mac, sizeof ch->chain);
    *data = body;
    return SW_OK;
}

uint16_t card_scp03_external_authenticate(struct crypto *c, struct card_channel *ch,
                                          const struct apdu *command)
{
    struct view cryptogram = VIEW_NULL;
    if (command->p2 != 0 || !allows_level(ch->i, command->p1))
        return SW_INCORRECT_P1P2;
    if (command->data.len != 2u * ch->mac_len)
        return SW_WRONG_LENGTH;
    uint16_t sw = verify_c_mac(c, ch, command, &cryptogram);
    if (sw != SW_OK)
        return sw;
    ch->mac_verified = true;
    if (!secret_equal(cryptogram, view_of(ch->host_cryptogram, ch->mac_len)))
        return SW_AUTH_FAILED;
    ch->authenticated = true;
    ch->level = command->p1;
    return SW_OK;
}

/* 6.2.6 and 6.2.7: the counter block, encrypted; responses have its top bit set. */
static enum err make_icv(struct crypto *c, const struct card_channel *ch, bool response,
                         uint8_t icv[AES_BLOCK])
{
    uint8_t block[AES_BLOCK];
    struct writer w;
    wr_fixed(&w, block, sizeof block);
    wr_u8(&w, response ? 0x80 : 0x00);
    wr_u24(&w, 0);
    wr_u64(&w, 0);
    wr_u32(&w, ch->counter);
    return crypto_aes_ecb_encrypt(c, secret_view(&ch->s_enc), VIEW_OF(block), icv);
}

enum err card_scp03_decrypt_data(struct crypto *c, const struct card_channel *ch, struct view data,
                                 struct writer *plain)
{
    uint8_t icv[AES_BLOCK];
    size_t start = plain->len;
    if (data.len % AES_BLOCK != 0)
        return ERR_FORMAT;
    uint8_t *room = wr_reserve(plain, data.len);
    if (room == NULL)
        return ERR_MEMORY;
    enum err e = make_icv(c, ch, false, icv);
    if (e == OK)
        e = crypto_aes_cbc_decrypt(c, secret_view(&ch->s_enc), icv, data, room);
    if (e != OK)
        return e;
    long len = card_unpad(view_of(room, data.len), AES_BLOCK);
    if (len < 0)
        return ERR_FORMAT;
    plain->len = start + (size_t)len;
    return OK;
}

enum err card_scp03_encrypt_response(struct crypto *c, const struct card_channel *ch, struct view data,
                                     struct writer *out)
{
    uint8_t icv[AES_BLOCK];
    size_t start = out->len;
    card_pad(out, data, AES_BLOCK);
    enum err e = wr_status(out);
    if (e == OK)
        e = make_icv(c, ch, true, icv);
    struct view padded = view_tail(wr_view_of(out), start);
    if (e == OK)
        e = crypto_aes_cbc_encrypt(c, secret_view(&ch->s_enc), icv, padded, out->data + start);
    return e;
}

uint16_t card_scp03_unwrap(struct crypto *c, struct card_channel *ch, const struct apdu *command,
                           struct writer *plain)
{
    struct view data = command->data;
    uint16_t sw = SW_OK;
    if (ch->level & CARD_LEVEL_C_MAC)
        sw = verify_c_mac(c, ch, command, &data);
    if (sw != SW_OK)
        return sw;
    /* The counter moves with every command, also without data (6.2.6). */
    ch->counter++;
    enum err e = OK;
    if ((ch->level & CARD_LEVEL_C_DECRYPTION) && data.len != 0)
        e = card_scp03_decrypt_data(c, ch, data, plain);
    else
        wr_view(plain, data);
    if (e == ERR_FORMAT)
        return SW_SECURITY_STATUS;
    return e == OK && wr_ok(plain) ? SW_OK : SW_NO_DIAGNOSIS;
}

enum err card_scp03_wrap_response(struct crypto *c, struct card_channel *ch, const struct apdu *plain_command,
                                  const struct rapdu *response, struct writer *data)
{
    (void)plain_command;
    if (!(ch->level & CARD_LEVEL_R_MAC) || !sw_is_ok_or_warning(response->sw)) {
        wr_view(data, response->data);
        return wr_status(data);
    }
    size_t start = data->len;
    enum err e = OK;
    if ((ch->level & CARD_LEVEL_R_ENCRYPTION) && response->data.len != 0)
        e = card_scp03_encrypt_response(c, ch, response->data, data);
    else
        wr_view(data, response->data);
    uint8_t mac[CMAC_LEN], sw[2] = {(uint8_t)(response->sw >> 8), (uint8_t)response->sw};
    const struct view parts[] = {VIEW_OF(ch->chain), view_tail(wr_view_of(data), start), VIEW_OF(sw)};
    if (e == OK)
        e = crypto_cmac(c, secret_view(&ch->s_rmac), parts, 3, mac);
    if (e == OK)
        wr_bytes(data, mac, ch->mac_len);
    return e == OK ? wr_status(data) : e;
}

static enum err open_any(struct crypto *c, const struct card_static_keys *keys, uint8_t i, uint32_t sequence,
                         struct view host_challenge, struct view card_challenge, struct card_channel *out,
                         uint8_t *cryptogram)
{
    (void)sequence;
    return card_scp03_open(c, keys, i, host_challenge, card_challenge, out, cryptogram);
}

/* 6.2.8: CBC with an ICV of zeros. */
static enum err decrypt_sensitive(struct crypto *c, const struct card_channel *ch, struct view cipher,
                                  uint8_t *out)
{
    static const uint8_t zeros[AES_BLOCK];
    return crypto_aes_cbc_decrypt(c, secret_view(&ch->s_dek), zeros, cipher, out);
}

const struct card_channel_ops card_scp03_ops = {.scp = 0x03,
                                                .knows_i = knows_i,
                                                .allows_level = allows_level,
                                                .host_challenge_len = mac_len,
                                                .card_challenge_len = mac_len,
                                                .counts = counts,
                                                .pseudo_random = card_scp03_challenge,
                                                .open = open_any,
                                                .external_authenticate = card_scp03_external_authenticate,
                                                .unwrap = card_scp03_unwrap,
                                                .wrap_response = card_scp03_wrap_response,
                                                .decrypt_sensitive = decrypt_sensitive};
