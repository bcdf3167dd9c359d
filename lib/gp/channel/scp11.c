/* SPDX-License-Identifier: Apache-2.0
 *
 * SCP11a, SCP11b, SCP11c, host side (GPCS Amendment F 1.4): from the certificates and the key agreement to a
 * channel that goes on as SCP03. All commands of the opening can be said at once: nothing that the host sends
 * depends on what the card answers.
 *
 *     GET DATA BF21                    the card's certificates
 *     PERFORM SECURITY OPERATION ...   the host's certificates, the one that the card's key verifies first
 *     MUTUAL or INTERNAL AUTHENTICATE  the host's ephemeral key; answered by the card's, and a receipt
 */
#include "scp11.h"

#include <tlv/tlv.h>

enum {
    CLA_ISO = 0x00,
    CLA_GP = 0x80,
    CLA_CHAINED = 0x10, /* ISO/IEC 7816-4 5.3.3 */
    INS_GET_DATA = 0xCA,
    INS_PERFORM_SECURITY_OPERATION = 0x2A,
    INS_MUTUAL_AUTHENTICATE = 0x82,
    INS_INTERNAL_AUTHENTICATE = 0x88,
    MORE = 0x80, /* bit 8 of P2: another certificate follows; of P1: another part */

    TAG_CRT = 0xA6,
    TAG_KEY_REFERENCE = 0x83,
    TAG_PARAMETERS = 0x90,
    TAG_KEY_USAGE = 0x95,
    TAG_KEY_TYPE = 0x80,
    TAG_KEY_LENGTH = 0x81,
    TAG_HOST_ID = 0x84,
    TAG_POINT = 0x5F49,
    TAG_RECEIPT = 0x86,

    KEY_TYPE_AES = 0x88,
    SESSION_KEY_DEFAULT = 16
};

static bool is_mutual(const struct channel_opening *o)
{
    return (o->request.method->i & SCP11_MUTUAL) != 0;
}

static bool is_card_static(const struct channel_opening *o)
{
    return (o->request.method->i & SCP11_CARD_STATIC) != 0;
}

static bool has_ids(const struct channel_keys *keys)
{
    return keys->host_id.len > 0 || keys->card_group_id.len > 0;
}

static uint8_t key_len(const struct channel_opening *o)
{
    return o->request.session_key_len != 0 ? o->request.session_key_len : SESSION_KEY_DEFAULT;
}

/* Amendment F table 4-1: the identifiers of SK.SD.ECKA. */
static uint8_t key_id(const struct channel_opening *o)
{
    if (o->request.kid != 0)
        return o->request.kid;
    if (!is_mutual(o))
        return 0x13;
    return is_card_static(o) ? 0x15 : 0x11;
}

/* The curve of all keys of one agreement: the card's key when it is known, the host's static key, or what the
 * request says. */
static enum pk_curve curve_of(const struct channel_opening *o, const struct channel_keys *keys)
{
    if (is_mutual(o))
        return pk_ec_curve(keys->host);
    return keys->peer_is_card ? pk_ec_curve(keys->peer) : o->request.curve;
}

static enum err check_keys(const struct channel_opening *o, const struct channel_keys *keys)
{
    bool host = keys->host != NULL && pk_is_private(keys->host) && keys->certificate_count > 0;
    if (keys->peer == NULL || (is_mutual(o) && !host) || keys->host_id.len > SCP11_ID_MAX ||
        keys->card_group_id.len > SCP11_ID_MAX || key_length_check(KEY_AES, key_len(o)) != OK)
        return ERR_ARGUMENT;
    return curve_of(o, keys) < CURVE_COUNT ? OK : ERR_ARGUMENT;
}

/* ---- what is sent ---- */

static enum err put_command(struct channel_opening *o, const struct apdu *command)
{
    if (o->count == OPENING_COMMANDS_MAX)
        return ERR_LIMIT;
    o->commands[o->count++] = *command;
    return OK;
}

