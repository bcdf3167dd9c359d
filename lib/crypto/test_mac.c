/* SPDX-License-Identifier: Apache-2.0
 *
 * MACs against published vectors, against a plain construction from the block cipher, in every partition, and
 * refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <crypto/crypto.h>
#include <support/vectors.h>

enum { LONG = 1100, PADDED_MAX = 64 };

static const uint8_t zero[AES_BLOCK];

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

/* GPCS 2.3.1 B.4: 80, then zeros to the next whole block. */
static struct view pad8(struct view v, uint8_t memory[PADDED_MAX])
{
    struct writer w;
    wr_fixed(&w, memory, PADDED_MAX);
    wr_view(&w, v);
    wr_u8(&w, 0x80);
    while (w.len % DES_BLOCK != 0)
        wr_u8(&w, 0);
    assert_true(wr_ok(&w));
    return wr_view_of(&w);
}

static void cmac_gives_the_published_bytes(void **state)
{
    json_t *rows = vectors_load("vectors/kdf.json"), *row;
    size_t n, checked = 0;
    for (int round = 0; round < 2; round++) {
        json_array_foreach(rows, n, row)
        {
            uint8_t mac[CMAC_LEN];
            if (!vector_is(row, "aes-cmac"))
                continue;
            struct view msg = vector_bytes(row, "msg");
            if (crypto_cmac(*state, vector_bytes(row, "key"), &msg, 1, mac) != OK ||
                !view_equal(VIEW_OF(mac), vector_bytes(row, "mac")))
                fail_msg("%s", vector_text(row, "id"));
            checked++;
        }
    }
    assert_int_equal(checked, 2 * 8);
}

static void parts_do_not_matter(void **state)
{
    uint8_t key[24], in[LONG], whole[CMAC_LEN], parts[CMAC_LEN];
    for (size_t i = 0; i < sizeof(key); i++)
        key[i] = (uint8_t)(i * 7);
    for (size_t i = 0; i < sizeof(in); i++)
        in[i] = (uint8_t)(i * 11);
    for (size_t len = 0; len <= LONG; len += len < 70 ? 1 : 103) {
        struct view v = view_of(in, len);
        assert_int_equal(crypto_cmac(*state, VIEW_OF(key), &v, 1, whole), OK);
        for (size_t cut = 0; cut <= len; cut += len < 70 ? 1 : 37) {
            const struct view two[] = {view_head(v, cut), VIEW_NULL, view_tail(v, cut)};
            assert_int_equal(crypto_cmac(*state, VIEW_OF(key), two, 3, parts), OK);
            if (memcmp(whole, parts, CMAC_LEN) != 0)
                fail_msg("%zu bytes cut at %zu", len, cut);
        }
    }
}

/* SP 800-38B anew, block by block on the ECB call: lengths around every edge of the real one. */
static void reference_cmac(struct crypto *c, struct view key, struct view in, uint8_t out[AES_BLOCK])
{
    uint8_t subkey[AES_BLOCK], block[AES_BLOCK] = {0};
    bool whole = in.len > 0 && in.len % AES_BLOCK == 0;
    assert_int_equal(crypto_aes_ecb_encrypt(c, key, VIEW_OF(zero), subkey), OK);
    for (int times = whole ? 1 : 2; times > 0; times--) {
        bool top = subkey[0] >= 0x80;
        for (size_t i = 0; i < AES_BLOCK; i++)
            subkey[i] = (uint8_t)(subkey[i] << 1 | (i + 1 < AES_BLOCK ? subkey[i + 1] >> 7 : 0));
        if (top)
            subkey[AES_BLOCK - 1] ^= 0x87;
    }
    while (in.len > AES_BLOCK) {
        for (size_t i = 0; i < AES_BLOCK; i++)
            block[i] ^= in.data[i];
        assert_int_equal(crypto_aes_ecb_encrypt(c, key, VIEW_OF(block), block), OK);
        in = view_tail(in, AES_BLOCK);
    }
    for (size_t i = 0; i < AES_BLOCK; i++)
        block[i] ^= (uint8_t)(subkey[i] ^ (i < in.len ? in.data[i] : i == in.len ? 0x80 : 0));
    assert_int_equal(crypto_aes_ecb_encrypt(c, key, VIEW_OF(block), out), OK);
}

static void cmac_is_right_at_every_length(void **state)
{
    uint8_t in[LONG], key[32], want[CMAC_LEN], got[CMAC_LEN];
    for (size_t i = 0; i < sizeof(in); i++)
        in[i] = (uint8_t)(i * 29 + 1);
    for (size_t len = 0; len <= LONG; len++) {
        memset(key, (int)len, sizeof(key)); /* subkeys with both outcomes of the doubling */
        struct view k = view_of(key, 16 + 8 * (len % 3)), v = view_of(in, len);
        reference_cmac(*state, k, v, want);
        assert_int_equal(crypto_cmac(*state, k, &v, 1, got), OK);
        if (memcmp(want, got, CMAC_LEN) != 0)
            fail_msg("%zu bytes", len);
    }
}

static void cmac_refuses_other_key_lengths(void **state)
{
    static const uint8_t key[40];
    uint8_t mac[CMAC_LEN] = {0xEE};
    for (size_t len = 0; len <= sizeof(key); len++) {
        bool good = len == 16 || len == 24 || len == 32;
        mac[0] = 0xEE;
        if (crypto_cmac(*state, view_of(key, len), NULL, 0, mac) != (good ? OK : ERR_ARGUMENT))
            fail_msg("a key of %zu bytes", len);
        assert_true(good || mac[0] == 0xEE);
    }
}

