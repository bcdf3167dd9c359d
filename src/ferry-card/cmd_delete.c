/* SPDX-License-Identifier: Apache-2.0
 *
 * DELETE (GPCS 2.3.1 11.2, 9.5): applications, security domains, executable load files; keys are in
 * cmd_keys.c. */
#include <string.h>

#include <tlv/tlv.h>

#include "content.h"

enum { WITH_RELATED = 0x80, TAG_TOKEN = 0x9E, TAG_TEMPLATE = 0xB6 };

/* Is the package imported by another? */
static bool is_imported(const struct card *card, struct view aid)
{
    for (size_t i = 0; i < card->state.package_count; i++) {
        const struct card_package *p = &card->state.packages[i];
        for (size_t n = 0; n < p->import_count; n++) {
            if (card_aid_is(&p->imports[n].aid, aid))
                return true;
        }
    }
    return false;
}

/* Is anything but the domain itself associated with it? */
static bool has_associated(const struct card_state *s, struct view domain)
{
    for (size_t i = 0; i < s->package_count; i++) {
        if (card_aid_is(&s->packages[i].domain, domain))
            return true;
    }
    for (size_t i = 0; i < s->application_count; i++) {
        const struct card_application *a = &s->applications[i];
        if (card_aid_is(&a->domain, domain) && !card_aid_is(&a->aid, domain))
            return true;
    }
    return false;
}

/* 9.5.1: associated with the security domain that deletes, directly or not, or that one deletes globally. */
static bool in_reach(const struct card *card, struct view aid)
{
    return card_may(card, MAY_GLOBAL_DELETE) || card_is_below(&card->state, aid, card_domain_of(card));
}

/* Selected on this channel it is the security domain that deletes. */
static bool is_selected(const struct card *card, struct view aid)
{
    return card_aid_is(&card->now->selected, aid) || card_selected_elsewhere(card, aid);
}

static uint16_t delete_application(struct card *card, struct view aid, struct writer *w)
{
    if (!in_reach(card, aid) || is_selected(card, aid) || has_associated(&card->state, aid))
        return SW_CONDITIONS;
    card_put_application_gone(w, aid);
    return SW_OK;
}

static uint16_t delete_package(struct card *card, struct view aid, bool related, struct writer *w)
{
    if (!in_reach(card, aid) || is_imported(card, aid))
        return SW_CONDITIONS;
    for (size_t i = 0; i < card->state.application_count; i++) {
        const struct card_application *app = &card->state.applications[i];
        if (!card_aid_is(&app->package, aid))
            continue;
        uint16_t sw = related ? delete_application(card, card_aid_view(&app->aid), w) : SW_CONDITIONS;
        if (sw != SW_OK)
            return sw;
    }
    card_put_package_gone(w, aid);
    return SW_OK;
}

static uint16_t delete_entry(struct card *card, struct view aid, bool related, struct writer *w)
{
    if (!content_is_aid(aid))
        return SW_WRONG_DATA;
    if (card_aid_is(&card->state.profile.isd, aid))
        return SW_CONDITIONS;
    if (card_find_package(&card->state, aid) != NULL)
        return delete_package(card, aid, related, w);
    if (card_find_application(&card->state, aid) != NULL)
        return delete_application(card, aid, w);
    return SW_REFERENCED_DATA;
}

/* Nothing goes on where a deleted application was being personalised. */
static void forget(struct card *card, struct view aid)
{
    for (size_t n = 0; n < CARD_LOGICAL_CHANNELS; n++) {
        if (card_aid_is(&card->logical[n].personalising.aid, aid))
            memset(&card->logical[n].personalising, 0, sizeof card->logical[n].personalising);
    }
}

/* Table 11-23. A token may be there with nothing in it: as good as none. */
static bool read_delete(struct view data, struct view *aid, struct token_command *t)
{
    struct reader r;
    struct tlv o;
    bool first = true;
    memset(t, 0, sizeof *t);
    rd_init(&r, data);
    t->fields = data;
    while (tlv_next(&r, &o)) {
        if (first != (o.tag == 0x4F) || t->token.data != NULL)
            return false;
        if (first)
            *aid = o.value;
        first = false;
        if (o.tag == TAG_TOKEN)
            t->token = o.value;
        else if (!(o.tag == 0x4F || o.tag == TAG_TEMPLATE))
            return false;
        else
            t->fields = view_head(data, data.len - rd_left(&r));
    }
    t->parameters = t->fields;
    return rd_done(&r) && !first;
}

static uint16_t delete_content(struct card *card, const struct apdu *a, struct writer *out)
{
    struct token_command t;
    struct authority auth;
    struct view aid = VIEW_NULL;
    uint8_t memory[AID_MAX + 1];
    struct writer w, receipt;
    if (!read_delete(a->data, &aid, &t))
        return SW_WRONG_DATA;
    t.p1 = a->p1;
    t.p2 = a->p2;
    uint16_t sw = card_authority_check(card, &t, &auth);
    if (sw != SW_OK)
        return sw;
    wr_heap(&w, CARD_APPLICATIONS_MAX * (AID_MAX + 2) + 64);
    wr_fixed(&receipt, memory, sizeof memory);
    wr_view8(&receipt, aid);
    sw = delete_entry(card, aid, (a->p2 & WITH_RELATED) != 0, &w);
    if (sw == SW_OK)
        sw = card_authority_confirm(card, &auth, wr_view_of(&receipt), &w, out);
    if (sw == SW_OK)
        sw = card_commit(card, &w, true);
    if (sw == SW_OK)
        forget(card, aid);
    wr_free(&w);
    return sw;
}

uint16_t cmd_delete(struct card *card, const struct apdu *a, struct writer *out)
{
    struct view v;
    if (a->p1 & MORE_COMMANDS)
        return SW_CHAINING_UNSUPPORTED;
    if (!tlv_valid(a->data))
        return SW_WRONG_DATA;
    if (tlv_find(a->data, 0xD0, &v) || tlv_find(a->data, 0xD2, &v)) {
        wr_u8(out, NO_DATA);
        return card_delete_keys(card, a->data);
    }
    card_listings_end(card);
    return delete_content(card, a, out);
}
