/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads a card's registry, answer by answer, and keeps it as bytes. */
#include <gp/registry.h>

#include <stdlib.h>
#include <string.h>

#include <tlv/tlv.h>

enum {
    STATE_VERSION = 1,
    TAG_ENTRY = 0xE3,
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

/* How many entries the data has: nothing but E3 objects. */
static enum err count_entries(struct view data, size_t *count)
{
    struct reader r;
    struct tlv object;
    size_t n = 0;
    rd_init(&r, data);
    while (tlv_next(&r, &object)) {
        if (object.tag != TAG_ENTRY)
            return ERR_FORMAT;
        n++;
    }
    *count = n;
    return rd_done(&r) ? OK : ERR_FORMAT;
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

static enum err add_entries(struct registry *r, uint8_t subset, struct view data)
{
    size_t more;
    struct reader reader;
    struct tlv object;
    enum err e = count_entries(data, &more);
    if (e == OK)
        e = make_room(r, more);
    if (e != OK || more == 0)
        return e;
    struct registry_entry *next = r->entries + r->count;
    rd_init(&reader, data);
    while (e == OK && tlv_next(&reader, &object)) {
        next->subset = subset;
        e = take_entry(next++, object.value);
    }
    if (e == OK)
        r->count += more;
    return e;
}

enum err registry_add(struct registry *r, uint8_t subset, const struct rapdu *answer)
{
    if (answer->sw == SW_REFERENCED_DATA)
        return OK;
    if (answer->sw != SW_OK && answer->sw != SW_MORE_DATA)
        return ERR_STATE;
    enum err e = add_entries(r, subset, answer->data);
    if (e == OK && answer->sw == SW_MORE_DATA)
        r->more = true;
    return e;
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
}

enum err registry_encode(const struct registry *r, struct writer *out)
{
    wr_u8(out, STATE_VERSION);
    wr_u8(out, r->more);
    wr_u16(out, (uint16_t)r->count);
    for (size_t i = 0; i < r->count; i++)
        put_entry(out, &r->entries[i]);
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

static void get_entry(struct reader *r, struct registry_entry *e)
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
}

enum err registry_decode(struct registry *out, struct view v)
{
    struct reader r;
    struct registry made = {0};
    rd_init(&r, v);
    uint8_t version = rd_u8(&r), more = rd_u8(&r);
    size_t count = rd_u16(&r);
    if (!rd_ok(&r) || version != STATE_VERSION || more > 1)
        return ERR_FORMAT;
    enum err e = make_room(&made, count);
    if (e != OK)
        return e;
    made.more = more == 1;
    while (rd_ok(&r) && made.count < count)
        get_entry(&r, &made.entries[made.count++]);
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
