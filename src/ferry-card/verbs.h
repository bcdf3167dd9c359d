/* SPDX-License-Identifier: Apache-2.0
 *
 * The verbs of ferry-card. Each gets its own arguments (argv[0] is the program's name) and returns an exit
 * status: 0 done, 1 it did not work, 2 it was called wrongly. */
#ifndef FERRY_CARD_VERBS_H
#define FERRY_CARD_VERBS_H

#include <base/err.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

int verb_create(int argc, char **argv);
int verb_run(int argc, char **argv);
int verb_show(int argc, char **argv);
int verb_keys(int argc, char **argv);

/* "ferry-card: what: why" on standard error; returns EXIT_FAILED or EXIT_USAGE. */
int verb_fail(const char *what, const char *why);
int verb_usage(const char *what, const char *why);

#endif
