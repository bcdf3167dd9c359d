/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes the folder of a new server. Secrets go from memory to files that only their owner can read; none is
 * printed.
 *
 *     ferryd.conf                 the configuration
 *     server.pem, server.key      TLS
 *     ca.pem, ca.key              the authority: ca.pem for clients, ca.key for further certificates, best
 * kept elsewhere keeper/kek                  the key-encryption key store/                      the database
 * comes here admin.token, admin.sha256   the operator's token, and what the server knows of it admin.conf the
 * operator's profile for ferry --profile */
#include "init.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <base/text.h>
#include <crypto/crypto.h>
#include <vault/vault.h>

enum {
    TOKEN_BYTES = 32,
    TEXT_MAX = 8192,
    SHA256_LEN = 32,
    PUBLIC = 0644,
    SECRET = 0600,
    FOLDER_SECRET = 0700
};

static const char *const folders[] = {"keeper", "store"};

struct init {
    int folder; /* descriptor */
    char path[CONFIG_VALUE_MAX + 1];
    const struct init_settings *settings;
    const char *listen, *host, *port;
    struct crypto *crypto;
    struct pki pki;
    struct secret kek;
    struct writer token; /* text; secret */
    uint8_t import_key[32];
    char *why;
};

struct file {
    const char *name;
    unsigned mode;
    enum err (*content)(struct init *i, struct writer *out);
};

/* --- contents --- */

static enum err ca_certificate(struct init *i, struct writer *out)
{
    wr_view(out, wr_view_of(&i->pki.ca_certificate));
    return OK;
}

static enum err ca_key(struct init *i, struct writer *out)
{
    wr_view(out, wr_view_of(&i->pki.ca_key));
    return OK;
}

static enum err server_certificate(struct init *i, struct writer *out)
{
    wr_view(out, wr_view_of(&i->pki.certificate));
    return OK;
}

static enum err server_key(struct init *i, struct writer *out)
{
    wr_view(out, wr_view_of(&i->pki.key));
    return OK;
}

static enum err kek(struct init *i, struct writer *out)
{
    wr_view(out, secret_view(&i->kek));
    return OK;
}

static enum err token(struct init *i, struct writer *out)
{
    wr_view(out, wr_view_of(&i->token));
    wr_u8(out, '\n');
    return OK;
}

static enum err token_digest(struct init *i, struct writer *out)
{
    uint8_t digest[SHA256_LEN];
    struct view text = wr_view_of(&i->token);
    enum err e = crypto_digest(i->crypto, DIGEST_SHA256, &text, 1, digest);
    if (e == OK) {
        hex_put(out, VIEW_OF(digest));
        wr_u8(out, '\n');
    }
    return e;
}

__attribute__((format(printf, 2, 3))) static void put(struct writer *w, const char *format, ...)
{
    char line[2 * CONFIG_VALUE_MAX + 200];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    if (n < 0 || (size_t)n >= sizeof(line))
        wr_fail(w);
    else
        wr_bytes(w, line, (size_t)n);
}

/* Addresses of version 6 stand in brackets (RFC 3986 3.2.2). */
static void put_url(const struct init *i, struct writer *w)
{
    bool v6 = strchr(i->host, ':') != NULL;
    put(w, "https://%s%s%s%s%s", v6 ? "[" : "", i->host, v6 ? "]" : "", i->port[0] != 0 ? ":" : "", i->port);
}

static enum err configuration(struct init *i, struct writer *w)
{
    put(w, "# ferryd(8) explains each key. Check after a change: ferryd check -c %s/ferryd.conf\n\n",
        i->path);
    put(w, "# Where to listen, and how clients reach it: ticket links begin with public_url.\n");
    put(w, "listen = %s\n", i->listen);
    put(w, "public_url = ");
    put_url(i, w);
    put(w, "\n\n");
    put(w, "# TLS. Administrators may also come with a certificate of client_ca.\n");
    put(w, "certificate = %s/server.pem\nprivate_key = %s/server.key\n", i->path, i->path);
    put(w, "#client_ca = %s/ca.pem\n\n", i->path);
    put(w, "# The database. Its folder is all that the front may write to.\n");
    put(w, "store = %s/store/ferryd.db\n\n", i->path);
    put(w, "# The key-encryption key: 32 bytes, mode 0600. Without it every stored key is lost: keep a copy, "
           "apart from\n"
           "# copies of the database. A systemd credential instead: kek_credential = NAME.\n");
    put(w, "kek_file = %s/keeper/kek\n\n", i->path);
    put(w, "# SHA-256 of the administrator's token, in hex.\n");
    put(w, "admin_token_file = %s/admin.sha256\n\n", i->path);
    put(w, "# Started by root, front and keeper become these users.\n#user = ferryd\n#keeper_user = "
           "ferryd-keeper\n\n");
    put(w, "#connections_max = 10000\n#connections_per_peer_max = 256\n#session_timeout_s = 600\n"
           "#order_expiry_s = 604800\n#log_level = info\n\n");
    put(w, "# Weak choices that card types may make, where cards leave no other: des, scp01, scp02, rsa1024, "
           "sha1.\n"
           "#allow_weak = scp02\n");
    return OK;
}

