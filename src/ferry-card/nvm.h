/* SPDX-License-Identifier: Apache-2.0
 *
 * The file that is a card's memory: a journal of transactions. A killed process or a lost power supply at any
 * moment leaves the state before or after a command:
 *
 *   file   "FERRYNVM" 00 02, frame ...
 *   frame  length 4, sequence 4, CRC-32 of both 4, records (length bytes), CRC-32 of sequence and records 4
 *
 * The first frame is the whole state, each further one a transaction. A frame that the end of the file cuts
 * short (or that is all zeros, as some file systems leave it) never happened; anything else that does not fit
 * is damage and is refused. The file is rewritten when the card starts, into a new file that takes the place
 * of the old one in one step.
 *
 * A frame is written by one write, so that a killed process loses nothing; fdatasync follows where the caller
 * asks, so that a lost power supply loses nothing that was promised. */
#ifndef FERRY_CARD_NVM_H
#define FERRY_CARD_NVM_H

#include "state.h"

struct nvm;

/* Makes the file (mode 0600) with this state. ERR_EXISTS, ERR_IO, ERR_DISK_FULL, ERR_LIMIT. */
enum err nvm_create(const char *path, const struct card_state *state) MUST_USE;

/* Opens and locks the file for one process and reads the state (to be finished by the caller). ERR_CONFLICT
 * when another process has it, ERR_FORMAT when it is damaged; then *why is a sentence. */
enum err nvm_open(const char *path, struct nvm **out, struct card_state *state, const char **why) MUST_USE;
/* Reads without locking and without changing the file. */
enum err nvm_read(const char *path, struct card_state *state, const char **why) MUST_USE;
/* Accepts NULL and clears. */
void nvm_close(struct nvm **n);

/* Adds a transaction; durable also against loss of power when sync is set. After an error the file is as
 * before, or the memory takes nothing more (ERR_IO for ever). */
enum err nvm_append(struct nvm *n, struct view records, bool sync) MUST_USE;
/* True when enough dead records have gathered that rewriting pays. */
bool nvm_is_long(const struct nvm *n);
/* Rewrites the file with this state alone. */
enum err nvm_compact(struct nvm *n, const struct card_state *state) MUST_USE;

/* The parser alone, for bytes in memory: *state is to be finished by the caller, also after an error;
 * *used is the length of what counts, *sequence the number of the next frame. */
enum err nvm_parse(struct view file, struct card_state *state, size_t *used, uint32_t *sequence,
                   const char **why) MUST_USE;
/* The file's bytes for a state. */
void nvm_put(struct writer *w, const struct card_state *state);
void nvm_put_frame(struct writer *w, uint32_t sequence, struct view records);

#endif
