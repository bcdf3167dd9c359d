/* SPDX-License-Identifier: Apache-2.0
 *
 * What the agent has other processes do, so that it can go on listening: an operation is this program again
 * ("ferry run -"), with the ticket through a pipe; a question to the user is a fork that asks. */
#ifndef FERRY_AGENT_CHILD_H
#define FERRY_AGENT_CHILD_H

#include <sys/types.h>

#include <jansson.h>

#include <base/bytes.h>

struct event_base;
struct event;
struct evbuffer;

struct agent_child {
    pid_t pid; /* 0: none */
    int out;   /* its standard output, or -1 */
    struct event *readable;
    struct evbuffer *lines;
    void (*line)(void *arg, const json_t *event);
    void *arg;
};

/* argv: with the program's name, ended by NULL. line is called with each JSON line that it says. */
enum err agent_child_run(struct agent_child *c, struct event_base *base, const char *const *argv,
                         const char *ticket, void (*line)(void *arg, const json_t *event),
                         void *arg) MUST_USE;
/* Asks the user; its exit code is 0 for yes, 1 for no, 2 when nobody can be asked. */
enum err agent_child_ask(struct agent_child *c, const char *question) MUST_USE;
/* true when it has ended; then all of its lines were handed on, and *code is its exit code (-1: a signal). */
bool agent_child_ended(struct agent_child *c, int *code);
/* Tells it to end at once. */
void agent_child_stop(struct agent_child *c);

#endif
