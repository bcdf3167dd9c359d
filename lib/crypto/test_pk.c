/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys: every form in which they come, and what is refused; every form in which they go comes back as the
 * same key. The rows are in tests/data/vectors-crypto/pk.json, each with its source. */
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

typedef void row_fn(struct crypto *c, const json_t *row, const char *id);

/* Calls fn with each row of this type, and wants exactly count. */
static void each(struct crypto *c, const char *file, const char *type, size_t count, row_fn *fn)
{
    json_t *rows = vectors_load(file), *row;
    size_t n, seen = 0;
    json_array_foreach(rows, n, row)
    {
        if (!vector_is(row, type))
            continue;
        fn(c, row, vector_text(row, "id"));
        seen++;
    }
    assert_int_equal(seen, count);
}

static bool is_true(const json_t *row, const char *key)
{
    return json_is_true(json_object_get(row, key));
}

/* ---- a key goes out in each form and comes back ---- */

static void same_and_free(const char *id, const char *form, const struct pk *k, enum err e, struct pk **back)
{
    if (e != OK || !pk_same(k, *back) || pk_bits(k) != pk_bits(*back) ||
        pk_algorithm(k) != pk_algorithm(*back))
        fail_msg("%s: %s: %s", id, form, err_name(e));
    pk_free(back);
}

static void check_encodings(const char *id, const struct pk *k)
{
    uint8_t memory[PK_PRIVATE_MAX];
    struct writer w;
    struct pk *back = NULL;
    wr_fixed(&w, memory, PK_PUBLIC_MAX);
    assert_int_equal(pk_put_spki(k, &w), OK);
    enum err e = pk_from_spki(wr_view_of(&w), &back);
    assert_true(e != OK || !pk_is_private(back));
    same_and_free(id, "SubjectPublicKeyInfo", k, e, &back);
    wr_fixed(&w, memory, sizeof(memory));
    back = NULL;
    assert_int_equal(pk_put_pkcs8(k, &w), pk_is_private(k) ? OK : ERR_STATE);
    if (pk_is_private(k))
        same_and_free(id, "PKCS#8", k, pk_from_pkcs8(wr_view_of(&w), &back), &back);
    wr_fixed(&w, memory, 16);
    assert_int_equal(pk_put_spki(k, &w), ERR_LIMIT);
}

static void check_ec_numbers(const char *id, const struct pk *k)
{
    uint8_t point_memory[PK_POINT_MAX], scalar_memory[PK_SHARED_MAX];
    struct writer point, scalar;
    struct pk *back = NULL;
    size_t len = pk_curve_len(pk_ec_curve(k));
    wr_fixed(&point, point_memory, sizeof(point_memory));
    wr_fixed(&scalar, scalar_memory, sizeof(scalar_memory));
    assert_int_equal(pk_put_point(k, &point), OK);
    assert_int_equal(point.len, 1 + 2 * len);
    same_and_free(id, "point", k, pk_ec_public(pk_ec_curve(k), wr_view_of(&point), &back), &back);
    back = NULL;
    assert_int_equal(pk_put_scalar(k, &scalar), pk_is_private(k) ? OK : ERR_STATE);
    if (!pk_is_private(k))
        return;
    assert_int_equal(scalar.len, len);
    same_and_free(id, "scalar", k, pk_ec_private(pk_ec_curve(k), wr_view_of(&scalar), &back), &back);
}

static void check_rsa_numbers(const char *id, const struct pk *k)
{
    uint8_t n_memory[PK_SIGNATURE_MAX], e_memory[8];
    struct writer n, e;
    struct pk *back = NULL;
    wr_fixed(&n, n_memory, sizeof(n_memory));
    wr_fixed(&e, e_memory, sizeof(e_memory));
    assert_int_equal(pk_put_rsa(k, &n, &e), OK);
    assert_int_equal(n.len, pk_bits(k) / 8);
    same_and_free(id, "n and e", k, pk_rsa_public(wr_view_of(&n), wr_view_of(&e), &back), &back);
}

