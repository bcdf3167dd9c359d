/* SPDX-License-Identifier: Apache-2.0
 *
 * What tests of the store, and of what uses it, share: a folder of their own with files in it, and
 * change sets written at once.
 */
#ifndef STORE_TEST_SUPPORT_H
#define STORE_TEST_SUPPORT_H

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/store.h"

struct test_folder {
    char path[200], file[256];
};

/* A new folder below TMPDIR or /tmp, and the path of a database in it. */
static inline void test_folder_make(struct test_folder *f)
{
    const char *base = getenv("TMPDIR");
    snprintf(f->path, sizeof(f->path), "%s/cardferry-store-XXXXXX", base != NULL ? base : "/tmp");
    if (mkdtemp(f->path) == NULL)
        abort();
    snprintf(f->file, sizeof(f->file), "%s/store.db", f->path);
}

static inline void test_folder_remove_file(const struct test_folder *f)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        char name[300];
        snprintf(name, sizeof(name), "%s%s", f->file, ends[i]);
        unlink(name);
    }
}

static inline void test_folder_remove(const struct test_folder *f)
{
    test_folder_remove_file(f);
    rmdir(f->path);
}

static inline void test_write_file(const char *path, struct view v)
{
    FILE *f = fopen(path, "wb");
    if (f == NULL || fwrite(v.data, 1, v.len, f) != v.len || fclose(f) != 0) {
        perror(path);
        abort();
    }
}

/* Waits until completions can be dispatched, and dispatches them. */
static inline void test_dispatch(const struct store *s)
{
    struct pollfd p = {.fd = s->ops->event_fd(s->ctx), .events = POLLIN};
    if (poll(&p, 1, 60000) != 1)
        abort();
    s->ops->dispatch(s->ctx);
}

struct test_outcome {
    bool done;
    enum err e;
    size_t failed;
};

static inline void test_take_outcome(void *arg, enum err e, size_t failed)
{
    *(struct test_outcome *)arg = (struct test_outcome){true, e, failed};
}

/* Submits, waits, dispatches. */
static inline struct test_outcome test_apply(const struct store *s, const struct change *changes,
                                             size_t count)
{
    struct test_outcome o = {0};
    s->ops->submit(s->ctx, changes, count, test_take_outcome, &o);
    while (!o.done)
        test_dispatch(s);
    return o;
}

#endif
