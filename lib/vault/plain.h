/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the vault: a plain script as commands, with the places filled that only the vault can fill. Signing
 * and settling both begin with it, so that both speak of the same bytes. */
#ifndef VAULT_PLAIN_H
#define VAULT_PLAIN_H

#include <gp/command.h>
#include <vault/seal.h>

struct plain {
    struct apdu *apdus; /* data borrows from the script, or from filled */
    size_t count;
    uint8_t *memory;
    struct writer filled; /* over memory: data of commands that have places; secret */
};

/* ERR_FORMAT, ERR_LIMIT, ERR_MEMORY on the script; ERR_ARGUMENT on places that are out of order or do not
 * fit; ERR_POLICY when a place's key is not there to derive from, or the level would send derived data in
 * clear; and what unseal_keys says. On OK *out must go to plain_finish. */
enum err plain_read(struct vault *v, const struct vault_script *in, uint8_t level,
                    struct plain *out) MUST_USE;
void plain_finish(struct plain *p);

/* How many parts a wrapped command goes in: more than 1 only for what can be cut, with more data than a short
 * command holds, on a card without extended length. */
enum { PART_MAX = 255 };
size_t plain_parts(uint8_t ins, bool extended, size_t wrapped_len, bool in_parts);

#endif
