/* SPDX-License-Identifier: Apache-2.0
 *
 * The signatures of content management: DAP blocks, tokens and receipts are all made in the same five ways
 * (GPCS 2.3.1 C.3, C.4, C.5). */
#ifndef GP_SIGNATURE_H
#define GP_SIGNATURE_H

#include <crypto/crypto.h>
#include <crypto/pk.h>

enum signature_kind {
    SIGNATURE_DES,      /* single DES and a final Triple-DES (B.1.2.2), padded (B.1.3), zero initial value */
    SIGNATURE_AES,      /* AES-CMAC, 16 bytes (B.2.2) */
    SIGNATURE_RSA_SHA1, /* RSASSA-PKCS1-v1_5 with SHA-1 (B.3.1.1): keys of 1024 bits */
    SIGNATURE_RSA_PSS,  /* RSASSA-PSS with SHA-256 (B.3.2.1): longer keys */
    SIGNATURE_ECDSA,    /* plain r | s, digest by the length of the key (B.4.3, table B-3) */
    SIGNATURE_KIND_COUNT
};
/* "des", "aes", "rsa-sha1", "rsa-pss", "ecdsa". */
const char *signature_kind_name(enum signature_kind kind);
enum err signature_kind_by_name(const char *name, enum signature_kind *out) MUST_USE;

/* Borrowed: the secret of DES and AES, or the key (pair) of the others. */
struct signature_key {
    enum signature_kind kind;
    struct view secret; /* 16 or 24 bytes for DES, 16, 24 or 32 for AES */
    struct pk *pk;
};
/* What the specification wants for this key pair: by its algorithm and length. ERR_UNSUPPORTED for DSA. */
enum err signature_kind_for(const struct pk *pk, enum signature_kind *out) MUST_USE;
/* Which digest goes into an ECDSA signature of this curve (table B-3). */
enum digest signature_ec_digest(enum pk_curve curve);
/* Bytes of a signature. */
size_t signature_len(const struct signature_key *key);

enum { SIGNATURE_MAX = PK_SIGNATURE_MAX };
/* Over the parts, one behind the other; appends. ERR_ARGUMENT when key and kind do not go together, ERR_STATE
 * without a private key. */
enum err signature_make(struct crypto *c, const struct signature_key *key, const struct view *parts,
                        size_t count, struct writer *out) MUST_USE;
/* ERR_AUTH when it is wrong, whatever is wrong with it; compared in constant time. */
enum err signature_check(struct crypto *c, const struct signature_key *key, const struct view *parts,
                         size_t count, struct view signature) MUST_USE;

#endif
