/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificates of the host: what is taken, and that nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <base/limits.h>
#include <support/vectors.h>
#include <tlv/tlv.h>

#include "certificate.h"

enum { DAY = 86400000 };
/* 2026-06-15, noon. */
static const uint64_t summer = 1781524800000;

static struct crypto *crypto;
static struct pk *root, *middle, *leaf, *other;
static struct writer bytes;

static int setup(void **state)
{
    (void)state;
    wr_heap(&bytes, 4 * CERTIFICATE_MAX);
    if (crypto_new(&crypto) != OK || pk_generate_ec(crypto, CURVE_P256, &root) != OK ||
        pk_generate_ec(crypto, CURVE_P384, &middle) != OK || pk_generate_ec(crypto, CURVE_P256, &leaf) != OK)
        return -1;
    return pk_generate_ec(crypto, CURVE_P256, &other) == OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    pk_free(&root);
    pk_free(&middle);
    pk_free(&leaf);
    pk_free(&other);
    crypto_free(&crypto);
    wr_free(&bytes);
    vectors_free();
    return 0;
}

static struct card_certificate_content content(bool x509, bool is_ca, const char *authority,
                                               const char *subject)
{
    static const uint8_t serial[] = {0x41, 0x02, 0x03};
    return (struct card_certificate_content){.x509 = x509,
                                             .is_ca = is_ca,
                                             .serial = VIEW_OF(serial),
                                             .authority = view_str(authority),
                                             .subject = view_str(subject),
                                             .from = 20260101,
                                             .until = 20261231};
}

static struct view make(const struct card_certificate_content *what, const struct pk *key, struct pk *issuer)
{
    wr_clear(&bytes);
    assert_int_equal(card_certificate_make(crypto, what, key, issuer, &bytes), OK);
    return wr_view_of(&bytes);
}

static enum err verify(struct view v, struct pk *issuer, const struct card_certificate *above, bool is_ca,
                       uint64_t now_ms)
{
    struct card_certificate cert;
    struct pk *key = NULL;
    enum err e = card_certificate_parse(v, &cert);
    if (e == OK)
        e = card_certificate_verify(crypto, &cert, issuer, above, is_ca, now_ms, &key);
    pk_free(&key);
    return e;
}

/* Each form, each curve, as authority and as leaf, and at the ends of its days. */
static void good_ones_are_taken(void **state)
{
    static const enum pk_curve curves[] = {CURVE_P256, CURVE_P384, CURVE_P521, CURVE_BRAINPOOL_P256R1};
    (void)state;
    for (size_t n = 0; n < 16; n++) {
        struct card_certificate_content what = content((n & 1) != 0, (n & 2) != 0, "CA", "HOST");
        struct pk *issuer = NULL, *key = NULL, *found = NULL;
        struct card_certificate cert;
        assert_int_equal(pk_generate_ec(crypto, curves[n / 4], &issuer), OK);
        assert_int_equal(pk_generate_ec(crypto, curves[n / 4], &key), OK);
        struct view v = make(&what, key, issuer);
        assert_int_equal(card_certificate_parse(v, &cert), OK);
        assert_int_equal(card_certificate_verify(crypto, &cert, issuer, NULL, what.is_ca, summer, &found),
                         OK);
        assert_true(pk_same(found, key));
        assert_true(view_equal(cert.serial, what.serial));
        assert_int_equal(cert.x509, what.x509);
        pk_free(&issuer);
        pk_free(&key);
        pk_free(&found);
    }
}

static void dates(void **state)
{
    static const struct {
        uint64_t now_ms;
        enum err e;
    } rows[] = {{0, OK}, /* no clock */
                {1767225600000ULL - 1, ERR_EXPIRED},
                {1767225600000ULL + 1, OK},    /* the first second of 2026 */
                {1798761600000ULL - 2000, OK}, /* almost the last one */
                {1798761600000ULL + 1, ERR_EXPIRED},
                {1798761600000ULL + 400ULL * DAY, ERR_EXPIRED}};
    (void)state;
    for (int x509 = 0; x509 < 2; x509++) {
        struct card_certificate_content what = content(x509 != 0, false, "CA", "HOST");
        struct view v = make(&what, leaf, root);
        for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
            if (verify(v, root, NULL, false, rows[n].now_ms) != rows[n].e)
                fail_msg("form %d, date %zu", x509, n);
        }
    }
}

