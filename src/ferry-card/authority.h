/* SPDX-License-Identifier: Apache-2.0
 *
 * Who may change the content of the card (GPCS 2.3.1 9.1.3, C.4, C.5): a security domain with Authorized
 * Management by itself, one with Delegated Management with a token that another security domain verifies, and
 * for which it may answer with a receipt. */
#ifndef FERRY_CARD_AUTHORITY_H
#define FERRY_CARD_AUTHORITY_H

#include "state.h"

enum { TOKEN_ID_MAX = 32 };

/* How the command in hand was authorised. */
struct authority {
    bool delegated;
    uint8_t token_id_len;
    uint8_t token_id[TOKEN_ID_MAX]; /* tag 93 of the parameters: it comes back with the receipt */
};

/* A command of content management as its token signs it: P1, P2, the length of the fields that stand before
 * the token, and these. first: the same of the first INSTALL of a combined process, otherwise empty. */
struct token_command {
    struct view first;
    uint8_t p1, p2;
    struct view fields, token;
    struct view parameters; /* with B6, the control reference template */
};

struct card;

/* P1, P2, length, fields: what a token signs of one command (tables C-4 to C-10). */
void card_token_put_command(struct writer *w, uint8_t p1, uint8_t p2, struct view fields);
/* May the selected security domain manage content, were it not for the token? 9000, 6985. */
uint16_t card_authority_may(const struct card *card) MUST_USE;
/* The same, and the token. 6A80 when there is one that must not be, or for another security domain; 6982 when
 * it is missing or wrong, or nobody has the key. */
uint16_t card_authority_check(struct card *card, const struct token_command *t,
                              struct authority *out) MUST_USE;
/* The answer: a single 00, or the confirmation with a receipt over fields (tables C-11 to C-16); then the
 * counter of confirmations moves in records. Without a receipt key the policy is to give none. */
uint16_t card_authority_confirm(struct card *card, const struct authority *auth, struct view fields,
                                struct writer *records, struct writer *out) MUST_USE;

/* Confirmation data (table 11-14), and a confirmation around it (tables 11-13, 11-54). unique: 42 and 45. */
void card_confirmation_put_data(struct writer *w, uint16_t counter, struct view unique, struct view token_id);
void card_confirmation_put(struct writer *w, struct view receipt, struct view data);

#endif
