/* SPDX-License-Identifier: Apache-2.0
 *
 * Sessions as the virtual card sees them: from the same keys and challenges it must give the same cryptogram
 * and session keys, accept the host's commands, recover their plain form, and answer with the same bytes. */
#include "run.h"

#include <stdio.h>
#include <string.h>

#include <apdu/apdu.h>

#include "channel_scp02.h"
#include "channel_scp03.h"

enum { LEVEL_PROTECTED = 0x33 };

static bool keys_of(const struct session_vector *s, struct card_static_keys *keys)
{
    return secret_set(&keys->enc, s->enc) == OK && secret_set(&keys->mac, s->mac) == OK &&
           secret_set(&keys->dek, s->dek) == OK;
}

/* The published R-MAC sessions of SCP02 say i = 55, which has no R-MAC bit; the card wants it set (GPCS 2.3.1
 * table E-1), and the bytes do not depend on it. */
static uint8_t card_i(const struct session_vector *s, uint8_t i)
{
    return s->scp == 0x02 && (s->level & CARD_LEVEL_R_MAC) ? i | SCP02_I_R_MAC : i;
}

static bool check_challenge(struct run *r, const struct session_vector *s, const struct card_channel_ops *ops,
                            const struct card_static_keys *keys, uint8_t i)
{
    uint8_t challenge[CARD_CHALLENGE_MAX];
    if (!s->challenge_from_sequence || s->aid.len == 0)
        return true;
    return worked(r, "card challenge",
                  ops->pseudo_random(r->crypto, keys, i, s->sequence, s->aid, challenge)) &&
           same(r, "card challenge", view_of(challenge, ops->card_challenge_len(i)), s->card_challenge);
}

static bool same_key(struct run *r, const char *what, const struct secret *got, struct view want)
{
    return want.len == 0 || same(r, what, secret_view(got), want);
}

static bool check_open(struct run *r, const struct session_vector *s, const struct card_channel_ops *ops,
                       const struct card_static_keys *keys, uint8_t i, struct card_channel *ch)
{
    uint8_t cryptogram[CARD_CRYPTOGRAM_MAX];
    enum err e =
        ops->open(r->crypto, keys, i, s->sequence, s->host_challenge, s->card_challenge, ch, cryptogram);
    return worked(r, "open", e) &&
           same(r, "card cryptogram", view_of(cryptogram, s->card_cryptogram.len), s->card_cryptogram) &&
           same_key(r, "S-ENC", &ch->s_enc, s->s_enc) && same_key(r, "S-MAC", &ch->s_mac, s->s_mac) &&
           same_key(r, "S-RMAC", &ch->s_rmac, s->s_rmac) && same_key(r, "DEK", &ch->s_dek, s->s_dek);
}

static bool check_external(struct run *r, const struct session_vector *s, const struct card_channel_ops *ops,
                           struct card_channel *ch)
{
    struct apdu command;
    return worked(r, "EXTERNAL AUTHENTICATE", apdu_parse(s->external, &command)) &&
           same_number(r, "EXTERNAL AUTHENTICATE", ops->external_authenticate(r->crypto, ch, &command),
                       SW_OK) &&
           same_number(r, "security level", ch->level, s->level);
}

/* The command on the wire must give its plain form back. */
static bool check_command(struct run *r, const char *what, const struct card_channel_ops *ops,
                          struct card_channel *ch, struct view wire, const struct apdu *plain)
{
    struct apdu command;
    struct writer data;
    wr_heap(&data, CAPDU_MAX);
    bool good = worked(r, what, apdu_parse(wire, &command)) &&
                same_number(r, what, ops->unwrap(r->crypto, ch, &command, &data), SW_OK) &&
                same(r, what, wr_view_of(&data), plain->data);
    wr_free(&data);
    return good;
}

