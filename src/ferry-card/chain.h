/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands that come in parts: ISO/IEC 7816-4 5.3.3 (bit 5 of the class) and GPCS 2.3.1 11.1.5.1 (bit 8 of P1
 * of DELETE, INSTALL, PUT KEY). Both are joined before anything else looks at them: security is applied to
 * the command as a whole, so the C-MAC behind the last part covers the header of the last part, Lc of the
 * whole (in three bytes where it exceeds 255) and the data of all, and encryption runs over all. The parts
 * before the last are answered 9000, bare. */
#ifndef FERRY_CARD_CHAIN_H
#define FERRY_CARD_CHAIN_H

#include <apdu/apdu.h>

enum chain_kind { CHAIN_NONE, CHAIN_ISO, CHAIN_GP };

struct chain {
    enum chain_kind kind;
    uint8_t head[4]; /* of the parts, without what says that more come */
    struct writer data;
};

void chain_init(struct chain *c);
void chain_finish(struct chain *c);
/* Forgets what has come so far. */
void chain_end(struct chain *c);

/* Is this a part that others follow? gp: the command knows the bit in P1. */
bool chain_has_more(const struct apdu *a, bool gp);
/* Takes a part, of a chain or of none. 9000 and *complete: *whole is the command, which may borrow from c
 * until chain_end; 9000 and not *complete: more come. Otherwise the chain is over: 6985 (GlobalPlatform) or
 * 6883 (ISO) when the part belongs to another command, 6A86 or 6700 when the whole is too long, 6884 when a
 * part is one of both. */
uint16_t chain_take(struct chain *c, const struct apdu *a, bool gp, struct apdu *whole,
                    bool *complete) MUST_USE;

#endif
