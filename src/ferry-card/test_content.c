/* SPDX-License-Identifier: Apache-2.0
 *
 * Content: what comes onto the card and leaves it, in conversations of commands and status words. */
#include "testing/conversation.h"

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
        {"80E61000", SW_WRONG_DATA, ""},
        {"80E64000", SW_WRONG_DATA, ""},
        {"80E60E01", SW_WRONG_DATA, ""},
        {"80E60E03", SW_CONDITIONS, ""},
        {"80E60E00", SW_INCORRECT_P1P2, ""},
        {"80E60201", SW_INCORRECT_P1P2, ""},
        {"80E61800", SW_INCORRECT_P1P2, ""},
        {"80E66000", SW_INCORRECT_P1P2, ""},
        {"80E62000", SW_WRONG_DATA, ""},
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
        {"80E8000003D40100", SW_CONDITIONS, ""}, /* ciphered */
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

enum { MANY = 110 };

/* Marks the applications of one page as seen; every page is a row of whole entries. */
static void see_entries(bool tlv, bool seen[MANY])
{
    struct reader r;
    rd_init(&r, host_data(h));
    while (rd_left(&r) != 0) {
        struct tlv entry;
        struct view aid;
        if (tlv) {
            assert_true(tlv_next(&r, &entry) && entry.tag == 0xE3);
            assert_true(tlv_find(entry.value, 0x4F, &aid));
        } else {
            aid = rd_view8(&r, AID_MAX);
            (void)rd_u16(&r);
            assert_true(rd_ok(&r));
        }
        assert_int_equal(aid.len, 7);
        uint8_t n = aid.data[6];
        assert_true(n < MANY && !seen[n]);
        seen[n] = true;
    }
}

/* A registry of more than a hundred: each entry once, in either form, and the memory keeps up. */
static void a_hundred_entries_are_listed_once(void **state)
{
    (void)state;
    new_card("modern", 0xFF);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    assert_int_equal(load_hello(), SW_OK);
    for (unsigned n = 0; n < MANY; n++) {
        char command[80];
        snprintf(command, sizeof command,
                 "80E60C001B05F00000000106F0000000010107F000000001A0%02X010002C90000", n);
        assert_int_equal(say(command), SW_OK);
    }
    for (int tlv = 0; tlv < 2; tlv++) {
        bool seen[MANY] = {false};
        uint16_t sw = say(tlv ? "80F24002024F00" : "80F24000024F00");
        see_entries(tlv, seen);
        while (sw == SW_MORE_DATA) {
            sw = say(tlv ? "80F24003024F00" : "80F24001024F00");
            see_entries(tlv, seen);
        }
        assert_int_equal(sw, SW_OK);
        for (size_t n = 0; n < MANY; n++)
            assert_true(seen[n]);
    }
    end_card();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_comes_and_goes),
        cmocka_unit_test(install_is_strict),
        cmocka_unit_test(an_installed_application_is_not_selectable_yet),
        cmocka_unit_test(one_application_is_the_default),
        cmocka_unit_test(a_hundred_entries_are_listed_once),
        cmocka_unit_test(related_objects_are_those_of_the_package),
        cmocka_unit_test(a_length_of_128_in_one_byte),
        cmocka_unit_test(load_blocks_come_in_order),
        cmocka_unit_test(a_broken_load_leaves_nothing),
        cmocka_unit_test(blocks_of_any_size),
        cmocka_unit_test(more_than_256_blocks_do_not_wrap),
        cmocka_unit_test(the_hash_is_checked_when_given),
        cmocka_unit_test(the_load_file_must_be_the_announced_one),
        cmocka_unit_test(imports_must_be_there),
        cmocka_unit_test(personalisation_reaches_the_application),
        cmocka_unit_test(an_application_keeps_a_bounded_amount),
        cmocka_unit_test(long_listings_come_in_pages),
    };
    return cmocka_run_group_tests(tests, conversation_setup, conversation_teardown);
}
