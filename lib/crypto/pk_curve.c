/* SPDX-License-Identifier: Apache-2.0
 *
 * The curves of GPCS 2.3.1 table B-2, in its order. */
#include "pk_internal.h"

#include <strings.h>

static const struct {
    const char *name, *group, *sec; /* what people say; the library's name; SEC 2, where it has one */
    size_t len;
} curves[CURVE_COUNT] = {
    [CURVE_P256] = {"P-256", "prime256v1", "secp256r1", 32},
    [CURVE_P384] = {"P-384", "secp384r1", "secp384r1", 48},
    [CURVE_P521] = {"P-521", "secp521r1", "secp521r1", 66},
    [CURVE_BRAINPOOL_P256R1] = {"brainpoolP256r1", "brainpoolP256r1", NULL, 32},
    [CURVE_BRAINPOOL_P256T1] = {"brainpoolP256t1", "brainpoolP256t1", NULL, 32},
    [CURVE_BRAINPOOL_P384R1] = {"brainpoolP384r1", "brainpoolP384r1", NULL, 48},
    [CURVE_BRAINPOOL_P384T1] = {"brainpoolP384t1", "brainpoolP384t1", NULL, 48},
    [CURVE_BRAINPOOL_P512R1] = {"brainpoolP512r1", "brainpoolP512r1", NULL, 64},
    [CURVE_BRAINPOOL_P512T1] = {"brainpoolP512t1", "brainpoolP512t1", NULL, 64},
};

static bool known(enum pk_curve curve)
{
    return (unsigned)curve < CURVE_COUNT;
}

const char *pk_curve_name(enum pk_curve curve)
{
    return known(curve) ? curves[curve].name : "unknown curve";
}

size_t pk_curve_len(enum pk_curve curve)
{
    return known(curve) ? curves[curve].len : 0;
}

const char *curve_group(enum pk_curve curve)
{
    return known(curve) ? curves[curve].group : NULL;
}

bool curve_by_group(const char *group, enum pk_curve *out)
{
    for (unsigned i = 0; i < CURVE_COUNT; i++) {
        if (strcasecmp(group, curves[i].group) == 0) {
            *out = (enum pk_curve)i;
            return true;
        }
    }
    return false;
}

enum err pk_curve_by_name(const char *name, enum pk_curve *out)
{
    for (unsigned i = 0; i < CURVE_COUNT; i++) {
        bool sec = curves[i].sec != NULL && strcasecmp(name, curves[i].sec) == 0;
        if (sec || strcasecmp(name, curves[i].name) == 0) {
            *out = (enum pk_curve)i;
            return OK;
        }
    }
    return curve_by_group(name, out) ? OK : ERR_UNSUPPORTED;
}
