/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes PUT KEY. */
#include <gp/put_key.h>

#include <crypto/pk.h>
#include <tlv/tlv.h>

#include <string.h>

enum {
    CLA_GP = 0x80,
    ALL = 256,
    KVN_MAX = 0x7F,
    KID_MAX = 0x7F,
    KVN_FACTORY = 0xFF, /* cards from the factory have this version, which is only ever replaced */
    MULTIPLE = 0x80,
    EXTENDED_TYPE = 0xFF,
    SECRET_VALUE_MAX = 128,
    COMPONENT_MAX = 1024,
    DES_KEY_LEN = 8,
    ANSWER_MAX = 1 + PUT_KEYS_MAX * KEY_CHECK_MAX
};

static const struct {
    uint8_t type;
    const char *text;
} types[] = {
    {KEY_TYPE_DES, "DES"},
    {KEY_TYPE_DES_ECB, "DES (ECB)"},
    {KEY_TYPE_DES_CBC, "DES (CBC)"},
    {0x83, "DES (ECB)"},
    {0x84, "DES (CBC)"},
    {KEY_TYPE_TLS_PSK, "pre-shared key for TLS"},
    {KEY_TYPE_AES, "AES"},
    {KEY_TYPE_HMAC_SHA1, "HMAC-SHA1"},
    {KEY_TYPE_HMAC_SHA1_160, "HMAC-SHA1, 160 bits"},
    {KEY_TYPE_RSA_PUBLIC_E, "RSA public key, exponent"},
    {KEY_TYPE_RSA_PUBLIC_N, "RSA public key, modulus"},
    {KEY_TYPE_RSA_PRIVATE_N, "RSA private key, modulus"},
    {KEY_TYPE_RSA_PRIVATE_D, "RSA private key, exponent"},
    {KEY_TYPE_RSA_P, "RSA private key, p"},
    {KEY_TYPE_RSA_Q, "RSA private key, q"},
    {KEY_TYPE_RSA_PQ, "RSA private key, 1/q mod p"},
    {KEY_TYPE_RSA_DP, "RSA private key, d mod (p-1)"},
    {KEY_TYPE_RSA_DQ, "RSA private key, d mod (q-1)"},
    {KEY_TYPE_EC_PUBLIC, "ECC public key"},
    {KEY_TYPE_EC_PRIVATE, "ECC private key"},
    {KEY_TYPE_EC_P, "ECC field parameter P"},
    {KEY_TYPE_EC_A, "ECC field parameter A"},
    {KEY_TYPE_EC_B, "ECC field parameter B"},
    {KEY_TYPE_EC_G, "ECC field parameter G"},
    {KEY_TYPE_EC_N, "ECC field parameter N"},
    {KEY_TYPE_EC_K, "ECC field parameter k"},
    {KEY_TYPE_EC_REFERENCE, "ECC key parameter reference"},
};

const char *key_type_text(uint8_t type)
{
    for (size_t n = 0; n < sizeof(types) / sizeof(types[0]); n++) {
        if (types[n].type == type)
            return types[n].text;
    }
    return type < KEY_TYPE_DES ? "private use" : "unknown";
}

/* --- Who encrypts */

static enum err encrypt_in_channel(void *ctx, struct crypto *c, struct view in, struct writer *out)
{
    return channel_dek_encrypt(ctx, c, in, out);
}

struct key_encryption channel_key_encryption(struct channel *ch)
{
    bool des = channel_method_of(ch)->key_type == KEY_DES3;
    return (struct key_encryption){encrypt_in_channel, ch, des ? DES_BLOCK : AES_BLOCK};
}

static enum err encrypt_with_secret(void *ctx, struct crypto *c, struct view in, struct writer *out)
{
    static const uint8_t zeros[AES_BLOCK];
    const struct card_keys *keys = ctx;
    uint8_t *made = wr_reserve(out, in.len);
    if (made == NULL)
        return ERR_LIMIT;
    if (keys->type == KEY_AES)
        return crypto_aes_cbc_encrypt(c, secret_view(&keys->dek), zeros, in, made);
    return crypto_des3_ecb_encrypt(c, secret_view(&keys->dek), in, made);
}

struct key_encryption secret_key_encryption(const struct card_keys *dek)
{
    size_t block = dek->type == KEY_AES ? AES_BLOCK : DES_BLOCK;
    return (struct key_encryption){encrypt_with_secret, (void *)dek, block};
}

/* --- Keys */

static void add(struct new_key *k, uint8_t type, struct view value, bool secret)
{
    k->components[k->count++] = (struct key_component){type, value, secret};
}

static bool is_des(uint8_t type)
{
    return type >= KEY_TYPE_DES && type <= 0x84;
}

