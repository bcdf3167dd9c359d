/* SPDX-License-Identifier: Apache-2.0
 *
 * Hybrid public key encryption in one shot (RFC 9180, mode base, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
 * AES-256-GCM): how a key travels from the operator's terminal to the keeper through processes that must not
 * see it. */
#ifndef CRYPTO_HPKE_H
#define CRYPTO_HPKE_H

#include <crypto/crypto.h>

enum { HPKE_KEY = 32, HPKE_OVERHEAD = HPKE_KEY + GCM_TAG };

/* The public key of a private key (any 32 bytes). */
enum err hpke_public(const uint8_t private_key[HPKE_KEY], uint8_t public_key[HPKE_KEY]) MUST_USE;
/* Appends enc (32 bytes), ciphertext and tag (RFC 9180 section 6.1). ERR_ARGUMENT on a public key of low
 * order. */
enum err hpke_seal(struct crypto *c, struct random_source random, const uint8_t public_key[HPKE_KEY],
                   struct view info, struct view aad, struct view in, struct writer *out) MUST_USE;
/* Appends the plaintext; ERR_AUTH when anything does not match, ERR_FORMAT when in is too short. */
enum err hpke_open(struct crypto *c, const uint8_t private_key[HPKE_KEY], struct view info, struct view aad,
                   struct view in, struct writer *out) MUST_USE;

#endif
