/* SPDX-License-Identifier: Apache-2.0
 *
 * INSTALL, LOAD and DELETE (GPCS 2.3.1 11.5, 11.6, 11.2): what comes onto the card and leaves it. Nothing of
 * a package is remembered before its last LOAD, so that a failed or broken load leaves nothing behind. */
#include <string.h>

#include <tlv/tlv.h>

#include "card.h"

enum { INSTALL_LOAD = 0x02, INSTALL_INSTALL = 0x04, INSTALL_SELECTABLE = 0x08, INSTALL_PERSONALIZE = 0x20 };
enum { MORE_COMMANDS = 0x80, LAST_BLOCK = 0x80, WITH_RELATED = 0x80 };
enum { NO_DATA = 0x00 };

/* ---- fields of INSTALL ---- */

static bool is_aid(struct view v)
{
    return v.len >= AID_MIN && v.len <= AID_MAX;
}

/* A memory quota of 2 or 4 bytes; 0 when it is absent, UINT32_MAX when it is malformed. */
static uint32_t quota(struct view parameters, uint32_t tag)
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

static bool fits(const struct card *card, uint64_t bytes)
{
    return bytes <= card_memory_free(&card->state);
}

/* Is the AID taken by the card manager, a package or an application? */
static bool aid_is_taken(struct card *card, struct view aid)
{
    return card_aid_is(&card->state.profile.isd, aid) || card_find_package(&card->state, aid) != NULL ||
           card_find_application(&card->state, aid) != NULL ||
           platform_has(platform_by_row(card->state.profile.java_card), aid);
}

/* ---- INSTALL [for load] ---- */

static bool hash_len_is_known(size_t len)
{
    for (int d = 0; d < DIGEST_COUNT; d++) {
        if (crypto_digest_len((enum digest)d) == len)
            return true;
    }
    return len == 0;
}

/* Table 11-42. */
static uint16_t install_for_load(struct card *card, struct view data)
{
    struct reader r;
    card_loading_end(card);
    rd_init(&r, data);
    struct view aid = rd_view8(&r, AID_MAX), domain = rd_view8(&r, AID_MAX), hash = rd_view8(&r, 0x7F);
    struct view parameters = card_read_long_field(&r), token = card_read_long_field(&r);
    if (!rd_done(&r) || !is_aid(aid) || !tlv_valid(parameters) || !hash_len_is_known(hash.len) ||
        token.len != 0)
        return SW_WRONG_DATA;
    if (domain.len != 0 && !card_aid_is(&card->state.profile.isd, domain))
        return SW_REFERENCED_DATA;
    if (aid_is_taken(card, aid))
        return SW_CONDITIONS;
    uint64_t least = (uint64_t)quota(parameters, 0xC6) + quota(parameters, 0xC8) + CARD_PACKAGE_COST;
    if (!fits(card, least) || card->state.package_count == CARD_PACKAGES_MAX)
        return SW_NOT_ENOUGH_MEMORY;
    struct loading *l = &card->loading;
    l->active = card_aid_set(&l->aid, aid);
    l->on = card->now;
    if (hash.len != 0)
        memcpy(l->hash, hash.data, hash.len);
    l->hash_len = hash.len;
    loadfile_init(&l->file, card_memory_free(&card->state) - CARD_PACKAGE_COST);
    return SW_OK;
}

/* ---- LOAD ---- */

static uint16_t check_hash(struct card *card, struct view block)
{
    const struct loading *l = &card->loading;
    uint8_t hash[DIGEST_MAX];
    for (int d = 0; d < DIGEST_COUNT; d++) {
        if (crypto_digest_len((enum digest)d) != l->hash_len)
            continue;
        if (crypto_digest(card->crypto, (enum digest)d, &block, 1, hash) != OK)
            return SW_NO_DIAGNOSIS;
        return view_equal(view_of(hash, l->hash_len), view_of(l->hash, l->hash_len)) ? SW_OK : SW_WRONG_DATA;
    }
    return SW_OK;
}

