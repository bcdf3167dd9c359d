/* SPDX-License-Identifier: Apache-2.0
 *
 * Asking the user, with what there is: a dialog of the desktop (zenity, kdialog), or the terminal. All texts
 * may hold foreign text, of lines that text_is_line accepts: no way of asking takes it for markup, an option
 * or an escape. */
#ifndef FERRY_CONSENT_H
#define FERRY_CONSENT_H

#include <base/bytes.h>

#include "words.h"

enum { CONSENT_ARGUMENTS_MAX = 16 };

/* The one who was asked says yes: OK, no: ERR_POLICY. ERR_UNSUPPORTED: nobody can be asked. Waits for the
 * answer. */
enum err consent_ask(const char *text, enum language l) MUST_USE;
/* Says that something went wrong, where there is a desktop; else nothing. */
void consent_tell_failure(const char *text, enum language l);

/* The arguments of a dialog: each NUL-terminated, in order, in memory; program: "zenity", "kdialog". For
 * tests, too. ERR_NOT_FOUND: no such program; ERR_LIMIT. */
struct consent_arguments {
    struct writer memory; /* wr_free */
    size_t count;
};
enum consent_kind { CONSENT_QUESTION, CONSENT_FAILURE };
enum err consent_arguments(struct consent_arguments *out, const char *program, enum consent_kind kind,
                           const char *text, enum language l) MUST_USE;

#endif
