/* SPDX-License-Identifier: Apache-2.0
 *
 * Options of the "ferry local" verbs, from the command line and from a file. Nothing is guessed: a value that
 * is not well-formed is an error that names its option. */
#include "local_options.h"

#include <stdio.h>
#include <string.h>

#include <gp/weak.h>
#include <base/text.h>

enum { WAIT_MAX_S = 24 * 3600 };

bool option_aid(const struct cli *cli, const char *name, struct aid *out)
{
    const char *text = cli_option(cli, name);
    size_t len = 0;
    *out = (struct aid){0};
    if (text == NULL)
        return true;
    if (hex_read_str(text, out->data, sizeof(out->data), &len) != OK || len < AID_MIN) {
        cli_error("--%s wants an AID: 5 to 16 bytes in hexadecimal", name);
        return false;
    }
    out->len = (uint8_t)len;
    return true;
}

bool option_byte(const struct cli *cli, const char *name, int fallback, int *out)
{
    const char *text = cli_option(cli, name);
    uint8_t byte;
    size_t len = 0;
    *out = fallback;
    if (text == NULL)
        return true;
    if (hex_read_str(text, &byte, 1, &len) != OK || len != 1) {
        cli_error("--%s wants one byte in hexadecimal, not '%s'", name, text);
        return false;
    }
    *out = byte;
    return true;
}

static bool take_byte(const struct cli *cli, const char *name, uint8_t *out)
{
    int value;
    bool good = option_byte(cli, name, 0, &value);
    *out = (uint8_t)value;
    return good;
}

/* "SCP03:70", "SCP11a", "F0:04". */
static bool take_method(struct local_options *o, const struct cli *cli)
{
    const char *text = cli_option(cli, "method");
    uint8_t i;
    size_t len = 0, count, name_len = text != NULL ? strcspn(text, ":") : 0;
    o->i = -1;
    if (text == NULL)
        return true;
    bool good = name_len > 0 && name_len < sizeof(o->method);
    if (good && text[name_len] == ':') {
        good = hex_read_str(text + name_len + 1, &i, 1, &len) == OK && len == 1;
        o->i = good ? i : -1;
    }
    if (good)
        snprintf(o->method, sizeof(o->method), "%.*s", (int)name_len, text);
    const struct channel_method *m = channel_methods(&count);
    bool known = false;
    for (; good && count > 0; m++, count--)
        known |= strcmp(m->name, o->method) == 0 && (o->i < 0 || m->i == o->i);
    if (!known)
        cli_error("--method: '%s' is not a method, such as SCP03:70; docs/methods.md lists them", text);
    return known;
}

/* Exactly one source; without any it is asked for at a terminal. */
static bool take_key_source(struct local_options *o, const struct cli *cli)
{
    static const struct {
        const char *option;
        enum key_origin origin;
    } rows[] = {{"key", KEY_FROM_FILE},
                {"key-env", KEY_FROM_ENVIRONMENT},
                {"key-prompt", KEY_FROM_PROMPT},
                {"default-key", KEY_DEFAULT}};
    size_t given = 0;
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        const char *value = cli_option(cli, rows[n].option);
        if (value == NULL)
            continue;
        given++;
        o->key = (struct key_source){rows[n].origin, *value != '\0' ? value : NULL};
        if (rows[n].origin <= KEY_FROM_ENVIRONMENT && o->key.name == NULL) {
            cli_error("--%s wants a name", rows[n].option);
            return false;
        }
    }
    if (given > 1)
        cli_error("the key comes from one place: --key, --key-env, --key-prompt or --default-key");
    return given <= 1;
}

static bool take_kdf(struct local_options *o, const struct cli *cli)
{
    const char *text = cli_option(cli, "kdf");
    o->kdf = KDF_NONE;
    if (text == NULL || (kdf_by_name(text, &o->kdf) == OK && o->kdf != KDF_IMPORTED))
        return true;
    cli_error("--kdf must be none, visa, visa2, emv or kdf3");
    return false;
}

static bool take_weak(struct local_options *o, const struct cli *cli)
{
    const char *text = cli_option(cli, "allow-weak");
    if (text == NULL || weak_parse(view_str(text), &o->allowed) == OK)
        return true;
    cli_error("--allow-weak wants a list of des, scp01, scp02, rsa1024 and sha1, separated by commas");
    return false;
}

