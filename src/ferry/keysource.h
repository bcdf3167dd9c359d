/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys that a person has at hand: from a file, an environment variable or a prompt, never from an argument,
 * which everybody on the machine can see. A key that is not well-formed is refused with a sentence and never
 * replaced by another one. */
#ifndef FERRY_KEYSOURCE_H
#define FERRY_KEYSOURCE_H

#include <crypto/pk.h>
#include <gp/keys.h>

enum key_origin { KEY_FROM_NOWHERE, KEY_FROM_FILE, KEY_FROM_ENVIRONMENT, KEY_FROM_PROMPT, KEY_DEFAULT };

struct key_source {
    enum key_origin origin;
    const char *name; /* of the file or the variable; borrowed */
};

struct key_problem {
    char text[240]; /* a sentence that says what to do, without any digit of a key */
};

/* One key (used for ENC, MAC and DEK alike) or three, of 8 (single DES), 16, 24 or 32 bytes, all of one
 * length, in hexadecimal, with white space between them; lines that begin with # do not count. The type of
 * *out stays unset: the card's protocol says it. ERR_FORMAT with *why. */
enum err key_text_parse(struct view text, struct card_keys *out, struct key_problem *why) MUST_USE;

/* Reads and parses. what: the name of the key for the prompt ("card key"). KEY_DEFAULT gives the well-known
 * test key 40 41 ... 4F. ERR_NOT_FOUND, ERR_IO, ERR_LIMIT, ERR_FORMAT with *why. */
enum err key_source_read(const struct key_source *s, const char *what, struct card_keys *out,
                         struct key_problem *why) MUST_USE;

/* A key pair, public key or certificate in PEM (pk_from_pem). Go with *why as above. */
enum err key_pem_read(const char *path, struct pk **out, struct key_problem *why) MUST_USE;

/* A certificate as it goes to a card, appended: GlobalPlatform's (7F21) or X.509 in DER, as bytes, as
 * hexadecimal text, or as PEM. */
enum err key_certificate_read(const char *path, struct writer *out, struct key_problem *why) MUST_USE;

/* Asks at the terminal without showing what is typed, and appends the line. false without a terminal. */
bool terminal_ask(const char *prompt, struct writer *out);

/* Makes them keys of this type; KEY_DES3 becomes KEY_DES where they have 8 bytes. */
void card_keys_be(struct card_keys *keys, enum key_type type);

#endif
