/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers, one by one. */
#include "judge.h"

unsigned session_subset_bit(uint8_t p1)
{
    switch (p1) {
    case STATUS_PACKAGES:
    case STATUS_PACKAGES_MODULES:
        return SUBSET_PACKAGES;
    case STATUS_APPLICATIONS:
        return SUBSET_APPLICATIONS;
    default:
        return SUBSET_DOMAIN;
    }
}

static bool changes_card(const struct apdu *a)
{
    return a->ins != INS_GET_STATUS && a->ins != INS_GET_DATA && a->ins != INS_SELECT;
}

/* Loading is not yet a change of what the registry tells: an unfinished load leaves nothing behind. */
static bool changes_registry(const struct apdu *a)
{
    bool last_block = (a->p1 & 0x80) != 0;
    bool for_load = a->ins == INS_INSTALL && a->p1 == 0x02;
    return changes_card(a) && !for_load && (a->ins != INS_LOAD || last_block);
}

static void forget_listing(struct verdict *v)
{
    registry_finish(&v->registry);
    v->registry = (struct registry){0};
    v->subsets = 0;
    v->listed_proven = v->all_proven = true;
    v->no_packages = false;
    v->cut = 0;
}

static enum err judge_status(struct verdict *v, const struct apdu *a, const struct vault_result *r)
{
    const struct rapdu answer = {.data = r->data, .sw = r->sw};
    enum err e = registry_add(&v->registry, a->p1, &answer);
    if (e == ERR_MEMORY)
        return e;
    if (e != OK) {
        v->refused = v->refused || !sw_is_ok_or_warning(r->sw);
        return OK;
    }
    v->subsets |= session_subset_bit(a->p1);
    v->cut = r->sw == SW_MORE_DATA ? v->cut | session_subset_bit(a->p1)
                                   : v->cut & ~(unsigned)session_subset_bit(a->p1);
    v->all_proven = v->all_proven && r->proven;
    v->nothing_listed = r->sw == SW_REFERENCED_DATA;
    v->listed_proven = v->listed_proven && (r->proven || v->nothing_listed);
    v->no_packages = v->nothing_listed && session_subset_bit(a->p1) == SUBSET_PACKAGES;
    return OK;
}

/* The number's objects were read before the channel was open, and are read again inside it. */
static void judge_number(const struct session *s, struct verdict *v, const struct apdu *a,
                         const struct vault_result *r)
{
    enum { CPLC = 1, IIN = 4, CIN = 5 }; /* of the identity commands */
    uint16_t tag = (uint16_t)(a->p1 << 8 | a->p2);
    size_t index = tag == 0x9F7F ? CPLC : tag == 0x0042 ? IIN : CIN;
    struct view before = view_of(s->answers[index].data, s->answers[index].len);
    if (!r->proven)
        return;
    struct rapdu answer;
    if (rapdu_parse(before, &answer) == OK && view_equal(answer.data, r->data))
        v->number_answers++;
    else
        v->number_differs = true;
}

/* Of what was listed: the registry that it goes with is that of this packet. */
static void judge_memory(struct verdict *v, const struct vault_result *r)
{
    v->registry.asked_memory = true;
    v->registry.tells_memory = r->sw == SW_OK && memory_parse(r->data, &v->registry.memory) == OK;
}

static enum err judge_answer(struct session *s, struct verdict *v, const struct apdu *a,
                             const struct vault_result *r)
{
    bool good = sw_is_ok_or_warning(r->sw);
    v->stopped = !good;
    v->nothing_listed = false;
    if (a->ins == INS_GET_STATUS)
        return judge_status(v, a, r);
    if (a->ins == INS_GET_DATA && a->p1 == TAG_CARD_RESOURCES >> 8) {
        judge_memory(v, r);
        return OK;
    }
    if (a->ins == INS_GET_DATA) {
        judge_number(s, v, a, r);
        return OK;
    }
    if (!good) {
        v->refused = true;
        if (s->refused_ins == 0) {
            s->refused_ins = a->ins;
            s->refused_sw = r->sw;
        }
        return OK;
    }
    v->changing_done++;
    s->changed = true;
    s->unproven = s->unproven || !r->proven;
    if (changes_registry(a))
        forget_listing(v);
    return OK;
}

enum err session_judge(struct session *s, const struct vault_settlement *in, struct verdict *v)
{
    struct script_reader script;
    enum script_fault fault;
    struct view capdu;
    struct apdu a;
    forget_listing(v);
    enum err e = script_open(&script, wr_view_of(&s->plain), &fault);
    for (size_t n = 0; e == OK && n < s->plain_count; n++) {
        e = script_next(&script, &capdu, &fault);
        if (e == OK)
            e = apdu_parse(capdu, &a);
        if (e != OK)
            return ERR_INTERNAL; /* it is our own script */
        v->changing += changes_card(&a);
        if (n == in->count)
            v->last_unanswered_changes = changes_card(&a);
        if (n < in->count)
            e = judge_answer(s, v, &a, &in->results[n]);
    }
    return e;
}
