/* SPDX-License-Identifier: Apache-2.0
 *
 * Every kind of change as a row: queries that refuse it when they give a row, then the statements that carry
 * it out. Parameters are named after columns; :now and :limit come from the change itself. */
#include "store/write.h"

#include <stdlib.h>
#include <string.h>

#include <base/secret.h>

/* Stand for statements that are made from the table's columns. */
#define INSERT "insert"
#define UPSERT "upsert"

#define REVISION_MOVED(table, key)                                                                           \
    "SELECT 1 WHERE coalesce((SELECT revision FROM " table " WHERE " key " = :" key "), 0) <> :revision"
#define ABSENT(table, where) "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM " table " WHERE " where ")"

#define LEDGER_COUNT(column)                                                                                 \
    "INSERT INTO ledger (card, kvn, openings, wrong_cryptograms, failed_loads, last_ms)"                     \
    " VALUES (:card, :kvn, 0, 0, 0, :now) ON CONFLICT (card, kvn) DO NOTHING",                               \
        "UPDATE ledger SET " column " = " column " + 1, last_ms = :now WHERE card = :card AND kvn = :kvn"

/* What may change with each POST and stands in no index. */
#define SESSION_PARTS                                                                                        \
    "token_digest = :token_digest, step = :step, reason = :reason, detail = :detail, posts = :posts,"        \
    " commands = :commands, bytes = :bytes, updated_ms = :updated_ms, revision = :revision + 1,"             \
    " request_digest = :request_digest, state = :state, reply = :reply, dialogue = :dialogue"

/* A session that ends (when) adds one to the tally of its day. */
#define TALLY(when)                                                                                          \
    "INSERT INTO tallies (day, outcome, reason, count)"                                                      \
    " SELECT :updated_ms / 86400000, :outcome, :reason, 1 " when                                             \
    " ON CONFLICT (day, outcome, reason) DO UPDATE SET count = count + 1"

struct rule {
    enum table_id table;
    struct {
        enum err e;
        const char *when;
    } refusals[REFUSALS_MAX];
    const char *steps[STEPS_MAX];
};

