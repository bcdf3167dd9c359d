/* SPDX-License-Identifier: Apache-2.0
 *
 * The card's contacts: vpcd (a TCP client of the virtual reader's port) or a local socket on which the client
 * plays the reader. Both speak vpcd's frames: a length of 2 bytes and a message; a message of one byte is a
 * control (0 power off, 1 power on, 2 reset, 4 asks for the ATR), everything else a command. Only the ATR and
 * responses go back. */
#ifndef FERRY_CARD_TRANSPORT_H
#define FERRY_CARD_TRANSPORT_H

#include "card.h"

/* What a hostile card answers instead of the truth, with every command. */
enum card_lie {
    LIE_NONE,
    LIE_MORE,  /* 61FF for ever: there is more to fetch */
    LIE_AGAIN, /* 6CFF for ever: the command shall be sent again */
    LIE_HUGE,  /* 65,533 bytes and 9000 */
    LIE_SHORT, /* one byte, which is no status word */
    LIE_EMPTY, /* a frame of no bytes */
    LIE_NOISE, /* the true length, other bytes */
    LIE_COUNT
};
/* "more", "again", ...; LIE_NONE when it is none of them. */
enum card_lie card_lie_by_name(const char *name);

/* What goes wrong on purpose. */
struct card_fault {
    enum card_lie lie;
    uint32_t lie_after;  /* so many commands are answered truly first */
    bool mute;           /* takes commands, never answers */
    uint32_t slow_ms;    /* before each answer */
    uint32_t tear_after; /* the power fails with this command (1: the first); 0: never */
    bool tear_before;    /* before what the command writes, instead of after it and before its answer */
    bool power_lost;     /* set by the transport: the store must not write */
};

struct transport {
    const char *host, *port; /* vpcd; NULL: socket */
    const char *socket;      /* path */
    struct card_fault *fault;
    /* Called between commands: a place for housekeeping of the store. May be NULL. */
    enum err (*idle)(void *ctx);
    void *idle_ctx;
};

/* Serves until SIGTERM or SIGINT (OK), or until the card is dead or the socket can't be had. Connects to vpcd
 * again and again while it is away. */
enum err transport_run(const struct transport *t, struct card *card) MUST_USE;

#endif
