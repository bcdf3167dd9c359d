/* links: ferry_card_testing */
/* SPDX-License-Identifier: Apache-2.0
 *
 * A whole conversation against a card in memory. The input: a byte for the kind of card, then steps of one
 * byte what, one byte length, and bytes: 0 a command as it is; 1 reset; 2 open a session at the level in the
 * first byte; 3 a command through the session; 4 the same with T=0 turned on or off; 5 the logical channel in
 * the first byte from here on; 6 commands go in parts, of the kind and length in two bytes; 7 an implicit
 * session begins; 8 quirks in four bytes. Whatever comes, the card answers with a status word, and its
 * records give its state again. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "testing/host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum {
    STEP_SEND,
    STEP_RESET,
    STEP_OPEN,
    STEP_SECURE,
    STEP_T0,
    STEP_CHANNEL,
    STEP_PARTS,
    STEP_IMPLICIT,
    STEP_QUIRKS,
    STEP_COUNT
};

static const struct {
    const char *name;
    uint8_t i;
} kinds[] = {{"modern", 0xFF},  {"classic", 0xFF}, {"token", 0xFF},   {"museum", 0xFF},
             {"classic", 0x1A}, {"classic", 0x75}, {"classic", 0x2B}, {"modern", 0x71}};
enum { KIND_COUNT = sizeof kinds / sizeof kinds[0] };

/* How the host speaks from here on, or what the card is. */
static void change(struct host *h, uint8_t what, struct view v)
{
    struct reader r;
    rd_init(&r, v);
    switch (what) {
    case STEP_CHANNEL:
        h->number = rd_u8(&r) % CARD_LOGICAL_CHANNELS;
        break;
    case STEP_PARTS:
        h->chain = rd_u8(&r) % 3;
        h->part = 1u + rd_u8(&r) % 255u;
        break;
    case STEP_IMPLICIT:
        (void)!host_begin_implicit(h);
        break;
    default: /* a card is made with its quirks, so they go into its journal, too */
        card_put_quirks(&h->journal, rd_u32(&r) & QUIRKS_ALL);
        rd_init(&r, v);
        h->card.state.profile.quirks = rd_u32(&r) & QUIRKS_ALL;
        break;
    }
}

static void step(struct host *h, uint8_t what, struct view v)
{
    switch (what % STEP_COUNT) {
    case STEP_SEND:
        if (host_send(h, v) == 0)
            abort();
        break;
    case STEP_RESET:
        card_reset(&h->card);
        break;
    case STEP_OPEN:
        host_open(h, 0, v.len != 0 ? v.data[0] : 0);
        break;
    case STEP_SECURE:
        if (v.len >= 4)
            host_secure(h, view_head(v, 4), view_tail(v, 4));
        break;
    case STEP_T0:
        h->card.t0 = !h->card.t0;
        break;
    default:
        change(h, what % STEP_COUNT, v);
        break;
    }
    assert(!h->card.dead);
    assert(card_memory_used(&h->card.state) <= h->card.state.profile.memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct crypto *crypto;
    static struct host h;
    struct reader r;
    if (crypto == NULL && crypto_new(&crypto) != OK)
        abort();
    rd_init(&r, view_of(data, len));
    uint8_t kind = rd_u8(&r);
    if (host_init(&h, crypto, kinds[kind % KIND_COUNT].name, kinds[kind % KIND_COUNT].i) != OK)
        abort();
    while (rd_left(&r) != 0) {
        uint8_t what = rd_u8(&r);
        struct view v = rd_view(&r, rd_u8(&r));
        if (rd_ok(&r))
            step(&h, what, v);
    }
    assert(host_journal_is_whole(&h));
    host_finish(&h);
    return 0;
}
