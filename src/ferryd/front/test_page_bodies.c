/* SPDX-License-Identifier: Apache-2.0
 *
 * Tickets with a visit, progress, wishes for visits: what is taken, and each reason to refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "front/page_bodies.h"

static void tickets_are_split(void **state)
{
    (void)state;
    static const struct {
        const char *text, *ticket, *visit;
    } rows[] = {
        {"", "", ""},
        {"k3Jx9Q", "k3Jx9Q", ""},
        {"k3Jx9Q.", "k3Jx9Q", ""},
        {"k3Jx9Q.AAECAwQFBgcICQoLDA0ODw", "k3Jx9Q", "AAECAwQFBgcICQoLDA0ODw"},
        {".AAECAwQFBgcICQoLDA0ODw", "", "AAECAwQFBgcICQoLDA0ODw"},
        {"k3Jx9Q.AAECAwQFBgcICQoLDA0OD", "k3Jx9Q", ""},   /* too short */
        {"k3Jx9Q.AAECAwQFBgcICQoLDA0ODwA", "k3Jx9Q", ""}, /* too long */
        {"k3Jx9Q.AAECAwQFBgcICQoLDA0ODx", "k3Jx9Q", ""},  /* bits that belong to no byte */
        {"k3Jx9Q.AAECAwQFBgcICQoLDA0OD.", "k3Jx9Q", ""},
        {"k3Jx9Q.AAECAwQFBgcICQoLDA0OD/", "k3Jx9Q", ""},
        {"k3Jx9Q.x.AAECAwQFBgcICQoLDA0ODw", "k3Jx9Q", ""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct page_ticket t;
        page_ticket_split(view_str(rows[i].text), &t);
        if (!view_equal(t.ticket, view_str(rows[i].ticket)) || strcmp(t.visit, rows[i].visit) != 0)
            fail_msg("%s: '%.*s' and '%s'", rows[i].text, (int)t.ticket.len, (const char *)t.ticket.data,
                     t.visit);
    }
}

static void visits_are_sixteen_bytes(void **state)
{
    (void)state;
    static const uint8_t name[VISIT_LEN] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    uint8_t back[VISIT_LEN];
    char text[VISIT_TEXT + 1];
    visit_write(name, text);
    assert_string_equal(text, "AAECAwQFBgcICQoLDA0ODw");
    assert_int_equal(visit_read(text, back), OK);
    assert_memory_equal(name, back, sizeof(name));
    assert_int_equal(visit_read("", back), ERR_FORMAT);
}

/* 129 and 83 letters: one more than a reader and a card may have. */
#define A32 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
static const char long_reader[] = "{\"stage\":\"reader\",\"reader\":\"" A32 A32 A32 A32 "A\"}";
static const char long_card[] = "{\"stage\":\"reader\",\"card\":\"" A32 A32 "AAAAAAAAAAAAAAAAAAA\"}";

static void progress_is_read_strictly(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        enum err e;
    } rows[] = {
        {"{\"stage\":\"client\"}", OK},
        {"{\"stage\":\"deliver\",\"reader\":\"Ger\xC3\xA4t 00\",\"card\":\"4790-0A\",\"done\":3,\"total\":3}",
         OK},
        {"{\"stage\":\"deliver\",\"done\":0,\"total\":65535}", OK},
        {"", ERR_FORMAT},
        {"[]", ERR_FORMAT},
        {"{}", ERR_ARGUMENT},
        {"{\"stage\":1}", ERR_ARGUMENT},
        {"{\"stage\":\"\"}", ERR_ARGUMENT},
        {"{\"stage\":\"Client\"}", ERR_ARGUMENT},
        {"{\"stage\":\"client\",\"more\":1}", ERR_ARGUMENT},
        {"{\"stage\":\"client\",\"stage\":\"client\"}", ERR_FORMAT},
        {"{\"stage\":\"deliver\",\"done\":4,\"total\":3}", ERR_ARGUMENT},
        {"{\"stage\":\"deliver\",\"done\":1}", ERR_ARGUMENT},
        {"{\"stage\":\"deliver\",\"done\":-1,\"total\":3}", ERR_ARGUMENT},
        {"{\"stage\":\"deliver\",\"total\":65536}", ERR_ARGUMENT},
        {"{\"stage\":\"deliver\",\"total\":\"3\"}", ERR_ARGUMENT},
        {"{\"stage\":\"reader\",\"reader\":\"a\\nb\"}", ERR_ARGUMENT},
        {"{\"stage\":\"reader\",\"reader\":\"a\xE2\x80\xAE"
         "b\"}",
         ERR_ARGUMENT}, /* turns the writing */
        {"{\"stage\":\"reader\",\"card\":\"47g0\"}", ERR_ARGUMENT},
        {"{\"stage\":\"reader\",\"card\":\"<b>\"}", ERR_ARGUMENT},
        {long_reader, ERR_ARGUMENT},
        {long_card, ERR_ARGUMENT},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char why[200] = "";
        struct progress p = {.done = 77};
        enum err e = progress_parse(view_str(rows[i].body), &p, why, sizeof(why));
        if (e != rows[i].e || (e != OK && (why[0] == '\0' || p.done != 77)))
            fail_msg("%s: %s, %s", rows[i].body, err_name(e), why);
    }
}

