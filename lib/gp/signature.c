/* SPDX-License-Identifier: Apache-2.0
 *
 * Signs and verifies for content management, with one row per way. */
#include <gp/signature.h>

#include <string.h>

enum { MESSAGE_MAX = 256 * 1024, PADDING = 0x80 };

static enum err mac_des(struct crypto *c, const struct signature_key *key, const struct view *parts,
                        size_t count, uint8_t *out)
{
    static const uint8_t zeros[DES_BLOCK];
    struct writer message;
    if (key->secret.len != 2 * DES_BLOCK && key->secret.len != 3 * DES_BLOCK)
        return ERR_ARGUMENT;
    wr_heap(&message, MESSAGE_MAX);
    for (size_t n = 0; n < count; n++)
        wr_view(&message, parts[n]);
    wr_u8(&message, PADDING); /* B.1.3 */
    while (wr_ok(&message) && message.len % DES_BLOCK != 0)
        wr_u8(&message, 0);
    enum err e = wr_status(&message);
    if (e == OK)
        e = crypto_mac_retail(c, view_head(key->secret, 2 * DES_BLOCK), zeros, wr_view_of(&message), out);
    wr_free(&message);
    return e;
}

static enum err mac_aes(struct crypto *c, const struct signature_key *key, const struct view *parts,
                        size_t count, uint8_t *out)
{
    return crypto_cmac(c, key->secret, parts, count, out);
}

static enum digest digest_sha1(const struct pk *pk)
{
    (void)pk;
    return DIGEST_SHA1;
}

static enum digest digest_sha256(const struct pk *pk)
{
    (void)pk;
    return DIGEST_SHA256;
}

static enum digest digest_of_curve(const struct pk *pk)
{
    return signature_ec_digest(pk_ec_curve(pk));
}

/* Either a MAC or a scheme with a digest. */
static const struct kind {
    const char *name;
    enum err (*mac)(struct crypto *c, const struct signature_key *key, const struct view *parts, size_t count,
                    uint8_t *out);
    size_t mac_len;
    enum pk_algorithm algorithm;
    enum pk_scheme scheme;
    enum digest (*digest)(const struct pk *pk);
} kinds[SIGNATURE_KIND_COUNT] = {
    [SIGNATURE_DES] = {"des", mac_des, DES_BLOCK, PK_RSA, PK_RSA_PKCS1, NULL},
    [SIGNATURE_AES] = {"aes", mac_aes, CMAC_LEN, PK_RSA, PK_RSA_PKCS1, NULL},
    [SIGNATURE_RSA_SHA1] = {"rsa-sha1", NULL, 0, PK_RSA, PK_RSA_PKCS1, digest_sha1},
    [SIGNATURE_RSA_PSS] = {"rsa-pss", NULL, 0, PK_RSA, PK_RSA_PSS, digest_sha256},
    [SIGNATURE_ECDSA] = {"ecdsa", NULL, 0, PK_EC, PK_ECDSA_PLAIN, digest_of_curve},
};

const char *signature_kind_name(enum signature_kind kind)
{
    return kind < SIGNATURE_KIND_COUNT ? kinds[kind].name : "?";
}

enum err signature_kind_by_name(const char *name, enum signature_kind *out)
{
    for (enum signature_kind k = SIGNATURE_DES; k < SIGNATURE_KIND_COUNT; k++) {
        if (strcmp(kinds[k].name, name) != 0)
            continue;
        *out = k;
        return OK;
    }
    return ERR_NOT_FOUND;
}

/* B.3.1 is for keys of 1024 bits, B.3.2 for longer ones. */
enum err signature_kind_for(const struct pk *pk, enum signature_kind *out)
{
    enum { RSA_SHORT_BITS = 1024 };
    switch (pk_algorithm(pk)) {
    case PK_RSA:
        *out = pk_bits(pk) > RSA_SHORT_BITS ? SIGNATURE_RSA_PSS : SIGNATURE_RSA_SHA1;
        return OK;
    case PK_EC:
        *out = SIGNATURE_ECDSA;
        return OK;
    case PK_DSA:
        break;
    }
    return ERR_UNSUPPORTED;
}

enum digest signature_ec_digest(enum pk_curve curve)
{
    enum { BYTES_384 = 48, BYTES_512 = 64 };
    size_t len = pk_curve_len(curve);
    if (len >= BYTES_512)
        return DIGEST_SHA512;
    return len >= BYTES_384 ? DIGEST_SHA384 : DIGEST_SHA256;
}

static bool key_fits(const struct signature_key *key)
{
    if (key->kind >= SIGNATURE_KIND_COUNT)
        return false;
    if (kinds[key->kind].mac != NULL)
        return key->pk == NULL && key->secret.len > 0;
    return key->pk != NULL && pk_algorithm(key->pk) == kinds[key->kind].algorithm;
}

size_t signature_len(const struct signature_key *key)
{
    if (!key_fits(key))
        return 0;
    return kinds[key->kind].mac != NULL ? kinds[key->kind].mac_len : pk_signature_len(key->pk);
}

enum err signature_make(struct crypto *c, const struct signature_key *key, const struct view *parts,
                        size_t count, struct writer *out)
{
    uint8_t mac[CMAC_LEN];
    if (!key_fits(key))
        return ERR_ARGUMENT;
    const struct kind *k = &kinds[key->kind];
    if (k->mac == NULL)
        return pk_sign(c, key->pk, k->scheme, k->digest(key->pk), parts, count, out);
    enum err e = k->mac(c, key, parts, count, mac);
    if (e == OK)
        wr_bytes(out, mac, k->mac_len);
    return e == OK ? wr_status(out) : e;
}

enum err signature_check(struct crypto *c, const struct signature_key *key, const struct view *parts,
                         size_t count, struct view signature)
{
    uint8_t mac[CMAC_LEN];
    if (!key_fits(key))
        return ERR_ARGUMENT;
    const struct kind *k = &kinds[key->kind];
    if (k->mac == NULL)
        return pk_verify(c, key->pk, k->scheme, k->digest(key->pk), parts, count, signature);
    enum err e = k->mac(c, key, parts, count, mac);
    if (e == OK && !secret_equal(view_of(mac, k->mac_len), signature))
        e = ERR_AUTH;
    wipe(mac, sizeof(mac));
    return e;
}
