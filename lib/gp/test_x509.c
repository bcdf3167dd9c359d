/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificates read without the library: whatever is said about one must be what the library says, and a
 * changed byte must never be taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <gp/x509.h>
#include <support/vectors.h>
#include <tlv/tlv.h>

static const uint64_t now_ms = 1900000000000;

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

static const json_t *row_of(const char *file, const char *id)
{
    json_t *rows = vectors_load(file), *row;
    size_t n;
    json_array_foreach(rows, n, row)
    {
        if (strcmp(vector_text(row, "id"), id) == 0)
            return row;
    }
    fail_msg("no row %s", id);
    return NULL;
}

static struct pk *authority(const char *name)
{
    struct pk *k = NULL;
    assert_int_equal(pk_from_spki(vector_bytes(row_of("scp11/chain.json", "authorities"), name), &k), OK);
    return k;
}

static void same_as_the_library(void **state)
{
    static const struct {
        const char *row, *certificate, *issuer;
        uint64_t now_ms;
        enum err want;
    } rows[] = {
        {"P-256", "certificate", "ca", now_ms, OK},
        {"P-384", "certificate", "ca", now_ms, OK},
        {"P-521", "certificate", "ca", now_ms, OK},
        {"brainpoolP256r1", "certificate", "ca", now_ms, OK},
        {"P-256", "certificate", "ca", 0, OK},
        {"P-256", "certificate", "other", now_ms, ERR_AUTH},
        {"P-256", "by_other", "ca", now_ms, ERR_AUTH},
        {"P-256", "by_other", "other", now_ms, OK},
        {"P-256", "expired", "ca", now_ms, ERR_EXPIRED},
        {"P-256", "expired", "ca", 1600000000000, OK},
        {"P-256", "expired", "other", now_ms, ERR_AUTH},
        {"P-256", "certificate", "ca", 1577836799000, ERR_EXPIRED}, /* a second before 2020 */
        {"P-256", "certificate", "ca", 1577836800000, OK},
        {"P-256", "expired", "ca", 1609459199000, OK}, /* a second before 2021 */
        {"P-256", "expired", "ca", 1609459200000, ERR_EXPIRED},
        {"authorities", "second_no_ca", "ca", now_ms, OK},
    };
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        struct pk *issuer = authority(rows[n].issuer);
        struct view der = vector_bytes(row_of("scp11/chain.json", rows[n].row), rows[n].certificate);
        enum err e = x509_leaf_verify(*state, der, issuer, rows[n].now_ms);
        enum err library = pk_x509_verify(der, issuer, VIEW_NULL, false, rows[n].now_ms);
        if (e != rows[n].want || library != rows[n].want)
            fail_msg("row %zu: %s, the library %s", n, err_name(e), err_name(library));
        pk_free(&issuer);
    }
}

/* A certificate of an authority, a key that is none on a curve, cards' certificates with critical policies.
 */
static void left_to_the_library(void **state)
{
    struct pk *ca = authority("ca"), *rsa = NULL;
    struct view second = vector_bytes(row_of("scp11/chain.json", "authorities"), "second");
    struct view leaf = vector_bytes(row_of("scp11/chain.json", "P-256"), "certificate");
    assert_int_equal(pk_generate(*state, PK_RSA, 2048, &rsa), OK);
    assert_int_equal(x509_leaf_verify(*state, second, ca, now_ms), ERR_UNSUPPORTED);
    assert_int_equal(x509_leaf_verify(*state, leaf, rsa, now_ms), ERR_UNSUPPORTED);
    for (size_t len = 0; len < leaf.len; len++)
        assert_int_equal(x509_leaf_verify(*state, view_head(leaf, len), ca, now_ms), ERR_UNSUPPORTED);
    pk_free(&ca);
    pk_free(&rsa);
}

static void points(void **state)
{
    (void)state;
    static const char *const curves[] = {"P-256", "P-384", "P-521", "brainpoolP256r1"};
    for (size_t n = 0; n < sizeof(curves) / sizeof(curves[0]); n++) {
        struct view der = vector_bytes(row_of("scp11/chain.json", curves[n]), "certificate"), point;
        enum pk_curve curve;
        uint8_t memory[PK_POINT_MAX];
        struct writer w;
        struct pk *k = NULL;
        wr_fixed(&w, memory, sizeof(memory));
        assert_int_equal(x509_point(der, &curve, &point), OK);
        assert_string_equal(pk_curve_name(curve), curves[n]);
        assert_int_equal(pk_from_x509(der, &k), OK);
        assert_int_equal(pk_put_point(k, &w), OK);
        assert_true(view_equal(wr_view_of(&w), point));
        pk_free(&k);
    }
}

/* Published certificates of a card and of a host: critical key usage and policies. */
static void published(void **state)
{
    (void)state;
    const json_t *row = row_of("vectors/scp11.json", "samsung-scp11a-secp256r1-AES-128-S16");
    const json_t *store = row_of("vectors/scp11.json", "certstore-single-x509");
    struct view cards =
        vector_hex(json_string_value(json_array_get(json_object_get(store, "certificates"), 0)));
    enum pk_curve curve;
    struct view point;
    assert_int_equal(x509_point(cards, &curve, &point), OK);
    assert_true(view_equal(point, vector_bytes(row, "pk_sd_ecka")));
    assert_int_equal(x509_point(vector_bytes(row, "cert_oce"), &curve, &point), OK);
    assert_true(view_equal(point, vector_bytes(row, "pk_oce_ecka")));
    /* Who signed them is not published: any key tells that everything before the signature was understood. */
    struct pk *ca = authority("ca");
    assert_int_equal(x509_leaf_verify(*state, cards, ca, 1760000000000), ERR_AUTH);
    pk_free(&ca);
}

