/* SPDX-License-Identifier: Apache-2.0
 *
 * Published sessions through the vault: opened, signed byte for byte, settled; once directly and once through
 * the bytes of the keeper's socket. Then everything that must not go through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <support/vectors.h>
#include <vault/seal.h>
#include <vault/serve.h>

enum { COMMANDS_MAX = 128, SCRIPT_ROOM = 64 * 1024 };
#define REAL                                                                                                 \
    "computed-scp03-aes128-i70-l33" /* R-MAC and R-ENC on every answer, also on those without data           \
                                     */
#define PLAIN_LEVEL "computed-scp03-aes128-i70-l01"

static const uint8_t sw_ok[] = {0x90, 0x00};

struct world {
    struct crypto *crypto;
    struct vault *vault;
    json_t *scp02, *scp03;
};

static int setup(void **state)
{
    static struct world w;
    struct secret kek = {.len = KEK_LEN, .data = {1, 2, 3}};
    if (crypto_new(&w.crypto) != OK || vault_new(&w.vault, w.crypto, crypto_random(), &kek) != OK)
        return -1;
    w.scp02 = vectors_load("vectors/scp02.json");
    w.scp03 = vectors_load("vectors/scp03.json");
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    vault_free(&w->vault);
    crypto_free(&w->crypto);
    vectors_free();
    return 0;
}

/* One published session: what the vault gets, and what must come out. */
struct session {
    const char *id;
    uint8_t level;
    struct view host_challenge, answer; /* of INITIALIZE UPDATE, with the status word */
    uint8_t opening[256];
    struct vault_open open;
    struct vault_script script;
    struct view authenticate, plain[COMMANDS_MAX], wrapped[COMMANDS_MAX], answers[COMMANDS_MAX],
        plain_answers[COMMANDS_MAX];
    size_t count, answered; /* answered: so many from the first on have answers in the source */
    struct writer sealed_key, sealed_channel, plain_script;
};

static void session_finish(struct session *s)
{
    wr_free(&s->sealed_key);
    wr_free(&s->sealed_channel);
    wr_free(&s->plain_script);
}

/* What the front keeps of INITIALIZE UPDATE until the answer comes. Call it again after a change. */
static const struct vault_open *opening_made(struct session *s, uint8_t scp, uint8_t i)
{
    struct channel_opening o = {.request = {.method = channel_method(scp, i), .level = s->level}, .count = 1};
    struct writer w;
    assert_int_equal(secret_set(&o.own, s->host_challenge), OK);
    channel_initialize_update(&o.commands[0], 0, 0, s->host_challenge);
    wr_fixed(&w, s->opening, sizeof(s->opening));
    assert_int_equal(channel_opening_encode(&o, &w), OK);
    s->open.opening = wr_view_of(&w);
    s->open.answers = &s->answer;
    s->open.answer_count = 1;
    return &s->open;
}

static void put_script(struct writer *out, const struct view *capdus, size_t count)
{
    struct script_writer script;
    wr_clear(out);
    script_begin(&script, out, SCRIPT_DEFINITE);
    for (size_t i = 0; i < count; i++)
        script_put_capdu(&script, capdus[i]);
    assert_int_equal(script_end(&script), OK);
}

static void import_key(struct world *w, const struct key_attributes *a, struct view keys,
                       struct writer *sealed)
{
    uint8_t public_key[32], kcv[3][3], memory[256];
    struct writer wrapped;
    vault_import_key(w->vault, public_key);
    wr_fixed(&wrapped, memory, sizeof(memory));
    assert_int_equal(vault_wrap_for_import(w->crypto, crypto_random(), public_key, a, keys, &wrapped), OK);
    assert_int_equal(vault_import(w->vault, a, wr_view_of(&wrapped), sealed, kcv), OK);
}

static void read_keys(struct world *w, struct session *s, const json_t *row)
{
    const json_t *keys = json_object_get(row, "static_keys");
    const json_t *derived = json_object_get(row, "diversification");
    uint8_t memory[SECRET_MAX];
    struct writer all;
    struct key_attributes *a = &s->open.keys.key.attributes;
    wr_fixed(&all, memory, sizeof(memory));
    a->name[0] = 'k';
    a->version = 1;
    s->open.keys.kdf = KDF_NONE;
    if (json_is_object(derived) && vector_has(derived, "master")) {
        assert_int_equal(kdf_by_name(vector_text(derived, "method"), &s->open.keys.kdf), OK);
        wr_view(&all, vector_bytes(derived, "master"));
    } else {
        wr_view(&all, vector_bytes(keys, "enc"));
        wr_view(&all, vector_bytes(keys, "mac"));
        wr_view(&all, vector_bytes(keys, "dek"));
    }
    a->key_len = (uint8_t)vector_bytes(keys, "enc").len;
    wr_heap(&s->sealed_key, SEALED_KEY_MAX);
    import_key(w, a, wr_view_of(&all), &s->sealed_key);
    s->open.keys.key.sealed = wr_view_of(&s->sealed_key);
}

static void read_exchanges(struct session *s, const json_t *row)
{
    size_t n;
    json_t *exchange;
    json_array_foreach(json_object_get(row, "exchanges"), n, exchange)
    {
        if (n == COMMANDS_MAX || !vector_has(exchange, "plain") || !vector_has(exchange, "c"))
            break;
        s->plain[n] = vector_bytes(exchange, "plain");
        s->wrapped[n] = vector_bytes(exchange, "c");
        s->answers[n] = vector_bytes(exchange, "r");
        s->plain_answers[n] =
            vector_has(exchange, "r_plain") ? vector_bytes(exchange, "r_plain") : s->answers[n];
        if (s->answered == n && s->answers[n].len >= 2)
            s->answered++;
        s->count++;
    }
}

