/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files about key pairs share. A struct pk keeps, beside the key, one ready context for each thing
 * that is done with it again and again: to set one up costs the library a search of its providers. */
#ifndef CRYPTO_PK_INTERNAL_H
#define CRYPTO_PK_INTERNAL_H

#include "crypto_internal.h"
#include <crypto/pk.h>

#define ERR_STATE openssl_err_state
#include <openssl/bn.h>
#include <openssl/dsa.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#undef ERR_STATE

enum pk_use { USE_SIGN, USE_VERIFY, USE_ENCRYPT, USE_DECRYPT, USE_DERIVE, USE_COUNT };

/* Paddings beside the four schemes of signatures, for pk_context. */
enum { SCHEME_OAEP = 16, SCHEME_ECDH };

struct pk_context {
    EVP_PKEY_CTX *ctx; /* NULL: not made yet */
    unsigned scheme;   /* an enum pk_scheme or one of the above: what it is ready for */
    enum digest digest;
};

struct pk {
    EVP_PKEY *key;
    enum pk_algorithm algorithm;
    enum pk_curve curve; /* CURVE_COUNT when it is none */
    unsigned bits;
    bool is_private;
    struct pk_context uses[USE_COUNT];
};

/* Takes key over, freeing it on failure: ERR_UNSUPPORTED for algorithms, sizes and curves that this project
 * has no use for, ERR_FORMAT for numbers that are no key. With is_private: public and private half belong
 * together. */
enum err pk_adopt(EVP_PKEY *key, bool is_private, struct pk **out) MUST_USE;

/* Takes over a key on this curve that was made here, or whose point the library has just put onto the curve:
 * it needs no further look. Frees it on failure. */
enum err pk_wrap_ec(EVP_PKEY *key, enum pk_curve curve, bool is_private, struct pk **out) MUST_USE;

/* One parameter of a key in the library's names. */
struct pk_number {
    const char *name;
    BIGNUM *value; /* or, when NULL: */
    struct view bytes;
};
/* A key of these numbers; group: the curve, or NULL. Public numbers only unless is_private. */
enum err pk_build(const char *algorithm, const char *group, const struct pk_number *numbers, size_t count,
                  bool is_private, EVP_PKEY **out) MUST_USE;

/* The context of this use, ready for scheme and digest; made once, and again when these change. */
enum err pk_context(struct pk *k, enum pk_use use, unsigned scheme, const struct crypto *c,
                    enum digest digest, EVP_PKEY_CTX **out) MUST_USE;

/* scalar * generator, uncompressed, appended; ERR_FORMAT when scalar does not lie between 0 and the order. */
enum err ec_multiply(enum pk_curve curve, const BIGNUM *scalar, struct writer *point) MUST_USE;

const char *curve_group(enum pk_curve curve); /* the library's name */
bool curve_by_group(const char *group, enum pk_curve *out);

#endif
