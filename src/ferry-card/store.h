/* SPDX-License-Identifier: Apache-2.0
 *
 * What STORE DATA brings to a security domain: data objects and keys (GPCS 2.3.1 11.11.2.3, 11.11.4). */
#ifndef FERRY_CARD_STORE_H
#define FERRY_CARD_STORE_H

#include "domain.h"

/* Takes the structures that are complete off the front of all; *used says how many bytes they are. structure:
 * bits 5 and 4 of P1. Appends what is to be made durable; nothing has happened before. 6A80, 6A84, 6982 for
 * a wrong check value. */
uint16_t store_structures(struct card *card, uint8_t structure, bool encrypted, struct view all, size_t *used,
                          struct writer *records) MUST_USE;

#endif
