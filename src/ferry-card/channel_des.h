/* SPDX-License-Identifier: Apache-2.0
 *
 * What the card's two DES protocols, SCP01 and SCP02, share: authentication cryptograms, padded MACs, and the
 * way of a command that is decrypted before its C-MAC can be verified. */
#ifndef FERRY_CARD_CHANNEL_DES_H
#define FERRY_CARD_CHANNEL_DES_H

#include "channel.h"

enum { CARD_DES_KEY = 16, CARD_DES_MAC = 8 };

/* Eight zeros: the ICV of every encryption and of the first MAC of a session. */
extern const uint8_t card_des_zeros[DES_BLOCK];

/* GPCS 2.3.1 E.4.2, 2.2.1 D.3.2: Triple-DES MAC under S-ENC over parts of 16 bytes together and one block of
 * padding. ERR_LIMIT when they are longer. */
enum err card_des_cryptogram(struct crypto *c, const struct secret *s_enc, const struct view *parts,
                             size_t count, uint8_t out[DES_BLOCK]) MUST_USE;

/* MAC over message and its padding (B.1.3); mac is crypto_mac_retail or crypto_mac_des3. */
typedef enum err card_des_mac(struct crypto *c, struct view key, const uint8_t icv[DES_BLOCK], struct view in,
                              uint8_t out[DES_BLOCK]);
enum err card_des_padded_mac(struct crypto *c, card_des_mac *mac, const struct secret *key,
                             const uint8_t icv[DES_BLOCK], struct view message,
                             uint8_t out[DES_BLOCK]) MUST_USE;

/* What the protocols do differently. */
struct card_des_rules {
    /* The C-MAC of a command with this plain data. */
    enum err (*c_mac)(struct crypto *c, const struct card_channel *ch, const struct apdu *command,
                      struct view plain, uint8_t mac[DES_BLOCK]);
    /* Takes the padding off, in place: *start and *len say what is left; false, and all of it, when it is
     * wrong. Constant-time in the contents. */
    bool (*unpad)(struct view decrypted, size_t *start, size_t *len);
};

/* EXTERNAL AUTHENTICATE with 8 bytes of cryptogram and 8 of C-MAC, its level allowed. 9000, 6700, 6982 when
 * the C-MAC is wrong, 6300 when the cryptogram is. */
uint16_t card_des_authenticate(struct crypto *c, const struct card_des_rules *rules, struct card_channel *ch,
                               const struct apdu *command) MUST_USE;
/* A command of a session. One and the same answer, 6982, whether padding or MAC are wrong, and the same work
 * (a padding oracle would decrypt for everybody). */
uint16_t card_des_unwrap(struct crypto *c, const struct card_des_rules *rules, struct card_channel *ch,
                         const struct apdu *command, struct writer *plain) MUST_USE;

#endif
