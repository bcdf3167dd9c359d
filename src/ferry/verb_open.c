/* SPDX-License-Identifier: Apache-2.0
 *
 * ferry open: what the desktop starts for a cardferry: link. A page that anybody may have made gave that
 * link: so the user is asked first, with no connection opened before the answer. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <gp/identity.h>

#include "consent.h"
#include "identify.h"
#include "question.h"
#include "verbs.h"
#include "work.h"

static const struct option_spec open_options[] = {
    {"reader", "READER", "pcsc:<name> or sim:<socket>; default: the first reader with a card"},
    {NULL, NULL, NULL},
};

enum { WAIT_FOR_CARD_MS = 120 * 1000 };

/* What the user was shown. */
struct shown {
    char reader[128];
    char number[2 * CARD_NUMBER_MAX + 2];
};

/* Which card is in the reader, asked of the card alone. Without one the question says so. */
static void look_at_card(struct shown *s, const char *spec)
{
    struct card_reader reader = {0};
    struct reader_problem why;
    struct identity id;
    *s = (struct shown){0};
    if (reader_open(&reader, spec, 0, &why) != OK)
        return;
    snprintf(s->reader, sizeof(s->reader), "%s", reader.name);
    if (identify_card(&reader, VIEW_NULL, &id) != OK || identity_card_number(&id, s->number) != OK)
        s->number[0] = '\0';
    reader_close(&reader);
}

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

static enum err ask(const struct work *w, const struct shown *s)
{
    char text[QUESTION_MAX];
    struct question_card card = {s->reader[0] != '\0' ? s->reader : NULL, s->number};
    question_of_order(text, &w->ticket, &card, language_here());
    return consent_ask(text, language_here());
}

/* The page may know that the user said no; nothing else is sent. */
static void decline(struct work *w, struct run_end *end)
{
    if (work_connect(w, end))
        exchange_refused(end, "declined", EXIT_NOT_ALLOWED, "you did not agree: nothing was done");
}

static void go_on(struct work *w, const struct cli *cli, const struct shown *s, struct run_end *end)
{
    if (!work_connect(w, end))
        return;
    report_client(&w->report);
    w->agreed_card = s->number;
    work_card(w, cli_option(cli, "reader"), WAIT_FOR_CARD_MS, end);
}

static void ask_and_go_on(struct work *w, const struct cli *cli, struct run_end *end)
{
    struct shown s;
    look_at_card(&s, cli_option(cli, "reader"));
    enum err e = ask(w, &s);
    if (e == OK)
        go_on(w, cli, &s, end);
    else if (e == ERR_POLICY)
        decline(w, end);
    else
        exchange_refused(end, "nobody-to-ask", EXIT_NOT_ALLOWED,
                         "there is nobody to ask: no terminal, and no desktop with zenity or kdialog");
}

/* The page says how it went well; what went wrong may never have reached it. */
static void tell_failure(const struct run_end *end)
{
    char text[QUESTION_MAX];
    snprintf(text, sizeof(text), "%s\n\n%s\n%s", word_text(WORD_FAILED, language_here()), end->detail,
             end->advice);
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
        ask_and_go_on(&w, cli, &end);
    report_end(&w.report, &end);
    work_finish(&w);
    if (w.report.quiet && end.exit_code != EXIT_OK)
        cli_error("%s: %s", end.outcome, end.detail);
    if (!terminal && end.exit_code != EXIT_OK && strcmp(end.reason, "declined") != 0)
        tell_failure(&end);
    return end.exit_code;
}

const struct verb verb_open = {
    "open", "LINK", "ask the user, then fulfil the order of a cardferry: link", open_options, 1, 1, open_link,
};
