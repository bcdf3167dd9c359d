/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers: response MACs of every row and level against a card side written straight from the specifications,
 * and answers that were tampered with. */
#include "test_support.h"

enum { STORAGE_MAX = 70000 };

static int setup(void **state)
{
    return crypto_new((struct crypto **)state) == OK ? 0 : -1;
}

static int teardown(void **state)
{
    crypto_free((struct crypto **)state);
    return 0;
}

/* The card's side of an answer, as the specifications have it. */
struct card {
    struct secret enc, rmac;
    uint8_t chain[AES_BLOCK]; /* SCP03: MAC chaining value; SCP02: last R-MAC */
    uint32_t counter;
    size_t tag_len;
    bool encrypt;
};

static struct card card_of(const struct channel *ch)
{
    struct card card = {.enc = ch->enc,
                        .rmac = ch->rmac,
                        .tag_len = ch->tag_len,
                        .encrypt = (ch->level & LEVEL_R_ENCRYPTION) != 0};
    memcpy(card.chain, ch->method->scp == SCP02 ? ch->response.chain : ch->chain, ch->method->ops->chain_len);
    return card;
}

static void card_scp03(struct card *card, struct crypto *c, struct view data, uint16_t sw, struct writer *out)
{
    uint8_t icv[AES_BLOCK] = {0x80}, mac[CMAC_LEN];
    const uint8_t status[] = {(uint8_t)(sw >> 8), (uint8_t)sw};
    wr_view(out, data);
    if (card->encrypt && data.len > 0) {
        channel_pad(out, AES_BLOCK);
        icv[15] = (uint8_t)card->counter;
        assert_int_equal(crypto_aes_ecb_encrypt(c, secret_view(&card->enc), VIEW_OF(icv), icv), OK);
        assert_int_equal(crypto_aes_cbc_encrypt(c, secret_view(&card->enc), icv, wr_view_of(out), out->data),
                         OK);
    }
    const struct view parts[] = {VIEW_OF(card->chain), wr_view_of(out), VIEW_OF(status)};
    assert_int_equal(crypto_cmac(c, secret_view(&card->rmac), parts, 3, mac), OK);
    wr_bytes(out, mac, card->tag_len);
    wr_u16(out, sw);
}

/* Only moves the chain when the answer carries none. */
static void r_mac(struct card *card, struct crypto *c, const struct apdu *command, struct view data,
                  uint16_t sw)
{
    struct writer w;
    wr_heap(&w, STORAGE_MAX);
    wr_u8(&w, command->cla);
    wr_u8(&w, command->ins);
    wr_u8(&w, command->p1);
    wr_u8(&w, command->p2);
    wr_view8(&w, command->data);
    wr_u8(&w, (uint8_t)data.len);
    wr_view(&w, data);
    wr_u16(&w, sw);
    channel_pad(&w, DES_BLOCK);
    assert_int_equal(crypto_mac_retail(c, secret_view(&card->rmac), card->chain, wr_view_of(&w), card->chain),
                     OK);
    wr_free(&w);
}

static void card_scp02(struct card *card, struct crypto *c, const struct apdu *command, struct view data,
                       uint16_t sw, struct writer *out)
{
    r_mac(card, c, command, data, sw);
    wr_view(out, data);
    wr_bytes(out, card->chain, MAC_LEN);
    wr_u16(out, sw);
}

static void card_answers(struct card *card, struct crypto *c, const struct channel *ch,
                         const struct apdu *command, struct view data, uint16_t sw, struct writer *answer)
{
    wr_clear(answer);
    if (ch->method->scp == SCP02) {
        card_scp02(card, c, command, data, sw, answer);
        return;
    }
    memcpy(card->chain, ch->chain, AES_BLOCK);
    card->counter = ch->counter;
    card_scp03(card, c, data, sw, answer);
}

static bool has_r_macs(const struct opened *o)
{
    return (o->level & LEVEL_R_MAC) != 0;
}

/* Commands and answers of all lengths, with success and warnings; SCP02 with errors too, with and without
 * their R-MAC. */
static const uint16_t words[] = {0x9000, 0x6283, 0x6310, 0x9000};

