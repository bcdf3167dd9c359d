/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands as they stand in specifications and traces, byte for byte, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <gp/command.h>
#include <support/vectors.h>

enum { BYTES_MAX = 600 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int teardown(void **state)
{
    (void)state;
    vectors_free();
    return 0;
}

static void expect_command(const char *name, const struct apdu *a, const char *hex)
{
    uint8_t memory[BYTES_MAX];
    struct writer w;
    wr_fixed(&w, memory, sizeof(memory));
    apdu_put(&w, a);
    if (!wr_ok(&w) || !view_equal(wr_view_of(&w), vector_hex(hex)))
        fail_msg("%s", name);
}

/* In the forms that hosts are seen to send. */
static void install_for_load(void **state)
{
    (void)state;
    static const struct {
        const char *name, *package, *sd, *hash, *parameters, *want;
    } rows[] = {
        {"JCOP 4.1", "A0000000090102", "A000000003000000", "", "",
         "80E602001407A000000009010208A00000000300000000000000"},
        {"with parameters", "D0D1D2D3D4D501", "A000000003000000", "", "EF08C6020160C80207D0",
         "80E602001E07D0D1D2D3D4D50108A000000003000000000AEF08C6020160C80207D00000"},
        {"short AID", "A000000001", "A000000003000000", "", "EF04C60238B0",
         "80E602001805A00000000108A0000000030000000006EF04C60238B00000"},
        {"without security domain, with hash", "D0D1D2D3D4D5D6D701", "",
         "C0C1C2C3C4C5C6C7C8C9CACBCCCDCECFD0D1D2D3", "",
         "80E602002209D0D1D2D3D4D5D6D7010014C0C1C2C3C4C5C6C7C8C9CACBCCCDCECFD0D1D2D3000000"},
    };
    for (size_t n = 0; n < COUNT(rows); n++) {
        uint8_t memory[BYTES_MAX];
        struct writer w;
        struct apdu a;
        wr_fixed(&w, memory, sizeof(memory));
        wr_u8(&w, 0xEE); /* what is there already is not part of the command */
        assert_int_equal(command_install_for_load(&a, &w, vector_hex(rows[n].package), vector_hex(rows[n].sd),
                                                  vector_hex(rows[n].hash), vector_hex(rows[n].parameters)),
                         OK);
        expect_command(rows[n].name, &a, rows[n].want);
    }
}

static void install(void **state)
{
    (void)state;
    static const struct {
        const char *name, *package, *module, *instance;
        struct privileges privileges;
        const char *c9, *system, *want;
    } rows[] = {
        {"nothing but AIDs",
         "D0D1D2D3D4D5D6D701",
         "D0D1D2D3D4D5D6D7010203",
         "D0D1D2D3D4D5D6D7010203",
         {{0}},
         "",
         "",
         "80E60C002809D0D1D2D3D4D5D6D7010BD0D1D2D3D4D5D6D70102030BD0D1D2D3D4D5D6D7010203010002C90000"
         "00"},
        {"system parameters",
         "D0D1D2D3D4D501",
         "D0D1D2D3D4D50101",
         "D0D1D2D3D4D50101",
         {{0x02}},
         "00",
         "C80207D0",
         "80E60C002707D0D1D2D3D4D50108D0D1D2D3D4D5010108D0D1D2D3D4D50101010209C90100EF04C80207D00000"},
        {"security domain with three bytes of privileges",
         "A0000001515350",
         "A000000151535041",
         "0101010101",
         {{0x80, 0x00, 0x01}},
         "81020370",
         "",
         "80E60C002307A000000151535008A0000001515350410501010101010380000106C904810203700000"},
        {"second byte of privileges",
         "A0000001515350",
         "A000000151535041",
         "0101010101",
         {{0x80, 0x40, 0x00}},
         "",
         "",
         "80E60C001F07A000000151535008A0000001515350410501010101010380400002C9000000"},
    };
    for (size_t n = 0; n < COUNT(rows); n++) {
        uint8_t memory[BYTES_MAX];
        struct writer w;
        struct apdu a;
        wr_fixed(&w, memory, sizeof(memory));
        assert_int_equal(command_install(&a, &w, vector_hex(rows[n].package), vector_hex(rows[n].module),
                                         vector_hex(rows[n].instance), rows[n].privileges,
                                         vector_hex(rows[n].c9), vector_hex(rows[n].system)),
                         OK);
        expect_command(rows[n].name, &a, rows[n].want);
    }
}

/* Parameters whose own length takes two bytes, up to the last that fits, and one more. */
static void install_with_long_parameters(void **state)
{
    (void)state;
    static const uint8_t parameters[256];
    const struct view aid = vector_hex("D0D1D2D3D4");
    uint8_t memory[BYTES_MAX];
    struct apdu a;
    for (size_t len = 120; len <= sizeof(parameters); len++) {
        struct writer w;
        wr_fixed(&w, memory, sizeof(memory));
        enum err e = command_install(&a, &w, aid, aid, aid, (struct privileges){{0}},
                                     view_of(parameters, len), VIEW_NULL);
        /* three AIDs 18, privileges 2, length 1 or 2, C9 and its length 2 or 3, the value, token 1 */
        size_t want =
            (size_t)18 + 2 + (len + (len > 127 ? 3U : 2U) > 127 ? 2U : 1U) + (len > 127 ? 3U : 2U) + len + 1;
        if (e != (want > 255 ? ERR_LIMIT : OK) || (e == OK && a.data.len != want))
            fail_msg("%zu bytes: %s", len, err_name(e));
    }
}

static void others(void **state)
{
    (void)state;
    uint8_t memory[BYTES_MAX];
    struct writer w;
    struct apdu a;
    struct view aid = vector_hex("D0D1D2D3D4D50101"), package = vector_hex("D0D1D2D3D4D501");
    wr_fixed(&w, memory, sizeof(memory));
    command_select(&a, VIEW_NULL);
    expect_command("SELECT of the default application", &a, "00A4040000");
    command_select(&a, package);
    expect_command("SELECT", &a, "00A4040007D0D1D2D3D4D50100");
    command_get_data(&a, 0x9F7F);
    expect_command("GET DATA", &a, "80CA9F7F00");
    assert_int_equal(command_delete(&a, &w, package, true), OK);
    expect_command("DELETE of a package", &a, "80E40080094F07D0D1D2D3D4D50100");
    assert_int_equal(command_delete(&a, &w, aid, false), OK);
    expect_command("DELETE of an application", &a, "80E400000A4F08D0D1D2D3D4D5010100");
    assert_int_equal(command_install_for_personalization(&a, &w, aid), OK);
    expect_command("INSTALL [for personalization]", &a, "80E620000E000008D0D1D2D3D4D5010100000000");
    assert_int_equal(command_get_status(&a, &w, STATUS_ISD, false), OK);
    expect_command("GET STATUS", &a, "80F28002024F0000");
    assert_int_equal(command_get_status(&a, &w, STATUS_APPLICATIONS, true), OK);
    expect_command("GET STATUS, next", &a, "80F24003024F0000");
    assert_int_equal(command_set_status(&a, &w, STATUS_ISD, 0x0F, VIEW_NULL), OK);
    expect_command("SET STATUS of the card", &a, "80F0800F");
    assert_int_equal(command_set_status(&a, &w, STATUS_APPLICATIONS, 0x80, aid), OK);
    expect_command("SET STATUS of an application", &a, "80F0408008D0D1D2D3D4D50101");
    command_store_data(&a, vector_hex("0070034201AA"), 0x08, 0, true);
    expect_command("STORE DATA", &a, "80E28800060070034201AA");
    command_store_data(&a, vector_hex("BF3E035C015A"), 0x91, 7, false);
    expect_command("STORE DATA with an answer", &a, "80E2110706BF3E035C015A00");
    command_load(&a, vector_hex("C40401020304"), 0, false);
    expect_command("LOAD, first", &a, "80E8000006C4040102030400");
    command_load(&a, vector_hex("05"), 255, true);
    expect_command("LOAD, last", &a, "80E880FF010500");
}

static void refused(void **state)
{
    (void)state;
    static const uint8_t bytes[300];
    struct view good = view_of(bytes, 7), bad[] = {VIEW_NULL, view_of(bytes, 4), view_of(bytes, 17)};
    struct privileges none = {{0}};
    uint8_t memory[BYTES_MAX];
    struct writer w;
    struct apdu a = {.ins = 0xEE};
    wr_fixed(&w, memory, sizeof(memory));
    for (size_t n = 0; n < COUNT(bad); n++) {
        struct view b = bad[n];
        assert_int_equal(command_install_for_load(&a, &w, b, VIEW_NULL, VIEW_NULL, VIEW_NULL), ERR_ARGUMENT);
        if (b.len > 0)
            assert_int_equal(command_install_for_load(&a, &w, good, b, VIEW_NULL, VIEW_NULL), ERR_ARGUMENT);
        assert_int_equal(command_install(&a, &w, b, good, good, none, VIEW_NULL, VIEW_NULL), ERR_ARGUMENT);
        assert_int_equal(command_install(&a, &w, good, b, good, none, VIEW_NULL, VIEW_NULL), ERR_ARGUMENT);
        assert_int_equal(command_install(&a, &w, good, good, b, none, VIEW_NULL, VIEW_NULL), ERR_ARGUMENT);
        assert_int_equal(command_delete(&a, &w, b, false), ERR_ARGUMENT);
        assert_int_equal(command_install_for_personalization(&a, &w, b), ERR_ARGUMENT);
        assert_int_equal(command_set_status(&a, &w, STATUS_APPLICATIONS, 0x80, b), ERR_ARGUMENT);
        if (b.len > 0)
            assert_int_equal(command_set_status(&a, &w, STATUS_ISD, 0x80, b), ERR_ARGUMENT);
    }
    assert_int_equal(command_install_for_load(&a, &w, good, VIEW_NULL, view_of(bytes, 65), VIEW_NULL),
                     ERR_ARGUMENT);
    assert_int_equal(w.len, 0);
    assert_int_equal(command_install_for_load(&a, &w, good, VIEW_NULL, VIEW_NULL, VIEW_OF(bytes)), ERR_LIMIT);
    wr_fixed(&w, memory, 5);
    assert_int_equal(command_delete(&a, &w, good, false), ERR_LIMIT);
    assert_int_equal(a.ins, 0xEE);
}

static void load_header(void **state)
{
    (void)state;
    size_t index, rows = 0;
    json_t *row;
    json_array_foreach(vectors_load("vectors/cap.json"), index, row)
    {
        uint8_t memory[8];
        struct writer w;
        if (!vector_is(row, "c4_length"))
            continue;
        wr_fixed(&w, memory, sizeof(memory));
        command_load_header(&w, (size_t)vector_int(row, "lfdb_len"));
        if (!view_equal(wr_view_of(&w), vector_bytes(row, "header")))
            fail_msg("%s", vector_text(row, "id"));
        rows++;
    }
    assert_int_equal(rows, 7);
}

static void load_blocks(void **state)
{
    (void)state;
    static const struct {
        size_t len, block, want;
    } rows[] = {
        {343, 239, 2},             /* a trace: 347 bytes with the header */
        {26862, 239, 113},         /* a trace */
        {21780, 247, 89},          /* a trace */
        {1, 239, 1},               /* */
        {237, 239, 2},             /* header of three bytes: a byte too many */
        {236, 239, 1},             /* just one */
        {239 * 256 - 4, 239, 256}, /* just as many as there are numbers */
        {239 * 256 - 3, 239, 0},   /* one byte more */
        {100, 0, 0},               /* no block size */
        {(size_t)-1, 239, 0},      /* */
    };
    for (size_t n = 0; n < COUNT(rows); n++) {
        if (command_load_blocks(rows[n].len, rows[n].block) != rows[n].want)
            fail_msg("row %zu: %zu", n, command_load_blocks(rows[n].len, rows[n].block));
    }
}

static void words(void **state)
{
    (void)state;
    for (unsigned ins = 0; ins < 256; ins++) {
        assert_non_null(command_name((uint8_t)ins));
        for (unsigned sw = 0x6000; sw < 0xA000; sw += 0x81)
            assert_non_null(command_sw_text((uint8_t)ins, (uint16_t)sw));
    }
    assert_string_equal(command_name(INS_LOAD), "LOAD");
    assert_string_equal(command_name(0x00), "command");
    assert_string_equal(command_sw_text(INS_INSTALL, 0x6A84), "not enough memory space");
    assert_string_not_equal(command_sw_text(INS_DELETE, 0x6985), command_sw_text(INS_LOAD, 0x6985));
    assert_string_equal(command_sw_text(0x00, 0x6985), sw_text(0x6985));
    assert_string_equal(command_sw_text(INS_LOAD, 0x9000), sw_text(0x9000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(install_for_load),
        cmocka_unit_test(install),
        cmocka_unit_test(install_with_long_parameters),
        cmocka_unit_test(others),
        cmocka_unit_test(refused),
        cmocka_unit_test(load_header),
        cmocka_unit_test(load_blocks),
        cmocka_unit_test(words),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}
