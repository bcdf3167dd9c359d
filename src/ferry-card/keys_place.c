/* SPDX-License-Identifier: Apache-2.0
 *
 * Where new keys go: beside the others of the security domain or in the place of old ones (GPCS 2.3.1
 * 11.8.2.3.3), all in one transaction. A key set of a secure channel is made of identifiers 1 to 3; as long
 * as one of them is missing they stand alone. */
#include "key_parts.h"

#include <string.h>

#include "domain.h"
#include "keypair.h"

enum {
    SET_KEYS = 3,
    KVN_FACTORY = 0xFF,
    KVN_MAX = 0x7F,
    KVN_NOT_CHANNEL = 0x70,
    SINGLE_DES = 8,
    DOUBLE_DES = 16
};

/* ---- which secure channel ---- */

struct protocol {
    uint8_t scp, i;
};

static bool fits(struct protocol p, uint8_t type)
{
    return type == CARD_KEY_DES ? p.scp == 0x01 || p.scp == 0x02 : p.scp == 0x03;
}

/* A new set speaks as its security domain was made to, else as the session does; a session with key pairs
 * leaves it to the type of the keys. The issuer's own stays with the kind of session that it is managed by.
 */
static bool find_protocol(const struct card *card, uint8_t type, struct protocol *out)
{
    const struct card_channel *ch = &card->now->session.channel;
    struct protocol p = {ch->scp, ch->i};
    for (size_t n = 0; n < card->state.application_count; n++) {
        const struct card_application *a = &card->state.applications[n];
        if (card_aid_is(&a->aid, card_domain_of(card)) && a->scp != 0)
            p = (struct protocol){a->scp, a->i};
    }
    if (p.scp == 0 || p.scp > 0x03)
        p = type == CARD_KEY_DES ? (struct protocol){0x02, 0x55} : (struct protocol){0x03, 0x70};
    *out = p;
    return fits(p, type);
}

/* ---- key sets ---- */

static struct secret *key_of_set(struct card_keyset *set, uint8_t kid)
{
    struct secret *const keys[SET_KEYS] = {&set->enc, &set->mac, &set->dek};
    return kid >= 1 && kid <= SET_KEYS ? keys[kid - 1] : NULL;
}

/* Is it a key that a set could be made of? */
static bool is_channel_key(uint8_t kvn, uint8_t kid, uint8_t type)
{
    return kvn < KVN_NOT_CHANNEL && kid >= 1 && kid <= SET_KEYS &&
           (type == CARD_KEY_DES || type == CARD_KEY_AES);
}

static const struct new_key *find_new(const struct new_keys *k, uint8_t kid)
{
    for (size_t n = 0; n < k->count; n++) {
        if (k->key[n].kid == kid)
            return &k->key[n];
    }
    return NULL;
}

/* Fills in one key of the set: the new one, or one that already stands alone under the version. *waits: it
 * did, and goes. */
static bool take_into_set(struct card *card, const struct new_keys *k, uint8_t kid, struct card_keyset *set,
                          uint8_t *type, bool *waits)
{
    const struct new_key *new = find_new(k, kid);
    const struct card_key *old = card_find_key(&card->state, card_domain_of(card), k->kvn, kid);
    struct secret *to = key_of_set(set, kid);
    uint8_t have = new != NULL ? new->type : old != NULL ? old->type : 0;
    if (new == NULL && old == NULL)
        return to->len != 0;
    if (!is_channel_key(k->kvn, kid, have) || (*type != 0 && *type != have))
        return false;
    *type = have;
    *waits = new == NULL;
    return secret_set(to, new != NULL ? wr_view_of(&new->data) : view_of(old->data, old->len)) == OK;
}

/* GPCS 2.3.1 E.2: one base key is the whole set, where i says so. */
static unsigned set_size(const struct card *card, const struct new_keys *k)
{
    struct protocol p;
    return k->count != 0 && find_protocol(card, k->key[0].type, &p) ? card_channel_key_count(p.scp, p.i)
                                                                    : SET_KEYS;
}

