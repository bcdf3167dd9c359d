/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys come onto the card and go: recorded PUT KEY commands of others are decrypted to the recorded keys and
 * answered with the recorded check values; what is wrong changes nothing; a new channel opens with new keys.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <gp/keys.h>
#include <support/vectors.h>

#include "domain.h"
#include "key_parts.h"
#include "testing/conversation.h"

static uint16_t put_key(uint8_t p1, uint8_t p2, struct view data)
{
    uint8_t header[] = {0x80, 0xD8, p1, p2};
    return host_secure(h, view_of(header, sizeof header), data);
}

/* ---- recorded ---- */

/* A card in the middle of a recorded session: its data encryption key is that of the session. */
static void set_dek(struct view dek, uint8_t kvn)
{
    assert_int_equal(host_open(h, 0, 0x00), SW_OK);
    assert_int_equal(secret_set(&h->card.now->session.channel.s_dek, dek), OK);
    h->card.state.keysets[0].kvn = kvn;
}

static size_t recorded_scp02(const json_t *row)
{
    const json_t *exchanges = json_object_get(row, "exchanges"), *exchange;
    size_t n, done = 0;
    json_array_foreach(exchanges, n, exchange)
    {
        const json_t *put = json_object_get(exchange, "put_key");
        if (!json_is_object(put))
            continue;
        new_card("classic", 0xFF);
        struct view command = vector_bytes(exchange, "c"), dek;
        dek = vector_bytes(json_object_get(row, "session_keys"), "dek");
        set_dek(dek, command.data[2]);
        if (put_key(command.data[2], command.data[3], view_tail(command, 5)) != SW_OK)
            fail_msg("%s: %04X", vector_text(row, "id"), h->sw);
        const struct card_keyset *k = &h->card.state.keysets[0];
        const struct secret *keys[] = {&k->enc, &k->mac, &k->dek};
        for (size_t i = 0; i < 3; i++) {
            const json_t *key = json_array_get(json_object_get(put, "keys"), i);
            if (!view_equal(secret_view(keys[i]), vector_bytes(key, "key")))
                fail_msg("%s: key %zu", vector_text(row, "id"), i);
        }
        struct view answer = vector_bytes(exchange, "r");
        if (answer.len != 0 && !view_equal(host_data(h), view_head(answer, answer.len - 2)))
            fail_msg("%s: the answer", vector_text(row, "id"));
        end_card();
        done++;
    }
    return done;
}

static void recorded_keys_are_decrypted(void **state)
{
    json_t *rows = vectors_load("vectors/scp02.json"), *row;
    size_t n, done = 0;
    (void)state;
    json_array_foreach(rows, n, row) done += recorded_scp02(row);
    assert_true(done >= 3);
}

/* ---- made here ---- */

enum form { PLAIN_BLOCK, LENGTH_FIRST };

static void put_one(struct writer *w, uint8_t type, const struct secret *key, enum form form, bool wrong_kcv)
{
    static const uint8_t zeros[AES_BLOCK];
    const struct card_channel *ch = &h->card.now->session.channel;
    uint8_t clear[32] = {0}, cipher[32], kcv[3];
    bool des = ch->scp <= 0x02;
    size_t padded = des ? key->len : (key->len + 15) / 16 * 16;
    memcpy(clear, key->data, key->len);
    struct view in = view_of(clear, padded), dek = secret_view(&ch->s_dek);
    assert_int_equal(des ? crypto_des3_ecb_encrypt(crypto, dek, in, cipher)
                         : crypto_aes_cbc_encrypt(crypto, dek, zeros, in, cipher),
                     OK);
    enum key_type kind = type == 0x88 ? KEY_AES : key->len == 8 ? KEY_DES : KEY_DES3;
    assert_int_equal(key_check_value(crypto, kind, key, kcv), OK);
    kcv[2] ^= wrong_kcv;
    wr_u8(w, type);
    wr_u8(w, (uint8_t)(padded + (form == LENGTH_FIRST)));
    if (form == LENGTH_FIRST)
        wr_u8(w, (uint8_t)key->len);
    wr_bytes(w, cipher, padded);
    wr_view8(w, VIEW_OF(kcv));
}

