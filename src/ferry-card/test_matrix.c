/* SPDX-License-Identifier: Apache-2.0
 *
 * Every channel that this card has with symmetric keys, from its own table: each i at each level with each
 * length of keys. Commands of many lengths, short, extended and in parts, take effect; a command of which one
 * byte was changed, or that comes again, is refused. */
#include "testing/conversation.h"

struct cell {
    const struct card_channel_ops *ops;
    uint8_t i, level;
    size_t key_len;
    char name[48];
};

static void set_keys(const struct cell *c, struct card_static_keys *keys)
{
    struct secret *const all[] = {&keys->enc, &keys->mac, &keys->dek};
    for (size_t n = 0; n < 3; n++) {
        all[n]->len = c->key_len;
        for (size_t k = 0; k < c->key_len; k++)
            all[n]->data[k] = (uint8_t)(0x10 * (n + 1) + k);
    }
}

static bool takes_keys(const struct cell *c)
{
    static const uint8_t challenge[CARD_CHALLENGE_MAX];
    struct card_static_keys keys = {0};
    struct card_channel ch = {0};
    uint8_t cryptogram[CARD_CRYPTOGRAM_MAX];
    set_keys(c, &keys);
    enum err e = c->ops->open(crypto, &keys, c->i, 0, view_of(challenge, c->ops->host_challenge_len(c->i)),
                              view_of(challenge, c->ops->card_challenge_len(c->i)), &ch, cryptogram);
    card_channel_finish(&ch);
    return e == OK;
}

typedef void visitor(const struct cell *c);

static size_t visit_levels(struct cell c, visitor *visit)
{
    size_t count = 0;
    for (unsigned level = 0; level < 0x100; level++) {
        c.level = (uint8_t)level;
        if (!c.ops->allows_level(c.i, c.level))
            continue;
        snprintf(c.name, sizeof c.name, "SCP%02X i=%02X level %02X, %zu bits", c.ops->scp, c.i, c.level,
                 c.key_len * 8);
        visit(&c);
        count++;
    }
    return count;
}

static void visit_all(visitor *visit, size_t least)
{
    static const size_t lens[] = {8, 16, 24, 32};
    size_t rows, count = 0;
    const struct card_channel_ops *const *ops = card_channel_rows(&rows);
    for (size_t r = 0; r < rows; r++) {
        for (unsigned i = 0; i < 0x100 && ops[r]->open != NULL; i++) {
            for (size_t l = 0; l < 4 && ops[r]->knows_i((uint8_t)i); l++) {
                struct cell c = {.ops = ops[r], .i = (uint8_t)i, .key_len = lens[l]};
                if (takes_keys(&c))
                    count += visit_levels(c, visit);
            }
        }
    }
    assert_true(count >= least); /* so that a row that goes missing is noticed */
}

/* A card with these keys, and a session at this level. */
static void start(const struct cell *c)
{
    new_card("modern", 0xFF);
    struct card_keyset *k = &h->card.state.keysets[0];
    struct card_static_keys keys = {0};
    set_keys(c, &keys);
    k->scp = c->ops->scp;
    k->i = c->i;
    k->enc = keys.enc;
    k->mac = keys.mac;
    k->dek = keys.dek;
    bool implicit = c->ops->implicit != NULL && c->ops->implicit(c->i);
    if (implicit)
        assert_int_equal(host_begin_implicit(h), OK);
    else if (host_open(h, 0, c->level) != SW_OK)
        fail_msg("%s: %04X", c->name, h->sw);
}

/* STORE DATA of one object, so many bytes long. */
static uint16_t store(size_t len)
{
    static const uint8_t header[] = {0x80, 0xE2, 0x90, 0x00};
    uint8_t value[256], memory[300];
    struct writer w;
    for (size_t n = 0; n < len; n++)
        value[n] = (uint8_t)(n + len);
    wr_fixed(&w, memory, sizeof memory);
    tlv_put(&w, 0x45, view_of(value, len));
    return host_secure(h, VIEW_OF(header), wr_view_of(&w));
}

static void stored(const struct cell *c, size_t len)
{
    if (store(len) != SW_OK)
        fail_msg("%s: %zu bytes: %04X", c->name, len, h->sw);
    const struct card_object *o = card_find_object(&h->card.state, VIEW_NULL, 0x45);
    assert_non_null(o);
    if (o->len != len || o->data[len - 1] != (uint8_t)(2 * len - 1))
        fail_msg("%s: %zu bytes are not what came", c->name, len);
}

