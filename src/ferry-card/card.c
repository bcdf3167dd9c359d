/* SPDX-License-Identifier: Apache-2.0
 *
 * The way of a command: transport of responses, logical channel, OPEN, secure messaging, table of commands.
 */
#include "domain.h"

#include <string.h>

#include <tlv/tlv.h>

#include "logical.h"
#include "waiting.h"

/* ---- table of commands ---- */

/* BY_KEY: P2 names a key, and the class has no secure messaging; otherwise it is another command. */
enum class_kind { CLASS_ISO = 0x01, CLASS_GP = 0x02, BY_KEY = 0x04 };

/* States in which a command works (GPCS 2.3.1 tables 11-1 and E-6). */
enum { IN_WORK = 0x01, IN_LOCKED = 0x02, IN_TERMINATED = 0x04 };

/* How the command stands to the secure channel session. */
enum security {
    SECURITY_NONE,          /* works without a session; inside of one it is secured as all are */
    SECURITY_AUTHENTICATED, /* table 11-2 */
    SECURITY_BEGINS,        /* begins a new session, whatever was before; not unwrapped */
    SECURITY_PROVES         /* EXTERNAL AUTHENTICATE: carries what opens the session; not unwrapped by it */
};

struct command {
    uint8_t ins, classes, lives;
    enum security security;
    bool chains; /* P1 bit 8: more commands follow (11.1.5.1) */
    card_handler *handler;
};

enum { INS_INSTALL = 0xE6, INS_LOAD = 0xE8, INS_DELETE = 0xE4 };
enum { INS_SELECT = 0xA4, INS_MANAGE_CHANNEL = 0x70, INS_GET_RESPONSE = 0xC0 };
enum { CLA_SM = 0x04, CLA_CHAIN = 0x10, CLA_NOT_KNOWN = 0x68, CLA_CHANNEL = 0x03 };

/* What the issuer security domain knows. */
static const struct command commands[] = {
    {0x50, CLASS_GP, IN_WORK | IN_LOCKED, SECURITY_BEGINS, false, cmd_initialize_update},
    {0x82, CLASS_GP | BY_KEY, IN_WORK | IN_LOCKED, SECURITY_BEGINS, false, cmd_mutual_authenticate},
    {0x82, CLASS_GP, IN_WORK | IN_LOCKED, SECURITY_PROVES, false, cmd_external_authenticate},
    {0x88, CLASS_GP, IN_WORK | IN_LOCKED, SECURITY_BEGINS, false, cmd_internal_authenticate},
    {0x2A, CLASS_GP, IN_WORK | IN_LOCKED, SECURITY_BEGINS, true, cmd_perform_security_operation},
    {0x7A, CLASS_GP, IN_WORK | IN_LOCKED, SECURITY_AUTHENTICATED, false, cmd_begin_r_mac},
    {0x78, CLASS_GP, IN_WORK | IN_LOCKED, SECURITY_NONE, false, cmd_end_r_mac},
    {0xCA, CLASS_ISO | CLASS_GP, IN_WORK | IN_LOCKED | IN_TERMINATED, SECURITY_NONE, false, cmd_get_data},
    {0xF2, CLASS_GP, IN_WORK | IN_LOCKED, SECURITY_AUTHENTICATED, false, cmd_get_status},
    {0xF0, CLASS_GP, IN_WORK | IN_LOCKED, SECURITY_AUTHENTICATED, false, cmd_set_status},
    {0xE6, CLASS_GP, IN_WORK, SECURITY_AUTHENTICATED, true, cmd_install},
    {0xE8, CLASS_GP, IN_WORK, SECURITY_AUTHENTICATED, false, cmd_load},
    {0xE4, CLASS_GP, IN_WORK, SECURITY_AUTHENTICATED, true, cmd_delete},
    {0xE2, CLASS_GP, IN_WORK, SECURITY_AUTHENTICATED, false, cmd_store_data},
    {0xD8, CLASS_GP, IN_WORK, SECURITY_AUTHENTICATED, true, cmd_put_key},
};

static const struct command *find_command(const struct apdu *a)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        const struct command *row = &commands[i];
        if (row->ins == a->ins && (!(row->classes & BY_KEY) || (!(a->cla & CLA_SM) && a->p2 != 0)))
            return row;
    }
    return NULL;
}

/* ---- life of the card ---- */

