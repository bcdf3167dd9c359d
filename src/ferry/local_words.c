/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads plain commands of our own back into words. */
#include "local_words.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <base/text.h>
#include <gp/registry.h>
#include <tlv/tlv.h>

enum { TAG_C9 = 0xC9, TAG_EF = 0xEF, TAG_AID = 0x4F, PRIVILEGES_LEN = 3, HEX_SHOWN = 20 };

struct shown_aid {
    char text[2 * HEX_SHOWN + 4];
};

static struct shown_aid shown(struct view v)
{
    struct shown_aid out = {""};
    hex_write(out.text, view_head(v, HEX_SHOWN));
    if (v.len > HEX_SHOWN)
        memcpy(out.text + 2 * (size_t)HEX_SHOWN, "...", sizeof("..."));
    return out;
}

static void add(struct command_words *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct command_words *w, const char *format, ...)
{
    size_t len = strlen(w->text);
    va_list args;
    va_start(args, format);
    vsnprintf(w->text + len, sizeof(w->text) - len, format, args);
    va_end(args);
}

/* ---- privileges */

enum { PRIVILEGE_BITS = 24 };

struct privilege_words privilege_words(struct privileges p)
{
    struct privilege_words out = {""};
    for (unsigned bit = 0; bit < PRIVILEGE_BITS; bit++) {
        size_t len = strlen(out.text);
        if (privilege_name(bit) == NULL || !privilege_has(&p, bit))
            continue;
        snprintf(out.text + len, sizeof(out.text) - len, "%s%s", len > 0 ? ", " : "", privilege_name(bit));
    }
    return out.text[0] != '\0' ? out : (struct privilege_words){"none"};
}

/* "card-reset" for "card reset": a word on the command line has no blanks. */
static bool same_name(const char *typed, size_t len, const char *name)
{
    if (name == NULL || strlen(name) != len)
        return false;
    for (size_t i = 0; i < len; i++)
        if (tolower((unsigned char)(typed[i] == '-' ? ' ' : typed[i])) != tolower((unsigned char)name[i]))
            return false;
    return true;
}