static void answers(struct crypto *c, const struct opened *o)
{
    static uint8_t bytes[1200];
    if (!has_r_macs(o))
        return;
    struct channel *ch = open_ready(c, o);
    struct card card = card_of(ch);
    struct writer wire, out, answer;
    wr_heap(&wire, STORAGE_MAX);
    wr_heap(&out, STORAGE_MAX);
    wr_heap(&answer, STORAGE_MAX);
    for (size_t n = 0; n < 200; n++) {
        struct apdu command = {.cla = 0x80, .ins = 0xCA, .p1 = (uint8_t)n, .data = view_of(bytes, n)};
        struct view data = view_of(bytes, n < 100 ? n : n * 6);
        uint16_t sw = words[n % COUNT(words)], got = 0;
        bool proven = false, refused = o->method->scp == SCP02 && n % 7 == 3, kept_back = refused && n % 2;
        bytes[n] = (uint8_t)(n * 3);
        if (refused) {
            data.len = 0;
            sw = 0x6985;
        }
        wr_clear(&wire);
        assert_int_equal(wrap_bytes(ch, c, &command, &wire), OK);
        card_answers(&card, c, ch, &command, data, sw, &answer);
        if (kept_back) {
            wr_clear(&answer);
            wr_u16(&answer, sw);
        }
        enum err e = unwrap(ch, c, wr_view_of(&answer), &out, &got, &proven);
        if (e != OK || got != sw || proven == kept_back || !view_equal(wr_view_of(&out), data))
            fail_msg("%s answer %zu: %s", o->name, n, err_name(e));
    }
    wr_free(&wire);
    wr_free(&out);
    wr_free(&answer);
    channel_free(&ch);
}

static void answers_of_a_card(void **state)
{
    for_all(*state, answers);
}

