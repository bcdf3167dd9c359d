/* SPDX-License-Identifier: Apache-2.0
 *
 * Which member of a row is which column: one table per row type, from which statements are made, values
 * bound and rows read, so that none of the three can drift from the others. */
#ifndef STORE_FIELDS_H
#define STORE_FIELDS_H

#include "store/store.h"

struct field {
    const char *column; /* or an expression, of what is only read */
    enum field_kind {
        FIELD_TEXT,
        FIELD_LINK,     /* text that refers to another table: "" is NULL there */
        FIELD_BLOB,     /* struct blob */
        FIELD_BYTES,    /* an array of fixed size */
        FIELD_NUMBER,   /* unsigned, of 1, 4 or 8 bytes */
        FIELD_REVISION, /* uint32_t, stored one higher than it is given */
        FIELD_SIGNED,   /* int */
        FIELD_FLAG,     /* bool */
        FIELD_AID       /* struct aid */
    } kind;
    size_t offset, size;
};

struct table {
    const char *name, *key; /* key: what a row put again replaces */
    const struct field *fields;
    size_t count, row_size;
};

enum table_id {
    TABLE_APP,
    TABLE_TYPE,
    TABLE_KEY,
    TABLE_CARD,
    TABLE_LEDGER,
    TABLE_ORDER,
    TABLE_SESSION,
    TABLE_AUDIT,
    TABLE_TALLY,
    TABLE_COUNTS,
    TABLE_COUNT
};

extern const struct table store_tables[TABLE_COUNT];

/* NULL when the table has no such column. */
const struct field *field_find(const struct table *t, const char *column);
/* Where a field lies in a row. */
void *field_at(const struct field *f, void *row);
const void *field_in(const struct field *f, const void *row);
/* Frees the blobs of a row. */
void fields_free(const struct table *t, void *row);

#endif