static bool check_response(struct run *r, const char *what, const struct card_channel_ops *ops,
                           struct card_channel *ch, const struct apdu *plain_command, struct view plain,
                           struct view wire)
{
    struct rapdu response;
    struct writer out;
    wr_heap(&out, RAPDU_MAX);
    bool good = worked(r, what, rapdu_parse(plain, &response)) &&
                worked(r, what, ops->wrap_response(r->crypto, ch, plain_command, &response, &out));
    if (good) {
        wr_u16(&out, response.sw);
        good = same(r, what, wr_view_of(&out), wire);
    }
    wr_free(&out);
    return good;
}

/* One exchange. PARTLY ends the session: what follows cannot be compared. */
static enum verdict check_exchange(struct run *r, const struct session_vector *s, size_t n, const json_t *x,
                                   const struct card_channel_ops *ops, struct card_channel *ch)
{
    char what[48];
    struct apdu plain;
    struct view wire = vector_bytes(x, "c"), wire_response = vector_bytes(x, "r");
    struct view plain_command = vector_bytes(x, "plain"), plain_response = vector_bytes(x, "r_plain");
    if (plain_command.len == 0)
        plain_command = wire; /* level 00: nothing was wrapped */
    snprintf(what, sizeof(what), "exchange %zu command", n + 1);
    if (!worked(r, what, apdu_parse(plain_command, &plain)) || !check_command(r, what, ops, ch, wire, &plain))
        return FAIL;
    if ((s->level & CARD_LEVEL_R_MAC) == 0)
        return PASS; /* the response is sent as it is */
    snprintf(what, sizeof(what), "exchange %zu response", n + 1);
    if (json_is_true(json_object_get(x, "nonminimal_response_padding")))
        return PASS; /* longer padding than a card may send; SCP03 responses do not chain */
    if (plain_response.len == 0 && s->scp == 0x02)
        return verdict(r, PARTLY, "%s is not known, and the R-MAC chain goes through it", what);
    if (plain_response.len == 0)
        return PASS;
    return check_response(r, what, ops, ch, &plain, plain_response, wire_response) ? PASS : FAIL;
}

static enum verdict check_session_i(struct run *r, const struct session_vector *s, uint8_t i)
{
    const struct card_channel_ops *ops = card_channel_ops(s->scp);
    struct card_static_keys keys = {0};
    struct card_channel ch = {0};
    enum verdict v = FAIL;
    if (ops == NULL || !ops->knows_i(i))
        return verdict(r, NO_CODE, "the card does not play SCP%02X i=%02X", s->scp, i);
    if (!keys_of(s, &keys) || !check_challenge(r, s, ops, &keys, i) || !check_open(r, s, ops, &keys, i, &ch))
        goto out;
    if (s->external.len == 0 || (s->external_sw != -1 && s->external_sw != SW_OK)) {
        v = verdict(r, PASS, "without EXTERNAL AUTHENTICATE, or one that the card refused for its state");
        goto out;
    }
    if (!check_external(r, s, ops, &ch))
        goto out;
    const json_t *x;
    size_t n;
    v = PASS;
    json_array_foreach(s->exchanges, n, x)
    {
        v = check_exchange(r, s, n, x, ops, &ch);
        if (v != PASS)
            break;
    }
out:
    card_channel_finish(&ch);
    wipe(&keys, sizeof(keys));
    return v;
}

static bool implicit_keys(struct run *r, const json_t *row, const struct card_static_keys *keys, uint8_t i,
                          uint32_t sequence, struct card_channel *ch)
{
    const json_t *want = json_object_get(row, "session_keys");
    struct view aid = vector_bytes(row, "selected_aid");
    /* E.1.2.2: R-MAC and DEK keys come from the counter behind the one of the C-MAC key. */
    enum err e = card_scp02_open_implicit(r->crypto, keys, i, sequence - 1, aid, ch);
    bool good = worked(r, "open", e) &&
                same_key(r, "S-RMAC", &ch->s_rmac_begun, vector_bytes(want, "rmac")) &&
                same_key(r, "DEK", &ch->s_dek, vector_bytes(want, "dek"));
    card_channel_finish(ch);
    e = card_scp02_open_implicit(r->crypto, keys, i, sequence, aid, ch);
    return good && worked(r, "open", e) && same_key(r, "S-MAC", &ch->s_mac, vector_bytes(want, "mac")) &&
           same(r, "first ICV", view_head(VIEW_OF(ch->chain), DES_BLOCK), vector_bytes(row, "initial_icv"));
}

