/* SPDX-License-Identifier: Apache-2.0
 *
 * Both ends of the keeper's requests in one file, so that they are read side by side. A request is one byte
 * for the operation and its fields; a reply is one byte for the outcome and, when that is OK, the operation's
 * fields. docs/keeper.md has the layouts. */
#include <vault/serve.h>

#include <vault/seal.h>

#include <stdlib.h>

enum operation { OP_INFO = 1, OP_IMPORT, OP_OPEN, OP_SIGN, OP_SETTLE, OP_BEGIN };

enum {
    IMPORTED_MAX = HPKE_OVERHEAD + KEY_BYTES_MAX,
    HOST_CERTIFICATE_MAX = 8 * 1024,
    TEXT_MAX = 255 /* label and context of a place */
};

/* --- requests: written by the front, read by the keeper --- */

enum err vault_put_info(struct writer *w)
{
    wr_u8(w, OP_INFO);
    return wr_status(w);
}

enum err vault_put_import(struct writer *w, const struct key_attributes *a, struct view imported)
{
    wr_u8(w, OP_IMPORT);
    key_attributes_put(w, a);
    wr_view16(w, imported);
    return wr_status(w);
}

static enum err serve_import(struct vault *v, struct reader *r, struct writer *out)
{
    uint8_t kcv[3][3], memory[SEALED_KEY_MAX];
    struct key_attributes a;
    struct writer sealed;
    enum err e;
    if ((e = key_attributes_get(r, &a)) != OK)
        return e;
    struct view imported = rd_view16(r, IMPORTED_MAX);
    if (!rd_done(r))
        return ERR_FORMAT;
    wr_fixed(&sealed, memory, sizeof(memory));
    if ((e = vault_import(v, &a, imported, &sealed, kcv)) != OK)
        return e;
    wr_view16(out, wr_view_of(&sealed));
    wr_bytes(out, kcv, sizeof(kcv));
    return OK;
}

static void put_key(struct writer *w, const struct vault_key *k)
{
    bool given = k->attributes.name[0] != 0;
    wr_u8(w, given);
    if (!given)
        return;
    key_attributes_put(w, &k->attributes);
    wr_view16(w, k->sealed);
}

static void get_key(struct reader *r, struct vault_key *k)
{
    uint8_t given = rd_u8(r);
    if (given > 1)
        rd_fail(r);
    if (given != 1)
        return;
    if (key_attributes_get(r, &k->attributes) != OK)
        rd_fail(r);
    k->sealed = rd_view16(r, SEALED_KEY_MAX);
}

static void put_keys(struct writer *w, const struct vault_keys *k)
{
    put_key(w, &k->key);
    put_key(w, &k->peer);
    wr_u8(w, (uint8_t)k->kdf);
    wr_u8(w, k->ca_kvn);
    wr_u8(w, k->ca_kid);
    wr_u8(w, (uint8_t)k->certificate_count);
    for (size_t n = 0; n < k->certificate_count; n++)
        wr_view16(w, k->certificates[n]);
}

/* k->certificates points to certificates, which has room for CERTIFICATES_MAX. */
static void get_keys(struct reader *r, struct vault_keys *k, struct view *certificates)
{
    get_key(r, &k->key);
    get_key(r, &k->peer);
    uint8_t kdf = rd_u8(r);
    k->ca_kvn = rd_u8(r);
    k->ca_kid = rd_u8(r);
    k->certificates = certificates;
    k->certificate_count = rd_u8(r);
    if (kdf >= KDF_COUNT || k->certificate_count > CERTIFICATES_MAX)
        rd_fail(r);
    k->kdf = (enum kdf)kdf;
    for (size_t n = 0; rd_ok(r) && n < k->certificate_count; n++)
        certificates[n] = rd_view16(r, HOST_CERTIFICATE_MAX);
}

enum err vault_put_begin(struct writer *w, const struct vault_begin *in)
{
    wr_u8(w, OP_BEGIN);
    put_keys(w, &in->keys);
    wr_u8(w, in->scp);
    wr_u8(w, in->i);
    wr_u8(w, in->level);
    wr_u8(w, in->kvn);
    wr_u8(w, in->kid);
    wr_u8(w, in->session_key_len);
    wr_view8(w, in->aid);
    wr_u8(w, in->chained_p1);
    wr_u64(w, in->now_ms);
    wr_view8(w, in->session);
    return wr_status(w);
}

