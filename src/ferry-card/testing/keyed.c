/* SPDX-License-Identifier: Apache-2.0
 *
 * The other side of SCP11 and of signed commands. */
#include "testing/keyed.h"

#include <string.h>

#include <base/limits.h>
#include <tlv/tlv.h>

#include "keypair.h"

/* ---- SCP11 ---- */

static const uint8_t kids[] = {SCP11_KID_A, SCP11_KID_B, SCP11_KID_C};

static enum err copy_public(const struct pk *k, struct pk **out)
{
    uint8_t memory[PK_PUBLIC_MAX];
    struct writer w;
    wr_fixed(&w, memory, sizeof memory);
    enum err e = pk_put_spki(k, &w);
    return e == OK ? pk_from_spki(wr_view_of(&w), out) : e;
}

static enum err copy_private(const struct pk *k, struct pk **out)
{
    uint8_t memory[PK_PRIVATE_MAX];
    struct writer w;
    wr_fixed(&w, memory, sizeof memory);
    enum err e = pk_put_pkcs8(k, &w);
    if (e == OK)
        e = pk_from_pkcs8(wr_view_of(&w), out);
    wipe(memory, sizeof memory);
    return e;
}

static enum err certify(struct scp11_host *s, const char *authority, const char *subject,
                        const struct pk *key, struct writer *out)
{
    static const uint8_t serial[] = {0x41, 0x42};
    struct card_certificate_content what = {.x509 = s->x509,
                                            .serial = VIEW_OF(serial),
                                            .authority = view_str(authority),
                                            .subject = view_str(subject),
                                            .from = 20260101,
                                            .until = 20261231};
    return card_certificate_make(s->h->crypto, &what, key, s->ca, out);
}

static enum err put_card_key(struct scp11_host *s, size_t n, struct writer *records)
{
    struct writer cert;
    wr_heap(&cert, CERTIFICATE_MAX);
    enum err e = keypair_put(records, VIEW_NULL, SCP11_KVN, kids[n], s->card[n], true);
    if (e == OK)
        e = certify(s, "CARD CA", "CARD", s->card[n], &cert);
    card_put_certificate(records, VIEW_NULL, CARD_TAG_CERTIFICATES, SCP11_KVN, kids[n], wr_view_of(&cert));
    wr_free(&cert);
    return e;
}

static enum err put_records(struct scp11_host *s)
{
    struct writer records;
    wr_heap(&records, CARD_FRAME_MAX);
    enum err e = keypair_put(&records, VIEW_NULL, SCP11_KVN, SCP11_KID_CA, s->ca, false);
    for (size_t n = 0; e == OK && n < 3; n++)
        e = put_card_key(s, n, &records);
    card_put_object(&records, VIEW_NULL, CARD_TAG_GROUP, view_str("GROUP"));
    if (e == OK)
        e = card_state_apply(&s->h->card.state, wr_view_of(&records));
    wr_view(&s->h->journal, wr_view_of(&records));
    wr_free(&records);
    return e;
}

enum err scp11_host_init(struct scp11_host *s, struct host *h, enum pk_curve curve, bool x509,
                         const struct scp11_host *group)
{
    memset(s, 0, sizeof *s);
    s->h = h;
    s->curve = curve;
    s->x509 = x509;
    wr_heap(&s->certificate, CERTIFICATE_MAX);
    wr_heap(&s->request, UINT16_MAX);
    enum err e = group != NULL ? copy_private(group->ca, &s->ca) : pk_generate_ec(h->crypto, curve, &s->ca);
    for (size_t n = 0; e == OK && n < 3; n++)
        e = group != NULL && n == 2 ? copy_private(group->card[2], &s->card[2])
                                    : pk_generate_ec(h->crypto, curve, &s->card[n]);
    if (e == OK)
        e = pk_generate_ec(h->crypto, curve, &s->own);
    if (e == OK)
        e = certify(s, "HOST CA", "HOST", s->own, &s->certificate);
    return e == OK ? put_records(s) : e;
}

void scp11_host_finish(struct scp11_host *s)
{
    pk_free(&s->ca);
    pk_free(&s->own);
    pk_free(&s->fresh);
    for (size_t n = 0; n < 3; n++)
        pk_free(&s->card[n]);
    wr_free(&s->certificate);
    wr_free(&s->request);
}

static uint16_t send_apdu(struct host *h, const struct apdu *a)
{
    struct writer w;
    wr_heap(&w, CAPDU_MAX);
    apdu_put(&w, a);
    uint16_t sw = wr_ok(&w) ? host_send(h, wr_view_of(&w)) : 0;
    wr_free(&w);
    return sw;
}

