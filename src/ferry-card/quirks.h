/* SPDX-License-Identifier: Apache-2.0
 *
 * What cards in the field do otherwise than the specification, or than most: data of a card's profile, by
 * name, so that a host can be tried against each. A card has none unless it was made with it. */
#ifndef FERRY_CARD_QUIRKS_H
#define FERRY_CARD_QUIRKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum card_quirk {
    QUIRK_NO_LEVEL_00 = 1 << 0,
    QUIRK_AUTHENTICATE_WITHOUT_LE = 1 << 1,
    QUIRK_LE_DEMANDED = 1 << 2,
    QUIRK_DOUBLED_TAGS = 1 << 3,
    QUIRK_UNKNOWN_KVN_6985 = 1 << 4,
    QUIRK_NO_CPLC = 1 << 5,
    QUIRK_NO_GET_DATA = 1 << 6,
    QUIRK_MINIMAL_FCI = 1 << 7,
    QUIRK_BLOCK_0100 = 1 << 8,
    QUIRK_SELECT_6D00 = 1 << 9,
    QUIRK_FIRST_SELECT_6985 = 1 << 10,
    QUIRK_FIXED_CHALLENGE = 1 << 11,
    QUIRK_PSEUDO_RANDOM_ALWAYS = 1 << 12,
    QUIRK_OLD_STATUS = 1 << 13,
    QUIRK_EXACT_GET_RESPONSE = 1 << 14,
    QUIRK_MAC_EACH_PART = 1 << 15,
    QUIRK_NO_CONFIRMATION = 1 << 16,
    QUIRK_SCP80_OID = 1 << 17,
    QUIRK_DES_AND_AES_LISTED = 1 << 18,
    QUIRK_TYPE_81 = 1 << 19,
    QUIRKS_ALL = (1 << 20) - 1
};

struct card_quirk_row {
    enum card_quirk quirk;
    const char *name, *about;
};
const struct card_quirk_row *card_quirks(size_t *count);
/* False when there is none of that name. */
bool card_quirk_by_name(const char *name, enum card_quirk *out);

#endif
