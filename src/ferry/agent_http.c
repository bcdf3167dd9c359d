/* SPDX-License-Identifier: Apache-2.0
 *
 * evhttp, and what has to be known of it. */
#include "agent_http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

enum {
    HEADERS_MAX = 8192,
    IDLE_TIMEOUT_S = 150, /* longer than a question to the user stays open */
    PORT_TRIES = 8
};

struct agent_http {
    struct evhttp *evhttp;
    struct agent_place *place;
    struct evhttp_bound_socket *sockets[2];
    void (*handle)(void *arg, const struct agent_call *call);
    void *arg;
};

struct agent_reply {
    struct evhttp_request *request; /* NULL: nobody waits for it any more */
    char origin[AGENT_ORIGIN_MAX];  /* "": no page may read it */
};

/* ---- Answers ----------------------------------------------------------------------------------------- */

static void add_header(struct agent_reply *r, const char *name, const char *value)
{
    if (evhttp_add_header(evhttp_request_get_output_headers(r->request), name, value) != 0)
        return; /* no memory: a page that misses a header gets nothing to read */
}

static void add_common(struct agent_reply *r)
{
    add_header(r, "Cache-Control", "no-store");
    add_header(r, "X-Content-Type-Options", "nosniff");
    add_header(r, "Vary", "Origin");
    if (r->origin[0] != '\0')
        add_header(r, "Access-Control-Allow-Origin", r->origin);
}

static void put_json(struct agent_reply *r, json_t *body)
{
    char *text = json_dumps(body, JSON_COMPACT | JSON_PRESERVE_ORDER);
    struct evbuffer *out = evhttp_request_get_output_buffer(r->request);
    if (text != NULL && evbuffer_add(out, text, strlen(text)) == 0)
        add_header(r, "Content-Type", "application/json");
    free(text);
}

void agent_reply_send(struct agent_reply *r, int status, json_t *body)
{
    if (r->request != NULL) {
        evhttp_connection_set_closecb(evhttp_request_get_connection(r->request), NULL, NULL);
        add_common(r);
        if (body != NULL)
            put_json(r, body);
        evhttp_send_reply(r->request, status, NULL, NULL);
    }
    json_decref(body);
    free(r);
}

void agent_reply_refuse(struct agent_reply *r, const struct agent_refusal *why)
{
    agent_reply_send(r, why->status, json_pack("{s:s, s:s}", "error", why->error, "message", why->message));
}

/* What a browser asks before it sends a request of ours for a page (Fetch standard; Private Network Access).
 */
static void answer_preflight(struct agent_reply *r)
{
    add_header(r, "Access-Control-Allow-Methods", "POST");
    add_header(r, "Access-Control-Allow-Headers", "Content-Type, X-Ferry-Agent, X-Ferry-Pairing");
    add_header(r, "Access-Control-Allow-Private-Network", "true");
    add_header(r, "Access-Control-Max-Age", "600");
    agent_reply_send(r, 204, NULL);
}

/* ---- Requests ---------------------------------------------------------------------------------------- */

static const struct {
    enum evhttp_cmd_type command;
    const char *name;
} methods[] = {{EVHTTP_REQ_POST, "POST"},   {EVHTTP_REQ_OPTIONS, "OPTIONS"}, {EVHTTP_REQ_GET, "GET"},
               {EVHTTP_REQ_HEAD, "HEAD"},   {EVHTTP_REQ_PUT, "PUT"},         {EVHTTP_REQ_DELETE, "DELETE"},
               {EVHTTP_REQ_TRACE, "TRACE"}, {EVHTTP_REQ_CONNECT, "CONNECT"}, {EVHTTP_REQ_PATCH, "PATCH"}};
enum { METHODS = sizeof(methods) / sizeof(methods[0]) };

static const char *method_of(struct evhttp_request *request)
{
    enum evhttp_cmd_type command = evhttp_request_get_command(request);
    for (size_t i = 0; i < METHODS; i++)
        if (methods[i].command == command)
            return methods[i].name;
    return "?";
}

/* The header's value; twice counts against the request. */
static const char *header(struct evhttp_request *request, const char *name, bool *repeated)
{
    const struct evkeyval *h;
    const char *value = NULL;
    TAILQ_FOREACH(h, evhttp_request_get_input_headers(request), next)
    {
        if (strcasecmp(h->key, name) != 0)
            continue;
        *repeated |= value != NULL;
        value = h->value;
    }
    return value;
}

static void read_request(struct agent_request *out, struct evhttp_request *request, const char **pairing)
{
    bool repeated = false;
    *out = (struct agent_request){
        .method = method_of(request),
        .uri = evhttp_request_get_uri(request),
        .host = header(request, "Host", &repeated),
        .origin = header(request, "Origin", &repeated),
        .content_type = header(request, "Content-Type", &repeated),
        .agent = header(request, "X-Ferry-Agent", &repeated),
        .wants_method = header(request, "Access-Control-Request-Method", &repeated),
        .wants_headers = header(request, "Access-Control-Request-Headers", &repeated),
    };
    *pairing = header(request, "X-Ferry-Pairing", &repeated);
    out->repeated = repeated;
}

