/* SPDX-License-Identifier: Apache-2.0
 *
 * Records of executable load files and applications. */
#include <stdlib.h>
#include <string.h>

#include "state_records.h"

/* ---- packages ---- */

/* What cards in the field call the code of their own security domains, and hosts ask for. */
static const struct {
    struct card_aid package, module;
} domain_code[] = {
    {{{0xA0, 0x00, 0x00, 0x01, 0x51, 0x53, 0x50}, 7}, {{0xA0, 0x00, 0x00, 0x01, 0x51, 0x53, 0x50, 0x41}, 8}},
    {{{0xA0, 0x00, 0x00, 0x00, 0x03, 0x53, 0x50}, 7}, {{0xA0, 0x00, 0x00, 0x00, 0x03, 0x53, 0x50, 0x41}, 8}}};

bool card_is_domain_code(struct view package, struct view module)
{
    for (size_t i = 0; i < sizeof domain_code / sizeof domain_code[0]; i++) {
        if (card_aid_is(&domain_code[i].package, package) &&
            (module.len == 0 || card_aid_is(&domain_code[i].module, module)))
            return true;
    }
    return false;
}

void state_package_finish(struct card_package *p)
{
    free(p->code);
    memset(p, 0, sizeof *p);
}

struct card_package *card_find_package(struct card_state *s, struct view aid)
{
    for (size_t i = 0; i < s->package_count; i++) {
        if (card_aid_is(&s->packages[i].aid, aid))
            return &s->packages[i];
    }
    return NULL;
}

void card_put_package(struct writer *w, const struct card_package *p)
{
    wr_u8(w, RECORD_PACKAGE);
    wr_view8(w, card_aid_view(&p->aid));
    wr_view8(w, card_aid_view(&p->domain));
    wr_u8(w, p->major);
    wr_u8(w, p->minor);
    wr_u8(w, p->module_count);
    for (size_t i = 0; i < p->module_count; i++)
        wr_view8(w, card_aid_view(&p->modules[i]));
    wr_u8(w, p->import_count);
    for (size_t i = 0; i < p->import_count; i++) {
        wr_view8(w, card_aid_view(&p->imports[i].aid));
        wr_u8(w, p->imports[i].major);
        wr_u8(w, p->imports[i].minor);
    }
    wr_bytes(w, p->hash, sizeof p->hash);
    wr_view32(w, view_of(p->code, p->code_len));
}

static void read_modules(struct reader *r, struct card_package *p)
{
    p->module_count = rd_u8(r);
    if (p->module_count > CAP_APPLETS_MAX)
        rd_fail(r);
    for (size_t i = 0; rd_ok(r) && i < p->module_count; i++)
        state_read_aid(r, &p->modules[i]);
}

static void read_imports(struct reader *r, struct card_package *p)
{
    p->import_count = rd_u8(r);
    if (p->import_count > CAP_IMPORTS_MAX)
        rd_fail(r);
    for (size_t i = 0; rd_ok(r) && i < p->import_count; i++) {
        state_read_aid(r, &p->imports[i].aid);
        p->imports[i].major = rd_u8(r);
        p->imports[i].minor = rd_u8(r);
    }
}

enum err state_apply_package(struct card_state *s, struct reader *r)
{
    if (s->package_count == CARD_PACKAGES_MAX)
        return ERR_LIMIT;
    struct card_package *p = &s->packages[s->package_count];
    memset(p, 0, sizeof *p);
    state_read_aid(r, &p->aid);
    state_read_domain(r, &p->domain);
    p->major = rd_u8(r);
    p->minor = rd_u8(r);
    read_modules(r, p);
    read_imports(r, p);
    rd_copy(r, p->hash, sizeof p->hash);
    struct view code = rd_view32(r, LOAD_FILE_MAX);
    if (!rd_ok(r) || card_find_package(s, card_aid_view(&p->aid)) != NULL)
        return ERR_FORMAT;
    p->code = state_copy(code);
    if (p->code == NULL)
        return ERR_MEMORY;
    p->code_len = (uint32_t)code.len;
    s->package_count++;
    return OK;
}

