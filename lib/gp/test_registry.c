/* SPDX-License-Identifier: Apache-2.0
 *
 * Registries of real cards, malformed answers, and that a registry survives as bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <gp/registry.h>
#include <support/vectors.h>

enum { STATE_MAX = 1 << 20, RANDOM_ROUNDS = 60 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int teardown(void **state)
{
    (void)state;
    vectors_free();
    return 0;
}

static bool same_aid(const struct aid *a, const json_t *row, const char *key)
{
    return view_equal(aid_view(a), vector_bytes(row, key));
}

static void expect_entry(const char *id, size_t n, const struct registry_entry *e, const json_t *want)
{
    const json_t *modules = json_object_get(want, "modules");
    struct view privileges = vector_bytes(want, "privileges");
    bool ok = same_aid(&e->aid, want, "aid") && e->state == vector_bytes(want, "life_cycle").data[0] &&
              same_aid(&e->package, want, "load_file") && same_aid(&e->domain, want, "sd_aid") &&
              view_equal(view_of(e->privileges.byte, privileges.len), privileges) &&
              e->has_version == vector_has(want, "version") && e->module_count == json_array_size(modules);
    if (ok && e->has_version)
        ok = view_equal(VIEW_OF(e->version), vector_bytes(want, "version"));
    for (size_t k = 0; ok && k < e->module_count; k++)
        ok = view_equal(aid_view(&e->modules[k]), vector_hex(json_string_value(json_array_get(modules, k))));
    if (!ok)
        fail_msg("%s: entry %zu", id, n);
}

/* Traces in TLV form and in the old one. */
static void traces(void **state)
{
    (void)state;
    size_t index, tagged = 0, old = 0;
    json_t *row;
    json_array_foreach(vectors_load("vectors/cap.json"), index, row)
    {
        const char *id = vector_text(row, "id");
        struct registry r = {0};
        struct rapdu answer;
        if (!vector_is(row, "get_status_real"))
            continue;
        uint8_t subset = vector_bytes(row, "p1").data[0];
        assert_int_equal(rapdu_parse(vector_bytes(row, "response"), &answer), OK);
        enum err e = registry_add(&r, subset, &answer);
        uint8_t tlv_form = vector_bytes(row, "p2").data[0] & 0x02;
        const json_t *want = json_object_get(row, "decoded");
        if (e != OK || r.count != json_array_size(want))
            fail_msg("%s: %s, %zu entries", id, err_name(e), r.count);
        for (size_t n = 0; n < r.count; n++) {
            assert_int_equal(r.entries[n].subset, subset);
            expect_entry(id, n, &r.entries[n], json_array_get(want, n));
        }
        registry_finish(&r);
        tagged += tlv_form != 0;
        old += tlv_form == 0;
    }
    assert_int_equal(tagged, 14);
    assert_int_equal(old, 10);
}

static void status_words(void **state)
{
    (void)state;
    static const char entry[] = "E30B4F05A0000000019F700107";
    static const struct {
        uint16_t sw;
        enum err want;
        size_t count;
        bool more;
    } rows[] = {{0x9000, OK, 1, false},        {0x6310, OK, 1, true},         {0x6A88, OK, 0, false},
                {0x6A86, ERR_STATE, 0, false}, {0x6982, ERR_STATE, 0, false}, {0x6300, ERR_STATE, 0, false}};
    for (size_t n = 0; n < COUNT(rows); n++) {
        struct registry r = {0};
        struct rapdu answer = {vector_hex(entry), rows[n].sw};
        enum err e = registry_add(&r, STATUS_APPLICATIONS, &answer);
        if (e != rows[n].want || r.count != rows[n].count || r.more != rows[n].more)
            fail_msg("%04X: %s", rows[n].sw, err_name(e));
        registry_finish(&r);
        assert_null(r.entries);
    }
}

