/* SPDX-License-Identifier: Apache-2.0
 *
 * The vault's operations as bytes: requests and replies of the keeper's socket. One request, one reply;
 * framing (4 bytes of length) and matching of replies belong to the two processes. docs/keeper.md has the
 * layout. */
#ifndef VAULT_SERVE_H
#define VAULT_SERVE_H

#include <vault/vault.h>

/* The keeper: takes one request and appends one reply. Never fails as a whole: what is wrong is told in the
 * reply. */
void vault_serve(struct vault *v, struct view request, struct writer *reply);

/* The front: requests... */
enum err vault_put_info(struct writer *w) MUST_USE;
enum err vault_put_import(struct writer *w, const struct key_attributes *a, struct view imported) MUST_USE;
enum err vault_put_begin(struct writer *w, const struct vault_begin *in) MUST_USE;
enum err vault_put_open(struct writer *w, const struct vault_open *in) MUST_USE;
enum err vault_put_sign(struct writer *w, const struct vault_script *in) MUST_USE;
enum err vault_put_settle(struct writer *w, const struct vault_script *in, struct view answers) MUST_USE;

/* ...and replies. Each gives the operation's own outcome as in vault.h, or ERR_FORMAT on a malformed reply.
 * Appended like there. */
enum err vault_get_info(struct view reply, uint8_t import_key[32]) MUST_USE;
enum err vault_get_import(struct view reply, struct writer *sealed, uint8_t kcv[3][3]) MUST_USE;
enum err vault_get_begin(struct view reply, struct writer *script, struct writer *sealed_opening) MUST_USE;
enum err vault_get_open(struct view reply, struct writer *sealed_channel) MUST_USE;
enum err vault_get_sign(struct view reply, struct writer *signed_script) MUST_USE;
enum err vault_get_settle(struct view reply, struct vault_settlement *out) MUST_USE;

#endif
