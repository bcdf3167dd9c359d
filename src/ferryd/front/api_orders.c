/* SPDX-License-Identifier: Apache-2.0
 *
 * Orders and their tickets. A ticket is shown once; the store has only its digest. */
#include <stdio.h>
#include <string.h>

#include <base/secret.h>
#include <base/text.h>
#include <gp/channel.h>

#include "front/api_bodies.h"
#include "front/api_parts.h"
#include "front/card_type.h"
#include "front/json.h"
#include "front/named.h"
#include "front/trigger.h"

enum { TICKET_BYTES = 32, ID_BYTES = ID_TEXT / 2 };

/* ---- what is told of an order ---- */

static json_t *level_value(int level)
{
    return level < 0 ? json_string("") : json_sprintf("%02X", (unsigned)level);
}

/* What a ticket is handed on as. */
struct ticket {
    char text[TICKET_MAX], url[2 * TRIGGER_URI_MAX + TICKET_MAX], invitation[TRIGGER_URI_MAX + TICKET_MAX],
        link[TRIGGER_LINK_MAX];
};

/* The link says what the order is for, so that a client can ask before it calls. */
static enum err ticket_links(const struct api *a, const struct order_row *row, struct ticket *t)
{
    json_t *app = named_app(a->setup.store, row->app);
    const struct trigger_order order = {.purpose = view_str(row->purpose),
                                        .app = view_str(row->app),
                                        .title = view_str(json_text(app, "title"))};
    snprintf(t->url, sizeof(t->url), "%s/gp/adm?t=%s", a->setup.public_url, t->text);
    snprintf(t->invitation, sizeof(t->invitation), "%s/i#%s", a->setup.public_url, t->text);
    enum err e = trigger_link(t->url, &order, t->link);
    json_decref(app);
    return e;
}

static json_t *ticket_value(const struct ticket *t)
{
    return json_pack("{s:s,s:s,s:s,s:s}", "ticket", t->text, "url", t->url, "link", t->link, "invitation",
                     t->invitation);
}

/* An order that nobody fulfilled in time is told as expired, without anything having to be written. */
const char *order_state(const struct order_row *row, uint64_t now)
{
    return strcmp(row->state, "open") == 0 && row->expires_ms <= now ? "expired" : row->state;
}

static json_t *order_value(struct api *a, const struct order_row *row)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:o,s:s,s:b,s:I,s:I,s:I,s:o,s:o}", "id", row->id, "purpose",
                     row->purpose, "app", row->app, "card", row->card, "type", row->type, "level",
                     level_value(row->level), "state", order_state(row, api_now(a)), "offer",
                     row->offer_ticket[0] != '\0' ? 1 : 0, "cards", (json_int_t)row->cards, "cards_left",
                     (json_int_t)row->cards_left, "openings_left", (json_int_t)row->openings_left, "created",
                     value_time(row->created_ms), "expires", value_time(row->expires_ms));
}

static json_t *show_order(struct api *a, const char *id, uint32_t version)
{
    struct order_row row;
    struct ticket t;
    (void)version;
    if (a->setup.store->ops->get_order(a->setup.store->ctx, id, &row) != OK)
        return NULL;
    json_t *j = order_value(a, &row);
    memcpy(t.text, row.offer_ticket, sizeof(t.text));
    if (j == NULL || t.text[0] == '\0' || ticket_links(a, &row, &t) != OK)
        return j;
    json_t *links = ticket_value(&t);
    json_object_update(j, links);
    json_decref(links);
    return j;
}

/* ---- adding ---- */

/* For this order, whose row gets the digest. */
static enum err make_ticket(struct api *a, struct order_row *row, struct ticket *t)
{
    uint8_t bytes[TICKET_BYTES];
    struct writer w;
    enum err e = a->setup.random.fill(a->setup.random.ctx, bytes, sizeof(bytes));
    wr_fixed(&w, t->text, sizeof(t->text));
    if (e == OK) {
        base64url_put(&w, VIEW_OF(bytes));
        wr_u8(&w, 0);
        e = wr_status(&w);
    }
    wipe(bytes, sizeof(bytes));
    struct view text = view_str(e == OK ? t->text : "");
    if (e == OK)
        e = crypto_digest(a->setup.crypto, DIGEST_SHA256, &text, 1, row->ticket_digest);
    if (e != OK)
        return e;
    return ticket_links(a, row, t);
}

