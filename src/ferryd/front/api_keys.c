/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys: they come encrypted to the keeper, pass through, and are stored as the keeper sealed them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "front/api_bodies.h"
#include "front/api_parts.h"
#include "front/card_type.h"
#include "front/json.h"

/* ---- what is told of a key ---- */

/* A key that data is derived from is one, and so is a key pair; others are three: ENC, MAC, DEK. */
static size_t value_count(const struct key_attributes *a)
{
    return a->use == KEY_USE_DERIVE || key_type_is_pair(a->type) ? 1 : 3;
}

static json_t *key_value(const struct key_row *row)
{
    const struct key_attributes *a = &row->attributes;
    const char *type = key_type_word(a->type, a->key_len);
    json_t *values = json_array();
    for (size_t i = 0; i < value_count(a); i++)
        json_array_append_new(values, value_hex(VIEW_OF(row->kcv[i])));
    return json_pack("{s:s,s:I,s:s,s:s,s:s,s:o,s:b,s:o}", "name", a->name, "version", (json_int_t)a->version,
                     "use", key_use_name(a->use), "type", type != NULL ? type : "", "card", a->card,
                     "check_values", values, "retired", row->retired ? 1 : 0, "created",
                     value_time(row->created_ms));
}

static json_t *show_key(struct api *a, const char *name, uint32_t version)
{
    struct key_row row;
    if (a->setup.store->ops->get_key(a->setup.store->ctx, name, version, &row) != OK)
        return NULL;
    json_t *j = key_value(&row);
    key_row_free(&row);
    return j;
}

/* ---- well-known keys ---- */

bool key_row_well_known(const struct key_row *k)
{
    for (size_t i = 0; i < value_count(&k->attributes); i++)
        if (card_key_is_well_known(k->attributes.type, k->kcv[i]))
            return true;
    return false;
}

struct search {
    const char *name;
    char after[CARD_NUMBER_TEXT_MAX + 1];
    size_t rows;
    bool found, well_known;
};

static enum err look_at_key(void *arg, struct key_row *row)
{
    struct search *s = arg;
    s->rows++;
    snprintf(s->after, sizeof(s->after), "%s/%u", row->attributes.name, row->attributes.version);
    if (strcmp(row->attributes.name, s->name) != 0 || row->retired)
        return OK;
    s->found = true;
    s->well_known = s->well_known || key_row_well_known(row);
    return OK;
}

enum err key_well_known(struct api *a, const char *name, bool *well_known)
{
    const struct store *store = a->setup.store;
    struct search s = {.name = name};
    struct listing l = {.limit = PAGE_MAX};
    enum err e = OK;
    snprintf(l.match, sizeof(l.match), "%s", name);
    do {
        s.rows = 0;
        e = store->ops->list_keys(store->ctx, &l, look_at_key, &s);
        memcpy(l.after, s.after, sizeof(l.after));
    } while (e == OK && s.rows == PAGE_MAX);
    if (e == OK && !s.found)
        e = ERR_NOT_FOUND;
    if (e == OK)
        *well_known = s.well_known;
    return e;
}

/* ---- adding ---- */

struct import {
    struct api *api;
    struct http_reply *reply;
    char who[NAME_MAX_BYTES + 1];
    struct key_attributes attributes;
};

/* Well-known default keys are for virgin cards, and a new version must do where the last one did. */
static enum err check_policy(struct api *a, const struct key_row *row, char *why, size_t why_len)
{
    if (row->attributes.use != KEY_USE_MASTER && key_row_well_known(row))
        return why_not(
            ERR_POLICY, why, why_len,
            "this is a well-known default key: it is only taken as the master key of a virgin type");
    return types_accept_key(a, row, why, why_len);
}

static void store_key(const struct import *i, struct key_row *row)
{
    char why[WHY_MAX] = "";
    enum err e = check_policy(i->api, row, why, sizeof(why));
    if (e != OK) {
        reply_outcome(i->reply, e, why[0] != '\0' ? why : NULL);
        return;
    }
    struct api_change c = {.changes = {{.kind = KEY_ADD, .row.key = row}},
                           .count = 1,
                           .what = "key.add",
                           .version = row->attributes.version,
                           .status = 201,
                           .show = show_key};
    snprintf(c.name, sizeof(c.name), "%s", row->attributes.name);
    if (key_row_well_known(row))
        c.extra = json_pack("{s:[s]}", "warnings", "this is a well-known default key: for virgin cards only");
    api_submit(i->api, i->reply, i->who, &c);
}

