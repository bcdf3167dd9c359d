/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP/1.1 over TLS on libevent: evhttp on OpenSSL bufferevents. What has to be known of it stands here
 * alone: how a deferred request outlives its connection, where connections are counted, and which TLS
 * settings matter. */
/* A type of OpenSSL has the name of one of our outcomes. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <assert.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#undef ERR_STATE

#include "front/http.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>

#include <base/log.h>

#include "front/metrics.h"

enum {
    /* A client may feed a card for a minute or two between two POSTs; it may also connect again. */
    IDLE_TIMEOUT_S = 150,
    PEER_TEXT = 64,    /* an IPv6 address with a zone */
    SUBJECT_TEXT = 64, /* X.520: a common name has at most 64 characters */
    CACHE_TEXT = 64,
    STREAM_READ_MAX = 4096,
    BUCKETS = 1024, /* of connections; chains stay short at 10,000 */
    LISTEN_BACKLOG = 511
};

LIST_HEAD(connection_list, connection);

/* An accepted connection. It belongs to its SSL object and goes with it: evhttp of this version tells nobody
 * when it accepts. */
struct connection {
    LIST_ENTRY(connection) all, by_peer;
    struct http *http;
    bool has_peer; /* in by_peer */
    char peer[PEER_TEXT];
    struct evhttp_connection *evcon; /* once a request came */
    struct http_reply *due;
    struct http_stream *stream;
};

struct http {
    struct event_base *base;
    struct evhttp *evhttp;
    struct evhttp_bound_socket *bound; /* owned by evhttp; NULL: no longer accepting */
    SSL_CTX *tls;
    const struct http_route *routes;
    size_t route_count;
    void *app;
    unsigned connections, connections_max, per_peer_max, port;
    int idle_timeout_s;
    bool full, stopping;
    struct connection_list all, by_peer[BUCKETS];
};

struct http_reply {
    struct connection *connection; /* NULL: the client has gone */
    struct evhttp_request *request;
    struct evkeyvalq query;
    char subject[SUBJECT_TEXT + 1];
    char cache[CACHE_TEXT]; /* "": nothing is for a cache */
};

struct http_stream {
    struct connection *connection; /* NULL: nobody hears it any more */
    struct evhttp_request *request;
    void (*closed)(void *arg);
    void *arg;
    bool refused; /* something: what the client has is no whole */
};

/* ---- Connections ------------------------------------------------------------------------------------- */

static int connection_index = -1; /* where SSL objects keep their connection */

static struct connection_list *peer_bucket(struct http *h, const char *peer)
{
    /* FNV-1a, as good as any: a peer can only fill a bucket with addresses that it has. */
    uint32_t hash = 2166136261U;
    for (; *peer != '\0'; peer++)
        hash = (hash ^ (uint8_t)*peer) * 16777619U;
    return &h->by_peer[hash % BUCKETS];
}

static unsigned peer_connections(struct http *h, const char *peer)
{
    struct connection *c;
    unsigned count = 0;
    LIST_FOREACH(c, peer_bucket(h, peer), by_peer)
    {
        count += strcmp(c->peer, peer) == 0;
    }
    return count;
}

/* At the limit the kernel keeps newcomers waiting in the backlog. */
static void accept_while_there_is_room(struct http *h)
{
    bool full = h->connections >= h->connections_max;
    if (h->bound == NULL || full == h->full)
        return;
    struct evconnlistener *listener = evhttp_bound_socket_get_listener(h->bound);
    h->full = full;
    if (full) {
        LOG(LOG_WARNING, "http.full", log_u64("connections", h->connections));
        (void)evconnlistener_disable(listener);
    } else {
        (void)evconnlistener_enable(listener);
    }
}

static void forget_reply(struct connection *c)
{
    if (c->due != NULL) {
        c->due->request = NULL;
        c->due->connection = NULL;
        c->due = NULL;
    }
}

/* Nobody hears the stream any more. Its owner is told; the memory is ours. */
static void lose_stream(struct connection *c)
{
    struct http_stream *s = c->stream;
    if (s == NULL)
        return;
    c->stream = NULL;
    s->closed(s->arg);
    free(s);
}

/* evhttp is about to free the connection. A request whose reply is still due is either freed with it or, when
 * reading had failed, was cut loose before: then it is ours to free. */
