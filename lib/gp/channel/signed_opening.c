/* SPDX-License-Identifier: Apache-2.0
 *
 * Signed commands: INITIALIZE UPDATE, the proof of the card, and the session key that goes to its public key
 * (docs/signed-commands.md, Opening). */
#include "signed.h"

enum {
    INS_EXTERNAL_AUTHENTICATE = 0x82,
    CLA_SECURE = 0x84,
    SESSION_KEYS = 3, /* S-ENC, S-RMAC, S-DEK */
    AES_KEY_MAX = 32,
    M1_MAX = 9 + 2 + 2 * DIGEST_MAX + KDD_LEN + 2 * SIGNED_CHALLENGE
};

static bool carries_key(uint8_t level)
{
    return (level & LEVEL_C_DECRYPTION) != 0;
}

/* Z, or the scalar of the ephemeral key, is drawn here, where the source of randomness is. */
static enum err draw_key(struct crypto *c, const struct signed_variant *v, struct random_source random,
                         struct writer *own)
{
    uint8_t memory[PK_POINT_MAX];
    struct secret scalar = {0};
    struct writer point;
    if (v->algorithm == PK_RSA) {
        uint8_t *z = wr_reserve(own, SIGNED_Z);
        return z != NULL ? random.fill(random.ctx, z, SIGNED_Z) : wr_status(own);
    }
    wr_fixed(&point, memory, sizeof(memory));
    enum err e = pk_ec_draw(c, v->curve, random, &scalar, &point);
    wr_view(own, secret_view(&scalar));
    secret_wipe(&scalar);
    return e == OK ? wr_status(own) : e;
}

/* own: host challenge | what draw_key has drawn, where a key is carried. */
enum err signed_begin(struct channel_opening *o, struct crypto *c, struct random_source random,
                      const struct channel_keys *keys)
{
    const struct signed_variant *v = signed_variant(o->request.method->i);
    struct writer own;
    (void)keys;
    wr_fixed(&own, o->own.data, sizeof(o->own.data));
    uint8_t *challenge = wr_reserve(&own, SIGNED_CHALLENGE);
    enum err e = challenge != NULL ? random.fill(random.ctx, challenge, SIGNED_CHALLENGE) : wr_status(&own);
    if (e == OK && carries_key(o->request.level))
        e = draw_key(c, v, random, &own);
    if (e != OK)
        return e;
    o->own.len = own.len;
    channel_initialize_update(&o->commands[0], o->request.kvn, 0,
                              view_head(secret_view(&o->own), SIGNED_CHALLENGE));
    /* The answer has a signature: where that needs extended length, the card shows at once that it has it. */
    if (o->request.method->tag_len > SHORT_DATA_MAX) {
        o->commands[0].extended = true;
        o->commands[0].ne = 65536;
    }
    o->count = 1;
    return OK;
}

/* M1 = label | i | kvn | FS | FC | kdd | host challenge | card challenge */
static enum err put_m1(struct writer *w, struct crypto *c, const struct signed_variant *v,
                       const struct channel_keys *keys, struct view host_challenge,
                       const struct init_update *iu)
{
    uint8_t server[DIGEST_MAX], card[DIGEST_MAX];
    const size_t len = crypto_digest_len(v->digest);
    enum err e = signed_fingerprint(c, v, keys->host, server);
    if (e == OK)
        e = signed_fingerprint(c, v, keys->peer, card);
    if (e != OK)
        return e;
    signed_begin_message(w, SIGNED_OPENING);
    wr_u8(w, v->i);
    wr_u8(w, iu->kvn);
    wr_bytes(w, server, len);
    wr_bytes(w, card, len);
    wr_bytes(w, iu->kdd, sizeof(iu->kdd));
    wr_view(w, host_challenge);
    wr_bytes(w, iu->challenge, iu->challenge_len);
    return wr_status(w);
}

/* Verifies S1 and starts the chain. */
static enum err prove_card(struct channel *ch, struct crypto *c, const struct signed_variant *v,
                           const struct channel_keys *keys, struct view host_challenge,
                           const struct init_update *iu)
{
    uint8_t memory[M1_MAX];
    struct writer w;
    wr_fixed(&w, memory, sizeof(memory));
    enum err e = put_m1(&w, c, v, keys, host_challenge, iu);
    if (e != OK)
        return e;
    const struct view m1 = wr_view_of(&w);
    e = pk_verify(c, keys->peer, v->scheme, v->digest, &m1, 1, view_of(iu->cryptogram, iu->cryptogram_len));
    return e == OK ? crypto_digest(c, v->digest, &m1, 1, ch->chain) : e;
}

/* ---- the carried key ---- */

/* RSA: Z under the card's key. */
static enum err carry_rsa(struct crypto *c, const struct signed_variant *v, struct pk *card,
                          struct view drawn, struct writer *field, struct secret *z)
{
    enum err e = secret_set(z, drawn);
    return e == OK ? pk_oaep_encrypt(c, card, v->digest, drawn, field) : e;
}

/* EC: the ephemeral point; Z is agreed. */
static enum err carry_ec(struct crypto *c, const struct signed_variant *v, struct pk *card, struct view drawn,
                         struct writer *field, struct secret *z)
{
    struct pk *ephemeral = NULL;
    enum err e = pk_ec_restore(v->curve, drawn, VIEW_NULL, &ephemeral);
    if (e == OK)
        e = pk_put_point(ephemeral, field);
    if (e == OK)
        e = pk_ecdh(c, ephemeral, card, z);
    pk_free(&ephemeral);
    return e;
}

