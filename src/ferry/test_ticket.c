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
    /* As desktops hand it on: with slashes, percent-encoded, or both, encoded themselves or not. */
    {"cardferry://gSaDJIkiig5jbS5leGFtcGxlLm9yZ4wQL2dwL2FkbT90PWszSng5UQ", NULL, OK,
     "https://cm.example.org/gp/adm?t=k3Jx9Q"},
    {"cardferry:%67SaDJIk%69ig5jbS%35leGFtc%47xlLm9y%5A4wQL2d%77L2FkbT%390PWszS%6Eg5UQ", NULL, OK,
     "https://cm.example.org/gp/adm?t=k3Jx9Q"},
    {"cardferry:%2F%2fgSaDJIkiig5jbS5leGFtcGxlLm9yZ4wQL2dwL2FkbT90PWszSng5UQ", NULL, OK,
     "https://cm.example.org/gp/adm?t=k3Jx9Q"},
    {"cardferry:/gSaDJIkiig5jbS5leGFtcGxlLm9yZ4wQL2dwL2FkbT90PWszSng5UQ", NULL, ERR_FORMAT, NULL},
    {"cardferry:////gSaDJIkiig5jbS5leGFtcGxlLm9yZ4wQL2dwL2FkbT90PWszSng5UQ", NULL, ERR_FORMAT, NULL},
    {"cardferry:gSaDJIkiig5jbS5leGFtcGxlLm9yZ4wQL2dwL2FkbT90PWszSng5UQ%", NULL, ERR_FORMAT, NULL},
    {"cardferry:gSaDJIkiig5jbS5leGFtcGxlLm9yZ4wQL2dwL2FkbT90PWszSng5UQ%5", NULL, ERR_FORMAT, NULL},
    {"cardferry:gSaDJIkiig5jbS5leGFtcGxlLm9yZ4wQL2dwL2FkbT90PWszSng5UQ%5G", NULL, ERR_FORMAT, NULL},
    {"cardferry:gSaDJIkiig5jbS5leGFtcGxlLm9yZ4wQL2dwL2FkbT90PWszSng5UQ%00", NULL, ERR_FORMAT, NULL},
    {"cardferry:%2567SaDJIkiig5jbS5leGFtcGxlLm9yZ4wQL2dwL2FkbT90PWszSng5UQ", NULL, ERR_FORMAT,
     NULL}, /* encoded twice */
    /* With a visit. */
    {"abc.x-_9", "https://localhost:8443", OK, "https://localhost:8443/gp/adm?t=abc.x-_9"},
    {"abc.", "https://localhost", ERR_FORMAT, NULL},
    {".abc", "https://localhost", ERR_FORMAT, NULL},
    {"abc.x.y", "https://localhost", ERR_FORMAT, NULL},
    {"abc.x%79", "https://localhost", ERR_FORMAT, NULL},
    {"abc.012345678901234567890123456789012", "https://localhost", ERR_FORMAT, NULL},
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
        struct ticket t = {.url = "before"};
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
        struct ticket t = {.url = "before"};
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

