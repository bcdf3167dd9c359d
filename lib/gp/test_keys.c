/* SPDX-License-Identifier: Apache-2.0
 *
 * Diversification and check values against published vectors, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <gp/keys.h>
#include <support/vectors.h>

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

static struct card_keys same_keys(enum key_type type, struct view key)
{
    struct card_keys k = {.type = type};
    assert_int_equal(secret_set(&k.enc, key), OK);
    k.mac = k.enc;
    k.dek = k.enc;
    return k;
}

static void expect_key(struct crypto *c, const json_t *row, const char *name, enum key_type type,
                       const struct secret *key)
{
    uint8_t kcv[3];
    assert_int_equal(key_check_value(c, type, key, kcv), OK);
    if (!view_equal(secret_view(key), vector_bytes(row, name)) ||
        !view_equal(VIEW_OF(kcv), vector_bytes(json_object_get(row, "kcv"), name)))
        fail_msg("%s: %s", vector_text(row, "id"), name);
}

static void diversification_vectors(void **state)
{
    struct crypto *c = *state;
    size_t index, count = 0;
    json_t *row;
    json_array_foreach(vectors_load("vectors/kdf.json"), index, row)
    {
        enum kdf kdf;
        struct card_keys out;
        if (!vector_is(row, "diversification"))
            continue;
        assert_int_equal(kdf_by_name(vector_text(row, "method"), &kdf), OK);
        struct card_keys master =
            same_keys(kdf == KDF_KDF3 ? KEY_AES : KEY_DES3, vector_bytes(row, "master"));
        assert_int_equal(kdf_derive(c, kdf, &master, vector_bytes(row, "kdd"), &out), OK);
        expect_key(c, row, "enc", out.type, &out.enc);
        expect_key(c, row, "mac", out.type, &out.mac);
        expect_key(c, row, "dek", out.type, &out.dek);
        count++;
    }
    assert_int_equal(count, 11);
}

static void check_value_vectors(void **state)
{
    struct crypto *c = *state;
    size_t index, count = 0;
    json_t *row;
    json_array_foreach(vectors_load("vectors/kdf.json"), index, row)
    {
        struct secret key;
        uint8_t kcv[3];
        if (!vector_is(row, "kcv"))
            continue;
        enum key_type type = strcmp(vector_text(row, "alg"), "DES3") == 0 ? KEY_DES3 : KEY_AES;
        assert_int_equal(secret_set(&key, vector_bytes(row, "key")), OK);
        assert_int_equal(key_check_value(c, type, &key, kcv), OK);
        if (!view_equal(VIEW_OF(kcv), vector_bytes(row, "kcv")))
            fail_msg("%s", vector_text(row, "id"));
        count++;
    }
    assert_int_equal(count, 23);
}

static void what_does_not_go_together(void **state)
{
    static const struct {
        const char *name;
        enum kdf kdf;
        enum key_type type;
        size_t key_len, kdd_len;
        enum err want;
    } rows[] = {
        {"none", KDF_NONE, KEY_DES3, 16, 10, OK},
        {"none needs no diversification data", KDF_NONE, KEY_AES, 32, 0, OK},
        {"imported", KDF_IMPORTED, KEY_AES, 24, 10, OK},
        {"visa2", KDF_VISA2, KEY_DES3, 16, 10, OK},
        {"visa2, master of 24 bytes", KDF_VISA2, KEY_DES3, 24, 10, OK},
        {"visa2, short data", KDF_VISA2, KEY_DES3, 16, 9, ERR_ARGUMENT},
        {"visa2, long data", KDF_VISA2, KEY_DES3, 16, 11, ERR_ARGUMENT},
        {"visa2, AES", KDF_VISA2, KEY_AES, 16, 10, ERR_UNSUPPORTED},
        {"visa", KDF_VISA, KEY_DES3, 16, 10, OK},
        {"visa, short data", KDF_VISA, KEY_DES3, 16, 9, ERR_ARGUMENT},
        {"visa, AES", KDF_VISA, KEY_AES, 16, 10, ERR_UNSUPPORTED},
        {"single DES", KDF_NONE, KEY_DES, 8, 10, OK},
        {"single DES of 16 bytes", KDF_NONE, KEY_DES, 16, 10, ERR_ARGUMENT},
        {"visa2, single DES", KDF_VISA2, KEY_DES, 8, 10, ERR_UNSUPPORTED},
        {"emv, AES", KDF_EMV, KEY_AES, 16, 10, ERR_UNSUPPORTED},
        {"emv, no data", KDF_EMV, KEY_DES3, 16, 0, ERR_ARGUMENT},
        {"kdf3, DES", KDF_KDF3, KEY_DES3, 16, 10, ERR_UNSUPPORTED},
        {"kdf3, AES-192", KDF_KDF3, KEY_AES, 24, 10, OK},
        {"DES key of 32 bytes", KDF_NONE, KEY_DES3, 32, 10, ERR_ARGUMENT},
        {"AES key of 8 bytes", KDF_NONE, KEY_AES, 8, 10, ERR_ARGUMENT},
        {"no key", KDF_NONE, KEY_AES, 0, 10, ERR_ARGUMENT},
        {"no such scheme", KDF_COUNT, KEY_AES, 16, 10, ERR_ARGUMENT},
        {"no such key type", KDF_NONE, KEY_TYPE_COUNT, 16, 10, ERR_ARGUMENT},
    };
    static const uint8_t bytes[SECRET_MAX] = {1, 2, 3};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct card_keys master = same_keys(rows[i].type, view_of(bytes, rows[i].key_len)), out;
        enum err e = kdf_derive(*state, rows[i].kdf, &master, view_of(bytes, rows[i].kdd_len), &out);
        if (e != rows[i].want)
            fail_msg("%s: %s", rows[i].name, err_name(e));
    }
}

/* Each of the three keys is checked and derived by itself. */
static void three_keys(void **state)
{
    static const uint8_t bytes[SECRET_MAX] = {1, 2, 3};
    struct card_keys master = same_keys(KEY_AES, view_of(bytes, 16)), out;
    struct secret *keys[] = {&master.enc, &master.mac, &master.dek};
    for (size_t i = 0; i < 3; i++) {
        keys[i]->len = 15;
        assert_int_equal(kdf_derive(*state, KDF_NONE, &master, VIEW_NULL, &out), ERR_ARGUMENT);
        keys[i]->len = 16;
    }
    assert_int_equal(kdf_derive(*state, KDF_KDF3, &master, view_of(bytes, 10), &out), OK);
    assert_false(view_equal(secret_view(&out.enc), secret_view(&out.mac)));
    assert_false(view_equal(secret_view(&out.mac), secret_view(&out.dek)));
}

