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
 * says protocol and i. */
enum err local_choose_method(const struct method_wish *w, const struct channel_method **out) MUST_USE;

/* Closes the channel and opens another one with these keys, which are the card's own, of this key version:
 * the proof that the card has them. */
int local_open_again(struct local *l, const struct card_keys *keys, uint8_t kvn);

/* Opens the file in which this card's openings are counted. */
int local_open_ledger(struct local *l);
/* Refuses what was counted too often; otherwise counts one more, before it is begun. */
int local_count_opening(struct local *l, uint8_t kvn);

#endif