/* GPCS 2.3.1 table 11-7: these bits mean something only with others. */
static void add_bit(struct privileges *p, unsigned bit)
{
    static const uint8_t with[8] = {0x80, 0xC0, 0xA0, 0, 0, 0, 0, 0xC1};
    p->byte[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
    if (bit < 8)
        p->byte[0] |= with[bit];
}

static bool add_privilege(struct privileges *p, const char *name, size_t len)
{
    for (unsigned bit = 0; bit < PRIVILEGE_BITS; bit++)
        if (same_name(name, len, privilege_name(bit))) {
            add_bit(p, bit);
            return true;
        }
    return false;
}

enum err privileges_parse(const char *text, struct privileges *out)
{
    struct privileges p = {{0}};
    uint8_t bytes[PRIVILEGES_LEN];
    size_t len = 0;
    if (hex_read_str(text, bytes, sizeof(bytes), &len) == OK)
        return privileges_read(view_of(bytes, len), out);
    for (const char *name = text;; name++) {
        len = strcspn(name, ",");
        if (!add_privilege(&p, name, len))
            return ERR_FORMAT;
        name += len;
        if (*name == '\0')
            break;
    }
    *out = p;
    return OK;
}

/* ---- commands */

static void add_aid(struct command_words *w, const char *what, struct view aid, const char *none)
{
    add(w, "%s %s", what, aid.len > 0 ? shown(aid).text : none);
}

static void add_parameters(struct command_words *w, struct view field)
{
    struct view value;
    bool told = false;
    if (tlv_valid(field) && tlv_find(field, TAG_C9, &value) && value.len > 0) {
        add(w, ", parameters of %zu bytes", value.len);
        told = true;
    }
    if (tlv_valid(field) && tlv_find(field, TAG_EF, &value))
        add(w, ", system parameters %s", shown(value).text);
    else if (!told && field.len > 0 && !tlv_valid(field))
        add(w, ", parameters of %zu bytes", field.len);
}

static struct privileges privileges_of(struct view v)
{
    struct privileges p = {{0}};
    struct reader r;
    rd_init(&r, v);
    for (size_t n = 0; n < PRIVILEGES_LEN && rd_left(&r) > 0; n++)
        p.byte[n] = rd_u8(&r);
    return p;
}

/* GPCS 2.3.1 tables 11-43 to 11-47: fields with a length in front, which are as many for every purpose but
 * what they say differs. */
static void install_words(struct command_words *w, const struct apdu *a)
{
    struct reader r;
    struct view field[4];
    rd_init(&r, a->data);
    for (size_t n = 0; n < 4; n++)
        field[n] = rd_view8(&r, 255);
    if (a->p1 == 0x02) {
        add_aid(w, " [for load] package", field[0], "-");
        add_aid(w, ", into", field[1], "the domain of the channel");
        add_parameters(w, field[3]);
        if (field[2].len > 0)
            add(w, ", hash of %zu bytes", field[2].len);
    } else if (a->p1 == 0x20) {
        add_aid(w, " [for personalization] of", field[2], "-");
    } else if (a->p1 == 0x10) {
        add_aid(w, " [for extradition] of", field[2], "-");
        add_aid(w, " to", field[0], "-");
    } else if (a->p1 == 0x40) {
        add_aid(w, " [for registry update] of", field[2], "-");
    } else if ((a->p1 & 0x0C) != 0) {
        add(w, " [%s]",
            a->p1 == 0x0C   ? "for install and make selectable"
            : a->p1 == 0x04 ? "for install"
                            : "for make selectable");
        add_aid(w, " applet", field[1], "-");
        add_aid(w, " of package", field[0], "-");
        add_aid(w, " as", field[2], "-");
        add(w, ", privileges %s", privilege_words(privileges_of(field[3])).text);
        add_parameters(w, rd_view8(&r, 255));
    }
}

static void delete_words(struct command_words *w, const struct apdu *a)
{
    struct view aid;
    if (tlv_valid(a->data) && tlv_find(a->data, TAG_AID, &aid))
        add(w, " %s%s", shown(aid).text, (a->p2 & 0x80) != 0 ? " and what came from it" : "");
    else
        add(w, " key, by %zu bytes of data", a->data.len);
}

static void load_words(struct command_words *w, const struct apdu *a)
{
    add(w, " block %u, %zu bytes%s", a->p2, a->data.len, (a->p1 & 0x80) != 0 ? ", the last" : "");
}

static void status_words(struct command_words *w, const struct apdu *a)
{
    static const struct {
        uint8_t type, state;
        const char *text;
    } rows[] = {{0x80, 0x07, "the card becomes INITIALIZED"},
                {0x80, 0x0F, "the card becomes SECURED"},
                {0x80, 0x7F, "the card becomes CARD_LOCKED"},
                {0x80, 0xFF, "the card becomes TERMINATED, for ever"}};
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++)
        if (rows[n].type == a->p1 && rows[n].state == a->p2) {
            add(w, ": %s", rows[n].text);
            return;
        }
    add(w, ": %s becomes %s (%02X)", shown(a->data).text, (a->p2 & 0x80) != 0 ? "LOCKED" : "unlocked", a->p2);
}

static void key_words(struct command_words *w, const struct apdu *a)
{
    unsigned version = a->p1 & 0x7F;
    if (version == 0)
        add(w, ": new keys");
    else
        add(w, ": in place of version %02X", version);
    add(w, ", from key %02X, %zu bytes of data", a->p2 & 0x7F, a->data.len);
}

static void store_words(struct command_words *w, const struct apdu *a)
{
    add(w, " block %u, %zu bytes%s%s", a->p2, a->data.len, (a->p1 & 0x60) == 0x60 ? ", encrypted" : "",
        (a->p1 & 0x80) != 0 ? ", the last" : "");
}

static void select_words(struct command_words *w, const struct apdu *a)
{
    add_aid(w, "", a->data, "the default application");
}

static void tag_words(struct command_words *w, const struct apdu *a)
{
    add(w, " %02X%02X", a->p1, a->p2);
}

static void subset_words(struct command_words *w, const struct apdu *a)
{
    add(w, " of %s%s",
        a->p1 == STATUS_ISD            ? "the issuer security domain"
        : a->p1 == STATUS_APPLICATIONS ? "applications"
                                       : "packages",
        (a->p2 & 0x01) != 0 ? ", next page" : "");
}

static const struct {
    uint8_t ins;
    void (*add)(struct command_words *w, const struct apdu *a);
} rows[] = {{INS_INSTALL, install_words},   {INS_DELETE, delete_words}, {INS_LOAD, load_words},
            {INS_SET_STATUS, status_words}, {INS_PUT_KEY, key_words},   {INS_STORE_DATA, store_words},
            {INS_SELECT, select_words},     {INS_GET_DATA, tag_words},  {INS_GET_STATUS, subset_words}};

struct command_words command_words(const struct apdu *plain)
{
    struct command_words w = {""};
    add(&w, "%s", command_name(plain->ins));
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++)
        if (rows[n].ins == plain->ins)
            rows[n].add(&w, plain);
    return w;
}
