/* SPDX-License-Identifier: Apache-2.0
 *
 * The pages themselves: static files, each with the headers that keep a browser from doing with them what
 * they are not for. What pages ask for is in page_api.h and api.h. */
#ifndef FRONT_PAGES_H
#define FRONT_PAGES_H

#include "config.h"
#include "front/http.h"
#include "front/web_assets.h"

enum { PACKAGE_ADDRESS_MAX = 3 * CONFIG_VALUE_MAX + sizeof("/download/") };
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

/* Where the package is served, "/download/<file name>", as a path that is decoded; "" without one. */
const char *pages_package_path(const struct pages *p);
/* The same of a file as it stands in an address: what is special there as %XX. size: PACKAGE_ADDRESS_MAX. */
void pages_package_address(const char *file, char *out, size_t size);
/* Answers a GET of a page, or of anything below /assets/, /console/ and /download/. */
void pages_get(struct pages *p, const struct http_request *r);

#endif