/* Takes together what is there; a base key is all three. *type: of all of them. */
static bool gather_set(struct card *card, const struct new_keys *k, struct card_keyset *set, uint8_t *type,
                       bool waits[SET_KEYS])
{
    unsigned size = set_size(card, k);
    bool whole = true;
    for (unsigned kid = 1; kid <= size; kid++)
        whole = take_into_set(card, k, (uint8_t)kid, set, type, &waits[kid - 1]) && whole;
    if (size == 1)
        set->mac = set->dek = set->enc;
    return whole && *type != 0;
}

/* What else comes with a base key can only be the same once more. */
static bool base_key_is_one(const struct card *card, const struct new_keys *k)
{
    const struct new_key *base = find_new(k, 1);
    bool same = true;
    for (size_t n = 0; base != NULL && n < k->count; n++)
        same &= k->key[n].type == base->type &&
                secret_equal(wr_view_of(&k->key[n].data), wr_view_of(&base->data));
    return same || k->kvn >= KVN_NOT_CHANNEL || set_size(card, k) != 1;
}

/* Keys of 8 bytes come to whoever has such already, for its channel, and to nobody else
 * (docs/single-des.md). */
static bool single_des_fits(struct card *card, const struct new_keys *k)
{
    const struct card_keyset *own =
        card_find_keyset(&card->state, card_channel_domain(card), card->now->session.kvn);
    bool single = own != NULL && own->enc.len == SINGLE_DES, fits = true;
    for (size_t n = 0; n < k->count; n++) {
        const struct new_key *key = &k->key[n];
        if (key->type == CARD_KEY_DES && key->data.len == SINGLE_DES)
            fits &= single && is_channel_key(k->kvn, key->kid, key->type);
    }
    return fits;
}

static bool set_is_sound(const struct card_keyset *set)
{
    size_t len = set->enc.len;
    return len != 0 && set->mac.len == len && set->dek.len == len &&
           (set->scp == 0x03 || len == DOUBLE_DES || (set->scp == 0x01 && len == SINGLE_DES));
}

/* The factory's keys go when the issuer gets the first own, as on most cards in the field. */
static void drop_old_set(struct card *card, const struct new_keys *k, struct writer *w)
{
    struct view domain = card_domain_of(card);
    uint8_t old = k->old_kvn != 0 ? k->old_kvn : KVN_FACTORY;
    if (card_find_keyset(&card->state, domain, old) != NULL)
        card_put_keyset_gone(w, domain, old);
}

static void put_personalized(struct card *card, struct writer *w)
{
    const struct card_application *a = card_find_application(&card->state, card_domain_of(card));
    /* 5.3.2.3: with keys of its own it is PERSONALIZED. */
    if (a != NULL && a->life == STATE_SELECTABLE)
        card_put_application_life(w, card_domain_of(card), STATE_PERSONALIZED, a->privileges);
}

/* Makes a set when these keys, with those that are there, are one. *made says whether. Its counter begins at
 * zero (E.1.2). */
static uint16_t place_set(struct card *card, const struct new_keys *k, struct writer *w, bool *made)
{
    const struct card_keyset *old =
        k->old_kvn != 0 ? card_find_keyset(&card->state, card_domain_of(card), k->old_kvn) : NULL;
    struct card_keyset set = {.kvn = k->kvn};
    struct protocol p;
    uint8_t type = 0;
    bool waits[SET_KEYS] = {false};
    uint16_t sw = SW_OK;
    if (old != NULL) {
        set.enc = old->enc;
        set.mac = old->mac;
        set.dek = old->dek;
    }
    set.domain = card->now->selected;
    *made = gather_set(card, k, &set, &type, waits);
    if (!*made)
        goto out;
    if (!find_protocol(card, type, &p))
        sw = SW_WRONG_DATA;
    set.scp = p.scp;
    set.i = p.i;
    if (sw == SW_OK &&
        (!set_is_sound(&set) || (old != NULL && (old->scp != p.scp || old->enc.len != set.enc.len))))
        sw = SW_WRONG_DATA;
    if (sw == SW_OK && old == NULL && card->state.keyset_count == CARD_KEYSETS_MAX)
        sw = SW_NOT_ENOUGH_MEMORY;
    if (sw != SW_OK)
        goto out;
    drop_old_set(card, k, w);
    for (unsigned kid = 1; kid <= SET_KEYS; kid++) {
        if (waits[kid - 1])
            card_put_key_gone(w, card_domain_of(card), k->kvn, (uint8_t)kid);
    }
    card_put_keyset(w, &set);
    put_personalized(card, w);
out:
    wipe(&set, sizeof set);
    return sw;
}