/* False when the vector is no session that can be signed: no channel row, no EXTERNAL AUTHENTICATE. */
static bool session_read(struct world *w, struct session *s, const json_t *row, uint8_t scp)
{
    const json_t *authenticate =
        json_object_get(row, vector_has(row, "external_authenticate") ? "external_authenticate"
                                                                      : "external_authenticate_computed");
    const char *i = vector_text(row, "i");
    *s = (struct session){.id = vector_text(row, "id")};
    if (i == NULL || !json_is_object(authenticate) || !vector_has(authenticate, "security_level"))
        return false;
    s->open.scp = scp;
    s->open.i = vector_hex(i).data[0];
    s->level = vector_bytes(authenticate, "security_level").data[0];
    if (scp == 2 && (s->level & LEVEL_R_MAC) != 0)
        s->open.i |= 0x20; /* sources before R-MAC had its bit used it with any i */
    const struct channel_method *m = channel_method(scp, s->open.i);
    if (m == NULL || !channel_level_ok(m, s->level))
        return false;
    s->open.keys.key.attributes.type = m->key_type;
    s->host_challenge = vector_bytes(row, "host_challenge");
    s->answer = vector_bytes(row, "init_update_response");
    (void)opening_made(s, scp, s->open.i);
    s->open.session = view_str(s->id);
    s->authenticate = vector_bytes(authenticate, "command");
    read_keys(w, s, row);
    read_exchanges(s, row);
    wr_heap(&s->sealed_channel, SEALED_CHANNEL_MAX);
    wr_heap(&s->plain_script, SCRIPT_ROOM);
    put_script(&s->plain_script, s->plain, s->count);
    return true;
}

static void session_open(struct world *w, struct session *s)
{
    s->open.answers = &s->answer;
    s->open.opening.data = s->opening;
    enum err e = vault_open(w->vault, &s->open, &s->sealed_channel);
    if (e != OK)
        fail_msg("%s: open: %s", s->id, err_name(e));
    s->script.sealed_channel = wr_view_of(&s->sealed_channel);
    s->script.session = s->open.session;
    s->script.plain = wr_view_of(&s->plain_script);
}

/* The session of this name, opened. */
static void session_named(struct world *w, struct session *s, const char *id)
{
    size_t index;
    json_t *row;
    json_array_foreach(w->scp03, index, row)
    {
        if (strcmp(vector_text(row, "id"), id) == 0 && session_read(w, s, row, 3)) {
            session_open(w, s);
            return;
        }
    }
    fail_msg("there is no session %s", id);
}

static void sign(struct world *w, const struct vault_script *script, struct writer *out)
{
    wr_heap(out, SCRIPT_ROOM);
    assert_int_equal(vault_sign(w->vault, script, out), OK);
}

static void expect_signed(const struct session *s, struct view script, bool fresh, size_t first)
{
    struct script_reader r;
    struct view capdu;
    enum script_fault fault;
    assert_int_equal(script_open(&r, script, &fault), OK);
    if (fresh) {
        assert_int_equal(script_next(&r, &capdu, &fault), OK);
        /* Le behind it is the source's habit. */
        if (!view_equal(view_head(capdu, 21), view_head(s->authenticate, 21)))
            fail_msg("%s: EXTERNAL AUTHENTICATE", s->id);
    }
    for (size_t i = first; i < s->count; i++) {
        assert_int_equal(script_next(&r, &capdu, &fault), OK);
        if (!view_equal(capdu, s->wrapped[i]))
            fail_msg("%s: command %zu", s->id, i);
    }
    assert_int_equal(script_next(&r, &capdu, &fault), OK);
    assert_int_equal(capdu.len, 0);
}

/* A response script of these answers. */
static struct view put_answers(struct writer *out, bool authenticated, const struct view *answers,
                               size_t count)
{
    struct response_writer script;
    wr_clear(out);
    response_begin(&script, out, SCRIPT_DEFINITE);
    if (authenticated)
        response_put(&script, VIEW_OF(sw_ok));
    for (size_t i = 0; i < count; i++)
        response_put(&script, answers[i]);
    assert_int_equal(response_end(&script), OK);
    return wr_view_of(out);
}

static void expect_result(const struct session *s, size_t n, const struct vault_result *got, bool r_mac)
{
    struct view want = s->plain_answers[n];
    struct reader r;
    rd_init(&r, view_tail(want, want.len - 2));
    if (got->sw != rd_u16(&r) || !view_equal(got->data, view_head(want, want.len - 2)))
        fail_msg("%s: answer %zu", s->id, n);
    if (got->proven != r_mac)
        fail_msg("%s: answer %zu: proven", s->id, n);
}

static void expect_settled(const struct session *s, const struct vault_settlement *out, size_t count)
{
    assert_false(out->forged);
    assert_true(out->has_authentication);
    assert_int_equal(out->authentication.sw, SW_OK);
    assert_false(out->authentication.proven);
    assert_int_equal(out->count, count);
    for (size_t i = 0; i < count; i++)
        expect_result(s, i, &out->results[i],
                      (s->level & LEVEL_R_MAC) != 0 && sw_is_ok_or_warning(out->results[i].sw));
    assert_true(out->sealed_channel.len > 0);
}

static void settle(struct world *w, struct session *s, size_t answered, struct vault_settlement *out)
{
    struct writer memory;
    wr_heap(&memory, SCRIPT_ROOM);
    struct view answers = put_answers(&memory, true, s->answers, answered);
    enum err e = vault_settle(w->vault, &s->script, answers, out);
    if (e != OK)
        fail_msg("%s: settle: %s", s->id, err_name(e));
    wr_free(&memory);
}

static bool breaks_the_rules(const char *id)
{
    /* Its host encrypted a data field that was not there, against Amendment D 6.2.6. */
    return strcmp(id, "yubico-net-scp03-1") == 0;
}

