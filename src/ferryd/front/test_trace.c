/* SPDX-License-Identifier: Apache-2.0
 *
 * Traces: what goes in comes out, nothing of the data does, what has no room is left out as a whole, and
 * whatever is not a trace is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <base/text.h>

#include <script/script.h>

#include "front/trace.h"

static struct view hex(struct writer *w, const char *text)
{
    wr_heap(w, 4096);
    assert_int_equal(hex_read(view_str(text), w), OK);
    return wr_view_of(w);
}

static size_t read_all(struct view trace, struct trace_turn *turns, size_t max, bool *cut, enum err *e)
{
    struct trace_reader r;
    size_t count = 0;
    *cut = false;
    trace_open(&r, trace);
    while (count < max && (*e = trace_next(&r, &turns[count], cut)) == OK)
        count++;
    return count;
}

/* Commands about applications, and what is told of each. */
static const struct {
    const char *capdu, *aid;
    uint8_t cla;
} commands[] = {
    {"00A4040008A000000151000000", "A000000151000000", 0x00},
    {"00A4000002 3F00", "", 0x00}, /* by file identifier */
    {"80CA9F7F00", "", 0x80},
    {"84E6020011 05A000000001 05A000000151 00 00 00 AABB", "A000000001", 0x80},
    {"84E80001 04 01020304", "A000000001", 0x80},
    {"80E60C0018 05A000000001 06A00000000101 06A00000000102 0100 00 00", "A00000000102", 0x80},
    {"80E4000007 4F05A000000009", "A000000009", 0x80},
    {"80E4000003 D00130", "", 0x80},
    {"80D8008003 010203", "", 0x80},
    {"80E6020004 04A00000", "", 0x80}, /* shorter than an AID, and behind its end */
    {"80E8800002 0102", "", 0x80},     /* of the package that has no AID that is one */
};
enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void strip(char *out, const char *text)
{
    for (; *text != '\0'; text++)
        if (*text != ' ')
            *out++ = *text;
    *out = '\0';
}

static struct view command_script(struct writer *w)
{
    struct script_writer s;
    wr_heap(w, 4096);
    script_begin(&s, w, SCRIPT_DEFINITE);
    for (size_t n = 0; n < COMMANDS; n++) {
        char text[128];
        struct writer one;
        strip(text, commands[n].capdu);
        script_put_capdu(&s, hex(&one, text));
        wr_free(&one);
    }
    assert_int_equal(script_end(&s), OK);
    return wr_view_of(w);
}

static void commands_are_told_without_their_data(void **state)
{
    static struct trace_turn turns[2];
    struct writer trace, script, first;
    bool cut = true;
    enum err e = OK;
    (void)state;
    wr_heap(&trace, TRACE_MAX);
    assert_int_equal(trace_put_turn(&trace, 7, SESSION_DELIVER, hex(&first, "848233000411223344"),
                                    command_script(&script)),
                     OK);
    assert_int_equal(read_all(wr_view_of(&trace), turns, 2, &cut, &e), 1);
    assert_int_equal(e, ERR_NOT_FOUND);
    assert_false(cut);
    assert_int_equal(turns[0].time_ms, 7);
    assert_string_equal(turns[0].step, "deliver");
    assert_int_equal(turns[0].count, COMMANDS + 1);
    assert_int_equal(turns[0].commands[0].ins, 0x82);
    assert_int_equal(turns[0].commands[0].cla, 0x80);
    assert_int_equal(turns[0].commands[0].bytes, 4);
    size_t size = 12 + 7;
    for (size_t n = 0; n < COMMANDS; n++) {
        const struct trace_command *c = &turns[0].commands[n + 1];
        char aid[2 * AID_MAX + 1];
        hex_write(aid, c->aid);
        assert_false(c->answered);
        if (strcmp(aid, commands[n].aid) != 0 || c->cla != commands[n].cla)
            fail_msg("%s: %02X %s", commands[n].capdu, c->cla, aid);
        size += 7 + (c->ins == 0xE8 ? 0 : c->aid.len);
    }
    assert_int_equal(trace.len, size); /* there is nothing else in it */
    wr_free(&trace);
    wr_free(&script);
    wr_free(&first);
}

static void answers_belong_to_the_turn_before(void **state)
{
    static struct trace_turn turns[3];
    static struct vault_settlement settled = {.has_authentication = true,
                                              .authentication = {.sw = 0x9000},
                                              .count = 1,
                                              .results = {{.sw = 0x6A80}}};
    struct writer trace, script, answers;
    bool cut = false;
    enum err e = OK;
    (void)state;
    wr_heap(&trace, TRACE_MAX);
    struct view commands_out = command_script(&script);
    assert_int_equal(trace_put_turn(&trace, 1, SESSION_IDENTIFY, VIEW_NULL, commands_out), OK);
    /* 80: two were executed; the second one brought data */
    assert_int_equal(trace_put_answers(&trace, hex(&answers, "AB0D800102230290002304AABB6310")), OK);
    assert_int_equal(trace_put_turn(&trace, 2, SESSION_OPEN, VIEW_NULL, commands_out), OK);
    trace_put_settled(&trace, &settled);
    assert_int_equal(read_all(wr_view_of(&trace), turns, 3, &cut, &e), 2);
    assert_string_equal(turns[0].step, "identify");
    assert_string_equal(turns[1].step, "authenticate");
    for (size_t n = 0; n < 2; n++) {
        assert_true(turns[n].commands[0].answered && turns[n].commands[1].answered);
        assert_false(turns[n].commands[2].answered);
        assert_int_equal(turns[n].commands[0].sw, 0x9000);
    }
    assert_int_equal(turns[0].commands[1].sw, 0x6310);
    assert_int_equal(turns[1].commands[1].sw, 0x6A80);
    wr_free(&trace);
    wr_free(&script);
    wr_free(&answers);
}

