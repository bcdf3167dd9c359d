/* SPDX-License-Identifier: Apache-2.0 */
#include "ca_name.h"

#include <base/limits.h>
#include <tlv/tlv.h>

#include "cmd_scp11.h"
#include "domain.h"

enum { TAG_WHOSE = 0x80, TAG_NAME = 0x42, TAG_KEY = 0x83 };
enum { OF_HOSTS = 0x00, OF_CARDS = 0x01 };

struct ca_name {
    struct view name;
    uint16_t tag;
    uint8_t kid, kvn;
};

bool card_is_ca_name(struct view crt)
{
    struct reader r;
    struct tlv first;
    rd_init(&r, crt);
    return tlv_next(&r, &first) && (first.tag == TAG_WHOSE || first.tag == TAG_NAME);
}

static bool read_whose(struct view value, uint16_t *tag)
{
    if (value.len != 1 || value.data[0] > OF_CARDS)
        return false;
    *tag = value.data[0] == OF_HOSTS ? CARD_TAG_CA_OF_HOSTS : CARD_TAG_CA_OF_CARDS;
    return true;
}

/* [80 whose] 42 name, 83 identifier version; without 80 of hosts. */
static bool read_ca_name(struct view crt, struct ca_name *out)
{
    struct reader r, key;
    struct tlv o;
    out->tag = CARD_TAG_CA_OF_HOSTS;
    rd_init(&r, crt);
    if (!tlv_next(&r, &o))
        return false;
    if (o.tag == TAG_WHOSE && (!read_whose(o.value, &out->tag) || !tlv_next(&r, &o)))
        return false;
    out->name = o.value;
    if (o.tag != TAG_NAME || o.value.len == 0 || o.value.len > CARD_IDENTIFIER_MAX)
        return false;
    if (!tlv_next(&r, &o) || o.tag != TAG_KEY || !rd_done(&r))
        return false;
    rd_init(&key, o.value);
    out->kid = rd_u8(&key);
    out->kvn = rd_u8(&key);
    return rd_done(&key);
}

static bool has_key(const struct card_state *s, struct view domain, uint8_t kvn, uint8_t kid)
{
    for (size_t i = 0; i < s->key_count; i++) {
        const struct card_key *k = &s->keys[i];
        if (k->kvn == kvn && k->kid == kid && card_domain_is(&k->domain, domain))
            return true;
    }
    return false;
}

uint16_t card_put_ca_name(const struct card *card, struct view crt, struct writer *records)
{
    struct view domain = card_domain_of(card);
    struct ca_name n;
    if (!read_ca_name(crt, &n))
        return SW_WRONG_DATA;
    if (!has_key(&card->state, domain, n.kvn, n.kid))
        return SW_REFERENCED_DATA;
    card_put_certificate(records, domain, n.tag, n.kvn, n.kid, n.name);
    return wr_ok(records) ? SW_OK : SW_NO_DIAGNOSIS;
}

/* The next name of this kind whose key is still there, from *at on; NULL: there is none. */
static const struct card_object *next_name(const struct card *card, uint16_t tag, size_t *at)
{
    struct view domain = card_channel_domain(card);
    while (*at < card->state.object_count) {
        const struct card_object *o = &card->state.objects[(*at)++];
        if (o->tag == tag && card_domain_is(&o->domain, domain) &&
            has_key(&card->state, domain, o->kvn, o->kid))
            return o;
    }
    return NULL;
}

uint16_t card_get_ca_key(const struct card *card, struct view data, struct writer *value)
{
    struct reader r, inner;
    struct tlv crt, name;
    const struct card_object *o;
    size_t at = 0;
    rd_init(&r, data);
    if (!tlv_next(&r, &crt) || crt.tag != CARD_TAG_KEY_REFERENCE || !rd_done(&r))
        return SW_WRONG_DATA;
    rd_init(&inner, crt.value);
    if (!tlv_next(&inner, &name) || name.tag != TAG_NAME || !rd_done(&inner))
        return SW_WRONG_DATA;
    while ((o = next_name(card, CARD_TAG_CA_OF_HOSTS, &at)) != NULL) {
        if (!view_equal(view_of(o->data, o->len), name.value))
            continue;
        wr_u8(value, o->kid);
        wr_u8(value, o->kvn);
        return wr_ok(value) ? SW_OK : SW_NO_DIAGNOSIS;
    }
    return SW_REFERENCED_DATA;
}

static void list_names(const struct card *card, uint16_t tag, struct writer *value)
{
    const struct card_object *o;
    size_t at = 0;
    while ((o = next_name(card, tag, &at)) != NULL) {
        const uint8_t key[] = {o->kid, o->kvn};
        tlv_put(value, TAG_NAME, view_of(o->data, o->len));
        tlv_put(value, TAG_KEY, VIEW_OF(key));
    }
}

void card_value_ca_of_hosts(const struct card *card, struct writer *value)
{
    list_names(card, CARD_TAG_CA_OF_HOSTS, value);
}

void card_value_ca_of_cards(const struct card *card, struct writer *value)
{
    list_names(card, CARD_TAG_CA_OF_CARDS, value);
}
