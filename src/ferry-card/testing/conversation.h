/* SPDX-License-Identifier: Apache-2.0
 *
 * Conversations with the card in memory, for its tests: one card at a time, commands as hexadecimal text,
 * tables of what is said and what must be answered. */
#ifndef FERRY_CARD_TESTING_CONVERSATION_H
#define FERRY_CARD_TESTING_CONVERSATION_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <support/vectors.h>
#include <tlv/tlv.h>

#include "testing/host.h"

/* The card that is talked to, between new_card and end_card. */
extern struct host *h;
extern struct crypto *crypto;

/* For cmocka_run_group_tests. */
int conversation_setup(void **state);
int conversation_teardown(void **state);

/* A fresh card of a kind; i 0xFF: that of the kind. */
void new_card(const char *kind, uint8_t i);
void end_card(void);

/* One line of a conversation: plain commands begin with "-", others go through the secure channel if one is
 * open; "!" resets the card. Of the others header and data count, Lc is made. data NULL: not looked at. */
struct line {
    const char *command;
    uint16_t sw;
    const char *data;
};
uint16_t say(const char *command);
/* Fails with the name, the line and the command that was answered otherwise. */
void talk(const char *name, const struct line *lines, size_t count);
#define TALK(lines) talk(#lines, lines, sizeof(lines) / sizeof(lines)[0])

/* A file of tests/data/caps; the bytes stay until the next call. */
struct view read_file(const char *name);
/* The components as a load file, with C4 in front; until the next call. */
struct view with_c4(struct view components);
uint16_t install_for_load(struct view aid, struct view hash);
/* LOAD in blocks; the status word of the first that is refused, or of the last. */
uint16_t load_blocks(struct view file, size_t block);
/* The package F000000001 with its module F00000000101, and the command that makes an instance. */
uint16_t load_hello(void);
extern const char install_hello[];

/* INITIALIZE UPDATE, and an EXTERNAL AUTHENTICATE that no host key made. */
extern const char initialize[], wrong_authenticate[];

#endif
