/* SPDX-License-Identifier: Apache-2.0
 *
 * GET STATUS and SET STATUS (GPCS 2.3.1 11.4, 11.10): the registry, and life cycles. */
#include <string.h>

#include <tlv/tlv.h>

#include "card.h"

/* ---- GET STATUS ---- */

enum { KIND_ISD = 0x80, KIND_APPLICATIONS = 0x40, KIND_PACKAGES = 0x20, KIND_MODULES = 0x10 };
enum { P2_NEXT = 0x01, P2_TLV = 0x02, ENTRY_MAX = 2048 };

/* The card manager has all privileges that a card issuer's needs (6.6.2). */
static const uint8_t isd_privileges[CARD_PRIVILEGES] = {0x9E, 0xFE, 0x80};

/* One entry of the registry, in the order of GET STATUS: the security domain, applications, packages. */
struct entry {
    struct view aid;
    uint8_t life;
    const uint8_t *privileges;          /* NULL: a package */
    const struct card_package *package; /* of a package */
    const struct card_aid *load_file;   /* of an application */
};

static bool entry_at(const struct card *card, uint8_t kinds, size_t n, struct entry *e)
{
    const struct card_state *s = &card->state;
    memset(e, 0, sizeof *e);
    if (n == 0) {
        *e = (struct entry){card_aid_view(&s->profile.isd), s->life, isd_privileges, NULL, NULL};
        return (kinds & KIND_ISD) != 0;
    }
    n--;
    if (n < s->application_count) {
        const struct card_application *a = &s->applications[n];
        *e = (struct entry){card_aid_view(&a->aid), a->life, a->privileges, NULL, &a->package};
        return (kinds & KIND_APPLICATIONS) != 0;
    }
    const struct card_package *p = &s->packages[n - s->application_count];
    *e = (struct entry){card_aid_view(&p->aid), STATE_LOADED, NULL, p, NULL};
    return (kinds & (KIND_PACKAGES | KIND_MODULES)) != 0;
}

static size_t entry_count(const struct card *card)
{
    return 1u + card->state.application_count + card->state.package_count;
}

/* Is the tag asked for? Without a tag list everything is (table 11-36). */
static bool wanted(struct view list, uint32_t tag)
{
    struct reader r;
    if (list.len == 0)
        return true;
    rd_init(&r, list);
    while (rd_left(&r) != 0) {
        uint32_t have = rd_u8(&r);
        if ((have & 0x1F) == 0x1F)
            have = have << 8 | rd_u8(&r);
        if (have == tag)
            return true;
    }
    return false;
}

static void put_wanted(struct writer *w, struct view list, uint32_t tag, struct view value)
{
    if (wanted(list, tag))
        tlv_put(w, tag, value);
}

/* Tables 11-36 and 11-37. */
static void put_tlv(const struct card *card, const struct entry *e, uint8_t kinds, struct view list,
                    struct writer *w)
{
    size_t mark;
    tlv_open(w, 0xE3, &mark);
    put_wanted(w, list, 0x4F, e->aid);
    put_wanted(w, list, 0x9F70, view_of(&e->life, 1));
    if (e->privileges != NULL)
        put_wanted(w, list, 0xC5, view_of(e->privileges, CARD_PRIVILEGES));
    if (e->load_file != NULL)
        put_wanted(w, list, 0xC4, card_aid_view(e->load_file));
    if (e->package != NULL) {
        const uint8_t version[] = {e->package->major, e->package->minor};
        put_wanted(w, list, 0xCE, VIEW_OF(version));
        for (size_t i = 0; (kinds & KIND_MODULES) && i < e->package->module_count; i++)
            put_wanted(w, list, 0x84, card_aid_view(&e->package->modules[i]));
    }
    put_wanted(w, list, 0xCC, card_aid_view(&card->state.profile.isd));
    tlv_close(w, mark);
}

/* The form of GlobalPlatform 2.1.1: AID, life cycle, privileges, and for P1 10 the modules. */
static void put_old(const struct entry *e, uint8_t kinds, struct writer *w)
{
    wr_view8(w, e->aid);
    wr_u8(w, e->life);
    wr_u8(w, e->privileges != NULL ? e->privileges[0] : 0);
    if (e->package == NULL || !(kinds & KIND_MODULES))
        return;
    wr_u8(w, e->package->module_count);
    for (size_t i = 0; i < e->package->module_count; i++)
        wr_view8(w, card_aid_view(&e->package->modules[i]));
}

static void put_entry(const struct card *card, const struct entry *e, const struct apdu *a, struct view list,
                      struct writer *w)
{
    if (a->p2 & P2_TLV)
        put_tlv(card, e, a->p1, list, w);
    else
        put_old(e, a->p1, w);
}

