/* SPDX-License-Identifier: Apache-2.0
 *
 * Vectors without a card cryptogram, which the server would not open a channel for: the virtual card makes it
 * here, and the published part is compared with what the server does in that channel. */
#include "run.h"

#include <string.h>

#include <gp/channel.h>

#include "channel_scp02.h"
#include "channel_scp03.h"

static const uint8_t challenge[8] = {1, 2, 3, 4, 5, 6, 7, 8};

struct both {
    struct card_channel card;
    struct channel *host;
};

static void finish(struct both *b)
{
    card_channel_finish(&b->card);
    channel_free(&b->host);
}

static bool open_both(struct run *r, struct both *b, uint8_t scp, const struct card_keys *keys,
                      uint32_t sequence)
{
    uint8_t i = scp == 0x02 ? 0x15 : 0x60;
    const struct channel_method *m = channel_method(scp, i);
    struct card_static_keys fixed = {keys->enc, keys->mac, keys->dek};
    struct init_update iu = {.scp = scp,
                             .i = scp == 0x02 ? -1 : i,
                             .has_sequence = scp == 0x02,
                             .sequence = sequence,
                             .cryptogram_len = 8};
    iu.challenge_len = scp == 0x02 ? 6 : 8;
    memcpy(iu.challenge, challenge, iu.challenge_len);
    enum err e =
        card_channel_ops(scp)->open(r->crypto, &fixed, i, sequence, VIEW_OF(challenge),
                                    view_of(iu.challenge, iu.challenge_len), &b->card, iu.cryptogram);
    wipe(&fixed, sizeof(fixed));
    return worked(r, "card open", e) &&
           worked(r, "host open",
                  channel_open(&b->host, r->crypto, m, keys, VIEW_OF(challenge), &iu, LEVEL_C_MAC));
}

static bool set_keys(struct card_keys *keys, enum key_type type, struct view enc, struct view mac,
                     struct view dek)
{
    keys->type = type;
    return secret_set(&keys->enc, enc) == OK && secret_set(&keys->mac, mac) == OK &&
           secret_set(&keys->dek, dek) == OK;
}

static uint32_t sequence_of(const json_t *row)
{
    struct reader rd;
    rd_init(&rd, vector_bytes(row, "sequence"));
    return rd_left(&rd) == 2 ? rd_u16(&rd) : 0;
}

static enum verdict key_encryption(struct run *r, const json_t *row)
{
    uint8_t scp = strcmp(vector_text(row, "protocol"), "SCP02") == 0 ? 0x02 : 0x03, memory[64];
    struct view dek = vector_bytes(row, "static_dek");
    struct card_keys keys = {0};
    struct both b = {0};
    struct writer out;
    wr_fixed(&out, memory, sizeof(memory));
    bool good =
        set_keys(&keys, scp == 0x02 ? KEY_DES3 : KEY_AES, dek, dek, dek) &&
        open_both(r, &b, scp, &keys, sequence_of(row)) &&
        worked(r, "encryption", channel_dek_encrypt(b.host, r->crypto, vector_bytes(row, "key"), &out)) &&
        same(r, "encrypted key", wr_view_of(&out), vector_bytes(row, "encrypted"));
    finish(&b);
    card_keys_wipe(&keys);
    return good ? PASS : FAIL;
}

/* SCP02 session keys through what the server does with them: S-ENC in the cryptogram that it sends, S-MAC in
 * the C-MAC behind it, the DEK in an encrypted block; each is made here from the published key. */
static enum verdict session_keys_scp02(struct run *r, const json_t *row)
{
    static const uint8_t zero[DES_BLOCK];
    const json_t *fixed = json_object_get(row, "static"), *want = json_object_get(row, "keys");
    struct card_keys keys = {0};
    struct both b = {0};
    struct apdu command;
    struct writer wire, input, out;
    uint8_t wire_memory[64], input_memory[24], out_memory[8], mac[DES_BLOCK];
    wr_fixed(&wire, wire_memory, sizeof(wire_memory));
    wr_fixed(&input, input_memory, sizeof(input_memory));
    wr_fixed(&out, out_memory, sizeof(out_memory));
    bool good = set_keys(&keys, KEY_DES3, vector_bytes(fixed, "enc"), vector_bytes(fixed, "mac"),
                         vector_bytes(fixed, "dek")) &&
                open_both(r, &b, 0x02, &keys, sequence_of(row)) &&
                worked(r, "EXTERNAL AUTHENTICATE", channel_external_authenticate(b.host, r->crypto, &wire)) &&
                worked(r, "EXTERNAL AUTHENTICATE", apdu_parse(wr_view_of(&wire), &command)) &&
                worked(r, "DEK", channel_dek_encrypt(b.host, r->crypto, VIEW_OF(zero), &out));
    if (!good)
        goto out;

    wr_u16(&input, (uint16_t)sequence_of(row));
    wr_bytes(&input, challenge, 6);
    wr_bytes(&input, challenge, 8);
    wr_u64(&input, 0x8000000000000000);
    good = worked(r, "S-ENC",
                  crypto_mac_des3(r->crypto, vector_bytes(want, "enc"), zero, wr_view_of(&input), mac)) &&
           same(r, "host cryptogram by S-ENC", view_head(command.data, 8), VIEW_OF(mac));
    wr_clear(&input);
    wr_view(&input, view_head(wr_view_of(&wire), 5 + 8)); /* header, Lc and cryptogram */
    wr_u24(&input, 0x800000);
    good =
        good &&
        worked(r, "S-MAC",
               crypto_mac_retail(r->crypto, vector_bytes(want, "mac"), zero, wr_view_of(&input), mac)) &&
        same(r, "C-MAC by S-MAC", view_tail(command.data, 8), VIEW_OF(mac)) &&
        worked(r, "DEK", crypto_des3_ecb_encrypt(r->crypto, vector_bytes(want, "dek"), VIEW_OF(zero), mac)) &&
        same(r, "block by DEK", wr_view_of(&out), VIEW_OF(mac));
out:
    finish(&b);
    card_keys_wipe(&keys);
    return good ? PASS : FAIL;
}

const struct check checks_both[] = {
    {"host", NULL, "key-encryption", key_encryption},
    {"host", NULL, "session-scp02", session_keys_scp02},
    {NULL, NULL, NULL, NULL},
};
