/* SPDX-License-Identifier: Apache-2.0
 *
 * Logical channels: opened and closed, each with its own selection and secure channel, and what one may do to
 * another. */
#include "testing/conversation.h"

static void channels_are_opened_and_closed(void **state)
{
    static const struct line lines[] = {
        {"-81CA004200", SW_CHANNEL_UNSUPPORTED, ""},
        {"-0170000001", SW_CHANNEL_UNSUPPORTED, ""}, /* from a channel that is not open */
        {"-0070000001", SW_OK, "01"},
        {"-81CA004200", SW_OK, "4203999999"},
        {"-00700003", SW_OK, ""}, /* a number that the host wants is not told back */
        {"-00700003", SW_FUNCTION_UNSUPPORTED, ""},
        {"-0370000001", SW_OK, "02"},
        {"-0070000001", SW_FUNCTION_UNSUPPORTED, ""}, /* there are no more */
        {"-00700004", SW_FUNCTION_UNSUPPORTED, ""},
        {"-83CA004200", SW_OK, "4203999999"},
        {"-C0CA004200", SW_CHANNEL_UNSUPPORTED, ""}, /* further interindustry: 4 to 19 */
        {"-00708002", SW_OK, ""},
        {"-82CA004200", SW_CHANNEL_UNSUPPORTED, ""},
        {"-00708002", SW_WARNING_UNCHANGED, ""}, /* closed already */
        {"-00708000", SW_FUNCTION_UNSUPPORTED, ""},
        {"-00708004", SW_FUNCTION_UNSUPPORTED, ""},
        {"-01708001", SW_OK, ""}, /* closes the one that it came on */
        {"-81CA004200", SW_CHANNEL_UNSUPPORTED, ""},
        {"-80CA004200", SW_OK, NULL},
        {"-00704000", SW_INCORRECT_P1P2, ""},
        {"-0070000001FF", SW_WRONG_LENGTH, ""},
        {"-0470000001", SW_SM_UNSUPPORTED, ""},
        {"-8070000001", SW_INS, ""},
        {"!", SW_OK, NULL},
        {"-83CA004200", SW_CHANNEL_UNSUPPORTED, ""}, /* closed by the reset */
        {"-0070000001", SW_OK, "01"},
    };
    (void)state;
    new_card("modern", 0xFF);
    TALK(lines);
    end_card();
}

static uint16_t list_on(unsigned number)
{
    static const uint8_t header[] = {0x80, 0xF2, 0x80, 0x02}, data[] = {0x4F, 0x00};
    h->number = (uint8_t)number;
    return host_secure(h, VIEW_OF(header), VIEW_OF(data));
}

/* The other session goes on. */
static void swap(struct card_channel *other)
{
    struct card_channel now = h->ch;
    h->ch = *other;
    *other = now;
}

static void each_has_a_secure_channel_of_its_own(void **state)
{
    static const char *const kinds[] = {"modern", "classic"};
    (void)state;
    for (size_t n = 0; n < 2; n++) {
        new_card(kinds[n], 0xFF);
        assert_int_equal(host_open(h, 0, 0x01), SW_OK);
        assert_int_equal(say("-00700002"), SW_OK); /* for the OPEN, beside the session */
        struct card_channel basic = h->ch;
        assert_int_equal(list_on(2), SW_SECURITY_STATUS);
        assert_int_equal(host_open(h, 0, 0x01), SW_OK);
        assert_int_equal(list_on(2), SW_OK);
        swap(&basic);
        assert_int_equal(list_on(0), SW_OK);
        swap(&basic);
        assert_int_equal(list_on(2), SW_OK);
        assert_int_equal(say("-82F28002024F0000"), SW_SECURITY_STATUS); /* aborts the second alone */
        assert_int_equal(list_on(2), SW_SECURITY_STATUS);
        assert_int_equal(host_open(h, 0, 0x01), SW_OK);
        swap(&basic);
        assert_int_equal(list_on(0), SW_OK);
        assert_int_equal(say("-00708002"), SW_OK);
        assert_int_equal(say("-00700002"), SW_OK);
        swap(&basic);
        assert_int_equal(list_on(2), SW_SECURITY_STATUS); /* closing has ended the session */
        end_card();
    }
}

