/* SPDX-License-Identifier: Apache-2.0
 *
 * ferry local lock, unlock, secure: the life cycle state of an application, a security domain, or the card.
 */
#include <stdio.h>
#include <string.h>

#include <base/text.h>
#include <session/outcome.h>

#include "local_plan.h"
#include "verbs.h"

enum { /* GPCS 2.3.1 tables 11-5 and 11-6, and 11.10.2.2 */
       CARD_OP_READY = 0x01,
       CARD_INITIALIZED = 0x07,
       CARD_SECURED = 0x0F,
       CARD_LOCKED = 0x7F,
       APPLICATION_LOCKED = 0x80,
       APPLICATION_UNLOCKED = 0x00
};

static const struct option_spec lock_options[] = {
    LOCAL_CHANGE_OPTIONS,
    {"all", NULL, "of a security domain: with all applications below it"},
    {"confirm", "NUMBER", "to lock the card: its number, as 'ferry card' shows it"},
    {NULL, NULL, NULL}};
static const struct option_spec unlock_options[] = {
    LOCAL_CHANGE_OPTIONS,
    {"all", NULL, "of a security domain: with all applications below it"},
    {NULL, NULL, NULL}};

static const struct option_spec secure_options[] = {
    LOCAL_CHANGE_OPTIONS,
    {"confirm", "NUMBER", "the card's number, as 'ferry card' shows it"},
    {NULL, NULL, NULL}};

struct state_change {
    uint8_t type, state;
    struct aid aid; /* len 0: the card */
};

static int read_target(struct local *l, bool locks, struct state_change *out)
{
    const char *text = l->cli.args[0];
    size_t len = 0;
    *out = (struct state_change){.type = STATUS_ISD, .state = locks ? CARD_LOCKED : CARD_SECURED};
    if (strcmp(text, "card") == 0)
        return EXIT_OK;
    if (hex_read_str(text, out->aid.data, sizeof(out->aid.data), &len) != OK || len < AID_MIN)
        return local_fail(l, EXIT_USAGE, "'%s' is neither an AID nor \"card\"", text);
    out->aid.len = (uint8_t)len;
    out->type = cli_flag(&l->cli, "all") ? STATUS_DOMAIN_AND_ALL : STATUS_APPLICATIONS;
    out->state = locks ? APPLICATION_LOCKED : APPLICATION_UNLOCKED;
    return EXIT_OK;
}

/* What can't be undone, or only by the issuer: the person at the desk names the card. */
static int confirm_card(struct local *l, const char *what)
{
    char number[2 * CARD_NUMBER_MAX + 2];
    const char *given = cli_option(&l->cli, "confirm");
    if (identity_card_number(&l->card, number) != OK)
        snprintf(number, sizeof(number), "none");
    if (given != NULL && strcmp(given, number) == 0)
        return EXIT_OK;
    return local_fail(l, EXIT_NOT_ALLOWED, "%s: say which card with --confirm %s", what, number);
}

struct state_changes {
    const struct state_change *list;
    size_t count;
};

static enum err put_changes(struct builder *b, void *arg)
{
    const struct state_changes *changes = arg;
    enum err e = OK;
    for (size_t n = 0; n < changes->count && e == OK; n++) {
        const struct state_change *s = &changes->list[n];
        struct apdu a;
        wr_clear(&b->scratch);
        e = command_set_status(&a, &b->scratch, s->type, s->state, aid_view(&s->aid));
        if (e == OK)
            e = build_put(b, &a, (struct position){0, 0});
    }
    return e;
}

static int set_status(struct local *l, const struct state_change *list, size_t count)
{
    struct state_changes changes = {list, count};
    return local_run(l, put_changes, &changes);
}

static int change_state(const struct cli *cli, bool locks)
{
    struct local l;
    struct state_change s = {0};
    int code = local_begin_offline(&l, cli);
    if (code == EXIT_OK)
        code = read_target(&l, locks, &s);
    if (code == EXIT_OK)
        code = local_connect(&l);
    if (code == EXIT_OK && locks && s.aid.len == 0 && !l.o.dry_run)
        code = confirm_card(&l, "a locked card serves nobody until its issuer unlocks it");
    if (code == EXIT_OK && !local_dry_without_key(&l))
        code = local_open(&l);
    if (code == EXIT_OK)
        code = set_status(&l, &s, 1);
    return local_end(&l, code);
}

static int lock(const struct cli *cli)
{
    return change_state(cli, true);
}

static int unlock(const struct cli *cli)
{
    return change_state(cli, false);
}

/* GPCS 2.3.1 5.1.2: from OP_READY over INITIALIZED to SECURED, and never back. */
static int secure(const struct cli *cli)
{
    static const struct state_change steps[] = {{.type = STATUS_ISD, .state = CARD_INITIALIZED},
                                                {.type = STATUS_ISD, .state = CARD_SECURED}};
    struct local l;
    int code = local_begin(&l, cli);
    if (code == EXIT_OK && !l.o.dry_run)
        code = confirm_card(&l, "a card never leaves SECURED for an earlier state");
    if (code == EXIT_OK)
        code = local_open(&l);
    if (code == EXIT_OK)
        code = local_read_registry(&l);
    const struct registry_entry *isd = code == EXIT_OK ? registry_find(&l.registry, &l.card.isd) : NULL;
    if (isd != NULL && isd->state == CARD_OP_READY)
        code = set_status(&l, steps, 2);
    else if (isd != NULL && isd->state == CARD_INITIALIZED)
        code = set_status(&l, &steps[1], 1);
    else if (code == EXIT_OK)
        local_note(&l, "The card is in no state before SECURED: nothing was to be done.");
    return local_end(&l, code);
}

const struct verb verb_local_secure = {
    "local secure", "", "bring a new card to its state SECURED, for good", secure_options, 0, 0, secure};
const struct verb verb_local_lock = {
    "local lock", "AID-OR-card", "lock an application, a security domain, or the card", lock_options, 1, 1,
    lock};
const struct verb verb_local_unlock = {"local unlock", "AID-OR-card", "unlock it again", unlock_options, 1, 1,
                                       unlock};
