/* links: cf_vault */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Any reply of a keeper, read as each operation's: nothing is read outside it, and what is refused leaves
 * nothing behind. */
#include <assert.h>
#include <stdint.h>

#include <vault/serve.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct vault_settlement settlement;
    uint8_t key[32], kcv[3][3];
    struct view reply = view_of(data, len);
    struct writer out;
    wr_heap(&out, KEEPER_FRAME_MAX);
    (void)!vault_get_info(reply, key);
    if (vault_get_import(reply, &out, kcv) != OK)
        assert(out.len == 0);
    wr_clear(&out);
    if (vault_get_open(reply, &out) != OK)
        assert(out.len == 0);
    wr_clear(&out);
    if (vault_get_sign(reply, &out) != OK)
        assert(out.len == 0);
    wr_free(&out);
    if (vault_get_settle(reply, &settlement) == OK) {
        size_t sum = 0;
        for (size_t i = 0; i < settlement.count; i++)
            sum += settlement.results[i].data.len;
        assert(sum <= len && settlement.sealed_channel.len <= SEALED_CHANNEL_MAX);
        vault_settlement_finish(&settlement);
    } else {
        assert(settlement.count == 0 && settlement.storage.data == NULL);
    }
    return 0;
}