void card_init(struct card *card, struct card_state *state, struct crypto *crypto,
               struct random_source random, struct card_store store)
{
    memset(card, 0, sizeof *card);
    card->now = &card->logical[0];
    card->state = *state;
    wipe(state, sizeof *state);
    card->crypto = crypto;
    card->random = random;
    card->store = store;
    wr_heap(&card->waiting, RAPDU_MAX);
    chain_init(&card->chain);
    card_reset(card);
}

void card_finish(struct card *card)
{
    logical_reset(card, (struct card_aid){.len = 0});
    card_loading_end(card);
    chain_finish(&card->chain);
    wr_free(&card->waiting);
    card_state_finish(&card->state);
    memset(card, 0, sizeof *card);
}

void card_loading_end(struct card *card)
{
    loadfile_finish(&card->loading.file);
    wr_free(&card->loading.first);
    memset(&card->loading, 0, sizeof card->loading);
}

void card_session_end(struct card *card, enum session_state state)
{
    card_channel_finish(&card->now->session.channel);
    card_oce_end(&card->now->oce);
    card->now->session = (struct session){.state = state};
    if (card->loading.on == card->now)
        card_loading_end(card);
    memset(&card->now->personalising, 0, sizeof card->now->personalising);
    memset(&card->now->listing, 0, sizeof card->now->listing);
}

struct card_aid card_default_application(const struct card *card)
{
    for (size_t i = 0; i < card->state.application_count; i++) {
        const struct card_application *a = &card->state.applications[i];
        if ((a->privileges[0] & PRIVILEGE_CARD_RESET) && a->life == STATE_SELECTABLE &&
            card->state.life < LIFE_CARD_LOCKED)
            return a->aid;
    }
    return (struct card_aid){.len = 0};
}

void card_reset(struct card *card)
{
    logical_reset(card, card_default_application(card));
    chain_end(&card->chain);
    waiting_end(card);
    card->selected_since_reset = false;
}

void card_put_atr(const struct card *card, struct writer *out)
{
    /* T=1 with TA1 13 and a block waiting time as contact cards have it; or T=0 alone. */
    static const uint8_t t1[] = {0x13, 0x00, 0x00, 0x81, 0x31, 0xFE, 0x45};
    static const uint8_t t0[] = {0x13, 0x00, 0x00};
    const struct card_profile *p = &card->state.profile;
    size_t start = out->len;
    wr_u8(out, 0x3B);
    wr_u8(out, (uint8_t)((card->t0 ? 0x70 : 0xF0) | p->historical_len));
    wr_view(out, card->t0 ? VIEW_OF(t0) : VIEW_OF(t1));
    wr_view(out, view_of(p->historical, p->historical_len));
    if (card->t0)
        return;
    uint8_t check = 0;
    struct view sum = view_tail(wr_view_of(out), start + 1);
    for (size_t i = 0; i < sum.len; i++)
        check ^= sum.data[i];
    wr_u8(out, check);
}

uint16_t card_commit(struct card *card, struct writer *records, bool sync)
{
    if (!wr_ok(records) || card->store.commit(card->store.ctx, wr_view_of(records), sync) != OK)
        return SW_MEMORY;
    if (card_state_apply(&card->state, wr_view_of(records)) != OK) {
        card->dead = true;
        return SW_MEMORY;
    }
    return SW_OK;
}

uint64_t card_time(const struct card *card)
{
    return card->clock.now_ms != NULL ? card->clock.now_ms(card->clock.ctx) : 0;
}

bool card_has_quirk(const struct card *card, enum card_quirk quirk)
{
    return (card->state.profile.quirks & (uint32_t)quirk) != 0;
}

bool card_isd_selected(const struct card *card)
{
    return card->now->selected.len == 0;
}

bool card_selected_elsewhere(const struct card *card, struct view aid)
{
    bool found = false;
    for (size_t n = 0; n < CARD_LOGICAL_CHANNELS; n++) {
        const struct logical_channel *l = &card->logical[n];
        found |= l != card->now && l->open && card_aid_is(&l->selected, aid);
    }
    return found;
}

void card_listings_end(struct card *card)
{
    for (size_t n = 0; n < CARD_LOGICAL_CHANNELS; n++)
        memset(&card->logical[n].listing, 0, sizeof card->logical[n].listing);
}

struct view card_read_long_field(struct reader *r)
{
    if (rd_peek(r) == 0x80) {
        (void)rd_u8(r);
        return rd_view(r, 0x80);
    }
    return rd_view(r, tlv_length(r));
}

