/* SPDX-License-Identifier: Apache-2.0
 *
 * Signed commands (F0), against a host that makes every signature itself: what the card executes, and that it
 * executes nothing else. */
#include "testing/conversation.h"

#include "keypair.h"
#include "testing/keyed.h"

static struct signed_host s;

static const uint8_t get_status[] = {0x80, 0xF2, 0x80, 0x02}, get_data[] = {0x80, 0xCA, 0x00, 0xE0};
static const uint8_t set_status[] = {0x80, 0xF0, 0x80, 0x07};
static const uint8_t all[] = {0x4F, 0x00};

static void begin(uint8_t i)
{
    new_card("modern", 0xFF);
    assert_int_equal(signed_host_init(&s, h, i), OK);
}

static void end(void)
{
    signed_host_finish(&s);
    end_card();
}

static uint16_t list(void)
{
    return signed_secure(&s, VIEW_OF(get_status), VIEW_OF(all));
}

static const struct method {
    uint8_t i, level;
} methods[] = {{0x01, 0x01}, {0x01, 0x03}, {0x01, 0x11}, {0x01, 0x13}, {0x01, 0x33},
               {0x02, 0x33}, {0x02, 0x11}, {0x03, 0x01}, {0x03, 0x11}, {0x04, 0x01},
               {0x04, 0x03}, {0x04, 0x11}, {0x04, 0x13}, {0x04, 0x33}, {0x05, 0x01},
               {0x05, 0x03}, {0x05, 0x11}, {0x05, 0x13}, {0x05, 0x33}};
enum { METHODS = sizeof methods / sizeof methods[0] };

static void every_level_of_every_i(void **state)
{
    (void)state;
    for (size_t n = 0; n < METHODS; n++) {
        struct writer plain;
        wr_heap(&plain, RAPDU_MAX);
        begin(methods[n].i);
        if (signed_open(&s, methods[n].level) != SW_OK)
            fail_msg("i %02X, level %02X: %04X", methods[n].i, methods[n].level, h->sw);
        assert_int_equal(list(), SW_OK);
        assert_int_equal(signed_answer(&s, &plain), OK);
        assert_true(view_starts(wr_view_of(&plain), vector_hex("E3")));
        /* A command without data, and one that changes the card. */
        assert_int_equal(signed_secure(&s, VIEW_OF(get_data), VIEW_NULL), SW_OK);
        wr_clear(&plain);
        assert_int_equal(signed_answer(&s, &plain), OK);
        assert_true(view_starts(wr_view_of(&plain), vector_hex("E0")));
        assert_int_equal(signed_secure(&s, VIEW_OF(set_status), VIEW_NULL), SW_OK);
        wr_clear(&plain);
        assert_int_equal(signed_answer(&s, &plain), OK);
        assert_int_equal(h->card.state.life, LIFE_INITIALIZED);
        /* An error is not protected, and the session goes on. */
        assert_int_equal(signed_secure(&s, vector_hex("80CA0099"), VIEW_NULL), SW_REFERENCED_DATA);
        assert_int_equal(host_data(h).len, 0);
        assert_int_equal(list(), SW_OK);
        wr_clear(&plain);
        assert_int_equal(signed_answer(&s, &plain), OK);
        wr_free(&plain);
        end();
    }
}

/* Levels that there are not, and those that need a key that DSA can't carry: behind the check of the
 * signature. */
static void levels_that_are_refused(void **state)
{
    static const struct method rows[] = {{0x04, 0x00}, {0x04, 0x02}, {0x04, 0x10}, {0x04, 0x30}, {0x04, 0x31},
                                         {0x04, 0xFF}, {0x03, 0x03}, {0x03, 0x13}, {0x03, 0x33}};
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        begin(rows[n].i);
        assert_int_equal(signed_initialize(&s, SIGNED_KVN), SW_OK);
        const struct apdu a = {.cla = 0x80, .ins = 0x82, .p1 = rows[n].level};
        struct writer w;
        wr_heap(&w, CAPDU_MAX);
        assert_int_equal(signed_put(&s, &a, &w), OK);
        if (host_send(h, wr_view_of(&w)) != SW_INCORRECT_P1P2)
            fail_msg("i %02X, level %02X: %04X", rows[n].i, rows[n].level, h->sw);
        assert_int_equal(h->card.now->session.state, SESSION_NONE);
        wr_free(&w);
        end();
    }
}