static bool import_is_satisfied(struct card *card, const struct card_import *import)
{
    struct view aid = card_aid_view(&import->aid);
    const struct card_package *have = card_find_package(&card->state, aid);
    if (have != NULL)
        return have->major == import->major && have->minor >= import->minor;
    return platform_satisfies(platform_by_row(card->state.profile.java_card), aid, import->major,
                              import->minor);
}

/* Can this package live on this card? (GPCS 2.3.1 9.3.5; JCVM 4.5) */
static uint16_t link_package(struct card *card, const struct loadfile_info *info)
{
    const struct platform *platform = platform_by_row(card->state.profile.java_card);
    if (!card_aid_is(&card->loading.aid, card_aid_view(&info->package.aid)))
        return SW_WRONG_DATA;
    if (platform == NULL || info->format_minor > platform->format_minor)
        return SW_WRONG_DATA;
    for (size_t i = 0; i < info->package.import_count; i++) {
        if (!import_is_satisfied(card, &info->package.imports[i]))
            return SW_CONDITIONS;
    }
    return SW_OK;
}

static uint16_t keep_package(struct card *card, struct card_package *package, struct view block)
{
    struct writer w;
    if (crypto_digest(card->crypto, DIGEST_SHA256, &block, 1, package->hash) != OK)
        return SW_NO_DIAGNOSIS;
    package->code = card->loading.file.data.data; /* lent for the record */
    package->code_len = (uint32_t)block.len;
    wr_heap(&w, CARD_FRAME_MAX);
    card_put_package(&w, package);
    uint16_t sw = card_commit(card, &w, true);
    wr_free(&w);
    return sw;
}

static uint16_t finish_load(struct card *card)
{
    struct loadfile *file = &card->loading.file;
    struct view block = wr_view_of(&file->data);
    struct loadfile_info info;
    const char *why;
    if (!loadfile_complete(file) || loadfile_parse(block, &info, &why) != OK)
        return SW_WRONG_DATA;
    uint16_t sw = check_hash(card, block);
    if (sw == SW_OK)
        sw = link_package(card, &info);
    return sw == SW_OK ? keep_package(card, &info.package, block) : sw;
}

static uint16_t take_block(struct card *card, const struct apdu *a)
{
    struct loading *l = &card->loading;
    if (!l->active || l->on != card->now)
        return SW_CONDITIONS;
    /* 11.6.2.2: strictly in order from 00 on, and never beyond FF. */
    if (a->p2 != l->next_block)
        return SW_INCORRECT_P1P2;
    if (a->data.len == 0)
        return SW_WRONG_LENGTH;
    l->next_block++;
    uint16_t sw = loadfile_feed(&l->file, a->data);
    return sw == SW_OK && (a->p1 & LAST_BLOCK) ? finish_load(card) : sw;
}

uint16_t cmd_load(struct card *card, const struct apdu *a, struct writer *out)
{
    card_listings_end(card);
    uint16_t sw = take_block(card, a);
    if (card->loading.on == card->now && (sw != SW_OK || (a->p1 & LAST_BLOCK)))
        card_loading_end(card);
    wr_u8(out, NO_DATA);
    return sw;
}

/* ---- INSTALL [for install], [for make selectable] ---- */

/* Tables 11-43 and 11-44. */
struct install_fields {
    struct view package, module, aid, privileges, parameters;
};

static bool read_install(struct view data, struct install_fields *f)
{
    struct reader r;
    rd_init(&r, data);
    f->package = rd_view8(&r, AID_MAX);
    f->module = rd_view8(&r, AID_MAX);
    f->aid = rd_view8(&r, AID_MAX);
    f->privileges = rd_view8(&r, CARD_PRIVILEGES);
    f->parameters = card_read_long_field(&r);
    struct view token = card_read_long_field(&r);
    return rd_done(&r) && is_aid(f->aid) && (f->privileges.len == 1 || f->privileges.len == 3) &&
           tlv_valid(f->parameters) && token.len == 0;
}

static bool package_has_module(const struct card_package *p, struct view module)
{
    for (size_t i = 0; i < p->module_count; i++) {
        if (card_aid_is(&p->modules[i], module))
            return true;
    }
    return false;
}