size_t card_response_room(const struct card *card, const struct apdu *a)
{
    size_t room = a->extended && a->ne != 0 ? a->ne : 256;
    if (card->now->session.state != SESSION_OPEN)
        return room;
    const struct card_channel *ch = &card->now->session.channel;
    if (ch->level & CARD_LEVEL_R_MAC)
        room = room > ch->response_mac_len ? room - ch->response_mac_len : 0;
    if (ch->level & CARD_LEVEL_R_ENCRYPTION)
        room = room >= AES_BLOCK ? room / AES_BLOCK * AES_BLOCK - 1 : 0;
    return room;
}

/* ---- a command inside ---- */

static uint8_t life_bit(const struct card *card)
{
    if (card->state.life == LIFE_TERMINATED)
        return IN_TERMINATED;
    return card->state.life == LIFE_CARD_LOCKED ? IN_LOCKED : IN_WORK;
}

bool card_is_authenticated(const struct card *card)
{
    const struct session *s = &card->now->session;
    if (s->state != SESSION_OPEN)
        return false;
    bool implicit = s->ops->implicit != NULL && s->ops->implicit(s->channel.i);
    if (!s->channel.authenticated)
        return s->channel.scp == 0x11 && (card->state.profile.flags & CARD_TRUSTS_SCP11B);
    return !implicit || (s->channel.level & CARD_LEVEL_C_MAC);
}

/* May this command run now, whatever its data? */
static uint16_t may_run(const struct card *card, const struct apdu *a)
{
    const struct command *row = find_command(a);
    enum class_kind kind = a->cla & 0x80 ? CLASS_GP : CLASS_ISO;
    if (row == NULL)
        return SW_INS;
    if (!(row->classes & kind))
        return SW_CLA;
    if (!(row->lives & life_bit(card)))
        return SW_CONDITIONS;
    if (row->security == SECURITY_AUTHENTICATED && !card_is_authenticated(card))
        return SW_SECURITY_STATUS;
    /* Inside of a session it would end what it came through. */
    if (row->security == SECURITY_BEGINS && card->now->session.state == SESSION_OPEN)
        return SW_CONDITIONS;
    return SW_OK;
}

/* P1 bit 8 says that more of the command follows; in PUT KEY, FF can also be the version of the factory's
 * keys, where the card has them. */
static bool knows_parts(struct card *card, const struct apdu *a)
{
    const struct command *row = find_command(a);
    bool version = row != NULL && row->handler == cmd_put_key && card->chain.kind == CHAIN_NONE &&
                   card_find_keyset(&card->state, card_domain_of(card), a->p1) != NULL;
    return row != NULL && row->chains && (a->cla & 0x80) && !version;
}

static uint16_t run_command(struct card *card, const struct apdu *a, struct writer *out)
{
    static const uint8_t no_data[] = {0x00};
    size_t start = out->len;
    uint16_t sw = may_run(card, a);
    if (sw == SW_OK)
        sw = find_command(a)->handler(card, a, out);
    bool confirms = a->ins == INS_LOAD || a->ins == INS_INSTALL || a->ins == INS_DELETE;
    if (confirms && card_has_quirk(card, QUIRK_NO_CONFIRMATION) &&
        view_equal(view_tail(wr_view_of(out), start), VIEW_OF(no_data)))
        out->len = start;
    return sw;
}

/* Parts that each have their own C-MAC are joined behind it. */
static uint16_t run_unwrapped(struct card *card, const struct apdu *a, struct writer *out)
{
    struct apdu whole = *a;
    bool complete = true;
    uint16_t sw = SW_OK;
    if (card_has_quirk(card, QUIRK_MAC_EACH_PART))
        sw = chain_take(&card->chain, a, knows_parts(card, a), &whole, &complete);
    if (sw == SW_OK && complete)
        sw = run_command(card, &whole, out);
    if (sw != SW_OK || complete)
        chain_end(&card->chain);
    return sw;
}

/* E.1.6: after a security error an explicit session refuses everything until a new one begins; an implicit
 * one is gone, but for an R-MAC session in progress. */
static void abort_session(struct card *card)
{
    struct session *s = &card->now->session;
    bool implicit = s->ops->implicit != NULL && s->ops->implicit(s->channel.i);
    if (implicit && s->channel.r_mac != CARD_R_MAC_NONE) {
        s->channel.authenticated = false;
        s->channel.level = CARD_LEVEL_R_MAC;
        return;
    }
    card_session_end(card, implicit ? SESSION_NONE : SESSION_ABORTED);
}

