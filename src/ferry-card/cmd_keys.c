/* SPDX-License-Identifier: Apache-2.0
 *
 * PUT KEY and DELETE [key] (GPCS 2.3.1 11.8, 11.2.2.3.2; Amendment D 7.2). This card takes the three secure
 * channel keys of a version together, in one command, and loses or keeps them together. */
#include <string.h>

#include <tlv/tlv.h>

#include "domain.h"

enum { MORE_COMMANDS = 0x80, ALL_THREE = 0x81, KVN_FACTORY = 0xFF, KVN_MAX = 0x7F };
enum { KEY_TYPE_DES = 0x80, KEY_TYPE_DES_CBC = 0x82, KEY_TYPE_AES = 0x88, KCV_LEN = 3, CIPHER_MAX = 32 };

static size_t block_of(uint8_t scp)
{
    return scp == 0x02 ? DES_BLOCK : AES_BLOCK;
}

static bool type_fits(uint8_t type, uint8_t scp)
{
    return scp == 0x02 ? type == KEY_TYPE_DES || type == KEY_TYPE_DES_CBC : type == KEY_TYPE_AES;
}

static enum err decrypt_key(struct card *card, struct view cipher, uint8_t *out)
{
    const struct session *s = &card->now->session;
    return s->ops->decrypt_sensitive(card->crypto, &s->channel, cipher, out);
}

/* B.6: the first bytes of zeros under Triple-DES, of 01s under AES. */
static enum err check_value(struct card *card, uint8_t scp, const struct secret *key, uint8_t out[AES_BLOCK])
{
    uint8_t block[AES_BLOCK];
    memset(block, scp == 0x02 ? 0x00 : 0x01, sizeof block);
    struct view in = view_of(block, block_of(scp));
    return scp == 0x02 ? crypto_des3_ecb_encrypt(card->crypto, secret_view(key), in, out)
                       : crypto_aes_ecb_encrypt(card->crypto, secret_view(key), in, out);
}

/* Key component block (tables 11-70 and 11-71): with its own length in front where the whole is no multiple
 * of the cipher's block; hosts send AES keys in either form. */
static uint16_t read_component(struct card *card, uint8_t scp, struct view component, struct secret *key)
{
    size_t len = component.len, block = block_of(scp);
    struct reader r;
    rd_init(&r, component);
    if (component.len % block != 0)
        len = rd_u8(&r);
    struct view cipher = rd_rest(&r);
    if (cipher.len == 0 || cipher.len % block != 0 || cipher.len > CIPHER_MAX || len > cipher.len ||
        cipher.len - len >= block || (len != 16 && len != 24 && len != 32) || (scp == 0x02 && len != 16))
        return SW_WRONG_DATA;
    if (decrypt_key(card, cipher, key->data) != OK)
        return SW_NO_DIAGNOSIS;
    wipe(key->data + len, sizeof key->data - len);
    key->len = len;
    return SW_OK;
}

/* Key data field (table 11-68): type, component, check value; the last is appended to the answer. */
static uint16_t read_key(struct card *card, uint8_t scp, struct reader *r, struct secret *key,
                         struct writer *out)
{
    uint8_t type = rd_u8(r), kcv[AES_BLOCK];
    struct view component = card_read_long_field(r), given = rd_view8(r, KCV_LEN);
    if (!rd_ok(r) || !type_fits(type, scp) || given.len != KCV_LEN)
        return SW_WRONG_DATA;
    uint16_t sw = read_component(card, scp, component, key);
    if (sw != SW_OK)
        return sw;
    if (check_value(card, scp, key, kcv) != OK)
        return SW_NO_DIAGNOSIS;
    if (!secret_equal(given, view_of(kcv, KCV_LEN)))
        return SW_SECURITY_STATUS; /* table 11-78 */
    wr_view(out, given);
    return SW_OK;
}

/* May this version come in the place of old (NULL: beside all others)? Size and algorithm of a key stay as
 * they are (11.8.2.3.3). */
