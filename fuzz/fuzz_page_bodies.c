/* links: ferryd_core */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a client's progress, a page's wish for a visit, or a ticket with a visit, the first byte says
 * which: refused with a sentence, or read whole and within its limits. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include <base/text.h>

#include "front/page_bodies.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void progress(struct view body)
{
    char why[100] = "";
    struct progress p;
    enum err e = progress_parse(body, &p, why, sizeof(why));
    if (e != OK) {
        assert(why[0] != '\0');
        return;
    }
    assert(p.stage < STAGE_COUNT && stage_word(p.stage)[0] != '\0');
    assert(p.done <= p.total && p.total <= PROGRESS_MAX);
    assert(text_is_line(view_str(p.reader)) && strspn(p.card, "0123456789ABCDEF-") == strlen(p.card));
}

static void visit(struct view body)
{
    char why[100] = "";
    struct visit_body b;
    enum err e = visit_body_parse(body, &b, why, sizeof(why));
    assert(e == OK || why[0] != '\0');
    if (e == OK)
        assert(strlen(b.session) == 0 || strlen(b.session) == ID_TEXT);
}

static void ticket(struct view text)
{
    uint8_t name[VISIT_LEN];
    char again[VISIT_TEXT + 1];
    struct page_ticket t;
    page_ticket_split(text, &t);
    assert(view_starts(text, t.ticket) &&
           (t.ticket.len == 0 || memchr(t.ticket.data, '.', t.ticket.len) == NULL));
    if (t.visit[0] == '\0')
        return;
    /* One way only to write a visit. */
    assert(text.len == t.ticket.len + 1 + VISIT_TEXT && visit_read(t.visit, name) == OK);
    visit_write(name, again);
    assert(strcmp(again, t.visit) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static void (*const parsers[])(struct view) = {progress, visit, ticket};
    if (len > 0)
        parsers[data[0] % (sizeof(parsers) / sizeof(parsers[0]))](view_tail(view_of(data, len), 1));
    return 0;
}
