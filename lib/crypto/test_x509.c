/* SPDX-License-Identifier: Apache-2.0
 *
 * One step of a chain of X.509 certificates: each row of tests/data/vectors-crypto/pk.json breaks one rule.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <crypto/pk.h>
#include <support/vectors.h>

static int teardown(void **state)
{
    (void)state;
    vectors_free();
    return 0;
}

static uint64_t now_of(const json_t *row)
{
    return (uint64_t)json_integer_value(json_object_get(row, "now"));
}

static void check_step(const json_t *row)
{
    struct pk *issuer = NULL;
    assert_int_equal(pk_from_spki(vector_bytes(row, "issuer"), &issuer), OK);
    enum err e =
        pk_x509_verify(vector_bytes(row, "certificate"), issuer, vector_bytes(row, "issuer_certificate"),
                       json_is_true(json_object_get(row, "is_ca")), now_of(row));
    if (strcmp(err_name(e), vector_text(row, "expect")) != 0)
        fail_msg("%s: %s", vector_text(row, "id"), err_name(e));
    pk_free(&issuer);
}

static void each_rule_is_kept(void **state)
{
    json_t *rows = vectors_load("vectors-crypto/pk.json"), *row;
    size_t n, checked = 0;
    (void)state;
    json_array_foreach(rows, n, row)
    {
        if (!vector_is(row, "x509"))
            continue;
        check_step(row);
        checked++;
    }
    assert_int_equal(checked, 30);
}

static const json_t *leaf_row(void)
{
    json_t *rows = vectors_load("vectors-crypto/pk.json"), *row;
    size_t n;
    json_array_foreach(rows, n, row)
    {
        if (vector_is(row, "leaf-key"))
            return row;
    }
    fail_msg("no leaf");
    return NULL;
}

static void the_key_of_a_certificate_is_found(void **state)
{
    const json_t *row = leaf_row();
    struct pk *inside = NULL, *outside = NULL;
    (void)state;
    assert_int_equal(pk_from_x509(vector_bytes(row, "certificate"), &inside), OK);
    assert_int_equal(pk_from_spki(vector_bytes(row, "public"), &outside), OK);
    assert_true(pk_same(inside, outside) && !pk_is_private(inside));
    pk_free(&inside);
    pk_free(&outside);
}

/* A change anywhere is noticed: what is signed, the signature, and what names its algorithm. */
static void every_flipped_byte_is_noticed(void **state)
{
    json_t *rows = vectors_load("vectors-crypto/pk.json"), *row, *first = NULL;
    size_t n;
    uint8_t bytes[1024];
    struct pk *issuer = NULL;
    (void)state;
    json_array_foreach(rows, n, row)
    {
        if (first == NULL && vector_is(row, "x509"))
            first = row;
    }
    struct view der = vector_bytes(first, "certificate");
    assert_true(der.len > 0 && der.len < sizeof(bytes));
    assert_int_equal(pk_from_spki(vector_bytes(first, "issuer"), &issuer), OK);
    memcpy(bytes, der.data, der.len);
    for (size_t i = 0; i < der.len; i++) {
        bytes[i] ^= 0x04;
        enum err e = pk_x509_verify(view_of(bytes, der.len), issuer, VIEW_NULL, false, now_of(first));
        if (e == OK)
            fail_msg("byte %zu", i);
        bytes[i] ^= 0x04;
    }
    pk_free(&issuer);
}

/* ---- certificates of our own ---- */

static void issued_certificates_verify(void **state)
{
    static const struct {
        bool is_ca;
        int path_len;
        size_t expect;
    } rows[] = {{false, -1, SIZE_MAX}, {true, -1, SIZE_MAX}, {true, 0, 0}, {true, 2, 2}};
    struct crypto *c = NULL;
    struct pk *subject = NULL, *issuers[3] = {NULL};
    (void)state;
    assert_int_equal(crypto_new(&c), OK);
    assert_int_equal(pk_generate_ec(c, CURVE_P256, &subject), OK);
    assert_int_equal(pk_generate_ec(c, CURVE_P521, &issuers[0]), OK);
    assert_int_equal(pk_generate_ec(c, CURVE_BRAINPOOL_P384R1, &issuers[1]), OK);
    assert_int_equal(pk_generate(c, PK_RSA, 1024, &issuers[2]), OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) * 3; i++) {
        uint8_t memory[1024];
        struct writer w;
        struct pk *issuer = issuers[i % 3];
        const struct pk_x509_contents what = {.subject = "a card",
                                              .issuer = "its maker",
                                              .serial = i + 1,
                                              .not_before_ms = 1000000000000,
                                              .not_after_ms = 3000000000000,
                                              .is_ca = rows[i / 3].is_ca,
                                              .path_len = rows[i / 3].path_len};
        wr_fixed(&w, memory, sizeof(memory));
        assert_int_equal(pk_x509_issue(&what, subject, issuer, &w), OK);
        struct view der = wr_view_of(&w);
        bool is_ca = what.is_ca;
        assert_int_equal(pk_x509_verify(der, issuer, VIEW_NULL, is_ca, 2000000000000), OK);
        assert_int_equal(pk_x509_verify(der, issuer, VIEW_NULL, !is_ca, 2000000000000), ERR_AUTH);
        assert_int_equal(pk_x509_verify(der, issuer, VIEW_NULL, is_ca, 999999999000), ERR_EXPIRED);
        assert_int_equal(pk_x509_verify(der, issuer, VIEW_NULL, is_ca, 3000000001000), ERR_EXPIRED);
        assert_int_equal(pk_x509_path_len(der), rows[i / 3].expect);
    }
    for (size_t i = 0; i < 3; i++)
        pk_free(&issuers[i]);
    pk_free(&subject);
    crypto_free(&c);
}

static void what_does_not_fit_is_not_issued(void **state)
{
    static const char long_name[] = "0123456789012345678901234567890123456789012345678901234567890123456789";
    uint8_t memory[1024];
    struct writer w;
    struct crypto *c = NULL;
    struct pk *k = NULL, *pub = NULL;
    struct pk_x509_contents what = {.subject = "x", .issuer = long_name, .not_after_ms = 1};
    (void)state;
    wr_fixed(&w, memory, sizeof(memory));
    assert_int_equal(crypto_new(&c), OK);
    assert_int_equal(pk_generate_ec(c, CURVE_P256, &k), OK);
    assert_int_equal(pk_from_spki(vector_bytes(leaf_row(), "public"), &pub), OK);
    assert_int_equal(pk_x509_issue(&what, k, k, &w), ERR_ARGUMENT);
    what.issuer = "y";
    assert_int_equal(pk_x509_issue(&what, k, pub, &w), ERR_STATE);
    assert_int_equal(pk_x509_path_len(VIEW_NULL), 0);
    assert_int_equal(w.len, 0);
    wr_fixed(&w, memory, 16);
    assert_int_equal(pk_x509_issue(&what, k, k, &w), ERR_LIMIT);
    pk_free(&pub);
    pk_free(&k);
    crypto_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_is_kept),
        cmocka_unit_test(the_key_of_a_certificate_is_found),
        cmocka_unit_test(every_flipped_byte_is_noticed),
        cmocka_unit_test(issued_certificates_verify),
        cmocka_unit_test(what_does_not_fit_is_not_issued),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}
