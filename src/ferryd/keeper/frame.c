/* SPDX-License-Identifier: Apache-2.0
 *
 * Both ends of the keeper's socket use these lines, so that they cannot disagree about a length. */
#include "keeper/frame.h"

size_t frame_begin(struct writer *w, uint32_t id)
{
    size_t start = w->len;
    wr_u32(w, 0);
    wr_u32(w, id);
    return start;
}

enum err frame_end(struct writer *w, size_t start)
{
    struct writer head;
    if (!wr_ok(w) || w->len - start > FRAME_MAX) {
        wr_fail(w);
        return ERR_LIMIT;
    }
    wr_fixed(&head, w->data + start, sizeof(uint32_t));
    wr_u32(&head, (uint32_t)(w->len - start - sizeof(uint32_t)));
    return wr_status(&head);
}

enum err frame_get(struct view arrived, struct frame *out, size_t *used)
{
    struct reader r;
    rd_init(&r, arrived);
    uint32_t len = rd_u32(&r);
    if (!rd_ok(&r)) {
        *used = sizeof(len);
        return ERR_NOT_FOUND;
    }
    if (len < sizeof(uint32_t) || len > KEEPER_FRAME_MAX)
        return ERR_FORMAT;
    *used = sizeof(len) + len;
    if (rd_left(&r) < len)
        return ERR_NOT_FOUND;
    out->id = rd_u32(&r);
    out->body = rd_view(&r, len - sizeof(uint32_t));
    return OK;
}
