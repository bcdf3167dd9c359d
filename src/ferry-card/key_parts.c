/* SPDX-License-Identifier: Apache-2.0
 *
 * Components of keys: a table of types, and a table of what they make together. */
#include "key_parts.h"

#include <string.h>

#include <tlv/tlv.h>

#include "keypair.h"

enum { PART_MAX = 1024 };

/* Table 11-16. 81 to 83 are DES of older specifications. */
static const struct type_row {
    uint8_t type;
    enum key_part part;
    bool secret;
} type_rows[] = {
    {0x80, PART_DES, true},
    {0x81, PART_DES, true},
    {0x82, PART_DES, true},
    {0x83, PART_DES, true},
    {0x88, PART_AES, true},
    {0xA0, PART_EXPONENT, false},
    {0xA1, PART_MODULUS, false},
    {0xA2, PART_MODULUS, true},
    {0xA3, PART_PRIVATE_EXPONENT, true},
    {0xA4, PART_P, true},
    {0xA5, PART_Q, true},
    {0xA6, PART_QINV, true},
    {0xA7, PART_DP, true},
    {0xA8, PART_DQ, true},
    {0xB0, PART_POINT, false},
    {0xB1, PART_SCALAR, true},
    {0xB2, PART_CURVE_P, false},
    {0xB3, PART_CURVE_A, false},
    {0xB4, PART_CURVE_B, false},
    {0xB5, PART_CURVE_G, false},
    {0xB6, PART_CURVE_N, false},
    {0xB7, PART_CURVE_K, false},
    {0xF0, PART_PARAMETER, false},
    {CARD_KEY_DSA_PUBLIC, PART_DSA_PUBLIC, false},
    {CARD_KEY_DSA_PRIVATE, PART_DSA_PRIVATE, true},
};

void key_parts_init(struct key_parts *p)
{
    for (size_t n = 0; n < PART_COUNT; n++)
        wr_heap(&p->value[n], PART_MAX);
}

void key_parts_finish(struct key_parts *p)
{
    for (size_t n = 0; n < PART_COUNT; n++)
        wr_free(&p->value[n]);
}

/* The cipher block of keys under this channel: SCP01 and SCP02 have Triple-DES, all others AES. */
static size_t block_of(const struct card *card)
{
    return card->now->session.channel.scp <= 0x02 ? DES_BLOCK : AES_BLOCK;
}

/* Tables 11-70 and 11-71: with its own length in front where the whole is no multiple of the block. */
static uint16_t decrypt(struct card *card, struct view block, size_t exact_len, struct writer *out)
{
    const struct session *s = &card->now->session;
    size_t unit = block_of(card), len = exact_len != 0 ? exact_len : block.len;
    struct reader r;
    rd_init(&r, block);
    if (block.len % unit != 0)
        len = rd_peek(&r) == 0x80 ? rd_u8(&r) : tlv_length(&r);
    struct view cipher = rd_rest(&r);
    if (!rd_ok(&r) || cipher.len == 0 || cipher.len % unit != 0 || cipher.len > PART_MAX ||
        len > cipher.len || cipher.len - len >= unit)
        return SW_WRONG_DATA;
    uint8_t *clear = wr_reserve(out, cipher.len);
    if (clear == NULL || s->ops == NULL || s->ops->decrypt_sensitive == NULL ||
        s->ops->decrypt_sensitive(card->crypto, &s->channel, cipher, clear) != OK)
        return SW_NO_DIAGNOSIS;
    wipe(clear + len, cipher.len - len);
    out->len = len;
    return SW_OK;
}

uint16_t key_parts_take(struct card *card, struct key_parts *p, uint8_t type, struct view block,
                        size_t exact_len)
{
    for (size_t n = 0; n < sizeof type_rows / sizeof type_rows[0]; n++) {
        const struct type_row *row = &type_rows[n];
        if (row->type != type)
            continue;
        struct writer *to = &p->value[row->part];
        if (to->len != 0 || block.len == 0)
            return SW_WRONG_DATA;
        if (row->secret)
            return decrypt(card, block, exact_len, to);
        wr_view(to, block);
        return wr_ok(to) ? SW_OK : SW_WRONG_DATA;
    }
    return SW_WRONG_DATA;
}

/* ---- whole keys ---- */

static struct view part(const struct key_parts *p, enum key_part n)
{
    return wr_view_of(&p->value[n]);
}

static enum err build_des(const struct key_parts *p, struct new_key *k)
{
    size_t len = part(p, PART_DES).len;
    wr_view(&k->data, part(p, PART_DES));
    /* 8: single DES, which not every card takes (keys_place.c). */
    return len == 8 || len == 16 || len == 24 ? OK : ERR_FORMAT;
}

