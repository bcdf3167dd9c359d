/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads profiles and tokens. */
#include "profile.h"

#include <base/text.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROFILE_MAX = 16 * 1024, REQUEST_TIMEOUT_S = 60 };

enum err read_file(const char *path, size_t max, struct writer *out)
{
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    uint8_t block[4096];
    size_t total = 0;
    enum err e = OK;
    if (fd < 0)
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    for (ssize_t n = 1; e == OK && n != 0;) {
        n = read(fd, block, sizeof(block));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            e = ERR_IO;
            break;
        }
        total += (size_t)n;
        if (total > max)
            e = ERR_LIMIT;
        else
            wr_bytes(out, block, (size_t)n);
    }
    wipe(block, sizeof(block));
    if (!standard)
        close(fd);
    return e == OK ? wr_status(out) : e;
}

static struct view trim(struct view v)
{
    while (v.len > 0 && strchr(" \t\r\n", v.data[0]) != NULL)
        v = view_tail(v, 1);
    while (v.len > 0 && strchr(" \t\r\n", v.data[v.len - 1]) != NULL)
        v.len--;
    return v;
}

static enum err set_import_key(struct profile *p, struct view value)
{
    struct writer w;
    wr_fixed(&w, p->import_key, sizeof(p->import_key));
    enum err e = base64url_read(value, &w);
    if (e == OK && w.len != sizeof(p->import_key))
        e = ERR_FORMAT;
    p->has_import_key = e == OK;
    return e;
}

static enum err set_value(struct profile *p, struct view key, struct view value)
{
    const struct {
        const char *key;
        char *out;
    } words[] = {{"url", p->server},
                 {"ca", p->ca},
                 {"token_file", p->token_file},
                 {"certificate", p->certificate},
                 {"private_key", p->private_key}};
    if (view_equal(key, view_str("import_key")))
        return set_import_key(p, value);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (!view_equal(key, view_str(words[i].key)))
            continue;
        if (value.len >= PROFILE_VALUE_MAX)
            return ERR_LIMIT;
        memcpy(words[i].out, value.data, value.len);
        words[i].out[value.len] = '\0';
        return OK;
    }
    return ERR_NOT_FOUND;
}

/* Splits off the next line and tells whether there was one. */
static bool next_line(struct view *text, struct view *line)
{
    if (text->len == 0)
        return false;
    const uint8_t *end = memchr(text->data, '\n', text->len);
    size_t len = end != NULL ? (size_t)(end - text->data) : text->len;
    *line = view_head(*text, len);
    *text = view_tail(*text, len + 1);
    return true;
}

enum err profile_parse(struct profile *out, struct view text, char *problem, size_t problem_len)
{
    struct profile p = {0};
    struct view line;
    for (unsigned number = 1; next_line(&text, &line); number++) {
        line = trim(line);
        if (line.len == 0 || line.data[0] == '#')
            continue;
        const uint8_t *equals = memchr(line.data, '=', line.len);
        size_t at = equals != NULL ? (size_t)(equals - line.data) : line.len;
        struct view value = trim(view_tail(line, at + 1));
        enum err e =
            equals != NULL && value.len > 0 ? set_value(&p, trim(view_head(line, at)), value) : ERR_FORMAT;
        if (e == OK)
            continue;
        snprintf(problem, problem_len, "line %u: %s", number,
                 e == ERR_NOT_FOUND
                     ? "unknown word; known are url, ca, token_file, certificate, private_key, import_key"
                     : "expected 'word = value'");
        return ERR_FORMAT;
    }
    *out = p;
    return OK;
}

/* Where a profile lies when nobody names one: the user's, or the machine's. false: nowhere. */
static bool default_profile(char path[PROFILE_VALUE_MAX])
{
    static const char system_wide[] = "/etc/cardferry/ferry.conf";
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    int n = 0;
    if (config != NULL && config[0] == '/') /* XDG base directories: others are to be ignored */
        n = snprintf(path, PROFILE_VALUE_MAX, "%s/cardferry/ferry.conf", config);
    else if (home != NULL && home[0] == '/')
        n = snprintf(path, PROFILE_VALUE_MAX, "%s/.config/cardferry/ferry.conf", home);
    if (n > 0 && n < PROFILE_VALUE_MAX && access(path, F_OK) == 0)
        return true;
    memcpy(path, system_wide, sizeof(system_wide));
    return access(path, F_OK) == 0;
}

static bool override(char *out, const char *value)
{
    if (value == NULL)
        return true;
    int n = snprintf(out, PROFILE_VALUE_MAX, "%s", value);
    return n >= 0 && n < PROFILE_VALUE_MAX;
}

bool profile_load(struct profile *out, const struct cli *cli)
{
    const char *path = cli_option(cli, "profile");
    char found[PROFILE_VALUE_MAX];
    char problem[200] = "";
    struct writer text;
    enum err e = OK;
    *out = (struct profile){0};
    if (path == NULL)
        path = getenv("FERRY_PROFILE");
    if (path == NULL && default_profile(found))
        path = found;
    wr_heap(&text, PROFILE_MAX);
    if (path != NULL && *path != '\0') {
        e = read_file(path, PROFILE_MAX, &text);
        if (e != OK)
            snprintf(problem, sizeof(problem), "%s", err_text(e));
        else
            e = profile_parse(out, wr_view_of(&text), problem, sizeof(problem));
    }
    wr_free(&text);
    if (e != OK) {
        cli_error("the profile %s can't be used: %s", path, problem);
        return false;
    }
    return override(out->server, cli_option(cli, "server")) && override(out->ca, cli_option(cli, "ca")) &&
           override(out->token_file, cli_option(cli, "token-file"));
}

bool profile_token(const struct profile *p, struct secret *token)
{
    uint8_t memory[TOKEN_TEXT_MAX];
    struct writer w;
    if (p->token_file[0] == '\0') {
        cli_error("no administration token: use --profile, or --token-file");
        return false;
    }
    wr_fixed(&w, memory, sizeof(memory));
    enum err e = read_file(p->token_file, sizeof(memory), &w);
    if (e == OK)
        e = secret_set(token, trim(wr_view_of(&w)));
    if (e == OK && token->len == 0)
        e = ERR_FORMAT;
    wr_clear(&w);
    if (e != OK)
        cli_error("the token can't be read from %s: %s", p->token_file, err_text(e));
    return e == OK;
}

struct remote_settings profile_remote(const struct profile *p)
{
    struct remote_settings s = {.timeout_s = REQUEST_TIMEOUT_S};
    if (p->ca[0] != '\0')
        s.ca = p->ca;
    if (p->certificate[0] != '\0') {
        s.certificate = p->certificate;
        s.private_key = p->private_key;
    }
    return s;
}
