/* SPDX-License-Identifier: Apache-2.0
 *
 * The opening of a channel, once method and keys are chosen: it is counted before it is begun, what the card
 * answers is held against what was asked, and nothing is ever tried a second time. */
#include "local_opening.h"

#include <stdio.h>
#include <string.h>

#include <base/text.h>
#include <gp/weak.h>
#include <session/outcome.h>

#include "relay.h"

enum { COUNTER_WARNING = 1000 };

/* ---- counting */

int local_open_ledger(struct local *l)
{
    char number[2 * CARD_NUMBER_MAX + 2], atr[2 * ATR_MAX + 8] = "atr-";
    bool has_number = identity_card_number(&l->card, number) == OK;
    /* Cards without a number of their own share a ledger with their like: it stops earlier, never later. */
    if (!has_number)
        hex_write(atr + strlen(atr), view_of(l->reader.atr, l->reader.atr_len));
    enum err e = ledger_open(&l->ledger, has_number ? number : atr);
    if (e == ERR_FORMAT || e == ERR_LIMIT)
        return local_fail(
            l, EXIT_OTHER,
            "the record of failed openings of this card (cardferry/cards/%s in the state folder) is "
            "damaged: look at it, and remove it when the card may be tried",
            has_number ? number : atr);
    if (e != OK)
        return local_fail(l, EXIT_OTHER, "failed openings can't be counted (%s): set HOME or XDG_STATE_HOME",
                          err_text(e));
    return EXIT_OK;
}

static int save_ledger(struct local *l)
{
    if (ledger_save(&l->ledger) == OK)
        return EXIT_OK;
    return local_fail(l, EXIT_OTHER, "failed openings can't be counted: %s can't be written", l->ledger.path);
}

static unsigned openings_of(const struct local *l)
{
    unsigned counted;
    enum err ignored = ledger_check(&l->ledger, &l->o.domain, l->o.kvn, &counted);
    (void)ignored;
    return counted;
}

/* What a failure costs, as far as anybody can know. */
static int fail_opening(struct local *l, int code, const char *what)
{
    enum { CARDS_DIE_AT = 10 };
    unsigned counted = openings_of(l);
    return local_fail(l, code,
                      "%s. It is not tried again: %u opening%s without success so far, and a card may block "
                      "itself for ever after %d, so as few as %d tries may be left",
                      what, counted, counted == 1 ? "" : "s", CARDS_DIE_AT,
                      counted < CARDS_DIE_AT ? (int)(CARDS_DIE_AT - counted) : 0);
}

static int check_ledger(struct local *l, uint8_t kvn)
{
    unsigned counted;
    if (ledger_check(&l->ledger, &l->o.domain, kvn, &counted) == OK)
        return EXIT_OK;
    return local_fail(l, EXIT_CARD_BLOCKED,
                      "this card was opened with a wrong key, or %u times without success, and is not tried "
                      "again, to protect it: look for the cause, then 'ferry local release'",
                      counted);
}

static int count_opening(struct local *l, uint8_t kvn)
{
    struct ledger_row *row = ledger_row(&l->ledger, &l->o.domain, kvn);
    if (row == NULL)
        return local_fail(l, EXIT_OTHER, "failed openings can't be counted: %s is full", l->ledger.path);
    row->openings++;
    return save_ledger(l);
}

int local_count_opening(struct local *l, uint8_t kvn)
{
    int code = check_ledger(l, kvn);
    return code == EXIT_OK ? count_opening(l, kvn) : code;
}

/* ---- the opening */

static void trace_opening(const struct local *l, const struct apdu *a, uint16_t sw, size_t len)
{
    if (l->o.verbose)
        fprintf(stderr, "%02X %02X %02X %02X  %s: %04X, %zu bytes\n", a->cla, a->ins, a->p1, a->p2,
                command_name(a->ins), sw, len);
}

