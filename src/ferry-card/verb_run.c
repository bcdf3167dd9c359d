/* SPDX-License-Identifier: Apache-2.0
 *
 * ferry-card run: the card in its reader, until it is told to stop. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <base/log.h>

#include "nvm.h"
#include "transport.h"
#include "verbs.h"

struct run {
    const char *file;
    char host[256];
    struct transport transport;
    struct card_fault fault;
    bool t0, log, clock;
    struct nvm *nvm;
    struct card card;
};

static void log_line(void *ctx, enum log_level level, const char *line)
{
    (void)ctx;
    (void)level;
    fprintf(stderr, "%s\n", line);
}

static uint64_t log_now(void *ctx)
{
    struct timespec t;
    (void)ctx;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- options ---- */

/* HOST:PORT; the port stays in the argument, the host is copied. */
static bool read_vpcd(struct run *r, char *value)
{
    char *colon = strrchr(value, ':');
    int n = colon == NULL ? -1 : snprintf(r->host, sizeof r->host, "%.*s", (int)(colon - value), value);
    if (n <= 0 || (size_t)n >= sizeof r->host || colon[1] == '\0')
        return false;
    r->transport.host = r->host;
    r->transport.port = colon + 1;
    return true;
}

static bool read_count(const char *text, uint32_t *out, char **end)
{
    unsigned long n = strtoul(text, end, 10);
    if (*end == text || text[0] == '-' || n == 0 || n > UINT32_MAX / 2)
        return false;
    *out = (uint32_t)n;
    return true;
}

/* lie:NAME, and after how many true answers: lie:NAME:N */
static bool read_lie(struct card_fault *f, const char *value)
{
    char name[16], *end = NULL;
    const char *colon = strchr(value, ':');
    int len = colon != NULL ? (int)(colon - value) : (int)strlen(value);
    int n = snprintf(name, sizeof name, "%.*s", len, value);
    f->lie = n > 0 && (size_t)n < sizeof name ? card_lie_by_name(name) : LIE_NONE;
    return f->lie != LIE_NONE &&
           (colon == NULL || (read_count(colon + 1, &f->lie_after, &end) && *end == '\0'));
}

/* mute | slow:MS | tear:N | tear:N:before | tear:N:after | lie:... */
static bool read_fault(struct card_fault *f, const char *value)
{
    char *end = NULL;
    if (strcmp(value, "mute") == 0)
        return f->mute = true;
    if (strncmp(value, "slow:", 5) == 0)
        return read_count(value + 5, &f->slow_ms, &end) && *end == '\0';
    if (strncmp(value, "lie:", 4) == 0)
        return read_lie(f, value + 4);
    if (strncmp(value, "tear:", 5) != 0 || !read_count(value + 5, &f->tear_after, &end))
        return false;
    f->tear_before = strcmp(end, ":before") == 0;
    return f->tear_before || *end == '\0' || strcmp(end, ":after") == 0;
}

static int read_options(int argc, char **argv, struct run *r)
{
    static const struct option longs[] = {
        {"vpcd", required_argument, NULL, 'v'},  {"socket", required_argument, NULL, 's'},
        {"t0", no_argument, NULL, '0'},          {"t1", no_argument, NULL, '1'},
        {"log", no_argument, NULL, 'l'},         {"clock", no_argument, NULL, 'c'},
        {"fault", required_argument, NULL, 'f'}, {NULL, 0, NULL, 0}};
    for (int o; (o = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        bool ok = true;
        switch (o) {
        case 'v':
            ok = read_vpcd(r, optarg);
            break;
        case 's':
            r->transport.socket = optarg;
            break;
        case '0':
        case '1':
            r->t0 = o == '0';
            break;
        case 'l':
            r->log = true;
            break;
        case 'c':
            r->clock = true;
            break;
        case 'f':
            ok = read_fault(&r->fault, optarg);
            break;
        default:
            return EXIT_USAGE;
        }
        if (!ok)
            return verb_usage(optarg, "this value is not possible");
    }
    if (optind + 1 != argc)
        return verb_usage("run", "one FILE is needed");
    if ((r->transport.host != NULL) == (r->transport.socket != NULL))
        return verb_usage("run", "give one of --vpcd HOST:PORT, --socket PATH");
    r->file = argv[optind];
    return EXIT_DONE;
}

/* ---- store ---- */

static enum err commit(void *ctx, struct view records, bool sync)
{
    struct run *r = ctx;
    return r->fault.power_lost ? ERR_IO : nvm_append(r->nvm, records, sync);
}

/* Between commands, when much has been written that no longer counts. */
static enum err rewrite_when_long(void *ctx)
{
    struct run *r = ctx;
    enum err e = nvm_is_long(r->nvm) ? nvm_compact(r->nvm, &r->card.state) : OK;
    if (e != OK)
        LOG(LOG_WARNING, "card.memory", log_err(e));
    return OK;
}

static int serve(struct run *r)
{
    struct crypto *crypto = NULL;
    struct card_state *state = calloc(1, sizeof *state);
    const char *why = err_text(ERR_MEMORY);
    int status = EXIT_DONE;
    enum err e = state == NULL ? ERR_MEMORY : crypto_new(&crypto);
    if (e == OK)
        e = nvm_open(r->file, &r->nvm, state, &why);
    else
        why = err_text(e);
    if (e == OK) {
        card_init(&r->card, state, crypto, crypto_random(), (struct card_store){commit, r});
        r->card.t0 = r->t0;
        if (r->clock)
            r->card.clock.now_ms = log_now;
        r->transport.fault = &r->fault;
        r->transport.idle = rewrite_when_long;
        r->transport.idle_ctx = r;
        e = transport_run(&r->transport, &r->card);
        why = err_text(e);
        card_finish(&r->card);
    }
    if (e != OK)
        status = verb_fail(r->file, why);
    nvm_close(&r->nvm);
    crypto_free(&crypto);
    free(state);
    return status;
}

int verb_run(int argc, char **argv)
{
    struct run *r = calloc(1, sizeof *r);
    if (r == NULL)
        return verb_fail("run", err_text(ERR_MEMORY));
    int status = read_options(argc, argv, r);
    const struct log_target target = {log_line, log_now, NULL, r->log ? LOG_DEBUG : LOG_WARNING};
    log_set_target(&target);
    if (status == EXIT_DONE)
        status = serve(r);
    log_set_target(NULL);
    free(r);
    return status;
}
