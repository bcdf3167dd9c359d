/* SPDX-License-Identifier: Apache-2.0
 *
 * Key agreement, the derivation after it, and key transport against values of others: single operations (rows
 * of tests/data/vectors-crypto/make_pk.py), and the openings of the published SCP11 sessions from their
 * private keys to the session keys. */
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

enum { KDF_TEST_MAX = 200 };

static bool valid(const json_t *row)
{
    return json_is_true(json_object_get(row, "valid"));
}

static const json_t *row_by_id(const json_t *rows, const char *id)
{
    json_t *row;
    size_t n;
    json_array_foreach(rows, n, row)
    {
        if (strcmp(vector_text(row, "id"), id) == 0)
            return row;
    }
    fail_msg("no row %s", id);
    return NULL;
}

/* ---- ECDH ---- */

/* Scalars of others may be longer than the curve: with leading zeros. */
static struct view without_zeros(struct view v)
{
    while (v.len > 0 && v.data[0] == 0)
        v = view_tail(v, 1);
    return v;
}

static void check_ecdh(struct crypto *c, const json_t *row)
{
    struct pk *own = NULL, *peer = NULL;
    struct secret shared = {0};
    enum pk_curve curve;
    const char *id = vector_text(row, "id");
    assert_int_equal(pk_curve_by_name(vector_text(row, "curve"), &curve), OK);
    enum err e = pk_ec_public(curve, vector_bytes(row, "point"), &peer);
    if (!valid(row)) {
        if (e != ERR_FORMAT)
            fail_msg("%s (%s): %s", id, vector_text(row, "comment"), err_name(e));
        return;
    }
    assert_int_equal(e, OK);
    assert_int_equal(pk_ec_private(curve, without_zeros(vector_bytes(row, "scalar")), &own), OK);
    if (pk_ecdh(c, own, peer, &shared) != OK ||
        !view_equal(secret_view(&shared), vector_bytes(row, "shared")))
        fail_msg("%s (%s)", id, vector_text(row, "comment"));
    pk_free(&own);
    pk_free(&peer);
}

static void agrees_on_the_values_of_others(void **state)
{
    json_t *rows = vectors_load("vectors-crypto/pk.json"), *row;
    size_t n, checked = 0;
    json_array_foreach(rows, n, row)
    {
        if (!vector_is(row, "ecdh"))
            continue;
        check_ecdh(*state, row);
        checked++;
    }
    assert_int_equal(checked, 312);
}

static void both_sides_agree_on_every_curve(void **state)
{
    for (unsigned i = 0; i < CURVE_COUNT; i++) {
        struct pk *a = NULL, *b = NULL;
        struct secret from_a = {0}, from_b = {0};
        assert_int_equal(pk_generate_ec(*state, (enum pk_curve)i, &a), OK);
        assert_int_equal(pk_generate_ec(*state, (enum pk_curve)i, &b), OK);
        assert_int_equal(pk_ecdh(*state, a, b, &from_a), OK);
        assert_int_equal(pk_ecdh(*state, b, a, &from_b), OK);
        assert_int_equal(from_a.len, pk_curve_len((enum pk_curve)i));
        assert_true(secret_equal(secret_view(&from_a), secret_view(&from_b)));
        /* again, with the context that is kept now */
        assert_int_equal(pk_ecdh(*state, a, b, &from_b), OK);
        assert_true(secret_equal(secret_view(&from_a), secret_view(&from_b)));
        pk_free(&a);
        pk_free(&b);
    }
}

