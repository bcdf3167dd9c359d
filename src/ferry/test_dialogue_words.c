/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands of a dialogue in words; what is told wrongly is not believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "dialogue_words.h"

static const struct {
    const char *command, *words, *answer;
} rows[] = {
    {"{'header':'00A40400','bytes':8,'aid':'A000000151000000','sw':'9000'}", "SELECT A000000151000000",
     "9000 "},
    {"{'header':'00A40400','bytes':0,'aid':'','sw':''}", "SELECT the default application",
     "nothing came back"},
    {"{'header':'80503000','bytes':8,'aid':'','sw':'6983'}", "INITIALIZE UPDATE, 8 bytes", "6983 "},
    {"{'header':'80E60200','bytes':19,'aid':'A000000001','sw':'9000'}", "INSTALL [for load] A000000001",
     "9000 "},
    {"{'header':'80E60C00','bytes':19,'aid':'A000000002','sw':'6A80'}",
     "INSTALL [for install and make selectable] A000000002", "6A80 "},
    {"{'header':'80E88003','bytes':200,'aid':'A000000001','sw':'6A84'}",
     "LOAD block 3, 200 bytes, the last, of A000000001", "6A84 not enough memory space"},
    {"{'header':'80E40080','bytes':7,'aid':'A000000001','sw':'9000'}",
     "DELETE A000000001 and what came from it", "9000 "},
    {"{'header':'80CA9F7F','bytes':0,'aid':'','sw':'9000'}", "GET DATA 9F7F", "9000 "},
    {"{'header':'80F24002','bytes':2,'aid':'','sw':'6310'}", "GET STATUS of applications", "6310 "},
    {"{'header':'80F2','bytes':2,'aid':'','sw':'90000'}", "?", "?"},
    {"{'header':'80E40000','bytes':7,'aid':'A0\\u001B','sw':'9000'}", "?", "9000 "},
    {"{}", "?", "nothing came back"},
};

static void commands_are_told_in_words(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        char text[300];
        snprintf(text, sizeof(text), "%s", rows[n].command);
        for (char *c = text; *c != '\0'; c++)
            *c = *c == '\'' ? '"' : *c;
        json_t *command = json_loads(text, 0, NULL);
        assert_non_null(command);
        assert_string_equal(dialogue_command_words(command).text, rows[n].words);
        const char *answer = dialogue_answer_words(command).text;
        if (strncmp(answer, rows[n].answer, strlen(rows[n].answer)) != 0)
            fail_msg("%s: %s", rows[n].command, answer);
        json_decref(command);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(commands_are_told_in_words)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
