/* SPDX-License-Identifier: Apache-2.0
 *
 * Secure channels, host side. A method is a row: name, the i value that it serves, and how to open, wrap and
 * unwrap; adding one adds a file under gp/channel/ and rows in channel.c. The virtual card has its own code
 * for the other side. */
#ifndef GP_CHANNEL_H
#define GP_CHANNEL_H

#include <apdu/apdu.h>
#include <base/sources.h>
#include <crypto/pk.h>
#include <gp/keys.h>

/* Security levels: P1 of EXTERNAL AUTHENTICATE (GPCS 2.3.1 table 10-1, E.5.2.3; Amendment D 7.1.2.1). */
enum {
    LEVEL_NONE = 0x00,
    LEVEL_C_MAC = 0x01,
    LEVEL_C_DECRYPTION = 0x02, /* with C-MAC: 03 */
    LEVEL_R_MAC = 0x10,        /* with C-MAC: 11, 13 */
    LEVEL_R_ENCRYPTION = 0x20  /* with all others: 33 */
};

/* CHANNEL_STATE_MAX: of a channel whose keys are key pairs. EXTERNAL_AUTHENTICATE_MAX: the whole command,
 * with a signature as cryptogram and another one behind it. */
enum {
    HOST_CHALLENGE_MAX = 16,
    CHANNEL_STATE_MAX = 5 * 1024,
    KDD_LEN = 10,
    EXTERNAL_AUTHENTICATE_MAX = 16 + 2 * PK_SIGNATURE_MAX
};

/* Protocol identifiers; F0 is our own (docs/signed-commands.md). */
enum { SCP01 = 0x01, SCP02 = 0x02, SCP03 = 0x03, SCP11 = 0x11, SCP_SIGNED = 0xF0 };

/* The answer to INITIALIZE UPDATE (GPCS 2.2.1 D.4.1.6; GPCS 2.3.1 E.5.1.6; Amendment D 7.1.1). */
struct init_update {
    uint8_t kdd[KDD_LEN];
    uint8_t kvn, scp;
    int i;                 /* -1: the answer does not carry it (SCP01, SCP02) */
    bool has_sequence;     /* SCP02 always; SCP03 only with pseudo-random challenges */
    uint32_t sequence;     /* SCP02: 2 bytes; SCP03: 3 bytes */
    uint8_t challenge[16]; /* SCP01: 8; SCP02: 6 behind the sequence counter; SCP03: 8, S16: 16; F0: 16 */
    size_t challenge_len;
    uint8_t cryptogram[PK_SIGNATURE_MAX]; /* SCP01, SCP02: 8; SCP03: 8, S16: 16; F0: the card's signature */
    size_t cryptogram_len;
};
/* data without the status word. ERR_FORMAT; ERR_UNSUPPORTED for another protocol. */
enum err init_update_parse(struct view data, struct init_update *out) MUST_USE;
/* How many more channels the key set can open before its sequence counter ends (GPCS 2.3.1 E.1.2; Amendment D
 * 6.2.2.1); UINT32_MAX when the answer has no counter. */
uint32_t channel_counter_left(const struct init_update *iu);

struct channel; /* an open channel: keys and chaining state, all secret */
struct channel_ops;

struct channel_method {
    const char *name; /* "SCP02", "SCP03" */
    uint8_t scp;
    uint8_t i; /* one row per supported i */
    enum key_type key_type;
    uint8_t host_challenge_len;
    uint16_t tag_len;  /* behind the data of each wrapped command: a C-MAC of 8 or 16 bytes, or a signature */
    uint8_t levels[8]; /* the security levels that this i can do, strongest last, ended by 0 */
    bool response_mac; /* a response MAC is possible, so that results can be confirmed */
    bool authenticates; /* EXTERNAL AUTHENTICATE is the first command of an open channel */
    bool keyed_opening; /* the opening's commands need the host's keys (SCP11) */
    const struct channel_ops *ops;
};
/* NULL when there is none. */
const struct channel_method *channel_method(uint8_t scp, uint8_t i);
/* All rows: for documentation and for tests that run over the table. */
const struct channel_method *channel_methods(size_t *count);
bool channel_level_ok(const struct channel_method *m, uint8_t level);
/* Whether card keys of this type and length (of each of the three) are keys for this method. */
bool channel_keys_fit(const struct channel_method *m, enum key_type type, size_t len);
/* The most plain data bytes of a short command that still fit when wrapped at this level (247 or 239; S16:
 * 239 or 223). 0: none does, this method needs extended length. */
size_t channel_block_size(const struct channel_method *m, uint8_t level);

/* Why this method works with extended length only; NULL where short commands do. */
const char *channel_extended_reason(const struct channel_method *m);

