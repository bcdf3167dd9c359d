/* SPDX-License-Identifier: Apache-2.0
 *
 * libcurl, set up once and for all requests alike. */
#include "remote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

enum { CONNECT_TIMEOUT_S = 20, IDLE_MS = 250 };

struct remote {
    CURLM *multi; /* of one transfer: libcurl's own loop would sleep for up to a second */
    CURL *curl;
    struct remote_settings settings;
};

enum err remote_new(struct remote **out, const struct remote_settings *s)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
        return ERR_MEMORY;
    struct remote *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return ERR_MEMORY;
    r->settings = *s;
    r->multi = curl_multi_init();
    r->curl = curl_easy_init();
    if (r->multi == NULL || r->curl == NULL) {
        remote_free(&r);
        return ERR_MEMORY;
    }
    *out = r;
    return OK;
}

void remote_free(struct remote **r)
{
    if (*r == NULL)
        return;
    curl_easy_cleanup((*r)->curl);
    curl_multi_cleanup((*r)->multi);
    free(*r);
    *r = NULL;
}

static size_t take_body(char *data, size_t size, size_t count, void *arg)
{
    struct remote_answer *a = arg;
    wr_bytes(&a->body, data, size * count);
    return wr_ok(&a->body) ? size * count : 0;
}

static void keep_header(struct remote_header *h, struct view value)
{
    while (value.len > 0 && (value.data[0] == ' ' || value.data[0] == '\t'))
        value = view_tail(value, 1);
    while (value.len > 0 && strchr(" \t\r\n", value.data[value.len - 1]) != NULL)
        value.len--;
    if (value.len < sizeof(h->value))
        snprintf(h->value, sizeof(h->value), "%.*s", (int)value.len,
                 value.len > 0 ? (const char *)value.data : "");
}

static size_t take_header(char *data, size_t size, size_t count, void *arg)
{
    struct remote_answer *a = arg;
    struct view line = view_of(data, size * count);
    for (size_t i = 0; i < a->wanted_count; i++) {
        struct remote_header *h = &a->wanted[i];
        size_t len = strlen(h->name);
        if (line.len > len && strncasecmp(data, h->name, len) == 0 && data[len] == ':')
            keep_header(h, view_tail(line, len + 1));
    }
    return line.len;
}

static void set_up_tls(struct remote *r)
{
    CURL *c = r->curl;
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
    if (r->settings.ca != NULL) {
        curl_easy_setopt(c, CURLOPT_CAINFO, r->settings.ca);
        curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
    }
    if (r->settings.certificate != NULL) {
        curl_easy_setopt(c, CURLOPT_SSLCERT, r->settings.certificate);
        curl_easy_setopt(c, CURLOPT_SSLKEY, r->settings.private_key);
    }
}

static bool goes_on(const struct remote *r)
{
    return r->settings.idle == NULL || r->settings.idle(r->settings.arg);
}

/* The one transfer, to its end. */
static CURLcode perform(struct remote *r)
{
    CURLcode code = CURLE_OK;
    int running = 1, left;
    CURLMcode m = curl_multi_add_handle(r->multi, r->curl);
    if (m != CURLM_OK)
        return CURLE_FAILED_INIT;
    while (m == CURLM_OK && running > 0 && code == CURLE_OK) {
        m = curl_multi_perform(r->multi, &running);
        if (m == CURLM_OK && running > 0)
            m = curl_multi_poll(r->multi, NULL, 0, IDLE_MS, NULL);
        if (running > 0 && !goes_on(r))
            code = CURLE_ABORTED_BY_CALLBACK;
    }
    const CURLMsg *message = curl_multi_info_read(r->multi, &left);
    if (message != NULL && message->msg == CURLMSG_DONE)
        code = message->data.result;
    else if (code == CURLE_OK)
        code = CURLE_FAILED_INIT; /* it is over, and nobody says how */
    curl_multi_remove_handle(r->multi, r->curl);
    return code;
}

static void set_up_transfer(struct remote *r, struct remote_answer *out)
{
    CURL *c = r->curl;
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_PROXY, "");
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
    curl_easy_setopt(c, CURLOPT_TIMEOUT, r->settings.timeout_s);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, out);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, out);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "ferry/" CF_VERSION);
}

static enum err outcome(CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return OK;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        return ERR_AUTH;
    case CURLE_WRITE_ERROR:
        return ERR_LIMIT;
    case CURLE_OPERATION_TIMEDOUT:
        return ERR_TIMEOUT;
    case CURLE_OUT_OF_MEMORY:
        return ERR_MEMORY;
    default:
        return ERR_CLOSED;
    }
}

static bool add_header(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer != NULL)
        *list = longer;
    return longer != NULL;
}

static struct curl_slist *headers_of(const struct remote_request *q)
{
    struct curl_slist *list = NULL;
    char type[160];
    /* No "Expect: 100-continue": it would cost a round trip; no content type that libcurl invents. */
    bool ok = add_header(&list, "Expect:");
    snprintf(type, sizeof(type), q->content_type != NULL ? "Content-Type: %s" : "Content-Type:%s",
             q->content_type != NULL ? q->content_type : "");
    ok = ok && add_header(&list, type);
    for (size_t i = 0; ok && q->headers[i] != NULL; i++)
        ok = add_header(&list, q->headers[i]);
    if (ok)
        return list;
    curl_slist_free_all(list);
    return NULL;
}

enum err remote_ask(struct remote *r, const struct remote_request *q, struct remote_answer *out)
{
    char reason[CURL_ERROR_SIZE] = "";
    struct curl_slist *headers = headers_of(q);
    wr_heap(&out->body, SCRIPT_MAX);
    for (size_t i = 0; i < out->wanted_count; i++)
        out->wanted[i].value[0] = '\0';
    if (headers == NULL)
        return ERR_MEMORY;
    curl_easy_reset(r->curl);
    set_up_tls(r);
    set_up_transfer(r, out);
    curl_easy_setopt(r->curl, CURLOPT_URL, q->url);
    curl_easy_setopt(r->curl, CURLOPT_CUSTOMREQUEST, q->method);
    if (strcmp(q->method, "GET") != 0) {
        curl_easy_setopt(r->curl, CURLOPT_POSTFIELDS, q->body.len > 0 ? (const char *)q->body.data : "");
        curl_easy_setopt(r->curl, CURLOPT_POSTFIELDSIZE, (long)q->body.len);
    }
    curl_easy_setopt(r->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(r->curl, CURLOPT_ERRORBUFFER, reason);
    CURLcode code = perform(r);
    curl_easy_setopt(r->curl, CURLOPT_ERRORBUFFER, NULL);
    curl_slist_free_all(headers);
    out->status = 0;
    if (code == CURLE_OK)
        curl_easy_getinfo(r->curl, CURLINFO_RESPONSE_CODE, &out->status);
    else
        snprintf(out->problem, sizeof(out->problem), "%s",
                 reason[0] != '\0' ? reason : curl_easy_strerror(code));
    return outcome(code);
}
