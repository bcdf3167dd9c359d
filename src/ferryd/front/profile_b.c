/* SPDX-License-Identifier: Apache-2.0
 *
 * The older dialect of the same dialogue (docs/protocol.md, "Profile B"): one address per order, the session
 * in a cookie, the card's ATR in the first body. Its client executes the commands behind a refused one too;
 * it is the chain of MACs that keeps them from taking effect, so nothing goes out here without C-MAC, which
 * the dialogue holds for every channel. */
#include "front/profile_b.h"

#include <stdio.h>
#include <string.h>

#include <tlv/tlv.h>

#include "front/dialogue.h"

static const char path_b[] = "/ram/";
static const char cookie_name[] = "ferry";
static const char own_protocol[] = "openscdp-remote-admin/1.0";
static const char gp_protocol[] = "globalplatform-remote-admin/1.0";

enum {
    TAG_INITIATION = 0xE8,
    TAG_ATR = 0xC0, /* in the first body: the ATR; in a script: reset, answered by the ATR */
    TAG_RESPONSE_SCRIPT = 0xAB,
    TAG_COUNT = 0x80,
    TAG_RAPDU = 0x23,
    TAG_CLOSE = 0xE1,
    SCRIPT_B_MAX = 65535 /* that client reads at most two bytes of length */
};

static void script_b(struct http_reply *reply, const char *token, struct view packet)
{
    char cookie[NAMED_TOKEN_TEXT + 64];
    if (packet.len > SCRIPT_B_MAX) {
        http_reply_send(reply, 500, "text/plain", view_str("The packet is too long for this client.\n"));
        return;
    }
    (void)snprintf(cookie, sizeof(cookie), "%s=%s; Secure; HttpOnly; SameSite=Strict", cookie_name, token);
    http_reply_header(reply, "Set-Cookie", cookie);
    http_reply_header(reply, "X-Admin-Protocol", own_protocol);
    http_reply_send(reply, 200, "application/org.openscdp-content-mgt;version=1.0", packet);
}

static void end_b(struct http_reply *reply, int status, const char *text)
{
    http_reply_send(reply, status, "text/plain", view_str(text));
}

static const struct dialogue_wire wire_b = {.script = script_b, .end = end_b, .keeps_token = true};

/* The cookie's value, copied to out: false when there is none of the right length. */
static bool read_cookie(const char *header, char out[NAMED_TOKEN_TEXT + 1])
{
    const size_t name = sizeof(cookie_name) - 1;
    for (const char *at = header; at != NULL && *at != '\0';) {
        at += strspn(at, "; ");
        size_t len = strcspn(at, ";");
        if (len == name + 1 + NAMED_TOKEN_TEXT && strncmp(at, cookie_name, name) == 0 && at[name] == '=') {
            memcpy(out, at + name + 1, NAMED_TOKEN_TEXT);
            out[NAMED_TOKEN_TEXT] = '\0';
            return true;
        }
        at += len;
    }
    return false;
}

enum err profile_b_initiation(struct view body, struct view *atr)
{
    struct reader r;
    struct tlv outer;
    rd_init(&r, body);
    if (!tlv_next(&r, &outer) || !rd_done(&r) || outer.tag != TAG_INITIATION || !tlv_valid(outer.value) ||
        !tlv_find(outer.value, TAG_ATR, atr) || atr->len > ATR_MAX)
        return ERR_FORMAT;
    return OK;
}

enum err profile_b_responses(struct view body, struct writer *script, bool *closed)
{
    struct reader r, inner;
    struct tlv outer, t;
    size_t mark;
    rd_init(&r, body);
    if (!tlv_next(&r, &outer) || !rd_done(&r) || outer.tag != TAG_RESPONSE_SCRIPT)
        return ERR_FORMAT;
    *closed = false;
    tlv_open(script, TAG_RESPONSE_SCRIPT, &mark);
    rd_init(&inner, outer.value);
    while (tlv_next(&inner, &t)) {
        if (t.tag == TAG_RAPDU || t.tag == TAG_COUNT)
            tlv_put(script, t.tag, t.value);
        else if (t.tag == TAG_CLOSE)
            *closed = true;
        else if (t.tag != TAG_ATR)
            return ERR_FORMAT;
    }
    tlv_close(script, mark);
    if (!rd_done(&inner))
        return ERR_FORMAT;
    return wr_status(script);
}

static bool speaks_protocol(const char *protocol)
{
    return protocol != NULL && (strcmp(protocol, own_protocol) == 0 || strcmp(protocol, gp_protocol) == 0);
}

void dialogue_post_b(struct dialogue *d, const struct http_request *r)
{
    char token[NAMED_TOKEN_TEXT + 1];
    struct writer script;
    bool closed = false;
    struct dialogue_request in = {.script_status = ""};
    if (!speaks_protocol(http_header(r, "X-Admin-Protocol"))) {
        dialogue_refuse(&wire_b, r->reply, REASON_BAD_ANSWER, 400);
        return;
    }
    wr_heap(&script, HTTP_BODY_MAX);
    enum err e;
    if (read_cookie(http_header(r, "Cookie"), token)) {
        in.token = token;
        e = profile_b_responses(r->body, &script, &closed);
        in.body = wr_view_of(&script);
        /* The reader or its owner gave up. */
        if (closed)
            in.script_status = "temporarily-unavailable-application";
    } else {
        in.ticket = r->path + strlen(path_b);
        e = profile_b_initiation(r->body, &in.atr);
    }
    if (e == OK)
        dialogue_take(d, &wire_b, &in, r->reply);
    else
        dialogue_refuse(&wire_b, r->reply, REASON_BAD_ANSWER, 400);
    wr_free(&script);
}
