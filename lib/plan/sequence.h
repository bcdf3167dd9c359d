/* SPDX-License-Identifier: Apache-2.0
 *
 * The text of a sequence, line by line, as words. What the values mean is not decided here. */
#ifndef PLAN_SEQUENCE_H
#define PLAN_SEQUENCE_H

#include <plan/problem.h>

enum step_verb {
    VERB_DAP,
    VERB_LOAD,
    VERB_INSTALL,
    VERB_MAKE_SELECTABLE,
    VERB_PERSONALIZE,
    VERB_STORE,
    VERB_DELETE,
    VERB_EXTRADITE,
    VERB_REGISTRY_UPDATE,
    VERB_CREATE_DOMAIN,
    VERB_PUT_KEY,
    VERB_SET_STATUS,
    VERB_APDU,
    VERB_END
};

enum word {
    WORD_PARAMETERS,
    WORD_HASH,
    WORD_MODULE,
    WORD_INSTANCE,
    WORD_PRIVILEGES,
    WORD_SYSTEM,
    WORD_AID,
    WORD_DATA,
    WORD_FORMAT,
    WORD_DOMAIN,
    WORD_TOKEN,
    WORD_REFERENCE,
    WORD_SIGNATURE,
    WORD_PACKAGE,
    WORD_VERSION,
    WORD_ID,
    WORD_N,
    WORD_E,
    WORD_CURVE,
    WORD_POINT,
    WORD_STATE,
    WORD_ENCRYPTION,
    WORD_RELATED, /* this and what follows stand alone, without "=" */
    WORD_NOT_SELECTABLE,
    WORD_ANSWER,
    WORD_ALL,
    WORD_COUNT
};

struct value {
    bool given;
    struct view text;
    struct position at;
};

struct step {
    enum step_verb verb;
    struct position at;
    struct value value[WORD_COUNT]; /* apdu: its bytes are WORD_DATA */
};

struct sequence {
    struct reader text;
    unsigned line;
};

/* ERR_LIMIT when the text is longer than SEQUENCE_TEXT_MAX. The views of the steps borrow from it. */
enum err sequence_open(struct sequence *s, struct view text, struct plan_problem *why) MUST_USE;
/* The next line that says something; behind the last one VERB_END. ERR_FORMAT with *why. */
enum err sequence_next(struct sequence *s, struct step *out, struct plan_problem *why) MUST_USE;

#endif
