/* SPDX-License-Identifier: Apache-2.0
 *
 * Refusing a CAP file: the outcome and its reason in words, in one step. */
#ifndef CAP_PROBLEM_H
#define CAP_PROBLEM_H

#include <cap/cap.h>

/* Gives e back. why may be NULL. */
enum err cap_refuse(struct cap_problem *why, enum err e, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A foreign name as something that can be shown: at most 63 bytes, strange ones as "?". */
struct shown {
    char text[64];
};
struct shown cap_shown(struct view name);

#endif
