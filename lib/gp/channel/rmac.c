/* SPDX-License-Identifier: Apache-2.0
 *
 * Response MACs of SCP02 (GPCS 2.3.1 E.4.5): from EXTERNAL AUTHENTICATE on, by its level, or between BEGIN
 * and END R-MAC SESSION:
 *
 *     R-MAC over   CLA INS P1 P2 Lc | data | length of the response's data | data | SW1 SW2 | padding
 *
 * each with the one before as initial value, over the command as it was before wrapping. */
#include "des.h"

#include <string.h>

enum {
    INS_BEGIN_R_MAC_SESSION = 0x7A,
    INS_END_R_MAC_SESSION = 0x78,
    P1_EACH_RESPONSE = 0x10, /* table E-14 */
    P2_BEGIN = 0x01,         /* table E-15 */
    P2_END = 0x03,           /* table E-19; 01 only returns the R-MAC */
    CBC_PIECE = 512          /* a multiple of the block */
};

void rmac_begin(struct response_mac *m, const uint8_t icv[DES_BLOCK], bool macs)
{
    *m = (struct response_mac){.session = macs ? RESPONSES_MACED : RESPONSES_BARE};
    memcpy(m->chain, icv, DES_BLOCK);
}

/* Single DES over whole blocks of what came so far: the last block of an R-MAC always holds status word and
 * padding, so none of these is the last. */
static enum err absorb(const struct channel *ch, struct crypto *c, struct response_mac *m, struct view v)
{
    struct view k1 = view_head(secret_view(&ch->rmac), DES_BLOCK);
    struct secret key = {0}; /* K1 K1: Triple-DES that is single DES */
    uint8_t piece[CBC_PIECE];
    struct writer w;
    wr_fixed(&w, key.data, DES_KEY);
    wr_view(&w, k1);
    wr_view(&w, k1);
    key.len = w.len;
    enum err e = wr_status(&w);
    while (e == OK && m->tail_len + v.len >= DES_BLOCK) {
        wr_fixed(&w, piece, sizeof(piece));
        wr_bytes(&w, m->tail, m->tail_len);
        size_t take = (CBC_PIECE - DES_BLOCK < v.len ? CBC_PIECE - DES_BLOCK : v.len);
        take -= (m->tail_len + take) % DES_BLOCK;
        wr_view(&w, view_head(v, take));
        v = view_tail(v, take);
        m->tail_len = 0;
        e = crypto_des3_cbc_encrypt(c, secret_view(&key), m->chain, wr_view_of(&w), piece);
        if (e == OK)
            memcpy(m->chain, piece + w.len - DES_BLOCK, DES_BLOCK);
    }
    wr_fixed(&w, m->tail, sizeof(m->tail));
    w.len = m->tail_len;
    wr_view(&w, v);
    m->tail_len = w.len;
    secret_wipe(&key);
    wipe(piece, sizeof(piece));
    return e == OK ? wr_status(&w) : e;
}

/* On logical channel 0; Lc is there also without data. */
static enum err absorb_command(const struct channel *ch, struct crypto *c, const struct outgoing *o,
                               struct response_mac *m)
{
    struct view data = o->plain->data;
    uint8_t header[7];
    channel_put_header(header, o, data.len);
    header[0] = channel_bare_class(o->plain->cla);
    m->tail_len = 0;
    enum err e = absorb(ch, c, m, view_of(header, o->header_len));
    return e == OK ? absorb(ch, c, m, data) : e;
}

static bool is_own(const struct apdu *a, uint8_t ins)
{
    return (a->cla & 0x80) != 0 && a->ins == ins;
}

enum err rmac_command(const struct channel *ch, struct crypto *c, const struct outgoing *o,
                      struct response_mac *m)
{
    m->ins = m->p = 0;
    if (is_own(o->plain, INS_BEGIN_R_MAC_SESSION) && o->plain->p2 == P2_BEGIN) {
        m->ins = o->plain->ins;
        m->p = o->plain->p1;
    } else if (is_own(o->plain, INS_END_R_MAC_SESSION) && m->session != RESPONSES_BARE) {
        m->ins = o->plain->ins;
        m->p = o->plain->p2;
        return OK; /* it is not included */
    }
    if (m->session == RESPONSES_BARE && m->ins == 0)
        return OK;
    return absorb_command(ch, c, o, m);
}

