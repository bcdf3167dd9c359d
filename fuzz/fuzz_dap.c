/* links: cf_gp */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a load file: what is taken apart lies inside, and written again it is taken apart the same. */
#include <assert.h>

#include <gp/command.h>
#include <gp/dap.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool inside(struct view part, struct view whole)
{
    return part.len == 0 || (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

static void again(const struct load_file *f)
{
    struct writer w;
    struct load_file back;
    wr_heap(&w, 2 * LOAD_FILE_MAX);
    for (size_t n = 0; n < f->dap_count; n++)
        assert(dap_put(&w, f->daps[n].domain, f->daps[n].signature) == OK);
    command_load_header(&w, f->block.len);
    wr_view(&w, f->block);
    assert(wr_ok(&w) && load_file_parse(wr_view_of(&w), &back) == OK);
    assert(back.dap_count == f->dap_count && view_equal(back.block, f->block) && !back.ciphered);
    wr_free(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct load_file f;
    struct view whole = view_of(data, len);
    struct dap_entry_name name;
    enum err e = dap_entry_name(whole, &name);
    assert(e == ERR_NOT_FOUND || (name.kind < SIGNATURE_KIND_COUNT && name.digest < DIGEST_COUNT));
    if (len > LOAD_FILE_MAX || load_file_parse(whole, &f) != OK)
        return 0;
    assert(f.dap_count <= DAP_BLOCKS_MAX && inside(f.block, whole) && inside(f.icv, whole));
    for (size_t n = 0; n < f.dap_count; n++)
        assert(inside(f.daps[n].domain, whole) && inside(f.daps[n].signature, whole));
    again(&f);
    return 0;
}
