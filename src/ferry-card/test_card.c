/* SPDX-License-Identifier: Apache-2.0
 *
 * The card as a host meets it: conversations of commands and status words, in tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <support/vectors.h>
#include <tlv/tlv.h>

#include "testing/host.h"

static struct crypto *crypto;
static struct host *h;

static int setup(void **state)
{
    (void)state;
    return crypto_new(&crypto) == OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    crypto_free(&crypto);
    vectors_free();
    return 0;
}

static void new_card(const char *kind, uint8_t i)
{
    h = calloc(1, sizeof *h);
    assert_non_null(h);
    assert_int_equal(host_init(h, crypto, kind, i), OK);
}

static void end_card(void)
{
    host_finish(h);
    free(h);
    h = NULL;
}

/* One line of a conversation: plain commands begin with "-", others go through the secure channel if one is
 * open. "!" resets the card. data NULL: not looked at. */
struct line {
    const char *command;
    uint16_t sw;
    const char *data;
};

static uint16_t say(const char *command)
{
    if (command[0] == '!') {
        card_reset(&h->card);
        return SW_OK;
    }
    if (command[0] == '-')
        return host_send(h, vector_hex(command + 1));
    struct view v = vector_hex(command);
    return host_secure(h, view_head(v, 4), view_tail(v, 5));
}

static void talk(const char *name, const struct line *lines, size_t count)
{
    for (size_t n = 0; n < count; n++) {
        uint16_t sw = say(lines[n].command);
        if (sw != lines[n].sw)
            fail_msg("%s, line %zu: %s answered %04X, not %04X", name, n, lines[n].command, sw, lines[n].sw);
        if (lines[n].data != NULL && !view_equal(host_data(h), vector_hex(lines[n].data)))
            fail_msg("%s, line %zu: %s has other data", name, n, lines[n].command);
    }
}
#define TALK(lines) talk(#lines, lines, sizeof(lines) / sizeof(lines)[0])

/* ---- loading ---- */

