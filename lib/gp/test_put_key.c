/* SPDX-License-Identifier: Apache-2.0
 *
 * PUT KEY and keys in data groupings: lengths and types that fit and that do not, both forms of blocks, what
 * a card answers, and where blocks of STORE DATA end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <crypto/pk.h>
#include <gp/store_data.h>
#include <support/vectors.h>

enum { BYTES_MAX = 4096 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct crypto *crypto;
static const uint8_t some[1100] = {4, 2, 3};

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

static struct card_keys dek_of(enum key_type type)
{
    struct card_keys keys = {.type = type};
    assert_int_equal(secret_set(&keys.dek, vector_hex("404142434445464748494A4B4C4D4E4F")), OK);
    return keys;
}

static void lengths_of_symmetric_keys(void **state)
{
    (void)state;
    static const struct {
        uint8_t type;
        size_t len;
        enum err want;
        size_t check_len;
    } rows[] = {
        {KEY_TYPE_DES, 8, OK, 3},
        {KEY_TYPE_DES, 16, OK, 3},
        {KEY_TYPE_DES, 24, OK, 3},
        {KEY_TYPE_DES, 15, ERR_ARGUMENT, 0},
        {KEY_TYPE_DES, 32, ERR_ARGUMENT, 0},
        {KEY_TYPE_DES, 0, ERR_ARGUMENT, 0},
        {KEY_TYPE_DES_ECB, 16, OK, 3},
        {KEY_TYPE_DES_CBC, 16, OK, 3},
        {0x84, 16, OK, 3},
        {KEY_TYPE_AES, 16, OK, 3},
        {KEY_TYPE_AES, 24, OK, 3},
        {KEY_TYPE_AES, 32, OK, 3},
        {KEY_TYPE_AES, 8, ERR_ARGUMENT, 0},
        {KEY_TYPE_AES, 17, ERR_ARGUMENT, 0},
        {KEY_TYPE_TLS_PSK, 1, OK, 0},
        {KEY_TYPE_TLS_PSK, 128, OK, 0},
        {KEY_TYPE_TLS_PSK, 129, ERR_ARGUMENT, 0},
        {KEY_TYPE_TLS_PSK, 0, ERR_ARGUMENT, 0},
        {KEY_TYPE_HMAC_SHA1, 20, OK, 0},
        {KEY_TYPE_HMAC_SHA1_160, 20, OK, 0},
        {KEY_TYPE_RSA_PUBLIC_N, 16, ERR_ARGUMENT, 0},
        {0x86, 16, ERR_ARGUMENT, 0},
    };
    for (size_t n = 0; n < COUNT(rows); n++) {
        struct new_key k;
        enum err e = new_key_symmetric(&k, crypto, rows[n].type, view_of(some, rows[n].len));
        if (e != rows[n].want || (e == OK && k.check_len != rows[n].check_len))
            fail_msg("%02X of %zu bytes: %s", rows[n].type, rows[n].len, err_name(e));
    }
}

/* GPCS 2.3.1 B.6: eight zeros for DES, sixteen 01 for AES (quirk-66). */
static void quirk_66_check_values_by_type(void **state)
{
    (void)state;
    struct new_key des, single, aes;
    assert_int_equal(
        new_key_symmetric(&des, crypto, KEY_TYPE_DES, vector_hex("404142434445464748494A4B4C4D4E4F")), OK);
    assert_memory_equal(des.check, vector_hex("8BAF47").data, 3);
    assert_int_equal(
        new_key_symmetric(&aes, crypto, KEY_TYPE_AES, vector_hex("404142434445464748494A4B4C4D4E4F")), OK);
    assert_memory_equal(aes.check, vector_hex("504A77").data, 3);
    /* DES of 8 bytes is Triple-DES with the key twice. */
    assert_int_equal(new_key_symmetric(&single, crypto, KEY_TYPE_DES, vector_hex("4041424344454647")), OK);
    assert_int_equal(
        new_key_symmetric(&des, crypto, KEY_TYPE_DES, vector_hex("40414243444546474041424344454647")), OK);
    assert_memory_equal(single.check, des.check, 3);
}

