/* SPDX-License-Identifier: Apache-2.0
 *
 * What SCP02 has beside explicit sessions: implicit initiation (GPCS 2.3.1 E.1.2.2, E.1.6), one base key, and
 * R-MAC sessions that a command begins (E.5.3, E.5.4). */
#include "testing/conversation.h"

#include "channel_scp02.h"

static const char list[] = "80F28002024F00", plain_list[] = "-80F28002024F0000";

static void the_first_mac_opens_an_implicit_session(void **state)
{
    static const struct line lines[] = {
        {"-80CA00C100", SW_OK, "C1020000"},      {plain_list, SW_SECURITY_STATUS, ""},
        {initialize, SW_REFERENCED_DATA, ""}, /* there are no such keys */
        {wrong_authenticate, SW_CONDITIONS, ""}, {list, SW_OK, NULL},
        {"-80CA00C100", SW_OK, "C1020001"},   /* the first C-MAC moves the counter */
        {plain_list, SW_SECURITY_STATUS, ""}, /* without one nothing is managed, and the session stays */
        {"-80CA00D300", SW_OK, "D30100"},
    };
    static const uint8_t kinds[] = {0x0A, 0x0B, 0x1A, 0x1B};
    (void)state;
    for (size_t n = 0; n < sizeof kinds; n++) {
        new_card("classic", kinds[n]);
        assert_int_equal(host_begin_implicit(h), OK);
        TALK(lines);
        /* E.1.6: behind a command without a C-MAC the next one with it opens a new session. */
        assert_int_equal(host_begin_implicit(h), OK);
        assert_int_equal(say(list), SW_OK);
        assert_int_equal(say(list), SW_OK);
        assert_int_equal(say("80CA00D300"), SW_OK);
        assert_true(view_equal(host_data(h), vector_hex("D30181")));
        assert_int_equal(h->card.state.keysets[0].counter, 2);
        end_card();
    }
}

static void a_wrong_mac_ends_an_implicit_session_and_is_counted(void **state)
{
    static const char wrong[] = "-84F280020A4F00010203040506070800";
    (void)state;
    new_card("classic", 0x1A);
    struct card_keyset *k = &h->card.state.keysets[0];
    assert_int_equal(say(wrong), SW_SECURITY_STATUS);
    assert_int_equal(k->failures, 1);
    assert_int_equal(k->counter, 0);
    assert_int_equal(host_begin_implicit(h), OK);
    assert_int_equal(say(list), SW_OK);
    assert_int_equal(k->failures, 0);
    assert_int_equal(say(wrong), SW_SECURITY_STATUS); /* inside of a session it tries no key */
    assert_int_equal(k->failures, 0);
    assert_int_equal(say(list),
                     SW_SECURITY_STATUS); /* the session is gone: this was a first one, and wrong */
    assert_int_equal(k->failures, 1);
    for (int n = 1; n < 10; n++)
        assert_int_equal(say(wrong), SW_SECURITY_STATUS);
    assert_int_equal(say(wrong), SW_AUTH_BLOCKED);
    assert_int_equal(host_begin_implicit(h), OK);
    assert_int_equal(say(list), SW_AUTH_BLOCKED);
    end_card();
    new_card("classic", 0x1A);
    h->card.state.keysets[0].counter = 32767;
    assert_int_equal(say(wrong), SW_CONDITIONS);
    end_card();
}

static void a_base_key_is_told_as_one(void **state)
{
    (void)state;
    new_card("classic", 0x44);
    assert_int_equal(say("-80CA00E000"), SW_OK);
    assert_true(view_equal(host_data(h), vector_hex("E006C00401FF8010")));
    assert_int_equal(host_open(h, 0, 0x03), SW_OK);
    assert_int_equal(say(list), SW_OK);
    end_card();
}

