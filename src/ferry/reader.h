/* SPDX-License-Identifier: Apache-2.0
 *
 * A card in a reader, however it is reached. Each kind of reader is a function table of its own: PC/SC
 * (reader_pcsc.c) and the virtual card's local socket (reader_sim.c). */
#ifndef FERRY_READER_H
#define FERRY_READER_H

#include <base/bytes.h>
#include <base/limits.h>

struct reader_ops {
    enum err (*transmit)(void *ctx, struct view capdu, struct writer *rapdu);
    enum err (*touch)(void *ctx);
    enum err (*wait_gone)(void *ctx, int timeout_ms);
    void (*close)(void *ctx);
};

struct card_reader {
    const struct reader_ops *ops;
    void *ctx;
    char name[128];
    uint8_t atr[ATR_MAX];
    size_t atr_len;
    bool t0; /* the protocol is T=0: no Le on a command with data */
};

struct reader_problem {
    char text[200]; /* a sentence that says what to do */
};

/* Opens a card exclusively. spec: "pcsc:" the first reader with a card, "pcsc:<name>" the one reader whose
 * name contains it, "sim:<socket>" a virtual card; NULL: "pcsc:". wait_ms: how long to wait for a card; 0 not
 * at all, -1 for ever. ERR_NO_READER, ERR_NO_CARD, ERR_ARGUMENT with *why filled. */
enum err reader_open(struct card_reader *out, const char *spec, int wait_ms,
                     struct reader_problem *why) MUST_USE;
/* Powers the card down and lets the reader go. Accepts a zeroed reader. */
void reader_close(struct card_reader *r);

/* One command, one answer, appended. ERR_CARD_GONE when the card was removed or reset, ERR_LIMIT when the
 * answer is longer than an answer can be, ERR_FORMAT when it is shorter than a status word. */
enum err reader_transmit(struct card_reader *r, struct view capdu, struct writer *rapdu) MUST_USE;
/* Keeps an idle card awake. */
void reader_touch(struct card_reader *r);
/* Waits until the card is taken away. OK, or ERR_TIMEOUT. */
enum err reader_wait_gone(struct card_reader *r, int timeout_ms) MUST_USE;

/* Which card has been put in where: the same as long as the card stays in. */
struct reader_insertion {
    char reader[128];
    uint32_t count; /* of the reader's insertions and removals */
};

/* Asks nothing of the card. ERR_UNSUPPORTED: this kind of reader does not tell; ERR_NO_READER, ERR_NO_CARD.
 */
enum err reader_insertion(struct reader_insertion *out, const char *spec) MUST_USE;

/* Calls each for every PC/SC reader. */
enum err reader_list(void (*each)(void *arg, const char *name, struct view atr), void *arg,
                     struct reader_problem *why) MUST_USE;

enum err reader_open_pcsc(struct card_reader *out, const char *name, int wait_ms,
                          struct reader_problem *why) MUST_USE;
enum err reader_insertion_pcsc(struct reader_insertion *out, const char *name) MUST_USE;
enum err reader_open_sim(struct card_reader *out, const char *path, int wait_ms,
                         struct reader_problem *why) MUST_USE;

#endif
