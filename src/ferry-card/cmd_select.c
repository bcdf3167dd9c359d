/* SPDX-License-Identifier: Apache-2.0
 *
 * SELECT and GET DATA (GPCS 2.3.1 11.9, 11.3): what a card says of itself to everybody. */
#include <string.h>

#include <tlv/tlv.h>

#include "announce.h"
#include "ca_name.h"
#include "domain.h"
#include "privilege.h"
#include "logical.h"

/* ---- what the issuer security domain says ---- */

/* {globalPlatform 1}, {globalPlatform 2 2 3 1}, {globalPlatform 3}, {globalPlatform 4} (H.2). */
static const uint8_t oid_gp[] = {0x2A, 0x86, 0x48, 0x86, 0xFC, 0x6B, 0x01};
static const uint8_t oid_management[] = {0x2A, 0x86, 0x48, 0x86, 0xFC, 0x6B, 0x02, 0x02, 0x03, 0x01};
static const uint8_t oid_identification[] = {0x2A, 0x86, 0x48, 0x86, 0xFC, 0x6B, 0x03};
static const uint8_t oid_channel[] = {0x2A, 0x86, 0x48, 0x86, 0xFC, 0x6B, 0x04};
/* Java Card: 1.3.6.1.4.1.42.2.110.1 and the generation. */
static const uint8_t oid_java_card[] = {0x2B, 0x06, 0x01, 0x04, 0x01, 0x2A, 0x02, 0x6E, 0x01};

enum { OID_MAX = 16 };

static void put_oid_in(struct writer *w, uint32_t tag, struct view oid, struct view more)
{
    uint8_t memory[OID_MAX];
    struct writer whole;
    size_t mark;
    wr_fixed(&whole, memory, sizeof memory);
    wr_view(&whole, oid);
    wr_view(&whole, more);
    tlv_open(w, tag, &mark);
    tlv_put(w, 0x06, wr_view_of(&whole));
    tlv_close(w, mark);
}

static const uint8_t scp80[] = {0x80, 0x00};

/* One OID per kind of secure channel, in one template 64 each (format 1, table H-1). */
static void put_channels(const struct card_state *s, struct writer *w)
{
    for (size_t i = 0; i < s->keyset_count; i++) {
        bool seen = false;
        for (size_t n = 0; n < i; n++)
            seen |= s->keysets[n].scp == s->keysets[i].scp && s->keysets[n].i == s->keysets[i].i;
        uint8_t kind[2] = {s->keysets[i].scp, s->keysets[i].i};
        if (!seen)
            put_oid_in(w, 0x64, VIEW_OF(oid_channel), VIEW_OF(kind));
    }
    struct announced methods[ANNOUNCE_METHODS_MAX];
    size_t count = announce_methods(s, VIEW_NULL, methods);
    for (size_t i = 0; i < count; i++) {
        uint8_t memory[4];
        struct writer arcs;
        wr_fixed(&arcs, memory, sizeof memory);
        announce_put_arcs(&arcs, methods[i].scp, methods[i].i);
        put_oid_in(w, 0x64, VIEW_OF(oid_channel), wr_view_of(&arcs));
    }
    if (s->profile.quirks & QUIRK_SCP80_OID)
        put_oid_in(w, 0x64, VIEW_OF(oid_channel), VIEW_OF(scp80));
}

/* Template 73 (tables H-1, H-3). */
static void put_management_data(const struct card_state *s, struct writer *w)
{
    const struct platform *platform = platform_by_row(s->profile.java_card);
    uint8_t arc = platform != NULL ? platform->oid_arc : 2;
    size_t mark;
    tlv_open(w, 0x73, &mark);
    tlv_put(w, 0x06, VIEW_OF(oid_gp));
    put_oid_in(w, 0x60, VIEW_OF(oid_management), VIEW_NULL);
    put_oid_in(w, 0x63, VIEW_OF(oid_identification), VIEW_NULL);
    put_channels(s, w);
    put_oid_in(w, 0x66, VIEW_OF(oid_java_card), view_of(&arc, 1));
    tlv_close(w, mark);
}

static void value_card_data(const struct card *card, struct writer *w)
{
    put_management_data(&card->state, w);
}

