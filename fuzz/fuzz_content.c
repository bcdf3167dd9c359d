/* links: ferry_card_testing */
/* SPDX-License-Identifier: Apache-2.0
 *
 * The fields of INSTALL, PUT KEY, STORE DATA, DELETE and the status commands, past the secure channel, on a
 * card with security domains and keys. The input is steps: a byte for the command and who gets it, P1, P2, a
 * length, that many bytes. Whatever comes, the card lives, its entries belong to domains that are there, and
 * its records give its state again. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "domain.h"
#include "testing/host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static card_handler *const handlers[] = {cmd_install, cmd_put_key,    cmd_store_data, cmd_delete,
                                         cmd_load,    cmd_get_status, cmd_set_status, cmd_get_data};
enum { HANDLERS = sizeof handlers / sizeof handlers[0], DOMAINS = 3 };

static const struct card_aid domains[DOMAINS] = {
    {.len = 0}, {{0xF0, 0, 0, 0, 0xD1}, 5}, {{0xF0, 0, 0, 0, 0xD2}, 5}};

/* Two domains, one with Authorized and one with Delegated Management and DAP verification, and keys of every
 * use for the issuer's. */
static void furnish(struct host *h)
{
    static const uint8_t privileges[DOMAINS][CARD_PRIVILEGES] = {{0}, {0x80, 0xC0, 0x40}, {0xE0, 0x80, 0}};
    static const uint8_t kvns[] = {0x70, 0x71, 0x73, 0x75};
    uint8_t bytes[16] = {1, 2, 3};
    struct writer w;
    wr_heap(&w, 4096);
    for (size_t n = 1; n < DOMAINS; n++) {
        struct card_application a = {.aid = domains[n], .life = STATE_PERSONALIZED};
        a.package = (struct card_aid){{0xA0, 0, 0, 1, 0x51, 0x53, 0x50}, 7};
        a.module = (struct card_aid){{0xA0, 0, 0, 1, 0x51, 0x53, 0x50, 0x41}, 8};
        memcpy(a.privileges, privileges[n], sizeof a.privileges);
        card_put_application(&w, &a);
    }
    for (size_t n = 0; n < sizeof kvns; n++) {
        struct card_key k = {.kvn = kvns[n], .kid = 1, .type = CARD_KEY_AES, .data = bytes, .len = 16};
        card_put_key(&w, &k);
    }
    assert(card_commit(&h->card, &w, false) == SW_OK);
    wr_free(&w);
}

static void step(struct host *h, uint8_t what, uint8_t p1, uint8_t p2, struct view v)
{
    struct apdu a = {.cla = 0x80, .p1 = p1, .p2 = p2, .data = v, .ne = 256};
    struct writer out;
    wr_heap(&out, RAPDU_MAX);
    h->card.now->selected = domains[what / HANDLERS % DOMAINS];
    if (!card_domain_selected(&h->card))
        h->card.now->selected.len = 0;
    (void)handlers[what % HANDLERS](&h->card, &a, &out);
    wr_free(&out);
    assert(!h->card.dead);
    assert(card_state_is_whole(&h->card.state));
    assert(card_memory_used(&h->card.state) <= h->card.state.profile.memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct crypto *crypto;
    static struct host h;
    struct reader r;
    if (crypto == NULL && crypto_new(&crypto) != OK)
        abort();
    if (host_init(&h, crypto, "modern", 0xFF) != OK)
        abort();
    furnish(&h);
    if (host_open(&h, 0, 0x01) != SW_OK)
        abort();
    rd_init(&r, view_of(data, len));
    while (rd_left(&r) != 0) {
        uint8_t what = rd_u8(&r), p1 = rd_u8(&r), p2 = rd_u8(&r);
        struct view v = rd_view(&r, rd_u8(&r));
        if (rd_ok(&r))
            step(&h, what, p1, p2, v);
    }
    assert(host_journal_is_whole(&h));
    host_finish(&h);
    return 0;
}
