/* SPDX-License-Identifier: Apache-2.0
 *
 * A server for tests of the administration: the real HTTP server on loopback with the real store, and a real
 * vault where the keeper would be; asked with libcurl from another thread. */
#ifndef FRONT_TEST_API_WORLD_H
#define FRONT_TEST_API_WORLD_H

#include <curl/curl.h>
#include <event2/event.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include <base/text.h>

#include "front/api.h"
#include "front/pages.h"
#include "front/page_api.h"
#include "front/test_tls.h"
#include "store/test_support.h"

/* Any token; the server is given its digest. */
#define TEST_TOKEN "dGVzdCB0b2tlbiBvZiB0aGUgYWRtaW5pc3RyYXRvcg"
enum { TEST_TEXT_MAX = 16 * 1024 * 1024, TEST_HEADERS_MAX = 6, TEST_WATCHERS_MAX = 3 };

struct test_world {
    struct test_folder folder;
    struct test_tls tls;
    char operator_certificate[256], operator_key[256];
    /* The loop's. */
    struct event_base *base;
    struct event *store_event, *stop_event;
    int stop_fd;
    struct store store;
    struct crypto *crypto;
    struct vault *vault;
    struct http *http;
    struct api *api;
    struct pages *pages;
    struct live *live;
    struct page_api page_api;
    struct config config; /* what pages are told */
    struct event *live_event;
    pthread_t thread;
    atomic_bool keeper_silent;
    atomic_uint_least64_t clock_ahead_ms, clock_stands_ms; /* stands: 0: it goes on */
    uint8_t token_digest[DIGEST_LEN];
    struct pages_setup pages_setup;
    /* The client's. */
    struct store beside; /* the same database, for rows that sessions would write */
    struct crypto *client_crypto;
    uint8_t import_key[32];
    CURL *curl;
    const char *token;                     /* NULL: none is sent */
    const char *coding;                    /* Accept-Encoding, undone by the client; NULL: none is sent */
    bool as_operator;                      /* with the client certificate */
    const char *headers[TEST_HEADERS_MAX]; /* more of them; NULL: none */
    long status;
    char *text;
    size_t text_len;
    json_t *json;                     /* NULL when the answer is none */
    char answered[8192], value[2048]; /* its headers as they came; the one that was asked for last */
};

static inline void test_need(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "the test cannot be set up: %s\n", what);
        abort();
    }
}

/* ---- the server ---- */

static inline void test_info(void *ctx, void (*done)(void *, enum err, const uint8_t[32]), void *arg)
{
    struct test_world *w = ctx;
    uint8_t key[32];
    vault_import_key(w->vault, key);
    done(arg, w->keeper_silent ? ERR_TIMEOUT : OK, key);
}

static inline void test_import(void *ctx, const struct key_attributes *a, struct view wrapped,
                               void (*done)(void *, enum err, struct view, uint8_t[3][3]), void *arg)
{
    struct test_world *w = ctx;
    struct writer sealed;
    uint8_t kcv[3][3] = {{0}};
    wr_heap(&sealed, SEALED_KEY_MAX);
    enum err e = w->keeper_silent ? ERR_CLOSED : vault_import(w->vault, a, wrapped, &sealed, kcv);
    done(arg, e, wr_view_of(&sealed), kcv);
    wr_free(&sealed);
}

