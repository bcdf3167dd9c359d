/* links: ferry_core */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text as the record of a card's openings: what is accepted is written and read again as the same. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "local_ledger.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ledger l, again;
    struct writer text;
    if (size > LEDGER_TEXT_MAX || ledger_parse(&l, view_of(data, size)) != OK)
        return 0;
    wr_heap(&text, LEDGER_TEXT_MAX);
    ledger_put(&l, &text);
    assert(wr_ok(&text) && ledger_parse(&again, wr_view_of(&text)) == OK);
    assert(again.count == l.count && again.refused_content == l.refused_content);
    assert(memcmp(again.rows, l.rows, sizeof(l.rows)) == 0);
    wr_free(&text);
    return 0;
}