static void what_is_no_dialogue_is_refused(void **state)
{
    static const char *const scripts[] = {"", "AA03", "AA0422020001", "AB00"};
    static const char *const answers[] = {"", "AB", "AA00", "AB0480010123FF"};
    struct writer trace, bytes, script;
    (void)state;
    wr_heap(&trace, TRACE_MAX);
    for (size_t n = 0; n < 4; n++) {
        if (trace_put_turn(&trace, 1, SESSION_OPEN, VIEW_NULL, hex(&bytes, scripts[n])) == OK)
            fail_msg("script %zu", n);
        wr_free(&bytes);
        if (trace_put_answers(&trace, hex(&bytes, answers[n])) == OK)
            fail_msg("answers %zu", n);
        wr_free(&bytes);
    }
    assert_int_equal(trace_put_turn(&trace, 1, SESSION_DONE, VIEW_NULL, command_script(&script)), ERR_STATE);
    assert_int_equal(trace_put_turn(&trace, 1, SESSION_OPEN, view_of("x", 1), wr_view_of(&script)),
                     ERR_FORMAT);
    wr_free(&trace);
    wr_free(&script);
}

/* Large turns until there is no room, and then a small one, which has. */
static void what_has_no_room_is_left_out_as_a_whole(void **state)
{
    static struct trace_turn turns[400];
    struct writer trace, script, small, answers;
    struct script_writer s;
    bool cut = false;
    enum err e = OK;
    size_t puts = 0;
    (void)state;
    wr_heap(&trace, TRACE_MAX);
    command_script(&script);
    wr_heap(&small, 100);
    script_begin(&s, &small, SCRIPT_DEFINITE);
    script_put_capdu(&s, view_of("\x80\xCA\x9F\x7F\x00", 5));
    assert_int_equal(script_end(&s), OK);
    hex(&answers, "AB0780010123029000");
    for (size_t n = 0; n < 400; n++) {
        assert_int_equal(trace_put_turn(&trace, 1, SESSION_OPEN, VIEW_NULL, wr_view_of(&script)), OK);
        assert_int_equal(trace_put_answers(&trace, wr_view_of(&answers)), OK);
        assert_true(trace.len <= TRACE_MAX && wr_ok(&trace));
        if (trace.len < TRACE_MAX - 200)
            puts = n + 1;
    }
    assert_true(puts < 390);
    size_t count = read_all(wr_view_of(&trace), turns, 400, &cut, &e);
    assert_int_equal(e, ERR_NOT_FOUND);
    assert_true(cut && count >= puts && count < 400);
    for (size_t n = 0; n < count; n++)
        assert_true(turns[n].count == COMMANDS && turns[n].commands[0].answered);

    /* A turn behind one that was left out has its own answers. */
    struct writer mixed;
    wr_heap(&mixed, TRACE_MAX);
    wr_u8(&mixed, 3);
    assert_int_equal(trace_put_answers(&mixed, wr_view_of(&answers)), OK);
    assert_int_equal(trace_put_turn(&mixed, 1, SESSION_OPEN, VIEW_NULL, wr_view_of(&small)), OK);
    assert_int_equal(read_all(wr_view_of(&mixed), turns, 2, &cut, &e), 1);
    assert_true(cut);
    assert_false(turns[0].commands[0].answered);
    wr_free(&mixed);
    wr_free(&trace);
    wr_free(&script);
    wr_free(&small);
    wr_free(&answers);
}

static void what_is_no_trace_is_refused(void **state)
{
    static const char *const rows[] = {
        "00",                                    /* no record */
        "020000",                                /* answers of nothing */
        "01000000000000000103",                  /* cut off */
        "0100000000000000010400 00",             /* no step */
        "010000000000000001030402",              /* more commands than a script has */
        "010000000000000001030001 80CA9F7F0000", /* a command that ends early */
        "010000000000000001030001 80CA9F7F000011"
        "0102030405060708090A0B0C0D0E0F1011",   /* an AID that is none */
        "010000000000000001030000 020001 9000", /* an answer to no command */
        "010000000000000001030001 80CA9F7F000000 020001 90",
        "03 0200FF 9000", /* answers that were left out, and are not there */
    };
    static struct trace_turn turns[2];
    (void)state;
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        char text[128];
        struct writer bytes;
        bool cut = false;
        enum err e = OK;
        strip(text, rows[n]);
        read_all(hex(&bytes, text), turns, 2, &cut, &e);
        if (e != ERR_FORMAT)
            fail_msg("%s: %s", rows[n], err_name(e));
        wr_free(&bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_told_without_their_data),
        cmocka_unit_test(answers_belong_to_the_turn_before),
        cmocka_unit_test(what_is_no_dialogue_is_refused),
        cmocka_unit_test(what_has_no_room_is_left_out_as_a_whole),
        cmocka_unit_test(what_is_no_trace_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
