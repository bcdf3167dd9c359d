/* SPDX-License-Identifier: Apache-2.0
 *
 * INSTALL [for extradition] and [for registry update] (GPCS 2.3.1 11.5.2.3.4, 11.5.2.3.5, 9.4): what changes
 * in the registry after an application is there. */
#include "content.h"

#include <string.h>

#include <tlv/tlv.h>

enum { RECORDS_MAX = 256, RESTRICT = 0xD9 };

/* Tables 11-45 and 11-46; the former without privileges. */
struct update_fields {
    struct view domain, aid, privileges, parameters;
    struct token_command token;
};

static bool read_update(struct view data, struct update_fields *f)
{
    struct reader r;
    memset(f, 0, sizeof *f);
    rd_init(&r, data);
    f->domain = rd_view8(&r, AID_MAX);
    struct view nothing = rd_view8(&r, 0);
    f->aid = rd_view8(&r, AID_MAX);
    f->privileges = rd_view8(&r, CARD_PRIVILEGES);
    f->parameters = card_read_long_field(&r);
    f->token.parameters = f->parameters;
    return content_read_token(data, &r, &f->token) && nothing.len == 0 && tlv_valid(f->parameters);
}

/* May this entry go to that security domain (9.4.1)? *out is the domain. */
static uint16_t check_move(struct card *card, struct view aid, struct view to, struct card_aid *out)
{
    struct card_state *s = &card->state;
    uint8_t have[CARD_PRIVILEGES];
    bool package = card_find_package(s, aid) != NULL;
    if (!card_domain_named(s, to, out))
        return SW_REFERENCED_DATA;
    struct view domain = card_aid_view(out);
    card_privileges_of(s, domain, have);
    if (!card_domain_is_personalized(s, domain) || (package && card_privilege_set(have, MAY_VERIFY_DAP)))
        return SW_CONDITIONS;
    /* To itself it becomes the top of a tree; to one below itself the tree would be a circle. */
    if (!view_equal(domain, aid) && card_is_below(s, domain, aid))
        return SW_CONDITIONS;
    return SW_OK;
}

/* Is the entry there, and in reach of the security domain that asks? */
static uint16_t check_entry(struct card *card, struct view aid)
{
    struct card_state *s = &card->state;
    if (card_aid_is(&s->profile.isd, aid))
        return SW_CONDITIONS; /* 7.2: it stays what it is */
    if (card_find_application(s, aid) == NULL && card_find_package(s, aid) == NULL)
        return SW_REFERENCED_DATA;
    return card_is_below(s, aid, card_domain_of(card)) ? SW_OK : SW_CONDITIONS;
}

static void put_move(struct card *card, struct view aid, struct view domain, struct writer *w)
{
    if (card_find_package(&card->state, aid) != NULL)
        card_put_package_domain(w, aid, domain);
    else
        card_put_application_domain(w, aid, domain);
}

/* The domain before, the entry, the domain after: what both receipts begin with (tables C-13, C-14). */
static void put_move_receipt(const struct card *card, struct view aid, struct view from, struct view to,
                             struct writer *w)
{
    wr_view8(w, card_domain_aid(&card->state, from));
    wr_view8(w, aid);
    wr_view8(w, card_domain_aid(&card->state, to));
}

uint16_t install_form_extradition(struct card *card, const struct apdu *a, struct writer *out)
{
    struct update_fields f;
    struct authority auth;
    struct card_aid to;
    uint8_t memory[RECORDS_MAX], receipt_memory[RECORDS_MAX];
    struct writer w, receipt;
    if (!read_update(a->data, &f) || !content_is_aid(f.aid) || f.privileges.len != 0)
        return SW_WRONG_DATA;
    f.token.p1 = a->p1;
    uint16_t sw = card_authority_check(card, &f.token, &auth);
    if (sw == SW_OK)
        sw = check_entry(card, f.aid);
    if (sw == SW_OK)
        sw = check_move(card, f.aid, f.domain, &to);
    if (sw != SW_OK)
        return sw;
    wr_fixed(&w, memory, sizeof memory);
    wr_fixed(&receipt, receipt_memory, sizeof receipt_memory);
    put_move(card, f.aid, card_aid_view(&to), &w);
    put_move_receipt(card, f.aid, card_domain_above(&card->state, f.aid), card_aid_view(&to), &receipt);
    sw = card_authority_confirm(card, &auth, wr_view_of(&receipt), &w, out);
    return sw == SW_OK ? card_commit(card, &w, true) : sw;
}

