/* SPDX-License-Identifier: Apache-2.0
 *
 * X.509 as cards have it (RFC 5280 4.1, RFC 5480), read straight down. Whatever is not of the plainest form
 * is left to the library. */
#include <gp/x509.h>

#include <time.h>

#include <tlv/tlv.h>

enum {
    TAG_BOOLEAN = 0x01,
    TAG_INTEGER = 0x02,
    TAG_BITS = 0x03,
    TAG_OCTETS = 0x04,
    TAG_OID = 0x06,
    TAG_UTC_TIME = 0x17,
    TAG_TIME = 0x18,
    TAG_SEQUENCE = 0x30,
    TAG_VERSION = 0xA0,
    TAG_EXTENSIONS = 0xA3,

    USAGE_BIT_AGREEMENT = 0x08, /* RFC 5280 4.2.1.3: bit 4 */
    POINT_UNCOMPRESSED = 0x04,  /* the library takes other forms, too, and writes them as this one */
    SIGNATURE_NUMBER_MAX = 66
};

struct fields {
    struct view tbs; /* as it is signed, with tag and length */
    struct view algorithm, signature;
    struct view validity, spki, extensions; /* extensions may be empty */
};

static const struct {
    uint8_t oid[10];
    size_t len;
    enum digest digest;
} algorithms[] = {
    {{0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02}, 8, DIGEST_SHA256},
    {{0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x03}, 8, DIGEST_SHA384},
    {{0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x04}, 8, DIGEST_SHA512},
};

static const struct {
    uint8_t oid[10];
    size_t len;
    enum pk_curve curve;
} curves[] = {
    {{0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07}, 8, CURVE_P256},
    {{0x2B, 0x81, 0x04, 0x00, 0x22}, 5, CURVE_P384},
    {{0x2B, 0x81, 0x04, 0x00, 0x23}, 5, CURVE_P521},
    {{0x2B, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x07}, 9, CURVE_BRAINPOOL_P256R1},
};

/* The next object has this tag; its value, or the bad reader. */
static struct view take(struct reader *r, uint32_t tag)
{
    struct tlv object;
    if (tlv_next(r, &object) && object.tag == tag)
        return object.value;
    rd_fail(r);
    return VIEW_NULL;
}

/* The same with tag and length. */
static struct view take_whole(struct reader *r, uint32_t tag)
{
    struct reader before = *r;
    struct view rest = rd_rest(&before);
    (void)take(r, tag);
    return rd_ok(r) ? view_head(rest, rest.len - rd_left(r)) : VIEW_NULL;
}

/* A value with nothing behind what is read from it. */
static struct view inside(struct view v, uint32_t tag, struct reader *r)
{
    struct reader outer;
    rd_init(&outer, v);
    struct view value = take(&outer, tag);
    rd_init(r, value);
    if (!rd_done(&outer))
        rd_fail(r);
    return value;
}

/* version [0] | serial | algorithm | issuer | validity | subject | SPKI | extensions [3] */
static bool parse_tbs(struct fields *f)
{
    static const uint8_t v3[] = {TAG_INTEGER, 1, 2};
    struct reader r;
    (void)inside(f->tbs, TAG_SEQUENCE, &r);
    bool good = view_equal(take(&r, TAG_VERSION), VIEW_OF(v3));
    (void)take(&r, TAG_INTEGER);
    good = good && view_equal(take(&r, TAG_SEQUENCE), f->algorithm);
    (void)take(&r, TAG_SEQUENCE);
    f->validity = take(&r, TAG_SEQUENCE);
    (void)take(&r, TAG_SEQUENCE);
    f->spki = take(&r, TAG_SEQUENCE);
    f->extensions = rd_left(&r) > 0 ? take(&r, TAG_EXTENSIONS) : VIEW_NULL;
    return good && rd_done(&r);
}

/* SEQUENCE { tbsCertificate, signatureAlgorithm, signature } */
static bool parse(struct view certificate, struct fields *f)
{
    struct reader r;
    if (certificate.len > CERTIFICATE_MAX)
        return false;
    (void)inside(certificate, TAG_SEQUENCE, &r);
    f->tbs = take_whole(&r, TAG_SEQUENCE);
    f->algorithm = take(&r, TAG_SEQUENCE);
    f->signature = take(&r, TAG_BITS);
    return rd_done(&r) && parse_tbs(f);
}

