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
    enum { ANYBODY, OPERATOR } access;
    api_handler *handle;
} routes[] = {
    {"GET", "/health", ANYBODY, api_health},
    {"GET", "/metrics", ANYBODY, api_metrics},
    {"GET", "/api/v1/server", OPERATOR, api_server},
    {"POST", "/api/v1/apps", OPERATOR, api_apps_add},
    {"GET", "/api/v1/apps", OPERATOR, api_apps_list},
    {"GET", "/api/v1/apps/{}", OPERATOR, api_apps_get},
    {"DELETE", "/api/v1/apps/{}", OPERATOR, api_apps_remove},
    {"POST", "/api/v1/apps/{}/approve", OPERATOR, api_apps_approve},
    {"PUT", "/api/v1/apps/{}/texts", OPERATOR, api_apps_texts},
    {"GET", "/api/v1/apps/{}/sequence", OPERATOR, api_sequence_get},
    {"PUT", "/api/v1/apps/{}/sequence", OPERATOR, api_sequence_put},
    {"POST", "/api/v1/keys", OPERATOR, api_keys_add},
    {"GET", "/api/v1/keys", OPERATOR, api_keys_list},
    {"GET", "/api/v1/keys/{}/{}", OPERATOR, api_keys_get},
    {"POST", "/api/v1/keys/{}/{}/retire", OPERATOR, api_keys_retire},
    {"POST", "/api/v1/types", OPERATOR, api_types_add},
    {"GET", "/api/v1/types", OPERATOR, api_types_list},
    {"GET", "/api/v1/types/{}", OPERATOR, api_types_get},
    {"PUT", "/api/v1/types/{}", OPERATOR, api_types_put},
    {"DELETE", "/api/v1/types/{}", OPERATOR, api_types_remove},
    {"POST", "/api/v1/orders", OPERATOR, api_orders_add},
    {"GET", "/api/v1/orders", OPERATOR, api_orders_list},
    {"GET", "/api/v1/orders/{}", OPERATOR, api_orders_get},
    {"POST", "/api/v1/orders/{}/cancel", OPERATOR, api_orders_cancel},
    {"POST", "/api/v1/orders/{}/ticket", OPERATOR, api_orders_ticket},
    {"GET", "/api/v1/sessions", OPERATOR, api_sessions_list},
    {"GET", "/api/v1/sessions/{}", OPERATOR, api_sessions_get},
    {"GET", "/api/v1/sessions/{}/dialogue", OPERATOR, api_sessions_dialogue},
    {"GET", "/api/v1/cards", OPERATOR, api_cards_list},
    {"GET", "/api/v1/cards/{}", OPERATOR, api_cards_get},
    {"POST", "/api/v1/cards/{}/release", OPERATOR, api_cards_release},
    {"GET", "/api/v1/overview", OPERATOR, api_overview},
    {"GET", "/api/v1/audit", OPERATOR, api_audit_list},
    {"POST", "/api/v1/logins", OPERATOR, api_logins_add},
    {"POST", "/api/v1/sign-in", ANYBODY, api_sign_in},
    {"GET", "/api/v1/me", OPERATOR, api_me},
    {"POST", "/api/v1/sign-out", OPERATOR, api_sign_out},
};

enum err api_new(struct api **out, const struct api_setup *setup)
{
    struct api *a = calloc(1, sizeof(*a));
    if (a == NULL)
        return ERR_MEMORY;
    a->setup = *setup;
    enum err e = operators_new(&a->operators, setup->crypto, setup->random, setup->clock);
    if (e != OK)
        free(a);
    else
        *out = a;
    return e;
}