static enum err profile(struct init *i, struct writer *w)
{
    put(w, "# For ferry --profile. import_key: keys are encrypted to it before they leave the operator's "
           "terminal.\n");
    put(w, "url = ");
    put_url(i, w);
    put(w, "\n");
    put(w, "ca = %s/ca.pem\ntoken_file = %s/admin.token\nimport_key = ", i->path, i->path);
    base64url_put(w, VIEW_OF(i->import_key));
    wr_u8(w, '\n');
    return OK;
}

static const struct file files[] = {
    {"ca.pem", PUBLIC, ca_certificate},
    {"ca.key", SECRET, ca_key},
    {"server.pem", PUBLIC, server_certificate},
    {"server.key", SECRET, server_key},
    {"keeper/kek", SECRET, kek},
    {"admin.token", SECRET, token},
    {"admin.sha256", SECRET, token_digest},
    {"admin.conf", PUBLIC, profile},
    {"ferryd.conf", PUBLIC, configuration},
};
enum { FILE_COUNT = sizeof(files) / sizeof(files[0]) };

/* --- the folder --- */

static enum err refuse(struct init *i, enum err e, const char *what, const char *why)
{
    snprintf(i->why, INIT_WHY_MAX, "%.255s: %.255s", what, why);
    return e;
}

static enum err failed(struct init *i, const char *what)
{
    return refuse(i, errno == ENOSPC ? ERR_DISK_FULL : ERR_IO, what, strerror(errno));
}

static bool is_empty(const char *folder)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    bool empty = dir != NULL;
    while (empty && (entry = readdir(dir)) != NULL)
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    if (dir != NULL)
        closedir(dir);
    return empty;
}

static enum err open_folder(struct init *i)
{
    char path[PATH_MAX];
    const char *folder = i->settings->folder;
    if (mkdir(folder, FOLDER_SECRET) != 0 && errno != EEXIST)
        return failed(i, folder);
    if (realpath(folder, path) == NULL)
        return failed(i, folder);
    if (!is_empty(path))
        return refuse(i, ERR_EXISTS, folder, "it is not an empty folder, and nothing in it will be replaced");
    /* Room for the longest name below it. */
    if (strlen(path) + sizeof("/store/ferryd.db") > CONFIG_VALUE_MAX || strpbrk(path, "\n\r") != NULL)
        return refuse(i, ERR_LIMIT, folder, "the path is not fit for a configuration");
    snprintf(i->path, sizeof(i->path), "%.*s", CONFIG_VALUE_MAX, path);
    i->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return i->folder >= 0 ? OK : failed(i, folder);
}

static bool write_whole(int fd, struct view v)
{
    while (v.len > 0) {
        ssize_t n = write(fd, v.data, v.len);
        if (n < 0 && errno != EINTR)
            return false;
        v = view_tail(v, n > 0 ? (size_t)n : 0);
    }
    return fsync(fd) == 0;
}

static enum err write_file(struct init *i, const struct file *file)
{
    struct writer content;
    enum err e;
    wr_heap(&content, PKI_PEM_MAX);
    if ((e = file->content(i, &content)) != OK || (e = wr_status(&content)) != OK) {
        (void)refuse(i, e, file->name, err_text(e));
        goto out;
    }
    int fd = openat(i->folder, file->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, file->mode);
    if (fd < 0) {
        e = failed(i, file->name);
        goto out;
    }
    /* The mode as it stands in the table, whatever the umask is. */
    if (fchmod(fd, file->mode) != 0 || !write_whole(fd, wr_view_of(&content)))
        e = failed(i, file->name);
    if (close(fd) != 0 && e == OK)
        e = failed(i, file->name);
out:
    wr_free(&content);
    return e;
}

