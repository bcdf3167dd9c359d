/* SPDX-License-Identifier: Apache-2.0
 *
 * The client's side of the dialogue. It decides three things only: when to ask again, when to give up, and
 * what it may say about the outcome when the server can't be asked any more. */
#include "exchange.h"

#include <base/text.h>
#include <session/outcome.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>

#include "identify.h"
#include "relay.h"

enum {
    /* A hostile server must not keep a card busy for ever: real dialogues have 3 to 10 rounds. */
    ROUNDS_MAX = 64,
    RETRIES_MAX = 5, /* after 0.5, 1, 2, 4 and 8 s */
    FIRST_PAUSE_MS = 500,
    RETRY_AFTER_MAX_S = 30,
    FROM_MAX = 256,
    CARD_MAX = 128
};

static const char protocol_header[] = "X-Admin-Protocol: globalplatform-remote-admin/1.0";
static const char response_type[] = "application/vnd.globalplatform.card-content-mgt-response;version=1.0";

enum wanted { W_NEXT, W_RETRY, W_STEP, W_OUTCOME, W_REASON, W_DETAIL, W_SESSION, W_PURPOSE, W_APP, W_COUNT };
static const char *const wanted_names[W_COUNT] = {"X-Admin-Next-URI", "Retry-After",     "X-Ferry-Step",
                                                  "X-Ferry-Outcome",  "X-Ferry-Reason",  "X-Ferry-Detail",
                                                  "X-Ferry-Session",  "X-Ferry-Purpose", "X-Ferry-App"};

struct exchange {
    struct remote *remote;
    struct card_reader *reader;
    struct report *report;
    struct run_end *end;
    const struct ticket *ticket;
    struct ticket at; /* where the next POST goes */
    char from[FROM_MAX];
    char card[CARD_MAX]; /* header, "" when the card does not tell a number */
    struct remote_header wanted[W_COUNT];
    struct remote_answer answer;
    struct writer response; /* the body of the next POST */
    const char *status;     /* X-Admin-Script-Status, or NULL */
    bool changed_card;      /* something that changes the card may have been executed */
    bool resumed, compared; /* compared: the server has said what the order is for */
};

static void pause_ms(long ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    nanosleep(&t, NULL);
}

static uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Who asks: the card by its ATR, and this run by a random name, so that the server's log can tell two runs
 * apart. */
static void make_from(struct exchange *x)
{
    uint8_t id[16];
    char atr[2 * ATR_MAX + 1], name[2 * sizeof(id) + 1];
    if (getrandom(id, sizeof(id), 0) != (ssize_t)sizeof(id))
        memset(id, 0, sizeof(id));
    hex_write(atr, view_of(x->reader->atr, x->reader->atr_len));
    hex_write(name, VIEW_OF(id));
    snprintf(x->from, sizeof(x->from), "X-Admin-From: //se-id/ATR/%s;//aa-id/uuid/%s", atr, name);
}

/* Which card asks, so that the server need not open a channel to find out that it must not: a card that was
 * set aside is spared. */
static enum err make_card(struct exchange *x)
{
    struct identity id;
    char number[2 * CARD_NUMBER_MAX + 2];
    enum err e = identify_card(x->reader, VIEW_NULL, &id);
    if (e == OK && identity_card_number(&id, number) == OK) {
        snprintf(x->card, sizeof(x->card), "X-Ferry-Card: %s", number);
        report_card(x->report, number);
    }
    return e == ERR_CARD_GONE ? e : OK; /* what else is odd about the card is the server's to judge */
}

static enum err post_once(struct exchange *x, bool resume)
{
    char status[64];
    bool body = x->status != NULL && !resume;
    struct remote_request q = {.method = "POST", .url = x->at.url, .headers = {protocol_header, x->from}};
    if (body) {
        snprintf(status, sizeof(status), "X-Admin-Script-Status: %s", x->status);
        q.headers[2] = status;
        q.content_type = response_type;
        q.body = wr_view_of(&x->response);
    } else if (x->card[0] != '\0')
        q.headers[2] = x->card;
    if (resume)
        q.headers[2] = "X-Admin-Resume: true";
    wr_free(&x->answer.body);
    for (size_t i = 0; i < W_COUNT; i++)
        x->wanted[i].name = wanted_names[i];
    x->answer.wanted = x->wanted;
    x->answer.wanted_count = W_COUNT;
    x->end->posts++;
    uint64_t start = now_us();
    enum err e = remote_ask(x->remote, &q, &x->answer);
    x->end->server_us += now_us() - start;
    return e;
}

