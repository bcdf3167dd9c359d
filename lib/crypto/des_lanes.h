/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks of the chains in their lanes. A chain that is at its end has zeros in its lane, and nothing is
 * written for it. */
#ifndef CRYPTO_DES_LANES_H
#define CRYPTO_DES_LANES_H

#include "des_slice.h"

#include <endian.h>
#include <string.h>

static inline bool has_block(const struct cipher_job *job, size_t block)
{
    return block < job->in.len / DES_BLOCK;
}

static inline uint64_t plain_block(const struct cipher_job *job, size_t block)
{
    uint64_t value = 0;
    if (has_block(job, block))
        memcpy(&value, job->in.data + block * DES_BLOCK, DES_BLOCK);
    return be64toh(value);
}

static inline void put_block(const struct cipher_job *job, size_t block, uint64_t value)
{
    uint64_t big_endian = htobe64(value);
    if (has_block(job, block))
        memcpy(job->out + block * DES_BLOCK, &big_endian, DES_BLOCK);
}

#endif
