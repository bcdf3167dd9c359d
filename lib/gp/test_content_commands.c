/* SPDX-License-Identifier: Apache-2.0
 *
 * INSTALL for every purpose, DELETE of keys and with tokens, listings, channels, chains: byte for byte, and
 * what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <gp/command.h>
#include <support/vectors.h>

enum { BYTES_MAX = 2048 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int teardown(void **state)
{
    (void)state;
    vectors_free();
    return 0;
}

static void expect(const char *name, const struct apdu *a, const char *hex)
{
    uint8_t memory[BYTES_MAX];
    struct writer w;
    wr_fixed(&w, memory, sizeof(memory));
    apdu_put(&w, a);
    if (!wr_ok(&w) || !view_equal(wr_view_of(&w), vector_hex(hex)))
        fail_msg("%s", name);
}

#define PACKAGE     "A000000001"
#define MODULE      "A00000000101"
#define APPLICATION "A0000000010101"
#define DOMAIN_AID  "A0000000DD"

static void install_for_every_purpose(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum install_purpose purpose;
        const char *package, *module, *application, *domain, *hash, *privileges, *parameters, *token;
        enum err want;
        const char *hex;
    } rows[] = {
        {"load", INSTALL_LOAD, PACKAGE, "", "", DOMAIN_AID, "AABB", "", "EF00", "0102", OK,
         "80E602001505A00000000105A0000000DD02AABB02EF0002010200"},
        {"load without package", INSTALL_LOAD, "", "", "", DOMAIN_AID, "", "", "", "", ERR_ARGUMENT, NULL},
        {"load with a module", INSTALL_LOAD, PACKAGE, MODULE, "", "", "", "", "", "", ERR_ARGUMENT, NULL},
        {"load with privileges", INSTALL_LOAD, PACKAGE, "", "", "", "", "80", "", "", ERR_ARGUMENT, NULL},
        {"install", INSTALL_INSTALL, PACKAGE, MODULE, APPLICATION, "", "", "", "C900", "", OK,
         "80E604001B05A00000000106A0000000010107A0000000010101010002C9000000"},
        {"install without application", INSTALL_INSTALL, PACKAGE, MODULE, "", "", "", "", "", "",
         ERR_ARGUMENT, NULL},
        {"install with a domain", INSTALL_INSTALL, PACKAGE, MODULE, APPLICATION, DOMAIN_AID, "", "", "", "",
         ERR_ARGUMENT, NULL},
        {"install and make selectable", INSTALL_INSTALL_SELECTABLE, PACKAGE, MODULE, APPLICATION, "", "",
         "80C000", "C900", "", OK, "80E60C001D05A00000000106A0000000010107A00000000101010380C00002C9000000"},
        {"make selectable", INSTALL_SELECTABLE, "", "", APPLICATION, "", "", "04", "", "", OK,
         "80E608000E000007A00000000101010104000000"},
        {"make selectable with a package", INSTALL_SELECTABLE, PACKAGE, "", APPLICATION, "", "", "", "", "",
         ERR_ARGUMENT, NULL},
        {"extradition", INSTALL_EXTRADITION, "", "", APPLICATION, DOMAIN_AID, "", "", "", "77", OK,
         "80E610001305A0000000DD0007A00000000101010000017700"},
        {"extradition to nowhere", INSTALL_EXTRADITION, "", "", APPLICATION, "", "", "", "", "", ERR_ARGUMENT,
         NULL},
        {"extradition with privileges", INSTALL_EXTRADITION, "", "", APPLICATION, DOMAIN_AID, "", "80", "",
         "", ERR_ARGUMENT, NULL},
        {"personalization", INSTALL_PERSONALIZATION, "", "", APPLICATION, "", "", "", "", "", OK,
         "80E620000D000007A000000001010100000000"},
        {"personalization with parameters", INSTALL_PERSONALIZATION, "", "", APPLICATION, "", "", "", "C900",
         "", ERR_ARGUMENT, NULL},
        {"personalization with a token", INSTALL_PERSONALIZATION, "", "", APPLICATION, "", "", "", "", "01",
         ERR_ARGUMENT, NULL},
        {"registry update of the card itself", INSTALL_REGISTRY_UPDATE, "", "", "", "", "", "", "EF03D90140",
         "", OK, "80E640000B0000000005EF03D901400000"},
        {"registry update", INSTALL_REGISTRY_UPDATE, "", "", APPLICATION, DOMAIN_AID, "", "04", "", "", OK,
         "80E640001305A0000000DD0007A00000000101010104000000"},
        {"registry update without privileges", INSTALL_REGISTRY_UPDATE, "", "", APPLICATION, DOMAIN_AID, "",
         "", "", "", OK, "80E640001205A0000000DD0007A000000001010100000000"},
        {"combined, first", INSTALL_ALL_BEGIN, PACKAGE, "", "", "", "AA", "", "", "", OK,
         "80E60E010B05A0000000010001AA000000"},
        {"combined, last", INSTALL_ALL_END, "", MODULE, APPLICATION, "", "", "", "C900", "01", OK,
         "80E60E03170006A0000000010107A0000000010101010002C900010100"},
        {"an AID of 4 bytes", INSTALL_LOAD, "A0000000", "", "", "", "", "", "", "", ERR_ARGUMENT, NULL},
        {"an AID of 17 bytes", INSTALL_LOAD, PACKAGE, "", "", "A000000001A000000001A000000001A0A0", "", "",
         "", "", ERR_ARGUMENT, NULL},
        {"no purpose", INSTALL_PURPOSE_COUNT, PACKAGE, "", "", "", "", "", "", "", ERR_ARGUMENT, NULL},
    };
    for (size_t n = 0; n < COUNT(rows); n++) {
        uint8_t memory[BYTES_MAX];
        struct writer w;
        struct apdu a;
        struct view privileges = vector_hex(rows[n].privileges);
        struct install i = {.purpose = rows[n].purpose,
                            .package = vector_hex(rows[n].package),
                            .module = vector_hex(rows[n].module),
                            .application = vector_hex(rows[n].application),
                            .domain = vector_hex(rows[n].domain),
                            .hash = vector_hex(rows[n].hash),
                            .has_privileges = privileges.len > 0,
                            .parameters = vector_hex(rows[n].parameters),
                            .token = vector_hex(rows[n].token)};
        for (size_t k = 0; k < privileges.len; k++)
            i.privileges.byte[k] = privileges.data[k];
        wr_fixed(&w, memory, sizeof(memory));
        enum err e = command_install_any(&a, &w, &i);
        if (e != rows[n].want)
            fail_msg("%s: %s", rows[n].name, err_name(e));
        if (e == OK)
            expect(rows[n].name, &a, rows[n].hex);
    }
}

/* 65 bytes are no hash; what is longer than any command is refused; what the writer has no room for too. */
static void install_limits(void **state)
{
    (void)state;
    static uint8_t big[COMMAND_DATA_MAX + 1];
    uint8_t memory[16];
    struct writer w;
    struct apdu a;
    struct install i = {
        .purpose = INSTALL_LOAD, .package = vector_hex(PACKAGE), .hash = view_of(big, DIGEST_MAX + 1)};
    wr_heap(&w, sizeof(big) + 64);
    assert_int_equal(command_install_any(&a, &w, &i), ERR_ARGUMENT);
    i.hash = view_of(big, DIGEST_MAX);
    i.token = view_of(big, COMMAND_DATA_MAX - 5 - 1 - 1 - 1 - DIGEST_MAX - 1 - 3);
    assert_int_equal(command_install_any(&a, &w, &i), OK);
    assert_int_equal(a.data.len, COMMAND_DATA_MAX);
    wr_clear(&w);
    i.token.len++;
    assert_int_equal(command_install_any(&a, &w, &i), ERR_LIMIT);
    wr_free(&w);
    wr_fixed(&w, memory, sizeof(memory));
    assert_int_equal(command_install_any(&a, &w, &i), ERR_LIMIT);
}

