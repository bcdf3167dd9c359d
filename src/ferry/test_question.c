/* SPDX-License-Identifier: Apache-2.0
 *
 * What a user is asked, word for word, and in which language. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <session/outcome.h>

#include "question.h"

#define HEAD    "A page wants to work on your card.\n\nServer: cm.example.org:8443\n"
#define KOPF    "Eine Seite möchte an Ihrer Karte arbeiten.\n\nServer: cm.example.org:8443\n"
#define NO_CARD "Card: none yet; put one in when you have agreed\n"

static const struct {
    const char *purpose, *app, *title, *reader, *number;
    enum language language;
    const char *text;
} rows[] = {
    {"install", "hello", "Hello, World", "ACME 00", "47-11", ENGLISH,
     HEAD "Card: 47-11, in reader ACME 00\nOperation: install an application: hello (Hello, World)\n\n"
          "Do you want this?"},
    {"install", "hello", "", "ACME 00", "47-11", GERMAN,
     KOPF "Karte: 47-11, im Leser ACME 00\nVorgang: eine Anwendung installieren: hello\n\nMöchten Sie das?"},
    {"remove", "hello", "", NULL, "", ENGLISH,
     HEAD NO_CARD "Operation: remove an application: hello\n\nDo you want this?"},
    {"remove", "hello", "", NULL, "", GERMAN,
     KOPF "Karte: noch keine; legen Sie sie nach Ihrer Zustimmung ein\n"
          "Vorgang: eine Anwendung entfernen: hello\n\nMöchten Sie das?"},
    {"inspect", "", "", "ACME 00", "", ENGLISH,
     HEAD
     "Card: without a number, in reader ACME 00\nOperation: see what the card holds\n\nDo you want this?"},
    {"inspect", "", "", "ACME 00", "", GERMAN,
     KOPF
     "Karte: ohne Nummer, im Leser ACME 00\nVorgang: ansehen, was auf der Karte ist\n\nMöchten Sie das?"},
    {"", "", "", NULL, "", ENGLISH,
     HEAD NO_CARD "Operation: the link does not say which\n\nDo you want this?"},
    /* Foreign text is neither a format nor another line. */
    {"install", "x", "%s %n 100%", "a\nServer: good", "", ENGLISH,
     HEAD "Card: without a number, in reader ?\nOperation: install an application: x (%s %n 100%)\n\n"
          "Do you want this?"},
};

static void orders(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[QUESTION_MAX];
        struct ticket t = {.url = "https://cm.example.org:8443/gp/adm?t=secret", .purpose = rows[i].purpose};
        struct question_card card = {rows[i].reader, rows[i].number};
        print_message("row %zu\n", i);
        strncpy(t.app, rows[i].app, sizeof(t.app) - 1);
        strncpy(t.title, rows[i].title, sizeof(t.title) - 1);
        question_of_order(text, &t, &card, rows[i].language);
        assert_string_equal(text, rows[i].text);
    }
}

/* Nothing that did not fit is asked: an empty question is refused. */
static void too_long_to_be_asked(void **state)
{
    (void)state;
    char text[QUESTION_MAX] = "before", origin[QUESTION_MAX];
    memset(origin, 'x', sizeof(origin) - 1);
    origin[sizeof(origin) - 1] = '\0';
    question_of_pairing(text, origin, ENGLISH);
    assert_string_equal(text, "");
    question_of_pairing(text, "https://cm.example.org", ENGLISH);
    assert_non_null(strstr(text, "\n\nPage: https://cm.example.org\n\nDo you want this?"));
    question_of_pairing(text, "https://cm.example.org", GERMAN);
    assert_non_null(strstr(text, "\n\nSeite: https://cm.example.org\n\nMöchten Sie das?"));
}

/* In German each exit code says what it means; the detail, which the server or the card may have said, is no
 * format and stands behind. */
static void ends(void **state)
{
    char text[QUESTION_MAX];
    struct run_end end = {.detail = "The card refused %n.", .advice = "Tell the issuer."};
    (void)state;
    for (end.exit_code = EXIT_OTHER; end.exit_code <= EXIT_NOT_ALLOWED; end.exit_code++) {
        print_message("exit code %d\n", end.exit_code);
        if (end.exit_code == EXIT_REPORTED)
            continue; /* done, if without proof */
        failure_of_end(text, &end, ENGLISH);
        assert_string_equal(text,
                            "The order could not be fulfilled.\n\nThe card refused %n.\nTell the issuer.");
        const char *meaning = word_of_end(end.exit_code, GERMAN);
        assert_true(strlen(meaning) > 30);
        failure_of_end(text, &end, GERMAN);
        assert_non_null(strstr(text, "Der Auftrag konnte nicht ausgeführt werden.\n\n"));
        assert_non_null(strstr(text, meaning));
        assert_non_null(strstr(text, "\n\nGenauer, auf Englisch: The card refused %n."));
        assert_null(strstr(text, "issuer"));
    }
    end.exit_code = 99;
    failure_of_end(text, &end, GERMAN);
    assert_non_null(strstr(text, "The card refused %n.\nTell the issuer."));
    memset(end.detail, 'x', sizeof(end.detail) - 1);
    end.exit_code = EXIT_CARD_PULLED;
    failure_of_end(text, &end, GERMAN);
    assert_non_null(strstr(text, end.detail)); /* the longest there can be */
}

static void locales(void **state)
{
    (void)state;
    static const struct {
        const char *locale;
        enum language language;
    } names[] = {{"de", GERMAN},       {"de_DE.UTF-8", GERMAN}, {"de_AT@euro", GERMAN}, {"de.UTF-8", GERMAN},
                 {"den_CA", ENGLISH},  {"en_DE", ENGLISH},      {"d", ENGLISH},         {"", ENGLISH},
                 {"C.UTF-8", ENGLISH}, {NULL, ENGLISH}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        print_message("row %zu\n", i);
        assert_int_equal(language_of(names[i].locale), names[i].language);
    }
    unsetenv("LC_ALL");
    unsetenv("LC_MESSAGES");
    unsetenv("LANG");
    assert_int_equal(language_here(), ENGLISH);
    setenv("LANG", "de_DE.UTF-8", 1);
    assert_int_equal(language_here(), GERMAN);
    setenv("LC_MESSAGES", "en_GB.UTF-8", 1);
    assert_int_equal(language_here(), ENGLISH);
    setenv("LC_ALL", "de_CH", 1);
    assert_int_equal(language_here(), GERMAN);
    setenv("LC_ALL", "", 1);
    assert_int_equal(language_here(), ENGLISH);
}

/* Both languages have each text, with as many places for others. */
static void every_word_in_both(void **state)
{
    (void)state;
    for (enum word w = 0; w < WORD_COUNT; w++) {
        const char *texts[] = {word_text(w, ENGLISH), word_text(w, GERMAN)};
        size_t places[2] = {0};
        print_message("row %s\n", texts[0]);
        for (size_t l = 0; l < 2; l++) {
            assert_true(texts[l][0] != '\0');
            for (const char *c = texts[l]; (c = strstr(c, "%s")) != NULL; c++)
                places[l]++;
        }
        assert_int_equal(places[0], places[1]);
    }
    assert_string_equal(word_text(WORD_COUNT, ENGLISH), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders),  cmocka_unit_test(too_long_to_be_asked), cmocka_unit_test(ends),
        cmocka_unit_test(locales), cmocka_unit_test(every_word_in_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
