/* SPDX-License-Identifier: Apache-2.0
 *
 * Which key a card has: the diversification schemes of the field as rows, each with how it makes one key of
 * the card's key diversification data and one key of the issuer. */
#include <gp/keys.h>

#include <string.h>

enum { KDD_BYTES = 10, DERIVED_DES_LEN = 16, DERIVED_MAX = 64 };

/* The last byte of each scheme's input says which key it is: 1 ENC, 2 MAC, 3 DEK. */
enum key_number { NUMBER_ENC = 1, NUMBER_MAC, NUMBER_DEK };

typedef enum err derive_key(struct crypto *c, const struct secret *master, struct view kdd,
                            enum key_number number, struct secret *out);

void card_keys_wipe(struct card_keys *k)
{
    secret_wipe(&k->enc);
    secret_wipe(&k->mac);
    secret_wipe(&k->dek);
}

/* Two blocks, which differ in one byte, encrypted with the master key: six bytes of the card, F0 or 0F, the
 * key's number. */
static enum err derive_des(struct crypto *c, const struct secret *master, struct view first,
                           struct view second, enum key_number number, struct secret *out)
{
    struct secret block = {0};
    struct writer w;
    wr_fixed(&w, block.data, DERIVED_DES_LEN);
    wr_view(&w, first);
    wr_view(&w, second);
    wr_u8(&w, 0xF0);
    wr_u8(&w, (uint8_t)number);
    wr_view(&w, first);
    wr_view(&w, second);
    wr_u8(&w, 0x0F);
    wr_u8(&w, (uint8_t)number);
    enum err e = wr_status(&w);
    if (e == OK)
        e = crypto_des3_ecb_encrypt(c, secret_view(master), wr_view_of(&w), block.data);
    if (e == OK)
        e = secret_set(out, view_of(block.data, DERIVED_DES_LEN));
    secret_wipe(&block);
    return e;
}

/* The two bytes at the start of the diversification data and the chip's serial number behind them. */
static enum err derive_visa2(struct crypto *c, const struct secret *master, struct view kdd,
                             enum key_number number, struct secret *out)
{
    return derive_des(c, master, view_head(kdd, 2), view_head(view_tail(kdd, 4), 4), number, out);
}

/* The four bytes at its start, and the two at its end. */
static enum err derive_visa(struct crypto *c, const struct secret *master, struct view kdd,
                            enum key_number number, struct secret *out)
{
    return derive_des(c, master, view_head(kdd, 4), view_tail(kdd, 8), number, out);
}

/* EMV CPS 1.1 4.1: the six rightmost bytes of KEYDATA. */
static enum err derive_emv(struct crypto *c, const struct secret *master, struct view kdd,
                           enum key_number number, struct secret *out)
{
    return derive_des(c, master, view_tail(kdd, 4), VIEW_NULL, number, out);
}

/* SP 800-108 counter mode with CMAC: counter of 8 bits in front, then the label 00 00 00 number, 00, and the
 * diversification data; without a length field. */
static enum err derive_kdf3(struct crypto *c, const struct secret *master, struct view kdd,
                            enum key_number number, struct secret *out)
{
    uint8_t key[SECRET_MAX];
    size_t len = master->len;
    enum err e = OK;
    for (size_t done = 0; done < len && e == OK; done += CMAC_LEN) {
        const uint8_t head[] = {(uint8_t)(done / CMAC_LEN + 1), 0, 0, 0, (uint8_t)number, 0};
        const struct view parts[] = {VIEW_OF(head), kdd};
        e = crypto_cmac(c, secret_view(master), parts, 2, key + done);
    }
    if (e == OK)
        e = secret_set(out, view_of(key, len));
    wipe(key, sizeof(key));
    return e;
}

static const struct {
    const char *name;
    enum key_type type;
    derive_key *derive; /* NULL: the master keys are the card's keys */
} schemes[KDF_COUNT] = {
    [KDF_NONE] = {"none", KEY_TYPE_COUNT, NULL},         [KDF_VISA2] = {"visa2", KEY_DES3, derive_visa2},
    [KDF_EMV] = {"emv", KEY_DES3, derive_emv},           [KDF_KDF3] = {"kdf3", KEY_AES, derive_kdf3},
    [KDF_IMPORTED] = {"imported", KEY_TYPE_COUNT, NULL}, [KDF_VISA] = {"visa", KEY_DES3, derive_visa},
};

const char *kdf_name(enum kdf k)
{
    return (unsigned)k < KDF_COUNT ? schemes[k].name : "unknown";
}

