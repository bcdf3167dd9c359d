/* SPDX-License-Identifier: Apache-2.0
 *
 * A page that follows events: what a browser's EventSource does, byte by byte, so that a test sees what
 * really came over TLS. */
#ifndef FRONT_TEST_EAR_H
#define FRONT_TEST_EAR_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "front/test_tls.h"

struct ear {
    CURL *curl;
    char text[64 * 1024];
    size_t start, len; /* what was not waited for yet */
    bool over;
};

static inline void ear_need(bool good, const char *what, const char *came)
{
    if (!good) {
        fprintf(stderr, "%s did not come: %s\n", what, came);
        abort();
    }
}

static inline void ear_nap(void)
{
    const struct timespec t = {.tv_nsec = 2000000};
    (void)nanosleep(&t, NULL);
}

/* Asks for events as a browser does, and stays. from: an address of this machine, NULL: any. */
static inline void ear_open_from(unsigned port, const struct test_tls *tls, struct ear *e, const char *visit,
                                 const char *from)
{
    char url[100], request[200];
    size_t sent = 0;
    *e = (struct ear){.curl = curl_easy_init()};
    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/", port);
    curl_easy_setopt(e->curl, CURLOPT_URL, url);
    test_tls_trust(tls, e->curl);
    curl_easy_setopt(e->curl, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(e->curl, CURLOPT_INTERFACE, from);
    ear_need(curl_easy_perform(e->curl) == CURLE_OK, "a connection", "");
    (void)snprintf(request, sizeof(request), "GET /page/v1/events?visit=%s HTTP/1.1\r\nHost: x\r\n\r\n",
                   visit);
    ear_need(curl_easy_send(e->curl, request, strlen(request), &sent) == CURLE_OK, "room to send", "");
}

static inline void ear_open(unsigned port, const struct test_tls *tls, struct ear *e, const char *visit)
{
    ear_open_from(port, tls, e, visit, NULL);
}

/* Takes what has come. */
static inline void ear_listen(struct ear *e)
{
    size_t got = 0;
    ear_need(e->len < sizeof(e->text) - 1, "room for what comes", e->text + e->start);
    CURLcode code = curl_easy_recv(e->curl, e->text + e->len, sizeof(e->text) - 1 - e->len, &got);
    e->len += got;
    e->text[e->len] = '\0';
    e->over = code != CURLE_AGAIN && (code != CURLE_OK || got == 0);
    if (code == CURLE_AGAIN)
        ear_nap();
}

/* Waits for the text (NULL: for the end), and forgets what came up to it; unwanted must not come before
 * (NULL: anything may). */
static inline void ear_wait_without(struct ear *e, const char *text, const char *unwanted)
{
    for (unsigned n = 0; n < 5000 && (text != NULL || !e->over); n++) {
        const char *now = e->text + e->start, *at = text != NULL ? strstr(now, text) : NULL;
        if (at != NULL) {
            const char *before = unwanted != NULL ? strstr(now, unwanted) : NULL;
            ear_need(before == NULL || before > at, "only what was wanted", now);
            e->start += (size_t)(at - now) + strlen(text);
            return;
        }
        ear_listen(e);
    }
    ear_need(text == NULL && e->over, text != NULL ? text : "the end", e->text + e->start);
}

static inline void ear_wait(struct ear *e, const char *text)
{
    ear_wait_without(e, text, NULL);
}

static inline void ear_close(struct ear *e)
{
    curl_easy_cleanup(e->curl);
    e->curl = NULL;
}

#endif
