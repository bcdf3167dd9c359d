/* SPDX-License-Identifier: Apache-2.0
 *
 * Ephemeral key pairs: from whichever source of randomness, and back from their halves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <crypto/pk.h>
#include <support/vectors.h>

static int setup(void **state)
{
    return crypto_new((struct crypto **)state) == OK ? 0 : -1;
}

static int teardown(void **state)
{
    crypto_free((struct crypto **)state);
    vectors_free();
    return 0;
}

/* Gives the same byte throughout one call: first, first - 1, ... in the next ones. */
struct bytes {
    uint8_t next;
    int calls;
    enum err fail;
};

static enum err fill(void *ctx, uint8_t *out, size_t len)
{
    struct bytes *b = ctx;
    memset(out, b->next--, len);
    b->calls++;
    return b->fail;
}

static struct view point_of(const struct pk *k, uint8_t memory[PK_POINT_MAX])
{
    struct writer w;
    wr_fixed(&w, memory, PK_POINT_MAX);
    assert_int_equal(pk_put_point(k, &w), OK);
    return wr_view_of(&w);
}

static struct view scalar_of(const struct pk *k, uint8_t memory[PK_SHARED_MAX])
{
    struct writer w;
    wr_fixed(&w, memory, PK_SHARED_MAX);
    assert_int_equal(pk_put_scalar(k, &w), OK);
    return wr_view_of(&w);
}

static void from_a_given_source(void **state)
{
    static const struct {
        enum pk_curve curve;
        uint8_t first, scalar; /* the first that is below the order */
        int calls;
    } rows[] = {
        {CURVE_P256, 0x22, 0x22, 1},
        {CURVE_P256, 0xFF, 0xFE, 2},
        {CURVE_P384, 0x33, 0x33, 1},
        {CURVE_P521, 0x44, 0x44, 1}, /* but for the mask of its first byte */
        {CURVE_BRAINPOOL_P256R1, 0xAC, 0xA9, 4},
        {CURVE_P256, 0x00, 0xFE, 3}, /* 0 is no key, FF.. is beyond the order */
    };
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        struct bytes b = {.next = rows[n].first};
        const struct random_source source = {fill, &b};
        uint8_t memory[PK_SHARED_MAX], want[PK_SHARED_MAX];
        struct pk *k = NULL;
        assert_int_equal(pk_ec_ephemeral(*state, rows[n].curve, source, &k), OK);
        struct view scalar = scalar_of(k, memory);
        memset(want, rows[n].scalar, sizeof(want));
        if (rows[n].curve == CURVE_P521)
            want[0] &= 1;
        assert_true(view_equal(scalar, view_of(want, pk_curve_len(rows[n].curve))));
        assert_int_equal(b.calls, rows[n].calls);
        pk_free(&k);
    }
}

static void the_point_belongs_to_the_scalar(void **state)
{
    struct bytes b = {.next = 0x22};
    const struct random_source source = {fill, &b};
    uint8_t memory[PK_POINT_MAX];
    struct pk *k = NULL;
    assert_int_equal(pk_ec_ephemeral(*state, CURVE_P256, source, &k), OK);
    /* scp11.json, computed-scp11b: epk_oce */
    assert_true(view_equal(point_of(k, memory),
                           vector_hex("04D65A93977CAA3D1B081852FF57A79E465F1660577304BAEAD505DD3A48589CF3"
                                      "50185E895372DF6221EA3A137557E473FDDB6755F05BD507C3C533FCE9C91285")));
    pk_free(&k);
}

static void from_the_system(void **state)
{
    for (unsigned curve = 0; curve < CURVE_COUNT; curve++) {
        struct pk *k = NULL, *other = NULL, *back = NULL, *computed = NULL;
        uint8_t point[PK_POINT_MAX], scalar[PK_SHARED_MAX];
        struct secret a, b;
        assert_int_equal(pk_ec_ephemeral(*state, curve, crypto_random(), &k), OK);
        assert_int_equal(pk_ec_ephemeral(*state, curve, crypto_random(), &other), OK);
        assert_false(pk_same(k, other));
        struct view s = scalar_of(k, scalar);
        assert_int_equal(pk_ec_restore(curve, s, point_of(k, point), &back), OK);
        assert_int_equal(pk_ec_restore(curve, s, VIEW_NULL, &computed), OK);
        assert_true(pk_same(k, back) && pk_same(k, computed));
        assert_true(pk_is_private(back));
        assert_int_equal(pk_bits(back), pk_bits(k));
        assert_int_equal(pk_ec_curve(back), curve);
        assert_int_equal(pk_ecdh(*state, back, other, &a), OK);
        assert_int_equal(pk_ecdh(*state, other, k, &b), OK);
        assert_true(secret_equal(secret_view(&a), secret_view(&b)));
        pk_free(&k);
        pk_free(&other);
        pk_free(&back);
        pk_free(&computed);
    }
}

static void what_is_refused(void **state)
{
    struct bytes broken = {.next = 0x22, .fail = ERR_IO};
    const struct random_source source = {fill, &broken};
    static const uint8_t zero[33], long_one[33] = {1};
    uint8_t memory[PK_POINT_MAX];
    struct pk *k = NULL, *p384 = NULL;
    assert_int_equal(pk_ec_ephemeral(*state, CURVE_P256, source, &k), ERR_IO);
    assert_int_equal(broken.calls, 1);
    assert_int_equal(pk_ec_ephemeral(*state, CURVE_COUNT, crypto_random(), &k), ERR_UNSUPPORTED);
    assert_int_equal(pk_ec_restore(CURVE_COUNT, view_of(long_one, 1), VIEW_NULL, &k), ERR_UNSUPPORTED);
    assert_int_equal(pk_ec_restore(CURVE_P256, VIEW_NULL, VIEW_NULL, &k), ERR_FORMAT);
    assert_int_equal(pk_ec_restore(CURVE_P256, view_of(zero, 32), VIEW_NULL, &k), ERR_FORMAT);
    assert_int_equal(pk_ec_restore(CURVE_P256, VIEW_OF(long_one), VIEW_NULL, &k), ERR_FORMAT);
    assert_int_equal(pk_generate_ec(*state, CURVE_P384, &p384), OK);
    assert_int_equal(pk_ec_restore(CURVE_P256, view_of(long_one, 1), point_of(p384, memory), &k), ERR_FORMAT);
    pk_free(&p384);
    assert_null(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_a_given_source),
        cmocka_unit_test(the_point_belongs_to_the_scalar),
        cmocka_unit_test(from_the_system),
        cmocka_unit_test(what_is_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
