/* SPDX-License-Identifier: Apache-2.0
 *
 * Views, readers and writers: the only code that computes positions in foreign bytes. */
#include <base/bytes.h>

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_HEAP_BLOCK = 256 };

struct view view_of(const void *data, size_t len)
{
    return (struct view){data, len};
}

struct view view_str(const char *text)
{
    return view_of(text, strlen(text));
}

struct view view_head(struct view v, size_t n)
{
    return n < v.len ? view_of(v.data, n) : v;
}

struct view view_tail(struct view v, size_t n)
{
    return n < v.len ? view_of(v.data + n, v.len - n) : VIEW_NULL;
}

bool view_equal(struct view a, struct view b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool view_starts(struct view v, struct view prefix)
{
    return v.len >= prefix.len && view_equal(view_head(v, prefix.len), prefix);
}

void rd_init(struct reader *r, struct view v)
{
    /* An empty view may have no address: give the reader one, so that end - at is defined. */
    static const uint8_t nothing[1];
    r->at = v.data != NULL ? v.data : nothing;
    r->end = r->at + v.len;
    r->bad = false;
}

struct view rd_view(struct reader *r, size_t len)
{
    if (r->bad || len > rd_left(r)) {
        rd_fail(r);
        return VIEW_NULL;
    }
    struct view v = view_of(r->at, len);
    r->at += len;
    return v;
}

static uint64_t take_number(struct reader *r, size_t bytes)
{
    struct view v = rd_view(r, bytes);
    uint64_t n = 0;
    for (size_t i = 0; i < v.len; i++)
        n = n << 8 | v.data[i];
    return n;
}

uint8_t rd_u8(struct reader *r)
{
    return (uint8_t)take_number(r, 1);
}

uint16_t rd_u16(struct reader *r)
{
    return (uint16_t)take_number(r, 2);
}

uint32_t rd_u24(struct reader *r)
{
    return (uint32_t)take_number(r, 3);
}

uint32_t rd_u32(struct reader *r)
{
    return (uint32_t)take_number(r, 4);
}

uint64_t rd_u64(struct reader *r)
{
    return take_number(r, 8);
}

struct view rd_rest(struct reader *r)
{
    return rd_view(r, rd_left(r));
}

static struct view take_field(struct reader *r, size_t len, size_t max)
{
    if (len > max)
        rd_fail(r);
    return rd_view(r, len);
}

struct view rd_view8(struct reader *r, size_t max)
{
    return take_field(r, rd_u8(r), max);
}

struct view rd_view16(struct reader *r, size_t max)
{
    return take_field(r, rd_u16(r), max);
}

struct view rd_view32(struct reader *r, size_t max)
{
    return take_field(r, rd_u32(r), max);
}

void rd_copy(struct reader *r, void *out, size_t len)
{
    struct view v = rd_view(r, len);
    if (v.len > 0)
        memcpy(out, v.data, v.len);
    else
        memset(out, 0, len);
}

int rd_peek(const struct reader *r)
{
    return rd_left(r) > 0 ? *r->at : -1;
}

size_t rd_left(const struct reader *r)
{
    return r->bad ? 0 : (size_t)(r->end - r->at);
}

void rd_fail(struct reader *r)
{
    r->bad = true;
}

bool rd_ok(const struct reader *r)
{
    return !r->bad;
}

bool rd_done(const struct reader *r)
{
    return !r->bad && r->at == r->end;
}

void wr_fixed(struct writer *w, void *memory, size_t cap)
{
    *w = (struct writer){.data = memory, .cap = cap, .max = cap};
}

void wr_heap(struct writer *w, size_t max)
{
    *w = (struct writer){.max = max, .heap = true};
}

void wr_clear(struct writer *w)
{
    if (w->len > 0)
        explicit_bzero(w->data, w->len);
    w->len = 0;
    w->bad = false;
}

void wr_free(struct writer *w)
{
    wr_clear(w);
    if (w->heap)
        free(w->data);
    *w = (struct writer){0};
}

/* Moves to a larger block by hand: realloc would leave the old contents behind unwiped. */
static bool grow(struct writer *w, size_t need)
{
    size_t cap = w->cap > 0 ? w->cap : FIRST_HEAP_BLOCK;
    while (cap < need)
        cap *= 2;
    if (cap > w->max)
        cap = w->max;
    uint8_t *data = malloc(cap);
    if (data == NULL)
        return false;
    if (w->data != NULL) {
        memcpy(data, w->data, w->len);
        explicit_bzero(w->data, w->len);
    }
    free(w->data);
    w->data = data;
    w->cap = cap;
    return true;
}

/* Room for len bytes, as they come: whoever takes it fills it. */
static uint8_t *take_room(struct writer *w, size_t len)
{
    if (w->bad || len > w->max - w->len) {
        wr_fail(w);
        return NULL;
    }
    /* A heap writer gets a block even for no bytes, so that NULL always means bad. */
    bool full = len > w->cap - w->len || w->data == NULL;
    if (full && (!w->heap || !grow(w, w->len + len))) {
        wr_fail(w);
        return NULL;
    }
    uint8_t *at = w->data + w->len;
    w->len += len;
    return at;
}

uint8_t *wr_room(struct writer *w, size_t len)
{
    return take_room(w, len);
}

uint8_t *wr_reserve(struct writer *w, size_t len)
{
    uint8_t *at = take_room(w, len);
    if (at != NULL)
        memset(at, 0, len);
    return at;
}

static void put_number(struct writer *w, uint64_t v, size_t bytes)
{
    uint8_t *at = take_room(w, bytes);
    if (at == NULL)
        return;
    for (size_t i = bytes; i-- > 0; v >>= 8)
        at[i] = (uint8_t)v;
}

void wr_u8(struct writer *w, uint8_t v)
{
    put_number(w, v, 1);
}

void wr_u16(struct writer *w, uint16_t v)
{
    put_number(w, v, 2);
}

void wr_u24(struct writer *w, uint32_t v)
{
    if (v > 0xFFFFFF)
        wr_fail(w);
    put_number(w, v, 3);
}

void wr_u32(struct writer *w, uint32_t v)
{
    put_number(w, v, 4);
}

void wr_u64(struct writer *w, uint64_t v)
{
    put_number(w, v, 8);
}

void wr_bytes(struct writer *w, const void *data, size_t len)
{
    if (len == 0)
        return;
    uint8_t *at = take_room(w, len);
    if (at != NULL)
        memcpy(at, data, len);
}

void wr_view(struct writer *w, struct view v)
{
    wr_bytes(w, v.data, v.len);
}

static void put_field(struct writer *w, struct view v, size_t length_bytes)
{
    if (length_bytes < sizeof(v.len) && v.len >> (8 * length_bytes) != 0)
        wr_fail(w);
    put_number(w, v.len, length_bytes);
    wr_view(w, v);
}

void wr_view8(struct writer *w, struct view v)
{
    put_field(w, v, 1);
}

void wr_view16(struct writer *w, struct view v)
{
    put_field(w, v, 2);
}

void wr_view32(struct writer *w, struct view v)
{
    put_field(w, v, 4);
}

void wr_insert(struct writer *w, size_t at, struct view v)
{
    assert(at <= w->len || w->bad);
    size_t moved = w->len - at;
    if (v.len == 0 || take_room(w, v.len) == NULL)
        return;
    memmove(w->data + at + v.len, w->data + at, moved);
    memcpy(w->data + at, v.data, v.len);
}

void wr_fail(struct writer *w)
{
    w->bad = true;
}

bool wr_ok(const struct writer *w)
{
    return !w->bad;
}

struct view wr_view_of(const struct writer *w)
{
    return view_of(w->data, w->len);
}

enum err wr_status(const struct writer *w)
{
    return w->bad ? ERR_LIMIT : OK;
}
