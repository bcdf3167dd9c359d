/* SPDX-License-Identifier: Apache-2.0
 *
 * ferry local script, play: commands as a file, in the expanded format of ETSI TS 102 226. A plain script is
 * what would be sent without protection; a signed one is made for the card that is in the reader, and is good
 * for the next channel that it opens, where its challenges follow from its counter; one of SCP11c is good for
 * every card of its group. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <base/text.h>
#include <script/script.h>
#include <session/outcome.h>

#include "local_opening.h"
#include "local_content.h"
#include "local_data.h"
#include "local_words.h"
#include "profile.h"
#include "relay.h"
#include "verbs.h"

static const struct option_spec script_options[] = {
    LOCAL_CARD_OPTIONS,
    {"out", "FILE", "where the script goes; a file that is there is not replaced"},
    {"sequence", "FILE", "a sequence instead of the one that is made from the CAP file"},
    {"signed", NULL, "sign it for the card in the reader"},
    {NULL, NULL, NULL}};
static const struct option_spec play_options[] = {LOCAL_READER_OPTIONS, {NULL, NULL, NULL}};

static int read_sequence(struct local *l, const struct cap *cap, struct writer *text)
{
    const char *path = cli_option(&l->cli, "sequence");
    struct plan_problem why = {.text = ""};
    enum err e;
    if (path == NULL) {
        e = plan_generate(cap, NULL, 0, VIEW_NULL, text, &why);
        return e == OK ? EXIT_OK : local_fail(l, EXIT_BAD_CAP, "%s", why.text);
    }
    e = read_file(path, SEQUENCE_TEXT_MAX, text);
    if (e != OK)
        return local_fail(l, EXIT_BAD_CAP, "%s can't be read: %s", path, err_text(e));
    e = plan_check(wr_view_of(text), cap, &why);
    return e == OK ? EXIT_OK : local_fail(l, EXIT_BAD_CAP, "%s: %s", path, why.text);
}

static int make_plan(struct local *l, const struct cap *cap, struct view sequence, struct plan *plan)
{
    struct plan_problem why = {.text = ""};
    struct builder b;
    builder_init(&b, plan, cap, &why);
    b.crypto = l->crypto;
    b.block_size = local_block_size(l);
    b.card = (struct card_data){.identity = &l->card, .kdd = VIEW_OF(l->kdd)};
    enum err e = build_sequence(&b, sequence);
    builder_finish(&b);
    if (e == OK && plan->place_count > 0)
        return local_fail(l, EXIT_BAD_CAP, "the sequence has data that is derived from keys of a server");
    return e == OK ? EXIT_OK : local_fail(l, EXIT_BAD_CAP, "%s", why.text);
}

static enum err put_plain(struct script_writer *s, const struct plan *plan)
{
    for (size_t n = 0; n < plan->count; n++)
        script_put_capdu(s, plan_apdu(plan, n));
    return OK;
}

/* The opening that was verified, the proof of the host, and everything behind it in one chain. */
static enum err put_signed(struct local *l, struct script_writer *s, const struct plan *plan)
{
    struct apdu select;
    struct writer capdu, storage;
    enum err e = OK;
    wr_heap(&capdu, CAPDU_MAX + 16);
    wr_heap(&storage, 2 * CAPDU_MAX);
    command_select(&select, aid_view(l->o.domain.len > 0 ? &l->o.domain : &l->card.isd));
    script_put_apdu(s, &select);
    for (size_t n = 0; n < l->opening.count; n++)
        script_put_apdu(s, &l->opening.commands[n]);
    if (channel_method_of(l->channel)->authenticates) {
        e = channel_external_authenticate(l->channel, l->crypto, &capdu);
        if (e == OK)
            script_put_capdu(s, wr_view_of(&capdu));
    }
    for (size_t n = 0; n < plan->count && e == OK; n++) {
        struct apdu plain, wrapped;
        wr_clear(&storage);
        e = apdu_parse(plan_apdu(plan, n), &plain);
        if (e == OK)
            e = channel_wrap(l->channel, l->crypto, &plain, 1, &wrapped, &storage);
        if (e == OK)
            script_put_apdu(s, &wrapped);
    }
    wr_free(&storage);
    wr_free(&capdu);
    return e;
}

static int write_script(struct local *l, const struct plan *plan)
{
    struct writer out;
    struct script_writer s;
    wr_heap(&out, SCRIPT_MAX);
    script_begin(&s, &out, SCRIPT_DEFINITE);
    enum err e = l->channel != NULL ? put_signed(l, &s, plan) : put_plain(&s, plan);
    enum err ended = script_end(&s);
    e = e == OK ? ended : e;
    int code = e == OK ? local_write_new(l, cli_option(&l->cli, "out"), wr_view_of(&out))
                       : local_fail(l, EXIT_BAD_CAP, "the script can't be made: %s", err_text(e));
    wr_free(&out);
    if (code == EXIT_OK)
        json_object_set_new(l->result, "commands", json_integer((json_int_t)plan->count));
    return code;
}

static int make_script(struct local *l, const struct content *c)
{
    struct writer sequence;
    struct plan *plan = calloc(1, sizeof(*plan));
    if (plan == NULL)
        return local_fail(l, EXIT_OTHER, "out of memory");
    wr_heap(&sequence, SEQUENCE_TEXT_MAX);
    int code = read_sequence(l, &c->cap, &sequence);
    if (code == EXIT_OK && cli_flag(&l->cli, "signed")) {
        l->hold_authentication = true;
        code = local_connect(l);
        if (code == EXIT_OK)
            code = local_open(l);
    }
    if (code == EXIT_OK)
        code = make_plan(l, &c->cap, wr_view_of(&sequence), plan);
    if (code == EXIT_OK)
        code = write_script(l, plan);
    plan_finish(plan);
    free(plan);
    wr_free(&sequence);
    return code;
}

