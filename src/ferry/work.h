/* SPDX-License-Identifier: Apache-2.0
 *
 * What run, watch and open have in common: a ticket, a connection, a card in a reader, and the report of what
 * happens. */
#ifndef FERRY_WORK_H
#define FERRY_WORK_H

#include "cli.h"
#include "exchange.h"
#include "profile.h"
#include "progress.h"

struct work {
    struct profile profile;
    struct ticket ticket;
    struct remote *remote;
    struct progress *progress;
    struct card_reader reader;
    struct report report;
    const char *agreed_card; /* the number that the user was shown; NULL or "": any card will do */
};

/* Reports go to standard output, as the options say. */
void work_init(struct work *w, const struct cli *cli);
/* Reads the profile, and the ticket from the first argument; "-": from standard input, where no list of
 * processes shows it. Opens no connection. On failure *end says why. */
bool work_ticket(struct work *w, const struct cli *cli, struct run_end *end);
/* Makes ready what speaks with the server. On failure *end says why. */
bool work_connect(struct work *w, struct run_end *end);
/* Waits so long for a card, and runs the order on it; spec: as of reader_open. *end says how that ended. */
void work_card(struct work *w, const char *spec, int wait_ms, struct run_end *end);
/* Also of one that was only begun. */
void work_finish(struct work *w);

#endif