/* ---- single keys ---- */

/* Size and algorithm of a key stay as they are (11.8.2.3.3). */
static bool same_kind(const struct card_key *old, const struct new_key *new)
{
    bool pair = !new_key_is_symmetric(new);
    return old->type == new->type && old->parameter == new->parameter &&
           (old->len == new->data.len || (pair && new->type == CARD_KEY_RSA_PRIVATE));
}

static uint16_t place_one(struct card *card, const struct new_keys *k, const struct new_key *new,
                          struct writer *w)
{
    struct view domain = card_domain_of(card);
    const struct card_key *old =
        k->old_kvn != 0 ? card_find_key(&card->state, domain, k->old_kvn, new->kid) : NULL;
    const struct card_key *there = card_find_key(&card->state, domain, k->kvn, new->kid);
    struct card_key key = {.domain = card->now->selected, .kvn = k->kvn, .kid = new->kid, .type = new->type};
    if (k->old_kvn != 0 && old == NULL)
        return SW_REFERENCED_DATA;
    if ((there != NULL && there != old) || (old != NULL && !same_kind(old, new)))
        return SW_WRONG_DATA;
    if (old != NULL && k->kvn != k->old_kvn)
        card_put_key_gone(w, domain, k->old_kvn, new->kid);
    key.parameter = new->parameter;
    key.data = new->data.data;
    key.len = (uint16_t) new->data.len;
    card_put_key(w, &key);
    return SW_OK;
}

static bool fits_in(const struct card *card, const struct new_keys *k)
{
    return k->old_kvn != 0 || card->state.key_count + k->count <= CARD_KEYS_MAX;
}

static uint16_t place_singles(struct card *card, const struct new_keys *k, struct writer *w)
{
    uint16_t sw = fits_in(card, k) ? SW_OK : SW_NOT_ENOUGH_MEMORY;
    /* A version is a set or single keys, and a part of a set is not replaced under another version. */
    if (card_find_keyset(&card->state, card_domain_of(card), k->kvn) != NULL)
        return SW_WRONG_DATA;
    for (size_t n = 0; sw == SW_OK && n < k->count; n++)
        sw = place_one(card, k, &k->key[n], w);
    if (sw == SW_OK)
        put_personalized(card, w);
    return sw;
}

/* Does the version that the command names exist, or the new one not yet? */
static uint16_t check_versions(struct card *card, const struct new_keys *k)
{
    struct view domain = card_domain_of(card);
    const struct card_keyset *old =
        k->old_kvn != 0 ? card_find_keyset(&card->state, domain, k->old_kvn) : NULL;
    const struct card_keyset *there = card_find_keyset(&card->state, domain, k->kvn);
    bool singles = false;
    for (size_t n = 0; n < card->state.key_count; n++)
        singles |=
            card_domain_is(&card->state.keys[n].domain, domain) && card->state.keys[n].kvn == k->old_kvn;
    if (k->kvn == 0 || k->kvn > KVN_MAX || k->count == 0)
        return SW_WRONG_DATA;
    if (k->old_kvn != 0 && old == NULL && !singles)
        return SW_REFERENCED_DATA;
    if (there != NULL && there != old)
        return SW_WRONG_DATA;
    if (!base_key_is_one(card, k) || !single_des_fits(card, k))
        return SW_WRONG_DATA;
    /* One key of a set: the others stay under the version that it has. */
    return old != NULL && k->count < set_size(card, k) && k->kvn != k->old_kvn ? SW_WRONG_DATA : SW_OK;
}

uint16_t keys_put(struct card *card, const struct new_keys *k, struct writer *records)
{
    bool made = false;
    uint16_t sw = check_versions(card, k);
    if (sw == SW_OK)
        sw = place_set(card, k, records, &made);
    return sw == SW_OK && !made ? place_singles(card, k, records) : sw;
}

uint16_t keys_place(struct card *card, const struct new_keys *k)
{
    struct writer w;
    wr_heap(&w, NEW_KEYS_MAX * (CARD_KEY_MAX + 64));
    uint16_t sw = keys_put(card, k, &w);
    if (sw == SW_OK)
        sw = card_commit(card, &w, true);
    wr_free(&w);
    return sw;
}
