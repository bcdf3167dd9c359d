/* SPDX-License-Identifier: Apache-2.0
 *
 * Every command that changes what the card remembers is one transaction: the memory takes it and it happened,
 * or it does not and nothing has. A transaction itself is whole or was never there (test_nvm.c). */
#include "testing/conversation.h"

#include "domain.h"

static const char *const commands[] = {
    "80E60C000007A000000151535008A00000015153504105F0000000D1018002C90000", /* a security domain */
    "80E60C000007A000000151535008A00000015153504105F0000000D2018002C90000",
    "80E604000005F00000000106F0000000010106F00000000101010002C90000", /* an application, then selectable */
    "80E60800000000"
    "06F00000000101010400"
    "00",
    "80E6400000000006F00000000101030010000000", /* its privileges */
    "80D800010031881045"
    "33BFD23699FC7C142D20BB1A4A191F033544E0", /* a key, its neighbour, both go */
    "80D800010074B04104148B71D3DB76F681A4EE53CAFE2F0F8EEF0A62423FC46CD2B64F210EA9A336E332820E22BCEC0AE9F2"
    "6515CF2D661C307A5FAA5B837DB23D334A8BC4B440B273F0010000",
    "80E4000000D20131",
    "80E4000000D00101D20174",
    "80E29000004202123445020A0B5F500141", /* objects */
    "80E2880000007004420299AA",
    "80E2880000"
    "00B919B90F9501848001B0810141820101830173B9068001F08501000036"
    "41"
    "04148B71D3DB76F681A4EE53CAFE2F0F8EEF0A62423FC46CD2B64F210EA9A336E3"
    "32820E22BCEC0AE9F26515CF2D661C307A5FAA5B837DB23D334A8BC4B440B273",
    "80F0408000F0000000D1", /* locked and back, the tree, too */
    "80F0400000F0000000D1",
    "80F0608000F0000000D1",
    "80F0600000F0000000D1",
    "!D1", /* becomes PERSONALIZED */
    "80E610000005F0000000D1"
    "0006F00000000101000000", /* moves, and back with new privileges */
    "80E640000008A000000151000000"
    "0006F00000000101030000"
    "000000",
    "80E610000005F0000000D1"
    "0005F0000000D2000000",
    "80E40000004F05F0000000D2",
    "80E40080004F05F000000001",
    "80E40000004F05F0000000D1",
    "80F0800700",
};

static void put_state(struct writer *w)
{
    wr_heap(w, CARD_FRAME_MAX);
    card_state_put(&h->card.state, w);
    assert_true(wr_ok(w));
}

static void try_command(const char *command)
{
    struct writer before, after;
    put_state(&before);
    h->refuse_commits = true;
    uint16_t sw = say(command);
    h->refuse_commits = false;
    put_state(&after);
    if (sw != SW_MEMORY || !view_equal(wr_view_of(&before), wr_view_of(&after)))
        fail_msg("%s: %04X where the memory takes nothing", command, sw);
    wr_free(&after);
    unsigned commits = h->commits;
    sw = say(command);
    put_state(&after);
    if (sw != SW_OK || h->commits != commits + 1 || view_equal(wr_view_of(&before), wr_view_of(&after)))
        fail_msg("%s: %04X, %u transactions", command, sw, h->commits - commits);
    wr_free(&before);
    wr_free(&after);
    assert_true(card_state_is_whole(&h->card.state));
    assert_false(h->card.dead);
}

/* What a restart would read is what the card has. */
static void check_journal(void)
{
    struct writer now, again;
    struct card_state *s = calloc(1, sizeof *s);
    assert_non_null(s);
    put_state(&now);
    assert_int_equal(card_state_apply(s, wr_view_of(&h->journal)), OK);
    wr_heap(&again, CARD_FRAME_MAX);
    card_state_put(s, &again);
    assert_true(view_equal(wr_view_of(&now), wr_view_of(&again)));
    card_state_finish(s);
    free(s);
    wr_free(&now);
    wr_free(&again);
}

static void each_command_happens_or_not(void **state)
{
    (void)state;
    new_card("modern", 0xFF);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    assert_int_equal(
        secret_set(&h->card.now->session.channel.s_dek, vector_hex("404142434445464748494A4B4C4D4E4F")), OK);
    assert_int_equal(load_hello(), SW_OK);
    for (size_t n = 0; n < sizeof commands / sizeof commands[0]; n++) {
        if (commands[n][0] == '!') {
            assert_int_equal(say("-00A4040005F0000000D100"), SW_OK);
            assert_int_equal(host_open(h, 0, 0x01), SW_OK);
            try_command("80F0400F00F0000000D1");
            assert_int_equal(say("-00A4040000"), SW_OK);
            assert_int_equal(host_open(h, 0, 0x01), SW_OK);
        } else {
            try_command(commands[n]);
        }
        check_journal();
    }
    end_card();
}

/* The last LOAD, too. */
static void a_load_happens_or_not(void **state)
{
    (void)state;
    new_card("modern", 0xFF);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    h->refuse_commits = true;
    assert_int_equal(load_hello(), SW_MEMORY);
    assert_int_equal(h->card.state.package_count, 0);
    h->refuse_commits = false;
    unsigned commits = h->commits;
    assert_int_equal(load_hello(), SW_OK);
    assert_int_equal(h->commits, commits + 1);
    end_card();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_command_happens_or_not),
        cmocka_unit_test(a_load_happens_or_not),
    };
    return cmocka_run_group_tests(tests, conversation_setup, conversation_teardown);
}
