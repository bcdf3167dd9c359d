/* SPDX-License-Identifier: Apache-2.0
 *
 * Queries, each a row of one table, and the functions that run them. */
#include "store/read.h"

#include <stdlib.h>
#include <string.h>

enum { SQL_MAX = 4096 };

/* Names that begin with :match, after :after, in order; nothing in a name sorts behind U+10FFFF. */
#define BY_NAME(column)                                                                                      \
    column " > :after AND " column " >= :match AND " column " < :match || char(1114111) ORDER BY " column    \
           " LIMIT :limit"
/* Newest first, after the row that has the id :after. */
#define BEHIND(table)                                                                                        \
    " < CASE WHEN :after = '' THEN 9223372036854775807"                                                      \
    " ELSE (SELECT sequel FROM " table " WHERE id = :after) END"
#define NEWEST(table) "sequel" BEHIND(table) " ORDER BY sequel DESC LIMIT :limit"
/* Ids are random: those that begin with :match are found by their index, which has the order of their making
 * too, and only the page that is asked for is read. (With a + a column is not taken for a way to search.) */
#define MATCHING(table, filters)                                                                             \
    "WHERE sequel IN (SELECT sequel FROM " table                                                             \
    " WHERE id >= :match AND id < :match || char(1114111)" filters                                           \
    " AND +sequel" BEHIND(table) " ORDER BY +sequel DESC LIMIT :limit) ORDER BY sequel DESC"
#define OPEN          "state = 'open' AND expires_ms > :now"
#define MAYBE(column) " AND (:" column " = '' OR " column " = :" column ")"
#define MAYBE_OPEN    " AND (:open = 0 OR (" OPEN "))"
#define MAYBE_ORDER   " AND (:order = '' OR order_id = :order)"
#define MAYBE_RUNNING " AND (:running = 0 OR outcome = '')"
#define AUDIT_MATCH   "substr(what, 1, length(:match)) = :match AND "
#define AUDIT_BEHIND  "number < coalesce(nullif(:after_number, 0), 9223372036854775807)"
#define AUDIT_NEWEST  AUDIT_BEHIND " ORDER BY number DESC LIMIT :limit"

#define SESSION_BLOBS "state reply dialogue"