/* No answer, or one that says that the session stands as it was: the same POST may be sent again. */
static bool can_repeat(const struct exchange *x, enum err e)
{
    enum { UNAVAILABLE = 503, DISK_FULL = 507 };
    if (e == OK)
        return x->answer.status == UNAVAILABLE || x->answer.status == DISK_FULL;
    return e == ERR_CLOSED || e == ERR_TIMEOUT;
}

/* The answer to a repeated POST is the same answer, with one effect: so a lost connection is asked again,
 * lest the card's answers are lost. The first POST is not: nothing has happened yet, and the person wants to
 * know at once. */
static enum err post(struct exchange *x)
{
    enum err e = post_once(x, false);
    long pause = FIRST_PAUSE_MS;
    for (int n = 0; n < RETRIES_MAX && x->status != NULL && can_repeat(x, e); n++) {
        report_note(x->report, "the server does not answer: asking again");
        pause_ms(pause);
        pause *= 2;
        e = post_once(x, false);
    }
    return e;
}

static void watch_command(void *arg, size_t done, size_t total, uint8_t ins, uint16_t sw)
{
    struct exchange *x = arg;
    report_command(x->report, done, total, ins, sw);
}

static const char *script_status(const struct relay_result *r, bool malformed)
{
    if (malformed)
        return "script-format-error";
    if (r->card_error == OK)
        return "ok";
    return r->executed > 0 ? "temporarily-unavailable-application" : "unavailable-se";
}

/* Executes the script of a 200 and makes the body of the next POST. */
static enum err execute(struct exchange *x)
{
    struct relay_result result;
    struct view script = wr_view_of(&x->answer.body);
    size_t count = 0;
    bool malformed = script_count(script, &count) != OK;
    struct relay_watch watch = {watch_command, x};
    const char *step = x->wanted[W_STEP].value;
    report_step(x->report, step[0] != '\0' ? step : "script", count);
    if (strcmp(step, "deliver") == 0 || step[0] == '\0')
        x->changed_card = true;
    wr_clear(&x->response);
    uint64_t start = now_us();
    enum err e = relay_run(x->reader, script, &watch, &x->response, &result);
    x->end->card_us += now_us() - start;
    if (result.card_error != OK)
        report_lost(x->report);
    report_answers(x->report);
    x->end->commands += result.executed;
    x->end->bytes += result.bytes;
    if (e == OK)
        x->status = script_status(&result, malformed);
    return e;
}

static void set_end(struct run_end *end, enum outcome outcome, const char *reason, int exit_code,
                    const char *detail)
{
    snprintf(end->outcome, sizeof(end->outcome), "%s", outcome_word(outcome));
    snprintf(end->reason, sizeof(end->reason), "%s", reason);
    snprintf(end->detail, sizeof(end->detail), "%s", detail);
    end->exit_code = exit_code;
}

/* What may be said when the server does not say it: before a packet nothing was changed, after it nobody
 * knows. */
static enum outcome own_outcome(const struct exchange *x)
{
    return x->changed_card ? OUTCOME_UNKNOWN : OUTCOME_FAILED;
}

/* The connection is lost for good. What the card did meanwhile only the server can find out. */
static void end_lost(struct exchange *x, enum err e)
{
    char detail[512];
    const char *advice = x->changed_card
                             ? "run the same ticket again: the server finds out what the card holds"
                             : "nothing was changed on the card; try again";
    if (e == ERR_AUTH) {
        snprintf(
            detail, sizeof(detail),
            "the server's certificate is not trusted (%.200s): give its authority with --ca or --profile",
            x->answer.problem);
        set_end(x->end, own_outcome(x), "server-untrusted", EXIT_SERVER_GONE, detail);
        return;
    }
    snprintf(detail, sizeof(detail), "the server does not answer (%.200s): %s", x->answer.problem, advice);
    set_end(x->end, own_outcome(x), "server-gone", EXIT_SERVER_GONE, detail);
}

/* The server says how it ended. */
static bool end_as_told(struct exchange *x)
{
    enum outcome outcome;
    enum reason reason = REASON_NONE;
    char detail[512];
    if (outcome_by_word(x->wanted[W_OUTCOME].value, &outcome) != OK)
        return false;
    if (reason_by_word(x->wanted[W_REASON].value, &reason) != OK)
        reason = REASON_NONE; /* a newer server's word: the outcome still stands */
    const char *told = x->wanted[W_DETAIL].value;
    snprintf(detail, sizeof(detail), "%.500s", told[0] != '\0' ? told : reason_text(reason));
    set_end(x->end, outcome, x->wanted[W_REASON].value, outcome_exit_code(outcome, reason), detail);
    if (outcome != OUTCOME_CONFIRMED && reason != REASON_NONE && reason != REASON_ALREADY_THERE)
        snprintf(x->end->advice, sizeof(x->end->advice), "%s", reason_advice(reason));
    return true;
}

