/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys, challenges and cryptograms that are made of others, and single steps of a channel: what the host does
 * on its way through a session. */
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <crypto/pk.h>
#include <gp/channel/des.h>

enum { RULE_MAX = 32, BSP_MAX = 512 };

static bool set_same(struct card_keys *keys, enum key_type type, struct view key)
{
    keys->type = type;
    return secret_set(&keys->enc, key) == OK && secret_set(&keys->mac, key) == OK &&
           secret_set(&keys->dek, key) == OK;
}

static uint32_t number_of(struct view v)
{
    uint32_t n = 0;
    for (size_t i = 0; i < v.len; i++)
        n = n << 8 | v.data[i];
    return n;
}

/* Amendment D 4.1.5. kcv may be empty. */
static bool derive_one(struct run *r, const json_t *row, struct view constant, struct view want,
                       struct view kcv)
{
    const struct view context[2] = {vector_bytes(row, "context"), VIEW_NULL};
    struct secret key = {0}, made = {.len = want.len};
    uint8_t check[3];
    bool good = constant.len == 1 && want.len <= 32 && secret_set(&key, vector_bytes(row, "key")) == OK &&
                worked(r, "derivation",
                       channel_scp03_kdf(r->crypto, &key, constant.data[0], context, made.data, made.len)) &&
                same(r, "derived", secret_view(&made), want);
    if (good && kcv.len > 0)
        good = worked(r, "kcv", key_check_value(r->crypto, KEY_AES, &made, check)) &&
               same(r, "kcv", VIEW_OF(check), kcv);
    secret_wipe(&key);
    secret_wipe(&made);
    return good;
}

/* One constant, or those of the session keys. */
static enum verdict kdf_scp03(struct run *r, const json_t *row)
{
    const json_t *derived = json_object_get(row, "derived"), *kcv = json_object_get(row, "kcv");
    static const uint8_t constants[] = {0x04, 0x06, 0x07};
    static const char *const names[] = {"4", "6", "7"};
    if (derived == NULL)
        return derive_one(r, row, vector_bytes(row, "constant"), vector_bytes(row, "out"), VIEW_NULL) ? PASS
                                                                                                      : FAIL;
    for (size_t n = 0; n < sizeof(constants); n++)
        if (!derive_one(r, row, view_of(&constants[n], 1), vector_bytes(derived, names[n]),
                        vector_bytes(kcv, names[n])))
            return FAIL;
    return PASS;
}

static enum verdict pseudo_challenge(struct run *r, const json_t *row, const struct channel_method *m,
                                     struct view key)
{
    struct card_keys keys = {0};
    uint8_t memory[HOST_CHALLENGE_MAX];
    struct writer w;
    wr_fixed(&w, memory, sizeof(memory));
    bool good = set_same(&keys, m->key_type, key) &&
                worked(r, "challenge",
                       channel_pseudo_challenge(r->crypto, m, &keys, number_of(vector_bytes(row, "sequence")),
                                                vector_bytes(row, "aid"), &w)) &&
                same(r, "challenge", wr_view_of(&w), vector_bytes(row, "challenge"));
    card_keys_wipe(&keys);
    return good ? PASS : FAIL;
}

static enum verdict pseudo_scp02(struct run *r, const json_t *row)
{
    return pseudo_challenge(r, row, channel_method(SCP02, 0x55), vector_bytes(row, "static_mac"));
}

static enum verdict pseudo_scp03(struct run *r, const json_t *row)
{
    uint8_t i = vector_int(row, "bits") == 128 ? 0x71 : 0x70;
    return pseudo_challenge(r, row, channel_method(SCP03, i), vector_bytes(row, "key_enc"));
}

static enum verdict host_cryptogram_scp02(struct run *r, const json_t *row)
{
    struct secret enc = {0};
    uint8_t made[DES_BLOCK];
    bool good = secret_set(&enc, vector_bytes(row, "s_enc")) == OK &&
                worked(r, "cryptogram",
                       des_cryptogram(r->crypto, &enc, vector_bytes(row, "card_challenge8"),
                                      vector_bytes(row, "host_challenge"), made)) &&
                same(r, "host cryptogram", VIEW_OF(made), vector_bytes(row, "host_cryptogram"));
    secret_wipe(&enc);
    return good ? PASS : FAIL;
}

