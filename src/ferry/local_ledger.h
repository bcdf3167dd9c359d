/* SPDX-License-Identifier: Apache-2.0
 *
 * How often a secure channel was begun with a card and not brought to its end, kept on this machine: one file
 * for each card, one row for each security domain and key version. A card that was opened with a wrong key
 * too often blocks for good, so counting begins before the card is asked (INITIALIZE UPDATE alone can cost a
 * try), survives a killed program, and stops far from the card's own limit. A reader is held exclusively by
 * one process, so nobody else counts for this card at the same time. */
#ifndef FERRY_LOCAL_LEDGER_H
#define FERRY_LOCAL_LEDGER_H

#include <cap/cap.h>

enum {
    LEDGER_ROWS_MAX = 64,         /* key versions of all domains of one card */
    LEDGER_TEXT_MAX = 8 * 1024,   /* of these rows */
    LEDGER_OPENINGS = 3,          /* unfinished ones, then it stops; cards die at 10 */
    LEDGER_REFUSED_CONTENT = 3,   /* LOADs and INSTALLs refused in a row (GPCS 2.3.1 9.6.7.1) */
    LEDGER_COUNT_MAX = 1000000000 /* nobody gets there */
};

struct ledger_row {
    struct aid domain; /* len 0: the issuer security domain */
    uint8_t kvn;       /* 0: the one that the card chooses */
    unsigned openings; /* begun since the last success */
    unsigned wrong;    /* cryptograms of the card that did not match, since the last success */
    uint8_t scp, i;    /* what the last success was; scp 0: there was none */
};

struct ledger {
    char path[600], card[100];
    struct ledger_row rows[LEDGER_ROWS_MAX];
    size_t count;
    unsigned refused_content;
};

/* The text of a file, without I/O. ERR_FORMAT; ERR_LIMIT on too many rows. Only rows and refused_content of
 * *out are written. */
enum err ledger_parse(struct ledger *out, struct view text) MUST_USE;
void ledger_put(const struct ledger *l, struct writer *out);

/* Opens the file of a card ($XDG_STATE_HOME or ~/.local/state, cardferry/cards); a card without one has an
 * empty ledger. ERR_IO, ERR_NOT_FOUND when there is no place for it, ERR_FORMAT when it is damaged. */
enum err ledger_open(struct ledger *out, const char *card) MUST_USE;
/* Writes it, durably. */
enum err ledger_save(const struct ledger *l) MUST_USE;

/* Whether another opening is allowed: ERR_BLOCKED when not. Key version 0 may mean each of them. *counted is
 * the highest count of unfinished openings that was found. */
enum err ledger_check(const struct ledger *l, const struct aid *domain, uint8_t kvn,
                      unsigned *counted) MUST_USE;
/* The row, made when it is missing; NULL when there is no room. */
struct ledger_row *ledger_row(struct ledger *l, const struct aid *domain, uint8_t kvn);
/* What this key version was last opened with; NULL: nothing is known. */
const struct ledger_row *ledger_pin(const struct ledger *l, const struct aid *domain, uint8_t kvn);
/* A proven success clears what was counted for this key version, and for "the card chooses". */
void ledger_proven(struct ledger *l, const struct aid *domain, uint8_t kvn, uint8_t scp, uint8_t i);
/* All counts to zero. *rows: how many had counted something. */
void ledger_release(struct ledger *l, size_t *rows);

#endif
