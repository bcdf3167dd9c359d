/* SPDX-License-Identifier: Apache-2.0
 *
 * Everything that is done with a key. Keys and open channels enter and leave as sealed bytes only; a vault
 * itself remembers nothing but its key-encryption key. The keeper process is a vault behind a socket
 * (serve.h); the local mode of the client and the tests call it directly. No operation exports a key. */
#ifndef VAULT_VAULT_H
#define VAULT_VAULT_H

#include <base/limits.h>
#include <base/sources.h>
#include <gp/channel.h>
#include <gp/keys.h>
#include <script/script.h>

enum {
    KEK_LEN = 32,
    CARD_NUMBER_TEXT_MAX = 82,
    KEY_BYTES_MAX = PK_PRIVATE_MAX, /* of a key as it is imported: the longest is a key pair */
    SEALED_KEY_MAX = KEY_BYTES_MAX + 512,
    SEALED_CHANNEL_MAX = CHANNEL_STATE_MAX + 512,
    SEALED_OPENING_MAX = OPENING_BYTES_MAX + 512,
    CERTIFICATES_MAX = 8,          /* of a chain */
    OPENING_ANSWER_MAX = 16 * 1024 /* GET DATA of a chain of certificates */
};
/* Places of one script: as many as a sequence may have. */
enum { VAULT_PLACES_MAX = 64 };

enum key_use {
    KEY_USE_MASTER, /* card keys are derived from it, or it is the card key of every card of a type */
    KEY_USE_CARD,   /* the key of one card, imported */
    KEY_USE_DERIVE, /* card-specific data is derived from it */
    KEY_USE_HOST,   /* our own key pair: SK.OCE.ECKA of SCP11, or the key that signs commands */
    KEY_USE_TRUST,  /* a public key: PK.CA-KLCC of SCP11, which signed the certificates of cards */
    KEY_USE_PEER,   /* the public key of one card */
    KEY_USE_COUNT
};
/* "master", "card", "derive", "host", "trust", "peer". */
const char *key_use_name(enum key_use use);
enum err key_use_by_name(const char *name, enum key_use *out) MUST_USE;

/* What a sealed key is: authenticated with it, so that rows that were swapped or rolled back do not open. */
struct key_attributes {
    char name[NAME_MAX_BYTES + 1];
    uint32_t version; /* of ours, 1 and up: not the card's key version number */
    enum key_use use;
    enum key_type type;
    uint16_t key_len;                    /* bytes of one key; of a pair: of its modulus, prime or field */
    char card[CARD_NUMBER_TEXT_MAX + 1]; /* KEY_USE_CARD, KEY_USE_PEER: the card's number; else "" */
};
/* One of RSA, DSA and elliptic curves. */
bool key_type_is_pair(enum key_type type);
enum err key_attributes_check(const struct key_attributes *a) MUST_USE;
void key_attributes_put(struct writer *w, const struct key_attributes *a);
enum err key_attributes_get(struct reader *r, struct key_attributes *a) MUST_USE;

struct vault;
/* kek: 32 bytes, copied. Deriving needs gives ERR_ARGUMENT on another length. crypto and random are borrowed.
 */
enum err vault_new(struct vault **out, struct crypto *c, struct random_source random,
                   const struct secret *kek) MUST_USE;
void vault_free(struct vault **v);
/* Where its secrets lie, for a program that keeps them from being swapped out or dumped. */
struct view vault_memory(const struct vault *v);

/* The public key under which an operator's terminal encrypts keys for this vault (derived from the
 * key-encryption key, so the same on each node). */
void vault_import_key(const struct vault *v, uint8_t public_key[32]);
/* For the terminal: encrypts one key (used for ENC, MAC and DEK alike) or three, concatenated.
 * KEY_USE_DERIVE: one. KEY_USE_HOST: a PKCS#8 private key; KEY_USE_TRUST, KEY_USE_PEER: a
 * SubjectPublicKeyInfo. ERR_ARGUMENT when the length does not go with the attributes. */
enum err vault_wrap_for_import(struct crypto *c, struct random_source random, const uint8_t public_key[32],
                               const struct key_attributes *a, struct view keys, struct writer *out) MUST_USE;

/* Opens what vault_wrap_for_import made and seals it for the store. kcv: check values of ENC, MAC, DEK
 * (DERIVE: the first alone, the others zero; key pairs: the first bytes of SHA-256 over the public key, its
 * SubjectPublicKeyInfo). ERR_AUTH when it was not made for this vault and these attributes; ERR_ARGUMENT on a
 * wrong key length, or when a pair is not the one that the attributes say. */
enum err vault_import(struct vault *v, const struct key_attributes *a, struct view imported,
                      struct writer *sealed, uint8_t kcv[3][3]) MUST_USE;

