/* SPDX-License-Identifier: Apache-2.0
 *
 * Quirks: each changes what it says and nothing else; without it the card does as the specification has it.
 */
#include "testing/conversation.h"

/* What is said with and without the quirk, up to four lines behind one another. */
enum { LINES_MAX = 4 };
struct row {
    enum card_quirk quirk;
    const char *kind;
    uint8_t i;
    int level; /* of a session that is opened first; -1: none */
    bool t0;
    struct {
        const char *command;
        uint16_t with, without;
        const char *data; /* with the quirk; NULL: not looked at */
    } lines[LINES_MAX];
};

static const struct row rows[] = {
    {QUIRK_UNKNOWN_KVN_6985,
     "modern",
     0xFF,
     -1,
     false,
     {{"-8050310008010203040506070800", SW_CONDITIONS, SW_REFERENCED_DATA, ""}}},
    {QUIRK_DOUBLED_TAGS,
     "modern",
     0xFF,
     -1,
     false,
     {{"-80CA004200", SW_OK, SW_OK, "0042054203999999"},
      {"-80CA123400", SW_REFERENCED_DATA, SW_REFERENCED_DATA, ""}}},
    {QUIRK_NO_CPLC,
     "modern",
     0xFF,
     -1,
     false,
     {{"-80CA9F7F00", SW_REFERENCED_DATA, SW_OK, ""},
      {"-00CA9F7F00", SW_CLA, SW_OK, ""},
      {"-80CA004200", SW_OK, SW_OK, "4203999999"}}},
    {QUIRK_NO_GET_DATA,
     "modern",
     0xFF,
     -1,
     false,
     {{"-80CA004200", SW_CONDITIONS, SW_OK, ""}, {"-00CA006600", SW_CONDITIONS, SW_OK, ""}}},
    {QUIRK_MINIMAL_FCI,
     "modern",
     0xFF,
     -1,
     false,
     {{"-00A4040000", SW_OK, SW_OK, "6F178408A000000151000000A50B730906072A864886FC6B01"}}},
    {QUIRK_SELECT_6D00,
     "modern",
     0xFF,
     -1,
     false,
     {{"-00A4040000", SW_INS, SW_OK, ""}, {"-00A4040008A00000015100000000", SW_OK, SW_OK, NULL}}},
    {QUIRK_FIRST_SELECT_6985,
     "modern",
     0xFF,
     -1,
     false,
     {{"-00A4040000", SW_CONDITIONS, SW_OK, ""},
      {"-00A4040000", SW_OK, SW_OK, NULL},
      {"!", SW_OK, SW_OK, NULL},
      {"-00A4040000", SW_CONDITIONS, SW_OK, ""}}},
    {QUIRK_OLD_STATUS,
     "modern",
     0xFF,
     0x01,
     false,
     {{"80F28002024F00", SW_INCORRECT_P1P2, SW_OK, ""}, {"80F28000024F00", SW_OK, SW_OK, NULL}}},
    {QUIRK_EXACT_GET_RESPONSE,
     "modern",
     0xFF,
     -1,
     true,
     {{"-80CA0042", 0x6105, 0x6105, ""},
      {"-00C0000006", SW_CONDITIONS, 0x6C05, ""},
      {"-00C0000005", SW_OK, SW_OK, "4203999999"}}},
    {QUIRK_NO_CONFIRMATION,
     "modern",
     0xFF,
     0x01,
     false,
     {{"80E602000A05F00000000100000000", SW_OK, SW_OK, ""}, {"80E8000004C4020102", SW_OK, SW_OK, ""}}},
    {QUIRK_TYPE_81,
     "classic",
     0xFF,
     -1,
     false,
     {{"-80CA00E000", SW_OK, SW_OK, "E012C00401FF8110C00402FF8110C00403FF8110"}}},
    {QUIRK_DES_AND_AES_LISTED,
     "modern",
     0xFF,
     -1,
     false,
     {{"-80CA00E000", SW_OK, SW_OK,
       "E024C00401308810C00401308010C00402308810C00402308010C00403308810C00403308010"}}},
    {QUIRK_LE_DEMANDED, "modern", 0xFF, 0x01, false, {{"80CA004200", SW_WRONG_LENGTH, SW_OK, ""}}},
};

