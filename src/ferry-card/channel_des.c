/* SPDX-License-Identifier: Apache-2.0
 *
 * The common ground of SCP01 and SCP02. The C-MAC covers the plain data, so decryption comes first; whatever
 * goes wrong after that gives one and the same answer, and the session is over. */
#include "channel_des.h"

#include <string.h>

const uint8_t card_des_zeros[DES_BLOCK];

enum err card_des_cryptogram(struct crypto *c, const struct secret *s_enc, const struct view *parts,
                             size_t count, uint8_t out[DES_BLOCK])
{
    uint8_t memory[3 * DES_BLOCK] = {0};
    struct writer w;
    wr_fixed(&w, memory, sizeof memory);
    for (size_t n = 0; n < count; n++)
        wr_view(&w, parts[n]);
    wr_u64(&w, 0x8000000000000000);
    enum err e = wr_status(&w);
    return e != OK ? e : crypto_mac_des3(c, secret_view(s_enc), card_des_zeros, VIEW_OF(memory), out);
}

enum err card_des_padded_mac(struct crypto *c, card_des_mac *mac, const struct secret *key,
                             const uint8_t icv[DES_BLOCK], struct view message, uint8_t out[DES_BLOCK])
{
    struct writer padded;
    wr_heap(&padded, message.len + DES_BLOCK);
    card_pad(&padded, message, DES_BLOCK);
    enum err e = wr_status(&padded);
    if (e == OK)
        e = mac(c, secret_view(key), icv, wr_view_of(&padded), out);
    wr_free(&padded);
    return e;
}

uint16_t card_des_authenticate(struct crypto *c, const struct card_des_rules *rules, struct card_channel *ch,
                               const struct apdu *command)
{
    uint8_t mac[DES_BLOCK];
    if (command->data.len != 2 * CARD_DES_MAC)
        return SW_WRONG_LENGTH;
    struct view cryptogram = view_head(command->data, CARD_DES_MAC);
    if (rules->c_mac(c, ch, command, cryptogram, mac) != OK)
        return SW_NO_DIAGNOSIS;
    if (!(command->cla & 0x04) || !secret_equal(view_tail(command->data, CARD_DES_MAC), VIEW_OF(mac)))
        return SW_SECURITY_STATUS;
    ch->mac_verified = true;
    memcpy(ch->chain, mac, sizeof mac);
    if (!secret_equal(cryptogram, view_head(VIEW_OF(ch->host_cryptogram), CARD_DES_MAC)))
        return SW_AUTH_FAILED;
    ch->authenticated = true;
    ch->level = command->p1;
    return SW_OK;
}

/* CBC with an ICV of zeros into plain; *data is what the padding leaves, or nearly the whole when it is
 * wrong, which *good says. */
static enum err decrypt(struct crypto *c, const struct card_des_rules *rules, const struct card_channel *ch,
                        struct view cipher, struct writer *room, struct view *data, bool *good)
{
    size_t start = 0, len = 0;
    uint8_t *out = cipher.len % DES_BLOCK == 0 ? wr_reserve(room, cipher.len) : NULL;
    if (out == NULL)
        return ERR_FORMAT;
    enum err e = crypto_des3_cbc_decrypt(c, secret_view(&ch->s_enc), card_des_zeros, cipher, out);
    if (e != OK)
        return e;
    *good = rules->unpad(view_of(out, cipher.len), &start, &len);
    *data = view_head(view_tail(view_of(out, cipher.len), start), len);
    return OK;
}

static uint16_t verify(struct crypto *c, const struct card_des_rules *rules, struct card_channel *ch,
                       const struct apdu *command, struct view data, struct view received, bool good)
{
    uint8_t mac[DES_BLOCK];
    if (rules->c_mac(c, ch, command, data, mac) != OK)
        return SW_NO_DIAGNOSIS;
    if (!secret_equal(received, VIEW_OF(mac)) || !good)
        return SW_SECURITY_STATUS;
    ch->mac_verified = true;
    memcpy(ch->chain, mac, sizeof mac);
    return SW_OK;
}

uint16_t card_des_unwrap(struct crypto *c, const struct card_des_rules *rules, struct card_channel *ch,
                         const struct apdu *command, struct writer *plain)
{
    if (!(ch->level & CARD_LEVEL_C_MAC)) {
        wr_view(plain, command->data);
        return wr_ok(plain) ? SW_OK : SW_NO_DIAGNOSIS;
    }
    if (!(command->cla & 0x04) || command->data.len < CARD_DES_MAC)
        return SW_SECURITY_STATUS;
    struct view data = view_head(command->data, command->data.len - CARD_DES_MAC);
    struct view received = view_tail(command->data, data.len);
    struct writer room;
    bool good = true;
    enum err e = OK;
    wr_heap(&room, CAPDU_MAX);
    if ((ch->level & CARD_LEVEL_C_DECRYPTION) && data.len != 0)
        e = decrypt(c, rules, ch, data, &room, &data, &good);
    uint16_t sw = e == OK ? verify(c, rules, ch, command, data, received, good) : SW_SECURITY_STATUS;
    if (sw == SW_OK)
        wr_view(plain, data);
    wr_free(&room);
    return wr_ok(plain) ? sw : SW_NO_DIAGNOSIS;
}
