/* SPDX-License-Identifier: Apache-2.0
 *
 * From a request to an open channel: what is sent first, what the card answers, and that nothing is opened
 * before the card has proven itself, where its protocol lets it. */
#include "channel_internal.h"

#include <stdlib.h>
#include <string.h>

enum {
    CLA_GP = 0x80,
    SCP02_COUNTER_MAX = 32767,       /* GPCS 2.3.1 E.1.2 */
    SCP03_COUNTER_MAX = 0xFFFFFF,    /* Amendment D 6.2.2.1 */
    OPENING_STORAGE_MAX = 16 * 1024, /* certificates of a chain, cut into commands */
    I_SCP03_S16 = 0x01,              /* Amendment D 1.2 table 5-1 */
    I_SCP03_PSEUDO_RANDOM = 0x10
};

/* ---- INITIALIZE UPDATE ---- */

/* D.4.1.6: challenge 8 | cryptogram 8 */
static void parse_scp01(struct reader *r, struct init_update *iu)
{
    rd_copy(r, iu->challenge, iu->challenge_len = 8);
    rd_copy(r, iu->cryptogram, iu->cryptogram_len = 8);
}

/* GPCS 2.3.1 E.5.1.6: sequence counter 2 | challenge 6 | cryptogram 8 */
static void parse_scp02(struct reader *r, struct init_update *iu)
{
    iu->has_sequence = true;
    iu->sequence = rd_u16(r);
    rd_copy(r, iu->challenge, iu->challenge_len = 6);
    rd_copy(r, iu->cryptogram, iu->cryptogram_len = 8);
}

/* Amendment D 7.1.1.1: i | challenge | cryptogram, both of 8 bytes or, in mode S16, of 16 | sequence counter
 * 3, with pseudo-random challenges */
static void parse_scp03(struct reader *r, struct init_update *iu)
{
    iu->i = rd_u8(r);
    iu->has_sequence = (iu->i & I_SCP03_PSEUDO_RANDOM) != 0;
    iu->challenge_len = iu->cryptogram_len = (iu->i & I_SCP03_S16) != 0 ? 16 : 8;
    rd_copy(r, iu->challenge, iu->challenge_len);
    rd_copy(r, iu->cryptogram, iu->cryptogram_len);
    if (iu->has_sequence)
        iu->sequence = rd_u24(r);
}

/* docs/signed-commands.md: i | challenge 16 | signature, whose length the card's key says */
static void parse_signed(struct reader *r, struct init_update *iu)
{
    iu->i = rd_u8(r);
    rd_copy(r, iu->challenge, iu->challenge_len = 16);
    iu->cryptogram_len = rd_left(r);
    if (iu->cryptogram_len == 0 || iu->cryptogram_len > sizeof(iu->cryptogram))
        rd_fail(r);
    else
        rd_copy(r, iu->cryptogram, iu->cryptogram_len);
}

static const struct {
    uint8_t scp;
    void (*parse)(struct reader *r, struct init_update *iu);
} answers_by_scp[] = {
    {SCP01, parse_scp01}, {SCP02, parse_scp02}, {SCP03, parse_scp03}, {SCP_SIGNED, parse_signed}};

/* key diversification data 10 | key version | protocol | what the protocol has */
enum err init_update_parse(struct view data, struct init_update *out)
{
    struct reader r;
    struct init_update iu = {.i = -1};
    rd_init(&r, data);
    rd_copy(&r, iu.kdd, sizeof(iu.kdd));
    iu.kvn = rd_u8(&r);
    iu.scp = rd_u8(&r);
    if (!rd_ok(&r))
        return ERR_FORMAT;
    for (size_t n = 0; n < sizeof(answers_by_scp) / sizeof(answers_by_scp[0]); n++) {
        if (answers_by_scp[n].scp != iu.scp)
            continue;
        answers_by_scp[n].parse(&r, &iu);
        if (!rd_done(&r))
            return ERR_FORMAT;
        *out = iu;
        return OK;
    }
    return ERR_UNSUPPORTED;
}

uint32_t channel_counter_left(const struct init_update *iu)
{
    uint32_t most = iu->scp == SCP02 ? SCP02_COUNTER_MAX : SCP03_COUNTER_MAX;
    if (!iu->has_sequence)
        return UINT32_MAX;
    return iu->sequence < most ? most - iu->sequence : 0;
}

