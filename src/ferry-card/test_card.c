/* SPDX-License-Identifier: Apache-2.0
 *
 * The card as a host meets it: who it is, its life, how responses are handed out, what it remembers. */
#include "testing/conversation.h"

static void a_fresh_card_says_who_it_is(void **state)
{
    static const struct line lines[] = {
        {"-80CA004200", SW_OK, "4203999999"},
        {"-00CA004200", SW_OK, "999999"},
        {"-80CA00E000", SW_OK, "E012C00401308810C00402308810C00403308810"},
        {"-80CA00C100", SW_OK, "C103000000"},
        {"-80CA006700", SW_OK, "6716A0098001038101708201018203040000830401020304"},
        {"-80CAFF2100", SW_OK,
         "FF210F8101008204000280008304"
         "00000800"},
        {"-80CA00D300", SW_OK, "D30100"},
        {"-80CA1234", SW_REFERENCED_DATA, ""},
        {"-80CA9F7F", SW_OK, NULL},
        {"-80CB004200", SW_INS, ""},
        {"-80CA00420101", SW_WRONG_LENGTH, ""},
        {"-80F28002024F0000", SW_SECURITY_STATUS, ""},
        {"-80E60200", SW_SECURITY_STATUS, ""},
        {"-80E80000", SW_SECURITY_STATUS, ""},
        {"-80E40000", SW_SECURITY_STATUS, ""},
        {"-80F08007", SW_SECURITY_STATUS, ""},
        {"-80E28000", SW_SECURITY_STATUS, ""},
        {"-8482010010000102030405060708090A0B0C0D0E0F", SW_CONDITIONS, ""},
        {"-80500000080102030405060708", SW_OK, NULL},
        {"-8050310008010203040506070800", SW_REFERENCED_DATA, ""},
        {"-8050000108010203040506070800", SW_INCORRECT_P1P2, ""},
        {"-80500000070102030405060700", SW_WRONG_LENGTH, ""},
        {"-0050000008010203040506070800", SW_CLA, ""},
        {"-81CA004200", SW_CHANNEL_UNSUPPORTED, ""},
        {"-C0CA004200", SW_CHANNEL_UNSUPPORTED, ""},
        {"-90E60200", SW_SECURITY_STATUS, ""},
        {"-FFCA004200", SW_CLA, ""},
        {"-84CA0042", SW_SECURITY_STATUS, ""},
        {"-A0CA004200", SW_CLA, ""},
        {"-08CA004200", SW_CLA, ""},
        {"-80CA00", SW_WRONG_LENGTH, ""},
        {"-8000", SW_WRONG_LENGTH, ""},
    };
    (void)state;
    new_card("modern", 0xFF);
    TALK(lines);
    end_card();
}

static void select_finds_the_card_manager(void **state)
{
    static const struct line lines[] = {
        {"-00A4040000", SW_OK, NULL},
        {"-00A40400", SW_OK, NULL},
        {"-00A4040008A00000015100000000", SW_OK, NULL},
        {"-00A4040005A00000015100", SW_OK, NULL},
        {"-00A4040005A000000152", SW_FILE_NOT_FOUND, ""},
        {"-00A4040202A000", SW_FILE_NOT_FOUND, ""},
        {"-00A4040102A000", SW_INCORRECT_P1P2, ""},
        {"-04A4040000", SW_SM_UNSUPPORTED, ""},
        {"-00A4000C023F00", SW_INS, ""},
        {"-00A4040011A0000001510000000000000000000000"
         "00",
         SW_FILE_NOT_FOUND, ""},
    };
    struct view aid = VIEW_NULL, block = VIEW_NULL;
    static const uint32_t name[] = {0x6F, 0x84}, max[] = {0x6F, 0xA5, 0x9F65}, cplc[] = {0x6F, 0xA5, 0x9F6E};
    (void)state;
    new_card("modern", 0xFF);
    TALK(lines);
    assert_int_equal(say("-00A4040000"), SW_OK);
    assert_true(tlv_path(host_data(h), name, 2, &aid) && view_equal(aid, vector_hex("A000000151000000")));
    assert_true(tlv_path(host_data(h), max, 3, &block) && view_equal(block, vector_hex("FF")));
    assert_true(tlv_path(host_data(h), cplc, 3, &block) && block.len == 10);
    end_card();
}

