/* links: ferry_core */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Any link, URL or ticket: what is accepted is an https:// URL with printable letters only, and what it says
 * that it is for can be shown. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include <base/text.h>

#include "ticket.h"

static void look(const struct ticket *t)
{
    char progress[URL_MAX];
    assert(strncmp(t->url, "https://", 8) == 0);
    for (const char *c = t->url; *c != '\0'; c++)
        assert(*c > ' ' && *c < 0x7F);
    assert(text_is_line(view_str(t->title)) && strpbrk(t->app, " \t\r\n/%\"'<&") == NULL);
    assert((t->app[0] != '\0') == (*t->purpose != '\0' && strcmp(t->purpose, "inspect") != 0));
    assert(t->title[0] == '\0' || t->app[0] != '\0');
    if (ticket_progress(t, progress) == OK)
        assert(strncmp(progress, t->url, 8 + ticket_host(t).len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[TICKET_TEXT_MAX];
    struct ticket t, next;
    struct ticket_problem why;
    if (ticket_parse_trigger(&t, view_of(data, size)) == OK)
        look(&t);
    if (size >= sizeof(text))
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (ticket_parse(&t, text, "https://localhost", &why) == OK) {
        look(&t);
        assert(ticket_next(&next, &t, "/x") == OK);
    }
    return 0;
}