/* A card without clock looks at no date; one with a clock refuses what is none. */
static void days_that_are_none(void **state)
{
    static const uint32_t days[] = {20261301, 20260001, 20261232, 20261200};
    (void)state;
    for (size_t n = 0; n < sizeof days / sizeof days[0]; n++) {
        struct card_certificate_content what = content(false, false, "CA", "HOST");
        what.until = days[n];
        struct view v = make(&what, leaf, root);
        assert_int_equal(verify(v, root, NULL, false, summer), ERR_FORMAT);
        assert_int_equal(verify(v, root, NULL, false, 0), OK);
    }
    /* Digits above nine, behind a signature that is right. */
    struct card_certificate cert;
    struct card_certificate_content what = content(false, false, "CA", "HOST");
    assert_int_equal(card_certificate_parse(make(&what, leaf, root), &cert), OK);
    cert.until = vector_hex("2026AB31");
    struct pk *key = NULL;
    assert_int_equal(card_certificate_verify(crypto, &cert, root, NULL, false, summer, &key), ERR_FORMAT);
    assert_null(key);
}

static void chains(void **state)
{
    (void)state;
    for (int x509 = 0; x509 < 2; x509++) {
        struct card_certificate above, wrong;
        struct writer ca, impostor;
        wr_heap(&ca, CERTIFICATE_MAX);
        wr_heap(&impostor, CERTIFICATE_MAX);
        struct card_certificate_content what = content(x509 != 0, true, "ROOT", "MIDDLE");
        wr_view(&ca, make(&what, middle, root));
        what = content(x509 != 0, true, "ROOT", "ELSEWHERE");
        wr_view(&impostor, make(&what, middle, root));
        assert_int_equal(card_certificate_parse(wr_view_of(&ca), &above), OK);
        assert_int_equal(card_certificate_parse(wr_view_of(&impostor), &wrong), OK);
        assert_int_equal(verify(wr_view_of(&ca), root, NULL, true, summer), OK);
        what = content(x509 != 0, false, "MIDDLE", "HOST");
        struct view v = make(&what, leaf, middle);
        assert_int_equal(verify(v, middle, &above, false, summer), OK);
        /* The right key, but the name of another authority. */
        assert_int_equal(verify(v, middle, &wrong, false, summer), ERR_AUTH);
        assert_int_equal(verify(v, other, &above, false, summer), ERR_AUTH);
        assert_int_equal(verify(v, root, NULL, false, summer), ERR_AUTH);
        /* A leaf signs nothing, an authority opens nothing. */
        assert_int_equal(verify(v, middle, &above, true, summer), ERR_AUTH);
        assert_int_equal(verify(wr_view_of(&ca), root, NULL, false, summer), ERR_AUTH);
        wr_free(&ca);
        wr_free(&impostor);
    }
}

static void forms_are_not_mixed(void **state)
{
    struct card_certificate above;
    struct writer ca;
    (void)state;
    wr_heap(&ca, CERTIFICATE_MAX);
    struct card_certificate_content what = content(true, true, "ROOT", "MIDDLE");
    wr_view(&ca, make(&what, middle, root));
    assert_int_equal(card_certificate_parse(wr_view_of(&ca), &above), OK);
    what = content(false, false, "MIDDLE", "HOST");
    assert_int_equal(verify(make(&what, leaf, middle), middle, &above, false, summer), ERR_FORMAT);
    wr_free(&ca);
}

/* Every byte of it counts. */
static void flipped_ones_are_refused(void **state)
{
    (void)state;
    for (int x509 = 0; x509 < 2; x509++) {
        struct card_certificate_content what = content(x509 != 0, false, "CA", "HOST");
        struct view v = make(&what, leaf, root);
        for (size_t n = 0; n < v.len; n++) {
            bytes.data[n] ^= 0x10;
            if (verify(v, root, NULL, false, 0) == OK)
                fail_msg("form %d, byte %zu", x509, n);
            bytes.data[n] ^= 0x10;
        }
        assert_int_equal(verify(v, root, NULL, false, 0), OK);
        for (size_t n = 0; n < v.len; n++)
            assert_int_not_equal(verify(view_head(v, n), root, NULL, false, 0), OK);
        wr_u8(&bytes, 0);
        assert_int_equal(verify(wr_view_of(&bytes), root, NULL, false, 0), ERR_FORMAT);
    }
}

