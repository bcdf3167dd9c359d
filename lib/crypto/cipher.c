/* SPDX-License-Identifier: Apache-2.0
 *
 * Block ciphers without padding, each in its slot. */
#include "crypto_internal.h"

#include <limits.h>
#include <string.h>

/* As secret_equal, without a branch on the contents, but eight bytes at a time: this is asked for each
 * message, and keys of block ciphers are whole words. */
static bool same_key(const struct secret *held, struct view key)
{
    uint64_t differ = 0, a, b;
    if (held->len != key.len)
        return false;
    for (size_t i = 0; i + sizeof(a) <= key.len; i += sizeof(a)) {
        memcpy(&a, held->data + i, sizeof(a));
        memcpy(&b, key.data + i, sizeof(b));
        differ |= a ^ b;
    }
    return differ == 0;
}

bool slot_holds(const struct slot *s, const EVP_CIPHER *cipher, struct view key)
{
    return s->cipher == cipher && same_key(&s->key, key);
}

void slot_forget(struct slot *s)
{
    EVP_CIPHER_CTX_reset(s->ctx); /* wipes the key schedule */
    s->cipher = NULL;
    secret_wipe(&s->key);
    wipe(s->chain, sizeof(s->chain));
}

enum err slot_begin(struct slot *s, const EVP_CIPHER *cipher, struct view key, const uint8_t *iv,
                    bool encrypt)
{
    bool held = slot_holds(s, cipher, key);
    const EVP_CIPHER *new_cipher = s->cipher == cipher ? NULL : cipher;
    if (held && iv == NULL)
        return OK;
    if (EVP_CipherInit_ex2(s->ctx, new_cipher, held ? NULL : key.data, iv, encrypt, NULL) != 1)
        goto failed;
    /* Only decryption holds back a block for padding; a context that is told so once is told again, by name,
     * with each init call. Nothing here ends with a Final call where encryption would pad. */
    if (new_cipher != NULL && !encrypt && EVP_CIPHER_CTX_set_padding(s->ctx, 0) != 1)
        goto failed;
    s->cipher = cipher;
    return held ? OK : secret_set(&s->key, key);

failed:
    slot_forget(s);
    return crypto_failed(ERR_CRYPTO);
}

enum err slot_update(struct slot *s, struct view in, uint8_t *out)
{
    int len = 0;
    if (in.len == 0)
        return OK;
    if (in.len > INT_MAX - AES_BLOCK)
        return ERR_LIMIT;
    if (EVP_CipherUpdate(s->ctx, out, &len, in.data, (int)in.len) == 1 && (size_t)len == in.len)
        return OK;
    slot_forget(s);
    return crypto_failed(ERR_CRYPTO);
}

void xor_block(uint8_t *block, const uint8_t *with, size_t len)
{
    for (size_t i = 0; i < len; i++)
        block[i] ^= with[i];
}

enum err slot_key(struct slot *s, const EVP_CIPHER *cipher, struct view key)
{
    static const uint8_t zero[AES_BLOCK];
    if (slot_holds(s, cipher, key))
        return OK;
    memset(s->chain, 0, sizeof(s->chain));
    return slot_begin(s, cipher, key, zero, true);
}

enum err slot_message(struct slot *s, const uint8_t *iv, uint8_t *data, size_t len)
{
    if (len == 0)
        return OK;
    size_t block = (size_t)EVP_CIPHER_get_block_size(s->cipher);
    if (iv != NULL) {
        xor_block(data, iv, block);
        xor_block(data, s->chain, block);
    }
    enum err e = slot_update(s, view_of(data, len), data);
    if (e == OK)
        memcpy(s->chain, data + len - block, block);
    return e;
}

const EVP_CIPHER *aes_by_key(EVP_CIPHER *const table[AES_SIZE_COUNT], struct view key)
{
    switch (key.len) {
    case 16:
        return table[AES_SIZE_128];
    case 24:
        return table[AES_SIZE_192];
    case 32:
        return table[AES_SIZE_256];
    default:
        return NULL;
    }
}

static enum err aes(struct slot *s, EVP_CIPHER *const table[AES_SIZE_COUNT], struct view key,
                    const uint8_t *iv, bool encrypt, struct view in, uint8_t *out)
{
    const EVP_CIPHER *cipher = aes_by_key(table, key);
    if (cipher == NULL || in.len % AES_BLOCK != 0)
        return ERR_ARGUMENT;
    enum err e = slot_begin(s, cipher, key, iv, encrypt);
    return e == OK ? slot_update(s, in, out) : e;
}