static const struct rule rules[CHANGE_COUNT] = {
    [APP_ADD] = {TABLE_APP, {{0}}, {INSERT}},
    [APP_PUT_SEQUENCE] = {TABLE_APP,
                          {{ERR_NOT_FOUND, ABSENT("apps", "name = :name AND sha256 = :sha256")}},
                          {"UPDATE apps SET sequence = :sequence, approved_by = :approved_by,"
                           " approved_ms = :approved_ms WHERE name = :name"}},
    [APP_PUT_TEXTS] = {TABLE_APP,
                       {{ERR_NOT_FOUND, ABSENT("apps", "name = :name AND sha256 = :sha256")}},
                       {"UPDATE apps SET info = :info WHERE name = :name"}},
    [APP_APPROVE] = {TABLE_APP,
                     {{ERR_NOT_FOUND, ABSENT("apps", "name = :name")},
                      {ERR_STATE, "SELECT 1 FROM apps WHERE name = :name AND approved_by <> ''"}},
                     {"UPDATE apps SET approved_by = :approved_by, approved_ms = :approved_ms"
                      " WHERE name = :name"}},
    [APP_REMOVE] = {TABLE_APP,
                    {{ERR_NOT_FOUND, ABSENT("apps", "name = :name")},
                     {ERR_CONFLICT, "SELECT 1 FROM orders WHERE app = :name AND state = 'open'"}},
                    {"DELETE FROM apps WHERE name = :name"}},
    [TYPE_ADD] = {TABLE_TYPE, {{0}}, {INSERT}},
    [TYPE_PUT] = {TABLE_TYPE, {{0}}, {UPSERT}},
    /* Cards that have the type hold it by reference: deleting it is a conflict by itself. */
    [TYPE_REMOVE] = {TABLE_TYPE,
                     {{ERR_NOT_FOUND, ABSENT("types", "name = :name")},
                      {ERR_CONFLICT, "SELECT 1 FROM orders WHERE type = :name AND state = 'open'"}},
                     {"DELETE FROM types WHERE name = :name"}},
    [KEY_ADD] = {TABLE_KEY, {{0}}, {INSERT}},
    [KEY_RETIRE] = {TABLE_KEY,
                    {{ERR_NOT_FOUND, ABSENT("keys", "name = :name AND version = :version")}},
                    {"UPDATE keys SET retired = 1 WHERE name = :name AND version = :version"}},
    [CARD_PUT] = {TABLE_CARD, {{ERR_CONFLICT, REVISION_MOVED("cards", "number")}}, {UPSERT}},
    [CARD_RELEASE] = {TABLE_CARD,
                      {{ERR_NOT_FOUND,
                        "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM cards WHERE number = :number)"
                        " AND NOT EXISTS (SELECT 1 FROM ledger WHERE card = :number)"}},
                      {"UPDATE cards SET quarantined = 0, reason = '', revision = revision + 1"
                       " WHERE number = :number",
                       "DELETE FROM ledger WHERE card = :number"}},
    [LEDGER_OPENING] = {TABLE_LEDGER,
                        {{ERR_BLOCKED, "SELECT 1 WHERE coalesce((SELECT openings FROM ledger"
                                       " WHERE card = :card AND kvn = :kvn), 0) + 1 > :limit"},
                         {ERR_BLOCKED, "SELECT 1 FROM ledger WHERE card = :card AND kvn = :kvn"
                                       " AND wrong_cryptograms > 0"},
                         {ERR_BLOCKED, "SELECT 1 FROM cards WHERE number = :card AND quarantined = 1"}},
                        {LEDGER_COUNT("openings")}},
    [LEDGER_WRONG] = {TABLE_LEDGER, {{0}}, {LEDGER_COUNT("wrong_cryptograms")}},
    [LEDGER_LOAD_FAILED] = {TABLE_LEDGER, {{0}}, {LEDGER_COUNT("failed_loads")}},
    [LEDGER_CLEAR] = {TABLE_LEDGER,
                      {{0}},
                      {"UPDATE ledger SET openings = 0, wrong_cryptograms = 0, failed_loads = 0,"
                       " last_ms = :now WHERE card = :card AND kvn = :kvn"}},
    [LEDGER_RELEASE] = {TABLE_LEDGER,
                        {{0}},
                        {"UPDATE ledger SET openings = max(openings - :limit, 0), last_ms = :now"
                         " WHERE card = :card AND kvn = :kvn"}},
    [ORDER_ADD] = {TABLE_ORDER,
                   {{ERR_NOT_FOUND, "SELECT 1 WHERE :app <> ''"
                                    " AND NOT EXISTS (SELECT 1 FROM apps WHERE name = :app)"},
                    {ERR_POLICY, "SELECT 1 FROM apps WHERE name = :app AND approved_by = ''"},
                    {ERR_NOT_FOUND, "SELECT 1 WHERE :type <> ''"
                                    " AND NOT EXISTS (SELECT 1 FROM types WHERE name = :type)"}},
                   {INSERT}},
    [ORDER_CANCEL] = {TABLE_ORDER,
                      {{ERR_NOT_FOUND, ABSENT("orders", "id = :id")},
                       {ERR_STATE, "SELECT 1 FROM orders WHERE id = :id AND state <> 'open'"}},
                      {"UPDATE orders SET state = 'cancelled' WHERE id = :id"}},
    [ORDER_TICKET] = {TABLE_ORDER,
                      {{ERR_NOT_FOUND, ABSENT("orders", "id = :id")},
                       {ERR_STATE,
                        "SELECT 1 FROM orders WHERE id = :id AND (state <> 'open' OR expires_ms <= :now)"}},
                      {"UPDATE orders SET ticket_digest = :ticket_digest, offer_ticket = :offer_ticket"
                       " WHERE id = :id"}},
    [ORDER_OPENING] = {TABLE_ORDER,
                       {{ERR_NOT_FOUND, ABSENT("orders", "id = :id")},
                        {ERR_STATE, "SELECT 1 FROM orders WHERE id = :id AND state <> 'open'"},
                        {ERR_EXPIRED, "SELECT 1 FROM orders WHERE id = :id AND expires_ms <= :now"},
                        {ERR_BLOCKED, "SELECT 1 FROM orders WHERE id = :id AND openings_left = 0"}},
                       {"UPDATE orders SET openings_left = openings_left - 1 WHERE id = :id"}},
    [ORDER_SERVED] = {TABLE_ORDER,
                      {{ERR_NOT_FOUND, ABSENT("orders", "id = :id")}},
                      {"UPDATE orders SET cards_left = max(cards_left - 1, 0) WHERE id = :id",
                       "UPDATE orders SET state = 'done'"
                       " WHERE id = :id AND state = 'open' AND cards_left = 0"}},
    [SESSION_ADD] = {TABLE_SESSION, {{0}}, {INSERT, TALLY("WHERE :outcome <> ''")}},
    [SESSION_PUT] = {TABLE_SESSION,
                     {{ERR_CONFLICT, ABSENT("sessions", "id = :id AND revision = :revision")}},
                     /* An index is written for each of its columns that a statement names, changed or not
                      * (an upsert would name all, and move the counter of AUTOINCREMENT besides). So most
                      * POSTs are written by a statement that names none; what it leaves, because the card
                      * became known or the session ends, has the revision still. */
                     {TALLY("FROM sessions WHERE :outcome <> '' AND id = :id AND outcome = ''"),
                      "UPDATE sessions SET " SESSION_PARTS
                      " WHERE id = :id AND revision = :revision AND card = :card AND outcome = :outcome",
                      "UPDATE sessions SET card = :card, outcome = :outcome, " SESSION_PARTS
                      " WHERE id = :id AND revision = :revision"}},
    [AUDIT_ADD] = {TABLE_AUDIT,
                   {{0}},
                   {"INSERT INTO audit (time_ms, who, what, object, detail)"
                    " VALUES (coalesce(nullif(:time_ms, 0), :now), :who, :what, :object, :detail)"}},
};