/* As many entries as fit from *at on; *at moves behind the last one. False when there are more. */
static bool list_entries(const struct card *card, const struct apdu *a, struct view aid, struct view list,
                         size_t *at, struct writer *out)
{
    size_t room = card_response_room(card, a);
    uint8_t memory[ENTRY_MAX];
    for (; *at < entry_count(card); (*at)++) {
        struct entry e;
        struct writer w;
        if (!entry_at(card, a->p1, *at, &e) || (*at != 0 && !view_starts(e.aid, aid)))
            continue;
        wr_fixed(&w, memory, sizeof memory);
        put_entry(card, &e, a, list, &w);
        if (!wr_ok(&w))
            wr_fail(out);
        if (out->len + w.len > room && out->len != 0)
            return false;
        wr_view(out, wr_view_of(&w));
    }
    return true;
}

uint16_t cmd_get_status(struct card *card, const struct apdu *a, struct writer *out)
{
    struct view aid, list = VIEW_NULL;
    struct listing *l = &card->now->listing;
    bool next = (a->p2 & P2_NEXT) != 0;
    if ((a->p1 & 0xF0) == 0 || (a->p1 & 0x0F) != 0)
        return SW_INCORRECT_P1P2;
    /* 11.4.2.2: next occurrence needs a first one, and there is only one security domain. */
    if (next && (!l->active || l->p1 != a->p1 || a->p1 == KIND_ISD))
        return SW_CONDITIONS;
    if (!tlv_valid(a->data) || !tlv_find(a->data, 0x4F, &aid) || aid.len > AID_MAX)
        return SW_WRONG_DATA;
    (void)tlv_find(a->data, 0x5C, &list);
    size_t at = next ? l->next : 0;
    bool all = list_entries(card, a, aid, list, &at, out);
    *l = (struct listing){.active = !all, .p1 = a->p1, .next = at};
    if (out->len == 0)
        return SW_REFERENCED_DATA;
    return all ? SW_OK : SW_MORE_DATA;
}

/* ---- SET STATUS ---- */

/* GPCS 2.3.1 figure 5-1. */
static const struct {
    uint8_t from, to;
} card_transitions[] = {{LIFE_OP_READY, LIFE_INITIALIZED}, {LIFE_INITIALIZED, LIFE_SECURED},
                        {LIFE_SECURED, LIFE_CARD_LOCKED},  {LIFE_CARD_LOCKED, LIFE_SECURED},
                        {LIFE_OP_READY, LIFE_TERMINATED},  {LIFE_INITIALIZED, LIFE_TERMINATED},
                        {LIFE_SECURED, LIFE_TERMINATED},   {LIFE_CARD_LOCKED, LIFE_TERMINATED}};

static bool is_card_life(uint8_t life)
{
    for (size_t i = 0; i < sizeof card_transitions / sizeof card_transitions[0]; i++) {
        if (card_transitions[i].to == life || card_transitions[i].from == life)
            return true;
    }
    return false;
}

static uint16_t set_card(struct card *card, uint8_t to)
{
    if (!is_card_life(to))
        return SW_WRONG_DATA;
    for (size_t i = 0; i < sizeof card_transitions / sizeof card_transitions[0]; i++) {
        if (card_transitions[i].from != card->state.life || card_transitions[i].to != to)
            continue;
        uint8_t memory[4];
        struct writer w;
        wr_fixed(&w, memory, sizeof memory);
        card_put_life(&w, to);
        return card_commit(card, &w, true);
    }
    return SW_CONDITIONS;
}

/* Locked and back: only the top bit of the new state counts; the current state is refused (11.10.2.2). */
static uint16_t set_application(struct card *card, struct view aid, uint8_t to)
{
    const struct card_application *app = card_find_application(&card->state, aid);
    if (app == NULL)
        return SW_REFERENCED_DATA;
    if ((app->life & STATE_LOCKED_BIT) == (to & STATE_LOCKED_BIT))
        return SW_CONDITIONS;
    uint8_t memory[32];
    struct writer w;
    wr_fixed(&w, memory, sizeof memory);
    card_put_application_life(&w, aid, app->life ^ STATE_LOCKED_BIT, app->privileges);
    return card_commit(card, &w, true);
}

uint16_t cmd_set_status(struct card *card, const struct apdu *a, struct writer *out)
{
    (void)out;
    switch (a->p1 & 0xE0) {
    case 0x80:
        return set_card(card, a->p2);
    case 0x40:
        if (card->state.life == LIFE_CARD_LOCKED)
            return SW_CONDITIONS;
        return set_application(card, a->data, a->p2);
    default:
        return SW_INCORRECT_P1P2;
    }
}