static size_t run_file(struct world *w, const json_t *rows, uint8_t scp, size_t *answers)
{
    static struct vault_settlement out;
    size_t index, sessions = 0;
    json_t *row;
    json_array_foreach(rows, index, row)
    {
        struct session s;
        struct writer script;
        if (breaks_the_rules(vector_text(row, "id")) || !session_read(w, &s, row, scp))
            continue;
        session_open(w, &s);
        sign(w, &s.script, &script);
        expect_signed(&s, wr_view_of(&script), true, 0);
        settle(w, &s, s.answered, &out);
        expect_settled(&s, &out, s.answered);
        *answers += s.answered;
        sessions++;
        vault_settlement_finish(&out);
        wr_free(&script);
        session_finish(&s);
    }
    return sessions;
}

static void published_sessions(void **state)
{
    const struct world *w = *state;
    size_t answers = 0;
    assert_true(run_file(*state, w->scp03, 3, &answers) > 40);
    assert_true(answers > 80);
    answers = 0;
    assert_true(run_file(*state, w->scp02, 2, &answers) > 15);
    assert_true(answers > 80);
}

static void keys_that_are_derived(void **state)
{
    struct world *w = *state;
    size_t index, done = 0;
    json_t *row;
    json_array_foreach(w->scp02, index, row)
    {
        struct session s;
        if (!json_is_object(json_object_get(row, "diversification")) || !session_read(w, &s, row, 2))
            continue;
        assert_int_not_equal(s.open.keys.kdf, KDF_NONE);
        session_open(w, &s);
        session_finish(&s);
        done++;
    }
    assert_true(done > 0);
}

/* After any number of answers the channel goes on exactly behind them, as the card does. */
static void the_channel_goes_on_behind_the_last_answer(void **state)
{
    static struct vault_settlement out;
    struct world *w = *state;
    struct session s;
    session_named(w, &s, REAL);
    assert_int_equal(s.answered, s.count);
    for (size_t answered = 0; answered <= s.count; answered++) {
        struct writer script, rest;
        settle(w, &s, answered, &out);
        expect_settled(&s, &out, answered);
        wr_heap(&rest, SCRIPT_ROOM);
        put_script(&rest, s.plain + answered, s.count - answered);
        struct vault_script next = s.script;
        next.sealed_channel = wr_view_of(&out.sealed_channel);
        next.plain = wr_view_of(&rest);
        sign(w, &next, &script);
        expect_signed(&s, wr_view_of(&script), false, answered);
        vault_settlement_finish(&out);
        wr_free(&script);
        wr_free(&rest);
    }
    session_finish(&s);
}

static void no_answer_at_all_leaves_the_channel_new(void **state)
{
    static struct vault_settlement out;
    struct world *w = *state;
    struct session s;
    struct writer memory, script;
    session_named(w, &s, REAL);
    wr_heap(&memory, 64);
    struct view answers = put_answers(&memory, false, NULL, 0);
    assert_int_equal(vault_settle(w->vault, &s.script, answers, &out), OK);
    assert_false(out.has_authentication);
    assert_int_equal(out.count, 0);
    s.script.sealed_channel = wr_view_of(&out.sealed_channel);
    sign(w, &s.script, &script);
    expect_signed(&s, wr_view_of(&script), true, 0);
    wr_free(&script);
    wr_free(&memory);
    vault_settlement_finish(&out);
    session_finish(&s);
}

static void signing_again_gives_the_same(void **state)
{
    struct world *w = *state;
    struct session s;
    struct writer one, two;
    session_named(w, &s, REAL);
    sign(w, &s.script, &one);
    sign(w, &s.script, &two);
    assert_true(view_equal(wr_view_of(&one), wr_view_of(&two)));
    wr_free(&one);
    wr_free(&two);
    session_finish(&s);
}

/* --- opening --- */

static void expect_no_open(struct world *w, const struct session *s, const struct vault_open *in,
                           enum err want, const char *name)
{
    uint8_t memory[SEALED_CHANNEL_MAX];
    struct writer out;
    wr_fixed(&out, memory, sizeof(memory));
    enum err e = vault_open(w->vault, in, &out);
    if (e != want || out.len != 0)
        fail_msg("%s: %s: %s", s->id, name, err_name(e));
}

static void a_wrong_cryptogram_opens_nothing(void **state)
{
    struct world *w = *state;
    static const char *const ids[] = {REAL, "securo-scp03-i70-aes256-1"};
    for (size_t n = 0; n < 2; n++) {
        struct session s;
        uint8_t answer[64];
        struct writer copy;
        session_named(w, &s, ids[n]);
        wr_fixed(&copy, answer, sizeof(answer));
        wr_view(&copy, s.answer);
        struct view changed = wr_view_of(&copy), whole = s.answer;
        struct vault_open in = s.open;
        in.answers = &changed;
        /* Diversification data is not part of it with KDF_NONE; from the challenge on all is. */
        enum { CHALLENGE = 8, COUNTER = 3, SW = 2 };
        for (size_t i = 13; i < 13 + 2 * CHALLENGE; i++) {
            answer[i] ^= 0x01;
            expect_no_open(w, &s, &in, ERR_AUTH, "flipped");
            answer[i] ^= 0x01;
        }
        for (size_t cut = 0; cut < whole.len - COUNTER - SW; cut++) {
            copy.len = cut;
            wr_u16(&copy, SW_OK);
            changed = wr_view_of(&copy);
            expect_no_open(w, &s, &in, ERR_FORMAT, "cut");
            copy.len = 0;
            wr_view(&copy, whole);
        }
        changed = view_head(whole, 1);
        expect_no_open(w, &s, &in, ERR_FORMAT, "no status word");
        in.answer_count = 0;
        expect_no_open(w, &s, &in, ERR_STATE, "no answer");
        session_finish(&s);
    }
}

