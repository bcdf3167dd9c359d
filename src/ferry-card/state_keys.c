/* SPDX-License-Identifier: Apache-2.0
 *
 * Records of keys and data objects: what a security domain owns. */
#include <stdlib.h>
#include <string.h>

#include "state_records.h"

/* ---- key sets ---- */

static void read_secret(struct reader *r, struct secret *s)
{
    struct view v = rd_view8(r, 32);
    if ((v.len != 8 && v.len != 16 && v.len != 24 && v.len != 32) || secret_set(s, v) != OK)
        rd_fail(r);
}

struct card_keyset *card_find_keyset(struct card_state *s, struct view domain, uint8_t kvn)
{
    for (size_t i = 0; i < s->keyset_count; i++) {
        struct card_keyset *k = &s->keysets[i];
        if (card_domain_is(&k->domain, domain) && (kvn == 0 || k->kvn == kvn))
            return k;
    }
    return NULL;
}

void card_put_keyset(struct writer *w, const struct card_keyset *k)
{
    wr_u8(w, RECORD_KEYSET);
    wr_view8(w, card_aid_view(&k->domain));
    wr_u8(w, k->kvn);
    wr_u8(w, k->scp);
    wr_u8(w, k->i);
    wr_u32(w, k->counter);
    wr_u16(w, k->failures);
    wr_view8(w, secret_view(&k->enc));
    wr_view8(w, secret_view(&k->mac));
    wr_view8(w, secret_view(&k->dek));
}

/* Lengths of keys and the last value of the sequence counter: none in SCP01, 2 bytes in SCP02, 3 in SCP03. */
static const struct {
    uint8_t scp;
    uint8_t lens[3];
    uint32_t counter_max;
} protocol_rows[] = {{0x01, {8, 16}, 0}, {0x02, {16}, 0xFFFF}, {0x03, {16, 24, 32}, 0xFFFFFF}};

static bool counter_is_sound(uint8_t scp, uint32_t counter)
{
    for (size_t i = 0; i < sizeof protocol_rows / sizeof protocol_rows[0]; i++) {
        if (protocol_rows[i].scp == scp)
            return counter <= protocol_rows[i].counter_max;
    }
    return false;
}

static bool keyset_is_sound(const struct card_keyset *k)
{
    bool len = false;
    if (k->kvn == 0 || k->enc.len != k->mac.len || k->enc.len != k->dek.len || k->enc.len == 0)
        return false;
    for (size_t i = 0; i < sizeof protocol_rows / sizeof protocol_rows[0]; i++) {
        for (size_t n = 0; protocol_rows[i].scp == k->scp && n < 3; n++)
            len |= protocol_rows[i].lens[n] == k->enc.len;
    }
    return len && counter_is_sound(k->scp, k->counter);
}

static enum err keep_keyset(struct card_state *s, const struct card_keyset *k)
{
    struct card_keyset *at = card_find_keyset(s, card_aid_view(&k->domain), k->kvn);
    if (at == NULL && s->keyset_count == CARD_KEYSETS_MAX)
        return ERR_LIMIT;
    if (at == NULL)
        at = &s->keysets[s->keyset_count++];
    *at = *k;
    return OK;
}

enum err state_apply_keyset(struct card_state *s, struct reader *r)
{
    struct card_keyset k = {.kvn = 0};
    state_read_domain(r, &k.domain);
    k.kvn = rd_u8(r);
    k.scp = rd_u8(r);
    k.i = rd_u8(r);
    k.counter = rd_u32(r);
    k.failures = rd_u16(r);
    read_secret(r, &k.enc);
    read_secret(r, &k.mac);
    read_secret(r, &k.dek);
    bool sound = rd_ok(r) && keyset_is_sound(&k) && card_has_domain(s, card_aid_view(&k.domain));
    enum err e = sound ? keep_keyset(s, &k) : ERR_FORMAT;
    wipe(&k, sizeof k);
    return e;
}

void card_put_keyset_gone(struct writer *w, struct view domain, uint8_t kvn)
{
    wr_u8(w, RECORD_KEYSET_GONE);
    wr_view8(w, domain);
    wr_u8(w, kvn);
}

