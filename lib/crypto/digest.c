/* SPDX-License-Identifier: Apache-2.0
 *
 * Digests, and what is made of SHA-256: HMAC (RFC 2104) and HKDF (RFC 5869). */
#include "crypto_internal.h"

#include <string.h>

enum { SHA256_LEN = 32, HKDF_BLOCKS_MAX = 255, HKDF_PARTS_MAX = 8 };

static const size_t digest_lens[DIGEST_COUNT] = {20, 32, 48, 64};

size_t crypto_digest_len(enum digest d)
{
    return (unsigned)d < DIGEST_COUNT ? digest_lens[d] : 0;
}

enum err crypto_digest(struct crypto *c, enum digest d, const struct view *parts, size_t count, uint8_t *out)
{
    unsigned len = 0;
    if ((unsigned)d >= DIGEST_COUNT)
        return ERR_ARGUMENT;
    if (EVP_DigestInit_ex2(c->digest_ctx, c->digests[d], NULL) != 1)
        return crypto_failed(ERR_CRYPTO);
    for (size_t i = 0; i < count; i++)
        if (EVP_DigestUpdate(c->digest_ctx, parts[i].data, parts[i].len) != 1)
            return crypto_failed(ERR_CRYPTO);
    if (EVP_DigestFinal_ex(c->digest_ctx, out, &len) != 1 || len != digest_lens[d])
        return crypto_failed(ERR_CRYPTO);
    return OK;
}

enum err hmac_parts(struct crypto *c, struct view key, const struct view *parts, size_t count,
                    uint8_t out[SHA256_LEN])
{
    /* HMAC fills short keys up with zeros, so this is the same key; an empty one the library takes for "the
     * last". */
    static const uint8_t zero[SHA256_LEN];
    size_t len = 0;
    if (key.len == 0)
        key = VIEW_OF(zero);
    if (EVP_MAC_init(c->hmac_ctx, key.data, key.len, NULL) != 1)
        return crypto_failed(ERR_CRYPTO);
    for (size_t i = 0; i < count; i++)
        if (parts[i].len > 0 && EVP_MAC_update(c->hmac_ctx, parts[i].data, parts[i].len) != 1)
            return crypto_failed(ERR_CRYPTO);
    if (EVP_MAC_final(c->hmac_ctx, out, &len, SHA256_LEN) != 1 || len != SHA256_LEN)
        return crypto_failed(ERR_CRYPTO);
    return OK;
}

enum err crypto_hmac(struct crypto *c, struct view key, struct view in, uint8_t out[SHA256_LEN])
{
    return hmac_parts(c, key, &in, 1, out);
}

/* RFC 5869 2.2: an empty salt is a block of zeros, which is what hmac_parts makes of it. */
enum err hkdf_extract(struct crypto *c, struct view salt, const struct view *parts, size_t count,
                      uint8_t prk[SHA256_LEN])
{
    return hmac_parts(c, salt, parts, count, prk);
}

/* RFC 5869 2.3: T(i) = HMAC(prk, T(i-1) | info | i). */
enum err hkdf_expand(struct crypto *c, struct view prk, const struct view *parts, size_t count, uint8_t *out,
                     size_t out_len)
{
    struct view all[1 + HKDF_PARTS_MAX + 1] = {VIEW_NULL};
    uint8_t t[SHA256_LEN], i = 0;
    struct writer w;
    enum err e = OK;
    if (count > HKDF_PARTS_MAX || out_len > HKDF_BLOCKS_MAX * SHA256_LEN)
        return ERR_ARGUMENT;
    for (size_t part = 0; part < count; part++)
        all[1 + part] = parts[part];
    all[1 + count] = view_of(&i, 1);
    wr_fixed(&w, out, out_len);
    while (w.len < out_len && e == OK) {
        i++;
        e = hmac_parts(c, prk, all, count + 2, t);
        all[0] = VIEW_OF(t);
        if (e == OK)
            wr_view(&w, view_head(VIEW_OF(t), out_len - w.len));
    }
    wipe(t, sizeof(t));
    if (e != OK)
        wipe(out, out_len);
    return e;
}

enum err crypto_hkdf(struct crypto *c, struct view secret, struct view salt, struct view info, uint8_t *out,
                     size_t out_len)
{
    uint8_t prk[SHA256_LEN];
    enum err e = hkdf_extract(c, salt, &secret, 1, prk);
    if (e == OK)
        e = hkdf_expand(c, VIEW_OF(prk), &info, 1, out, out_len);
    wipe(prk, sizeof(prk));
    return e;
}
