/* SPDX-License-Identifier: Apache-2.0
 *
 * PERFORM SECURITY OPERATION, MUTUAL AUTHENTICATE, INTERNAL AUTHENTICATE (Amendment F 7.5, 7.6, 7.4): which
 * certificates the card believes, which of its keys answers, and what session comes of it. */
#include <string.h>

#include <tlv/tlv.h>

#include "certificate.h"
#include "channel_scp11.h"
#include "domain.h"
#include "keypair.h"

/* Amendment F table 7-10: verification of the certificate failed; it is not on the list of those allowed. */
enum { SW_CERTIFICATE = 0x6600, SW_NOT_ON_LIST = 0x6640 };
enum { MORE = 0x80, NUMBER = 0x7F };
enum { TAG_SERIAL = 0x93 };

/* ---- certificates of the host ---- */

void card_oce_end(struct card_oce *oce)
{
    pk_free(&oce->key);
    wr_free(&oce->certificate);
    memset(oce, 0, sizeof *oce);
}

/* Keys of authorities stand under 10 and 20 to 2F, and nowhere else: a key for tokens or DAPs opens no
 * channel. */
static bool is_authority(uint8_t kid)
{
    return kid == SCP11_KID_CA || (kid >= 0x20 && kid <= 0x2F);
}

/* Version 00 is the first there is (as in GPCS 2.3.1 E.5.1.3). */
static const struct card_key *find_key(const struct card *card, uint8_t kvn, uint8_t kid, uint8_t type)
{
    struct view domain = card_channel_domain(card);
    for (size_t n = 0; n < card->state.key_count; n++) {
        const struct card_key *k = &card->state.keys[n];
        if (k->kid == kid && k->type == type && (kvn == 0 || k->kvn == kvn) &&
            card_domain_is(&k->domain, domain))
            return k;
    }
    return NULL;
}

/* The key that the first certificate of a chain is verified with: one that the card keeps. */
static uint16_t begin_chain(struct card *card, struct card_oce *oce, uint8_t kvn, uint8_t kid)
{
    const struct card_key *root = is_authority(kid) ? find_key(card, kvn, kid, CARD_KEY_ECC_PUBLIC) : NULL;
    card_oce_end(oce);
    if (root == NULL)
        return SW_REFERENCED_DATA;
    if (keypair_load(root, &oce->key) != OK)
        return SW_NO_DIAGNOSIS;
    oce->kvn = kvn;
    oce->kid = kid;
    return SW_OK;
}

/* The list of serial numbers of certificates that this authority's key lets in (tag 70, 7.8); without a list
 * all of them. */
static bool on_list(const struct card *card, const struct card_oce *oce, const struct card_certificate *cert)
{
    const struct card_key *root = find_key(card, oce->kvn, oce->kid, CARD_KEY_ECC_PUBLIC);
    const struct card_object *list = root == NULL
                                         ? NULL
                                         : card_find_certificate(&card->state, card_channel_domain(card),
                                                                 CARD_TAG_LIST, root->kvn, root->kid);
    struct reader r;
    struct tlv serial;
    if (list == NULL)
        return true;
    rd_init(&r, view_of(list->data, list->len));
    while (tlv_next(&r, &serial)) {
        if (serial.tag == TAG_SERIAL && view_equal(serial.value, cert->serial))
            return true;
    }
    return false;
}

static uint16_t verify_next(struct card *card, struct card_oce *oce, struct view data, bool more)
{
    struct card_certificate cert, issuer;
    struct pk *key = NULL;
    bool first = oce->count == 0;
    if (card_certificate_parse(data, &cert) != OK)
        return SW_WRONG_DATA;
    if (!first && card_certificate_parse(wr_view_of(&oce->certificate), &issuer) != OK)
        return SW_NO_DIAGNOSIS;
    if (card_certificate_verify(card->crypto, &cert, oce->key, first ? NULL : &issuer, more, card_time(card),
                                &key) != OK)
        return SW_CERTIFICATE;
    pk_free(&oce->key);
    oce->key = key;
    oce->complete = !more;
    oce->count++;
    wr_free(&oce->certificate);
    wr_heap(&oce->certificate, CERTIFICATE_MAX);
    wr_view(&oce->certificate, data);
    if (!wr_ok(&oce->certificate))
        return SW_NO_DIAGNOSIS;
    return more || on_list(card, oce, &cert) ? SW_OK : SW_NOT_ON_LIST;
}

