/* SPDX-License-Identifier: Apache-2.0
 *
 * The journal file: format at the top, file system below. */
#include "nvm.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAGIC_LEN = 10, FRAME_HEAD = 12, FRAME_TAIL = 4, REWRITE_ABOVE = 256 * 1024 };
/* Version 1 knew one security domain alone. */
static const uint8_t magic_1[MAGIC_LEN] = {'F', 'E', 'R', 'R', 'Y', 'N', 'V', 'M', 0, 1};
static const uint8_t magic[MAGIC_LEN] = {'F', 'E', 'R', 'R', 'Y', 'N', 'V', 'M', 0, 2};

struct nvm {
    int fd;
    char path[PATH_MAX];
    uint32_t sequence;
    uint64_t size, first_size; /* of the file, and when it was last rewritten */
    bool broken;
};

/* ---- format ---- */

/* CRC-32 (IEEE 802.3), four bits at a time: finds torn and rotten bytes, is no protection against people. */
static uint32_t crc32_add(uint32_t crc, struct view v)
{
    static const uint32_t step[16] = {0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4,
                                      0x4DB26158, 0x5005713C, 0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
                                      0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C};
    for (size_t i = 0; i < v.len; i++) {
        crc ^= v.data[i];
        crc = crc >> 4 ^ step[crc & 15];
        crc = crc >> 4 ^ step[crc & 15];
    }
    return crc;
}

static uint32_t crc32_of(struct view a, struct view b)
{
    return ~crc32_add(crc32_add(UINT32_MAX, a), b);
}

void nvm_put_frame(struct writer *w, uint32_t sequence, struct view records)
{
    uint8_t head[8];
    struct writer h;
    wr_fixed(&h, head, sizeof head);
    wr_u32(&h, (uint32_t)records.len);
    wr_u32(&h, sequence);
    wr_view(w, wr_view_of(&h));
    wr_u32(w, crc32_of(wr_view_of(&h), VIEW_NULL));
    wr_view(w, records);
    wr_u32(w, crc32_of(view_tail(wr_view_of(&h), 4), records));
}

void nvm_put(struct writer *w, const struct card_state *state)
{
    struct writer records;
    wr_heap(&records, CARD_FRAME_MAX);
    card_state_put(state, &records);
    wr_bytes(w, magic, sizeof magic);
    nvm_put_frame(w, 0, wr_view_of(&records));
    if (!wr_ok(&records))
        wr_fail(w);
    wr_free(&records);
}

static bool all_zero(struct view v)
{
    for (size_t i = 0; i < v.len; i++) {
        if (v.data[i] != 0)
            return false;
    }
    return true;
}

enum frame { FRAME_GOOD, FRAME_CUT, FRAME_DAMAGED };

static enum frame read_frame(struct reader *r, uint32_t sequence, struct view *records)
{
    if (rd_left(r) < FRAME_HEAD)
        return FRAME_CUT;
    struct view head = rd_view(r, 8);
    if (rd_u32(r) != crc32_of(head, VIEW_NULL))
        return FRAME_DAMAGED;
    struct reader h;
    rd_init(&h, head);
    uint32_t len = rd_u32(&h);
    if (rd_u32(&h) != sequence || len > CARD_FRAME_MAX)
        return FRAME_DAMAGED;
    if (rd_left(r) < (size_t)len + FRAME_TAIL)
        return FRAME_CUT;
    *records = rd_view(r, len);
    return rd_u32(r) == crc32_of(view_tail(head, 4), *records) ? FRAME_GOOD : FRAME_DAMAGED;
}

