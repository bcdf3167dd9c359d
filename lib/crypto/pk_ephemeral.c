/* SPDX-License-Identifier: Apache-2.0
 *
 * Key pairs of one key agreement: made, taken apart, and put together again by ourselves, so that nothing
 * about them needs the proof that a foreign key has to give, which would cost more than the agreement. */
#include "pk_internal.h"

#include <stdlib.h>

/* Draws of a scalar: for none of the curves is the order below a quarter of what the bytes can say (P-521
 * after the mask). */
enum { TRIES = 256 };

static enum err wrap_key(EVP_PKEY *key, enum pk_curve curve, struct pk **out)
{
    struct pk *k = calloc(1, sizeof(*k));
    if (k == NULL) {
        EVP_PKEY_free(key);
        return ERR_MEMORY;
    }
    k->key = key;
    k->algorithm = PK_EC;
    k->curve = curve;
    k->bits = (unsigned)EVP_PKEY_get_bits(key);
    k->is_private = true;
    *out = k;
    return OK;
}

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
    return e == OK ? wrap_key(key, curve, out) : e;
}

/* FIPS 186-4 B.4.2: draw until the number is one. */
static enum err draw(enum pk_curve curve, struct random_source random, struct pk **out)
{
    struct secret scalar = {.len = pk_curve_len(curve)};
    enum err e = ERR_FORMAT;
    for (int i = 0; i < TRIES && e == ERR_FORMAT; i++) {
        e = random.fill(random.ctx, scalar.data, scalar.len);
        if (curve == CURVE_P521)
            scalar.data[0] &= 0x01;
        if (e == OK)
            e = pk_ec_restore(curve, secret_view(&scalar), VIEW_NULL, out);
    }
    secret_wipe(&scalar);
    return e == ERR_FORMAT ? ERR_CRYPTO : e;
}

enum err pk_ec_ephemeral(struct crypto *c, enum pk_curve curve, struct random_source random, struct pk **out)
{
    EVP_PKEY_CTX *ctx = NULL;
    EVP_PKEY *key = NULL;
    if (curve_group(curve) == NULL)
        return ERR_UNSUPPORTED;
    if (random.fill != crypto_random().fill)
        return draw(curve, random, out);
    /* The library draws from the same generator, in a context that is kept. */
    enum err e = ec_keygen_context(c, curve, &ctx);
    if (e != OK)
        return e;
    if (EVP_PKEY_generate(ctx, &key) != 1)
        return crypto_failed(ERR_CRYPTO);
    return wrap_key(key, curve, out);
}