/* A key that is no elliptic curve's signs no certificate in GlobalPlatform's form. */
static void issuers_of_other_kinds(void **state)
{
    struct pk *rsa = NULL;
    (void)state;
    struct card_certificate_content what = content(false, false, "CA", "HOST");
    struct view v = make(&what, leaf, root);
    assert_int_equal(pk_generate(crypto, PK_RSA, 2048, &rsa), OK);
    assert_int_equal(verify(v, rsa, NULL, false, 0), ERR_AUTH);
    struct writer w;
    wr_heap(&w, CERTIFICATE_MAX);
    assert_int_equal(card_certificate_make(crypto, &what, rsa, root, &w), ERR_UNSUPPORTED);
    assert_int_equal(card_certificate_make(crypto, &what, leaf, rsa, &w), ERR_UNSUPPORTED);
    wr_free(&w);
    pk_free(&rsa);
}

/* What may stand in one: 9301xx 4201xx 5F2001xx 95020080 5F2404xxxxxxxx 7F49 { B0 | F0 } 5F37. P stands for
 * the point, S for a signature of 64 bytes. */
static struct view build(const char *text)
{
    static uint8_t memory[1024];
    static char plain[2048];
    struct writer w;
    char *to = plain;
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == 'P')
            to += sprintf(to, "B04104%0128d", 1);
        else if (*c == 'K')
            to += sprintf(to, "7F4946B04104%0128dF00100", 1);
        else if (*c == 'S')
            to += sprintf(to, "5F3740%0128d", 1);
        else if (*c != ' ')
            *to++ = *c;
    }
    *to = '\0';
    wr_fixed(&w, memory, sizeof memory);
    tlv_put(&w, 0x7F21, vector_hex(plain));
    assert_true(wr_ok(&w));
    return wr_view_of(&w);
}

static void fields_in_their_order(void **state)
{
    static const struct {
        const char *name, *text;
        enum err e;
    } rows[] = {
        {"least", "930101 420102 5F200103 95020080 5F240420301231 K S", OK},
        {"usage in one byte", "930101 420102 5F200103 950180 5F240420301231 K S", OK},
        {"from", "930101 420102 5F200103 95020080 5F250420200101 5F240420301231 K S", OK},
        {"discretionary", "930101 420102 5F200103 95020080 5F240420301231 530101 K S", OK},
        {"discretionary, structured", "930101 420102 5F200103 95020080 5F240420301231 73035301AA K S", OK},
        {"restrictions", "930101 420102 5F200103 95020080 5F240420301231 BF2003530101 K S", OK},
        {"no serial", "420102 5F200103 95020080 5F240420301231 K S", ERR_FORMAT},
        {"no authority", "930101 5F200103 95020080 5F240420301231 K S", ERR_FORMAT},
        {"no subject", "930101 420102 95020080 5F240420301231 K S", ERR_FORMAT},
        {"no usage", "930101 420102 5F200103 5F240420301231 K S", ERR_FORMAT},
        {"no end", "930101 420102 5F200103 95020080 K S", ERR_FORMAT},
        {"no key", "930101 420102 5F200103 95020080 5F240420301231 S", ERR_FORMAT},
        {"no signature", "930101 420102 5F200103 95020080 5F240420301231 K", ERR_FORMAT},
        {"empty signature", "930101 420102 5F200103 95020080 5F240420301231 K 5F3700", ERR_FORMAT},
        {"empty serial", "9300 420102 5F200103 95020080 5F240420301231 K S", ERR_FORMAT},
        {"long serial",
         "9315010203040506070809101112131415161718192021 420102 5F200103 95020080 5F240420301231 K S",
         ERR_FORMAT},
        {"long usage", "930101 420102 5F200103 9503008000 5F240420301231 K S", ERR_FORMAT},
        {"short date", "930101 420102 5F200103 95020080 5F2403203012 K S", ERR_FORMAT},
        {"other order", "420102 930101 5F200103 95020080 5F240420301231 K S", ERR_FORMAT},
        {"twice", "930101 930101 420102 5F200103 95020080 5F240420301231 K S", ERR_FORMAT},
        {"behind the signature", "930101 420102 5F200103 95020080 5F240420301231 K S 530101", ERR_FORMAT},
        {"curve that is none", "930101 420102 5F200103 95020080 5F240420301231 7F4946PF00109 S",
         ERR_UNSUPPORTED},
        {"curve of another length", "930101 420102 5F200103 95020080 5F240420301231 7F4946PF00101 S",
         ERR_FORMAT},
        {"curve in two bytes", "930101 420102 5F200103 95020080 5F240420301231 7F4947PF0020000 S",
         ERR_FORMAT},
        {"no curve", "930101 420102 5F200103 95020080 5F240420301231 7F4943P S", ERR_FORMAT},
        {"no point", "930101 420102 5F200103 95020080 5F240420301231 7F4903F00100 S", ERR_FORMAT},
    };
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        struct card_certificate cert;
        if (card_certificate_parse(build(rows[n].text), &cert) != rows[n].e)
            fail_msg("%s", rows[n].name);
    }
}

