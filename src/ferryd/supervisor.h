/* SPDX-License-Identifier: Apache-2.0
 *
 * The process that the operator starts. It starts keeper and front as programs of their own (so that neither
 * begins with memory of the other), keeps them running, and stops them in order. It touches neither network
 * nor keys. */
#ifndef SUPERVISOR_H
#define SUPERVISOR_H

#include "config.h"

/* Exit codes of ferryd and of its processes: man/ferryd.8. */
enum { EXIT_GOOD = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_CONFIG_BAD = 3 };

/* Descriptors that a role is born with: the other role's socket, and the supervisor's. A role writes R to the
 * supervisor when it is ready; the end of that socket asks the front to stop. */
enum { ROLE_FD_PEER = 3, ROLE_FD_CONTROL = 4 };

/* Runs until SIGTERM or SIGINT. Gives the exit code: EXIT_GOOD after an orderly stop; EXIT_CONFIG_BAD when a
 * role says so; EXIT_FAILED when the first start or the stop did not succeed. Once the server was up, what
 * dies is started again, after a pause that grows from 0.2 to 30 s. config_path is handed to the roles. */
int supervisor_run(const char *config_path);

/* The child's side: "keeper" or "front". */
int role_run(const char *role, const char *config_path);

#endif