static void another_host_challenge_opens_nothing(void **state)
{
    struct world *w = *state;
    struct session s;
    static const uint8_t challenge[16] = {1};
    session_named(w, &s, REAL);
    s.host_challenge = view_of(challenge, 8);
    expect_no_open(w, &s, opening_made(&s, 3, s.open.i), ERR_AUTH, "another");
    s.host_challenge = view_of(challenge, 16);
    expect_no_open(w, &s, opening_made(&s, 3, s.open.i), ERR_ARGUMENT, "too long");
    session_finish(&s);
}

static void what_the_front_may_not_ask_for(void **state)
{
    struct world *w = *state;
    struct session s;
    static const uint8_t long_name[NAME_MAX_BYTES + 1];
    session_named(w, &s, REAL);
    struct vault_open in = s.open;
    in.scp = 2;
    expect_no_open(w, &s, &in, ERR_UNSUPPORTED, "another protocol");
    in = s.open;
    struct view scp02 = vector_hex("0000416804170A325DC801020004B1B79602B1CBE00CF4940C2562699000");
    in.answers = &scp02;
    expect_no_open(w, &s, &in, ERR_UNSUPPORTED, "an answer of another protocol, without i");
    in = s.open;
    in.i = 0x60;
    expect_no_open(w, &s, &in, ERR_UNSUPPORTED, "another i than the card's");
    in.i = 0x44;
    expect_no_open(w, &s, &in, ERR_UNSUPPORTED, "an i that is none");
    in = s.open;
    s.level = 0x02;
    expect_no_open(w, &s, opening_made(&s, 3, s.open.i), ERR_FORMAT, "a level that is none");
    s.level = 0x33;
    (void)opening_made(&s, 3, s.open.i);
    in = s.open;
    in.keys.kdf = KDF_IMPORTED;
    expect_no_open(w, &s, &in, ERR_ARGUMENT, "a master key as a card's own");
    in = s.open;
    in.session = VIEW_NULL;
    expect_no_open(w, &s, &in, ERR_ARGUMENT, "no session");
    in.session = VIEW_OF(long_name);
    expect_no_open(w, &s, &in, ERR_ARGUMENT, "a session's name that is too long");
    in = s.open;
    in.keys.key.attributes.version = 2;
    expect_no_open(w, &s, &in, ERR_CONFLICT, "another version");
    in = s.open;
    in.keys.key.sealed = view_head(in.keys.key.sealed, in.keys.key.sealed.len - 1);
    expect_no_open(w, &s, &in, ERR_CONFLICT, "a sealed key that is not intact is no card's fault");
    in = s.open;
    in.keys.key.attributes.version = 0;
    expect_no_open(w, &s, &in, ERR_ARGUMENT, "no version");
    in = s.open;
    in.keys.key.attributes.use = KEY_USE_DERIVE;
    expect_no_open(w, &s, &in, ERR_POLICY, "a key for data");
    in = s.open;
    in.keys.key.attributes.type = KEY_DES3;
    expect_no_open(w, &s, &in, ERR_UNSUPPORTED, "a type that the method has not");
    session_finish(&s);
}

/* The key of one card is used as it is, whatever derivation the front names. */
static void a_card_s_own_key(void **state)
{
    struct world *w = *state;
    struct session s;
    struct writer sealed, channel;
    session_named(w, &s, "securo-scp03-i70-aes256-1");
    struct vault_open in = s.open;
    wr_heap(&sealed, SEALED_KEY_MAX);
    wr_heap(&channel, SEALED_CHANNEL_MAX);
    in.keys.key.attributes.use = KEY_USE_CARD;
    memcpy(in.keys.key.attributes.card, "0123", 5);
    in.keys.kdf = KDF_KDF3;
    static const char half[] = "@ABCDEFGHIJKLMNO@ABCDEFGHIJKLMNO";
    import_key(w, &in.keys.key.attributes, view_str(half), &sealed);
    in.keys.key.sealed = wr_view_of(&sealed);
    assert_int_equal(vault_open(w->vault, &in, &channel), OK);
    wr_clear(&channel);
    memcpy(in.keys.key.attributes.card, "0124", 5);
    assert_int_equal(vault_open(w->vault, &in, &channel), ERR_CONFLICT);
    wr_free(&sealed);
    wr_free(&channel);
    session_finish(&s);
}

/* --- the sealed channel --- */

static void a_sealed_channel_belongs_to_its_session(void **state)
{
    static struct vault_settlement out;
    struct world *w = *state;
    struct session s;
    struct writer script, answers;
    session_named(w, &s, REAL);
    wr_heap(&script, SCRIPT_ROOM);
    wr_heap(&answers, SCRIPT_ROOM);
    struct view none = put_answers(&answers, false, NULL, 0);
    struct vault_script in = s.script;
    in.session = view_str("another");
    assert_int_equal(vault_sign(w->vault, &in, &script), ERR_AUTH);
    assert_int_equal(vault_settle(w->vault, &in, none, &out), ERR_AUTH);
    in = s.script;
    in.sealed_channel = s.open.keys.key.sealed;
    assert_int_equal(vault_sign(w->vault, &in, &script), ERR_AUTH);
    in.sealed_channel = VIEW_NULL;
    assert_int_equal(vault_sign(w->vault, &in, &script), ERR_AUTH);
    for (size_t i = 0; i < s.sealed_channel.len; i++) {
        s.sealed_channel.data[i] ^= 0x10;
        if (vault_sign(w->vault, &s.script, &script) != ERR_AUTH)
            fail_msg("byte %zu", i);
        s.sealed_channel.data[i] ^= 0x10;
    }
    assert_int_equal(script.len, 0);
    wr_free(&script);
    wr_free(&answers);
    session_finish(&s);
}