static void names(void **state)
{
    (void)state;
    for (unsigned k = 0; k < KDF_COUNT; k++) {
        enum kdf found = KDF_COUNT;
        assert_int_equal(kdf_by_name(kdf_name((enum kdf)k), &found), OK);
        assert_int_equal(found, k);
    }
    enum kdf kdf = KDF_EMV;
    assert_int_equal(kdf_by_name("Visa2", &kdf), ERR_NOT_FOUND);
    assert_int_equal(kdf, KDF_EMV);
    assert_string_equal(kdf_name(KDF_COUNT), "unknown");
}

/* Computed with the openssl program: kdf -kdfopt mac:CMAC -kdfopt cipher:AES-<bits>-CBC -kdfopt salt:<label>
 * -kdfopt info:<context> KBKDF. */
static void derived_data(void **state)
{
    static const struct {
        const char *key, *label, *context, *out;
    } rows[] = {
        {"404142434445464748494A4B4C4D4E4F", "70696E", "00112233445566778899",
         "4D12DFDB80FCE31ADEF202345512E003"},
        {"404142434445464748494A4B4C4D4E4F", "70696E", "00112233445566778899", "A1CD4C7A9F"},
        {"404142434445464748494A4B4C4D4E4F5051525354555657", "70696E", "00112233445566778899",
         "A4619C002F2E24B8C5A48C252809A9B4B08007A87A0AD4CD"},
        {"404142434445464748494A4B4C4D4E4F505152535455565758595A5B5C5D5E5F", "70696E", "00112233445566778899",
         "22104E1A47AB437623371AFD4BC03A50329A01B9BAD67D79CAC700766AF858A1"
         "0C0DBD6CCA1906318A79773E324B19D8732858460D6061C712FE1BFBBA9A9581"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct view want = vector_hex(rows[i].out);
        uint8_t out[64];
        struct secret key;
        assert_int_equal(secret_set(&key, vector_hex(rows[i].key)), OK);
        assert_int_equal(key_derive_data(*state, &key, vector_hex(rows[i].label), vector_hex(rows[i].context),
                                         out, want.len),
                         OK);
        if (!view_equal(view_of(out, want.len), want))
            fail_msg("row %zu", i);
    }
}

static void derived_data_limits(void **state)
{
    uint8_t out[64];
    struct secret key = {.len = 16};
    struct view label = view_str("x");
    assert_int_equal(key_derive_data(*state, &key, label, VIEW_NULL, out, 0), ERR_ARGUMENT);
    assert_int_equal(key_derive_data(*state, &key, label, VIEW_NULL, out, 64), OK);
    assert_int_equal(key_derive_data(*state, &key, label, VIEW_NULL, out, 65), ERR_ARGUMENT);
    key.len = 17;
    assert_int_equal(key_derive_data(*state, &key, label, VIEW_NULL, out, 16), ERR_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(diversification_vectors),
        cmocka_unit_test(check_value_vectors),
        cmocka_unit_test(what_does_not_go_together),
        cmocka_unit_test(three_keys),
        cmocka_unit_test(names),
        cmocka_unit_test(derived_data),
        cmocka_unit_test(derived_data_limits),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
