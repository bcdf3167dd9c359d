/* links: ferry_core */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Any script from a server, and any answers from a card: the relay ends, and what it answers is a response
 * script. The input is the script with two bytes of length, then answers with one byte of length each. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "relay.h"

static enum err transmit(void *ctx, struct view capdu, struct writer *rapdu)
{
    struct reader *answers = ctx;
    assert(capdu.len >= 4);
    struct view answer = rd_view8(answers, 255);
    if (!rd_ok(answers))
        return ERR_CARD_GONE;
    wr_view(rapdu, answer);
    return OK;
}

static const struct reader_ops ops = {.transmit = transmit};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader in;
    struct relay_result result;
    struct writer answer;
    rd_init(&in, view_of(data, size));
    struct view script = rd_view16(&in, 65535);
    if (!rd_ok(&in))
        return 0;
    struct card_reader reader = {.ops = &ops, .ctx = &in, .t0 = size % 2 == 0};
    struct response_script *parsed = malloc(sizeof(*parsed));
    wr_heap(&answer, SCRIPT_MAX);
    if (parsed != NULL && relay_run(&reader, script, NULL, &answer, &result) == OK) {
        assert(response_parse(wr_view_of(&answer), parsed) == OK);
        assert(parsed->count == result.executed);
    }
    wr_free(&answer);
    free(parsed);
    return 0;
}
