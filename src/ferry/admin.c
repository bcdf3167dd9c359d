/* SPDX-License-Identifier: Apache-2.0
 *
 * One way to ask the server for administration, used by every verb. */
#include "admin.h"

#include <session/outcome.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_DEPTH = 16, VALUE_SHOWN_MAX = 2000, FIELD_NAME_MAX = 64 };

const struct option_spec admin_list_options[] = {
    ADMIN_LIST_OPTIONS,
    {NULL, NULL, NULL},
};

bool admin_open(struct admin *a, const struct cli *cli)
{
    *a = (struct admin){.cli = cli};
    if (!profile_load(&a->profile, cli))
        return false;
    if (a->profile.server[0] == '\0') {
        cli_error("which server? use --profile FILE ('ferryd init' writes one), or --server URL");
        return false;
    }
    if (a->profile.certificate[0] == '\0' && !profile_token(&a->profile, &a->token))
        return false;
    struct remote_settings s = profile_remote(&a->profile);
    return remote_new(&a->remote, &s) == OK;
}

void admin_close(struct admin *a)
{
    secret_wipe(&a->token);
    remote_free(&a->remote);
}

static void add_escaped(char path[ADMIN_PATH_MAX], const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    size_t len = strlen(path);
    for (; *text != '\0' && len + 4 < ADMIN_PATH_MAX; text++) {
        if (strchr(plain, *text) != NULL)
            path[len++] = *text;
        else
            len += (size_t)snprintf(path + len, ADMIN_PATH_MAX - len, "%%%02X", (unsigned char)*text);
        path[len] = '\0';
    }
}

static void add_plain(char path[ADMIN_PATH_MAX], const char *text)
{
    size_t len = strlen(path);
    snprintf(path + len, ADMIN_PATH_MAX - len, "%s", text);
}

void admin_path_add(char path[ADMIN_PATH_MAX], const char *segment)
{
    add_plain(path, "/");
    add_escaped(path, segment);
}

void admin_query_add(char path[ADMIN_PATH_MAX], const char *name, const char *value)
{
    if (value == NULL)
        return;
    add_plain(path, strchr(path, '?') != NULL ? "&" : "?");
    add_plain(path, name);
    add_plain(path, "=");
    add_escaped(path, value);
}

/* Which exit code an error answer means. 422 carries a word of the outcome list where there is one. */
static int exit_of(long status, const char *word)
{
    if (status == 401 || status == 403)
        return EXIT_NOT_ALLOWED;
    if (status == 507)
        return EXIT_DISK_FULL;
    enum reason reason;
    return reason_by_word(word, &reason) == OK ? outcome_exit_code(OUTCOME_FAILED, reason) : EXIT_OTHER;
}

static int tell_refusal(const struct remote_answer *answer)
{
    json_t *json = json_loadb((const char *)answer->body.data, answer->body.len, 0, NULL);
    const char *word = json_string_value(json_object_get(json, "error"));
    const char *message = json_string_value(json_object_get(json, "message"));
    int code = exit_of(answer->status, word != NULL ? word : "");
    if (message != NULL)
        cli_error("%s", message);
    else
        cli_error("the server answered with HTTP status %ld", answer->status);
    json_decref(json);
    return code;
}

static int tell_unreached(const struct admin *a, enum err e, const struct remote_answer *answer)
{
    if (e == ERR_AUTH)
        cli_error("the certificate of %s is not trusted (%s): give its authority with --ca or --profile",
                  a->profile.server, answer->problem);
    else
        cli_error("%s can't be asked (%s)", a->profile.server,
                  answer->problem[0] != '\0' ? answer->problem : err_text(e));
    return EXIT_SERVER_GONE;
}

static int ask(struct admin *a, const char *method, const char *path, const char *type, struct view body,
               struct remote_answer *answer)
{
    char url[PROFILE_VALUE_MAX + ADMIN_PATH_MAX], bearer[SECRET_MAX + 32];
    struct remote_request q = {.method = method, .url = url, .content_type = type, .body = body};
    snprintf(url, sizeof(url), "%s/api/v1%s", a->profile.server, path);
    if (a->token.len > 0) {
        snprintf(bearer, sizeof(bearer), "Authorization: Bearer %.*s", (int)a->token.len,
                 (const char *)a->token.data);
        q.headers[0] = bearer;
    }
    enum err e = remote_ask(a->remote, &q, answer);
    wipe(bearer, sizeof(bearer));
    if (e != OK)
        return tell_unreached(a, e, answer);
    return answer->status >= 200 && answer->status < 300 ? EXIT_OK : tell_refusal(answer);
}