/* Which of the two rules of B.6 there is a check value by; KEY_TYPE_COUNT: none. */
static enum err check_rule(uint8_t type, size_t len, enum key_type *out)
{
    bool whole = len % DES_KEY_LEN == 0 && len > 0 && len <= 3 * DES_KEY_LEN;
    *out = KEY_TYPE_COUNT;
    if (is_des(type)) {
        *out = KEY_DES3;
        return whole ? OK : ERR_ARGUMENT;
    }
    if (type == KEY_TYPE_AES) {
        *out = KEY_AES;
        return key_length_check(KEY_AES, len);
    }
    bool other = type == KEY_TYPE_TLS_PSK || type == KEY_TYPE_HMAC_SHA1 || type == KEY_TYPE_HMAC_SHA1_160;
    return other && len > 0 && len <= SECRET_VALUE_MAX ? OK : ERR_ARGUMENT;
}

static enum err put_check(struct new_key *k, struct crypto *c, enum key_type rule, struct view value)
{
    struct secret key = {.len = 0};
    uint8_t check[KEY_CHECK_MAX];
    enum err e = secret_set(&key, value);
    if (e == OK && value.len == DES_KEY_LEN) { /* single DES is Triple-DES with the same key again */
        memcpy(key.data + key.len, value.data, value.len);
        key.len += value.len;
    }
    if (e == OK)
        e = key_check_value(c, rule, &key, check);
    if (e == OK) {
        memcpy(k->check, check, sizeof(check));
        k->check_len = sizeof(check);
    }
    secret_wipe(&key);
    return e;
}

enum err new_key_symmetric(struct new_key *out, struct crypto *c, uint8_t type, struct view value)
{
    struct new_key k = {.count = 0};
    enum key_type rule;
    enum err e = check_rule(type, value.len, &rule);
    if (e == OK && rule != KEY_TYPE_COUNT)
        e = put_check(&k, c, rule, value);
    if (e != OK)
        return e;
    add(&k, type, value, true);
    *out = k;
    return OK;
}

static bool is_number(struct view v)
{
    return v.len > 0 && v.len <= COMPONENT_MAX;
}

/* Table 11-75. */
enum err new_key_rsa_public(struct new_key *out, struct view n, struct view e)
{
    struct new_key k = {.count = 0};
    if (!is_number(n) || !is_number(e))
        return ERR_ARGUMENT;
    add(&k, KEY_TYPE_RSA_PUBLIC_N, n, false);
    add(&k, KEY_TYPE_RSA_PUBLIC_E, e, false);
    *out = k;
    return OK;
}

/* Table 11-76, with the modulus in clear. */
enum err new_key_rsa_private(struct new_key *out, struct view n, struct view d)
{
    struct new_key k = {.count = 0};
    if (!is_number(n) || !is_number(d))
        return ERR_ARGUMENT;
    add(&k, KEY_TYPE_RSA_PUBLIC_N, n, false);
    add(&k, KEY_TYPE_RSA_PRIVATE_D, d, true);
    *out = k;
    return OK;
}

/* Table 11-77. */
enum err new_key_rsa_crt(struct new_key *out, const struct pk_rsa_parts *parts)
{
    struct new_key k = {.count = 0};
    if (!is_number(parts->p) || !is_number(parts->q) || !is_number(parts->qinv) || !is_number(parts->dp) ||
        !is_number(parts->dq))
        return ERR_ARGUMENT;
    add(&k, KEY_TYPE_RSA_P, parts->p, true);
    add(&k, KEY_TYPE_RSA_Q, parts->q, true);
    add(&k, KEY_TYPE_RSA_PQ, parts->qinv, true);
    add(&k, KEY_TYPE_RSA_DP, parts->dp, true);
    add(&k, KEY_TYPE_RSA_DQ, parts->dq, true);
    *out = k;
    return OK;
}

/* Table 11-73. */
static enum err ec_key(struct new_key *out, uint8_t type, struct view value, const uint8_t *reference)
{
    struct new_key k = {.count = 0};
    if (value.len == 0 || value.len > PK_POINT_MAX)
        return ERR_ARGUMENT;
    add(&k, type, value, type == KEY_TYPE_EC_PRIVATE);
    add(&k, KEY_TYPE_EC_REFERENCE, view_of(reference, 1), false);
    *out = k;
    return OK;
}

enum err new_key_ec_public(struct new_key *out, struct view point, const uint8_t *reference)
{
    enum { UNCOMPRESSED = 0x04 };
    if (point.len % 2 == 0 || point.len < 2 || point.data[0] != UNCOMPRESSED)
        return ERR_ARGUMENT;
    return ec_key(out, KEY_TYPE_EC_PUBLIC, point, reference);
}

