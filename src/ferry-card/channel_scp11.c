/* SPDX-License-Identifier: Apache-2.0
 *
 * SCP11 as the card plays it: read the request, agree on keys, derive, answer with the receipt. */
#include "channel_scp11.h"

#include <string.h>

#include <tlv/tlv.h>

#include "channel_scp03.h"

enum { TAG_CRT = 0xA6, TAG_PARAMETER = 0x90, TAG_USAGE = 0x95, TAG_KEY_TYPE = 0x80, TAG_KEY_LEN = 0x81 };
enum { TAG_HOST_ID = 0x84, TAG_POINT = 0x5F49, TAG_RECEIPT = 0x86 };
enum { SCP11 = 0x11, KEY_TYPE_AES = 0x88, SESSION_KEYS = 5, KEY_LEN_MAX = 32 };

static const struct card_scp11_variant variants[] = {
    {SCP11_KID_A, SCP11_PARAMETER_A, SCP11_I_A, true, true},
    {SCP11_KID_B, SCP11_PARAMETER_B, SCP11_I_B, false, true},
    {SCP11_KID_C, SCP11_PARAMETER_C, SCP11_I_C, true, false},
};

const struct card_scp11_variant *card_scp11_variant(uint8_t kid)
{
    for (size_t n = 0; n < sizeof variants / sizeof variants[0]; n++) {
        if (variants[n].kid == kid)
            return &variants[n];
    }
    return NULL;
}

/* ---- the request ---- */

/* Key usage qualifiers (7.6.2.3) and the security levels that they stand for. A script that nobody waits for
 * the answers of (SCP11c) may do without their protection. */
static const struct usage {
    uint8_t usage, level;
    bool scripts_only;
} usages[] = {
    {0x34, CARD_LEVEL_C_MAC | CARD_LEVEL_R_MAC, false},
    {0x3C, CARD_LEVEL_C_MAC | CARD_LEVEL_C_DECRYPTION | CARD_LEVEL_R_MAC | CARD_LEVEL_R_ENCRYPTION, false},
    {0x1C, CARD_LEVEL_C_MAC | CARD_LEVEL_C_DECRYPTION, true},
    {0x74, CARD_LEVEL_C_MAC | CARD_LEVEL_C_DECRYPTION | CARD_LEVEL_R_MAC, true},
};

static bool read_level(struct card_scp11_request *q)
{
    for (size_t n = 0; n < sizeof usages / sizeof usages[0]; n++) {
        const struct usage *u = &usages[n];
        if (u->usage != q->usage)
            continue;
        q->level = u->level;
        return !u->scripts_only || (q->parameter & SCP11_PARAMETER_VARIANT) == SCP11_PARAMETER_C;
    }
    return false;
}

/* The next object with this tag and length. */
static struct view take(struct reader *r, uint32_t tag, size_t min, size_t max)
{
    struct tlv object;
    if (!tlv_next(r, &object) || object.tag != tag || object.value.len < min || object.value.len > max) {
        rd_fail(r);
        return VIEW_NULL;
    }
    return object.value;
}

static uint8_t take_byte(struct reader *r, uint32_t tag)
{
    struct reader value;
    rd_init(&value, take(r, tag, 1, 1));
    return rd_u8(&value);
}

static bool read_crt(struct view crt, struct card_scp11_request *q)
{
    struct reader r, parameter;
    rd_init(&r, crt);
    rd_init(&parameter, take(&r, TAG_PARAMETER, 2, 2));
    uint8_t scp = rd_u8(&parameter);
    q->parameter = rd_u8(&parameter);
    q->usage = take_byte(&r, TAG_USAGE);
    uint8_t type = take_byte(&r, TAG_KEY_TYPE);
    q->key_len = take_byte(&r, TAG_KEY_LEN);
    /* The host's name stands there exactly when the parameter says that names count. */
    if (q->parameter & SCP11_NAMES)
        q->host_id = take(&r, TAG_HOST_ID, 1, CARD_SCP11_NAME_MAX);
    return rd_done(&r) && scp == SCP11 && type == KEY_TYPE_AES &&
           (q->key_len == 16 || q->key_len == 24 || q->key_len == 32);
}

uint16_t card_scp11_read_request(struct view data, const struct card_scp11_variant *variant,
                                 struct card_scp11_request *out)
{
    struct card_scp11_request q = {.whole = data};
    struct reader r;
    rd_init(&r, data);
    struct view crt = take(&r, TAG_CRT, 1, UINT8_MAX);
    q.point = take(&r, TAG_POINT, 1, PK_POINT_MAX);
    if (!rd_done(&r) || !read_crt(crt, &q) || (q.parameter & (uint8_t)~SCP11_NAMES) != variant->parameter ||
        !read_level(&q))
        return SW_WRONG_DATA;
    *out = q;
    return SW_OK;
}

/* ---- keys ---- */

/* The two shared secrets, in the order in which the derivation takes them (5.2): ShSee and ShSss in SCP11a,
 * ShSee and ShSes in SCP11b, ShSes and ShSss in SCP11c. The first letter of a pair is the host's key. */
static enum err agree(struct crypto *c, const struct card_scp11_keys *k, struct pk *host_fresh,
                      struct secret shared[2])
{
    enum err e = pk_ecdh(c, k->fresh != NULL ? k->fresh : k->own, host_fresh, &shared[0]);
    if (e == OK)
        e = pk_ecdh(c, k->own, k->host != NULL ? k->host : host_fresh, &shared[1]);
    return e;
}

/* SharedInfo (5.2): key usage 1 | key type 1 | key length 1, and where names count each behind its length:
 * the host's, then the card's. */