uint16_t scp11_show(struct scp11_host *s, uint8_t p1, uint8_t p2, struct view certificate)
{
    const struct apdu a = {.cla = 0x80, .ins = 0x2A, .p1 = p1, .p2 = p2, .data = certificate};
    return send_apdu(s->h, &a);
}

static enum err put_request(struct scp11_host *s, uint8_t parameter, uint8_t usage, uint8_t key_len)
{
    const uint8_t scp[] = {0x11, parameter}, aes[] = {0x88};
    uint8_t memory[PK_POINT_MAX];
    struct writer point;
    size_t mark;
    wr_clear(&s->request);
    wr_fixed(&point, memory, sizeof memory);
    pk_free(&s->fresh);
    enum err e = pk_generate_ec(s->h->crypto, s->curve, &s->fresh);
    if (e == OK)
        e = pk_put_point(s->fresh, &point);
    tlv_open(&s->request, 0xA6, &mark);
    tlv_put(&s->request, 0x90, VIEW_OF(scp));
    tlv_put(&s->request, 0x95, view_of(&usage, 1));
    tlv_put(&s->request, 0x80, VIEW_OF(aes));
    tlv_put(&s->request, 0x81, view_of(&key_len, 1));
    if (parameter & SCP11_NAMES)
        tlv_put(&s->request, 0x84, s->host_id);
    tlv_close(&s->request, mark);
    tlv_put(&s->request, 0x5F49, wr_view_of(&point));
    return e;
}

/* As the card's agree(), with the other halves. */
static enum err agree(struct scp11_host *s, const struct card_scp11_variant *v, struct pk *card_static,
                      struct pk *card_point, struct secret shared[2])
{
    struct crypto *c = s->h->crypto;
    enum err e = pk_ecdh(c, s->fresh, v->fresh ? card_point : card_static, &shared[0]);
    return e == OK ? pk_ecdh(c, v->certificate ? s->own : s->fresh, card_static, &shared[1]) : e;
}

static enum err find_names(const struct scp11_host *s, const struct card_scp11_variant *v,
                           struct card_scp11_self *self)
{
    const struct card_state *state = &s->h->card.state;
    const uint16_t tags[2][2] = {{CARD_TAG_GROUP, 0}, {0x42, 0x45}};
    self->name_count = v->fresh ? 2 : 1;
    for (size_t n = 0; n < self->name_count; n++) {
        const struct card_object *o = card_find_object(state, VIEW_NULL, tags[v->fresh][n]);
        if (o == NULL)
            return ERR_NOT_FOUND;
        self->names[n] = view_of(o->data, o->len);
    }
    return OK;
}

static enum err settle(struct scp11_host *s, const struct card_scp11_variant *v)
{
    struct view point, receipt, answer = host_data(s->h);
    struct secret shared[2] = {{.len = 0}, {.len = 0}};
    struct card_scp11_request q;
    struct card_scp11_self self = {.mac_len = s->h->card.state.profile.flags & CARD_SCP11_S16 ? 16 : 8};
    struct pk *card_point = NULL, *card_static = s->card[v->kid == SCP11_KID_A   ? 0
                                                         : v->kid == SCP11_KID_B ? 1
                                                                                 : 2];
    struct writer again;
    wr_heap(&again, RAPDU_MAX);
    card_channel_finish(&s->h->ch);
    if (!tlv_find(answer, 0x5F49, &point) || !tlv_find(answer, 0x86, &receipt))
        return ERR_FORMAT;
    if (card_scp11_read_request(wr_view_of(&s->request), v, &q) != SW_OK)
        return ERR_FORMAT;
    enum err e = pk_ec_public(s->curve, point, &card_point);
    if (e == OK)
        e = find_names(s, v, &self);
    if (e == OK)
        e = agree(s, v, card_static, card_point, shared);
    if (e == OK)
        e = card_scp11_derive(s->h->crypto, &q, shared, &self, point, &s->h->ch, &again);
    if (e == OK && !secret_equal(wr_view_of(&again), answer))
        e = ERR_AUTH;
    s->h->ch.scp = 0x03; /* whose secure messaging it is from here on */
    pk_free(&card_point);
    wr_free(&again);
    return e;
}

