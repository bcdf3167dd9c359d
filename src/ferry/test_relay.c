/* SPDX-License-Identifier: Apache-2.0
 *
 * The relay against a card that is a transcript: what it must be asked, and what it answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <base/text.h>

#include "relay.h"

enum { STEPS_MAX = 8 };

struct row {
    const char *name;
    bool t0;
    const char *script;
    struct {
        const char *command, *answer; /* answer "gone": the card was pulled */
    } steps[STEPS_MAX];
    const char *response;
    enum err card_error;
    size_t executed;
};

struct transcript {
    const struct row *row;
    size_t at;
};

static enum err transcript_transmit(void *ctx, struct view capdu, struct writer *rapdu)
{
    struct transcript *t = ctx;
    char hex[256];
    assert_true(t->at < STEPS_MAX);
    assert_non_null(t->row->steps[t->at].command);
    hex_write(hex, capdu);
    assert_string_equal(hex, t->row->steps[t->at].command);
    const char *answer = t->row->steps[t->at++].answer;
    if (strcmp(answer, "gone") == 0)
        return ERR_CARD_GONE;
    return hex_read(view_str(answer), rapdu);
}

static const struct reader_ops transcript_ops = {.transmit = transcript_transmit};

static const struct row rows[] = {
    {"all good",
     false,
     "AA0E2205800000000022058001000000",
     {{"8000000000", "019000"}, {"8001000000", "9000"}},
     "AB0C80010223030190002302 9000",
     OK,
     2},
    {"stops at an error",
     false,
     "AA0E2205800000000022058001000000",
     {{"8000000000", "6A88"}},
     "AB0780010123026A88",
     OK,
     1},
    {"goes on at 63xx",
     false,
     "AA0E2205800000000022058001000000",
     {{"8000000000", "6310"}, {"8001000000", "9000"}},
     "AB0B8001022302631023029000",
     OK,
     2},
    {"goes on at 62xx",
     false,
     "AA0E2205800000000022058001000000",
     {{"8000000000", "6283"}, {"8001000000", "9000"}},
     "AB0B8001022302628323029000",
     OK,
     2},
    {"stops at 62F1",
     false,
     "AA0E2205800000000022058001000000",
     {{"8000000000", "62F1"}},
     "AB07800101230262F1",
     OK,
     1},
    {"63xx to EXTERNAL AUTHENTICATE is an error",
     false,
     "AA0E2205848201000022058001000000",
     {{"8482010000", "6300"}},
     "AB07800101230263 00",
     OK,
     1},
    {"collects 61xx",
     false,
     "AA072205800000000 0",
     {{"8000000000", "AA6102"}, {"00C0000002", "BBCC9000"}},
     "AB0A8001012305AABBCC9000",
     OK,
     1},
    {"GET RESPONSE keeps the logical channel, not the rest",
     false,
     "AA0722058500000000",
     {{"8500000000", "6102"}, {"01C0000002", "BBCC9000"}},
     "AB098001012304BBCC9000",
     OK,
     1},
    {"6Cxx is asked again",
     false,
     "AA0722058000000000",
     {{"8000000000", "6C02"}, {"8000000002", "AABB9000"}},
     "AB098001012304AABB9000",
     OK,
     1},
    {"6Cxx twice is an answer",
     false,
     "AA0722058000000000",
     {{"8000000000", "6C02"}, {"8000000002", "6C03"}},
     "AB0780010123026C03",
     OK,
     1},
    {"a LOAD is never sent twice",
     false,
     "AA0922078 4E8000001AA00",
     {{"84E8000001AA00", "6C02"}},
     "AB0780010123026C02",
     OK,
     1},
    {"T=0 sends no Le with data",
     true,
     "AA0922078 4E8000001AA00",
     {{"84E8000001AA", "9000"}},
     "AB07800101 23029000",
     OK,
     1},
    {"card pulled",
     false,
     "AA0E2205800000000022058001000000",
     {{"8000000000", "9000"}, {"8001000000", "gone"}},
     "AB0780010123029000",
     ERR_CARD_GONE,
     1},
    {"keep-alive", false, "AA00", {{NULL, NULL}}, "AB03800100", OK, 0},
    {"unknown object",
     false,
     "AA0A220580000000002401AA",
     {{"8000000000", "9000"}},
     "AB0A8001022302900090 0101",
     OK,
     1},
    {"not a script", false, "FF00", {{NULL, NULL}}, "AB06800101900101", OK, 0},
    {"no command", false, "AA052203800000", {{NULL, NULL}}, "AB06800101900102", OK, 0},
    {"indefinite", false, "AE802205800000000 00000", {{"8000000000", "9000"}}, "AF80230290000000", OK, 1},
};