static int refused_opening(struct local *l, const struct apdu *a, uint16_t sw)
{
    char text[200];
    snprintf(text, sizeof(text), "the card refused %s: %04X, %s", command_name(a->ins), sw,
             command_sw_text(a->ins, sw));
    if (sw == SW_SECURITY_STATUS || sw == SW_AUTH_BLOCKED)
        return fail_opening(l, EXIT_CARD_BLOCKED, text);
    /* No such key version: no key was tried. */
    struct ledger_row *row = ledger_row(&l->ledger, &l->o.domain, l->o.kvn);
    if (sw == SW_REFERENCED_DATA && row != NULL && row->openings > 0) {
        row->openings--;
        int code = save_ledger(l);
        return code != EXIT_OK ? code : local_fail(l, EXIT_FAILED, "%s", text);
    }
    return fail_opening(l, EXIT_FAILED, text);
}

/* One plain command of the opening. */
static int ask(struct local *l, const struct apdu *a, struct writer *memory, struct rapdu *answer)
{
    struct writer capdu;
    size_t bytes = 0;
    wr_heap(&capdu, CAPDU_MAX + 16);
    wr_heap(memory, 2 * RAPDU_MAX);
    apdu_put(&capdu, a);
    enum err e = wr_status(&capdu);
    if (e == OK)
        e = relay_command(&l->reader, wr_view_of(&capdu), memory, &bytes);
    if (e == OK)
        e = rapdu_parse(wr_view_of(memory), answer);
    wr_free(&capdu);
    if (e != OK)
        return local_fail(l, e == ERR_CARD_GONE ? EXIT_CARD_PULLED : EXIT_OTHER, "%s has no answer: %s",
                          command_name(a->ins), err_text(e));
    trace_opening(l, a, answer->sw, answer->data.len);
    return answer->sw == SW_OK ? EXIT_OK : refused_opening(l, a, answer->sw);
}

static int begin(struct local *l, struct opening *o)
{
    struct channel_keys keys = local_lend_keys(l);
    const struct channel_request request = {.method = o->method,
                                            .level = o->level,
                                            .kvn = l->o.kvn,
                                            .kid = l->o.kid,
                                            .aid =
                                                aid_view(l->o.domain.len > 0 ? &l->o.domain : &l->card.isd)};
    enum err e = channel_begin(&o->begun, l->crypto, crypto_random(), &request, &keys);
    if (e != OK)
        return local_fail(l, EXIT_USAGE, "%s can't be opened with these keys: %s", o->method->name,
                          err_text(e));
    int code = EXIT_OK;
    for (size_t n = 0; n < o->begun.count && code == EXIT_OK; n++)
        code = ask(l, &o->begun.commands[n], &o->memory[n], &o->answers[n]);
    return code;
}

/* SCP03 tells its i: the row that was begun with only stood for it. */
static int settle_method(struct local *l, struct opening *o)
{
    const struct init_update *iu = &o->update;
    const struct channel_method *told = iu->i >= 0 ? channel_method(iu->scp, (uint8_t)iu->i) : o->method;
    char text[160];
    snprintf(text, sizeof(text), "the card answers with SCP%02X i=%02X, key version %02X, and not as asked",
             iu->scp, iu->i >= 0 ? (unsigned)iu->i : o->method->i, iu->kvn);
    if (iu->scp == SCP02 && o->method->scp == SCP03 && l->domain.scp_count == 0)
        return fail_opening(
            l, EXIT_UNKNOWN_CARD,
            "the card speaks SCP02 and does not say with which i: name it, such as --method SCP02:55");
    if (iu->scp != o->method->scp || (l->o.kvn != 0 && iu->kvn != l->o.kvn) ||
        (l->o.i >= 0 && told->i != l->o.i))
        return fail_opening(l, EXIT_FAILED, text);
    if (told == NULL)
        return fail_opening(l, EXIT_UNKNOWN_CARD, text);
    if (told != o->method && l->domain.scp_count > 0 && !local_announces(&l->domain, told))
        return fail_opening(l, EXIT_FAILED, text);
    const struct ledger_row *pin = ledger_pin(&l->ledger, &l->o.domain, iu->kvn);
    if (pin != NULL && l->o.method[0] == '\0' && (pin->scp != told->scp || pin->i != told->i)) {
        snprintf(text, sizeof(text),
                 "the card was opened with SCP%02X i=%02X before and now says SCP%02X i=%02X: name it with "
                 "--method "
                 "if that is right",
                 pin->scp, pin->i, told->scp, told->i);
        return fail_opening(l, EXIT_FAILED, text);
    }
    o->method = o->begun.request.method = told;
    int code = local_check_weak(l, weak_of_method(told));
    if (code == EXIT_OK)
        code = local_choose_level(l, told, &o->level);
    o->begun.request.level = o->level;
    return code;
}

