/* SPDX-License-Identifier: Apache-2.0
 *
 * An identity as bytes for the store, and back: this version and the one before it. */
#include "identity_parts.h"

#include <string.h>

enum {
    STATE_VERSION = 2,
    STATE_VERSION_OLD = 1, /* i of one byte, first components alone, nothing behind the version */
    HAS_USAGE = 0x01,
    HAS_ACCESS = 0x02
};

static void put_key(struct writer *w, const struct key_info *k)
{
    wr_u8(w, k->id);
    wr_u8(w, k->version);
    wr_u8(w, (uint8_t)k->component_count);
    for (size_t i = 0; i < k->component_count; i++) {
        wr_u8(w, k->components[i].type);
        wr_u16(w, k->components[i].len);
    }
    wr_u8(w, (uint8_t)((k->has_usage ? HAS_USAGE : 0) | (k->has_access ? HAS_ACCESS : 0)));
    wr_u8(w, k->usage);
    wr_u8(w, k->access);
}

/* Which of the objects were there, as bits. */
static uint8_t capability_flags(const struct capabilities *c)
{
    const bool flags[] = {c->known,        c->has_domain, c->has_application,  c->has_tokens,
                          c->has_receipts, c->has_daps,   c->has_block_ciphers};
    uint8_t bits = 0;
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        bits = (uint8_t)(bits | (flags[i] ? 1U << i : 0));
    return bits;
}

static void put_capabilities(struct writer *w, const struct capabilities *c)
{
    wr_u8(w, capability_flags(c));
    wr_view(w, VIEW_OF(c->domain.byte));
    wr_view(w, VIEW_OF(c->application.byte));
    wr_u8(w, c->hashes);
    wr_u8(w, c->block_ciphers);
    wr_u16(w, c->tokens);
    wr_u16(w, c->receipts);
    wr_u16(w, c->daps);
    wr_u8(w, c->scp03_keys);
}

enum err identity_encode(const struct identity *id, struct writer *out)
{
    wr_u8(out, STATE_VERSION);
    wr_view8(out, view_of(id->atr, id->atr_len));
    wr_view8(out, aid_view(&id->isd));
    wr_view8(out, id->has_cplc ? VIEW_OF(id->cplc) : VIEW_NULL);
    wr_view8(out, view_of(id->iin, id->iin_len));
    wr_view8(out, view_of(id->cin, id->cin_len));
    wr_u8(out, (uint8_t)id->scp_count);
    for (size_t i = 0; i < id->scp_count; i++) {
        wr_u8(out, id->scps[i].scp);
        wr_u16(out, id->scps[i].i);
    }
    wr_u8(out, (uint8_t)id->key_count);
    for (size_t i = 0; i < id->key_count; i++)
        put_key(out, &id->keys[i]);
    wr_view(out, VIEW_OF(id->gp_version));
    wr_u16(out, id->command_data_max);
    put_capabilities(out, &id->capabilities);
    return wr_status(out);
}

static size_t get_bytes(struct reader *r, uint8_t *out, size_t max)
{
    struct view v = rd_view8(r, max);
    if (v.len > 0)
        memcpy(out, v.data, v.len);
    return v.len;
}

static size_t get_count(struct reader *r, size_t max)
{
    size_t count = rd_u8(r);
    if (count <= max)
        return count;
    rd_fail(r);
    return 0;
}

static void get_old_key(struct reader *r, struct key_info *k)
{
    k->id = rd_u8(r);
    k->version = rd_u8(r);
    k->type = rd_u8(r);
    k->len = rd_u16(r);
    k->component_count = 1;
    k->components[0].type = k->type;
    k->components[0].len = k->len;
}

static void get_key(struct reader *r, struct key_info *k)
{
    k->id = rd_u8(r);
    k->version = rd_u8(r);
    k->component_count = get_count(r, KEY_COMPONENTS_TOLD_MAX);
    for (size_t i = 0; i < k->component_count; i++) {
        k->components[i].type = rd_u8(r);
        k->components[i].len = rd_u16(r);
    }
    uint8_t has = rd_u8(r);
    k->has_usage = (has & HAS_USAGE) != 0;
    k->has_access = (has & HAS_ACCESS) != 0;
    k->usage = rd_u8(r);
    k->access = rd_u8(r);
    if (k->component_count == 0 || has > (HAS_USAGE | HAS_ACCESS))
        rd_fail(r);
    k->type = k->components[0].type;
    k->len = k->components[0].len;
}

static void get_capabilities(struct reader *r, struct capabilities *c)
{
    bool *const flags[] = {&c->known,        &c->has_domain, &c->has_application,  &c->has_tokens,
                           &c->has_receipts, &c->has_daps,   &c->has_block_ciphers};
    uint8_t bits = rd_u8(r);
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        *flags[i] = (bits >> i & 1) != 0;
    rd_copy(r, c->domain.byte, sizeof(c->domain.byte));
    rd_copy(r, c->application.byte, sizeof(c->application.byte));
    c->hashes = rd_u8(r);
    c->block_ciphers = rd_u8(r);
    c->tokens = rd_u16(r);
    c->receipts = rd_u16(r);
    c->daps = rd_u16(r);
    c->scp03_keys = rd_u8(r);
    if (bits >> sizeof(flags) / sizeof(flags[0]) != 0)
        rd_fail(r);
}

static void get_front(struct reader *r, struct identity *id)
{
    id->atr_len = get_bytes(r, id->atr, ATR_MAX);
    struct view isd = rd_view8(r, AID_MAX);
    if (isd.len > 0 && aid_set(&id->isd, isd) != OK)
        rd_fail(r);
    size_t cplc_len = get_bytes(r, id->cplc, CPLC_LEN);
    if (cplc_len != 0 && cplc_len != CPLC_LEN)
        rd_fail(r);
    id->has_cplc = cplc_len != 0;
    id->iin_len = get_bytes(r, id->iin, CARD_ID_MAX);
    id->cin_len = get_bytes(r, id->cin, CARD_ID_MAX);
}

enum err identity_decode(struct identity *out, struct view v)
{
    struct reader r;
    struct identity id = {.atr_len = 0};
    rd_init(&r, v);
    uint8_t version = rd_u8(&r);
    bool old = version == STATE_VERSION_OLD;
    if (!old && version != STATE_VERSION)
        rd_fail(&r);
    get_front(&r, &id);
    id.scp_count = get_count(&r, SCP_INFO_MAX);
    for (size_t i = 0; i < id.scp_count; i++) {
        id.scps[i].scp = rd_u8(&r);
        id.scps[i].i = old ? rd_u8(&r) : rd_u16(&r);
    }
    id.key_count = get_count(&r, KEY_INFO_MAX);
    for (size_t i = 0; i < id.key_count; i++)
        (old ? get_old_key : get_key)(&r, &id.keys[i]);
    rd_copy(&r, id.gp_version, sizeof(id.gp_version));
    if (!old) {
        id.command_data_max = rd_u16(&r);
        get_capabilities(&r, &id.capabilities);
    }
    if (!rd_done(&r))
        return ERR_FORMAT;
    *out = id;
    return OK;
}
