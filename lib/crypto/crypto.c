/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of a struct crypto: everything is fetched and allocated here, once, so that no operation later
 * searches for an algorithm. */
#include "crypto_internal.h"

#include <stdlib.h>

static const char *const aes_cbc_names[] = {"AES-128-CBC", "AES-192-CBC", "AES-256-CBC"};
static const char *const aes_ecb_names[] = {"AES-128-ECB", "AES-192-ECB", "AES-256-ECB"};
static const char *const aes_gcm_names[] = {"AES-128-GCM", "AES-192-GCM", "AES-256-GCM"};
static const char *const digest_names[] = {"SHA1", "SHA2-256", "SHA2-384", "SHA2-512"};

enum err crypto_failed(enum err e)
{
    ERR_clear_error();
    return e;
}

static bool fetch_ciphers(OSSL_LIB_CTX *from, EVP_CIPHER *table[], const char *const names[], size_t count)
{
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        table[i] = EVP_CIPHER_fetch(from, names[i], NULL);
        good = good && table[i] != NULL;
    }
    return good;
}

static bool fetch_digests(struct crypto *c)
{
    bool good = true;
    for (size_t i = 0; i < DIGEST_COUNT; i++) {
        c->digests[i] = EVP_MD_fetch(NULL, digest_names[i], NULL);
        good = good && c->digests[i] != NULL;
    }
    return good;
}

/* Single DES is in OpenSSL's legacy provider, a file beside libcrypto. It is opened here, before a process
 * confines itself, and in a context of its own: nothing else can be fetched from it by mistake. */
static bool fetch_single_des(struct crypto *c)
{
    static const char *const cbc[] = {"DES-CBC"}, *const ecb[] = {"DES-ECB"};
    c->legacy = OSSL_LIB_CTX_new();
    if (c->legacy == NULL)
        return false;
    c->legacy_provider = OSSL_PROVIDER_load(c->legacy, "legacy");
    return c->legacy_provider != NULL && fetch_ciphers(c->legacy, &c->des_cbc, cbc, 1) &&
           fetch_ciphers(c->legacy, &c->des_ecb, ecb, 1);
}

static bool fetch_all(struct crypto *c)
{
    static const char *const des3_cbc_name[] = {"DES-EDE3-CBC"}, *const des3_ecb_name[] = {"DES-EDE3-ECB"};
    c->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    return fetch_ciphers(NULL, c->aes_cbc, aes_cbc_names, AES_SIZE_COUNT) &&
           fetch_ciphers(NULL, c->aes_ecb, aes_ecb_names, AES_SIZE_COUNT) &&
           fetch_ciphers(NULL, c->aes_gcm, aes_gcm_names, AES_SIZE_COUNT) &&
           fetch_ciphers(NULL, &c->des3_cbc, des3_cbc_name, 1) &&
           fetch_ciphers(NULL, &c->des3_ecb, des3_ecb_name, 1) && fetch_single_des(c) && fetch_digests(c) &&
           c->hmac != NULL;
}

static bool allocate_contexts(struct crypto *c)
{
    bool good = true;
    for (size_t i = 0; i < SLOT_COUNT; i++) {
        c->slots[i].ctx = EVP_CIPHER_CTX_new();
        good = good && c->slots[i].ctx != NULL;
    }
    c->digest_ctx = EVP_MD_CTX_new();
    c->hmac_ctx = EVP_MAC_CTX_new(c->hmac);
    return good && c->digest_ctx != NULL && c->hmac_ctx != NULL;
}

/* The digest of the HMAC is set here, once: as a parameter of each init call it would be fetched each time.
 */
static bool set_hmac_digest(struct crypto *c)
{
    char name[] = "SHA2-256";
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                           OSSL_PARAM_construct_end()};
    return EVP_MAC_CTX_set_params(c->hmac_ctx, params) == 1;
}

enum err crypto_new(struct crypto **out)
{
    enum err e = OK;
    struct crypto *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return ERR_MEMORY;
    if (!fetch_all(c))
        e = ERR_CRYPTO;
    else if (!allocate_contexts(c))
        e = ERR_MEMORY;
    else if (!set_hmac_digest(c))
        e = ERR_CRYPTO;
    if (e != OK) {
        crypto_free(&c);
        return crypto_failed(e);
    }
    *out = c;
    return OK;
}

void crypto_forget(struct crypto *c)
{
    for (size_t i = 0; i < SLOT_COUNT; i++)
        slot_forget(&c->slots[i]);
    wipe(c->cmac_k1, sizeof(c->cmac_k1));
    wipe(c->cmac_k2, sizeof(c->cmac_k2));
}

void crypto_free(struct crypto **c)
{
    struct crypto *x = *c;
    if (x == NULL)
        return;
    for (size_t i = 0; i < SLOT_COUNT; i++)
        EVP_CIPHER_CTX_free(x->slots[i].ctx);
    for (size_t i = 0; i < AES_SIZE_COUNT; i++) {
        EVP_CIPHER_free(x->aes_cbc[i]);
        EVP_CIPHER_free(x->aes_ecb[i]);
        EVP_CIPHER_free(x->aes_gcm[i]);
    }
    EVP_CIPHER_free(x->des3_cbc);
    EVP_CIPHER_free(x->des3_ecb);
    EVP_CIPHER_free(x->des_cbc);
    EVP_CIPHER_free(x->des_ecb);
    if (x->legacy_provider != NULL)
        OSSL_PROVIDER_unload(x->legacy_provider);
    OSSL_LIB_CTX_free(x->legacy);
    for (size_t i = 0; i < DIGEST_COUNT; i++)
        EVP_MD_free(x->digests[i]);
    EVP_MD_CTX_free(x->digest_ctx);
    EVP_MAC_CTX_free(x->hmac_ctx);
    EVP_MAC_free(x->hmac);
    for (size_t i = 0; i < CURVE_COUNT; i++) {
        EC_GROUP_free(x->ec_groups[i]);
        EVP_PKEY_CTX_free(x->ec_keygen[i]);
    }
    wipe(x, sizeof(*x));
    free(x);
    *c = NULL;
}

static enum err fill_random(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx;
    /* The generator for secrets also serves challenges: it is the better separated of the two. */
    return RAND_priv_bytes_ex(NULL, out, len, 0) == 1 ? OK : crypto_failed(ERR_CRYPTO);
}

struct random_source crypto_random(void)
{
    return (struct random_source){.fill = fill_random};
}