static uint16_t unwrap(struct card *card, const struct apdu *a, struct writer *plain)
{
    struct session *s = &card->now->session;
    bool first = s->ops->implicit != NULL && s->ops->implicit(s->channel.i) && !s->channel.authenticated &&
                 (a->cla & CLA_SM);
    uint16_t sw = s->ops->unwrap(card->crypto, &s->channel, a, plain);
    if (first)
        sw = card_settle_implicit(card, sw);
    if (sw != SW_OK)
        abort_session(card);
    return sw;
}

/* A command of an open session: its security is checked whatever the command is (Amendment D 5.6), then it
 * runs, then its response is protected. */
static uint16_t run_secured(struct card *card, const struct apdu *a, struct writer *out)
{
    struct session *s = &card->now->session;
    struct writer plain, answer;
    wr_heap(&plain, CAPDU_MAX);
    wr_heap(&answer, RAPDU_MAX);
    bool lacks_le = card_has_quirk(card, QUIRK_LE_DEMANDED) && (a->cla & CLA_SM) && a->ne == 0;
    uint16_t sw = lacks_le ? SW_WRONG_LENGTH : unwrap(card, a, &plain);
    if (sw == SW_OK) {
        struct apdu inner = *a;
        inner.cla &= (uint8_t)~CLA_SM;
        inner.data = wr_view_of(&plain);
        sw = run_unwrapped(card, &inner, &answer);
        struct rapdu r = {.sw = sw};
        if (sw_is_ok_or_warning(sw))
            r.data = wr_view_of(&answer);
        if (!wr_ok(&answer) || s->ops->wrap_response(card->crypto, &s->channel, &inner, &r, out) != OK)
            sw = SW_NO_DIAGNOSIS;
    }
    wr_free(&plain);
    wr_free(&answer);
    return sw;
}

static uint16_t run_plain(struct card *card, const struct apdu *a, struct writer *out)
{
    size_t start = out->len;
    uint16_t sw = run_command(card, a, out);
    if (!sw_is_ok_or_warning(sw))
        out->len = start;
    return sw;
}

/* A command with a C-MAC begins an implicit session where none is that could check it (E.1.6). */
static bool begins_implicitly(const struct card *card, const struct apdu *a)
{
    const struct session *s = &card->now->session;
    if (!(a->cla & CLA_SM))
        return false;
    if (s->state == SESSION_NONE)
        return true;
    bool implicit = s->ops != NULL && s->ops->implicit != NULL && s->ops->implicit(s->channel.i);
    return s->state == SESSION_OPEN && implicit && !(s->channel.level & CARD_LEVEL_C_MAC);
}

static enum security security_of(const struct apdu *a)
{
    const struct command *row = find_command(a);
    return row != NULL && (a->cla & 0x80) ? row->security : SECURITY_NONE;
}

static uint16_t run_whole(struct card *card, const struct apdu *a, struct writer *out)
{
    enum security security = security_of(a);
    enum session_state state = card->now->session.state;
    bool begins = security == SECURITY_BEGINS || security == SECURITY_PROVES;
    if (state == SESSION_ABORTED && security != SECURITY_BEGINS)
        return SW_SECURITY_STATUS;
    if (!begins && begins_implicitly(card, a)) {
        uint16_t sw = card_begin_implicit(card);
        return sw == SW_OK ? run_secured(card, a, out) : sw;
    }
    if (state == SESSION_OPEN && security != SECURITY_BEGINS)
        return run_secured(card, a, out);
    if ((a->cla & CLA_SM) && !begins)
        return SW_SECURITY_STATUS;
    return run_plain(card, a, out);
}

/* What an early part of a chain can already be refused for: it carries no C-MAC of its own. */
static uint16_t check_part(struct card *card, const struct apdu *a)
{
    const struct session *s = &card->now->session;
    if (s->state == SESSION_ABORTED && security_of(a) != SECURITY_BEGINS)
        return SW_SECURITY_STATUS;
    if (s->state == SESSION_OPEN && (s->channel.level & CARD_LEVEL_C_MAC) && !(a->cla & CLA_SM)) {
        abort_session(card);
        return SW_SECURITY_STATUS;
    }
    return (a->cla & CLA_SM) && s->state != SESSION_OPEN ? SW_OK : may_run(card, a);
}

/* Amendment F 7.5: parts of PERFORM SECURITY OPERATION say by the class that more come, and hosts set bit 8
 * of P1 beside it. */
