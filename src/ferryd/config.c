/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the configuration. Everything that a key may be stands in one table; a value that is out of place is
 * refused with the line and a sentence, because a server that starts with a half-understood configuration is
 * worse than one that does not start. */
#include "config.h"

#include <base/secret.h>
#include <base/text.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum kind { PATH, ADDRESS, URL, NAME, TEXT, NUMBER, LEVEL, WEAK };

static const struct key {
    const char *name;
    enum kind kind;
    size_t offset, size;  /* of the field in struct config */
    const char *standard; /* NULL: must be given; "": may be left out */
    unsigned min, max;    /* NUMBER */
} keys[] = {
#define TEXT_KEY(field, kind, standard)                                                                      \
    {                                                                                                        \
#field, kind, offsetof(struct config, field), sizeof(((struct config *)0)->field), standard, 0, 0    \
    }
#define NUMBER_KEY(field, standard, min, max)                                                                \
    {                                                                                                        \
#field, NUMBER, offsetof(struct config, field), sizeof(unsigned), standard, min, max                 \
    }
    TEXT_KEY(listen, ADDRESS, "127.0.0.1:8443"),
    TEXT_KEY(public_url, URL, NULL),
    TEXT_KEY(certificate, PATH, NULL),
    TEXT_KEY(private_key, PATH, NULL),
    TEXT_KEY(client_ca, PATH, ""),
    TEXT_KEY(store, PATH, NULL),
    TEXT_KEY(kek_file, PATH, ""),
    TEXT_KEY(kek_credential, NAME, ""),
    TEXT_KEY(admin_token_file, PATH, ""),
    TEXT_KEY(user, NAME, ""),
    TEXT_KEY(keeper_user, NAME, ""),
    TEXT_KEY(issuer, TEXT, ""),
    TEXT_KEY(help_phone, TEXT, ""),
    TEXT_KEY(help_url, URL, ""),
    TEXT_KEY(client_package, PATH, ""),
    NUMBER_KEY(agent_port, "0", 0, 65535),
    NUMBER_KEY(connections_max, "10000", 1, 1000000),
    NUMBER_KEY(connections_per_peer_max, "256", 1, 1000000),
    NUMBER_KEY(session_timeout_s, "600", 10, 86400),
    NUMBER_KEY(order_expiry_s, "604800", 60, 31536000),
    {"allow_weak", WEAK, offsetof(struct config, allow_weak), sizeof(weak_set), "none", 0, 0},
    {"log_level", LEVEL, offsetof(struct config, log_level), sizeof(enum log_level), "info", 0, 0},
#undef TEXT_KEY
#undef NUMBER_KEY
};
enum { KEY_COUNT = sizeof(keys) / sizeof(keys[0]) };

static const char *const level_names[] = {"error", "warning", "info", "debug"};

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static struct view trim(struct view v)
{
    while (v.len > 0 && is_space(v.data[0]))
        v = view_tail(v, 1);
    while (v.len > 0 && is_space(v.data[v.len - 1]))
        v.len--;
    return v;
}

/* Takes what stands before the first c (all, where there is none) and the c itself. */
static struct view take_until(struct view *rest, uint8_t c)
{
    const uint8_t *found = rest->len > 0 ? memchr(rest->data, c, rest->len) : NULL;
    size_t n = found != NULL ? (size_t)(found - rest->data) : rest->len;
    struct view head = view_head(*rest, n);
    *rest = view_tail(*rest, n + (found != NULL));
    return head;
}

/* A sentence: a subject and what is wrong with it ("" when the subject says it all). */
static enum err problem(struct config_problem *why, unsigned line, const char *wrong, const char *subject)
{
    why->line = line;
    snprintf(why->text, sizeof(why->text), "%s%s%s", subject, wrong[0] != 0 ? " " : "", wrong);
    return ERR_FORMAT;
}

