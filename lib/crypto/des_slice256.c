/* SPDX-License-Identifier: Apache-2.0
 *
 * Bit-sliced Triple-DES with 256 lanes, for machines with AVX2. On others the compiler makes it of what the
 * machine has, but nobody calls it there. */
#include "des_slice.h"

#include "des_lanes.h"

typedef uint64_t word __attribute__((vector_size(32)));
#define WORD_QUADS 4
#if defined(__x86_64__)
#define DES_TARGET __attribute__((target("avx2")))
#else
#define DES_TARGET
#endif
#define DES_INLINE DES_TARGET static inline __attribute__((always_inline))

#include "des_slice_body.inc"

static bool has_avx2(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2");
#else
    return false;
#endif
}

const struct des_slicer des_slicer_256 = {
    .name = "256 lanes", .lanes = LANES, .worthwhile = 12, .encrypt = encrypt_lanes, .runs_here = has_avx2};
