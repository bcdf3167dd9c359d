/* links: ferry_core */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Any body, any file of pairings: a body is a ticket of plain letters, or {}, never both; a file that is read
 * is written the same again. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "agent_gate.h"
#include "agent_pairings.h"

static void pairings(struct view text)
{
    static struct agent_pairings p;
    static struct agent_pairings again;
    struct writer w;
    if (agent_pairings_parse(&p, text) != OK)
        return;
    wr_heap(&w, PAIRINGS_BYTES_MAX);
    agent_pairings_put(&w, &p);
    assert(wr_ok(&w) && agent_pairings_parse(&again, wr_view_of(&w)) == OK);
    assert(again.count == p.count);
    wr_free(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    char ticket[AGENT_TICKET_MAX + 1];
    struct view v = view_of(data, size);
    bool empty = agent_read_empty(v) == OK;
    if (agent_read_ticket(v, ticket) == OK)
        assert(!empty && *ticket != '\0' && strspn(ticket, letters) == strlen(ticket));
    pairings(v);
    return 0;
}
