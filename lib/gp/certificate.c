/* SPDX-License-Identifier: Apache-2.0
 *
 * GlobalPlatform certificates from bytes to a plain struct and back, one step of their verification, and
 * chains of either kind. */
#include <gp/certificate.h>
#include <gp/x509.h>

#include <tlv/tlv.h>

#include <time.h>

enum {
    TAG_CERTIFICATE = 0x7F21,
    TAG_SERIAL = 0x93,
    TAG_ISSUER = 0x42,
    TAG_SUBJECT = 0x5F20,
    TAG_USAGE = 0x95,
    TAG_EFFECTIVE = 0x5F25,
    TAG_EXPIRES = 0x5F24,
    TAG_IMAGE = 0x45,
    TAG_DISCRETIONARY = 0x53,
    TAG_DISCRETIONARY_TLV = 0x73,
    TAG_RESTRICTIONS = 0xBF20,
    TAG_KEY = 0x7F49,
    TAG_POINT = 0xB0,
    TAG_CURVE = 0xF0,
    TAG_SIGNATURE = 0x5F37,
    DER_SEQUENCE = 0x30,
    DER_INTEGER = 0x02,
    DATE_LEN = 4,
    /* The specification's names have 16 bytes; certificates in the field name keys by their SHA-1. */
    NAME_LEN_MAX = 20,
    PLAIN_MAX = 2 * PK_SHARED_MAX
};

/* ---- fields ---- */

enum field {
    SERIAL,
    ISSUER,
    SUBJECT,
    USAGE,
    EFFECTIVE,
    EXPIRES,
    IMAGE,
    DISCRETIONARY,
    DISCRETIONARY_TLV,
    RESTRICTIONS,
    KEY,
    SIGNATURE,
    FIELD_COUNT
};

/* In the order in which they stand (Amendment F, CERT.OCE.ECKA; 45 is of its first version). */
static const struct {
    uint32_t tag;
    size_t min, max;
    bool optional;
} fields[FIELD_COUNT] = {
    [SERIAL] = {TAG_SERIAL, 1, NAME_LEN_MAX, false},
    [ISSUER] = {TAG_ISSUER, 1, NAME_LEN_MAX, false},
    [SUBJECT] = {TAG_SUBJECT, 1, NAME_LEN_MAX, false},
    [USAGE] = {TAG_USAGE, 1, 2, false},
    [EFFECTIVE] = {TAG_EFFECTIVE, DATE_LEN, DATE_LEN, true},
    [EXPIRES] = {TAG_EXPIRES, DATE_LEN, DATE_LEN, false},
    [IMAGE] = {TAG_IMAGE, 1, NAME_LEN_MAX, true},
    [DISCRETIONARY] = {TAG_DISCRETIONARY, 1, CERTIFICATE_MAX, true},
    [DISCRETIONARY_TLV] = {TAG_DISCRETIONARY_TLV, 1, CERTIFICATE_MAX, true},
    [RESTRICTIONS] = {TAG_RESTRICTIONS, 1, CERTIFICATE_MAX, true},
    [KEY] = {TAG_KEY, 1, CERTIFICATE_MAX, false},
    [SIGNATURE] = {TAG_SIGNATURE, 1, CERTIFICATE_MAX, false},
};

/* Takes the objects in their order; *signed_len: how many bytes stand in front of the signature. */
static enum err read_fields(struct view body, struct view values[FIELD_COUNT], size_t *signed_len)
{
    struct reader r;
    struct tlv object;
    size_t at = 0;
    rd_init(&r, body);
    for (size_t before = rd_left(&r); tlv_next(&r, &object); before = rd_left(&r)) {
        while (at < FIELD_COUNT && fields[at].tag != object.tag) {
            if (!fields[at].optional)
                return ERR_FORMAT;
            at++;
        }
        if (at == FIELD_COUNT || object.value.len < fields[at].min || object.value.len > fields[at].max)
            return ERR_FORMAT;
        if (at == SIGNATURE)
            *signed_len = body.len - before;
        values[at++] = object.value;
    }
    return rd_done(&r) && at == FIELD_COUNT ? OK : ERR_FORMAT;
}