static uint16_t take_certificate(struct card *card, uint8_t kvn, uint8_t p2, struct view data)
{
    struct card_oce *oce = &card->now->oce;
    uint8_t kid = p2 & NUMBER;
    uint16_t sw = SW_OK;
    /* A chain that goes on names the key that it began with. */
    if (oce->key == NULL || oce->complete || oce->kvn != kvn || oce->kid != kid)
        sw = begin_chain(card, oce, kvn, kid);
    if (sw == SW_OK && oce->count == CERTIFICATE_CHAIN_MAX)
        sw = SW_WRONG_DATA;
    return sw == SW_OK ? verify_next(card, oce, data, (p2 & MORE) != 0) : sw;
}

uint16_t cmd_perform_security_operation(struct card *card, const struct apdu *a, struct writer *out)
{
    (void)out;
    uint16_t sw = take_certificate(card, a->p1 & NUMBER, a->p2, a->data);
    if (sw != SW_OK)
        card_session_end(card, SESSION_NONE);
    return sw;
}

/* ---- opening ---- */

/* The names that both sides put into the derivation: numbers of provider and domain, in SCP11c the group. */
static uint16_t card_names(const struct card *card, const struct card_scp11_variant *v,
                           struct card_scp11_self *self)
{
    static const uint16_t tags[] = {0x42, 0x45}, group[] = {CARD_TAG_GROUP};
    const uint16_t *wanted = v->fresh ? tags : group;
    self->name_count = v->fresh ? 2 : 1;
    for (size_t n = 0; n < self->name_count; n++) {
        const struct card_object *o = card_find_object(&card->state, card_channel_domain(card), wanted[n]);
        if (o == NULL || o->len > CARD_SCP11_NAME_MAX)
            return SW_REFERENCED_DATA;
        self->names[n] = view_of(o->data, o->len);
    }
    return SW_OK;
}

static uint16_t load_keys(struct card *card, const struct card_scp11_variant *v, uint8_t kvn,
                          struct card_scp11_keys *keys)
{
    const struct card_key *own = find_key(card, kvn, v->kid, CARD_KEY_ECC_PRIVATE);
    if (own == NULL)
        return SW_REFERENCED_DATA;
    enum err e = keypair_load(own, &keys->own);
    if (e == OK && v->fresh)
        e = pk_generate_ec(card->crypto, pk_ec_curve(keys->own), &keys->fresh);
    return e == OK ? SW_OK : SW_NO_DIAGNOSIS;
}

static uint16_t open_session(struct card *card, const struct card_scp11_variant *v, const struct apdu *a,
                             struct card_scp11_keys *keys, struct writer *out)
{
    struct session *s = &card->now->session;
    struct card_scp11_request request;
    struct card_scp11_self self = {.mac_len = card->state.profile.flags & CARD_SCP11_S16 ? 16 : 8};
    uint16_t sw = card_scp11_read_request(a->data, v, &request);
    if (sw == SW_OK)
        sw = load_keys(card, v, a->p1, keys);
    if (sw == SW_OK && (request.parameter & SCP11_NAMES))
        sw = card_names(card, v, &self);
    if (sw != SW_OK)
        return sw;
    enum err e = card_scp11_open(card->crypto, &request, keys, &self, &s->channel, out);
    if (e != OK)
        return e == ERR_ARGUMENT ? SW_WRONG_DATA : SW_NO_DIAGNOSIS;
    s->state = SESSION_OPEN;
    s->kvn = a->p1;
    s->ops = &card_scp11_ops;
    return SW_OK;
}

static uint16_t authenticate(struct card *card, const struct card_scp11_variant *v, const struct apdu *a,
                             struct writer *out)
{
    struct card_scp11_keys keys = {.own = NULL};
    /* What was shown serves one opening. */
    struct card_oce oce = card->now->oce;
    memset(&card->now->oce, 0, sizeof card->now->oce);
    card_session_end(card, SESSION_NONE);
    if (v->certificate && oce.complete)
        keys.host = oce.key;
    uint16_t sw = v->certificate && keys.host == NULL ? SW_CONDITIONS : open_session(card, v, a, &keys, out);
    if (sw != SW_OK)
        card_session_end(card, SESSION_NONE);
    pk_free(&keys.own);
    pk_free(&keys.fresh);
    card_oce_end(&oce);
    return sw;
}

