/* SPDX-License-Identifier: Apache-2.0
 *
 * How the verbs say that something did not work. */
#include "verbs.h"

#include <stdio.h>

int verb_fail(const char *what, const char *why)
{
    fprintf(stderr, "ferry-card: %s: %s\n", what, why);
    return EXIT_FAILED;
}

int verb_usage(const char *what, const char *why)
{
    fprintf(stderr, "ferry-card: %s: %s (see ferry-card --help)\n", what, why);
    return EXIT_USAGE;
}
