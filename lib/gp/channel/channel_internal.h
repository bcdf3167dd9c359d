/* SPDX-License-Identifier: Apache-2.0
 *
 * What channel.c and the files of the methods share: the state of an open channel, and what a method has to
 * bring. MACs, cryptograms and chaining values may be as long as signatures and digests. */
#ifndef GP_CHANNEL_INTERNAL_H
#define GP_CHANNEL_INTERNAL_H

#include <gp/channel.h>

enum {
    MAC_LEN = 8, /* C-MAC and R-MAC of SCP01, SCP02, and SCP03 in mode S8 */
    MAC_LEN_S16 = 16,
    CRYPTOGRAM_MAX = PK_SIGNATURE_MAX,
    CHAIN_MAX = DIGEST_MAX,
    SHORT_DATA_MAX = 255,
    EXTENDED_DATA_MAX = 65535,
    /* Private key of the host and public key of the card, each behind its length of two bytes. */
    PAIRS_MAX = PK_PRIVATE_MAX + PK_PUBLIC_MAX + 4
};

enum channel_phase {
    PHASE_NEW,            /* EXTERNAL AUTHENTICATE comes first */
    PHASE_AUTHENTICATING, /* its answer was not seen yet */
    PHASE_OPEN,
    PHASE_DEAD, /* refused or forged: nothing goes out any more */
    PHASE_COUNT
};

/* SCP02: which answers carry an R-MAC (GPCS 2.3.1 E.4.5). */
enum response_session {
    RESPONSES_BARE,
    RESPONSES_COUNTED, /* only the one to END R-MAC SESSION, over all before it */
    RESPONSES_MACED,
    RESPONSES_COUNT
};

/* SCP02's R-MACs: a retail MAC on its way over a command and its answer, the chain over whole blocks and the
 * bytes behind these; which answers carry it; and what the last command does to that: INS 7A, BEGIN R-MAC
 * SESSION, with its P1, or 78, END R-MAC SESSION, with its P2; 00: any other. */
struct response_mac {
    uint8_t chain[DES_BLOCK], tail[DES_BLOCK];
    size_t tail_len;
    uint8_t session; /* enum response_session */
    uint8_t ins, p;
};

struct channel {
    const struct channel_method *method;
    uint8_t level;
    enum channel_phase phase;
    size_t tag_len; /* of each wrapped command, and of R-MACs; the method's row says it first */
    struct secret enc, mac, rmac, dek;       /* session keys; SCP01, SCP03: dek is the card's own */
    uint8_t host_cryptogram[CRYPTOGRAM_MAX]; /* the data of EXTERNAL AUTHENTICATE */
    size_t host_cryptogram_len;
    uint8_t chain[CHAIN_MAX]; /* what the next C-MAC or signature begins with; ops->chain_len bytes */
    uint32_t counter;         /* commands wrapped after EXTERNAL AUTHENTICATE */

    struct response_mac response; /* SCP02 with R-MAC */

    /* Methods with key pairs: these, encoded as the method likes (at most PAIRS_MAX bytes, secret), on the
     * heap; and the keys made of it, when they were needed: neither copied nor encoded. */
    struct writer pairs;
    struct pk *signer, *verifier;
    bool following; /* nothing is signed: see channel_follow */
};

/* A command on its way through channel_wrap. */
struct outgoing {
    const struct apdu *plain;
    bool extended;
    uint32_t ne;       /* the plain command's; a method may ask for more */
    size_t header_len; /* with Lc: 5 or 7 */
    size_t field_len;  /* of the data before the tag, padded when it is encrypted */
    uint8_t *start;    /* the method's room for it in the storage */
    uint8_t *field;    /* set by the method: data and tag of the wrapped command */
    size_t message_len;
};

struct channel_ops {
    size_t cipher_block; /* a power of two */
    size_t chain_len;    /* at most CHAIN_MAX */
    bool short_only;     /* the protocol is older than extended length */
    bool length_byte;    /* data that is encrypted gets its length in front (GPCS 2.2.1 D.3.4) */

    /* Of card keys of this type, and so of session keys. NULL: the method has no card keys. */
    bool (*lengths_ok)(size_t enc, size_t mac, size_t dek);
    /* Of a channel that comes back from bytes; NULL: lengths_ok, and a key for R-MACs where the row has them.
     */
    bool (*state_ok)(const struct channel *ch);