uint16_t scp11_authenticate(struct scp11_host *s, uint8_t kid, uint8_t parameter, uint8_t usage,
                            uint8_t key_len)
{
    const struct card_scp11_variant *v = card_scp11_variant(kid);
    struct apdu a = {.cla = 0x80, .ins = 0x88, .p1 = SCP11_KVN, .p2 = kid, .ne = 256};
    if (put_request(s, parameter, usage, key_len) != OK || v == NULL)
        return 0;
    a.ins = v->certificate ? 0x82 : 0x88;
    a.data = wr_view_of(&s->request);
    uint16_t sw = send_apdu(s->h, &a);
    return sw == SW_OK && settle(s, v) != OK ? 0 : sw;
}

uint16_t scp11_open(struct scp11_host *s, uint8_t kid, uint8_t usage)
{
    const struct card_scp11_variant *v = card_scp11_variant(kid);
    uint16_t sw = SW_OK;
    if (v->certificate)
        sw = scp11_show(s, SCP11_KVN, SCP11_KID_CA, wr_view_of(&s->certificate));
    return sw == SW_OK ? scp11_authenticate(s, kid, v->parameter, usage, 16) : sw;
}

/* ---- signed commands ---- */

static const uint8_t label[] = {'F', 'E', 'R', 'R', 'Y', '-', 'F', '0'};

/* Making RSA and DSA keys takes its time: one pair per row and side for the life of the process. */
enum { SIDES = 2, ROWS_MAX = 8 };
static struct pk *made[ROWS_MAX][SIDES];

static enum err get_key(struct crypto *c, const struct card_signed_row *row, size_t side, struct pk **out)
{
    struct pk **kept = &made[row->i % ROWS_MAX][side];
    enum err e = OK;
    if (*kept == NULL)
        e = row->algorithm == PK_EC ? pk_generate_ec(c, row->curve, kept)
                                    : pk_generate(c, row->algorithm, row->bits, kept);
    return e == OK ? copy_private(*kept, out) : e;
}

enum err signed_host_init(struct signed_host *s, struct host *h, uint8_t i)
{
    struct writer records;
    memset(s, 0, sizeof *s);
    s->h = h;
    s->row = card_signed_row(i);
    if (s->row == NULL)
        return ERR_ARGUMENT;
    s->extended = s->row->signature_len > 255;
    wr_heap(&records, CARD_FRAME_MAX);
    struct pk *own = NULL;
    enum err e = get_key(h->crypto, s->row, 0, &s->server);
    if (e == OK)
        e = get_key(h->crypto, s->row, 1, &own);
    if (e == OK)
        e = copy_public(own, &s->card);
    if (e == OK)
        e = keypair_put(&records, VIEW_NULL, SIGNED_KVN, SIGNED_KID_SERVER, s->server, false);
    if (e == OK)
        e = keypair_put(&records, VIEW_NULL, SIGNED_KVN, SIGNED_KID_OWN, own, true);
    if (e == OK)
        e = keypair_put(&records, VIEW_NULL, SIGNED_KVN, SIGNED_KID_PUBLIC, own, false);
    if (e == OK)
        e = card_state_apply(&h->card.state, wr_view_of(&records));
    wr_view(&h->journal, wr_view_of(&records));
    wr_free(&records);
    pk_free(&own);
    return e;
}

void signed_host_finish(struct signed_host *s)
{
    pk_free(&s->server);
    pk_free(&s->card);
    wipe(s, sizeof *s);
}

static enum err fingerprint(struct signed_host *s, const struct pk *k, uint8_t *out)
{
    struct writer image;
    wr_heap(&image, PK_PUBLIC_MAX);
    enum err e = keypair_put_image(k, &image);
    struct view whole = wr_view_of(&image);
    if (e == OK)
        e = crypto_digest(s->h->crypto, s->row->hash, &whole, 1, out);
    wr_free(&image);
    return e;
}

/* kdd 10 | kvn | F0 | i | challenge 16 | signature. */
static enum err check_opening(struct signed_host *s, struct view answer)
{
    uint8_t server[DIGEST_MAX], card[DIGEST_MAX], role[] = {0x01, s->row->i, 0};
    size_t len = crypto_digest_len(s->row->hash);
    struct reader r;
    rd_init(&r, answer);
    struct view kdd = rd_view(&r, CARD_KDD_LEN);
    role[2] = rd_u8(&r);
    uint8_t scp = rd_u8(&r), i = rd_u8(&r);
    struct view challenge = rd_view(&r, SIGNED_CHALLENGE), signature = rd_rest(&r);
    if (!rd_ok(&r) || scp != 0xF0 || i != s->row->i)
        return ERR_FORMAT;
    enum err e = fingerprint(s, s->server, server);
    if (e == OK)
        e = fingerprint(s, s->card, card);
    const struct view m1[] = {VIEW_OF(label),     VIEW_OF(role), view_of(server, len),
                              view_of(card, len), kdd,           VIEW_OF(s->challenge),
                              challenge};
    if (e == OK)
        e = pk_verify(s->h->crypto, s->card, s->row->scheme, s->row->hash, m1, 7, signature);
    return e == OK ? crypto_digest(s->h->crypto, s->row->hash, m1, 7, s->chain) : e;
}