static void progress_is_taken_over(void **state)
{
    (void)state;
    struct progress p;
    assert_int_equal(progress_parse(view_str("{\"stage\":\"deliver\",\"reader\":\"R 1\",\"card\":\"47-0A\","
                                             "\"done\":3,\"total\":7}"),
                                    &p, NULL, 0),
                     OK);
    assert_string_equal(stage_word(p.stage), "deliver");
    assert_string_equal(p.reader, "R 1");
    assert_string_equal(p.card, "47-0A");
    assert_int_equal(p.done, 3);
    assert_int_equal(p.total, 7);
    assert_string_equal(stage_word(STAGE_COUNT), "");
}

static void all_stages_of_the_document_are_known(void **state)
{
    (void)state;
    static const char *const words[] = {"client", "declined", "no-reader",    "no-card",
                                        "reader", "identify", "authenticate", "deliver",
                                        "settle", "lost",     "error",        "ended"};
    assert_int_equal(sizeof(words) / sizeof(words[0]), STAGE_COUNT);
    for (size_t i = 0; i < STAGE_COUNT; i++) {
        char body[64];
        struct progress p;
        (void)snprintf(body, sizeof(body), "{\"stage\":\"%s\"}", words[i]);
        assert_int_equal(progress_parse(view_str(body), &p, NULL, 0), OK);
        assert_string_equal(stage_word(p.stage), words[i]);
    }
}

static void a_body_has_a_limit(void **state)
{
    (void)state;
    char why[200] = "", body[PAGE_BODY_MAX + 20];
    struct progress p;
    memset(body, ' ', sizeof(body));
    memcpy(body, "{\"stage\":\"client\"", 17);
    body[PAGE_BODY_MAX - 1] = '}';
    assert_int_equal(progress_parse(view_of(body, PAGE_BODY_MAX), &p, why, sizeof(why)), OK);
    assert_int_equal(progress_parse(view_of(body, PAGE_BODY_MAX + 1), &p, why, sizeof(why)), ERR_LIMIT);
}

static void wishes_are_read_strictly(void **state)
{
    (void)state;
    static const struct {
        const char *body, *ticket, *session;
        enum err e;
    } rows[] = {
        {"{\"ticket\":\"k3\"}", "k3", "", OK},
        {"{\"ticket\":\"k3\",\"session\":\"\"}", "k3", "", OK},
        {"{\"ticket\":\"" A32 A32
         ".AAECAwQFBgcICQoLDA0ODw\",\"session\":\"0123456789abcdef0123456789abcdef\"}",
         A32 A32 ".AAECAwQFBgcICQoLDA0ODw", "0123456789abcdef0123456789abcdef", OK},
        {"{\"ticket\":\"" A32 A32 ".AAECAwQFBgcICQoLDA0ODwA\"}", "", "", ERR_ARGUMENT},
        {"{\"session\":\"0123456789abcdef0123456789abcdef\"}", "", "", ERR_ARGUMENT},
        {"{\"ticket\":\"k3\",\"session\":\"0123456789ABCDEF0123456789abcdef\"}", "", "", ERR_ARGUMENT},
        {"{\"ticket\":\"k3\",\"session\":\"0123\"}", "", "", ERR_ARGUMENT},
        {"{\"ticket\":\"k3\",\"card\":\"47\"}", "", "", ERR_ARGUMENT},
        {"{\"ticket\":3}", "", "", ERR_ARGUMENT},
        {"k3", "", "", ERR_FORMAT},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char why[200] = "";
        struct visit_body b = {.ticket = ""};
        enum err e = visit_body_parse(view_str(rows[i].body), &b, why, sizeof(why));
        if (e != rows[i].e || strcmp(b.ticket, rows[i].ticket) != 0 ||
            strcmp(b.session, rows[i].session) != 0)
            fail_msg("%s: %s, %s", rows[i].body, err_name(e), why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tickets_are_split),
        cmocka_unit_test(visits_are_sixteen_bytes),
        cmocka_unit_test(progress_is_read_strictly),
        cmocka_unit_test(progress_is_taken_over),
        cmocka_unit_test(all_stages_of_the_document_are_known),
        cmocka_unit_test(a_body_has_a_limit),
        cmocka_unit_test(wishes_are_read_strictly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
