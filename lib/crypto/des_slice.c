/* SPDX-License-Identifier: Apache-2.0
 *
 * Many chains of Triple-DES at once: the key schedule, and which chains go through the sliced code. Chains
 * have different lengths; when too few are left to fill the lanes, the library finishes these. */
#include "crypto_internal.h"
#include "des_slice.h"

#include <string.h>

enum { KEY_HALF = 28, LAST_DECRYPT_STAGE = 1 };

/* ---- key schedule (FIPS 46-3 appendix 1; bits are counted from 1, from the left) ---- */

static const uint8_t permuted_choice_1[2 * KEY_HALF] = {
    57, 49, 41, 33, 25, 17, 9,  1,  58, 50, 42, 34, 26, 18, 10, 2,  59, 51, 43,
    35, 27, 19, 11, 3,  60, 52, 44, 36, 63, 55, 47, 39, 31, 23, 15, 7,  62, 54,
    46, 38, 30, 22, 14, 6,  61, 53, 45, 37, 29, 21, 13, 5,  28, 20, 12, 4};

static const uint8_t permuted_choice_2[DES_ROUND_BITS] = {
    14, 17, 11, 24, 1,  5,  3,  28, 15, 6,  21, 10, 23, 19, 12, 4,  26, 8,  16, 7,  27, 20, 13, 2,
    41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32};

/* By how many bits both halves have turned to the left, from the beginning. */
static const uint8_t turned[DES_ROUNDS] = {1, 2, 4, 6, 8, 10, 12, 14, 15, 17, 19, 21, 23, 25, 27, 28};

/* Which bit of the key (from 0) stands at a place of the turned halves (from 1). Places are public. */
static unsigned key_bit(unsigned place, unsigned turn)
{
    const unsigned size = KEY_HALF, half = place > size ? size : 0;
    return permuted_choice_1[half + (place - 1 - half + turn) % size] - 1U;
}

static void make_round(uint64_t masks[DES_ROUND_BITS], const uint8_t key[DES_BLOCK], unsigned turn)
{
    for (size_t i = 0; i < DES_ROUND_BITS; i++) {
        unsigned bit = key_bit(permuted_choice_2[i], turn);
        uint64_t set = (uint64_t)key[bit / 8] >> (7 - bit % 8) & 1;
        masks[i] = 0 - set;
    }
}

void des_schedule_make(struct des_schedule *s, const uint8_t *key)
{
    for (size_t stage = 0; stage < DES_STAGES; stage++)
        for (size_t round = 0; round < DES_ROUNDS; round++) {
            size_t use = stage == LAST_DECRYPT_STAGE ? DES_ROUNDS - 1 - round : round;
            make_round(s->masks[stage][use], key + stage * DES_BLOCK, turned[round]);
        }
}

/* ---- chains ---- */

const struct des_slicer *const des_slicers[DES_SLICERS] = {&des_slicer_256, &des_slicer_64};

static uint64_t load_block(const uint8_t block[DES_BLOCK])
{
    struct reader r;
    rd_init(&r, view_of(block, DES_BLOCK));
    return rd_u64(&r);
}

static size_t blocks_of(const struct cipher_job *job)
{
    return job->in.len / DES_BLOCK;
}

/* How many chains have a block of this number, and where the shortest of those ends. */
static size_t active(const struct cipher_job *jobs, size_t count, size_t block, size_t *until)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        size_t blocks = blocks_of(&jobs[i]);
        if (blocks <= block)
            continue;
        if (n == 0 || blocks < *until)
            *until = blocks;
        n++;
    }
    return n;
}

/* What is behind the first done blocks, by the library; it has no sliced form for a chain alone. */
static enum err finish_chain(struct crypto *c, struct view key, const uint8_t iv[DES_BLOCK],
                             const struct cipher_job *job, size_t done)
{
    size_t bytes = done * DES_BLOCK;
    if (job->in.len <= bytes)
        return OK;
    const uint8_t *chain = done > 0 ? job->out + bytes - DES_BLOCK : iv;
    return crypto_des3_cbc_encrypt(c, key, chain, view_tail(job->in, bytes), job->out + bytes);
}

/* As many chains as there are lanes, or fewer. */
static enum err encrypt_group(const struct des_slicer *slicer, const struct des_schedule *s, struct crypto *c,
                              struct view key, const uint8_t iv[DES_BLOCK], const struct cipher_job *jobs,
                              size_t count)
{
    struct des_lane lanes[DES_LANES_MAX];
    size_t done = 0, until = 0;
    enum err e = OK;
    for (size_t i = 0; i < count; i++)
        lanes[i] = (struct des_lane){jobs[i], load_block(iv)};
    while (active(jobs, count, done, &until) >= slicer->worthwhile) {
        slicer->encrypt(s, lanes, count, done, until);
        done = until;
    }
    for (size_t i = 0; i < count && e == OK; i++)
        e = finish_chain(c, key, iv, &jobs[i], blocks_of(&jobs[i]) < done ? blocks_of(&jobs[i]) : done);
    return e;
}

static enum err check_jobs(struct view key, const struct cipher_job *jobs, size_t count)
{
    if (key.len != 16 && key.len != 24)
        return ERR_ARGUMENT;
    for (size_t i = 0; i < count; i++)
        if (jobs[i].in.len % DES_BLOCK != 0)
            return ERR_ARGUMENT;
    return OK;
}

enum err des_encrypt_many_with(const struct des_slicer *slicer, struct crypto *c, struct view key,
                               const uint8_t iv[DES_BLOCK], const struct cipher_job *jobs, size_t count)
{
    struct secret three = {0};
    struct des_schedule s;
    enum err e = check_jobs(key, jobs, count);
    if (e == OK)
        e = des3_key(key, &three);
    if (e != OK)
        return e;
    des_schedule_make(&s, three.data);
    for (size_t i = 0; i < count && e == OK; i += slicer->lanes) {
        size_t some = count - i < slicer->lanes ? count - i : slicer->lanes;
        e = encrypt_group(slicer, &s, c, key, iv, jobs + i, some);
    }
    wipe(&s, sizeof(s));
    secret_wipe(&three);
    return e;
}

enum err crypto_des3_cbc_encrypt_many(struct crypto *c, struct view key, const uint8_t iv[DES_BLOCK],
                                      const struct cipher_job *jobs, size_t count)
{
    size_t i = 0;
    while (i + 1 < DES_SLICERS && !des_slicers[i]->runs_here())
        i++;
    return des_encrypt_many_with(des_slicers[i], c, key, iv, jobs, count);
}
