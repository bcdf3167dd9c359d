/* SPDX-License-Identifier: Apache-2.0
 *
 * The holder's side of the pages. Whoever has a ticket may know what its order is for; a visit only lets
 * somebody watch. Nothing here decides anything about a card. */
#include "front/page_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <base/log.h>

#include "front/api_parts.h"
#include "front/dialogue.h"
#include "front/named.h"
#include "front/page_bodies.h"
#include "front/pages.h"
#include "front/trigger.h"

enum {
    OFFERS_MAX = 100,
    CATALOGUE_MS = 1000,
    URL_MAX = CONFIG_VALUE_MAX + sizeof("/gp/adm?t=.") + TICKET_MAX + VISIT_TEXT
};

struct page_request {
    struct page_api *api;
    const struct http_request *http;
};

static uint64_t now_ms(const struct page_api *a)
{
    return a->clock.now_ms(a->clock.ctx);
}

/* ---- Site and catalogue ------------------------------------------------------------------------------ */

struct offers {
    const struct page_api *api;
    json_t *items; /* NULL: it only matters whether there are any */
    size_t count;
};

static enum err take_offer(void *arg, struct order_row *row)
{
    struct offers *o = arg;
    o->count++;
    if (o->items == NULL)
        return OK;
    json_t *item = json_pack("{s:s,s:s,s:o,s:o,s:o}", "ticket", row->offer_ticket, "purpose", row->purpose,
                             "app", named_app(o->api->store, row->app), "type",
                             named_type(o->api->store, row->type), "expires", value_time(row->expires_ms));
    return json_array_append_new(o->items, item) == 0 ? OK : ERR_MEMORY;
}

static enum err list_offers(const struct page_api *a, struct offers *out)
{
    const struct listing page = {.limit = out->items != NULL ? OFFERS_MAX : 1, .now_ms = now_ms(a)};
    return a->store->ops->list_offers(a->store->ctx, &page, take_offer, out);
}

static void site(const struct page_request *q)
{
    const struct config *c = q->api->config;
    char package[PACKAGE_ADDRESS_MAX];
    struct offers offers = {.api = q->api};
    enum err e = list_offers(q->api, &offers);
    if (e != OK) {
        reply_outcome(q->http->reply, e, NULL);
        return;
    }
    pages_package_address(c->client_package, package, sizeof(package));
    reply_json(q->http->reply, 200,
               json_pack("{s:s,s:s,s:s,s:I,s:s,s:b,s:s}", "issuer", c->issuer, "help_phone", c->help_phone,
                         "help_url", c->help_url, "agent_port", (json_int_t)c->agent_port, "package", package,
                         "catalogue", offers.count > 0, "version", CF_VERSION));
}

static enum err read_catalogue(struct page_api *a, uint64_t now)
{
    struct offers offers = {.api = a, .items = json_array()};
    enum err e = offers.items != NULL ? list_offers(a, &offers) : ERR_MEMORY;
    json_t *j = json_pack("{s:o}", "items", offers.items);
    char *text = e == OK && j != NULL ? json_dumps(j, JSON_COMPACT) : NULL;
    json_decref(j);
    if (text == NULL)
        return e == OK ? ERR_MEMORY : e;
    free(a->catalogue.text);
    a->catalogue.text = text;
    a->catalogue.time_ms = now;
    return OK;
}

static void catalogue(const struct page_request *q)
{
    struct page_api *a = q->api;
    uint64_t now = now_ms(a);
    bool fresh =
        a->catalogue.text != NULL && now >= a->catalogue.time_ms && now < a->catalogue.time_ms + CATALOGUE_MS;
    enum err e = fresh ? OK : read_catalogue(a, now);
    if (e == OK)
        http_reply_send(q->http->reply, 200, "application/json", view_str(a->catalogue.text));
    else
        reply_outcome(q->http->reply, e, NULL);
}

void page_api_finish(struct page_api *a)
{
    free(a->catalogue.text);
    *a = (struct page_api){.store = NULL};
}

/* ---- Visits ------------------------------------------------------------------------------------------ */