static int script(const struct cli *cli)
{
    struct local l;
    struct content c = {.digest = DIGEST_COUNT};
    int code = local_begin_offline(&l, cli);
    if (code == EXIT_OK && cli_option(&l.cli, "out") == NULL)
        code = local_fail(&l, EXIT_USAGE, "where does the script go? --out FILE");
    if (code == EXIT_OK)
        code = content_read_cap(&l, &c, cli->args[0]);
    if (code == EXIT_OK)
        code = make_script(&l, &c);
    content_finish(&c);
    return local_end(&l, code);
}

/* ---- play */

static void tell_command(void *arg, size_t done, size_t total, uint8_t ins, uint16_t sw)
{
    const struct local *l = arg;
    if (l->o.verbose)
        fprintf(stderr, "%zu of %zu  %s: %04X\n", done, total, command_name(ins), sw);
}

/* What a script will open: that is counted as every opening is. */
struct played {
    bool opens;
    uint8_t kvn;
};

static enum err look_into(struct local *l, struct view bytes, struct played *out)
{
    struct script_reader in;
    enum script_fault fault;
    struct view capdu;
    struct apdu a;
    *out = (struct played){.opens = false};
    enum err e = script_open(&in, bytes, &fault);
    while (e == OK && (e = script_next(&in, &capdu, &fault)) == OK && capdu.len > 0) {
        if (apdu_parse(capdu, &a) != OK)
            return ERR_FORMAT;
        if (a.ins == INS_SELECT && !view_equal(a.data, aid_view(&l->card.isd)) &&
            aid_set(&l->o.domain, a.data) != OK)
            return ERR_FORMAT;
        if (a.ins == INS_INITIALIZE_UPDATE && !out->opens)
            *out = (struct played){true, a.p1};
    }
    return e;
}

static int count_play(struct local *l, struct view bytes, struct played *out)
{
    if (look_into(l, bytes, out) != OK)
        return local_fail(l, EXIT_USAGE, "the script has something in it that is no command");
    if (!out->opens)
        return EXIT_OK;
    int code = local_open_ledger(l);
    return code == EXIT_OK ? local_count_opening(l, out->kvn) : code;
}

/* The card took the host's proof: what was counted while the script was made and played is settled. */
static void settle_play(struct local *l, const struct played *p)
{
    const uint8_t versions[] = {p->kvn, 0};
    for (size_t n = 0; p->opens && n < sizeof(versions); n++) {
        struct ledger_row *row = ledger_row(&l->ledger, &l->o.domain, versions[n]);
        if (row != NULL)
            row->openings = row->wrong = 0;
    }
    if (p->opens && ledger_save(&l->ledger) != OK)
        cli_error("warning: %s can't be written", l->ledger.path);
}

static int play_script(struct local *l, struct view bytes)
{
    struct relay_result result;
    struct writer answer;
    const struct relay_watch watch = {tell_command, l};
    wr_heap(&answer, SCRIPT_MAX);
    enum err e = relay_run(&l->reader, bytes, &watch, &answer, &result);
    wr_free(&answer);
    if (e != OK)
        return local_fail(l, EXIT_OTHER, "the script can't be played: %s", err_text(e));
    json_object_set_new(l->result, "done", json_integer((json_int_t)result.executed));
    l->unproven = true;
    l->done = result.executed;
    if (result.card_error != OK)
        return local_fail(l, EXIT_UNKNOWN, "the card gave no answer behind command %zu of %zu: %s",
                          result.executed, result.total, err_text(result.card_error));
    if (result.executed < result.total || !sw_is_ok_or_warning(result.last_sw))
        return local_fail(l, EXIT_FAILED, "the card refused command %zu of %zu: %04X, %s", result.executed,
                          result.total, result.last_sw, sw_text(result.last_sw));
    local_note(l, "All %zu commands were executed.", result.executed);
    return EXIT_OK;
}

static int play(const struct cli *cli)
{
    struct local l;
    struct writer file;
    struct played played = {.opens = false};
    size_t count = 0;
    int code = local_begin_offline(&l, cli);
    wr_heap(&file, SCRIPT_MAX);
    enum err e = code == EXIT_OK ? read_file(cli->args[0], SCRIPT_MAX, &file) : OK;
    if (e == OK && code == EXIT_OK)
        e = script_count(wr_view_of(&file), &count);
    if (e != OK)
        code = local_fail(&l, EXIT_USAGE, "%s is not a script: %s", cli->args[0], err_text(e));
    if (code == EXIT_OK)
        code = local_connect(&l);
    if (code == EXIT_OK)
        code = count_play(&l, wr_view_of(&file), &played);
    if (code == EXIT_OK)
        code = play_script(&l, wr_view_of(&file));
    if (code == EXIT_OK)
        settle_play(&l, &played);
    wr_free(&file);
    return local_end(&l, code);
}

const struct verb verb_local_script = {
    "local script", "FILE.cap", "write the commands for a CAP file as a script", script_options, 1, 1,
    script};
const struct verb verb_local_play = {"local play", "SCRIPT", "send a script to the card", play_options, 1, 1,
                                     play};
