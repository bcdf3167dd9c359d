/* SPDX-License-Identifier: Apache-2.0
 *
 * What is weak, and how a policy is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <gp/weak.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { DES = 1, ONE = 2, TWO = 4, RSA = 8, SHA = 16 };

static void methods(void **state)
{
    (void)state;
    size_t count;
    const struct channel_method *m = channel_methods(&count);
    for (; count > 0; m++, count--) {
        weak_set want = m->scp == SCP01 ? ONE : m->scp == SCP02 ? TWO : 0;
        if (weak_of_method(m) != want)
            fail_msg("%s i=%02X", m->name, m->i);
    }
}

static void keys_and_digests(void **state)
{
    (void)state;
    static const struct {
        enum key_type type;
        size_t len;
        weak_set want;
    } rows[] = {{KEY_DES, 8, DES},   {KEY_DES3, 16, 0},   {KEY_DES3, 24, 0}, {KEY_AES, 16, 0},
                {KEY_RSA, 128, RSA}, {KEY_RSA, 255, RSA}, {KEY_RSA, 256, 0}, {KEY_RSA, 384, 0},
                {KEY_EC, 32, 0},     {KEY_DSA, 256, 0}};
    for (size_t n = 0; n < COUNT(rows); n++) {
        if (weak_of_key(rows[n].type, rows[n].len) != rows[n].want)
            fail_msg("row %zu", n);
    }
    for (unsigned d = 0; d < DIGEST_COUNT; d++)
        assert_int_equal(weak_of_digest((enum digest)d), d == DIGEST_SHA1 ? SHA : 0);
}

static void key_pairs(void **state)
{
    (void)state;
    struct crypto *c = NULL;
    struct pk *small = NULL, *large = NULL, *curve = NULL;
    assert_int_equal(crypto_new(&c), OK);
    assert_int_equal(pk_generate(c, PK_RSA, 1024, &small), OK);
    assert_int_equal(pk_generate(c, PK_RSA, 2048, &large), OK);
    assert_int_equal(pk_generate_ec(c, CURVE_P256, &curve), OK);
    assert_int_equal(weak_of_pk(small), RSA);
    assert_int_equal(weak_of_pk(large), 0);
    assert_int_equal(weak_of_pk(curve), 0);
    pk_free(&small);
    pk_free(&large);
    pk_free(&curve);
    crypto_free(&c);
}

static void policies(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum err want;
        weak_set set;
        const char *again;
    } rows[] = {
        {"none", OK, 0, "none"},
        {"scp02", OK, TWO, "scp02"},
        {"sha1,scp02", OK, TWO | SHA, "scp02,sha1"},
        {"des,scp01,scp02,rsa1024,sha1", OK, DES | ONE | TWO | RSA | SHA, "des,scp01,scp02,rsa1024,sha1"},
        {"", ERR_FORMAT, 0, NULL},
        {"scp03", ERR_FORMAT, 0, NULL},
        {"SCP02", ERR_FORMAT, 0, NULL},
        {"scp02,", ERR_FORMAT, 0, NULL},
        {",scp02", ERR_FORMAT, 0, NULL},
        {"scp02,,sha1", ERR_FORMAT, 0, NULL},
        {"scp02, sha1", ERR_FORMAT, 0, NULL},
        {"scp02,scp02", ERR_FORMAT, 0, NULL},
        {"scp02,none", ERR_FORMAT, 0, NULL},
        {"scp0", ERR_FORMAT, 0, NULL},
        {"scp022", ERR_FORMAT, 0, NULL},
    };
    for (size_t n = 0; n < COUNT(rows); n++) {
        weak_set set = 0x80;
        uint8_t memory[64];
        struct writer w;
        enum err e = weak_parse(view_str(rows[n].text), &set);
        if (e != rows[n].want || set != (e == OK ? rows[n].set : 0x80))
            fail_msg("'%s': %s, %02X", rows[n].text, err_name(e), set);
        if (e != OK)
            continue;
        wr_fixed(&w, memory, sizeof(memory));
        weak_put(&w, set);
        assert_true(view_equal(wr_view_of(&w), view_str(rows[n].again)));
    }
}

static void checks(void **state)
{
    (void)state;
    enum weak refused = WEAK_COUNT;
    assert_int_equal(weak_check(0, 0, &refused), OK);
    assert_int_equal(weak_check(TWO | SHA, TWO | SHA | DES, &refused), OK);
    assert_int_equal(refused, WEAK_COUNT);
    assert_int_equal(weak_check(TWO | SHA, TWO, NULL), ERR_POLICY);
    assert_int_equal(weak_check(TWO | SHA, TWO, &refused), ERR_POLICY);
    assert_int_equal(refused, WEAK_SHA1);
    assert_int_equal(weak_check(DES | ONE, 0, &refused), ERR_POLICY);
    assert_int_equal(refused, WEAK_DES);
}

static void words(void **state)
{
    (void)state;
    for (unsigned w = 0; w < WEAK_COUNT; w++) {
        weak_set set = 0;
        assert_int_equal(weak_parse(view_str(weak_name((enum weak)w)), &set), OK);
        assert_int_equal(set, 1u << w);
        assert_true(strlen(weak_text((enum weak)w)) > 20);
    }
    assert_string_equal(weak_name(WEAK_COUNT), "unknown");
    assert_string_equal(weak_text(WEAK_COUNT), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(methods),   cmocka_unit_test(keys_and_digests),
                                       cmocka_unit_test(key_pairs), cmocka_unit_test(policies),
                                       cmocka_unit_test(checks),    cmocka_unit_test(words)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
