/* SPDX-License-Identifier: Apache-2.0
 *
 * A front in a process of its own, so that it can be killed, with a vault in another one, and a client that
 * speaks HTTP with libcurl and can send anything. */
#ifndef TESTS_FRONT_WORLD_H
#define TESTS_FRONT_WORLD_H

#include <sys/types.h>

#include <curl/curl.h>

#include "bench.h"
#include "front/test_tls.h"

struct front_world {
    struct bench bench; /* the same database, keys, card type; the card */
    char store[256];
    struct test_tls tls;
    int control_fd;
    pid_t front, keeper;
    unsigned port;
    CURL *curl;
};

/* To be asked first by main: true when this process is a child of a front_world, which has done its work. */
bool front_child(int argc, char **argv, int *code);

void front_world_open(struct front_world *w, const struct bench_setup *setup);
/* Of modern cards, with the application hello and the orders install and inspect. */
void front_world_open_hello(struct front_world *w);
extern const uint8_t front_hello_app[6];
/* Stops the front gracefully unless it is gone already. */
void front_world_close(struct front_world *w);
void front_start(struct front_world *w);
/* Like a power cut. */
void front_kill(struct front_world *w);
/* Asks to stop; the exit code. */
int front_stop(struct front_world *w);
void front_kill_keeper(struct front_world *w);

struct exchange {
    long status; /* 0: no answer */
    struct writer body;
    char next[200]; /* X-Admin-Next-URI; "" */
    char outcome[40], reason[40], step[40], commands[12], type[120], session[40];
    char purpose[40], app[80];
    char cookie[200]; /* name=value */
};
void exchange_finish(struct exchange *x);
/* Fails the test, with what, when the answer is another. */
void exchange_expect(const char *what, const struct exchange *x, long status, const char *outcome,
                     const char *reason);

/* What a request says. NULL: the header is not sent. */
struct question {
    const char *method, *path;
    const char *protocol, *from, *type, *status, *resume, *cookie;
    struct view body;
};
void front_ask(struct front_world *w, const struct question *q, struct exchange *out);

/* M1 of profile A for an order of the bench, whose id is its ticket. */
void front_begin(struct front_world *w, const char *ticket, struct exchange *out);
/* Lets the card execute the answer's packet and POSTs the answers. body: what was POSTed, may be NULL. */
void front_go_on(struct front_world *w, const struct exchange *last, struct writer *body,
                 struct exchange *out);
void front_post(struct front_world *w, const char *next, struct view body, struct exchange *out);
void front_resume(struct front_world *w, const char *next, struct exchange *out);
/* The card's answers to a packet. */
void front_execute(struct front_world *w, struct view packet, struct writer *body);

#endif
