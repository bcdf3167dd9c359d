/* SPDX-License-Identifier: Apache-2.0
 *
 * A reader whose card is a transcript. */
#include "relayed.h"

#include <reader.h>
#include <relay.h>

struct transcript {
    const struct view *lines;
    size_t count, at;
};

static enum err transmit(void *ctx, struct view capdu, struct writer *rapdu)
{
    struct transcript *t = ctx;
    if (t->at + 1 >= t->count || !view_equal(capdu, t->lines[t->at]))
        return ERR_CARD_GONE;
    wr_view(rapdu, t->lines[t->at + 1]);
    t->at += 2;
    return OK;
}

bool relay_transcript(const struct view *lines, size_t count, uint8_t *answer, size_t max, size_t *len)
{
    static const struct reader_ops ops = {.transmit = transmit};
    struct transcript t = {.lines = lines, .count = count};
    struct card_reader reader = {.ops = &ops, .ctx = &t};
    struct writer w;
    size_t bytes = 0;
    if (count == 0)
        return false;
    wr_fixed(&w, answer, max);
    enum err e = relay_command(&reader, lines[0], &w, &bytes);
    *len = w.len;
    return e == OK && wr_ok(&w) && t.at == count;
}
