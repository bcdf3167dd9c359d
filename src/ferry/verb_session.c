/* SPDX-License-Identifier: Apache-2.0
 *
 * ferry session ..., ferry audit: what happened. */
#include <stdio.h>

#include "admin.h"
#include "dialogue_words.h"
#include "verbs.h"

static const struct option_spec session_options[] = {
    {"order", "ID", "only of this order"},
    {"card", "NUMBER", "only of this card"},
    {"running", NULL, "only those that go on"},
    ADMIN_LIST_OPTIONS,
    {NULL, NULL, NULL},
};
static const struct option_spec audit_options[] = {
    {"card", "NUMBER", "only what concerns this card"},
    {"order", "ID", "only what concerns this order"},
    ADMIN_LIST_OPTIONS,
    {NULL, NULL, NULL},
};

static int list(const struct cli *cli)
{
    static const struct column columns[] = {{"id", "ID", 32},           {"card", "CARD", 24},
                                            {"step", "STEP", 12},       {"outcome", "OUTCOME", 10},
                                            {"reason", "REASON", 20},   {"posts", "POSTS", 5},
                                            {"updated", "UPDATED", 24}, {NULL, NULL, 0}};
    char path[ADMIN_PATH_MAX] = "/sessions";
    admin_query_add(path, "order", cli_option(cli, "order"));
    admin_query_add(path, "card", cli_option(cli, "card"));
    admin_query_add(path, "state", cli_flag(cli, "running") ? "running" : NULL);
    return admin_simple_list(cli, path, columns);
}

static int show(const struct cli *cli)
{
    char path[ADMIN_PATH_MAX] = "/sessions";
    admin_path_add(path, cli->args[0]);
    return admin_simple(cli, "GET", path, NULL);
}

static int dialogue(const struct cli *cli)
{
    char path[ADMIN_PATH_MAX] = "/sessions";
    struct admin a;
    json_t *answer = NULL;
    int code = EXIT_OTHER;
    admin_path_add(path, cli->args[0]);
    admin_path_add(path, "dialogue");
    if (cli_flag(cli, "json"))
        return admin_simple(cli, "GET", path, NULL);
    if (admin_open(&a, cli))
        code = admin_ask(&a, "GET", path, NULL, &answer);
    if (code == EXIT_OK)
        dialogue_print(answer);
    json_decref(answer);
    admin_close(&a);
    return code;
}

static int audit(const struct cli *cli)
{
    static const struct column columns[] = {
        {"number", "NUMBER", 6},  {"time", "TIME", 24},     {"who", "WHO", 24}, {"what", "WHAT", 18},
        {"object", "OBJECT", 32}, {"detail", "DETAIL", 40}, {NULL, NULL, 0}};
    char path[ADMIN_PATH_MAX] = "/audit";
    if (cli_flag(cli, "card") && cli_flag(cli, "order")) {
        cli_error("an entry is of a card or of an order: --card or --order, not both");
        return EXIT_USAGE;
    }
    admin_query_add(path, "card", cli_option(cli, "card"));
    admin_query_add(path, "order", cli_option(cli, "order"));
    return admin_simple_list(cli, path, columns);
}

const struct verb verb_session_list = {"session list", "", "list the sessions", session_options, 0, 0, list};
const struct verb verb_session_show = {"session show", "ID", "show a session", NULL, 1, 1, show};
const struct verb verb_session_dialogue = {
    "session dialogue", "ID", "show what went to the card and what it answered", NULL, 1, 1, dialogue};
const struct verb verb_audit = {"audit", "", "list who did what, newest first", audit_options, 0, 0, audit};
