/* SPDX-License-Identifier: Apache-2.0
 *
 * Card types: checked as a whole, together with the key that they name, before they are stored. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gp/certificate.h>
#include <gp/channel.h>

#include "front/api_bodies.h"
#include "front/api_parts.h"
#include "front/card_type.h"
#include "front/json.h"

/* ---- what is told of a type ---- */

static json_t *warnings_value(const struct card_type *t)
{
    const char *texts[CARD_TYPE_WARNINGS_MAX];
    size_t count = card_type_warnings(t, texts);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_string(texts[i]));
    return list;
}

static json_t *type_value(const struct type_row *row)
{
    struct card_type t;
    json_t *j = NULL;
    if (json_open(&j, blob_view(&row->spec), CARD_TYPE_JSON_MAX, NULL, 0) != OK)
        return NULL;
    json_object_set_new(j, "created", value_time(row->created_ms));
    if (card_type_parse(blob_view(&row->spec), &t, NULL, 0) == OK)
        json_object_set_new(j, "warnings", warnings_value(&t));
    return j;
}

static json_t *show_type(struct api *a, const char *name, uint32_t version)
{
    struct type_row row;
    (void)version;
    if (a->setup.store->ops->get_type(a->setup.store->ctx, name, &row) != OK)
        return NULL;
    json_t *j = type_value(&row);
    type_row_free(&row);
    return j;
}

/* ---- a type and its key ---- */

/* docs/signed-commands.md, "Variants": i says which keys, and each has signatures of another length. */
static bool signed_pair_fits(const struct channel_method *m, const struct key_attributes *key)
{
    return key->type == KEY_RSA  ? key->key_len == m->tag_len
           : key->type == KEY_EC ? 2U * key->key_len == m->tag_len
                                 : true;
}

static bool pair_fits(const struct channel_method *m, const struct key_attributes *key)
{
    return key_type_is_pair(m->key_type) && m->key_type == key->type &&
           (m->scp != SCP_SIGNED || signed_pair_fits(m, key));
}

static enum err check_key_row(const struct key_row *key, const struct card_type *t, char *why, size_t why_len)
{
    const struct channel_method *m = channel_method(t->scp, t->i);
    enum key_use use = m != NULL && key_type_is_pair(m->key_type) ? KEY_USE_HOST : KEY_USE_MASTER;
    if (key->attributes.use != use)
        return why_not(ERR_POLICY, why, why_len, "'%s' is not a %s key", t->key, key_use_name(use));
    if (key->attributes.type == KEY_DES && !t->single_des)
        return why_not(ERR_POLICY, why, why_len,
                       "'%s' is for single DES, and the type does not say single_des", t->key);
    if (m == NULL || !(channel_keys_fit(m, key->attributes.type, key->attributes.key_len) ||
                       pair_fits(m, &key->attributes)))
        return why_not(ERR_POLICY, why, why_len, "'%s' is not a key for SCP%02X with i=%02X: it is %s",
                       t->key, t->scp, t->i, key_type_word(key->attributes.type, key->attributes.key_len));
    return OK;
}

static enum err check_policy(const struct api *a, const struct card_type *t, char *why, size_t why_len)
{
    enum weak w;
    if (weak_check(card_type_weak(t), a->setup.allow_weak, &w) == OK)
        return OK;
    return why_not(ERR_POLICY, why, why_len,
                   "%s: the policy does not allow it (allow_weak = %s in the server's "
                   "configuration would)",
                   weak_text(w), weak_name(w));
}

/* The key that card certificates are verified with. */
static enum err check_trust(struct api *a, const struct card_type *t, char *why, size_t why_len)
{
    const struct store *s = a->setup.store;
    struct key_row key;
    if (t->trust[0] == '\0')
        return OK;
    enum err e = s->ops->get_key(s->ctx, t->trust, 0, &key);
    if (e == ERR_NOT_FOUND)
        return why_not(ERR_POLICY, why, why_len, "there is no key '%s' that is not retired", t->trust);
    if (e != OK)
        return e;
    if (key.attributes.use != KEY_USE_TRUST)
        e = why_not(ERR_POLICY, why, why_len, "'%s' is not a trust key", t->trust);
    key_row_free(&key);
    return e;
}

