/* SPDX-License-Identifier: Apache-2.0
 *
 * Limits of the embedded store that tests and benchmarks set otherwise. */
#ifndef STORE_SQLITE_H
#define STORE_SQLITE_H

#include "store/store.h"

struct sqlite_limits {
    unsigned batch_sets;       /* change sets in one transaction */
    unsigned checkpoint_pages; /* WAL pages after which a passive checkpoint runs beside the writer */
    unsigned restart_pages;    /* WAL pages at which the writer itself empties the WAL before it goes on */
    unsigned busy_ms;          /* how long another process may keep the database locked */
    unsigned pages_max;        /* pages of the database file; 0: as many as the disk takes */
};

extern const struct sqlite_limits sqlite_limits_default;
enum err store_open_sqlite_limits(struct store *out, const char *path,
                                  const struct sqlite_limits *limits) MUST_USE;

#endif
