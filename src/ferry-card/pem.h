/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys and certificates in files: PEM or DER to read, PEM to write. */
#ifndef FERRY_CARD_PEM_H
#define FERRY_CARD_PEM_H

#include <crypto/pk.h>

/* Appends -----BEGIN label-----, base64 in lines of 64 (RFC 7468), -----END label-----. */
void pem_put(struct writer *w, const char *label, struct view der);
void pem_put_public(struct writer *w, const struct pk *k);

/* A private or public key, or the key of a certificate. ERR_NOT_FOUND, ERR_IO, ERR_FORMAT, ERR_UNSUPPORTED.
 */
enum err pem_read_key(const char *path, struct pk **out) MUST_USE;
/* Certificates in DER or GlobalPlatform's form, one behind the other, or in PEM; appended in the former. */
enum err pem_read_certificates(const char *path, struct writer *out) MUST_USE;

/* New files, which are never replaced: ERR_EXISTS. A private key is its owner's to read alone. */
enum err pem_write_private(const char *path, const struct pk *k) MUST_USE;
enum err pem_write_public(const char *path, const struct pk *k) MUST_USE;
enum err pem_write_bytes(const char *path, struct view bytes) MUST_USE;

#endif