static void check_dsa_numbers(const char *id, const struct pk *k)
{
    uint8_t memory[4][384];
    struct writer w[4];
    struct pk *back = NULL;
    for (size_t i = 0; i < 4; i++)
        wr_fixed(&w[i], memory[i], sizeof(memory[i]));
    struct pk_dsa_writers to = {&w[0], &w[1], &w[2], &w[3]};
    assert_int_equal(pk_put_dsa(k, &to), OK);
    same_and_free(
        id, "p, q, g, y", k,
        pk_dsa_public(wr_view_of(&w[0]), wr_view_of(&w[1]), wr_view_of(&w[2]), wr_view_of(&w[3]), &back),
        &back);
}

/* Also what does not exist for this algorithm is refused. */
static void check_forms(const char *id, const struct pk *k)
{
    uint8_t memory[PK_SIGNATURE_MAX];
    struct writer w;
    struct pk_dsa_writers four = {&w, &w, &w, &w};
    wr_fixed(&w, memory, sizeof(memory));
    check_encodings(id, k);
    if (pk_algorithm(k) == PK_EC)
        check_ec_numbers(id, k);
    else
        assert_true(pk_put_point(k, &w) == ERR_ARGUMENT && pk_put_scalar(k, &w) == ERR_ARGUMENT &&
                    pk_ec_curve(k) == CURVE_COUNT);
    if (pk_algorithm(k) == PK_RSA)
        check_rsa_numbers(id, k);
    else
        assert_int_equal(pk_put_rsa(k, &w, &w), ERR_ARGUMENT);
    if (pk_algorithm(k) == PK_DSA)
        check_dsa_numbers(id, k);
    else
        assert_int_equal(pk_put_dsa(k, &four), ERR_ARGUMENT);
    assert_int_equal(w.len, 0);
}

/* ---- keys come in ---- */

static enum pk_algorithm algorithm_by_name(const char *name)
{
    static const char *const names[] = {[PK_RSA] = "RSA", [PK_DSA] = "DSA", [PK_EC] = "EC"};
    unsigned i = 0;
    while (strcmp(names[i], name) != 0)
        i++;
    return (enum pk_algorithm)i;
}

static void check_pem(struct crypto *c, const json_t *row, const char *id)
{
    struct pk *k = NULL;
    (void)c;
    enum err e = pk_from_pem(view_str(vector_text(row, "pem")), &k);
    if (strcmp(err_name(e), vector_text(row, "expect")) != 0 || (k != NULL) != (e == OK))
        fail_msg("%s: %s", id, err_name(e));
    if (e != OK)
        return;
    if (pk_algorithm(k) != algorithm_by_name(vector_text(row, "algorithm")) ||
        pk_bits(k) != (unsigned)vector_int(row, "bits") || pk_is_private(k) != is_true(row, "private"))
        fail_msg("%s: another kind of key", id);
    check_forms(id, k);
    pk_free(&k);
}

static void reads_pem_files_of_all_kinds(void **state)
{
    each(*state, "vectors-crypto/pk.json", "pem", 25, check_pem);
}

static void check_spki(struct crypto *c, const json_t *row, const char *id)
{
    struct pk *k = NULL;
    (void)c;
    enum err e = pk_from_spki(vector_bytes(row, "public"), &k);
    bool refused = e == ERR_FORMAT || e == ERR_UNSUPPORTED;
    if (is_true(row, "valid") ? e != OK : !refused || k != NULL)
        fail_msg("%s (%s): %s", id, vector_text(row, "comment"), err_name(e));
    pk_free(&k);
}

static void refuses_points_off_the_curve_and_curves_of_others(void **state)
{
    each(*state, "vectors-crypto/pk.json", "spki", 68, check_spki);
}

static void check_pkcs8(struct crypto *c, const json_t *row, const char *id)
{
    struct pk *k = NULL;
    (void)c;
    enum err e = pk_from_pkcs8(vector_bytes(row, "private"), &k);
    if (e != (is_true(row, "valid") ? OK : ERR_FORMAT) || (k != NULL) != (e == OK))
        fail_msg("%s: %s", id, err_name(e));
    pk_free(&k);
}

