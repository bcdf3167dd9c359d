/* SPDX-License-Identifier: Apache-2.0
 *
 * The first start: a folder with everything that a server and its first operator need. */
#ifndef INIT_H
#define INIT_H

#include "config.h"
#include "pki.h"

struct init_settings {
    const char *folder;               /* made when it is not there; must be empty */
    const char *listen;               /* NULL: the configuration's default */
    const char *names[PKI_NAMES_MAX]; /* beside localhost; the first becomes the host of public_url */
    size_t name_count;
};

enum { INIT_WHY_MAX = 600 };
/* ERR_EXISTS: the folder is not empty. why: a sentence whenever the result is not OK; then nothing of it is
 * left. */
enum err init_run(const struct init_settings *settings, char why[INIT_WHY_MAX]) MUST_USE;

#endif
