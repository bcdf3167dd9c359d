/* SPDX-License-Identifier: Apache-2.0
 *
 * Vectors of the primitives themselves. */
#include "run.h"

#include <string.h>

enum { INPUT_MAX = 512 };

static const uint8_t zero[AES_BLOCK];

/* GPCS 2.3.1 B.4. */
static struct view pad8(struct view v, uint8_t memory[INPUT_MAX])
{
    struct writer w;
    wr_fixed(&w, memory, INPUT_MAX);
    wr_view(&w, v);
    wr_u8(&w, 0x80);
    while (w.len % DES_BLOCK != 0)
        wr_u8(&w, 0);
    return wr_view_of(&w);
}

static enum verdict of_bytes(struct run *r, enum err e, const char *what, struct view got, struct view want)
{
    return worked(r, what, e) && same(r, what, got, want) ? PASS : FAIL;
}

static enum verdict aes_cmac(struct run *r, const json_t *row)
{
    uint8_t mac[CMAC_LEN];
    struct view msg = vector_bytes(row, "msg");
    enum err e = crypto_cmac(r->crypto, vector_bytes(row, "key"), &msg, 1, mac);
    return of_bytes(r, e, "mac", VIEW_OF(mac), vector_bytes(row, "mac"));
}

/* Amendment D 6.2.4: the chaining value, then the command; the first 8 bytes are sent. */
static enum verdict cmac_chain(struct run *r, const json_t *row)
{
    uint8_t mac[CMAC_LEN];
    const struct view parts[] = {vector_bytes(row, "mac_chaining_value"), vector_bytes(row, "mac_input")};
    enum err e = crypto_cmac(r->crypto, vector_bytes(row, "key"), parts, 2, mac);
    return of_bytes(r, e, "mac", view_of(mac, 8), vector_bytes(row, "mac"));
}

/* SP 800-108 in counter mode: one block, the counter in front. */
static enum verdict kbkdf(struct run *r, const json_t *row)
{
    static const uint8_t one = 1;
    uint8_t out[CMAC_LEN];
    const struct view parts[] = {view_of(&one, 1), vector_bytes(row, "fixed")};
    enum err e = crypto_cmac(r->crypto, vector_bytes(row, "key"), parts, 2, out);
    return of_bytes(r, e, "out", VIEW_OF(out), vector_bytes(row, "out"));
}

static enum verdict kdf_counter_between(struct run *r, const json_t *row)
{
    uint8_t out[CMAC_LEN];
    const struct view parts[] = {vector_bytes(row, "block_a"), vector_bytes(row, "counter"),
                                 vector_bytes(row, "block_b")};
    enum err e = crypto_cmac(r->crypto, vector_bytes(row, "key"), parts, 3, out);
    return of_bytes(r, e, "out", VIEW_OF(out), vector_bytes(row, "out"));
}

static enum verdict mac_full(struct run *r, const json_t *row)
{
    uint8_t mac[DES_BLOCK];
    enum err e =
        crypto_mac_des3(r->crypto, vector_bytes(row, "key"), zero, vector_bytes(row, "data_padded"), mac);
    return of_bytes(r, e, "mac", VIEW_OF(mac), vector_bytes(row, "mac"));
}

static enum verdict mac_retail(struct run *r, const json_t *row)
{
    uint8_t mac[DES_BLOCK], memory[INPUT_MAX];
    struct view padded = pad8(vector_bytes(row, "data"), memory);
    enum err e = crypto_mac_retail(r->crypto, vector_bytes(row, "key"), zero, padded, mac);
    return of_bytes(r, e, "mac", VIEW_OF(mac), vector_bytes(row, "mac"));
}

static enum verdict mac_retail_chain(struct run *r, const json_t *row)
{
    uint8_t mac[DES_BLOCK], icv[DES_BLOCK], memory[INPUT_MAX];
    struct view key = vector_bytes(row, "key");
    const json_t *first = json_object_get(row, "first"), *second = json_object_get(row, "second");
    enum err e = crypto_mac_retail(r->crypto, key, zero, pad8(vector_bytes(first, "data"), memory), mac);
    if (of_bytes(r, e, "first mac", VIEW_OF(mac), vector_bytes(first, "mac")) != PASS)
        return FAIL;
    e = crypto_des_ecb_encrypt(r->crypto, view_head(key, DES_BLOCK), VIEW_OF(mac), icv);
    if (of_bytes(r, e, "icv", VIEW_OF(icv), vector_bytes(second, "icv_encrypted")) != PASS)
        return FAIL;
    e = crypto_mac_retail(r->crypto, key, icv, pad8(vector_bytes(second, "data"), memory), mac);
    return of_bytes(r, e, "second mac", VIEW_OF(mac), vector_bytes(second, "mac"));
}

const struct check checks_crypto[] = {
    {"crypto", NULL, "aes-cmac", aes_cmac},
    {"crypto", NULL, "cmac-chain", cmac_chain},
    {"crypto", NULL, "kbkdf-ctr-cmac", kbkdf},
    {"crypto", NULL, "kdf-cmac-counter", kdf_counter_between},
    {"crypto", NULL, "mac-full3des", mac_full},
    {"crypto", NULL, "mac-retail", mac_retail},
    {"crypto", NULL, "mac-retail-chain", mac_retail_chain},
    {NULL, NULL, NULL, NULL},
};