void card_put_package_gone(struct writer *w, struct view aid)
{
    wr_u8(w, RECORD_PACKAGE_GONE);
    wr_view8(w, aid);
}

enum err state_apply_package_gone(struct card_state *s, struct reader *r)
{
    struct card_package *p = card_find_package(s, rd_view8(r, AID_MAX));
    if (!rd_ok(r) || p == NULL)
        return ERR_FORMAT;
    state_package_finish(p);
    struct card_package *last = &s->packages[--s->package_count];
    memmove(p, p + 1, (size_t)((uint8_t *)last - (uint8_t *)p));
    memset(last, 0, sizeof *last);
    return OK;
}

void card_put_package_domain(struct writer *w, struct view aid, struct view domain)
{
    wr_u8(w, RECORD_PACKAGE_DOMAIN);
    wr_view8(w, aid);
    wr_view8(w, domain);
}

enum err state_apply_package_domain(struct card_state *s, struct reader *r)
{
    struct card_aid domain = {.len = 0};
    struct card_package *p = card_find_package(s, rd_view8(r, AID_MAX));
    state_read_domain(r, &domain);
    if (!rd_ok(r) || p == NULL || !card_has_domain(s, card_aid_view(&domain)))
        return ERR_FORMAT;
    p->domain = domain;
    return OK;
}

/* ---- applications ---- */

void state_application_finish(struct card_application *a)
{
    if (a->stored != NULL)
        wipe(a->stored, a->stored_len);
    free(a->stored);
    memset(a, 0, sizeof *a);
}

struct card_application *card_find_application(struct card_state *s, struct view aid)
{
    for (size_t i = 0; i < s->application_count; i++) {
        if (card_aid_is(&s->applications[i].aid, aid))
            return &s->applications[i];
    }
    return NULL;
}

void card_put_application(struct writer *w, const struct card_application *a)
{
    wr_u8(w, RECORD_APPLICATION);
    wr_view8(w, card_aid_view(&a->aid));
    wr_view8(w, card_aid_view(&a->package));
    wr_view8(w, card_aid_view(&a->module));
    wr_view8(w, card_aid_view(&a->domain));
    wr_bytes(w, a->privileges, sizeof a->privileges);
    wr_u8(w, a->life);
    wr_u8(w, a->scp);
    wr_u8(w, a->i);
    wr_u16(w, a->parameter_len);
    wr_u16(w, a->block_count);
    wr_view32(w, view_of(a->stored, a->stored_len));
}

/* Tables 11-4 and 11-5: from SELECTABLE on an application has states of its own, all with the low three bits
 * set. */
static bool application_life_is_sound(uint8_t life)
{
    uint8_t state = life & (uint8_t)~STATE_LOCKED_BIT;
    return state == STATE_INSTALLED || (state & STATE_SELECTABLE) == STATE_SELECTABLE;
}

static bool has_code(struct card_state *s, const struct card_application *a)
{
    struct view package = card_aid_view(&a->package);
    return card_find_package(s, package) != NULL || card_is_domain_code(package, card_aid_view(&a->module));
}

enum err state_apply_application(struct card_state *s, struct reader *r)
{
    if (s->application_count == CARD_APPLICATIONS_MAX)
        return ERR_LIMIT;
    struct card_application *a = &s->applications[s->application_count];
    memset(a, 0, sizeof *a);
    state_read_aid(r, &a->aid);
    state_read_aid(r, &a->package);
    state_read_aid(r, &a->module);
    state_read_domain(r, &a->domain);
    rd_copy(r, a->privileges, sizeof a->privileges);
    a->life = rd_u8(r);
    a->scp = rd_u8(r);
    a->i = rd_u8(r);
    a->parameter_len = rd_u16(r);
    a->block_count = rd_u16(r);
    struct view stored = rd_view32(r, CARD_STORED_MAX);
    if (!rd_ok(r) || !application_life_is_sound(a->life) ||
        card_find_application(s, card_aid_view(&a->aid)) != NULL || !has_code(s, a))
        return ERR_FORMAT;
    a->stored = state_copy(stored);
    if (a->stored == NULL)
        return ERR_MEMORY;
    a->stored_len = (uint32_t)stored.len;
    s->application_count++;
    return OK;
}

