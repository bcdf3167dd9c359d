/* SPDX-License-Identifier: Apache-2.0
 *
 * The card's side of SCP01, SCP02 and SCP03 against recorded and computed sessions of others: the cryptograms
 * are those that the cards gave, the recorded commands are accepted and give the plain ones, the responses
 * come out byte for byte. Then every byte of what is MACed is changed, and nothing may be accepted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <support/vectors.h>

#include "channel_scp01.h"
#include "channel_scp02.h"
#include "channel_scp03.h"

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

/* A session as recorded. */
struct recorded {
    const char *id;
    const json_t *row;
    uint8_t scp, i;
    struct card_static_keys keys;
    struct view host_challenge, challenge, cryptogram;
    uint32_t sequence;
};

static uint32_t number(struct view v)
{
    uint32_t n = 0;
    for (size_t k = 0; k < v.len; k++)
        n = n << 8 | v.data[k];
    return n;
}

/* SCP02 does not say its i: the traces tell whether the ICV was encrypted; R-MAC is allowed here, since what
 * the dispatcher allows is tested with it. */
static uint8_t scp02_i(const json_t *row)
{
    struct view i = vector_bytes(row, "i");
    bool encrypted = json_is_true(json_object_get(row, "icv_encryption"));
    uint8_t base = i.len == 1 ? i.data[0] : encrypted ? 0x15 : 0x05;
    return base | SCP02_I_R_MAC;
}

static bool read_recorded(const json_t *row, uint8_t scp, struct recorded *out)
{
    const json_t *parsed = json_object_get(row, "parsed"), *keys = json_object_get(row, "static_keys");
    memset(out, 0, sizeof *out);
    if (!json_is_object(parsed) || !json_is_object(keys) || !vector_has(keys, "enc"))
        return false;
    out->id = vector_text(row, "id");
    out->row = row;
    out->scp = scp;
    if (scp == 0x03)
        out->i = vector_bytes(row, "i").data[0];
    else
        out->i = scp == 0x02                                            ? scp02_i(row)
                 : json_is_true(json_object_get(row, "icv_encryption")) ? 0x15
                                                                        : 0x05;
    assert_int_equal(secret_set(&out->keys.enc, vector_bytes(keys, "enc")), OK);
    assert_int_equal(secret_set(&out->keys.mac, vector_bytes(keys, "mac")), OK);
    assert_int_equal(secret_set(&out->keys.dek, vector_bytes(keys, "dek")), OK);
    out->host_challenge = vector_bytes(row, "host_challenge");
    out->challenge = vector_bytes(parsed, "card_challenge");
    out->cryptogram = vector_bytes(parsed, "card_cryptogram");
    out->sequence = number(vector_bytes(parsed, "sequence_counter"));
    return true;
}

static enum err open_recorded(struct crypto *c, const struct recorded *r, struct card_channel *ch,
                              uint8_t *cryptogram)
{
    if (r->scp == 0x02)
        return card_scp02_open(c, &r->keys, r->i, r->sequence, r->host_challenge, r->challenge, ch,
                               cryptogram);
    if (r->scp == 0x01)
        return card_scp01_open(c, &r->keys, r->i, r->host_challenge, r->challenge, ch, cryptogram);
    return card_scp03_open(c, &r->keys, r->i, r->host_challenge, r->challenge, ch, cryptogram);
}

static struct apdu parsed(const struct recorded *r, struct view v)
{
    struct apdu a;
    if (apdu_parse(v, &a) != OK)
        fail_msg("%s: not a command", r->id);
    return a;
}

static uint16_t authenticate(struct crypto *c, const struct recorded *r, struct card_channel *ch,
                             struct view command)
{
    struct apdu a = parsed(r, command);
    return card_channel_ops(r->scp)->external_authenticate(c, ch, &a);
}

static struct view recorded_authenticate(const struct recorded *r)
{
    const json_t *ea = json_object_get(r->row, "external_authenticate");
    if (!json_is_object(ea))
        ea = json_object_get(r->row, "external_authenticate_computed");
    return json_is_object(ea) ? vector_bytes(ea, "command") : VIEW_NULL;
}

