/* SPDX-License-Identifier: Apache-2.0
 *
 * RFC 9180 in mode base, one message per key: section by section, with the names of the RFC. */
#include "crypto_internal.h"

#include <string.h>

enum {
    KEM_ID = 0x0020, /* DHKEM(X25519, HKDF-SHA256) */
    KDF_ID = 0x0001, /* HKDF-SHA256 */
    MODE_BASE = 0x00,
    HASH = 32,
    KEY_MAX = 32,
    SUITE_MAX = 10,
    CONTEXT_LEN = 1 + 2 * HASH
};

const struct hpke_aead hpke_aes128 = {0x0001, 16}, hpke_aes256 = {0x0002, 32};

/* What the labels of a step are bound to (RFC 9180 4.1 and 5.1): "KEM" or "HPKE" and the algorithms. */
struct suite {
    uint8_t bytes[SUITE_MAX];
    size_t len;
};

static struct view suite_view(const struct suite *s)
{
    return view_of(s->bytes, s->len);
}

static struct suite kem_suite(void)
{
    struct suite s;
    struct writer w;
    wr_fixed(&w, s.bytes, sizeof(s.bytes));
    wr_view(&w, view_str("KEM"));
    wr_u16(&w, KEM_ID);
    s.len = w.len;
    return s;
}

static struct suite hpke_suite(const struct hpke_aead *aead)
{
    struct suite s;
    struct writer w;
    wr_fixed(&w, s.bytes, sizeof(s.bytes));
    wr_view(&w, view_str("HPKE"));
    wr_u16(&w, KEM_ID);
    wr_u16(&w, KDF_ID);
    wr_u16(&w, aead->id);
    s.len = w.len;
    return s;
}

/* RFC 9180 4: LabeledExtract. */
static enum err labeled_extract(struct crypto *c, const struct suite *suite, struct view salt,
                                const char *label, struct view ikm, uint8_t prk[HASH])
{
    const struct view parts[] = {view_str("HPKE-v1"), suite_view(suite), view_str(label), ikm};
    return hkdf_extract(c, salt, parts, sizeof(parts) / sizeof(parts[0]), prk);
}

/* RFC 9180 4: LabeledExpand. */
static enum err labeled_expand(struct crypto *c, const struct suite *suite, const uint8_t prk[HASH],
                               const char *label, struct view info, uint8_t *out, size_t out_len)
{
    uint8_t length[2];
    struct writer w;
    wr_fixed(&w, length, sizeof(length));
    wr_u16(&w, (uint16_t)out_len);
    const struct view parts[] = {wr_view_of(&w), view_str("HPKE-v1"), suite_view(suite), view_str(label),
                                 info};
    return hkdf_expand(c, view_of(prk, HASH), parts, sizeof(parts) / sizeof(parts[0]), out, out_len);
}

enum err hpke_public(const uint8_t private_key[HPKE_KEY], uint8_t public_key[HPKE_KEY])
{
    uint8_t bytes[HPKE_KEY];
    size_t len = sizeof(bytes);
    enum err e = ERR_CRYPTO;
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key_ex(NULL, "X25519", NULL, private_key, HPKE_KEY);
    if (key == NULL || EVP_PKEY_get_raw_public_key(key, bytes, &len) != 1 || len != sizeof(bytes))
        goto out;
    memcpy(public_key, bytes, sizeof(bytes));
    e = OK;
out:
    EVP_PKEY_free(key);
    return e == OK ? OK : crypto_failed(e);
}

/* RFC 9180 7.1.4: an all-zero result means a public key of low order; the library refuses to derive it.
 * ERR_ARGUMENT then. */
static enum err dh(const uint8_t private_key[HPKE_KEY], const uint8_t public_key[HPKE_KEY],
                   uint8_t out[HPKE_KEY])
{
    size_t len = HPKE_KEY;
    enum err e = ERR_CRYPTO;
    EVP_PKEY_CTX *ctx = NULL;
    EVP_PKEY *mine = EVP_PKEY_new_raw_private_key_ex(NULL, "X25519", NULL, private_key, HPKE_KEY);
    EVP_PKEY *theirs = EVP_PKEY_new_raw_public_key_ex(NULL, "X25519", NULL, public_key, HPKE_KEY);
    if (mine == NULL || theirs == NULL)
        goto out;
    ctx = EVP_PKEY_CTX_new_from_pkey(NULL, mine, NULL);
    if (ctx == NULL || EVP_PKEY_derive_init(ctx) != 1 || EVP_PKEY_derive_set_peer_ex(ctx, theirs, 0) != 1)
        goto out;
    e = EVP_PKEY_derive(ctx, out, &len) == 1 && len == HPKE_KEY ? OK : ERR_ARGUMENT;
out:
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(theirs);
    EVP_PKEY_free(mine);
    return e == OK ? OK : crypto_failed(e);
}