static struct view read_file(const char *name)
{
    static uint8_t bytes[256 * 1024];
    char path[512];
    snprintf(path, sizeof path, CF_DATA "/caps/%s", name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t len = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    return view_of(bytes, len);
}

static uint16_t install_for_load(struct view aid, struct view hash)
{
    static const uint8_t header[] = {0x80, 0xE6, 0x02, 0x00};
    uint8_t memory[128];
    struct writer w;
    wr_fixed(&w, memory, sizeof memory);
    wr_view8(&w, aid);
    wr_u8(&w, 0);
    wr_view8(&w, hash);
    wr_u16(&w, 0);
    return host_secure(h, VIEW_OF(header), wr_view_of(&w));
}

/* LOAD in blocks; the status word of the first that is refused, or of the last. */
static uint16_t load_blocks(struct view file, size_t block)
{
    uint8_t header[] = {0x80, 0xE8, 0x00, 0x00};
    for (uint8_t n = 0; file.len != 0; n++) {
        struct view part = view_head(file, block);
        file = view_tail(file, part.len);
        header[2] = file.len == 0 ? 0x80 : 0x00;
        header[3] = n;
        uint16_t sw = host_secure(h, VIEW_OF(header), part);
        if (sw != SW_OK)
            return sw;
    }
    return h->sw;
}

static struct view with_c4(struct view components)
{
    static uint8_t memory[256 * 1024];
    struct writer w;
    wr_fixed(&w, memory, sizeof memory);
    tlv_put(&w, 0xC4, components);
    assert_true(wr_ok(&w));
    return wr_view_of(&w);
}

static uint16_t load_hello(void)
{
    uint16_t sw = install_for_load(vector_hex("F000000001"), VIEW_NULL);
    return sw != SW_OK ? sw : load_blocks(with_c4(read_file("odd/hello.ijc")), 200);
}

static const char install_hello[] = "80E60C001A05F00000000106F0000000010106F00000000101010002C90000";

/* ---- tests ---- */

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
        {"-0070000001", SW_CHANNEL_UNSUPPORTED, ""},
        {"-81CA004200", SW_CHANNEL_UNSUPPORTED, ""},
        {"-C0CA004200", SW_CHANNEL_UNSUPPORTED, ""},
        {"-90E60200", SW_CHAINING_UNSUPPORTED, ""},
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

static void content_comes_and_goes(void **state)
{
    static const struct line lines[] = {
        {"80F22002024F00", SW_OK, "E3194F05F0000000019F700101CE020100CC08A000000151000000"},
        {"80F21002024F00", SW_OK, "E3214F05F0000000019F700101CE0201008406F00000000101CC08A000000151000000"},
        {"80F21000024F00", SW_OK, "05F00000000101000106F00000000101"},
        {"80F24002024F00", SW_REFERENCED_DATA, ""},
        {"80E602000A05F00000000100000000"
         "00",
         SW_WRONG_DATA, ""},                                   /* a byte too much */
        {"80E602000A05F00000000100000000", SW_CONDITIONS, ""}, /* the AID is taken */
        {install_hello, SW_OK, "00"},
        {install_hello, SW_CONDITIONS, ""},
        {"80F24002024F00", SW_OK, "E3224F06F000000001019F700107C503000000C405F000000001CC08A000000151000000"},
        {"80F24000024F00", SW_OK, "06F000000001010700"},
        {"80F24002074F05F000000001", SW_OK, NULL},
        {"80F24002074F05F000000002", SW_REFERENCED_DATA, ""},
        {"80F24002064F005C024F9F70", SW_WRONG_DATA, ""},
        {"80F24002075C034F9F704F00", SW_OK, "E30C4F06F000000001019F700107"},
        {"80F2E002024F00", SW_OK, NULL},
        {"80F28002024F00", SW_OK, "E31D4F08A0000001510000009F700101C5039EFE80CC08A000000151000000"},
        {"80F28000024F00", SW_OK, "08A000000151000000019E"},
        {"80F28003024F00", SW_CONDITIONS, ""},
        {"80F24003024F00", SW_CONDITIONS, ""},
        {"80F20002024F00", SW_INCORRECT_P1P2, ""},
        {"80F2400200", SW_WRONG_DATA, ""},
        {"80E40000074F05F000000001", SW_CONDITIONS, ""}, /* it has an instance */
        {"80E40000074F05F000000009", SW_REFERENCED_DATA, ""},
        {"80E400000A4F08A000000151000000", SW_CONDITIONS, ""},
        {"80E40000054F03F00000", SW_WRONG_DATA, ""},
        {"80E48000074F05F000000001", SW_CHAINING_UNSUPPORTED, ""},
        {"80E40000024F", SW_WRONG_DATA, ""},
        {"80E400000A4F05F0000000019E0101", SW_WRONG_DATA, ""},
        {"80E40000084F06F00000000101", SW_OK, "00"},
        {"80E40000084F06F00000000101", SW_REFERENCED_DATA, ""},
        {"80F24002024F00", SW_REFERENCED_DATA, ""},
        {install_hello, SW_OK, "00"},
        {"80E40080074F05F000000001", SW_OK, "00"},
        {"80F24002024F00", SW_REFERENCED_DATA, ""},
        {"80F22002024F00", SW_REFERENCED_DATA, ""},
    };
    static const uint8_t levels[] = {0x00, 0x01, 0x03};
    (void)state;
    for (size_t n = 0; n < sizeof levels; n++) {
        new_card("modern", 0xFF);
        uint32_t before = card_memory_free(&h->card.state);
        assert_int_equal(host_open(h, 0, levels[n]), SW_OK);
        assert_int_equal(load_hello(), SW_OK);
        assert_true(card_memory_free(&h->card.state) < before);
        TALK(lines);
        assert_int_equal(card_memory_free(&h->card.state), before);
        end_card();
    }
    new_card("classic", 0xFF);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    assert_int_equal(load_hello(), SW_OK);
    TALK(lines);
    end_card();
}

static void install_is_strict(void **state)
{
    static const struct line lines[] = {
        {"80E60400", SW_WRONG_DATA, ""},
        {"80E60D00", SW_INCORRECT_P1P2, ""},
        {"80E61000", SW_INCORRECT_P1P2, ""},
        {"80E64000", SW_INCORRECT_P1P2, ""},
        {"80E60E01", SW_INCORRECT_P1P2, ""},
        {"80E68200", SW_CHAINING_UNSUPPORTED, ""},
        /* no such package, no such module */
        {"80E60C001A05F00000000906F0000000010106F00000000101010002C90000", SW_REFERENCED_DATA, ""},
        {"80E60C001A05F00000000106F0000000010906F00000000101010002C90000", SW_REFERENCED_DATA, ""},
        /* taken AIDs: the package's, the card manager's, a platform package's */
        {"80E60C001905F00000000106F0000000010105F000000001010002C90000", SW_CONDITIONS, ""},
        {"80E60C001C05F00000000106F0000000010108A000000151000000010002C90000", SW_CONDITIONS, ""},
        {"80E60C001B05F00000000106F0000000010107A0000000620101010002C90000", SW_CONDITIONS, ""},
        /* privileges: security domain, two bytes, none, three bytes; Card Reset without selectable */
        {"80E60C001A05F00000000106F0000000010106F00000000101018002C90000", SW_WRONG_DATA, ""},
        {"80E60C001B05F00000000106F0000000010106F0000000010102000002C90000", SW_WRONG_DATA, ""},
        {"80E60C001905F00000000106F0000000010106F000000001010002C90000", SW_WRONG_DATA, ""},
        {"80E604001A05F00000000106F0000000010106F00000000101010402C90000", SW_WRONG_DATA, ""},
        {"80E60C001C05F00000000106F0000000010106F000000001010300000102C90000", SW_WRONG_DATA, ""},
        /* parameters that are no TLV; a token; a quota beyond the memory */
        {"80E60C001A05F00000000106F0000000010106F00000000101010002C90100", SW_WRONG_DATA, ""},
        {"80E60C001B05F00000000106F0000000010106F00000000101010002C9000155", SW_WRONG_DATA, ""},
        {"80E60C002205F00000000106F0000000010106F0000000010101000AC900EF06C8040100000000",
         SW_NOT_ENOUGH_MEMORY, ""},
        {"80E60C002105F00000000106F0000000010106F00000000101010009C900EF05C80300000000", SW_NOT_ENOUGH_MEMORY,
         ""},
        /* installed, not selectable; then made selectable */
        {"80E604001A05F00000000106F0000000010106F00000000101010002C90000", SW_OK, "00"},
        {"80F24000024F00", SW_OK, "06F000000001010300"},
        {"80E608000D000006F0000000010101000000", SW_OK, "00"},
        {"80E608000D000006F0000000010101000000", SW_CONDITIONS, ""},
        {"80E608000D000006F0000000010901000000", SW_REFERENCED_DATA, ""},
        {"80F24000024F00", SW_OK, "06F000000001010700"},
    };
    (void)state;
    new_card("modern", 0xFF);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    assert_int_equal(load_hello(), SW_OK);
    TALK(lines);
    end_card();
}

static void an_installed_application_is_not_selectable_yet(void **state)
{
    static const struct line lines[] = {
        {"80E604001A05F00000000106F0000000010106F00000000101010002C90000", SW_OK, "00"},
        {"-00A4040006F00000000101", SW_FILE_NOT_FOUND, ""},
        {"-80CA004200", SW_SECURITY_STATUS, ""}, /* a plain command in a session with C-MAC */
    };
    static const struct line selectable[] = {
        {"80E608000D000006F0000000010101040000", SW_OK, "00"}, /* with Card Reset */
        {"-00A4040006F00000000101", SW_OK, ""},
        {"-80CA004200", SW_INS, ""},
        {"-8000000000", SW_INS, ""},
        {"-8050000008010203040506070800", SW_INS, ""},
        {"-00A4040205F000000001", SW_FILE_NOT_FOUND, ""},
        {"-00A4040205A000000151", SW_FILE_NOT_FOUND, ""},
        {"-8000000000", SW_INS, ""},
        {"-00A4040000", SW_OK, NULL},
        {"-80CA004200", SW_OK, NULL},
        {"-00A4040205F000000001", SW_OK, ""}, /* next after the card manager */
        {"!", SW_OK, NULL},
        {"-80CA004200", SW_INS, ""}, /* it is the default application */
    };
    (void)state;
    new_card("modern", 0xFF);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    assert_int_equal(load_hello(), SW_OK);
    TALK(lines);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    TALK(selectable);
    end_card();
}

static void a_security_error_ends_the_session(void **state)
{
    static const struct line lines[] = {
        {"-84F28002084F000102030405", SW_WRONG_LENGTH, ""}, /* no command at all: the session stays */
        {"80F28002024F00", SW_OK, NULL},
        {"-84F280020A4F000102030405060708", SW_SECURITY_STATUS, ""},
        {"80F28002024F00", SW_SECURITY_STATUS, ""}, /* right, but too late */
        {"-80CA004200", SW_SECURITY_STATUS, ""},
        {"-8482010010000102030405060708090A0B0C0D0E0F", SW_SECURITY_STATUS, ""},
        {"-00A4040000", SW_OK, NULL},
        {"-80CA004200", SW_OK, NULL},
    };
    (void)state;
    new_card("modern", 0xFF);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    TALK(lines);
    assert_int_equal(host_open(h, 0, 0x33), SW_OK);
    assert_int_equal(say("80F28002024F00"), SW_OK);
    assert_int_equal(say("-80F28002024F0000"), SW_SECURITY_STATUS); /* below the level */
    assert_int_equal(say("80F28002024F00"), SW_SECURITY_STATUS);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK); /* a new session is possible */
    assert_int_equal(say("80F28002024F00"), SW_OK);
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

/* Card Reset goes to one application (GPCS 2.3.1 6.6.2). */
static void one_application_is_the_default(void **state)
{
    static const struct line lines[] = {
        {"80E60C001A05F00000000106F0000000010106F00000000101010402C90000", SW_OK, "00"},
        {"80E60C001A05F00000000106F0000000010106F00000000102010402C90000", SW_CONDITIONS, ""},
        {"80E604001A05F00000000106F0000000010106F00000000102010002C90000", SW_OK, "00"},
        {"80E608000D000006F0000000010201040000", SW_CONDITIONS, ""},
        {"80E60800100000"
         "06F00000000102"
         "03000000"
         "0000",
         SW_OK, "00"},
    };
    (void)state;
    new_card("modern", 0xFF);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    assert_int_equal(load_hello(), SW_OK);
    TALK(lines);
    end_card();
}

/* Only what came from the package goes with it. */
static void related_objects_are_those_of_the_package(void **state)
{
    static const struct line lines[] = {
        {install_hello, SW_OK, "00"},
        {"80E60C011A05F00000000106F0000000010106F00000000102010002C90000", SW_INCORRECT_P1P2, ""},
        {"80E40000084F05F0000000014F", SW_WRONG_DATA, ""},
        {"80E40080074F05F000000009", SW_OK, "00"},
        {"80F24000024F00", SW_OK, "06F000000001010700"},
        {"80E620000C000006F00000000101000000", SW_OK, "00"},
        {"80E40000084F06F00000000101", SW_OK, "00"},
        {"80E2900004420212"
         "34",
         SW_OK, ""}, /* not for the application that is gone */
        {"80E2900005420212"
         "3445",
         SW_WRONG_DATA, ""},
    };
    struct card_package other = {.major = 1};
    struct writer w;
    (void)state;
    new_card("modern", 0xFF);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    assert_int_equal(load_hello(), SW_OK);
    assert_true(card_aid_set(&other.aid, vector_hex("F000000009")));
    wr_heap(&w, 256);
    card_put_package(&w, &other);
    assert_int_equal(card_commit(&h->card, &w, true), SW_OK);
    wr_free(&w);
    TALK(lines);
    end_card();
}

/* GPCS 2.3.1 11.5.2.3.1: 128 may stand in one byte. */
static void a_length_of_128_in_one_byte(void **state)
{
    static const uint8_t header[] = {0x80, 0xE6, 0x0C, 0x00};
    (void)state;
    for (int n = 0; n < 2; n++) {
        uint8_t filler[0x7E] = {0};
        struct writer w;
        new_card("modern", 0xFF);
        assert_int_equal(host_open(h, 0, 0x01), SW_OK);
        assert_int_equal(load_hello(), SW_OK);
        wr_heap(&w, 300);
        wr_view(&w, vector_hex("05F00000000106F0000000010106F000000001010100"));
        wr_view(&w, vector_hex(n == 0 ? "80" : "8180"));
        wr_view(&w, vector_hex("C97E"));
        wr_bytes(&w, filler, sizeof filler);
        wr_u8(&w, 0);
        assert_int_equal(host_secure(h, VIEW_OF(header), wr_view_of(&w)), SW_OK);
        assert_int_equal(h->card.state.applications[0].parameter_len, 0x7E);
        wr_free(&w);
        end_card();
    }
}

static void key_versions_are_told_apart(void **state)
{
    static const uint32_t management[] = {0x66, 0x73};
    struct view data = VIEW_NULL;
    struct reader r;
    struct tlv object;
    unsigned kinds = 0;
    (void)state;
    new_card("modern", 0xFF);
    struct card_state *s = &h->card.state;
    s->keysets[1] = s->keysets[0];
    s->keysets[1].kvn = 0x31;
    s->keysets[2] = s->keysets[0];
    s->keysets[2].kvn = 0x32;
    s->keysets[2].i = 0x60;
    s->keyset_count = 3;
    assert_int_equal(say("-80CA006600"), SW_OK);
    assert_true(tlv_path(host_data(h), management, 2, &data));
    rd_init(&r, data);
    while (tlv_next(&r, &object))
        kinds += object.tag == 0x64;
    assert_int_equal(kinds, 2); /* each kind of channel once */
    assert_int_equal(host_open(h, 0x32, 0x33), SW_OK);
    assert_int_equal(s->keysets[0].counter, 0);
    assert_int_equal(host_open(h, 0x31, 0x33), SW_OK);
    assert_int_equal(s->keysets[1].counter, 1);
    s->keysets[1].i = 0x40; /* an option that this card does not have */
    assert_int_equal(host_open(h, 0x31, 0x01), SW_REFERENCED_DATA);
    s->keyset_count = 0;
    assert_int_equal(say("-80CA00C100"), SW_REFERENCED_DATA);
    assert_int_equal(say("-80CA00E000"), SW_REFERENCED_DATA);
    end_card();
    new_card("classic", 0xFF);
    assert_int_equal(say("-80CA00C100"), SW_OK);
    assert_true(view_equal(host_data(h), vector_hex("C1020000")));
    end_card();
}

/* ---- failures and counters ---- */

static void challenges_follow_the_counter_where_i_says_so(void **state)
{
    static const struct {
        const char *kind;
        uint8_t i;
        bool derived;
    } rows[] = {
        {"modern", 0x70, true}, {"modern", 0x60, false}, {"classic", 0x55, true}, {"classic", 0x15, false}};
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        uint8_t challenge[CARD_CHALLENGE_MAX];
        new_card(rows[n].kind, rows[n].i);
        assert_int_equal(say("-8050000008010203040506070800"), SW_OK);
        const struct card_keyset *k = &h->card.state.keysets[0];
        const struct card_channel_ops *ops = card_channel_ops(k->scp);
        struct card_static_keys keys = {k->enc, k->mac, k->dek};
        struct view isd = card_aid_view(&h->card.state.profile.isd);
        assert_int_equal(ops->pseudo_random(crypto, &keys, k->i, k->counter, isd, challenge), OK);
        struct view told = view_tail(host_data(h), k->scp == 0x02 ? 14 : 13);
        size_t len = ops->card_challenge_len(k->i);
        if (view_equal(view_head(told, len), view_of(challenge, len)) != rows[n].derived)
            fail_msg("row %zu", n);
        end_card();
    }
}

