/* SPDX-License-Identifier: Apache-2.0
 *
 * The names of quirks, with the cards that were seen to have them. */
#include "quirks.h"

#include <string.h>

static const struct card_quirk_row rows[] = {
    {QUIRK_NO_LEVEL_00, "no-level-00", "EXTERNAL AUTHENTICATE with level 00 is answered 6985 (UICCs)"},
    {QUIRK_AUTHENTICATE_WITHOUT_LE, "authenticate-without-le",
     "EXTERNAL AUTHENTICATE with Le is answered 6D00 (T=0 cards)"},
    {QUIRK_LE_DEMANDED, "le-demanded", "a command of a secure channel without Le is answered 6700"},
    {QUIRK_DOUBLED_TAGS, "doubled-tags",
     "GET DATA puts 00, tag and length in front of the whole object once more (one Chinese COS)"},
    {QUIRK_UNKNOWN_KVN_6985, "unknown-kvn-6985",
     "INITIALIZE UPDATE with an unknown key version is answered 6985, not 6A88"},
    {QUIRK_NO_CPLC, "no-cplc", "no production life cycle data: 80CA9F7F is answered 6A88, 00CA9F7F 6E00"},
    {QUIRK_NO_GET_DATA, "no-get-data", "GET DATA is answered 6985 (contactless JCOP)"},
    {QUIRK_MINIMAL_FCI, "minimal-fci", "the FCI has only 73 with the OID of GlobalPlatform (YubiKey 5.7)"},
    {QUIRK_BLOCK_0100, "block-0100", "9F65 of the FCI is 0100"},
    {QUIRK_SELECT_6D00, "select-6d00",
     "SELECT without AID is answered 6D00 (another application is the default one)"},
    {QUIRK_FIRST_SELECT_6985, "first-select-6985",
     "the first SELECT after a reset is answered 6985, the next one works"},
    {QUIRK_FIXED_CHALLENGE, "fixed-challenge",
     "i says that card challenges are pseudo-random, but they are always the same (Samsung eSE)"},
    {QUIRK_PSEUDO_RANDOM_ALWAYS, "pseudo-random-always",
     "SCP02 challenges are pseudo-random, whatever i says (JCOP, Oberthur)"},
    {QUIRK_OLD_STATUS, "old-status", "GET STATUS with P2 02 is answered 6A86 (Open Platform 2.0.1)"},
    {QUIRK_EXACT_GET_RESPONSE, "exact-get-response",
     "GET RESPONSE with more Le than there is to fetch is answered 6985"},
    {QUIRK_MAC_EACH_PART, "mac-each-part",
     "each part of an INSTALL, DELETE or PUT KEY has its own C-MAC, as before GPCS 2.3"},
    {QUIRK_NO_CONFIRMATION, "no-confirmation", "INSTALL, LOAD and DELETE answer 9000 without the byte 00"},
    {QUIRK_SCP80_OID, "scp80-oid", "the card data lists SCP80 as well, its bytes raw in the OID (UICCs)"},
    {QUIRK_DES_AND_AES_LISTED, "des-and-aes-listed",
     "key information lists each AES key as a Triple-DES key, too (Feitian, SCE 6.0)"},
    {QUIRK_TYPE_81, "type-81", "key information gives DES keys as type 81 (Open Platform 2.0.1)"},
};
enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

const struct card_quirk_row *card_quirks(size_t *count)
{
    *count = ROW_COUNT;
    return rows;
}

bool card_quirk_by_name(const char *name, enum card_quirk *out)
{
    for (size_t n = 0; n < ROW_COUNT; n++) {
        if (strcmp(rows[n].name, name) == 0) {
            *out = rows[n].quirk;
            return true;
        }
    }
    return false;
}
