/* SPDX-License-Identifier: Apache-2.0
 *
 * What a card holder's page asks (docs/web.md, "For everybody"), and where clients report how far they are.
 * It reads the store and changes nothing in it. Runs on the loop's thread. */
#ifndef FRONT_PAGE_API_H
#define FRONT_PAGE_API_H

#include <base/sources.h>
#include <crypto/crypto.h>

#include "config.h"
#include "front/http.h"
#include "front/live.h"
#include "store/store.h"

/* Everything but the catalogue is borrowed for its life. The caller's memory: a zeroed one is none. */
struct page_api {
    const struct store *store;
    struct live *live;
    struct crypto *crypto;
    struct clock_source clock;
    const struct config *config; /* public_url, issuer, help_*, agent_port, client_package */
    /* Asking for the catalogue is free for everybody, so one look serves all who ask within a second. */
    struct {
        char *text;
        uint64_t time_ms;
    } catalogue;
};

/* Answers a request to anything below /page/v1 or to /gp/progress: at once, and always; events go on until
 * the client leaves, live ends them, or the server stops. */
void page_api_handle(struct page_api *a, const struct http_request *r);
void page_api_finish(struct page_api *a);

#endif