/* A signature that is right does not help a certificate whose restrictions the card can't hold. */
static void restrictions_are_not_passed_over(void **state)
{
    struct card_certificate cert;
    struct pk *key = NULL;
    (void)state;
    struct card_certificate_content what = content(false, false, "CA", "HOST");
    assert_int_equal(card_certificate_parse(make(&what, leaf, root), &cert), OK);
    cert.restrictions = vector_hex("530101");
    assert_int_equal(card_certificate_verify(crypto, &cert, root, NULL, false, 0, &key), ERR_POLICY);
    assert_null(key);
}

static void other_bytes_are_none(void **state)
{
    static const char *const rows[] = {
        "", "30", "3000", "7F2100", "300330013000", "3003300102", "0400", "30063004A0000200"};
    struct card_certificate cert;
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        if (card_certificate_parse(vector_hex(rows[n]), &cert) != ERR_FORMAT)
            fail_msg("%s", rows[n]);
    }
    wr_clear(&bytes);
    size_t mark;
    tlv_open(&bytes, 0x30, &mark);
    assert_non_null(wr_reserve(&bytes, CERTIFICATE_MAX));
    tlv_close(&bytes, mark);
    assert_int_equal(card_certificate_parse(wr_view_of(&bytes), &cert), ERR_LIMIT);
}

/* Certificates that another library made: tests/data/scp11/make.py. */
static void certificates_of_other_makers(void **state)
{
    json_t *rows = vectors_load("scp11/chain.json");
    const json_t *authorities = json_array_get(rows, 0), *row;
    struct pk *ca = NULL, *host_ca = NULL, *second_key = NULL;
    struct card_certificate second;
    size_t n;
    (void)state;
    assert_int_equal(pk_from_spki(vector_bytes(authorities, "ca"), &ca), OK);
    assert_int_equal(pk_from_spki(vector_bytes(authorities, "other"), &host_ca), OK);
    assert_int_equal(card_certificate_parse(vector_bytes(authorities, "second"), &second), OK);
    assert_int_equal(card_certificate_verify(crypto, &second, ca, NULL, true, summer, &second_key), OK);
    assert_int_equal(verify(vector_bytes(authorities, "second_no_ca"), ca, NULL, true, summer), ERR_AUTH);
    json_array_foreach(rows, n, row)
    {
        if (n == 0)
            continue;
        assert_int_equal(verify(vector_bytes(row, "host_certificate"), host_ca, NULL, false, summer), OK);
        assert_int_equal(verify(vector_bytes(row, "certificate"), ca, NULL, false, summer), OK);
        assert_int_equal(verify(vector_bytes(row, "expired"), ca, NULL, false, summer), ERR_EXPIRED);
        assert_int_equal(verify(vector_bytes(row, "expired"), ca, NULL, false, 0), OK);
        assert_int_equal(verify(vector_bytes(row, "by_other"), ca, NULL, false, summer), ERR_AUTH);
        assert_int_equal(verify(vector_bytes(row, "by_second"), ca, NULL, false, summer), ERR_AUTH);
        assert_int_equal(verify(vector_bytes(row, "by_second"), second_key, &second, false, summer), OK);
    }
    pk_free(&ca);
    pk_free(&host_ca);
    pk_free(&second_key);
}

static void digests_follow_from_curves(void **state)
{
    static const struct {
        enum pk_curve curve;
        enum digest digest;
    } rows[] = {{CURVE_P256, DIGEST_SHA256},
                {CURVE_P384, DIGEST_SHA384},
                {CURVE_P521, DIGEST_SHA512},
                {CURVE_BRAINPOOL_P256R1, DIGEST_SHA256},
                {CURVE_BRAINPOOL_P384R1, DIGEST_SHA384},
                {CURVE_BRAINPOOL_P512R1, DIGEST_SHA512}};
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++)
        assert_int_equal(card_curve_digest(rows[n].curve), rows[n].digest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones_are_taken),
        cmocka_unit_test(dates),
        cmocka_unit_test(days_that_are_none),
        cmocka_unit_test(chains),
        cmocka_unit_test(forms_are_not_mixed),
        cmocka_unit_test(flipped_ones_are_refused),
        cmocka_unit_test(issuers_of_other_kinds),
        cmocka_unit_test(fields_in_their_order),
        cmocka_unit_test(restrictions_are_not_passed_over),
        cmocka_unit_test(other_bytes_are_none),
        cmocka_unit_test(certificates_of_other_makers),
        cmocka_unit_test(digests_follow_from_curves),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
