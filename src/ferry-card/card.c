/* SPDX-License-Identifier: Apache-2.0
 *
 * The way of a command: transport of responses, logical channel, OPEN, secure messaging, table of commands.
 */
#include "domain.h"

#include <string.h>

#include <tlv/tlv.h>

/* ---- table of commands ---- */

enum class_kind { CLASS_ISO = 0x01, CLASS_GP = 0x02 };

/* States in which a command works (GPCS 2.3.1 tables 11-1 and E-6). */
enum { IN_WORK = 0x01, IN_LOCKED = 0x02, IN_TERMINATED = 0x04 };

/* How the command stands to the secure channel session. */
enum security {
    SECURITY_NONE,          /* works without a session; inside of one it is secured as all are */
    SECURITY_AUTHENTICATED, /* table 11-2 */
    SECURITY_BEGINS         /* INITIALIZE UPDATE, EXTERNAL AUTHENTICATE: not unwrapped */
};

struct command {
    uint8_t ins, classes, lives;
    enum security security;
    card_handler *handler;
};

enum { INS_SELECT = 0xA4, INS_MANAGE_CHANNEL = 0x70, INS_GET_RESPONSE = 0xC0 };

/* What the issuer security domain knows. */
static const struct command commands[] = {
    {0x50, CLASS_GP, IN_WORK | IN_LOCKED, SECURITY_BEGINS, cmd_initialize_update},
    {0x82, CLASS_GP, IN_WORK | IN_LOCKED, SECURITY_BEGINS, cmd_external_authenticate},
    {0xCA, CLASS_ISO | CLASS_GP, IN_WORK | IN_LOCKED | IN_TERMINATED, SECURITY_NONE, cmd_get_data},
    {0xF2, CLASS_GP, IN_WORK | IN_LOCKED, SECURITY_AUTHENTICATED, cmd_get_status},
    {0xF0, CLASS_GP, IN_WORK | IN_LOCKED, SECURITY_AUTHENTICATED, cmd_set_status},
    {0xE6, CLASS_GP, IN_WORK, SECURITY_AUTHENTICATED, cmd_install},
    {0xE8, CLASS_GP, IN_WORK, SECURITY_AUTHENTICATED, cmd_load},
    {0xE4, CLASS_GP, IN_WORK, SECURITY_AUTHENTICATED, cmd_delete},
    {0xE2, CLASS_GP, IN_WORK, SECURITY_AUTHENTICATED, cmd_store_data},
    {0xD8, CLASS_GP, IN_WORK, SECURITY_AUTHENTICATED, cmd_put_key},
};

static const struct command *find_command(uint8_t ins)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (commands[i].ins == ins)
            return &commands[i];
    }
    return NULL;
}

/* ---- life of the card ---- */

void card_init(struct card *card, struct card_state *state, struct crypto *crypto,
               struct random_source random, struct card_store store)
{
    memset(card, 0, sizeof *card);
    card->now = &card->logical[0];
    card->now->open = true;
    card->state = *state;
    wipe(state, sizeof *state);
    card->crypto = crypto;
    card->random = random;
    card->store = store;
    wr_heap(&card->waiting, RAPDU_MAX);
    card_reset(card);
}

