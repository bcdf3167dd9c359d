/* SPDX-License-Identifier: Apache-2.0
 *
 * The one closed list of outcomes. Enum, name and sentence come from the same rows, so they cannot
 * drift. A card's status word is never an enum err: it is data, until code that knows the command
 * turns it into an outcome. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#define ERR_LIST(X)                                                                                          \
    X(OK, "done")                                                                                            \
    X(ERR_MEMORY, "out of memory")                                                                           \
    X(ERR_FORMAT, "the bytes do not have the expected form")                                                 \
    X(ERR_LIMIT, "a limit is exceeded")                                                                      \
    X(ERR_ARGUMENT, "an argument is not acceptable")                                                         \
    X(ERR_UNSUPPORTED, "not supported")                                                                      \
    X(ERR_NOT_FOUND, "not found")                                                                            \
    X(ERR_EXISTS, "exists already")                                                                          \
    X(ERR_CONFLICT, "it was changed by somebody else meanwhile")                                             \
    X(ERR_AUTH, "the authentication value does not match")                                                   \
    X(ERR_POLICY, "the policy does not allow it")                                                            \
    X(ERR_STATE, "not possible in this state")                                                               \
    X(ERR_EXPIRED, "it has expired")                                                                         \
    X(ERR_BLOCKED, "the card is blocked or in quarantine")                                                   \
    X(ERR_CRYPTO, "the cryptographic library failed")                                                        \
    X(ERR_IO, "reading or writing failed")                                                                   \
    X(ERR_DISK_FULL, "no space is left on the disk")                                                         \
    X(ERR_TIMEOUT, "no answer in time")                                                                      \
    X(ERR_CLOSED, "the other side has closed the connection")                                                \
    X(ERR_NO_READER, "no such reader")                                                                       \
    X(ERR_NO_CARD, "no card in the reader")                                                                  \
    X(ERR_CARD_GONE, "the card was removed or reset")                                                        \
    X(ERR_INTERNAL, "an internal rule was broken")

#define ERR_ENUM(name, text) name,
enum err { ERR_LIST(ERR_ENUM) ERR_COUNT };
#undef ERR_ENUM

/* Marks functions whose result must be looked at. */
#define MUST_USE __attribute__((warn_unused_result))

/* The name ("ERR_FORMAT") and the sentence of an outcome. Static text, never NULL, also for
 * values outside the list. */
const char *err_name(enum err e);
const char *err_text(enum err e);

#endif