static void install_parameters(void **state)
{
    (void)state;
    static const struct {
        bool has_c9;
        const char *c9, *system, *reference, *want;
    } rows[] = {{true, "", "", "", "C900"},
                {false, "", "", "", ""},
                {true, "01", "C80200FF", "930101", "C90101EF04C80200FFB603930101"},
                {false, "", "CF0181", "", "EF03CF0181"}};
    for (size_t n = 0; n < COUNT(rows); n++) {
        uint8_t memory[BYTES_MAX];
        struct writer w;
        const struct install_parameters p = {rows[n].has_c9, vector_hex(rows[n].c9),
                                             vector_hex(rows[n].system), vector_hex(rows[n].reference)};
        wr_fixed(&w, memory, sizeof(memory));
        command_put_parameters(&w, &p);
        assert_true(view_equal(wr_view_of(&w), vector_hex(rows[n].want)));
    }
}

static void deletes(void **state)
{
    (void)state;
    struct view aids[] = {vector_hex(PACKAGE), vector_hex(MODULE)};
    uint8_t memory[BYTES_MAX];
    struct writer w;
    struct apdu a;
    struct delete_content d = {.aids = aids, .count = 1};
    wr_fixed(&w, memory, sizeof(memory));
    assert_int_equal(command_delete_content(&a, &w, &d), OK);
    expect("one", &a, "80E40000074F05A00000000100");
    d = (struct delete_content){.aids = aids,
                                .count = 2,
                                .related = true,
                                .control_reference = vector_hex("930101"),
                                .token = vector_hex("AA")};
    assert_int_equal(command_delete_content(&a, &w, &d), OK);
    expect("two", &a, "80E40080174F05A0000000014F06A00000000101B6039301019E01AA00");
    d.count = 0;
    assert_int_equal(command_delete_content(&a, &w, &d), ERR_ARGUMENT);
    d.count = 2;
    aids[1].len = 4;
    assert_int_equal(command_delete_content(&a, &w, &d), ERR_ARGUMENT);
}

