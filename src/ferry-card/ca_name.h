/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of authorities (Amendment F 7.3, 7.8): which key of the card belongs to the authority that a host's,
 * or a card's, certificate names. STORE DATA A6 { [80 whose] 42 name, 83 identifier version } gives a key a
 * name; GET DATA 0083 with A6 { 42 name } tells the key, FF33 and FF34 list the names. */
#ifndef FERRY_CARD_CA_NAME_H
#define FERRY_CARD_CA_NAME_H

#include "card.h"

enum { CARD_TAG_CA_KEY = 0x0083, CARD_TAG_CA_OF_HOSTS = 0xFF33, CARD_TAG_CA_OF_CARDS = 0xFF34 };

/* Is the value of this template A6 a name, so that no object stands behind it? */
bool card_is_ca_name(struct view crt);
/* Appends the record. 9000, 6A80, 6A88: there is no such key. */
uint16_t card_put_ca_name(const struct card *card, struct view crt, struct writer *records) MUST_USE;

/* Appends identifier and version of the key that the template in data names. 9000, 6A80, 6A88. */
uint16_t card_get_ca_key(const struct card *card, struct view data, struct writer *value) MUST_USE;
/* Appends 42 name, 83 key for each name of the authorities of hosts; of cards. */
void card_value_ca_of_hosts(const struct card *card, struct writer *value);
void card_value_ca_of_cards(const struct card *card, struct writer *value);

#endif
