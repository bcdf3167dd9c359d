/* links: ferry_core */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Any command in words. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "local_words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct apdu a;
    if (apdu_parse(view_of(data, size), &a) == OK)
        assert(strlen(command_words(&a).text) > 0);
    return 0;
}
