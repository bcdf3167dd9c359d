/* SPDX-License-Identifier: Apache-2.0
 *
 * Who the card is, whether it is the right one, and whether a channel to it may be opened. Nothing that is
 * read here is proven: it chooses. What is proven begins with the card's cryptogram (session_opened). */
#include <stdio.h>
#include <string.h>

#include <base/log.h>

#include "parts.h"

enum {
    ASK_ALL = 0x7F,
    ASK_SELECT = 0x01,
    /* 42 and 45: they make up the card's number. What else is asked is good to know. */
    ASK_IIN = 0x10,
    ASK_CIN = 0x20
};

/* ---- Scripts ----------------------------------------------------------------------------------------- */

static size_t asked_count(const struct session *s)
{
    size_t count = 0;
    for (unsigned n = 0; n < IDENTITY_COMMANDS; n++)
        count += s->asked >> n & 1;
    return count;
}

/* The identity commands that are asked, and the opening behind them when a channel is to be opened. */
enum err session_send_questions(struct session *s, struct session_turn *out, enum session_state state)
{
    struct apdu commands[IDENTITY_COMMANDS];
    struct script_writer script;
    size_t count = asked_count(s);
    enum err e = OK;
    identity_commands(commands, aid_view(&s->type.isd));
    if (quirk_in(s->type.quirks, QUIRK_CPLC_CLASS_00))
        commands[IDENTITY_CPLC].cla = 0x00;
    wr_clear(&s->packet);
    script_begin(&script, &s->packet, SCRIPT_DEFINITE);
    for (unsigned n = 0; n < IDENTITY_COMMANDS; n++) {
        if (s->asked >> n & 1)
            script_put_apdu(&script, &commands[n]);
    }
    if (state == SESSION_OPEN) {
        e = session_put_opening(s, &script);
        count += s->opening_count;
    }
    if (e == OK)
        e = script_end(&script);
    return e == OK ? session_send(s, out, state, count) : e;
}

void session_forget_answers(struct session *s)
{
    memset(s->answers, 0, sizeof(s->answers));
    s->asked = ASK_ALL;
}

static enum err send_identify(struct session *s, struct session_turn *out)
{
    session_forget_answers(s);
    return session_send_questions(s, out, SESSION_IDENTIFY);
}

/* ---- Answers ----------------------------------------------------------------------------------------- */

/* What the answers leave open. */
enum answered { ANSWERED_ALL, ANSWERED_ASK_REST, ANSWERED_NO_SELECT, ANSWERED_TORN };

static bool stops_a_client(uint16_t sw)
{
    return !sw_is_ok_or_warning(sw);
}

/* Keeps the answers to the identity commands. A client stops at an error status word, so a card that lacks an
 * object ends the script there: what matters of the rest is asked again, without what was answered. */
static enum answered take_answers(struct session *s, const struct response_script *r, size_t expected)
{
    size_t taken = 0;
    unsigned last = 0;
    for (unsigned n = 0; n < IDENTITY_COMMANDS && taken < r->count; n++) {
        if ((s->asked >> n & 1) == 0)
            continue;
        struct view rapdu = r->rapdus[taken++];
        if (rapdu.len <= IDENTITY_ANSWER_MAX) {
            memcpy(s->answers[n].data, rapdu.data, rapdu.len);
            s->answers[n].len = rapdu.len;
        }
        last = n;
    }
    if (r->count == expected)
        return ANSWERED_ALL;
    struct rapdu stopped = {0};
    if (r->count == 0 || rapdu_parse(r->rapdus[r->count - 1], &stopped) != OK || !stops_a_client(stopped.sw))
        return ANSWERED_TORN;
    if (r->count > asked_count(s)) /* everything but the opening was answered */
        return ANSWERED_ALL;
    if (last == 0 && (s->asked & ASK_SELECT) != 0)
        return ANSWERED_NO_SELECT;
    unsigned done = (2U << last) - 1;
    s->asked = (uint8_t)(s->asked & ~done & (ASK_IIN | ASK_CIN));
    if ((1U << last) == ASK_IIN)
        s->asked = 0; /* a number without its issuer is none */
    return ANSWERED_ASK_REST;
}

