/* SPDX-License-Identifier: Apache-2.0
 *
 * Signatures of content management with every kind of key, DAP blocks, load files, tokens and receipts: made,
 * verified, changed byte by byte, malformed. Vectors of them are in tests/vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <gp/dap.h>
#include <gp/token.h>
#include <support/vectors.h>

enum { BYTES_MAX = 4096, KEYS = 8 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct crypto *crypto;
static struct signature_key keys[KEYS];
static const uint8_t secret[32] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17};

/* One of each kind, and each curve that has a digest of its own. */
static int setup(void **state)
{
    (void)state;
    static const enum pk_curve curves[] = {CURVE_P256, CURVE_P384, CURVE_P521};
    if (crypto_new(&crypto) != OK)
        return -1;
    keys[0] = (struct signature_key){SIGNATURE_DES, view_of(secret, 16), NULL};
    keys[1] = (struct signature_key){SIGNATURE_AES, view_of(secret, 16), NULL};
    keys[2] = (struct signature_key){SIGNATURE_AES, view_of(secret, 32), NULL};
    if (pk_generate(crypto, PK_RSA, 1024, &keys[3].pk) != OK ||
        pk_generate(crypto, PK_RSA, 2048, &keys[4].pk) != OK)
        return -1;
    for (size_t n = 0; n < COUNT(curves); n++)
        if (pk_generate_ec(crypto, curves[n], &keys[5 + n].pk) != OK)
            return -1;
    for (size_t n = 3; n < KEYS; n++)
        if (signature_kind_for(keys[n].pk, &keys[n].kind) != OK)
            return -1;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t n = 3; n < KEYS; n++)
        pk_free(&keys[n].pk);
    crypto_free(&crypto);
    vectors_free();
    return 0;
}

/* GPCS 2.3.1 B.3.1 for RSA of 1024 bits, B.3.2 above; table B-3 for curves. */
static void kinds_by_key(void **state)
{
    (void)state;
    static const enum signature_kind want[KEYS] = {SIGNATURE_DES,      SIGNATURE_AES,     SIGNATURE_AES,
                                                   SIGNATURE_RSA_SHA1, SIGNATURE_RSA_PSS, SIGNATURE_ECDSA,
                                                   SIGNATURE_ECDSA,    SIGNATURE_ECDSA};
    static const size_t lens[KEYS] = {8, 16, 16, 128, 256, 64, 96, 132};
    struct pk *dsa = NULL;
    enum signature_kind kind;
    for (size_t n = 0; n < KEYS; n++) {
        assert_int_equal(keys[n].kind, want[n]);
        assert_int_equal(signature_len(&keys[n]), lens[n]);
    }
    assert_int_equal(signature_ec_digest(CURVE_P256), DIGEST_SHA256);
    assert_int_equal(signature_ec_digest(CURVE_P384), DIGEST_SHA384);
    assert_int_equal(signature_ec_digest(CURVE_P521), DIGEST_SHA512);
    assert_int_equal(signature_ec_digest(CURVE_BRAINPOOL_P256R1), DIGEST_SHA256);
    assert_int_equal(signature_ec_digest(CURVE_BRAINPOOL_P384R1), DIGEST_SHA384);
    assert_int_equal(signature_ec_digest(CURVE_BRAINPOOL_P512R1), DIGEST_SHA512);
    assert_int_equal(pk_generate(crypto, PK_DSA, 2048, &dsa), OK);
    assert_int_equal(signature_kind_for(dsa, &kind), ERR_UNSUPPORTED);
    pk_free(&dsa);
}

static void names(void **state)
{
    (void)state;
    enum signature_kind kind;
    for (enum signature_kind k = SIGNATURE_DES; k < SIGNATURE_KIND_COUNT; k++) {
        assert_int_equal(signature_kind_by_name(signature_kind_name(k), &kind), OK);
        assert_int_equal(kind, k);
    }
    assert_string_equal(signature_kind_name(SIGNATURE_KIND_COUNT), "?");
    assert_int_equal(signature_kind_by_name("rsa", &kind), ERR_NOT_FOUND);
}

