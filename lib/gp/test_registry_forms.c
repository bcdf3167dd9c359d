/* SPDX-License-Identifier: Apache-2.0
 *
 * How cards cut and write their registries: pages that end anywhere, the old form, objects of their own. The
 * tests are named after the list of known peculiarities in tests/data/vectors/quirks.json. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <gp/registry.h>
#include <support/vectors.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { HUNDRED = 100, PAGE_LEN = 240, LISTING_MAX = 16384 };

static int teardown(void **state)
{
    (void)state;
    vectors_free();
    return 0;
}

/* E3 { 4F AID, 9F70 state, C5 privileges, C4 package } with modules, so that entries have many lengths. */
static void put_entry(struct writer *w, uint8_t number)
{
    const uint8_t aid[] = {0xA0, 0x00, 0x00, 0x02, number, 0x01, 0x02, 0x03};
    size_t len = 2 + 5 + number % 4 + 4 + 3;
    wr_u8(w, 0xE3);
    wr_u8(w, (uint8_t)len);
    wr_u8(w, 0x4F);
    wr_view8(w, view_of(aid, 5 + number % 4));
    wr_u24(w, 0x9F7001);
    wr_u8(w, 0x07);
    wr_u24(w, 0xC50104);
}

/* A listing in pages of len bytes; every page but the last is answered by 6310. */
static enum err read_pages(struct registry *r, struct view listing, size_t len)
{
    enum err e = OK;
    for (size_t at = 0; at < listing.len && e == OK; at += len) {
        struct rapdu page = {view_head(view_tail(listing, at), len),
                             at + len < listing.len ? SW_MORE_DATA : SW_OK};
        e = registry_add(r, STATUS_APPLICATIONS, &page);
    }
    return e;
}

static void quirk_59_get_status_paging_with_a_hundred_entries_cut_anywhere(void **state)
{
    (void)state;
    struct writer w;
    wr_heap(&w, LISTING_MAX);
    for (unsigned n = 0; n < HUNDRED; n++)
        put_entry(&w, (uint8_t)n);
    for (size_t len = 1; len <= PAGE_LEN; len++) {
        struct registry r = {0};
        assert_int_equal(read_pages(&r, wr_view_of(&w), len), OK);
        if (r.count != HUNDRED || r.tail_len != 0)
            fail_msg("pages of %zu bytes: %zu entries", len, r.count);
        for (size_t n = 0; n < HUNDRED; n++)
            assert_int_equal(r.entries[n].aid.data[4], n);
        assert_true(r.more == (len < w.len));
        registry_finish(&r);
    }
    wr_free(&w);
}

/* The rest may come in another session: what is kept is kept as bytes too. */
static void quirk_59_a_cut_page_survives_as_bytes(void **state)
{
    (void)state;
    struct view whole = vector_hex("E30B4F05A0000000019F700107E30B4F05A0000000029F700103");
    for (size_t at = 1; at < whole.len; at++) {
        struct registry r = {0}, back = {0};
        uint8_t memory[256];
        struct writer w;
        struct rapdu first = {view_head(whole, at), SW_MORE_DATA}, second = {view_tail(whole, at), SW_OK};
        wr_fixed(&w, memory, sizeof(memory));
        assert_int_equal(registry_add(&r, STATUS_PACKAGES, &first), OK);
        assert_int_equal(registry_encode(&r, &w), OK);
        assert_int_equal(registry_decode(&back, wr_view_of(&w)), OK);
        assert_int_equal(registry_add(&back, STATUS_PACKAGES, &second), OK);
        assert_int_equal(back.count, 2);
        assert_int_equal(back.entries[1].aid.data[4], 2);
        registry_finish(&back);
        registry_finish(&r);
    }
}

static void pages_that_are_none(void **state)
{
    (void)state;
    static const struct {
        const char *name, *first, *second;
        uint8_t subset; /* of the second page */
        uint16_t sw;
        enum err want;
    } rows[] = {
        {"the rest", "E30B4F05A0", "000000019F700107", STATUS_PACKAGES, 0x9000, OK},
        {"the rest of another subset", "E30B4F05A0", "000000019F700107", STATUS_APPLICATIONS, 0x9000,
         ERR_FORMAT},
        {"no rest", "E30B4F05A0", "", STATUS_PACKAGES, 0x9000, ERR_FORMAT},
        {"not all of the rest", "E30B4F05A0", "000000019F7001", STATUS_PACKAGES, 0x9000, ERR_FORMAT},
        {"more than the rest", "E30B4F05A0", "000000019F70010700", STATUS_PACKAGES, 0x9000, ERR_FORMAT},
        {"a rest that is none", "E30B4F05A0", "0000000190700107", STATUS_PACKAGES, 0x9000, ERR_FORMAT},
    };
    for (size_t n = 0; n < COUNT(rows); n++) {
        struct registry r = {0};
        struct rapdu first = {vector_hex(rows[n].first), SW_MORE_DATA};
        struct rapdu second = {vector_hex(rows[n].second), rows[n].sw};
        assert_int_equal(registry_add(&r, STATUS_PACKAGES, &first), OK);
        enum err e = registry_add(&r, rows[n].subset, &second);
        if (e != rows[n].want || r.count != (e == OK))
            fail_msg("%s: %s", rows[n].name, err_name(e));
        registry_finish(&r);
    }
}

