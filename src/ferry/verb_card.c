/* SPDX-License-Identifier: Apache-2.0
 *
 * ferry card: what is this card? What it says of itself, in words, and what the server knows of it. ferry
 * card list, show, release: the cards that the server knows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <base/text.h>
#include <gp/identity.h>

#include "admin.h"
#include "card_facts.h"
#include "identify.h"
#include "reader.h"
#include "verbs.h"

static const struct option_spec card_options[] = {
    {"reader", "READER", "pcsc:<name> or sim:<socket>; default: the first reader with a card"},
    {"isd", "AID", "AID of the card manager, where the card does not select it by itself"},
    {NULL, NULL, NULL},
};

static const struct option_spec list_options[] = {
    {"type", "NAME", "only cards of this type"},
    {"set-aside", NULL, "only cards that are set aside"},
    ADMIN_LIST_OPTIONS,
    {NULL, NULL, NULL},
};

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

/* "F000000002 1.0 package LOADED" */
static json_t *holds_of(const json_t *record)
{
    size_t i;
    json_t *entry, *list = json_array();
    json_array_foreach(json_object_get(record, "registry"), i, entry)
    {
        const char *version = text_of(entry, "version");
        json_array_append_new(list,
                              json_sprintf("%s%s%s %s %s", text_of(entry, "aid"), *version != '\0' ? " " : "",
                                           version, text_of(entry, "kind"), text_of(entry, "state")));
    }
    return list;
}

/* What the server knows, in words. */
static void add_words(json_t *words, const json_t *record)
{
    bool aside = json_is_true(json_object_get(record, "quarantined"));
    bool known = json_is_array(json_object_get(record, "registry"));
    bool proven = json_is_true(json_object_get(record, "registry_proven"));
    json_object_set(words, "type", json_object_get(record, "type"));
    if (*text_of(record, "scp") != '\0')
        json_object_set_new(words, "pinned",
                            json_sprintf("SCP%s i=%s key version %s", text_of(record, "scp"),
                                         text_of(record, "i"), text_of(record, "kvn")));
    if (aside)
        json_object_set_new(words, "set_aside", json_sprintf("yes: %s", text_of(record, "reason")));
    if (known) {
        json_object_set_new(words, "holds", holds_of(record));
        const json_t *left = json_object_get(json_object_get(record, "free_memory"), "nonvolatile");
        if (json_is_integer(left))
            json_object_set_new(words, "free_memory",
                                json_sprintf("%lld bytes", (long long)json_integer_value(left)));
        json_object_set_new(words, "as_of",
                            json_sprintf("%s, %s", text_of(record, "registry_time"),
                                         proven ? "proven by the card" : "as a client reported"));
    }
}

/* The record of just this card; NULL when there is none. */
static json_t *record_in(const json_t *answer, const char *number)
{
    json_t *first = json_array_get(json_object_get(answer, "items"), 0);
    return strcmp(text_of(first, "number"), number) == 0 ? first : NULL;
}

/* The server's record, when there is a server to ask: type, pinned method, registry as it was last seen.
 * Asked for as a listing, where a card that is not known is no error. */
static void add_record(json_t *words, const struct cli *cli)
{
    char path[ADMIN_PATH_MAX] = "/cards";
    struct admin a;
    json_t *answer = NULL;
    const char *number = json_string_value(json_object_get(words, "number"));
    bool asked = cli_flag(cli, "profile") || cli_flag(cli, "server") || getenv("FERRY_PROFILE") != NULL;
    if (number == NULL || !asked)
        return;
    admin_query_add(path, "match", number);
    admin_query_add(path, "limit", "1");
    bool got = admin_open(&a, cli) && admin_ask(&a, "GET", path, NULL, &answer) == EXIT_OK;
    json_t *record = record_in(answer, number);
    if (got && cli_flag(cli, "json"))
        json_object_set_new(words, "server", record != NULL ? json_incref(record) : json_null());
    else if (got && record != NULL)
        add_words(words, record);
    else if (got)
        json_object_set_new(words, "server", json_string("has not seen this card yet"));
    json_decref(answer);
    admin_close(&a);
}

static bool read_isd(const struct cli *cli, struct aid *isd)
{
    const char *text = cli_option(cli, "isd");
    size_t len = 0;
    *isd = (struct aid){0};
    if (text == NULL)
        return true;
    bool good = hex_read_str(text, isd->data, sizeof(isd->data), &len) == OK && len >= AID_MIN;
    isd->len = (uint8_t)len;
    if (!good)
        cli_error("--isd wants 5 to 16 bytes in hexadecimal");
    return good;
}

static int card(const struct cli *cli)
{
    struct reader_problem why = {""};
    struct card_reader reader = {0};
    struct identity id;
    struct aid isd;
    struct admin output = {.cli = cli};
    if (!read_isd(cli, &isd))
        return EXIT_USAGE;
    enum err e = reader_open(&reader, cli_option(cli, "reader"), 0, &why);
    if (e != OK) {
        cli_error("%s", why.text[0] != '\0' ? why.text : err_text(e));
        return e == ERR_ARGUMENT ? EXIT_USAGE : EXIT_NO_CARD;
    }
    e = identify_card(&reader, aid_view(&isd), &id);
    if (e == OK) {
        json_t *words = json_object();
        card_facts(&reader, &id, words);
        add_record(words, cli);
        admin_print(&output, words);
        json_decref(words);
    } else if (e == ERR_NOT_FOUND) {
        cli_error("the card has no card manager under this AID (give another with --isd)");
    } else {
        cli_error("the card can't be read: %s", err_text(e));
    }
    reader_close(&reader);
    return e == OK ? EXIT_OK : e == ERR_CARD_GONE ? EXIT_CARD_PULLED : EXIT_FAILED;
}

static int list(const struct cli *cli)
{
    static const struct column columns[] = {{"number", "NUMBER", 40}, {"type", "TYPE", 20},
                                            {"scp", "SCP", 3},        {"i", "I", 3},
                                            {"kvn", "KVN", 3},        {"quarantined", "QUARANTINED", 11},
                                            {"seen", "SEEN", 24},     {NULL, NULL, 0}};
    char path[ADMIN_PATH_MAX] = "/cards";
    admin_query_add(path, "type", cli_option(cli, "type"));
    admin_query_add(path, "set_aside", cli_flag(cli, "set-aside") ? "true" : NULL);
    return admin_simple_list(cli, path, columns);
}

static int show(const struct cli *cli)
{
    char path[ADMIN_PATH_MAX] = "/cards";
    admin_path_add(path, cli->args[0]);
    return admin_simple(cli, "GET", path, NULL);
}

static int release(const struct cli *cli)
{
    char path[ADMIN_PATH_MAX] = "/cards";
    admin_path_add(path, cli->args[0]);
    admin_path_add(path, "release");
    return admin_simple(cli, "POST", path, json_pack("{s:s}", "reason", cli->args[1]));
}

const struct verb verb_card = {"card", "", "what is the card in the reader", card_options, 0, 0, card};
const struct verb verb_card_list = {"card list", "",  "list the cards that the server knows", list_options, 0,
                                    0,           list};
const struct verb verb_card_show = {"card show", "NUMBER", "show a card as the server knows it", NULL, 1,
                                    1,           show};
const struct verb verb_card_release = {
    "card release", "NUMBER REASON", "let a card in quarantine be tried again", NULL, 2, 2, release};
