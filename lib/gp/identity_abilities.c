/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the key information template and card capability information. */
#include "identity_parts.h"

#include <string.h>

#include <tlv/tlv.h>

enum {
    TAG_KEY_INFO = 0xE0,
    TAG_KEY = 0xC0,
    TAG_CAPABILITIES = 0x67,
    TAG_SCP = 0xA0,
    EXTENDED_TYPE = 0xFF,
    FIRST_STANDARD_TYPE = 0x80,
    SCP03 = 0x03
};

/* --- Key information (11.3.3.1) */

static void add_component(struct key_info *k, uint8_t type, uint16_t len)
{
    if (k->component_count == KEY_COMPONENTS_TOLD_MAX)
        return;
    k->components[k->component_count].type = type;
    k->components[k->component_count++].len = len;
}

/* Table 11-28: types and lengths of one byte each. */
static void take_basic(struct reader *r, struct key_info *k)
{
    uint8_t type = rd_u8(r);
    add_component(k, type, rd_u8(r));
    while (rd_left(r) >= 2) {
        type = rd_u8(r);
        add_component(k, type, rd_u8(r));
    }
}

/* Usage and access are lengths of 0 to 2: what is more must be a type, which cards were seen to write without
 * its FF. */
static bool component_follows(const struct reader *r)
{
    return rd_peek(r) >= FIRST_STANDARD_TYPE;
}

/* Table 11-29. The ends of such entries have many forms on real cards: what does not fit is left out. */
static void take_extended(struct reader *r, struct key_info *k)
{
    while (component_follows(r)) {
        struct reader look = *r;
        if (rd_peek(&look) == EXTENDED_TYPE)
            rd_u8(&look);
        uint8_t type = rd_u8(&look);
        uint16_t len = rd_u16(&look);
        if (!rd_ok(&look))
            return; /* without any component the entry is refused */
        add_component(k, type, len);
        *r = look;
    }
    struct reader rest = *r;
    struct view usage = rd_view8(&rest, 2), access = rd_view8(&rest, 1);
    k->has_usage = rd_done(&rest) && usage.len > 0;
    k->usage = k->has_usage ? usage.data[0] : 0;
    k->has_access = rd_done(&rest) && access.len > 0;
    k->access = k->has_access ? access.data[0] : 0;
}

static enum err take_key(struct identity *id, struct view v)
{
    struct reader r;
    struct key_info key = {.id = 0};
    rd_init(&r, v);
    key.id = rd_u8(&r);
    key.version = rd_u8(&r);
    if (rd_peek(&r) == EXTENDED_TYPE)
        take_extended(&r, &key);
    else
        take_basic(&r, &key);
    if (!rd_ok(&r) || key.component_count == 0)
        return ERR_FORMAT;
    key.type = key.components[0].type;
    key.len = key.components[0].len;
    if (id->key_count == KEY_INFO_MAX)
        return ERR_LIMIT;
    id->keys[id->key_count++] = key;
    return OK;
}

enum err identity_parse_key_info(struct identity *id, struct view v)
{
    struct identity made = *id;
    struct view list;
    struct reader r;
    struct tlv object;
    enum err e = OK;
    made.key_count = 0;
    if (!identity_unwrap(v, TAG_KEY_INFO, &list))
        return ERR_FORMAT;
    rd_init(&r, list);
    while (e == OK && tlv_next(&r, &object))
        e = object.tag == TAG_KEY ? take_key(&made, object.value) : ERR_FORMAT;
    if (e == OK && !rd_done(&r))
        e = ERR_FORMAT;
    if (e == OK)
        *id = made;
    return e;
}

/* --- Capabilities (H.4) */

/* Table H-6: 80 protocol | 81 values of i, a byte each, two for SCP11 | 82 keys of SCP03. */
static enum err take_scp(struct identity *id, struct view v)
{
    struct view scp, values, keys;
    struct reader r;
    if (!tlv_find(v, 0x80, &scp) || scp.len != 1 || !tlv_find(v, 0x81, &values))
        return ERR_FORMAT;
    bool wide = scp.data[0] == SCP11 && values.len % 2 == 0;
    rd_init(&r, values);
    while (rd_left(&r) > 0)
        identity_add_scp(id, scp.data[0], wide ? rd_u16(&r) : rd_u8(&r));
    if (scp.data[0] == SCP03 && tlv_find(v, 0x82, &keys) && keys.len > 0)
        id->capabilities.scp03_keys = keys.data[0];
    return OK;
}

