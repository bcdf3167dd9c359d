/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys from and to plain numbers, as cards and PUT KEY have them, and new keys. */
#include "pk_internal.h"

enum { NUMBERS_MAX = 8, NUMBER_BYTES_MAX = PK_SIGNATURE_MAX };

/* ---- building ---- */

static bool push(OSSL_PARAM_BLD *build, const struct pk_number *n)
{
    if (n->value != NULL)
        return OSSL_PARAM_BLD_push_BN(build, n->name, n->value) == 1;
    if (n->bytes.len > 0)
        return OSSL_PARAM_BLD_push_octet_string(build, n->name, n->bytes.data, n->bytes.len) == 1;
    return true;
}

enum err pk_build(const char *algorithm, const char *group, const struct pk_number *numbers, size_t count,
                  bool is_private, EVP_PKEY **out)
{
    enum err e = ERR_CRYPTO;
    OSSL_PARAM *params = NULL;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, algorithm, NULL);
    bool good = build != NULL && ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1;
    if (good && group != NULL)
        good = OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, group, 0) == 1;
    for (size_t i = 0; good && i < count; i++)
        good = push(build, &numbers[i]);
    if (!good || (params = OSSL_PARAM_BLD_to_param(build)) == NULL)
        goto out;
    int selection = is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
    e = EVP_PKEY_fromdata(ctx, out, selection, params) == 1 ? OK : ERR_FORMAT;
out:
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(ctx);
    return e == OK ? OK : crypto_failed(e);
}

/* The numbers as the library has them, NULL where there are no bytes. Secure ones are wiped by the library in
 * whatever it copies them to. */
static enum err read_numbers(const struct view *bytes, size_t count, BIGNUM **out)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i].len > NUMBER_BYTES_MAX)
            return ERR_UNSUPPORTED;
        if (bytes[i].len == 0)
            continue;
        out[i] = BN_secure_new();
        if (out[i] == NULL || BN_bin2bn(bytes[i].data, (int)bytes[i].len, out[i]) == NULL)
            return crypto_failed(ERR_MEMORY);
        BN_set_flags(out[i], BN_FLG_CONSTTIME);
    }
    return OK;
}

static void free_numbers(BIGNUM **numbers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        BN_clear_free(numbers[i]);
}

static enum err from_numbers(const char *algorithm, const char *const *names, BIGNUM *const *values,
                             size_t count, bool is_private, struct pk **out)
{
    struct pk_number numbers[NUMBERS_MAX] = {0};
    EVP_PKEY *key = NULL;
    for (size_t i = 0; i < count; i++)
        numbers[i] = (struct pk_number){.name = names[i], .value = values[i]};
    enum err e = pk_build(algorithm, NULL, numbers, count, is_private, &key);
    return e == OK ? pk_adopt(key, is_private, out) : e;
}

static enum err public_from_bytes(const char *algorithm, const char *const *names, const struct view *bytes,
                                  size_t count, struct pk **out)
{
    BIGNUM *values[NUMBERS_MAX] = {NULL};
    enum err e = OK;
    for (size_t i = 0; i < count; i++)
        if (bytes[i].len == 0)
            e = ERR_FORMAT;
    if (e == OK)
        e = read_numbers(bytes, count, values);
    if (e == OK)
        e = from_numbers(algorithm, names, values, count, false, out);
    free_numbers(values, count);
    return e;
}

/* ---- RSA ---- */

enum rsa_number { N, E, D, P, Q, DP, DQ, QINV, RSA_NUMBERS };

static const char *const rsa_names[RSA_NUMBERS] = {
    OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,           OSSL_PKEY_PARAM_RSA_D,
    OSSL_PKEY_PARAM_RSA_FACTOR1,   OSSL_PKEY_PARAM_RSA_FACTOR2,     OSSL_PKEY_PARAM_RSA_EXPONENT1,
    OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1};

enum err pk_rsa_public(struct view n, struct view e, struct pk **out)
{
    const struct view bytes[] = {n, e};
    return public_from_bytes("RSA", rsa_names, bytes, 2, out);
}

