/* links: cf_script */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a response script: every R-APDU lies inside, and what reads well is written again and reads
 * the same. */
#include <assert.h>
#include <stdint.h>

#include <script/script.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool inside(struct view part, struct view whole)
{
    return part.len >= 2 && part.data >= whole.data && part.data + part.len <= whole.data + whole.len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct response_script first, second;
    struct response_writer w;
    struct writer out;
    if (response_parse(view_of(data, len), &first) != OK)
        return 0;
    assert(first.count <= SCRIPT_COMMANDS_MAX && first.executed >= first.count);
    wr_heap(&out, 2 * SCRIPT_MAX);
    response_begin(&w, &out, SCRIPT_DEFINITE);
    for (size_t i = 0; i < first.count; i++) {
        assert(inside(first.rapdus[i], view_of(data, len)));
        response_put(&w, first.rapdus[i]);
    }
    if (first.fault != SCRIPT_FINE)
        response_put_fault(&w, first.fault);
    /* Minimal lengths, but 80 and its count may be new. */
    if (response_end(&w) == OK) {
        assert(response_parse(wr_view_of(&out), &second) == OK);
        assert(second.count == first.count && second.fault == first.fault);
        for (size_t i = 0; i < first.count; i++)
            assert(view_equal(first.rapdus[i], second.rapdus[i]));
    }
    wr_free(&out);
    return 0;
}
