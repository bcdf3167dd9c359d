/* SPDX-License-Identifier: Apache-2.0
 *
 * The one way to take bytes apart and to put them together. A view borrows; a reader walks a view;
 * a writer fills memory that it owns (with a hard maximum) or that the caller lends. Reader and
 * writer fail stickily: read or write straight down, and ask once at the end. All numbers are
 * big-endian. Index arithmetic on foreign bytes belongs in this folder and nowhere else. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <base/err.h>

/* Bytes that belong to somebody else. data may be NULL only when len is 0. */
struct view {
    const uint8_t *data;
    size_t len;
};

#define VIEW_NULL ((struct view){NULL, 0})
/* A view of a whole array. */
#define VIEW_OF(array) ((struct view){(array), sizeof(array)})

struct view view_of(const void *data, size_t len);
/* A view of a string, without its end. */
struct view view_str(const char *text);
/* At most the first n bytes / what is left without them (empty when there are fewer). */
struct view view_head(struct view v, size_t n);
struct view view_tail(struct view v, size_t n);
/* Same length and same bytes. Not constant-time: for public values only, see secret.h. */
bool view_equal(struct view a, struct view b);
bool view_starts(struct view v, struct view prefix);

struct reader {
    const uint8_t *at, *end;
    bool bad;
};

void rd_init(struct reader *r, struct view v);
/* Each takes its bytes; when there are too few the reader turns bad and they give 0 or an empty view. */
uint8_t rd_u8(struct reader *r);
uint16_t rd_u16(struct reader *r);
uint32_t rd_u24(struct reader *r);
uint32_t rd_u32(struct reader *r);
uint64_t rd_u64(struct reader *r);
struct view rd_view(struct reader *r, size_t len);
/* Everything that is left. */
struct view rd_rest(struct reader *r);
/* Fields with a length in front (1, 2 or 4 bytes); bad also when the length is above max. */
struct view rd_view8(struct reader *r, size_t max);
struct view rd_view16(struct reader *r, size_t max);
struct view rd_view32(struct reader *r, size_t max);
/* Copies len bytes to out (which is cleared when there are too few). */
void rd_copy(struct reader *r, void *out, size_t len);
/* Looks at the next byte without taking it: -1 when there is none. */
int rd_peek(const struct reader *r);
size_t rd_left(const struct reader *r);
/* Makes the reader bad: for a parser that finds a value it must refuse. */
void rd_fail(struct reader *r);
bool rd_ok(const struct reader *r);
/* Nothing was bad and nothing is left over. */
bool rd_done(const struct reader *r);

struct writer {
    uint8_t *data;
    size_t len, cap, max;
    bool heap, bad;
};

/* Over the caller's memory: never grows. */
void wr_fixed(struct writer *w, void *memory, size_t cap);
/* On the heap, growing up to max bytes; beyond it the writer turns bad. Needs wr_free. */
void wr_heap(struct writer *w, size_t max);
/* Wipes what was written and, for wr_heap, frees it. Accepts a zeroed writer; may be called twice. */
void wr_free(struct writer *w);
/* Wipes the contents but keeps the memory, ready for the next use. */
void wr_clear(struct writer *w);

void wr_u8(struct writer *w, uint8_t v);
void wr_u16(struct writer *w, uint16_t v);
void wr_u24(struct writer *w, uint32_t v);
void wr_u32(struct writer *w, uint32_t v);
void wr_u64(struct writer *w, uint64_t v);
void wr_view(struct writer *w, struct view v);
void wr_bytes(struct writer *w, const void *data, size_t len);
/* Fields with a length in front; the writer turns bad when the length does not fit. */
void wr_view8(struct writer *w, struct view v);
void wr_view16(struct writer *w, struct view v);
void wr_view32(struct writer *w, struct view v);
/* Room for len bytes, zeroed, to be filled in by the caller before the next write; NULL when bad. */
uint8_t *wr_reserve(struct writer *w, size_t len);
/* The same, not zeroed: each byte that is looked at later must be written first. */
uint8_t *wr_room(struct writer *w, size_t len);
/* Puts bytes in at an earlier place (at <= w->len) and moves the rest up. */
void wr_insert(struct writer *w, size_t at, struct view v);
void wr_fail(struct writer *w);
bool wr_ok(const struct writer *w);
/* What was written: borrowed, until the next write. */
struct view wr_view_of(const struct writer *w);
/* OK, or ERR_LIMIT when the writer turned bad. */
enum err wr_status(const struct writer *w) MUST_USE;

#endif
