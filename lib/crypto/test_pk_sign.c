/* SPDX-License-Identifier: Apache-2.0
 *
 * Signatures: those of others verify, forgeries do not, ours verify, and no choice that does not fit the key
 * is taken. tests/data/vectors-crypto/make_pk.py says how the rows are made. */
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

static const char *const schemes[] = {
    [PK_RSA_PKCS1] = "pkcs1", [PK_RSA_PSS] = "pss", [PK_DSA_PLAIN] = "dsa", [PK_ECDSA_PLAIN] = "ecdsa"};
static const char *const digests[DIGEST_COUNT] = {"SHA-1", "SHA-256", "SHA-384", "SHA-512"};

static unsigned index_of(const char *const *names, size_t count, const char *name)
{
    for (unsigned i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    fail_msg("%s is unknown", name);
    return 0;
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

/* In one piece, and cut into three. */
static enum err verify_both(struct crypto *c, struct pk *k, enum pk_scheme scheme, enum digest digest,
                            struct view message, struct view signature)
{
    struct view rest = view_tail(message, 1);
    const struct view parts[] = {view_head(message, 1), VIEW_NULL, rest};
    enum err whole = pk_verify(c, k, scheme, digest, &message, 1, signature);
    enum err cut = pk_verify(c, k, scheme, digest, parts, 3, signature);
    assert_int_equal(whole, cut);
    return whole;
}

static void check_verify(struct crypto *c, const json_t *rows, const json_t *row)
{
    const json_t *key = row_by_id(rows, vector_text(row, "key"));
    unsigned scheme = index_of(schemes, 4, vector_text(row, "scheme"));
    unsigned digest = index_of(digests, DIGEST_COUNT, vector_text(row, "digest"));
    struct view signature = vector_bytes(row, "signature");
    struct pk *k = NULL;
    assert_int_equal(pk_from_spki(vector_bytes(key, "public"), &k), OK);
    enum err e = verify_both(c, k, (enum pk_scheme)scheme, (enum digest)digest, vector_bytes(row, "message"),
                             signature);
    if (e != (json_is_true(json_object_get(row, "valid")) ? OK : ERR_AUTH))
        fail_msg("%s (%s): %s", vector_text(row, "id"), vector_text(row, "comment"), err_name(e));
    if (e == OK)
        assert_int_equal(signature.len, pk_signature_len(k));
    pk_free(&k);
}

static void signatures_of_others_verify_and_forgeries_do_not(void **state)
{
    json_t *rows = vectors_load("vectors-crypto/pk.json"), *row;
    size_t n, checked = 0;
    json_array_foreach(rows, n, row)
    {
        if (!vector_is(row, "verify"))
            continue;
        check_verify(*state, rows, row);
        checked++;
    }
    assert_int_equal(checked, 412);
}

/* ---- the published DAP signatures, tokens and receipts ---- */

static const struct {
    const char *start;
    enum pk_scheme scheme;
    enum digest digest;
} published[] = {
    {"RSASSA-PKCS1-v1_5 SHA-1", PK_RSA_PKCS1, DIGEST_SHA1},
    {"RSASSA-PSS SHA-256", PK_RSA_PSS, DIGEST_SHA256},
    {"ECDSA plain r||s with sha256", PK_ECDSA_PLAIN, DIGEST_SHA256},
    {"ECDSA plain r||s with sha384", PK_ECDSA_PLAIN, DIGEST_SHA384},
    {"ECDSA plain r||s with sha512", PK_ECDSA_PLAIN, DIGEST_SHA512},
};

/* The key of the file with this name, private where the file has it. */
static struct pk *published_key(const json_t *rows, const char *name)
{
    json_t *row;
    size_t n;
    struct pk *k = NULL;
    json_array_foreach(rows, n, row)
    {
        enum pk_curve curve;
        if (!vector_is(row, "key") || strcmp(vector_text(row, "name"), name) != 0)
            continue;
        if (vector_has(row, "curve")) {
            assert_int_equal(pk_curve_by_name(vector_text(row, "curve"), &curve), OK);
            assert_int_equal(pk_ec_private(curve, vector_bytes(row, "d"), &k), OK);
        } else {
            const struct pk_rsa_parts parts = {.n = vector_bytes(row, "n"),
                                               .e = vector_bytes(row, "e"),
                                               .p = vector_bytes(row, "p"),
                                               .q = vector_bytes(row, "q")};
            assert_int_equal(pk_rsa_private(&parts, &k), OK);
        }
    }
    assert_non_null(k);
    return k;
}

/* What is signed and the signature, by the type of the row. */
static bool signed_fields(const json_t *row, struct view *text, struct view *signature)
{
    static const char *const fields[][3] = {{"dap", "lfdbh", "signature"},
                                            {"dap_negative", "lfdbh", "signature"},
                                            {"token", "token_input", "token"},
                                            {"receipt", "receipt_input", "receipt"}};
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (!vector_is(row, fields[i][0]))
            continue;
        *text = vector_bytes(row, fields[i][1]);
        *signature = vector_bytes(row, fields[i][2]);
        return true;
    }
    return false;
}

static bool check_published(struct crypto *c, const json_t *rows, const json_t *row)
{
    struct view text, signature;
    const char *scheme = vector_text(row, "scheme");
    size_t i = 0;
    uint8_t memory[PK_SIGNATURE_MAX];
    struct writer w;
    if (!signed_fields(row, &text, &signature))
        return false;
    while (i < 5 && strncmp(scheme, published[i].start, strlen(published[i].start)) != 0)
        i++;
    if (i == 5) /* a MAC */
        return false;
    struct pk *k = published_key(rows, vector_text(row, "key"));
    bool negative = vector_is(row, "dap_negative");
    if (verify_both(c, k, published[i].scheme, published[i].digest, text, signature) !=
        (negative ? ERR_AUTH : OK))
        fail_msg("%s", vector_text(row, "id"));
    wr_fixed(&w, memory, sizeof(memory));
    assert_int_equal(pk_sign(c, k, published[i].scheme, published[i].digest, &text, 1, &w), OK);
    if (!negative && published[i].scheme == PK_RSA_PKCS1 && !view_equal(wr_view_of(&w), signature))
        fail_msg("%s: another signature", vector_text(row, "id"));
    pk_free(&k);
    return true;
}

static void published_daps_tokens_and_receipts_verify(void **state)
{
    json_t *rows = vectors_load("vectors/dap_token.json"), *row;
    size_t n, checked = 0;
    json_array_foreach(rows, n, row)
    {
        if (check_published(*state, rows, row))
            checked++;
    }
    assert_int_equal(checked, 58);
}

/* ---- our own ---- */

struct own_key {
    const char *name;
    enum pk_algorithm algorithm;
    struct pk *key;
};

static struct pk *from_pem_row(const char *id)
{
    struct pk *k = NULL;
    const json_t *row = row_by_id(vectors_load("vectors-crypto/pk.json"), id);
    assert_int_equal(pk_from_pem(view_str(vector_text(row, "pem")), &k), OK);
    return k;
}

static enum err expected(const struct pk *k, enum pk_scheme scheme, enum digest digest)
{
    static const enum pk_algorithm fits[] = {PK_RSA, PK_RSA, PK_DSA, PK_EC};
    if (fits[scheme] != pk_algorithm(k))
        return ERR_ARGUMENT;
    /* 1024 bits hold no two times 64 bytes. */
    return scheme == PK_RSA_PSS && pk_bits(k) == 1024 && digest == DIGEST_SHA512 ? ERR_UNSUPPORTED : OK;
}

/* Every byte of message and signature counts. */
static void check_changes(struct crypto *c, struct pk *k, enum pk_scheme scheme, enum digest digest,
                          struct view text, struct writer *w)
{
    uint8_t other[16];
    memcpy(other, text.data, text.len);
    for (size_t i = 0; i < text.len; i++) {
        const struct view changed = view_of(other, text.len);
        other[i] ^= 1;
        assert_int_equal(pk_verify(c, k, scheme, digest, &changed, 1, wr_view_of(w)), ERR_AUTH);
        other[i] ^= 1;
    }
    for (size_t i = 0; i < w->len; i += 1 + w->len / 16) {
        w->data[i] ^= 0x40;
        assert_int_equal(pk_verify(c, k, scheme, digest, &text, 1, wr_view_of(w)), ERR_AUTH);
        w->data[i] ^= 0x40;
    }
    struct view all = wr_view_of(w);
    assert_int_equal(pk_verify(c, k, scheme, digest, &text, 1, view_head(all, all.len - 1)), ERR_AUTH);
    assert_int_equal(pk_verify(c, k, scheme, digest, &text, 1, VIEW_NULL), ERR_AUTH);
    wr_u8(w, 0);
    assert_int_equal(pk_verify(c, k, scheme, digest, &text, 1, wr_view_of(w)), ERR_AUTH);
}

static void check_choice(struct crypto *c, struct pk *k, const char *name, enum pk_scheme scheme,
                         enum digest digest)
{
    uint8_t memory[PK_SIGNATURE_MAX + 1];
    struct writer w;
    const struct view text = view_str("signed");
    enum err expect = expected(k, scheme, digest);
    wr_fixed(&w, memory, sizeof(memory));
    enum err e = pk_sign(c, k, scheme, digest, &text, 1, &w);
    if (e != expect || w.len != (e == OK ? pk_signature_len(k) : 0))
        fail_msg("%s, %s, %s: sign: %s", name, schemes[scheme], digests[digest], err_name(e));
    e = pk_verify(c, k, scheme, digest, &text, 1, wr_view_of(&w));
    if (e != expect)
        fail_msg("%s, %s, %s: verify: %s", name, schemes[scheme], digests[digest], err_name(e));
    if (e == OK)
        check_changes(c, k, scheme, digest, text, &w);
}

/* Every key, scheme and digest, one after the other with the same key: a context made ready for one choice
 * does not serve another. */
static void every_choice_signs_or_is_refused(void **state)
{
    static const char *const names[] = {"rsa1024-pkcs8", "rsa2048-traditional", "dsa2048-pkcs8",
                                        "p256-pkcs8",    "p521-sec1",           "bp256-pkcs8"};
    for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
        struct pk *k = from_pem_row(names[n]);
        for (unsigned s = 0; s < 4; s++)
            for (unsigned d = 0; d < DIGEST_COUNT; d++)
                check_choice(*state, k, names[n], (enum pk_scheme)s, (enum digest)d);
        pk_free(&k);
    }
}

