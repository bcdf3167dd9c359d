/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is signed in at the operators' page (docs/web.md): one-time codes that ferry asks for, and what a
 * cookie stands for. In memory, as digests: a restart signs everybody out, and what was read from it signs
 * nobody in. */
#ifndef FRONT_OPERATORS_H
#define FRONT_OPERATORS_H

#include <base/limits.h>
#include <base/sources.h>
#include <crypto/crypto.h>

enum {
    OPERATOR_TOKEN_BYTES = 32,
    OPERATOR_TOKEN_TEXT = 43, /* base64url of it: codes, cookies, CSRF tokens */
    /* More people than administer one server; whoever came longest ago makes room. */
    OPERATORS_MAX = 256,
    OPERATOR_CODES_MAX = 64,
    OPERATOR_CODE_S = 120,
    OPERATOR_IDLE_S = 30 * 60,
    OPERATOR_LONGEST_S = 12 * 3600
};

/* There is one role so far; who may do what is decided in api.c alone. */
enum operator_role { ROLE_OPERATOR };
const char *operator_role_word(enum operator_role r);

struct operators;
enum err operators_new(struct operators **out, struct crypto *crypto, struct random_source random,
                       struct clock_source clock) MUST_USE;
/* Wipes. Accepts NULL and clears. */
void operators_free(struct operators **o);

/* A code that signs in as who, once and until *expires_ms. text gets OPERATOR_TOKEN_TEXT letters and an end.
 */
enum err operators_offer(struct operators *o, const char *who, char text[OPERATOR_TOKEN_TEXT + 1],
                         uint64_t *expires_ms) MUST_USE;
/* Whose code it is; it is no more after this. ERR_AUTH: there is no such code, or it is too old. */
enum err operators_redeem(struct operators *o, const char *code, char who[NAME_MAX_BYTES + 1]) MUST_USE;

struct operator_session {
    char who[NAME_MAX_BYTES + 1];
    enum operator_role role;
    char csrf[OPERATOR_TOKEN_TEXT + 1];
    uint64_t expires_ms; /* at the latest */
};
/* Signs in; cookie gets the token's text. */
enum err operators_sign_in(struct operators *o, const char *who, char cookie[OPERATOR_TOKEN_TEXT + 1],
                           struct operator_session *out) MUST_USE;
/* Who the cookie stands for; it was used just now. ERR_AUTH: for nobody, or no longer. */
enum err operators_find(struct operators *o, const char *cookie, struct operator_session *out) MUST_USE;
/* Nothing to do when the cookie stands for nobody. */
void operators_sign_out(struct operators *o, const char *cookie);

#endif