/* Table H-5. */
static void value_capabilities(const struct card *card, struct writer *w)
{
    static const uint8_t privileges[] = {PRIVILEGE_CARD_RESET, 0x00, 0x00}, hashes[] = {1, 2, 3, 4};
    const struct card_state *s = &card->state;
    for (size_t i = 0; i < s->keyset_count; i++) {
        const struct card_keyset *k = &s->keysets[i];
        uint8_t sizes = k->enc.len == 16 ? 0x01 : k->enc.len == 24 ? 0x02 : 0x04;
        size_t mark;
        tlv_open(w, 0xA0, &mark);
        tlv_put(w, 0x80, view_of(&k->scp, 1));
        tlv_put(w, 0x81, view_of(&k->i, 1));
        if (k->scp == 0x03)
            tlv_put(w, 0x82, view_of(&sizes, 1));
        tlv_close(w, mark);
    }
    struct announced methods[ANNOUNCE_METHODS_MAX];
    size_t count = announce_methods(s, VIEW_NULL, methods);
    for (size_t i = 0; i < count; i++) {
        size_t mark;
        tlv_open(w, 0xA0, &mark);
        tlv_put(w, 0x80, view_of(&methods[i].scp, 1));
        tlv_put(w, 0x81, view_of(&methods[i].i, 1));
        tlv_close(w, mark);
    }
    tlv_put(w, 0x82, VIEW_OF(privileges));
    tlv_put(w, 0x83, VIEW_OF(hashes));
}

static void value_key_information(const struct card *card, struct writer *w)
{
    card_put_key_information(&card->state, card_domain_of(card), w);
}

/* The first one of the keys that open a channel to the security domain that is selected. */
static const struct card_keyset *default_keyset(const struct card *card)
{
    struct view domain = card_channel_domain(card);
    for (size_t i = 0; i < card->state.keyset_count; i++) {
        if (card_domain_is(&card->state.keysets[i].domain, domain))
            return &card->state.keysets[i];
    }
    return NULL;
}

/* The sequence counter of the default key version: SCP02 (which a host without INITIALIZE UPDATE needs), and
 * SCP03 with pseudo-random challenges. */
static void value_sequence_counter(const struct card *card, struct writer *w)
{
    const struct card_keyset *k = default_keyset(card);
    if (k == NULL)
        return;
    if (k->scp == 0x02)
        wr_u16(w, (uint16_t)k->counter);
    else if (k->scp == 0x03 && card_scp03_ops.counts(k->i))
        wr_u24(w, k->counter);
}

static void value_security_level(const struct card *card, struct writer *w)
{
    wr_u8(w, card_is_authenticated(card) ? (uint8_t)(0x80 | card->now->session.channel.level) : 0);
}

/* ETSI TS 102 226 8.2.1.7.2: applications, free non-volatile and volatile memory. */
static void value_resources(const struct card *card, struct writer *w)
{
    uint8_t memory[8];
    struct writer m;
    wr_fixed(&m, memory, sizeof memory);
    wr_u32(&m, card_memory_free(&card->state));
    wr_u32(&m, 2048); /* transient memory is not accounted for */
    tlv_put(w, 0x81, view_of(&card->state.application_count, 1));
    tlv_put(w, 0x82, view_head(VIEW_OF(memory), 4));
    tlv_put(w, 0x83, view_tail(VIEW_OF(memory), 4));
}

static void value_aid(const struct card *card, struct writer *w)
{
    wr_view(w, card_domain_aid(&card->state, card_domain_of(card)));
}

/* C.5: of the security domain that makes receipts. */
static void value_confirmations(const struct card *card, struct writer *w)
{
    if (card_may(card, MAY_MAKE_RECEIPTS))
        wr_u16(w, card->state.confirmations);
}

enum { TAG_KEY_INFORMATION = 0x00E0 };