/* One certificate, in parts of a short command. Some cards want to be told by bit 8 of P1, too, that more
 * comes. */
static enum err put_certificate(struct channel_opening *o, struct view certificate, uint8_t kvn, uint8_t p2)
{
    enum err e = certificate.len > 0 ? OK : ERR_ARGUMENT;
    while (certificate.len > 0 && e == OK) {
        struct view part = view_head(certificate, SHORT_DATA_MAX);
        bool more = part.len < certificate.len;
        const struct apdu command = {.cla = more ? CLA_GP | CLA_CHAINED : CLA_GP,
                                     .ins = INS_PERFORM_SECURITY_OPERATION,
                                     .p1 = more && o->request.chained_p1 ? kvn | MORE : kvn,
                                     .p2 = p2,
                                     .data = part};
        e = put_command(o, &command);
        certificate = view_tail(certificate, part.len);
    }
    return e;
}

/* Amendment F 7.5: P1, P2 name the card's key that verifies the first of them. */
static enum err put_certificates(struct channel_opening *o, const struct channel_keys *keys)
{
    enum err e = OK;
    if (!is_mutual(o))
        return OK;
    for (size_t i = 0; i < keys->certificate_count && e == OK; i++) {
        bool more = i + 1 < keys->certificate_count;
        e = put_certificate(o, keys->certificates[i], keys->ca_kvn,
                            more ? keys->ca_kid | MORE : keys->ca_kid);
    }
    return e;
}

static void put_byte(struct writer *w, uint32_t tag, uint8_t value)
{
    tlv_put(w, tag, view_of(&value, 1));
}

/* A6 { 83 { key identifier, key version } } */
static void put_key_reference(struct writer *w, const struct channel_opening *o)
{
    const uint8_t reference[] = {key_id(o), o->request.kvn};
    size_t mark;
    tlv_open(w, TAG_CRT, &mark);
    tlv_put(w, TAG_KEY_REFERENCE, VIEW_OF(reference));
    tlv_close(w, mark);
}

/* Amendment F 7.6.2.3: A6 { 90 protocol and parameters, 95 key usage, 80 key type, 81 key length, [84 HostID]
 * } and 5F49 the ephemeral key. */
static enum err put_agreement(struct writer *w, const struct channel_opening *o,
                              const struct channel_keys *keys, struct view point)
{
    const uint8_t i = o->request.method->i & (SCP11_MUTUAL | SCP11_CARD_STATIC);
    const uint8_t parameters[] = {SCP11, has_ids(keys) ? i | SCP11_WITH_IDS : i};
    size_t mark;
    tlv_open(w, TAG_CRT, &mark);
    tlv_put(w, TAG_PARAMETERS, VIEW_OF(parameters));
    put_byte(w, TAG_KEY_USAGE, scp11_key_usage(o->request.level));
    put_byte(w, TAG_KEY_TYPE, KEY_TYPE_AES);
    put_byte(w, TAG_KEY_LENGTH, key_len(o));
    if (keys->host_id.len > 0)
        tlv_put(w, TAG_HOST_ID, keys->host_id);
    tlv_close(w, mark);
    tlv_put(w, TAG_POINT, point);
    return wr_status(w);
}

/* Both data fields of our own lie in the storage, this one first. */
static enum err put_commands(struct channel_opening *o, const struct channel_keys *keys, size_t reference_len)
{
    struct reader r;
    rd_init(&r, wr_view_of(&o->storage));
    const struct apdu get_data = {.cla = CLA_ISO,
                                  .ins = INS_GET_DATA,
                                  .p1 = TAG_CERTIFICATE_STORE >> 8,
                                  .p2 = TAG_CERTIFICATE_STORE & 0xFF,
                                  .data = rd_view(&r, reference_len),
                                  .ne = 256};
    const struct apdu authenticate = {.cla = CLA_GP,
                                      .ins =
                                          is_mutual(o) ? INS_MUTUAL_AUTHENTICATE : INS_INTERNAL_AUTHENTICATE,
                                      .p1 = o->request.kvn,
                                      .p2 = key_id(o),
                                      .data = rd_rest(&r),
                                      .ne = 256};
    enum err e = keys->peer_is_card ? OK : put_command(o, &get_data);
    if (e == OK)
        e = put_certificates(o, keys);
    return e == OK ? put_command(o, &authenticate) : e;
}