/* SCP02 without INITIALIZE UPDATE and EXTERNAL AUTHENTICATE. */
static enum verdict implicit_session(struct run *r, const json_t *row)
{
    const json_t *fixed = json_object_get(row, "static_keys"), *x;
    struct session_vector s = {.row = row, .scp = 0x02, .level = CARD_LEVEL_C_MAC};
    struct card_static_keys keys = {0};
    struct card_channel ch = {0};
    struct reader rd;
    size_t n;
    s.enc = vector_bytes(fixed, "enc");
    s.mac = vector_bytes(fixed, "mac");
    s.dek = vector_bytes(fixed, "dek");
    rd_init(&rd, vector_bytes(row, "sequence_counter"));
    uint8_t i = vector_bytes(row, "i").data[0];
    bool good = card_scp02_ops.knows_i(i) && card_scp02_ops.implicit(i) && keys_of(&s, &keys) &&
                implicit_keys(r, row, &keys, i, rd_u16(&rd), &ch);
    json_array_foreach(json_object_get(row, "exchanges"), n, x) good =
        good && check_exchange(r, &s, n, x, &card_scp02_ops, &ch) == PASS;
    card_channel_finish(&ch);
    wipe(&keys, sizeof(keys));
    return good ? PASS : FAIL;
}

/* Every i that gives the same bytes must do so. */
static enum verdict card_session(struct run *r, const json_t *row)
{
    struct session_vector s;
    enum verdict worst = NO_CODE;
    if (!session_read(&s, row))
        return implicit_session(r, row);
    if (s.i_count == 0 && s.scp == 0x01) { /* nothing follows that would tell the two apart */
        s.is[s.i_count++] = 0x05;
        s.is[s.i_count++] = 0x15;
    }
    for (size_t n = 0; n < s.i_count; n++) {
        enum verdict v = check_session_i(r, &s, card_i(&s, s.is[n]));
        if (v == FAIL)
            return FAIL;
        if (v != NO_CODE)
            worst = worst == PARTLY ? PARTLY : v;
    }
    return worst;
}

static enum verdict pseudo_scp02(struct run *r, const json_t *row)
{
    struct card_static_keys keys = {0};
    uint8_t challenge[CARD_CHALLENGE_MAX];
    struct view sequence = vector_bytes(row, "sequence");
    struct reader rd;
    rd_init(&rd, sequence);
    if (secret_set(&keys.mac, vector_bytes(row, "static_mac")) != OK)
        return FAIL;
    enum err e =
        card_scp02_challenge(r->crypto, &keys, 0x55, rd_u16(&rd), vector_bytes(row, "aid"), challenge);
    return worked(r, "challenge", e) &&
                   same(r, "challenge", view_of(challenge, 6), vector_bytes(row, "challenge"))
               ? PASS
               : FAIL;
}

static enum verdict pseudo_scp03(struct run *r, const json_t *row)
{
    struct card_static_keys keys = {0};
    uint8_t challenge[CARD_CHALLENGE_MAX], i = vector_int(row, "bits") == 128 ? 0x71 : 0x70;
    struct reader rd;
    rd_init(&rd, vector_bytes(row, "sequence"));
    if (secret_set(&keys.enc, vector_bytes(row, "key_enc")) != OK)
        return FAIL;
    enum err e = card_scp03_challenge(r->crypto, &keys, i, rd_u24(&rd), vector_bytes(row, "aid"), challenge);
    struct view want = vector_bytes(row, "challenge");
    return worked(r, "challenge", e) && same(r, "challenge", view_of(challenge, want.len), want) ? PASS
                                                                                                 : FAIL;
}

