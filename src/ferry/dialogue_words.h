/* SPDX-License-Identifier: Apache-2.0
 *
 * The dialogue of a session, as the server tells it (docs/api.md), in words for people: what went to the card
 * and what came back. The server tells headers, lengths and names of applications, so that is all there is.
 */
#ifndef FERRY_DIALOGUE_WORDS_H
#define FERRY_DIALOGUE_WORDS_H

#include <jansson.h>

#include <base/bytes.h>

enum { DIALOGUE_WORDS_MAX = 200 };
struct dialogue_words {
    char text[DIALOGUE_WORDS_MAX];
};
/* "LOAD block 3, 200 bytes, of A00000006203"; "?" for what is no command. */
struct dialogue_words dialogue_command_words(const json_t *command);
/* "9000 ok" */
struct dialogue_words dialogue_answer_words(const json_t *command);
/* The whole, as a ladder of two sides, to standard output. */
void dialogue_print(const json_t *dialogue);

#endif
