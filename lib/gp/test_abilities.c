/* SPDX-License-Identifier: Apache-2.0
 *
 * What cards say that they can do and have: keys in both forms, capabilities, memory, dates, and the peculiar
 * ways in which some say it (tests/data/vectors/quirks.json names them). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <gp/command.h>
#include <gp/identity.h>
#include <gp/memory.h>
#include <support/vectors.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int teardown(void **state)
{
    (void)state;
    vectors_free();
    return 0;
}

static void keys_in_both_forms(void **state)
{
    (void)state;
    static const struct {
        const char *name, *hex;
        size_t components;
        unsigned type, len, last_type, last_len;
        int usage, access; /* -1: not told */
    } rows[] = {
        {"basic", "C00401018010", 1, 0x80, 16, 0x80, 16, -1, -1},
        {"a public key", "C0060170A180A003", 2, 0xA1, 128, 0xA0, 3, -1, -1},
        {"256 bytes or more", "C0060170A100A003", 2, 0xA1, 0, 0xA0, 3, -1, -1},
        {"a byte too many is left out", "C0050101801000", 1, 0x80, 16, 0x80, 16, -1, -1},
        {"extended", "C00A0101FF88001001140100", 1, 0x88, 16, 0x88, 16, 0x14, 0x00},
        {"extended, nothing said", "C0080101FF8800100000", 1, 0x88, 16, 0x88, 16, -1, -1},
        {"extended, nothing behind", "C0060101FF880010", 1, 0x88, 16, 0x88, 16, -1, -1},
        {"mixed forms of a real card", "C00D0173FFA10080A0000301840100", 2, 0xA1, 128, 0xA0, 3, 0x84, 0x00},
        {"two components, both extended", "C00E0101FF880010FF10000101000100", 2, 0x88, 16, 0x10, 1, 0x00,
         0x00},
        {"usage of two bytes", "C0090101FF880010021480", 1, 0x88, 16, 0x88, 16, -1, -1},
        {"a component cut", "C0080101FF880010FFA1", 1, 0x88, 16, 0x88, 16, -1, -1},
    };
    for (size_t n = 0; n < COUNT(rows); n++) {
        struct identity id = {.atr_len = 0};
        uint8_t memory[64];
        struct writer w;
        struct view entry = vector_hex(rows[n].hex);
        wr_fixed(&w, memory, sizeof(memory));
        wr_u8(&w, 0xE0);
        wr_view8(&w, entry);
        enum err e = identity_parse_key_info(&id, wr_view_of(&w));
        const struct key_info *k = &id.keys[0];
        if (e != OK || id.key_count != 1 || k->component_count != rows[n].components ||
            k->type != rows[n].type || k->len != rows[n].len ||
            k->components[k->component_count - 1].type != rows[n].last_type ||
            k->components[k->component_count - 1].len != rows[n].last_len ||
            (k->has_usage ? k->usage : -1) != rows[n].usage ||
            (k->has_access ? k->access : -1) != rows[n].access)
            fail_msg("%s: %s, %zu components", rows[n].name, err_name(e), k->component_count);
    }
}

/* More components than are kept are dropped, not refused. */
static void many_components(void **state)
{
    (void)state;
    struct identity id = {.atr_len = 0};
    assert_int_equal(
        identity_parse_key_info(&id, vector_hex("E016C0140101A101A202A303A404A505A606A707A808A909")), OK);
    assert_int_equal(id.keys[0].component_count, KEY_COMPONENTS_TOLD_MAX);
    assert_int_equal(id.keys[0].components[7].len, 8);
}

/* quirk-08: a zero in front, and the object wrapped in itself. */
static void quirk_08_duplicated_tags(void **state)
{
    (void)state;
    struct identity id = {.atr_len = 0};
    assert_int_equal(
        identity_parse_recognition(
            &id, vector_hex("0066336631732F06072A811C86FC6B01600C060A2A811C86FC6B02020101630906072A811C86FC"
                            "6B03640B06092A811C86FC6B040215")),
        OK);
    assert_int_equal(id.scp_count, 1);
    assert_int_equal(id.scps[0].scp, 0x02);
    assert_int_equal(id.scps[0].i, 0x15);
    assert_int_equal(identity_parse_key_info(&id, vector_hex("00E006C00401208010")), OK);
    assert_int_equal(id.keys[0].version, 0x20);
}

