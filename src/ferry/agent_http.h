/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP of the agent, on libevent's evhttp: on 127.0.0.1 and ::1 only, with bounded headers and bodies. What
 * has passed agent_gate comes as a call; everything else is answered here. */
#ifndef FERRY_AGENT_HTTP_H
#define FERRY_AGENT_HTTP_H

#include <jansson.h>

#include "agent_gate.h"

struct event_base;
struct agent_http;
struct agent_reply; /* owed to one call; outlives its connection */

struct agent_call {
    enum agent_path path;
    const char *origin, *pairing; /* pairing: the token that came, or NULL */
    struct view body;
    struct agent_reply *reply;
};

/* place->port: 0 picks one, and it is written there. handle owes an answer to each call, now or later; what
 * is in the call is gone when it returns, but for the reply. ERR_EXISTS: somebody else listens there; ERR_IO.
 */
enum err agent_http_new(struct agent_http **out, struct event_base *base, struct agent_place *place,
                        void (*handle)(void *arg, const struct agent_call *call), void *arg) MUST_USE;
/* Takes no new connections. */
void agent_http_stop(struct agent_http *h);
/* Replies that are still owed must have been sent. Accepts NULL. */
void agent_http_free(struct agent_http **h);

/* Ends what is owed; takes the reference of body, which may be NULL. */
void agent_reply_send(struct agent_reply *r, int status, json_t *body);
void agent_reply_refuse(struct agent_reply *r, const struct agent_refusal *why);

#endif