static enum err serve_begin(struct vault *v, struct reader *r, struct writer *out)
{
    struct view certificates[CERTIFICATES_MAX];
    struct vault_begin in = {0};
    struct writer script, sealed;
    get_keys(r, &in.keys, certificates);
    in.scp = rd_u8(r);
    in.i = rd_u8(r);
    in.level = rd_u8(r);
    in.kvn = rd_u8(r);
    in.kid = rd_u8(r);
    in.session_key_len = rd_u8(r);
    in.aid = rd_view8(r, AID_MAX);
    uint8_t chained = rd_u8(r);
    if (chained > 1)
        rd_fail(r);
    in.chained_p1 = chained == 1;
    in.now_ms = rd_u64(r);
    in.session = rd_view8(r, NAME_MAX_BYTES);
    if (!rd_done(r))
        return ERR_FORMAT;
    wr_heap(&script, OPENING_BYTES_MAX);
    wr_heap(&sealed, SEALED_OPENING_MAX);
    enum err e = vault_begin(v, &in, &script, &sealed);
    if (e == OK) {
        wr_view16(out, wr_view_of(&script));
        wr_view16(out, wr_view_of(&sealed));
    }
    wr_free(&script);
    wr_free(&sealed);
    return e;
}

enum err vault_put_open(struct writer *w, const struct vault_open *in)
{
    wr_u8(w, OP_OPEN);
    put_keys(w, &in->keys);
    wr_u8(w, in->scp);
    wr_u8(w, in->i);
    wr_view16(w, in->opening);
    wr_u8(w, (uint8_t)in->answer_count);
    for (size_t n = 0; n < in->answer_count; n++)
        wr_view16(w, in->answers[n]);
    wr_view8(w, in->session);
    return wr_status(w);
}

static enum err serve_open(struct vault *v, struct reader *r, struct writer *out)
{
    struct view certificates[CERTIFICATES_MAX], answers[OPENING_COMMANDS_MAX];
    uint8_t memory[SEALED_CHANNEL_MAX];
    struct vault_open in = {.answers = answers};
    struct writer sealed;
    get_keys(r, &in.keys, certificates);
    in.scp = rd_u8(r);
    in.i = rd_u8(r);
    in.opening = rd_view16(r, SEALED_OPENING_MAX);
    in.answer_count = rd_u8(r);
    if (in.answer_count > OPENING_COMMANDS_MAX)
        rd_fail(r);
    for (size_t n = 0; rd_ok(r) && n < in.answer_count; n++)
        answers[n] = rd_view16(r, OPENING_ANSWER_MAX);
    in.session = rd_view8(r, NAME_MAX_BYTES);
    if (!rd_done(r))
        return ERR_FORMAT;
    wr_fixed(&sealed, memory, sizeof(memory));
    enum err e = vault_open(v, &in, &sealed);
    if (e == OK)
        wr_view16(out, wr_view_of(&sealed));
    return e;
}

static void put_script(struct writer *w, const struct vault_script *in)
{
    wr_view16(w, in->sealed_channel);
    wr_view8(w, in->session);
    wr_view32(w, in->plain);
    wr_u8(w, in->in_parts);
    wr_u16(w, (uint16_t)in->place_count);
    if (in->place_count > VAULT_PLACES_MAX) {
        wr_fail(w);
        return;
    }
    for (size_t i = 0; i < in->place_count; i++) {
        const struct vault_place *place = &in->places[i];
        wr_u32(w, place->command);
        wr_u32(w, place->offset);
        wr_u32(w, place->len);
        key_attributes_put(w, &place->key);
        wr_view16(w, place->sealed_key);
        wr_view8(w, place->label);
        wr_view8(w, place->context);
    }
}

/* in->places points to places, which has room for VAULT_PLACES_MAX. */
static void get_script(struct reader *r, struct vault_script *in, struct vault_place *places)
{
    in->sealed_channel = rd_view16(r, SEALED_CHANNEL_MAX);
    in->session = rd_view8(r, NAME_MAX_BYTES);
    in->plain = rd_view32(r, SCRIPT_MAX);
    uint8_t in_parts = rd_u8(r);
    if (in_parts > 1)
        rd_fail(r);
    in->in_parts = in_parts == 1;
    in->places = places;
    in->place_count = rd_u16(r);
    if (in->place_count > VAULT_PLACES_MAX)
        rd_fail(r);
    for (size_t i = 0; rd_ok(r) && i < in->place_count; i++) {
        places[i].command = rd_u32(r);
        places[i].offset = rd_u32(r);
        places[i].len = rd_u32(r);
        if (key_attributes_get(r, &places[i].key) != OK)
            rd_fail(r);
        places[i].sealed_key = rd_view16(r, SEALED_KEY_MAX);
        places[i].label = rd_view8(r, TEXT_MAX);
        places[i].context = rd_view8(r, TEXT_MAX);
    }
}

