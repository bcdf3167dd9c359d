/* links: cf_vault */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Any request to the keeper: there is always one reply, and the front's side can read it. The seeds were
 * sealed under the key of this file, so that they reach the channels behind the seals. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include <vault/serve.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct crypto *crypto;
static struct vault *vault;

static enum err same_bytes(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx;
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(i + 1);
    return OK;
}

static void begin(void)
{
    const struct secret kek = {.len = KEK_LEN, .data = {0xF0, 0x55}};
    if (vault == NULL && (crypto_new(&crypto) != OK ||
                          vault_new(&vault, crypto, (struct random_source){same_bytes, NULL}, &kek) != OK))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct vault_settlement settlement;
    uint8_t key[32], kcv[3][3];
    struct writer reply, out;
    begin();
    wr_heap(&reply, KEEPER_FRAME_MAX);
    wr_heap(&out, KEEPER_FRAME_MAX);
    vault_serve(vault, view_of(data, len), &reply);
    assert(wr_ok(&reply) && reply.len > 0 && reply.data[0] < ERR_COUNT);
    assert(reply.data[0] == OK || reply.len == 1);

    enum err e = ERR_UNSUPPORTED;
    switch (len > 0 ? data[0] : 0) {
    case 1:
        e = vault_get_info(wr_view_of(&reply), key);
        break;
    case 2:
        e = vault_get_import(wr_view_of(&reply), &out, kcv);
        break;
    case 3:
        e = vault_get_open(wr_view_of(&reply), &out);
        break;
    case 4:
        e = vault_get_sign(wr_view_of(&reply), &out);
        break;
    case 5:
        e = vault_get_settle(wr_view_of(&reply), &settlement);
        if (e == OK)
            vault_settlement_finish(&settlement);
        break;
    default:
        assert(reply.data[0] != OK);
        e = (enum err)reply.data[0];
        break;
    }
    assert(e == (enum err)reply.data[0]);
    wr_free(&reply);
    wr_free(&out);
    return 0;
}
