/* SPDX-License-Identifier: Apache-2.0
 *
 * X.509 certificates of our own: for servers and virtual cards that open SCP11 without somebody else's
 * authority. Only what Amendment F asks for: names, validity, key, basic constraints, key usage. */
#include "pk_internal.h"

#define ERR_STATE openssl_err_state
#include <openssl/x509v3.h>
#undef ERR_STATE

enum { VERSION_3 = 2 };

static bool set_name(X509_NAME *name, const char *common_name)
{
    return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, (const unsigned char *)common_name,
                                      -1, -1, 0) == 1;
}

/* RFC 5280 4.1.2.5 by the library: UTCTime until 2049. */
static bool set_times(X509 *x, const struct pk_x509_contents *what)
{
    return ASN1_TIME_set(X509_getm_notBefore(x), (time_t)(what->not_before_ms / 1000)) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(x), (time_t)(what->not_after_ms / 1000)) != NULL;
}

static bool add_constraints(X509 *x, const struct pk_x509_contents *what)
{
    BASIC_CONSTRAINTS *constraints = BASIC_CONSTRAINTS_new();
    bool good = constraints != NULL;
    if (good && what->is_ca) {
        constraints->ca = 0xFF;
        if (what->path_len >= 0) {
            constraints->pathlen = ASN1_INTEGER_new();
            good =
                constraints->pathlen != NULL && ASN1_INTEGER_set(constraints->pathlen, what->path_len) == 1;
        }
    }
    good = good && X509_add1_ext_i2d(x, NID_basic_constraints, constraints, 1, X509V3_ADD_DEFAULT) == 1;
    BASIC_CONSTRAINTS_free(constraints);
    return good;
}

/* RFC 5280 4.2.1.3: bit 4 is keyAgreement, bit 5 keyCertSign. */
static bool add_usage(X509 *x, bool is_ca)
{
    ASN1_BIT_STRING *usage = ASN1_BIT_STRING_new();
    bool good = usage != NULL && ASN1_BIT_STRING_set_bit(usage, is_ca ? 5 : 4, 1) == 1 &&
                X509_add1_ext_i2d(x, NID_key_usage, usage, 1, X509V3_ADD_DEFAULT) == 1;
    ASN1_BIT_STRING_free(usage);
    return good;
}

static bool fill(X509 *x, const struct pk_x509_contents *what, const struct pk *subject)
{
    return X509_set_version(x, VERSION_3) == 1 &&
           ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), what->serial) == 1 &&
           set_name(X509_get_subject_name(x), what->subject) &&
           set_name(X509_get_issuer_name(x), what->issuer) && set_times(x, what) &&
           X509_set_pubkey(x, subject->key) == 1 && add_constraints(x, what) && add_usage(x, what->is_ca);
}

static const EVP_MD *digest_for(const struct pk *issuer)
{
    if (issuer->algorithm != PK_EC || issuer->bits < 384)
        return EVP_sha256();
    return issuer->bits < 512 ? EVP_sha384() : EVP_sha512();
}

enum err pk_x509_issue(const struct pk_x509_contents *what, const struct pk *subject, struct pk *issuer,
                       struct writer *out)
{
    unsigned char *der = NULL;
    enum err e = ERR_ARGUMENT;
    if (!issuer->is_private)
        return ERR_STATE;
    X509 *x = X509_new();
    if (x == NULL || !fill(x, what, subject))
        goto out;
    e = ERR_CRYPTO;
    if (X509_sign(x, issuer->key, digest_for(issuer)) <= 0)
        goto out;
    int len = i2d_X509(x, &der);
    if (len > 0) {
        wr_bytes(out, der, (size_t)len);
        e = wr_status(out);
    }
    OPENSSL_free(der);
out:
    X509_free(x);
    return e == OK ? OK : crypto_failed(e);
}