static void refuses_keys_that_do_not_agree(void **state)
{
    struct pk *p256 = NULL, *p384 = NULL, *bp = NULL, *pub = NULL, *rsa = NULL;
    struct secret shared = {.len = 5};
    uint8_t memory[PK_POINT_MAX];
    struct writer w;
    wr_fixed(&w, memory, sizeof(memory));
    assert_int_equal(pk_generate_ec(*state, CURVE_P256, &p256), OK);
    assert_int_equal(pk_generate_ec(*state, CURVE_P384, &p384), OK);
    assert_int_equal(pk_generate_ec(*state, CURVE_BRAINPOOL_P256R1, &bp), OK);
    assert_int_equal(pk_generate(*state, PK_RSA, 1024, &rsa), OK);
    assert_int_equal(pk_put_point(p256, &w), OK);
    assert_int_equal(pk_ec_public(CURVE_P256, wr_view_of(&w), &pub), OK);
    assert_int_equal(pk_ecdh(*state, p256, p384, &shared), ERR_ARGUMENT);
    assert_int_equal(pk_ecdh(*state, p256, bp, &shared), ERR_ARGUMENT);
    assert_int_equal(pk_ecdh(*state, rsa, rsa, &shared), ERR_ARGUMENT);
    assert_int_equal(pk_ecdh(*state, p256, rsa, &shared), ERR_ARGUMENT);
    assert_int_equal(pk_ecdh(*state, pub, p256, &shared), ERR_STATE);
    assert_int_equal(shared.len, 5);
    pk_free(&p256);
    pk_free(&p384);
    pk_free(&bp);
    pk_free(&pub);
    pk_free(&rsa);
}

/* ---- X9.63, and SCP11 as a whole ---- */

static unsigned digest_by_name(const char *name)
{
    static const char *const digests[DIGEST_COUNT] = {"SHA-1", "SHA-256", "SHA-384", "SHA-512"};
    unsigned i = 0;
    while (strcmp(digests[i], name) != 0)
        i++;
    return i;
}

static void derives_the_values_of_others(void **state)
{
    json_t *rows = vectors_load("vectors-crypto/pk.json"), *row;
    size_t n, checked = 0;
    json_array_foreach(rows, n, row)
    {
        uint8_t out[64];
        if (!vector_is(row, "x963"))
            continue;
        struct view shared = vector_bytes(row, "shared"), want = vector_bytes(row, "out");
        enum digest digest = (enum digest)digest_by_name(vector_text(row, "digest"));
        assert_true(want.len <= sizeof(out));
        assert_int_equal(
            crypto_x963_kdf(*state, digest, &shared, 1, vector_bytes(row, "info"), out, want.len), OK);
        if (!view_equal(view_of(out, want.len), want))
            fail_msg("%s", vector_text(row, "id"));
        checked++;
    }
    assert_int_equal(checked, 9);
}

/* Each length is the beginning of the longest; where the secret is cut into parts changes nothing. */
static void derives_any_length(void **state)
{
    uint8_t all[KDF_TEST_MAX], some[KDF_TEST_MAX];
    const struct view secret = view_str("a shared secret"),
                      cut[] = {view_str("a shared"), VIEW_NULL, view_str(" secret")};
    const struct view info = view_str("info"), other = view_str("inf0");
    for (unsigned d = 0; d < DIGEST_COUNT; d++) {
        enum digest digest = (enum digest)d;
        assert_int_equal(crypto_x963_kdf(*state, digest, &secret, 1, info, all, sizeof(all)), OK);
        for (size_t len = 0; len <= sizeof(some); len++) {
            assert_int_equal(crypto_x963_kdf(*state, digest, cut, 3, info, some, len), OK);
            assert_memory_equal(all, some, len);
        }
        assert_int_equal(crypto_x963_kdf(*state, digest, &secret, 1, other, some, sizeof(some)), OK);
        assert_memory_not_equal(all, some, sizeof(some));
    }
    assert_int_equal(crypto_x963_kdf(*state, DIGEST_COUNT, &secret, 1, info, some, 1), ERR_ARGUMENT);
    assert_int_equal(crypto_x963_kdf(*state, DIGEST_SHA1, &secret, 5, info, some, 1), ERR_ARGUMENT);
    assert_int_equal(crypto_x963_kdf(*state, DIGEST_SHA1, &secret, 1, info, some, 2000), ERR_ARGUMENT);
}

static struct secret agree(struct crypto *c, const json_t *row, const char *own, const char *peer)
{
    struct pk *a = NULL, *b = NULL;
    struct secret shared = {0};
    enum pk_curve curve;
    assert_int_equal(pk_curve_by_name(vector_text(row, "curve"), &curve), OK);
    assert_int_equal(pk_ec_private(curve, vector_bytes(row, own), &a), OK);
    assert_int_equal(pk_ec_public(curve, vector_bytes(row, peer), &b), OK);
    assert_int_equal(pk_ecdh(c, a, b, &shared), OK);
    pk_free(&a);
    pk_free(&b);
    return shared;
}

