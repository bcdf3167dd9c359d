/* SPDX-License-Identifier: Apache-2.0
 *
 * The weak choices that cards of the field still make necessary. Each has a name, which a policy lists to
 * allow it, and a sentence for whoever is about to use it. Nothing here is refused or warned of: who uses a
 * choice asks which it is, and whether the policy has it. */
#ifndef GP_WEAK_H
#define GP_WEAK_H

#include <gp/channel.h>

enum weak { WEAK_DES, WEAK_SCP01, WEAK_SCP02, WEAK_RSA_1024, WEAK_SHA1, WEAK_COUNT };

/* A set of weak choices: bit 1 << choice. 0: none. */
typedef unsigned weak_set;

/* "des", "scp01", "scp02", "rsa1024", "sha1". */
const char *weak_name(enum weak w);
/* A sentence without a full stop, such as "SCP02 is deprecated: ...". */
const char *weak_text(enum weak w);

/* Of a method, and of the keys that it is used with; both sets may be joined by |. */
weak_set weak_of_method(const struct channel_method *m);
/* len: bytes of one key, as in struct card_keys. For RSA keys, of the modulus. */
weak_set weak_of_key(enum key_type type, size_t len);
weak_set weak_of_pk(const struct pk *k);
/* Of a digest in a signature, or over a load file. */
weak_set weak_of_digest(enum digest d);

/* Reads a policy: names with commas between, "scp02,sha1"; "none" is the empty set. ERR_FORMAT for an empty
 * text, an unknown name or one that comes twice. */
enum err weak_parse(struct view text, weak_set *out) MUST_USE;
/* Appends it in the same form, in the order of the list. */
void weak_put(struct writer *w, weak_set set);

/* ERR_POLICY when a choice is not allowed; *refused is then the first such. refused may be NULL. */
enum err weak_check(weak_set choices, weak_set allowed, enum weak *refused) MUST_USE;

#endif