/* Sends a signed EXTERNAL AUTHENTICATE with this header and data. */
static uint16_t external(uint8_t level, uint8_t p2, struct view data)
{
    const struct apdu a = {.cla = 0x80, .ins = 0x82, .p1 = level, .p2 = p2, .data = data};
    struct writer w;
    wr_heap(&w, CAPDU_MAX);
    assert_int_equal(signed_put(&s, &a, &w), OK);
    uint16_t sw = host_send(h, wr_view_of(&w));
    wr_free(&w);
    return sw;
}

static void key_fields(void **state)
{
    static const struct {
        const char *name;
        uint8_t level, p2;
        const char *data;
        uint16_t sw;
    } rows[] = {
        {"no field", 0x33, 0, "", SW_WRONG_DATA},
        {"length alone", 0x33, 0, "10", SW_WRONG_DATA},
        {"field where none belongs", 0x01, 0, "10", SW_WRONG_DATA},
        {"length that is none", 0x33, 0,
         "1104D65A93977CAA3D1B081852FF57A79E465F1660577304BAEAD505DD3A48589CF350185E895372DF6221EA3A137557E47"
         "3FDDB67"
         "55F05BD507C3C533FCE9C91285",
         SW_WRONG_DATA},
        {"right", 0x33, 0,
         "1004D65A93977CAA3D1B081852FF57A79E465F1660577304BAEAD505DD3A48589CF350185E895372DF6221EA3A137557E47"
         "3FDDB67"
         "55F05BD507C3C533FCE9C91285",
         SW_OK},
        {"P2", 0x33, 1,
         "1004D65A93977CAA3D1B081852FF57A79E465F1660577304BAEAD505DD3A48589CF350185E895372DF6221EA3A137557E47"
         "3FDDB67"
         "55F05BD507C3C533FCE9C91285",
         SW_INCORRECT_P1P2},
        {"point off the curve", 0x33, 0,
         "1004D65A93977CAA3D1B081852FF57A79E465F1660577304BAEAD505DD3A48589CF350185E895372DF6221EA3A137557E47"
         "3FDDB67"
         "55F05BD507C3C533FCE9C91286",
         SW_WRONG_DATA},
        {"point cut", 0x33, 0,
         "1004D65A93977CAA3D1B081852FF57A79E465F1660577304BAEAD505DD3A48589CF350185E895372DF6221EA3A137557E47"
         "3FDDB67"
         "55F05BD507C3C533FCE9C912",
         SW_WRONG_DATA},
        {"point and more", 0x33, 0,
         "1004D65A93977CAA3D1B081852FF57A79E465F1660577304BAEAD505DD3A48589CF350185E895372DF6221EA3A137557E47"
         "3FDDB67"
         "55F05BD507C3C533FCE9C9128500",
         SW_WRONG_DATA},
    };
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        begin(0x04);
        assert_int_equal(signed_initialize(&s, SIGNED_KVN), SW_OK);
        if (external(rows[n].level, rows[n].p2, vector_hex(rows[n].data)) != rows[n].sw)
            fail_msg("%s: %04X", rows[n].name, h->sw);
        if ((h->card.now->session.state == SESSION_OPEN) != (rows[n].sw == SW_OK))
            fail_msg("%s: session", rows[n].name);
        end();
    }
}