/* quirk-13: the identifiers of protocols are raw bytes; quirk-77: but for SCP11's, whose i has two. */
static void quirk_13_and_77_protocol_identifiers(void **state)
{
    (void)state;
    static const struct {
        const char *name, *oid;
        size_t count;
        unsigned scp, i;
    } rows[] = {
        {"SCP03", "2A864886FC6B040370", 1, 0x03, 0x70},
        {"SCP80, raw", "2A864886FC6B048000", 1, 0x80, 0x00},
        {"SCP02 of a Chinese card", "2A811C86FC6B040215", 1, 0x02, 0x15},
        {"SCP11", "2A864886FC6B04119B06", 1, 0x11, 0x0D86},
        {"SCP11 with one byte", "2A864886FC6B041106", 1, 0x11, 0x06},
        {"three bytes of another", "2A864886FC6B04039B06", 0, 0, 0},
        {"another arc", "2A864886FC6C040370", 0, 0, 0},
    };
    for (size_t n = 0; n < COUNT(rows); n++) {
        struct identity id = {.atr_len = 0};
        uint8_t memory[64];
        struct writer w;
        struct view oid = vector_hex(rows[n].oid);
        wr_fixed(&w, memory, sizeof(memory));
        wr_u8(&w, 0x66);
        wr_u8(&w, (uint8_t)(oid.len + 6));
        wr_u8(&w, 0x73);
        wr_u8(&w, (uint8_t)(oid.len + 4));
        wr_u8(&w, 0x64);
        wr_u8(&w, (uint8_t)(oid.len + 2));
        wr_u8(&w, 0x06);
        wr_view8(&w, oid);
        assert_int_equal(identity_parse_recognition(&id, wr_view_of(&w)), OK);
        if (id.scp_count != rows[n].count ||
            (rows[n].count > 0 && (id.scps[0].scp != rows[n].scp || id.scps[0].i != rows[n].i)))
            fail_msg("%s", rows[n].name);
    }
}

static void capabilities(void **state)
{
    (void)state;
    struct identity id = {.atr_len = 0};
    const struct capabilities *c = &id.capabilities;
    assert_int_equal(
        identity_parse_capabilities(
            &id, vector_hex("6735A00E8001038106001020306070820107A007800102810215558103FF9E0082031E16008301"
                            "0284018F8502FF028602FF028702FF02")),
        OK);
    assert_true(c->known && c->has_domain && c->has_application && c->has_tokens && c->has_receipts &&
                c->has_daps);
    assert_int_equal(c->domain.byte[0], 0xFF);
    assert_int_equal(c->application.byte[1], 0x16);
    assert_int_equal(c->scp03_keys, 0x07);
    assert_int_equal(c->tokens, 0x02FF);
    assert_int_equal(c->block_ciphers, 0x8F);
    assert_true(capability_has_hash(c, DIGEST_SHA256));
    assert_false(capability_has_hash(c, DIGEST_SHA1));
    /* Another answer replaces it, and a malformed one changes nothing. */
    assert_int_equal(identity_parse_capabilities(&id, vector_hex("6705A003800102")), ERR_FORMAT);
    assert_true(c->has_tokens);
    assert_int_equal(identity_parse_capabilities(&id, vector_hex("67058303010400")), OK);
    assert_false(c->has_tokens);
    assert_true(capability_has_hash(c, DIGEST_SHA512) && capability_has_hash(c, DIGEST_SHA1));
    /* A card that tells nothing may be able. */
    const struct capabilities nothing = {.known = false}, no_hashes = {.known = true};
    assert_true(capability_has_hash(&nothing, DIGEST_SHA1) && capability_has_hash(&no_hashes, DIGEST_SHA1));
}

static void scp11_in_capabilities(void **state)
{
    (void)state;
    struct identity id = {.atr_len = 0};
    assert_int_equal(identity_parse_capabilities(&id, vector_hex("670BA00980011181040D860D06")), OK);
    assert_int_equal(id.scp_count, 2);
    assert_int_equal(id.scps[0].i, 0x0D86);
    assert_int_equal(id.scps[1].i, 0x0D06);
}

static void capability_names(void **state)
{
    (void)state;
    assert_string_equal(capability_signature_name(0), "RSA-1024 with SHA-1");
    assert_string_equal(capability_signature_name(8), "ECDSA-512 or 521");
    assert_null(capability_signature_name(9));
    assert_string_equal(capability_block_cipher_name(3), "AES-256");
    assert_null(capability_block_cipher_name(4));
    assert_string_equal(capability_scp03_key_name(2), "AES-256");
    assert_null(capability_scp03_key_name(3));
}