static void lists_of_applications(void **state)
{
    static const struct line lines[] = {
        {"-80CA2F00025C0000", SW_REFERENCED_DATA, ""},
        {"80CA2F00025C00", SW_REFERENCED_DATA, ""},
        {install_hello, SW_OK, "00"},
        {"80CA2F00025C00", SW_OK, "61084F06F00000000101"},
        {"80CA2F00025C01", SW_WRONG_DATA, ""},
        {"80CA2F0000", SW_WRONG_DATA, ""},
    };
    (void)state;
    new_card("modern", 0xFF);
    assert_int_equal(say(lines[0].command), lines[0].sw);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    assert_int_equal(load_hello(), SW_OK);
    talk("lines", lines + 1, sizeof lines / sizeof lines[0] - 1);
    end_card();
}

static void the_card_goes_through_its_life(void **state)
{
    static const struct line work[] = {
        {"80F0800F00", SW_CONDITIONS, ""}, /* not from OP_READY */
        {"80F0807F00", SW_CONDITIONS, ""},
        {"80F0800100", SW_CONDITIONS, ""}, /* the state it has */
        {"80F0805500", SW_WRONG_DATA, ""},
        {"80F0200F00", SW_INCORRECT_P1P2, ""},
        {"80F0800700", SW_OK, ""},
        {"80F0800100", SW_CONDITIONS, ""}, /* no way back */
        {"80F0800F00", SW_OK, ""},
        {"80F0408006F00000000109", SW_REFERENCED_DATA, ""},
        {"80F0400006F00000000101", SW_CONDITIONS, ""}, /* not locked */
        {"80F0408006F00000000101", SW_OK, ""},
        {"80F0408006F00000000101", SW_CONDITIONS, ""},
        {"80F24000024F00", SW_OK, "06F000000001018700"},
        {"80E620000C000006F00000000101000000", SW_CONDITIONS, ""},
        {"-00A4040006F00000000101", SW_FILE_NOT_FOUND, ""},
    };
    static const struct line unlock_and_lock_card[] = {
        {"80F0400706F00000000101", SW_OK, ""},
        {"80F24000024F00", SW_OK, "06F000000001010700"},
        {"80F0807F00", SW_OK, ""},
        {"80F24000024F00", SW_OK, NULL},
        {"80E40080074F05F000000001", SW_CONDITIONS, ""},
        {install_hello, SW_CONDITIONS, ""},
        {"80E2900004420212"
         "34",
         SW_CONDITIONS, ""},
        {"80F0408006F00000000101", SW_CONDITIONS, ""},
        {"-00A4040006F00000000101", SW_FUNCTION_UNSUPPORTED, ""},
    };
    static const struct line locked[] = {
        {"-00A4040000", SW_CARD_LOCKED_FCI, NULL},
        {"-80CA004200", SW_OK, NULL},
    };
    static const struct line back[] = {
        {"80F0800F00", SW_OK, ""},
        {"-00A4040006F00000000101", SW_OK, ""},
        {"-00A4040000", SW_OK, NULL},
    };
    static const struct line terminated[] = {
        {"80F080FF00", SW_OK, ""},
        {"-00A4040000", SW_FUNCTION_UNSUPPORTED, ""},
        {"!", SW_OK, NULL},
        {"-80CA9F7F00", SW_OK, NULL},
        {initialize, SW_CONDITIONS, ""},
        {"-00A4040006F00000000101", SW_FUNCTION_UNSUPPORTED, ""},
    };
    (void)state;
    new_card("modern", 0xFF);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    assert_int_equal(load_hello(), SW_OK);
    assert_int_equal(say(install_hello), SW_OK);
    TALK(work);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    TALK(unlock_and_lock_card);
    TALK(locked);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    TALK(back);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    TALK(terminated);
    end_card();
}

