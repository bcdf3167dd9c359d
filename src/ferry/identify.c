/* SPDX-License-Identifier: Apache-2.0
 *
 * Asks a card who it is, each command by itself: a card may lack any of these objects. */
#include "identify.h"

#include "relay.h"

static enum err ask_once(struct card_reader *reader, const struct apdu *question, struct writer *answer,
                         size_t *bytes, bool *refused)
{
    struct rapdu parsed;
    struct writer asked;
    wr_heap(&asked, CAPDU_MAX);
    wr_clear(answer);
    apdu_put(&asked, question);
    enum err e = relay_command(reader, wr_view_of(&asked), answer, bytes);
    *refused = e == OK && rapdu_parse(wr_view_of(answer), &parsed) == OK && !sw_is_ok_or_warning(parsed.sw);
    wr_free(&asked);
    return e;
}

/* Appends the answer to one question, or to one that takes its place as long as the card refuses. */
static enum err ask(struct card_reader *reader, const struct apdu *question, size_t n, struct writer *all,
                    size_t *bytes)
{
    struct apdu other;
    struct writer answer;
    bool refused = false;
    wr_heap(&answer, RAPDU_MAX);
    enum err e = ask_once(reader, question, &answer, bytes, &refused);
    for (size_t attempt = 0; e == OK && refused && identity_ask_otherwise(&other, question, n, attempt);
         attempt++)
        e = ask_once(reader, &other, &answer, bytes, &refused);
    wr_view(all, wr_view_of(&answer));
    wr_free(&answer);
    return e;
}

enum err identify_card(struct card_reader *reader, struct view isd, struct identity *id)
{
    struct apdu commands[IDENTITY_COMMANDS];
    struct rapdu answers[IDENTITY_COMMANDS];
    size_t at[IDENTITY_COMMANDS + 1] = {0}, bytes = 0;
    struct writer all;
    enum err e = OK;
    identity_commands(commands, isd);
    wr_heap(&all, IDENTITY_COMMANDS * RAPDU_MAX);
    for (size_t i = 0; e == OK && i < IDENTITY_COMMANDS; i++) {
        e = ask(reader, &commands[i], i, &all, &bytes);
        at[i + 1] = all.len;
    }
    struct reader r;
    rd_init(&r, wr_view_of(&all));
    for (size_t i = 0; e == OK && i < IDENTITY_COMMANDS; i++)
        e = rapdu_parse(rd_view(&r, at[i + 1] - at[i]), &answers[i]);
    if (e == OK)
        e = identity_parse(id, view_of(reader->atr, reader->atr_len), answers, IDENTITY_COMMANDS);
    wr_free(&all);
    return e;
}