/* Amendment F: keys in the order receipt, S-ENC, S-MAC, S-RMAC, S-DEK. */
static void check_session(struct crypto *c, const json_t *row)
{
    static const char *const names[] = {"receipt_key", "s_enc", "s_mac", "s_rmac", "s_dek"};
    static const char *const hashes[] = {"sha1", "sha256", "sha384", "sha512"};
    const json_t *keys = json_object_get(row, "session_keys");
    const char *id = vector_text(row, "id");
    uint8_t out[5 * 32];
    struct reader r;
    unsigned digest = 0;
    bool b = strcmp(vector_text(row, "protocol"), "SCP11b") == 0;
    struct secret ee = agree(c, row, "esk_oce", "epk_sd");
    struct secret ss = agree(c, row, b ? "esk_oce" : "sk_oce_ecka", "pk_sd_ecka");
    const char *second = vector_has(row, "shsss") ? "shsss" : "shsss_or_shses";
    if (!view_equal(secret_view(&ee), vector_bytes(row, "shsee")) ||
        !view_equal(secret_view(&ss), vector_bytes(row, second)))
        fail_msg("%s: shared secrets", id);
    while (strcmp(hashes[digest], vector_text(row, "kdf_hash")) != 0)
        digest++;
    const struct view parts[] = {secret_view(&ee), secret_view(&ss)};
    size_t len = vector_bytes(keys, "s_enc").len;
    assert_int_equal(
        crypto_x963_kdf(c, (enum digest)digest, parts, 2, vector_bytes(row, "shared_info"), out, 5 * len),
        OK);
    rd_init(&r, view_of(out, 5 * len));
    for (size_t i = 0; i < 5; i++)
        if (!view_equal(rd_view(&r, len), vector_bytes(keys, names[i])) && vector_has(keys, names[i]))
            fail_msg("%s: %s", id, names[i]);
}

static void derives_the_keys_of_the_published_sessions(void **state)
{
    json_t *rows = vectors_load("vectors/scp11.json"), *row;
    size_t n, checked = 0;
    json_array_foreach(rows, n, row)
    {
        if (!vector_has(row, "session_keys") || !vector_has(row, "esk_oce"))
            continue;
        check_session(*state, row);
        checked++;
    }
    assert_int_equal(checked, 11);
}

/* ---- OAEP ---- */

static void check_oaep(struct crypto *c, const json_t *rows, const json_t *row)
{
    const json_t *key = row_by_id(rows, vector_text(row, "key"));
    enum digest digest = (enum digest)digest_by_name(vector_text(row, "digest"));
    struct secret plain = {.len = 3};
    struct pk *k = NULL;
    assert_int_equal(pk_from_pkcs8(vector_bytes(key, "private"), &k), OK);
    enum err e = pk_oaep_decrypt(c, k, digest, vector_bytes(row, "sealed"), &plain);
    if (e != (valid(row) ? OK : ERR_AUTH))
        fail_msg("%s (%s): %s", vector_text(row, "id"), vector_text(row, "comment"), err_name(e));
    if (e == OK && !view_equal(secret_view(&plain), vector_bytes(row, "plain")))
        fail_msg("%s: another text", vector_text(row, "id"));
    if (e != OK)
        assert_int_equal(plain.len, 3);
    pk_free(&k);
}

static void opens_the_messages_of_others(void **state)
{
    json_t *rows = vectors_load("vectors-crypto/pk.json"), *row;
    size_t n, checked = 0;
    json_array_foreach(rows, n, row)
    {
        if (!vector_is(row, "oaep"))
            continue;
        check_oaep(*state, rows, row);
        checked++;
    }
    assert_int_equal(checked, 86);
}

