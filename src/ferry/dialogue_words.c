/* SPDX-License-Identifier: Apache-2.0
 *
 * A session's dialogue in words. */
#include "dialogue_words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <apdu/apdu.h>
#include <base/text.h>
#include <gp/command.h>

enum { HEADER_LEN = 4, SW_LEN = 2 };

/* A command as it is told. aid: digits, or "". */
struct told {
    uint8_t cla, ins, p1, p2;
    unsigned bytes;
    const char *aid;
};

static void add(struct dialogue_words *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct dialogue_words *w, const char *format, ...)
{
    size_t len = strlen(w->text);
    va_list args;
    va_start(args, format);
    vsnprintf(w->text + len, sizeof(w->text) - len, format, args);
    va_end(args);
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static bool is_hex(const char *text)
{
    return text[strspn(text, "0123456789ABCDEF")] == '\0';
}

static bool read_told(const json_t *command, struct told *out)
{
    uint8_t bytes[HEADER_LEN];
    size_t len = 0;
    struct reader r;
    if (hex_read_str(text_of(command, "header"), bytes, sizeof(bytes), &len) != OK || len != HEADER_LEN)
        return false;
    rd_init(&r, VIEW_OF(bytes));
    *out = (struct told){.cla = rd_u8(&r)};
    out->ins = rd_u8(&r);
    out->p1 = rd_u8(&r);
    out->p2 = rd_u8(&r);
    out->bytes = (unsigned)json_integer_value(json_object_get(command, "bytes"));
    out->aid = text_of(command, "aid");
    return is_hex(out->aid) && strlen(out->aid) <= (size_t)2 * AID_MAX;
}

/* ---- what each command is about ---- */

static void about_select(struct dialogue_words *w, const struct told *c)
{
    add(w, " %s", c->aid[0] != '\0' ? c->aid : "the default application");
}

static void about_install(struct dialogue_words *w, const struct told *c)
{
    static const struct {
        uint8_t p1;
        const char *text;
    } rows[] = {{0x02, "for load"},
                {0x04, "for install"},
                {0x08, "for make selectable"},
                {0x0C, "for install and make selectable"},
                {0x10, "for extradition"},
                {0x20, "for personalization"},
                {0x40, "for registry update"}};
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++)
        if (rows[n].p1 == c->p1)
            add(w, " [%s]", rows[n].text);
    add(w, " %s", c->aid);
}

static void about_load(struct dialogue_words *w, const struct told *c)
{
    add(w, " block %u, %u bytes%s", c->p2, c->bytes, (c->p1 & 0x80) != 0 ? ", the last" : "");
    if (c->aid[0] != '\0')
        add(w, ", of %s", c->aid);
}

static void about_delete(struct dialogue_words *w, const struct told *c)
{
    if (c->aid[0] != '\0')
        add(w, " %s%s", c->aid, (c->p2 & 0x80) != 0 ? " and what came from it" : "");
    else
        add(w, " key, %u bytes", c->bytes);
}

static void about_tag(struct dialogue_words *w, const struct told *c)
{
    add(w, " %02X%02X", c->p1, c->p2);
}

static void about_subset(struct dialogue_words *w, const struct told *c)
{
    add(w, " of %s%s",
        c->p1 == STATUS_ISD            ? "the card manager"
        : c->p1 == STATUS_APPLICATIONS ? "applications"
                                       : "packages",
        (c->p2 & 0x01) != 0 ? ", next page" : "");
}

static const struct {
    uint8_t ins;
    void (*add)(struct dialogue_words *w, const struct told *c);
} rows[] = {{INS_SELECT, about_select}, {INS_INSTALL, about_install}, {INS_LOAD, about_load},
            {INS_DELETE, about_delete}, {INS_GET_DATA, about_tag},    {INS_GET_STATUS, about_subset}};

struct dialogue_words dialogue_command_words(const json_t *command)
{
    struct dialogue_words w = {""};
    struct told c;
    if (!read_told(command, &c)) {
        add(&w, "?");
        return w;
    }
    add(&w, "%s", command_name(c.ins));
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        if (rows[n].ins == c.ins) {
            rows[n].add(&w, &c);
            return w;
        }
    }
    if (c.bytes > 0)
        add(&w, ", %u bytes", c.bytes);
    return w;
}

struct dialogue_words dialogue_answer_words(const json_t *command)
{
    struct dialogue_words w = {""};
    uint8_t bytes[SW_LEN];
    size_t len = 0;
    struct reader r;
    const char *text = text_of(command, "sw");
    if (text[0] == '\0') {
        add(&w, "nothing came back");
    } else if (hex_read_str(text, bytes, sizeof(bytes), &len) != OK || len != SW_LEN) {
        add(&w, "?");
    } else {
        rd_init(&r, VIEW_OF(bytes));
        uint16_t sw = rd_u16(&r);
        add(&w, "%04X %s", sw, sw_text(sw));
    }
    return w;
}

/* ---- the ladder ---- */

/* What comes from afar does not move the cursor. */
static void print_plain(const char *text)
{
    for (; *text != '\0'; text++)
        putchar((unsigned char)*text < ' ' || (unsigned char)*text > '~' ? '?' : *text);
}

static void print_turn(const json_t *turn)
{
    size_t n;
    json_t *command;
    print_plain(text_of(turn, "time"));
    fputs("  ", stdout);
    print_plain(text_of(turn, "step"));
    putchar('\n');
    json_array_foreach(json_object_get(turn, "commands"), n, command)
    {
        printf("  --> %s\n", dialogue_command_words(command).text);
        printf("  <-- %s\n", dialogue_answer_words(command).text);
    }
}

void dialogue_print(const json_t *dialogue)
{
    size_t n;
    json_t *turn;
    json_array_foreach(json_object_get(dialogue, "turns"), n, turn) print_turn(turn);
    if (json_array_size(json_object_get(dialogue, "turns")) == 0)
        puts("Nothing was said.");
    if (json_is_true(json_object_get(dialogue, "cut")))
        puts("There was more, which was not kept.");
}
