/* SPDX-License-Identifier: Apache-2.0
 *
 * The ledger as text, one row a line:
 *     content <refused>
 *     <domain AID or -> <key version> <openings> <wrong> <protocol and i, 4 digits, or ->
 * and as a file that is replaced as a whole. */
#include "local_ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <base/text.h>

#include "profile.h"

/* ---- text */

static struct view next_line(struct view *text)
{
    struct view line = view_head(*text, 0);
    while (line.len < text->len && text->data[line.len] != '\n')
        line.len++;
    *text = view_tail(*text, line.len + 1);
    return line;
}

static struct view next_word(struct view *line)
{
    struct view word = view_head(*line, 0);
    while (word.len < line->len && line->data[word.len] != ' ')
        word.len++;
    *line = view_tail(*line, word.len + 1);
    return word;
}

static bool word_is(struct view word, const char *text)
{
    return view_equal(word, view_str(text));
}

static bool take_number(struct view word, unsigned *out)
{
    unsigned value = 0;
    for (size_t i = 0; i < word.len; i++) {
        if (word.data[i] < '0' || word.data[i] > '9' || value > LEDGER_COUNT_MAX / 10)
            return false;
        value = value * 10 + (unsigned)(word.data[i] - '0');
    }
    *out = value;
    return word.len > 0;
}

static bool take_bytes(struct view word, uint8_t *out, size_t min, size_t max, size_t *len)
{
    struct writer w;
    wr_fixed(&w, out, max);
    if (hex_read(word, &w) != OK || w.len < min)
        return false;
    *len = w.len;
    return true;
}

static bool take_row(struct view line, struct ledger_row *row)
{
    uint8_t method[2] = {0, 0};
    size_t len = 0, aid_len = 0;
    *row = (struct ledger_row){0};
    struct view domain = next_word(&line);
    if (!word_is(domain, "-") && !take_bytes(domain, row->domain.data, AID_MIN, AID_MAX, &aid_len))
        return false;
    row->domain.len = (uint8_t)aid_len;
    if (!take_bytes(next_word(&line), &row->kvn, 1, 1, &len) ||
        !take_number(next_word(&line), &row->openings) || !take_number(next_word(&line), &row->wrong))
        return false;
    struct view pin = next_word(&line);
    if (!word_is(pin, "-") && (!take_bytes(pin, method, 2, 2, &len) || method[0] == 0))
        return false;
    row->scp = method[0];
    row->i = method[1];
    return line.len == 0;
}

enum err ledger_parse(struct ledger *out, struct view text)
{
    struct ledger l = {.count = 0};
    while (text.len > 0) {
        struct view line = next_line(&text);
        struct view rest = line;
        if (line.len == 0 || line.data[0] == '#')
            continue;
        if (word_is(next_word(&rest), "content")) {
            if (!take_number(rest, &l.refused_content))
                return ERR_FORMAT;
            continue;
        }
        if (l.count == LEDGER_ROWS_MAX)
            return ERR_LIMIT;
        if (!take_row(line, &l.rows[l.count++]))
            return ERR_FORMAT;
    }
    memcpy(out->rows, l.rows, sizeof(l.rows));
    out->count = l.count;
    out->refused_content = l.refused_content;
    return OK;
}

void ledger_put(const struct ledger *l, struct writer *out)
{
    char text[2 * AID_MAX + 64], aid[2 * AID_MAX + 1], method[8];
    wr_view(out, view_str("# Secure channels that were begun with this card and not finished: see ferry(1), "
                          "\"ferry local release\".\n"));
    snprintf(text, sizeof(text), "content %u\n", l->refused_content);
    wr_view(out, view_str(text));
    for (size_t i = 0; i < l->count; i++) {
        const struct ledger_row *r = &l->rows[i];
        hex_write(aid, aid_view(&r->domain));
        snprintf(method, sizeof(method), "%02X%02X", r->scp, r->i);
        snprintf(text, sizeof(text), "%s %02X %u %u %s\n", r->domain.len > 0 ? aid : "-", r->kvn, r->openings,
                 r->wrong, r->scp != 0 ? method : "-");
        wr_view(out, view_str(text));
    }
}

/* ---- the file */

/* Makes the folders of a path, each for the owner alone. */
static enum err make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int failed = mkdir(path, 0700) != 0 && errno != EEXIST;
        *slash = '/';
        if (failed)
            return ERR_IO;
    }
    return OK;
}

static enum err find_path(struct ledger *l)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int len;
    /* XDG base directories: a path that is not absolute does not count. */
    if (state != NULL && state[0] == '/')
        len = snprintf(l->path, sizeof(l->path), "%s/cardferry/cards/%s", state, l->card);
    else if (home != NULL && home[0] == '/')
        len = snprintf(l->path, sizeof(l->path), "%s/.local/state/cardferry/cards/%s", home, l->card);
    else
        return ERR_NOT_FOUND;
    return len > 0 && (size_t)len < sizeof(l->path) - sizeof(".new") ? OK : ERR_LIMIT;
}