static bool days_exist(unsigned year, unsigned month, unsigned day)
{
    static const unsigned lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (month < 1 || month > 12 || day < 1)
        return false;
    return day <= lengths[month - 1] + (month == 2 && leap ? 1U : 0U);
}

/* One byte of a date, as two decimal digits or as a number; 100 when it is neither. */
static unsigned date_part(uint8_t byte, bool decimal)
{
    unsigned high = byte >> 4, low = byte & 0x0F;
    if (!decimal)
        return byte > 99 ? 100 : byte;
    return high > 9 || low > 9 ? 100 : 10 * high + low;
}

/* YYYYMMDD, two decimal digits a byte. The certificates of Samsung's OpenSCP have
 * each byte as a number instead (14 1C 0C 1F is 2028-12-31): their first byte would be the century 14 or 15.
 */
static enum err read_date(struct view v, uint32_t *out)
{
    struct reader r;
    unsigned parts[DATE_LEN];
    rd_init(&r, v);
    bool decimal = rd_peek(&r) != 0x14 && rd_peek(&r) != 0x15;
    for (size_t i = 0; i < DATE_LEN; i++) {
        parts[i] = date_part(rd_u8(&r), decimal);
        if (parts[i] > 99)
            return ERR_FORMAT;
    }
    unsigned year = 100 * parts[0] + parts[1];
    if (!rd_done(&r) || !days_exist(year, parts[2], parts[3]))
        return ERR_FORMAT;
    *out = 10000 * year + 100 * parts[2] + parts[3];
    return OK;
}

static enum err read_dates(const struct view values[FIELD_COUNT], struct gp_certificate *out)
{
    enum err e = read_date(values[EXPIRES], &out->expires);
    if (e == OK && values[EFFECTIVE].len > 0)
        e = read_date(values[EFFECTIVE], &out->effective);
    return e;
}

/* 7F49: B0 point, F0 key parameter reference (GPCS 2.3.1 table B-2). Whether the point is on its curve is
 * seen when it becomes a key. */
static enum err read_key(struct view body, struct gp_certificate *out)
{
    struct reader r;
    struct tlv point, curve;
    rd_init(&r, body);
    if (!tlv_next(&r, &point) || point.tag != TAG_POINT || !tlv_next(&r, &curve) || curve.tag != TAG_CURVE ||
        !rd_done(&r) || curve.value.len == 0)
        return ERR_FORMAT;
    unsigned reference = curve.value.data[0];
    if (curve.value.len != 1 || reference >= CURVE_COUNT)
        return ERR_UNSUPPORTED;
    out->curve = (enum pk_curve)reference;
    out->point = point.value;
    return point.value.len == 1 + 2 * pk_curve_len(out->curve) ? OK : ERR_FORMAT;
}

static uint16_t read_usage(struct view v)
{
    struct reader r;
    rd_init(&r, v);
    unsigned first = rd_u8(&r);
    return (uint16_t)(first << 8 | (rd_left(&r) > 0 ? rd_u8(&r) : 0U));
}

/* The value of the one object that certificate is. */
static enum err unwrap(struct view certificate, struct view *body)
{
    struct reader r;
    struct tlv object;
    rd_init(&r, certificate);
    if (certificate.len > CERTIFICATE_MAX || !tlv_next(&r, &object) || object.tag != TAG_CERTIFICATE ||
        !rd_done(&r))
        return ERR_FORMAT;
    *body = object.value;
    return OK;
}

enum err gp_certificate_parse(struct view certificate, struct gp_certificate *out)
{
    struct view body, v[FIELD_COUNT] = {VIEW_NULL};
    struct gp_certificate x = {0};
    size_t signed_len = 0;
    enum err e = unwrap(certificate, &body);
    if (e == OK)
        e = read_fields(body, v, &signed_len);
    if (e == OK)
        e = read_dates(v, &x);
    if (e == OK)
        e = read_key(v[KEY], &x);
    if (e != OK)
        return e;
    x.serial = v[SERIAL];
    x.issuer = v[ISSUER];
    x.subject = v[SUBJECT];
    x.usage = read_usage(v[USAGE]);
    x.image = v[IMAGE];
    x.discretionary = v[DISCRETIONARY].len > 0 ? v[DISCRETIONARY] : v[DISCRETIONARY_TLV];
    x.restrictions = v[RESTRICTIONS];
    x.signed_fields = view_head(body, signed_len);
    x.signature = v[SIGNATURE];
    *out = x;
    return OK;
}

