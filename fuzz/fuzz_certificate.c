/* links: cf_gp cf_crypto */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as certificates side by side: nothing verifies under a key that signed nothing, every field lies
 * within the certificate, and the parts are together the whole. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include <gp/certificate.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct crypto *crypto;
static struct pk *trust;

static void inside(struct view whole, struct view part)
{
    assert(part.len == 0 || (part.data >= whole.data && part.data + part.len <= whole.data + whole.len));
}

static void look_at(struct view certificate)
{
    struct gp_certificate x;
    struct pk *key = NULL;
    if (gp_certificate_parse(certificate, &x) == OK) {
        const struct view parts[] = {x.serial,       x.issuer, x.subject,       x.image,    x.discretionary,
                                     x.restrictions, x.point,  x.signed_fields, x.signature};
        for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
            inside(certificate, parts[i]);
        assert(x.expires >= 101 && x.expires <= 99991231);
        assert(gp_certificate_verify(crypto, &x, trust, false, 0) != OK);
    }
    assert((certificate_key(certificate, &key) == OK) == (key != NULL));
    pk_free(&key);
}

static void set_up(void)
{
    if (crypto_new(&crypto) != OK || pk_generate_ec(crypto, CURVE_P256, &trust) != OK)
        abort();
}

static void forget_all(void)
{
    pk_free(&trust);
    crypto_free(&crypto);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view all = view_of(data, len), certs[CERTIFICATE_CHAIN_MAX];
    struct pk *leaf = NULL;
    size_t count = 0, sum = 0;
    if (crypto == NULL) {
        set_up();
        atexit(forget_all);
    }
    look_at(all);
    if (certificates_split(all, certs, CERTIFICATE_CHAIN_MAX, &count) != OK)
        return 0;
    for (size_t i = 0; i < count; i++) {
        inside(all, certs[i]);
        sum += certs[i].len;
        look_at(certs[i]);
    }
    assert(sum == len);
    assert(certificate_chain_verify(crypto, trust, certs, count, 1, &leaf) != OK && leaf == NULL);
    return 0;
}
