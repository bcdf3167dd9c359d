/* SPDX-License-Identifier: Apache-2.0
 *
 * What a card says of itself, in words: identity with dates and names, secure channels, keys, capabilities,
 * memory. None of it is proven. */
#ifndef FERRY_CARD_WORDS_H
#define FERRY_CARD_WORDS_H

#include <time.h>

#include <jansson.h>

#include <gp/identity.h>
#include <gp/registry.h>

#include "reader.h"

/* A new object: reader, ATR, number, CPLC field by field, secure channels, keys. */
json_t *card_words(const struct card_reader *reader, const struct identity *id);
/* "AES-128", "RSA public key, 256 bytes", by GPCS 2.3.1 table 11-16. A new string. */
json_t *key_words_of(const struct key_info *k);

/* An object of what the card says that it can do. */
json_t *capability_words(const struct capabilities *c);

struct date_words {
    char text[48];
};
/* Two bytes of CPLC as a date, where today decides which decade is the latest possible: "2023-09-01 (or 10,
 * 20 years before)"; "" when they are none. */
struct date_words cplc_date_words(struct view v, const struct tm *today);
/* "NXP", for a fabricator that is publicly known; NULL. */
const char *cplc_fabricator(const uint8_t code[2]);

/* The registry as a table on standard output, or as an array for JSON. */
void registry_print(const struct registry *r);
json_t *registry_words(const struct registry *r);

#endif
