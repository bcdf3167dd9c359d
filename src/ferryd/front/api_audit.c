/* SPDX-License-Identifier: Apache-2.0
 *
 * What has happened: sessions and the audit trail. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "front/api_parts.h"

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
    if (page_open(&p, q))
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