static void pseudo_random_challenge(struct crypto *c, const struct recorded *r)
{
    const json_t *known = json_object_get(r->row, "pseudo_random_card_challenge");
    uint8_t challenge[CARD_CHALLENGE_MAX];
    if (!json_is_object(known) || !json_is_true(json_object_get(known, "matches")))
        return;
    struct view aid = vector_bytes(known, "aid");
    const struct card_channel_ops *ops = card_channel_ops(r->scp);
    assert_int_equal(ops->pseudo_random(c, &r->keys, r->i, r->sequence, aid, challenge), OK);
    if (!view_equal(view_of(challenge, ops->card_challenge_len(r->i)), r->challenge))
        fail_msg("%s: pseudo-random challenge", r->id);
}

/* Wraps the plain response as the card does and compares it with what was on the wire. */
static void response(struct crypto *c, const struct recorded *r, struct card_channel *ch,
                     const struct apdu *plain, const json_t *exchange)
{
    struct view wire = vector_bytes(exchange, "r"), text = vector_bytes(exchange, "r_plain");
    struct rapdu expected, answer;
    struct writer w;
    if (wire.len < 2)
        return;
    assert_int_equal(rapdu_parse(wire, &expected), OK);
    assert_int_equal(rapdu_parse(text.len != 0 ? text : wire, &answer), OK);
    wr_heap(&w, RAPDU_MAX);
    assert_int_equal(card_channel_ops(r->scp)->wrap_response(c, ch, plain, &answer, &w), OK);
    /* One card emulator pads its responses with a block more than there needs to be. */
    if (!json_is_true(json_object_get(exchange, "nonminimal_response_padding")) &&
        !view_equal(wr_view_of(&w), expected.data))
        fail_msg("%s: response to %02X %02X", r->id, plain->ins, plain->p1);
    wr_free(&w);
}

/* Lc and data of the plain command; header and Le are looked at apart. */
static void same_command(const struct recorded *r, const struct apdu *a, struct view data, struct view plain)
{
    struct apdu p = parsed(r, plain);
    if (a->ins != p.ins || a->p1 != p.p1 || a->p2 != p.p2 || !view_equal(data, p.data))
        fail_msg("%s: plain form of %02X %02X %02X", r->id, a->ins, a->p1, a->p2);
}

static size_t replay_exchanges(struct crypto *c, const struct recorded *r, struct card_channel *ch)
{
    const json_t *exchanges = json_object_get(r->row, "exchanges"), *exchange;
    size_t n, done = 0;
    json_array_foreach(exchanges, n, exchange)
    {
        struct writer plain;
        struct view wire = vector_bytes(exchange, "c"), text = vector_bytes(exchange, "plain");
        struct apdu a = parsed(r, wire);
        wr_heap(&plain, CAPDU_MAX);
        uint16_t sw = card_channel_ops(r->scp)->unwrap(c, ch, &a, &plain);
        if (sw != SW_OK)
            fail_msg("%s: command %zu refused with %04X", r->id, n, sw);
        if (text.len != 0)
            same_command(r, &a, wr_view_of(&plain), text);
        struct apdu inner = a;
        inner.cla &= (uint8_t)~0x04;
        inner.data = wr_view_of(&plain);
        response(c, r, ch, &inner, exchange);
        wr_free(&plain);
        done++;
    }
    return done;
}

static void session_keys(const struct recorded *r, const struct card_channel *ch)
{
    const json_t *keys = json_object_get(r->row, "session_keys");
    static const char *const names[] = {"enc", "mac", "rmac", "dek"};
    const struct secret *const have[] = {&ch->s_enc, &ch->s_mac, &ch->s_rmac, &ch->s_dek};
    for (size_t n = 0; json_is_object(keys) && n < 4; n++) {
        struct view wanted = vector_bytes(keys, names[n]);
        if (wanted.len != 0 && !view_equal(wanted, secret_view(have[n])))
            fail_msg("%s: session key %s", r->id, names[n]);
    }
}