/* The bytes of a BIT STRING without unused bits. */
static bool whole_bits(struct view *bits)
{
    if (bits->len < 1 || bits->data[0] != 0)
        return false;
    *bits = view_tail(*bits, 1);
    return true;
}

/* SEQUENCE { id-ecPublicKey, curve } | BIT STRING point (RFC 5480 2) */
static bool parse_key(struct view spki, enum pk_curve *curve, struct view *point)
{
    static const uint8_t ec_public_key[] = {0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01};
    struct reader r, algorithm;
    rd_init(&r, spki);
    rd_init(&algorithm, take(&r, TAG_SEQUENCE));
    *point = take(&r, TAG_BITS);
    bool good = view_equal(take(&algorithm, TAG_OID), VIEW_OF(ec_public_key));
    struct view name = take(&algorithm, TAG_OID);
    if (!good || !rd_done(&r) || !rd_done(&algorithm) || !whole_bits(point))
        return false;
    for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
        if (view_equal(name, view_of(curves[i].oid, curves[i].len))) {
            *curve = curves[i].curve;
            return point->len == 1 + 2 * pk_curve_len(*curve) && point->data[0] == POINT_UNCOMPRESSED;
        }
    }
    return false;
}

enum err x509_point(struct view certificate, enum pk_curve *curve, struct view *point)
{
    struct fields f;
    enum pk_curve found;
    struct view at;
    if (!parse(certificate, &f) || !parse_key(f.spki, &found, &at))
        return ERR_UNSUPPORTED;
    *curve = found;
    *point = at;
    return OK;
}

/* ---- the signature ---- */

/* A positive INTEGER in its shortest form (X.690 8.3.2), to len bytes. */
static bool put_number(struct writer *w, struct view integer, size_t len)
{
    if (integer.len == 0 || (integer.data[0] & 0x80) != 0)
        return false;
    if (integer.data[0] == 0) {
        integer = view_tail(integer, 1);
        if (integer.len == 0 || (integer.data[0] & 0x80) == 0)
            return false;
    }
    if (integer.len > len)
        return false;
    for (size_t i = integer.len; i < len; i++)
        wr_u8(w, 0);
    wr_view(w, integer);
    return wr_ok(w);
}

/* RFC 3279 2.2.3: SEQUENCE of r and s, to r | s. */
static bool plain_signature(struct view bits, size_t len, struct writer *w)
{
    struct reader r;
    if (!whole_bits(&bits))
        return false;
    (void)inside(bits, TAG_SEQUENCE, &r);
    struct view first = take(&r, TAG_INTEGER), second = take(&r, TAG_INTEGER);
    return rd_done(&r) && put_number(w, first, len) && put_number(w, second, len);
}

static enum err verify_signature(struct crypto *c, const struct fields *f, struct pk *issuer)
{
    uint8_t memory[2 * SIGNATURE_NUMBER_MAX];
    struct writer w;
    struct reader r;
    rd_init(&r, f->algorithm);
    struct view oid = take(&r, TAG_OID);
    wr_fixed(&w, memory, sizeof(memory));
    if (!rd_done(&r) || pk_algorithm(issuer) != PK_EC ||
        !plain_signature(f->signature, pk_curve_len(pk_ec_curve(issuer)), &w))
        return ERR_UNSUPPORTED;
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
        if (view_equal(oid, view_of(algorithms[i].oid, algorithms[i].len)))
            return pk_verify(c, issuer, PK_ECDSA_PLAIN, algorithms[i].digest, &f->tbs, 1, wr_view_of(&w));
    }
    return ERR_UNSUPPORTED;
}

/* ---- extensions ---- */

/* What a leaf says about itself. */
struct role {
    bool has_usage, agreement, has_constraints;
};

static bool parse_usage(struct view value, struct role *role)
{
    struct reader r;
    struct view bits = inside(value, TAG_BITS, &r);
    if (role->has_usage || !rd_ok(&r) || bits.len < 2)
        return false;
    role->has_usage = true;
    role->agreement = (bits.data[1] & USAGE_BIT_AGREEMENT) != 0;
    return true;
}

/* SEQUENCE { cA BOOLEAN DEFAULT FALSE, ... }: with anything in it the library looks. */
static bool parse_constraints(struct view value, struct role *role)
{
    struct reader r;
    (void)inside(value, TAG_SEQUENCE, &r);
    if (role->has_constraints || !rd_done(&r))
        return false;
    role->has_constraints = true;
    return true;
}

