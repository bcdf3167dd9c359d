/* SPDX-License-Identifier: Apache-2.0
 *
 * The client's relay in front of a card that answers by a transcript. Compiled apart: client and virtual card
 * have headers of the same name. */
#ifndef VECTORS_RELAYED_H
#define VECTORS_RELAYED_H

#include <base/bytes.h>

/* lines: command, answer, command, answer, ...; the first command is relayed. True when the client sent
 * exactly these commands; then the answer that it gives is in answer. */
bool relay_transcript(const struct view *lines, size_t count, uint8_t *answer, size_t max, size_t *len);

#endif
