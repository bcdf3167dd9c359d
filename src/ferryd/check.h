/* SPDX-License-Identifier: Apache-2.0
 *
 * ferryd check: everything that would keep the server from starting, or from being as safe as it looks, told
 * at once. */
#ifndef CHECK_H
#define CHECK_H

#include "config.h"

/* Calls tell with a sentence for each thing that is wrong, and gives their number. */
unsigned check_config(const struct config *config, void (*tell)(void *arg, const char *sentence), void *arg);

#endif
