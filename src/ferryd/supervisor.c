/* SPDX-License-Identifier: Apache-2.0
 *
 * One keeper and one front make a pair. When one of them dies the other is of no use: the front's sealed
 * channels are in the store, and a new pair goes on with them. So the pair is the unit that is started,
 * stopped and replaced. */
#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "confine.h"
#include "notify.h"
#include <base/log.h>

enum {
    GRACE_MS = 15000,   /* for an orderly stop, more than the front takes at most; then SIGKILL */
    PAUSE_MIN_MS = 200, /* before a new pair, doubled each time */
    PAUSE_MAX_MS = 30000,
    HEALTHY_MS = 60000, /* a pair that lived so long starts the pauses anew */
    FIRST_FREE_FD = 10  /* above every fixed descriptor */
};

struct child {
    const char *role;
    pid_t pid; /* 0: not running */
    int status;
    int control; /* -1: closed */
};

struct pair {
    struct child keeper, front;
    int front_end; /* of the socket between them, until the front is started; -1 */
    bool killed;
    uint64_t started_ms, deadline_ms; /* deadline 0: none */
};

struct supervisor {
    const char *config_path;
    int signals;
    bool was_ready, asked;
    unsigned pause_ms;
};

static uint64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* --- starting --- */

/* In the child: exactly 0, 1, 2 and the given descriptors stay open. Ends in the new program or not at all.
 */
static void become_role(const char *role, const char *config_path, int peer, int control)
{
    char title[32];
    sigset_t none;
    snprintf(title, sizeof(title), "ferryd: %s", role);
    char *argv[] = {
        title, (char *)"--role", (char *)(uintptr_t)role, (char *)"-c", (char *)(uintptr_t)config_path, NULL};

    /* Ctrl-C and a stop of the whole control group reach every process; the order of stopping is ours alone.
     */
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    peer = fcntl(peer, F_DUPFD, FIRST_FREE_FD);
    control = fcntl(control, F_DUPFD, FIRST_FREE_FD);
    if (peer >= 0 && control >= 0 && dup2(peer, ROLE_FD_PEER) >= 0 && dup2(control, ROLE_FD_CONTROL) >= 0) {
        confine_close_from(ROLE_FD_CONTROL + 1);
        execv("/proc/self/exe", argv);
    }
    _exit(EXIT_FAILED);
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static bool start_child(struct child *child, const char *config_path, int peer)
{
    int control[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control) != 0)
        return false;
    pid_t pid = fork();
    if (pid == 0)
        become_role(child->role, config_path, peer, control[1]);
    close_fd(&control[1]);
    if (pid < 0)
        close_fd(&control[0]);
    child->control = control[0];
    child->pid = pid > 0 ? pid : 0;
    return pid > 0;
}

/* The keeper comes first; the front is started when the keeper is confined and serves. */
static bool start_keeper(struct supervisor *s, struct pair *pair)
{
    int between[2];
    *pair = (struct pair){.keeper = {.role = "keeper", .control = -1},
                          .front = {.role = "front", .control = -1},
                          .front_end = -1,
                          .started_ms = monotonic_ms()};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, between) != 0)
        return false;
    bool good = start_child(&pair->keeper, s->config_path, between[0]);
    close_fd(&between[0]);
    pair->front_end = between[1];
    return good;
}

static bool start_front(struct supervisor *s, struct pair *pair)
{
    bool good = start_child(&pair->front, s->config_path, pair->front_end);
    close_fd(&pair->front_end);
    return good;
}

/* --- stopping --- */

/* The front sees the end of its control socket; when it is gone, the keeper sees the end of its own. */
static void stop_pair(struct pair *pair)
{
    close_fd(&pair->front.control);
    close_fd(&pair->front_end);
    if (pair->deadline_ms == 0)
        pair->deadline_ms = monotonic_ms() + GRACE_MS;
}

static void kill_late(struct pair *pair)
{
    struct child *children[] = {&pair->front, &pair->keeper};
    if (pair->deadline_ms == 0 || pair->killed || monotonic_ms() < pair->deadline_ms)
        return;
    pair->killed = true;
    for (size_t i = 0; i < 2; i++) {
        if (children[i]->pid == 0)
            continue;
        LOG(LOG_ERROR, "supervisor.killed", log_str("role", children[i]->role));
        kill(children[i]->pid, SIGKILL);
    }
}

static void note_end(struct child *child, int status)
{
    bool good = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_GOOD;
    child->status = status;
    child->pid = 0;
    if (WIFSIGNALED(status))
        LOG(LOG_ERROR, "supervisor.ended", log_str("role", child->role),
            log_u64("signal", (uint64_t)WTERMSIG(status)),
            log_str("why", WTERMSIG(status) == SIGSYS ? "confinement" : "crash"));
    else
        LOG(good ? LOG_INFO : LOG_ERROR, "supervisor.ended", log_str("role", child->role),
            log_u64("status", (uint64_t)WEXITSTATUS(status)));
}

static void reap(struct pair *pair)
{
    struct child *children[] = {&pair->front, &pair->keeper};
    int status;
    for (size_t i = 0; i < 2; i++) {
        if (children[i]->pid == 0 || waitpid(children[i]->pid, &status, WNOHANG) <= 0)
            continue;
        note_end(children[i], status);
        stop_pair(pair);
    }
}

