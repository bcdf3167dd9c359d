/* SPDX-License-Identifier: Apache-2.0
 *
 * Refusing a sequence or a plan: the outcome and its reason in words, in one step. */
#ifndef PLAN_PROBLEM_H
#define PLAN_PROBLEM_H

#include <plan/plan.h>

/* Gives e back. why may be NULL. */
enum err plan_refuse(struct plan_problem *why, enum err e, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Where in a sequence something stands; line 0: nowhere. */
struct position {
    unsigned line, column;
};
enum err plan_refuse_at(struct plan_problem *why, enum err e, struct position at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* A piece of text as something that can be shown: at most 39 bytes, strange ones as "?". */
struct plan_shown {
    char text[40];
};
struct plan_shown plan_shown(struct view v);

/* "F00000000A 1.0", or with the name of a well-known package in front. */
struct package_text {
    char text[88];
};
struct package_text package_text(const struct cap_package *p);

#endif
