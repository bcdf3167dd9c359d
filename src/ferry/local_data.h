/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of data for a card, and data cut into blocks of STORE DATA. */
#ifndef FERRY_LOCAL_DATA_H
#define FERRY_LOCAL_DATA_H

#include <plan/build.h>

#include "local.h"

/* A file as bytes, or as hexadecimal text (white space between, lines that begin with # do not count): text
 * is what has no other characters. Appended. */
int local_read_data(struct local *l, const char *path, struct writer *out);
/* The same, without I/O. ERR_FORMAT: text with an odd number of digits. */
enum err data_text_read(struct view file, struct writer *out) MUST_USE;
/* A new file, whole or not at all; one that is there is not replaced. */
int local_write_new(struct local *l, const char *path, struct view bytes);
/* STORE DATA, block after block, of what flags say (store_data.h). */
enum err local_put_blocks(struct builder *b, struct view data, uint8_t flags) MUST_USE;

#endif
