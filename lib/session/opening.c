/* SPDX-License-Identifier: Apache-2.0
 *
 * The opening of a channel, whatever the method: which keys it takes, the commands that go out, what the
 * card's answers must be before any key is used, and what the vault found. */
#include <string.h>

#include <apdu/atr.h>
#include <base/log.h>

#include "parts.h"

/* Channels left to a key set: time to change it. SCP02 has 32,767 in all. */
enum { COUNTER_LOW = 1000 };

static bool has_pairs(const struct channel_method *m)
{
    return key_type_is_pair(m->key_type);
}

/* For the opening alone: the card may not be known yet. SCP11 says there who the host is. */
static enum err find_opening_keys(struct session *s, const struct session_world *w)
{
    enum err e = OK;
    s->key = s->peer = (struct session_key){0};
    if (s->type.key[0] != '\0')
        e = w->key(w->ctx, s->type.key, 0, &s->key);
    if (e == OK && s->type.trust[0] != '\0')
        e = w->key(w->ctx, s->type.trust, 0, &s->peer);
    return e;
}

/* SCP01 to SCP03: the type's master key, or the card's own. SCP11: the host's key pair, where the variant has
 * one, and the key that cards' certificates are verified with. F0: the host's key pair and the card's public
 * key. */
static enum err find_keys(struct session *s, const struct session_world *w)
{
    const struct channel_method *m = session_method(s);
    enum err e = OK;
    s->key = s->peer = (struct session_key){0};
    if (!has_pairs(m) && s->type.kdf == KDF_IMPORTED)
        e = w->card_key(w->ctx, s->card, KEY_USE_CARD, &s->key);
    else if (s->type.key[0] != '\0')
        e = w->key(w->ctx, s->type.key, 0, &s->key);
    if (e == OK && has_pairs(m))
        e = m->keyed_opening ? w->key(w->ctx, s->type.trust, 0, &s->peer)
                             : w->card_key(w->ctx, s->card, KEY_USE_PEER, &s->peer);
    if (e == OK && !has_pairs(m) && !channel_keys_fit(m, s->key.attributes.type, s->key.attributes.key_len))
        e = ERR_NOT_FOUND;
    return e;
}

static struct vault_key vault_key_of(const struct session_key *k)
{
    return (struct vault_key){k->attributes, view_of(k->sealed, k->sealed_len)};
}

static enum err vault_keys_of(struct session *s, struct vault_keys *out)
{
    struct reader r;
    size_t count = 0;
    rd_init(&r, view_of(s->type.certificates, s->type.certificates_len));
    while (rd_ok(&r) && rd_left(&r) > 0 && count < CERTIFICATES_MAX)
        s->certificates[count++] = rd_view16(&r, CERTIFICATE_BYTES_MAX);
    if (!rd_done(&r))
        return ERR_ARGUMENT;
    *out = (struct vault_keys){.key = vault_key_of(&s->key),
                               .peer = vault_key_of(&s->peer),
                               .kdf = s->type.kdf,
                               .certificates = s->certificates,
                               .certificate_count = count,
                               .ca_kvn = s->type.ca_kvn,
                               .ca_kid = s->type.ca_kid};
    return OK;
}

static struct channel_request request_of(const struct session *s)
{
    return (struct channel_request){.method = session_method(s),
                                    .level = s->level,
                                    .kvn = s->type.kvn,
                                    .kid = s->type.kid,
                                    .session_key_len = s->type.session_key_len,
                                    .aid = aid_view(&s->type.isd)};
}

/* With card keys an opening holds a random number and no secret: it is made here. */
static enum err begin_plain(struct session *s, const struct session_world *w)
{
    const struct channel_request request = request_of(s);
    struct channel_opening opening;
    struct script_writer script;
    enum err e = channel_begin(&opening, NULL, w->random, &request, NULL);
    if (e != OK)
        return e;
    e = channel_opening_encode(&opening, &s->opening);
    script_begin(&script, &s->opening_commands, SCRIPT_DEFINITE);
    for (size_t n = 0; n < opening.count; n++)
        script_put_apdu(&script, &opening.commands[n]);
    s->opening_count = opening.count;
    if (e == OK)
        e = script_end(&script);
    channel_opening_finish(&opening);
    return e;
}

