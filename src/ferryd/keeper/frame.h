/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames on the socket between front and keeper: u32 length, u32 request id, and a request or reply of
 * <vault/serve.h>. The length counts what stands behind it. A reply carries the id of its request; replies
 * come in the order of the requests. */
#ifndef KEEPER_FRAME_H
#define KEEPER_FRAME_H

#include <base/bytes.h>
#include <base/limits.h>

enum {
    FRAME_HEAD = 8, /* length and id */
    FRAME_BODY_MAX = KEEPER_FRAME_MAX - 4,
    FRAME_MAX = KEEPER_FRAME_MAX + 4 /* with its length */
};

/* Writes a frame in place: begin, then the body, then end with what begin gave. ERR_LIMIT when the body is
 * longer than FRAME_BODY_MAX or the writer is bad. */
size_t frame_begin(struct writer *w, uint32_t id);
enum err frame_end(struct writer *w, size_t start) MUST_USE;

struct frame {
    uint32_t id;
    struct view body; /* borrowed from what arrived */
};
/* The frame at the head of what has arrived, and how many bytes it takes up. ERR_NOT_FOUND: there is more to
 * come, and *used says how many bytes are needed before it is worth asking again. ERR_FORMAT: the peer does
 * not speak frames, give it up. */
enum err frame_get(struct view arrived, struct frame *out, size_t *used) MUST_USE;

#endif