static void scripts_that_are_none(void **state)
{
    struct world *w = *state;
    struct session s;
    struct writer script;
    static const struct {
        const char *name, *hex;
    } bad[] = {
        {"empty", ""}, {"cut", "AA0A220880F2"}, {"no command", "AA0322018A"}, {"response", "AB03800100"}};
    session_named(w, &s, REAL);
    wr_heap(&script, SCRIPT_ROOM);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        s.script.plain = vector_hex(bad[i].hex);
        if (vault_sign(w->vault, &s.script, &script) != ERR_FORMAT)
            fail_msg("%s", bad[i].name);
    }
    assert_int_equal(script.len, 0);
    /* A plain script without commands is the EXTERNAL AUTHENTICATE alone. */
    s.count = 0;
    s.script.plain = vector_hex("AA00");
    assert_int_equal(vault_sign(w->vault, &s.script, &script), OK);
    expect_signed(&s, wr_view_of(&script), true, 0);
    wr_free(&script);
    session_finish(&s);
}

/* --- settling --- */

static void every_byte_of_an_answer_is_held_by_its_mac(void **state)
{
    static struct vault_settlement out;
    struct world *w = *state;
    struct session s;
    struct writer memory;
    session_named(w, &s, REAL);
    wr_heap(&memory, SCRIPT_ROOM);
    for (size_t n = 0; n < s.count; n++) {
        uint8_t answer[256];
        struct view good = s.answers[n];
        for (size_t i = 0; i < good.len; i++) {
            struct writer copy;
            wr_fixed(&copy, answer, sizeof(answer));
            wr_view(&copy, good);
            answer[i] ^= 0x01;
            s.answers[n] = wr_view_of(&copy);
            struct view answers = put_answers(&memory, true, s.answers, s.count);
            assert_int_equal(vault_settle(w->vault, &s.script, answers, &out), OK);
            if (!out.forged || out.count != n || out.sealed_channel.len != 0)
                fail_msg("answer %zu, byte %zu", n, i);
            vault_settlement_finish(&out);
        }
        s.answers[n] = good;
    }
    wr_free(&memory);
    session_finish(&s);
}

static const struct {
    const char *name, *hex; /* instead of the second answer */
    bool forged;
    size_t count;
    uint16_t sw;
} answers_without_mac[] = {
    {"a success without its MAC", "9000", true, 1, 0},
    {"data, too short for a MAC", "0102039000", true, 1, 0},
    /* Amendment D 6.2.5: no R-MAC on an error. It is reported, not proven. */
    {"an error", "6A88", false, 2, 0x6A88},
    {"an error with data", "016A88", true, 1, 0},
};

static void answers_that_lack_the_mac(void **state)
{
    static struct vault_settlement out;
    struct world *w = *state;
    struct session s;
    struct writer memory;
    session_named(w, &s, REAL);
    wr_heap(&memory, SCRIPT_ROOM);
    for (size_t i = 0; i < sizeof(answers_without_mac) / sizeof(answers_without_mac[0]); i++) {
        s.answers[1] = vector_hex(answers_without_mac[i].hex);
        struct view answers = put_answers(&memory, true, s.answers, 2);
        assert_int_equal(vault_settle(w->vault, &s.script, answers, &out), OK);
        if (out.forged != answers_without_mac[i].forged || out.count != answers_without_mac[i].count ||
            (out.sealed_channel.len == 0) != out.forged)
            fail_msg("%s", answers_without_mac[i].name);
        if (out.count == 2) {
            assert_int_equal(out.results[1].sw, answers_without_mac[i].sw);
            assert_false(out.results[1].proven);
        }
        vault_settlement_finish(&out);
    }
    wr_free(&memory);
    session_finish(&s);
}

static void a_refused_authentication_ends_the_channel(void **state)
{
    static struct vault_settlement out;
    static const char *const refusals[] = {"6300", "6982", "6A86", "6283"};
    struct world *w = *state;
    struct session s;
    struct writer memory;
    session_named(w, &s, REAL);
    wr_heap(&memory, SCRIPT_ROOM);
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        const struct view answers[] = {vector_hex(refusals[i]), s.answers[0]};
        assert_int_equal(vault_settle(w->vault, &s.script, put_answers(&memory, false, answers, 2), &out),
                         OK);
        assert_true(out.has_authentication);
        if (out.count != 0 || out.sealed_channel.len != 0 || out.forged)
            fail_msg("%s", refusals[i]);
        vault_settlement_finish(&out);
    }
    wr_free(&memory);
    session_finish(&s);
}

static void more_answers_than_commands(void **state)
{
    static struct vault_settlement out;
    struct world *w = *state;
    struct session s;
    struct writer memory;
    session_named(w, &s, REAL);
    wr_heap(&memory, SCRIPT_ROOM);
    s.answers[s.count] = VIEW_OF(sw_ok);
    struct view answers = put_answers(&memory, true, s.answers, s.count + 1);
    assert_int_equal(vault_settle(w->vault, &s.script, answers, &out), ERR_FORMAT);
    assert_int_equal(vault_settle(w->vault, &s.script, vector_hex("AB0380010023"), &out), ERR_FORMAT);
    assert_int_equal(vault_settle(w->vault, &s.script, VIEW_NULL, &out), ERR_FORMAT);
    wr_free(&memory);
    session_finish(&s);
}

/* --- places --- */

static const struct key_attributes data_key = {
    .name = "data", .version = 1, .use = KEY_USE_DERIVE, .type = KEY_AES, .key_len = 16};
static const uint8_t data_key_bytes[16] = {7};

static void derived(struct world *w, struct vault_place *place, uint8_t *out)
{
    struct secret key;
    assert_int_equal(secret_set(&key, VIEW_OF(data_key_bytes)), OK);
    assert_int_equal(key_derive_data(w->crypto, &key, place->label, place->context, out, place->len), OK);
}

