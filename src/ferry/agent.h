/* SPDX-License-Identifier: Apache-2.0
 *
 * The loopback agent (docs/web.md): pages of a few servers may have an order run on the card here, by its
 * ticket, once the user has let them in. One operation at a time, and one for each card that is put in. */
#ifndef FERRY_AGENT_H
#define FERRY_AGENT_H

#include "agent_gate.h"

struct agent_settings {
    struct agent_place place; /* port 0: picks one */
    const char *reader;       /* NULL: the first with a card */
    const char *profile, *ca; /* options for the operations; NULL: none */
    bool confirm;             /* the user is asked at each operation as well */
    bool json, quiet;
};

/* Serves until it is told to end; an operation that runs is waited for. Borrows s. ERR_EXISTS: somebody else
 * has the port; others with a message on stderr, too. */
enum err agent_serve(const struct agent_settings *s) MUST_USE;

#endif
