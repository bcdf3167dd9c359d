/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads extended card resources information. */
#include <gp/memory.h>

#include <stddef.h>
#include <tlv/tlv.h>

enum { TAG_APPLICATIONS = 0x81, TAG_NONVOLATILE = 0x82, TAG_TRANSIENT = 0x83, NUMBER_LEN_MAX = 8 };

static bool take_number(struct view v, uint32_t *out)
{
    uint64_t n = 0;
    if (v.len == 0 || v.len > NUMBER_LEN_MAX)
        return false;
    for (size_t i = 0; i < v.len; i++)
        n = n << 8 | v.data[i];
    *out = n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
    return true;
}

static enum err take_object(struct card_memory *m, const struct tlv *object)
{
    const struct {
        uint32_t tag;
        uint32_t *value;
        bool *has;
    } rows[] = {{TAG_APPLICATIONS, &m->applications, &m->has_applications},
                {TAG_NONVOLATILE, &m->nonvolatile, &m->has_nonvolatile},
                {TAG_TRANSIENT, &m->transient, &m->has_transient}};
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        if (rows[n].tag != object->tag)
            continue;
        if (*rows[n].has || !take_number(object->value, rows[n].value))
            return ERR_FORMAT;
        *rows[n].has = true;
    }
    return OK; /* others are passed over */
}

enum err memory_parse(struct view answer, struct card_memory *out)
{
    struct reader r;
    struct tlv object;
    struct view inner;
    struct card_memory made = {.applications = 0};
    if (tlv_valid(answer) && tlv_find(answer, TAG_CARD_RESOURCES, &inner))
        answer = inner;
    rd_init(&r, answer);
    while (tlv_next(&r, &object)) {
        enum err e = take_object(&made, &object);
        if (e != OK)
            return e;
    }
    if (!rd_done(&r))
        return ERR_FORMAT;
    if (!made.has_applications && !made.has_nonvolatile && !made.has_transient)
        return ERR_NOT_FOUND;
    *out = made;
    return OK;
}