/* What --listen or a name would make of the configuration is seen by our own parser before anything is
 * written. */
static enum err check_text(struct init *i)
{
    static struct config config;
    struct config_problem wrong;
    struct writer text;
    enum err e;
    wr_heap(&text, CONFIG_TEXT_MAX);
    if ((e = configuration(i, &text)) == OK && (e = wr_status(&text)) == OK &&
        (e = config_parse(wr_view_of(&text), &config, &wrong)) != OK)
        (void)refuse(i, e, "this would be no configuration", wrong.text);
    wr_free(&text);
    return e;
}

static enum err write_all(struct init *i)
{
    enum err e = check_text(i);
    if (e != OK)
        return e;
    for (size_t n = 0; n < sizeof(folders) / sizeof(folders[0]); n++) {
        if (mkdirat(i->folder, folders[n], FOLDER_SECRET) != 0)
            return failed(i, folders[n]);
    }
    for (size_t n = 0; e == OK && n < FILE_COUNT; n++)
        e = write_file(i, &files[n]);
    return e;
}

static void remove_all(const struct init *i)
{
    for (size_t n = 0; n < FILE_COUNT; n++)
        (void)unlinkat(i->folder, files[n].name, 0);
    for (size_t n = 0; n < sizeof(folders) / sizeof(folders[0]); n++)
        (void)unlinkat(i->folder, folders[n], AT_REMOVEDIR);
}

/* --- what is made up --- */

static enum err make_keys(struct init *i)
{
    struct random_source random = crypto_random();
    uint8_t bytes[TOKEN_BYTES];
    struct vault *v = NULL;
    enum err e;
    i->kek.len = KEK_LEN;
    if ((e = random.fill(random.ctx, i->kek.data, i->kek.len)) != OK)
        goto out;
    if ((e = random.fill(random.ctx, bytes, sizeof(bytes))) != OK)
        goto out;
    base64url_put(&i->token, VIEW_OF(bytes));
    if ((e = vault_new(&v, i->crypto, random, &i->kek)) != OK)
        goto out;
    vault_import_key(v, i->import_key);
out:
    wipe(bytes, sizeof(bytes));
    vault_free(&v);
    return e;
}

static enum err make_certificates(struct init *i)
{
    const char *names[PKI_NAMES_MAX] = {"localhost", "127.0.0.1", "::1"};
    size_t count = 3;
    for (size_t n = 0; n < i->settings->name_count; n++) {
        if (!pki_name_ok(i->settings->names[n]))
            return refuse(i, ERR_ARGUMENT, i->settings->names[n],
                          "this is neither a host name nor an address");
        if (count == PKI_NAMES_MAX)
            return refuse(i, ERR_LIMIT, i->settings->names[n], "too many names");
        names[count++] = i->settings->names[n];
    }
    return pki_make(names, count, &i->pki);
}

static void place(struct init *i)
{
    i->listen = i->settings->listen != NULL ? i->settings->listen : "127.0.0.1:8443";
    i->host = i->settings->name_count > 0 ? i->settings->names[0] : "localhost";
    const char *colon = strrchr(i->listen, ':');
    i->port = colon != NULL ? colon + 1 : "";
    if (strcmp(i->port, "443") == 0)
        i->port = "";
}

enum err init_run(const struct init_settings *settings, char why[INIT_WHY_MAX])
{
    struct init i = {.folder = -1, .settings = settings, .why = why};
    char memory[64];
    enum err e;

    why[0] = 0;
    wr_fixed(&i.token, memory, sizeof(memory));
    place(&i);
    if ((e = open_folder(&i)) != OK)
        goto out;
    if ((e = crypto_new(&i.crypto)) != OK || (e = make_keys(&i)) != OK || (e = make_certificates(&i)) != OK)
        goto out;
    if ((e = write_all(&i)) != OK)
        remove_all(&i);
out:
    if (e != OK && why[0] == 0)
        snprintf(why, INIT_WHY_MAX, "%s", err_text(e));
    if (i.folder >= 0)
        close(i.folder);
    pki_finish(&i.pki);
    secret_wipe(&i.kek);
    wr_free(&i.token);
    crypto_free(&i.crypto);
    return e;
}
