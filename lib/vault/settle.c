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
    bool in_parts;
    size_t ends[SCRIPT_COMMANDS_MAX +
                2]; /* ends[n]: where the data of n results ends in the settlement's storage */
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

/* The answers to all parts but the last: 9000 alone (GPCS 2.3.1 11.1.5.1), else the card has given the
 * command up, and a channel that went on with it is at another place than the card's. *given: how many there
 * were. */
static enum err settle_parts(struct replay *r, const struct response_script *answers, size_t first,
                             size_t parts, struct vault_result *result, size_t *given)
{
    for (*given = 0; *given + 1 < parts && first + *given < answers->count; (*given)++) {
        struct rapdu answer;
        enum err e = rapdu_parse(answers->rapdus[first + *given], &answer);
        if (e != OK)
            return e;
        if (answer.sw == SW_OK && answer.data.len == 0)
            continue;
        *result = (struct vault_result){.sw = answer.sw == SW_OK ? SW_NO_DIAGNOSIS : answer.sw};
        r->dead = true;
        (*given)++;
        return OK;
    }
    return OK;
}

/* One command, with as many answers as it has parts. *n: the next answer. */
static enum err settle_command(struct replay *r, const struct response_script *answers, size_t *n,
                               struct vault_settlement *out)
{
    const struct apdu *plain = &r->plain.apdus[out->count];
    struct vault_result *result = &out->results[out->count];
    size_t given = 0;
    size_t parts =
        plain_parts(plain->ins, apdu_is_extended(plain), channel_wrapped_len(r->ch, plain), r->in_parts);
    enum err e;
    wr_clear(&r->storage);
    if ((e = channel_follow(r->ch, r->v->crypto, plain, &r->storage)) != OK)
        return e;
    if ((e = settle_parts(r, answers, *n, parts, result, &given)) != OK)
        return e;
    *n += given;
    if (!r->dead && *n == answers->count) {
        r->dead = true; /* lost between its parts */
        return OK;
    }
    if (!r->dead && ((e = take_answer(r, answers->rapdus[(*n)++], out, result)) != OK || out->forged))
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
        out->authentication.data = rd_view(&data, r->ends[1]);
        at = r->ends[1];
        n = 1;
    }
    for (size_t i = 0; i < out->count; i++) {
        n++;
        out->results[i].data = rd_view(&data, r->ends[n] - at);
        at = r->ends[n];
    }
}

static enum err replay_answers(struct replay *r, const struct response_script *answers,
                               struct vault_settlement *out)
{
    for (size_t n = 0; n < answers->count && !r->dead;) {
        enum err e;
        if (r->fresh)
            e = settle_authentication(r, answers->rapdus[n++], out);
        else if (out->count < r->plain.count)
            e = settle_command(r, answers, &n, out);
        else
            e = ERR_FORMAT; /* more answers than commands */
        if (e != OK)
            return e;
        r->ends[out->has_authentication + out->count] = out->storage.len;
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
    r->in_parts = in->in_parts;
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
