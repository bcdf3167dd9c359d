/* SPDX-License-Identifier: Apache-2.0
 *
 * Replies, changes and listings of the administration. */
#include "front/api_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <base/log.h>
#include <base/text.h>

enum { LIMIT_DEFAULT = 50 };

static const char json_type_name[] = "application/json";

/* ---- replies ---- */

void reply_json(struct http_reply *r, int status, json_t *j)
{
    char *text = j != NULL ? json_dumps(j, JSON_COMPACT) : NULL;
    json_decref(j);
    if (text == NULL) {
        static const char failed[] = "{\"error\":\"internal\",\"message\":\"out of memory\"}";
        http_reply_send(r, 500, json_type_name, view_str(failed));
        return;
    }
    http_reply_send(r, status, json_type_name, view_str(text));
    free(text);
}

void reply_error(struct http_reply *r, int status, const char *word, const char *format, ...)
{
    char message[WHY_MAX + 100];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    /* What is cut in the middle of a character, or was never UTF-8, must still be told. */
    json_t *j = json_pack("{s:s,s:s}", "error", word, "message", message);
    if (j == NULL)
        j = json_pack("{s:s,s:s}", "error", word, "message", "the reason cannot be shown");
    reply_json(r, status, j);
}

static const struct {
    enum err e;
    int status;
    const char *word;
} outcomes[] = {
    {ERR_FORMAT, 400, "malformed"},    {ERR_ARGUMENT, 400, "malformed"},  {ERR_NOT_FOUND, 404, "not-found"},
    {ERR_EXISTS, 409, "exists"},       {ERR_CONFLICT, 409, "in-use"},     {ERR_STATE, 409, "state"},
    {ERR_LIMIT, 413, "too-large"},     {ERR_UNSUPPORTED, 422, "refused"}, {ERR_POLICY, 422, "refused"},
    {ERR_AUTH, 422, "refused"},        {ERR_CLOSED, 503, "unavailable"},  {ERR_TIMEOUT, 503, "unavailable"},
    {ERR_DISK_FULL, 507, "disk-full"},
};

void reply_outcome(struct http_reply *r, enum err e, const char *sentence)
{
    const char *text = sentence != NULL ? sentence : err_text(e);
    for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
        if (outcomes[i].e == e) {
            reply_error(r, outcomes[i].status, outcomes[i].word, "%s", text);
            return;
        }
    }
    LOG(LOG_ERROR, "api.failed", log_err(e));
    reply_error(r, 500, "internal", "%s", text);
}

bool api_name(const struct api_request *q, char *out, size_t size)
{
    if (strlen(q->names[0]) >= size) {
        reply_outcome(q->http->reply, ERR_NOT_FOUND, NULL);
        return false;
    }
    memcpy(out, q->names[0], strlen(q->names[0]) + 1);
    return true;
}

/* ---- values ---- */

json_t *value_hex(struct view v)
{
    json_t *j = NULL;
    char *text = malloc(2 * v.len + 1);
    if (text != NULL) {
        hex_write(text, v);
        j = json_string(text);
    }
    free(text);
    return j;
}

json_t *value_time(uint64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    char date[32], text[48];
    if (ms == 0)
        return json_null();
    if (gmtime_r(&seconds, &tm) == NULL || strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
        return NULL;
    snprintf(text, sizeof(text), "%s.%03uZ", date, (unsigned)(ms % 1000));
    return json_string(text);
}

/* ---- changes ---- */

struct pending {
    struct api *api;
    struct http_reply *reply;
    struct api_change change;
    struct audit_row audit;
};

static void refuse_change(const struct pending *p, enum err e)
{
    static const struct {
        enum err e;
        const char *text;
    } sentences[] = {
        {ERR_EXISTS, "exists already"},
        {ERR_NOT_FOUND, "does not exist, or what it names does not"},
        {ERR_CONFLICT, "is in use"},
        {ERR_STATE, "is not open"},
    };
    char sentence[WHY_MAX];
    for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++) {
        if (sentences[i].e == e) {
            const char *own = e == ERR_NOT_FOUND ? p->change.unknown
                              : e == ERR_STATE   ? p->change.state
                                                 : NULL;
            snprintf(sentence, sizeof(sentence), "'%s' %s", p->change.name,
                     own != NULL ? own : sentences[i].text);
            reply_outcome(p->reply, e, sentence);
            return;
        }
    }
    reply_outcome(p->reply, e, NULL);
}

static void change_done(void *arg, enum err e, size_t failed)
{
    struct pending *p = arg;
    const struct api_change *c = &p->change;
    (void)failed;
    if (e == OK)
        LOG(LOG_INFO, "api.change", log_str("what", p->audit.what), log_str("object", p->audit.object),
            log_str("who", p->audit.who));
    if (e != OK) {
        refuse_change(p, e);
    } else if (c->show == NULL) {
        http_reply_send(p->reply, c->status, json_type_name, VIEW_NULL);
    } else {
        json_t *j = c->show(p->api, c->name, c->version);
        if (j != NULL && c->extra != NULL && json_object_update(j, c->extra) != 0) {
            json_decref(j);
            j = NULL;
        }
        reply_json(p->reply, c->status, j);
    }
    json_decref(c->extra);
    free(p);
}

