/* SPDX-License-Identifier: Apache-2.0
 *
 * SCP11: whose key the card has. Its certificate store is a row of certificates, the one that the trusted key
 * has signed first and the card's own last (Amendment F 7.3.3). */
#include "scp11.h"

#include <gp/certificate.h>
#include <tlv/tlv.h>

/* Some cards give the row without the tag BF21 around it (YubiKey 5.7). */
static struct view without_wrapper(struct view data)
{
    struct reader r;
    struct tlv object;
    rd_init(&r, data);
    return tlv_next(&r, &object) && object.tag == TAG_CERTIFICATE_STORE && rd_done(&r) ? object.value : data;
}

/* How many certificates of the row come before those that have to prove anything: the trusted key may have one
 * there, too. */
static enum err skip_trusted(const struct view *certificates, size_t count, const struct pk *trust,
                             size_t *skipped)
{
    enum err e = OK;
    *skipped = 0;
    for (size_t i = 0; i < count && e == OK; i++) {
        struct pk *key = NULL;
        e = certificate_key(certificates[i], &key);
        if (e == OK && pk_same(key, trust))
            *skipped = i + 1;
        pk_free(&key);
    }
    return e;
}

enum err scp11_card_key(struct crypto *c, struct view data, struct pk *trust, uint64_t now_ms, struct pk **out)
{
    struct view certificates[CERTIFICATE_CHAIN_MAX];
    size_t count = 0, skipped = 0;
    struct pk *key = NULL;
    enum err e = certificates_split(without_wrapper(data), certificates, CERTIFICATE_CHAIN_MAX, &count);
    if (e == OK && count == 0)
        e = ERR_FORMAT;
    if (e == OK)
        e = skip_trusted(certificates, count, trust, &skipped);
    if (e != OK)
        return e;
    if (skipped == count) /* the card's very key is the trusted one */
        e = certificate_key(certificates[count - 1], &key);
    else
        e = certificate_chain_verify(c, trust, certificates + skipped, count - skipped, now_ms, &key);
    if (e == OK && pk_algorithm(key) != PK_EC)
        e = ERR_AUTH;
    if (e == OK)
        *out = key;
    else
        pk_free(&key);
    return e;
}