static void nothing_is_written_for_nothing(void **state)
{
    (void)state;
    new_card("modern", 0x60);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    assert_int_equal(h->commits, 0); /* no counter, no failure to forget */
    end_card();
}

static const char wrong_authenticate[] = "-8482010010000102030405060708090A0B0C0D0E0F";
static const char initialize[] = "-8050000008010203040506070800";

static void wrong_hosts_are_counted(void **state)
{
    (void)state;
    new_card("modern", 0xFF);
    for (int n = 0; n < 9; n++) {
        assert_int_equal(say(initialize), SW_OK);
        assert_int_equal(say(wrong_authenticate), SW_SECURITY_STATUS);
        assert_int_equal(say(wrong_authenticate), SW_CONDITIONS); /* not without a new challenge */
    }
    assert_int_equal(host_open(h, 0, 0x01), SW_OK); /* clears the count */
    assert_int_equal(h->card.state.keysets[0].failures, 0);
    for (int n = 0; n < 10; n++) {
        assert_int_equal(say(initialize), SW_OK);
        assert_int_equal(say(wrong_authenticate), SW_SECURITY_STATUS);
    }
    assert_int_equal(say(initialize), SW_AUTH_BLOCKED);
    assert_int_equal(host_open(h, 0x30, 0x01), SW_AUTH_BLOCKED);
    card_reset(&h->card);
    assert_int_equal(say(initialize), SW_AUTH_BLOCKED);
    end_card();
}

