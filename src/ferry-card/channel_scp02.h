/* SPDX-License-Identifier: Apache-2.0
 *
 * SCP02, card side, with explicit and implicit initiation (GPCS 2.3.1 appendix E). See channel.h for the
 * order of calls. */
#ifndef FERRY_CARD_CHANNEL_SCP02_H
#define FERRY_CARD_CHANNEL_SCP02_H

#include "channel.h"

/* Bits of i (GPCS 2.3.1 table E-1). */
enum {
    SCP02_I_THREE_KEYS = 0x01,
    SCP02_I_UNMODIFIED_APDU = 0x02,
    SCP02_I_EXPLICIT = 0x04,
    SCP02_I_ICV_AID = 0x08,
    SCP02_I_ICV_ENCRYPTION = 0x10,
    SCP02_I_R_MAC = 0x20,
    SCP02_I_PSEUDO_RANDOM = 0x40
};

/* The well-known pseudo-random card challenge (E.4.2.3), 6 bytes. */
enum err card_scp02_challenge(struct crypto *c, const struct card_static_keys *keys, uint8_t i,
                              uint32_t sequence, struct view aid, uint8_t *challenge) MUST_USE;

/* Begins a session: derives the four session keys (E.4.1) for the sequence counter and writes the card
 * cryptogram (E.4.2.1), 8 bytes. host_challenge has 8 bytes, card_challenge 6; keys have 16; else
 * ERR_ARGUMENT. With one base key (i without bit 01) the three static keys are the same. */
enum err card_scp02_open(struct crypto *c, const struct card_static_keys *keys, uint8_t i, uint32_t sequence,
                         struct view host_challenge, struct view card_challenge, struct card_channel *out,
                         uint8_t *cryptogram) MUST_USE;

/* Begins a session with implicit initiation (E.1.2.2) for the selected AID: the first command that is
 * unwrapped proves the host, and its C-MAC is the authentication. ERR_ARGUMENT for another i. */
enum err card_scp02_open_implicit(struct crypto *c, const struct card_static_keys *keys, uint8_t i,
                                  uint32_t sequence, struct view aid, struct card_channel *out) MUST_USE;

/* The command as received. 9000; 6982 when the C-MAC is wrong; 6300 when the host cryptogram is wrong; 6A86
 * when i does not allow the level (R-MAC needs bit 20); 6700. ch->mac_verified says whether the sequence
 * counter of the card moves. */
uint16_t card_scp02_external_authenticate(struct crypto *c, struct card_channel *ch,
                                          const struct apdu *command) MUST_USE;

/* Decrypts and verifies a command of an open session and appends its plain data. 9000, or 6982 for whatever
 * is wrong, padding or MAC alike. */
uint16_t card_scp02_unwrap(struct crypto *c, struct card_channel *ch, const struct apdu *command,
                           struct writer *plain) MUST_USE;

/* BEGIN R-MAC SESSION with P1 10 (an R-MAC behind each response) or 00 (only on demand): 9000; 6985 when
 * there is one already; 6D00 when i has no R-MAC. END R-MAC SESSION: appends the R-MAC; 6A88 when there is no
 * such session, 6985 when it cannot end because EXTERNAL AUTHENTICATE began it. (E.5.3, E.5.4) */
uint16_t card_scp02_begin_r_mac(struct card_channel *ch, uint8_t p1) MUST_USE;
uint16_t card_scp02_end_r_mac(struct card_channel *ch, bool ends, struct writer *out) MUST_USE;

/* Appends the response data as it goes out, with R-MAC where the level says so (E.4.5), also behind an error
 * status word. plain_command is the command as the application saw it: it is part of the R-MAC. */
enum err card_scp02_wrap_response(struct crypto *c, struct card_channel *ch, const struct apdu *plain_command,
                                  const struct rapdu *response, struct writer *data) MUST_USE;

#endif
