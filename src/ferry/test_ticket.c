/* SPDX-License-Identifier: Apache-2.0
 *
 * Links, URLs and tickets, good and bad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <base/text.h>

#include "ticket.h"

static const struct {
    const char *text, *server;
    enum err err;
    const char *url;
} rows[] = {
    /* The sample of docs/protocol.md: 81 26 83 24 89 22 8A 0E cm.example.org 8C 10 /gp/adm?t=k3Jx9Q */
    {"cardferry:gSaDJIkiig5jbS5leGFtcGxlLm9yZ4wQL2dwL2FkbT90PWszSng5UQ", NULL, OK,
     "https://cm.example.org/gp/adm?t=k3Jx9Q"},
    {"https://localhost:8443/gp/adm?t=abc", NULL, OK, "https://localhost:8443/gp/adm?t=abc"},
    {"https://[::1]:8443/gp/adm?t=abc", NULL, OK, "https://[::1]:8443/gp/adm?t=abc"},
    {"abc-_9", "https://localhost:8443", OK, "https://localhost:8443/gp/adm?t=abc-_9"},
    {"abc", NULL, ERR_ARGUMENT, NULL},
    {"abc", "http://localhost", ERR_FORMAT, NULL},
    {"http://localhost/gp/adm?t=abc", NULL, ERR_ARGUMENT, NULL},
    {"https://", NULL, ERR_FORMAT, NULL},
    {"https://host", NULL, ERR_FORMAT, NULL},
    {"https://user@host/x", NULL, ERR_FORMAT, NULL},
    {"https://host//x", NULL, ERR_FORMAT, NULL},
    {"https://host/x y", NULL, ERR_FORMAT, NULL},
    {"https://host/x\r\nX: y", NULL, ERR_FORMAT, NULL},
    {"cardferry:", NULL, ERR_FORMAT, NULL},
    {"cardferry:!!!!", NULL, ERR_FORMAT, NULL},
    {"cardferry:gSaDJIkiig5jbS5leGFtcGxlLm9yZ4wQL2dwL2FkbT90PWszSng5", NULL, ERR_FORMAT, NULL},
    {"", NULL, ERR_FORMAT, NULL},
    {"with blank", "https://localhost", ERR_FORMAT, NULL},
    {"0123456789012345678901234567890123456789012345678901234567890123456789", "https://localhost",
     ERR_FORMAT, NULL},
};

static void tickets(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ticket t = {"before"};
        struct ticket_problem why = {""};
        print_message("row %s\n", rows[i].text);
        assert_int_equal(ticket_parse(&t, rows[i].text, rows[i].server, &why), rows[i].err);
        assert_string_equal(t.url, rows[i].err == OK ? rows[i].url : "before");
        assert_int_equal(why.text[0] != '\0', rows[i].err != OK);
    }
}

static const struct {
    const char *trigger;
    enum err err;
} triggers[] = {
    {"81108 30E890C8A04686F73748C042F612F62", OK},
    {"8110830E890C8A04686F73748C042F612F6200", ERR_FORMAT}, /* something behind */
    {"8010830E890C8A04686F73748C042F612F62", ERR_FORMAT},
    {"81088306890 48A02686F", ERR_FORMAT},                 /* no URI */
    {"810A8308 89068C042F612F62", ERR_FORMAT},             /* no host */
    {"81108 30E890C8A04686F73748C04612F622F", ERR_FORMAT}, /* no path */
    {"81108 30E890C8A04686F2F748C042F612F62", ERR_FORMAT}, /* a slash in the host */
    {"81108 30E890C8A04686F73748C042F2F6262", ERR_FORMAT}, /* another host in the path */
};

static void trigger_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(triggers) / sizeof(triggers[0]); i++) {
        char tight[128];
        uint8_t bytes[64];
        size_t len = 0, n = 0;
        struct ticket t = {"before"};
        for (const char *c = triggers[i].trigger; *c != '\0'; c++)
            if (*c != ' ')
                tight[n++] = *c;
        tight[n] = '\0';
        print_message("row %s\n", tight);
        assert_int_equal(hex_read_str(tight, bytes, sizeof(bytes), &len), OK);
        assert_int_equal(ticket_parse_trigger(&t, view_of(bytes, len)), triggers[i].err);
        assert_string_equal(t.url, triggers[i].err == OK ? "https://host/a/b" : "before");
    }
}

static void a_next_uri_stays_on_the_server(void **state)
{
    (void)state;
    struct ticket at = {"https://localhost:8443/gp/adm?t=abc"};
    assert_int_equal(ticket_next(&at, &at, "/gp/adm?s=x"), OK);
    assert_string_equal(at.url, "https://localhost:8443/gp/adm?s=x");
    static const char *const bad[] = {"https://other/x", "//other/x", "gp", "", "/a b", "http://localhost/x"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        print_message("row %s\n", bad[i]);
        assert_int_equal(ticket_next(&at, &at, bad[i]), ERR_POLICY);
        assert_string_equal(at.url, "https://localhost:8443/gp/adm?s=x");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tickets),
        cmocka_unit_test(trigger_rows),
        cmocka_unit_test(a_next_uri_stays_on_the_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
