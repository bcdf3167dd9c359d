/* SPDX-License-Identifier: Apache-2.0
 *
 * What the agent does for a call. Everything that takes time is a child's. */
#include "agent.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/event.h>
#include <jansson.h>

#include "agent_child.h"
#include "agent_http.h"
#include "agent_pairings.h"
#include "cli.h"
#include "question.h"
#include "reader.h"
#include "words.h"

enum {
    REQUESTS_PER_MINUTE = 60,
    RUNS_PER_MINUTE = 10,
    QUESTIONS_PER_MINUTE = 3,
    QUESTION_OPEN_S = 120,
    RUN_ARGUMENTS_MAX = 20
};

static const int end_signals[] = {SIGTERM, SIGINT, SIGHUP};
enum { END_SIGNALS = sizeof(end_signals) / sizeof(end_signals[0]) };

/* The last operation, and for whom it was: others are not told. */
struct operation {
    unsigned number;
    char origin[AGENT_ORIGIN_MAX];
    char outcome[48], reason[48], detail[512];
    bool touched; /* a card was opened */
};

struct agent {
    const struct agent_settings *settings;
    struct agent_place place;
    struct event_base *base;
    struct event *child_event, *end_events[END_SIGNALS], *question_timeout;
    struct agent_http *http;
    struct crypto *crypto;
    struct agent_pairings pairings;
    struct agent_bucket requests, runs, questions;
    struct agent_child running, asking;
    struct operation last;
    struct agent_reply *asked_by; /* the reply that waits for the user */
    char asked_for[AGENT_ORIGIN_MAX];
    struct reader_insertion used; /* the card that has had its operation */
    bool has_used, ending;
};

