/* SPDX-License-Identifier: Apache-2.0
 *
 * Privileges (GPCS 2.3.1 6.6): which there are, who has which, and which may be given. */
#ifndef FERRY_CARD_PRIVILEGE_H
#define FERRY_CARD_PRIVILEGE_H

#include "card.h"

/* Numbers of table 6-1: privilege n is bit 7 - n % 8 of byte n / 8 (tables 11-7 to 11-9). */
enum privilege {
    MAY_BE_DOMAIN,
    MAY_VERIFY_DAP,
    MAY_DELEGATED,
    MAY_LOCK_CARD,
    MAY_TERMINATE_CARD,
    MAY_RESET,
    MAY_CVM,
    MAY_MANDATED_DAP,
    MAY_TRUSTED_PATH,
    MAY_AUTHORIZED,
    MAY_VERIFY_TOKENS,
    MAY_GLOBAL_DELETE,
    MAY_GLOBAL_LOCK,
    MAY_GLOBAL_REGISTRY,
    MAY_FINAL,
    MAY_GLOBAL_SERVICE,
    MAY_MAKE_RECEIPTS,
    MAY_CIPHERED_LOAD,
    MAY_CONTACTLESS,
    MAY_CONTACTLESS_SELF,
    PRIVILEGE_COUNT
};

/* In words, for people. */
const char *card_privilege_name(enum privilege p);
bool card_privilege_set(const uint8_t privileges[CARD_PRIVILEGES], enum privilege p);
/* Of an application or a domain; empty: the issuer security domain, which has all that card issuers need and
 * no application has instead of it (6.6.2). Nothing for what is not there. */
void card_privileges_of(const struct card_state *s, struct view aid, uint8_t out[CARD_PRIVILEGES]);
/* Has the selected security domain this privilege? */
bool card_may(const struct card *card, enum privilege p);

/* The field of INSTALL, 1 or 3 bytes (table 6-2 says what one byte means of the others). False for other
 * lengths and for bits that are for future use. */
bool card_privileges_read(struct view field, uint8_t out[CARD_PRIVILEGES]);
/* May the application aid have these (6.6.1, 6.6.2)? 9000; 6A80 when they don't go together; 6985 when
 * another application has one that only one may have. */
uint16_t card_privileges_check(const struct card_state *s, struct view aid,
                               const uint8_t privileges[CARD_PRIVILEGES]) MUST_USE;

#endif
