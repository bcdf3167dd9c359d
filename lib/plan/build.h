/* SPDX-License-Identifier: Apache-2.0
 *
 * From the steps of a sequence to plain commands. */
#ifndef PLAN_BUILD_H
#define PLAN_BUILD_H

#include <plan/fill.h>

struct builder {
    struct plan *out;
    const struct cap *cap;
    struct card_data card;
    struct crypto *crypto;
    const struct registry *holds; /* NULL: not known */
    size_t block_size;
    struct plan_problem *why;
    struct writer scratch; /* data of the command that is being made; needs wr_free */
    bool loading, installing, personalizing;
};

void builder_init(struct builder *b, struct plan *out, const struct cap *cap, struct plan_problem *why);
void builder_finish(struct builder *b);
/* Appends one command. ERR_LIMIT when it does not fit into a block, or when there are too many. */
enum err build_put(struct builder *b, const struct apdu *a, struct position at) MUST_USE;
enum err build_get_status(struct builder *b, uint8_t subset) MUST_USE;
enum err build_delete(struct builder *b, const struct aid *aid, bool related) MUST_USE;
/* All lines of a sequence. */
enum err build_sequence(struct builder *b, struct view sequence) MUST_USE;
/* The instance that an install line makes: instance, or else module. */
enum err step_instance(const struct step *s, struct aid *out, struct plan_problem *why) MUST_USE;

#endif
