/* SPDX-License-Identifier: Apache-2.0
 *
 * INSTALL (GPCS 2.3.1 11.5): which form it is, and the forms that make an application and prepare it. */
#include "content.h"

#include <string.h>

#include <tlv/tlv.h>

enum { RECORDS_MAX = 256 };

/* ---- what all forms share ---- */

bool content_is_aid(struct view v)
{
    return v.len >= AID_MIN && v.len <= AID_MAX;
}

uint32_t content_quota(struct view parameters, uint32_t tag)
{
    const uint32_t path[] = {0xEF, tag};
    struct view v;
    struct reader r;
    if (!tlv_path(parameters, path, 2, &v))
        return 0;
    rd_init(&r, v);
    uint32_t n = v.len == 2 ? rd_u16(&r) : rd_u32(&r);
    return rd_done(&r) ? n : UINT32_MAX;
}

bool content_fits(const struct card *card, uint64_t bytes)
{
    return bytes <= card_memory_free(&card->state);
}

bool content_aid_is_taken(struct card *card, struct view aid)
{
    return card_aid_is(&card->state.profile.isd, aid) || card_find_package(&card->state, aid) != NULL ||
           card_find_application(&card->state, aid) != NULL || card_is_domain_code(aid, VIEW_NULL) ||
           platform_has(platform_by_row(card->state.profile.java_card), aid);
}

bool content_read_token(struct view whole, struct reader *r, struct token_command *t)
{
    t->fields = view_head(whole, whole.len - rd_left(r));
    t->token = card_read_long_field(r);
    return rd_done(r);
}

/* ---- INSTALL [for install], [for make selectable] ---- */

bool install_read(struct view data, struct install_fields *f)
{
    struct reader r;
    memset(f, 0, sizeof *f);
    rd_init(&r, data);
    f->package = rd_view8(&r, AID_MAX);
    f->module = rd_view8(&r, AID_MAX);
    f->aid = rd_view8(&r, AID_MAX);
    f->privileges = rd_view8(&r, CARD_PRIVILEGES);
    f->parameters = card_read_long_field(&r);
    f->token.parameters = f->parameters;
    return content_read_token(data, &r, &f->token) && content_is_aid(f->aid) && tlv_valid(f->parameters);
}

static bool package_has_module(const struct card_package *p, struct view module)
{
    for (size_t i = 0; i < p->module_count; i++) {
        if (card_aid_is(&p->modules[i], module))
            return true;
    }
    return false;
}

/* A security domain says in its parameters which secure channel its keys will be for: tag 81, protocol and i
 * (GlobalPlatform Card UICC Configuration 1.0.1, 8.3); otherwise the one in use, or by the first key. */
static uint16_t read_domain_parameters(const struct card *card, struct view specific,
                                       struct card_application *app)
{
    struct view scp;
    const struct card_channel *ch = &card->now->session.channel;
    app->scp = ch->scp;
    app->i = ch->i;
    if (!tlv_valid(specific))
        return SW_WRONG_DATA;
    if (!tlv_find(specific, 0x81, &scp))
        return SW_OK;
    if (scp.len != 2 || card_channel_ops(scp.data[0]) == NULL ||
        !card_channel_ops(scp.data[0])->knows_i(scp.data[1]))
        return SW_WRONG_DATA;
    app->scp = scp.data[0];
    app->i = scp.data[1];
    return SW_OK;
}

/* 9.3.3: a security domain is associated with the one that installs it, any other application with the one of
 * its code, which must be in reach of the one that installs (9.3.6). */
static uint16_t associate(const struct card *card, const struct card_package *package,
                          struct card_application *app)
{
    struct view performer = card_domain_of(card);
    if (package == NULL) {
        (void)card_aid_set(&app->domain, performer);
        return SW_OK;
    }
    if (!card_is_below(&card->state, card_aid_view(&package->domain), performer))
        return SW_CONDITIONS;
    app->domain = package->domain;
    return SW_OK;
}

static uint16_t check_application(struct card *card, const struct install_fields *f, bool selectable,
                                  const struct card_package *package, struct card_application *app)
{
    bool domain = card_privilege_set(app->privileges, MAY_BE_DOMAIN);
    if (content_aid_is_taken(card, f->aid))
        return SW_CONDITIONS;
    /* Only the card's own code is a security domain, and it is nothing else. 11.5.2.3.2: Card Reset needs an
     * application that can be selected. */
    if (domain != (package == NULL) || (card_privilege_set(app->privileges, MAY_RESET) && !selectable))
        return SW_WRONG_DATA;
    uint16_t sw = card_privileges_check(&card->state, f->aid, app->privileges);
    if (sw != SW_OK)
        return sw;
    uint64_t least = (uint64_t)content_quota(f->parameters, 0xC8) + CARD_APPLICATION_COST;
    if (!content_fits(card, least + f->parameters.len) ||
        card->state.application_count == CARD_APPLICATIONS_MAX)
        return SW_NOT_ENOUGH_MEMORY;
    return SW_OK;
}

