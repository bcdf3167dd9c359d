/* SPDX-License-Identifier: Apache-2.0
 *
 * Work with the card and its key on the desk: one card, one secure channel, commands wrapped and sent one by
 * one. Functions that talk to the card give an exit code of <session/outcome.h>, EXIT_OK to go on; when it is
 * another they have said why, and local_end says it once more in the JSON answer. */
#ifndef FERRY_LOCAL_H
#define FERRY_LOCAL_H

#include <jansson.h>

#include <gp/identity.h>
#include <gp/registry.h>
#include <plan/plan.h>

#include "local_ledger.h"
#include "local_options.h"
#include "reader.h"

/* What channel_keys borrows. */
struct local_keys {
    bool has_card;
    struct card_keys given, card; /* as read; of this card (derived) */
    struct pk *host, *peer;
    struct writer chain[CERTIFICATES_MAX];
    struct view certificates[CERTIFICATES_MAX];
};

/* What the card confirms, with --receipt-key (local_token.c). */
struct receipts {
    struct pk *key;             /* NULL: nothing is asked */
    struct writer command;      /* the data of a command, out of its pieces */
    struct aid package, domain; /* of the last INSTALL [for load] */
    size_t count;               /* verified so far */
    uint16_t counter;           /* of the last one */
};

struct local {
    struct cli cli; /* with the options of the file */
    struct writer options_text;
    struct local_options o;
    struct crypto *crypto;
    struct card_reader reader;
    struct identity card, domain; /* what the card manager says, and the domain that was asked for */
    struct ledger ledger;
    struct local_keys keys;
    struct channel *channel;
    bool hold_authentication; /* EXTERNAL AUTHENTICATE is not sent: it goes into a script, behind opening, and
                                 the channel is the next one that the card will open */
    struct channel_opening opening;
    uint8_t kdd[KDD_LEN], kvn;
    struct registry registry;
    struct writer last_answer; /* plain, to the last command of local_execute */
    json_t *result;
    size_t total, done; /* of local_execute: commands, and those that the card has done */
    bool changed;       /* something on the card was changed */
    bool unproven;      /* an answer came without a response MAC */
    bool bar_open;
    weak_set warned;      /* of these weak choices */
    struct pk *token_key; /* signs tokens (delegated management); NULL: there are none */
    struct receipts receipts;
};

/* Options, reader, identity. Must be ended in any case. */
int local_begin(struct local *l, const struct cli *cli);
/* The same without a card: for verbs that only read files. */
int local_begin_offline(struct local *l, const struct cli *cli);
/* Reader and identity, behind local_begin_offline. */
int local_connect(struct local *l);
/* --dry-run, and no key was named: the card is not opened. */
bool local_dry_without_key(const struct local *l);
/* Card and channel, unless local_dry_without_key. */
int local_ready(struct local *l);
/* Prints the result as words or JSON, and lets everything go. Gives code back. */
int local_end(struct local *l, int code);

/* Says why on standard error and in the result; gives code back. */
int local_fail(struct local *l, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* A sentence beside the result: not with --quiet or --json. */
void local_note(const struct local *l, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A set of weak choices: refused unless --allow-weak names them all, and then warned of. */
int local_check_weak(struct local *l, weak_set weak);

/* Opens the secure channel (local_channel.c). */
int local_open(struct local *l);
/* Whether a key was named, so that a channel can be opened without asking. */
bool local_has_key(const struct local *l);
/* Selects the domain that the channel will be opened with, and asks what it announces. */
int local_select_domain(struct local *l);

/* Sends one command, wrapped when the channel is open, and appends the plain answer. *sw is the card's. Fails
 * only when there is no answer that can be believed. */
int local_command(struct local *l, const struct apdu *plain, struct writer *answer, uint16_t *sw);
/* The whole plan in order; stops at the first command that is refused, and says how far it came. With
 * --dry-run it shows what it would send, and sends nothing. */
int local_execute(struct local *l, const struct plan *plan);
/* Whether an instruction changes the card. */
bool local_changes(uint8_t ins);

/* Reads the registry through the channel, page after page. */
int local_read_registry(struct local *l);

/* Largest data of a plain command: of the open channel, or without one of a usual one. */
size_t local_block_size(const struct local *l);

#endif
