/* SPDX-License-Identifier: Apache-2.0
 *
 * Packets and their answers: what is to be done next on an open channel, and what the answers show. Each
 * packet ends by asking the card, under the channel's protection, what it holds now and who it is: a response
 * MAC over that shows the end state and the card, whatever the client says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge.h"
#include "parts.h"

/* ---- Plans ------------------------------------------------------------------------------------------- */

/* Methods whose signatures need extended length wrap short commands of any length. */
static size_t block_size(const struct session *s)
{
    size_t size = channel_block_size(session_method(s), s->level);
    if (size == 0)
        size = UINT8_MAX;
    return s->type.block_size != 0 && s->type.block_size < size ? s->type.block_size : size;
}

static enum plan_extended extended_length(const struct session *s)
{
    if (quirk_in(s->type.quirks, QUIRK_SHORT_ONLY))
        return PLAN_EXTENDED_NO;
    return quirk_in(s->type.quirks, QUIRK_EXTENDED_LENGTH) ? PLAN_EXTENDED_YES : PLAN_EXTENDED_AS_CARD_SAYS;
}

static bool takes_extended(const struct session *s)
{
    enum plan_extended e = extended_length(s);
    return e == PLAN_EXTENDED_YES ||
           (e == PLAN_EXTENDED_AS_CARD_SAYS && identity_extended_length(&s->identity));
}

static enum err make_plan(const struct session *s, const struct session_app *app, enum plan_purpose purpose,
                          bool with_registry, struct plan *plan, struct plan_problem *why)
{
    const struct cap_package *platform = NULL;
    size_t platform_count = 0;
    if (s->type.java_card[0] != '\0' && cap_platform(s->type.java_card, &platform, &platform_count) != OK)
        platform = NULL;
    struct plan_input in = {.purpose = purpose,
                            .cap = app->cap,
                            .sequence = app->sequence,
                            .identity = &s->identity,
                            .kdd = VIEW_OF(s->kdd),
                            .holds = with_registry ? &s->registry : NULL,
                            .platform = platform,
                            .platform_count = platform_count,
                            .memory = with_registry && s->registry.tells_memory ? &s->registry.memory : NULL,
                            .extended = extended_length(s),
                            .whole_commands = !quirk_in(s->type.quirks, QUIRK_MAC_EACH_PART),
                            .block_size = block_size(s)};
    return plan_make(plan, &in, why);
}

/* P2 of GET STATUS has b2 for the form with tags (GPCS 2.3.1 11.4.2.2). */
enum { STATUS_TAGGED = 0x02 };

static void put_command(const struct session *s, struct script_writer *script, struct view capdu)
{
    struct apdu a;
    if (quirk_in(s->type.quirks, QUIRK_OLD_LISTING) && apdu_parse(capdu, &a) == OK &&
        a.ins == INS_GET_STATUS) {
        a.p2 &= (uint8_t)~STATUS_TAGGED;
        script_put_apdu(script, &a);
    } else {
        script_put_capdu(script, capdu);
    }
}

static void put_plan(struct session *s, struct script_writer *script, const struct plan *plan)
{
    for (size_t n = 0; n < plan->count; n++)
        put_command(s, script, plan_apdu(plan, n));
    s->plain_count += plan->count;
}

/* What is asked to take stock. A listing that is known to have more pages is asked for so many of them: the
 * page behind the last one is an error, at which a client stops. */
static enum err put_look(struct session *s, struct script_writer *script, const struct plan *look)
{
    for (size_t n = 0; n < look->count; n++) {
        struct apdu a;
        uint8_t memory[8];
        struct writer w;
        enum err e = apdu_parse(plan_apdu(look, n), &a);
        if (e != OK)
            return e;
        unsigned subset = session_subset_bit(a.p1);
        unsigned pages = a.ins != INS_GET_STATUS || subset == SUBSET_DOMAIN
                             ? 0
                             : s->pages[subset == SUBSET_PACKAGES ? 0 : 1];
        put_command(s, script, plan_apdu(look, n));
        s->plain_count += 1 + pages;
        for (unsigned k = 0; k < pages; k++) {
            wr_fixed(&w, memory, sizeof(memory));
            if ((e = command_get_status(&a, &w, a.p1, true)) != OK)
                return e;
            if (quirk_in(s->type.quirks, QUIRK_OLD_LISTING))
                a.p2 &= (uint8_t)~STATUS_TAGGED;
            script_put_apdu(script, &a);
        }
    }
    return OK;
}