/* What is signed with places is what is signed when the derived bytes stand there from the start. */
static void places_are_filled(void **state)
{
    struct world *w = *state;
    struct session s;
    struct writer sealed, plain, got, want;
    uint8_t capdu[25] = {0x80, 0xE2, 0x90, 0x00, 0x14};
    session_named(w, &s, REAL);
    wr_heap(&sealed, SEALED_KEY_MAX);
    wr_heap(&plain, SCRIPT_ROOM);
    import_key(w, &data_key, VIEW_OF(data_key_bytes), &sealed);
    struct vault_place places[] = {
        {1, 2, 8, data_key, wr_view_of(&sealed), view_str("pin"), view_str("kdd")},
        {1, 10, 4, data_key, wr_view_of(&sealed), view_str("puk"), view_str("kdd")},
        {2, 0, 1, data_key, wr_view_of(&sealed), view_str("x"), VIEW_NULL},
    };
    struct view capdus[] = {s.plain[0], VIEW_OF(capdu), VIEW_OF(capdu)};
    put_script(&plain, capdus, 3);
    s.script.plain = wr_view_of(&plain);
    s.script.places = places;
    s.script.place_count = 3;
    sign(w, &s.script, &got);

    uint8_t second[sizeof(capdu)];
    memcpy(second, capdu, sizeof(capdu));
    derived(w, &places[0], second + 5 + 2);
    derived(w, &places[1], second + 5 + 10);
    derived(w, &places[2], capdu + 5);
    capdus[1] = VIEW_OF(second);
    put_script(&plain, capdus, 3);
    s.script.plain = wr_view_of(&plain);
    s.script.place_count = 0;
    sign(w, &s.script, &want);
    assert_true(view_equal(wr_view_of(&got), wr_view_of(&want)));
    wr_free(&got);
    wr_free(&want);
    wr_free(&plain);
    wr_free(&sealed);
    session_finish(&s);
}

static const struct {
    const char *name;
    uint32_t command, offset, len;
    enum key_use use;
    enum err e;
} places_rows[] = {
    {"whole data", 0, 0, 16, KEY_USE_DERIVE, OK},
    {"last byte", 0, 15, 1, KEY_USE_DERIVE, OK},
    {"nothing", 0, 0, 0, KEY_USE_DERIVE, ERR_ARGUMENT},
    {"beyond the data", 0, 0, 17, KEY_USE_DERIVE, ERR_ARGUMENT},
    {"begins beyond the data", 0, 17, 1, KEY_USE_DERIVE, ERR_ARGUMENT},
    {"wraps round", 0, 0xFFFFFFFF, 2, KEY_USE_DERIVE, ERR_ARGUMENT},
    {"length wraps round", 0, 2, 0xFFFFFFFF, KEY_USE_DERIVE, ERR_ARGUMENT},
    {"longer than can be derived", 0, 0, 65, KEY_USE_DERIVE, ERR_ARGUMENT},
    {"no such command", 1, 0, 1, KEY_USE_DERIVE, ERR_ARGUMENT},
    {"a master key", 0, 0, 16, KEY_USE_MASTER, ERR_POLICY},
};

static void places_that_do_not_fit(void **state)
{
    struct world *w = *state;
    struct session s;
    struct writer sealed, plain, out;
    static const uint8_t capdu[21] = {0x80, 0xE2, 0x90, 0x00, 0x10};
    const struct view capdus[] = {VIEW_OF(capdu)};
    session_named(w, &s, REAL);
    wr_heap(&sealed, SEALED_KEY_MAX);
    wr_heap(&plain, SCRIPT_ROOM);
    wr_heap(&out, SCRIPT_ROOM);
    put_script(&plain, capdus, 1);
    import_key(w, &data_key, VIEW_OF(data_key_bytes), &sealed);
    s.script.plain = wr_view_of(&plain);
    for (size_t i = 0; i < sizeof(places_rows) / sizeof(places_rows[0]); i++) {
        struct vault_place place = {
            places_rows[i].command, places_rows[i].offset, places_rows[i].len, data_key,
            wr_view_of(&sealed),    view_str("l"),         VIEW_NULL};
        place.key.use = places_rows[i].use;
        s.script.places = &place;
        s.script.place_count = 1;
        wr_clear(&out);
        enum err e = vault_sign(w->vault, &s.script, &out);
        if (e != places_rows[i].e || (e != OK && out.len != 0))
            fail_msg("%s: %s", places_rows[i].name, err_name(e));
    }
    wr_free(&out);
    wr_free(&plain);
    wr_free(&sealed);
    session_finish(&s);
}

static void places_in_disorder(void **state)
{
    struct world *w = *state;
    struct session s;
    struct writer sealed, out;
    static struct vault_place many[VAULT_PLACES_MAX + 1];
    session_named(w, &s, REAL);
    wr_heap(&sealed, SEALED_KEY_MAX);
    wr_heap(&out, SCRIPT_ROOM);
    import_key(w, &data_key, VIEW_OF(data_key_bytes), &sealed);
    const struct vault_place at0 = {2, 0, 2, data_key, wr_view_of(&sealed), view_str("l"), VIEW_NULL};
    struct vault_place at1 = at0, earlier = at0;
    at1.offset = 1;
    earlier.command = 0;
    const struct vault_place overlapping[] = {at0, at1}, backwards[] = {at1, at0},
                             commands[] = {at0, earlier};
    const struct vault_place *rows[] = {overlapping, backwards, commands};
    s.script.place_count = 2;
    for (size_t i = 0; i < 3; i++) {
        s.script.places = rows[i];
        if (vault_sign(w->vault, &s.script, &out) != ERR_ARGUMENT)
            fail_msg("row %zu", i);
    }
    s.script.places = many;
    s.script.place_count = VAULT_PLACES_MAX + 1;
    assert_int_equal(vault_sign(w->vault, &s.script, &out), ERR_ARGUMENT);
    assert_int_equal(out.len, 0);
    wr_free(&out);
    wr_free(&sealed);
    session_finish(&s);
}

