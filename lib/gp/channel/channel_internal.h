/* SPDX-License-Identifier: Apache-2.0
 *
 * What channel.c and the files of the methods share: the state of an open channel, and what a method has to
 * bring. */
#ifndef GP_CHANNEL_INTERNAL_H
#define GP_CHANNEL_INTERNAL_H

#include <gp/channel.h>

enum { MAC_LEN = 8, CRYPTOGRAM_LEN = 8, CHAIN_LEN = 16, SHORT_DATA_MAX = 255, EXTENDED_DATA_MAX = 65535 };

enum channel_phase {
    PHASE_NEW,            /* EXTERNAL AUTHENTICATE comes first */
    PHASE_AUTHENTICATING, /* its answer was not seen yet */
    PHASE_OPEN,
    PHASE_DEAD, /* refused or forged: nothing goes out any more */
    PHASE_COUNT
};

/* A retail MAC on its way: the chain over whole blocks, and the bytes behind these. */
struct half_mac {
    uint8_t chain[DES_BLOCK], tail[DES_BLOCK];
    size_t tail_len;
};

struct channel {
    const struct channel_method *method;
    uint8_t level;
    enum channel_phase phase;
    struct secret enc, mac, rmac, dek; /* session keys; SCP03: dek is the card's own */
    uint8_t host_cryptogram[CRYPTOGRAM_LEN];
    uint8_t chain[CHAIN_LEN]; /* SCP03: MAC chaining value; SCP02: the last C-MAC, 8 bytes */
    uint32_t counter;         /* commands wrapped after EXTERNAL AUTHENTICATE */
    struct half_mac response; /* SCP02 with R-MAC: over the last command, for its answer */
};

struct channel_ops {
    size_t cipher_block;
    /* Checks the key lengths, sets session keys and the host cryptogram, and says what the card's cryptogram
     * must be. */
    enum err (*derive)(struct channel *ch, struct crypto *c, const struct card_keys *keys,
                       struct view host_challenge, const struct init_update *iu,
                       uint8_t card_cryptogram[CRYPTOGRAM_LEN]);
    /* All commands fit. Nothing of the channel changes unless it succeeds. */
    enum err (*wrap)(struct channel *ch, struct crypto *c, const struct apdu *plain, size_t count,
                     struct apdu *wrapped, struct writer *storage);
    /* The answer to the last command, on a level with R-MAC. */
    enum err (*unwrap)(struct channel *ch, struct crypto *c, const struct rapdu *answer, struct writer *out,
                       bool *proven);
    enum err (*dek_encrypt)(struct channel *ch, struct crypto *c, struct view in, uint8_t *out);
};

extern const struct channel_ops channel_scp02, channel_scp03;

/* The level that the next command gets: EXTERNAL AUTHENTICATE itself has a C-MAC and nothing else. */
uint8_t channel_command_level(const struct channel *ch);
/* Bytes of the data field before the C-MAC: padded when it is encrypted. No data is not encrypted
 * (Amendment D 6.2.6, and what cards do in SCP02). */
size_t channel_field_len(const struct channel_method *m, uint8_t level, size_t data_len);
/* Class bytes of a wrapped command (GPCS 2.3.1 11.1.4): as the MAC sees it, on logical channel 0, and as it
 * is sent. */
uint8_t channel_mac_class(uint8_t cla);
uint8_t channel_wire_class(uint8_t cla);
/* The header as the MAC sees it, with Lc in the command's form: 5 or 7 bytes. */
void channel_put_header(struct writer *w, const struct apdu *plain, size_t lc);
size_t channel_header_len(const struct apdu *plain);
/* Padding method 2 of ISO 9797-1: 80 and zeros up to a whole block (GPCS 2.3.1 B.1.3; Amendment D 4.1.4). */
void channel_pad(struct writer *w, size_t block);
/* 9000, 62xx, 63xx: what the protocols call success or warning (Amendment D 6.2.5; GPCS 2.3.1 E.4.5). */
bool channel_is_success(uint16_t sw);
/* The wrapped command around its data field. */
struct apdu channel_wrapped(const struct apdu *plain, struct view field);

#endif
