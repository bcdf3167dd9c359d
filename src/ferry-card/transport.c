/* SPDX-License-Identifier: Apache-2.0
 *
 * Sockets, frames, signals, and the faults that happen on the wire. */
#include "transport.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <base/log.h>

enum { RECONNECT_MS = 500, FRAME_DATA_MAX = 65535 };
enum { CONTROL_OFF = 0, CONTROL_ON = 1, CONTROL_RESET = 2, CONTROL_ATR = 4 };

static volatile sig_atomic_t stop_asked;
static sigset_t mask_while_waiting;

static void on_stop(int number)
{
    (void)number;
    stop_asked = 1;
}

/* SIGTERM and SIGINT come only while the card waits, so that they never cut a command in two. */
static enum err catch_signals(void)
{
    struct sigaction stop = {.sa_handler = on_stop}, ignore = {.sa_handler = SIG_IGN};
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGINT);
    stop_asked = 0;
    if (sigprocmask(SIG_BLOCK, &blocked, &mask_while_waiting) != 0 || sigaction(SIGTERM, &stop, NULL) != 0 ||
        sigaction(SIGINT, &stop, NULL) != 0 || sigaction(SIGPIPE, &ignore, NULL) != 0)
        return ERR_IO;
    sigdelset(&mask_while_waiting, SIGTERM);
    sigdelset(&mask_while_waiting, SIGINT);
    return OK;
}

/* Until fd is readable: OK, ERR_TIMEOUT, or ERR_CLOSED when a signal asks to stop. fd -1 only waits. */
static enum err wait_for(int fd, int timeout_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    struct timespec limit = {timeout_ms / 1000, timeout_ms % 1000 * 1000000L};
    for (;;) {
        if (stop_asked)
            return ERR_CLOSED;
        int n = ppoll(&p, fd >= 0 ? 1 : 0, timeout_ms >= 0 ? &limit : NULL, &mask_while_waiting);
        if (n > 0)
            return OK;
        if (n == 0)
            return ERR_TIMEOUT;
        if (errno != EINTR)
            return ERR_IO;
    }
}

/* vpcd sends a length and a message in two writes: without an immediate acknowledgement of the first, its
 * second one waits for the delayed one, some 40 ms. The option does not last, so it is set before each read.
 */