static enum err make_id(struct api *a, char out[ID_TEXT + 1])
{
    uint8_t bytes[ID_BYTES];
    enum err e = a->setup.random.fill(a->setup.random.ctx, bytes, sizeof(bytes));
    if (e != OK)
        return e;
    hex_write(out, VIEW_OF(bytes));
    for (char *c = out; *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'F')
            *c = (char)(*c - 'A' + 'a');
    return OK;
}

/* The level of an order may only raise its type's: every bit of that must be there, and the method must have
 * such a level. */
static enum err check_level(const struct order_body *b, const struct card_type *t, char *why, size_t why_len)
{
    const struct channel_method *m = channel_method(t->scp, t->i);
    if (b->level < 0)
        return OK;
    if (m == NULL || !channel_level_ok(m, (uint8_t)b->level))
        return why_not(ERR_POLICY, why, why_len, "card type '%s' has no security level %02X", t->name,
                       (unsigned)b->level);
    if ((b->level & t->level) != t->level)
        return why_not(ERR_POLICY, why, why_len,
                       "'level' %02X is lower than %02X of card type '%s': it may only be raised",
                       (unsigned)b->level, t->level, t->name);
    return OK;
}

/* Which type decides: the one that is named, or the one that the card is known to be of; "" when neither. */
static enum err type_of_order(const struct store *s, const struct order_body *b, char *name, size_t size,
                              char *why, size_t why_len)
{
    struct card_row card;
    snprintf(name, size, "%s", b->type);
    if (b->card[0] == '\0')
        return OK;
    enum err e = s->ops->get_card(s->ctx, b->card, &card);
    if (e == ERR_NOT_FOUND)
        return OK; /* a card that was never here before */
    if (e != OK)
        return e;
    if (b->type[0] != '\0' && card.type[0] != '\0' && strcmp(b->type, card.type) != 0)
        e = why_not(ERR_POLICY, why, why_len, "card '%s' is of type '%s'", b->card, card.type);
    else if (card.type[0] != '\0')
        snprintf(name, size, "%s", card.type);
    card_row_free(&card);
    return e;
}

static enum err check_type(const struct store *s, const struct order_body *b, json_t *warnings, char *why,
                           size_t why_len)
{
    char name[NAME_MAX_BYTES + 1];
    const char *texts[CARD_TYPE_WARNINGS_MAX];
    struct type_row row;
    struct card_type t;
    enum err e = type_of_order(s, b, name, sizeof(name), why, why_len);
    if (e != OK)
        return e;
    if (name[0] == '\0') {
        if (b->level >= 0 && !(b->level & LEVEL_C_MAC))
            return why_not(ERR_POLICY, why, why_len, "'level' does not authenticate commands");
        return OK;
    }
    e = s->ops->get_type(s->ctx, name, &row);
    if (e == ERR_NOT_FOUND)
        return why_not(ERR_POLICY, why, why_len, "there is no card type '%s'", name);
    if (e != OK)
        return e;
    e = card_type_parse(blob_view(&row.spec), &t, why, why_len);
    type_row_free(&row);
    if (e == OK)
        e = check_level(b, &t, why, why_len);
    for (size_t i = 0, count = e == OK ? card_type_warnings(&t, texts) : 0; i < count; i++)
        json_array_append_new(warnings, json_string(texts[i]));
    return e;
}

static enum err check_app(const struct store *s, const struct order_body *b, char *why, size_t why_len)
{
    struct app_row row = {0};
    if (b->app[0] == '\0')
        return OK;
    enum err e = s->ops->get_app(s->ctx, b->app, &row);
    if (e == ERR_NOT_FOUND)
        return why_not(ERR_POLICY, why, why_len, "there is no application '%s'", b->app);
    if (e == OK && row.approved_by[0] == '\0')
        e = why_not(ERR_POLICY, why, why_len,
                    "application '%s' was not approved: look at it, and approve it (ferry app approve)",
                    b->app);
    app_row_free(&row);
    return e;
}

