/* links: ferry_card_testing */
/* SPDX-License-Identifier: Apache-2.0
 *
 * A card with keys for SCP11 and for signed commands, and a conversation. The input: steps of one byte what,
 * one byte length, and bytes: 0 a command as it is; 1 a certificate for PERFORM SECURITY OPERATION; 2 the
 * data of an AUTHENTICATE command (the first byte names the variant); 3 an opening by the right host; 4 a
 * command through that session; 5 a signed EXTERNAL AUTHENTICATE with this data; 6 a signed command; 7 reset.
 * Whatever comes, the card answers with a status word and lives. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "testing/keyed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct crypto *crypto;
static struct host *h;
static struct scp11_host scp11;
static struct signed_host sign;

static uint8_t first(struct view v)
{
    return v.len != 0 ? v.data[0] : 0;
}

static void send_apdu(uint8_t ins, uint8_t p2, struct view data)
{
    struct writer w;
    const struct apdu a = {.cla = 0x80, .ins = ins, .p1 = SCP11_KVN, .p2 = p2, .data = data};
    wr_heap(&w, CAPDU_MAX);
    apdu_put(&w, &a);
    assert(host_send(h, wr_view_of(&w)) != 0);
    wr_free(&w);
}

static void step_raw(struct view v)
{
    assert(host_send(h, v) != 0);
}

static void step_certificate(struct view v)
{
    send_apdu(0x2A, SCP11_KID_CA, v);
}

static void step_authenticate(struct view v)
{
    static const uint8_t kids[] = {SCP11_KID_A, SCP11_KID_B, SCP11_KID_C};
    uint8_t kid = kids[first(v) % 3];
    if (kid != SCP11_KID_B)
        (void)scp11_show(&scp11, SCP11_KVN, SCP11_KID_CA, wr_view_of(&scp11.certificate));
    send_apdu(kid == SCP11_KID_B ? 0x88 : 0x82, kid, view_tail(v, 1));
}

static void step_open(struct view v)
{
    if (first(v) & 0x80)
        (void)signed_open(&sign, first(v) & 0x7F);
    else
        (void)scp11_open(&scp11, first(v) & 1 ? SCP11_KID_A : SCP11_KID_C, 0x3C);
}

static void step_secure(struct view v)
{
    if (v.len >= 4)
        (void)host_secure(h, view_head(v, 4), view_tail(v, 4));
}

static void step_external(struct view v)
{
    const struct apdu a = {.cla = 0x80, .ins = 0x82, .p1 = first(v), .data = view_tail(v, 1)};
    struct writer w;
    wr_heap(&w, CAPDU_MAX);
    if (signed_initialize(&sign, SIGNED_KVN) == SW_OK && signed_put(&sign, &a, &w) == OK)
        (void)host_send(h, wr_view_of(&w));
    wr_free(&w);
}

static void step_signed(struct view v)
{
    if (v.len >= 4)
        (void)signed_secure(&sign, view_head(v, 4), view_tail(v, 4));
}

static void step_reset(struct view v)
{
    (void)v;
    card_reset(&h->card);
}

static void (*const steps[])(struct view v) = {step_raw,    step_certificate, step_authenticate, step_open,
                                               step_secure, step_external,    step_signed,       step_reset};
enum { STEPS = sizeof steps / sizeof steps[0], STEPS_MAX = 40 };

/* Keys are made once; each card gets them as records. */
static struct writer keys;

static void new_card(void)
{
    h = calloc(1, sizeof *h);
    if ((crypto == NULL && crypto_new(&crypto) != OK) || h == NULL ||
        host_init(h, crypto, "modern", 0xFF) != OK)
        abort();
    if (keys.data == NULL) {
        size_t start = h->journal.len;
        if (scp11_host_init(&scp11, h, CURVE_P256, false, NULL) != OK ||
            signed_host_init(&sign, h, 0x04) != OK)
            abort();
        wr_heap(&keys, CARD_FRAME_MAX);
        wr_view(&keys, view_tail(wr_view_of(&h->journal), start));
    } else if (card_state_apply(&h->card.state, wr_view_of(&keys)) != OK) {
        abort();
    }
    scp11.h = h;
    sign.h = h;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct reader r;
    new_card();
    rd_init(&r, view_of(data, len));
    for (int n = 0; n < STEPS_MAX && rd_left(&r) >= 2; n++) {
        uint8_t what = rd_u8(&r), step_len = rd_u8(&r);
        struct view v = rd_view(&r, step_len);
        if (!rd_ok(&r))
            break;
        steps[what % STEPS](v);
        assert(!h->card.dead);
    }
    host_finish(h);
    free(h);
    return 0;
}
