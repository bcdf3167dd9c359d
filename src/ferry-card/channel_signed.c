/* SPDX-License-Identifier: Apache-2.0
 *
 * F0 as the card plays it: prove, verify, decrypt, answer. The sections are those of docs/signed-commands.md.
 */
#include "channel_signed.h"

#include <stdlib.h>
#include <string.h>

#include "channel_scp03.h"
#include "keypair.h"

/* What a signed or derived text is for, behind the label. */
enum role { ROLE_OPENING = 0x01, ROLE_COMMAND = 0x02, ROLE_KEYS = 0x03, ROLE_ANSWER = 0x04 };
static const uint8_t label[] = {'F', 'E', 'R', 'R', 'Y', '-', 'F', '0'};

/* Bytes around the data of a signed text: label 8 | role 1 | chain | number 4 | class to P2 4 | length 2. */
enum { HEAD_MAX = 8 + 1 + DIGEST_MAX + 4 + 4 + 2, KEY_LEN_MAX = 32, SESSION_KEYS = 3 };

struct card_signed {
    const struct card_signed_row *row;
    struct pk *server, *own;
    uint64_t next; /* number of the next command */
    void *owner;
};

/* ---- variants ---- */

static const struct card_signed_row rows[] = {
    {0x01, PK_RSA, 2048, CURVE_COUNT, PK_RSA_PSS, DIGEST_SHA256, 256, true},
    {0x02, PK_RSA, 3072, CURVE_COUNT, PK_RSA_PSS, DIGEST_SHA256, 384, true},
    {0x03, PK_DSA, 2048, CURVE_COUNT, PK_DSA_PLAIN, DIGEST_SHA256, 64, false},
    {0x04, PK_EC, 256, CURVE_P256, PK_ECDSA_PLAIN, DIGEST_SHA256, 64, true},
    {0x05, PK_EC, 384, CURVE_P384, PK_ECDSA_PLAIN, DIGEST_SHA384, 96, true},
};

const struct card_signed_row *card_signed_row(uint8_t i)
{
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        if (rows[n].i == i)
            return &rows[n];
    }
    return NULL;
}

const struct card_signed_row *card_signed_row_of(const struct pk *k)
{
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        if (rows[n].algorithm == pk_algorithm(k) && rows[n].curve == pk_ec_curve(k) &&
            rows[n].bits == pk_bits(k))
            return &rows[n];
    }
    return NULL;
}

static const struct level {
    uint8_t level;
    bool carried; /* goes with a session key */
} levels[] = {{0x01, false}, {0x03, true}, {0x11, false}, {0x13, true}, {0x33, true}};

static const struct level *find_level(const struct card_signed_row *row, uint8_t level)
{
    for (size_t n = 0; n < sizeof levels / sizeof levels[0]; n++) {
        if (levels[n].level == level)
            return levels[n].carried && !row->carries ? NULL : &levels[n];
    }
    return NULL;
}

bool card_signed_knows_i(uint8_t i)
{
    return card_signed_row(i) != NULL;
}

bool card_signed_allows_level(uint8_t i, uint8_t level)
{
    const struct card_signed_row *row = card_signed_row(i);
    return row != NULL && find_level(row, level) != NULL;
}

/* ---- opening ---- */

static void finish_own(void *own)
{
    struct card_signed *s = own;
    if (s == NULL)
        return;
    pk_free(&s->server);
    pk_free(&s->own);
    free(s);
}

static struct card_signed *signed_of(const struct card_channel *ch)
{
    return ch->own;
}

void *card_signed_owner(const struct card_channel *ch)
{
    return signed_of(ch)->owner;
}

void card_signed_set_next(struct card_channel *ch, uint64_t next)
{
    signed_of(ch)->next = next;
}

static struct view chain_of(const struct card_channel *ch)
{
    return view_of(ch->hash_chain, crypto_digest_len(signed_of(ch)->row->hash));
}

/* H over the public half as it stands in the documentation. */
static enum err fingerprint(struct crypto *c, const struct card_signed_row *row, const struct pk *k,
                            uint8_t out[DIGEST_MAX])
{
    struct writer image;
    wr_heap(&image, PK_PUBLIC_MAX);
    enum err e = keypair_put_image(k, &image);
    struct view whole = wr_view_of(&image);
    if (e == OK)
        e = crypto_digest(c, row->hash, &whole, 1, out);
    wr_free(&image);
    return e;
}

static bool adopt(struct card_channel *out, const struct card_signed_parties *p)
{
    struct card_signed *s = calloc(1, sizeof *s);
    struct pk *server = p->server, *own = p->own;
    memset(out, 0, sizeof *out);
    if (s == NULL) {
        pk_free(&server);
        pk_free(&own);
        return false;
    }
    *s = (struct card_signed){.row = p->row, .server = server, .own = own, .owner = p->owner};
    out->scp = SIGNED_SCP;
    out->i = p->row->i;
    out->mac_len = p->row->signature_len;
    out->own = s;
    out->own_finish = finish_own;
    return true;
}

