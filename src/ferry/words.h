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

/* What an exit code means to a card holder and what to do, in German; in English the detail and the advice of
 * the end itself are better. */
#define END_LIST(X)                                                                                           \
    X(EXIT_OTHER, "Es ist ein Fehler aufgetreten. Sagen Sie dem Herausgeber der Karte Bescheid.")             \
    X(EXIT_USAGE, "Das Programm ist auf diesem Computer nicht richtig eingerichtet. Fragen Sie, wer ihn "     \
                  "betreut.")                                                                                 \
    X(EXIT_REPORTED, "Die Karte hat geantwortet, aber der Server kann es nicht beweisen.")                    \
    X(EXIT_FAILED, "Die Karte oder der Server hat abgelehnt. Sagen Sie dem Herausgeber der Karte Bescheid.")  \
    X(EXIT_UNKNOWN, "Ob alles ankam, ist nicht bekannt. Starten Sie noch einmal: Der Server sieht sich die "  \
                    "Karte zuerst an.")                                                                       \
    X(EXIT_NO_CARD, "Es war kein Leser oder keine Karte da. Schließen Sie den Leser an, stecken Sie die "    \
                    "Karte ein und starten Sie noch einmal.")                                                 \
    X(EXIT_WRONG_KEY, "Die Karte hat einen anderen Schlüssel, als der Server kennt. Versuchen Sie es nicht " \
                      "noch einmal, und sagen Sie dem Herausgeber Bescheid.")                                 \
    X(EXIT_UNKNOWN_CARD, "Für diese Karte ist der Auftrag nicht bestimmt. Prüfen Sie, ob die richtige "     \
                         "Karte im Leser steckt.")                                                            \
    X(EXIT_WRONG_TICKET, "Der Server kennt diese Einladung nicht. Nehmen Sie den ganzen Link, oder bitten "   \
                         "Sie um einen neuen.")                                                               \
    X(EXIT_OLD_TICKET, "Diese Einladung gilt nicht mehr. Bitten Sie um eine neue.")                           \
    X(EXIT_CARD_PULLED, "Die Karte wurde entfernt, oder ihr Kontakt ging verloren. Stecken Sie sie wieder "   \
                        "ein und starten Sie noch einmal.")                                                   \
    X(EXIT_SERVER_GONE, "Der Server ist nicht zu erreichen. Versuchen Sie es später noch einmal.")            \
    X(EXIT_DISK_FULL, "Der Server hat keinen Platz mehr. An der Karte wurde nichts geändert; versuchen "     \
                      "Sie es später noch einmal.")                                                           \
    X(EXIT_BAD_CAP, "Die Anwendung kann so nicht auf eine Karte. Sagen Sie dem Herausgeber Bescheid.")        \
    X(EXIT_MISSING_DEPENDENCY, "Der Karte fehlt etwas, das die Anwendung braucht. Sagen Sie dem "             \
                               "Herausgeber Bescheid.")                                                       \
    X(EXIT_CARD_MEMORY, "Auf der Karte ist nicht mehr genug Platz. Lassen Sie eine Anwendung entfernen, "     \
                        "die nicht mehr gebraucht wird.")                                                     \
    X(EXIT_CARD_BLOCKED, "Die Karte ist zu ihrem Schutz gesperrt. Versuchen Sie es nicht noch einmal; der "   \
                         "Herausgeber kann sie freigeben.")                                                   \
    X(EXIT_NOT_ALLOWED, "Das ist hier nicht erlaubt. Fragen Sie den Herausgeber der Karte.")

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
/* Static text for an exit code of <session/outcome.h>; "" where the language has none. */
const char *word_of_end(int exit_code, enum language l);

#endif
