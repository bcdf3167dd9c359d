/* SPDX-License-Identifier: Apache-2.0
 *
 * STORE DATA to security domains: objects and keys, in DGI and BER-TLV, cut into blocks anywhere. */
#include "testing/conversation.h"

#include "domain.h"

enum { WHOLE_MAX = 1024 };

static const char dek[] = "000102030405060708090A0B0C0D0E0F";

static void begin(void)
{
    new_card("modern", 0xFF);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    assert_int_equal(secret_set(&h->card.now->session.channel.s_dek, vector_hex(dek)), OK);
}

/* Sends data in blocks of so many bytes; the status word of the first that is refused, or of the last. */
static uint16_t store_in_blocks(uint8_t p1, struct view data, size_t block)
{
    uint8_t header[] = {0x80, 0xE2, 0x00, 0x00};
    uint8_t whole[WHOLE_MAX];
    assert_true(data.len <= sizeof whole);
    memcpy(whole, data.data, data.len);
    struct view left = view_of(whole, data.len);
    for (uint8_t n = 0; left.len != 0; n++) {
        struct view part = view_head(left, block);
        left = view_tail(left, part.len);
        header[2] = p1 | (left.len == 0 ? 0x80 : 0x00);
        header[3] = n;
        uint16_t sw = host_secure(h, VIEW_OF(header), part);
        if (sw != SW_OK)
            return sw;
    }
    return h->sw;
}

static const struct {
    const char *name;
    uint8_t p1;
    const char *data;
    uint16_t sw;
} rows[] = {
    {"BER", 0x10, "42021234450301020366037301005F5003414243", SW_OK},
    {"nothing said of the structure", 0x00, "42021234450301020366037301005F5003414243", SW_OK},
    {"DGI", 0x08, "00701442021234450301020366037301005F5003414243", SW_OK},
    {"DGI, long length", 0x08, "0070FF001442021234450301020366037301005F5003414243", SW_OK},
    {"generated", 0x10, "C10100", SW_WRONG_DATA},
    {"the security level", 0x10, "D30100", SW_WRONG_DATA},
    {"resources", 0x10, "FF210100", SW_WRONG_DATA},
    {"CPLC", 0x10, "9F7F0100", SW_WRONG_DATA},
    {"key information", 0x08, "007003E00100", SW_WRONG_DATA},
    {"three bytes of tag", 0x10, "DF810101AA", SW_WRONG_DATA},
    {"empty object", 0x10, "4200", SW_WRONG_DATA},
    {"second one bad", 0x10, "42021234C10100", SW_WRONG_DATA},
    {"cut", 0x10, "420212", SW_WRONG_DATA},
    {"cut within DGI", 0x08, "007003420212", SW_WRONG_DATA},
    {"cut DGI", 0x08,
     "00700442021234"
     "0070",
     SW_WRONG_DATA},
    {"empty DGI", 0x08, "007000", SW_WRONG_DATA},
    {"unknown DGI", 0x08, "00710442021234", SW_WRONG_DATA},
    {"encrypted objects", 0x70, "42021234", SW_WRONG_DATA},
    {"structure for future use", 0x18, "42021234", SW_INCORRECT_P1P2},
    {"encryption for future use", 0x50, "42021234", SW_INCORRECT_P1P2},
};

static void objects_come_whole_or_in_blocks(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        size_t len = vector_hex(rows[n].data).len;
        for (size_t block = 1; block <= len; block++) {
            begin();
            uint16_t sw = store_in_blocks(rows[n].p1, vector_hex(rows[n].data), block);
            if (sw != rows[n].sw)
                fail_msg("%s, blocks of %zu: %04X", rows[n].name, block, sw);
            assert_int_equal(h->card.now->personalising.pending_len, 0);
            if (sw == SW_OK) {
                assert_int_equal(say("80CA004200"), SW_OK);
                assert_true(view_equal(host_data(h), vector_hex("42021234")));
                assert_int_equal(say("80CA5F5000"), SW_OK);
                assert_true(view_equal(host_data(h), vector_hex("5F5003414243")));
                assert_int_equal(say("80CA006600"), SW_OK);
                assert_true(view_equal(host_data(h), vector_hex("6603730100")));
            }
            end_card();
        }
    }
}