static void quirky_card(const struct row *r, bool with)
{
    new_card(r->kind, r->i);
    h->card.t0 = r->t0;
    if (r->level >= 0)
        assert_int_equal(host_open(h, 0, (uint8_t)r->level), SW_OK);
    h->card.state.profile.quirks = with ? (uint32_t)r->quirk : 0;
}

static void converse(const struct row *r, bool with, const char *name)
{
    bool different = false;
    quirky_card(r, with);
    for (size_t n = 0; n < LINES_MAX && r->lines[n].command != NULL; n++) {
        uint16_t want = with ? r->lines[n].with : r->lines[n].without, sw = say(r->lines[n].command);
        if (sw != want)
            fail_msg("%s, %s: %s answered %04X", name, with ? "with" : "without", r->lines[n].command, sw);
        const char *data = r->lines[n].data;
        if (with && data != NULL && !view_equal(host_data(h), vector_hex(data)))
            fail_msg("%s: %s has other data", name, r->lines[n].command);
        bool same = data == NULL || view_equal(host_data(h), vector_hex(data));
        different |= sw != r->lines[n].with || !same;
    }
    if (!with && !different)
        fail_msg("%s makes no difference", name);
    end_card();
}

static const char *name_of(enum card_quirk quirk)
{
    size_t count;
    const struct card_quirk_row *all = card_quirks(&count);
    for (size_t n = 0; n < count; n++) {
        if (all[n].quirk == quirk)
            return all[n].name;
    }
    return "?";
}

static void each_quirk_makes_its_difference(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        converse(&rows[n], true, name_of(rows[n].quirk));
        converse(&rows[n], false, name_of(rows[n].quirk));
    }
}

static void names_are_all_there(void **state)
{
    size_t count;
    uint32_t all = 0;
    enum card_quirk quirk;
    const struct card_quirk_row *table = card_quirks(&count);
    (void)state;
    for (size_t n = 0; n < count; n++) {
        assert_true(card_quirk_by_name(table[n].name, &quirk) && quirk == table[n].quirk);
        all |= (uint32_t)quirk;
    }
    assert_int_equal(all, QUIRKS_ALL);
    assert_false(card_quirk_by_name("none", &quirk));
}

/* What a card was made with it remembers; what it does not know it refuses. */
static void quirks_are_remembered(void **state)
{
    struct writer w;
    static struct card_state s;
    (void)state;
    new_card("modern", 0xFF);
    h->card.state.profile.quirks = QUIRK_NO_CPLC | QUIRK_TYPE_81;
    wr_heap(&w, CARD_FRAME_MAX);
    card_state_put(&h->card.state, &w);
    assert_int_equal(card_state_apply(&s, wr_view_of(&w)), OK);
    assert_int_equal(s.profile.quirks, QUIRK_NO_CPLC | QUIRK_TYPE_81);
    wr_clear(&w);
    card_put_quirks(&w, (uint32_t)QUIRKS_ALL + 1);
    assert_int_equal(card_state_apply(&s, wr_view_of(&w)), ERR_FORMAT);
    wr_free(&w);
    card_state_finish(&s);
    end_card();
}

static void levels_and_le_of_external_authenticate(void **state)
{
    (void)state;
    new_card("classic", 0x55);
    h->card.state.profile.quirks = QUIRK_NO_LEVEL_00;
    assert_int_equal(host_open(h, 0, 0x00), SW_CONDITIONS);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    h->card.state.profile.quirks = 0;
    assert_int_equal(host_open(h, 0, 0x00), SW_OK);
    for (int n = 0; n < 2; n++) {
        uint8_t command[22] = {0x84, 0x82, 0x01, 0x00, 0x10};
        h->card.state.profile.quirks = n == 0 ? QUIRK_AUTHENTICATE_WITHOUT_LE : 0;
        assert_int_equal(say(initialize), SW_OK);
        assert_int_equal(host_send(h, VIEW_OF(command)), n == 0 ? SW_INS : SW_SECURITY_STATUS);
        assert_int_equal(host_open(h, 0, 0x01), SW_OK); /* without Le */
    }
    end_card();
}

