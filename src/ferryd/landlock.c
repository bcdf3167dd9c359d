/* SPDX-License-Identifier: Apache-2.0
 *
 * One rule per folder or file; what has no rule is not there. */
#include "landlock.h"

#include <fcntl.h>
#include <libgen.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Rights of ABI 1 to 3 (kernels 5.13, 5.19, 6.2); newer ones concern sockets and devices. */
enum { ABI_REFER = 2, ABI_TRUNCATE = 3 };
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14) /* headers older than the kernel */
#endif
#define READ_FILE   LANDLOCK_ACCESS_FS_READ_FILE
#define READ_FOLDER (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE_FILE                                                                                           \
    (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE)
#define WRITE_FOLDER (READ_FOLDER | WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE)

static uint64_t handled_rights(long abi)
{
    uint64_t rights = LANDLOCK_ACCESS_FS_REFER - 1; /* all of ABI 1 stand below it */
    if (abi >= ABI_REFER)
        rights |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= ABI_TRUNCATE)
        rights |= LANDLOCK_ACCESS_FS_TRUNCATE;
    return rights;
}

/* What does not exist needs no rule. */
static enum err allow(int ruleset, const char *path, uint64_t rights)
{
    enum err e = OK;
    struct stat about;
    int fd = path[0] != 0 ? open(path, O_PATH | O_CLOEXEC) : -1;
    if (fd < 0)
        return OK;
    if (fstat(fd, &about) != 0)
        e = ERR_IO;
    struct landlock_path_beneath_attr rule = {.parent_fd = fd, .allowed_access = rights};
    if (e == OK && !S_ISDIR(about.st_mode))
        rule.allowed_access &= WRITE_FILE;
    if (e == OK && syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
        e = ERR_IO;
    close(fd);
    return e;
}

/* SQLite keeps its log and its shared memory beside the database. */
static enum err allow_store(int ruleset, const char *store, uint64_t rights)
{
    char folder[CONFIG_VALUE_MAX + 1];
    snprintf(folder, sizeof(folder), "%s", store);
    return allow(ruleset, dirname(folder), rights);
}

static enum err allow_all(int ruleset, const struct config *config, uint64_t handled)
{
    const struct {
        const char *path;
        uint64_t rights;
    } rules[] = {
        {config->certificate, READ_FILE},
        {config->private_key, READ_FILE},
        {config->client_ca, READ_FILE},
        {config->admin_token_file, READ_FILE},
        {config->client_package, READ_FILE},
        {"/usr", READ_FOLDER},
        {"/lib", READ_FOLDER},
        {"/lib64", READ_FOLDER},
        {"/etc/ssl", READ_FOLDER},
        {"/etc/localtime", READ_FILE},
        {"/dev/urandom", READ_FILE},
        {"/dev/null", WRITE_FILE},
    };
    enum err e = allow_store(ruleset, config->store, WRITE_FOLDER & handled);
    for (size_t i = 0; e == OK && i < sizeof(rules) / sizeof(rules[0]); i++)
        e = allow(ruleset, rules[i].path, rules[i].rights & handled);
    return e;
}

enum err landlock_front(const struct config *config, bool *in_force)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    *in_force = abi > 0;
    if (abi <= 0)
        return OK;
    struct landlock_ruleset_attr attr = {.handled_access_fs = handled_rights(abi)};
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
    if (ruleset < 0)
        return ERR_IO;
    enum err e = allow_all(ruleset, config, attr.handled_access_fs);
    if (e == OK && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
        e = ERR_IO;
    close(ruleset);
    return e;
}