/* What GET DATA makes; a stored object goes before a generated one. */
static const struct {
    uint16_t tag;
    void (*value)(const struct card *card, struct writer *w);
} data_rows[] = {{0x004F, value_aid},
                 {0x0066, value_card_data},
                 {0x0067, value_capabilities},
                 {TAG_KEY_INFORMATION, value_key_information},
                 {0x00C1, value_sequence_counter},
                 {0x00C2, value_confirmations},
                 {0x00D3, value_security_level},
                 {0xFF21, value_resources},
                 {CARD_TAG_CA_OF_HOSTS, card_value_ca_of_hosts},
                 {CARD_TAG_CA_OF_CARDS, card_value_ca_of_cards}};

static uint16_t find_value(const struct card *card, uint16_t tag, struct writer *value)
{
    const struct card_object *stored = card_find_object(&card->state, card_domain_of(card), tag);
    if (stored != NULL)
        wr_view(value, view_of(stored->data, stored->len));
    for (size_t i = 0; stored == NULL && i < sizeof data_rows / sizeof data_rows[0]; i++) {
        if (data_rows[i].tag == tag)
            data_rows[i].value(card, value);
    }
    if (!wr_ok(value))
        return SW_NO_DIAGNOSIS;
    /* 11.3.2.1: every security domain has a key information template, E000 as long as it has no keys. */
    return value->len != 0 || tag == TAG_KEY_INFORMATION ? SW_OK : SW_REFERENCED_DATA;
}

/* Table 11-30. */
static uint16_t list_applications(const struct card *card, const struct apdu *a, struct writer *out)
{
    static const uint8_t everything[] = {0x5C, 0x00};
    if (!view_equal(a->data, VIEW_OF(everything)))
        return SW_WRONG_DATA;
    for (size_t i = 0; i < card->state.application_count; i++) {
        size_t mark;
        tlv_open(out, 0x61, &mark);
        tlv_put(out, 0x4F, card_aid_view(&card->state.applications[i].aid));
        tlv_close(out, mark);
    }
    return out->len != 0 ? SW_OK : SW_REFERENCED_DATA;
}

/* Quirks of cards that do not tell everything. */
static uint16_t refuse_data(const struct card *card, uint16_t tag, uint8_t cla)
{
    if (card_has_quirk(card, QUIRK_NO_GET_DATA))
        return SW_CONDITIONS;
    if (tag == 0x9F7F && card_has_quirk(card, QUIRK_NO_CPLC))
        return cla & 0x80 ? SW_REFERENCED_DATA : SW_CLA;
    return SW_OK;
}

/* 00 66 33 66 31 73 ...: P1 P2 as they came and a length, then the object. */
static void put_doubled(struct writer *out, uint16_t tag, struct view value)
{
    struct writer object;
    wr_heap(&object, RAPDU_MAX);
    tlv_put(&object, tag, value);
    wr_u16(out, tag);
    tlv_put_length(out, object.len);
    wr_view(out, wr_view_of(&object));
    wr_free(&object);
}

uint16_t cmd_get_data(struct card *card, const struct apdu *a, struct writer *out)
{
    uint16_t tag = (uint16_t)(a->p1 << 8 | a->p2);
    if (tag == 0x2F00)
        return list_applications(card, a, out);
    if (a->data.len != 0 && tag != CARD_TAG_CERTIFICATES && tag != CARD_TAG_CA_KEY)
        return SW_WRONG_LENGTH;
    struct writer value;
    wr_heap(&value, RAPDU_MAX);
    uint16_t sw = refuse_data(card, tag, a->cla);
    if (sw == SW_OK && tag == CARD_TAG_CERTIFICATES)
        sw = card_get_certificates(card, a->data, &value);
    else if (sw == SW_OK && tag == CARD_TAG_CA_KEY && a->data.len != 0)
        sw = card_get_ca_key(card, a->data, &value);
    else if (sw == SW_OK)
        sw = find_value(card, tag, &value);
    /* 11.3.3.1: the object in the proprietary class, its value in the interindustry class. */
    if (sw == SW_OK && card_has_quirk(card, QUIRK_DOUBLED_TAGS))
        put_doubled(out, tag, wr_view_of(&value));
    else if (sw == SW_OK && (a->cla & 0x80))
        tlv_put(out, tag, wr_view_of(&value));
    else if (sw == SW_OK)
        wr_view(out, wr_view_of(&value));
    wr_free(&value);
    return sw;
}

