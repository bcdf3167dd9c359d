/* SPDX-License-Identifier: Apache-2.0
 *
 * Outcomes, statements and rows over SQLite. */
#include "store/db.h"

#include <errno.h>
#include <string.h>

#include <base/log.h>

/* SQLite has a result of its own for ENOSPC alone; a quota or a limit of the file's size is the same to us.
 * The system's error is kept with the connection, or with the file that it happened to: the database or its
 * log. */
static bool no_space(sqlite3 *db)
{
    sqlite3_file *log = NULL;
    int errors[3] = {sqlite3_system_errno(db)};
    sqlite3_file_control(db, "main", SQLITE_FCNTL_LAST_ERRNO, &errors[1]);
    sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    if (log != NULL && log->pMethods != NULL)
        log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &errors[2]);
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        if (errors[i] == ENOSPC || errors[i] == EDQUOT || errors[i] == EFBIG)
            return true;
    return false;
}

enum err db_outcome(sqlite3 *db, int result)
{
    static const struct {
        int result;
        enum err e;
    } rows[] = {
        {SQLITE_OK, OK},
        {SQLITE_DONE, OK},
        {SQLITE_ROW, OK},
        {SQLITE_NOMEM, ERR_MEMORY},
        {SQLITE_FULL, ERR_DISK_FULL},
        {SQLITE_BUSY, ERR_TIMEOUT},
        {SQLITE_LOCKED, ERR_TIMEOUT},
        {SQLITE_CORRUPT, ERR_FORMAT},
        {SQLITE_NOTADB, ERR_FORMAT},
        {SQLITE_TOOBIG, ERR_LIMIT},
        {SQLITE_CONSTRAINT_PRIMARYKEY, ERR_EXISTS},
        {SQLITE_CONSTRAINT_UNIQUE, ERR_EXISTS},
        {SQLITE_CONSTRAINT_FOREIGNKEY, ERR_CONFLICT},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].result == result || rows[i].result == (result & 0xFF))
            return rows[i].e;
    if ((result & 0xFF) == SQLITE_IOERR)
        return no_space(db) ? ERR_DISK_FULL : ERR_IO;
    return (result & 0xFF) == SQLITE_CONSTRAINT ? ERR_ARGUMENT : ERR_IO;
}

enum err db_exec(sqlite3 *db, const char *sql)
{
    return db_outcome(db, sqlite3_exec(db, sql, NULL, NULL, NULL));
}

enum err db_number(sqlite3 *db, const char *sql, int64_t *out)
{
    sqlite3_stmt *s = NULL;
    int result = sqlite3_prepare_v2(db, sql, -1, &s, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_step(s);
    if (result == SQLITE_ROW)
        *out = sqlite3_column_int64(s, 0);
    enum err e = result == SQLITE_DONE ? ERR_NOT_FOUND : db_outcome(db, result);
    sqlite3_finalize(s);
    return e;
}

/* Names are looked up once, not with every row. */
static enum err name_parameters(struct statement *s)
{
    int count = sqlite3_bind_parameter_count(s->stmt);
    if (count > PARAMETERS_MAX)
        return ERR_LIMIT;
    for (int at = 1; at <= count; at++) {
        const char *name = sqlite3_bind_parameter_name(s->stmt, at);
        s->fields[at - 1] = name != NULL && s->table != NULL ? field_find(s->table, name + 1) : NULL;
    }
    return OK;
}

enum err statement_prepare(struct statement *s, sqlite3 *db, const struct table *t, const char *sql)
{
    s->table = t;
    enum err e = db_outcome(db, sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->stmt, NULL));
    return e == OK ? name_parameters(s) : e;
}

void statement_finish(struct statement *s)
{
    sqlite3_finalize(s->stmt);
    s->stmt = NULL;
}

void statement_reset(const struct statement *s)
{
    sqlite3_reset(s->stmt);
    sqlite3_clear_bindings(s->stmt);
}

