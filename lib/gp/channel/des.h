/* SPDX-License-Identifier: Apache-2.0
 *
 * What the protocols on DES have in common. The C-MAC is made over the plain data, with the chain of C-MACs
 * as initial value; then the data is encrypted by itself:
 *
 *     C-MAC over   CLA INS P1 P2 Lc | data | padding
 *     sent         CLA INS P1 P2 Lc | data, or encrypted: [length] data padding | C-MAC */
#ifndef GP_CHANNEL_DES_H
#define GP_CHANNEL_DES_H

#include "channel_internal.h"

enum { DES_KEY = 16 /* of card keys and session keys */ };

extern const uint8_t des_zero[DES_BLOCK];

struct des_rules {
    /* crypto_mac_des3 or crypto_mac_retail. */
    enum err (*mac)(struct crypto *c, struct view key, const uint8_t icv[DES_BLOCK], struct view in,
                    uint8_t out[DES_BLOCK]);
    /* In place: a C-MAC becomes the next initial value. NULL: as it is. */
    enum err (*encrypt_icv)(struct crypto *c, struct view s_mac, uint8_t icv[DES_BLOCK]);
    bool unmodified; /* the C-MAC is over class and Lc as they were before wrapping (GPCS 2.3.1 E.4.4) */
    bool first;      /* the next command is the first: its initial value is taken as it is */
};

/* As ops->wrap, but for the chain, which it leaves in chain, along with the channel's own as it was. */
enum err des_wrap(const struct channel *ch, struct crypto *c, const struct des_rules *rules,
                  struct outgoing *commands, size_t count, struct writer *storage, uint8_t chain[DES_BLOCK]);

/* Triple-DES MAC (GPCS 2.3.1 B.1.2.1) over two challenges of 8 bytes (GPCS 2.2.1 D.3.2; 2.3.1 E.4.2). */
enum err des_cryptogram(struct crypto *c, const struct secret *enc, struct view first, struct view second,
                        uint8_t out[DES_BLOCK]);

/* ---- R-MACs of SCP02 (E.4.5), rmac.c ---- */

/* At the beginning of a channel: the initial value, and whether answers carry R-MACs from the start. */
void rmac_begin(struct response_mac *m, const uint8_t icv[DES_BLOCK], bool macs);
/* Takes the command that was wrapped last, as it was before. */
enum err rmac_command(const struct channel *ch, struct crypto *c, const struct outgoing *o,
                      struct response_mac *m);
/* Takes its answer: ops->unwrap. */
enum err rmac_answer(struct channel *ch, struct crypto *c, const struct rapdu *answer, struct writer *out,
                     bool *proven);

#endif
