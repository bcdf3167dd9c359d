/* SPDX-License-Identifier: Apache-2.0
 *
 * The primitives that cards and their servers speak, on OpenSSL 3. This is the only folder that
 * includes <openssl/...>. Algorithms are fetched once, into a struct crypto, which keeps one context per
 * primitive; it belongs to one thread. No function here decides anything. */
#ifndef CRYPTO_CRYPTO_H
#define CRYPTO_CRYPTO_H

#include <base/secret.h>
#include <base/sources.h>

enum { AES_BLOCK = 16, DES_BLOCK = 8, CMAC_LEN = 16, DIGEST_MAX = 64, GCM_TAG = 16, GCM_NONCE = 12 };

struct crypto;

/* Fetches everything; ERR_CRYPTO when the library lacks an algorithm, ERR_MEMORY. */
enum err crypto_new(struct crypto **out) MUST_USE;
/* Accepts NULL and clears. */
void crypto_free(struct crypto **c);
/* Wipes every key that the contexts keep. They keep the last one of each primitive, so that many short
 * messages under one key cost one key schedule; call it when the work for one card is done. */
void crypto_forget(struct crypto *c);

/* From now on everything that the library frees is wiped first, for a process that keeps other people's keys:
 * private numbers stay in no freed memory. Before anything else of this folder; ERR_STATE otherwise. */
enum err crypto_wipe_all(void) MUST_USE;

/* The operating system's generator, through OpenSSL. */
struct random_source crypto_random(void);

/* Block ciphers without padding: in.len must be a multiple of the block, otherwise ERR_ARGUMENT; out has
 * in.len bytes and may be in.data. AES keys of 16, 24 or 32 bytes; Triple-DES keys of 16 (K1 K2 K1) or 24
 * bytes; other lengths are ERR_ARGUMENT. iv has one block; it is not changed. */
enum err crypto_aes_cbc_encrypt(struct crypto *c, struct view key, const uint8_t iv[AES_BLOCK],
                                struct view in, uint8_t *out) MUST_USE;
enum err crypto_aes_cbc_decrypt(struct crypto *c, struct view key, const uint8_t iv[AES_BLOCK],
                                struct view in, uint8_t *out) MUST_USE;
enum err crypto_aes_ecb_encrypt(struct crypto *c, struct view key, struct view in, uint8_t *out) MUST_USE;
enum err crypto_des3_cbc_encrypt(struct crypto *c, struct view key, const uint8_t iv[DES_BLOCK],
                                 struct view in, uint8_t *out) MUST_USE;
enum err crypto_des3_cbc_decrypt(struct crypto *c, struct view key, const uint8_t iv[DES_BLOCK],
                                 struct view in, uint8_t *out) MUST_USE;
enum err crypto_des3_ecb_encrypt(struct crypto *c, struct view key, struct view in, uint8_t *out) MUST_USE;
enum err crypto_des3_ecb_decrypt(struct crypto *c, struct view key, struct view in, uint8_t *out) MUST_USE;
/* Triple-DES CBC of many messages, each from the same initial value: as crypto_des3_cbc_encrypt for each, but
 * several times faster from about a dozen of similar length on, and without table look-ups where that is so
 * (bit-sliced, docs/performance.md). Each out may be its in.data; otherwise no two overlap. ERR_ARGUMENT
 * before anything is written. */
struct cipher_job {
    struct view in;
    uint8_t *out;
};
enum err crypto_des3_cbc_encrypt_many(struct crypto *c, struct view key, const uint8_t iv[DES_BLOCK],
                                      const struct cipher_job *jobs, size_t count) MUST_USE;
/* Single DES, key of 8 bytes (the first half of S-MAC encrypts ICVs; GPCS 2.3.1 E.3.4). */
enum err crypto_des_ecb_encrypt(struct crypto *c, struct view key, struct view in, uint8_t *out) MUST_USE;

/* MACs over in, which must be a multiple of 8 bytes long (the caller pads, GPCS 2.3.1 B.4).
 * retail: DES-CBC with the first half of key, Triple-DES at the last block (ISO 9797-1 algorithm 3, B.1.2.2).
 * des3: Triple-DES CBC throughout, last block (B.1.2.1). key has 16 bytes (des3: or 24). */
enum err crypto_mac_retail(struct crypto *c, struct view key, const uint8_t icv[DES_BLOCK], struct view in,
                           uint8_t out[DES_BLOCK]) MUST_USE;
enum err crypto_mac_des3(struct crypto *c, struct view key, const uint8_t icv[DES_BLOCK], struct view in,
                         uint8_t out[DES_BLOCK]) MUST_USE;

/* AES-CMAC (NIST SP 800-38B) over the parts, one behind the other. */
enum err crypto_cmac(struct crypto *c, struct view key, const struct view *parts, size_t count,
                     uint8_t out[CMAC_LEN]) MUST_USE;

/* A long CBC run in pieces, for chains that stay in one context (docs/performance.md): begin sets key and IV
 * once, each update goes on where the last one ended. One run at a time per struct crypto; no other AES-CBC
 * call between. AES only; lengths are multiples of 16. */
enum err crypto_aes_run_begin(struct crypto *c, struct view key, const uint8_t iv[AES_BLOCK]) MUST_USE;
enum err crypto_aes_run_update(struct crypto *c, struct view in, uint8_t *out) MUST_USE;

enum digest { DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512, DIGEST_COUNT };
/* 20, 32, 48, 64. */
size_t crypto_digest_len(enum digest d);
/* out has crypto_digest_len(d) bytes. */
enum err crypto_digest(struct crypto *c, enum digest d, const struct view *parts, size_t count,
                       uint8_t *out) MUST_USE;

/* HMAC-SHA256 and HKDF-SHA256 (RFC 5869; salt may be empty; out_len at most 255 * 32). */
enum err crypto_hmac(struct crypto *c, struct view key, struct view in, uint8_t out[32]) MUST_USE;
enum err crypto_hkdf(struct crypto *c, struct view secret, struct view salt, struct view info, uint8_t *out,
                     size_t out_len) MUST_USE;

/* AES-256-GCM. seal appends ciphertext and tag to out; open appends the plaintext, or ERR_AUTH and nothing.
 */
enum err crypto_gcm_seal(struct crypto *c, struct view key, const uint8_t nonce[GCM_NONCE], struct view aad,
                         struct view in, struct writer *out) MUST_USE;
enum err crypto_gcm_open(struct crypto *c, struct view key, const uint8_t nonce[GCM_NONCE], struct view aad,
                         struct view in, struct writer *out) MUST_USE;

#endif
