/* SPDX-License-Identifier: Apache-2.0
 *
 * Records of a card's memory: writing, reading and applying each stands side by side, so that the file format
 * is in one place. */
#include <stdlib.h>
#include <string.h>

#include "quirks.h"
#include "state_records.h"

/* More memory than any chip card has; with CARD_FRAME_MAX it bounds the file. */
enum { MEMORY_MAX = 16 * 1024 * 1024 };

struct view card_aid_view(const struct card_aid *a)
{
    return view_of(a->data, a->len);
}

bool card_aid_set(struct card_aid *a, struct view v)
{
    if (v.len < AID_MIN || v.len > AID_MAX)
        return false;
    memset(a, 0, sizeof *a);
    memcpy(a->data, v.data, v.len);
    a->len = (uint8_t)v.len;
    return true;
}

bool card_aid_is(const struct card_aid *a, struct view v)
{
    return a->len != 0 && view_equal(card_aid_view(a), v);
}

bool card_domain_is(const struct card_aid *domain, struct view v)
{
    return view_equal(card_aid_view(domain), v);
}

void card_state_init(struct card_state *s)
{
    memset(s, 0, sizeof *s);
}

void card_state_finish(struct card_state *s)
{
    for (size_t i = 0; i < s->key_count; i++)
        state_key_finish(&s->keys[i]);
    for (size_t i = 0; i < s->object_count; i++)
        state_object_finish(&s->objects[i]);
    for (size_t i = 0; i < s->package_count; i++)
        state_package_finish(&s->packages[i]);
    for (size_t i = 0; i < s->application_count; i++)
        state_application_finish(&s->applications[i]);
    wipe(s, sizeof *s);
}

/* ---- fields ---- */

void state_read_aid(struct reader *r, struct card_aid *a)
{
    if (!card_aid_set(a, rd_view8(r, AID_MAX)))
        rd_fail(r);
}

void state_read_domain(struct reader *r, struct card_aid *a)
{
    if (rd_peek(r) == 0)
        (void)rd_u8(r);
    else
        state_read_aid(r, a);
}

uint8_t *state_copy(struct view v)
{
    uint8_t *copy = malloc(v.len != 0 ? v.len : 1);
    if (copy != NULL && v.len != 0)
        memcpy(copy, v.data, v.len);
    return copy;
}

/* ---- profile, life cycle ---- */

void card_put_profile(struct writer *w, const struct card_profile *p)
{
    wr_u8(w, RECORD_PROFILE);
    wr_view8(w, view_str(p->name));
    wr_u8(w, p->java_card);
    wr_u8(w, p->flags);
    wr_u16(w, p->max_failures);
    wr_u32(w, p->memory);
    wr_view8(w, card_aid_view(&p->isd));
    wr_bytes(w, p->kdd, sizeof p->kdd);
    wr_view8(w, view_of(p->historical, p->historical_len));
}

/* Names stand in what the card shows: letters, digits and a few marks, nothing that could be taken for
 * syntax. */
