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
enum { TAG_PURPOSE = 0xDF50, TAG_APP = 0xDF51, TAG_TITLE = 0xDF52 };
enum {
    HOST_MAX = 255,
    TRIGGER_MAX = 768, /* host, URI, name and title at their longest, and their headers */
    VISIT_MAX = 32     /* 16 random bytes in base64url are 22 characters */
};

static const char scheme_link[] = "cardferry:";
static const char scheme_https[] = "https://";
static const char host_letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]";
/* RFC 3986: what a path and query may consist of. */
static const char uri_letters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=:@/?%";
static const char ticket_letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
static const char name_letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

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
    struct ticket t = {.purpose = ""};
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

/* What DF50 may say, and whether an application belongs to it. */
static const struct {
    uint8_t value;
    const char *word;
    bool has_app;
} purposes[] = {{1, "install", true}, {2, "remove", true}, {3, "inspect", false}};

static void keep(char *out, struct view v)
{
    if (v.len > 0)
        memcpy(out, v.data, v.len);
    out[v.len] = '\0';
}

/* The server's own rule for names that people give. */
static bool is_name(struct view v)
{
    return consists_of(v, name_letters) && v.len <= NAME_MAX_BYTES && v.data[0] != '.';
}

static bool is_title(struct view v)
{
    return v.len > 0 && v.len <= TICKET_TITLE_MAX && text_is_line(v);
}

/* DF50 to DF52, all or none of what belongs together: half of it would be shown to the user as the whole. */
static enum err parse_purpose(struct ticket *out, struct view trigger)
{
    struct view purpose, app, title;
    bool has_purpose = tlv_find(trigger, TAG_PURPOSE, &purpose);
    bool has_app = tlv_find(trigger, TAG_APP, &app), has_title = tlv_find(trigger, TAG_TITLE, &title);
    size_t i = 0;
    if (!has_purpose)
        return has_app || has_title ? ERR_FORMAT : OK;
    while (i < sizeof(purposes) / sizeof(purposes[0]) && !view_equal(purpose, view_of(&purposes[i].value, 1)))
        i++;
    if (i == sizeof(purposes) / sizeof(purposes[0]) || has_app != purposes[i].has_app)
        return ERR_FORMAT;
    if ((has_app && !is_name(app)) || (has_title && (!has_app || !is_title(title))))
        return ERR_FORMAT;
    out->purpose = purposes[i].word;
    if (has_app)
        keep(out->app, app);
    if (has_title)
        keep(out->title, title);
    return OK;
}

enum err ticket_parse_trigger(struct ticket *out, struct view trigger)
{
    static const uint32_t path[] = {TAG_SESSION, TAG_HTTP};
    struct view http, host, uri;
    struct reader r;
    struct tlv outer;
    struct ticket t;
    rd_init(&r, trigger);
    if (!tlv_next(&r, &outer) || !rd_done(&r) || outer.tag != TAG_TRIGGER || !tlv_valid(outer.value))
        return ERR_FORMAT;
    if (!tlv_path(outer.value, path, sizeof(path) / sizeof(path[0]), &http) || !tlv_valid(http))
        return ERR_FORMAT;
    if (!tlv_find(http, TAG_HOST, &host) || !tlv_find(http, TAG_URI, &uri))
        return ERR_FORMAT;
    enum err e = join(&t, host, uri);
    if (e == OK)
        e = parse_purpose(&t, outer.value);
    if (e == OK)
        *out = t;
    return e;
}

/* RFC 3986 2.1. Desktops hand links on as they please; what is not two digits behind a % is no encoding. */
static enum err undo_percent(struct view text, struct writer *out)
{
    struct reader r;
    rd_init(&r, text);
    while (rd_left(&r) > 0) {
        uint8_t c = rd_u8(&r);
        if (c != '%') {
            wr_u8(out, c);
            continue;
        }
        enum err e = hex_read(rd_view(&r, 2), out);
        if (e != OK || !rd_ok(&r))
            return ERR_FORMAT;
    }
    return wr_status(out);
}

/* text: what stands behind "cardferry:". */
static enum err parse_link(struct ticket *out, const char *text)
{
    uint8_t plain[TICKET_TEXT_MAX], memory[TRIGGER_MAX];
    struct writer p, w;
    wr_fixed(&p, plain, sizeof(plain));
    wr_fixed(&w, memory, sizeof(memory));
    enum err e = undo_percent(view_str(text), &p);
    struct view link = wr_view_of(&p);
    if (view_starts(link, view_str("//")))
        link = view_tail(link, 2);
    if (e == OK)
        e = base64url_read(link, &w);
    return e == OK ? ticket_parse_trigger(out, wr_view_of(&w)) : e;
}

static enum err parse_url(struct ticket *out, const char *text)
{
    const char *host = text + strlen(scheme_https);
    size_t host_len = strcspn(host, "/");
    return join(out, view_of(host, host_len), view_str(host + host_len));
}

/* TICKET or TICKET.VISIT: *visit is empty without one. */
static bool split_bare(struct view text, struct view *visit)
{
    const uint8_t *dot = text.len > 0 ? memchr(text.data, '.', text.len) : NULL;
    struct view ticket = view_head(text, dot != NULL ? (size_t)(dot - text.data) : text.len);
    *visit = dot != NULL ? view_tail(text, ticket.len + 1) : VIEW_NULL;
    if (!consists_of(ticket, ticket_letters) || ticket.len > TICKET_MAX)
        return false;
    return dot == NULL || (consists_of(*visit, ticket_letters) && visit->len <= VISIT_MAX);
}

bool ticket_is_bare(struct view text)
{
    struct view visit;
    return split_bare(text, &visit);
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
    } else if (!ticket_is_bare(view_str(text)))
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

struct view ticket_host(const struct ticket *t)
{
    const char *host = t->url + strlen(scheme_https);
    return view_of(host, strcspn(host, "/"));
}

enum err ticket_progress(const struct ticket *t, char out[URL_MAX])
{
    static const char query[] = "?t=";
    const char *found = strstr(t->url, query);
    struct view host = ticket_host(t), visit;
    if (found == NULL || !split_bare(view_str(found + strlen(query)), &visit) || visit.len == 0)
        return ERR_NOT_FOUND;
    int n = snprintf(out, URL_MAX, "%s%.*s/gp/progress%s", scheme_https, (int)host.len,
                     (const char *)host.data, found);
    return n > 0 && n < URL_MAX ? OK : ERR_LIMIT;
}

enum err ticket_next(struct ticket *out, const struct ticket *from, const char *next_uri)
{
    struct view uri = view_str(next_uri);
    return is_path(uri) ? join(out, ticket_host(from), uri) : ERR_POLICY;
}