void channel_initialize_update(struct apdu *out, uint8_t kvn, uint8_t key_id, struct view host_challenge)
{
    *out =
        (struct apdu){.cla = CLA_GP, .ins = 0x50, .p1 = kvn, .p2 = key_id, .data = host_challenge, .ne = 256};
}

/* ---- with card keys ---- */

/* The card's answer and the keys go with the method. */
static enum err check_fit(const struct channel_method *m, const struct card_keys *keys,
                          struct view host_challenge, const struct init_update *iu, uint8_t level)
{
    if (!channel_level_ok(m, level) || m->ops->derive == NULL)
        return ERR_UNSUPPORTED;
    if (!channel_keys_fit(m, keys->type, keys->enc.len) || host_challenge.len != m->host_challenge_len)
        return ERR_ARGUMENT;
    if (!m->ops->lengths_ok(keys->enc.len, keys->mac.len, keys->dek.len))
        return ERR_ARGUMENT;
    /* Challenges and MACs of a protocol and i are as long as each other. */
    if (iu->scp != m->scp || (iu->i >= 0 && iu->i != m->i) || iu->cryptogram_len != m->tag_len)
        return ERR_ARGUMENT;
    return OK;
}

enum err channel_open(struct channel **out, struct crypto *c, const struct channel_method *m,
                      const struct card_keys *keys, struct view host_challenge, const struct init_update *iu,
                      uint8_t level)
{
    uint8_t expected[CRYPTOGRAM_MAX];
    enum err e = check_fit(m, keys, host_challenge, iu, level);
    if (e != OK)
        return e;
    struct channel *ch = channel_alloc(m, level);
    if (ch == NULL)
        return ERR_MEMORY;
    e = m->ops->derive(ch, c, keys, host_challenge, iu, expected);
    if (e != OK)
        goto out;
    if (!secret_equal(view_of(expected, iu->cryptogram_len), view_of(iu->cryptogram, iu->cryptogram_len))) {
        e = ERR_AUTH;
        goto out;
    }
    *out = ch;
    ch = NULL;
out:
    wipe(expected, m->tag_len);
    channel_free(&ch);
    return e;
}

enum err channel_pseudo_challenge(struct crypto *c, const struct channel_method *m,
                                  const struct card_keys *keys, uint32_t sequence, struct view aid,
                                  struct writer *out)
{
    uint8_t made[HOST_CHALLENGE_MAX];
    size_t len = m->scp == SCP02 ? 6 : m->host_challenge_len;
    if (m->ops->challenge == NULL)
        return ERR_UNSUPPORTED;
    if (!channel_keys_fit(m, keys->type, keys->enc.len) ||
        !m->ops->lengths_ok(keys->enc.len, keys->mac.len, keys->dek.len))
        return ERR_ARGUMENT;
    enum err e = m->ops->challenge(c, keys, sequence, aid, made, len);
    if (e != OK)
        return e;
    wr_bytes(out, made, len);
    return wr_status(out);
}

/* SCP03 counts with INITIALIZE UPDATE (Amendment D 6.2.2.1), SCP02 with a channel that was opened (GPCS 2.3.1
 * E.1.2): then the same challenge comes again. */
static enum err next_update(struct crypto *c, const struct channel_method *m, const struct card_keys *keys,
                            struct view aid, const struct init_update *seen, struct init_update *out)
{
    struct writer w;
    struct init_update next = *seen;
    uint8_t made[HOST_CHALLENGE_MAX];
    if (!seen->has_sequence)
        return ERR_UNSUPPORTED;
    wr_fixed(&w, made, sizeof(made));
    enum err e = channel_pseudo_challenge(c, m, keys, seen->sequence, aid, &w);
    if (e == OK && !view_equal(wr_view_of(&w), view_of(seen->challenge, seen->challenge_len)))
        e = ERR_UNSUPPORTED;
    if (e != OK || m->scp == SCP02) {
        *out = next;
        return e;
    }
    if (channel_counter_left(seen) == 0)
        return ERR_LIMIT;
    next.sequence++;
    wr_fixed(&w, next.challenge, sizeof(next.challenge));
    e = channel_pseudo_challenge(c, m, keys, next.sequence, aid, &w);
    if (e == OK)
        *out = next;
    return e;
}

