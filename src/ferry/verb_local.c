/* SPDX-License-Identifier: Apache-2.0
 *
 * ferry local list, info, release: what the card on the desk holds and is, and how often it was opened in
 * vain. */
#include <stdio.h>

#include "admin.h"
#include "card_facts.h"
#include "local.h"
#include "local_opening.h"
#include "verbs.h"

static const struct option_spec card_options[] = {LOCAL_CARD_OPTIONS, {NULL, NULL, NULL}};
static const struct option_spec reader_options[] = {LOCAL_READER_OPTIONS, {NULL, NULL, NULL}};

static int list(const struct cli *cli)
{
    struct local l;
    int code = local_begin(&l, cli);
    if (code == EXIT_OK)
        code = local_open(&l);
    if (code == EXIT_OK)
        code = local_read_registry(&l);
    if (code == EXIT_OK && cli_flag(cli, "json"))
        json_object_set_new(l.result, "registry", registry_words(&l.registry));
    else if (code == EXIT_OK)
        registry_print(&l.registry);
    return local_end(&l, code);
}

/* Without a key only what everybody is told. */
static int info(const struct cli *cli)
{
    struct local l;
    const struct admin output = {.cli = cli};
    int code = local_begin(&l, cli);
    if (code == EXIT_OK)
        card_facts(&l.reader, &l.card, l.result);
    if (code == EXIT_OK && local_has_key(&l)) {
        code = local_open(&l);
        if (code == EXIT_OK)
            code = local_read_registry(&l);
        if (code == EXIT_OK)
            json_object_set_new(l.result, "registry", registry_words(&l.registry));
    }
    if (code == EXIT_OK && !cli_flag(cli, "json"))
        admin_print(&output, l.result);
    return local_end(&l, code);
}

static int release(const struct cli *cli)
{
    struct local l;
    size_t rows = 0;
    int code = local_begin(&l, cli);
    if (code == EXIT_OK)
        code = local_open_ledger(&l);
    if (code == EXIT_OK) {
        ledger_release(&l.ledger, &rows);
        if (rows > 0 && ledger_save(&l.ledger) != OK)
            code = local_fail(&l, EXIT_OTHER, "%s can't be written", l.ledger.path);
    }
    if (code == EXIT_OK) {
        json_object_set_new(l.result, "released", json_integer((json_int_t)rows));
        local_note(&l, rows > 0
                           ? "The card may be tried again. What it has counted itself stays counted: be sure "
                             "of the key."
                           : "Nothing was counted against this card.");
    }
    return local_end(&l, code);
}

const struct verb verb_local_list = {"local list", "", "list what the card holds", card_options, 0, 0, list};
const struct verb verb_local_info = {
    "local info", "", "what the card is, and with a key what it holds", card_options, 0, 0, info};
const struct verb verb_local_release = {
    "local release", "", "let the card be tried again after openings without success", reader_options, 0, 0,
    release};