static enum err scp11_begin(struct channel_opening *o, struct crypto *c, struct random_source random,
                            const struct channel_keys *keys)
{
    uint8_t memory[PK_POINT_MAX];
    struct writer point;
    enum err e = check_keys(o, keys);
    wr_fixed(&point, memory, sizeof(memory));
    if (e == OK)
        e = pk_ec_draw(c, curve_of(o, keys), random, &o->own, &point);
    if (e != OK)
        return e;
    put_key_reference(&o->storage, o);
    const size_t reference_len = o->storage.len;
    e = put_agreement(&o->storage, o, keys, wr_view_of(&point));
    return e == OK ? put_commands(o, keys, reference_len) : e;
}

/* ---- what is answered ---- */

/* 5F49 the card's key | 86 receipt, and nothing else. */
struct card_answer {
    struct view point_tlv, point, receipt;
};

static enum err parse_answer(struct view data, struct card_answer *out)
{
    struct card_answer a;
    struct tlv point, receipt;
    struct reader r;
    rd_init(&r, data);
    if (!tlv_next(&r, &point) || point.tag != TAG_POINT)
        return ERR_FORMAT;
    a.point_tlv = view_head(data, data.len - rd_left(&r));
    if (!tlv_next(&r, &receipt) || receipt.tag != TAG_RECEIPT || receipt.value.len != SCP11_RECEIPT ||
        !rd_done(&r))
        return ERR_FORMAT;
    a.point = point.value;
    a.receipt = receipt.value;
    *out = a;
    return OK;
}

/* The host's static key as a number, for the second point; in SCP11b the ephemeral one serves again. */
static enum err second_scalar(const struct channel_opening *o, const struct channel_keys *keys,
                              struct secret *out)
{
    struct writer w;
    if (!is_mutual(o))
        return secret_set(out, secret_view(&o->own));
    wr_fixed(&w, out->data, sizeof(out->data));
    enum err e = pk_put_scalar(keys->host, &w);
    out->len = w.len;
    return e;
}

/* The two shared points, in the order that the keys are made of them. */
static enum err agree(const struct channel_opening *o, struct crypto *c, const struct channel_keys *keys,
                      struct view card_static, struct view card_answered, struct secret shared[2])
{
    const enum pk_curve curve = curve_of(o, keys);
    struct secret own = {0};
    enum err e = pk_ec_agree(c, curve, secret_view(&o->own), card_answered, &shared[0]);
    if (e == OK)
        e = second_scalar(o, keys, &own);
    if (e == OK)
        e = pk_ec_agree(c, curve, secret_view(&own), card_static, &shared[1]);
    secret_wipe(&own);
    return e;
}

/* card_point is the object 5F49 as the card sends it, answered its value. */
static enum err derive(struct channel *ch, struct crypto *c, const struct channel_opening *o,
                       const struct channel_keys *keys, const struct scp11_key *card, struct view answered,
                       struct view card_point, uint8_t receipt[SCP11_RECEIPT])
{
    struct secret shared[2] = {0};
    const struct scp11_context context = {.key_usage = scp11_key_usage(o->request.level),
                                          .key_len = key_len(o),
                                          .host_id = keys->host_id,
                                          .card_group_id = keys->card_group_id,
                                          .sent = o->commands[o->count - 1].data,
                                          .card_point = card_point};
    enum err e = agree(o, c, keys, scp11_point(card), answered, shared);
    if (e == OK)
        e = scp11_derive(ch, c, &context, shared, receipt);
    secret_wipe(&shared[0]);
    secret_wipe(&shared[1]);
    return e;
}