static void other_keys(void **state)
{
    (void)state;
    struct new_key k;
    uint8_t reference = 0;
    struct view one = view_of(some, 1), many = view_of(some, 1024), too_many = view_of(some, 1025);
    struct pk_rsa_parts parts = {.p = one, .q = one, .dp = one, .dq = one, .qinv = one};
    assert_int_equal(new_key_rsa_public(&k, many, one), OK);
    assert_int_equal(k.count, 2);
    assert_false(k.components[0].secret || k.components[1].secret);
    assert_int_equal(new_key_rsa_public(&k, too_many, one), ERR_ARGUMENT);
    assert_int_equal(new_key_rsa_public(&k, one, VIEW_NULL), ERR_ARGUMENT);
    assert_int_equal(new_key_rsa_private(&k, one, many), OK);
    assert_true(!k.components[0].secret && k.components[1].secret);
    assert_int_equal(new_key_rsa_private(&k, VIEW_NULL, one), ERR_ARGUMENT);
    assert_int_equal(new_key_rsa_private(&k, one, too_many), ERR_ARGUMENT);
    assert_int_equal(new_key_rsa_crt(&k, &parts), OK);
    assert_int_equal(k.count, 5);
    for (size_t n = 0; n < k.count; n++)
        assert_true(k.components[n].secret && k.components[n].type == KEY_TYPE_RSA_P + n);
    struct view *const each[] = {&parts.p, &parts.q, &parts.dp, &parts.dq, &parts.qinv};
    for (size_t n = 0; n < COUNT(each); n++) {
        each[n]->len = 0;
        assert_int_equal(new_key_rsa_crt(&k, &parts), ERR_ARGUMENT);
        each[n]->len = 1;
    }
    assert_int_equal(new_key_ec_public(&k, view_of(some, 65), &reference), OK);
    assert_int_equal(new_key_ec_public(&k, view_of(some, 64), &reference), ERR_ARGUMENT);
    assert_int_equal(new_key_ec_public(&k, view_of(some + 1, 65), &reference), ERR_ARGUMENT); /* not 04 */
    assert_int_equal(new_key_ec_public(&k, view_of(some, 135), &reference), ERR_ARGUMENT);
    assert_int_equal(new_key_ec_private(&k, view_of(some, 66), &reference), OK);
    assert_int_equal(new_key_ec_private(&k, VIEW_NULL, &reference), ERR_ARGUMENT);
}

/* Type, block and check value of one key, without its version. */
static struct view block_of(uint8_t type, size_t len, enum key_block form, enum key_type dek_type,
                            struct writer *w)
{
    struct card_keys dek = dek_of(dek_type);
    struct key_encryption encryption = secret_key_encryption(&dek);
    struct new_key k;
    struct apdu a;
    assert_int_equal(new_key_symmetric(&k, crypto, type, view_of(some, len)), OK);
    const struct put_key p = {.kvn = 1, .kid = 1, .keys = &k, .count = 1, .block = form};
    assert_int_equal(command_put_key(&a, w, crypto, &p, &encryption), OK);
    return view_tail(a.data, 1);
}

/* Tables 11-70, 11-71: type L [inner length] and how many encrypted bytes. */
static void quirk_76_forms_of_blocks(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint8_t type;
        size_t len;
        enum key_block form;
        enum key_type dek;
        const char *head; /* type, length and inner length */
        size_t encrypted;
    } rows[] = {
        {"AES-128", KEY_TYPE_AES, 16, KEY_BLOCK_USUAL, KEY_AES, "881110", 16},
        {"AES-128, bare", KEY_TYPE_AES, 16, KEY_BLOCK_BARE, KEY_AES, "8810", 16},
        {"AES-192 is padded to 32", KEY_TYPE_AES, 24, KEY_BLOCK_USUAL, KEY_AES, "882118", 32},
        {"AES-192 can't be bare", KEY_TYPE_AES, 24, KEY_BLOCK_BARE, KEY_AES, "882118", 32},
        {"AES-256", KEY_TYPE_AES, 32, KEY_BLOCK_USUAL, KEY_AES, "882120", 32},
        {"DES is bare", KEY_TYPE_DES, 16, KEY_BLOCK_USUAL, KEY_DES3, "8010", 16},
        {"DES with its length", KEY_TYPE_DES, 16, KEY_BLOCK_WITH_LENGTH, KEY_DES3, "801110", 16},
        {"DES of 24 under AES is padded", KEY_TYPE_DES, 24, KEY_BLOCK_USUAL, KEY_AES, "802118", 32},
        {"AES in SCP02 (quirk-65)", KEY_TYPE_AES, 16, KEY_BLOCK_USUAL, KEY_DES3, "881110", 16},
        {"AES-192 under Triple-DES fits", KEY_TYPE_AES, 24, KEY_BLOCK_BARE, KEY_DES3, "8818", 24},
        {"HMAC of 20", KEY_TYPE_HMAC_SHA1, 20, KEY_BLOCK_USUAL, KEY_AES, "902114", 32},
        {"PSK of 128", KEY_TYPE_TLS_PSK, 128, KEY_BLOCK_USUAL, KEY_AES, "8581828180", 128},
    };
    for (size_t n = 0; n < COUNT(rows); n++) {
        struct writer w;
        wr_heap(&w, BYTES_MAX);
        struct view v = block_of(rows[n].type, rows[n].len, rows[n].form, rows[n].dek, &w);
        struct view head = vector_hex(rows[n].head);
        size_t check = rows[n].type == KEY_TYPE_HMAC_SHA1 || rows[n].type == KEY_TYPE_TLS_PSK ? 1 : 4;
        if (!view_starts(v, head) || v.len != head.len + rows[n].encrypted + check)
            fail_msg("%s", rows[n].name);
        wr_free(&w);
    }
}

