/* SPDX-License-Identifier: Apache-2.0
 *
 * PUT KEY (GPCS 2.3.1 11.8): new keys for a card, each as one or more components, secret ones encrypted under
 * a key of the open channel.
 *
 *     new version | { type L block [type L block ...] L check value } ...
 *
 * A block of a secret component is the encrypted value, with its plain length in front where it had to be
 * padded (tables 11-70 and 11-71). */
#ifndef GP_PUT_KEY_H
#define GP_PUT_KEY_H

#include <gp/channel.h>
#include <gp/command.h>

/* Key types (table 11-16). */
enum {
    KEY_TYPE_DES = 0x80,
    KEY_TYPE_DES_ECB = 0x81, /* OP 2.0.1 */
    KEY_TYPE_DES_CBC = 0x82,
    KEY_TYPE_TLS_PSK = 0x85,
    KEY_TYPE_AES = 0x88,
    KEY_TYPE_HMAC_SHA1 = 0x90,
    KEY_TYPE_HMAC_SHA1_160 = 0x91,
    KEY_TYPE_RSA_PUBLIC_E = 0xA0,
    KEY_TYPE_RSA_PUBLIC_N = 0xA1,
    KEY_TYPE_RSA_PRIVATE_N = 0xA2,
    KEY_TYPE_RSA_PRIVATE_D = 0xA3,
    KEY_TYPE_RSA_P = 0xA4,
    KEY_TYPE_RSA_Q = 0xA5,
    KEY_TYPE_RSA_PQ = 0xA6,
    KEY_TYPE_RSA_DP = 0xA7,
    KEY_TYPE_RSA_DQ = 0xA8,
    KEY_TYPE_EC_PUBLIC = 0xB0,
    KEY_TYPE_EC_PRIVATE = 0xB1,
    KEY_TYPE_EC_P = 0xB2,
    KEY_TYPE_EC_A = 0xB3,
    KEY_TYPE_EC_B = 0xB4,
    KEY_TYPE_EC_G = 0xB5,
    KEY_TYPE_EC_N = 0xB6,
    KEY_TYPE_EC_K = 0xB7,
    KEY_TYPE_EC_REFERENCE = 0xF0
};
/* Words for a key type ("AES", "RSA public key, modulus", ...); never NULL. */
const char *key_type_text(uint8_t type);

/* Who encrypts: block is 8 or 16, in whole blocks of it. */
struct key_encryption {
    enum err (*encrypt)(void *ctx, struct crypto *c, struct view in, struct writer *out);
    void *ctx;
    size_t block;
};
/* Under the data encryption key of an open channel, which must outlive it. */
struct key_encryption channel_key_encryption(struct channel *ch);
/* Under a key that is at hand: AES-CBC or Triple-DES-ECB with a zero initial value (Amendment D 6.2.8;
 * E.4.7). dek must outlive it. */
struct key_encryption secret_key_encryption(const struct card_keys *dek);

enum key_block {
    KEY_BLOCK_USUAL,       /* DES bare, others with their length: what cards in the field take */
    KEY_BLOCK_WITH_LENGTH, /* table 11-70 */
    KEY_BLOCK_BARE         /* table 11-71, where no padding is needed */
};
struct key_component {
    uint8_t type;
    struct view value; /* borrowed */
    bool secret;
};
enum { KEY_COMPONENTS_MAX = 8, KEY_CHECK_MAX = 3 };
struct new_key {
    struct key_component components[KEY_COMPONENTS_MAX];
    size_t count;
    uint8_t check[KEY_CHECK_MAX];
    size_t check_len; /* 0: this kind has none */
    bool extended;    /* extended format (table 11-69), with usage and access behind */
    uint8_t usage[2], access;
    size_t usage_len, access_len;
};

/* Each fills *out and borrows the values. ERR_ARGUMENT when a length does not fit. */

/* A symmetric key with its check value (B.6): DES of 8, 16 or 24 bytes, AES of 16, 24 or 32; TLS PSK and HMAC
 * of 1 to 128, without one. */
enum err new_key_symmetric(struct new_key *out, struct crypto *c, uint8_t type, struct view value) MUST_USE;
enum err new_key_rsa_public(struct new_key *out, struct view n, struct view e) MUST_USE;
enum err new_key_rsa_private(struct new_key *out, struct view n, struct view d) MUST_USE;
struct pk_rsa_parts;
enum err new_key_rsa_crt(struct new_key *out, const struct pk_rsa_parts *parts) MUST_USE;
/* On a curve that the card has: parameter is one byte of storage for its reference (table B-2). */
enum err new_key_ec_public(struct new_key *out, struct view point, const uint8_t *reference) MUST_USE;
enum err new_key_ec_private(struct new_key *out, struct view scalar, const uint8_t *reference) MUST_USE;

enum { PUT_KEYS_MAX = 8 };
struct put_key {
    uint8_t replaced; /* version that is replaced; 0: the keys are new */
    uint8_t kvn;      /* version of the new keys, 01 to 7F */
    uint8_t kid;      /* identifier of the first; the others count on */
    const struct new_key *keys;
    size_t count;
    enum key_block block;
};
/* The whole command; it may be longer than a short one: see command_segment. The writer should be one that
 * wipes only if the caller minds ciphertexts. ERR_ARGUMENT on a version or identifier out of range. */
enum err command_put_key(struct apdu *out, struct writer *w, struct crypto *c, const struct put_key *p,
                         const struct key_encryption *dek) MUST_USE;
/* The card's answer: version and check values as they were sent (11.8.3.1), compared in constant time.
 * ERR_AUTH otherwise. */
enum err put_key_check_answer(const struct put_key *p, struct view answer) MUST_USE;

#endif