int opening_check_extended(struct local *l, const struct channel_method *m, uint8_t level)
{
    if (channel_block_size(m, level) > 0 || identity_extended_length(&l->card))
        return EXIT_OK;
    return local_fail(
        l, EXIT_FAILED,
        "%s i=%02X needs commands of extended length for its signatures, and the card does not say "
        "that it takes them",
        m->name, m->i);
}

/* The answer to INITIALIZE UPDATE names key version and method, and gives what keys are derived from. */
static int take_update(struct local *l, struct opening *o)
{
    enum err e = init_update_parse(o->answers[0].data, &o->update);
    if (e != OK)
        return fail_opening(l, e == ERR_UNSUPPORTED ? EXIT_UNKNOWN_CARD : EXIT_FAILED,
                            "the card's answer to INITIALIZE UPDATE can't be read");
    memcpy(l->kdd, o->update.kdd, sizeof(l->kdd));
    int code = settle_method(l, o);
    if (code != EXIT_OK)
        return code;
    if (l->o.kvn == 0 && o->update.kvn != 0) {
        code = local_count_opening(l, o->update.kvn);
    }
    l->kvn = o->update.kvn;
    if (code == EXIT_OK)
        code = opening_check_extended(l, o->method, o->level);
    if (channel_counter_left(&o->update) < COUNTER_WARNING)
        cli_error(
            "warning: this key set can open %u more channels, then its sequence counter has come to its end",
            (unsigned)channel_counter_left(&o->update));
    return code;
}

static int derive(struct local *l, const struct channel_method *m)
{
    if (!m->authenticates && l->o.kdf != KDF_NONE)
        return local_fail(l, EXIT_USAGE,
                          "%s i=%02X does not tell what keys are derived from: use the card's own", m->name,
                          m->i);
    enum err e = kdf_derive(l->crypto, l->o.kdf, &l->keys.given, VIEW_OF(l->kdd), &l->keys.card);
    if (e == OK)
        return EXIT_OK;
    return local_fail(l, EXIT_USAGE, "the card's keys can't be derived with --kdf %s: %s", kdf_name(l->o.kdf),
                      err_text(e));
}

static int wrong_key(struct local *l)
{
    struct ledger_row *row = ledger_row(&l->ledger, &l->o.domain, l->kvn);
    if (row != NULL)
        row->wrong++;
    int code = save_ledger(l);
    if (code != EXIT_OK)
        return code;
    return fail_opening(
        l, EXIT_WRONG_KEY,
        "WRONG KEY: the card's cryptogram does not match, so the card has another key, or another "
        "--kdf, than the one given; nothing was sent that proves a key");
}

/* What an opening that fails for another reason than a wrong key means to whoever gave the keys. */
static const char *refusal_text(const struct local *l, enum err e)
{
    if (e == ERR_ARGUMENT && l->keys.peer != NULL && pk_algorithm(l->keys.peer) != PK_EC)
        return "the key of --ca-key is not on an elliptic curve, and certificates in GlobalPlatform's form, "
               "as "
               "this card has one, are signed with such keys only";
    if (e == ERR_EXPIRED)
        return "a certificate of the card is not valid now";
    return err_text(e);
}

static int accept(struct local *l, struct opening *o)
{
    struct channel_keys keys = local_lend_keys(l);
    enum err e = channel_accept(&l->channel, l->crypto, &o->begun, &keys, o->answers, o->begun.count);
    if (e == OK)
        return EXIT_OK;
    return e == ERR_AUTH ? wrong_key(l) : fail_opening(l, EXIT_FAILED, refusal_text(l, e));
}

