/* SPDX-License-Identifier: Apache-2.0
 *
 * The counters, and how they are told. */
#include "front/metrics.h"

#include <inttypes.h>
#include <stdio.h>

enum { STATUS_MAX = 600, LINE_MAX_BYTES = 200 };

static struct {
    uint64_t counters[METRIC_COUNT];
    uint64_t gauges[GAUGE_COUNT];
    uint64_t sessions[OUTCOME_COUNT];
    uint64_t http[STATUS_MAX];
} counted;

#define METRIC_ROW(id, name, help) [id] = {name, help},
static const struct {
    const char *name, *help;
} rows[METRIC_COUNT] = {METRIC_LIST(METRIC_ROW)}, gauge_rows[GAUGE_COUNT] = {GAUGE_LIST(METRIC_ROW)};

void metrics_add(enum metric m, uint64_t n)
{
    if ((size_t)m < METRIC_COUNT)
        counted.counters[m] += n;
}

void metrics_set(enum gauge g, uint64_t value)
{
    if ((size_t)g < GAUGE_COUNT)
        counted.gauges[g] = value;
}

void metrics_session(enum outcome o)
{
    if ((size_t)o < OUTCOME_COUNT)
        counted.sessions[o]++;
}

void metrics_http(int status)
{
    if (status >= 0 && status < STATUS_MAX)
        counted.http[status]++;
}

static void head_put(struct writer *out, const char *name, const char *type, const char *help)
{
    char line[2 * LINE_MAX_BYTES];
    snprintf(line, sizeof(line), "# HELP cardferry_%s %s\n# TYPE cardferry_%s %s\n", name, help, name, type);
    wr_view(out, view_str(line));
}

/* labels: "" or what stands between braces. */
static void value_put(struct writer *out, const char *name, const char *labels, uint64_t value)
{
    char line[LINE_MAX_BYTES];
    snprintf(line, sizeof(line), "cardferry_%s%s%s%s %" PRIu64 "\n", name, *labels ? "{" : "", labels,
             *labels ? "}" : "", value);
    wr_view(out, view_str(line));
}

static void store_put(struct writer *out, const struct store_stats *s)
{
    const struct {
        const char *name, *type, *help;
        uint64_t value;
    } store_rows[] = {
        {"store_commits_total", "counter", "transactions that became durable", s->commits},
        {"store_commits_failed_total", "counter", "transactions that were lost", s->commits_failed},
        {"store_sets_total", "counter", "change sets that were submitted", s->sets},
        {"store_sets_refused_total", "counter", "change sets that were refused", s->sets_refused},
        {"store_batch_max", "gauge", "most change sets in one transaction", s->batch_max},
        {"store_checkpoints_total", "counter", "checkpoints of the write-ahead log", s->checkpoints},
        {"store_restarts_total", "counter", "checkpoints by force, because the log was long", s->restarts},
        {"store_wal_pages", "gauge", "pages of the write-ahead log after the last commit", s->wal_pages},
    };
    for (size_t i = 0; i < sizeof(store_rows) / sizeof(store_rows[0]); i++) {
        head_put(out, store_rows[i].name, store_rows[i].type, store_rows[i].help);
        value_put(out, store_rows[i].name, "", store_rows[i].value);
    }
}

void metrics_put(struct writer *out, const struct store_stats *store)
{
    char label[64];
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        head_put(out, rows[i].name, "counter", rows[i].help);
        value_put(out, rows[i].name, "", counted.counters[i]);
    }
    for (size_t i = 0; i < GAUGE_COUNT; i++) {
        head_put(out, gauge_rows[i].name, "gauge", gauge_rows[i].help);
        value_put(out, gauge_rows[i].name, "", counted.gauges[i]);
    }
    head_put(out, "sessions_total", "counter", "sessions that have ended, by outcome");
    for (size_t i = 0; i < OUTCOME_COUNT; i++) {
        snprintf(label, sizeof(label), "outcome=\"%s\"", outcome_word((enum outcome)i));
        value_put(out, "sessions_total", label, counted.sessions[i]);
    }
    head_put(out, "http_requests_total", "counter", "requests that were answered, by status");
    for (size_t i = 0; i < STATUS_MAX; i++) {
        if (counted.http[i] == 0)
            continue;
        snprintf(label, sizeof(label), "status=\"%zu\"", i);
        value_put(out, "http_requests_total", label, counted.http[i]);
    }
    store_put(out, store);
}
