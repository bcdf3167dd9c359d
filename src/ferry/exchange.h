/* SPDX-License-Identifier: Apache-2.0
 *
 * One dialogue with a server, profile A (docs/protocol.md): POST, relay what comes, POST the answers, until
 * the server says that it is finished. */
#ifndef FERRY_EXCHANGE_H
#define FERRY_EXCHANGE_H

#include "reader.h"
#include "remote.h"
#include "report.h"
#include "ticket.h"

/* Runs the order behind the ticket on the card. *end is always filled: outcome, reason, what it cost, exit
 * code. */
void exchange_run(struct remote *remote, struct card_reader *reader, const struct ticket *ticket,
                  struct report *report, struct run_end *end);
/* Fills a run that ended before the dialogue began. reason: a word; exit_code: of <session/outcome.h>. */
void exchange_refused(struct run_end *end, const char *reason, int exit_code, const char *detail);

#endif