/* RSA: what the card's key does not take out, and what it takes out but is no Z of 32 bytes. */
static void carried_by_rsa(void **state)
{
    static const size_t lens[] = {32, 31, 33};
    (void)state;
    for (size_t n = 0; n < 4; n++) {
        uint8_t z[33] = {1};
        struct writer field;
        wr_heap(&field, 1024);
        begin(0x01);
        wr_u8(&field, 16);
        if (n < 3)
            assert_int_equal(pk_oaep_encrypt(crypto, s.card, DIGEST_SHA256, view_of(z, lens[n]), &field), OK);
        else
            assert_non_null(wr_reserve(&field, 256));
        assert_int_equal(signed_initialize(&s, SIGNED_KVN), SW_OK);
        assert_int_equal(external(0x33, 0, wr_view_of(&field)), n == 0 ? SW_OK : SW_WRONG_DATA);
        wr_free(&field);
        end();
    }
}

/* A command in place of EXTERNAL AUTHENTICATE, EXTERNAL AUTHENTICATE without INITIALIZE UPDATE, without
 * secure messaging, too short, or by another server. */
static void openings_that_are_none(void **state)
{
    (void)state;
    begin(0x04);
    assert_int_equal(host_send(h, vector_hex("8482010000")), SW_CONDITIONS);
    assert_int_equal(signed_initialize(&s, SIGNED_KVN), SW_OK);
    assert_int_equal(list(), SW_SECURITY_STATUS);
    assert_int_equal(signed_initialize(&s, SIGNED_KVN), SW_OK);
    assert_int_equal(host_send(h, vector_hex("84820100080102030405060708")), SW_WRONG_LENGTH);
    assert_int_equal(h->card.now->session.state, SESSION_NONE);

    struct writer w;
    const struct apdu a = {.cla = 0x80, .ins = 0x82, .p1 = 0x01};
    wr_heap(&w, CAPDU_MAX);
    assert_int_equal(signed_initialize(&s, SIGNED_KVN), SW_OK);
    assert_int_equal(signed_put(&s, &a, &w), OK);
    w.data[0] = 0x80;
    assert_int_equal(host_send(h, wr_view_of(&w)), SW_AUTH_FAILED);
    assert_int_equal(h->card.now->session.state, SESSION_NONE);

    pk_free(&s.server);
    assert_int_equal(pk_generate_ec(crypto, CURVE_P256, &s.server), OK);
    wr_clear(&w);
    struct pk *right = NULL;
    struct card_key *k = card_find_key(&h->card.state, VIEW_NULL, SIGNED_KVN, SIGNED_KID_SERVER);
    assert_int_equal(keypair_load(k, &right), OK);
    struct pk *wrong = s.server;
    s.server = right; /* the card's challenge is signed for the right one */
    assert_int_equal(signed_initialize(&s, SIGNED_KVN), SW_OK);
    s.server = wrong;
    assert_int_equal(signed_put(&s, &a, &w), OK);
    assert_int_equal(host_send(h, wr_view_of(&w)), SW_AUTH_FAILED);
    pk_free(&right);
    wr_free(&w);
    end();
}

/* Each byte of each command of a session, EXTERNAL AUTHENTICATE included: changed, none of them takes effect.
 */
static void flipped_commands_are_refused(void **state)
{
    static const uint8_t is[] = {0x01, 0x03, 0x04, 0x05};
    (void)state;
    for (size_t n = 0; n < 2 * sizeof is; n++) {
        uint8_t i = is[n / 2];
        bool first = n % 2 == 0;
        size_t len = 1;
        for (size_t at = 0; at < len; at += i == 0x01 && at > 16 ? 37 : 1) {
            const struct apdu open = {.cla = 0x80, .ins = 0x82, .p1 = 0x01};
            const struct apdu change = {.cla = 0x80, .ins = 0xF0, .p1 = 0x80, .p2 = 0x07};
            struct writer w;
            if (at == 0) {
                begin(i);
                h->card.state.profile.max_failures = 0; /* count without end */
            }
            wr_heap(&w, CAPDU_MAX);
            assert_int_equal(first ? signed_initialize(&s, SIGNED_KVN) : signed_open(&s, 0x01), SW_OK);
            assert_int_equal(signed_put(&s, first ? &open : &change, &w), OK);
            len = w.len;
            /* Le is not signed, and class bits of channels that are not open or of chaining are no change. */
            bool counts = at < len - (s.extended ? 2 : 1);
            w.data[at] ^= 0x40;
            host_send(h, wr_view_of(&w));
            if (counts && (h->card.state.life != LIFE_OP_READY || h->sw == SW_OK))
                fail_msg("i %02X, %s, byte %zu: %04X", i, first ? "opening" : "command", at, h->sw);
            if (counts && first && h->card.now->session.state == SESSION_OPEN)
                fail_msg("i %02X, byte %zu opens", i, at);
            card_reset(&h->card);
            wr_free(&w);
        }
        end();
    }
}

