/* SPDX-License-Identifier: Apache-2.0
 *
 * INITIALIZE UPDATE and EXTERNAL AUTHENTICATE (GPCS 2.3.1 E.5, Amendment D 7.1): which keys, which challenge,
 * how often they may fail. The protocols themselves are in channel_*.c. */
#include <string.h>

#include "channel_scp02.h"
#include "domain.h"

/* E.1.2: cards need not count beyond this; Amendment D 6.2.2.1: three bytes. */
enum { SCP02_LAST = 32767, SCP03_LAST = 0xFFFFFF };
enum { FIXED_CHALLENGE = 0x5A };

static bool blocked(const struct card *card, const struct card_keyset *k)
{
    uint16_t max = card->state.profile.max_failures;
    return max != 0 && k->failures >= max;
}

static bool counts_openings(const struct card *card)
{
    return (card->state.profile.flags & CARD_COUNTS_OPENINGS) != 0;
}

static uint16_t count(struct card *card, const struct card_keyset *k, uint32_t counter, unsigned failures)
{
    uint8_t memory[32];
    struct writer w;
    wr_fixed(&w, memory, sizeof memory);
    card_put_counters(&w, card_aid_view(&k->domain), k->kvn, counter,
                      failures > UINT16_MAX ? UINT16_MAX : (uint16_t)failures);
    return card_commit(card, &w, true);
}

static bool is_implicit(const struct card_channel_ops *ops, uint8_t i)
{
    return ops->implicit != NULL && ops->implicit(i);
}

/* What INITIALIZE UPDATE moves, before anything is answered: SCP03's counter with every pseudo-random
 * challenge (Amendment D 6.2.2.1), and a try where the card counts openings. */
static uint16_t count_opening(struct card *card, const struct card_keyset *k, bool moves)
{
    unsigned failures = k->failures + (counts_openings(card) ? 1u : 0u);
    if (!moves && !counts_openings(card))
        return SW_OK;
    return count(card, k, k->counter + (moves ? 1 : 0), failures);
}

static enum err make_challenge(struct card *card, const struct card_channel_ops *ops,
                               const struct card_keyset *k, const struct card_static_keys *keys,
                               uint8_t *challenge)
{
    bool derived = ops->counts(k->i) || (k->scp == 0x02 && card_has_quirk(card, QUIRK_PSEUDO_RANDOM_ALWAYS));
    if (card_has_quirk(card, QUIRK_FIXED_CHALLENGE)) {
        memset(challenge, FIXED_CHALLENGE, ops->card_challenge_len(k->i));
        return OK;
    }
    if (derived)
        return ops->pseudo_random(card->crypto, keys, k->i, k->counter,
                                  card_domain_aid(&card->state, card_domain_of(card)), challenge);
    return card->random.fill(card->random.ctx, challenge, ops->card_challenge_len(k->i));
}

/* SCP01: kdd 10, version, 01, challenge 8, cryptogram 8. SCP02: kdd 10, version, 02, counter 2, challenge 6,
 * cryptogram 8. SCP03: kdd 10, version, 03, i, challenge, cryptogram, counter 3 where it is used. */
static void put_response(const struct card *card, const struct card_keyset *k,
                         const struct card_channel_ops *ops, const uint8_t *challenge,
                         const uint8_t *cryptogram, struct writer *out)
{
    wr_bytes(out, card->state.profile.kdd, CARD_KDD_LEN);
    wr_u8(out, k->kvn);
    wr_u8(out, k->scp);
    if (k->scp == 0x02)
        wr_u16(out, (uint16_t)k->counter);
    else if (k->scp == 0x03)
        wr_u8(out, k->i);
    wr_bytes(out, challenge, ops->card_challenge_len(k->i));
    wr_bytes(out, cryptogram, ops->host_challenge_len(k->i));
    if (k->scp == 0x03 && ops->counts(k->i))
        wr_u24(out, k->counter);
}