uint16_t cmd_mutual_authenticate(struct card *card, const struct apdu *a, struct writer *out)
{
    const struct card_scp11_variant *v = card_scp11_variant(a->p2);
    return v != NULL && v->certificate ? authenticate(card, v, a, out) : SW_INCORRECT_P1P2;
}

uint16_t cmd_internal_authenticate(struct card *card, const struct apdu *a, struct writer *out)
{
    const struct card_scp11_variant *v = card_scp11_variant(a->p2);
    return v != NULL && !v->certificate ? authenticate(card, v, a, out) : SW_INCORRECT_P1P2;
}

/* ---- certificates that are kept ---- */

/* A6 { 83 02 identifier | version } (7.3). */
static bool read_template(struct view crt, uint8_t *kid, uint8_t *kvn)
{
    struct reader r, value;
    struct tlv reference;
    rd_init(&r, crt);
    if (!tlv_next(&r, &reference) || reference.tag != 0x83 || !rd_done(&r))
        return false;
    rd_init(&value, reference.value);
    *kid = rd_u8(&value);
    *kvn = rd_u8(&value);
    return rd_done(&value);
}

/* Which key; without a template the first that has certificates. */
static bool read_reference(struct view data, uint8_t *kid, uint8_t *kvn)
{
    struct reader r;
    struct tlv crt;
    *kid = 0;
    *kvn = 0;
    if (data.len == 0)
        return true;
    rd_init(&r, data);
    return tlv_next(&r, &crt) && crt.tag == CARD_TAG_KEY_REFERENCE && rd_done(&r) &&
           read_template(crt.value, kid, kvn);
}

uint16_t card_get_certificates(const struct card *card, struct view data, struct writer *value)
{
    uint8_t kid, kvn;
    if (!read_reference(data, &kid, &kvn))
        return SW_WRONG_DATA;
    for (size_t n = 0; n < card->state.object_count; n++) {
        const struct card_object *o = &card->state.objects[n];
        if (o->tag != CARD_TAG_CERTIFICATES || (kid != 0 && o->kid != kid) || (kvn != 0 && o->kvn != kvn) ||
            !card_domain_is(&o->domain, card_channel_domain(card)))
            continue;
        wr_view(value, view_of(o->data, o->len));
        return wr_ok(value) ? SW_OK : SW_NO_DIAGNOSIS;
    }
    return SW_REFERENCED_DATA;
}

static bool is_certificates(struct view v)
{
    struct card_certificate cert;
    struct reader r;
    enum err e = OK;
    rd_init(&r, v);
    while (e == OK && rd_left(&r) != 0)
        e = card_certificate_next(&r, &cert);
    return e == OK;
}

static bool is_list(struct view v)
{
    struct reader r;
    struct tlv serial;
    rd_init(&r, v);
    while (tlv_next(&r, &serial)) {
        if (serial.tag != TAG_SERIAL || serial.value.len == 0 || serial.value.len > CARD_IDENTIFIER_MAX)
            return false;
    }
    return rd_done(&r);
}

uint16_t card_put_of_key(struct card *card, struct view crt, const struct tlv *object, struct writer *records)
{
    uint8_t kid, kvn;
    struct view domain = card_domain_of(card);
    bool good = object->tag == CARD_TAG_CERTIFICATES ? is_certificates(object->value)
                                                     : object->tag == CARD_TAG_LIST && is_list(object->value);
    if (!good || object->value.len > CARD_OBJECT_MAX || !read_template(crt, &kid, &kvn))
        return SW_WRONG_DATA;
    if (card_find_key(&card->state, domain, kvn, kid) == NULL)
        return SW_REFERENCED_DATA;
    card_put_certificate(records, domain, (uint16_t)object->tag, kvn, kid, object->value);
    return wr_ok(records) ? SW_OK : SW_NO_DIAGNOSIS;
}
