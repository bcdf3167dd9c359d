/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading and writing key files, wiping every buffer on the way. */
#include "keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <base/text.h>

enum { LINE_MAX_BYTES = 256 };

static enum err read_line(char *line, struct secret *key)
{
    static const uint8_t lens[] = {8, 16, 24, 32};
    uint8_t bytes[32];
    size_t len = 0;
    line[strcspn(line, "\r\n")] = '\0';
    enum err e = hex_read_str(line, bytes, sizeof bytes, &len);
    if (e == OK && memchr(lens, (int)len, sizeof lens) == NULL)
        e = ERR_FORMAT;
    if (e == OK)
        e = secret_set(key, view_of(bytes, len));
    wipe(bytes, sizeof bytes);
    return e == OK ? OK : ERR_FORMAT;
}

static enum err read_keys(FILE *f, struct secret keys[3])
{
    char line[LINE_MAX_BYTES];
    size_t count = 0;
    enum err e = OK;
    while (e == OK && fgets(line, sizeof line, f) != NULL) {
        if (line[0] == '#' || line[strcspn(line, "\r\n")] == line[0])
            continue;
        e = count < 3 ? read_line(line, &keys[count++]) : ERR_FORMAT;
    }
    wipe(line, sizeof line);
    if (e == OK && ferror(f))
        e = ERR_IO;
    if (e == OK && count == 1) {
        keys[1] = keys[0];
        keys[2] = keys[0];
    } else if (e == OK && count != 3) {
        e = ERR_FORMAT;
    }
    return e;
}

enum err keyfile_read(const char *path, struct secret keys[3])
{
    bool standard = strcmp(path, "-") == 0;
    FILE *f = standard ? stdin : fopen(path, "re");
    if (f == NULL)
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    if (!standard)
        setvbuf(f, NULL, _IONBF, 0); /* no copy of keys stays in a buffer of the C library */
    enum err e = read_keys(f, keys);
    if (!standard)
        fclose(f);
    for (int n = 0; e != OK && n < 3; n++)
        secret_wipe(&keys[n]);
    return e;
}

static enum err make_keys(size_t len, unsigned count, struct random_source random, struct secret keys[3],
                          struct writer *text)
{
    for (unsigned n = 0; n < count; n++) {
        enum err e = random.fill(random.ctx, keys[n].data, len);
        if (e != OK)
            return e;
        keys[n].len = len;
        hex_put(text, secret_view(&keys[n]));
        wr_u8(text, '\n');
    }
    for (unsigned n = count; n < 3; n++)
        keys[n] = keys[0];
    return wr_status(text);
}

enum err keyfile_make(const char *path, size_t len, unsigned count, struct random_source random,
                      struct secret keys[3])
{
    struct writer text;
    int fd = -1;
    wr_heap(&text, 1024);
    enum err e =
        len <= 32 && (count == 1 || count == 3) ? make_keys(len, count, random, keys, &text) : ERR_ARGUMENT;
    if (e == OK) {
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
            e = errno == EEXIST ? ERR_EXISTS : ERR_IO;
    }
    if (e == OK && (write(fd, text.data, text.len) != (ssize_t)text.len || fsync(fd) != 0)) {
        unlink(path);
        e = ERR_IO;
    }
    if (fd >= 0)
        close(fd);
    wr_free(&text);
    for (int n = 0; e != OK && n < 3; n++)
        secret_wipe(&keys[n]);
    return e;
}