/* A key as the store has it, and what it is believed to be. */
struct vault_key {
    struct key_attributes attributes;
    struct view sealed;
};

/* What a channel needs besides the card: only the members that its method uses. */
struct vault_keys {
    struct vault_key key;            /* SCP01, SCP02, SCP03: MASTER or CARD; SCP11a, SCP11c, F0: HOST */
    struct vault_key peer;           /* SCP11: TRUST; F0: PEER; name "": not used */
    enum kdf kdf;                    /* with MASTER */
    const struct view *certificates; /* SCP11a, SCP11c: of the host, the one that the card can verify first */
    size_t certificate_count;        /* at most CERTIFICATES_MAX */
    uint8_t ca_kvn, ca_kid;          /* SCP11a, SCP11c: PK.CA-KLOC on the card */
};

struct vault_begin {
    struct vault_keys keys;
    uint8_t scp, i, level, kvn, kid, session_key_len; /* struct channel_request */
    struct view aid;
    bool chained_p1;
    uint64_t now_ms;
    struct view session;
};
/* The opening of a method with key pairs, in which secrets are drawn: appends the commands, as a script, and
 * the sealed opening, which belongs to this session. Methods with card keys begin without a vault
 * (channel_begin): ERR_UNSUPPORTED. ERR_CONFLICT as in vault_open. */
enum err vault_begin(struct vault *v, const struct vault_begin *in, struct writer *script,
                     struct writer *sealed_opening) MUST_USE;

struct vault_open {
    struct vault_keys keys;
    struct view
        opening;    /* as vault_begin sealed it; or, of another method, as channel_opening_encode has it */
    uint8_t scp, i; /* what the front believes the opening to be: ERR_UNSUPPORTED when it is not */
    const struct view *answers; /* R-APDUs, one for each command of the opening */
    size_t answer_count;
    struct view session; /* name of the session: authenticated with the sealed channel */
};
/* Derives card keys and session keys and verifies the card's cryptogram, receipt or signature: ERR_AUTH when
 * it does not match, ERR_EXPIRED when a certificate of the card is not valid now, ERR_CONFLICT when a sealed
 * key is not the one that attributes name, or is not intact (so that the server's own trouble, another
 * key-encryption key for one, is never taken for a card's), ERR_POLICY when a key is for another use. Appends
 * the sealed channel, ready for EXTERNAL AUTHENTICATE or, where the method has none, for commands. */
enum err vault_open(struct vault *v, const struct vault_open *in, struct writer *sealed_channel) MUST_USE;

/* A place that is filled with derived data (plan.h), with the key that it names. */
struct vault_place {
    uint32_t command, offset, len; /* command counts the plain script's commands from 0 */
    struct key_attributes key;
    struct view sealed_key, label, context;
};

struct vault_script {
    struct view sealed_channel, session;
    struct view plain;                /* command script AA of plain commands; without EXTERNAL AUTHENTICATE */
    const struct vault_place *places; /* in the order of the script, not overlapping: else ERR_ARGUMENT */
    size_t place_count;               /* at most VAULT_PLACES_MAX */
    /* The card has no extended length: INSTALL, DELETE and PUT KEY that need it are cut once they are wrapped
     * (GPCS 2.3.1 11.1.5.1). Each stays one command and has one result, but has several parts and answers. */
    bool in_parts;
};
/* Signs (and encrypts, as the channel's level says) the whole script; a new channel's script gets EXTERNAL
 * AUTHENTICATE in front. Appends the signed script AA. Derived data only goes out encrypted: ERR_POLICY when
 * there are places and the level has no C-DECRYPTION. Calling it again with the same input gives the same
 * bytes. */
enum err vault_sign(struct vault *v, const struct vault_script *in, struct writer *signed_script) MUST_USE;

struct vault_result {
    uint16_t sw;
    bool proven;      /* a response MAC was verified */
    struct view data; /* plain, in the caller's storage */
};
struct vault_settlement {
    struct vault_result
        results[SCRIPT_COMMANDS_MAX]; /* of the plain commands; EXTERNAL AUTHENTICATE's is apart */
    size_t count;
    bool has_authentication;
    struct vault_result authentication;
    bool forged;                  /* a response MAC was due and wrong: results end before that answer */
    struct writer storage;        /* of the data */
    struct writer sealed_channel; /* after the commands that were answered; empty when the channel is dead */
};
/* Verifies the answers (response script AB) to what vault_sign made of the same input. ERR_FORMAT when there
 * are more answers than commands. On OK *out must go to vault_settlement_finish. */
enum err vault_settle(struct vault *v, const struct vault_script *in, struct view answers,
                      struct vault_settlement *out) MUST_USE;
void vault_settlement_finish(struct vault_settlement *s);

#endif
