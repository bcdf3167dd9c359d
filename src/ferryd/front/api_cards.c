/* SPDX-License-Identifier: Apache-2.0
 *
 * Cards: what is known of each, its ledger of channel openings, and its release from quarantine. */
#include <stdio.h>
#include <string.h>

#include <gp/identity.h>
#include <gp/registry.h>

#include "front/api_bodies.h"
#include "front/api_parts.h"

/* ---- what is told of a card ---- */

/* i has one byte, or two. */
static json_t *scp_i_value(uint16_t i)
{
    const uint8_t bytes[] = {(uint8_t)(i >> 8), (uint8_t)i};
    return value_hex(i > UINT8_MAX ? VIEW_OF(bytes) : view_tail(VIEW_OF(bytes), 1));
}

static json_t *scps_value(const struct identity *id)
{
    json_t *list = json_array();
    for (size_t i = 0; i < id->scp_count; i++)
        json_array_append_new(list, json_pack("{s:o,s:o}", "scp", value_hex(view_of(&id->scps[i].scp, 1)),
                                              "i", scp_i_value(id->scps[i].i)));
    return list;
}

static json_t *keys_value(const struct identity *id)
{
    json_t *list = json_array();
    for (size_t i = 0; i < id->key_count; i++) {
        const struct key_info *k = &id->keys[i];
        json_array_append_new(list, json_pack("{s:o,s:o,s:o,s:i}", "id", value_hex(view_of(&k->id, 1)),
                                              "version", value_hex(view_of(&k->version, 1)), "type",
                                              value_hex(view_of(&k->type, 1)), "bytes", (int)k->len));
    }
    return list;
}

/* {} when nothing is known. */
static json_t *identity_value(const struct blob *encoded)
{
    struct identity id;
    if (encoded->len == 0 || identity_decode(&id, blob_view(encoded)) != OK)
        return json_object();
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "atr", value_hex(view_of(id.atr, id.atr_len)), "isd",
                     value_hex(aid_view(&id.isd)), "cplc",
                     value_hex(id.has_cplc ? VIEW_OF(id.cplc) : VIEW_NULL), "iin",
                     value_hex(view_of(id.iin, id.iin_len)), "cin", value_hex(view_of(id.cin, id.cin_len)),
                     "scps", scps_value(&id), "keys", keys_value(&id));
}

static const char *kind_word(uint8_t subset)
{
    switch (subset) {
    case STATUS_ISD:
        return "card manager";
    case STATUS_APPLICATIONS:
        return "application";
    default:
        return "package";
    }
}

static json_t *entry_value(const struct registry_entry *e)
{
    json_t *modules = json_array();
    for (size_t i = 0; i < e->module_count; i++)
        json_array_append_new(modules, value_hex(aid_view(&e->modules[i])));
    json_t *version = e->has_version ? json_sprintf("%u.%u", e->version[0], e->version[1]) : json_string("");
    return json_pack("{s:o,s:s,s:s,s:o,s:o,s:o,s:o}", "aid", value_hex(aid_view(&e->aid)), "kind",
                     kind_word(e->subset), "state", registry_state_text(e->subset, e->state), "privileges",
                     value_hex(VIEW_OF(e->privileges.byte)), "package", value_hex(aid_view(&e->package)),
                     "version", version, "modules", modules);
}

/* null when it is not known. */
static json_t *registry_value(const struct blob *encoded)
{
    struct registry r;
    if (encoded->len == 0 || registry_decode(&r, blob_view(encoded)) != OK)
        return json_null();
    json_t *list = json_array();
    for (size_t i = 0; i < r.count; i++)
        json_array_append_new(list, entry_value(&r.entries[i]));
    registry_finish(&r);
    return list;
}

/* null when the card does not tell it, or has not been asked. */
static json_t *memory_value(const struct blob *encoded)
{
    struct registry r;
    json_t *j = NULL;
    if (encoded->len == 0 || registry_decode(&r, blob_view(encoded)) != OK)
        return json_null();
    const struct card_memory *m = &r.memory;
    if (r.tells_memory)
        j = json_object();
    if (r.tells_memory && m->has_nonvolatile)
        json_object_set_new(j, "nonvolatile", json_integer(m->nonvolatile));
    if (r.tells_memory && m->has_transient)
        json_object_set_new(j, "transient", json_integer(m->transient));
    registry_finish(&r);
    return j != NULL ? j : json_null();
}

