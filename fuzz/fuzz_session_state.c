/* links: cf_session */
/* SPDX-License-Identifier: Apache-2.0
 *
 * A session's stored bytes: whatever is read is written back as the same bytes. */
#include <stdlib.h>

#include <session/session.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct session s;
    struct writer again;
    wr_heap(&again, SESSION_STATE_MAX);
    if (session_decode(&s, view_of(data, size)) == OK) {
        if (session_encode(&s, &again) != OK || !view_equal(wr_view_of(&again), view_of(data, size)))
            abort();
        session_finish(&s);
    }
    wr_free(&again);
    return 0;
}