static void on_close(struct evhttp_connection *evcon, void *arg)
{
    struct connection *c = arg;
    (void)evcon;
    if (c->due != NULL && evhttp_request_get_connection(c->due->request) == NULL)
        evhttp_request_free(c->due->request);
    if (c->stream != NULL && evhttp_request_get_connection(c->stream->request) == NULL)
        evhttp_request_free(c->stream->request);
    forget_reply(c);
    lose_stream(c);
    c->evcon = NULL;
}

static void connection_unlink(struct connection *c)
{
    assert(c->http != NULL); /* it was linked */
    LIST_REMOVE(c, all);
    if (c->has_peer)
        LIST_REMOVE(c, by_peer);
    c->http->connections--;
    c->http = NULL;
}

/* The SSL object goes, and the connection with it. */
static void connection_free(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int index, long argl, void *argp)
{
    struct connection *c = ptr;
    (void)parent, (void)ad, (void)index, (void)argl, (void)argp;
    if (c == NULL)
        return;
    forget_reply(c);
    lose_stream(c);
    struct http *h = c->http;
    if (h != NULL) {
        connection_unlink(c);
        accept_while_there_is_room(h);
    }
    free(c);
}

static bool peer_text(int fd, char out[PEER_TEXT])
{
    struct sockaddr_storage sa = {0};
    socklen_t len = sizeof(sa);
    if (getpeername(fd, (struct sockaddr *)&sa, &len) != 0)
        return false;
    const void *address = sa.ss_family == AF_INET6 ? (const void *)&((struct sockaddr_in6 *)&sa)->sin6_addr
                                                   : (const void *)&((struct sockaddr_in *)&sa)->sin_addr;
    return evutil_inet_ntop(sa.ss_family, address, out, PEER_TEXT) != NULL;
}

/* The first byte of a handshake: the first moment at which the socket is known. A peer that has too many
 * connections is hung up on before it costs a key exchange. */
static void on_tls_info(const SSL *ssl, int where, int value)
{
    struct connection *c = SSL_get_ex_data(ssl, connection_index);
    (void)value;
    if (where != SSL_CB_HANDSHAKE_START || c == NULL || c->has_peer)
        return;
    struct http *h = c->http;
    int fd = SSL_get_fd(ssl);
    if (h == NULL || fd < 0)
        return;
    if (!peer_text(fd, c->peer) || peer_connections(h, c->peer) >= h->per_peer_max) {
        LOG(LOG_WARNING, "http.too-many", log_str("peer", c->peer));
        (void)shutdown(fd, SHUT_RDWR);
        return;
    }
    LIST_INSERT_HEAD(peer_bucket(h, c->peer), c, by_peer);
    c->has_peer = true;
}

/* NULL would make evhttp speak without TLS; on_request answers nobody who came that way. */
static struct bufferevent *new_bufferevent(struct event_base *base, void *arg)
{
    struct http *h = arg;
    struct bufferevent *bev = NULL;
    struct connection *c = calloc(1, sizeof(*c));
    SSL *ssl = c != NULL ? SSL_new(h->tls) : NULL;
    if (ssl == NULL || SSL_set_ex_data(ssl, connection_index, c) != 1)
        goto fail;
    c->http = h;
    LIST_INSERT_HEAD(&h->all, c, all);
    h->connections++;
    c = NULL; /* goes with ssl */
    bev = bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
    if (bev == NULL)
        goto fail;
    /* The length is in the header: an end without close_notify cuts nothing off unseen. */
    bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
    accept_while_there_is_room(h);
    return bev;
fail:
    SSL_free(ssl);
    free(c);
    LOG(LOG_ERROR, "http.accept-failed", log_err(ERR_MEMORY));
    return NULL;
}

/* ---- Requests ---------------------------------------------------------------------------------------- */

static const char *method_name(enum evhttp_cmd_type type)
{
    switch (type) {
    case EVHTTP_REQ_GET:
        return "GET";
    case EVHTTP_REQ_POST:
        return "POST";
    case EVHTTP_REQ_PUT:
        return "PUT";
    case EVHTTP_REQ_DELETE:
        return "DELETE";
    case EVHTTP_REQ_HEAD:
        return "HEAD";
    default:
        return "";
    }
}

static bool path_matches(const char *pattern, const char *path)
{
    size_t len = strlen(pattern);
    if (len > 0 && pattern[len - 1] == '*')
        return strncmp(pattern, path, len - 1) == 0;
    return strcmp(pattern, path) == 0;
}

