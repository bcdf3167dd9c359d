/* SPDX-License-Identifier: Apache-2.0
 *
 * What the front counts, for GET /metrics. One set of counters for the process; only the loop's thread
 * touches it. Nothing here names a card, an order or a person. */
#ifndef FRONT_METRICS_H
#define FRONT_METRICS_H

#include <session/outcome.h>

#include "store/store.h"

#define METRIC_LIST(X)                                                                                       \
    X(METRIC_POSTS, "posts_total", "POSTs of the dialogue that were answered")                               \
    X(METRIC_SESSIONS_BEGUN, "sessions_begun_total", "sessions that a ticket began")                         \
    X(METRIC_COMMANDS, "commands_total", "card commands that were sent out")                                 \
    X(METRIC_PACKET_BYTES, "packet_bytes_total", "bytes of packets that were sent out")                      \
    X(METRIC_KEEPER_REQUESTS, "keeper_requests_total", "requests to the keeper")                             \
    X(METRIC_KEEPER_FAILURES, "keeper_failures_total", "requests that the keeper did not answer")            \
    X(METRIC_ADMIN_REFUSED, "admin_refused_total", "administration requests without a valid token")

#define METRIC_ENUM(id, name, help) id,
enum metric { METRIC_LIST(METRIC_ENUM) METRIC_COUNT };
#undef METRIC_ENUM

/* What there is now, rather than what was counted. */
#define GAUGE_LIST(X)                                                                                        \
    X(GAUGE_VISITS, "page_visits", "visits of pages that the front remembers")                               \
    X(GAUGE_WATCHERS, "page_watchers", "pages that follow events")

#define GAUGE_ENUM(id, name, help) id,
enum gauge { GAUGE_LIST(GAUGE_ENUM) GAUGE_COUNT };
#undef GAUGE_ENUM

void metrics_add(enum metric m, uint64_t n);
void metrics_set(enum gauge g, uint64_t value);
/* A session has ended. */
void metrics_session(enum outcome o);
/* A request was answered with this status. */
void metrics_http(int status);
/* Prometheus text format, version 0.0.4. */
void metrics_put(struct writer *out, const struct store_stats *store);

#endif
