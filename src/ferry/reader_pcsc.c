/* SPDX-License-Identifier: Apache-2.0
 *
 * Readers of the PC/SC service (pcsc-lite). The card is held exclusively, so that no other program can speak
 * in the middle of a secure channel. */
#include "reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <winscard.h>

enum { READERS_TEXT_MAX = 16 * 1024, POLL_MS = 250 };
/* SCARD_READERSTATE: the upper half of dwEventState counts the events of the reader. */
enum { EVENTS_SHIFT = 16, EVENTS_MASK = 0xFFFF };

struct pcsc {
    SCARDCONTEXT context;
    SCARDHANDLE card;
    const SCARD_IO_REQUEST *protocol;
    char name[128];
    uint8_t answer[RAPDU_MAX];
};

static enum err outcome(LONG rv)
{
    switch (rv) {
    case SCARD_S_SUCCESS:
        return OK;
    case SCARD_W_REMOVED_CARD:
    case SCARD_W_RESET_CARD:
    case SCARD_W_UNPOWERED_CARD:
    case SCARD_E_READER_UNAVAILABLE:
    case SCARD_E_NOT_TRANSACTED:
    case SCARD_E_UNKNOWN_READER:
    case SCARD_E_NO_SERVICE:
    case SCARD_E_INVALID_HANDLE:
        return ERR_CARD_GONE;
    case SCARD_E_NO_SMARTCARD:
    case SCARD_W_UNRESPONSIVE_CARD:
        return ERR_NO_CARD;
    case SCARD_E_INSUFFICIENT_BUFFER:
        return ERR_LIMIT;
    case SCARD_E_TIMEOUT:
        return ERR_TIMEOUT;
    case SCARD_E_NO_MEMORY:
        return ERR_MEMORY;
    default:
        return ERR_IO;
    }
}

static enum err establish(SCARDCONTEXT *context, struct reader_problem *why)
{
    LONG rv = SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, context);
    if (rv == SCARD_S_SUCCESS)
        return OK;
    snprintf(
        why->text, sizeof(why->text),
        "the PC/SC service does not answer (%s): install pcscd and start it, e.g. 'systemctl start pcscd'",
        pcsc_stringify_error(rv));
    return ERR_NO_READER;
}

/* Calls each for every reader with its present state; each may end the walk by returning true. */
static enum err walk(SCARDCONTEXT context, bool (*each)(void *arg, SCARD_READERSTATE *state), void *arg)
{
    char *names = calloc(1, READERS_TEXT_MAX + 2); /* a row of strings that ends with an empty one */
    DWORD len = READERS_TEXT_MAX;
    if (names == NULL)
        return ERR_MEMORY;
    LONG rv = SCardListReaders(context, NULL, names, &len);
    for (const char *name = names; rv == SCARD_S_SUCCESS && *name != '\0'; name += strlen(name) + 1) {
        SCARD_READERSTATE state = {.szReader = name, .dwCurrentState = SCARD_STATE_UNAWARE};
        if (SCardGetStatusChange(context, 0, &state, 1) == SCARD_S_SUCCESS && each(arg, &state))
            break;
    }
    free(names);
    return rv == SCARD_E_NO_READERS_AVAILABLE ? OK : outcome(rv);
}

struct listing {
    void (*each)(void *arg, const char *name, struct view atr);
    void *arg;
};

static struct view state_atr(const SCARD_READERSTATE *state)
{
    bool present = (state->dwEventState & SCARD_STATE_PRESENT) != 0 && state->cbAtr <= ATR_MAX;
    return present ? view_of(state->rgbAtr, state->cbAtr) : VIEW_NULL;
}

static bool list_one(void *arg, SCARD_READERSTATE *state)
{
    const struct listing *l = arg;
    l->each(l->arg, state->szReader, state_atr(state));
    return false;
}

