/* SPDX-License-Identifier: Apache-2.0
 *
 * The bare host. */
#include "testing/host.h"

#include "domain.h"

#include <stdlib.h>
#include <string.h>

#include "channel_scp02.h"

static enum err commit(void *ctx, struct view records, bool sync)
{
    struct host *h = ctx;
    if (h->refuse_commits)
        return ERR_DISK_FULL;
    h->commits++;
    h->syncs += sync;
    wr_view(&h->journal, records);
    return wr_status(&h->journal);
}

static enum err fill(void *ctx, uint8_t *out, size_t len)
{
    struct host *h = ctx;
    for (size_t n = 0; n < len; n++)
        out[n] = h->random++;
    return OK;
}

enum err host_init(struct host *h, struct crypto *crypto, const char *kind, uint8_t i)
{
    static const uint8_t isd[] = {0xA0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00, 0x00};
    static struct card_state state;
    struct personal p = {.kind = *card_kind_by_name(kind)};
    struct secret keys[3] = {0};
    memset(h, 0, sizeof *h);
    h->crypto = crypto;
    wr_heap(&h->journal, CARD_NVM_MAX);
    wr_heap(&h->answer, RAPDU_MAX);
    wr_heap(&h->held, CAPDU_MAX);
    if (i != 0xFF)
        p.kind.i = i;
    memcpy(p.isd, isd, sizeof isd);
    p.isd_len = sizeof isd;
    for (uint8_t n = 0; n < 3; n++) {
        keys[n].len = p.kind.key_bits / 8u;
        bool base = card_channel_key_count(p.kind.scp, p.kind.i) == 1; /* stands for all three */
        memset(keys[n].data, 0x40 + (base ? 0 : n), keys[n].len);
    }
    enum err e = personal_complete(&p, (struct random_source){fill, h});
    if (e == OK)
        e = personalise(&p, keys, &state);
    if (e == OK)
        card_state_put(&state, &h->journal);
    card_init(&h->card, &state, crypto, (struct random_source){fill, h}, (struct card_store){commit, h});
    return e;
}

void host_finish(struct host *h)
{
    card_finish(&h->card);
    card_channel_finish(&h->ch);
    wr_free(&h->journal);
    wr_free(&h->answer);
    wr_free(&h->held);
}

uint16_t host_send(struct host *h, struct view command)
{
    if (h->record != NULL) {
        wr_view(h->record, command);
        return 0;
    }
    wr_clear(&h->answer);
    if (h->hold) {
        wr_clear(&h->held);
        wr_view(&h->held, command);
        return SW_OK;
    }
    card_process(&h->card, command, &h->answer);
    struct reader r;
    rd_init(&r, view_tail(wr_view_of(&h->answer), host_data(h).len));
    h->sw = rd_u16(&r);
    return h->sw;
}

struct view host_data(const struct host *h)
{
    struct view all = wr_view_of(&h->answer);
    return view_head(all, all.len >= 2 ? all.len - 2 : 0);
}

/* ---- the host's side of the channels, as bare as can be ---- */

static enum err mac_scp03(struct host *h, struct view message, uint8_t mac[CMAC_LEN])
{
    const struct view parts[] = {view_head(VIEW_OF(h->ch.chain), CMAC_LEN), message};
    return crypto_cmac(h->crypto, secret_view(&h->ch.s_mac), parts, 2, mac);
}

static enum err mac_des(struct host *h, struct view message, uint8_t mac[CMAC_LEN])
{
    struct view last = view_head(VIEW_OF(h->ch.chain), DES_BLOCK), key = secret_view(&h->ch.s_mac);
    bool encrypted = h->ch.mac_verified && (h->ch.i & SCP02_I_ICV_ENCRYPTION); /* the same bit in SCP01 */
    uint8_t icv[DES_BLOCK];
    struct writer padded;
    enum err e = OK;
    memcpy(icv, last.data, sizeof icv);
    if (encrypted)
        e = h->ch.scp == 0x01 ? crypto_des3_ecb_encrypt(h->crypto, key, last, icv)
                              : crypto_des_ecb_encrypt(h->crypto, view_head(key, 8), last, icv);
    wr_heap(&padded, CAPDU_MAX);
    card_pad(&padded, message, DES_BLOCK);
    if (e == OK && h->ch.scp == 0x01)
        e = crypto_mac_des3(h->crypto, key, icv, wr_view_of(&padded), mac);
    else if (e == OK)
        e = crypto_mac_retail(h->crypto, key, icv, wr_view_of(&padded), mac);
    h->ch.mac_verified = true;
    wr_free(&padded);
    return e;
}

