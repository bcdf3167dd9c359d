/* SPDX-License-Identifier: Apache-2.0
 *
 * Structures of STORE DATA, for a security domain. */
#include "store.h"

#include <string.h>

#include <tlv/tlv.h>

#include "ca_name.h"
#include "cmd_scp11.h"
#include "key_parts.h"

enum { STRUCTURE_DGI = 0x08, DGI_OBJECTS = 0x0070, DGI_KEYS = 0x00B9, DGI_LONG = 0xFF };
enum { COMPONENTS_MAX = 16 };

/* ---- data objects ---- */

/* What is generated, or is the card's own: not to be stored (11.11.2.3). */
static bool can_be_stored(uint32_t tag)
{
    static const uint32_t never[] = {0x4F,   0x70,   0xC1,   0xC2,   0xD3,   0xE0,  0xF0,
                                     0x2F00, 0x9F7F, 0xBF21, 0xFF21, 0xFF33, 0xFF34};
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
        if (never[i] == tag)
            return false;
    }
    return tag != 0 && tag <= 0xFFFF;
}

/* One more object, or another value of one. There is room, or nothing of the command happens. */
static uint16_t count_object(const struct card *card, bool there, size_t *added)
{
    if (!there)
        ++*added;
    return card->state.object_count + *added > CARD_OBJECTS_MAX ? SW_NOT_ENOUGH_MEMORY : SW_OK;
}

static uint16_t take_object(struct card *card, const struct tlv *o, size_t *added, struct writer *records)
{
    struct view domain = card_domain_of(card);
    size_t max = o->tag == CARD_TAG_GROUP ? AID_MAX : CARD_OBJECT_MAX;
    if (!can_be_stored(o->tag) || o->value.len == 0 || o->value.len > max)
        return SW_WRONG_DATA;
    card_put_object(records, domain, (uint16_t)o->tag, o->value);
    return count_object(card, card_find_object(&card->state, domain, (uint16_t)o->tag) != NULL, added);
}

/* What belongs to a key stands behind A6, which names it (Amendment F 7.8). */
static uint16_t take_of_key(struct card *card, struct view crt, const struct tlv *o, size_t *added,
                            struct writer *records)
{
    uint16_t sw = count_object(card, false, added);
    return sw == SW_OK ? card_put_of_key(card, crt, o, records) : sw;
}

static uint16_t take_ca_name(const struct card *card, struct view crt, size_t *added, struct writer *records)
{
    uint16_t sw = count_object(card, false, added);
    return sw == SW_OK ? card_put_ca_name(card, crt, records) : sw;
}

/* A row of objects; *used: as many as are complete. */
static uint16_t take_objects(struct card *card, struct view all, size_t *used, size_t *added,
                             struct writer *records)
{
    struct reader r;
    struct tlv object;
    uint16_t sw = SW_OK;
    rd_init(&r, all);
    *used = 0;
    while (sw == SW_OK && tlv_next(&r, &object)) {
        struct view crt = object.value;
        if (object.tag != CARD_TAG_KEY_REFERENCE)
            sw = take_object(card, &object, added, records);
        else if (card_is_ca_name(crt))
            sw = take_ca_name(card, crt, added, records);
        else if (tlv_next(&r, &object))
            sw = take_of_key(card, crt, &object, added, records);
        else
            break;
        *used = all.len - rd_left(&r);
    }
    return sw;
}

/* ---- DGIs ---- */

struct dgi {
    uint16_t number;
    struct view value;
};

/* False when it is not all there. */
static bool next_dgi(struct reader *r, struct dgi *out)
{
    out->number = rd_u16(r);
    size_t len = rd_u8(r);
    if (len == DGI_LONG)
        len = rd_u16(r);
    out->value = rd_view(r, len);
    return rd_ok(r);
}

/* ---- keys ---- */

/* One control reference template of 00B9 (tables 11-92 to 11-104). B7 in front says what they have in
 * common. */
struct component {
    uint8_t type, kid, kvn;
    size_t len;
    struct view kcv, parameter;
};

static const struct {
    uint16_t dgi;
    uint8_t types[2];
} dgi_rows[] = {
    {0x8113, {0x80, 0x88}}, {0x0010, {0xA1}}, {0x0011, {0xA0}}, {0x8112, {0xA3}},
    {0x8121, {0xA4}},       {0x8122, {0xA5}}, {0x8123, {0xA6}}, {0x8124, {0xA7}},
    {0x8125, {0xA8}},       {0x0036, {0xB0}}, {0x8137, {0xB1}},
};

static bool dgi_is_of(uint16_t dgi, uint8_t type)
{
    for (size_t n = 0; n < sizeof dgi_rows / sizeof dgi_rows[0]; n++) {
        if (dgi_rows[n].dgi == dgi && (dgi_rows[n].types[0] == type || dgi_rows[n].types[1] == type))
            return true;
    }
    return false;
}

/* A number of one or two bytes: in the template itself, or what all have in common. */
static bool find_number(struct view own, struct view common, uint32_t tag, size_t *out)
{
    struct view v;
    if (!tlv_find(own, tag, &v) && !tlv_find(common, tag, &v))
        return false;
    if (v.len == 0 || v.len > 2)
        return false;
    *out = v.len == 1 ? v.data[0] : (size_t)v.data[0] << 8 | v.data[1];
    return true;
}

