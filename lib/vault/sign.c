/* SPDX-License-Identifier: Apache-2.0
 *
 * The whole plain script of a delivery becomes the signed script: one data packet. */
#include <vault/plain.h>

#include <stdlib.h>

static void put_command(struct script_writer *script, const struct apdu *wrapped, bool in_parts)
{
    size_t count = plain_parts(wrapped->ins, wrapped->extended, wrapped->data.len, in_parts);
    if (count == 1) {
        script_put_apdu(script, wrapped);
        return;
    }
    for (size_t n = 0; n < count; n++) {
        struct apdu part;
        command_segment(&part, wrapped, PART_MAX, n);
        script_put_apdu(script, &part);
    }
}

/* SCP02 signs what is then encrypted: there are lengths at which the plain command has a short Lc under the
 * MAC, and its encryption no room in a short command. GPCS 2.3.1 11.1.5.1 does not say which Lc is signed
 * then. */
static bool has_two_readings(const struct channel *ch, const struct apdu *plain, bool in_parts)
{
    const struct channel_method *m = channel_method_of(ch);
    return in_parts && m->scp == SCP02 && (channel_level(ch) & LEVEL_C_DECRYPTION) != 0 &&
           command_can_be_segmented(plain->ins) && plain->extended &&
           plain->data.len + m->tag_len <= PART_MAX;
}

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
    for (size_t i = 0; i < plain.count; i++) {
        if (has_two_readings(ch, &plain.apdus[i], in->in_parts)) {
            e = ERR_LIMIT;
            goto out;
        }
    }
    if (fresh && (e = channel_external_authenticate(ch, v->crypto, &first)) != OK)
        goto out;
    if (plain.count > 0 &&
        (e = channel_wrap(ch, v->crypto, plain.apdus, plain.count, wrapped, &storage)) != OK)
        goto out;
    script_begin(&script, signed_script, SCRIPT_DEFINITE);
    if (fresh)
        script_put_capdu(&script, wr_view_of(&first));
    for (size_t i = 0; i < plain.count; i++)
        put_command(&script, &wrapped[i], in->in_parts);
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