/* What one command brings happens as a whole or not at all. */
static void nothing_half(void **state)
{
    (void)state;
    begin();
    unsigned commits = h->commits;
    assert_int_equal(store_in_blocks(0x10, vector_hex("42021234450201025F50014145C10100"), 255),
                     SW_WRONG_DATA);
    assert_int_equal(h->commits, commits);
    assert_int_equal(store_in_blocks(0x10, vector_hex("42021234450201025F500141"), 255), SW_OK);
    assert_int_equal(h->commits, commits + 1);
    h->refuse_commits = true;
    assert_int_equal(store_in_blocks(0x10, vector_hex("42029999"), 255), SW_MEMORY);
    h->refuse_commits = false;
    assert_int_equal(say("80CA004200"), SW_OK);
    assert_true(view_equal(host_data(h), vector_hex("42021234")));
    end_card();
}

/* A structure goes on in the form in which it began; a gap or a refusal ends it. */
static void a_structure_goes_on_as_it_began(void **state)
{
    static const struct line form[] = {
        {"80E2100000420212", SW_OK, ""},     {"80E288010034", SW_WRONG_DATA, ""},
        {"80E290000034", SW_WRONG_DATA, ""}, /* begun anew, and alone it is nothing */
        {"80E2100000420212", SW_OK, ""},     {"80E290020034", SW_INCORRECT_P1P2, ""},
        {"80E2100000420212", SW_OK, ""},     {"80E290010034", SW_OK, ""},
        {"80CA004200", SW_OK, "42021234"},
    };
    (void)state;
    begin();
    TALK(form);
    end_card();
}

static void the_card_has_room_for_so_many_objects(void **state)
{
    uint16_t sw = SW_OK;
    (void)state;
    begin();
    for (unsigned tag = 0xDF21; sw == SW_OK && tag < 0xDF7F; tag++) {
        char command[32];
        snprintf(command, sizeof command, "80E2900000%04X01AA", tag);
        sw = say(command);
    }
    assert_int_equal(sw, SW_NOT_ENOUGH_MEMORY);
    assert_false(h->card.dead);
    assert_int_equal(h->card.state.object_count, CARD_OBJECTS_MAX);
    assert_int_equal(say("80E29000004202AAAA"), SW_OK); /* in place */
    end_card();
}

/* ---- keys ---- */

static const json_t *key_rows(void)
{
    return vectors_load("vectors/cap.json");
}

/* The published key DGIs, whole and in blocks of every length. */
static void published_keys_are_taken(void **state)
{
    const json_t *all = key_rows(), *row;
    size_t n, done = 0;
    (void)state;
    json_array_foreach(all, n, row)
    {
        if (!vector_is(row, "store_data_key_dgi"))
            continue;
        const json_t *keys = json_object_get(row, "keys");
        for (size_t block = 20; block < 230; block += 13) {
            begin();
            assert_int_equal(secret_set(&h->card.now->session.channel.s_dek, vector_bytes(row, "dek")), OK);
            uint16_t sw = store_in_blocks(0x08, vector_bytes(row, "value"), block);
            if (sw != SW_OK)
                fail_msg("%s, blocks of %zu: %04X", vector_text(row, "id"), block, sw);
            const struct card_keyset *set = card_find_keyset(&h->card.state, VIEW_NULL, 1);
            const struct card_key *one = card_find_key(&h->card.state, VIEW_NULL, 2, 1);
            struct view first = vector_hex(json_string_value(json_array_get(keys, 0)));
            if (json_array_size(keys) == 3)
                assert_true(set != NULL && view_equal(secret_view(&set->enc), first));
            else
                assert_true(one != NULL && view_equal(view_of(one->data, one->len), first));
            done++;
            end_card();
        }
    }
    assert_true(done > 20);
}

/* One AES key, kvn 73, identifier 1, as 00B9 and 8113 say it, with faults. DEK and key are those of the
 * vector: 000102..0F encrypts 101112..1F. */
