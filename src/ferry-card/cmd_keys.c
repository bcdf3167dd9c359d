/* SPDX-License-Identifier: Apache-2.0
 *
 * PUT KEY and DELETE [key] (GPCS 2.3.1 11.8, 11.2.2.3.2; Amendment D 7.2). */
#include <string.h>

#include <tlv/tlv.h>

#include "domain.h"
#include "key_parts.h"
#include "keypair.h"

enum { MORE_COMMANDS = 0x80, SEVERAL = 0x80, EXTENDED = 0xFF, COMPONENT_MIN = 0x80, KVN_FACTORY = 0xFF };

/* ---- PUT KEY ---- */

/* One component of a key data field (table 11-68; table 11-69 with FF before the type). */
static uint16_t read_component(struct card *card, struct reader *r, bool extended, struct key_parts *p)
{
    if (extended && rd_u8(r) != EXTENDED)
        return SW_WRONG_DATA;
    uint8_t type = rd_u8(r);
    struct view block = card_read_long_field(r);
    return rd_ok(r) ? key_parts_take(card, p, type, block, 0) : SW_WRONG_DATA;
}

/* Usage and access of the extended format: taken note of by nobody on this card, and bounded. */
static void skip_usage(struct reader *r)
{
    (void)rd_view8(r, 2);
    (void)rd_view8(r, 1);
}

/* Types stand above 7F and lengths of check values below 80, so that the end of the components shows
 * (11.8.2.3.1). */
static uint16_t read_key(struct card *card, struct reader *r, struct new_key *key, struct writer *out)
{
    struct key_parts parts;
    bool extended = rd_peek(r) == EXTENDED;
    /* Below the other types there is one component and no other: what follows is the check value. */
    bool alone = rd_peek(r) == CARD_KEY_DSA_PUBLIC || rd_peek(r) == CARD_KEY_DSA_PRIVATE;
    uint16_t sw = alone || rd_peek(r) >= COMPONENT_MIN ? SW_OK : SW_WRONG_DATA;
    key_parts_init(&parts);
    if (alone)
        sw = read_component(card, r, false, &parts);
    while (!alone && sw == SW_OK && rd_peek(r) >= COMPONENT_MIN)
        sw = read_component(card, r, extended, &parts);
    struct view kcv = rd_view8(r, KCV_LEN);
    if (extended)
        skip_usage(r);
    if (sw == SW_OK && !rd_ok(r))
        sw = SW_WRONG_DATA;
    if (sw == SW_OK)
        sw = key_parts_build(&parts, key);
    if (sw == SW_OK)
        sw = new_key_check(card->crypto, key, kcv);
    wr_view(out, kcv);
    key_parts_finish(&parts);
    return sw;
}

static uint16_t read_keys(struct card *card, const struct apdu *a, struct new_keys *keys, struct writer *out)
{
    struct reader r;
    uint16_t sw = SW_OK;
    rd_init(&r, a->data);
    keys->kvn = rd_u8(&r);
    wr_u8(out, keys->kvn);
    do {
        struct new_key *key = &keys->key[keys->count];
        key->kid = (uint8_t)((a->p2 & 0x7Fu) + keys->count);
        sw = read_key(card, &r, key, out);
        keys->count++;
    } while (sw == SW_OK && (a->p2 & SEVERAL) && rd_left(&r) != 0 && keys->count < NEW_KEYS_MAX);
    return sw == SW_OK && !rd_done(&r) ? SW_WRONG_DATA : sw;
}

uint16_t cmd_put_key(struct card *card, const struct apdu *a, struct writer *out)
{
    struct new_keys keys = {.old_kvn = a->p1};
    struct view domain = card_domain_of(card);
    /* P1 has seven bits for the version; FF names the keys from the factory where a card has them, although
     * it says that more commands follow. */
    if ((a->p1 & MORE_COMMANDS) && card_find_keyset(&card->state, domain, a->p1) == NULL)
        return SW_CHAINING_UNSUPPORTED;
    uint16_t sw = read_keys(card, a, &keys, out);
    if (sw == SW_OK)
        sw = keys_place(card, &keys);
    new_keys_finish(&keys);
    return sw;
}

/* ---- DELETE [key] ---- */

static bool one_byte(struct view data, uint32_t tag, int *out)
{
    struct view v;
    *out = -1;
    if (!tlv_find(data, tag, &v))
        return true;
    if (v.len != 1)
        return false;
    *out = v.data[0];
    return true;
}

/* A set goes as a whole: a card with two of three keys is of no use. The last set of the issuer stays. */
static uint16_t delete_sets(struct card *card, int kvn, int kid, struct writer *w)
{
    struct view domain = card_domain_of(card);
    size_t gone = 0, all = 0;
    for (size_t n = 0; n < card->state.keyset_count; n++) {
        const struct card_keyset *k = &card->state.keysets[n];
        if (!card_domain_is(&k->domain, domain))
            continue;
        all++;
        if (kvn != k->kvn)
            continue;
        gone++;
        card_put_keyset_gone(w, domain, k->kvn);
    }
    if (gone != 0 && kid >= 0)
        return SW_WRONG_DATA;
    return gone != 0 && gone == all && domain.len == 0 ? SW_CONDITIONS : SW_OK;
}

static void delete_singles(struct card *card, int kvn, int kid, struct writer *w)
{
    for (size_t n = 0; n < card->state.key_count; n++) {
        const struct card_key *k = &card->state.keys[n];
        if (card_domain_is(&k->domain, card_domain_of(card)) && (kvn < 0 || kvn == k->kvn) &&
            (kid < 0 || kid == k->kid))
            card_put_key_gone(w, card_domain_of(card), k->kvn, k->kid);
    }
}

uint16_t card_delete_keys(struct card *card, struct view data)
{
    int kvn, kid;
    struct writer w;
    if (!one_byte(data, 0xD2, &kvn) || !one_byte(data, 0xD0, &kid))
        return SW_WRONG_DATA;
    wr_heap(&w, (CARD_KEYSETS_MAX + CARD_KEYS_MAX) * 32);
    uint16_t sw = delete_sets(card, kvn, kid, &w);
    if (sw == SW_OK)
        delete_singles(card, kvn, kid, &w);
    if (sw == SW_OK)
        sw = w.len != 0 ? card_commit(card, &w, true) : SW_REFERENCED_DATA;
    wr_free(&w);
    return sw;
}
