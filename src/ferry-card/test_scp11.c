/* SPDX-License-Identifier: Apache-2.0
 *
 * SCP11 with the whole card, against a host with keys of its own: certificates shown in parts and in chains,
 * sessions of each variant, and what does not open one. */
#include "testing/conversation.h"

#include "announce.h"
#include "keypair.h"
#include "testing/keyed.h"

enum { SW_CERTIFICATE = 0x6600, SW_NOT_ON_LIST = 0x6640, FULL = 0x3C };

static struct scp11_host s;
static const uint8_t get_status[] = {0x80, 0xF2, 0x80, 0x02}, set_status[] = {0x80, 0xF0, 0x80, 0x07};
static const uint8_t all[] = {0x4F, 0x00};

static void begin(enum pk_curve curve, bool x509)
{
    new_card("modern", 0xFF);
    assert_int_equal(scp11_host_init(&s, h, curve, x509, NULL), OK);
}

static void end(void)
{
    scp11_host_finish(&s);
    end_card();
}

static uint16_t list(void)
{
    return host_secure(h, VIEW_OF(get_status), VIEW_OF(all));
}

static uint16_t show(void)
{
    return scp11_show(&s, SCP11_KVN, SCP11_KID_CA, wr_view_of(&s.certificate));
}

static void apply(struct writer *records)
{
    assert_int_equal(card_state_apply(&h->card.state, wr_view_of(records)), OK);
    wr_free(records);
}

/* ---- sessions ---- */

static void every_variant_on_every_curve(void **state)
{
    static const enum pk_curve curves[] = {CURVE_P256, CURVE_P384, CURVE_P521, CURVE_BRAINPOOL_P256R1};
    static const uint8_t kids[] = {SCP11_KID_A, SCP11_KID_B, SCP11_KID_C};
    (void)state;
    for (size_t n = 0; n < 4 * 2; n++) {
        begin(curves[n / 2], n % 2 != 0);
        for (size_t v = 0; v < 3; v++) {
            if (scp11_open(&s, kids[v], FULL) != SW_OK)
                fail_msg("curve %zu, %02X: %04X", n / 2, kids[v], h->sw);
            /* Who the host is, SCP11b does not say. */
            assert_int_equal(list(), kids[v] == SCP11_KID_B ? SW_SECURITY_STATUS : SW_OK);
            assert_int_equal(host_secure(h, vector_hex("80CA0066"), VIEW_NULL), SW_OK);
            assert_int_equal(host_secure(h, vector_hex("80CA0066"), VIEW_NULL), SW_OK);
        }
        end();
    }
}

/* Key usages and the levels that they are, key lengths, MACs of 16 bytes. */
static void key_usages(void **state)
{
    static const struct {
        uint8_t kid, usage, key_len;
        int level; /* -1: refused */
    } rows[] = {{SCP11_KID_A, 0x34, 16, 0x11}, {SCP11_KID_A, 0x3C, 24, 0x33}, {SCP11_KID_A, 0x3C, 32, 0x33},
                {SCP11_KID_A, 0x1C, 16, -1},   {SCP11_KID_A, 0x74, 16, -1},   {SCP11_KID_A, 0x14, 16, -1},
                {SCP11_KID_A, 0x00, 16, -1},   {SCP11_KID_B, 0x34, 16, 0x11}, {SCP11_KID_B, 0x3C, 32, 0x33},
                {SCP11_KID_B, 0x1C, 16, -1},   {SCP11_KID_C, 0x34, 16, 0x11}, {SCP11_KID_C, 0x3C, 16, 0x33},
                {SCP11_KID_C, 0x1C, 16, 0x03}, {SCP11_KID_C, 0x74, 16, 0x13}, {SCP11_KID_C, 0x18, 16, -1}};
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        const struct card_scp11_variant *v = card_scp11_variant(rows[n].kid);
        begin(CURVE_P256, false);
        if (n % 2 != 0)
            h->card.state.profile.flags |= CARD_SCP11_S16;
        h->card.state.profile.flags |= CARD_TRUSTS_SCP11B;
        assert_int_equal(v->certificate ? show() : SW_OK, SW_OK);
        uint16_t sw = scp11_authenticate(&s, rows[n].kid, v->parameter, rows[n].usage, rows[n].key_len);
        if (sw != (rows[n].level == -1 ? SW_WRONG_DATA : SW_OK))
            fail_msg("row %zu: %04X", n, sw);
        if (rows[n].level != -1) {
            assert_int_equal(h->card.now->session.channel.level, rows[n].level);
            assert_int_equal(list(), SW_OK);
        }
        end();
    }
}

/* In SCP11b management is for cards that say so. */
static void who_is_not_known_manages_nothing(void **state)
{
    (void)state;
    for (int trusts = 0; trusts < 2; trusts++) {
        begin(CURVE_P256, false);
        if (trusts)
            h->card.state.profile.flags |= CARD_TRUSTS_SCP11B;
        assert_int_equal(scp11_open(&s, SCP11_KID_B, FULL), SW_OK);
        assert_int_equal(host_secure(h, VIEW_OF(set_status), VIEW_NULL), trusts ? SW_OK : SW_SECURITY_STATUS);
        assert_int_equal(h->card.state.life, trusts ? LIFE_INITIALIZED : LIFE_OP_READY);
        end();
    }
}