/* Bare openings cost nothing on one kind of card, and a try each on the other. */
static void openings_count_where_the_card_counts_them(void **state)
{
    (void)state;
    new_card("modern", 0xFF);
    for (int n = 0; n < 100; n++)
        assert_int_equal(say(initialize), SW_OK);
    end_card();
    new_card("token", 0xFF);
    for (int n = 0; n < 64; n++)
        assert_int_equal(say(initialize), SW_OK);
    assert_int_equal(host_open(h, 0, 0x33), SW_OK);
    for (int n = 0; n < 65; n++)
        assert_int_equal(say(initialize), SW_OK);
    assert_int_equal(say(initialize), SW_AUTH_BLOCKED);
    end_card();
}

/* SCP03: with every pseudo-random challenge (Amendment D 6.2.2.1), not with random ones. SCP02: with the
 * first valid C-MAC and only then (GPCS 2.3.1 E.1.2). */
static void counters_move_as_specified(void **state)
{
    static const struct {
        const char *kind;
        uint8_t i;
        uint32_t after_initialize, after_wrong, after_open;
    } rows[] = {{"modern", 0x70, 1, 1, 2},
                {"modern", 0x10, 1, 1, 2},
                {"modern", 0x60, 0, 0, 0},
                {"classic", 0x15, 0, 0, 1},
                {"classic", 0x55, 0, 0, 1}};
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        new_card(rows[n].kind, rows[n].i);
        const struct card_keyset *k = &h->card.state.keysets[0];
        assert_int_equal(say(initialize), SW_OK);
        uint32_t first = k->counter;
        assert_int_equal(say(wrong_authenticate), SW_SECURITY_STATUS);
        uint32_t second = k->counter;
        assert_int_equal(host_open(h, 0, 0x01), SW_OK);
        if (first != rows[n].after_initialize || second != rows[n].after_wrong ||
            k->counter != rows[n].after_open)
            fail_msg("row %zu: %u %u %u", n, first, second, k->counter);
        end_card();
    }
}

