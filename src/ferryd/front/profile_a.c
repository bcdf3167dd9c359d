/* SPDX-License-Identifier: Apache-2.0
 *
 * Profile A: the headers of Amendment B (docs/protocol.md). A ticket begins, a token in the next address goes
 * on.
 */
#include <stdio.h>
#include <string.h>

#include <base/text.h>

#include "front/dialogue.h"

static const char protocol_a[] = "globalplatform-remote-admin/1.0";
static const char command_type[] = "application/vnd.globalplatform.card-content-mgt;version=1.0";
static const char response_type[] = "application/vnd.globalplatform.card-content-mgt-response";

static void script_a(struct http_reply *reply, const char *token, struct view packet)
{
    char next[NAMED_TOKEN_TEXT + 16];
    (void)snprintf(next, sizeof(next), "/gp/adm?s=%s", token);
    http_reply_header(reply, "X-Admin-Protocol", protocol_a);
    http_reply_header(reply, "X-Admin-Next-URI", next);
    http_reply_send(reply, 200, command_type, packet);
}

static void end_a(struct http_reply *reply, int status, const char *text)
{
    http_reply_header(reply, "X-Admin-Protocol", protocol_a);
    http_reply_send(reply, status, "text/plain", view_str(text));
}

static const struct dialogue_wire wire_a = {.script = script_a, .end = end_a};

/* X-Admin-From: //se-id/ATR/<hex>;//aa-id/... Gives 0 when there is none that is well-formed. */
static size_t atr_of(const char *from, uint8_t out[ATR_MAX])
{
    static const char mark[] = "//se-id/ATR/";
    const char *at = from != NULL ? strstr(from, mark) : NULL;
    struct writer w;
    if (at == NULL)
        return 0;
    at += sizeof(mark) - 1;
    wr_fixed(&w, out, ATR_MAX);
    return hex_read(view_of(at, strcspn(at, ";")), &w) == OK && wr_ok(&w) ? w.len : 0;
}

/* X-Ferry-Card: a card number as identity_card_number writes it; NULL when it is anything else. */
static const char *card_of(const char *text)
{
    bool good = text != NULL && *text != '\0' && strlen(text) <= CARD_NUMBER_TEXT_MAX &&
                text[strspn(text, "0123456789ABCDEF-")] == '\0';
    return good ? text : NULL;
}

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

void dialogue_post(struct dialogue *d, const struct http_request *r)
{
    uint8_t atr[ATR_MAX];
    const char *protocol = http_header(r, "X-Admin-Protocol");
    struct dialogue_request in = {.ticket = http_query(r, "t"),
                                  .token = http_query(r, "s"),
                                  .body = r->body,
                                  .script_status = or_empty(http_header(r, "X-Admin-Script-Status")),
                                  .resume = strcmp(or_empty(http_header(r, "X-Admin-Resume")), "true") == 0};
    if (protocol == NULL || strcmp(protocol, protocol_a) != 0 || (in.ticket == NULL) == (in.token == NULL)) {
        dialogue_refuse(&wire_a, r->reply, REASON_BAD_ANSWER, 400);
        return;
    }
    if (in.token != NULL && !in.resume &&
        strncmp(or_empty(http_header(r, "Content-Type")), response_type, sizeof(response_type) - 1) != 0) {
        dialogue_refuse(&wire_a, r->reply, REASON_BAD_ANSWER, 415);
        return;
    }
    in.atr = view_of(atr, atr_of(http_header(r, "X-Admin-From"), atr));
    in.card = card_of(http_header(r, "X-Ferry-Card"));
    dialogue_take(d, &wire_a, &in, r->reply);
}
