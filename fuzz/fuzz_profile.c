/* links: ferry_core */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text as a profile. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct profile p;
    char problem[200] = "";
    enum err e = profile_parse(&p, view_of(data, size), problem, sizeof(problem));
    assert((e == OK) == (problem[0] == '\0'));
    if (e == OK)
        assert(strlen(p.server) < PROFILE_VALUE_MAX);
    return 0;
}
