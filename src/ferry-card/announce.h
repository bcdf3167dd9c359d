/* SPDX-License-Identifier: Apache-2.0
 *
 * Which secure channels a security domain's key pairs open: for card recognition data and card capability
 * information. */
#ifndef FERRY_CARD_ANNOUNCE_H
#define FERRY_CARD_ANNOUNCE_H

#include "state.h"

enum { ANNOUNCE_METHODS_MAX = 8 };
struct announced {
    uint8_t scp, i;
};

/* Methods with key pairs that this domain's keys are for: SCP11, with its variants in i (Amendment F 5.1),
 * and signed commands (F0) with each i. Returns how many. */
size_t announce_methods(const struct card_state *s, struct view domain,
                        struct announced out[ANNOUNCE_METHODS_MAX]);
/* The last arcs of {globalPlatform 4 scp i} (GPCS 2.3.1 H.2): scp above 7F takes two bytes. */
void announce_put_arcs(struct writer *w, uint8_t scp, uint8_t i);

#endif
