/* SPDX-License-Identifier: Apache-2.0
 *
 * The list. */
#include <gp/quirk.h>

#include <string.h>

static const struct {
    const char *name, *text;
} rows[QUIRK_COUNT] = {
    [QUIRK_EXTENDED_LENGTH] = {"extended-length",
                               "takes commands of extended length, although its ATR does not say so"},
    [QUIRK_SHORT_ONLY] = {"short-only", "takes no commands of extended length, whatever its ATR says"},
    [QUIRK_PSO_P1_CHAIN] =
        {"pso-p1-chain",
         "wants bit 8 of P1 in all but the last part of a certificate (PERFORM SECURITY OPERATION)"},
    [QUIRK_OLD_LISTING] = {"old-listing",
                           "lists its contents only in the form of before GlobalPlatform 2.1.1"},
    [QUIRK_MAC_EACH_PART] =
        {"mac-each-part",
         "wants a MAC behind each part of an INSTALL, DELETE or PUT KEY that is too long for one"},
    [QUIRK_CPLC_CLASS_00] = {"cplc-class-00", "tells its CPLC data only in the interindustry class"},
};

const char *quirk_name(enum quirk q)
{
    return (unsigned)q < QUIRK_COUNT ? rows[q].name : "unknown";
}

const char *quirk_text(enum quirk q)
{
    return (unsigned)q < QUIRK_COUNT ? rows[q].text : "unknown";
}

enum err quirk_by_name(const char *name, enum quirk *out)
{
    for (unsigned q = 0; q < QUIRK_COUNT; q++) {
        if (strcmp(rows[q].name, name) == 0) {
            *out = (enum quirk)q;
            return OK;
        }
    }
    return ERR_NOT_FOUND;
}

bool quirk_in(quirk_set set, enum quirk q)
{
    return (set >> (unsigned)q & 1U) != 0;
}
