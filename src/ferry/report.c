/* SPDX-License-Identifier: Apache-2.0
 *
 * Prints a run, for people or for machines. Foreign text is escaped: by JSON, or for a terminal letter by
 * letter. */
#include "report.h"

#include <base/text.h>
#include <gp/command.h>
#include <session/outcome.h>

#include <string.h>
#include <unistd.h>

#include <jansson.h>

enum { BAR_WIDTH = 40, HEX_MAX = 2 * 33 + 1 };

void report_init(struct report *r, FILE *out, bool json, bool quiet)
{
    *r = (struct report){.out = out, .json = json, .quiet = quiet, .bar = !json && isatty(fileno(out)) == 1};
}

/* Words of docs/web.md; those of a line on the terminal are the same. */
static const char stage_client[] = "client", stage_declined[] = "declined", stage_no_reader[] = "no-reader",
                  stage_no_card[] = "no-card", stage_reader[] = "reader", stage_identify[] = "identify",
                  stage_authenticate[] = "authenticate", stage_deliver[] = "deliver",
                  stage_settle[] = "settle", stage_lost[] = "lost", stage_error[] = "error",
                  stage_ended[] = "ended";

/* Takes the reference. */
static void put_json(struct report *r, json_t *event)
{
    if (event == NULL)
        return;
    json_dumpf(event, r->out, JSON_COMPACT | JSON_PRESERVE_ORDER);
    fputc('\n', r->out);
    fflush(r->out);
    json_decref(event);
}

/* What a server or reader calls itself must not move the cursor. */
static void put_printable(FILE *out, const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++)
        fputc(*c < ' ' || *c == 0x7F ? '?' : *c, out);
}

static void end_bar(struct report *r)
{
    if (r->bar_open)
        fputc('\n', r->out);
    r->bar_open = false;
}

static void put_line(struct report *r, const char *head, const char *text)
{
    if (r->quiet)
        return;
    end_bar(r);
    fprintf(r->out, "%-13s", head);
    put_printable(r->out, text);
    fputc('\n', r->out);
    fflush(r->out);
}

/* What the page is told: the same again is not news. */
static void tell(struct report *r, const char *stage, size_t done, size_t total)
{
    struct progress_state *t = &r->told;
    if (t->stage == stage && t->done == done && t->total == total)
        return;
    t->stage = stage;
    t->done = done;
    t->total = total;
    progress_tell(r->progress, t);
}

void report_client(struct report *r)
{
    tell(r, stage_client, 0, 0);
}

void report_missing(struct report *r, enum err e)
{
    tell(r, e == ERR_NO_READER ? stage_no_reader : stage_no_card, 0, 0);
}

void report_card(struct report *r, const char *number)
{
    snprintf(r->told.card, sizeof(r->told.card), "%s", number);
    r->told.stage = NULL; /* the same stage, but more is known */
    tell(r, stage_reader, 0, 0);
}

void report_reader(struct report *r, const char *name, struct view atr)
{
    char hex[HEX_MAX];
    snprintf(r->told.reader, sizeof(r->told.reader), "%s", name);
    r->told.card[0] = '\0'; /* it may be another one than before */
    tell(r, stage_reader, 0, 0);
    hex_write(hex, view_head(atr, (HEX_MAX - 1) / 2));
    if (r->json) {
        put_json(r, json_pack("{s:s, s:s, s:s}", "event", "reader", "name", name, "atr", hex));
        return;
    }
    put_line(r, "reader", name);
    put_line(r, "card", hex);
}

void report_server(struct report *r, const char *url)
{
    /* The query holds the ticket: never shown. */
    char shown[256];
    snprintf(shown, sizeof(shown), "%.*s", (int)strcspn(url, "?"), url);
    if (r->json)
        put_json(r, json_pack("{s:s, s:s}", "event", "server", "url", shown));
    else
        put_line(r, "server", shown);
}

void report_step(struct report *r, const char *step, size_t commands)
{
    r->delivering = strcmp(step, "deliver") == 0;
    if (r->json)
        put_json(
            r, json_pack("{s:s, s:s, s:I}", "event", "step", "step", step, "commands", (json_int_t)commands));
}

static void format_bar(const struct report *r, char *text, size_t len)
{
    char bar[BAR_WIDTH + 1];
    size_t full = r->total > 0 ? r->done * BAR_WIDTH / r->total : 0;
    if (full > BAR_WIDTH)
        full = BAR_WIDTH;
    memset(bar, '#', full);
    memset(bar + full, '.', BAR_WIDTH - full);
    bar[BAR_WIDTH] = '\0';
    snprintf(text, len, "[%s] %zu of %zu commands", bar, r->done, r->total);
}

