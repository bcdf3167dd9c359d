/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads a card's registry, answer by answer, and keeps it as bytes. */
#include <gp/registry.h>

#include <stdlib.h>
#include <string.h>

#include <tlv/tlv.h>

enum {
    STATE_VERSION = 2,
    STATE_VERSION_OLD = 1, /* without implicit selection, tail and memory */
    TAG_ENTRY = 0xE3,
    TAG_ENTRY_CRS = 0x61, /* of the contactless registry service (Amendment C 3.11.2.2) */
    TAG_IMPLICIT = 0xCF,
    TAG_AID = 0x4F,
    TAG_STATE = 0x9F70,
    TAG_PRIVILEGES = 0xC5,
    TAG_PACKAGE = 0xC4,
    TAG_DOMAIN = 0xCC,
    TAG_VERSION = 0xCE,
    TAG_MODULE = 0x84
};

/* One object of an entry (tables 11-36 and 11-37). Cards leave AIDs of packages and domains empty, and put
 * objects of their own between: these are passed over. */
static enum err take_object(struct registry_entry *e, struct tlv object)
{
    struct view v = object.value;
    switch (object.tag) {
    case TAG_AID:
        return aid_set(&e->aid, v);
    case TAG_STATE: /* one byte; some cards add a second */
        if (v.len < 1 || v.len > 2)
            return ERR_FORMAT;
        e->state = v.data[0];
        return OK;
    case TAG_PRIVILEGES: /* one byte, or three since 2.2 */
        if (v.len != 1 && v.len != sizeof(e->privileges.byte))
            return ERR_FORMAT;
        memcpy(e->privileges.byte, v.data, v.len);
        return OK;
    case TAG_PACKAGE:
        return v.len > 0 ? aid_set(&e->package, v) : OK;
    case TAG_DOMAIN:
        return v.len > 0 ? aid_set(&e->domain, v) : OK;
    case TAG_VERSION: /* of a Java Card package; other lengths belong to other platforms */
        if (v.len == sizeof(e->version)) {
            memcpy(e->version, v.data, v.len);
            e->has_version = true;
        }
        return OK;
    case TAG_MODULE:
        if (e->module_count == CAP_APPLETS_MAX)
            return ERR_LIMIT;
        return aid_set(&e->modules[e->module_count++], v);
    case TAG_IMPLICIT:
        if (v.len != 1 || e->implicit_count == REGISTRY_IMPLICIT_MAX)
            return v.len != 1 ? ERR_FORMAT : ERR_LIMIT;
        e->implicit[e->implicit_count++] = v.data[0];
        return OK;
    default:
        return OK;
    }
}

static enum err take_entry(struct registry_entry *e, struct view v)
{
    struct reader r;
    struct tlv object;
    rd_init(&r, v);
    while (tlv_next(&r, &object)) {
        enum err result = take_object(e, object);
        if (result != OK)
            return result;
    }
    return rd_done(&r) && e->aid.len > 0 ? OK : ERR_FORMAT;
}

/* Takes one object of an answer in TLV form. False: the data ends in the middle of it, or is bad. */
static bool next_tlv(struct reader *r, struct view *entry)
{
    struct tlv object;
    if (!tlv_next(r, &object))
        return false;
    if (object.tag != TAG_ENTRY && object.tag != TAG_ENTRY_CRS) {
        rd_fail(r);
        return false;
    }
    *entry = object.value;
    return true;
}

/* AID with its length | state | privileges, and in subset 10 a count and modules (OP 2.0.1 9.3.3). */
static enum err take_old_entry(struct registry_entry *e, struct reader *r)
{
    enum err result = aid_set(&e->aid, rd_view8(r, AID_MAX));
    e->state = rd_u8(r);
    e->privileges.byte[0] = rd_u8(r);
    size_t modules = e->subset == STATUS_PACKAGES_MODULES ? rd_u8(r) : 0;
    if (modules > CAP_APPLETS_MAX)
        return ERR_LIMIT;
    while (result == OK && e->module_count < modules)
        result = aid_set(&e->modules[e->module_count++], rd_view8(r, AID_MAX));
    return rd_ok(r) ? result : ERR_FORMAT;
}

