/* SPDX-License-Identifier: Apache-2.0
 *
 * What the HTTP server lets in: TLS versions, sizes, numbers of connections, and clients that leave in the
 * middle. */
#include "world.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static void still_serves(struct front_world *w)
{
    struct exchange x;
    front_begin(w, "install", &x);
    assert_int_equal(x.status, 200);
    exchange_finish(&x);
}

static int connect_plain(const struct front_world *w)
{
    const struct sockaddr_in sa = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)w->port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&sa, sizeof(sa)), 0);
    const struct timeval timeout = {.tv_sec = 5};
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    return fd;
}

static void no_request_is_answered_without_tls(void **state)
{
    static const char request[] = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n";
    struct front_world w;
    char answer[100] = "";
    (void)state;
    front_world_open_hello(&w);
    int fd = connect_plain(&w);
    assert_int_equal(write(fd, request, sizeof(request) - 1), sizeof(request) - 1);
    ssize_t n = read(fd, answer, sizeof(answer) - 1);
    assert_true(n <= 0 || strstr(answer, "HTTP/") == NULL);
    (void)close(fd);
    still_serves(&w);
    front_world_close(&w);
}

/* Asks /health in a given way; the status, 0 when there is none. */
static long health(struct front_world *w, long max_version, const char *curves, const char *more)
{
    char url[100];
    long status = 0;
    struct exchange x = {0};
    CURL *c = curl_easy_init();
    struct curl_slist *headers = more != NULL ? curl_slist_append(NULL, more) : NULL;
    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/health", w->port);
    curl_easy_setopt(c, CURLOPT_URL, url);
    test_tls_trust(&w->tls, c);
    curl_easy_setopt(c, CURLOPT_TIMEOUT, 10L);
    curl_easy_setopt(c, CURLOPT_NOBODY, 0L);
    if (max_version != 0)
        curl_easy_setopt(c, CURLOPT_SSLVERSION, max_version);
    if (max_version == (CURL_SSLVERSION_TLSv1_0 | CURL_SSLVERSION_MAX_TLSv1_1))
        curl_easy_setopt(c, CURLOPT_SSL_CIPHER_LIST, "DEFAULT@SECLEVEL=0");
    if (curves != NULL)
        curl_easy_setopt(c, CURLOPT_SSL_EC_CURVES, curves);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
    FILE *sink = fopen("/dev/null", "wb");
    curl_easy_setopt(c, CURLOPT_WRITEDATA, sink);
    if (curl_easy_perform(c) == CURLE_OK)
        curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    (void)fclose(sink);
    curl_slist_free_all(headers);
    curl_easy_cleanup(c);
    exchange_finish(&x);
    return status;
}

static void tls_versions(void **state)
{
    static const struct {
        const char *name;
        long version, status;
    } rows[] = {
        {"1.1", CURL_SSLVERSION_TLSv1_0 | CURL_SSLVERSION_MAX_TLSv1_1, 0},
        {"1.2", CURL_SSLVERSION_TLSv1_2 | CURL_SSLVERSION_MAX_TLSv1_2, 200},
        {"1.3", CURL_SSLVERSION_TLSv1_3 | CURL_SSLVERSION_MAX_TLSv1_3, 200},
    };
    struct front_world w;
    (void)state;
    front_world_open_hello(&w);
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        long got = health(&w, rows[n].version, NULL, NULL);
        if (got != rows[n].status)
            fail_msg("TLS %s: %ld", rows[n].name, got);
    }
    front_world_close(&w);
}

