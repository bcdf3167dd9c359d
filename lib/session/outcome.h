/* SPDX-License-Identifier: Apache-2.0
 *
 * How a session ends, in one table: the words on the wire and in the store, the sentence for the card holder
 * that says what to do, and the exit code of the client. Server and client read the same rows. */
#ifndef SESSION_OUTCOME_H
#define SESSION_OUTCOME_H

#include <base/err.h>

/* What is known about the card at the end (docs/protocol.md). */
#define OUTCOME_LIST(X)                                                                                      \
    X(OUTCOME_CONFIRMED, "confirmed") /* shown by response MACs of the card */                               \
    X(OUTCOME_REPORTED, "reported")   /* the client says so, nothing shows it */                             \
    X(OUTCOME_FAILED, "failed")       /* the card or the server refused */                                   \
    X(OUTCOME_UNKNOWN, "unknown")     /* the card may or may not have done it */

#define OUTCOME_ENUM(id, word) id,
enum outcome { OUTCOME_LIST(OUTCOME_ENUM) OUTCOME_COUNT };
#undef OUTCOME_ENUM

/* Exit codes of the client: part of its interface (man/ferry.1). */
enum {
    EXIT_CONFIRMED = 0,
    EXIT_OTHER = 1,
    EXIT_USAGE = 2,
    EXIT_REPORTED = 3,
    EXIT_FAILED = 4,
    EXIT_UNKNOWN = 5,
    EXIT_NO_CARD = 6,
    EXIT_WRONG_KEY = 7,
    EXIT_UNKNOWN_CARD = 8,
    EXIT_WRONG_TICKET = 9,
    EXIT_OLD_TICKET = 10,
    EXIT_CARD_PULLED = 11,
    EXIT_SERVER_GONE = 12,
    EXIT_DISK_FULL = 13,
    EXIT_BAD_CAP = 14,
    EXIT_MISSING_DEPENDENCY = 15,
    EXIT_CARD_MEMORY = 16,
    EXIT_CARD_BLOCKED = 17,
    EXIT_NOT_ALLOWED = 18
};

/* id, word, HTTP status when it ends a request before any script was sent, exit code, what happened, what to
 * do. EXIT_OTHER at "none" means: the outcome's own code. */
