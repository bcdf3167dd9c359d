/* SPDX-License-Identifier: Apache-2.0
 *
 * What a new card is given: kind, identity and keys, with what is left open filled in. */
#ifndef FERRY_CARD_PERSONALISE_H
#define FERRY_CARD_PERSONALISE_H

#include <base/sources.h>

#include "state.h"

enum { CPLC_LEN = 42, CARD_NUMBER_MAX = 16 };

/* A kind of card under a name: where the options start from. */
struct card_kind {
    const char *name, *about;
    const char *java_card;
    const char *isd; /* hex */
    uint8_t scp, i, kvn;
    uint16_t key_bits;
    uint8_t flags;
    uint32_t quirks; /* enum card_quirk */
    uint16_t max_failures;
    uint32_t memory;
};
const struct card_kind *card_kinds(size_t *count);
const struct card_kind *card_kind_by_name(const char *name);

struct personal {
    struct card_kind kind;
    uint8_t isd[AID_MAX], cplc[CPLC_LEN], serial[4], kdd[CARD_KDD_LEN];
    uint8_t iin[CARD_NUMBER_MAX], cin[CARD_NUMBER_MAX], historical[CARD_HISTORICAL_MAX];
    size_t isd_len, cplc_len, serial_len, kdd_len, iin_len, cin_len, historical_len; /* 0: to be filled in */
};

/* Chip serial number (random unless given), CPLC, key diversification data and numbers from one another.
 * ERR_ARGUMENT when a length is wrong. */
enum err personal_complete(struct personal *p, struct random_source random) MUST_USE;

/* Have the keys the kind's length, and are they one where it has a base key? */
bool card_kind_keys_fit(const struct card_kind *k, const struct secret keys[3]);

/* The state of a new card, in OP_READY. The keys are three, as card_kind_keys_fit says. ERR_ARGUMENT on
 * values that don't go together. *out is to be finished by the caller, also after an error. */
enum err personalise(const struct personal *p, const struct secret keys[3], struct card_state *out) MUST_USE;

#endif