int admin_ask(struct admin *a, const char *method, const char *path, json_t *body, json_t **answer)
{
    struct remote_answer out = {0};
    char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
    json_t *json = NULL;
    json_decref(body);
    int code = ask(a, method, path, text != NULL ? "application/json" : NULL,
                   text != NULL ? view_str(text) : VIEW_NULL, &out);
    if (text != NULL)
        wipe(text, strlen(text));
    free(text);
    if (code == EXIT_OK && out.body.len > 0) {
        json = json_loadb((const char *)out.body.data, out.body.len, JSON_REJECT_DUPLICATES, NULL);
        if (json == NULL) {
            cli_error("the server's answer is not JSON");
            code = EXIT_OTHER;
        }
    }
    wr_free(&out.body);
    if (answer != NULL)
        *answer = json;
    else
        json_decref(json);
    return code;
}

int admin_ask_text(struct admin *a, const char *method, const char *path, struct view body,
                   struct writer *out)
{
    struct remote_answer answer = {0};
    int code = ask(a, method, path, body.data != NULL ? "text/plain" : NULL, body, &answer);
    if (code == EXIT_OK && out != NULL)
        wr_view(out, wr_view_of(&answer.body));
    wr_free(&answer.body);
    return code;
}

/* What comes from afar does not move the cursor. */
static void print_text(const char *text)
{
    for (size_t i = 0; i < VALUE_SHOWN_MAX && text[i] != '\0'; i++)
        putchar((unsigned char)text[i] < ' ' || text[i] == 0x7F ? '?' : text[i]);
}

static bool is_blank(const json_t *value)
{
    const char *text = json_string_value(value);
    return json_is_null(value) || (text != NULL && text[0] == '\0') ||
           (json_is_array(value) && json_array_size(value) == 0) ||
           (json_is_object(value) && json_object_size(value) == 0);
}

static void print_scalar(const json_t *value)
{
    if (is_blank(value))
        putchar('-');
    else if (json_is_string(value))
        print_text(json_string_value(value));
    else if (json_is_integer(value))
        printf("%lld", (long long)json_integer_value(value));
    else
        fputs(json_is_true(value) ? "yes" : "no", stdout);
}

static void print_row(const json_t *object)
{
    const char *key, *gap = "";
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        size_t i;
        json_t *word;
        if (is_blank(value))
            continue;
        printf("%s%s=", gap, key);
        gap = " ";
        if (!json_is_array(value))
            print_scalar(value);
        json_array_foreach(value, i, word)
        {
            fputs(i > 0 ? "," : "", stdout);
            print_scalar(word);
        }
    }
}

static void print_cell(const json_t *value, int width)
{
    char text[128];
    if (json_is_string(value))
        snprintf(text, sizeof(text), "%s", json_string_value(value));
    else if (json_is_integer(value))
        snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(value));
    else if (json_is_boolean(value))
        snprintf(text, sizeof(text), "%s", json_is_true(value) ? "yes" : "no");
    else if (json_is_array(value))
        snprintf(text, sizeof(text), "%zu", json_array_size(value));
    else if (json_is_object(value))
        snprintf(text, sizeof(text), "yes");
    else
        snprintf(text, sizeof(text), "-");
    for (char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7F)
            *c = '?';
    printf("%-*s", width, text[0] != '\0' ? text : "-");
}

/* No blanks behind the last column. */
static int width_of(const struct column *c)
{
    return c[1].key != NULL ? c->width : 0;
}

static void print_table(const json_t *items, const struct column *columns)
{
    size_t i;
    json_t *item;
    for (const struct column *c = columns; c->key != NULL; c++)
        printf("%s%-*s", c != columns ? "  " : "", width_of(c), c->head);
    putchar('\n');
    json_array_foreach(items, i, item)
    {
        for (const struct column *c = columns; c->key != NULL; c++) {
            fputs(c != columns ? "  " : "", stdout);
            print_cell(json_object_get(item, c->key), width_of(c));
        }
        putchar('\n');
    }
}