static enum err outcome(const struct statement *s, int result)
{
    return db_outcome(sqlite3_db_handle(s->stmt), result);
}

enum err statement_bind_text(const struct statement *s, const char *parameter, const char *text)
{
    int at = sqlite3_bind_parameter_index(s->stmt, parameter);
    return at > 0 ? outcome(s, sqlite3_bind_text(s->stmt, at, text, -1, SQLITE_STATIC)) : OK;
}

enum err statement_bind_number(const struct statement *s, const char *parameter, int64_t value)
{
    int at = sqlite3_bind_parameter_index(s->stmt, parameter);
    return at > 0 ? outcome(s, sqlite3_bind_int64(s->stmt, at, value)) : OK;
}

static int bind_bytes(sqlite3_stmt *s, int at, struct view v)
{
    /* A NULL pointer would bind NULL; an empty blob is not NULL. */
    return sqlite3_bind_blob64(s, at, v.len > 0 ? v.data : (const uint8_t *)"", v.len, SQLITE_STATIC);
}

enum err statement_bind_bytes(const struct statement *s, const char *parameter, struct view v)
{
    int at = sqlite3_bind_parameter_index(s->stmt, parameter);
    return at > 0 ? outcome(s, bind_bytes(s->stmt, at, v)) : OK;
}

static uint64_t load_number(const void *at, size_t size)
{
    uint32_t u32;
    uint64_t u64;
    switch (size) {
    case 1:
        return *(const uint8_t *)at;
    case sizeof(u32):
        memcpy(&u32, at, sizeof(u32));
        return u32;
    default:
        memcpy(&u64, at, sizeof(u64));
        return u64;
    }
}

static int bind_field(sqlite3_stmt *s, int at, const struct field *f, const void *row)
{
    const void *value = field_in(f, row);
    const struct aid *aid = value;
    const struct blob *blob = value;
    int number;
    switch (f->kind) {
    case FIELD_LINK:
        if (*(const char *)value == '\0')
            return sqlite3_bind_null(s, at);
        return sqlite3_bind_text(s, at, value, -1, SQLITE_STATIC);
    case FIELD_TEXT:
        return sqlite3_bind_text(s, at, value, -1, SQLITE_STATIC);
    case FIELD_BLOB:
        return bind_bytes(s, at, blob_view(blob));
    case FIELD_BYTES:
        return bind_bytes(s, at, view_of(value, f->size));
    case FIELD_AID:
        return bind_bytes(s, at, view_of(aid->data, aid->len));
    case FIELD_FLAG:
        return sqlite3_bind_int(s, at, *(const bool *)value ? 1 : 0);
    case FIELD_SIGNED:
        memcpy(&number, value, sizeof(number));
        return sqlite3_bind_int(s, at, number);
    default:
        return sqlite3_bind_int64(s, at, (int64_t)load_number(value, f->size));
    }
}

enum err statement_bind_row(const struct statement *s, const void *row)
{
    int count = sqlite3_bind_parameter_count(s->stmt);
    for (int at = 1; at <= count; at++) {
        const struct field *f = s->fields[at - 1];
        if (f == NULL)
            continue;
        enum err e = outcome(s, bind_field(s->stmt, at, f, row));
        if (e != OK)
            return e;
    }
    return OK;
}

static enum err read_text(sqlite3_stmt *s, int column, char *out, size_t size)
{
    const unsigned char *text = sqlite3_column_text(s, column);
    size_t len = (size_t)sqlite3_column_bytes(s, column);
    if (len >= size)
        return ERR_FORMAT;
    if (text != NULL)
        memcpy(out, text, len);
    out[len] = '\0';
    return OK;
}

static enum err read_number(sqlite3_stmt *s, int column, void *at, size_t size)
{
    uint64_t u64 = (uint64_t)sqlite3_column_int64(s, column);
    uint32_t u32 = (uint32_t)u64;
    uint8_t u8 = (uint8_t)u64;
    if ((size == sizeof(u32) && u32 != u64) || (size == sizeof(u8) && u8 != u64))
        return ERR_FORMAT;
    memcpy(at, size == sizeof(u8) ? (void *)&u8 : size == sizeof(u32) ? (void *)&u32 : (void *)&u64, size);
    return OK;
}