/* The data objects that the card's number is made of (identity_card_number). */
static size_t number_objects(const struct session *s, uint16_t tags[2])
{
    if (s->identity.cin_len == 0) {
        tags[0] = 0x9F7F;
        return 1;
    }
    tags[0] = 0x0042;
    tags[1] = 0x0045;
    return 2;
}

static void put_number(struct session *s, struct script_writer *script)
{
    uint16_t tags[2];
    size_t count = number_objects(s, tags);
    for (size_t n = 0; n < count; n++) {
        struct apdu get;
        command_get_data(&get, tags[n]);
        script_put_apdu(script, &get);
    }
    s->plain_count += count;
}

/* Last of all, as a card that does not tell how much memory it has left answers with an error. */
static void put_memory(struct session *s, struct script_writer *script)
{
    struct apdu get;
    command_get_data(&get, TAG_CARD_RESOURCES);
    script_put_apdu(script, &get);
    s->plain_count++;
}

/* The keys of places with derived data. ERR_NOT_FOUND: *missing names the key. */
static enum err find_place_keys(struct session *s, const struct session_world *w, const struct plan *plan,
                                const char **missing)
{
    free(s->places);
    s->places = NULL;
    s->place_count = 0;
    if (plan->place_count == 0)
        return OK;
    s->places = calloc(plan->place_count, sizeof(*s->places));
    if (s->places == NULL)
        return ERR_MEMORY;
    for (size_t n = 0; n < plan->place_count; n++) {
        s->places[n].place = plan->places[n];
        enum err e = w->key(w->ctx, plan->places[n].key, 0, &s->places[n].key);
        if (e == OK && s->places[n].key.attributes.use != KEY_USE_DERIVE)
            e = ERR_NOT_FOUND;
        if (e != OK) {
            *missing = plan->places[n].key;
            return e;
        }
        s->place_count++;
    }
    return OK;
}

/* What the vault signs and, later, settles: the same input for both. */
static enum err vault_input(struct session *s, struct vault_script *out)
{
    free(s->vault_places);
    s->vault_places = NULL;
    if (s->place_count > 0) {
        s->vault_places = calloc(s->place_count, sizeof(*s->vault_places));
        if (s->vault_places == NULL)
            return ERR_MEMORY;
    }
    for (size_t n = 0; n < s->place_count; n++) {
        const struct session_place *p = &s->places[n];
        s->vault_places[n] = (struct vault_place){.command = (uint32_t)p->place.command,
                                                  .offset = (uint32_t)p->place.offset,
                                                  .len = (uint32_t)p->place.len,
                                                  .key = p->key.attributes,
                                                  .sealed_key = view_of(p->key.sealed, p->key.sealed_len),
                                                  .label = view_str(p->place.label),
                                                  .context = VIEW_OF(s->kdd)};
    }
    *out = (struct vault_script){.sealed_channel = view_of(s->channel, s->channel_len),
                                 .session = view_str(s->id),
                                 .plain = wr_view_of(&s->plain),
                                 .places = s->vault_places,
                                 .place_count = s->place_count,
                                 .in_parts = !takes_extended(s) &&
                                             channel_extended_reason(session_method(s)) == NULL};
    return OK;
}

enum err session_packet_again(struct session *s, struct vault_script *out)
{
    return s->state == SESSION_DELIVER ? vault_input(s, out) : ERR_STATE;
}

static bool first_is_delete(const struct plan *plan)
{
    struct apdu a;
    return plan->count > 0 && apdu_parse(plan_apdu(plan, 0), &a) == OK && a.ins == INS_DELETE;
}

static enum err end_refused(struct session *s, struct session_turn *out)
{
    uint16_t sw = s->refused_sw;
    enum reason r = sw == SW_NOT_ENOUGH_MEMORY || sw == SW_MEMORY ? REASON_NOT_ENOUGH_MEMORY : REASON_REFUSED;
    return session_end(s, out, OUTCOME_FAILED, r, "The card answered %04X to %s: %s.", sw,
                       command_name(s->refused_ins), command_sw_text(s->refused_ins, sw));
}

