/* SPDX-License-Identifier: Apache-2.0
 *
 * A vault's life, and how keys come in: encrypted by the operator's terminal to this vault alone, then sealed
 * for the store. */
#include <vault/seal.h>

#include <stdlib.h>

/* RFC 9180 info of an import, and label of the vault's own import key. */
static const char import_info[] = "cardferry import 1";
static const char import_key_label[] = "cardferry import key 1";

enum err vault_new(struct vault **out, struct crypto *c, struct random_source random,
                   const struct secret *kek)
{
    enum err e;
    if (kek->len != KEK_LEN)
        return ERR_ARGUMENT;
    struct vault *v = calloc(1, sizeof(*v));
    if (v == NULL)
        return ERR_MEMORY;
    v->crypto = c;
    v->random = random;
    v->kek = *kek;
    if ((e = crypto_hkdf(c, secret_view(kek), VIEW_NULL, view_str(import_key_label), v->import_private,
                         sizeof(v->import_private))) != OK)
        goto out;
    if ((e = hpke_public(v->import_private, v->import_public)) != OK)
        goto out;
    *out = v;
    v = NULL;
out:
    vault_free(&v);
    return e;
}

void vault_free(struct vault **v)
{
    if (*v != NULL) {
        wipe(*v, sizeof(**v));
        free(*v);
    }
    *v = NULL;
}

struct view vault_memory(const struct vault *v)
{
    return view_of(v, sizeof(*v));
}

void vault_import_key(const struct vault *v, uint8_t public_key[32])
{
    struct writer w;
    wr_fixed(&w, public_key, HPKE_KEY);
    wr_view(&w, VIEW_OF(v->import_public));
}

/* One key for all three purposes, or three; what derives data is one. */
static bool keys_length_ok(const struct key_attributes *a, size_t len)
{
    if (key_type_is_pair(a->type))
        return len > 0 && len <= KEY_BYTES_MAX;
    return len == a->key_len || (a->use != KEY_USE_DERIVE && len == 3u * a->key_len);
}

enum err vault_wrap_for_import(struct crypto *c, struct random_source random, const uint8_t public_key[32],
                               const struct key_attributes *a, struct view keys, struct writer *out)
{
    uint8_t memory[SEAL_CONTEXT_MAX];
    struct writer attributes;
    enum err e;
    if ((e = key_attributes_check(a)) != OK)
        return e;
    if (!keys_length_ok(a, keys.len))
        return ERR_ARGUMENT;
    wr_fixed(&attributes, memory, sizeof(memory));
    key_attributes_put(&attributes, a);
    return hpke_seal(c, random, public_key, view_str(import_info), wr_view_of(&attributes), keys, out);
}

/* Three keys stand in front of each other from now on, unless it is one that derives data. */
static enum err fill_up(const struct key_attributes *a, struct writer *keys)
{
    struct secret one = {0};
    if (!keys_length_ok(a, keys->len))
        return ERR_ARGUMENT;
    if (a->use == KEY_USE_DERIVE || keys->len != a->key_len)
        return OK;
    enum err e = secret_set(&one, wr_view_of(keys));
    if (e == OK) {
        wr_view(keys, secret_view(&one));
        wr_view(keys, secret_view(&one));
        e = wr_status(keys);
    }
    secret_wipe(&one);
    return e;
}

static enum err check_values(struct vault *v, const struct key_attributes *a, struct view keys,
                             uint8_t kcv[3][3])
{
    struct reader r;
    enum err e = OK;
    rd_init(&r, keys);
    for (size_t i = 0; e == OK && rd_left(&r) > 0; i++) {
        struct secret key = {0};
        if ((e = secret_set(&key, rd_view(&r, a->key_len))) == OK)
            e = key_check_value(v->crypto, a->type, &key, kcv[i]);
        secret_wipe(&key);
    }
    return e;
}

static enum err pair_check_value(struct vault *v, const struct key_attributes *a, struct view bytes,
                                 uint8_t kcv[3][3])
{
    struct pk *k = NULL;
    enum err e = pair_of(a, bytes, &k);
    if (e == OK)
        e = key_pair_check_value(v->crypto, k, kcv[0]);
    pk_free(&k);
    return e;
}

enum err vault_import(struct vault *v, const struct key_attributes *a, struct view imported,
                      struct writer *sealed, uint8_t kcv[3][3])
{
    uint8_t memory[SEAL_CONTEXT_MAX], values[3][3] = {{0}};
    struct writer attributes, keys;
    enum err e;

    if ((e = key_attributes_check(a)) != OK)
        return e;
    bool pair = key_type_is_pair(a->type);
    wr_fixed(&attributes, memory, sizeof(memory));
    key_attributes_put(&attributes, a);
    wr_heap(&keys, pair ? KEY_BYTES_MAX : SECRET_MAX);
    e = hpke_open(v->crypto, v->import_private, view_str(import_info), wr_view_of(&attributes), imported,
                  &keys);
    if (e == ERR_LIMIT) /* longer than any keys */
        e = ERR_ARGUMENT;
    if (e == ERR_FORMAT) /* too short for anything encrypted */
        e = ERR_AUTH;
    if (e == OK && !pair)
        e = fill_up(a, &keys);
    if (e == OK)
        e = pair ? pair_check_value(v, a, wr_view_of(&keys), values)
                 : check_values(v, a, wr_view_of(&keys), values);
    if (e == OK)
        e = seal_keys(v, a, wr_view_of(&keys), sealed);
    for (size_t i = 0; e == OK && i < 3; i++) {
        for (size_t j = 0; j < 3; j++)
            kcv[i][j] = values[i][j];
    }
    wr_free(&keys);
    return e;
}