static void every_byte(void **state)
{
    struct pk *ca = authority("ca");
    struct view der = vector_bytes(row_of("scp11/chain.json", "P-384"), "certificate");
    uint8_t changed[1024];
    assert_true(der.len <= sizeof(changed));
    memcpy(changed, der.data, der.len);
    for (size_t bit = 0; bit < 8 * der.len; bit++) {
        changed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (x509_leaf_verify(*state, view_of(changed, der.len), ca, now_ms) == OK)
            fail_msg("bit %zu", bit);
        changed[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    pk_free(&ca);
}

/* INTEGER, shortest form. */
static void put_number(struct writer *w, struct view bytes)
{
    uint8_t memory[40];
    struct writer value;
    wr_fixed(&value, memory, sizeof(memory));
    while (bytes.data[0] == 0)
        bytes = view_tail(bytes, 1);
    if ((bytes.data[0] & 0x80) != 0)
        wr_u8(&value, 0);
    wr_view(&value, bytes);
    tlv_put(w, 0x02, wr_view_of(&value));
}

/* BIT STRING { SEQUENCE { r, s } } */
static void put_signature(struct writer *w, const uint8_t signature[64])
{
    uint8_t memory[100];
    struct writer bits;
    size_t mark;
    wr_fixed(&bits, memory, sizeof(memory));
    wr_u8(&bits, 0);
    tlv_open(&bits, 0x30, &mark);
    put_number(&bits, view_of(signature, 32));
    put_number(&bits, view_of(signature + 32, 32));
    tlv_close(&bits, mark);
    tlv_put(w, 0x03, wr_view_of(&bits));
}

/* Signed anew with other contents: what the certificate says counts only as the library would have it. */
static void other_contents(void **state)
{
    static const struct {
        const char *name, *find, *replace; /* in the signed part, of the same length */
        enum err want;
    } rows[] = {
        {"as it is", "", "", OK},
        {"usage: signatures only", "0603551D0F0101FF040403020308", "0603551D0F0101FF040403020780", ERR_AUTH},
        {"usage: not a BIT STRING", "0603551D0F0101FF040403020308", "0603551D0F0101FF040404020308",
         ERR_UNSUPPORTED},
        {"an unknown critical extension", "0603551D0F0101FF", "0603551D7F0101FF", ERR_UNSUPPORTED},
        {"version 2", "A003020102", "A003020101", ERR_UNSUPPORTED},
        {"another algorithm inside", "06082A8648CE3D040302", "06082A8648CE3D040303", ERR_UNSUPPORTED},
        {"another curve's name", "06082A8648CE3D030107", "06082A8648CE3D030101", ERR_UNSUPPORTED},
        {"a letter in a date", "3230303130313030303030305A", "32303031303130303030303A5A", ERR_UNSUPPORTED},
        {"a date without its Z", "3230303130313030303030305A", "32303031303130303030303041", ERR_UNSUPPORTED},
    };
    struct pk *own = NULL;
    struct view der = vector_bytes(row_of("scp11/chain.json", "P-256"), "certificate");
    assert_int_equal(pk_generate_ec(*state, CURVE_P256, &own), OK);
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        uint8_t made[1024], signature[64];
        struct view find = vector_hex(rows[n].find), replace = vector_hex(rows[n].replace);
        struct writer w, s;
        uint8_t tbs[1024];
        struct tlv whole, inner;
        struct reader r;
        rd_init(&r, der);
        assert_true(tlv_next(&r, &whole));
        rd_init(&r, whole.value);
        assert_true(tlv_next(&r, &inner));
        const size_t tbs_len = whole.value.len - rd_left(&r);
        memcpy(tbs, whole.value.data, tbs_len);
        size_t at = 0;
        while (!view_starts(view_tail(view_of(tbs, tbs_len), at), find) && at < tbs_len)
            at++;
        assert_true(at < tbs_len);
        if (find.len > 0)
            memcpy(tbs + at, replace.data, replace.len);
        const struct view part = view_of(tbs, tbs_len);
        wr_fixed(&s, signature, sizeof(signature));
        assert_int_equal(pk_sign(*state, own, PK_ECDSA_PLAIN, DIGEST_SHA256, &part, 1, &s), OK);
        wr_fixed(&w, made, sizeof(made));
        wr_view(&w, vector_hex("30820000"));
        wr_view(&w, part);
        wr_view(&w, vector_hex("300A06082A8648CE3D040302"));
        put_signature(&w, signature);
        made[2] = (uint8_t)((w.len - 4) >> 8);
        made[3] = (uint8_t)(w.len - 4);
        enum err e = x509_leaf_verify(*state, wr_view_of(&w), own, now_ms);
        if (e != rows[n].want)
            fail_msg("%s: %s", rows[n].name, err_name(e));
    }
    pk_free(&own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_as_the_library),
        cmocka_unit_test(left_to_the_library),
        cmocka_unit_test(points),
        cmocka_unit_test(published),
        cmocka_unit_test(every_byte),
        cmocka_unit_test(other_contents),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
