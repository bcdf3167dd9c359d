/* SPDX-License-Identifier: Apache-2.0
 *
 * What a card holds against what it shall hold. */
#ifndef PLAN_DECIDE_H
#define PLAN_DECIDE_H

#include <plan/build.h>

/* Every imported package is there in a version that will do, as far as that is known. ERR_NOT_FOUND names the
 * first that is not. */
enum err decide_imports(const struct plan_input *in, struct plan_problem *why) MUST_USE;

/* The sequence loads no more than the card says it has free. What an old version would give back is not
 * counted: how much that is, no card tells. ERR_LIMIT with *why. */
enum err decide_memory(const struct plan_input *in, struct plan_problem *why) MUST_USE;

/* With holds known: what must go first. ERR_EXISTS when the card holds all that the sequence makes. */
struct removal {
    bool package;                          /* the package, with all that came from it */
    struct aid instances[CAP_APPLETS_MAX]; /* instances alone, where the sequence does not load */
    size_t count;
};
enum err decide_removal(struct removal *out, const struct plan_input *in, struct plan_problem *why) MUST_USE;

/* The application instances of the package that the card holds. */
bool holds_instance_of(const struct registry_entry *e, const struct cap *cap);
const struct registry_entry *holds_package(const struct registry *holds, const struct aid *aid);

#endif
