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
    uint16_t sw; /* of the last answer */
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
/* Wraps as the level says and sends: C-MAC, and C-ENC in SCP03. Responses are taken as they come. */
uint16_t host_secure(struct host *h, struct view header, struct view data);

#endif
