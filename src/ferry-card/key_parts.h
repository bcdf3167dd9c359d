/* SPDX-License-Identifier: Apache-2.0
 *
 * A key on its way onto the card, in components: as PUT KEY (GPCS 2.3.1 11.8.2.3) and STORE DATA (11.11.4)
 * bring them. Which components make which key is a table; what has come is wiped when it is finished. */
#ifndef FERRY_CARD_KEY_PARTS_H
#define FERRY_CARD_KEY_PARTS_H

#include "card.h"

enum { KCV_LEN = 3 };

/* Components by meaning, for all types of table 11-16 that this card takes, and those of
 * docs/signed-commands.md. */
enum key_part {
    PART_DES,
    PART_AES,
    PART_MODULUS,
    PART_EXPONENT,
    PART_PRIVATE_EXPONENT,
    PART_P,
    PART_Q,
    PART_QINV,
    PART_DP,
    PART_DQ,
    PART_POINT,
    PART_SCALAR,
    PART_PARAMETER,
    PART_CURVE_P, /* domain parameters instead of a reference (table 11-73) */
    PART_CURVE_A,
    PART_CURVE_B,
    PART_CURVE_G,
    PART_CURVE_N,
    PART_CURVE_K,
    PART_DSA_PUBLIC,
    PART_DSA_PRIVATE,
    PART_COUNT
};

struct key_parts {
    struct writer value[PART_COUNT]; /* empty: it has not come */
};

/* A whole key: what struct card_key keeps of it. */
struct new_key {
    uint8_t kid, type, parameter;
    struct writer data; /* secret */
};

void key_parts_init(struct key_parts *p);
void key_parts_finish(struct key_parts *p);
/* Takes one component in the clear or under the session's key (11.8.2.3.2: with its own length in front, or
 * as long as the cipher text) by its key type. exact_len: its length where something else has said it, else
 * 0. 6A80 for a type that this card has not, or one that came twice. */
uint16_t key_parts_take(struct card *card, struct key_parts *p, uint8_t type, struct view block,
                        size_t exact_len) MUST_USE;
/* The key that these components are, checked to be one; finished by the caller, also after an error. 6A80
 * when they are none. */
uint16_t key_parts_build(const struct key_parts *p, struct new_key *out) MUST_USE;

/* Is it DES or AES, which have check values (B.6)? */
bool new_key_is_symmetric(const struct new_key *k);
/* 6A80 when a check value is missing or too much, 6982 when it is wrong. */
uint16_t new_key_check(struct crypto *c, const struct new_key *k, struct view kcv) MUST_USE;
void new_key_finish(struct new_key *k);

/* ---- where keys go (keys_place.c) ---- */

enum { NEW_KEYS_MAX = 8 };
struct new_keys {
    uint8_t old_kvn, kvn; /* old_kvn 0: they are added; otherwise they take the place of those there */
    size_t count;
    struct new_key key[NEW_KEYS_MAX];
};

void new_keys_finish(struct new_keys *k);
/* Makes all of them durable for the selected security domain, or none. Three symmetric keys with identifiers
 * 1 to 3 become a key set of a secure channel. */
uint16_t keys_place(struct card *card, const struct new_keys *k) MUST_USE;
/* The records of it alone. */
uint16_t keys_put(struct card *card, const struct new_keys *k, struct writer *records) MUST_USE;

#endif
