/* SPDX-License-Identifier: Apache-2.0
 *
 * ferry readers: which readers there are, and whether a card is in them. */
#include <base/limits.h>
#include <base/text.h>
#include <session/outcome.h>

#include <stdio.h>

#include <jansson.h>

#include "reader.h"
#include "verbs.h"

static void print_one(void *arg, const char *name, struct view atr)
{
    char hex[2 * ATR_MAX + 1];
    (void)arg;
    hex_write(hex, atr);
    printf("pcsc:%s\n    %s\n", name, atr.len > 0 ? hex : "no card");
}

static void add_one(void *arg, const char *name, struct view atr)
{
    char hex[2 * ATR_MAX + 1];
    hex_write(hex, atr);
    json_array_append_new(arg, json_pack("{s:s, s:b, s:s}", "name", name, "card", atr.len > 0, "atr", hex));
}

static int run(const struct cli *cli)
{
    struct reader_problem why = {""};
    bool json = cli_flag(cli, "json");
    json_t *list = json_array();
    if (list == NULL)
        return EXIT_OTHER;
    enum err e = reader_list(json ? add_one : print_one, list, &why);
    if (e == OK && json) {
        json_dumpf(list, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
        putchar('\n');
    }
    json_decref(list);
    if (e != OK)
        cli_error("%s", why.text);
    return e == OK ? EXIT_OK : EXIT_NO_CARD;
}

const struct verb verb_readers = {"readers", "", "list the card readers", NULL, 0, 0, run};
