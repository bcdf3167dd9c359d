/* SPDX-License-Identifier: Apache-2.0
 *
 * Published and recomputed sessions of SCP01, SCP02 and SCP03: session keys, cryptograms, EXTERNAL
 * AUTHENTICATE, each wrapped command and each unwrapped answer, byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <base/text.h>
#include <support/vectors.h>

#include "channel_internal.h"

enum { TEXT_MAX = 2 * CAPDU_MAX + 1 };

struct tally {
    size_t sessions, authentications, commands, answers, proven;
};

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

static void expect_bytes(const char *id, const char *what, size_t n, struct view got, struct view want)
{
    static char a[TEXT_MAX], b[TEXT_MAX];
    if (view_equal(got, want))
        return;
    hex_write(a, got);
    hex_write(b, want);
    fail_msg("%s: %s %zu:\n got %s\nwant %s", id, what, n, a, b);
}

static struct view without_status(struct view v)
{
    return view_head(v, v.len - 2);
}

static void set_key(struct secret *s, const json_t *keys, const char *name)
{
    assert_int_equal(secret_set(s, vector_bytes(keys, name)), OK);
}

static struct card_keys card_keys(const json_t *row, enum key_type type)
{
    struct card_keys k = {.type = type};
    const json_t *keys = json_object_get(row, "static_keys");
    set_key(&k.enc, keys, "enc");
    set_key(&k.mac, keys, "mac");
    set_key(&k.dek, keys, "dek");
    return k;
}

/* What the source sent, else what was computed for it. */
static const json_t *authentication(const json_t *row)
{
    const json_t *sent = json_object_get(row, "external_authenticate");
    return vector_has(row, "external_authenticate") ? sent
                                                    : json_object_get(row, "external_authenticate_computed");
}

static uint8_t level_of(const json_t *row)
{
    struct view v = vector_bytes(authentication(row), "security_level");
    return v.len == 1 ? v.data[0] : 0;
}

/* The i of the session. Sources before R-MAC had its bit used it with any i: the row of ours with the same
 * bytes has the bit set. */
static const struct channel_method *method_of(const json_t *row, uint8_t scp)
{
    const char *text = vector_text(row, "i");
    const json_t *compatible = json_object_get(row, "i_compatible");
    if (text == NULL && scp == SCP01)
        return channel_method(scp, 0x05); /* no command behind EXTERNAL AUTHENTICATE: both do the same */
    if (text == NULL) {
        size_t index;
        json_t *value;
        json_array_foreach(compatible, index, value)
        {
            struct view v = vector_hex(json_string_value(value));
            if (channel_method(scp, v.data[0]) != NULL)
                return channel_method(scp, v.data[0]);
        }
        return NULL;
    }
    uint8_t i = vector_hex(text).data[0];
    if (scp == 2 && (level_of(row) & LEVEL_R_MAC) != 0)
        i |= 0x20;
    return channel_method(scp, i);
}

static void check_keys(const char *id, const struct channel *ch, const json_t *row)
{
    const json_t *keys = json_object_get(row, "session_keys");
    expect_bytes(id, "S-ENC", 0, secret_view(&ch->enc), vector_bytes(keys, "enc"));
    expect_bytes(id, "S-MAC", 0, secret_view(&ch->mac), vector_bytes(keys, "mac"));
    if (ch->method->response_mac)
        expect_bytes(id, "S-RMAC", 0, secret_view(&ch->rmac), vector_bytes(keys, "rmac"));
    expect_bytes(id, "DEK", 0, secret_view(&ch->dek), vector_bytes(keys, "dek"));
    expect_bytes(id, "host cryptogram", 0, view_of(ch->host_cryptogram, ch->host_cryptogram_len),
                 vector_bytes(row, "host_cryptogram"));
}

static void wrap_one(const char *id, size_t n, struct channel *ch, struct crypto *c, struct view plain,
                     struct view want)
{
    struct apdu command, wrapped;
    struct writer storage, out;
    assert_int_equal(apdu_parse(plain, &command), OK);
    wr_heap(&storage, channel_wrapped_max(&command, 1));
    wr_heap(&out, CAPDU_MAX);
    enum err e = channel_wrap(ch, c, &command, 1, &wrapped, &storage);
    if (e != OK)
        fail_msg("%s: command %zu: %s", id, n, err_name(e));
    apdu_put(&out, &wrapped);
    expect_bytes(id, "command", n, wr_view_of(&out), want);
    wr_free(&storage);
    wr_free(&out);
}

static void unwrap_one(const char *id, size_t n, struct channel *ch, struct crypto *c, struct view answer,
                       struct view want, struct tally *t)
{
    struct writer out;
    uint16_t sw = 0;
    bool proven = false;
    wr_heap(&out, RAPDU_MAX);
    enum err e = channel_unwrap(ch, c, answer, &out, &sw, &proven);
    if (e != OK)
        fail_msg("%s: answer %zu: %s", id, n, err_name(e));
    wr_u16(&out, sw);
    expect_bytes(id, "answer", n, wr_view_of(&out), want);
    t->answers++;
    t->proven += proven;
    wr_free(&out);
}

/* The host of this session encrypted a data field that was not there, against Amendment D 6.2.6; its card
 * took it. Ours does not. */
static bool breaks_the_rules(const char *id)
{
    return strcmp(id, "yubico-net-scp03-1") == 0;
}

