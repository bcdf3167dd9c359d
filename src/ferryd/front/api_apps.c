/* SPDX-License-Identifier: Apache-2.0
 *
 * Applications: CAP files, read and checked before they are stored, and their sequences. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cap/component.h>
#include <plan/plan.h>
#include <session/outcome.h>

#include "front/api_bodies.h"
#include "front/api_parts.h"
#include "front/json.h"

/* ---- what is told of an application ---- */

static json_t *version_value(const struct cap_package *p)
{
    return json_sprintf("%u.%u", p->major, p->minor);
}

static json_t *import_value(const struct cap_package *p)
{
    const char *name = cap_package_name(&p->aid);
    return json_pack("{s:o,s:o,s:s}", "aid", value_hex(aid_view(&p->aid)), "version", version_value(p),
                     "name", name != NULL ? name : "");
}

/* The components as they go to the card, in their order: each with its tag and size. */
static json_t *components_value(const struct cap *cap)
{
    json_t *list = json_array();
    struct reader r;
    rd_init(&r, wr_view_of(&cap->load));
    while (rd_left(&r) > 0) {
        size_t before = rd_left(&r);
        unsigned tag = rd_u8(&r);
        if (tag == 0 || tag >= COMPONENT_TAGS)
            break;
        if (component_is_wide(tag, cap->flags))
            rd_view32(&r, LOAD_FILE_MAX);
        else
            rd_view16(&r, UINT16_MAX);
        json_array_append_new(list,
                              json_pack("{s:i,s:s,s:I}", "tag", (int)tag, "name", component_kind(tag)->name,
                                        "bytes", (json_int_t)(before - rd_left(&r))));
    }
    return list;
}

/* Stored with the application, so that a listing reads no CAP file. */
static json_t *info_of(const struct cap *cap, const uint8_t sha256[DIGEST_LEN])
{
    json_t *applets = json_array(), *imports = json_array();
    for (size_t i = 0; i < cap->applet_count; i++)
        json_array_append_new(applets, value_hex(aid_view(&cap->applets[i])));
    for (size_t i = 0; i < cap->import_count; i++)
        json_array_append_new(imports, import_value(&cap->imports[i]));
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:I,s:o}", "package", value_hex(aid_view(&cap->package.aid)),
                     "version", version_value(&cap->package), "applets", applets, "imports", imports,
                     "components", components_value(cap), "load_bytes", (json_int_t)cap->load.len, "sha256",
                     value_hex(view_of(sha256, DIGEST_LEN)));
}

static json_t *approved_value(const struct app_row *row)
{
    if (row->approved_by[0] == '\0')
        return json_null();
    return json_pack("{s:s,s:o}", "by", row->approved_by, "time", value_time(row->approved_ms));
}

/* What was stored before there were titles and components has none. */
static json_t *app_value(const struct app_row *row)
{
    json_t *info = json_loadb((const char *)row->info.data, row->info.len, 0, NULL);
    json_t *j =
        json_pack("{s:s,s:s,s:s,s:s,s:s,s:[],s:o}", "name", row->name, "title", "", "description", "",
                  "title_de", "", "description_de", "", "components", "approved", approved_value(row));
    if (info != NULL && j != NULL)
        json_object_update(j, info);
    json_decref(info);
    if (j != NULL)
        json_object_set_new(j, "created", value_time(row->created_ms));
    return j;
}

static json_t *show_app(struct api *a, const char *name, uint32_t version)
{
    struct app_row row;
    (void)version;
    if (a->setup.store->ops->get_app(a->setup.store->ctx, name, &row) != OK)
        return NULL;
    json_t *j = app_value(&row);
    app_row_free(&row);
    return j;
}

/* ---- adding ---- */

static enum err sequence_of(const struct app_body *b, const struct cap *cap, struct writer *text,
                            struct plan_problem *why)
{
    wr_heap(text, SEQUENCE_TEXT_MAX);
    if (b->sequence.len == 0)
        return plan_generate(cap, b->installs, b->install_count, b->load_parameters, text, why);
    wr_view(text, b->sequence);
    return plan_check(b->sequence, cap, why);
}

static enum err text_of(json_t *j, struct blob *out)
{
    char *text = j != NULL ? json_dumps(j, JSON_COMPACT) : NULL;
    enum err e = text != NULL ? blob_copy(out, view_str(text)) : ERR_MEMORY;
    free(text);
    json_decref(j);
    return e;
}

/* Whatever is wrong with what a CAP file or a sequence says is refused (422): the request itself was
 * understood. */
static void refuse_content(struct http_reply *r, enum err e, const char *why)
{
    if (e == ERR_POLICY)
        reply_outcome(r, e, why);
    else if (e == ERR_MEMORY || e == ERR_CRYPTO)
        reply_outcome(r, e, NULL);
    else
        reply_error(r, 422, reason_word(REASON_BAD_CAP), "%s", why);
}

