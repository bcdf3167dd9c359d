/* SPDX-License-Identifier: Apache-2.0
 *
 * Sessions: what opens them and what ends them, how failures and counters are counted, which levels there
 * are. */
#include "testing/conversation.h"

static void a_security_error_ends_the_session(void **state)
{
    static const struct line lines[] = {
        {"-84F28002084F000102030405", SW_WRONG_LENGTH, ""}, /* no command at all: the session stays */
        {"80F28002024F00", SW_OK, NULL},
        {"-84F280020A4F000102030405060708", SW_SECURITY_STATUS, ""},
        {"80F28002024F00", SW_SECURITY_STATUS, ""}, /* right, but too late */
        {"-80CA004200", SW_SECURITY_STATUS, ""},
        {"-8482010010000102030405060708090A0B0C0D0E0F", SW_SECURITY_STATUS, ""},
        {"-00A4040000", SW_OK, NULL},
        {"-80CA004200", SW_OK, NULL},
    };
    (void)state;
    new_card("modern", 0xFF);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    TALK(lines);
    assert_int_equal(host_open(h, 0, 0x33), SW_OK);
    assert_int_equal(say("80F28002024F00"), SW_OK);
    assert_int_equal(say("-80F28002024F0000"), SW_SECURITY_STATUS); /* below the level */
    assert_int_equal(say("80F28002024F00"), SW_SECURITY_STATUS);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK); /* a new session is possible */
    assert_int_equal(say("80F28002024F00"), SW_OK);
    end_card();
}

static void key_versions_are_told_apart(void **state)
{
    static const uint32_t management[] = {0x66, 0x73};
    struct view data = VIEW_NULL;
    struct reader r;
    struct tlv object;
    unsigned kinds = 0;
    (void)state;
    new_card("modern", 0xFF);
    struct card_state *s = &h->card.state;
    s->keysets[1] = s->keysets[0];
    s->keysets[1].kvn = 0x31;
    s->keysets[2] = s->keysets[0];
    s->keysets[2].kvn = 0x32;
    s->keysets[2].i = 0x60;
    s->keyset_count = 3;
    assert_int_equal(say("-80CA006600"), SW_OK);
    assert_true(tlv_path(host_data(h), management, 2, &data));
    rd_init(&r, data);
    while (tlv_next(&r, &object))
        kinds += object.tag == 0x64;
    assert_int_equal(kinds, 2); /* each kind of channel once */
    assert_int_equal(host_open(h, 0x32, 0x33), SW_OK);
    assert_int_equal(s->keysets[0].counter, 0);
    assert_int_equal(host_open(h, 0x31, 0x33), SW_OK);
    assert_int_equal(s->keysets[1].counter, 1);
    s->keysets[1].i = 0x40; /* an option that this card does not have */
    assert_int_equal(host_open(h, 0x31, 0x01), SW_REFERENCED_DATA);
    s->keyset_count = 0;
    assert_int_equal(say("-80CA00C100"), SW_REFERENCED_DATA);
    assert_int_equal(say("-80CA00E000"), SW_OK); /* GPCS 2.3.1 11.3.2.1: there is always one */
    assert_true(view_equal(host_data(h), vector_hex("E000")));
    end_card();
    new_card("classic", 0xFF);
    assert_int_equal(say("-80CA00C100"), SW_OK);
    assert_true(view_equal(host_data(h), vector_hex("C1020000")));
    end_card();
}

static void challenges_follow_the_counter_where_i_says_so(void **state)
{
    static const struct {
        const char *kind;
        uint8_t i;
        bool derived;
    } rows[] = {
        {"modern", 0x70, true}, {"modern", 0x60, false}, {"classic", 0x55, true}, {"classic", 0x15, false}};
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        uint8_t challenge[CARD_CHALLENGE_MAX];
        new_card(rows[n].kind, rows[n].i);
        assert_int_equal(say("-8050000008010203040506070800"), SW_OK);
        const struct card_keyset *k = &h->card.state.keysets[0];
        const struct card_channel_ops *ops = card_channel_ops(k->scp);
        struct card_static_keys keys = {k->enc, k->mac, k->dek};
        struct view isd = card_aid_view(&h->card.state.profile.isd);
        assert_int_equal(ops->pseudo_random(crypto, &keys, k->i, k->counter, isd, challenge), OK);
        struct view told = view_tail(host_data(h), k->scp == 0x02 ? 14 : 13);
        size_t len = ops->card_challenge_len(k->i);
        if (view_equal(view_head(told, len), view_of(challenge, len)) != rows[n].derived)
            fail_msg("row %zu", n);
        end_card();
    }
}

