/* SPDX-License-Identifier: Apache-2.0
 *
 * Two ways to do the same, measured in turn so that both see the same machine, as CPU time; what is told is
 * the median of the ratios of the rounds. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stddef.h>

/* One side: does its work once; false ends the program. */
typedef int work_fn(void *ctx);

enum { ROUNDS_DEFAULT = 15 };

struct measured {
    double ours_us, bare_us; /* medians, per work */
    double ratio;            /* median of bare / ours of each round: 1.00 is as fast as bare */
    size_t rounds;
};

/* Repeats each side so often that a round takes some 20 ms, rounds times in turn. */
struct measured measure(work_fn *ours, void *ours_ctx, work_fn *bare, void *bare_ctx, size_t rounds);
/* "name 0.83 (median of 15)   ours 67.1 us, bare 55.9 us" */
void print_measured(const char *name, const struct measured *m);

double cpu_us(void);
double wall_us(void);
double median(double *values, size_t count);

#endif