static void make_keys(struct secret keys[3], size_t len)
{
    memset(keys, 0, 3 * sizeof keys[0]);
    for (uint8_t n = 0; n < 3; n++) {
        keys[n].len = len;
        memset(keys[n].data, 0x61 + n, len);
    }
}

static const struct row {
    const char *name, *kind;
    uint8_t p1, p2, kvn, type;
    size_t len, count;
    enum form form;
    bool wrong_kcv, more;
    uint16_t sw;
} rows[] = {
    {"AES, length first", "modern", 0, 0x81, 0x31, 0x88, 16, 3, LENGTH_FIRST, false, false, SW_OK},
    {"AES, plain block", "modern", 0, 0x81, 0x31, 0x88, 16, 3, PLAIN_BLOCK, false, false, SW_OK},
    {"AES-192 beside AES-128", "modern", 0, 0x81, 0x31, 0x88, 24, 3, LENGTH_FIRST, false, false, SW_OK},
    {"AES-256 beside AES-128", "modern", 0, 0x81, 0x31, 0x88, 32, 3, LENGTH_FIRST, false, false, SW_OK},
    {"in place", "modern", 0x30, 0x81, 0x30, 0x88, 16, 3, LENGTH_FIRST, false, false, SW_OK},
    {"in place, another version", "modern", 0x30, 0x81, 0x01, 0x88, 16, 3, LENGTH_FIRST, false, false, SW_OK},
    {"in place, another size", "modern", 0x30, 0x81, 0x30, 0x88, 32, 3, LENGTH_FIRST, false, false,
     SW_WRONG_DATA},
    {"DES", "classic", 0, 0x81, 0x01, 0x80, 16, 3, PLAIN_BLOCK, false, false, SW_OK},
    {"DES by its other type", "classic", 0, 0x81, 0x01, 0x82, 16, 3, PLAIN_BLOCK, false, false, SW_OK},
    {"DES with three parts", "classic", 0, 0x81, 0x01, 0x80, 24, 3, PLAIN_BLOCK, false, false, SW_WRONG_DATA},
    {"DES of 8 bytes", "museum", 0, 0x81, 0x01, 0x80, 8, 3, PLAIN_BLOCK, false, false, SW_OK},
    {"DES of 8 bytes in place", "museum", 0xFF, 0x81, 0x01, 0x80, 8, 3, PLAIN_BLOCK, false, false, SW_OK},
    {"DES of 8 bytes, wrong check value", "museum", 0, 0x81, 0x01, 0x80, 8, 3, PLAIN_BLOCK, true, false,
     SW_SECURITY_STATUS},
    {"16 bytes beside 8", "museum", 0, 0x81, 0x01, 0x80, 16, 3, PLAIN_BLOCK, false, false, SW_OK},
    {"16 bytes in place of 8", "museum", 0xFF, 0x81, 0x01, 0x80, 16, 3, PLAIN_BLOCK, false, false,
     SW_WRONG_DATA},
    {"one of 8 bytes for a channel", "museum", 0, 0x01, 0x01, 0x80, 8, 1, PLAIN_BLOCK, false, false, SW_OK},
    {"8 bytes for something else", "museum", 0, 0x01, 0x73, 0x80, 8, 1, PLAIN_BLOCK, false, false,
     SW_WRONG_DATA},
    {"8 bytes on a card with 16", "classic", 0, 0x81, 0x01, 0x80, 8, 3, PLAIN_BLOCK, false, false,
     SW_WRONG_DATA},
    {"one of 8 bytes on a card with 16", "classic", 0, 0x01, 0x01, 0x80, 8, 1, PLAIN_BLOCK, false, false,
     SW_WRONG_DATA},
    {"AES on a card for DES", "classic", 0, 0x81, 0x01, 0x88, 16, 3, PLAIN_BLOCK, false, false,
     SW_WRONG_DATA},
    {"DES on a card for AES", "modern", 0, 0x81, 0x31, 0x80, 16, 3, PLAIN_BLOCK, false, false, SW_WRONG_DATA},
    {"wrong check value", "modern", 0, 0x81, 0x31, 0x88, 16, 3, LENGTH_FIRST, true, false,
     SW_SECURITY_STATUS},
    {"version is there", "modern", 0, 0x81, 0x30, 0x88, 16, 3, LENGTH_FIRST, false, false, SW_WRONG_DATA},
    {"version 0", "modern", 0, 0x81, 0x00, 0x88, 16, 3, LENGTH_FIRST, false, false, SW_WRONG_DATA},
    {"version 80", "modern", 0, 0x81, 0x80, 0x88, 16, 3, LENGTH_FIRST, false, false, SW_WRONG_DATA},
    {"no such version", "modern", 0x32, 0x81, 0x31, 0x88, 16, 3, LENGTH_FIRST, false, false,
     SW_REFERENCED_DATA},
    {"one key", "modern", 0, 0x01, 0x31, 0x88, 16, 1, LENGTH_FIRST, false, false, SW_OK},
    {"two keys", "modern", 0, 0x81, 0x31, 0x88, 16, 2, PLAIN_BLOCK, false, false, SW_OK},
    {"one key, but two come", "modern", 0, 0x01, 0x31, 0x88, 16, 2, PLAIN_BLOCK, false, false, SW_WRONG_DATA},
    {"one key on a card for AES", "modern", 0, 0x01, 0x73, 0x80, 16, 1, PLAIN_BLOCK, false, false, SW_OK},
    {"one key of three parts", "classic", 0, 0x05, 0x73, 0x80, 24, 1, PLAIN_BLOCK, false, false, SW_OK},
    {"one key of a set, another version", "modern", 0x30, 0x02, 0x31, 0x88, 16, 1, PLAIN_BLOCK, false, false,
     SW_WRONG_DATA},
    {"one key of a set, another size", "modern", 0x30, 0x02, 0x30, 0x88, 32, 1, PLAIN_BLOCK, false, false,
     SW_WRONG_DATA},
    {"one key of no set", "modern", 0x30, 0x04, 0x30, 0x88, 16, 1, PLAIN_BLOCK, false, false, SW_WRONG_DATA},
    {"no type", "modern", 0, 0x01, 0x31, 0x7F, 16, 1, PLAIN_BLOCK, false, false, SW_WRONG_DATA},
    {"unknown type", "modern", 0, 0x01, 0x31, 0x89, 16, 1, PLAIN_BLOCK, false, false, SW_WRONG_DATA},
    {"more behind", "modern", 0, 0x81, 0x31, 0x88, 16, 3, LENGTH_FIRST, false, true, SW_WRONG_DATA},
};