/* Over two parts as over one; every changed byte of signature and message is noticed, and another length. */
static void made_and_changed(void **state)
{
    (void)state;
    const uint8_t message[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    for (size_t n = 0; n < KEYS; n++) {
        uint8_t memory[SIGNATURE_MAX + 1], changed[sizeof(message)];
        struct writer w;
        const struct view parts[] = {view_of(message, 4), view_of(message + 4, 5)}, whole = VIEW_OF(message);
        wr_fixed(&w, memory, SIGNATURE_MAX);
        assert_int_equal(signature_make(crypto, &keys[n], parts, 2, &w), OK);
        assert_int_equal(signature_check(crypto, &keys[n], &whole, 1, wr_view_of(&w)), OK);
        size_t len = w.len;
        for (size_t k = 0; k<len; k += len> 64 ? 13 : 1) {
            memory[k] ^= 0x10;
            assert_int_equal(signature_check(crypto, &keys[n], &whole, 1, view_of(memory, len)), ERR_AUTH);
            memory[k] ^= 0x10;
        }
        for (size_t k = 0; k < sizeof(message); k++) {
            memcpy(changed, message, sizeof(message));
            changed[k] ^= 1;
            const struct view other = VIEW_OF(changed);
            assert_int_equal(signature_check(crypto, &keys[n], &other, 1, view_of(memory, len)), ERR_AUTH);
        }
        assert_int_equal(signature_check(crypto, &keys[n], &whole, 1, view_of(memory, len - 1)), ERR_AUTH);
        memory[len] = 0;
        assert_int_equal(signature_check(crypto, &keys[n], &whole, 1, view_of(memory, len + 1)), ERR_AUTH);
        assert_int_equal(signature_check(crypto, &keys[n], &whole, 1, VIEW_NULL), ERR_AUTH);
        for (size_t other = 0; other < KEYS; other++)
            if (other != n)
                assert_int_equal(signature_check(crypto, &keys[other], &whole, 1, view_of(memory, len)),
                                 ERR_AUTH);
    }
}

static void keys_that_do_not_fit(void **state)
{
    (void)state;
    uint8_t memory[SIGNATURE_MAX];
    struct writer w;
    const struct view v = view_of(secret, 4);
    const struct signature_key rows[] = {
        {SIGNATURE_DES, view_of(secret, 8), NULL},
        {SIGNATURE_DES, view_of(secret, 17), NULL},
        {SIGNATURE_DES, VIEW_NULL, NULL},
        {SIGNATURE_AES, view_of(secret, 15), NULL},
        {SIGNATURE_AES, view_of(secret, 16), keys[3].pk},
        {SIGNATURE_RSA_SHA1, VIEW_NULL, NULL},
        {SIGNATURE_RSA_SHA1, VIEW_NULL, keys[5].pk},
        {SIGNATURE_ECDSA, VIEW_NULL, keys[3].pk},
        {SIGNATURE_KIND_COUNT, view_of(secret, 16), NULL},
    };
    for (size_t n = 0; n < COUNT(rows); n++) {
        wr_fixed(&w, memory, sizeof(memory));
        if (signature_make(crypto, &rows[n], &v, 1, &w) != ERR_ARGUMENT ||
            signature_check(crypto, &rows[n], &v, 1, view_of(memory, 8)) != ERR_ARGUMENT)
            fail_msg("row %zu", n);
    }
    assert_int_equal(signature_len(&rows[5]), 0);
}

/* ---- DAP blocks */

static void dap_blocks(void **state)
{
    (void)state;
    uint8_t memory[BYTES_MAX];
    struct writer w;
    struct load_file file;
    struct view domain = vector_hex("A00000015153504101"), hash = view_of(secret, 20);
    for (size_t n = 0; n < KEYS; n++) {
        wr_fixed(&w, memory, sizeof(memory));
        assert_int_equal(dap_sign(crypto, &keys[n], hash, domain, &w), OK);
        wr_view(&w, vector_hex("C403010203"));
        assert_int_equal(load_file_parse(wr_view_of(&w), &file), OK);
        assert_int_equal(file.dap_count, 1);
        assert_true(view_equal(file.daps[0].domain, domain));
        assert_int_equal(dap_verify(crypto, &keys[n], hash, file.daps[0].signature), OK);
        assert_int_equal(dap_verify(crypto, &keys[n], view_of(secret + 1, 20), file.daps[0].signature),
                         ERR_AUTH);
        assert_int_equal(dap_verify(crypto, &keys[n], view_of(secret, 21), file.daps[0].signature),
                         ERR_ARGUMENT);
    }
    assert_int_equal(dap_sign(crypto, &keys[0], view_of(secret, 19), domain, &w), ERR_ARGUMENT);
    assert_int_equal(dap_put(&w, view_of(secret, 4), hash), ERR_ARGUMENT);
    assert_int_equal(dap_put(&w, view_of(secret, 17), hash), ERR_ARGUMENT);
    assert_int_equal(dap_put(&w, domain, VIEW_NULL), ERR_ARGUMENT);
    assert_int_equal(dap_put(&w, domain, view_of(memory, SIGNATURE_MAX + 1)), ERR_ARGUMENT);
}

#define DAP "E20A4F05A000000001C30101"

static void load_files(void **state)
{
    (void)state;
    static const struct {
        const char *name, *hex;
        enum err want;
        size_t daps;
        bool ciphered;
    } rows[] = {
        {"plain", "C403010203", OK, 0, false},
        {"empty", "C400", OK, 0, false},
        {"with a DAP block", DAP "C40101", OK, 1, false},
        {"with eight", DAP DAP DAP DAP DAP DAP DAP DAP "C40101", OK, 8, false},
        {"with nine", DAP DAP DAP DAP DAP DAP DAP DAP DAP "C40101", ERR_LIMIT, 0, false},
        {"encrypted", "D40101", OK, 0, true},
        {"encrypted, with an initial value", DAP "D30101D40101", OK, 1, true},
        {"an initial value, and nothing encrypted", "D30101C40101", ERR_FORMAT, 0, false},
        {"an initial value alone", "D30101", ERR_FORMAT, 0, false},
        {"nothing", "", ERR_FORMAT, 0, false},
        {"a DAP block alone", DAP, ERR_FORMAT, 0, false},
        {"a DAP block behind", "C40101" DAP, ERR_FORMAT, 0, false},
        {"a byte behind", "C4010100", ERR_FORMAT, 0, false},
        {"another object", "C50101", ERR_FORMAT, 0, false},
        {"an AID of 4 bytes", "E2094F04A0000000C30101C40101", ERR_FORMAT, 0, false},
        {"no signature", "E2094F05A000000001C300C40101", ERR_FORMAT, 0, false},
        {"no signature at all", "E2074F05A000000001C40101", ERR_FORMAT, 0, false},
        {"signature first", "E20AC301014F05A000000001C40101", ERR_FORMAT, 0, false},
        {"two signatures", "E20D4F05A000000001C30101C30101C40101", ERR_FORMAT, 0, false},
        {"cut", "C4030102", ERR_FORMAT, 0, false},
    };
    for (size_t n = 0; n < COUNT(rows); n++) {
        struct load_file f = {.dap_count = 77};
        enum err e = load_file_parse(vector_hex(rows[n].hex), &f);
        if (e != rows[n].want || f.dap_count != (e == OK ? rows[n].daps : 77) ||
            (e == OK && f.ciphered != rows[n].ciphered))
            fail_msg("%s: %s", rows[n].name, err_name(e));
    }
}

static void ciphered_load_files(void **state)
{
    (void)state;
    uint8_t memory[BYTES_MAX];
    struct writer w;
    struct load_file f;
    struct view key = view_of(secret, 16), block = view_of(secret, 17);
    wr_fixed(&w, memory, sizeof(memory));
    assert_int_equal(load_file_put_ciphered(&w, crypto, KEY_AES, key, view_of(secret, 8), block),
                     ERR_ARGUMENT);
    assert_int_equal(load_file_put_ciphered(&w, crypto, KEY_DES3, key, view_of(secret, 16), block),
                     ERR_ARGUMENT);
    assert_int_equal(load_file_put_ciphered(&w, crypto, KEY_TYPE_COUNT, key, VIEW_NULL, block), ERR_ARGUMENT);
    assert_int_equal(w.len, 0);
    assert_int_equal(load_file_put_ciphered(&w, crypto, KEY_AES, key, view_of(secret, 16), block), OK);
    assert_int_equal(load_file_parse(wr_view_of(&w), &f), OK);
    assert_int_equal(f.block.len, 32);
    assert_true(view_equal(f.icv, view_of(secret, 16)));
    uint8_t plain[32];
    assert_int_equal(crypto_aes_cbc_decrypt(crypto, key, secret, f.block, plain), OK);
    assert_memory_equal(plain, secret, 17);
    assert_int_equal(plain[17], 0x80);
}

/* quirk-47: what signing tools of the field leave in a CAP file covers what is loaded. */
static void quirk_47_names_of_signatures(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum err want;
        enum signature_kind kind;
        enum digest digest;
    } rows[] = {
        {"dap.rsa.sha1", OK, SIGNATURE_RSA_SHA1, DIGEST_SHA1},
        {"META-INF/dap.p256.sha256", OK, SIGNATURE_ECDSA, DIGEST_SHA256},
        {"dap.p384.sha384", OK, SIGNATURE_ECDSA, DIGEST_SHA384},
        {"dap.aes.sha512", OK, SIGNATURE_AES, DIGEST_SHA512},
        {"dap.rsa", ERR_NOT_FOUND, 0, 0},
        {"dap.rsa.md5", ERR_NOT_FOUND, 0, 0},
        {"dap.dsa.sha1", ERR_NOT_FOUND, 0, 0},
        {"dap.rsa.sha1.old", ERR_NOT_FOUND, 0, 0},
        {"pad.rsa.sha1", ERR_NOT_FOUND, 0, 0},
        {"", ERR_NOT_FOUND, 0, 0},
    };
    for (size_t n = 0; n < COUNT(rows); n++) {
        struct dap_entry_name name;
        enum err e = dap_entry_name(view_str(rows[n].name), &name);
        if (e != rows[n].want || (e == OK && (name.kind != rows[n].kind || name.digest != rows[n].digest)))
            fail_msg("%s", rows[n].name);
    }
}

