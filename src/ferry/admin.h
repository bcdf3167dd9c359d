/* SPDX-License-Identifier: Apache-2.0
 *
 * Administration requests (docs/api.md) for the verbs: asks, turns refusals into sentences and exit codes,
 * prints answers as JSON, as a table or as a list of words. */
#ifndef FERRY_ADMIN_H
#define FERRY_ADMIN_H

#include <jansson.h>

#include "cli.h"
#include "profile.h"

enum { ADMIN_PATH_MAX = 512 };

struct admin {
    struct profile profile;
    struct secret token;
    struct remote *remote;
    const struct cli *cli;
};

/* false, with a message, when profile, token or server address are missing. Close it in any case. */
bool admin_open(struct admin *a, const struct cli *cli);
void admin_close(struct admin *a);

/* Asks and takes the answer. body is taken over (NULL: none). Returns an exit code; on EXIT_OK *answer (may
 * be NULL) is the JSON, or NULL for an answer without a body, and belongs to the caller. Errors are printed.
 */
int admin_ask(struct admin *a, const char *method, const char *path, json_t *body, json_t **answer);
/* The same with a body, and an answer, of plain text. out may be NULL. */
int admin_ask_text(struct admin *a, const char *method, const char *path, struct view body,
                   struct writer *out);

/* Appends a segment to a path, percent-encoded. */
void admin_path_add(char path[ADMIN_PATH_MAX], const char *segment);
/* Appends ?name=value or &name=value, percent-encoded; value NULL: nothing. */
void admin_query_add(char path[ADMIN_PATH_MAX], const char *name, const char *value);

struct column {
    const char *key, *head;
    int width;
};
/* A listing, page after page, as a table (or one JSON array). --limit N is honoured. columns end with a NULL
 * key. */
int admin_list(struct admin *a, const char *path, const struct column *columns);
/* One object: as JSON or as "word   value" lines. */
void admin_print(const struct admin *a, const json_t *object);

/* For verbs that are one request: open, ask, print, close. */
int admin_simple(const struct cli *cli, const char *method, const char *path, json_t *body);
int admin_simple_list(const struct cli *cli, const char *path, const struct column *columns);

/* Rows of options that every listing has. */
#define ADMIN_LIST_OPTIONS                                                                                   \
    {"match", "TEXT", "only rows whose name, number or id (of the audit: WHAT) begins so"},                  \
    {                                                                                                        \
        "limit", "N", "at most N rows (default 1000)"                                                        \
    }
extern const struct option_spec admin_list_options[];

#endif