static void same_state(const struct row *row, const struct writer *before)
{
    struct writer after;
    wr_heap(&after, CARD_FRAME_MAX);
    card_state_put(&h->card.state, &after);
    if (!view_equal(wr_view_of(before), wr_view_of(&after)))
        fail_msg("%s: something has changed", row->name);
    wr_free(&after);
}

static void try_row(const struct row *row)
{
    struct secret keys[3];
    struct writer w, before;
    new_card(row->kind, 0xFF);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    make_keys(keys, row->len);
    wr_heap(&w, 255);
    wr_heap(&before, CARD_FRAME_MAX);
    card_state_put(&h->card.state, &before);
    wr_u8(&w, row->kvn);
    for (size_t n = 0; n < row->count; n++)
        put_one(&w, row->type, &keys[n], row->form, row->wrong_kcv && n == 2);
    if (row->more)
        wr_u8(&w, 0);
    if (put_key(row->p1, row->p2, wr_view_of(&w)) != row->sw)
        fail_msg("%s: %04X", row->name, h->sw);
    if (row->sw == SW_OK && row->count < 3) {
        assert_int_equal(host_data(h).len, 1 + 3 * row->count);
        assert_int_equal(h->card.state.key_count, row->count);
        for (uint8_t n = 0; n < row->count; n++) {
            const struct card_key *k =
                card_find_key(&h->card.state, VIEW_NULL, row->kvn, (uint8_t)((row->p2 & 0x7F) + n));
            assert_non_null(k);
            assert_int_equal(k->type, row->type);
            assert_true(view_equal(view_of(k->data, k->len), secret_view(&keys[n])));
        }
    } else if (row->sw == SW_OK) {
        assert_int_equal(host_data(h).len, 10);
        assert_int_equal(host_data(h).data[0], row->kvn);
        const struct card_keyset *k = card_find_keyset(&h->card.state, VIEW_NULL, row->kvn);
        assert_non_null(k);
        assert_int_equal(k->counter, 0);
        assert_true(view_equal(secret_view(&k->dek), secret_view(&keys[2])));
        if (host_open(h, row->kvn, 0x03) != SW_OK)
            fail_msg("%s: no channel under the new keys", row->name);
    } else {
        same_state(row, &before);
    }
    wr_free(&w);
    wr_free(&before);
    end_card();
}

