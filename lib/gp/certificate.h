/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificates as SCP11 exchanges them (Amendment F): GlobalPlatform's own compact form (tag 7F21), and
 * X.509, alone and as a chain below a key that is trusted. */
#ifndef GP_CERTIFICATE_H
#define GP_CERTIFICATE_H

#include <base/limits.h>
#include <crypto/pk.h>

/* The certificates of GlobalPlatform carry keys on the curves of GPCS 2.3.1 table B-2 and are signed with
 * ECDSA: the signed fields are everything in front of the signature, as it stands. */
enum {
    USAGE_SIGN_VERIFICATION = 0x8200, /* GPCS 2.3.1 table 11-17: first byte */
    USAGE_KEY_AGREEMENT = 0x0080      /* table 11-18: second byte */
};

/* All views are borrowed from the certificate. */
struct gp_certificate {
    struct view serial;          /* 93 */
    struct view issuer, subject; /* 42, 5F20; names, often the SHA-1 of a public point */
    uint16_t usage;              /* 95: first byte in the upper half */
    uint32_t effective, expires; /* 5F25, 5F24 as 20311231; effective 0: absent */
    struct view image;           /* 45: CA Security Domain Image Number; may be empty */
    struct view discretionary;   /* value of 53 or 73; may be empty */
    struct view restrictions;    /* value of BF20: what scripts of SCP11c are bound to; may be empty */
    enum pk_curve curve;         /* 7F49: F0 */
    struct view point;           /* 7F49: B0, 04 | x | y */
    struct view signed_fields, signature; /* 5F37: r | s, or the same two numbers in DER */
};

/* The whole of certificate must be one object 7F21. ERR_FORMAT; ERR_UNSUPPORTED for other curves. Nothing is
 * verified. */
enum err gp_certificate_parse(struct view certificate, struct gp_certificate *out) MUST_USE;
/* One step: signature under issuer's key (on an elliptic curve), key usage (authority: verification of
 * signatures; otherwise: key agreement), dates at now_ms (0: not checked). Names are the chain's business.
 * ERR_AUTH, ERR_EXPIRED, ERR_ARGUMENT (issuer is no key on a curve). */
enum err gp_certificate_verify(struct crypto *c, const struct gp_certificate *certificate, struct pk *issuer,
                               bool is_ca, uint64_t now_ms) MUST_USE;
/* Appends a certificate with the fields of what (all but curve, point, signed_fields and signature), for
 * subject's public key, signed by issuer with r | s. ERR_ARGUMENT when a field does not fit. */
enum err gp_certificate_issue(struct crypto *c, const struct gp_certificate *what, const struct pk *subject,
                              struct pk *issuer, struct writer *out) MUST_USE;

/* ---- either kind ---- */

/* The public key in a certificate of either kind. Nothing is verified. */
enum err certificate_key(struct view certificate, struct pk **out) MUST_USE;
/* The same as a curve and 04 | x | y, appended; whether that is on the curve is not looked at.
 * ERR_UNSUPPORTED for a key of another kind. */
enum err certificate_point(struct view certificate, enum pk_curve *curve, struct writer *out) MUST_USE;
/* Certificates side by side, as in the value of BF21 (a certificate store) or in PERFORM SECURITY OPERATION:
 * views of each, at most max. ERR_FORMAT, ERR_LIMIT. */
enum err certificates_split(struct view together, struct view *out, size_t max, size_t *count) MUST_USE;
/* A chain below a trusted key: certs[0] is signed by trust, each further one by the key in the one before;
 * all but the last are authorities', the last one is a leaf for key agreement, and its verified key is *leaf.
 * The names chain between two of the same kind, and path lengths of X.509 are kept. now_ms 0: dates are not
 * looked at. At most CERTIFICATE_CHAIN_MAX. The first outcome that is not OK is given: ERR_AUTH, ERR_EXPIRED,
 * ERR_FORMAT, ERR_UNSUPPORTED, ERR_LIMIT, ERR_ARGUMENT (no certificate). */
enum err certificate_chain_verify(struct crypto *c, struct pk *trust, const struct view *certs, size_t count,
                                  uint64_t now_ms, struct pk **leaf) MUST_USE;
/* A chain of one, without its key. */
enum err certificate_leaf_verify(struct crypto *c, struct pk *trust, struct view certificate,
                                 uint64_t now_ms) MUST_USE;

#endif
