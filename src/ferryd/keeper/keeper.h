/* SPDX-License-Identifier: Apache-2.0
 *
 * The keeper: the process that holds the key-encryption key and everything that is done with keys. It knows
 * one socket, to the front, and serves one request of <vault/serve.h> at a time. */
#ifndef KEEPER_KEEPER_H
#define KEEPER_KEEPER_H

#include "config.h"
#include <base/secret.h>

enum { KEEPER_WHY_MAX = 500 };

/* Reads the key-encryption key: 32 bytes, from kek_file (a regular file, mode 0600 or 0400, of the user that
 * runs or, where it runs as root, of keeper_user or user) or from the credential. why: a sentence whenever
 * the result is not OK. */
enum err keeper_read_kek(const struct config *config, struct secret *kek, char why[KEEPER_WHY_MAX]) MUST_USE;

/* Serves until front_fd ends. ready, with arg, is called once when rights are given up and requests are
 * served; it may be NULL. Gives the exit code: EXIT_GOOD (supervisor.h) when the front closed,
 * EXIT_CONFIG_BAD when the configuration does not let it begin, else EXIT_FAILED. The process stays confined.
 */
int keeper_main(const struct config *config, int front_fd, void (*ready)(void *arg), void *arg);

#endif