static void delete_keys(void **state)
{
    (void)state;
    static const struct {
        int kvn, kid;
        enum err want;
        const char *hex;
    } rows[] = {{0x20, -1, OK, "80E4000003D2012000"},
                {-1, 1, OK, "80E4000003D0010100"},
                {0x20, 0, OK, "80E4000006D00100D2012000"},
                {0xFF, -1, OK, "80E4000003D201FF00"},
                {-1, -1, ERR_ARGUMENT, NULL},
                {0, 1, ERR_ARGUMENT, NULL},
                {256, 1, ERR_ARGUMENT, NULL},
                {1, 128, ERR_ARGUMENT, NULL}};
    for (size_t n = 0; n < COUNT(rows); n++) {
        uint8_t memory[BYTES_MAX];
        struct writer w;
        struct apdu a;
        wr_fixed(&w, memory, sizeof(memory));
        enum err e = command_delete_key(&a, &w, rows[n].kvn, rows[n].kid);
        if (e != rows[n].want)
            fail_msg("%d %d: %s", rows[n].kvn, rows[n].kid, err_name(e));
        if (e == OK)
            expect(rows[n].hex, &a, rows[n].hex);
    }
}

static void listings(void **state)
{
    (void)state;
    static const struct {
        uint8_t subset;
        enum status_format format;
        bool next;
        const char *aid, *tags;
        enum err want;
        const char *hex;
    } rows[] = {
        {STATUS_ISD, STATUS_FORMAT_TLV, false, "", "", OK, "80F28002024F0000"},
        {STATUS_APPLICATIONS, STATUS_FORMAT_TLV, true, "", "", OK, "80F24003024F0000"},
        {STATUS_PACKAGES, STATUS_FORMAT_LV, false, "", "", OK, "80F22000024F0000"},
        {STATUS_PACKAGES_MODULES, STATUS_FORMAT_LV, true, "", "", OK, "80F21001024F0000"},
        {STATUS_APPLICATIONS, STATUS_FORMAT_TLV, false, "D2330000", "4F9F70", OK,
         "80F240020B4F04D23300005C034F9F7000"},
        {STATUS_APPLICATIONS, STATUS_FORMAT_TLV, false, "A000000001A000000001A000000001A0A0", "",
         ERR_ARGUMENT, NULL},
    };
    for (size_t n = 0; n < COUNT(rows); n++) {
        uint8_t memory[BYTES_MAX];
        struct writer w;
        struct apdu a;
        const struct get_status g = {rows[n].subset, rows[n].format, rows[n].next, vector_hex(rows[n].aid),
                                     vector_hex(rows[n].tags)};
        wr_fixed(&w, memory, sizeof(memory));
        assert_int_equal(command_get_status_any(&a, &w, &g), rows[n].want);
        if (rows[n].want == OK)
            expect(rows[n].hex, &a, rows[n].hex);
    }
}

static void channels_and_data(void **state)
{
    (void)state;
    struct apdu a;
    command_open_channel(&a);
    expect("open", &a, "0070000001");
    command_close_channel(&a, 2);
    expect("close", &a, "00708002");
    command_get_data_iso(&a, 0x9F7F);
    expect("CPLC in class 00", &a, "00CA9F7F00");
    command_get_data_search(&a, 0xBF21, vector_hex("A603830111"));
    expect("certificates", &a, "80CABF2105A60383011100");
}

/* 11.1.5.1: cut anywhere, all but the last with P1 bit 8 and without Le; together the same data. */
static void chains(void **state)
{
    (void)state;
    static uint8_t bytes[1000];
    for (size_t n = 0; n < sizeof(bytes); n++)
        bytes[n] = (uint8_t)(n * 7);
    for (size_t len = 0; len <= sizeof(bytes); len += len < 20 ? 1 : 97) {
        for (size_t size = 1; size <= 255; size += size < 10 ? 1 : 49) {
            const struct apdu whole = {.cla = 0x80,
                                       .ins = INS_PUT_KEY,
                                       .p1 = 0x12,
                                       .p2 = 0x81,
                                       .data = view_of(bytes, len),
                                       .ne = 256,
                                       .extended = true};
            size_t count = command_segments(&whole, size), at = 0;
            assert_int_equal(count, len == 0 ? 1 : (len + size - 1) / size);
            for (size_t n = 0; n < count; n++) {
                struct apdu a;
                bool last = n + 1 == count;
                command_segment(&a, &whole, size, n);
                assert_true(a.p1 == (last ? 0x12 : 0x92) && a.p2 == 0x81 && !a.extended);
                assert_int_equal(a.ne, last ? 256 : 0);
                assert_true(last || a.data.len == size);
                assert_true(view_equal(a.data, view_of(bytes + at, a.data.len)));
                at += a.data.len;
            }
            assert_int_equal(at, len);
        }
    }
    const struct apdu whole = {.data = view_of(bytes, 10)};
    assert_int_equal(command_segments(&whole, 0), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(install_for_every_purpose),
        cmocka_unit_test(install_limits),
        cmocka_unit_test(install_parameters),
        cmocka_unit_test(deletes),
        cmocka_unit_test(delete_keys),
        cmocka_unit_test(listings),
        cmocka_unit_test(channels_and_data),
        cmocka_unit_test(chains),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}