/* ---- tokens */

static void token_inputs(void **state)
{
    (void)state;
    uint8_t memory[BYTES_MAX];
    struct writer w;
    struct view aid = vector_hex("A000000001");
    struct install i = {.purpose = INSTALL_LOAD, .package = aid, .token = view_of(secret, 8)};
    struct delete_content d = {.aids = &aid, .count = 1, .token = view_of(secret, 8)};
    wr_fixed(&w, memory, sizeof(memory));
    assert_int_equal(token_input_install(&w, &i), OK);
    assert_true(view_equal(wr_view_of(&w), vector_hex("02000905A000000001000000")));
    wr_clear(&w);
    assert_int_equal(token_input_delete(&w, &d), OK);
    assert_true(view_equal(wr_view_of(&w), vector_hex("0000074F05A000000001")));
    i.purpose = INSTALL_PERSONALIZATION;
    assert_int_equal(token_input_install(&w, &i), ERR_ARGUMENT);
    d.count = 0;
    assert_int_equal(token_input_delete(&w, &d), ERR_ARGUMENT);
    const struct install begin = {.purpose = INSTALL_ALL_BEGIN, .package = aid},
                         end = {.purpose = INSTALL_ALL_END, .application = aid};
    wr_clear(&w);
    assert_int_equal(token_input_all(&w, &begin, &end), OK);
    assert_true(view_starts(wr_view_of(&w), vector_hex("0E0109")));
    assert_int_equal(token_input_all(&w, &end, &begin), ERR_ARGUMENT);
    assert_int_equal(token_input_all(&w, &begin, &begin), ERR_ARGUMENT);
}

