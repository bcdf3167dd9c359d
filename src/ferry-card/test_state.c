/* SPDX-License-Identifier: Apache-2.0
 *
 * Records and their limits: so much of each as there may be, and one more; everything twice; everything cut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <support/vectors.h>

#include "state.h"

static struct card_state *s;

static int setup(void **state)
{
    (void)state;
    s = calloc(1, sizeof *s);
    return s != NULL ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    card_state_finish(s);
    free(s);
    s = NULL;
    return 0;
}

static int free_vectors(void **state)
{
    (void)state;
    vectors_free();
    return 0;
}

static enum err apply(struct writer *w)
{
    assert_true(wr_ok(w));
    enum err e = card_state_apply(s, wr_view_of(w));
    wr_free(w);
    return e;
}

static struct card_aid aid_of(uint8_t kind, size_t n)
{
    struct card_aid a = {.data = {0xF0, 0x00, kind, (uint8_t)(n >> 8), (uint8_t)n}, .len = 5};
    return a;
}

static enum err add_keyset(uint8_t kvn, uint8_t scp, size_t enc, size_t mac, size_t dek)
{
    struct card_keyset k = {.kvn = kvn, .scp = scp, .i = 0x70};
    struct writer w;
    k.enc.len = enc;
    k.mac.len = mac;
    k.dek.len = dek;
    wr_heap(&w, 512);
    card_put_keyset(&w, &k);
    return apply(&w);
}

static enum err add_object(uint16_t tag)
{
    struct writer w;
    wr_heap(&w, 64);
    card_put_object(&w, VIEW_NULL, tag, vector_hex("AABB"));
    return apply(&w);
}

static enum err add_key(const char *domain, uint8_t kvn, uint8_t kid, const char *data)
{
    struct view v = vector_hex(data);
    uint8_t copy[64];
    struct card_key k = {.kvn = kvn, .kid = kid, .type = CARD_KEY_AES, .data = copy, .len = (uint16_t)v.len};
    struct writer w;
    assert_true(v.len <= sizeof copy);
    if (v.len != 0)
        memcpy(copy, v.data, v.len);
    (void)card_aid_set(&k.domain, vector_hex(domain));
    wr_heap(&w, 128);
    card_put_key(&w, &k);
    return apply(&w);
}

static enum err add_package(struct card_package *p)
{
    struct writer w;
    wr_heap(&w, 64 * 1024);
    card_put_package(&w, p);
    return apply(&w);
}

static enum err add_application(size_t n, struct card_aid package)
{
    struct card_application a = {.aid = aid_of(2, n), .package = package, .module = package, .life = 7};
    struct writer w;
    wr_heap(&w, 256);
    card_put_application(&w, &a);
    return apply(&w);
}

static void so_many_and_no_more(void **state)
{
    struct card_package p = {.major = 1};
    (void)state;
    for (size_t n = 0; n < CARD_KEYSETS_MAX; n++)
        assert_int_equal(add_keyset((uint8_t)(n + 1), 3, 16, 16, 16), OK);
    assert_int_equal(add_keyset(0x70, 3, 16, 16, 16), ERR_LIMIT);
    assert_int_equal(add_keyset(0x01, 3, 32, 32, 32), OK); /* in place */
    for (size_t n = 0; n < CARD_OBJECTS_MAX; n++)
        assert_int_equal(add_object((uint16_t)(0x40 + n)), OK);
    assert_int_equal(add_object(0x80), ERR_LIMIT);
    assert_int_equal(add_object(0x40), OK);
    for (size_t n = 0; n < CARD_KEYS_MAX; n++)
        assert_int_equal(add_key("", (uint8_t)(n + 1), 1, "AA"), OK);
    assert_int_equal(add_key("", 0x7F, 1, "AA"), ERR_LIMIT);
    assert_int_equal(add_key("", 1, 1, "BBBB"), OK);
    for (size_t n = 0; n < CARD_PACKAGES_MAX; n++) {
        p.aid = aid_of(1, n);
        assert_int_equal(add_package(&p), OK);
    }
    p.aid = aid_of(1, CARD_PACKAGES_MAX);
    assert_int_equal(add_package(&p), ERR_LIMIT);
    for (size_t n = 0; n < CARD_APPLICATIONS_MAX; n++)
        assert_int_equal(add_application(n, aid_of(1, 0)), OK);
    assert_int_equal(add_application(CARD_APPLICATIONS_MAX, aid_of(1, 0)), ERR_LIMIT);
}