static void drop_keyset(struct card_state *s, struct card_keyset *k)
{
    struct card_keyset *last = &s->keysets[--s->keyset_count];
    memmove(k, k + 1, (size_t)((uint8_t *)last - (uint8_t *)k));
    wipe(last, sizeof *last);
}

enum err state_apply_keyset_gone(struct card_state *s, struct reader *r)
{
    struct view domain = rd_view8(r, AID_MAX);
    uint8_t kvn = rd_u8(r);
    struct card_keyset *k = kvn != 0 ? card_find_keyset(s, domain, kvn) : NULL;
    if (!rd_ok(r) || k == NULL)
        return ERR_FORMAT;
    drop_keyset(s, k);
    return OK;
}

void card_put_counters(struct writer *w, struct view domain, uint8_t kvn, uint32_t counter, uint16_t failures)
{
    wr_u8(w, RECORD_COUNTERS);
    wr_view8(w, domain);
    wr_u8(w, kvn);
    wr_u32(w, counter);
    wr_u16(w, failures);
}

enum err state_apply_counters(struct card_state *s, struct reader *r)
{
    struct view domain = rd_view8(r, AID_MAX);
    uint8_t kvn = rd_u8(r);
    uint32_t counter = rd_u32(r);
    uint16_t failures = rd_u16(r);
    struct card_keyset *k = kvn != 0 ? card_find_keyset(s, domain, kvn) : NULL;
    if (!rd_ok(r) || k == NULL || !counter_is_sound(k->scp, counter))
        return ERR_FORMAT;
    k->counter = counter;
    k->failures = failures;
    return OK;
}

/* ---- single keys ---- */

struct card_key *card_find_key(struct card_state *s, struct view domain, uint8_t kvn, uint8_t kid)
{
    for (size_t i = 0; i < s->key_count; i++) {
        struct card_key *k = &s->keys[i];
        if (card_domain_is(&k->domain, domain) && k->kvn == kvn && k->kid == kid)
            return k;
    }
    return NULL;
}

void state_key_finish(struct card_key *k)
{
    if (k->data != NULL)
        wipe(k->data, k->len);
    free(k->data);
    memset(k, 0, sizeof *k);
}

void card_put_key(struct writer *w, const struct card_key *k)
{
    wr_u8(w, RECORD_KEY);
    wr_view8(w, card_aid_view(&k->domain));
    wr_u8(w, k->kvn);
    wr_u8(w, k->kid);
    wr_u8(w, k->type);
    wr_u8(w, k->parameter);
    wr_view16(w, view_of(k->data, k->len));
}

static enum err keep_key(struct card_state *s, const struct card_key *k)
{
    struct card_key *at = card_find_key(s, card_aid_view(&k->domain), k->kvn, k->kid);
    if (at == NULL && s->key_count == CARD_KEYS_MAX)
        return ERR_LIMIT;
    if (at == NULL)
        at = &s->keys[s->key_count++];
    else
        state_key_finish(at);
    *at = *k;
    return OK;
}

enum err state_apply_key(struct card_state *s, struct reader *r)
{
    struct card_key k = {.kvn = 0};
    state_read_domain(r, &k.domain);
    k.kvn = rd_u8(r);
    k.kid = rd_u8(r);
    k.type = rd_u8(r);
    k.parameter = rd_u8(r);
    struct view data = rd_view16(r, CARD_KEY_MAX);
    if (!rd_ok(r) || k.kvn == 0 || data.len == 0 || !card_has_domain(s, card_aid_view(&k.domain)))
        return ERR_FORMAT;
    k.data = state_copy(data);
    if (k.data == NULL)
        return ERR_MEMORY;
    k.len = (uint16_t)data.len;
    enum err e = keep_key(s, &k);
    if (e != OK)
        state_key_finish(&k);
    return e;
}

void card_put_key_gone(struct writer *w, struct view domain, uint8_t kvn, uint8_t kid)
{
    wr_u8(w, RECORD_KEY_GONE);
    wr_view8(w, domain);
    wr_u8(w, kvn);
    wr_u8(w, kid);
}