static enum err ask_opening(struct session *s, const struct session_world *w, struct session_turn *out)
{
    enum err e = find_opening_keys(s, w);
    if (e == ERR_NOT_FOUND)
        return session_end(s, out, OUTCOME_FAILED, REASON_NO_KEY, NULL);
    if (e == OK)
        e = vault_keys_of(s, &out->begin.keys);
    if (e != OK)
        return e;
    s->state = SESSION_PREPARE;
    out->want = SESSION_WANT_BEGIN;
    out->begin.scp = s->type.scp;
    out->begin.i = s->type.i;
    out->begin.level = s->level;
    out->begin.kvn = s->type.kvn;
    out->begin.kid = s->type.kid;
    out->begin.session_key_len = s->type.session_key_len;
    out->begin.aid = aid_view(&s->type.isd);
    out->begin.chained_p1 = quirk_in(s->type.quirks, QUIRK_PSO_P1_CHAIN);
    out->begin.now_ms = w->now_ms(w->ctx);
    out->begin.session = view_str(s->id);
    return OK;
}

/* What the vault says about the server's own keys. *ended: it is no outcome of the card. */
static enum err end_by_keys(struct session *s, struct session_turn *out, enum err result, bool *ended)
{
    *ended = true;
    switch (result) {
    case ERR_CONFLICT:
        return session_end(s, out, OUTCOME_FAILED, REASON_SERVER_FAULT,
                           "The stored key %s is not the one that its name says.", s->key.attributes.name);
    case ERR_ARGUMENT:
    case ERR_UNSUPPORTED:
    case ERR_POLICY:
        return session_end(s, out, OUTCOME_FAILED, REASON_SERVER_FAULT,
                           "Key %s does not go together with the card type.", s->key.attributes.name);
    case ERR_EXPIRED:
        return session_end(s, out, OUTCOME_FAILED, REASON_SERVER_FAULT,
                           "A certificate is not valid now: the card's or the server's.");
    default:
        *ended = false;
        return OK;
    }
}

static enum err end_weak(struct session *s, struct session_turn *out, enum weak w)
{
    return session_end(s, out, OUTCOME_FAILED, REASON_POLICY,
                       "%s, and the server's policy does not allow it.", weak_text(w));
}

/* A card that tells what it can do, and not that. */
static bool lacks_extended_length(const struct session *s)
{
    struct atr atr;
    if (quirk_in(s->type.quirks, QUIRK_EXTENDED_LENGTH))
        return false;
    if (quirk_in(s->type.quirks, QUIRK_SHORT_ONLY))
        return true;
    return atr_parse(view_of(s->atr, s->atr_len), &atr) == OK && atr.tells_abilities && !atr.extended_length;
}

enum err session_check_app(struct session *s, const struct session_world *w, struct session_turn *out,
                           bool *ended)
{
    bool approved = false;
    *ended = false;
    if (s->order.app[0] == '\0')
        return OK;
    enum err e = w->approved(w->ctx, s->order.app, &approved);
    *ended = e == ERR_NOT_FOUND || (e == OK && !approved);
    if (e == ERR_NOT_FOUND)
        return session_end(s, out, OUTCOME_FAILED, REASON_SERVER_FAULT, "There is no application %s.",
                           s->order.app);
    return *ended ? session_end(s, out, OUTCOME_FAILED, REASON_NOT_APPROVED, NULL) : e;
}

/* The opening is counted on the order, and on the card's ledger where the card is known, in the same write
 * that comes before the script leaves: INITIALIZE UPDATE alone can burn a try. */
enum err session_send_open(struct session *s, const struct session_world *w, struct session_turn *out)
{
    const struct channel_method *m = session_method(s);
    bool ended = false;
    /* session_begin has just looked. */
    enum err checked = s->state != SESSION_NEW ? session_check_app(s, w, out, &ended) : OK;
    if (checked != OK || ended)
        return checked;
    if (m == NULL)
        return session_end(s, out, OUTCOME_FAILED, REASON_SERVER_FAULT,
                           "The card type names a secure channel that the server does not have.");
    s->level = (uint8_t)(s->type.level | (s->order.level < 0 ? 0 : s->order.level));
    if ((s->level & LEVEL_C_MAC) == 0 || !channel_level_ok(m, s->level))
        return session_end(s, out, OUTCOME_FAILED, REASON_SERVER_FAULT,
                           "Security level %02X is not possible with this card type.", s->level);
    enum weak refused;
    if (weak_check(weak_of_method(m), w->allow_weak, &refused) != OK)
        return end_weak(s, out, refused);
    const char *extended = channel_extended_reason(m);
    if (extended != NULL && lacks_extended_length(s))
        return session_end(s, out, OUTCOME_FAILED, REASON_REFUSED, "The card has no extended length: %s.",
                           extended);
    session_close_channel(s);
    session_forget_answers(s);
    session_record(s, RECORD_ORDER_OPENING, 0, 0);
    s->counted = s->card[0] != '\0';
    if (s->counted)
        session_record(s, RECORD_LEDGER_OPENING, s->type.kvn, s->type.max_openings);
    if (has_pairs(m))
        return ask_opening(s, w, out);
    enum err e = begin_plain(s, w);
    return e == OK ? session_send_questions(s, out, SESSION_OPEN) : e;
}

