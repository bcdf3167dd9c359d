/* SPDX-License-Identifier: Apache-2.0
 *
 * What starts a session at a client: the link of a page or mail (cardferry:<base64url of an Amendment B
 * trigger TLV>), a plain https:// URL, or a bare ticket together with the server's address from the profile.
 */
#ifndef FERRY_TICKET_H
#define FERRY_TICKET_H

#include <base/bytes.h>
#include <base/limits.h>

enum {
    URL_MAX = 1024,
    /* As it comes from a page or a desktop: a link whose every character may be percent-encoded. */
    TICKET_TEXT_MAX = 3 * 1024 + 16,
    TICKET_TITLE_MAX = 80 /* bytes of UTF-8 (docs/web.md, "The link") */
};

struct ticket {
    char url[URL_MAX]; /* https://host[:port]/path?query */
    /* What a link says that it is for; "" where it does not. Foreign text, believed by nobody: it is for the
     * user's eyes, and is compared with what the server says. */
    const char *purpose;              /* "install", "remove", "inspect": static */
    char app[NAME_MAX_BYTES + 1];     /* a name as the server gives them */
    char title[TICKET_TITLE_MAX + 1]; /* one line of UTF-8 */
};

struct ticket_problem {
    char text[200];
};

/* server: the address for a bare ticket ("https://host:port"), or NULL. ERR_FORMAT, ERR_ARGUMENT, ERR_LIMIT
 * with *why. */
enum err ticket_parse(struct ticket *out, const char *text, const char *server,
                      struct ticket_problem *why) MUST_USE;
/* The trigger alone: 81 { 83 { 89 { 8A host, 8C uri } } } (GPCS Amendment B 4.1.1), in 81 also what it is
 * for: DF50 purpose, DF51 name, DF52 title. */
enum err ticket_parse_trigger(struct ticket *out, struct view trigger) MUST_USE;

/* The URL of a Next-URI. Only a path on the same server is followed, so that an answer can't send the client
 * elsewhere: ERR_POLICY otherwise. */
enum err ticket_next(struct ticket *out, const struct ticket *from, const char *next_uri) MUST_USE;

/* Whether a text is TICKET or TICKET.VISIT, and nothing else. */
bool ticket_is_bare(struct view text);
/* Where progress is reported: "https://host/gp/progress?t=TICKET.VISIT". ERR_NOT_FOUND when there is no visit
 * in the ticket, and so nobody who would look. */
enum err ticket_progress(const struct ticket *t, char out[URL_MAX]) MUST_USE;
/* "host[:port]": borrowed from the ticket. */
struct view ticket_host(const struct ticket *t);

#endif