static bool take_files(struct local_options *o, const struct cli *cli)
{
    o->oce_key = cli_option(cli, "oce-key");
    o->ca_key = cli_option(cli, "ca-key");
    o->host_key = cli_option(cli, "host-key");
    o->card_key = cli_option(cli, "card-key");
    const char *file;
    while ((file = cli_option_nth(cli, "oce-cert", (int)o->certificate_count)) != NULL) {
        if (o->certificate_count == CERTIFICATES_MAX) {
            cli_error("--oce-cert: a chain has at most %d certificates", CERTIFICATES_MAX);
            return false;
        }
        o->certificates[o->certificate_count++] = file;
    }
    return true;
}

bool local_options_read(struct local_options *out, const struct cli *cli)
{
    long wait_s;
    *out = (struct local_options){.reader = cli_option(cli, "reader"),
                                  .dry_run = cli_flag(cli, "dry-run"),
                                  .verbose = cli_flag(cli, "verbose")};
    if (!cli_number(cli, "wait", 0, WAIT_MAX_S, 0, &wait_s))
        return false;
    out->wait_ms = (int)wait_s * 1000;
    return option_aid(cli, "isd", &out->isd) && option_aid(cli, "domain", &out->domain) &&
           take_key_source(out, cli) && take_kdf(out, cli) && take_byte(cli, "kvn", &out->kvn) &&
           take_byte(cli, "kid", &out->kid) && take_byte(cli, "ca-kvn", &out->ca_kvn) &&
           take_byte(cli, "ca-kid", &out->ca_kid) && take_method(out, cli) &&
           option_byte(cli, "level", -1, &out->level) && take_weak(out, cli) && take_files(out, cli);
}

/* ---- the file */

static const struct option_spec file_options[] = {LOCAL_CARD_OPTIONS, {NULL, NULL, NULL}};

static char *trimmed(char *text)
{
    size_t len = strlen(text);
    while (len > 0 && strchr(" \t\r", text[len - 1]) != NULL)
        text[--len] = '\0';
    return text + strspn(text, " \t");
}

static const struct option_spec *file_option(const char *name)
{
    for (const struct option_spec *o = file_options; o->name != NULL; o++)
        if (strcmp(o->name, name) == 0 && strcmp(name, "options") != 0)
            return o;
    return NULL;
}

/* One line; what the command line says stays. given: how many options the command line had. */
static const char *merge_line(struct cli *cli, int given, char *line)
{
    char *name = trimmed(line), *value = strchr(name, '=');
    if (*name == '\0' || *name == '#')
        return NULL;
    if (value != NULL)
        *value++ = '\0';
    const struct option_spec *o = file_option(trimmed(name));
    if (o == NULL)
        return "this is not an option that may stand here";
    value = value != NULL ? trimmed(value) : NULL;
    if ((o->arg != NULL) != (value != NULL && *value != '\0'))
        return o->arg != NULL ? "a value is missing: name = value" : "this option takes no value";
    for (int n = 0; n < given; n++)
        if (strcmp(cli->names[n], o->name) == 0)
            return NULL;
    if (cli->option_count == OPTIONS_MAX)
        return "there are too many options";
    cli->names[cli->option_count] = o->name;
    cli->values[cli->option_count++] = value != NULL ? value : "";
    return NULL;
}

enum err local_options_merge(struct cli *cli, struct writer *text, char *problem, size_t problem_len)
{
    int given = cli->option_count;
    unsigned number = 1;
    if (memchr(text->data, '\0', text->len) != NULL) {
        snprintf(problem, problem_len, "it is not a text");
        return ERR_FORMAT;
    }
    wr_u8(text, '\0');
    if (!wr_ok(text))
        return ERR_LIMIT;
    for (char *line = (char *)text->data, *next; line != NULL; line = next, number++) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        const char *wrong = merge_line(cli, given, line);
        if (wrong != NULL) {
            snprintf(problem, problem_len, "line %u: %s", number, wrong);
            cli->option_count = given;
            return ERR_FORMAT;
        }
    }
    return OK;
}