/* A packet works once: not again in its session, not in the next, not out of order, not without the one
 * before. */
static void packets_work_once(void **state)
{
    struct writer first, second, open;
    (void)state;
    wr_heap(&first, CAPDU_MAX);
    wr_heap(&second, CAPDU_MAX);
    wr_heap(&open, CAPDU_MAX);
    const struct apdu external_authenticate = {.cla = 0x80, .ins = 0x82, .p1 = 0x01};
    const struct apdu listing = {.cla = 0x80, .ins = 0xF2, .p1 = 0x80, .p2 = 0x02, .data = VIEW_OF(all)};
    for (int how = 0; how < 5; how++) {
        begin(0x04);
        wr_clear(&first);
        wr_clear(&second);
        wr_clear(&open);
        assert_int_equal(signed_initialize(&s, SIGNED_KVN), SW_OK);
        assert_int_equal(signed_put(&s, &external_authenticate, &open), OK);
        assert_int_equal(signed_put(&s, &listing, &first), OK);
        assert_int_equal(signed_put(&s, &listing, &second), OK);
        assert_int_equal(host_send(h, wr_view_of(&open)), SW_OK);
        if (how == 0) { /* as it should be */
            assert_int_equal(host_send(h, wr_view_of(&first)), SW_OK);
            assert_int_equal(host_send(h, wr_view_of(&second)), SW_OK);
        } else if (how == 1) { /* twice */
            assert_int_equal(host_send(h, wr_view_of(&first)), SW_OK);
            assert_int_equal(host_send(h, wr_view_of(&first)), SW_SM_INCORRECT);
            assert_int_equal(host_send(h, wr_view_of(&second)), SW_SECURITY_STATUS);
        } else if (how == 2) { /* the first is missing */
            assert_int_equal(host_send(h, wr_view_of(&second)), SW_SM_INCORRECT);
            assert_int_equal(host_send(h, wr_view_of(&first)), SW_SECURITY_STATUS);
        } else if (how == 3) { /* after a reset, the whole */
            card_reset(&h->card);
            assert_int_equal(host_send(h, wr_view_of(&open)), SW_CONDITIONS);
            assert_int_equal(host_send(h, wr_view_of(&first)), SW_SECURITY_STATUS);
        } else { /* in the next session, whose host challenge may be the same */
            for (size_t n = 0; n < sizeof s.challenge; n++)
                s.challenge[n]--;
            assert_int_equal(signed_initialize(&s, SIGNED_KVN), SW_OK);
            assert_int_equal(host_send(h, wr_view_of(&open)), SW_AUTH_FAILED);
            assert_int_equal(host_send(h, wr_view_of(&first)), SW_SECURITY_STATUS);
        }
        end();
    }
    wr_free(&first);
    wr_free(&second);
    wr_free(&open);
}