enum err ledger_open(struct ledger *out, const char *card)
{
    struct ledger l = {.count = 0};
    struct writer text;
    int len = snprintf(l.card, sizeof(l.card), "%s", card);
    if (len <= 0 || (size_t)len >= sizeof(l.card) || strchr(card, '/') != NULL)
        return ERR_ARGUMENT;
    enum err e = find_path(&l);
    if (e != OK)
        return e;
    wr_heap(&text, LEDGER_TEXT_MAX);
    e = read_file(l.path, LEDGER_TEXT_MAX, &text);
    if (e == OK)
        e = ledger_parse(&l, wr_view_of(&text));
    else if (e == ERR_NOT_FOUND)
        e = OK;
    wr_free(&text);
    if (e == OK)
        *out = l;
    return e;
}

static enum err write_all(int fd, struct view v)
{
    while (v.len > 0) {
        ssize_t n = write(fd, v.data, v.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ERR_IO;
        v = view_tail(v, (size_t)n);
    }
    return fsync(fd) == 0 ? OK : ERR_IO;
}

/* The name is durable only when the folder is. */
static enum err sync_folder(const char *path)
{
    char folder[sizeof(((struct ledger *)0)->path)];
    snprintf(folder, sizeof(folder), "%s", path);
    *strrchr(folder, '/') = '\0';
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return ERR_IO;
    int failed = fsync(fd);
    close(fd);
    return failed == 0 ? OK : ERR_IO;
}

enum err ledger_save(const struct ledger *l)
{
    char path[sizeof(l->path)], next[sizeof(l->path) + 8];
    struct writer text;
    snprintf(path, sizeof(path), "%s", l->path);
    snprintf(next, sizeof(next), "%s.new", l->path);
    enum err e = make_folders(path);
    int fd = e == OK ? open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    if (fd < 0)
        return ERR_IO;
    wr_heap(&text, LEDGER_TEXT_MAX);
    ledger_put(l, &text);
    e = wr_status(&text);
    if (e == OK)
        e = write_all(fd, wr_view_of(&text));
    wr_free(&text);
    if (close(fd) != 0 && e == OK)
        e = ERR_IO;
    if (e == OK && rename(next, path) != 0)
        e = ERR_IO;
    return e == OK ? sync_folder(path) : e;
}

/* ---- counting */

static bool is_row(const struct ledger_row *r, const struct aid *domain, uint8_t kvn)
{
    return aid_equal(&r->domain, domain) && r->kvn == kvn;
}

enum err ledger_check(const struct ledger *l, const struct aid *domain, uint8_t kvn, unsigned *counted)
{
    bool blocked = false;
    *counted = 0;
    for (size_t i = 0; i < l->count; i++) {
        const struct ledger_row *r = &l->rows[i];
        if (!aid_equal(&r->domain, domain) || (kvn != 0 && r->kvn != 0 && r->kvn != kvn))
            continue;
        blocked |= r->openings >= LEDGER_OPENINGS || r->wrong > 0;
        *counted = r->openings > *counted ? r->openings : *counted;
    }
    return blocked ? ERR_BLOCKED : OK;
}

struct ledger_row *ledger_row(struct ledger *l, const struct aid *domain, uint8_t kvn)
{
    for (size_t i = 0; i < l->count; i++)
        if (is_row(&l->rows[i], domain, kvn))
            return &l->rows[i];
    if (l->count == LEDGER_ROWS_MAX)
        return NULL;
    l->rows[l->count] = (struct ledger_row){.domain = *domain, .kvn = kvn};
    return &l->rows[l->count++];
}

const struct ledger_row *ledger_pin(const struct ledger *l, const struct aid *domain, uint8_t kvn)
{
    for (size_t i = 0; i < l->count; i++) {
        const struct ledger_row *r = &l->rows[i];
        if (r->scp != 0 && aid_equal(&r->domain, domain) && r->kvn == kvn)
            return r;
    }
    return NULL;
}

void ledger_proven(struct ledger *l, const struct aid *domain, uint8_t kvn, uint8_t scp, uint8_t i)
{
    const uint8_t versions[] = {kvn, 0};
    for (size_t n = 0; n < sizeof(versions); n++) {
        struct ledger_row *r = ledger_row(l, domain, versions[n]);
        if (r == NULL)
            continue;
        r->openings = r->wrong = 0;
        r->scp = versions[n] == kvn ? scp : r->scp;
        r->i = versions[n] == kvn ? i : r->i;
    }
}

void ledger_release(struct ledger *l, size_t *rows)
{
    *rows = l->refused_content > 0;
    for (size_t i = 0; i < l->count; i++) {
        *rows += l->rows[i].openings > 0 || l->rows[i].wrong > 0;
        l->rows[i].openings = l->rows[i].wrong = 0;
    }
    l->refused_content = 0;
}
