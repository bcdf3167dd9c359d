/* links: ferryd_core cf_measure */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Listings of a store with 100,000 cards, orders and sessions beside the same of one with 1,000: what an
 * operator's page asks for must not take longer with every card. Each row is one page of 50, as the
 * administration reads it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"
#include "store/sqlite.h"
#include "store/test_support.h"

enum {
    MANY = 100000,
    FEW = 1000,
    PAGE = 51,
    BATCH = 500,
    ROUNDS = 9,
    IDENTITY_LEN = 200,
    REGISTRY_LEN = 1500
};

struct world {
    struct test_folder folder;
    struct store store;
    unsigned waiting;
};

static void die(const char *what)
{
    fprintf(stderr, "bench_listing: %s\n", what);
    exit(1);
}

static void on_done(void *arg, enum err e, size_t failed)
{
    (void)failed;
    if (e != OK)
        die(err_text(e));
    (*(unsigned *)arg)--;
}

static void submit(struct world *w, int kind, const void *row)
{
    struct change c = {.row.app = row, .now_ms = 1};
    memcpy(&c.kind, &kind, sizeof(c.kind));
    w->waiting++;
    w->store.ops->submit(w->store.ctx, &c, 1, on_done, &w->waiting);
    while (w->waiting > BATCH)
        test_dispatch(&w->store);
}

/* Ids are random; these are as evenly spread. */
static void spread_id(char out[ID_TEXT + 1], unsigned n)
{
    uint64_t x = (n + 1) * 0x9E3779B97F4A7C15ULL;
    snprintf(out, ID_TEXT + 1, "%016llx%016x", (unsigned long long)x, n);
}

static void add_card(struct world *w, unsigned n)
{
    static uint8_t identity[IDENTITY_LEN], registry[REGISTRY_LEN];
    struct card_row card = {.identity = {identity, sizeof(identity)},
                            .registry = {registry, sizeof(registry)},
                            .quarantined = n % 100 == 0,
                            .seen_ms = n};
    snprintf(card.number, sizeof(card.number), "4790-%08u", n);
    snprintf(card.type, sizeof(card.type), n % 10 == 0 ? "rare" : "badge");
    submit(w, CARD_PUT, &card);
}

/* One in ten is open, one in twenty for another application. */
static void add_order(struct world *w, unsigned n)
{
    struct order_row order = {.purpose = "install",
                              .level = -1,
                              .cards = 1,
                              .cards_left = 1,
                              .openings_left = 1,
                              .expires_ms = 100};
    spread_id(order.id, n);
    memcpy(order.ticket_digest, order.id, DIGEST_LEN);
    snprintf(order.app, sizeof(order.app), n % 20 == 0 ? "rare" : "hello");
    snprintf(order.card, sizeof(order.card), "4790-%08u", n);
    snprintf(order.state, sizeof(order.state), n % 10 == 0 ? "open" : "done");
    submit(w, ORDER_ADD, &order);
}

static void add_session(struct world *w, unsigned n)
{
    static uint8_t state[1000];
    struct session_row session = {.step = "done",
                                  .state = {state, sizeof(state)},
                                  .dialogue = {state, sizeof(state)},
                                  .updated_ms = n * 20000ULL};
    spread_id(session.id, n);
    spread_id(session.order, n);
    snprintf(session.card, sizeof(session.card), "4790-%08u", n);
    snprintf(session.outcome, sizeof(session.outcome), n % 500 == 0 ? "" : "confirmed");
    snprintf(session.reason, sizeof(session.reason), "none");
    submit(w, SESSION_ADD, &session);
}

static void fill(struct world *w, unsigned count)
{
    static const char *const names[] = {"badge", "rare", "hello"};
    for (size_t i = 0; i < 2; i++) {
        struct type_row type = {.created_ms = 1};
        snprintf(type.name, sizeof(type.name), "%s", names[i]);
        submit(w, TYPE_ADD, &type);
    }
    for (size_t i = 1; i < 3; i++) {
        struct app_row app = {.approved_by = "bench", .package = {{{1, 2, 3, 4, 5}, 5}, 1, 0}};
        snprintf(app.name, sizeof(app.name), "%s", names[i]);
        submit(w, APP_ADD, &app);
    }
    for (unsigned n = 0; n < count; n++) {
        add_card(w, n);
        add_order(w, n);
        add_session(w, n);
    }
    while (w->waiting > 0)
        test_dispatch(&w->store);
}

