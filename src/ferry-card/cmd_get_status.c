/* SPDX-License-Identifier: Apache-2.0
 *
 * GET STATUS (GPCS 2.3.1 11.4): the registry, as far as the selected security domain may see it. */
#include <string.h>

#include <tlv/tlv.h>

#include "domain.h"
#include "privilege.h"

enum { KIND_ISD = 0x80, KIND_APPLICATIONS = 0x40, KIND_PACKAGES = 0x20, KIND_MODULES = 0x10 };
enum { P2_NEXT = 0x01, P2_TLV = 0x02, ENTRY_MAX = 2048 };

/* One entry of the registry, in the order of GET STATUS: the security domain, applications, packages. */
struct entry {
    struct view aid, domain;
    uint8_t life;
    uint8_t privileges[CARD_PRIVILEGES];
    const struct card_package *package; /* NULL: the issuer security domain or an application */
    const struct card_aid *load_file;   /* of an application */
};

static void entry_issuer(const struct card_state *s, struct entry *e)
{
    e->aid = e->domain = card_aid_view(&s->profile.isd);
    e->life = s->life;
    card_privileges_of(s, VIEW_NULL, e->privileges);
}

static void entry_application(const struct card_state *s, const struct card_application *a, struct entry *e)
{
    e->aid = card_aid_view(&a->aid);
    e->domain = card_domain_aid(s, card_aid_view(&a->domain));
    e->life = a->life;
    memcpy(e->privileges, a->privileges, sizeof e->privileges);
    e->load_file = &a->package;
}

static void entry_package(const struct card_state *s, const struct card_package *p, struct entry *e)
{
    e->aid = card_aid_view(&p->aid);
    e->domain = card_domain_aid(s, card_aid_view(&p->domain));
    e->life = STATE_LOADED;
    e->package = p;
}

/* Is the entry in the tree of the one that asks, or may it see all (11.4.2.3)? */
static bool may_see(const struct card *card, struct view aid)
{
    return card_may(card, MAY_GLOBAL_REGISTRY) || card_is_below(&card->state, aid, card_domain_of(card));
}

static bool entry_at(const struct card *card, uint8_t kinds, size_t n, struct entry *e)
{
    const struct card_state *s = &card->state;
    memset(e, 0, sizeof *e);
    if (n == 0) {
        entry_issuer(s, e);
        return (kinds & KIND_ISD) != 0 && (card_isd_selected(card) || card_may(card, MAY_GLOBAL_REGISTRY));
    }
    n--;
    bool application = n < s->application_count;
    if (application)
        entry_application(s, &s->applications[n], e);
    else
        entry_package(s, &s->packages[n - s->application_count], e);
    return (kinds & (application ? KIND_APPLICATIONS : KIND_PACKAGES | KIND_MODULES)) != 0 &&
           may_see(card, e->aid);
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
static void put_tlv(const struct entry *e, uint8_t kinds, struct view list, struct writer *w)
{
    size_t mark;
    tlv_open(w, 0xE3, &mark);
    put_wanted(w, list, 0x4F, e->aid);
    put_wanted(w, list, 0x9F70, view_of(&e->life, 1));
    if (e->package == NULL)
        put_wanted(w, list, 0xC5, view_of(e->privileges, CARD_PRIVILEGES));
    if (e->load_file != NULL)
        put_wanted(w, list, 0xC4, card_aid_view(e->load_file));
    if (e->package != NULL) {
        const uint8_t version[] = {e->package->major, e->package->minor};
        put_wanted(w, list, 0xCE, VIEW_OF(version));
        for (size_t i = 0; (kinds & KIND_MODULES) && i < e->package->module_count; i++)
            put_wanted(w, list, 0x84, card_aid_view(&e->package->modules[i]));
    }
    put_wanted(w, list, 0xCC, e->domain);
    tlv_close(w, mark);
}

/* The form of GlobalPlatform 2.1.1: AID, life cycle, privileges, and for P1 10 the modules. */
static void put_old(const struct entry *e, uint8_t kinds, struct writer *w)
{
    wr_view8(w, e->aid);
    wr_u8(w, e->life);
    wr_u8(w, e->privileges[0]);
    if (e->package == NULL || !(kinds & KIND_MODULES))
        return;
    wr_u8(w, e->package->module_count);
    for (size_t i = 0; i < e->package->module_count; i++)
        wr_view8(w, card_aid_view(&e->package->modules[i]));
}

static void put_entry(const struct entry *e, const struct apdu *a, struct view list, struct writer *w)
{
    if (a->p2 & P2_TLV)
        put_tlv(e, a->p1, list, w);
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
        put_entry(&e, a, list, &w);
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
    if ((a->p2 & 0x02) && card_has_quirk(card, QUIRK_OLD_STATUS))
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
