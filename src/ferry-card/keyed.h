/* SPDX-License-Identifier: Apache-2.0
 *
 * Putting key pairs onto a new card: for SCP11 and for signed commands (F0). The keys of the other side come
 * from files, or from a folder that holds them, which is made when it is not there. */
#ifndef FERRY_CARD_KEYED_H
#define FERRY_CARD_KEYED_H

#include "cmd_scp11.h"
#include "state.h"

enum { KEYED_GROUP_MAX = CARD_SCP11_NAME_MAX, KEYED_WHAT_MAX = 256 };

struct keyed {
    const char *host; /* folder of the other side's keys */

    const char *variants; /* letters of a, b, c; NULL: no SCP11 */
    const char *ca, *key, *card_ca, *certificates;
    enum pk_curve curve;
    uint8_t kvn;
    uint8_t group[KEYED_GROUP_MAX];
    size_t group_len;
    bool x509, s16, trust_b;

    uint8_t signed_i; /* 0: no signed commands */
    uint8_t signed_kvn;
    const char *signed_server, *signed_key;
};

/* Defaults. */
void keyed_init(struct keyed *k);

struct keyed_option {
    const char *name;
    bool has_value;
    bool (*read)(struct keyed *k, const char *value); /* false: this value is not possible */
};
const struct keyed_option *keyed_options(size_t *count);

/* Flags that the card's profile needs. */
uint8_t keyed_flags(const struct keyed *k);
/* What is missing or too much among the options, as a sentence; NULL: nothing. kvn: of the card's key set. */
const char *keyed_problem(const struct keyed *k, uint8_t kvn);
/* Adds the keys, certificates and names to a new card. what names the file or step that it ended
 * with. */
enum err keyed_personalise(const struct keyed *k, struct card_state *state,
                           char what[KEYED_WHAT_MAX]) MUST_USE;

#endif
