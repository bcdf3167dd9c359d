/* SPDX-License-Identifier: Apache-2.0
 *
 * SCP11 against a card that is computed here, straight from Amendment F: keys and receipt must come out the
 * same on both sides for every variant, curve and length; and whatever a card or a line does to an answer,
 * nothing opens. What goes over an open channel is SCP03's, and has its tests there and in the published
 * transcripts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <gp/certificate.h>
#include <support/vectors.h>
#include <tlv/tlv.h>

#include "scp11.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { ANSWERS_MAX = 8, NOW_S = 1900000000 };

static const char *const curves[] = {"P-256", "P-384", "P-521", "brainpoolP256r1"};

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

/* ---- keys and certificates ---- */

static const json_t *row_of(const char *id)
{
    json_t *rows = vectors_load("scp11/chain.json"), *row;
    size_t n;
    json_array_foreach(rows, n, row)
    {
        if (strcmp(vector_text(row, "id"), id) == 0)
            return row;
    }
    fail_msg("no row %s", id);
    return NULL;
}

static struct pk *authority(const char *name)
{
    struct pk *k = NULL;
    assert_int_equal(pk_from_spki(vector_bytes(row_of("authorities"), name), &k), OK);
    return k;
}

static enum pk_curve curve_named(const char *name)
{
    enum pk_curve curve = CURVE_COUNT;
    assert_int_equal(pk_curve_by_name(name, &curve), OK);
    return curve;
}

static struct pk *private_key(const char *curve, const char *whose)
{
    struct pk *k = NULL;
    assert_int_equal(pk_ec_private(curve_named(curve), vector_bytes(row_of(curve), whose), &k), OK);
    return k;
}

/* ---- one opening with a card ---- */

/* The host's side of one test, and what the card answers to it. */
struct opening {
    struct crypto *crypto;
    const char *curve;
    struct channel_request request;
    struct channel_keys keys;
    struct pk *host, *card, *trust, *card_ephemeral;
    struct view certificate;
    struct channel_opening o;
    struct rapdu answers[ANSWERS_MAX];
    struct writer store, agreed; /* the first and the last answer */
    struct secret card_keys[5];  /* receipt key, S-ENC, S-MAC, S-RMAC, S-DEK */
};

static void init_opening(struct opening *t, struct crypto *c, const char *curve, uint8_t i)
{
    *t = (struct opening){.crypto = c, .curve = curve};
    t->host = private_key(curve, "host");
    t->card = private_key(curve, "card");
    t->trust = authority("ca");
    t->certificate = vector_bytes(row_of(curve), "host_certificate");
    t->request = (struct channel_request){.method = channel_method(SCP11, i),
                                          .level = 0x33,
                                          .kvn = 3,
                                          .curve = curve_named(curve),
                                          .now_ms = NOW_S * 1000ull};
    t->keys = (struct channel_keys){.peer = t->trust, .ca_kvn = 2, .ca_kid = 0x10};
    if ((i & SCP11_MUTUAL) != 0) {
        t->keys.host = t->host;
        t->keys.certificates = &t->certificate;
        t->keys.certificate_count = 1;
    }
    wr_heap(&t->store, 8192);
    wr_heap(&t->agreed, 512);
}

static void finish_opening(struct opening *t)
{
    channel_opening_finish(&t->o);
    pk_free(&t->host);
    pk_free(&t->card);
    pk_free(&t->trust);
    pk_free(&t->card_ephemeral);
    wr_free(&t->store);
    wr_free(&t->agreed);
}

static void put_point(struct writer *out, const struct pk *k)
{
    uint8_t memory[PK_POINT_MAX];
    struct writer point;
    wr_fixed(&point, memory, sizeof(memory));
    assert_int_equal(pk_put_point(k, &point), OK);
    tlv_put(out, 0x5F49, wr_view_of(&point));
}

/* Amendment F 5.2: the keys of the card's side. */
static void card_derives(struct opening *t, struct view sent, struct pk *answered)
{
    static const uint32_t crt_length[] = {0xA6, 0x81}, crt_usage[] = {0xA6, 0x95};
    struct view length, usage, point, ids[] = {t->keys.host_id, t->keys.card_group_id};
    struct pk *host_ephemeral = NULL;
    struct secret shared[2] = {0};
    uint8_t blocks[5 * 32 + 32], info_bytes[600];
    struct writer info;
    assert_true(tlv_path(sent, crt_length, 2, &length) && tlv_path(sent, crt_usage, 2, &usage));
    assert_true(tlv_find(sent, 0x5F49, &point));
    bool mutual = (t->request.method->i & SCP11_MUTUAL) != 0;
    assert_int_equal(pk_ec_public(pk_ec_curve(t->card), point, &host_ephemeral), OK);
    assert_int_equal(pk_ecdh(t->crypto, answered, host_ephemeral, &shared[0]), OK);
    assert_int_equal(pk_ecdh(t->crypto, t->card, mutual ? t->host : host_ephemeral, &shared[1]), OK);
    wr_fixed(&info, info_bytes, sizeof(info_bytes));
    wr_view(&info, usage);
    wr_u8(&info, 0x88);
    wr_view(&info, length);
    for (size_t i = 0; i < 2 && ids[0].len + ids[1].len > 0; i++)
        wr_view8(&info, ids[i]);
    for (uint8_t n = 0; n < 5 * length.data[0]; n += 32) {
        const uint8_t counter[4] = {0, 0, 0, n / 32 + 1};
        const struct view parts[] = {secret_view(&shared[0]), secret_view(&shared[1]), VIEW_OF(counter),
                                     wr_view_of(&info)};
        assert_int_equal(crypto_digest(t->crypto, DIGEST_SHA256, parts, 4, blocks + n), OK);
    }
    for (size_t n = 0; n < 5; n++)
        assert_int_equal(secret_set(&t->card_keys[n], view_of(blocks + n * length.data[0], length.data[0])),
                         OK);
    pk_free(&host_ephemeral);
}