#define REASON_LIST(X)                                                                                       \
    X(REASON_NONE, "none", 204, EXIT_OTHER, "Done.", "Nothing needs to be done.")                            \
    X(REASON_ALREADY_THERE, "already-there", 204, EXIT_OTHER, "The card is as it was ordered already.",      \
      "Nothing needs to be done.")                                                                           \
    X(REASON_WRONG_KEY, "wrong-key", 204, EXIT_WRONG_KEY,                                                    \
      "The card has another key than the server knows. Nothing was changed and the card was set aside, to "  \
      "protect it.",                                                                                         \
      "Do not try again. Tell the issuer, who can correct the key and release the card.")                    \
    X(REASON_NO_KEY, "no-key", 204, EXIT_WRONG_KEY, "The server has no key for this card.",                  \
      "Tell the issuer; trying again does not help until the key is there.")                                 \
    X(REASON_UNKNOWN_CARD, "unknown-card", 204, EXIT_UNKNOWN_CARD,                                           \
      "The server does not know this kind of "                                                               \
      "card.",                                                                                               \
      "Check that the right card is in the reader, or tell the issuer which card it is.")                    \
    X(REASON_WRONG_CARD, "wrong-card", 204, EXIT_UNKNOWN_CARD,                                               \
      "This is not the card that the order is for.", "Put the right card into the reader and start again.")  \
    X(REASON_DOWNGRADE, "downgrade", 204, EXIT_FAILED,                                                       \
      "The card answered with a weaker or another "                                                          \
      "protection than is known of it.",                                                                     \
      "Try with another computer or reader; if it happens again tell the issuer.")                           \
    X(REASON_POLICY, "policy", 204, EXIT_NOT_ALLOWED,                                                        \
      "The card needs something weak that the server's policy does not allow.",                              \
      "Tell the issuer; the card may be too old for this server.")                                           \
    X(REASON_NOT_APPROVED, "not-approved", 403, EXIT_NOT_ALLOWED,                                            \
      "Nobody has approved the application as it is now.",                                                   \
      "Tell the issuer; trying again does not help until it is approved.")                                   \
    X(REASON_WRONG_TICKET, "wrong-ticket", 403, EXIT_WRONG_TICKET, "The server does not know this ticket.",  \
      "Copy the whole link again, or ask for a new one.")                                                    \
    X(REASON_EXPIRED_TICKET, "expired-ticket", 410, EXIT_OLD_TICKET, "The ticket has expired.",              \
      "Ask for a new one.")                                                                                  \
    X(REASON_TICKET_USED, "ticket-used", 410, EXIT_OLD_TICKET, "The ticket was used up.",                    \
      "If the card is not yet as it should be, ask for a new ticket.")                                       \
    X(REASON_CANCELLED, "cancelled", 410, EXIT_OLD_TICKET, "The order was cancelled.",                       \
      "Ask the issuer if you did not expect this.")                                                          \
    X(REASON_SESSION_OVER, "session-over", 410, EXIT_OLD_TICKET, "The session is over.",                     \
      "Start again with the ticket.")                                                                        \
    X(REASON_CARD_BLOCKED, "card-blocked", 423, EXIT_CARD_BLOCKED, "The card is set aside, to protect it.",  \
      "Do not try again. The issuer can look into it and release the card.")                                 \
    X(REASON_CARD_PULLED, "card-pulled", 204, EXIT_CARD_PULLED,                                              \
      "The card was removed, or its contact was "                                                            \
      "lost.",                                                                                               \
      "Put the card back and start again; leave it in until the end.")                                       \
    X(REASON_MISSING_DEPENDENCY, "missing-dependency", 204, EXIT_MISSING_DEPENDENCY,                         \
      "The card lacks a package that the application needs.",                                                \
      "Tell the issuer; the package has to be loaded first.")                                                \
    X(REASON_NOT_ENOUGH_MEMORY, "not-enough-memory", 204, EXIT_CARD_MEMORY,                                  \
      "The card has not enough memory left.", "Remove an application that is no longer needed.")             \
    X(REASON_BAD_CAP, "bad-cap", 204, EXIT_BAD_CAP, "The application can't be sent to a card as it is.",     \
      "Tell the issuer; the application has to be corrected.")                                               \
    X(REASON_REFUSED, "refused", 204, EXIT_FAILED, "The card refused a command.",                            \
      "Tell the issuer what is said here.")                                                                  \
    X(REASON_FORGED_ANSWER, "forged-answer", 204, EXIT_UNKNOWN,                                              \
      "An answer does not come from the card as "                                                            \
      "it stands: it was changed on its way.",                                                               \
      "Try with another computer or reader; the server will look at the card again.")                        \
    X(REASON_NO_ANSWER, "no-answer", 204, EXIT_UNKNOWN, "No answer of the card came back.",                  \
      "Start again: the server looks at the card first.")                                                    \
    X(REASON_BAD_ANSWER, "bad-answer", 400, EXIT_OTHER, "What the client sent is malformed.",                \
      "Use a current client.")                                                                               \
    X(REASON_SERVER_FULL, "server-full", 507, EXIT_DISK_FULL, "The server has no space left on its disk.",   \
      "Nothing was sent to the card. Try again later, or tell whoever runs the server.")                     \
    X(REASON_SERVER_BUSY, "server-busy", 503, EXIT_SERVER_GONE, "The server can't go on at the moment.",     \
      "Try again in a minute.")                                                                              \
    X(REASON_SERVER_FAULT, "server-fault", 500, EXIT_OTHER, "The server made a mistake.",                    \
      "Tell whoever runs the server; its log says more.")                                                    \
    X(REASON_NOT_ALLOWED, "not-allowed", 401, EXIT_NOT_ALLOWED,                                              \
      "This is not allowed without a valid token.", "Check the token.")

#define REASON_ENUM(id, word, status, code, text, advice) id,
enum reason { REASON_LIST(REASON_ENUM) REASON_COUNT };
#undef REASON_ENUM

/* Static text, never NULL, also for values outside the lists. */
const char *outcome_word(enum outcome o);
const char *reason_word(enum reason r);
const char *reason_text(enum reason r);
const char *reason_advice(enum reason r);
int reason_http_status(enum reason r);
/* ERR_NOT_FOUND when there is no such word. */
enum err outcome_by_word(const char *word, enum outcome *out) MUST_USE;
enum err reason_by_word(const char *word, enum reason *out) MUST_USE;
/* The client's exit code for an ended session: confirmed is 0 whatever the reason; a reason with a code of
 * its own gives that; otherwise the outcome's code. */
int outcome_exit_code(enum outcome o, enum reason r);

#endif
