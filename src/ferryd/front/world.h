/* SPDX-License-Identifier: Apache-2.0
 *
 * What the dialogue may look up, answered from the store; and what it wants written down, as a change set. */
#ifndef FRONT_WORLD_H
#define FRONT_WORLD_H

#include <session/session.h>

#include "front/card_type.h"
#include "store/store.h"

/* Applications and card types that were taken apart before. What is in the store decides: a row is compared
 * before what was kept of it is used. A zeroed cache is empty. */
enum { CACHED_APPS = 8, CACHED_TYPES = 16 };
struct world_cache {
    struct cached_app {
        uint8_t sha256[DIGEST_LEN];
        struct cap *cap; /* owned; NULL: free */
        unsigned uses;   /* that are not done yet */
    } apps[CACHED_APPS];
    struct cached_type {
        struct blob spec;
        struct card_type *type; /* owned; NULL: free */
    } types[CACHED_TYPES];
    size_t next_app, next_type;
};
void world_cache_finish(struct world_cache *c);

/* One POST's view of the store. */
struct world {
    const struct store *store;
    struct world_cache *cache;
    struct clock_source clock;
    weak_set allow_weak;
    struct card_row card; /* looked up last; owned */
};
void world_init(struct world *w, const struct store *store, struct world_cache *cache,
                struct clock_source clock, weak_set allow_weak);
void world_finish(struct world *w);
/* The function table over w; the random source is the caller's. */
struct session_world world_table(struct world *w, struct random_source random);

/* The rows of one change set: changes point into it. */
struct turn_changes {
    struct change list[SESSION_RECORDS_MAX + 3];
    size_t count;
    enum session_record_kind kinds[SESSION_RECORDS_MAX + 3]; /* where a change came from a record */
    size_t first_other;                                      /* from here on: session and audit */
    struct order_row order;
    struct ledger_row ledgers[SESSION_RECORDS_MAX];
    struct card_row card; /* owned */
    struct audit_row audit;
};
/* From a turn's records, the session, and (session_row) its row with the new state. audit is written when the
 * session has ended. ERR_MEMORY and what the store's reads give. *out goes to turn_changes_finish in any
 * case.
 */
enum err turn_changes_make(struct turn_changes *out, const struct store *store, const struct session *s,
                           const struct session_turn *turn, const struct session_row *row,
                           uint64_t now_ms) MUST_USE;
void turn_changes_finish(struct turn_changes *c);

/* The order's row as the dialogue wants it. ERR_FORMAT when the purpose is none. */
enum err order_for_session(const struct order_row *row, struct session_order *out) MUST_USE;

#endif