/* ---- SELECT ---- */

/* Table 11-82. */
static void put_fci(const struct card *card, struct writer *w)
{
    static const uint8_t max_data[] = {0xFF}, short_command[] = {0x01, 0x00};
    const struct card_object *cplc = card_find_object(&card->state, VIEW_NULL, 0x9F7F);
    size_t fci, proprietary;
    tlv_open(w, 0x6F, &fci);
    tlv_put(w, 0x84, card_domain_aid(&card->state, card_domain_of(card)));
    tlv_open(w, 0xA5, &proprietary);
    if (card_has_quirk(card, QUIRK_MINIMAL_FCI)) {
        put_oid_in(w, 0x73, VIEW_OF(oid_gp), VIEW_NULL);
    } else {
        put_management_data(&card->state, w);
        if (cplc != NULL && card_isd_selected(card))
            tlv_put(w, 0x9F6E, view_head(view_of(cplc->data, cplc->len), 10));
        tlv_put(w, 0x9F65,
                card_has_quirk(card, QUIRK_BLOCK_0100) ? VIEW_OF(short_command) : VIEW_OF(max_data));
    }
    tlv_close(w, proprietary);
    tlv_close(w, fci);
}

/* Places in the order of search: 0 is the issuer security domain, n + 1 application n. */
static struct view aid_at(const struct card *card, size_t place)
{
    return place == 0 ? card_aid_view(&card->state.profile.isd)
                      : card_aid_view(&card->state.applications[place - 1].aid);
}

static bool selectable(const struct card *card, size_t place)
{
    if (place == 0)
        return true;
    uint8_t life = card->state.applications[place - 1].life;
    return life != STATE_INSTALLED && (life & STATE_LOCKED_BIT) == 0;
}

static bool find_place(const struct card *card, struct view aid, size_t from, bool whole, size_t *place)
{
    for (size_t n = from; n <= card->state.application_count; n++) {
        struct view have = aid_at(card, n);
        if (selectable(card, n) && (whole ? view_equal(have, aid) : view_starts(have, aid))) {
            *place = n;
            return true;
        }
    }
    return false;
}

static bool find_selection(const struct card *card, const struct apdu *a, size_t *place)
{
    /* Without an AID everything begins with it, and the security domain is the first. */
    if (a->p2 == 0x02)
        return find_place(card, a->data, card->now->select_cursor + 1, false, place);
    return find_place(card, a->data, 0, true, place) || find_place(card, a->data, 0, false, place);
}

uint16_t cmd_select(struct card *card, const struct apdu *a, struct writer *out)
{
    size_t place = 0;
    bool first = !card->selected_since_reset;
    card->selected_since_reset = true;
    if (first && card_has_quirk(card, QUIRK_FIRST_SELECT_6985))
        return SW_CONDITIONS;
    if (a->data.len == 0 && card_has_quirk(card, QUIRK_SELECT_6D00))
        return SW_INS;
    if (card->state.life == LIFE_TERMINATED)
        return SW_FUNCTION_UNSUPPORTED;
    if (a->p2 != 0x00 && a->p2 != 0x02)
        return SW_INCORRECT_P1P2;
    /* 6.4.3.1.2: a supplementary channel does not outlive the lock of the card. */
    if (card->now != &card->logical[0] && card->state.life == LIFE_CARD_LOCKED) {
        logical_close(card);
        return SW_FUNCTION_UNSUPPORTED;
    }
    if (!find_selection(card, a, &place))
        return SW_FILE_NOT_FOUND;
    if (place != 0 && card->state.life == LIFE_CARD_LOCKED)
        return SW_FUNCTION_UNSUPPORTED;
    /* A selection ends the application session and with it the secure channel (E.1.6). */
    card_session_end(card, SESSION_NONE);
    card->now->select_cursor = place;
    card->now->selected = place == 0 ? (struct card_aid){.len = 0} : card->state.applications[place - 1].aid;
    if (!card_domain_selected(card))
        return SW_OK;
    put_fci(card, out);
    return card->state.life == LIFE_CARD_LOCKED ? SW_CARD_LOCKED_FCI : SW_OK;
}
