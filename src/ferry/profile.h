/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the server is and how to prove who asks: from a profile as 'ferryd init' writes it, overridden by
 * options. */
#ifndef FERRY_PROFILE_H
#define FERRY_PROFILE_H

#include <base/secret.h>

#include "cli.h"
#include "remote.h"

enum { PROFILE_VALUE_MAX = 1024, TOKEN_TEXT_MAX = 128 };

struct profile {
    char server[PROFILE_VALUE_MAX], ca[PROFILE_VALUE_MAX], token_file[PROFILE_VALUE_MAX];
    char certificate[PROFILE_VALUE_MAX], private_key[PROFILE_VALUE_MAX];
    uint8_t import_key[32];
    bool has_import_key;
};

/* From --profile, else $FERRY_PROFILE ("" for none), else $XDG_CONFIG_HOME/cardferry/ferry.conf (~/.config
 * where that is not set), else /etc/cardferry/ferry.conf; overridden by options. false, with a message on
 * stderr, when the named file can't be read or has a wrong line. Without any profile all is empty. */
bool profile_load(struct profile *out, const struct cli *cli);
/* The text of a profile: "key = value" lines, # comments. problem says the line. Pure. */
enum err profile_parse(struct profile *out, struct view text, char *problem, size_t problem_len) MUST_USE;
/* Reads the token from its file. false with a message. */
bool profile_token(const struct profile *p, struct secret *token);
/* Settings for remote_new; borrows from p. */
struct remote_settings profile_remote(const struct profile *p);

/* A file of at most max bytes ("-": standard input), appended. ERR_NOT_FOUND, ERR_LIMIT, ERR_IO. */
enum err read_file(const char *path, size_t max, struct writer *out) MUST_USE;

#endif