/* A number that is absent, made. */
static BIGNUM *missing(BIGNUM **number)
{
    *number = BN_secure_new();
    if (*number != NULL)
        BN_set_flags(*number, BN_FLG_CONSTTIME);
    return *number;
}

/* RFC 8017 3.2: what follows from p, q and e. p1, q1: one less than p and q. */
static bool complete_rsa(BIGNUM *v[RSA_NUMBERS], BIGNUM *p1, BIGNUM *q1, BIGNUM *phi, BN_CTX *ctx)
{
    if (BN_sub(p1, v[P], BN_value_one()) != 1 || BN_sub(q1, v[Q], BN_value_one()) != 1)
        return false;
    BN_set_flags(p1, BN_FLG_CONSTTIME);
    BN_set_flags(q1, BN_FLG_CONSTTIME);
    if (v[N] == NULL && (missing(&v[N]) == NULL || BN_mul(v[N], v[P], v[Q], ctx) != 1))
        return false;
    if (v[D] == NULL && (BN_mul(phi, p1, q1, ctx) != 1 || missing(&v[D]) == NULL ||
                         BN_mod_inverse(v[D], v[E], phi, ctx) == NULL))
        return false;
    if (v[DP] == NULL && (missing(&v[DP]) == NULL || BN_mod(v[DP], v[D], p1, ctx) != 1))
        return false;
    if (v[DQ] == NULL && (missing(&v[DQ]) == NULL || BN_mod(v[DQ], v[D], q1, ctx) != 1))
        return false;
    return v[QINV] != NULL || (missing(&v[QINV]) != NULL && BN_mod_inverse(v[QINV], v[Q], v[P], ctx) != NULL);
}

static enum err complete(BIGNUM *v[RSA_NUMBERS])
{
    BN_CTX *ctx = BN_CTX_secure_new();
    BIGNUM *p1 = BN_secure_new(), *q1 = BN_secure_new(), *phi = BN_secure_new();
    enum err e = ERR_MEMORY;
    if (ctx != NULL && p1 != NULL && q1 != NULL && phi != NULL)
        e = complete_rsa(v, p1, q1, phi, ctx) ? OK : ERR_FORMAT;
    BN_clear_free(p1);
    BN_clear_free(q1);
    BN_clear_free(phi);
    BN_CTX_free(ctx);
    return e == OK ? OK : crypto_failed(e);
}

enum err pk_rsa_private(const struct pk_rsa_parts *parts, struct pk **out)
{
    const struct view bytes[RSA_NUMBERS] = {parts->n, parts->e,  parts->d,  parts->p,
                                            parts->q, parts->dp, parts->dq, parts->qinv};
    BIGNUM *v[RSA_NUMBERS] = {NULL};
    enum err e = read_numbers(bytes, RSA_NUMBERS, v);
    bool factors = v[P] != NULL && v[Q] != NULL;
    if (e == OK && (v[E] == NULL || (!factors && (v[N] == NULL || v[D] == NULL))))
        e = ERR_FORMAT;
    if (e == OK && factors)
        e = complete(v);
    if (e == OK) /* without both factors the other CRT values are of no use */
        e = from_numbers("RSA", rsa_names, v, factors ? RSA_NUMBERS : P, true, out);
    free_numbers(v, RSA_NUMBERS);
    return e;
}

/* ---- DSA ---- */

enum err pk_dsa_public(struct view p, struct view q, struct view g, struct view y, struct pk **out)
{
    static const char *const names[] = {OSSL_PKEY_PARAM_FFC_P, OSSL_PKEY_PARAM_FFC_Q, OSSL_PKEY_PARAM_FFC_G,
                                        OSSL_PKEY_PARAM_PUB_KEY};
    const struct view bytes[] = {p, q, g, y};
    return public_from_bytes("DSA", names, bytes, 4, out);
}

enum { DSA_P = 0, DSA_G = 2, DSA_Y = 3, DSA_X = 4 };

