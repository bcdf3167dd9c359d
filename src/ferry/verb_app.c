/* SPDX-License-Identifier: Apache-2.0
 *
 * ferry app ...: applications at the server. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <session/outcome.h>

#include "admin.h"
#include "verbs.h"

enum { SEQUENCE_FILE_MAX = 64 * 1024 };

/* In the order of text_names. */
#define TEXT_OPTIONS                                                                                         \
    {"title", "TEXT", "what card holders call it (at most 80 bytes)"},                                       \
        {"description", "TEXT", "what it is for (at most 400 bytes)"},                                       \
        {"title-de", "TEXT", "the title in German"},                                                         \
    {                                                                                                        \
        "description-de", "TEXT", "the description in German"                                                \
    }

static const struct {
    const char *option, *key;
} text_names[] = {{"title", "title"},
                  {"description", "description"},
                  {"title-de", "title_de"},
                  {"description-de", "description_de"}};

static const struct option_spec add_options[] = {
    {"name", "NAME", "the application's name (default: the file's name)"},
    {"module", "AID", "install this applet; may be repeated (default: every applet)"},
    {"instance", "AID", "AID of the instance, for the --module before it (default: the same)"},
    {"privileges", "HEX", "1 or 3 bytes (default 00)"},
    {"parameters", "HEX", "install parameters, the value of C9; may have places such as ${card.serial}"},
    {"system", "HEX", "system specific parameters, the value of EF"},
    {"load-parameters", "HEX", "load parameters field"},
    {"sequence", "FILE", "a predefined sequence instead of the generated one (- for standard input)"},
    TEXT_OPTIONS,
    {"unapproved", NULL, "leave it to another operator to approve it"},
    {NULL, NULL, NULL},
};

static const struct option_spec texts_options[] = {TEXT_OPTIONS, {NULL, NULL, NULL}};

static const struct option_spec sequence_options[] = {
    {"unapproved", NULL, "leave it to another operator to approve it"},
    {NULL, NULL, NULL},
};

/* RFC 4648 section 4, as JSON carries binary: the CAP file. */
static char *base64(struct view v)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *out = malloc((v.len + 2) / 3 * 4 + 1), *at = out;
    struct reader r;
    if (out == NULL)
        return NULL;
    rd_init(&r, v);
    while (rd_left(&r) > 0) {
        struct view part = rd_view(&r, rd_left(&r) < 3 ? rd_left(&r) : 3);
        uint32_t bits = 0;
        for (size_t i = 0; i < 3; i++)
            bits = bits << 8 | (i < part.len ? part.data[i] : 0);
        for (size_t i = 0; i < 4; i++)
            *at++ = i <= part.len ? digits[bits >> (18 - 6 * i) & 0x3F] : '=';
    }
    *at = '\0';
    return out;
}

/* "path/hello-jc222.cap" is called "hello-jc222". */
static void name_of_file(const char *path, char *out, size_t len)
{
    const char *slash = strrchr(path, '/');
    snprintf(out, len, "%s", slash != NULL ? slash + 1 : path);
    char *dot = strrchr(out, '.');
    if (dot != NULL && dot != out)
        *dot = '\0';
}

static json_t *install_of(const struct cli *cli)
{
    static const char *const keys[] = {"instance", "privileges", "parameters", "system"};
    json_t *list = json_array();
    for (int n = 0; cli_option_nth(cli, "module", n) != NULL || (n == 0 && cli_flag(cli, "parameters"));
         n++) {
        json_t *one = json_object();
        const char *module = cli_option_nth(cli, "module", n);
        if (module != NULL)
            json_object_set_new(one, "module", json_string(module));
        for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
            if (cli_option_nth(cli, keys[k], n) != NULL)
                json_object_set_new(one, keys[k], json_string(cli_option_nth(cli, keys[k], n)));
        json_array_append_new(list, one);
    }
    return list;
}

static int read_or_tell(const char *path, size_t max, struct writer *out)
{
    enum err e = read_file(path, max, out);
    if (e == OK)
        return EXIT_OK;
    cli_error("%s can't be read: %s", path, err_text(e));
    return EXIT_BAD_CAP;
}

static void set_texts(const struct cli *cli, json_t *body)
{
    for (size_t i = 0; i < sizeof(text_names) / sizeof(text_names[0]); i++)
        if (cli_flag(cli, text_names[i].option))
            json_object_set_new(body, text_names[i].key, json_string(cli_option(cli, text_names[i].option)));
}

/* Whoever adds a file has it at hand, and has looked at it; else another operator will. */
static json_t *body_of(const struct cli *cli, struct view cap, struct view sequence)
{
    char name[NAME_MAX_BYTES + 1];
    char *text = base64(cap);
    json_t *body = json_object(), *install = install_of(cli);
    name_of_file(cli->args[0], name, sizeof(name));
    json_object_set_new(body, "name", json_string(cli_flag(cli, "name") ? cli_option(cli, "name") : name));
    json_object_set_new(body, "cap", text != NULL ? json_string(text) : NULL);
    free(text);
    if (json_array_size(install) > 0)
        json_object_set(body, "install", install);
    json_decref(install);
    if (cli_flag(cli, "load-parameters"))
        json_object_set_new(body, "load_parameters", json_string(cli_option(cli, "load-parameters")));
    if (sequence.len > 0)
        json_object_set_new(body, "sequence", json_stringn((const char *)sequence.data, sequence.len));
    set_texts(cli, body);
    json_object_set_new(body, "approved", json_boolean(!cli_flag(cli, "unapproved")));
    return body;
}

