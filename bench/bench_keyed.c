/* links: cf_measure cf_gp cf_crypto cf_vectors */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Methods with key pairs: what the server's side of SCP11 costs beside its elliptic-curve operations alone,
 * and what signed commands cost beside their signatures alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gp/channel/signed.h>
#include <gp/command.h>
#include <support/vectors.h>
#include <tlv/tlv.h>

#include "measure.h"

/* OpenSSL has a type by the name of one of our outcomes. */
#define ERR_STATE openssl_err_state
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#undef ERR_STATE

enum { COMMANDS_MAX = 512, FILE_LEN = 30 * 1024, KVN = 0x30, ROUNDS = 9 };

static const uint64_t now_ms = 1900000000000;
static uint8_t file[FILE_LEN];

static void die(const char *what)
{
    fprintf(stderr, "bench_keyed: %s\n", what);
    exit(1);
}

static void must(enum err e, const char *what)
{
    if (e != OK) {
        fprintf(stderr, "bench_keyed: %s: %s\n", what, err_name(e));
        exit(1);
    }
}

/* ---- signed commands ---- */

static const struct signing_row {
    const char *name;
    uint8_t i, level;
} signing_rows[] = {
    {"f0_rsa2048_30k", 1, 0x01}, {"f0_rsa3072_30k", 2, 0x01},   {"f0_dsa2048_30k", 3, 0x01},
    {"f0_p256_30k", 4, 0x01},    {"f0_p256_30k_cenc", 4, 0x03}, {"f0_p384_30k", 5, 0x01},
};

struct signing {
    struct crypto *crypto;
    const struct signed_variant *variant;
    uint8_t level;
    struct pk *server, *server_public, *card, *card_public;
    struct channel_opening o;
    struct rapdu answer;
    struct apdu plain[COMMANDS_MAX], wrapped[COMMANDS_MAX];
    size_t count;
    struct writer storage, card_says, external;
    EVP_PKEY *bare_key, *bare_card;
    EVP_PKEY_CTX *bare, *bare_verify, *bare_keygen, *bare_derive; /* the last two: where a key is carried */
    uint8_t bare_signature[PK_SIGNATURE_MAX + 16];
    size_t bare_signature_len;
    uint8_t digest[DIGEST_MAX];
};

/* From the card's answer to the last signed command. */
static int sign_all(void *ctx)
{
    struct signing *s = ctx;
    const struct channel_keys keys = {.host = s->server, .peer = s->card_public};
    struct channel *ch = NULL;
    wr_clear(&s->storage);
    wr_clear(&s->external);
    bool good = channel_accept(&ch, s->crypto, &s->o, &keys, &s->answer, 1) == OK &&
                channel_external_authenticate(ch, s->crypto, &s->external) == OK &&
                channel_wrap(ch, s->crypto, s->plain, s->count, s->wrapped, &s->storage) == OK;
    channel_free(&ch);
    return good;
}

static bool carry_bare(struct signing *s)
{
    uint8_t shared[PK_SHARED_MAX];
    size_t len = sizeof(shared);
    EVP_PKEY *made = NULL;
    if (s->bare_keygen == NULL)
        return true;
    bool good = EVP_PKEY_generate(s->bare_keygen, &made) == 1 &&
                EVP_PKEY_derive_set_peer_ex(s->bare_derive, s->bare_card, 0) == 1 &&
                EVP_PKEY_derive(s->bare_derive, shared, &len) == 1;
    EVP_PKEY_free(made);
    return good;
}

/* As many signatures, of a digest that is there, and the card's verified; with encryption the ephemeral key
 * and the agreement. */
static int sign_bare(void *ctx)
{
    struct signing *s = ctx;
    const size_t digest_len = crypto_digest_len(s->variant->digest);
    uint8_t signature[PK_SIGNATURE_MAX + 16];
    for (size_t n = 0; n < s->count + 1; n++) {
        size_t len = sizeof(signature);
        if (EVP_PKEY_sign(s->bare, signature, &len, s->digest, digest_len) != 1)
            return 0;
    }
    return carry_bare(s) && EVP_PKEY_verify(s->bare_verify, s->bare_signature, s->bare_signature_len,
                                            s->digest, digest_len) == 1;
}

