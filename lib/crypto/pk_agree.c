/* SPDX-License-Identifier: Apache-2.0
 *
 * Key agreement on elliptic curves, what is derived from the agreed value, and key transport with RSA. */
#include "pk_internal.h"

#include <base/limits.h>

enum { X963_PARTS_MAX = 4 };

enum err pk_ecdh(struct crypto *c, struct pk *own, struct pk *peer, struct secret *shared)
{
    EVP_PKEY_CTX *ctx = NULL;
    size_t len = PK_SHARED_MAX;
    if (own->algorithm != PK_EC || peer->algorithm != PK_EC || own->curve != peer->curve)
        return ERR_ARGUMENT;
    if (!own->is_private)
        return ERR_STATE;
    enum err e = pk_context(own, USE_DERIVE, SCHEME_ECDH, c, DIGEST_SHA256, &ctx);
    if (e != OK)
        return e;
    secret_wipe(shared);
    /* No second check of the point: no struct pk holds one that is not on its curve. */
    if (EVP_PKEY_derive_set_peer_ex(ctx, peer->key, 0) != 1 ||
        EVP_PKEY_derive(ctx, shared->data, &len) != 1 || len != pk_curve_len(own->curve)) {
        secret_wipe(shared);
        return crypto_failed(ERR_CRYPTO);
    }
    shared->len = len;
    return OK;
}

enum err crypto_x963_kdf(struct crypto *c, enum digest digest, const struct view *shared, size_t shared_count,
                         struct view info, uint8_t *out, size_t out_len)
{
    struct view parts[X963_PARTS_MAX + 2];
    uint8_t block[DIGEST_MAX], number[4];
    enum err e = OK;
    struct writer w;
    if (shared_count > X963_PARTS_MAX || crypto_digest_len(digest) == 0 || out_len > KDF_OUT_MAX)
        return ERR_ARGUMENT;
    for (size_t i = 0; i < shared_count; i++)
        parts[i] = shared[i];
    parts[shared_count] = VIEW_OF(number);
    parts[shared_count + 1] = info;
    wr_fixed(&w, out, out_len);
    for (uint32_t counter = 1; w.len < out_len && e == OK; counter++) {
        struct writer count;
        wr_fixed(&count, number, sizeof(number));
        wr_u32(&count, counter);
        e = crypto_digest(c, digest, parts, shared_count + 2, block);
        if (e == OK)
            wr_view(&w, view_head(view_of(block, crypto_digest_len(digest)), out_len - w.len));
    }
    wipe(block, sizeof(block));
    if (e != OK)
        wipe(out, out_len);
    return e;
}

/* RFC 8017 7.1.1: the longest message; negative: the modulus is too short for this digest. */
static long oaep_max(const struct pk *k, enum digest digest)
{
    return (long)pk_signature_len(k) - 2 * (long)crypto_digest_len(digest) - 2;
}

static enum err check_oaep(const struct pk *k, enum digest digest)
{
    if (k->algorithm != PK_RSA || crypto_digest_len(digest) == 0)
        return ERR_ARGUMENT;
    return oaep_max(k, digest) < 0 ? ERR_UNSUPPORTED : OK;
}

enum err pk_oaep_encrypt(struct crypto *c, struct pk *k, enum digest digest, struct view in,
                         struct writer *out)
{
    EVP_PKEY_CTX *ctx = NULL;
    uint8_t sealed[PK_SIGNATURE_MAX];
    size_t len = sizeof(sealed);
    enum err e = check_oaep(k, digest);
    if (e == OK && in.len > (size_t)oaep_max(k, digest))
        e = ERR_ARGUMENT;
    if (e == OK)
        e = pk_context(k, USE_ENCRYPT, SCHEME_OAEP, c, digest, &ctx);
    if (e != OK)
        return e;
    if (EVP_PKEY_encrypt(ctx, sealed, &len, in.data, in.len) != 1)
        return crypto_failed(ERR_CRYPTO);
    wr_bytes(out, sealed, len);
    return wr_status(out);
}

/* One outcome for every wrong message: which check failed would tell its sender about the plaintext
 * (RFC 8017 7.1.2). */
enum err pk_oaep_decrypt(struct crypto *c, struct pk *k, enum digest digest, struct view in,
                         struct secret *out)
{
    EVP_PKEY_CTX *ctx = NULL;
    uint8_t opened[PK_SIGNATURE_MAX];
    size_t len = sizeof(opened);
    enum err e = check_oaep(k, digest);
    if (e == OK && !k->is_private)
        e = ERR_STATE;
    if (e == OK && in.len != pk_signature_len(k))
        e = ERR_AUTH;
    if (e == OK)
        e = pk_context(k, USE_DECRYPT, SCHEME_OAEP, c, digest, &ctx);
    if (e != OK)
        return e;
    if (EVP_PKEY_decrypt(ctx, opened, &len, in.data, in.len) != 1)
        e = crypto_failed(ERR_AUTH);
    else if (secret_set(out, view_of(opened, len)) != OK)
        e = ERR_AUTH;
    wipe(opened, sizeof(opened));
    return e;
}