static void numbers(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint8_t replaced, kvn, kid;
        size_t count;
        enum err want;
        uint8_t p1, p2;
    } rows[] = {
        {"one new key", 0, 0x30, 1, 1, OK, 0x00, 0x01},
        {"three new keys", 0, 0x30, 1, 3, OK, 0x00, 0x81},
        {"replaces", 0x20, 0x30, 1, 3, OK, 0x20, 0x81},
        {"replaces the factory's (quirk-15)", 0xFF, 0x01, 1, 3, OK, 0xFF, 0x81},
        {"version 00", 0, 0, 1, 1, ERR_ARGUMENT, 0, 0},
        {"version 80", 0, 0x80, 1, 1, ERR_ARGUMENT, 0, 0},
        {"version FF is none for new keys (quirk-15)", 0, 0xFF, 1, 1, ERR_ARGUMENT, 0, 0},
        {"replaces 80", 0x80, 1, 1, 1, ERR_ARGUMENT, 0, 0},
        {"identifier 7F", 0, 1, 0x7F, 1, OK, 0x00, 0x7F},
        {"identifiers 7F and 80", 0, 1, 0x7F, 2, ERR_ARGUMENT, 0, 0},
        {"no key", 0, 1, 1, 0, ERR_ARGUMENT, 0, 0},
        {"nine keys", 0, 1, 1, 9, ERR_ARGUMENT, 0, 0},
    };
    struct card_keys dek = dek_of(KEY_AES);
    struct key_encryption encryption = secret_key_encryption(&dek);
    struct new_key keys[9];
    for (size_t n = 0; n < COUNT(keys); n++)
        assert_int_equal(new_key_symmetric(&keys[n], crypto, KEY_TYPE_AES, view_of(some, 16)), OK);
    for (size_t n = 0; n < COUNT(rows); n++) {
        struct writer w;
        struct apdu a;
        const struct put_key p = {.replaced = rows[n].replaced,
                                  .kvn = rows[n].kvn,
                                  .kid = rows[n].kid,
                                  .keys = keys,
                                  .count = rows[n].count};
        wr_heap(&w, BYTES_MAX);
        enum err e = command_put_key(&a, &w, crypto, &p, &encryption);
        if (e != rows[n].want || (e == OK && (a.p1 != rows[n].p1 || a.p2 != rows[n].p2)))
            fail_msg("%s: %s", rows[n].name, err_name(e));
        wr_free(&w);
    }
}

/* A secret goes nowhere without somebody to encrypt it; a public key needs nobody. */
static void no_encryption_no_secret(void **state)
{
    (void)state;
    struct writer w;
    struct apdu a;
    struct new_key k;
    struct put_key p = {.kvn = 1, .kid = 1, .keys = &k, .count = 1};
    wr_heap(&w, BYTES_MAX);
    assert_int_equal(new_key_symmetric(&k, crypto, KEY_TYPE_AES, view_of(some, 16)), OK);
    assert_int_equal(command_put_key(&a, &w, crypto, &p, NULL), ERR_ARGUMENT);
    assert_int_equal(new_key_rsa_public(&k, view_of(some, 3), view_of(some, 1)), OK);
    assert_int_equal(command_put_key(&a, &w, crypto, &p, NULL), OK);
    k.count = 0;
    assert_int_equal(command_put_key(&a, &w, crypto, &p, NULL), ERR_ARGUMENT);
    wr_free(&w);
}

static void answers(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        enum err want;
    } rows[] = {{"30504A77", OK},         {"31504A77", ERR_AUTH}, {"30504A78", ERR_AUTH},
                {"30504A7700", ERR_AUTH}, {"30504A", ERR_AUTH},   {"", ERR_AUTH}};
    struct new_key k;
    assert_int_equal(
        new_key_symmetric(&k, crypto, KEY_TYPE_AES, vector_hex("404142434445464748494A4B4C4D4E4F")), OK);
    const struct put_key p = {.kvn = 0x30, .kid = 1, .keys = &k, .count = 1};
    for (size_t n = 0; n < COUNT(rows); n++)
        if (put_key_check_answer(&p, vector_hex(rows[n].hex)) != rows[n].want)
            fail_msg("%s", rows[n].hex);
    const struct put_key many = {.kvn = 0x30, .kid = 1, .keys = &k, .count = PUT_KEYS_MAX + 1};
    assert_int_equal(put_key_check_answer(&many, VIEW_NULL), ERR_ARGUMENT);
}