/* E.4.7: ECB after explicit initiation, CBC after implicit. */
static void sensitive_data_is_decrypted_as_the_initiation_says(void **state)
{
    static const uint8_t i[] = {0x15, 0x0B};
    static const uint8_t zeros[DES_BLOCK], text[16] = {1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8};
    (void)state;
    for (size_t n = 0; n < 2; n++) {
        struct card_channel ch = {.scp = 0x02, .i = i[n]};
        uint8_t cipher[16], plain[16];
        ch.s_dek.len = 16;
        memset(ch.s_dek.data, 0x37, 8);
        memset(ch.s_dek.data + 8, 0x73, 8);
        struct view key = secret_view(&ch.s_dek);
        enum err e = n == 0 ? crypto_des3_ecb_encrypt(crypto, key, VIEW_OF(text), cipher)
                            : crypto_des3_cbc_encrypt(crypto, key, zeros, VIEW_OF(text), cipher);
        assert_int_equal(e, OK);
        assert_int_equal(card_scp02_ops.decrypt_sensitive(crypto, &ch, VIEW_OF(cipher), plain), OK);
        assert_memory_equal(plain, text, sizeof text);
    }
}

/* ---- R-MAC sessions ---- */

static struct secret r_mac_key;
static uint8_t r_mac_chain[DES_BLOCK];

/* E.4.1: constant 0102 and the counter as it is now, under the static MAC key. */
static void begin_r_mac(uint16_t counter, const uint8_t start[DES_BLOCK])
{
    static const uint8_t zeros[DES_BLOCK];
    uint8_t data[16] = {0x01, 0x02, (uint8_t)(counter >> 8), (uint8_t)counter};
    struct view key = secret_view(&h->card.state.keysets[0].mac);
    r_mac_key.len = 16;
    assert_int_equal(crypto_des3_cbc_encrypt(crypto, key, zeros, VIEW_OF(data), r_mac_key.data), OK);
    memcpy(r_mac_chain, start, sizeof r_mac_chain);
}

/* E.4.5: the plain command, Li, response data, status word. */
static void expect_r_mac(const char *command, struct view response, uint16_t sw)
{
    struct writer w, padded;
    wr_heap(&w, 1024);
    wr_heap(&padded, 1024);
    wr_view(&w, vector_hex(command));
    wr_view8(&w, response);
    wr_u16(&w, sw);
    card_pad(&padded, wr_view_of(&w), DES_BLOCK);
    assert_int_equal(
        crypto_mac_retail(crypto, secret_view(&r_mac_key), r_mac_chain, wr_view_of(&padded), r_mac_chain),
        OK);
    wr_free(&w);
    wr_free(&padded);
}

/* Says it, and the response must end with its R-MAC. */
static void say_maced(const char *command, uint16_t sw)
{
    assert_int_equal(say(command), sw);
    struct view all = host_data(h);
    assert_true(all.len >= DES_BLOCK);
    struct view data = view_head(all, all.len - DES_BLOCK);
    expect_r_mac(command, data, sw);
    assert_true(view_equal(view_tail(all, data.len), VIEW_OF(r_mac_chain)));
}

static void say_bare(const char *command, uint16_t sw, bool counts)
{
    assert_int_equal(say(command), sw);
    if (counts)
        expect_r_mac(command, sw == SW_OK ? host_data(h) : VIEW_NULL, sw);
}

static void end_r_mac(const char *command)
{
    assert_int_equal(say(command), SW_OK);
    assert_true(view_equal(host_data(h), VIEW_OF(r_mac_chain)));
}

static void r_macs_come_between_begin_and_end(void **state)
{
    (void)state;
    new_card("classic", 0x75);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    uint8_t start[DES_BLOCK];
    memcpy(start, h->ch.chain, sizeof start); /* E.3.2: the C-MAC of EXTERNAL AUTHENTICATE */
    begin_r_mac(1, start);
    assert_int_equal(say(list), SW_OK);
    assert_int_equal(say("8078000100"), SW_REFERENCED_DATA); /* there is none */
    say_bare("807A10010403AABBCC", SW_OK, true);
    say_maced("80CA004200", SW_OK);
    say_maced("80CA123400", SW_REFERENCED_DATA); /* also with an error */
    say_maced("807A10010100", SW_CONDITIONS);    /* there is one already */
    end_r_mac("8078000100");
    say_maced("80CA004200", SW_OK); /* END was not counted */
    end_r_mac("8078000300");
    assert_int_equal(say("80CA004200"), SW_OK);
    assert_int_equal(host_data(h).len, 5); /* no more */
    begin_r_mac(1, start);
    say_bare("807A00010100", SW_OK, true); /* kept until asked for */
    say_bare("80CA004200", SW_OK, true);
    end_r_mac("8078000100");
    say_bare("80CA123400", SW_REFERENCED_DATA, true);
    end_r_mac("8078000300");
    end_card();
}