static size_t replay(struct crypto *c, const struct recorded *r)
{
    struct card_channel ch;
    uint8_t cryptogram[CARD_CRYPTOGRAM_MAX];
    size_t done = 0;
    if (open_recorded(c, r, &ch, cryptogram) != OK ||
        !view_equal(view_of(cryptogram, r->cryptogram.len), r->cryptogram))
        fail_msg("%s: card cryptogram", r->id);
    session_keys(r, &ch);
    pseudo_random_challenge(c, r);
    struct view ea = recorded_authenticate(r);
    if (ea.len != 0) {
        uint16_t sw = authenticate(c, r, &ch, ea);
        /* GPCS 2.3.1 table E-11 has no level 02. */
        uint16_t expected = ea.data[2] == 0x02 ? SW_INCORRECT_P1P2 : SW_OK;
        if (sw != expected)
            fail_msg("%s: EXTERNAL AUTHENTICATE answered %04X", r->id, sw);
        done = sw == SW_OK ? replay_exchanges(c, r, &ch) : 0;
    }
    card_channel_finish(&ch);
    return done;
}

static void sessions_of(struct crypto *c, const char *file, uint8_t scp, size_t sessions, size_t exchanges)
{
    json_t *rows = vectors_load(file), *row;
    size_t n, count = 0, done = 0;
    json_array_foreach(rows, n, row)
    {
        struct recorded r;
        if (!read_recorded(row, scp, &r))
            continue;
        done += replay(c, &r);
        count++;
    }
    /* So that a vector that goes missing is noticed. */
    assert_true(count >= sessions);
    assert_true(done >= exchanges);
}

static void scp01_sessions_of_others(void **state)
{
    sessions_of(*state, "vectors/scp01.json", 0x01, 9, 27);
}

static void scp02_sessions_of_others(void **state)
{
    sessions_of(*state, "vectors/scp02.json", 0x02, 45, 200);
}

static void scp03_sessions_of_others(void **state)
{
    sessions_of(*state, "vectors/scp03.json", 0x03, 60, 200);
}

/* ---- tampering ---- */

static void find_recorded(const char *file, uint8_t scp, const char *id, struct recorded *r)
{
    json_t *rows = vectors_load(file), *row;
    size_t n;
    json_array_foreach(rows, n, row)
    {
        if (strcmp(vector_text(row, "id"), id) == 0) {
            assert_true(read_recorded(row, scp, r));
            return;
        }
    }
    fail_msg("no vector %s", id);
}

/* The command with bits of one byte changed: refused, or no longer a command. */
static bool refused(struct crypto *c, const struct recorded *r, const struct card_channel *before,
                    struct view command, size_t at, uint8_t mask, bool ea)
{
    uint8_t bytes[300];
    struct card_channel ch = *before;
    struct apdu a;
    struct writer plain;
    memcpy(bytes, command.data, command.len);
    bytes[at] ^= mask;
    if (apdu_parse(view_of(bytes, command.len), &a) != OK)
        return true;
    wr_heap(&plain, CAPDU_MAX);
    uint16_t sw = ea ? card_channel_ops(r->scp)->external_authenticate(c, &ch, &a)
                     : card_channel_ops(r->scp)->unwrap(c, &ch, &a, &plain);
    wr_free(&plain);
    return sw != SW_OK && (!ea || !ch.authenticated);
}

/* Not MACed: the channel bits of the class (GPCS 2.3.1 E.4.4), and Le. */
static bool covered(struct view command, size_t at, uint8_t mask)
{
    size_t lc = command.data[4];
    return at < 5 + lc && !(at == 0 && (mask & ~0x4B) == 0);
}

static void every_byte(struct crypto *c, const struct recorded *r, const struct card_channel *ch,
                       struct view command, bool ea)
{
    static const uint8_t masks[] = {0x01, 0x04, 0x10, 0x80, 0xFF};
    for (size_t at = 0; at < command.len; at++) {
        for (size_t m = 0; m < sizeof masks; m++) {
            if (covered(command, at, masks[m]) && !refused(c, r, ch, command, at, masks[m], ea))
                fail_msg("%s: byte %zu ^ %02X was accepted", r->id, at, masks[m]);
        }
    }
}

