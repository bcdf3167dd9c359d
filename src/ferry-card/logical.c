/* SPDX-License-Identifier: Apache-2.0
 *
 * MANAGE CHANNEL and what goes with a logical channel. */
#include "logical.h"

#include <string.h>

enum { P1_OPEN = 0x00, P1_CLOSE = 0x80, CLA_FURTHER = 0x40, CLA_NUMBER = 0x03, CLA_SM = 0x0C };

uint8_t logical_number(uint8_t cla)
{
    return cla & CLA_NUMBER;
}

bool logical_enter(struct card *card, uint8_t cla)
{
    struct logical_channel *l = &card->logical[logical_number(cla)];
    if ((cla & CLA_FURTHER) || !l->open)
        return false;
    card->now = l;
    return true;
}

void logical_close(struct card *card)
{
    struct logical_channel *l = card->now;
    card_session_end(card, SESSION_NONE);
    card->now = &card->logical[0];
    if (l != card->now)
        memset(l, 0, sizeof *l);
}

void logical_reset(struct card *card, struct card_aid selected)
{
    for (size_t n = CARD_LOGICAL_CHANNELS; n-- != 0;) {
        card->now = &card->logical[n];
        logical_close(card);
    }
    card->now->open = true;
    card->now->select_cursor = 0;
    card->now->selected = selected;
}

/* 6.4.2.2, 6.4.3.2: what is selected on a new channel depends on the one that it was opened from. */
static void open_channel(struct card *card, struct logical_channel *l)
{
    bool from_basic = card->now == &card->logical[0];
    memset(l, 0, sizeof *l);
    l->open = true;
    l->selected = from_basic ? card_default_application(card) : card->now->selected;
}

static uint16_t manage_open(struct card *card, uint8_t wanted, struct writer *out)
{
    if (wanted >= CARD_LOGICAL_CHANNELS)
        return SW_FUNCTION_UNSUPPORTED;
    for (unsigned n = 1; n < CARD_LOGICAL_CHANNELS; n++) {
        if (card->logical[n].open || (wanted != 0 && wanted != n))
            continue;
        open_channel(card, &card->logical[n]);
        if (wanted == 0) /* ISO/IEC 7816-4 11.1.2: a number that the host chose is not told back */
            wr_u8(out, (uint8_t)n);
        return SW_OK;
    }
    return SW_FUNCTION_UNSUPPORTED;
}

static uint16_t manage_close(struct card *card, uint8_t number)
{
    if (number == 0 || number >= CARD_LOGICAL_CHANNELS)
        return SW_FUNCTION_UNSUPPORTED; /* the basic one can never be closed */
    if (!card->logical[number].open)
        return SW_WARNING_UNCHANGED; /* table 11-62 */
    struct logical_channel *origin = card->now;
    card->now = &card->logical[number];
    logical_close(card);
    if (origin->open)
        card->now = origin;
    return SW_OK;
}

uint16_t cmd_manage_channel(struct card *card, const struct apdu *a, struct writer *out)
{
    if (a->cla & CLA_SM)
        return SW_SM_UNSUPPORTED;
    if (a->data.len != 0)
        return SW_WRONG_LENGTH;
    if (a->p1 == P1_CLOSE)
        return manage_close(card, a->p2);
    if (a->p1 != P1_OPEN)
        return SW_INCORRECT_P1P2;
    /* 6.4.2.2: not in CARD_LOCKED and TERMINATED. */
    return card->state.life >= LIFE_CARD_LOCKED ? SW_FUNCTION_UNSUPPORTED : manage_open(card, a->p2, out);
}
