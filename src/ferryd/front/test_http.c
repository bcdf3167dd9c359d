/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers that go on: a real server on loopback, and clients that leave, or do not read, at every moment. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include <curl/curl.h>
#include <event2/event.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "front/http.h"
#include "front/test_tls.h"
#include "store/test_support.h"

enum { STREAMS_MAX = 32, PIECE = 1000, PER_PEER = 4, PUMP_MS = 1, PATIENCE_MS = 20000 };

/* What the loop's thread does with its streams every few milliseconds. */
enum order { REST, DRIP, PUMP, END, STOP };

struct stream {
    struct server *server;
    struct http_stream *http; /* NULL: free */
};

struct server {
    struct test_folder folder;
    struct test_tls tls;
    struct event_base *base;
    struct event *pump_event, *stop_event;
    int stop_fd;
    struct http *http;
    pthread_t thread;
    struct stream streams[STREAMS_MAX];
    struct http_reply *late; /* a request that is answered by a stream when the order is DRIP */
    atomic_int order;
    atomic_uint begun, not_begun, closed, full, open, late_due;
};

/* ---- The loop's thread ------------------------------------------------------------------------------- */

static void on_closed(void *arg)
{
    struct stream *s = arg;
    s->http = NULL;
    s->server->open--;
    s->server->closed++;
}

static void begin(struct server *w, struct http_reply *reply)
{
    struct stream *s = w->streams;
    while (s->http != NULL)
        s++;
    s->server = w;
    w->open++; /* before: the client may look as soon as it has the headers */
    http_reply_header(reply, "X-Before", "yes");
    s->http = http_stream_begin(reply, "text/event-stream", on_closed, s);
    if (s->http == NULL) {
        w->open--;
        w->not_begun++;
    } else {
        w->begun++;
    }
}

static void route_stream(void *app, const struct http_request *r)
{
    begin(app, r->reply);
}

static void route_late(void *app, const struct http_request *r)
{
    struct server *w = app;
    w->late = r->reply;
    w->late_due = 1;
}

static void route_small(void *app, const struct http_request *r)
{
    (void)app;
    http_reply_send(r->reply, 200, "text/plain", view_str("small\n"));
}

/* Everything in the handler: an event and the end. */
static void route_short(void *app, const struct http_request *r)
{
    struct server *w = app;
    begin(w, r->reply);
    for (size_t n = 0; n < STREAMS_MAX; n++) {
        if (w->streams[n].http == NULL)
            continue;
        (void)http_stream_put(w->streams[n].http, view_str("all\n"));
        http_stream_end(w->streams[n].http);
        w->streams[n].http = NULL;
        w->open--;
    }
}

static void end_stream(struct stream *s)
{
    http_stream_end(s->http);
    s->http = NULL;
    s->server->open--;
}

static void pump(struct stream *s)
{
    uint8_t piece[PIECE];
    memset(piece, 'x', sizeof(piece));
    /* Less than the loop writes in a round: so it is refused only when the kernel takes nothing more either.
     */
    for (unsigned n = 0; n < 8 && s->http != NULL; n++) {
        if (!http_stream_put(s->http, VIEW_OF(piece))) {
            s->server->full++;
            end_stream(s);
        }
    }
}

static void on_pump(evutil_socket_t fd, short what, void *arg)
{
    struct server *w = arg;
    int order = w->order;
    (void)fd, (void)what;
    if (order == DRIP && w->late != NULL) {
        begin(w, w->late);
        w->late = NULL;
        w->late_due = 0;
    }
    for (size_t n = 0; n < STREAMS_MAX; n++) {
        if (w->streams[n].http != NULL && order == PUMP)
            pump(&w->streams[n]);
        else if (w->streams[n].http != NULL && order == DRIP)
            (void)http_stream_put(w->streams[n].http, view_str("drip"));
        else if (w->streams[n].http != NULL && order == END)
            end_stream(&w->streams[n]);
    }
    if (order == STOP)
        http_stop(w->http);
}

static void on_stop(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    event_base_loopbreak(((struct server *)arg)->base);
}

static void *loop(void *arg)
{
    event_base_dispatch(((struct server *)arg)->base);
    return NULL;
}

/* ---- The server -------------------------------------------------------------------------------------- */

