/* SPDX-License-Identifier: Apache-2.0
 *
 * Signatures. The digest is computed in the kept context of struct crypto, what is signed is the digest. The
 * library writes signatures of DSA and ECDSA in DER; cards want the two numbers side by side. */
#include "pk_internal.h"

enum {
    DSA_NUMBER = 32,
    DER_MAX = 2 + 2 + 2 * (3 + PK_SHARED_MAX + 1), /* SEQUENCE of two INTEGERs */
};

static const enum pk_algorithm algorithm_of[] = {
    [PK_RSA_PKCS1] = PK_RSA, [PK_RSA_PSS] = PK_RSA, [PK_DSA_PLAIN] = PK_DSA, [PK_ECDSA_PLAIN] = PK_EC};

/* Bytes of r and of s; 0: the signature is one number. */
static size_t number_len(const struct pk *k)
{
    if (k->algorithm == PK_DSA)
        return DSA_NUMBER;
    return k->algorithm == PK_EC ? pk_curve_len(k->curve) : 0;
}

size_t pk_signature_len(const struct pk *k)
{
    return k->algorithm == PK_RSA ? (k->bits + 7) / 8 : 2 * number_len(k);
}

/* ---- contexts ---- */

static bool set_padding(EVP_PKEY_CTX *ctx, unsigned scheme, const EVP_MD *md)
{
    switch (scheme) {
    case PK_RSA_PKCS1:
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1;
    case PK_RSA_PSS:
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
    case SCHEME_OAEP:
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md) == 1 && EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1;
    default:
        return true;
    }
}

static bool begin(EVP_PKEY_CTX *ctx, enum pk_use use)
{
    static int (*const begins[USE_COUNT])(EVP_PKEY_CTX *) = {
        [USE_SIGN] = EVP_PKEY_sign_init,       [USE_VERIFY] = EVP_PKEY_verify_init,
        [USE_ENCRYPT] = EVP_PKEY_encrypt_init, [USE_DECRYPT] = EVP_PKEY_decrypt_init,
        [USE_DERIVE] = EVP_PKEY_derive_init,
    };
    return begins[use](ctx) == 1;
}

static bool set_up(EVP_PKEY_CTX *ctx, enum pk_use use, unsigned scheme, const EVP_MD *md)
{
    if (!begin(ctx, use))
        return false;
    bool signature = use == USE_SIGN || use == USE_VERIFY;
    return (!signature || EVP_PKEY_CTX_set_signature_md(ctx, md) == 1) && set_padding(ctx, scheme, md);
}

enum err pk_context(struct pk *k, enum pk_use use, unsigned scheme, const struct crypto *c,
                    enum digest digest, EVP_PKEY_CTX **out)
{
    struct pk_context *kept = &k->uses[use];
    if (kept->ctx == NULL || kept->scheme != scheme || kept->digest != digest) {
        EVP_PKEY_CTX_free(kept->ctx);
        kept->ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->key, NULL);
        if (kept->ctx == NULL || !set_up(kept->ctx, use, scheme, c->digests[digest])) {
            EVP_PKEY_CTX_free(kept->ctx);
            kept->ctx = NULL;
            return crypto_failed(ERR_CRYPTO);
        }
        kept->scheme = scheme;
        kept->digest = digest;
    }
    *out = kept->ctx;
    return OK;
}

/* ---- between DER and r | s ---- */

/* DSA and ECDSA have the same form: SEQUENCE of r and s. */
static enum err put_plain(const struct pk *k, struct view der, struct writer *out)
{
    const uint8_t *at = der.data;
    int len = (int)number_len(k);
    uint8_t plain[PK_SIGNATURE_MAX];
    enum err e = ERR_CRYPTO;
    ECDSA_SIG *numbers = d2i_ECDSA_SIG(NULL, &at, (long)der.len);
    if (numbers != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(numbers), plain, len) == len &&
        BN_bn2binpad(ECDSA_SIG_get0_s(numbers), plain + len, len) == len) {
        wr_bytes(out, plain, 2 * (size_t)len);
        e = wr_status(out);
    }
    ECDSA_SIG_free(numbers);
    return e == OK ? OK : crypto_failed(e);
}

/* To der, which has DER_MAX bytes; *len: how many became of it. */
static enum err plain_to_der(const struct pk *k, struct view plain, uint8_t *der, size_t *len)
{
    int bytes = (int)number_len(k), written = 0;
    enum err e = ERR_MEMORY;
    ECDSA_SIG *numbers = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(plain.data, bytes, NULL), *s = BN_bin2bn(plain.data + bytes, bytes, NULL);
    if (numbers == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(numbers, r, s) != 1)
        goto out;
    r = s = NULL;
    written = i2d_ECDSA_SIG(numbers, &der);
    if (written > 0) {
        *len = (size_t)written;
        e = OK;
    }
out:
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(numbers);
    return e == OK ? OK : crypto_failed(e);
}

/* ---- signing and verifying ---- */

static enum err check_choice(const struct pk *k, enum pk_scheme scheme, enum digest digest)
{
    if ((unsigned)scheme >= sizeof(algorithm_of) / sizeof(algorithm_of[0]) ||
        algorithm_of[scheme] != k->algorithm || crypto_digest_len(digest) == 0)
        return ERR_ARGUMENT;
    /* RFC 8017 9.1.1: the encoded message holds hash, salt and two bytes. */
    if (scheme == PK_RSA_PSS && (k->bits + 6) / 8 < 2 * crypto_digest_len(digest) + 2)
        return ERR_UNSUPPORTED;
    return OK;
}

enum err pk_sign(struct crypto *c, struct pk *k, enum pk_scheme scheme, enum digest digest,
                 const struct view *parts, size_t count, struct writer *out)
{
    uint8_t hash[DIGEST_MAX], signature[PK_SIGNATURE_MAX];
    size_t len = sizeof(signature);
    EVP_PKEY_CTX *ctx = NULL;
    enum err e = check_choice(k, scheme, digest);
    if (e == OK && !k->is_private)
        e = ERR_STATE;
    if (e == OK)
        e = crypto_digest(c, digest, parts, count, hash);
    if (e == OK)
        e = pk_context(k, USE_SIGN, scheme, c, digest, &ctx);
    if (e != OK)
        return e;
    if (EVP_PKEY_sign(ctx, signature, &len, hash, crypto_digest_len(digest)) != 1)
        return crypto_failed(ERR_CRYPTO);
    if (k->algorithm != PK_RSA)
        return put_plain(k, view_of(signature, len), out);
    wr_bytes(out, signature, len);
    return wr_status(out);
}

enum err pk_verify(struct crypto *c, struct pk *k, enum pk_scheme scheme, enum digest digest,
                   const struct view *parts, size_t count, struct view signature)
{
    uint8_t hash[DIGEST_MAX], der[DER_MAX];
    EVP_PKEY_CTX *ctx = NULL;
    enum err e = check_choice(k, scheme, digest);
    if (e == OK)
        e = crypto_digest(c, digest, parts, count, hash);
    if (e == OK)
        e = pk_context(k, USE_VERIFY, scheme, c, digest, &ctx);
    if (e == OK && signature.len != pk_signature_len(k))
        e = ERR_AUTH;
    if (e == OK && k->algorithm != PK_RSA) {
        size_t len = 0;
        e = plain_to_der(k, signature, der, &len);
        signature = view_of(der, len);
    }
    if (e != OK)
        return e;
    bool good = EVP_PKEY_verify(ctx, signature.data, signature.len, hash, crypto_digest_len(digest)) == 1;
    return good ? OK : crypto_failed(ERR_AUTH);
}
