/* SPDX-License-Identifier: Apache-2.0
 *
 * Signatures of content management: tokens, receipts and DAPs all go by the type of the key alone
 * (GPCS 2.3.1 C.3, C.4, C.5, table C-1). */
#ifndef FERRY_CARD_SIGNATURE_H
#define FERRY_CARD_SIGNATURE_H

#include <crypto/crypto.h>

#include "state.h"

/* ERR_AUTH when the signature is wrong, or when the key is of a kind that cannot check one. */
enum err card_signature_check(struct crypto *c, const struct card_key *k, struct view data,
                              struct view signature) MUST_USE;
/* Appends the signature. ERR_STATE for a key that cannot sign. */
enum err card_signature_make(struct crypto *c, const struct card_key *k, struct view data,
                             struct writer *out) MUST_USE;

/* Length of the digest that the scheme of this key uses: a load file data block hash must be as strong
 * (table C-3). */
size_t card_signature_digest_len(const struct card_key *k);

#endif
