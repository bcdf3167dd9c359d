/* SPDX-License-Identifier: Apache-2.0
 *
 * Two small tables of digests with their times. */
#include "front/operators.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <base/secret.h>
#include <base/text.h>

enum { DIGEST = 32 };

struct code {
    uint8_t digest[DIGEST];
    char who[NAME_MAX_BYTES + 1];
    uint64_t expires_ms; /* 0: free */
};

struct seat {
    uint8_t digest[DIGEST]; /* of the cookie */
    struct operator_session session;
    uint64_t used_ms; /* 0: free */
};

struct operators {
    struct crypto *crypto;
    struct random_source random;
    struct clock_source clock;
    struct code codes[OPERATOR_CODES_MAX];
    struct seat seats[OPERATORS_MAX];
};

const char *operator_role_word(enum operator_role r)
{
    return r == ROLE_OPERATOR ? "operator" : "none";
}

enum err operators_new(struct operators **out, struct crypto *crypto, struct random_source random,
                       struct clock_source clock)
{
    struct operators *o = calloc(1, sizeof(*o));
    if (o == NULL)
        return ERR_MEMORY;
    o->crypto = crypto;
    o->random = random;
    o->clock = clock;
    *out = o;
    return OK;
}

void operators_free(struct operators **o)
{
    if (*o == NULL)
        return;
    wipe(*o, sizeof(**o));
    free(*o);
    *o = NULL;
}

static uint64_t now_of(const struct operators *o)
{
    return o->clock.now_ms(o->clock.ctx);
}

/* ---- tokens ---- */

static enum err new_token(struct operators *o, char text[OPERATOR_TOKEN_TEXT + 1])
{
    uint8_t bytes[OPERATOR_TOKEN_BYTES];
    struct writer w;
    enum err e = o->random.fill(o->random.ctx, bytes, sizeof(bytes));
    wr_fixed(&w, text, OPERATOR_TOKEN_TEXT + 1);
    if (e == OK) {
        base64url_put(&w, VIEW_OF(bytes));
        wr_u8(&w, 0);
        e = wr_status(&w);
    }
    wipe(bytes, sizeof(bytes));
    return e;
}

static enum err digest_of(struct operators *o, const char *text, uint8_t out[DIGEST])
{
    struct view v = view_str(text);
    return crypto_digest(o->crypto, DIGEST_SHA256, &v, 1, out);
}

/* ---- codes ---- */

/* A free place, or the one that ends first. */
static struct code *place_for_code(struct operators *o)
{
    struct code *best = &o->codes[0];
    for (size_t i = 1; i < OPERATOR_CODES_MAX; i++)
        if (o->codes[i].expires_ms < best->expires_ms)
            best = &o->codes[i];
    return best;
}

enum err operators_offer(struct operators *o, const char *who, char text[OPERATOR_TOKEN_TEXT + 1],
                         uint64_t *expires_ms)
{
    struct code *c = place_for_code(o);
    struct code fresh = {.expires_ms = now_of(o) + 1000ULL * OPERATOR_CODE_S};
    (void)snprintf(fresh.who, sizeof(fresh.who), "%s", who);
    enum err e = new_token(o, text);
    if (e == OK)
        e = digest_of(o, text, fresh.digest);
    if (e != OK)
        return e;
    *c = fresh;
    *expires_ms = fresh.expires_ms;
    return OK;
}

enum err operators_redeem(struct operators *o, const char *code, char who[NAME_MAX_BYTES + 1])
{
    uint8_t digest[DIGEST];
    uint64_t now = now_of(o);
    enum err e = digest_of(o, code, digest);
    if (e != OK)
        return e;
    for (size_t i = 0; i < OPERATOR_CODES_MAX; i++) {
        struct code *c = &o->codes[i];
        if (c->expires_ms == 0 || !secret_equal(VIEW_OF(digest), VIEW_OF(c->digest)))
            continue;
        bool good = now < c->expires_ms;
        if (good)
            memcpy(who, c->who, sizeof(c->who));
        wipe(c, sizeof(*c));
        return good ? OK : ERR_AUTH;
    }
    return ERR_AUTH;
}

/* ---- seats ---- */

static bool is_over(const struct seat *s, uint64_t now)
{
    return s->used_ms == 0 || now >= s->session.expires_ms || now >= s->used_ms + 1000ULL * OPERATOR_IDLE_S;
}

/* A free place, or that of whoever came longest ago. */
static struct seat *place_for_seat(struct operators *o)
{
    struct seat *best = &o->seats[0];
    for (size_t i = 1; i < OPERATORS_MAX; i++)
        if (o->seats[i].used_ms < best->used_ms)
            best = &o->seats[i];
    return best;
}

enum err operators_sign_in(struct operators *o, const char *who, char cookie[OPERATOR_TOKEN_TEXT + 1],
                           struct operator_session *out)
{
    struct seat *s = place_for_seat(o);
    uint64_t now = now_of(o);
    struct seat fresh = {
        .used_ms = now, .session = {.role = ROLE_OPERATOR, .expires_ms = now + 1000ULL * OPERATOR_LONGEST_S}};
    (void)snprintf(fresh.session.who, sizeof(fresh.session.who), "%s", who);
    enum err e = new_token(o, cookie);
    if (e == OK)
        e = new_token(o, fresh.session.csrf);
    if (e == OK)
        e = digest_of(o, cookie, fresh.digest);
    if (e != OK)
        return e;
    *s = fresh;
    *out = fresh.session;
    return OK;
}

static struct seat *find_seat(struct operators *o, const char *cookie)
{
    uint8_t digest[DIGEST];
    if (digest_of(o, cookie, digest) != OK)
        return NULL;
    for (size_t i = 0; i < OPERATORS_MAX; i++)
        if (o->seats[i].used_ms != 0 && secret_equal(VIEW_OF(digest), VIEW_OF(o->seats[i].digest)))
            return &o->seats[i];
    return NULL;
}

enum err operators_find(struct operators *o, const char *cookie, struct operator_session *out)
{
    struct seat *s = find_seat(o, cookie);
    uint64_t now = now_of(o);
    if (s == NULL)
        return ERR_AUTH;
    if (is_over(s, now)) {
        wipe(s, sizeof(*s));
        return ERR_AUTH;
    }
    s->used_ms = now;
    *out = s->session;
    return OK;
}

void operators_sign_out(struct operators *o, const char *cookie)
{
    struct seat *s = find_seat(o, cookie);
    if (s != NULL)
        wipe(s, sizeof(*s));
}
