/* SPDX-License-Identifier: Apache-2.0
 *
 * The arguments that dialogs get: foreign text is text there, and the same number of arguments, whatever it
 * says. That real ones show it so, and that their buttons are the answer, is in tests/e2e/test_desktop.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "consent.h"

static const char *const zenity[] = {
    "--question",        "--no-markup", "--default-cancel",      "--width=480",
    "--title=Cardferry", NULL,          "--ok-label=Yes, go on", "--cancel-label=No"};
static const char *const zenity_failure[] = {"--error", "--no-markup", "--width=480", "--title=Cardferry",
                                             NULL};
static const char *const kdialog[] = {"--title",    "Cardferry", "--yes-label", "Ja, weiter",
                                      "--no-label", "Nein",      "--yesno",     NULL};
static const char *const kdialog_failure[] = {"--title", "Cardferry", "--error", NULL};

static const struct {
    const char *program;
    enum consent_kind kind;
    enum language language;
    const char *const *arguments; /* NULL: the text */
    size_t count;
    const char *text, *as;
} rows[] = {
    {"zenity", CONSENT_QUESTION, ENGLISH, zenity, 8, "a <b> & c\nd", "--text=a <b> & c\nd"},
    {"zenity", CONSENT_QUESTION, ENGLISH, zenity, 8, "a\\nServer: b", "--text=a\\\\nServer: b"},
    {"zenity", CONSENT_QUESTION, ENGLISH, zenity, 8, "--text-info", "--text=--text-info"},
    {"zenity", CONSENT_FAILURE, ENGLISH, zenity_failure, 5, "--help", "--text=--help"},
    {"kdialog", CONSENT_QUESTION, GERMAN, kdialog, 8, "a <b>&\"c\"\n\\nd",
     "<qt>a &lt;b&gt;&amp;&quot;c&quot;<br/>&#92;nd</qt>"},
    {"kdialog", CONSENT_QUESTION, GERMAN, kdialog, 8, "--help", "<qt>--help</qt>"},
    {"kdialog", CONSENT_FAILURE, GERMAN, kdialog_failure, 4, "--help", "<qt>--help</qt>"},
};

static void arguments(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct consent_arguments a;
        print_message("row %s %s\n", rows[i].program, rows[i].text);
        assert_int_equal(consent_arguments(&a, rows[i].program, rows[i].kind, rows[i].text, rows[i].language),
                         OK);
        assert_int_equal(a.count, rows[i].count);
        assert_true(a.count <= CONSENT_ARGUMENTS_MAX);
        const char *at = (const char *)a.memory.data;
        for (size_t n = 0; n < a.count; n++, at += strlen(at) + 1)
            assert_string_equal(at, rows[i].arguments[n] != NULL ? rows[i].arguments[n] : rows[i].as);
        assert_int_equal(at - (const char *)a.memory.data, a.memory.len);
        wr_free(&a.memory);
    }
}

static void no_such_program(void **state)
{
    (void)state;
    struct consent_arguments a;
    assert_int_equal(consent_arguments(&a, "xmessage", CONSENT_QUESTION, "x", ENGLISH), ERR_NOT_FOUND);
    wr_free(&a.memory);
}

static void an_empty_question_is_not_asked(void **state)
{
    (void)state;
    assert_int_equal(consent_ask("", ENGLISH), ERR_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments),
        cmocka_unit_test(no_such_program),
        cmocka_unit_test(an_empty_question_is_not_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
