/* SPDX-License-Identifier: Apache-2.0
 *
 * ferry run: one order on the card in the reader. ferry watch: the same for card after card, as at a desk. */
#include <signal.h>
#include <stdio.h>

#include "ask.h"
#include "verbs.h"

static const struct option_spec run_options[] = {
    {"reader", "READER", "pcsc:<name> or sim:<socket>; default: the first reader with a card"},
    {"wait", "SECONDS", "wait so long for a card (default 0)"},
    {"ask", NULL, "ask the user first, as 'ferry open' does"},
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

static int run(const struct cli *cli)
{
    struct work w;
    struct run_end end = {0};
    long wait_s;
    if (!cli_number(cli, "wait", 0, WAIT_MAX_S, 0, &wait_s))
        return EXIT_USAGE;
    work_init(&w, cli);
    if (work_ticket(&w, cli, &end)) {
        if (cli_flag(cli, "ask"))
            ask_and_run(&w, cli_option(cli, "reader"), (int)wait_s * 1000, &end);
        else if (work_connect(&w, &end)) {
            report_client(&w.report);
            work_card(&w, cli_option(cli, "reader"), (int)wait_s * 1000, &end);
        }
    }
    report_end(&w.report, &end);
    if (end.exit_code != EXIT_OK && w.report.quiet)
        cli_error("%s: %s", end.outcome, end.detail);
    work_finish(&w);
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
    work_init(&w, cli);
    if (!work_ticket(&w, cli, &end) || !work_connect(&w, &end)) {
        report_end(&w.report, &end);
        work_finish(&w);
        return end.exit_code;
    }
    report_client(&w.report);
    for (long n = 0; !interrupted && (cards == 0 || n < cards); n++) {
        report_note(&w.report, n == 0 ? "put a card in" : "take the card out, and put the next one in");
        while (!interrupted && w.reader.ops != NULL && reader_wait_gone(&w.reader, 500) == ERR_TIMEOUT)
            continue;
        reader_close(&w.reader);
        end.exit_code = EXIT_NO_CARD;
        while (!interrupted && end.exit_code == EXIT_NO_CARD)
            work_card(&w, cli_option(cli, "reader"), 500, &end);
        if (end.exit_code == EXIT_NO_CARD)
            break; /* told to end; a card that is being served is served to its end */
        report_end(&w.report, &end);
        if (exit_code == EXIT_OK)
            exit_code = end.exit_code;
        if (end.exit_code == EXIT_USAGE)
            break;
    }
    work_finish(&w);
    return exit_code;
}

const struct verb verb_run = {
    "run",
    "TICKET-OR-URL",
    "fulfil an order on the card in the reader ('-': from standard input)",
    run_options,
    1,
    1,
    run,
};
const struct verb verb_watch = {
    "watch",
    "TICKET-OR-URL",
    "fulfil an order on card after card ('-': from standard input)",
    watch_options,
    1,
    1,
    watch,
};
