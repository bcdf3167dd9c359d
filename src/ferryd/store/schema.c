/* SPDX-License-Identifier: Apache-2.0
 *
 * The migrations. A migration that was released is never changed: what must change is another one. */
#include "store/schema.h"

#include <stdio.h>

#include <base/log.h>

#include "store/db.h"

static const char *const migrations[] = {
    /* 1 */
    "CREATE TABLE apps ("
    " name TEXT NOT NULL PRIMARY KEY, package BLOB NOT NULL, major INTEGER NOT NULL, minor INTEGER NOT NULL,"
    " sha256 BLOB NOT NULL, created_ms INTEGER NOT NULL, info BLOB NOT NULL, sequence BLOB NOT NULL,"
    " cap BLOB NOT NULL) STRICT;"
    "CREATE TABLE types ("
    " name TEXT NOT NULL PRIMARY KEY, spec BLOB NOT NULL, created_ms INTEGER NOT NULL) STRICT;"
    "CREATE TABLE keys ("
    " name TEXT NOT NULL, version INTEGER NOT NULL CHECK (version > 0), key_use INTEGER NOT NULL,"
    " key_type INTEGER NOT NULL, key_len INTEGER NOT NULL, card TEXT NOT NULL, sealed BLOB NOT NULL,"
    " kcv BLOB NOT NULL, retired INTEGER NOT NULL, created_ms INTEGER NOT NULL,"
    " PRIMARY KEY (name, version)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX keys_card ON keys (card) WHERE card <> '';"
    "CREATE TABLE cards ("
    " number TEXT NOT NULL PRIMARY KEY, type TEXT REFERENCES types (name), pinned_scp INTEGER NOT NULL,"
    " pinned_i INTEGER NOT NULL, pinned_kvn INTEGER NOT NULL, quarantined INTEGER NOT NULL,"
    " reason TEXT NOT NULL, seen_ms INTEGER NOT NULL, revision INTEGER NOT NULL,"
    " registry_ms INTEGER NOT NULL, registry_proven INTEGER NOT NULL, identity BLOB NOT NULL,"
    " registry BLOB NOT NULL) STRICT;"
    "CREATE INDEX cards_type ON cards (type);"
    "CREATE TABLE ledger ("
    " card TEXT NOT NULL, kvn INTEGER NOT NULL, openings INTEGER NOT NULL,"
    " wrong_cryptograms INTEGER NOT NULL, failed_loads INTEGER NOT NULL, last_ms INTEGER NOT NULL,"
    " PRIMARY KEY (card, kvn)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE orders ("
    " sequel INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, ticket_digest BLOB NOT NULL UNIQUE,"
    " app TEXT NOT NULL, purpose TEXT NOT NULL, card TEXT NOT NULL, type TEXT NOT NULL,"
    " level INTEGER NOT NULL, state TEXT NOT NULL, cards_left INTEGER NOT NULL CHECK (cards_left >= 0),"
    " openings_left INTEGER NOT NULL CHECK (openings_left >= 0), created_ms INTEGER NOT NULL,"
    " expires_ms INTEGER NOT NULL) STRICT;"
    "CREATE INDEX orders_app ON orders (app) WHERE state = 'open';"
    "CREATE INDEX orders_type ON orders (type) WHERE state = 'open';"
    "CREATE TABLE sessions ("
    " sequel INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, token_digest BLOB NOT NULL,"
    " order_id TEXT REFERENCES orders (id), card TEXT NOT NULL, step TEXT NOT NULL, outcome TEXT NOT NULL,"
    " reason TEXT NOT NULL, detail TEXT NOT NULL, posts INTEGER NOT NULL, commands INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,"
    " revision INTEGER NOT NULL, request_digest BLOB NOT NULL, state BLOB NOT NULL,"
    " reply BLOB NOT NULL) STRICT;"
    "CREATE INDEX sessions_token ON sessions (token_digest);"
    "CREATE INDEX sessions_order ON sessions (order_id);"
    "CREATE INDEX sessions_card ON sessions (card) WHERE card <> '';"
    "CREATE TABLE audit ("
    " number INTEGER PRIMARY KEY AUTOINCREMENT, time_ms INTEGER NOT NULL, who TEXT NOT NULL,"
    " what TEXT NOT NULL, object TEXT NOT NULL, detail TEXT NOT NULL) STRICT;"
    "CREATE INDEX audit_object ON audit (object);"
    "CREATE TABLE probe (writes INTEGER NOT NULL) STRICT;"
    "INSERT INTO probe VALUES (0);",
    /* 2: a token names its session; nobody looks for one by the token's digest, which each POST changes */
    "DROP INDEX sessions_token;",
    /* 3: who approved an application, offers and how many cards an order was made for, the dialogue of a
     * session; and what listings that are filtered go by (a column that has one value in a partial index is
     * there so that the index alone is read). An application of before was in use: it counts as
     * approved. The table is made anew so that its file, which is large, stays behind all that listings
     * read. */
    "CREATE TABLE apps_3 ("
    " name TEXT NOT NULL PRIMARY KEY, package BLOB NOT NULL, major INTEGER NOT NULL, minor INTEGER NOT NULL,"
    " sha256 BLOB NOT NULL, created_ms INTEGER NOT NULL, approved_by TEXT NOT NULL,"
    " approved_ms INTEGER NOT NULL, info BLOB NOT NULL, sequence BLOB NOT NULL, cap BLOB NOT NULL) STRICT;"
    "INSERT INTO apps_3 SELECT name, package, major, minor, sha256, created_ms, 'before', created_ms, info,"
    " sequence, cap FROM apps;"
    "DROP TABLE apps;"
    "ALTER TABLE apps_3 RENAME TO apps;"
    "CREATE INDEX apps_waiting ON apps (approved_by) WHERE approved_by = '';"
    "ALTER TABLE orders ADD COLUMN offer_ticket TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE orders ADD COLUMN cards INTEGER NOT NULL DEFAULT 1;"
    /* Each delivery that was not a failure has taken one. */
    "UPDATE orders SET cards = cards_left + (SELECT count(*) FROM sessions"
    " WHERE order_id = orders.id AND outcome IN ('confirmed', 'reported'));"
    "ALTER TABLE sessions ADD COLUMN dialogue BLOB NOT NULL DEFAULT x'';"
    "DROP INDEX cards_type;"
    "CREATE INDEX cards_type ON cards (type, number);"
    "CREATE INDEX cards_set_aside ON cards (quarantined, number) WHERE quarantined = 1;"
    "DROP INDEX orders_app;"
    "CREATE INDEX orders_app ON orders (app) WHERE app <> '';"
    "CREATE INDEX orders_card ON orders (card) WHERE card <> '';"
    "CREATE INDEX orders_open ON orders (state, sequel, expires_ms) WHERE state = 'open';"
    "CREATE INDEX orders_app_open ON orders (app, state, sequel, expires_ms) WHERE state = 'open';"
    "CREATE INDEX orders_expiry ON orders (state, expires_ms) WHERE state = 'open';"
    "CREATE INDEX orders_offers ON orders (state) WHERE offer_ticket <> '' AND state = 'open';"
    "CREATE INDEX sessions_running ON sessions (outcome) WHERE outcome = '';"
    "CREATE INDEX audit_what ON audit (what) WHERE substr(what, 1, 8) <> 'session.';"
    /* How many sessions ended how, on which day (since 1970, UTC): counted as they end. */
    "CREATE TABLE tallies ("
    " day INTEGER NOT NULL, outcome TEXT NOT NULL, reason TEXT NOT NULL, count INTEGER NOT NULL,"
    " PRIMARY KEY (day, outcome, reason)) STRICT, WITHOUT ROWID;"
    "INSERT INTO tallies SELECT updated_ms / 86400000, outcome, reason, count(*) FROM sessions"
    " WHERE outcome <> '' GROUP BY 1, 2, 3;",
};