static void refuses_private_keys_whose_halves_do_not_fit(void **state)
{
    each(*state, "vectors-crypto/pk.json", "pkcs8", 4, check_pkcs8);
}

/* The elliptic curves of the published DAP and token vectors: scalar and point belong together. */
static void check_published_ec(const json_t *row, const char *id)
{
    enum pk_curve curve;
    struct pk *k = NULL, *pub = NULL;
    assert_int_equal(pk_curve_by_name(vector_text(row, "curve"), &curve), OK);
    if (pk_ec_private(curve, vector_bytes(row, "d"), &k) != OK ||
        pk_ec_public(curve, vector_bytes(row, "q"), &pub) != OK || !pk_same(k, pub))
        fail_msg("%s", id);
    check_forms(id, k);
    check_forms(id, pub);
    pk_free(&pub);
    pk_free(&k);
}

static struct pk_rsa_parts parts_of(const json_t *row)
{
    return (struct pk_rsa_parts){.n = vector_bytes(row, "n"),
                                 .e = vector_bytes(row, "e"),
                                 .d = vector_bytes(row, "d"),
                                 .p = vector_bytes(row, "p"),
                                 .q = vector_bytes(row, "q"),
                                 .dp = vector_bytes(row, "dp"),
                                 .dq = vector_bytes(row, "dq"),
                                 .qinv = vector_bytes(row, "qinv")};
}

static void check_published_rsa(const json_t *row, const char *id)
{
    const struct pk_rsa_parts parts = parts_of(row);
    struct pk *k = NULL, *pub = NULL;
    if (pk_rsa_private(&parts, &k) != OK || pk_rsa_public(parts.n, parts.e, &pub) != OK || !pk_same(k, pub) ||
        pk_bits(k) != (unsigned)vector_int(row, "bits"))
        fail_msg("%s", id);
    check_forms(id, k);
    pk_free(&pub);
    pk_free(&k);
}

static void check_published(struct crypto *c, const json_t *row, const char *id)
{
    (void)c;
    if (vector_text(row, "curve") != NULL)
        check_published_ec(row, id);
    else if (vector_has(row, "n"))
        check_published_rsa(row, id);
}

static void takes_the_published_keys_by_their_numbers(void **state)
{
    each(*state, "vectors/dap_token.json", "key", 16, check_published);
}

/* Which numbers of a private key are there decides nothing but the speed, as long as they suffice. */
static void check_rsa_parts(struct crypto *c, const json_t *row, const char *id)
{
    const struct pk_rsa_parts all = parts_of(row);
    const struct {
        const char *name;
        struct pk_rsa_parts parts;
        enum err expect;
    } rows[] = {
        {"all", all, OK},
        {"n e d", {.n = all.n, .e = all.e, .d = all.d}, OK},
        {"e p q", {.e = all.e, .p = all.p, .q = all.q}, OK},
        {"e p q with CRT values",
         {.e = all.e, .p = all.p, .q = all.q, .dp = all.dp, .dq = all.dq, .qinv = all.qinv},
         OK},
        {"factors in the other order", {.n = all.n, .e = all.e, .p = all.q, .q = all.p}, OK},
        {"no e", {.n = all.n, .d = all.d, .p = all.p, .q = all.q}, ERR_FORMAT},
        {"no d and one factor", {.n = all.n, .e = all.e, .p = all.p}, ERR_FORMAT},
        {"no n and one factor", {.e = all.e, .d = all.d, .p = all.p}, ERR_FORMAT},
        {"a wrong d", {.n = all.n, .e = all.e, .d = all.p}, ERR_FORMAT},
        {"a wrong n", {.n = all.d, .e = all.e, .p = all.p, .q = all.q}, ERR_FORMAT},
        {"twice the same factor", {.n = all.n, .e = all.e, .p = all.p, .q = all.p}, ERR_FORMAT},
        {"e as long as n", {.n = all.n, .e = all.n, .d = all.d}, ERR_UNSUPPORTED},
        {"nothing", {.n = VIEW_NULL}, ERR_FORMAT},
    };
    (void)c;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pk *k = NULL;
        enum err e = pk_rsa_private(&rows[i].parts, &k);
        if (e != rows[i].expect || (k != NULL) != (e == OK))
            fail_msg("%s: %s: %s", id, rows[i].name, err_name(e));
        pk_free(&k);
    }
}

