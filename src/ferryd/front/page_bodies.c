/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading what pages and clients send. */
#include "front/page_bodies.h"

#include <stdio.h>
#include <string.h>

#include <base/text.h>

/* ---- tickets and visits ---- */

enum err visit_read(const char *text, uint8_t out[VISIT_LEN])
{
    struct writer w;
    if (strlen(text) != VISIT_TEXT)
        return ERR_FORMAT;
    wr_fixed(&w, out, VISIT_LEN);
    enum err e = base64url_read(view_str(text), &w);
    return e == OK && (!wr_ok(&w) || w.len != VISIT_LEN) ? ERR_FORMAT : e;
}

void visit_write(const uint8_t name[VISIT_LEN], char out[VISIT_TEXT + 1])
{
    struct writer w;
    wr_fixed(&w, out, VISIT_TEXT + 1);
    base64url_put(&w, view_of(name, VISIT_LEN));
    wr_u8(&w, 0);
}

/* How many bytes stand before the point: no ticket has one in it. */
static size_t ticket_len(struct view text)
{
    const uint8_t *point = text.len > 0 ? memchr(text.data, '.', text.len) : NULL;
    return point != NULL ? (size_t)(point - text.data) : text.len;
}

void page_ticket_split(struct view text, struct page_ticket *out)
{
    uint8_t name[VISIT_LEN];
    *out = (struct page_ticket){.ticket = view_head(text, ticket_len(text))};
    struct view visit = view_tail(text, out->ticket.len + 1);
    if (visit.len != VISIT_TEXT)
        return;
    memcpy(out->visit, visit.data, VISIT_TEXT);
    if (visit_read(out->visit, name) != OK)
        out->visit[0] = '\0';
}

/* ---- progress ---- */

#define STAGE_ROW(id, word) [id] = word,
static const char *const stages[STAGE_COUNT] = {STAGE_LIST(STAGE_ROW)};

const char *stage_word(enum stage s)
{
    return (size_t)s < STAGE_COUNT ? stages[s] : "";
}

static enum err stage_by_word(const char *word, enum stage *out)
{
    for (size_t n = 0; n < STAGE_COUNT; n++) {
        if (strcmp(stages[n], word) == 0) {
            *out = (enum stage)n;
            return OK;
        }
    }
    return ERR_NOT_FOUND;
}

static enum err read_progress(const json_t *j, struct progress *out, char *why, size_t why_len)
{
    const char *card = json_text(j, "card");
    if (stage_by_word(json_text(j, "stage"), &out->stage) != OK)
        return why_not(ERR_ARGUMENT, why, why_len, "'stage' is none of the stages");
    if (!text_is_line(view_str(json_text(j, "reader"))))
        return why_not(ERR_ARGUMENT, why, why_len, "'reader' is not a line that can be shown");
    if (card[strspn(card, "0123456789ABCDEF-")] != '\0')
        return why_not(ERR_ARGUMENT, why, why_len, "'card' is not the number of a card");
    (void)snprintf(out->reader, sizeof(out->reader), "%s", json_text(j, "reader"));
    (void)snprintf(out->card, sizeof(out->card), "%s", card);
    out->done = (uint32_t)json_number(j, "done", 0);
    out->total = (uint32_t)json_number(j, "total", 0);
    if (out->done > out->total)
        return why_not(ERR_ARGUMENT, why, why_len, "'done' is above 'total'");
    return OK;
}

enum err progress_parse(struct view body, struct progress *out, char *why, size_t why_len)
{
    static const struct json_rule rules[] = {{"stage", TAKE_TEXT, true, WORD_MAX},
                                             {"reader", TAKE_TEXT, false, READER_TEXT_MAX},
                                             {"card", TAKE_TEXT, false, CARD_NUMBER_TEXT_MAX},
                                             {"done", TAKE_NUMBER, false, PROGRESS_MAX},
                                             {"total", TAKE_NUMBER, false, PROGRESS_MAX}};
    struct progress p = {.done = 0};
    json_t *j = NULL;
    enum err e = json_open(&j, body, PAGE_BODY_MAX, why, why_len);
    if (e == OK)
        e = json_check(j, rules, sizeof(rules) / sizeof(rules[0]), why, why_len);
    if (e == OK)
        e = read_progress(j, &p, why, why_len);
    if (e == OK)
        *out = p;
    json_decref(j);
    return e;
}

/* ---- the wish for a visit ---- */

static bool is_session_id(const char *text)
{
    return text[0] == '\0' || (strlen(text) == ID_TEXT && text[strspn(text, "0123456789abcdef")] == '\0');
}

enum err visit_body_parse(struct view body, struct visit_body *out, char *why, size_t why_len)
{
    static const struct json_rule rules[] = {{"ticket", TAKE_TEXT, true, TICKET_MAX + 1 + VISIT_TEXT},
                                             {"session", TAKE_TEXT, false, ID_TEXT}};
    json_t *j = NULL;
    enum err e = json_open(&j, body, PAGE_BODY_MAX, why, why_len);
    if (e == OK)
        e = json_check(j, rules, sizeof(rules) / sizeof(rules[0]), why, why_len);
    if (e == OK && !is_session_id(json_text(j, "session")))
        e = why_not(ERR_ARGUMENT, why, why_len, "'session' is not the name of a session");
    if (e == OK) {
        *out = (struct visit_body){.session = ""};
        (void)snprintf(out->ticket, sizeof(out->ticket), "%s", json_text(j, "ticket"));
        (void)snprintf(out->session, sizeof(out->session), "%s", json_text(j, "session"));
    }
    json_decref(j);
    return e;
}
