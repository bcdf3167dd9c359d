/* SPDX-License-Identifier: Apache-2.0
 *
 * Names and sentences of the outcomes, from the one list in err.h. */
#include <base/err.h>

#define ERR_NAME(name, text) #name,
static const char *const names[] = {ERR_LIST(ERR_NAME)};
#define ERR_TEXT(name, text) text,
static const char *const texts[] = {ERR_LIST(ERR_TEXT)};

const char *err_name(enum err e)
{
    return (unsigned)e < ERR_COUNT ? names[e] : "ERR_?";
}

const char *err_text(enum err e)
{
    return (unsigned)e < ERR_COUNT ? texts[e] : "an unknown error";
}