static void seals_what_it_opens(void **state)
{
    static const uint8_t text[SECRET_MAX] = {1, 2, 3};
    uint8_t memory[PK_SIGNATURE_MAX], again[PK_SIGNATURE_MAX];
    struct secret plain = {0};
    struct writer w, w2;
    struct pk *k = NULL;
    assert_int_equal(pk_generate(*state, PK_RSA, 2048, &k), OK);
    for (size_t len = 0; len <= sizeof(text); len += 16) {
        wr_fixed(&w, memory, sizeof(memory));
        wr_fixed(&w2, again, sizeof(again));
        assert_int_equal(pk_oaep_encrypt(*state, k, DIGEST_SHA256, view_of(text, len), &w), OK);
        assert_int_equal(pk_oaep_encrypt(*state, k, DIGEST_SHA256, view_of(text, len), &w2), OK);
        assert_false(view_equal(wr_view_of(&w), wr_view_of(&w2)));
        assert_int_equal(w.len, 256);
        assert_int_equal(pk_oaep_decrypt(*state, k, DIGEST_SHA256, wr_view_of(&w), &plain), OK);
        assert_true(view_equal(secret_view(&plain), view_of(text, len)));
        assert_int_equal(pk_oaep_decrypt(*state, k, DIGEST_SHA1, wr_view_of(&w), &plain), ERR_AUTH);
        for (size_t i = 0; i < w.len; i += 17) {
            memory[i] ^= 1;
            assert_int_equal(pk_oaep_decrypt(*state, k, DIGEST_SHA256, wr_view_of(&w), &plain), ERR_AUTH);
            memory[i] ^= 1;
        }
        assert_int_equal(pk_oaep_decrypt(*state, k, DIGEST_SHA256, view_head(wr_view_of(&w), 255), &plain),
                         ERR_AUTH);
    }
    pk_free(&k);
}

static void refuses_messages_and_keys_that_do_not_fit(void **state)
{
    static const uint8_t text[256];
    uint8_t memory[PK_SIGNATURE_MAX], der[PK_PUBLIC_MAX];
    struct secret plain = {0};
    struct writer w, spki;
    struct pk *k = NULL, *pub = NULL, *ec = NULL;
    wr_fixed(&w, memory, sizeof(memory));
    wr_fixed(&spki, der, sizeof(der));
    assert_int_equal(pk_generate(*state, PK_RSA, 1024, &k), OK);
    assert_int_equal(pk_generate_ec(*state, CURVE_P256, &ec), OK);
    assert_int_equal(pk_put_spki(k, &spki), OK);
    assert_int_equal(pk_from_spki(wr_view_of(&spki), &pub), OK);
    assert_int_equal(pk_oaep_encrypt(*state, k, DIGEST_SHA512, VIEW_NULL, &w), ERR_UNSUPPORTED);
    assert_int_equal(pk_oaep_encrypt(*state, k, DIGEST_SHA256, view_of(text, 63), &w), ERR_ARGUMENT);
    assert_int_equal(pk_oaep_encrypt(*state, ec, DIGEST_SHA256, VIEW_NULL, &w), ERR_ARGUMENT);
    assert_int_equal(pk_oaep_encrypt(*state, k, DIGEST_COUNT, VIEW_NULL, &w), ERR_ARGUMENT);
    assert_int_equal(pk_oaep_decrypt(*state, ec, DIGEST_SHA256, view_of(text, 32), &plain), ERR_ARGUMENT);
    assert_int_equal(pk_oaep_decrypt(*state, pub, DIGEST_SHA256, view_of(text, 128), &plain), ERR_STATE);
    assert_int_equal(w.len, 0);
    assert_int_equal(pk_oaep_encrypt(*state, pub, DIGEST_SHA256, view_of(text, 62), &w), OK);
    assert_int_equal(pk_oaep_decrypt(*state, k, DIGEST_SHA256, wr_view_of(&w), &plain), OK);
    assert_int_equal(plain.len, 62);
    pk_free(&k);
    pk_free(&pub);
    pk_free(&ec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_on_the_values_of_others),
        cmocka_unit_test(both_sides_agree_on_every_curve),
        cmocka_unit_test(refuses_keys_that_do_not_agree),
        cmocka_unit_test(derives_the_values_of_others),
        cmocka_unit_test(derives_any_length),
        cmocka_unit_test(derives_the_keys_of_the_published_sessions),
        cmocka_unit_test(opens_the_messages_of_others),
        cmocka_unit_test(seals_what_it_opens),
        cmocka_unit_test(refuses_messages_and_keys_that_do_not_fit),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
