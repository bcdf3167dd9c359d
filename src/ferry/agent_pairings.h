/* SPDX-License-Identifier: Apache-2.0
 *
 * Which pages the user has let in: for each a token that the page keeps, and its SHA-256 here. A token is
 * good for its own page alone. In a file: a line for each, "<digest in hexadecimal> <origin>". */
#ifndef FERRY_AGENT_PAIRINGS_H
#define FERRY_AGENT_PAIRINGS_H

#include <crypto/crypto.h>

#include "agent_gate.h"

enum {
    PAIRING_DIGEST = 32,
    PAIRING_TOKEN = 32,
    PAIRING_TEXT = 43, /* a token in base64url */
    PAIRINGS_MAX = 64, /* the oldest makes way */
    PAIRINGS_BYTES_MAX = PAIRINGS_MAX * (2 * PAIRING_DIGEST + 2 + AGENT_ORIGIN_MAX)
};

struct agent_pairings {
    struct agent_pairing {
        uint8_t digest[PAIRING_DIGEST];
        char origin[AGENT_ORIGIN_MAX];
    } rows[PAIRINGS_MAX]; /* oldest first */
    size_t count;
};

/* Pure. ERR_FORMAT for anything but such lines, ERR_LIMIT for too many. */
enum err agent_pairings_parse(struct agent_pairings *out, struct view text) MUST_USE;
void agent_pairings_put(struct writer *w, const struct agent_pairings *p);

/* Draws a token for a page, and keeps its digest. */
enum err agent_pairings_add(struct agent_pairings *p, struct crypto *c, const char *origin,
                            char token[PAIRING_TEXT + 1]) MUST_USE;
/* Whether this is a token of that page; NULL: whether that page has any. */
bool agent_pairings_know(const struct agent_pairings *p, struct crypto *c, const char *origin,
                         const char *token);

/* $XDG_STATE_HOME/cardferry/agent, or ~/.local/state/cardferry/agent. A file that is not there is an empty
 * one. Written as a whole, for the user alone. ERR_NOT_FOUND: there is no home. */
enum err agent_pairings_load(struct agent_pairings *out) MUST_USE;
enum err agent_pairings_save(const struct agent_pairings *p) MUST_USE;

#endif