static inline uint64_t test_now(void *ctx)
{
    struct test_world *w = ctx;
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    uint64_t now = (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
    return (w->clock_stands_ms > 0 ? w->clock_stands_ms : now) + w->clock_ahead_ms;
}

static inline void test_route(void *app, const struct http_request *r)
{
    api_handle(((struct test_world *)app)->api, r);
}

static inline void test_route_pages(void *app, const struct http_request *r)
{
    pages_get(((struct test_world *)app)->pages, r);
}

static inline void test_route_page(void *app, const struct http_request *r)
{
    page_api_handle(&((struct test_world *)app)->page_api, r);
}

static inline void test_on_live(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    live_tick(((struct test_world *)arg)->live);
}

static inline void test_on_store(evutil_socket_t fd, short what, void *arg)
{
    struct test_world *w = arg;
    (void)fd, (void)what;
    w->store.ops->dispatch(w->store.ctx);
}

static inline void test_on_stop(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    event_base_loopbreak(((struct test_world *)arg)->base);
}

static inline void *test_loop(void *arg)
{
    event_base_dispatch(((struct test_world *)arg)->base);
    return NULL;
}

/* A certificate that is its own authority, made by the tool that an operator would use. */
static inline void test_make_operator(const struct test_world *w)
{
    const char *const arguments[] = {"openssl",
                                     "req",
                                     "-x509",
                                     "-newkey",
                                     "ec",
                                     "-pkeyopt",
                                     "ec_paramgen_curve:P-256",
                                     "-nodes",
                                     "-keyout",
                                     w->operator_key,
                                     "-out",
                                     w->operator_certificate,
                                     "-subj",
                                     "/CN=operator",
                                     NULL};
    posix_spawn_file_actions_t quiet;
    pid_t pid = 0;
    int status = -1;
    test_need(posix_spawn_file_actions_init(&quiet) == 0 &&
                  posix_spawn_file_actions_addopen(&quiet, STDERR_FILENO, "/dev/null", O_WRONLY, 0) == 0 &&
                  posix_spawnp(&pid, arguments[0], &quiet, NULL, (char *const *)arguments, environ) == 0 &&
                  waitpid(pid, &status, 0) == pid && status == 0,
              "the operator's certificate");
    posix_spawn_file_actions_destroy(&quiet);
}

static inline void test_make_certificates(struct test_world *w)
{
    test_tls_make(&w->tls, w->folder.path);
    snprintf(w->operator_certificate, sizeof(w->operator_certificate), "%s/op.pem", w->folder.path);
    snprintf(w->operator_key, sizeof(w->operator_key), "%s/opkey.pem", w->folder.path);
    test_make_operator(w);
}

static inline void test_make_vault(struct test_world *w)
{
    struct secret kek = {.len = KEK_LEN};
    memset(kek.data, 0x4B, KEK_LEN);
    test_need(crypto_new(&w->crypto) == OK && crypto_new(&w->client_crypto) == OK &&
                  vault_new(&w->vault, w->crypto, crypto_random(), &kek) == OK,
              "vault");
    vault_import_key(w->vault, w->import_key);
}

/* The holder's side: a tick that is quick, so that a test need not wait for it. */
static inline void test_open_pages(struct test_world *w)
{
    const struct live_setup setup = {
        .random = crypto_random(), .clock = {test_now, w}, .watchers_max = TEST_WATCHERS_MAX};
    snprintf(w->config.public_url, sizeof(w->config.public_url), "https://cards.example.org:8443");
    test_need(live_new(&w->live, &setup) == OK, "live");
    w->page_api = (struct page_api){.store = &w->store,
                                    .live = w->live,
                                    .crypto = w->crypto,
                                    .clock = {test_now, w},
                                    .config = &w->config};
}

static inline void test_serve(struct test_world *w)
{
    static const struct http_route routes[] = {{"GET", "/health", test_route},
                                               {"GET", "/metrics", test_route},
                                               {"GET", "/api/v1/*", test_route},
                                               {"POST", "/api/v1/*", test_route},
                                               {"PUT", "/api/v1/*", test_route},
                                               {"DELETE", "/api/v1/*", test_route},
                                               {"GET", "/page/v1/*", test_route_page},
                                               {"POST", "/page/v1/*", test_route_page},
                                               {"POST", "/gp/progress", test_route_page},
                                               {"GET", "/", test_route_pages},
                                               {"GET", "/i", test_route_pages},
                                               {"GET", "/console", test_route_pages},
                                               {"GET", "/console/*", test_route_pages},
                                               {"GET", "/assets/*", test_route_pages},
                                               {"GET", "/download/*", test_route_pages},
                                               {"GET", "/licenses.txt", test_route_pages}};
    const struct timeval tick = {.tv_usec = 10000};
    char why[200] = "";
    struct view token = view_str(TEST_TOKEN);
    const struct http_settings settings = {.listen = "127.0.0.1",
                                           .certificate = w->tls.certificate,
                                           .private_key = w->tls.key,
                                           .client_ca = w->operator_certificate,
                                           .connections_max = 64,
                                           .connections_per_peer_max = 64};
    test_need(crypto_digest(w->crypto, DIGEST_SHA256, &token, 1, w->token_digest) == OK, "digest");
    const struct api_setup setup = {.store = &w->store,
                                    .keeper = {w, test_info, test_import},
                                    .crypto = w->crypto,
                                    .random = crypto_random(),
                                    .clock = {test_now, w},
                                    .public_url = "https://cards.example.org:8443",
                                    .admin_token = w->token_digest,
                                    .order_expiry_s = 3600,
                                    .allow_weak = 1U << WEAK_SCP02};
    test_need(api_new(&w->api, &setup) == OK, "api");
    test_need(pages_new(&w->pages, &w->pages_setup) == OK, "pages");
    test_open_pages(w);
    w->base = event_base_new();
    test_need(http_new(&w->http, w->base, &settings, routes, sizeof(routes) / sizeof(routes[0]), w, why,
                       sizeof(why)) == OK,
              why);
    w->stop_fd = eventfd(0, EFD_CLOEXEC);
    w->store_event =
        event_new(w->base, w->store.ops->event_fd(w->store.ctx), EV_READ | EV_PERSIST, test_on_store, w);
    w->stop_event = event_new(w->base, w->stop_fd, EV_READ, test_on_stop, w);
    w->live_event = event_new(w->base, -1, EV_PERSIST, test_on_live, w);
    test_need(event_add(w->live_event, &tick) == 0, "tick");
    test_need(event_add(w->store_event, NULL) == 0 && event_add(w->stop_event, NULL) == 0 &&
                  pthread_create(&w->thread, NULL, test_loop, w) == 0,
              "loop");
}

static inline struct test_world *test_world_open(const struct pages_setup *pages)
{
    struct test_world *w = calloc(1, sizeof(*w));
    w->pages_setup = *pages;
    test_folder_make(&w->folder);
    test_make_certificates(w);
    test_make_vault(w);
    test_need(store_open_sqlite(&w->store, w->folder.file) == OK &&
                  store_open_sqlite(&w->beside, w->folder.file) == OK,
              "store");
    test_serve(w);
    w->curl = curl_easy_init();
    w->token = TEST_TOKEN;
    w->text = malloc(TEST_TEXT_MAX);
    return w;
}

static inline void test_world_close(struct test_world *w)
{
    uint64_t one = 1;
    test_need(write(w->stop_fd, &one, sizeof(one)) == sizeof(one) && pthread_join(w->thread, NULL) == 0,
              "stopping");
    curl_easy_cleanup(w->curl);
    http_free(&w->http);
    w->beside.ops->close(w->beside.ctx);
    w->store.ops->close(w->store.ctx);
    api_free(&w->api);
    pages_free(&w->pages);
    page_api_finish(&w->page_api);
    live_free(&w->live);
    event_free(w->live_event);
    event_free(w->store_event);
    event_free(w->stop_event);
    event_base_free(w->base);
    close(w->stop_fd);
    vault_free(&w->vault);
    crypto_free(&w->crypto);
    crypto_free(&w->client_crypto);
    json_decref(w->json);
    free(w->text);
    test_tls_remove(&w->tls);
    unlink(w->operator_certificate);
    unlink(w->operator_key);
    test_folder_remove(&w->folder);
    free(w);
}

static inline int test_world_setup(void **state)
{
    const struct pages_setup none = {.client_package = ""};
    *state = test_world_open(&none);
    return 0;
}

static inline int test_world_teardown(void **state)
{
    test_world_close(*state);
    return 0;
}

/* ---- the client ---- */

static inline size_t test_take_body(char *data, size_t size, size_t count, void *arg)
{
    struct test_world *w = arg;
    size_t len = size * count;
    if (w->text_len + len >= TEST_TEXT_MAX)
        return 0;
    memcpy(w->text + w->text_len, data, len);
    w->text_len += len;
    w->text[w->text_len] = '\0';
    return len;
}

static inline size_t test_take_header(char *data, size_t size, size_t count, void *arg)
{
    struct test_world *w = arg;
    size_t len = strlen(w->answered);
    snprintf(w->answered + len, sizeof(w->answered) - len, "%.*s", (int)(size * count), data);
    return size * count;
}

/* A header of the answer, "" when it has none; valid until the next one is asked for. */
static inline const char *test_header(struct test_world *w, const char *name)
{
    size_t len = strlen(name);
    w->value[0] = '\0';
    for (const char *line = w->answered; *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n')
        if (strncasecmp(line, name, len) == 0 && strncmp(line + len, ": ", 2) == 0)
            snprintf(w->value, sizeof(w->value), "%.*s", (int)strcspn(line + len + 2, "\r\n"),
                     line + len + 2);
    return w->value;
}

/* Asks, and gives the status; the answer is in w->text and, where it is JSON, w->json. body may be NULL. */
static inline long test_ask_bytes(struct test_world *w, const char *method, const char *path,
                                  struct view body)
{
    char url[2048], header[256];
    struct curl_slist *headers = NULL;
    CURL *c = w->curl;
    snprintf(url, sizeof(url), "https://127.0.0.1:%u%s", http_port(w->http), path);
    json_decref(w->json);
    w->json = NULL;
    w->text_len = 0;
    w->text[0] = w->answered[0] = '\0';
    w->status = 0;
    curl_easy_reset(c);
    curl_easy_setopt(c, CURLOPT_URL, url);
    curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(c, CURLOPT_NOBODY, strcmp(method, "HEAD") == 0 ? 1L : 0L);
    test_tls_trust(&w->tls, c);
    curl_easy_setopt(c, CURLOPT_TIMEOUT, 30L);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, test_take_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, w);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, test_take_header);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, w);
    curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, w->coding);
    if (body.data != NULL) {
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, body.data);
        curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
        headers = curl_slist_append(headers, "Content-Type: application/json");
        headers = curl_slist_append(headers, "Expect:");
    }
    if (w->token != NULL) {
        snprintf(header, sizeof(header), "Authorization: Bearer %s", w->token);
        headers = curl_slist_append(headers, header);
    }
    for (size_t i = 0; i < TEST_HEADERS_MAX; i++)
        if (w->headers[i] != NULL)
            headers = curl_slist_append(headers, w->headers[i]);
    if (w->as_operator) {
        curl_easy_setopt(c, CURLOPT_SSLCERT, w->operator_certificate);
        curl_easy_setopt(c, CURLOPT_SSLKEY, w->operator_key);
        curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(c, CURLOPT_FORBID_REUSE, 1L);
    }
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
    CURLcode result = curl_easy_perform(c);
    if (result == CURLE_OK)
        curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &w->status);
    else
        fprintf(stderr, "%s %s: %s\n", method, path, curl_easy_strerror(result));
    curl_slist_free_all(headers);
    w->json = json_loadb(w->text, w->text_len, 0, NULL);
    return w->status;
}

