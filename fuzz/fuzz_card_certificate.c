/* links: ferry_card_core */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificates as the card reads them: a row of them, then one alone. What it takes lies inside of the input,
 * and what it does not take leaves nothing behind; verifying with a key that signed none of them never
 * succeeds. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "certificate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct crypto *crypto;
static struct pk *issuer;

static void make_issuer(void)
{
    /* 2: a scalar whose owner nobody is. */
    static const uint8_t scalar[] = {2};
    if (crypto != NULL)
        return;
    if (crypto_new(&crypto) != OK || pk_ec_private(CURVE_P256, VIEW_OF(scalar), &issuer) != OK)
        abort();
}

static void check_inside(struct view part, struct view whole)
{
    assert(part.len == 0 || (part.data >= whole.data && part.data + part.len <= whole.data + whole.len));
}

static void check(const struct card_certificate *cert, struct view whole)
{
    struct pk *key = NULL;
    check_inside(cert->whole, whole);
    check_inside(cert->serial, cert->whole);
    check_inside(cert->body, cert->whole);
    check_inside(cert->signature, cert->whole);
    check_inside(cert->point, cert->whole);
    assert(card_certificate_verify(crypto, cert, issuer, NULL, false, 1781524800000, &key) != OK);
    assert(card_certificate_verify(crypto, cert, issuer, cert, true, 0, &key) != OK);
    assert(key == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct card_certificate cert;
    struct view whole = view_of(data, len);
    struct reader r;
    make_issuer();
    rd_init(&r, whole);
    while (rd_left(&r) != 0 && card_certificate_next(&r, &cert) == OK)
        check(&cert, whole);
    if (card_certificate_parse(whole, &cert) == OK)
        assert(cert.whole.len == len);
    return 0;
}
