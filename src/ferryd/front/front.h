/* SPDX-License-Identifier: Apache-2.0
 *
 * The front: the process that talks to the network and to the store and holds no key. */
#ifndef FRONT_FRONT_H
#define FRONT_FRONT_H

#include "config.h"

/* What the front is given at birth, after rights were dropped. */
struct front_setup {
    const struct config *config;
    int keeper_fd;  /* stream socket to the keeper, frames of keeper/frame.h */
    int control_fd; /* from the supervisor: its end of file asks for a graceful stop */
    /* Called once when requests are accepted, with the port that is listened on; may be NULL. */
    void (*ready)(void *arg, unsigned port);
    void *arg;
};

/* Runs until control_fd ends or the keeper goes away. Gives the process's exit code: 0 after a graceful stop,
 * 1 otherwise, with the reason logged. Sessions that are under way live on in the store. */
int front_run(const struct front_setup *setup);

#endif
