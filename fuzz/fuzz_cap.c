/* links: cf_cap */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a CAP file: read or refused with a reason; what is read has the load file as a row of
 * components that reads the same. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include <cap/cap.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct cap first, second;
    struct cap_problem why = {""};
    enum err e = cap_read(&first, view_of(data, len), &why);
    assert((e == OK) == (why.text[0] == '\0'));
    assert(memchr(why.text, '\0', sizeof(why.text)) != NULL);
    if (e != OK)
        return 0;
    assert(first.load.len <= LOAD_FILE_MAX && first.import_count <= CAP_IMPORTS_MAX);
    assert(cap_read(&second, wr_view_of(&first.load), NULL) == OK);
    assert(view_equal(wr_view_of(&first.load), wr_view_of(&second.load)));
    assert(aid_equal(&first.package.aid, &second.package.aid));
    assert(first.applet_count == second.applet_count && first.import_count == second.import_count);
    cap_finish(&first);
    cap_finish(&second);
    return 0;
}