static void tamper(struct crypto *c, const char *file, uint8_t scp, const char *id)
{
    struct recorded r;
    struct card_channel ch;
    uint8_t cryptogram[CARD_CRYPTOGRAM_MAX];
    find_recorded(file, scp, id, &r);
    assert_int_equal(open_recorded(c, &r, &ch, cryptogram), OK);
    struct view ea = recorded_authenticate(&r);
    every_byte(c, &r, &ch, ea, true);
    assert_int_equal(authenticate(c, &r, &ch, ea), SW_OK);
    const json_t *exchanges = json_object_get(r.row, "exchanges"), *exchange;
    size_t n;
    json_array_foreach(exchanges, n, exchange)
    {
        struct writer plain;
        struct view wire = vector_bytes(exchange, "c");
        struct apdu a = parsed(&r, wire);
        every_byte(c, &r, &ch, wire, false);
        wr_heap(&plain, CAPDU_MAX);
        assert_int_equal(card_channel_ops(scp)->unwrap(c, &ch, &a, &plain), SW_OK);
        /* The same command again is a replay. */
        assert_true(refused(c, &r, &ch, wire, 0, 0, false));
        wr_free(&plain);
    }
}

static void changed_commands_are_refused(void **state)
{
    tamper(*state, "vectors/scp03.json", 0x03, "computed-scp03-aes128-i70-l01");
    tamper(*state, "vectors/scp03.json", 0x03, "computed-scp03-aes192-i00-l03");
    tamper(*state, "vectors/scp03.json", 0x03, "computed-scp03-aes256-i71-l33");
    tamper(*state, "vectors/scp01.json", 0x01, "computed-scp01-i05-l01");
    tamper(*state, "vectors/scp01.json", 0x01, "computed-scp01-i15-l03");
    tamper(*state, "vectors/scp02.json", 0x02, "computed-scp02-i15-l01");
    tamper(*state, "vectors/scp02.json", 0x02, "computed-scp02-i55-l03");
}

/* ---- small rules ---- */

static void levels_follow_i(void **state)
{
    static const struct {
        uint8_t scp, i, level;
        bool allowed;
    } rows[] = {
        {3, 0x00, 0x00, true},  {3, 0x00, 0x01, true},  {3, 0x00, 0x03, true},  {3, 0x00, 0x11, false},
        {3, 0x10, 0x33, false}, {3, 0x20, 0x11, true},  {3, 0x30, 0x13, true},  {3, 0x20, 0x33, false},
        {3, 0x60, 0x33, true},  {3, 0x70, 0x33, true},  {3, 0x70, 0x02, false}, {3, 0x70, 0x10, false},
        {3, 0x70, 0x31, false}, {2, 0x15, 0x01, true},  {2, 0x15, 0x03, true},  {2, 0x15, 0x11, false},
        {2, 0x55, 0x10, false}, {2, 0x55, 0x13, false}, {2, 0x35, 0x11, true},  {2, 0x75, 0x13, true},
        {2, 0x75, 0x10, true},  {2, 0x75, 0x33, false}, {2, 0x15, 0x02, false},
    };
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        if (card_channel_ops(rows[n].scp)->allows_level(rows[n].i, rows[n].level) != rows[n].allowed)
            fail_msg("row %zu", n);
    }
}

static void implementations_are_known_or_not(void **state)
{
    static const struct {
        uint8_t scp, i;
        bool known;
    } rows[] = {{3, 0x00, true},  {3, 0x10, true}, {3, 0x20, true},  {3, 0x30, true},  {3, 0x60, true},
                {3, 0x70, true},  {3, 0x71, true}, {3, 0x40, false}, {3, 0x50, false}, {3, 0x80, false},
                {3, 0x02, false}, {2, 0x15, true}, {2, 0x55, true},  {2, 0x35, true},  {2, 0x75, true},
                {2, 0x05, true},  {2, 0x1A, true}, {2, 0x0A, true},  {2, 0x00, false}, {2, 0x17, false},
                {2, 0x3B, true},  {2, 0x64, true}, {2, 0x4A, false}, {2, 0x1D, false}, {2, 0x95, false},
                {1, 0x05, true},  {1, 0x15, true}, {1, 0x55, false}, {1, 0x00, false}};
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        if (card_channel_ops(rows[n].scp)->knows_i(rows[n].i) != rows[n].known)
            fail_msg("row %zu", n);
    }
    assert_null(card_channel_ops(4));
}