/* A session that was ended by an error, and commands without secure messaging. */
static void a_session_ends_with_the_first_error(void **state)
{
    (void)state;
    begin(0x04);
    assert_int_equal(signed_open(&s, 0x33), SW_OK);
    assert_int_equal(host_send(h, vector_hex("80F28002024F0000")), SW_SECURITY_STATUS);
    assert_int_equal(h->card.now->session.state, SESSION_ABORTED);
    assert_int_equal(list(), SW_SECURITY_STATUS);
    assert_int_equal(signed_open(&s, 0x33), SW_OK);
    assert_int_equal(host_send(h, vector_hex("84F28002024F0000")), SW_WRONG_LENGTH);
    assert_int_equal(list(), SW_SECURITY_STATUS);
    end();
}

/* Padding that only the server could have made wrong, and data that is no whole number of blocks. */
static void data_that_does_not_decipher(void **state)
{
    static const size_t lens[] = {16, 15, 17};
    (void)state;
    for (size_t n = 0; n < 3; n++) {
        uint8_t junk[17] = {0xA5};
        struct writer w;
        begin(0x04);
        assert_int_equal(signed_open(&s, 0x03), SW_OK);
        const struct apdu a = {
            .cla = 0x80, .ins = 0xF2, .p1 = 0x80, .p2 = 0x02, .data = view_of(junk, lens[n])};
        wr_heap(&w, CAPDU_MAX);
        assert_int_equal(signed_put(&s, &a, &w), OK);
        assert_int_equal(host_send(h, wr_view_of(&w)), SW_SM_INCORRECT);
        assert_int_equal(h->card.now->session.state, SESSION_ABORTED);
        wr_free(&w);
        end();
    }
}

/* The number of a command has four bytes. */
static void numbers_end(void **state)
{
    struct card_channel ch = {.scp = 0};
    struct apdu command = {.cla = 0x84, .data = VIEW_NULL};
    struct writer plain;
    struct card_signed_parties p = {.row = card_signed_row(0x04), .kvn = 1};
    static const uint8_t kdd[10], challenge[16];
    (void)state;
    p.kdd = VIEW_OF(kdd);
    wr_heap(&plain, 1024);
    assert_int_equal(pk_generate_ec(crypto, CURVE_P256, &p.server), OK);
    assert_int_equal(pk_generate_ec(crypto, CURVE_P256, &p.own), OK);
    assert_int_equal(card_signed_open(crypto, &p, VIEW_OF(challenge), VIEW_OF(challenge), &ch, &plain), OK);
    card_signed_set_next(&ch, (uint64_t)UINT32_MAX + 1);
    assert_int_equal(card_signed_unwrap(crypto, &ch, &command, &plain), SW_CONDITIONS);
    card_signed_set_next(&ch, UINT32_MAX);
    assert_int_equal(card_signed_unwrap(crypto, &ch, &command, &plain), SW_WRONG_LENGTH);
    card_channel_finish(&ch);
    wr_free(&plain);
}

/* ---- INITIALIZE UPDATE ---- */

static void versions(void **state)
{
    (void)state;
    begin(0x04);
    assert_int_equal(host_send(h, vector_hex("805041001000112233445566778899AABBCCDDEEFF00")),
                     SW_REFERENCED_DATA);
    assert_int_equal(host_send(h, vector_hex("805040011000112233445566778899AABBCCDDEEFF00")),
                     SW_INCORRECT_P1P2);
    assert_int_equal(host_send(h, vector_hex("8050400008001122334455667700")), SW_WRONG_LENGTH);
    end();
}

