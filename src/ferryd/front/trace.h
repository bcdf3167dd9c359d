/* SPDX-License-Identifier: Apache-2.0
 *
 * What was said in a session, kept with it for people who look into it later: of every command its header,
 * how many bytes of data it had, and the status word that came back. No data: an AID is all that is kept of
 * it, where the command is about an application. Reading and writing are here together.
 *
 *   turn     01  time (8, ms)  step (1)  number of commands (2)
 *            of each: CLA INS P1 P2  bytes of data (2)  length of AID (1)  AID
 *   answers  02  number (2)  status words (2 each): of the turn before, from its first command on
 *   cut      03  here a turn was left out, for want of room; so are its answers, which may follow */
#ifndef FRONT_TRACE_H
#define FRONT_TRACE_H

#include <cap/cap.h>
#include <session/session.h>

/* A large delivery has some hundred commands of 10 bytes; it is written with every POST. */
enum { TRACE_MAX = 32 * 1024 };

/* The commands of a script that is sent in this state of rest; first: what the packet has in front of them
 * (EXTERNAL AUTHENTICATE), or empty. Where there is no room a mark is put.
 * ERR_FORMAT when it is no script of commands, ERR_STATE when sessions do not rest in this state. */
enum err trace_put_turn(struct writer *w, uint64_t time_ms, enum session_state state, struct view first,
                        struct view script) MUST_USE;
/* What a response script brought. ERR_FORMAT, ERR_LIMIT when it is none. */
enum err trace_put_answers(struct writer *w, struct view responses) MUST_USE;
/* The same, of a packet whose answers the vault has taken apart. */
void trace_put_settled(struct writer *w, const struct vault_settlement *s);

struct trace_command {
    uint8_t cla, ins, p1, p2;
    uint16_t bytes;
    struct view aid; /* SELECT: what; INSTALL: package, or instance; DELETE: what; LOAD: the package; else
                        empty */
    bool answered;
    uint16_t sw;
};
struct trace_turn {
    uint64_t time_ms;
    const char *step; /* session_state_word */
    struct trace_command commands[SCRIPT_COMMANDS_MAX + 1];
    size_t count;
};
struct trace_reader {
    struct reader in;
    struct view package; /* of the INSTALL [for load] that was last */
};
void trace_open(struct trace_reader *r, struct view trace);
/* ERR_NOT_FOUND at the end, ERR_FORMAT. *cut becomes true where turns were left out. Views borrow from the
 * trace. */
enum err trace_next(struct trace_reader *r, struct trace_turn *out, bool *cut) MUST_USE;

#endif
