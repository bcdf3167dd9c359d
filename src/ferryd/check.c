/* SPDX-License-Identifier: Apache-2.0
 *
 * One small check per thing; none stops the others. */
#include "check.h"

#include <errno.h>
#include <libgen.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "front/pages.h"
#include "keeper/keeper.h"
#include "pki.h"
#include <base/secret.h>
#include <base/text.h>

enum { SENTENCE_MAX = 900, TOKEN_FILE_MAX = 66, SHA256_HEX = 64 };

struct check {
    const struct config *config;
    void (*tell)(void *arg, const char *sentence);
    void *arg;
    unsigned problems;
};

__attribute__((format(printf, 2, 3))) static void problem(struct check *c, const char *format, ...)
{
    char sentence[SENTENCE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    c->problems++;
    c->tell(c->arg, sentence);
}

static void check_kek(struct check *c)
{
    struct secret kek = {0};
    char why[KEEPER_WHY_MAX];
    /* The credential is there only when systemd starts the service. */
    if (c->config->kek_credential[0] != 0)
        return;
    if (keeper_read_kek(c->config, &kek, why) != OK)
        problem(c, "kek_file: %s", why);
    secret_wipe(&kek);
}

static void check_certificates(struct check *c)
{
    char why[PKI_WHY_MAX];
    struct stat about;
    if (pki_check_pair(c->config->certificate, c->config->private_key, why) != OK)
        problem(c, "%s", why);
    if (c->config->client_ca[0] != 0 && pki_check_ca(c->config->client_ca, why) != OK)
        problem(c, "%s", why);
    if (stat(c->config->private_key, &about) == 0 && (about.st_mode & S_IRWXO) != 0)
        problem(c, "private_key: %s can be read by everybody", c->config->private_key);
}

static bool is_digest(struct view v)
{
    uint8_t memory[SHA256_HEX / 2];
    struct writer bytes;
    wr_fixed(&bytes, memory, sizeof(memory));
    if (v.len == SHA256_HEX + 1 && v.data[SHA256_HEX] == '\n')
        v = view_head(v, SHA256_HEX);
    return v.len == SHA256_HEX && hex_read(v, &bytes) == OK;
}

static void check_token(struct check *c)
{
    const char *path = c->config->admin_token_file;
    struct writer text;
    struct stat about;
    if (path[0] == 0)
        return;
    wr_heap(&text, CONFIG_TEXT_MAX);
    errno = 0;
    if (stat(path, &about) != 0 || config_read_file(path, TOKEN_FILE_MAX, &text) == ERR_IO)
        problem(c, "admin_token_file: %s: %s", path, strerror(errno));
    else if (!is_digest(wr_view_of(&text)))
        problem(c, "admin_token_file: %s does not hold a SHA-256 in hex", path);
    else if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        problem(c, "admin_token_file: %s can be read by others; it must have mode 0600", path);
    wr_free(&text);
}

static bool stands_below(const char *path, const char *folder)
{
    size_t len = strlen(folder);
    return strncmp(path, folder, len) == 0 && (path[len] == '/' || folder[len - 1] == '/');
}

static void check_store(struct check *c)
{
    char path[CONFIG_VALUE_MAX + 1];
    snprintf(path, sizeof(path), "%s", c->config->store);
    const char *folder = dirname(path);
    if (access(folder, R_OK | W_OK | X_OK) != 0)
        problem(c, "store: its folder %s: %s", folder, strerror(errno));
    /* The front may read and write in the store's folder, so this key would be no secret from it. */
    if (c->config->kek_file[0] != 0 && stands_below(c->config->kek_file, folder))
        problem(c, "kek_file: %s lies in the folder of the store, which the front may read",
                c->config->kek_file);
}

static void check_package(struct check *c)
{
    const char *path = c->config->client_package;
    struct stat about;
    if (path[0] == 0)
        return;
    if (stat(path, &about) != 0 || access(path, R_OK) != 0)
        problem(c, "client_package: %s: %s", path, strerror(errno));
    else if (!S_ISREG(about.st_mode) || about.st_size > CLIENT_PACKAGE_MAX)
        problem(c, "client_package: %s is no file of at most %d MiB", path, CLIENT_PACKAGE_MAX >> 20);
}

static void check_users(struct check *c)
{
    if (c->config->user[0] != 0 && getpwnam(c->config->user) == NULL)
        problem(c, "user: there is no user %s", c->config->user);
    if (c->config->keeper_user[0] != 0 && getpwnam(c->config->keeper_user) == NULL)
        problem(c, "keeper_user: there is no user %s", c->config->keeper_user);
}

unsigned check_config(const struct config *config, void (*tell)(void *arg, const char *sentence), void *arg)
{
    struct check c = {.config = config, .tell = tell, .arg = arg};
    check_kek(&c);
    check_certificates(&c);
    check_token(&c);
    check_store(&c);
    check_package(&c);
    check_users(&c);
    return c.problems;
}