static void refuses_what_is_no_choice_at_all(void **state)
{
    uint8_t memory[PK_SIGNATURE_MAX];
    struct writer w;
    const struct view text = view_str("signed");
    struct pk *k = from_pem_row("p256-pkcs8"), *pub = from_pem_row("p256-compressed");
    wr_fixed(&w, memory, sizeof(memory));
    assert_true(pk_same(k, pub));
    assert_int_equal(pk_sign(*state, pub, PK_ECDSA_PLAIN, DIGEST_SHA256, &text, 1, &w), ERR_STATE);
    assert_int_equal(pk_sign(*state, k, (enum pk_scheme)4, DIGEST_SHA256, &text, 1, &w), ERR_ARGUMENT);
    assert_int_equal(pk_sign(*state, k, PK_ECDSA_PLAIN, DIGEST_COUNT, &text, 1, &w), ERR_ARGUMENT);
    assert_int_equal(pk_verify(*state, k, (enum pk_scheme)4, DIGEST_SHA256, &text, 1, text), ERR_ARGUMENT);
    assert_int_equal(pk_verify(*state, k, PK_ECDSA_PLAIN, DIGEST_COUNT, &text, 1, text), ERR_ARGUMENT);
    assert_int_equal(w.len, 0);
    wr_fixed(&w, memory, 63);
    assert_int_equal(pk_sign(*state, k, PK_ECDSA_PLAIN, DIGEST_SHA256, &text, 1, &w), ERR_LIMIT);
    pk_free(&pub);
    pk_free(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_of_others_verify_and_forgeries_do_not),
        cmocka_unit_test(published_daps_tokens_and_receipts_verify),
        cmocka_unit_test(every_choice_signs_or_is_refused),
        cmocka_unit_test(refuses_what_is_no_choice_at_all),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
