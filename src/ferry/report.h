/* SPDX-License-Identifier: Apache-2.0
 *
 * What a person or a program sees of a run: a progress bar and sentences on a terminal, plain lines
 * elsewhere, or one JSON object a line with --json. The last JSON line is always {"event":"end",...} with
 * outcome, reason, posts, commands, bytes, duration_ms, and what of it was the card's (card_ms) and the
 * server's (server_ms). */
#ifndef FERRY_REPORT_H
#define FERRY_REPORT_H

#include <stdio.h>

#include <base/bytes.h>

#include "progress.h"

struct report {
    FILE *out;
    bool json, quiet, bar; /* bar: out is a terminal */
    bool bar_open, delivering;
    const char *stage; /* of the commands since the last line; NULL: none */
    size_t stage_commands, done, total;
    uint16_t sw;
    struct progress *progress; /* who else is told, or NULL: the caller's */
    struct progress_state told;
};

struct run_end {
    char outcome[48], reason[48], detail[512], advice[256], session[64]; /* advice: what to do, "" nothing */
    unsigned posts;
    size_t commands, bytes;
    uint64_t duration_us, card_us, server_us;
    int exit_code;
};

void report_init(struct report *r, FILE *out, bool json, bool quiet);
/* The client runs, and may go on. */
void report_client(struct report *r);
/* There is no reader, or no card in it (ERR_NO_READER, ERR_NO_CARD); maybe it comes. */
void report_missing(struct report *r, enum err e);
void report_reader(struct report *r, const char *name, struct view atr);
/* The card's number, once it is known. */
void report_card(struct report *r, const char *number);
void report_server(struct report *r, const char *url);
/* step: a word from the server ("identify", "deliver", ...) and how many commands are coming. */
void report_step(struct report *r, const char *step, size_t commands);
void report_command(struct report *r, size_t done, size_t total, uint8_t ins, uint16_t sw);
/* The card does not answer any more. */
void report_lost(struct report *r);
/* The script has ended; its answers go to the server. */
void report_answers(struct report *r);
void report_note(struct report *r, const char *text);
void report_end(struct report *r, const struct run_end *end);

#endif
