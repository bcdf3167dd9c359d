/* SPDX-License-Identifier: Apache-2.0
 *
 * Which secure channel method a card is opened with. */
#ifndef FERRY_LOCAL_CHANNEL_H
#define FERRY_LOCAL_CHANNEL_H

#include "local.h"

struct method_wish {
    const struct identity *id; /* what the security domain announces */
    const char *name;          /* of --method; "": none was named */
    int i;                     /* -1: none was named */
    uint8_t kvn;               /* 0: the card's choice */
};

/* The method to begin with. What was named goes first; otherwise the newest protocol that the card announces
 * and its key types fit. ERR_UNSUPPORTED: there is none; ERR_CONFLICT: the card announces several, and its
 * answer will not say which it speaks. A card that announces nothing gets the question of SCP03, whose answer
 * says protocol and i. SCP11 of a card that announces it has MACs as long as it says there, else 8 bytes. */
enum err local_choose_method(const struct method_wish *w, const struct channel_method **out) MUST_USE;

/* Closes the channel and opens another one with these keys, which are the card's own, of this key version:
 * the proof that the card has them. */
int local_open_again(struct local *l, const struct card_keys *keys, uint8_t kvn);

/* Whether the card announces this row of the table. */
bool local_announces(const struct identity *id, const struct channel_method *m);
/* Whether its keys are card keys: SCP01, SCP02, SCP03. */
bool local_is_symmetric(const struct channel_method *m);
/* The level of --level, which the method must have, or its strongest. */
int local_choose_level(struct local *l, const struct channel_method *m, uint8_t *level);
/* The keys that were read: borrowed from l. */
struct channel_keys local_lend_keys(const struct local *l);

#endif
