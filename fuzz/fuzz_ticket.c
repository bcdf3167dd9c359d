/* links: ferry_core */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Any link, URL or ticket: what is accepted is an https:// URL with printable letters only. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "ticket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[2048];
    struct ticket t, next;
    struct ticket_problem why;
    if (ticket_parse_trigger(&t, view_of(data, size)) == OK)
        assert(strncmp(t.url, "https://", 8) == 0);
    if (size >= sizeof(text))
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (ticket_parse(&t, text, "https://localhost", &why) == OK) {
        assert(strncmp(t.url, "https://", 8) == 0);
        for (const char *c = t.url; *c != '\0'; c++)
            assert(*c > ' ' && *c < 0x7F);
        assert(ticket_next(&next, &t, "/x") == OK);
    }
    return 0;
}