/* INITIALIZE UPDATE, plain. key_id is P2, usually 0. host_challenge is borrowed. */
void channel_initialize_update(struct apdu *out, uint8_t kvn, uint8_t key_id, struct view host_challenge);

/* Derives session keys, verifies the card cryptogram in constant time (ERR_AUTH: nothing is opened), and
 * makes the channel ready for its first command, EXTERNAL AUTHENTICATE. ERR_UNSUPPORTED when the method can't
 * do the level. */
enum err channel_open(struct channel **out, struct crypto *c, const struct channel_method *m,
                      const struct card_keys *keys, struct view host_challenge, const struct init_update *iu,
                      uint8_t level) MUST_USE;
/* Appends the challenge that a card with pseudo-random challenges makes at this value of its counter, for the
 * security domain aid (GPCS 2.3.1 E.4.2.3; Amendment D 6.2.2.1). To look at, never to require: cards that say
 * so do not always, and others do without saying. ERR_UNSUPPORTED on protocols without such a rule. */
enum err channel_pseudo_challenge(struct crypto *c, const struct channel_method *m,
                                  const struct card_keys *keys, uint32_t sequence, struct view aid,
                                  struct writer *out) MUST_USE;
/* Wipes; accepts NULL and clears. */
void channel_free(struct channel **ch);

/* Appends the complete EXTERNAL AUTHENTICATE command. Only as the first command: ERR_STATE otherwise. */
enum err channel_external_authenticate(struct channel *ch, struct crypto *c, struct writer *out) MUST_USE;

/* Wraps count plain commands in order, as one chain. wrapped[i] gets header, Le, and data that views into
 * *storage, which needs room for channel_wrapped_max bytes and must not grow afterwards. ERR_LIMIT when a
 * short command does not fit once wrapped, ERR_ARGUMENT when a class byte says that the command is wrapped
 * already (nothing is wrapped then). plain and wrapped may not be the same array. */
enum err channel_wrap(struct channel *ch, struct crypto *c, const struct apdu *plain, size_t count,
                      struct apdu *wrapped, struct writer *storage) MUST_USE;
size_t channel_wrapped_max(const struct apdu *plain, size_t count);

/* Bytes of the data field of this command when it is wrapped now. */
size_t channel_wrapped_len(const struct channel *ch, const struct apdu *plain);
/* Moves the channel behind a command as channel_wrap does, without making it: to verify an answer, where a
 * command was made before, and making it again would cost a signature. storage is scratch, with room as for
 * channel_wrap. */
enum err channel_follow(struct channel *ch, struct crypto *c, const struct apdu *plain,
                        struct writer *storage) MUST_USE;

/* Takes the answer to a wrapped command (EXTERNAL AUTHENTICATE too). Call it once per command, in order; on a
 * channel with C-ENC/R-MAC counters the channel must stand behind exactly that command (wrap one, unwrap one;
 * or replay with channel_copy, wrapping the executed commands again one by one). Appends the plain response
 * data; *proven says that a response MAC was verified. ERR_AUTH when a response MAC is due and does not
 * match, or when an SCP03 error status word comes with data. The channel is dead after ERR_AUTH, and after an
 * EXTERNAL AUTHENTICATE that was not answered by 9000: ERR_STATE from then on. */
enum err channel_unwrap(struct channel *ch, struct crypto *c, struct view rapdu, struct writer *out,
                        uint16_t *sw, bool *proven) MUST_USE;

/* The channel that the same host challenge will open next time, for scripts that are made before the card is
 * asked: cards with pseudo-random challenges answer as their counter says. seen: an answer to this challenge,
 * which is verified first (ERR_AUTH). ERR_UNSUPPORTED when the card's challenge is not the one of its
 * counter, so that the next can't be told. */
enum err channel_open_next(struct channel **out, struct crypto *c, const struct channel_method *m,
                           const struct card_keys *keys, struct view host_challenge, struct view aid,
                           const struct init_update *seen, uint8_t level) MUST_USE;

/* ---- any method, from its first command ----
 * The opening is what has to be said, and answered, before a command can be signed: INITIALIZE UPDATE; with
 * SCP11 the certificates and the key agreement; with implicit SCP02 only the card's sequence counter. */

/* Whose keys: borrowed; only the members that the method needs. */
struct channel_keys {
    const struct card_keys *card; /* SCP01, SCP02, SCP03 */
    struct pk *host;              /* SCP11a, SCP11c: SK.OCE.ECKA; F0: the server's signing key */
    struct pk *peer;   /* SCP11: PK.CA-KLCC, which signed the card's certificate; F0: the card's public key */
    bool peer_is_card; /* SCP11: peer is PK.SD.ECKA itself, known before: the card is not asked for
                          certificates */
    const struct view *certificates; /* SCP11a, SCP11c: the one that the card's CA-KLOC key signed comes
                                        first, CERT.OCE.ECKA last */
    size_t certificate_count;
    uint8_t ca_kvn, ca_kid;             /* SCP11a, SCP11c: PK.CA-KLOC on the card */
    struct view host_id, card_group_id; /* SCP11: SharedInfo; empty where they are not used */
};