uint16_t signed_initialize(struct signed_host *s, uint8_t kvn)
{
    struct apdu a = {.cla = 0x80, .ins = 0x50, .p1 = kvn, .data = VIEW_OF(s->challenge), .ne = 256};
    for (size_t n = 0; n < sizeof s->challenge; n++)
        s->challenge[n]++;
    a.extended = s->extended;
    a.ne = s->extended ? 65536 : 256;
    s->number = 0;
    uint16_t sw = send_apdu(s->h, &a);
    return sw == SW_OK && check_opening(s, host_data(s->h)) != OK ? 0 : sw;
}

enum err signed_put(struct signed_host *s, const struct apdu *plain, struct writer *out)
{
    const uint8_t role[] = {0x02};
    uint8_t memory[16], signature[PK_SIGNATURE_MAX];
    struct writer head, sig, data;
    size_t len = crypto_digest_len(s->row->hash);
    wr_fixed(&head, memory, sizeof memory);
    wr_u32(&head, s->number);
    wr_u8(&head, (uint8_t)((plain->cla & 0xF0) | 0x04));
    wr_u8(&head, plain->ins);
    wr_u8(&head, plain->p1);
    wr_u8(&head, plain->p2);
    wr_u16(&head, (uint16_t)plain->data.len);
    const struct view m[] = {VIEW_OF(label), VIEW_OF(role), view_of(s->chain, len), wr_view_of(&head),
                             plain->data};
    wr_fixed(&sig, signature, sizeof signature);
    enum err e = pk_sign(s->h->crypto, s->server, s->row->scheme, s->row->hash, m, 5, &sig);
    if (e == OK)
        e = crypto_digest(s->h->crypto, s->row->hash, m, 5, s->chain);
    s->number++;
    wr_heap(&data, CAPDU_MAX);
    wr_view(&data, plain->data);
    wr_view(&data, wr_view_of(&sig));
    struct apdu a = *plain;
    a.cla |= 0x04;
    a.data = wr_view_of(&data);
    a.extended = s->extended;
    a.ne = s->extended ? 65536 : 256;
    apdu_put(out, &a);
    wr_free(&data);
    return e == OK ? wr_status(out) : e;
}

static uint16_t send_signed(struct signed_host *s, const struct apdu *plain)
{
    struct writer w;
    wr_heap(&w, CAPDU_MAX);
    uint16_t sw = signed_put(s, plain, &w) == OK ? host_send(s->h, wr_view_of(&w)) : 0;
    wr_free(&w);
    return sw;
}

/* The key field, and Z that is in it. */
static enum err carry(struct signed_host *s, uint8_t key_len, struct secret *z, struct writer *field)
{
    struct crypto *c = s->h->crypto;
    struct pk *ephemeral = NULL;
    wr_u8(field, key_len);
    if (s->row->algorithm == PK_RSA) {
        z->len = 32;
        memset(z->data, 0x5A, z->len);
        return pk_oaep_encrypt(c, s->card, DIGEST_SHA256, secret_view(z), field);
    }
    enum err e = pk_generate_ec(c, s->row->curve, &ephemeral);
    if (e == OK)
        e = pk_put_point(ephemeral, field);
    if (e == OK)
        e = pk_ecdh(c, ephemeral, s->card, z);
    pk_free(&ephemeral);
    return e;
}

static enum err derive(struct signed_host *s, const struct secret *z, size_t key_len)
{
    const uint8_t role[] = {0x03};
    uint8_t bytes[96], memory[8 + 1 + DIGEST_MAX];
    struct secret *const keys[] = {&s->s_enc, &s->s_rmac, &s->s_dek};
    struct writer info;
    struct reader r;
    wr_fixed(&info, memory, sizeof memory);
    wr_view(&info, VIEW_OF(label));
    wr_view(&info, VIEW_OF(role));
    wr_view(&info, view_of(s->chain, crypto_digest_len(s->row->hash)));
    const struct view shared = secret_view(z);
    enum err e =
        crypto_x963_kdf(s->h->crypto, s->row->hash, &shared, 1, wr_view_of(&info), bytes, 3 * key_len);
    rd_init(&r, view_of(bytes, 3 * key_len));
    for (size_t n = 0; e == OK && n < 3; n++)
        e = secret_set(keys[n], rd_view(&r, key_len));
    return e;
}

