/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line: a table of verbs, each with a table of options. Parsing, --help and the list in the
 * manual page come from the same tables. */
#ifndef FERRY_CLI_H
#define FERRY_CLI_H

#include <base/bytes.h>
#include <session/outcome.h>

/* A verb that did what was asked. The other exit codes are those of an outcome. */
enum { EXIT_OK = EXIT_CONFIRMED };

enum { OPTIONS_MAX = 64, POSITIONALS_MAX = 8 };

struct option_spec {
    const char *name; /* long name */
    const char *arg;  /* what it takes, e.g. "FILE"; NULL: nothing */
    const char *help;
};

struct cli;
struct verb {
    const char *name;                  /* "order add" */
    const char *args;                  /* "TICKET-OR-URL" */
    const char *summary;               /* one line */
    const struct option_spec *options; /* ended by a NULL name; NULL: none beyond the common ones */
    int min_args, max_args;
    int (*run)(const struct cli *cli);
};

struct cli {
    const struct verb *verb;
    const char *args[POSITIONALS_MAX];
    int arg_count;
    const char *names[OPTIONS_MAX], *values[OPTIONS_MAX]; /* options that were given */
    int option_count;
};

/* Finds the verb, parses, runs; prints help and errors itself. Returns the exit code. */
int cli_main(int argc, char **argv, const struct verb *const *verbs);

/* The option's value ("" for one without), or NULL when it was not given. */
const char *cli_option(const struct cli *cli, const char *name);
/* Every value of an option that may be repeated: the n-th, or NULL. */
const char *cli_option_nth(const struct cli *cli, const char *name, int n);
bool cli_flag(const struct cli *cli, const char *name);
/* A whole number in [min, max]: false, with a message on stderr, when it is not one. fallback when the option
 * is absent. */
bool cli_number(const struct cli *cli, const char *name, long min, long max, long fallback, long *out);
/* "ferry: <sentence>" on stderr. */
void cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
