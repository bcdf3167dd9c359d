/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificates: the published ones parse and verify under the keys of their authorities, each rule of a step
 * and of a chain has a row that breaks it, and chains mix both kinds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <gp/certificate.h>
#include <support/vectors.h>
#include <tlv/tlv.h>

/* 2026-06-15 12:00 UTC. */
#define NOON 1781524800000ULL
#define DAY  86400000ULL

static int setup(void **state)
{
    return crypto_new((struct crypto **)state) == OK ? 0 : -1;
}

static int teardown(void **state)
{
    crypto_free((struct crypto **)state);
    vectors_free();
    return 0;
}

/* ---- published certificates ---- */

/* The vectors name no authority; these two keys are the ones under which both the X.509 and the
 * GlobalPlatform certificates of one authority verify, and their SHA-1 is the authority's name in each. */
static const char *const authorities[] = {
    "0488899EE7E190DD931F755C5A11FAAA9F4CA4F4D3BE1874C2F8097B93A5232DE09029D21D6FBF00717CEB78D5E8BCB845855CFF"
    "F5CE13006C034F17DDA1A11840",
    "046997B9E3085C22572AB7462EE8E6812C818000F11C74C17D88AFA617912DC49261003CF4A5E8149BC1A2BCA6975266F5612198"
    "7080E900526CC938126A5D47E3",
};

static const json_t *session(const char *id)
{
    json_t *rows = vectors_load("vectors/scp11.json"), *row;
    size_t n;
    json_array_foreach(rows, n, row)
    {
        if (strcmp(vector_text(row, "id"), id) == 0)
            return row;
    }
    fail_msg("no session %s", id);
    return NULL;
}

/* The only certificate of a store BF21. */
static struct view stored(const json_t *row)
{
    struct view store, certificate;
    size_t count = 0;
    assert_true(tlv_find(vector_bytes(row, "sd_cert_store_BF21"), 0xBF21, &store));
    assert_int_equal(certificates_split(store, &certificate, 1, &count), OK);
    assert_int_equal(count, 1);
    return certificate;
}

static void check_published(struct crypto *c, const char *id)
{
    const json_t *row = session(id);
    const struct view certs[] = {vector_bytes(row, "cert_oce"), stored(row)};
    static const char *const keys[] = {"pk_oce_ecka", "pk_sd_ecka"};
    for (size_t i = 0; i < 2; i++) {
        struct pk *trust = NULL, *leaf = NULL, *inside = NULL, *expected = NULL;
        assert_int_equal(pk_ec_public(CURVE_P256, vector_hex(authorities[i]), &trust), OK);
        assert_int_equal(pk_ec_public(CURVE_P256, vector_bytes(row, keys[i]), &expected), OK);
        enum err e = certificate_chain_verify(c, trust, &certs[i], 1, 0, &leaf);
        if (e != OK || !pk_same(leaf, expected))
            fail_msg("%s: %s: %s", id, keys[i], err_name(e));
        assert_int_equal(certificate_key(certs[i], &inside), OK);
        assert_true(pk_same(inside, expected));
        pk_free(&trust);
        pk_free(&leaf);
        pk_free(&inside);
        pk_free(&expected);
    }
}

static void published_certificates_verify(void **state)
{
    check_published(*state, "samsung-scp11a-secp256r1-AES-128-S8-gpcert");
    check_published(*state, "samsung-scp11a-secp256r1-AES-128-S16");
}

static void a_published_certificate_has_these_fields(void **state)
{
    struct gp_certificate x;
    struct view cert = vector_bytes(session("samsung-scp11a-secp256r1-AES-128-S8-gpcert"), "cert_oce");
    (void)state;
    assert_int_equal(gp_certificate_parse(cert, &x), OK);
    assert_true(view_equal(x.serial, vector_hex("6DBC19AFE3782C7C0053F19E86DF2F0F00B559EA")));
    assert_true(view_equal(x.issuer, vector_hex("851A6F60A6B45534647260877A357F3676C35686")));
    assert_true(view_equal(x.subject, vector_hex("E225C62F5E33CA02D23D9D83D0685B4EB2FEBC11")));
    assert_int_equal(x.usage, USAGE_KEY_AGREEMENT);
    assert_int_equal(x.effective, 0);
    assert_int_equal(x.expires, 20281231);
    assert_int_equal(x.curve, CURVE_P256);
    assert_int_equal(x.point.len, 65);
    assert_true(x.discretionary.len == 0 && x.restrictions.len == 0 && x.image.len == 0);
    assert_int_equal(x.signature.len, 71);
}