/* A right C-MAC with a wrong cryptogram moves SCP02's counter all the same, and counts as a failure. */
static void the_scp02_counter_moves_before_the_cryptogram(void **state)
{
    (void)state;
    new_card("classic", 0x55);
    assert_int_equal(say(initialize), SW_OK);
    h->card.session.channel.host_cryptogram[0] ^= 1;
    struct card_keyset *k = &h->card.state.keysets[0];
    uint8_t header[] = {0x84, 0x82, 0x01, 0x00};
    h->ch = h->card.session.channel;
    h->ch.host_cryptogram[0] ^= 1;
    h->ch.level = CARD_LEVEL_C_MAC;
    assert_int_equal(host_secure(h, VIEW_OF(header), view_of(h->ch.host_cryptogram, 8)), SW_AUTH_FAILED);
    assert_int_equal(k->counter, 1);
    assert_int_equal(k->failures, 1);
    assert_int_equal(say("-80F28002024F0000"), SW_SECURITY_STATUS);
    end_card();
}

static void counters_end(void **state)
{
    (void)state;
    new_card("modern", 0x70);
    h->card.state.keysets[0].counter = 0xFFFFFE;
    assert_int_equal(say(initialize), SW_OK);
    assert_int_equal(say(initialize), SW_CONDITIONS);
    end_card();
    new_card("classic", 0x55);
    h->card.state.keysets[0].counter = 32766;
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    assert_int_equal(say(initialize), SW_CONDITIONS);
    end_card();
}

static void levels_need_their_i(void **state)
{
    static const struct {
        const char *kind;
        uint8_t i, level;
        uint16_t sw;
    } rows[] = {{"modern", 0x70, 0x33, SW_OK},
                {"modern", 0x70, 0x13, SW_OK},
                {"modern", 0x20, 0x33, SW_INCORRECT_P1P2},
                {"modern", 0x10, 0x11, SW_INCORRECT_P1P2},
                {"classic", 0x55, 0x11, SW_INCORRECT_P1P2},
                {"classic", 0x15, 0x13, SW_INCORRECT_P1P2},
                {"classic", 0x15, 0x10, SW_INCORRECT_P1P2},
                {"classic", 0x35, 0x11, SW_OK},
                {"classic", 0x75, 0x13, SW_OK},
                {"classic", 0x55, 0x02, SW_INCORRECT_P1P2},
                {"classic", 0x55, 0x03, SW_OK}};
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        new_card(rows[n].kind, rows[n].i);
        uint16_t sw = host_open(h, 0, rows[n].level);
        if (sw != rows[n].sw)
            fail_msg("row %zu: %04X", n, sw);
        assert_int_equal(h->card.state.keysets[0].failures, 0);
        end_card();
    }
}

static void s16_has_long_challenges(void **state)
{
    (void)state;
    new_card("modern", 0x71);
    assert_int_equal(say(initialize), SW_WRONG_LENGTH);
    assert_int_equal(host_open(h, 0, 0x33), SW_OK);
    assert_int_equal(say("80F28002024F00"), SW_OK);
    end_card();
}