enum err nvm_parse(struct view file, struct card_state *state, size_t *used, uint32_t *sequence,
                   const char **why)
{
    struct reader r;
    card_state_init(state);
    rd_init(&r, file);
    *why = "it is not the memory of a card";
    struct view begin = rd_view(&r, sizeof magic);
    if (view_equal(begin, VIEW_OF(magic_1)))
        *why = "an earlier version wrote it, which this one does not read: create the card anew";
    if (!view_equal(begin, VIEW_OF(magic)))
        return ERR_FORMAT;
    uint32_t n = 0;
    size_t good = 0;
    while (rd_left(&r) != 0) {
        struct view rest = view_tail(file, file.len - rd_left(&r)), records = VIEW_NULL;
        enum frame f = all_zero(rest) ? FRAME_CUT : read_frame(&r, n, &records);
        if (f == FRAME_CUT)
            break;
        *why = "it is damaged: a checksum does not match";
        if (f == FRAME_DAMAGED)
            return ERR_FORMAT;
        *why = "it is damaged: a record does not fit";
        enum err e = card_state_apply(state, records);
        if (e != OK)
            return e == ERR_MEMORY ? e : ERR_FORMAT;
        n++;
        good = file.len - rd_left(&r);
    }
    *why = "it is damaged: it ends too early";
    if (n == 0)
        return ERR_FORMAT;
    *why = "it is damaged: the card has no identity";
    if (state->life == 0 || state->profile.isd.len == 0)
        return ERR_FORMAT;
    *why = "it is damaged: an entry belongs to a security domain that is not there";
    if (!card_state_is_whole(state))
        return ERR_FORMAT;
    *why = "";
    *used = good;
    *sequence = n;
    return OK;
}

/* ---- file ---- */

static enum err io_err(void)
{
    return errno == ENOSPC || errno == EDQUOT ? ERR_DISK_FULL : ERR_IO;
}

static enum err write_all(int fd, struct view v)
{
    while (v.len != 0) {
        ssize_t n = write(fd, v.data, v.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return io_err();
        v = view_tail(v, (size_t)n);
    }
    return OK;
}

static enum err read_all(int fd, struct writer *out)
{
    uint8_t block[64 * 1024];
    enum err e = OK;
    for (;;) {
        ssize_t n = read(fd, block, sizeof block);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            e = ERR_IO;
        if (n <= 0)
            break;
        wr_bytes(out, block, (size_t)n);
    }
    wipe(block, sizeof block);
    return e != OK ? e : wr_status(out);
}

/* The name is durable only when its folder is. */
static enum err sync_folder(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    int len = slash == NULL ? snprintf(folder, sizeof folder, ".")
                            : snprintf(folder, sizeof folder, "%.*s", (int)(slash - path) + 1, path);
    if (len < 0 || (size_t)len >= sizeof folder)
        return ERR_ARGUMENT;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return ERR_IO;
    enum err e = fsync(fd) == 0 ? OK : ERR_IO;
    close(fd);
    return e;
}

/* A new file temp, written and durable, locked, not yet under its name. One that a killed process left there
 * is overwritten. */
static enum err write_temp(const char *temp, const struct card_state *state, int *out_fd, uint64_t *size)
{
    struct writer w;
    int fd = -1;
    wr_heap(&w, CARD_NVM_MAX);
    nvm_put(&w, state);
    enum err e = wr_status(&w);
    if (e == OK) {
        fd = open(temp, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
            e = io_err();
    }
    if (e == OK && flock(fd, LOCK_EX | LOCK_NB) != 0)
        e = ERR_CONFLICT;
    if (e == OK)
        e = write_all(fd, wr_view_of(&w));
    if (e == OK && fsync(fd) != 0)
        e = io_err();
    if (e == OK) {
        *out_fd = fd;
        *size = w.len;
    } else if (fd >= 0) {
        unlink(temp);
        close(fd);
    }
    wr_free(&w);
    return e;
}

enum err nvm_create(const char *path, const struct card_state *state)
{
    char temp[PATH_MAX];
    int fd = -1;
    uint64_t size = 0;
    /* Nobody has a lock yet, so that the name must be this process's own. */
    int len = snprintf(temp, sizeof temp, "%s.%ld.new", path, (long)getpid());
    enum err e = len < 0 || (size_t)len >= sizeof temp ? ERR_ARGUMENT : write_temp(temp, state, &fd, &size);
    if (e != OK)
        return e;
    /* link, not rename: it refuses to replace a card that is there already. */
    if (link(temp, path) != 0)
        e = errno == EEXIST ? ERR_EXISTS : io_err();
    unlink(temp);
    if (e == OK)
        e = sync_folder(path);
    close(fd);
    return e;
}

static enum err parse_fd(int fd, struct card_state *state, size_t *used, uint32_t *sequence, const char **why)
{
    struct writer file;
    wr_heap(&file, CARD_NVM_MAX);
    *why = "it cannot be read";
    enum err e = read_all(fd, &file);
    if (e == OK)
        e = nvm_parse(wr_view_of(&file), state, used, sequence, why);
    wr_free(&file);
    return e;
}

enum err nvm_read(const char *path, struct card_state *state, const char **why)
{
    size_t used = 0;
    uint32_t sequence = 0;
    card_state_init(state);
    *why = "it cannot be opened";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    enum err e = parse_fd(fd, state, &used, &sequence, why);
    if (e != OK)
        card_state_finish(state);
    close(fd);
    return e;
}

/* Opens and locks the file that bears the name now: the holder before may have put a new one there. */
static enum err open_locked(const char *path, int *out)
{
    for (int tries = 0; tries < 8; tries++) {
        struct stat by_fd, by_name;
        int fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC);
        if (fd < 0)
            return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
        if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
            close(fd);
            return ERR_CONFLICT;
        }
        if (fstat(fd, &by_fd) == 0 && stat(path, &by_name) == 0 && by_fd.st_ino == by_name.st_ino &&
            by_fd.st_dev == by_name.st_dev) {
            *out = fd;
            return OK;
        }
        close(fd);
    }
    return ERR_CONFLICT;
}

