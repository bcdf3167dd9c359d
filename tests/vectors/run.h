/* SPDX-License-Identifier: Apache-2.0
 *
 * What a checker is: a function that takes one vector, drives the code with its inputs and compares what
 * comes out with the vector's outputs. Nothing counts as checked that was not compared. */
#ifndef VECTORS_RUN_H
#define VECTORS_RUN_H

#include <base/bytes.h>
#include <crypto/crypto.h>
#include <support/vectors.h>

enum verdict {
    PASS,   /* compared, and all is the same */
    PARTLY, /* as far as it was compared it is the same; why says where it ended */
    FAIL,
    NO_CODE, /* there is no code for it; why may say what is missing */
    VERDICT_COUNT
};

struct run {
    struct crypto *crypto;
    const json_t *rows; /* all of the same file: keys are rows of their own */
    size_t compared;    /* values of this vector */
    char why[400];
};

typedef enum verdict checker(struct run *r, const json_t *row);

struct check {
    const char *side;   /* "crypto", "host", "card" */
    const char *prefix; /* of the id where the vectors have no type, else NULL */
    const char *type;   /* NULL: any without type */
    checker *check;
};

/* Each table ends with a row without checker. */
extern const struct check checks_crypto[], checks_host[], checks_host_scp11[], checks_kdf[], checks_card[],
    checks_card_scp11[], checks_card_content[], checks_both[], checks_gp[], checks_commands[],
    checks_tokens[], checks_quirks[];

/* Of the host, for its checkers. same_but_le: two commands. host_command: wraps. host_response: unwraps. */
struct channel;
struct apdu;
bool same_but_le(struct run *r, const char *what, struct view got, struct view want);
bool host_command(struct run *r, const char *what, struct channel *ch, const struct apdu *plain,
                  struct view want);
bool host_response(struct run *r, const char *what, struct channel *ch, struct view wire, struct view plain,
                   uint8_t level);

/* Compares and counts; on a difference says what and both values in why. */
bool same(struct run *r, const char *what, struct view got, struct view want);
bool same_number(struct run *r, const char *what, unsigned long got, unsigned long want);
/* Sets why. */
enum verdict verdict(struct run *r, enum verdict v, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* e must be OK: FAIL with its name otherwise. */
bool worked(struct run *r, const char *what, enum err e);

/* A session of scp0x.json, with the parts that both sides need. Views are empty where the source has nothing.
 */
struct session_vector {
    const json_t *row;
    uint8_t scp;
    uint8_t is[8]; /* every i that gives these bytes */
    size_t i_count;
    struct view enc, mac, dek;                  /* static keys */
    struct view s_enc, s_mac, s_rmac, s_dek;    /* session keys */
    struct view host_challenge, card_challenge; /* SCP02: without the sequence counter */
    struct view card_cryptogram, host_cryptogram, aid;
    struct view init_response; /* without status word */
    uint32_t sequence;
    bool has_sequence, challenge_from_sequence;
    struct view external; /* EXTERNAL AUTHENTICATE */
    int external_sw;      /* -1: not known */
    uint8_t level;
    const json_t *exchanges;
};

/* False when the vector is no session with explicit initiation. */
bool session_read(struct session_vector *out, const json_t *row);

#endif
