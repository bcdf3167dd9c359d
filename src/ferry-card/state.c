/* SPDX-License-Identifier: Apache-2.0
 *
 * Records of a card's memory: writing, reading and applying each stands side by side, so that the file format
 * is in one place. */
#include "state.h"

#include <stdlib.h>
#include <string.h>

enum record {
    RECORD_PROFILE = 0x01,
    RECORD_LIFE = 0x02,
    RECORD_KEYSET = 0x03,
    RECORD_COUNTERS = 0x04,
    RECORD_OBJECT = 0x05,
    RECORD_KEYSET_GONE = 0x06,
    RECORD_PACKAGE = 0x10,
    RECORD_PACKAGE_GONE = 0x11,
    RECORD_APPLICATION = 0x20,
    RECORD_APPLICATION_GONE = 0x21,
    RECORD_APPLICATION_LIFE = 0x22,
    RECORD_BLOCK = 0x23
};

/* More memory than any chip card has; with CARD_FRAME_MAX it bounds the file. */
enum { MEMORY_MAX = 16 * 1024 * 1024, SCP02_COUNTER_MAX = 0xFFFF, SCP03_COUNTER_MAX = 0xFFFFFF };

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

void card_state_init(struct card_state *s)
{
    memset(s, 0, sizeof *s);
}

static void application_finish(struct card_application *a)
{
    if (a->stored != NULL)
        wipe(a->stored, a->stored_len);
    free(a->stored);
    memset(a, 0, sizeof *a);
}

static void package_finish(struct card_package *p)
{
    free(p->code);
    memset(p, 0, sizeof *p);
}

void card_state_finish(struct card_state *s)
{
    for (size_t i = 0; i < s->package_count; i++)
        package_finish(&s->packages[i]);
    for (size_t i = 0; i < s->application_count; i++)
        application_finish(&s->applications[i]);
    wipe(s, sizeof *s);
}

/* ---- fields ---- */

static void put_aid(struct writer *w, const struct card_aid *a)
{
    wr_view8(w, card_aid_view(a));
}

static void read_aid(struct reader *r, struct card_aid *a)
{
    if (!card_aid_set(a, rd_view8(r, AID_MAX)))
        rd_fail(r);
}

static void read_secret(struct reader *r, struct secret *s)
{
    struct view v = rd_view8(r, 32);
    if ((v.len != 16 && v.len != 24 && v.len != 32) || secret_set(s, v) != OK)
        rd_fail(r);
}

static uint8_t *copy_of(struct view v)
{
    uint8_t *copy = malloc(v.len != 0 ? v.len : 1);
    if (copy != NULL && v.len != 0)
        memcpy(copy, v.data, v.len);
    return copy;
}

/* ---- profile, life cycle, objects ---- */