static void keys_are_taken_or_nothing_changes(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++)
        try_row(&rows[n]);
}

static uint16_t put_row(uint8_t p1, uint8_t p2, uint8_t kvn, uint8_t type, const struct secret *keys,
                        size_t count)
{
    struct writer w;
    wr_heap(&w, 255);
    wr_u8(&w, kvn);
    for (size_t n = 0; n < count; n++)
        put_one(&w, type, &keys[n], PLAIN_BLOCK, false);
    uint16_t sw = put_key(p1, p2, wr_view_of(&w));
    wr_free(&w);
    return sw;
}

static uint16_t put_single(uint8_t p1, uint8_t kid, uint8_t kvn, const struct secret *key)
{
    return put_row(p1, kid, kvn, 0x88, key, 1);
}

/* GPCS 2.3.1 E.2, table E-1: where i has one base key, this one is the whole set. */
static void a_base_key_is_a_set(void **state)
{
    struct secret keys[3];
    (void)state;
    new_card("classic", 0x54);
    make_keys(keys, 16);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    assert_int_equal(put_row(0, 0x81, 0x02, 0x80, keys, 3), SW_WRONG_DATA); /* three that differ */
    assert_int_equal(put_row(0, 0x01, 0x02, 0x80, keys, 1), SW_OK);
    const struct card_keyset *k = card_find_keyset(&h->card.state, VIEW_NULL, 0x02);
    assert_non_null(k);
    assert_true(view_equal(secret_view(&k->enc), secret_view(&keys[0])));
    assert_true(view_equal(secret_view(&k->mac), secret_view(&keys[0])));
    assert_true(view_equal(secret_view(&k->dek), secret_view(&keys[0])));
    assert_int_equal(h->card.state.key_count, 0);
    assert_int_equal(host_open(h, 0x02, 0x03), SW_OK);
    /* Another one in its place, under another version; then three times the same. */
    assert_int_equal(put_row(0x02, 0x01, 0x03, 0x80, &keys[1], 1), SW_OK);
    assert_null(card_find_keyset(&h->card.state, VIEW_NULL, 0x02));
    assert_int_equal(host_open(h, 0x03, 0x03), SW_OK);
    keys[0] = keys[1] = keys[2];
    assert_int_equal(put_row(0, 0x81, 0x04, 0x80, keys, 3), SW_OK);
    assert_int_equal(host_open(h, 0x04, 0x03), SW_OK);
    /* What is for something else than a channel may differ. */
    keys[1].data[0] ^= 0xFF;
    assert_int_equal(put_row(0, 0x81, 0x73, 0x80, keys, 2), SW_OK);
    end_card();
}

