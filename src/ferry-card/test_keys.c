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

#include "testing/host.h"

static struct crypto *crypto;
static struct host *h;

static int setup(void **state)
{
    (void)state;
    return crypto_new(&crypto) == OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    crypto_free(&crypto);
    vectors_free();
    return 0;
}

static void new_card(const char *kind)
{
    h = calloc(1, sizeof *h);
    assert_non_null(h);
    assert_int_equal(host_init(h, crypto, kind, 0xFF), OK);
}

static void end_card(void)
{
    host_finish(h);
    free(h);
    h = NULL;
}

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
        new_card("classic");
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
    bool des = ch->scp == 0x02;
    size_t padded = des ? key->len : (key->len + 15) / 16 * 16;
    memcpy(clear, key->data, key->len);
    struct view in = view_of(clear, padded), dek = secret_view(&ch->s_dek);
    assert_int_equal(des ? crypto_des3_ecb_encrypt(crypto, dek, in, cipher)
                         : crypto_aes_cbc_encrypt(crypto, dek, zeros, in, cipher),
                     OK);
    assert_int_equal(key_check_value(crypto, des ? KEY_DES3 : KEY_AES, key, kcv), OK);
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
    {"one key", "modern", 0, 0x01, 0x31, 0x88, 16, 1, LENGTH_FIRST, false, false, SW_INCORRECT_P1P2},
    {"two keys", "modern", 0, 0x81, 0x31, 0x88, 16, 2, LENGTH_FIRST, false, false, SW_WRONG_DATA},
    {"more behind", "modern", 0, 0x81, 0x31, 0x88, 16, 3, LENGTH_FIRST, false, true, SW_WRONG_DATA},
    {"more commands", "modern", 0x80, 0x81, 0x31, 0x88, 16, 3, LENGTH_FIRST, false, false,
     SW_CHAINING_UNSUPPORTED},
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
    new_card(row->kind);
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
    if (row->sw == SW_OK) {
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

/* Three keys of one length (Amendment D 6.1). */
static void keys_of_a_version_have_one_length(void **state)
{
    static const size_t lens[][3] = {{16, 24, 16}, {16, 16, 32}, {24, 16, 16}};
    (void)state;
    for (size_t n = 0; n < 3; n++) {
        struct secret keys[3];
        struct writer w;
        new_card("modern");
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
    new_card("classic"); /* its version is FF */
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
    } deletes[] = {{"D20103", SW_REFERENCED_DATA},  {"D20100", SW_REFERENCED_DATA}, {"D00101", SW_WRONG_DATA},
                   {"D00101D20101", SW_WRONG_DATA}, {"D2020101", SW_WRONG_DATA},    {"D20101", SW_OK},
                   {"D20101", SW_REFERENCED_DATA},  {"D20102", SW_CONDITIONS}};
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
    new_card("modern");
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
        cmocka_unit_test(keys_of_a_version_have_one_length),
        cmocka_unit_test(versions_come_and_go),
        cmocka_unit_test(the_card_has_room_for_so_many),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
