/* SPDX-License-Identifier: Apache-2.0
 *
 * STORE DATA (GPCS 2.3.1 11.11): to an application after INSTALL [for personalization], else to the security
 * domain itself. There is no interpreter, so an application keeps the blocks as they come. */
#include <string.h>

#include <tlv/tlv.h>

#include "domain.h"

enum { P1_LAST = 0x80, P1_STRUCTURE = 0x18, P1_DGI = 0x08, DGI_OBJECTS = 0x0070 };
enum { BLOCK_COST = 4 };

static uint16_t store_for_application(struct card *card, const struct apdu *a)
{
    struct view aid = card_aid_view(&card->now->personalising.aid);
    const struct card_application *app = card_find_application(&card->state, aid);
    size_t more = a->data.len + BLOCK_COST;
    struct writer w;
    if (app == NULL)
        return SW_REFERENCED_DATA;
    if (more > card_memory_free(&card->state) || app->stored_len + more > CARD_STORED_MAX ||
        app->block_count == UINT16_MAX)
        return SW_NOT_ENOUGH_MEMORY;
    wr_heap(&w, more + 64);
    card_put_block(&w, aid, a->p1, a->p2, a->data);
    uint16_t sw = card_commit(card, &w, true);
    wr_free(&w);
    return sw;
}

/* Objects that can be set; the others are generated (11.11.2.3). */
static bool can_be_stored(const struct tlv *object)
{
    static const struct {
        uint32_t tag;
        size_t max;
    } rows[] = {{0x42, 255}, {0x45, 255}, {0x66, 255}, {0x67, 255}, {CARD_TAG_GROUP, 16}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].tag == object->tag)
            return object->value.len != 0 && object->value.len <= rows[i].max;
    }
    return false;
}

static uint16_t store_objects(struct card *card, struct view objects)
{
    struct reader r;
    struct tlv object;
    struct writer w;
    uint16_t sw = objects.len != 0 ? SW_OK : SW_WRONG_DATA;
    wr_heap(&w, CAPDU_MAX);
    rd_init(&r, objects);
    while (sw == SW_OK && tlv_next(&r, &object)) {
        if (object.tag == CARD_TAG_KEY_REFERENCE) {
            struct view crt = object.value;
            sw = tlv_next(&r, &object) ? card_put_of_key(card, crt, &object, &w) : SW_WRONG_DATA;
        } else if (!can_be_stored(&object))
            sw = SW_WRONG_DATA;
        else
            card_put_object(&w, card_domain_of(card), (uint16_t)object.tag, object.value);
    }
    if (sw == SW_OK && !rd_done(&r))
        sw = SW_WRONG_DATA;
    if (sw == SW_OK)
        sw = card_commit(card, &w, true);
    wr_free(&w);
    return sw;
}

static uint16_t store_for_domain(struct card *card, const struct apdu *a)
{
    struct reader r;
    if ((a->p1 & P1_STRUCTURE) != P1_DGI)
        return store_objects(card, a->data);
    rd_init(&r, a->data);
    uint16_t dgi = rd_u16(&r);
    struct view objects = rd_view8(&r, UINT8_MAX - 1);
    return rd_done(&r) && dgi == DGI_OBJECTS ? store_objects(card, objects) : SW_WRONG_DATA;
}

uint16_t cmd_store_data(struct card *card, const struct apdu *a, struct writer *out)
{
    struct personalising *p = &card->now->personalising;
    (void)out;
    /* 11.11.2.2: in order; a refused command and the last block set the count back. */
    uint16_t sw = SW_INCORRECT_P1P2;
    if (a->p2 == p->next_block && (a->p1 & P1_STRUCTURE) != P1_STRUCTURE)
        sw = p->aid.len != 0 ? store_for_application(card, a) : store_for_domain(card, a);
    p->next_block = sw == SW_OK ? p->next_block + 1 : 0;
    if (sw == SW_OK && (a->p1 & P1_LAST))
        memset(p, 0, sizeof *p);
    return sw;
}
