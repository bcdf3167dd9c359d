/* SPDX-License-Identifier: Apache-2.0
 *
 * The frame of every "ferry local" verb: begins with options and a card, ends with a result, and between them
 * sends commands and knows what they have changed. */
#include "local.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <gp/weak.h>
#include <session/outcome.h>

#include "identify.h"
#include "local_token.h"
#include "local_words.h"
#include "profile.h"
#include "relay.h"

enum { OPTIONS_FILE_MAX = 16 * 1024 };

int local_fail(struct local *l, int code, const char *format, ...)
{
    char text[600];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (l->bar_open)
        fputc('\n', stderr);
    l->bar_open = false;
    cli_error("%s", text);
    json_object_set_new(l->result, "error", json_string(text));
    return code;
}

void local_note(const struct local *l, const char *format, ...)
{
    va_list args;
    if (cli_flag(&l->cli, "quiet") || cli_flag(&l->cli, "json"))
        return;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

/* ---- beginning */

static int read_options(struct local *l)
{
    char problem[120] = "";
    const char *file = cli_option(&l->cli, "options");
    wr_heap(&l->options_text, OPTIONS_FILE_MAX);
    if (file != NULL) {
        enum err e = read_file(file, OPTIONS_FILE_MAX - 1, &l->options_text);
        if (e != OK)
            return local_fail(l, EXIT_USAGE, "%s can't be read: %s", file, err_text(e));
        if (local_options_merge(&l->cli, &l->options_text, problem, sizeof(problem)) != OK)
            return local_fail(l, EXIT_USAGE, "%s: %s", file, problem);
    }
    return local_options_read(&l->o, &l->cli) ? local_read_token_keys(l) : EXIT_USAGE;
}

static int open_reader(struct local *l)
{
    struct reader_problem why = {""};
    enum err e = reader_open(&l->reader, l->o.reader, l->o.wait_ms, &why);
    if (e == OK)
        return EXIT_OK;
    int code = e == ERR_ARGUMENT                        ? EXIT_USAGE
               : e == ERR_NO_READER || e == ERR_NO_CARD ? EXIT_NO_CARD
                                                        : EXIT_OTHER;
    return local_fail(l, code, "%s", why.text[0] != '\0' ? why.text : err_text(e));
}

static int identify(struct local *l)
{
    enum err e = identify_card(&l->reader, aid_view(&l->o.isd), &l->card);
    if (e == ERR_NOT_FOUND)
        return local_fail(l, EXIT_UNKNOWN_CARD,
                          "the card has no card manager under this AID (give another with --isd)");
    if (e != OK)
        return local_fail(l, e == ERR_CARD_GONE ? EXIT_CARD_PULLED : EXIT_OTHER, "the card can't be read: %s",
                          err_text(e));
    l->domain = l->card;
    return EXIT_OK;
}

int local_begin_offline(struct local *l, const struct cli *cli)
{
    *l = (struct local){.cli = *cli, .result = json_object()};
    if (crypto_new(&l->crypto) != OK)
        return local_fail(l, EXIT_OTHER, "the cryptographic library can't be used");
    return read_options(l);
}

int local_connect(struct local *l)
{
    int code = open_reader(l);
    return code == EXIT_OK ? identify(l) : code;
}

int local_begin(struct local *l, const struct cli *cli)
{
    int code = local_begin_offline(l, cli);
    return code == EXIT_OK ? local_connect(l) : code;
}

bool local_dry_without_key(const struct local *l)
{
    return l->o.dry_run && !local_has_key(l);
}

int local_ready(struct local *l)
{
    if (local_dry_without_key(l))
        return EXIT_OK;
    int code = local_connect(l);
    return code == EXIT_OK ? local_open(l) : code;
}

int local_select_domain(struct local *l)
{
    if (l->o.domain.len == 0 || aid_equal(&l->o.domain, &l->card.isd))
        return EXIT_OK;
    enum err e = identify_card(&l->reader, aid_view(&l->o.domain), &l->domain);
    if (e == ERR_NOT_FOUND)
        return local_fail(l, EXIT_UNKNOWN_CARD, "the card has no security domain with the AID of --domain");
    if (e != OK)
        return local_fail(l, EXIT_OTHER, "the security domain can't be read: %s", err_text(e));
    return EXIT_OK;
}

/* ---- ending */

static const char *outcome_of(const struct local *l, int code)
{
    if (code == EXIT_OK)
        return l->o.dry_run ? "dry-run" : "done";
    return code == EXIT_UNKNOWN ? outcome_word(OUTCOME_UNKNOWN) : outcome_word(OUTCOME_FAILED);
}

static void finish_keys(struct local_keys *k)
{
    card_keys_wipe(&k->given);
    card_keys_wipe(&k->card);
    pk_free(&k->host);
    pk_free(&k->peer);
    for (size_t n = 0; n < CERTIFICATES_MAX; n++)
        wr_free(&k->chain[n]);
}

int local_end(struct local *l, int code)
{
    if (l->bar_open)
        fputc('\n', stderr);
    if (cli_flag(&l->cli, "json")) {
        json_object_set_new(l->result, "outcome", json_string(outcome_of(l, code)));
        json_object_set_new(l->result, "exit", json_integer(code));
        if (l->done > 0)
            json_object_set_new(l->result, "proven", json_boolean(!l->unproven));
        json_dumpf(l->result, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
        putchar('\n');
    }
    if (code == EXIT_OK && l->receipts.count > 0)
        local_note(l, "The card has confirmed it: %zu receipt%s, the last with counter %u.",
                   l->receipts.count, l->receipts.count == 1 ? "" : "s", l->receipts.counter);
    json_decref(l->result);
    registry_finish(&l->registry);
    channel_free(&l->channel);
    channel_opening_finish(&l->opening);
    wr_free(&l->last_answer);
    finish_keys(&l->keys);
    pk_free(&l->token_key);
    pk_free(&l->receipts.key);
    wr_free(&l->receipts.command);
    reader_close(&l->reader);
    crypto_free(&l->crypto);
    wr_free(&l->options_text);
    return code;
}

int local_check_weak(struct local *l, weak_set weak)
{
    enum weak refused;
    if (weak_check(weak, l->o.allowed, &refused) != OK)
        return local_fail(l, EXIT_NOT_ALLOWED, "%s: allow it with --allow-weak %s", weak_text(refused),
                          weak_name(refused));
    for (unsigned w = 0; w < WEAK_COUNT; w++)
        if ((weak & ~l->warned & 1u << w) != 0)
            cli_error("warning: %s", weak_text((enum weak)w));
    l->warned |= weak;
    return EXIT_OK;
}

/* ---- commands */

bool local_changes(uint8_t ins)
{
    static const uint8_t reading[] = {INS_SELECT, INS_GET_DATA, INS_GET_STATUS, INS_GET_RESPONSE,
                                      INS_MANAGE_CHANNEL};
    return memchr(reading, ins, sizeof(reading)) == NULL;
}

static void trace(const struct local *l, const struct apdu *plain, uint16_t sw, size_t answer)
{
    if (!l->o.verbose)
        return;
    fprintf(stderr, "%02X %02X %02X %02X  %s: %04X, %zu bytes%s%s\n", plain->cla, plain->ins, plain->p1,
            plain->p2, command_words(plain).text, sw, answer, sw != SW_OK ? ", " : "",
            sw != SW_OK ? command_sw_text(plain->ins, sw) : "");
}

/* No answer: what a command that changes did is not known. */
static int no_answer(struct local *l, const struct apdu *plain, enum err e)
{
    const char *name = command_name(plain->ins);
    bool gone = e == ERR_CARD_GONE || e == ERR_CLOSED || e == ERR_NO_CARD;
    if (!local_changes(plain->ins))
        return local_fail(l, gone ? EXIT_CARD_PULLED : EXIT_OTHER, "%s has no answer: %s", name, err_text(e));
    return local_fail(l, EXIT_UNKNOWN,
                      "%s has no answer (%s): the card may or may not have done it; 'ferry local list' shows "
                      "what it holds now",
                      name, err_text(e));
}

/* The command as it goes to the card, appended. */
static enum err protect(struct local *l, const struct apdu *plain, struct writer *capdu)
{
    struct writer storage;
    struct apdu wrapped = *plain;
    enum err e = OK;
    wr_heap(&storage, 2 * CAPDU_MAX);
    if (l->channel != NULL)
        e = channel_wrap(l->channel, l->crypto, plain, 1, &wrapped, &storage);
    if (e == OK) {
        apdu_put(capdu, &wrapped);
        e = wr_status(capdu);
    }
    wr_free(&storage);
    return e;
}

static enum err take_answer(struct local *l, struct view rapdu, struct writer *answer, uint16_t *sw)
{
    struct rapdu plain;
    bool proven = false;
    enum err e;
    if (l->channel != NULL) {
        e = channel_unwrap(l->channel, l->crypto, rapdu, answer, sw, &proven);
    } else {
        e = rapdu_parse(rapdu, &plain);
        if (e == OK) {
            wr_view(answer, plain.data);
            *sw = plain.sw;
            e = wr_status(answer);
        }
    }
    l->unproven |= !proven;
    return e;
}

static int believe(struct local *l, const struct apdu *plain, struct view rapdu, struct writer *answer,
                   uint16_t *sw)
{
    size_t before = answer->len;
    enum err e = take_answer(l, rapdu, answer, sw);
    if (e != OK)
        return local_fail(l, EXIT_UNKNOWN, "the answer to %s is not the card's as it stands: %s",
                          command_name(plain->ins), err_text(e));
    trace(l, plain, *sw, answer->len - before);
    return EXIT_OK;
}

int local_command(struct local *l, const struct apdu *plain, struct writer *answer, uint16_t *sw)
{
    struct writer capdu, rapdu;
    size_t bytes = 0;
    int code = EXIT_OK;
    wr_heap(&capdu, CAPDU_MAX + 16);
    wr_heap(&rapdu, 2 * RAPDU_MAX);
    enum err e = protect(l, plain, &capdu);
    if (e != OK)
        code = local_fail(l, EXIT_FAILED, "%s can't be sent as this card's channel wants it: %s",
                          command_name(plain->ins), err_text(e));
    else if ((e = relay_command(&l->reader, wr_view_of(&capdu), &rapdu, &bytes)) != OK)
        code = no_answer(l, plain, e);
    else
        code = believe(l, plain, wr_view_of(&rapdu), answer, sw);
    wr_free(&rapdu);
    wr_free(&capdu);
    return code;
}

/* ---- registry */

/* One page. *refused: the card does not know the question. */
static int read_page(struct local *l, const struct get_status *question, struct registry *into,
                     uint16_t *refused)
{
    struct apdu a;
    struct writer w, answer;
    uint8_t memory[64];
    uint16_t sw = 0;
    *refused = 0;
    wr_fixed(&w, memory, sizeof(memory));
    wr_heap(&answer, RAPDU_MAX);
    enum err e = command_get_status_any(&a, &w, question);
    int code = e == OK ? local_command(l, &a, &answer, &sw) : EXIT_OTHER;
    if (code == EXIT_OK) {
        struct rapdu told = {.data = wr_view_of(&answer), .sw = sw};
        e = registry_add(into, question->subset, &told);
        if (e == ERR_STATE)
            *refused = sw;
        else if (e != OK)
            code = local_fail(l, EXIT_FAILED, "the card's listing can't be read: %s", err_text(e));
    }
    wr_free(&answer);
    return code;
}

/* Page after page. Old cards know neither the subset with modules nor the TLV form. */
static int read_subset(struct local *l, struct get_status question, struct registry *into)
{
    uint16_t refused = 0;
    int code = read_page(l, &question, into, &refused);
    if (code == EXIT_OK && refused != 0 && question.subset == STATUS_PACKAGES_MODULES) {
        question.subset = STATUS_PACKAGES;
        return read_subset(l, question, into);
    }
    if (code == EXIT_OK && registry_wants_old_form(refused) && question.format == STATUS_FORMAT_TLV) {
        question.format = STATUS_FORMAT_LV;
        return read_subset(l, question, into);
    }
    question.next = true;
    for (unsigned page = 0; code == EXIT_OK && refused == 0 && into->more && page < REGISTRY_ENTRIES_MAX;
         page++) {
        into->more = false;
        code = read_page(l, &question, into, &refused);
    }
    if (code == EXIT_OK && (refused != 0 || into->more))
        code = local_fail(l, EXIT_FAILED, "the card does not list what it holds: %04X, %s", refused,
                          command_sw_text(INS_GET_STATUS, refused));
    return code;
}

int local_read_registry(struct local *l)
{
    static const uint8_t subsets[] = {STATUS_ISD, STATUS_APPLICATIONS, STATUS_PACKAGES_MODULES};
    struct registry found = {0};
    int code = EXIT_OK;
    for (size_t n = 0; n < sizeof(subsets) && code == EXIT_OK; n++)
        code = read_subset(l, (struct get_status){.subset = subsets[n]}, &found);
    registry_finish(&l->registry);
    if (code == EXIT_OK)
        l->registry = found;
    else
        registry_finish(&found);
    return code;
}

/* Methods whose signatures need extended length wrap short commands of any length. */
size_t local_block_size(const struct local *l)
{
    enum { SHORT_BLOCK = 247 }; /* what fits at C-MAC with a MAC of 8 bytes */
    if (l->channel == NULL)
        return SHORT_BLOCK;
    size_t size = channel_block_size(channel_method_of(l->channel), channel_level(l->channel));
    return size > 0 ? size : UINT8_MAX;
}