/* HEAD is GET without the body (RFC 9110 9.3.2); who answers may still refuse it. */
static bool method_matches(const char *wanted, const char *method)
{
    return strcmp(wanted, strcmp(method, "HEAD") == 0 ? "GET" : method) == 0;
}

static const struct http_route *find_route(const struct http *h, const char *method, const char *path,
                                           bool *path_known)
{
    *path_known = false;
    for (size_t n = 0; n < h->route_count; n++) {
        if (!path_matches(h->routes[n].path, path))
            continue;
        *path_known = true;
        if (method_matches(h->routes[n].method, method))
            return &h->routes[n];
    }
    return NULL;
}

/* The common name of a client certificate that was verified, or "". A name with a NUL in it is none. */
static void read_subject(const SSL *ssl, char out[SUBJECT_TEXT + 1])
{
    X509 *certificate = SSL_get0_peer_certificate(ssl);
    out[0] = '\0';
    if (certificate == NULL || SSL_get_verify_result(ssl) != X509_V_OK)
        return;
    int len =
        X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, out, SUBJECT_TEXT + 1);
    if (len < 0 || strlen(out) != (size_t)len)
        out[0] = '\0';
}

/* Decoded; NULL when there is none or a NUL is in it. */
static char *read_path(struct evhttp_request *request)
{
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
    const char *raw = uri != NULL ? evhttp_uri_get_path(uri) : NULL;
    size_t len = 0;
    char *path = raw != NULL ? evhttp_uridecode(raw, 0, &len) : NULL;
    if (path != NULL && strlen(path) != len) {
        free(path);
        path = NULL;
    }
    return path;
}

static void reply_free(struct http_reply *r)
{
    evhttp_clear_headers(&r->query);
    if (r->connection != NULL)
        r->connection->due = NULL;
    free(r);
}

static void send_simple(struct http_reply *r, int status, const char *text)
{
    http_reply_send(r, status, "text/plain", view_str(text));
}

static void dispatch(struct http *h, struct http_reply *reply, struct http_request *request)
{
    bool path_known = false;
    const struct http_route *route = find_route(h, request->method, request->path, &path_known);
    if (route != NULL)
        route->handle(h->app, request);
    else if (path_known)
        send_simple(reply, 405, "This method is not possible here.\n");
    else
        send_simple(reply, 404, "There is nothing here.\n");
}

/* NULL: the connection is none of ours, or there is no memory. */
static struct http_reply *new_reply(struct evhttp_request *request)
{
    struct evhttp_connection *evcon = evhttp_request_get_connection(request);
    SSL *ssl = bufferevent_openssl_get_ssl(evhttp_connection_get_bufferevent(evcon));
    struct connection *c = ssl != NULL ? SSL_get_ex_data(ssl, connection_index) : NULL;
    struct http_reply *reply = c != NULL && c->has_peer ? calloc(1, sizeof(*reply)) : NULL;
    if (reply == NULL)
        return NULL;
    if (c->evcon == NULL)
        evhttp_connection_set_closecb(evcon, on_close, c);
    c->evcon = evcon;
    c->due = reply;
    reply->connection = c;
    reply->request = request;
    TAILQ_INIT(&reply->query);
    read_subject(ssl, reply->subject);
    return reply;
}

static void on_request(struct evhttp_request *request, void *arg)
{
    struct http *h = arg;
    struct http_reply *reply = new_reply(request);
    if (reply == NULL) {
        evhttp_send_error(request, 503, NULL);
        return;
    }
    char *path = read_path(request);
    const char *query = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(request));
    if (path == NULL || (query != NULL && evhttp_parse_query_str(query, &reply->query) != 0)) {
        send_simple(reply, 400, "The address is malformed.\n");
        free(path);
        return;
    }
    struct evbuffer *in = evhttp_request_get_input_buffer(request);
    size_t body_len = evbuffer_get_length(in);
    struct http_request r = {.method = method_name(evhttp_request_get_command(request)),
                             .path = path,
                             .body = view_of(body_len > 0 ? evbuffer_pullup(in, -1) : NULL, body_len),
                             .peer = reply->connection->peer,
                             .subject = reply->subject[0] != '\0' ? reply->subject : NULL,
                             .reply = reply};
    dispatch(h, reply, &r);
    free(path);
}

