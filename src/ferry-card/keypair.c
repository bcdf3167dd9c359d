/* SPDX-License-Identifier: Apache-2.0
 *
 * Key pairs: one row per type of key. */
#include "keypair.h"

#include <string.h>

/* Exponent and modulus, each behind its length. */
static enum err load_rsa(const struct card_key *k, struct view data, struct pk **out)
{
    struct reader r;
    (void)k;
    rd_init(&r, data);
    struct view e = rd_view16(&r, CARD_KEY_MAX), n = rd_view16(&r, CARD_KEY_MAX);
    return rd_done(&r) ? pk_rsa_public(n, e, out) : ERR_FORMAT;
}

static enum err load_dsa(const struct card_key *k, struct view data, struct pk **out)
{
    struct reader r;
    (void)k;
    rd_init(&r, data);
    struct view p = rd_view(&r, DSA_P_LEN), q = rd_view(&r, DSA_Q_LEN), g = rd_view(&r, DSA_P_LEN);
    struct view y = rd_view(&r, DSA_P_LEN);
    return rd_done(&r) ? pk_dsa_public(p, q, g, y, out) : ERR_FORMAT;
}

static enum err load_pkcs8(const struct card_key *k, struct view data, struct pk **out)
{
    (void)k;
    return pk_from_pkcs8(data, out);
}

static enum err load_point(const struct card_key *k, struct view data, struct pk **out)
{
    return k->parameter < CURVE_COUNT ? pk_ec_public((enum pk_curve)k->parameter, data, out)
                                      : ERR_UNSUPPORTED;
}

static enum err load_scalar(const struct card_key *k, struct view data, struct pk **out)
{
    return k->parameter < CURVE_COUNT ? pk_ec_private((enum pk_curve)k->parameter, data, out)
                                      : ERR_UNSUPPORTED;
}

static enum err put_rsa(const struct pk *k, struct writer *w)
{
    uint8_t n_memory[PK_SIGNATURE_MAX], e_memory[PK_SIGNATURE_MAX];
    struct writer n, e;
    wr_fixed(&n, n_memory, sizeof n_memory);
    wr_fixed(&e, e_memory, sizeof e_memory);
    enum err result = pk_put_rsa(k, &n, &e);
    wr_view16(w, wr_view_of(&e));
    wr_view16(w, wr_view_of(&n));
    return result;
}

/* Numbers with zeros in front up to their length. */
static void put_padded(struct writer *w, const struct writer *number, size_t len)
{
    for (size_t n = number->len; n < len; n++)
        wr_u8(w, 0);
    wr_view(w, wr_view_of(number));
}

static enum err put_dsa(const struct pk *k, struct writer *w)
{
    uint8_t memory[4][DSA_P_LEN];
    struct writer p, q, g, y;
    struct pk_dsa_writers to = {&p, &q, &g, &y};
    wr_fixed(&p, memory[0], DSA_P_LEN);
    wr_fixed(&q, memory[1], DSA_Q_LEN);
    wr_fixed(&g, memory[2], DSA_P_LEN);
    wr_fixed(&y, memory[3], DSA_P_LEN);
    if (pk_bits(k) != 8u * DSA_P_LEN)
        return ERR_UNSUPPORTED;
    enum err e = pk_put_dsa(k, &to);
    put_padded(w, &p, DSA_P_LEN);
    put_padded(w, &q, DSA_Q_LEN);
    put_padded(w, &g, DSA_P_LEN);
    put_padded(w, &y, DSA_P_LEN);
    return e;
}

static const struct row {
    uint8_t type;
    enum pk_algorithm algorithm;
    bool is_private;
    enum err (*load)(const struct card_key *k, struct view data, struct pk **out);
    enum err (*put)(const struct pk *k, struct writer *w);
} rows[] = {
    {CARD_KEY_RSA_PUBLIC, PK_RSA, false, load_rsa, put_rsa},
    {CARD_KEY_RSA_PRIVATE, PK_RSA, true, load_pkcs8, pk_put_pkcs8},
    {CARD_KEY_DSA_PUBLIC, PK_DSA, false, load_dsa, put_dsa},
    {CARD_KEY_DSA_PRIVATE, PK_DSA, true, load_pkcs8, pk_put_pkcs8},
    {CARD_KEY_ECC_PUBLIC, PK_EC, false, load_point, pk_put_point},
    {CARD_KEY_ECC_PRIVATE, PK_EC, true, load_scalar, pk_put_scalar},
};
enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

static const struct row *row_of(uint8_t type)
{
    for (size_t n = 0; n < ROW_COUNT; n++) {
        if (rows[n].type == type)
            return &rows[n];
    }
    return NULL;
}

bool keypair_is_private(const struct card_key *k)
{
    const struct row *row = row_of(k->type);
    return row != NULL && row->is_private;
}

/* PKCS#8 says itself what it is: it must be what the type says. */
enum err keypair_load(const struct card_key *k, struct pk **out)
{
    const struct row *row = row_of(k->type);
    struct pk *key = NULL;
    if (row == NULL)
        return ERR_UNSUPPORTED;
    enum err e = row->load(k, view_of(k->data, k->len), &key);
    if (e == OK && pk_algorithm(key) != row->algorithm) {
        pk_free(&key);
        e = ERR_FORMAT;
    }
    if (e == OK)
        *out = key;
    return e;
}

enum err keypair_put(struct writer *records, struct view domain, uint8_t kvn, uint8_t kid, const struct pk *k,
                     bool private_half)
{
    struct card_key key = {.kvn = kvn, .kid = kid};
    struct writer data;
    enum err e = ERR_UNSUPPORTED;
    if (domain.len != 0 && !card_aid_set(&key.domain, domain))
        return ERR_ARGUMENT;
    wr_heap(&data, CARD_KEY_MAX);
    for (size_t n = 0; n < ROW_COUNT; n++) {
        if (rows[n].algorithm != pk_algorithm(k) || rows[n].is_private != private_half)
            continue;
        key.type = rows[n].type;
        e = rows[n].put(k, &data);
    }
    if (e == OK)
        e = wr_status(&data);
    if (e == OK) {
        key.parameter = pk_algorithm(k) == PK_EC ? (uint8_t)pk_ec_curve(k) : 0;
        key.data = data.data;
        key.len = (uint16_t)data.len;
        card_put_key(records, &key);
        e = wr_status(records);
    }
    wr_free(&data);
    return e;
}

static enum err image_of_rsa(const struct pk *k, struct writer *out)
{
    uint8_t memory[PK_SIGNATURE_MAX];
    struct writer e;
    wr_fixed(&e, memory, sizeof memory);
    enum err result = pk_put_rsa(k, out, &e);
    wr_view(out, wr_view_of(&e));
    return result;
}

enum err keypair_put_image(const struct pk *k, struct writer *out)
{
    static enum err (*const images[])(const struct pk *k, struct writer *out) = {
        [PK_RSA] = image_of_rsa, [PK_DSA] = put_dsa, [PK_EC] = pk_put_point};
    enum err e = images[pk_algorithm(k)](k, out);
    return e == OK ? wr_status(out) : e;
}
