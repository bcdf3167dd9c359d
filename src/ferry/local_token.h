/* SPDX-License-Identifier: Apache-2.0
 *
 * Delegated management on the desk (GPCS 2.3.1 C.4, C.5): tokens, with which the issuer allows commands of a
 * security domain that may do nothing alone, and receipts, with which the card confirms them. */
#ifndef FERRY_LOCAL_TOKEN_H
#define FERRY_LOCAL_TOKEN_H

#include <gp/token.h>
#include <plan/build.h>

#include "local.h"

/* The rows of the tables of options. */
#define LOCAL_TOKEN_OPTIONS                                                                                  \
    {"token-key", "FILE", "private key, PEM, that signs tokens for delegated management"},                   \
    {                                                                                                        \
        "receipt-key", "FILE", "public key, PEM, that the card's receipts must be verified with"             \
    }

/* Keys of these options, where they are given. */
int local_read_token_keys(struct local *l);

/* Appends the command, with the token of key (NULL: without one). */
enum err local_put_install(struct builder *b, struct pk *key, struct install *i) MUST_USE;
enum err local_put_delete(struct builder *b, struct pk *key, const struct aid *aid, bool related) MUST_USE;

/* The card has executed this plain command, and answered this. With --receipt-key: where a receipt is due, it
 * must be there and be the one for just this command. */
int local_check_receipt(struct local *l, const struct apdu *a, struct view answer);

#endif
