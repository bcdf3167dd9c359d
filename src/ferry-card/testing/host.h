/* SPDX-License-Identifier: Apache-2.0
 *
 * A card in memory and the barest host, for tests and fuzzers: it looks into the card for session keys, so it
 * proves nothing about them (the published sessions do that), but it gets commands past the secure channel.
 */
#ifndef FERRY_CARD_TESTING_HOST_H
#define FERRY_CARD_TESTING_HOST_H

#include "card.h"
#include "personalise.h"

struct host {
    struct card card;
    struct crypto *crypto;  /* borrowed */
    struct card_channel ch; /* as the host sees it */
    unsigned commits, syncs;
    bool refuse_commits; /* the memory takes nothing more */
    uint8_t random;
    struct writer journal; /* all records so far */
    struct writer answer;
    uint16_t sw;           /* of the last answer */
    struct writer *record; /* commands go here, and not to the card; borrowed, NULL: nothing is recorded */
    uint8_t number;        /* the logical channel that commands go to */
    enum chain_kind chain; /* commands longer than part go in parts */
    size_t part;
    bool hold; /* commands do not go to the card but stay in held */
    struct writer held;
};

/* A card of this kind with keys 40..; i 0xFF: that of the kind. Needs host_finish. */
enum err host_init(struct host *h, struct crypto *crypto, const char *kind, uint8_t i) MUST_USE;
void host_finish(struct host *h);

/* Sends a command as it is; returns the status word (0: no answer) and keeps the data. */
uint16_t host_send(struct host *h, struct view command);
/* Response data of the last command. */
struct view host_data(const struct host *h);

/* INITIALIZE UPDATE with P1 kvn and EXTERNAL AUTHENTICATE at this level; the last status word. */
uint16_t host_open(struct host *h, uint8_t kvn, uint8_t level);
/* Begins to speak in a session with implicit initiation, with the card's default keys; nothing is sent. */
enum err host_begin_implicit(struct host *h) MUST_USE;
/* Wraps as the level says and sends. Responses are taken as they come. */
uint16_t host_secure(struct host *h, struct view header, struct view data);

/* What a restart would read from the journal is what the card has now. */
bool host_journal_is_whole(const struct host *h);

#endif
