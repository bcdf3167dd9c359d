/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificates: a private authority with a server's certificate for a first start, and the question whether
 * certificate and key go together. */
#ifndef PKI_H
#define PKI_H

#include <base/bytes.h>

enum { PKI_NAMES_MAX = 16, PKI_NAME_MAX = 253 /* RFC 1035 2.3.4, as text */, PKI_PEM_MAX = 64 * 1024 };

/* A host name or an address. */
bool pki_name_ok(const char *name);

struct pki {
    struct writer ca_certificate, ca_key, certificate, key; /* PEM; the keys are secret */
};
/* An EC P-256 authority (ten years) and a server's certificate of it (two years) with these names, RFC 5280.
 * ERR_ARGUMENT on a name that is none, ERR_LIMIT on too many. On OK *out must go to pki_finish. */
enum err pki_make(const char *const *names, size_t count, struct pki *out) MUST_USE;
void pki_finish(struct pki *p);

enum { PKI_WHY_MAX = 600 };
/* Do certificate and key files load, and belong together? ERR_IO, ERR_FORMAT, ERR_CONFLICT, with a sentence.
 */
enum err pki_check_pair(const char *certificate, const char *key, char why[PKI_WHY_MAX]) MUST_USE;
enum err pki_check_ca(const char *path, char why[PKI_WHY_MAX]) MUST_USE;

#endif