/* Of the privileges this card gives Card Reset alone, and only to one application (6.6.2). */
static uint16_t check_privileges(const struct card *card, struct view privileges, bool selectable)
{
    struct reader r;
    rd_init(&r, privileges);
    uint8_t first = rd_u8(&r);
    bool others = (first & ~PRIVILEGE_CARD_RESET) != 0;
    while (rd_left(&r) != 0)
        others |= rd_u8(&r) != 0;
    if (others || ((first & PRIVILEGE_CARD_RESET) && !selectable))
        return SW_WRONG_DATA;
    for (size_t i = 0; (first & PRIVILEGE_CARD_RESET) && i < card->state.application_count; i++) {
        if (card->state.applications[i].privileges[0] & PRIVILEGE_CARD_RESET)
            return SW_CONDITIONS;
    }
    return SW_OK;
}

static uint16_t check_install(struct card *card, const struct install_fields *f, bool selectable)
{
    const struct card_package *package = card_find_package(&card->state, f->package);
    if (package == NULL || !package_has_module(package, f->module))
        return SW_REFERENCED_DATA;
    if (aid_is_taken(card, f->aid))
        return SW_CONDITIONS;
    uint16_t sw = check_privileges(card, f->privileges, selectable);
    if (sw != SW_OK)
        return sw;
    uint64_t least = (uint64_t)quota(f->parameters, 0xC8) + CARD_APPLICATION_COST;
    if (!fits(card, least + f->parameters.len) || card->state.application_count == CARD_APPLICATIONS_MAX)
        return SW_NOT_ENOUGH_MEMORY;
    return SW_OK;
}

static uint16_t install_for_install(struct card *card, struct view data, bool selectable)
{
    struct install_fields f;
    struct card_application app = {0};
    struct view specific = VIEW_NULL;
    if (!read_install(data, &f))
        return SW_WRONG_DATA;
    uint16_t sw = check_install(card, &f, selectable);
    if (sw != SW_OK)
        return sw;
    (void)tlv_find(f.parameters, 0xC9, &specific);
    memcpy(app.privileges, f.privileges.data, f.privileges.len);
    app.life = selectable ? STATE_SELECTABLE : STATE_INSTALLED;
    app.parameter_len = (uint16_t)specific.len;
    if (!card_aid_set(&app.aid, f.aid) || !card_aid_set(&app.package, f.package) ||
        !card_aid_set(&app.module, f.module))
        return SW_WRONG_DATA;
    uint8_t memory[128];
    struct writer w;
    wr_fixed(&w, memory, sizeof memory);
    card_put_application(&w, &app);
    return card_commit(card, &w, true);
}

static uint16_t install_for_selectable(struct card *card, struct view data)
{
    struct install_fields f;
    if (!read_install(data, &f) || f.package.len != 0 || f.module.len != 0)
        return SW_WRONG_DATA;
    const struct card_application *app = card_find_application(&card->state, f.aid);
    if (app == NULL)
        return SW_REFERENCED_DATA;
    if (app->life != STATE_INSTALLED)
        return SW_CONDITIONS;
    /* 11.5.2.3.3: of the privileges only Card Reset counts. */
    uint8_t privileges[CARD_PRIVILEGES], reset = f.privileges.data[0] & PRIVILEGE_CARD_RESET;
    uint16_t sw = check_privileges(card, view_of(&reset, 1), true);
    if (sw != SW_OK)
        return sw;
    memcpy(privileges, app->privileges, sizeof privileges);
    privileges[0] |= reset;
    uint8_t memory[64];
    struct writer w;
    wr_fixed(&w, memory, sizeof memory);
    card_put_application_life(&w, f.aid, STATE_SELECTABLE, privileges);
    return card_commit(card, &w, true);
}

/* ---- INSTALL [for personalization] ---- */

