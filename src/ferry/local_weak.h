/* SPDX-License-Identifier: Apache-2.0
 *
 * Weak choices: what they are called, why they are weak, and which of them a person has allowed. A set is a
 * number with a bit for each. */
#ifndef FERRY_LOCAL_WEAK_H
#define FERRY_LOCAL_WEAK_H

#include <gp/channel.h>

enum weak { WEAK_DES, WEAK_SCP01, WEAK_SCP02, WEAK_RSA_1024, WEAK_SHA1, WEAK_COUNT };

unsigned weak_bit(unsigned w);
/* "des", ...; a sentence that says why. */
const char *weak_name(unsigned w);
const char *weak_text(unsigned w);
/* What is weak about a method. */
unsigned weak_method(const struct channel_method *m);
/* Names with commas between. ERR_FORMAT when one is none. */
enum err weak_set_parse(const char *text, unsigned *out) MUST_USE;

#endif