/* H of M of EXTERNAL AUTHENTICATE, whose data is the key field. */
static enum err authenticate_digest(const struct channel *ch, struct crypto *c,
                                    const struct signed_variant *v, uint8_t *out)
{
    uint8_t memory[SIGNED_HEAD_MAX];
    struct writer head;
    const struct signed_command command = {.cla = CLA_SECURE,
                                           .ins = INS_EXTERNAL_AUTHENTICATE,
                                           .p1 = ch->level,
                                           .data_len = ch->host_cryptogram_len};
    wr_fixed(&head, memory, sizeof(memory));
    signed_put_command(&head, signed_chain(ch), &command);
    const struct view parts[] = {wr_view_of(&head), view_of(ch->host_cryptogram, ch->host_cryptogram_len)};
    return crypto_digest(c, v->digest, parts, 2, out);
}

/* S-ENC | S-RMAC | S-DEK = KDF(Z, label | D) */
enum err signed_derive_keys(struct channel *ch, struct crypto *c, const struct signed_variant *v,
                            const struct secret *z, size_t key_len)
{
    uint8_t made[SESSION_KEYS * AES_KEY_MAX], d[DIGEST_MAX], memory[9 + DIGEST_MAX];
    struct secret *const keys[SESSION_KEYS] = {&ch->enc, &ch->rmac, &ch->dek};
    const struct view shared = secret_view(z);
    struct writer info;
    struct reader r;
    enum err e = authenticate_digest(ch, c, v, d);
    if (e != OK)
        return e;
    wr_fixed(&info, memory, sizeof(memory));
    signed_begin_message(&info, SIGNED_KEYS);
    wr_bytes(&info, d, crypto_digest_len(v->digest));
    e = crypto_x963_kdf(c, v->digest, &shared, 1, wr_view_of(&info), made, SESSION_KEYS * key_len);
    rd_init(&r, view_of(made, SESSION_KEYS * key_len));
    for (size_t i = 0; i < SESSION_KEYS && e == OK; i++)
        e = secret_set(keys[i], rd_view(&r, key_len));
    wipe(made, sizeof(made));
    return e;
}

/* The key field becomes the data of EXTERNAL AUTHENTICATE. */
static enum err carry_key(struct channel *ch, struct crypto *c, const struct signed_variant *v,
                          struct pk *card, struct view drawn, uint8_t key_len)
{
    struct secret z = {0};
    struct writer field;
    wr_fixed(&field, ch->host_cryptogram, sizeof(ch->host_cryptogram));
    wr_u8(&field, key_len);
    enum err e = v->algorithm == PK_RSA ? carry_rsa(c, v, card, drawn, &field, &z)
                                        : carry_ec(c, v, card, drawn, &field, &z);
    if (e == OK) {
        ch->host_cryptogram_len = field.len;
        e = signed_derive_keys(ch, c, v, &z, key_len);
    }
    secret_wipe(&z);
    return e;
}

/* ---- accept ---- */

/* Private key of the server | public key of the card, each behind its length. */
static enum err put_pairs(struct channel *ch, const struct signed_variant *v, const struct channel_keys *keys)
{
    struct writer part;
    wr_heap(&ch->pairs, PAIRS_MAX);
    wr_heap(&part, PK_PRIVATE_MAX);
    enum err e = signed_put_private(v, keys->host, &part);
    if (e == OK) {
        wr_view16(&ch->pairs, wr_view_of(&part));
        wr_clear(&part);
        e = signed_put_public(v, keys->peer, &part);
    }
    if (e == OK) {
        wr_view16(&ch->pairs, wr_view_of(&part));
        e = wr_status(&ch->pairs);
    }
    wr_free(&part);
    return e;
}

/* What was asked for, and nothing weaker (rule 6 of the card rules). */
static enum err check_answer(const struct channel_opening *o, const struct init_update *iu)
{
    const struct channel_request *request = &o->request;
    if (iu->scp != SCP_SIGNED || iu->i != request->method->i || iu->kvn == 0 ||
        (request->kvn != 0 && iu->kvn != request->kvn))
        return ERR_AUTH;
    return iu->cryptogram_len == request->method->tag_len ? OK : ERR_FORMAT;
}

static enum err check_keys(const struct channel_opening *o, const struct signed_variant *v,
                           const struct channel_keys *keys)
{
    size_t key_len = o->request.session_key_len;
    if (!signed_key_fits(v, keys->host) || !pk_is_private(keys->host) || !signed_key_fits(v, keys->peer))
        return ERR_ARGUMENT;
    return key_len == 0 ? OK : key_length_check(KEY_AES, key_len);
}

enum err signed_accept(struct channel *ch, struct crypto *c, const struct channel_opening *o,
                       const struct channel_keys *keys, const struct rapdu *answers)
{
    const struct signed_variant *v = signed_variant(o->request.method->i);
    const struct view own = secret_view(&o->own);
    const uint8_t asked = o->request.session_key_len;
    struct init_update iu;
    enum err e = check_keys(o, v, keys);
    if (e == OK)
        e = init_update_parse(answers[0].data, &iu);
    if (e == OK)
        e = check_answer(o, &iu);
    if (e == OK)
        e = prove_card(ch, c, v, keys, view_head(own, SIGNED_CHALLENGE), &iu);
    if (e == OK && carries_key(ch->level))
        e = carry_key(ch, c, v, keys->peer, view_tail(own, SIGNED_CHALLENGE),
                      asked != 0 ? asked : v->session_key);
    return e == OK ? put_pairs(ch, v, keys) : e;
}