enum err session_prepared(struct session *s, const struct session_world *w, const struct session_event *event,
                          struct session_turn *out)
{
    bool ended;
    (void)w;
    enum err e = end_by_keys(s, out, event->result, &ended);
    if (e != OK || ended)
        return e;
    if (event->result != OK)
        return event->result;
    wr_view(&s->opening_commands, event->bytes);
    wr_view(&s->opening, event->opening);
    e = script_count(event->bytes, &s->opening_count);
    if (e == OK)
        e = wr_status(&s->opening_commands);
    if (e == OK)
        e = wr_status(&s->opening);
    return e == OK ? session_send_questions(s, out, SESSION_OPEN) : e;
}

enum err session_put_opening(const struct session *s, struct script_writer *script)
{
    struct script_reader commands;
    enum script_fault fault;
    struct view capdu = VIEW_NULL;
    enum err e = script_open(&commands, wr_view_of(&s->opening_commands), &fault);
    for (size_t n = 0; e == OK && n < s->opening_count; n++) {
        e = script_next(&commands, &capdu, &fault);
        if (e == OK)
            script_put_capdu(script, capdu);
    }
    return e;
}

/* ---- Answers ----------------------------------------------------------------------------------------- */

/* Rule 4: a key set that is blocked answers INITIALIZE UPDATE so. */
static enum err end_blocked(struct session *s, struct session_turn *out, uint16_t sw)
{
    session_drop_records(s, RECORD_LEDGER_OPENING);
    s->facts.quarantine = true;
    return session_end(s, out, OUTCOME_FAILED, REASON_CARD_BLOCKED,
                       "The card answered %04X to INITIALIZE UPDATE: its keys are blocked.", sw);
}

/* The header of the n-th command of the opening; zeros where there is none. */
static struct apdu opening_header(const struct session *s, size_t n)
{
    struct script_reader commands;
    enum script_fault fault;
    struct view capdu = VIEW_NULL;
    struct apdu a = {0};
    if (script_open(&commands, wr_view_of(&s->opening_commands), &fault) != OK)
        return (struct apdu){0};
    for (size_t k = 0; k <= n; k++) {
        if (script_next(&commands, &capdu, &fault) != OK)
            return (struct apdu){0};
    }
    return apdu_parse(capdu, &a) == OK ? a : (struct apdu){0};
}

/* Amendment F 7.5: PERFORM SECURITY OPERATION names the key of the authority in P1 and P2; what bit 8 of
 * either says is not part of the name. */
static enum err end_no_card_key(struct session *s, struct session_turn *out, const struct apdu *command)
{
    enum { VERIFY_CERTIFICATE = 0x2A, NAME = 0x7F };
    if (command->ins == VERIFY_CERTIFICATE)
        return session_end(s, out, OUTCOME_FAILED, REASON_NO_KEY,
                           "The card has no key of an authority for the host's certificate: version %02X, "
                           "identifier %02X (ca_kvn, ca_kid).",
                           command->p1 & NAME, command->p2 & NAME);
    return session_end(s, out, OUTCOME_FAILED, REASON_NO_KEY, "The card has no keys of version %02X.",
                       s->type.kvn);
}

static enum err end_by_status(struct session *s, struct session_turn *out, const struct apdu *command,
                              uint16_t sw)
{
    uint8_t ins = command->ins;
    if (ins == INS_INITIALIZE_UPDATE && (sw == SW_SECURITY_STATUS || sw == SW_AUTH_BLOCKED))
        return end_blocked(s, out, sw);
    if (sw == SW_REFERENCED_DATA)
        return end_no_card_key(s, out, command);
    const char *extended = channel_extended_reason(session_method(s));
    if (extended != NULL && sw == SW_WRONG_LENGTH)
        return session_end(s, out, OUTCOME_FAILED, REASON_REFUSED,
                           "The card answered %04X to a command of extended length: %s.", sw, extended);
    return session_end(s, out, OUTCOME_FAILED, REASON_REFUSED, "The card answered %04X to %s: %s.", sw,
                       command_name(ins), command_sw_text(ins, sw));
}

static enum err end_no_key(struct session *s, struct session_turn *out)
{
    bool only_peer = s->type.scp == SCP_SIGNED && s->key.attributes.version != 0;
    return session_end(s, out, OUTCOME_FAILED, REASON_NO_KEY,
                       only_peer ? "The server has no public key of this card (a key with use peer)." : NULL);
}