/* Not through local_command: its answer opens the channel, and whether it came or not nothing was changed. */
static int authenticate(struct local *l)
{
    struct writer capdu, rapdu, out;
    size_t bytes = 0;
    uint16_t sw = 0;
    bool proven;
    int code = EXIT_OK;
    wr_heap(&capdu, CAPDU_MAX + 16);
    wr_heap(&rapdu, 2 * RAPDU_MAX);
    wr_heap(&out, RAPDU_MAX);
    enum err e = channel_external_authenticate(l->channel, l->crypto, &capdu);
    if (e == OK)
        e = relay_command(&l->reader, wr_view_of(&capdu), &rapdu, &bytes);
    if (e == OK)
        e = channel_unwrap(l->channel, l->crypto, wr_view_of(&rapdu), &out, &sw, &proven);
    if (e != OK)
        code = local_fail(l, e == ERR_CARD_GONE ? EXIT_CARD_PULLED : EXIT_FAILED,
                          "EXTERNAL AUTHENTICATE has no answer: %s", err_text(e));
    else if (sw != SW_OK)
        code = fail_opening(l, EXIT_FAILED, "the card does not accept EXTERNAL AUTHENTICATE");
    if (e == OK && l->o.verbose)
        fprintf(stderr, "84 82 %02X 00  EXTERNAL AUTHENTICATE: %04X\n", channel_level(l->channel), sw);
    wr_free(&out);
    wr_free(&rapdu);
    wr_free(&capdu);
    return code;
}

/* For a script: what the card will answer when it is played. */
static int foresee(struct local *l, struct opening *o)
{
    const struct channel_method *m = o->method;
    if (strcmp(m->name, "SCP11c") == 0)
        return EXIT_OK; /* Amendment F 3.1.3: nothing of the card's that is new each time goes into the keys
                         */
    if (!local_is_symmetric(m) || !m->authenticates)
        return local_fail(l, EXIT_USAGE,
                          "%s i=%02X can't be signed ahead: the card has a say in each session", m->name,
                          m->i);
    const struct aid *aid = l->o.domain.len > 0 ? &l->o.domain : &l->card.isd;
    channel_free(&l->channel);
    enum err e = channel_open_next(&l->channel, l->crypto, m, &l->keys.card, secret_view(&o->begun.own),
                                   aid_view(aid), &o->update, o->level);
    if (e == OK)
        return EXIT_OK;
    return local_fail(
        l, EXIT_FAILED,
        "no script can be signed ahead for this card: its challenges are not those of its counter (%s)",
        err_text(e));
}

static int run_commands(struct local *l, struct opening *o)
{
    int code = begin(l, o);
    if (code == EXIT_OK && o->method->authenticates)
        code = take_update(l, o);
    else
        l->kvn = l->o.kvn;
    if (code == EXIT_OK && l->keys.has_card)
        code = derive(l, o->method);
    if (code == EXIT_OK)
        code = accept(l, o);
    if (code == EXIT_OK && l->hold_authentication)
        code = foresee(l, o);
    else if (code == EXIT_OK && o->method->authenticates)
        code = authenticate(l);
    for (size_t n = 0; n < OPENING_COMMANDS_MAX; n++)
        wr_free(&o->memory[n]);
    if (l->hold_authentication && code == EXIT_OK)
        l->opening = o->begun;
    else
        channel_opening_finish(&o->begun);
    return code;
}

static void tell(struct local *l, const struct opening *o)
{
    /* A held opening stays counted: nothing has proven to the card who asked. */
    if (!l->hold_authentication)
        ledger_proven(&l->ledger, &l->o.domain, l->kvn, o->method->scp, (uint8_t)o->method->i);
    if (ledger_save(&l->ledger) != OK)
        cli_error("warning: %s can't be written", l->ledger.path);
    json_object_set_new(l->result, "channel",
                        json_sprintf("%s i=%02X, key version %02X, level %02X", o->method->name, o->method->i,
                                     l->kvn, o->level));
}

int opening_run(struct local *l, struct opening *o)
{
    int code = run_commands(l, o);
    if (code == EXIT_OK)
        tell(l, o);
    return code;
}
