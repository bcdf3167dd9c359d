/* SPDX-License-Identifier: Apache-2.0
 *
 * The options that all "ferry local" verbs share: which card, which security domain, which key, which
 * protection. They may also stand in a file (--options), one "name = value" a line. */
#ifndef FERRY_LOCAL_OPTIONS_H
#define FERRY_LOCAL_OPTIONS_H

#include <cap/cap.h>
#include <gp/channel.h>
#include <gp/weak.h>

#include "cli.h"
#include "keysource.h"

/* The rows of the tables of options. */
#define LOCAL_READER_OPTIONS                                                                                 \
    {"reader", "READER", "pcsc:<name> or sim:<socket>; default: the first reader with a card"},              \
        {"wait", "SECONDS", "wait so long for a card (default 0)"},                                          \
        {"isd", "AID", "AID of the card manager, where the card does not select it by itself"},              \
        {"options", "FILE", "more of these options, one \"name = value\" a line"},                           \
    {                                                                                                        \
        "verbose", NULL, "show each command on standard error; secrets are left out"                         \
    }

#define LOCAL_CARD_OPTIONS                                                                                   \
    LOCAL_READER_OPTIONS, {"domain", "AID", "authenticate to this security domain (default: the issuer's)"}, \
        {"key", "FILE", "card key: one, or ENC, MAC and DEK, in hexadecimal; - is standard input"},          \
        {"key-env", "NAME", "the same, in an environment variable"},                                         \
        {"key-prompt", NULL, "ask for the key, without showing it (the default at a terminal)"},             \
        {"default-key", NULL, "the test key that everybody knows, 40 41 ... 4F"},                            \
        {"kdf", "KDF", "derive the card's keys from the key: none (default), visa, visa2, emv or kdf3"},     \
        {"kvn", "HEX", "key version number (default: the card's choice)"},                                   \
        {"method", "METHOD", "such as SCP03:70 or SCP11a; default: what the card announces"},                \
        {"level", "HEX", "security level, such as 01, 03, 13 or 33 (default: the strongest of the card)"},   \
        {"allow-weak", "LIST", "weak choices to allow: des, scp01, scp02, rsa1024, sha1"},                   \
        {"oce-key", "FILE", "SCP11: the host's private key, PEM"},                                           \
        {"oce-cert", "FILE", "SCP11: certificate of the chain, the host's last; may be repeated"},           \
        {"ca-key", "FILE", "SCP11: public key that signed the card's certificate, PEM"},                     \
        {"ca-kvn", "HEX", "SCP11: version of the key on the card that signed the host's chain"},             \
        {"ca-kid", "HEX", "SCP11: its key identifier"},                                                      \
        {"kid", "HEX", "SCP11, F0: identifier of the card's key"},                                           \
        {"host-key", "FILE", "F0: the host's private key, PEM"},                                             \
    {                                                                                                        \
        "card-key", "FILE", "F0: the card's public key, PEM"                                                 \
    }

#define LOCAL_CHANGE_OPTIONS                                                                                 \
    LOCAL_CARD_OPTIONS,                                                                                      \
    {                                                                                                        \
        "dry-run", NULL, "show every command in words, send none that changes the card"                      \
    }

enum { CERTIFICATES_MAX = 8 };

struct local_options {
    const char *reader;
    int wait_ms;
    struct aid isd, domain;
    struct key_source key;
    enum kdf kdf;
    uint8_t kvn, kid, ca_kvn, ca_kid;
    char method[16]; /* "SCP03", "SCP11a"; "": what the card announces */
    int i;           /* -1: what the card announces */
    int level;       /* -1: the strongest */
    weak_set allowed;
    const char *oce_key, *ca_key, *host_key, *card_key, *certificates[CERTIFICATES_MAX];
    size_t certificate_count;
    bool dry_run, verbose;
};

/* Reads them from the command line. false, with a message, when one is wrong. */
bool local_options_read(struct local_options *out, const struct cli *cli);

/* Adds the options of a file to those of the command line, which win. text keeps what they point to.
 * problem: the line and what is wrong with it. */
enum err local_options_merge(struct cli *cli, struct writer *text, char *problem,
                             size_t problem_len) MUST_USE;

/* An option that is an AID of 5 to 16 bytes; absent: *out is empty. false with a message. */
bool option_aid(const struct cli *cli, const char *name, struct aid *out);
/* One byte in hexadecimal. */
bool option_byte(const struct cli *cli, const char *name, int fallback, int *out);

#endif
