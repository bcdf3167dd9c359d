/* links: cf_script */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a command script: every command lies inside, and what reads well is written again and reads
 * the same. */
#include <assert.h>
#include <stdint.h>

#include <script/script.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool inside(struct view part, struct view whole)
{
    return part.data >= whole.data && part.data + part.len <= whole.data + whole.len;
}

static void write_again(struct view script, size_t count)
{
    struct script_reader s, again;
    struct script_writer w;
    struct writer out;
    struct view capdu, copy;
    enum script_fault fault;
    size_t copied = 0;
    wr_heap(&out, 2 * SCRIPT_MAX);
    assert(script_open(&s, script, &fault) == OK);
    script_begin(&w, &out, s.form);
    while (script_next(&s, &capdu, &fault) == OK && capdu.len > 0)
        script_put_capdu(&w, capdu);
    assert(script_end(&w) == OK);
    assert(script_count(wr_view_of(&out), &copied) == OK && copied == count);
    assert(script_open(&s, script, &fault) == OK);
    assert(script_open(&again, wr_view_of(&out), &fault) == OK);
    do {
        assert(script_next(&s, &capdu, &fault) == OK);
        assert(script_next(&again, &copy, &fault) == OK);
        assert(view_equal(capdu, copy));
    } while (capdu.len > 0);
    wr_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view script = view_of(data, len), capdu;
    struct script_reader s;
    enum script_fault fault = SCRIPT_FINE;
    size_t count = 0, walked = 0;
    enum err whole = script_count(script, &count);
    enum err e = script_open(&s, script, &fault);
    while (e == OK && (e = script_next(&s, &capdu, &fault)) == OK && capdu.len > 0) {
        assert(inside(capdu, script));
        walked++;
    }
    assert((e == OK) == (fault == SCRIPT_FINE));
    if (whole == OK) {
        assert(e == OK && walked == count);
        write_again(script, count);
    } else {
        assert(e != OK || walked > SCRIPT_COMMANDS_MAX);
    }
    return 0;
}