/* An answer to one command of a fresh channel, ready to be tampered with. */
static struct channel *one_answer(struct crypto *c, const struct opened *o, uint16_t sw,
                                  struct writer *answer)
{
    static const uint8_t data[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    const struct apdu command = {.cla = 0x80, .ins = 0xF2, .data = view_of(data, 3)};
    struct channel *ch = open_ready(c, o);
    struct card card = card_of(ch);
    struct writer wire;
    wr_heap(&wire, STORAGE_MAX);
    assert_int_equal(wrap_bytes(ch, c, &command, &wire), OK);
    wr_free(&wire);
    card_answers(&card, c, ch, &command, VIEW_OF(data), sw, answer);
    return ch;
}

static void expect_forged(struct channel *ch, struct crypto *c, struct view answer, const char *what,
                          size_t n)
{
    struct channel *copy = NULL;
    struct writer out;
    uint16_t sw = 0x1234;
    bool proven = false;
    wr_heap(&out, STORAGE_MAX);
    assert_int_equal(channel_copy(&copy, ch), OK);
    enum err e = channel_unwrap(copy, c, answer, &out, &sw, &proven);
    if (e != ERR_AUTH || out.len != 0 || sw != 0x1234 || proven)
        fail_msg("%s %zu: %s", what, n, err_name(e));
    assert_int_equal(channel_unwrap(copy, c, answer, &out, &sw, &proven), ERR_STATE);
    channel_free(&copy);
    wr_free(&out);
}

static void tamper(struct crypto *c, const struct opened *o)
{
    if (!has_r_macs(o))
        return;
    struct writer answer, out;
    uint16_t sw;
    bool proven = false;
    wr_heap(&answer, STORAGE_MAX);
    wr_heap(&out, STORAGE_MAX);
    struct channel *ch = one_answer(c, o, 0x9000, &answer);
    /* Every bit; but a status word that turns into an error one has to have no data. */
    for (size_t bit = 0; bit < 8 * answer.len; bit++) {
        answer.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        expect_forged(ch, c, wr_view_of(&answer), "bit", bit);
        answer.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t len = 0; len + 2 < answer.len; len++) { /* data cut from behind and from before */
        struct writer cut;
        wr_heap(&cut, STORAGE_MAX);
        wr_view(&cut, view_head(wr_view_of(&answer), len));
        wr_u16(&cut, 0x9000);
        expect_forged(ch, c, wr_view_of(&cut), "cut to", len);
        wr_free(&cut);
        if (len > 0)
            expect_forged(ch, c, view_tail(wr_view_of(&answer), len), "cut by", len);
    }
    assert_int_equal(unwrap(ch, c, wr_view_of(&answer), &out, &sw, &proven), OK);
    assert_true(proven);
    wr_free(&answer);
    wr_free(&out);
    channel_free(&ch);
}

static void tampered_answers(void **state)
{
    for_all(*state, tamper);
}

/* Amendment D 6.2.5: an error status word comes alone and proves nothing. */
static void errors_of_scp03(void **state)
{
    struct crypto *c = *state;
    static const uint8_t error[] = {0x69, 0x85}, with_data[] = {0x00, 0x69, 0x85}, more[] = {0x61, 0x10};
    struct writer answer, out;
    uint16_t sw = 0;
    bool proven = true;
    wr_heap(&answer, STORAGE_MAX);
    wr_heap(&out, STORAGE_MAX);
    struct opened o = one(SCP03, 0x70, 0x33);
    struct channel *ch = one_answer(c, &o, 0x9000, &answer);
    expect_forged(ch, c, VIEW_OF(with_data), "data with an error", 0);
    assert_int_equal(unwrap(ch, c, VIEW_OF(more), &out, &sw, &proven), OK);
    assert_false(proven);
    proven = true;
    assert_int_equal(unwrap(ch, c, VIEW_OF(error), &out, &sw, &proven), OK);
    assert_int_equal(sw, 0x6985);
    assert_false(proven);
    wr_free(&answer);
    wr_free(&out);
    channel_free(&ch);
}

/* GPCS 2.3.1 E.4.5: an error status word has no data, even when there is a MAC over it. */
static void errors_of_scp02(void **state)
{
    struct writer answer;
    wr_heap(&answer, STORAGE_MAX);
    struct opened o = one(SCP02, 0x75, 0x11);
    struct channel *ch = one_answer(*state, &o, 0x6985, &answer);
    expect_forged(ch, *state, wr_view_of(&answer), "data with an error", 0);
    wr_free(&answer);
    channel_free(&ch);
}

/* A card that MACs nonsense: cipher text that is no whole block, or has no padding. */
static void encrypted_nonsense(void **state)
{
    struct crypto *c = *state;
    static const uint8_t bytes[32];
    struct writer answer, out;
    uint16_t sw;
    bool proven;
    wr_heap(&answer, STORAGE_MAX);
    wr_heap(&out, STORAGE_MAX);
    struct opened o = one(SCP03, 0x70, 0x33);
    struct channel *ch = one_answer(c, &o, 0x9000, &answer);
    struct card card = card_of(ch);
    card.encrypt = false;
    for (size_t len = 1; len <= sizeof(bytes); len++) {
        wr_clear(&answer);
        card_scp03(&card, c, view_of(bytes, len), 0x9000, &answer);
        assert_int_equal(unwrap(ch, c, wr_view_of(&answer), &out, &sw, &proven), ERR_FORMAT);
        assert_int_equal(out.len, 0);
    }
    /* Zeros, encrypted as they are: no 80 anywhere. */
    uint8_t icv[AES_BLOCK] = {0x80, [15] = 1}, cipher[32];
    assert_int_equal(crypto_aes_ecb_encrypt(c, secret_view(&ch->enc), VIEW_OF(icv), icv), OK);
    assert_int_equal(crypto_aes_cbc_encrypt(c, secret_view(&ch->enc), icv, VIEW_OF(bytes), cipher), OK);
    wr_clear(&answer);
    card_scp03(&card, c, VIEW_OF(cipher), 0x9000, &answer);
    assert_int_equal(unwrap(ch, c, wr_view_of(&answer), &out, &sw, &proven), ERR_FORMAT);
    wr_free(&answer);
    wr_free(&out);
    channel_free(&ch);
}

/* ---- BEGIN and END R-MAC SESSION (GPCS 2.3.1 E.5.3, E.5.4), on every row that has R-MACs ---- */

struct conversation {
    struct crypto *c;
    const struct opened *o;
    struct channel *ch;
    struct card card;
    struct writer wire, answer, out;
};

static void talk(struct conversation *t, struct crypto *c, const struct opened *o)
{
    *t = (struct conversation){.c = c, .o = o, .ch = open_ready(c, o)};
    t->card = card_of(t->ch);
    wr_heap(&t->wire, STORAGE_MAX);
    wr_heap(&t->answer, STORAGE_MAX);
    wr_heap(&t->out, STORAGE_MAX);
}

static void talked(struct conversation *t)
{
    wr_free(&t->wire);
    wr_free(&t->answer);
    wr_free(&t->out);
    channel_free(&t->ch);
}

static void say(struct conversation *t, const struct apdu *command)
{
    wr_clear(&t->wire);
    assert_int_equal(wrap_bytes(t->ch, t->c, command, &t->wire), OK);
}

/* The answer is data, MAC (0 or 8 bytes) and status word. */
static void hear(struct conversation *t, struct view data, struct view mac, uint16_t sw, bool want_proven)
{
    uint16_t got = 0;
    bool proven = false;
    wr_clear(&t->answer);
    wr_view(&t->answer, data);
    wr_view(&t->answer, mac);
    wr_u16(&t->answer, sw);
    enum err e = unwrap(t->ch, t->c, wr_view_of(&t->answer), &t->out, &got, &proven);
    if (e != OK || got != sw || proven != want_proven || !view_equal(wr_view_of(&t->out), data))
        fail_msg("%s: %s, %04X, proven %d", t->o->name, err_name(e), got, proven);
}

static void hear_forged(struct conversation *t, struct view data, uint16_t sw)
{
    wr_clear(&t->answer);
    wr_view(&t->answer, data);
    wr_u16(&t->answer, sw);
    expect_forged(t->ch, t->c, wr_view_of(&t->answer), t->o->name, 0);
}

static const uint8_t some[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
static const struct apdu command = {.cla = 0x80, .ins = 0xF2, .p1 = 0x40, .data = {some, 5}, .ne = 256};
static const struct apdu no_data = {.cla = 0x80, .ins = 0xCA, .p2 = 0x66, .ne = 256};
static const struct apdu begin_each = {.cla = 0x80, .ins = 0x7A, .p1 = 0x10, .p2 = 0x01, .data = {some, 1}};
static const struct apdu begin_counted = {
    .cla = 0x80, .ins = 0x7A, .p1 = 0x00, .p2 = 0x01, .data = {some, 1}};
static const struct apdu end_it = {.cla = 0x80, .ins = 0x78, .p2 = 0x03, .ne = 256};
static const struct apdu tell_it = {.cla = 0x80, .ins = 0x78, .p2 = 0x01, .ne = 256};

static bool has_sessions(const struct opened *o)
{
    return o->method->scp == SCP02 && o->method->response_mac && !has_r_macs(o);
}

/* Each answer between BEGIN and END carries its R-MAC, the one to BEGIN does not, but counts. */
static void each_answer(struct crypto *c, const struct opened *o)
{
    struct conversation t;
    if (!has_sessions(o))
        return;
    talk(&t, c, o);
    say(&t, &command);
    hear(&t, VIEW_OF(some), VIEW_NULL, SW_OK, false);
    say(&t, &begin_each);
    hear(&t, VIEW_NULL, VIEW_NULL, 0x6A88, false); /* refused: as if it had not been said */
    say(&t, &no_data);
    hear(&t, VIEW_OF(some), VIEW_NULL, SW_OK, false);
    say(&t, &begin_each);
    r_mac(&t.card, c, &begin_each, VIEW_NULL, SW_OK);
    hear(&t, VIEW_NULL, VIEW_NULL, SW_OK, false);
    for (int n = 0; n < 3; n++) {
        say(&t, n == 1 ? &no_data : &command);
        r_mac(&t.card, c, n == 1 ? &no_data : &command, VIEW_OF(some), SW_OK);
        hear_forged(&t, VIEW_OF(some), SW_OK);
        hear(&t, VIEW_OF(some), view_of(t.card.chain, MAC_LEN), SW_OK, true);
    }
    say(&t, &tell_it);
    hear(&t, view_of(t.card.chain, MAC_LEN), VIEW_NULL, SW_OK, true);
    say(&t, &end_it);
    hear_forged(&t, view_of(some, MAC_LEN), SW_OK);
    hear(&t, view_of(t.card.chain, MAC_LEN), VIEW_NULL, SW_OK, true);
    say(&t, &command);
    hear(&t, VIEW_OF(some), VIEW_NULL, SW_OK, false);
    talked(&t);
}

/* One R-MAC at the end, over all answers since BEGIN: one that was changed comes to light there. */
static void counted_answers(struct crypto *c, const struct opened *o)
{
    struct conversation t;
    if (!has_sessions(o))
        return;
    for (int tamper_with = 0; tamper_with < 2; tamper_with++) {
        talk(&t, c, o);
        say(&t, &begin_counted);
        r_mac(&t.card, c, &begin_counted, VIEW_NULL, SW_OK);
        hear(&t, VIEW_NULL, VIEW_NULL, SW_OK, false);
        say(&t, &command);
        r_mac(&t.card, c, &command, view_of(some, tamper_with ? 8 : 9), SW_OK);
        hear(&t, VIEW_OF(some), VIEW_NULL, SW_OK, false);
        say(&t, &no_data);
        r_mac(&t.card, c, &no_data, VIEW_NULL, 0x6A88);
        hear_forged(&t, VIEW_OF(some), 0x6A88);
        hear(&t, VIEW_NULL, VIEW_NULL, 0x6A88, false);
        say(&t, &end_it);
        if (tamper_with)
            hear_forged(&t, view_of(t.card.chain, MAC_LEN), SW_OK);
        else
            hear(&t, view_of(t.card.chain, MAC_LEN), VIEW_NULL, SW_OK, true);
        talked(&t);
    }
}

/* END that the card refuses proves nothing and ends nothing; without a session it is a command like any
 * other. */
static void refused_end(struct crypto *c, const struct opened *o)
{
    struct conversation t;
    if (!has_sessions(o))
        return;
    talk(&t, c, o);
    say(&t, &end_it);
    hear(&t, VIEW_OF(some), VIEW_NULL, SW_OK, false);
    say(&t, &begin_each);
    r_mac(&t.card, c, &begin_each, VIEW_NULL, SW_OK);
    hear(&t, VIEW_NULL, VIEW_NULL, SW_OK, false);
    say(&t, &end_it);
    hear_forged(&t, VIEW_OF(some), 0x6982);
    hear(&t, VIEW_NULL, VIEW_NULL, 0x6982, false);
    say(&t, &command);
    r_mac(&t.card, c, &command, VIEW_NULL, SW_OK);
    hear(&t, VIEW_NULL, view_of(t.card.chain, MAC_LEN), SW_OK, true);
    talked(&t);
}

/* R-MACs that EXTERNAL AUTHENTICATE asked for last to the end of the channel (E.4.5). */
static void begin_within(struct crypto *c, const struct opened *o)
{
    struct conversation t;
    if (o->method->scp != SCP02 || !has_r_macs(o))
        return;
    talk(&t, c, o);
    say(&t, &begin_counted);
    r_mac(&t.card, c, &begin_counted, VIEW_NULL, SW_OK);
    hear(&t, VIEW_NULL, view_of(t.card.chain, MAC_LEN), SW_OK, true);
    say(&t, &end_it);
    hear(&t, view_of(t.card.chain, MAC_LEN), VIEW_NULL, SW_OK, true);
    say(&t, &command);
    r_mac(&t.card, c, &command, VIEW_OF(some), SW_OK);
    hear_forged(&t, VIEW_OF(some), SW_OK);
    hear(&t, VIEW_OF(some), view_of(t.card.chain, MAC_LEN), SW_OK, true);
    talked(&t);
}

/* The state between BEGIN and END survives as bytes. */
static void session_as_bytes(struct crypto *c, const struct opened *o)
{
    struct conversation t;
    uint8_t memory[CHANNEL_STATE_MAX];
    struct writer w;
    if (!has_sessions(o))
        return;
    talk(&t, c, o);
    say(&t, &begin_each);
    for (int n = 0; n < 3; n++) {
        wr_fixed(&w, memory, sizeof(memory));
        assert_int_equal(channel_encode(t.ch, &w), OK);
        channel_free(&t.ch);
        assert_int_equal(channel_decode(&t.ch, wr_view_of(&w)), OK);
        if (n == 0) {
            r_mac(&t.card, c, &begin_each, VIEW_NULL, SW_OK);
            hear(&t, VIEW_NULL, VIEW_NULL, SW_OK, false);
        } else if (n == 1) {
            say(&t, &command);
        } else {
            r_mac(&t.card, c, &command, VIEW_OF(some), SW_OK);
            hear(&t, VIEW_OF(some), view_of(t.card.chain, MAC_LEN), SW_OK, true);
        }
    }
    talked(&t);
}

static void response_sessions(void **state)
{
    for_all(*state, each_answer);
    for_all(*state, counted_answers);
    for_all(*state, refused_end);
    for_all(*state, begin_within);
    for_all(*state, session_as_bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_of_a_card),  cmocka_unit_test(tampered_answers),
        cmocka_unit_test(errors_of_scp03),    cmocka_unit_test(errors_of_scp02),
        cmocka_unit_test(encrypted_nonsense), cmocka_unit_test(response_sessions),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
