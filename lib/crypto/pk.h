/* SPDX-License-Identifier: Apache-2.0
 *
 * Key pairs: signatures with RSA, DSA and elliptic curves, key agreement and key transport, as GlobalPlatform
 * uses them (GPCS 2.3.1 B.3, B.4; Amendments E and F). A struct pk is a public key, or a key pair when it was
 * made from a private key; it belongs to one thread at a time. Nothing here trusts a key because it parses:
 * points are checked to be on their curve, and who owns a key is decided elsewhere. */
#ifndef CRYPTO_PK_H
#define CRYPTO_PK_H

#include <crypto/crypto.h>

/* Longest in bytes: an RSA modulus of 4096 bits; a signature; an uncompressed point of P-521 (04 | x | y); a
 * private key as PKCS#8, a public key as SubjectPublicKeyInfo. */
enum {
    PK_SIGNATURE_MAX = 512,
    PK_POINT_MAX = 133,
    PK_SHARED_MAX = 66,
    PK_PRIVATE_MAX = 2600,
    PK_PUBLIC_MAX = 1300
};

struct pk;
void pk_free(struct pk **k); /* wipes; accepts NULL and clears */

enum pk_algorithm { PK_RSA, PK_DSA, PK_EC };
/* In the order of GPCS 2.3.1 table B-2 (key parameter reference values 00 to 07). */
enum pk_curve {
    CURVE_P256,
    CURVE_P384,
    CURVE_P521,
    CURVE_BRAINPOOL_P256R1,
    CURVE_BRAINPOOL_P256T1,
    CURVE_BRAINPOOL_P384R1,
    CURVE_BRAINPOOL_P384T1,
    CURVE_BRAINPOOL_P512R1,
    CURVE_BRAINPOOL_P512T1,
    CURVE_COUNT
};
/* "P-256", "brainpoolP256r1", ...; by_name takes "secp256r1" and "prime256v1" too, in any case, and says
 * ERR_UNSUPPORTED to others; bytes of one coordinate (P-521: 66). */
const char *pk_curve_name(enum pk_curve curve);
enum err pk_curve_by_name(const char *name, enum pk_curve *out) MUST_USE;
size_t pk_curve_len(enum pk_curve curve);
/* The curve that these domain parameters are: y^2 = x^3 + ax + b over the field of p, with generator g (04 |
 * x | y) of order n and cofactor 1; big-endian numbers, as long as they like. ERR_NOT_FOUND when they are
 * none of ours: parameters of anybody's own are not taken. */
struct pk_curve_parameters {
    struct view p, a, b, g, n, cofactor;
};
enum err pk_curve_by_parameters(const struct pk_curve_parameters *parameters, enum pk_curve *out) MUST_USE;

/* ---- making and taking keys. ERR_FORMAT for what does not parse or is not a valid key, ERR_UNSUPPORTED for
 * other algorithms, curves and sizes (RSA 1024 to 4096, DSA 2048/256 and 3072/256). ---- */

/* RSA: bits; DSA: 2048 or 3072. EC: see pk_generate_ec. */
enum err pk_generate(struct crypto *c, enum pk_algorithm algorithm, unsigned bits, struct pk **out) MUST_USE;
enum err pk_generate_ec(struct crypto *c, enum pk_curve curve, struct pk **out) MUST_USE;
enum err pk_from_pkcs8(struct view der, struct pk **out) MUST_USE;
enum err pk_from_spki(struct view der, struct pk **out) MUST_USE;
/* PEM as people have it in files: PKCS#8 or traditional private key without a passphrase, public key, or the
 * first certificate. */
enum err pk_from_pem(struct view pem, struct pk **out) MUST_USE;
enum err pk_rsa_public(struct view n, struct view e, struct pk **out) MUST_USE;
/* Big-endian numbers. With e, p and q, whatever else is empty is computed; or with n, e, d alone. qinv is the
 * inverse of q modulo p (RFC 8017 3.2). ERR_FORMAT when the parts do not belong together. */
struct pk_rsa_parts {
    struct view n, e, d, p, q, dp, dq, qinv;
};
enum err pk_rsa_private(const struct pk_rsa_parts *parts, struct pk **out) MUST_USE;
enum err pk_dsa_public(struct view p, struct view q, struct view g, struct view y, struct pk **out) MUST_USE;
/* All of them; y = g^x mod p, computed when it is empty. */
struct pk_dsa_parts {
    struct view p, q, g, y, x;
};
enum err pk_dsa_private(const struct pk_dsa_parts *parts, struct pk **out) MUST_USE;
/* point: 04 | x | y, checked. scalar: at most pk_curve_len bytes; the point is computed. */
enum err pk_ec_public(enum pk_curve curve, struct view point, struct pk **out) MUST_USE;
enum err pk_ec_private(enum pk_curve curve, struct view scalar, struct pk **out) MUST_USE;

/* A key pair from its scalar and its point (04 | x | y; empty: computed), which belong together because they
 * are what pk_put_scalar and pk_put_point gave; nothing is proven. Never for halves that anybody else had. */
enum err pk_ec_restore(enum pk_curve curve, struct view scalar, struct view point, struct pk **out) MUST_USE;

/* The key pair of one agreement as numbers: scalar, drawn from random, and point, 04 | x | y, appended. */
enum err pk_ec_draw(struct crypto *c, enum pk_curve curve, struct random_source random, struct secret *scalar,
                    struct writer *point) MUST_USE;
/* As pk_ecdh. ERR_FORMAT when scalar (pk_curve_len bytes) is no key or point is not on the curve. */
enum err pk_ec_agree(struct crypto *c, enum pk_curve curve, struct view scalar, struct view point,
                     struct secret *shared) MUST_USE;