/* Is this pair the one in the certificate? */
static enum err check_leaf(const struct api *a, const struct key_row *key, struct view certificate,
                           bool *same)
{
    uint8_t kcv[3];
    struct pk *k = NULL;
    enum err e = certificate_key(certificate, &k);
    if (e == OK)
        e = key_pair_check_value(a->setup.crypto, k, kcv);
    *same = e == OK && view_equal(VIEW_OF(kcv), VIEW_OF(key->kcv[0]));
    pk_free(&k);
    return e;
}

/* The host's certificates, of which the last must be that of its key. */
static enum err check_certificates(const struct api *a, const struct key_row *key, const struct card_type *t,
                                   char *why, size_t why_len)
{
    struct reader r;
    bool same = true;
    rd_init(&r, view_of(t->certificates, t->certificates_len));
    for (unsigned n = 1; rd_left(&r) > 0; n++) {
        struct view certificate = rd_view(&r, rd_u16(&r));
        if (check_leaf(a, key, certificate, &same) != OK)
            return why_not(ERR_POLICY, why, why_len,
                           "'certificates' entry %u is not a certificate, or one for a key of another kind",
                           n);
    }
    return same ? OK
                : why_not(ERR_POLICY, why, why_len, "the last of 'certificates' is not that of the key '%s'",
                          t->key);
}

/* The key must be there, fit the method, and be no well-known one unless the type says virgin. */
static enum err check_key(struct api *a, const struct card_type *t, char *why, size_t why_len)
{
    const struct store *s = a->setup.store;
    struct key_row key;
    bool well_known = false;
    enum err e = check_policy(a, t, why, why_len);
    if (e == OK)
        e = check_trust(a, t, why, why_len);
    if (e != OK || t->key[0] == '\0')
        return e;
    e = s->ops->get_key(s->ctx, t->key, 0, &key);
    if (e == ERR_NOT_FOUND)
        return why_not(ERR_POLICY, why, why_len, "there is no key '%s' that is not retired", t->key);
    if (e != OK)
        return e;
    e = check_key_row(&key, t, why, why_len);
    if (e == OK)
        e = check_certificates(a, &key, t, why, why_len);
    key_row_free(&key);
    if (e == OK)
        e = key_well_known(a, t->key, &well_known);
    if (e == OK && well_known && !t->virgin)
        e = why_not(ERR_POLICY, why, why_len,
                    "'%s' is a well-known default key, which only a virgin type may use", t->key);
    return e;
}

struct search {
    const struct key_row *key;
    char *why;
    size_t why_len;
    char after[NAME_MAX_BYTES + 1];
    size_t rows;
};

static enum err look_at_type(void *arg, struct type_row *row)
{
    struct search *s = arg;
    struct card_type t;
    s->rows++;
    memcpy(s->after, row->name, sizeof(s->after));
    enum err e = card_type_parse(blob_view(&row->spec), &t, s->why, s->why_len);
    if (e != OK || strcmp(t.key, s->key->attributes.name) != 0)
        return e;
    if (key_row_well_known(s->key) && !t.virgin)
        return why_not(ERR_POLICY, s->why, s->why_len,
                       "this is a well-known default key, and card type '%s', which is not virgin, uses '%s'",
                       t.name, t.key);
    return check_key_row(s->key, &t, s->why, s->why_len);
}

