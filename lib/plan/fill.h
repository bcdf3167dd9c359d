/* SPDX-License-Identifier: Apache-2.0
 *
 * Hexadecimal text with places, turned into the bytes for one card. */
#ifndef PLAN_FILL_H
#define PLAN_FILL_H

#include <plan/sequence.h>

/* Whose places are filled; NULL as identity: nobody's, each place is as long as it can be and zero. */
struct card_data {
    const struct identity *identity;
    struct view kdd;
};

/* Bytes, and what in them only the keeper can fill: offsets count from the first byte. */
struct filled {
    struct writer bytes;
    struct derive_place places[PLACES_MAX];
    size_t place_count;
    bool of_nobody; /* a place of a card was filled with zeros, as long as it can be: lengths mean nothing */
};

/* ERR_FORMAT, ERR_LIMIT, ERR_UNSUPPORTED (the card does not tell what a place wants), ERR_MEMORY. On success
 * *out must go to filled_finish. */
enum err filled_make(struct filled *out, const struct value *v, const struct card_data *card,
                     struct plan_problem *why) MUST_USE;
void filled_finish(struct filled *f);

/* An AID of 5 to 16 bytes, without places. */
enum err value_aid(const struct value *v, struct aid *out, struct plan_problem *why) MUST_USE;
/* At most max bytes without places; *len says how many. */
enum err value_bytes(const struct value *v, uint8_t *out, size_t max, size_t *len,
                     struct plan_problem *why) MUST_USE;

#endif
