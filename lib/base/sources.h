/* SPDX-License-Identifier: Apache-2.0
 *
 * Randomness and time come from the program as small function tables, so that a test can replay a
 * dialogue byte for byte. */
#ifndef BASE_SOURCES_H
#define BASE_SOURCES_H

#include <base/bytes.h>

struct random_source {
    enum err (*fill)(void *ctx, uint8_t *out, size_t len);
    void *ctx;
};

struct clock_source {
    uint64_t (*now_ms)(void *ctx); /* since 1970-01-01 UTC */
    void *ctx;
};

#endif
