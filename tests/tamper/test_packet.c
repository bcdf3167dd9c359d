/* SPDX-License-Identifier: Apache-2.0
 *
 * A client that changes what it was given. Whatever it does to the packet, no command takes effect but those
 * that the server signed, in the order in which it signed them; and the card is as good as before afterwards.
 */
#include "attack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- Changed packets --------------------------------------------------------------------------------- */

static struct bench_setup setup_of(bool classic)
{
    return classic ? bench_classic() : bench_modern();
}

static void no_flipped_byte_is_accepted(bool classic, uint8_t mask)
{
    struct scene w;
    const struct bench_setup setup = setup_of(classic);
    scene_open(&w, &setup);
    struct attack a = attack_none;
    (void)attack_run(&w.b, &a, false);
    const size_t bytes = a.bytes;
    assert_true(bytes > 400);
    assert_int_equal(a.last_change, 4); /* EXTERNAL AUTHENTICATE, for load, two LOADs, for install */
    for (size_t n = 0; n < bytes; n++) {
        scene_fresh(&w);
        a = attack_none;
        a.flip = n;
        a.mask = mask;
        struct bench_result r = attack_run(&w.b, &a, n % 2 == 1);
        attack_expect_flip(classic ? "SCP02" : "SCP03", &w, &a, &r);
        if (n % 37 == 0)
            scene_usable(&w, "flip");
    }
    scene_close(&w);
}

static void flip_low_bits_scp03(void **state)
{
    (void)state;
    no_flipped_byte_is_accepted(false, 0x01);
}

static void flip_high_bits_scp03(void **state)
{
    (void)state;
    no_flipped_byte_is_accepted(false, 0x80);
}

static void flip_low_bits_scp02(void **state)
{
    (void)state;
    no_flipped_byte_is_accepted(true, 0x01);
}

/* Each command left out, doubled, or changed with its neighbour: the signature of the next one holds it. */
static void nothing_can_be_dropped_doubled_or_swapped(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 4; round++) {
        struct scene w;
        const struct bench_setup setup = setup_of(round % 2 == 1);
        scene_open(&w, &setup);
        struct attack a = attack_none;
        (void)attack_run(&w.b, &a, false);
        const size_t commands = a.commands;
        for (size_t n = 0; n + 1 < commands; n++) {
            for (unsigned kind = 0; kind < ATTACK_KINDS; kind++)
                attack_order(round % 2 == 1 ? "SCP02" : "SCP03", &w, kind, n, round >= 2);
        }
        scene_close(&w);
    }
}

/* ---- Replay ------------------------------------------------------------------------------------------ */

static void initialize_update(struct vcard *card, uint8_t kvn)
{
    const uint8_t capdu[] = {0x80, 0x50, kvn, 0x00, 0x08, 1, 2, 3, 4, 5, 6, 7, 8, 0x00};
    struct writer rapdu;
    wr_heap(&rapdu, RAPDU_MAX);
    vcard_send(card, VIEW_OF(capdu), &rapdu);
    wr_free(&rapdu);
}

static void a_packet_works_once_on_one_card(void **state)
{
    (void)state;
    for (unsigned classic = 0; classic < 2; classic++) {
        struct scene w;
        struct recorder r;
        const struct bench_setup setup = setup_of(classic == 1);
        scene_open(&w, &setup);
        const struct bench_client client = recorder_client(&r);
        const uint8_t kvn = classic == 1 ? 0xFF : 0x30;
        struct bench_result result = bench_run(&w.b, "install", &client);
        assert_true(result.outcome == OUTCOME_CONFIRMED || result.outcome == OUTCOME_REPORTED);
        assert_int_equal(r.accepted_again, 0);

        vcard_reset(w.b.card);
        assert_int_equal(packet_play(w.b.card, wr_view_of(&r.packet), 0), 0);
        initialize_update(w.b.card, kvn);
        assert_int_equal(packet_play(w.b.card, wr_view_of(&r.packet), 0), 0);

        /* Another card with the same keys: its challenge is another. */
        w.setup.card.serial++;
        bench_change_card(&w.b, &w.setup.card);
        assert_int_equal(packet_play(w.b.card, wr_view_of(&r.packet), 0), 0);
        initialize_update(w.b.card, kvn);
        assert_int_equal(packet_play(w.b.card, wr_view_of(&r.packet), 0), 0);
        assert_false(attack_has_application(&w.b));
        recorder_finish(&r);
        scene_close(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flip_low_bits_scp03),
        cmocka_unit_test(flip_high_bits_scp03),
        cmocka_unit_test(flip_low_bits_scp02),
        cmocka_unit_test(nothing_can_be_dropped_doubled_or_swapped),
        cmocka_unit_test(a_packet_works_once_on_one_card),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