static enum err build_aes(const struct key_parts *p, struct new_key *k)
{
    size_t len = part(p, PART_AES).len;
    wr_view(&k->data, part(p, PART_AES));
    return len == 16 || len == 24 || len == 32 ? OK : ERR_FORMAT;
}

static enum err build_rsa_public(const struct key_parts *p, struct new_key *k)
{
    wr_view16(&k->data, part(p, PART_EXPONENT));
    wr_view16(&k->data, part(p, PART_MODULUS));
    return OK;
}

/* Tables 11-76 and 11-77 bring no public exponent: 65537 is taken, and whether it is the right one shows when
 * the pair is checked. */
static enum err build_rsa_private(const struct key_parts *p, struct new_key *k)
{
    static const uint8_t exponent[] = {0x01, 0x00, 0x01};
    struct pk_rsa_parts parts = {.n = part(p, PART_MODULUS), .e = VIEW_OF(exponent)};
    struct pk *key = NULL;
    parts.d = part(p, PART_PRIVATE_EXPONENT);
    parts.p = part(p, PART_P);
    parts.q = part(p, PART_Q);
    parts.qinv = part(p, PART_QINV);
    parts.dp = part(p, PART_DP);
    parts.dq = part(p, PART_DQ);
    enum err e = pk_rsa_private(&parts, &key);
    if (e == OK)
        e = pk_put_pkcs8(key, &k->data);
    pk_free(&key);
    return e;
}

static enum err build_point(const struct key_parts *p, struct new_key *k)
{
    wr_view(&k->data, part(p, PART_POINT));
    return OK;
}

static enum err build_scalar(const struct key_parts *p, struct new_key *k)
{
    wr_view(&k->data, part(p, PART_SCALAR));
    return OK;
}

/* p | q | g | y. */
static enum err build_dsa_public(const struct key_parts *p, struct new_key *k)
{
    wr_view(&k->data, part(p, PART_DSA_PUBLIC));
    return OK;
}

/* p | q | g | x. */
static enum err build_dsa_private(const struct key_parts *p, struct new_key *k)
{
    struct pk_dsa_parts parts = {.y = VIEW_NULL};
    struct pk *key = NULL;
    struct reader r;
    rd_init(&r, part(p, PART_DSA_PRIVATE));
    parts.p = rd_view(&r, DSA_P_LEN);
    parts.q = rd_view(&r, DSA_Q_LEN);
    parts.g = rd_view(&r, DSA_P_LEN);
    parts.x = rd_view(&r, DSA_Q_LEN);
    enum err e = rd_done(&r) ? pk_dsa_private(&parts, &key) : ERR_FORMAT;
    if (e == OK)
        e = pk_put_pkcs8(key, &k->data);
    pk_free(&key);
    return e;
}

#define HAS(n) (1u << (n))
#define HAS_CURVE                                                                                            \
    (HAS(PART_CURVE_P) | HAS(PART_CURVE_A) | HAS(PART_CURVE_B) | HAS(PART_CURVE_G) | HAS(PART_CURVE_N))
static const struct key_row {
    unsigned parts; /* exactly these */
    uint8_t type;
    enum err (*build)(const struct key_parts *p, struct new_key *k);
} key_rows[] = {
    {HAS(PART_DES), CARD_KEY_DES, build_des},
    {HAS(PART_AES), CARD_KEY_AES, build_aes},
    {HAS(PART_MODULUS) | HAS(PART_EXPONENT), CARD_KEY_RSA_PUBLIC, build_rsa_public},
    {HAS(PART_MODULUS) | HAS(PART_PRIVATE_EXPONENT), CARD_KEY_RSA_PRIVATE, build_rsa_private},
    {HAS(PART_P) | HAS(PART_Q) | HAS(PART_QINV) | HAS(PART_DP) | HAS(PART_DQ), CARD_KEY_RSA_PRIVATE,
     build_rsa_private},
    {HAS(PART_POINT) | HAS(PART_PARAMETER), CARD_KEY_ECC_PUBLIC, build_point},
    {HAS(PART_SCALAR) | HAS(PART_PARAMETER), CARD_KEY_ECC_PRIVATE, build_scalar},
    {HAS(PART_POINT) | HAS_CURVE, CARD_KEY_ECC_PUBLIC, build_point},
    {HAS(PART_POINT) | HAS_CURVE | HAS(PART_CURVE_K), CARD_KEY_ECC_PUBLIC, build_point},
    {HAS(PART_SCALAR) | HAS_CURVE, CARD_KEY_ECC_PRIVATE, build_scalar},
    {HAS(PART_SCALAR) | HAS_CURVE | HAS(PART_CURVE_K), CARD_KEY_ECC_PRIVATE, build_scalar},
    {HAS(PART_DSA_PUBLIC), CARD_KEY_DSA_PUBLIC, build_dsa_public},
    {HAS(PART_DSA_PRIVATE), CARD_KEY_DSA_PRIVATE, build_dsa_private},
};

