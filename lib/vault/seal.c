/* SPDX-License-Identifier: Apache-2.0
 *
 * Sealing: what leaves the vault for the store, the session or the front is unreadable outside and
 * unchangeable on its way back. */
#include <vault/seal.h>

enum { SEAL_VERSION = 1, SALT_LEN = 32, BLOB_KEY_LEN = 32 };

/* Different labels: a sealed channel can't be passed off as a key, nor the other way round. */
static const char *const labels[SEAL_PURPOSE_COUNT] = {
    [SEAL_KEY] = "cardferry seal key 1",
    [SEAL_CHANNEL] = "cardferry seal channel 1",
    [SEAL_OPENING] = "cardferry seal opening 1",
};

/* SP 800-38D 8.2.1 wants a nonce that never repeats under one key; here each key encrypts once. */
static const uint8_t nonce[GCM_NONCE];

static enum err blob_key(struct vault *v, enum seal_purpose purpose, struct view salt, struct secret *out)
{
    out->len = BLOB_KEY_LEN;
    return crypto_hkdf(v->crypto, secret_view(&v->kek), salt, view_str(labels[purpose]), out->data, out->len);
}

static enum err authenticated(uint8_t memory[SEAL_CONTEXT_MAX + 1], struct view context, struct view *aad)
{
    struct writer w;
    wr_fixed(&w, memory, SEAL_CONTEXT_MAX + 1);
    wr_u8(&w, SEAL_VERSION);
    wr_view(&w, context);
    *aad = wr_view_of(&w);
    return wr_status(&w);
}

enum err seal(struct vault *v, enum seal_purpose purpose, struct view context, struct view plain,
              struct writer *out)
{
    uint8_t salt[SALT_LEN], memory[SEAL_CONTEXT_MAX + 1];
    struct secret key = {0};
    struct writer body;
    struct view aad;
    enum err e;

    wr_heap(&body, plain.len + GCM_TAG);
    if ((e = authenticated(memory, context, &aad)) != OK)
        goto out;
    if ((e = v->random.fill(v->random.ctx, salt, sizeof(salt))) != OK)
        goto out;
    if ((e = blob_key(v, purpose, VIEW_OF(salt), &key)) != OK)
        goto out;
    if ((e = crypto_gcm_seal(v->crypto, secret_view(&key), nonce, aad, plain, &body)) != OK)
        goto out;
    wr_u8(out, SEAL_VERSION);
    wr_bytes(out, salt, sizeof(salt));
    wr_view(out, wr_view_of(&body));
    e = wr_status(out);
out:
    secret_wipe(&key);
    wr_free(&body);
    return e;
}

enum err unseal(struct vault *v, enum seal_purpose purpose, struct view context, struct view sealed,
                struct writer *plain)
{
    uint8_t memory[SEAL_CONTEXT_MAX + 1];
    struct secret key = {0};
    struct reader r;
    struct view aad;
    enum err e;

    rd_init(&r, sealed);
    uint8_t version = rd_u8(&r);
    struct view salt = rd_view(&r, SALT_LEN);
    struct view body = rd_rest(&r);
    if (!rd_done(&r) || version != SEAL_VERSION || body.len < GCM_TAG)
        return ERR_AUTH;
    if ((e = authenticated(memory, context, &aad)) != OK)
        goto out;
    if ((e = blob_key(v, purpose, salt, &key)) != OK)
        goto out;
    e = crypto_gcm_open(v->crypto, secret_view(&key), nonce, aad, body, plain);
out:
    secret_wipe(&key);
    return e;
}

static struct view attributes_view(const struct key_attributes *a, uint8_t memory[SEAL_CONTEXT_MAX])
{
    struct writer w;
    wr_fixed(&w, memory, SEAL_CONTEXT_MAX);
    key_attributes_put(&w, a);
    return wr_view_of(&w);
}

