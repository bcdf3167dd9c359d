/* SPDX-License-Identifier: Apache-2.0
 *
 * The adapter. */
#include "vcard.h"

#include <stdlib.h>
#include <string.h>

#include "card.h"
#include "keyed.h"
#include "keypair.h"
#include "personalise.h"
#include "quirks.h"

struct vcard {
    struct card card;
    struct crypto *crypto;
};

static enum err commit(void *ctx, struct view records, bool sync)
{
    (void)ctx, (void)records, (void)sync; /* memory that lasts as long as the test */
    return OK;
}

static enum err add_pairs(const struct vcard_options *o, struct card_state *state)
{
    char what[KEYED_WHAT_MAX];
    struct keyed k;
    if (o->scp11 == NULL && o->signed_i == 0)
        return OK;
    keyed_init(&k);
    k.host = o->host;
    k.variants = o->scp11;
    k.curve = o->curve;
    k.s16 = o->s16;
    k.trust_b = true;
    k.signed_i = o->signed_i;
    state->profile.flags |= keyed_flags(&k);
    return keyed_personalise(&k, state, what);
}

const char *vcard_quirk(size_t n)
{
    size_t count;
    const struct card_quirk_row *rows = card_quirks(&count);
    return n < count ? rows[n].name : NULL;
}

enum err vcard_new(struct vcard **out, struct crypto *crypto, const struct vcard_options *o)
{
    static const uint8_t isd[] = {0xA0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00, 0x00};
    struct vcard *c = calloc(1, sizeof(*c));
    struct card_state *state = calloc(1, sizeof(*state));
    struct personal p = {.kind = *card_kind_by_name(o->kind)};
    struct secret keys[3] = {0};
    enum err e = c != NULL && state != NULL ? OK : ERR_MEMORY;
    if (o->i >= 0)
        p.kind.i = (uint8_t)o->i;
    if (o->memory != 0)
        p.kind.memory = o->memory;
    if (o->scp != 0)
        p.kind.scp = o->scp;
    if (o->short_only)
        p.kind.flags |= CARD_SHORT_ONLY;
    enum card_quirk quirk;
    if (o->quirk != NULL && card_quirk_by_name(o->quirk, &quirk))
        p.kind.quirks = quirk;
    if (o->kvn != 0)
        p.kind.kvn = o->kvn;
    if (o->key_bits != 0)
        p.kind.key_bits = o->key_bits;
    memcpy(p.isd, isd, sizeof(isd));
    p.isd_len = sizeof(isd);
    memset(p.serial, o->serial, sizeof(p.serial));
    p.serial_len = sizeof(p.serial);
    for (uint8_t n = 0; n < 3; n++) {
        keys[n].len = p.kind.key_bits / 8U;
        /* One base key stands for all three (GPCS 2.3.1 E.2). */
        memset(keys[n].data, o->key + (card_channel_key_count(p.kind.scp, p.kind.i) == 3 ? n : 0),
               keys[n].len);
    }
    if (e == OK)
        e = personal_complete(&p, crypto_random());
    if (e == OK)
        e = personalise(&p, keys, state);
    if (e == OK)
        e = add_pairs(o, state);
    if (e == OK) {
        c->crypto = crypto;
        card_init(&c->card, state, crypto, crypto_random(), (struct card_store){commit, c});
        *out = c;
        c = NULL;
    }
    if (state != NULL)
        card_state_finish(state);
    free(state);
    free(c);
    return e;
}

void vcard_free(struct vcard **c)
{
    if (*c == NULL)
        return;
    card_finish(&(*c)->card);
    free(*c);
    *c = NULL;
}

void vcard_save(const struct vcard *c, struct writer *out)
{
    card_state_put(&c->card.state, out);
}

enum err vcard_restore(struct vcard *c, struct view saved)
{
    struct card_state *state = calloc(1, sizeof(*state));
    enum err e = state != NULL ? card_state_apply(state, saved) : ERR_MEMORY;
    if (e == OK) {
        card_finish(&c->card);
        card_init(&c->card, state, c->crypto, crypto_random(), (struct card_store){commit, c});
    }
    if (state != NULL)
        card_state_finish(state);
    free(state);
    return e;
}

enum err vcard_public_key(struct vcard *c, uint8_t kvn, uint8_t kid, struct writer *spki)
{
    const struct card_key *k = card_find_key(&c->card.state, VIEW_NULL, kvn, kid);
    struct pk *pair = NULL;
    enum err e = k != NULL ? keypair_load(k, &pair) : ERR_NOT_FOUND;
    if (e == OK)
        e = pk_put_spki(pair, spki);
    pk_free(&pair);
    return e;
}

void vcard_put_atr(const struct vcard *c, struct writer *out)
{
    card_put_atr(&c->card, out);
}

void vcard_reset(struct vcard *c)
{
    card_reset(&c->card);
}

void vcard_send(struct vcard *c, struct view capdu, struct writer *rapdu)
{
    card_process(&c->card, capdu, rapdu);
}

bool vcard_has_package(struct vcard *c, struct view aid)
{
    return card_find_package(&c->card.state, aid) != NULL;
}

bool vcard_has_application(struct vcard *c, struct view aid)
{
    return card_find_application(&c->card.state, aid) != NULL;
}

unsigned vcard_failures(struct vcard *c)
{
    return c->card.state.keysets[0].failures;
}

void vcard_set_failures(struct vcard *c, unsigned failures)
{
    c->card.state.keysets[0].failures = (uint16_t)failures;
}
