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

enum err scp11_take_key(const struct pk *k, struct scp11_key *out)
{
    struct writer w;
    wr_fixed(&w, out->point, sizeof(out->point));
    out->curve = pk_ec_curve(k);
    enum err e = pk_put_point(k, &w);
    out->len = w.len;
    return e;
}

static enum err key_in(struct view certificate, struct scp11_key *out)
{
    struct writer w;
    wr_fixed(&w, out->point, sizeof(out->point));
    enum err e = certificate_point(certificate, &out->curve, &w);
    out->len = w.len;
    return e;
}

struct view scp11_point(const struct scp11_key *k)
{
    return view_of(k->point, k->len);
}

/* How many certificates of the row come before those that have to prove anything: the trusted key may have
 * one there, too, and may be the card's very key. */
static size_t count_trusted(const struct view *certificates, size_t count, const struct pk *trust)
{
    struct scp11_key trusted, k;
    size_t skipped = 0;
    if (pk_algorithm(trust) != PK_EC || scp11_take_key(trust, &trusted) != OK)
        return 0;
    for (size_t i = 0; i < count; i++) {
        if (key_in(certificates[i], &k) == OK && k.curve == trusted.curve &&
            view_equal(scp11_point(&k), scp11_point(&trusted)))
            skipped = i + 1;
    }
    return skipped;
}

static enum err follow_chain(struct crypto *c, const struct view *certificates, size_t count,
                             struct pk *trust, uint64_t now_ms, struct scp11_key *out)
{
    struct pk *leaf = NULL;
    enum err e = certificate_chain_verify(c, trust, certificates, count, now_ms, &leaf);
    if (e == OK)
        e = scp11_take_key(leaf, out);
    pk_free(&leaf);
    return e;
}

enum err scp11_card_key(struct crypto *c, struct view data, struct pk *trust, uint64_t now_ms,
                        struct scp11_key *out)
{
    struct view certificates[CERTIFICATE_CHAIN_MAX];
    size_t count = 0;
    enum err e = certificates_split(without_wrapper(data), certificates, CERTIFICATE_CHAIN_MAX, &count);
    if (e != OK)
        return e;
    if (count == 0)
        return ERR_FORMAT;
    const size_t skipped = count_trusted(certificates, count, trust);
    if (count - skipped > 1)
        return follow_chain(c, certificates + skipped, count - skipped, trust, now_ms, out);
    if (count > skipped)
        e = certificate_leaf_verify(c, trust, certificates[skipped], now_ms);
    return e == OK ? key_in(certificates[count - 1], out) : e;
}
