/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of the dialogue and the session as bytes. What the dialogue does with cards is tested against the
 * virtual card (tests/session, tests/tamper). */
#include <session/session.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- The table --------------------------------------------------------------------------------------- */

static bool in_table(enum session_state state, enum session_event_kind event)
{
    for (size_t n = 0; n < session_table_rows(); n++) {
        struct session_row_of_table row = session_table_row(n);
        if (row.state == state && row.event == event)
            return true;
    }
    return false;
}

/* What the table does not have is refused, and changes nothing. */
static void absent_rows_are_refused(void **state)
{
    static const struct session_order order = {.purpose = PLAN_INSPECT, .level = -1};
    static const struct session_world nothing = {0}; /* any look-up would crash */
    size_t refused = 0;
    (void)state;
    for (size_t s = 0; s < SESSION_STATE_COUNT; s++) {
        for (size_t e = 0; e < SESSION_EVENT_COUNT; e++) {
            struct session session;
            struct session_turn turn;
            const struct session_event event = {.kind = (enum session_event_kind)e, .script_status = ""};
            if (in_table((enum session_state)s, event.kind))
                continue;
            session_init(&session, "absent", &order, VIEW_NULL);
            session.state = (enum session_state)s;
            enum err got = session_handle(&session, &nothing, &event, &turn);
            if (got != ERR_STATE || session.state != s || turn.record_count != 0 || turn.ended)
                fail_msg("%s in %s: %s", session_event_word(event.kind),
                         session_state_word((enum session_state)s), err_name(got));
            session_finish(&session);
            refused++;
        }
    }
    assert_int_equal(refused, SESSION_STATE_COUNT * SESSION_EVENT_COUNT - session_table_rows());
}

static void the_table_is_sound(void **state)
{
    (void)state;
    for (size_t n = 0; n < session_table_rows(); n++) {
        struct session_row_of_table a = session_table_row(n);
        assert_true(a.next_count >= 1 && a.next_count <= SESSION_NEXT_MAX);
        assert_true(strlen(a.action) > 2);
        for (size_t k = n + 1; k < session_table_rows(); k++) {
            struct session_row_of_table b = session_table_row(k);
            if (a.state == b.state && a.event == b.event)
                fail_msg("rows %zu and %zu are the same", n, k);
        }
        /* Nothing leads back to the beginning, and from the end only to the end. */
        for (size_t k = 0; k < a.next_count; k++) {
            assert_int_not_equal(a.next[k], SESSION_NEW);
            assert_true(a.state != SESSION_DONE || a.next[k] == SESSION_DONE);
        }
    }
    assert_int_equal(session_table_row(1000).next_count, 0);
    assert_string_equal(session_state_word(SESSION_STATE_COUNT), "?");
    assert_string_equal(session_event_word(SESSION_EVENT_COUNT), "?");
}

/* ---- The picture in the documentation ---------------------------------------------------------------- */

static void put(struct writer *w, const char *text)
{
    wr_view(w, view_str(text));
}

static void draw(struct writer *w)
{
    put(w, "```mermaid\nstateDiagram-v2\n    [*] --> new\n");
    for (size_t n = 0; n < session_table_rows(); n++) {
        struct session_row_of_table row = session_table_row(n);
        for (size_t k = 0; k < row.next_count; k++) {
            put(w, "    ");
            put(w, session_state_word(row.state));
            put(w, " --> ");
            put(w, session_state_word(row.next[k]));
            put(w, " : ");
            put(w, session_event_word(row.event));
            if (k == 0) {
                put(w, " / ");
                put(w, row.action);
            }
            put(w, "\n");
        }
    }
    put(w, "    done --> [*]\n```\n");
}

static void the_documentation_shows_the_table(void **state)
{
    static uint8_t text[256 * 1024];
    struct writer picture;
    (void)state;
    wr_heap(&picture, 16 * 1024);
    draw(&picture);
    FILE *f = fopen(CF_DATA "/../../docs/protocol.md", "rb");
    assert_non_null(f);
    size_t len = fread(text, 1, sizeof(text), f);
    (void)fclose(f);
    if (memmem(text, len, picture.data, picture.len) == NULL)
        fail_msg("docs/protocol.md does not have this picture:\n%.*s", (int)picture.len,
                 (char *)picture.data);
    wr_free(&picture);
}

/* ---- Bytes ------------------------------------------------------------------------------------------- */

