/* SPDX-License-Identifier: Apache-2.0
 *
 * What a key is called and may be used for, as bytes: the same bytes on the keeper's socket, beside an
 * imported key and beside a sealed one.
 *
 *     u8 len, name | u32 version | u8 use | u8 type | u8 key_len | u8 len, card
 *
 * key_len of a pair counts in units of two bytes. */
#include <vault/vault.h>

#include <string.h>

static const char *const use_names[KEY_USE_COUNT] = {
    [KEY_USE_MASTER] = "master", [KEY_USE_CARD] = "card",   [KEY_USE_DERIVE] = "derive",
    [KEY_USE_HOST] = "host",     [KEY_USE_TRUST] = "trust", [KEY_USE_PEER] = "peer",
};

const char *key_use_name(enum key_use use)
{
    return (unsigned)use < KEY_USE_COUNT ? use_names[use] : "unknown";
}

enum err key_use_by_name(const char *name, enum key_use *out)
{
    for (unsigned i = 0; i < KEY_USE_COUNT; i++) {
        if (strcmp(name, use_names[i]) == 0) {
            *out = (enum key_use)i;
            return OK;
        }
    }
    return ERR_NOT_FOUND;
}

#define DIGITS  "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool only(const char *text, size_t size, const char *allowed)
{
    size_t len = strnlen(text, size);
    return len > 0 && len < size && strspn(text, allowed) == len;
}

/* Names go into sequences (${derive:<key>:...}), logs and paths of the API, so they are plain. */
static bool name_ok(const struct key_attributes *a)
{
    return only(a->name, sizeof(a->name), LETTERS DIGITS "-._") && a->name[0] != '.' && a->name[0] != '-';
}

/* gp/identity.h: IIN and CIN, or fields of the CPLC, in hexadecimal. */
static bool card_ok(const struct key_attributes *a)
{
    if (a->use != KEY_USE_CARD && a->use != KEY_USE_PEER)
        return a->card[0] == 0;
    return only(a->card, sizeof(a->card), DIGITS "ABCDEF-");
}

bool key_type_is_pair(enum key_type type)
{
    return type == KEY_RSA || type == KEY_DSA || type == KEY_EC;
}

static bool use_has_pair(enum key_use use)
{
    return use == KEY_USE_HOST || use == KEY_USE_TRUST || use == KEY_USE_PEER;
}

/* What lib/crypto/pk.h takes, in bytes. */
static bool pair_length_ok(enum key_type type, size_t len)
{
    static const struct {
        enum key_type type;
        size_t len;
    } rows[] = {{KEY_RSA, 128}, {KEY_RSA, 256}, {KEY_RSA, 384}, {KEY_DSA, 256}, {KEY_DSA, 384},
                {KEY_EC, 32},   {KEY_EC, 48},   {KEY_EC, 64},   {KEY_EC, 66}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].type == type && rows[i].len == len)
            return true;
    }
    return false;
}

enum err key_attributes_check(const struct key_attributes *a)
{
    if ((unsigned)a->use >= KEY_USE_COUNT || (unsigned)a->type >= KEY_TYPE_COUNT)
        return ERR_ARGUMENT;
    if (!name_ok(a) || !card_ok(a) || a->version == 0)
        return ERR_ARGUMENT;
    /* key_derive_data works with AES alone. */
    if (a->use == KEY_USE_DERIVE && a->type != KEY_AES)
        return ERR_ARGUMENT;
    if (key_type_is_pair(a->type) != use_has_pair(a->use))
        return ERR_ARGUMENT;
    if (key_type_is_pair(a->type))
        return pair_length_ok(a->type, a->key_len) ? OK : ERR_ARGUMENT;
    return key_length_check(a->type, a->key_len);
}

void key_attributes_put(struct writer *w, const struct key_attributes *a)
{
    wr_view8(w, view_of(a->name, strnlen(a->name, NAME_MAX_BYTES)));
    wr_u32(w, a->version);
    wr_u8(w, (uint8_t)a->use);
    wr_u8(w, (uint8_t)a->type);
    wr_u8(w, (uint8_t)(key_type_is_pair(a->type) ? a->key_len / 2 : a->key_len));
    wr_view8(w, view_of(a->card, strnlen(a->card, CARD_NUMBER_TEXT_MAX)));
}

static void text_get(struct reader *r, char *out, size_t max)
{
    struct view v = rd_view8(r, max);
    if (v.len > 0)
        memcpy(out, v.data, v.len);
}

enum err key_attributes_get(struct reader *r, struct key_attributes *a)
{
    struct key_attributes got = {0};
    text_get(r, got.name, NAME_MAX_BYTES);
    got.version = rd_u32(r);
    got.use = (enum key_use)rd_u8(r);
    got.type = (enum key_type)rd_u8(r);
    got.key_len = rd_u8(r);
    if (key_type_is_pair(got.type))
        got.key_len *= 2;
    text_get(r, got.card, CARD_NUMBER_TEXT_MAX);
    if (!rd_ok(r) || key_attributes_check(&got) != OK)
        return ERR_FORMAT;
    *a = got;
    return OK;
}