static bool name_is_sound(struct view name)
{
    for (size_t i = 0; i < name.len; i++) {
        uint8_t b = name.data[i];
        bool letter = (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9');
        if (!letter && b != '-' && b != '.' && b != '_')
            return false;
    }
    return true;
}

static enum err apply_profile(struct card_state *s, struct reader *r)
{
    struct card_profile p = {0};
    struct view name = rd_view8(r, CARD_NAME_MAX);
    if (name.len != 0)
        memcpy(p.name, name.data, name.len);
    p.java_card = rd_u8(r);
    p.flags = rd_u8(r);
    p.max_failures = rd_u16(r);
    p.memory = rd_u32(r);
    state_read_aid(r, &p.isd);
    rd_copy(r, p.kdd, sizeof p.kdd);
    struct view historical = rd_view8(r, CARD_HISTORICAL_MAX);
    if (historical.len != 0)
        memcpy(p.historical, historical.data, historical.len);
    p.historical_len = (uint8_t)historical.len;
    if (!rd_ok(r) || !name_is_sound(name) || (p.flags & ~CARD_FLAGS_ALL) != 0 || p.memory > MEMORY_MAX)
        return ERR_FORMAT;
    s->profile = p;
    return OK;
}

void card_put_life(struct writer *w, uint8_t life)
{
    wr_u8(w, RECORD_LIFE);
    wr_u8(w, life);
}

static enum err apply_life(struct card_state *s, struct reader *r)
{
    static const uint8_t lives[] = {LIFE_OP_READY, LIFE_INITIALIZED, LIFE_SECURED, LIFE_CARD_LOCKED,
                                    LIFE_TERMINATED};
    uint8_t life = rd_u8(r);
    for (size_t i = 0; i < sizeof lives; i++) {
        if (rd_ok(r) && lives[i] == life) {
            s->life = life;
            return OK;
        }
    }
    return ERR_FORMAT;
}

void card_put_confirmations(struct writer *w, uint16_t n)
{
    wr_u8(w, RECORD_CONFIRMATIONS);
    wr_u16(w, n);
}

void card_put_quirks(struct writer *w, uint32_t quirks)
{
    wr_u8(w, RECORD_QUIRKS);
    wr_u32(w, quirks);
}

static enum err apply_quirks(struct card_state *s, struct reader *r)
{
    uint32_t quirks = rd_u32(r);
    if (!rd_ok(r) || (quirks & ~(uint32_t)QUIRKS_ALL) != 0)
        return ERR_FORMAT;
    s->profile.quirks = quirks;
    return OK;
}

static enum err apply_confirmations(struct card_state *s, struct reader *r)
{
    uint16_t n = rd_u16(r);
    if (!rd_ok(r))
        return ERR_FORMAT;
    s->confirmations = n;
    return OK;
}

bool card_has_domain(const struct card_state *s, struct view domain)
{
    for (size_t i = 0; i < s->application_count; i++) {
        const struct card_application *a = &s->applications[i];
        if (card_aid_is(&a->aid, domain))
            return (a->privileges[0] & PRIVILEGE_SECURITY_DOMAIN) != 0;
    }
    return domain.len == 0;
}

bool card_state_is_whole(const struct card_state *s)
{
    bool whole = true;
    for (size_t i = 0; i < s->package_count; i++)
        whole &= card_has_domain(s, card_aid_view(&s->packages[i].domain));
    for (size_t i = 0; i < s->application_count; i++)
        whole &= card_has_domain(s, card_aid_view(&s->applications[i].domain));
    for (size_t i = 0; i < s->keyset_count; i++)
        whole &= card_has_domain(s, card_aid_view(&s->keysets[i].domain));
    for (size_t i = 0; i < s->key_count; i++)
        whole &= card_has_domain(s, card_aid_view(&s->keys[i].domain));
    for (size_t i = 0; i < s->object_count; i++)
        whole &= card_has_domain(s, card_aid_view(&s->objects[i].domain));
    return whole;
}

/* ---- the whole ---- */

static const struct {
    uint8_t type;
    card_record_apply *apply;
} record_rows[] = {{RECORD_PROFILE, apply_profile},
                   {RECORD_LIFE, apply_life},
                   {RECORD_QUIRKS, apply_quirks},
                   {RECORD_CONFIRMATIONS, apply_confirmations},
                   {RECORD_KEYSET, state_apply_keyset},
                   {RECORD_COUNTERS, state_apply_counters},
                   {RECORD_KEYSET_GONE, state_apply_keyset_gone},
                   {RECORD_KEY, state_apply_key},
                   {RECORD_KEY_GONE, state_apply_key_gone},
                   {RECORD_OBJECT, state_apply_object},
                   {RECORD_PACKAGE, state_apply_package},
                   {RECORD_PACKAGE_GONE, state_apply_package_gone},
                   {RECORD_PACKAGE_DOMAIN, state_apply_package_domain},
                   {RECORD_APPLICATION, state_apply_application},
                   {RECORD_APPLICATION_GONE, state_apply_application_gone},
                   {RECORD_APPLICATION_LIFE, state_apply_application_life},
                   {RECORD_APPLICATION_DOMAIN, state_apply_application_domain},
                   {RECORD_BLOCK, state_apply_block}};

static enum err apply_one(struct card_state *s, struct reader *r)
{
    uint8_t type = rd_u8(r);
    for (size_t i = 0; i < sizeof record_rows / sizeof record_rows[0]; i++) {
        if (record_rows[i].type == type)
            return record_rows[i].apply(s, r);
    }
    return ERR_FORMAT;
}

enum err card_state_apply(struct card_state *s, struct view records)
{
    struct reader r;
    rd_init(&r, records);
    enum err e = OK;
    while (e == OK && rd_left(&r) != 0)
        e = apply_one(s, &r);
    return e;
}

void card_state_put(const struct card_state *s, struct writer *w)
{
    card_put_profile(w, &s->profile);
    card_put_quirks(w, s->profile.quirks);
    card_put_life(w, s->life);
    card_put_confirmations(w, s->confirmations);
    for (size_t i = 0; i < s->package_count; i++)
        card_put_package(w, &s->packages[i]);
    for (size_t i = 0; i < s->application_count; i++)
        card_put_application(w, &s->applications[i]);
    for (size_t i = 0; i < s->keyset_count; i++)
        card_put_keyset(w, &s->keysets[i]);
    for (size_t i = 0; i < s->key_count; i++)
        card_put_key(w, &s->keys[i]);
    for (size_t i = 0; i < s->object_count; i++) {
        const struct card_object *o = &s->objects[i];
        card_put_certificate(w, card_aid_view(&o->domain), o->tag, o->kvn, o->kid, view_of(o->data, o->len));
    }
}

uint32_t card_memory_used(const struct card_state *s)
{
    uint64_t used = 0;
    for (size_t i = 0; i < s->package_count; i++)
        used += CARD_PACKAGE_COST + s->packages[i].code_len;
    for (size_t i = 0; i < s->application_count; i++)
        used += CARD_APPLICATION_COST + (uint64_t)s->applications[i].parameter_len +
                s->applications[i].stored_len;
    return used > UINT32_MAX ? UINT32_MAX : (uint32_t)used;
}

uint32_t card_memory_free(const struct card_state *s)
{
    uint32_t used = card_memory_used(s);
    return used < s->profile.memory ? s->profile.memory - used : 0;
}
