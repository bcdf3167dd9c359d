/* SPDX-License-Identifier: Apache-2.0
 *
 * The other side of SCP11 and of signed commands, for tests and fuzzers: keys, certificates, and the opening
 * of a session. It agrees on secrets with its own private keys; the derivation behind that is the card's
 * (card_scp11_derive), which the published sessions hold. Of signed commands it makes every signature itself.
 */
#ifndef FERRY_CARD_TESTING_KEYED_H
#define FERRY_CARD_TESTING_KEYED_H

#include "certificate.h"
#include "channel_scp11.h"
#include "channel_signed.h"
#include "testing/host.h"

enum { SCP11_KVN = 0x03, SIGNED_KVN = 0x40 };

struct scp11_host {
    struct host *h;
    enum pk_curve curve;
    bool x509;
    struct pk *ca, *own, *fresh;
    struct pk *card[3];        /* the card's, for kid 11, 13, 15 */
    struct writer certificate; /* of own */
    struct writer request;     /* data of the last AUTHENTICATE */
    struct view host_id;       /* goes in when the parameter says so */
};

/* Puts an authority's key, the card's three keys and their certificates onto the card; makes the host's. The
 * authority and the key of SCP11c are those of group, if it is given. */
enum err scp11_host_init(struct scp11_host *s, struct host *h, enum pk_curve curve, bool x509,
                         const struct scp11_host *group) MUST_USE;
void scp11_host_finish(struct scp11_host *s);

/* PERFORM SECURITY OPERATION with one certificate; P1 P2 as given. */
uint16_t scp11_show(struct scp11_host *s, uint8_t p1, uint8_t p2, struct view certificate);
/* AUTHENTICATE with a fresh key pair; the card's answer is verified and h->ch is the session. 0 when the
 * receipt is wrong. */
uint16_t scp11_authenticate(struct scp11_host *s, uint8_t kid, uint8_t parameter, uint8_t usage,
                            uint8_t key_len);
/* Shows the certificate where it needs one, and opens. */
uint16_t scp11_open(struct scp11_host *s, uint8_t kid, uint8_t usage);

struct signed_host {
    struct host *h;
    const struct card_signed_row *row;
    struct pk *server, *card;
    uint8_t chain[DIGEST_MAX];
    uint32_t number;
    uint8_t level;
    uint8_t challenge[SIGNED_CHALLENGE];
    struct secret s_enc, s_rmac, s_dek;
    bool extended;
};

/* Puts the keys of this i onto the card. */
enum err signed_host_init(struct signed_host *s, struct host *h, uint8_t i) MUST_USE;
void signed_host_finish(struct signed_host *s);
/* INITIALIZE UPDATE; 0 when the card's signature is wrong. */
uint16_t signed_initialize(struct signed_host *s, uint8_t kvn);
/* The command with its signature, behind what came before; the chain moves. */
enum err signed_put(struct signed_host *s, const struct apdu *plain, struct writer *out) MUST_USE;
/* EXTERNAL AUTHENTICATE at a level, with session keys of key_len bytes where it has them. */
uint16_t signed_authenticate(struct signed_host *s, uint8_t level, uint8_t key_len);
uint16_t signed_open(struct signed_host *s, uint8_t level);
/* A command through the session: encrypted where the level says so. Header of 4 bytes. */
uint16_t signed_secure(struct signed_host *s, struct view header, struct view data);
/* Verifies the last answer and appends its plain data. */
enum err signed_answer(struct signed_host *s, struct writer *out) MUST_USE;

#endif
