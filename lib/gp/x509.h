/* SPDX-License-Identifier: Apache-2.0
 *
 * The certificates that cards have most: X.509 version 3, of a key on an elliptic curve, signed with ECDSA,
 * no critical extension beyond those that everybody knows. A few views say all about them, while the
 * library's parser costs more than verifying the signature. ERR_UNSUPPORTED is no verdict: it is for the
 * library then (crypto/pk.h). */
#ifndef GP_X509_H
#define GP_X509_H

#include <base/limits.h>
#include <crypto/pk.h>

/* The public key, as views into the certificate; whether it is a point is not looked at. */
enum err x509_point(struct view certificate, enum pk_curve *curve, struct view *point) MUST_USE;
/* A leaf for key agreement right below issuer, as pk_x509_verify: signature, role, validity at now_ms (0: not
 * looked at). ERR_AUTH, ERR_EXPIRED, ERR_UNSUPPORTED. */
enum err x509_leaf_verify(struct crypto *c, struct view certificate, struct pk *issuer,
                          uint64_t now_ms) MUST_USE;

#endif
