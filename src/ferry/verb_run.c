/* SPDX-License-Identifier: Apache-2.0
 *
 * ferry run: one order on the card in the reader. ferry watch: the same for card after card, as at a desk. */
#include <signal.h>
#include <stdio.h>

#include <session/outcome.h>

#include "exchange.h"
#include "profile.h"
#include "verbs.h"

static const struct option_spec run_options[] = {
    {"reader", "READER", "pcsc:<name> or sim:<socket>; default: the first reader with a card"},
    {"wait", "SECONDS", "wait so long for a card (default 0)"},
    {NULL, NULL, NULL},
};
static const struct option_spec watch_options[] = {
    {"reader", "READER", "pcsc:<name> or sim:<socket>; default: the first reader with a card"},
    {"cards", "N", "stop after N cards (default: when interrupted)"},
    {NULL, NULL, NULL},
};

enum { WAIT_MAX_S = 24 * 3600, CARDS_MAX = 1000000 };

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
}

struct work {
    struct profile profile;
    struct ticket ticket;
    struct remote *remote;
    struct card_reader reader;
    struct report report;
};

static void keep_awake(void *arg)
{
    struct work *w = arg;
    if (w->reader.ops != NULL)
        reader_touch(&w->reader);
}

/* Everything that is the same for each card. On failure *end says why. */
static bool begin(struct work *w, const struct cli *cli, struct run_end *end)
{
    struct ticket_problem why = {""};
    *w = (struct work){0};
    report_init(&w->report, stdout, cli_flag(cli, "json"), cli_flag(cli, "quiet"));
    if (!profile_load(&w->profile, cli)) {
        exchange_refused(end, "usage", EXIT_USAGE, "the profile can't be used");
        return false;
    }
    const char *server = w->profile.server[0] != '\0' ? w->profile.server : NULL;
    if (ticket_parse(&w->ticket, cli->args[0], server, &why) != OK) {
        exchange_refused(end, reason_word(REASON_WRONG_TICKET), EXIT_WRONG_TICKET, why.text);
        return false;
    }
    struct remote_settings s = profile_remote(&w->profile);
    s.idle = keep_awake;
    s.arg = w;
    if (remote_new(&w->remote, &s) != OK) {
        exchange_refused(end, "error", EXIT_OTHER, "the HTTPS library can't be started");
        return false;
    }
    return true;
}

static void one_card(struct work *w, const char *spec, int wait_ms, struct run_end *end)
{
    struct reader_problem why = {""};
    enum err e = reader_open(&w->reader, spec, wait_ms, &why);
    if (e != OK) {
        bool no_card = e == ERR_NO_READER || e == ERR_NO_CARD;
        int code = e == ERR_ARGUMENT ? EXIT_USAGE : no_card ? EXIT_NO_CARD : EXIT_OTHER;
        exchange_refused(end, no_card ? "no-card" : "error", code,
                         why.text[0] != '\0' ? why.text : err_text(e));
        return;
    }
    report_reader(&w->report, w->reader.name, view_of(w->reader.atr, w->reader.atr_len));
    report_server(&w->report, w->ticket.url);
    exchange_run(w->remote, &w->reader, &w->ticket, &w->report, end);
}

static void finish(struct work *w)
{
    reader_close(&w->reader);
    remote_free(&w->remote);
}

static int run(const struct cli *cli)
{
    struct work w;
    struct run_end end = {0};
    long wait_s;
    if (!cli_number(cli, "wait", 0, WAIT_MAX_S, 0, &wait_s))
        return EXIT_USAGE;
    if (begin(&w, cli, &end))
        one_card(&w, cli_option(cli, "reader"), (int)wait_s * 1000, &end);
    report_end(&w.report, &end);
    if (end.exit_code != EXIT_OK && w.report.quiet)
        cli_error("%s: %s", end.outcome, end.detail);
    finish(&w);
    return end.exit_code;
}

/* Returns the first exit code that was not 0, so that a script sees that something went wrong. */
static int watch(const struct cli *cli)
{
    struct work w;
    struct run_end end = {0};
    long cards;
    int exit_code = EXIT_OK;
    if (!cli_number(cli, "cards", 1, CARDS_MAX, 0, &cards))
        return EXIT_USAGE;
    struct sigaction action = {.sa_handler = on_interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (!begin(&w, cli, &end)) {
        report_end(&w.report, &end);
        finish(&w);
        return end.exit_code;
    }
    for (long n = 0; !interrupted && (cards == 0 || n < cards); n++) {
        report_note(&w.report, n == 0 ? "put a card in" : "take the card out, and put the next one in");
        while (!interrupted && w.reader.ops != NULL && reader_wait_gone(&w.reader, 500) == ERR_TIMEOUT)
            continue;
        reader_close(&w.reader);
        end.exit_code = EXIT_NO_CARD;
        while (!interrupted && end.exit_code == EXIT_NO_CARD)
            one_card(&w, cli_option(cli, "reader"), 500, &end);
        if (end.exit_code == EXIT_NO_CARD)
            break; /* told to end; a card that is being served is served to its end */
        report_end(&w.report, &end);
        if (exit_code == EXIT_OK)
            exit_code = end.exit_code;
        if (end.exit_code == EXIT_USAGE)
            break;
    }
    finish(&w);
    return exit_code;
}

const struct verb verb_run = {
    "run", "TICKET-OR-URL", "fulfil an order on the card in the reader", run_options, 1, 1, run,
};
const struct verb verb_watch = {
    "watch", "TICKET-OR-URL", "fulfil an order on card after card", watch_options, 1, 1, watch,
};
