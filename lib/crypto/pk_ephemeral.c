/* SPDX-License-Identifier: Apache-2.0
 *
 * Key pairs of one key agreement: made, taken apart, and put together again by ourselves, so that nothing
 * about them needs the proof that a foreign key has to give, which would cost more than the agreement. */
#include "pk_internal.h"

/* Draws of a scalar: for none of the curves is the order below a quarter of what the bytes can say (P-521
 * after the mask). */
enum { TRIES = 256 };

enum err pk_ec_restore(enum pk_curve curve, struct view scalar, struct view point, struct pk **out)
{
    uint8_t memory[PK_POINT_MAX];
    struct writer made;
    EVP_PKEY *key = NULL;
    if (curve_group(curve) == NULL)
        return ERR_UNSUPPORTED;
    if (scalar.len == 0 || scalar.len > pk_curve_len(curve))
        return ERR_FORMAT;
    BIGNUM *d = BN_secure_new();
    if (d == NULL || BN_bin2bn(scalar.data, (int)scalar.len, d) == NULL) {
        BN_clear_free(d);
        return crypto_failed(ERR_MEMORY);
    }
    BN_set_flags(d, BN_FLG_CONSTTIME);
    enum err e = OK;
    if (point.len == 0) {
        wr_fixed(&made, memory, sizeof(memory));
        e = ec_multiply(curve, d, &made);
        point = wr_view_of(&made);
    }
    if (e == OK) {
        const struct pk_number numbers[] = {
            {.name = OSSL_PKEY_PARAM_PUB_KEY, .bytes = point},
            {.name = OSSL_PKEY_PARAM_PRIV_KEY, .value = d},
        };
        e = pk_build("EC", curve_group(curve), numbers, 2, true, &key);
    }
    BN_clear_free(d);
    return e == OK ? pk_wrap_ec(key, curve, true, out) : e;
}

/* ---- in numbers: what is agreed once needs no key object, whose making costs the library as much ---- */

/* One per curve stays in struct crypto. */
static enum err group_of(struct crypto *c, enum pk_curve curve, const EC_GROUP **out)
{
    if (curve_group(curve) == NULL)
        return ERR_UNSUPPORTED;
    if (c->ec_groups[curve] == NULL)
        c->ec_groups[curve] = EC_GROUP_new_by_curve_name(OBJ_sn2nid(curve_group(curve)));
    *out = c->ec_groups[curve];
    return *out != NULL ? OK : crypto_failed(ERR_CRYPTO);
}

/* ERR_FORMAT when it is no key: 0, or not below the order. */
static enum err take_scalar(const EC_GROUP *group, struct view bytes, BIGNUM **out)
{
    BIGNUM *d = BN_secure_new();
    if (d == NULL || BN_bin2bn(bytes.data, (int)bytes.len, d) == NULL) {
        BN_clear_free(d);
        return crypto_failed(ERR_MEMORY);
    }
    BN_set_flags(d, BN_FLG_CONSTTIME);
    if (BN_is_zero(d) || BN_cmp(d, EC_GROUP_get0_order(group)) >= 0) {
        BN_clear_free(d);
        return ERR_FORMAT;
    }
    *out = d;
    return OK;
}

/* d * at, or d * generator when at is NULL. The library's multiplication with one point takes the same time
 * for every d. */
static enum err multiply(const EC_GROUP *group, const BIGNUM *d, const EC_POINT *at, EC_POINT **out)
{
    EC_POINT *q = EC_POINT_new(group);
    bool good = q != NULL && (at == NULL ? EC_POINT_mul(group, q, d, NULL, NULL, NULL)
                                         : EC_POINT_mul(group, q, NULL, at, d, NULL)) == 1;
    if (good && !EC_POINT_is_at_infinity(group, q)) {
        *out = q;
        return OK;
    }
    EC_POINT_clear_free(q);
    return crypto_failed(ERR_CRYPTO);
}

static enum err draw_once(const EC_GROUP *group, struct view scalar, size_t point_len, struct writer *point)
{
    BIGNUM *d = NULL;
    EC_POINT *q = NULL;
    enum err e = take_scalar(group, scalar, &d);
    if (e == OK)
        e = multiply(group, d, NULL, &q);
    if (e == OK) {
        uint8_t *to = wr_reserve(point, point_len);
        if (to == NULL)
            e = wr_status(point);
        else if (EC_POINT_point2oct(group, q, POINT_CONVERSION_UNCOMPRESSED, to, point_len, NULL) !=
                 point_len)
            e = crypto_failed(ERR_CRYPTO);
    }
    EC_POINT_clear_free(q);
    BN_clear_free(d);
    return e;
}

/* FIPS 186-4 B.4.2: draw until the number is one. */
enum err pk_ec_draw(struct crypto *c, enum pk_curve curve, struct random_source random, struct secret *scalar,
                    struct writer *point)
{
    const EC_GROUP *group = NULL;
    enum err e = group_of(c, curve, &group);
    if (e != OK)
        return e;
    scalar->len = pk_curve_len(curve);
    e = ERR_FORMAT;
    for (int i = 0; i < TRIES && e == ERR_FORMAT; i++) {
        e = random.fill(random.ctx, scalar->data, scalar->len);
        if (curve == CURVE_P521)
            scalar->data[0] &= 0x01;
        if (e == OK)
            e = draw_once(group, secret_view(scalar), 1 + 2 * scalar->len, point);
    }
    if (e != OK)
        secret_wipe(scalar);
    return e == ERR_FORMAT ? ERR_CRYPTO : e;
}

/* The library checks that the point is on its curve when it takes it in. */
static enum err take_point(const EC_GROUP *group, struct view bytes, size_t len, EC_POINT **out)
{
    if (bytes.len != len || bytes.data[0] != POINT_CONVERSION_UNCOMPRESSED)
        return ERR_FORMAT;
    EC_POINT *q = EC_POINT_new(group);
    if (q == NULL || EC_POINT_oct2point(group, q, bytes.data, bytes.len, NULL) != 1) {
        EC_POINT_free(q);
        return crypto_failed(q == NULL ? ERR_MEMORY : ERR_FORMAT);
    }
    *out = q;
    return OK;
}

static enum err put_x(const EC_GROUP *group, const EC_POINT *q, size_t len, struct secret *shared)
{
    BIGNUM *x = BN_secure_new();
    enum err e = ERR_CRYPTO;
    if (x != NULL && EC_POINT_get_affine_coordinates(group, q, x, NULL, NULL) == 1 &&
        BN_bn2binpad(x, shared->data, (int)len) == (int)len) {
        shared->len = len;
        e = OK;
    }
    BN_clear_free(x);
    return e == OK ? OK : crypto_failed(e);
}

enum err pk_ec_agree(struct crypto *c, enum pk_curve curve, struct view scalar, struct view point,
                     struct secret *shared)
{
    const size_t len = pk_curve_len(curve);
    const EC_GROUP *group = NULL;
    BIGNUM *d = NULL;
    EC_POINT *peer = NULL, *q = NULL;
    enum err e = group_of(c, curve, &group);
    if (e == OK && scalar.len != len)
        e = ERR_FORMAT;
    if (e == OK)
        e = take_point(group, point, 1 + 2 * len, &peer);
    if (e == OK)
        e = take_scalar(group, scalar, &d);
    if (e == OK)
        e = multiply(group, d, peer, &q);
    if (e == OK)
        e = put_x(group, q, len, shared);
    EC_POINT_clear_free(q);
    EC_POINT_free(peer);
    BN_clear_free(d);
    return e;
}
