/* SPDX-License-Identifier: Apache-2.0
 *
 * How much memory a card says it has left: extended card resources, GET DATA FF21 (ETSI TS 102 226 8.2.1.7;
 * GPCS 2.3.1 11.3.3.1). */
#ifndef GP_MEMORY_H
#define GP_MEMORY_H

#include <base/bytes.h>

enum { TAG_CARD_RESOURCES = 0xFF21 };

struct card_memory {
    uint32_t applications; /* how many are installed */
    uint32_t nonvolatile;  /* free bytes */
    uint32_t transient;    /* free bytes, at least until the next reset */
    bool has_applications, has_nonvolatile, has_transient;
};
/* The answer's data without status word, with or without FF21 around it. Numbers of up to 4 bytes; larger
 * ones count as the largest. ERR_FORMAT; ERR_NOT_FOUND when it tells nothing of these. */
enum err memory_parse(struct view answer, struct card_memory *out) MUST_USE;

#endif