static void drop_key(struct card_state *s, struct card_key *k)
{
    state_key_finish(k);
    struct card_key *last = &s->keys[--s->key_count];
    memmove(k, k + 1, (size_t)((uint8_t *)last - (uint8_t *)k));
    memset(last, 0, sizeof *last);
}

enum err state_apply_key_gone(struct card_state *s, struct reader *r)
{
    struct view domain = rd_view8(r, AID_MAX);
    uint8_t kvn = rd_u8(r), kid = rd_u8(r);
    struct card_key *k = card_find_key(s, domain, kvn, kid);
    if (!rd_ok(r) || k == NULL)
        return ERR_FORMAT;
    drop_key(s, k);
    return OK;
}

/* ---- objects ---- */

const struct card_object *card_find_certificate(const struct card_state *s, struct view domain, uint16_t tag,
                                                uint8_t kvn, uint8_t kid)
{
    for (size_t i = 0; i < s->object_count; i++) {
        const struct card_object *o = &s->objects[i];
        if (o->tag == tag && o->kvn == kvn && o->kid == kid && card_domain_is(&o->domain, domain))
            return o;
    }
    return NULL;
}

const struct card_object *card_find_object(const struct card_state *s, struct view domain, uint16_t tag)
{
    return card_find_certificate(s, domain, tag, 0, 0);
}

void state_object_finish(struct card_object *o)
{
    free(o->data);
    memset(o, 0, sizeof *o);
}

void card_put_certificate(struct writer *w, struct view domain, uint16_t tag, uint8_t kvn, uint8_t kid,
                          struct view value)
{
    wr_u8(w, RECORD_OBJECT);
    wr_view8(w, domain);
    wr_u16(w, tag);
    wr_u8(w, kvn);
    wr_u8(w, kid);
    wr_view16(w, value);
}

void card_put_object(struct writer *w, struct view domain, uint16_t tag, struct view value)
{
    card_put_certificate(w, domain, tag, 0, 0, value);
}

static void drop_object(struct card_state *s, struct card_object *o)
{
    state_object_finish(o);
    struct card_object *last = &s->objects[--s->object_count];
    memmove(o, o + 1, (size_t)((uint8_t *)last - (uint8_t *)o));
    memset(last, 0, sizeof *last);
}

static enum err keep_object(struct card_state *s, struct card_object *at, const struct card_object *o)
{
    if (at == NULL && s->object_count == CARD_OBJECTS_MAX)
        return ERR_LIMIT;
    if (at == NULL)
        at = &s->objects[s->object_count++];
    else
        state_object_finish(at);
    *at = *o;
    return OK;
}

enum err state_apply_object(struct card_state *s, struct reader *r)
{
    struct card_object o = {.tag = 0};
    state_read_domain(r, &o.domain);
    o.tag = rd_u16(r);
    o.kvn = rd_u8(r);
    o.kid = rd_u8(r);
    struct view value = rd_view16(r, CARD_OBJECT_MAX), domain = card_aid_view(&o.domain);
    if (!rd_ok(r) || !card_has_domain(s, domain))
        return ERR_FORMAT;
    const struct card_object *old = card_find_certificate(s, domain, o.tag, o.kvn, o.kid);
    struct card_object *at = old != NULL ? &s->objects[old - s->objects] : NULL;
    if (value.len == 0) {
        if (at != NULL)
            drop_object(s, at);
        return OK;
    }
    o.data = state_copy(value);
    if (o.data == NULL)
        return ERR_MEMORY;
    o.len = (uint16_t)value.len;
    enum err e = keep_object(s, at, &o);
    if (e != OK)
        state_object_finish(&o);
    return e;
}

/* ---- all of a domain ---- */

void state_drop_domain(struct card_state *s, struct view domain)
{
    for (size_t i = s->keyset_count; i-- > 0;) {
        if (card_domain_is(&s->keysets[i].domain, domain))
            drop_keyset(s, &s->keysets[i]);
    }
    for (size_t i = s->key_count; i-- > 0;) {
        if (card_domain_is(&s->keys[i].domain, domain))
            drop_key(s, &s->keys[i]);
    }
    for (size_t i = s->object_count; i-- > 0;) {
        if (card_domain_is(&s->objects[i].domain, domain))
            drop_object(s, &s->objects[i]);
    }
}
