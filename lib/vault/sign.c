/* SPDX-License-Identifier: Apache-2.0
 *
 * The whole plain script of a delivery becomes the signed script: one data packet. */
#include <vault/plain.h>

#include <stdlib.h>

enum err vault_sign(struct vault *v, const struct vault_script *in, struct writer *signed_script)
{
    uint8_t *memory = NULL;
    struct channel *ch = NULL;
    struct plain plain = {0};
    struct apdu *wrapped = NULL;
    struct writer storage = {0}, first;
    struct script_writer script;
    bool fresh = false;
    enum err e;

    wr_heap(&first, EXTERNAL_AUTHENTICATE_MAX);
    if ((e = unseal_channel(v, in->sealed_channel, in->session, &ch, &fresh)) != OK)
        goto out;
    if ((e = plain_read(v, in, channel_level(ch), &plain)) != OK)
        goto out;
    size_t room = channel_wrapped_max(plain.apdus, plain.count);
    wrapped = calloc(plain.count + 1, sizeof(*wrapped));
    memory = malloc(room + 1);
    if (wrapped == NULL || memory == NULL) {
        e = ERR_MEMORY;
        goto out;
    }
    wr_fixed(&storage, memory, room);
    if (fresh && (e = channel_external_authenticate(ch, v->crypto, &first)) != OK)
        goto out;
    if (plain.count > 0 &&
        (e = channel_wrap(ch, v->crypto, plain.apdus, plain.count, wrapped, &storage)) != OK)
        goto out;
    script_begin(&script, signed_script, SCRIPT_DEFINITE);
    if (fresh)
        script_put_capdu(&script, wr_view_of(&first));
    for (size_t i = 0; i < plain.count; i++)
        script_put_apdu(&script, &wrapped[i]);
    e = script_end(&script);
out:
    plain_finish(&plain);
    channel_free(&ch);
    wr_free(&storage);
    wr_free(&first);
    free(memory);
    free(wrapped);
    return e;
}