uint16_t install_make(struct card *card, const struct install_fields *f, bool selectable,
                      const struct card_package *package, struct card_application *out)
{
    struct card_application app = {.life = selectable ? STATE_SELECTABLE : STATE_INSTALLED};
    struct view specific = VIEW_NULL;
    (void)tlv_find(f->parameters, 0xC9, &specific);
    app.parameter_len = (uint16_t)specific.len;
    if (!card_privileges_read(f->privileges, app.privileges) || !card_aid_set(&app.aid, f->aid) ||
        !card_aid_set(&app.package, f->package) || !card_aid_set(&app.module, f->module))
        return SW_WRONG_DATA;
    uint16_t sw = check_application(card, f, selectable, package, &app);
    if (sw == SW_OK)
        sw = associate(card, package, &app);
    if (sw == SW_OK && package == NULL)
        sw = read_domain_parameters(card, specific, &app);
    if (sw == SW_OK)
        *out = app;
    return sw;
}

/* Table C-12. */
static uint16_t confirm_install(struct card *card, const struct authority *auth,
                                const struct card_application *app, struct writer *records,
                                struct writer *out)
{
    uint8_t memory[2 * (AID_MAX + 1)];
    struct writer fields;
    wr_fixed(&fields, memory, sizeof memory);
    wr_view8(&fields, card_aid_view(&app->package));
    wr_view8(&fields, card_aid_view(&app->aid));
    uint16_t sw = card_authority_confirm(card, auth, wr_view_of(&fields), records, out);
    return sw == SW_OK ? card_commit(card, records, true) : sw;
}

uint16_t install_form_install(struct card *card, const struct apdu *a, struct writer *out)
{
    struct install_fields f;
    struct card_application app;
    struct authority auth;
    bool selectable = (a->p1 & INSTALL_SELECTABLE) != 0;
    if (!install_read(a->data, &f))
        return SW_WRONG_DATA;
    f.token.p1 = a->p1;
    uint16_t sw = card_authority_check(card, &f.token, &auth);
    if (sw != SW_OK)
        return sw;
    const struct card_package *package = card_find_package(&card->state, f.package);
    if (package != NULL ? !package_has_module(package, f.module)
                        : f.module.len == 0 || !card_is_domain_code(f.package, f.module))
        return SW_REFERENCED_DATA;
    sw = install_make(card, &f, selectable, package, &app);
    if (sw != SW_OK)
        return sw;
    uint8_t memory[RECORDS_MAX];
    struct writer w;
    wr_fixed(&w, memory, sizeof memory);
    card_put_application(&w, &app);
    return confirm_install(card, &auth, &app, &w, out);
}

static uint16_t make_selectable(struct card *card, const struct install_fields *f,
                                const struct authority *auth, const struct card_application *app,
                                struct writer *out)
{
    /* 11.5.2.3.3: of the privileges only Card Reset counts. */
    uint8_t privileges[CARD_PRIVILEGES], memory[RECORDS_MAX];
    uint8_t asked = f->privileges.data[0] & PRIVILEGE_CARD_RESET;
    memcpy(privileges, app->privileges, sizeof privileges);
    privileges[0] |= asked;
    uint16_t sw = card_privileges_check(&card->state, f->aid, privileges);
    if (sw != SW_OK)
        return sw;
    struct writer w;
    wr_fixed(&w, memory, sizeof memory);
    card_put_application_life(&w, f->aid, STATE_SELECTABLE, privileges);
    return confirm_install(card, auth, app, &w, out);
}

uint16_t install_form_selectable(struct card *card, const struct apdu *a, struct writer *out)
{
    struct install_fields f;
    struct authority auth;
    if (!install_read(a->data, &f) || f.package.len != 0 || f.module.len != 0 ||
        (f.privileges.len != 1 && f.privileges.len != CARD_PRIVILEGES))
        return SW_WRONG_DATA;
    f.token.p1 = a->p1;
    uint16_t sw = card_authority_check(card, &f.token, &auth);
    if (sw != SW_OK)
        return sw;
    const struct card_application *app = card_find_application(&card->state, f.aid);
    if (app == NULL)
        return SW_REFERENCED_DATA;
    if (app->life != STATE_INSTALLED || !card_is_below(&card->state, f.aid, card_domain_of(card)))
        return SW_CONDITIONS;
    return make_selectable(card, &f, &auth, app, out);
}

/* ---- the combined process ---- */

