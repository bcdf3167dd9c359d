/* links: ferryd_core */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as the trace of a session: refused, or read within its bounds; and as a script that is sent and
 * answered: what was put can be read. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "front/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static enum err read_all(struct view trace, size_t *turns)
{
    struct trace_reader r;
    struct trace_turn *t = malloc(sizeof(*t));
    bool cut = false;
    enum err e = t != NULL ? OK : ERR_MEMORY;
    trace_open(&r, trace);
    for (*turns = 0; e == OK && (e = trace_next(&r, t, &cut)) == OK; (*turns)++) {
        assert(t->step != NULL && t->count <= SCRIPT_COMMANDS_MAX + 1);
        for (size_t n = 0; n < t->count; n++)
            assert(t->commands[n].aid.len <= AID_MAX);
    }
    free(t);
    return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view input = view_of(data, len);
    struct writer w;
    size_t turns = 0;
    enum err e = read_all(input, &turns);
    assert(e == ERR_NOT_FOUND || e == ERR_FORMAT || e == ERR_MEMORY);
    wr_heap(&w, TRACE_MAX);
    enum err put = trace_put_turn(&w, 1, SESSION_OPEN, VIEW_NULL, input);
    enum err answered = trace_put_answers(&w, input);
    assert(w.len <= TRACE_MAX && wr_ok(&w));
    if (put == OK)
        assert(read_all(wr_view_of(&w), &turns) == ERR_NOT_FOUND && turns <= 1);
    else
        assert(answered == OK || w.len == 0);
    wr_free(&w);
    return 0;
}