/* With what the published ones lack: effective date, discretionary data, restrictions. */
static void optional_fields_are_read(void **state)
{
    struct gp_certificate x;
    (void)state;
    struct view cert = vector_hex("7F2181FE931457F0A28A1F2ADCFF7D22239B8B644AE287422DD64214851A6F60A6B4553464"
                                  "7260877A357F3676C356865F2014CD"
                                  "7B897E3C1BC6FFAC7F9595FB55AE66C3CE84AB950200805F2504202502285F240420240229"
                                  "730700010203040506BF200A000102"
                                  "030405060708097F4946B041044F92A07D168C309959EED99E288381DD192979CD452D8FBE"
                                  "1F163447979207C5E6CD1F4DD11609"
                                  "E2100C033BBD723BE78B71477E64883EB41EC366713E44AF1EF001005F3747000102030405"
                                  "060708090A0B0C0D0E0F1011121314"
                                  "15161718191A1B1C1D1E1F202122232425262728292A2B2C2D2E2F30313233343536373839"
                                  "3A3B3C3D3E3F40414243444546");
    assert_int_equal(gp_certificate_parse(cert, &x), OK);
    assert_int_equal(x.effective, 20250228);
    assert_int_equal(x.expires, 20240229);
    assert_true(view_equal(x.discretionary, vector_hex("00010203040506")));
    assert_true(view_equal(x.restrictions, vector_hex("00010203040506070809")));
    /* cut anywhere, or with something behind it, it is none */
    for (size_t len = 0; len < cert.len; len++)
        assert_int_equal(gp_certificate_parse(view_head(cert, len), &x), ERR_FORMAT);
}

/* ---- fields that are refused ---- */

#define KEY_P256                                                                                             \
    "7F4946B041044F92A07D168C309959EED99E288381DD192979CD452D8FBE1F163447979207C5E6CD1F4DD11609E2100C033BBD" \
    "723BE78B71477E64883EB41EC366713E44AF1EF00100"
#define NAMES "9301014202CCCC5F2002DDDD"

