/* SPDX-License-Identifier: Apache-2.0
 *
 * Card keys: derivation from a master key and the card's identification data, and check values. */
#ifndef GP_KEYS_H
#define GP_KEYS_H

#include <base/secret.h>
#include <crypto/crypto.h>
#include <crypto/pk.h>

/* Triple-DES of 16 or 24 bytes; AES of 16, 24 or 32; key pairs (crypto/pk.h); single DES of 8 bytes
 * (docs/single-des.md). */
enum key_type { KEY_DES3, KEY_AES, KEY_RSA, KEY_DSA, KEY_EC, KEY_DES, KEY_TYPE_COUNT };

/* The three keys of one key version: ENC, MAC, DEK. */
struct card_keys {
    enum key_type type;
    struct secret enc, mac, dek;
};
void card_keys_wipe(struct card_keys *k);

enum kdf {
    KDF_NONE,     /* the master keys are the card keys */
    KDF_VISA2,    /* from the key diversification data, two 8-byte halves per key */
    KDF_EMV,      /* EMV CPS 1.1 */
    KDF_KDF3,     /* SP 800-108 counter mode with CMAC over the key diversification data */
    KDF_IMPORTED, /* per card: nothing to derive */
    KDF_VISA,     /* as VISA2, from other bytes of the data: what came before it */
    KDF_COUNT
};
/* "none", "visa2", "emv", "kdf3", "imported", "visa". */
const char *kdf_name(enum kdf k);
enum err kdf_by_name(const char *name, enum kdf *out) MUST_USE;

/* kdd: the key diversification data of INITIALIZE UPDATE (10 bytes). ERR_ARGUMENT on a wrong length,
 * ERR_UNSUPPORTED when kdf and key type do not go together. */
enum err kdf_derive(struct crypto *c, enum kdf kdf, const struct card_keys *master, struct view kdd,
                    struct card_keys *out) MUST_USE;

/* Key check value, 3 bytes (GPCS 2.3.1 B.5, B.6): DES: zeros encrypted; AES: bytes of 01 encrypted. */
enum err key_check_value(struct crypto *c, enum key_type type, const struct secret *key,
                         uint8_t kcv[3]) MUST_USE;
/* What names a key pair in the same place: the first bytes of SHA-256 over its public key as
 * SubjectPublicKeyInfo. */
enum err key_pair_check_value(struct crypto *c, const struct pk *k, uint8_t kcv[3]) MUST_USE;
/* ERR_ARGUMENT unless the length fits the type. */
enum err key_length_check(enum key_type type, size_t len) MUST_USE;

/* The bytes (1 to 64) for a place ${derive:key:label:length}: SP 800-108 counter mode with CMAC, counter and
 * length of 32 bits, over label, 00 and context (the card's key diversification data), as OpenSSL's KBKDF has
 * it. AES keys only; ERR_ARGUMENT otherwise. */
enum err key_derive_data(struct crypto *c, const struct secret *key, struct view label, struct view context,
                         uint8_t *out, size_t len) MUST_USE;

#endif
