/* SPDX-License-Identifier: Apache-2.0
 *
 * What the commands of content management share: INSTALL, LOAD and DELETE. */
#ifndef FERRY_CARD_CONTENT_H
#define FERRY_CARD_CONTENT_H

#include "domain.h"
#include "privilege.h"

/* P1 of INSTALL (table 11-41) and P2 (11.5.2.2). */
enum {
    INSTALL_LOAD = 0x02,
    INSTALL_INSTALL = 0x04,
    INSTALL_SELECTABLE = 0x08,
    INSTALL_EXTRADITE = 0x10,
    INSTALL_PERSONALIZE = 0x20,
    INSTALL_REGISTRY = 0x40,
    INSTALL_COMBINED = INSTALL_LOAD | INSTALL_INSTALL | INSTALL_SELECTABLE,
    COMBINED_BEGINS = 0x01,
    COMBINED_ENDS = 0x03
};
enum { MORE_COMMANDS = 0x80, NO_DATA = 0x00 };

/* One form of INSTALL. */
card_handler install_form_load, install_form_install, install_form_selectable, install_form_extradition,
    install_form_registry_update, install_form_personalization, install_form_combined_begins,
    install_form_combined_ends;

/* A field of INSTALL that is the AID of something: 5 to 16 bytes. */
bool content_is_aid(struct view v);
/* Is the AID that of the card manager, a package or an application? */
bool content_aid_is_taken(struct card *card, struct view aid);
/* A memory quota of 2 or 4 bytes in the system parameters; 0 when it is absent, UINT32_MAX when malformed. */
uint32_t content_quota(struct view parameters, uint32_t tag);
bool content_fits(const struct card *card, uint64_t bytes);
/* Token and what stands before it, from a reader of whole that has come to the token. False when it is
 * malformed or something follows. */
bool content_read_token(struct view whole, struct reader *r, struct token_command *t);

/* Tables 11-43 and 11-44. */
struct install_fields {
    struct view package, module, aid, privileges, parameters;
    struct token_command token;
};
bool install_read(struct view data, struct install_fields *f);
/* The checks of INSTALL [for install] that the code itself does not need (9.3.6), and the new application.
 * package: NULL for code that the card has from the start. */
uint16_t install_make(struct card *card, const struct install_fields *f, bool selectable,
                      const struct card_package *package, struct card_application *out) MUST_USE;

/* Ends the combined process: the load file that has come is checked and becomes a package record. Then the
 * state of loading is to be ended by the caller. */
uint16_t load_take_package(struct card *card, struct card_package *out) MUST_USE;

#endif
