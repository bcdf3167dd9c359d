/* SPDX-License-Identifier: Apache-2.0
 *
 * ferry-card: a virtual GlobalPlatform card. A table of verbs, and the help. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "verbs.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} verbs[] = {
    {"create", verb_create,
     "create FILE (--keys FILE | --new-keys FILE | --master FILE --kdf none|visa|visa2|emv|kdf3 | "
     "--test-keys)\n"
     "         [--profile modern|classic|token|museum]\n"
     "         [--scp 01|02|03] [--i HEX] [--key-bits 64|128|192|256] [--kvn HEX]\n"
     "         [--java-card 2.2.2|3.0.5|3.1|3.2] [--memory BYTES] [--max-failures N]\n"
     "         [--count-openings] [--short-only] [--quirk NAME]... [--isd-aid HEX]\n"
     "         [--cplc HEX] [--serial HEX] [--kdd HEX] [--iin HEX] [--cin HEX] [--historical HEX]\n"
     "         [--host-keys DIR]\n"
     "         [--scp11 abc] [--scp11-curve P-256|P-384|P-521|brainpoolP256r1|...] [--scp11-kvn HEX]\n"
     "         [--scp11-form gp|x509] [--scp11-mac 8|16] [--scp11-group HEX] [--scp11-trust-b]\n"
     "         [--scp11-ca FILE] [--scp11-key FILE] [--scp11-card-ca FILE] [--scp11-certificates FILE]\n"
     "         [--signed 01|02|03|04|05] [--signed-kvn HEX] [--signed-server FILE] [--signed-key FILE]"},
    {"run", verb_run,
     "run FILE (--vpcd HOST:PORT | --socket PATH) [--t0 | --t1] [--log] [--clock]\n"
     "         [--fault mute|slow:MS|tear:N[:before|:after]|lie:more|again|huge|short|empty|noise[:N]]"},
    {"show", verb_show, "show FILE [--json]"},
    {"keys", verb_keys, "keys FILE [--kvn HEX] [--kid HEX] [--certificates]"}};
enum { VERB_COUNT = sizeof verbs / sizeof verbs[0] };

static void help(FILE *out)
{
    fprintf(out, "ferry-card, a virtual card. See ferry-card(1).\n\n");
    for (int n = 0; n < VERB_COUNT; n++)
        fprintf(out, "  ferry-card %s\n", verbs[n].help);
    fprintf(out, "  ferry-card --help | --version\n");
}

static bool is(const char *argument, const char *word)
{
    return strcmp(argument, word) == 0;
}

int main(int argc, char **argv)
{
    static char name[] = "ferry-card";
    const bool asked = argc >= 2 && (is(argv[1], "--help") || is(argv[1], "help"));
    if (asked || (argc >= 3 && is(argv[2], "--help"))) {
        help(stdout);
        return EXIT_DONE;
    }
    if (argc >= 2 && is(argv[1], "--version")) {
        puts("ferry-card " CF_VERSION);
        return EXIT_DONE;
    }
    for (int n = 0; argc >= 2 && n < VERB_COUNT; n++) {
        if (is(argv[1], verbs[n].name)) {
            argv[1] = name; /* what getopt calls us in its messages */
            return verbs[n].run(argc - 1, argv + 1);
        }
    }
    help(stderr);
    return EXIT_USAGE;
}