/* RFC 9180 4.1: ExtractAndExpand, with enc | pkRm as the context of the exchange. */
static enum err shared_secret(struct crypto *c, const uint8_t private_key[HPKE_KEY],
                              const uint8_t peer[HPKE_KEY], const uint8_t enc[HPKE_KEY],
                              const uint8_t receiver[HPKE_KEY], uint8_t out[HASH])
{
    const struct suite suite = kem_suite();
    uint8_t zz[HPKE_KEY], prk[HASH], context[2 * HPKE_KEY];
    struct writer w;
    wr_fixed(&w, context, sizeof(context));
    wr_bytes(&w, enc, HPKE_KEY);
    wr_bytes(&w, receiver, HPKE_KEY);
    enum err e = dh(private_key, peer, zz);
    if (e == OK)
        e = labeled_extract(c, &suite, VIEW_NULL, "eae_prk", VIEW_OF(zz), prk);
    if (e == OK)
        e = labeled_expand(c, &suite, prk, "shared_secret", wr_view_of(&w), out, HASH);
    wipe(zz, sizeof(zz));
    wipe(prk, sizeof(prk));
    return e;
}

struct schedule {
    uint8_t key[KEY_MAX], nonce[GCM_NONCE];
};

/* RFC 9180 5.1: KeySchedule without a pre-shared key. The nonce of the first message is base_nonce itself
 * (5.2). */
static enum err key_schedule(struct crypto *c, const struct hpke_aead *aead, const uint8_t shared[HASH],
                             struct view info, struct schedule *out)
{
    const struct suite suite = hpke_suite(aead);
    uint8_t psk_id_hash[HASH], info_hash[HASH], secret[HASH], context[CONTEXT_LEN];
    struct writer w;
    wr_fixed(&w, context, sizeof(context));
    enum err e = labeled_extract(c, &suite, VIEW_NULL, "psk_id_hash", VIEW_NULL, psk_id_hash);
    if (e == OK)
        e = labeled_extract(c, &suite, VIEW_NULL, "info_hash", info, info_hash);
    if (e != OK)
        goto out;
    wr_u8(&w, MODE_BASE);
    wr_view(&w, VIEW_OF(psk_id_hash));
    wr_view(&w, VIEW_OF(info_hash));
    e = labeled_extract(c, &suite, view_of(shared, HASH), "secret", VIEW_NULL, secret);
    if (e == OK)
        e = labeled_expand(c, &suite, secret, "key", wr_view_of(&w), out->key, aead->key_len);
    if (e == OK)
        e = labeled_expand(c, &suite, secret, "base_nonce", wr_view_of(&w), out->nonce, GCM_NONCE);
out:
    wipe(secret, sizeof(secret));
    return e;
}

enum err hpke_seal_with(struct crypto *c, const struct hpke_aead *aead, struct random_source random,
                        const uint8_t public_key[HPKE_KEY], struct view info, struct view aad, struct view in,
                        struct writer *out)
{
    uint8_t ephemeral[HPKE_KEY], enc[HPKE_KEY], shared[HASH];
    struct schedule schedule = {0};
    struct writer sealed;
    wr_heap(&sealed, in.len + HPKE_OVERHEAD);
    enum err e = random.fill(random.ctx, ephemeral, sizeof(ephemeral));
    if (e == OK)
        e = hpke_public(ephemeral, enc);
    if (e == OK)
        e = shared_secret(c, ephemeral, public_key, enc, public_key, shared);
    if (e == OK)
        e = key_schedule(c, aead, shared, info, &schedule);
    if (e != OK)
        goto out;
    wr_view(&sealed, VIEW_OF(enc));
    e = gcm_seal(c, view_of(schedule.key, aead->key_len), schedule.nonce, aad, in, &sealed);
    if (e != OK)
        goto out;
    wr_view(out, wr_view_of(&sealed));
    e = wr_status(out);
out:
    wr_free(&sealed);
    wipe(&schedule, sizeof(schedule));
    wipe(shared, sizeof(shared));
    wipe(ephemeral, sizeof(ephemeral));
    return e;
}

enum err hpke_open_with(struct crypto *c, const struct hpke_aead *aead, const uint8_t private_key[HPKE_KEY],
                        struct view info, struct view aad, struct view in, struct writer *out)
{
    uint8_t receiver[HPKE_KEY], enc[HPKE_KEY], shared[HASH];
    struct schedule schedule = {0};
    struct reader r;
    if (in.len < HPKE_OVERHEAD)
        return ERR_FORMAT;
    rd_init(&r, in);
    rd_copy(&r, enc, sizeof(enc));
    enum err e = hpke_public(private_key, receiver);
    if (e == OK)
        e = shared_secret(c, private_key, enc, enc, receiver, shared);
    if (e == ERR_ARGUMENT) /* enc is of low order: nobody honest sent it */
        e = ERR_AUTH;
    if (e == OK)
        e = key_schedule(c, aead, shared, info, &schedule);
    if (e == OK)
        e = gcm_open(c, view_of(schedule.key, aead->key_len), schedule.nonce, aad, rd_rest(&r), out);
    wipe(&schedule, sizeof(schedule));
    wipe(shared, sizeof(shared));
    return e;
}

enum err hpke_seal(struct crypto *c, struct random_source random, const uint8_t public_key[HPKE_KEY],
                   struct view info, struct view aad, struct view in, struct writer *out)
{
    return hpke_seal_with(c, &hpke_aes256, random, public_key, info, aad, in, out);
}

enum err hpke_open(struct crypto *c, const uint8_t private_key[HPKE_KEY], struct view info, struct view aad,
                   struct view in, struct writer *out)
{
    return hpke_open_with(c, &hpke_aes256, private_key, info, aad, in, out);
}
