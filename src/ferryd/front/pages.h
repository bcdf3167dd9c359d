/* SPDX-License-Identifier: Apache-2.0
 *
 * The pages themselves: static files, each with the headers that keep a browser from doing with them what
 * they are not for. What pages ask for is in page_api.h and api.h. */
#ifndef FRONT_PAGES_H
#define FRONT_PAGES_H

#include "front/http.h"
#include "front/web_assets.h"

enum { CLIENT_PACKAGE_MAX = 64 * 1024 * 1024 }; /* of the client's package: it is kept in memory */

struct pages;
struct pages_setup {
    const struct web_asset *assets; /* borrowed for the life of the pages */
    size_t count;
    unsigned agent_port;        /* 0: pages may not look for an agent */
    const char *client_package; /* file that is offered below /download/; "": none */
};
/* ERR_IO, ERR_LIMIT: the package can't be read; ERR_MEMORY. */
enum err pages_new(struct pages **out, const struct pages_setup *s) MUST_USE;
/* Accepts NULL and clears. After the HTTP server is gone: its replies borrow from here. */
void pages_free(struct pages **p);

/* Where the package is offered, "/download/<file name>"; "" without one. */
const char *pages_package_path(const struct pages *p);
/* Answers a GET of a page, or of anything below /assets/, /console/ and /download/. */
void pages_get(struct pages *p, const struct http_request *r);

#endif