static enum err open_session(struct card *card, const struct card_channel_ops *ops,
                             const struct card_keyset *k, struct view host_challenge, struct writer *out)
{
    uint8_t challenge[CARD_CHALLENGE_MAX], cryptogram[CARD_CRYPTOGRAM_MAX];
    struct card_static_keys keys = {k->enc, k->mac, k->dek};
    struct session *s = &card->now->session;
    enum err e = make_challenge(card, ops, k, &keys, challenge);
    if (e == OK)
        e = ops->open(card->crypto, &keys, k->i, k->counter, host_challenge,
                      view_of(challenge, ops->card_challenge_len(k->i)), &s->channel, cryptogram);
    wipe(&keys, sizeof keys);
    if (e != OK)
        return e;
    s->state = SESSION_INITIATED;
    s->kvn = k->kvn;
    s->ops = ops;
    put_response(card, k, ops, challenge, cryptogram, out);
    return OK;
}

/* Methods with keys of their own are asked in turn. */
static uint16_t initialize_keyed(struct card *card, const struct apdu *a, struct writer *out)
{
    size_t count;
    const struct card_channel_ops *const *rows = card_channel_rows(&count);
    uint16_t sw = SW_REFERENCED_DATA;
    for (size_t n = 0; sw == SW_REFERENCED_DATA && n < count; n++) {
        if (rows[n]->initialize != NULL)
            sw = rows[n]->initialize(card, a, out);
    }
    if (sw != SW_OK)
        card_session_end(card, SESSION_NONE);
    return sw;
}

uint16_t cmd_initialize_update(struct card *card, const struct apdu *a, struct writer *out)
{
    card_session_end(card, SESSION_NONE);
    const struct card_keyset *k = card_find_keyset(&card->state, card_channel_domain(card), a->p1);
    /* P2 is RFU, or with SCP01 the identifier of the first key (GPCS 2.2.1 D.4.1.4). */
    if (a->p2 != 0 && (k == NULL || k->scp != 0x01 || a->p2 != 0x01))
        return SW_INCORRECT_P1P2;
    if (k == NULL) {
        uint16_t keyed = initialize_keyed(card, a, out);
        bool other = keyed == SW_REFERENCED_DATA && card_has_quirk(card, QUIRK_UNKNOWN_KVN_6985);
        return other ? SW_CONDITIONS : keyed;
    }
    const struct card_channel_ops *ops = card_channel_ops(k->scp);
    if (ops == NULL || !ops->knows_i(k->i) || is_implicit(ops, k->i))
        return SW_REFERENCED_DATA;
    if (a->data.len != ops->host_challenge_len(k->i))
        return SW_WRONG_LENGTH;
    if (blocked(card, k))
        return SW_AUTH_BLOCKED;
    bool moves = k->scp == 0x03 && ops->counts(k->i);
    if (k->counter >= (k->scp == 0x02 ? SCP02_LAST : SCP03_LAST))
        return SW_CONDITIONS;
    uint16_t sw = count_opening(card, k, moves);
    if (sw != SW_OK)
        return sw;
    if (open_session(card, ops, k, a->data, out) != OK) {
        card_session_end(card, SESSION_NONE);
        return SW_NO_DIAGNOSIS;
    }
    return SW_OK;
}

/* The try is written down before the answer is known to anybody, and taken back by success. */
static uint16_t settle(struct card *card, const struct card_keyset *k, uint16_t sw)
{
    bool moves = k->scp == 0x02 && card->now->session.channel.mac_verified;
    uint32_t counter = k->counter + (moves ? 1 : 0);
    unsigned failures = k->failures;
    if (sw == SW_OK)
        failures = 0;
    else if (!counts_openings(card))
        failures++;
    if (counter == k->counter && failures == k->failures)
        return sw;
    uint16_t stored = count(card, k, counter, failures);
    return stored == SW_OK ? sw : stored;
}

uint16_t cmd_external_authenticate(struct card *card, const struct apdu *a, struct writer *out)
{
    struct session *s = &card->now->session;
    (void)out;
    if (s->state != SESSION_INITIATED)
        return SW_CONDITIONS;
    if (a->ne != 0 && card_has_quirk(card, QUIRK_AUTHENTICATE_WITHOUT_LE))
        return SW_INS;
    if (a->p1 == 0x00 && card_has_quirk(card, QUIRK_NO_LEVEL_00))
        return SW_CONDITIONS;
    bool keyed = s->ops->initialize != NULL;
    const struct card_keyset *k =
        keyed ? NULL : card_find_keyset(&card->state, card_channel_domain(card), s->kvn);
    uint16_t sw = SW_REFERENCED_DATA;
    if (keyed || k != NULL)
        sw = s->ops->external_authenticate(card->crypto, &s->channel, a);
    /* A command that is wrong in form has tried nothing; every other outcome counts. */
    if (k != NULL && sw != SW_INCORRECT_P1P2 && sw != SW_WRONG_LENGTH)
        sw = settle(card, k, sw);
    if (sw == SW_OK)
        s->state = SESSION_OPEN;
    else
        card_session_end(card, SESSION_NONE);
    return sw;
}