static void nothing_is_written_for_nothing(void **state)
{
    (void)state;
    new_card("modern", 0x60);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    assert_int_equal(h->commits, 0); /* no counter, no failure to forget */
    end_card();
}

static void wrong_hosts_are_counted(void **state)
{
    (void)state;
    new_card("modern", 0xFF);
    for (int n = 0; n < 9; n++) {
        assert_int_equal(say(initialize), SW_OK);
        assert_int_equal(say(wrong_authenticate), SW_SECURITY_STATUS);
        assert_int_equal(say(wrong_authenticate), SW_CONDITIONS); /* not without a new challenge */
    }
    assert_int_equal(host_open(h, 0, 0x01), SW_OK); /* clears the count */
    assert_int_equal(h->card.state.keysets[0].failures, 0);
    for (int n = 0; n < 10; n++) {
        assert_int_equal(say(initialize), SW_OK);
        assert_int_equal(say(wrong_authenticate), SW_SECURITY_STATUS);
    }
    assert_int_equal(say(initialize), SW_AUTH_BLOCKED);
    assert_int_equal(host_open(h, 0x30, 0x01), SW_AUTH_BLOCKED);
    card_reset(&h->card);
    assert_int_equal(say(initialize), SW_AUTH_BLOCKED);
    end_card();
}

/* Bare openings cost nothing on one kind of card, and a try each on the other. */
static void openings_count_where_the_card_counts_them(void **state)
{
    (void)state;
    new_card("modern", 0xFF);
    for (int n = 0; n < 100; n++)
        assert_int_equal(say(initialize), SW_OK);
    end_card();
    new_card("token", 0xFF);
    for (int n = 0; n < 64; n++)
        assert_int_equal(say(initialize), SW_OK);
    assert_int_equal(host_open(h, 0, 0x33), SW_OK);
    for (int n = 0; n < 65; n++)
        assert_int_equal(say(initialize), SW_OK);
    assert_int_equal(say(initialize), SW_AUTH_BLOCKED);
    end_card();
}

/* SCP03: with every pseudo-random challenge (Amendment D 6.2.2.1), not with random ones. SCP02: with the
 * first valid C-MAC and only then (GPCS 2.3.1 E.1.2). */
static void counters_move_as_specified(void **state)
{
    static const struct {
        const char *kind;
        uint8_t i;
        uint32_t after_initialize, after_wrong, after_open;
    } rows[] = {{"modern", 0x70, 1, 1, 2},
                {"modern", 0x10, 1, 1, 2},
                {"modern", 0x60, 0, 0, 0},
                {"classic", 0x15, 0, 0, 1},
                {"classic", 0x55, 0, 0, 1}};
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        new_card(rows[n].kind, rows[n].i);
        const struct card_keyset *k = &h->card.state.keysets[0];
        assert_int_equal(say(initialize), SW_OK);
        uint32_t first = k->counter;
        assert_int_equal(say(wrong_authenticate), SW_SECURITY_STATUS);
        uint32_t second = k->counter;
        assert_int_equal(host_open(h, 0, 0x01), SW_OK);
        if (first != rows[n].after_initialize || second != rows[n].after_wrong ||
            k->counter != rows[n].after_open)
            fail_msg("row %zu: %u %u %u", n, first, second, k->counter);
        end_card();
    }
}

/* A right C-MAC with a wrong cryptogram moves SCP02's counter all the same, and counts as a failure. */
static void the_scp02_counter_moves_before_the_cryptogram(void **state)
{
    (void)state;
    new_card("classic", 0x55);
    assert_int_equal(say(initialize), SW_OK);
    h->card.now->session.channel.host_cryptogram[0] ^= 1;
    struct card_keyset *k = &h->card.state.keysets[0];
    uint8_t header[] = {0x84, 0x82, 0x01, 0x00};
    h->ch = h->card.now->session.channel;
    h->ch.host_cryptogram[0] ^= 1;
    h->ch.level = CARD_LEVEL_C_MAC;
    assert_int_equal(host_secure(h, VIEW_OF(header), view_of(h->ch.host_cryptogram, 8)), SW_AUTH_FAILED);
    assert_int_equal(k->counter, 1);
    assert_int_equal(k->failures, 1);
    assert_int_equal(say("-80F28002024F0000"), SW_SECURITY_STATUS);
    end_card();
}

