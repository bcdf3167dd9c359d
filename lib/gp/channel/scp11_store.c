/* SPDX-License-Identifier: Apache-2.0
 *
 * SCP11: whose key the card has. Its certificate store is a row of certificates, the one that the trusted key
 * has signed first and the card's own last (Amendment F 7.3.3). */
#include "scp11.h"

#include <tlv/tlv.h>

enum { TAG_X509 = 0x30, CHAIN_CERTIFICATES_MAX = 8 };

/* A certificate of any form, with tag and length. */
struct link {
    const struct form *form;
    struct view whole;
};

/* The forms that certificates have. */
struct form {
    uint32_t tag;
    enum err (*key)(struct view certificate, struct pk **out);
    enum err (*verify)(struct crypto *c, struct view certificate, struct pk *issuer, struct view issuer_cert,
                       bool is_ca, uint64_t now_ms);
};

static enum err verify_x509(struct crypto *c, struct view certificate, struct pk *issuer,
                            struct view issuer_cert, bool is_ca, uint64_t now_ms)
{
    (void)c;
    return pk_x509_verify(certificate, issuer, issuer_cert, is_ca, now_ms);
}

static const struct form forms[] = {
    {TAG_X509, pk_from_x509, verify_x509},
};

static const struct form *form_of(uint32_t tag)
{
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (forms[i].tag == tag)
            return &forms[i];
    }
    return NULL;
}

/* The object as a whole, with its tag and length. */
static bool next_object(struct reader *r, struct tlv *object, struct view *whole)
{
    struct reader before = *r;
    struct view rest = rd_rest(&before);
    if (!tlv_next(r, object))
        return false;
    *whole = view_head(rest, rest.len - rd_left(r));
    return true;
}

/* Some cards give the row without the tag BF21 around it (YubiKey 5.7). */
static struct view without_wrapper(struct view data)
{
    struct reader r;
    struct tlv object;
    rd_init(&r, data);
    return tlv_next(&r, &object) && object.tag == TAG_CERTIFICATE_STORE && rd_done(&r) ? object.value : data;
}

static enum err split(struct view data, struct link links[CHAIN_CERTIFICATES_MAX], size_t *count)
{
    struct reader r;
    struct tlv object;
    struct view whole;
    size_t n = 0;
    rd_init(&r, without_wrapper(data));
    while (next_object(&r, &object, &whole)) {
        if (n == CHAIN_CERTIFICATES_MAX)
            return ERR_LIMIT;
        links[n] = (struct link){form_of(object.tag), whole};
        if (links[n++].form == NULL)
            return ERR_UNSUPPORTED;
    }
    *count = n;
    return rd_ok(&r) && n > 0 ? OK : ERR_FORMAT;
}

/* One step down. The trusted key may have a certificate in the row, too, or be the card's very key: that
 * needs no more proof. */
static enum err follow(struct crypto *c, const struct link *link, struct pk *issuer, struct view issuer_cert,
                       const struct pk *trust, bool is_ca, uint64_t now_ms, struct pk **out)
{
    struct pk *key = NULL;
    enum err e = link->form->key(link->whole, &key);
    if (e == OK && !pk_same(key, trust))
        e = link->form->verify(c, link->whole, issuer, issuer_cert, is_ca, now_ms);
    if (e == OK)
        *out = key;
    else
        pk_free(&key);
    return e;
}

enum err scp11_card_key(struct crypto *c, struct view data, struct pk *trust, uint64_t now_ms,
                        struct pk **out)
{
    struct link links[CHAIN_CERTIFICATES_MAX];
    struct pk *key = NULL;
    size_t count = 0;
    enum err e = split(data, links, &count);
    for (size_t i = 0; i < count && e == OK; i++) {
        struct pk *next = NULL;
        e = follow(c, &links[i], key != NULL ? key : trust, i > 0 ? links[i - 1].whole : VIEW_NULL, trust,
                   i + 1 < count, now_ms, &next);
        pk_free(&key);
        key = next;
    }
    if (e == OK && pk_algorithm(key) != PK_EC)
        e = ERR_AUTH;
    if (e == OK)
        *out = key;
    else
        pk_free(&key);
    return e;
}
