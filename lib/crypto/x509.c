/* SPDX-License-Identifier: Apache-2.0
 *
 * One step of a chain of X.509 certificates (RFC 5280 6.1.3). Cards and servers pin the trust point and have
 * neither names to look up nor revocation lists; so this is not the library's path builder, which would look
 * for both, but the checks of one step with a key that the caller trusts. */
#include "pk_internal.h"

#include <base/limits.h>

#define ERR_STATE openssl_err_state
#include <openssl/x509v3.h>
#undef ERR_STATE

static X509 *parse(struct view der)
{
    const uint8_t *at = der.data;
    if (der.len == 0 || der.len > CERTIFICATE_MAX)
        return NULL;
    X509 *x = d2i_X509(NULL, &at, (long)der.len);
    if (x != NULL && at == der.data + der.len)
        return x;
    X509_free(x);
    return NULL;
}

enum err pk_from_x509(struct view der, struct pk **out)
{
    X509 *x = parse(der);
    EVP_PKEY *key = x == NULL ? NULL : X509_get_pubkey(x);
    X509_free(x);
    return key == NULL ? crypto_failed(ERR_FORMAT) : pk_adopt(key, false, out);
}

/* Nobody signs certificates with SHA-1 or MD5 any more but who forges them. */
static bool sound_digest(X509 *x)
{
    static const int nids[] = {NID_sha256, NID_sha384, NID_sha512};
    int digest = NID_undef;
    if (X509_get_signature_info(x, &digest, NULL, NULL, NULL) != 1)
        return false;
    for (size_t i = 0; i < sizeof(nids) / sizeof(nids[0]); i++)
        if (digest == nids[i])
            return true;
    return false;
}

/* RFC 5280 4.2: extensions that do not parse, and critical ones that we do not know. */
static enum err check_extensions(X509 *x)
{
    uint32_t flags = X509_get_extension_flags(x);
    if ((flags & EXFLAG_INVALID) != 0)
        return ERR_FORMAT;
    return (flags & EXFLAG_CRITICAL) != 0 ? ERR_UNSUPPORTED : OK;
}

/* An authority says so in its basic constraints and may sign certificates; a leaf does neither, and where its
 * key has a list of uses, agreement is among them (Amendment F: CERT.OCE.ECKA). */
static bool right_role(X509 *x, bool is_ca)
{
    uint32_t usage = X509_get_key_usage(x); /* all bits when the extension is absent */
    bool ca = (X509_get_extension_flags(x) & EXFLAG_CA) != 0;
    return is_ca ? ca && (usage & KU_KEY_CERT_SIGN) != 0 : !ca && (usage & KU_KEY_AGREEMENT) != 0;
}

static enum err check_time(X509 *x, uint64_t now_ms)
{
    time_t now = (time_t)(now_ms / 1000);
    if (now_ms == 0)
        return OK;
    int before = X509_cmp_time(X509_get0_notBefore(x), &now);
    int after = X509_cmp_time(X509_get0_notAfter(x), &now);
    if (before == 0 || after == 0)
        return ERR_FORMAT;
    return before < 0 && after > 0 ? OK : ERR_EXPIRED;
}

/* The issuer's own certificate: it holds the key that is used, its name stands in x, it may sign, and where x
 * says which of the issuer's keys it was, it was this one. */
static enum err check_issuer(X509 *x, const struct pk *issuer, struct view issuer_cert)
{
    enum err e = ERR_AUTH;
    X509 *above = NULL;
    if (issuer_cert.len == 0)
        return OK;
    above = parse(issuer_cert);
    if (above == NULL)
        return ERR_FORMAT;
    const EVP_PKEY *key = X509_get0_pubkey(above);
    if (key != NULL && EVP_PKEY_eq(key, issuer->key) == 1 && X509_check_issued(above, x) == X509_V_OK)
        e = OK;
    X509_free(above);
    return e;
}

enum err pk_x509_verify(struct view der, struct pk *issuer, struct view issuer_cert, bool is_ca,
                        uint64_t now_ms)
{
    X509 *x = parse(der);
    enum err e = x == NULL ? ERR_FORMAT : check_extensions(x);
    if (e == OK && !sound_digest(x))
        e = ERR_UNSUPPORTED;
    if (e == OK && X509_verify(x, issuer->key) != 1)
        e = ERR_AUTH;
    if (e == OK)
        e = check_issuer(x, issuer, issuer_cert);
    if (e == OK && !right_role(x, is_ca))
        e = ERR_AUTH;
    if (e == OK)
        e = check_time(x, now_ms);
    X509_free(x);
    ERR_clear_error();
    return e;
}

size_t pk_x509_path_len(struct view der)
{
    X509 *x = parse(der);
    size_t most = 0;
    if (x != NULL) {
        long len = X509_get_pathlen(x);
        most = len < 0 ? SIZE_MAX : (size_t)len;
    }
    X509_free(x);
    ERR_clear_error();
    return most;
}
