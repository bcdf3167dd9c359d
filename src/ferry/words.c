/* SPDX-License-Identifier: Apache-2.0
 *
 * The rows of words.h, looked up. */
#include "words.h"

#include <session/outcome.h>

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define WORD_ROW(id, en, de) [id] = {(en), (de)},
static const char *const texts[WORD_COUNT][2] = {WORD_LIST(WORD_ROW)};
#undef WORD_ROW

enum language language_of(const char *locale)
{
    return locale != NULL && strncmp(locale, "de", 2) == 0 && strchr("_.@", locale[2]) != NULL ? GERMAN
                                                                                               : ENGLISH;
}

enum language language_here(void)
{
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && *value != '\0')
            return language_of(value);
    }
    return ENGLISH;
}

const char *word_text(enum word w, enum language l)
{
    return (size_t)w < WORD_COUNT ? texts[w][l == GERMAN ? 1 : 0] : "";
}

#define END_ROW(code, de) {code, (de)},
const char *word_of_end(int exit_code, enum language l)
{
    static const struct {
        int code;
        const char *de;
    } ends[] = {END_LIST(END_ROW)};
    for (size_t i = 0; l == GERMAN && i < sizeof(ends) / sizeof(ends[0]); i++)
        if (ends[i].code == exit_code)
            return ends[i].de;
    return "";
}
#undef END_ROW