/* 5F49 key of the card | 86 receipt over what both have said */
static void card_agrees(struct opening *t, struct view sent, struct pk *answered)
{
    uint8_t receipt[CMAC_LEN];
    card_derives(t, sent, answered);
    put_point(&t->agreed, answered);
    const struct view parts[] = {sent, wr_view_of(&t->agreed)};
    assert_int_equal(crypto_cmac(t->crypto, secret_view(&t->card_keys[0]), parts, 2, receipt), OK);
    tlv_put(&t->agreed, 0x86, VIEW_OF(receipt));
}

static void put_store(struct opening *t, const char *const *names, size_t count)
{
    size_t mark;
    tlv_open(&t->store, 0xBF21, &mark);
    for (size_t n = 0; n < count; n++) {
        bool of_authority = strncmp(names[n], "second", 6) == 0;
        wr_view(&t->store, vector_bytes(row_of(of_authority ? "authorities" : t->curve), names[n]));
    }
    tlv_close(&t->store, mark);
}

/* Begins, and has the card answer everything. */
static void converse(struct opening *t)
{
    static const char *const direct[] = {"certificate"};
    assert_int_equal(channel_begin(&t->o, t->crypto, crypto_random(), &t->request, &t->keys), OK);
    assert_in_range(t->o.count, 1, ANSWERS_MAX);
    if (t->store.len == 0)
        put_store(t, direct, 1);
    if ((t->request.method->i & SCP11_CARD_STATIC) == 0)
        assert_int_equal(pk_generate_ec(t->crypto, pk_ec_curve(t->card), &t->card_ephemeral), OK);
    card_agrees(t, t->o.commands[t->o.count - 1].data,
                t->card_ephemeral != NULL ? t->card_ephemeral : t->card);
    for (size_t n = 0; n < t->o.count; n++)
        t->answers[n] = (struct rapdu){.sw = SW_OK};
    t->answers[0].data = wr_view_of(&t->store);
    t->answers[t->o.count - 1].data = wr_view_of(&t->agreed);
}

static enum err accept(struct opening *t, struct channel **ch)
{
    *ch = NULL;
    enum err e = channel_accept(ch, t->crypto, &t->o, &t->keys, t->answers, t->o.count);
    assert_int_equal(e == OK, *ch != NULL);
    return e;
}

static void same_keys(const struct opening *t, const struct channel *ch)
{
    const struct secret *const keys[] = {&ch->enc, &ch->mac, &ch->rmac, &ch->dek};
    for (size_t n = 0; n < COUNT(keys); n++)
        assert_true(secret_equal(secret_view(keys[n]), secret_view(&t->card_keys[n + 1])));
    struct view receipt;
    assert_true(tlv_find(wr_view_of(&t->agreed), 0x86, &receipt));
    assert_true(view_equal(view_of(ch->chain, SCP11_RECEIPT), receipt));
    assert_int_equal(ch->counter, 0);
    assert_int_equal(ch->phase, PHASE_OPEN);
}

/* ---- what must work ---- */

static void both_sides_agree(void **state)
{
    static const uint8_t is[] = {0x00, 0x01, 0x03, 0x80, 0x81, 0x83}, levels[] = {0x11, 0x33},
                         lens[] = {0, 16, 24, 32};
    for (size_t n = 0; n < COUNT(curves) * COUNT(is) * COUNT(levels) * COUNT(lens); n++) {
        struct opening t;
        struct channel *ch = NULL;
        init_opening(&t, *state, curves[n % COUNT(curves)], is[n / COUNT(curves) % COUNT(is)]);
        t.request.level = levels[n / COUNT(curves) / COUNT(is) % COUNT(levels)];
        t.request.session_key_len = lens[n / COUNT(curves) / COUNT(is) / COUNT(levels)];
        converse(&t);
        enum err e = accept(&t, &ch);
        if (e != OK)
            fail_msg("%s i=%02X level %02X: %s", t.curve, t.request.method->i, t.request.level, err_name(e));
        same_keys(&t, ch);
        assert_int_equal(ch->enc.len, t.request.session_key_len != 0 ? t.request.session_key_len : 16);
        assert_int_equal(channel_level(ch), t.request.level);
        channel_free(&ch);
        finish_opening(&t);
    }
}

