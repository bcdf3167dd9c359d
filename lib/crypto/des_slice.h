/* SPDX-License-Identifier: Apache-2.0
 *
 * Bit-sliced Triple-DES (Biham, "A Fast New DES Implementation in Software", FSE 1997): bit n of the blocks
 * of many chains lies in word n, one chain a lane, and DES is a circuit of logical operations on whole words.
 * No table is looked up and no branch depends on a key or on data, so the time tells nothing about them. The
 * same code (des_slice_body.inc) is compiled once for words of 64 bits, for every machine, and once for words
 * of 256 bits, for machines with AVX2. */
#ifndef CRYPTO_DES_SLICE_H
#define CRYPTO_DES_SLICE_H

#include <crypto/crypto.h>

enum { DES_STAGES = 3, DES_ROUNDS = 16, DES_ROUND_BITS = 48, DES_LANES_MAX = 256 };

/* The round keys of encryption, decryption, encryption, in the order of use: all ones for a bit that is set,
 * since the key is the same in every lane. */
struct des_schedule {
    uint64_t masks[DES_STAGES][DES_ROUNDS][DES_ROUND_BITS];
};
/* key: K1 K2 K3, 24 bytes. */
void des_schedule_make(struct des_schedule *s, const uint8_t *key);

struct des_lane {
    struct cipher_job job;
    uint64_t chain; /* the initial value, then the last block of ciphertext */
};

struct des_slicer {
    const char *name;
    size_t lanes;
    /* So many chains at a time cost less here than one after the other in the library. */
    size_t worthwhile;
    /* Blocks from (inclusive) to to (exclusive) of up to lanes chains, those that are so long. */
    void (*encrypt)(const struct des_schedule *s, struct des_lane *lanes, size_t count, size_t from,
                    size_t to);
    bool (*runs_here)(void);
};
/* Fastest first; the last one runs everywhere. */
extern const struct des_slicer *const des_slicers[];
enum { DES_SLICERS = 2 };
extern const struct des_slicer des_slicer_256, des_slicer_64;

/* crypto_des3_cbc_encrypt_many with this slicer. */
enum err des_encrypt_many_with(const struct des_slicer *slicer, struct crypto *c, struct view key,
                               const uint8_t iv[DES_BLOCK], const struct cipher_job *jobs,
                               size_t count) MUST_USE;

#endif
