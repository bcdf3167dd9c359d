/* links: cf_gp */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as data for STORE DATA, in blocks: the first byte is the format, the second the size of a block.
 * All of the data goes, in order, in blocks that are neither empty nor too long. */
#include <assert.h>

#include <gp/store_data.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct store_cut cut;
    struct view block;
    size_t at = 0;
    if (len < 2 || len > 1 << 16)
        return 0;
    struct view v = view_tail(view_of(data, len), 2);
    uint8_t flags = data[0];
    enum err e = store_cut_init(&cut, v, flags, data[1]);
    if (e == OK && (flags & (STORE_DGI | STORE_TLV)) == STORE_DGI)
        assert(dgi_valid(v));
    while (e == OK && store_cut_next(&cut, &block)) {
        assert(block.len > 0 && block.len <= data[1] && block.data == v.data + at);
        at += block.len;
    }
    assert(e != OK || at == v.len);
    return 0;
}