/* quirk-05, quirk-06: 9F65 may be missing, has one byte or two, and is a hint. */
static void quirk_05_and_06_longest_command(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        unsigned want;
    } rows[] = {{"6F178408A000000151000000A50B730906072A864886FC6B01", 0},
                {"6F108408A000000151000000A5049F6501FF", 255},
                {"6F118408A000000151000000A5059F65020100", 256},
                {"6F0F8408A000000151000000A5039F6500", 0},
                {"6F128408A000000151000000A5069F6503010000", 0}};
    for (size_t n = 0; n < COUNT(rows); n++) {
        struct identity id = {.atr_len = 0};
        assert_int_equal(identity_parse_fci(&id, vector_hex(rows[n].hex)), OK);
        if (id.command_data_max != rows[n].want)
            fail_msg("%s", rows[n].hex);
    }
}

/* quirk-10: CPLC in class 80, then 00; what neither gives is no error (quirk-75). */
static void quirk_10_cplc_by_class(void **state)
{
    (void)state;
    struct apdu a[IDENTITY_COMMANDS], other;
    struct rapdu answers[IDENTITY_COMMANDS];
    struct identity id;
    identity_commands(a, VIEW_NULL);
    for (size_t n = 0; n < IDENTITY_COMMANDS; n++) {
        answers[n] = (struct rapdu){VIEW_NULL, 0x6985};
        assert_int_equal(identity_ask_otherwise(&other, &a[n], n, 0), n <= 1);
    }
    assert_false(identity_ask_otherwise(&other, &a[1], 1, 1));
    assert_true(identity_ask_otherwise(&other, &a[1], 1, 0));
    assert_true(a[1].cla == 0x80 && other.cla == 0x00 && other.ins == INS_GET_DATA);
    assert_true(other.p1 == 0x9F && other.p2 == 0x7F);
    answers[0] = (struct rapdu){vector_hex("6F108408A000000151000000A5049F6501FF"), 0x9000};
    assert_int_equal(identity_parse(&id, VIEW_NULL, answers, IDENTITY_COMMANDS), OK);
    assert_false(id.has_cplc);
}

/* quirk-42: the same SELECT again; quirk-01, quirk-03: then what card managers are called, unless one was
 * named. */
static void quirk_03_and_42_select_otherwise(void **state)
{
    (void)state;
    struct apdu a[IDENTITY_COMMANDS], other;
    size_t attempts = 0;
    identity_commands(a, VIEW_NULL);
    assert_true(identity_ask_otherwise(&other, &a[0], 0, 0));
    assert_true(other.ins == INS_SELECT && other.data.len == 0);
    assert_true(identity_ask_otherwise(&other, &a[0], 0, 1));
    assert_true(view_equal(other.data, vector_hex("A000000151000000")));
    while (identity_ask_otherwise(&other, &a[0], 0, attempts))
        attempts++;
    assert_int_equal(attempts, 7);
    identity_commands(a, vector_hex("A000000001"));
    assert_true(identity_ask_otherwise(&other, &a[0], 0, 0));
    assert_true(view_equal(other.data, vector_hex("A000000001")));
    assert_false(identity_ask_otherwise(&other, &a[0], 0, 1));
}

/* quirk-02: a locked card answers SELECT with 6283, and may be looked at. */
static void quirk_02_locked_card(void **state)
{
    (void)state;
    struct identity id;
    struct rapdu answer = {vector_hex("6F108408A000000151000000A5049F6501FF"), 0x6283};
    assert_int_equal(identity_parse(&id, VIEW_NULL, &answer, 1), OK);
    assert_int_equal(id.isd.len, 8);
}

static void extended_length_by_atr(void **state)
{
    (void)state;
    struct identity id = {.atr = {0x3B, 0x05, 0x80, 0x73, 0, 0, 0x40}, .atr_len = 7};
    assert_true(identity_extended_length(&id));
    id.atr[6] = 0x80;
    assert_false(identity_extended_length(&id));
    id.atr_len = 6;
    assert_false(identity_extended_length(&id));
    id.atr_len = 0;
    assert_false(identity_extended_length(&id));
}