/* Behind the command: length of the data modulo 256, data, status word, padding. */
static enum err end_mac(const struct channel *ch, struct crypto *c, struct view data, uint16_t sw,
                        uint8_t mac[DES_BLOCK])
{
    struct response_mac m = ch->response;
    const uint8_t li[] = {(uint8_t)data.len};
    uint8_t end[3 * DES_BLOCK];
    struct writer w;
    enum err e = absorb(ch, c, &m, VIEW_OF(li));
    if (e == OK)
        e = absorb(ch, c, &m, data);
    wr_fixed(&w, end, sizeof(end));
    wr_bytes(&w, m.tail, m.tail_len);
    wr_u16(&w, sw);
    channel_pad(&w, DES_BLOCK);
    if (e == OK)
        e = wr_status(&w);
    return e == OK ? crypto_mac_retail(c, secret_view(&ch->rmac), m.chain, wr_view_of(&w), mac) : e;
}

/* What BEGIN and END do to the answers that follow. What EXTERNAL AUTHENTICATE asked for lasts to the end of
 * the channel. */
static void move_session(struct channel *ch)
{
    struct response_mac *m = &ch->response;
    if ((ch->level & LEVEL_R_MAC) != 0)
        return;
    if (m->ins == INS_BEGIN_R_MAC_SESSION)
        m->session = m->p == P1_EACH_RESPONSE ? RESPONSES_MACED : RESPONSES_COUNTED;
    else if (m->ins == INS_END_R_MAC_SESSION && m->p == P2_END)
        m->session = RESPONSES_BARE;
}

/* The answer to END R-MAC SESSION is the R-MAC over all since BEGIN. */
static enum err session_mac(struct channel *ch, const struct rapdu *answer, struct writer *out, bool *proven)
{
    if (answer->sw != SW_OK)
        return answer->data.len == 0 ? OK : ERR_AUTH;
    if (!secret_equal(VIEW_OF(ch->response.chain), answer->data))
        return ERR_AUTH;
    wr_view(out, answer->data);
    enum err e = wr_status(out);
    if (e == OK) {
        move_session(ch);
        *proven = true;
    }
    return e;
}

/* The R-MAC of this answer becomes the next initial value, whether it was sent or not. */
static enum err take(struct channel *ch, struct crypto *c, struct view data, struct view mac, uint16_t sw,
                     struct writer *out)
{
    uint8_t expected[DES_BLOCK];
    enum err e = end_mac(ch, c, data, sw, expected);
    if (e == OK && mac.len > 0 && !secret_equal(VIEW_OF(expected), mac))
        e = ERR_AUTH;
    if (e == OK) {
        wr_view(out, data);
        e = wr_status(out);
    }
    if (e == OK) {
        memcpy(ch->response.chain, expected, DES_BLOCK);
        ch->response.tail_len = 0;
        if (sw == SW_OK)
            move_session(ch);
    }
    wipe(expected, sizeof(expected));
    return e;
}

/* An error status word has no data, but it has an R-MAC, which moves the chain also when the card, or a
 * reader at T=0, keeps it back: such an answer is not proven. */
static enum err maced_answer(struct channel *ch, struct crypto *c, const struct rapdu *answer,
                             struct writer *out, bool *proven)
{
    struct reader r;
    bool success = channel_is_success(answer->sw), kept_back = !success && answer->data.len == 0;
    if (!kept_back && (answer->data.len < MAC_LEN || (!success && answer->data.len > MAC_LEN)))
        return ERR_AUTH;
    rd_init(&r, answer->data);
    struct view data = rd_view(&r, kept_back ? 0 : answer->data.len - MAC_LEN);
    enum err e = take(ch, c, data, rd_rest(&r), answer->sw, out);
    if (e == OK)
        *proven = !kept_back;
    return e;
}

/* Nothing is sent with this answer, but it counts: in a session that returns one R-MAC at its end, and for
 * BEGIN itself, when the card has done it. */
static enum err counted_answer(struct channel *ch, struct crypto *c, const struct rapdu *answer,
                               struct writer *out)
{
    if (ch->response.session == RESPONSES_BARE && answer->sw != SW_OK)
        return channel_unwrap_bare(answer, out);
    if (!channel_is_success(answer->sw) && answer->data.len > 0)
        return ERR_AUTH;
    return take(ch, c, answer->data, VIEW_NULL, answer->sw, out);
}

enum err rmac_answer(struct channel *ch, struct crypto *c, const struct rapdu *answer, struct writer *out,
                     bool *proven)
{
    const struct response_mac *m = &ch->response;
    if (m->ins == INS_END_R_MAC_SESSION)
        return session_mac(ch, answer, out, proven);
    if (m->session == RESPONSES_MACED)
        return maced_answer(ch, c, answer, out, proven);
    if (m->session == RESPONSES_COUNTED || m->ins == INS_BEGIN_R_MAC_SESSION)
        return counted_answer(ch, c, answer, out);
    return channel_unwrap_bare(answer, out);
}
