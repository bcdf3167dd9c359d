/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of signed commands share (docs/signed-commands.md): the variants, and how each signed
 * message begins. */
#ifndef GP_CHANNEL_SIGNED_H
#define GP_CHANNEL_SIGNED_H

#include "channel_internal.h"

enum { SIGNED_CHALLENGE = 16, SIGNED_Z = 32, SIGNED_RMAC = CMAC_LEN };

/* The byte behind the label: what a message is. */
enum signed_role { SIGNED_OPENING = 1, SIGNED_COMMAND = 2, SIGNED_KEYS = 3, SIGNED_ANSWER = 4 };

struct signed_variant {
    uint8_t i;
    enum pk_algorithm algorithm;
    unsigned bits;
    enum pk_curve curve; /* CURVE_COUNT: none */
    enum pk_scheme scheme;
    enum digest digest;
    uint8_t session_key; /* bytes, where the request leaves it open; 0: no key can be carried */
};
const struct signed_variant *signed_variant(uint8_t i);
/* The key is one of this variant. */
bool signed_key_fits(const struct signed_variant *v, const struct pk *k);
/* FS, FC: the digest of the key image. out has crypto_digest_len(v->digest) bytes. */
enum err signed_fingerprint(struct crypto *c, const struct signed_variant *v, const struct pk *k,
                            uint8_t *out) MUST_USE;

/* Keys as a channel keeps them, in a form that was our own all the time: elliptic curves as scalar | point,
 * and point; others as PKCS#8 and SubjectPublicKeyInfo. */
enum err signed_put_private(const struct signed_variant *v, const struct pk *k, struct writer *out) MUST_USE;
enum err signed_put_public(const struct signed_variant *v, const struct pk *k, struct writer *out) MUST_USE;
enum err signed_take_private(const struct signed_variant *v, struct view bytes, struct pk **out) MUST_USE;
enum err signed_take_public(const struct signed_variant *v, struct view bytes, struct pk **out) MUST_USE;

/* "FERRY-F0" | role */
void signed_begin_message(struct writer *w, enum signed_role role);
/* The head of M, up to and including the length of data; the data follows. header_class is as
 * channel_mac_class gives it. */
struct signed_command {
    uint32_t n;
    uint8_t cla, ins, p1, p2;
    size_t data_len;
};
enum { SIGNED_HEAD_MAX = 8 + 1 + DIGEST_MAX + 4 + 4 + 2 };
void signed_put_command(struct writer *w, struct view chain, const struct signed_command *command);
struct view signed_chain(const struct channel *ch);

/* Session keys out of Z, when the key field stands in ch->host_cryptogram. */
enum err signed_derive_keys(struct channel *ch, struct crypto *c, const struct signed_variant *v,
                            const struct secret *z, size_t key_len) MUST_USE;

/* ops->begin and ops->accept. */
enum err signed_begin(struct channel_opening *o, struct crypto *c, struct random_source random,
                      const struct channel_keys *keys) MUST_USE;
enum err signed_accept(struct channel *ch, struct crypto *c, const struct channel_opening *o,
                       const struct channel_keys *keys, const struct rapdu *answers) MUST_USE;

#endif