/* Names of both sides in the derivation: right ones open, and without the card's there is no session. */
static void names_count(void **state)
{
    (void)state;
    static const uint8_t kids[] = {SCP11_KID_A, SCP11_KID_B, SCP11_KID_C};
    for (size_t n = 0; n < 3; n++) {
        const struct card_scp11_variant *v = card_scp11_variant(kids[n]);
        struct writer records;
        begin(CURVE_P256, false);
        s.host_id = vector_hex("0102030405");
        assert_int_equal(v->certificate ? show() : SW_OK, SW_OK);
        assert_int_equal(scp11_authenticate(&s, kids[n], v->parameter | SCP11_NAMES, FULL, 16), SW_OK);
        assert_int_equal(host_secure(h, vector_hex("80CA0066"), VIEW_NULL), SW_OK);
        wr_heap(&records, 64);
        card_put_object(&records, VIEW_NULL, n == 2 ? CARD_TAG_GROUP : 0x45, VIEW_NULL);
        apply(&records);
        assert_int_equal(v->certificate ? show() : SW_OK, SW_OK);
        assert_int_equal(scp11_authenticate(&s, kids[n], v->parameter | SCP11_NAMES, FULL, 16),
                         SW_REFERENCED_DATA);
        end();
    }
}

/* ---- certificates ---- */

/* In parts: by the class alone, by the class and P1 (as some hosts do), by P1 alone. */
static void certificates_in_parts(void **state)
{
    static const struct {
        uint8_t cla, p1;
    } rows[] = {{0x90, SCP11_KVN}, {0x90, 0x80 | SCP11_KVN}, {0x80, 0x80 | SCP11_KVN}};
    (void)state;
    for (size_t n = 0; n < 3; n++) {
        begin(CURVE_P521, true);
        struct view left = wr_view_of(&s.certificate);
        while (left.len != 0) {
            struct view part = view_head(left, 200);
            struct apdu a = {.cla = 0x80, .ins = 0x2A, .p1 = SCP11_KVN, .p2 = SCP11_KID_CA, .data = part};
            struct writer w;
            left = view_tail(left, part.len);
            if (left.len != 0) {
                a.cla = rows[n].cla;
                a.p1 = rows[n].p1;
            }
            wr_heap(&w, 512);
            apdu_put(&w, &a);
            if (host_send(h, wr_view_of(&w)) != SW_OK)
                fail_msg("row %zu: %04X", n, h->sw);
            wr_free(&w);
        }
        assert_int_equal(scp11_authenticate(&s, SCP11_KID_A, SCP11_PARAMETER_A, FULL, 16), SW_OK);
        end();
    }
}

static struct view certify(const char *authority, const char *subject, bool is_ca, const struct pk *key,
                           struct pk *issuer, struct writer *out)
{
    static const uint8_t serial[] = {0x41, 0x42};
    struct card_certificate_content what = {.x509 = s.x509,
                                            .is_ca = is_ca,
                                            .serial = VIEW_OF(serial),
                                            .authority = view_str(authority),
                                            .subject = view_str(subject),
                                            .from = 20260101,
                                            .until = 20261231};
    wr_clear(out);
    assert_int_equal(card_certificate_make(crypto, &what, key, issuer, out), OK);
    return wr_view_of(out);
}

/* Chains of links, each of which the one before vouches for. */
static void chains_of_certificates(void **state)
{
    (void)state;
    for (int x509 = 0; x509 < 2; x509++) {
        struct pk *middle = NULL;
        struct writer ca, leaf;
        wr_heap(&ca, CERTIFICATE_MAX);
        wr_heap(&leaf, CERTIFICATE_MAX);
        begin(CURVE_P256, x509 != 0);
        assert_int_equal(pk_generate_ec(crypto, CURVE_P256, &middle), OK);
        struct view upper = certify("HOST CA", "MIDDLE", true, middle, s.ca, &ca);
        struct view lower = certify("MIDDLE", "HOST", false, s.own, middle, &leaf);
        const uint8_t more = 0x80 | SCP11_KID_CA, last = SCP11_KID_CA;
        assert_int_equal(scp11_show(&s, SCP11_KVN, more, upper), SW_OK);
        /* A chain that is not at its end opens nothing, and is over then. */
        assert_int_equal(scp11_authenticate(&s, SCP11_KID_A, SCP11_PARAMETER_A, FULL, 16), SW_CONDITIONS);
        assert_int_equal(scp11_show(&s, SCP11_KVN, last, lower), SW_CERTIFICATE);
        assert_int_equal(scp11_show(&s, SCP11_KVN, more, upper), SW_OK);
        assert_int_equal(scp11_show(&s, SCP11_KVN, last, lower), SW_OK);
        assert_int_equal(scp11_authenticate(&s, SCP11_KID_A, SCP11_PARAMETER_A, FULL, 16), SW_OK);
        assert_int_equal(list(), SW_OK);
        /* Out of order, with the link missing, an authority as host, a host as authority, under another key.
         */
        assert_int_equal(scp11_show(&s, SCP11_KVN, last, lower), SW_CERTIFICATE);
        assert_int_equal(scp11_show(&s, SCP11_KVN, more, lower), SW_CERTIFICATE);
        assert_int_equal(scp11_show(&s, SCP11_KVN, last, upper), SW_CERTIFICATE);
        assert_int_equal(scp11_show(&s, SCP11_KVN, more, wr_view_of(&s.certificate)), SW_CERTIFICATE);
        assert_int_equal(scp11_show(&s, SCP11_KVN, 0x20, upper), SW_REFERENCED_DATA);
        /* Too long. */
        for (int n = 0; n < CERTIFICATE_CHAIN_MAX; n++) {
            struct pk *issuer = n == 0 ? s.ca : middle;
            upper = certify(n == 0 ? "HOST CA" : "MIDDLE", "MIDDLE", true, middle, issuer, &ca);
            assert_int_equal(scp11_show(&s, SCP11_KVN, more, upper), SW_OK);
        }
        assert_int_equal(scp11_show(&s, SCP11_KVN, last, lower), SW_WRONG_DATA);
        pk_free(&middle);
        wr_free(&ca);
        wr_free(&leaf);
        end();
    }
}

