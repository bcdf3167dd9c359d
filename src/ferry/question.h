/* SPDX-License-Identifier: Apache-2.0
 *
 * The question before an operation: server, card and operation, each on a line of its own, so that foreign
 * text at the end of one can't pass for another; and what is said when it could not be done. Pure. */
#ifndef FERRY_QUESTION_H
#define FERRY_QUESTION_H

#include "report.h"
#include "ticket.h"
#include "words.h"

enum { QUESTION_MAX = 1024 };

struct question_card {
    const char *reader; /* its name; NULL: there is no card yet */
    const char *number; /* "" when the card tells none */
};

void question_of_order(char out[QUESTION_MAX], const struct ticket *t, const struct question_card *card,
                       enum language l);
void question_of_pairing(char out[QUESTION_MAX], const char *origin, enum language l);
/* What happened and what to do. What does not fit is cut off: nothing depends on it. */
void failure_of_end(char out[QUESTION_MAX], const struct run_end *end, enum language l);

#endif
