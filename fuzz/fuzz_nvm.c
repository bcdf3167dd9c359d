/* links: ferry_card_core */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as the memory of a card: refused with a reason, or a state that is written and read again the
 * same. The input is tried as a file, and as the records of one frame with right checksums, which a fuzzer
 * would not find. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "nvm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void same_again(const struct card_state *s)
{
    struct writer first, second;
    struct card_state *again = calloc(1, sizeof *again);
    if (again == NULL)
        abort();
    wr_heap(&first, CARD_FRAME_MAX);
    wr_heap(&second, CARD_FRAME_MAX);
    card_state_put(s, &first);
    assert(wr_ok(&first));
    assert(card_state_apply(again, wr_view_of(&first)) == OK);
    card_state_put(again, &second);
    assert(view_equal(wr_view_of(&first), wr_view_of(&second)));
    card_state_finish(again);
    free(again);
    wr_free(&first);
    wr_free(&second);
}

static void try_file(struct view file)
{
    size_t used = 0;
    uint32_t sequence = 0;
    const char *why = NULL;
    struct card_state *s = calloc(1, sizeof *s);
    if (s == NULL)
        abort();
    enum err e = nvm_parse(file, s, &used, &sequence, &why);
    assert(why != NULL && (e == OK) == (why[0] == '\0'));
    if (e == OK) {
        assert(used <= file.len && sequence > 0);
        same_again(s);
    }
    card_state_finish(s);
    free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const uint8_t magic[] = {'F', 'E', 'R', 'R', 'Y', 'N', 'V', 'M', 0, 2};
    struct writer w;
    try_file(view_of(data, len));
    wr_heap(&w, CARD_NVM_MAX);
    wr_bytes(&w, magic, sizeof magic);
    nvm_put_frame(&w, 0, view_of(data, len));
    if (wr_ok(&w))
        try_file(wr_view_of(&w));
    wr_free(&w);
    return 0;
}
