/* SPDX-License-Identifier: Apache-2.0
 *
 * Bit-sliced Triple-DES with 64 lanes, for every machine. */
#include "des_slice.h"

#include "des_lanes.h"

typedef uint64_t word;
#define WORD_QUADS 1
#define DES_TARGET
#define DES_INLINE static inline

#include "des_slice_body.inc"

static bool runs_everywhere(void)
{
    return true;
}

const struct des_slicer des_slicer_64 = {.name = "64 lanes",
                                         .lanes = LANES,
                                         .worthwhile = 14,
                                         .encrypt = encrypt_lanes,
                                         .runs_here = runs_everywhere};
