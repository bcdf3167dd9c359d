/* SPDX-License-Identifier: Apache-2.0
 *
 * Clocks, medians, and the loop that measures in turn. */
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS_MAX = 101 };

static const double round_us = 20000;

static double clock_us(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

double cpu_us(void)
{
    return clock_us(CLOCK_PROCESS_CPUTIME_ID);
}

double wall_us(void)
{
    return clock_us(CLOCK_MONOTONIC);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

double median(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), by_value);
    return values[count / 2];
}

/* Microseconds of CPU per work, over times repetitions. */
static double time_of(work_fn *work, void *ctx, size_t times)
{
    double start = cpu_us();
    for (size_t i = 0; i < times; i++) {
        if (!work(ctx)) {
            fprintf(stderr, "bench: the work failed\n");
            exit(1);
        }
    }
    return (cpu_us() - start) / (double)times;
}

static size_t repetitions(work_fn *work, void *ctx)
{
    time_of(work, ctx, 3); /* warm */
    double one = time_of(work, ctx, 5);
    return one >= round_us ? 1 : (size_t)(round_us / (one > 0.1 ? one : 0.1)) + 1;
}

struct measured measure(work_fn *ours, void *ours_ctx, work_fn *bare, void *bare_ctx, size_t rounds)
{
    static double a[ROUNDS_MAX], b[ROUNDS_MAX], ratios[ROUNDS_MAX];
    struct measured m = {.rounds = rounds <= ROUNDS_MAX ? rounds : ROUNDS_MAX};
    size_t times_a = repetitions(ours, ours_ctx), times_b = repetitions(bare, bare_ctx);
    for (size_t i = 0; i < m.rounds; i++) {
        a[i] = time_of(ours, ours_ctx, times_a);
        b[i] = time_of(bare, bare_ctx, times_b);
        ratios[i] = b[i] / a[i];
    }
    m.ours_us = median(a, m.rounds);
    m.bare_us = median(b, m.rounds);
    m.ratio = median(ratios, m.rounds);
    return m;
}

void print_measured(const char *name, const struct measured *m)
{
    printf("%s %.2f (median of %zu)   ours %.1f us, bare %.1f us\n", name, m->ratio, m->rounds, m->ours_us,
           m->bare_us);
}
