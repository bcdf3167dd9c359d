/* SPDX-License-Identifier: Apache-2.0
 *
 * What the client asks a card holder, in the language of their desktop. What is for the terminal and for
 * programs stays English. */
#ifndef FERRY_WORDS_H
#define FERRY_WORDS_H

/* id, English, German. The places of %s are the same in both. */
#define WORD_LIST(X)                                                                                         \
    X(WORD_TITLE, "Cardferry", "Cardferry")                                                                  \
    X(WORD_ASK_OPEN, "A page wants to work on your card.", "Eine Seite möchte an Ihrer Karte arbeiten.")     \
    X(WORD_ASK_PAIR,                                                                                         \
      "A page wants to work on your cards whenever you press Start on it, without asking "                   \
      "each time.",                                                                                          \
      "Eine Seite möchte an Ihren Karten arbeiten, sobald Sie dort auf Start drücken, ohne jedes Mal zu "  \
      "fragen.")                                                                                             \
    X(WORD_SERVER, "Server: %s", "Server: %s")                                                               \
    X(WORD_PAGE, "Page: %s", "Seite: %s")                                                                    \
    X(WORD_CARD, "Card: %s, in reader %s", "Karte: %s, im Leser %s")                                         \
    X(WORD_CARD_UNNUMBERED, "Card: without a number, in reader %s", "Karte: ohne Nummer, im Leser %s")       \
    X(WORD_NO_CARD, "Card: none yet; put one in when you have agreed",                                       \
      "Karte: noch keine; legen Sie sie nach Ihrer Zustimmung ein")                                          \
    X(WORD_INSTALL, "Operation: install an application: %s", "Vorgang: eine Anwendung installieren: %s")     \
    X(WORD_REMOVE, "Operation: remove an application: %s", "Vorgang: eine Anwendung entfernen: %s")          \
    X(WORD_INSPECT, "Operation: see what the card holds", "Vorgang: ansehen, was auf der Karte ist")         \
    X(WORD_NOT_SAID, "Operation: the link does not say which", "Vorgang: der Link nennt keinen")             \
    X(WORD_GO_ON, "Do you want this?", "Möchten Sie das?")                                                   \
    X(WORD_YES, "Yes, go on", "Ja, weiter")                                                                  \
    X(WORD_NO, "No", "Nein")                                                                                 \
    X(WORD_FAILED, "The order could not be fulfilled.", "Der Auftrag konnte nicht ausgeführt werden.")       \
    X(WORD_EXACTLY, "Exactly:", "Genauer, auf Englisch:")

#define WORD_ENUM(id, en, de) id,
enum word { WORD_LIST(WORD_ENUM) WORD_COUNT };
#undef WORD_ENUM

enum language { ENGLISH, GERMAN };

/* Of a locale's name, such as "de_AT.UTF-8"; NULL or anything else: English. */
enum language language_of(const char *locale);
/* As LC_ALL, LC_MESSAGES or LANG say, in this order. */
enum language language_here(void);
/* Static text, never NULL. A format where the list shows %s: all of them take strings. */
const char *word_text(enum word w, enum language l);
/* What an exit code of <session/outcome.h> means; "" where the language has no words of its own for it, or
 * where nothing failed. */
const char *word_of_end(int exit_code, enum language l);

#endif