static inline long test_ask(struct test_world *w, const char *method, const char *path, const char *body)
{
    return test_ask_bytes(w, method, path, body != NULL ? view_str(body) : VIEW_NULL);
}

static inline const char *test_text(const struct test_world *w, const char *field)
{
    const char *text = json_string_value(json_object_get(w->json, field));
    return text != NULL ? text : "";
}

static inline json_int_t test_number(const struct test_world *w, const char *field)
{
    return json_integer_value(json_object_get(w->json, field));
}

/* ---- things to administer ---- */

/* An application's body, with more fields behind: ", \"install\": [...]" or "". The caller frees it. */
static inline char *test_app_body(const char *name, const char *path, const char *more)
{
    static uint8_t file[1024 * 1024];
    struct writer w;
    FILE *f = fopen(path, "rb");
    test_need(f != NULL, path);
    size_t len = fread(file, 1, sizeof(file), f);
    fclose(f);
    wr_heap(&w, TEST_TEXT_MAX);
    wr_view(&w, view_str("{\"name\":\""));
    wr_view(&w, view_str(name));
    wr_view(&w, view_str("\",\"cap\":\""));
    base64url_put(&w, view_of(file, len));
    wr_view(&w, view_str("\""));
    wr_view(&w, view_str(more));
    wr_view(&w, view_str("}"));
    wr_u8(&w, 0);
    test_need(wr_ok(&w), "body");
    return (char *)w.data;
}

