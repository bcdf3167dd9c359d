/* links: cf_gp */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers to GET STATUS, and the store's bytes: a registry keeps its limits and survives as bytes; a refused
 * answer leaves it as it was. The first byte is the subset; 0 means the store's bytes. */
#include <assert.h>

#include <gp/registry.h>

enum { STATE_MAX = 1 << 20, STATE_VERSION = 2 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void look(const struct registry *r)
{
    assert(r->count <= REGISTRY_ENTRIES_MAX);
    for (size_t n = 0; n < r->count; n++) {
        const struct registry_entry *e = &r->entries[n];
        assert(e->aid.len >= AID_MIN && e->aid.len <= AID_MAX && e->module_count <= CAP_APPLETS_MAX);
        assert(registry_find(r, &e->aid) != NULL);
        assert(registry_state_text(e->subset, e->state) != NULL);
    }
}

static void survives(const struct registry *r, struct view same_as)
{
    struct writer a, b;
    struct registry back = {0};
    wr_heap(&a, STATE_MAX);
    wr_heap(&b, STATE_MAX);
    assert(registry_encode(r, &a) == OK);
    assert(registry_decode(&back, wr_view_of(&a)) == OK);
    assert(registry_encode(&back, &b) == OK);
    assert(view_equal(wr_view_of(&a), wr_view_of(&b)));
    assert(same_as.len == 0 || view_equal(wr_view_of(&a), same_as));
    registry_finish(&back);
    wr_free(&a);
    wr_free(&b);
}

/* One answer, and the same in two pages that end anywhere, tell the same. */
static void pages(struct registry *r, uint8_t subset, struct view v)
{
    struct registry cut = {0};
    size_t at = v.len > 0 ? v.data[v.len - 1] : 0;
    struct rapdu whole = {v, SW_OK}, first = {view_head(v, at), SW_MORE_DATA},
                 second = {view_tail(v, at), SW_OK};
    enum err e = registry_add(r, subset, &whole);
    assert(!r->more && r->tail_len == 0 && (e == OK || r->count == 0));
    enum err f = registry_add(&cut, subset, &first);
    if (f == OK)
        f = registry_add(&cut, subset, &second);
    assert(e != OK || f != OK || (cut.count == r->count && cut.tail_len == 0));
    assert(e != OK || f == OK || f == ERR_LIMIT);
    registry_finish(&cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct registry r = {0};
    if (len == 0 || len > STATE_MAX / 2)
        return 0;
    struct view v = view_tail(view_of(data, len), 1);
    if (data[0] == 0) {
        if (registry_decode(&r, v) != OK)
            return 0;
        look(&r);
        survives(&r, v.data[0] == STATE_VERSION ? v : VIEW_NULL); /* an older one is written anew */
    } else {
        pages(&r, data[0], v);
        look(&r);
        survives(&r, VIEW_NULL);
    }
    registry_finish(&r);
    return 0;
}
