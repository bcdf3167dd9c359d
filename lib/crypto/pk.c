/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys come in: what the library parsed or built is looked at before it becomes a struct pk. The library
 * accepts more than this project has a use for (explicit curve parameters, any modulus), and finds some
 * broken keys only when they are used, or never. */
#include "pk_internal.h"

#include <base/limits.h>

#include <stdlib.h>

#define ERR_STATE openssl_err_state
#include <openssl/pem.h>
#undef ERR_STATE

enum { RSA_BITS_MIN = 1024, RSA_BITS_MAX = 4096, RSA_E_BITS_MAX = 64, DSA_Q_BITS = 256, PROOF_LEN = 32 };

void pk_free(struct pk **k)
{
    struct pk *x = *k;
    if (x == NULL)
        return;
    for (size_t i = 0; i < USE_COUNT; i++)
        EVP_PKEY_CTX_free(x->uses[i].ctx);
    EVP_PKEY_free(x->key); /* clears private numbers */
    free(x);
    *k = NULL;
}

/* ---- is it a key that we take? ---- */

static BIGNUM *number(const EVP_PKEY *key, const char *name)
{
    BIGNUM *n = NULL;
    return EVP_PKEY_get_bn_param(key, name, &n) == 1 ? n : NULL;
}

/* A number that may be absent and is at most this long. */
static bool fits(const EVP_PKEY *key, const char *name, int bits)
{
    BIGNUM *n = number(key, name);
    bool good = n == NULL || BN_num_bits(n) <= bits;
    BN_clear_free(n);
    return good;
}

static enum err check_rsa(const EVP_PKEY *key)
{
    int bits = EVP_PKEY_get_bits(key);
    enum err err = ERR_FORMAT;
    BIGNUM *n = number(key, OSSL_PKEY_PARAM_RSA_N), *e = number(key, OSSL_PKEY_PARAM_RSA_E);
    if (n == NULL || e == NULL || !BN_is_odd(n) || !BN_is_odd(e) || BN_is_one(e))
        goto out;
    /* The library computes with what it is given: a number longer than the modulus is none of an RSA key. */
    if (!fits(key, OSSL_PKEY_PARAM_RSA_D, bits) || !fits(key, OSSL_PKEY_PARAM_RSA_FACTOR1, bits) ||
        !fits(key, OSSL_PKEY_PARAM_RSA_FACTOR2, bits) || !fits(key, OSSL_PKEY_PARAM_RSA_EXPONENT1, bits) ||
        !fits(key, OSSL_PKEY_PARAM_RSA_EXPONENT2, bits))
        goto out;
    bool sizes = bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX && BN_num_bits(e) <= RSA_E_BITS_MAX;
    err = sizes ? OK : ERR_UNSUPPORTED;
out:
    BN_free(n);
    BN_free(e);
    return err;
}

/* Does x lie between 1 and p and have order q? */
static bool has_order(const BIGNUM *x, const BIGNUM *q, const BIGNUM *p, BN_CTX *ctx)
{
    BIGNUM *power = BN_new();
    bool good = power != NULL && BN_cmp(x, BN_value_one()) > 0 && BN_cmp(x, p) < 0 &&
                BN_mod_exp(power, x, q, p, ctx) == 1 && BN_is_one(power);
    BN_free(power);
    return good;
}

/* A generator of another order makes signatures that never end or that anybody can make. */
static enum err check_dsa(const EVP_PKEY *key)
{
    int bits = EVP_PKEY_get_bits(key);
    enum err e = ERR_FORMAT;
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *p = number(key, OSSL_PKEY_PARAM_FFC_P), *q = number(key, OSSL_PKEY_PARAM_FFC_Q);
    BIGNUM *g = number(key, OSSL_PKEY_PARAM_FFC_G), *y = number(key, OSSL_PKEY_PARAM_PUB_KEY);
    if (ctx == NULL || p == NULL || q == NULL || g == NULL || y == NULL)
        goto out;
    if ((bits != 2048 && bits != 3072) || BN_num_bits(q) != DSA_Q_BITS)
        e = ERR_UNSUPPORTED;
    else if (BN_is_odd(p) && BN_is_odd(q) && has_order(g, q, p, ctx) && has_order(y, q, p, ctx) &&
             fits(key, OSSL_PKEY_PARAM_PRIV_KEY, DSA_Q_BITS))
        e = OK;
out:
    BN_free(p);
    BN_free(q);
    BN_free(g);
    BN_free(y);
    BN_CTX_free(ctx);
    return e;
}

/* Not the point at infinity, and on the curve (the cofactor of every curve here is 1). */
static bool is_point(EVP_PKEY *key)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    bool good = ctx != NULL && EVP_PKEY_public_check_quick(ctx) == 1;
    EVP_PKEY_CTX_free(ctx);
    return good;
}

