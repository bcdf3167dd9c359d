/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables of the embedded database, as numbered migrations. */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include <sqlite3.h>

#include <base/err.h>

/* "CFst", in the header of the file: it is a store of ours. */
enum { SCHEMA_APPLICATION_ID = 0x43467374 };
/* How many migrations there are: the version that this program writes. */
int schema_version(void);
/* Brings a database to schema_version, each migration in a transaction of its own. ERR_UNSUPPORTED when it is
 * newer, ERR_FORMAT when it is not a store of ours, ERR_DISK_FULL, ERR_IO. */
enum err schema_migrate(sqlite3 *db) MUST_USE;
/* The same, to an earlier version: so tests have a store of before. */
enum err schema_migrate_to(sqlite3 *db, int last) MUST_USE;

#endif
