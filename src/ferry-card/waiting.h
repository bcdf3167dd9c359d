/* SPDX-License-Identifier: Apache-2.0
 *
 * How response data gets to the reader (ISO/IEC 7816-3 12.2.1, 7816-4 5.3.4): at once, or announced by 61xx
 * or 6Cxx and kept until it is fetched by GET RESPONSE or by the command again. One response waits at a time,
 * on the logical channel of its command. */
#ifndef FERRY_CARD_WAITING_H
#define FERRY_CARD_WAITING_H

#include "card.h"

/* Forgets what waits. */
void waiting_end(struct card *card);
/* At most ne bytes of what waits, then 61xx for the rest or the status word. */
uint16_t waiting_fetch(struct card *card, size_t ne, struct writer *out);
uint16_t waiting_get_response(struct card *card, const struct apdu *a, struct writer *out);
/* Is this the command that was answered 6Cxx, with the Le that it was told? It is not executed again. */
bool waiting_repeats(const struct card *card, const struct apdu *a);
/* Data and status word of a command that was executed, as far as the protocol lets them out. */
uint16_t waiting_deliver(struct card *card, const struct apdu *a, struct view data, uint16_t sw,
                         struct writer *out);

#endif
