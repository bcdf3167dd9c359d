/* SPDX-License-Identifier: Apache-2.0
 *
 * A channel's life between its first and its last command: made, copied, written as bytes and read again,
 * wiped. The bytes are secret; who keeps them seals them. */
#include "channel_internal.h"

#include <stdlib.h>
#include <string.h>

enum { STATE_VERSION = 2 };

struct channel *channel_alloc(const struct channel_method *m, uint8_t level)
{
    struct channel *ch = calloc(1, sizeof(*ch));
    if (ch == NULL)
        return NULL;
    ch->method = m;
    ch->level = level;
    ch->tag_len = m->tag_len;
    ch->phase = m->authenticates ? PHASE_NEW : PHASE_OPEN;
    return ch;
}

void channel_free(struct channel **ch)
{
    if (*ch == NULL)
        return;
    wr_free(&(*ch)->pairs);
    if ((*ch)->method->ops->finish != NULL)
        (*ch)->method->ops->finish(*ch);
    wipe(*ch, sizeof(**ch));
    free(*ch);
    *ch = NULL;
}

static enum err set_pairs(struct channel *ch, struct view pairs)
{
    if (pairs.len == 0)
        return OK;
    wr_heap(&ch->pairs, PAIRS_MAX);
    wr_view(&ch->pairs, pairs);
    return wr_status(&ch->pairs);
}

enum err channel_copy(struct channel **out, const struct channel *ch)
{
    struct channel *copy = malloc(sizeof(*copy));
    if (copy == NULL)
        return ERR_MEMORY;
    *copy = *ch;
    copy->pairs = (struct writer){0};
    copy->signer = copy->verifier = NULL;
    enum err e = set_pairs(copy, wr_view_of(&ch->pairs));
    if (e == OK)
        *out = copy;
    else
        channel_free(&copy);
    return e;
}

enum err channel_encode(const struct channel *ch, struct writer *out)
{
    wr_u8(out, STATE_VERSION);
    wr_u8(out, ch->method->scp);
    wr_u8(out, ch->method->i);
    wr_u8(out, ch->level);
    wr_u8(out, (uint8_t)ch->phase);
    wr_u16(out, (uint16_t)ch->tag_len);
    wr_view8(out, secret_view(&ch->enc));
    wr_view8(out, secret_view(&ch->mac));
    wr_view8(out, secret_view(&ch->rmac));
    wr_view8(out, secret_view(&ch->dek));
    wr_view16(out, view_of(ch->host_cryptogram, ch->host_cryptogram_len));
    wr_view(out, view_of(ch->chain, ch->method->ops->chain_len));
    wr_u32(out, ch->counter);
    wr_view(out, VIEW_OF(ch->response.chain));
    wr_view8(out, view_of(ch->response.tail, ch->response.tail_len));
    wr_u8(out, ch->response.session);
    wr_u8(out, ch->response.ins);
    wr_u8(out, ch->response.p);
    wr_view16(out, wr_view_of(&ch->pairs));
    return wr_status(out);
}

static void get_secret(struct reader *r, struct secret *out)
{
    if (secret_set(out, rd_view8(r, SECRET_MAX)) != OK)
        rd_fail(r);
}

/* Bytes behind their length, to memory of max bytes. */
static size_t get_bytes(struct view v, uint8_t *out)
{
    if (v.len > 0)
        memcpy(out, v.data, v.len);
    return v.len;
}

/* Everything behind the method and what follows from it. */
static void get_rest(struct reader *r, struct channel *ch)
{
    ch->level = rd_u8(r);
    ch->phase = (enum channel_phase)rd_u8(r);
    ch->tag_len = rd_u16(r);
    get_secret(r, &ch->enc);
    get_secret(r, &ch->mac);
    get_secret(r, &ch->rmac);
    get_secret(r, &ch->dek);
    ch->host_cryptogram_len = get_bytes(rd_view16(r, CRYPTOGRAM_MAX), ch->host_cryptogram);
    rd_copy(r, ch->chain, ch->method->ops->chain_len);
    ch->counter = rd_u32(r);
    rd_copy(r, ch->response.chain, sizeof(ch->response.chain));
    ch->response.tail_len = get_bytes(rd_view8(r, DES_BLOCK - 1), ch->response.tail);
    ch->response.session = rd_u8(r);
    ch->response.ins = rd_u8(r);
    ch->response.p = rd_u8(r);
    if (set_pairs(ch, rd_view16(r, PAIRS_MAX)) != OK)
        rd_fail(r);
}

static bool keys_ok(const struct channel *ch)
{
    const struct channel_ops *ops = ch->method->ops;
    if (ops->state_ok != NULL)
        return ops->state_ok(ch);
    return ops->lengths_ok(ch->enc.len, ch->mac.len, ch->dek.len) &&
           ch->rmac.len == (ch->method->response_mac ? ch->mac.len : 0) && ch->pairs.len == 0 &&
           ch->tag_len == ch->method->tag_len;
}

/* R-MACs that the level asks for begin with EXTERNAL AUTHENTICATE and last (GPCS 2.3.1 E.4.5). */
static bool responses_ok(const struct channel *ch)
{
    uint8_t session = ch->response.session;
    if (ch->method->scp != SCP02 || !ch->method->response_mac)
        return session == RESPONSES_BARE;
    if ((ch->level & LEVEL_R_MAC) != 0)
        return session == (ch->phase == PHASE_NEW ? RESPONSES_BARE : RESPONSES_MACED);
    return session < RESPONSES_COUNT;
}

static bool state_ok(const struct channel *ch)
{
    bool fresh = ch->phase == PHASE_NEW;
    return channel_level_ok(ch->method, ch->level) && ch->phase < PHASE_COUNT &&
           (!fresh || (ch->counter == 0 && ch->method->authenticates)) && responses_ok(ch) &&
           ch->tag_len <= PK_SIGNATURE_MAX && keys_ok(ch);
}

enum err channel_decode(struct channel **out, struct view state)
{
    struct reader r;
    enum err e = ERR_FORMAT;
    rd_init(&r, state);
    uint8_t version = rd_u8(&r), scp = rd_u8(&r), i = rd_u8(&r);
    const struct channel_method *m = channel_method(scp, i);
    if (!rd_ok(&r) || version != STATE_VERSION || m == NULL)
        return ERR_FORMAT;
    struct channel *ch = channel_alloc(m, 0);
    if (ch == NULL)
        return ERR_MEMORY;
    get_rest(&r, ch);
    if (rd_done(&r) && state_ok(ch)) {
        *out = ch;
        ch = NULL;
        e = OK;
    }
    channel_free(&ch);
    return e;
}
