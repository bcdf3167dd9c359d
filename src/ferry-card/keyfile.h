/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys in files: one or three lines of hexadecimal digits (ENC, MAC, DEK; one line: the same three times);
 * empty lines and lines that begin with # do not count. */
#ifndef FERRY_CARD_KEYFILE_H
#define FERRY_CARD_KEYFILE_H

#include <base/secret.h>
#include <base/sources.h>

/* path "-" is standard input. ERR_NOT_FOUND, ERR_IO; ERR_FORMAT when the lines are not such. */
enum err keyfile_read(const char *path, struct secret keys[3]) MUST_USE;
/* Makes three random keys of len bytes, or one that stands for all (count 3 or 1), and writes them to a new
 * file of mode 0600. ERR_EXISTS, ERR_IO. */
enum err keyfile_make(const char *path, size_t len, unsigned count, struct random_source random,
                      struct secret keys[3]) MUST_USE;

#endif