const char *http_header(const struct http_request *r, const char *name)
{
    return evhttp_find_header(evhttp_request_get_input_headers(r->reply->request), name);
}

const char *http_query(const struct http_request *r, const char *name)
{
    return evhttp_find_header(&r->reply->query, name);
}

size_t http_due(const struct http *h)
{
    const struct connection *c;
    size_t count = 0;
    LIST_FOREACH(c, &h->all, all)
    {
        /* cppcheck-suppress uninitvar */
        count += c->due != NULL;
    }
    return count;
}

void http_reply_header(struct http_reply *r, const char *name, const char *value)
{
    if (r == NULL || r->request == NULL)
        return;
    /* evhttp refuses a value that would begin a new header. */
    if (evhttp_add_header(evhttp_request_get_output_headers(r->request), name, value) != 0)
        LOG(LOG_ERROR, "http.bad-header", log_str("name", name));
}

void http_reply_cache(struct http_reply *r, const char *cache_control)
{
    if (r != NULL)
        (void)snprintf(r->cache, sizeof(r->cache), "%s", cache_control);
}

/* Tickets, scripts and administration: nothing of it is for a cache. */
static void common_headers(struct http_reply *r)
{
    http_reply_header(r, "Cache-Control", r->cache[0] != '\0' ? r->cache : "no-store");
    http_reply_header(r, "X-Content-Type-Options", "nosniff");
}

/* To HEAD only how long the body would be: evhttp of this version would send it. */
static bool add_body(struct http_reply *r, struct view body, bool lasting)
{
    struct evbuffer *out = evhttp_request_get_output_buffer(r->request);
    char length[24];
    if (evhttp_request_get_command(r->request) == EVHTTP_REQ_HEAD) {
        (void)snprintf(length, sizeof(length), "%zu", body.len);
        http_reply_header(r, "Content-Length", length);
        return true;
    }
    if (body.len == 0)
        return true;
    return (lasting ? evbuffer_add_reference(out, body.data, body.len, NULL, NULL)
                    : evbuffer_add(out, body.data, body.len)) == 0;
}

static void send_reply(struct http_reply *r, int status, const char *content_type, struct view body,
                       bool lasting)
{
    if (r == NULL)
        return;
    if (r->request == NULL) {
        reply_free(r);
        return;
    }
    if (!add_body(r, body, lasting))
        status = 503;
    if (body.len > 0 && content_type != NULL)
        http_reply_header(r, "Content-Type", content_type);
    common_headers(r);
    if (r->connection != NULL && r->connection->http != NULL && r->connection->http->stopping)
        http_reply_header(r, "Connection", "close");
    metrics_http(status);
    struct evhttp_request *request = r->request;
    reply_free(r);
    evhttp_send_reply(request, status, NULL, NULL);
}

void http_reply_send(struct http_reply *r, int status, const char *content_type, struct view body)
{
    send_reply(r, status, content_type, body, false);
}

void http_reply_send_lasting(struct http_reply *r, int status, const char *content_type, struct view body)
{
    send_reply(r, status, content_type, body, true);
}

/* ---- Streams ----------------------------------------------------------------------------------------- */

struct http_stream *http_stream_begin(struct http_reply *r, const char *content_type,
                                      void (*closed)(void *arg), void *arg)
{
    bool heard = r != NULL && r->request != NULL && r->connection != NULL && r->connection->http != NULL;
    struct http_stream *s = heard && !r->connection->http->stopping ? malloc(sizeof(*s)) : NULL;
    if (s == NULL) {
        http_reply_send(r, 503, NULL, VIEW_NULL);
        return NULL;
    }
    const struct timeval write_timeout = {.tv_sec = r->connection->http->idle_timeout_s};
    *s = (struct http_stream){
        .connection = r->connection, .request = r->request, .closed = closed, .arg = arg};
    http_reply_header(r, "Content-Type", content_type);
    http_reply_header(r, "Connection", "close");
    common_headers(r);
    metrics_http(200);
    reply_free(r);
    s->connection->stream = s;
    /* Its client only listens: that is no idleness, and what it says all the same is not kept. */
    struct bufferevent *bev = evhttp_connection_get_bufferevent(s->connection->evcon);
    (void)bufferevent_set_timeouts(bev, NULL, &write_timeout);
    bufferevent_setwatermark(bev, EV_READ, 0, STREAM_READ_MAX);
    evhttp_send_reply_start(s->request, 200, NULL);
    return s;
}

