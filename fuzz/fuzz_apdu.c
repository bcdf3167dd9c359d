/* links: cf_apdu */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as command and as response: what parses is written back as the very same bytes. */
#include <assert.h>
#include <stdint.h>

#include <apdu/apdu.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void command(struct view v)
{
    struct apdu a;
    struct writer w;
    if (apdu_parse(v, &a) != OK)
        return;
    wr_heap(&w, CAPDU_MAX);
    apdu_put(&w, &a);
    assert(wr_ok(&w) && view_equal(wr_view_of(&w), v) && apdu_len(&a) == v.len);
    assert(apdu_is_extended(&a) == a.extended);
    wr_free(&w);
}

static void response(struct view v)
{
    struct rapdu r;
    struct writer w;
    if (rapdu_parse(v, &r) != OK)
        return;
    wr_heap(&w, RAPDU_MAX);
    rapdu_put(&w, &r);
    assert(wr_ok(&w) && view_equal(wr_view_of(&w), v));
    assert(sw_text(r.sw) != NULL);
    wr_free(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    command(view_of(data, len));
    response(view_of(data, len));
    return 0;
}
