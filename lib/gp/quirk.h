/* SPDX-License-Identifier: Apache-2.0
 *
 * Ways of cards of the field that a host has to know before it speaks to them, as data: a card type names
 * them, and whoever makes the command in question asks for them. What can be seen from an answer is no quirk:
 * that is read as it comes. */
#ifndef GP_QUIRK_H
#define GP_QUIRK_H

#include <base/bytes.h>

enum quirk {
    QUIRK_EXTENDED_LENGTH, /* has extended length, and does not say so in its ATR */
    QUIRK_SHORT_ONLY,      /* says that it has extended length, and it, or its reader, has not */
    QUIRK_PSO_P1_CHAIN,    /* SCP11: bit 8 of P1 in all but the last part of a certificate */
    QUIRK_OLD_LISTING,     /* GET STATUS in the form of before 2.1.1 only */
    QUIRK_CPLC_CLASS_00,   /* GET DATA 9F7F in the interindustry class only */
    QUIRK_MAC_EACH_PART,   /* INSTALL, DELETE and PUT KEY in parts: each part has a MAC of its own */
    QUIRK_COUNT
};

/* A set: bit 1 << quirk. */
typedef unsigned quirk_set;

/* "extended-length", ...; and a sentence without a full stop. */
const char *quirk_name(enum quirk q);
const char *quirk_text(enum quirk q);
/* ERR_NOT_FOUND. */
enum err quirk_by_name(const char *name, enum quirk *out) MUST_USE;
bool quirk_in(quirk_set set, enum quirk q);

#endif
