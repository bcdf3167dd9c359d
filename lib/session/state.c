/* SPDX-License-Identifier: Apache-2.0
 *
 * A session at rest as bytes, for the store. Reading and writing stand side by side, field by field. The
 * bytes hold no key that is not sealed, but challenges and plain commands: they belong into the store only.
 */
#include <stdlib.h>
#include <string.h>

#include "parts.h"

enum { FORMAT_VERSION = 2, REGISTRY_BYTES_MAX = 128 * 1024 };

/* Flags of a session, in the order of their bits. */
/* clang-format off */
#define FLAG_LIST(X) \
    X(counted) \
    X(registry_known) \
    X(registry_fresh) \
    X(registry_proven) \
    X(listed_proven) \
    X(looking) \
    X(asking_memory) \
    X(look_first) \
    X(changed) \
    X(unproven) \
    X(channel_proven) \
    X(number_proven) \
    X(tried_again) \
    X(torn)
/* clang-format on */

static void put_text(struct writer *w, const char *text)
{
    wr_view16(w, view_str(text));
}

/* Text without an end or a NUL in it is malformed. */
static void get_text(struct reader *r, char *out, size_t room)
{
    struct view v = rd_view16(r, room - 1);
    memset(out, 0, room);
    if (v.len > 0)
        memcpy(out, v.data, v.len);
    if (strlen(out) != v.len)
        rd_fail(r);
}

static void get_fixed(struct reader *r, uint8_t *out, size_t room, size_t *len)
{
    struct view v = rd_view16(r, room);
    if (v.len > 0)
        memcpy(out, v.data, v.len);
    *len = v.len;
}

static void put_flags(struct writer *w, const struct session *s)
{
    uint16_t flags = 0;
    unsigned bit = 0;
#define PUT(flag) flags = (uint16_t)(flags | (s->flag ? 1U : 0U) << bit++);
    FLAG_LIST(PUT)
#undef PUT
    wr_u16(w, flags);
}

static void get_flags(struct reader *r, struct session *s)
{
    uint16_t flags = rd_u16(r);
    unsigned bit = 0;
#define GET(flag) s->flag = (flags >> bit++ & 1) != 0;
    FLAG_LIST(GET)
#undef GET
    if (flags >> bit != 0)
        rd_fail(r);
}

static void put_order(struct writer *w, const struct session_order *o)
{
    wr_u8(w, (uint8_t)o->purpose);
    put_text(w, o->app);
    put_text(w, o->card);
    put_text(w, o->type);
    wr_u16(w, (uint16_t)(o->level + 1));
}

static void get_order(struct reader *r, struct session_order *o)
{
    uint8_t purpose = rd_u8(r);
    if (purpose > PLAN_INSPECT)
        rd_fail(r);
    o->purpose = (enum plan_purpose)purpose;
    get_text(r, o->app, sizeof(o->app));
    get_text(r, o->card, sizeof(o->card));
    get_text(r, o->type, sizeof(o->type));
    o->level = rd_u16(r) - 1;
    if (o->level > 0xFF)
        rd_fail(r);
}

static void put_type(struct writer *w, const struct session_type *t)
{
    put_text(w, t->name);
    wr_view8(w, aid_view(&t->isd));
    wr_u8(w, t->scp);
    wr_u8(w, t->i);
    wr_u8(w, t->kvn);
    wr_u8(w, t->level);
    put_text(w, t->key);
    put_text(w, t->trust);
    wr_u8(w, (uint8_t)t->kdf);
    wr_u8(w, t->kid);
    wr_u8(w, t->session_key_len);
    wr_u8(w, t->ca_kvn);
    wr_u8(w, t->ca_kid);
    wr_view16(w, view_of(t->certificates, t->certificates_len));
    put_text(w, t->java_card);
    wr_u32(w, t->quirks);
    wr_u8(w, t->block_size);
    wr_u8(w, t->identify_first ? 1 : 0);
    wr_u32(w, t->max_openings);
}

