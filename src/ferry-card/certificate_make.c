/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificates for test cards and their hosts: GlobalPlatform's form, and the least X.509 that RFC 5280 calls
 * a certificate. */
#include <stdio.h>

#include <base/limits.h>
#include <tlv/tlv.h>

#include "certificate.h"

enum { SEQUENCE = 0x30, SET = 0x31, INTEGER = 0x02, BIT_STRING = 0x03, OCTETS = 0x04, OID = 0x06 };
enum {
    BOOLEAN = 0x01,
    UTF8 = 0x0C,
    UTC_TIME = 0x17,
    GENERALIZED_TIME = 0x18,
    EXPLICIT_0 = 0xA0,
    EXPLICIT_3 = 0xA3
};

/* ---- GlobalPlatform's ---- */

/* Two digits a byte. */
static void put_date(struct writer *w, uint32_t tag, uint32_t day)
{
    uint8_t bcd[4];
    for (size_t n = sizeof bcd; n-- > 0; day /= 100)
        bcd[n] = (uint8_t)(day % 100 / 10 << 4 | day % 10);
    tlv_put(w, tag, VIEW_OF(bcd));
}

static void put_gp_body(const struct card_certificate_content *content, enum pk_curve curve,
                        struct view point, struct writer *w)
{
    static const uint8_t ca[] = {0x82, 0x00}, agreement[] = {0x00, 0x80};
    uint8_t reference = (uint8_t)curve;
    size_t mark;
    tlv_put(w, 0x93, content->serial);
    tlv_put(w, 0x42, content->authority);
    tlv_put(w, 0x5F20, content->subject);
    tlv_put(w, 0x95, content->is_ca ? VIEW_OF(ca) : VIEW_OF(agreement));
    put_date(w, 0x5F25, content->from);
    put_date(w, 0x5F24, content->until);
    tlv_open(w, 0x7F49, &mark);
    tlv_put(w, 0xB0, point);
    tlv_put(w, 0xF0, view_of(&reference, 1));
    tlv_close(w, mark);
}

static enum err make_gp(struct crypto *c, const struct card_certificate_content *content,
                        const struct pk *key, struct pk *issuer, struct writer *out)
{
    uint8_t memory[PK_POINT_MAX];
    struct writer point, body, signature;
    size_t mark;
    wr_fixed(&point, memory, sizeof memory);
    wr_heap(&body, CERTIFICATE_MAX);
    wr_heap(&signature, PK_SIGNATURE_MAX);
    enum err e = pk_put_point(key, &point);
    put_gp_body(content, pk_ec_curve(key), wr_view_of(&point), &body);
    struct view whole = wr_view_of(&body);
    if (e == OK)
        e = wr_status(&body);
    if (e == OK)
        e = pk_sign(c, issuer, PK_ECDSA_PLAIN, card_curve_digest(pk_ec_curve(issuer)), &whole, 1, &signature);
    if (e == OK) {
        tlv_open(out, 0x7F21, &mark);
        wr_view(out, whole);
        tlv_put(out, 0x5F37, wr_view_of(&signature));
        tlv_close(out, mark);
    }
    wr_free(&signature);
    wr_free(&body);
    return e == OK ? wr_status(out) : e;
}

/* ---- X.509 ---- */

/* ecdsa-with-SHA256, 384, 512 (RFC 5758 3.2): the last byte says which. */
static void put_algorithm(struct writer *w, enum digest digest)
{
    const uint8_t oid[] = {0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, (uint8_t)(digest - DIGEST_SHA256 + 2)};
    size_t mark;
    tlv_open(w, SEQUENCE, &mark);
    tlv_put(w, OID, VIEW_OF(oid));
    tlv_close(w, mark);
}

/* A name that is a common name alone. */
static void put_name(struct writer *w, struct view name)
{
    static const uint8_t common_name[] = {0x55, 0x04, 0x03};
    size_t names, set, one;
    tlv_open(w, SEQUENCE, &names);
    tlv_open(w, SET, &set);
    tlv_open(w, SEQUENCE, &one);
    tlv_put(w, OID, VIEW_OF(common_name));
    tlv_put(w, UTF8, name);
    tlv_close(w, one);
    tlv_close(w, set);
    tlv_close(w, names);
}

/* The first second of the day, or its last. RFC 5280 4.1.2.5: two digits for the years up to 2049. */
static void put_time(struct writer *w, uint32_t day, bool last)
{
    char text[32];
    bool short_year = day < 20500000;
    snprintf(text, sizeof text, "%08u%sZ", (unsigned)day, last ? "235959" : "000000");
    tlv_put(w, short_year ? UTC_TIME : GENERALIZED_TIME, view_tail(view_str(text), short_year ? 2 : 0));
}