static void identifiers_go_into_the_keys(void **state)
{
    static const uint8_t host[] = {1, 2, 3}, group[] = {9, 8};
    const struct view with[] = {VIEW_OF(host), VIEW_NULL}, also[] = {VIEW_OF(group), VIEW_NULL};
    for (size_t n = 0; n < 4; n++) {
        struct opening t;
        struct channel *ch = NULL;
        struct view crt, parameters, id;
        init_opening(&t, *state, "P-256", 0x03);
        t.keys.host_id = with[n % 2];
        t.keys.card_group_id = also[n / 2];
        converse(&t);
        assert_true(tlv_find(t.o.commands[t.o.count - 1].data, 0xA6, &crt));
        assert_true(tlv_find(crt, 0x90, &parameters));
        assert_int_equal(parameters.data[1], n == 3 ? 0x03 : 0x07);
        assert_int_equal(tlv_find(crt, 0x84, &id), n % 2 == 0);
        assert_int_equal(accept(&t, &ch), OK);
        same_keys(&t, ch);
        channel_free(&ch);
        t.keys.host_id = VIEW_OF(group);
        assert_int_equal(accept(&t, &ch), ERR_AUTH);
        finish_opening(&t);
    }
}

/* ---- what is sent ---- */

static void commands_of_an_opening(void **state)
{
    static const struct {
        uint8_t i;
        size_t lens[3], count;
        const char *headers[6];
    } rows[] = {
        {0x00, {0}, 0, {"00CABF21", "80880313"}},
        {0x01, {255}, 1, {"00CABF21", "802A0210", "80820311"}},
        {0x03, {256}, 1, {"00CABF21", "902A0210", "802A0210", "80820315"}},
        {0x81, {510, 1}, 2, {"00CABF21", "902A0290", "802A0290", "802A0210", "80820311"}},
        {0x01, {1, 1, 1}, 3, {"00CABF21", "802A0290", "802A0290", "802A0210", "80820311"}},
    };
    static const uint8_t bytes[1024] = {0x30};
    for (size_t n = 0; n < COUNT(rows); n++) {
        struct opening t;
        struct view certificates[3];
        init_opening(&t, *state, "P-256", rows[n].i);
        for (size_t k = 0; k < rows[n].count; k++)
            certificates[k] = view_of(bytes, rows[n].lens[k]);
        t.keys.certificates = certificates;
        t.keys.certificate_count = rows[n].count;
        assert_int_equal(channel_begin(&t.o, t.crypto, crypto_random(), &t.request, &t.keys), OK);
        size_t count = 0;
        for (; count < COUNT(rows[n].headers) && rows[n].headers[count] != NULL; count++) {
            const struct apdu *a = &t.o.commands[count];
            const uint8_t header[] = {a->cla, a->ins, a->p1, a->p2};
            if (count >= t.o.count || !view_equal(VIEW_OF(header), vector_hex(rows[n].headers[count])))
                fail_msg("row %zu command %zu", n, count);
            assert_int_equal(a->ne, a->ins == 0x2A ? 0 : 256);
        }
        assert_int_equal(t.o.count, count);
        assert_true(view_equal(t.o.commands[0].data, vector_hex(rows[n].i == 0   ? "A60483021303"
                                                                : rows[n].i == 3 ? "A60483021503"
                                                                                 : "A60483021103")));
        finish_opening(&t);
    }
}

static void certificates_in_parts(void **state)
{
    static const uint8_t long_one[255 * 31];
    const struct view certificate = VIEW_OF(long_one);
    struct opening t;
    init_opening(&t, *state, "P-256", 0x01);
    t.keys.certificates = &certificate;
    assert_int_equal(channel_begin(&t.o, t.crypto, crypto_random(), &t.request, &t.keys), ERR_LIMIT);
    t.request.chained_p1 = true;
    const struct view fits = view_head(certificate, 255 * 30);
    t.keys.certificates = &fits;
    assert_int_equal(channel_begin(&t.o, t.crypto, crypto_random(), &t.request, &t.keys), OK);
    assert_int_equal(t.o.count, OPENING_COMMANDS_MAX);
    for (size_t n = 1; n <= 30; n++) {
        assert_int_equal(t.o.commands[n].cla, n < 30 ? 0x90 : 0x80);
        assert_int_equal(t.o.commands[n].p1, n < 30 ? 0x82 : 0x02);
        assert_int_equal(t.o.commands[n].data.len, 255);
    }
    finish_opening(&t);
}

