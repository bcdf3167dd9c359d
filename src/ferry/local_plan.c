/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs plans: command after command, with progress, and with the truth about how far it came; or shows them.
 */
#include "local_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <session/outcome.h>

#include "local_token.h"
#include "local_words.h"

static void progress(struct local *l, uint8_t ins)
{
    enum { WIDTH = 40 };
    char bar[WIDTH + 1];
    if (cli_flag(&l->cli, "quiet") || l->o.verbose || l->total < 4 || isatty(STDERR_FILENO) != 1)
        return;
    size_t full = l->done * WIDTH / l->total;
    memset(bar, '#', full);
    memset(bar + full, '.', WIDTH - full);
    bar[WIDTH] = '\0';
    fprintf(stderr, "\r[%s] %zu of %zu  %-24.24s", bar, l->done, l->total, command_name(ins));
    l->bar_open = true;
}

/* What a refusal means for whoever calls the program. */
static int refusal_code(const struct apdu *a, uint16_t sw)
{
    if (sw == SW_NOT_ENOUGH_MEMORY)
        return EXIT_CARD_MEMORY;
    if (a->ins == INS_LOAD && (sw == SW_REFERENCED_DATA || sw == 0x6438))
        return EXIT_MISSING_DEPENDENCY;
    return EXIT_FAILED;
}

/* GPCS 2.3.1 9.6.7.1: a card may lock itself after so many loads that fail one behind the other. */
static void count_content(struct local *l, uint8_t ins, bool refused)
{
    unsigned before = l->ledger.refused_content;
    if (ins != INS_LOAD && ins != INS_INSTALL)
        return;
    l->ledger.refused_content = refused ? before + 1 : 0;
    if (l->ledger.refused_content != before && l->ledger.path[0] != '\0' && ledger_save(&l->ledger) != OK)
        cli_error("warning: %s can't be written", l->ledger.path);
}

static int run_command(struct local *l, const struct apdu *a)
{
    uint16_t sw = 0;
    wr_free(&l->last_answer);
    wr_heap(&l->last_answer, RAPDU_MAX);
    int code = local_command(l, a, &l->last_answer, &sw);
    if (code != EXIT_OK)
        return code;
    bool good = sw == SW_OK || sw >> 8 == 0x62;
    count_content(l, a->ins, !good);
    if (!good)
        return local_fail(l, refusal_code(a, sw), "the card refused command %zu of %zu, %s: %04X, %s%s",
                          l->done + 1, l->total, command_words(a).text, sw, command_sw_text(a->ins, sw),
                          l->changed ? "; what came before it was done" : "; nothing was changed");
    l->done++;
    l->changed |= local_changes(a->ins);
    progress(l, a->ins);
    return local_check_receipt(l, a, wr_view_of(&l->last_answer));
}

static void show_command(struct local *l, size_t n, size_t count, const struct apdu *a, json_t *list)
{
    struct command_words words = command_words(a);
    json_array_append_new(list, json_string(words.text));
    local_note(l, "%4zu of %zu  %02X %02X %02X %02X  %s", n + 1, count, a->cla, a->ins, a->p1, a->p2,
               words.text);
}

static int check_content_ledger(struct local *l, const struct plan *plan)
{
    struct apdu a;
    bool loads = false;
    for (size_t n = 0; n < plan->count; n++)
        loads |= apdu_parse(plan_apdu(plan, n), &a) == OK && (a.ins == INS_LOAD || a.ins == INS_INSTALL);
    if (!loads || l->ledger.refused_content < LEDGER_REFUSED_CONTENT)
        return EXIT_OK;
    return local_fail(l, EXIT_CARD_BLOCKED,
                      "this card has refused %u loads or installations in a row, and a card may lock itself "
                      "after more: look for the cause, then 'ferry local release'",
                      l->ledger.refused_content);
}

int local_execute(struct local *l, const struct plan *plan)
{
    json_t *list = l->o.dry_run ? json_array() : NULL, *before;
    int code = l->o.dry_run ? EXIT_OK : check_content_ledger(l, plan);
    l->total = plan->count;
    l->done = 0;
    for (size_t n = 0; n < plan->count && code == EXIT_OK; n++) {
        struct apdu a;
        if (apdu_parse(plan_apdu(plan, n), &a) != OK)
            code = local_fail(l, EXIT_OTHER, "a command could not be made");
        else if (l->o.dry_run)
            show_command(l, n, plan->count, &a, list);
        else
            code = run_command(l, &a);
    }
    if (l->bar_open)
        fputc('\n', stderr);
    l->bar_open = false;
    /* A verb may have several plans. */
    before = json_object_get(l->result, list != NULL ? "commands" : "done");
    if (list == NULL)
        json_object_set_new(l->result, "done",
                            json_integer(json_integer_value(before) + (json_int_t)l->done));
    else if (before == NULL)
        json_object_set(l->result, "commands", list);
    else
        json_array_extend(before, list);
    json_decref(list);
    return code;
}

int local_run(struct local *l, local_make *make, void *arg)
{
    struct builder b;
    struct plan_problem why = {.text = ""};
    struct plan *plan = calloc(1, sizeof(*plan));
    if (plan == NULL)
        return local_fail(l, EXIT_OTHER, "out of memory");
    builder_init(&b, plan, NULL, &why);
    b.crypto = l->crypto;
    b.block_size = local_block_size(l);
    enum err e = make(&b, arg);
    builder_finish(&b);
    int code = EXIT_OK;
    if (e != OK)
        code = local_fail(l, EXIT_USAGE, "the commands can't be made: %s",
                          why.text[0] != '\0' ? why.text : err_text(e));
    else
        code = local_execute(l, plan);
    plan_finish(plan);
    free(plan);
    return code;
}

enum err local_put_long(struct builder *b, const struct apdu *whole)
{
    struct apdu piece;
    const struct position nowhere = {0, 0};
    enum err e = OK;
    if (whole->data.len <= b->block_size)
        return build_put(b, whole, nowhere);
    for (size_t n = 0; n < command_segments(whole, b->block_size) && e == OK; n++) {
        command_segment(&piece, whole, b->block_size, n);
        e = build_put(b, &piece, nowhere);
    }
    return e;
}