static void entries_good_and_bad(void **state)
{
    (void)state;
    static const struct {
        const char *name, *hex;
        enum err want;
    } rows[] = {
        {"nothing", "", OK},
        {"AID and state", "E30B4F05A0000000019F700107", OK},
        {"two bytes of state", "E30C4F05A0000000019F70020700", OK},
        {"empty package and domain", "E30F4F05A0000000019F700107C400CC00", OK},
        {"objects of its own", "E30F4F05A0000000019F700107EA008000", OK},
        {"version of another platform", "E30E4F05A0000000019F700107CE0105", OK},
        {"another object", "E40B4F05A0000000019F700107", ERR_FORMAT},
        {"another object behind", "E30B4F05A0000000019F7001078000", ERR_FORMAT},
        {"no AID", "E3049F700107", ERR_FORMAT},
        {"empty AID", "E3064F009F700107", ERR_FORMAT},
        {"AID of 4 bytes", "E30A4F04A00000009F700107", ERR_FORMAT},
        {"AID of 17 bytes", "E3134F110102030405060708090A0B0C0D0E0F1011", ERR_FORMAT},
        {"no byte of state", "E30A4F05A0000000019F7000", ERR_FORMAT},
        {"three bytes of state", "E30D4F05A0000000019F7003070000", ERR_FORMAT},
        {"two bytes of privileges", "E30F4F05A0000000019F700107C5020000", ERR_FORMAT},
        {"package of 3 bytes", "E3104F05A0000000019F700107C403A00000", ERR_FORMAT},
        {"domain of 3 bytes", "E3104F05A0000000019F700107CC03A00000", ERR_FORMAT},
        {"empty module", "E30D4F05A0000000019F7001018400", ERR_FORMAT},
        {"object cut", "E30A4F05A0000000019F7001", ERR_FORMAT},
    };
    for (size_t n = 0; n < COUNT(rows); n++) {
        /* Behind a good one: nothing of it may change. */
        struct registry r = {0};
        struct rapdu first = {vector_hex("E3164F05A0000000029F7001018405A000000003CE020102"), 0x9000};
        struct rapdu answer = {vector_hex(rows[n].hex), 0x6310};
        assert_int_equal(registry_add(&r, STATUS_PACKAGES_MODULES, &first), OK);
        enum err e = registry_add(&r, STATUS_APPLICATIONS, &answer);
        if (e != rows[n].want || r.more != (e == OK))
            fail_msg("%s: %s", rows[n].name, err_name(e));
        if (e != OK)
            assert_int_equal(r.count, 1);
        assert_int_equal(r.entries[0].module_count, 1);
        struct aid aid;
        assert_int_equal(aid_set(&aid, vector_hex("A000000002")), OK);
        assert_ptr_equal(registry_find(&r, &aid), &r.entries[0]);
        aid.data[4] = 0x77;
        assert_null(registry_find(&r, &aid));
        registry_finish(&r);
    }
}

/* E3 L { 4F 05 .., 84 05 .. repeated } */
static void put_entry(struct writer *w, uint8_t number, size_t modules)
{
    wr_u16(w, 0xE382);
    wr_u16(w, (uint16_t)(7 + 7 * modules));
    for (size_t n = 0; n <= modules; n++) {
        wr_u8(w, n == 0 ? 0x4F : 0x84);
        wr_u8(w, 5);
        wr_u32(w, 0xA0000000);
        wr_u8(w, number);
    }
}

static void limits(void **state)
{
    (void)state;
    struct registry r = {0};
    struct writer w;
    wr_heap(&w, STATE_MAX);
    put_entry(&w, 1, CAP_APPLETS_MAX + 1);
    struct rapdu answer = {wr_view_of(&w), 0x9000};
    assert_int_equal(registry_add(&r, STATUS_PACKAGES_MODULES, &answer), ERR_LIMIT);
    wr_clear(&w);
    put_entry(&w, 1, CAP_APPLETS_MAX);
    answer.data = wr_view_of(&w);
    for (size_t n = 0; n < REGISTRY_ENTRIES_MAX; n++)
        assert_int_equal(registry_add(&r, STATUS_PACKAGES_MODULES, &answer), OK);
    assert_int_equal(registry_add(&r, STATUS_PACKAGES_MODULES, &answer), ERR_LIMIT);
    assert_int_equal(r.count, REGISTRY_ENTRIES_MAX);
    registry_finish(&r);
    wr_clear(&w);
    for (size_t n = 0; n <= REGISTRY_ENTRIES_MAX; n++)
        put_entry(&w, (uint8_t)n, 0);
    answer.data = wr_view_of(&w);
    assert_int_equal(registry_add(&r, STATUS_PACKAGES, &answer), ERR_LIMIT);
    assert_int_equal(r.count, 0);
    wr_free(&w);
}

static uint32_t seed = 20240302;

static uint8_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return (uint8_t)seed;
}

static void random_aid(struct aid *a, bool needed)
{
    *a = (struct aid){.len = !needed && next_random() % 2 == 0 ? 0 : (uint8_t)(AID_MIN + next_random() % 12)};
    for (size_t n = 0; n < a->len; n++)
        a->data[n] = next_random();
}

/* A registry's end, when the card told nothing of its memory. */
#define NO_MEMORY "00000000000000000000000000"

