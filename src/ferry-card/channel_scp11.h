/* SPDX-License-Identifier: Apache-2.0
 *
 * SCP11, card side (GPC Amendment F): one exchange with elliptic-curve keys opens the session, in which
 * SCP03's secure messaging follows (card_scp03_unwrap, card_scp03_wrap_response). In SCP11a and SCP11c the
 * host has a certificate; in SCP11b it stays unknown. SCP11c uses no fresh key of the card, so one script
 * serves every card that has the key, and each of them takes it again and again. */
#ifndef FERRY_CARD_CHANNEL_SCP11_H
#define FERRY_CARD_CHANNEL_SCP11_H

#include <crypto/pk.h>

#include "channel.h"

/* The parameter in tag 90 of the AUTHENTICATE command (7.6.2.3): the variant, and whether names of both
 * parties go into the key derivation. */
enum { SCP11_PARAMETER_A = 0x01, SCP11_PARAMETER_B = 0x00, SCP11_PARAMETER_C = 0x03, SCP11_NAMES = 0x04 };
enum { SCP11_PARAMETER_VARIANT = 0x03 };
/* Key identifiers (table 7-1 ff.): the card's private keys, and the first of the keys of authorities. */
enum { SCP11_KID_A = 0x11, SCP11_KID_B = 0x13, SCP11_KID_C = 0x15, SCP11_KID_CA = 0x10 };
/* i in card recognition data: variants that are there, and MACs of 16 bytes. */
enum { SCP11_I_A = 0x01, SCP11_I_B = 0x02, SCP11_I_C = 0x10, SCP11_I_S16 = 0x40 };

/* One row per variant. */
struct card_scp11_variant {
    uint8_t kid, parameter, announced; /* SCP11_KID_, SCP11_PARAMETER_, SCP11_I_ */
    bool certificate;                  /* the host must have shown one */
    bool fresh;                        /* the card makes a key pair for the session */
};
const struct card_scp11_variant *card_scp11_variant(uint8_t kid); /* NULL when there is none */

/* Data of MUTUAL AUTHENTICATE and INTERNAL AUTHENTICATE: A6 { 90 02 11 parameter | 95 01 key usage |
 * 80 01 88 | 81 01 key length | [84 host id] } | 5F49 point. */
struct card_scp11_request {
    uint8_t parameter, usage, key_len;
    uint8_t level; /* what usage stands for, as bits of channel.h */
    struct view host_id, point;
    struct view whole;
};
/* Borrows. 9000, or 6A80 for what is malformed, unknown, or not allowed in this variant. */
uint16_t card_scp11_read_request(struct view data, const struct card_scp11_variant *variant,
                                 struct card_scp11_request *out) MUST_USE;

/* What the card knows of itself: its names for the derivation (numbers of provider and domain, tags 42 and 45
 * of the security domain; in SCP11c the group), and the length of MACs, 8 or 16. */
struct card_scp11_self {
    struct view names[2];
    size_t name_count;
    uint8_t mac_len;
};
/* Its private key; its key pair for this session (NULL in SCP11c); the host's static key out of a verified
 * certificate (NULL in SCP11b). */
struct card_scp11_keys {
    struct pk *own, *fresh, *host;
};
/* Opens the session and appends the answer: 5F49 point | 86 10 receipt. ERR_ARGUMENT when curves differ or
 * the host's point is none of the curve. *out is to be finished by the caller. */
enum err card_scp11_open(struct crypto *c, const struct card_scp11_request *request,
                         const struct card_scp11_keys *keys, const struct card_scp11_self *self,
                         struct card_channel *out, struct writer *answer) MUST_USE;
/* The part behind the agreement: from the two shared secrets, in their order (5.2), and the point that goes
 * back. */
enum err card_scp11_derive(struct crypto *c, const struct card_scp11_request *request,
                           const struct secret shared[2], const struct card_scp11_self *self,
                           struct view point, struct card_channel *out, struct writer *answer) MUST_USE;

/* Secure messaging; it opens by other commands than INITIALIZE UPDATE, so its row has no such functions. */
extern const struct card_channel_ops card_scp11_ops;

#endif
