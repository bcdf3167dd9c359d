/* links: ferry_card_core */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a load file data block, and as the stream that brings one. */
#include <assert.h>
#include <stdint.h>

#include <apdu/apdu.h>

#include "loadfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void parse(struct view block)
{
    struct loadfile_info info;
    const char *why = NULL;
    enum err e = loadfile_parse(block, &info, &why);
    assert(why != NULL && (e == OK) == (why[0] == '\0'));
    if (e != OK)
        return;
    assert(info.package.aid.len >= AID_MIN && info.package.aid.len <= AID_MAX);
    assert(info.package.module_count <= CAP_APPLETS_MAX && info.package.import_count <= CAP_IMPORTS_MAX);
}

static void stream(struct view v, size_t step)
{
    struct loadfile lf;
    uint16_t sw = SW_OK;
    loadfile_init(&lf, 4096);
    while (v.len != 0 && sw == SW_OK) {
        struct view part = view_head(v, step);
        v = view_tail(v, part.len);
        sw = loadfile_feed(&lf, part);
        assert(lf.data.len <= 4096);
    }
    if (sw == SW_OK && loadfile_complete(&lf))
        parse(wr_view_of(&lf.data));
    loadfile_finish(&lf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view v = view_of(data, len);
    parse(v);
    stream(v, 1);
    stream(v, 255);
    return 0;
}
