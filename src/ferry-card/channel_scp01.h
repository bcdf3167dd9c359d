/* SPDX-License-Identifier: Apache-2.0
 *
 * SCP01, card side (GPCS 2.2.1 appendix D). See channel.h for the order of calls. The oldest cards have keys
 * of 8 bytes and single DES wherever else Triple-DES is (docs/single-des.md). Triple-DES under equal halves
 * is single DES, so such keys are held here as K | K. */
#ifndef FERRY_CARD_CHANNEL_SCP01_H
#define FERRY_CARD_CHANNEL_SCP01_H

#include "channel.h"

/* The bit of i that tells 15 from 05 (D.1.1). */
enum { SCP01_I_ICV_ENCRYPTION = 0x10 };

/* Begins a session: derives S-ENC and S-MAC (D.3.1), takes the static DEK, and writes the card cryptogram
 * (D.3.2.1), 8 bytes. Challenges have 8 bytes each, keys 16 or 8, all three alike; else ERR_ARGUMENT. */
enum err card_scp01_open(struct crypto *c, const struct card_static_keys *keys, uint8_t i,
                         struct view host_challenge, struct view card_challenge, struct card_channel *out,
                         uint8_t *cryptogram) MUST_USE;

/* As in channel_scp02.h, without R-MAC: the levels are 00, 01, 03 (table D-8). */
uint16_t card_scp01_external_authenticate(struct crypto *c, struct card_channel *ch,
                                          const struct apdu *command) MUST_USE;
uint16_t card_scp01_unwrap(struct crypto *c, struct card_channel *ch, const struct apdu *command,
                           struct writer *plain) MUST_USE;
/* SCP01 protects no responses: appends the data as it is. */
enum err card_scp01_wrap_response(struct crypto *c, struct card_channel *ch, const struct apdu *plain_command,
                                  const struct rapdu *response, struct writer *data) MUST_USE;

#endif
