/* SPDX-License-Identifier: Apache-2.0
 *
 * Card types: what is accepted, what is refused and why, and which cards are of a type. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <base/text.h>

#include "front/card_type.h"

#define BASE       "\"name\":\"t\",\"scp\":\"03\",\"i\":\"70\",\"kvn\":\"30\",\"key\":\"k\",\"kdf\":\"kdf3\""
#define WITH(more) "{" BASE "," more "}"

static void a_whole_type_is_read(void **state)
{
    (void)state;
    static const char text[] =
        "{\"name\":\"badge-2026\",\"title\":\"Badge\",\"title_de\":\"Ausweis f\xC3\xBCr "
        "alle\",\"match\":{\"atr\":[\"3B..95801F\",\"3bff\"],\"cplc\":[\"4790....\"],"
        "\"iin\":\"42\"},\"isd\":\"A000000151000000\",\"scp\":\"03\",\"i\":\"70\",\"kvn\":\"30\","
        "\"key\":\"badge-master\",\"kdf\":\"kdf3\",\"level\":\"33\",\"java_card\":\"3.0.5\",\"virgin\":true,"
        "\"identify_first\":true,\"max_openings\":9}";
    struct card_type t;
    char why[200] = "";
    assert_int_equal(card_type_parse(view_str(text), &t, why, sizeof(why)), OK);
    assert_string_equal(t.name, "badge-2026");
    assert_string_equal(t.title, "Badge");
    assert_string_equal(t.title_de, "Ausweis f\xC3\xBCr alle");
    assert_int_equal(t.atr.count, 2);
    assert_string_equal(t.atr.list[1].text, "3BFF");
    assert_string_equal(t.cplc.list[0].text, "4790....");
    assert_string_equal(t.iin.list[0].text, "42");
    assert_int_equal(t.isd.len, 8);
    assert_int_equal(t.scp, 3);
    assert_int_equal(t.i, 0x70);
    assert_int_equal(t.kvn, 0x30);
    assert_int_equal(t.kdf, KDF_KDF3);
    assert_int_equal(t.level, 0x33);
    assert_string_equal(t.key, "badge-master");
    assert_string_equal(t.java_card, "3.0.5");
    assert_true(t.virgin && t.identify_first);
    assert_int_equal(t.max_openings, 9);
}

static void what_is_left_out_has_a_default(void **state)
{
    (void)state;
    struct card_type t;
    assert_int_equal(card_type_parse(view_str("{" BASE "}"), &t, NULL, 0), OK);
    assert_int_equal(t.level, 0x33); /* the strongest of the method */
    assert_int_equal(t.isd.len, 0);
    assert_string_equal(t.title, "");
    assert_int_equal(t.max_openings, 3);
    assert_false(t.virgin || t.identify_first);
    assert_int_equal(t.atr.count + t.cplc.count + t.iin.count, 0);
}