static void put_lc(struct writer *w, size_t lc)
{
    if (lc > 255)
        wr_u8(w, 0);
    if (lc > 255)
        wr_u16(w, (uint16_t)lc);
    else
        wr_u8(w, (uint8_t)lc);
}

/* The MAC of a command, which has the class of channel 0. */
static enum err make_mac(struct host *h, struct view header, struct view data, uint8_t mac[CMAC_LEN])
{
    bool unmodified = h->ch.scp == 0x02 && (h->ch.i & SCP02_I_UNMODIFIED_APDU);
    struct writer message;
    wr_heap(&message, CAPDU_MAX);
    wr_u8(&message, (header.data[0] & 0xF8) | (unmodified ? 0x00 : 0x04));
    wr_view(&message, view_tail(header, 1));
    put_lc(&message, data.len + (unmodified ? 0 : h->ch.mac_len));
    wr_view(&message, data);
    enum err e = wr_status(&message);
    if (e == OK)
        e = h->ch.scp == 0x03 ? mac_scp03(h, wr_view_of(&message), mac)
                              : mac_des(h, wr_view_of(&message), mac);
    memcpy(h->ch.chain, mac, sizeof h->ch.chain);
    wr_free(&message);
    return e;
}

static enum err encrypt_scp03(struct host *h, struct view data, struct writer *out)
{
    uint8_t counter[AES_BLOCK] = {0}, icv[AES_BLOCK];
    counter[14] = (uint8_t)(h->ch.counter >> 8);
    counter[15] = (uint8_t)h->ch.counter;
    card_pad(out, data, AES_BLOCK);
    struct view key = secret_view(&h->ch.s_enc);
    enum err e = crypto_aes_ecb_encrypt(h->crypto, key, VIEW_OF(counter), icv);
    return e == OK ? crypto_aes_cbc_encrypt(h->crypto, key, icv, wr_view_of(out), out->data) : e;
}

static enum err encrypt_des(struct host *h, struct view data, struct writer *out)
{
    static const uint8_t zeros[DES_BLOCK];
    struct writer plain;
    wr_heap(&plain, CAPDU_MAX);
    if (h->ch.scp == 0x01)
        wr_u8(&plain, (uint8_t)data.len);
    wr_view(&plain, data);
    bool whole = h->ch.scp == 0x01 && plain.len % DES_BLOCK == 0;
    if (whole)
        wr_view(out, wr_view_of(&plain));
    else
        card_pad(out, wr_view_of(&plain), DES_BLOCK);
    wr_free(&plain);
    return crypto_des3_cbc_encrypt(h->crypto, secret_view(&h->ch.s_enc), zeros, wr_view_of(out), out->data);
}

/* What goes out behind Lc: data, encrypted where the level says so, and MAC. SCP03 encrypts first, the others
 * MAC first. */
static enum err wrap(struct host *h, struct view header, struct view data, struct writer *body)
{
    uint8_t mac[CMAC_LEN] = {0};
    bool encrypted = (h->ch.level & CARD_LEVEL_C_DECRYPTION) && data.len != 0;
    enum err e = OK;
    if (h->ch.scp == 0x03) {
        if (encrypted)
            e = encrypt_scp03(h, data, body);
        else
            wr_view(body, data);
        if (e == OK)
            e = make_mac(h, header, wr_view_of(body), mac);
    } else {
        e = make_mac(h, header, data, mac);
        if (e == OK && encrypted)
            e = encrypt_des(h, data, body);
        else
            wr_view(body, data);
    }
    wr_bytes(body, mac, h->ch.mac_len);
    return e == OK ? wr_status(body) : e;
}