/* ---- loading ---- */

static void load_blocks_come_in_order(void **state)
{
    static const struct line lines[] = {
        {"80E800000101", SW_CONDITIONS, ""}, /* without INSTALL */
        {"80E602000A05F00000000100000000", SW_OK, "00"},
        {"80E800010101", SW_INCORRECT_P1P2, ""},
        {"80E800000101", SW_CONDITIONS, ""}, /* over */
        {"80E602000A05F00000000100000000", SW_OK, "00"},
        {"80E8000003C48201", SW_OK, "00"},
        {"80E80000011F", SW_INCORRECT_P1P2, ""},
        {"80E602000A05F00000000100000000", SW_OK, "00"},
        {"80E8000003E20100", SW_WRONG_DATA, ""}, /* DAP block */
        {"80E602000A05F00000000100000000", SW_OK, "00"},
        {"80E8000003D40100", SW_WRONG_DATA, ""}, /* ciphered */
        {"80E602000A05F00000000100000000", SW_OK, "00"},
        {"80E8000004C4830FFF", SW_OK, "00"},
        {"80E8000101FF", SW_NOT_ENOUGH_MEMORY, ""}, /* a megabyte is announced */
        {"80E602000A05F00000000100000000", SW_OK, "00"},
        {"80E8000004C4020102", SW_OK, "00"},
        {"80E800010103", SW_WRONG_DATA, ""}, /* more than announced */
        {"80E602000A05F00000000100000000", SW_OK, "00"},
        {"80E8800004C4030102", SW_WRONG_DATA, ""}, /* less than announced */
        {"80E602000A05F00000000100000000", SW_OK, "00"},
        {"80E8000000", SW_WRONG_LENGTH, ""},
        {"80E602000A05F00000000100000000", SW_OK, "00"},
        {"80E8000001C4", SW_OK, "00"},
        {"80F28002024F00", SW_OK, NULL}, /* something else between */
        {"80E800010180", SW_WRONG_DATA, ""},
        /* a security domain that is not there; a hash of a length that no algorithm has; a token */
        {"80E602000F05F00000000105A000000152000000", SW_REFERENCED_DATA, ""},
        {"80E602000A05F0000000010001AA0000", SW_WRONG_DATA, ""},
        {"80E602000A05F00000000100000001AA", SW_WRONG_DATA, ""},
        {"80E602000F05F000000001000006EF04C60240000000", SW_WRONG_DATA, ""},
        {"80E602001105F000000001000008EF06C6040010000000", SW_NOT_ENOUGH_MEMORY, ""},
        {"80F22002024F00", SW_REFERENCED_DATA, ""},
    };
    (void)state;
    new_card("modern", 0xFF);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    TALK(lines);
    end_card();
}

/* A load that stops anywhere leaves nothing, and can be made again. */
static void a_broken_load_leaves_nothing(void **state)
{
    (void)state;
    new_card("modern", 0xFF);
    uint32_t before = card_memory_free(&h->card.state);
    unsigned commits = 0;
    struct view file = with_c4(read_file("odd/hello.ijc"));
    for (size_t cut = 0; cut < file.len; cut += 37) {
        assert_int_equal(host_open(h, 0, 0x00), SW_OK);
        commits = h->commits;
        assert_int_equal(install_for_load(vector_hex("F000000001"), VIEW_NULL), SW_OK);
        struct view part = view_head(file, cut != 0 ? cut : 1);
        uint8_t header[] = {0x80, 0xE8, 0x00, 0x00};
        assert_int_equal(host_secure(h, VIEW_OF(header), view_head(part, 250)), SW_OK);
        card_reset(&h->card);
        assert_int_equal(h->commits, commits);
        assert_int_equal(card_memory_free(&h->card.state), before);
    }
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    assert_int_equal(load_hello(), SW_OK);
    end_card();
}

static void blocks_of_any_size(void **state)
{
    (void)state;
    struct view file = with_c4(read_file("odd/hello.ijc"));
    for (size_t block = 2; block <= 400; block += block < 20 ? 1 : 19) {
        new_card("modern", 0xFF);
        assert_int_equal(host_open(h, 0, 0x03), SW_OK);
        assert_int_equal(install_for_load(vector_hex("F000000001"), VIEW_NULL), SW_OK);
        uint16_t sw = load_blocks(file, block);
        if (sw != SW_OK)
            fail_msg("blocks of %zu: %04X", block, sw);
        end_card();
    }
}

static void more_than_256_blocks_do_not_wrap(void **state)
{
    (void)state;
    new_card("modern", 0xFF);
    assert_int_equal(host_open(h, 0, 0x00), SW_OK);
    assert_int_equal(install_for_load(vector_hex("F000000001"), VIEW_NULL), SW_OK);
    assert_int_equal(load_blocks(with_c4(read_file("odd/hello.ijc")), 1), SW_INCORRECT_P1P2);
    end_card();
}