static void bad_types_are_refused_with_the_reason(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum err e;
        const char *why; /* a part of the sentence */
    } rows[] = {
        {"", ERR_FORMAT, "empty"},
        {"[]", ERR_FORMAT, "not an object"},
        {"{\"name\"", ERR_FORMAT, "line 1"},
        {"{" BASE "} x", ERR_FORMAT, "line 1"},
        {WITH("\"name\":\"u\""), ERR_FORMAT, "duplicate"},
        {"{\"a\":[[[[[[[1]]]]]]]}", ERR_LIMIT, "deeper"},
        {WITH("\"levle\":\"33\""), ERR_ARGUMENT, "'levle'"},
        {WITH("\"virgin\":1"), ERR_ARGUMENT, "'virgin'"},
        {WITH("\"virgin\":\"false\""), ERR_ARGUMENT, "'virgin'"},
        {WITH("\"match\":[]"), ERR_ARGUMENT, "'match'"},
        {WITH("\"match\":{\"iinn\":\"1\"}"), ERR_ARGUMENT, "'iinn'"},
        {WITH("\"match\":{\"atr\":[\"3G\"]}"), ERR_ARGUMENT, "match.atr"},
        {WITH("\"match\":{\"atr\":[\"3B\",\"\"]}"), ERR_ARGUMENT, "entry 2"},
        {WITH("\"match\":{\"atr\":[3]}"), ERR_ARGUMENT, "match.atr"},
        {WITH("\"match\":{\"cplc\":[\"x\"]}"), ERR_ARGUMENT, "match.cplc"},
        {WITH("\"match\":{\"iin\":\"4-\"}"), ERR_ARGUMENT, "match.iin"},
        {WITH("\"isd\":\"A0\""), ERR_ARGUMENT, "'isd'"},
        {WITH("\"title\":\"a\xC2\x85z\""), ERR_ARGUMENT, "'title' is not a line"},
        {WITH("\"title_de\":\"0123456789012345678901234567890123456789012345678901234567890123456789"
              "01234567890\""),
         ERR_ARGUMENT, "'title_de' is longer"},
        {WITH("\"isd\":\"A00000015100000\""), ERR_ARGUMENT, "'isd'"},
        {WITH("\"level\":\"0\""), ERR_ARGUMENT, "'level'"},
        {WITH("\"level\":\"00\""), ERR_ARGUMENT, "does not authenticate"},
        {WITH("\"level\":\"02\""), ERR_ARGUMENT, "does not authenticate"},
        {WITH("\"level\":\"21\""), ERR_UNSUPPORTED, "no security level 21"},
        {WITH("\"java_card\":\"9.9\""), ERR_ARGUMENT, "'java_card'"},
        {WITH("\"max_openings\":0"), ERR_ARGUMENT, "'max_openings'"},
        {WITH("\"max_openings\":10"), ERR_ARGUMENT, "'max_openings'"},
        {WITH("\"max_openings\":-1"), ERR_ARGUMENT, "'max_openings'"},
        {WITH("\"max_openings\":3.0"), ERR_ARGUMENT, "'max_openings'"},
        {"{\"scp\":\"03\",\"i\":\"70\",\"kvn\":\"30\",\"key\":\"k\",\"kdf\":\"kdf3\"}", ERR_ARGUMENT,
         "'name'"},
        {"{\"name\":\"a b\",\"scp\":\"03\",\"i\":\"70\",\"kvn\":\"30\",\"key\":\"k\",\"kdf\":\"kdf3\"}",
         ERR_ARGUMENT, "'name'"},
        {"{\"name\":\"a\\nb\",\"scp\":\"03\",\"i\":\"70\",\"kvn\":\"30\",\"key\":\"k\",\"kdf\":\"kdf3\"}",
         ERR_ARGUMENT, "control"},
        {"{\"name\":\"a/b\",\"scp\":\"03\",\"i\":\"70\",\"kvn\":\"30\",\"key\":\"k\",\"kdf\":\"kdf3\"}",
         ERR_ARGUMENT, "'name'"},
        {"{\"name\":\"..\",\"scp\":\"03\",\"i\":\"70\",\"kvn\":\"30\",\"key\":\"k\",\"kdf\":\"kdf3\"}",
         ERR_ARGUMENT, "'name'"},
        {"{\"name\":\"a\",\"scp\":\"3\",\"i\":\"70\",\"kvn\":\"30\",\"key\":\"k\",\"kdf\":\"kdf3\"}",
         ERR_ARGUMENT, "'scp'"},
        {"{\"name\":\"a\",\"scp\":\"03\",\"i\":\"7\",\"kvn\":\"30\",\"key\":\"k\",\"kdf\":\"kdf3\"}",
         ERR_ARGUMENT, "'i'"},
        {"{\"name\":\"a\",\"scp\":\"03\",\"i\":\"70\",\"kvn\":\"30\",\"key\":\"k\",\"kdf\":\"kdf3\","
         "\"quirks\":[\"odd\"]}",
         ERR_ARGUMENT, "'quirks' entry 1"},
        {"{\"name\":\"a\",\"scp\":\"03\",\"i\":\"70\",\"kvn\":\"30\",\"key\":\"k\",\"kdf\":\"kdf3\","
         "\"quirks\":[\"short-only\",\"extended-length\"]}",
         ERR_ARGUMENT, "exclude"},
        {"{\"name\":\"a\",\"scp\":\"03\",\"i\":\"70\",\"kvn\":\"30\",\"key\":\"k\",\"kdf\":\"kdf3\",\"block_"
         "size\":31}",
         ERR_ARGUMENT, "'block_size'"},
        {"{\"name\":\"a\",\"scp\":\"03\",\"i\":\"70\",\"kvn\":\"30\",\"key\":\"k\",\"kdf\":\"kdf3\","
         "\"trust\":\"t\"}",
         ERR_ARGUMENT, "'trust'"},
        {"{\"name\":\"a\",\"scp\":\"11\",\"i\":\"00\",\"kvn\":\"03\"}", ERR_ARGUMENT, "'trust'"},
        {"{\"name\":\"a\",\"scp\":\"11\",\"i\":\"01\",\"kvn\":\"03\",\"trust\":\"t\",\"key\":\"k\"}",
         ERR_ARGUMENT, "'certificates'"},
        {"{\"name\":\"a\",\"scp\":\"11\",\"i\":\"01\",\"kvn\":\"03\",\"trust\":\"t\"}", ERR_ARGUMENT,
         "SCP11a needs 'key'"},
        {"{\"name\":\"a\",\"scp\":\"11\",\"i\":\"83\",\"kvn\":\"03\",\"trust\":\"t\"}", ERR_ARGUMENT,
         "SCP11c needs 'key'"},
        {"{\"name\":\"a\",\"scp\":\"11\",\"i\":\"00\",\"kvn\":\"03\",\"trust\":\"t\",\"kdf\":\"none\"}",
         ERR_ARGUMENT, "'kdf'"},
        {"{\"name\":\"a\",\"scp\":\"F0\",\"i\":\"04\",\"kvn\":\"40\"}", ERR_ARGUMENT, "'key'"},
        {"{\"name\":\"a\",\"scp\":\"F0\",\"i\":\"04\",\"kvn\":\"40\",\"key\":\"k\",\"trust\":\"t\"}",
         ERR_ARGUMENT, "SCP11"},
        {"{\"name\":\"a\",\"scp\":\"F0\",\"i\":\"04\",\"kvn\":\"40\",\"key\":\"k\",\"session_key_bits\":129}",
         ERR_ARGUMENT, "session_key_bits"},
        {"{\"name\":\"a\",\"scp\":\"03\",\"i\":\"72\",\"kvn\":\"30\",\"key\":\"k\",\"kdf\":\"kdf3\"}",
         ERR_UNSUPPORTED, "i=72"},
        {"{\"name\":\"a\",\"scp\":\"04\",\"i\":\"70\",\"kvn\":\"30\",\"key\":\"k\",\"kdf\":\"kdf3\"}",
         ERR_UNSUPPORTED, "SCP04"},
        {"{\"name\":\"a\",\"scp\":\"03\",\"i\":\"70\",\"kvn\":\"00\",\"key\":\"k\",\"kdf\":\"kdf3\"}",
         ERR_ARGUMENT, "'kvn'"},
        {"{\"name\":\"a\",\"scp\":\"03\",\"i\":\"70\",\"kvn\":\"80\",\"key\":\"k\",\"kdf\":\"kdf3\"}",
         ERR_ARGUMENT, "'kvn'"},
        {"{\"name\":\"a\",\"scp\":\"03\",\"i\":\"70\",\"kvn\":\"30\",\"kdf\":\"kdf3\"}", ERR_ARGUMENT,
         "'key'"},
        {"{\"name\":\"a\",\"scp\":\"03\",\"i\":\"70\",\"kvn\":\"30\",\"key\":\"k\",\"kdf\":\"imported\"}",
         ERR_ARGUMENT, "not used"},
        {"{\"name\":\"a\",\"scp\":\"03\",\"i\":\"70\",\"kvn\":\"30\",\"key\":\"k\",\"kdf\":\"md5\"}",
         ERR_ARGUMENT, "'kdf'"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct card_type t = {.kvn = 0x77};
        char why[200] = "";
        enum err e = card_type_parse(view_str(rows[i].text), &t, why, sizeof(why));
        if (e != rows[i].e || strstr(why, rows[i].why) == NULL)
            fail_msg("row %zu: %s gives %s: %s", i, rows[i].text, err_name(e), why);
        assert_int_equal(t.kvn, 0x77); /* written only on success */
    }
}

