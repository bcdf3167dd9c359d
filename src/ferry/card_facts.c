/* SPDX-License-Identifier: Apache-2.0
 *
 * Asks for what the identification leaves out: free memory. A card that does not answer is no error. */
#include "card_facts.h"

#include <gp/command.h>

#include "relay.h"

bool card_get_data(struct card_reader *reader, uint16_t tag, struct writer *out)
{
    struct apdu a;
    struct rapdu answer = {.sw = 0};
    struct writer capdu, rapdu;
    uint8_t memory[16];
    size_t bytes = 0;
    command_get_data(&a, tag);
    wr_fixed(&capdu, memory, sizeof(memory));
    wr_heap(&rapdu, 2 * RAPDU_MAX);
    apdu_put(&capdu, &a);
    bool good = relay_command(reader, wr_view_of(&capdu), &rapdu, &bytes) == OK &&
                rapdu_parse(wr_view_of(&rapdu), &answer) == OK && answer.sw == SW_OK;
    if (good)
        wr_view(out, answer.data);
    wr_free(&rapdu);
    return good && wr_ok(out);
}

bool card_memory_of(struct card_reader *reader, struct card_memory *out)
{
    struct writer answer;
    wr_heap(&answer, RAPDU_MAX);
    bool good =
        card_get_data(reader, TAG_CARD_RESOURCES, &answer) && memory_parse(wr_view_of(&answer), out) == OK;
    wr_free(&answer);
    return good;
}

static void set_number(json_t *object, const char *key, bool has, uint32_t value)
{
    if (has)
        json_object_set_new(object, key, json_integer(value));
}

void card_facts(struct card_reader *reader, const struct identity *id, json_t *object)
{
    struct card_memory memory;
    json_t *identity = card_words(reader, id);
    json_object_update(object, identity);
    json_decref(identity);
    if (!card_memory_of(reader, &memory))
        return;
    json_t *free_bytes = json_object();
    set_number(free_bytes, "applications", memory.has_applications, memory.applications);
    set_number(free_bytes, "free_bytes", memory.has_nonvolatile, memory.nonvolatile);
    set_number(free_bytes, "free_transient_bytes", memory.has_transient, memory.transient);
    json_object_set_new(object, "memory", free_bytes);
}
