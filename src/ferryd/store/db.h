/* SPDX-License-Identifier: Apache-2.0
 *
 * Small helpers over the SQLite interface that the files of the embedded store share: outcomes, statements
 * whose parameters are named after columns, and rows. */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <sqlite3.h>

#include "store/fields.h"

/* SQLite's result as an outcome: ERR_EXISTS for a key that is there, ERR_CONFLICT for a reference that is
 * not, ERR_DISK_FULL, ERR_TIMEOUT when another process keeps the database locked, ERR_FORMAT when it is
 * damaged. */
enum err db_outcome(sqlite3 *db, int result);
/* Runs statements without results. */
enum err db_exec(sqlite3 *db, const char *sql) MUST_USE;
/* The one number that a query gives. */
enum err db_number(sqlite3 *db, const char *sql, int64_t *out) MUST_USE;

enum { PARAMETERS_MAX = 24 }; /* the widest row, and what comes from beside it */

/* A statement, kept prepared. */
struct statement {
    sqlite3_stmt *stmt;
    const struct table *table;
    const struct field *fields[PARAMETERS_MAX]; /* of each parameter; NULL: it is not named after a column */
};
enum err statement_prepare(struct statement *s, sqlite3 *db, const struct table *t, const char *sql) MUST_USE;
void statement_finish(struct statement *s);
/* Binds every parameter that is named after a column (":name") to the row's value. */
enum err statement_bind_row(const struct statement *s, const void *row) MUST_USE;
/* Binds a parameter by its name; a statement that does not have it is fine. */
enum err statement_bind_text(const struct statement *s, const char *parameter, const char *text) MUST_USE;
enum err statement_bind_number(const struct statement *s, const char *parameter, int64_t value) MUST_USE;
enum err statement_bind_bytes(const struct statement *s, const char *parameter, struct view v) MUST_USE;
/* Ready for the next use; borrowed values are let go. */
void statement_reset(const struct statement *s);

/* Reads the columns of a SELECT that columns_put made, in the table's order. *row owns its blobs on OK. */
enum err statement_read_row(const struct statement *s, void *row) MUST_USE;

/* "a, b, c"; columns named in without (separated by spaces; may be NULL) are read as empty. */
void columns_put(struct writer *sql, const struct table *t, const char *without);
/* "INSERT INTO t (a, b) VALUES (:a, :b)" */
void insert_put(struct writer *sql, const struct table *t);
/* " ON CONFLICT (key) DO UPDATE SET a = excluded.a, ..." */
void upsert_put(struct writer *sql, const struct table *t);

#endif
