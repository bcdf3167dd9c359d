/* links: cf_measure cf_crypto */
/* SPDX-License-Identifier: Apache-2.0
 *
 * What the primitives of lib/crypto cost beside the bare library: signatures, key agreement, and Triple-DES
 * over the commands of one card. The rows of methods are measured against the same bare sides. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <crypto/pk.h>

#include "measure.h"

/* OpenSSL has a type by the name of one of our outcomes. */
#define ERR_STATE openssl_err_state
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#undef ERR_STATE

enum { ROUNDS = 9, CHAINS_MAX = 520, CHAIN_LEN = 240, TEXT_LEN = 255, HASH = 32 };

static void die(const char *what)
{
    fprintf(stderr, "bench_primitives: %s\n", what);
    exit(1);
}

static void must(enum err e, const char *what)
{
    if (e != OK)
        die(what);
}

/* ---- signatures: SHA-256 and the signature in the form of cards, beside the signature alone ---- */

static const struct signature_row {
    const char *name;
    enum pk_algorithm algorithm;
    unsigned bits;
    enum pk_curve curve;
    enum pk_scheme scheme;
    int padding; /* of the bare side */
} signature_rows[] = {
    {"rsa2048_pkcs1", PK_RSA, 2048, CURVE_COUNT, PK_RSA_PKCS1, RSA_PKCS1_PADDING},
    {"rsa2048_pss", PK_RSA, 2048, CURVE_COUNT, PK_RSA_PSS, RSA_PKCS1_PSS_PADDING},
    {"rsa3072_pss", PK_RSA, 3072, CURVE_COUNT, PK_RSA_PSS, RSA_PKCS1_PSS_PADDING},
    {"dsa2048", PK_DSA, 2048, CURVE_COUNT, PK_DSA_PLAIN, 0},
    {"ecdsa_p256", PK_EC, 0, CURVE_P256, PK_ECDSA_PLAIN, 0},
    {"ecdsa_p384", PK_EC, 0, CURVE_P384, PK_ECDSA_PLAIN, 0},
    {"ecdsa_brainpoolP256r1", PK_EC, 0, CURVE_BRAINPOOL_P256R1, PK_ECDSA_PLAIN, 0},
};

struct signing {
    struct crypto *crypto;
    struct pk *key;
    enum pk_scheme scheme;
    uint8_t text[TEXT_LEN], signature[PK_SIGNATURE_MAX];
    size_t signature_len;
    EVP_PKEY *bare_key;
    EVP_PKEY_CTX *sign, *verify;
    uint8_t bare_signature[PK_SIGNATURE_MAX];
    size_t bare_len;
};

static int sign_ours(void *ctx)
{
    struct signing *s = ctx;
    struct writer w;
    const struct view text = VIEW_OF(s->text);
    wr_fixed(&w, s->signature, sizeof(s->signature));
    bool good = pk_sign(s->crypto, s->key, s->scheme, DIGEST_SHA256, &text, 1, &w) == OK;
    s->signature_len = w.len;
    return good;
}

static int sign_bare(void *ctx)
{
    struct signing *s = ctx;
    s->bare_len = sizeof(s->bare_signature);
    return EVP_PKEY_sign(s->sign, s->bare_signature, &s->bare_len, s->text, HASH) == 1;
}

static int verify_ours(void *ctx)
{
    struct signing *s = ctx;
    const struct view text = VIEW_OF(s->text);
    return pk_verify(s->crypto, s->key, s->scheme, DIGEST_SHA256, &text, 1,
                     view_of(s->signature, s->signature_len)) == OK;
}

static int verify_bare(void *ctx)
{
    struct signing *s = ctx;
    return EVP_PKEY_verify(s->verify, s->bare_signature, s->bare_len, s->text, HASH) == 1;
}

static void set_padding(EVP_PKEY_CTX *ctx, int padding)
{
    if (EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) != 1)
        die("no digest");
    if (padding != 0 && EVP_PKEY_CTX_set_rsa_padding(ctx, padding) != 1)
        die("no padding");
    if (padding == RSA_PKCS1_PSS_PADDING &&
        EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) != 1)
        die("no salt");
}