/* ---- the rules themselves, read from their text ---- */

/* "KDD[0..1] KDD[4..7] F0 k | KDD[0..1] KDD[4..7] 0F k" to the 16 bytes that it means. */
static bool follow_rule(const char *rule, const uint8_t kdd[KDD_LEN], uint8_t k, struct writer *out)
{
    const char *at = strstr(rule, "KDD[");
    unsigned from, to;
    int used;
    for (; at != NULL && *at != ')' && *at != '\0'; at += used) {
        used = 1;
        if (sscanf(at, "KDD[%u..%u]%n", &from, &to, &used) == 2 && from <= to && to < KDD_LEN)
            wr_bytes(out, kdd + from, to - from + 1);
        else if (strncmp(at, "F0 ", 3) == 0 || strncmp(at, "0F ", 3) == 0)
            wr_u8(out, at[0] == 'F' ? 0xF0 : 0x0F), used = 2;
        else if (*at == 'k')
            wr_u8(out, k);
        else if (strchr(" |", *at) == NULL)
            return false;
    }
    return wr_status(out) == OK && out->len == 2 * DES_BLOCK;
}

static bool check_rule(struct run *r, const char *name, enum kdf kdf, const char *rule)
{
    static const uint8_t kdd[KDD_LEN] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    static const uint8_t master[16] = {0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47,
                                       0x48, 0x49, 0x4A, 0x4B, 0x4C, 0x4D, 0x4E, 0x4F};
    struct card_keys keys = {0}, made = {0};
    const struct secret *parts[] = {&made.enc, &made.mac, &made.dek};
    if (!set_same(&keys, KEY_DES3, VIEW_OF(master)) ||
        !worked(r, name, kdf_derive(r->crypto, kdf, &keys, VIEW_OF(kdd), &made)))
        return false;
    for (uint8_t k = 1; k <= 3; k++) {
        uint8_t memory[RULE_MAX];
        struct writer w;
        wr_fixed(&w, memory, sizeof(memory));
        if (!follow_rule(rule, kdd, k, &w) ||
            crypto_des3_ecb_encrypt(r->crypto, VIEW_OF(master), wr_view_of(&w), memory) != OK ||
            !same(r, name, secret_view(parts[k - 1]), wr_view_of(&w)))
            return false;
    }
    return true;
}

/* KDF3's rule is held by the vectors of its own. */
static enum verdict diversification_rule(struct run *r, const json_t *row)
{
    static const struct {
        const char *rule, *name;
    } names[] = {{"visa1", "visa"}, {"visa2", "visa2"}, {"emv", "emv"}};
    const json_t *rules = json_object_get(row, "methods");
    for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
        enum kdf kdf;
        if (kdf_by_name(names[n].name, &kdf) != OK)
            return verdict(r, NO_CODE, "no derivation named %s", names[n].name);
        const char *rule = vector_text(rules, names[n].rule);
        if (rule == NULL || !check_rule(r, names[n].name, kdf, rule))
            return r->why[0] != '\0' ? FAIL : verdict(r, FAIL, "%s: another rule", names[n].name);
    }
    return PASS;
}

/* GPCS 2.3.1 B.5, B.6, and a check value of zeros that some cards have: by hand from the cipher, beside ours.
 */