/* 255 bytes have one byte of length, 256 have three (C.4). */
static void token_input_of_a_long_command(void **state)
{
    (void)state;
    static uint8_t parameters[300];
    for (size_t len = 230; len <= 260; len++) {
        uint8_t memory[BYTES_MAX];
        struct writer w;
        struct reader r;
        const struct install i = {.purpose = INSTALL_LOAD,
                                  .package = vector_hex("A000000001"),
                                  .parameters = view_of(parameters, len)};
        wr_fixed(&w, memory, sizeof(memory));
        assert_int_equal(token_input_install(&w, &i), OK);
        rd_init(&r, view_tail(wr_view_of(&w), 2));
        size_t told = rd_u8(&r);
        size_t want = 6 + 1 + 1 + (len > 255 ? 3U : 2U) + len;
        if (want > 255)
            told = told == 0 ? (size_t)rd_u16(&r) : 0;
        assert_int_equal(told, want);
        assert_int_equal(rd_left(&r), want);
    }
}

/* ---- receipts */

static void receipts(void **state)
{
    (void)state;
    static const struct {
        const char *name, *hex;
        enum err want;
        size_t signature;
        unsigned counter;
    } rows[] = {
        {"signed", "0B02AABB0200050442034500", OK, 2, 5},
        {"not signed", "09000200050442034500", OK, 0, 5},
        {"with a token's identifier", "0B0002000504420345000107", OK, 0, 5},
        {"with a digest too", "0E000200050442034500010702AABB", OK, 0, 5},
        {"none: 00", "00", ERR_NOT_FOUND, 0, 0},
        {"none: nothing", "", ERR_NOT_FOUND, 0, 0},
        {"none, memory sizes behind", "00C7020000C8020006", ERR_NOT_FOUND, 0, 0},
        {"cut", "0A02AABB020005044203", ERR_FORMAT, 0, 0},
        {"a counter of one byte", "080001050442034500", ERR_FORMAT, 0, 0},
        {"a counter of three bytes", "0A00030000050442034500", ERR_FORMAT, 0, 0},
        {"no data of the domain", "0400020005", ERR_FORMAT, 0, 0},
        {"a byte behind", "0E000200050442034500010701AA00", ERR_FORMAT, 0, 0},
        {"signature longer than all", "0305AABB", ERR_FORMAT, 0, 0},
    };
    for (size_t n = 0; n < COUNT(rows); n++) {
        struct receipt r = {.counter = 999};
        enum err e = receipt_parse(vector_hex(rows[n].hex), &r);
        if (e != rows[n].want ||
            (e == OK && (r.signature.len != rows[n].signature || r.counter != rows[n].counter)) ||
            (e != OK && r.counter != 999))
            fail_msg("%s: %s", rows[n].name, err_name(e));
    }
}