void card_put_profile(struct writer *w, const struct card_profile *p)
{
    wr_u8(w, RECORD_PROFILE);
    wr_view8(w, view_str(p->name));
    wr_u8(w, p->java_card);
    wr_u8(w, p->flags);
    wr_u16(w, p->max_failures);
    wr_u32(w, p->memory);
    put_aid(w, &p->isd);
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
    read_aid(r, &p.isd);
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

const struct card_object *card_find_object(const struct card_state *s, uint16_t tag)
{
    for (size_t i = 0; i < s->object_count; i++) {
        if (s->objects[i].tag == tag)
            return &s->objects[i];
    }
    return NULL;
}

void card_put_object(struct writer *w, uint16_t tag, struct view value)
{
    wr_u8(w, RECORD_OBJECT);
    wr_u16(w, tag);
    wr_view8(w, value);
}

static enum err apply_object(struct card_state *s, struct reader *r)
{
    struct card_object o = {.tag = rd_u16(r)};
    struct view value = rd_view8(r, CARD_OBJECT_MAX);
    if (!rd_ok(r))
        return ERR_FORMAT;
    if (value.len != 0)
        memcpy(o.data, value.data, value.len);
    o.len = (uint8_t)value.len;
    const struct card_object *old = card_find_object(s, o.tag);
    if (old == NULL && s->object_count == CARD_OBJECTS_MAX)
        return ERR_LIMIT;
    size_t at = old != NULL ? (size_t)(old - s->objects) : s->object_count++;
    s->objects[at] = o;
    return OK;
}

/* ---- keys ---- */

struct card_keyset *card_find_keyset(struct card_state *s, uint8_t kvn)
{
    for (size_t i = 0; i < s->keyset_count; i++) {
        if (kvn == 0 || s->keysets[i].kvn == kvn)
            return &s->keysets[i];
    }
    return NULL;
}

void card_put_keyset(struct writer *w, const struct card_keyset *k)
{
    wr_u8(w, RECORD_KEYSET);
    wr_u8(w, k->kvn);
    wr_u8(w, k->scp);
    wr_u8(w, k->i);
    wr_u32(w, k->counter);
    wr_u16(w, k->failures);
    wr_view8(w, secret_view(&k->enc));
    wr_view8(w, secret_view(&k->mac));
    wr_view8(w, secret_view(&k->dek));
}

static bool keyset_is_sound(const struct card_keyset *k)
{
    if (k->kvn == 0 || k->enc.len != k->mac.len || k->enc.len != k->dek.len)
        return false;
    if (k->scp == 0x02)
        return k->enc.len == 16 && k->counter <= SCP02_COUNTER_MAX;
    return k->scp == 0x03 && k->counter <= SCP03_COUNTER_MAX;
}

static enum err apply_keyset(struct card_state *s, struct reader *r)
{
    struct card_keyset k = {.kvn = rd_u8(r), .scp = rd_u8(r), .i = rd_u8(r)};
    k.counter = rd_u32(r);
    k.failures = rd_u16(r);
    read_secret(r, &k.enc);
    read_secret(r, &k.mac);
    read_secret(r, &k.dek);
    enum err e = rd_ok(r) && keyset_is_sound(&k) ? OK : ERR_FORMAT;
    struct card_keyset *old = e == OK ? card_find_keyset(s, k.kvn) : NULL;
    if (e == OK && old == NULL) {
        if (s->keyset_count == CARD_KEYSETS_MAX)
            e = ERR_LIMIT;
        else
            old = &s->keysets[s->keyset_count++];
    }
    if (e == OK)
        *old = k;
    wipe(&k, sizeof k);
    return e;
}

void card_put_keyset_gone(struct writer *w, uint8_t kvn)
{
    wr_u8(w, RECORD_KEYSET_GONE);
    wr_u8(w, kvn);
}

static enum err apply_keyset_gone(struct card_state *s, struct reader *r)
{
    uint8_t kvn = rd_u8(r);
    struct card_keyset *k = kvn != 0 ? card_find_keyset(s, kvn) : NULL;
    if (!rd_ok(r) || k == NULL)
        return ERR_FORMAT;
    struct card_keyset *last = &s->keysets[--s->keyset_count];
    memmove(k, k + 1, (size_t)((uint8_t *)last - (uint8_t *)k));
    wipe(last, sizeof *last);
    return OK;
}

void card_put_counters(struct writer *w, uint8_t kvn, uint32_t counter, uint16_t failures)
{
    wr_u8(w, RECORD_COUNTERS);
    wr_u8(w, kvn);
    wr_u32(w, counter);
    wr_u16(w, failures);
}

static enum err apply_counters(struct card_state *s, struct reader *r)
{
    uint8_t kvn = rd_u8(r);
    uint32_t counter = rd_u32(r);
    uint16_t failures = rd_u16(r);
    struct card_keyset *k = kvn != 0 ? card_find_keyset(s, kvn) : NULL;
    if (!rd_ok(r) || k == NULL || counter > (k->scp == 0x02 ? SCP02_COUNTER_MAX : SCP03_COUNTER_MAX))
        return ERR_FORMAT;
    k->counter = counter;
    k->failures = failures;
    return OK;
}

/* ---- packages ---- */

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
    put_aid(w, &p->aid);
    wr_u8(w, p->major);
    wr_u8(w, p->minor);
    wr_u8(w, p->module_count);
    for (size_t i = 0; i < p->module_count; i++)
        put_aid(w, &p->modules[i]);
    wr_u8(w, p->import_count);
    for (size_t i = 0; i < p->import_count; i++) {
        put_aid(w, &p->imports[i].aid);
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
        read_aid(r, &p->modules[i]);
}

static void read_imports(struct reader *r, struct card_package *p)
{
    p->import_count = rd_u8(r);
    if (p->import_count > CAP_IMPORTS_MAX)
        rd_fail(r);
    for (size_t i = 0; rd_ok(r) && i < p->import_count; i++) {
        read_aid(r, &p->imports[i].aid);
        p->imports[i].major = rd_u8(r);
        p->imports[i].minor = rd_u8(r);
    }
}

static enum err apply_package(struct card_state *s, struct reader *r)
{
    if (s->package_count == CARD_PACKAGES_MAX)
        return ERR_LIMIT;
    struct card_package *p = &s->packages[s->package_count];
    memset(p, 0, sizeof *p);
    read_aid(r, &p->aid);
    p->major = rd_u8(r);
    p->minor = rd_u8(r);
    read_modules(r, p);
    read_imports(r, p);
    rd_copy(r, p->hash, sizeof p->hash);
    struct view code = rd_view32(r, LOAD_FILE_MAX);
    if (!rd_ok(r) || card_find_package(s, card_aid_view(&p->aid)) != NULL)
        return ERR_FORMAT;
    p->code = copy_of(code);
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

static enum err apply_package_gone(struct card_state *s, struct reader *r)
{
    struct card_package *p = card_find_package(s, rd_view8(r, AID_MAX));
    if (!rd_ok(r) || p == NULL)
        return ERR_FORMAT;
    package_finish(p);
    struct card_package *last = &s->packages[--s->package_count];
    memmove(p, p + 1, (size_t)((uint8_t *)last - (uint8_t *)p));
    memset(last, 0, sizeof *last);
    return OK;
}

/* ---- applications ---- */

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
    put_aid(w, &a->aid);
    put_aid(w, &a->package);
    put_aid(w, &a->module);
    wr_bytes(w, a->privileges, sizeof a->privileges);
    wr_u8(w, a->life);
    wr_u16(w, a->parameter_len);
    wr_u16(w, a->block_count);
    wr_view32(w, view_of(a->stored, a->stored_len));
}

static bool application_life_is_sound(uint8_t life)
{
    uint8_t state = life & (uint8_t)~STATE_LOCKED_BIT;
    return state == STATE_INSTALLED || state == STATE_SELECTABLE;
}

static enum err apply_application(struct card_state *s, struct reader *r)
{
    if (s->application_count == CARD_APPLICATIONS_MAX)
        return ERR_LIMIT;
    struct card_application *a = &s->applications[s->application_count];
    memset(a, 0, sizeof *a);
    read_aid(r, &a->aid);
    read_aid(r, &a->package);
    read_aid(r, &a->module);
    rd_copy(r, a->privileges, sizeof a->privileges);
    a->life = rd_u8(r);
    a->parameter_len = rd_u16(r);
    a->block_count = rd_u16(r);
    struct view stored = rd_view32(r, CARD_STORED_MAX);
    if (!rd_ok(r) || !application_life_is_sound(a->life) ||
        card_find_application(s, card_aid_view(&a->aid)) != NULL ||
        card_find_package(s, card_aid_view(&a->package)) == NULL)
        return ERR_FORMAT;
    a->stored = copy_of(stored);
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

static enum err apply_application_gone(struct card_state *s, struct reader *r)
{
    struct card_application *a = card_find_application(s, rd_view8(r, AID_MAX));
    if (!rd_ok(r) || a == NULL)
        return ERR_FORMAT;
    application_finish(a);
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

static enum err apply_application_life(struct card_state *s, struct reader *r)
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

void card_put_block(struct writer *w, struct view aid, uint8_t p1, uint8_t p2, struct view data)
{
    wr_u8(w, RECORD_BLOCK);
    wr_view8(w, aid);
    wr_u8(w, p1);
    wr_u8(w, p2);
    wr_view16(w, data);
}

static enum err apply_block(struct card_state *s, struct reader *r)
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
    uint8_t *stored = wr_ok(&w) && a->block_count < UINT16_MAX ? copy_of(wr_view_of(&w)) : NULL;
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

/* ---- the whole ---- */

static const struct {
    uint8_t type;
    enum err (*apply)(struct card_state *s, struct reader *r);
} record_rows[] = {{RECORD_PROFILE, apply_profile},
                   {RECORD_LIFE, apply_life},
                   {RECORD_KEYSET, apply_keyset},
                   {RECORD_COUNTERS, apply_counters},
                   {RECORD_KEYSET_GONE, apply_keyset_gone},
                   {RECORD_OBJECT, apply_object},
                   {RECORD_PACKAGE, apply_package},
                   {RECORD_PACKAGE_GONE, apply_package_gone},
                   {RECORD_APPLICATION, apply_application},
                   {RECORD_APPLICATION_GONE, apply_application_gone},
                   {RECORD_APPLICATION_LIFE, apply_application_life},
                   {RECORD_BLOCK, apply_block}};

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
    card_put_life(w, s->life);
    for (size_t i = 0; i < s->keyset_count; i++)
        card_put_keyset(w, &s->keysets[i]);
    for (size_t i = 0; i < s->object_count; i++)
        card_put_object(w, s->objects[i].tag, view_of(s->objects[i].data, s->objects[i].len));
    for (size_t i = 0; i < s->package_count; i++)
        card_put_package(w, &s->packages[i]);
    for (size_t i = 0; i < s->application_count; i++)
        card_put_application(w, &s->applications[i]);
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
