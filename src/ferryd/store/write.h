/* SPDX-License-Identifier: Apache-2.0
 *
 * The write side of the embedded store: change sets as copies that outlive the caller, and how each kind of
 * change is refused or carried out. */
#ifndef STORE_WRITE_H
#define STORE_WRITE_H

#include "store/db.h"

enum { REFUSALS_MAX = 4, STEPS_MAX = 3 };

/* A change set in one piece of memory: rows and blobs lie behind the changes. */
struct change_set {
    struct change_set *next;
    void (*done)(void *arg, enum err e, size_t failed);
    void *arg;
    enum err e;
    size_t failed, count, memory;
    struct change changes[];
};
/* ERR_MEMORY; ERR_ARGUMENT for a kind that is none or a row that is missing. *out must go to
 * change_set_free. */
enum err change_set_copy(struct change_set **out, const struct change *changes, size_t count) MUST_USE;
/* Wipes and frees. Accepts NULL. */
void change_set_free(struct change_set *s);

/* The prepared statements of every kind of change. */
struct write_statements {
    struct {
        struct statement refusals[REFUSALS_MAX], steps[STEPS_MAX];
    } kinds[CHANGE_COUNT];
};
enum err write_prepare(struct write_statements *w, sqlite3 *db) MUST_USE;
void write_finish(struct write_statements *w);
/* Carries out one change, or refuses it as store.h says; what it did is not undone on failure. */
enum err write_change(struct write_statements *w, const struct change *c) MUST_USE;

#endif