/* ---- verifying ---- */

/* GPCS 2.3.1 table B-3. */
static enum digest digest_for(const struct pk *issuer)
{
    unsigned bits = pk_bits(issuer);
    if (bits < 384)
        return DIGEST_SHA256;
    return bits < 512 ? DIGEST_SHA384 : DIGEST_SHA512;
}

/* A positive DER INTEGER, padded on the left to len bytes. */
static bool put_integer(struct reader *r, size_t len, struct writer *out)
{
    struct tlv integer;
    if (!tlv_next(r, &integer) || integer.tag != DER_INTEGER)
        return false;
    struct view v = integer.value;
    while (v.len > 0 && v.data[0] == 0)
        v = view_tail(v, 1);
    if (v.len > len)
        return false;
    for (size_t i = v.len; i < len; i++)
        wr_u8(out, 0);
    wr_view(out, v);
    return wr_ok(out);
}

/* SEQUENCE of r and s: r | s, each of half bytes. */
static bool plain_from_der(struct view der, size_t half, struct writer *plain)
{
    struct reader r, inside;
    struct tlv sequence;
    rd_init(&r, der);
    if (!tlv_next(&r, &sequence) || sequence.tag != DER_SEQUENCE || !rd_done(&r))
        return false;
    rd_init(&inside, sequence.value);
    return put_integer(&inside, half, plain) && put_integer(&inside, half, plain) && rd_done(&inside);
}

/* GPCS 2.3.1 B.4.3: r | s. The certificates of Samsung's OpenSCP have the two numbers in DER. */
static enum err verify_signature(struct crypto *c, const struct gp_certificate *x, struct pk *issuer)
{
    uint8_t memory[PLAIN_MAX];
    struct writer plain;
    enum digest digest = digest_for(issuer);
    enum err e = pk_verify(c, issuer, PK_ECDSA_PLAIN, digest, &x->signed_fields, 1, x->signature);
    if (e != ERR_AUTH)
        return e;
    wr_fixed(&plain, memory, sizeof(memory));
    if (!plain_from_der(x->signature, pk_curve_len(pk_ec_curve(issuer)), &plain))
        return ERR_AUTH;
    return pk_verify(c, issuer, PK_ECDSA_PLAIN, digest, &x->signed_fields, 1, wr_view_of(&plain));
}

static bool right_usage(uint16_t usage, bool is_ca)
{
    uint16_t wanted = is_ca ? USAGE_SIGN_VERIFICATION : USAGE_KEY_AGREEMENT;
    return (usage & wanted) == wanted;
}

/* Both days belong to the time of validity. */
static enum err check_dates(const struct gp_certificate *x, uint64_t now_ms)
{
    time_t now = (time_t)(now_ms / 1000);
    struct tm tm;
    if (now_ms == 0)
        return OK;
    if (gmtime_r(&now, &tm) == NULL)
        return ERR_ARGUMENT;
    uint32_t today =
        10000U * (uint32_t)(tm.tm_year + 1900) + 100U * (uint32_t)(tm.tm_mon + 1) + (uint32_t)tm.tm_mday;
    return x->effective <= today && today <= x->expires ? OK : ERR_EXPIRED;
}

enum err gp_certificate_verify(struct crypto *c, const struct gp_certificate *certificate, struct pk *issuer,
                               bool is_ca, uint64_t now_ms)
{
    if (pk_algorithm(issuer) != PK_EC)
        return ERR_ARGUMENT;
    enum err e = verify_signature(c, certificate, issuer);
    if (e == OK && !right_usage(certificate->usage, is_ca))
        e = ERR_AUTH;
    return e == OK ? check_dates(certificate, now_ms) : e;
}

/* ---- issuing ---- */

static void put_date(struct writer *w, uint32_t tag, uint32_t date)
{
    uint8_t bcd[DATE_LEN];
    if (date == 0)
        return;
    for (size_t i = DATE_LEN; i-- > 0; date /= 100)
        bcd[i] = (uint8_t)(date / 10 % 10 << 4 | date % 10);
    tlv_put(w, tag, VIEW_OF(bcd));
}

