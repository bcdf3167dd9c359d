/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands in words, for --dry-run and --verbose. What may hold a secret (keys, stored data, parameters of
 * applications) is told by its length alone. */
#ifndef FERRY_LOCAL_WORDS_H
#define FERRY_LOCAL_WORDS_H

#include <apdu/apdu.h>
#include <gp/command.h>

enum { COMMAND_WORDS_MAX = 400 };
struct command_words {
    char text[COMMAND_WORDS_MAX];
};
/* A plain command: "INSTALL [for load] package F000000001, into the card manager". */
struct command_words command_words(const struct apdu *plain);

struct privilege_words {
    char text[320];
};
/* "security domain, card reset"; "none". */
struct privilege_words privilege_words(struct privileges p);
/* Hexadecimal of one or three bytes, or names with commas between, such as "security-domain,card-reset".
 * ERR_FORMAT; ERR_ARGUMENT for bits that need others. */
enum err privileges_parse(const char *text, struct privileges *out) MUST_USE;

#endif