static void what_can_not_be_begun(void **state)
{
    struct opening t;
    struct pk *rsa = NULL;
    assert_int_equal(pk_generate(*state, PK_RSA, 1024, &rsa), OK);
    static uint8_t long_id[256];
    enum what {
        NOTHING,
        LEVEL,
        NO_HOST,
        PUBLIC_HOST,
        RSA_HOST,
        NO_CERTIFICATE,
        EMPTY_CERTIFICATE,
        NO_PEER,
        KEY_LEN,
        LONG_HOST_ID,
        LONG_GROUP_ID,
        NO_CURVE
    };
    static const struct {
        enum what what;
        uint8_t i;
        enum err want;
    } rows[] = {
        {NOTHING, 0x01, OK},
        {NOTHING, 0x00, OK},
        {LEVEL, 0x01, ERR_UNSUPPORTED},
        {NO_HOST, 0x01, ERR_ARGUMENT},
        {NO_HOST, 0x03, ERR_ARGUMENT},
        {NO_HOST, 0x00, OK},
        {PUBLIC_HOST, 0x01, ERR_ARGUMENT},
        {RSA_HOST, 0x01, ERR_ARGUMENT},
        {NO_CERTIFICATE, 0x01, ERR_ARGUMENT},
        {EMPTY_CERTIFICATE, 0x01, ERR_ARGUMENT},
        {NO_PEER, 0x00, ERR_ARGUMENT},
        {KEY_LEN, 0x00, ERR_ARGUMENT},
        {LONG_HOST_ID, 0x01, ERR_ARGUMENT},
        {LONG_GROUP_ID, 0x03, ERR_ARGUMENT},
        {NO_CURVE, 0x00, ERR_ARGUMENT},
    };
    for (size_t n = 0; n < COUNT(rows); n++) {
        static const struct view empty;
        init_opening(&t, *state, "P-256", rows[n].i);
        switch (rows[n].what) {
        case NOTHING:
            break;
        case LEVEL:
            t.request.level = 0x03;
            break;
        case NO_HOST:
            t.keys.host = NULL;
            break;
        case PUBLIC_HOST:
            t.keys.host = t.trust;
            break;
        case RSA_HOST:
            t.keys.host = rsa;
            break;
        case NO_CERTIFICATE:
            t.keys.certificate_count = 0;
            break;
        case EMPTY_CERTIFICATE:
            t.keys.certificates = &empty;
            break;
        case NO_PEER:
            t.keys.peer = NULL;
            break;
        case KEY_LEN:
            t.request.session_key_len = 17;
            break;
        case LONG_HOST_ID:
            t.keys.host_id = VIEW_OF(long_id);
            break;
        case LONG_GROUP_ID:
            t.keys.card_group_id = VIEW_OF(long_id);
            break;
        case NO_CURVE:
            t.request.curve = CURVE_COUNT;
            break;
        }
        enum err e = channel_begin(&t.o, t.crypto, crypto_random(), &t.request, &t.keys);
        if (e != rows[n].want)
            fail_msg("row %zu: %s", n, err_name(e));
        finish_opening(&t);
    }
    init_opening(&t, *state, "P-256", 0x00);
    assert_int_equal(channel_begin(&t.o, t.crypto, crypto_random(), &t.request, NULL), ERR_ARGUMENT);
    finish_opening(&t);
    pk_free(&rsa);
}

/* ---- whose card it is ---- */

static void chains_of_certificates(void **state)
{
    static const struct {
        const char *name, *trust, *store[4];
        uint64_t now_s;
        enum err want;
    } rows[] = {
        {"direct", "ca", {"certificate"}, NOW_S, OK},
        {"no time", "ca", {"certificate"}, 0, OK},
        {"through a second authority", "ca", {"second", "by_second"}, NOW_S, OK},
        {"the second one without a chain", "ca", {"by_second"}, NOW_S, ERR_AUTH},
        {"wrong order", "ca", {"by_second", "second"}, NOW_S, ERR_AUTH},
        {"a second one that is no authority", "ca", {"second_no_ca", "by_second"}, NOW_S, ERR_AUTH},
        {"a leaf above a leaf", "ca", {"certificate", "certificate"}, NOW_S, ERR_AUTH},
        {"an authority as card", "ca", {"second"}, NOW_S, ERR_AUTH},
        {"other trust", "other", {"certificate"}, NOW_S, ERR_AUTH},
        {"same name, other key", "ca", {"by_other"}, NOW_S, ERR_AUTH},
        {"and that one trusted", "other", {"by_other"}, NOW_S, OK},
        {"expired", "ca", {"expired"}, NOW_S, ERR_EXPIRED},
        {"not yet expired", "ca", {"expired"}, 1600000000, OK},
        {"not yet valid", "ca", {"certificate"}, 1500000000, ERR_EXPIRED},
        {"nothing", "ca", {NULL}, NOW_S, ERR_FORMAT},
    };
    for (size_t n = 0; n < COUNT(rows); n++) {
        struct opening t;
        struct channel *ch = NULL;
        size_t count = 0;
        init_opening(&t, *state, "P-384", 0x01);
        pk_free(&t.trust);
        t.keys.peer = t.trust = authority(rows[n].trust);
        t.request.now_ms = rows[n].now_s * 1000;
        while (rows[n].store[count] != NULL)
            count++;
        put_store(&t, rows[n].store, count);
        converse(&t);
        enum err e = accept(&t, &ch);
        if (e != rows[n].want)
            fail_msg("%s: %s", rows[n].name, err_name(e));
        channel_free(&ch);
        finish_opening(&t);
    }
}

