/* SPDX-License-Identifier: Apache-2.0
 *
 * Signing in at the operators' page, and out again (docs/web.md). */
#include <stdio.h>
#include <stdlib.h>

#include <base/log.h>
#include <base/secret.h>

#include "front/api_parts.h"
#include "front/json.h"

enum { SIGN_IN_BODY_MAX = 256 };

/* ---- one-time links ---- */

void api_logins_add(const struct api_request *q)
{
    char code[OPERATOR_TOKEN_TEXT + 1], url[URL_TEXT_MAX];
    uint64_t expires_ms = 0;
    struct api *a = q->api;
    enum err e = operators_offer(a->operators, q->who, code, &expires_ms);
    if (e != OK) {
        reply_outcome(q->http->reply, e, NULL);
        return;
    }
    snprintf(url, sizeof(url), "%s/console#login=%s", a->setup.public_url, code);
    reply_json(q->http->reply, 201, json_pack("{s:s,s:o}", "url", url, "expires", value_time(expires_ms)));
    wipe(code, sizeof(code));
    wipe(url, sizeof(url));
}

/* ---- signing in ---- */

static json_t *session_value(const struct operator_session *s)
{
    return json_pack("{s:s,s:s,s:s,s:o}", "who", s->who, "role", operator_role_word(s->role), "csrf", s->csrf,
                     "expires", value_time(s->expires_ms));
}

/* Nobody is signed in before that is written down. */
struct signing_in {
    struct api *api;
    struct http_reply *reply;
    char who[NAME_MAX_BYTES + 1];
};

static void welcome(struct signing_in *s)
{
    char cookie[OPERATOR_TOKEN_TEXT + 1], header[OPERATOR_TOKEN_TEXT + 80];
    struct operator_session session;
    enum err e = operators_sign_in(s->api->operators, s->who, cookie, &session);
    if (e != OK) {
        reply_outcome(s->reply, e, NULL);
        return;
    }
    LOG(LOG_INFO, "operator.signed-in", log_str("who", session.who));
    snprintf(header, sizeof(header), OPERATOR_COOKIE "=%s; Path=/; Secure; HttpOnly; SameSite=Strict",
             cookie);
    http_reply_header(s->reply, "Set-Cookie", header);
    reply_json(s->reply, 200, session_value(&session));
    wipe(cookie, sizeof(cookie));
    wipe(header, sizeof(header));
    wipe(&session, sizeof(session));
}

static void on_written(void *arg, enum err e, size_t failed)
{
    struct signing_in *s = arg;
    (void)failed;
    if (e == OK)
        welcome(s);
    else
        reply_outcome(s->reply, e, NULL);
    free(s);
}

static void sign_in(const struct api_request *q, const char *who)
{
    const struct store *store = q->api->setup.store;
    struct audit_row audit = {.time_ms = api_now(q->api), .what = "operator.signed-in"};
    struct signing_in *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        reply_outcome(q->http->reply, ERR_MEMORY, NULL);
        return;
    }
    *s = (struct signing_in){.api = q->api, .reply = q->http->reply};
    snprintf(s->who, sizeof(s->who), "%s", who);
    snprintf(audit.who, sizeof(audit.who), "%s", who);
    const struct change change = {.kind = AUDIT_ADD, .row.audit = &audit, .now_ms = audit.time_ms};
    store->ops->submit(store->ctx, &change, 1, on_written, s);
}

/* The code of the body, "" without one. */
static enum err parse_code(struct view body, char code[OPERATOR_TOKEN_TEXT + 1], char *why, size_t why_len)
{
    static const struct json_rule rules[] = {{"code", TAKE_TEXT, false, OPERATOR_TOKEN_TEXT}};
    json_t *j = NULL;
    enum err e = json_open(&j, body, SIGN_IN_BODY_MAX, why, why_len);
    if (e != OK)
        return e;
    e = json_check(j, rules, 1, why, why_len);
    if (e == OK)
        snprintf(code, OPERATOR_TOKEN_TEXT + 1, "%s", json_text(j, "code"));
    json_decref(j);
    return e;
}

static void refuse(const struct api_request *q, const char *sentence)
{
    LOG(LOG_WARNING, "operator.refused", log_str("peer", q->http->peer));
    reply_error(q->http->reply, 401, "unauthorized", "%s", sentence);
}

void api_sign_in(const struct api_request *q)
{
    char code[OPERATOR_TOKEN_TEXT + 1] = "", who[NAME_MAX_BYTES + 1], why[WHY_MAX] = "";
    enum err e = parse_code(q->http->body, code, why, sizeof(why));
    if (e != OK)
        reply_outcome(q->http->reply, e, why);
    else if (code[0] != '\0' && operators_redeem(q->api->operators, code, who) == OK)
        sign_in(q, who);
    else if (code[0] != '\0')
        refuse(q, "this link was used already, or is too old: ask for another with 'ferry console'");
    else if (certificate_name(q->http, who))
        sign_in(q, who);
    else
        refuse(q, "this browser has shown no certificate of an operator");
    wipe(code, sizeof(code));
}

/* ---- being signed in ---- */

void api_me(const struct api_request *q)
{
    struct operator_session session;
    if (q->cookie[0] == '\0' || operators_find(q->api->operators, q->cookie, &session) != OK)
        refuse(q, "nobody is signed in");
    else
        reply_json(q->http->reply, 200, session_value(&session));
}

void api_sign_out(const struct api_request *q)
{
    operators_sign_out(q->api->operators, q->cookie);
    http_reply_header(q->http->reply, "Set-Cookie",
                      OPERATOR_COOKIE "=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
    http_reply_send(q->http->reply, 204, NULL, VIEW_NULL);
}