static void get_type(struct reader *r, struct session_type *t)
{
    get_text(r, t->name, sizeof(t->name));
    struct view isd = rd_view8(r, AID_MAX);
    if (isd.len > 0 && aid_set(&t->isd, isd) != OK)
        rd_fail(r);
    t->scp = rd_u8(r);
    t->i = rd_u8(r);
    t->kvn = rd_u8(r);
    t->level = rd_u8(r);
    get_text(r, t->key, sizeof(t->key));
    get_text(r, t->trust, sizeof(t->trust));
    uint8_t kdf = rd_u8(r);
    if (kdf >= KDF_COUNT)
        rd_fail(r);
    t->kdf = (enum kdf)kdf;
    t->kid = rd_u8(r);
    t->session_key_len = rd_u8(r);
    t->ca_kvn = rd_u8(r);
    t->ca_kid = rd_u8(r);
    get_fixed(r, t->certificates, sizeof(t->certificates), &t->certificates_len);
    get_text(r, t->java_card, sizeof(t->java_card));
    t->quirks = rd_u32(r);
    t->block_size = rd_u8(r);
    uint8_t first = rd_u8(r);
    if (first > 1)
        rd_fail(r);
    t->identify_first = first == 1;
    t->max_openings = rd_u32(r);
}

static void put_card(struct writer *w, const struct session *s)
{
    wr_view8(w, view_of(s->atr, s->atr_len));
    put_text(w, s->card);
    for (size_t n = 0; n < IDENTITY_COMMANDS; n++)
        wr_view16(w, view_of(s->answers[n].data, s->answers[n].len));
    wr_u8(w, s->asked);
    wr_view16(w, wr_view_of(&s->opening));
    wr_view16(w, wr_view_of(&s->opening_commands));
    wr_u8(w, (uint8_t)s->opening_count);
    wr_bytes(w, s->kdd, sizeof(s->kdd));
}

static void get_card(struct reader *r, struct session *s)
{
    struct view atr = rd_view8(r, ATR_MAX);
    if (atr.len > 0)
        memcpy(s->atr, atr.data, atr.len);
    s->atr_len = atr.len;
    get_text(r, s->card, sizeof(s->card));
    for (size_t n = 0; n < IDENTITY_COMMANDS; n++)
        get_fixed(r, s->answers[n].data, sizeof(s->answers[n].data), &s->answers[n].len);
    s->asked = rd_u8(r);
    wr_view(&s->opening, rd_view16(r, SEALED_OPENING_MAX));
    wr_view(&s->opening_commands, rd_view16(r, OPENING_BYTES_MAX));
    s->opening_count = rd_u8(r);
    if (s->opening_count > OPENING_COMMANDS_MAX)
        rd_fail(r);
    rd_copy(r, s->kdd, sizeof(s->kdd));
}

static enum err put_identity(struct writer *w, const struct identity *id)
{
    size_t at = w->len;
    wr_u16(w, 0);
    enum err e = identity_encode(id, w);
    if (e != OK)
        return e;
    struct writer len;
    if (!wr_ok(w) || w->len - at - 2 > UINT16_MAX)
        return ERR_LIMIT;
    wr_fixed(&len, w->data + at, 2);
    wr_u16(&len, (uint16_t)(w->len - at - 2));
    return OK;
}

static enum err put_registry(struct writer *w, const struct session *s)
{
    struct writer bytes;
    enum err e = OK;
    wr_heap(&bytes, REGISTRY_BYTES_MAX);
    if (s->registry_known)
        e = registry_encode(&s->registry, &bytes);
    if (e == OK)
        e = wr_status(&bytes);
    wr_view32(w, wr_view_of(&bytes));
    wr_free(&bytes);
    return e;
}

static enum err get_registry(struct reader *r, struct session *s)
{
    struct view v = rd_view32(r, REGISTRY_BYTES_MAX);
    if (!s->registry_known)
        return v.len == 0 ? OK : ERR_FORMAT;
    return registry_decode(&s->registry, v);
}

static void put_places(struct writer *w, const struct session *s)
{
    wr_u8(w, (uint8_t)s->place_count);
    for (size_t n = 0; n < s->place_count; n++) {
        const struct session_place *p = &s->places[n];
        wr_u32(w, (uint32_t)p->place.command);
        wr_u32(w, (uint32_t)p->place.offset);
        wr_u32(w, (uint32_t)p->place.len);
        put_text(w, p->place.key);
        put_text(w, p->place.label);
        key_attributes_put(w, &p->key.attributes);
        wr_view16(w, view_of(p->key.sealed, p->key.sealed_len));
    }
}

static enum err get_place(struct reader *r, struct session_place *p)
{
    p->place.command = rd_u32(r);
    p->place.offset = rd_u32(r);
    p->place.len = rd_u32(r);
    get_text(r, p->place.key, sizeof(p->place.key));
    get_text(r, p->place.label, sizeof(p->place.label));
    enum err e = key_attributes_get(r, &p->key.attributes);
    get_fixed(r, p->key.sealed, sizeof(p->key.sealed), &p->key.sealed_len);
    return e;
}

