/* links: cf_measure ferry_core tests_vcard */
/* SPDX-License-Identifier: Apache-2.0
 *
 * What a session costs the server, beside a bare TLS handshake at the same listener. Every session is a whole
 * one: a fresh virtual card, the real client, a connection of its own, four POSTs, a 24 KB application signed
 * and encrypted. Measured is the CPU time of all processes of the server, so that the ratio says how much of
 * the capacity for handshakes is left as capacity for sessions. Without arguments it starts a server of its
 * own (world/sessions.sh). */
#include <arpa/inet.h>
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "exchange.h"
#include "measure.h"
#include "vcard.h"

/* OpenSSL has a type by the name of one of our outcomes. */
#define ERR_STATE openssl_err_state
#include <openssl/ssl.h>
#undef ERR_STATE

enum { ROUNDS = 9, CLIENTS = 16, SESSIONS = 6, HANDSHAKES = 12, KEY_BYTE = 0x50, SERIALS = 250 };

static void die(const char *what)
{
    fprintf(stderr, "bench_sessions: %s\n", what);
    exit(1);
}

/* ---- the server's CPU time ---- */

/* Nanoseconds that one process has had, all its threads (proc(5): schedstat). */
static double process_ns(int pid)
{
    char path[64];
    double sum = 0;
    snprintf(path, sizeof(path), "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    if (tasks == NULL)
        return 0;
    for (struct dirent *task; (task = readdir(tasks)) != NULL;) {
        char stat[384];
        unsigned long long ns = 0;
        snprintf(stat, sizeof(stat), "%s/%s/schedstat", path, task->d_name);
        FILE *f = task->d_name[0] != '.' ? fopen(stat, "r") : NULL;
        if (f == NULL)
            continue;
        if (fscanf(f, "%llu", &ns) == 1)
            sum += (double)ns;
        fclose(f);
    }
    closedir(tasks);
    return sum;
}

static int parent_of(int pid)
{
    char path[64], line[256];
    int parent = -1;
    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    FILE *f = fopen(path, "r");
    if (f == NULL)
        return -1;
    while (fgets(line, sizeof(line), f) != NULL && sscanf(line, "PPid: %d", &parent) != 1)
        ;
    fclose(f);
    return parent;
}

/* The supervisor and its children, microseconds. */
static double server_us(int pid)
{
    double ns = process_ns(pid);
    DIR *processes = opendir("/proc");
    if (processes == NULL)
        die("no /proc");
    for (struct dirent *p; (p = readdir(processes)) != NULL;) {
        int child = atoi(p->d_name);
        if (child > 0 && parent_of(child) == pid)
            ns += process_ns(child);
    }
    closedir(processes);
    return ns / 1000;
}

/* ---- a session ---- */

static enum err card_transmit(void *ctx, struct view capdu, struct writer *rapdu)
{
    vcard_send(ctx, capdu, rapdu);
    return OK;
}

static enum err card_touch(void *ctx)
{
    (void)ctx;
    return OK;
}

static enum err card_wait(void *ctx, int timeout_ms)
{
    (void)ctx, (void)timeout_ms;
    return ERR_TIMEOUT;
}

static void card_close(void *ctx)
{
    (void)ctx;
}

static const struct reader_ops in_memory = {card_transmit, card_touch, card_wait, card_close};

/* One client of several: each has its own thread. */
struct world {
    pthread_t thread;
    void (*work)(struct world *);
    int times;
    struct crypto *crypto;
    const char *ca;
    struct ticket ticket;
    struct sockaddr_in address;
    SSL_CTX *tls;
    struct report report;
    size_t sessions;
};

static void session(struct world *w)
{
    struct vcard_options options = {.kind = "modern", .i = -1, .key = KEY_BYTE};
    struct remote_settings settings = {.ca = w->ca, .timeout_s = 30};
    struct card_reader reader = {.ops = &in_memory, .name = "memory"};
    struct remote *remote = NULL;
    struct vcard *card = NULL;
    struct run_end end = {.exit_code = -1};
    struct writer atr;
    options.serial = (uint8_t)(1 + w->sessions++ % SERIALS);
    if (vcard_new(&card, w->crypto, &options) != OK || remote_new(&remote, &settings) != OK)
        die("out of memory");
    vcard_reset(card);
    wr_fixed(&atr, reader.atr, sizeof(reader.atr));
    vcard_put_atr(card, &atr);
    reader.atr_len = atr.len;
    reader.ctx = card;
    exchange_run(remote, &reader, &w->ticket, &w->report, &end);
    if (end.exit_code != 0) {
        fprintf(stderr, "bench_sessions: session %zu: %s %s: %s\n", w->sessions, end.outcome, end.reason,
                end.detail);
        exit(1);
    }
    remote_free(&remote);
    vcard_free(&card);
}

/* ---- a bare handshake ---- */

static void handshake(struct world *w)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    SSL *ssl = SSL_new(w->tls);
    if (fd < 0 || ssl == NULL || connect(fd, (struct sockaddr *)&w->address, sizeof(w->address)) != 0)
        die("no connection");
    SSL_set_fd(ssl, fd);
    if (SSL_connect(ssl) != 1)
        die("no handshake");
    SSL_shutdown(ssl);
    SSL_free(ssl);
    close(fd);
}