/* A ticket, what it is for, and the visit that was made. */
struct visiting {
    struct page_ticket parts;
    uint8_t digest[DIGEST_LEN];
    struct order_row order;
    char visit[VISIT_TEXT + 1];
    char url[URL_MAX], link[TRIGGER_LINK_MAX], events[sizeof("/page/v1/events?visit=") + VISIT_TEXT];
};

/* ERR_NOT_FOUND: a wrong ticket. */
static enum err find_order(const struct page_api *a, struct view text, struct visiting *v)
{
    page_ticket_split(text, &v->parts);
    enum err e = crypto_digest(a->crypto, DIGEST_SHA256, &v->parts.ticket, 1, v->digest);
    return e == OK ? a->store->ops->get_order_by_ticket(a->store->ctx, v->digest, &v->order) : e;
}

static enum err write_links(const struct page_api *a, struct visiting *v, const json_t *app)
{
    const struct trigger_order order = {.purpose = view_str(v->order.purpose),
                                        .app = view_str(v->order.app),
                                        .title = view_str(json_text(app, "title"))};
    (void)snprintf(v->url, sizeof(v->url), "%s/gp/adm?t=%.*s.%s", a->config->public_url,
                   (int)v->parts.ticket.len, (const char *)v->parts.ticket.data, v->visit);
    (void)snprintf(v->events, sizeof(v->events), "/page/v1/events?visit=%s", v->visit);
    return trigger_link(v->url, &order, v->link);
}

/* The session that a page knows already, with its present state. One that is not there, or of another order,
 * is passed over: then the page follows what begins from now on. */
static enum err follow(const struct page_api *a, const struct visiting *v, const char *session)
{
    struct session_row row = {.revision = 0};
    enum err e = a->store->ops->get_session(a->store->ctx, session, &row);
    if (e == OK && strcmp(row.order, v->order.id) == 0) {
        const struct live_session now = {.id = row.id,
                                         .order = row.order,
                                         .step = row.step,
                                         .commands = dialogue_commands(&row),
                                         .outcome = row.outcome,
                                         .reason = row.reason,
                                         .detail = row.detail};
        live_follow(a->live, v->visit, &now);
    }
    session_row_free(&row);
    return e == ERR_NOT_FOUND ? OK : e;
}

static void show_visit(const struct page_request *q, struct visiting *v)
{
    const struct page_api *a = q->api;
    json_t *app = named_app(a->store, v->order.app);
    enum err e = app != NULL ? write_links(a, v, app) : ERR_MEMORY;
    if (e != OK) {
        json_decref(app);
        reply_outcome(q->http->reply, ERR_INTERNAL, NULL);
        return;
    }
    reply_json(q->http->reply, 201,
               json_pack("{s:s,s:s,s:o,s:o,s:s,s:s,s:o,s:s,s:s,s:s}", "visit", v->visit, "purpose",
                         v->order.purpose, "app", app, "type", named_type(a->store, v->order.type), "card",
                         v->order.card, "state", order_state(&v->order, now_ms(a)), "expires",
                         value_time(v->order.expires_ms), "link", v->link, "url", v->url, "events",
                         v->events));
}

static void refuse_ticket(struct http_reply *reply)
{
    reply_error(reply, 404, "wrong-ticket", "the server does not know this ticket");
}

static void refuse_many(struct http_reply *reply)
{
    http_reply_header(reply, "Retry-After", "5");
    reply_error(reply, 429, "too-many", "there are too many visits at the moment; try again a little later");
}

static void make_visit(const struct page_request *q, const struct visit_body *body)
{
    const struct page_api *a = q->api;
    struct visiting v = {.order = {.level = -1}};
    enum err e = find_order(a, view_str(body->ticket), &v);
    if (e == ERR_NOT_FOUND) {
        refuse_ticket(q->http->reply);
        return;
    }
    if (e == OK)
        e = live_visit_add(a->live, v.order.id, v.digest, v.visit);
    if (e == ERR_LIMIT) {
        refuse_many(q->http->reply);
        return;
    }
    if (e == OK && body->session[0] != '\0')
        e = follow(a, &v, body->session);
    if (e != OK)
        reply_outcome(q->http->reply, e, NULL);
    else
        show_visit(q, &v);
}

