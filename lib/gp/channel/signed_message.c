/* SPDX-License-Identifier: Apache-2.0
 *
 * Signed commands: variants, key images, and the messages that are signed. */
#include "signed.h"

/* docs/signed-commands.md, Variants. */
static const struct signed_variant variants[] = {
    {0x01, PK_RSA, 2048, CURVE_COUNT, PK_RSA_PSS, DIGEST_SHA256, 16},
    {0x02, PK_RSA, 3072, CURVE_COUNT, PK_RSA_PSS, DIGEST_SHA256, 16},
    {0x03, PK_DSA, 2048, CURVE_COUNT, PK_DSA_PLAIN, DIGEST_SHA256, 0},
    {0x04, PK_EC, 256, CURVE_P256, PK_ECDSA_PLAIN, DIGEST_SHA256, 16},
    {0x05, PK_EC, 384, CURVE_P384, PK_ECDSA_PLAIN, DIGEST_SHA384, 32},
};

const struct signed_variant *signed_variant(uint8_t i)
{
    for (size_t n = 0; n < sizeof(variants) / sizeof(variants[0]); n++) {
        if (variants[n].i == i)
            return &variants[n];
    }
    return NULL;
}

bool signed_key_fits(const struct signed_variant *v, const struct pk *k)
{
    return k != NULL && pk_algorithm(k) == v->algorithm && pk_ec_curve(k) == v->curve &&
           pk_bits(k) == v->bits;
}

/* A number of fixed length. */
static void put_padded(struct writer *w, struct view number, size_t len)
{
    for (size_t i = number.len; i < len; i++)
        wr_u8(w, 0);
    wr_view(w, number);
}

/* p | q | g | y */
static enum err put_dsa_image(const struct pk *k, struct writer *out)
{
    enum { P = 256, Q = 32, NUMBERS = 4 };
    static const size_t lens[NUMBERS] = {P, Q, P, P};
    uint8_t memory[NUMBERS][P];
    struct writer w[NUMBERS];
    for (size_t i = 0; i < NUMBERS; i++)
        wr_fixed(&w[i], memory[i], lens[i]);
    enum err e = pk_put_dsa(k, &(struct pk_dsa_writers){&w[0], &w[1], &w[2], &w[3]});
    for (size_t i = 0; i < NUMBERS && e == OK; i++)
        put_padded(out, wr_view_of(&w[i]), lens[i]);
    return e;
}

/* n | e */
static enum err put_rsa_image(const struct pk *k, struct writer *out)
{
    uint8_t memory[PK_SIGNATURE_MAX];
    struct writer exponent;
    wr_fixed(&exponent, memory, sizeof(memory));
    enum err e = pk_put_rsa(k, out, &exponent);
    if (e == OK)
        wr_view(out, wr_view_of(&exponent));
    return e;
}

/* 04 | x | y, or one of the above. */
static enum err put_image(const struct signed_variant *v, const struct pk *k, struct writer *out)
{
    static enum err (*const puts[])(const struct pk *k, struct writer *out) = {
        [PK_RSA] = put_rsa_image, [PK_DSA] = put_dsa_image, [PK_EC] = pk_put_point};
    return puts[v->algorithm](k, out);
}

enum err signed_fingerprint(struct crypto *c, const struct signed_variant *v, const struct pk *k,
                            uint8_t *out)
{
    uint8_t memory[PK_PUBLIC_MAX];
    struct writer image;
    wr_fixed(&image, memory, sizeof(memory));
    enum err e = put_image(v, k, &image);
    if (e == OK)
        e = wr_status(&image);
    if (e != OK)
        return e;
    const struct view part = wr_view_of(&image);
    return crypto_digest(c, v->digest, &part, 1, out);
}

enum err signed_put_private(const struct signed_variant *v, const struct pk *k, struct writer *out)
{
    if (v->algorithm != PK_EC)
        return pk_put_pkcs8(k, out);
    enum err e = pk_put_scalar(k, out);
    return e == OK ? pk_put_point(k, out) : e;
}

enum err signed_put_public(const struct signed_variant *v, const struct pk *k, struct writer *out)
{
    return v->algorithm == PK_EC ? pk_put_point(k, out) : pk_put_spki(k, out);
}

enum err signed_take_private(const struct signed_variant *v, struct view bytes, struct pk **out)
{
    const size_t len = v->algorithm == PK_EC ? pk_curve_len(v->curve) : 0;
    if (v->algorithm != PK_EC)
        return pk_from_pkcs8(bytes, out);
    /* The point must be there: without it another one would be computed, for half a key. */
    if (bytes.len != len + 1 + 2 * len)
        return ERR_FORMAT;
    return pk_ec_restore(v->curve, view_head(bytes, len), view_tail(bytes, len), out);
}

enum err signed_take_public(const struct signed_variant *v, struct view bytes, struct pk **out)
{
    return v->algorithm == PK_EC ? pk_ec_public(v->curve, bytes, out) : pk_from_spki(bytes, out);
}

void signed_begin_message(struct writer *w, enum signed_role role)
{
    wr_view(w, view_str("FERRY-F0"));
    wr_u8(w, (uint8_t)role);
}

void signed_put_command(struct writer *w, struct view chain, const struct signed_command *command)
{
    signed_begin_message(w, SIGNED_COMMAND);
    wr_view(w, chain);
    wr_u32(w, command->n);
    wr_u8(w, command->cla);
    wr_u8(w, command->ins);
    wr_u8(w, command->p1);
    wr_u8(w, command->p2);
    wr_u16(w, (uint16_t)command->data_len);
}

struct view signed_chain(const struct channel *ch)
{
    return view_of(ch->chain, crypto_digest_len(signed_variant(ch->method->i)->digest));
}