static bool only(const char *text, const char *allowed)
{
    return text[strspn(text, allowed)] == 0;
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

static bool number_ok(const char *text, unsigned min, unsigned max, unsigned *out)
{
    uint64_t n = 0;
    if (text[0] == 0 || !only(text, DIGITS) || strlen(text) > 9)
        return false;
    for (const char *c = text; *c != 0; c++)
        n = n * 10 + (uint64_t)(*c - '0');
    *out = (unsigned)n;
    return n >= min && n <= max;
}

/* "1.2.3.4:port", "[v6]:port"; a host name would need a resolver in the front, so there is none. */
static bool address_ok(const char *text)
{
    const char *colon = strrchr(text, ':');
    unsigned port;
    if (colon == NULL || colon == text || !number_ok(colon + 1, 0, 65535, &port))
        return false;
    size_t host = (size_t)(colon - text);
    if (text[0] == '[')
        return host > 2 && text[host - 1] == ']' && strspn(text + 1, DIGITS "abcdefABCDEF:.") == host - 2;
    return strspn(text, DIGITS ".") == host;
}

static bool url_ok(const char *text)
{
    static const char scheme[] = "https://";
    size_t len = strlen(text);
    return strncmp(text, scheme, sizeof(scheme) - 1) == 0 && len > sizeof(scheme) - 1 &&
           text[len - 1] != '/' && only(text + sizeof(scheme) - 1, LETTERS DIGITS "-._~:/[]");
}

/* What kind wants, as the end of a sentence; NULL when the value is right. */
static const char *complaint(const struct key *key, const char *value)
{
    unsigned n;
    weak_set weak;
    switch (key->kind) {
    case PATH:
        return value[0] == '/' ? NULL : "needs an absolute path";
    case ADDRESS:
        return address_ok(value) ? NULL : "needs ADDRESS:PORT, as 127.0.0.1:8443 or [::1]:8443";
    case URL:
        return url_ok(value) ? NULL : "needs https://HOST or https://HOST:PORT, without a slash at the end";
    case NAME:
        return only(value, LETTERS DIGITS "-._") && value[0] != '.'
                   ? NULL
                   : "needs a name of letters, digits, - . and _";
    case TEXT:
        return text_is_line(view_str(value)) ? NULL : "needs text in UTF-8";
    case NUMBER:
        return number_ok(value, key->min, key->max, &n) ? NULL
                                                        : "needs a number within its limits (ferryd(8))";
    case LEVEL:
        for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
            if (strcmp(value, level_names[i]) == 0)
                return NULL;
        }
        return "needs error, warning, info or debug";
    case WEAK:
        return weak_parse(view_str(value), &weak) == OK
                   ? NULL
                   : "needs none, or some of des, scp01, scp02, rsa1024, sha1 with commas between";
    }
    return NULL;
}

/* A value that complaint() has nothing against. */
static void store_value(struct config *config, const struct key *key, const char *value)
{
    char *field = (char *)config + key->offset;
    unsigned number = 0;
    switch (key->kind) {
    case NUMBER:
        (void)number_ok(value, key->min, key->max, &number);
        memcpy(field, &number, sizeof(number));
        break;
    case LEVEL:
        for (unsigned i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
            if (strcmp(value, level_names[i]) == 0)
                config->log_level = (enum log_level)i;
        }
        break;
    case WEAK:
        if (weak_parse(view_str(value), &config->allow_weak) != OK)
            config->allow_weak = 0;
        break;
    case PATH:
    case ADDRESS:
    case URL:
    case NAME:
    case TEXT:
        snprintf(field, key->size, "%s", value);
        break;
    }
}

/* Whether the value is kept as it is written. */
static bool is_text(enum kind kind)
{
    return kind != NUMBER && kind != LEVEL && kind != WEAK;
}

static const struct key *find_key(struct view name)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (view_equal(name, view_str(keys[i].name)))
            return &keys[i];
    }
    return NULL;
}

static bool printable(struct view v)
{
    for (size_t i = 0; i < v.len; i++) {
        if (v.data[i] < ' ' && v.data[i] != '\t')
            return false;
    }
    return true;
}