/* Sets the texts that are given; takes info over. */
static json_t *with_texts(json_t *info, const struct app_naming *t)
{
    for (size_t i = 0; i < APP_TEXTS && info != NULL; i++) {
        if (t->text[i] != NULL &&
            json_object_set_new(info, app_text_names[i], json_string(t->text[i])) != 0) {
            json_decref(info);
            info = NULL;
        }
    }
    return info;
}

static void approve(struct app_row *row, const struct api_request *q)
{
    snprintf(row->approved_by, sizeof(row->approved_by), "%s", q->who);
    row->approved_ms = api_now(q->api);
}

static void add_app(const struct api_request *q, const struct app_body *b, const struct cap *cap,
                    const struct writer *sequence, json_t *warnings)
{
    struct app_row row = {.package = cap->package, .created_ms = api_now(q->api)};
    struct view file = wr_view_of(&b->cap);
    enum err e = crypto_digest(q->api->setup.crypto, DIGEST_SHA256, &file, 1, row.sha256);
    if (e == OK)
        e = text_of(with_texts(info_of(cap, row.sha256), &b->texts), &row.info);
    if (e != OK) {
        json_decref(warnings);
        reply_outcome(q->http->reply, e, NULL);
        return;
    }
    snprintf(row.name, sizeof(row.name), "%s", b->name);
    if (b->approved)
        approve(&row, q);
    row.cap = (struct blob){b->cap.data, b->cap.len};
    row.sequence = (struct blob){sequence->data, sequence->len};
    struct api_change c = {.changes = {{.kind = APP_ADD, .row.app = &row}},
                           .count = 1,
                           .what = "app.add",
                           .status = 201,
                           .show = show_app,
                           .extra = warnings};
    snprintf(c.name, sizeof(c.name), "%s", b->name);
    snprintf(c.detail, sizeof(c.detail), "%s", b->approved ? "approved" : "");
    api_submit(q->api, q->http->reply, q->who, &c);
    blob_free(&row.info);
}

/* A sequence may make weak choices that the policy allows; these are told. */
static enum err check_weak(const struct api_request *q, struct view sequence, struct plan_problem *why,
                           json_t **warnings)
{
    weak_set found;
    enum weak refused;
    enum err e = plan_weak(sequence, &found);
    if (e == OK && weak_check(found, q->api->setup.allow_weak, &refused) != OK)
        return why_not(
            ERR_POLICY, why->text, sizeof(why->text),
            "%s: the policy does not allow it (allow_weak = %s in the server's configuration would)",
            weak_text(refused), weak_name(refused));
    for (unsigned w = 0; e == OK && w < WEAK_COUNT; w++) {
        if ((found >> w & 1) == 0)
            continue;
        if (*warnings == NULL)
            *warnings = json_pack("{s:[]}", "warnings");
        json_array_append_new(json_object_get(*warnings, "warnings"), json_string(weak_text((enum weak)w)));
    }
    return e;
}

void api_apps_add(const struct api_request *q)
{
    char why[WHY_MAX] = "";
    struct app_body body = {0};
    struct cap cap = {0};
    struct cap_problem cap_why = {""};
    struct plan_problem plan_why = {.text = ""};
    struct writer sequence = {0};
    json_t *warnings = NULL;
    bool read = false;
    enum err e = app_body_parse(q->http->body, &body, why, sizeof(why));
    if (e != OK) {
        reply_outcome(q->http->reply, e, why);
        return;
    }
    e = cap_read(&cap, wr_view_of(&body.cap), &cap_why);
    read = e == OK;
    if (!read) {
        refuse_content(q->http->reply, e, cap_why.text);
        goto out;
    }
    e = sequence_of(&body, &cap, &sequence, &plan_why);
    if (e == OK)
        e = check_weak(q, wr_view_of(&sequence), &plan_why, &warnings);
    if (e != OK) {
        refuse_content(q->http->reply, e, plan_why.text);
        goto out;
    }
    add_app(q, &body, &cap, &sequence, warnings);
    warnings = NULL;
out:
    json_decref(warnings);
    wr_free(&sequence);
    if (read)
        cap_finish(&cap);
    app_body_finish(&body);
}

/* ---- the rest ---- */

static enum err each_app(void *arg, struct app_row *row)
{
    struct page *p = arg;
    return page_wants(p) ? page_put(p, row->name, app_value(row)) : OK;
}

void api_apps_list(const struct api_request *q)
{
    struct page p;
    const struct store *s = q->api->setup.store;
    if (page_open(&p, q))
        page_reply(&p, q, s->ops->list_apps(s->ctx, &p.listing, each_app, &p));
}

/* Reads the application that the path names. False: refused, and answered. */
static bool find_app(const struct api_request *q, struct app_row *row)
{
    const struct store *s = q->api->setup.store;
    enum err e = s->ops->get_app(s->ctx, q->names[0], row);
    if (e != OK)
        reply_outcome(q->http->reply, e, e == ERR_NOT_FOUND ? "there is no such application" : NULL);
    return e == OK;
}