static void derived_data_goes_out_encrypted_or_not_at_all(void **state)
{
    static struct vault_settlement settlement;
    struct world *w = *state;
    struct session s;
    struct writer sealed, out, memory;
    session_named(w, &s, PLAIN_LEVEL);
    wr_heap(&sealed, SEALED_KEY_MAX);
    wr_heap(&out, SCRIPT_ROOM);
    wr_heap(&memory, SCRIPT_ROOM);
    import_key(w, &data_key, VIEW_OF(data_key_bytes), &sealed);
    const struct vault_place place = {2, 0, 2, data_key, wr_view_of(&sealed), view_str("l"), VIEW_NULL};
    s.script.places = &place;
    s.script.place_count = 1;
    assert_int_equal(vault_sign(w->vault, &s.script, &out), ERR_POLICY);
    assert_int_equal(out.len, 0);
    assert_int_equal(vault_settle(w->vault, &s.script, put_answers(&memory, true, NULL, 0), &settlement),
                     ERR_POLICY);
    wr_free(&memory);
    wr_free(&out);
    wr_free(&sealed);
    session_finish(&s);
}

/* --- the same as bytes --- */

static struct view serve(struct world *w, const struct writer *request, struct writer *reply)
{
    assert_true(wr_ok(request));
    wr_clear(reply);
    vault_serve(w->vault, wr_view_of(request), reply);
    assert_true(wr_ok(reply));
    return wr_view_of(reply);
}

/* A request that is cut or has a byte too many is refused, whatever it asks for. */
static void expect_strict(struct world *w, struct writer *request, struct writer *reply)
{
    struct view whole = wr_view_of(request);
    for (size_t cut = 0; cut < whole.len; cut++) {
        wr_clear(reply);
        vault_serve(w->vault, view_head(whole, cut), reply);
        assert_int_equal(reply->len, 1);
        assert_int_not_equal(reply->data[0], OK);
    }
    wr_u8(request, 0);
    (void)serve(w, request, reply);
    assert_int_equal(reply->len, 1);
    assert_int_equal(reply->data[0], ERR_FORMAT);
}

static void a_session_through_the_socket(void **state)
{
    static struct vault_settlement out, again;
    struct world *w = *state;
    struct session s;
    struct writer request, reply, channel, script, direct, answers;
    session_named(w, &s, REAL);
    wr_heap(&request, KEEPER_FRAME_MAX);
    wr_heap(&reply, KEEPER_FRAME_MAX);
    wr_heap(&channel, SEALED_CHANNEL_MAX);
    wr_heap(&script, SCRIPT_ROOM);
    wr_heap(&answers, SCRIPT_ROOM);

    assert_int_equal(vault_put_open(&request, &s.open), OK);
    assert_int_equal(vault_get_open(serve(w, &request, &reply), &channel), OK);
    expect_strict(w, &request, &reply);
    s.script.sealed_channel = wr_view_of(&channel);

    wr_clear(&request);
    assert_int_equal(vault_put_sign(&request, &s.script), OK);
    assert_int_equal(vault_get_sign(serve(w, &request, &reply), &script), OK);
    expect_strict(w, &request, &reply);
    sign(w, &s.script, &direct);
    assert_true(view_equal(wr_view_of(&script), wr_view_of(&direct)));

    wr_clear(&request);
    struct view answered = put_answers(&answers, true, s.answers, s.count);
    assert_int_equal(vault_put_settle(&request, &s.script, answered), OK);
    struct view whole = serve(w, &request, &reply);
    assert_int_equal(vault_get_settle(whole, &out), OK);
    expect_settled(&s, &out, s.count);
    for (size_t cut = 0; cut < whole.len; cut++)
        assert_int_equal(vault_get_settle(view_head(whole, cut), &again), ERR_FORMAT);
    /* Flags are 0 or 1: forged, has authentication, proven. */
    static const size_t flags[] = {1, 2, 5};
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        reply.data[flags[i]] += 2;
        assert_int_equal(vault_get_settle(whole, &again), ERR_FORMAT);
        reply.data[flags[i]] -= 2;
    }
    expect_strict(w, &request, &reply);

    vault_settlement_finish(&out);
    wr_free(&direct);
    wr_free(&answers);
    wr_free(&script);
    wr_free(&channel);
    wr_free(&reply);
    wr_free(&request);
    session_finish(&s);
}

static void places_through_the_socket(void **state)
{
    struct world *w = *state;
    struct session s;
    struct writer request, reply, script, direct, sealed;
    session_named(w, &s, REAL);
    wr_heap(&request, KEEPER_FRAME_MAX);
    wr_heap(&reply, KEEPER_FRAME_MAX);
    wr_heap(&script, SCRIPT_ROOM);
    wr_heap(&sealed, SEALED_KEY_MAX);
    import_key(w, &data_key, VIEW_OF(data_key_bytes), &sealed);
    const struct vault_place place = {2, 1, 3, data_key, wr_view_of(&sealed), view_str("l"), view_str("c")};
    s.script.places = &place;
    s.script.place_count = 1;
    assert_int_equal(vault_put_sign(&request, &s.script), OK);
    assert_int_equal(vault_get_sign(serve(w, &request, &reply), &script), OK);
    sign(w, &s.script, &direct);
    assert_true(view_equal(wr_view_of(&script), wr_view_of(&direct)));
    expect_strict(w, &request, &reply);
    wr_clear(&request);
    s.script.place_count = VAULT_PLACES_MAX + 1;
    assert_int_equal(vault_put_sign(&request, &s.script), ERR_LIMIT);
    wr_free(&sealed);
    wr_free(&direct);
    wr_free(&script);
    wr_free(&reply);
    wr_free(&request);
    session_finish(&s);
}

