/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys, PINs, tokens and session state have a type of their own, so that a review finds them by
 * type. A secret lives in its owner's memory, is wiped when it is finished, and is never given to a
 * log function. */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <base/bytes.h>

/* The longest secret: three AES-256 keys (ENC, MAC, DEK), concatenated. */
enum { SECRET_MAX = 96 };

struct secret {
    uint8_t data[SECRET_MAX];
    size_t len;
};

/* Copies v in; ERR_LIMIT when it is longer than SECRET_MAX (then the secret is empty). */
enum err secret_set(struct secret *s, struct view v) MUST_USE;
/* Wipes. Accepts a zeroed secret; may be called twice. */
void secret_wipe(struct secret *s);
/* Borrowed bytes, for the cryptographic functions only. */
struct view secret_view(const struct secret *s);

/* Constant-time in the contents (not in the lengths): the only way to compare MACs, cryptograms,
 * tokens, PINs and keys. */
bool secret_equal(struct view a, struct view b);
/* Wipes plain memory; not removed by the compiler. */
void wipe(void *memory, size_t len);

#endif