/* A reference of curve parameters belongs to the key before it and says nothing else. */
static bool read_component(struct view own, struct view common, const struct component *before,
                           struct component *out)
{
    size_t type = 0, kid = 0, kvn = 0;
    memset(out, 0, sizeof *out);
    if (!tlv_valid(own) || !find_number(own, common, 0x80, &type) || type > UINT8_MAX)
        return false;
    out->type = (uint8_t)type;
    if (out->type == 0xF0 && before != NULL) {
        out->kid = before->kid;
        out->kvn = before->kvn;
        return tlv_find(own, 0x85, &out->parameter);
    }
    if (!find_number(own, common, 0x81, &out->len) || !find_number(own, common, 0x82, &kid) ||
        !find_number(own, common, 0x83, &kvn) || kid > 0x7F || kvn > 0x7F)
        return false;
    out->kid = (uint8_t)kid;
    out->kvn = (uint8_t)kvn;
    (void)tlv_find(own, 0x84, &out->kcv);
    return true;
}

static bool read_components(struct view all, struct component *out, size_t *count)
{
    struct reader r;
    struct tlv o;
    struct view common = VIEW_NULL;
    rd_init(&r, all);
    *count = 0;
    while (tlv_next(&r, &o)) {
        if (o.tag == 0xB7 && *count == 0) {
            common = o.value;
            continue;
        }
        if (o.tag != 0xB9 || *count == COMPONENTS_MAX ||
            !read_component(o.value, common, *count != 0 ? &out[*count - 1] : NULL, &out[*count]))
            return false;
        ++*count;
    }
    return rd_done(&r) && *count != 0;
}

/* The components of one key, from *at on, with their DGIs off r. *whole: they have all come. */
static uint16_t take_key(struct card *card, const struct component *c, size_t count, size_t *at,
                         struct reader *r, struct new_key *key, bool *whole)
{
    struct key_parts parts;
    struct view kcv = c[*at].kcv;
    uint16_t sw = SW_OK;
    uint8_t kid = c[*at].kid;
    key_parts_init(&parts);
    *whole = true;
    for (; sw == SW_OK && *whole && *at < count && c[*at].kid == kid; ++*at) {
        struct dgi dgi;
        if (c[*at].type == 0xF0)
            sw = key_parts_take(card, &parts, 0xF0, c[*at].parameter, 0);
        else if (!next_dgi(r, &dgi))
            *whole = false;
        else if (!dgi_is_of(dgi.number, c[*at].type))
            sw = SW_WRONG_DATA;
        else
            sw = key_parts_take(card, &parts, c[*at].type, dgi.value, c[*at].len);
    }
    key->kid = kid;
    if (sw == SW_OK && *whole)
        sw = key_parts_build(&parts, key);
    if (sw == SW_OK && *whole)
        sw = new_key_check(card->crypto, key, kcv);
    key_parts_finish(&parts);
    return sw;
}

static bool version_is_there(struct card *card, uint8_t kvn)
{
    if (card_find_keyset(&card->state, card_domain_of(card), kvn) != NULL)
        return kvn != 0;
    for (size_t n = 0; n < card->state.key_count; n++) {
        const struct card_key *k = &card->state.keys[n];
        if (card_domain_is(&k->domain, card_domain_of(card)) && k->kvn == kvn)
            return true;
    }
    return false;
}

/* 00B9 and the DGIs behind it. *whole: all of them have come, and the keys are in records. */
static uint16_t take_keys(struct card *card, struct view templates, struct reader *r, bool *whole,
                          struct writer *records)
{
    struct component c[COMPONENTS_MAX];
    struct new_keys keys = {.count = 0};
    size_t count = 0, at = 0;
    if (!read_components(templates, c, &count))
        return SW_WRONG_DATA;
    uint16_t sw = SW_OK;
    keys.kvn = c[0].kvn;
    *whole = true;
    while (sw == SW_OK && *whole && at < count) {
        if (keys.count == NEW_KEYS_MAX || c[at].kvn != keys.kvn)
            sw = SW_WRONG_DATA;
        else
            sw = take_key(card, c, count, &at, r, &keys.key[keys.count++], whole);
    }
    /* Loaded or updated, whatever is there (11.11.4.1). */
    keys.old_kvn = version_is_there(card, keys.kvn) ? keys.kvn : 0;
    if (sw == SW_OK && *whole)
        sw = keys_put(card, &keys, records);
    new_keys_finish(&keys);
    return sw;
}

/* ---- all structures ---- */

static uint16_t take_dgi(struct card *card, const struct dgi *dgi, struct reader *r, size_t *added,
                         bool *whole, struct writer *records)
{
    size_t used = 0;
    if (dgi->number == DGI_KEYS)
        return take_keys(card, dgi->value, r, whole, records);
    if (dgi->number != DGI_OBJECTS || dgi->value.len == 0)
        return SW_WRONG_DATA;
    uint16_t sw = take_objects(card, dgi->value, &used, added, records);
    return sw == SW_OK && used != dgi->value.len ? SW_WRONG_DATA : sw;
}

uint16_t store_structures(struct card *card, uint8_t structure, bool encrypted, struct view all, size_t *used,
                          struct writer *records)
{
    struct reader r;
    struct dgi dgi;
    size_t added = 0, keys = 0;
    bool whole = true;
    uint16_t sw = SW_OK;
    *used = 0;
    if (all.len == 0)
        return SW_WRONG_DATA;
    /* Objects are no secrets, and of a domain's data only keys come encrypted, each by itself. */
    if (structure != STRUCTURE_DGI)
        return encrypted ? SW_WRONG_DATA : take_objects(card, all, used, &added, records);
    rd_init(&r, all);
    while (sw == SW_OK && whole && rd_left(&r) != 0 && next_dgi(&r, &dgi)) {
        keys += dgi.number == DGI_KEYS;
        sw = keys > 1 ? SW_WRONG_DATA : take_dgi(card, &dgi, &r, &added, &whole, records);
        if (whole)
            *used = all.len - rd_left(&r);
    }
    return sw;
}