/* Everything that comes between makes the card forget. */
static void what_was_shown_is_forgotten(void **state)
{
    static const char *const between[] = {"!", "-00A4040000", "-80500000080102030405060708"};
    (void)state;
    for (size_t n = 0; n < 3; n++) {
        begin(CURVE_P256, false);
        assert_int_equal(show(), SW_OK);
        assert_int_equal(say(between[n]), SW_OK);
        assert_int_equal(scp11_authenticate(&s, SCP11_KID_A, SCP11_PARAMETER_A, FULL, 16), SW_CONDITIONS);
        /* Once shown, once opened. */
        assert_int_equal(scp11_open(&s, SCP11_KID_A, FULL), SW_OK);
        assert_int_equal(scp11_authenticate(&s, SCP11_KID_A, SCP11_PARAMETER_A, FULL, 16), SW_CONDITIONS);
        end();
    }
}

/* A key for something else than certificates vouches for nobody. */
static void only_authorities_vouch(void **state)
{
    static const struct {
        uint8_t kid;
        bool ok;
    } rows[] = {{0x10, true},  {0x20, true},  {0x2F, true},  {0x01, false}, {0x0F, false},
                {0x11, false}, {0x1F, false}, {0x30, false}, {0x73, false}};
    (void)state;
    begin(CURVE_P256, false);
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        struct writer records;
        wr_heap(&records, 1024);
        assert_int_equal(keypair_put(&records, VIEW_NULL, 0x55, rows[n].kid, s.ca, false), OK);
        apply(&records);
        if (scp11_show(&s, 0x55, rows[n].kid, wr_view_of(&s.certificate)) !=
            (rows[n].ok ? SW_OK : SW_REFERENCED_DATA))
            fail_msg("%02X: %04X", rows[n].kid, h->sw);
    }
    /* The card's own key under an authority's number. */
    struct writer records;
    wr_heap(&records, 1024);
    assert_int_equal(keypair_put(&records, VIEW_NULL, 0x56, 0x21, s.ca, true), OK);
    apply(&records);
    assert_int_equal(scp11_show(&s, 0x56, 0x21, wr_view_of(&s.certificate)), SW_REFERENCED_DATA);
    end();
}

static void a_list_lets_in(void **state)
{
    static const struct {
        const char *list;
        uint16_t sw;
    } rows[] = {{"93024142", SW_OK},        {"930100 93024142", SW_OK},
                {"930100", SW_NOT_ON_LIST}, {"9303414200", SW_NOT_ON_LIST},
                {"920100", SW_NOT_ON_LIST}, {"95024142", SW_NOT_ON_LIST}};
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        struct writer records;
        char text[64];
        size_t len = 0;
        for (const char *c = rows[n].list; *c != '\0'; c++) {
            if (*c != ' ')
                text[len++] = *c;
        }
        text[len] = '\0';
        begin(CURVE_P256, n % 2 != 0);
        wr_heap(&records, 1024);
        card_put_certificate(&records, VIEW_NULL, CARD_TAG_LIST, SCP11_KVN, SCP11_KID_CA, vector_hex(text));
        apply(&records);
        if (show() != rows[n].sw)
            fail_msg("%s: %04X", rows[n].list, h->sw);
        assert_int_equal(scp11_authenticate(&s, SCP11_KID_A, SCP11_PARAMETER_A, FULL, 16),
                         rows[n].sw == SW_OK ? SW_OK : SW_CONDITIONS);
        end();
    }
}

static uint64_t winter(void *ctx)
{
    (void)ctx;
    return 1800000000000; /* January 2027 */
}

static void a_card_with_a_clock_knows_the_day(void **state)
{
    (void)state;
    for (int x509 = 0; x509 < 2; x509++) {
        begin(CURVE_P256, x509 != 0);
        assert_int_equal(show(), SW_OK);
        h->card.clock.now_ms = winter;
        assert_int_equal(show(), SW_CERTIFICATE);
        end();
    }
}

static void flipped_certificates_are_refused(void **state)
{
    (void)state;
    for (int x509 = 0; x509 < 2; x509++) {
        begin(CURVE_P256, x509 != 0);
        for (size_t n = 0; n < s.certificate.len; n++) {
            s.certificate.data[n] ^= 0x01;
            if (show() == SW_OK)
                fail_msg("form %d, byte %zu", x509, n);
            s.certificate.data[n] ^= 0x01;
        }
        assert_int_equal(show(), SW_OK);
        end();
    }
}