static void r_mac_commands_are_strict(void **state)
{
    static const struct line lines[] = {
        {"807A20010100", SW_INCORRECT_P1P2, ""},
        {"807A10020100", SW_INCORRECT_P1P2, ""},
        {"807A100100", SW_WRONG_DATA, ""},
        {"807A10010101", SW_WRONG_DATA, ""},
        {"807A10010201"
         "AA",
         SW_OK, ""},
        {"8078010100", SW_INCORRECT_P1P2, NULL},
        {"8078000200", SW_INCORRECT_P1P2, NULL},
        {"80780001010A", SW_WRONG_LENGTH, NULL},
    };
    (void)state;
    new_card("classic", 0x75);
    assert_int_equal(say("-807A10010100"), SW_SECURITY_STATUS);
    assert_int_equal(say("-8078000100"), SW_REFERENCED_DATA);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    TALK(lines);
    /* What EXTERNAL AUTHENTICATE began lasts as long as the session (E.4.5). */
    assert_int_equal(host_open(h, 0, 0x11), SW_OK);
    assert_int_equal(say("807A10010100"), SW_CONDITIONS);
    assert_int_equal(say("8078000300"), SW_CONDITIONS);
    assert_int_equal(say("8078000100"), SW_OK);
    assert_int_equal(host_data(h).len, DES_BLOCK);
    end_card();
    new_card("classic", 0x55);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    assert_int_equal(say("807A10010100"), SW_INS); /* i has no R-MAC */
    end_card();
    new_card("modern", 0x70);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    assert_int_equal(say("807A10010100"), SW_INS);
    end_card();
}

/* E.3.3: the chain begins with a MAC over the AID; E.1.6: it outlives the session for commands. */
static void r_macs_of_an_implicit_session(void **state)
{
    static const uint8_t zeros[DES_BLOCK];
    uint8_t start[DES_BLOCK];
    struct writer padded;
    (void)state;
    new_card("classic", 0x3A);
    assert_int_equal(host_begin_implicit(h), OK);
    assert_int_equal(say("80CA004200"), SW_OK);
    begin_r_mac(1, zeros);
    wr_heap(&padded, 64);
    card_pad(&padded, card_aid_view(&h->card.state.profile.isd), DES_BLOCK);
    assert_int_equal(crypto_mac_retail(crypto, secret_view(&r_mac_key), zeros, wr_view_of(&padded), start),
                     OK);
    wr_free(&padded);
    begin_r_mac(1, start);
    say_bare("807A10010100", SW_OK, true);
    say_maced("80CA004200", SW_OK);
    h->ch.level = 0; /* a plain command */
    say_maced("80CA004200", SW_OK);
    assert_int_equal(host_begin_implicit(h), OK);
    say_maced("80CA004200", SW_OK);
    assert_int_equal(say("-84CA004208010203040506070800"), SW_SECURITY_STATUS);
    h->ch.level = 0;
    say_maced("80CA004200", SW_OK);
    assert_int_equal(say(plain_list), SW_SECURITY_STATUS);
    end_card();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_mac_opens_an_implicit_session),
        cmocka_unit_test(a_wrong_mac_ends_an_implicit_session_and_is_counted),
        cmocka_unit_test(a_base_key_is_told_as_one),
        cmocka_unit_test(sensitive_data_is_decrypted_as_the_initiation_says),
        cmocka_unit_test(r_macs_come_between_begin_and_end),
        cmocka_unit_test(r_mac_commands_are_strict),
        cmocka_unit_test(r_macs_of_an_implicit_session),
    };
    return cmocka_run_group_tests(tests, conversation_setup, conversation_teardown);
}