enum err vault_put_sign(struct writer *w, const struct vault_script *in)
{
    wr_u8(w, OP_SIGN);
    put_script(w, in);
    return wr_status(w);
}

static enum err serve_sign(struct vault *v, struct reader *r, struct writer *out)
{
    struct vault_place places[VAULT_PLACES_MAX];
    struct vault_script in = {0};
    get_script(r, &in, places);
    return rd_done(r) ? vault_sign(v, &in, out) : ERR_FORMAT;
}

enum err vault_put_settle(struct writer *w, const struct vault_script *in, struct view answers)
{
    wr_u8(w, OP_SETTLE);
    put_script(w, in);
    wr_view32(w, answers);
    return wr_status(w);
}

static void put_result(struct writer *w, const struct vault_result *result)
{
    wr_u16(w, result->sw);
    wr_u8(w, result->proven);
    wr_view32(w, result->data);
}

static void put_settlement(struct writer *w, const struct vault_settlement *s)
{
    wr_u8(w, s->forged);
    wr_u8(w, s->has_authentication);
    if (s->has_authentication)
        put_result(w, &s->authentication);
    wr_u16(w, (uint16_t)s->count);
    for (size_t i = 0; i < s->count; i++)
        put_result(w, &s->results[i]);
    wr_view16(w, wr_view_of(&s->sealed_channel));
}

static enum err serve_settle(struct vault *v, struct reader *r, struct writer *out)
{
    struct vault_place places[VAULT_PLACES_MAX];
    struct vault_script in = {0};
    get_script(r, &in, places);
    struct view answers = rd_view32(r, SCRIPT_MAX);
    if (!rd_done(r))
        return ERR_FORMAT;
    struct vault_settlement *s = malloc(sizeof(*s));
    if (s == NULL)
        return ERR_MEMORY;
    enum err e = vault_settle(v, &in, answers, s);
    if (e == OK) {
        put_settlement(out, s);
        vault_settlement_finish(s);
    }
    free(s);
    return e;
}

static enum err serve_info(struct vault *v, struct reader *r, struct writer *out)
{
    if (!rd_done(r))
        return ERR_FORMAT;
    wr_bytes(out, v->import_public, sizeof(v->import_public));
    return OK;
}

static enum err serve_operation(struct vault *v, struct reader *r, struct writer *out)
{
    switch (rd_u8(r)) {
    case OP_INFO:
        return serve_info(v, r, out);
    case OP_IMPORT:
        return serve_import(v, r, out);
    case OP_BEGIN:
        return serve_begin(v, r, out);
    case OP_OPEN:
        return serve_open(v, r, out);
    case OP_SIGN:
        return serve_sign(v, r, out);
    case OP_SETTLE:
        return serve_settle(v, r, out);
    default:
        return rd_ok(r) ? ERR_UNSUPPORTED : ERR_FORMAT;
    }
}

void vault_serve(struct vault *v, struct view request, struct writer *reply)
{
    struct reader r;
    struct writer fields;
    rd_init(&r, request);
    wr_heap(&fields, KEEPER_FRAME_MAX);
    enum err e = serve_operation(v, &r, &fields);
    /* The next request is another card's: no key of this one stays in a context. */
    crypto_forget(v->crypto);
    if (e == OK)
        e = wr_status(&fields);
    wr_u8(reply, (uint8_t)e);
    if (e == OK)
        wr_view(reply, wr_view_of(&fields));
    wr_free(&fields);
}

/* --- replies: read by the front --- */

/* The outcome; anything but OK stands alone. */
static enum err reply_open(struct view reply, struct reader *r)
{
    rd_init(r, reply);
    uint8_t e = rd_u8(r);
    if (!rd_ok(r) || e >= ERR_COUNT || (e != OK && !rd_done(r)))
        return ERR_FORMAT;
    return (enum err)e;
}

