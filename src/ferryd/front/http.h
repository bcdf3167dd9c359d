/* SPDX-License-Identifier: Apache-2.0
 *
 * The narrow interface to the HTTP server: a request comes in, the reply is given now or later. All of
 * libevent and of TLS stays behind it (http.c). One event loop, one thread. */
#ifndef FRONT_HTTP_H
#define FRONT_HTTP_H

#include <base/bytes.h>
#include <base/limits.h>

struct event_base;
struct http;
struct http_reply; /* an answer that is still due; exactly one http_reply_send ends it */

enum { HTTP_STREAM_WAITING_MAX = 64 * 1024 };

struct http_request {
    const char *method;  /* "GET", "HEAD" (where there is a route for GET), "POST", "PUT", "DELETE" */
    const char *path;    /* decoded, without query */
    struct view body;    /* valid during the call of the handler */
    const char *peer;    /* address, for logs and limits */
    const char *subject; /* common name of a verified client certificate, or NULL */
    struct http_reply *reply;
};

/* A request's header and a decoded query parameter; NULL when absent. Valid during the call of the handler.
 */
const char *http_header(const struct http_request *r, const char *name);
const char *http_query(const struct http_request *r, const char *name);

/* r may be NULL in both: nobody waits for this answer. */
void http_reply_header(struct http_reply *r, const char *name, const char *value);
/* Ends the reply. body may be empty. Safe when the client has gone meanwhile. */
void http_reply_send(struct http_reply *r, int status, const char *content_type, struct view body);

/* The same for a body that lives as long as the server: it is not copied. */
void http_reply_send_lasting(struct http_reply *r, int status, const char *content_type, struct view body);
/* Instead of "no-store": what http_reply_send says of caching. For files that are the same for everybody. */
void http_reply_cache(struct http_reply *r, const char *cache_control);

/* An answer that stays open and goes on, such as server-sent events. */
struct http_stream;
/* Answers with status 200 and this type; headers that were added before go with it. Takes r over. closed is
 * called once, when the client has gone or the server stops (within http_stop, http_free), and not after
 * http_stream_end: the stream is no more then. NULL: the client has gone, or there is no memory; r is taken
 * over all the same and closed is not called. */
struct http_stream *http_stream_begin(struct http_reply *r, const char *content_type,
                                      void (*closed)(void *arg), void *arg);
/* Bytes for the client. False: it has not taken HTTP_STREAM_WAITING_MAX bytes yet, or there is no memory;
 * nothing was added, and all that is left to do is to end it. */
bool http_stream_put(struct http_stream *s, struct view bytes);
/* The client gets what was put, and the end; one that has been refused something is hung up on. s may be
 * NULL. */
void http_stream_end(struct http_stream *s);

/* Routes are tried in order; a path that ends with '*' stands for everything below. */
struct http_route {
    const char *method, *path;
    void (*handle)(void *app, const struct http_request *r);
};

struct http_settings {
    const char *listen;                    /* "127.0.0.1:8443", "[::1]:0" */
    const char *certificate, *private_key; /* PEM files */
    const char *client_ca;                 /* PEM file; NULL: no client certificates */
    unsigned connections_max, connections_per_peer_max;
    unsigned idle_timeout_s; /* after which a connection that says nothing is hung up on; 0: as is good */
};

/* why: a sentence. routes and app are borrowed for the server's life. */
enum err http_new(struct http **out, struct event_base *base, const struct http_settings *s,
                  const struct http_route *routes, size_t count, void *app, char *why,
                  size_t why_len) MUST_USE;
/* The port that is really listened on. */
unsigned http_port(const struct http *h);
/* How many requests wait for their reply. */
size_t http_due(const struct http *h);
/* Stops accepting; ends idle connections. */
void http_stop(struct http *h);
void http_free(struct http **h);

#endif