enum { SQL_MAX = 4096, ALIGNMENT = 16 };

static size_t aligned(size_t len)
{
    return (len + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static size_t row_memory(const struct table *t, const void *row)
{
    size_t sum = aligned(t->row_size);
    for (size_t i = 0; i < t->count; i++)
        if (t->fields[i].kind == FIELD_BLOB)
            sum += aligned(((const struct blob *)field_in(&t->fields[i], row))->len);
    return sum;
}

/* Copies a row and its blobs to *at, and moves it on. */
static void *copy_row(const struct table *t, const void *row, uint8_t **at)
{
    void *copy = *at;
    memcpy(copy, row, t->row_size);
    *at += aligned(t->row_size);
    for (size_t i = 0; i < t->count; i++) {
        struct blob *b = field_at(&t->fields[i], copy);
        if (t->fields[i].kind != FIELD_BLOB || b->len == 0)
            continue;
        memcpy(*at, b->data, b->len);
        b->data = *at;
        *at += aligned(b->len);
    }
    return copy;
}

enum err change_set_copy(struct change_set **out, const struct change *changes, size_t count)
{
    size_t head = aligned(sizeof(struct change_set) + count * sizeof(struct change)), memory = head;
    for (size_t i = 0; i < count; i++) {
        if ((size_t)changes[i].kind >= CHANGE_COUNT || changes[i].row.app == NULL)
            return ERR_ARGUMENT;
        memory += row_memory(&store_tables[rules[changes[i].kind].table], changes[i].row.app);
    }
    struct change_set *s = aligned_alloc(ALIGNMENT, memory);
    if (s == NULL)
        return ERR_MEMORY;
    *s = (struct change_set){.count = count, .memory = memory};
    uint8_t *at = (uint8_t *)s + head;
    for (size_t i = 0; i < count; i++) {
        s->changes[i] = changes[i];
        s->changes[i].row.app =
            copy_row(&store_tables[rules[changes[i].kind].table], changes[i].row.app, &at);
    }
    *out = s;
    return OK;
}

void change_set_free(struct change_set *s)
{
    if (s == NULL)
        return;
    wipe(s, s->memory);
    free(s);
}

static void sql_put(struct writer *sql, const struct table *t, const char *text)
{
    if (strcmp(text, INSERT) != 0 && strcmp(text, UPSERT) != 0) {
        wr_view(sql, view_str(text));
        return;
    }
    insert_put(sql, t);
    if (strcmp(text, UPSERT) == 0)
        upsert_put(sql, t);
}

static enum err prepare(struct statement *s, sqlite3 *db, const struct table *t, const char *text)
{
    char memory[SQL_MAX];
    struct writer sql;
    if (text == NULL)
        return OK;
    wr_fixed(&sql, memory, sizeof(memory));
    sql_put(&sql, t, text);
    wr_u8(&sql, 0);
    enum err e = wr_status(&sql);
    return e == OK ? statement_prepare(s, db, t, memory) : e;
}

enum err write_prepare(struct write_statements *w, sqlite3 *db)
{
    enum err e = OK;
    for (size_t kind = 0; kind < CHANGE_COUNT && e == OK; kind++) {
        const struct rule *rule = &rules[kind];
        const struct table *t = &store_tables[rule->table];
        for (size_t i = 0; i < REFUSALS_MAX && e == OK; i++)
            e = prepare(&w->kinds[kind].refusals[i], db, t, rule->refusals[i].when);
        for (size_t i = 0; i < STEPS_MAX && e == OK; i++)
            e = prepare(&w->kinds[kind].steps[i], db, t, rule->steps[i]);
    }
    return e;
}

void write_finish(struct write_statements *w)
{
    for (size_t kind = 0; kind < CHANGE_COUNT; kind++) {
        for (size_t i = 0; i < REFUSALS_MAX; i++)
            statement_finish(&w->kinds[kind].refusals[i]);
        for (size_t i = 0; i < STEPS_MAX; i++)
            statement_finish(&w->kinds[kind].steps[i]);
    }
}

/* Runs one statement of a change; *found says whether it gave a row. */
static enum err run(const struct statement *s, const struct change *c, bool *found)
{
    enum err e = statement_bind_row(s, c->row.app);
    if (e == OK)
        e = statement_bind_number(s, ":now", (int64_t)c->now_ms);
    if (e == OK)
        e = statement_bind_number(s, ":limit", c->limit);
    if (e == OK) {
        int result = sqlite3_step(s->stmt);
        *found = result == SQLITE_ROW;
        e = db_outcome(sqlite3_db_handle(s->stmt), result);
    }
    statement_reset(s);
    return e;
}

enum err write_change(struct write_statements *w, const struct change *c)
{
    bool found = false;
    for (size_t i = 0; i < REFUSALS_MAX; i++) {
        const struct statement *s = &w->kinds[c->kind].refusals[i];
        enum err e = s->stmt != NULL ? run(s, c, &found) : OK;
        if (e != OK)
            return e;
        if (found)
            return rules[c->kind].refusals[i].e;
    }
    for (size_t i = 0; i < STEPS_MAX; i++) {
        const struct statement *s = &w->kinds[c->kind].steps[i];
        enum err e = s->stmt != NULL ? run(s, c, &found) : OK;
        if (e != OK)
            return e;
    }
    return OK;
}
