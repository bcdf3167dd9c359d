/* SPDX-License-Identifier: Apache-2.0
 *
 * Handing out responses, and keeping what the reader has yet to fetch. */
#include "waiting.h"

#include <string.h>

#include "logical.h"

void waiting_end(struct card *card)
{
    wr_clear(&card->waiting);
    card->waiting_repeat = false;
}

/* Fetches from what waits: at most ne bytes, then 61xx for the rest or the status word. */
uint16_t waiting_fetch(struct card *card, size_t ne, struct writer *out)
{
    struct view all = wr_view_of(&card->waiting);
    struct view part = view_head(all, ne), rest = view_tail(all, part.len);
    wr_view(out, part);
    if (rest.len == 0) {
        uint16_t sw = card->waiting_sw;
        waiting_end(card);
        return sw;
    }
    struct writer left;
    wr_heap(&left, RAPDU_MAX);
    wr_view(&left, rest);
    wr_clear(&card->waiting);
    wr_view(&card->waiting, wr_view_of(&left));
    wr_free(&left);
    return (uint16_t)(0x6100 | (rest.len > 255 ? 0 : rest.len));
}

uint16_t waiting_get_response(struct card *card, const struct apdu *a, struct writer *out)
{
    size_t have = card->waiting.len;
    if (a->p1 != 0 || a->p2 != 0)
        return SW_INCORRECT_P1P2;
    if (have == 0 || card->waiting_repeat || logical_number(a->cla) != logical_number(card->waiting_head[0]))
        return SW_CONDITIONS;
    if (a->ne == 0)
        return SW_WRONG_LENGTH;
    if (a->ne > have && card_has_quirk(card, QUIRK_EXACT_GET_RESPONSE))
        return SW_CONDITIONS;
    if (a->ne > have && !(a->ne == 256 && have < 256))
        return (uint16_t)(0x6C00 | (have & 0xFF));
    return waiting_fetch(card, a->ne, out);
}

static uint16_t hold(struct card *card, const struct apdu *a, struct view data, uint16_t sw, bool repeat)
{
    const uint8_t head[4] = {a->cla, a->ins, a->p1, a->p2};
    wr_clear(&card->waiting);
    wr_view(&card->waiting, data);
    if (!wr_ok(&card->waiting))
        return SW_NO_DIAGNOSIS;
    card->waiting_sw = sw;
    card->waiting_repeat = repeat;
    memcpy(card->waiting_head, head, sizeof head);
    return (uint16_t)((repeat ? 0x6C00 : 0x6100) | (data.len > 255 ? 0 : data.len));
}

/* ISO/IEC 7816-3 12.2.1: on T=0 a response goes out only behind a command without data and with exactly its
 * length; otherwise the reader fetches it. On T=1 a response that is longer than asked for is announced, too.
 * The command is not executed again: what it did was done. */
uint16_t waiting_deliver(struct card *card, const struct apdu *a, struct view data, uint16_t sw,
                         struct writer *out)
{
    if (data.len == 0)
        return sw;
    bool asks = a->ne != 0;
    if (card->t0 && (a->data.len != 0 || !asks))
        return hold(card, a, data, sw, false);
    if ((card->t0 && a->ne != data.len && data.len <= 256) || (asks && a->ne < data.len && data.len <= 256))
        return hold(card, a, data, sw, true);
    if (asks && a->ne < data.len) {
        uint16_t more = hold(card, a, data, sw, false);
        return more == SW_NO_DIAGNOSIS ? more : waiting_fetch(card, a->ne, out);
    }
    wr_view(out, data);
    return sw;
}

bool waiting_repeats(const struct card *card, const struct apdu *a)
{
    const uint8_t head[4] = {a->cla, a->ins, a->p1, a->p2};
    return card->waiting_repeat && a->ne == card->waiting.len &&
           view_equal(VIEW_OF(head), VIEW_OF(card->waiting_head));
}
