/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands made and run in one step, for verbs that need no more than a plan. */
#ifndef FERRY_LOCAL_PLAN_H
#define FERRY_LOCAL_PLAN_H

#include <plan/build.h>

#include "local.h"

/* Makes the commands; the builder's problem is told when it fails. */
typedef enum err local_make(struct builder *b, void *arg);
/* Makes them for the open channel, and gives them to local_execute. */
int local_run(struct local *l, local_make *make, void *arg);

/* Appends a command that may be too long for one: as a chain (command_segment). */
enum err local_put_long(struct builder *b, const struct apdu *whole) MUST_USE;

#endif
