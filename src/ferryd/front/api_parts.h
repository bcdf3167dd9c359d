/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the administration share: requests, replies, changes, listings. */
#ifndef FRONT_API_PARTS_H
#define FRONT_API_PARTS_H

#include <jansson.h>

#include "front/api.h"
#include "front/api_bodies.h"
#include "front/operators.h"

#define OPERATOR_COOKIE "__Host-ferry"

enum { API_NAMES_MAX = 2, API_CHANGES_MAX = 2, HEALTH_WAITING_MAX = 64, WHY_MAX = 300, URL_TEXT_MAX = 512 };

struct api {
    struct api_setup setup;
    struct operators *operators; /* owned */
    /* Asking for health is free for everybody, so one look serves all who ask within a second. */
    struct {
        bool looking, known, store_answered, keeper_answered;
        enum err store, keeper;
        uint64_t time_ms;
        struct http_reply *waiting[HEALTH_WAITING_MAX];
        size_t waiting_count;
    } health;
};

struct api_request {
    struct api *api;
    const struct http_request *http;
    char names[API_NAMES_MAX][CARD_NUMBER_TEXT_MAX + 1]; /* what stands for the {} of the route */
    char who[NAME_MAX_BYTES + 1];                        /* "admin token", "certificate CN" */
    char cookie[OPERATOR_TOKEN_TEXT + 1];                /* "" when none came */
};

uint64_t api_now(const struct api *a);
/* "certificate CN" of a verified client certificate. False: none was shown. */
bool certificate_name(const struct http_request *r, char who[NAME_MAX_BYTES + 1]);
/* Copies the name that the path gives to a row's. False: it is longer than any name, so there is nothing of
 * that name, and that was answered. */
bool api_name(const struct api_request *q, char *out, size_t size);

/* ---- replies ---- */

/* Takes over j; NULL becomes an error 500. */
void reply_json(struct http_reply *r, int status, json_t *j);
void reply_error(struct http_reply *r, int status, const char *word, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The status and word that an outcome has; sentence may be NULL. */
void reply_outcome(struct http_reply *r, enum err e, const char *sentence);

/* ---- values ---- */

json_t *value_hex(struct view v);
/* RFC 3339 in UTC; null for 0. */
json_t *value_time(uint64_t ms);

/* ---- changes ---- */

/* A change that is answered when it is durable. */
struct api_change {
    struct change changes[API_CHANGES_MAX];
    size_t count;
    const char *what;    /* of the audit row */
    const char *unknown; /* the end of the sentence when there is no such thing; NULL: the usual one */
    const char *state;   /* ...and when its state is another (ERR_STATE) */
    char name[CARD_NUMBER_TEXT_MAX + 1];
    uint32_t version; /* of a key; 0: no such thing */
    char detail[DETAIL_MAX + 1];
    int status;
    /* The answer, read back from the store; NULL: no body. */
    json_t *(*show)(struct api *a, const char *name, uint32_t version);
    json_t *extra; /* fields that are added to it; taken over */
};
/* Adds the audit row, submits, and answers when it is done. */
void api_submit(struct api *a, struct http_reply *reply, const char *who, struct api_change *c);

/* ---- listings ---- */

struct page {
    struct api *api;
    struct listing listing;
    json_t *items;
    size_t limit;
    bool more;
    char last[CARD_NUMBER_TEXT_MAX + 1];
};
/* Reads limit, after, match, order, card, type and app. False: refused, and answered. */
bool page_open(struct page *p, const struct api_request *q);
/* A parameter of the query that has one value or is absent: *out says which. False: refused, and answered. */
bool query_is(const struct api_request *q, const char *name, const char *value, bool *out);
/* True while another item is wanted; a page that has enough only learns that there are more. */
bool page_wants(struct page *p);
/* Takes over item. */
enum err page_put(struct page *p, const char *key, json_t *item) MUST_USE;
/* Answers with the page, or with the error that e is. */
void page_reply(struct page *p, const struct api_request *q, enum err e);

/* ---- what one resource asks of another ---- */

/* The state of an order as it is told. */
const char *order_state(const struct order_row *row, uint64_t now);

/* Whether a version of the key that is not retired has the value of a well-known default key. ERR_NOT_FOUND
 * when there is no version at all. */
enum err key_well_known(struct api *a, const char *name, bool *well_known) MUST_USE;
bool key_row_well_known(const struct key_row *k);
/* A new version of a key must do for every card type that names it: ERR_POLICY with why when it is of another
 * kind than the type's method needs, or a well-known one and the type is not virgin. */
enum err types_accept_key(struct api *a, const struct key_row *key, char *why, size_t why_len) MUST_USE;

/* ---- handlers, by resource ---- */

typedef void api_handler(const struct api_request *q);
api_handler api_health, api_metrics, api_server;
api_handler api_apps_add, api_apps_list, api_apps_get, api_apps_remove, api_apps_approve, api_apps_texts;
api_handler api_sequence_get, api_sequence_put;
api_handler api_keys_add, api_keys_list, api_keys_get, api_keys_retire;
api_handler api_types_add, api_types_list, api_types_get, api_types_put, api_types_remove;
api_handler api_orders_add, api_orders_list, api_orders_get, api_orders_cancel, api_orders_ticket;
api_handler api_sessions_list, api_sessions_get, api_sessions_dialogue;
api_handler api_overview;
api_handler api_cards_list, api_cards_get, api_cards_release;
api_handler api_audit_list;
api_handler api_logins_add, api_sign_in, api_me, api_sign_out;

#endif