/* What is left of a page must be the beginning of an entry, and may not be endless. */
static void a_page_of_something_else(void **state)
{
    (void)state;
    static uint8_t endless[REGISTRY_TAIL_MAX + 16] = {0xE3, 0x83, 0xFF, 0xFF, 0xFF};
    static const char *const strange[] = {"E30B4F05A0000000019F70010700", "E30B4F05A0000000019F700107E2",
                                          "6F"};
    for (size_t n = 0; n < COUNT(strange); n++) {
        struct registry r = {0};
        struct rapdu page = {vector_hex(strange[n]), SW_MORE_DATA};
        if (registry_add(&r, STATUS_PACKAGES, &page) != ERR_FORMAT || r.more || r.count != 0)
            fail_msg("%s", strange[n]);
        registry_finish(&r);
    }
    struct registry r = {0};
    struct rapdu page = {VIEW_OF(endless), SW_MORE_DATA};
    assert_int_equal(registry_add(&r, STATUS_PACKAGES, &page), ERR_LIMIT);
    page.data = view_of(endless, REGISTRY_TAIL_MAX);
    assert_int_equal(registry_add(&r, STATUS_PACKAGES, &page), OK);
    page.data = view_of(endless, 1);
    assert_int_equal(registry_add(&r, STATUS_PACKAGES, &page), ERR_LIMIT);
    registry_finish(&r);
}

static void quirk_59_pages_of_real_cards(void **state)
{
    (void)state;
    size_t index, k, listings = 0;
    json_t *row, *page;
    json_array_foreach(vectors_load("vectors/cap.json"), index, row)
    {
        struct registry r = {0};
        struct rapdu answer;
        if (!vector_is(row, "get_status_paging"))
            continue;
        size_t before = 0;
        json_array_foreach(json_object_get(row, "pages"), k, page)
        {
            uint8_t subset = vector_bytes(page, "command_plain").data[2];
            assert_int_equal(rapdu_parse(vector_bytes(page, "response"), &answer), OK);
            assert_int_equal(registry_add(&r, subset, &answer), OK);
            assert_true(r.count > before);
            before = r.count;
        }
        assert_int_equal(r.tail_len, 0);
        registry_finish(&r);
        listings++;
    }
    assert_int_equal(listings, 3);
}

static void quirk_60_get_status_in_the_old_form(void **state)
{
    (void)state;
    static const struct {
        const char *name, *hex;
        uint8_t subset;
        enum err want;
        size_t count, modules;
    } rows[] = {
        {"one", "08D0D1D2D3D4D501010702", STATUS_APPLICATIONS, OK, 1, 0},
        {"two", "08D0D1D2D3D4D50101070205A0000000010F9E", STATUS_APPLICATIONS, OK, 2, 0},
        {"package without modules", "07D0D1D2D3D4D5010100", STATUS_PACKAGES, OK, 1, 0},
        {"with modules", "07D0D1D2D3D4D50101000208D0D1D2D3D4D5010105A000000001", STATUS_PACKAGES_MODULES, OK,
         1, 2},
        {"with no modules", "07D0D1D2D3D4D50101000005A000000001010000", STATUS_PACKAGES_MODULES, OK, 2, 0},
        {"cut in the AID", "08D0D1D2", STATUS_APPLICATIONS, ERR_FORMAT, 0, 0},
        {"cut behind the AID", "08D0D1D2D3D4D5010107", STATUS_APPLICATIONS, ERR_FORMAT, 0, 0},
        {"cut in the modules", "07D0D1D2D3D4D50101000208D0D1", STATUS_PACKAGES_MODULES, ERR_FORMAT, 0, 0},
        {"an AID of 4 bytes behind", "05A00000000107000401020304070000", STATUS_APPLICATIONS, ERR_FORMAT, 0,
         0},
        {"65 modules", "07D0D1D2D3D4D501010041", STATUS_PACKAGES_MODULES, ERR_FORMAT, 0, 0},
        {"an empty module", "07D0D1D2D3D4D50101000100", STATUS_PACKAGES_MODULES, ERR_FORMAT, 0, 0},
    };
    for (size_t n = 0; n < COUNT(rows); n++) {
        struct registry r = {0};
        struct rapdu answer = {vector_hex(rows[n].hex), SW_OK};
        enum err e = registry_add(&r, rows[n].subset, &answer);
        if (e != rows[n].want || r.count != rows[n].count)
            fail_msg("%s: %s, %zu entries", rows[n].name, err_name(e), r.count);
        if (e == OK)
            assert_int_equal(r.entries[0].module_count, rows[n].modules);
        registry_finish(&r);
    }
    assert_true(registry_wants_old_form(0x6A86));
    assert_true(registry_wants_old_form(0x6A80));
    assert_false(registry_wants_old_form(0x6A88));
    assert_false(registry_wants_old_form(0x6982));
}

