/* SPDX-License-Identifier: Apache-2.0
 *
 * The card's side of a secure channel: one struct, one row per protocol. It is written from the specification
 * alone and shares no code with the host's side; two halves that share a bug would agree with each other.
 *
 * How a caller (the dispatcher, or a runner of published vectors) drives it:
 *
 *   card_scp03_open                      INITIALIZE UPDATE: session keys and the card's cryptogram
 *
 *   card_scp03_external_authenticate     9000: the channel is open
 *
 *   card_scp03_unwrap                    a command as it came; 9000: its plain data is appended
 *
 *   card_scp03_wrap_response             what goes back, as it goes out
 *
 * The same four exist for SCP01 and SCP02. With implicit initiation (SCP02) card_scp02_open_implicit takes
 * the place of the first two, and the first unwrap opens the channel. A status word other than 9000 means
 * that the session is over: finish it. */
#ifndef FERRY_CARD_CHANNEL_H
#define FERRY_CARD_CHANNEL_H

#include <apdu/apdu.h>
#include <crypto/crypto.h>

enum { CARD_CHALLENGE_MAX = 16, CARD_CRYPTOGRAM_MAX = 16 };
/* The longest MAC or signature of a command or response (RSA-4096), and the longest hash that chains them. */
enum { CARD_MAC_MAX = 512, CARD_HASH_CHAIN_MAX = 64 };

/* Bits of a security level (GPCS 2.3.1 E.5.2.3, Amendment D 7.1.2.1). */
enum {
    CARD_LEVEL_C_MAC = 0x01,
    CARD_LEVEL_C_DECRYPTION = 0x02,
    CARD_LEVEL_R_MAC = 0x10,
    CARD_LEVEL_R_ENCRYPTION = 0x20
};

/* SCP02's response MACs (GPCS 2.3.1 E.4.5): none; until the session ends, as EXTERNAL AUTHENTICATE said;
 * begun by command and behind each response; begun by command and only returned on demand. */
enum card_r_mac { CARD_R_MAC_NONE, CARD_R_MAC_ALWAYS, CARD_R_MAC_SENT, CARD_R_MAC_KEPT };
/* The response of the command in hand: as r_mac says; computed but not sent (BEGIN R-MAC SESSION); left out
 * (END R-MAC SESSION). */
enum card_r_mac_turn { CARD_R_MAC_TURN_NORMAL, CARD_R_MAC_TURN_KEEPS, CARD_R_MAC_TURN_SKIPS };

/* The static keys of one key version. */
struct card_static_keys {
    struct secret enc, mac, dek;
};

/* One session. Caller's memory, zeroed before open, wiped by card_channel_finish. */
struct card_channel {
    uint8_t scp, i;
    uint8_t level; /* P1 of EXTERNAL AUTHENTICATE, once it succeeded */
    bool authenticated;
    bool mac_verified; /* the first C-MAC was right: SCP02's sequence counter moves (GPCS 2.3.1 E.1.2) */
    uint16_t mac_len;  /* of the MAC or signature behind a command, at most CARD_MAC_MAX; SCP03: 8, S16: 16 */
    uint16_t response_mac_len; /* the same behind a response */
    struct secret s_enc, s_mac, s_rmac, s_dek;
    uint8_t host_cryptogram[CARD_CRYPTOGRAM_MAX]; /* the only one that is accepted */
    uint8_t chain[16];                            /* SCP03: MAC chaining value; SCP02: last C-MAC, 8 bytes */
    uint8_t response_chain[8];                    /* SCP02: last R-MAC */
    uint8_t response_start[8];  /* SCP02: ICV of an R-MAC session that begins (E.3.2, E.3.3) */
    struct secret s_rmac_begun; /* SCP02: S-RMAC of a session begun by command (E.4.1) */
    enum card_r_mac r_mac;
    enum card_r_mac_turn r_mac_turn;
    uint32_t counter;                        /* SCP03: encryption counter of the command in hand */
    uint8_t hash_chain[CARD_HASH_CHAIN_MAX]; /* methods that sign: hash over all that came before */
    /* What one method alone needs, and how it is wiped and freed; NULL: nothing. */
    void *own;
    void (*own_finish)(void *own);
};