static bool ignore(struct view value, struct role *role)
{
    (void)value;
    (void)role;
    return true;
}

/* RFC 5280 4.2.1: those that may be critical; others are the library's when they are. */
static const struct {
    uint8_t oid[3];
    bool (*parse)(struct view value, struct role *role);
} extensions[] = {
    {{0x55, 0x1D, 0x0F}, parse_usage},
    {{0x55, 0x1D, 0x13}, parse_constraints},
    {{0x55, 0x1D, 0x20}, ignore}, /* certificate policies: where GlobalPlatform says what a key is for */
};

/* SEQUENCE { OID, critical BOOLEAN DEFAULT FALSE, OCTET STRING } */
static bool parse_extension(struct view extension, struct role *role)
{
    struct reader r;
    struct tlv next;
    rd_init(&r, extension);
    struct view oid = take(&r, TAG_OID);
    bool critical = rd_peek(&r) == TAG_BOOLEAN && tlv_next(&r, &next);
    struct view value = take(&r, TAG_OCTETS);
    if (!rd_done(&r))
        return false;
    for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++) {
        if (view_equal(oid, VIEW_OF(extensions[i].oid)))
            return extensions[i].parse(value, role);
    }
    return !critical;
}

static bool parse_role(struct view tagged, struct role *role)
{
    struct reader r;
    if (tagged.len == 0)
        return true;
    (void)inside(tagged, TAG_SEQUENCE, &r);
    while (rd_ok(&r) && rd_left(&r) > 0) {
        struct view extension = take(&r, TAG_SEQUENCE);
        if (!rd_ok(&r) || !parse_extension(extension, role))
            return false;
    }
    return rd_ok(&r);
}

/* ---- validity ---- */

/* YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ as a number that compares (RFC 5280 4.1.2.5); 0: neither. */
static uint64_t parse_time(const struct tlv *t)
{
    const size_t digits = t->tag == TAG_UTC_TIME ? 12 : 14;
    uint64_t n = 0;
    if ((t->tag != TAG_UTC_TIME && t->tag != TAG_TIME) || t->value.len != digits + 1 ||
        t->value.data[digits] != 'Z')
        return 0;
    for (size_t i = 0; i < digits; i++) {
        if (t->value.data[i] < '0' || t->value.data[i] > '9')
            return 0;
        n = n * 10 + (uint64_t)(t->value.data[i] - '0');
    }
    if (t->tag == TAG_TIME)
        return n;
    return n + (n / 10000000000 < 50 ? 20000000000000 : 19000000000000);
}

static uint64_t time_of(uint64_t now_ms)
{
    const time_t now = (time_t)(now_ms / 1000);
    struct tm tm;
    if (gmtime_r(&now, &tm) == NULL)
        return 0;
    uint64_t day =
        (uint64_t)(tm.tm_year + 1900) * 10000 + (uint64_t)(tm.tm_mon + 1) * 100 + (uint64_t)tm.tm_mday;
    return day * 1000000 + (uint64_t)tm.tm_hour * 10000 + (uint64_t)tm.tm_min * 100 + (uint64_t)tm.tm_sec;
}

static enum err check_time(struct view validity, uint64_t now_ms)
{
    struct reader r;
    struct tlv before, after;
    rd_init(&r, validity);
    if (!tlv_next(&r, &before) || !tlv_next(&r, &after) || !rd_done(&r))
        return ERR_UNSUPPORTED;
    const uint64_t from = parse_time(&before), until = parse_time(&after), now = time_of(now_ms);
    if (from == 0 || until == 0 || now == 0)
        return ERR_UNSUPPORTED;
    return now_ms == 0 || (from <= now && now < until) ? OK : ERR_EXPIRED;
}

enum err x509_leaf_verify(struct crypto *c, struct view certificate, struct pk *issuer, uint64_t now_ms)
{
    struct fields f;
    struct role role = {0};
    enum pk_curve curve;
    struct view point;
    if (!parse(certificate, &f) || !parse_key(f.spki, &curve, &point) || !parse_role(f.extensions, &role))
        return ERR_UNSUPPORTED;
    enum err time = check_time(f.validity, now_ms);
    if (time == ERR_UNSUPPORTED)
        return time;
    enum err e = verify_signature(c, &f, issuer);
    if (e == OK && role.has_usage && !role.agreement)
        e = ERR_AUTH;
    return e == OK ? time : e;
}