/* ---- AUTHENTICATE ---- */

/* A request in which a byte was changed on the way: refused, or answered with a receipt that the host
 * refuses; in either case what the host sends then does nothing. */
static void flipped_requests_open_nothing(void **state)
{
    static const uint8_t kids[] = {SCP11_KID_A, SCP11_KID_B, SCP11_KID_C};
    (void)state;
    begin(CURVE_P256, false);
    h->card.state.profile.flags |= CARD_TRUSTS_SCP11B;
    for (size_t v = 0; v < 3; v++) {
        size_t len = 1;
        for (size_t n = 0; n < len; n++) {
            const struct card_scp11_variant *variant = card_scp11_variant(kids[v]);
            assert_int_equal(scp11_open(&s, kids[v], FULL), SW_OK);
            len = s.request.len;
            assert_int_equal(variant->certificate ? show() : SW_OK, SW_OK);
            struct card_channel honest = h->ch;
            struct apdu a = {.cla = 0x80, .ins = variant->certificate ? 0x82 : 0x88, .p1 = SCP11_KVN};
            struct writer w;
            a.p2 = kids[v];
            a.data = wr_view_of(&s.request);
            s.request.data[n] ^= 0x04;
            wr_heap(&w, 512);
            apdu_put(&w, &a);
            host_send(h, wr_view_of(&w));
            h->ch = honest;
            if (list() == SW_OK)
                fail_msg("%02X, byte %zu", kids[v], n);
            wr_free(&w);
        }
    }
    end();
}

static void requests_in_their_form(void **state)
{
    static const char point[] =
        "5F494104D65A93977CAA3D1B081852FF57A79E465F1660577304BAEAD505DD3A48589CF350185E895372DF62"
        "21EA3A137557E473FDDB6755F05BD507C3C533FCE9C91285";
    static const char off[] =
        "5F494104D65A93977CAA3D1B081852FF57A79E465F1660577304BAEAD505DD3A48589CF350185E895372DF62"
        "21EA3A137557E473FDDB6755F05BD507C3C533FCE9C91284";
    static const char infinity[] = "5F490100";
    static const struct {
        const char *name, *crt, *point;
        uint16_t sw;
    } rows[] = {
        {"right", "A60D9002110095013C800188810110", point, SW_OK},
        {"with a name", "A6129002110495013C8001888101108403AABBCC", point, SW_OK},
        {"name that does not count", "A6129002110095013C8001888101108403AABBCC", point, SW_WRONG_DATA},
        {"no name", "A60D9002110495013C800188810110", point, SW_WRONG_DATA},
        {"empty name", "A60F9002110495013C8001888101108400", point, SW_WRONG_DATA},
        {"long name", "A6209002110495013C8001888101108411AABBCCDDEEFF00112233445566778899AA", point,
         SW_WRONG_DATA},
        {"another variant", "A60D9002110195013C800188810110", point, SW_WRONG_DATA},
        {"variant that is none", "A60D9002110295013C800188810110", point, SW_WRONG_DATA},
        {"bits that are none", "A60D9002110895013C800188810110", point, SW_WRONG_DATA},
        {"another protocol", "A60D9002100095013C800188810110", point, SW_WRONG_DATA},
        {"Triple-DES", "A60D9002110095013C800180810110", point, SW_WRONG_DATA},
        {"key length", "A60D9002110095013C800188810111", point, SW_WRONG_DATA},
        {"key length of two bytes", "A60E9002110095013C80018881020010", point, SW_WRONG_DATA},
        {"no usage", "A60A90021100800188810110", point, SW_WRONG_DATA},
        {"other order", "A60D95013C90021100800188810110", point, SW_WRONG_DATA},
        {"more in it", "A60F9002110095013C8001888101109900", point, SW_WRONG_DATA},
        {"other template", "A70D9002110095013C800188810110", point, SW_WRONG_DATA},
        {"no point", "A60D9002110095013C800188810110", "", SW_WRONG_DATA},
        {"point off the curve", "A60D9002110095013C800188810110", off, SW_WRONG_DATA},
        {"point at infinity", "A60D9002110095013C800188810110", infinity, SW_WRONG_DATA},
        {"empty point", "A60D9002110095013C800188810110", "5F4900", SW_WRONG_DATA},
    };
    (void)state;
    begin(CURVE_P256, false);
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        char text[512];
        struct apdu a = {.cla = 0x80, .ins = 0x88, .p1 = SCP11_KVN, .p2 = SCP11_KID_B, .ne = 256};
        struct writer w;
        snprintf(text, sizeof text, "%s%s", rows[n].crt, rows[n].point);
        a.data = vector_hex(text);
        wr_heap(&w, 512);
        apdu_put(&w, &a);
        if (host_send(h, wr_view_of(&w)) != rows[n].sw)
            fail_msg("%s: %04X", rows[n].name, h->sw);
        if ((h->card.now->session.state == SESSION_OPEN) != (rows[n].sw == SW_OK))
            fail_msg("%s: session", rows[n].name);
        wr_free(&w);
    }
    end();
}