static void a_long_body_is_refused(void **state)
{
    (void)state;
    static char text[CARD_TYPE_JSON_MAX + 2];
    struct card_type t;
    memset(text, ' ', sizeof(text) - 1);
    memcpy(text, "{" BASE "}", sizeof("{" BASE "}") - 1);
    assert_int_equal(card_type_parse(view_of(text, CARD_TYPE_JSON_MAX), &t, NULL, 0), OK);
    assert_int_equal(card_type_parse(view_of(text, CARD_TYPE_JSON_MAX + 1), &t, NULL, 0), ERR_LIMIT);
}

static const char cplc_hex[] =
    "479050F3000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F2021222324"
    "25";

static struct identity identity_of(const char *cplc, const char *iin)
{
    struct identity id = {0};
    size_t len = 0;
    if (cplc != NULL) {
        assert_int_equal(hex_read_str(cplc, id.cplc, sizeof(id.cplc), &len), OK);
        id.has_cplc = true;
    }
    if (iin != NULL)
        assert_int_equal(hex_read_str(iin, id.iin, sizeof(id.iin), &id.iin_len), OK);
    return id;
}

static void cards_are_matched_in_three_values(void **state)
{
    (void)state;
    static const uint8_t atr[] = {0x3B, 0xF8, 0x95, 0x80, 0x1F};
    static const struct {
        const char *match;
        enum card_match by_atr, bare, known; /* ATR alone; a card that tells nothing; one that tells all */
    } rows[] = {
        {"{}", CARD_MATCH_NO, CARD_MATCH_NO, CARD_MATCH_NO},
        {"{\"atr\":[]}", CARD_MATCH_NO, CARD_MATCH_NO, CARD_MATCH_NO},
        {"{\"atr\":[\"3BF895801F\"]}", CARD_MATCH_YES, CARD_MATCH_YES, CARD_MATCH_YES},
        {"{\"atr\":[\"3B..95\"]}", CARD_MATCH_YES, CARD_MATCH_YES, CARD_MATCH_YES},
        {"{\"atr\":[\"3B.\"]}", CARD_MATCH_YES, CARD_MATCH_YES, CARD_MATCH_YES},
        {"{\"atr\":[\"3BF895801F00\"]}", CARD_MATCH_NO, CARD_MATCH_NO, CARD_MATCH_NO},
        {"{\"atr\":[\"3BF995\"]}", CARD_MATCH_NO, CARD_MATCH_NO, CARD_MATCH_NO},
        {"{\"atr\":[\"3B00\",\"3BF8\"]}", CARD_MATCH_YES, CARD_MATCH_YES, CARD_MATCH_YES},
        {"{\"cplc\":[\"4790..F3\"]}", CARD_MATCH_UNKNOWN, CARD_MATCH_NO, CARD_MATCH_YES},
        {"{\"cplc\":[\"4791\"]}", CARD_MATCH_UNKNOWN, CARD_MATCH_NO, CARD_MATCH_NO},
        {"{\"iin\":\"4204\"}", CARD_MATCH_UNKNOWN, CARD_MATCH_NO, CARD_MATCH_YES},
        {"{\"iin\":\"43\"}", CARD_MATCH_UNKNOWN, CARD_MATCH_NO, CARD_MATCH_NO},
        {"{\"atr\":[\"3BF8\"],\"cplc\":[\"4790\"],\"iin\":\"42\"}", CARD_MATCH_UNKNOWN, CARD_MATCH_NO,
         CARD_MATCH_YES},
        {"{\"atr\":[\"3BF8\"],\"cplc\":[\"4790\"],\"iin\":\"43\"}", CARD_MATCH_UNKNOWN, CARD_MATCH_NO,
         CARD_MATCH_NO},
        {"{\"atr\":[\"3BF9\"],\"cplc\":[\"4790\"]}", CARD_MATCH_NO, CARD_MATCH_NO, CARD_MATCH_NO},
    };
    const struct identity bare = identity_of(NULL, NULL), known = identity_of(cplc_hex, "420455");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct card_type t;
        char text[512];
        snprintf(text, sizeof(text), "{%s,\"match\":%s}", BASE, rows[i].match);
        assert_int_equal(card_type_parse(view_str(text), &t, NULL, 0), OK);
        if (card_type_matches(&t, VIEW_OF(atr), NULL) != rows[i].by_atr ||
            card_type_matches(&t, VIEW_OF(atr), &bare) != rows[i].bare ||
            card_type_matches(&t, VIEW_OF(atr), &known) != rows[i].known)
            fail_msg("row %zu: %s", i, rows[i].match);
    }
}

