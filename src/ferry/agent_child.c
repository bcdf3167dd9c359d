/* SPDX-License-Identifier: Apache-2.0
 *
 * Starting, listening to and burying children. */
#include "agent_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "consent.h"
#include "words.h"

enum { LINE_MAX_BYTES = 64 * 1024, CANNOT_START = 127 };

/* The parent's handlers are not the child's. */
static void reset_signals(void)
{
    static const int signals[] = {SIGPIPE, SIGCHLD, SIGTERM, SIGINT, SIGHUP};
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        signal(signals[i], SIG_DFL);
}

/* In the child: this program once more, by its own file. */
static void become(const char *const *argv, int in, int out)
{
    reset_signals();
    /* Ctrl-C, and a terminal that is closed, are for the agent: a card that is being served is served to its
     * end. */
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0)
        execv("/proc/self/exe", (char *const *)(uintptr_t)argv);
    _exit(CANNOT_START);
}

static void hand_on(struct agent_child *c, const char *text, size_t len)
{
    json_t *event = json_loadb(text, len, 0, NULL);
    if (event != NULL)
        c->line(c->arg, event);
    json_decref(event);
}

/* Takes what is there; what is no line within the limit is dropped. true: there will be no more. */
static bool read_lines(struct agent_child *c)
{
    char *text;
    size_t len;
    int n;
    while ((n = evbuffer_read(c->lines, c->out, 4096)) > 0) {
        while ((text = evbuffer_readln(c->lines, &len, EVBUFFER_EOL_LF)) != NULL) {
            hand_on(c, text, len);
            free(text);
        }
        if (evbuffer_get_length(c->lines) > LINE_MAX_BYTES)
            evbuffer_drain(c->lines, evbuffer_get_length(c->lines));
    }
    return n == 0;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct agent_child *c = arg;
    (void)fd, (void)what;
    if (read_lines(c))
        event_del(c->readable);
}

static void close_all(struct agent_child *c)
{
    if (c->readable != NULL)
        event_free(c->readable);
    if (c->lines != NULL)
        evbuffer_free(c->lines);
    if (c->out >= 0)
        close(c->out);
    *c = (struct agent_child){.out = -1};
}

/* A ticket is shorter than what a pipe takes at once. */
static bool write_ticket(int fd, const char *ticket)
{
    size_t len = strlen(ticket);
    return write(fd, ticket, len) == (ssize_t)len && write(fd, "\n", 1) == 1;
}

static bool listen_to(struct agent_child *c, struct event_base *base, int out)
{
    c->out = out;
    c->lines = evbuffer_new();
    c->readable = event_new(base, out, EV_READ | EV_PERSIST, on_readable, c);
    return c->lines != NULL && c->readable != NULL && fcntl(out, F_SETFL, O_NONBLOCK) == 0 &&
           event_add(c->readable, NULL) == 0;
}

enum err agent_child_run(struct agent_child *c, struct event_base *base, const char *const *argv,
                         const char *ticket, void (*line)(void *arg, const json_t *event), void *arg)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1};
    *c = (struct agent_child){.out = -1, .line = line, .arg = arg};
    if (pipe2(in, O_CLOEXEC) != 0)
        return ERR_IO;
    if (pipe2(out, O_CLOEXEC) != 0) {
        close(in[0]);
        close(in[1]);
        return ERR_IO;
    }
    bool ready = write_ticket(in[1], ticket) && listen_to(c, base, out[0]);
    if (ready) {
        c->pid = fork();
        if (c->pid == 0)
            become(argv, in[0], out[1]);
    }
    close(in[0]);
    close(in[1]);
    close(out[1]);
    if (ready && c->pid > 0)
        return OK;
    c->out = out[0];
    close_all(c);
    return ERR_IO;
}

enum err agent_child_ask(struct agent_child *c, const char *question)
{
    *c = (struct agent_child){.out = -1, .pid = fork()};
    if (c->pid == 0) {
        reset_signals();
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        enum err e = consent_ask(question, language_here());
        _exit(e == OK ? 0 : e == ERR_UNSUPPORTED ? 2 : 1);
    }
    if (c->pid > 0)
        return OK;
    c->pid = 0;
    return ERR_IO;
}

bool agent_child_ended(struct agent_child *c, int *code)
{
    int status;
    if (c->pid == 0 || waitpid(c->pid, &status, WNOHANG) != c->pid)
        return false;
    *code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (c->out >= 0)
        (void)read_lines(c);
    close_all(c);
    return true;
}

void agent_child_stop(struct agent_child *c)
{
    if (c->pid > 0)
        kill(c->pid, SIGTERM);
}
