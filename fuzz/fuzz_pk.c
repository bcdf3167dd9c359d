/* links: cf_crypto */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a key in each of its forms, and as a certificate. What is taken is a key that can be written
 * and read again, and that signs what it verifies; nothing verifies under a certificate that nobody signed.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include <crypto/pk.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct crypto *crypto;
static struct pk *issuer;

static const enum pk_scheme schemes[] = {
    [PK_RSA] = PK_RSA_PKCS1, [PK_DSA] = PK_DSA_PLAIN, [PK_EC] = PK_ECDSA_PLAIN};

static void sign_and_verify(struct pk *k)
{
    uint8_t memory[PK_SIGNATURE_MAX];
    struct writer w;
    const struct view text = view_str("text");
    enum pk_scheme scheme = schemes[pk_algorithm(k)];
    wr_fixed(&w, memory, sizeof(memory));
    enum err e = pk_sign(crypto, k, scheme, DIGEST_SHA256, &text, 1, &w);
    assert(e == (pk_is_private(k) ? OK : ERR_STATE));
    e = pk_verify(crypto, k, scheme, DIGEST_SHA256, &text, 1, wr_view_of(&w));
    assert(e == (pk_is_private(k) ? OK : ERR_AUTH));
}

static void read_again(const struct pk *k)
{
    uint8_t memory[PK_PUBLIC_MAX];
    struct writer w;
    struct pk *again = NULL;
    wr_fixed(&w, memory, sizeof(memory));
    assert(pk_put_spki(k, &w) == OK);
    assert(pk_from_spki(wr_view_of(&w), &again) == OK && pk_same(k, again));
    pk_free(&again);
}

static void look(enum err e, struct pk *k)
{
    assert((e == OK) == (k != NULL));
    if (k == NULL)
        return;
    read_again(k);
    sign_and_verify(k);
    pk_free(&k);
}

static void set_up(void)
{
    if (crypto_new(&crypto) != OK || pk_generate_ec(crypto, CURVE_P256, &issuer) != OK)
        abort();
}

static void forget_all(void)
{
    pk_free(&issuer);
    crypto_free(&crypto);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static enum err (*const parsers[])(struct view, struct pk **) = {pk_from_spki, pk_from_pkcs8, pk_from_pem,
                                                                     pk_from_x509};
    if (crypto == NULL) {
        set_up();
        atexit(forget_all);
    }
    for (size_t i = 0; i < sizeof(parsers) / sizeof(parsers[0]); i++) {
        struct pk *k = NULL;
        enum err e = parsers[i](view_of(data, len), &k);
        look(e, k);
    }
    assert(pk_x509_verify(view_of(data, len), issuer, view_of(data, len), false, 0) != OK);
    assert(pk_x509_verify(view_of(data, len), issuer, VIEW_NULL, true, 1) != OK);
    return 0;
}