static void padding_is_strict(void **state)
{
    static const struct {
        const char *bytes;
        long len;
    } rows[] = {{"8000000000000000", 0},
                {"0180000000000000", 1},
                {"0102030405060780", 7},
                {"01020304050607808000000000000000", 8},
                {"0102030405060708", -1},
                {"0000000000000000", -1},
                {"0180000000000001", -1},
                {"80000000000000000000000000000000", -1}, /* a block more than there needs to be */
                {"80", -1},
                {"", -1},
                {"8080000000000000", 1}};
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        if (card_unpad(vector_hex(rows[n].bytes), 8) != rows[n].len)
            fail_msg("%s", rows[n].bytes);
    }
}

/* A wrong cryptogram under a right C-MAC: what a host has that knows S-MAC but not the cryptogram. */
static void a_wrong_cryptogram_is_not_a_wrong_mac(void **state)
{
    struct recorded r;
    struct card_channel ch;
    uint8_t cryptogram[CARD_CRYPTOGRAM_MAX];
    find_recorded("vectors/scp03.json", 0x03, "computed-scp03-aes128-i70-l01", &r);
    assert_int_equal(open_recorded(*state, &r, &ch, cryptogram), OK);
    ch.host_cryptogram[0] ^= 1;
    assert_int_equal(authenticate(*state, &r, &ch, recorded_authenticate(&r)), SW_AUTH_FAILED);
    assert_true(ch.mac_verified && !ch.authenticated);
    find_recorded("vectors/scp02.json", 0x02, "computed-scp02-i55-l03", &r);
    assert_int_equal(open_recorded(*state, &r, &ch, cryptogram), OK);
    ch.host_cryptogram[7] ^= 0x80;
    assert_int_equal(authenticate(*state, &r, &ch, recorded_authenticate(&r)), SW_AUTH_FAILED);
    assert_true(ch.mac_verified && !ch.authenticated);
}

static void lengths_are_checked(void **state)
{
    struct recorded r;
    struct card_channel ch;
    uint8_t cryptogram[CARD_CRYPTOGRAM_MAX];
    find_recorded("vectors/scp03.json", 0x03, "computed-scp03-aes128-i70-l01", &r);
    struct apdu short_one = parsed(&r, recorded_authenticate(&r));
    short_one.data.len--;
    assert_int_equal(open_recorded(*state, &r, &ch, cryptogram), OK);
    assert_int_equal(card_scp03_external_authenticate(*state, &ch, &short_one), SW_WRONG_LENGTH);
    r.host_challenge.len = 7;
    assert_int_equal(open_recorded(*state, &r, &ch, cryptogram), ERR_ARGUMENT);
    find_recorded("vectors/scp02.json", 0x02, "computed-scp02-i55-l03", &r);
    r.challenge.len = 5;
    assert_int_equal(open_recorded(*state, &r, &ch, cryptogram), ERR_ARGUMENT);
    find_recorded("vectors/scp02.json", 0x02, "computed-scp02-i55-l03", &r);
    struct apdu a = parsed(&r, recorded_authenticate(&r));
    for (int n = 0; n < 2; n++) {
        struct apdu other = a;
        other.data.len -= n == 0 ? 1 : 8;
        assert_int_equal(open_recorded(*state, &r, &ch, cryptogram), OK);
        assert_int_equal(card_scp02_external_authenticate(*state, &ch, &other), SW_WRONG_LENGTH);
    }
    r.keys.dek.len = 24;
    assert_int_equal(open_recorded(*state, &r, &ch, cryptogram), ERR_ARGUMENT);
}

