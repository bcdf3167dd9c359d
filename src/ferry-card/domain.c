/* SPDX-License-Identifier: Apache-2.0
 *
 * The tree of security domains. */
#include "domain.h"

enum { KVN_CONTENT = 0x70 }; /* from here on versions are for content management */

struct view card_domain_of(const struct card *card)
{
    return card_aid_view(&card->now->selected);
}

bool card_domain_selected(const struct card *card)
{
    return card_has_domain(&card->state, card_domain_of(card));
}

/* Key pairs, other than those for tokens, receipts and load files. */
static bool is_channel_key(const struct card_key *k)
{
    return k->kvn < KVN_CONTENT && k->type != CARD_KEY_DES && k->type != CARD_KEY_AES;
}

static bool has_channel_keys(const struct card_state *s, struct view domain)
{
    for (size_t i = 0; i < s->keyset_count; i++) {
        if (card_domain_is(&s->keysets[i].domain, domain))
            return true;
    }
    for (size_t i = 0; i < s->key_count; i++) {
        if (is_channel_key(&s->keys[i]) && card_domain_is(&s->keys[i].domain, domain))
            return true;
    }
    return false;
}

struct view card_domain_above(const struct card_state *s, struct view aid)
{
    for (size_t i = 0; i < s->application_count; i++) {
        if (card_aid_is(&s->applications[i].aid, aid))
            return card_aid_view(&s->applications[i].domain);
    }
    for (size_t i = 0; i < s->package_count; i++) {
        if (card_aid_is(&s->packages[i].aid, aid))
            return card_aid_view(&s->packages[i].domain);
    }
    return VIEW_NULL;
}

/* Up from one to the next; a domain that is its own is the top of its tree. Extradition makes no circles, and
 * the count bounds the walk all the same. */
static bool step_up(const struct card_state *s, struct view *at, size_t *steps)
{
    struct view above = card_domain_above(s, *at);
    if (at->len == 0 || view_equal(above, *at) || ++*steps > CARD_APPLICATIONS_MAX)
        return false;
    *at = above;
    return true;
}

struct view card_domain_top(const struct card_state *s, struct view domain)
{
    struct view at = domain;
    size_t steps = 0;
    while (step_up(s, &at, &steps))
        continue;
    return at;
}

bool card_domain_is_personalized(const struct card_state *s, struct view domain)
{
    for (size_t i = 0; i < s->application_count; i++) {
        if (card_aid_is(&s->applications[i].aid, domain))
            return s->applications[i].life == STATE_PERSONALIZED;
    }
    return domain.len == 0;
}

bool card_domain_named(const struct card_state *s, struct view aid, struct card_aid *out)
{
    struct card_aid named = {.len = 0};
    if (aid.len == 0 || (!card_aid_is(&s->profile.isd, aid) && !card_has_domain(s, aid)))
        return false;
    if (!card_aid_is(&s->profile.isd, aid) && !card_aid_set(&named, aid))
        return false;
    *out = named;
    return true;
}

struct view card_domain_aid(const struct card_state *s, struct view domain)
{
    return domain.len != 0 ? domain : card_aid_view(&s->profile.isd);
}

struct view card_channel_domain(const struct card *card)
{
    struct view at = card_domain_of(card);
    size_t steps = 0;
    while (!has_channel_keys(&card->state, at)) {
        if (!step_up(&card->state, &at, &steps))
            return VIEW_NULL;
    }
    return at;
}

bool card_is_below(const struct card_state *s, struct view aid, struct view domain)
{
    struct view at = aid;
    size_t steps = 0;
    while (!view_equal(at, domain)) {
        if (!step_up(s, &at, &steps))
            return false;
    }
    return true;
}