static void malformed_certificates_are_refused(void **state)
{
    static const struct {
        const char *name, *body;
        enum err expect;
    } rows[] = {
        {"good",
         NAMES "95020080"
               "5F240420311231" KEY_P256 "5F370101",
         OK},
        {"image, both texts",
         NAMES "950182"
               "5F240420311231"
               "450101"
               "530101"
               "730101" KEY_P256 "5F370101",
         OK},
        {"empty", "", ERR_FORMAT},
        {"no serial",
         "4202CCCC5F2002DDDD"
         "95020080"
         "5F240420311231" KEY_P256 "5F370101",
         ERR_FORMAT},
        {"no issuer",
         "9301015F2002DDDD"
         "95020080"
         "5F240420311231" KEY_P256 "5F370101",
         ERR_FORMAT},
        {"no subject",
         "9301014202CCCC"
         "95020080"
         "5F240420311231" KEY_P256 "5F370101",
         ERR_FORMAT},
        {"no usage", NAMES "5F240420311231" KEY_P256 "5F370101", ERR_FORMAT},
        {"no expiration", NAMES "95020080" KEY_P256 "5F370101", ERR_FORMAT},
        {"no key",
         NAMES "95020080"
               "5F240420311231"
               "5F370101",
         ERR_FORMAT},
        {"no signature",
         NAMES "95020080"
               "5F240420311231" KEY_P256,
         ERR_FORMAT},
        {"empty signature",
         NAMES "95020080"
               "5F240420311231" KEY_P256 "5F3700",
         ERR_FORMAT},
        {"behind the signature",
         NAMES "95020080"
               "5F240420311231" KEY_P256 "5F370101"
               "530101",
         ERR_FORMAT},
        {"two serials",
         "930101" NAMES "95020080"
         "5F240420311231" KEY_P256 "5F370101",
         ERR_FORMAT},
        {"another order",
         "4202CCCC9301015F2002DDDD"
         "95020080"
         "5F240420311231" KEY_P256 "5F370101",
         ERR_FORMAT},
        {"unknown field",
         NAMES "95020080"
               "5F240420311231"
               "5F300101" KEY_P256 "5F370101",
         ERR_FORMAT},
        {"empty serial",
         "93004202CCCC5F2002DDDD"
         "95020080"
         "5F240420311231" KEY_P256 "5F370101",
         ERR_FORMAT},
        {"long serial",
         "931500000000000000000000000000000000000000000000"
         "4202CCCC5F2002DDDD"
         "95020080"
         "5F240420311231" KEY_P256 "5F370101",
         ERR_FORMAT},
        {"long usage",
         NAMES "9503008000"
               "5F240420311231" KEY_P256 "5F370101",
         ERR_FORMAT},
        {"month 13",
         NAMES "95020080"
               "5F240420311331" KEY_P256 "5F370101",
         ERR_FORMAT},
        {"month 0",
         NAMES "95020080"
               "5F240420310031" KEY_P256 "5F370101",
         ERR_FORMAT},
        {"day 0",
         NAMES "95020080"
               "5F240420311200" KEY_P256 "5F370101",
         ERR_FORMAT},
        {"31 June",
         NAMES "95020080"
               "5F240420310631" KEY_P256 "5F370101",
         ERR_FORMAT},
        {"29 February 2031",
         NAMES "95020080"
               "5F240420310229" KEY_P256 "5F370101",
         ERR_FORMAT},
        {"29 February 2100",
         NAMES "95020080"
               "5F240421000229" KEY_P256 "5F370101",
         ERR_FORMAT},
        {"no decimal digit",
         NAMES "95020080"
               "5F2404203112 1A" KEY_P256 "5F370101",
         ERR_FORMAT},
        {"a number above 99",
         NAMES "95020080"
               "5F240414640C1F" KEY_P256 "5F370101",
         ERR_FORMAT},
        {"numbers",
         NAMES "95020080"
               "5F240414630C1F" KEY_P256 "5F370101",
         OK},
        {"short date",
         NAMES "95020080"
               "5F2403203112" KEY_P256 "5F370101",
         ERR_FORMAT},
        {"bad effective date",
         NAMES "95020080"
               "5F250420311331"
               "5F240420311231" KEY_P256 "5F370101",
         ERR_FORMAT},
        {"curve without point",
         NAMES "95020080"
               "5F240420311231"
               "7F4903F00100"
               "5F370101",
         ERR_FORMAT},
        {"short point",
         NAMES "95020080"
               "5F240420311231"
               "7F4907B00204AAF00100"
               "5F370101",
         ERR_FORMAT},
        {"no curve",
         NAMES "95020080"
               "5F240420311231"
               "7F4904B00204AA"
               "5F370101",
         ERR_FORMAT},
        {"curve of others",
         NAMES "95020080"
               "5F240420311231"
               "7F4907B00204AAF00109"
               "5F370101",
         ERR_UNSUPPORTED},
        {"curve of two bytes",
         NAMES "95020080"
               "5F240420311231"
               "7F4908B00204AAF002C000"
               "5F370101",
         ERR_UNSUPPORTED},
        {"empty curve",
         NAMES "95020080"
               "5F240420311231"
               "7F4906B00204AAF000"
               "5F370101",
         ERR_FORMAT},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t memory[512];
        char hex[1024];
        size_t n = 0;
        struct writer w;
        struct gp_certificate x = {.expires = 7};
        for (const char *p = rows[i].body; *p != '\0'; p++)
            if (*p != ' ')
                hex[n++] = *p;
        hex[n] = '\0';
        wr_fixed(&w, memory, sizeof(memory));
        tlv_put(&w, 0x7F21, vector_hex(hex));
        enum err e = gp_certificate_parse(wr_view_of(&w), &x);
        if (e != rows[i].expect || (e != OK && x.expires != 7))
            fail_msg("%s: %s", rows[i].name, err_name(e));
        wr_u8(&w, 0);
        assert_int_equal(gp_certificate_parse(wr_view_of(&w), &x), ERR_FORMAT);
    }
}

/* ---- own certificates ---- */

struct party {
    struct pk *key;
    uint8_t memory[1024];
    struct writer cert;
};

static struct view cert_of(const struct party *p)
{
    return wr_view_of(&p->cert);
}

static struct gp_certificate contents(const char *issuer, const char *subject, uint16_t usage)
{
    return (struct gp_certificate){.serial = view_str("1"),
                                   .issuer = view_str(issuer),
                                   .subject = view_str(subject),
                                   .usage = usage,
                                   .effective = 20260615,
                                   .expires = 20260615};
}