static enum err get_places(struct reader *r, struct session *s)
{
    size_t count = rd_u8(r);
    enum err e = OK;
    if (!rd_ok(r) || count > PLACES_MAX)
        return ERR_FORMAT;
    if (count == 0)
        return OK;
    s->places = calloc(count, sizeof(*s->places));
    if (s->places == NULL)
        return ERR_MEMORY;
    for (size_t n = 0; n < count && e == OK; n++)
        e = get_place(r, &s->places[n]);
    s->place_count = count;
    return e;
}

static void put_delivery(struct writer *w, const struct session *s)
{
    wr_u8(w, s->level);
    wr_view16(w, view_of(s->channel, s->channel_len));
    wr_view32(w, wr_view_of(&s->plain));
    wr_u16(w, (uint16_t)s->plain_count);
    wr_u16(w, (uint16_t)s->packet_commands);
    wr_u8(w, s->refused_ins);
    wr_u16(w, s->refused_sw);
    wr_bytes(w, s->pages, sizeof(s->pages));
    wr_u8(w, (uint8_t)s->rounds);
}

static void get_delivery(struct reader *r, struct session *s)
{
    s->level = rd_u8(r);
    get_fixed(r, s->channel, sizeof(s->channel), &s->channel_len);
    wr_view(&s->plain, rd_view32(r, SCRIPT_MAX));
    s->plain_count = rd_u16(r);
    s->packet_commands = rd_u16(r);
    if (s->plain_count > SCRIPT_COMMANDS_MAX)
        rd_fail(r);
    s->refused_ins = rd_u8(r);
    s->refused_sw = rd_u16(r);
    rd_copy(r, s->pages, sizeof(s->pages));
    s->rounds = rd_u8(r);
}

static void put_end(struct writer *w, const struct session *s)
{
    wr_u8(w, (uint8_t)s->outcome);
    wr_u8(w, (uint8_t)s->reason);
    put_text(w, s->detail);
}

static void get_end(struct reader *r, struct session *s)
{
    uint8_t outcome = rd_u8(r), reason = rd_u8(r);
    if (outcome >= OUTCOME_COUNT || reason >= REASON_COUNT)
        rd_fail(r);
    s->outcome = (enum outcome)outcome;
    s->reason = (enum reason)reason;
    get_text(r, s->detail, sizeof(s->detail));
}

static bool at_rest(uint8_t state)
{
    return state == SESSION_IDENTIFY || state == SESSION_OPEN || state == SESSION_DELIVER ||
           state == SESSION_DONE;
}

enum err session_encode(const struct session *s, struct writer *out)
{
    if (!at_rest((uint8_t)s->state))
        return ERR_STATE;
    wr_u8(out, FORMAT_VERSION);
    wr_u8(out, (uint8_t)s->state);
    put_text(out, s->id);
    put_order(out, &s->order);
    put_type(out, &s->type);
    put_card(out, s);
    enum err e = put_identity(out, &s->identity);
    if (e != OK)
        return e;
    put_flags(out, s);
    if ((e = put_registry(out, s)) != OK)
        return e;
    put_places(out, s);
    put_delivery(out, s);
    put_end(out, s);
    return wr_status(out);
}

static enum err decode(struct session *s, struct reader *r)
{
    uint8_t version = rd_u8(r), state = rd_u8(r);
    if (version != FORMAT_VERSION || !at_rest(state))
        return ERR_FORMAT;
    s->state = (enum session_state)state;
    get_text(r, s->id, sizeof(s->id));
    get_order(r, &s->order);
    get_type(r, &s->type);
    get_card(r, s);
    struct view identity = rd_view16(r, UINT16_MAX);
    if (!rd_ok(r))
        return ERR_FORMAT;
    enum err e = identity_decode(&s->identity, identity);
    if (e != OK)
        return e;
    get_flags(r, s);
    if ((e = get_registry(r, s)) != OK || (e = get_places(r, s)) != OK)
        return e;
    get_delivery(r, s);
    get_end(r, s);
    return rd_done(r) ? wr_status(&s->plain) : ERR_FORMAT;
}

enum err session_decode(struct session *out, struct view v)
{
    static const struct session_order none = {0};
    struct session *s = calloc(1, sizeof(*s));
    struct reader r;
    if (s == NULL)
        return ERR_MEMORY;
    session_init(s, "", &none, VIEW_NULL);
    rd_init(&r, v);
    enum err e = decode(s, &r);
    if (e == OK)
        *out = *s; /* its memory goes along */
    else
        session_finish(s);
    free(s);
    return e;
}
