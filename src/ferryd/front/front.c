/* SPDX-License-Identifier: Apache-2.0
 *
 * The front's parts, put together around one event loop: HTTP, dialogue, administration, store, keeper. */
#include "front/front.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include <base/log.h>
#include <base/text.h>
#include <vault/serve.h>

#include "front/api.h"
#include "front/dialogue.h"
#include "front/live.h"
#include "front/page_api.h"
#include "front/pages.h"

enum {
    STOP_POLL_MS = 20,
    LIVE_TICK_S = 1,
    SWEEP_S = 60,        /* and never longer than the timeout of a session */
    STOP_MAX_MS = 10000, /* the supervisor waits longer than that */
    TOKEN_FILE_MAX = 256 /* 64 digits, and a line's end */
};

struct front {
    const struct front_setup *setup;
    struct event_base *base;
    struct http *http;
    struct store store;
    struct keeper_client *keeper;
    struct crypto *crypto;
    struct api *api;
    struct live *live;
    struct page_api page_api;
    struct pages *pages;
    struct dialogue dialogue;
    struct event *store_event, *control_event, *stop_event, *sweep_event, *live_event;
    uint8_t admin_token[DIGEST_LEN];
    bool has_admin_token, stopping, failed;
    unsigned stop_waited_ms;
};

/* ---- Sources ----------------------------------------------------------------------------------------- */