static void weak_choices_are_warned_of(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t warnings;
    } rows[] = {
        {"{" BASE "}", 0},
        {WITH("\"virgin\":true"), 1},
        {WITH("\"level\":\"01\""), 1},
        {"{\"name\":\"a\",\"scp\":\"03\",\"i\":\"70\",\"kvn\":\"30\",\"key\":\"k\",\"kdf\":\"none\"}", 1},
        {"{\"name\":\"a\",\"scp\":\"02\",\"i\":\"15\",\"kvn\":\"30\",\"key\":\"k\",\"kdf\":\"none\"}", 3},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct card_type t;
        const char *texts[CARD_TYPE_WARNINGS_MAX];
        assert_int_equal(card_type_parse(view_str(rows[i].text), &t, NULL, 0), OK);
        if (card_type_warnings(&t, texts) != rows[i].warnings)
            fail_msg("row %zu: %zu warnings", i, card_type_warnings(&t, texts));
    }
}

/* The check values in the table are those of the keys 40 41 42 ... */
static void well_known_keys_are_recognised(void **state)
{
    (void)state;
    static const struct {
        enum key_type type;
        uint8_t len, first;
        bool known;
    } rows[] = {{KEY_AES, 16, 0x40, true},  {KEY_AES, 24, 0x40, true},  {KEY_AES, 32, 0x40, true},
                {KEY_DES3, 16, 0x40, true}, {KEY_DES3, 24, 0x40, true}, {KEY_AES, 16, 0x41, false},
                {KEY_DES3, 16, 0x51, false}};
    struct crypto *c = NULL;
    assert_int_equal(crypto_new(&c), OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct secret key = {.len = rows[i].len};
        uint8_t kcv[3];
        for (size_t n = 0; n < key.len; n++)
            key.data[n] = (uint8_t)(rows[i].first + n);
        assert_int_equal(key_check_value(c, rows[i].type, &key, kcv), OK);
        if (card_key_is_well_known(rows[i].type, kcv) != rows[i].known)
            fail_msg("row %zu", i);
    }
    crypto_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_type_is_read),
        cmocka_unit_test(what_is_left_out_has_a_default),
        cmocka_unit_test(bad_types_are_refused_with_the_reason),
        cmocka_unit_test(a_long_body_is_refused),
        cmocka_unit_test(cards_are_matched_in_three_values),
        cmocka_unit_test(weak_choices_are_warned_of),
        cmocka_unit_test(well_known_keys_are_recognised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