enum err kdf_by_name(const char *name, enum kdf *out)
{
    for (unsigned k = 0; k < KDF_COUNT; k++) {
        if (strcmp(schemes[k].name, name) == 0) {
            *out = (enum kdf)k;
            return OK;
        }
    }
    return ERR_NOT_FOUND;
}

enum err key_length_check(enum key_type type, size_t len)
{
    switch (type) {
    case KEY_DES:
        return len == DES_BLOCK ? OK : ERR_ARGUMENT;
    case KEY_DES3:
        return len == 16 || len == 24 ? OK : ERR_ARGUMENT;
    case KEY_AES:
        return len == 16 || len == 24 || len == 32 ? OK : ERR_ARGUMENT;
    default:
        return ERR_ARGUMENT;
    }
}

static enum err keys_check(const struct card_keys *k)
{
    enum err e = key_length_check(k->type, k->enc.len);
    if (e == OK)
        e = key_length_check(k->type, k->mac.len);
    return e == OK ? key_length_check(k->type, k->dek.len) : e;
}

enum err kdf_derive(struct crypto *c, enum kdf kdf, const struct card_keys *master, struct view kdd,
                    struct card_keys *out)
{
    struct card_keys made = {.type = master->type};
    if ((unsigned)kdf >= KDF_COUNT)
        return ERR_ARGUMENT;
    enum err e = keys_check(master);
    if (e != OK)
        return e;
    derive_key *derive = schemes[kdf].derive;
    if (derive == NULL) {
        *out = *master;
        return OK;
    }
    if (schemes[kdf].type != master->type)
        return ERR_UNSUPPORTED;
    if (kdd.len != KDD_BYTES)
        return ERR_ARGUMENT;

    e = derive(c, &master->enc, kdd, NUMBER_ENC, &made.enc);
    if (e == OK)
        e = derive(c, &master->mac, kdd, NUMBER_MAC, &made.mac);
    if (e == OK)
        e = derive(c, &master->dek, kdd, NUMBER_DEK, &made.dek);
    if (e == OK)
        *out = made;
    card_keys_wipe(&made);
    return e;
}

enum err key_check_value(struct crypto *c, enum key_type type, const struct secret *key, uint8_t kcv[3])
{
    uint8_t block[AES_BLOCK];
    enum err e = key_length_check(type, key->len);
    if (e != OK)
        return e;
    if (type == KEY_AES) {
        memset(block, 0x01, sizeof(block));
        e = crypto_aes_ecb_encrypt(c, secret_view(key), VIEW_OF(block), block);
    } else {
        memset(block, 0x00, sizeof(block));
        e = (type == KEY_DES ? crypto_des_ecb_encrypt : crypto_des3_ecb_encrypt)(
            c, secret_view(key), view_of(block, DES_BLOCK), block);
    }
    if (e == OK)
        memcpy(kcv, block, 3);
    wipe(block, sizeof(block));
    return e;
}

enum err key_pair_check_value(struct crypto *c, const struct pk *k, uint8_t kcv[3])
{
    uint8_t digest[DIGEST_MAX];
    struct writer spki;
    wr_heap(&spki, PK_PUBLIC_MAX);
    enum err e = pk_put_spki(k, &spki);
    const struct view parts[] = {wr_view_of(&spki)};
    if (e == OK)
        e = crypto_digest(c, DIGEST_SHA256, parts, 1, digest);
    if (e == OK)
        memcpy(kcv, digest, 3);
    wr_free(&spki);
    return e;
}

/* SP 800-108 5.1 with r = 32: [i] | label | 00 | context | [L], both numbers of 4 bytes, L in bits. */
enum err key_derive_data(struct crypto *c, const struct secret *key, struct view label, struct view context,
                         uint8_t *out, size_t len)
{
    static const uint8_t separator[1];
    uint8_t made[DERIVED_MAX], counter[4], bits[4];
    struct writer w;
    enum err e = key_length_check(KEY_AES, key->len);
    if (e != OK)
        return e;
    if (len == 0 || len > DERIVED_MAX)
        return ERR_ARGUMENT;
    wr_fixed(&w, bits, sizeof(bits));
    wr_u32(&w, (uint32_t)len * 8);
    for (size_t done = 0; done < len && e == OK; done += CMAC_LEN) {
        wr_fixed(&w, counter, sizeof(counter));
        wr_u32(&w, (uint32_t)(done / CMAC_LEN + 1));
        const struct view parts[] = {VIEW_OF(counter), label, VIEW_OF(separator), context, VIEW_OF(bits)};
        e = crypto_cmac(c, secret_view(key), parts, sizeof(parts) / sizeof(parts[0]), made + done);
    }
    if (e == OK)
        memcpy(out, made, len);
    wipe(made, sizeof(made));
    return e;
}