static enum verdict session_keys_scp02(struct run *r, const json_t *row)
{
    static const uint8_t challenge[8];
    const json_t *fixed = json_object_get(row, "static"), *want = json_object_get(row, "keys");
    struct card_static_keys keys = {0};
    struct card_channel ch = {0};
    uint8_t cryptogram[CARD_CRYPTOGRAM_MAX];
    struct reader rd;
    rd_init(&rd, vector_bytes(row, "sequence"));
    if (secret_set(&keys.enc, vector_bytes(fixed, "enc")) != OK ||
        secret_set(&keys.mac, vector_bytes(fixed, "mac")) != OK ||
        secret_set(&keys.dek, vector_bytes(fixed, "dek")) != OK)
        return FAIL;
    enum err e = card_scp02_open(r->crypto, &keys, 0x55, rd_u16(&rd), VIEW_OF(challenge),
                                 view_of(challenge, 6), &ch, cryptogram);
    bool good = worked(r, "open", e) && same_key(r, "S-ENC", &ch.s_enc, vector_bytes(want, "enc")) &&
                same_key(r, "S-MAC", &ch.s_mac, vector_bytes(want, "mac")) &&
                same_key(r, "S-RMAC", &ch.s_rmac, vector_bytes(want, "rmac")) &&
                same_key(r, "DEK", &ch.s_dek, vector_bytes(want, "dek"));
    card_channel_finish(&ch);
    return good ? PASS : FAIL;
}

static enum verdict session_keys_scp03(struct run *r, const json_t *row)
{
    const json_t *fixed = json_object_get(row, "static"), *want = json_object_get(row, "keys");
    struct card_static_keys keys = {0};
    struct card_channel ch = {0};
    uint8_t cryptogram[CARD_CRYPTOGRAM_MAX];
    if (secret_set(&keys.enc, vector_bytes(fixed, "enc")) != OK ||
        secret_set(&keys.mac, vector_bytes(fixed, "mac")) != OK ||
        secret_set(&keys.dek, vector_bytes(fixed, "dek")) != OK)
        return FAIL;
    struct view wanted = vector_bytes(row, "card_cryptogram");
    enum err e =
        card_scp03_open(r->crypto, &keys, wanted.len == 16 ? 0x71 : 0x70, vector_bytes(row, "host_challenge"),
                        vector_bytes(row, "card_challenge"), &ch, cryptogram);
    bool good = worked(r, "open", e) && same(r, "card cryptogram", view_of(cryptogram, wanted.len), wanted) &&
                same_key(r, "S-ENC", &ch.s_enc, vector_bytes(want, "enc")) &&
                same_key(r, "S-MAC", &ch.s_mac, vector_bytes(want, "mac")) &&
                same_key(r, "S-RMAC", &ch.s_rmac, vector_bytes(want, "rmac")) &&
                same(r, "host cryptogram", view_of(ch.host_cryptogram, wanted.len),
                     vector_bytes(row, "host_cryptogram"));
    card_channel_finish(&ch);
    return good ? PASS : FAIL;
}

/* A response under given session keys (Amendment D 6.2.5, 6.2.7). */
static enum verdict response_scp03(struct run *r, const json_t *row)
{
    struct card_channel ch = {.scp = 0x03, .i = 0x70, .level = LEVEL_PROTECTED, .mac_len = 8};
    struct apdu command = {0};
    struct rapdu response = {.data = vector_bytes(row, "plain"), .sw = SW_OK};
    struct view chain = vector_bytes(row, "mac_chaining_value"), wire = vector_bytes(row, "response");
    struct writer out;
    if (chain.len != sizeof(ch.chain) || secret_set(&ch.s_enc, vector_bytes(row, "s_enc")) != OK ||
        secret_set(&ch.s_rmac, vector_bytes(row, "s_rmac")) != OK)
        return FAIL;
    memcpy(ch.chain, chain.data, sizeof(ch.chain));
    ch.counter = (uint32_t)vector_int(row, "counter");
    wr_heap(&out, RAPDU_MAX);
    bool good = worked(r, "response", card_scp03_wrap_response(r->crypto, &ch, &command, &response, &out));
    wr_u16(&out, response.sw);
    good = good && same(r, "response", wr_view_of(&out), wire);
    wr_free(&out);
    card_channel_finish(&ch);
    return good ? PASS : FAIL;
}

