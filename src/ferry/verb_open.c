/* SPDX-License-Identifier: Apache-2.0
 *
 * ferry open: what the desktop starts for a cardferry: link. A page that anybody may have made gave that
 * link: so the user is asked first, with no connection opened before the answer. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "consent.h"
#include "question.h"
#include "verbs.h"

static const struct option_spec open_options[] = {
    {"reader", "READER", "pcsc:<name> or sim:<socket>; default: the first reader with a card"},
    {NULL, NULL, NULL},
};

enum { WAIT_FOR_CARD_MS = 120 * 1000 };

static bool is_link(const char *text)
{
    return strncmp(text, "cardferry:", strlen("cardferry:")) == 0;
}

/* The link, and of the profile nothing but whom to trust: neither its token nor its certificate are for a
 * server that a page has named. */
static bool read_link(struct work *w, const struct cli *cli, struct run_end *end)
{
    if (!is_link(cli->args[0])) {
        exchange_refused(end, reason_word(REASON_WRONG_TICKET), EXIT_WRONG_TICKET,
                         "this is no cardferry: link; an address or a ticket is for 'ferry run'");
        return false;
    }
    if (!work_ticket(w, cli, end))
        return false;
    struct profile trust = {0};
    memcpy(trust.ca, w->profile.ca, sizeof(trust.ca));
    w->profile = trust;
    return true;
}

/* What was done without proof is no failure; the page says what it is. */
static bool has_failed(const struct run_end *end)
{
    return end->exit_code != EXIT_OK && end->exit_code != EXIT_REPORTED &&
           strcmp(end->reason, "declined") != 0;
}

/* The page says how it went well; what went wrong may never have reached it. */
static void tell_failure(const struct run_end *end)
{
    char text[QUESTION_MAX];
    failure_of_end(text, end, language_here());
    consent_tell_failure(text, language_here());
}

static int open_link(const struct cli *cli)
{
    struct work w;
    struct run_end end = {0};
    bool terminal = isatty(STDOUT_FILENO) == 1;
    work_init(&w, cli);
    if (!terminal && !w.report.json)
        w.report.quiet = true;
    if (read_link(&w, cli, &end))
        ask_and_run(&w, cli_option(cli, "reader"), WAIT_FOR_CARD_MS, &end);
    report_end(&w.report, &end);
    work_finish(&w);
    if (w.report.quiet && end.exit_code != EXIT_OK)
        cli_error("%s: %s", end.outcome, end.detail);
    if (!terminal && has_failed(&end))
        tell_failure(&end);
    return end.exit_code;
}

const struct verb verb_open = {
    "open", "LINK", "ask the user, then fulfil the order of a cardferry: link", open_options, 1, 1, open_link,
};