static void put_gp(struct writer *out, struct crypto *c, const char *issuer, const char *subject,
                   uint16_t usage, const struct pk *key, struct pk *by)
{
    const struct gp_certificate what = {.serial = view_str("1"),
                                        .issuer = view_str(issuer),
                                        .subject = view_str(subject),
                                        .usage = usage,
                                        .expires = 20350101};
    assert_int_equal(gp_certificate_issue(c, &what, key, by, out), OK);
}

/* The compact certificates of GlobalPlatform, alone, below another one, and below one of X.509. */
static void certificates_of_globalplatform(void **state)
{
    enum { DIRECT, BELOW, WRONG_NAME, NO_AUTHORITY, OTHER_AUTHORITY, TOO_LATE, CASES };
    static const enum err want[CASES] = {OK, OK, ERR_AUTH, ERR_AUTH, ERR_AUTH, ERR_EXPIRED};
    for (int n = 0; n < CASES; n++) {
        struct opening t;
        struct channel *ch = NULL;
        struct pk *ca = NULL, *second = NULL;
        assert_int_equal(pk_generate_ec(*state, CURVE_P256, &ca), OK);
        assert_int_equal(pk_generate_ec(*state, CURVE_P384, &second), OK);
        init_opening(&t, *state, "P-521", 0x01);
        t.keys.peer = n == OTHER_AUTHORITY ? t.trust : ca;
        if (n == TOO_LATE)
            t.request.now_ms = 2100000000000;
        bool direct = n == DIRECT || n == OTHER_AUTHORITY || n == TOO_LATE;
        if (!direct)
            put_gp(&t.store, *state, "ca", n == WRONG_NAME ? "third" : "second",
                   n == NO_AUTHORITY ? USAGE_KEY_AGREEMENT : USAGE_SIGN_VERIFICATION, second, ca);
        put_gp(&t.store, *state, direct ? "ca" : "second", "card", USAGE_KEY_AGREEMENT, t.card,
               direct ? ca : second);
        converse(&t);
        enum err e = accept(&t, &ch);
        if (e != want[n])
            fail_msg("case %d: %s", n, err_name(e));
        channel_free(&ch);
        for (size_t at = 0; n == DIRECT && at < t.store.len; at++) {
            t.store.data[at] ^= (uint8_t)(1u << at % 8);
            if (accept(&t, &ch) == OK)
                fail_msg("byte %zu", at);
            t.store.data[at] ^= (uint8_t)(1u << at % 8);
        }
        pk_free(&ca);
        pk_free(&second);
        finish_opening(&t);
    }
}

/* A card whose key is known needs no authority, and need not be asked. */
static void the_very_key(void **state)
{
    for (int pinned = 0; pinned < 2; pinned++) {
        struct opening t;
        struct channel *ch = NULL;
        init_opening(&t, *state, "brainpoolP256r1", 0x01);
        t.keys.peer = t.card;
        t.keys.peer_is_card = pinned != 0;
        converse(&t);
        assert_int_equal(t.o.commands[0].ins, pinned ? 0x2A : 0xCA);
        assert_int_equal(accept(&t, &ch), OK);
        same_keys(&t, ch);
        channel_free(&ch);
        t.keys.peer = t.host;
        assert_int_equal(accept(&t, &ch), ERR_AUTH);
        finish_opening(&t);
    }
}

/* YubiKey: the row of certificates without BF21 around it. */
static void a_store_without_wrapper(void **state)
{
    struct opening t;
    struct channel *ch = NULL;
    init_opening(&t, *state, "P-256", 0x00);
    wr_view(&t.store, vector_bytes(row_of("authorities"), "second"));
    wr_view(&t.store, vector_bytes(row_of("P-256"), "by_second"));
    converse(&t);
    assert_int_equal(accept(&t, &ch), OK);
    channel_free(&ch);
    wr_u8(&t.store, 0x00);
    t.answers[0].data = wr_view_of(&t.store);
    assert_int_equal(accept(&t, &ch), ERR_FORMAT);
    wr_clear(&t.store);
    for (int n = 0; n < 9; n++)
        wr_view(&t.store, vector_bytes(row_of("P-256"), "certificate"));
    t.answers[0].data = wr_view_of(&t.store);
    assert_int_equal(accept(&t, &ch), ERR_LIMIT);
    wr_clear(&t.store);
    tlv_put(&t.store, 0x31, VIEW_NULL);
    t.answers[0].data = wr_view_of(&t.store);
    assert_int_equal(accept(&t, &ch), ERR_FORMAT);
    finish_opening(&t);
}