static int add(const struct cli *cli)
{
    struct writer cap, sequence;
    wr_heap(&cap, CAP_FILE_MAX);
    wr_heap(&sequence, SEQUENCE_FILE_MAX);
    int code = read_or_tell(cli->args[0], CAP_FILE_MAX, &cap);
    if (code == EXIT_OK && cli_flag(cli, "sequence"))
        code = read_or_tell(cli_option(cli, "sequence"), SEQUENCE_FILE_MAX, &sequence);
    if (code == EXIT_OK)
        code = admin_simple(cli, "POST", "/apps", body_of(cli, wr_view_of(&cap), wr_view_of(&sequence)));
    wr_free(&cap);
    wr_free(&sequence);
    return code;
}

static int list(const struct cli *cli)
{
    static const struct column columns[] = {{"name", "NAME", 24},
                                            {"package", "PACKAGE", 20},
                                            {"version", "VERSION", 7},
                                            {"applets", "APPLETS", 7},
                                            {"load_bytes", "BYTES", 8},
                                            {"approved", "APPROVED", 8},
                                            {NULL, NULL, 0}};
    return admin_simple_list(cli, "/apps", columns);
}

static const char *app_path(const struct cli *cli, const char *below, char path[ADMIN_PATH_MAX])
{
    snprintf(path, ADMIN_PATH_MAX, "/apps");
    admin_path_add(path, cli->args[0]);
    if (below != NULL)
        admin_path_add(path, below);
    return path;
}

static int show_sequence(const struct cli *cli)
{
    char path[ADMIN_PATH_MAX];
    struct admin a;
    struct writer text;
    int code = EXIT_OTHER;
    wr_heap(&text, SEQUENCE_FILE_MAX);
    if (admin_open(&a, cli))
        code = admin_ask_text(&a, "GET", app_path(cli, "sequence", path), VIEW_NULL, &text);
    if (code == EXIT_OK)
        fwrite(text.data, 1, text.len, stdout);
    wr_free(&text);
    admin_close(&a);
    return code;
}

static const struct option_spec show_options[] = {
    {"sequence", NULL, "print the stored sequence instead, as text that can be edited and stored again"},
    {NULL, NULL, NULL},
};

static int show(const struct cli *cli)
{
    char path[ADMIN_PATH_MAX];
    if (cli_flag(cli, "sequence"))
        return show_sequence(cli);
    return admin_simple(cli, "GET", app_path(cli, NULL, path), NULL);
}

static int put_sequence(const struct cli *cli)
{
    char path[ADMIN_PATH_MAX];
    struct admin a;
    struct writer text;
    wr_heap(&text, SEQUENCE_FILE_MAX);
    int code = read_or_tell(cli->args[1], SEQUENCE_FILE_MAX, &text);
    app_path(cli, "sequence", path);
    admin_query_add(path, "approved", cli_flag(cli, "unapproved") ? NULL : "true");
    if (code == EXIT_OK) {
        code = admin_open(&a, cli) ? admin_ask_text(&a, "PUT", path, wr_view_of(&text), NULL) : EXIT_OTHER;
        admin_close(&a);
    }
    wr_free(&text);
    return code;
}

static int approve(const struct cli *cli)
{
    char path[ADMIN_PATH_MAX];
    return admin_simple(cli, "POST", app_path(cli, "approve", path), NULL);
}

static int texts(const struct cli *cli)
{
    char path[ADMIN_PATH_MAX];
    json_t *body = json_object();
    set_texts(cli, body);
    if (json_object_size(body) == 0) {
        cli_error("which text? see 'ferry app texts --help'");
        json_decref(body);
        return EXIT_USAGE;
    }
    return admin_simple(cli, "PUT", app_path(cli, "texts", path), body);
}

static int remove_app(const struct cli *cli)
{
    char path[ADMIN_PATH_MAX];
    return admin_simple(cli, "DELETE", app_path(cli, NULL, path), NULL);
}

const struct verb verb_app_add = {"app add", "FILE.cap", "store an application", add_options, 1, 1, add};
const struct verb verb_app_list = {"app list", "", "list the applications", admin_list_options, 0, 0, list};
const struct verb verb_app_show = {"app show", "NAME", "show an application or its sequence", show_options, 1,
                                   1,          show};
const struct verb verb_app_sequence = {
    "app sequence", "NAME FILE", "store another sequence (- for standard input)", sequence_options, 2, 2,
    put_sequence};
const struct verb verb_app_approve = {"app approve", "NAME", "approve an application as it is", NULL, 1, 1,
                                      approve};
const struct verb verb_app_texts = {
    "app texts", "NAME", "say what card holders call an application, and what it is for", texts_options, 1,
    1,           texts};
const struct verb verb_app_remove = {"app remove", "NAME", "remove an application", NULL, 1, 1, remove_app};
