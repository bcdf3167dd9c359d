/* SPDX-License-Identifier: Apache-2.0
 *
 * SET STATUS (GPCS 2.3.1 11.10, 5.1, 5.3, 9.6): life cycles of the card, of security domains and of
 * applications. What the tables don't say is refused. */
#include <string.h>

#include "domain.h"
#include "privilege.h"

enum { TYPE_CARD = 0x80, TYPE_ONE = 0x40, TYPE_TREE = 0x60, TYPE_MASK = 0xE0 };

/* ---- the card ---- */

/* Figure 5-1, and the privilege that the transition needs (9.6.3, 9.6.4); the first two are the issuer's
 * alone. */
static const struct {
    uint8_t from, to;
    bool issuer;
    enum privilege needs;
} card_rows[] = {
    {LIFE_OP_READY, LIFE_INITIALIZED, true, MAY_BE_DOMAIN},
    {LIFE_INITIALIZED, LIFE_SECURED, true, MAY_BE_DOMAIN},
    {LIFE_SECURED, LIFE_CARD_LOCKED, false, MAY_LOCK_CARD},
    {LIFE_CARD_LOCKED, LIFE_SECURED, false, MAY_LOCK_CARD},
    {LIFE_OP_READY, LIFE_TERMINATED, false, MAY_TERMINATE_CARD},
    {LIFE_INITIALIZED, LIFE_TERMINATED, false, MAY_TERMINATE_CARD},
    {LIFE_SECURED, LIFE_TERMINATED, false, MAY_TERMINATE_CARD},
    {LIFE_CARD_LOCKED, LIFE_TERMINATED, false, MAY_TERMINATE_CARD},
};
enum { CARD_ROWS = sizeof card_rows / sizeof card_rows[0] };

static bool is_card_life(uint8_t life)
{
    for (size_t i = 0; i < CARD_ROWS; i++) {
        if (card_rows[i].to == life || card_rows[i].from == life)
            return true;
    }
    return false;
}

static uint16_t set_card(struct card *card, uint8_t to)
{
    if (!is_card_life(to))
        return SW_WRONG_DATA;
    for (size_t i = 0; i < CARD_ROWS; i++) {
        if (card_rows[i].from != card->state.life || card_rows[i].to != to)
            continue;
        if (card_rows[i].issuer ? !card_isd_selected(card) : !card_may(card, card_rows[i].needs))
            return SW_CONDITIONS;
        uint8_t memory[4];
        struct writer w;
        wr_fixed(&w, memory, sizeof memory);
        card_put_life(&w, to);
        return card_commit(card, &w, true);
    }
    return SW_CONDITIONS;
}

/* ---- applications and security domains ---- */

static uint16_t put_life(const struct card_application *app, uint8_t life, struct writer *w)
{
    card_put_application_life(w, card_aid_view(&app->aid), life, app->privileges);
    return SW_OK;
}

/* Figure 5-3: a security domain itself becomes PERSONALIZED, or locks itself; it never unlocks itself
 * (9.6.2). */
static uint16_t set_own(const struct card_application *app, uint8_t to, struct writer *w)
{
    if (to == STATE_PERSONALIZED && app->life == STATE_SELECTABLE)
        return put_life(app, to, w);
    if ((to & STATE_LOCKED_BIT) && !(app->life & STATE_LOCKED_BIT))
        return put_life(app, app->life | STATE_LOCKED_BIT, w);
    return SW_CONDITIONS;
}

/* Locked and back: only the top bit of the new state counts; the current state is refused (11.10.2.2), and
 * the application that is left when the card is locked is never locked itself (9.6.2). */
static uint16_t set_other(const struct card_application *app, uint8_t to, struct writer *w)
{
    if ((app->life & STATE_LOCKED_BIT) == (to & STATE_LOCKED_BIT) ||
        card_privilege_set(app->privileges, MAY_FINAL))
        return SW_CONDITIONS;
    return put_life(app, app->life ^ STATE_LOCKED_BIT, w);
}

static bool in_reach(const struct card *card, struct view aid)
{
    return card_may(card, MAY_GLOBAL_LOCK) || card_is_below(&card->state, aid, card_domain_of(card));
}

static uint16_t set_one(struct card *card, struct view aid, uint8_t to)
{
    const struct card_application *app = card_find_application(&card->state, aid);
    uint8_t memory[32];
    struct writer w;
    if (app == NULL)
        return SW_REFERENCED_DATA;
    if (!in_reach(card, aid))
        return SW_CONDITIONS;
    wr_fixed(&w, memory, sizeof memory);
    uint16_t sw = card_aid_is(&card->now->selected, aid) ? set_own(app, to, &w) : set_other(app, to, &w);
    return sw == SW_OK ? card_commit(card, &w, true) : sw;
}

/* 11.10.2.1: a security domain and everything below it; what has the state already keeps it. The one that
 * asks does not unlock itself. */
static uint16_t set_tree(struct card *card, struct view top, uint8_t to)
{
    const struct card_state *s = &card->state;
    struct writer w;
    if (top.len == 0 || !card_has_domain(s, top))
        return SW_REFERENCED_DATA;
    if (!in_reach(card, top))
        return SW_CONDITIONS;
    wr_heap(&w, CARD_APPLICATIONS_MAX * 32);
    for (size_t i = 0; i < s->application_count; i++) {
        const struct card_application *a = &s->applications[i];
        bool same = (a->life & STATE_LOCKED_BIT) == (to & STATE_LOCKED_BIT);
        bool own = card_aid_is(&card->now->selected, card_aid_view(&a->aid)) && !(to & STATE_LOCKED_BIT);
        if (card_is_below(s, card_aid_view(&a->aid), top) && !same && !own &&
            !card_privilege_set(a->privileges, MAY_FINAL))
            (void)put_life(a, a->life ^ STATE_LOCKED_BIT, &w);
    }
    uint16_t sw = w.len != 0 ? card_commit(card, &w, true) : SW_OK;
    wr_free(&w);
    return sw;
}

uint16_t cmd_set_status(struct card *card, const struct apdu *a, struct writer *out)
{
    uint8_t type = a->p1 & TYPE_MASK;
    (void)out;
    if (type == TYPE_CARD)
        return set_card(card, a->p2);
    if (type != TYPE_ONE && type != TYPE_TREE)
        return SW_INCORRECT_P1P2;
    if (card->state.life == LIFE_CARD_LOCKED)
        return SW_CONDITIONS;
    return type == TYPE_ONE ? set_one(card, a->data, a->p2) : set_tree(card, a->data, a->p2);
}
