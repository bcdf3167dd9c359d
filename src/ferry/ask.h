/* SPDX-License-Identifier: Apache-2.0
 *
 * An order that is only run when the user has agreed to it: to the server, the card and the operation. */
#ifndef FERRY_ASK_H
#define FERRY_ASK_H

#include "work.h"

/* Asks, with the ticket read and no connection opened yet; then runs the order, for which a card is waited
 * for so long. *end says how that ended: also with "declined", which the page may know, and "nobody-to-ask".
 */
void ask_and_run(struct work *w, const char *reader, int wait_ms, struct run_end *end);

#endif
