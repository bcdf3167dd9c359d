/* SPDX-License-Identifier: Apache-2.0
 *
 * X.509 by OpenSSL. A certificate is a row of properties: both kinds are written from a table of extensions.
 */
#include "pki.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* OpenSSL has a type by the name of one of our outcomes: it gets another one here. */
#define ERR_STATE openssl_err_state
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#undef ERR_STATE

enum { SERIAL_BITS = 127, DAYS_CA = 3650, DAYS_SERVER = 730, SECONDS_A_DAY = 86400 };
enum { X509_V3 = 2 };

/* --- names --- */

static bool is_address(const char *name)
{
    uint8_t memory[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, name, memory) == 1 || inet_pton(AF_INET6, name, memory) == 1;
}

bool pki_name_ok(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
    size_t len = strlen(name);
    if (is_address(name))
        return true;
    return len > 0 && len <= PKI_NAME_MAX && strspn(name, letters) == len && name[0] != '-' && name[0] != '.';
}

/* "DNS:localhost,IP:127.0.0.1", as OpenSSL reads it (x509v3_config(5)). */
static enum err alternative_names(const char *const *names, size_t count, struct writer *out)
{
    if (count == 0 || count > PKI_NAMES_MAX)
        return ERR_LIMIT;
    for (size_t i = 0; i < count; i++) {
        if (!pki_name_ok(names[i]))
            return ERR_ARGUMENT;
        wr_view(out, view_str(i > 0 ? "," : ""));
        wr_view(out, view_str(is_address(names[i]) ? "IP:" : "DNS:"));
        wr_view(out, view_str(names[i]));
    }
    wr_u8(out, 0);
    return wr_status(out);
}

/* --- one certificate --- */

struct extension {
    int nid;
    const char *value;
};

static bool set_serial(X509 *cert)
{
    BIGNUM *number = BN_new();
    bool good = number != NULL && BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
                BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) != NULL;
    BN_free(number);
    return good;
}

static bool set_subject(X509 *cert, const char *name)
{
    X509_NAME *subject = X509_get_subject_name(cert);
    return X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0) ==
           1;
}

static bool add_extensions(X509 *cert, X509 *issuer, const struct extension *extensions, size_t count)
{
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    for (size_t i = 0; i < count; i++) {
        X509_EXTENSION *made = X509V3_EXT_conf_nid(NULL, &ctx, extensions[i].nid, extensions[i].value);
        bool good = made != NULL && X509_add_ext(cert, made, -1) == 1;
        X509_EXTENSION_free(made);
        if (!good)
            return false;
    }
    return true;
}

struct request {
    const char *subject;
    long days;
    EVP_PKEY *key;
    X509 *issuer; /* NULL: itself */
    EVP_PKEY *issuer_key;
    const struct extension *extensions;
    size_t count;
};

static enum err issue(const struct request *r, X509 **out)
{
    enum err e = ERR_CRYPTO;
    X509 *cert = X509_new();
    if (cert == NULL)
        return ERR_MEMORY;
    X509 *issuer = r->issuer != NULL ? r->issuer : cert;
    /* A day back, so that a clock that is a little late does not refuse it. */
    if (X509_set_version(cert, X509_V3) != 1 || !set_serial(cert) || !set_subject(cert, r->subject) ||
        X509_gmtime_adj(X509_getm_notBefore(cert), -SECONDS_A_DAY) == NULL ||
        X509_gmtime_adj(X509_getm_notAfter(cert), r->days * SECONDS_A_DAY) == NULL ||
        X509_set_pubkey(cert, r->key) != 1 ||
        X509_set_issuer_name(cert, X509_get_subject_name(issuer)) != 1 ||
        !add_extensions(cert, issuer, r->extensions, r->count) ||
        X509_sign(cert, r->issuer_key, EVP_sha256()) <= 0)
        goto out;
    *out = cert;
    cert = NULL;
    e = OK;
out:
    X509_free(cert);
    return e;
}

/* --- PEM --- */

static enum err take_bio(BIO *bio, bool good, struct writer *out)
{
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);
    if (!good || len <= 0)
        return ERR_CRYPTO;
    wr_bytes(out, data, (size_t)len);
    return wr_status(out);
}

static enum err put_certificate(X509 *cert, struct writer *out)
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio == NULL)
        return ERR_MEMORY;
    enum err e = take_bio(bio, PEM_write_bio_X509(bio, cert) == 1, out);
    BIO_free(bio);
    return e;
}

