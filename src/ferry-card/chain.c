/* SPDX-License-Identifier: Apache-2.0
 *
 * Joining the parts of a command. */
#include "chain.h"

#include <string.h>

enum { CLA_MORE = 0x10, P1_MORE = 0x80, WHOLE_MAX = 65535 };

void chain_init(struct chain *c)
{
    memset(c, 0, sizeof *c);
    wr_heap(&c->data, WHOLE_MAX);
}

void chain_finish(struct chain *c)
{
    wr_free(&c->data);
    memset(c, 0, sizeof *c);
}

void chain_end(struct chain *c)
{
    c->kind = CHAIN_NONE;
    wr_clear(&c->data);
}

static enum chain_kind kind_of(const struct apdu *a, bool gp)
{
    if (a->cla & CLA_MORE)
        return CHAIN_ISO;
    return gp && (a->p1 & P1_MORE) ? CHAIN_GP : CHAIN_NONE;
}

bool chain_has_more(const struct apdu *a, bool gp)
{
    return kind_of(a, gp) != CHAIN_NONE;
}

/* The header as all parts of a chain of this kind have it. */
static void head_of(const struct apdu *a, enum chain_kind kind, uint8_t head[4])
{
    head[0] = kind == CHAIN_ISO ? a->cla & (uint8_t)~CLA_MORE : a->cla;
    head[1] = a->ins;
    head[2] = kind == CHAIN_GP ? a->p1 & (uint8_t)~P1_MORE : a->p1;
    head[3] = a->p2;
}

static uint16_t check_part(struct chain *c, const struct apdu *a, bool gp)
{
    uint8_t head[4];
    if ((a->cla & CLA_MORE) && gp && (a->p1 & P1_MORE))
        return SW_CHAINING_UNSUPPORTED;
    if (c->kind == CHAIN_NONE) {
        c->kind = kind_of(a, gp);
        head_of(a, c->kind, c->head);
        return SW_OK;
    }
    head_of(a, c->kind, head);
    enum chain_kind kind = kind_of(a, gp);
    if ((kind != CHAIN_NONE && kind != c->kind) || !view_equal(VIEW_OF(head), VIEW_OF(c->head)))
        return c->kind == CHAIN_GP ? SW_CONDITIONS : SW_LAST_COMMAND_EXPECTED;
    return SW_OK;
}

uint16_t chain_take(struct chain *c, const struct apdu *a, bool gp, struct apdu *whole, bool *complete)
{
    if (c->kind == CHAIN_NONE && !chain_has_more(a, gp)) {
        *whole = *a;
        *complete = true;
        return SW_OK;
    }
    uint16_t sw = check_part(c, a, gp);
    wr_view(&c->data, a->data);
    if (sw == SW_OK && !wr_ok(&c->data))
        sw = c->kind == CHAIN_GP ? SW_INCORRECT_P1P2 : SW_WRONG_LENGTH;
    if (sw != SW_OK) {
        chain_end(c);
        return sw;
    }
    *complete = !chain_has_more(a, gp);
    *whole = *a;
    whole->data = wr_view_of(&c->data);
    return SW_OK;
}