static enum err check_ec(EVP_PKEY *key, enum pk_curve *curve)
{
    char group[64];
    size_t len = 0;
    int explicit = 0;
    if (EVP_PKEY_get_group_name(key, group, sizeof(group), &len) != 1 || !curve_by_group(group, curve))
        return ERR_UNSUPPORTED;
    /* A curve written out parameter by parameter is one that somebody else chose (CVE-2020-0601). */
    if (EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &explicit) == 1 &&
        explicit != 0)
        return ERR_UNSUPPORTED;
    if (EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "uncompressed") != 1)
        return ERR_CRYPTO;
    return is_point(key) ? OK : ERR_FORMAT;
}

/* Public and private half belong together: what one signs the other verifies. */
static bool is_pair(EVP_PKEY *key)
{
    static const uint8_t text[PROOF_LEN] = {0x5A};
    uint8_t signature[PK_SIGNATURE_MAX];
    size_t len = sizeof(signature);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    bool good = ctx != NULL && EVP_PKEY_sign_init(ctx) == 1 &&
                EVP_PKEY_sign(ctx, signature, &len, text, sizeof(text)) == 1 &&
                EVP_PKEY_verify_init(ctx) == 1 &&
                EVP_PKEY_verify(ctx, signature, len, text, sizeof(text)) == 1;
    EVP_PKEY_CTX_free(ctx);
    return good;
}

static enum err look_at(EVP_PKEY *key, struct pk *k)
{
    if (EVP_PKEY_is_a(key, "RSA")) {
        k->algorithm = PK_RSA;
        return check_rsa(key);
    }
    if (EVP_PKEY_is_a(key, "DSA")) {
        k->algorithm = PK_DSA;
        return check_dsa(key);
    }
    k->algorithm = PK_EC;
    return EVP_PKEY_is_a(key, "EC") ? check_ec(key, &k->curve) : ERR_UNSUPPORTED;
}

enum err pk_adopt(EVP_PKEY *key, bool is_private, struct pk **out)
{
    enum err e = ERR_MEMORY;
    struct pk *k = calloc(1, sizeof(*k));
    if (k == NULL)
        goto failed;
    k->curve = CURVE_COUNT;
    k->is_private = is_private;
    e = look_at(key, k);
    if (e == OK && is_private && !is_pair(key))
        e = ERR_FORMAT;
    if (e != OK)
        goto failed;
    k->bits = (unsigned)EVP_PKEY_get_bits(key);
    k->key = key;
    *out = k;
    ERR_clear_error();
    return OK;

failed:
    EVP_PKEY_free(key);
    free(k);
    return crypto_failed(e);
}

enum err pk_wrap_ec(EVP_PKEY *key, enum pk_curve curve, bool is_private, struct pk **out)
{
    struct pk *k = calloc(1, sizeof(*k));
    if (k == NULL) {
        EVP_PKEY_free(key);
        return ERR_MEMORY;
    }
    *k = (struct pk){.key = key,
                     .algorithm = PK_EC,
                     .curve = curve,
                     .bits = (unsigned)EVP_PKEY_get_bits(key),
                     .is_private = is_private};
    *out = k;
    return OK;
}

/* ---- encodings ---- */

/* The library's parsers move a pointer: all bytes must be taken. */
static enum err adopt_parsed(EVP_PKEY *key, bool is_private, const uint8_t *at, struct view der,
                             struct pk **out)
{
    if (key != NULL && at == der.data + der.len)
        return pk_adopt(key, is_private, out);
    EVP_PKEY_free(key);
    return crypto_failed(ERR_FORMAT);
}

/* The library takes every BER form; DER is the one that it writes. */
static bool is_der(const X509_PUBKEY *info, struct view der)
{
    unsigned char *again = NULL;
    int len = i2d_X509_PUBKEY(info, &again);
    bool same = len > 0 && view_equal(view_of(again, (size_t)len), der);
    OPENSSL_free(again);
    return same;
}

enum err pk_from_spki(struct view der, struct pk **out)
{
    const uint8_t *at = der.data;
    if (der.len == 0 || der.len > PK_PUBLIC_MAX)
        return ERR_FORMAT;
    X509_PUBKEY *info = d2i_X509_PUBKEY(NULL, &at, (long)der.len);
    bool good = info != NULL && is_der(info, der);
    EVP_PKEY *key = good ? X509_PUBKEY_get(info) : NULL;
    X509_PUBKEY_free(info);
    return adopt_parsed(key, false, at, der, out);
}

enum err pk_from_pkcs8(struct view der, struct pk **out)
{
    const uint8_t *at = der.data;
    if (der.len == 0 || der.len > PK_PRIVATE_MAX)
        return ERR_FORMAT;
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)der.len);
    EVP_PKEY *key = info == NULL ? NULL : EVP_PKCS82PKEY_ex(info, NULL, NULL);
    PKCS8_PRIV_KEY_INFO_free(info);
    return adopt_parsed(key, true, at, der, out);
}

