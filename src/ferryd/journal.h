/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the server's log lines go: standard error, one write per line, so that the lines of three processes
 * do not mix. What keeps it (journald, a file, a terminal) is the starter's business. */
#ifndef JOURNAL_H
#define JOURNAL_H

#include <base/log.h>

/* From now on lines up to this level go to standard error. */
void journal_open(enum log_level most);
/* Milliseconds since 1970-01-01 UTC. */
uint64_t journal_now_ms(void *unused);

#endif