void card_finish(struct card *card)
{
    card_session_end(card, SESSION_NONE);
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

static void waiting_end(struct card *card)
{
    wr_clear(&card->waiting);
    card->waiting_repeat = false;
}

/* The application with the Card Reset privilege, if it can be selected (GPCS 2.3.1 6.6.2). */
static struct card_aid default_application(const struct card *card)
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
    card_session_end(card, SESSION_NONE);
    waiting_end(card);
    card->now->select_cursor = 0;
    card->now->selected = default_application(card);
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

static uint16_t run_command(struct card *card, const struct apdu *a, struct writer *out)
{
    const struct command *row = find_command(a->ins);
    enum class_kind kind = a->cla & 0x80 ? CLASS_GP : CLASS_ISO;
    if (row == NULL)
        return SW_INS;
    if (!(row->classes & kind))
        return SW_CLA;
    if (!(row->lives & life_bit(card)))
        return SW_CONDITIONS;
    if (row->security == SECURITY_AUTHENTICATED && card->now->session.state != SESSION_OPEN)
        return SW_SECURITY_STATUS;
    return row->handler(card, a, out);
}

/* A command of an open session: its security is checked whatever the command is (Amendment D 5.6), then it
 * runs, then its response is protected. */
static uint16_t run_secured(struct card *card, const struct apdu *a, struct writer *out)
{
    struct session *s = &card->now->session;
    struct writer plain, answer;
    wr_heap(&plain, CAPDU_MAX);
    wr_heap(&answer, RAPDU_MAX);
    uint16_t sw = s->ops->unwrap(card->crypto, &s->channel, a, &plain);
    if (sw == SW_OK) {
        struct apdu inner = *a;
        inner.cla &= (uint8_t)~0x04;
        inner.data = wr_view_of(&plain);
        sw = run_command(card, &inner, &answer);
        struct rapdu r = {.sw = sw};
        if (sw_is_ok_or_warning(sw))
            r.data = wr_view_of(&answer);
        if (!wr_ok(&answer) || s->ops->wrap_response(card->crypto, &s->channel, &inner, &r, out) != OK)
            sw = SW_NO_DIAGNOSIS;
    } else {
        card_session_end(card, SESSION_ABORTED);
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

static uint16_t run_isd(struct card *card, const struct apdu *a, struct writer *out)
{
    const struct command *row = find_command(a->ins);
    bool begins = row != NULL && row->security == SECURITY_BEGINS && (a->cla & 0x80);
    bool initialize = begins && row->handler == cmd_initialize_update;
    if (card->now->session.state == SESSION_ABORTED && !initialize)
        return SW_SECURITY_STATUS;
    if (card->now->session.state == SESSION_OPEN && !initialize)
        return run_secured(card, a, out);
    if ((a->cla & 0x04) && !begins)
        return SW_SECURITY_STATUS;
    return run_plain(card, a, out);
}

static uint16_t dispatch(struct card *card, const struct apdu *a, struct writer *out)
{
    /* GPCS 2.3.1 11.1.4: bit 7 is a further interindustry class, channels 4 to 19; bits 1 and 2 channels. */
    if (a->cla == 0xFF)
        return SW_CLA;
    if ((a->cla & 0x40) || (a->cla & 0x03))
        return SW_CHANNEL_UNSUPPORTED;
    if (a->ins == INS_MANAGE_CHANNEL && a->cla == 0x00)
        return SW_CHANNEL_UNSUPPORTED;
    if (a->ins == INS_SELECT && !(a->cla & 0x80) && a->p1 == 0x04)
        return a->cla == 0x00 ? cmd_select(card, a, out) : SW_SM_UNSUPPORTED;
    if (!card_domain_selected(card))
        return SW_INS; /* there is no interpreter: an application knows no command but SELECT */
    if (a->cla & 0x10)
        return SW_CHAINING_UNSUPPORTED;
    if (a->cla & 0x78)
        return SW_CLA;
    return run_isd(card, a, out);
}

/* ---- responses that wait ---- */

/* Fetches from what waits: at most ne bytes, then 61xx for the rest or the status word. */
static uint16_t fetch(struct card *card, size_t ne, struct writer *out)
{
    struct view all = wr_view_of(&card->waiting);
    struct view part = view_head(all, ne), rest = view_tail(all, part.len);
    wr_view(out, part);
    if (rest.len == 0) {
        uint16_t sw = card->waiting_sw;
        waiting_end(card);
        return sw;
    }
    struct writer left;
    wr_heap(&left, RAPDU_MAX);
    wr_view(&left, rest);
    wr_clear(&card->waiting);
    wr_view(&card->waiting, wr_view_of(&left));
    wr_free(&left);
    return (uint16_t)(0x6100 | (rest.len > 255 ? 0 : rest.len));
}

static uint16_t get_response(struct card *card, const struct apdu *a, struct writer *out)
{
    size_t have = card->waiting.len;
    if (a->p1 != 0 || a->p2 != 0)
        return SW_INCORRECT_P1P2;
    if (have == 0 || card->waiting_repeat)
        return SW_CONDITIONS;
    if (a->ne == 0)
        return SW_WRONG_LENGTH;
    if (a->ne > have && !(a->ne == 256 && have < 256))
        return (uint16_t)(0x6C00 | (have & 0xFF));
    return fetch(card, a->ne, out);
}

static uint16_t hold(struct card *card, const struct apdu *a, struct view data, uint16_t sw, bool repeat)
{
    const uint8_t head[4] = {a->cla, a->ins, a->p1, a->p2};
    wr_clear(&card->waiting);
    wr_view(&card->waiting, data);
    if (!wr_ok(&card->waiting))
        return SW_NO_DIAGNOSIS;
    card->waiting_sw = sw;
    card->waiting_repeat = repeat;
    memcpy(card->waiting_head, head, sizeof head);
    return (uint16_t)((repeat ? 0x6C00 : 0x6100) | (data.len > 255 ? 0 : data.len));
}

/* ISO/IEC 7816-3 12.2.1: on T=0 a response goes out only behind a command without data and with exactly its
 * length; otherwise the reader fetches it. On T=1 a response that is longer than asked for is announced, too.
 * The command is not executed again: what it did was done. */
static uint16_t deliver(struct card *card, const struct apdu *a, struct view data, uint16_t sw,
                        struct writer *out)
{
    if (data.len == 0)
        return sw;
    bool asks = a->ne != 0;
    if (card->t0 && (a->data.len != 0 || !asks))
        return hold(card, a, data, sw, false);
    if ((card->t0 && a->ne != data.len && data.len <= 256) || (asks && a->ne < data.len && data.len <= 256))
        return hold(card, a, data, sw, true);
    if (asks && a->ne < data.len) {
        uint16_t more = hold(card, a, data, sw, false);
        return more == SW_NO_DIAGNOSIS ? more : fetch(card, a->ne, out);
    }
    wr_view(out, data);
    return sw;
}

static bool repeats(const struct card *card, const struct apdu *a)
{
    const uint8_t head[4] = {a->cla, a->ins, a->p1, a->p2};
    return card->waiting_repeat && a->ne == card->waiting.len &&
           view_equal(VIEW_OF(head), VIEW_OF(card->waiting_head));
}

static uint16_t answer(struct card *card, struct view capdu, struct writer *out)
{
    struct apdu a;
    if (apdu_parse(capdu, &a) != OK)
        return SW_WRONG_LENGTH;
    if (apdu_is_extended(&a) && (card->t0 || (card->state.profile.flags & CARD_SHORT_ONLY)))
        return SW_WRONG_LENGTH;
    if (a.ins == INS_GET_RESPONSE && (a.cla & 0x7F) == 0)
        return get_response(card, &a, out);
    if (repeats(card, &a))
        return fetch(card, a.ne, out);
    waiting_end(card);
    struct writer data;
    wr_heap(&data, RAPDU_MAX);
    uint16_t sw = dispatch(card, &a, &data);
    sw = wr_ok(&data) ? deliver(card, &a, wr_view_of(&data), sw, out) : SW_NO_DIAGNOSIS;
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