static void des_macs_give_the_published_bytes(void **state)
{
    json_t *rows = vectors_load("vectors/kdf.json"), *row;
    uint8_t memory[PADDED_MAX], mac[DES_BLOCK];
    size_t n, checked = 0;
    json_array_foreach(rows, n, row)
    {
        struct view key = vector_bytes(row, "key");
        if (vector_is(row, "mac-full3des"))
            assert_int_equal(crypto_mac_des3(*state, key, zero, vector_bytes(row, "data_padded"), mac), OK);
        else if (vector_is(row, "mac-retail"))
            assert_int_equal(
                crypto_mac_retail(*state, key, zero, pad8(vector_bytes(row, "data"), memory), mac), OK);
        else
            continue;
        if (!view_equal(VIEW_OF(mac), vector_bytes(row, "mac")))
            fail_msg("%s", vector_text(row, "id"));
        checked++;
    }
    assert_int_equal(checked, 2);
}

/* GPCS 2.3.1 E.3.4: the MAC before, encrypted with single DES, is the next initial value. */
static void retail_macs_chain(void **state)
{
    json_t *rows = vectors_load("vectors/kdf.json"), *row;
    size_t n, checked = 0;
    json_array_foreach(rows, n, row)
    {
        if (!vector_is(row, "mac-retail-chain"))
            continue;
        uint8_t memory[PADDED_MAX], mac[DES_BLOCK], icv[DES_BLOCK];
        struct view key = vector_bytes(row, "key");
        const json_t *first = json_object_get(row, "first"), *second = json_object_get(row, "second");
        assert_int_equal(crypto_mac_retail(*state, key, zero, pad8(vector_bytes(first, "data"), memory), mac),
                         OK);
        assert_true(view_equal(VIEW_OF(mac), vector_bytes(first, "mac")));
        assert_int_equal(crypto_des_ecb_encrypt(*state, view_head(key, DES_BLOCK), VIEW_OF(mac), icv), OK);
        assert_true(view_equal(VIEW_OF(icv), vector_bytes(second, "icv_encrypted")));
        assert_int_equal(crypto_mac_retail(*state, key, icv, pad8(vector_bytes(second, "data"), memory), mac),
                         OK);
        assert_true(view_equal(VIEW_OF(mac), vector_bytes(second, "mac")));
        checked++;
    }
    assert_int_equal(checked, 1);
}

/* Both are CBC runs whose last block is the MAC: also over inputs longer than one piece. */
static void long_des_macs_are_the_last_block_of_cbc(void **state)
{
    uint8_t in[LONG - LONG % 8], cbc[sizeof(in)], mac[DES_BLOCK], icv[DES_BLOCK] = {1, 2, 3}, tail[DES_BLOCK];
    uint8_t key[16], single[16];
    for (size_t i = 0; i < sizeof(in); i++)
        in[i] = (uint8_t)(i * 13);
    for (size_t i = 0; i < sizeof(key); i++)
        key[i] = (uint8_t)(0x10 + i);
    memcpy(single, key, 8);
    memcpy(single + 8, key, 8);
    for (size_t len = 8; len <= sizeof(in); len += 8) {
        struct view v = view_of(in, len);
        assert_int_equal(crypto_des3_cbc_encrypt(*state, VIEW_OF(key), icv, v, cbc), OK);
        assert_int_equal(crypto_mac_des3(*state, VIEW_OF(key), icv, v, mac), OK);
        assert_memory_equal(mac, cbc + len - 8, 8);

        const uint8_t *chain = icv;
        if (len > 8) {
            assert_int_equal(
                crypto_des3_cbc_encrypt(*state, VIEW_OF(single), icv, view_head(v, len - 8), cbc), OK);
            chain = cbc + len - 16;
        }
        assert_int_equal(crypto_des3_cbc_encrypt(*state, VIEW_OF(key), chain, view_of(in + len - 8, 8), tail),
                         OK);
        assert_int_equal(crypto_mac_retail(*state, VIEW_OF(key), icv, v, mac), OK);
        assert_memory_equal(mac, tail, 8);
    }
}

static void des_macs_refuse_bad_lengths(void **state)
{
    static const uint8_t key[40], in[24];
    uint8_t mac[DES_BLOCK];
    for (size_t len = 0; len <= sizeof(key); len++) {
        enum err retail = len == 16 ? OK : ERR_ARGUMENT, des3 = len == 16 || len == 24 ? OK : ERR_ARGUMENT;
        if (crypto_mac_retail(*state, view_of(key, len), zero, VIEW_OF(in), mac) != retail ||
            crypto_mac_des3(*state, view_of(key, len), zero, VIEW_OF(in), mac) != des3)
            fail_msg("a key of %zu bytes", len);
    }
    for (size_t len = 0; len <= sizeof(in); len++) {
        enum err want = len > 0 && len % 8 == 0 ? OK : ERR_ARGUMENT;
        memset(mac, 0xEE, sizeof(mac));
        if (crypto_mac_retail(*state, view_of(key, 16), zero, view_of(in, len), mac) != want ||
            crypto_mac_des3(*state, view_of(key, 16), zero, view_of(in, len), mac) != want)
            fail_msg("%zu bytes", len);
        assert_true(want == OK || mac[0] == 0xEE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cmac_gives_the_published_bytes),
        cmocka_unit_test(parts_do_not_matter),
        cmocka_unit_test(cmac_is_right_at_every_length),
        cmocka_unit_test(cmac_refuses_other_key_lengths),
        cmocka_unit_test(des_macs_give_the_published_bytes),
        cmocka_unit_test(retail_macs_chain),
        cmocka_unit_test(long_des_macs_are_the_last_block_of_cbc),
        cmocka_unit_test(des_macs_refuse_bad_lengths),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
