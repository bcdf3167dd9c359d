/* SPDX-License-Identifier: Apache-2.0
 *
 * How far this client is, for the page that its user looks at (docs/web.md). A thread of its own sends the
 * newest state, on a connection of its own, at most five times a second; whoever feeds the card only takes a
 * mutex for a moment. Nothing depends on it: at the first answer that is not 204 it is silent for good. */
#ifndef FERRY_PROGRESS_H
#define FERRY_PROGRESS_H

#include "remote.h"

enum { PROGRESS_TEXT_MAX = 128 };

struct progress_state {
    const char *stage;                                       /* a word of docs/web.md: static */
    char reader[PROGRESS_TEXT_MAX], card[PROGRESS_TEXT_MAX]; /* "" as long as it is not known */
    size_t done, total;
};

struct progress;

/* url: of ticket_progress, copied. Settings as for remote_new; idle is not used. Opens no connection before
 * there is something to say. */
enum err progress_new(struct progress **out, const struct remote_settings *s, const char *url) MUST_USE;
/* Copies the state and returns at once. Accepts NULL. */
void progress_tell(struct progress *p, const struct progress_state *state);
/* The last state gets a second to arrive; what takes longer is cut off. Accepts NULL. */
void progress_free(struct progress **p);

#endif
