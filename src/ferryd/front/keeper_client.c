/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests to the keeper, matched with their replies by number. The keeper answers in order, so the one that
 * has waited longest is answered next; anything else is not our keeper. */
#include "front/keeper_client.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include <base/log.h>

#include "front/metrics.h"
#include "keeper/frame.h"

/* The longest script takes the keeper well under a second; many may wait. */
enum { REPLY_TIMEOUT_S = 30 };

TAILQ_HEAD(pending_list, pending);

struct pending {
    TAILQ_ENTRY(pending) next;
    uint32_t id;
    void (*done)(void *arg, enum err e, struct view reply);
    void *arg;
};

struct keeper_client {
    struct bufferevent *bev;
    struct pending_list pending;
    uint32_t last_id;
    bool alive;
    void (*gone)(void *arg);
    void *arg;
};

static void finish_all(struct keeper_client *k, enum err e)
{
    struct pending *p;
    while ((p = TAILQ_FIRST(&k->pending)) != NULL) {
        TAILQ_REMOVE(&k->pending, p, next);
        metrics_add(METRIC_KEEPER_FAILURES, 1);
        p->done(p->arg, e, VIEW_NULL);
        free(p);
    }
}

static void hang_up(struct keeper_client *k, enum err e)
{
    if (!k->alive)
        return;
    k->alive = false;
    LOG(LOG_ERROR, "keeper.gone", log_err(e));
    (void)bufferevent_disable(k->bev, EV_READ | EV_WRITE);
    finish_all(k, e == ERR_TIMEOUT ? ERR_TIMEOUT : ERR_CLOSED);
    k->gone(k->arg);
}

/* Replies are due: wait for them, but not for ever. */
static void watch(struct keeper_client *k)
{
    const struct timeval timeout = {.tv_sec = REPLY_TIMEOUT_S};
    (void)bufferevent_set_timeouts(k->bev, TAILQ_EMPTY(&k->pending) ? NULL : &timeout, &timeout);
}

static bool take_reply(struct keeper_client *k, const struct frame *frame)
{
    struct pending *p = TAILQ_FIRST(&k->pending);
    /* The analyzer does not see that TAILQ_REMOVE below took the freed one out.
     * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
    if (p == NULL || p->id != frame->id)
        return false;
    TAILQ_REMOVE(&k->pending, p, next);
    p->done(p->arg, OK, frame->body);
    free(p);
    return true;
}

static void on_read(struct bufferevent *bev, void *arg)
{
    struct keeper_client *k = arg;
    struct evbuffer *in = bufferevent_get_input(bev);
    while (k->alive) {
        struct frame frame;
        size_t used = 0, len = evbuffer_get_length(in);
        enum err e = frame_get(view_of(evbuffer_pullup(in, -1), len), &frame, &used);
        if (e == ERR_NOT_FOUND)
            break;
        if (e != OK || !take_reply(k, &frame)) {
            hang_up(k, ERR_FORMAT);
            return;
        }
        evbuffer_drain(in, used);
    }
    watch(k);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    (void)bev;
    hang_up(arg, (what & BEV_EVENT_TIMEOUT) != 0 ? ERR_TIMEOUT : ERR_CLOSED);
}

enum err keeper_client_new(struct keeper_client **out, struct event_base *base, int fd,
                           void (*gone)(void *arg), void *arg)
{
    struct keeper_client *k = calloc(1, sizeof(*k));
    if (k == NULL)
        return ERR_MEMORY;
    if (evutil_make_socket_nonblocking(fd) != 0 ||
        (k->bev = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE)) == NULL) {
        free(k);
        return ERR_MEMORY;
    }
    TAILQ_INIT(&k->pending);
    k->alive = true;
    k->gone = gone;
    k->arg = arg;
    bufferevent_setcb(k->bev, on_read, NULL, on_event, k);
    (void)bufferevent_enable(k->bev, EV_READ | EV_WRITE);
    *out = k;
    return OK;
}

void keeper_client_free(struct keeper_client **k)
{
    if (*k == NULL)
        return;
    (*k)->alive = false;
    finish_all(*k, ERR_CLOSED);
    bufferevent_free((*k)->bev);
    free(*k);
    *k = NULL;
}

enum err keeper_client_ask(struct keeper_client *k, struct view request,
                           void (*done)(void *arg, enum err e, struct view reply), void *arg)
{
    struct pending *p = NULL;
    struct writer frame;
    if (!k->alive)
        return ERR_CLOSED;
    wr_heap(&frame, FRAME_MAX);
    size_t start = frame_begin(&frame, k->last_id + 1);
    wr_view(&frame, request);
    enum err e = frame_end(&frame, start);
    if (e == OK && (p = malloc(sizeof(*p))) == NULL)
        e = ERR_MEMORY;
    if (e == OK && bufferevent_write(k->bev, frame.data, frame.len) != 0)
        e = ERR_MEMORY;
    if (e == OK) {
        metrics_add(METRIC_KEEPER_REQUESTS, 1);
        *p = (struct pending){.id = ++k->last_id, .done = done, .arg = arg};
        TAILQ_INSERT_TAIL(&k->pending, p, next);
        p = NULL;
        watch(k);
    }
    free(p);
    wr_free(&frame);
    return e;
}

bool keeper_client_alive(const struct keeper_client *k)
{
    return k->alive;
}