static struct apdu as_part(const struct apdu *a)
{
    const struct command *row = find_command(a);
    struct apdu part = *a;
    if (row != NULL && row->handler == cmd_perform_security_operation && (a->cla & CLA_CHAIN))
        part.p1 &= 0x7F;
    return part;
}

/* A part with a C-MAC of its own is unwrapped before it is joined to the others. */
static bool macs_each_part(const struct card *card, const struct apdu *a)
{
    return card_has_quirk(card, QUIRK_MAC_EACH_PART) && card->now->session.state == SESSION_OPEN &&
           card->chain.kind != CHAIN_ISO && !(a->cla & CLA_CHAIN);
}

static uint16_t run_part(struct card *card, const struct apdu *a, struct writer *out)
{
    uint16_t sw = run_whole(card, a, out);
    if (sw != SW_OK)
        chain_end(&card->chain);
    return sw;
}

/* A security domain: joins the parts of a command, then runs it. */
static uint16_t run_domain(struct card *card, const struct apdu *a, struct writer *out)
{
    struct apdu part = as_part(a), whole = part;
    bool complete = false, gp = knows_parts(card, &part);
    if (macs_each_part(card, &part))
        return run_part(card, &part, out);
    if (security_of(a) == SECURITY_BEGINS && card->now->session.state != SESSION_NONE)
        card_session_end(card, SESSION_NONE);
    uint16_t sw = chain_has_more(&part, gp) ? check_part(card, &part) : SW_OK;
    if (sw == SW_OK)
        sw = chain_take(&card->chain, &part, gp, &whole, &complete);
    if (sw == SW_OK && !complete)
        return SW_OK;
    if (sw == SW_OK)
        sw = run_whole(card, &whole, out);
    chain_end(&card->chain);
    return sw;
}

static uint16_t dispatch(struct card *card, const struct apdu *a, struct writer *out)
{
    /* GPCS 2.3.1 11.1.4: bit 7 is a further interindustry class, channels 4 to 19. */
    if (a->cla == 0xFF)
        return SW_CLA;
    if (!logical_enter(card, a->cla))
        return SW_CHANNEL_UNSUPPORTED;
    if (a->ins == INS_MANAGE_CHANNEL && !(a->cla & 0x80)) {
        chain_end(&card->chain);
        return cmd_manage_channel(card, a, out);
    }
    if (a->ins == INS_SELECT && !(a->cla & 0x80) && a->p1 == 0x04) {
        chain_end(&card->chain);
        if (a->cla & CLA_CHAIN)
            return SW_CHAINING_UNSUPPORTED;
        return (a->cla & ~CLA_CHANNEL) == 0 ? cmd_select(card, a, out) : SW_SM_UNSUPPORTED;
    }
    if (!card_domain_selected(card)) {
        chain_end(&card->chain);
        return SW_INS; /* there is no interpreter: an application knows no command but SELECT */
    }
    if (a->cla & CLA_NOT_KNOWN)
        return SW_CLA;
    return run_domain(card, a, out);
}

/* ---- the whole way ---- */

static uint16_t answer(struct card *card, struct view capdu, struct writer *out)
{
    struct apdu a;
    if (apdu_parse(capdu, &a) != OK)
        return SW_WRONG_LENGTH;
    if (apdu_is_extended(&a) && (card->t0 || (card->state.profile.flags & CARD_SHORT_ONLY)))
        return SW_WRONG_LENGTH;
    if (a.ins == INS_GET_RESPONSE && (a.cla & 0x7C) == 0)
        return waiting_get_response(card, &a, out);
    if (waiting_repeats(card, &a))
        return waiting_fetch(card, a.ne, out);
    waiting_end(card);
    struct writer data;
    wr_heap(&data, RAPDU_MAX);
    uint16_t sw = dispatch(card, &a, &data);
    sw = wr_ok(&data) ? waiting_deliver(card, &a, wr_view_of(&data), sw, out) : SW_NO_DIAGNOSIS;
    wr_free(&data);
    return sw;
}

void card_process(struct card *card, struct view capdu, struct writer *out)
{
    if (card->dead)
        return;
    struct writer response;
    wr_heap(&response, RAPDU_MAX);
    uint16_t sw = answer(card, capdu, &response);
    if (!card->dead) {
        wr_view(out, wr_view_of(&response));
        wr_u16(out, sw);
    }
    wr_free(&response);
}