/* Three keys that come one by one are a set from the third on; one of a set can be replaced. */
static void a_set_may_come_key_by_key(void **state)
{
    struct secret keys[3];
    (void)state;
    new_card("modern", 0xFF);
    make_keys(keys, 16);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    assert_int_equal(put_single(0, 2, 0x31, &keys[1]), SW_OK);
    assert_int_equal(put_single(0, 2, 0x31, &keys[1]), SW_WRONG_DATA);         /* it is there */
    assert_int_equal(put_single(0x31, 1, 0x31, &keys[0]), SW_REFERENCED_DATA); /* it is not */
    assert_int_equal(put_single(0, 1, 0x31, &keys[0]), SW_OK);
    assert_null(card_find_keyset(&h->card.state, VIEW_NULL, 0x31));
    assert_int_equal(put_single(0, 3, 0x31, &keys[2]), SW_OK);
    assert_int_equal(h->card.state.key_count, 0);
    assert_int_equal(host_open(h, 0x31, 0x03), SW_OK);
    memset(keys[1].data, 0x11, 16);
    assert_int_equal(put_single(0x31, 2, 0x31, &keys[1]), SW_OK);
    const struct card_keyset *k = card_find_keyset(&h->card.state, VIEW_NULL, 0x31);
    assert_non_null(k);
    assert_true(view_equal(secret_view(&k->mac), secret_view(&keys[1])));
    assert_true(view_equal(secret_view(&k->enc), secret_view(&keys[0])));
    assert_int_equal(host_open(h, 0x31, 0x03), SW_OK);
    end_card();
}

/* A security domain's keys are its own: the same version as the issuer's, and its sessions open with them. */
static void a_domain_gets_keys(void **state)
{
    static const struct line install[] = {
        {"80E60C000007A000000151535008A00000015153504105F0000000D1018002C90000", SW_OK, "00"},
        {"-00A4040005F0000000D100", SW_OK, NULL}};
    struct secret keys[3];
    struct writer w;
    (void)state;
    new_card("modern", 0xFF);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    TALK(install);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    make_keys(keys, 32);
    wr_heap(&w, 255);
    wr_u8(&w, 0x30);
    for (size_t n = 0; n < 3; n++)
        put_one(&w, 0x88, &keys[n], LENGTH_FIRST, false);
    assert_int_equal(put_key(0, 0x81, wr_view_of(&w)), SW_OK);
    wr_free(&w);
    const struct card_application *a = card_find_application(&h->card.state, vector_hex("F0000000D1"));
    assert_int_equal(a->life, STATE_PERSONALIZED);
    assert_true(view_equal(card_channel_domain(&h->card), vector_hex("F0000000D1")));
    assert_int_equal(host_open(h, 0x30, 0x03), SW_OK);
    assert_int_equal(h->ch.s_enc.len, 32);
    assert_int_equal(h->card.state.keysets[0].enc.len, 16); /* the issuer's */
    /* Its last set may go; then the issuer's keys open it again. */
    assert_int_equal(say("80E4000000D20130"), SW_OK);
    assert_int_equal(card_channel_domain(&h->card).len, 0);
    end_card();
}

/* Table 11-74: a key with its curve's own parameters (SEC 2 2.4.2: P-256). They must be those of a curve that
 * the card has; the cofactor, which is 1 on all of them, is left out by hosts of the field. */
