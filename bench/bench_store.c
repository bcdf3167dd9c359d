/* links: ferryd_core */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Group commit beside one transaction per write: 64 submitters who each wait for their own write to be
 * durable before they submit the next. Both sides write the same rows, with synchronous=FULL; the direct side
 * is the same store that commits one change set at a time. Interleaved, median of the rounds, by wall clock:
 * what is compared is waiting for the disk. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/sqlite.h"
#include "store/test_support.h"

enum { SUBMITTERS = 64, WRITES = 4000, ROUNDS = 5 };

struct run {
    struct store store;
    struct submitter {
        struct run *run;
        char card[16];
    } submitters[SUBMITTERS];
    unsigned left, waiting;
};

static void submit_next(struct submitter *s);

static void on_done(void *arg, enum err e, size_t failed)
{
    struct submitter *s = arg;
    (void)failed;
    if (e != OK) {
        fprintf(stderr, "a write failed: %s\n", err_text(e));
        exit(1);
    }
    s->run->waiting--;
    submit_next(s);
}

/* What the dialogue writes at each POST: a ledger entry, and an audit row that stands for the session. */
static void submit_next(struct submitter *s)
{
    struct run *r = s->run;
    if (r->left == 0)
        return;
    r->left--;
    r->waiting++;
    struct ledger_row ledger = {.kvn = 0x30};
    struct audit_row audit = {.time_ms = 1, .who = "session", .what = "session.step", .detail = "identify"};
    snprintf(ledger.card, sizeof(ledger.card), "%s", s->card);
    snprintf(audit.object, sizeof(audit.object), "%s", s->card);
    struct change set[] = {{.kind = LEDGER_OPENING, .row.ledger = &ledger, .limit = WRITES},
                           {.kind = AUDIT_ADD, .row.audit = &audit}};
    r->store.ops->submit(r->store.ctx, set, 2, on_done, s);
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Durable writes per second. */
static double measure(unsigned batch_sets)
{
    static struct run r;
    struct test_folder f;
    struct sqlite_limits limits = sqlite_limits_default;
    limits.batch_sets = batch_sets;
    memset(&r, 0, sizeof(r));
    test_folder_make(&f);
    if (store_open_sqlite_limits(&r.store, f.file, &limits) != OK)
        exit(1);
    r.left = WRITES;
    double start = now_s();
    for (size_t i = 0; i < SUBMITTERS; i++) {
        r.submitters[i].run = &r;
        snprintf(r.submitters[i].card, sizeof(r.submitters[i].card), "card-%zu", i);
        submit_next(&r.submitters[i]);
    }
    while (r.waiting > 0)
        test_dispatch(&r.store);
    double seconds = now_s() - start;
    r.store.ops->close(r.store.ctx);
    test_folder_remove(&f);
    return WRITES / seconds;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof(values[0]), by_value);
    return values[ROUNDS / 2];
}

int main(void)
{
    double direct[ROUNDS], grouped[ROUNDS], ratios[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        direct[i] = measure(1);
        grouped[i] = measure(sqlite_limits_default.batch_sets);
        ratios[i] = grouped[i] / direct[i];
    }
    printf("# name ratio: change sets a second committed together / committed one by one, in turn; %d "
           "submitters,\n"
           "# synchronous=FULL; more is better\n"
           "store_commit %.2f (median of %d)   together %.0f/s, one by one %.0f/s\n",
           SUBMITTERS, median(ratios), ROUNDS, median(grouped), median(direct));
    return 0;
}