/* ---- pages ---- */

struct page {
    struct world *w;
    struct listing l;
    size_t rows;
};

static enum err each_card(void *arg, struct card_row *row)
{
    (void)row;
    ((struct page *)arg)->rows++;
    return OK;
}

static enum err each_order(void *arg, struct order_row *row)
{
    (void)row;
    ((struct page *)arg)->rows++;
    return OK;
}

static enum err each_session(void *arg, struct session_row *row)
{
    (void)row;
    ((struct page *)arg)->rows++;
    return OK;
}

static int cards(void *ctx)
{
    struct page *p = ctx;
    p->rows = 0;
    return p->w->store.ops->list_cards(p->w->store.ctx, &p->l, each_card, p) == OK && p->rows > 0;
}

static int orders(void *ctx)
{
    struct page *p = ctx;
    p->rows = 0;
    return p->w->store.ops->list_orders(p->w->store.ctx, &p->l, each_order, p) == OK && p->rows > 0;
}

static int sessions(void *ctx)
{
    struct page *p = ctx;
    p->rows = 0;
    return p->w->store.ops->list_sessions(p->w->store.ctx, &p->l, each_session, p) == OK && p->rows > 0;
}

static int counts(void *ctx)
{
    const struct page *p = ctx;
    struct store_counts c;
    return p->w->store.ops->get_counts(p->w->store.ctx, 1, &c) == OK && c.cards > 0;
}

/* As many rows on both sides, where the smaller store has them: limit says so. */
static const struct {
    const char *name;
    work_fn *work;
    struct listing l;
} rows[] = {
    {"cards_first", cards, {.limit = PAGE}},
    {"cards_behind", cards, {.limit = PAGE, .after = "4790-00000500"}},
    {"cards_match", cards, {.limit = PAGE, .match = "4790-000007"}},
    {"cards_type", cards, {.limit = PAGE, .type = "rare"}},
    {"cards_set_aside", cards, {.limit = 10, .set_aside = true}},
    {"orders_first", orders, {.limit = PAGE}},
    {"orders_open", orders, {.limit = PAGE, .open = true, .now_ms = 1}},
    {"orders_app", orders, {.limit = 50, .app = "rare"}},
    {"orders_card", orders, {.limit = PAGE, .card = "4790-00000700"}},
    {"orders_match", orders, {.limit = PAGE, .match = "9e37"}},
    {"sessions_first", sessions, {.limit = PAGE}},
    {"sessions_running", sessions, {.limit = 2, .running = true}},
    {"sessions_card", sessions, {.limit = PAGE, .card = "4790-00000700"}},
    {"overview_counts", counts, {.limit = 1}},
};

static void open_world(struct world *w, unsigned count)
{
    test_folder_make(&w->folder);
    if (store_open_sqlite(&w->store, w->folder.file) != OK)
        die("the store cannot be opened");
    fill(w, count);
}

static void close_world(struct world *w)
{
    w->store.ops->close(w->store.ctx);
    test_folder_remove(&w->folder);
}

int main(void)
{
    static struct world many, few;
    open_world(&many, MANY);
    open_world(&few, FEW);
    printf(
        "# name ratio: a page from a store with %d cards, orders and sessions / from one with %d; 1.00 is as "
        "fast\n",
        FEW, MANY);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct page of_many = {.w = &many, .l = rows[i].l}, of_few = {.w = &few, .l = rows[i].l};
        struct measured m = measure(rows[i].work, &of_many, rows[i].work, &of_few, ROUNDS);
        print_measured(rows[i].name, &m);
    }
    close_world(&many);
    close_world(&few);
    return 0;
}