/* A security domain with a key set, two keys, an object and a certificate. */
static void add_domain(size_t n)
{
    struct card_application a = {
        .aid = aid_of(2, n), .privileges = {PRIVILEGE_SECURITY_DOMAIN}, .life = 0x0F};
    struct card_keyset k = {.kvn = 0x30, .scp = 3, .i = 0x70};
    struct writer w;
    uint8_t secret[16] = {(uint8_t)n};
    assert_true(card_aid_set(&a.package, vector_hex("A0000001515350")));
    assert_true(card_aid_set(&a.module, vector_hex("A000000151535041")));
    k.domain = a.aid;
    k.enc.len = k.mac.len = k.dek.len = 16;
    wr_heap(&w, 1024);
    card_put_application(&w, &a);
    card_put_keyset(&w, &k);
    for (uint8_t kid = 1; kid <= 2; kid++) {
        struct card_key key = {
            .domain = a.aid, .kvn = 0x73, .kid = kid, .type = CARD_KEY_AES, .data = secret, .len = 16};
        card_put_key(&w, &key);
    }
    card_put_object(&w, card_aid_view(&a.aid), 0x42, view_of(secret, 4));
    card_put_certificate(&w, card_aid_view(&a.aid), 0xBF21, 0x73, 2, view_of(secret, 16));
    assert_int_equal(apply(&w), OK);
}

/* Two domains have the same versions, identifiers and tags, and each finds its own; one goes with all that it
 * has, and nothing of the other. */
static void a_domain_owns_its_keys_and_objects(void **state)
{
    (void)state;
    add_domain(0);
    add_domain(1);
    struct card_aid zero = aid_of(2, 0), one = aid_of(2, 1);
    struct view none = VIEW_NULL, d0 = card_aid_view(&zero), d1 = card_aid_view(&one);
    assert_true(card_has_domain(s, d0));
    assert_null(card_find_keyset(s, none, 0x30));
    assert_null(card_find_key(s, none, 0x73, 1));
    assert_ptr_not_equal(card_find_keyset(s, d0, 0), card_find_keyset(s, d1, 0));
    assert_int_equal(card_find_key(s, d1, 0x73, 2)->data[0], 1);
    assert_int_equal(card_find_object(s, d1, 0x42)->data[0], 1);
    assert_null(card_find_object(s, d1, 0xBF21));
    assert_int_equal(card_find_certificate(s, d0, 0xBF21, 0x73, 2)->len, 16);
    assert_true(card_state_is_whole(s));

    struct writer w;
    wr_heap(&w, 256);
    card_put_key_gone(&w, d1, 0x73, 1);
    card_put_object(&w, d1, 0x42, VIEW_NULL);
    card_put_application_gone(&w, d0);
    assert_int_equal(apply(&w), OK);
    assert_false(card_has_domain(s, d0));
    assert_null(card_find_key(s, d1, 0x73, 1));
    assert_null(card_find_object(s, d1, 0x42));
    assert_int_equal(s->keyset_count, 1);
    assert_int_equal(s->key_count, 1);
    assert_int_equal(s->object_count, 1);
    assert_true(card_state_is_whole(s));
}

/* Each kind of entry in turn says that it belongs to a domain that went. */
static void every_entry_has_its_domain(void **state)
{
    (void)state;
    for (int what = 0; what < 5; what++) {
        static struct card_package p;
        p = (struct card_package){.major = 1, .aid = aid_of(1, 0)};
        add_domain(0);
        assert_int_equal(add_package(&p), OK);
        struct card_aid nobody = aid_of(9, 9), *const places[] = {&s->packages[0].domain,
                                                                  &s->applications[0].domain,
                                                                  &s->keysets[0].domain, &s->keys[0].domain,
                                                                  &s->objects[0].domain};
        assert_true(card_state_is_whole(s));
        *places[what] = nobody;
        if (card_state_is_whole(s))
            fail_msg("%d", what);
        card_state_finish(s);
    }
}

static void nothing_twice(void **state)
{
    struct card_package p = {.major = 1, .aid = aid_of(1, 0)};
    (void)state;
    assert_int_equal(add_package(&p), OK);
    assert_int_equal(add_package(&p), ERR_FORMAT);
    assert_int_equal(add_application(0, p.aid), OK);
    assert_int_equal(add_application(0, p.aid), ERR_FORMAT);
    assert_int_equal(add_application(1, aid_of(1, 9)), ERR_FORMAT); /* of a package that is not there */
}

static void modules_and_imports_are_bounded(void **state)
{
    static struct card_package p;
    (void)state;
    for (size_t n = 0; n < CAP_APPLETS_MAX; n++)
        p.modules[n] = aid_of(3, n);
    for (size_t n = 0; n < CAP_IMPORTS_MAX; n++)
        p.imports[n] = (struct card_import){aid_of(4, n), 1, 0};
    p.aid = aid_of(1, 0);
    p.module_count = CAP_APPLETS_MAX;
    p.import_count = CAP_IMPORTS_MAX;
    assert_int_equal(add_package(&p), OK);
    /* One more of each, with all their bytes there. */
    static const size_t most[] = {CAP_APPLETS_MAX, CAP_IMPORTS_MAX};
    for (int imports = 0; imports < 2; imports++) {
        struct writer w;
        struct card_aid aid = aid_of(1, 1);
        wr_heap(&w, 16 * 1024);
        wr_u8(&w, 0x10);
        wr_view8(&w, card_aid_view(&aid));
        wr_u16(&w, 0x0100);
        if (imports)
            wr_u8(&w, 0);
        wr_u8(&w, (uint8_t)(most[imports] + 1));
        for (size_t n = 0; n <= most[imports]; n++) {
            wr_view8(&w, card_aid_view(&aid));
            if (imports)
                wr_u16(&w, 0x0100);
        }
        if (!imports)
            wr_u8(&w, 0);
        for (size_t n = 0; n < 36; n++)
            wr_u8(&w, 0);
        assert_int_equal(apply(&w), ERR_FORMAT);
    }
}

