/* SPDX-License-Identifier: Apache-2.0
 *
 * What has happened: sessions and the audit trail. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "front/api_parts.h"
#include "front/trace.h"

/* ---- sessions ---- */

static json_t *session_value(const struct session_row *row)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:o,s:o}", "id", row->id, "order", row->order,
                     "card", row->card, "step", row->step, "outcome", row->outcome, "reason", row->reason,
                     "detail", row->detail, "posts", (json_int_t)row->posts, "commands",
                     (json_int_t)row->commands, "bytes", (json_int_t)row->bytes, "created",
                     value_time(row->created_ms), "updated", value_time(row->updated_ms));
}

static enum err each_session(void *arg, struct session_row *row)
{
    struct page *p = arg;
    return page_wants(p) ? page_put(p, row->id, session_value(row)) : OK;
}

void api_sessions_list(const struct api_request *q)
{
    struct page p;
    const struct store *s = q->api->setup.store;
    bool running = false;
    if (!query_is(q, "state", "running", &running) || !page_open(&p, q))
        return;
    p.listing.running = running;
    page_reply(&p, q, s->ops->list_sessions(s->ctx, &p.listing, each_session, &p));
}

void api_sessions_get(const struct api_request *q)
{
    struct session_row row;
    const struct store *s = q->api->setup.store;
    enum err e = s->ops->get_session(s->ctx, q->names[0], &row);
    if (e != OK) {
        reply_outcome(q->http->reply, e, e == ERR_NOT_FOUND ? "there is no such session" : NULL);
        return;
    }
    reply_json(q->http->reply, 200, session_value(&row));
    session_row_free(&row);
}

/* ---- the dialogue of a session ---- */

static json_t *command_value(const struct trace_command *c)
{
    const uint8_t header[] = {c->cla, c->ins, c->p1, c->p2};
    return json_pack("{s:o,s:i,s:o,s:o}", "header", value_hex(VIEW_OF(header)), "bytes", (int)c->bytes, "aid",
                     value_hex(c->aid), "sw", c->answered ? json_sprintf("%04X", c->sw) : json_string(""));
}

static json_t *turn_value(const struct trace_turn *t)
{
    json_t *commands = json_array();
    for (size_t n = 0; n < t->count; n++)
        json_array_append_new(commands, command_value(&t->commands[n]));
    return json_pack("{s:o,s:s,s:o}", "time", value_time(t->time_ms), "step", t->step, "commands", commands);
}

static enum err dialogue_value(struct view trace, json_t **out)
{
    struct trace_reader r;
    struct trace_turn *t = malloc(sizeof(*t));
    json_t *turns = json_array();
    bool cut = false;
    enum err e = t != NULL && turns != NULL ? OK : ERR_MEMORY;
    trace_open(&r, trace);
    while (e == OK && (e = trace_next(&r, t, &cut)) == OK)
        e = json_array_append_new(turns, turn_value(t)) == 0 ? OK : ERR_MEMORY;
    free(t);
    if (e == ERR_NOT_FOUND)
        *out = json_pack("{s:O,s:b}", "turns", turns, "cut", cut ? 1 : 0);
    json_decref(turns);
    return e == ERR_NOT_FOUND ? OK : e;
}

void api_sessions_dialogue(const struct api_request *q)
{
    struct session_row row;
    const struct store *s = q->api->setup.store;
    json_t *j = NULL;
    enum err e = s->ops->get_session(s->ctx, q->names[0], &row);
    if (e != OK) {
        reply_outcome(q->http->reply, e, e == ERR_NOT_FOUND ? "there is no such session" : NULL);
        return;
    }
    e = dialogue_value(blob_view(&row.dialogue), &j);
    session_row_free(&row);
    if (e == OK)
        reply_json(q->http->reply, 200, j);
    else
        reply_outcome(q->http->reply, ERR_INTERNAL, NULL);
}

/* ---- the audit trail ---- */

static json_t *audit_value(const struct audit_row *row)
{
    return json_pack("{s:I,s:o,s:s,s:s,s:s,s:s}", "number", (json_int_t)row->number, "time",
                     value_time(row->time_ms), "who", row->who, "what", row->what, "object", row->object,
                     "detail", row->detail);
}

static enum err each_audit(void *arg, struct audit_row *row)
{
    struct page *p = arg;
    char key[24];
    snprintf(key, sizeof(key), "%" PRIu64, row->number);
    return page_wants(p) ? page_put(p, key, audit_value(row)) : OK;
}

void api_audit_list(const struct api_request *q)
{
    struct page p;
    const struct store *s = q->api->setup.store;
    if (page_open(&p, q))
        page_reply(&p, q, s->ops->list_audit(s->ctx, &p.listing, each_audit, &p));
}