static void imported(void *arg, enum err e, struct view sealed, uint8_t kcv[3][3])
{
    struct import *i = arg;
    struct key_row row = {.attributes = i->attributes, .created_ms = api_now(i->api)};
    if (e == OK)
        e = blob_copy(&row.sealed, sealed);
    if (e == OK) {
        memcpy(row.kcv, kcv, sizeof(row.kcv));
        store_key(i, &row);
    } else if (e == ERR_AUTH) {
        reply_outcome(i->reply, e, "the key was not encrypted for this keeper, or not with these attributes");
    } else if (e == ERR_ARGUMENT || e == ERR_FORMAT) {
        reply_error(i->reply, 422, "refused", "the encrypted key has another length than its type says");
    } else {
        reply_outcome(i->reply, e, "the keeper does not answer");
    }
    key_row_free(&row);
    free(i);
}

void api_keys_add(const struct api_request *q)
{
    char why[WHY_MAX] = "";
    struct key_body body;
    struct key_row there;
    const struct store *s = q->api->setup.store;
    enum err e = key_body_parse(q->http->body, &body, why, sizeof(why));
    if (e != OK) {
        reply_outcome(q->http->reply, e, why);
        return;
    }
    if (s->ops->get_key(s->ctx, body.attributes.name, body.attributes.version, &there) == OK) {
        key_row_free(&there);
        reply_error(q->http->reply, 409, "exists", "'%s' has a version %u already", body.attributes.name,
                    body.attributes.version);
        return;
    }
    struct import *i = calloc(1, sizeof(*i));
    if (i == NULL) {
        reply_outcome(q->http->reply, ERR_MEMORY, NULL);
        return;
    }
    *i = (struct import){.api = q->api, .reply = q->http->reply, .attributes = body.attributes};
    memcpy(i->who, q->who, sizeof(i->who));
    const struct api_keeper *k = &q->api->setup.keeper;
    k->import(k->ctx, &i->attributes, view_of(body.wrapped, body.wrapped_len), imported, i);
}

/* ---- the rest ---- */

static enum err each_key(void *arg, struct key_row *row)
{
    struct page *p = arg;
    char key[CARD_NUMBER_TEXT_MAX + 1];
    snprintf(key, sizeof(key), "%s/%u", row->attributes.name, row->attributes.version);
    return page_wants(p) ? page_put(p, key, key_value(row)) : OK;
}

void api_keys_list(const struct api_request *q)
{
    struct page p;
    const struct store *s = q->api->setup.store;
    if (page_open(&p, q))
        page_reply(&p, q, s->ops->list_keys(s->ctx, &p.listing, each_key, &p));
}

/* The version in the path: 1 and up, as we write it; 0 when it is none. */
static uint32_t path_version(const struct api_request *q)
{
    const char *text = q->names[1];
    size_t len = strlen(text);
    unsigned long long value = strtoull(text, NULL, 10);
    if (len > 10 || strspn(text, "0123456789") != len || text[0] == '0' || value > UINT32_MAX)
        return 0;
    return (uint32_t)value;
}

void api_keys_get(const struct api_request *q)
{
    uint32_t version = path_version(q);
    json_t *j = version > 0 ? show_key(q->api, q->names[0], version) : NULL;
    if (j != NULL)
        reply_json(q->http->reply, 200, j);
    else
        reply_outcome(q->http->reply, ERR_NOT_FOUND, "there is no such key");
}

void api_keys_retire(const struct api_request *q)
{
    struct key_row row = {.attributes.version = path_version(q)};
    struct api_change c = {.changes = {{.kind = KEY_RETIRE, .row.key = &row}},
                           .count = 1,
                           .what = "key.retire",
                           .version = row.attributes.version,
                           .status = 200,
                           .show = show_key};
    if (row.attributes.version == 0) {
        reply_outcome(q->http->reply, ERR_NOT_FOUND, "there is no such key");
        return;
    }
    if (!api_name(q, row.attributes.name, sizeof(row.attributes.name)))
        return;
    snprintf(c.name, sizeof(c.name), "%s", q->names[0]);
    api_submit(q->api, q->http->reply, q->who, &c);
}
