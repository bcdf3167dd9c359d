/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTPS to the server, on libcurl: one connection that is kept, certificates and names verified, TLS 1.2 or
 * better, no redirects, no proxies from the environment, bounded answers. */
#ifndef FERRY_REMOTE_H
#define FERRY_REMOTE_H

#include <base/bytes.h>
#include <base/limits.h>

enum { HEADER_VALUE_MAX = 1024, REMOTE_HEADERS_MAX = 8 };

struct remote;

struct remote_settings {
    const char *ca;          /* PEM file of authorities; NULL: the system's */
    const char *certificate; /* client certificate and key, PEM; NULL: none */
    const char *private_key;
    long timeout_s; /* for one request */
    /* Called at least twice a second while a request is under way; false gives the request up (ERR_CLOSED).
     * May be NULL. */
    bool (*idle)(void *arg);
    void *arg;
};

/* Strings are borrowed for the remote's life. */
enum err remote_new(struct remote **out, const struct remote_settings *s) MUST_USE;
void remote_free(struct remote **r);

struct remote_request {
    const char *method, *url;
    const char *headers[REMOTE_HEADERS_MAX + 1]; /* "Name: value", ended by NULL */
    const char *content_type;                    /* NULL: none */
    struct view body;
};

/* A header of the answer that was asked for by name. */
struct remote_header {
    const char *name;
    char value[HEADER_VALUE_MAX]; /* "" when absent */
};

struct remote_answer {
    long status;
    struct writer body;
    struct remote_header *wanted;
    size_t wanted_count;
    char problem[256]; /* when the result is not OK: a sentence for people */
};

/* Whatever HTTP status comes is OK. ERR_CLOSED: server not reached or gone; ERR_AUTH: its certificate is not
 * right; ERR_TIMEOUT; ERR_LIMIT: the answer is too long. The caller sets wanted and frees body (wr_free) in
 * any case. */
enum err remote_ask(struct remote *r, const struct remote_request *q, struct remote_answer *out) MUST_USE;

#endif