/* ---- SCP02: implicit initiation ---- */

/* An R-MAC session goes on beside the one for commands, whatever becomes of that (E.1.6). */
static void keep_r_mac(const struct card_channel *old, struct card_channel *new)
{
    if (old->r_mac == CARD_R_MAC_NONE)
        return;
    new->r_mac = old->r_mac;
    new->s_rmac = old->s_rmac;
    memcpy(new->response_chain, old->response_chain, sizeof new->response_chain);
    new->level |= CARD_LEVEL_R_MAC;
}

static enum err open_implicit(struct card *card, const struct card_channel_ops *ops,
                              const struct card_keyset *k)
{
    struct session *s = &card->now->session;
    struct card_static_keys keys = {k->enc, k->mac, k->dek};
    struct card_channel old = s->channel;
    struct view aid = card_aid_view(&card->now->selected);
    if (aid.len == 0)
        aid = card_aid_view(&card->state.profile.isd);
    enum err e = ops->open_implicit(card->crypto, &keys, k->i, k->counter, aid, &s->channel);
    keep_r_mac(&old, &s->channel);
    wipe(&keys, sizeof keys);
    wipe(&old, sizeof old);
    return e;
}

uint16_t card_begin_implicit(struct card *card)
{
    struct session *s = &card->now->session;
    const struct card_keyset *k = card_find_keyset(&card->state, card_channel_domain(card), 0);
    const struct card_channel_ops *ops = k != NULL ? card_channel_ops(k->scp) : NULL;
    if (ops == NULL || !ops->knows_i(k->i) || !is_implicit(ops, k->i))
        return SW_SECURITY_STATUS;
    if (blocked(card, k))
        return SW_AUTH_BLOCKED;
    if (k->counter >= SCP02_LAST)
        return SW_CONDITIONS;
    if (open_implicit(card, ops, k) != OK) {
        card_session_end(card, SESSION_NONE);
        return SW_NO_DIAGNOSIS;
    }
    s->state = SESSION_OPEN;
    s->kvn = k->kvn;
    s->ops = ops;
    return SW_OK;
}

uint16_t card_settle_implicit(struct card *card, uint16_t sw)
{
    struct session *s = &card->now->session;
    const struct card_keyset *k = card_find_keyset(&card->state, card_channel_domain(card), s->kvn);
    if (k == NULL)
        return SW_REFERENCED_DATA;
    sw = settle(card, k, sw);
    s->channel.authenticated = sw == SW_OK;
    return sw;
}

/* ---- SCP02: R-MAC sessions begun by command (E.5.3, E.5.4) ---- */

enum { R_MAC_DATA_MAX = 24 };

uint16_t cmd_begin_r_mac(struct card *card, const struct apdu *a, struct writer *out)
{
    struct card_channel *ch = &card->now->session.channel;
    struct reader r;
    (void)out;
    if (ch->scp != 0x02)
        return SW_INS;
    if ((a->p1 != 0x00 && a->p1 != CARD_LEVEL_R_MAC) || a->p2 != 0x01)
        return SW_INCORRECT_P1P2;
    rd_init(&r, a->data);
    rd_view8(&r, R_MAC_DATA_MAX); /* a challenge perhaps; it counts as part of the R-MAC */
    if (!rd_done(&r))
        return SW_WRONG_DATA;
    return card_scp02_begin_r_mac(ch, a->p1);
}

uint16_t cmd_end_r_mac(struct card *card, const struct apdu *a, struct writer *out)
{
    struct session *s = &card->now->session;
    if (s->state != SESSION_OPEN)
        return SW_REFERENCED_DATA;
    if (s->channel.scp != 0x02)
        return SW_INS;
    if (a->p1 != 0x00 || (a->p2 != 0x01 && a->p2 != 0x03))
        return SW_INCORRECT_P1P2;
    if (a->data.len != 0)
        return SW_WRONG_LENGTH;
    return card_scp02_end_r_mac(&s->channel, a->p2 == 0x03, out);
}