void card_put_application_gone(struct writer *w, struct view aid)
{
    wr_u8(w, RECORD_APPLICATION_GONE);
    wr_view8(w, aid);
}

enum err state_apply_application_gone(struct card_state *s, struct reader *r)
{
    struct card_application *a = card_find_application(s, rd_view8(r, AID_MAX));
    if (!rd_ok(r) || a == NULL)
        return ERR_FORMAT;
    if (a->privileges[0] & PRIVILEGE_SECURITY_DOMAIN)
        state_drop_domain(s, card_aid_view(&a->aid));
    state_application_finish(a);
    struct card_application *last = &s->applications[--s->application_count];
    memmove(a, a + 1, (size_t)((uint8_t *)last - (uint8_t *)a));
    memset(last, 0, sizeof *last);
    return OK;
}

void card_put_application_life(struct writer *w, struct view aid, uint8_t life,
                               const uint8_t privileges[CARD_PRIVILEGES])
{
    wr_u8(w, RECORD_APPLICATION_LIFE);
    wr_view8(w, aid);
    wr_u8(w, life);
    wr_bytes(w, privileges, CARD_PRIVILEGES);
}

enum err state_apply_application_life(struct card_state *s, struct reader *r)
{
    struct card_application *a = card_find_application(s, rd_view8(r, AID_MAX));
    uint8_t life = rd_u8(r), privileges[CARD_PRIVILEGES];
    rd_copy(r, privileges, sizeof privileges);
    if (!rd_ok(r) || a == NULL || !application_life_is_sound(life))
        return ERR_FORMAT;
    a->life = life;
    memcpy(a->privileges, privileges, sizeof privileges);
    return OK;
}

void card_put_application_domain(struct writer *w, struct view aid, struct view domain)
{
    wr_u8(w, RECORD_APPLICATION_DOMAIN);
    wr_view8(w, aid);
    wr_view8(w, domain);
}

enum err state_apply_application_domain(struct card_state *s, struct reader *r)
{
    struct card_aid domain = {.len = 0};
    struct card_application *a = card_find_application(s, rd_view8(r, AID_MAX));
    state_read_domain(r, &domain);
    if (!rd_ok(r) || a == NULL || !card_has_domain(s, card_aid_view(&domain)))
        return ERR_FORMAT;
    a->domain = domain;
    return OK;
}

void card_put_block(struct writer *w, struct view aid, uint8_t p1, uint8_t p2, struct view data)
{
    wr_u8(w, RECORD_BLOCK);
    wr_view8(w, aid);
    wr_u8(w, p1);
    wr_u8(w, p2);
    wr_view16(w, data);
}

enum err state_apply_block(struct card_state *s, struct reader *r)
{
    struct card_application *a = card_find_application(s, rd_view8(r, AID_MAX));
    uint8_t p1 = rd_u8(r), p2 = rd_u8(r);
    struct view data = rd_view16(r, CARD_STORED_MAX);
    if (!rd_ok(r) || a == NULL)
        return ERR_FORMAT;
    struct writer w;
    wr_heap(&w, CARD_STORED_MAX);
    wr_bytes(&w, a->stored, a->stored_len);
    wr_u8(&w, p1);
    wr_u8(&w, p2);
    wr_view16(&w, data);
    uint8_t *stored = wr_ok(&w) && a->block_count < UINT16_MAX ? state_copy(wr_view_of(&w)) : NULL;
    enum err e = stored != NULL ? OK : ERR_LIMIT;
    if (e == OK) {
        wipe(a->stored, a->stored_len);
        free(a->stored);
        a->stored = stored;
        a->stored_len = (uint32_t)w.len;
        a->block_count++;
    }
    wr_free(&w);
    return e;
}