static void keys_of_a_version_belong_together(void **state)
{
    static const struct {
        uint8_t kvn, scp;
        size_t enc, mac, dek;
        enum err e;
    } rows[] = {
        {1, 3, 16, 16, 16, OK},         {2, 3, 24, 24, 24, OK},         {3, 3, 32, 32, 32, OK},
        {4, 2, 16, 16, 16, OK},         {0, 3, 16, 16, 16, ERR_FORMAT}, {5, 2, 24, 24, 24, ERR_FORMAT},
        {5, 4, 16, 16, 16, ERR_FORMAT}, {5, 3, 16, 24, 16, ERR_FORMAT}, {5, 3, 16, 16, 24, ERR_FORMAT},
        {5, 3, 8, 8, 8, ERR_FORMAT},    {5, 3, 0, 0, 0, ERR_FORMAT}};
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        enum err e = add_keyset(rows[n].kvn, rows[n].scp, rows[n].enc, rows[n].mac, rows[n].dek);
        if (e != rows[n].e)
            fail_msg("row %zu: %s", n, err_name(e));
    }
}

static void lives_are_those_of_the_specification(void **state)
{

    static const uint8_t none[CARD_PRIVILEGES];
    struct card_package p = {.major = 1, .aid = aid_of(1, 0)};
    (void)state;
    assert_int_equal(add_package(&p), OK);
    assert_int_equal(add_application(0, p.aid), OK);
    struct card_aid aid = aid_of(2, 0);
    for (unsigned life = 0; life < 256; life++) {
        struct writer w;
        bool known = (life & 0x7F) == 0x03 || (life & 0x07) == 0x07;
        wr_heap(&w, 64);
        card_put_application_life(&w, card_aid_view(&aid), (uint8_t)life, none);
        if (apply(&w) != (known ? OK : ERR_FORMAT))
            fail_msg("%02X", life);
    }
}

static void aids_have_5_to_16_bytes(void **state)
{
    static const uint8_t bytes[20] = {0xF0};
    (void)state;
    for (size_t len = 0; len < sizeof bytes; len++) {
        struct card_aid a = {.len = 0};
        assert_int_equal(card_aid_set(&a, view_of(bytes, len)), len >= 5 && len <= 16);
        assert_int_equal(a.len, len >= 5 && len <= 16 ? len : 0);
    }
}

/* Every record of a whole state, cut at every byte: an error unless records end there. */
static void a_cut_record_is_refused(void **state)
{
    static uint8_t code[8];
    struct card_package p = {.major = 1, .module_count = 1, .import_count = 1, .code = code, .code_len = 8};
    struct writer w;
    (void)state;
    p.aid = aid_of(1, 0);
    p.modules[0] = aid_of(3, 0);
    p.imports[0].aid = aid_of(4, 0);
    assert_int_equal(add_package(&p), OK);
    assert_int_equal(add_application(0, p.aid), OK);
    assert_int_equal(add_keyset(1, 3, 16, 16, 16), OK);
    assert_int_equal(add_object(0x42), OK);
    assert_int_equal(add_key("", 0x73, 1, "0102"), OK);
    s->profile.isd = aid_of(0, 0);
    s->life = LIFE_OP_READY;
    wr_heap(&w, 4096);
    card_state_put(s, &w);
    struct card_aid application = aid_of(2, 0);
    card_put_block(&w, card_aid_view(&application), 0x80, 1, vector_hex("010203"));
    size_t good = 0;
    for (size_t len = 0; len <= w.len; len++) {
        struct card_state *other = calloc(1, sizeof *other);
        assert_non_null(other);
        good += card_state_apply(other, view_head(wr_view_of(&w), len)) == OK;
        card_state_finish(other);
        free(other);
    }
    assert_int_equal(good, 11); /* behind each of ten records, and nothing at all */
    wr_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(so_many_and_no_more, setup, teardown),
        cmocka_unit_test_setup_teardown(a_domain_owns_its_keys_and_objects, setup, teardown),
        cmocka_unit_test_setup_teardown(every_entry_has_its_domain, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_twice, setup, teardown),
        cmocka_unit_test_setup_teardown(modules_and_imports_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(keys_of_a_version_belong_together, setup, teardown),
        cmocka_unit_test_setup_teardown(lives_are_those_of_the_specification, setup, teardown),
        cmocka_unit_test_setup_teardown(aids_have_5_to_16_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(a_cut_record_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, free_vectors);
}