static const struct query {
    enum table_id table;
    const char *without, *tail;
} queries[READ_COUNT] = {
    [READ_APP] = {TABLE_APP, NULL, "WHERE name = :name"},
    [READ_TYPE] = {TABLE_TYPE, NULL, "WHERE name = :name"},
    [READ_KEY] = {TABLE_KEY, NULL, "WHERE name = :name AND version = :version"},
    [READ_KEY_NEWEST] = {TABLE_KEY, NULL, "WHERE name = :name AND retired = 0 ORDER BY version DESC LIMIT 1"},
    [READ_CARD_KEY] = {TABLE_KEY, NULL,
                       "WHERE card = :card AND card <> '' AND key_use = :use AND retired = 0"
                       " ORDER BY created_ms DESC, version DESC LIMIT 1"},
    [READ_CARD] = {TABLE_CARD, NULL, "WHERE number = :number"},
    [READ_LEDGER] = {TABLE_LEDGER, NULL, "WHERE card = :card AND kvn = :kvn"},
    [READ_ORDER] = {TABLE_ORDER, NULL, "WHERE id = :id"},
    [READ_ORDER_TICKET] = {TABLE_ORDER, NULL, "WHERE ticket_digest = :digest"},
    [READ_SESSION] = {TABLE_SESSION, NULL, "WHERE id = :id"},
    [READ_COUNTS] = {TABLE_COUNTS, NULL, ""},
    [LIST_APPS] = {TABLE_APP, "cap", "WHERE " BY_NAME("name")},
    [LIST_TYPES] = {TABLE_TYPE, NULL, "WHERE " BY_NAME("name")},
    [LIST_KEYS] = {TABLE_KEY, NULL,
                   "WHERE (name, version) > (:after, :after_number) AND name >= :match"
                   " AND name < :match || char(1114111) ORDER BY name, version LIMIT :limit"},
    [LIST_CARDS] = {TABLE_CARD, NULL, "WHERE " BY_NAME("number")},
    [LIST_CARDS_TYPE] = {TABLE_CARD, NULL, "WHERE type = :type AND " BY_NAME("number")},
    [LIST_CARDS_SET_ASIDE] = {TABLE_CARD, NULL,
                              "WHERE quarantined = 1" MAYBE("type") " AND " BY_NAME("number")},
    [LIST_LEDGER] = {TABLE_LEDGER, NULL, "WHERE card = :card ORDER BY kvn LIMIT :limit"},
    [LIST_ORDERS] = {TABLE_ORDER, NULL, "WHERE " NEWEST("orders")},
    [LIST_ORDERS_MATCH] = {TABLE_ORDER, NULL, MATCHING("orders", MAYBE("app") MAYBE("card") MAYBE_OPEN)},
    [LIST_ORDERS_OPEN] = {TABLE_ORDER, NULL, "WHERE " OPEN " AND " NEWEST("orders")},
    [LIST_ORDERS_APP] = {TABLE_ORDER, NULL, "WHERE app = :app AND app <> '' AND " NEWEST("orders")},
    [LIST_ORDERS_APP_OPEN] = {TABLE_ORDER, NULL, "WHERE app = :app AND " OPEN " AND " NEWEST("orders")},
    [LIST_ORDERS_CARD] = {TABLE_ORDER, NULL,
                          "WHERE card = :card AND card <> ''" MAYBE("app") MAYBE_OPEN
                          " AND " NEWEST("orders")},
    [LIST_OFFERS] = {TABLE_ORDER, NULL,
                     "WHERE offer_ticket <> '' AND state = 'open' AND +expires_ms > :now AND cards_left > 0 "
                     "AND openings_left > 0"
                     " ORDER BY sequel DESC LIMIT :limit"},
    [LIST_SESSIONS] = {TABLE_SESSION, SESSION_BLOBS, "WHERE " NEWEST("sessions")},
    [LIST_SESSIONS_MATCH] = {TABLE_SESSION, SESSION_BLOBS,
                             MATCHING("sessions", MAYBE_ORDER MAYBE("card") MAYBE_RUNNING)},
    [LIST_SESSIONS_RUNNING] = {TABLE_SESSION, SESSION_BLOBS,
                               "WHERE outcome = ''" MAYBE_ORDER MAYBE("card") " AND " NEWEST("sessions")},
    [LIST_SESSIONS_ORDER] = {TABLE_SESSION, SESSION_BLOBS, "WHERE order_id = :order AND " NEWEST("sessions")},
    [LIST_SESSIONS_CARD] = {TABLE_SESSION, SESSION_BLOBS,
                            "WHERE card = :card AND card <> ''" MAYBE_ORDER " AND " NEWEST("sessions")},
    [LIST_AUDIT] = {TABLE_AUDIT, NULL, "WHERE " AUDIT_MATCH AUDIT_NEWEST},
    [LIST_AUDIT_ACTIONS] = {TABLE_AUDIT, NULL,
                            "WHERE number IN (SELECT number FROM audit WHERE what >= :match"
                            " AND what < :match || char(1114111) AND substr(what, 1, 8) <> 'session.'"
                            " AND " AUDIT_NEWEST ") ORDER BY number DESC"},
    [LIST_AUDIT_OBJECT] =
        {TABLE_AUDIT, NULL,
         "WHERE object = coalesce(nullif(:order, ''), :card) AND " AUDIT_MATCH AUDIT_NEWEST},
    [LIST_TALLIES] = {TABLE_TALLY, NULL, "WHERE day >= :day ORDER BY day"},
};

enum err read_prepare(struct read_statements *r, sqlite3 *db)
{
    enum err e = OK;
    for (size_t i = 0; i < READ_COUNT && e == OK; i++) {
        const struct table *t = &store_tables[queries[i].table];
        char memory[SQL_MAX];
        struct writer sql;
        wr_fixed(&sql, memory, sizeof(memory));
        wr_view(&sql, view_str("SELECT "));
        columns_put(&sql, t, queries[i].without);
        wr_view(&sql, view_str(" FROM "));
        wr_view(&sql, view_str(t->name));
        wr_view(&sql, view_str(" "));
        wr_view(&sql, view_str(queries[i].tail));
        wr_u8(&sql, 0);
        e = wr_status(&sql);
        if (e == OK)
            e = statement_prepare(&r->statements[i], db, t, memory);
    }
    return e;
}