static void memory(void **state)
{
    (void)state;
    static const struct {
        const char *name, *hex;
        enum err want;
        uint32_t applications, nonvolatile, transient;
    } rows[] = {
        {"all", "FF210F810105820400012345830400000ABC", OK, 5, 0x12345, 0xABC},
        {"without FF21", "8101058202123483020ABC", OK, 5, 0x1234, 0xABC},
        {"one of them", "FF21048202FFFF", OK, 0, 0xFFFF, 0},
        {"others between", "FF21078401FF8202FFFF", OK, 0, 0xFFFF, 0},
        {"more than 32 bits", "FF210782050100000000", OK, 0, UINT32_MAX, 0},
        {"nothing of it", "FF21038401FF", ERR_NOT_FOUND, 0, 0, 0},
        {"empty", "", ERR_NOT_FOUND, 0, 0, 0},
        {"no number", "FF21028200", ERR_FORMAT, 0, 0, 0},
        {"nine bytes", "FF210B8209010203040506070809", ERR_FORMAT, 0, 0, 0},
        {"twice", "FF2106820101820102", ERR_FORMAT, 0, 0, 0},
        {"cut", "FF21048202FF", ERR_FORMAT, 0, 0, 0},
    };
    for (size_t n = 0; n < COUNT(rows); n++) {
        struct card_memory m = {.applications = 777};
        enum err e = memory_parse(vector_hex(rows[n].hex), &m);
        if (e != rows[n].want ||
            (e == OK ? m.applications != rows[n].applications || m.nonvolatile != rows[n].nonvolatile ||
                           m.transient != rows[n].transient || m.has_nonvolatile != (rows[n].nonvolatile > 0)
                     : m.applications != 777))
            fail_msg("%s: %s", rows[n].name, err_name(e));
    }
}

static void dates(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        unsigned year_today, day_today;
        enum err want;
        unsigned year, month, day;
    } rows[] = {
        {"1210", 2021, 210, OK, 2021, 7, 29},     {"1211", 2021, 210, OK, 2011, 7, 30},
        {"2001", 2021, 210, OK, 2012, 1, 1},      {"0366", 2025, 1, OK, 2020, 12, 31},
        {"0060", 2025, 1, OK, 2020, 2, 29},       {"1060", 2025, 1, OK, 2021, 3, 1},
        {"1366", 2025, 1, ERR_FORMAT, 0, 0, 0},   {"0000", 2025, 1, ERR_FORMAT, 0, 0, 0},
        {"1367", 2025, 1, ERR_FORMAT, 0, 0, 0},   {"1A10", 2025, 1, ERR_FORMAT, 0, 0, 0},
        {"A210", 2025, 1, ERR_FORMAT, 0, 0, 0},   {"12", 2025, 1, ERR_FORMAT, 0, 0, 0},
        {"121000", 2025, 1, ERR_FORMAT, 0, 0, 0}, {"1210", 9, 1, ERR_FORMAT, 0, 0, 0},
    };
    for (size_t n = 0; n < COUNT(rows); n++) {
        struct cplc_date d = {0};
        enum err e = cplc_date_read(vector_hex(rows[n].hex), rows[n].year_today, rows[n].day_today, &d);
        if (e != rows[n].want || d.year != rows[n].year || d.month != rows[n].month || d.day != rows[n].day)
            fail_msg("%s: %s %u-%u-%u", rows[n].hex, err_name(e), d.year, d.month, d.day);
    }
    assert_int_equal(cplc_day_of_year(2021, 7, 29), 210);
    assert_int_equal(cplc_day_of_year(2024, 3, 1), 61);
    assert_int_equal(cplc_day_of_year(1900, 3, 1), 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_in_both_forms),
        cmocka_unit_test(many_components),
        cmocka_unit_test(quirk_08_duplicated_tags),
        cmocka_unit_test(quirk_13_and_77_protocol_identifiers),
        cmocka_unit_test(capabilities),
        cmocka_unit_test(scp11_in_capabilities),
        cmocka_unit_test(capability_names),
        cmocka_unit_test(quirk_05_and_06_longest_command),
        cmocka_unit_test(quirk_10_cplc_by_class),
        cmocka_unit_test(quirk_02_locked_card),
        cmocka_unit_test(quirk_03_and_42_select_otherwise),
        cmocka_unit_test(extended_length_by_atr),
        cmocka_unit_test(memory),
        cmocka_unit_test(dates),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}