static enum err parse_line(struct view line, unsigned number, struct config *config, bool given[KEY_COUNT],
                           struct config_problem *why)
{
    char text[CONFIG_VALUE_MAX + 1];
    line = trim(line);
    if (line.len == 0 || line.data[0] == '#')
        return OK;
    if (!printable(line))
        return problem(why, number, "", "the line has a control character");
    struct view value = line;
    struct view name = trim(take_until(&value, '='));
    value = trim(value);
    if (name.len == line.len)
        return problem(why, number, "", "this is no line of the form key = value");
    const struct key *key = find_key(name);
    if (key == NULL)
        return problem(why, number, "", "there is no such key");
    if (given[key - keys])
        return problem(why, number, "is given twice", key->name);
    if (value.len == 0)
        return problem(why, number, "has no value", key->name);
    if (value.len > CONFIG_VALUE_MAX || (is_text(key->kind) && value.len >= key->size))
        return problem(why, number, "has a value that is too long", key->name);
    memcpy(text, value.data, value.len);
    text[value.len] = 0;
    const char *wrong = complaint(key, text);
    if (wrong != NULL)
        return problem(why, number, wrong, key->name);
    store_value(config, key, text);
    given[key - keys] = true;
    return OK;
}

static enum err check_whole(const struct config *config, const bool given[KEY_COUNT],
                            struct config_problem *why)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (!given[i] && keys[i].standard == NULL)
            return problem(why, 0, "is missing", keys[i].name);
    }
    if ((config->kek_file[0] != 0) == (config->kek_credential[0] != 0))
        return problem(why, 0, "", "give either kek_file or kek_credential");
    if (config->admin_token_file[0] == 0 && config->client_ca[0] == 0)
        return problem(why, 0, "", "nobody could administer it: give admin_token_file or client_ca");
    if (config->keeper_user[0] != 0 && config->user[0] == 0)
        return problem(why, 0, "", "keeper_user needs user as well");
    return OK;
}

enum err config_parse(struct view text, struct config *out, struct config_problem *why)
{
    struct config config = {0};
    bool given[KEY_COUNT] = {false};
    enum err e = OK;

    *why = (struct config_problem){0};
    if (text.len > CONFIG_TEXT_MAX) {
        (void)problem(why, 0, "", "the file is too long to be a configuration");
        return ERR_LIMIT;
    }
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (keys[i].standard != NULL)
            store_value(&config, &keys[i], keys[i].standard);
    }
    for (unsigned line = 1; e == OK && text.len > 0; line++)
        e = parse_line(take_until(&text, '\n'), line, &config, given, why);
    if (e == OK)
        e = check_whole(&config, given, why);
    if (e == OK)
        *out = config;
    return e;
}

enum err config_read_file(const char *path, size_t max, struct writer *out)
{
    uint8_t chunk[4096];
    size_t before = out->len;
    enum err e = ERR_IO;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return ERR_IO;
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof(chunk));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            e = n == 0 ? wr_status(out) : ERR_IO;
            break;
        }
        wr_bytes(out, chunk, (size_t)n);
        if (out->len - before > max || !wr_ok(out)) {
            e = ERR_LIMIT;
            break;
        }
    }
    wipe(chunk, sizeof(chunk));
    close(fd);
    return e;
}

enum err config_load(const char *path, struct config *out, char why[CONFIG_WHY_MAX])
{
    struct writer text;
    struct config_problem found = {0};
    wr_heap(&text, CONFIG_TEXT_MAX + 4096);
    errno = 0;
    enum err e = config_read_file(path, CONFIG_TEXT_MAX, &text);
    if (e == ERR_LIMIT)
        snprintf(why, CONFIG_WHY_MAX, "%s: the file is too long to be a configuration", path);
    else if (e != OK)
        snprintf(why, CONFIG_WHY_MAX, "%s: %s", path, errno != 0 ? strerror(errno) : err_text(e));
    else
        e = config_parse(wr_view_of(&text), out, &found);
    if (found.text[0] != 0 && found.line != 0)
        snprintf(why, CONFIG_WHY_MAX, "%s:%u: %s", path, found.line, found.text);
    else if (found.text[0] != 0)
        snprintf(why, CONFIG_WHY_MAX, "%s: %s", path, found.text);
    wr_free(&text);
    return e;
}
