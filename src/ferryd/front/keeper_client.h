/* SPDX-License-Identifier: Apache-2.0
 *
 * The front's end of the keeper's socket: requests go out with a number each, replies come back on the event
 * loop. Nothing waits. */
#ifndef FRONT_KEEPER_CLIENT_H
#define FRONT_KEEPER_CLIENT_H

#include <base/bytes.h>

struct event_base;
struct keeper_client;

/* Takes over fd (made non-blocking, closed in the end). gone is called once when the keeper hangs up or does
 * not speak frames; after all requests that were due got ERR_CLOSED. */
enum err keeper_client_new(struct keeper_client **out, struct event_base *base, int fd,
                           void (*gone)(void *arg), void *arg) MUST_USE;
/* Requests that are due are called back with ERR_CLOSED. Accepts NULL and clears. */
void keeper_client_free(struct keeper_client **k);

/* A request of <vault/serve.h>. done is called exactly once, never from within this call: OK and the reply
 * (valid during the call), or ERR_CLOSED, ERR_TIMEOUT. Not called when the result is not OK: ERR_CLOSED,
 * ERR_LIMIT, ERR_MEMORY. */
enum err keeper_client_ask(struct keeper_client *k, struct view request,
                           void (*done)(void *arg, enum err e, struct view reply), void *arg) MUST_USE;
/* The connection stands. */
bool keeper_client_alive(const struct keeper_client *k);

#endif