/* Finishes what the method has of its own, and wipes; accepts a zeroed channel. */
void card_channel_finish(struct card_channel *ch);

struct card;

/* One protocol, for the dispatcher. What a method does not have is NULL. */
struct card_channel_ops {
    uint8_t scp;
    /* A method whose keys are no key set of three: answers INITIALIZE UPDATE itself, sets card->now->session
     * to SESSION_INITIATED with its channel and these ops, and appends the response. 6A88: the key version
     * is none of its own, and others are asked. Its tries are its own affair; the next four are not called.
     */
    uint16_t (*initialize)(struct card *card, const struct apdu *a, struct writer *out);
    /* Is this i one that this card can play, and may it use this level? */
    bool (*knows_i)(uint8_t i);
    /* Is it opened by the first C-MAC (NULL: never)? Then open_implicit takes the place of open. */
    bool (*implicit)(uint8_t i);
    bool (*allows_level)(uint8_t i, uint8_t level);
    /* Lengths in bytes: host challenge; card challenge; do challenges come from the sequence counter? */
    size_t (*host_challenge_len)(uint8_t i);
    size_t (*card_challenge_len)(uint8_t i);
    bool (*counts)(uint8_t i);
    enum err (*pseudo_random)(struct crypto *c, const struct card_static_keys *keys, uint8_t i,
                              uint32_t sequence, struct view aid, uint8_t *challenge);
    enum err (*open)(struct crypto *c, const struct card_static_keys *keys, uint8_t i, uint32_t sequence,
                     struct view host_challenge, struct view card_challenge, struct card_channel *out,
                     uint8_t *cryptogram);
    enum err (*open_implicit)(struct crypto *c, const struct card_static_keys *keys, uint8_t i,
                              uint32_t sequence, struct view aid, struct card_channel *out);
    uint16_t (*external_authenticate)(struct crypto *c, struct card_channel *ch, const struct apdu *command);
    uint16_t (*unwrap)(struct crypto *c, struct card_channel *ch, const struct apdu *command,
                       struct writer *plain);
    enum err (*wrap_response)(struct crypto *c, struct card_channel *ch, const struct apdu *plain_command,
                              const struct rapdu *response, struct writer *data);
    /* Keys and other sensitive data under the session's DEK (GPCS 2.3.1 E.4.7; Amendment D 6.2.8); as many
     * bytes come out as went in, a multiple of the block, else ERR_ARGUMENT. */
    enum err (*decrypt_sensitive)(struct crypto *c, const struct card_channel *ch, struct view cipher,
                                  uint8_t *out);
};

extern const struct card_channel_ops card_scp01_ops, card_scp02_ops, card_scp03_ops, card_signed_ops;
/* NULL when there is none. */
const struct card_channel_ops *card_channel_ops(uint8_t scp);
/* All of them, in the order in which they are asked. */
const struct card_channel_ops *const *card_channel_rows(size_t *count);

/* Shared by both: the length of data behind ISO/IEC 9797-1 padding method 2, -1 when the padding is wrong
 * (GPCS 2.3.1 B.1.3, B.2.3). Constant-time in the contents. */
long card_unpad(struct view padded, size_t block);
/* Appends v and its padding. */
void card_pad(struct writer *w, struct view v, size_t block);
/* The command as it is MACed, without data: class without logical channel and with the secure messaging bit,
 * INS P1 P2, and Lc = data_len in the form in which it was sent (GPCS 2.3.1 E.4.4; Amendment D 6.2.4). */
void card_put_mac_header(struct writer *w, const struct apdu *command, size_t data_len);
/* Lc alone: one byte, or 00 and two where the command is extended or the length needs it (11.1.5.1). */
void card_put_lc(struct writer *w, const struct apdu *command, size_t data_len);

/* How many static keys a key version has: 1 in SCP02 with a base key (GPCS 2.3.1 table E-1), else 3. */
unsigned card_channel_key_count(uint8_t scp, uint8_t i);

#endif