static void add_order(const struct api_request *q, const struct order_body *b, json_t *warnings)
{
    struct api *a = q->api;
    struct ticket ticket = {0};
    uint64_t now = api_now(a), seconds = b->expires_s > 0 ? b->expires_s : a->setup.order_expiry_s;
    struct order_row row = {.level = b->level,
                            .state = "open",
                            .cards = b->cards,
                            .cards_left = b->cards,
                            .openings_left = b->openings,
                            .created_ms = now,
                            .expires_ms = now + seconds * 1000};
    memcpy(row.purpose, b->purpose, sizeof(row.purpose));
    memcpy(row.app, b->app, sizeof(row.app));
    memcpy(row.card, b->card, sizeof(row.card));
    memcpy(row.type, b->type, sizeof(row.type));
    enum err e = make_id(a, row.id);
    if (e == OK)
        e = make_ticket(a, &row, &ticket);
    if (e != OK) {
        reply_outcome(q->http->reply, e == ERR_ARGUMENT ? ERR_INTERNAL : e, NULL);
        return;
    }
    /* An offer's ticket is for everybody: the catalogue shows it. */
    if (b->offer)
        memcpy(row.offer_ticket, ticket.text, sizeof(row.offer_ticket));
    struct api_change c = {.changes = {{.kind = ORDER_ADD, .row.order = &row}},
                           .count = 1,
                           .what = "order.add",
                           .status = 201,
                           .show = show_order,
                           .extra = ticket_value(&ticket)};
    memcpy(c.name, row.id, sizeof(row.id));
    snprintf(c.detail, sizeof(c.detail), "%s %s%s", row.purpose, row.app, b->offer ? ", an offer" : "");
    json_object_set(c.extra, "warnings", warnings);
    wipe(&ticket, sizeof(ticket));
    if (c.extra != NULL)
        api_submit(a, q->http->reply, q->who, &c);
    else
        reply_outcome(q->http->reply, ERR_MEMORY, NULL);
}

void api_orders_add(const struct api_request *q)
{
    char why[WHY_MAX] = "";
    struct order_body body;
    const struct store *s = q->api->setup.store;
    json_t *warnings = json_array();
    enum err e = order_body_parse(q->http->body, &body, why, sizeof(why));
    if (e == OK)
        e = check_app(s, &body, why, sizeof(why));
    if (e == OK)
        e = check_type(s, &body, warnings, why, sizeof(why));
    if (e == OK)
        add_order(q, &body, warnings);
    else
        reply_outcome(q->http->reply, e, why[0] != '\0' ? why : NULL);
    json_decref(warnings);
}

/* ---- the rest ---- */

static enum err each_order(void *arg, struct order_row *row)
{
    struct page *p = arg;
    return page_wants(p) ? page_put(p, row->id, order_value(p->api, row)) : OK;
}

void api_orders_list(const struct api_request *q)
{
    struct page p;
    const struct store *s = q->api->setup.store;
    bool open = false;
    if (!query_is(q, "state", "open", &open) || !page_open(&p, q))
        return;
    p.listing.open = open;
    p.listing.now_ms = api_now(q->api);
    page_reply(&p, q, s->ops->list_orders(s->ctx, &p.listing, each_order, &p));
}

void api_orders_get(const struct api_request *q)
{
    json_t *j = show_order(q->api, q->names[0], 0);
    if (j != NULL)
        reply_json(q->http->reply, 200, j);
    else
        reply_outcome(q->http->reply, ERR_NOT_FOUND, "there is no such order");
}

/* Whoever has the old ticket has nothing any more. */
void api_orders_ticket(const struct api_request *q)
{
    struct api *a = q->api;
    struct order_row row;
    struct ticket ticket = {0};
    enum err e = a->setup.store->ops->get_order(a->setup.store->ctx, q->names[0], &row);
    if (e != OK) {
        reply_outcome(q->http->reply, e, e == ERR_NOT_FOUND ? "there is no such order" : NULL);
        return;
    }
    e = make_ticket(a, &row, &ticket);
    if (e != OK) {
        reply_outcome(q->http->reply, e == ERR_ARGUMENT ? ERR_INTERNAL : e, NULL);
        return;
    }
    if (row.offer_ticket[0] != '\0')
        memcpy(row.offer_ticket, ticket.text, sizeof(row.offer_ticket));
    struct api_change c = {.changes = {{.kind = ORDER_TICKET, .row.order = &row}},
                           .count = 1,
                           .what = "order.ticket",
                           .status = 201,
                           .show = show_order,
                           .extra = ticket_value(&ticket)};
    memcpy(c.name, row.id, sizeof(row.id));
    wipe(&ticket, sizeof(ticket));
    if (c.extra != NULL)
        api_submit(a, q->http->reply, q->who, &c);
    else
        reply_outcome(q->http->reply, ERR_MEMORY, NULL);
}

void api_orders_cancel(const struct api_request *q)
{
    struct order_row row = {0};
    struct api_change c = {.changes = {{.kind = ORDER_CANCEL, .row.order = &row}},
                           .count = 1,
                           .what = "order.cancel",
                           .status = 200,
                           .show = show_order};
    if (!api_name(q, row.id, sizeof(row.id)))
        return;
    snprintf(c.name, sizeof(c.name), "%s", q->names[0]);
    api_submit(q->api, q->http->reply, q->who, &c);
}