static struct server *start(unsigned idle_timeout_s)
{
    static const struct http_route routes[] = {{"GET", "/stream", route_stream},
                                               {"GET", "/late", route_late},
                                               {"GET", "/short", route_short},
                                               {"GET", "/small", route_small}};
    const struct timeval every = {.tv_usec = PUMP_MS * 1000};
    char why[200] = "";
    struct server *w = calloc(1, sizeof(*w));
    test_folder_make(&w->folder);
    test_tls_make(&w->tls, w->folder.path);
    const struct http_settings settings = {.listen = "127.0.0.1:0",
                                           .certificate = w->tls.certificate,
                                           .private_key = w->tls.key,
                                           .connections_max = 64,
                                           .connections_per_peer_max = PER_PEER,
                                           .idle_timeout_s = idle_timeout_s};
    w->base = event_base_new();
    if (http_new(&w->http, w->base, &settings, routes, sizeof(routes) / sizeof(routes[0]), w, why,
                 sizeof(why)) != OK)
        fail_msg("%s", why);
    w->stop_fd = eventfd(0, EFD_CLOEXEC);
    w->pump_event = event_new(w->base, -1, EV_PERSIST, on_pump, w);
    w->stop_event = event_new(w->base, w->stop_fd, EV_READ, on_stop, w);
    assert_int_equal(event_add(w->pump_event, &every), 0);
    assert_int_equal(event_add(w->stop_event, NULL), 0);
    assert_int_equal(pthread_create(&w->thread, NULL, loop, w), 0);
    return w;
}

static void stop(struct server *w)
{
    uint64_t one = 1;
    assert_int_equal(write(w->stop_fd, &one, sizeof(one)), sizeof(one));
    assert_int_equal(pthread_join(w->thread, NULL), 0);
    event_free(w->pump_event);
    event_free(w->stop_event);
    unsigned open = w->open, closed = w->closed;
    http_free(&w->http);
    /* Whoever still listened was told of the end. */
    assert_int_equal(w->closed, closed + open);
    assert_int_equal(w->open, 0);
    (void)event_base_loop(w->base, EVLOOP_NONBLOCK);
    event_base_free(w->base);
    (void)close(w->stop_fd);
    test_tls_remove(&w->tls);
    test_folder_remove(&w->folder);
    free(w);
}

static void nap(void)
{
    const struct timespec t = {.tv_nsec = 2000000};
    (void)nanosleep(&t, NULL);
}

static void wait_until(const char *what, const atomic_uint *value, unsigned wanted)
{
    for (unsigned n = 0; n < PATIENCE_MS / 2 && *value != wanted; n++)
        nap();
    if (*value != wanted)
        fail_msg("%s: %u instead of %u", what, *value, wanted);
}

/* ---- Clients that do as they like -------------------------------------------------------------------- */

/* Little room in the kernel, so that what is not read stays with the server. */
static int small_buffer(void *arg, curl_socket_t fd, curlsocktype type)
{
    const int bytes = 4096;
    (void)arg, (void)type;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    return CURL_SOCKOPT_OK;
}