static void receipts_verified(void **state)
{
    (void)state;
    struct view aid = vector_hex("A000000001"), other = vector_hex("A000000002");
    for (size_t n = 0; n < KEYS; n++) {
        uint8_t input_memory[BYTES_MAX], signature_memory[SIGNATURE_MAX];
        struct writer input, signature;
        struct receipt r = {.confirmation = vector_hex("0200050442034500"), .counter = 5};
        struct receipt_about about = {.kind = RECEIPT_LOAD, .package = aid, .domain = other};
        wr_fixed(&input, input_memory, sizeof(input_memory));
        wr_fixed(&signature, signature_memory, sizeof(signature_memory));
        assert_int_equal(receipt_verify(crypto, &keys[n], &r, &about), ERR_NOT_FOUND);
        assert_int_equal(receipt_input(&input, &r, &about), OK);
        struct view part = wr_view_of(&input);
        assert_int_equal(signature_make(crypto, &keys[n], &part, 1, &signature), OK);
        r.signature = wr_view_of(&signature);
        assert_int_equal(receipt_verify(crypto, &keys[n], &r, &about), OK);
        about.domain = aid;
        assert_int_equal(receipt_verify(crypto, &keys[n], &r, &about), ERR_AUTH);
        about.domain = VIEW_NULL;
        assert_int_equal(receipt_verify(crypto, &keys[n], &r, &about), ERR_ARGUMENT);
        about = (struct receipt_about){.kind = RECEIPT_INSTALL, .package = aid, .application = other};
        assert_int_equal(receipt_verify(crypto, &keys[n], &r, &about),
                         OK); /* the same fields: GPCS C.5.1, C.5.2 */
        r.confirmation = vector_hex("0200060442034500");
        assert_int_equal(receipt_verify(crypto, &keys[n], &r, &about), ERR_AUTH);
        about.kind = RECEIPT_KIND_COUNT;
        assert_int_equal(receipt_verify(crypto, &keys[n], &r, &about), ERR_ARGUMENT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_by_key),
        cmocka_unit_test(names),
        cmocka_unit_test(made_and_changed),
        cmocka_unit_test(keys_that_do_not_fit),
        cmocka_unit_test(dap_blocks),
        cmocka_unit_test(load_files),
        cmocka_unit_test(ciphered_load_files),
        cmocka_unit_test(quirk_47_names_of_signatures),
        cmocka_unit_test(token_inputs),
        cmocka_unit_test(token_input_of_a_long_command),
        cmocka_unit_test(receipts),
        cmocka_unit_test(receipts_verified),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
