/* SPDX-License-Identifier: Apache-2.0
 *
 * From the steps of a sequence to plain commands. */
#ifndef PLAN_BUILD_H
#define PLAN_BUILD_H

#include <gp/dap.h>
#include <plan/fill.h>

struct builder {
    struct plan *out;
    const struct cap *cap;
    struct card_data card;
    struct crypto *crypto;
    const struct registry *holds; /* NULL: not known */
    size_t block_size;
    struct plan_problem *why;
    struct writer scratch;   /* data of the command that is being made; needs wr_free */
    bool extended;           /* the card takes extended length */
    bool whole_commands;     /* plan.h */
    size_t command_data_max; /* what the card says, 0: nothing */
    struct capabilities capabilities;
    bool loading, installing, personalizing;
    struct step daps[DAP_BLOCKS_MAX]; /* lines that wait for the load line */
    size_t dap_count;
};

void builder_init(struct builder *b, struct plan *out, const struct cap *cap, struct plan_problem *why);
void builder_finish(struct builder *b);
/* Appends one command. INSTALL, DELETE and PUT KEY that are too long for a block go with extended length, or
 * as a chain; ERR_LIMIT for others, and when there are too many. */
enum err build_put(struct builder *b, const struct apdu *a, struct position at) MUST_USE;
enum err build_get_status(struct builder *b, uint8_t subset) MUST_USE;
enum err build_delete(struct builder *b, const struct aid *aid, bool related) MUST_USE;
/* All lines of a sequence. */
enum err build_sequence(struct builder *b, struct view sequence) MUST_USE;
/* A whole load file as LOAD commands (11.6): in short blocks, or with extended length where 256 of these are
 * not enough and the card takes it. ERR_LIMIT with the reason. */
enum err build_load_file(struct builder *b, struct view file, struct position at) MUST_USE;
/* A derived place of the next command, at this offset of its data. */
enum err build_note_place(struct builder *b, const struct derive_place *found, size_t offset,
                          struct position at) MUST_USE;
/* One line each; build.c has the table. */
enum err build_dap(struct builder *b, const struct step *s) MUST_USE;
enum err build_load(struct builder *b, const struct step *s) MUST_USE;
enum err build_install(struct builder *b, const struct step *s) MUST_USE;
enum err build_make_selectable(struct builder *b, const struct step *s) MUST_USE;
enum err build_personalize(struct builder *b, const struct step *s) MUST_USE;
enum err build_store(struct builder *b, const struct step *s) MUST_USE;
enum err build_extradite(struct builder *b, const struct step *s) MUST_USE;
enum err build_registry_update(struct builder *b, const struct step *s) MUST_USE;
enum err build_create_domain(struct builder *b, const struct step *s) MUST_USE;
enum err build_put_key(struct builder *b, const struct step *s) MUST_USE;
enum err build_set_status(struct builder *b, const struct step *s) MUST_USE;

/* What the words of several lines have in common. */
enum { WORD_BYTES_MAX = 1024 };
struct word_bytes {
    uint8_t data[WORD_BYTES_MAX];
    size_t len;
};
/* Bytes without places; empty when the word is not given. */
enum err word_bytes(struct builder *b, const struct step *s, enum word word, struct word_bytes *out) MUST_USE;
struct view word_view(const struct word_bytes *w);
/* 1 or 3 bytes of privileges that go together; none when the word is not given. */
enum err word_privileges(struct builder *b, const struct step *s, struct privileges *out) MUST_USE;
/* The command failed to be made: in words. */
enum err build_refuse(struct builder *b, enum err e, struct position at, const char *name) MUST_USE;
enum err build_refuse_memory(struct builder *b) MUST_USE;

/* The instance that an install line makes: instance, or else module. */
enum err step_instance(const struct step *s, struct aid *out, struct plan_problem *why) MUST_USE;

#endif
