/* SPDX-License-Identifier: Apache-2.0
 *
 * A card type: how a kind of card is recognised and how a channel to it is opened (docs/api.md, "A card
 * type"). The administration checks it here before it is stored, and the dialogue reads it here again. */
#ifndef FRONT_CARD_TYPE_H
#define FRONT_CARD_TYPE_H

#include <base/limits.h>
#include <gp/identity.h>
#include <gp/keys.h>
#include <session/session.h>

enum {
    CARD_PATTERNS_MAX = 16,
    CARD_PATTERN_MAX = 2 * CPLC_LEN, /* digits: the longest thing that is matched is CPLC */
    CARD_TYPE_JSON_MAX = 32 * 1024,  /* all lists full of the longest patterns, certificates, and room */
    BLOCK_SIZE_MIN = 32,             /* 256 blocks of less hold no application worth the name */
    CARD_OPENINGS_MAX = 9,
    CARD_OPENINGS = 3, /* cards die at 10 unfinished openings: never reach it */
    CARD_TYPE_WARNINGS_MAX = 6,
    CARD_TYPE_TITLE_MAX = 80 /* bytes of UTF-8: a line of a page */
};

/* Hexadecimal digits, upper-case; '.' stands for any digit; shorter than the value: a prefix. */
struct card_pattern {
    char text[CARD_PATTERN_MAX + 1];
};

struct card_patterns {
    struct card_pattern list[CARD_PATTERNS_MAX];
    size_t count;
};

struct card_type {
    char name[NAME_MAX_BYTES + 1];
    char title[CARD_TYPE_TITLE_MAX + 1], title_de[CARD_TYPE_TITLE_MAX + 1]; /* for card holders; "": none */
    struct card_patterns atr, cplc, iin;
    struct aid isd; /* len 0: SELECT without AID */
    uint8_t scp, i, kvn;
    char key[NAME_MAX_BYTES + 1];   /* "" with KDF_IMPORTED; of methods with key pairs: the host's */
    char trust[NAME_MAX_BYTES + 1]; /* SCP11: who signed the certificates of cards */
    enum kdf kdf;                   /* KDF_NONE for methods with key pairs */
    uint8_t kid, session_key_len, ca_kvn, ca_kid;
    uint8_t certificates[CERTIFICATE_BYTES_MAX]; /* each behind its length of two bytes */
    size_t certificates_len;
    uint8_t level;
    quirk_set quirks;
    uint8_t block_size; /* 0: as much as fits */
    char java_card[16]; /* "": not known */
    bool virgin, identify_first, single_des;
    uint32_t max_openings;
};

/* Reads and checks a whole description. ERR_FORMAT or ERR_LIMIT when it is not acceptable JSON; ERR_ARGUMENT
 * when a field is unknown, missing or wrong; ERR_UNSUPPORTED when we have no such method or level. why: a
 * sentence, filled when not OK (may be NULL). */
enum err card_type_parse(struct view json, struct card_type *out, char *why, size_t why_len) MUST_USE;

enum card_match { CARD_MATCH_NO, CARD_MATCH_YES, CARD_MATCH_UNKNOWN };
/* Whether a card is of this type. id is NULL while only the ATR is known: CARD_MATCH_UNKNOWN then says that
 * the ATR does not exclude it, but that other patterns must be asked. A type without any pattern matches no
 * card: orders name it. What is matched comes from the card unproven: it chooses, it proves nothing. */
enum card_match card_type_matches(const struct card_type *t, struct view atr, const struct identity *id);

/* The weak choices that the type makes: a policy must allow them. */
weak_set card_type_weak(const struct card_type *t);
/* Weak choices that are allowed, as sentences: gives how many; out has room for CARD_TYPE_WARNINGS_MAX. */
size_t card_type_warnings(const struct card_type *t, const char **out);

/* True when a check value is that of a well-known default key (40 41 42 ...), which only a virgin type may
 * use. */
bool card_key_is_well_known(enum key_type type, const uint8_t kcv[3]);

#endif
