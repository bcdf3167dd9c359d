/* SPDX-License-Identifier: Apache-2.0
 *
 * What starts a session at a client: the link of a page or mail (cardferry:<base64url of an Amendment B
 * trigger TLV>), a plain https:// URL, or a bare ticket together with the server's address from the profile.
 */
#ifndef FERRY_TICKET_H
#define FERRY_TICKET_H

#include <base/bytes.h>

enum { URL_MAX = 1024 };

struct ticket {
    char url[URL_MAX]; /* https://host[:port]/path?query */
};

struct ticket_problem {
    char text[200];
};

/* server: the address for a bare ticket ("https://host:port"), or NULL. ERR_FORMAT, ERR_ARGUMENT, ERR_LIMIT
 * with *why. */
enum err ticket_parse(struct ticket *out, const char *text, const char *server,
                      struct ticket_problem *why) MUST_USE;
/* The trigger alone: 81 { 83 { 89 { 8A host, 8C uri } } } (GPCS Amendment B 4.1.1). */
enum err ticket_parse_trigger(struct ticket *out, struct view trigger) MUST_USE;

/* The URL of a Next-URI. Only a path on the same server is followed, so that an answer can't send the client
 * elsewhere: ERR_POLICY otherwise. */
enum err ticket_next(struct ticket *out, const struct ticket *from, const char *next_uri) MUST_USE;

#endif
