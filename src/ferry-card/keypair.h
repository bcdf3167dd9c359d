/* SPDX-License-Identifier: Apache-2.0
 *
 * Key pairs in the card's memory: from a struct card_key to a key that computes, and back. */
#ifndef FERRY_CARD_KEYPAIR_H
#define FERRY_CARD_KEYPAIR_H

#include <crypto/pk.h>

#include "state.h"

/* Types of card_key beside those of GPCS 2.3.1 table 11-16: private RSA keys as PKCS#8, and DSA, from the
 * range for private use (docs/signed-commands.md): public p | q | g | y, private PKCS#8. */
enum { CARD_KEY_RSA_PRIVATE = 0xA3, CARD_KEY_DSA_PUBLIC = 0x70, CARD_KEY_DSA_PRIVATE = 0x71 };
enum { DSA_P_LEN = 256, DSA_Q_LEN = 32, DSA_IMAGE_LEN = 3 * DSA_P_LEN + DSA_Q_LEN };

/* The key, for computing: to be freed. ERR_FORMAT, ERR_UNSUPPORTED when it is not one of a pair. */
enum err keypair_load(const struct card_key *k, struct pk **out) MUST_USE;
/* k's private or public half as a record under this number; domain is empty for the issuer's. The record is
 * secret where the half is. */
enum err keypair_put(struct writer *records, struct view domain, uint8_t kvn, uint8_t kid, const struct pk *k,
                     bool private_half) MUST_USE;
/* Is it the private half of a pair? */
bool keypair_is_private(const struct card_key *k);

/* What a public key says of itself: RSA n | e, DSA p | q | g | y, elliptic curve 04 | x | y
 * (docs/signed-commands.md). At most PK_PUBLIC_MAX bytes. */
enum err keypair_put_image(const struct pk *k, struct writer *out) MUST_USE;

#endif