static void t0_hands_out_responses(void **state)
{
    static const struct line lines[] = {
        {"-80CA004200", 0x6C05, ""},
        {"-80CA004205", SW_OK, "4203999999"},
        {"-80CA004205", SW_OK, "4203999999"},
        {"-80CA1234", SW_REFERENCED_DATA, ""},
        {"-80CA123400", SW_REFERENCED_DATA, ""},
        {"-80CA0042", 0x6105, ""},
        {"-00C00000", SW_WRONG_LENGTH, ""},
        {"-00C0000006", 0x6C05, ""},
        {"-00C0000002", 0x6103, "4203"},
        {"-00C0000003", SW_OK, "999999"},
        {"-00C0000003", SW_CONDITIONS, ""},
        {"-8050000008010203040506070800", 0x6120, ""},
        {"-80CA004205", SW_OK, NULL},
        {"-00C0000020", SW_CONDITIONS, ""},       /* gone with the next command */
        {"-80CA0042000000", SW_WRONG_LENGTH, ""}, /* no extended length on T=0 */
        {"-00C00100"
         "00",
         SW_INCORRECT_P1P2, ""},
    };
    (void)state;
    new_card("modern", 0xFF);
    h->card.t0 = true;
    TALK(lines);
    end_card();
}

/* The SCP03 counter shows whether INITIALIZE UPDATE ran once or twice. */
static void a_repeat_after_6c_is_not_a_second_execution(void **state)
{
    (void)state;
    new_card("modern", 0xFF);
    assert_int_equal(say("-8050000008010203040506070805"), 0x6C20);
    assert_int_equal(say("-8050000008010203040506070820"), SW_OK);
    assert_int_equal(host_data(h).len, 0x20);
    assert_int_equal(h->card.state.keysets[0].counter, 1);
    assert_int_equal(say("-8050000008010203040506070820"), SW_OK);
    assert_int_equal(h->card.state.keysets[0].counter, 2);
    end_card();
}

/* T=1: 258 bytes where 256 are asked for. */
static void what_does_not_fit_is_fetched(void **state)
{
    struct card_object *o;
    (void)state;
    new_card("modern", 0xFF);
    o = &h->card.state.objects[2];
    assert_int_equal(o->tag, 0x45);
    uint8_t *longer = calloc(1, 255);
    assert_non_null(longer);
    free(o->data);
    o->data = longer;
    o->len = 255;
    assert_int_equal(say("-80CA004500"), 0x6102);
    assert_int_equal(host_data(h).len, 256);
    assert_int_equal(say("-00C0000002"), SW_OK);
    assert_int_equal(host_data(h).len, 2);
    assert_int_equal(say("-80CA0045000102"), SW_OK); /* all at once in extended length */
    assert_int_equal(host_data(h).len, 258);
    assert_int_equal(say("-80CA004510"), 0x6102 + 240);
    end_card();
}

static void room_is_left_for_what_the_channel_adds(void **state)
{
    static const struct {
        uint8_t level;
        size_t short_room, long_room;
    } rows[] = {{0x00, 256, 1000}, {0x01, 256, 1000}, {0x11, 248, 992}, {0x33, 239, 991}};
    struct apdu normal = {.ne = 256}, extended = {.ne = 1000, .extended = true};
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        new_card("modern", 0xFF);
        assert_int_equal(card_response_room(&h->card, &normal), 256);
        assert_int_equal(host_open(h, 0, rows[n].level), SW_OK);
        if (card_response_room(&h->card, &normal) != rows[n].short_room ||
            card_response_room(&h->card, &extended) != rows[n].long_room)
            fail_msg("level %02X", rows[n].level);
        end_card();
    }
}

static void a_dead_card_is_silent(void **state)
{
    (void)state;
    new_card("modern", 0xFF);
    h->card.dead = true;
    assert_int_equal(say("-80CA004200"), 0);
    assert_int_equal(h->answer.len, 0);
    end_card();
}

