/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificates of an off-card entity as the card reads them (Amendment F 6.1): in GlobalPlatform's form, or
 * X.509 in DER. A parsed certificate borrows from its bytes; nothing of it is true before it was verified. */
#ifndef FERRY_CARD_CERTIFICATE_H
#define FERRY_CARD_CERTIFICATE_H

#include <crypto/pk.h>

/* GlobalPlatform's: 7F21 { 93 serial 1..20 | 42 authority 1..20 | 5F20 subject 1..20 | 95 usage 1..2 |
 *                          [5F25 from 4] | 5F24 until 4 | [53 or 73] | [BF20] | 7F49 { B0 point | F0 curve }
 * | 5F37 signature }, in this order; what stands before 5F37 is signed. */
struct card_certificate {
    struct view whole; /* as it came */
    bool x509;
    struct view serial; /* X.509: the number's bytes without sign */
    /* GlobalPlatform's alone: */
    struct view authority, subject, from, until, restrictions, body, signature, point;
    uint16_t usage; /* tag 95, a single byte in the upper half (GPCS 2.3.1 table 11-17) */
    enum pk_curve curve;
};

/* Exactly one certificate. ERR_FORMAT, ERR_LIMIT when it is longer than CERTIFICATE_MAX, ERR_UNSUPPORTED
 * on a curve that the card does not know. */
enum err card_certificate_parse(struct view v, struct card_certificate *out) MUST_USE;
/* Takes the first certificate off a row of them. */
enum err card_certificate_next(struct reader *r, struct card_certificate *out) MUST_USE;

/* One step of a chain: issuer is the key that signed it, issuer_cert the certificate of that key (NULL: the
 * key is one that the card keeps). is_ca: it must be one that signs others, else one for key agreement.
 * now_ms 0: the card has no clock, and dates are not looked at. ERR_AUTH, ERR_EXPIRED, ERR_FORMAT; ERR_POLICY
 * on restrictions that the card cannot hold. On OK *key is to be freed. */
enum err card_certificate_verify(struct crypto *c, const struct card_certificate *cert, struct pk *issuer,
                                 const struct card_certificate *issuer_cert, bool is_ca, uint64_t now_ms,
                                 struct pk **key) MUST_USE;

/* The digest that goes with a curve (GPCS 2.3.1 table B-3). */
enum digest card_curve_digest(enum pk_curve curve);

/* ---- making certificates, for test cards and their hosts ---- */

struct card_certificate_content {
    bool x509, is_ca;
    struct view serial; /* 1 to 16 bytes, the first below 80 and not 00 */
    /* GlobalPlatform's: identifiers, 1 to 16 bytes. X.509: common names, printable. */
    struct view authority, subject;
    uint32_t from, until; /* YYYYMMDD in decimal digits */
};
/* Appends a certificate for key, signed by issuer; both are of elliptic curves. */
enum err card_certificate_make(struct crypto *c, const struct card_certificate_content *content,
                               const struct pk *key, struct pk *issuer, struct writer *out) MUST_USE;

#endif