static size_t stream_waiting(const struct http_stream *s)
{
    struct bufferevent *bev = evhttp_connection_get_bufferevent(s->connection->evcon);
    return evbuffer_get_length(bufferevent_get_output(bev));
}

bool http_stream_put(struct http_stream *s, struct view bytes)
{
    struct evbuffer *chunk = stream_waiting(s) + bytes.len <= HTTP_STREAM_WAITING_MAX ? evbuffer_new() : NULL;
    bool good = chunk != NULL && evbuffer_add(chunk, bytes.data, bytes.len) == 0;
    if (good)
        evhttp_send_reply_chunk(s->request, chunk);
    if (chunk != NULL)
        evbuffer_free(chunk);
    s->refused = s->refused || !good;
    return good;
}

/* Otherwise one that does not read would keep its connection until the timeout. libevent learns of it in its
 * next round: this may be within a callback of the connection. */
static void hang_up(const struct http_stream *s)
{
    struct bufferevent *bev = evhttp_connection_get_bufferevent(s->connection->evcon);
    (void)shutdown(bufferevent_getfd(bev), SHUT_RDWR);
}

void http_stream_end(struct http_stream *s)
{
    if (s == NULL)
        return;
    if (s->refused)
        hang_up(s);
    s->connection->stream = NULL;
    evhttp_send_reply_end(s->request);
    free(s);
}

/* ---- TLS --------------------------------------------------------------------------------------------- */