static void keys_through_the_socket(void **state)
{
    struct world *w = *state;
    uint8_t key[32], got[32], kcv[3][3], memory[256];
    struct writer request, reply, wrapped, sealed;
    struct secret keys;
    wr_heap(&request, KEEPER_FRAME_MAX);
    wr_heap(&reply, KEEPER_FRAME_MAX);
    wr_heap(&sealed, SEALED_KEY_MAX);
    wr_fixed(&wrapped, memory, sizeof(memory));
    vault_import_key(w->vault, key);
    assert_int_equal(vault_put_info(&request), OK);
    struct view info = serve(w, &request, &reply);
    assert_int_equal(vault_get_info(info, got), OK);
    assert_memory_equal(got, key, sizeof(key));
    assert_int_equal(vault_get_info(view_head(info, info.len - 1), got), ERR_FORMAT);
    expect_strict(w, &request, &reply);

    assert_int_equal(secret_set(&keys, VIEW_OF(data_key_bytes)), OK);
    assert_int_equal(
        vault_wrap_for_import(w->crypto, crypto_random(), key, &data_key, secret_view(&keys), &wrapped), OK);
    wr_clear(&request);
    assert_int_equal(vault_put_import(&request, &data_key, wr_view_of(&wrapped)), OK);
    struct view whole = serve(w, &request, &reply);
    assert_int_equal(vault_get_import(whole, &sealed, kcv), OK);
    assert_int_equal(unseal_secret(w->vault, &data_key, wr_view_of(&sealed), &keys), OK);
    assert_true(view_equal(secret_view(&keys), VIEW_OF(data_key_bytes)));
    for (size_t cut = 0; cut < whole.len; cut++)
        assert_int_equal(vault_get_import(view_head(whole, cut), &sealed, kcv), ERR_FORMAT);
    expect_strict(w, &request, &reply);
    wr_free(&sealed);
    wr_free(&reply);
    wr_free(&request);
}

/* What is wrong comes back as the operation's own outcome. */
static void outcomes_come_back(void **state)
{
    struct world *w = *state;
    struct session s;
    struct writer request, reply, channel;
    session_named(w, &s, REAL);
    wr_heap(&request, KEEPER_FRAME_MAX);
    wr_heap(&reply, KEEPER_FRAME_MAX);
    wr_heap(&channel, SEALED_CHANNEL_MAX);
    s.open.keys.kdf = KDF_COUNT;
    assert_int_equal(vault_put_open(&request, &s.open), OK);
    assert_int_equal(vault_get_open(serve(w, &request, &reply), &channel), ERR_FORMAT);
    wr_clear(&request);
    s.open.keys.kdf = KDF_NONE;
    s.open.keys.key.attributes.version = 9;
    assert_int_equal(vault_put_open(&request, &s.open), OK);
    assert_int_equal(vault_get_open(serve(w, &request, &reply), &channel), ERR_CONFLICT);

    static const struct {
        const char *name, *hex;
        enum err e;
    } rows[] = {{"an operation that is none", "07", ERR_UNSUPPORTED}, {"nothing", "", ERR_FORMAT}};
    for (size_t i = 0; i < 2; i++) {
        wr_clear(&reply);
        vault_serve(w->vault, vector_hex(rows[i].hex), &reply);
        if (vault_get_open(wr_view_of(&reply), &channel) != rows[i].e)
            fail_msg("%s", rows[i].name);
    }
    const char *bad_replies[] = {"", "FF", "0900", "00", "000000", "000001AABB"};
    for (size_t i = 0; i < sizeof(bad_replies) / sizeof(bad_replies[0]); i++) {
        if (vault_get_open(vector_hex(bad_replies[i]), &channel) != ERR_FORMAT)
            fail_msg("reply %s", bad_replies[i]);
    }
    uint8_t kcv[3][3];
    assert_int_equal(vault_get_import(vector_hex("000000000000000000000000"), &channel, kcv), ERR_FORMAT);
    assert_int_equal(vault_get_sign(vector_hex("00"), &channel), ERR_FORMAT);
    assert_int_equal(channel.len, 0);
    wr_free(&channel);
    wr_free(&reply);
    wr_free(&request);
    session_finish(&s);
}

static void a_request_leaves_no_key_behind(void **state)
{
    struct world *w = *state;
    uint8_t block[AES_BLOCK] = {0}, key[16] = {0};
    struct writer request, reply;
    wr_heap(&request, 64);
    wr_heap(&reply, 64);
    assert_int_equal(vault_put_info(&request), OK);
    /* A run stands for any context that holds a key: forgetting ends it. */
    assert_int_equal(crypto_aes_run_begin(w->crypto, VIEW_OF(key), block), OK);
    vault_serve(w->vault, wr_view_of(&request), &reply);
    assert_int_equal(crypto_aes_run_update(w->crypto, VIEW_OF(block), block), ERR_STATE);
    wr_free(&request);
    wr_free(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_sessions),
        cmocka_unit_test(keys_that_are_derived),
        cmocka_unit_test(the_channel_goes_on_behind_the_last_answer),
        cmocka_unit_test(no_answer_at_all_leaves_the_channel_new),
        cmocka_unit_test(signing_again_gives_the_same),
        cmocka_unit_test(a_wrong_cryptogram_opens_nothing),
        cmocka_unit_test(another_host_challenge_opens_nothing),
        cmocka_unit_test(what_the_front_may_not_ask_for),
        cmocka_unit_test(a_card_s_own_key),
        cmocka_unit_test(a_sealed_channel_belongs_to_its_session),
        cmocka_unit_test(scripts_that_are_none),
        cmocka_unit_test(every_byte_of_an_answer_is_held_by_its_mac),
        cmocka_unit_test(answers_that_lack_the_mac),
        cmocka_unit_test(a_refused_authentication_ends_the_channel),
        cmocka_unit_test(more_answers_than_commands),
        cmocka_unit_test(places_are_filled),
        cmocka_unit_test(places_that_do_not_fit),
        cmocka_unit_test(places_in_disorder),
        cmocka_unit_test(derived_data_goes_out_encrypted_or_not_at_all),
        cmocka_unit_test(a_session_through_the_socket),
        cmocka_unit_test(a_request_leaves_no_key_behind),
        cmocka_unit_test(places_through_the_socket),
        cmocka_unit_test(keys_through_the_socket),
        cmocka_unit_test(outcomes_come_back),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