/* Confirmed only when response MACs show it: of every command that changed something, of what the card holds
 * where nothing had to be changed, and of the number of the card that says so. */
static enum err end_done(struct session *s, struct session_turn *out)
{
    /* That something is there is shown by what is listed; that nothing is there, only by all of it. */
    bool listing = s->order.purpose == PLAN_INSTALL ? s->listed_proven : s->registry_proven;
    bool shown = s->number_proven && (s->changed ? !s->unproven : listing);
    enum outcome o = shown ? OUTCOME_CONFIRMED : OUTCOME_REPORTED;
    bool nothing_to_do = !s->changed && s->order.purpose != PLAN_INSPECT;
    enum reason r = nothing_to_do ? REASON_ALREADY_THERE : REASON_NONE;
    if (s->registry_fresh)
        s->facts.registry = s->registry_proven && s->number_proven ? REGISTRY_PROVEN : REGISTRY_TAKEN;
    return session_end(s, out, o, r, nothing_to_do ? NULL : "%s",
                       shown ? "Done, and shown by response MACs of the card."
                             : "Done, as the client says; the channel cannot show it.");
}

/* The registry tells what is installed, not what was stored in it. */
static bool stores_data(struct view sequence)
{
    static const char *const words[] = {"store ", "personalize ", "apdu "};
    struct reader r;
    rd_init(&r, sequence);
    bool line_begins = true;
    while (rd_left(&r) > 0) {
        for (size_t n = 0; line_begins && n < sizeof(words) / sizeof(words[0]); n++) {
            if (view_starts(view_of(r.at, rd_left(&r)), view_str(words[n])))
                return true;
        }
        uint8_t c = rd_u8(&r);
        line_begins = c == '\n' || (line_begins && (c == ' ' || c == '\t'));
    }
    return false;
}

static enum err end_half_known(struct session *s, struct session_turn *out)
{
    return session_end(s, out, OUTCOME_UNKNOWN, REASON_NO_ANSWER,
                       "The application is on the card; whether its data was stored is not known.");
}

/* Nothing (more) is sent: what plan_make said against fresh knowledge. */
static enum err end_by_plan(struct session *s, const struct session_app *app, struct session_turn *out,
                            enum err e, const struct plan_problem *why)
{
    switch (e) {
    case ERR_EXISTS:
        return s->torn && stores_data(app->sequence) ? end_half_known(s, out) : end_done(s, out);
    case ERR_NOT_FOUND:
        return session_end(s, out, OUTCOME_FAILED, REASON_MISSING_DEPENDENCY, "%s", why->text);
    case ERR_LIMIT:
        return session_end(s, out, OUTCOME_FAILED, why->memory ? REASON_NOT_ENOUGH_MEMORY : REASON_BAD_CAP,
                           "%s", why->text);
    case ERR_FORMAT:
    case ERR_ARGUMENT:
    case ERR_UNSUPPORTED:
        return session_end(s, out, OUTCOME_FAILED, REASON_BAD_CAP, "%s", why->text);
    default:
        return e;
    }
}

static enum err sign_script(struct session *s, struct session_turn *out)
{
    out->want = SESSION_WANT_SIGN;
    s->state = SESSION_SIGN;
    s->rounds++;
    return vault_input(s, &out->script);
}

/* The plan's commands, then what shows the end state. The number comes first: a client stops where GET STATUS
 * says that there is nothing. */
static enum err sign_plan(struct session *s, const struct session_world *w, const struct plan *plan,
                          const struct plan *look, struct session_turn *out)
{
    struct script_writer script;
    const char *missing = NULL;
    enum err e = find_place_keys(s, w, plan, &missing);
    if (e == ERR_NOT_FOUND)
        return session_end(s, out, OUTCOME_FAILED, REASON_NO_KEY, "The server has no key %s.", missing);
    if (e != OK)
        return e;
    wr_clear(&s->plain);
    s->plain_count = 0;
    script_begin(&script, &s->plain, SCRIPT_DEFINITE);
    put_plan(s, &script, plan);
    put_number(s, &script);
    e = put_look(s, &script, look);
    if (e == OK)
        put_memory(s, &script);
    if (e == OK)
        e = script_end(&script);
    if (e == ERR_LIMIT)
        return session_end(s, out, OUTCOME_FAILED, REASON_BAD_CAP, "The packet would be too long.");
    return e == OK ? sign_script(s, out) : e;
}