static void world_open(struct world *w, const char *url, const char *ca)
{
    struct ticket_problem why;
    unsigned port = 0;
    *w = (struct world){.ca = ca, .address = {.sin_family = AF_INET}};
    if (crypto_new(&w->crypto) != OK || ticket_parse(&w->ticket, url, NULL, &why) != OK)
        die("the ticket is not good");
    const char *colon = strrchr(url, ':');
    if (colon == NULL || sscanf(colon, ":%u", &port) != 1)
        die("the ticket names no port");
    w->address.sin_port = htons((uint16_t)port);
    w->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    w->tls = SSL_CTX_new(TLS_client_method());
    if (w->tls == NULL || SSL_CTX_load_verify_locations(w->tls, ca, NULL) != 1)
        die("no TLS");
    SSL_CTX_set_verify(w->tls, SSL_VERIFY_PEER, NULL);
    FILE *nowhere = fopen("/dev/null", "w");
    if (nowhere == NULL)
        die("no /dev/null");
    report_init(&w->report, nowhere, false, true);
}

static void *client(void *ctx)
{
    struct world *w = ctx;
    for (int i = 0; i < w->times; i++)
        w->work(w);
    return NULL;
}

/* What work costs the server each time, with all clients at once, until it has come to rest. */
static double cost_us(struct world *all, int pid, void (*work)(struct world *), int times)
{
    usleep(50000);
    double start = server_us(pid);
    for (int i = 0; i < CLIENTS; i++) {
        all[i].work = work;
        all[i].times = times;
        if (pthread_create(&all[i].thread, NULL, client, &all[i]) != 0)
            die("no thread");
    }
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(all[i].thread, NULL);
    usleep(50000);
    return (server_us(pid) - start) / (times * CLIENTS);
}

static void compare(struct world *all, int pid)
{
    double ours[ROUNDS], bare[ROUNDS], ratios[ROUNDS];
    cost_us(all, pid, session, SESSIONS); /* warm */
    cost_us(all, pid, handshake, HANDSHAKES);
    for (int i = 0; i < ROUNDS; i++) {
        ours[i] = cost_us(all, pid, session, SESSIONS);
        bare[i] = cost_us(all, pid, handshake, HANDSHAKES);
        ratios[i] = bare[i] / ours[i];
    }
    double session_us = median(ours, ROUNDS), handshake_us = median(bare, ROUNDS);
    printf("# name ratio: the server's CPU time for a bare TLS handshake / for a whole session, in turn, %d "
           "clients\n",
           CLIENTS);
    printf("sessions %.2f (median of %d)   session %.0f us, handshake %.0f us: %.0f and %.0f a second and "
           "core\n",
           median(ratios, ROUNDS), ROUNDS, session_us, handshake_us, 1e6 / session_us, 1e6 / handshake_us);
}

int main(int argc, char **argv)
{
    static struct world all[CLIENTS];
    if (argc == 1) {
        execl(CF_BENCH "/world/sessions.sh", CF_BENCH "/world/sessions.sh", CF_BUILD, (char *)NULL);
        die("world/sessions.sh cannot be started");
    }
    if (argc != 4)
        die("usage: bench_sessions [URL CA PID]");
    for (int i = 0; i < CLIENTS; i++) {
        world_open(&all[i], argv[1], argv[2]);
        all[i].sessions = (size_t)i * SERIALS / CLIENTS; /* no two with the same card at the same time */
    }
    compare(all, atoi(argv[3]));
    for (int i = 0; i < CLIENTS; i++) {
        SSL_CTX_free(all[i].tls);
        crypto_free(&all[i].crypto);
    }
    return 0;
}