/* The same key in the bare library's hands. */
static EVP_PKEY *bare_key(const struct pk *k)
{
    uint8_t memory[PK_PRIVATE_MAX];
    const uint8_t *at = memory;
    struct writer w;
    wr_fixed(&w, memory, sizeof(memory));
    must(pk_put_pkcs8(k, &w), "no PKCS#8");
    EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &at, (long)w.len);
    if (key == NULL)
        die("the library does not read our key");
    return key;
}

static void make_bare(struct signing *s, int padding)
{
    s->bare_key = bare_key(s->key);
    s->sign = EVP_PKEY_CTX_new_from_pkey(NULL, s->bare_key, NULL);
    s->verify = EVP_PKEY_CTX_new_from_pkey(NULL, s->bare_key, NULL);
    if (s->sign == NULL || s->verify == NULL || EVP_PKEY_sign_init(s->sign) != 1 ||
        EVP_PKEY_verify_init(s->verify) != 1)
        die("no bare context");
    set_padding(s->sign, padding);
    set_padding(s->verify, padding);
}

static void measure_and_print(const char *kind, const char *name, work_fn *ours, work_fn *bare, void *ctx)
{
    char text[64];
    struct measured m = measure(ours, ctx, bare, ctx, ROUNDS);
    snprintf(text, sizeof(text), "%s_%s", kind, name);
    print_measured(text, &m);
}

static void run_signature(struct crypto *c, const struct signature_row *row)
{
    static struct signing s;
    s = (struct signing){.crypto = c, .scheme = row->scheme, .text = {1, 2, 3}};
    must(row->algorithm == PK_EC ? pk_generate_ec(c, row->curve, &s.key)
                                 : pk_generate(c, row->algorithm, row->bits, &s.key),
         "no key");
    make_bare(&s, row->padding);
    if (!sign_ours(&s) || !sign_bare(&s))
        die("no signature");
    measure_and_print("sign", row->name, sign_ours, sign_bare, &s);
    measure_and_print("verify", row->name, verify_ours, verify_bare, &s);
    EVP_PKEY_CTX_free(s.sign);
    EVP_PKEY_CTX_free(s.verify);
    EVP_PKEY_free(s.bare_key);
    pk_free(&s.key);
}

/* ---- agreement: with a point of the other side in bytes, beside the scalar multiplication alone ---- */

static const struct {
    const char *name;
    enum pk_curve curve;
} curve_rows[] = {{"p256", CURVE_P256},
                  {"p384", CURVE_P384},
                  {"p521", CURVE_P521},
                  {"brainpoolP256r1", CURVE_BRAINPOOL_P256R1}};

struct agreement {
    struct crypto *crypto;
    enum pk_curve curve;
    struct pk *own;
    uint8_t point[PK_POINT_MAX];
    size_t point_len;
    EVP_PKEY *bare_own, *bare_peer;
    EVP_PKEY_CTX *derive;
};

static int agree_ours(void *ctx)
{
    struct agreement *a = ctx;
    struct pk *peer = NULL;
    struct secret shared;
    bool good = pk_ec_public(a->curve, view_of(a->point, a->point_len), &peer) == OK &&
                pk_ecdh(a->crypto, a->own, peer, &shared) == OK;
    pk_free(&peer);
    return good;
}

static int agree_bare(void *ctx)
{
    struct agreement *a = ctx;
    uint8_t shared[PK_SHARED_MAX];
    size_t len = sizeof(shared);
    return EVP_PKEY_derive(a->derive, shared, &len) == 1;
}

static void run_agreement(struct crypto *c, const char *name, enum pk_curve curve)
{
    struct agreement a = {.crypto = c, .curve = curve};
    struct pk *peer = NULL;
    struct writer w;
    must(pk_generate_ec(c, curve, &a.own), "no key");
    must(pk_generate_ec(c, curve, &peer), "no key");
    wr_fixed(&w, a.point, sizeof(a.point));
    must(pk_put_point(peer, &w), "no point");
    a.point_len = w.len;
    a.bare_own = bare_key(a.own);
    a.bare_peer = bare_key(peer);
    a.derive = EVP_PKEY_CTX_new_from_pkey(NULL, a.bare_own, NULL);
    if (a.derive == NULL || EVP_PKEY_derive_init(a.derive) != 1 ||
        EVP_PKEY_derive_set_peer_ex(a.derive, a.bare_peer, 0) != 1)
        die("no bare context");
    measure_and_print("agree", name, agree_ours, agree_bare, &a);
    EVP_PKEY_CTX_free(a.derive);
    EVP_PKEY_free(a.bare_own);
    EVP_PKEY_free(a.bare_peer);
    pk_free(&peer);
    pk_free(&a.own);
}