/* docs/signed-commands.md, INITIALIZE UPDATE: M1 and the answer. */
static void answer_as_card(struct signing *s)
{
    static const uint8_t kdd[KDD_LEN], challenge[SIGNED_CHALLENGE];
    uint8_t memory[512], print[DIGEST_MAX];
    const struct signed_variant *v = s->variant;
    const size_t len = crypto_digest_len(v->digest);
    struct writer m1;
    wr_fixed(&m1, memory, sizeof(memory));
    signed_begin_message(&m1, SIGNED_OPENING);
    wr_u8(&m1, v->i);
    wr_u8(&m1, KVN);
    must(signed_fingerprint(s->crypto, v, s->server_public, print), "fingerprint");
    wr_bytes(&m1, print, len);
    must(signed_fingerprint(s->crypto, v, s->card_public, print), "fingerprint");
    wr_bytes(&m1, print, len);
    wr_view(&m1, VIEW_OF(kdd));
    wr_view(&m1, s->o.commands[0].data);
    wr_view(&m1, VIEW_OF(challenge));
    const struct view message = wr_view_of(&m1);
    wr_heap(&s->card_says, 1024);
    wr_view(&s->card_says, VIEW_OF(kdd));
    wr_u8(&s->card_says, KVN);
    wr_u8(&s->card_says, SCP_SIGNED);
    wr_u8(&s->card_says, v->i);
    wr_view(&s->card_says, VIEW_OF(challenge));
    must(pk_sign(s->crypto, s->card, v->scheme, v->digest, &message, 1, &s->card_says), "card's signature");
    s->answer = (struct rapdu){wr_view_of(&s->card_says), SW_OK};
}

static void set_scheme(const struct signing *s, EVP_PKEY_CTX *ctx)
{
    const EVP_MD *md = s->variant->digest == DIGEST_SHA384 ? EVP_sha384() : EVP_sha256();
    if (EVP_PKEY_CTX_set_signature_md(ctx, md) != 1)
        die("no digest");
    if (s->variant->algorithm == PK_RSA &&
        (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) != 1 ||
         EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) != 1))
        die("no PSS");
}

static void make_bare_carrier(struct signing *s)
{
    s->bare_keygen = EVP_PKEY_CTX_new_from_pkey(NULL, s->bare_key, NULL);
    s->bare_derive = EVP_PKEY_CTX_new_from_pkey(NULL, s->bare_key, NULL);
    if (s->bare_derive == NULL || s->bare_keygen == NULL || EVP_PKEY_keygen_init(s->bare_keygen) != 1 ||
        EVP_PKEY_derive_init(s->bare_derive) != 1)
        die("no bare agreement");
}

static void make_bare_signer(struct signing *s, struct view der, struct view card)
{
    const unsigned char *at = der.data, *card_at = card.data;
    s->bare_key = d2i_AutoPrivateKey(NULL, &at, (long)der.len);
    s->bare_card = d2i_PUBKEY(NULL, &card_at, (long)card.len);
    s->bare = EVP_PKEY_CTX_new_from_pkey(NULL, s->bare_key, NULL);
    s->bare_verify = EVP_PKEY_CTX_new_from_pkey(NULL, s->bare_key, NULL);
    if (s->bare == NULL || s->bare_verify == NULL || EVP_PKEY_sign_init(s->bare) != 1 ||
        EVP_PKEY_verify_init(s->bare_verify) != 1)
        die("no bare signer");
    set_scheme(s, s->bare);
    set_scheme(s, s->bare_verify);
    s->bare_signature_len = sizeof(s->bare_signature);
    if (EVP_PKEY_sign(s->bare, s->bare_signature, &s->bare_signature_len, s->digest,
                      crypto_digest_len(s->variant->digest)) != 1)
        die("no bare signature");
    if ((s->level & LEVEL_C_DECRYPTION) != 0)
        make_bare_carrier(s);
}