static void a_curve_may_come_by_its_parameters(void **state)
{
    static const char point[] = "04148B71D3DB76F681A4EE53CAFE2F0F8EEF0A62423FC46CD2B64F210EA9A336E3"
                                "32820E22BCEC0AE9F26515CF2D661C307A5FAA5B837DB23D334A8BC4B440B273";
    static const struct {
        uint8_t type;
        const char *good, *bad;
    } parts[] = {
        {0xB2, "FFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF",
         "FFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFD"},
        {0xB3, "FFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFC",
         "FFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFD"},
        {0xB4, "5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B",
         "5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604A"},
        {0xB5,
         "046B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C2964FE342E2FE1A7F9B8EE7EB4A7C0F9E162"
         "BCE33576B315ECECBB6406837BF51F5",
         "046B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C2964FE342E2FE1A7F9B8EE7EB4A7C0F9E162"
         "BCE33576B315ECECBB6406837BF51F4"},
        {0xB6, "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551",
         "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632550"},
        {0xB7, "01", "02"},
    };
    enum { PARTS = sizeof parts / sizeof parts[0], COFACTOR = PARTS - 1 };
    (void)state;
    new_card("modern", 0xFF);
    /* wrong < PARTS: that one is wrong; then all right; then without the cofactor. */
    for (size_t wrong = 0; wrong <= PARTS + 1; wrong++) {
        struct key_parts p;
        struct new_key k = {.kid = 1};
        key_parts_init(&p);
        assert_int_equal(key_parts_take(&h->card, &p, 0xB0, vector_hex(point), 0), SW_OK);
        for (size_t n = 0; n < (wrong > PARTS ? COFACTOR : PARTS); n++) {
            const char *hex = n == wrong ? parts[n].bad : parts[n].good;
            assert_int_equal(key_parts_take(&h->card, &p, parts[n].type, vector_hex(hex), 0), SW_OK);
        }
        uint16_t want = wrong < PARTS ? SW_WRONG_DATA : SW_OK;
        if (key_parts_build(&p, &k) != want || (want == SW_OK && k.parameter != 0))
            fail_msg("part %zu", wrong);
        new_key_finish(&k);
        key_parts_finish(&p);
    }
    end_card();
}

