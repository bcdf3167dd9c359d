/* SPDX-License-Identifier: Apache-2.0
 *
 * From sealed keys and a card's answers to a sealed channel. What the card has to prove is verified before
 * anything exists that could be sent to it. */
#include <vault/seal.h>

#include <string.h>

/* Keys on their way through one operation. */
struct opened_keys {
    struct card_keys card;
    struct pk *host, *peer;
    struct channel_keys all; /* views of the above */
};

static void keys_finish(struct opened_keys *k)
{
    card_keys_wipe(&k->card);
    pk_free(&k->host);
    pk_free(&k->peer);
}

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

static enum err card_keys_for(struct vault *v, const struct vault_keys *in, struct view kdd,
                              struct card_keys *out)
{
    struct secret sealed = {0};
    struct card_keys keys = {0};
    const struct key_attributes *a = &in->key.attributes;
    enum err e;
    if (a->use != KEY_USE_MASTER && a->use != KEY_USE_CARD)
        return ERR_POLICY;
    if (a->use == KEY_USE_MASTER && in->kdf == KDF_IMPORTED)
        return ERR_ARGUMENT;
    if ((e = unseal_secret(v, a, in->key.sealed, &sealed)) != OK)
        goto out;
    if ((e = split(a, &sealed, &keys)) != OK)
        goto out;
    e = kdf_derive(v->crypto, a->use == KEY_USE_CARD ? KDF_NONE : in->kdf, &keys, kdd, out);
out:
    card_keys_wipe(&keys);
    secret_wipe(&sealed);
    return e;
}

/* A key that is named must be for this use; a method that needs a key that is not named says so itself. */
static enum err pair_for(struct vault *v, const struct vault_key *key, enum key_use use, struct pk **out)
{
    if (key->attributes.name[0] == 0)
        return OK;
    if (key->attributes.use != use)
        return ERR_POLICY;
    enum err e = key_attributes_check(&key->attributes);
    return e == OK ? unseal_pair(v, key, out) : e;
}

static bool has_card_keys(const struct channel_method *m)
{
    return !key_type_is_pair(m->key_type);
}

/* kdd: the key diversification data, empty where the method's opening has none. */
static enum err unseal_all(struct vault *v, const struct vault_keys *in, const struct channel_method *m,
                           struct view kdd, struct opened_keys *out)
{
    enum err e;
    if (in->certificate_count > CERTIFICATES_MAX)
        return ERR_ARGUMENT;
    if (has_card_keys(m)) {
        if ((e = key_attributes_check(&in->key.attributes)) != OK)
            return e;
        if (!channel_keys_fit(m, in->key.attributes.type, in->key.attributes.key_len))
            return ERR_UNSUPPORTED;
        e = card_keys_for(v, in, kdd, &out->card);
        out->all.card = &out->card;
    } else {
        e = pair_for(v, &in->key, KEY_USE_HOST, &out->host);
        if (e == OK)
            e = pair_for(v, &in->peer, m->keyed_opening ? KEY_USE_TRUST : KEY_USE_PEER, &out->peer);
    }
    out->all.host = out->host;
    out->all.peer = out->peer;
    out->all.certificates = in->certificates;
    out->all.certificate_count = in->certificate_count;
    out->all.ca_kvn = in->ca_kvn;
    out->all.ca_kid = in->ca_kid;
    return e;
}

static bool session_ok(struct view session)
{
    return session.len > 0 && session.len <= NAME_MAX_BYTES;
}

/* ---- commands of an opening ---- */

static enum err put_opening(struct vault *v, const struct channel_opening *o, struct view session,
                            struct writer *script, struct writer *sealed)
{
    struct script_writer commands;
    struct writer bytes;
    wr_heap(&bytes, OPENING_BYTES_MAX);
    enum err e = channel_opening_encode(o, &bytes);
    if (e == OK)
        e = seal(v, SEAL_OPENING, session, wr_view_of(&bytes), sealed);
    wr_free(&bytes);
    if (e != OK)
        return e;
    script_begin(&commands, script, SCRIPT_DEFINITE);
    for (size_t n = 0; n < o->count; n++)
        script_put_apdu(&commands, &o->commands[n]);
    return script_end(&commands);
}