static enum err read_identity(struct session *s)
{
    struct rapdu answers[IDENTITY_COMMANDS];
    for (size_t n = 0; n < IDENTITY_COMMANDS; n++) {
        answers[n] = (struct rapdu){.sw = SW_REFERENCED_DATA};
        if (s->answers[n].len > 0 &&
            rapdu_parse(view_of(s->answers[n].data, s->answers[n].len), &answers[n]) != OK)
            answers[n] = (struct rapdu){.sw = SW_REFERENCED_DATA};
    }
    return identity_parse(&s->identity, view_of(s->atr, s->atr_len), answers, IDENTITY_COMMANDS);
}

/* Parses the event's response script. ERR_FORMAT: also when there are more answers than commands. */
static enum err read_script(const struct session *s, struct response_script *r, size_t expected)
{
    enum err e = response_parse(s->body, r);
    if (e == ERR_LIMIT)
        return ERR_FORMAT;
    return e == OK && r->count > expected ? ERR_FORMAT : e;
}

/* ---- Choices ----------------------------------------------------------------------------------------- */

static enum err end_unknown_card(struct session *s, struct session_turn *out)
{
    return session_end(s, out, OUTCOME_FAILED, REASON_UNKNOWN_CARD, NULL);
}

/* The order's type, else the one that the card had before, else what fits best. ERR_NOT_FOUND: none. */
static enum err choose_type(struct session *s, const struct session_world *w,
                            const struct session_card *known, const struct identity *id)
{
    struct session_type type;
    enum err e;
    if (s->order.type[0] != '\0')
        e = w->type(w->ctx, s->order.type, &type);
    else if (known != NULL && known->type[0] != '\0')
        e = w->type(w->ctx, known->type, &type);
    else
        e = w->match(w->ctx, view_of(s->atr, s->atr_len), id, &type);
    if (e == OK)
        s->type = type;
    return e;
}

/* Rule 3 and rule 12 of card protection. */
static enum err check_ledger(struct session *s, const struct session_world *w, struct session_turn *out,
                             bool *ended)
{
    struct session_ledger ledger;
    enum err e = w->ledger(w->ctx, s->card, s->type.kvn, &ledger);
    if (e != OK)
        return e;
    uint32_t others = ledger.openings - (s->counted && ledger.openings > 0 ? 1 : 0);
    const char *why = NULL;
    if (ledger.wrong_cryptograms > 0)
        why = "The card's cryptogram was wrong before.";
    else if (others >= s->type.max_openings)
        why = "Too many channels to this card were opened and not finished.";
    else if (ledger.failed_loads >= SESSION_FAILED_LOADS_MAX)
        why = "Too many loads in a row were refused by this card.";
    if (why == NULL)
        return OK;
    *ended = true;
    return session_end(s, out, OUTCOME_FAILED, REASON_CARD_BLOCKED, "%s", why);
}

static bool pinned_otherwise(int pinned, int now)
{
    return pinned >= 0 && pinned != now;
}

/* Rule 6: what a card once was proven to speak, it speaks from then on. */
static bool weaker_than_pinned(const struct session *s, const struct session_card *known)
{
    return pinned_otherwise(known->pinned_scp, s->type.scp) || pinned_otherwise(known->pinned_i, s->type.i) ||
           pinned_otherwise(known->pinned_kvn, s->type.kvn);
}

enum err session_end_downgrade(struct session *s, struct session_turn *out)
{
    return session_end(s, out, OUTCOME_FAILED, REASON_DOWNGRADE, NULL);
}

/* A card that the store knows: may it be served, and what does it hold? */
static enum err use_known(struct session *s, const struct session_card *known, struct session_turn *out,
                          bool *ended)
{
    if (known->quarantined) {
        *ended = true;
        return session_end(s, out, OUTCOME_FAILED, REASON_CARD_BLOCKED, NULL);
    }
    if (weaker_than_pinned(s, known)) {
        *ended = true;
        return session_end_downgrade(s, out);
    }
    if (known->registry.len > 0 && !s->look_first) {
        registry_finish(&s->registry);
        s->registry = (struct registry){0};
        s->registry_known = registry_decode(&s->registry, known->registry) == OK;
    }
    return OK;
}