void read_finish(struct read_statements *r)
{
    for (size_t i = 0; i < READ_COUNT; i++)
        statement_finish(&r->statements[i]);
}

static const struct statement *query(void *ctx, enum read_id id)
{
    return &((struct read_statements *)ctx)->statements[id];
}

/* The one row of a query whose parameters are bound (bound says how that went). */
static enum err one(const struct statement *s, enum err bound, void *row)
{
    enum err e = bound;
    if (e == OK) {
        int result = sqlite3_step(s->stmt);
        if (result == SQLITE_ROW)
            e = statement_read_row(s, row);
        else
            e = result == SQLITE_DONE ? ERR_NOT_FOUND : db_outcome(sqlite3_db_handle(s->stmt), result);
    }
    statement_reset(s);
    return e;
}

static enum err one_by_text(void *ctx, enum read_id id, const char *parameter, const char *text, void *row)
{
    const struct statement *s = query(ctx, id);
    return one(s, statement_bind_text(s, parameter, text), row);
}

static enum err one_by_digest(void *ctx, enum read_id id, const uint8_t *digest, void *row)
{
    const struct statement *s = query(ctx, id);
    return one(s, statement_bind_bytes(s, ":digest", view_of(digest, DIGEST_LEN)), row);
}

static enum err get_app(void *ctx, const char *name, struct app_row *out)
{
    return one_by_text(ctx, READ_APP, ":name", name, out);
}

static enum err get_type(void *ctx, const char *name, struct type_row *out)
{
    return one_by_text(ctx, READ_TYPE, ":name", name, out);
}

static enum err get_key(void *ctx, const char *name, uint32_t version, struct key_row *out)
{
    const struct statement *s = query(ctx, version == 0 ? READ_KEY_NEWEST : READ_KEY);
    enum err e = statement_bind_text(s, ":name", name);
    if (e == OK)
        e = statement_bind_number(s, ":version", version);
    return one(s, e, out);
}

static enum err get_card_key(void *ctx, const char *card, enum key_use use, struct key_row *out)
{
    const struct statement *s = query(ctx, READ_CARD_KEY);
    enum err e = statement_bind_text(s, ":card", card);
    if (e == OK)
        e = statement_bind_number(s, ":use", use);
    return one(s, e, out);
}

static enum err get_card(void *ctx, const char *number, struct card_row *out)
{
    return one_by_text(ctx, READ_CARD, ":number", number, out);
}

static enum err get_ledger(void *ctx, const char *card, uint8_t kvn, struct ledger_row *out)
{
    const struct statement *s = query(ctx, READ_LEDGER);
    if (strlen(card) >= sizeof(out->card))
        return ERR_ARGUMENT;
    enum err e = statement_bind_text(s, ":card", card);
    if (e == OK)
        e = statement_bind_number(s, ":kvn", kvn);
    e = one(s, e, out);
    if (e != ERR_NOT_FOUND)
        return e;
    *out = (struct ledger_row){.kvn = kvn};
    memcpy(out->card, card, strlen(card));
    return OK;
}

static enum err get_order(void *ctx, const char *id, struct order_row *out)
{
    return one_by_text(ctx, READ_ORDER, ":id", id, out);
}

static enum err get_order_by_ticket(void *ctx, const uint8_t digest[DIGEST_LEN], struct order_row *out)
{
    return one_by_digest(ctx, READ_ORDER_TICKET, digest, out);
}

static enum err get_session(void *ctx, const char *id, struct session_row *out)
{
    return one_by_text(ctx, READ_SESSION, ":id", id, out);
}

static enum err get_counts(void *ctx, uint64_t now_ms, struct store_counts *out)
{
    const struct statement *s = query(ctx, READ_COUNTS);
    return one(s, statement_bind_number(s, ":now", (int64_t)now_ms), out);
}

/* A listing while it runs. The row that was given last is freed when the next one comes. */
struct cursor {
    const struct statement *s;
    void *row;
    bool holds, open;
    enum err e;
    /* Keys of two parts ("name/version") and numbers, taken apart. */
    char after[CARD_NUMBER_TEXT_MAX + 1];
    uint64_t after_number;
};