static void texts(void **state)
{
    (void)state;
    assert_string_equal(key_type_text(0x88), "AES");
    assert_string_equal(key_type_text(0x81), "DES (ECB)"); /* quirk-63 */
    assert_string_equal(key_type_text(0x10), "private use");
    assert_string_equal(key_type_text(0xEE), "unknown");
}

/* ---- data groupings */

static void groupings(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        bool good;
        size_t count;
    } rows[] = {{"", true, 0},
                {"010100", true, 1},
                {"01010155", true, 1},
                {"0101FF0001AA", true, 1},
                {"0101000102010A", true, 2},
                {"01", false, 0},
                {"0101", false, 0},
                {"010101", false, 0},
                {"0101FF00", false, 0},
                {"0101FF0002AA", false, 0},
                {"01010055", false, 1}};
    for (size_t n = 0; n < COUNT(rows); n++) {
        struct reader r;
        struct dgi d;
        size_t count = 0;
        rd_init(&r, vector_hex(rows[n].hex));
        while (dgi_next(&r, &d))
            count++;
        if (rd_done(&r) != rows[n].good || count != rows[n].count ||
            dgi_valid(vector_hex(rows[n].hex)) != rows[n].good)
            fail_msg("%s", rows[n].hex);
    }
    for (size_t len = 250; len <= 260; len++) {
        uint8_t memory[300];
        struct writer w;
        struct reader r;
        struct dgi d;
        wr_fixed(&w, memory, sizeof(memory));
        dgi_put(&w, 0x8113, view_of(some, len));
        assert_int_equal(w.len, len + (len > 254 ? 5 : 3));
        rd_init(&r, wr_view_of(&w));
        assert_true(dgi_next(&r, &d) && d.id == 0x8113 && d.value.len == len && rd_done(&r));
    }
}

/* Values of whole blocks go as they are, others with 80 and zeros; or all are padded. */
static void padding_of_secrets(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        enum key_type dek;
        bool always;
        size_t want;
    } rows[] = {{16, KEY_AES, false, 16}, {16, KEY_AES, true, 32},   {15, KEY_AES, false, 16},
                {24, KEY_AES, false, 32}, {24, KEY_DES3, false, 24}, {24, KEY_DES3, true, 32},
                {0, KEY_AES, true, 16},   {7, KEY_DES3, false, 8}};
    for (size_t n = 0; n < COUNT(rows); n++) {
        struct writer w;
        struct reader r;
        struct dgi d;
        uint8_t plain[64], iv[16] = {0};
        struct card_keys dek = dek_of(rows[n].dek);
        struct key_encryption encryption = secret_key_encryption(&dek);
        wr_heap(&w, BYTES_MAX);
        assert_int_equal(
            dgi_put_encrypted(&w, crypto, 0x8113, view_of(some, rows[n].len), rows[n].always, &encryption),
            OK);
        rd_init(&r, wr_view_of(&w));
        assert_true(dgi_next(&r, &d));
        assert_int_equal(d.value.len, rows[n].want);
        assert_int_equal(rows[n].dek == KEY_AES
                             ? crypto_aes_cbc_decrypt(crypto, secret_view(&dek.dek), iv, d.value, plain)
                             : crypto_des3_ecb_decrypt(crypto, secret_view(&dek.dek), d.value, plain),
                         OK);
        assert_memory_equal(plain, some, rows[n].len);
        if (rows[n].want > rows[n].len)
            assert_int_equal(plain[rows[n].len], 0x80);
        for (size_t k = rows[n].len + 1; k < rows[n].want; k++)
            assert_int_equal(plain[k], 0);
        wr_free(&w);
    }
}