/* ---- what a card or a line may do ---- */

static void every_byte_counts(void **state)
{
    static const uint8_t is[] = {0x00, 0x01, 0x03};
    for (size_t n = 0; n < COUNT(is); n++) {
        struct opening t;
        struct channel *ch = NULL;
        init_opening(&t, *state, "P-256", is[n]);
        converse(&t);
        struct writer *const answers[] = {&t.store, &t.agreed};
        for (size_t a = 0; a < 2; a++) {
            for (size_t at = 0; at < answers[a]->len; at++) {
                answers[a]->data[at] ^= (uint8_t)(1u << at % 8);
                if (accept(&t, &ch) == OK)
                    fail_msg("i=%02X answer %zu byte %zu", is[n], a, at);
                answers[a]->data[at] ^= (uint8_t)(1u << at % 8);
            }
        }
        assert_int_equal(accept(&t, &ch), OK);
        channel_free(&ch);
        for (size_t len = 0; len < t.agreed.len; len++) {
            t.answers[t.o.count - 1].data = view_head(wr_view_of(&t.agreed), len);
            assert_int_not_equal(accept(&t, &ch), OK);
        }
        finish_opening(&t);
    }
}

static void receipts(void **state)
{
    struct opening t;
    struct channel *ch = NULL;
    init_opening(&t, *state, "P-256", 0x01);
    converse(&t);
    for (size_t bit = 0; bit < 128; bit++) {
        uint8_t *byte = t.agreed.data + t.agreed.len - 16 + bit / 8;
        *byte ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(accept(&t, &ch), ERR_AUTH);
        *byte ^= (uint8_t)(1u << bit % 8);
    }
    /* Absent, too short, twice, in front. */
    struct view point = view_head(wr_view_of(&t.agreed), t.agreed.len - 18);
    struct view receipt = view_tail(wr_view_of(&t.agreed), t.agreed.len - 18);
    struct writer w;
    wr_heap(&w, 512);
    const struct {
        struct view first, second, third;
    } rows[] = {
        {point, VIEW_NULL, VIEW_NULL},   {point, vector_hex("860F000102030405060708090A0B0C0D0E"), VIEW_NULL},
        {point, receipt, receipt},       {receipt, point, VIEW_NULL},
        {receipt, VIEW_NULL, VIEW_NULL}, {VIEW_NULL, VIEW_NULL, VIEW_NULL}};
    for (size_t n = 0; n < COUNT(rows); n++) {
        wr_clear(&w);
        wr_view(&w, rows[n].first);
        wr_view(&w, rows[n].second);
        wr_view(&w, rows[n].third);
        t.answers[t.o.count - 1].data = wr_view_of(&w);
        assert_int_equal(accept(&t, &ch), ERR_FORMAT);
    }
    wr_free(&w);
    finish_opening(&t);
}

/* The card's point: of another curve, not on the curve, infinity; in SCP11c, any but its static one. */
static void points(void **state)
{
    static const struct {
        const char *name, *hex;
    } rows[] = {
        {"infinity", "5F490100861000000000000000000000000000000000"},
        {"compressed", "5F492102D65A93977CAA3D1B081852FF57A79E465F1660577304BAEAD505DD3A48589CF3"
                       "861000000000000000000000000000000000"},
        {"not on the curve",
         "5F494104D65A93977CAA3D1B081852FF57A79E465F1660577304BAEAD505DD3A48589CF350185E895372"
         "DF6221EA3A137557E473FDDB6755F05BD507C3C533FCE9C91286"
         "861000000000000000000000000000000000"},
        {"zeros", "5F49410400000000000000000000000000000000000000000000000000000000000000000000000000000000"
                  "0000000000000000000000000000000000000000000000000000861000000000000000000000000000000000"},
    };
    for (size_t n = 0; n < COUNT(rows); n++) {
        struct opening t;
        struct channel *ch = NULL;
        init_opening(&t, *state, "P-256", 0x00);
        converse(&t);
        t.answers[t.o.count - 1].data = vector_hex(rows[n].hex);
        enum err e = accept(&t, &ch);
        if (e != ERR_FORMAT)
            fail_msg("%s: %s", rows[n].name, err_name(e));
        finish_opening(&t);
    }
}

static void other_points(void **state)
{
    struct opening t;
    struct channel *ch = NULL;
    struct pk *stranger = NULL;
    init_opening(&t, *state, "P-256", 0x03);
    converse(&t);
    assert_int_equal(pk_generate_ec(t.crypto, CURVE_P256, &stranger), OK);
    wr_clear(&t.agreed);
    card_agrees(&t, t.o.commands[t.o.count - 1].data, stranger);
    t.answers[t.o.count - 1].data = wr_view_of(&t.agreed);
    assert_int_equal(accept(&t, &ch), ERR_AUTH);
    pk_free(&stranger);
    finish_opening(&t);

    /* A certificate of a key on another curve than the agreement was begun on. */
    init_opening(&t, *state, "P-256", 0x00);
    wr_view(&t.store, vector_bytes(row_of("brainpoolP256r1"), "certificate"));
    converse(&t);
    assert_int_equal(accept(&t, &ch), ERR_AUTH);
    finish_opening(&t);
}

