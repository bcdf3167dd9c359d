/* SPDX-License-Identifier: Apache-2.0
 *
 * One row per type of key: how it signs. */
#include "signature.h"

#include <string.h>

#include "channel.h"
#include "keypair.h"

enum { RSA_OLD_BITS = 1024, PADDED_MAX = 2 * CAPDU_MAX };

/* B.1.2.2: Single DES and a final Triple-DES, on padded data (B.1.3), the ICV zeros. */
static enum err mac_des(struct crypto *c, const struct card_key *k, struct view data, struct writer *out)
{
    static const uint8_t zeros[DES_BLOCK];
    uint8_t mac[DES_BLOCK];
    struct writer padded;
    if (k->len != 16)
        return ERR_STATE;
    wr_heap(&padded, PADDED_MAX);
    card_pad(&padded, data, DES_BLOCK);
    enum err e = wr_status(&padded);
    if (e == OK)
        e = crypto_mac_retail(c, view_of(k->data, k->len), zeros, wr_view_of(&padded), mac);
    if (e == OK)
        wr_bytes(out, mac, sizeof mac);
    wr_free(&padded);
    return e;
}

/* B.2.2: CMAC, all 16 bytes. */
static enum err mac_aes(struct crypto *c, const struct card_key *k, struct view data, struct writer *out)
{
    uint8_t mac[CMAC_LEN];
    enum err e = crypto_cmac(c, view_of(k->data, k->len), &data, 1, mac);
    if (e == OK)
        wr_bytes(out, mac, sizeof mac);
    return e;
}

struct scheme {
    enum pk_scheme scheme;
    enum digest digest;
};

/* B.3.1.1 for RSA of 1024 bits, B.3.2.1 for longer ones; B.4.3 with table B-3 for elliptic curves. */
static struct scheme scheme_of(const struct pk *k)
{
    unsigned bits = pk_bits(k);
    if (pk_algorithm(k) == PK_RSA)
        return bits <= RSA_OLD_BITS ? (struct scheme){PK_RSA_PKCS1, DIGEST_SHA1}
                                    : (struct scheme){PK_RSA_PSS, DIGEST_SHA256};
    return (struct scheme){PK_ECDSA_PLAIN, bits >= 512   ? DIGEST_SHA512
                                           : bits >= 384 ? DIGEST_SHA384
                                                         : DIGEST_SHA256};
}

static bool signs_content(const struct pk *k)
{
    return pk_algorithm(k) == PK_RSA || pk_algorithm(k) == PK_EC;
}

static enum err check_pair(struct crypto *c, const struct card_key *k, struct view data,
                           struct view signature)
{
    struct pk *key = NULL;
    enum err e = keypair_load(k, &key);
    if (e == OK && !signs_content(key))
        e = ERR_AUTH;
    if (e == OK)
        e = pk_verify(c, key, scheme_of(key).scheme, scheme_of(key).digest, &data, 1, signature);
    pk_free(&key);
    return e == ERR_FORMAT || e == ERR_UNSUPPORTED ? ERR_AUTH : e;
}

static enum err sign_pair(struct crypto *c, const struct card_key *k, struct view data, struct writer *out)
{
    struct pk *key = NULL;
    enum err e = keypair_load(k, &key);
    if (e == OK && (!signs_content(key) || !pk_is_private(key)))
        e = ERR_STATE;
    if (e == OK)
        e = pk_sign(c, key, scheme_of(key).scheme, scheme_of(key).digest, &data, 1, out);
    pk_free(&key);
    return e;
}

static const struct {
    uint8_t type;
    enum err (*mac)(struct crypto *c, const struct card_key *k, struct view data, struct writer *out);
} mac_rows[] = {{CARD_KEY_DES, mac_des}, {CARD_KEY_AES, mac_aes}};
enum { MAC_ROWS = sizeof mac_rows / sizeof mac_rows[0] };

enum err card_signature_check(struct crypto *c, const struct card_key *k, struct view data,
                              struct view signature)
{
    uint8_t memory[CMAC_LEN];
    struct writer mac;
    size_t n = 0;
    while (n < MAC_ROWS && mac_rows[n].type != k->type)
        n++;
    if (n == MAC_ROWS)
        return check_pair(c, k, data, signature);
    wr_fixed(&mac, memory, sizeof memory);
    enum err e = mac_rows[n].mac(c, k, data, &mac);
    if (e == OK && !secret_equal(wr_view_of(&mac), signature))
        e = ERR_AUTH;
    wipe(memory, sizeof memory);
    return e == ERR_STATE ? ERR_AUTH : e;
}

enum err card_signature_make(struct crypto *c, const struct card_key *k, struct view data, struct writer *out)
{
    for (size_t n = 0; n < MAC_ROWS; n++) {
        if (mac_rows[n].type == k->type)
            return mac_rows[n].mac(c, k, data, out);
    }
    return sign_pair(c, k, data, out);
}

/* Table C-3: Triple-DES goes with SHA-1, AES with the digest of its length. */
size_t card_signature_digest_len(const struct card_key *k)
{
    struct pk *key = NULL;
    size_t len = 0;
    if (k->type == CARD_KEY_DES)
        return 20;
    if (k->type == CARD_KEY_AES)
        return k->len == 16 ? 32 : k->len == 24 ? 48 : 64;
    if (keypair_load(k, &key) == OK && signs_content(key))
        len = crypto_digest_len(scheme_of(key).digest);
    pk_free(&key);
    return len;
}
