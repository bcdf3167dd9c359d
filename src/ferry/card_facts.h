/* SPDX-License-Identifier: Apache-2.0
 *
 * All that a card tells without a key, asked and put into words. */
#ifndef FERRY_CARD_FACTS_H
#define FERRY_CARD_FACTS_H

#include "card_words.h"

#include <gp/memory.h>

/* One GET DATA in the clear; the data without status word is appended. false when the card does not have it.
 */
bool card_get_data(struct card_reader *reader, uint16_t tag, struct writer *out);
/* false when the card does not tell. */
bool card_memory_of(struct card_reader *reader, struct card_memory *out);
/* Fills object with identity, capabilities and memory. */
void card_facts(struct card_reader *reader, const struct identity *id, json_t *object);

#endif
