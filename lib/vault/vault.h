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

enum { KEK_LEN = 32, CARD_NUMBER_TEXT_MAX = 82, SEALED_KEY_MAX = 1024, SEALED_CHANNEL_MAX = CHANNEL_STATE_MAX + 128 };
/* Places of one script: as many as a sequence may have. */
enum { VAULT_PLACES_MAX = 64 };

enum key_use {
    KEY_USE_MASTER, /* card keys are derived from it, or it is the card key of every card of a type */
    KEY_USE_CARD,   /* the key of one card, imported */
    KEY_USE_DERIVE, /* card-specific data is derived from it */
    KEY_USE_COUNT
};
/* "master", "card", "derive". */
const char *key_use_name(enum key_use use);
enum err key_use_by_name(const char *name, enum key_use *out) MUST_USE;

/* What a sealed key is: authenticated with it, so that rows that were swapped or rolled back do not open. */
struct key_attributes {
    char name[NAME_MAX_BYTES + 1];
    uint32_t version; /* of ours, 1 and up: not the card's key version number */
    enum key_use use;
    enum key_type type;
    uint8_t key_len;                     /* bytes of one key */
    char card[CARD_NUMBER_TEXT_MAX + 1]; /* KEY_USE_CARD: the card's number; else "" */
};
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
 * KEY_USE_DERIVE: one. */
enum err vault_wrap_for_import(struct crypto *c, struct random_source random, const uint8_t public_key[32],
                               const struct key_attributes *a, const struct secret *keys,
                               struct writer *out) MUST_USE;

/* Opens what vault_wrap_for_import made and seals it for the store. kcv: check values of ENC, MAC, DEK
 * (DERIVE: the first alone, the others zero). ERR_AUTH when it was not made for this vault and these
 * attributes; ERR_ARGUMENT on a wrong key length. */
enum err vault_import(struct vault *v, const struct key_attributes *a, struct view imported,
                      struct writer *sealed, uint8_t kcv[3][3]) MUST_USE;

struct vault_open {
    struct key_attributes key; /* what the front believes the sealed key to be */
    struct view sealed_key;
    enum kdf kdf; /* ignored for KEY_USE_CARD */
    uint8_t scp, i, level;
    struct view host_challenge;
    struct view answer;  /* to INITIALIZE UPDATE, without the status word */
    struct view session; /* name of the session: authenticated with the sealed channel */
};
/* Derives card keys and session keys and verifies the card's cryptogram: ERR_AUTH when it does not match,
 * ERR_CONFLICT when the sealed key is not the one that attributes name, or is not intact (so that the
 * server's own trouble, another key-encryption key for one, is never taken for a card's). Appends the sealed
 * channel, ready for EXTERNAL AUTHENTICATE. */
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
