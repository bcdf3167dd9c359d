/* SPDX-License-Identifier: Apache-2.0
 *
 * The order of things: look at the card, ask, and only then call anybody. */
#include "ask.h"

#include <gp/identity.h>

#include <stdio.h>

#include "consent.h"
#include "identify.h"
#include "question.h"

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

static void go_on(struct work *w, const char *reader, int wait_ms, const struct shown *s, struct run_end *end)
{
    if (!work_connect(w, end))
        return;
    report_client(&w->report);
    w->agreed_card = s->number;
    work_card(w, reader, wait_ms, end);
    w->agreed_card = NULL;
}

void ask_and_run(struct work *w, const char *reader, int wait_ms, struct run_end *end)
{
    struct shown s;
    look_at_card(&s, reader);
    enum err e = ask(w, &s);
    if (e == OK)
        go_on(w, reader, wait_ms, &s, end);
    else if (e == ERR_POLICY)
        decline(w, end);
    else
        exchange_refused(end, "nobody-to-ask", EXIT_NOT_ALLOWED,
                         "there is nobody to ask: no terminal, and no desktop with zenity or kdialog");
}
