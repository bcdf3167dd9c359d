/* SPDX-License-Identifier: Apache-2.0
 *
 * The bare host. */
#include "testing/host.h"

#include "domain.h"

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
    if (i != 0xFF)
        p.kind.i = i;
    memcpy(p.isd, isd, sizeof isd);
    p.isd_len = sizeof isd;
    for (uint8_t n = 0; n < 3; n++) {
        keys[n].len = p.kind.key_bits / 8u;
        memset(keys[n].data, 0x40 + n, keys[n].len);
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
}

uint16_t host_send(struct host *h, struct view command)
{
    wr_clear(&h->answer);
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

static enum err add_mac_scp03(struct host *h, struct view header, struct view data, struct writer *out)
{
    uint8_t mac[CMAC_LEN] = {0};
    const struct view parts[] = {VIEW_OF(h->ch.chain), header, data};
    enum err e = crypto_cmac(h->crypto, secret_view(&h->ch.s_mac), parts, 3, mac);
    memcpy(h->ch.chain, mac, sizeof mac);
    wr_bytes(out, mac, h->ch.mac_len);
    return e;
}

static enum err add_mac_scp02(struct host *h, struct view header, struct view data, struct writer *out)
{
    uint8_t mac[DES_BLOCK] = {0}, icv[DES_BLOCK] = {0};
    struct writer whole, padded;
    struct view last = view_head(VIEW_OF(h->ch.chain), DES_BLOCK), key = secret_view(&h->ch.s_mac);
    wr_heap(&whole, CAPDU_MAX);
    wr_heap(&padded, CAPDU_MAX);
    wr_view(&whole, header);
    wr_view(&whole, data);
    card_pad(&padded, wr_view_of(&whole), DES_BLOCK);
    enum err e = OK;
    if (h->ch.mac_verified && (h->ch.i & SCP02_I_ICV_ENCRYPTION))
        e = crypto_des_ecb_encrypt(h->crypto, view_head(key, 8), last, icv);
    if (e == OK)
        e = crypto_mac_retail(h->crypto, key, icv, wr_view_of(&padded), mac);
    h->ch.mac_verified = true;
    memcpy(h->ch.chain, mac, sizeof mac);
    wr_bytes(out, mac, sizeof mac);
    wr_free(&whole);
    wr_free(&padded);
    return e;
}

/* Header, Lc, data and C-MAC. */
static uint16_t send_maced(struct host *h, struct view header, struct view data)
{
    struct writer head, out;
    size_t lc = data.len + h->ch.mac_len;
    wr_heap(&head, 16);
    wr_heap(&out, CAPDU_MAX);
    wr_u8(&head, header.data[0] | 0x04);
    wr_view(&head, view_tail(header, 1));
    if (lc > 255) {
        wr_u8(&head, 0);
        wr_u16(&head, (uint16_t)lc);
    } else {
        wr_u8(&head, (uint8_t)lc);
    }
    wr_view(&out, wr_view_of(&head));
    wr_view(&out, data);
    enum err e = h->ch.scp == 0x02 ? add_mac_scp02(h, wr_view_of(&head), data, &out)
                                   : add_mac_scp03(h, wr_view_of(&head), data, &out);
    uint16_t sw = e == OK ? host_send(h, wr_view_of(&out)) : 0;
    wr_free(&head);
    wr_free(&out);
    return sw;
}

uint16_t host_open(struct host *h, uint8_t kvn, uint8_t level)
{
    uint8_t initialize[22] = {0x80, 0x50, kvn, 0x00, 0x08}, header[] = {0x84, 0x82, level, 0x00};
    struct card_keyset *k = card_find_keyset(&h->card.state, card_channel_domain(&h->card), kvn);
    const struct card_channel_ops *ops = k != NULL ? card_channel_ops(k->scp) : NULL;
    if (ops != NULL)
        initialize[4] = (uint8_t)ops->host_challenge_len(k->i);
    uint16_t sw = host_send(h, view_of(initialize, 6u + initialize[4]));
    if (sw != SW_OK)
        return sw;
    h->ch = h->card.now->session.channel;
    h->ch.own = NULL; /* stays the card's */
    h->ch.own_finish = NULL;
    sw = send_maced(h, VIEW_OF(header), view_of(h->ch.host_cryptogram, h->ch.mac_len));
    h->ch.level = level;
    return sw;
}

static enum err encrypt(struct host *h, struct view data, struct writer *out)
{
    uint8_t counter[AES_BLOCK] = {0}, icv[AES_BLOCK];
    counter[14] = (uint8_t)(h->ch.counter >> 8);
    counter[15] = (uint8_t)h->ch.counter;
    card_pad(out, data, AES_BLOCK);
    struct view key = secret_view(&h->ch.s_enc);
    enum err e = crypto_aes_ecb_encrypt(h->crypto, key, VIEW_OF(counter), icv);
    return e == OK ? crypto_aes_cbc_encrypt(h->crypto, key, icv, wr_view_of(out), out->data) : e;
}

static uint16_t send_plain(struct host *h, struct view header, struct view data)
{
    struct writer out;
    struct apdu a = {
        .cla = header.data[0], .ins = header.data[1], .p1 = header.data[2], .p2 = header.data[3]};
    a.data = data;
    wr_heap(&out, CAPDU_MAX);
    apdu_put(&out, &a);
    uint16_t sw = wr_ok(&out) ? host_send(h, wr_view_of(&out)) : 0;
    wr_free(&out);
    return sw;
}

uint16_t host_secure(struct host *h, struct view header, struct view data)
{
    struct writer encrypted;
    if (!(h->ch.level & CARD_LEVEL_C_MAC))
        return send_plain(h, header, data);
    h->ch.counter++;
    if (!(h->ch.level & CARD_LEVEL_C_DECRYPTION) || h->ch.scp == 0x02 || data.len == 0)
        return send_maced(h, header, data);
    wr_heap(&encrypted, CAPDU_MAX);
    uint16_t sw = encrypt(h, data, &encrypted) == OK ? send_maced(h, header, wr_view_of(&encrypted)) : 0;
    wr_free(&encrypted);
    return sw;
}
