/* SPDX-License-Identifier: Apache-2.0
 *
 * Announcing key pairs. */
#include "announce.h"

#include "channel_scp11.h"
#include "channel_signed.h"
#include "keypair.h"

/* ---- methods ---- */

static uint8_t scp11_i(const struct card_state *s, struct view domain)
{
    uint8_t i = 0;
    for (size_t n = 0; n < s->key_count; n++) {
        const struct card_key *k = &s->keys[n];
        const struct card_scp11_variant *v = card_scp11_variant(k->kid);
        if (v != NULL && k->type == CARD_KEY_ECC_PRIVATE && card_domain_is(&k->domain, domain))
            i |= v->announced;
    }
    return i != 0 && (s->profile.flags & CARD_SCP11_S16) ? i | SCP11_I_S16 : i;
}

/* The i of the card's own key for signed commands; 0: it is none. */
static uint8_t signed_i(const struct card_key *k)
{
    struct pk *key = NULL;
    if (k->kid != SIGNED_KID_OWN || !keypair_is_private(k) || keypair_load(k, &key) != OK)
        return 0;
    const struct card_signed_row *row = card_signed_row_of(key);
    pk_free(&key);
    return row != NULL ? row->i : 0;
}

static size_t add(struct announced out[ANNOUNCE_METHODS_MAX], size_t count, uint8_t scp, uint8_t i)
{
    bool seen = i == 0 || count == ANNOUNCE_METHODS_MAX;
    for (size_t n = 0; n < count; n++)
        seen |= out[n].scp == scp && out[n].i == i;
    if (!seen)
        out[count++] = (struct announced){scp, i};
    return count;
}

size_t announce_methods(const struct card_state *s, struct view domain,
                        struct announced out[ANNOUNCE_METHODS_MAX])
{
    size_t count = add(out, 0, card_scp11_ops.scp, scp11_i(s, domain));
    for (size_t n = 0; n < s->key_count; n++) {
        if (card_domain_is(&s->keys[n].domain, domain))
            count = add(out, count, SIGNED_SCP, signed_i(&s->keys[n]));
    }
    return count;
}

static void put_arc(struct writer *w, uint8_t arc)
{
    if (arc > 0x7F)
        wr_u8(w, (uint8_t)(0x80 | arc >> 7));
    wr_u8(w, arc & 0x7F);
}

void announce_put_arcs(struct writer *w, uint8_t scp, uint8_t i)
{
    put_arc(w, scp);
    put_arc(w, i);
}