static void takes_rsa_keys_with_and_without_factors(void **state)
{
    each(*state, "vectors-crypto/pk.json", "rsa", 1, check_rsa_parts);
}

static void refuses_rsa_numbers_that_are_no_key(void **state)
{
    static uint8_t big[PK_SIGNATURE_MAX + 2];
    static const uint8_t f4[] = {1, 0, 1}, one[] = {1}, even[] = {1, 0, 0},
                         long_e[] = {1, 0, 0, 0, 0, 0, 0, 0, 1};
    const struct {
        const char *name;
        size_t len;
        struct view e;
        uint8_t last;
        enum err expect;
    } rows[] = {
        {"1024", 128, VIEW_OF(f4), 0xFF, OK},
        {"4096", 512, VIEW_OF(f4), 0xFF, OK},
        {"1016", 127, VIEW_OF(f4), 0xFF, ERR_UNSUPPORTED},
        {"4104", 513, VIEW_OF(f4), 0xFF, ERR_UNSUPPORTED},
        {"even n", 128, VIEW_OF(f4), 0xFE, ERR_FORMAT},
        {"e of one", 128, VIEW_OF(one), 0xFF, ERR_FORMAT},
        {"even e", 128, VIEW_OF(even), 0xFF, ERR_FORMAT},
        {"long e", 128, VIEW_OF(long_e), 0xFF, ERR_UNSUPPORTED},
        {"no e", 128, VIEW_NULL, 0xFF, ERR_FORMAT},
        {"no n", 0, VIEW_OF(f4), 0xFF, ERR_FORMAT},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pk *k = NULL;
        memset(big, 0xFF, sizeof(big));
        if (rows[i].len > 0)
            big[rows[i].len - 1] = rows[i].last;
        enum err e = pk_rsa_public(view_of(big, rows[i].len), rows[i].e, &k);
        if (e != rows[i].expect)
            fail_msg("%s: %s", rows[i].name, err_name(e));
        pk_free(&k);
    }
}

static void check_dsa_parts(struct crypto *c, const json_t *row, const char *id)
{
    static const uint8_t one[] = {1}, two[] = {2};
    const struct pk_dsa_parts all = {vector_bytes(row, "p"), vector_bytes(row, "q"), vector_bytes(row, "g"),
                                     vector_bytes(row, "y"), vector_bytes(row, "x")};
    const struct {
        const char *name;
        struct pk_dsa_parts parts;
        enum err expect;
    } rows[] = {
        {"all", all, OK},
        {"g of one", {all.p, all.q, VIEW_OF(one), all.y, all.x}, ERR_FORMAT},
        {"g of another order", {all.p, all.q, VIEW_OF(two), all.y, all.x}, ERR_FORMAT},
        {"y of one", {all.p, all.q, all.g, VIEW_OF(one), all.x}, ERR_FORMAT},
        {"y of another order", {all.p, all.q, all.g, VIEW_OF(two), all.x}, ERR_FORMAT},
        {"y of another x", {all.p, all.q, all.g, all.g, all.x}, ERR_FORMAT},
        {"y beyond p", {all.p, all.q, all.g, all.p, all.x}, ERR_FORMAT},
        {"short q", {all.p, VIEW_OF(one), all.g, all.y, all.x}, ERR_UNSUPPORTED},
        {"short p", {all.q, all.q, all.g, all.y, all.x}, ERR_UNSUPPORTED},
        {"no x", {all.p, all.q, all.g, all.y, VIEW_NULL}, ERR_FORMAT},
    };
    (void)c;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pk *k = NULL;
        enum err e = pk_dsa_private(&rows[i].parts, &k);
        if (e != rows[i].expect || (k != NULL) != (e == OK))
            fail_msg("%s: %s: %s", id, rows[i].name, err_name(e));
        if (e == OK)
            check_forms(id, k);
        pk_free(&k);
    }
}