static void run_exchanges(const char *id, struct channel *ch, struct crypto *c, const json_t *row,
                          struct tally *t)
{
    size_t n;
    json_t *exchange;
    json_array_foreach(json_object_get(row, "exchanges"), n, exchange)
    {
        const char *wrapped = vector_has(exchange, "c") ? "c" : "c_computed";
        if (!vector_has(exchange, "plain") || breaks_the_rules(id))
            break;
        wrap_one(id, n, ch, c, vector_bytes(exchange, "plain"), vector_bytes(exchange, wrapped));
        t->commands++;
        if (!vector_has(exchange, "r"))
            continue;
        struct view answer = vector_bytes(exchange, "r");
        bool bare = !vector_has(exchange, "r_plain");
        unwrap_one(id, n, ch, c, answer, bare ? answer : vector_bytes(exchange, "r_plain"), t);
    }
}

static void authenticate(const char *id, struct channel *ch, struct crypto *c, const json_t *row,
                         struct tally *t)
{
    uint8_t ok[] = {0x90, 0x00};
    struct writer out;
    uint16_t sw;
    bool proven;
    wr_heap(&out, CAPDU_MAX);
    assert_int_equal(channel_external_authenticate(ch, c, &out), OK);
    struct view want = vector_bytes(authentication(row), "command");
    expect_bytes(id, "EXTERNAL AUTHENTICATE", 0, view_head(wr_view_of(&out), 5 + 2u * ch->tag_len),
                 view_head(want, 5 + 2u * ch->tag_len));
    wr_clear(&out);
    assert_int_equal(channel_unwrap(ch, c, VIEW_OF(ok), &out, &sw, &proven), OK);
    assert_false(proven);
    wr_free(&out);
    t->authentications++;
}

/* The card only says its counter, and everything begins with the first command. */
static void run_implicit(struct crypto *c, const json_t *row, const struct channel_method *m, struct tally *t)
{
    const char *id = vector_text(row, "id");
    struct card_keys card = card_keys(row, m->key_type);
    const struct channel_keys keys = {.card = &card};
    const struct channel_request request = {
        .method = m, .level = LEVEL_C_MAC, .aid = vector_bytes(row, "selected_aid")};
    uint8_t memory[4] = {0xC1, 0x02};
    struct channel_opening opening;
    struct channel *ch = NULL;
    memcpy(memory + 2, vector_bytes(row, "sequence_counter").data, 2);
    const struct rapdu answer = {VIEW_OF(memory), SW_OK};
    assert_int_equal(channel_begin(&opening, c, crypto_random(), &request, &keys), OK);
    assert_int_equal(channel_accept(&ch, c, &opening, &keys, &answer, 1), OK);
    const json_t *session = json_object_get(row, "session_keys");
    expect_bytes(id, "S-MAC", 0, secret_view(&ch->mac), vector_bytes(session, "mac"));
    expect_bytes(id, "first ICV", 0, view_of(ch->chain, DES_BLOCK), vector_bytes(row, "initial_icv"));
    run_exchanges(id, ch, c, row, t);
    channel_opening_finish(&opening);
    channel_free(&ch);
    card_keys_wipe(&card);
    t->sessions++;
}

static void run_session(struct crypto *c, const json_t *row, const struct channel_method *m, struct tally *t)
{
    const char *id = vector_text(row, "id");
    struct card_keys keys = card_keys(row, m->key_type);
    struct init_update iu;
    struct channel *ch = NULL;
    uint8_t level = level_of(row);
    bool whole = channel_level_ok(m, level); /* else only keys and cryptograms can be compared */
    struct view host = vector_bytes(row, "host_challenge");
    if (init_update_parse(without_status(vector_bytes(row, "init_update_response")), &iu) != OK)
        fail_msg("%s: INITIALIZE UPDATE", id);
    enum err e = channel_open(&ch, c, m, &keys, host, &iu, whole ? level : LEVEL_C_MAC);
    if (e != OK)
        fail_msg("%s: open: %s", id, err_name(e));
    check_keys(id, ch, row);
    if (whole) {
        authenticate(id, ch, c, row, t);
        run_exchanges(id, ch, c, row, t);
    }
    channel_free(&ch);
    card_keys_wipe(&keys);
    t->sessions++;
}

static struct tally run_file(struct crypto *c, const char *path, uint8_t scp)
{
    struct tally t = {0};
    size_t index;
    json_t *row;
    json_array_foreach(vectors_load(path), index, row)
    {
        const struct channel_method *m = method_of(row, scp);
        if (m != NULL)
            (m->authenticates ? run_session : run_implicit)(c, row, m, &t);
    }
    return t;
}

static void scp01_sessions(void **state)
{
    struct tally t = run_file(*state, "vectors/scp01.json", 1);
    assert_int_equal(t.sessions, 9);
    assert_int_equal(t.authentications, 7);
    assert_int_equal(t.commands, 22);
    assert_int_equal(t.answers, 7);
    assert_int_equal(t.proven, 0);
}

static void scp02_sessions(void **state)
{
    struct tally t = run_file(*state, "vectors/scp02.json", 2);
    assert_int_equal(t.sessions, 49);
    assert_int_equal(t.authentications, 34);
    assert_int_equal(t.commands, 213);
    assert_int_equal(t.answers, 144);
    assert_int_equal(t.proven, 6);
}

static void scp03_sessions(void **state)
{
    struct tally t = run_file(*state, "vectors/scp03.json", 3);
    assert_int_equal(t.sessions, 65);
    assert_int_equal(t.authentications, 64);
    assert_int_equal(t.commands, 245);
    assert_int_equal(t.answers, 151);
    assert_int_equal(t.proven, 129);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(scp01_sessions), cmocka_unit_test(scp02_sessions),
                                       cmocka_unit_test(scp03_sessions)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