/* Skips one entry in the old form. */
static bool next_old(struct reader *r, uint8_t subset)
{
    rd_view8(r, AID_MAX);
    rd_view(r, 2);
    size_t modules = subset == STATUS_PACKAGES_MODULES ? rd_u8(r) : 0;
    while (rd_ok(r) && modules-- > 0)
        rd_view8(r, AID_MAX);
    return rd_ok(r);
}

static bool is_old_form(struct view data)
{
    return data.len > 0 && data.data[0] >= AID_MIN && data.data[0] <= AID_MAX;
}

/* How many whole entries the data begins with, and how many bytes they take. */
static void count_entries(struct view data, uint8_t subset, size_t *count, size_t *len)
{
    struct reader r;
    struct view entry;
    bool old = is_old_form(data);
    *count = *len = 0;
    rd_init(&r, data);
    while (rd_left(&r) > 0 && (old ? next_old(&r, subset) : next_tlv(&r, &entry))) {
        ++*count;
        *len = data.len - rd_left(&r);
    }
}

/* What is left behind the last whole entry must be the beginning of one. */
static bool may_go_on(struct view rest, bool old)
{
    if (rest.len == 0)
        return true;
    return old ? is_old_form(rest) : rest.data[0] == TAG_ENTRY || rest.data[0] == TAG_ENTRY_CRS;
}

/* Room for more entries behind the present ones, zeroed. */
static enum err make_room(struct registry *r, size_t more)
{
    if (more > REGISTRY_ENTRIES_MAX - r->count)
        return ERR_LIMIT;
    if (more == 0)
        return OK;
    struct registry_entry *entries = realloc(r->entries, (r->count + more) * sizeof(*entries));
    if (entries == NULL)
        return ERR_MEMORY;
    r->entries = entries;
    memset(entries + r->count, 0, more * sizeof(*entries));
    return OK;
}

static enum err take_entries(struct registry_entry *to, size_t count, uint8_t subset, struct view data)
{
    struct reader r;
    struct view entry;
    enum err e = OK;
    bool old = is_old_form(data);
    rd_init(&r, data);
    for (size_t n = 0; n < count && e == OK; n++) {
        to[n].subset = subset;
        if (old)
            e = take_old_entry(&to[n], &r);
        else
            e = next_tlv(&r, &entry) ? take_entry(&to[n], entry) : ERR_FORMAT;
    }
    return e;
}

/* data: what the last page left over, and this page. */
static enum err add_entries(struct registry *r, uint8_t subset, struct view data, bool more)
{
    size_t count, len;
    count_entries(data, subset, &count, &len);
    struct view rest = view_tail(data, len);
    if (rest.len > 0 && (!more || !may_go_on(rest, is_old_form(data))))
        return ERR_FORMAT;
    if (rest.len > REGISTRY_TAIL_MAX)
        return ERR_LIMIT;
    enum err e = make_room(r, count);
    if (e == OK && count > 0)
        e = take_entries(r->entries + r->count, count, subset, data);
    if (e != OK)
        return e;
    r->count += count;
    r->tail_len = (uint16_t)rest.len;
    r->tail_subset = subset;
    if (rest.len > 0)
        memcpy(r->tail, rest.data, rest.len);
    return OK;
}

/* 11.4.3.2. Page ends were seen at entries and inside of them, so they mean nothing. */
enum err registry_add(struct registry *r, uint8_t subset, const struct rapdu *answer)
{
    struct writer whole;
    if (answer->sw == SW_REFERENCED_DATA)
        return OK;
    if (answer->sw != SW_OK && answer->sw != SW_MORE_DATA)
        return ERR_STATE;
    if (r->tail_len > 0 && r->tail_subset != subset)
        return ERR_FORMAT;
    wr_heap(&whole, REGISTRY_TAIL_MAX + RAPDU_MAX);
    wr_bytes(&whole, r->tail, r->tail_len);
    wr_view(&whole, answer->data);
    enum err e =
        wr_ok(&whole) ? add_entries(r, subset, wr_view_of(&whole), answer->sw == SW_MORE_DATA) : ERR_MEMORY;
    wr_free(&whole);
    if (e == OK && answer->sw == SW_MORE_DATA)
        r->more = true;
    return e;
}