static struct registry random_registry(void)
{
    struct registry r = {.count = next_random() % 20, .more = next_random() % 2 == 0};
    r.entries = calloc(r.count + 1, sizeof(*r.entries));
    assert_non_null(r.entries);
    for (size_t n = 0; n < r.count; n++) {
        struct registry_entry *e = &r.entries[n];
        e->subset = next_random();
        e->state = next_random();
        random_aid(&e->aid, true);
        random_aid(&e->package, false);
        random_aid(&e->domain, false);
        for (size_t k = 0; k < sizeof(e->privileges.byte); k++)
            e->privileges.byte[k] = next_random();
        e->has_version = next_random() % 2 == 0;
        e->version[0] = e->has_version ? next_random() : 0;
        e->version[1] = e->has_version ? next_random() : 0;
        e->implicit_count = next_random() % 4 == 0 ? next_random() % (REGISTRY_IMPLICIT_MAX + 1) : 0;
        for (size_t k = 0; k < e->implicit_count; k++)
            e->implicit[k] = next_random();
        e->module_count = next_random() % 4 == 0 ? next_random() % (CAP_APPLETS_MAX + 1) : 0;
        for (size_t k = 0; k < e->module_count; k++)
            random_aid(&e->modules[k], true);
    }
    r.tail_len = next_random() % 2 == 0 ? 0 : (uint16_t)(next_random() + next_random());
    r.tail_subset = r.tail_len > 0 ? next_random() : 0;
    for (size_t n = 0; n < r.tail_len; n++)
        r.tail[n] = next_random();
    r.tells_memory = next_random() % 2 == 0;
    r.asked_memory = next_random() % 2 == 0;
    r.memory = (struct card_memory){next_random(),          next_random() * 65537U, next_random(),
                                    next_random() % 2 == 0, next_random() % 2 == 0, next_random() % 2 == 0};
    return r;
}

static bool same_entry(const struct registry_entry *a, const struct registry_entry *b)
{
    bool same = a->subset == b->subset && a->state == b->state && aid_equal(&a->aid, &b->aid) &&
                aid_equal(&a->package, &b->package) && aid_equal(&a->domain, &b->domain) &&
                view_equal(VIEW_OF(a->privileges.byte), VIEW_OF(b->privileges.byte)) &&
                a->has_version == b->has_version && view_equal(VIEW_OF(a->version), VIEW_OF(b->version)) &&
                a->module_count == b->module_count &&
                view_equal(view_of(a->implicit, a->implicit_count), view_of(b->implicit, b->implicit_count));
    for (size_t k = 0; same && k < a->module_count; k++)
        same = aid_equal(&a->modules[k], &b->modules[k]);
    return same;
}

static void survives_as_bytes(void **state)
{
    (void)state;
    for (size_t round = 0; round < RANDOM_ROUNDS; round++) {
        struct registry r = random_registry(), back = {0};
        struct writer w;
        wr_heap(&w, STATE_MAX);
        assert_int_equal(registry_encode(&r, &w), OK);
        assert_int_equal(registry_decode(&back, wr_view_of(&w)), OK);
        assert_int_equal(back.count, r.count);
        assert_int_equal(back.more, r.more);
        assert_int_equal(back.tail_subset, r.tail_subset);
        assert_int_equal(back.tells_memory, r.tells_memory);
        assert_int_equal(back.asked_memory, r.asked_memory);
        assert_int_equal(back.memory.nonvolatile, r.memory.nonvolatile);
        assert_int_equal(back.memory.transient, r.memory.transient);
        assert_int_equal(back.memory.applications, r.memory.applications);
        assert_int_equal(back.memory.has_nonvolatile, r.memory.has_nonvolatile);
        assert_int_equal(back.memory.has_transient, r.memory.has_transient);
        assert_int_equal(back.memory.has_applications, r.memory.has_applications);
        assert_true(view_equal(view_of(back.tail, back.tail_len), view_of(r.tail, r.tail_len)));
        for (size_t n = 0; n < r.count; n++)
            assert_true(same_entry(&r.entries[n], &back.entries[n]));
        registry_finish(&back);
        for (size_t len = 0; len < w.len; len += 1 + len / 20)
            assert_int_equal(registry_decode(&back, view_head(wr_view_of(&w), len)), ERR_FORMAT);
        wr_u8(&w, 0);
        assert_int_equal(registry_decode(&back, wr_view_of(&w)), ERR_FORMAT);
        assert_null(back.entries);
        wr_free(&w);
        registry_finish(&r);
    }
}

/* version 1 | more | count 2 | subset, AID, state, privileges 3, package, domain, version, modules
 * version 2: implicit selection behind the modules, and at the end subset and bytes of a page that was cut */
