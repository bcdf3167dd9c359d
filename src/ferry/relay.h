/* SPDX-License-Identifier: Apache-2.0
 *
 * Feeds a script to the card, command by command (docs/protocol.md, "What the client does, and never does").
 * It checks nothing and believes nothing: that is the card's and the server's work. */
#ifndef FERRY_RELAY_H
#define FERRY_RELAY_H

#include <script/script.h>

#include "reader.h"

struct relay_watch {
    /* After each command: how many of total are done, which it was, what the card said. May be NULL. */
    void (*command)(void *arg, size_t done, size_t total, uint8_t ins, uint16_t sw);
    void *arg;
};

struct relay_result {
    size_t executed;     /* commands that the card answered */
    size_t total;        /* commands of the script */
    size_t bytes;        /* sent to the card and received from it */
    uint16_t last_sw;    /* 0 when nothing was answered */
    enum err card_error; /* OK, or why the reader gave up: ERR_CARD_GONE, ERR_TIMEOUT, ... */
};

/* Executes the script and appends the response script, which holds an answer for every command that was
 * executed, also when the card went away or the script is malformed behind them. Handles 61xx and 6Cxx. Stops
 * at the first status word outside 9000 and 61xx to 63xx, at 62F1, and at 63xx after EXTERNAL AUTHENTICATE.
 * ERR_LIMIT, ERR_MEMORY: no answer could be made. */
enum err relay_run(struct card_reader *reader, struct view script, const struct relay_watch *watch,
                   struct writer *answer, struct relay_result *out) MUST_USE;

/* One command with 61xx and 6Cxx handled; the whole answer is appended to rapdu. */
enum err relay_command(struct card_reader *reader, struct view capdu, struct writer *rapdu,
                       size_t *bytes) MUST_USE;

#endif
