/* SPDX-License-Identifier: Apache-2.0
 *
 * The dialogue with clients over HTTP: each POST is one turn of a session (session/session.h), carried
 * between the vault's process and the store until it can be answered. How a request and an answer look is a
 * wire's business (profile_a.c: Amendment B; profile_b.c). */
#ifndef FRONT_DIALOGUE_H
#define FRONT_DIALOGUE_H

#include <base/sources.h>
#include <session/session.h>

#include "front/http.h"
#include "front/keeper_client.h"
#include "front/live.h"
#include "front/world.h"

struct event_base;

enum {
    TOKEN_LEN = 32,       /* random bytes of a session token */
    TOKEN_TEXT = 43,      /* base64url */
    NAMED_TOKEN_TEXT = 76 /* "<session id>.<token>" */
};

struct dialogue {
    struct event_base *base;
    const struct store *store;
    struct keeper_client *keeper;
    struct crypto *crypto;
    struct random_source random;
    struct clock_source clock;
    unsigned session_timeout_s;
    weak_set allow_weak;      /* the policy */
    struct live *live;        /* is told what was answered; NULL: nobody is */
    struct world_cache cache; /* world_cache_finish */
    unsigned under_way;       /* POSTs that are not answered yet */
};

/* profile_a.c */
void dialogue_post(struct dialogue *d, const struct http_request *r);
/* profile_b.c */
void dialogue_post_b(struct dialogue *d, const struct http_request *r);

/* Ends the sessions that have heard nothing for longer than the timeout. all: also those that began long ago,
 * as after a start. */
void dialogue_sweep(struct dialogue *d, bool all);

/* How many commands the answer has that a running session's row keeps; 0 when there is none. */
unsigned dialogue_commands(const struct session_row *row);

/* ---- For the wires ----------------------------------------------------------------------------------- */

/* What a wire has found in a request. */
struct dialogue_request {
    const char *ticket;        /* begins a session; else NULL. With a page's visit behind it, or not */
    const char *token;         /* "<session id>.<token>" goes on; else NULL */
    struct view atr;           /* with a ticket */
    const char *card;          /* with a ticket: the number that the client has read, or NULL */
    struct view body;          /* with a token: response script */
    const char *script_status; /* with a token; "" */
    bool resume;               /* with a token */
};

/* How a wire answers. token: "<session id>.<token>". */
struct dialogue_wire {
    void (*script)(struct http_reply *reply, const char *token, struct view packet);
    /* The session has ended (204), or the request was refused: text is a sentence for people, or "". */
    void (*end)(struct http_reply *reply, int status, const char *text);
    bool keeps_token; /* one token for the whole session */
};

/* Takes the request over; the reply comes later. */
void dialogue_take(struct dialogue *d, const struct dialogue_wire *wire, const struct dialogue_request *in,
                   struct http_reply *reply);
/* Answers with a reason and no session. */
void dialogue_refuse(const struct dialogue_wire *wire, struct http_reply *reply, enum reason r, int status);

#endif
