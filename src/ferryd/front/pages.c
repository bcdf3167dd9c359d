/* SPDX-License-Identifier: Apache-2.0
 *
 * Which path is which file, and which headers go with it. */
#include "front/pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POLICY_MAX = 512 };

struct pages {
    struct pages_setup setup;
    char policy[POLICY_MAX], holder_policy[POLICY_MAX];
    struct writer package;
    char package_path[CONFIG_VALUE_MAX + 16];
};

/* Nothing from elsewhere, nothing inline, in nobody's frame. */
#define POLICY                                                                                               \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "       \
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "                                          \
    "require-trusted-types-for 'script'; trusted-types 'none'; connect-src 'self'"

static void make_policies(struct pages *p)
{
    unsigned port = p->setup.agent_port;
    (void)snprintf(p->policy, sizeof(p->policy), "%s", POLICY);
    if (port == 0)
        (void)snprintf(p->holder_policy, sizeof(p->holder_policy), "%s", POLICY);
    else /* no policy can name an address of IPv6: the agent is asked for at 127.0.0.1 */
        (void)snprintf(p->holder_policy, sizeof(p->holder_policy), POLICY " http://127.0.0.1:%u", port);
}

static const char download[] = "/download/";

static const char *name_of(const char *file)
{
    const char *slash = strrchr(file, '/');
    return slash != NULL ? slash + 1 : file;
}

void pages_package_address(const char *file, char *out, size_t size)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-~+";
    struct writer w;
    wr_fixed(&w, out, size - 1);
    wr_view(&w, view_str(download));
    for (const char *c = name_of(file); *c != '\0'; c++) {
        char escaped[4];
        (void)snprintf(escaped, sizeof(escaped), "%%%02X", (unsigned char)*c);
        wr_view(&w, strchr(plain, *c) != NULL ? view_of(c, 1) : view_str(escaped));
    }
    out[wr_ok(&w) && file[0] != '\0' ? w.len : 0] = '\0';
}

static enum err read_package(struct pages *p)
{
    const char *path = p->setup.client_package;
    if (path[0] == '\0')
        return OK;
    (void)snprintf(p->package_path, sizeof(p->package_path), "%s%s", download, name_of(path));
    return config_read_file(path, CLIENT_PACKAGE_MAX, &p->package);
}

enum err pages_new(struct pages **out, const struct pages_setup *s)
{
    struct pages *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return ERR_MEMORY;
    p->setup = *s;
    wr_heap(&p->package, CLIENT_PACKAGE_MAX + 4096);
    make_policies(p);
    enum err e = read_package(p);
    if (e != OK)
        pages_free(&p);
    else
        *out = p;
    return e;
}

void pages_free(struct pages **p)
{
    if (*p == NULL)
        return;
    wr_free(&(*p)->package);
    free(*p);
    *p = NULL;
}

const char *pages_package_path(const struct pages *p)
{
    return p->package_path;
}

/* ---- which file ---- */

/* Paths that people see; what is below an operator's path is the same page, which takes it apart itself. */
static const struct {
    const char *path, *file;
    bool below;
} pages[] = {
    {"/", "/index.html", false},
    {"/i", "/index.html", false},
    {"/console", "/console.html", false},
    {"/console/", "/console.html", true},
};

static bool path_is(const char *path, const char *wanted, bool below)
{
    return below ? strncmp(path, wanted, strlen(wanted)) == 0 : strcmp(path, wanted) == 0;
}

static const struct web_asset *find_asset(const struct pages *p, const char *path)
{
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        if (path_is(path, pages[i].path, pages[i].below)) {
            path = pages[i].file;
            break;
        }
    }
    for (size_t i = 0; i < p->setup.count; i++)
        if (strcmp(p->setup.assets[i].path, path) == 0)
            return &p->setup.assets[i];
    return NULL;
}

/* ---- headers ---- */

/* A list of codings, each perhaps with a weight (RFC 9110 12.5.3): gzip is taken where it is named and not
 * refused. */
static bool takes_gzip(const char *accepted)
{
    const char *at = accepted != NULL ? strstr(accepted, "gzip") : NULL;
    if (at == NULL || (at != accepted && strchr(", \t", at[-1]) == NULL))
        return false;
    at += strlen("gzip");
    at += strspn(at, " \t");
    if (*at == '\0' || *at == ',')
        return true;
    at += *at == ';';
    at += strspn(at, " \t");
    return strncmp(at, "q=", 2) == 0 && strtod(at + 2, NULL) > 0;
}

static void add_headers(const struct pages *p, const struct web_asset *a, struct http_reply *reply)
{
    bool page = strncmp(a->content_type, "text/html", 9) == 0;
    http_reply_header(reply, "ETag", a->etag);
    http_reply_header(reply, "Vary", "Accept-Encoding");
    http_reply_header(reply, "Cross-Origin-Resource-Policy", "same-origin");
    /* A page is asked for anew each time, and is a few hundred bytes when nothing has changed. */
    http_reply_cache(reply, a->immutable ? "public, max-age=31536000, immutable" : "no-cache");
    if (!page)
        return;
    bool holder = strcmp(a->path, "/index.html") == 0;
    http_reply_header(reply, "Content-Security-Policy", holder ? p->holder_policy : p->policy);
    http_reply_header(reply, "Cross-Origin-Opener-Policy", "same-origin");
    http_reply_header(reply, "Referrer-Policy", "no-referrer");
    http_reply_header(reply, "X-Frame-Options", "DENY");
    http_reply_header(reply, "Permissions-Policy",
                      "camera=(), microphone=(), geolocation=(), usb=(), payment=()");
}

static void send_asset(const struct pages *p, const struct web_asset *a, const struct http_request *r)
{
    const char *known = http_header(r, "If-None-Match");
    bool same = known != NULL && strstr(known, a->etag) != NULL;
    bool gzip = a->gzip.len > 0 && takes_gzip(http_header(r, "Accept-Encoding"));
    add_headers(p, a, r->reply);
    if (gzip && !same)
        http_reply_header(r->reply, "Content-Encoding", "gzip");
    http_reply_send_lasting(r->reply, same ? 304 : 200, a->content_type,
                            same   ? VIEW_NULL
                            : gzip ? a->gzip
                                   : a->plain);
}

void pages_get(struct pages *p, const struct http_request *r)
{
    const struct web_asset *a = find_asset(p, r->path);
    if (a != NULL) {
        send_asset(p, a, r);
    } else if (p->package_path[0] != '\0' && strcmp(r->path, p->package_path) == 0) {
        http_reply_header(r->reply, "Content-Disposition", "attachment");
        http_reply_send_lasting(r->reply, 200, "application/octet-stream", wr_view_of(&p->package));
    } else {
        http_reply_send(r->reply, 404, "text/plain", view_str("There is nothing here.\n"));
    }
}