/* A session with something in every field. */
static void fill(struct session *s, enum session_state state)
{
    static const struct session_order order = {
        .purpose = PLAN_REMOVE, .app = "hello", .card = "4790-01", .type = "type", .level = 0x33};
    static const uint8_t aid[] = {0xA0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00, 0x00};
    static const uint8_t script[] = {0xAA, 0x07, 0x22, 0x05, 0x80, 0xF2, 0x40, 0x00, 0x00};
    session_init(s, "0123456789abcdef0123456789abcdef", &order, view_of("\x3B\x00", 2));
    s->state = state;
    s->type = (struct session_type){.name = "type",
                                    .scp = 3,
                                    .i = 0x70,
                                    .kvn = 0x30,
                                    .level = 0x33,
                                    .key = "master",
                                    .kdf = KDF_KDF3,
                                    .java_card = "3.0.5",
                                    .identify_first = true,
                                    .max_openings = 3};
    assert_int_equal(aid_set(&s->type.isd, VIEW_OF(aid)), OK);
    (void)snprintf(s->card, sizeof(s->card), "4790-01");
    for (size_t n = 0; n < IDENTITY_COMMANDS; n++) {
        s->answers[n].len = n + 2;
        memset(s->answers[n].data, (int)n, n + 2);
    }
    s->asked = 0x30;
    s->identity.isd = s->type.isd;
    s->identity.has_cplc = true;
    s->counted = s->looking = s->torn = s->channel_proven = true;
    wr_view(&s->opening, VIEW_OF(script));
    wr_view(&s->opening_commands, VIEW_OF(script));
    s->opening_count = 1;
    s->type.certificates_len = 7;
    memset(s->type.certificates, 0xCE, 7);
    s->type.kid = 0x11;
    memcpy(s->type.trust, "ca", 3);
    memset(s->kdd, 0x4B, sizeof(s->kdd));
    s->level = 0x13;
    s->channel_len = 100;
    memset(s->channel, 0x5E, 100);
    wr_view(&s->plain, VIEW_OF(script));
    s->plain_count = 1;
    s->places = calloc(1, sizeof(*s->places));
    assert_non_null(s->places);
    s->place_count = 1;
    s->places[0].place =
        (struct derive_place){.command = 7, .offset = 3, .len = 16, .key = "k", .label = "l"};
    s->places[0].key.attributes = (struct key_attributes){
        .name = "k", .version = 2, .use = KEY_USE_DERIVE, .type = KEY_AES, .key_len = 16};
    s->places[0].key.sealed_len = 60;
    memset(s->places[0].key.sealed, 0x11, 60);
    static const uint8_t listed[] = {0xE3, 0x0B, 0x4F, 0x05, 0xF0, 0x00, 0x00,
                                     0x00, 0x01, 0x9F, 0x70, 0x01, 0x01};
    const struct rapdu answer = {.data = VIEW_OF(listed), .sw = SW_OK};
    assert_int_equal(registry_add(&s->registry, STATUS_PACKAGES, &answer), OK);
    s->registry_known = true;
    s->refused_ins = INS_LOAD;
    s->refused_sw = SW_CONDITIONS;
    s->rounds = 2;
    s->outcome = OUTCOME_FAILED;
    s->reason = REASON_REFUSED;
    (void)snprintf(s->detail, sizeof(s->detail), "A sentence.");
}

static void bytes_and_back(void **state)
{
    static const enum session_state rest[] = {SESSION_IDENTIFY, SESSION_OPEN, SESSION_DELIVER, SESSION_DONE};
    (void)state;
    for (size_t n = 0; n < sizeof(rest) / sizeof(rest[0]); n++) {
        struct session s, back;
        struct writer first, second;
        wr_heap(&first, SESSION_STATE_MAX);
        wr_heap(&second, SESSION_STATE_MAX);
        fill(&s, rest[n]);
        assert_int_equal(session_encode(&s, &first), OK);
        assert_int_equal(session_decode(&back, wr_view_of(&first)), OK);
        assert_int_equal(session_encode(&back, &second), OK);
        assert_true(view_equal(wr_view_of(&first), wr_view_of(&second)));
        assert_string_equal(back.order.card, "4790-01");
        assert_int_equal(back.order.level, 0x33);
        assert_int_equal(back.rounds, 2);
        assert_true(back.torn && back.looking && back.channel_proven && !back.unproven);
        assert_int_equal(back.registry.count, 1);
        assert_int_equal(back.places[0].key.attributes.version, 2);
        session_finish(&s);
        session_finish(&back);
        wr_free(&first);
        wr_free(&second);
    }
}

static void only_sessions_at_rest_are_stored(void **state)
{
    (void)state;
    for (size_t n = 0; n < SESSION_STATE_COUNT; n++) {
        struct session s;
        struct writer w;
        enum session_state at = (enum session_state)n;
        bool rest =
            at == SESSION_IDENTIFY || at == SESSION_OPEN || at == SESSION_DELIVER || at == SESSION_DONE;
        wr_heap(&w, SESSION_STATE_MAX);
        fill(&s, at);
        assert_int_equal(session_encode(&s, &w), rest ? OK : ERR_STATE);
        session_finish(&s);
        wr_free(&w);
    }
}

/* Cut anywhere, lengthened, or changed anywhere: refused, or at least read back to the same bytes. */
static void damaged_bytes_are_refused(void **state)
{
    struct session s, back;
    struct writer w;
    (void)state;
    wr_heap(&w, SESSION_STATE_MAX);
    fill(&s, SESSION_DELIVER);
    assert_int_equal(session_encode(&s, &w), OK);
    for (size_t len = 0; len < w.len; len++) {
        enum err e = session_decode(&back, view_of(w.data, len));
        if (e == OK)
            fail_msg("%zu of %zu bytes were taken", len, w.len);
    }
    for (size_t n = 0; n < w.len; n++) {
        for (unsigned bit = 0; bit < 8; bit += 7) {
            struct writer again;
            w.data[n] ^= (uint8_t)(1U << bit);
            wr_heap(&again, SESSION_STATE_MAX);
            if (session_decode(&back, wr_view_of(&w)) == OK) {
                assert_int_equal(session_encode(&back, &again), OK);
                if (!view_equal(wr_view_of(&w), wr_view_of(&again)))
                    fail_msg("byte %zu: changed, taken, and read as something else", n);
                session_finish(&back);
            }
            wr_free(&again);
            w.data[n] ^= (uint8_t)(1U << bit);
        }
    }
    wr_u8(&w, 0);
    assert_int_equal(session_decode(&back, wr_view_of(&w)), ERR_FORMAT);
    session_finish(&s);
    wr_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_rows_are_refused),           cmocka_unit_test(the_table_is_sound),
        cmocka_unit_test(the_documentation_shows_the_table), cmocka_unit_test(bytes_and_back),
        cmocka_unit_test(only_sessions_at_rest_are_stored),  cmocka_unit_test(damaged_bytes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