/* A listing may have ended before the question: a client stops where there are no applications. */
static enum err ask_memory(struct session *s, struct session_turn *out)
{
    struct script_writer script;
    free(s->places);
    s->places = NULL;
    s->place_count = 0;
    wr_clear(&s->plain);
    s->plain_count = 0;
    s->looking = s->asking_memory = true;
    script_begin(&script, &s->plain, SCRIPT_DEFINITE);
    put_memory(s, &script);
    enum err e = script_end(&script);
    return e == OK ? sign_script(s, out) : e;
}

/* plan NULL: only take stock. */
static enum err send_plan(struct session *s, const struct session_world *w, const struct plan *plan,
                          struct session_turn *out)
{
    static const struct session_app none = {0};
    static const struct plan nothing = {0};
    struct plan look = {0};
    struct plan_problem why = {.text = ""};
    enum err e = make_plan(s, &none, PLAN_INSPECT, false, &look, &why);
    if (e != OK)
        return e;
    s->looking = plan == NULL;
    s->asking_memory = false;
    e = sign_plan(s, w, plan != NULL ? plan : &nothing, &look, out);
    plan_finish(&look);
    return e;
}

/* The application of the order, planned against what is known. Where the knowledge is old and says that
 * nothing can or need be done, the card is asked first. */
static enum err plan_delivery(struct session *s, const struct session_world *w, const struct session_app *app,
                              struct session_turn *out)
{
    struct plan plan = {0};
    struct plan_problem why = {.text = ""};
    enum err e = make_plan(s, app, s->order.purpose, s->registry_known, &plan, &why);
    bool can_show = (s->level & LEVEL_R_MAC) != 0 && !s->number_proven;
    bool knows_all = s->registry_fresh && !s->registry.more;
    bool look_again = e == ERR_EXISTS ? can_show && !s->looking : !knows_all && !s->looking;
    if (e != OK && e != ERR_MEMORY && (!s->registry_fresh || look_again))
        return send_plan(s, w, NULL, out);
    if (e != OK)
        return end_by_plan(s, app, out, e, &why);
    /* Rule 14: how much memory is left is known, or asked for, before anything goes. */
    if (first_is_delete(&plan) && !s->registry.asked_memory) {
        plan_finish(&plan);
        return ask_memory(s, out);
    }
    /* After a refusal only a conflict that DELETE resolves is worth a second try. */
    if (s->refused_ins != 0 && (s->tried_again || !first_is_delete(&plan))) {
        e = end_refused(s, out);
    } else {
        s->tried_again = s->refused_ins != 0;
        s->refused_ins = 0;
        e = send_plan(s, w, &plan, out);
    }
    plan_finish(&plan);
    return e;
}

enum err session_next_packet(struct session *s, const struct session_world *w, struct session_turn *out)
{
    struct session_app app = {0};
    if (s->rounds >= SESSION_ROUNDS_MAX)
        return session_end(s, out, OUTCOME_FAILED, REASON_REFUSED, "The card's answers lead nowhere.");
    /* A listing that goes on matters where the answer may stand behind it. */
    bool look_on = s->registry_fresh && s->registry.more && s->looking;
    if (s->order.purpose == PLAN_INSPECT && s->registry_fresh && !look_on)
        return end_done(s, out);
    if (s->order.purpose == PLAN_INSPECT || look_on || (s->look_first && !s->registry_fresh) ||
        (s->refused_ins != 0 && (!s->registry_fresh || s->registry.more)))
        return send_plan(s, w, NULL, out);
    bool ended = false;
    enum err e = session_check_app(s, w, out, &ended);
    if (e == OK && !ended)
        e = w->app(w->ctx, s->order.app, &app);
    if (e != OK || ended)
        return e;
    e = plan_delivery(s, w, &app, out);
    w->app_done(w->ctx, &app);
    return e;
}

/* ---- Sending ----------------------------------------------------------------------------------------- */

/* EXTERNAL AUTHENTICATE, where there is one, is the first command of a channel's first packet. */
static bool packet_authenticates(const struct session *s)
{
    return s->rounds == 1 && session_method(s)->authenticates;
}