static inline long test_add_app(struct test_world *w, const char *name, const char *path, const char *more)
{
    char *body = test_app_body(name, path, more);
    long status = test_ask(w, "POST", "/api/v1/apps", body);
    free(body);
    return status;
}

/* A key's body: len bytes that count up from first, encrypted as attributes say (other: what they are said to
 * be in the encryption; NULL: the same). */
static inline void test_key_body(struct test_world *w, const struct key_attributes *a,
                                 const struct key_attributes *other, uint8_t first, char *out, size_t size)
{
    struct secret key = {.len = a->key_len};
    char text[2048];
    struct writer wrapped, encoded;
    for (size_t i = 0; i < key.len; i++)
        key.data[i] = (uint8_t)(first + i);
    wr_heap(&wrapped, 1024);
    test_need(vault_wrap_for_import(w->client_crypto, crypto_random(), w->import_key,
                                    other != NULL ? other : a, secret_view(&key), &wrapped) == OK,
              "wrapping");
    wr_fixed(&encoded, text, sizeof(text));
    base64url_put(&encoded, wr_view_of(&wrapped));
    wr_u8(&encoded, 0);
    wr_free(&wrapped);
    snprintf(
        out, size,
        "{\"name\":\"%s\",\"version\":%u,\"use\":\"%s\",\"type\":\"%s\",\"card\":\"%s\",\"wrapped\":\"%s\"}",
        a->name, a->version, key_use_name(a->use), a->type == KEY_AES ? "aes128" : "des3", a->card, text);
}

static inline long test_add_key(struct test_world *w, const char *name, uint32_t version, enum key_type type,
                                uint8_t first)
{
    char body[4096];
    struct key_attributes a = {.version = version, .use = KEY_USE_MASTER, .type = type, .key_len = 16};
    snprintf(a.name, sizeof(a.name), "%s", name);
    test_key_body(w, &a, NULL, first, body, sizeof(body));
    return test_ask(w, "POST", "/api/v1/keys", body);
}

static inline long test_add_type(struct test_world *w, const char *name, const char *more)
{
    char body[2048];
    snprintf(
        body, sizeof(body),
        "{\"name\":\"%s\",\"scp\":\"03\",\"i\":\"70\",\"kvn\":\"30\",\"key\":\"master\",\"kdf\":\"kdf3\"%s}",
        name, more);
    return test_ask(w, "POST", "/api/v1/types", body);
}

#endif