enum err crypto_aes_cbc_encrypt(struct crypto *c, struct view key, const uint8_t iv[AES_BLOCK],
                                struct view in, uint8_t *out)
{
    struct slot *s = &c->slots[SLOT_AES_CBC_ENCRYPT];
    const EVP_CIPHER *cipher = aes_by_key(c->aes_cbc, key);
    if (cipher == NULL || in.len % AES_BLOCK != 0)
        return ERR_ARGUMENT;
    enum err e = slot_key(s, cipher, key);
    if (e != OK)
        return e;
    if (out != in.data && in.len > 0)
        memcpy(out, in.data, in.len);
    return slot_message(s, iv, out, in.len);
}

enum err crypto_aes_cbc_decrypt(struct crypto *c, struct view key, const uint8_t iv[AES_BLOCK],
                                struct view in, uint8_t *out)
{
    return aes(&c->slots[SLOT_AES_CBC_DECRYPT], c->aes_cbc, key, iv, false, in, out);
}

enum err crypto_aes_ecb_encrypt(struct crypto *c, struct view key, struct view in, uint8_t *out)
{
    return aes(&c->slots[SLOT_AES_ECB_ENCRYPT], c->aes_ecb, key, NULL, true, in, out);
}

enum err crypto_aes_run_begin(struct crypto *c, struct view key, const uint8_t iv[AES_BLOCK])
{
    return aes(&c->slots[SLOT_AES_RUN], c->aes_cbc, key, iv, true, VIEW_NULL, NULL);
}

enum err crypto_aes_run_update(struct crypto *c, struct view in, uint8_t *out)
{
    struct slot *s = &c->slots[SLOT_AES_RUN];
    if (s->cipher == NULL)
        return ERR_STATE;
    return in.len % AES_BLOCK == 0 ? slot_update(s, in, out) : ERR_ARGUMENT;
}

enum err des3_key(struct view key, struct secret *out)
{
    struct view k1 = view_head(key, DES_BLOCK);
    struct writer w;
    if (key.len != 16 && key.len != 24)
        return ERR_ARGUMENT;
    wr_fixed(&w, out->data, 24);
    wr_view(&w, key);
    if (key.len == 16)
        wr_view(&w, k1);
    out->len = w.len;
    return wr_status(&w);
}

static enum err des(struct slot *s, const EVP_CIPHER *cipher, struct view key, const uint8_t *iv,
                    bool encrypt, struct view in, uint8_t *out)
{
    struct secret three = {0};
    if (in.len % DES_BLOCK != 0)
        return ERR_ARGUMENT;
    enum err e = des3_key(key, &three);
    if (e == OK)
        e = slot_begin(s, cipher, secret_view(&three), iv, encrypt);
    if (e == OK)
        e = slot_update(s, in, out);
    secret_wipe(&three);
    return e;
}

static bool is_des3_key(struct view key)
{
    return key.len == 16 || key.len == 24;
}

enum err crypto_des3_cbc_encrypt(struct crypto *c, struct view key, const uint8_t iv[DES_BLOCK],
                                 struct view in, uint8_t *out)
{
    if (!is_des3_key(key))
        return ERR_ARGUMENT;
    return des(&c->slots[SLOT_DES3_CBC_ENCRYPT], c->des3_cbc, key, iv, true, in, out);
}

enum err crypto_des3_cbc_decrypt(struct crypto *c, struct view key, const uint8_t iv[DES_BLOCK],
                                 struct view in, uint8_t *out)
{
    if (!is_des3_key(key))
        return ERR_ARGUMENT;
    return des(&c->slots[SLOT_DES3_CBC_DECRYPT], c->des3_cbc, key, iv, false, in, out);
}

enum err crypto_des3_ecb_encrypt(struct crypto *c, struct view key, struct view in, uint8_t *out)
{
    if (!is_des3_key(key))
        return ERR_ARGUMENT;
    return des(&c->slots[SLOT_DES3_ECB_ENCRYPT], c->des3_ecb, key, NULL, true, in, out);
}

enum err crypto_des3_ecb_decrypt(struct crypto *c, struct view key, struct view in, uint8_t *out)
{
    if (!is_des3_key(key))
        return ERR_ARGUMENT;
    return des(&c->slots[SLOT_DES3_ECB_DECRYPT], c->des3_ecb, key, NULL, false, in, out);
}

enum err crypto_des_ecb_encrypt(struct crypto *c, struct view key, struct view in, uint8_t *out)
{
    struct slot *s = &c->slots[SLOT_DES_ECB_ENCRYPT];
    if (key.len != DES_BLOCK || in.len % DES_BLOCK != 0)
        return ERR_ARGUMENT;
    enum err e = slot_begin(s, c->des_ecb, key, NULL, true);
    return e == OK ? slot_update(s, in, out) : e;
}