/* --- one pair's life --- */

static void take_signal(struct supervisor *s, struct pair *pair)
{
    struct signalfd_siginfo info;
    if (read(s->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
        return;
    if (info.ssi_signo == SIGCHLD || s->asked)
        return;
    s->asked = true;
    LOG(LOG_INFO, "supervisor.stopping", log_u64("signal", info.ssi_signo));
    notify_send("STOPPING=1");
    if (pair != NULL)
        stop_pair(pair);
}

/* True when a role has said R. The end of its socket will be a SIGCHLD soon. */
static bool said_ready(struct child *child)
{
    char byte = 0;
    if (read(child->control, &byte, 1) == 1 && byte == 'R')
        return true;
    close_fd(&child->control);
    return false;
}

static void keeper_ready(struct supervisor *s, struct pair *pair)
{
    if (s->asked || pair->deadline_ms != 0)
        return;
    if (!start_front(s, pair)) {
        LOG(LOG_ERROR, "supervisor.start_failed", log_str("why", strerror(errno)));
        stop_pair(pair);
    }
}

static void front_ready(struct supervisor *s, const struct pair *pair)
{
    s->was_ready = true;
    LOG(LOG_INFO, "supervisor.ready", log_u64("took_ms", monotonic_ms() - pair->started_ms));
    notify_send("READY=1");
}

static int time_left(const struct pair *pair)
{
    if (pair->deadline_ms == 0 || pair->killed)
        return -1;
    uint64_t now = monotonic_ms();
    return now >= pair->deadline_ms ? 0 : (int)(pair->deadline_ms - now);
}

static void live(struct supervisor *s, struct pair *pair)
{
    while (pair->keeper.pid != 0 || pair->front.pid != 0) {
        struct pollfd fds[] = {
            {s->signals, POLLIN, 0}, {pair->keeper.control, POLLIN, 0}, {pair->front.control, POLLIN, 0}};
        (void)poll(fds, sizeof(fds) / sizeof(fds[0]), time_left(pair));
        if (fds[0].revents != 0)
            take_signal(s, pair);
        if (fds[1].revents != 0 && said_ready(&pair->keeper))
            keeper_ready(s, pair);
        if (fds[2].revents != 0 && pair->front.control >= 0 && said_ready(&pair->front))
            front_ready(s, pair);
        reap(pair);
        kill_late(pair);
    }
    stop_pair(pair);
    close_fd(&pair->keeper.control);
}

static bool ended_well(const struct child *child)
{
    return WIFEXITED(child->status) && WEXITSTATUS(child->status) == EXIT_GOOD;
}

static bool config_bad(const struct child *child)
{
    return WIFEXITED(child->status) && WEXITSTATUS(child->status) == EXIT_CONFIG_BAD;
}

/* Waits before the next start; a signal ends it. */
static void pause_before_next(struct supervisor *s, const struct pair *pair)
{
    if (monotonic_ms() - pair->started_ms >= HEALTHY_MS)
        s->pause_ms = PAUSE_MIN_MS;
    LOG(LOG_WARNING, "supervisor.restart", log_u64("pause_ms", s->pause_ms));
    uint64_t until = monotonic_ms() + s->pause_ms;
    for (uint64_t now = monotonic_ms(); now < until && !s->asked; now = monotonic_ms()) {
        struct pollfd signals = {s->signals, POLLIN, 0};
        if (poll(&signals, 1, (int)(until - now)) > 0)
            take_signal(s, NULL);
    }
    s->pause_ms = s->pause_ms * 2 < PAUSE_MAX_MS ? s->pause_ms * 2 : PAUSE_MAX_MS;
}

static int supervise(struct supervisor *s)
{
    for (;;) {
        struct pair pair;
        if (!start_keeper(s, &pair))
            LOG(LOG_ERROR, "supervisor.start_failed", log_str("why", strerror(errno)));
        live(s, &pair);
        if (config_bad(&pair.keeper) || config_bad(&pair.front))
            return EXIT_CONFIG_BAD;
        if (s->asked)
            return ended_well(&pair.front) && ended_well(&pair.keeper) ? EXIT_GOOD : EXIT_FAILED;
        if (!s->was_ready)
            return EXIT_FAILED;
        pause_before_next(s, &pair);
        if (s->asked)
            return EXIT_GOOD;
    }
}

int supervisor_run(const char *config_path)
{
    struct supervisor s = {.config_path = config_path, .pause_ms = PAUSE_MIN_MS};
    sigset_t waited;
    sigemptyset(&waited);
    sigaddset(&waited, SIGTERM);
    sigaddset(&waited, SIGINT);
    sigaddset(&waited, SIGCHLD);
    if (sigprocmask(SIG_BLOCK, &waited, NULL) != 0)
        return EXIT_FAILED;
    s.signals = signalfd(-1, &waited, SFD_CLOEXEC);
    if (s.signals < 0)
        return EXIT_FAILED;
    int code = supervise(&s);
    close(s.signals);
    return code;
}
