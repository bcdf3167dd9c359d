/* SPDX-License-Identifier: Apache-2.0
 *
 * From a link to a URL. Everything here comes from a page or a mail, so letters are restricted before
 * anything is joined. */
#include "ticket.h"

#include <base/limits.h>
#include <base/text.h>
#include <tlv/tlv.h>

#include <stdio.h>
#include <string.h>

enum { TAG_TRIGGER = 0x81, TAG_SESSION = 0x83, TAG_HTTP = 0x89, TAG_HOST = 0x8A, TAG_URI = 0x8C };
enum { TRIGGER_MAX = 512, HOST_MAX = 255 };

static const char scheme_link[] = "cardferry:";
static const char scheme_https[] = "https://";
static const char host_letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]";
/* RFC 3986: what a path and query may consist of. */
static const char uri_letters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=:@/?%";
static const char ticket_letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

static bool consists_of(struct view v, const char *letters)
{
    for (size_t i = 0; i < v.len; i++)
        if (v.data[i] == 0 || strchr(letters, v.data[i]) == NULL)
            return false;
    return v.len > 0;
}

/* A path on a server: "/..." but not "//host". */
static bool is_path(struct view uri)
{
    return consists_of(uri, uri_letters) && uri.data[0] == '/' && (uri.len == 1 || uri.data[1] != '/');
}

static enum err join(struct ticket *out, struct view host, struct view uri)
{
    struct writer w;
    if (!consists_of(host, host_letters) || host.len > HOST_MAX || !is_path(uri))
        return ERR_FORMAT;
    struct ticket t = {""};
    wr_fixed(&w, t.url, sizeof(t.url));
    wr_view(&w, view_str(scheme_https));
    wr_view(&w, host);
    wr_view(&w, uri);
    wr_u8(&w, '\0');
    if (wr_status(&w) != OK)
        return ERR_LIMIT;
    *out = t;
    return OK;
}

enum err ticket_parse_trigger(struct ticket *out, struct view trigger)
{
    static const uint32_t path[] = {TAG_TRIGGER, TAG_SESSION, TAG_HTTP};
    struct view http, host, uri;
    struct reader r;
    struct tlv outer;
    rd_init(&r, trigger);
    if (!tlv_next(&r, &outer) || !rd_done(&r))
        return ERR_FORMAT;
    if (!tlv_path(trigger, path, sizeof(path) / sizeof(path[0]), &http) || !tlv_valid(http))
        return ERR_FORMAT;
    if (!tlv_find(http, TAG_HOST, &host) || !tlv_find(http, TAG_URI, &uri))
        return ERR_FORMAT;
    return join(out, host, uri);
}

static enum err parse_link(struct ticket *out, const char *text)
{
    uint8_t memory[TRIGGER_MAX];
    struct writer w;
    wr_fixed(&w, memory, sizeof(memory));
    enum err e = base64url_read(view_str(text), &w);
    return e == OK ? ticket_parse_trigger(out, wr_view_of(&w)) : e;
}

static enum err parse_url(struct ticket *out, const char *text)
{
    const char *host = text + strlen(scheme_https);
    size_t host_len = strcspn(host, "/");
    return join(out, view_of(host, host_len), view_str(host + host_len));
}

static enum err parse_bare(struct ticket *out, const char *text, const char *server)
{
    char url[URL_MAX];
    int n = snprintf(url, sizeof(url), "%s/gp/adm?t=%s", server, text);
    if (n < 0 || (size_t)n >= sizeof(url))
        return ERR_LIMIT;
    return strncmp(url, scheme_https, strlen(scheme_https)) == 0 ? parse_url(out, url) : ERR_FORMAT;
}

enum err ticket_parse(struct ticket *out, const char *text, const char *server, struct ticket_problem *why)
{
    enum err e = ERR_ARGUMENT;
    if (strncmp(text, scheme_link, strlen(scheme_link)) == 0)
        e = parse_link(out, text + strlen(scheme_link));
    else if (strncmp(text, scheme_https, strlen(scheme_https)) == 0)
        e = parse_url(out, text);
    else if (strncmp(text, "http://", strlen("http://")) == 0) {
        snprintf(why->text, sizeof(why->text), "http:// is not used: a ticket is only sent over https://");
        return ERR_ARGUMENT;
    } else if (!consists_of(view_str(text), ticket_letters) || strlen(text) > TICKET_MAX)
        e = ERR_FORMAT;
    else if (server == NULL) {
        snprintf(why->text, sizeof(why->text),
                 "a bare ticket needs the server's address: use --server or --profile");
        return ERR_ARGUMENT;
    } else
        e = parse_bare(out, text, server);
    if (e != OK)
        snprintf(why->text, sizeof(why->text),
                 "this is no ticket: expected a cardferry: link, an https:// URL or a ticket");
    return e;
}

enum err ticket_next(struct ticket *out, const struct ticket *from, const char *next_uri)
{
    const char *host = from->url + strlen(scheme_https);
    struct view uri = view_str(next_uri);
    return is_path(uri) ? join(out, view_of(host, strcspn(host, "/")), uri) : ERR_POLICY;
}