static void extended_length_where_the_card_has_it(void **state)
{
    (void)state;
    new_card("modern", 0xFF);
    assert_int_equal(say("-80CA0042000000"), SW_OK);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    assert_int_equal(install_for_load(vector_hex("F000000001"), VIEW_NULL), SW_OK);
    assert_int_equal(load_blocks(with_c4(read_file("odd/hello.ijc")), 1000), SW_OK);
    end_card();
    new_card("classic", 0xFF);
    assert_int_equal(say("-80CA0042000000"), SW_WRONG_LENGTH);
    end_card();
}

static void the_atr_offers_the_protocol(void **state)
{
    struct writer w;
    uint8_t memory[ATR_MAX];
    (void)state;
    new_card("modern", 0xFF);
    wr_fixed(&w, memory, sizeof memory);
    card_put_atr(&h->card, &w);
    assert_true(view_equal(wr_view_of(&w), vector_hex("3BF91300008131FE458073C820DB5346433146")));
    h->card.t0 = true;
    wr_fixed(&w, memory, sizeof memory);
    card_put_atr(&h->card, &w);
    assert_true(view_equal(wr_view_of(&w), vector_hex("3B791300008073C820DB53464331")));
    end_card();
}

static void what_cannot_be_written_did_not_happen(void **state)
{
    static const char *const commands[] = {install_hello, "80F0800700", "80E40000074F05F000000001",
                                           "80E2900004420212"
                                           "34"};
    (void)state;
    new_card("modern", 0xFF);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    assert_int_equal(load_hello(), SW_OK);
    struct writer before, after;
    wr_heap(&before, CARD_FRAME_MAX);
    wr_heap(&after, CARD_FRAME_MAX);
    card_state_put(&h->card.state, &before);
    h->refuse_commits = true;
    for (size_t n = 0; n < sizeof commands / sizeof commands[0]; n++) {
        if (say(commands[n]) != SW_MEMORY)
            fail_msg("%s answered %04X", commands[n], h->sw);
    }
    assert_int_equal(say(initialize), SW_MEMORY);
    card_state_put(&h->card.state, &after);
    assert_true(view_equal(wr_view_of(&before), wr_view_of(&after)));
    wr_free(&before);
    wr_free(&after);
    end_card();
}

/* The records that were written give the state that the card has: what a restart would read. */
static void the_journal_is_the_state(void **state)
{
    struct writer now, again;
    struct card_state *replayed = calloc(1, sizeof *replayed);
    (void)state;
    assert_non_null(replayed);
    new_card("modern", 0xFF);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    assert_int_equal(load_hello(), SW_OK);
    assert_int_equal(say(install_hello), SW_OK);
    assert_int_equal(say("80E620000C000006F00000000101000000"), SW_OK);
    assert_int_equal(say("80E200000401020304"), SW_OK);
    assert_int_equal(say("80F0800700"), SW_OK);
    wr_heap(&now, CARD_FRAME_MAX);
    wr_heap(&again, CARD_FRAME_MAX);
    card_state_put(&h->card.state, &now);
    assert_int_equal(card_state_apply(replayed, wr_view_of(&h->journal)), OK);
    card_state_put(replayed, &again);
    assert_true(view_equal(wr_view_of(&now), wr_view_of(&again)));
    card_state_finish(replayed);
    free(replayed);
    wr_free(&now);
    wr_free(&again);
    end_card();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fresh_card_says_who_it_is),
        cmocka_unit_test(select_finds_the_card_manager),
        cmocka_unit_test(lists_of_applications),
        cmocka_unit_test(the_card_goes_through_its_life),
        cmocka_unit_test(t0_hands_out_responses),
        cmocka_unit_test(a_repeat_after_6c_is_not_a_second_execution),
        cmocka_unit_test(what_does_not_fit_is_fetched),
        cmocka_unit_test(room_is_left_for_what_the_channel_adds),
        cmocka_unit_test(a_dead_card_is_silent),
        cmocka_unit_test(extended_length_where_the_card_has_it),
        cmocka_unit_test(the_atr_offers_the_protocol),
        cmocka_unit_test(what_cannot_be_written_did_not_happen),
        cmocka_unit_test(the_journal_is_the_state),
    };
    return cmocka_run_group_tests(tests, conversation_setup, conversation_teardown);
}
