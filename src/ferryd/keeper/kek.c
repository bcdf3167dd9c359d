/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the key-encryption key comes from. A key that others could read is refused: it would be a promise
 * broken before the first request. */
#include "keeper/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vault/vault.h>

enum { MODE_BITS = 07777, READABLE_BY_OTHERS = S_IRWXO };

__attribute__((format(printf, 3, 4))) static enum err refuse(enum err e, char why[KEEPER_WHY_MAX],
                                                             const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, KEEPER_WHY_MAX, format, arguments);
    va_end(arguments);
    return e;
}

static bool owner_ok(const struct config *config, uid_t owner)
{
    if (owner == geteuid())
        return true;
    const char *user = config->keeper_user[0] != 0 ? config->keeper_user : config->user;
    const struct passwd *p = geteuid() == 0 && user[0] != 0 ? getpwnam(user) : NULL;
    return p != NULL && p->pw_uid == owner;
}

static enum err check_file(const struct config *config, const char *path, const struct stat *about,
                           char why[KEEPER_WHY_MAX])
{
    unsigned mode = about->st_mode & MODE_BITS;
    if (!S_ISREG(about->st_mode))
        return refuse(ERR_POLICY, why, "%s is not a regular file", path);
    /* systemd.exec(5): credentials have modes and owners of systemd's choosing, in a folder for this service.
     */
    if (config->kek_credential[0] != 0) {
        if ((mode & READABLE_BY_OTHERS) != 0)
            return refuse(ERR_POLICY, why, "%s can be read by everybody (mode %04o)", path, mode);
        return OK;
    }
    if (mode != 0600 && mode != 0400)
        return refuse(ERR_POLICY, why, "%s has mode %04o; it must be 0600 or 0400", path, mode);
    if (!owner_ok(config, about->st_uid))
        return refuse(ERR_POLICY, why, "%s belongs to another user (uid %u)", path, (unsigned)about->st_uid);
    return OK;
}

static enum err read_key(int fd, const char *path, struct secret *kek, char why[KEEPER_WHY_MAX])
{
    uint8_t bytes[KEK_LEN + 1];
    size_t have = 0;
    ssize_t n = 1;
    enum err e;
    while (n > 0 && have < sizeof(bytes)) {
        n = read(fd, bytes + have, sizeof(bytes) - have);
        have += n > 0 ? (size_t)n : 0;
    }
    if (n < 0)
        e = refuse(ERR_IO, why, "%s: %s", path, strerror(errno));
    else if (have != KEK_LEN)
        e = refuse(ERR_FORMAT, why, "%s must have exactly %d bytes", path, KEK_LEN);
    else
        e = secret_set(kek, view_of(bytes, have));
    wipe(bytes, sizeof(bytes));
    return e;
}

enum err keeper_read_kek(const struct config *config, struct secret *kek, char why[KEEPER_WHY_MAX])
{
    char path[2 * CONFIG_VALUE_MAX + 2];
    const char *credentials = getenv("CREDENTIALS_DIRECTORY");
    struct stat about;
    enum err e;

    if (config->kek_credential[0] == 0)
        snprintf(path, sizeof(path), "%s", config->kek_file);
    else if (credentials == NULL)
        return refuse(ERR_NOT_FOUND, why, "kek_credential is given, but systemd gave no credentials");
    else
        snprintf(path, sizeof(path), "%.255s/%s", credentials, config->kek_credential);

    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return refuse(ERR_IO, why, "%s: %s", path,
                      errno == ELOOP ? "it is a symbolic link" : strerror(errno));
    if (fstat(fd, &about) != 0)
        e = refuse(ERR_IO, why, "%s: %s", path, strerror(errno));
    else if ((e = check_file(config, path, &about, why)) == OK)
        e = read_key(fd, path, kek, why);
    close(fd);
    return e;
}