static void ask_quick_ack(int fd)
{
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

static enum err receive(int fd, bool tcp, uint8_t *out, size_t len)
{
    while (len != 0) {
        enum err e = wait_for(fd, -1);
        if (e != OK)
            return e;
        if (tcp)
            ask_quick_ack(fd);
        ssize_t n = recv(fd, out, len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ERR_IO;
        out += n;
        len -= (size_t)n;
    }
    return OK;
}

static enum err send_all(int fd, struct view v)
{
    while (v.len != 0) {
        ssize_t n = send(fd, v.data, v.len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ERR_IO;
        v = view_tail(v, (size_t)n);
    }
    return OK;
}

static enum err send_frame(int fd, struct view message)
{
    struct writer w;
    wr_heap(&w, FRAME_DATA_MAX + 2);
    wr_view16(&w, message);
    enum err e = wr_status(&w);
    if (e == OK)
        e = send_all(fd, wr_view_of(&w));
    wr_free(&w);
    return e;
}

/* ---- messages ---- */

static enum err on_control(int fd, struct card *card, uint8_t control)
{
    uint8_t memory[ATR_MAX];
    struct writer atr;
    switch (control) {
    case CONTROL_OFF:
    case CONTROL_ON:
    case CONTROL_RESET:
        card_reset(card);
        return OK;
    case CONTROL_ATR:
        wr_fixed(&atr, memory, sizeof memory);
        card_put_atr(card, &atr);
        return send_frame(fd, wr_view_of(&atr));
    default:
        return OK;
    }
}

/* Header, lengths and status word; never what is in a command. */
static void log_command(struct view command, struct view response)
{
    struct view head = view_head(command, 4),
                sw = view_tail(response, response.len >= 2 ? response.len - 2 : 0);
    LOG(LOG_DEBUG, "card.command", log_hex("header", head), log_u64("length", command.len),
        log_u64("response", response.len), log_hex("sw", sw));
}

static const char *const lie_names[LIE_COUNT] = {
    [LIE_MORE] = "more",   [LIE_AGAIN] = "again", [LIE_HUGE] = "huge",
    [LIE_SHORT] = "short", [LIE_EMPTY] = "empty", [LIE_NOISE] = "noise"};

enum card_lie card_lie_by_name(const char *name)
{
    for (int lie = LIE_NONE + 1; lie < LIE_COUNT; lie++) {
        if (strcmp(lie_names[lie], name) == 0)
            return (enum card_lie)lie;
    }
    return LIE_NONE;
}

/* Puts the lie in the place of the response. */
static void tell_lie(enum card_lie lie, struct writer *response)
{
    size_t len = response->len;
    wr_clear(response);
    switch (lie) {
    case LIE_MORE:
        wr_u16(response, 0x61FF);
        break;
    case LIE_AGAIN:
        wr_u16(response, 0x6CFF);
        break;
    case LIE_HUGE:
        (void)wr_reserve(response, FRAME_DATA_MAX - 2);
        wr_u16(response, SW_OK);
        break;
    case LIE_SHORT:
        wr_u8(response, 0x90);
        break;
    case LIE_NOISE:
        for (size_t n = 0; n < len; n++)
            wr_u8(response, (uint8_t)(n * 167 + 91));
        break;
    default: /* LIE_EMPTY: nothing */
        break;
    }
}

static bool lies_now(struct card_fault *f)
{
    if (f->lie == LIE_NONE)
        return false;
    if (f->lie_after == 0)
        return true;
    f->lie_after--;
    return false;
}

/* Is this the command with which the power fails? */
static bool power_fails(struct card_fault *f)
{
    return f->tear_after != 0 && --f->tear_after == 0;
}

static enum err on_command(const struct transport *t, int fd, struct card *card, struct view command,
                           struct writer *response)
{
    struct card_fault *f = t->fault;
    bool torn = power_fails(f);
    wr_clear(response);
    f->power_lost = torn && f->tear_before;
    card_process(card, command, response);
    f->power_lost = false;
    log_command(command, wr_view_of(response));
    if (torn)
        return ERR_CARD_GONE;
    if (card->dead)
        return ERR_INTERNAL;
    if (f->mute)
        return OK;
    if (lies_now(f))
        tell_lie(f->lie, response);
    if (f->slow_ms != 0) {
        enum err e = wait_for(-1, (int)f->slow_ms);
        if (e != ERR_TIMEOUT)
            return e;
    }
    return wr_ok(response) ? send_frame(fd, wr_view_of(response)) : ERR_INTERNAL;
}

/* One connection. ERR_CLOSED: stop; ERR_INTERNAL: the card is dead; anything else: the other side is gone. */
static enum err serve(const struct transport *t, int fd, struct card *card)
{
    bool tcp = t->host != NULL;
    static uint8_t message[FRAME_DATA_MAX];
    struct writer response;
    enum err e = OK;
    wr_heap(&response, RAPDU_MAX);
    card_reset(card);
    while (e == OK) {
        uint8_t head[2];
        e = receive(fd, tcp, head, sizeof head);
        struct reader r;
        rd_init(&r, VIEW_OF(head));
        size_t len = rd_u16(&r);
        if (e == OK)
            e = receive(fd, tcp, message, len);
        if (e != OK || len == 0)
            continue;
        e = len == 1 ? on_control(fd, card, message[0])
                     : on_command(t, fd, card, view_of(message, len), &response);
        if (e == OK && t->idle != NULL)
            e = t->idle(t->idle_ctx);
    }
    card_reset(card);
    wipe(message, sizeof message);
    wr_free(&response);
    return e;
}

/* ---- vpcd ---- */

static int connect_vpcd(const struct transport *t)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *all = NULL;
    int fd = -1;
    if (getaddrinfo(t->host, t->port, &hints, &all) != 0)
        return -1;
    for (struct addrinfo *a = all; a != NULL && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(all);
    int on = 1;
    if (fd >= 0)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static enum err run_vpcd(const struct transport *t, struct card *card)
{
    for (;;) {
        int fd = connect_vpcd(t);
        if (fd >= 0) {
            LOG(LOG_INFO, "card.connected", log_str("host", t->host), log_str("port", t->port));
            enum err e = serve(t, fd, card);
            close(fd);
            if (e == ERR_CLOSED || e == ERR_INTERNAL)
                return e == ERR_CLOSED ? OK : e;
            LOG(LOG_INFO, "card.disconnected", log_err(e));
        }
        if (wait_for(-1, RECONNECT_MS) == ERR_CLOSED)
            return OK;
    }
}

/* ---- local socket ---- */

/* A socket file that nobody listens on any more is removed; anything else is left alone. */
static enum err remove_stale(const struct sockaddr_un *address)
{
    struct stat st;
    if (lstat(address->sun_path, &st) != 0)
        return OK;
    if (!S_ISSOCK(st.st_mode))
        return ERR_EXISTS;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return ERR_IO;
    bool alive = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0;
    close(fd);
    if (alive)
        return ERR_EXISTS;
    return unlink(address->sun_path) == 0 ? OK : ERR_IO;
}

static enum err listen_on(const char *path, int *out)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int n = snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (n < 0 || (size_t)n >= sizeof address.sun_path)
        return ERR_ARGUMENT;
    enum err e = remove_stale(&address);
    if (e != OK)
        return e;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return ERR_IO;
    mode_t before = umask(0077); /* for the owner alone */
    bool ok = bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    umask(before);
    if (!ok || listen(fd, 4) != 0) {
        close(fd);
        return ERR_IO;
    }
    *out = fd;
    return OK;
}

static enum err run_socket(const struct transport *t, struct card *card)
{
    int listener = -1;
    enum err e = listen_on(t->socket, &listener);
    if (e != OK)
        return e;
    LOG(LOG_INFO, "card.listening", log_str("socket", t->socket));
    while (e != ERR_CLOSED && e != ERR_INTERNAL) {
        e = wait_for(listener, -1);
        if (e != OK)
            continue;
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        e = serve(t, fd, card);
        close(fd);
    }
    close(listener);
    unlink(t->socket);
    return e == ERR_CLOSED ? OK : e;
}

enum err transport_run(const struct transport *t, struct card *card)
{
    enum err e = catch_signals();
    if (e != OK)
        return e;
    return t->host != NULL ? run_vpcd(t, card) : run_socket(t, card);
}
