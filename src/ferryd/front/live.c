/* SPDX-License-Identifier: Apache-2.0
 *
 * Visits in the order of their last use, found by name and by session; events go to whoever watches them. */
#include "front/live.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <base/log.h>
#include <base/secret.h>

#include "front/metrics.h"

enum {
    NAME_BUCKETS = 4096, /* chains of two or three when all visits are there */
    PEER_BUCKETS = 4096, /* strangers that share one share its allowance */
    EVENT_MAX = 4096     /* the longest: a detail of 400 bytes, each escaped as six */
};

struct live_watcher {
    TAILQ_ENTRY(live_watcher) all;
    struct live *live;
    struct visit *visit;
    struct live_sink sink; /* put NULL: not started */
    uint64_t told_ms;      /* when something was sent last */
};

TAILQ_HEAD(watcher_list, live_watcher);

struct visit {
    LIST_ENTRY(visit) by_name, by_session;
    TAILQ_ENTRY(visit) by_use;
    uint8_t name[VISIT_LEN], ticket_digest[DIGEST_LEN];
    char order[ID_TEXT + 1];
    uint64_t used_ms;
    struct watcher_list watchers;
    size_t watcher_count;
    /* What the client said last. */
    struct progress client;
    bool has_client, client_waits;
    uint64_t client_told_ms;
    /* The session that was heard of last; "": none. */
    char session[ID_TEXT + 1], step[WORD_MAX + 1];
    uint32_t commands;
    bool begun_here; /* with this visit's ticket: so the client that reports is the session's */
    char outcome[WORD_MAX + 1], reason[WORD_MAX + 1], detail[DETAIL_MAX + 1];
};

LIST_HEAD(visit_list, visit);
TAILQ_HEAD(visit_queue, visit);

struct live {
    struct live_setup setup;
    struct visit_list by_name[NAME_BUCKETS], by_session[NAME_BUCKETS];
    struct visit_queue by_use; /* the first: not used for longest */
    struct live_count count;
    uint32_t salt;
    struct peer {
        uint64_t at_ms, busy_ms; /* what is not yet paid off */
    } peers[PEER_BUCKETS];
};

static uint64_t now_ms(const struct live *l)
{
    return l->setup.clock.now_ms(l->setup.clock.ctx);
}

enum err live_new(struct live **out, const struct live_setup *setup)
{
    uint8_t salt[4];
    struct reader r;
    struct live *l = calloc(1, sizeof(*l));
    if (l == NULL)
        return ERR_MEMORY;
    enum err e = setup->random.fill(setup->random.ctx, salt, sizeof(salt));
    if (e != OK) {
        free(l);
        return e;
    }
    rd_init(&r, VIEW_OF(salt));
    l->setup = *setup;
    l->salt = rd_u32(&r);
    TAILQ_INIT(&l->by_use);
    *out = l;
    return OK;
}

struct live_count live_count(const struct live *l)
{
    return l->count;
}

/* ---- Tables ------------------------------------------------------------------------------------------ */

/* FNV-1a with a start that nobody outside knows. */
static uint32_t hash_of(const struct live *l, struct view v)
{
    uint32_t hash = 2166136261U ^ l->salt;
    for (size_t i = 0; i < v.len; i++)
        hash = (hash ^ v.data[i]) * 16777619U;
    return hash;
}

static struct visit_list *name_bucket(struct live *l, const uint8_t name[VISIT_LEN])
{
    return &l->by_name[hash_of(l, view_of(name, VISIT_LEN)) % NAME_BUCKETS];
}

static const struct visit_list *session_bucket(const struct live *l, const char *session)
{
    return &l->by_session[hash_of(l, view_str(session)) % NAME_BUCKETS];
}

/* Whoever watches uses it. */
static bool is_over(const struct visit *v, uint64_t now)
{
    return v->watcher_count == 0 && now >= v->used_ms + VISIT_IDLE_MS;
}

static struct visit *find_visit(struct live *l, const char *text)
{
    uint8_t name[VISIT_LEN];
    struct visit *v;
    if (visit_read(text, name) != OK)
        return NULL;
    LIST_FOREACH(v, name_bucket(l, name), by_name)
    {
        if (secret_equal(VIEW_OF(v->name), VIEW_OF(name)))
            /* cppcheck-suppress uninitvar */
            return is_over(v, now_ms(l)) ? NULL : v;
    }
    return NULL;
}

