/* SPDX-License-Identifier: Apache-2.0
 *
 * The bodies of administration requests: from JSON to plain structs, without deciding anything. docs/api.md
 * has the fields. */
#ifndef FRONT_API_BODIES_H
#define FRONT_API_BODIES_H

#include <jansson.h>

#include <plan/plan.h>
#include <vault/vault.h>

#include "store/store.h"

enum {
    WRAPPED_KEY_MAX = KEY_BYTES_MAX + 512, /* a key pair, encrypted to the keeper, and what goes with it */
    PARAMETERS_TEXT_MAX = 2048,            /* hexadecimal with places; INSTALL data has 255 bytes */
    CARDS_MAX = 10 * 1000 * 1000,          /* that one order serves */
    OPENINGS_MAX = 100 * 1000 * 1000,      /* 10 per card */
    EXPIRES_MAX_S = 366 * 24 * 3600        /* a ticket that lives longer is a password */
};

/* What an application is called, in two languages; in the order of app_text_names. NULL: absent. */
enum { APP_TEXTS = 4, APP_TITLE_MAX = 80, APP_DESCRIPTION_MAX = 400 };
struct app_naming {
    const char *text[APP_TEXTS];
};
extern const char *const app_text_names[APP_TEXTS]; /* title, description, title_de, description_de */

/* All give ERR_FORMAT or ERR_ARGUMENT (the body is malformed) or ERR_LIMIT (too large), with a sentence in
 * why, and write *out only on OK. */

struct app_body {
    json_t *owner; /* the views borrow from it */
    char name[NAME_MAX_BYTES + 1];
    struct writer cap; /* the file */
    struct install_choice installs[CAP_APPLETS_MAX];
    size_t install_count;
    struct view load_parameters;
    struct view sequence; /* empty: to be generated */
    struct app_naming texts;
    bool approved;
};
enum err app_body_parse(struct view body, struct app_body *out, char *why, size_t why_len) MUST_USE;
void app_body_finish(struct app_body *b);

struct texts_body {
    json_t *owner; /* the texts borrow from it */
    struct app_naming texts;
};
enum err texts_body_parse(struct view body, struct texts_body *out, char *why, size_t why_len) MUST_USE;
void texts_body_finish(struct texts_body *b);

struct key_body {
    struct key_attributes attributes;
    uint8_t wrapped[WRAPPED_KEY_MAX];
    size_t wrapped_len;
};
enum err key_body_parse(struct view body, struct key_body *out, char *why, size_t why_len) MUST_USE;
/* "aes128", ...: NULL when type and length are no pair of ours. */
const char *key_type_word(enum key_type type, size_t key_len);

struct order_body {
    char purpose[WORD_MAX + 1];
    char app[NAME_MAX_BYTES + 1], card[CARD_NUMBER_TEXT_MAX + 1], type[NAME_MAX_BYTES + 1]; /* "": none */
    int level; /* -1: as the type says */
    uint32_t cards, openings;
    uint64_t expires_s; /* 0: as the configuration says */
    bool offer;
};
enum err order_body_parse(struct view body, struct order_body *out, char *why, size_t why_len) MUST_USE;

struct release_body {
    char reason[DETAIL_MAX + 1];
};
enum err release_body_parse(struct view body, struct release_body *out, char *why, size_t why_len) MUST_USE;

#endif