/* The example of docs/single-des.md. */
static void single_des_is_as_documented(void **state)
{
    static const struct {
        uint8_t level;
        const char *authenticate, *list, *get;
    } rows[] = {{0x01, "8482010010393B5543FA7C04022229C8E2F63AA662", "84F280020A4F00AF571BEE4E45B64C00",
                 "84CA00660828EEC81438103DE900"},
                {0x03, "8482030010393B5543FA7C0402EAC1E930B7886309",
                 "84F28002101E6133423D010EED4B9550EDDA1A24E900", "84CA006608D12F449F3AFCF73900"}};
    struct card_static_keys keys = {0};
    assert_int_equal(secret_set(&keys.enc, vector_hex("1011121314151617")), OK);
    assert_int_equal(secret_set(&keys.mac, vector_hex("2021222324252627")), OK);
    assert_int_equal(secret_set(&keys.dek, vector_hex("3031323334353637")), OK);
    for (size_t n = 0; n < 2; n++) {
        const struct recorded r = {.id = "single DES", .scp = 0x01};
        const char *const commands[] = {rows[n].list, rows[n].get};
        struct card_channel ch;
        uint8_t cryptogram[CARD_CRYPTOGRAM_MAX], key[16];
        assert_int_equal(card_scp01_open(*state, &keys, 0x15, vector_hex("A1A2A3A4A5A6A7A8"),
                                         vector_hex("B1B2B3B4B5B6B7B8"), &ch, cryptogram),
                         OK);
        assert_true(view_equal(view_of(cryptogram, 8), vector_hex("55DB6894BE1ED1B9")));
        assert_true(view_equal(view_head(secret_view(&ch.s_enc), 8), vector_hex("F7F82475377C37DD")));
        assert_true(view_equal(view_head(secret_view(&ch.s_mac), 8), vector_hex("84564C5EBC29B9B0")));
        assert_int_equal(authenticate(*state, &r, &ch, vector_hex(rows[n].authenticate)), SW_OK);
        for (size_t k = 0; k < 2; k++) {
            struct apdu a = parsed(&r, vector_hex(commands[k]));
            struct writer plain;
            wr_heap(&plain, 64);
            assert_int_equal(card_scp01_unwrap(*state, &ch, &a, &plain), SW_OK);
            assert_true(view_equal(wr_view_of(&plain), k == 0 ? vector_hex("4F00") : VIEW_NULL));
            wr_free(&plain);
        }
        assert_int_equal(card_scp01_ops.decrypt_sensitive(*state, &ch, vector_hex("EB49D1D7C31CAD31"), key),
                         OK);
        assert_true(view_equal(view_of(key, 8), vector_hex("4041424344454647")));
        card_channel_finish(&ch);
    }
    keys.mac.len = 16; /* a mixture */
    struct card_channel ch;
    uint8_t cryptogram[CARD_CRYPTOGRAM_MAX];
    assert_int_equal(card_scp01_open(*state, &keys, 0x15, vector_hex("A1A2A3A4A5A6A7A8"),
                                     vector_hex("B1B2B3B4B5B6B7B8"), &ch, cryptogram),
                     ERR_ARGUMENT);
}

/* Amendment D 6.2.5: only the status word goes back with an error. */
static void errors_have_no_r_mac_in_scp03(void **state)
{
    struct recorded r;
    struct card_channel ch;
    uint8_t cryptogram[CARD_CRYPTOGRAM_MAX];
    struct apdu none = {.cla = 0x80};
    find_recorded("vectors/scp03.json", 0x03, "computed-scp03-aes128-i70-l33", &r);
    assert_int_equal(open_recorded(*state, &r, &ch, cryptogram), OK);
    assert_int_equal(authenticate(*state, &r, &ch, recorded_authenticate(&r)), SW_OK);
    static const struct {
        uint16_t sw;
        size_t added;
    } rows[] = {{SW_OK, 8},         {SW_MORE_DATA, 8},  {0x6283, 8},
                {SW_CONDITIONS, 0}, {SW_WRONG_DATA, 0}, {0x6400, 0}};
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        struct rapdu answer = {.sw = rows[n].sw};
        struct writer w;
        wr_heap(&w, RAPDU_MAX);
        assert_int_equal(card_scp03_wrap_response(*state, &ch, &none, &answer, &w), OK);
        if (w.len != rows[n].added)
            fail_msg("%04X", rows[n].sw);
        wr_free(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scp01_sessions_of_others),
        cmocka_unit_test(scp02_sessions_of_others),
        cmocka_unit_test(scp03_sessions_of_others),
        cmocka_unit_test(changed_commands_are_refused),
        cmocka_unit_test(levels_follow_i),
        cmocka_unit_test(implementations_are_known_or_not),
        cmocka_unit_test(padding_is_strict),
        cmocka_unit_test(a_wrong_cryptogram_is_not_a_wrong_mac),
        cmocka_unit_test(lengths_are_checked),
        cmocka_unit_test(single_des_is_as_documented),
        cmocka_unit_test(errors_have_no_r_mac_in_scp03),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
