/* SPDX-License-Identifier: Apache-2.0
 *
 * ferry order ...: orders and their tickets. */
#include <stdio.h>
#include <string.h>

#include "admin.h"
#include "verbs.h"

enum { CARDS_MAX = 10000000, OPENINGS_MAX = 100000000, EXPIRY_MAX_S = 366 * 24 * 3600 };

static const struct option_spec add_options[] = {
    {"app", "NAME", "the application to install (or with --remove, to remove)"},
    {"remove", NULL, "remove the application"},
    {"inspect", NULL, "only take stock of the card"},
    {"card", "NUMBER", "this card only"},
    {"type", "NAME", "cards of this type only"},
    {"level", "HEX", "raise the security level: 01, 03, 11, 13 or 33"},
    {"cards", "N", "how many cards the ticket serves (default 1)"},
    {"openings", "N", "how many secure channels the ticket may open"},
    {"expires", "SECONDS", "how long the ticket is good"},
    {"offer", NULL, "offer it to everybody, in the catalogue"},
    {NULL, NULL, NULL},
};

static const struct option_spec list_options[] = {
    {"app", "NAME", "only for this application"},
    {"card", "NUMBER", "only for this card"},
    {"open", NULL, "only those that a card can still use"},
    ADMIN_LIST_OPTIONS,
    {NULL, NULL, NULL},
};

static void set_text(json_t *body, const struct cli *cli, const char *name)
{
    if (cli_flag(cli, name))
        json_object_set_new(body, name, json_string(cli_option(cli, name)));
}

static bool set_number(json_t *body, const struct cli *cli, const char *option, const char *key, long max)
{
    long value;
    if (!cli_number(cli, option, 1, max, 0, &value))
        return false;
    if (value > 0)
        json_object_set_new(body, key, json_integer(value));
    return true;
}

static int add(const struct cli *cli)
{
    bool inspect = cli_flag(cli, "inspect"), take_away = cli_flag(cli, "remove");
    if ((inspect && take_away) || inspect == cli_flag(cli, "app")) {
        cli_error("an order has either --app NAME (with --remove to remove it) or --inspect");
        return EXIT_USAGE;
    }
    json_t *body = json_pack("{s:s}", "purpose", inspect ? "inspect" : take_away ? "remove" : "install");
    set_text(body, cli, "app");
    set_text(body, cli, "card");
    set_text(body, cli, "type");
    set_text(body, cli, "level");
    if (!set_number(body, cli, "cards", "cards", CARDS_MAX) ||
        !set_number(body, cli, "openings", "openings", OPENINGS_MAX) ||
        !set_number(body, cli, "expires", "expires_s", EXPIRY_MAX_S)) {
        json_decref(body);
        return EXIT_USAGE;
    }
    if (cli_flag(cli, "offer"))
        json_object_set_new(body, "offer", json_true());
    return admin_simple(cli, "POST", "/orders", body);
}

static int list(const struct cli *cli)
{
    static const struct column columns[] = {
        {"id", "ID", 32},     {"purpose", "PURPOSE", 8}, {"app", "APP", 20},         {"card", "CARD", 24},
        {"type", "TYPE", 16}, {"state", "STATE", 9},     {"expires", "EXPIRES", 24}, {NULL, NULL, 0}};
    char path[ADMIN_PATH_MAX] = "/orders";
    admin_query_add(path, "app", cli_option(cli, "app"));
    admin_query_add(path, "card", cli_option(cli, "card"));
    admin_query_add(path, "state", cli_flag(cli, "open") ? "open" : NULL);
    return admin_simple_list(cli, path, columns);
}

static int show(const struct cli *cli)
{
    char path[ADMIN_PATH_MAX] = "/orders";
    admin_path_add(path, cli->args[0]);
    return admin_simple(cli, "GET", path, NULL);
}

static int ticket(const struct cli *cli)
{
    char path[ADMIN_PATH_MAX] = "/orders";
    admin_path_add(path, cli->args[0]);
    admin_path_add(path, "ticket");
    return admin_simple(cli, "POST", path, NULL);
}

static int cancel(const struct cli *cli)
{
    char path[ADMIN_PATH_MAX] = "/orders";
    admin_path_add(path, cli->args[0]);
    admin_path_add(path, "cancel");
    return admin_simple(cli, "POST", path, NULL);
}

const struct verb verb_order_add = {"order add", "", "make an order; shows its ticket, once", add_options, 0,
                                    0,           add};
const struct verb verb_order_list = {"order list", "", "list the orders", list_options, 0, 0, list};
const struct verb verb_order_show = {"order show", "ID", "show an order", NULL, 1, 1, show};
const struct verb verb_order_ticket = {
    "order ticket", "ID", "make another ticket, which voids the one before; shows it, once", NULL, 1, 1,
    ticket};
const struct verb verb_order_cancel = {"order cancel", "ID", "cancel an order", NULL, 1, 1, cancel};