static enum err put_shared_info(const struct card_scp11_request *q, const struct card_scp11_self *self,
                                struct writer *w)
{
    wr_u8(w, q->usage);
    wr_u8(w, KEY_TYPE_AES);
    wr_u8(w, q->key_len);
    if (q->parameter & SCP11_NAMES) {
        wr_view8(w, q->host_id);
        for (size_t n = 0; n < self->name_count; n++)
            wr_view8(w, self->names[n]);
    }
    return wr_status(w);
}

/* Five keys of one length: receipt, S-ENC, S-MAC, S-RMAC, S-DEK. */
static enum err split(const uint8_t *bytes, size_t key_len, struct secret *receipt, struct card_channel *out)
{
    struct secret *const keys[SESSION_KEYS] = {receipt, &out->s_enc, &out->s_mac, &out->s_rmac, &out->s_dek};
    struct reader r;
    enum err e = OK;
    rd_init(&r, view_of(bytes, SESSION_KEYS * key_len));
    for (size_t n = 0; e == OK && n < SESSION_KEYS; n++)
        e = secret_set(keys[n], rd_view(&r, key_len));
    return e;
}

/* BSI TR-03111 4.3.3 with SHA-256 for every length of session key, as the published sessions have it. */
static enum err derive(struct crypto *c, const struct card_scp11_request *q, const struct secret shared[2],
                       const struct card_scp11_self *self, struct secret *receipt, struct card_channel *out)
{
    uint8_t bytes[SESSION_KEYS * KEY_LEN_MAX], memory[3 + 3 * (CARD_SCP11_NAME_MAX + 1)];
    const struct view secrets[] = {secret_view(&shared[0]), secret_view(&shared[1])};
    size_t len = SESSION_KEYS * (size_t)q->key_len;
    struct writer info;
    wr_fixed(&info, memory, sizeof memory);
    enum err e = put_shared_info(q, self, &info);
    if (e == OK)
        e = crypto_x963_kdf(c, DIGEST_SHA256, secrets, 2, wr_view_of(&info), bytes, len);
    if (e == OK)
        e = split(bytes, q->key_len, receipt, out);
    wipe(bytes, sizeof bytes);
    return e;
}

/* The receipt is a CMAC over the request's data and the card's point as it goes back, and begins the chain of
 * MACs (5.4, 6.5.2.3). */
static enum err put_answer(struct crypto *c, const struct card_scp11_request *q, struct view point,
                           const struct secret *receipt_key, struct card_channel *out, struct writer *answer)
{
    size_t start = answer->len;
    tlv_put(answer, TAG_POINT, point);
    const struct view parts[] = {q->whole, view_tail(wr_view_of(answer), start)};
    enum err e = wr_status(answer);
    if (e == OK)
        e = crypto_cmac(c, secret_view(receipt_key), parts, 2, out->chain);
    if (e == OK)
        tlv_put(answer, TAG_RECEIPT, VIEW_OF(out->chain));
    return e == OK ? wr_status(answer) : e;
}

enum err card_scp11_derive(struct crypto *c, const struct card_scp11_request *request,
                           const struct secret shared[2], const struct card_scp11_self *self,
                           struct view point, struct card_channel *out, struct writer *answer)
{
    struct secret receipt = {.len = 0};
    memset(out, 0, sizeof *out);
    out->scp = SCP11;
    out->i = request->parameter;
    out->level = request->level;
    out->mac_len = self->mac_len;
    out->response_mac_len = self->mac_len;
    enum err e = derive(c, request, shared, self, &receipt, out);
    if (e == OK)
        e = put_answer(c, request, point, &receipt, out, answer);
    secret_wipe(&receipt);
    return e;
}

enum err card_scp11_open(struct crypto *c, const struct card_scp11_request *request,
                         const struct card_scp11_keys *keys, const struct card_scp11_self *self,
                         struct card_channel *out, struct writer *answer)
{
    struct secret shared[2] = {{.len = 0}, {.len = 0}};
    struct pk *host_fresh = NULL;
    uint8_t memory[PK_POINT_MAX];
    struct writer point;
    enum pk_curve curve = pk_ec_curve(keys->own);
    wr_fixed(&point, memory, sizeof memory);
    if (keys->host != NULL && pk_ec_curve(keys->host) != curve)
        return ERR_ARGUMENT;
    enum err e = pk_ec_public(curve, request->point, &host_fresh);
    if (e == OK)
        e = agree(c, keys, host_fresh, shared);
    if (e == OK)
        e = pk_put_point(keys->fresh != NULL ? keys->fresh : keys->own, &point);
    if (e == OK)
        e = card_scp11_derive(c, request, shared, self, wr_view_of(&point), out, answer);
    if (e == OK)
        out->authenticated = keys->host != NULL;
    secret_wipe(&shared[0]);
    secret_wipe(&shared[1]);
    pk_free(&host_fresh);
    return e == ERR_FORMAT ? ERR_ARGUMENT : e;
}

/* As SCP03 does it, under the session's own key (5.3). */
static enum err decrypt_sensitive(struct crypto *c, const struct card_channel *ch, struct view cipher,
                                  uint8_t *out)
{
    static const uint8_t zeros[AES_BLOCK];
    return crypto_aes_cbc_decrypt(c, secret_view(&ch->s_dek), zeros, cipher, out);
}

const struct card_channel_ops card_scp11_ops = {.scp = SCP11,
                                                .unwrap = card_scp03_unwrap,
                                                .wrap_response = card_scp03_wrap_response,
                                                .decrypt_sensitive = decrypt_sensitive};
