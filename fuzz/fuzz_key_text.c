/* links: ferry_core */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text as keys, as data for a card, and as privileges: keys are one or three of one length, or refused
 * with a reason. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "keysource.h"
#include "local_data.h"
#include "local_words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct card_keys keys = {.type = KEY_TYPE_COUNT};
    struct key_problem why = {""};
    struct privileges p;
    struct writer out;
    char text[128];
    if (key_text_parse(view_of(data, size), &keys, &why) == OK)
        assert(keys.enc.len >= DES_BLOCK && keys.enc.len == keys.mac.len && keys.enc.len == keys.dek.len);
    else
        assert(keys.enc.len == 0 && why.text[0] != '\0');
    card_keys_wipe(&keys);
    wr_heap(&out, 64 * 1024);
    if (data_text_read(view_of(data, size), &out) == OK)
        assert(out.len <= size);
    wr_free(&out);
    if (size >= sizeof(text))
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    enum err ignored = privileges_parse(text, &p);
    (void)ignored;
    return 0;
}
