/* SPDX-License-Identifier: Apache-2.0
 *
 * The rows of outcome.h, looked up. */
#include "outcome.h"

#include <string.h>

#define WORD(id, word) [id] = (word),
static const char *const outcome_words[] = {OUTCOME_LIST(WORD)};
#undef WORD

struct reason_row {
    const char *word;
    int status, code;
    const char *text, *advice;
};

#define ROW(id, word, status, code, text, advice) [id] = {(word), (status), (code), (text), (advice)},
static const struct reason_row reasons[] = {REASON_LIST(ROW)};
#undef ROW

static const struct reason_row none = {"none", 500, EXIT_OTHER, "", ""};

static const struct reason_row *row(enum reason r)
{
    return (size_t)r < REASON_COUNT ? &reasons[r] : &none;
}

const char *outcome_word(enum outcome o)
{
    return (size_t)o < OUTCOME_COUNT ? outcome_words[o] : "unknown";
}

const char *reason_word(enum reason r)
{
    return row(r)->word;
}

const char *reason_text(enum reason r)
{
    return row(r)->text;
}

const char *reason_advice(enum reason r)
{
    return row(r)->advice;
}

int reason_http_status(enum reason r)
{
    return row(r)->status;
}

enum err outcome_by_word(const char *word, enum outcome *out)
{
    for (size_t n = 0; n < OUTCOME_COUNT; n++) {
        if (strcmp(word, outcome_words[n]) == 0) {
            *out = (enum outcome)n;
            return OK;
        }
    }
    return ERR_NOT_FOUND;
}

enum err reason_by_word(const char *word, enum reason *out)
{
    for (size_t n = 0; n < REASON_COUNT; n++) {
        if (strcmp(word, reasons[n].word) == 0) {
            *out = (enum reason)n;
            return OK;
        }
    }
    return ERR_NOT_FOUND;
}

int outcome_exit_code(enum outcome o, enum reason r)
{
    static const int own[] = {[OUTCOME_CONFIRMED] = EXIT_CONFIRMED,
                              [OUTCOME_REPORTED] = EXIT_REPORTED,
                              [OUTCOME_FAILED] = EXIT_FAILED,
                              [OUTCOME_UNKNOWN] = EXIT_UNKNOWN};
    if ((size_t)o >= OUTCOME_COUNT)
        return EXIT_OTHER;
    if (o == OUTCOME_CONFIRMED || o == OUTCOME_REPORTED)
        return own[o];
    return r == REASON_NONE || (size_t)r >= REASON_COUNT ? own[o] : reasons[r].code;
}