static void issue(struct crypto *c, struct party *p, const struct gp_certificate *what, struct pk *issuer)
{
    wr_fixed(&p->cert, p->memory, sizeof(p->memory));
    assert_int_equal(gp_certificate_issue(c, what, p->key, issuer, &p->cert), OK);
}

static void issue_x509(struct party *p, const struct pk_x509_contents *what, struct pk *issuer)
{
    wr_fixed(&p->cert, p->memory, sizeof(p->memory));
    assert_int_equal(pk_x509_issue(what, p->key, issuer, &p->cert), OK);
}

/* Every curve signs for every curve. */
static void certificates_of_all_curves_verify(void **state)
{
    for (unsigned i = 0; i < CURVE_COUNT; i++) {
        struct party p = {0};
        struct pk *authority = NULL, *leaf = NULL;
        assert_int_equal(pk_generate_ec(*state, (enum pk_curve)i, &authority), OK);
        assert_int_equal(pk_generate_ec(*state, (enum pk_curve)((i + 4) % CURVE_COUNT), &p.key), OK);
        const struct gp_certificate what = contents("root", "leaf", USAGE_KEY_AGREEMENT);
        issue(*state, &p, &what, authority);
        struct view cert = cert_of(&p);
        enum err e = certificate_chain_verify(*state, authority, &cert, 1, NOON, &leaf);
        if (e != OK || !pk_same(leaf, p.key))
            fail_msg("%s: %s", pk_curve_name((enum pk_curve)i), err_name(e));
        pk_free(&leaf);
        pk_free(&p.key);
        pk_free(&authority);
    }
}

static void one_step_keeps_its_rules(void **state)
{
    static const struct {
        const char *name;
        uint16_t usage;
        bool is_ca;
        uint64_t now;
        enum err expect;
    } rows[] = {
        {"leaf", USAGE_KEY_AGREEMENT, false, NOON, OK},
        {"authority", USAGE_SIGN_VERIFICATION, true, NOON, OK},
        {"both", USAGE_SIGN_VERIFICATION | USAGE_KEY_AGREEMENT, true, NOON, OK},
        {"leaf as authority", USAGE_KEY_AGREEMENT, true, NOON, ERR_AUTH},
        {"authority as leaf", USAGE_SIGN_VERIFICATION, false, NOON, ERR_AUTH},
        {"half a usage", 0x0200, true, NOON, ERR_AUTH},
        {"the day before", USAGE_KEY_AGREEMENT, false, NOON - DAY, ERR_EXPIRED},
        {"the day after", USAGE_KEY_AGREEMENT, false, NOON + DAY, ERR_EXPIRED},
        {"the first second", USAGE_KEY_AGREEMENT, false, NOON - DAY / 2, OK},
        {"the last second", USAGE_KEY_AGREEMENT, false, NOON + DAY / 2 - 1, OK},
        {"no date asked for", USAGE_KEY_AGREEMENT, false, 0, OK},
    };
    struct party p = {0};
    struct pk *authority = NULL, *rsa = NULL;
    struct gp_certificate x;
    assert_int_equal(pk_generate_ec(*state, CURVE_P256, &authority), OK);
    assert_int_equal(pk_generate_ec(*state, CURVE_P256, &p.key), OK);
    assert_int_equal(pk_generate(*state, PK_RSA, 1024, &rsa), OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct gp_certificate what = contents("root", "leaf", rows[i].usage);
        issue(*state, &p, &what, authority);
        assert_int_equal(gp_certificate_parse(cert_of(&p), &x), OK);
        enum err e = gp_certificate_verify(*state, &x, authority, rows[i].is_ca, rows[i].now);
        if (e != rows[i].expect)
            fail_msg("%s: %s", rows[i].name, err_name(e));
        assert_int_equal(gp_certificate_verify(*state, &x, p.key, rows[i].is_ca, rows[i].now), ERR_AUTH);
        assert_int_equal(gp_certificate_verify(*state, &x, rsa, rows[i].is_ca, rows[i].now), ERR_ARGUMENT);
    }
    pk_free(&rsa);
    pk_free(&p.key);
    pk_free(&authority);
}