enum err vault_begin(struct vault *v, const struct vault_begin *in, struct writer *script,
                     struct writer *sealed_opening)
{
    struct channel_request request = {.method = channel_method(in->scp, in->i),
                                      .level = in->level,
                                      .kvn = in->kvn,
                                      .kid = in->kid,
                                      .session_key_len = in->session_key_len,
                                      .aid = in->aid,
                                      .chained_p1 = in->chained_p1,
                                      .now_ms = in->now_ms};
    struct channel_opening opening = {0};
    struct opened_keys keys = {0};
    enum err e;
    if (!session_ok(in->session))
        return ERR_ARGUMENT;
    if (request.method == NULL || has_card_keys(request.method))
        return ERR_UNSUPPORTED;
    if ((e = unseal_all(v, &in->keys, request.method, VIEW_NULL, &keys)) != OK)
        goto out;
    /* Where the host has no key of its own it takes the curve of whoever signed the card's certificate. */
    request.curve = keys.peer != NULL ? pk_ec_curve(keys.peer) : CURVE_P256;
    if (request.curve == CURVE_COUNT)
        request.curve = CURVE_P256;
    if ((e = channel_begin(&opening, v->crypto, v->random, &request, &keys.all)) != OK)
        goto out;
    e = put_opening(v, &opening, in->session, script, sealed_opening);
out:
    channel_opening_finish(&opening);
    keys_finish(&keys);
    return e;
}

/* ---- and their answers ---- */

/* An opening that was sealed must come back sealed; what needs no key comes as it is. */
static enum err read_opening(struct vault *v, const struct vault_open *in, const struct channel_method *m,
                             struct channel_opening *out)
{
    struct writer plain;
    enum err e;
    if (has_card_keys(m))
        return channel_opening_decode(out, in->opening);
    wr_heap(&plain, OPENING_BYTES_MAX);
    e = unseal(v, SEAL_OPENING, in->session, in->opening, &plain);
    if (e == ERR_AUTH || e == ERR_LIMIT)
        e = ERR_CONFLICT; /* the server's own trouble */
    if (e == OK)
        e = channel_opening_decode(out, wr_view_of(&plain));
    wr_free(&plain);
    return e;
}

/* The key diversification data, where the answer to the opening's only command is one to INITIALIZE UPDATE,
 * which then must be of the method that the front names. */
static enum err read_kdd(const struct channel_method *m, const struct rapdu *answers, size_t count,
                         struct init_update *iu, struct view *kdd)
{
    *kdd = VIEW_NULL;
    if (!m->authenticates || count != 1)
        return OK;
    enum err e = init_update_parse(answers[0].data, iu);
    if (e != OK)
        return e;
    if (iu->scp != m->scp || (iu->i >= 0 && iu->i != m->i))
        return ERR_UNSUPPORTED;
    *kdd = VIEW_OF(iu->kdd);
    return OK;
}

static enum err read_answers(const struct vault_open *in, struct rapdu answers[OPENING_COMMANDS_MAX])
{
    if (in->answer_count > OPENING_COMMANDS_MAX)
        return ERR_ARGUMENT;
    for (size_t n = 0; n < in->answer_count; n++) {
        enum err e = rapdu_parse(in->answers[n], &answers[n]);
        if (e != OK)
            return e;
    }
    return OK;
}

enum err vault_open(struct vault *v, const struct vault_open *in, struct writer *sealed_channel)
{
    const struct channel_method *m = channel_method(in->scp, in->i);
    struct rapdu answers[OPENING_COMMANDS_MAX] = {0};
    struct channel_opening opening = {0};
    struct opened_keys keys = {0};
    struct init_update iu;
    struct view kdd;
    struct channel *ch = NULL;
    enum err e;

    if (!session_ok(in->session))
        return ERR_ARGUMENT;
    if (m == NULL)
        return ERR_UNSUPPORTED;
    if ((e = read_opening(v, in, m, &opening)) != OK)
        goto out;
    if (opening.request.method != m) {
        e = ERR_UNSUPPORTED;
        goto out;
    }
    if ((e = read_answers(in, answers)) != OK)
        goto out;
    if ((e = read_kdd(m, answers, in->answer_count, &iu, &kdd)) != OK)
        goto out;
    if ((e = unseal_all(v, &in->keys, m, kdd, &keys)) != OK)
        goto out;
    if ((e = channel_accept(&ch, v->crypto, &opening, &keys.all, answers, in->answer_count)) != OK)
        goto out;
    e = seal_channel(v, ch, m->authenticates, in->session, sealed_channel);
out:
    channel_free(&ch);
    channel_opening_finish(&opening);
    keys_finish(&keys);
    return e;
}