/* The host's certificate, the card's key and the fresh keys are of one curve. */
static void curves_are_not_mixed(void **state)
{
    struct writer records;
    struct pk *k = NULL;
    (void)state;
    begin(CURVE_P256, false);
    assert_int_equal(pk_generate_ec(crypto, CURVE_P384, &k), OK);
    wr_heap(&records, 1024);
    assert_int_equal(keypair_put(&records, VIEW_NULL, SCP11_KVN, SCP11_KID_A, k, true), OK);
    assert_int_equal(keypair_put(&records, VIEW_NULL, SCP11_KVN, SCP11_KID_B, k, true), OK);
    apply(&records);
    assert_int_equal(show(), SW_OK);
    assert_int_equal(scp11_authenticate(&s, SCP11_KID_A, SCP11_PARAMETER_A, FULL, 16), SW_WRONG_DATA);
    assert_int_equal(scp11_authenticate(&s, SCP11_KID_B, SCP11_PARAMETER_B, FULL, 16), SW_WRONG_DATA);
    pk_free(&k);
    end();
}

static void keys_that_are_not_there(void **state)
{
    static const struct line lines[] = {
        {"-8088041302A600", SW_WRONG_DATA, NULL},      {"-8088031102A600", SW_INCORRECT_P1P2, NULL},
        {"-8082031302A600", SW_INCORRECT_P1P2, NULL},  {"-8082030102A600", SW_INCORRECT_P1P2, NULL},
        {"-8088030002A600", SW_INCORRECT_P1P2, NULL},  {"-8082031102A600", SW_CONDITIONS, NULL},
        {"-802A0311023000", SW_REFERENCED_DATA, NULL}, {"-802A0410023000", SW_REFERENCED_DATA, NULL},
        {"-802A0310023000", SW_WRONG_DATA, NULL},
    };
    (void)state;
    begin(CURVE_P256, false);
    TALK(lines);
    struct writer records;
    wr_heap(&records, 64);
    card_put_key_gone(&records, VIEW_NULL, SCP11_KVN, SCP11_KID_B);
    apply(&records);
    assert_int_equal(scp11_authenticate(&s, SCP11_KID_B, SCP11_PARAMETER_B, FULL, 16), SW_REFERENCED_DATA);
    end();
}

/* ---- commands of a session ---- */

static void flipped_commands_are_refused(void **state)
{
    size_t len = 1;
    (void)state;
    begin(CURVE_P256, false);
    for (size_t at = 0; at < len; at++) {
        struct writer w;
        assert_int_equal(scp11_open(&s, SCP11_KID_A, FULL), SW_OK);
        wr_heap(&w, 256);
        h->record = &w;
        assert_int_equal(host_secure(h, vector_hex("80E20000"), vector_hex("420101")), 0);
        h->record = NULL;
        len = w.len;
        w.data[at] ^= 0x40;
        /* The class of a logical channel that there is not, and a wrong Lc, are nobody's command. */
        if (host_send(h, wr_view_of(&w)) == SW_OK ||
            (at != 0 && at != 4 && h->card.now->session.state == SESSION_OPEN))
            fail_msg("byte %zu: %04X", at, h->sw);
        wr_free(&w);
    }
    end();
}

/* The packet of one session in the next, and after a reset: SCP11a and SCP11b have a fresh key of the card.
 */
static void packets_work_once(void **state)
{
    static const uint8_t kids[] = {SCP11_KID_A, SCP11_KID_B};
    (void)state;
    for (size_t n = 0; n < 2; n++) {
        const struct card_scp11_variant *v = card_scp11_variant(kids[n]);
        struct writer request, command;
        wr_heap(&request, 512);
        wr_heap(&command, 512);
        begin(CURVE_P256, false);
        h->card.state.profile.flags |= CARD_TRUSTS_SCP11B;
        assert_int_equal(scp11_open(&s, kids[n], FULL), SW_OK);
        h->record = &command;
        assert_int_equal(list(), 0);
        h->record = NULL;
        assert_int_equal(host_send(h, wr_view_of(&command)), SW_OK);
        assert_int_equal(host_send(h, wr_view_of(&command)), SW_SECURITY_STATUS);
        card_reset(&h->card);
        assert_int_equal(v->certificate ? show() : SW_OK, SW_OK);
        struct apdu a = {.cla = 0x80, .ins = v->certificate ? 0x82 : 0x88, .p1 = SCP11_KVN, .p2 = kids[n]};
        a.data = wr_view_of(&s.request);
        apdu_put(&request, &a);
        assert_int_equal(host_send(h, wr_view_of(&request)), SW_OK);
        assert_int_equal(host_send(h, wr_view_of(&command)), SW_SECURITY_STATUS);
        wr_free(&request);
        wr_free(&command);
        end();
    }
}

/* SCP11c: a script is made once, for a group. It works on each card of it, and works again; it is of no use
 * on a card outside, nor in another order. */