static void faulty_keys_are_refused(void **state)
{
    static const char point[] = "04148B71D3DB76F681A4EE53CAFE2F0F8EEF0A62423FC46CD2B64F210EA9A336E3"
                                "32820E22BCEC0AE9F26515CF2D661C307A5FAA5B837DB23D334A8BC4B440B273";
    static const struct {
        const char *name, *templates, *dgis;
        uint16_t sw;
    } faults[] = {
        {"point", "B90F9501848001B0810141820101830173B9068001F0850100", "003641P", SW_OK},
        {"point without curve", "B90F9501848001B0810141820101830173", "003641P", SW_WRONG_DATA},
        {"curve first", "B9068001F0850100B90F9501848001B0810141820101830173", "003641P", SW_WRONG_DATA},
        {"another DGI", "B90F9501848001B0810141820101830173B9068001F0850100", "001041P", SW_WRONG_DATA},
        {"no DGI", "B90F9501848001B0810141820101830173B9068001F0850100", "", SW_WRONG_DATA},
        {"no version", "B90C9501848001B0810141820101B9068001F0850100", "003641P", SW_WRONG_DATA},
        {"version 80", "B90F9501848001B0810141820101830180B9068001F0850100", "003641P", SW_WRONG_DATA},
        {"version 0", "B90F9501848001B0810141820101830100B9068001F0850100", "003641P", SW_WRONG_DATA},
        {"no template", "", "003641P", SW_WRONG_DATA},
        {"a point alone", NULL, "003641P", SW_WRONG_DATA},
        {"more behind", "B90F9501848001B0810141820101830173B9068001F0850100", "003641P00", SW_WRONG_DATA},
        {"check value of a point", "B9149501848001B08101418201018301738403112233B9068001F0850100", "003641P",
         SW_WRONG_DATA},
        {"unknown type", "B90F950184800189810141820101830173", "003641P", SW_WRONG_DATA},
        {"AES without check value", "B90F950114800188810110820101830173",
         "811310112233445566778899AABBCCDDEEFF00", SW_WRONG_DATA},
        {"AES, wrong check value", "B9149501148001888101108201018301738403112233",
         "811310112233445566778899AABBCCDDEEFF00", SW_SECURITY_STATUS},
        {"AES of another length", "B9149501148001888101118201018301738403112233",
         "811310112233445566778899AABBCCDDEEFF00", SW_WRONG_DATA},
    };
    (void)state;
    for (size_t n = 0; n < sizeof faults / sizeof faults[0]; n++) {
        char text[1024], dgis[512];
        const char *p = strchr(faults[n].dgis, 'P');
        snprintf(dgis, sizeof dgis, "%.*s%s%s", (int)(p != NULL ? p - faults[n].dgis : 999), faults[n].dgis,
                 p != NULL ? point : "", p != NULL ? p + 1 : "");
        if (faults[n].templates != NULL)
            snprintf(text, sizeof text, "00B9%02zX%s%s", strlen(faults[n].templates) / 2, faults[n].templates,
                     dgis);
        else
            snprintf(text, sizeof text, "%s", dgis);
        begin();
        uint16_t sw = store_in_blocks(0x08, vector_hex(text), 255);
        if (sw != faults[n].sw || h->card.state.key_count != (sw == SW_OK))
            fail_msg("%s: %04X", faults[n].name, sw);
        if (sw == SW_OK) /* again: an update */
            assert_int_equal(store_in_blocks(0x08, vector_hex(text), 40), SW_OK);
        end_card();
    }
}

/* Through the domain above it, after INSTALL [for personalization], a domain gets what is its own. */
static void a_domain_is_personalised_from_above(void **state)
{
    static const struct line lines[] = {
        {"80E60C000007A000000151535008A00000015153504105F0000000D1018002C90000", SW_OK, "00"},
        {"80E620000000"
         "0005F0000000D1000000",
         SW_OK, "00"},
        {"80E21000004202", SW_OK, ""},
        {"80E2900100ABCD", SW_OK, ""},
        {"80CA004200", SW_OK, NULL}, /* the issuer's is what it was */
        {"-00A4040005F0000000D100", SW_OK, NULL},
        {"-80CA004200", SW_OK, "4202ABCD"},
    };
    (void)state;
    begin();
    TALK(lines);
    assert_int_equal(h->card.state.objects[h->card.state.object_count - 1].domain.len, 5);
    end_card();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_come_whole_or_in_blocks),
        cmocka_unit_test(nothing_half),
        cmocka_unit_test(a_structure_goes_on_as_it_began),
        cmocka_unit_test(the_card_has_room_for_so_many_objects),
        cmocka_unit_test(published_keys_are_taken),
        cmocka_unit_test(faulty_keys_are_refused),
        cmocka_unit_test(a_domain_is_personalised_from_above),
    };
    return cmocka_run_group_tests(tests, conversation_setup, conversation_teardown);
}