enum err session_signed(struct session *s, const struct session_world *w, const struct session_event *e,
                        struct session_turn *out)
{
    (void)w;
    if (e->result == ERR_POLICY)
        return session_end(s, out, OUTCOME_FAILED, REASON_SERVER_FAULT,
                           "Derived data only leaves encrypted: the order or the card type needs level 03 or "
                           "more.");
    if (e->result == ERR_LIMIT)
        return session_end(s, out, OUTCOME_FAILED, REASON_BAD_CAP,
                           "A command does not fit once it is signed.");
    if (e->result != OK)
        return e->result;
    enum err result = script_count(e->bytes, &s->packet_commands);
    if (result != OK)
        return result;
    wr_clear(&s->packet);
    wr_view(&s->packet, e->bytes);
    /* From here on nobody knows what the card holds until it is asked again. */
    if (!s->looking)
        s->facts.registry = REGISTRY_FORGET;
    return session_send(s, out, SESSION_DELIVER, s->packet_commands);
}

enum err session_delivered(struct session *s, const struct session_world *w, const struct session_event *e,
                           struct session_turn *out)
{
    struct response_script r;
    (void)w;
    enum err result = response_parse(e->body, &r);
    if (result == ERR_LIMIT || (result == OK && r.count > s->packet_commands))
        return ERR_FORMAT;
    if (result != OK)
        return result;
    s->state = SESSION_SETTLE;
    out->want = SESSION_WANT_SETTLE;
    out->answers = e->body;
    return vault_input(s, &out->script);
}

/* ---- Judging ----------------------------------------------------------------------------------------- */

static bool any_proven(const struct vault_settlement *in)
{
    for (size_t n = 0; n < in->count; n++) {
        if (in->results[n].proven)
            return true;
    }
    return in->has_authentication && in->authentication.proven;
}

/* Takes over what the card was heard to hold. Without an answer for applications there are none where there
 * are no packages: the client stopped there. */
static void learn_registry(struct session *s, struct verdict *v)
{
    if (v->registry.asked_memory) {
        s->registry.asked_memory = true;
        s->registry.tells_memory = v->registry.tells_memory;
        s->registry.memory = v->registry.memory;
    }
    if (s->asking_memory)
        return;
    bool none = v->nothing_listed && v->no_packages;
    bool complete = (v->subsets & SUBSET_PACKAGES) != 0 && (none || (v->subsets & SUBSET_APPLICATIONS) != 0);
    s->registry_fresh = complete;
    s->registry_proven = complete && v->all_proven;
    s->listed_proven = complete && v->listed_proven;
    if (complete) {
        registry_finish(&s->registry);
        s->registry = v->registry;
        s->registry.more = v->cut != 0;
        for (unsigned k = 0; k < 2; k++)
            s->pages[k] =
                (uint8_t)(s->pages[k] + ((v->cut & (k == 0 ? SUBSET_PACKAGES : SUBSET_APPLICATIONS)) != 0));
        v->registry = (struct registry){0};
        s->registry_known = true;
        s->look_first = false;
    } else if (s->changed) {
        registry_finish(&s->registry);
        s->registry_known = false;
    }
}

static enum err end_lost(struct session *s, struct session_turn *out, enum outcome o)
{
    return session_end(s, out, o, session_torn(s) ? REASON_CARD_PULLED : REASON_NO_ANSWER, NULL);
}

static enum err end_forged(struct session *s, struct session_turn *out)
{
    s->facts.registry = REGISTRY_FORGET;
    return session_end(s, out, OUTCOME_UNKNOWN, REASON_FORGED_ANSWER, NULL);
}

/* A refusal: looked into in the same channel, which a refused command leaves open. */
static enum err after_refusal(struct session *s, const struct session_world *w, struct session_turn *out)
{
    bool memory = s->refused_sw == SW_NOT_ENOUGH_MEMORY || s->refused_sw == SW_MEMORY;
    if (s->changed && !s->registry_fresh)
        s->facts.registry = REGISTRY_FORGET;
    if (memory || s->channel_len == 0)
        return end_refused(s, out);
    return session_next_packet(s, w, out);
}

static enum err end_silent(struct session *s, struct session_turn *out)
{
    return session_end(s, out, OUTCOME_FAILED, REASON_REFUSED, "The card does not tell what it holds.");
}