/* ---- registry update ---- */

/* The new privileges of an application; being a security domain or not stays. */
static uint16_t new_privileges(struct card *card, const struct update_fields *f,
                               const struct card_application *app, uint8_t out[CARD_PRIVILEGES])
{
    memcpy(out, app->privileges, CARD_PRIVILEGES);
    if (f->privileges.len == 0)
        return SW_OK;
    if (!card_privileges_read(f->privileges, out) ||
        card_privilege_set(out, MAY_BE_DOMAIN) != card_privilege_set(app->privileges, MAY_BE_DOMAIN))
        return SW_WRONG_DATA;
    return card_privileges_check(&card->state, f->aid, out);
}

static uint16_t check_update(struct card *card, const struct update_fields *f, struct card_aid *to)
{
    struct view restriction;
    /* 11.5.2.3.7: a card without restrictions refuses the parameter; only with it the AID may be absent. */
    if (!content_is_aid(f->aid) || tlv_find(f->parameters, RESTRICT, &restriction))
        return SW_WRONG_DATA;
    uint16_t sw = check_entry(card, f->aid);
    if (sw == SW_OK && card_find_application(&card->state, f->aid) == NULL)
        sw = SW_REFERENCED_DATA;
    if (sw == SW_OK && f->domain.len != 0)
        sw = check_move(card, f->aid, f->domain, to);
    return sw;
}

/* Table C-14: what is not updated is empty. */
static void put_update_receipt(const struct card *card, const struct update_fields *f, struct view to,
                               struct writer *w)
{
    if (f->domain.len != 0) {
        put_move_receipt(card, f->aid, card_domain_above(&card->state, f->aid), to, w);
    } else {
        wr_view8(w, VIEW_NULL);
        wr_view8(w, f->aid);
        wr_view8(w, VIEW_NULL);
    }
    wr_view8(w, f->privileges);
    tlv_put_length(w, f->parameters.len);
    wr_view(w, f->parameters);
}

static uint16_t update(struct card *card, const struct update_fields *f, const struct authority *auth,
                       struct view to, struct writer *out)
{
    const struct card_application *app = card_find_application(&card->state, f->aid);
    uint8_t privileges[CARD_PRIVILEGES], memory[RECORDS_MAX];
    struct writer w, receipt;
    uint16_t sw = new_privileges(card, f, app, privileges);
    if (sw != SW_OK)
        return sw;
    wr_heap(&receipt, CAPDU_MAX);
    wr_fixed(&w, memory, sizeof memory);
    card_put_application_life(&w, f->aid, app->life, privileges);
    if (f->domain.len != 0)
        card_put_application_domain(&w, f->aid, to);
    put_update_receipt(card, f, to, &receipt);
    sw = card_authority_confirm(card, auth, wr_view_of(&receipt), &w, out);
    if (sw == SW_OK)
        sw = card_commit(card, &w, true);
    wr_free(&receipt);
    return sw;
}

uint16_t install_form_registry_update(struct card *card, const struct apdu *a, struct writer *out)
{
    struct update_fields f;
    struct authority auth;
    struct card_aid to = {.len = 0};
    if (!read_update(a->data, &f))
        return SW_WRONG_DATA;
    f.token.p1 = a->p1;
    uint16_t sw = card_authority_check(card, &f.token, &auth);
    if (sw == SW_OK)
        sw = check_update(card, &f, &to);
    return sw == SW_OK ? update(card, &f, &auth, card_aid_view(&to), out) : sw;
}