static uint16_t check_place(struct card *card, const struct card_keyset *old, const struct card_keyset *new)
{
    const struct card_keyset *there = card_find_keyset(&card->state, card_domain_of(card), new->kvn);
    if (new->kvn == 0 || new->kvn > KVN_MAX || (there != NULL && there != old))
        return SW_WRONG_DATA;
    if (new->mac.len != new->enc.len || new->dek.len != new->enc.len)
        return SW_WRONG_DATA;
    if (old != NULL && (old->scp != new->scp || old->enc.len != new->enc.len))
        return SW_WRONG_DATA;
    return old == NULL && card->state.keyset_count == CARD_KEYSETS_MAX ? SW_NOT_ENOUGH_MEMORY : SW_OK;
}

/* The keys that a card came with go when it gets its first own, as on most cards in the field. */
static const struct card_keyset *replaced(struct card *card, const struct card_keyset *old)
{
    return old != NULL ? old : card_find_keyset(&card->state, card_domain_of(card), KVN_FACTORY);
}

static uint16_t keep(struct card *card, const struct card_keyset *old, const struct card_keyset *new)
{
    uint8_t memory[256];
    struct writer w;
    const struct card_keyset *gone = replaced(card, old);
    wr_fixed(&w, memory, sizeof memory);
    if (gone != NULL)
        card_put_keyset_gone(&w, card_domain_of(card), gone->kvn);
    card_put_keyset(&w, new);
    uint16_t sw = card_commit(card, &w, true);
    wipe(memory, sizeof memory);
    return sw;
}

static uint16_t take_keys(struct card *card, struct view data, const struct card_keyset *old,
                          struct card_keyset *new, struct writer *out)
{
    struct reader r;
    rd_init(&r, data);
    new->kvn = rd_u8(&r);
    wr_u8(out, new->kvn);
    struct secret *const keys[] = {&new->enc, &new->mac, &new->dek};
    uint16_t sw = SW_OK;
    for (size_t n = 0; sw == SW_OK && n < 3; n++)
        sw = read_key(card, new->scp, &r, keys[n], out);
    if (sw == SW_OK && !rd_done(&r))
        sw = SW_WRONG_DATA;
    if (sw == SW_OK)
        sw = check_place(card, old, new);
    return sw == SW_OK ? keep(card, old, new) : sw;
}

uint16_t cmd_put_key(struct card *card, const struct apdu *a, struct writer *out)
{
    const struct card_channel *ch = &card->now->session.channel;
    if (a->p1 & MORE_COMMANDS)
        return SW_CHAINING_UNSUPPORTED;
    if (a->p2 != ALL_THREE)
        return SW_INCORRECT_P1P2;
    const struct card_keyset *old =
        a->p1 != 0 ? card_find_keyset(&card->state, card_domain_of(card), a->p1) : NULL;
    if (a->p1 != 0 && old == NULL)
        return SW_REFERENCED_DATA;
    /* A new set speaks as the one of this session does. Its counter begins at zero (E.1.2). */
    struct card_keyset new = {.scp = ch->scp, .i = ch->i};
    uint16_t sw = take_keys(card, a->data, old, &new, out);
    wipe(&new, sizeof new);
    return sw;
}

uint16_t card_delete_keys(struct card *card, struct view data)
{
    struct view version, identifier;
    /* Whole versions only: a card with two of three keys is of no use. */
    if (!tlv_find(data, 0xD2, &version) || version.len != 1 || tlv_find(data, 0xD0, &identifier))
        return SW_WRONG_DATA;
    uint8_t kvn = version.data[0];
    if (kvn == 0 || card_find_keyset(&card->state, card_domain_of(card), kvn) == NULL)
        return SW_REFERENCED_DATA;
    if (card->state.keyset_count == 1)
        return SW_CONDITIONS;
    uint8_t memory[32];
    struct writer w;
    wr_fixed(&w, memory, sizeof memory);
    card_put_keyset_gone(&w, card_domain_of(card), kvn);
    return card_commit(card, &w, true);
}