enum err new_key_ec_private(struct new_key *out, struct view scalar, const uint8_t *reference)
{
    return ec_key(out, KEY_TYPE_EC_PRIVATE, scalar, reference);
}

/* --- The command */

static enum err encrypt_padded(struct writer *w, struct crypto *c, struct view value,
                               const struct key_encryption *dek)
{
    struct writer padded;
    wr_heap(&padded, COMPONENT_MAX + AES_BLOCK);
    wr_view(&padded, value);
    while (wr_ok(&padded) && padded.len % dek->block != 0)
        wr_u8(&padded, 0); /* 11.8.2.3.2: arbitrary bytes */
    enum err e = wr_status(&padded);
    if (e == OK)
        e = dek->encrypt(dek->ctx, c, wr_view_of(&padded), w);
    wr_free(&padded);
    return e;
}

/* Tables 11-70 and 11-71. */
static enum err put_secret(struct writer *w, struct crypto *c, const struct key_component *k,
                           enum key_block form, const struct key_encryption *dek)
{
    struct writer block;
    bool padded = k->value.len % dek->block != 0;
    bool bare = form == KEY_BLOCK_BARE || (form == KEY_BLOCK_USUAL && is_des(k->type));
    wr_heap(&block, COMPONENT_MAX + 2 * AES_BLOCK);
    if (padded || !bare)
        tlv_put_length(&block, k->value.len);
    enum err e = encrypt_padded(&block, c, k->value, dek);
    if (e == OK)
        e = wr_status(&block);
    if (e == OK) {
        tlv_put_length(w, block.len);
        wr_view(w, wr_view_of(&block));
    }
    wr_free(&block);
    return e;
}

static enum err put_component(struct writer *w, struct crypto *c, const struct new_key *key,
                              const struct key_component *k, const struct put_key *p,
                              const struct key_encryption *dek)
{
    if (key->extended)
        wr_u8(w, EXTENDED_TYPE);
    wr_u8(w, k->type);
    if (k->secret)
        return dek != NULL ? put_secret(w, c, k, p->block, dek) : ERR_ARGUMENT;
    tlv_put_length(w, k->value.len);
    wr_view(w, k->value);
    return OK;
}

static enum err put_one(struct writer *w, struct crypto *c, const struct new_key *key,
                        const struct put_key *p, const struct key_encryption *dek)
{
    enum err e = key->count > 0 ? OK : ERR_ARGUMENT;
    for (size_t n = 0; n < key->count && e == OK; n++)
        e = put_component(w, c, key, &key->components[n], p, dek);
    wr_view8(w, view_of(key->check, key->check_len));
    if (key->extended) {
        wr_view8(w, view_of(key->usage, key->usage_len));
        wr_view8(w, view_of(&key->access, key->access_len));
    }
    return e;
}

static bool numbers_good(const struct put_key *p)
{
    return p->kvn >= 1 && p->kvn <= KVN_MAX && (p->replaced <= KVN_MAX || p->replaced == KVN_FACTORY) &&
           p->count >= 1 && p->count <= PUT_KEYS_MAX && p->kid + p->count - 1 <= KID_MAX;
}

enum err command_put_key(struct apdu *out, struct writer *w, struct crypto *c, const struct put_key *p,
                         const struct key_encryption *dek)
{
    size_t before = w->len;
    enum err e = numbers_good(p) ? OK : ERR_ARGUMENT;
    wr_u8(w, p->kvn);
    for (size_t n = 0; n < p->count && e == OK; n++)
        e = put_one(w, c, &p->keys[n], p, dek);
    if (e == OK)
        e = wr_status(w);
    if (e != OK)
        return e;
    *out = (struct apdu){.cla = CLA_GP,
                         .ins = INS_PUT_KEY,
                         .p1 = p->replaced,
                         .p2 = (uint8_t)(p->kid | (p->count > 1 ? MULTIPLE : 0)),
                         .data = view_tail(wr_view_of(w), before),
                         .ne = ALL};
    return out->data.len <= COMMAND_DATA_MAX ? OK : ERR_LIMIT;
}

enum err put_key_check_answer(const struct put_key *p, struct view answer)
{
    uint8_t memory[ANSWER_MAX];
    struct writer want;
    if (p->count > PUT_KEYS_MAX)
        return ERR_ARGUMENT;
    wr_fixed(&want, memory, sizeof(memory));
    wr_u8(&want, p->kvn);
    for (size_t n = 0; n < p->count; n++)
        wr_bytes(&want, p->keys[n].check, p->keys[n].check_len);
    return secret_equal(answer, wr_view_of(&want)) ? OK : ERR_AUTH;
}
