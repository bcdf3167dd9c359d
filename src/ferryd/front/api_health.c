/* SPDX-License-Identifier: Apache-2.0
 *
 * How the server is: health, metrics, and what a client of the administration must know first. */
#include <base/text.h>

#include "front/api_parts.h"
#include "front/metrics.h"

enum { HEALTH_GOOD_FOR_MS = 1000, METRICS_TEXT_MAX = 64 * 1024, IMPORT_KEY_LEN = 32 };

/* ---- health ---- */

static const char *word(enum err e)
{
    return e == OK ? "ok" : err_text(e);
}

static void tell_health(struct api *a, struct http_reply *r)
{
    bool good = a->health.store == OK && a->health.keeper == OK;
    reply_json(r, good ? 200 : 503,
               json_pack("{s:s,s:s,s:s}", "status", good ? "ok" : "failing", "store", word(a->health.store),
                         "keeper", word(a->health.keeper)));
}

static void looked(struct api *a)
{
    if (!a->health.store_answered || !a->health.keeper_answered)
        return;
    a->health.looking = false;
    a->health.known = true;
    a->health.time_ms = api_now(a);
    for (size_t i = 0; i < a->health.waiting_count; i++)
        tell_health(a, a->health.waiting[i]);
    a->health.waiting_count = 0;
}

static void store_answered(void *arg, enum err e, size_t failed)
{
    struct api *a = arg;
    (void)failed;
    a->health.store = e;
    a->health.store_answered = true;
    looked(a);
}

static void keeper_answered(void *arg, enum err e, const uint8_t import_key[32])
{
    struct api *a = arg;
    (void)import_key;
    a->health.keeper = e;
    a->health.keeper_answered = true;
    looked(a);
}

/* An empty change set writes a mark: the store lives, and its disk takes more. */
static void look(struct api *a)
{
    const struct store *s = a->setup.store;
    a->health.looking = true;
    a->health.store_answered = a->health.keeper_answered = false;
    s->ops->submit(s->ctx, NULL, 0, store_answered, a);
    a->setup.keeper.info(a->setup.keeper.ctx, keeper_answered, a);
}

void api_health(const struct api_request *q)
{
    struct api *a = q->api;
    uint64_t now = api_now(a);
    bool fresh = a->health.known && now - a->health.time_ms < HEALTH_GOOD_FOR_MS;
    if (!a->health.looking && fresh) {
        tell_health(a, q->http->reply);
    } else if (a->health.waiting_count == HEALTH_WAITING_MAX) {
        reply_error(q->http->reply, 503, "unavailable", "too many ask at once");
    } else {
        a->health.waiting[a->health.waiting_count++] = q->http->reply;
        if (!a->health.looking)
            look(a);
    }
}

/* ---- metrics ---- */

void api_metrics(const struct api_request *q)
{
    struct store_stats stats;
    struct writer text;
    const struct store *s = q->api->setup.store;
    s->ops->stats(s->ctx, &stats);
    wr_heap(&text, METRICS_TEXT_MAX);
    metrics_put(&text, &stats);
    if (wr_ok(&text))
        http_reply_send(q->http->reply, 200, "text/plain; version=0.0.4", wr_view_of(&text));
    else
        reply_outcome(q->http->reply, ERR_LIMIT, NULL);
    wr_free(&text);
}

/* ---- the server ---- */

static void tell_server(void *arg, enum err e, const uint8_t import_key[32])
{
    struct http_reply *r = arg;
    char text[2 * IMPORT_KEY_LEN];
    struct writer w;
    if (e != OK) {
        reply_outcome(r, e, "the keeper does not answer");
        return;
    }
    wr_fixed(&w, text, sizeof(text));
    base64url_put(&w, view_of(import_key, IMPORT_KEY_LEN));
    wr_u8(&w, 0);
    reply_json(r, 200, json_pack("{s:s,s:s}", "version", CF_VERSION, "import_key", text));
}

void api_server(const struct api_request *q)
{
    const struct api_keeper *k = &q->api->setup.keeper;
    k->info(k->ctx, tell_server, q->http->reply);
}
