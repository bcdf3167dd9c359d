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

/* A command on its way through channel_wrap. */
struct outgoing {
    const struct apdu *plain;
    bool extended;
    size_t header_len; /* with Lc: 5 or 7 */
    size_t field_len;  /* of the data before the C-MAC, padded when it is encrypted */
    uint8_t *start;    /* the method's room for it in the storage */
    uint8_t *field;    /* set by the method: data and C-MAC of the wrapped command */
    size_t message_len;
};

struct channel_ops {
    size_t cipher_block;                                    /* a power of two */
    bool (*lengths_ok)(size_t enc, size_t mac, size_t dek); /* of card keys, and so of session keys */
    /* Sets session keys and the host cryptogram, and says what the card's cryptogram must be. */
    enum err (*derive)(struct channel *ch, struct crypto *c, const struct card_keys *keys,
                       struct view host_challenge, const struct init_update *iu,
                       uint8_t card_cryptogram[CRYPTOGRAM_LEN]);
    /* All commands fit. Sets field of each; nothing of the channel changes unless it succeeds. */
    enum err (*wrap)(struct channel *ch, struct crypto *c, struct outgoing *commands, size_t count,
                     struct writer *storage);
    /* The answer to the last command, on a level with R-MAC. */
    enum err (*unwrap)(struct channel *ch, struct crypto *c, const struct rapdu *answer, struct writer *out,
                       bool *proven);
    enum err (*dek_encrypt)(struct channel *ch, struct crypto *c, struct view in, uint8_t *out);
};

extern const struct channel_ops channel_scp02, channel_scp03;

/* Commands are encrypted on this channel; EXTERNAL AUTHENTICATE never is. */
bool channel_encrypts(const struct channel *ch);
/* The header as the MAC sees it, header_len bytes, with Lc in the command's form. */
void channel_put_header(uint8_t *out, const struct outgoing *o, size_t lc);
/* The class byte on logical channel 0, with and without the bit of secure messaging. */
uint8_t channel_mac_class(uint8_t cla);
uint8_t channel_bare_class(uint8_t cla);
/* Padding method 2 of ISO 9797-1: 80 and zeros up to a whole block (GPCS 2.3.1 B.1.3; Amendment D 4.1.4). */
void channel_pad(struct writer *w, size_t block);
/* 9000, 62xx, 63xx: what the protocols call success or warning (Amendment D 6.2.5; GPCS 2.3.1 E.4.5). */
bool channel_is_success(uint16_t sw);

#endif