static uint64_t now_ms(void *ctx)
{
    struct timespec t = {0};
    (void)ctx;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Never set, and never back: for what only measures how long something lasted. */
static uint64_t steady_ms(void *ctx)
{
    struct timespec t = {0};
    (void)ctx;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- The administration's keeper --------------------------------------------------------------------- */

struct info_call {
    void (*done)(void *arg, enum err e, const uint8_t import_key[32]);
    void *arg;
};

static void info_done(void *arg, enum err e, struct view reply)
{
    struct info_call *call = arg;
    uint8_t import_key[32] = {0};
    if (e == OK)
        e = vault_get_info(reply, import_key);
    call->done(call->arg, e, import_key);
    free(call);
}

static void ask_info(void *ctx, void (*done)(void *arg, enum err e, const uint8_t import_key[32]), void *arg)
{
    static const uint8_t none[32];
    struct front *f = ctx;
    uint8_t memory[16];
    struct writer w;
    struct info_call *call = malloc(sizeof(*call));
    wr_fixed(&w, memory, sizeof(memory));
    enum err e = call != NULL ? vault_put_info(&w) : ERR_MEMORY;
    if (e == OK) {
        *call = (struct info_call){done, arg};
        e = keeper_client_ask(f->keeper, wr_view_of(&w), info_done, call);
    }
    if (e != OK) {
        free(call);
        done(arg, e, none);
    }
}

struct import_call {
    void (*done)(void *arg, enum err e, struct view sealed, uint8_t kcv[3][3]);
    void *arg;
};

static void import_done(void *arg, enum err e, struct view reply)
{
    struct import_call *call = arg;
    uint8_t kcv[3][3] = {{0}};
    struct writer sealed;
    wr_heap(&sealed, SEALED_KEY_MAX);
    if (e == OK)
        e = vault_get_import(reply, &sealed, kcv);
    call->done(call->arg, e, wr_view_of(&sealed), kcv);
    wr_free(&sealed);
    free(call);
}

static void ask_import(void *ctx, const struct key_attributes *a, struct view wrapped,
                       void (*done)(void *arg, enum err e, struct view sealed, uint8_t kcv[3][3]), void *arg)
{
    struct front *f = ctx;
    uint8_t none[3][3] = {{0}};
    struct writer w;
    struct import_call *call = malloc(sizeof(*call));
    wr_heap(&w, KEEPER_FRAME_MAX);
    enum err e = call != NULL ? vault_put_import(&w, a, wrapped) : ERR_MEMORY;
    if (e == OK) {
        *call = (struct import_call){done, arg};
        e = keeper_client_ask(f->keeper, wr_view_of(&w), import_done, call);
    }
    wr_free(&w);
    if (e != OK) {
        free(call);
        done(arg, e, VIEW_NULL, none);
    }
}

/* ---- Routes ------------------------------------------------------------------------------------------ */

static void route_dialogue(void *app, const struct http_request *r)
{
    dialogue_post(&((struct front *)app)->dialogue, r);
}

static void route_profile_b(void *app, const struct http_request *r)
{
    dialogue_post_b(&((struct front *)app)->dialogue, r);
}

static void route_api(void *app, const struct http_request *r)
{
    api_handle(((struct front *)app)->api, r);
}

static void route_page(void *app, const struct http_request *r)
{
    page_api_handle(&((struct front *)app)->page_api, r);
}

static void route_static(void *app, const struct http_request *r)
{
    pages_get(((struct front *)app)->pages, r);
}

static const struct http_route routes[] = {
    {"POST", "/gp/adm", route_dialogue},  {"POST", "/ram/*", route_profile_b},
    {"GET", "/health", route_api},        {"GET", "/metrics", route_api},
    {"GET", "/api/v1/*", route_api},      {"POST", "/api/v1/*", route_api},
    {"PUT", "/api/v1/*", route_api},      {"DELETE", "/api/v1/*", route_api},
    {"GET", "/page/v1/*", route_page},    {"POST", "/page/v1/*", route_page},
    {"POST", "/gp/progress", route_page}, {"GET", "/", route_static},
    {"GET", "/i", route_static},          {"GET", "/console", route_static},
    {"GET", "/console/*", route_static},  {"GET", "/assets/*", route_static},
    {"GET", "/download/*", route_static}, {"GET", "/licenses.txt", route_static},
};

/* ---- Stopping ---------------------------------------------------------------------------------------- */

static void poll_stop(evutil_socket_t fd, short what, void *arg)
{
    struct front *f = arg;
    (void)fd, (void)what;
    f->stop_waited_ms += STOP_POLL_MS;
    bool idle = f->dialogue.under_way == 0 && http_due(f->http) == 0;
    if (idle || f->stop_waited_ms >= STOP_MAX_MS || f->failed)
        (void)event_base_loopbreak(f->base);
}

/* No new requests; those that are under way are answered. */
static void begin_stop(struct front *f)
{
    const struct timeval every = {.tv_usec = STOP_POLL_MS * 1000};
    if (f->stopping)
        return;
    f->stopping = true;
    LOG(LOG_INFO, "front.stopping", log_u64("under_way", f->dialogue.under_way));
    http_stop(f->http);
    if (event_add(f->stop_event, &every) != 0)
        (void)event_base_loopbreak(f->base);
}

static void on_control(evutil_socket_t fd, short what, void *arg)
{
    struct front *f = arg;
    char byte;
    (void)what;
    if (read((int)fd, &byte, 1) == 1)
        return;
    (void)event_del(f->control_event);
    begin_stop(f);
}

static void on_keeper_gone(void *arg)
{
    struct front *f = arg;
    if (!f->stopping) /* otherwise the supervisor is stopping both */
        f->failed = true;
    begin_stop(f);
}

static void on_store(evutil_socket_t fd, short what, void *arg)
{
    struct front *f = arg;
    (void)fd, (void)what;
    f->store.ops->dispatch(f->store.ctx);
}

/* ---- Life -------------------------------------------------------------------------------------------- */

static enum err read_admin_token(struct front *f)
{
    const char *path = f->setup->config->admin_token_file;
    uint8_t memory[TOKEN_FILE_MAX];
    struct writer text, digest;
    if (path[0] == '\0')
        return OK;
    wr_fixed(&text, memory, sizeof(memory));
    wr_fixed(&digest, f->admin_token, sizeof(f->admin_token));
    enum err e = config_read_file(path, sizeof(memory), &text);
    if (e == OK) {
        while (text.len > 0 && (memory[text.len - 1] == '\n' || memory[text.len - 1] == '\r'))
            text.len--;
        e = hex_read(wr_view_of(&text), &digest);
    }
    if (e == OK && digest.len != DIGEST_LEN)
        e = ERR_FORMAT;
    f->has_admin_token = e == OK;
    if (e != OK)
        LOG(LOG_ERROR, "front.admin-token", log_str("file", path), log_err(e));
    return e;
}

static void client_progress(void *ctx, const char *session, uint32_t *done, uint32_t *total)
{
    (void)live_progress_of(((struct front *)ctx)->live, session, done, total);
}

static enum err open_api(struct front *f)
{
    const struct config *c = f->setup->config;
    const struct api_setup setup = {.store = &f->store,
                                    .keeper = {.ctx = f, .info = ask_info, .import = ask_import},
                                    .crypto = f->crypto,
                                    .random = crypto_random(),
                                    .clock = {.now_ms = now_ms},
                                    .public_url = c->public_url,
                                    .admin_token = f->has_admin_token ? f->admin_token : NULL,
                                    .order_expiry_s = c->order_expiry_s,
                                    .progress = {.ctx = f, .get = client_progress},
                                    .allow_weak = c->allow_weak};
    return api_new(&f->api, &setup);
}

static enum err open_http(struct front *f)
{
    const struct config *c = f->setup->config;
    char why[300] = "";
    const struct http_settings settings = {.listen = c->listen,
                                           .certificate = c->certificate,
                                           .private_key = c->private_key,
                                           .client_ca = c->client_ca[0] != '\0' ? c->client_ca : NULL,
                                           .connections_max = c->connections_max,
                                           .connections_per_peer_max = c->connections_per_peer_max};
    enum err e = http_new(&f->http, f->base, &settings, routes, sizeof(routes) / sizeof(routes[0]), f, why,
                          sizeof(why));
    if (e != OK)
        LOG(LOG_ERROR, "front.http", log_str("why", why), log_err(e));
    return e;
}

static void on_sweep(evutil_socket_t fd, short what, void *arg)
{
    struct front *f = arg;
    (void)fd, (void)what;
    if (!f->stopping)
        dialogue_sweep(&f->dialogue, false);
}

static void on_live(evutil_socket_t fd, short what, void *arg)
{
    struct front *f = arg;
    (void)fd, (void)what;
    live_tick(f->live);
}

static enum err add_events(struct front *f)
{
    unsigned timeout_s = f->setup->config->session_timeout_s;
    const struct timeval every = {.tv_sec = timeout_s > 0 && timeout_s < SWEEP_S ? timeout_s : SWEEP_S};
    const struct timeval tick = {.tv_sec = LIVE_TICK_S};
    f->store_event =
        event_new(f->base, f->store.ops->event_fd(f->store.ctx), EV_READ | EV_PERSIST, on_store, f);
    f->control_event = event_new(f->base, f->setup->control_fd, EV_READ | EV_PERSIST, on_control, f);
    f->stop_event = event_new(f->base, -1, EV_PERSIST, poll_stop, f);
    f->sweep_event = event_new(f->base, -1, EV_PERSIST, on_sweep, f);
    f->live_event = event_new(f->base, -1, EV_PERSIST, on_live, f);
    if (f->store_event == NULL || f->control_event == NULL || f->stop_event == NULL ||
        f->sweep_event == NULL || f->live_event == NULL)
        return ERR_MEMORY;
    if (event_add(f->sweep_event, &every) != 0 || event_add(f->store_event, NULL) != 0 ||
        event_add(f->control_event, NULL) != 0 || event_add(f->live_event, &tick) != 0)
        return ERR_IO;
    return OK;
}

/* Half of the connections are for deliveries, however many watch. */
static enum err open_live(struct front *f)
{
    const struct live_setup setup = {.random = crypto_random(),
                                     .clock = {.now_ms = steady_ms},
                                     .watchers_max = f->setup->config->connections_max / 2};
    f->page_api = (struct page_api){
        .store = &f->store, .crypto = f->crypto, .clock = {.now_ms = now_ms}, .config = f->setup->config};
    enum err e = live_new(&f->live, &setup);
    f->page_api.live = f->live;
    return e;
}

static enum err open_pages(struct front *f)
{
    const struct config *c = f->setup->config;
    const struct pages_setup setup = {.assets = web_assets,
                                      .count = web_asset_count,
                                      .agent_port = c->agent_port,
                                      .client_package = c->client_package};
    enum err e = pages_new(&f->pages, &setup);
    if (e != OK)
        LOG(LOG_ERROR, "front.client-package", log_str("file", c->client_package), log_err(e));
    return e;
}

static enum err front_open(struct front *f)
{
    enum err e = ERR_MEMORY;
    f->base = event_base_new();
    if (f->base == NULL)
        return e;
    if ((e = crypto_new(&f->crypto)) != OK || (e = read_admin_token(f)) != OK ||
        (e = store_open_sqlite(&f->store, f->setup->config->store)) != OK ||
        (e = keeper_client_new(&f->keeper, f->base, f->setup->keeper_fd, on_keeper_gone, f)) != OK ||
        (e = open_live(f)) != OK || (e = open_pages(f)) != OK)
        return e;
    f->dialogue = (struct dialogue){.base = f->base,
                                    .store = &f->store,
                                    .keeper = f->keeper,
                                    .crypto = f->crypto,
                                    .random = crypto_random(),
                                    .clock = {.now_ms = now_ms},
                                    .live = f->live,
                                    .session_timeout_s = f->setup->config->session_timeout_s,
                                    .allow_weak = f->setup->config->allow_weak};
    if ((e = open_api(f)) != OK || (e = open_http(f)) != OK)
        return e;
    return add_events(f);
}

static void event_finish(struct event **e)
{
    if (*e != NULL)
        event_free(*e);
    *e = NULL;
}

/* What is still under way is called off by those who would have called back; replies of clients that are gone
 * end quietly. */
static void front_close(struct front *f)
{
    event_finish(&f->live_event);
    event_finish(&f->sweep_event);
    event_finish(&f->stop_event);
    event_finish(&f->control_event);
    event_finish(&f->store_event);
    http_free(&f->http);
    pages_free(&f->pages);
    keeper_client_free(&f->keeper);
    if (f->store.ops != NULL)
        f->store.ops->close(f->store.ctx);
    api_free(&f->api);
    page_api_finish(&f->page_api);
    live_free(&f->live); /* after the store's completions, which still tell it */
    world_cache_finish(&f->dialogue.cache);
    crypto_free(&f->crypto);
    if (f->base != NULL) {
        (void)event_base_loop(f->base, EVLOOP_NONBLOCK); /* what libevent finishes later */
        event_base_free(f->base);
    }
    wipe(f->admin_token, sizeof(f->admin_token));
}

int front_run(const struct front_setup *setup)
{
    struct front f = {.setup = setup};
    (void)signal(SIGPIPE, SIG_IGN); /* a client that leaves while it is written to must not end the process */
    enum err e = front_open(&f);
    if (e == OK) {
        if (setup->ready != NULL)
            setup->ready(setup->arg, http_port(f.http));
        dialogue_sweep(&f.dialogue, true);
        (void)event_base_dispatch(f.base);
    } else {
        LOG(LOG_ERROR, "front.start", log_err(e));
    }
    bool good = e == OK && !f.failed;
    front_close(&f);
    LOG(LOG_INFO, "front.stopped", log_str("graceful", good ? "yes" : "no"));
    return good ? 0 : 1;
}