/* R-ENC alone: the encrypted part of a response whose R-MAC the source does not have. */
static enum verdict renc_scp03(struct run *r, const json_t *row)
{
    struct card_channel ch = {.scp = 0x03, .i = 0x70, .level = LEVEL_PROTECTED, .mac_len = 8};
    struct apdu command = {0};
    struct rapdu response = {.data = vector_bytes(row, "plain"), .sw = SW_OK};
    struct view cipher = vector_bytes(row, "cipher"), key = vector_bytes(row, "key");
    struct writer out;
    if (secret_set(&ch.s_enc, key) != OK || secret_set(&ch.s_rmac, key) != OK)
        return FAIL;
    ch.counter = (uint32_t)vector_int(row, "counter");
    wr_heap(&out, RAPDU_MAX);
    bool good = worked(r, "response", card_scp03_wrap_response(r->crypto, &ch, &command, &response, &out)) &&
                same_number(r, "length", out.len, cipher.len + ch.mac_len) &&
                same(r, "cipher", view_head(wr_view_of(&out), cipher.len), cipher);
    wr_free(&out);
    card_channel_finish(&ch);
    return good ? PASS : FAIL;
}

/* C-ENC alone: given the ciphertext under a C-MAC that is made here, the card must find the plain text. */
static enum verdict cenc_scp03(struct run *r, const json_t *row)
{
    struct card_channel ch = {.scp = 0x03, .i = 0x70, .level = 0x03, .mac_len = 8};
    struct view cipher = vector_bytes(row, "cipher"), key = vector_bytes(row, "key");
    uint8_t header[] = {0x84, 0xE2, 0x00, 0x00, (uint8_t)(cipher.len + 8)}, mac[CMAC_LEN], wire[64];
    const struct view parts[] = {VIEW_OF(ch.chain), VIEW_OF(header), cipher};
    struct apdu command = {.cla = 0x84, .ins = 0xE2};
    struct writer w, data;
    if (secret_set(&ch.s_enc, key) != OK || secret_set(&ch.s_mac, key) != OK ||
        crypto_cmac(r->crypto, key, parts, 3, mac) != OK)
        return FAIL;
    wr_fixed(&w, wire, sizeof(wire));
    wr_view(&w, cipher);
    wr_bytes(&w, mac, 8);
    command.data = wr_view_of(&w);
    ch.counter = (uint32_t)vector_int(row, "counter") - 1; /* it moves before the command is looked at */
    wr_heap(&data, CAPDU_MAX);
    bool good = wr_ok(&w) &&
                same_number(r, "status", card_scp03_unwrap(r->crypto, &ch, &command, &data), SW_OK) &&
                same(r, "plain", wr_view_of(&data), vector_bytes(row, "plain"));
    wr_free(&data);
    card_channel_finish(&ch);
    return good ? PASS : FAIL;
}

const struct check checks_card[] = {
    {"card", "SCP01", NULL, card_session},
    {"card", "SCP02", NULL, card_session},
    {"card", "SCP03", NULL, card_session},
    {"card", NULL, "scp02-pseudo-challenge", pseudo_scp02},
    {"card", NULL, "scp03-pseudo-challenge", pseudo_scp03},
    {"card", NULL, "session-scp02", session_keys_scp02},
    {"card", NULL, "session-scp03", session_keys_scp03},
    {"card", NULL, "scp03-response", response_scp03},
    {"card", NULL, "scp03-renc", renc_scp03},
    {"card", NULL, "scp03-cenc", cenc_scp03},
    {NULL, NULL, NULL, NULL},
};
