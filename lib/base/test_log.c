/* SPDX-License-Identifier: Apache-2.0
 *
 * One event is one line, whatever stands in its values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <base/log.h>

struct sink {
    char line[4096];
    int lines;
    enum log_level level;
    uint64_t now_ms;
};

static void take_line(void *ctx, enum log_level level, const char *line)
{
    struct sink *s = ctx;
    assert_true(strlen(line) < sizeof(s->line));
    strcpy(s->line, line);
    s->level = level;
    s->lines++;
}

static uint64_t tell_time(void *ctx)
{
    return ((struct sink *)ctx)->now_ms;
}

static struct sink sink;
static struct log_target target;

static int setup(void **state)
{
    (void)state;
    sink = (struct sink){.now_ms = 1769860800123}; /* 2026-01-31T12:00:00.123Z */
    target = (struct log_target){.line = take_line, .now_ms = tell_time, .ctx = &sink, .most = LOG_DEBUG};
    log_set_target(&target);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    log_set_target(NULL);
    return 0;
}

static void one_event_is_one_line(void **state)
{
    (void)state;
    static const uint8_t id[] = {0x3F, 0x2A};
    LOG(LOG_INFO, "session.opened", log_hex("session", VIEW_OF(id)), log_u64("try", 18446744073709551615U),
        log_str("card", "0123-AB"), log_err(ERR_AUTH));
    assert_string_equal(sink.line, "2026-01-31T12:00:00.123Z info session.opened session=3F2A "
                                   "try=18446744073709551615 card=0123-AB error=ERR_AUTH");
    assert_int_equal(sink.level, LOG_INFO);
    assert_int_equal(sink.lines, 1);
}

static void an_event_may_have_no_fields(void **state)
{
    (void)state;
    sink.now_ms = 5;
    log_event(LOG_ERROR, "store.full", NULL, 0);
    assert_string_equal(sink.line, "1970-01-01T00:00:00.005Z error store.full");
}

/* A foreign value can end neither the line nor its field. */
static void values_cannot_forge(void **state)
{
    (void)state;
    static const struct {
        const char *value, *written;
    } rows[] = {
        {"a\nb", "a\\x0Ab"},
        {"a b", "\"a b\""},
        {"a=b", "\"a=b\""},
        {"a\"b", "a\\x22b"},
        {"a \"b", "\"a \\x22b\""},
        {"a\\x0A", "a\\x5Cx0A"},
        {"\x7F\x1B[0m", "\\x7F\\x1B[0m"},
        {"\xC3\xA4", "\\xC3\\xA4"},
        {"", ""},
        {NULL, ""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char want[128] = "2026-01-31T12:00:00.123Z warning x.y v=";
        strcat(want, rows[i].written);
        LOG(LOG_WARNING, "x.y", log_str("v", rows[i].value));
        assert_string_equal(sink.line, want);
    }
}

static void levels_above_the_most_are_dropped(void **state)
{
    (void)state;
    target.most = LOG_WARNING;
    log_event(LOG_DEBUG, "a.b", NULL, 0);
    log_event(LOG_INFO, "a.b", NULL, 0);
    assert_int_equal(sink.lines, 0);
    log_event(LOG_WARNING, "a.b", NULL, 0);
    log_event(LOG_ERROR, "a.b", NULL, 0);
    assert_int_equal(sink.lines, 2);
}

static void without_a_target_nothing_happens(void **state)
{
    (void)state;
    log_set_target(NULL);
    log_event(LOG_ERROR, "a.b", NULL, 0);
    assert_int_equal(sink.lines, 0);
}

static void long_values_and_lines_are_cut(void **state)
{
    (void)state;
    static char text[3000];
    static uint8_t bytes[3000];
    memset(text, 'x', sizeof(text) - 1);
    LOG(LOG_INFO, "a.b", log_str("v", text));
    assert_true(strlen(sink.line) < 600);
    LOG(LOG_INFO, "a.b", log_hex("v", VIEW_OF(bytes)));
    assert_true(strlen(sink.line) < 600);

    /* Fields that no longer fit are left out as a whole. */
    LOG(LOG_INFO, "a.b", log_hex("a", VIEW_OF(bytes)), log_hex("b", VIEW_OF(bytes)),
        log_hex("c", VIEW_OF(bytes)), log_hex("d", VIEW_OF(bytes)), log_u64("e", 1));
    assert_true(strlen(sink.line) <= 2048);
    assert_non_null(strstr(sink.line, " c=00"));
    assert_null(strstr(sink.line, " d="));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_event_is_one_line, setup, teardown),
        cmocka_unit_test_setup_teardown(an_event_may_have_no_fields, setup, teardown),
        cmocka_unit_test_setup_teardown(values_cannot_forge, setup, teardown),
        cmocka_unit_test_setup_teardown(levels_above_the_most_are_dropped, setup, teardown),
        cmocka_unit_test_setup_teardown(without_a_target_nothing_happens, setup, teardown),
        cmocka_unit_test_setup_teardown(long_values_and_lines_are_cut, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
