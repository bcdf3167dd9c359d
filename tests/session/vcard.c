/* SPDX-License-Identifier: Apache-2.0
 *
 * The adapter. */
#include "vcard.h"

#include <stdlib.h>
#include <string.h>

#include "card.h"
#include "personalise.h"

struct vcard {
    struct card card;
    struct crypto *crypto;
};

static enum err commit(void *ctx, struct view records, bool sync)
{
    (void)ctx, (void)records, (void)sync; /* memory that lasts as long as the test */
    return OK;
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
    memcpy(p.isd, isd, sizeof(isd));
    p.isd_len = sizeof(isd);
    memset(p.serial, o->serial, sizeof(p.serial));
    p.serial_len = sizeof(p.serial);
    for (uint8_t n = 0; n < 3; n++) {
        keys[n].len = p.kind.key_bits / 8U;
        memset(keys[n].data, o->key + n, keys[n].len);
    }
    if (e == OK)
        e = personal_complete(&p, crypto_random());
    if (e == OK)
        e = personalise(&p, keys, state);
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