/* ---- Triple-DES: C-ENC of SCP02 over the LOAD commands of one card ---- */

static const struct {
    const char *name;
    size_t file_len;
} des_rows[] = {{"scp02_cenc_3k", 3 * 1024}, {"scp02_cenc_30k", 30 * 1024}, {"scp02_cenc_120k", 120 * 1024}};

struct chains {
    struct crypto *crypto;
    uint8_t key[16], data[CHAINS_MAX][CHAIN_LEN];
    struct cipher_job jobs[CHAINS_MAX];
    size_t count;
    EVP_CIPHER *cipher;
    EVP_CIPHER_CTX *ctx;
};

static int encrypt_ours(void *ctx)
{
    static const uint8_t iv[DES_BLOCK];
    struct chains *x = ctx;
    return crypto_des3_cbc_encrypt_many(x->crypto, VIEW_OF(x->key), iv, x->jobs, x->count) == OK;
}

/* All bytes in one call, as if they were one chain. */
static int encrypt_bare(void *ctx)
{
    static const uint8_t iv[DES_BLOCK];
    struct chains *x = ctx;
    int len = 0;
    return EVP_CipherInit_ex2(x->ctx, NULL, NULL, iv, 1, NULL) == 1 &&
           EVP_CipherUpdate(x->ctx, x->data[0], &len, x->data[0], (int)(x->count * CHAIN_LEN)) == 1;
}

/* 239 bytes and padding: what fits a short command beside the C-MAC. */
static void run_des(struct crypto *c, const char *name, size_t file_len)
{
    static struct chains x;
    const size_t block = CHAIN_LEN - 1;
    x = (struct chains){.crypto = c, .key = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}};
    x.count = (file_len + block - 1) / block;
    for (size_t i = 0; i < x.count; i++)
        x.jobs[i] = (struct cipher_job){VIEW_OF(x.data[i]), x.data[i]};
    x.cipher = EVP_CIPHER_fetch(NULL, "DES-EDE-CBC", NULL);
    x.ctx = EVP_CIPHER_CTX_new();
    if (x.cipher == NULL || x.ctx == NULL || EVP_CipherInit_ex2(x.ctx, x.cipher, x.key, NULL, 1, NULL) != 1 ||
        EVP_CIPHER_CTX_set_padding(x.ctx, 0) != 1)
        die("no cipher");
    struct measured m = measure(encrypt_ours, &x, encrypt_bare, &x, ROUNDS_DEFAULT);
    print_measured(name, &m);
    EVP_CIPHER_CTX_free(x.ctx);
    EVP_CIPHER_free(x.cipher);
}

int main(void)
{
    struct crypto *c = NULL;
    must(crypto_new(&c), "the cryptographic library failed");
    printf("# name ratio: CPU time of the bare library / ours. sign and verify: a command of 255 bytes, "
           "digest and "
           "r | s\n# included, beside the signature of a digest; agree: from the other side's point in "
           "bytes, beside "
           "one scalar\n# multiplication; cenc: the LOAD commands of one card, beside Triple-DES CBC over "
           "the same "
           "bytes\n");
    for (size_t i = 0; i < sizeof(des_rows) / sizeof(des_rows[0]); i++)
        run_des(c, des_rows[i].name, des_rows[i].file_len);
    for (size_t i = 0; i < sizeof(signature_rows) / sizeof(signature_rows[0]); i++)
        run_signature(c, &signature_rows[i]);
    for (size_t i = 0; i < sizeof(curve_rows) / sizeof(curve_rows[0]); i++)
        run_agreement(c, curve_rows[i].name, curve_rows[i].curve);
    crypto_free(&c);
    return 0;
}
