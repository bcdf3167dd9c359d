/* SPDX-License-Identifier: Apache-2.0
 *
 * What an operator sees first: what runs now, how the last days went, and what waits for somebody. Nothing
 * here reads as many rows as there are cards or sessions: how sessions ended is counted when they end. */
#include <string.h>

#include <session/outcome.h>

#include "front/api_parts.h"

enum { OVERVIEW_DAYS = 30, OVERVIEW_SESSIONS = 20, DAY_MS = 24 * 3600 * 1000 };

struct overview {
    struct api *api;
    uint32_t first_day;
    uint64_t days[OVERVIEW_DAYS][OUTCOME_COUNT], reasons[REASON_COUNT];
    json_t *sessions;
};

static enum err count_tally(void *arg, struct tally_row *row)
{
    struct overview *v = arg;
    enum outcome o;
    enum reason r;
    uint32_t n = row->day - v->first_day;
    if (n >= OVERVIEW_DAYS || outcome_by_word(row->outcome, &o) != OK)
        return OK;
    v->days[n][o] += row->count;
    if (o == OUTCOME_FAILED && reason_by_word(row->reason, &r) == OK)
        v->reasons[r] += row->count;
    return OK;
}

static enum err each_session(void *arg, struct session_row *row)
{
    struct overview *v = arg;
    const struct api_setup *s = &v->api->setup;
    uint32_t done = 0, total = 0;
    if (s->progress.get != NULL)
        s->progress.get(s->progress.ctx, row->id, &done, &total);
    json_t *j = json_pack("{s:s,s:s,s:s,s:s,s:o,s:I,s:I}", "id", row->id, "order", row->order, "card",
                          row->card, "step", row->step, "created", value_time(row->created_ms), "done",
                          (json_int_t)done, "total", (json_int_t)total);
    return j != NULL && json_array_append_new(v->sessions, j) == 0 ? OK : ERR_MEMORY;
}

static json_t *day_value(const struct overview *v, uint32_t n)
{
    /* "2026-11-25" of "2026-11-25T00:00:00.000Z" */
    json_t *time = value_time((uint64_t)(v->first_day + n) * DAY_MS);
    json_t *j = json_pack("{s:s%}", "day", json_string_value(time), (size_t)strlen("2026-11-25"));
    json_decref(time);
    for (unsigned o = 0; o < OUTCOME_COUNT; o++)
        json_object_set_new(j, outcome_word((enum outcome)o), json_integer((json_int_t)v->days[n][o]));
    return j;
}

static json_t *days_value(const struct overview *v)
{
    json_t *list = json_array();
    for (uint32_t n = 0; n < OVERVIEW_DAYS; n++)
        json_array_append_new(list, day_value(v, n));
    return list;
}

/* The most frequent first. */
static json_t *reasons_value(struct overview *v)
{
    json_t *list = json_array();
    for (;;) {
        unsigned most = 0;
        for (unsigned r = 1; r < REASON_COUNT; r++)
            if (v->reasons[r] > v->reasons[most])
                most = r;
        if (v->reasons[most] == 0)
            return list;
        json_array_append_new(list, json_pack("{s:s,s:I}", "reason", reason_word((enum reason)most), "count",
                                              (json_int_t)v->reasons[most]));
        v->reasons[most] = 0;
    }
}

void api_overview(const struct api_request *q)
{
    const struct store *s = q->api->setup.store;
    uint64_t now = api_now(q->api);
    struct overview v = {
        .api = q->api, .first_day = (uint32_t)(now / DAY_MS) - (OVERVIEW_DAYS - 1), .sessions = json_array()};
    const struct listing running = {.running = true, .limit = OVERVIEW_SESSIONS};
    struct store_counts counts = {0};
    enum err e = v.sessions != NULL ? s->ops->get_counts(s->ctx, now, &counts) : ERR_MEMORY;
    if (e == OK)
        e = s->ops->list_tallies(s->ctx, v.first_day, count_tally, &v);
    if (e == OK)
        e = s->ops->list_sessions(s->ctx, &running, each_session, &v);
    if (e != OK) {
        json_decref(v.sessions);
        reply_outcome(q->http->reply, e, NULL);
        return;
    }
    reply_json(q->http->reply, 200,
               json_pack("{s:I,s:o,s:o,s:o,s:I,s:I,s:I,s:I}", "sessions_now",
                         (json_int_t)counts.sessions_running, "sessions", v.sessions, "days", days_value(&v),
                         "reasons", reasons_value(&v), "cards", (json_int_t)counts.cards, "set_aside",
                         (json_int_t)counts.cards_set_aside, "orders_open", (json_int_t)counts.orders_open,
                         "apps_waiting", (json_int_t)counts.apps_waiting));
}