static void touch(struct live *l, struct visit *v, uint64_t now)
{
    TAILQ_REMOVE(&l->by_use, v, by_use);
    TAILQ_INSERT_TAIL(&l->by_use, v, by_use);
    v->used_ms = now;
}

static void set_session(struct live *l, struct visit *v, const char *session)
{
    if (strcmp(v->session, session) == 0)
        return;
    if (v->session[0] != '\0')
        LIST_REMOVE(v, by_session);
    (void)snprintf(v->session, sizeof(v->session), "%s", session);
    LIST_INSERT_HEAD(&l->by_session[hash_of(l, view_str(session)) % NAME_BUCKETS], v, by_session);
    v->step[0] = v->outcome[0] = v->reason[0] = v->detail[0] = '\0';
    v->begun_here = false;
    v->client.done = v->client.total = 0; /* of the session before */
}

static void watcher_free(struct live_watcher *w)
{
    TAILQ_REMOVE(&w->visit->watchers, w, all);
    w->visit->watcher_count--;
    w->live->count.watchers--;
    free(w);
}

static void visit_free(struct live *l, struct visit *v)
{
    struct live_watcher *w = TAILQ_FIRST(&v->watchers), *next;
    for (; w != NULL; w = next) {
        next = TAILQ_NEXT(w, all);
        watcher_free(w);
    }
    LIST_REMOVE(v, by_name);
    if (v->session[0] != '\0')
        LIST_REMOVE(v, by_session);
    TAILQ_REMOVE(&l->by_use, v, by_use);
    l->count.visits--;
    wipe(v, sizeof(*v));
    free(v);
}

void live_free(struct live **l)
{
    if (*l == NULL)
        return;
    struct visit *v = TAILQ_FIRST(&(*l)->by_use), *next;
    for (; v != NULL; v = next) {
        next = TAILQ_NEXT(v, by_use);
        visit_free(*l, v);
    }
    free(*l);
    *l = NULL;
}

/* ---- Events ------------------------------------------------------------------------------------------ */

static void end_watcher(struct live_watcher *w)
{
    struct live_sink sink = w->sink;
    watcher_free(w);
    if (sink.put != NULL)
        sink.end(sink.ctx);
}

/* False: the watcher is no more. */
static bool put(struct live_watcher *w, struct view bytes, uint64_t now)
{
    if (w->sink.put == NULL)
        return true;
    if (w->sink.put(w->sink.ctx, bytes)) {
        w->told_ms = now;
        return true;
    }
    LOG(LOG_INFO, "live.slow", log_str("order", w->visit->order));
    end_watcher(w);
    return false;
}

/* One event of text/event-stream (HTML, 9.2.5); takes over j. Nothing when there is no memory. */
static void event_put(struct writer *w, const char *kind, json_t *j)
{
    char *text = j != NULL ? json_dumps(j, JSON_COMPACT) : NULL;
    json_decref(j);
    if (text == NULL)
        return;
    wr_view(w, view_str("event: "));
    wr_view(w, view_str(kind));
    wr_view(w, view_str("\ndata: "));
    wr_view(w, view_str(text));
    wr_view(w, view_str("\n\n"));
    free(text);
}

static void client_put(struct writer *w, const struct visit *v)
{
    const struct progress *p = &v->client;
    if (v->has_client)
        event_put(w, "client",
                  json_pack("{s:s,s:s,s:s,s:I,s:I}", "stage", stage_word(p->stage), "reader", p->reader,
                            "card", p->card, "done", (json_int_t)p->done, "total", (json_int_t)p->total));
}

static void session_put(struct writer *w, const struct visit *v)
{
    if (v->step[0] != '\0')
        event_put(w, "session",
                  json_pack("{s:s,s:s,s:I}", "session", v->session, "step", v->step, "commands",
                            (json_int_t)v->commands));
}

static void end_put(struct writer *w, const struct visit *v)
{
    if (v->outcome[0] != '\0')
        event_put(w, "end",
                  json_pack("{s:s,s:s,s:s,s:s}", "session", v->session, "outcome", v->outcome, "reason",
                            v->reason, "detail", v->detail));
}