static void every_flipped_byte_is_noticed(void **state)
{
    struct party p = {0};
    struct pk *authority = NULL, *leaf = NULL;
    assert_int_equal(pk_generate_ec(*state, CURVE_P256, &authority), OK);
    assert_int_equal(pk_generate_ec(*state, CURVE_P256, &p.key), OK);
    const struct gp_certificate what = contents("root", "leaf", USAGE_KEY_AGREEMENT);
    issue(*state, &p, &what, authority);
    struct view cert = cert_of(&p);
    for (size_t i = 0; i < cert.len; i++) {
        p.memory[i] ^= 0x01;
        if (certificate_chain_verify(*state, authority, &cert, 1, 0, &leaf) == OK)
            fail_msg("byte %zu", i);
        p.memory[i] ^= 0x01;
    }
    assert_null(leaf);
    pk_free(&p.key);
    pk_free(&authority);
}

/* The published signatures are in DER; what is not exactly r and s in DER is none. */
static void signatures_in_der_are_taken_as_they_are(void **state)
{
    struct view cert = vector_bytes(session("samsung-scp11a-secp256r1-AES-128-S8-gpcert"), "cert_oce");
    struct gp_certificate x;
    struct pk *trust = NULL;
    uint8_t bytes[80];
    assert_int_equal(pk_ec_public(CURVE_P256, vector_hex(authorities[0]), &trust), OK);
    assert_int_equal(gp_certificate_parse(cert, &x), OK);
    assert_int_equal(gp_certificate_verify(*state, &x, trust, false, 0), OK);
    assert_true(x.signature.len < sizeof(bytes));
    struct view whole = x.signature;
    memcpy(bytes, whole.data, whole.len);
    bytes[whole.len] = 0;
    for (size_t i = 0; i < whole.len; i++) {
        x.signature = view_of(bytes, whole.len);
        bytes[i] ^= 0x01;
        assert_int_equal(gp_certificate_verify(*state, &x, trust, false, 0), ERR_AUTH);
        bytes[i] ^= 0x01;
        x.signature = view_of(bytes, i);
        assert_int_equal(gp_certificate_verify(*state, &x, trust, false, 0), ERR_AUTH);
    }
    x.signature = view_of(bytes, whole.len + 1);
    assert_int_equal(gp_certificate_verify(*state, &x, trust, false, 0), ERR_AUTH);
    pk_free(&trust);
}

static void what_does_not_fit_is_not_issued(void **state)
{
    struct party p = {0};
    struct pk *rsa = NULL;
    struct gp_certificate what = contents("root", "leaf", USAGE_KEY_AGREEMENT);
    assert_int_equal(pk_generate_ec(*state, CURVE_P256, &p.key), OK);
    assert_int_equal(pk_generate(*state, PK_RSA, 1024, &rsa), OK);
    wr_fixed(&p.cert, p.memory, sizeof(p.memory));
    assert_int_equal(gp_certificate_issue(*state, &what, rsa, p.key, &p.cert), ERR_ARGUMENT);
    assert_int_equal(gp_certificate_issue(*state, &what, p.key, rsa, &p.cert), ERR_ARGUMENT);
    what.expires = 20260631;
    assert_int_equal(gp_certificate_issue(*state, &what, p.key, p.key, &p.cert), ERR_ARGUMENT);
    what = contents("a name of more than twenty bytes", "leaf", USAGE_KEY_AGREEMENT);
    assert_int_equal(gp_certificate_issue(*state, &what, p.key, p.key, &p.cert), ERR_ARGUMENT);
    assert_int_equal(p.cert.len, 0);
    pk_free(&rsa);
    pk_free(&p.key);
}

/* ---- chains ---- */

enum { ROOT, CA1, CA2, LEAF, PARTIES };

struct chain {
    struct party parties[PARTIES];
    struct view certs[PARTIES];
};

/* How a chain is made: its kinds, and the names that stand in it. */
struct plan {
    const char *name;
    bool x509[PARTIES]; /* below the root, whose certificate is not in the chain */
    const char *issuers[PARTIES];
    int path_len; /* of the first authority */
    uint64_t now;
    enum err expect;
};

static const char *const names[PARTIES] = {"root", "ca1", "ca2", "leaf"};

