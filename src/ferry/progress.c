/* SPDX-License-Identifier: Apache-2.0
 *
 * The thread that reports, and the one state that it shares. */
#include "progress.h"

#include <base/secret.h>
#include <base/text.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "ticket.h"

enum {
    PAUSE_MS = 200, /* between two reports */
    REQUEST_TIMEOUT_S = 10,
    LAST_WORD_MS = 1000, /* for what is still under way at the end */
    NO_CONTENT = 204
};

struct progress {
    char url[URL_MAX];
    struct remote *remote; /* the thread's alone */
    pthread_t thread;
    pthread_mutex_t mutex; /* for what stands below */
    pthread_cond_t changed;
    struct progress_state state;
    bool fresh, ending;
    struct timespec deadline; /* once it is ending */
};

static struct timespec after_ms(long ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += ms % 1000 * 1000000L;
    if (t.tv_nsec >= 1000000000L) {
        t.tv_nsec -= 1000000000L;
        t.tv_sec++;
    }
    return t;
}

static bool is_over(const struct timespec *deadline)
{
    struct timespec now = after_ms(0);
    return now.tv_sec > deadline->tv_sec ||
           (now.tv_sec == deadline->tv_sec && now.tv_nsec >= deadline->tv_nsec);
}

/* While a report is under way: whether it may take longer. */
static bool may_go_on(void *arg)
{
    struct progress *p = arg;
    pthread_mutex_lock(&p->mutex);
    bool over = p->ending && is_over(&p->deadline);
    pthread_mutex_unlock(&p->mutex);
    return !over;
}

/* What is no text is not told: JSON has no place for it. */
static const char *as_text(const char *text)
{
    return text_is_line(view_str(text)) ? text : "";
}

static bool send_state(struct progress *p, const struct progress_state *s)
{
    struct remote_answer answer = {0};
    json_t *j =
        json_pack("{s:s, s:s, s:s, s:I, s:I}", "stage", s->stage, "reader", as_text(s->reader), "card",
                  as_text(s->card), "done", (json_int_t)s->done, "total", (json_int_t)s->total);
    char *text = j != NULL ? json_dumps(j, JSON_COMPACT) : NULL;
    json_decref(j);
    if (text == NULL)
        return false;
    struct remote_request q = {
        .method = "POST", .url = p->url, .content_type = "application/json", .body = view_str(text)};
    enum err e = remote_ask(p->remote, &q, &answer);
    wr_free(&answer.body);
    free(text);
    return e == OK && answer.status == NO_CONTENT;
}

/* Waits for something new. false: it is over, and all is said. */
static bool next_state(struct progress *p, struct progress_state *out)
{
    pthread_mutex_lock(&p->mutex);
    while (!p->fresh && !p->ending)
        pthread_cond_wait(&p->changed, &p->mutex);
    bool fresh = p->fresh;
    p->fresh = false;
    *out = p->state;
    pthread_mutex_unlock(&p->mutex);
    return fresh;
}

/* What happens meanwhile is told by the newest state alone. */
static void pause_a_little(struct progress *p)
{
    struct timespec end = after_ms(PAUSE_MS);
    int rc = 0;
    pthread_mutex_lock(&p->mutex);
    while (!p->ending && rc == 0)
        rc = pthread_cond_timedwait(&p->changed, &p->mutex, &end);
    pthread_mutex_unlock(&p->mutex);
}

static void *report_all(void *arg)
{
    struct progress *p = arg;
    struct progress_state s;
    while (next_state(p, &s) && send_state(p, &s))
        pause_a_little(p);
    return NULL;
}

/* Deadlines by a clock that nobody sets. */
static bool init_condition(pthread_cond_t *c)
{
    pthread_condattr_t attr;
    if (pthread_condattr_init(&attr) != 0)
        return false;
    bool ok = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 && pthread_cond_init(c, &attr) == 0;
    pthread_condattr_destroy(&attr);
    return ok;
}

/* Signals are for the thread that feeds the card: it looks whether it was interrupted. */
static bool start_thread(struct progress *p)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&p->thread, NULL, report_all, p);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc == 0;
}

static void free_memory(struct progress *p)
{
    remote_free(&p->remote);
    wipe(p, sizeof(*p)); /* the ticket is in the address */
    free(p);
}

enum err progress_new(struct progress **out, const struct remote_settings *s, const char *url)
{
    struct progress *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return ERR_MEMORY;
    struct remote_settings own = *s;
    own.timeout_s = REQUEST_TIMEOUT_S;
    own.idle = may_go_on;
    own.arg = p;
    snprintf(p->url, sizeof(p->url), "%s", url);
    if (remote_new(&p->remote, &own) != OK || pthread_mutex_init(&p->mutex, NULL) != 0) {
        free_memory(p);
        return ERR_MEMORY;
    }
    if (!init_condition(&p->changed) || !start_thread(p)) {
        pthread_mutex_destroy(&p->mutex);
        free_memory(p);
        return ERR_MEMORY;
    }
    *out = p;
    return OK;
}

void progress_tell(struct progress *p, const struct progress_state *state)
{
    if (p == NULL)
        return;
    pthread_mutex_lock(&p->mutex);
    p->state = *state;
    p->fresh = true;
    pthread_cond_signal(&p->changed);
    pthread_mutex_unlock(&p->mutex);
}

void progress_free(struct progress **p)
{
    if (*p == NULL)
        return;
    pthread_mutex_lock(&(*p)->mutex);
    (*p)->ending = true;
    (*p)->deadline = after_ms(LAST_WORD_MS);
    pthread_cond_signal(&(*p)->changed);
    pthread_mutex_unlock(&(*p)->mutex);
    pthread_join((*p)->thread, NULL);
    pthread_cond_destroy(&(*p)->changed);
    pthread_mutex_destroy(&(*p)->mutex);
    free_memory(*p);
    *p = NULL;
}