struct channel_request {
    const struct channel_method *method;
    uint8_t level, kvn, kid;
    uint8_t session_key_len; /* SCP11, F0: AES session keys of 16, 24 or 32 bytes; 0: the method's default */
    struct view aid;         /* of the security domain; may be empty where the method does not need it */
    uint64_t now_ms;         /* for the validity of certificates; 0: not checked */
    enum pk_curve curve;     /* SCP11b with certificates: of the card's key, for the host's ephemeral one */
    bool chained_p1; /* SCP11a, SCP11c: a card that wants bit 8 of P1 set in all but the last part of each
                        certificate (quirk) */
};

/* A chain of certificates in short commands; and all that as bytes. */
enum { OPENING_COMMANDS_MAX = 32, OPENING_BYTES_MAX = 12 * 1024 };
struct channel_opening {
    struct channel_request request; /* with aid in storage */
    struct apdu commands[OPENING_COMMANDS_MAX];
    size_t count;
    struct writer storage; /* of the commands */
    struct secret own;     /* the host challenge, or the scalar of the ephemeral key */
};
/* c and keys may be NULL for methods whose row says that the opening needs no key. On OK *out must go to
 * channel_opening_finish, which wipes. */
enum err channel_begin(struct channel_opening *out, struct crypto *c, struct random_source random,
                       const struct channel_request *request, const struct channel_keys *keys) MUST_USE;
void channel_opening_finish(struct channel_opening *o);
/* Between two requests of a client the opening is bytes (ERR_FORMAT). Those of a keyed opening are secret. */
enum err channel_opening_encode(const struct channel_opening *o, struct writer *out) MUST_USE;
enum err channel_opening_decode(struct channel_opening *out, struct view bytes) MUST_USE;
/* Verifies what the card has answered (answers[n] to commands[n]) and opens the channel: ERR_AUTH when it is
 * not who it should be, ERR_EXPIRED, ERR_UNSUPPORTED when it refuses extended length, ERR_FORMAT, ERR_STATE
 * when an answer is missing or is an error status word. A method whose row says so sends EXTERNAL
 * AUTHENTICATE next; on others the channel takes commands at once. */
enum err channel_accept(struct channel **out, struct crypto *c, const struct channel_opening *o,
                        const struct channel_keys *keys, const struct rapdu *answers, size_t count) MUST_USE;

/* SCP11c without a card: whatever the host has to know of a card of the group is its public key (keys->peer,
 * with peer_is_card), and the card answers nothing that can't be said before. So the opening's commands, and
 * those that are wrapped on this channel, are one script for all cards of the group. It works on each of
 * them, and again each time that it is run: there is nothing of the card in it that changes. channel_accept
 * on the same opening, with the answers of one card, gives the channel that its response MACs are verified
 * with. */
enum err channel_group_open(struct channel **out, struct crypto *c, const struct channel_opening *o,
                            const struct channel_keys *keys) MUST_USE;
/* All of that at once: the commands of the opening and the plain ones, signed, in the order that each card of
 * the group gets them. On OK *out must go to channel_script_finish; out->opening is the one for
 * channel_accept. */
struct channel_script {
    struct channel_opening opening;
    struct apdu *commands; /* views into opening and storage */
    size_t count;
    struct writer storage;
};
enum err channel_group_script(struct channel_script *out, struct crypto *c, struct random_source random,
                              const struct channel_request *request, const struct channel_keys *keys,
                              const struct apdu *plain, size_t count) MUST_USE;
void channel_script_finish(struct channel_script *s);

/* The state as bytes, to be sealed at once, and back (ERR_FORMAT). The bytes are secret. */
enum err channel_encode(const struct channel *ch, struct writer *out) MUST_USE;
enum err channel_decode(struct channel **out, struct view state) MUST_USE;
enum err channel_copy(struct channel **out, const struct channel *ch) MUST_USE;
uint8_t channel_level(const struct channel *ch);
const struct channel_method *channel_method_of(const struct channel *ch);

/* Encrypts key data for PUT KEY and STORE DATA under the DEK (E.4.7; Amendment D 6.2.8). in: whole cipher
 * blocks. */
enum err channel_dek_encrypt(struct channel *ch, struct crypto *c, struct view in,
                             struct writer *out) MUST_USE;

#endif