static void missing_answers(void **state)
{
    struct opening t;
    struct channel *ch = NULL;
    init_opening(&t, *state, "P-256", 0x01);
    converse(&t);
    assert_int_equal(channel_accept(&ch, t.crypto, &t.o, &t.keys, t.answers, t.o.count - 1), ERR_STATE);
    assert_int_equal(channel_accept(&ch, t.crypto, &t.o, &t.keys, t.answers, 0), ERR_STATE);
    for (size_t n = 0; n < t.o.count; n++) {
        t.answers[n].sw = 0x6A80;
        assert_int_equal(accept(&t, &ch), ERR_STATE);
        t.answers[n].sw = SW_OK;
    }
    t.keys.host = t.card;
    assert_int_equal(accept(&t, &ch), ERR_AUTH);
    t.keys.host = NULL;
    assert_int_equal(accept(&t, &ch), ERR_ARGUMENT);
    finish_opening(&t);
}

/* ---- one script for a group ---- */

static void wrap_script(struct crypto *c, struct channel *ch, struct writer *out)
{
    static const uint8_t data[] = {0x4F, 0x07, 0xD0, 0xD1, 0xD2, 0xD3, 0xD4, 0xD5, 0x01};
    const struct apdu plain[] = {{.cla = 0x80, .ins = 0xE4, .data = VIEW_OF(data)},
                                 {.cla = 0x80, .ins = 0xF2, .p1 = 0x80, .p2 = 0x02, .ne = 256}};
    struct apdu wrapped[COUNT(plain)];
    struct writer storage;
    wr_heap(&storage, channel_wrapped_max(plain, COUNT(plain)));
    assert_int_equal(channel_wrap(ch, c, plain, COUNT(plain), wrapped, &storage), OK);
    for (size_t n = 0; n < COUNT(plain); n++)
        apdu_put(out, &wrapped[n]);
    wr_free(&storage);
}

static void scripts_for_a_group(void **state)
{
    for (size_t n = 0; n < 2 * COUNT(curves); n++) {
        struct opening t;
        struct channel *before = NULL, *after = NULL;
        struct writer script, again;
        wr_heap(&script, 1024);
        wr_heap(&again, 1024);
        init_opening(&t, *state, curves[n / 2], n % 2 ? 0x83 : 0x03);
        t.keys.peer = t.card;
        t.keys.peer_is_card = true;
        assert_int_equal(channel_begin(&t.o, t.crypto, crypto_random(), &t.request, &t.keys), OK);
        assert_int_equal(channel_group_open(&before, t.crypto, &t.o, &t.keys), OK);
        wrap_script(t.crypto, before, &script);
        /* What a card of the group then answers was known. */
        t.answers[t.o.count - 1] = (struct rapdu){.sw = SW_OK};
        for (size_t k = 0; k + 1 < t.o.count; k++)
            t.answers[k] = (struct rapdu){.sw = SW_OK};
        card_agrees(&t, t.o.commands[t.o.count - 1].data, t.card);
        t.answers[t.o.count - 1].data = wr_view_of(&t.agreed);
        assert_int_equal(accept(&t, &after), OK);
        same_keys(&t, after);
        wrap_script(t.crypto, after, &again);
        assert_true(view_equal(wr_view_of(&script), wr_view_of(&again)));
        channel_free(&before);
        channel_free(&after);
        wr_free(&script);
        wr_free(&again);
        finish_opening(&t);
    }
}