/* An event to everybody who watches. */
static void tell(struct live *l, struct visit *v, void (*what)(struct writer *w, const struct visit *v))
{
    struct writer event;
    struct live_watcher *w = TAILQ_FIRST(&v->watchers), *next;
    if (w == NULL)
        return;
    uint64_t now = now_ms(l);
    wr_heap(&event, EVENT_MAX);
    what(&event, v);
    for (; w != NULL && wr_ok(&event) && event.len > 0; w = next) {
        next = TAILQ_NEXT(w, all);
        (void)put(w, wr_view_of(&event), now);
    }
    wr_free(&event);
}

/* ---- Visits ------------------------------------------------------------------------------------------ */

/* IPv6: the network that an address is in, as whoever has one address has them all. */
static struct view peer_name(const char *peer, struct in6_addr *memory)
{
    if (inet_pton(AF_INET6, peer, memory) == 1)
        return view_head(view_of(memory, sizeof(*memory)), 8);
    return view_str(peer);
}

/* A leaky bucket: each visit makes the address busy for a while, and it may be so for a minute. */
bool live_peer_may(struct live *l, const char *peer)
{
    struct in6_addr memory;
    struct peer *p = &l->peers[hash_of(l, peer_name(peer, &memory)) % PEER_BUCKETS];
    uint64_t now = now_ms(l), passed = now > p->at_ms ? now - p->at_ms : 0;
    p->at_ms = now;
    p->busy_ms = p->busy_ms > passed ? p->busy_ms - passed : 0;
    if (p->busy_ms + PEER_VISIT_MS > (uint64_t)PEER_VISITS_AT_ONCE * PEER_VISIT_MS)
        return false;
    p->busy_ms += PEER_VISIT_MS;
    return true;
}

/* False: all are watched. */
static bool make_room(struct live *l)
{
    struct visit *v;
    if (l->count.visits < VISITS_MAX)
        return true;
    TAILQ_FOREACH(v, &l->by_use, by_use)
    {
        /* cppcheck-suppress uninitvar */
        if (v->watcher_count == 0) {
            visit_free(l, v);
            return true;
        }
    }
    return false;
}

enum err live_visit_add(struct live *l, const char *order, const uint8_t ticket_digest[DIGEST_LEN],
                        char visit[VISIT_TEXT + 1])
{
    if (!make_room(l))
        return ERR_LIMIT;
    struct visit *v = calloc(1, sizeof(*v));
    enum err e = v != NULL ? l->setup.random.fill(l->setup.random.ctx, v->name, sizeof(v->name)) : ERR_MEMORY;
    if (e != OK) {
        free(v);
        return e;
    }
    (void)snprintf(v->order, sizeof(v->order), "%s", order);
    memcpy(v->ticket_digest, ticket_digest, DIGEST_LEN);
    TAILQ_INIT(&v->watchers);
    v->used_ms = now_ms(l);
    LIST_INSERT_HEAD(name_bucket(l, v->name), v, by_name);
    TAILQ_INSERT_TAIL(&l->by_use, v, by_use);
    l->count.visits++;
    visit_write(v->name, visit);
    return OK;
}

static void tell_client(struct live *l, struct visit *v, uint64_t now)
{
    v->client_waits = false;
    v->client_told_ms = now;
    tell(l, v, client_put);
}

enum err live_progress(struct live *l, const char *visit, const uint8_t ticket_digest[DIGEST_LEN],
                       const struct progress *p)
{
    struct visit *v = find_visit(l, visit);
    uint64_t now = now_ms(l);
    if (v == NULL || !secret_equal(VIEW_OF(v->ticket_digest), view_of(ticket_digest, DIGEST_LEN)))
        return ERR_NOT_FOUND;
    bool urgent = !v->has_client || v->client.stage != p->stage;
    touch(l, v, now);
    v->client = *p;
    v->has_client = true;
    v->client_waits = true;
    if (urgent || now >= v->client_told_ms + PROGRESS_EVERY_MS)
        tell_client(l, v, now);
    return OK;
}

/* ---- Sessions ---------------------------------------------------------------------------------------- */

static void take_session(struct visit *v, const struct live_session *s)
{
    if (s->outcome[0] != '\0') {
        (void)snprintf(v->outcome, sizeof(v->outcome), "%s", s->outcome);
        (void)snprintf(v->reason, sizeof(v->reason), "%s", s->reason);
        (void)snprintf(v->detail, sizeof(v->detail), "%s", s->detail);
    } else {
        (void)snprintf(v->step, sizeof(v->step), "%s", s->step);
        v->commands = s->commands;
    }
}