/* What makes a version one: both keys, of one row, and a public half that belongs to the private one. */
static void incomplete_versions(void **state)
{
    (void)state;
    for (int how = 0; how < 6; how++) {
        struct writer records;
        struct pk *k = NULL;
        begin(0x04);
        wr_heap(&records, CARD_FRAME_MAX);
        assert_int_equal(
            how == 4 ? pk_generate(crypto, PK_RSA, 2048, &k) : pk_generate_ec(crypto, CURVE_P256, &k), OK);
        if (how == 0)
            card_put_key_gone(&records, VIEW_NULL, SIGNED_KVN, SIGNED_KID_SERVER);
        if (how == 1)
            card_put_key_gone(&records, VIEW_NULL, SIGNED_KVN, SIGNED_KID_OWN);
        if (how == 2) /* can be computed */
            card_put_key_gone(&records, VIEW_NULL, SIGNED_KVN, SIGNED_KID_PUBLIC);
        if (how == 3)
            assert_int_equal(keypair_put(&records, VIEW_NULL, SIGNED_KVN, SIGNED_KID_PUBLIC, k, false), OK);
        if (how == 4)
            assert_int_equal(keypair_put(&records, VIEW_NULL, SIGNED_KVN, SIGNED_KID_SERVER, k, false), OK);
        if (how == 5) /* a private key in the server's place */
            assert_int_equal(keypair_put(&records, VIEW_NULL, SIGNED_KVN, SIGNED_KID_SERVER, k, true), OK);
        assert_int_equal(card_state_apply(&h->card.state, wr_view_of(&records)), OK);
        assert_int_equal(signed_initialize(&s, SIGNED_KVN), how == 2 ? SW_OK : SW_REFERENCED_DATA);
        wr_free(&records);
        pk_free(&k);
        end();
    }
}

/* Pairs of sizes and curves that are no row: too short, too long, another curve. */
static void keys_of_other_sizes(void **state)
{
    static const struct {
        enum pk_algorithm algorithm;
        unsigned bits;
        enum pk_curve curve;
    } rows[] = {
        {PK_RSA, 1024, 0}, {PK_RSA, 4096, 0}, {PK_EC, 0, CURVE_P521}, {PK_EC, 0, CURVE_BRAINPOOL_P256R1}};
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        struct writer records;
        struct pk *k = NULL;
        begin(0x04);
        wr_heap(&records, CARD_FRAME_MAX);
        assert_int_equal(rows[n].algorithm == PK_EC ? pk_generate_ec(crypto, rows[n].curve, &k)
                                                    : pk_generate(crypto, PK_RSA, rows[n].bits, &k),
                         OK);
        assert_int_equal(keypair_put(&records, VIEW_NULL, 0x50, SIGNED_KID_SERVER, k, false), OK);
        assert_int_equal(keypair_put(&records, VIEW_NULL, 0x50, SIGNED_KID_OWN, k, true), OK);
        assert_int_equal(card_state_apply(&h->card.state, wr_view_of(&records)), OK);
        assert_int_equal(signed_initialize(&s, 0x50), SW_REFERENCED_DATA);
        wr_free(&records);
        pk_free(&k);
        end();
    }
}

static const struct card_object *unfinished(void)
{
    return card_find_certificate(&h->card.state, VIEW_NULL, 0x00F0, SIGNED_KVN, 0);
}

static void unfinished_openings_are_counted(void **state)
{
    (void)state;
    begin(0x04);
    for (int n = 0; n < 64; n++)
        assert_int_equal(signed_initialize(&s, SIGNED_KVN), SW_OK);
    assert_int_equal(signed_initialize(&s, SIGNED_KVN), SW_AUTH_BLOCKED);
    card_reset(&h->card);
    assert_int_equal(signed_initialize(&s, SIGNED_KVN), SW_AUTH_BLOCKED);
    /* Other keys begin anew. */
    struct writer records;
    struct pk *k = NULL;
    wr_heap(&records, CARD_FRAME_MAX);
    assert_int_equal(pk_generate_ec(crypto, CURVE_P256, &k), OK);
    assert_int_equal(keypair_put(&records, VIEW_NULL, SIGNED_KVN, SIGNED_KID_SERVER, k, false), OK);
    assert_int_equal(card_state_apply(&h->card.state, wr_view_of(&records)), OK);
    pk_free(&s.server);
    s.server = k;
    assert_int_equal(signed_initialize(&s, SIGNED_KVN), SW_OK);
    wr_free(&records);
    end();
}