/* y = g^x mod p; what p and the others are is looked at behind this. */
static enum err dsa_y(BIGNUM *v[5])
{
    BN_CTX *ctx = BN_CTX_new();
    v[DSA_Y] = BN_new();
    BN_set_flags(v[DSA_X], BN_FLG_CONSTTIME);
    bool good = ctx != NULL && v[DSA_Y] != NULL && BN_is_odd(v[DSA_P]) &&
                BN_mod_exp(v[DSA_Y], v[DSA_G], v[DSA_X], v[DSA_P], ctx) == 1;
    BN_CTX_free(ctx);
    return good ? OK : crypto_failed(ERR_FORMAT);
}

enum err pk_dsa_private(const struct pk_dsa_parts *parts, struct pk **out)
{
    static const char *const names[] = {OSSL_PKEY_PARAM_FFC_P, OSSL_PKEY_PARAM_FFC_Q, OSSL_PKEY_PARAM_FFC_G,
                                        OSSL_PKEY_PARAM_PUB_KEY, OSSL_PKEY_PARAM_PRIV_KEY};
    const struct view bytes[] = {parts->p, parts->q, parts->g, parts->y, parts->x};
    BIGNUM *v[5] = {NULL};
    enum err e = read_numbers(bytes, 5, v);
    for (size_t i = 0; i < 5 && e == OK; i++)
        if (v[i] == NULL && i != DSA_Y)
            e = ERR_FORMAT;
    if (e == OK && v[DSA_Y] == NULL)
        e = dsa_y(v);
    if (e == OK)
        e = from_numbers("DSA", names, v, 5, true, out);
    free_numbers(v, 5);
    return e;
}

/* ---- elliptic curves ---- */

enum err pk_ec_public(enum pk_curve curve, struct view point, struct pk **out)
{
    const struct pk_number number = {.name = OSSL_PKEY_PARAM_PUB_KEY, .bytes = point};
    EVP_PKEY *key = NULL;
    if (curve_group(curve) == NULL)
        return ERR_UNSUPPORTED;
    if (point.len != 1 + 2 * pk_curve_len(curve) || point.data[0] != POINT_CONVERSION_UNCOMPRESSED)
        return ERR_FORMAT;
    /* SEC 1 2.3.4 in the library: coordinates in range, and on the curve. Infinity has no 04 in front. */
    enum err e = pk_build("EC", curve_group(curve), &number, 1, false, &key);
    return e == OK ? pk_wrap_ec(key, curve, false, out) : e;
}

/* scalar * generator, uncompressed; ERR_FORMAT when scalar does not lie between 0 and the order. */
enum err ec_multiply(enum pk_curve curve, const BIGNUM *scalar, struct writer *point)
{
    enum err e = ERR_CRYPTO;
    EC_POINT *q = NULL;
    EC_GROUP *group = EC_GROUP_new_by_curve_name(OBJ_sn2nid(curve_group(curve)));
    size_t len = 1 + 2 * pk_curve_len(curve);
    if (group == NULL || (q = EC_POINT_new(group)) == NULL)
        goto out;
    if (BN_is_zero(scalar) || BN_cmp(scalar, EC_GROUP_get0_order(group)) >= 0) {
        e = ERR_FORMAT;
        goto out;
    }
    uint8_t *to = wr_reserve(point, len);
    if (to != NULL && EC_POINT_mul(group, q, scalar, NULL, NULL, NULL) == 1 &&
        EC_POINT_point2oct(group, q, POINT_CONVERSION_UNCOMPRESSED, to, len, NULL) == len)
        e = OK;
out:
    EC_POINT_free(q);
    EC_GROUP_free(group);
    return e == OK ? OK : crypto_failed(e);
}

enum err pk_ec_private(enum pk_curve curve, struct view scalar, struct pk **out)
{
    uint8_t memory[PK_POINT_MAX];
    struct writer point;
    BIGNUM *d = NULL;
    EVP_PKEY *key = NULL;
    if (curve_group(curve) == NULL)
        return ERR_UNSUPPORTED;
    if (scalar.len == 0 || scalar.len > pk_curve_len(curve))
        return ERR_FORMAT;
    wr_fixed(&point, memory, sizeof(memory));
    enum err e = read_numbers(&scalar, 1, &d);
    if (e == OK)
        e = ec_multiply(curve, d, &point);
    if (e == OK) {
        const struct pk_number numbers[] = {
            {.name = OSSL_PKEY_PARAM_PUB_KEY, .bytes = wr_view_of(&point)},
            {.name = OSSL_PKEY_PARAM_PRIV_KEY, .value = d},
        };
        e = pk_build("EC", curve_group(curve), numbers, 2, true, &key);
    }
    BN_clear_free(d);
    return e == OK ? pk_adopt(key, true, out) : e;
}

