/* SPDX-License-Identifier: Apache-2.0
 *
 * Command and response APDUs (ISO/IEC 7816-3 12.1, 7816-4 5.3): cases 1 to 4, short and extended. */
#ifndef APDU_APDU_H
#define APDU_APDU_H

#include <base/bytes.h>
#include <base/limits.h>

struct apdu {
    uint8_t cla, ins, p1, p2;
    struct view data;
    uint32_t ne; /* how many bytes are wanted: 0 none (no Le), 1 to 65,536; 256 is Le 00, 65,536 is Le 0000 */
    bool extended; /* Lc and Le in extended form, also where short would do */
};

struct rapdu {
    struct view data;
    uint16_t sw;
};

/* Parses exactly one command APDU. ERR_FORMAT otherwise. The data view borrows from v. */
enum err apdu_parse(struct view v, struct apdu *out) MUST_USE;
/* Appends the encoding; extended when asked, or when data.len > 255 or ne > 256. The writer turns bad when
 * data.len > 65,535. */
void apdu_put(struct writer *w, const struct apdu *a);
size_t apdu_len(const struct apdu *a);
/* Needs extended length. */
bool apdu_is_extended(const struct apdu *a);

/* Parses a response: at least two bytes. */
enum err rapdu_parse(struct view v, struct rapdu *out) MUST_USE;
void rapdu_put(struct writer *w, const struct rapdu *r);

/* Status words that more than one place must know (ISO/IEC 7816-4 table 5, GPCS 2.3.1 11.1.3). */
enum {
    SW_OK = 0x9000,
    SW_MORE_DATA = 0x6310,
    SW_WARNING_UNCHANGED = 0x6200,
    SW_CARD_LOCKED_FCI = 0x6283,
    SW_AUTH_FAILED = 0x6300,
    SW_NO_DIAGNOSIS = 0x6400,
    SW_MEMORY = 0x6581,
    SW_WRONG_LENGTH = 0x6700,
    SW_CHANNEL_UNSUPPORTED = 0x6881,
    SW_SM_UNSUPPORTED = 0x6882,
    SW_LAST_COMMAND_EXPECTED = 0x6883,
    SW_CHAINING_UNSUPPORTED = 0x6884,
    SW_SECURITY_STATUS = 0x6982,
    SW_AUTH_BLOCKED = 0x6983,
    SW_DATA_INVALID = 0x6984,
    SW_CONDITIONS = 0x6985,
    SW_SM_INCORRECT = 0x6988,
    SW_WRONG_DATA = 0x6A80,
    SW_FUNCTION_UNSUPPORTED = 0x6A81,
    SW_FILE_NOT_FOUND = 0x6A82,
    SW_NOT_ENOUGH_MEMORY = 0x6A84,
    SW_INCORRECT_P1P2 = 0x6A86,
    SW_REFERENCED_DATA = 0x6A88,
    SW_INS = 0x6D00,
    SW_CLA = 0x6E00
};

/* GPCS 2.3.1 and ISO words for a status word, e.g. "not enough memory space"; never NULL. For people, not for
 * decisions. */
const char *sw_text(uint16_t sw);
/* True for 9000, 61xx, 62xx, 63xx. */
bool sw_is_ok_or_warning(uint16_t sw);

#endif