/* The whole script in one call, and a card that follows it. */
static void whole_scripts(void **state)
{
    static const uint8_t data[] = {0x4F, 0x07, 0xD0, 0xD1, 0xD2, 0xD3, 0xD4, 0xD5, 0x01};
    const struct apdu plain[] = {{.cla = 0x80, .ins = 0xE4, .data = VIEW_OF(data)},
                                 {.cla = 0x80, .ins = 0xF2, .p1 = 0x80, .p2 = 0x02, .ne = 256}};
    struct opening t;
    struct channel *ch = NULL;
    struct channel_script script;
    struct writer made, again;
    init_opening(&t, *state, "P-256", 0x03);
    t.keys.peer = t.card;
    assert_int_equal(channel_group_script(&script, t.crypto, crypto_random(), &t.request, &t.keys, plain, 2),
                     ERR_ARGUMENT); /* the card's key is not said to be known */
    assert_null(script.commands);
    t.keys.peer_is_card = true;
    assert_int_equal(channel_group_script(&script, t.crypto, crypto_random(), &t.request, &t.keys, plain,
                                          SCRIPT_COMMANDS_MAX + 1),
                     ERR_LIMIT);
    assert_int_equal(channel_group_script(&script, t.crypto, crypto_random(), &t.request, &t.keys, plain, 2),
                     OK);
    const size_t before = script.opening.count;
    assert_int_equal(script.count, before + 2);
    for (size_t k = 0; k < before; k++)
        t.answers[k] = (struct rapdu){.sw = SW_OK};
    card_agrees(&t, script.commands[before - 1].data, t.card);
    t.answers[before - 1].data = wr_view_of(&t.agreed);
    assert_int_equal(channel_accept(&ch, t.crypto, &script.opening, &t.keys, t.answers, before), OK);
    same_keys(&t, ch);
    wr_heap(&made, 1024);
    wr_heap(&again, 1024);
    apdu_put(&made, &script.commands[before]);
    apdu_put(&made, &script.commands[before + 1]);
    wrap_script(t.crypto, ch, &again);
    assert_true(view_equal(wr_view_of(&made), wr_view_of(&again)));
    channel_free(&ch);
    channel_script_finish(&script);
    wr_free(&made);
    wr_free(&again);
    finish_opening(&t);
}

static void groups_that_are_none(void **state)
{
    static const struct {
        uint8_t i;
        bool is_card;
    } rows[] = {{0x01, true}, {0x00, true}, {0x03, false}};
    for (size_t n = 0; n < COUNT(rows); n++) {
        struct opening t;
        struct channel *ch = NULL;
        init_opening(&t, *state, "P-256", rows[n].i);
        t.keys.peer = t.card;
        t.keys.peer_is_card = rows[n].is_card;
        assert_int_equal(channel_begin(&t.o, t.crypto, crypto_random(), &t.request, &t.keys), OK);
        assert_int_equal(channel_group_open(&ch, t.crypto, &t.o, &t.keys), ERR_ARGUMENT);
        assert_null(ch);
        finish_opening(&t);
    }
}

/* ---- the state as bytes ---- */

/* Between the commands and their answers the opening may be bytes. */
static void openings_as_bytes(void **state)
{
    for (size_t n = 0; n < COUNT(curves); n++) {
        struct opening t;
        struct channel *ch = NULL;
        struct channel_opening back;
        struct writer bytes;
        wr_heap(&bytes, OPENING_BYTES_MAX);
        init_opening(&t, *state, curves[n], n % 2 ? 0x01 : 0x00);
        t.request.session_key_len = 24;
        converse(&t);
        assert_int_equal(channel_opening_encode(&t.o, &bytes), OK);
        assert_int_equal(channel_opening_decode(&back, wr_view_of(&bytes)), OK);
        channel_opening_finish(&t.o);
        t.o = back;
        assert_int_equal(accept(&t, &ch), OK);
        same_keys(&t, ch);
        channel_free(&ch);
        wr_free(&bytes);
        finish_opening(&t);
    }
}

static void states(void **state)
{
    uint8_t memory[CHANNEL_STATE_MAX];
    struct opening t;
    struct channel *ch = NULL, *back = NULL;
    struct writer w, a, b;
    wr_fixed(&w, memory, sizeof(memory));
    wr_heap(&a, 1024);
    wr_heap(&b, 1024);
    init_opening(&t, *state, "P-256", 0x81);
    t.request.session_key_len = 32;
    converse(&t);
    assert_int_equal(accept(&t, &ch), OK);
    assert_int_equal(channel_encode(ch, &w), OK);
    assert_int_equal(channel_decode(&back, wr_view_of(&w)), OK);
    wrap_script(t.crypto, ch, &a);
    wrap_script(t.crypto, back, &b);
    assert_true(view_equal(wr_view_of(&a), wr_view_of(&b)));
    channel_free(&back);
    for (size_t len = 0; len < w.len; len++)
        assert_int_equal(channel_decode(&back, view_head(wr_view_of(&w), len)), ERR_FORMAT);
    channel_free(&ch);
    wr_free(&a);
    wr_free(&b);
    finish_opening(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_agree),
        cmocka_unit_test(identifiers_go_into_the_keys),
        cmocka_unit_test(commands_of_an_opening),
        cmocka_unit_test(certificates_in_parts),
        cmocka_unit_test(what_can_not_be_begun),
        cmocka_unit_test(chains_of_certificates),
        cmocka_unit_test(the_very_key),
        cmocka_unit_test(certificates_of_globalplatform),
        cmocka_unit_test(a_store_without_wrapper),
        cmocka_unit_test(every_byte_counts),
        cmocka_unit_test(receipts),
        cmocka_unit_test(points),
        cmocka_unit_test(other_points),
        cmocka_unit_test(missing_answers),
        cmocka_unit_test(scripts_for_a_group),
        cmocka_unit_test(groups_that_are_none),
        cmocka_unit_test(whole_scripts),
        cmocka_unit_test(states),
        cmocka_unit_test(openings_as_bytes),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
