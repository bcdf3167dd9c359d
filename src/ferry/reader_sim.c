/* SPDX-License-Identifier: Apache-2.0
 *
 * The virtual card's local socket, without PC/SC: the framing of vpcd, with this side as the reader. Two
 * bytes of length, then a command, or one byte of control: 00 power off, 01 power on, 02 reset, 04 tell the
 * ATR. */
#include "reader.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { CONTROL_POWER_OFF = 0, CONTROL_POWER_ON = 1, CONTROL_ATR = 4 };
enum { ANSWER_TIMEOUT_MS = 60000, POLL_MS = 100, FRAME_MAX = 65535 };

struct sim {
    int fd;
    uint8_t frame[2 + FRAME_MAX];
};

static enum err send_all(int fd, struct view v)
{
    while (v.len > 0) {
        ssize_t n = send(fd, v.data, v.len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ERR_CARD_GONE;
        v = view_tail(v, (size_t)n);
    }
    return OK;
}

static enum err receive_all(int fd, uint8_t *out, size_t len)
{
    while (len > 0) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int ready = poll(&p, 1, ANSWER_TIMEOUT_MS);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready == 0)
            return ERR_TIMEOUT;
        ssize_t n = recv(fd, out, len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ERR_CARD_GONE;
        out += n;
        len -= (size_t)n;
    }
    return OK;
}

static enum err send_frame(struct sim *s, struct view payload)
{
    struct writer w;
    wr_fixed(&w, s->frame, sizeof(s->frame));
    wr_view16(&w, payload);
    enum err e = wr_status(&w);
    return e != OK ? e : send_all(s->fd, wr_view_of(&w));
}

static enum err receive_frame(struct sim *s, struct view *payload)
{
    struct reader r;
    enum err e = receive_all(s->fd, s->frame, 2);
    if (e != OK)
        return e;
    rd_init(&r, view_of(s->frame, 2));
    size_t len = rd_u16(&r);
    e = receive_all(s->fd, s->frame + 2, len);
    if (e == OK)
        *payload = view_of(s->frame + 2, len);
    return e;
}

static enum err transmit(void *ctx, struct view capdu, struct writer *rapdu)
{
    struct sim *s = ctx;
    struct view answer;
    enum err e = send_frame(s, capdu);
    if (e == OK)
        e = receive_frame(s, &answer);
    if (e == OK)
        wr_view(rapdu, answer);
    return e;
}

static enum err control(struct sim *s, uint8_t what)
{
    return send_frame(s, view_of(&what, 1));
}

static enum err touch(void *ctx)
{
    (void)ctx; /* a socket does not fall asleep */
    return OK;
}

static enum err wait_gone(void *ctx, int timeout_ms)
{
    struct sim *s = ctx;
    uint8_t byte;
    struct pollfd p = {.fd = s->fd, .events = POLLIN};
    /* Nothing yet, or a signal: the caller decides whether to go on waiting. */
    if (poll(&p, 1, timeout_ms) <= 0)
        return ERR_TIMEOUT;
    return recv(s->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0 ? OK : ERR_IO;
}

static void close_card(void *ctx)
{
    struct sim *s = ctx;
    if (control(s, CONTROL_POWER_OFF) == OK)
        shutdown(s->fd, SHUT_WR);
    close(s->fd);
    explicit_bzero(s->frame, sizeof(s->frame));
    free(s);
}

static const struct reader_ops ops = {transmit, touch, wait_gone, close_card};

static int connect_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

static enum err power_on(struct sim *s, struct card_reader *r)
{
    struct view atr;
    enum err e = control(s, CONTROL_POWER_ON);
    if (e == OK)
        e = control(s, CONTROL_ATR);
    if (e == OK)
        e = receive_frame(s, &atr);
    if (e == OK && (atr.len < 2 || atr.len > ATR_MAX))
        e = ERR_FORMAT;
    if (e != OK)
        return e;
    memcpy(r->atr, atr.data, atr.len);
    r->atr_len = atr.len;
    return OK;
}

enum err reader_open_sim(struct card_reader *out, const char *path, int wait_ms, struct reader_problem *why)
{
    struct card_reader r = {.ops = &ops};
    struct sockaddr_un address;
    if (*path == '\0' || strlen(path) >= sizeof(address.sun_path)) {
        snprintf(why->text, sizeof(why->text), "sim: needs the path of a socket, shorter than %zu characters",
                 sizeof(address.sun_path));
        return ERR_ARGUMENT;
    }
    struct sim *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return ERR_MEMORY;
    s->fd = connect_socket(path);
    for (int waited = 0; s->fd < 0 && (wait_ms < 0 || waited < wait_ms); waited += POLL_MS) {
        struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
        nanosleep(&pause, NULL);
        s->fd = connect_socket(path);
    }
    enum err e = ERR_NO_CARD;
    if (s->fd < 0)
        snprintf(why->text, sizeof(why->text),
                 "no virtual card answers at '%.100s' (%s): is 'ferry-card run' running?", path,
                 strerror(errno));
    else if (power_on(s, &r) != OK)
        snprintf(why->text, sizeof(why->text), "the virtual card at '%.100s' gives no ATR", path);
    else
        e = OK;
    if (e != OK) {
        if (s->fd >= 0)
            close(s->fd);
        free(s);
        return e;
    }
    snprintf(r.name, sizeof(r.name), "sim:%.120s", path);
    r.ctx = s;
    *out = r;
    return OK;
}