static void a_finished_opening_clears_the_count(void **state)
{
    (void)state;
    begin(0x04);
    assert_int_equal(signed_initialize(&s, SIGNED_KVN), SW_OK);
    assert_int_equal(signed_initialize(&s, SIGNED_KVN), SW_OK);
    assert_non_null(unfinished());
    assert_int_equal(signed_authenticate(&s, 0x01, 16), SW_OK);
    assert_null(unfinished());
    /* A wrong one does not. */
    assert_int_equal(signed_initialize(&s, SIGNED_KVN), SW_OK);
    assert_int_equal(host_send(h, vector_hex("84820100080102030405060708")), SW_WRONG_LENGTH);
    assert_non_null(unfinished());
    end();
}

/* Nothing leaves the card before the count is durable, and no session opens whose end of counting is not. */
static void memory_that_takes_nothing(void **state)
{
    (void)state;
    begin(0x04);
    h->refuse_commits = true;
    assert_int_equal(signed_initialize(&s, SIGNED_KVN), SW_MEMORY);
    assert_int_equal(host_data(h).len, 0);
    h->refuse_commits = false;
    assert_int_equal(signed_initialize(&s, SIGNED_KVN), SW_OK);
    h->refuse_commits = true;
    assert_int_equal(signed_authenticate(&s, 0x01, 16), SW_MEMORY);
    assert_int_equal(h->card.now->session.state, SESSION_NONE);
    end();
}

static void put_field(struct writer *w, uint8_t type, struct view value)
{
    wr_u8(w, type);
    tlv_put_length(w, value.len);
    wr_view(w, value);
}

/* The private component, encrypted under S-DEK, with its own length in front where it needs padding. */
static void put_secret(struct writer *w, uint8_t type, struct view value)
{
    static const uint8_t zeros[AES_BLOCK];
    uint8_t padded[1024] = {0}, cipher[1024];
    size_t len = (value.len + AES_BLOCK - 1) / AES_BLOCK * AES_BLOCK;
    struct writer block;
    memcpy(padded, value.data, value.len);
    assert_int_equal(
        crypto_aes_cbc_encrypt(crypto, secret_view(&s.s_dek), zeros, view_of(padded, len), cipher), OK);
    wr_heap(&block, 1100);
    if (len != value.len)
        tlv_put_length(&block, value.len);
    wr_view(&block, view_of(cipher, len));
    put_field(w, type, wr_view_of(&block));
    wr_free(&block);
}

/* A DSA key of the standard's form, as PUT KEY brings it (docs/signed-commands.md), through signed commands.
 */