uint16_t signed_authenticate(struct signed_host *s, uint8_t level, uint8_t key_len)
{
    struct secret z = {.len = 0};
    struct writer field;
    struct apdu a = {.cla = 0x80, .ins = 0x82, .p1 = level};
    bool carried = (level & 0x02) != 0;
    wr_heap(&field, 1024);
    s->s_enc.len = s->s_rmac.len = s->s_dek.len = 0;
    enum err e = carried ? carry(s, key_len, &z, &field) : OK;
    a.data = wr_view_of(&field);
    uint16_t sw = e == OK ? send_signed(s, &a) : 0;
    if (sw == SW_OK && carried && derive(s, &z, key_len) != OK)
        sw = 0;
    s->level = level;
    wr_free(&field);
    return sw;
}

uint16_t signed_open(struct signed_host *s, uint8_t level)
{
    uint16_t sw = signed_initialize(s, SIGNED_KVN);
    return sw == SW_OK ? signed_authenticate(s, level, s->row->i == 0x05 ? 32 : 16) : sw;
}

static enum err icv_of(struct signed_host *s, uint32_t number, uint8_t first, uint8_t out[AES_BLOCK])
{
    uint8_t block[AES_BLOCK] = {first};
    for (size_t n = 0; n < 4; n++)
        block[15 - n] = (uint8_t)(number >> 8 * n);
    return crypto_aes_ecb_encrypt(s->h->crypto, secret_view(&s->s_enc), VIEW_OF(block), out);
}

uint16_t signed_secure(struct signed_host *s, struct view header, struct view data)
{
    uint8_t icv[AES_BLOCK];
    struct writer cipher;
    struct apdu a = {
        .cla = header.data[0], .ins = header.data[1], .p1 = header.data[2], .p2 = header.data[3]};
    a.data = data;
    wr_heap(&cipher, CAPDU_MAX);
    enum err e = OK;
    if ((s->level & 0x02) && data.len != 0) {
        card_pad(&cipher, data, AES_BLOCK);
        e = icv_of(s, s->number, 0, icv);
        if (e == OK)
            e = crypto_aes_cbc_encrypt(s->h->crypto, secret_view(&s->s_enc), icv, wr_view_of(&cipher),
                                       cipher.data);
        a.data = wr_view_of(&cipher);
    }
    uint16_t sw = e == OK ? send_signed(s, &a) : 0;
    wr_free(&cipher);
    return sw;
}

static enum err verify_answer(struct signed_host *s, struct view body, struct view proof)
{
    const uint8_t role[] = {0x04};
    uint8_t tail[] = {(uint8_t)(s->h->sw >> 8), (uint8_t)s->h->sw, (uint8_t)(body.len >> 8),
                      (uint8_t)body.len};
    uint8_t mac[CMAC_LEN];
    const struct view r[] = {VIEW_OF(label), VIEW_OF(role),
                             view_of(s->chain, crypto_digest_len(s->row->hash)), VIEW_OF(tail), body};
    if (s->s_rmac.len == 0)
        return pk_verify(s->h->crypto, s->card, s->row->scheme, s->row->hash, r, 5, proof);
    enum err e = crypto_cmac(s->h->crypto, secret_view(&s->s_rmac), r, 5, mac);
    return e == OK && !secret_equal(VIEW_OF(mac), proof) ? ERR_AUTH : e;
}

enum err signed_answer(struct signed_host *s, struct writer *out)
{
    uint8_t icv[AES_BLOCK];
    struct view all = host_data(s->h);
    size_t proof = s->s_rmac.len != 0 ? SIGNED_KEY_MAC : s->row->signature_len;
    if (!(s->level & 0x10)) {
        wr_view(out, all);
        return OK;
    }
    if (all.len < proof)
        return ERR_AUTH;
    struct view body = view_head(all, all.len - proof);
    enum err e = verify_answer(s, body, view_tail(all, body.len));
    if (e != OK || !(s->level & 0x20) || body.len == 0) {
        wr_view(out, body);
        return e;
    }
    uint8_t *room = wr_reserve(out, body.len);
    e = icv_of(s, s->number - 1, 0x80, icv);
    if (e == OK && room != NULL)
        e = crypto_aes_cbc_decrypt(s->h->crypto, secret_view(&s->s_enc), icv, body, room);
    long len = card_unpad(wr_view_of(out), AES_BLOCK);
    if (e == OK && len < 0)
        e = ERR_AUTH;
    out->len = len < 0 ? 0 : (size_t)len;
    return e;
}
