/* SPDX-License-Identifier: Apache-2.0
 *
 * The opening of a channel, once method and keys are chosen. */
#ifndef FERRY_LOCAL_OPENING_H
#define FERRY_LOCAL_OPENING_H

#include "local_channel.h"

struct opening {
    const struct channel_method *method;
    uint8_t level;
    struct channel_opening begun;
    struct rapdu answers[OPENING_COMMANDS_MAX];
    struct writer memory[OPENING_COMMANDS_MAX];
    struct init_update update; /* of methods that have one */
};

/* Opens the file in which this card's openings are counted. */
int local_open_ledger(struct local *l);
/* Refuses what was counted too often; otherwise counts one more, before it is begun. */
int local_count_opening(struct local *l, uint8_t kvn);

/* Signatures that leave no room in a short command need a card that says it takes longer ones. */
int opening_check_extended(struct local *l, const struct channel_method *m, uint8_t level);
/* Sends the opening's commands, verifies the answers, and proves the host; l->channel is open then. With
 * hold_authentication it stops before the proof. method and level of *o become those that the card told. */
int opening_run(struct local *l, struct opening *o);

#endif
