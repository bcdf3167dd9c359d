/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of pairings, and its file. */
#include "agent_pairings.h"

#include <base/text.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "profile.h"

/* "<digest> <origin>": without its end. */
static enum err parse_line(struct agent_pairings *p, struct view line)
{
    struct writer digest;
    struct agent_pairing *row = &p->rows[p->count];
    struct view origin = view_tail(line, 2 * PAIRING_DIGEST + 1);
    if (p->count == PAIRINGS_MAX)
        return ERR_LIMIT;
    wr_fixed(&digest, row->digest, sizeof(row->digest));
    if (hex_read(view_head(line, 2 * PAIRING_DIGEST), &digest) != OK || digest.len != PAIRING_DIGEST)
        return ERR_FORMAT;
    if (origin.len == 0 || origin.len >= sizeof(row->origin) || line.data[2 * PAIRING_DIGEST] != ' ' ||
        !text_is_line(origin))
        return ERR_FORMAT;
    memcpy(row->origin, origin.data, origin.len);
    row->origin[origin.len] = '\0';
    p->count++;
    return OK;
}

enum err agent_pairings_parse(struct agent_pairings *out, struct view text)
{
    struct agent_pairings p = {.count = 0};
    enum err e = OK;
    while (e == OK && text.len > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.len);
        if (end == NULL)
            return ERR_FORMAT;
        struct view line = view_head(text, (size_t)(end - text.data));
        e = parse_line(&p, line);
        text = view_tail(text, line.len + 1);
    }
    if (e == OK)
        *out = p;
    return e;
}

void agent_pairings_put(struct writer *w, const struct agent_pairings *p)
{
    for (size_t i = 0; i < p->count; i++) {
        hex_put(w, VIEW_OF(p->rows[i].digest));
        wr_u8(w, ' ');
        wr_view(w, view_str(p->rows[i].origin));
        wr_u8(w, '\n');
    }
}

static enum err digest_of(struct crypto *c, const char *token, uint8_t out[PAIRING_DIGEST])
{
    struct view text = view_str(token);
    return crypto_digest(c, DIGEST_SHA256, &text, 1, out);
}

enum err agent_pairings_add(struct agent_pairings *p, struct crypto *c, const char *origin,
                            char token[PAIRING_TEXT + 1])
{
    uint8_t bytes[PAIRING_TOKEN];
    struct agent_pairing row = {.origin = ""};
    struct writer w;
    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return ERR_CRYPTO;
    wr_fixed(&w, token, PAIRING_TEXT + 1);
    base64url_put(&w, VIEW_OF(bytes));
    wr_u8(&w, '\0');
    wipe(bytes, sizeof(bytes));
    snprintf(row.origin, sizeof(row.origin), "%s", origin);
    enum err e = wr_status(&w);
    if (e == OK)
        e = digest_of(c, token, row.digest);
    if (e != OK)
        return e;
    if (p->count == PAIRINGS_MAX)
        memmove(p->rows, p->rows + 1, sizeof(p->rows[0]) * --p->count);
    p->rows[p->count++] = row;
    return OK;
}

bool agent_pairings_know(const struct agent_pairings *p, struct crypto *c, const char *origin,
                         const char *token)
{
    uint8_t digest[PAIRING_DIGEST];
    bool known = false;
    if (token != NULL && (strlen(token) != PAIRING_TEXT || digest_of(c, token, digest) != OK))
        return false;
    for (size_t i = 0; i < p->count; i++) {
        bool same = token == NULL || secret_equal(VIEW_OF(digest), VIEW_OF(p->rows[i].digest));
        known |= same && strcmp(p->rows[i].origin, origin) == 0;
    }
    return known;
}

/* ---- The file ---------------------------------------------------------------------------------------- */

/* The folder, without a slash at its end. */
static bool state_folder(char out[PATH_MAX])
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int n = -1;
    if (state != NULL && state[0] == '/')
        n = snprintf(out, PATH_MAX, "%s/cardferry", state);
    else if (home != NULL && home[0] == '/')
        n = snprintf(out, PATH_MAX, "%s/.local/state/cardferry", home);
    return n > 0 && n < PATH_MAX - 16;
}

/* Each folder of the path that is not there yet, for the user alone. */
static enum err make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int rc = mkdir(path, 0700);
        *slash = '/';
        if (rc != 0 && errno != EEXIST)
            return ERR_IO;
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST ? OK : ERR_IO;
}

enum err agent_pairings_load(struct agent_pairings *out)
{
    char folder[PATH_MAX], path[PATH_MAX];
    struct writer text;
    *out = (struct agent_pairings){.count = 0};
    if (!state_folder(folder))
        return ERR_NOT_FOUND;
    snprintf(path, sizeof(path), "%s/agent", folder);
    wr_heap(&text, PAIRINGS_BYTES_MAX);
    enum err e = read_file(path, PAIRINGS_BYTES_MAX, &text);
    if (e == OK)
        e = agent_pairings_parse(out, wr_view_of(&text));
    wr_free(&text);
    return e == ERR_NOT_FOUND ? OK : e;
}

static enum err write_whole(const char *path, struct view text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool ok = fd >= 0;
    while (ok && text.len > 0) {
        ssize_t n = write(fd, text.data, text.len);
        ok = n > 0 || (n < 0 && errno == EINTR);
        text = view_tail(text, n > 0 ? (size_t)n : 0);
    }
    ok = ok && fsync(fd) == 0;
    if (fd >= 0 && close(fd) != 0)
        ok = false;
    return ok ? OK : ERR_IO;
}

enum err agent_pairings_save(const struct agent_pairings *p)
{
    char folder[PATH_MAX], path[PATH_MAX], next[PATH_MAX];
    struct writer text;
    if (!state_folder(folder))
        return ERR_NOT_FOUND;
    snprintf(path, sizeof(path), "%s/agent", folder);
    snprintf(next, sizeof(next), "%s/agent.new", folder);
    wr_heap(&text, PAIRINGS_BYTES_MAX);
    agent_pairings_put(&text, p);
    enum err e = wr_status(&text);
    if (e == OK)
        e = make_folders(folder);
    if (e == OK)
        e = write_whole(next, wr_view_of(&text));
    if (e == OK && rename(next, path) != 0)
        e = ERR_IO;
    wr_free(&text);
    return e;
}