static void sizes_are_bounded(void **state)
{
    struct front_world w;
    (void)state;
    front_world_open_hello(&w);
    char *header = malloc(HTTP_HEADERS_MAX + 100);
    assert_non_null(header);
    memset(header, 'a', HTTP_HEADERS_MAX + 50);
    memcpy(header, "X-Long: ", 8);
    header[HTTP_HEADERS_MAX + 50] = '\0';
    long status = health(&w, 0, NULL, header);
    if (status == 200)
        fail_msg("a header of %d bytes was taken", HTTP_HEADERS_MAX);
    free(header);

    struct exchange x;
    uint8_t *body = calloc(1, HTTP_BODY_MAX + 1);
    assert_non_null(body);
    const struct question q = {.method = "POST",
                               .path = "/gp/adm?t=install",
                               .protocol = "globalplatform-remote-admin/1.0",
                               .body = {body, HTTP_BODY_MAX + 1}};
    front_ask(&w, &q, &x);
    assert_true(x.status == 413 || x.status == 0);
    exchange_finish(&x);
    free(body);
    still_serves(&w);
    front_world_close(&w);
}

enum { MANY = 12 }; /* more than connections_per_peer_max of the world */

static void one_peer_has_so_many_connections(void **state)
{
    struct front_world w;
    CURL *many[MANY];
    unsigned served = 0;
    (void)state;
    front_world_open_hello(&w);
    for (size_t n = 0; n < MANY; n++) {
        char url[100];
        long status = 0;
        many[n] = curl_easy_init();
        (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/health", w.port);
        curl_easy_setopt(many[n], CURLOPT_URL, url);
        test_tls_trust(&w.tls, many[n]);
        curl_easy_setopt(many[n], CURLOPT_TIMEOUT, 10L);
        FILE *sink = fopen("/dev/null", "wb");
        curl_easy_setopt(many[n], CURLOPT_WRITEDATA, sink);
        if (curl_easy_perform(many[n]) == CURLE_OK)
            curl_easy_getinfo(many[n], CURLINFO_RESPONSE_CODE, &status);
        served += status == 200;
        (void)fclose(sink);
    }
    assert_int_equal(served, 8);
    for (size_t n = 0; n < MANY; n++)
        curl_easy_cleanup(many[n]); /* they hang up */
    (void)usleep(200000);
    still_serves(&w);
    front_world_close(&w);
}

/* A client that sends a request and is gone before its answer: the effect stays, the server too. */
static void clients_may_leave(void **state)
{
    struct front_world w;
    (void)state;
    front_world_open_hello(&w);
    for (unsigned n = 0; n < 30; n++) {
        CURL *c = curl_easy_init();
        char url[100];
        struct curl_slist *headers =
            curl_slist_append(NULL, "X-Admin-Protocol: globalplatform-remote-admin/1.0");
        (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/gp/adm?t=install", w.port);
        curl_easy_setopt(c, CURLOPT_URL, url);
        test_tls_trust(&w.tls, c);
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, "");
        curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)(1 + n));
        FILE *sink = fopen("/dev/null", "wb");
        curl_easy_setopt(c, CURLOPT_WRITEDATA, sink);
        (void)curl_easy_perform(c);
        (void)fclose(sink);
        curl_slist_free_all(headers);
        curl_easy_cleanup(c);
        int fd = connect_plain(&w);
        (void)close(fd);
    }
    still_serves(&w);
    assert_int_equal(front_stop(&w), 0);
    front_world_close(&w);
}

/* Asked to stop it hangs up on the idle and goes. */
static void an_idle_connection_does_not_hold_the_server(void **state)
{
    struct front_world w;
    (void)state;
    front_world_open_hello(&w);
    still_serves(&w); /* w.curl keeps its connection */
    int fd = connect_plain(&w);
    assert_int_equal(front_stop(&w), 0);
    (void)close(fd);
    front_world_close(&w);
}

int main(int argc, char **argv)
{
    int code = 0;
    if (front_child(argc, argv, &code))
        return code;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_request_is_answered_without_tls),
        cmocka_unit_test(tls_versions),
        cmocka_unit_test(sizes_are_bounded),
        cmocka_unit_test(one_peer_has_so_many_connections),
        cmocka_unit_test(clients_may_leave),
        cmocka_unit_test(an_idle_connection_does_not_hold_the_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