static void a_script_for_a_group(void **state)
{
    struct host *first, *second, *stranger;
    struct scp11_host one, two, other;
    struct writer request, commands[2];
    (void)state;
    new_card("modern", 0xFF);
    first = h;
    assert_int_equal(scp11_host_init(&one, first, CURVE_P256, false, NULL), OK);
    new_card("modern", 0xFF);
    second = h;
    assert_int_equal(scp11_host_init(&two, second, CURVE_P256, false, &one), OK);
    new_card("modern", 0xFF);
    stranger = h;
    assert_int_equal(scp11_host_init(&other, stranger, CURVE_P256, false, NULL), OK);

    h = first;
    assert_int_equal(scp11_open(&one, SCP11_KID_C, 0x1C), SW_OK);
    wr_heap(&request, 512);
    const struct apdu a = {
        .cla = 0x80, .ins = 0x82, .p1 = SCP11_KVN, .p2 = SCP11_KID_C, .data = wr_view_of(&one.request)};
    apdu_put(&request, &a);
    for (size_t n = 0; n < 2; n++) {
        wr_heap(&commands[n], 512);
        h->record = &commands[n];
        host_secure(h, vector_hex(n == 0 ? "80E20000" : "80E28001"),
                    vector_hex(n == 0 ? "450101" : "450102"));
        h->record = NULL;
    }
    struct host *const cards[] = {first, second, first};
    for (size_t n = 0; n < 3; n++) {
        assert_int_equal(host_send(cards[n], wr_view_of(&request)), SW_CONDITIONS); /* no certificate */
        struct scp11_host shows = one;
        shows.h = cards[n];
        assert_int_equal(scp11_show(&shows, SCP11_KVN, SCP11_KID_CA, wr_view_of(&one.certificate)), SW_OK);
        assert_int_equal(host_send(cards[n], wr_view_of(&request)), SW_OK);
        assert_int_equal(host_send(cards[n], wr_view_of(&commands[0])), SW_OK);
        assert_int_equal(host_send(cards[n], wr_view_of(&commands[1])), SW_OK);
        const struct card_object *o = card_find_object(&cards[n]->card.state, VIEW_NULL, 0x45);
        assert_true(view_equal(view_of(o->data, o->len), vector_hex("02")));
        assert_int_equal(scp11_show(&shows, SCP11_KVN, SCP11_KID_CA, wr_view_of(&one.certificate)), SW_OK);
        assert_int_equal(host_send(cards[n], wr_view_of(&request)), SW_OK);
        assert_int_equal(host_send(cards[n], wr_view_of(&commands[1])), SW_SECURITY_STATUS);
    }
    /* Outside of the group the authority is unknown; with the authority known the key is another. */
    struct scp11_host shows = one;
    shows.h = stranger;
    assert_int_equal(scp11_show(&shows, SCP11_KVN, SCP11_KID_CA, wr_view_of(&one.certificate)),
                     SW_CERTIFICATE);
    struct writer records;
    wr_heap(&records, 1024);
    assert_int_equal(keypair_put(&records, VIEW_NULL, SCP11_KVN, SCP11_KID_CA, one.ca, false), OK);
    h = stranger;
    apply(&records);
    assert_int_equal(scp11_show(&shows, SCP11_KVN, SCP11_KID_CA, wr_view_of(&one.certificate)), SW_OK);
    assert_int_equal(host_send(stranger, wr_view_of(&request)), SW_OK);
    assert_int_equal(host_send(stranger, wr_view_of(&commands[0])), SW_SECURITY_STATUS);

    wr_free(&request);
    wr_free(&commands[0]);
    wr_free(&commands[1]);
    scp11_host_finish(&one);
    scp11_host_finish(&two);
    scp11_host_finish(&other);
    end_card();
    h = second;
    end_card();
    h = first;
    end_card();
}

/* Inside of a session these would end what they came through. */
static void openings_inside_of_a_session(void **state)
{
    static const char *const rows[] = {"802A0310", "80820311", "80880313", "80500000"};
    (void)state;
    begin(CURVE_P256, false);
    for (size_t n = 0; n < 4; n++) {
        assert_int_equal(scp11_open(&s, SCP11_KID_A, FULL), SW_OK);
        assert_int_not_equal(host_secure(h, vector_hex(rows[n]), vector_hex("0102030405060708")), SW_OK);
    }
    /* Without secure messaging they begin anew, whatever session there is. */
    assert_int_equal(host_open(h, 0x30, 0x33), SW_OK);
    assert_int_equal(scp11_open(&s, SCP11_KID_A, FULL), SW_OK);
    assert_int_equal(list(), SW_OK);
    assert_int_equal(scp11_open(&s, SCP11_KID_B, FULL), SW_OK);
    assert_int_equal(host_open(h, 0x30, 0x33), SW_OK);
    assert_int_equal(list(), SW_OK);
    end();
}

