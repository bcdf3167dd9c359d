/* SPDX-License-Identifier: Apache-2.0
 *
 * The administration's door: which request goes where, and who may come in. */
#include "front/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <base/log.h>
#include <base/secret.h>

#include "front/api_parts.h"
#include "front/metrics.h"

static const struct route {
    const char *method, *path; /* {}: a name */
    bool open;                 /* without authentication */
    api_handler *handle;
} routes[] = {
    {"GET", "/health", true, api_health},
    {"GET", "/metrics", true, api_metrics},
    {"GET", "/api/v1/server", false, api_server},
    {"POST", "/api/v1/apps", false, api_apps_add},
    {"GET", "/api/v1/apps", false, api_apps_list},
    {"GET", "/api/v1/apps/{}", false, api_apps_get},
    {"DELETE", "/api/v1/apps/{}", false, api_apps_remove},
    {"GET", "/api/v1/apps/{}/sequence", false, api_sequence_get},
    {"PUT", "/api/v1/apps/{}/sequence", false, api_sequence_put},
    {"POST", "/api/v1/keys", false, api_keys_add},
    {"GET", "/api/v1/keys", false, api_keys_list},
    {"GET", "/api/v1/keys/{}/{}", false, api_keys_get},
    {"POST", "/api/v1/keys/{}/{}/retire", false, api_keys_retire},
    {"POST", "/api/v1/types", false, api_types_add},
    {"GET", "/api/v1/types", false, api_types_list},
    {"GET", "/api/v1/types/{}", false, api_types_get},
    {"PUT", "/api/v1/types/{}", false, api_types_put},
    {"DELETE", "/api/v1/types/{}", false, api_types_remove},
    {"POST", "/api/v1/orders", false, api_orders_add},
    {"GET", "/api/v1/orders", false, api_orders_list},
    {"GET", "/api/v1/orders/{}", false, api_orders_get},
    {"POST", "/api/v1/orders/{}/cancel", false, api_orders_cancel},
    {"GET", "/api/v1/sessions", false, api_sessions_list},
    {"GET", "/api/v1/sessions/{}", false, api_sessions_get},
    {"GET", "/api/v1/cards", false, api_cards_list},
    {"GET", "/api/v1/cards/{}", false, api_cards_get},
    {"POST", "/api/v1/cards/{}/release", false, api_cards_release},
    {"GET", "/api/v1/audit", false, api_audit_list},
};

enum err api_new(struct api **out, const struct api_setup *setup)
{
    struct api *a = calloc(1, sizeof(*a));
    if (a == NULL)
        return ERR_MEMORY;
    a->setup = *setup;
    *out = a;
    return OK;
}

void api_free(struct api **a)
{
    free(*a);
    *a = NULL;
}

uint64_t api_now(const struct api *a)
{
    return a->setup.clock.now_ms(a->setup.clock.ctx);
}

/* ---- routes ---- */

/* Takes one name off *path, up to the next slash. */
static bool take_name(const char **path, char *out, size_t size)
{
    size_t len = strcspn(*path, "/");
    if (len == 0 || len >= size)
        return false;
    memcpy(out, *path, len);
    out[len] = '\0';
    *path += len;
    return true;
}

static bool path_matches(const char *pattern, const char *path, struct api_request *q)
{
    size_t names = 0;
    while (*pattern != '\0') {
        if (strncmp(pattern, "{}", 2) == 0) {
            if (names == API_NAMES_MAX || !take_name(&path, q->names[names++], sizeof(q->names[0])))
                return false;
            pattern += 2;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *path == '\0';
}

/* The route of method and path, or NULL; allowed gets the methods that the path has. */
static const struct route *find_route(struct api_request *q, char *allowed, size_t size)
{
    allowed[0] = '\0';
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (!path_matches(routes[i].path, q->http->path, q))
            continue;
        if (strcmp(routes[i].method, q->http->method) == 0)
            return &routes[i];
        size_t len = strlen(allowed);
        snprintf(allowed + len, size - len, "%s%s", len > 0 ? ", " : "", routes[i].method);
    }
    return NULL;
}

/* ---- who asks ---- */

static bool token_fits(struct api_request *q)
{
    static const char scheme[] = "Bearer ";
    const char *header = http_header(q->http, "Authorization");
    uint8_t digest[DIGEST_LEN];
    if (q->api->setup.admin_token == NULL || header == NULL ||
        strncmp(header, scheme, sizeof(scheme) - 1) != 0)
        return false;
    struct view token = view_str(header + sizeof(scheme) - 1);
    if (crypto_digest(q->api->setup.crypto, DIGEST_SHA256, &token, 1, digest) != OK)
        return false;
    return secret_equal(VIEW_OF(digest), view_of(q->api->setup.admin_token, DIGEST_LEN));
}

/* The one place that decides who may come in. */
static bool authenticate(struct api_request *q)
{
    if (q->http->subject != NULL) {
        snprintf(q->who, sizeof(q->who), "certificate %s", q->http->subject);
        for (char *c = q->who; *c != '\0'; c++)
            if (*c < 0x20 || *c > 0x7E)
                *c = '?';
        return true;
    }
    snprintf(q->who, sizeof(q->who), "admin token");
    return token_fits(q);
}

static void refuse_stranger(const struct api_request *q)
{
    metrics_add(METRIC_ADMIN_REFUSED, 1);
    LOG(LOG_WARNING, "api.refused", log_str("peer", q->http->peer), log_str("path", q->http->path));
    http_reply_header(q->http->reply, "WWW-Authenticate", "Bearer");
    reply_error(q->http->reply, 401, "unauthorized",
                "the token of the administrator is missing or wrong, and there is no client certificate");
}

void api_handle(struct api *a, const struct http_request *r)
{
    struct api_request q = {.api = a, .http = r};
    char allowed[64];
    const struct route *route = find_route(&q, allowed, sizeof(allowed));
    bool open = route != NULL && route->open;
    /* A stranger does not learn what there is. */
    if (!open && !authenticate(&q)) {
        refuse_stranger(&q);
        return;
    }
    if (route != NULL) {
        route->handle(&q);
    } else if (allowed[0] != '\0') {
        http_reply_header(r->reply, "Allow", allowed);
        reply_error(r->reply, 405, "method", "%s is not possible here, but %s", r->method, allowed);
    } else {
        reply_error(r->reply, 404, "not-found", "there is nothing at this path");
    }
}
