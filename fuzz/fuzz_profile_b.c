/* links: ferryd_core */
/* SPDX-License-Identifier: Apache-2.0
 *
 * The bodies of profile B: what is taken is a script of the other profile, or an ATR that fits. */
#include <stdlib.h>

#include <script/script.h>
#include <tlv/tlv.h>

#include "front/profile_b.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view atr = VIEW_NULL, body = view_of(data, size);
    struct writer script;
    bool closed = false;
    if (profile_b_initiation(body, &atr) == OK && atr.len > ATR_MAX)
        abort();
    wr_heap(&script, HTTP_BODY_MAX);
    if (profile_b_responses(body, &script, &closed) == OK) {
        struct response_script *r = malloc(sizeof(*r));
        if (r != NULL && !tlv_valid(wr_view_of(&script)))
            abort();
        if (r != NULL)
            (void)!response_parse(wr_view_of(&script), r);
        free(r);
    }
    wr_free(&script);
    return 0;
}