/* M1 = label | 01 | i | kvn | FS | FC | kdd | host challenge | card challenge. */
enum err card_signed_open(struct crypto *c, const struct card_signed_parties *parties,
                          struct view host_challenge, struct view card_challenge, struct card_channel *out,
                          struct writer *signature)
{
    const struct card_signed_row *row = parties->row;
    uint8_t server[DIGEST_MAX], own[DIGEST_MAX];
    const uint8_t what[] = {ROLE_OPENING, row->i, parties->kvn};
    size_t len = crypto_digest_len(row->hash);
    const struct view m1[] = {VIEW_OF(label), VIEW_OF(what),  view_of(server, len), view_of(own, len),
                              parties->kdd,   host_challenge, card_challenge};
    const size_t count = sizeof m1 / sizeof m1[0];
    if (!adopt(out, parties))
        return ERR_MEMORY;
    if (host_challenge.len != SIGNED_CHALLENGE || card_challenge.len != SIGNED_CHALLENGE)
        return ERR_ARGUMENT;
    enum err e = fingerprint(c, row, parties->server, server);
    if (e == OK)
        e = fingerprint(c, row, parties->own, own);
    if (e == OK)
        e = pk_sign(c, parties->own, row->scheme, row->hash, m1, count, signature);
    if (e == OK)
        e = crypto_digest(c, row->hash, m1, count, out->hash_chain);
    return e;
}

/* ---- commands ---- */

/* The class with the bit for secure messaging and without logical channel (GPCS 2.3.1 11.1.4). */
static uint8_t class_of(uint8_t cla)
{
    return (uint8_t)((cla & (cla & 0x40 ? 0x90 : 0xF0)) | 0x04);
}

/* M = label | 02 | D | n | CLA INS P1 P2 | length | data, and D = H(M) when the signature is right. */
static uint16_t verify_command(struct crypto *c, struct card_channel *ch, const struct apdu *command,
                               struct view *data)
{
    struct card_signed *s = signed_of(ch);
    uint8_t memory[HEAD_MAX];
    struct writer head;
    if (command->data.len < ch->mac_len)
        return SW_WRONG_LENGTH;
    struct view body = view_head(command->data, command->data.len - ch->mac_len);
    struct view signature = view_tail(command->data, body.len);
    wr_fixed(&head, memory, sizeof memory);
    wr_view(&head, VIEW_OF(label));
    wr_u8(&head, ROLE_COMMAND);
    wr_view(&head, chain_of(ch));
    wr_u32(&head, (uint32_t)s->next);
    wr_u8(&head, class_of(command->cla));
    wr_u8(&head, command->ins);
    wr_u8(&head, command->p1);
    wr_u8(&head, command->p2);
    wr_u16(&head, (uint16_t)body.len);
    const struct view m[] = {wr_view_of(&head), body};
    if (pk_verify(c, s->server, s->row->scheme, s->row->hash, m, 2, signature) != OK)
        return SW_SM_INCORRECT;
    if (!wr_ok(&head) || crypto_digest(c, s->row->hash, m, 2, ch->hash_chain) != OK)
        return SW_NO_DIAGNOSIS;
    ch->counter = (uint32_t)s->next++;
    *data = body;
    return SW_OK;
}

/* Z: what the server carried to the card's key. */
static enum err take_carried(struct crypto *c, const struct card_signed *s, struct view carried,
                             struct secret *z)
{
    struct pk *ephemeral = NULL;
    if (s->row->algorithm == PK_RSA)
        return pk_oaep_decrypt(c, s->own, DIGEST_SHA256, carried, z);
    enum err e = pk_ec_public(s->row->curve, carried, &ephemeral);
    if (e == OK)
        e = pk_ecdh(c, s->own, ephemeral, z);
    pk_free(&ephemeral);
    return e;
}

/* S-ENC | S-RMAC | S-DEK = KDF(Z, label | 03 | D). */
static enum err derive_keys(struct crypto *c, struct card_channel *ch, const struct secret *z, size_t key_len)
{
    uint8_t memory[HEAD_MAX], bytes[SESSION_KEYS * KEY_LEN_MAX];
    struct secret *const keys[SESSION_KEYS] = {&ch->s_enc, &ch->s_rmac, &ch->s_dek};
    struct writer info;
    struct reader r;
    wr_fixed(&info, memory, sizeof memory);
    wr_view(&info, VIEW_OF(label));
    wr_u8(&info, ROLE_KEYS);
    wr_view(&info, chain_of(ch));
    const struct view shared = secret_view(z);
    enum err e = crypto_x963_kdf(c, signed_of(ch)->row->hash, &shared, 1, wr_view_of(&info), bytes,
                                 SESSION_KEYS * key_len);
    rd_init(&r, view_of(bytes, SESSION_KEYS * key_len));
    for (size_t n = 0; e == OK && n < SESSION_KEYS; n++)
        e = secret_set(keys[n], rd_view(&r, key_len));
    wipe(bytes, sizeof bytes);
    return e;
}