static void visits(const struct page_request *q)
{
    char why[WHY_MAX] = "";
    struct visit_body body;
    enum err e = visit_body_parse(q->http->body, &body, why, sizeof(why));
    if (e != OK)
        reply_outcome(q->http->reply, e, why);
    else if (!live_peer_may(q->api->live, q->http->peer))
        refuse_many(q->http->reply);
    else
        make_visit(q, &body);
}

/* ---- Events and progress ----------------------------------------------------------------------------- */

static bool sink_put(void *ctx, struct view bytes)
{
    return http_stream_put(ctx, bytes);
}

static void sink_end(void *ctx)
{
    http_stream_end(ctx);
}

static void on_gone(void *arg)
{
    live_watcher_gone(arg);
}

static void events(const struct page_request *q)
{
    const char *visit = http_query(q->http, "visit");
    struct live_watcher *watcher = NULL;
    enum err e = visit != NULL ? live_watch(q->api->live, visit, &watcher) : ERR_NOT_FOUND;
    if (e == ERR_NOT_FOUND) {
        http_reply_send(q->http->reply, 204, NULL, VIEW_NULL);
        return;
    }
    if (e != OK) {
        http_reply_header(q->http->reply, "Retry-After", "5");
        reply_error(q->http->reply, 503, "unavailable", "too many watch at the moment");
        return;
    }
    struct http_stream *stream =
        http_stream_begin(q->http->reply, "text/event-stream; charset=utf-8", on_gone, watcher);
    if (stream != NULL)
        live_watcher_start(watcher, (struct live_sink){.ctx = stream, .put = sink_put, .end = sink_end});
    else
        live_watcher_gone(watcher);
}

static void progress(const struct page_request *q)
{
    char why[WHY_MAX] = "";
    uint8_t digest[DIGEST_LEN];
    struct page_ticket parts;
    struct progress p;
    const char *text = http_query(q->http, "t");
    page_ticket_split(view_str(text != NULL ? text : ""), &parts);
    enum err e = progress_parse(q->http->body, &p, why, sizeof(why));
    if (e == OK)
        e = crypto_digest(q->api->crypto, DIGEST_SHA256, &parts.ticket, 1, digest);
    if (e == OK)
        e = live_progress(q->api->live, parts.visit, digest, &p);
    if (e == OK)
        http_reply_send(q->http->reply, 204, NULL, VIEW_NULL);
    else
        reply_outcome(q->http->reply, e, e == ERR_NOT_FOUND ? "there is no such visit" : why);
}

/* ---- Routes ------------------------------------------------------------------------------------------ */

static const struct page_route {
    const char *method, *path;
    void (*handle)(const struct page_request *q);
} routes[] = {
    {"GET", "/page/v1/site", site},      {"GET", "/page/v1/catalogue", catalogue},
    {"POST", "/page/v1/visits", visits}, {"GET", "/page/v1/events", events},
    {"POST", "/gp/progress", progress},
};

/* What a browser says of itself (Fetch Metadata): another site's page has no business here. Who is no browser
 * says nothing. */
static bool is_foreign(const struct http_request *r)
{
    const char *site_word = http_header(r, "Sec-Fetch-Site");
    return site_word != NULL && strcmp(site_word, "same-origin") != 0 && strcmp(site_word, "none") != 0;
}

static const struct page_route *find_route(const char *path)
{
    for (size_t n = 0; n < sizeof(routes) / sizeof(routes[0]); n++)
        if (strcmp(routes[n].path, path) == 0)
            return &routes[n];
    return NULL;
}

void page_api_handle(struct page_api *a, const struct http_request *r)
{
    const struct page_request q = {.api = a, .http = r};
    const struct page_route *route = find_route(r->path);
    if (is_foreign(r)) {
        reply_error(r->reply, 403, "foreign", "this is only for the pages of this server");
    } else if (route == NULL) {
        reply_error(r->reply, 404, "not-found", "there is nothing at this path");
    } else if (strcmp(route->method, r->method) != 0) {
        http_reply_header(r->reply, "Allow", route->method);
        reply_error(r->reply, 405, "method", "%s is not possible here, but %s", r->method, route->method);
    } else {
        route->handle(&q);
    }
}