static void fill_audit(struct audit_row *row, const struct api_change *c, const char *who, uint64_t now)
{
    *row = (struct audit_row){.time_ms = now};
    snprintf(row->who, sizeof(row->who), "%s", who);
    snprintf(row->what, sizeof(row->what), "%s", c->what);
    if (c->version > 0)
        snprintf(row->object, sizeof(row->object), "%.64s/%u", c->name, c->version);
    else
        snprintf(row->object, sizeof(row->object), "%s", c->name);
    snprintf(row->detail, sizeof(row->detail), "%s", c->detail);
}

void api_submit(struct api *a, struct http_reply *reply, const char *who, struct api_change *c)
{
    struct change set[API_CHANGES_MAX + 1];
    struct audit_row audit;
    struct pending *p = malloc(sizeof(*p));
    if (p == NULL) {
        json_decref(c->extra);
        reply_outcome(reply, ERR_MEMORY, NULL);
        return;
    }
    fill_audit(&audit, c, who, api_now(a));
    *p = (struct pending){a, reply, *c, audit};
    memcpy(set, c->changes, c->count * sizeof(set[0]));
    for (size_t i = 0; i < c->count; i++)
        set[i].now_ms = audit.time_ms;
    set[c->count] = (struct change){.kind = AUDIT_ADD, .row.audit = &audit, .now_ms = audit.time_ms};
    const struct store *s = a->setup.store;
    s->ops->submit(s->ctx, set, c->count + 1, change_done, p);
}

/* ---- listings ---- */

static bool read_parameter(const struct api_request *q, const char *name, char *out, size_t size)
{
    const char *value = http_query(q->http, name);
    if (value == NULL)
        return true;
    if (strlen(value) >= size) {
        reply_error(q->http->reply, 400, "malformed", "'%s' is too long", name);
        return false;
    }
    memcpy(out, value, strlen(value) + 1);
    return true;
}

static bool read_limit(const struct api_request *q, size_t *out)
{
    const char *text = http_query(q->http, "limit");
    char *end = NULL;
    *out = LIMIT_DEFAULT;
    if (text == NULL)
        return true;
    unsigned long value = *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : 0;
    if (value < 1 || value >= PAGE_MAX || *end != '\0') {
        reply_error(q->http->reply, 400, "malformed", "'limit' is not 1 to %d", PAGE_MAX - 1);
        return false;
    }
    *out = value;
    return true;
}

bool page_open(struct page *p, const struct api_request *q)
{
    *p = (struct page){.api = q->api};
    struct listing *l = &p->listing;
    const struct {
        const char *name;
        char *out;
        size_t size;
    } parameters[] = {{"after", l->after, sizeof(l->after)}, {"match", l->match, sizeof(l->match)},
                      {"order", l->order, sizeof(l->order)}, {"card", l->card, sizeof(l->card)},
                      {"type", l->type, sizeof(l->type)},    {"app", l->app, sizeof(l->app)}};
    for (size_t i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++)
        if (!read_parameter(q, parameters[i].name, parameters[i].out, parameters[i].size))
            return false;
    if (!read_limit(q, &p->limit))
        return false;
    l->limit = p->limit + 1;
    p->items = json_array();
    if (p->items == NULL)
        reply_outcome(q->http->reply, ERR_MEMORY, NULL);
    return p->items != NULL;
}

bool query_is(const struct api_request *q, const char *name, const char *value, bool *out)
{
    const char *text = http_query(q->http, name);
    *out = text != NULL && strcmp(text, value) == 0;
    if (text == NULL || *out)
        return true;
    reply_error(q->http->reply, 400, "malformed", "'%s' is not '%s'", name, value);
    return false;
}

bool page_wants(struct page *p)
{
    p->more = json_array_size(p->items) == p->limit;
    return !p->more;
}

enum err page_put(struct page *p, const char *key, json_t *item)
{
    if (item == NULL || json_array_append_new(p->items, item) != 0)
        return ERR_MEMORY;
    snprintf(p->last, sizeof(p->last), "%s", key);
    return OK;
}

void page_reply(struct page *p, const struct api_request *q, enum err e)
{
    if (e != OK) {
        json_decref(p->items);
        reply_outcome(q->http->reply, e, NULL);
        return;
    }
    json_t *answer = json_pack("{s:o}", "items", p->items);
    if (answer != NULL && p->more)
        json_object_set_new(answer, "next", json_string(p->last));
    reply_json(q->http->reply, 200, answer);
}
