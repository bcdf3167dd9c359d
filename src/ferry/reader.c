/* SPDX-License-Identifier: Apache-2.0
 *
 * Chooses the kind of reader by its prefix, and holds every kind to the same rules. */
#include "reader.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *prefix;
    enum err (*open)(struct card_reader *out, const char *rest, int wait_ms, struct reader_problem *why);
    enum err (*insertion)(struct reader_insertion *out, const char *rest); /* NULL: it does not tell */
} kinds[] = {
    {"pcsc:", reader_open_pcsc, reader_insertion_pcsc},
    {"sim:", reader_open_sim, NULL},
};

enum err reader_open(struct card_reader *out, const char *spec, int wait_ms, struct reader_problem *why)
{
    if (spec == NULL)
        spec = "pcsc:";
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t len = strlen(kinds[i].prefix);
        if (strncmp(spec, kinds[i].prefix, len) == 0)
            return kinds[i].open(out, spec + len, wait_ms, why);
    }
    snprintf(why->text, sizeof(why->text), "'%.80s' names no reader: write pcsc:<name> or sim:<socket>",
             spec);
    return ERR_ARGUMENT;
}

enum err reader_insertion(struct reader_insertion *out, const char *spec)
{
    if (spec == NULL)
        spec = "pcsc:";
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t len = strlen(kinds[i].prefix);
        if (strncmp(spec, kinds[i].prefix, len) == 0)
            return kinds[i].insertion != NULL ? kinds[i].insertion(out, spec + len) : ERR_UNSUPPORTED;
    }
    return ERR_ARGUMENT;
}

void reader_close(struct card_reader *r)
{
    if (r->ops != NULL)
        r->ops->close(r->ctx);
    *r = (struct card_reader){0};
}

enum err reader_transmit(struct card_reader *r, struct view capdu, struct writer *rapdu)
{
    size_t before = rapdu->len;
    enum err e = r->ops->transmit(r->ctx, capdu, rapdu);
    if (e == OK)
        e = wr_status(rapdu);
    if (e == OK && rapdu->len < before + 2)
        e = ERR_FORMAT;
    return e;
}

void reader_touch(struct card_reader *r)
{
    if (r->ops->touch(r->ctx) != OK)
        return; /* a card that has gone is found by the next command, which can say so */
}

enum err reader_wait_gone(struct card_reader *r, int timeout_ms)
{
    return r->ops->wait_gone(r->ctx, timeout_ms);
}
