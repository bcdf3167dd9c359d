/* SPDX-License-Identifier: Apache-2.0
 *
 * The answer to reset (ISO/IEC 7816-3 8.2; PC/SC part 3 makes one for contactless cards): protocols,
 * historical bytes, and what these say of the card's abilities (ISO/IEC 7816-4 12.1.1). A card that says
 * nothing may still be able. */
#ifndef APDU_ATR_H
#define APDU_ATR_H

#include <base/bytes.h>
#include <base/limits.h>

struct atr {
    uint8_t protocols[ATR_PROTOCOLS_MAX]; /* T as the TD bytes tell them, 0 alone when there is none */
    size_t protocol_count;
    struct view historical; /* borrowed */
    bool has_check, check_good;
    bool tells_abilities; /* the historical bytes have card capabilities with all three bytes */
    bool command_chaining, extended_length;
    uint8_t logical_channels; /* besides the basic one; 0: not told, or none */
};
/* ERR_FORMAT, and nothing is written. */
enum err atr_parse(struct view v, struct atr *out) MUST_USE;

#endif