/* LOAD commands; as long as short ones where they are, and as a card with 1 KB of buffer takes them. */
static void make_loads(struct signing *s)
{
    const struct channel_method *m = channel_method(SCP_SIGNED, s->variant->i);
    size_t block = channel_block_size(m, s->level);
    if (block == 0)
        block = 512;
    for (size_t at = 0; at < FILE_LEN; at += block)
        s->plain[s->count++] = (struct apdu){
            .cla = 0x80, .ins = INS_LOAD, .data = view_head(view_of(file + at, FILE_LEN - at), block)};
    wr_heap(&s->storage, channel_wrapped_max(s->plain, s->count));
    wr_heap(&s->external, EXTERNAL_AUTHENTICATE_MAX);
}

static void take_keys(struct signing *s)
{
    const json_t *row = json_array_get(vectors_load("signed/keys.json"), s->variant->i - 1u);
    must(pk_from_pkcs8(vector_bytes(row, "server"), &s->server), "server's key");
    must(pk_from_spki(vector_bytes(row, "server_public"), &s->server_public), "server's key");
    must(pk_from_pkcs8(vector_bytes(row, "card"), &s->card), "card's key");
    must(pk_from_spki(vector_bytes(row, "card_public"), &s->card_public), "card's key");
    make_bare_signer(s, vector_bytes(row, "server"), vector_bytes(row, "card_public"));
}

static void bench_signing(struct crypto *c, const struct signing_row *row)
{
    static struct signing s;
    s = (struct signing){.crypto = c, .variant = signed_variant(row->i), .level = row->level};
    const struct channel_request request = {
        .method = channel_method(SCP_SIGNED, row->i), .level = row->level, .kvn = KVN};
    take_keys(&s);
    make_loads(&s);
    must(channel_begin(&s.o, c, crypto_random(), &request, NULL), "begin");
    answer_as_card(&s);
    struct measured m = measure(sign_all, &s, sign_bare, &s, ROUNDS);
    print_measured(row->name, &m);
    channel_opening_finish(&s.o);
    wr_free(&s.storage);
    wr_free(&s.card_says);
    wr_free(&s.external);
    pk_free(&s.server);
    pk_free(&s.server_public);
    pk_free(&s.card);
    pk_free(&s.card_public);
    EVP_PKEY_CTX_free(s.bare);
    EVP_PKEY_CTX_free(s.bare_verify);
    EVP_PKEY_CTX_free(s.bare_keygen);
    EVP_PKEY_CTX_free(s.bare_derive);
    EVP_PKEY_free(s.bare_key);
    EVP_PKEY_free(s.bare_card);
}

/* ---- SCP11 ---- */

static const struct agreement_row {
    const char *name, *curve;
    uint8_t i;
} agreement_rows[] = {
    {"scp11a_p256", "P-256", 0x01},
    {"scp11b_p256", "P-256", 0x00},
    {"scp11c_p256", "P-256", 0x03},
    {"scp11a_p384", "P-384", 0x01},
    {"scp11a_bp256", "brainpoolP256r1", 0x01},
};

struct agreement {
    struct crypto *crypto;
    struct channel_request request;
    struct channel_keys keys;
    struct pk *host, *card, *trust, *ephemeral;
    struct view certificate;
    struct channel_opening o;
    struct rapdu answers[OPENING_COMMANDS_MAX];
    struct writer store, agreed;
    EVP_PKEY *bare_own, *bare_peer, *bare_trust;
    EVP_PKEY_CTX *bare_keygen, *bare_derive;
    X509 *bare_certificate;
};

/* One opening is begun, another one is accepted: its answers were made before. */
static int agree(void *ctx)
{
    struct agreement *a = ctx;
    struct channel_opening o;
    struct channel *ch = NULL;
    if (channel_begin(&o, a->crypto, crypto_random(), &a->request, &a->keys) != OK)
        return 0;
    channel_opening_finish(&o);
    bool good = channel_accept(&ch, a->crypto, &a->o, &a->keys, a->answers, a->o.count) == OK;
    channel_free(&ch);
    return good;
}