/* Table C-16. Package and application are one transaction. */
static uint16_t keep_combined(struct card *card, const struct authority *auth,
                              const struct card_package *package, const struct card_application *app,
                              struct writer *out)
{
    uint8_t memory[3 * (AID_MAX + 1)];
    struct writer fields, w;
    wr_fixed(&fields, memory, sizeof memory);
    wr_view8(&fields, card_aid_view(&app->package));
    wr_view8(&fields, card_aid_view(&app->aid));
    wr_view8(&fields, card_domain_aid(&card->state, card_aid_view(&package->domain)));
    wr_heap(&w, CARD_FRAME_MAX);
    card_put_package(&w, package);
    card_put_application(&w, app);
    uint16_t sw = card_authority_confirm(card, auth, wr_view_of(&fields), &w, out);
    if (sw == SW_OK)
        sw = card_commit(card, &w, true);
    wr_free(&w);
    return sw;
}

static uint16_t end_combined(struct card *card, struct install_fields *f, struct writer *out)
{
    struct card_package *package = &card->loading.package;
    struct card_application app;
    struct authority auth;
    f->token.first = wr_view_of(&card->loading.first);
    uint16_t sw = card_authority_check(card, &f->token, &auth);
    if (sw == SW_OK)
        sw = load_take_package(card, package);
    if (sw != SW_OK)
        return sw;
    /* 11.5.2.3.2: the load file's AID is that of the load, or not there. */
    if (f->package.len != 0 && !card_aid_is(&package->aid, f->package))
        return SW_WRONG_DATA;
    f->package = card_aid_view(&package->aid);
    if (f->module.len == 0 && package->module_count == 1)
        f->module = card_aid_view(&package->modules[0]);
    if (!package_has_module(package, f->module))
        return SW_REFERENCED_DATA;
    sw = install_make(card, f, true, package, &app);
    return sw == SW_OK ? keep_combined(card, &auth, package, &app, out) : sw;
}

uint16_t install_form_combined_ends(struct card *card, const struct apdu *a, struct writer *out)
{
    struct install_fields f;
    struct loading *l = &card->loading;
    if (!l->active || !l->combined || !l->complete || l->on != card->now)
        return SW_CONDITIONS;
    uint16_t sw = SW_WRONG_DATA;
    if (install_read(a->data, &f)) {
        f.token.p1 = a->p1;
        f.token.p2 = a->p2;
        sw = end_combined(card, &f, out);
    }
    card_loading_end(card);
    return sw;
}

/* ---- INSTALL [for personalization] ---- */

/* Table 11-47: the AID between lengths of zero. 6.7: the security domain needs Trusted Path, and the
 * application must be its own. */
uint16_t install_form_personalization(struct card *card, const struct apdu *a, struct writer *out)
{
    struct reader r;
    memset(&card->now->personalising, 0, sizeof card->now->personalising);
    rd_init(&r, a->data);
    uint16_t before = rd_u16(&r);
    struct view aid = rd_view8(&r, AID_MAX);
    uint32_t behind = rd_u24(&r);
    if (!rd_done(&r) || before != 0 || behind != 0 || !content_is_aid(aid))
        return SW_WRONG_DATA;
    const struct card_application *app = card_find_application(&card->state, aid);
    if (app == NULL)
        return SW_REFERENCED_DATA;
    if (app->life == STATE_INSTALLED || (app->life & STATE_LOCKED_BIT) != 0 ||
        !card_may(card, MAY_TRUSTED_PATH) || !card_domain_is(&app->domain, card_domain_of(card)))
        return SW_CONDITIONS;
    card->now->personalising.aid = app->aid;
    wr_u8(out, NO_DATA);
    return SW_OK;
}

/* ---- the command ---- */

static const struct {
    uint8_t p1, p2;
    card_handler *run;
} forms[] = {
    {INSTALL_LOAD, 0x00, install_form_load},
    {INSTALL_INSTALL, 0x00, install_form_install},
    {INSTALL_INSTALL | INSTALL_SELECTABLE, 0x00, install_form_install},
    {INSTALL_SELECTABLE, 0x00, install_form_selectable},
    {INSTALL_EXTRADITE, 0x00, install_form_extradition},
    {INSTALL_PERSONALIZE, 0x00, install_form_personalization},
    {INSTALL_REGISTRY, 0x00, install_form_registry_update},
    {INSTALL_COMBINED, COMBINED_BEGINS, install_form_combined_begins},
    {INSTALL_COMBINED, COMBINED_ENDS, install_form_combined_ends},
};

uint16_t cmd_install(struct card *card, const struct apdu *a, struct writer *out)
{
    card_listings_end(card);
    if (a->p1 & MORE_COMMANDS)
        return SW_CHAINING_UNSUPPORTED;
    for (size_t n = 0; n < sizeof forms / sizeof forms[0]; n++) {
        if (forms[n].p1 == a->p1 && forms[n].p2 == a->p2)
            return forms[n].run(card, a, out);
    }
    return SW_INCORRECT_P1P2;
}
