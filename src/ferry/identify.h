/* SPDX-License-Identifier: Apache-2.0
 *
 * What a card says of itself, asked without a key. */
#ifndef FERRY_IDENTIFY_H
#define FERRY_IDENTIFY_H

#include <gp/identity.h>

#include "reader.h"

/* isd: AID of the card manager; empty: the default application. ERR_NOT_FOUND when there is none; otherwise
 * as reader_transmit. */
enum err identify_card(struct card_reader *reader, struct view isd, struct identity *id) MUST_USE;

#endif
