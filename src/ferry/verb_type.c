/* SPDX-License-Identifier: Apache-2.0
 *
 * ferry type ...: card types at the server. A type is a JSON file (docs/api.md). */
#include <stdio.h>

#include "admin.h"
#include "verbs.h"

enum { TYPE_FILE_MAX = 64 * 1024 };

static const struct option_spec add_options[] = {
    {"replace", NULL, "replace the type of this name"},
    {NULL, NULL, NULL},
};

static json_t *read_json(const char *path)
{
    struct writer text;
    json_error_t problem;
    json_t *json = NULL;
    wr_heap(&text, TYPE_FILE_MAX);
    enum err e = read_file(path, TYPE_FILE_MAX, &text);
    if (e != OK) {
        cli_error("%s can't be read: %s", path, err_text(e));
    } else {
        json = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &problem);
        if (json == NULL)
            cli_error("%s:%d: %s", path, problem.line, problem.text);
    }
    wr_free(&text);
    return json;
}

static int add(const struct cli *cli)
{
    char path[ADMIN_PATH_MAX] = "/types";
    json_t *type = read_json(cli->args[0]);
    if (type == NULL)
        return EXIT_USAGE;
    if (!cli_flag(cli, "replace"))
        return admin_simple(cli, "POST", path, type);
    const char *name = json_string_value(json_object_get(type, "name"));
    if (name == NULL) {
        cli_error("%s has no \"name\"", cli->args[0]);
        json_decref(type);
        return EXIT_USAGE;
    }
    admin_path_add(path, name);
    return admin_simple(cli, "PUT", path, type);
}

static int list(const struct cli *cli)
{
    static const struct column columns[] = {{"name", "NAME", 24},  {"scp", "SCP", 3},  {"i", "I", 2},
                                            {"kvn", "KVN", 3},     {"key", "KEY", 24}, {"kdf", "KDF", 8},
                                            {"level", "LEVEL", 5}, {NULL, NULL, 0}};
    return admin_simple_list(cli, "/types", columns);
}

static int one(const struct cli *cli, const char *method)
{
    char path[ADMIN_PATH_MAX] = "/types";
    admin_path_add(path, cli->args[0]);
    return admin_simple(cli, method, path, NULL);
}

static int show(const struct cli *cli)
{
    return one(cli, "GET");
}

static int remove_type(const struct cli *cli)
{
    return one(cli, "DELETE");
}

const struct verb verb_type_add = {"type add", "FILE.json", "store a card type", add_options, 1, 1, add};
const struct verb verb_type_list = {"type list", "", "list the card types", admin_list_options, 0, 0, list};
const struct verb verb_type_show = {"type show", "NAME", "show a card type", NULL, 1, 1, show};
const struct verb verb_type_remove = {"type remove", "NAME", "remove a card type", NULL, 1, 1, remove_type};
