/* SPDX-License-Identifier: Apache-2.0
 *
 * Security domains (GPCS 2.3.1 chapter 7): which one a command is for, whose keys open its secure channel,
 * and who stands above whom. */
#ifndef FERRY_CARD_DOMAIN_H
#define FERRY_CARD_DOMAIN_H

#include "card.h"

/* The security domain that is selected on the channel in hand: its AID, empty for the issuer's. Only where
 * card_domain_selected. */
struct view card_domain_of(const struct card *card);
/* Is a security domain selected, the issuer's or another? */
bool card_domain_selected(const struct card *card);
/* Whose keys open its secure channel: its own, or, as long as it has none, those of the nearest security
 * domain above that has some (7.3.1). */
struct view card_channel_domain(const struct card *card);

/* The top of the tree that a domain stands in. */
struct view card_domain_top(const struct card_state *s, struct view domain);
/* May it manage content and take some over: PERSONALIZED, which the issuer's always is (9.3.5)? */
bool card_domain_is_personalized(const struct card_state *s, struct view domain);
/* The security domain that a command names: the issuer's AID gives none. False when there is none such. */
bool card_domain_named(const struct card_state *s, struct view aid, struct card_aid *out);
/* The AID behind a domain: of the issuer's its own. */
struct view card_domain_aid(const struct card_state *s, struct view domain);

/* The security domain that an entry is associated with; empty: the issuer's, also of what is not there. */
struct view card_domain_above(const struct card_state *s, struct view aid);
/* Is the entry aid (or the domain itself) in the tree below this domain? Everything is below the issuer's
 * unless it was extradited to itself. */
bool card_is_below(const struct card_state *s, struct view aid, struct view domain);

/* Appends the contents of template E0: a C0 for each key of the domain. */
void card_put_key_information(const struct card_state *s, struct view domain, struct writer *w);

#endif