/* Key field: length of the session keys 1 | carried key. Absent on the levels without. */
static uint16_t take_key_field(struct crypto *c, struct card_channel *ch, bool carried, struct view field)
{
    struct secret z = {.len = 0};
    struct reader r;
    if (!carried)
        return field.len == 0 ? SW_OK : SW_WRONG_DATA;
    rd_init(&r, field);
    uint8_t key_len = rd_u8(&r);
    if (!rd_ok(&r) || (key_len != 16 && key_len != 24 && key_len != 32))
        return SW_WRONG_DATA;
    enum err e = take_carried(c, signed_of(ch), rd_rest(&r), &z);
    if (e == OK && signed_of(ch)->row->algorithm == PK_RSA && z.len != KEY_LEN_MAX)
        e = ERR_FORMAT;
    if (e == OK)
        e = derive_keys(c, ch, &z, key_len);
    secret_wipe(&z);
    return e == OK ? SW_OK : SW_WRONG_DATA;
}

uint16_t card_signed_external_authenticate(struct crypto *c, struct card_channel *ch,
                                           const struct apdu *command)
{
    struct view field = VIEW_NULL;
    if (!(command->cla & 0x04))
        return SW_AUTH_FAILED;
    uint16_t sw = verify_command(c, ch, command, &field);
    if (sw != SW_OK)
        return sw == SW_SM_INCORRECT ? SW_AUTH_FAILED : sw;
    const struct level *level = find_level(signed_of(ch)->row, command->p1);
    if (level == NULL || command->p2 != 0)
        return SW_INCORRECT_P1P2;
    sw = take_key_field(c, ch, level->carried, field);
    if (sw != SW_OK)
        return sw;
    ch->response_mac_len = level->carried ? SIGNED_KEY_MAC : ch->mac_len;
    ch->level = command->p1;
    ch->authenticated = true;
    return SW_OK;
}

uint16_t card_signed_unwrap(struct crypto *c, struct card_channel *ch, const struct apdu *command,
                            struct writer *plain)
{
    struct view data = VIEW_NULL;
    if (!(command->cla & 0x04))
        return SW_SECURITY_STATUS;
    if (signed_of(ch)->next > UINT32_MAX)
        return SW_CONDITIONS;
    uint16_t sw = verify_command(c, ch, command, &data);
    if (sw != SW_OK)
        return sw;
    enum err e = OK;
    if ((ch->level & CARD_LEVEL_C_DECRYPTION) && data.len != 0)
        e = card_scp03_decrypt_data(c, ch, data, plain);
    else
        wr_view(plain, data);
    if (e == ERR_FORMAT)
        return SW_SM_INCORRECT;
    return e == OK && wr_ok(plain) ? SW_OK : SW_NO_DIAGNOSIS;
}

/* ---- answers ---- */

/* R = label | 04 | D | SW | length | data, under the session key or by the card's own. */
static enum err protect(struct crypto *c, const struct card_channel *ch, uint16_t sw, struct view data,
                        struct writer *out)
{
    const struct card_signed *s = signed_of(ch);
    uint8_t memory[HEAD_MAX], mac[CMAC_LEN];
    struct writer head;
    wr_fixed(&head, memory, sizeof memory);
    wr_view(&head, VIEW_OF(label));
    wr_u8(&head, ROLE_ANSWER);
    wr_view(&head, chain_of(ch));
    wr_u16(&head, sw);
    wr_u16(&head, (uint16_t)data.len);
    const struct view r[] = {wr_view_of(&head), data};
    if (data.len > UINT16_MAX || !wr_ok(&head))
        return ERR_LIMIT;
    if (ch->s_rmac.len == 0)
        return pk_sign(c, s->own, s->row->scheme, s->row->hash, r, 2, out);
    enum err e = crypto_cmac(c, secret_view(&ch->s_rmac), r, 2, mac);
    wr_view(out, VIEW_OF(mac));
    return e;
}

enum err card_signed_wrap_response(struct crypto *c, struct card_channel *ch,
                                   const struct apdu *plain_command, const struct rapdu *response,
                                   struct writer *data)
{
    uint8_t memory[CARD_MAC_MAX];
    struct writer proof;
    size_t start = data->len;
    enum err e = OK;
    (void)plain_command;
    if (!(ch->level & CARD_LEVEL_R_MAC) || !sw_is_ok_or_warning(response->sw)) {
        wr_view(data, response->data);
        return wr_status(data);
    }
    if ((ch->level & CARD_LEVEL_R_ENCRYPTION) && response->data.len != 0)
        e = card_scp03_encrypt_response(c, ch, response->data, data);
    else
        wr_view(data, response->data);
    wr_fixed(&proof, memory, sizeof memory);
    if (e == OK)
        e = protect(c, ch, response->sw, view_tail(wr_view_of(data), start), &proof);
    wr_view(data, wr_view_of(&proof));
    return e == OK ? wr_status(data) : e;
}

/* As SCP03 does it (6.2.8), under the session's key; without one nothing secret can come. */
enum err card_signed_decrypt_sensitive(struct crypto *c, const struct card_channel *ch, struct view cipher,
                                       uint8_t *out)
{
    static const uint8_t zeros[AES_BLOCK];
    if (ch->s_dek.len == 0)
        return ERR_ARGUMENT;
    return crypto_aes_cbc_decrypt(c, secret_view(&ch->s_dek), zeros, cipher, out);
}