static void bad_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *name, *hex;
        enum err want;
    } rows[] = {
        {"empty", "01000000", OK},
        {"one",
         "01000001"
         "40"
         "05A000000001"
         "07"
         "000000"
         "00"
         "00"
         "00"
         "00",
         OK},
        {"another version", "03000000", ERR_FORMAT},
        {"this version", "02000000000000" NO_MEMORY, OK},
        {"memory told",
         "02000000000000"
         "1F"
         "00000001"
         "00010000"
         "00000800",
         OK},
        {"memory with a strange flag",
         "02000000000000"
         "20"
         "000000000000000000000000",
         ERR_FORMAT},
        {"memory cut",
         "02000000000000"
         "0F"
         "00000001"
         "00010000"
         "000008",
         ERR_FORMAT},
        {"this version without its end", "02000000", ERR_FORMAT},
        {"a cut page", "02000000400002E30B" NO_MEMORY, OK},
        {"no cut page, but its subset", "02000000400000" NO_MEMORY, ERR_FORMAT},
        {"this version, one with implicit selection",
         "02000001"
         "40"
         "05A000000001"
         "07"
         "000000"
         "00"
         "00"
         "00"
         "00"
         "0181"
         "000000" NO_MEMORY,
         OK},
        {"17 implicit selections",
         "02000001"
         "40"
         "05A000000001"
         "07"
         "000000"
         "00"
         "00"
         "00"
         "00"
         "110000000000000000000000000000000000"
         "000000" NO_MEMORY,
         ERR_FORMAT},
        {"more is 2", "01020000", ERR_FORMAT},
        {"257 entries", "01000101", ERR_LIMIT},
        {"no AID",
         "01000001"
         "40"
         "00"
         "07"
         "000000"
         "00"
         "00"
         "00"
         "00",
         ERR_FORMAT},
        {"package of 4 bytes",
         "01000001"
         "40"
         "05A000000001"
         "07"
         "000000"
         "0401020304"
         "00"
         "00"
         "00",
         ERR_FORMAT},
        {"one byte of version",
         "01000001"
         "40"
         "05A000000001"
         "07"
         "000000"
         "00"
         "00"
         "0101"
         "00",
         ERR_FORMAT},
        {"65 modules",
         "01000001"
         "40"
         "05A000000001"
         "07"
         "000000"
         "00"
         "00"
         "00"
         "41",
         ERR_FORMAT},
        {"empty module",
         "01000001"
         "40"
         "05A000000001"
         "07"
         "000000"
         "00"
         "00"
         "00"
         "0100",
         ERR_FORMAT},
    };
    for (size_t n = 0; n < COUNT(rows); n++) {
        struct registry r = {0};
        enum err e = registry_decode(&r, vector_hex(rows[n].hex));
        if (e != rows[n].want)
            fail_msg("%s: %s", rows[n].name, err_name(e));
        registry_finish(&r);
    }
}

static void state_texts(void **state)
{
    (void)state;
    static const struct {
        uint8_t subset, state;
        const char *want;
    } rows[] = {
        {STATUS_ISD, 0x01, "OP_READY"},
        {STATUS_ISD, 0x0F, "SECURED"},
        {STATUS_ISD, 0x7F, "CARD_LOCKED"},
        {STATUS_ISD, 0xFF, "TERMINATED"},
        {STATUS_ISD, 0x03, "unknown"},
        {STATUS_PACKAGES, 0x01, "LOADED"},
        {STATUS_PACKAGES_MODULES, 0x01, "LOADED"},
        {STATUS_APPLICATIONS, 0x03, "INSTALLED"},
        {STATUS_APPLICATIONS, 0x07, "SELECTABLE"},
        {STATUS_APPLICATIONS, 0x0F, "PERSONALIZED"},
        {STATUS_APPLICATIONS, 0x17, "SELECTABLE, in a state of its own"},
        {STATUS_APPLICATIONS, 0x83, "LOCKED"},
        {STATUS_APPLICATIONS, 0x87, "LOCKED"},
        {STATUS_APPLICATIONS, 0x01, "unknown"},
        {0x00, 0x07, "unknown"},
    };
    for (size_t n = 0; n < COUNT(rows); n++)
        assert_string_equal(registry_state_text(rows[n].subset, rows[n].state), rows[n].want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traces),
        cmocka_unit_test(status_words),
        cmocka_unit_test(entries_good_and_bad),
        cmocka_unit_test(limits),
        cmocka_unit_test(survives_as_bytes),
        cmocka_unit_test(bad_bytes),
        cmocka_unit_test(state_texts),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}