static void make_link(struct crypto *c, struct chain *chain, const struct plan *plan, size_t i)
{
    struct party *p = &chain->parties[i];
    struct pk *issuer = chain->parties[i - 1].key;
    bool is_ca = i < LEAF;
    struct gp_certificate gp =
        contents(plan->issuers[i], names[i], is_ca ? USAGE_SIGN_VERIFICATION : USAGE_KEY_AGREEMENT);
    const struct pk_x509_contents x509 = {.subject = names[i],
                                          .issuer = plan->issuers[i],
                                          .serial = i,
                                          .not_before_ms = NOON - DAY / 2,
                                          .not_after_ms = NOON + DAY / 2 - 1,
                                          .is_ca = is_ca,
                                          .path_len = i == CA1 ? plan->path_len : -1};
    if (plan->x509[i])
        issue_x509(p, &x509, issuer);
    else
        issue(c, p, &gp, issuer);
    chain->certs[i] = cert_of(p);
}

static void make_chain(struct crypto *c, struct chain *chain, const struct plan *plan)
{
    static const enum pk_curve curves[PARTIES] = {CURVE_P256, CURVE_P384, CURVE_BRAINPOOL_P256R1, CURVE_P256};
    for (size_t i = 0; i < PARTIES; i++) {
        chain->parties[i].key = NULL;
        assert_int_equal(pk_generate_ec(c, curves[i], &chain->parties[i].key), OK);
        if (i > 0)
            make_link(c, chain, plan, i);
    }
}

static void free_chain(struct chain *chain)
{
    for (size_t i = 0; i < PARTIES; i++)
        pk_free(&chain->parties[i].key);
}

/* As it is; and with a link missing, doubled, or put elsewhere, which never verifies. */
static void check_chain(struct crypto *c, const struct plan *plan)
{
    static const struct {
        size_t order[4], count;
    } wrong[] = {{{CA1, LEAF}, 2},
                 {{CA2, LEAF}, 2},
                 {{LEAF}, 1},
                 {{CA2, CA1, LEAF}, 3},
                 {{CA1, CA2}, 2},
                 {{CA1}, 1},
                 {{CA1, CA1, CA2, LEAF}, 4},
                 {{CA1, CA2, LEAF, LEAF}, 4},
                 {{LEAF, CA2, CA1}, 3}};
    struct chain chain = {0};
    struct pk *leaf = NULL;
    make_chain(c, &chain, plan);
    struct pk *trust = chain.parties[ROOT].key;
    enum err e = certificate_chain_verify(c, trust, &chain.certs[CA1], 3, plan->now, &leaf);
    if (e != plan->expect || (leaf != NULL) != (e == OK))
        fail_msg("%s: %s", plan->name, err_name(e));
    if (e == OK)
        assert_true(pk_same(leaf, chain.parties[LEAF].key));
    pk_free(&leaf);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct view certs[4];
        for (size_t n = 0; n < wrong[i].count; n++)
            certs[n] = chain.certs[wrong[i].order[n]];
        if (certificate_chain_verify(c, trust, certs, wrong[i].count, plan->now, &leaf) == OK)
            fail_msg("%s: wrong chain %zu", plan->name, i);
    }
    assert_null(leaf);
    free_chain(&chain);
}

static void chains_keep_their_rules(void **state)
{
    static const struct plan plans[] = {
        {"all GlobalPlatform", {0}, {"", "root", "ca1", "ca2"}, -1, NOON, OK},
        {"all X.509", {0, true, true, true}, {"", "root", "ca1", "ca2"}, -1, NOON, OK},
        {"X.509 above", {0, true, true, false}, {"", "root", "ca1", "ca2"}, -1, NOON, OK},
        {"X.509 below", {0, false, false, true}, {"", "root", "ca1", "ca2"}, -1, NOON, OK},
        {"mixed", {0, false, true, false}, {"", "root", "ca1", "ca2"}, -1, NOON, OK},
        {"names of GlobalPlatform do not chain", {0}, {"", "root", "ca1", "ca3"}, -1, NOON, ERR_AUTH},
        {"the first name is not asked for", {0}, {"", "any", "ca1", "ca2"}, -1, NOON, OK},
        {"names of X.509 do not chain",
         {0, true, true, true},
         {"", "root", "ca1", "ca3"},
         -1,
         NOON,
         ERR_AUTH},
        {"names of two kinds need not", {0, true, false, true}, {"", "root", "x", "y"}, -1, NOON, OK},
        {"path as long as allowed", {0, true, true, true}, {"", "root", "ca1", "ca2"}, 1, NOON, OK},
        {"path too long", {0, true, true, true}, {"", "root", "ca1", "ca2"}, 0, NOON, ERR_AUTH},
        {"path too long over GlobalPlatform",
         {0, true, false, false},
         {"", "root", "x", "ca2"},
         0,
         NOON,
         ERR_AUTH},
        {"GlobalPlatform out of date", {0}, {"", "root", "ca1", "ca2"}, -1, NOON + DAY, ERR_EXPIRED},
        {"X.509 out of date", {0, true, true, true}, {"", "root", "ca1", "ca2"}, -1, NOON + DAY, ERR_EXPIRED},
        {"dates not asked for", {0}, {"", "root", "ca1", "ca2"}, -1, 0, OK},
    };
    for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++)
        check_chain(*state, &plans[i]);
}

