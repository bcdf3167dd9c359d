/* SPDX-License-Identifier: Apache-2.0
 *
 * The key information template (GPCS 2.3.1 11.3.3.1.1): what a security domain says of its keys. */
#include <tlv/tlv.h>

#include "domain.h"
#include "keypair.h"

enum { INFORMATION_MAX = 16, TYPE_DES_ECB = 0x81 };

/* Table 11-28: lengths of 256 and more are 00. */
static void put_component(struct writer *w, uint8_t type, size_t len)
{
    wr_u8(w, type);
    wr_u8(w, len > UINT8_MAX ? 0 : (uint8_t)len);
}

/* The point without 04, the number; the reference of the curve in place of a length. */
static void put_curve(struct writer *w, const struct card_key *k, size_t len)
{
    put_component(w, k->type, len);
    put_component(w, 0xF0, k->parameter);
}

static void put_rsa(struct writer *w, const struct card_key *k)
{
    struct reader r;
    rd_init(&r, view_of(k->data, k->len));
    struct view e = rd_view16(&r, CARD_KEY_MAX), n = rd_view16(&r, CARD_KEY_MAX);
    put_component(w, 0xA1, n.len);
    put_component(w, 0xA0, e.len);
}

/* A private key is kept as PKCS#8: the length of its modulus is asked of the key itself. */
static void put_rsa_private(struct writer *w, const struct card_key *k)
{
    struct pk *key = NULL;
    size_t len = keypair_load(k, &key) == OK ? pk_bits(key) / 8 : 0;
    pk_free(&key);
    put_component(w, 0xA2, len);
    put_component(w, CARD_KEY_RSA_PRIVATE, len);
}

static void put_key(struct writer *w, const struct card_key *k)
{
    wr_u8(w, k->kid);
    wr_u8(w, k->kvn);
    if (k->type == CARD_KEY_RSA_PUBLIC)
        put_rsa(w, k);
    else if (k->type == CARD_KEY_RSA_PRIVATE)
        put_rsa_private(w, k);
    else if (k->type == CARD_KEY_ECC_PUBLIC)
        put_curve(w, k, k->len - 1u);
    else if (k->type == CARD_KEY_ECC_PRIVATE)
        put_curve(w, k, k->len);
    else
        put_component(w, k->type, k->len);
}

void card_put_key_information(const struct card_state *s, struct view domain, struct writer *w)
{
    for (size_t i = 0; i < s->keyset_count; i++) {
        const struct card_keyset *k = &s->keysets[i];
        unsigned keys = card_channel_key_count(k->scp, k->i); /* with a base key it stands for all */
        for (uint8_t id = 1; id <= keys && card_domain_is(&k->domain, domain); id++) {
            uint8_t des = s->profile.quirks & QUIRK_TYPE_81 ? TYPE_DES_ECB : CARD_KEY_DES;
            uint8_t key[] = {id, k->kvn, k->scp == 0x03 ? CARD_KEY_AES : des, (uint8_t)k->enc.len};
            const uint8_t twin[] = {id, k->kvn, des, 16};
            tlv_put(w, 0xC0, VIEW_OF(key));
            if (k->scp == 0x03 && (s->profile.quirks & QUIRK_DES_AND_AES_LISTED))
                tlv_put(w, 0xC0, VIEW_OF(twin));
        }
    }
    for (size_t i = 0; i < s->key_count; i++) {
        uint8_t memory[INFORMATION_MAX];
        struct writer one;
        if (!card_domain_is(&s->keys[i].domain, domain))
            continue;
        wr_fixed(&one, memory, sizeof memory);
        put_key(&one, &s->keys[i]);
        tlv_put(w, 0xC0, wr_view_of(&one));
    }
}