enum err reader_list(void (*each)(void *arg, const char *name, struct view atr), void *arg,
                     struct reader_problem *why)
{
    SCARDCONTEXT context;
    struct listing l = {each, arg};
    enum err e = establish(&context, why);
    if (e != OK)
        return e;
    e = walk(context, list_one, &l);
    if (e != OK)
        snprintf(why->text, sizeof(why->text), "the readers can't be listed: %s", err_text(e));
    SCardReleaseContext(context);
    return e;
}

struct choice {
    const char *part; /* of the name; "" any */
    char name[128];   /* of the reader that was found */
    size_t fitting;
    bool card, exact;
    uint32_t events; /* of that reader */
};

/* An exact name wins; else the only reader whose name contains the part; else, without a part, the first with
 * a card. */
static bool choose_one(void *arg, SCARD_READERSTATE *state)
{
    struct choice *c = arg;
    bool exact = strcmp(state->szReader, c->part) == 0;
    bool card = (state->dwEventState & SCARD_STATE_PRESENT) != 0;
    if (strstr(state->szReader, c->part) == NULL)
        return false;
    c->fitting++;
    if (c->fitting == 1 || exact || (card && !c->card && *c->part == '\0')) {
        snprintf(c->name, sizeof(c->name), "%s", state->szReader);
        c->card = card;
        c->exact = exact;
        c->events = (uint32_t)(state->dwEventState >> EVENTS_SHIFT) & EVENTS_MASK;
    }
    return exact;
}

static enum err choose(SCARDCONTEXT context, const char *part, struct choice *c, struct reader_problem *why)
{
    *c = (struct choice){.part = part};
    enum err e = walk(context, choose_one, c);
    if (e != OK) {
        snprintf(why->text, sizeof(why->text), "the readers can't be listed: %s", err_text(e));
        return e;
    }
    if (c->fitting == 0) {
        snprintf(why->text, sizeof(why->text),
                 *part != '\0' ? "no reader's name contains '%.80s': see 'ferry readers'"
                               : "no reader is connected%.0s: plug one in, then see 'ferry readers'",
                 part);
        return ERR_NO_READER;
    }
    if (c->fitting > 1 && *part != '\0' && !c->exact) {
        snprintf(why->text, sizeof(why->text), "%zu readers' names contain '%.80s': name one exactly",
                 c->fitting, part);
        return ERR_ARGUMENT;
    }
    if (!c->card) {
        snprintf(why->text, sizeof(why->text), "there is no card in the reader '%s': put one in", c->name);
        return ERR_NO_CARD;
    }
    return OK;
}

enum err reader_insertion_pcsc(struct reader_insertion *out, const char *name)
{
    SCARDCONTEXT context;
    struct reader_problem why;
    struct choice c;
    enum err e = establish(&context, &why);
    if (e != OK)
        return e;
    e = choose(context, name, &c, &why);
    SCardReleaseContext(context);
    if (e != OK)
        return e;
    *out = (struct reader_insertion){.count = c.events};
    snprintf(out->reader, sizeof(out->reader), "%s", c.name);
    return OK;
}

/* Sleeps until something changes at any reader, at most ms. */
static void wait_change(SCARDCONTEXT context, int ms)
{
    SCARD_READERSTATE any = {.szReader = "\\\\?PnP?\\Notification", .dwCurrentState = SCARD_STATE_UNAWARE};
    SCardGetStatusChange(context, (DWORD)ms, &any, 1);
    struct timespec pause = {.tv_nsec = ms * 1000000L};
    nanosleep(&pause, NULL);
}

static enum err transmit(void *ctx, struct view capdu, struct writer *rapdu)
{
    struct pcsc *p = ctx;
    DWORD len = sizeof(p->answer);
    enum err e = outcome(SCardTransmit(p->card, p->protocol, capdu.data, capdu.len, NULL, p->answer, &len));
    if (e == OK)
        wr_bytes(rapdu, p->answer, len);
    /* Between commands of a dialogue "no card" can only mean that it was taken out. */
    return e == ERR_NO_CARD ? ERR_CARD_GONE : e;
}

