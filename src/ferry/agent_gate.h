/* SPDX-License-Identifier: Apache-2.0
 *
 * Who may speak with the agent, and how often (docs/web.md, "The loopback agent"). Any page can send
 * something to a port of this machine; what it can't do is forge these headers, or send them without being
 * asked first. Pure: a table of conditions over what came. */
#ifndef FERRY_AGENT_GATE_H
#define FERRY_AGENT_GATE_H

#include <base/bytes.h>

#include "ticket.h"

enum { AGENT_ORIGINS_MAX = 16, AGENT_ORIGIN_MAX = 300, AGENT_BODY_MAX = 4096 };

/* Whom this agent serves. */
struct agent_place {
    unsigned port;
    char origins[AGENT_ORIGINS_MAX][AGENT_ORIGIN_MAX]; /* as browsers write them */
    size_t origin_count;
};

/* "https://host[:port]" as a browser writes it as an origin: in small letters, without the port 443, and
 * nothing behind. ERR_FORMAT when it is no such address, ERR_LIMIT when there are too many. */
enum err agent_place_add(struct agent_place *p, const char *url) MUST_USE;

enum agent_path { AGENT_HELLO, AGENT_PAIR, AGENT_RUN, AGENT_STATE, AGENT_PATHS };

/* What came; NULL: no such header. */
struct agent_request {
    const char *method, *uri; /* as they stand in the request line */
    const char *host, *origin, *content_type, *agent;
    const char *wants_method, *wants_headers; /* of a preflight: Access-Control-Request-... */
    bool repeated;                            /* one of the headers stands there twice */
};

struct agent_refusal {
    int status;
    const char *error, *message;
};

/* Whether a request may be looked into. true: *path says which it is; *refusal is untouched. false: the first
 * condition that does not hold. An OPTIONS request that passes is a preflight, and nothing more. */
bool agent_gate(const struct agent_place *p, const struct agent_request *r, enum agent_path *path,
                struct agent_refusal *refusal);
/* Whether the answer may be read by the page that asked: its origin is served, and this is our address. */
bool agent_may_read(const struct agent_place *p, const struct agent_request *r);

/* Bodies: {} and {"ticket":"..."}, and nothing else. ERR_FORMAT. */
enum { AGENT_TICKET_MAX = 128 };
enum err agent_read_empty(struct view body) MUST_USE;
enum err agent_read_ticket(struct view body, char out[AGENT_TICKET_MAX + 1]) MUST_USE;

/* So many at once, and so many a minute. */
struct agent_bucket {
    unsigned per_minute;
    uint64_t level_ms, last_ms; /* level: how much of a minute is used up */
};
/* true: it may pass, and is counted. */
bool agent_bucket_take(struct agent_bucket *b, uint64_t now_ms);

#endif