/* The dialogue is over. A server that does not say how has at least taken the answers: reported. */
static void end_told(struct exchange *x)
{
    char detail[96];
    snprintf(x->end->session, sizeof(x->end->session), "%.63s", x->wanted[W_SESSION].value);
    if (end_as_told(x))
        return;
    if (x->answer.status == 204) {
        set_end(x->end, OUTCOME_REPORTED, "", EXIT_REPORTED,
                "the server has taken the answers and says no more");
        return;
    }
    snprintf(detail, sizeof(detail), "the server answered with HTTP status %ld", x->answer.status);
    set_end(x->end, own_outcome(x), "server-refused", EXIT_FAILED, detail);
}

/* A 204 with a Next-URI: wait, then ask there without a body. */
static void wait_as_told(struct exchange *x)
{
    long seconds = strtol(x->wanted[W_RETRY].value, NULL, 10);
    if (seconds < 0 || seconds > RETRY_AFTER_MAX_S)
        seconds = RETRY_AFTER_MAX_S;
    pause_ms(seconds * 1000);
    x->status = NULL;
}

/* The session is not where the server remembers it: start afresh from its stock-taking, once. */
static bool can_resume(const struct exchange *x)
{
    return x->answer.status == 409 && !x->resumed && x->wanted[W_OUTCOME].value[0] == '\0' &&
           x->status != NULL;
}

/* A link is read by the user before anybody is called. What they agreed to is what must happen: a server that
 * says something else, or nothing, gets nothing. */
static bool is_as_the_link_says(struct exchange *x)
{
    const char *purpose = x->wanted[W_PURPOSE].value, *app = x->wanted[W_APP].value;
    char detail[512];
    bool first = !x->compared;
    x->compared = true;
    if (!first || *x->ticket->purpose == '\0' ||
        (strcmp(purpose, x->ticket->purpose) == 0 && strcmp(app, x->ticket->app) == 0))
        return true;
    snprintf(detail, sizeof(detail),
             "the link says '%s%s%s', but the server '%.80s%s%.80s': nothing was sent to the card",
             x->ticket->purpose, *x->ticket->app != '\0' ? " " : "", x->ticket->app, purpose,
             *app != '\0' ? " " : "", app);
    set_end(x->end, OUTCOME_FAILED, "other-order", EXIT_NOT_ALLOWED, detail);
    return false;
}

/* One round: true when there is another. */
static bool round_trip(struct exchange *x)
{
    enum err e = post(x);
    if (e == OK && can_resume(x)) {
        x->resumed = true;
        e = post_once(x, true);
    }
    if (e != OK) {
        end_lost(x, e);
        return false;
    }
    bool more = x->wanted[W_NEXT].value[0] != '\0' && (x->answer.status == 200 || x->answer.status == 204);
    if (!more) {
        end_told(x);
        return false;
    }
    if (!is_as_the_link_says(x))
        return false;
    if (ticket_next(&x->at, &x->at, x->wanted[W_NEXT].value) != OK) {
        set_end(x->end, own_outcome(x), "server-refused", EXIT_FAILED,
                "the server's next address is not on the same server");
        return false;
    }
    if (x->answer.status == 204) {
        wait_as_told(x);
        return true;
    }
    e = execute(x);
    if (e != OK)
        set_end(x->end, own_outcome(x), "error", EXIT_OTHER, err_text(e));
    return e == OK;
}

void exchange_run(struct remote *remote, struct card_reader *reader, const struct ticket *ticket,
                  struct report *report, struct run_end *end)
{
    struct exchange *x = calloc(1, sizeof(*x));
    uint64_t start = now_us();
    *end = (struct run_end){0};
    if (x == NULL) {
        exchange_refused(end, "error", EXIT_OTHER, err_text(ERR_MEMORY));
        return;
    }
    *x = (struct exchange){
        .remote = remote, .reader = reader, .report = report, .end = end, .ticket = ticket, .at = *ticket};
    wr_heap(&x->response, SCRIPT_MAX);
    make_from(x);
    int rounds = 0;
    if (make_card(x) != OK)
        set_end(end, OUTCOME_FAILED, reason_word(REASON_CARD_PULLED), EXIT_CARD_PULLED,
                reason_text(REASON_CARD_PULLED));
    else
        while (rounds < ROUNDS_MAX && round_trip(x))
            rounds++;
    if (rounds == ROUNDS_MAX)
        set_end(end, own_outcome(x), "server-refused", EXIT_FAILED, "the server does not come to an end");
    end->duration_us = now_us() - start;
    wr_free(&x->response);
    wr_free(&x->answer.body);
    free(x);
}

void exchange_refused(struct run_end *end, const char *reason, int exit_code, const char *detail)
{
    set_end(end, OUTCOME_FAILED, reason, exit_code, detail);
}
