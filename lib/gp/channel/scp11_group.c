/* SPDX-License-Identifier: Apache-2.0
 *
 * SCP11c: one script for all cards of a group, made without any of them (Amendment F 4.6). */
#include "channel_internal.h"

#include <stdlib.h>

static enum err wrap_behind_opening(struct channel_script *s, struct crypto *c,
                                    const struct channel_keys *keys, const struct apdu *plain, size_t count)
{
    struct channel *ch = NULL;
    enum err e = channel_group_open(&ch, c, &s->opening, keys);
    if (e == OK)
        e = channel_wrap(ch, c, plain, count, s->commands + s->opening.count, &s->storage);
    channel_free(&ch);
    return e;
}

enum err channel_group_script(struct channel_script *out, struct crypto *c, struct random_source random,
                              const struct channel_request *request, const struct channel_keys *keys,
                              const struct apdu *plain, size_t count)
{
    *out = (struct channel_script){0};
    if (count > SCRIPT_COMMANDS_MAX)
        return ERR_LIMIT;
    enum err e = channel_begin(&out->opening, c, random, request, keys);
    if (e != OK)
        return e;
    out->count = out->opening.count + count;
    out->commands = calloc(out->count, sizeof(*out->commands));
    wr_heap(&out->storage, channel_wrapped_max(plain, count));
    if (out->commands == NULL) {
        e = ERR_MEMORY;
        goto out;
    }
    for (size_t i = 0; i < out->opening.count; i++)
        out->commands[i] = out->opening.commands[i];
    e = wrap_behind_opening(out, c, keys, plain, count);
out:
    if (e != OK)
        channel_script_finish(out);
    return e;
}

void channel_script_finish(struct channel_script *s)
{
    channel_opening_finish(&s->opening);
    free(s->commands);
    wr_free(&s->storage);
    *s = (struct channel_script){0};
}
