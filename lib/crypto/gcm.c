/* SPDX-License-Identifier: Apache-2.0
 *
 * AES-GCM (NIST SP 800-38D) into a writer that stays as it was when anything fails. */
#include "crypto_internal.h"

#include <limits.h>

enum { GCM_KEY = 32 };

static bool fits(struct view v)
{
    return v.len <= INT_MAX - GCM_TAG;
}

/* Key and nonce, and the data that is authenticated only. */
static bool begin(struct slot *s, const EVP_CIPHER *cipher, struct view key, const uint8_t *nonce,
                  bool encrypt, struct view aad)
{
    int len = 0;
    if (slot_begin(s, cipher, key, nonce, encrypt) != OK)
        return false;
    return aad.len == 0 || EVP_CipherUpdate(s->ctx, NULL, &len, aad.data, (int)aad.len) == 1;
}

static bool text(struct slot *s, struct view in, uint8_t *out)
{
    int len = 0;
    return in.len == 0 ||
           (EVP_CipherUpdate(s->ctx, out, &len, in.data, (int)in.len) == 1 && (size_t)len == in.len);
}

/* What stands behind the first len bytes is taken back, and not left in the memory. */
static void take_back(struct writer *w, size_t len)
{
    wipe(w->data + len, w->len - len);
    w->len = len;
}

enum err gcm_seal(struct crypto *c, struct view key, const uint8_t nonce[GCM_NONCE], struct view aad,
                  struct view in, struct writer *out)
{
    struct slot *s = &c->slots[SLOT_GCM_ENCRYPT];
    const EVP_CIPHER *cipher = aes_by_key(c->aes_gcm, key);
    size_t before = out->len;
    int len = 0;
    if (cipher == NULL || !fits(aad) || !fits(in))
        return ERR_ARGUMENT;
    uint8_t *at = wr_reserve(out, in.len + GCM_TAG);
    if (at == NULL)
        return ERR_LIMIT;
    if (begin(s, cipher, key, nonce, true, aad) && text(s, in, at) &&
        EVP_CipherFinal_ex(s->ctx, at + in.len, &len) == 1 &&
        EVP_CIPHER_CTX_ctrl(s->ctx, EVP_CTRL_AEAD_GET_TAG, GCM_TAG, at + in.len) == 1)
        return OK;
    take_back(out, before);
    slot_forget(s);
    return crypto_failed(ERR_CRYPTO);
}

enum err gcm_open(struct crypto *c, struct view key, const uint8_t nonce[GCM_NONCE], struct view aad,
                  struct view in, struct writer *out)
{
    struct slot *s = &c->slots[SLOT_GCM_DECRYPT];
    const EVP_CIPHER *cipher = aes_by_key(c->aes_gcm, key);
    size_t before = out->len;
    uint8_t tag[GCM_TAG];
    struct reader r;
    int len = 0;
    if (cipher == NULL || !fits(aad) || !fits(in))
        return ERR_ARGUMENT;
    if (in.len < GCM_TAG)
        return ERR_AUTH;
    rd_init(&r, in);
    in = rd_view(&r, in.len - GCM_TAG);
    rd_copy(&r, tag, sizeof(tag));
    uint8_t *at = wr_reserve(out, in.len);
    if (at == NULL)
        return ERR_LIMIT;

    enum err e = ERR_CRYPTO;
    if (begin(s, cipher, key, nonce, false, aad) && text(s, in, at) &&
        EVP_CIPHER_CTX_ctrl(s->ctx, EVP_CTRL_AEAD_SET_TAG, GCM_TAG, tag) == 1)
        e = EVP_CipherFinal_ex(s->ctx, at + in.len, &len) == 1 ? OK : ERR_AUTH;
    if (e == OK)
        return OK;
    take_back(out, before);
    slot_forget(s);
    return crypto_failed(e);
}

enum err crypto_gcm_seal(struct crypto *c, struct view key, const uint8_t nonce[GCM_NONCE], struct view aad,
                         struct view in, struct writer *out)
{
    return key.len == GCM_KEY ? gcm_seal(c, key, nonce, aad, in, out) : ERR_ARGUMENT;
}

enum err crypto_gcm_open(struct crypto *c, struct view key, const uint8_t nonce[GCM_NONCE], struct view aad,
                         struct view in, struct writer *out)
{
    return key.len == GCM_KEY ? gcm_open(c, key, nonce, aad, in, out) : ERR_ARGUMENT;
}