static enum err decide(struct session *s, const struct session_world *w, const struct vault_settlement *in,
                       const struct verdict *v, struct session_turn *out)
{
    size_t left = v->changing - v->changing_done;
    if (v->number_differs)
        return session_end(s, out, OUTCOME_FAILED, REASON_WRONG_CARD,
                           "The card that was authenticated is not card %s.", s->card);
    if (s->refused_ins != 0 && !s->looking)
        return after_refusal(s, w, out);
    /* What is missing now can only be the look behind what was done. */
    if (left == 0 && !s->looking)
        return end_done(s, out);
    if (s->asking_memory && s->registry.asked_memory && s->channel_len > 0)
        return session_next_packet(s, w, out);
    if (v->refused)
        return end_silent(s, out);
    /* A client stops at "there is nothing": what stands behind it is sent again, as a new packet. */
    if (s->registry_fresh && s->channel_len > 0 && (s->looking || v->nothing_listed))
        return session_next_packet(s, w, out);
    if (v->stopped || in->count == s->plain_count)
        return end_silent(s, out);
    /* The answer to the last command that matters may be what was lost. */
    bool may_be_done = v->last_unanswered_changes && left == 1;
    if (s->changed || v->last_unanswered_changes)
        s->facts.registry = REGISTRY_FORGET;
    return end_lost(s, out, may_be_done ? OUTCOME_UNKNOWN : OUTCOME_FAILED);
}

static enum err check_authentication(struct session *s, const struct vault_settlement *in,
                                     struct session_turn *out, bool *ended)
{
    *ended = true;
    if (!in->has_authentication)
        return end_lost(s, out, session_torn(s) ? OUTCOME_FAILED : OUTCOME_UNKNOWN);
    if (in->authentication.sw != SW_OK)
        return session_end(s, out, OUTCOME_FAILED, REASON_REFUSED,
                           "The card answered %04X to EXTERNAL AUTHENTICATE: %s.", in->authentication.sw,
                           command_sw_text(INS_EXTERNAL_AUTHENTICATE, in->authentication.sw));
    *ended = false;
    return OK;
}

/* GPCS 2.3.1 E.1.2.2: with implicit initiation the first C-MAC is what EXTERNAL AUTHENTICATE is elsewhere.
 * Refused, it has cost a try, and so would the next one. */
static enum err check_first_command(struct session *s, const struct vault_settlement *in,
                                    struct session_turn *out, bool *ended)
{
    const struct channel_method *m = session_method(s);
    uint16_t sw = in->count > 0 ? in->results[0].sw : SW_OK;
    *ended = s->rounds == 1 && !m->authenticates && !m->keyed_opening &&
             (sw == SW_SECURITY_STATUS || sw == SW_AUTH_BLOCKED || sw == SW_SM_INCORRECT);
    if (!*ended)
        return OK;
    return session_end(s, out, OUTCOME_FAILED, REASON_REFUSED,
                       "The card answered %04X to the first signed command.", sw);
}

static void keep_channel(struct session *s, const struct vault_settlement *in)
{
    struct view sealed = wr_view_of(&in->sealed_channel);
    s->channel_len = 0;
    if (sealed.len > 0 && sealed.len <= SEALED_CHANNEL_MAX) {
        memcpy(s->channel, sealed.data, sealed.len);
        s->channel_len = sealed.len;
    }
}

enum err session_settled(struct session *s, const struct session_world *w, const struct session_event *event,
                         struct session_turn *out)
{
    struct verdict v = {0};
    uint16_t tags[2];
    bool ended = false;
    const struct vault_settlement *in = event->settlement;
    if (event->result != OK)
        return event->result;
    s->channel_proven = s->channel_proven || any_proven(in);
    if (in->forged) {
        /* What was sent may have been executed. */
        s->changed = s->unproven = true;
        return end_forged(s, out);
    }
    if (packet_authenticates(s)) {
        enum err e = check_authentication(s, in, out, &ended);
        if (e != OK || ended)
            return e;
    }
    enum err e = check_first_command(s, in, out, &ended);
    if (e != OK || ended)
        return e;
    if ((e = session_judge(s, in, &v)) != OK)
        goto out;
    keep_channel(s, in);
    learn_registry(s, &v);
    if (v.number_answers == number_objects(s, tags))
        s->number_proven = true;
    e = decide(s, w, in, &v, out);
out:
    registry_finish(&v.registry);
    return e;
}