bool registry_wants_old_form(uint16_t sw)
{
    return sw == SW_WRONG_DATA || sw == SW_INCORRECT_P1P2;
}

void registry_finish(struct registry *r)
{
    free(r->entries);
    *r = (struct registry){0};
}

const struct registry_entry *registry_find(const struct registry *r, const struct aid *aid)
{
    for (size_t i = 0; i < r->count; i++) {
        if (aid_equal(&r->entries[i].aid, aid))
            return &r->entries[i];
    }
    return NULL;
}

static void put_aid(struct writer *w, const struct aid *a)
{
    wr_view8(w, aid_view(a));
}

static void put_entry(struct writer *w, const struct registry_entry *e)
{
    wr_u8(w, e->subset);
    put_aid(w, &e->aid);
    wr_u8(w, e->state);
    wr_view(w, VIEW_OF(e->privileges.byte));
    put_aid(w, &e->package);
    put_aid(w, &e->domain);
    wr_view8(w, e->has_version ? VIEW_OF(e->version) : VIEW_NULL);
    wr_u8(w, (uint8_t)e->module_count);
    for (size_t i = 0; i < e->module_count; i++)
        put_aid(w, &e->modules[i]);
    wr_view8(w, view_of(e->implicit, e->implicit_count));
}

enum {
    MEMORY_APPLICATIONS = 1,
    MEMORY_NONVOLATILE = 2,
    MEMORY_TRANSIENT = 4,
    MEMORY_TOLD = 8,
    MEMORY_ASKED = 16
};

static void put_memory(struct writer *w, const struct registry *r)
{
    const struct card_memory *m = &r->memory;
    wr_u8(w, (uint8_t)((m->has_applications ? MEMORY_APPLICATIONS : 0) |
                       (m->has_nonvolatile ? MEMORY_NONVOLATILE : 0) |
                       (m->has_transient ? MEMORY_TRANSIENT : 0) | (r->tells_memory ? MEMORY_TOLD : 0) |
                       (r->asked_memory ? MEMORY_ASKED : 0)));
    wr_u32(w, m->applications);
    wr_u32(w, m->nonvolatile);
    wr_u32(w, m->transient);
}

static void get_memory(struct reader *r, struct registry *out)
{
    uint8_t flags = rd_u8(r);
    out->tells_memory = (flags & MEMORY_TOLD) != 0;
    out->asked_memory = (flags & MEMORY_ASKED) != 0;
    out->memory = (struct card_memory){.has_applications = (flags & MEMORY_APPLICATIONS) != 0,
                                       .has_nonvolatile = (flags & MEMORY_NONVOLATILE) != 0,
                                       .has_transient = (flags & MEMORY_TRANSIENT) != 0};
    out->memory.applications = rd_u32(r);
    out->memory.nonvolatile = rd_u32(r);
    out->memory.transient = rd_u32(r);
    if (flags >= 2 * MEMORY_ASKED)
        rd_fail(r);
}

enum err registry_encode(const struct registry *r, struct writer *out)
{
    wr_u8(out, STATE_VERSION);
    wr_u8(out, r->more);
    wr_u16(out, (uint16_t)r->count);
    for (size_t i = 0; i < r->count; i++)
        put_entry(out, &r->entries[i]);
    wr_u8(out, r->tail_len > 0 ? r->tail_subset : 0);
    wr_view16(out, view_of(r->tail, r->tail_len));
    put_memory(out, r);
    return wr_status(out);
}

static void get_aid(struct reader *r, struct aid *out, bool needed)
{
    struct view v = rd_view8(r, AID_MAX);
    if (v.len == 0 && !needed)
        return;
    if (aid_set(out, v) != OK)
        rd_fail(r);
}

