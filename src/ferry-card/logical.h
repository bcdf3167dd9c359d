/* SPDX-License-Identifier: Apache-2.0
 *
 * Logical channels (GPCS 2.3.1 6.4, 11.7; ISO/IEC 7816-4 5.4): the basic one, which is always open, and three
 * more, each with a selection and a secure channel session of its own. */
#ifndef FERRY_CARD_LOGICAL_H
#define FERRY_CARD_LOGICAL_H

#include "card.h"

/* The number in a class byte of the first interindustry coding (GPCS 2.3.1 table 11-11). */
uint8_t logical_number(uint8_t cla);
/* Makes the channel of a command the one in hand. False when it is not open, or is none of this card's. */
bool logical_enter(struct card *card, uint8_t cla);
/* Ends everything on all channels and closes all but the basic one, which is then in hand and has this
 * application selected. */
void logical_reset(struct card *card, struct card_aid selected);
/* Ends what there is on the channel in hand; a supplementary one is closed and the basic one is in hand. */
void logical_close(struct card *card);

card_handler cmd_manage_channel;

#endif
