/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads files of data, and makes STORE DATA of it. */
#include "local_data.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <base/text.h>
#include <gp/store_data.h>
#include <session/outcome.h>

#include "profile.h"

enum { FILE_TEXT_MAX = 256 * 1024 };

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_digit(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* The digits alone; false when there is anything else. */
static bool take_digits(struct view file, struct writer *digits)
{
    bool comment = false, start = true;
    for (size_t i = 0; i < file.len; i++) {
        uint8_t c = file.data[i];
        comment = (comment && c != '\n') || (start && c == '#');
        start = c == '\n' || (start && is_blank(c));
        if (comment || is_blank(c))
            continue;
        if (!is_digit(c))
            return false;
        wr_u8(digits, c);
    }
    return true;
}

enum err data_text_read(struct view file, struct writer *out)
{
    struct writer digits;
    wr_heap(&digits, FILE_TEXT_MAX);
    enum err e = OK;
    if (take_digits(file, &digits))
        e = wr_ok(&digits) ? hex_read(wr_view_of(&digits), out) : ERR_LIMIT;
    else
        wr_view(out, file);
    wr_free(&digits);
    return e == OK ? wr_status(out) : e;
}

int local_read_data(struct local *l, const char *path, struct writer *out)
{
    struct writer file;
    wr_heap(&file, FILE_TEXT_MAX);
    enum err e = read_file(path, FILE_TEXT_MAX, &file);
    if (e == OK)
        e = data_text_read(wr_view_of(&file), out);
    wr_free(&file);
    if (e == OK && out->len == 0)
        e = ERR_FORMAT;
    return e == OK ? EXIT_OK : local_fail(l, EXIT_USAGE, "%s can't be read as data: %s", path, err_text(e));
}

static bool write_all(int fd, struct view v)
{
    while (v.len > 0) {
        ssize_t n = write(fd, v.data, v.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        v = view_tail(v, (size_t)n);
    }
    return true;
}

int local_write_new(struct local *l, const char *path, struct view bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return local_fail(l, EXIT_OTHER, "%s can't be written: %s", path,
                          errno == EEXIST ? "there is such a file already" : strerror(errno));
    bool good = write_all(fd, bytes);
    good = close(fd) == 0 && good;
    if (good)
        return EXIT_OK;
    unlink(path);
    return local_fail(l, EXIT_OTHER, "%s can't be written: %s", path, strerror(errno));
}

enum err local_put_blocks(struct builder *b, struct view data, uint8_t flags)
{
    struct store_cut cut;
    struct view block, next;
    unsigned number = 0;
    enum err e = store_cut_init(&cut, data, flags, b->block_size);
    bool more = e == OK && store_cut_next(&cut, &block);
    while (more && e == OK) {
        struct apdu a;
        if (number == STORE_BLOCKS_MAX)
            return ERR_LIMIT;
        more = store_cut_next(&cut, &next);
        command_store_data(&a, block, flags, number++, !more);
        e = build_put(b, &a, (struct position){0, 0});
        block = next;
    }
    return e;
}
