/* SPDX-License-Identifier: Apache-2.0
 *
 * Privileges: a table of them with the rules for giving each. */
#include "privilege.h"

#include <string.h>

#define NOBODY PRIVILEGE_COUNT

/* issuer: the issuer security domain has it from the start (6.6.2). needs: one that must be there, too;
 * excludes: one that must not (6.6.1 and 6.6.2). alone: only one application has it at a time, and the issuer
 * security domain when none has. */
static const struct row {
    const char *name;
    bool issuer, alone;
    enum privilege needs, excludes;
} rows[PRIVILEGE_COUNT] = {
    [MAY_BE_DOMAIN] = {"security domain", true, false, NOBODY, NOBODY},
    [MAY_VERIFY_DAP] = {"DAP verification", false, false, MAY_BE_DOMAIN, NOBODY},
    [MAY_DELEGATED] = {"delegated management", false, false, MAY_BE_DOMAIN, MAY_AUTHORIZED},
    [MAY_LOCK_CARD] = {"card lock", true, false, NOBODY, NOBODY},
    [MAY_TERMINATE_CARD] = {"card terminate", true, false, NOBODY, NOBODY},
    [MAY_RESET] = {"card reset", true, true, NOBODY, NOBODY},
    [MAY_CVM] = {"CVM management", true, false, NOBODY, NOBODY},
    [MAY_MANDATED_DAP] = {"mandated DAP verification", false, false, MAY_VERIFY_DAP, NOBODY},
    [MAY_TRUSTED_PATH] = {"trusted path", true, false, NOBODY, NOBODY},
    [MAY_AUTHORIZED] = {"authorized management", true, false, MAY_BE_DOMAIN, MAY_DELEGATED},
    [MAY_VERIFY_TOKENS] = {"token verification", true, false, MAY_BE_DOMAIN, MAY_DELEGATED},
    [MAY_GLOBAL_DELETE] = {"global delete", true, false, NOBODY, NOBODY},
    [MAY_GLOBAL_LOCK] = {"global lock", true, false, NOBODY, NOBODY},
    [MAY_GLOBAL_REGISTRY] = {"global registry", true, false, NOBODY, NOBODY},
    [MAY_FINAL] = {"final application", true, true, NOBODY, NOBODY},
    [MAY_GLOBAL_SERVICE] = {"global service", false, false, NOBODY, NOBODY},
    [MAY_MAKE_RECEIPTS] = {"receipt generation", true, false, MAY_BE_DOMAIN, MAY_DELEGATED},
    [MAY_CIPHERED_LOAD] = {"ciphered load file data block", false, false, MAY_BE_DOMAIN, NOBODY},
    [MAY_CONTACTLESS] = {"contactless activation", false, false, NOBODY, NOBODY},
    [MAY_CONTACTLESS_SELF] = {"contactless self-activation", false, false, NOBODY, NOBODY},
};

const char *card_privilege_name(enum privilege p)
{
    return rows[p].name;
}

bool card_privilege_set(const uint8_t privileges[CARD_PRIVILEGES], enum privilege p)
{
    return (privileges[p / 8] & 0x80u >> p % 8) != 0;
}

static void give(uint8_t privileges[CARD_PRIVILEGES], enum privilege p)
{
    privileges[p / 8] |= (uint8_t)(0x80u >> p % 8);
}

/* Has an application other than but this privilege? */
static bool somebody_has(const struct card_state *s, struct view but, enum privilege p)
{
    for (size_t i = 0; i < s->application_count; i++) {
        const struct card_application *a = &s->applications[i];
        if (!card_aid_is(&a->aid, but) && card_privilege_set(a->privileges, p))
            return true;
    }
    return false;
}

void card_privileges_of(const struct card_state *s, struct view aid, uint8_t out[CARD_PRIVILEGES])
{
    memset(out, 0, CARD_PRIVILEGES);
    for (enum privilege p = 0; aid.len == 0 && p < PRIVILEGE_COUNT; p++) {
        if (rows[p].issuer && !(rows[p].alone && somebody_has(s, VIEW_NULL, p)))
            give(out, p);
    }
    for (size_t i = 0; i < s->application_count; i++) {
        if (card_aid_is(&s->applications[i].aid, aid))
            memcpy(out, s->applications[i].privileges, CARD_PRIVILEGES);
    }
}

bool card_may(const struct card *card, enum privilege p)
{
    uint8_t have[CARD_PRIVILEGES];
    card_privileges_of(&card->state, card_aid_view(&card->now->selected), have);
    return card_privilege_set(have, p);
}

bool card_privileges_read(struct view field, uint8_t out[CARD_PRIVILEGES])
{
    uint8_t got[CARD_PRIVILEGES] = {0};
    struct reader r;
    rd_init(&r, field);
    for (size_t n = 0; n < field.len && n < CARD_PRIVILEGES; n++)
        got[n] = rd_u8(&r);
    if (!rd_done(&r) || (field.len != 1 && field.len != CARD_PRIVILEGES) || (got[2] & 0x0F) != 0)
        return false;
    if (field.len == 1 && card_privilege_set(got, MAY_BE_DOMAIN))
        give(got, MAY_TRUSTED_PATH);
    memcpy(out, got, CARD_PRIVILEGES);
    return true;
}

uint16_t card_privileges_check(const struct card_state *s, struct view aid,
                               const uint8_t privileges[CARD_PRIVILEGES])
{
    for (enum privilege p = 0; p < PRIVILEGE_COUNT; p++) {
        const struct row *row = &rows[p];
        if (!card_privilege_set(privileges, p))
            continue;
        if (row->needs != NOBODY && !card_privilege_set(privileges, row->needs))
            return SW_WRONG_DATA;
        if (row->excludes != NOBODY && card_privilege_set(privileges, row->excludes))
            return SW_WRONG_DATA;
        if (row->alone && somebody_has(s, aid, p))
            return SW_CONDITIONS;
    }
    return SW_OK;
}