static void dsa_keys_come_by_put_key(void **state)
{
    struct signed_host dsa;
    struct writer image, public_key, private_key;
    struct card_key *k;
    struct pk *own = NULL;
    (void)state;
    begin(0x04);
    assert_int_equal(signed_host_init(&dsa, h, 0x03),
                     OK); /* takes the same version: its keys are read, then go */
    k = card_find_key(&h->card.state, VIEW_NULL, SIGNED_KVN, SIGNED_KID_OWN);
    struct view pkcs8 = view_of(k->data, k->len);
    wr_heap(&image, 1024);
    assert_int_equal(keypair_load(k, &own), OK);
    assert_int_equal(keypair_put_image(own, &image), OK);
    assert_int_equal(image.len, DSA_IMAGE_LEN);
    wr_heap(&public_key, 1200);
    wr_u8(&public_key, 0x41);
    put_field(&public_key, 0x70, wr_view_of(&image));
    wr_u8(&public_key, 0);
    /* x in PKCS#8: 30 { 02 | 30 | 04 { 02 x } }. */
    wr_heap(&private_key, 1200);
    wr_view(&private_key, view_head(wr_view_of(&image), 2 * DSA_P_LEN + DSA_Q_LEN));
    const uint32_t path[] = {0x30, 0x04, 0x02};
    struct view x;
    assert_true(tlv_path(pkcs8, path, 3, &x));
    x = view_tail(x, x.len > DSA_Q_LEN ? x.len - DSA_Q_LEN : 0);
    for (size_t n = x.len; n < DSA_Q_LEN; n++)
        wr_u8(&private_key, 0);
    wr_view(&private_key, x);
    struct writer whole;
    wr_heap(&whole, 1200);
    struct signed_host ec;
    assert_int_equal(signed_host_init(&ec, h, 0x04), OK);
    ec.extended = true;
    assert_int_equal(signed_open(&ec, 0x33), SW_OK);
    s.s_dek = ec.s_dek;
    wr_u8(&whole, 0x41);
    put_secret(&whole, 0x71, wr_view_of(&private_key));
    wr_u8(&whole, 0);
    assert_int_equal(signed_secure(&ec, vector_hex("80D80001"), wr_view_of(&public_key)), SW_OK);
    assert_int_equal(signed_secure(&ec, vector_hex("80D80002"), wr_view_of(&whole)), SW_OK);
    k = card_find_key(&h->card.state, VIEW_NULL, 0x41, 0x02);
    assert_non_null(k);
    assert_int_equal(k->type, CARD_KEY_DSA_PRIVATE);
    struct pk *came = NULL;
    assert_int_equal(keypair_load(k, &came), OK);
    assert_true(pk_same(came, own));
    k = card_find_key(&h->card.state, VIEW_NULL, 0x41, 0x01);
    assert_non_null(k);
    assert_int_equal(k->type, CARD_KEY_DSA_PUBLIC);
    /* Cut, and with a component too many. */
    assert_int_equal(signed_secure(&ec, vector_hex("80D80003"), view_head(wr_view_of(&public_key), 800)),
                     SW_WRONG_DATA);
    assert_int_equal(signed_secure(&ec, vector_hex("80D80003"), vector_hex("427001FF00")), SW_WRONG_DATA);
    wr_clear(&whole);
    wr_view(&whole, view_head(wr_view_of(&public_key), public_key.len - 1));
    put_field(&whole, 0x70, wr_view_of(&image));
    wr_u8(&whole, 0);
    assert_int_equal(signed_secure(&ec, vector_hex("80D80003"), wr_view_of(&whole)), SW_WRONG_DATA);
    pk_free(&own);
    pk_free(&came);
    wr_free(&image);
    wr_free(&public_key);
    wr_free(&private_key);
    wr_free(&whole);
    signed_host_finish(&ec);
    signed_host_finish(&dsa);
    end();
}

/* The challenges of two openings differ, whatever the host says. */
static void challenges_are_drawn_anew(void **state)
{
    uint8_t first[SIGNED_CHALLENGE];
    (void)state;
    begin(0x04);
    assert_int_equal(signed_initialize(&s, SIGNED_KVN), SW_OK);
    memcpy(first, view_tail(host_data(h), 13).data, sizeof first);
    assert_int_equal(signed_initialize(&s, SIGNED_KVN), SW_OK);
    assert_false(view_equal(VIEW_OF(first), view_head(view_tail(host_data(h), 13), sizeof first)));
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_level_of_every_i),
        cmocka_unit_test(levels_that_are_refused),
        cmocka_unit_test(key_fields),
        cmocka_unit_test(carried_by_rsa),
        cmocka_unit_test(openings_that_are_none),
        cmocka_unit_test(flipped_commands_are_refused),
        cmocka_unit_test(packets_work_once),
        cmocka_unit_test(a_session_ends_with_the_first_error),
        cmocka_unit_test(data_that_does_not_decipher),
        cmocka_unit_test(numbers_end),
        cmocka_unit_test(versions),
        cmocka_unit_test(incomplete_versions),
        cmocka_unit_test(keys_of_other_sizes),
        cmocka_unit_test(unfinished_openings_are_counted),
        cmocka_unit_test(a_finished_opening_clears_the_count),
        cmocka_unit_test(memory_that_takes_nothing),
        cmocka_unit_test(dsa_keys_come_by_put_key),
        cmocka_unit_test(challenges_are_drawn_anew),
    };
    return cmocka_run_group_tests(tests, conversation_setup, conversation_teardown);
}