static enum err problem(enum err e, char *why, size_t why_len, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static enum err problem(enum err e, char *why, size_t why_len, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(why, why_len, format, args);
    va_end(args);
    ERR_clear_error();
    return e;
}

static enum err tls_settings(SSL_CTX *tls)
{
    /* The order is the price list: X25519 and AES-128-GCM are the cheapest that are good. No tickets and no
     * cache: a client comes for one delivery. */
    bool good = SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) == 1 &&
                SSL_CTX_set1_groups_list(tls, "X25519:P-256:P-384") == 1 &&
                SSL_CTX_set_ciphersuites(tls, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                                              "TLS_CHACHA20_POLY1305_SHA256") == 1 &&
                SSL_CTX_set_cipher_list(tls, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
                SSL_CTX_set_num_tickets(tls, 0) == 1;
    SSL_CTX_set_options(tls, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_info_callback(tls, on_tls_info);
    return good ? OK : ERR_CRYPTO;
}

static enum err tls_client_certificates(SSL_CTX *tls, const char *client_ca)
{
    static const unsigned char context[] = "ferryd";
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(client_ca);
    if (names == NULL || SSL_CTX_load_verify_locations(tls, client_ca, NULL) != 1 ||
        SSL_CTX_set_session_id_context(tls, context, sizeof(context) - 1) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return ERR_IO;
    }
    SSL_CTX_set_client_CA_list(tls, names);
    /* Optional: a card holder has none. One that is shown must be good. */
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
    return OK;
}

static enum err tls_open(struct http *h, const struct http_settings *s, char *why, size_t why_len)
{
    h->tls = SSL_CTX_new(TLS_server_method());
    if (h->tls == NULL || tls_settings(h->tls) != OK)
        return problem(ERR_CRYPTO, why, why_len, "TLS can't be set up");
    if (SSL_CTX_use_certificate_chain_file(h->tls, s->certificate) != 1)
        return problem(ERR_IO, why, why_len, "the certificate %s can't be used", s->certificate);
    if (SSL_CTX_use_PrivateKey_file(h->tls, s->private_key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(h->tls) != 1)
        return problem(ERR_IO, why, why_len, "the private key %s can't be used with the certificate",
                       s->private_key);
    if (s->client_ca != NULL && tls_client_certificates(h->tls, s->client_ca) != OK)
        return problem(ERR_IO, why, why_len, "the authority %s can't be used", s->client_ca);
    return OK;
}

/* ---- Life -------------------------------------------------------------------------------------------- */

static enum err listen_on(struct http *h, const char *address, char *why, size_t why_len)
{
    struct sockaddr_storage sa = {0};
    int len = sizeof(sa);
    const int one = 1;
    char text[80];
    size_t text_len = strlen(address);
    /* libevent takes no port 0 but by leaving it out. */
    if (text_len > 2 && strcmp(address + text_len - 2, ":0") == 0)
        text_len -= 2;
    if (text_len >= sizeof(text))
        return problem(ERR_ARGUMENT, why, why_len, "%s is not an address and port", address);
    memcpy(text, address, text_len);
    text[text_len] = '\0';
    if (evutil_parse_sockaddr_port(text, (struct sockaddr *)&sa, &len) != 0)
        return problem(ERR_ARGUMENT, why, why_len, "%s is not an address and port", address);
    struct evconnlistener *listener = evconnlistener_new_bind(
        h->base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE,
        LISTEN_BACKLOG, (struct sockaddr *)&sa, len);
    if (listener == NULL)
        return problem(ERR_IO, why, why_len, "%s can't be listened on: %s", address,
                       evutil_socket_error_to_string(evutil_socket_geterror(-1)));
    /* Accepted sockets inherit it. Without it a reply waits for a delayed ACK: 44 ms. */
    int fd = evconnlistener_get_fd(listener);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    h->bound = evhttp_bind_listener(h->evhttp, listener);
    if (h->bound == NULL) {
        evconnlistener_free(listener);
        return problem(ERR_MEMORY, why, why_len, "out of memory");
    }
    socklen_t sa_len = sizeof(sa);
    if (getsockname(fd, (struct sockaddr *)&sa, &sa_len) == 0)
        h->port = sa.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&sa)->sin6_port)
                                           : ntohs(((struct sockaddr_in *)&sa)->sin_port);
    return OK;
}

enum err http_new(struct http **out, struct event_base *base, const struct http_settings *s,
                  const struct http_route *routes, size_t count, void *app, char *why, size_t why_len)
{
    struct http *h = calloc(1, sizeof(*h));
    enum err e = ERR_MEMORY;
    if (h == NULL || (h->evhttp = evhttp_new(base)) == NULL) {
        (void)snprintf(why, why_len, "out of memory");
        goto out;
    }
    if (connection_index < 0)
        connection_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, connection_free);
    LIST_INIT(&h->all);
    h->base = base;
    h->routes = routes;
    h->route_count = count;
    h->app = app;
    h->connections_max = s->connections_max;
    h->per_peer_max = s->connections_per_peer_max;
    h->idle_timeout_s = s->idle_timeout_s > 0 ? (int)s->idle_timeout_s : IDLE_TIMEOUT_S;
    evhttp_set_max_headers_size(h->evhttp, HTTP_HEADERS_MAX);
    evhttp_set_max_body_size(h->evhttp, HTTP_BODY_MAX);
    evhttp_set_timeout(h->evhttp, h->idle_timeout_s);
    evhttp_set_default_content_type(h->evhttp, NULL);
    evhttp_set_allowed_methods(h->evhttp, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST |
                                              EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE);
    evhttp_set_gencb(h->evhttp, on_request, h);
    evhttp_set_bevcb(h->evhttp, new_bufferevent, h);
    e = tls_open(h, s, why, why_len);
    if (e == OK)
        e = listen_on(h, s->listen, why, why_len);
out:
    if (e != OK)
        http_free(&h);
    else
        *out = h;
    return e;
}

unsigned http_port(const struct http *h)
{
    return h->port;
}

/* Connections that have asked before and wait for no reply. */
static void end_idle(struct http *h)
{
    struct connection *c = LIST_FIRST(&h->all), *next;
    for (; c != NULL; c = next) {
        next = LIST_NEXT(c, all);
        if (c->evcon != NULL && c->due == NULL)
            evhttp_connection_free(c->evcon);
    }
}

void http_stop(struct http *h)
{
    if (h->stopping)
        return;
    h->stopping = true;
    if (h->bound != NULL)
        evhttp_del_accept_socket(h->evhttp, h->bound);
    h->bound = NULL;
    end_idle(h);
}

void http_free(struct http **h)
{
    if (*h == NULL)
        return;
    if ((*h)->evhttp != NULL)
        evhttp_free((*h)->evhttp);
    /* libevent finishes with the SSL objects in the next round of its loop. */
    while (!LIST_EMPTY(&(*h)->all)) {
        struct connection *c = LIST_FIRST(&(*h)->all);
        forget_reply(c);
        lose_stream(c);
        connection_unlink(c);
    }
    SSL_CTX_free((*h)->tls);
    free(*h);
    *h = NULL;
}
