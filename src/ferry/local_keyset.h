/* SPDX-License-Identifier: Apache-2.0
 *
 * Key sets: three keys by one PUT KEY, with the proof that they are there. */
#ifndef FERRY_LOCAL_KEYSET_H
#define FERRY_LOCAL_KEYSET_H

#include "local.h"

/* Adds a key set, whose keys are the card's own, to the security domain of the open channel, and opens a
 * channel with it. With --dry-run it is shown. */
int local_put_set(struct local *l, const struct card_keys *set, uint8_t kvn);

#endif
