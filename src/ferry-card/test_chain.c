/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands in parts: how they are joined, what breaks a chain, and one MAC over the whole. */
#include "testing/conversation.h"

static void parts_are_joined(void **state)
{
    static const struct line lines[] = {
        {"-90E20000044502", SW_WRONG_LENGTH, ""},
        {"-90E290000145", SW_OK, ""},
        {"-90E290000102", SW_OK, ""},
        {"-80E29000021234", SW_OK, ""},
        {"-80CA004500", SW_OK, "45021234"},
        {"-80E682000405F00000", SW_OK, ""}, /* INSTALL [for load] */
        {"-80E602000600010000000000", SW_OK, "00"},
    };
    (void)state;
    new_card("modern", 0xFF);
    assert_int_equal(host_open(h, 0, 0x00), SW_OK);
    TALK(lines);
    end_card();
}

static void what_breaks_a_chain(void **state)
{
    static const struct line lines[] = {
        /* GlobalPlatform: another command, 6985, and the chain is gone. */
        {"-80E682000405F00000", SW_OK, ""},
        {"-80CA004200", SW_CONDITIONS, ""},
        {"-80CA004200", SW_OK, NULL},
        {"-80E682000405F00000", SW_OK, ""},
        {"-80E60400020001", SW_CONDITIONS, ""},
        {"-80E6020006000100000000", SW_WRONG_DATA, ""},
        /* ISO: 6883. */
        {"-90E290000145", SW_OK, ""},
        {"-80CA004200", SW_LAST_COMMAND_EXPECTED, ""},
        {"-80CA004200", SW_OK, NULL},
        {"-90E290000145", SW_OK, ""},
        {"-90E290010102", SW_LAST_COMMAND_EXPECTED, ""},
        {"-90E290000145", SW_OK, ""},
        {"-90E280000102", SW_LAST_COMMAND_EXPECTED, ""},
        /* One way or the other. */
        {"-90E682000405F00000", SW_CHAINING_UNSUPPORTED, ""},
        {"-80E682000405F00000", SW_OK, ""},
        {"-90E60200020001", SW_CONDITIONS, ""},
        /* A SELECT, a reset, MANAGE CHANNEL: nothing is left. */
        {"-90E290000145", SW_OK, ""},
        {"-0070000001", SW_OK, "01"},
        {"-80CA004200", SW_OK, NULL},
        {"-90E290000145", SW_OK, ""},
        {"-81CA004200", SW_LAST_COMMAND_EXPECTED, ""}, /* another logical channel */
        {"-90E290000145", SW_OK, ""},
        {"-00A4040000", SW_OK, NULL},
        {"-80CA004200", SW_OK, NULL},
        {"-10A4040000", SW_CHAINING_UNSUPPORTED, ""},
        {"-90E290000145", SW_SECURITY_STATUS, ""}, /* no session any more: refused at the first part */
        {"-90AA000000", SW_INS, ""},
        {"-90CA004200", SW_OK, ""},
        {"!", SW_OK, NULL},
        {"-80CA004200", SW_OK, NULL},
    };
    (void)state;
    new_card("modern", 0xFF);
    assert_int_equal(host_open(h, 0, 0x00), SW_OK);
    TALK(lines);
    end_card();
}

/* A part without secure messaging below the level ends the session at once; one that was slipped in among the
 * others does when the MAC over the whole is verified. */
static void foreign_parts_end_the_session(void **state)
{
    (void)state;
    new_card("modern", 0xFF);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    assert_int_equal(say("-80E682000405F00000"), SW_SECURITY_STATUS);
    assert_int_equal(say("80F28002024F00"), SW_SECURITY_STATUS);
    assert_int_equal(say("-90E290000145"), SW_SECURITY_STATUS);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    assert_int_equal(say("-84E682000405F00000"), SW_OK);
    assert_int_equal(install_for_load(vector_hex("F000000001"), VIEW_NULL), SW_SECURITY_STATUS);
    assert_int_equal(say("80F28002024F00"), SW_SECURITY_STATUS);
    end_card();
}

static void a_chain_ends_where_a_command_would(void **state)
{
    static const struct {
        enum chain_kind kind;
        uint8_t cla, ins, p1;
        uint16_t sw;
    } rows[] = {{CHAIN_GP, 0x80, 0xE6, 0x82, SW_INCORRECT_P1P2},
                {CHAIN_ISO, 0x90, 0xE2, 0x90, SW_WRONG_LENGTH}};
    static const uint8_t data[255];
    (void)state;
    for (size_t n = 0; n < 2; n++) {
        struct chain c;
        struct apdu whole,
            a = {.cla = rows[n].cla, .ins = rows[n].ins, .p1 = rows[n].p1, .data = VIEW_OF(data)};
        bool complete = false;
        uint16_t sw = SW_OK;
        size_t parts = 0;
        chain_init(&c);
        for (; sw == SW_OK; parts++)
            sw = chain_take(&c, &a, rows[n].kind == CHAIN_GP, &whole, &complete);
        assert_int_equal(sw, rows[n].sw);
        assert_int_equal(parts, 258); /* 257 parts of 255 are 65,535 */
        assert_int_equal(c.kind, CHAIN_NONE);
        chain_finish(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_joined),
        cmocka_unit_test(what_breaks_a_chain),
        cmocka_unit_test(foreign_parts_end_the_session),
        cmocka_unit_test(a_chain_ends_where_a_command_would),
    };
    return cmocka_run_group_tests(tests, conversation_setup, conversation_teardown);
}
