/* SPDX-License-Identifier: Apache-2.0
 *
 * Components one behind the other, in load order: what goes to the card, kept as a file (.ijc). */
#include <cap/archive.h>
#include <cap/problem.h>

/* 01, size, DECAFFED (JCVM 6.4). */
bool row_looks_like(struct view file)
{
    static const uint8_t magic[] = {0xDE, 0xCA, 0xFF, 0xED};
    struct reader r;
    rd_init(&r, file);
    bool header = rd_u8(&r) == COMPONENT_HEADER;
    rd_u16(&r);
    return header && view_equal(rd_view(&r, sizeof(magic)), VIEW_OF(magic)) && rd_ok(&r);
}

/* Where a tag stands in load order; Descriptor and Debug, which are skipped, may only be last. */
static unsigned place_of(unsigned tag)
{
    const uint8_t *order = component_load_order();
    unsigned place = 0;
    while (order[place] != 0 && order[place] != tag)
        place++;
    return order[place] != 0 ? place : place + tag;
}

/* The flags in Header say which sizes have 4 bytes, since format 2.3. */
static uint8_t flags_of(struct view header)
{
    struct reader r;
    rd_init(&r, header);
    rd_view(&r, 3 + 4); /* tag, size, magic */
    uint8_t minor = rd_u8(&r);
    rd_u8(&r);
    uint8_t flags = rd_u8(&r);
    return minor >= 3 ? flags : 0;
}

static enum err take_component(struct components *c, struct reader *r, unsigned tag, struct cap_problem *why)
{
    struct reader begin = *r;
    uint8_t flags = flags_of(c->whole[COMPONENT_HEADER]);
    bool wide = component_is_wide(tag, flags);
    rd_u8(&begin);
    size_t len = wide ? (size_t)rd_u32(&begin) + 5 : (size_t)rd_u16(&begin) + 3;
    c->wide[tag] = wide;
    c->whole[tag] = rd_view(r, len);
    if (!rd_ok(r))
        return cap_refuse(why, ERR_FORMAT, "%s: says %zu bytes, the file ends before",
                          component_kind(tag)->name, len);
    return OK;
}

enum err row_read(struct components *out, struct view file, struct cap_problem *why)
{
    struct reader r;
    enum err e = OK;
    unsigned next = 0;
    *out = (struct components){.folder = ""};
    rd_init(&r, file);
    while (e == OK && rd_left(&r) > 0) {
        unsigned tag = (unsigned)rd_peek(&r);
        if (tag == 0 || tag >= COMPONENT_TAGS)
            return cap_refuse(why, ERR_FORMAT, "a component with the unknown tag %02X", tag);
        unsigned place = place_of(tag);
        if (place < next)
            return cap_refuse(why, ERR_FORMAT, "%s is not in load order", component_kind(tag)->name);
        next = place + 1;
        e = take_component(out, &r, tag, why);
    }
    return e;
}