/* Keys are a security domain's own: they open its channels and no other's. */
static void keys_of_another_domain(void **state)
{
    static const char select[] = "-00A4040005F0000000D100", back[] = "-00A4040000";
    struct writer records;
    struct card_key moved = {.len = 0};
    (void)state;
    begin(CURVE_P256, false);
    assert_int_equal(host_open(h, 0x30, 0x01), SW_OK);
    assert_int_equal(say("80E60C001D07A000000151535008A00000015153504105F0000000D1018002C90000"), SW_OK);
    /* As long as it has none it goes by those above. */
    assert_int_equal(say(select), SW_OK);
    assert_int_equal(scp11_open(&s, SCP11_KID_A, FULL), SW_OK);
    wr_heap(&records, 4096);
    assert_int_equal(keypair_put(&records, vector_hex("F0000000D1"), SCP11_KVN, SCP11_KID_B, s.own, true),
                     OK);
    apply(&records);
    assert_int_equal(say(select), SW_OK);
    assert_int_equal(show(), SW_REFERENCED_DATA);
    assert_int_equal(scp11_authenticate(&s, SCP11_KID_B, SCP11_PARAMETER_B, FULL, 16), 0); /* its own key */
    /* With the authority and the key of SCP11a moved there they are no longer the issuer's. */
    wr_heap(&records, 4096);
    for (uint8_t kid = SCP11_KID_CA; kid <= SCP11_KID_A; kid++) {
        moved = *card_find_key(&h->card.state, VIEW_NULL, SCP11_KVN, kid);
        assert_true(card_aid_set(&moved.domain, vector_hex("F0000000D1")));
        card_put_key(&records, &moved);
        card_put_key_gone(&records, VIEW_NULL, SCP11_KVN, kid);
    }
    apply(&records);
    assert_int_equal(scp11_open(&s, SCP11_KID_A, FULL), SW_OK);
    assert_int_equal(host_secure(h, vector_hex("80CA00E0"), VIEW_NULL), SW_OK);
    assert_int_equal(say(back), SW_OK);
    assert_int_equal(show(), SW_REFERENCED_DATA);
    end();
}

/* Version 00 is the first that there is. */
static void the_first_version(void **state)
{
    (void)state;
    begin(CURVE_P256, false);
    assert_int_equal(scp11_show(&s, 0x00, SCP11_KID_CA, wr_view_of(&s.certificate)), SW_OK);
    assert_int_equal(scp11_show(&s, 0x04, SCP11_KID_CA, wr_view_of(&s.certificate)), SW_REFERENCED_DATA);
    end();
}

/* Memory that takes nothing: nothing has changed. */
static void nothing_is_half_done(void **state)
{
    (void)state;
    begin(CURVE_P256, false);
    assert_int_equal(scp11_open(&s, SCP11_KID_A, FULL), SW_OK);
    h->refuse_commits = true;
    assert_int_equal(host_secure(h, vector_hex("80E29000"), vector_hex("A60483021103BF2100")), SW_MEMORY);
    assert_non_null(
        card_find_certificate(&h->card.state, VIEW_NULL, CARD_TAG_CERTIFICATES, SCP11_KVN, SCP11_KID_A));
    h->refuse_commits = false;
    assert_int_equal(host_secure(h, vector_hex("80E29000"), vector_hex("A60483021103BF2100")), SW_OK);
    end();
}

/* ---- what the card says of it ---- */

static void certificate_store(void **state)
{
    struct writer want, got;
    (void)state;
    begin(CURVE_P521, true);
    wr_heap(&want, 4096);
    wr_heap(&got, 4096);
    const struct card_object *o =
        card_find_certificate(&h->card.state, VIEW_NULL, CARD_TAG_CERTIFICATES, SCP11_KVN, SCP11_KID_C);
    tlv_put(&want, 0xBF21, view_of(o->data, o->len));
    assert_true(want.len > 256);
    uint16_t sw = host_send(h, vector_hex("80CABF2106A6048302150300"));
    wr_view(&got, host_data(h));
    while ((sw & 0xFF00) == 0x6100) {
        sw = host_send(h, vector_hex("00C0000000"));
        wr_view(&got, host_data(h));
    }
    assert_int_equal(sw, SW_OK);
    assert_true(view_equal(wr_view_of(&got), wr_view_of(&want)));
    static const struct line lines[] = {{"-80CABF2106A6048302160300", SW_REFERENCED_DATA, NULL},
                                        {"-80CABF2106A6048302150400", SW_REFERENCED_DATA, NULL},
                                        {"-80CABF2105A60383011500", SW_WRONG_DATA, NULL},
                                        {"-80CABF2106A7048302150300", SW_WRONG_DATA, NULL},
                                        {"-80CABF2107A604830215030000", SW_WRONG_DATA, NULL},
                                        {"-80CABF2109A60783021503990100", SW_WRONG_DATA, NULL}};
    TALK(lines);
    wr_free(&want);
    wr_free(&got);
    end();
}