/* The forms of tables 11-72 to 11-77, good and bad; the issuer's session has no C-ENC, DEK 40..4F. */
static void pairs_are_taken(void **state)
{
    static const struct {
        const char *name, *command;
        uint16_t sw;
        uint8_t kvn, type;
        const char *information;
    } pair_rows[] = {
        {"no exponent",
         "80D800010073A18140"
         "00",
         SW_WRONG_DATA, 0, 0, NULL},
        {"point off its curve",
         "80D800010074B041"
         "04148B71D3DB76F681A4EE53CAFE2F0F8EEF0A62423FC46CD2B64F210EA9A336E3"
         "32820E22BCEC0AE9F26515CF2D661C307A5FAA5B837DB23D334A8BC4B440B274F0010000",
         SW_WRONG_DATA, 0, 0, NULL},
        {"no curve",
         "80D800010074B041"
         "04148B71D3DB76F681A4EE53CAFE2F0F8EEF0A62423FC46CD2B64F210EA9A336E3"
         "32820E22BCEC0AE9F26515CF2D661C307A5FAA5B837DB23D334A8BC4B440B27300",
         SW_WRONG_DATA, 0, 0, NULL},
        {"a curve that is none",
         "80D800010074B041"
         "04148B71D3DB76F681A4EE53CAFE2F0F8EEF0A62423FC46CD2B64F210EA9A336E3"
         "32820E22BCEC0AE9F26515CF2D661C307A5FAA5B837DB23D334A8BC4B440B273F0010900",
         SW_WRONG_DATA, 0, 0, NULL},
        {"check value of a pair",
         "80D800010074B041"
         "04148B71D3DB76F681A4EE53CAFE2F0F8EEF0A62423FC46CD2B64F210EA9A336E3"
         "32820E22BCEC0AE9F26515CF2D661C307A5FAA5B837DB23D334A8BC4B440B273F0010003112233",
         SW_WRONG_DATA, 0, 0, NULL},
        {"the same part twice",
         "80D800010074F00100F00100"
         "00",
         SW_WRONG_DATA, 0, 0, NULL},
        {"P-256",
         "80D800010074B041"
         "04148B71D3DB76F681A4EE53CAFE2F0F8EEF0A62423FC46CD2B64F210EA9A336E3"
         "32820E22BCEC0AE9F26515CF2D661C307A5FAA5B837DB23D334A8BC4B440B273F0010000",
         SW_OK, 0x74, CARD_KEY_ECC_PUBLIC, "C0060174B040F000"},
        {"RSA-1024",
         "80D800010073A18180AC4E3E5481AB7CF5DF3EA3BF759BBE5693791B3C95C3F82E0C31442FA6E647C3F9DBFD13725A78671"
         "E8C12478AD684CC0B7835B7AE96E39F920254003CFA877EF12505D189533300A75BF71245C4B5C9A86EEB852558A130F83D"
         "C7F7210B887EC20058E1C909CC4768777EC23D5FC1A4E931F62578ECA52A19C561B175CFB335A00301000100",
         SW_OK, 0x73, CARD_KEY_RSA_PUBLIC, "C0060173A180A003"},
        {"P-256, private",
         "80D800010013B121208343BA2CA67C90F6EFB1A7CC94A1F44CEA8CC8BF01FA8D03D794A67C19F56F04F0010000", SW_OK,
         0x13, CARD_KEY_ECC_PRIVATE, "C0060113B120F000"},
        {"extended format", "80D800010032FF88111080D2A5B08FA0EE51143B459E638106DF03504A7701140100", SW_OK,
         0x32, CARD_KEY_AES, "C00401328810"},
        {"extended format without access", "80D800010032FF88111080D2A5B08FA0EE51143B459E638106DF03504A770114",
         SW_WRONG_DATA, 0, 0, NULL},
        {"AES without check value",
         "80D800010031881045"
         "33BFD23699FC7C142D20BB1A4A191F00",
         SW_WRONG_DATA, 0, 0, NULL},
        {"AES, plain block",
         "80D800010031881045"
         "33BFD23699FC7C142D20BB1A4A191F033544E0",
         SW_OK, 0x31, CARD_KEY_AES, "C00401318810"},
    };
    (void)state;
    for (size_t n = 0; n < sizeof pair_rows / sizeof pair_rows[0]; n++) {
        new_card("modern", 0xFF);
        assert_int_equal(host_open(h, 0, 0x01), SW_OK);
        assert_int_equal(
            secret_set(&h->card.now->session.channel.s_dek, vector_hex("404142434445464748494A4B4C4D4E4F")),
            OK);
        uint16_t sw = say(pair_rows[n].command);
        if (sw != pair_rows[n].sw)
            fail_msg("%s: %04X", pair_rows[n].name, sw);
        const struct card_key *k = card_find_key(&h->card.state, VIEW_NULL, pair_rows[n].kvn, 1);
        if (sw == SW_OK ? k == NULL || k->type != pair_rows[n].type : h->card.state.key_count != 0)
            fail_msg("%s: what is kept", pair_rows[n].name);
        assert_false(h->card.dead);
        if (sw == SW_OK && pair_rows[n].information != NULL) {
            assert_int_equal(say("80CA00E000"), SW_OK);
            struct view all = host_data(h), want = vector_hex(pair_rows[n].information);
            if (all.len < want.len || !view_equal(view_tail(all, all.len - want.len), want))
                fail_msg("%s: key information", pair_rows[n].name);
        }
        if (sw == SW_OK) {
            char delete[32];
            snprintf(delete, sizeof delete, "80E4000000D00101D201%02X", pair_rows[n].kvn);
            assert_int_equal(say(delete), SW_OK);
            assert_int_equal(h->card.state.key_count, 0);
            assert_int_equal(say(delete), SW_REFERENCED_DATA);
        }
        end_card();
    }
}

/* Three keys of one length (Amendment D 6.1). */
static void keys_of_a_version_have_one_length(void **state)
{
    static const size_t lens[][3] = {{16, 24, 16}, {16, 16, 32}, {24, 16, 16}};
    (void)state;
    for (size_t n = 0; n < 3; n++) {
        struct secret keys[3];
        struct writer w;
        new_card("modern", 0xFF);
        make_keys(keys, 16);
        assert_int_equal(host_open(h, 0, 0x01), SW_OK);
        wr_heap(&w, 255);
        wr_u8(&w, 0x31);
        for (size_t k = 0; k < 3; k++) {
            keys[k].len = lens[n][k];
            put_one(&w, 0x88, &keys[k], LENGTH_FIRST, false);
        }
        assert_int_equal(put_key(0, 0x81, wr_view_of(&w)), SW_WRONG_DATA);
        assert_false(h->card.dead);
        wr_free(&w);
        end_card();
    }
}

