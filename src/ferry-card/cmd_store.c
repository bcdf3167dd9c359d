/* SPDX-License-Identifier: Apache-2.0
 *
 * STORE DATA (GPCS 2.3.1 11.11): to an application after INSTALL [for personalization], else to the security
 * domain itself. There is no interpreter, so an application keeps the blocks as they come. A security domain
 * reads structures, DGI or BER-TLV, that may be cut anywhere between blocks; what one block completes is one
 * transaction. */
#include <string.h>

#include <tlv/tlv.h>

#include "store.h"

enum { P1_LAST = 0x80, P1_ENCRYPTION = 0x60, P1_ENCRYPTION_RFU = 0x40, P1_STRUCTURE = 0x18 };
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

/* A security domain is personalised as the one that is selected would be. */
static uint16_t store_for_domain(struct card *card, const struct apdu *a)
{
    struct personalising *p = &card->now->personalising;
    struct writer all, records;
    uint8_t structure = a->p1 & P1_STRUCTURE;
    size_t used = 0;
    if (p->pending_len != 0 && p->structure != structure)
        return SW_WRONG_DATA;
    wr_heap(&all, STORE_PENDING_MAX + CAPDU_MAX);
    wr_heap(&records, CARD_FRAME_MAX);
    wr_bytes(&all, p->pending, p->pending_len);
    wr_view(&all, a->data);
    uint16_t sw = store_structures(card, structure, (a->p1 & P1_ENCRYPTION) == P1_ENCRYPTION,
                                   wr_view_of(&all), &used, &records);
    struct view rest = view_tail(wr_view_of(&all), used);
    if (sw == SW_OK && (rest.len > STORE_PENDING_MAX || ((a->p1 & P1_LAST) && rest.len != 0)))
        sw = SW_WRONG_DATA;
    if (sw == SW_OK && records.len != 0)
        sw = card_commit(card, &records, true);
    if (sw == SW_OK) {
        memcpy(p->pending, rest.len != 0 ? rest.data : p->pending, rest.len);
        p->pending_len = rest.len;
        p->structure = structure;
    }
    wr_free(&all);
    wr_free(&records);
    return sw;
}

/* INSTALL [for personalization] of a security domain: its STORE DATA come through the one above it. */
static uint16_t store_through(struct card *card, const struct apdu *a)
{
    struct card_aid through = card->now->selected;
    card->now->selected = card->now->personalising.aid;
    uint16_t sw = store_for_domain(card, a);
    card->now->selected = through;
    return sw;
}

static uint16_t store(struct card *card, const struct apdu *a)
{
    const struct card_aid *to = &card->now->personalising.aid;
    if (to->len == 0)
        return store_for_domain(card, a);
    return card_has_domain(&card->state, card_aid_view(to)) ? store_through(card, a)
                                                            : store_for_application(card, a);
}

uint16_t cmd_store_data(struct card *card, const struct apdu *a, struct writer *out)
{
    struct personalising *p = &card->now->personalising;
    (void)out;
    /* 11.11.2.2: in order; a refused command and the last block set the count back. */
    uint16_t sw = SW_INCORRECT_P1P2;
    if (a->p2 == p->next_block && (a->p1 & P1_STRUCTURE) != P1_STRUCTURE &&
        (a->p1 & P1_ENCRYPTION) != P1_ENCRYPTION_RFU)
        sw = store(card, a);
    p->next_block = sw == SW_OK ? p->next_block + 1 : 0;
    if (sw != SW_OK) {
        wipe(p->pending, p->pending_len);
        p->pending_len = 0;
    }
    if (sw == SW_OK && (a->p1 & P1_LAST))
        memset(p, 0, sizeof *p);
    return sw;
}