enum err channel_open_next(struct channel **out, struct crypto *c, const struct channel_method *m,
                           const struct card_keys *keys, struct view host_challenge, struct view aid,
                           const struct init_update *seen, uint8_t level)
{
    struct channel *ch = NULL;
    struct init_update next;
    uint8_t unused[CRYPTOGRAM_MAX];
    enum err e = channel_open(&ch, c, m, keys, host_challenge, seen, level);
    channel_free(&ch);
    if (e == OK)
        e = next_update(c, m, keys, aid, seen, &next);
    if (e != OK)
        return e;
    ch = channel_alloc(m, level);
    if (ch == NULL)
        return ERR_MEMORY;
    e = m->ops->derive(ch, c, keys, host_challenge, &next, unused);
    wipe(unused, sizeof(unused));
    if (e == OK) {
        *out = ch;
        ch = NULL;
    }
    channel_free(&ch);
    return e;
}

/* ---- any method, from its first command ---- */

static enum err begin_initialize_update(struct channel_opening *o, struct random_source random)
{
    const struct channel_request *request = &o->request;
    o->own.len = request->method->host_challenge_len;
    enum err e = random.fill(random.ctx, o->own.data, o->own.len);
    if (e != OK)
        return e;
    channel_initialize_update(&o->commands[0], request->kvn, request->kid, secret_view(&o->own));
    o->count = 1;
    return OK;
}

/* The views of the commands, and the AID, go to the storage, which does not move from then on. */
static enum err settle_storage(struct channel_opening *o)
{
    struct writer all;
    struct reader r;
    wr_heap(&all, OPENING_STORAGE_MAX);
    for (size_t i = 0; i < o->count; i++)
        wr_view(&all, o->commands[i].data);
    wr_view(&all, o->request.aid);
    enum err e = wr_status(&all);
    if (e != OK) {
        wr_free(&all);
        return e;
    }
    rd_init(&r, wr_view_of(&all));
    for (size_t i = 0; i < o->count; i++)
        o->commands[i].data = rd_view(&r, o->commands[i].data.len);
    o->request.aid = rd_view(&r, o->request.aid.len);
    wr_free(&o->storage);
    o->storage = all;
    return OK;
}

enum err channel_begin(struct channel_opening *out, struct crypto *c, struct random_source random,
                       const struct channel_request *request, const struct channel_keys *keys)
{
    const struct channel_method *m = request->method;
    if (!channel_level_ok(m, request->level))
        return ERR_UNSUPPORTED;
    if (request->aid.len > AID_MAX || (m->keyed_opening && keys == NULL))
        return ERR_ARGUMENT;
    /* It holds a secret, and commands that view into it: made in its place. */
    *out = (struct channel_opening){.request = *request};
    wr_heap(&out->storage, OPENING_STORAGE_MAX);
    enum err e =
        m->ops->begin != NULL ? m->ops->begin(out, c, random, keys) : begin_initialize_update(out, random);
    if (e == OK)
        e = settle_storage(out);
    if (e != OK)
        channel_opening_finish(out);
    return e;
}

void channel_opening_finish(struct channel_opening *o)
{
    wr_free(&o->storage);
    secret_wipe(&o->own);
    *o = (struct channel_opening){0};
}

static enum err accept_initialize_update(struct channel **out, struct crypto *c,
                                         const struct channel_opening *o, const struct channel_keys *keys,
                                         const struct rapdu *answer)
{
    struct init_update iu;
    if (keys == NULL || keys->card == NULL)
        return ERR_ARGUMENT;
    enum err e = init_update_parse(answer->data, &iu);
    if (e != OK)
        return e;
    return channel_open(out, c, o->request.method, keys->card, secret_view(&o->own), &iu, o->request.level);
}

enum err channel_accept(struct channel **out, struct crypto *c, const struct channel_opening *o,
                        const struct channel_keys *keys, const struct rapdu *answers, size_t count)
{
    const struct channel_method *m = o->request.method;
    if (count != o->count || count == 0)
        return ERR_STATE;
    for (size_t i = 0; i < count; i++) {
        if (o->commands[i].extended && answers[i].sw == SW_WRONG_LENGTH)
            return ERR_UNSUPPORTED;
        if (answers[i].sw != SW_OK)
            return ERR_STATE;
    }
    if (m->ops->accept == NULL)
        return accept_initialize_update(out, c, o, keys, &answers[0]);
    if (keys == NULL)
        return ERR_ARGUMENT;
    struct channel *ch = channel_alloc(m, o->request.level);
    if (ch == NULL)
        return ERR_MEMORY;
    enum err e = m->ops->accept(ch, c, o, keys, answers);
    if (e == OK)
        *out = ch;
    else
        channel_free(&ch);
    return e;
}