/* Table 11-92: the template says all of the key, its check value too. */
static void keys_as_groupings(void **state)
{
    (void)state;
    struct card_keys dek = dek_of(KEY_AES);
    struct key_encryption encryption = secret_key_encryption(&dek);
    struct store_key k = {.type = KEY_TYPE_AES,
                          .kid = 2,
                          .kvn = 0x30,
                          .usage = 0x14,
                          .access = 1,
                          .has_access = true,
                          .value = vector_hex("404142434445464748494A4B4C4D4E4F")};
    struct writer w;
    wr_heap(&w, BYTES_MAX);
    assert_int_equal(store_put_keys(&w, crypto, &k, 1, &encryption), OK);
    assert_true(
        view_starts(wr_view_of(&w), vector_hex("00B919B9179501149601018001888101108201028301308403504A77"
                                               "811310")));
    k.value.len = 15;
    assert_int_equal(store_put_keys(&w, crypto, &k, 1, &encryption), ERR_ARGUMENT);
    assert_int_equal(store_put_keys(&w, crypto, &k, 0, &encryption), ERR_ARGUMENT);
    wr_free(&w);
}

/* Every block size: the whole comes out again, no block is empty or too long, none ends in a header. */
static void blocks_end_inside_of_values(void **state)
{
    (void)state;
    struct writer dgi, tlv;
    wr_heap(&dgi, BYTES_MAX);
    wr_heap(&tlv, BYTES_MAX);
    for (size_t n = 0; n < 40; n++) {
        size_t len = n * n % 61 + (n % 9 == 0 ? 260 : 0);
        dgi_put(&dgi, (uint16_t)(0x9000 + n), view_of(some, len));
        wr_u8(&tlv, 0x5F);
        wr_u8(&tlv, 0x50);
        wr_u8(&tlv, len > 255 ? 0x82 : 0x81);
        if (len > 255)
            wr_u8(&tlv, (uint8_t)(len >> 8));
        wr_u8(&tlv, (uint8_t)len);
        wr_view(&tlv, view_of(some, len));
    }
    const struct {
        uint8_t flags;
        struct view data;
    } rows[] = {{STORE_DGI, wr_view_of(&dgi)}, {STORE_TLV, wr_view_of(&tlv)}, {0, wr_view_of(&tlv)}};
    for (size_t size = STORE_BLOCK_MIN; size <= 255; size++) {
        for (size_t n = 0; n < COUNT(rows); n++) {
            struct store_cut cut;
            struct view block;
            size_t at = 0;
            assert_int_equal(store_cut_init(&cut, rows[n].data, rows[n].flags, size), OK);
            while (store_cut_next(&cut, &block)) {
                assert_true(block.len > 0 && block.len <= size);
                assert_ptr_equal(block.data, rows[n].data.data + at);
                at += block.len;
                /* What is left begins in a value, or with a whole structure. */
                struct view rest = view_tail(rows[n].data, at + cut.inside);
                if (rows[n].flags == STORE_DGI && !dgi_valid(rest))
                    fail_msg("size %zu at %zu", size, at);
            }
            assert_int_equal(at, rows[n].data.len);
        }
    }
    struct store_cut cut;
    assert_int_equal(store_cut_init(&cut, VIEW_NULL, STORE_DGI, STORE_BLOCK_MIN - 1), ERR_ARGUMENT);
    assert_int_equal(store_cut_init(&cut, VIEW_NULL, STORE_DGI | STORE_TLV, 100), ERR_ARGUMENT);
    assert_int_equal(store_cut_init(&cut, vector_hex("0101"), STORE_DGI, 100), ERR_FORMAT);
    assert_int_equal(store_cut_init(&cut, vector_hex("C1"), STORE_TLV, 100), ERR_FORMAT);
    wr_free(&dgi);
    wr_free(&tlv);
}

/* quirk-73: Le only where an answer is asked for. */
static void quirk_73_store_data_with_an_answer(void **state)
{
    (void)state;
    struct apdu a;
    command_store_data(&a, view_of(some, 1), STORE_TLV, 0, true);
    assert_true(a.p1 == 0x90 && a.ne == 0);
    command_store_data(&a, view_of(some, 1), STORE_TLV | STORE_ANSWER, 0, true);
    assert_true(a.p1 == 0x91 && a.ne == 256);
    command_store_data(&a, view_of(some, 1), STORE_DGI | STORE_ENCRYPTED, 255, false);
    assert_true(a.p1 == 0x68 && a.p2 == 255);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_of_symmetric_keys),
        cmocka_unit_test(quirk_66_check_values_by_type),
        cmocka_unit_test(other_keys),
        cmocka_unit_test(quirk_76_forms_of_blocks),
        cmocka_unit_test(numbers),
        cmocka_unit_test(no_encryption_no_secret),
        cmocka_unit_test(answers),
        cmocka_unit_test(texts),
        cmocka_unit_test(groupings),
        cmocka_unit_test(padding_of_secrets),
        cmocka_unit_test(keys_as_groupings),
        cmocka_unit_test(blocks_end_inside_of_values),
        cmocka_unit_test(quirk_73_store_data_with_an_answer),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