enum err nvm_open(const char *path, struct nvm **out, struct card_state *state, const char **why)
{
    size_t used = 0;
    card_state_init(state);
    *why = "it cannot be opened";
    struct nvm *n = calloc(1, sizeof *n);
    if (n == NULL)
        return ERR_MEMORY;
    n->fd = -1;
    int len = snprintf(n->path, sizeof n->path, "%s", path);
    enum err e = len < 0 || (size_t)len >= sizeof n->path ? ERR_ARGUMENT : open_locked(path, &n->fd);
    if (e == ERR_CONFLICT)
        *why = "another process has this card";
    if (e == OK)
        e = parse_fd(n->fd, state, &used, &n->sequence, why);
    if (e == OK) {
        *why = "it cannot be written";
        e = nvm_compact(n, state);
    }
    if (e == OK) {
        *why = "";
        *out = n;
    } else {
        card_state_finish(state);
        nvm_close(&n);
    }
    return e;
}

void nvm_close(struct nvm **n)
{
    if (*n == NULL)
        return;
    if ((*n)->fd >= 0)
        close((*n)->fd);
    free(*n);
    *n = NULL;
}

enum err nvm_compact(struct nvm *n, const struct card_state *state)
{
    char temp[PATH_MAX];
    int fd = -1;
    uint64_t size = 0;
    int len = snprintf(temp, sizeof temp, "%s.new", n->path);
    enum err e = len < 0 || (size_t)len >= sizeof temp ? ERR_ARGUMENT : write_temp(temp, state, &fd, &size);
    if (e != OK)
        return e;
    if (rename(temp, n->path) != 0) {
        e = io_err();
        unlink(temp);
        close(fd);
        return e;
    }
    close(n->fd);
    n->fd = fd;
    n->size = n->first_size = size;
    n->sequence = 1;
    return sync_folder(n->path);
}

bool nvm_is_long(const struct nvm *n)
{
    return n->size - n->first_size > n->first_size + REWRITE_ABOVE;
}

enum err nvm_append(struct nvm *n, struct view records, bool sync)
{
    if (n->broken)
        return ERR_IO;
    struct writer w;
    wr_heap(&w, CARD_FRAME_MAX);
    nvm_put_frame(&w, n->sequence, records);
    enum err e = wr_status(&w);
    if (e == OK && n->size + w.len > CARD_NVM_MAX)
        e = ERR_DISK_FULL;
    if (e == OK) {
        e = write_all(n->fd, wr_view_of(&w));
        if (e == OK && sync && fdatasync(n->fd) != 0)
            e = io_err();
        /* A half frame would make the next one unreadable. */
        if (e != OK && ftruncate(n->fd, (off_t)n->size) != 0)
            n->broken = true;
    }
    if (e == OK) {
        n->size += w.len;
        n->sequence++;
    }
    wr_free(&w);
    return e;
}