static void on_close(struct evhttp_connection *connection, void *arg)
{
    struct agent_reply *r = arg;
    (void)connection;
    r->request = NULL;
}

static void on_request(struct evhttp_request *request, void *arg)
{
    struct agent_http *h = arg;
    struct agent_request q;
    struct agent_refusal refusal;
    struct agent_call call = {.path = AGENT_HELLO};
    struct agent_reply *r = calloc(1, sizeof(*r));
    if (r == NULL) {
        evhttp_send_error(request, 503, NULL);
        return;
    }
    read_request(&q, request, &call.pairing);
    r->request = request;
    evhttp_connection_set_closecb(evhttp_request_get_connection(request), on_close, r);
    if (agent_may_read(h->place, &q))
        snprintf(r->origin, sizeof(r->origin), "%s", q.origin);
    if (!agent_gate(h->place, &q, &call.path, &refusal)) {
        agent_reply_refuse(r, &refusal);
        return;
    }
    if (strcmp(q.method, "OPTIONS") == 0) {
        answer_preflight(r);
        return;
    }
    struct evbuffer *in = evhttp_request_get_input_buffer(request);
    size_t len = evbuffer_get_length(in);
    call.body = view_of(len > 0 ? evbuffer_pullup(in, -1) : NULL, len);
    call.origin = r->origin;
    call.reply = r;
    h->handle(h->arg, &call);
}

/* ---- Sockets ----------------------------------------------------------------------------------------- */

static unsigned port_of(struct evhttp_bound_socket *s)
{
    struct sockaddr_in a = {0};
    socklen_t len = sizeof(a);
    if (getsockname(evhttp_bound_socket_get_fd(s), (struct sockaddr *)&a, &len) != 0)
        return 0;
    return ntohs(a.sin_port);
}

/* A machine without IPv6 is served by IPv4 alone. */
static bool has_ipv6(void)
{
    struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool has = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0;
    if (fd >= 0)
        close(fd);
    return has;
}

static enum err bind_both(struct agent_http *h, unsigned wanted)
{
    h->sockets[0] = evhttp_bind_socket_with_handle(h->evhttp, "127.0.0.1", (uint16_t)wanted);
    if (h->sockets[0] == NULL)
        return errno == EADDRINUSE ? ERR_EXISTS : ERR_IO;
    unsigned port = port_of(h->sockets[0]);
    if (has_ipv6()) {
        h->sockets[1] = evhttp_bind_socket_with_handle(h->evhttp, "::1", (uint16_t)port);
        if (h->sockets[1] == NULL) {
            evhttp_del_accept_socket(h->evhttp, h->sockets[0]);
            return errno == EADDRINUSE ? ERR_EXISTS : ERR_IO;
        }
    }
    h->place->port = port;
    return OK;
}

enum err agent_http_new(struct agent_http **out, struct event_base *base, struct agent_place *place,
                        void (*handle)(void *arg, const struct agent_call *call), void *arg)
{
    struct agent_http *h = calloc(1, sizeof(*h));
    ev_uint16_t allowed = 0;
    if (h == NULL)
        return ERR_MEMORY;
    *h = (struct agent_http){.evhttp = evhttp_new(base), .place = place, .handle = handle, .arg = arg};
    if (h->evhttp == NULL) {
        free(h);
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < METHODS; i++)
        allowed |= (ev_uint16_t)methods[i].command;
    evhttp_set_allowed_methods(h->evhttp, allowed); /* each is refused by a row of ours */
    evhttp_set_max_headers_size(h->evhttp, HEADERS_MAX);
    evhttp_set_max_body_size(h->evhttp, AGENT_BODY_MAX);
    evhttp_set_timeout(h->evhttp, IDLE_TIMEOUT_S);
    evhttp_set_gencb(h->evhttp, on_request, h);
    unsigned wanted = place->port;
    enum err e = bind_both(h, wanted);
    for (int n = 1; e == ERR_EXISTS && wanted == 0 && n < PORT_TRIES; n++)
        e = bind_both(h, wanted);
    if (e != OK) {
        evhttp_free(h->evhttp);
        free(h);
        return e;
    }
    *out = h;
    return OK;
}

void agent_http_stop(struct agent_http *h)
{
    for (size_t i = 0; i < 2; i++) {
        if (h->sockets[i] != NULL)
            evhttp_del_accept_socket(h->evhttp, h->sockets[i]);
        h->sockets[i] = NULL;
    }
}

void agent_http_free(struct agent_http **h)
{
    if (*h == NULL)
        return;
    evhttp_free((*h)->evhttp);
    free(*h);
    *h = NULL;
}