static uint16_t send_one(struct host *h, const uint8_t header[4], struct view data)
{
    struct apdu a = {.cla = header[0], .ins = header[1], .p1 = header[2], .p2 = header[3], .data = data};
    struct writer out;
    wr_heap(&out, CAPDU_MAX);
    apdu_put(&out, &a);
    uint16_t sw = wr_ok(&out) ? host_send(h, wr_view_of(&out)) : 0;
    wr_free(&out);
    return sw;
}

/* Whole, or in parts. */
static uint16_t transmit(struct host *h, struct view header, uint8_t sm, struct view data)
{
    uint8_t last[4], early[4];
    memcpy(last, header.data, sizeof last);
    last[0] |= (uint8_t)(sm | h->number);
    memcpy(early, last, sizeof early);
    early[0] |= h->chain == CHAIN_ISO ? 0x10 : 0x00;
    early[2] |= h->chain == CHAIN_GP ? 0x80 : 0x00;
    while (h->chain != CHAIN_NONE && data.len > h->part) {
        uint16_t sw = send_one(h, early, view_head(data, h->part));
        if (sw != SW_OK || host_data(h).len != 0)
            return sw;
        data = view_tail(data, h->part);
    }
    return send_one(h, last, data);
}

uint16_t host_secure(struct host *h, struct view header, struct view data)
{
    struct writer body;
    if (!(h->ch.level & CARD_LEVEL_C_MAC))
        return transmit(h, header, 0, data);
    h->ch.counter++;
    wr_heap(&body, CAPDU_MAX);
    uint16_t sw = wrap(h, header, data, &body) == OK ? transmit(h, header, 0x04, wr_view_of(&body)) : 0;
    wr_free(&body);
    return sw;
}

uint16_t host_open(struct host *h, uint8_t kvn, uint8_t level)
{
    uint8_t initialize[22] = {0x80, 0x50, kvn, 0x00, 0x08}, header[] = {0x80, 0x82, level, 0x00};
    if (h->card.logical[h->number].open)
        h->card.now = &h->card.logical[h->number];
    struct card_keyset *k = card_find_keyset(&h->card.state, card_channel_domain(&h->card), kvn);
    const struct card_channel_ops *ops = k != NULL ? card_channel_ops(k->scp) : NULL;
    if (ops != NULL)
        initialize[4] = (uint8_t)ops->host_challenge_len(k->i);
    initialize[0] |= h->number;
    uint16_t sw = host_send(h, view_of(initialize, 6u + initialize[4]));
    if (sw != SW_OK)
        return sw;
    h->ch = h->card.logical[h->number].session.channel;
    h->ch.own = NULL; /* stays the card's */
    h->ch.own_finish = NULL;
    h->ch.level = CARD_LEVEL_C_MAC;
    sw = host_secure(h, VIEW_OF(header), view_of(h->ch.host_cryptogram, h->ch.mac_len));
    h->ch.level = level;
    h->ch.counter = 0;
    return sw;
}

enum err host_begin_implicit(struct host *h)
{
    const struct card_keyset *k = card_find_keyset(&h->card.state, VIEW_NULL, 0);
    if (k == NULL)
        return ERR_NOT_FOUND;
    struct card_static_keys keys = {k->enc, k->mac, k->dek};
    struct view aid = card_aid_view(&h->card.state.profile.isd);
    enum err e = card_scp02_open_implicit(h->crypto, &keys, k->i, k->counter, aid, &h->ch);
    wipe(&keys, sizeof keys);
    return e;
}

bool host_journal_is_whole(const struct host *h)
{
    struct writer now, again;
    struct card_state *s = calloc(1, sizeof *s);
    if (s == NULL)
        return false;
    wr_heap(&now, CARD_FRAME_MAX);
    wr_heap(&again, CARD_FRAME_MAX);
    card_state_put(&h->card.state, &now);
    enum err e = card_state_apply(s, wr_view_of(&h->journal));
    if (e == OK)
        card_state_put(s, &again);
    bool whole = e == OK && wr_ok(&now) && view_equal(wr_view_of(&now), wr_view_of(&again));
    card_state_finish(s);
    free(s);
    wr_free(&now);
    wr_free(&again);
    return whole;
}