/* One key made, two agreements, one certificate verified. */
static int agree_bare(void *ctx)
{
    struct agreement *a = ctx;
    uint8_t shared[PK_SHARED_MAX];
    EVP_PKEY *made = NULL;
    size_t len;
    bool good = EVP_PKEY_generate(a->bare_keygen, &made) == 1;
    for (int n = 0; n < 2 && good; n++) {
        len = sizeof(shared);
        good = EVP_PKEY_derive_set_peer_ex(a->bare_derive, a->bare_peer, 0) == 1 &&
               EVP_PKEY_derive(a->bare_derive, shared, &len) == 1;
    }
    good = good && X509_verify(a->bare_certificate, a->bare_trust) == 1;
    EVP_PKEY_free(made);
    return good;
}

static const json_t *row_of(const char *id)
{
    json_t *rows = vectors_load("scp11/chain.json"), *row;
    size_t n;
    json_array_foreach(rows, n, row)
    {
        if (strcmp(vector_text(row, "id"), id) == 0)
            return row;
    }
    die("no such row");
    return NULL;
}

static EVP_PKEY *bare_of(const struct pk *k, bool is_private)
{
    uint8_t memory[PK_PRIVATE_MAX];
    struct writer w;
    wr_fixed(&w, memory, sizeof(memory));
    must(is_private ? pk_put_pkcs8(k, &w) : pk_put_spki(k, &w), "encode");
    const unsigned char *at = w.data;
    return is_private ? d2i_AutoPrivateKey(NULL, &at, (long)w.len) : d2i_PUBKEY(NULL, &at, (long)w.len);
}

static void make_bare_agreement(struct agreement *a, const char *curve)
{
    struct view der = vector_bytes(row_of(curve), "certificate");
    const unsigned char *at = der.data;
    const char *group = strcmp(curve, "P-256") == 0   ? "prime256v1"
                        : strcmp(curve, "P-384") == 0 ? "secp384r1"
                                                      : curve;
    a->bare_own = bare_of(a->host, true);
    a->bare_peer = bare_of(a->card, false);
    a->bare_trust = bare_of(a->trust, false);
    a->bare_certificate = d2i_X509(NULL, &at, (long)der.len);
    a->bare_keygen = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    a->bare_derive = EVP_PKEY_CTX_new_from_pkey(NULL, a->bare_own, NULL);
    if (a->bare_certificate == NULL || a->bare_keygen == NULL || a->bare_derive == NULL ||
        EVP_PKEY_keygen_init(a->bare_keygen) != 1 ||
        EVP_PKEY_CTX_set_group_name(a->bare_keygen, group) != 1 || EVP_PKEY_derive_init(a->bare_derive) != 1)
        die("no bare agreement");
}

static void put_point(struct writer *out, const struct pk *k)
{
    uint8_t memory[PK_POINT_MAX];
    struct writer point;
    wr_fixed(&point, memory, sizeof(memory));
    must(pk_put_point(k, &point), "point");
    tlv_put(out, 0x5F49, wr_view_of(&point));
}

/* The card's half of the agreement: 5F49 its key | 86 receipt. */
static void card_receipt(struct agreement *a, struct view sent, struct pk *answered)
{
    struct secret shared[2] = {0};
    struct view point;
    struct pk *host_ephemeral = NULL;
    uint8_t keys[5 * 16 + 32], receipt[CMAC_LEN], info[] = {0x3C, 0x88, 0x10};
    bool mutual = a->keys.host != NULL;
    if (!tlv_find(sent, 0x5F49, &point))
        die("no point");
    must(pk_ec_public(pk_ec_curve(a->card), point, &host_ephemeral), "point");
    must(pk_ecdh(a->crypto, answered, host_ephemeral, &shared[0]), "agreement");
    must(pk_ecdh(a->crypto, a->card, mutual ? a->host : host_ephemeral, &shared[1]), "agreement");
    const struct view points[] = {secret_view(&shared[0]), secret_view(&shared[1])};
    must(crypto_x963_kdf(a->crypto, DIGEST_SHA256, points, 2, VIEW_OF(info), keys, 5 * 16), "derivation");
    put_point(&a->agreed, answered);
    const struct view both[] = {sent, wr_view_of(&a->agreed)};
    must(crypto_cmac(a->crypto, view_of(keys, 16), both, 2, receipt), "receipt");
    tlv_put(&a->agreed, 0x86, VIEW_OF(receipt));
    pk_free(&host_ephemeral);
}