/* STORE DATA through a session: certificates and lists come behind the key that they are of. */
static void what_belongs_to_a_key(void **state)
{
    static const struct {
        const char *name, *data;
        uint16_t sw;
    } rows[] = {{"list", "A604830210037004930241427000", SW_WRONG_DATA},
                {"list of the authority", "A60483021003700493024142", SW_OK},
                {"no list any more", "A604830210037000", SW_OK},
                {"no certificates any more", "A60483021103BF2100", SW_OK},
                {"the group cut", "5F200447524F", SW_WRONG_DATA},
                {"the group's name", "5F200347524F", SW_OK},
                {"long name", "5F20110102030405060708090A0B0C0D0E0F1011", SW_WRONG_DATA},
                {"no such key", "A60483021203BF2100", SW_REFERENCED_DATA},
                {"no such version", "A60483021104BF2100", SW_REFERENCED_DATA},
                {"key alone", "A60483021103", SW_WRONG_DATA},
                {"key in one byte", "A603830111BF2100", SW_WRONG_DATA},
                {"another object", "A60483021103450101", SW_WRONG_DATA},
                {"certificates that are none", "A60483021103BF21023000", SW_WRONG_DATA},
                {"numbers that are none", "A6048302100370029400", SW_WRONG_DATA},
                {"empty number", "A6048302100370029300", SW_WRONG_DATA}};
    struct writer data;
    (void)state;
    begin(CURVE_P256, false);
    assert_int_equal(scp11_open(&s, SCP11_KID_A, FULL), SW_OK);
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        if (host_secure(h, vector_hex("80E29000"), vector_hex(rows[n].data)) != rows[n].sw)
            fail_msg("%s: %04X", rows[n].name, h->sw);
    }
    assert_null(
        card_find_certificate(&h->card.state, VIEW_NULL, CARD_TAG_CERTIFICATES, SCP11_KVN, SCP11_KID_A));
    /* And there they are again. */
    wr_heap(&data, 1024);
    wr_view(&data, vector_hex("A60483021103"));
    tlv_put(&data, CARD_TAG_CERTIFICATES, wr_view_of(&s.certificate));
    assert_int_equal(host_secure(h, vector_hex("80E29000"), wr_view_of(&data)), SW_OK);
    const struct card_object *o =
        card_find_certificate(&h->card.state, VIEW_NULL, CARD_TAG_CERTIFICATES, SCP11_KVN, SCP11_KID_A);
    assert_non_null(o);
    assert_true(view_equal(view_of(o->data, o->len), wr_view_of(&s.certificate)));
    wr_free(&data);
    end();
}

static bool says(const char *command, const char *part)
{
    if (say(command) != SW_OK)
        fail_msg("%s, %s: %04X", command, part, h->sw);
    struct view v = host_data(h), wanted = vector_hex(part);
    for (size_t n = 0; n < v.len; n++) {
        if (view_starts(view_tail(v, n), wanted))
            return true;
    }
    return false;
}

static void the_card_announces_methods_and_keys(void **state)
{
    struct signed_host f;
    (void)state;
    begin(CURVE_P256, false);
    assert_true(says("-80CA006600", "640B06092A864886FC6B041113"));
    h->card.state.profile.flags |= CARD_SCP11_S16;
    assert_true(says("-80CA006600", "640B06092A864886FC6B041153"));
    assert_true(says("-80CA006700", "A006800111810153"));
    assert_true(says("-80CA00E000", "C0061003B040F000"));
    assert_true(says("-80CA00E000", "C0061103B120F000"));
    assert_false(says("-80CA006600", "2A864886FC6B048170"));
    assert_int_equal(signed_host_init(&f, h, 0x04), OK);
    assert_true(says("-80CA006600", "640C060A2A864886FC6B04817004"));
    assert_true(says("-80CA006700", "A0068001F0810104"));
    assert_true(says("-80CA00E000", "C0060140B040F000"));
    assert_true(says("-80CA00E000", "C0060240B120F000"));
    assert_true(says("-80CA00E000", "C0060340B040F000"));
    signed_host_finish(&f);
    end();
    begin(CURVE_P521, false);
    assert_true(says("-80CA00E000", "C0061003B084F002"));
    assert_true(says("-80CA00E000", "C0061103B142F002"));
    assert_int_equal(signed_host_init(&f, h, 0x01), OK);
    assert_true(says("-80CA00E000", "C0060140A100A003"));
    assert_true(says("-80CA00E000", "C0060240A200A300"));
    signed_host_finish(&f);
    assert_int_equal(signed_host_init(&f, h, 0x03), OK);
    assert_true(says("-80CA00E000", "C00401407000"));
    assert_true(says("-80CA00E000", "C00402407100"));
    signed_host_finish(&f);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_variant_on_every_curve),
        cmocka_unit_test(key_usages),
        cmocka_unit_test(who_is_not_known_manages_nothing),
        cmocka_unit_test(names_count),
        cmocka_unit_test(certificates_in_parts),
        cmocka_unit_test(chains_of_certificates),
        cmocka_unit_test(what_was_shown_is_forgotten),
        cmocka_unit_test(only_authorities_vouch),
        cmocka_unit_test(a_list_lets_in),
        cmocka_unit_test(a_card_with_a_clock_knows_the_day),
        cmocka_unit_test(flipped_certificates_are_refused),
        cmocka_unit_test(flipped_requests_open_nothing),
        cmocka_unit_test(requests_in_their_form),
        cmocka_unit_test(curves_are_not_mixed),
        cmocka_unit_test(keys_that_are_not_there),
        cmocka_unit_test(flipped_commands_are_refused),
        cmocka_unit_test(packets_work_once),
        cmocka_unit_test(a_script_for_a_group),
        cmocka_unit_test(openings_inside_of_a_session),
        cmocka_unit_test(keys_of_another_domain),
        cmocka_unit_test(the_first_version),
        cmocka_unit_test(nothing_is_half_done),
        cmocka_unit_test(certificate_store),
        cmocka_unit_test(what_belongs_to_a_key),
        cmocka_unit_test(the_card_announces_methods_and_keys),
    };
    return cmocka_run_group_tests(tests, conversation_setup, conversation_teardown);
}