int schema_version(void)
{
    return (int)(sizeof(migrations) / sizeof(migrations[0]));
}

static enum err migrate_one(sqlite3 *db, int version)
{
    char mark[96];
    snprintf(mark, sizeof(mark), "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
             SCHEMA_APPLICATION_ID, version);
    const char *const steps[] = {"BEGIN IMMEDIATE", migrations[version - 1], mark};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        enum err e = db_exec(db, steps[i]);
        if (e != OK) {
            sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
            return e;
        }
    }
    return OK;
}

enum err schema_migrate(sqlite3 *db)
{
    return schema_migrate_to(db, schema_version());
}

enum err schema_migrate_to(sqlite3 *db, int last)
{
    int64_t version = 0, application = 0, tables = 0;
    enum err e = db_number(db, "PRAGMA user_version", &version);
    if (e == OK)
        e = db_number(db, "PRAGMA application_id", &application);
    if (e == OK)
        e = db_number(db, "SELECT count(*) FROM sqlite_schema", &tables);
    if (e != OK)
        return e;
    if (application != SCHEMA_APPLICATION_ID && (tables > 0 || version != 0)) {
        LOG(LOG_ERROR, "store.foreign", log_str("why", "the file is a database, but not a store of ours"));
        return ERR_FORMAT;
    }
    if (version > schema_version()) {
        LOG(LOG_ERROR, "store.newer", log_u64("schema", (uint64_t)version),
            log_u64("known", (uint64_t)schema_version()),
            log_str("why", "the store was written by a newer version of this program"));
        return ERR_UNSUPPORTED;
    }
    for (int next = (int)version + 1; next <= last && next <= schema_version(); next++) {
        e = migrate_one(db, next);
        if (e != OK)
            return e;
    }
    return OK;
}