static void take_pairs(struct agreement *a, const struct agreement_row *row)
{
    enum pk_curve curve;
    const json_t *keys = row_of(row->curve);
    must(pk_curve_by_name(row->curve, &curve), "curve");
    must(pk_ec_private(curve, vector_bytes(keys, "host"), &a->host), "host's key");
    must(pk_ec_private(curve, vector_bytes(keys, "card"), &a->card), "card's key");
    must(pk_from_spki(vector_bytes(row_of("authorities"), "ca"), &a->trust), "authority");
    must(pk_generate_ec(a->crypto, curve, &a->ephemeral), "ephemeral key");
    a->certificate = vector_bytes(keys, "host_certificate");
    a->request = (struct channel_request){
        .method = channel_method(SCP11, row->i), .level = 0x33, .kvn = KVN, .curve = curve, .now_ms = now_ms};
    a->keys = (struct channel_keys){.host = (row->i & 1) != 0 ? a->host : NULL,
                                    .peer = a->trust,
                                    .certificates = &a->certificate,
                                    .certificate_count = 1};
}

static void answer_agreement(struct agreement *a, const struct agreement_row *row)
{
    must(channel_begin(&a->o, a->crypto, crypto_random(), &a->request, &a->keys), "begin");
    wr_heap(&a->store, 1024);
    wr_heap(&a->agreed, 512);
    tlv_put(&a->store, 0xBF21, vector_bytes(row_of(row->curve), "certificate"));
    card_receipt(a, a->o.commands[a->o.count - 1].data, (row->i & 2) != 0 ? a->card : a->ephemeral);
    for (size_t n = 0; n < a->o.count; n++)
        a->answers[n] = (struct rapdu){.sw = SW_OK};
    a->answers[0].data = wr_view_of(&a->store);
    a->answers[a->o.count - 1].data = wr_view_of(&a->agreed);
}

static void bench_agreement(struct crypto *c, const struct agreement_row *row)
{
    static struct agreement a;
    a = (struct agreement){.crypto = c};
    take_pairs(&a, row);
    make_bare_agreement(&a, row->curve);
    answer_agreement(&a, row);
    struct measured m = measure(agree, &a, agree_bare, &a, ROUNDS_DEFAULT);
    print_measured(row->name, &m);
    channel_opening_finish(&a.o);
    wr_free(&a.store);
    wr_free(&a.agreed);
    pk_free(&a.host);
    pk_free(&a.card);
    pk_free(&a.trust);
    pk_free(&a.ephemeral);
    EVP_PKEY_CTX_free(a.bare_keygen);
    EVP_PKEY_CTX_free(a.bare_derive);
    EVP_PKEY_free(a.bare_own);
    EVP_PKEY_free(a.bare_peer);
    EVP_PKEY_free(a.bare_trust);
    X509_free(a.bare_certificate);
}

int main(void)
{
    struct crypto *c = NULL;
    must(crypto_new(&c), "the cryptographic library");
    printf(
        "# f0: CPU time of the signatures alone / CPU time from the card's answer to the last signed "
        "command\n"
        "# scp11: CPU time of one key made, two agreements and one certificate verified / CPU time of the\n"
        "# server's part of an opening\n");
    for (size_t n = 0; n < sizeof(signing_rows) / sizeof(signing_rows[0]); n++)
        bench_signing(c, &signing_rows[n]);
    for (size_t n = 0; n < sizeof(agreement_rows) / sizeof(agreement_rows[0]); n++)
        bench_agreement(c, &agreement_rows[n]);
    vectors_free();
    crypto_free(&c);
    return 0;
}
