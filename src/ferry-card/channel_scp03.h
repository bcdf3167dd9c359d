/* SPDX-License-Identifier: Apache-2.0
 *
 * SCP03, card side (GPC Amendment D 1.1.1; S16 mode of version 1.2 where i has bit 01). See channel.h for the
 * order of calls. */
#ifndef FERRY_CARD_CHANNEL_SCP03_H
#define FERRY_CARD_CHANNEL_SCP03_H

#include "channel.h"

/* Bits of i (Amendment D table 5-1; b1 from version 1.2). */
enum { SCP03_I_S16 = 0x01, SCP03_I_PSEUDO_RANDOM = 0x10, SCP03_I_R_MAC = 0x20, SCP03_I_R_ENC = 0x40 };

/* The pseudo-random card challenge (6.2.2.1) of 8 bytes (S16: 16) for a sequence counter and the AID of the
 * application that asks. */
enum err card_scp03_challenge(struct crypto *c, const struct card_static_keys *keys, uint8_t i,
                              uint32_t sequence, struct view aid, uint8_t *challenge) MUST_USE;

/* Begins a session: derives S-ENC, S-MAC and S-RMAC (6.2.1) and writes the card cryptogram (6.2.2.2), 8 or 16
 * bytes. Challenges of 8 bytes (S16: 16), else ERR_ARGUMENT. *out is to be finished by the caller. */
enum err card_scp03_open(struct crypto *c, const struct card_static_keys *keys, uint8_t i,
                         struct view host_challenge, struct view card_challenge, struct card_channel *out,
                         uint8_t *cryptogram) MUST_USE;

/* The command as received. 9000; 6982 when the C-MAC is wrong; 6300 when the host cryptogram is wrong; 6A86
 * when i does not allow the level; 6700. */
uint16_t card_scp03_external_authenticate(struct crypto *c, struct card_channel *ch,
                                          const struct apdu *command) MUST_USE;

/* Verifies and decrypts a command of an open session and appends its plain data. 9000, or 6982. At level 00
 * the data is taken as it is. */
uint16_t card_scp03_unwrap(struct crypto *c, struct card_channel *ch, const struct apdu *command,
                           struct writer *plain) MUST_USE;

/* Appends the response data as it goes out: encrypted and with R-MAC as the level says; error status words
 * are not protected (6.2.5). The status word itself stays. plain_command is not used (SCP02 needs it). */
enum err card_scp03_wrap_response(struct crypto *c, struct card_channel *ch, const struct apdu *plain_command,
                                  const struct rapdu *response, struct writer *data) MUST_USE;

/* C-DECRYPTION and R-ENCRYPTION alone (6.2.6, 6.2.7), for protocols that go on like SCP03: append the plain
 * data of the command with the number ch->counter, or the encrypted data of its response. ERR_FORMAT: not
 * whole blocks, or wrong padding. */
enum err card_scp03_decrypt_data(struct crypto *c, const struct card_channel *ch, struct view data,
                                 struct writer *plain) MUST_USE;
enum err card_scp03_encrypt_response(struct crypto *c, const struct card_channel *ch, struct view data,
                                     struct writer *out) MUST_USE;

#endif