/* ---- looking at keys ---- */

enum pk_algorithm pk_algorithm(const struct pk *k);
bool pk_is_private(const struct pk *k);
unsigned pk_bits(const struct pk *k);                 /* modulus, or p, or the field of the curve */
enum pk_curve pk_ec_curve(const struct pk *k);        /* CURVE_COUNT when it is not PK_EC */
bool pk_same(const struct pk *a, const struct pk *b); /* the same public key */
/* Appends. Private forms: ERR_STATE without a private key; the writer should be one that wipes. */
enum err pk_put_pkcs8(const struct pk *k, struct writer *out) MUST_USE;
enum err pk_put_spki(const struct pk *k, struct writer *out) MUST_USE;
enum err pk_put_point(const struct pk *k, struct writer *out) MUST_USE;  /* EC: 04 | x | y */
enum err pk_put_scalar(const struct pk *k, struct writer *out) MUST_USE; /* EC: pk_curve_len bytes */
enum err pk_put_rsa(const struct pk *k, struct writer *n, struct writer *e) MUST_USE;
struct pk_dsa_writers {
    struct writer *p, *q, *g, *y;
};
enum err pk_put_dsa(const struct pk *k, struct pk_dsa_writers *out) MUST_USE;

/* ---- signatures ---- */

enum pk_scheme {
    PK_RSA_PKCS1,  /* RSASSA-PKCS1-v1_5 (GPCS 2.3.1 B.3.1.1) */
    PK_RSA_PSS,    /* RSASSA-PSS, MGF1 with the same digest, salt as long as the digest (B.3.2.1) */
    PK_DSA_PLAIN,  /* FIPS 186-4, r | s of 32 bytes each */
    PK_ECDSA_PLAIN /* r | s, each as long as the curve's order (B.4.3; BSI TR-03111 5.2.1) */
};
/* Bytes of a signature of this key: the modulus; 64; twice the curve's length. */
size_t pk_signature_len(const struct pk *k);
/* Over the parts, one behind the other. ERR_ARGUMENT when key and scheme do not go together, ERR_STATE
 * without a private key. Appends exactly pk_signature_len bytes. */
enum err pk_sign(struct crypto *c, struct pk *k, enum pk_scheme scheme, enum digest digest,
                 const struct view *parts, size_t count, struct writer *out) MUST_USE;
/* ERR_AUTH when the signature is wrong, whatever is wrong with it. */
enum err pk_verify(struct crypto *c, struct pk *k, enum pk_scheme scheme, enum digest digest,
                   const struct view *parts, size_t count, struct view signature) MUST_USE;

/* ---- key agreement and transport ---- */

/* ECKA-EG / ECKA-DH: the x coordinate of the shared point, pk_curve_len bytes (BSI TR-03111 4.3).
 * ERR_ARGUMENT when the curves differ. shared has room for PK_SHARED_MAX bytes, which does not exceed
 * SECRET_MAX. */
enum err pk_ecdh(struct crypto *c, struct pk *own, struct pk *peer, struct secret *shared) MUST_USE;
/* ANSI X9.63 / BSI TR-03111 4.3.3: digest(shared | counter | info), counter of 4 bytes from 1. */
enum err crypto_x963_kdf(struct crypto *c, enum digest digest, const struct view *shared, size_t shared_count,
                         struct view info, uint8_t *out, size_t out_len) MUST_USE;
/* RSA-OAEP, MGF1 and label hash with the digest, empty label (RFC 8017 7.1). decrypt: ERR_AUTH. */
enum err pk_oaep_encrypt(struct crypto *c, struct pk *k, enum digest digest, struct view in,
                         struct writer *out) MUST_USE;
enum err pk_oaep_decrypt(struct crypto *c, struct pk *k, enum digest digest, struct view in,
                         struct secret *out) MUST_USE;

/* ---- X.509 ---- */

/* The public key of a certificate in DER, trailing bytes refused. Nothing is verified. */
enum err pk_from_x509(struct view der, struct pk **out) MUST_USE;
/* One step of a chain: the certificate's signature under the issuer's key, names chained when issuer_cert is
 * given (may be empty; then it must hold issuer's key), validity at now_ms (0: not checked), key usage and CA
 * flag as is_ca says: an authority may sign certificates, a leaf is none and may agree on keys. ERR_AUTH,
 * ERR_EXPIRED, ERR_FORMAT, ERR_UNSUPPORTED (signed over SHA-1, or an unknown critical extension). */
enum err pk_x509_verify(struct view der, struct pk *issuer, struct view issuer_cert, bool is_ca,
                        uint64_t now_ms) MUST_USE;
/* How many authorities may stand between this one and a leaf (RFC 5280 4.2.1.9); SIZE_MAX when the
 * certificate does not limit it, 0 when it does not parse. */
size_t pk_x509_path_len(struct view der) MUST_USE;

/* A certificate for subject's public key, signed by issuer over SHA-256, or with a longer curve over the
 * digest of GPCS 2.3.1 table B-3. is_ca: of an authority, with up to path_len more below it (negative: any
 * number); otherwise of a leaf that agrees on keys. Names are common names, at most 64 bytes. Appends DER.
 * ERR_STATE without the issuer's private key; ERR_ARGUMENT for a name or a time that does not fit. */
struct pk_x509_contents {
    const char *subject, *issuer;
    uint64_t serial;
    uint64_t not_before_ms, not_after_ms; /* since 1970-01-01 UTC */
    bool is_ca;
    int path_len;
};
enum err pk_x509_issue(const struct pk_x509_contents *what, const struct pk *subject, struct pk *issuer,
                       struct writer *out) MUST_USE;

#endif