static void split_after(struct cursor *c, enum table_id table, const char *after)
{
    memcpy(c->after, after, sizeof(c->after));
    char *slash = strrchr(c->after, '/');
    if (table == TABLE_AUDIT) {
        c->after_number = strtoull(c->after, NULL, 10);
    } else if (table == TABLE_KEY && slash != NULL) {
        c->after_number = strtoul(slash + 1, NULL, 10);
        *slash = '\0';
    }
}

static enum err bind_listing(struct cursor *c, const struct listing *l)
{
    const struct {
        const char *name, *text;
    } texts[] = {{":after", c->after}, {":match", l->match}, {":order", l->order},
                 {":card", l->card},   {":type", l->type},   {":app", l->app}};
    const struct {
        const char *name;
        uint64_t value;
    } numbers[] = {{":after_number", c->after_number},
                   {":open", l->open},
                   {":running", l->running},
                   {":now", l->now_ms},
                   {":limit", l->limit}};
    enum err e = OK;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && e == OK; i++)
        e = statement_bind_text(c->s, texts[i].name, texts[i].text);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]) && e == OK; i++)
        e = statement_bind_number(c->s, numbers[i].name, (int64_t)numbers[i].value);
    return e;
}

static void cursor_open(struct cursor *c, void *ctx, enum read_id id, const struct listing *l)
{
    *c = (struct cursor){.s = query(ctx, id)};
    if (l->limit < 1 || l->limit > PAGE_MAX)
        c->e = ERR_ARGUMENT;
    else if (sqlite3_stmt_busy(c->s->stmt))
        c->e = ERR_STATE; /* a listing within the same listing */
    else
        c->open = true;
    if (!c->open)
        return;
    split_after(c, queries[id].table, l->after);
    c->e = bind_listing(c, l);
}

static void let_go(struct cursor *c)
{
    if (c->holds)
        fields_free(c->s->table, c->row);
    c->holds = false;
}

static bool cursor_next(struct cursor *c, void *row)
{
    let_go(c);
    if (c->e != OK)
        return false;
    int result = sqlite3_step(c->s->stmt);
    if (result == SQLITE_ROW)
        c->e = statement_read_row(c->s, row);
    else
        c->e = db_outcome(sqlite3_db_handle(c->s->stmt), result);
    c->holds = result == SQLITE_ROW && c->e == OK;
    c->row = row;
    return c->holds;
}

static enum err cursor_close(struct cursor *c)
{
    if (c->open)
        statement_reset(c->s);
    return c->e;
}

static enum err list_apps(void *ctx, const struct listing *l, enum err (*each)(void *, struct app_row *),
                          void *arg)
{
    struct cursor c;
    struct app_row row;
    for (cursor_open(&c, ctx, LIST_APPS, l); cursor_next(&c, &row);)
        c.e = each(arg, &row);
    return cursor_close(&c);
}

static enum err list_types(void *ctx, const struct listing *l, enum err (*each)(void *, struct type_row *),
                           void *arg)
{
    struct cursor c;
    struct type_row row;
    for (cursor_open(&c, ctx, LIST_TYPES, l); cursor_next(&c, &row);)
        c.e = each(arg, &row);
    return cursor_close(&c);
}

static enum err list_keys(void *ctx, const struct listing *l, enum err (*each)(void *, struct key_row *),
                          void *arg)
{
    struct cursor c;
    struct key_row row;
    for (cursor_open(&c, ctx, LIST_KEYS, l); cursor_next(&c, &row);)
        c.e = each(arg, &row);
    return cursor_close(&c);
}

/* A filter has a query of its own where an index goes by it; the rest is looked at row by row, where rows are
 * few. */
static enum read_id cards_query(const struct listing *l)
{
    if (l->set_aside)
        return LIST_CARDS_SET_ASIDE;
    return l->type[0] != '\0' ? LIST_CARDS_TYPE : LIST_CARDS;
}

static enum err list_cards(void *ctx, const struct listing *l, enum err (*each)(void *, struct card_row *),
                           void *arg)
{
    struct cursor c;
    struct card_row row;
    for (cursor_open(&c, ctx, cards_query(l), l); cursor_next(&c, &row);)
        c.e = each(arg, &row);
    return cursor_close(&c);
}

static enum err list_ledger(void *ctx, const struct listing *l, enum err (*each)(void *, struct ledger_row *),
                            void *arg)
{
    struct cursor c;
    struct ledger_row row;
    for (cursor_open(&c, ctx, LIST_LEDGER, l); cursor_next(&c, &row);)
        c.e = each(arg, &row);
    return cursor_close(&c);
}