static enum err put_key(EVP_PKEY *key, struct writer *out)
{
    BIO *bio = BIO_new(BIO_s_secmem()); /* wiped when freed */
    if (bio == NULL)
        return ERR_MEMORY;
    enum err e = take_bio(bio, PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1, out);
    BIO_free(bio);
    return e;
}

/* --- both --- */

static const struct extension ca_extensions[] = {
    {NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
    {NID_key_usage, "critical,keyCertSign,cRLSign"},
    {NID_subject_key_identifier, "hash"},
};

static enum err make_ca(EVP_PKEY *key, X509 **out)
{
    const struct request r = {.subject = "Cardferry private authority",
                              .days = DAYS_CA,
                              .key = key,
                              .issuer_key = key,
                              .extensions = ca_extensions,
                              .count = sizeof(ca_extensions) / sizeof(ca_extensions[0])};
    return issue(&r, out);
}

static enum err make_server(EVP_PKEY *key, X509 *ca, EVP_PKEY *ca_key, const char *names, X509 **out)
{
    const struct extension extensions[] = {
        {NID_basic_constraints, "critical,CA:FALSE"},
        {NID_key_usage, "critical,digitalSignature"},
        {NID_ext_key_usage, "serverAuth"},
        {NID_subject_key_identifier, "hash"},
        {NID_authority_key_identifier, "keyid"},
        {NID_subject_alt_name, names},
    };
    const struct request r = {.subject = "Cardferry server",
                              .days = DAYS_SERVER,
                              .key = key,
                              .issuer = ca,
                              .issuer_key = ca_key,
                              .extensions = extensions,
                              .count = sizeof(extensions) / sizeof(extensions[0])};
    return issue(&r, out);
}

static void pki_init(struct pki *p)
{
    struct writer *writers[] = {&p->ca_certificate, &p->ca_key, &p->certificate, &p->key};
    for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++)
        wr_heap(writers[i], PKI_PEM_MAX);
}

void pki_finish(struct pki *p)
{
    wr_free(&p->ca_certificate);
    wr_free(&p->ca_key);
    wr_free(&p->certificate);
    wr_free(&p->key);
}

enum err pki_make(const char *const *names, size_t count, struct pki *out)
{
    struct pki p;
    struct writer text;
    X509 *ca = NULL, *server = NULL;
    EVP_PKEY *ca_key = NULL, *key = NULL;
    enum err e;

    pki_init(&p);
    wr_heap(&text, PKI_NAMES_MAX * (PKI_NAME_MAX + 8));
    if ((e = alternative_names(names, count, &text)) != OK)
        goto out;
    ca_key = EVP_EC_gen("P-256");
    key = EVP_EC_gen("P-256");
    if (ca_key == NULL || key == NULL) {
        e = ERR_CRYPTO;
        goto out;
    }
    if ((e = make_ca(ca_key, &ca)) != OK ||
        (e = make_server(key, ca, ca_key, (const char *)text.data, &server)) != OK)
        goto out;
    if ((e = put_certificate(ca, &p.ca_certificate)) != OK || (e = put_key(ca_key, &p.ca_key)) != OK ||
        (e = put_certificate(server, &p.certificate)) != OK || (e = put_key(key, &p.key)) != OK)
        goto out;
    *out = p;
    pki_init(&p);
out:
    X509_free(ca);
    X509_free(server);
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(key);
    wr_free(&text);
    pki_finish(&p);
    return e;
}

/* --- checking --- */

enum err pki_check_pair(const char *certificate, const char *key, char why[PKI_WHY_MAX])
{
    enum err e = OK;
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (ctx == NULL)
        return ERR_MEMORY;
    if (SSL_CTX_use_certificate_chain_file(ctx, certificate) != 1) {
        snprintf(why, PKI_WHY_MAX, "certificate: %.255s cannot be read as PEM certificates", certificate);
        e = ERR_FORMAT;
    } else if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1) {
        snprintf(why, PKI_WHY_MAX, "private_key: %.255s cannot be read as the key of %.255s", key,
                 certificate);
        e = ERR_CONFLICT;
    }
    SSL_CTX_free(ctx);
    return e;
}

enum err pki_check_ca(const char *path, char why[PKI_WHY_MAX])
{
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(path);
    bool good = names != NULL && sk_X509_NAME_num(names) > 0;
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    if (good)
        return OK;
    snprintf(why, PKI_WHY_MAX, "client_ca: %.255s cannot be read as PEM certificates", path);
    return ERR_FORMAT;
}