/* After the handshake; NULL when the server hangs up before. */
static CURL *connect_to(const struct server *w)
{
    char url[100];
    CURL *c = curl_easy_init();
    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/", http_port(w->http));
    curl_easy_setopt(c, CURLOPT_URL, url);
    test_tls_trust(&w->tls, c);
    curl_easy_setopt(c, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(c, CURLOPT_TIMEOUT, 20L);
    curl_easy_setopt(c, CURLOPT_SOCKOPTFUNCTION, small_buffer);
    if (curl_easy_perform(c) == CURLE_OK)
        return c;
    curl_easy_cleanup(c);
    return NULL;
}

static void send_text(CURL *c, const char *text)
{
    size_t sent = 0;
    assert_int_equal(curl_easy_send(c, text, strlen(text), &sent), CURLE_OK);
    assert_int_equal(sent, strlen(text));
}

/* A connection after the patience that a server needs to forget the ones before. */
static CURL *must_connect(const struct server *w)
{
    CURL *c = NULL;
    for (unsigned n = 0; n < PATIENCE_MS / 2 && c == NULL; n++) {
        c = connect_to(w);
        if (c == NULL)
            nap();
    }
    assert_non_null(c);
    return c;
}

static CURL *ask(const struct server *w, const char *path)
{
    char request[200];
    CURL *c = must_connect(w);
    (void)snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    send_text(c, request);
    return c;
}

struct heard {
    char text[64 * 1024];
    size_t len;
    bool over;
};

/* Reads until the text is there, or the end when it is NULL. */
static void hear(CURL *c, struct heard *h, const char *text)
{
    for (unsigned n = 0; n < PATIENCE_MS / 2 && !h->over; n++) {
        size_t got = 0;
        CURLcode code = curl_easy_recv(c, h->text + h->len, sizeof(h->text) - 1 - h->len, &got);
        h->len += got;
        h->text[h->len] = '\0';
        h->over = code != CURLE_AGAIN && (code != CURLE_OK || got == 0);
        if (text != NULL && strstr(h->text, text) != NULL)
            return;
        if (code == CURLE_AGAIN)
            nap();
    }
    if (text != NULL || !h->over)
        fail_msg("'%s' did not come: %s", text != NULL ? text : "the end", h->text);
}

/* Reads everything that is left: whether it ends as a whole answer does. */
static bool ends_as_a_whole(CURL *c)
{
    static const char last_chunk[] = "0\r\n\r\n";
    static char text[32 * 1024];
    size_t got = 0;
    bool whole = false, over = false;
    for (unsigned naps = 0; naps < PATIENCE_MS / 2 && !over;) {
        CURLcode code = curl_easy_recv(c, text, sizeof(text), &got);
        over = code != CURLE_AGAIN && (code != CURLE_OK || got == 0);
        if (code == CURLE_OK && got >= sizeof(last_chunk) - 1)
            whole = memcmp(text + got - sizeof(last_chunk) + 1, last_chunk, sizeof(last_chunk) - 1) == 0;
        if (code == CURLE_AGAIN) {
            nap();
            naps++;
        }
    }
    assert_true(over);
    return whole;
}

/* ---- Tests ------------------------------------------------------------------------------------------- */

static void a_stream_is_begun_goes_on_and_ends(void **state)
{
    (void)state;
    struct server *w = start(0);
    static struct heard h;
    memset(&h, 0, sizeof(h));
    CURL *c = ask(w, "/stream");
    hear(c, &h, "\r\n\r\n");
    assert_non_null(strstr(h.text, "HTTP/1.1 200"));
    assert_non_null(strstr(h.text, "Content-Type: text/event-stream\r\n"));
    assert_non_null(strstr(h.text, "X-Before: yes\r\n"));
    assert_non_null(strstr(h.text, "Cache-Control: no-store\r\n"));
    assert_non_null(strstr(h.text, "Connection: close\r\n"));
    assert_int_equal(w->open, 1);
    w->order = END;
    hear(c, &h, NULL);
    assert_non_null(strstr(h.text, "\r\n0\r\n\r\n"));
    assert_int_equal(w->closed, 0); /* who ends it knows */
    curl_easy_cleanup(c);
    w->order = REST;
    c = ask(w, "/short");
    memset(&h, 0, sizeof(h));
    hear(c, &h, NULL);
    assert_non_null(strstr(h.text, "\r\n4\r\nall\n\r\n0\r\n\r\n"));
    curl_easy_cleanup(c);
    stop(w);
}

static void a_client_may_leave_at_every_moment(void **state)
{
    (void)state;
    struct server *w = start(0);
    static const char request[] = "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n";
    static struct heard h;
    /* In the middle of its request. */
    for (size_t len = 1; len < sizeof(request) - 1; len += 5) {
        size_t sent = 0;
        CURL *c = must_connect(w);
        assert_int_equal(curl_easy_send(c, request, len, &sent), CURLE_OK);
        curl_easy_cleanup(c);
    }
    assert_int_equal(w->begun, 0);
    /* With it, before it has read anything; then with the headers; then while events come. */
    for (unsigned moment = 0; moment < 3; moment++) {
        w->order = moment == 2 ? DRIP : REST;
        CURL *c = ask(w, "/stream");
        memset(&h, 0, sizeof(h));
        if (moment > 0)
            hear(c, &h, "\r\n\r\n");
        if (moment == 2)
            hear(c, &h, "drip");
        curl_easy_cleanup(c);
        wait_until("open", &w->open, 0);
    }
    w->order = REST;
    /* While its answer is due: whether that is noticed at once is libevent's business. */
    unsigned tried = w->begun + w->not_begun;
    CURL *c = ask(w, "/late");
    wait_until("late", &w->late_due, 1);
    curl_easy_cleanup(c);
    w->order = DRIP;
    wait_until("late", &w->late_due, 0);
    wait_until("open", &w->open, 0);
    assert_int_equal(w->begun + w->not_begun, tried + 1);
    assert_int_equal(w->begun, w->closed); /* nobody was told twice, nobody forgotten */
    stop(w);
}

static void who_does_not_read_is_found_out_and_hung_up_on(void **state)
{
    (void)state;
    struct server *w = start(0);
    CURL *c[PER_PEER + 2];
    w->order = PUMP;
    /* More often than one peer may have connections: so each one really goes. */
    for (unsigned n = 1; n <= PER_PEER + 2; n++) {
        c[n - 1] = ask(w, "/stream");
        wait_until("full", &w->full, n);
        wait_until("open", &w->open, 0);
    }
    for (unsigned n = 0; n < PER_PEER + 2; n++) {
        assert_false(ends_as_a_whole(c[n]));
        curl_easy_cleanup(c[n]);
    }
    assert_int_equal(w->closed, 0);
    stop(w);
}

static void a_client_may_leave_with_data_waiting(void **state)
{
    (void)state;
    struct server *w = start(0);
    for (unsigned n = 0; n < 10; n++) {
        w->order = REST;
        CURL *c = ask(w, "/stream");
        wait_until("open", &w->open, 1);
        w->order = PUMP;
        nap();
        curl_easy_cleanup(c);
        wait_until("open", &w->open, 0);
    }
    assert_int_equal(w->begun, 10);
    stop(w);
}

/* What a client says on a stream is not read beyond a little, and is no request. */
static void a_stream_takes_no_more_requests(void **state)
{
    (void)state;
    struct server *w = start(0);
    static char text[20000];
    static struct heard h;
    memset(&h, 0, sizeof(h));
    memset(text, 'a', sizeof(text) - 1);
    CURL *c = ask(w, "/stream");
    hear(c, &h, "\r\n\r\n");
    send_text(c, "GET /small HTTP/1.1\r\nHost: x\r\n\r\n");
    send_text(c, text);
    w->order = END;
    hear(c, &h, NULL);
    assert_null(strstr(h.text, "small"));
    curl_easy_cleanup(c);
    /* One that says much and leaves is noticed when something is sent. */
    w->order = REST;
    c = ask(w, "/stream");
    memset(&h, 0, sizeof(h));
    hear(c, &h, "\r\n\r\n");
    send_text(c, text);
    curl_easy_cleanup(c);
    w->order = PUMP;
    wait_until("open", &w->open, 0);
    stop(w);
}

static void silence_does_not_end_a_stream(void **state)
{
    (void)state;
    struct server *w = start(1);
    static struct heard h, other;
    const struct timespec long_enough = {.tv_sec = 2, .tv_nsec = 500000000};
    memset(&h, 0, sizeof(h));
    memset(&other, 0, sizeof(other));
    CURL *c = ask(w, "/stream"), *idle = ask(w, "/small");
    hear(c, &h, "\r\n\r\n");
    hear(idle, &other, "small");
    (void)nanosleep(&long_enough, NULL);
    hear(idle, &other, NULL); /* this one was hung up on */
    assert_int_equal(w->open, 1);
    assert_int_equal(w->closed, 0);
    w->order = END;
    hear(c, &h, NULL);
    assert_non_null(strstr(h.text, "\r\n0\r\n\r\n"));
    curl_easy_cleanup(c);
    curl_easy_cleanup(idle);
    stop(w);
}

static void a_server_that_stops_ends_its_streams(void **state)
{
    (void)state;
    struct server *w = start(0);
    static struct heard h[3];
    CURL *c[3];
    memset(h, 0, sizeof(h));
    for (size_t n = 0; n < 3; n++) {
        c[n] = ask(w, "/stream");
        hear(c[n], &h[n], "\r\n\r\n");
    }
    w->order = STOP;
    wait_until("closed", &w->closed, 3);
    assert_int_equal(w->open, 0);
    for (size_t n = 0; n < 3; n++) {
        hear(c[n], &h[n], NULL);
        curl_easy_cleanup(c[n]);
    }
    stop(w);
    /* And one that is freed without being stopped: stop() looks. */
    w = start(0);
    memset(h, 0, sizeof(h));
    c[0] = ask(w, "/stream");
    hear(c[0], &h[0], "\r\n\r\n");
    assert_int_equal(w->open, 1);
    stop(w);
    curl_easy_cleanup(c[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_is_begun_goes_on_and_ends),
        cmocka_unit_test(a_client_may_leave_at_every_moment),
        cmocka_unit_test(who_does_not_read_is_found_out_and_hung_up_on),
        cmocka_unit_test(a_client_may_leave_with_data_waiting),
        cmocka_unit_test(a_stream_takes_no_more_requests),
        cmocka_unit_test(silence_does_not_end_a_stream),
        cmocka_unit_test(a_server_that_stops_ends_its_streams),
    };
    (void)signal(SIGPIPE, SIG_IGN); /* as the server does */
    curl_global_init(CURL_GLOBAL_DEFAULT);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
