/* SPDX-License-Identifier: Apache-2.0
 *
 * Signed commands, host side (docs/signed-commands.md): each command carries a signature over the hash of
 * everything before it and itself. The digest that gets signed is the next link of the chain, which therefore
 * does not depend on signatures or answers. */
#include "signed.h"

#include <stdlib.h>

enum { ANSWER_HEAD_MAX = 9 + DIGEST_MAX + 4, NE_SHORT = 256, NE_EXTENDED = 65536 };

/* Where answers are protected they have data, also those of commands that ask for none. */
static bool answers_protected(const struct channel *ch)
{
    return (ch->level & LEVEL_R_MAC) != 0;
}

static bool has_session_keys(const struct channel *ch)
{
    return (ch->level & LEVEL_C_DECRYPTION) != 0;
}

/* The server's private key, the card's public one: made of their bytes when they are needed first. */
static enum err need_signer(struct channel *ch)
{
    struct reader r;
    rd_init(&r, wr_view_of(&ch->pairs));
    if (ch->signer != NULL)
        return OK;
    return signed_take_private(signed_variant(ch->method->i), rd_view16(&r, PK_PRIVATE_MAX), &ch->signer);
}

static enum err need_verifier(struct channel *ch)
{
    struct reader r;
    rd_init(&r, wr_view_of(&ch->pairs));
    (void)rd_view16(&r, PK_PRIVATE_MAX);
    if (ch->verifier != NULL)
        return OK;
    return signed_take_public(signed_variant(ch->method->i), rd_view16(&r, PK_PUBLIC_MAX), &ch->verifier);
}

static void signed_finish(struct channel *ch)
{
    pk_free(&ch->signer);
    pk_free(&ch->verifier);
}

/* Reserves the fields of all commands at once: views into them must not move. */
static enum err lay_out(const struct channel *ch, struct outgoing *commands, size_t count,
                        struct writer *storage)
{
    size_t all = 0;
    for (size_t i = 0; i < count; i++)
        all += commands[i].field_len + ch->tag_len;
    uint8_t *start = wr_reserve(storage, all);
    if (start == NULL)
        return wr_status(storage);
    for (size_t i = 0; i < count; i++) {
        struct outgoing *o = &commands[i];
        o->field = o->start = start;
        start += o->field_len + ch->tag_len;
        if (answers_protected(ch) && ch->phase != PHASE_NEW)
            o->ne = o->extended ? NE_EXTENDED : NE_SHORT;
    }
    return OK;
}

/* M = label | D | n | header | length | data: signs it behind the data, and makes D of it. */
static enum err sign(struct channel *ch, struct crypto *c, const struct signed_variant *v,
                     const struct outgoing *o, uint32_t n, uint8_t chain[CHAIN_MAX])
{
    uint8_t memory[SIGNED_HEAD_MAX];
    const size_t len = crypto_digest_len(v->digest);
    const struct signed_command command = {.n = n,
                                           .cla = channel_mac_class(o->plain->cla),
                                           .ins = o->plain->ins,
                                           .p1 = o->plain->p1,
                                           .p2 = o->plain->p2,
                                           .data_len = o->field_len};
    struct writer head, tag;
    wr_fixed(&head, memory, sizeof(memory));
    signed_put_command(&head, view_of(chain, len), &command);
    wr_fixed(&tag, o->field + o->field_len, ch->tag_len);
    const struct view parts[] = {wr_view_of(&head), view_of(o->field, o->field_len)};
    enum err e = ch->following ? OK : pk_sign(c, ch->signer, v->scheme, v->digest, parts, 2, &tag);
    return e == OK ? crypto_digest(c, v->digest, parts, 2, chain) : e;
}

static enum err signed_wrap(struct channel *ch, struct crypto *c, struct outgoing *commands, size_t count,
                            struct writer *storage)
{
    const struct signed_variant *v = signed_variant(ch->method->i);
    const uint32_t first = ch->phase == PHASE_NEW ? 0 : ch->counter + 1;
    uint8_t chain[CHAIN_MAX];
    struct writer w;
    enum err e = ch->following ? OK : need_signer(ch);
    if (e == OK)
        e = lay_out(ch, commands, count, storage);
    if (e == OK)
        e = channel_scp03_put_fields(ch, c, commands, count);
    wr_fixed(&w, chain, sizeof(chain));
    wr_bytes(&w, ch->chain, sizeof(ch->chain));
    for (size_t i = 0; i < count && e == OK; i++)
        e = sign(ch, c, v, &commands[i], first + (uint32_t)i, chain);
    if (e == OK) {
        wr_fixed(&w, ch->chain, sizeof(ch->chain));
        wr_bytes(&w, chain, sizeof(chain));
    }
    return e;
}