static void put_usage(struct writer *w, uint16_t usage)
{
    uint8_t bytes[2];
    struct writer two;
    wr_fixed(&two, bytes, sizeof(bytes));
    wr_u16(&two, usage);
    tlv_put(w, TAG_USAGE, view_head(wr_view_of(&two), (usage & 0xFF) == 0 ? 1 : 2));
}

static void put_optional(struct writer *w, uint32_t tag, struct view value)
{
    if (value.len > 0)
        tlv_put(w, tag, value);
}

static enum err put_signed_fields(const struct gp_certificate *x, const struct pk *subject, struct writer *w)
{
    uint8_t point_memory[PK_POINT_MAX], reference[] = {(uint8_t)pk_ec_curve(subject)};
    struct writer point;
    size_t key;
    wr_fixed(&point, point_memory, sizeof(point_memory));
    enum err e = pk_put_point(subject, &point);
    if (e != OK)
        return e;
    tlv_put(w, TAG_SERIAL, x->serial);
    tlv_put(w, TAG_ISSUER, x->issuer);
    tlv_put(w, TAG_SUBJECT, x->subject);
    put_usage(w, x->usage);
    put_date(w, TAG_EFFECTIVE, x->effective);
    put_date(w, TAG_EXPIRES, x->expires);
    put_optional(w, TAG_IMAGE, x->image);
    put_optional(w, TAG_DISCRETIONARY, x->discretionary);
    put_optional(w, TAG_RESTRICTIONS, x->restrictions);
    tlv_open(w, TAG_KEY, &key);
    tlv_put(w, TAG_POINT, wr_view_of(&point));
    tlv_put(w, TAG_CURVE, VIEW_OF(reference));
    tlv_close(w, key);
    return wr_status(w);
}

enum err gp_certificate_issue(struct crypto *c, const struct gp_certificate *what, const struct pk *subject,
                              struct pk *issuer, struct writer *out)
{
    uint8_t signature_memory[PK_SIGNATURE_MAX];
    struct writer body, whole, signature;
    struct gp_certificate again;
    wr_heap(&body, CERTIFICATE_MAX);
    wr_heap(&whole, CERTIFICATE_MAX);
    wr_fixed(&signature, signature_memory, sizeof(signature_memory));
    enum err e = pk_algorithm(issuer) == PK_EC ? put_signed_fields(what, subject, &body) : ERR_ARGUMENT;
    struct view signed_fields = wr_view_of(&body);
    if (e == OK)
        e = pk_sign(c, issuer, PK_ECDSA_PLAIN, digest_for(issuer), &signed_fields, 1, &signature);
    if (e != OK)
        goto out;
    tlv_put(&body, TAG_SIGNATURE, wr_view_of(&signature));
    tlv_put(&whole, TAG_CERTIFICATE, wr_view_of(&body));
    e = wr_status(&whole);
    if (e == OK && gp_certificate_parse(wr_view_of(&whole), &again) != OK)
        e = ERR_ARGUMENT; /* a field that nobody would take */
    if (e == OK) {
        wr_view(out, wr_view_of(&whole));
        e = wr_status(out);
    }
out:
    wr_free(&whole);
    wr_free(&body);
    return e;
}

/* ---- either kind ---- */

static bool is_gp(struct view certificate)
{
    static const uint8_t tag[] = {0x7F, 0x21};
    return view_starts(certificate, VIEW_OF(tag));
}

static enum err gp_key(const struct gp_certificate *x, struct pk **out)
{
    return pk_ec_public(x->curve, x->point, out);
}

enum err certificate_point(struct view certificate, enum pk_curve *curve, struct writer *out)
{
    struct gp_certificate x = {0};
    struct view point = VIEW_NULL;
    struct pk *k = NULL;
    enum err e =
        is_gp(certificate) ? gp_certificate_parse(certificate, &x) : x509_point(certificate, curve, &point);
    if (e == OK && is_gp(certificate)) {
        *curve = x.curve;
        point = x.point;
    }
    if (e == OK) {
        wr_view(out, point);
        return wr_status(out);
    }
    if (is_gp(certificate))
        return e;
    e = pk_from_x509(certificate, &k);
    if (e == OK && pk_algorithm(k) != PK_EC)
        e = ERR_UNSUPPORTED;
    if (e == OK) {
        *curve = pk_ec_curve(k);
        e = pk_put_point(k, out);
    }
    pk_free(&k);
    return e;
}