static enum err ask_vault(struct session *s, const struct session_world *w, size_t answers,
                          struct session_turn *out)
{
    enum err e = find_keys(s, w);
    if (e == ERR_NOT_FOUND)
        return end_no_key(s, out);
    enum weak refused;
    if (e == OK && weak_check(weak_of_key(s->key.attributes.type, s->key.attributes.key_len), w->allow_weak,
                              &refused) != OK)
        return end_weak(s, out, refused);
    if (e == OK)
        e = vault_keys_of(s, &out->open.keys);
    if (e != OK)
        return e;
    s->state = SESSION_VERIFY;
    out->want = SESSION_WANT_OPEN;
    out->open.scp = s->type.scp;
    out->open.i = s->type.i;
    out->open.opening = wr_view_of(&s->opening);
    out->open.answers = s->opening_answers;
    out->open.answer_count = answers;
    out->open.session = view_str(s->id);
    return OK;
}

/* Rule 6: a key version goes in by name, and the same must come out; nor may the protocol be another. */
static enum err check_initialize_update(struct session *s, struct view data, struct session_turn *out,
                                        bool *ended)
{
    struct init_update iu;
    *ended = true;
    if (init_update_parse(data, &iu) != OK)
        return session_end(s, out, OUTCOME_FAILED, REASON_REFUSED,
                           "The card's answer to INITIALIZE UPDATE is malformed.");
    if (iu.kvn != s->type.kvn || iu.scp != s->type.scp || (iu.i >= 0 && iu.i != s->type.i))
        return session_end_downgrade(s, out);
    /* Rule 13: at its end the key set opens no channel any more. */
    uint32_t left = channel_counter_left(&iu);
    if (left < COUNTER_LOW)
        LOG(LOG_WARNING, "session.counter-low", log_str("session", s->id), log_str("card", s->card),
            log_u64("channels_left", left));
    memcpy(s->kdd, iu.kdd, sizeof(s->kdd));
    *ended = false;
    return OK;
}

/* The answers to the opening, before any key is used. */
enum err session_check_opening(struct session *s, const struct session_world *w, const struct view *rapdus,
                               size_t count, struct session_turn *out)
{
    struct rapdu first, last;
    bool ended = false;
    enum err e = OK;
    if (count == 0 || count > s->opening_count || rapdu_parse(rapdus[0], &first) != OK ||
        rapdu_parse(rapdus[count - 1], &last) != OK)
        return ERR_FORMAT;
    if (last.sw != SW_OK) {
        const struct apdu command = opening_header(s, count - 1);
        return end_by_status(s, out, &command, last.sw);
    }
    if (count < s->opening_count)
        return ERR_FORMAT;
    if (!s->counted) {
        session_record(s, RECORD_LEDGER_OPENING, s->type.kvn, s->type.max_openings);
        s->counted = true;
    }
    if (session_method(s)->authenticates)
        e = check_initialize_update(s, first.data, out, &ended);
    if (e != OK || ended)
        return e;
    memcpy(s->opening_answers, rapdus, count * sizeof(*rapdus));
    return ask_vault(s, w, count, out);
}

/* Rule 3: one wrong cryptogram sets the card aside. No EXTERNAL AUTHENTICATE was ever made (rule 1). */
static enum err end_wrong_key(struct session *s, struct session_turn *out)
{
    bool pairs = has_pairs(session_method(s));
    const struct key_attributes *prover = pairs ? &s->peer.attributes : &s->key.attributes;
    session_drop_records(s, RECORD_LEDGER_OPENING);
    session_record(s, RECORD_LEDGER_WRONG, s->type.kvn, 0);
    s->facts.quarantine = true;
    return session_end(s, out, OUTCOME_FAILED, REASON_WRONG_KEY,
                       "What the card proves does not fit key %s, version %u.", prover->name,
                       (unsigned)prover->version);
}

enum err session_opened(struct session *s, const struct session_world *w, const struct session_event *e,
                        struct session_turn *out)
{
    bool ended;
    enum err result = end_by_keys(s, out, e->result, &ended);
    if (result != OK || ended)
        return result;
    if (e->result == ERR_AUTH)
        return end_wrong_key(s, out);
    if (e->result == ERR_FORMAT)
        return session_end(s, out, OUTCOME_FAILED, REASON_REFUSED,
                           "The card's answers to the opening of the channel are malformed.");
    if (e->result != OK)
        return e->result;
    if (e->bytes.len == 0 || e->bytes.len > SEALED_CHANNEL_MAX)
        return ERR_INTERNAL;
    memcpy(s->channel, e->bytes.data, e->bytes.len);
    s->channel_len = e->bytes.len;
    s->facts.pins = true;
    return session_next_packet(s, w, out);
}
