/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificates: take apart and verify. */
#include "certificate.h"

#include <string.h>

#include <base/limits.h>
#include <tlv/tlv.h>

enum {
    TAG_GP = 0x7F21,
    TAG_X509 = 0x30,
    TAG_KEY = 0x7F49,
    TAG_SIGNATURE = 0x5F37,
    TAG_RESTRICTIONS = 0xBF20
};
enum { TAG_POINT = 0xB0, TAG_CURVE = 0xF0, DATE_LEN = 4 };
/* GPCS 2.3.1 table 11-17 and Amendment F table 6-3: verifies signatures of certificates; agrees on keys. */
enum { USAGE_CA = 0x8200, USAGE_AGREEMENT = 0x0080 };

/* The fields in front of the key, in their order. */
static const struct field {
    uint32_t tag;
    uint16_t min, max;
    bool optional;
    size_t at; /* of the view; 0: not kept */
} fields[] = {
    {0x93, 1, CARD_IDENTIFIER_MAX, false, offsetof(struct card_certificate, serial)},
    {0x42, 1, CARD_IDENTIFIER_MAX, false, offsetof(struct card_certificate, authority)},
    {0x5F20, 1, CARD_IDENTIFIER_MAX, false, offsetof(struct card_certificate, subject)},
    {0x95, 1, 2, false, 0},
    {0x5F25, DATE_LEN, DATE_LEN, true, offsetof(struct card_certificate, from)},
    {0x5F24, DATE_LEN, DATE_LEN, false, offsetof(struct card_certificate, until)},
    {0x53, 1, CARD_DISCRETIONARY_MAX, true, 0},
    {0x73, 1, CARD_DISCRETIONARY_MAX, true, 0},
    {TAG_RESTRICTIONS, 0, CARD_DISCRETIONARY_MAX, true, offsetof(struct card_certificate, restrictions)},
};

enum digest card_curve_digest(enum pk_curve curve)
{
    size_t len = pk_curve_len(curve);
    return len < 48 ? DIGEST_SHA256 : len < 64 ? DIGEST_SHA384 : DIGEST_SHA512;
}

/* ---- taking apart ---- */

static uint16_t read_usage(struct view v)
{
    struct reader r;
    rd_init(&r, v);
    return (uint16_t)(v.len == 1 ? rd_u8(&r) << 8 : rd_u16(&r));
}

static void keep_field(struct card_certificate *cert, const struct field *f, struct view value)
{
    if (f->tag == 0x95)
        cert->usage = read_usage(value);
    if (f->at != 0)
        memcpy((uint8_t *)cert + f->at, &value, sizeof value);
}

/* Takes the fields in front of the key and leaves *object at the one behind them. */
static bool read_fields(struct reader *r, struct card_certificate *cert, struct tlv *object)
{
    if (!tlv_next(r, object))
        return false;
    for (size_t n = 0; n < sizeof fields / sizeof fields[0]; n++) {
        const struct field *f = &fields[n];
        if (object->tag != f->tag && f->optional)
            continue;
        if (object->tag != f->tag || object->value.len < f->min || object->value.len > f->max)
            return false;
        keep_field(cert, f, object->value);
        if (!tlv_next(r, object))
            return false;
    }
    return true;
}

/* 7F49 { B0 point | F0 curve }: one byte of the references of GPCS 2.3.1 table B-2. */
static enum err read_key(struct view value, struct card_certificate *cert)
{
    struct reader r;
    struct tlv point, curve;
    rd_init(&r, value);
    if (!tlv_next(&r, &point) || point.tag != TAG_POINT || !tlv_next(&r, &curve) || curve.tag != TAG_CURVE ||
        !rd_done(&r) || curve.value.len != 1)
        return ERR_FORMAT;
    if (curve.value.data[0] >= CURVE_COUNT)
        return ERR_UNSUPPORTED;
    cert->curve = (enum pk_curve)curve.value.data[0];
    cert->point = point.value;
    return point.value.len == 2 * pk_curve_len(cert->curve) + 1 ? OK : ERR_FORMAT;
}

static enum err parse_gp(struct view value, struct card_certificate *cert)
{
    struct reader r;
    struct tlv object;
    rd_init(&r, value);
    if (!read_fields(&r, cert, &object) || object.tag != TAG_KEY)
        return ERR_FORMAT;
    enum err e = read_key(object.value, cert);
    if (e != OK)
        return e;
    cert->body = view_head(value, value.len - rd_left(&r));
    if (!tlv_next(&r, &object) || object.tag != TAG_SIGNATURE || object.value.len == 0 || !rd_done(&r))
        return ERR_FORMAT;
    cert->signature = object.value;
    return OK;
}

/* RFC 5280 4.1: 30 { 30 { [A0 version] | 02 serial | ... } | algorithm | signature }. What else is in it, the
 * library reads. */