static void take_privileges(struct view v, struct privileges *p, bool *has)
{
    *has = v.len == 1 || v.len == sizeof(p->byte);
    if (*has)
        memcpy(p->byte, v.data, v.len);
}

/* Tables H-9, H-10: more bytes may come in later versions. */
static void take_suites(struct view v, uint16_t *bits, bool *has)
{
    *has = v.len > 0;
    *bits = (uint16_t)((v.len > 0 ? v.data[0] : 0) | (v.len > 1 ? v.data[1] : 0) << 8);
}

static void take_hashes(struct view v, uint8_t *bits)
{
    for (size_t n = 0; n < v.len; n++)
        if (v.data[n] >= 1 && v.data[n] <= DIGEST_COUNT)
            *bits = (uint8_t)(*bits | 1U << (v.data[n] - 1));
}

static enum err take_capability(struct identity *id, const struct tlv *object)
{
    struct capabilities *c = &id->capabilities;
    switch (object->tag) {
    case TAG_SCP:
        return take_scp(id, object->value);
    case 0x81:
        take_privileges(object->value, &c->domain, &c->has_domain);
        return OK;
    case 0x82:
        take_privileges(object->value, &c->application, &c->has_application);
        return OK;
    case 0x83:
        take_hashes(object->value, &c->hashes);
        return OK;
    case 0x84:
        c->has_block_ciphers = object->value.len > 0;
        c->block_ciphers = object->value.len > 0 ? object->value.data[0] : 0;
        return OK;
    case 0x85:
        take_suites(object->value, &c->tokens, &c->has_tokens);
        return OK;
    case 0x86:
        take_suites(object->value, &c->receipts, &c->has_receipts);
        return OK;
    case 0x87:
        take_suites(object->value, &c->daps, &c->has_daps);
        return OK;
    default:
        return OK;
    }
}

enum err identity_parse_capabilities(struct identity *id, struct view v)
{
    struct identity made = *id;
    struct view list;
    struct reader r;
    struct tlv object;
    enum err e = OK;
    made.capabilities = (struct capabilities){.known = true};
    if (!identity_unwrap(v, TAG_CAPABILITIES, &list))
        return ERR_FORMAT;
    rd_init(&r, list);
    while (e == OK && tlv_next(&r, &object))
        e = take_capability(&made, &object);
    if (e == OK && !rd_done(&r))
        e = ERR_FORMAT;
    if (e == OK)
        *id = made;
    return e;
}

static const char *name_at(const char *const *names, size_t count, unsigned bit)
{
    return bit < count ? names[bit] : NULL;
}

const char *capability_block_cipher_name(unsigned bit)
{
    static const char *const names[CAPABILITY_BLOCK_CIPHERS] = {"Triple-DES", "AES-128", "AES-192",
                                                                "AES-256"};
    return name_at(names, CAPABILITY_BLOCK_CIPHERS, bit);
}

const char *capability_signature_name(unsigned bit)
{
    static const char *const names[CAPABILITY_SIGNATURES] = {
        "RSA-1024 with SHA-1", "RSA-PSS with SHA-256", "Triple-DES MAC", "AES-128 CMAC",
        "AES-192 CMAC",        "AES-256 CMAC",         "ECDSA-256",      "ECDSA-384",
        "ECDSA-512 or 521"};
    return name_at(names, CAPABILITY_SIGNATURES, bit);
}

const char *capability_scp03_key_name(unsigned bit)
{
    static const char *const names[CAPABILITY_SCP03_KEYS] = {"AES-128", "AES-192", "AES-256"};
    return name_at(names, CAPABILITY_SCP03_KEYS, bit);
}

bool capability_has_hash(const struct capabilities *c, enum digest d)
{
    return !c->known || c->hashes == 0 || (c->hashes >> d & 1) != 0;
}