enum err certificate_key(struct view certificate, struct pk **out)
{
    struct gp_certificate x;
    if (!is_gp(certificate))
        return pk_from_x509(certificate, out);
    enum err e = gp_certificate_parse(certificate, &x);
    return e == OK ? gp_key(&x, out) : e;
}

enum err certificates_split(struct view together, struct view *out, size_t max, size_t *count)
{
    struct reader r;
    struct tlv object;
    size_t n = 0;
    rd_init(&r, together);
    for (struct view left = together; tlv_next(&r, &object); left = view_tail(left, left.len - rd_left(&r))) {
        if (object.tag != TAG_CERTIFICATE && object.tag != DER_SEQUENCE)
            return ERR_FORMAT;
        if (n == max)
            return ERR_LIMIT;
        out[n++] = view_head(left, left.len - rd_left(&r));
    }
    if (!rd_done(&r))
        return ERR_FORMAT;
    *count = n;
    return OK;
}

/* Of two GlobalPlatform certificates, one below the other. */
static bool names_chain(struct view above, const struct gp_certificate *x)
{
    struct gp_certificate issuer;
    return !is_gp(above) ||
           (gp_certificate_parse(above, &issuer) == OK && view_equal(issuer.subject, x->issuer));
}

static enum err verify_gp(struct crypto *c, struct view certificate, struct pk *issuer, struct view above,
                          bool is_ca, uint64_t now_ms)
{
    struct gp_certificate x;
    enum err e = gp_certificate_parse(certificate, &x);
    if (e == OK && !names_chain(above, &x))
        e = ERR_AUTH;
    return e == OK ? gp_certificate_verify(c, &x, issuer, is_ca, now_ms) : e;
}

/* below: how many certificates stand behind this one. RFC 5280 4.2.1.9: a path length counts the authorities
 * in between, which the leaf is none of. */
static enum err verify_step(struct crypto *c, struct view certificate, struct pk *issuer, struct view above,
                            size_t below, uint64_t now_ms)
{
    bool is_ca = below > 0;
    if (is_gp(certificate))
        return verify_gp(c, certificate, issuer, above, is_ca, now_ms);
    if (above.len == 0 && !is_ca) { /* of the plainest form, without the library */
        enum err plain = x509_leaf_verify(c, certificate, issuer, now_ms);
        if (plain != ERR_UNSUPPORTED)
            return plain;
    }
    enum err e = pk_x509_verify(certificate, issuer, is_gp(above) ? VIEW_NULL : above, is_ca, now_ms);
    if (e == OK && is_ca && pk_x509_path_len(certificate) < below - 1)
        e = ERR_AUTH;
    return e;
}

enum err certificate_leaf_verify(struct crypto *c, struct pk *trust, struct view certificate, uint64_t now_ms)
{
    return verify_step(c, certificate, trust, VIEW_NULL, 0, now_ms);
}

enum err certificate_chain_verify(struct crypto *c, struct pk *trust, const struct view *certs, size_t count,
                                  uint64_t now_ms, struct pk **leaf)
{
    struct pk *issuer = trust, *next = NULL;
    struct view above = VIEW_NULL;
    enum err e = OK;
    if (count == 0)
        return ERR_ARGUMENT;
    if (count > CERTIFICATE_CHAIN_MAX)
        return ERR_LIMIT;
    for (size_t i = 0; i < count && e == OK; i++) {
        e = verify_step(c, certs[i], issuer, above, count - 1 - i, now_ms);
        if (e == OK)
            e = certificate_key(certs[i], &next);
        if (issuer != trust)
            pk_free(&issuer);
        issuer = next;
        next = NULL;
        above = certs[i];
    }
    if (e == OK && pk_algorithm(issuer) != PK_EC)
        e = ERR_UNSUPPORTED; /* an RSA leaf agrees on nothing */
    if (e == OK)
        *leaf = issuer;
    else if (issuer != trust)
        pk_free(&issuer);
    return e;
}
