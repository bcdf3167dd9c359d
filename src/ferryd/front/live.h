/* SPDX-License-Identifier: Apache-2.0
 *
 * What happens now, for those who watch: visits of pages, the sessions that run for them, what clients say,
 * and who listens. All of it is memory of this process; it decides nothing, no delivery needs it, and a
 * restart forgets it. Every function is quick, and none can fail a delivery. */
#ifndef FRONT_LIVE_H
#define FRONT_LIVE_H

#include <base/sources.h>

#include "front/page_bodies.h"
#include "store/store.h"

enum {
    VISIT_IDLE_MS = 3600 * 1000, /* since it was used or watched last */
    /* Less than two kilobytes each. When there are so many, the one that was used least recently and that
     * nobody watches makes room. */
    VISITS_MAX = 10000,
    /* A page, the same page in another tab, and connections that are dead without knowing it: a fifth ends
     * the first. */
    WATCHERS_PER_VISIT_MAX = 4,
    HEARTBEAT_MS = 15 * 1000, /* shorter than what proxies and phones take for silence */
    /* Visits that one address may make: a class room at once, then one a second. An address of IPv6 stands
     * for its network of 64 bits. */
    PEER_VISITS_AT_ONCE = 60,
    PEER_VISIT_MS = 1000,
    /* A client reports five times a second; numbers that come faster wait for the tick, and only the newest
     * of them leave. Another stage waits for nothing. */
    PROGRESS_EVERY_MS = 100
};

struct live;

struct live_setup {
    struct random_source random;
    struct clock_source clock; /* only differences count: one that never jumps is best */
    unsigned watchers_max;     /* of all visits together: each holds a connection that no delivery can have */
};

enum err live_new(struct live **out, const struct live_setup *setup) MUST_USE;
/* Watchers that are left are forgotten, not ended. Accepts NULL in it. */
void live_free(struct live **l);
/* Once a second: heartbeats, progress that waits, visits that are over. */
void live_tick(struct live *l);

struct live_count {
    size_t visits, watchers;
};
struct live_count live_count(const struct live *l);

/* ---- Visits ------------------------------------------------------------------------------------------ */

/* Takes one of the visits that this address may make. False: it has none left for now. */
bool live_peer_may(struct live *l, const char *peer);
/* A new visit of an order, made with this ticket. ERR_LIMIT: all are watched. ERR_MEMORY, and what the random
 * source gives. */
enum err live_visit_add(struct live *l, const char *order, const uint8_t ticket_digest[DIGEST_LEN],
                        char visit[VISIT_TEXT + 1]) MUST_USE;
/* What a client says. ERR_NOT_FOUND: there is no such visit, or not of this ticket. */
enum err live_progress(struct live *l, const char *visit, const uint8_t ticket_digest[DIGEST_LEN],
                       const struct progress *p) MUST_USE;

/* ---- Sessions ---------------------------------------------------------------------------------------- */

struct live_session {
    const char *id, *order;
    const char *step;                      /* of the answer that left */
    uint32_t commands;                     /* in it */
    const char *outcome, *reason, *detail; /* outcome "": it runs */
};
/* A turn was answered, or a session has ended, and that is durable. visit: the one that the ticket carried,
 * with a session's first turn; later ones are found by the session. A visit that is not there, or is of
 * another order, is passed over. l may be NULL. */
void live_session(struct live *l, const char *visit, const struct live_session *s);
/* Lets a visit follow a session that it has not begun; s is its present state. The caller has made sure that
 * both are of one order. */
void live_follow(struct live *l, const char *visit, const struct live_session *s);

/* For the operator's overview: how many commands of how many the card has executed, as the client of a
 * running session says. False, and both 0: it says nothing. session is the id as in the store. */
bool live_progress_of(const struct live *l, const char *session, uint32_t *done, uint32_t *total);

/* ---- Watchers ---------------------------------------------------------------------------------------- */

/* Where events go: a stream of front/http.h. */
struct live_sink {
    void *ctx;
    bool (*put)(void *ctx, struct view bytes); /* false: it takes no more, and is given up */
    void (*end)(void *ctx);                    /* called once by us, unless the watcher left before */
};

struct live_watcher;
/* ERR_NOT_FOUND: no such visit. ERR_LIMIT: too many watch. ERR_MEMORY. */
enum err live_watch(struct live *l, const char *visit, struct live_watcher **out) MUST_USE;
/* Sends what is known, and everything from now on. The watcher belongs to live from here on: it may be over
 * at once, when the sink takes nothing. */
void live_watcher_start(struct live_watcher *w, struct live_sink sink);
/* Whoever listened has gone. */
void live_watcher_gone(struct live_watcher *w);

#endif