enum err types_accept_key(struct api *a, const struct key_row *key, char *why, size_t why_len)
{
    const struct store *store = a->setup.store;
    struct search s = {.key = key, .why_len = why_len};
    struct listing l = {.limit = PAGE_MAX};
    enum err e = OK;
    s.why = why; /* clang-tidy 14 does not see it in an initialiser */
    do {
        s.rows = 0;
        e = store->ops->list_types(store->ctx, &l, look_at_type, &s);
        snprintf(l.after, sizeof(l.after), "%s", s.after);
    } while (e == OK && s.rows == PAGE_MAX);
    return e;
}

/* ---- adding and changing ---- */

/* The body without what only the server says, so that a type can be put back as it was told. */
static enum err read_spec(struct view body, struct blob *spec, char *why, size_t why_len)
{
    json_t *j = NULL;
    enum err e = json_open(&j, body, CARD_TYPE_JSON_MAX, why, why_len);
    if (e != OK)
        return e;
    json_object_del(j, "created");
    json_object_del(j, "warnings");
    char *text = json_dumps(j, JSON_COMPACT);
    e = text != NULL ? blob_copy(spec, view_str(text)) : ERR_MEMORY;
    free(text);
    json_decref(j);
    return e;
}

static void put_type(const struct api_request *q, const struct card_type *t, const struct blob *spec,
                     bool add)
{
    struct type_row row = {.spec = *spec, .created_ms = api_now(q->api)};
    struct api_change c = {.changes = {{.kind = add ? TYPE_ADD : TYPE_PUT, .row.type = &row}},
                           .count = 1,
                           .what = add ? "type.add" : "type.put",
                           .status = add ? 201 : 200,
                           .show = show_type};
    memcpy(row.name, t->name, sizeof(row.name));
    snprintf(c.name, sizeof(c.name), "%s", t->name);
    api_submit(q->api, q->http->reply, q->who, &c);
}

/* name: what the path says; NULL for a new one. */
static void take_type(const struct api_request *q, const char *name)
{
    char why[WHY_MAX] = "";
    struct card_type t;
    struct blob spec = {0};
    enum err e = read_spec(q->http->body, &spec, why, sizeof(why));
    if (e == OK)
        e = card_type_parse(blob_view(&spec), &t, why, sizeof(why));
    if (e == OK && name != NULL && strcmp(name, t.name) != 0)
        e = why_not(ERR_ARGUMENT, why, sizeof(why), "'name' is not the name in the path");
    if (e == OK)
        e = check_key(q->api, &t, why, sizeof(why));
    if (e != OK)
        reply_outcome(q->http->reply, e, why[0] != '\0' ? why : NULL);
    else
        put_type(q, &t, &spec, name == NULL);
    blob_free(&spec);
}

void api_types_add(const struct api_request *q)
{
    take_type(q, NULL);
}

void api_types_put(const struct api_request *q)
{
    take_type(q, q->names[0]);
}

/* ---- the rest ---- */

static enum err each_type(void *arg, struct type_row *row)
{
    struct page *p = arg;
    return page_wants(p) ? page_put(p, row->name, type_value(row)) : OK;
}

void api_types_list(const struct api_request *q)
{
    struct page p;
    const struct store *s = q->api->setup.store;
    if (page_open(&p, q))
        page_reply(&p, q, s->ops->list_types(s->ctx, &p.listing, each_type, &p));
}

void api_types_get(const struct api_request *q)
{
    json_t *j = show_type(q->api, q->names[0], 0);
    if (j != NULL)
        reply_json(q->http->reply, 200, j);
    else
        reply_outcome(q->http->reply, ERR_NOT_FOUND, "there is no such card type");
}

void api_types_remove(const struct api_request *q)
{
    struct type_row row = {0};
    struct api_change c = {.changes = {{.kind = TYPE_REMOVE, .row.type = &row}},
                           .count = 1,
                           .what = "type.remove",
                           .status = 204};
    if (!api_name(q, row.name, sizeof(row.name)))
        return;
    snprintf(c.name, sizeof(c.name), "%s", q->names[0]);
    api_submit(q->api, q->http->reply, q->who, &c);
}