void live_session(struct live *l, const char *visit, const struct live_session *s)
{
    struct visit *v = l != NULL ? find_visit(l, visit) : NULL;
    if (l == NULL)
        return;
    if (v != NULL && strcmp(v->order, s->order) == 0) {
        touch(l, v, now_ms(l));
        set_session(l, v, s->id);
        v->begun_here = true;
    }
    LIST_FOREACH(v, session_bucket(l, s->id), by_session)
    {
        if (strcmp(v->session, s->id) != 0)
            continue;
        take_session(v, s);
        tell(l, v, s->outcome[0] != '\0' ? end_put : session_put);
    }
}

void live_follow(struct live *l, const char *visit, const struct live_session *s)
{
    struct visit *v = find_visit(l, visit);
    if (v == NULL)
        return;
    set_session(l, v, s->id);
    take_session(v, s);
}

bool live_progress_of(const struct live *l, const char *session, uint32_t *done, uint32_t *total)
{
    const struct visit *v;
    *done = *total = 0;
    LIST_FOREACH(v, session_bucket(l, session), by_session)
    {
        /* cppcheck-suppress uninitvar */
        if (v->begun_here && v->has_client && strcmp(v->session, session) == 0) {
            *done = v->client.done;
            *total = v->client.total;
            return true;
        }
    }
    return false;
}

/* ---- Watchers ---------------------------------------------------------------------------------------- */

enum err live_watch(struct live *l, const char *visit, struct live_watcher **out)
{
    struct visit *v = find_visit(l, visit);
    if (v == NULL)
        return ERR_NOT_FOUND;
    if (v->watcher_count == WATCHERS_PER_VISIT_MAX)
        end_watcher(TAILQ_FIRST(&v->watchers));
    if (l->count.watchers >= l->setup.watchers_max)
        return ERR_LIMIT;
    struct live_watcher *w = calloc(1, sizeof(*w));
    if (w == NULL)
        return ERR_MEMORY;
    *w = (struct live_watcher){.live = l, .visit = v};
    TAILQ_INSERT_TAIL(&v->watchers, w, all);
    v->watcher_count++;
    l->count.watchers++;
    touch(l, v, now_ms(l));
    *out = w;
    return OK;
}

void live_watcher_start(struct live_watcher *w, struct live_sink sink)
{
    struct writer known;
    wr_heap(&known, 3 * EVENT_MAX);
    client_put(&known, w->visit);
    session_put(&known, w->visit);
    end_put(&known, w->visit);
    w->sink = sink;
    w->told_ms = now_ms(w->live);
    if (wr_ok(&known) && known.len > 0)
        (void)put(w, wr_view_of(&known), w->told_ms);
    wr_free(&known);
}

void live_watcher_gone(struct live_watcher *w)
{
    watcher_free(w);
}

/* ---- Time -------------------------------------------------------------------------------------------- */

static void heartbeats(struct visit *v, uint64_t now)
{
    struct live_watcher *w = TAILQ_FIRST(&v->watchers), *next;
    for (; w != NULL; w = next) {
        next = TAILQ_NEXT(w, all);
        if (now >= w->told_ms + HEARTBEAT_MS)
            (void)put(w, view_str(":\n\n"), now);
    }
}

static void end_old_visits(struct live *l, uint64_t now)
{
    struct visit *v = TAILQ_FIRST(&l->by_use), *next;
    for (; v != NULL && now >= v->used_ms + VISIT_IDLE_MS; v = next) {
        next = TAILQ_NEXT(v, by_use);
        if (is_over(v, now))
            visit_free(l, v);
        else
            touch(l, v, now);
    }
}

void live_tick(struct live *l)
{
    uint64_t now = now_ms(l);
    struct visit *v;
    TAILQ_FOREACH(v, &l->by_use, by_use)
    {
        /* cppcheck-suppress uninitvar */
        if (v->client_waits)
            tell_client(l, v, now);
        heartbeats(v, now);
    }
    end_old_visits(l, now);
    metrics_set(GAUGE_VISITS, l->count.visits);
    metrics_set(GAUGE_WATCHERS, l->count.watchers);
}