static enum err parse_x509(struct view value, struct card_certificate *cert)
{
    struct view body;
    struct reader r;
    struct tlv object;
    if (!tlv_valid(value) || !tlv_find(value, 0x30, &body))
        return ERR_FORMAT;
    rd_init(&r, body);
    if (!tlv_next(&r, &object) || (object.tag == 0xA0 && !tlv_next(&r, &object)) || object.tag != 0x02 ||
        object.value.len == 0 || object.value.len > CARD_IDENTIFIER_MAX + 1)
        return ERR_FORMAT;
    bool sign_only = object.value.len > 1 && object.value.data[0] == 0;
    cert->serial = view_tail(object.value, sign_only ? 1 : 0);
    cert->x509 = true;
    return OK;
}

enum err card_certificate_next(struct reader *r, struct card_certificate *out)
{
    struct view left = view_of(r->at, rd_left(r));
    struct card_certificate cert = {.curve = CURVE_COUNT};
    struct tlv object;
    if (!tlv_next(r, &object))
        return ERR_FORMAT;
    cert.whole = view_head(left, left.len - rd_left(r));
    if (cert.whole.len > CERTIFICATE_MAX)
        return ERR_LIMIT;
    enum err e = ERR_FORMAT;
    if (object.tag == TAG_GP)
        e = parse_gp(object.value, &cert);
    else if (object.tag == TAG_X509)
        e = parse_x509(object.value, &cert);
    if (e == OK)
        *out = cert;
    return e;
}

enum err card_certificate_parse(struct view v, struct card_certificate *out)
{
    struct reader r;
    struct card_certificate cert;
    rd_init(&r, v);
    enum err e = card_certificate_next(&r, &cert);
    if (e == OK && !rd_done(&r))
        e = ERR_FORMAT;
    if (e == OK)
        *out = cert;
    return e;
}

/* ---- verifying ---- */

/* YYYYMMDD, each digit half a byte. False when it is no date. */
static bool read_date(struct view v, uint32_t *out)
{
    uint32_t n = 0;
    for (size_t i = 0; i < v.len; i++) {
        uint8_t tens = v.data[i] >> 4, ones = v.data[i] & 0x0F;
        if (tens > 9 || ones > 9)
            return false;
        n = n * 100 + tens * 10u + ones;
    }
    *out = n;
    return v.len == DATE_LEN && n % 100 >= 1 && n % 100 <= 31 && n / 100 % 100 >= 1 && n / 100 % 100 <= 12;
}

/* The day of a time as YYYYMMDD: days since 0000-03-01 in eras of 400 years. */
static uint32_t day_of(uint64_t now_ms)
{
    uint64_t days = now_ms / 86400000 + 719468, era = days / 146097, doe = days % 146097;
    uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    uint64_t month = mp < 10 ? mp + 3 : mp - 9, year = yoe + era * 400 + (month <= 2 ? 1 : 0);
    return (uint32_t)(year * 10000 + month * 100 + doy - (153 * mp + 2) / 5 + 1);
}

/* The last day counts. */
static enum err check_dates(const struct card_certificate *cert, uint64_t now_ms)
{
    uint32_t from = 0, until = 0, today = day_of(now_ms);
    if (now_ms == 0)
        return OK;
    if (!read_date(cert->until, &until) || (cert->from.len != 0 && !read_date(cert->from, &from)))
        return ERR_FORMAT;
    return today < from || today > until ? ERR_EXPIRED : OK;
}

static enum err verify_gp(struct crypto *c, const struct card_certificate *cert, struct pk *issuer,
                          const struct card_certificate *issuer_cert, bool is_ca, uint64_t now_ms)
{
    if (pk_algorithm(issuer) != PK_EC)
        return ERR_AUTH;
    enum err e = pk_verify(c, issuer, PK_ECDSA_PLAIN, card_curve_digest(pk_ec_curve(issuer)), &cert->body, 1,
                           cert->signature);
    if (e != OK)
        return e;
    if (issuer_cert != NULL && !view_equal(issuer_cert->subject, cert->authority))
        return ERR_AUTH;
    if (cert->usage != (is_ca ? USAGE_CA : USAGE_AGREEMENT))
        return ERR_AUTH;
    /* Amendment F 6.1: what a card cannot hold it must not pass over. */
    return cert->restrictions.len != 0 ? ERR_POLICY : check_dates(cert, now_ms);
}

enum err card_certificate_verify(struct crypto *c, const struct card_certificate *cert, struct pk *issuer,
                                 const struct card_certificate *issuer_cert, bool is_ca, uint64_t now_ms,
                                 struct pk **key)
{
    if (issuer_cert != NULL && issuer_cert->x509 != cert->x509)
        return ERR_FORMAT;
    enum err e = cert->x509
                     ? pk_x509_verify(cert->whole, issuer,
                                      issuer_cert != NULL ? issuer_cert->whole : VIEW_NULL, is_ca, now_ms)
                     : verify_gp(c, cert, issuer, issuer_cert, is_ca, now_ms);
    if (e != OK)
        return e;
    return cert->x509 ? pk_from_x509(cert->whole, key) : pk_ec_public(cert->curve, cert->point, key);
}