static enum verdict kcv_note(struct run *r, const json_t *row)
{
    static const uint8_t key[16] = {0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47,
                                    0x48, 0x49, 0x4A, 0x4B, 0x4C, 0x4D, 0x4E, 0x4F};
    const char *text = vector_text(row, "text"), *last = text != NULL ? strrchr(text, ' ') : NULL;
    struct secret secret = {0};
    uint8_t zeros[AES_BLOCK] = {0}, ones[AES_BLOCK], block[AES_BLOCK], kcv[3];
    memset(ones, 1, sizeof(ones));
    bool good = last != NULL && secret_set(&secret, VIEW_OF(key)) == OK &&
                crypto_aes_ecb_encrypt(r->crypto, VIEW_OF(key), VIEW_OF(zeros), block) == OK &&
                same(r, "AES over zeros", view_of(block, 3), vector_hex(last + 1)) &&
                crypto_aes_ecb_encrypt(r->crypto, VIEW_OF(key), VIEW_OF(ones), block) == OK &&
                worked(r, "AES", key_check_value(r->crypto, KEY_AES, &secret, kcv)) &&
                same(r, "AES", VIEW_OF(kcv), view_of(block, 3)) &&
                crypto_des3_ecb_encrypt(r->crypto, VIEW_OF(key), view_of(zeros, DES_BLOCK), block) == OK &&
                worked(r, "DES", key_check_value(r->crypto, KEY_DES3, &secret, kcv)) &&
                same(r, "DES", VIEW_OF(kcv), view_of(block, 3));
    return good ? PASS : FAIL;
}

/* ---- single steps of SCP03 ---- */

static struct channel *step_channel(uint8_t level, struct view enc, struct view rmac, uint32_t counter)
{
    struct channel *ch = channel_alloc(channel_method(SCP03, 0x70), level);
    if (ch == NULL || secret_set(&ch->enc, enc) != OK || secret_set(&ch->rmac, rmac) != OK)
        abort();
    ch->mac = ch->enc;
    ch->phase = PHASE_OPEN;
    ch->counter = counter;
    return ch;
}

static enum verdict cenc(struct run *r, const json_t *row)
{
    struct view key = vector_bytes(row, "key"), plain = vector_bytes(row, "plain");
    uint32_t counter = (uint32_t)vector_int(row, "counter");
    struct channel *ch = step_channel(LEVEL_C_MAC | LEVEL_C_DECRYPTION, key, key, counter - 1);
    const struct apdu command = {.cla = 0x80, .ins = 0xE2, .data = plain};
    struct apdu wrapped;
    struct writer storage;
    wr_heap(&storage, channel_wrapped_max(&command, 1));
    bool good =
        worked(r, "wrap", channel_wrap(ch, r->crypto, &command, 1, &wrapped, &storage)) &&
        same(r, "cipher", view_head(wrapped.data, wrapped.data.len - MAC_LEN), vector_bytes(row, "cipher"));
    wr_free(&storage);
    channel_free(&ch);
    return good ? PASS : FAIL;
}

static enum verdict renc(struct run *r, const json_t *row)
{
    struct view key = vector_bytes(row, "key");
    struct channel *ch = step_channel(0x33, key, key, (uint32_t)vector_int(row, "counter"));
    uint8_t memory[64];
    struct writer out;
    wr_fixed(&out, memory, sizeof(memory));
    bool good =
        worked(r, "decrypt", channel_scp03_decrypt(ch, r->crypto, vector_bytes(row, "cipher"), &out)) &&
        same(r, "plain", wr_view_of(&out), vector_bytes(row, "plain"));
    channel_free(&ch);
    return good ? PASS : FAIL;
}

static enum verdict response(struct run *r, const json_t *row)
{
    struct channel *ch = step_channel(0x33, vector_bytes(row, "s_enc"), vector_bytes(row, "s_rmac"),
                                      (uint32_t)vector_int(row, "counter"));
    uint8_t memory[64];
    struct writer out;
    uint16_t sw = 0;
    bool proven = false;
    wr_fixed(&out, memory, sizeof(memory));
    memcpy(ch->chain, vector_bytes(row, "mac_chaining_value").data, AES_BLOCK);
    bool good = worked(r, "unwrap",
                       channel_unwrap(ch, r->crypto, vector_bytes(row, "response"), &out, &sw, &proven)) &&
                same(r, "plain", wr_view_of(&out), vector_bytes(row, "plain")) &&
                same_number(r, "status word", sw, SW_OK) && same_number(r, "proven", proven, true);
    channel_free(&ch);
    return good ? PASS : FAIL;
}

