/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading of request bodies. */
#include "front/api_bodies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <base/text.h>

#include "front/card_type.h"
#include "front/json.h"

enum {
    CAP_TEXT_MAX = (CAP_FILE_MAX + 2) / 3 * 4 + 4, /* base64 */
    SMALL_BODY_MAX = 16 * 1024
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define REFUSE(...)  why_not(ERR_ARGUMENT, why, why_len, __VA_ARGS__)

static enum err open_checked(json_t **out, struct view body, size_t max, const struct json_rule *rules,
                             size_t count, char *why, size_t why_len)
{
    json_t *j = NULL;
    enum err e = json_open(&j, body, max, why, why_len);
    if (e == OK)
        e = json_check(j, rules, count, why, why_len);
    if (e == OK)
        *out = j;
    else
        json_decref(j);
    return e;
}

/* ---- applications ---- */

#define TEXT_RULES                                                                                           \
    {"title", TAKE_TEXT, false, APP_TITLE_MAX}, {"description", TAKE_TEXT, false, APP_DESCRIPTION_MAX},      \
        {"title_de", TAKE_TEXT, false, APP_TITLE_MAX},                                                       \
    {                                                                                                        \
        "description_de", TAKE_TEXT, false, APP_DESCRIPTION_MAX                                              \
    }

const char *const app_text_names[APP_TEXTS] = {"title", "description", "title_de", "description_de"};

static const struct json_rule app_rules[] = {
    {"name", TAKE_TEXT, true, NAME_MAX_BYTES},
    {"cap", TAKE_TEXT, true, CAP_TEXT_MAX},
    {"install", TAKE_LIST, false, CAP_APPLETS_MAX},
    {"load_parameters", TAKE_TEXT, false, PARAMETERS_TEXT_MAX},
    {"sequence", TAKE_LINES, false, SEQUENCE_TEXT_MAX},
    {"approved", TAKE_FLAG, false, 0},
    TEXT_RULES,
};

static const struct json_rule texts_rules[] = {TEXT_RULES};

static const struct json_rule install_rules[] = {
    {"module", TAKE_TEXT, false, 2 * AID_MAX},
    {"instance", TAKE_TEXT, false, 2 * AID_MAX},
    {"privileges", TAKE_TEXT, false, 6},
    {"parameters", TAKE_TEXT, false, PARAMETERS_TEXT_MAX},
    {"system", TAKE_TEXT, false, PARAMETERS_TEXT_MAX},
};

static enum err read_aid(const char *text, struct aid *out)
{
    uint8_t bytes[AID_MAX];
    size_t len = 0;
    if (hex_read_str(text, bytes, sizeof(bytes), &len) != OK)
        return ERR_FORMAT;
    return aid_set(out, view_of(bytes, len));
}

static enum err read_install(const json_t *j, size_t number, struct install_choice *out, char *why,
                             size_t why_len)
{
    size_t len = 0;
    enum err e = json_check(j, install_rules, COUNT(install_rules), why, why_len);
    if (e != OK)
        return e;
    const char *module = json_text(j, "module");
    if (*module != '\0' && read_aid(module, &out->module) != OK)
        return REFUSE("'module' of install entry %zu is not an AID in hexadecimal", number);
    const char *instance = json_text(j, "instance");
    if (*instance != '\0' && read_aid(instance, &out->instance) != OK)
        return REFUSE("'instance' of install entry %zu is not an AID in hexadecimal", number);
    const char *privileges = json_text(j, "privileges");
    if (hex_read_str(privileges, out->privileges.byte, sizeof(out->privileges.byte), &len) != OK || len == 2)
        return REFUSE("'privileges' of install entry %zu is not one byte or three in hexadecimal", number);
    out->parameters = view_str(json_text(j, "parameters"));
    out->system = view_str(json_text(j, "system"));
    return OK;
}

static enum err read_texts(const json_t *j, struct app_naming *out, char *why, size_t why_len)
{
    for (size_t i = 0; i < APP_TEXTS; i++) {
        out->text[i] = json_string_value(json_object_get(j, app_text_names[i]));
        if (out->text[i] != NULL && !text_is_line(view_str(out->text[i])))
            return REFUSE("'%s' is not a line of text", app_text_names[i]);
    }
    return OK;
}

static enum err read_app(const json_t *j, struct app_body *b, char *why, size_t why_len)
{
    const char *name = json_text(j, "name");
    if (!name_ok(name))
        return REFUSE("'name' is not of letters, digits, '.', '_' and '-'");
    snprintf(b->name, sizeof(b->name), "%s", name);
    wr_heap(&b->cap, CAP_FILE_MAX);
    enum err e = base64_read(view_str(json_text(j, "cap")), &b->cap);
    if (e == ERR_LIMIT)
        return why_not(e, why, why_len, "the CAP file is longer than %d bytes", CAP_FILE_MAX);
    if (e != OK)
        return REFUSE("'cap' is not base64");
    const json_t *list = json_object_get(j, "install");
    for (size_t i = 0; i < json_array_size(list) && e == OK; i++)
        e = read_install(json_array_get(list, i), i + 1, &b->installs[i], why, why_len);
    b->install_count = json_array_size(list);
    b->load_parameters = view_str(json_text(j, "load_parameters"));
    b->sequence = view_str(json_text(j, "sequence"));
    b->approved = json_flag(j, "approved");
    if (e == OK)
        e = read_texts(j, &b->texts, why, why_len);
    if (e == OK && b->sequence.len > 0 && (b->install_count > 0 || b->load_parameters.len > 0))
        return REFUSE("'sequence' says it all: it goes with neither 'install' nor 'load_parameters'");
    return e;
}

enum err app_body_parse(struct view body, struct app_body *out, char *why, size_t why_len)
{
    struct app_body *b = calloc(1, sizeof(*b));
    if (b == NULL)
        return why_not(ERR_MEMORY, why, why_len, "%s", err_text(ERR_MEMORY));
    enum err e = open_checked(&b->owner, body, HTTP_BODY_MAX, app_rules, COUNT(app_rules), why, why_len);
    if (e == OK)
        e = read_app(b->owner, b, why, why_len);
    if (e == OK)
        *out = *b;
    else
        app_body_finish(b);
    free(b);
    return e;
}

void app_body_finish(struct app_body *b)
{
    wr_free(&b->cap);
    json_decref(b->owner);
    b->owner = NULL;
}

enum err texts_body_parse(struct view body, struct texts_body *out, char *why, size_t why_len)
{
    struct texts_body b = {0};
    enum err e = open_checked(&b.owner, body, SMALL_BODY_MAX, texts_rules, COUNT(texts_rules), why, why_len);
    if (e == OK)
        e = read_texts(b.owner, &b.texts, why, why_len);
    if (e == OK)
        *out = b;
    else
        texts_body_finish(&b);
    return e;
}

void texts_body_finish(struct texts_body *b)
{
    json_decref(b->owner);
    b->owner = NULL;
}

/* ---- keys ---- */

static const struct json_rule key_rules[] = {
    {"name", TAKE_TEXT, true, NAME_MAX_BYTES},
    {"version", TAKE_NUMBER, true, UINT32_MAX},
    {"use", TAKE_TEXT, true, 16},
    {"type", TAKE_TEXT, true, 16},
    {"card", TAKE_TEXT, false, CARD_NUMBER_TEXT_MAX},
    {"wrapped", TAKE_TEXT, true, (WRAPPED_KEY_MAX + 2) / 3 * 4},
};

static const struct {
    const char *word;
    enum key_type type;
    uint16_t key_len;
} key_types[] = {{"aes128", KEY_AES, 16},   {"aes192", KEY_AES, 24},   {"aes256", KEY_AES, 32},
                 {"des3", KEY_DES3, 16},    {"des", KEY_DES, 8},       {"rsa2048", KEY_RSA, 256},
                 {"rsa3072", KEY_RSA, 384}, {"dsa2048", KEY_DSA, 256}, {"ec256", KEY_EC, 32},
                 {"ec384", KEY_EC, 48},     {"ec512", KEY_EC, 64},     {"ec521", KEY_EC, 66}};

const char *key_type_word(enum key_type type, size_t key_len)
{
    for (size_t i = 0; i < COUNT(key_types); i++)
        if (key_types[i].type == type && key_types[i].key_len == key_len)
            return key_types[i].word;
    return NULL;
}

static enum err read_key_type(const char *word, struct key_attributes *a)
{
    for (size_t i = 0; i < COUNT(key_types); i++) {
        if (strcmp(key_types[i].word, word) != 0)
            continue;
        a->type = key_types[i].type;
        a->key_len = key_types[i].key_len;
        return OK;
    }
    return ERR_NOT_FOUND;
}

/* A card's number: hexadecimal digits and '-' (gp/identity.h). */
static bool card_number_ok(const char *text)
{
    size_t len = strlen(text);
    return len >= 1 && len <= CARD_NUMBER_TEXT_MAX && strspn(text, "0123456789ABCDEF-") == len;
}

static enum err read_key(const json_t *j, struct key_body *b, char *why, size_t why_len)
{
    struct key_attributes *a = &b->attributes;
    if (!name_ok(json_text(j, "name")))
        return REFUSE("'name' is not of letters, digits, '.', '_' and '-'");
    snprintf(a->name, sizeof(a->name), "%s", json_text(j, "name"));
    a->version = (uint32_t)json_number(j, "version", 0);
    if (a->version == 0)
        return REFUSE("'version' is not 1 or more");
    if (key_use_by_name(json_text(j, "use"), &a->use) != OK)
        return REFUSE("'use' is not master, card, derive, host, trust or peer");
    if (read_key_type(json_text(j, "type"), a) != OK)
        return REFUSE(
            "'type' is not aes128, aes192, aes256, des3, des, rsa2048, rsa3072, dsa2048, ec256, ec384, ec512 "
            "or ec521");
    const char *card = json_text(j, "card");
    bool of_card = a->use == KEY_USE_CARD || a->use == KEY_USE_PEER;
    if (of_card != (*card != '\0') || (*card != '\0' && !card_number_ok(card)))
        return REFUSE("'card' is a card's number where use is card or peer, and absent otherwise");
    snprintf(a->card, sizeof(a->card), "%s", card);
    if (key_attributes_check(a) != OK)
        return REFUSE("use and type do not go together");
    struct writer w;
    wr_fixed(&w, b->wrapped, sizeof(b->wrapped));
    if (base64url_read(view_str(json_text(j, "wrapped")), &w) != OK || w.len == 0)
        return REFUSE("'wrapped' is not base64url");
    b->wrapped_len = w.len;
    return OK;
}

enum err key_body_parse(struct view body, struct key_body *out, char *why, size_t why_len)
{
    struct key_body b = {0};
    json_t *j = NULL;
    enum err e = open_checked(&j, body, SMALL_BODY_MAX, key_rules, COUNT(key_rules), why, why_len);
    if (e == OK)
        e = read_key(j, &b, why, why_len);
    json_decref(j);
    if (e == OK)
        *out = b;
    return e;
}

/* ---- orders ---- */

static const struct json_rule order_rules[] = {
    {"purpose", TAKE_TEXT, true, WORD_MAX},
    {"app", TAKE_TEXT, false, NAME_MAX_BYTES},
    {"card", TAKE_TEXT, false, CARD_NUMBER_TEXT_MAX},
    {"type", TAKE_TEXT, false, NAME_MAX_BYTES},
    {"level", TAKE_TEXT, false, 2},
    {"cards", TAKE_NUMBER, false, CARDS_MAX},
    {"openings", TAKE_NUMBER, false, OPENINGS_MAX},
    {"expires_s", TAKE_NUMBER, false, EXPIRES_MAX_S},
    {"offer", TAKE_FLAG, false, 0},
};

static const struct {
    const char *word;
    bool has_app;
} purposes[] = {{"install", true}, {"remove", true}, {"inspect", false}};

static enum err read_purpose(const json_t *j, struct order_body *b, char *why, size_t why_len)
{
    const char *word = json_text(j, "purpose"), *app = json_text(j, "app");
    size_t i = 0;
    while (i < COUNT(purposes) && strcmp(purposes[i].word, word) != 0)
        i++;
    if (i == COUNT(purposes))
        return REFUSE("'purpose' is not install, remove or inspect");
    if (purposes[i].has_app != (*app != '\0'))
        return REFUSE(purposes[i].has_app ? "'app' is missing" : "'app' is not used to inspect");
    if (purposes[i].has_app && !name_ok(app))
        return REFUSE("'app' is not the name of an application");
    snprintf(b->purpose, sizeof(b->purpose), "%s", word);
    snprintf(b->app, sizeof(b->app), "%s", app);
    return OK;
}

static enum err read_target(const json_t *j, struct order_body *b, char *why, size_t why_len)
{
    const char *card = json_text(j, "card"), *type = json_text(j, "type"), *level = json_text(j, "level");
    uint8_t byte = 0;
    if (*card != '\0' && !card_number_ok(card))
        return REFUSE("'card' is not a card's number");
    if (*type != '\0' && !name_ok(type))
        return REFUSE("'type' is not the name of a card type");
    if (*level != '\0' && json_hex_byte(level, &byte) != OK)
        return REFUSE("'level' is not a byte in hexadecimal");
    snprintf(b->card, sizeof(b->card), "%s", card);
    snprintf(b->type, sizeof(b->type), "%s", type);
    b->level = *level != '\0' ? byte : -1;
    return OK;
}

static enum err read_amounts(const json_t *j, struct order_body *b, char *why, size_t why_len)
{
    b->cards = (uint32_t)json_number(j, "cards", 1);
    if (b->cards < 1)
        return REFUSE("'cards' is not 1 or more");
    if (b->card[0] != '\0' && b->cards != 1)
        return REFUSE("an order for one card has 'cards' 1");
    b->openings = (uint32_t)json_number(j, "openings", (uint64_t)b->cards * CARD_OPENINGS);
    if (b->openings < b->cards)
        return REFUSE("'openings' are fewer than 'cards'");
    b->offer = json_flag(j, "offer");
    if (b->offer && b->card[0] != '\0')
        return REFUSE("an offer is for everybody: it names no 'card'");
    b->expires_s = json_number(j, "expires_s", 0);
    if (b->expires_s == 0 && json_object_get(j, "expires_s") != NULL)
        return REFUSE("'expires_s' is not 1 or more");
    return OK;
}

enum err order_body_parse(struct view body, struct order_body *out, char *why, size_t why_len)
{
    struct order_body b = {0};
    json_t *j = NULL;
    enum err e = open_checked(&j, body, SMALL_BODY_MAX, order_rules, COUNT(order_rules), why, why_len);
    if (e == OK)
        e = read_purpose(j, &b, why, why_len);
    if (e == OK)
        e = read_target(j, &b, why, why_len);
    if (e == OK)
        e = read_amounts(j, &b, why, why_len);
    json_decref(j);
    if (e == OK)
        *out = b;
    return e;
}

/* ---- release of a card ---- */

static const struct json_rule release_rules[] = {{"reason", TAKE_TEXT, true, DETAIL_MAX}};

enum err release_body_parse(struct view body, struct release_body *out, char *why, size_t why_len)
{
    json_t *j = NULL;
    enum err e = open_checked(&j, body, SMALL_BODY_MAX, release_rules, COUNT(release_rules), why, why_len);
    const char *reason = json_text(j, "reason");
    if (e == OK && strspn(reason, " ") == strlen(reason))
        e = REFUSE("'reason' is empty");
    if (e == OK)
        snprintf(out->reason, sizeof(out->reason), "%s", reason);
    json_decref(j);
    return e;
}