static enum err touch(void *ctx)
{
    struct pcsc *p = ctx;
    return outcome(SCardStatus(p->card, NULL, NULL, NULL, NULL, NULL, NULL));
}

static enum err wait_gone(void *ctx, int timeout_ms)
{
    struct pcsc *p = ctx;
    SCARD_READERSTATE state = {.szReader = p->name, .dwCurrentState = SCARD_STATE_UNAWARE};
    for (int waited = 0; timeout_ms < 0 || waited <= timeout_ms; waited += POLL_MS) {
        LONG rv = SCardGetStatusChange(p->context, POLL_MS, &state, 1);
        if (rv != SCARD_S_SUCCESS && rv != SCARD_E_TIMEOUT)
            return OK; /* the reader itself has gone, and the card with it */
        if ((state.dwEventState & SCARD_STATE_PRESENT) == 0)
            return OK;
        state.dwCurrentState = state.dwEventState;
    }
    return ERR_TIMEOUT;
}

static void close_card(void *ctx)
{
    struct pcsc *p = ctx;
    SCardDisconnect(p->card, SCARD_RESET_CARD);
    SCardReleaseContext(p->context);
    explicit_bzero(p->answer, sizeof(p->answer));
    free(p);
}

static const struct reader_ops ops = {transmit, touch, wait_gone, close_card};

static enum err connect_card(struct pcsc *p, struct card_reader *out, struct reader_problem *why)
{
    DWORD protocol = 0;
    LONG rv = SCardConnect(p->context, p->name, SCARD_SHARE_EXCLUSIVE, SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1,
                           &p->card, &protocol);
    if (rv == SCARD_E_SHARING_VIOLATION) {
        snprintf(why->text, sizeof(why->text), "another program uses the card in '%.100s': end it first",
                 p->name);
        return ERR_NO_CARD;
    }
    if (rv != SCARD_S_SUCCESS) {
        snprintf(why->text, sizeof(why->text),
                 "the card in '%.80s' does not answer (%.40s): put it in the other way round?", p->name,
                 pcsc_stringify_error(rv));
        return ERR_NO_CARD;
    }
    DWORD len = sizeof(out->atr);
    rv = SCardStatus(p->card, NULL, NULL, NULL, NULL, out->atr, &len);
    if (rv != SCARD_S_SUCCESS) {
        SCardDisconnect(p->card, SCARD_LEAVE_CARD);
        snprintf(why->text, sizeof(why->text), "the card in '%.100s' has gone", p->name);
        return ERR_NO_CARD;
    }
    p->protocol = protocol == SCARD_PROTOCOL_T0 ? SCARD_PCI_T0 : SCARD_PCI_T1;
    out->atr_len = len;
    out->t0 = protocol == SCARD_PROTOCOL_T0;
    return OK;
}

enum err reader_open_pcsc(struct card_reader *out, const char *name, int wait_ms, struct reader_problem *why)
{
    struct card_reader r = {.ops = &ops};
    struct choice c;
    struct pcsc *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return ERR_MEMORY;
    enum err e = establish(&p->context, why);
    if (e != OK) {
        free(p);
        return e;
    }
    e = choose(p->context, name, &c, why);
    for (int waited = 0; (e == ERR_NO_CARD || e == ERR_NO_READER) && (wait_ms < 0 || waited < wait_ms);
         waited += POLL_MS) {
        wait_change(p->context, POLL_MS);
        e = choose(p->context, name, &c, why);
    }
    if (e == OK) {
        snprintf(p->name, sizeof(p->name), "%s", c.name);
        snprintf(r.name, sizeof(r.name), "%s", c.name);
        e = connect_card(p, &r, why);
    }
    if (e != OK) {
        SCardReleaseContext(p->context);
        free(p);
        return e;
    }
    r.ctx = p;
    *out = r;
    return OK;
}
