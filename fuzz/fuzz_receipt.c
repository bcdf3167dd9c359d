/* links: cf_gp */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as an answer with a receipt: its parts lie inside, and what it was signed over begins with its
 * confirmation data. */
#include <assert.h>

#include <gp/token.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool inside(struct view part, struct view whole)
{
    return part.len == 0 || (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const uint8_t aid[5] = {0xA0};
    struct receipt r;
    struct writer w;
    struct view whole = view_of(data, len);
    const struct receipt_about about = {.kind = RECEIPT_DELETE, .application = VIEW_OF(aid)};
    if (len > RAPDU_MAX || receipt_parse(whole, &r) != OK)
        return 0;
    assert(inside(r.signature, whole) && inside(r.confirmation, whole) && inside(r.domain_data, whole) &&
           inside(r.token_identifier, whole) && inside(r.token_digest, whole));
    assert(r.signature.len <= SIGNATURE_MAX && r.confirmation.len >= 4);
    wr_heap(&w, RAPDU_MAX + 64);
    assert(receipt_input(&w, &r, &about) == OK);
    assert(view_starts(wr_view_of(&w), r.confirmation) && w.len == r.confirmation.len + 1 + sizeof(aid));
    wr_free(&w);
    return 0;
}
