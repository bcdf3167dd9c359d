/* SPDX-License-Identifier: Apache-2.0
 *
 * What a process gives up before it reads its first foreign byte. The keeper is left with memory, randomness
 * and two file descriptors; the front keeps network and its own files, but starts no programs, looks into no
 * process, and does not see the keeper's files. */
#ifndef CONFINE_H
#define CONFINE_H

#include "config.h"

/* No core dumps, no attaching of debuggers, no rights gained by exec. Call it first thing. */
enum err confine_basics(void) MUST_USE;
/* Closes every descriptor from the given one on. */
void confine_close_from(unsigned first);
/* Started by root: become this user, with its groups, for good. Otherwise, or with "": nothing. ERR_NOT_FOUND
 * when there is no such user. */
enum err confine_become(const char *user) MUST_USE;

/* The keeper: a network namespace without any network where that is allowed, then an allow-list of system
 * calls; any other kills the process. There is no way back. */
enum err confine_keeper(void) MUST_USE;

/* The front: a deny-list of system calls (to allow by list what TLS, SQLite, libevent and libc may ask for on
 * every system would break with each of their updates), any of which kills the process; and Landlock, so that
 * of all files only its own are there: the store's folder, the certificates, the token's digest, and what
 * libraries read below /usr and /etc/ssl. *landlock: the kernel has it and it is in force. */
enum err confine_front(const struct config *config, bool *landlock) MUST_USE;

#endif
