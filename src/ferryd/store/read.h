/* SPDX-License-Identifier: Apache-2.0
 *
 * The read side of the embedded store: its part of struct store_ops. */
#ifndef STORE_READ_H
#define STORE_READ_H

#include "store/db.h"

enum read_id {
    READ_APP,
    READ_TYPE,
    READ_KEY,
    READ_KEY_NEWEST,
    READ_CARD_KEY,
    READ_CARD,
    READ_LEDGER,
    READ_ORDER,
    READ_ORDER_TICKET,
    READ_SESSION,
    READ_COUNTS,
    LIST_APPS,
    LIST_TYPES,
    LIST_KEYS,
    LIST_CARDS,
    LIST_CARDS_TYPE,
    LIST_CARDS_SET_ASIDE,
    LIST_LEDGER,
    LIST_ORDERS,
    LIST_ORDERS_MATCH,
    LIST_ORDERS_OPEN,
    LIST_ORDERS_APP,
    LIST_ORDERS_APP_OPEN,
    LIST_ORDERS_CARD,
    LIST_OFFERS,
    LIST_SESSIONS,
    LIST_SESSIONS_MATCH,
    LIST_SESSIONS_RUNNING,
    LIST_SESSIONS_ORDER,
    LIST_SESSIONS_CARD,
    LIST_AUDIT,
    LIST_AUDIT_ACTIONS,
    LIST_AUDIT_OBJECT,
    LIST_TALLIES,
    READ_COUNT
};

struct read_statements {
    struct statement statements[READ_COUNT];
};
enum err read_prepare(struct read_statements *r, sqlite3 *db) MUST_USE;
void read_finish(struct read_statements *r);

/* Fills in the functions that read; their ctx begins with a struct read_statements. */
void read_fill_ops(struct store_ops *ops);

#endif
