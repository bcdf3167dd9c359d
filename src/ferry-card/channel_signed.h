/* SPDX-License-Identifier: Apache-2.0
 *
 * Signed commands, protocol F0, card side (docs/signed-commands.md): the card proves itself by a signature
 * over both challenges, and every command carries the server's signature over the chained hash of what came
 * before. Also the text of what the card keeps: keys 01 (server's), 02 and 03 (its own). */
#ifndef FERRY_CARD_CHANNEL_SIGNED_H
#define FERRY_CARD_CHANNEL_SIGNED_H

#include <crypto/pk.h>

#include "channel.h"

enum { SIGNED_SCP = 0xF0, SIGNED_CHALLENGE = 16, SIGNED_KEY_MAC = 16 };
enum { SIGNED_KID_SERVER = 0x01, SIGNED_KID_OWN = 0x02, SIGNED_KID_PUBLIC = 0x03 };

/* One row per i: the algorithm of both key pairs. */
struct card_signed_row {
    uint8_t i;
    enum pk_algorithm algorithm;
    uint16_t bits;
    enum pk_curve curve; /* CURVE_COUNT: none */
    enum pk_scheme scheme;
    enum digest hash;
    uint16_t signature_len;
    bool carries; /* its keys can carry a session key: levels with encryption */
};
/* NULL when i is none. */
const struct card_signed_row *card_signed_row(uint8_t i);
/* The row that a key belongs to; NULL when there is none. */
const struct card_signed_row *card_signed_row_of(const struct pk *k);

bool card_signed_knows_i(uint8_t i);
bool card_signed_allows_level(uint8_t i, uint8_t level);

/* Who speaks in a session. The keys are the channel's from card_signed_open on, also when it fails. */
struct card_signed_parties {
    const struct card_signed_row *row;
    struct pk *server, *own;
    uint8_t kvn;
    struct view kdd; /* 10 bytes */
    void *owner;     /* for the caller; card_signed_owner gives it back */
};
/* INITIALIZE UPDATE: appends the card's signature over both challenges and begins the chain. *out is to be
 * finished by the caller, also after an error. */
enum err card_signed_open(struct crypto *c, const struct card_signed_parties *parties,
                          struct view host_challenge, struct view card_challenge, struct card_channel *out,
                          struct writer *signature) MUST_USE;
void *card_signed_owner(const struct card_channel *ch);
/* For tests: the number of the next command. */
void card_signed_set_next(struct card_channel *ch, uint64_t next);

/* The command as received. 9000; 6300 on a wrong signature; 6700, 6A86, 6A80. */
uint16_t card_signed_external_authenticate(struct crypto *c, struct card_channel *ch,
                                           const struct apdu *command) MUST_USE;
/* Verifies and decrypts a command of an open session and appends its plain data. 9000; 6988; 6982 without
 * secure messaging; 6700; 6985 when the session has no numbers left. */
uint16_t card_signed_unwrap(struct crypto *c, struct card_channel *ch, const struct apdu *command,
                            struct writer *plain) MUST_USE;
/* Appends the response data as it goes out: encrypted, with MAC or signature, as the level says. */
enum err card_signed_wrap_response(struct crypto *c, struct card_channel *ch,
                                   const struct apdu *plain_command, const struct rapdu *response,
                                   struct writer *data) MUST_USE;
/* Keys under the session's DEK; ERR_ARGUMENT on levels that have none. */
enum err card_signed_decrypt_sensitive(struct crypto *c, const struct card_channel *ch, struct view cipher,
                                       uint8_t *out) MUST_USE;

#endif
