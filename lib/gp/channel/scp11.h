/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of SCP11 share (GPCS Amendment F): which variant a row is, the key agreement, and what a
 * card has in its certificate store. */
#ifndef GP_CHANNEL_SCP11_H
#define GP_CHANNEL_SCP11_H

#include "channel_internal.h"

/* Bits of the parameter in tag 90 (Amendment F 7.1.1), which is the i of a row; and one
 * that is never sent: cards in mode S16 do not say so there. */
enum {
    SCP11_MUTUAL = 0x01,      /* SCP11a, SCP11c: the host has a static key, too */
    SCP11_CARD_STATIC = 0x02, /* SCP11c: the card has no ephemeral key */
    SCP11_WITH_IDS = 0x04,    /* host and card group identifier are in SharedInfo */
    SCP11_S16 = 0x80
};

enum { TAG_CERTIFICATE_STORE = 0xBF21 };
enum { SCP11_RECEIPT = 16, SCP11_ID_MAX = 255, SCP11_POINT_TLV_MAX = 5 + PK_POINT_MAX };

/* Everything that both sides put into keys and receipt, beside the shared points. */
struct scp11_context {
    uint8_t key_usage, key_len;
    struct view host_id, card_group_id; /* empty: not in SharedInfo */
    struct view sent;                   /* the data of MUTUAL or INTERNAL AUTHENTICATE */
    struct view card_point;             /* 5F49 of the answer, with tag and length */
};
/* ShSee | ShSss, ShSes: sets the session keys of the channel, and gives the receipt that the card must have
 * computed, which is the first MAC chaining value. */
enum err scp11_derive(struct channel *ch, struct crypto *c, const struct scp11_context *context,
                      const struct secret shared[2], uint8_t receipt[SCP11_RECEIPT]) MUST_USE;

/* The key usage qualifier for a level (GPCS 2.3.1 11.1.9); 0: there is none. */
uint8_t scp11_key_usage(uint8_t level);

/* A public key as it is agreed with. */
struct scp11_key {
    enum pk_curve curve;
    uint8_t point[PK_POINT_MAX]; /* 04 | x | y */
    size_t len;
};
struct view scp11_point(const struct scp11_key *k);
enum err scp11_take_key(const struct pk *k, struct scp11_key *out) MUST_USE;
/* The card's public key out of the answer to GET DATA BF21, with or without that tag around it: certificates,
 * X.509 or GlobalPlatform, the one that trust has signed first, the card's own last. Whether the point is on
 * its curve is not looked at. ERR_AUTH when the chain does not lead from trust to it, unless trust is its
 * very key; ERR_EXPIRED; ERR_FORMAT. */
enum err scp11_card_key(struct crypto *c, struct view data, struct pk *trust, uint64_t now_ms,
                        struct scp11_key *out) MUST_USE;

#endif
