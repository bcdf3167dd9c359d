/* links: ferryd_core */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a card type: refused with a sentence, or read whole; what was read is within its limits and
 * can be matched against any card. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "front/card_type.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void match(const struct card_type *t, struct view v)
{
    struct identity id = {.has_cplc = true};
    struct view atr = view_head(v, ATR_MAX), iin = view_head(v, CARD_ID_MAX);
    if (iin.len > 0)
        memcpy(id.iin, iin.data, iin.len);
    id.iin_len = iin.len;
    enum card_match by_atr = card_type_matches(t, atr, NULL), by_all = card_type_matches(t, atr, &id);
    /* What the ATR decides, the rest does not change. */
    assert(by_atr == CARD_MATCH_UNKNOWN || by_atr == by_all);
    assert(by_all != CARD_MATCH_UNKNOWN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct card_type t;
    char why[100] = "";
    const char *warnings[CARD_TYPE_WARNINGS_MAX];
    if (card_type_parse(view_of(data, len), &t, why, sizeof(why)) != OK) {
        assert(why[0] != '\0');
        return 0;
    }
    assert(t.name[0] != '\0' && strlen(t.name) <= NAME_MAX_BYTES);
    assert(t.level & 1 && t.kvn != 0);
    assert(t.max_openings >= 1 && t.max_openings <= CARD_OPENINGS_MAX);
    assert((t.kdf == KDF_IMPORTED) == (t.key[0] == '\0'));
    assert(card_type_warnings(&t, warnings) <= CARD_TYPE_WARNINGS_MAX);
    match(&t, view_of(data, len));
    return 0;
}
