/* SPDX-License-Identifier: Apache-2.0
 *
 * From a ticket to a card, in the order in which it can fail. */
#include "work.h"

#include <base/secret.h>
#include <gp/identity.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "identify.h"

enum { LOOK_AGAIN_MS = 200 };

static bool keep_awake(void *arg)
{
    struct work *w = arg;
    if (w->reader.ops != NULL)
        reader_touch(&w->reader);
    return true;
}

void work_init(struct work *w, const struct cli *cli)
{
    *w = (struct work){0};
    report_init(&w->report, stdout, cli_flag(cli, "json"), cli_flag(cli, "quiet"));
}

/* One line of standard input. */
static enum err read_ticket(char out[TICKET_TEXT_MAX])
{
    struct writer w;
    wr_fixed(&w, out, TICKET_TEXT_MAX - 1);
    enum err e = read_file("-", TICKET_TEXT_MAX - 1, &w);
    out[w.len] = '\0';
    out[strcspn(out, "\r\n")] = '\0';
    return e;
}

static enum err parse_ticket(struct work *w, const char *text, struct ticket_problem *why)
{
    char line[TICKET_TEXT_MAX];
    const char *server = w->profile.server[0] != '\0' ? w->profile.server : NULL;
    if (strcmp(text, "-") != 0)
        return ticket_parse(&w->ticket, text, server, why);
    enum err e = read_ticket(line);
    if (e != OK)
        snprintf(why->text, sizeof(why->text), "no ticket can be read from standard input: %s", err_text(e));
    else
        e = ticket_parse(&w->ticket, line, server, why);
    wipe(line, sizeof(line));
    return e;
}

bool work_ticket(struct work *w, const struct cli *cli, struct run_end *end)
{
    struct ticket_problem why = {""};
    if (!profile_load(&w->profile, cli)) {
        exchange_refused(end, "usage", EXIT_USAGE, "the profile can't be used");
        return false;
    }
    if (parse_ticket(w, cli->args[0], &why) != OK) {
        exchange_refused(end, reason_word(REASON_WRONG_TICKET), EXIT_WRONG_TICKET, why.text);
        return false;
    }
    return true;
}

bool work_connect(struct work *w, struct run_end *end)
{
    char url[URL_MAX];
    struct remote_settings s = profile_remote(&w->profile);
    enum err e = ticket_progress(&w->ticket, url);
    if (e == OK)
        e = progress_new(&w->progress, &s, url);
    wipe(url, sizeof(url));
    s.idle = keep_awake;
    s.arg = w;
    if (e == OK || e == ERR_NOT_FOUND)
        e = remote_new(&w->remote, &s);
    if (e != OK) {
        exchange_refused(end, "error", EXIT_OTHER, "the HTTPS library can't be started");
        return false;
    }
    w->report.progress = w->progress;
    return true;
}

static long now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000L;
}

static void look_again_later(void)
{
    struct timespec pause = {.tv_nsec = LOOK_AGAIN_MS * 1000000L};
    nanosleep(&pause, NULL);
}

/* Looks again and again, rather than to leave the waiting to the reader: what is missing may change, and the
 * page says it. */
static enum err open_reader(struct work *w, const char *spec, int wait_ms, struct reader_problem *why)
{
    long start = now_ms();
    enum err e = reader_open(&w->reader, spec, 0, why);
    while (e == ERR_NO_READER || e == ERR_NO_CARD) {
        report_missing(&w->report, e);
        if (now_ms() - start >= wait_ms)
            break;
        look_again_later();
        e = reader_open(&w->reader, spec, 0, why);
    }
    return e;
}

/* The card that the user agreed to, and not another that was put in since. */
static bool is_agreed_card(struct work *w)
{
    char number[2 * CARD_NUMBER_MAX + 2];
    struct identity id;
    if (w->agreed_card == NULL || w->agreed_card[0] == '\0')
        return true;
    return identify_card(&w->reader, VIEW_NULL, &id) == OK && identity_card_number(&id, number) == OK &&
           strcmp(number, w->agreed_card) == 0;
}

void work_card(struct work *w, const char *spec, int wait_ms, struct run_end *end)
{
    struct reader_problem why = {""};
    enum err e = open_reader(w, spec, wait_ms, &why);
    if (e != OK) {
        bool no_card = e == ERR_NO_READER || e == ERR_NO_CARD;
        int code = e == ERR_ARGUMENT ? EXIT_USAGE : no_card ? EXIT_NO_CARD : EXIT_OTHER;
        exchange_refused(end, no_card ? "no-card" : "error", code,
                         why.text[0] != '\0' ? why.text : err_text(e));
        return;
    }
    if (!is_agreed_card(w)) {
        exchange_refused(end, "other-card", EXIT_NOT_ALLOWED,
                         "this is not the card that you agreed to: nothing was done; start again");
        return;
    }
    report_reader(&w->report, w->reader.name, view_of(w->reader.atr, w->reader.atr_len));
    report_server(&w->report, w->ticket.url);
    exchange_run(w->remote, &w->reader, &w->ticket, &w->report, end);
}

void work_finish(struct work *w)
{
    reader_close(&w->reader);
    progress_free(&w->progress);
    remote_free(&w->remote);
}