static void start_chain(struct channel *ch, const uint8_t receipt[SCP11_RECEIPT])
{
    struct writer w;
    wr_fixed(&w, ch->chain, sizeof(ch->chain));
    wr_bytes(&w, receipt, SCP11_RECEIPT);
}

/* What the card has answered to the agreement, with its own key at hand. The points are checked to be on the
 * curve when they are agreed with (Amendment F 6.1.1). */
static enum err accept_answer(struct channel *ch, struct crypto *c, const struct channel_opening *o,
                              const struct channel_keys *keys, const struct scp11_key *card, struct view data)
{
    uint8_t receipt[SCP11_RECEIPT];
    struct card_answer answer;
    enum err e = parse_answer(data, &answer);
    if (e != OK)
        return e;
    if (is_card_static(o) && !view_equal(answer.point, scp11_point(card)))
        return ERR_AUTH; /* SCP11c: the card has this one key only */
    e = derive(ch, c, o, keys, card, answer.point, answer.point_tlv, receipt);
    if (e == OK && !secret_equal(VIEW_OF(receipt), answer.receipt))
        e = ERR_AUTH;
    if (e == OK)
        start_chain(ch, receipt);
    return e;
}

static enum err scp11_accept(struct channel *ch, struct crypto *c, const struct channel_opening *o,
                             const struct channel_keys *keys, const struct rapdu *answers)
{
    struct scp11_key card;
    enum err e = check_keys(o, keys);
    if (e == OK)
        e = keys->peer_is_card ? scp11_take_key(keys->peer, &card)
                               : scp11_card_key(c, answers[0].data, keys->peer, o->request.now_ms, &card);
    if (e == OK && card.curve != curve_of(o, keys))
        e = ERR_AUTH; /* the certificate is of a key that this agreement was not begun for */
    return e == OK ? accept_answer(ch, c, o, keys, &card, answers[o->count - 1].data) : e;
}

/* ---- SCP11c for a group of cards ---- */

enum err channel_group_open(struct channel **out, struct crypto *c, const struct channel_opening *o,
                            const struct channel_keys *keys)
{
    const struct channel_method *m = o->request.method;
    uint8_t receipt[SCP11_RECEIPT], memory[SCP11_POINT_TLV_MAX];
    struct scp11_key card;
    struct writer answer;
    if (m->scp != SCP11 || !is_card_static(o) || !keys->peer_is_card || o->count == 0)
        return ERR_ARGUMENT;
    enum err e = check_keys(o, keys);
    if (e == OK)
        e = scp11_take_key(keys->peer, &card);
    if (e != OK)
        return e;
    struct channel *ch = channel_alloc(m, o->request.level);
    if (ch == NULL)
        return ERR_MEMORY;
    wr_fixed(&answer, memory, sizeof(memory));
    tlv_put(&answer, TAG_POINT, scp11_point(&card));
    e = derive(ch, c, o, keys, &card, scp11_point(&card), wr_view_of(&answer), receipt);
    if (e == OK) {
        start_chain(ch, receipt);
        *out = ch;
        ch = NULL;
    }
    channel_free(&ch);
    return e;
}

static bool scp11_state_ok(const struct channel *ch)
{
    size_t len = ch->enc.len;
    return key_length_check(KEY_AES, len) == OK && ch->mac.len == len && ch->rmac.len == len &&
           ch->dek.len == len && ch->pairs.len == 0 && ch->tag_len == ch->method->tag_len;
}

const struct channel_ops channel_scp11 = {
    .cipher_block = AES_BLOCK,
    .chain_len = SCP11_RECEIPT,
    .state_ok = scp11_state_ok,
    .begin = scp11_begin,
    .accept = scp11_accept,
    .wrap = channel_scp03_wrap,
    .unwrap = channel_scp03_unwrap,
    .dek_encrypt = channel_scp03_dek_encrypt,
};