/* From the card's identity to its type. *ended: the session is over. */
static enum err recognise(struct session *s, const struct session_world *w, struct session_turn *out,
                          bool *ended)
{
    char number[2 * CARD_NUMBER_MAX + 2];
    struct session_card known;
    *ended = true;
    if (identity_card_number(&s->identity, number) != OK)
        return session_end(s, out, OUTCOME_FAILED, REASON_UNKNOWN_CARD, "The card does not tell a number.");
    bool other = s->card[0] != '\0' && strcmp(number, s->card) != 0;
    if (other || (s->order.card[0] != '\0' && strcmp(number, s->order.card) != 0))
        return session_end(s, out, OUTCOME_FAILED, REASON_WRONG_CARD, "This is card %s.", number);
    memcpy(s->card, number, sizeof(number));
    s->facts.identity = true;

    enum err e = w->card(w->ctx, number, &known);
    bool is_known = e == OK;
    if (e != OK && e != ERR_NOT_FOUND)
        return e;
    e = choose_type(s, w, is_known ? &known : NULL, &s->identity);
    if (e == ERR_NOT_FOUND || e == ERR_STATE)
        return end_unknown_card(s, out);
    if (e != OK)
        return e;
    if (!w->fits(w->ctx, s->type.name, view_of(s->atr, s->atr_len), &s->identity))
        return session_end(s, out, OUTCOME_FAILED, REASON_WRONG_CARD, "This is no card of type %s.",
                           s->type.name);
    *ended = false;
    /* A card that this session sees for the first time is believed to be empty. When that is wrong it
     * refuses, and is asked. */
    if (is_known)
        e = use_known(s, &known, out, ended);
    else
        s->registry_known = !s->look_first;
    if (e == OK && !*ended)
        e = check_ledger(s, w, out, ended);
    return e;
}

/* ---- Actions ----------------------------------------------------------------------------------------- */

/* A type that is known by the order, the card's history, or the ATR lets the first script open the channel.
 */
static enum err begin_with_type(struct session *s, const struct session_world *w, struct session_turn *out)
{
    bool ended = false;
    if (!w->fits(w->ctx, s->type.name, view_of(s->atr, s->atr_len), NULL))
        return session_end(s, out, OUTCOME_FAILED, REASON_WRONG_CARD, "This is no card of type %s.",
                           s->type.name);
    if (s->type.identify_first)
        return send_identify(s, out);
    if (s->card[0] != '\0') {
        enum err e = check_ledger(s, w, out, &ended);
        if (e != OK || ended)
            return e;
    }
    return session_send_open(s, w, out);
}

/* Which card it is said to be. The order says it, or a client that has looked: then a card that is set aside
 * is not opened just to find out who it is, and an opening whose answer never comes stands in its ledger all
 * the same. */
static const char *said_to_be(const struct session *s, const struct session_event *event)
{
    if (s->order.card[0] != '\0')
        return s->order.card;
    return event->card != NULL ? event->card : "";
}

enum err session_begin(struct session *s, const struct session_world *w, const struct session_event *event,
                       struct session_turn *out)
{
    struct session_card known;
    bool is_known = false, ended = false;
    enum err e = OK;
    const char *number = said_to_be(s, event);
    e = session_check_app(s, w, out, &ended);
    if (e != OK || ended)
        return e;
    if (event->card != NULL && strcmp(event->card, number) != 0)
        return session_end(s, out, OUTCOME_FAILED, REASON_WRONG_CARD, "This is card %s.", event->card);
    if (number[0] != '\0') {
        e = w->card(w->ctx, number, &known);
        if (e != OK && e != ERR_NOT_FOUND)
            return e;
        is_known = e == OK;
        (void)snprintf(s->card, sizeof(s->card), "%s", number);
    }
    e = choose_type(s, w, is_known ? &known : NULL, NULL);
    if (e == ERR_NOT_FOUND && s->order.type[0] == '\0')
        return end_unknown_card(s, out);
    if (e == ERR_NOT_FOUND)
        return session_end(s, out, OUTCOME_FAILED, REASON_SERVER_FAULT, "There is no card type %s.",
                           s->order.type);
    if (e == ERR_STATE)
        return send_identify(s, out);
    if (e == OK && is_known)
        e = use_known(s, &known, out, &ended);
    if (e != OK || ended)
        return e;
    return begin_with_type(s, w, out);
}