static const struct agent_refusal too_many = {429, "too-many", "Too many requests: wait a minute."},
                                  bad_body = {400, "bad-request", "The body is not what is expected here."},
                                  not_paired = {403, "not-paired", "The user has not let this page in."},
                                  busy = {409, "busy", "Something else is under way."},
                                  same_card = {409, "same-card",
                                               "This card has had its operation: take it out first."},
                                  declined = {403, "declined", "The user said no."},
                                  nobody = {403, "nobody-to-ask", "There is nobody to ask on this computer."},
                                  trouble = {500, "error", "The agent can't do it at the moment."};

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* One line for whoever looks at the agent's log: never a ticket, never a token. */
static void say(const struct agent *a, const char *event, const char *origin, const char *what)
{
    if (a->settings->quiet)
        return;
    if (a->settings->json) {
        json_t *j = json_pack("{s:s, s:s, s:s, s:i}", "event", event, "origin", origin, "what", what, "port",
                              (int)a->place.port);
        json_dumpf(j, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
        json_decref(j);
        putchar('\n');
    } else
        printf("%-10s %s %s\n", event, origin, what);
    fflush(stdout);
}

/* ---- hello, state ------------------------------------------------------------------------------------ */

static void hello(struct agent *a, const struct agent_call *call)
{
    bool paired = agent_pairings_know(&a->pairings, a->crypto, call->origin, call->pairing);
    agent_reply_send(
        call->reply, 200,
        json_pack("{s:s, s:s, s:b}", "agent", "ferry", "version", CF_VERSION, "paired", (int)paired));
}

static void state(struct agent *a, const struct agent_call *call)
{
    static const struct operation none = {.origin = ""};
    const struct operation *o = strcmp(a->last.origin, call->origin) == 0 ? &a->last : &none;
    char number[16] = "";
    if (o->number > 0)
        snprintf(number, sizeof(number), "%u", o->number);
    agent_reply_send(call->reply, 200,
                     json_pack("{s:s, s:b, s:s, s:s, s:s}", "run", number, "running",
                               (int)(o != &none && a->running.pid != 0), "outcome", o->outcome, "reason",
                               o->reason, "detail", o->detail));
}

/* ---- pair -------------------------------------------------------------------------------------------- */

static void pair(struct agent *a, const struct agent_call *call)
{
    const struct timeval open = {.tv_sec = QUESTION_OPEN_S};
    char text[QUESTION_MAX];
    if (a->asking.pid != 0 || a->ending) {
        agent_reply_refuse(call->reply, &busy);
        return;
    }
    if (!agent_bucket_take(&a->questions, now_ms())) {
        agent_reply_refuse(call->reply, &too_many);
        return;
    }
    question_of_pairing(text, call->origin, language_here());
    if (agent_child_ask(&a->asking, text) != OK) {
        agent_reply_refuse(call->reply, &trouble);
        return;
    }
    a->asked_by = call->reply;
    snprintf(a->asked_for, sizeof(a->asked_for), "%s", call->origin);
    event_add(a->question_timeout, &open);
    say(a, "pair", a->asked_for, "the user is asked");
}

static void let_in(struct agent *a)
{
    char token[PAIRING_TEXT + 1] = "";
    enum err e = agent_pairings_add(&a->pairings, a->crypto, a->asked_for, token);
    if (e == OK)
        e = agent_pairings_save(&a->pairings);
    if (e != OK) {
        cli_error("the pairing can't be kept: %s", err_text(e));
        agent_reply_refuse(a->asked_by, &trouble);
    } else
        agent_reply_send(a->asked_by, 200, json_pack("{s:s}", "pairing", token));
    wipe(token, sizeof(token));
}

/* code: of agent_child_ask. */
static void question_answered(struct agent *a, int code)
{
    static const char *const words[] = {"the user said yes", "the user said no", "there is nobody to ask"};
    event_del(a->question_timeout);
    say(a, "pair", a->asked_for, words[code >= 0 && code <= 2 ? code : 1]);
    if (code == 0)
        let_in(a);
    else
        agent_reply_refuse(a->asked_by, code == 2 ? &nobody : &declined);
    a->asked_by = NULL;
}

/* Nobody has answered: its end is a no. */
static void on_question_timeout(evutil_socket_t fd, short what, void *arg)
{
    struct agent *a = arg;
    (void)fd, (void)what;
    agent_child_stop(&a->asking);
}

/* ---- run --------------------------------------------------------------------------------------------- */

static void take_text(char *out, size_t len, const json_t *event, const char *name)
{
    const char *text = json_string_value(json_object_get(event, name));
    snprintf(out, len, "%s", text != NULL ? text : "");
}

/* A line that the operation says of itself. */
static void take_line(void *arg, const json_t *event)
{
    struct agent *a = arg;
    char kind[16];
    take_text(kind, sizeof(kind), event, "event");
    if (strcmp(kind, "reader") == 0)
        a->last.touched = true;
    if (strcmp(kind, "end") != 0)
        return;
    take_text(a->last.outcome, sizeof(a->last.outcome), event, "outcome");
    take_text(a->last.reason, sizeof(a->last.reason), event, "reason");
    take_text(a->last.detail, sizeof(a->last.detail), event, "detail");
}

static void add(const char **argv, size_t *n, const char *option, const char *value)
{
    if (value == NULL)
        return;
    argv[(*n)++] = option;
    if (*value != '\0')
        argv[(*n)++] = value;
}

/* The origin decides which server is called; the ticket goes through the pipe. */
static enum err start(struct agent *a, const char *origin, const char *ticket)
{
    const char *argv[RUN_ARGUMENTS_MAX] = {"ferry", "run", "-"};
    size_t n = 3;
    add(argv, &n, "--json", "");
    add(argv, &n, "--server", origin);
    add(argv, &n, "--wait", "120");
    add(argv, &n, "--reader", a->settings->reader);
    add(argv, &n, "--profile", a->settings->profile);
    add(argv, &n, "--ca", a->settings->ca);
    add(argv, &n, "--ask", a->settings->confirm ? "" : NULL);
    return agent_child_run(&a->running, a->base, argv, ticket, take_line, a);
}

/* The card in the reader is the one that had its operation, and was not taken out since. */
static bool is_same_card(struct agent *a)
{
    struct reader_insertion now;
    return a->has_used && reader_insertion(&now, a->settings->reader) == OK && now.count == a->used.count &&
           strcmp(now.reader, a->used.reader) == 0;
}

static void run(struct agent *a, const struct agent_call *call)
{
    char ticket[AGENT_TICKET_MAX + 1] = "", number[16];
    const struct agent_refusal *why = NULL;
    if (agent_read_ticket(call->body, ticket) != OK)
        why = &bad_body;
    else if (!agent_bucket_take(&a->runs, now_ms()))
        why = &too_many;
    else if (a->running.pid != 0 || a->ending)
        why = &busy;
    else if (is_same_card(a))
        why = &same_card;
    else if (start(a, call->origin, ticket) != OK)
        why = &trouble;
    wipe(ticket, sizeof(ticket));
    if (why != NULL) {
        agent_reply_refuse(call->reply, why);
        return;
    }
    a->last = (struct operation){.number = a->last.number + 1};
    snprintf(a->last.origin, sizeof(a->last.origin), "%s", call->origin);
    snprintf(number, sizeof(number), "%u", a->last.number);
    say(a, "run", a->last.origin, "begins");
    agent_reply_send(call->reply, 202, json_pack("{s:s}", "run", number));
}

static void run_ended(struct agent *a)
{
    if (a->last.outcome[0] == '\0') {
        snprintf(a->last.outcome, sizeof(a->last.outcome), "unknown");
        snprintf(a->last.reason, sizeof(a->last.reason), "error");
        snprintf(a->last.detail, sizeof(a->last.detail), "the client ended without saying how it went");
    }
    if (a->last.touched)
        a->has_used = reader_insertion(&a->used, a->settings->reader) == OK;
    say(a, "run", a->last.origin, a->last.outcome);
}

/* ---- Calls ------------------------------------------------------------------------------------------- */

static const struct {
    void (*handle)(struct agent *a, const struct agent_call *call);
    bool paired, empty; /* needs a pairing; its body is {} */
} calls[AGENT_PATHS] = {
    [AGENT_HELLO] = {hello, false, true},
    [AGENT_PAIR] = {pair, false, true},
    [AGENT_RUN] = {run, true, false},
    [AGENT_STATE] = {state, true, true},
};

static void on_call(void *arg, const struct agent_call *call)
{
    struct agent *a = arg;
    const struct agent_refusal *why = NULL;
    bool knows =
        call->pairing != NULL && agent_pairings_know(&a->pairings, a->crypto, call->origin, call->pairing);
    if (!agent_bucket_take(&a->requests, now_ms()))
        why = &too_many;
    else if (calls[call->path].paired && !knows)
        why = &not_paired;
    else if (calls[call->path].empty && agent_read_empty(call->body) != OK)
        why = &bad_body;
    if (why != NULL)
        agent_reply_refuse(call->reply, why);
    else
        calls[call->path].handle(a, call);
}

/* ---- Life -------------------------------------------------------------------------------------------- */

static void end_when_idle(struct agent *a)
{
    if (a->ending && a->running.pid == 0 && a->asking.pid == 0)
        event_base_loopexit(a->base, NULL);
}

static void on_child(evutil_socket_t fd, short what, void *arg)
{
    struct agent *a = arg;
    int code;
    (void)fd, (void)what;
    if (agent_child_ended(&a->running, &code))
        run_ended(a);
    if (agent_child_ended(&a->asking, &code))
        question_answered(a, code);
    end_when_idle(a);
}

/* A card that is being served is served to its end; who still waits for one does not, and a question is
 * withdrawn. */
static void on_end(evutil_socket_t fd, short what, void *arg)
{
    struct agent *a = arg;
    (void)fd, (void)what;
    a->ending = true;
    agent_http_stop(a->http);
    agent_child_stop(&a->asking);
    if (!a->last.touched)
        agent_child_stop(&a->running);
    end_when_idle(a);
}

static bool add_signal(struct agent *a, struct event **out, int number, event_callback_fn handle)
{
    *out = evsignal_new(a->base, number, handle, a);
    return *out != NULL && event_add(*out, NULL) == 0;
}

static bool add_events(struct agent *a)
{
    bool ok = add_signal(a, &a->child_event, SIGCHLD, on_child);
    for (size_t i = 0; i < END_SIGNALS; i++)
        ok = ok && add_signal(a, &a->end_events[i], end_signals[i], on_end);
    a->question_timeout = evtimer_new(a->base, on_question_timeout, a);
    return ok && a->question_timeout != NULL;
}

static void announce(const struct agent *a)
{
    char where[64];
    snprintf(where, sizeof(where), "127.0.0.1 and ::1, port %u", a->place.port);
    for (size_t i = 0; i < a->place.origin_count; i++)
        say(a, "listening", a->place.origins[i], where);
}

static enum err set_up(struct agent *a)
{
    a->base = event_base_new();
    if (a->base == NULL || !add_events(a))
        return ERR_MEMORY;
    enum err e = crypto_new(&a->crypto);
    if (e != OK)
        return e;
    e = agent_pairings_load(&a->pairings);
    if (e != OK) {
        cli_error("the pairings can't be read ($XDG_STATE_HOME/cardferry/agent): %s", err_text(e));
        return e;
    }
    e = agent_http_new(&a->http, a->base, &a->place, on_call, a);
    if (e != OK)
        cli_error("port %u of 127.0.0.1 and ::1 can't be used: %s", a->place.port,
                  e == ERR_EXISTS ? "another program listens there" : err_text(e));
    return e;
}

static void free_event(struct event *e)
{
    if (e != NULL)
        event_free(e);
}

static void tear_down(struct agent *a)
{
    agent_http_free(&a->http);
    free_event(a->child_event);
    for (size_t i = 0; i < END_SIGNALS; i++)
        free_event(a->end_events[i]);
    free_event(a->question_timeout);
    if (a->base != NULL)
        event_base_free(a->base);
    crypto_free(&a->crypto);
}

enum err agent_serve(const struct agent_settings *s)
{
    struct agent *a = calloc(1, sizeof(*a));
    if (a == NULL)
        return ERR_MEMORY;
    a->settings = s;
    a->place = s->place;
    a->requests.per_minute = REQUESTS_PER_MINUTE;
    a->runs.per_minute = RUNS_PER_MINUTE;
    a->questions.per_minute = QUESTIONS_PER_MINUTE;
    a->running.out = a->asking.out = -1;
    signal(SIGPIPE, SIG_IGN); /* a page that has gone is nothing to die of */
    enum err e = set_up(a);
    if (e == OK) {
        announce(a);
        event_base_dispatch(a->base);
    }
    tear_down(a);
    free(a);
    return e;
}