static void the_hash_is_checked_when_given(void **state)
{
    (void)state;
    for (int d = 0; d < DIGEST_COUNT; d++) {
        for (int wrong = 0; wrong < 2; wrong++) {
            uint8_t hash[DIGEST_MAX];
            new_card("modern", 0xFF);
            struct view components = read_file("odd/hello.ijc");
            assert_int_equal(crypto_digest(crypto, (enum digest)d, &components, 1, hash), OK);
            hash[0] ^= (uint8_t)wrong;
            assert_int_equal(host_open(h, 0, 0x01), SW_OK);
            struct view given = view_of(hash, crypto_digest_len((enum digest)d));
            assert_int_equal(install_for_load(vector_hex("F000000001"), given), SW_OK);
            assert_int_equal(load_blocks(with_c4(components), 200), wrong ? SW_WRONG_DATA : SW_OK);
            assert_int_equal(h->card.state.package_count, !wrong);
            end_card();
        }
    }
}

static void the_load_file_must_be_the_announced_one(void **state)
{
    (void)state;
    new_card("modern", 0xFF);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    assert_int_equal(install_for_load(vector_hex("F000000002"), VIEW_NULL), SW_OK);
    assert_int_equal(load_blocks(with_c4(read_file("odd/hello.ijc")), 200), SW_WRONG_DATA);
    assert_int_equal(install_for_load(vector_hex("F000000001"), VIEW_NULL), SW_OK);
    assert_int_equal(load_blocks(with_c4(read_file("bad/order.ijc")), 200), SW_WRONG_DATA);
    assert_int_equal(h->card.state.package_count, 0);
    end_card();
}

/* Import versions: hello needs javacard.framework 1.3. */
static void imports_must_be_there(void **state)
{
    static const struct {
        size_t at; /* offset of the first import's minor version in hello.ijc is found below */
        uint8_t minor, major;
        uint16_t sw;
    } rows[] = {{0, 3, 1, SW_OK}, {0, 6, 1, SW_OK}, {0, 7, 1, SW_CONDITIONS}, {0, 0, 2, SW_CONDITIONS}};
    static const uint8_t import_head[] = {0x04, 0x00, 0x15, 0x02, 0x03, 0x01};
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        uint8_t file[1024];
        struct view v = read_file("odd/hello.ijc");
        memcpy(file, v.data, v.len);
        size_t at = 0;
        while (memcmp(file + at, import_head, sizeof import_head) != 0)
            at++;
        file[at + 4] = rows[n].minor;
        file[at + 5] = rows[n].major;
        new_card("modern", 0xFF);
        assert_int_equal(host_open(h, 0, 0x01), SW_OK);
        assert_int_equal(install_for_load(vector_hex("F000000001"), VIEW_NULL), SW_OK);
        uint16_t sw = load_blocks(with_c4(view_of(file, v.len)), 200);
        if (sw != rows[n].sw)
            fail_msg("row %zu: %04X", n, sw);
        end_card();
    }
}

/* ---- STORE DATA ---- */

static void personalisation_reaches_the_application(void **state)
{
    static const struct line lines[] = {
        {"80E620000C000006F00000000109000000", SW_REFERENCED_DATA, ""},
        {"80E620000C000006F0000000010100000000", SW_WRONG_DATA, ""},
        {"80E620000C010006F00000000101000000", SW_WRONG_DATA, ""},
        {"80E620000C000006F00000000101000000", SW_OK, "00"},
        {"80E200000401020304", SW_OK, ""},
        {"80E200020401020304", SW_INCORRECT_P1P2, ""},
        {"80E200000401020304", SW_OK, ""}, /* set back by the refusal */
        {"80E2800101FF", SW_OK, ""},       /* last */
        {"80E2900004420212"
         "34",
         SW_OK, ""}, /* for the card manager again */
        {"80CA004200", SW_OK, "42021234"},
        {"80E288000700700545025678", SW_WRONG_DATA, ""},
        {"80E288000700710445025678", SW_WRONG_DATA, ""},
        {"80E28800080070044502567800", SW_WRONG_DATA, ""},
        {"80E288000700700445025678", SW_OK, ""},
        {"80CA004500", SW_OK, "45025678"},
        {"80E2900003C10100", SW_WRONG_DATA, ""},
        {"80E290000442021234", SW_OK, ""},
        {"80E2980004420212"
         "34",
         SW_INCORRECT_P1P2, ""},
        {"80E29000", SW_WRONG_DATA, ""},
    };
    (void)state;
    new_card("modern", 0xFF);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    assert_int_equal(load_hello(), SW_OK);
    assert_int_equal(say(install_hello), SW_OK);
    TALK(lines);
    assert_int_equal(h->card.state.applications[0].block_count, 3);
    assert_int_equal(h->card.state.applications[0].stored_len, 3 * 4 + 4 + 4 + 1);
    end_card();
}

static void an_application_keeps_a_bounded_amount(void **state)
{
    uint8_t header[] = {0x80, 0xE2, 0x00, 0x00}, data[240] = {0};
    (void)state;
    new_card("modern", 0xFF);
    h->card.state.profile.memory = 2000;
    assert_int_equal(host_open(h, 0, 0x00), SW_OK);
    assert_int_equal(load_hello(), SW_OK);
    assert_int_equal(say(install_hello), SW_OK);
    assert_int_equal(say("80E620000C000006F00000000101000000"), SW_OK);
    uint16_t sw = SW_OK;
    unsigned blocks = 0;
    while (sw == SW_OK && blocks < 100) {
        header[3] = (uint8_t)blocks++;
        sw = host_secure(h, VIEW_OF(header), VIEW_OF(data));
    }
    assert_int_equal(sw, SW_NOT_ENOUGH_MEMORY);
    assert_true(blocks > 2);
    assert_true(card_memory_used(&h->card.state) <= 2000);
    end_card();
}