/* The forms from before PKCS#8: PKCS#1, SEC 1, and what OpenSSL wrote for DSA. */
static enum err from_traditional(int type, struct view der, struct pk **out)
{
    const uint8_t *at = der.data;
    if (der.len == 0 || der.len > PK_PRIVATE_MAX)
        return ERR_FORMAT;
    EVP_PKEY *key = d2i_PrivateKey_ex(type, NULL, &at, (long)der.len, NULL, NULL);
    return adopt_parsed(key, true, at, der, out);
}

static enum err from_pkcs1(struct view der, struct pk **out)
{
    return from_traditional(EVP_PKEY_RSA, der, out);
}

static enum err from_sec1(struct view der, struct pk **out)
{
    return from_traditional(EVP_PKEY_EC, der, out);
}

static enum err from_dsa(struct view der, struct pk **out)
{
    return from_traditional(EVP_PKEY_DSA, der, out);
}

static const struct pem_kind {
    const char *label;
    enum err (*take)(struct view der, struct pk **out); /* NULL: goes by, such as the curve before its key */
} pem_kinds[] = {
    {"PRIVATE KEY", pk_from_pkcs8}, {"RSA PRIVATE KEY", from_pkcs1}, {"EC PRIVATE KEY", from_sec1},
    {"DSA PRIVATE KEY", from_dsa},  {"PUBLIC KEY", pk_from_spki},    {"CERTIFICATE", pk_from_x509},
    {"EC PARAMETERS", NULL},        {"DSA PARAMETERS", NULL},
};

static const struct pem_kind *pem_kind(const char *label)
{
    for (size_t i = 0; i < sizeof(pem_kinds) / sizeof(pem_kinds[0]); i++)
        if (view_equal(view_str(label), view_str(pem_kinds[i].label)))
            return &pem_kinds[i];
    return NULL;
}

/* One block of a PEM file. *more: it was one that goes by. */
static enum err take_pem_block(BIO *pem, bool *more, struct pk **out)
{
    char *label = NULL, *header = NULL;
    unsigned char *data = NULL;
    long len = 0;
    enum err e = ERR_FORMAT;
    *more = false;
    if (PEM_read_bio(pem, &label, &header, &data, &len) != 1)
        goto out;
    const struct pem_kind *kind = pem_kind(label);
    if (kind == NULL || header[0] != '\0') /* RFC 1421 headers: under a passphrase */
        e = ERR_UNSUPPORTED;
    else if (kind->take == NULL)
        *more = true;
    else
        e = kind->take(view_of(data, (size_t)len), out);
out:
    OPENSSL_free(label);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, (size_t)len);
    return e;
}

enum err pk_from_pem(struct view pem, struct pk **out)
{
    bool more = true;
    enum err e = ERR_FORMAT;
    if (pem.len == 0 || pem.len > KEY_PEM_MAX)
        return ERR_FORMAT;
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    if (bio == NULL)
        return crypto_failed(ERR_MEMORY);
    while (more)
        e = take_pem_block(bio, &more, out);
    BIO_free(bio);
    ERR_clear_error();
    return e;
}

/* ---- looking at keys ---- */

enum pk_algorithm pk_algorithm(const struct pk *k)
{
    return k->algorithm;
}

bool pk_is_private(const struct pk *k)
{
    return k->is_private;
}

unsigned pk_bits(const struct pk *k)
{
    return k->bits;
}

enum pk_curve pk_ec_curve(const struct pk *k)
{
    return k->curve;
}

bool pk_same(const struct pk *a, const struct pk *b)
{
    bool same = EVP_PKEY_eq(a->key, b->key) == 1;
    ERR_clear_error();
    return same;
}

/* What an i2d function allocated goes to out, wiped on the way. */
static enum err put_allocated(unsigned char *der, int len, struct writer *out)
{
    if (der == NULL || len <= 0)
        return crypto_failed(ERR_CRYPTO);
    wr_bytes(out, der, (size_t)len);
    OPENSSL_clear_free(der, (size_t)len);
    return wr_status(out);
}

enum err pk_put_pkcs8(const struct pk *k, struct writer *out)
{
    unsigned char *der = NULL;
    if (!k->is_private)
        return ERR_STATE;
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(k->key);
    int len = info == NULL ? -1 : i2d_PKCS8_PRIV_KEY_INFO(info, &der);
    PKCS8_PRIV_KEY_INFO_free(info);
    return put_allocated(der, len, out);
}

enum err pk_put_spki(const struct pk *k, struct writer *out)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(k->key, &der);
    return put_allocated(der, len, out);
}
