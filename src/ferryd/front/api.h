/* SPDX-License-Identifier: Apache-2.0
 *
 * The administration over HTTPS (docs/api.md): the front gives it requests and what it works with, it answers
 * them. Runs on the loop's thread. */
#ifndef FRONT_API_H
#define FRONT_API_H

#include <base/sources.h>
#include <crypto/crypto.h>
#include <gp/weak.h>
#include <vault/vault.h>

#include "front/http.h"
#include "store/store.h"

/* What the administration asks of the keeper. done is called once, later or at once, on the loop's thread;
 * with ERR_CLOSED or ERR_TIMEOUT when the keeper does not answer. Arguments are valid during the calls. */
struct api_keeper {
    void *ctx;
    void (*info)(void *ctx, void (*done)(void *arg, enum err e, const uint8_t import_key[32]), void *arg);
    void (*import)(void *ctx, const struct key_attributes *a, struct view wrapped,
                   void (*done)(void *arg, enum err e, struct view sealed, uint8_t kcv[3][3]), void *arg);
};

/* Everything is borrowed for the life of the struct api. */
struct api_setup {
    const struct store *store;
    struct api_keeper keeper;
    struct crypto *crypto;
    struct random_source random;
    struct clock_source clock;
    const char *public_url;     /* "https://host:port": what links of tickets begin with */
    const uint8_t *admin_token; /* SHA-256 of the administrator's token (DIGEST_LEN bytes); NULL: none */
    unsigned order_expiry_s;    /* of an order that does not say it */
    weak_set allow_weak;        /* the policy */
    /* How far a session's client says it is; NULL, or nothing written: it says nothing. */
    struct {
        void *ctx;
        void (*get)(void *ctx, const char *session, uint32_t *done, uint32_t *total);
    } progress;
};

struct api;
enum err api_new(struct api **out, const struct api_setup *setup) MUST_USE;
/* After the store was closed, so that no completion is due any more. */
void api_free(struct api **a);

/* Answers a request to /health, /metrics or anything below /api/v1: now or later, and always. */
void api_handle(struct api *a, const struct http_request *r);

#endif