static void get_implicit(struct reader *r, struct registry_entry *e)
{
    struct view v = rd_view8(r, REGISTRY_IMPLICIT_MAX);
    e->implicit_count = v.len;
    if (v.len > 0)
        memcpy(e->implicit, v.data, v.len);
}

static void get_tail(struct reader *r, struct registry *out)
{
    out->tail_subset = rd_u8(r);
    struct view v = rd_view16(r, REGISTRY_TAIL_MAX);
    out->tail_len = (uint16_t)v.len;
    if (v.len > 0)
        memcpy(out->tail, v.data, v.len);
    else if (out->tail_subset != 0)
        rd_fail(r);
}

static void get_entry(struct reader *r, struct registry_entry *e, bool whole)
{
    e->subset = rd_u8(r);
    get_aid(r, &e->aid, true);
    e->state = rd_u8(r);
    rd_copy(r, e->privileges.byte, sizeof(e->privileges.byte));
    get_aid(r, &e->package, false);
    get_aid(r, &e->domain, false);
    struct view version = rd_view8(r, sizeof(e->version));
    e->has_version = version.len == sizeof(e->version);
    if (e->has_version)
        memcpy(e->version, version.data, version.len);
    else if (version.len > 0)
        rd_fail(r);
    size_t modules = rd_u8(r);
    if (modules > CAP_APPLETS_MAX)
        rd_fail(r);
    while (rd_ok(r) && e->module_count < modules)
        get_aid(r, &e->modules[e->module_count++], true);
    if (whole)
        get_implicit(r, e);
}

enum err registry_decode(struct registry *out, struct view v)
{
    struct reader r;
    struct registry made = {0};
    rd_init(&r, v);
    uint8_t version = rd_u8(&r), more = rd_u8(&r);
    size_t count = rd_u16(&r);
    bool whole = version == STATE_VERSION;
    if (!rd_ok(&r) || (!whole && version != STATE_VERSION_OLD) || more > 1)
        return ERR_FORMAT;
    enum err e = make_room(&made, count);
    if (e != OK)
        return e;
    made.more = more == 1;
    while (rd_ok(&r) && made.count < count)
        get_entry(&r, &made.entries[made.count++], whole);
    if (whole) {
        get_tail(&r, &made);
        get_memory(&r, &made);
    }
    if (!rd_done(&r)) {
        registry_finish(&made);
        return ERR_FORMAT;
    }
    *out = made;
    return OK;
}

/* GPCS 2.3.1 tables 11-3 to 11-6. mask: which bits of the state say it. */
static const struct {
    uint8_t subsets, mask, value;
    const char *text;
} states[] = {
    {STATUS_ISD, 0xFF, 0x01, "OP_READY"},
    {STATUS_ISD, 0xFF, 0x07, "INITIALIZED"},
    {STATUS_ISD, 0xFF, 0x0F, "SECURED"},
    {STATUS_ISD, 0xFF, 0x7F, "CARD_LOCKED"},
    {STATUS_ISD, 0xFF, 0xFF, "TERMINATED"},
    {STATUS_PACKAGES | STATUS_PACKAGES_MODULES, 0xFF, 0x01, "LOADED"},
    {STATUS_APPLICATIONS, 0xFF, 0x03, "INSTALLED"},
    {STATUS_APPLICATIONS, 0xFF, 0x07, "SELECTABLE"},
    {STATUS_APPLICATIONS, 0xFF, 0x0F, "PERSONALIZED"}, /* of a security domain; often of applications too */
    {STATUS_APPLICATIONS, 0x83, 0x83, "LOCKED"},
    {STATUS_APPLICATIONS, 0x87, 0x07, "SELECTABLE, in a state of its own"},
};

const char *registry_state_text(uint8_t subset, uint8_t state)
{
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if ((states[i].subsets & subset) != 0 && (state & states[i].mask) == states[i].value)
            return states[i].text;
    }
    return "unknown";
}