enum err vault_get_info(struct view reply, uint8_t import_key[32])
{
    struct reader r;
    struct writer w;
    enum err e;
    if ((e = reply_open(reply, &r)) != OK)
        return e;
    struct view key = rd_view(&r, HPKE_KEY);
    if (!rd_done(&r))
        return ERR_FORMAT;
    wr_fixed(&w, import_key, HPKE_KEY);
    wr_view(&w, key);
    return wr_status(&w);
}

enum err vault_get_import(struct view reply, struct writer *sealed, uint8_t kcv[3][3])
{
    struct reader r;
    struct writer values;
    enum err e;
    if ((e = reply_open(reply, &r)) != OK)
        return e;
    struct view key = rd_view16(&r, SEALED_KEY_MAX);
    struct view kcvs = rd_view(&r, sizeof(uint8_t[3][3]));
    if (!rd_done(&r) || key.len == 0)
        return ERR_FORMAT;
    wr_fixed(&values, kcv, sizeof(uint8_t[3][3]));
    wr_view(&values, kcvs);
    wr_view(sealed, key);
    return wr_status(sealed);
}

enum err vault_get_begin(struct view reply, struct writer *script, struct writer *sealed_opening)
{
    struct reader r;
    enum err e;
    if ((e = reply_open(reply, &r)) != OK)
        return e;
    struct view commands = rd_view16(&r, OPENING_BYTES_MAX), opening = rd_view16(&r, SEALED_OPENING_MAX);
    if (!rd_done(&r) || commands.len == 0 || opening.len == 0)
        return ERR_FORMAT;
    wr_view(script, commands);
    wr_view(sealed_opening, opening);
    return wr_status(script) == OK ? wr_status(sealed_opening) : ERR_LIMIT;
}

enum err vault_get_open(struct view reply, struct writer *sealed_channel)
{
    struct reader r;
    enum err e;
    if ((e = reply_open(reply, &r)) != OK)
        return e;
    struct view channel = rd_view16(&r, SEALED_CHANNEL_MAX);
    if (!rd_done(&r) || channel.len == 0)
        return ERR_FORMAT;
    wr_view(sealed_channel, channel);
    return wr_status(sealed_channel);
}

enum err vault_get_sign(struct view reply, struct writer *signed_script)
{
    struct reader r;
    enum err e;
    if ((e = reply_open(reply, &r)) != OK)
        return e;
    if (rd_left(&r) == 0)
        return ERR_FORMAT;
    wr_view(signed_script, rd_rest(&r));
    return wr_status(signed_script);
}

static bool get_flag(struct reader *r)
{
    uint8_t flag = rd_u8(r);
    if (flag > 1)
        rd_fail(r);
    return flag == 1;
}

static struct vault_result get_result(struct reader *r)
{
    struct vault_result result;
    result.sw = rd_u16(r);
    result.proven = get_flag(r);
    result.data = rd_view32(r, RAPDU_MAX);
    return result;
}

static void get_settlement(struct reader *r, struct vault_settlement *out)
{
    out->forged = get_flag(r);
    out->has_authentication = get_flag(r);
    if (out->has_authentication)
        out->authentication = get_result(r);
    out->count = rd_u16(r);
    if (out->count > SCRIPT_COMMANDS_MAX)
        rd_fail(r);
    for (size_t i = 0; rd_ok(r) && i < out->count; i++)
        out->results[i] = get_result(r);
    wr_view(&out->sealed_channel, rd_view16(r, SEALED_CHANNEL_MAX));
}

enum err vault_get_settle(struct view reply, struct vault_settlement *out)
{
    struct reader r, kept;
    enum err e;
    *out = (struct vault_settlement){0};
    wr_heap(&out->storage, reply.len);
    wr_heap(&out->sealed_channel, SEALED_CHANNEL_MAX);
    if ((e = reply_open(reply, &r)) != OK)
        goto out;
    /* A copy of the reply is the storage: the fields are views into it. */
    wr_view(&out->storage, rd_rest(&r));
    rd_init(&kept, wr_view_of(&out->storage));
    get_settlement(&kept, out);
    if (!rd_done(&kept))
        e = ERR_FORMAT;
    else if ((e = wr_status(&out->storage)) == OK)
        e = wr_status(&out->sealed_channel);
out:
    if (e != OK) {
        vault_settlement_finish(out);
        *out = (struct vault_settlement){0};
    }
    return e;
}