static void challenges_are_fixed_or_derived(void **state)
{
    uint8_t derived[CARD_CHALLENGE_MAX];
    (void)state;
    new_card("modern", 0x70);
    h->card.state.profile.quirks = QUIRK_FIXED_CHALLENGE;
    for (int n = 0; n < 2; n++) {
        assert_int_equal(say(initialize), SW_OK);
        assert_true(view_equal(view_head(view_tail(host_data(h), 13), 8), vector_hex("5A5A5A5A5A5A5A5A")));
    }
    assert_int_equal(host_open(h, 0, 0x33), SW_OK);
    end_card();
    for (int with = 0; with < 2; with++) {
        new_card("classic", 0x15);
        const struct card_keyset *k = &h->card.state.keysets[0];
        struct card_static_keys keys = {k->enc, k->mac, k->dek};
        struct view isd = card_aid_view(&h->card.state.profile.isd);
        h->card.state.profile.quirks = with ? QUIRK_PSEUDO_RANDOM_ALWAYS : 0;
        assert_int_equal(say(initialize), SW_OK);
        struct view told = view_head(view_tail(host_data(h), 14), 6);
        assert_int_equal(card_scp02_ops.pseudo_random(crypto, &keys, 0x55, 0, isd, derived), OK);
        assert_int_equal(view_equal(told, view_of(derived, told.len)), with);
        end_card();
    }
}

static void card_data_with_scp80_and_short_blocks(void **state)
{
    static const uint32_t block[] = {0x6F, 0xA5, 0x9F65};
    struct view v = VIEW_NULL;
    (void)state;
    new_card("modern", 0xFF);
    h->card.state.profile.quirks = QUIRK_SCP80_OID | QUIRK_BLOCK_0100;
    assert_int_equal(say("-00A4040000"), SW_OK);
    assert_true(tlv_path(host_data(h), block, 3, &v) && view_equal(v, vector_hex("0100")));
    assert_int_equal(say("-80CA006600"), SW_OK);
    assert_non_null(memmem(host_data(h).data, host_data(h).len,
                           "\x64\x0B\x06\x09\x2A\x86\x48\x86\xFC\x6B\x04\x80\x00", 13));
    h->card.state.profile.quirks = 0;
    assert_int_equal(say("-80CA006600"), SW_OK);
    assert_null(memmem(host_data(h).data, host_data(h).len, "\xFC\x6B\x04\x80\x00", 5));
    end_card();
}

/* Each part of an INSTALL on its own, with a MAC; the specification's way is refused by such a card. */
static void each_part_with_its_mac(void **state)
{
    static const struct line lines[] = {
        {"80E682000405F00000", SW_OK, ""}, {"80E6020006000100000000", SW_OK, "00"},
        {"80E682000405F00000", SW_OK, ""}, {"80F28002024F00", SW_CONDITIONS, ""},
        {"80F28002024F00", SW_OK, NULL},   {"80E602000A05F00000000100000000", SW_OK, "00"},
    };
    (void)state;
    new_card("modern", 0xFF);
    assert_int_equal(host_open(h, 0, 0x03), SW_OK);
    h->card.state.profile.quirks = QUIRK_MAC_EACH_PART;
    TALK(lines);
    h->chain = CHAIN_GP;
    h->part = 7;
    assert_int_equal(install_for_load(vector_hex("F000000001"), VIEW_NULL), SW_SECURITY_STATUS);
    h->chain = CHAIN_NONE;
    assert_int_equal(host_open(h, 0, 0x03), SW_OK);
    assert_int_equal(say("80F28002024F00"), SW_OK);
    end_card();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_quirk_makes_its_difference),
        cmocka_unit_test(names_are_all_there),
        cmocka_unit_test(quirks_are_remembered),
        cmocka_unit_test(levels_and_le_of_external_authenticate),
        cmocka_unit_test(challenges_are_fixed_or_derived),
        cmocka_unit_test(card_data_with_scp80_and_short_blocks),
        cmocka_unit_test(each_part_with_its_mac),
    };
    return cmocka_run_group_tests(tests, conversation_setup, conversation_teardown);
}
