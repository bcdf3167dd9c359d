/* SPDX-License-Identifier: Apache-2.0
 *
 * From a sealed key and a card's answer to INITIALIZE UPDATE to a sealed channel. The card's cryptogram is
 * verified before anything exists that could be sent to the card. */
#include <vault/seal.h>

static enum err split(const struct key_attributes *a, const struct secret *keys, struct card_keys *out)
{
    struct secret *parts[] = {&out->enc, &out->mac, &out->dek};
    struct reader r;
    rd_init(&r, secret_view(keys));
    out->type = a->type;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        enum err e = secret_set(parts[i], rd_view(&r, a->key_len));
        if (e != OK)
            return e;
    }
    return rd_done(&r) ? OK : ERR_INTERNAL;
}

static enum err card_keys_for(struct vault *v, const struct vault_open *in, struct view kdd,
                              struct card_keys *out)
{
    struct secret sealed = {0};
    struct card_keys keys = {0};
    enum err e;
    if (in->key.use == KEY_USE_DERIVE)
        return ERR_POLICY;
    if (in->key.use == KEY_USE_MASTER && in->kdf == KDF_IMPORTED)
        return ERR_ARGUMENT;
    if ((e = unseal_keys(v, &in->key, in->sealed_key, &sealed)) != OK)
        goto out;
    if ((e = split(&in->key, &sealed, &keys)) != OK)
        goto out;
    e = kdf_derive(v->crypto, in->key.use == KEY_USE_CARD ? KDF_NONE : in->kdf, &keys, kdd, out);
out:
    card_keys_wipe(&keys);
    secret_wipe(&sealed);
    return e;
}

/* The method is what the front names; the card must have answered with the same. */
static enum err method_for(const struct vault_open *in, const struct init_update *iu,
                           const struct channel_method **out)
{
    const struct channel_method *m = channel_method(in->scp, in->i);
    if (m == NULL || iu->scp != in->scp || (iu->i >= 0 && iu->i != in->i) ||
        !channel_keys_fit(m, in->key.type, in->key.key_len))
        return ERR_UNSUPPORTED;
    *out = m;
    return OK;
}

enum err vault_open(struct vault *v, const struct vault_open *in, struct writer *sealed_channel)
{
    const struct channel_method *m;
    struct init_update iu;
    struct card_keys keys = {0};
    struct channel *ch = NULL;
    enum err e;

    if (in->session.len == 0 || in->session.len > NAME_MAX_BYTES)
        return ERR_ARGUMENT;
    if ((e = key_attributes_check(&in->key)) != OK)
        return e;
    if ((e = init_update_parse(in->answer, &iu)) != OK)
        return e;
    if ((e = method_for(in, &iu, &m)) != OK)
        return e;
    if ((e = card_keys_for(v, in, VIEW_OF(iu.kdd), &keys)) != OK)
        goto out;
    if ((e = channel_open(&ch, v->crypto, m, &keys, in->host_challenge, &iu, in->level)) != OK)
        goto out;
    e = seal_channel(v, ch, true, in->session, sealed_channel);
out:
    channel_free(&ch);
    card_keys_wipe(&keys);
    return e;
}
