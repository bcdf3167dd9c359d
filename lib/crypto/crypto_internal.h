/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of this folder share: the fetched algorithms and the kept contexts. A slot is one context
 * with the key that it holds: as long as the key stays the same, no key schedule is computed again, and no
 * call passes parameters or an unfetched algorithm, which would make OpenSSL search its providers. */
#ifndef CRYPTO_INTERNAL_H
#define CRYPTO_INTERNAL_H

#include <crypto/crypto.h>
#include <crypto/hpke.h>
#include <crypto/pk.h>

/* OpenSSL has a type by the name of one of our outcomes: it gets another one here. */
#define ERR_STATE openssl_err_state
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#undef ERR_STATE

enum aes_size { AES_SIZE_128, AES_SIZE_192, AES_SIZE_256, AES_SIZE_COUNT };

/* Which context does what: encryption and decryption have different key schedules, MACs have keys of their
 * own. */
enum slot_name {
    SLOT_AES_CBC_ENCRYPT,
    SLOT_AES_CBC_DECRYPT,
    SLOT_AES_ECB_ENCRYPT,
    SLOT_AES_RUN,
    SLOT_CMAC,
    SLOT_DES3_CBC_ENCRYPT,
    SLOT_DES3_CBC_DECRYPT,
    SLOT_DES3_ECB_ENCRYPT,
    SLOT_DES3_ECB_DECRYPT,
    SLOT_DES_ECB_ENCRYPT,
    SLOT_DES_ECB_DECRYPT,
    SLOT_MAC_DES,
    SLOT_MAC_DES3,
    SLOT_GCM_ENCRYPT,
    SLOT_GCM_DECRYPT,
    SLOT_COUNT
};

struct slot {
    EVP_CIPHER_CTX *ctx;
    const EVP_CIPHER *cipher; /* borrowed from struct crypto; NULL: holds no key */
    struct secret key;
    uint8_t chain[AES_BLOCK]; /* what a CBC context has in its chain: see slot_message */
};

struct crypto {
    EVP_CIPHER *aes_cbc[AES_SIZE_COUNT], *aes_ecb[AES_SIZE_COUNT], *aes_gcm[AES_SIZE_COUNT];
    EVP_CIPHER *des3_cbc, *des3_ecb; /* with three keys; two are written as three */
    OSSL_LIB_CTX *legacy;            /* a context of its own for the provider that has single DES */
    OSSL_PROVIDER *legacy_provider;
    EVP_CIPHER *des_cbc, *des_ecb;
    EVP_MD *digests[DIGEST_COUNT];
    EVP_MD_CTX *digest_ctx;
    EVP_MAC *hmac;
    EVP_MAC_CTX *hmac_ctx; /* with SHA-256 set */
    struct slot slots[SLOT_COUNT];
    EC_GROUP *ec_groups[CURVE_COUNT];               /* the same */
    EVP_PKEY_CTX *ec_keygen[CURVE_COUNT];           /* made when a curve is first asked for */
    uint8_t cmac_k1[AES_BLOCK], cmac_k2[AES_BLOCK]; /* subkeys of the key in SLOT_CMAC */
};

/* Clears OpenSSL's error queue, which the TLS code of the same thread reads, and gives e back. */
enum err crypto_failed(enum err e) MUST_USE;

/* The row of a table by the length of an AES key; NULL for other lengths. */
const EVP_CIPHER *aes_by_key(EVP_CIPHER *const table[AES_SIZE_COUNT], struct view key);
/* Makes the slot ready: key schedule only for a new key. iv may be NULL where the mode has none. */
enum err slot_begin(struct slot *s, const EVP_CIPHER *cipher, struct view key, const uint8_t *iv,
                    bool encrypt) MUST_USE;
/* Whole blocks, going on where the last call ended. */
enum err slot_update(struct slot *s, struct view in, uint8_t *out) MUST_USE;
/* Many messages under one key, for slots of CBC encryption that nothing else uses: a context goes on from
 * the end of the message before, and instead of a new initial value, which costs as much as several blocks,
 * that end is put into the first block beside the initial value, where the chaining takes it out again.
 * slot_key: key schedule for a new key only. slot_message: in place; starts a message, or goes on (iv NULL).
 * iv is of the length of a block, and data of whole blocks. */
enum err slot_key(struct slot *s, const EVP_CIPHER *cipher, struct view key) MUST_USE;
enum err slot_message(struct slot *s, const uint8_t *iv, uint8_t *data, size_t len) MUST_USE;
void xor_block(uint8_t *block, const uint8_t *with, size_t len);
bool slot_holds(const struct slot *s, const EVP_CIPHER *cipher, struct view key);
void slot_forget(struct slot *s);

/* Triple-DES keys as three: K1 K2 K3, K1 K2 K1 (16 bytes). ERR_ARGUMENT for other lengths. */
enum err des3_key(struct view key, struct secret *out) MUST_USE;

/* HMAC-SHA256 over parts; RFC 5869 in its two steps. */
enum err hmac_parts(struct crypto *c, struct view key, const struct view *parts, size_t count,
                    uint8_t out[32]) MUST_USE;
enum err hkdf_extract(struct crypto *c, struct view salt, const struct view *parts, size_t count,
                      uint8_t prk[32]) MUST_USE;
enum err hkdf_expand(struct crypto *c, struct view prk, const struct view *parts, size_t count, uint8_t *out,
                     size_t out_len) MUST_USE;

/* As crypto_gcm_seal and crypto_gcm_open, with keys of 16 bytes too. */
enum err gcm_seal(struct crypto *c, struct view key, const uint8_t nonce[GCM_NONCE], struct view aad,
                  struct view in, struct writer *out) MUST_USE;
enum err gcm_open(struct crypto *c, struct view key, const uint8_t nonce[GCM_NONCE], struct view aad,
                  struct view in, struct writer *out) MUST_USE;

/* HPKE with either of the AES-GCM AEADs (RFC 9180 table 5): what the product uses is AES-256-GCM; with
 * AES-128-GCM it can be held against the vectors for X25519 in the appendix of the RFC. */
struct hpke_aead {
    uint16_t id;
    size_t key_len;
};
extern const struct hpke_aead hpke_aes128, hpke_aes256;

enum err hpke_seal_with(struct crypto *c, const struct hpke_aead *aead, struct random_source random,
                        const uint8_t public_key[HPKE_KEY], struct view info, struct view aad, struct view in,
                        struct writer *out) MUST_USE;
enum err hpke_open_with(struct crypto *c, const struct hpke_aead *aead, const uint8_t private_key[HPKE_KEY],
                        struct view info, struct view aad, struct view in, struct writer *out) MUST_USE;

#endif
