/* SPDX-License-Identifier: Apache-2.0
 *
 * The rows of words.h, looked up. */
#include "words.h"

#include <session/outcome.h>

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define WORD_ROW(id, en, de) [id] = {(en), (de)},
static const char *const texts[WORD_COUNT][2] = {WORD_LIST(WORD_ROW)};
#undef WORD_ROW

enum language language_of(const char *locale)
{
    return locale != NULL && strncmp(locale, "de", 2) == 0 && strchr("_.@", locale[2]) != NULL ? GERMAN
                                                                                               : ENGLISH;
}

enum language language_here(void)
{
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && *value != '\0')
            return language_of(value);
    }
    return ENGLISH;
}

const char *word_text(enum word w, enum language l)
{
    return (size_t)w < WORD_COUNT ? texts[w][l == GERMAN ? 1 : 0] : "";
}

/* What an exit code means to a card holder, and what to do. In English the detail and the advice of the end
 * itself are better. */
static const struct {
    int code;
    const char *de;
} ends[] = {
    {EXIT_OTHER, "Es ist ein Fehler aufgetreten. Sagen Sie dem Herausgeber der Karte Bescheid."},
    {EXIT_USAGE,
     "Das Programm ist auf diesem Computer nicht richtig eingerichtet. Fragen Sie, wer ihn betreut."},
    {EXIT_FAILED, "Die Karte oder der Server hat abgelehnt. Sagen Sie dem Herausgeber der Karte Bescheid."},
    {EXIT_UNKNOWN, "Ob alles ankam, ist nicht bekannt. Starten Sie noch einmal: Der Server sieht sich die "
                   "Karte zuerst an."},
    {EXIT_NO_CARD, "Es war kein Leser oder keine Karte da. Schließen Sie den Leser an, stecken Sie die Karte "
                   "ein und starten Sie noch einmal."},
    {EXIT_WRONG_KEY, "Die Karte hat einen anderen Schlüssel, als der Server kennt. Versuchen Sie es nicht "
                     "noch einmal, und sagen Sie dem Herausgeber Bescheid."},
    {EXIT_UNKNOWN_CARD,
     "Für diese Karte ist der Auftrag nicht bestimmt. Prüfen Sie, ob die richtige Karte im Leser steckt."},
    {EXIT_WRONG_TICKET, "Der Server kennt diese Einladung nicht, oder sie sagt etwas anderes als er. Nehmen "
                        "Sie den ganzen Link, oder bitten Sie um einen neuen."},
    {EXIT_OLD_TICKET, "Diese Einladung gilt nicht mehr. Bitten Sie um eine neue."},
    {EXIT_CARD_PULLED, "Die Karte wurde entfernt, oder ihr Kontakt ging verloren. Stecken Sie sie wieder ein "
                       "und starten Sie noch einmal."},
    {EXIT_SERVER_GONE, "Der Server ist nicht zu erreichen. Versuchen Sie es später noch einmal."},
    {EXIT_DISK_FULL, "Der Server hat keinen Platz mehr. An der Karte wurde nichts geändert; versuchen Sie es "
                     "später noch einmal."},
    {EXIT_BAD_CAP, "Die Anwendung kann so nicht auf eine Karte. Sagen Sie dem Herausgeber Bescheid."},
    {EXIT_MISSING_DEPENDENCY,
     "Der Karte fehlt etwas, das die Anwendung braucht. Sagen Sie dem Herausgeber Bescheid."},
    {EXIT_CARD_MEMORY, "Auf der Karte ist nicht mehr genug Platz. Lassen Sie eine Anwendung entfernen, die "
                       "nicht mehr gebraucht wird."},
    {EXIT_CARD_BLOCKED, "Die Karte ist zu ihrem Schutz gesperrt. Versuchen Sie es nicht noch einmal; der "
                        "Herausgeber kann sie freigeben."},
    {EXIT_NOT_ALLOWED, "Das ist hier nicht erlaubt. Fragen Sie den Herausgeber der Karte."},
};

const char *word_of_end(int exit_code, enum language l)
{
    for (size_t i = 0; l == GERMAN && i < sizeof(ends) / sizeof(ends[0]); i++)
        if (ends[i].code == exit_code)
            return ends[i].de;
    return "";
}