static enum err each_ledger(void *arg, struct ledger_row *row)
{
    json_t *item =
        json_pack("{s:o,s:I,s:I,s:I,s:o}", "kvn", value_hex(view_of(&row->kvn, 1)), "openings",
                  (json_int_t)row->openings, "wrong_cryptograms", (json_int_t)row->wrong_cryptograms,
                  "failed_loads", (json_int_t)row->failed_loads, "last", value_time(row->last_ms));
    return item != NULL && json_array_append_new(arg, item) == 0 ? OK : ERR_MEMORY;
}

static json_t *ledger_value(struct api *a, const char *number)
{
    const struct store *s = a->setup.store;
    struct listing l = {.limit = PAGE_MAX};
    json_t *list = json_array();
    snprintf(l.card, sizeof(l.card), "%s", number);
    if (list != NULL && s->ops->list_ledger(s->ctx, &l, each_ledger, list) != OK) {
        json_decref(list);
        list = NULL;
    }
    return list;
}

static json_t *pinned_value(int value)
{
    return value < 0 ? json_string("") : json_sprintf("%02X", (unsigned)value);
}

static json_t *card_value(struct api *a, const struct card_row *row)
{
    return json_pack("{s:s,s:s,s:o,s:o,s:o,s:b,s:s,s:o,s:o,s:o,s:o,s:b,s:o,s:o}", "number", row->number,
                     "type", row->type, "scp", pinned_value(row->pinned_scp), "i",
                     pinned_value(row->pinned_i), "kvn", pinned_value(row->pinned_kvn), "quarantined",
                     row->quarantined ? 1 : 0, "reason", row->reason, "seen", value_time(row->seen_ms),
                     "identity", identity_value(&row->identity), "registry", registry_value(&row->registry),
                     "free_memory", memory_value(&row->registry), "registry_proven",
                     row->registry_proven ? 1 : 0, "registry_time", value_time(row->registry_ms), "ledger",
                     ledger_value(a, row->number));
}

static json_t *show_card(struct api *a, const char *number, uint32_t version)
{
    struct card_row row;
    (void)version;
    if (a->setup.store->ops->get_card(a->setup.store->ctx, number, &row) != OK)
        return NULL;
    json_t *j = card_value(a, &row);
    card_row_free(&row);
    return j;
}

/* A card whose answers never came has a ledger and nothing else. */
static json_t *show_released(struct api *a, const char *number, uint32_t version)
{
    json_t *j = show_card(a, number, version);
    return j != NULL ? j : json_pack("{s:s,s:[]}", "number", number, "ledger");
}

/* ---- requests ---- */

static enum err each_card(void *arg, struct card_row *row)
{
    struct page *p = arg;
    return page_wants(p) ? page_put(p, row->number, card_value(p->api, row)) : OK;
}

void api_cards_list(const struct api_request *q)
{
    struct page p;
    const struct store *s = q->api->setup.store;
    bool set_aside = false;
    if (!query_is(q, "set_aside", "true", &set_aside) || !page_open(&p, q))
        return;
    p.listing.set_aside = set_aside;
    page_reply(&p, q, s->ops->list_cards(s->ctx, &p.listing, each_card, &p));
}

void api_cards_get(const struct api_request *q)
{
    json_t *j = show_card(q->api, q->names[0], 0);
    if (j != NULL)
        reply_json(q->http->reply, 200, j);
    else
        reply_outcome(q->http->reply, ERR_NOT_FOUND, "there is no such card");
}

void api_cards_release(const struct api_request *q)
{
    char why[WHY_MAX] = "";
    struct release_body body;
    struct card_row row = {0};
    enum err e = release_body_parse(q->http->body, &body, why, sizeof(why));
    if (e != OK) {
        reply_outcome(q->http->reply, e, why);
        return;
    }
    struct api_change c = {.changes = {{.kind = CARD_RELEASE, .row.card = &row}},
                           .count = 1,
                           .what = "card.released",
                           .unknown = "is no card that the server knows",
                           .status = 200,
                           .show = show_released};
    if (!api_name(q, row.number, sizeof(row.number)))
        return;
    snprintf(c.name, sizeof(c.name), "%s", q->names[0]);
    snprintf(c.detail, sizeof(c.detail), "%s", body.reason);
    api_submit(q->api, q->http->reply, q->who, &c);
}