static void refuses_dsa_groups_that_sign_for_anybody(void **state)
{
    each(*state, "vectors-crypto/pk.json", "dsa", 1, check_dsa_parts);
}

/* ---- curves ---- */

static void refuses_points_and_scalars_out_of_range(void **state)
{
    uint8_t bytes[PK_POINT_MAX] = {4};
    struct pk *k = NULL;
    (void)state;
    for (unsigned i = 0; i < CURVE_COUNT; i++) {
        enum pk_curve curve = (enum pk_curve)i;
        size_t len = pk_curve_len(curve);
        memset(bytes + 1, 0, sizeof(bytes) - 1);
        assert_int_equal(pk_ec_public(curve, view_of(bytes, 1 + 2 * len), &k), ERR_FORMAT); /* (0, 0) */
        assert_int_equal(pk_ec_public(curve, view_of(bytes, 2 * len), &k), ERR_FORMAT);
        assert_int_equal(pk_ec_public(curve, VIEW_NULL, &k), ERR_FORMAT);
        assert_int_equal(pk_ec_private(curve, view_of(bytes + 1, len), &k), ERR_FORMAT); /* 0 */
        assert_int_equal(pk_ec_private(curve, VIEW_NULL, &k), ERR_FORMAT);
        memset(bytes + 1, 0xFF, len); /* beyond every order */
        assert_int_equal(pk_ec_private(curve, view_of(bytes + 1, len), &k), ERR_FORMAT);
        assert_int_equal(pk_ec_private(curve, view_of(bytes, len + 1), &k), ERR_FORMAT);
        assert_null(k);
    }
    assert_int_equal(pk_ec_public(CURVE_COUNT, VIEW_OF(bytes), &k), ERR_UNSUPPORTED);
    assert_int_equal(pk_ec_private(CURVE_COUNT, VIEW_OF(bytes), &k), ERR_UNSUPPORTED);
}

/* Points of SEC 1 in other forms than 04 | x | y: compressed, hybrid, infinity. */
static void takes_uncompressed_points_only(void **state)
{
    uint8_t memory[PK_POINT_MAX];
    struct writer w;
    struct pk *k = NULL, *other = NULL;
    assert_int_equal(pk_generate_ec(*state, CURVE_P256, &k), OK);
    wr_fixed(&w, memory, sizeof(memory));
    assert_int_equal(pk_put_point(k, &w), OK);
    for (unsigned form = 0; form < 8; form++) {
        memory[0] = (uint8_t)form;
        enum err e = pk_ec_public(CURVE_P256, wr_view_of(&w), &other);
        if (e != (form == 4 ? OK : ERR_FORMAT))
            fail_msg("form %u: %s", form, err_name(e));
        pk_free(&other);
    }
    assert_int_equal(pk_ec_public(CURVE_BRAINPOOL_P256R1, wr_view_of(&w), &other), ERR_FORMAT);
    pk_free(&k);
}

static void curves_have_names(void **state)
{
    static const struct {
        const char *name;
        enum pk_curve curve;
        size_t len;
    } rows[] = {
        {"P-256", CURVE_P256, 32},
        {"secp256r1", CURVE_P256, 32},
        {"prime256v1", CURVE_P256, 32},
        {"p-384", CURVE_P384, 48},
        {"secp521r1", CURVE_P521, 66},
        {"brainpoolP256r1", CURVE_BRAINPOOL_P256R1, 32},
        {"brainpoolP384t1", CURVE_BRAINPOOL_P384T1, 48},
        {"BRAINPOOLP512T1", CURVE_BRAINPOOL_P512T1, 64},
    };
    enum pk_curve curve = CURVE_COUNT;
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (pk_curve_by_name(rows[i].name, &curve) != OK || curve != rows[i].curve ||
            pk_curve_len(curve) != rows[i].len)
            fail_msg("%s", rows[i].name);
    for (unsigned i = 0; i < CURVE_COUNT; i++) {
        assert_int_equal(pk_curve_by_name(pk_curve_name((enum pk_curve)i), &curve), OK);
        assert_int_equal(curve, i);
    }
    assert_int_equal(pk_curve_by_name("secp256k1", &curve), ERR_UNSUPPORTED);
    assert_int_equal(pk_curve_by_name("", &curve), ERR_UNSUPPORTED);
    assert_string_equal(pk_curve_name(CURVE_COUNT), "unknown curve");
    assert_int_equal(pk_curve_len(CURVE_COUNT), 0);
}