bool new_key_is_symmetric(const struct new_key *k)
{
    return k->type == CARD_KEY_DES || k->type == CARD_KEY_AES;
}

/* A pair must be one: points on their curve, numbers that fit together. */
static bool is_sound(const struct new_key *k)
{
    struct pk *key = NULL;
    struct card_key stored = {.type = k->type, .parameter = k->parameter, .data = k->data.data};
    stored.len = (uint16_t)k->data.len;
    bool sound = new_key_is_symmetric(k) || keypair_load(&stored, &key) == OK;
    pk_free(&key);
    return sound;
}

/* The reference of the curve (table B-2): given, or found by its domain parameters. */
static bool take_parameter(const struct key_parts *p, uint8_t *out)
{
    static const uint8_t one[] = {0x01}; /* of all curves that this card has; hosts may leave it out */
    struct pk_curve_parameters q = {.p = part(p, PART_CURVE_P),
                                    .a = part(p, PART_CURVE_A),
                                    .b = part(p, PART_CURVE_B),
                                    .g = part(p, PART_CURVE_G),
                                    .n = part(p, PART_CURVE_N),
                                    .cofactor = VIEW_OF(one)};
    struct view parameter = part(p, PART_PARAMETER);
    enum pk_curve curve = CURVE_P256;
    if (p->value[PART_CURVE_K].len != 0)
        q.cofactor = part(p, PART_CURVE_K);
    if (parameter.len > 1)
        return false; /* references of two bytes are for curves that are loaded */
    if (q.p.len != 0 && pk_curve_by_parameters(&q, &curve) != OK)
        return false;
    *out = parameter.len != 0 ? parameter.data[0] : (uint8_t)curve;
    return true;
}

uint16_t key_parts_build(const struct key_parts *p, struct new_key *out)
{
    unsigned have = 0;
    for (unsigned n = 0; n < PART_COUNT; n++)
        have |= p->value[n].len != 0 ? HAS(n) : 0u;
    for (size_t n = 0; n < sizeof key_rows / sizeof key_rows[0]; n++) {
        if (key_rows[n].parts != have)
            continue;
        out->type = key_rows[n].type;
        if (!take_parameter(p, &out->parameter))
            return SW_WRONG_DATA;
        wr_free(&out->data);
        wr_heap(&out->data, CARD_KEY_MAX);
        return key_rows[n].build(p, out) == OK && wr_ok(&out->data) && is_sound(out) ? SW_OK : SW_WRONG_DATA;
    }
    return SW_WRONG_DATA;
}

/* B.6: the first bytes of zeros under Triple-DES, of 01s under AES. No other keys have check values
 * (11.8.2.3.5, 11.8.2.3.6). */
uint16_t new_key_check(struct crypto *c, const struct new_key *k, struct view kcv)
{
    uint8_t block[AES_BLOCK], out[AES_BLOCK];
    bool des = k->type == CARD_KEY_DES;
    if (!new_key_is_symmetric(k))
        return kcv.len == 0 ? SW_OK : SW_WRONG_DATA;
    if (kcv.len != KCV_LEN)
        return SW_WRONG_DATA;
    memset(block, des ? 0x00 : 0x01, sizeof block);
    struct view key = wr_view_of(&k->data), in = view_of(block, des ? DES_BLOCK : AES_BLOCK);
    enum err e = !des                ? crypto_aes_ecb_encrypt(c, key, in, out)
                 : key.len == in.len ? crypto_des_ecb_encrypt(c, key, in, out)
                                     : crypto_des3_ecb_encrypt(c, key, in, out);
    if (e != OK)
        return SW_NO_DIAGNOSIS;
    return secret_equal(kcv, view_of(out, KCV_LEN)) ? SW_OK : SW_SECURITY_STATUS; /* table 11-78 */
}

void new_key_finish(struct new_key *k)
{
    wr_free(&k->data);
    memset(k, 0, sizeof *k);
}

void new_keys_finish(struct new_keys *k)
{
    for (size_t n = 0; n < NEW_KEYS_MAX; n++)
        new_key_finish(&k->key[n]);
    memset(k, 0, sizeof *k);
}
