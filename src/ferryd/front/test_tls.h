/* SPDX-License-Identifier: Apache-2.0
 *
 * What tests that speak with a server in TLS share: an authority and a certificate of it for 127.0.0.1, as
 * files, and a client that trusts that authority and no other. */
#ifndef FRONT_TEST_TLS_H
#define FRONT_TEST_TLS_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <curl/curl.h>

#include "pki.h"
#include "store/test_support.h"

struct test_tls {
    char authority[256], certificate[256], key[256]; /* paths of PEM files */
};

/* In this folder, until test_tls_remove. */
static inline void test_tls_make(struct test_tls *t, const char *folder)
{
    static const char *const names[] = {"127.0.0.1"};
    struct pki pki = {0};
    if (pki_make(names, 1, &pki) != OK)
        abort();
    (void)snprintf(t->authority, sizeof(t->authority), "%s/ca.pem", folder);
    (void)snprintf(t->certificate, sizeof(t->certificate), "%s/cert.pem", folder);
    (void)snprintf(t->key, sizeof(t->key), "%s/key.pem", folder);
    test_write_file(t->authority, wr_view_of(&pki.ca_certificate));
    test_write_file(t->certificate, wr_view_of(&pki.certificate));
    test_write_file(t->key, wr_view_of(&pki.key));
    pki_finish(&pki);
}

static inline void test_tls_remove(const struct test_tls *t)
{
    (void)unlink(t->authority);
    (void)unlink(t->certificate);
    (void)unlink(t->key);
}

/* For a URL with the address 127.0.0.1. */
static inline void test_tls_trust(const struct test_tls *t, CURL *c)
{
    curl_easy_setopt(c, CURLOPT_CAINFO, t->authority);
    curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
}

#endif