static void chains_have_a_length(void **state)
{
    struct view certs[CERTIFICATE_CHAIN_MAX + 1] = {VIEW_NULL};
    struct pk *trust = NULL, *leaf = NULL;
    assert_int_equal(pk_generate_ec(*state, CURVE_P256, &trust), OK);
    assert_int_equal(certificate_chain_verify(*state, trust, certs, 0, 0, &leaf), ERR_ARGUMENT);
    assert_int_equal(certificate_chain_verify(*state, trust, certs, CERTIFICATE_CHAIN_MAX + 1, 0, &leaf),
                     ERR_LIMIT);
    assert_int_equal(certificate_chain_verify(*state, trust, certs, CERTIFICATE_CHAIN_MAX, 0, &leaf),
                     ERR_FORMAT);
    assert_null(leaf);
    pk_free(&trust);
}

/* A leaf whose key is no key on a curve can't agree on anything. */
static void an_rsa_leaf_is_refused(void **state)
{
    struct party p = {0};
    struct pk *trust = NULL, *leaf = NULL;
    const struct pk_x509_contents what = {
        .subject = "leaf", .issuer = "root", .serial = 1, .not_before_ms = NOON, .not_after_ms = NOON + DAY};
    assert_int_equal(pk_generate_ec(*state, CURVE_P256, &trust), OK);
    assert_int_equal(pk_generate(*state, PK_RSA, 1024, &p.key), OK);
    issue_x509(&p, &what, trust);
    struct view cert = cert_of(&p);
    assert_int_equal(certificate_chain_verify(*state, trust, &cert, 1, NOON, &leaf), ERR_UNSUPPORTED);
    assert_null(leaf);
    pk_free(&trust);
    pk_free(&p.key);
}

static void stores_are_split_where_certificates_end(void **state)
{
    static const struct {
        const char *name, *bytes;
        enum err expect;
        size_t count;
    } rows[] = {
        {"none", "", OK, 0},
        {"one of each",
         "7F2102AABB"
         "3003000102",
         OK, 2},
        {"as many as fit",
         "3000"
         "3000"
         "3000",
         OK, 3},
        {"one more",
         "3000"
         "3000"
         "3000"
         "3000",
         ERR_LIMIT, 0},
        {"something else",
         "3000"
         "0400",
         ERR_FORMAT, 0},
        {"cut",
         "3000"
         "3001",
         ERR_FORMAT, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct view certs[3];
        size_t count = 0;
        struct view together = vector_hex(rows[i].bytes);
        enum err e = certificates_split(together, certs, 3, &count);
        if (e != rows[i].expect || count != rows[i].count)
            fail_msg("%s: %s, %zu", rows[i].name, err_name(e), count);
        size_t len = 0;
        for (size_t n = 0; n < count; n++)
            len += certs[n].len;
        assert_true(e != OK || len == together.len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_certificates_verify),
        cmocka_unit_test(a_published_certificate_has_these_fields),
        cmocka_unit_test(optional_fields_are_read),
        cmocka_unit_test(malformed_certificates_are_refused),
        cmocka_unit_test(certificates_of_all_curves_verify),
        cmocka_unit_test(one_step_keeps_its_rules),
        cmocka_unit_test(every_flipped_byte_is_noticed),
        cmocka_unit_test(signatures_in_der_are_taken_as_they_are),
        cmocka_unit_test(what_does_not_fit_is_not_issued),
        cmocka_unit_test(chains_keep_their_rules),
        cmocka_unit_test(chains_have_a_length),
        cmocka_unit_test(an_rsa_leaf_is_refused),
        cmocka_unit_test(stores_are_split_where_certificates_end),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