static const struct {
    const char *trigger;
    enum err err;
    const char *purpose, *app, *title;
} said[] = {
    {"810B830989078A01688C022F61", OK, "", "", ""},
    {"8117830989078A01688C022F61DF500101DF510568656C6C6F", OK, "install", "hello", ""},
    {"8123830989078A01688C022F61DF500102DF5107612D625F632E31DF52074772C3BCC39F65", OK, "remove", "a-b_c.1",
     "Gr\xC3\xBC\xC3\x9F"
     "e"},
    {"811D830989078A01688C022F61DF520741207469746C65DF510178DF500101", OK, "install", "x",
     "A title"}, /* in any order */
    {"810F830989078A01688C022F61DF500103", OK, "inspect", "", ""},
    {"8113830989078A01688C022F61DF500100DF510178", ERR_FORMAT, "", "", ""},   /* no such purpose */
    {"810F830989078A01688C022F61DF500104", ERR_FORMAT, "", "", ""},           /* nor this */
    {"810E830989078A01688C022F61DF5000", ERR_FORMAT, "", "", ""},             /* none at all */
    {"8114830989078A01688C022F61DF50020101DF510178", ERR_FORMAT, "", "", ""}, /* two of them */
    {"810F830989078A01688C022F61DF500101", ERR_FORMAT, "", "", ""},           /* install what? */
    {"8113830989078A01688C022F61DF500103DF510178", ERR_FORMAT, "", "", ""},   /* inspect has no application */
    {"810F830989078A01688C022F61DF510178", ERR_FORMAT, "", "", ""},           /* a name without a purpose */
    {"810F830989078A01688C022F61DF520174", ERR_FORMAT, "", "", ""},           /* a title without anything */
    {"8113830989078A01688C022F61DF500103DF520174", ERR_FORMAT, "", "", ""},   /* a title of nothing */
    {"8112830989078A01688C022F61DF500101DF5100", ERR_FORMAT, "", "", ""},     /* an empty name */
    {"8115830989078A01688C022F61DF500101DF5103612062", ERR_FORMAT, "", "", ""}, /* no word */
    {"8114830989078A01688C022F61DF500101DF51022E78", ERR_FORMAT, "", "", ""},   /* begins with a dot */
    {"8115830989078A01688C022F61DF500101DF5103610062", ERR_FORMAT, "", "", ""}, /* a zero */
    {"8153830989078A01688C022F61DF500101DF5141787878787878787878787878787878787878787878787878787878787878787"
     "8787878787878787878787878787878787878787878787878787878787878787878",
     ERR_FORMAT, "", "", ""},                                                           /* too long */
    {"8116830989078A01688C022F61DF500101DF510178DF5200", ERR_FORMAT, "", "", ""},       /* an empty title */
    {"8119830989078A01688C022F61DF500101DF510178DF5203610A62", ERR_FORMAT, "", "", ""}, /* two lines */
    {"811A830989078A01688C022F61DF500101DF510178DF5204E280AE78", ERR_FORMAT, "", "",
     ""},                                                                           /* turns the direction */
    {"8117830989078A01688C022F61DF500101DF510178DF5201C3", ERR_FORMAT, "", "", ""}, /* no UTF-8 */
    {"818166830989078A01688C022F61DF500101DF510178DF525079797979797979797979797979797979797979797979797979797"
     "9797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979"
     "7979",
     OK, "install", "x", "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"},
    {"818167830989078A01688C022F61DF500101DF510178DF525179797979797979797979797979797979797979797979797979797"
     "9797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979"
     "797979",
     ERR_FORMAT, "", "", ""}, /* too long a title */
    {"818152830989078A01688C022F61DF500101DF51406E6E6E6E6E6E6E6E6E6E6E6E6E6E6E6E6E6E6E6E6E6E6E6E6E6E6E6E6E6E6"
     "E6E6E6E6E6E6E6E6E6E6E6E6E6E6E6E6E6E6E6E6E6E6E6E6E6E6E6E6E6E6E6E6E6E",
     OK, "install", "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn", ""},
};

static void what_a_link_is_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        uint8_t bytes[256];
        size_t len = 0;
        struct ticket t = {.purpose = "", .url = "before"};
        print_message("row %s\n", said[i].trigger);
        assert_int_equal(hex_read_str(said[i].trigger, bytes, sizeof(bytes), &len), OK);
        assert_int_equal(ticket_parse_trigger(&t, view_of(bytes, len)), said[i].err);
        assert_string_equal(t.url, said[i].err == OK ? "https://h/a" : "before");
        assert_string_equal(t.purpose, said[i].purpose);
        assert_string_equal(t.app, said[i].app);
        assert_string_equal(t.title, said[i].title);
    }
}

static const struct {
    const char *url, *progress;
} addresses[] = {
    {"https://h:8443/gp/adm?t=abc.xyz", "https://h:8443/gp/progress?t=abc.xyz"},
    {"https://h/gp/adm?t=abc", NULL},
    {"https://h/gp/adm?t=abc.", NULL},
    {"https://h/gp/adm?t=.xyz", NULL},
    {"https://h/gp/adm?t=abc.xyz&u=1", NULL},
    {"https://h/gp/adm?t=abc.x/z", NULL},
    {"https://h/gp/adm", NULL},
    {"https://h/abc.xyz", NULL},
};

static void progress_needs_a_visit(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        struct ticket t;
        struct ticket_problem why;
        char url[URL_MAX] = "before";
        const char *expected = addresses[i].progress;
        print_message("row %s\n", addresses[i].url);
        assert_int_equal(ticket_parse(&t, addresses[i].url, NULL, &why), OK);
        assert_int_equal(ticket_progress(&t, url), expected != NULL ? OK : ERR_NOT_FOUND);
        assert_string_equal(url, expected != NULL ? expected : "before");
    }
}

static void a_next_uri_stays_on_the_server(void **state)
{
    (void)state;
    struct ticket at = {.url = "https://localhost:8443/gp/adm?t=abc"};
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
        cmocka_unit_test(what_a_link_is_for),
        cmocka_unit_test(progress_needs_a_visit),
        cmocka_unit_test(a_next_uri_stays_on_the_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