static void each_has_a_selection_of_its_own(void **state)
{
    static const struct line lines[] = {
        {"-0070000001", SW_OK, "01"},
        {"-01A4040006F00000000101", SW_OK, ""},
        {"-81CA004200", SW_INS, ""},
        {"-80CA004200", SW_OK, NULL},
        {"-0170000001", SW_OK, "02"}, /* from a supplementary one: what is selected there */
        {"-82CA004200", SW_INS, ""},
        {"-0070000001", SW_OK, "03"}, /* from the basic one: the default */
        {"-83CA004200", SW_OK, NULL},
        {"80E40000084F06F00000000101", SW_CONDITIONS, ""}, /* selected elsewhere (9.5) */
        {"-00708001", SW_OK, ""},
        {"-02A4040000", SW_OK, NULL},
        {"80E40000084F06F00000000101", SW_OK, "00"},
        {"-02A4040006F00000000101", SW_FILE_NOT_FOUND, ""},
    };
    (void)state;
    new_card("modern", 0xFF);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    assert_int_equal(load_hello(), SW_OK);
    assert_int_equal(say(install_hello), SW_OK);
    assert_int_equal(host_open(h, 0, 0x00), SW_OK);
    TALK(lines);
    end_card();
}

/* One load at a time, and only from where it began; another channel's session may end without it. */
static void a_load_stays_on_its_channel(void **state)
{
    static const struct line lines[] = {
        {"-0070000001", SW_OK, "01"},
        {"80E602000A05F00000000100000000", SW_OK, "00"},
        {"-81E8000004C4020102", SW_SECURITY_STATUS, ""},
        {"-8150000008010203040506070800", SW_OK, NULL},
        {"-00708001", SW_OK, ""},
        {"80E8000004C4020102", SW_OK, "00"},
        {"-00A4040000", SW_OK, NULL},
    };
    (void)state;
    new_card("modern", 0xFF);
    assert_int_equal(host_open(h, 0, 0x00), SW_OK);
    TALK(lines);
    assert_int_equal(say("-0070000001"), SW_OK);
    assert_int_equal(host_open(h, 0, 0x00), SW_OK);
    assert_int_equal(say("80E602000A05F00000000100000000"), SW_OK);
    h->number = 1;
    assert_int_equal(host_open(h, 0, 0x00), SW_OK);
    assert_int_equal(say("80E8000004C4020102"), SW_CONDITIONS);
    h->number = 0;
    assert_int_equal(say("80E8000004C4020102"), SW_OK);
    end_card();
}

static void a_locked_card_has_the_basic_channel_alone(void **state)
{
    static const struct line lines[] = {
        {"-0070000001", SW_OK, "01"},
        {"80F0800700", SW_OK, ""},
        {"80F0800F00", SW_OK, ""},
        {"80F0807F00", SW_OK, ""},
        {"-00700002", SW_FUNCTION_UNSUPPORTED, ""},
        {"-01A4040000", SW_FUNCTION_UNSUPPORTED, ""},
        {"-81CA004200", SW_CHANNEL_UNSUPPORTED, ""},
        {"-00A4040000", SW_CARD_LOCKED_FCI, NULL},
    };
    (void)state;
    new_card("modern", 0xFF);
    assert_int_equal(host_open(h, 0, 0x00), SW_OK);
    TALK(lines);
    end_card();
}

static void a_response_waits_on_its_channel(void **state)
{
    static const struct line lines[] = {
        {"-0070000001", SW_OK, "01"},
        {"-81CA0042", 0x6105, ""},
        {"-00C0000005", SW_CONDITIONS, ""},
        {"-01C0000005", SW_OK, "4203999999"},
        {"-41C0000005", SW_CHANNEL_UNSUPPORTED, ""},
    };
    (void)state;
    new_card("modern", 0xFF);
    h->card.t0 = true;
    TALK(lines);
    end_card();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(channels_are_opened_and_closed),
        cmocka_unit_test(each_has_a_secure_channel_of_its_own),
        cmocka_unit_test(each_has_a_selection_of_its_own),
        cmocka_unit_test(a_load_stays_on_its_channel),
        cmocka_unit_test(a_locked_card_has_the_basic_channel_alone),
        cmocka_unit_test(a_response_waits_on_its_channel),
    };
    return cmocka_run_group_tests(tests, conversation_setup, conversation_teardown);
}