/* ---- life cycle ---- */

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

/* ---- paging, transport ---- */

static void long_listings_come_in_pages(void **state)
{
    (void)state;
    static const uint8_t levels[] = {0x00, 0x01, 0x11, 0x33};
    for (size_t l = 0; l < sizeof levels; l++) {
        new_card("modern", 0xFF);
        assert_int_equal(host_open(h, 0, levels[l]), SW_OK);
        assert_int_equal(load_hello(), SW_OK);
        for (unsigned n = 0; n < 20; n++) {
            char command[80];
            snprintf(command, sizeof command,
                     "80E60C001B05F00000000106F0000000010107F000000001A0%02X010002C90000", n);
            assert_int_equal(say(command), SW_OK);
        }
        unsigned pages = 1;
        uint16_t sw = say("80F24002024F00");
        for (; sw == SW_MORE_DATA && pages < 50; pages++) {
            assert_true(host_data(h).len <= 256);
            sw = say("80F24003024F00");
        }
        assert_int_equal(sw, SW_OK);
        assert_true(pages >= 4 && pages < 10);
        assert_int_equal(say("80F24003024F00"), SW_CONDITIONS); /* all was said */
        /* A change of the registry ends the listing. */
        assert_int_equal(say("80F24002024F00"), SW_MORE_DATA);
        assert_int_equal(say("80E40000094F07F000000001A003"), SW_OK);
        assert_int_equal(say("80F24003024F00"), SW_CONDITIONS);
        end_card();
    }
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

/* A right C-MAC over data that nobody can have encrypted: too short for a block, or without padding. */
static void a_right_mac_over_wrong_encryption(void **state)
{
    static const char *const commands[] = {"80F28002024F00", "80F28002101F1E1D1C1B1A191817161514131211"
                                                             "10"};
    (void)state;
    for (size_t n = 0; n < 2; n++) {
        new_card("modern", 0xFF);
        assert_int_equal(host_open(h, 0, 0x03), SW_OK);
        assert_int_equal(say("80F28002024F00"), SW_OK);
        h->ch.level = CARD_LEVEL_C_MAC;
        assert_int_equal(say(commands[n]), SW_SECURITY_STATUS);
        h->ch.level |= CARD_LEVEL_C_DECRYPTION;
        assert_int_equal(say("80F28002024F00"), SW_SECURITY_STATUS);
        end_card();
    }
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
    assert_true(view_equal(wr_view_of(&w), vector_hex("3BF91300008131FE458073C8204053464331DD")));
    h->card.t0 = true;
    wr_fixed(&w, memory, sizeof memory);
    card_put_atr(&h->card, &w);
    assert_true(view_equal(wr_view_of(&w), vector_hex("3B791300008073C8204053464331")));
    end_card();
}

/* ---- memory ---- */

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
        cmocka_unit_test(content_comes_and_goes),
        cmocka_unit_test(install_is_strict),
        cmocka_unit_test(an_installed_application_is_not_selectable_yet),
        cmocka_unit_test(a_security_error_ends_the_session),
        cmocka_unit_test(lists_of_applications),
        cmocka_unit_test(one_application_is_the_default),
        cmocka_unit_test(related_objects_are_those_of_the_package),
        cmocka_unit_test(a_length_of_128_in_one_byte),
        cmocka_unit_test(key_versions_are_told_apart),
        cmocka_unit_test(challenges_follow_the_counter_where_i_says_so),
        cmocka_unit_test(nothing_is_written_for_nothing),
        cmocka_unit_test(wrong_hosts_are_counted),
        cmocka_unit_test(openings_count_where_the_card_counts_them),
        cmocka_unit_test(counters_move_as_specified),
        cmocka_unit_test(the_scp02_counter_moves_before_the_cryptogram),
        cmocka_unit_test(counters_end),
        cmocka_unit_test(levels_need_their_i),
        cmocka_unit_test(s16_has_long_challenges),
        cmocka_unit_test(load_blocks_come_in_order),
        cmocka_unit_test(a_broken_load_leaves_nothing),
        cmocka_unit_test(blocks_of_any_size),
        cmocka_unit_test(more_than_256_blocks_do_not_wrap),
        cmocka_unit_test(the_hash_is_checked_when_given),
        cmocka_unit_test(the_load_file_must_be_the_announced_one),
        cmocka_unit_test(imports_must_be_there),
        cmocka_unit_test(personalisation_reaches_the_application),
        cmocka_unit_test(an_application_keeps_a_bounded_amount),
        cmocka_unit_test(the_card_goes_through_its_life),
        cmocka_unit_test(long_listings_come_in_pages),
        cmocka_unit_test(t0_hands_out_responses),
        cmocka_unit_test(a_repeat_after_6c_is_not_a_second_execution),
        cmocka_unit_test(what_does_not_fit_is_fetched),
        cmocka_unit_test(room_is_left_for_what_the_channel_adds),
        cmocka_unit_test(a_dead_card_is_silent),
        cmocka_unit_test(a_right_mac_over_wrong_encryption),
        cmocka_unit_test(extended_length_where_the_card_has_it),
        cmocka_unit_test(the_atr_offers_the_protocol),
        cmocka_unit_test(what_cannot_be_written_did_not_happen),
        cmocka_unit_test(the_journal_is_the_state),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