    /* Openings of other forms than INITIALIZE UPDATE alone; both or none. begin: request and an empty heap
     * storage are set; puts commands, and what it keeps for accept into own. accept: the answers, all with
     * 9000, are as many as there were commands; sets keys and chain; ERR_AUTH when the card is not who it
     * should be. */
    enum err (*begin)(struct channel_opening *o, struct crypto *c, struct random_source random,
                      const struct channel_keys *keys);
    enum err (*accept)(struct channel *ch, struct crypto *c, const struct channel_opening *o,
                       const struct channel_keys *keys, const struct rapdu *answers);

    /* Frees signer and verifier; NULL: the method has none. */
    void (*finish)(struct channel *ch);

    /* Sets session keys and the host cryptogram, and says what the card's cryptogram must be: as many bytes
     * as the answer has. */
    enum err (*derive)(struct channel *ch, struct crypto *c, const struct card_keys *keys,
                       struct view host_challenge, const struct init_update *iu,
                       uint8_t card_cryptogram[CRYPTOGRAM_MAX]);
    /* All commands fit. Sets field of each; nothing of the channel changes unless it succeeds. */
    enum err (*wrap)(struct channel *ch, struct crypto *c, struct outgoing *commands, size_t count,
                     struct writer *storage);
    /* The answer to the last command, on an open channel. */
    enum err (*unwrap)(struct channel *ch, struct crypto *c, const struct rapdu *answer, struct writer *out,
                       bool *proven);
    enum err (*dek_encrypt)(struct channel *ch, struct crypto *c, struct view in, uint8_t *out);
    /* The challenge of a card that makes it pseudo-random; NULL: there is no such rule. */
    enum err (*challenge)(struct crypto *c, const struct card_keys *keys, uint32_t sequence, struct view aid,
                          uint8_t *out, size_t len);
};

extern const struct channel_ops channel_scp01, channel_scp02, channel_scp02_implicit, channel_scp03,
    channel_scp11, channel_signed_256, channel_signed_384;

/* Amendment D 4.1.5: at most 32 bytes. */
enum err channel_scp03_kdf(struct crypto *c, const struct secret *key, uint8_t constant,
                           const struct view context[2], uint8_t *out, size_t len) MUST_USE;
/* Of SCP03, for the protocols that go on like it. put_fields: the data of each command to its field,
 * encrypted where the channel does so. decrypt: of the answer to the last command; deliver: the data of an
 * answer whose proof was right, decrypted where the channel does so. */
enum err channel_scp03_put_fields(const struct channel *ch, struct crypto *c, const struct outgoing *commands,
                                  size_t count) MUST_USE;
enum err channel_scp03_wrap(struct channel *ch, struct crypto *c, struct outgoing *commands, size_t count,
                            struct writer *storage) MUST_USE;
enum err channel_scp03_unwrap(struct channel *ch, struct crypto *c, const struct rapdu *answer,
                              struct writer *out, bool *proven) MUST_USE;
enum err channel_scp03_decrypt(const struct channel *ch, struct crypto *c, struct view data,
                               struct writer *out) MUST_USE;
enum err channel_scp03_deliver(const struct channel *ch, struct crypto *c, struct view data,
                               struct writer *out, bool *proven) MUST_USE;
enum err channel_scp03_dek_encrypt(struct channel *ch, struct crypto *c, struct view in,
                                   uint8_t *out) MUST_USE;

/* For the methods' accept and derive: session keys, level and phase of a channel that exists already. NULL on
 * a lack of memory. */
struct channel *channel_alloc(const struct channel_method *m, uint8_t level);

/* Commands are encrypted on this channel; EXTERNAL AUTHENTICATE never is. */
bool channel_encrypts(const struct channel *ch);
/* Bytes of the data field before the tag. */
size_t channel_field_len(const struct channel_method *m, bool encrypt, size_t data_len);
/* The header as the MAC sees it, header_len bytes, with Lc in the command's form. */
void channel_put_header(uint8_t *out, const struct outgoing *o, size_t lc);
/* The class byte on logical channel 0, with and without the bit of secure messaging. */
uint8_t channel_mac_class(uint8_t cla);
uint8_t channel_bare_class(uint8_t cla);
/* Padding method 2 of ISO 9797-1: 80 and zeros up to a whole block (GPCS 2.3.1 B.1.3; Amendment D 4.1.4). */
void channel_pad(struct writer *w, size_t block);
/* 9000, 62xx, 63xx: what the protocols call success or warning (Amendment D 6.2.5; GPCS 2.3.1 E.4.5). */
bool channel_is_success(uint16_t sw);
/* An answer without protection. */
enum err channel_unwrap_bare(const struct rapdu *answer, struct writer *out);

#endif