static struct view column_view(sqlite3_stmt *s, int column)
{
    const void *data = sqlite3_column_blob(s, column);
    return view_of(data, data != NULL ? (size_t)sqlite3_column_bytes(s, column) : 0);
}

static enum err read_aid(struct view v, struct aid *out)
{
    if (v.len > AID_MAX)
        return ERR_FORMAT;
    if (v.len > 0)
        memcpy(out->data, v.data, v.len);
    out->len = (uint8_t)v.len;
    return OK;
}

static enum err read_field(sqlite3_stmt *s, int column, const struct field *f, void *row)
{
    void *at = field_at(f, row);
    struct view v;
    int number;
    switch (f->kind) {
    case FIELD_TEXT:
    case FIELD_LINK:
        return read_text(s, column, at, f->size);
    case FIELD_BLOB:
        return blob_copy(at, column_view(s, column));
    case FIELD_BYTES:
        v = column_view(s, column);
        if (v.len != f->size)
            return ERR_FORMAT;
        memcpy(at, v.data, v.len);
        return OK;
    case FIELD_AID:
        return read_aid(column_view(s, column), at);
    case FIELD_FLAG:
        *(bool *)at = sqlite3_column_int(s, column) != 0;
        return OK;
    case FIELD_SIGNED:
        number = sqlite3_column_int(s, column);
        memcpy(at, &number, sizeof(number));
        return OK;
    default:
        return read_number(s, column, at, f->size);
    }
}

enum err statement_read_row(const struct statement *s, void *row)
{
    const struct table *t = s->table;
    memset(row, 0, t->row_size);
    for (size_t i = 0; i < t->count; i++) {
        enum err e = read_field(s->stmt, (int)i, &t->fields[i], row);
        if (e != OK) {
            fields_free(t, row);
            LOG(LOG_ERROR, "store.row", log_str("table", t->name), log_str("column", t->fields[i].column),
                log_err(e));
            return e;
        }
    }
    return OK;
}

static bool names(const char *list, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = list; at != NULL && (at = strstr(at, word)) != NULL; at += len)
        if ((at == list || at[-1] == ' ') && (at[len] == '\0' || at[len] == ' '))
            return true;
    return false;
}

void columns_put(struct writer *sql, const struct table *t, const char *without)
{
    for (size_t i = 0; i < t->count; i++) {
        wr_view(sql, view_str(i > 0 ? ", " : ""));
        wr_view(sql, view_str(names(without, t->fields[i].column) ? "x''" : t->fields[i].column));
    }
}

void insert_put(struct writer *sql, const struct table *t)
{
    wr_view(sql, view_str("INSERT INTO "));
    wr_view(sql, view_str(t->name));
    wr_view(sql, view_str(" ("));
    columns_put(sql, t, NULL);
    wr_view(sql, view_str(") VALUES ("));
    for (size_t i = 0; i < t->count; i++) {
        wr_view(sql, view_str(i > 0 ? ", :" : ":"));
        wr_view(sql, view_str(t->fields[i].column));
        if (t->fields[i].kind == FIELD_REVISION)
            wr_view(sql, view_str(" + 1"));
    }
    wr_view(sql, view_str(")"));
}

void upsert_put(struct writer *sql, const struct table *t)
{
    wr_view(sql, view_str(" ON CONFLICT ("));
    wr_view(sql, view_str(t->key));
    wr_view(sql, view_str(") DO UPDATE SET "));
    for (size_t i = 0; i < t->count; i++) {
        wr_view(sql, view_str(i > 0 ? ", " : ""));
        wr_view(sql, view_str(t->fields[i].column));
        wr_view(sql, view_str(" = excluded."));
        wr_view(sql, view_str(t->fields[i].column));
    }
}
