/* SPDX-License-Identifier: Apache-2.0
 *
 * Plain commands out of a script, and card-specific data into their places. */
#include <vault/plain.h>

#include <stdlib.h>

enum { DERIVED_MAX = 64 }; /* key_derive_data */

static enum err read_apdus(struct view script, struct plain *p)
{
    struct script_reader s;
    enum script_fault fault;
    struct view capdu;
    enum err e = script_open(&s, script, &fault);
    for (size_t i = 0; e == OK && i < p->count; i++) {
        if ((e = script_next(&s, &capdu, &fault)) == OK)
            e = apdu_parse(capdu, &p->apdus[i]);
    }
    return e;
}

static enum err derive(struct vault *v, const struct vault_place *place, struct writer *out)
{
    uint8_t data[DERIVED_MAX];
    struct secret key = {0};
    enum err e;
    if (place->key.use != KEY_USE_DERIVE)
        return ERR_POLICY;
    if (place->len > sizeof(data))
        return ERR_ARGUMENT;
    if ((e = unseal_secret(v, &place->key, place->sealed_key, &key)) == OK &&
        (e = key_derive_data(v->crypto, &key, place->label, place->context, data, place->len)) == OK)
        wr_bytes(out, data, place->len);
    wipe(data, sizeof(data));
    secret_wipe(&key);
    return e;
}

/* Copies the command's data to filled, with the derived bytes in place of what stood there. */
static enum err fill_command(struct vault *v, struct apdu *a, const struct vault_place *places, size_t count,
                             struct writer *filled)
{
    struct reader r;
    size_t start = filled->len, at = 0;
    enum err e;
    rd_init(&r, a->data);
    for (size_t i = 0; i < count; i++) {
        const struct vault_place *place = &places[i];
        if (place->offset < at)
            return ERR_ARGUMENT;
        wr_view(filled, rd_view(&r, place->offset - at));
        rd_view(&r, place->len);
        if (!rd_ok(&r))
            return ERR_ARGUMENT;
        if ((e = derive(v, place, filled)) != OK)
            return e;
        at = (size_t)place->offset + place->len;
    }
    wr_view(filled, rd_rest(&r));
    a->data = view_tail(wr_view_of(filled), start);
    return wr_status(filled);
}

static enum err fill_places(struct vault *v, const struct vault_script *in, struct plain *p)
{
    size_t next = 0;
    for (size_t i = 0; i < p->count; i++) {
        size_t first = next;
        while (next < in->place_count && in->places[next].command == i)
            next++;
        if (next == first)
            continue;
        enum err e = fill_command(v, &p->apdus[i], &in->places[first], next - first, &p->filled);
        if (e != OK)
            return e;
    }
    return next == in->place_count ? OK : ERR_ARGUMENT;
}

enum err plain_read(struct vault *v, const struct vault_script *in, uint8_t level, struct plain *out)
{
    struct plain p = {0};
    enum err e;
    if (in->place_count > VAULT_PLACES_MAX)
        return ERR_ARGUMENT;
    if (in->place_count > 0 && (level & LEVEL_C_DECRYPTION) == 0)
        return ERR_POLICY;
    if ((e = script_count(in->plain, &p.count)) != OK)
        return e;
    p.apdus = calloc(p.count + 1, sizeof(*p.apdus));
    p.memory = malloc(in->plain.len);
    if (p.apdus == NULL || p.memory == NULL) {
        e = ERR_MEMORY;
        goto out;
    }
    wr_fixed(&p.filled, p.memory, in->plain.len);
    if ((e = read_apdus(in->plain, &p)) != OK)
        goto out;
    if ((e = fill_places(v, in, &p)) != OK)
        goto out;
    *out = p;
    p = (struct plain){0};
out:
    plain_finish(&p);
    return e;
}

void plain_finish(struct plain *p)
{
    wr_free(&p->filled);
    free(p->memory);
    free(p->apdus);
    *p = (struct plain){0};
}

size_t plain_parts(uint8_t ins, bool extended, size_t wrapped_len, bool in_parts)
{
    if (!in_parts || !extended || wrapped_len <= PART_MAX || !command_can_be_segmented(ins))
        return 1;
    return (wrapped_len + PART_MAX - 1) / PART_MAX;
}