/* R = label | D | SW | length | data */
static enum err verify_answer(struct channel *ch, struct crypto *c, uint16_t sw, struct view data,
                              struct view tag)
{
    const struct signed_variant *v = signed_variant(ch->method->i);
    uint8_t memory[ANSWER_HEAD_MAX], expected[SIGNED_RMAC];
    struct writer head;
    wr_fixed(&head, memory, sizeof(memory));
    signed_begin_message(&head, SIGNED_ANSWER);
    wr_view(&head, signed_chain(ch));
    wr_u16(&head, sw);
    wr_u16(&head, (uint16_t)data.len);
    const struct view parts[] = {wr_view_of(&head), data};
    if (!has_session_keys(ch)) {
        enum err e = need_verifier(ch);
        return e == OK ? pk_verify(c, ch->verifier, v->scheme, v->digest, parts, 2, tag) : e;
    }
    enum err e = crypto_cmac(c, secret_view(&ch->rmac), parts, 2, expected);
    if (e == OK && !secret_equal(VIEW_OF(expected), tag))
        e = ERR_AUTH;
    wipe(expected, sizeof(expected));
    return e;
}

static enum err signed_unwrap(struct channel *ch, struct crypto *c, const struct rapdu *answer,
                              struct writer *out, bool *proven)
{
    const size_t tag_len = has_session_keys(ch) ? SIGNED_RMAC : ch->tag_len;
    struct reader r;
    if (!answers_protected(ch))
        return channel_unwrap_bare(answer, out);
    if (!channel_is_success(answer->sw)) /* the status word and nothing else */
        return answer->data.len == 0 ? OK : ERR_AUTH;
    if (answer->data.len < tag_len || answer->data.len - tag_len > UINT16_MAX)
        return ERR_AUTH;
    rd_init(&r, answer->data);
    struct view data = rd_view(&r, answer->data.len - tag_len);
    enum err e = verify_answer(ch, c, answer->sw, data, rd_rest(&r));
    return e == OK ? channel_scp03_deliver(ch, c, data, out, proven) : e;
}

static enum err signed_dek_encrypt(struct channel *ch, struct crypto *c, struct view in, uint8_t *out)
{
    if (!has_session_keys(ch)) /* nothing that a key could go out under */
        return ERR_UNSUPPORTED;
    return channel_scp03_dek_encrypt(ch, c, in, out);
}

static bool signed_state_ok(const struct channel *ch)
{
    const size_t len = ch->enc.len;
    struct reader r;
    rd_init(&r, wr_view_of(&ch->pairs));
    bool pairs = rd_view16(&r, PK_PRIVATE_MAX).len > 0 && rd_view16(&r, PK_PUBLIC_MAX).len > 0 && rd_done(&r);
    bool keys = has_session_keys(ch) ? key_length_check(KEY_AES, len) == OK : len == 0;
    return pairs && keys && ch->rmac.len == len && ch->dek.len == len && ch->mac.len == 0 &&
           ch->tag_len == ch->method->tag_len;
}

/* One for each length of the chain. */
#define SIGNED_OPS(name, chain_bytes)                                                                        \
    const struct channel_ops name = {                                                                        \
        .cipher_block = AES_BLOCK,                                                                           \
        .chain_len = chain_bytes,                                                                            \
        .state_ok = signed_state_ok,                                                                         \
        .begin = signed_begin,                                                                               \
        .accept = signed_accept,                                                                             \
        .wrap = signed_wrap,                                                                                 \
        .unwrap = signed_unwrap,                                                                             \
        .finish = signed_finish,                                                                             \
        .dek_encrypt = signed_dek_encrypt,                                                                   \
    }

SIGNED_OPS(channel_signed_256, 32);
SIGNED_OPS(channel_signed_384, 48);