void api_free(struct api **a)
{
    if (*a != NULL)
        operators_free(&(*a)->operators);
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

bool certificate_name(const struct http_request *r, char who[NAME_MAX_BYTES + 1])
{
    if (r->subject == NULL)
        return false;
    snprintf(who, NAME_MAX_BYTES + 1, "certificate %s", r->subject);
    for (char *c = who; *c != '\0'; c++)
        if (*c < 0x20 || *c > 0x7E)
            *c = '?';
    return true;
}

/* ---- what a browser sends ---- */

/* Browsers say where a request comes from, and pages can't make them silent about it. */
static bool from_browser(const struct http_request *r)
{
    return http_header(r, "Origin") != NULL || http_header(r, "Sec-Fetch-Site") != NULL;
}

/* From a page of this server. The name that the browser called us by is in Host, and is as good as the
 * certificate that it was shown for it. */
static bool same_origin(const struct http_request *r)
{
    static const char scheme[] = "https://";
    const char *site = http_header(r, "Sec-Fetch-Site"), *origin = http_header(r, "Origin");
    const char *host = http_header(r, "Host");
    /* "none": a person has typed the address. */
    bool typed = site != NULL && strcmp(site, "none") == 0 && strcmp(r->method, "GET") == 0;
    if (site != NULL && strcmp(site, "same-origin") != 0 && !typed)
        return false;
    return origin == NULL || (host != NULL && strncmp(origin, scheme, sizeof(scheme) - 1) == 0 &&
                              strcmp(origin + sizeof(scheme) - 1, host) == 0);
}

/* The value of our cookie, among others (RFC 6265 4.2.1). */
static void read_cookie(struct api_request *q)
{
    static const char name[] = OPERATOR_COOKIE "=";
    const char *at = http_header(q->http, "Cookie");
    for (; at != NULL && *at != '\0'; at += strspn(at, "; ")) {
        size_t len = strcspn(at, ";");
        if (strncmp(at, name, sizeof(name) - 1) == 0 && len == sizeof(name) - 1 + OPERATOR_TOKEN_TEXT) {
            memcpy(q->cookie, at + sizeof(name) - 1, OPERATOR_TOKEN_TEXT);
            return;
        }
        at += len;
    }
}

/* A page of another server can make a browser send the cookie, but not this header. */
static bool csrf_fits(const struct api_request *q, const struct operator_session *session)
{
    const char *header = http_header(q->http, "X-Ferry-CSRF");
    return strcmp(q->http->method, "GET") == 0 ||
           (header != NULL && secret_equal(view_str(header), view_str(session->csrf)));
}

/* ---- who may come in ---- */

enum entry { WELCOME, STRANGER, FOREIGN_PAGE, NO_CSRF };

static enum entry enter_by_cookie(struct api_request *q)
{
    struct operator_session session;
    if (operators_find(q->api->operators, q->cookie, &session) != OK)
        return STRANGER;
    memcpy(q->who, session.who, sizeof(q->who));
    enum entry entry = csrf_fits(q, &session) ? WELCOME : NO_CSRF;
    wipe(&session, sizeof(session));
    return entry;
}

/* The one place that decides who may come in: so far an operator may do everything, and nobody else anything.
 * A browser shows a certificate to whoever makes it send a request, so there it counts only for signing in.
 */
static enum entry authenticate(struct api_request *q, const struct route *route)
{
    bool browser = from_browser(q->http), open = route != NULL && route->access == ANYBODY;
    read_cookie(q);
    if (browser && !same_origin(q->http))
        return FOREIGN_PAGE;
    if (open)
        return WELCOME;
    if (q->cookie[0] != '\0')
        return enter_by_cookie(q);
    if (browser)
        return STRANGER;
    if (certificate_name(q->http, q->who))
        return WELCOME;
    snprintf(q->who, sizeof(q->who), "admin token");
    return token_fits(q) ? WELCOME : STRANGER;
}

static void refuse_entry(const struct api_request *q, enum entry entry)
{
    metrics_add(METRIC_ADMIN_REFUSED, 1);
    LOG(LOG_WARNING, "api.refused", log_str("peer", q->http->peer), log_str("path", q->http->path));
    if (entry == FOREIGN_PAGE) {
        reply_error(q->http->reply, 403, "foreign", "a page of another server has sent this");
    } else if (entry == NO_CSRF) {
        reply_error(q->http->reply, 403, "csrf", "the header X-Ferry-CSRF is missing or wrong");
    } else {
        http_reply_header(q->http->reply, "WWW-Authenticate", "Bearer");
        reply_error(
            q->http->reply, 401, "unauthorized",
            "the token of the administrator is missing or wrong, nobody is signed in, and there is no "
            "client certificate");
    }
}

static void answer(struct api_request *q, const struct route *route, const char *allowed)
{
    if (route != NULL) {
        route->handle(q);
    } else if (allowed[0] != '\0') {
        http_reply_header(q->http->reply, "Allow", allowed);
        reply_error(q->http->reply, 405, "method", "%s is not possible here, but %s", q->http->method,
                    allowed);
    } else {
        reply_error(q->http->reply, 404, "not-found", "there is nothing at this path");
    }
}

void api_handle(struct api *a, const struct http_request *r)
{
    struct api_request q = {.api = a, .http = r};
    char allowed[64];
    const struct route *route = find_route(&q, allowed, sizeof(allowed));
    enum entry entry = authenticate(&q, route);
    /* A stranger does not learn what there is. */
    if (entry == WELCOME)
        answer(&q, route, allowed);
    else
        refuse_entry(&q, entry);
    wipe(q.cookie, sizeof(q.cookie));
}