/* Hexadecimal with blanks for the eye. */
static struct view unhex(const char *text, uint8_t *out, size_t max)
{
    char tight[512];
    size_t n = 0, len = 0;
    for (; *text != '\0'; text++)
        if (*text != ' ')
            tight[n++] = *text;
    tight[n] = '\0';
    assert_int_equal(hex_read_str(tight, out, max, &len), OK);
    return view_of(out, len);
}

static void transcripts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct transcript t = {&rows[i], 0};
        struct card_reader reader = {.ops = &transcript_ops, .ctx = &t, .t0 = rows[i].t0};
        struct relay_result result;
        struct writer answer;
        uint8_t script[256], expected[256];
        print_message("row %s\n", rows[i].name);
        wr_heap(&answer, SCRIPT_MAX);
        assert_int_equal(
            relay_run(&reader, unhex(rows[i].script, script, sizeof(script)), NULL, &answer, &result), OK);
        assert_true(view_equal(wr_view_of(&answer), unhex(rows[i].response, expected, sizeof(expected))));
        assert_int_equal(result.card_error, rows[i].card_error);
        assert_int_equal(result.executed, rows[i].executed);
        if (t.at < STEPS_MAX)
            assert_null(rows[i].steps[t.at].command); /* everything that was due was asked */
        wr_free(&answer);
    }
}

static enum err endless_transmit(void *ctx, struct view capdu, struct writer *rapdu)
{
    const struct view *answer = ctx;
    (void)capdu;
    wr_view(rapdu, *answer);
    return OK;
}

static const struct reader_ops endless_ops = {.transmit = endless_transmit};

/* A card that never stops to announce more, with and without data. */
static void an_endless_card_is_left(void **state)
{
    (void)state;
    static uint8_t full[258];
    full[256] = 0x61;
    struct view answers[] = {view_of("\x61\x00", 2), VIEW_OF(full)};
    for (size_t i = 0; i < 2; i++) {
        struct card_reader reader = {.ops = &endless_ops, .ctx = &answers[i]};
        struct relay_result result;
        struct writer answer;
        wr_heap(&answer, SCRIPT_MAX);
        assert_int_equal(
            relay_run(&reader, view_of("\xAA\x07\x22\x05\x80\x00\x00\x00\x00", 9), NULL, &answer, &result),
            OK);
        assert_int_equal(result.card_error, ERR_LIMIT);
        assert_int_equal(result.executed, 0);
        wr_free(&answer);
    }
}

static void a_short_answer_is_refused(void **state)
{
    (void)state;
    struct view answer = view_of("\x90", 1);
    struct card_reader reader = {.ops = &endless_ops, .ctx = &answer};
    struct writer rapdu;
    size_t bytes = 0;
    wr_heap(&rapdu, RAPDU_MAX);
    assert_int_equal(relay_command(&reader, view_of("\x80\x00\x00\x00", 4), &rapdu, &bytes), ERR_FORMAT);
    assert_int_equal(rapdu.len, 0);
    wr_free(&rapdu);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transcripts),
        cmocka_unit_test(an_endless_card_is_left),
        cmocka_unit_test(a_short_answer_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