static void draw_bar(struct report *r, uint8_t ins)
{
    char text[BAR_WIDTH + 64];
    format_bar(r, text, sizeof(text));
    fprintf(r->out, "\r%-13s%s  %-24.24s", r->stage, text, command_name(ins));
    fflush(r->out);
    r->bar_open = true;
}

/* What a command is for, as the person sees it: the packet begins with the server's proof, the opening ends
 * with the question for the card's. */
static const char *stage_of(const struct report *r, uint8_t ins)
{
    if (ins == INS_INITIALIZE_UPDATE || ins == INS_EXTERNAL_AUTHENTICATE)
        return stage_authenticate;
    return r->delivering ? stage_deliver : stage_identify;
}

/* One line for the commands since the last one. */
static void end_stage(struct report *r)
{
    char text[BAR_WIDTH + 64];
    if (r->stage == NULL)
        return;
    if (r->stage == stage_deliver)
        format_bar(r, text, sizeof(text));
    else if (r->stage == stage_identify)
        snprintf(text, sizeof(text), "%zu commands", r->stage_commands);
    else if (r->sw != SW_OK)
        snprintf(text, sizeof(text), "the card answers %04X", r->sw);
    else
        snprintf(text, sizeof(text), "%s",
                 r->delivering ? "the server has proven itself to the card" : "random numbers are exchanged");
    if (r->bar_open)
        fputs("\r\033[K", r->out); /* the line takes the place of the bar */
    r->bar_open = false;
    put_line(r, r->stage, text);
    r->stage = NULL;
    r->stage_commands = 0;
}

void report_command(struct report *r, size_t done, size_t total, uint8_t ins, uint16_t sw)
{
    char hex[8];
    const char *stage = stage_of(r, ins);
    tell(r, stage, done, total);
    if (r->json) {
        snprintf(hex, sizeof(hex), "%04X", sw);
        put_json(r, json_pack("{s:s, s:I, s:I, s:s, s:s}", "event", "command", "done", (json_int_t)done,
                              "total", (json_int_t)total, "name", command_name(ins), "sw", hex));
        return;
    }
    if (stage != r->stage)
        end_stage(r);
    r->stage = stage;
    r->stage_commands++;
    r->sw = sw;
    r->done = done;
    r->total = total;
    if (stage == stage_deliver && r->bar && !r->quiet)
        draw_bar(r, ins);
}

void report_lost(struct report *r)
{
    tell(r, stage_lost, r->told.done, r->told.total);
}

void report_answers(struct report *r)
{
    if (r->delivering && r->told.stage != stage_lost)
        tell(r, stage_settle, r->told.done, r->told.total);
    if (r->json)
        return;
    end_stage(r);
    if (r->delivering)
        put_line(r, stage_settle, "the server verifies the card's answers");
}

void report_note(struct report *r, const char *text)
{
    if (r->json)
        put_json(r, json_pack("{s:s, s:s}", "event", "note", "text", text));
    else
        put_line(r, "", text);
}

/* The last word is the one that says what to do: a card that was pulled or is missing stays so. Otherwise it
 * ended as the server says itself, or the client has given up. */
static const char *last_stage(const struct report *r, const struct run_end *end)
{
    static const struct {
        const char *reason, *stage;
    } last[] = {{"declined", stage_declined}, {"card-pulled", stage_lost}};
    if (end->exit_code == EXIT_NO_CARD)
        return r->told.stage;
    for (size_t i = 0; i < sizeof(last) / sizeof(last[0]); i++)
        if (strcmp(end->reason, last[i].reason) == 0)
            return last[i].stage;
    return end->session[0] != '\0' ? stage_ended : stage_error;
}

void report_end(struct report *r, const struct run_end *end)
{
    tell(r, last_stage(r, end), r->told.done, r->told.total);
    char figures[160];
    if (r->json) {
        put_json(r, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:I, s:I, s:I, s:I, s:I}", "event", "end",
                              "outcome", end->outcome, "reason", end->reason, "detail", end->detail, "advice",
                              end->advice, "session", end->session, "posts", (int)end->posts, "commands",
                              (json_int_t)end->commands, "bytes", (json_int_t)end->bytes, "duration_ms",
                              (json_int_t)(end->duration_us / 1000), "card_ms",
                              (json_int_t)(end->card_us / 1000), "server_ms",
                              (json_int_t)(end->server_us / 1000)));
        return;
    }
    put_line(r, end->outcome, end->detail[0] != '\0' ? end->detail : end->reason);
    if (end->advice[0] != '\0')
        put_line(r, "", end->advice);
    if (end->posts == 0)
        return;
    snprintf(figures, sizeof(figures), "%u POST%s, %zu commands, %zu bytes, %.1f ms (card %.1f, server %.1f)",
             end->posts, end->posts == 1 ? "" : "s", end->commands, end->bytes,
             (double)end->duration_us / 1000, (double)end->card_us / 1000, (double)end->server_us / 1000);
    put_line(r, "", figures);
}