enum err session_identified(struct session *s, const struct session_world *w,
                            const struct session_event *event, struct session_turn *out)
{
    struct response_script r;
    bool ended = false;
    (void)event;
    enum err e = read_script(s, &r, asked_count(s));
    if (e != OK)
        return e;
    enum answered a = take_answers(s, &r, asked_count(s));
    if (a == ANSWERED_TORN)
        return session_end(s, out, OUTCOME_FAILED, REASON_CARD_PULLED, NULL);
    if (a == ANSWERED_NO_SELECT)
        return end_unknown_card(s, out);
    if (a == ANSWERED_ASK_REST && s->asked != 0)
        return session_send_questions(s, out, SESSION_IDENTIFY);
    if (read_identity(s) != OK)
        return end_unknown_card(s, out);
    e = recognise(s, w, out, &ended);
    return e != OK || ended ? e : session_send_open(s, w, out);
}

/* A type that was chosen by the ATR alone can turn out to be another one: then the channel is opened once
 * more, as that type's. */
static enum err reopen(struct session *s, const struct session_world *w, const struct session_type *before,
                       struct session_turn *out)
{
    if (!s->counted)
        session_record(s, RECORD_LEDGER_OPENING, before->kvn, before->max_openings);
    return session_send_open(s, w, out);
}

enum err session_answered(struct session *s, const struct session_world *w, const struct session_event *event,
                          struct session_turn *out)
{
    struct response_script r;
    const struct session_type before = s->type;
    size_t asked = asked_count(s), expected = asked + s->opening_count;
    bool ended = false;
    (void)event;
    enum err e = read_script(s, &r, expected);
    if (e != OK)
        return e;
    enum answered a = take_answers(s, &r, expected);
    if (a == ANSWERED_TORN)
        return session_end(s, out, OUTCOME_FAILED, REASON_CARD_PULLED, NULL);
    if (a == ANSWERED_NO_SELECT)
        return end_unknown_card(s, out);
    if (a == ANSWERED_ASK_REST)
        return session_send_questions(s, out, SESSION_OPEN);
    if (read_identity(s) != OK)
        return end_unknown_card(s, out);
    e = recognise(s, w, out, &ended);
    if (e != OK || ended)
        return e;
    if (strcmp(before.name, s->type.name) != 0)
        return reopen(s, w, &before, out);
    return session_check_opening(s, w, r.rapdus + asked, r.count - asked, out);
}

/* The connection was lost. A channel that was open is dead; a packet that was out may have been executed in
 * part or as a whole, so the card is asked what it holds before anything else happens. Nothing is sent again.
 */
enum err session_resume(struct session *s, const struct session_world *w, const struct session_event *e,
                        struct session_turn *out)
{
    bool ended = false;
    (void)e;
    if (s->state == SESSION_IDENTIFY)
        return send_identify(s, out);
    if (s->state == SESSION_DELIVER) {
        s->look_first = true;
        s->torn = s->torn || !s->looking;
        registry_finish(&s->registry);
        s->registry_known = false;
    }
    if (s->channel_proven) {
        session_record(s, RECORD_LEDGER_RELEASE, s->type.kvn, UINT32_MAX);
    } else if (s->card[0] != '\0') {
        s->counted = false; /* the opening that was under way is one of the unfinished ones now */
        enum err result = check_ledger(s, w, out, &ended);
        if (result != OK || ended)
            return result;
    }
    return session_send_open(s, w, out);
}