/* The factory keys go with the first of the card's own; others stay until they are deleted. */
static void versions_come_and_go(void **state)
{
    struct secret keys[3];
    struct writer w;
    static const uint8_t delete_header[] = {0x80, 0xE4, 0x00, 0x00};
    (void)state;
    new_card("classic", 0xFF); /* its version is FF */
    make_keys(keys, 16);
    for (uint8_t kvn = 1; kvn <= 2; kvn++) {
        assert_int_equal(host_open(h, 0, 0x01), SW_OK);
        wr_heap(&w, 255);
        wr_u8(&w, kvn);
        for (size_t n = 0; n < 3; n++)
            put_one(&w, 0x80, &keys[n], PLAIN_BLOCK, false);
        assert_int_equal(put_key(0, 0x81, wr_view_of(&w)), SW_OK);
        wr_free(&w);
        assert_int_equal(h->card.state.keyset_count, kvn);
        assert_int_equal(host_open(h, 0xFF, 0x01), SW_REFERENCED_DATA);
    }
    assert_int_equal(host_open(h, 0x02, 0x01), SW_OK);
    static const struct {
        const char *data;
        uint16_t sw;
    } deletes[] = {{"D20103", SW_REFERENCED_DATA}, {"D20100", SW_REFERENCED_DATA},
                   {"D00101", SW_REFERENCED_DATA}, {"D00101D20101", SW_WRONG_DATA},
                   {"D2020101", SW_WRONG_DATA},    {"D20101", SW_OK},
                   {"D20101", SW_REFERENCED_DATA}, {"D20102", SW_CONDITIONS}};
    for (size_t n = 0; n < sizeof deletes / sizeof deletes[0]; n++) {
        if (host_secure(h, VIEW_OF(delete_header), vector_hex(deletes[n].data)) != deletes[n].sw)
            fail_msg("%s: %04X", deletes[n].data, h->sw);
    }
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    assert_int_equal(host_open(h, 0x01, 0x01), SW_REFERENCED_DATA);
    end_card();
}

static void the_card_has_room_for_so_many(void **state)
{
    struct secret keys[3];
    uint16_t sw = SW_OK;
    (void)state;
    new_card("modern", 0xFF);
    make_keys(keys, 16);
    assert_int_equal(host_open(h, 0, 0x01), SW_OK);
    for (uint8_t kvn = 1; sw == SW_OK && kvn < 0x70; kvn++) {
        struct writer w;
        wr_heap(&w, 255);
        wr_u8(&w, kvn);
        for (size_t n = 0; n < 3; n++)
            put_one(&w, 0x88, &keys[n], LENGTH_FIRST, false);
        sw = put_key(0, 0x81, wr_view_of(&w));
        wr_free(&w);
    }
    assert_int_equal(sw, SW_NOT_ENOUGH_MEMORY);
    assert_int_equal(h->card.state.keyset_count, CARD_KEYSETS_MAX);
    end_card();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_keys_are_decrypted),
        cmocka_unit_test(keys_are_taken_or_nothing_changes),
        cmocka_unit_test(a_set_may_come_key_by_key),
        cmocka_unit_test(a_base_key_is_a_set),
        cmocka_unit_test(a_domain_gets_keys),
        cmocka_unit_test(a_curve_may_come_by_its_parameters),
        cmocka_unit_test(pairs_are_taken),
        cmocka_unit_test(keys_of_a_version_have_one_length),
        cmocka_unit_test(versions_come_and_go),
        cmocka_unit_test(the_card_has_room_for_so_many),
    };
    return cmocka_run_group_tests(tests, conversation_setup, conversation_teardown);
}