/* SCP01 tells the length of encrypted data in one byte. */
static bool is_short(const struct cell *c)
{
    return c->ops->scp == 0x01 && (c->level & CARD_LEVEL_C_DECRYPTION);
}

/* The DES protocols MAC the length of what is not yet encrypted or not yet MACed: where the difference makes
 * an extended command of a short one a host sends parts (GPCS 2.3.1 11.1.5.1), and here it stays short. */
static size_t longest(const struct cell *c)
{
    if (c->ops->scp == 0x03)
        return 250;
    return c->level & CARD_LEVEL_C_DECRYPTION ? 236 : 244;
}

/* LOAD is the command that may be long. */
static void long_command(const struct cell *c, enum chain_kind chain)
{
    static const uint8_t header[] = {0x80, 0xE8, 0x00, 0x00};
    uint8_t block[700] = {0xC4, 0x82, 0xFF, 0xFF};
    h->chain = CHAIN_NONE;
    assert_int_equal(install_for_load(vector_hex("F000000001"), VIEW_NULL), SW_OK);
    h->chain = chain;
    h->part = 255;
    if (host_secure(h, VIEW_OF(header), view_of(block, is_short(c) ? 230 : sizeof block)) != SW_OK)
        fail_msg("%s: a long command, chain %d: %04X", c->name, (int)chain, h->sw);
}

static void every_length(const struct cell *c)
{
    static const size_t from[] = {1, 120, 215}, to[] = {20, 132, 250};
    start(c);
    for (size_t r = 0; r < 3; r++) {
        for (size_t len = from[r]; len <= to[r] && len <= longest(c); len++)
            stored(c, len);
    }
    long_command(c, CHAIN_NONE);
    long_command(c, CHAIN_ISO);
    h->chain = CHAIN_ISO;
    h->part = 7;
    stored(c, 100);
    h->chain = CHAIN_GP;
    h->part = 9;
    if (install_for_load(vector_hex("F000000001"), VIEW_NULL) != SW_OK)
        fail_msg("%s: INSTALL in parts: %04X", c->name, h->sw);
    end_card();
}

static void commands_of_every_length_are_taken(void **state)
{
    (void)state;
    visit_all(every_length, 240);
}

/* ---- what was changed ---- */

static bool accepted(const struct cell *c, struct view command)
{
    struct card_channel ch = h->card.now->session.channel;
    struct apdu a;
    struct writer plain;
    if (apdu_parse(command, &a) != OK)
        return false;
    wr_heap(&plain, CAPDU_MAX);
    uint16_t sw = c->ops->unwrap(crypto, &ch, &a, &plain);
    wr_free(&plain);
    return sw == SW_OK && (ch.level & CARD_LEVEL_C_MAC);
}

static void change_every_byte(const struct cell *c)
{
    static const uint8_t masks[] = {0x01, 0x80, 0xFF};
    struct view held = wr_view_of(&h->held);
    uint8_t bytes[300];
    assert_true(held.len <= sizeof bytes);
    assert_true(accepted(c, held));
    for (size_t at = 0; at < held.len; at++) {
        for (size_t m = at == 0 ? 1 : 0; m < sizeof masks; m++) { /* the channel's number is not MACed */
            memcpy(bytes, held.data, held.len);
            bytes[at] ^= masks[m];
            if (accepted(c, view_of(bytes, held.len)))
                fail_msg("%s: byte %zu ^ %02X was accepted", c->name, at, masks[m]);
        }
    }
}

static void tamper(const struct cell *c)
{
    if (!(c->level & CARD_LEVEL_C_MAC))
        return;
    start(c);
    assert_int_equal(store(5), SW_OK);
    h->hold = true;
    assert_int_equal(store(21), SW_OK);
    h->hold = false;
    change_every_byte(c);
    assert_int_equal(host_send(h, wr_view_of(&h->held)), SW_OK);
    if (host_send(h, wr_view_of(&h->held)) == SW_OK)
        fail_msg("%s: the same command again was accepted", c->name);
    end_card();
}

static void changed_commands_are_refused(void **state)
{
    (void)state;
    visit_all(tamper, 240);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_of_every_length_are_taken),
        cmocka_unit_test(changed_commands_are_refused),
    };
    return cmocka_run_group_tests(tests, conversation_setup, conversation_teardown);
}