static void quirk_61_nothing_found_is_an_empty_list(void **state)
{
    (void)state;
    struct registry r = {0};
    struct rapdu answer = {VIEW_NULL, 0x6A88};
    assert_int_equal(registry_add(&r, STATUS_APPLICATIONS, &answer), OK);
    assert_int_equal(r.count, 0);
    assert_false(r.more);
}

static void quirk_62_objects_of_the_card_itself_are_passed_over(void **state)
{
    (void)state;
    struct registry r = {0};
    struct rapdu answer = {
        vector_hex("E3464F08A0000000030000009F700101C5039EFE80CF0140CF0141CF0142CF0143CF0180CF0181CF0182CF01"
                   "83C40BD276000005AAFFCAFE0001CE020001CC08A000000003000000"
                   "E3174F08A0000000030000019F700107C50104EA048002FFFF"),
        SW_OK};
    assert_int_equal(registry_add(&r, STATUS_ISD, &answer), OK);
    assert_int_equal(r.count, 2);
    assert_int_equal(r.entries[0].implicit_count, 8);
    assert_int_equal(r.entries[0].implicit[7], 0x83);
    assert_int_equal(r.entries[0].privileges.byte[2], 0x80);
    assert_int_equal(r.entries[1].privileges.byte[0], 0x04);
    assert_int_equal(r.entries[1].implicit_count, 0);
    registry_finish(&r);
}

static void too_many_implicit_selections(void **state)
{
    (void)state;
    for (size_t count = REGISTRY_IMPLICIT_MAX; count <= REGISTRY_IMPLICIT_MAX + 1; count++) {
        struct registry r = {0};
        uint8_t memory[128];
        struct writer w;
        wr_fixed(&w, memory, sizeof(memory));
        wr_u8(&w, 0xE3);
        wr_u8(&w, (uint8_t)(7 + 3 * count));
        wr_view(&w, vector_hex("4F05A000000001"));
        for (size_t n = 0; n < count; n++)
            wr_u24(&w, 0xCF0181);
        struct rapdu answer = {wr_view_of(&w), SW_OK};
        assert_int_equal(registry_add(&r, STATUS_APPLICATIONS, &answer),
                         count > REGISTRY_IMPLICIT_MAX ? ERR_LIMIT : OK);
        registry_finish(&r);
    }
}

static void privileges(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        enum err want;
        unsigned bit;
        bool has;
    } rows[] = {{"80", OK, 0, true},
                {"80", OK, 1, false},
                {"C0", OK, 1, true},
                {"C1", OK, 7, true},
                {"C1", OK, 1, false}, /* mandated DAP is another privilege */
                {"A0", OK, 2, true},
                {"04", OK, 5, true},
                {"80C000", OK, 9, true},
                {"000080", OK, 16, true},
                {"000010", OK, 19, true},
                {"000000", OK, 24, false},
                {"40", ERR_ARGUMENT, 0, false},
                {"20", ERR_ARGUMENT, 0, false},
                {"81", ERR_ARGUMENT, 0, false},
                {"01", ERR_ARGUMENT, 0, false},
                {"", ERR_FORMAT, 0, false},
                {"8000", ERR_FORMAT, 0, false},
                {"80000000", ERR_FORMAT, 0, false}};
    for (size_t n = 0; n < COUNT(rows); n++) {
        struct privileges p = {{0}};
        enum err e = privileges_read(vector_hex(rows[n].hex), &p);
        if (e != rows[n].want || (e == OK && privilege_has(&p, rows[n].bit) != rows[n].has))
            fail_msg("%s: %s", rows[n].hex, err_name(e));
    }
    assert_string_equal(privilege_name(0), "security domain");
    assert_string_equal(privilege_name(19), "contactless self-activation");
    assert_null(privilege_name(20));
    assert_null(privilege_name(24));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quirk_59_get_status_paging_with_a_hundred_entries_cut_anywhere),
        cmocka_unit_test(quirk_59_a_cut_page_survives_as_bytes),
        cmocka_unit_test(pages_that_are_none),
        cmocka_unit_test(a_page_of_something_else),
        cmocka_unit_test(quirk_59_pages_of_real_cards),
        cmocka_unit_test(quirk_60_get_status_in_the_old_form),
        cmocka_unit_test(quirk_61_nothing_found_is_an_empty_list),
        cmocka_unit_test(quirk_62_objects_of_the_card_itself_are_passed_over),
        cmocka_unit_test(too_many_implicit_selections),
        cmocka_unit_test(privileges),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}
