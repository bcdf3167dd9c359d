/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the vault: how bytes are sealed under the key-encryption key, and what a vault consists of.
 *
 *     sealed   01 | salt 32 | ciphertext | tag 16
 *     key      HKDF-SHA256 (RFC 5869) of the key-encryption key with the salt and the purpose's label
 *     cipher   AES-256-GCM (SP 800-38D), nonce zero; authenticated with it: 01 and what the caller names
 *
 * Each blob has a key of its own, so the nonce needs no state and can't repeat under one key, however many
 * blobs and nodes there are. */
#ifndef VAULT_SEAL_H
#define VAULT_SEAL_H

#include <crypto/hpke.h>
#include <vault/vault.h>

struct vault {
    struct crypto *crypto;
    struct random_source random;
    struct secret kek;
    uint8_t import_private[HPKE_KEY], import_public[HPKE_KEY];
};

enum seal_purpose { SEAL_KEY, SEAL_CHANNEL, SEAL_OPENING, SEAL_PURPOSE_COUNT };

/* version, salt and tag. */
enum { SEAL_OVERHEAD = 1 + 32 + GCM_TAG, SEAL_CONTEXT_MAX = 256 };

/* Appends the sealed plain. context, at most SEAL_CONTEXT_MAX bytes, must be the same to unseal. */
enum err seal(struct vault *v, enum seal_purpose purpose, struct view context, struct view plain,
              struct writer *out) MUST_USE;
/* Appends the plain bytes, which are secret. ERR_AUTH when these were not sealed by this vault for this
 * purpose and context. */
enum err unseal(struct vault *v, enum seal_purpose purpose, struct view context, struct view sealed,
                struct writer *plain) MUST_USE;

/* A sealed key carries its attributes in front: u8 length, attributes, sealed. keys: one key or three,
 * concatenated; a key pair as vault_wrap_for_import has it. */
enum err seal_keys(struct vault *v, const struct key_attributes *a, struct view keys,
                   struct writer *out) MUST_USE;
/* ERR_CONFLICT when it is not intact, or intact but a key with other attributes. Appends to keys, which needs
 * room for KEY_BYTES_MAX and is to be wiped. */
enum err unseal_keys(struct vault *v, const struct key_attributes *a, struct view sealed,
                     struct writer *keys) MUST_USE;
/* The same, as the kinds of keys are used. secret: one key or three. */
enum err unseal_secret(struct vault *v, const struct key_attributes *a, struct view sealed,
                       struct secret *out) MUST_USE;
enum err unseal_pair(struct vault *v, const struct vault_key *key, struct pk **out) MUST_USE;
/* The pair that bytes encode, when it is what the attributes say: ERR_ARGUMENT otherwise. */
enum err pair_of(const struct key_attributes *a, struct view bytes, struct pk **out) MUST_USE;

/* A channel, sealed for one session. fresh: EXTERNAL AUTHENTICATE was not yet sent. */
enum err seal_channel(struct vault *v, const struct channel *ch, bool fresh, struct view session,
                      struct writer *out) MUST_USE;
enum err unseal_channel(struct vault *v, struct view sealed, struct view session, struct channel **ch,
                        bool *fresh) MUST_USE;

#endif