/* ---- back to numbers ---- */

/* Padded on the left to len bytes; 0: as long as the number is. */
static enum err put_number(const struct pk *k, const char *name, size_t len, struct writer *out)
{
    BIGNUM *n = NULL;
    enum err e = ERR_CRYPTO;
    if (EVP_PKEY_get_bn_param(k->key, name, &n) == 1) {
        size_t bytes = len == 0 ? (size_t)BN_num_bytes(n) : len;
        uint8_t *to = wr_reserve(out, bytes);
        if (to == NULL)
            e = ERR_LIMIT;
        else if (BN_bn2binpad(n, to, (int)bytes) == (int)bytes)
            e = OK;
    }
    BN_clear_free(n);
    return e == OK ? OK : crypto_failed(e);
}

enum err pk_put_point(const struct pk *k, struct writer *out)
{
    uint8_t point[PK_POINT_MAX];
    size_t want = 1 + 2 * pk_curve_len(k->curve), len = 0;
    if (k->algorithm != PK_EC)
        return ERR_ARGUMENT;
    if (EVP_PKEY_get_octet_string_param(k->key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &len) != 1 ||
        len != want || point[0] != POINT_CONVERSION_UNCOMPRESSED)
        return crypto_failed(ERR_CRYPTO);
    wr_bytes(out, point, len);
    return wr_status(out);
}

enum err pk_put_scalar(const struct pk *k, struct writer *out)
{
    if (k->algorithm != PK_EC)
        return ERR_ARGUMENT;
    if (!k->is_private)
        return ERR_STATE;
    return put_number(k, OSSL_PKEY_PARAM_PRIV_KEY, pk_curve_len(k->curve), out);
}

enum err pk_put_rsa(const struct pk *k, struct writer *n, struct writer *e)
{
    if (k->algorithm != PK_RSA)
        return ERR_ARGUMENT;
    enum err err = put_number(k, OSSL_PKEY_PARAM_RSA_N, 0, n);
    return err == OK ? put_number(k, OSSL_PKEY_PARAM_RSA_E, 0, e) : err;
}

enum err pk_put_dsa(const struct pk *k, struct pk_dsa_writers *out)
{
    if (k->algorithm != PK_DSA)
        return ERR_ARGUMENT;
    enum err e = put_number(k, OSSL_PKEY_PARAM_FFC_P, 0, out->p);
    if (e == OK)
        e = put_number(k, OSSL_PKEY_PARAM_FFC_Q, 0, out->q);
    if (e == OK)
        e = put_number(k, OSSL_PKEY_PARAM_FFC_G, 0, out->g);
    return e == OK ? put_number(k, OSSL_PKEY_PARAM_PUB_KEY, 0, out->y) : e;
}

/* ---- new keys ---- */

static enum err generate(EVP_PKEY_CTX *ctx, struct pk **out)
{
    EVP_PKEY *key = NULL;
    if (ctx == NULL || EVP_PKEY_generate(ctx, &key) != 1)
        return crypto_failed(ERR_CRYPTO);
    return pk_adopt(key, true, out);
}

/* One context per curve stays in struct crypto. */
enum err pk_generate_ec(struct crypto *c, enum pk_curve curve, struct pk **out)
{
    const char *group = curve_group(curve);
    if (group == NULL)
        return ERR_UNSUPPORTED;
    EVP_PKEY_CTX **ctx = &c->ec_keygen[curve];
    if (*ctx == NULL) {
        *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
        if (*ctx == NULL || EVP_PKEY_keygen_init(*ctx) != 1 ||
            EVP_PKEY_CTX_set_group_name(*ctx, group) != 1) {
            EVP_PKEY_CTX_free(*ctx);
            *ctx = NULL;
            return crypto_failed(ERR_CRYPTO);
        }
    }
    return generate(*ctx, out);
}

