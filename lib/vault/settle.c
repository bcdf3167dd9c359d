/* SPDX-License-Identifier: Apache-2.0
 *
 * What the card answered, verified. The channel is taken from where it stood before the script and goes
 * through the answered commands again one by one: wrap, then take the answer. So it ends exactly behind the
 * last command that the card executed, and counters and chaining values are the card's. */
#include <vault/plain.h>

#include <stdlib.h>

struct replay {
    struct vault *v;
    struct channel *ch;
    bool fresh, dead;
    struct plain plain;
    uint8_t *memory; /* one wrapped command */
    struct writer storage;
    size_t ends[SCRIPT_COMMANDS_MAX + 1]; /* of each result's data within the settlement's storage */
};

/* A MAC that is wrong or missing, or what does not decrypt to padded data (ERR_FORMAT), ends the channel. */
static enum err take_answer(struct replay *r, struct view rapdu, struct vault_settlement *out,
                            struct vault_result *result)
{
    enum err e = channel_unwrap(r->ch, r->v->crypto, rapdu, &out->storage, &result->sw, &result->proven);
    if (e != ERR_AUTH && e != ERR_FORMAT)
        return e;
    out->forged = true;
    r->dead = true;
    return OK;
}

static enum err settle_authentication(struct replay *r, struct view rapdu, struct vault_settlement *out)
{
    enum err e;
    wr_clear(&r->storage);
    if ((e = channel_external_authenticate(r->ch, r->v->crypto, &r->storage)) != OK)
        return e;
    if ((e = take_answer(r, rapdu, out, &out->authentication)) != OK || out->forged)
        return e;
    out->has_authentication = true;
    r->fresh = false;
    r->dead = out->authentication.sw != SW_OK;
    return OK;
}

static enum err settle_command(struct replay *r, struct view rapdu, struct vault_settlement *out)
{
    enum err e;
    wr_clear(&r->storage);
    if ((e = channel_follow(r->ch, r->v->crypto, &r->plain.apdus[out->count], &r->storage)) != OK)
        return e;
    if ((e = take_answer(r, rapdu, out, &out->results[out->count])) != OK || out->forged)
        return e;
    out->count++;
    return OK;
}

/* The storage does not move any more: results get their views. */
static void point_at_data(const struct replay *r, struct vault_settlement *out)
{
    struct reader data;
    size_t n = 0, at = 0;
    rd_init(&data, wr_view_of(&out->storage));
    if (out->has_authentication) {
        out->authentication.data = rd_view(&data, r->ends[0]);
        at = r->ends[0];
        n = 1;
    }
    for (size_t i = 0; i < out->count; i++, n++) {
        out->results[i].data = rd_view(&data, r->ends[n] - at);
        at = r->ends[n];
    }
}

static enum err replay_answers(struct replay *r, const struct response_script *answers,
                               struct vault_settlement *out)
{
    if (answers->count > r->plain.count + r->fresh)
        return ERR_FORMAT;
    for (size_t n = 0; n < answers->count && !r->dead; n++) {
        enum err e = r->fresh ? settle_authentication(r, answers->rapdus[n], out)
                              : settle_command(r, answers->rapdus[n], out);
        if (e != OK)
            return e;
        r->ends[n] = out->storage.len;
    }
    point_at_data(r, out);
    return OK;
}

static enum err prepare(struct replay *r, const struct vault_script *in)
{
    size_t room = EXTERNAL_AUTHENTICATE_MAX;
    enum err e;
    if ((e = unseal_channel(r->v, in->sealed_channel, in->session, &r->ch, &r->fresh)) != OK)
        return e;
    if ((e = plain_read(r->v, in, channel_level(r->ch), &r->plain)) != OK)
        return e;
    for (size_t i = 0; i < r->plain.count; i++) {
        size_t need = channel_wrapped_max(&r->plain.apdus[i], 1);
        room = need > room ? need : room;
    }
    r->memory = malloc(room);
    if (r->memory == NULL)
        return ERR_MEMORY;
    wr_fixed(&r->storage, r->memory, room);
    return OK;
}

enum err vault_settle(struct vault *v, const struct vault_script *in, struct view answers,
                      struct vault_settlement *out)
{
    struct response_script *responses = malloc(sizeof(*responses));
    struct replay *r = calloc(1, sizeof(*r));
    enum err e = ERR_MEMORY;

    *out = (struct vault_settlement){0};
    wr_heap(&out->storage, answers.len);
    wr_heap(&out->sealed_channel, SEALED_CHANNEL_MAX);
    if (responses == NULL || r == NULL)
        goto out;
    r->v = v;
    if ((e = response_parse(answers, responses)) != OK)
        goto out;
    if ((e = prepare(r, in)) != OK)
        goto out;
    if ((e = replay_answers(r, responses, out)) != OK)
        goto out;
    if (!r->dead)
        e = seal_channel(v, r->ch, r->fresh, in->session, &out->sealed_channel);
out:
    if (r != NULL) {
        channel_free(&r->ch);
        plain_finish(&r->plain);
        wr_free(&r->storage);
        free(r->memory);
    }
    free(r);
    free(responses);
    if (e != OK)
        vault_settlement_finish(out);
    return e;
}

void vault_settlement_finish(struct vault_settlement *s)
{
    wr_free(&s->storage);
    wr_free(&s->sealed_channel);
}
