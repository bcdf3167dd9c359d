/* SPDX-License-Identifier: Apache-2.0
 *
 * The conditions, in the order in which they are looked at: first those that a page can't get around, so that
 * a foreign one learns nothing but that. */
#include "agent_gate.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

enum { MINUTE_MS = 60 * 1000 };

static const char content_type[] = "application/vnd.cardferry.agent+json";
static const char *const paths[AGENT_PATHS] = {"/v1/hello", "/v1/pair", "/v1/run", "/v1/state"};
/* What a page has to say that it will send (Fetch standard, CORS-preflight fetch), in small letters. */
static const char *const our_headers[] = {"content-type", "x-ferry-agent", "x-ferry-pairing"};

enum err agent_place_add(struct agent_place *p, const char *url)
{
    static const char scheme[] = "https://", letters[] = "abcdefghijklmnopqrstuvwxyz0123456789.-:[]";
    char origin[AGENT_ORIGIN_MAX] = "";
    size_t len = strlen(url);
    if (p->origin_count == AGENT_ORIGINS_MAX || len >= sizeof(origin))
        return ERR_LIMIT;
    for (size_t i = 0; i <= len; i++)
        origin[i] = (char)tolower((unsigned char)url[i]);
    if (strncmp(origin, scheme, strlen(scheme)) != 0)
        return ERR_FORMAT;
    const char *host = origin + strlen(scheme);
    if (*host == '\0' || strspn(host, letters) != strlen(host))
        return ERR_FORMAT;
    if (len > 4 && strcmp(origin + len - 4, ":443") == 0)
        origin[len - 4] = '\0';
    snprintf(p->origins[p->origin_count++], AGENT_ORIGIN_MAX, "%s", origin);
    return OK;
}

static bool is_preflight(const struct agent_request *r)
{
    return strcmp(r->method, "OPTIONS") == 0;
}

static bool is_not_repeated(const struct agent_place *p, const struct agent_request *r)
{
    (void)p;
    return !r->repeated;
}

/* A name that was made to point here (DNS rebinding) stands in Host, and is none of these two. */
static bool is_our_address(const struct agent_place *p, const struct agent_request *r)
{
    char v4[32], v6[32];
    snprintf(v4, sizeof(v4), "127.0.0.1:%u", p->port);
    snprintf(v6, sizeof(v6), "[::1]:%u", p->port);
    return r->host != NULL && (strcmp(r->host, v4) == 0 || strcmp(r->host, v6) == 0);
}

static bool is_served(const struct agent_place *p, const struct agent_request *r)
{
    for (size_t i = 0; r->origin != NULL && i < p->origin_count; i++)
        if (strcmp(r->origin, p->origins[i]) == 0)
            return true;
    return false;
}

static bool find_path(const char *uri, enum agent_path *path)
{
    for (size_t i = 0; i < AGENT_PATHS; i++) {
        if (strcmp(uri, paths[i]) != 0)
            continue;
        *path = (enum agent_path)i;
        return true;
    }
    return false;
}

static bool is_known_path(const struct agent_place *p, const struct agent_request *r)
{
    enum agent_path path;
    (void)p;
    return find_path(r->uri, &path);
}

static bool is_post(const struct agent_place *p, const struct agent_request *r)
{
    (void)p;
    return strcmp(r->method, "POST") == 0 ||
           (is_preflight(r) && r->wants_method != NULL && strcmp(r->wants_method, "POST") == 0);
}

/* None of the types that a form can send. */
static bool is_our_type(const struct agent_place *p, const struct agent_request *r)
{
    (void)p;
    return is_preflight(r) || (r->content_type != NULL && strcmp(r->content_type, content_type) == 0);
}

static bool is_for_agents(const struct agent_place *p, const struct agent_request *r)
{
    (void)p;
    return is_preflight(r) || (r->agent != NULL && strcmp(r->agent, "1") == 0);
}

static bool is_our_header(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof(our_headers) / sizeof(our_headers[0]); i++)
        if (strlen(our_headers[i]) == len && strncasecmp(our_headers[i], name, len) == 0)
            return true;
    return false;
}

/* A list with commas, of no other headers than ours. */
static bool wants_our_headers(const struct agent_place *p, const struct agent_request *r)
{
    const char *at = r->wants_headers;
    (void)p;
    if (!is_preflight(r))
        return true;
    while (at != NULL && *at != '\0') {
        at += strspn(at, " ,");
        size_t len = strcspn(at, " ,");
        if (len > 0 && !is_our_header(at, len))
            return false;
        at += len;
    }
    return at != NULL;
}

static const struct condition {
    bool (*holds)(const struct agent_place *p, const struct agent_request *r);
    struct agent_refusal refusal;
} conditions[] = {
    {is_not_repeated, {403, "repeated", "A header stands there twice."}},
    {is_our_address, {403, "wrong-host", "This is not the agent's address."}},
    {is_served, {403, "wrong-origin", "This agent does not serve that page."}},
    {is_known_path, {404, "not-found", "There is nothing here."}},
    {is_post, {405, "wrong-method", "Only POST is possible here."}},
    {is_our_type, {415, "wrong-type", "The body has another content type than the agent's."}},
    {is_for_agents, {403, "no-agent-header", "The header X-Ferry-Agent is missing."}},
    {wants_our_headers, {403, "wrong-headers", "Other headers than the agent's are asked for."}},
};

bool agent_gate(const struct agent_place *p, const struct agent_request *r, enum agent_path *path,
                struct agent_refusal *refusal)
{
    for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
        if (conditions[i].holds(p, r))
            continue;
        *refusal = conditions[i].refusal;
        return false;
    }
    return find_path(r->uri, path);
}

bool agent_may_read(const struct agent_place *p, const struct agent_request *r)
{
    return is_not_repeated(p, r) && is_our_address(p, r) && is_served(p, r);
}

/* ---- Bodies ------------------------------------------------------------------------------------------ */

/* An object of exactly so many fields; NULL otherwise. */
static json_t *read_object(struct view body, size_t fields)
{
    json_t *j = body.len > 0 && body.len <= AGENT_BODY_MAX
                    ? json_loadb((const char *)body.data, body.len, JSON_REJECT_DUPLICATES, NULL)
                    : NULL;
    if (json_is_object(j) && json_object_size(j) == fields)
        return j;
    json_decref(j);
    return NULL;
}

enum err agent_read_empty(struct view body)
{
    json_t *j = read_object(body, 0);
    enum err e = j != NULL ? OK : ERR_FORMAT;
    json_decref(j);
    return e;
}

enum err agent_read_ticket(struct view body, char out[AGENT_TICKET_MAX + 1])
{
    json_t *j = read_object(body, 1);
    const json_t *field = json_object_get(j, "ticket");
    struct view ticket = view_of(json_string_value(field), json_string_length(field));
    enum err e = ticket.len <= AGENT_TICKET_MAX && ticket_is_bare(ticket) ? OK : ERR_FORMAT;
    if (e == OK) {
        memcpy(out, ticket.data, ticket.len);
        out[ticket.len] = '\0';
    }
    json_decref(j);
    return e;
}

/* ---- Pace -------------------------------------------------------------------------------------------- */

bool agent_bucket_take(struct agent_bucket *b, uint64_t now_ms)
{
    uint64_t passed = now_ms > b->last_ms ? now_ms - b->last_ms : 0;
    uint64_t cost = MINUTE_MS / b->per_minute;
    b->level_ms = passed < b->level_ms ? b->level_ms - passed : 0;
    b->last_ms = now_ms;
    if (b->level_ms + cost > MINUTE_MS)
        return false;
    b->level_ms += cost;
    return true;
}