static void put_extension(struct writer *w, uint8_t number, struct view value)
{
    const uint8_t oid[] = {0x55, 0x1D, number}, yes[] = {0xFF};
    size_t mark;
    tlv_open(w, SEQUENCE, &mark);
    tlv_put(w, OID, VIEW_OF(oid));
    tlv_put(w, BOOLEAN, VIEW_OF(yes));
    tlv_put(w, OCTETS, value);
    tlv_close(w, mark);
}

/* Basic constraints and key usage (RFC 5280 4.2.1.9, 4.2.1.3): certificate signing, or key agreement. */
static void put_extensions(struct writer *w, bool is_ca)
{
    static const uint8_t ca[] = {0x30, 0x03, 0x01, 0x01, 0xFF}, leaf[] = {0x30, 0x00};
    static const uint8_t signs[] = {0x03, 0x02, 0x02, 0x04}, agrees[] = {0x03, 0x02, 0x03, 0x08};
    size_t outer, mark;
    tlv_open(w, EXPLICIT_3, &outer);
    tlv_open(w, SEQUENCE, &mark);
    put_extension(w, 0x13, is_ca ? VIEW_OF(ca) : VIEW_OF(leaf));
    put_extension(w, 0x0F, is_ca ? VIEW_OF(signs) : VIEW_OF(agrees));
    tlv_close(w, mark);
    tlv_close(w, outer);
}

static enum err put_x509_body(const struct card_certificate_content *content, const struct pk *key,
                              enum digest digest, struct writer *w)
{
    static const uint8_t version_3[] = {0x02, 0x01, 0x02};
    size_t body, validity;
    tlv_open(w, SEQUENCE, &body);
    tlv_put(w, EXPLICIT_0, VIEW_OF(version_3));
    tlv_put(w, INTEGER, content->serial);
    put_algorithm(w, digest);
    put_name(w, content->authority);
    tlv_open(w, SEQUENCE, &validity);
    put_time(w, content->from, false);
    put_time(w, content->until, true);
    tlv_close(w, validity);
    put_name(w, content->subject);
    enum err e = pk_put_spki(key, w);
    put_extensions(w, content->is_ca);
    tlv_close(w, body);
    return e == OK ? wr_status(w) : e;
}

/* A number of a plain signature as DER wants it: no zeros in front but one before a high bit. */
static void put_integer(struct writer *w, struct view number)
{
    uint8_t memory[PK_SHARED_MAX + 1];
    struct writer n;
    while (number.len > 1 && number.data[0] == 0)
        number = view_tail(number, 1);
    wr_fixed(&n, memory, sizeof memory);
    if (number.len != 0 && number.data[0] >= 0x80)
        wr_u8(&n, 0);
    wr_view(&n, number);
    tlv_put(w, INTEGER, wr_view_of(&n));
}

/* 30 { r | s } in a bit string without unused bits. */
static void put_signature(struct writer *w, struct view plain)
{
    uint8_t memory[2 * PK_SHARED_MAX + 16];
    struct writer bits;
    size_t mark;
    wr_fixed(&bits, memory, sizeof memory);
    wr_u8(&bits, 0);
    tlv_open(&bits, SEQUENCE, &mark);
    put_integer(&bits, view_head(plain, plain.len / 2));
    put_integer(&bits, view_tail(plain, plain.len / 2));
    tlv_close(&bits, mark);
    tlv_put(w, BIT_STRING, wr_view_of(&bits));
}

static enum err make_x509(struct crypto *c, const struct card_certificate_content *content,
                          const struct pk *key, struct pk *issuer, struct writer *out)
{
    enum digest digest = card_curve_digest(pk_ec_curve(issuer));
    struct writer body, signature;
    size_t mark;
    wr_heap(&body, CERTIFICATE_MAX);
    wr_heap(&signature, PK_SIGNATURE_MAX);
    enum err e = put_x509_body(content, key, digest, &body);
    struct view whole = wr_view_of(&body);
    if (e == OK)
        e = pk_sign(c, issuer, PK_ECDSA_PLAIN, digest, &whole, 1, &signature);
    if (e == OK) {
        tlv_open(out, SEQUENCE, &mark);
        wr_view(out, whole);
        put_algorithm(out, digest);
        put_signature(out, wr_view_of(&signature));
        tlv_close(out, mark);
    }
    wr_free(&signature);
    wr_free(&body);
    return e == OK ? wr_status(out) : e;
}

enum err card_certificate_make(struct crypto *c, const struct card_certificate_content *content,
                               const struct pk *key, struct pk *issuer, struct writer *out)
{
    if (pk_ec_curve(key) == CURVE_COUNT || pk_ec_curve(issuer) == CURVE_COUNT)
        return ERR_UNSUPPORTED;
    return content->x509 ? make_x509(c, content, key, issuer, out) : make_gp(c, content, key, issuer, out);
}