/* Table 11-47: the AID between lengths of zero. */
static uint16_t install_for_personalization(struct card *card, struct view data)
{
    struct reader r;
    memset(&card->now->personalising, 0, sizeof card->now->personalising);
    rd_init(&r, data);
    uint16_t before = rd_u16(&r);
    struct view aid = rd_view8(&r, AID_MAX);
    uint32_t behind = rd_u24(&r);
    if (!rd_done(&r) || before != 0 || behind != 0 || !is_aid(aid))
        return SW_WRONG_DATA;
    const struct card_application *app = card_find_application(&card->state, aid);
    if (app == NULL)
        return SW_REFERENCED_DATA;
    if (app->life != STATE_SELECTABLE)
        return SW_CONDITIONS;
    card->now->personalising.aid = app->aid;
    return SW_OK;
}

uint16_t cmd_install(struct card *card, const struct apdu *a, struct writer *out)
{
    uint16_t sw = SW_INCORRECT_P1P2;
    card_listings_end(card);
    if (a->p1 & MORE_COMMANDS)
        return SW_CHAINING_UNSUPPORTED;
    if (a->p2 != 0)
        return SW_INCORRECT_P1P2;
    if (a->p1 == INSTALL_LOAD)
        sw = install_for_load(card, a->data);
    else if (a->p1 == INSTALL_INSTALL || a->p1 == (INSTALL_INSTALL | INSTALL_SELECTABLE))
        sw = install_for_install(card, a->data, (a->p1 & INSTALL_SELECTABLE) != 0);
    else if (a->p1 == INSTALL_SELECTABLE)
        sw = install_for_selectable(card, a->data);
    else if (a->p1 == INSTALL_PERSONALIZE)
        sw = install_for_personalization(card, a->data);
    wr_u8(out, NO_DATA);
    return sw;
}

/* ---- DELETE ---- */

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

static uint16_t delete_package(struct card *card, struct view aid, bool related)
{
    struct writer w;
    if (is_imported(card, aid))
        return SW_CONDITIONS;
    wr_heap(&w, CARD_APPLICATIONS_MAX * (AID_MAX + 2) + 64);
    uint16_t sw = SW_OK;
    for (size_t i = 0; i < card->state.application_count; i++) {
        const struct card_application *app = &card->state.applications[i];
        if (!card_aid_is(&app->package, aid))
            continue;
        if (!related)
            sw = SW_CONDITIONS;
        card_put_application_gone(&w, card_aid_view(&app->aid));
    }
    card_put_package_gone(&w, aid);
    if (sw == SW_OK)
        sw = card_commit(card, &w, true);
    wr_free(&w);
    return sw;
}

static uint16_t delete_application(struct card *card, struct view aid)
{
    uint8_t memory[32];
    struct writer w;
    wr_fixed(&w, memory, sizeof memory);
    card_put_application_gone(&w, aid);
    if (card_aid_is(&card->now->personalising.aid, aid))
        memset(&card->now->personalising, 0, sizeof card->now->personalising);
    return card_commit(card, &w, true);
}

static uint16_t delete_content(struct card *card, struct view aid, bool related)
{
    if (!is_aid(aid))
        return SW_WRONG_DATA;
    if (card_aid_is(&card->state.profile.isd, aid) || card_selected_elsewhere(card, aid))
        return SW_CONDITIONS;
    if (card_find_package(&card->state, aid) != NULL)
        return delete_package(card, aid, related);
    if (card_find_application(&card->state, aid) != NULL)
        return delete_application(card, aid);
    return SW_REFERENCED_DATA;
}

uint16_t cmd_delete(struct card *card, const struct apdu *a, struct writer *out)
{
    struct view aid, token;
    if (a->p1 & MORE_COMMANDS)
        return SW_CHAINING_UNSUPPORTED;
    if (!tlv_valid(a->data))
        return SW_WRONG_DATA;
    wr_u8(out, NO_DATA);
    if (tlv_find(a->data, 0xD0, &aid) || tlv_find(a->data, 0xD2, &aid))
        return card_delete_keys(card, a->data);
    if (!tlv_find(a->data, 0x4F, &aid) || tlv_find(a->data, 0x9E, &token))
        return SW_WRONG_DATA;
    card_listings_end(card);
    return delete_content(card, aid, (a->p2 & WITH_RELATED) != 0);
}
