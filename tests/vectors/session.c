/* SPDX-License-Identifier: Apache-2.0
 *
 * Takes a session vector apart. */
#include "run.h"

#include <stdio.h>
#include <string.h>

static uint32_t number_of(struct view v)
{
    uint32_t n = 0;
    for (size_t i = 0; i < v.len; i++)
        n = n << 8 | v.data[i];
    return n;
}

static void add_i(struct session_vector *s, const char *hex)
{
    if (hex != NULL && s->i_count < sizeof(s->is))
        s->is[s->i_count++] = (uint8_t)number_of(vector_hex(hex));
}

static void read_is(struct session_vector *s)
{
    const json_t *compatible = json_object_get(s->row, "i_compatible"), *i;
    size_t n;
    add_i(s, vector_text(s->row, "i"));
    json_array_foreach(compatible, n, i) add_i(s, json_string_value(i));
}

static void read_external(struct session_vector *s)
{
    const json_t *external = json_object_get(s->row, "external_authenticate");
    s->external_sw = -1;
    if (!json_is_object(external))
        external = json_object_get(s->row, "external_authenticate_computed");
    if (!json_is_object(external))
        return;
    s->external = vector_bytes(external, "command");
    s->level = (uint8_t)number_of(vector_bytes(external, "security_level"));
    struct view response = vector_bytes(external, "response");
    if (response.len == 2)
        s->external_sw = (int)number_of(response);
}

bool session_read(struct session_vector *out, const json_t *row)
{
    const json_t *parsed = json_object_get(row, "parsed"), *keys = json_object_get(row, "static_keys");
    const json_t *session = json_object_get(row, "session_keys");
    const json_t *pseudo = json_object_get(row, "pseudo_random_card_challenge");
    if (!json_is_object(parsed) || !json_is_object(keys) || vector_has(row, "initiation"))
        return false;
    *out = (struct session_vector){.row = row};
    out->scp = (uint8_t)number_of(vector_bytes(parsed, "scp"));
    read_is(out);
    out->enc = vector_bytes(keys, "enc");
    out->mac = vector_bytes(keys, "mac");
    out->dek = vector_bytes(keys, "dek");
    out->s_enc = vector_bytes(session, "enc");
    out->s_mac = vector_bytes(session, "mac");
    out->s_rmac = vector_bytes(session, "rmac");
    out->s_dek = vector_bytes(session, "dek");
    out->host_challenge = vector_bytes(row, "host_challenge");
    out->card_challenge = vector_bytes(parsed, "card_challenge");
    out->card_cryptogram = vector_bytes(parsed, "card_cryptogram");
    out->host_cryptogram = vector_bytes(row, "host_cryptogram");
    out->sequence = number_of(vector_bytes(parsed, "sequence_counter"));
    out->has_sequence = vector_has(parsed, "sequence_counter");
    out->challenge_from_sequence = json_is_true(json_object_get(pseudo, "matches"));
    out->aid = vector_bytes(pseudo, "aid");
    struct view response = vector_bytes(row, "init_update_response");
    if (response.len < 2)
        response = vector_bytes(row, "init_update_response_synthetic");
    out->init_response = view_head(response, response.len - 2);
    out->exchanges = json_object_get(row, "exchanges");
    read_external(out);
    return true;
}
