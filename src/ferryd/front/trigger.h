/* SPDX-License-Identifier: Apache-2.0
 *
 * A ticket as a link that starts the client: an administration session triggering message (GlobalPlatform
 * Card Specification Amendment B, 3.2.2 and 3.7), which any client of that standard understands. What the
 * order is for stands beside it, in objects of ours (docs/web.md, "The link"). */
#ifndef FRONT_TRIGGER_H
#define FRONT_TRIGGER_H

#include <base/bytes.h>

enum {
    TRIGGER_HOST_MAX = 255,
    TRIGGER_URI_MAX = 255,
    TRIGGER_APP_MAX = 64,   /* NAME_MAX_BYTES */
    TRIGGER_TITLE_MAX = 80, /* a line of a dialogue box */
    TRIGGER_LINK_MAX = 1024
};

/* What the link says beside host and URI. Empty views are left out. */
struct trigger_order {
    struct view purpose; /* "install", "remove", "inspect" */
    struct view app;     /* the application's name */
    struct view title;   /* UTF-8 */
};

/* Appends 81 { 83 { 89 { 8A host, 8C uri } }, DF50 purpose, DF51 app, DF52 title }; order may be NULL.
 * ERR_ARGUMENT when host or URI are empty, a part is too long, or the purpose is none. */
enum err trigger_put(struct writer *w, struct view host, struct view uri,
                     const struct trigger_order *order) MUST_USE;
/* From "https://host:port/path" to "cardferry:" and the message in base64url; out with an end. ERR_ARGUMENT
 * also when it is no such address. */
enum err trigger_link(const char *url, const struct trigger_order *order,
                      char out[TRIGGER_LINK_MAX]) MUST_USE;

#endif
