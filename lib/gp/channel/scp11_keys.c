/* SPDX-License-Identifier: Apache-2.0
 *
 * SCP11: from the two shared points to session keys and receipt (Amendment F 3.1.2, 5.2). */
#include "scp11.h"

#include <string.h>

enum {
    KEY_TYPE_AES = 0x88, /* GPCS 2.3.1 table 11-16 */
    KEYS_DERIVED = 5,    /* receipt key, S-ENC, S-MAC, S-RMAC, S-DEK */
    AES_KEY_MAX = 32,
    SHARED_INFO_MAX = 3 + 2 * (1 + SCP11_ID_MAX)
};

/* Levels of C-MAC and R-MAC together, and all four; the qualifier has no word for the others. */
static const struct {
    uint8_t level, usage;
} usages[] = {
    {LEVEL_C_MAC | LEVEL_R_MAC, 0x34},
    {LEVEL_C_MAC | LEVEL_C_DECRYPTION | LEVEL_R_MAC | LEVEL_R_ENCRYPTION, 0x3C},
};

uint8_t scp11_key_usage(uint8_t level)
{
    for (size_t i = 0; i < sizeof(usages) / sizeof(usages[0]); i++) {
        if (usages[i].level == level)
            return usages[i].usage;
    }
    return 0;
}

/* key usage | key type | key length | length, HostID | length, card group ID */
static void put_shared_info(struct writer *w, const struct scp11_context *context)
{
    wr_u8(w, context->key_usage);
    wr_u8(w, KEY_TYPE_AES);
    wr_u8(w, context->key_len);
    if (context->host_id.len == 0 && context->card_group_id.len == 0)
        return;
    wr_view8(w, context->host_id);
    wr_view8(w, context->card_group_id);
}

static enum err set_keys(struct channel *ch, struct reader *made, size_t key_len)
{
    struct secret *const keys[] = {&ch->enc, &ch->mac, &ch->rmac, &ch->dek};
    enum err e = OK;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]) && e == OK; i++)
        e = secret_set(keys[i], rd_view(made, key_len));
    return e;
}

enum err scp11_derive(struct channel *ch, struct crypto *c, const struct scp11_context *context,
                      const struct secret shared[2], uint8_t receipt[SCP11_RECEIPT])
{
    uint8_t info[SHARED_INFO_MAX], made[KEYS_DERIVED * AES_KEY_MAX];
    const struct view points[] = {secret_view(&shared[0]), secret_view(&shared[1])};
    const struct view agreed[] = {context->sent, context->card_point};
    const size_t len = (size_t)context->key_len * KEYS_DERIVED;
    struct reader r;
    struct writer w;
    wr_fixed(&w, info, sizeof(info));
    put_shared_info(&w, context);
    enum err e = wr_status(&w);
    if (e == OK && len > sizeof(made))
        e = ERR_ARGUMENT;
    if (e == OK)
        e = crypto_x963_kdf(c, DIGEST_SHA256, points, 2, wr_view_of(&w), made, len);
    if (e == OK) {
        rd_init(&r, view_of(made, len));
        e = crypto_cmac(c, rd_view(&r, context->key_len), agreed, 2, receipt);
    }
    if (e == OK)
        e = set_keys(ch, &r, context->key_len);
    wipe(made, sizeof(made));
    return e;
}
