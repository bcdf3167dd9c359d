/* SPDX-License-Identifier: Apache-2.0
 *
 * Asks a card who it is, each command by itself: a card may lack any of these objects. */
#include "identify.h"

#include "relay.h"

enum err identify_card(struct card_reader *reader, struct view isd, struct identity *id)
{
    struct apdu commands[IDENTITY_COMMANDS];
    struct rapdu answers[IDENTITY_COMMANDS];
    size_t at[IDENTITY_COMMANDS + 1] = {0}, bytes = 0;
    struct writer all, one;
    enum err e = OK;
    identity_commands(commands, isd);
    wr_heap(&all, IDENTITY_COMMANDS * RAPDU_MAX);
    wr_heap(&one, CAPDU_MAX);
    for (size_t i = 0; e == OK && i < IDENTITY_COMMANDS; i++) {
        wr_clear(&one);
        apdu_put(&one, &commands[i]);
        e = relay_command(reader, wr_view_of(&one), &all, &bytes);
        at[i + 1] = all.len;
    }
    struct reader r;
    rd_init(&r, wr_view_of(&all));
    for (size_t i = 0; e == OK && i < IDENTITY_COMMANDS; i++)
        e = rapdu_parse(rd_view(&r, at[i + 1] - at[i]), &answers[i]);
    if (e == OK)
        e = identity_parse(id, view_of(reader->atr, reader->atr_len), answers, IDENTITY_COMMANDS);
    wr_free(&one);
    wr_free(&all);
    return e;
}
