/* SPDX-License-Identifier: Apache-2.0
 *
 * What pages and clients send to the holder's side of the front (docs/web.md), read into plain structs: the
 * ticket that carries a visit, the progress that a client reports, the wish for a visit. */
#ifndef FRONT_PAGE_BODIES_H
#define FRONT_PAGE_BODIES_H

#include "front/json.h"
#include "store/store.h"

enum {
    VISIT_LEN = 16,
    VISIT_TEXT = 22,         /* base64url */
    READER_TEXT_MAX = 128,   /* MAX_READERNAME of PC/SC */
    PROGRESS_MAX = 0xFFFF,   /* commands, as a script counts them */
    PAGE_BODY_MAX = 2 * 1024 /* the longest fields, each byte of them escaped */
};

/* "TICKET" or "TICKET.VISIT". */
struct page_ticket {
    struct view ticket;         /* borrowed from the text */
    char visit[VISIT_TEXT + 1]; /* "": there is none that is well-formed */
};
/* Never fails: a visit decides nothing, so what stands behind the point in its place is dropped. */
void page_ticket_split(struct view text, struct page_ticket *out);

/* A visit's name as bytes. ERR_FORMAT when text is none. */
enum err visit_read(const char *text, uint8_t out[VISIT_LEN]) MUST_USE;
void visit_write(const uint8_t name[VISIT_LEN], char out[VISIT_TEXT + 1]);

#define STAGE_LIST(X)                                                                                        \
    X(STAGE_CLIENT, "client")     /* it runs and may go on */                                                \
    X(STAGE_DECLINED, "declined") /* its user said no */                                                     \
    X(STAGE_NO_READER, "no-reader")                                                                          \
    X(STAGE_NO_CARD, "no-card") /* it waits for one */                                                       \
    X(STAGE_READER, "reader")   /* reader and card are known */                                              \
    X(STAGE_IDENTIFY, "identify")                                                                            \
    X(STAGE_AUTHENTICATE, "authenticate")                                                                    \
    X(STAGE_DELIVER, "deliver")                                                                              \
    X(STAGE_SETTLE, "settle") /* the answers are on their way */                                             \
    X(STAGE_LOST, "lost")     /* the card was pulled */                                                      \
    X(STAGE_ERROR, "error")                                                                                  \
    X(STAGE_ENDED, "ended")

#define STAGE_ENUM(id, word) id,
enum stage { STAGE_LIST(STAGE_ENUM) STAGE_COUNT };
#undef STAGE_ENUM
const char *stage_word(enum stage s);

/* How far a client says that it is. Shown, never believed. */
struct progress {
    enum stage stage;
    char reader[READER_TEXT_MAX + 1];    /* a line that can be shown; "" */
    char card[CARD_NUMBER_TEXT_MAX + 1]; /* as identity_card_number writes it; "" */
    uint32_t done, total;                /* done is not above total */
};
/* ERR_LIMIT, ERR_FORMAT, ERR_ARGUMENT with why, as json.h has them. Only stage must be there. */
enum err progress_parse(struct view body, struct progress *out, char *why, size_t why_len) MUST_USE;

struct visit_body {
    char ticket[TICKET_MAX + 1 + VISIT_TEXT + 1]; /* with a visit before it or not */
    char session[ID_TEXT + 1];                    /* "": none */
};
enum err visit_body_parse(struct view body, struct visit_body *out, char *why, size_t why_len) MUST_USE;

#endif