static void counters_end(void **state)
{
    (void)state;
    new_card("modern", 0x70);
    h->card.state.keysets[0].counter = 0xFFFFFE;
    assert_int_equal(say(initialize), SW_OK);
    assert_int_equal(say(initialize), SW_CONDITIONS);
    end_card();
    new_card("classic", 0x55);
    h->card.state.keysets[0].counter = 32766;
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    assert_int_equal(say(initialize), SW_CONDITIONS);
    end_card();
}

static void levels_need_their_i(void **state)
{
    static const struct {
        const char *kind;
        uint8_t i, level;
        uint16_t sw;
    } rows[] = {{"modern", 0x70, 0x33, SW_OK},
                {"modern", 0x70, 0x13, SW_OK},
                {"modern", 0x20, 0x33, SW_INCORRECT_P1P2},
                {"modern", 0x10, 0x11, SW_INCORRECT_P1P2},
                {"classic", 0x55, 0x11, SW_INCORRECT_P1P2},
                {"classic", 0x15, 0x13, SW_INCORRECT_P1P2},
                {"classic", 0x15, 0x10, SW_INCORRECT_P1P2},
                {"classic", 0x35, 0x11, SW_OK},
                {"classic", 0x75, 0x13, SW_OK},
                {"classic", 0x55, 0x02, SW_INCORRECT_P1P2},
                {"classic", 0x55, 0x03, SW_OK}};
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        new_card(rows[n].kind, rows[n].i);
        uint16_t sw = host_open(h, 0, rows[n].level);
        if (sw != rows[n].sw)
            fail_msg("row %zu: %04X", n, sw);
        assert_int_equal(h->card.state.keysets[0].failures, 0);
        end_card();
    }
}

static void s16_has_long_challenges(void **state)
{
    (void)state;
    new_card("modern", 0x71);
    assert_int_equal(say(initialize), SW_WRONG_LENGTH);
    assert_int_equal(host_open(h, 0, 0x33), SW_OK);
    assert_int_equal(say("80F28002024F00"), SW_OK);
    end_card();
}

/* A right C-MAC over data that nobody can have encrypted: too short for a block, or without padding. */
static void a_right_mac_over_wrong_encryption(void **state)
{
    static const char *const commands[] = {"80F28002024F00", "80F28002101F1E1D1C1B1A191817161514131211"
                                                             "10"};
    (void)state;
    for (size_t n = 0; n < 2; n++) {
        new_card("modern", 0xFF);
        assert_int_equal(host_open(h, 0, 0x03), SW_OK);
        assert_int_equal(say("80F28002024F00"), SW_OK);
        h->ch.level = CARD_LEVEL_C_MAC;
        assert_int_equal(say(commands[n]), SW_SECURITY_STATUS);
        h->ch.level |= CARD_LEVEL_C_DECRYPTION;
        assert_int_equal(say("80F28002024F00"), SW_SECURITY_STATUS);
        end_card();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_security_error_ends_the_session),
        cmocka_unit_test(key_versions_are_told_apart),
        cmocka_unit_test(challenges_follow_the_counter_where_i_says_so),
        cmocka_unit_test(nothing_is_written_for_nothing),
        cmocka_unit_test(wrong_hosts_are_counted),
        cmocka_unit_test(openings_count_where_the_card_counts_them),
        cmocka_unit_test(counters_move_as_specified),
        cmocka_unit_test(the_scp02_counter_moves_before_the_cryptogram),
        cmocka_unit_test(counters_end),
        cmocka_unit_test(levels_need_their_i),
        cmocka_unit_test(s16_has_long_challenges),
        cmocka_unit_test(a_right_mac_over_wrong_encryption),
    };
    return cmocka_run_group_tests(tests, conversation_setup, conversation_teardown);
}