enum err seal_keys(struct vault *v, const struct key_attributes *a, struct view keys, struct writer *out)
{
    uint8_t memory[SEAL_CONTEXT_MAX];
    struct view attributes = attributes_view(a, memory);
    struct writer sealed;
    wr_heap(&sealed, SEALED_KEY_MAX);
    enum err e = seal(v, SEAL_KEY, attributes, keys, &sealed);
    if (e == OK) {
        wr_view8(out, attributes);
        wr_view(out, wr_view_of(&sealed));
        e = wr_status(out);
    }
    wr_free(&sealed);
    return e;
}

enum err unseal_keys(struct vault *v, const struct key_attributes *a, struct view sealed, struct writer *keys)
{
    uint8_t memory[SEAL_CONTEXT_MAX];
    struct reader r;

    rd_init(&r, sealed);
    struct view attributes = rd_view8(&r, SEAL_CONTEXT_MAX);
    struct view body = rd_rest(&r);
    if (!rd_done(&r))
        return ERR_CONFLICT;
    enum err e = unseal(v, SEAL_KEY, attributes, body, keys);
    if (e == ERR_AUTH || e == ERR_LIMIT)
        e = ERR_CONFLICT; /* never to be taken for a card's wrong cryptogram */
    if (e == OK && !view_equal(attributes, attributes_view(a, memory)))
        e = ERR_CONFLICT;
    return e;
}

enum err unseal_secret(struct vault *v, const struct key_attributes *a, struct view sealed,
                       struct secret *out)
{
    struct secret got = {0};
    struct writer plain;
    wr_fixed(&plain, got.data, sizeof(got.data));
    enum err e = unseal_keys(v, a, sealed, &plain);
    got.len = plain.len;
    if (e == OK)
        *out = got;
    secret_wipe(&got);
    return e;
}

enum err pair_of(const struct key_attributes *a, struct view bytes, struct pk **out)
{
    static const enum pk_algorithm algorithms[KEY_TYPE_COUNT] = {
        [KEY_RSA] = PK_RSA, [KEY_DSA] = PK_DSA, [KEY_EC] = PK_EC};
    struct pk *k = NULL;
    enum err e = a->use == KEY_USE_HOST ? pk_from_pkcs8(bytes, &k) : pk_from_spki(bytes, &k);
    if (e == ERR_FORMAT || e == ERR_UNSUPPORTED)
        return ERR_ARGUMENT;
    if (e != OK)
        return e;
    if (pk_algorithm(k) != algorithms[a->type] || (pk_bits(k) + 7) / 8 != a->key_len) {
        pk_free(&k);
        return ERR_ARGUMENT;
    }
    *out = k;
    return OK;
}

enum err unseal_pair(struct vault *v, const struct vault_key *key, struct pk **out)
{
    struct writer plain;
    wr_heap(&plain, KEY_BYTES_MAX);
    enum err e = unseal_keys(v, &key->attributes, key->sealed, &plain);
    if (e == OK)
        e = pair_of(&key->attributes, wr_view_of(&plain), out);
    wr_free(&plain);
    return e;
}

enum err seal_channel(struct vault *v, const struct channel *ch, bool fresh, struct view session,
                      struct writer *out)
{
    struct writer state;
    enum err e;
    wr_heap(&state, CHANNEL_STATE_MAX + 1);
    wr_u8(&state, fresh);
    if ((e = channel_encode(ch, &state)) == OK && (e = wr_status(&state)) == OK)
        e = seal(v, SEAL_CHANNEL, session, wr_view_of(&state), out);
    wr_free(&state);
    return e;
}

enum err unseal_channel(struct vault *v, struct view sealed, struct view session, struct channel **ch,
                        bool *fresh)
{
    struct writer state;
    struct reader r;
    enum err e;
    wr_heap(&state, CHANNEL_STATE_MAX + 1);
    if ((e = unseal(v, SEAL_CHANNEL, session, sealed, &state)) != OK)
        goto out;
    rd_init(&r, wr_view_of(&state));
    *fresh = rd_u8(&r) != 0;
    e = channel_decode(ch, rd_rest(&r));
out:
    wr_free(&state);
    return e;
}
