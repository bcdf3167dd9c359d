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
        const size_t len = pk_curve_len(rows[n].curve);
        uint8_t memory[PK_POINT_MAX], want[PK_SHARED_MAX];
        struct secret scalar;
        struct writer point;
        wr_fixed(&point, memory, sizeof(memory));
        assert_int_equal(pk_ec_draw(*state, rows[n].curve, source, &scalar, &point), OK);
        memset(want, rows[n].scalar, sizeof(want));
        if (rows[n].curve == CURVE_P521)
            want[0] &= 1;
        assert_true(view_equal(secret_view(&scalar), view_of(want, len)));
        assert_int_equal(point.len, 1 + 2 * len);
        assert_int_equal(b.calls, rows[n].calls);
    }
}

static void the_point_belongs_to_the_scalar(void **state)
{
    struct bytes b = {.next = 0x22};
    const struct random_source source = {fill, &b};
    uint8_t memory[PK_POINT_MAX];
    struct secret scalar;
    struct writer point;
    wr_fixed(&point, memory, sizeof(memory));
    assert_int_equal(pk_ec_draw(*state, CURVE_P256, source, &scalar, &point), OK);
    /* scp11.json, computed-scp11b: epk_oce */
    assert_true(view_equal(wr_view_of(&point),
                           vector_hex("04D65A93977CAA3D1B081852FF57A79E465F1660577304BAEAD505DD3A48589CF3"
                                      "50185E895372DF6221EA3A137557E473FDDB6755F05BD507C3C533FCE9C91285")));
}

/* In numbers and with key objects it is the same. */
static void agreement(void **state)
{
    for (unsigned curve = 0; curve < CURVE_COUNT; curve++) {
        struct pk *own = NULL, *back = NULL, *computed = NULL, *other = NULL;
        uint8_t memory[PK_POINT_MAX], other_point[PK_POINT_MAX], other_scalar[PK_SHARED_MAX];
        struct secret scalar, a, b, d;
        struct writer point;
        wr_fixed(&point, memory, sizeof(memory));
        assert_int_equal(pk_ec_draw(*state, curve, crypto_random(), &scalar, &point), OK);
        assert_int_equal(pk_ec_private(curve, secret_view(&scalar), &own), OK);
        uint8_t again[PK_POINT_MAX];
        assert_true(view_equal(point_of(own, again), wr_view_of(&point)));
        assert_int_equal(pk_ec_restore(curve, secret_view(&scalar), wr_view_of(&point), &back), OK);
        assert_int_equal(pk_ec_restore(curve, secret_view(&scalar), VIEW_NULL, &computed), OK);
        assert_true(pk_same(own, back) && pk_same(own, computed));
        assert_true(pk_is_private(back));
        assert_int_equal(pk_bits(back), pk_bits(own));
        assert_int_equal(pk_ec_curve(back), curve);
        assert_int_equal(pk_generate_ec(*state, curve, &other), OK);
        struct view peer = point_of(other, other_point);
        assert_int_equal(pk_ecdh(*state, back, other, &a), OK);
        assert_int_equal(pk_ec_agree(*state, curve, secret_view(&scalar), peer, &b), OK);
        assert_int_equal(pk_ec_agree(*state, curve, scalar_of(other, other_scalar), wr_view_of(&point), &d),
                         OK);
        assert_true(secret_equal(secret_view(&a), secret_view(&b)));
        assert_true(secret_equal(secret_view(&a), secret_view(&d)));
        pk_free(&own);
        pk_free(&back);
        pk_free(&computed);
        pk_free(&other);
    }
}

static void what_is_refused(void **state)
{
    struct bytes broken = {.next = 0x22, .fail = ERR_IO};
    const struct random_source source = {fill, &broken};
    static const uint8_t zero[33], long_one[33] = {1};
    uint8_t memory[PK_POINT_MAX], one[32] = {[31] = 1}, order_up[32];
    struct secret scalar, shared = {0};
    struct writer point;
    struct pk *k = NULL, *p384 = NULL;
    wr_fixed(&point, memory, sizeof(memory));
    assert_int_equal(pk_ec_draw(*state, CURVE_P256, source, &scalar, &point), ERR_IO);
    assert_int_equal(broken.calls, 1);
    assert_int_equal(scalar.len, 0);
    assert_int_equal(pk_ec_draw(*state, CURVE_COUNT, crypto_random(), &scalar, &point), ERR_UNSUPPORTED);
    assert_int_equal(pk_ec_restore(CURVE_COUNT, view_of(long_one, 1), VIEW_NULL, &k), ERR_UNSUPPORTED);
    assert_int_equal(pk_ec_restore(CURVE_P256, VIEW_NULL, VIEW_NULL, &k), ERR_FORMAT);
    assert_int_equal(pk_ec_restore(CURVE_P256, view_of(zero, 32), VIEW_NULL, &k), ERR_FORMAT);
    assert_int_equal(pk_ec_restore(CURVE_P256, VIEW_OF(long_one), VIEW_NULL, &k), ERR_FORMAT);
    assert_int_equal(pk_generate_ec(*state, CURVE_P384, &p384), OK);
    struct view other_curve = point_of(p384, memory);
    assert_int_equal(pk_ec_restore(CURVE_P256, view_of(long_one, 1), other_curve, &k), ERR_FORMAT);
    memset(order_up, 0xFF, sizeof(order_up));
    struct view g = vector_hex("046B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296"
                               "4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5");
    struct view off = vector_hex("046B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296"
                                 "4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F4");
    struct view compressed = vector_hex("036B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296");
    const struct {
        const char *name;
        struct view scalar, point;
        enum err want;
    } rows[] = {
        {"the generator, once", VIEW_OF(one), g, OK},
        {"not on the curve", VIEW_OF(one), off, ERR_FORMAT},
        {"compressed", VIEW_OF(one), compressed, ERR_FORMAT},
        {"infinity", VIEW_OF(one), view_of(zero, 1), ERR_FORMAT},
        {"no point", VIEW_OF(one), VIEW_NULL, ERR_FORMAT},
        {"another curve's", VIEW_OF(one), other_curve, ERR_FORMAT},
        {"zero", view_of(zero, 32), g, ERR_FORMAT},
        {"beyond the order", VIEW_OF(order_up), g, ERR_FORMAT},
        {"short scalar", view_of(one, 31), g, ERR_FORMAT},
        {"no scalar", VIEW_NULL, g, ERR_FORMAT},
    };
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        enum err e = pk_ec_agree(*state, CURVE_P256, rows[n].scalar, rows[n].point, &shared);
        if (e != rows[n].want)
            fail_msg("%s: %s", rows[n].name, err_name(e));
    }
    assert_int_equal(pk_ec_agree(*state, CURVE_COUNT, VIEW_OF(one), g, &shared), ERR_UNSUPPORTED);
    pk_free(&p384);
    assert_null(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_a_given_source),
        cmocka_unit_test(the_point_belongs_to_the_scalar),
        cmocka_unit_test(agreement),
        cmocka_unit_test(what_is_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