static void makes_new_keys(void **state)
{
    struct pk *a = NULL, *b = NULL;
    for (unsigned i = 0; i < CURVE_COUNT; i++) {
        assert_int_equal(pk_generate_ec(*state, (enum pk_curve)i, &a), OK);
        assert_int_equal(pk_generate_ec(*state, (enum pk_curve)i, &b), OK);
        assert_true(!pk_same(a, b) && pk_is_private(a) && pk_ec_curve(a) == (enum pk_curve)i);
        check_forms(pk_curve_name((enum pk_curve)i), a);
        pk_free(&a);
        pk_free(&b);
    }
    assert_int_equal(pk_generate(*state, PK_RSA, 1024, &a), OK);
    assert_true(pk_algorithm(a) == PK_RSA && pk_bits(a) == 1024 && pk_is_private(a));
    check_forms("RSA", a);
    pk_free(&a);
    assert_int_equal(pk_generate_ec(*state, CURVE_COUNT, &a), ERR_UNSUPPORTED);
    static const unsigned bad[] = {0, 512, 1023, 1025, 4104, 8192};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(pk_generate(*state, PK_RSA, bad[i], &a), ERR_UNSUPPORTED);
        assert_int_equal(pk_generate(*state, PK_DSA, bad[i], &a), ERR_UNSUPPORTED);
    }
    assert_int_equal(pk_generate(*state, PK_EC, 256, &a), ERR_UNSUPPORTED);
    assert_null(a);
}

/* The size of what comes in is bounded before the library sees it. */
static void refuses_what_is_too_long(void **state)
{
    static uint8_t big[32 * 1024];
    struct pk *k = NULL;
    (void)state;
    memset(big, '-', sizeof(big));
    assert_int_equal(pk_from_spki(VIEW_OF(big), &k), ERR_FORMAT);
    assert_int_equal(pk_from_pkcs8(VIEW_OF(big), &k), ERR_FORMAT);
    assert_int_equal(pk_from_pem(VIEW_OF(big), &k), ERR_FORMAT);
    assert_int_equal(pk_from_x509(VIEW_OF(big), &k), ERR_FORMAT);
    assert_int_equal(pk_from_spki(VIEW_NULL, &k), ERR_FORMAT);
    assert_int_equal(pk_from_pkcs8(VIEW_NULL, &k), ERR_FORMAT);
    assert_int_equal(pk_from_pem(VIEW_NULL, &k), ERR_FORMAT);
    assert_int_equal(pk_from_x509(VIEW_NULL, &k), ERR_FORMAT);
    assert_null(k);
    pk_free(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_pem_files_of_all_kinds),
        cmocka_unit_test(refuses_points_off_the_curve_and_curves_of_others),
        cmocka_unit_test(refuses_private_keys_whose_halves_do_not_fit),
        cmocka_unit_test(takes_the_published_keys_by_their_numbers),
        cmocka_unit_test(takes_rsa_keys_with_and_without_factors),
        cmocka_unit_test(refuses_rsa_numbers_that_are_no_key),
        cmocka_unit_test(refuses_dsa_groups_that_sign_for_anybody),
        cmocka_unit_test(refuses_points_and_scalars_out_of_range),
        cmocka_unit_test(takes_uncompressed_points_only),
        cmocka_unit_test(curves_have_names),
        cmocka_unit_test(makes_new_keys),
        cmocka_unit_test(refuses_what_is_too_long),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
