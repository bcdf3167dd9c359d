/* links: cf_gp */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a certificate: what is read of it without the library is what the library reads, where that
 * takes it at all, and nothing is ever verified. */
#include <assert.h>
#include <stdlib.h>

#include <gp/x509.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* For the whole run. */
static struct crypto *crypto;
static struct pk *issuer;

static void done(void)
{
    pk_free(&issuer);
    crypto_free(&crypto);
}

/* A point that is on its curve is the one that the library finds. */
static void compare(struct view certificate, struct view point)
{
    uint8_t memory[PK_POINT_MAX];
    struct writer w;
    struct pk *k = NULL;
    if (pk_from_x509(certificate, &k) != OK)
        return;
    wr_fixed(&w, memory, sizeof(memory));
    assert(pk_put_point(k, &w) == OK);
    assert(view_equal(wr_view_of(&w), point));
    pk_free(&k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view certificate = view_of(data, len), point;
    enum pk_curve curve;
    if (crypto == NULL) {
        if (crypto_new(&crypto) != OK || pk_generate_ec(crypto, CURVE_P256, &issuer) != OK)
            abort();
        atexit(done);
    }
    enum err e = x509_point(certificate, &curve, &point);
    if (e == OK)
        compare(certificate, point);
    assert(e == OK || e == ERR_UNSUPPORTED);
    assert(x509_leaf_verify(crypto, certificate, issuer, 1900000000000) != OK);
    return 0;
}
