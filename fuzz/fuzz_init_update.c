/* links: cf_gp */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Any answer to INITIALIZE UPDATE: what is read has the lengths of its protocol, and everything that was
 * there was used. */
#include <assert.h>

#include <gp/channel.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct init_update iu;
    if (init_update_parse(view_of(data, len), &iu) != OK)
        return 0;
    assert(iu.scp == SCP01 || iu.scp == SCP02 || iu.scp == SCP03 || iu.scp == SCP_SIGNED);
    assert(iu.challenge_len <= sizeof(iu.challenge) && iu.cryptogram_len <= sizeof(iu.cryptogram));
    size_t counter = !iu.has_sequence ? 0 : iu.scp == 2 ? 2 : 3;
    assert(len == KDD_LEN + 2 + (iu.i >= 0 ? 1U : 0U) + counter + iu.challenge_len + iu.cryptogram_len);
    assert(iu.has_sequence ? channel_counter_left(&iu) <= 0xFFFFFF : channel_counter_left(&iu) == UINT32_MAX);
    return 0;
}