static enum read_id orders_query(const struct listing *l)
{
    if (l->match[0] != '\0')
        return LIST_ORDERS_MATCH;
    if (l->card[0] != '\0')
        return LIST_ORDERS_CARD;
    if (l->app[0] != '\0')
        return l->open ? LIST_ORDERS_APP_OPEN : LIST_ORDERS_APP;
    return l->open ? LIST_ORDERS_OPEN : LIST_ORDERS;
}

static enum err list_orders(void *ctx, const struct listing *l, enum err (*each)(void *, struct order_row *),
                            void *arg)
{
    struct cursor c;
    struct order_row row;
    for (cursor_open(&c, ctx, orders_query(l), l); cursor_next(&c, &row);)
        c.e = each(arg, &row);
    return cursor_close(&c);
}

static enum err list_offers(void *ctx, const struct listing *l, enum err (*each)(void *, struct order_row *),
                            void *arg)
{
    struct cursor c;
    struct order_row row;
    for (cursor_open(&c, ctx, LIST_OFFERS, l); cursor_next(&c, &row);)
        c.e = each(arg, &row);
    return cursor_close(&c);
}

static enum read_id sessions_query(const struct listing *l)
{
    if (l->match[0] != '\0')
        return LIST_SESSIONS_MATCH;
    if (l->running)
        return LIST_SESSIONS_RUNNING;
    if (l->card[0] != '\0')
        return LIST_SESSIONS_CARD;
    return l->order[0] != '\0' ? LIST_SESSIONS_ORDER : LIST_SESSIONS;
}

static enum err list_sessions(void *ctx, const struct listing *l,
                              enum err (*each)(void *, struct session_row *), void *arg)
{
    struct cursor c;
    struct session_row row;
    for (cursor_open(&c, ctx, sessions_query(l), l); cursor_next(&c, &row);)
        c.e = each(arg, &row);
    return cursor_close(&c);
}

/* Nearly all of the trail is of sessions: what else there is has an index of its own. */
static enum read_id audit_query(const struct listing *l)
{
    static const char sessions[] = "session.";
    if (l->order[0] != '\0' || l->card[0] != '\0')
        return LIST_AUDIT_OBJECT;
    bool may_be_sessions = strncmp(l->match, sessions, strlen(sessions)) == 0 ||
                           strncmp(l->match, sessions, strlen(l->match)) == 0;
    return may_be_sessions ? LIST_AUDIT : LIST_AUDIT_ACTIONS;
}

static enum err list_audit(void *ctx, const struct listing *l, enum err (*each)(void *, struct audit_row *),
                           void *arg)
{
    struct cursor c;
    struct audit_row row;
    for (cursor_open(&c, ctx, audit_query(l), l); cursor_next(&c, &row);)
        c.e = each(arg, &row);
    return cursor_close(&c);
}

static enum err list_tallies(void *ctx, uint32_t from_day, enum err (*each)(void *, struct tally_row *),
                             void *arg)
{
    const struct listing all = {.limit = PAGE_MAX};
    struct cursor c;
    struct tally_row row;
    cursor_open(&c, ctx, LIST_TALLIES, &all);
    if (c.e == OK)
        c.e = statement_bind_number(c.s, ":day", from_day);
    while (cursor_next(&c, &row))
        c.e = each(arg, &row);
    return cursor_close(&c);
}

void read_fill_ops(struct store_ops *ops)
{
    ops->get_app = get_app;
    ops->get_type = get_type;
    ops->get_key = get_key;
    ops->get_card_key = get_card_key;
    ops->get_card = get_card;
    ops->get_ledger = get_ledger;
    ops->get_order = get_order;
    ops->get_order_by_ticket = get_order_by_ticket;
    ops->get_session = get_session;
    ops->get_counts = get_counts;
    ops->list_apps = list_apps;
    ops->list_types = list_types;
    ops->list_keys = list_keys;
    ops->list_cards = list_cards;
    ops->list_ledger = list_ledger;
    ops->list_orders = list_orders;
    ops->list_offers = list_offers;
    ops->list_sessions = list_sessions;
    ops->list_audit = list_audit;
    ops->list_tallies = list_tallies;
}