static enum err generate_rsa(unsigned bits, struct pk **out)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    enum err e = ERR_CRYPTO;
    if (ctx != NULL && EVP_PKEY_keygen_init(ctx) == 1 &&
        EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)bits) == 1)
        e = generate(ctx, out);
    EVP_PKEY_CTX_free(ctx);
    return e == OK ? OK : crypto_failed(e);
}

/* FIPS 186-4 4.2: q of 256 bits. First the group, then the key. */
static enum err generate_dsa(unsigned bits, struct pk **out)
{
    enum err e = ERR_CRYPTO;
    EVP_PKEY *group = NULL;
    EVP_PKEY_CTX *key_ctx = NULL, *ctx = EVP_PKEY_CTX_new_from_name(NULL, "DSA", NULL);
    if (ctx == NULL || EVP_PKEY_paramgen_init(ctx) != 1 ||
        EVP_PKEY_CTX_set_dsa_paramgen_bits(ctx, (int)bits) != 1 ||
        EVP_PKEY_CTX_set_dsa_paramgen_q_bits(ctx, 256) != 1 || EVP_PKEY_paramgen(ctx, &group) != 1)
        goto out;
    key_ctx = EVP_PKEY_CTX_new_from_pkey(NULL, group, NULL);
    if (key_ctx != NULL && EVP_PKEY_keygen_init(key_ctx) == 1)
        e = generate(key_ctx, out);
out:
    EVP_PKEY_CTX_free(key_ctx);
    EVP_PKEY_free(group);
    EVP_PKEY_CTX_free(ctx);
    return e == OK ? OK : crypto_failed(e);
}

enum err pk_generate(struct crypto *c, enum pk_algorithm algorithm, unsigned bits, struct pk **out)
{
    (void)c;
    if (algorithm == PK_RSA && bits >= 1024 && bits <= 4096 && bits % 8 == 0)
        return generate_rsa(bits, out);
    if (algorithm == PK_DSA && (bits == 2048 || bits == 3072))
        return generate_dsa(bits, out);
    return ERR_UNSUPPORTED;
}

static bool same_number(struct view bytes, const BIGNUM *number)
{
    BIGNUM *n = NULL;
    bool same = read_numbers(&bytes, 1, &n) == OK && BN_cmp(n, number) == 0;
    BN_free(n);
    return same;
}

static bool same_generator(const EC_GROUP *group, struct view g)
{
    uint8_t point[PK_POINT_MAX];
    size_t len = EC_POINT_point2oct(group, EC_GROUP_get0_generator(group), POINT_CONVERSION_UNCOMPRESSED,
                                    point, sizeof(point), NULL);
    return len > 0 && view_equal(g, view_of(point, len));
}

static bool is_curve(const struct pk_curve_parameters *q, enum pk_curve curve)
{
    BIGNUM *p = BN_new(), *a = BN_new(), *b = BN_new();
    EC_GROUP *group = EC_GROUP_new_by_curve_name(OBJ_sn2nid(curve_group(curve)));
    bool same = group != NULL && p != NULL && a != NULL && b != NULL &&
                EC_GROUP_get_curve(group, p, a, b, NULL) == 1 && same_number(q->p, p) &&
                same_number(q->a, a) && same_number(q->b, b) &&
                same_number(q->n, EC_GROUP_get0_order(group)) &&
                same_number(q->cofactor, EC_GROUP_get0_cofactor(group)) && same_generator(group, q->g);
    EC_GROUP_free(group);
    BN_free(p);
    BN_free(a);
    BN_free(b);
    return same;
}

enum err pk_curve_by_parameters(const struct pk_curve_parameters *parameters, enum pk_curve *out)
{
    for (unsigned n = 0; n < CURVE_COUNT; n++) {
        if (curve_group((enum pk_curve)n) != NULL && is_curve(parameters, (enum pk_curve)n)) {
            *out = (enum pk_curve)n;
            return OK;
        }
    }
    return ERR_NOT_FOUND;
}