void api_apps_get(const struct api_request *q)
{
    struct app_row row;
    if (!find_app(q, &row))
        return;
    reply_json(q->http->reply, 200, app_value(&row));
    app_row_free(&row);
}

void api_apps_remove(const struct api_request *q)
{
    struct app_row row = {0};
    struct api_change c = {
        .changes = {{.kind = APP_REMOVE, .row.app = &row}}, .count = 1, .what = "app.remove", .status = 204};
    if (!api_name(q, row.name, sizeof(row.name)))
        return;
    snprintf(c.name, sizeof(c.name), "%s", q->names[0]);
    api_submit(q->api, q->http->reply, q->who, &c);
}

void api_apps_approve(const struct api_request *q)
{
    struct app_row row = {0};
    struct api_change c = {.changes = {{.kind = APP_APPROVE, .row.app = &row}},
                           .count = 1,
                           .what = "app.approve",
                           .state = "was approved already",
                           .status = 200,
                           .show = show_app};
    if (!api_name(q, row.name, sizeof(row.name)))
        return;
    approve(&row, q);
    snprintf(c.name, sizeof(c.name), "%s", q->names[0]);
    api_submit(q->api, q->http->reply, q->who, &c);
}

static enum err change_texts(struct app_row *row, const struct app_naming *t)
{
    json_t *info = json_loadb((const char *)row->info.data, row->info.len, 0, NULL);
    blob_free(&row->info);
    return text_of(with_texts(info, t), &row->info);
}

void api_apps_texts(const struct api_request *q)
{
    char why[WHY_MAX] = "";
    struct texts_body body;
    struct app_row row;
    enum err e = texts_body_parse(q->http->body, &body, why, sizeof(why));
    if (e != OK) {
        reply_outcome(q->http->reply, e, why);
        return;
    }
    if (find_app(q, &row)) {
        struct api_change c = {.changes = {{.kind = APP_PUT_TEXTS, .row.app = &row}},
                               .count = 1,
                               .what = "app.texts",
                               .status = 200,
                               .show = show_app};
        snprintf(c.name, sizeof(c.name), "%s", row.name);
        e = change_texts(&row, &body.texts);
        if (e == OK)
            api_submit(q->api, q->http->reply, q->who, &c);
        else
            reply_outcome(q->http->reply, e, NULL);
        app_row_free(&row);
    }
    texts_body_finish(&body);
}

void api_sequence_get(const struct api_request *q)
{
    struct app_row row;
    if (!find_app(q, &row))
        return;
    http_reply_send(q->http->reply, 200, "text/plain; charset=utf-8", blob_view(&row.sequence));
    app_row_free(&row);
}

/* Checks a sequence against the CAP file that is stored. */
static enum err check_sequence(const struct app_row *row, struct view sequence, struct plan_problem *why)
{
    struct cap cap;
    if (sequence.len > SEQUENCE_TEXT_MAX) {
        snprintf(why->text, sizeof(why->text), "the sequence is longer than %d bytes", SEQUENCE_TEXT_MAX);
        return ERR_LIMIT;
    }
    enum err e = cap_read(&cap, blob_view(&row->cap), NULL);
    if (e != OK) {
        snprintf(why->text, sizeof(why->text), "the stored CAP file cannot be read: %s", err_text(e));
        return e;
    }
    e = plan_check(sequence, &cap, why);
    cap_finish(&cap);
    return e;
}

void api_sequence_put(const struct api_request *q)
{
    struct app_row row;
    struct plan_problem why = {.text = ""};
    bool approved = false;
    if (!query_is(q, "approved", "true", &approved) || !find_app(q, &row))
        return;
    json_t *warnings = NULL;
    enum err e = check_sequence(&row, q->http->body, &why);
    if (e == OK)
        e = check_weak(q, q->http->body, &why, &warnings);
    if (e != OK) {
        refuse_content(q->http->reply, e, why.text);
        app_row_free(&row);
        return;
    }
    struct app_row changed = {0};
    memcpy(changed.name, row.name, sizeof(changed.name));
    memcpy(changed.sha256, row.sha256, sizeof(changed.sha256));
    if (approved)
        approve(&changed, q);
    e = blob_copy(&changed.sequence, q->http->body);
    if (e != OK) {
        json_decref(warnings);
        reply_outcome(q->http->reply, e, NULL);
    } else {
        struct api_change c = {.changes = {{.kind = APP_PUT_SEQUENCE, .row.app = &changed}},
                               .count = 1,
                               .what = "app.sequence",
                               .status = 200,
                               .show = show_app,
                               .extra = warnings};
        snprintf(c.name, sizeof(c.name), "%s", row.name);
        snprintf(c.detail, sizeof(c.detail), "%s", approved ? "approved" : "");
        api_submit(q->api, q->http->reply, q->who, &c);
    }
    app_row_free(&changed);
    app_row_free(&row);
}