/* ---- a relative of SCP03 and SCP11: the profiles of SGP.22 ---- */

static enum verdict bsp_kdf(struct run *r, const json_t *row)
{
    struct view secret = vector_bytes(row, "shared_secret"), host = vector_bytes(row, "host_id"),
                eid = vector_bytes(row, "eid");
    uint8_t info[64], made[48];
    struct writer w;
    wr_fixed(&w, info, sizeof(info));
    wr_view(&w, vector_bytes(row, "key_type"));
    wr_view(&w, vector_bytes(row, "key_length"));
    wr_view8(&w, host);
    wr_view8(&w, eid);
    bool good =
        worked(r, "derivation",
               crypto_x963_kdf(r->crypto, DIGEST_SHA256, &secret, 1, wr_view_of(&w), made, sizeof(made))) &&
        same(r, "chaining value", view_of(made, 16), vector_bytes(row, "initial_mac_chaining_value")) &&
        same(r, "S-ENC", view_of(made + 16, 16), vector_bytes(row, "s_enc")) &&
        same(r, "S-MAC", view_of(made + 32, 16), vector_bytes(row, "s_mac"));
    return good ? PASS : FAIL;
}

/* Encrypted as SCP03's commands are, with the number of the block as counter. */
static bool bsp_encrypt(struct run *r, struct view key, uint8_t number, struct writer *w)
{
    uint8_t icv[AES_BLOCK] = {[AES_BLOCK - 1] = number};
    channel_pad(w, AES_BLOCK);
    return crypto_aes_ecb_encrypt(r->crypto, key, VIEW_OF(icv), icv) == OK &&
           crypto_aes_cbc_encrypt(r->crypto, key, icv, wr_view_of(w), w->data) == OK;
}

static enum verdict bsp_segments(struct run *r, const json_t *row)
{
    const json_t *steps = json_object_get(row, "steps"), *step;
    struct view s_enc = vector_bytes(row, "s_enc"), s_mac = vector_bytes(row, "s_mac");
    uint8_t chain[CMAC_LEN];
    size_t n;
    memcpy(chain, vector_bytes(row, "initial_mac_chaining_value").data, sizeof(chain));
    json_array_foreach(steps, n, step)
    {
        uint8_t memory[BSP_MAX], head[2];
        struct writer w;
        wr_fixed(&w, memory, sizeof(memory));
        wr_view(&w, vector_bytes(step, "plain"));
        if (strcmp(vector_text(step, "op"), "enc") == 0 && !bsp_encrypt(r, s_enc, (uint8_t)(n + 1), &w))
            return FAIL;
        head[0] = vector_bytes(step, "tag").data[0];
        head[1] = (uint8_t)(w.len + MAC_LEN);
        const struct view parts[] = {VIEW_OF(chain), VIEW_OF(head), wr_view_of(&w)};
        if (crypto_cmac(r->crypto, s_mac, parts, 3, chain) != OK)
            return FAIL;
        wr_bytes(&w, chain, MAC_LEN);
        wr_insert(&w, 0, VIEW_OF(head));
        if (!same(r, "segment", wr_view_of(&w), vector_bytes(step, "out")))
            return FAIL;
    }
    return PASS;
}

const struct check checks_kdf[] = {
    {"host", NULL, "kdf-scp03", kdf_scp03},
    {"host", NULL, "scp02-pseudo-challenge", pseudo_scp02},
    {"host", NULL, "scp03-pseudo-challenge", pseudo_scp03},
    {"host", NULL, "scp02-host-cryptogram", host_cryptogram_scp02},
    {"host", NULL, "diversification-rule", diversification_rule},
    {"host", NULL, "kcv-note", kcv_note},
    {"host", NULL, "scp03-cenc", cenc},
    {"host", NULL, "scp03-renc", renc},
    {"host", NULL, "scp03-response", response},
    {"crypto", NULL, "sgp22-bsp-kdf", bsp_kdf},
    {"crypto", NULL, "sgp22-bsp-segments", bsp_segments},
    {NULL, NULL, NULL, NULL},
};
