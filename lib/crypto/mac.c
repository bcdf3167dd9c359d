/* SPDX-License-Identifier: Apache-2.0
 *
 * MACs of secure channels, all on kept CBC contexts. CMAC is built here on AES-CBC, because the library's own
 * goes through its context block by block, and computes the subkeys anew for each message. */
#include "crypto_internal.h"

#include <string.h>

static const uint8_t zero_block[AES_BLOCK];

enum { PIECE = 512 }; /* two commands of the usual length; a multiple of both block sizes */

/* CBC over in, in a slot that holds the key; only the last block is kept: icv when in is empty. */
static enum err cbc_last_block(struct slot *s, const uint8_t icv[DES_BLOCK], struct view in,
                               uint8_t last[DES_BLOCK])
{
    uint8_t piece[PIECE];
    size_t most = in.len < PIECE ? in.len : PIECE;
    const uint8_t *iv = icv;
    enum err e = OK;
    memcpy(last, icv, DES_BLOCK);
    while (in.len > 0 && e == OK) {
        struct view now = view_head(in, PIECE);
        memcpy(piece, now.data, now.len);
        e = slot_message(s, iv, piece, now.len);
        iv = NULL;
        if (e == OK)
            memcpy(last, s->chain, DES_BLOCK);
        in = view_tail(in, PIECE);
    }
    wipe(piece, most);
    return e;
}

static bool is_padded(struct view in)
{
    return in.len > 0 && in.len % DES_BLOCK == 0;
}

/* GPCS 2.3.1 B.1.2.2: single DES up to the last block, which gets Triple-DES. Its first encryption is the end
 * of the chain, its last one is one more block under the same key. */
enum err crypto_mac_retail(struct crypto *c, struct view key, const uint8_t icv[DES_BLOCK], struct view in,
                           uint8_t out[DES_BLOCK])
{
    struct slot *chain = &c->slots[SLOT_MAC_DES], *back = &c->slots[SLOT_DES_ECB_DECRYPT];
    uint8_t block[DES_BLOCK];
    if (key.len != 2 * DES_BLOCK || !is_padded(in))
        return ERR_ARGUMENT;
    enum err e = slot_key(chain, c->des_cbc, view_head(key, DES_BLOCK));
    if (e == OK)
        e = slot_begin(back, c->des_ecb, view_tail(key, DES_BLOCK), NULL, false);
    if (e == OK)
        e = cbc_last_block(chain, icv, in, block);
    if (e == OK)
        e = slot_update(back, VIEW_OF(block), block);
    if (e == OK)
        e = slot_message(chain, zero_block, block, DES_BLOCK);
    if (e == OK)
        memcpy(out, block, DES_BLOCK);
    wipe(block, sizeof(block));
    return e;
}

/* GPCS 2.3.1 B.1.2.1. */
enum err crypto_mac_des3(struct crypto *c, struct view key, const uint8_t icv[DES_BLOCK], struct view in,
                         uint8_t out[DES_BLOCK])
{
    struct slot *chain = &c->slots[SLOT_MAC_DES3];
    struct secret three = {0};
    uint8_t mac[DES_BLOCK];
    if (!is_padded(in))
        return ERR_ARGUMENT;
    enum err e = des3_key(key, &three);
    if (e == OK)
        e = slot_key(chain, c->des3_cbc, secret_view(&three));
    if (e == OK)
        e = cbc_last_block(chain, icv, in, mac);
    if (e == OK)
        memcpy(out, mac, DES_BLOCK);
    secret_wipe(&three);
    return e;
}

/* SP 800-38B 6.1: doubling in the field of 2^128 elements, without a branch on the key. */
static void double_block(const uint8_t in[AES_BLOCK], uint8_t out[AES_BLOCK])
{
    uint8_t carry = 0;
    for (size_t i = AES_BLOCK; i-- > 0;) {
        uint8_t b = in[i];
        out[i] = (uint8_t)(b << 1 | carry);
        carry = b >> 7;
    }
    out[AES_BLOCK - 1] ^= (uint8_t)(0x87 & -carry);
}

/* Key schedule and subkeys, unless the slot holds this key already. */
static enum err cmac_begin(struct crypto *c, struct view key)
{
    const EVP_CIPHER *cipher = aes_by_key(c->aes_cbc, key);
    struct slot *s = &c->slots[SLOT_CMAC];
    uint8_t l[AES_BLOCK] = {0};
    if (cipher == NULL)
        return ERR_ARGUMENT;
    if (slot_holds(s, cipher, key))
        return OK;
    enum err e = slot_key(s, cipher, key);
    if (e == OK)
        e = slot_message(s, zero_block, l, sizeof(l));
    if (e == OK) {
        double_block(l, c->cmac_k1);
        double_block(c->cmac_k1, c->cmac_k2);
    }
    wipe(l, sizeof(l));
    return e;
}

/* Gathers the parts to long pieces: one call of the library for a whole command. A full piece stays until
 * more comes, so that the last block of the message is always in it. */
struct gather {
    struct crypto *crypto;
    uint8_t piece[PIECE];
    size_t len;
    bool going; /* not the first piece */
};

static enum err gather_flush(struct gather *g)
{
    const uint8_t *iv = g->going ? NULL : zero_block;
    g->going = true;
    return slot_message(&g->crypto->slots[SLOT_CMAC], iv, g->piece, g->len);
}

static enum err gather_add(struct gather *g, struct view part)
{
    while (part.len > 0) {
        if (g->len == PIECE) {
            enum err e = gather_flush(g);
            if (e != OK)
                return e;
            g->len = 0;
        }
        struct view now = view_head(part, PIECE - g->len);
        memcpy(g->piece + g->len, now.data, now.len);
        g->len += now.len;
        part = view_tail(part, now.len);
    }
    return OK;
}

/* SP 800-38B 6.2: a complete last block gets the first subkey, any other is padded and gets the second. */
static enum err gather_end(struct gather *g)
{
    const uint8_t *subkey = g->crypto->cmac_k1;
    if (g->len == 0 || g->len % AES_BLOCK != 0) {
        subkey = g->crypto->cmac_k2;
        g->piece[g->len++] = 0x80;
        while (g->len % AES_BLOCK != 0)
            g->piece[g->len++] = 0;
    }
    xor_block(g->piece + g->len - AES_BLOCK, subkey, AES_BLOCK);
    return gather_flush(g);
}

enum err crypto_cmac(struct crypto *c, struct view key, const struct view *parts, size_t count,
                     uint8_t out[CMAC_LEN])
{
    struct gather g;
    g.crypto = c;
    g.len = 0;
    g.going = false;
    enum err e = cmac_begin(c, key);
    for (size_t i = 0; i < count && e == OK; i++)
        e = gather_add(&g, parts[i]);
    if (e == OK)
        e = gather_end(&g);
    if (e == OK)
        memcpy(out, c->slots[SLOT_CMAC].chain, CMAC_LEN);
    wipe(g.piece, g.going ? PIECE : g.len); /* what was gathered, or encrypted in its place */
    return e;
}