static void print_word(const char *key, int width, const json_t *value)
{
    printf("%-*s ", width, key);
    if (json_is_object(value))
        print_row(value);
    else
        print_scalar(value);
    putchar('\n');
}

/* A list stands one below the other. */
static void print_words(const char *key, int width, const json_t *list)
{
    size_t i;
    json_t *word;
    json_array_foreach(list, i, word) print_word(i == 0 ? key : "", width, word);
}

/* As wide as the longest name, within reason. */
static int name_width(size_t prefix_len, const json_t *object)
{
    enum { LEAST = 17, MOST = 38 };
    const char *key;
    json_t *value;
    int width = LEAST;
    json_object_foreach((json_t *)object, key, value)
    {
        size_t len = prefix_len + strlen(key);
        int wanted = json_is_object(value) && prefix_len == 0 ? name_width(len + 1, value) : (int)len;
        width = wanted > width ? wanted : width;
    }
    return width < MOST ? width : MOST;
}

/* The answer's objects have one level more at most: "identity.atr". */
static void print_fields(const char *prefix, int width, const json_t *object)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        char name[FIELD_NAME_MAX];
        snprintf(name, sizeof(name), "%s%s%s", prefix, prefix[0] != '\0' ? "." : "", key);
        if (is_blank(value))
            printf("%-*s -\n", width, name);
        else if (json_is_array(value))
            print_words(name, width, value);
        else if (json_is_object(value) && prefix[0] == '\0')
            print_fields(name, width, value);
        else
            print_word(name, width, value);
    }
}

void admin_print(const struct admin *a, const json_t *object)
{
    if (object == NULL || cli_flag(a->cli, "quiet"))
        return;
    if (cli_flag(a->cli, "json") || !json_is_object(object)) {
        json_dumpf(object, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
        putchar('\n');
        return;
    }
    print_fields("", name_width(0, object), object);
}

/* Asks for one page and appends its items; *next is the key of the last row ("" at the end). */
static int take_page(struct admin *a, const char *path, const char *after, json_t *items, char *next,
                     size_t next_len)
{
    char page[ADMIN_PATH_MAX];
    json_t *answer = NULL;
    snprintf(page, sizeof(page), "%s", path);
    admin_query_add(page, "match", cli_option(a->cli, "match"));
    admin_query_add(page, "limit", "200");
    admin_query_add(page, "after", after[0] != '\0' ? after : NULL);
    int code = admin_ask(a, "GET", page, NULL, &answer);
    const char *more = json_string_value(json_object_get(answer, "next"));
    snprintf(next, next_len, "%s", more != NULL ? more : "");
    json_array_extend(items, json_object_get(answer, "items"));
    json_decref(answer);
    return code;
}

int admin_list(struct admin *a, const char *path, const struct column *columns)
{
    char after[256] = "", next[256] = "";
    json_t *items = json_array();
    long limit;
    int code = EXIT_OK;
    if (!cli_number(a->cli, "limit", 1, 1000000, 1000, &limit))
        code = EXIT_USAGE;
    while (code == EXIT_OK) {
        code = take_page(a, path, after, items, next, sizeof(next));
        if (next[0] == '\0' || strcmp(next, after) == 0 || json_array_size(items) >= (size_t)limit)
            break;
        snprintf(after, sizeof(after), "%s", next);
    }
    while (json_array_size(items) > (size_t)limit)
        json_array_remove(items, json_array_size(items) - 1);
    if (code == EXIT_OK && cli_flag(a->cli, "json"))
        admin_print(a, items);
    else if (code == EXIT_OK)
        print_table(items, columns);
    json_decref(items);
    return code;
}

int admin_simple(const struct cli *cli, const char *method, const char *path, json_t *body)
{
    struct admin a;
    json_t *answer = NULL;
    int code = EXIT_OTHER;
    if (admin_open(&a, cli))
        code = admin_ask(&a, method, path, body, &answer);
    else
        json_decref(body);
    if (code == EXIT_OK)
        admin_print(&a, answer);
    json_decref(answer);
    admin_close(&a);
    return code;
}

int admin_simple_list(const struct cli *cli, const char *path, const struct column *columns)
{
    struct admin a;
    int code = admin_open(&a, cli) ? admin_list(&a, path, columns) : EXIT_OTHER;
    admin_close(&a);
    return code;
}
