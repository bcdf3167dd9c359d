/* links: ferryd_core */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes on the keeper's socket: a frame lies within what arrived, is written again as it was, and what is
 * not yet whole says truly how much it needs. */
#include <assert.h>
#include <stdint.h>

#include "keeper/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void write_again(const struct frame *frame, struct view whole)
{
    struct writer w;
    wr_heap(&w, FRAME_MAX);
    size_t start = frame_begin(&w, frame->id);
    wr_view(&w, frame->body);
    assert(frame_end(&w, start) == OK);
    assert(view_equal(wr_view_of(&w), whole));
    wr_free(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view arrived = view_of(data, len);
    struct frame frame;
    size_t used = 0;
    enum err e;
    while ((e = frame_get(arrived, &frame, &used)) == OK) {
        assert(used >= FRAME_HEAD && used <= arrived.len && frame.body.len == used - FRAME_HEAD);
        write_again(&frame, view_head(arrived, used));
        arrived = view_tail(arrived, used);
    }
    assert(e == ERR_FORMAT || (e == ERR_NOT_FOUND && used > arrived.len && used <= FRAME_MAX));
    return 0;
}
