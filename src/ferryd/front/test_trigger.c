/* SPDX-License-Identifier: Apache-2.0
 *
 * The link of a ticket, against the sample of docs/protocol.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <base/text.h>

#include "front/trigger.h"

static void the_sample_is_written(void **state)
{
    (void)state;
    uint8_t memory[128];
    char digits[257];
    struct writer w;
    wr_fixed(&w, memory, sizeof(memory));
    assert_int_equal(trigger_put(&w, view_str("cm.example.org"), view_str("/gp/adm?t=k3Jx9Q"), NULL), OK);
    hex_write(digits, wr_view_of(&w));
    assert_string_equal(digits,
                        "8126832489228A0E636D2E6578616D706C652E6F72678C102F67702F61646D3F743D6B334A783951");
}

static void a_link_carries_the_message(void **state)
{
    (void)state;
    char link[TRIGGER_LINK_MAX];
    uint8_t memory[256];
    char digits[513];
    struct writer w;
    assert_int_equal(trigger_link("https://cm.example.org/gp/adm?t=k3Jx9Q", NULL, link), OK);
    assert_int_equal(strncmp(link, "cardferry:", 10), 0);
    wr_fixed(&w, memory, sizeof(memory));
    assert_int_equal(base64url_read(view_str(link + 10), &w), OK);
    hex_write(digits, wr_view_of(&w));
    assert_string_equal(digits,
                        "8126832489228A0E636D2E6578616D706C652E6F72678C102F67702F61646D3F743D6B334A783951");
    /* The port belongs to the host. */
    assert_int_equal(trigger_link("https://a:8443/b", NULL, link), OK);
    wr_clear(&w);
    assert_int_equal(base64url_read(view_str(link + 10), &w), OK);
    hex_write(digits, wr_view_of(&w));
    assert_string_equal(digits, "8110830E890C8A06613A383434338C022F62");
}

/* docs/web.md, "The link": the same host and URI, and three objects behind them. */
static void what_an_order_is_for_stands_beside_it(void **state)
{
    (void)state;
    static const struct {
        const char *purpose, *app, *title, *digits;
    } rows[] = {
        {"install", "hello",
         "Gr\xC3\xBC\xC3\x9F"
         "e",
         "813C832489228A0E636D2E6578616D706C652E6F72678C102F67702F61646D3F743D6B334A783951"
         "DF500101DF510568656C6C6FDF52074772C3BCC39F65"},
        {"remove", "hello", "",
         "8132832489228A0E636D2E6578616D706C652E6F72678C102F67702F61646D3F743D6B334A783951"
         "DF500102DF510568656C6C6F"},
        {"inspect", "", "",
         "812A832489228A0E636D2E6578616D706C652E6F72678C102F67702F61646D3F743D6B334A783951DF500103"},
        {"", "", "", "8126832489228A0E636D2E6578616D706C652E6F72678C102F67702F61646D3F743D6B334A783951"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct trigger_order order = {view_str(rows[i].purpose), view_str(rows[i].app),
                                            view_str(rows[i].title)};
        uint8_t memory[256];
        char digits[513];
        struct writer w;
        wr_fixed(&w, memory, sizeof(memory));
        assert_int_equal(trigger_put(&w, view_str("cm.example.org"), view_str("/gp/adm?t=k3Jx9Q"), &order),
                         OK);
        hex_write(digits, wr_view_of(&w));
        assert_string_equal(digits, rows[i].digits);
    }
}

static void orders_that_fit_no_link_are_refused(void **state)
{
    (void)state;
    char letters[TRIGGER_TITLE_MAX + 1], link[TRIGGER_LINK_MAX], url[600] = "https://";
    memset(letters, 'a', sizeof(letters));
    const struct trigger_order wrong = {.purpose = view_str("instal")},
                               long_app = {.app = view_of(letters, TRIGGER_APP_MAX + 1)},
                               long_title = {.title = view_of(letters, TRIGGER_TITLE_MAX + 1)},
                               longest = {.purpose = view_str("install"),
                                          .app = view_of(letters, TRIGGER_APP_MAX),
                                          .title = view_of(letters, TRIGGER_TITLE_MAX)};
    assert_int_equal(trigger_link("https://a/b", &wrong, link), ERR_ARGUMENT);
    assert_int_equal(trigger_link("https://a/b", &long_app, link), ERR_ARGUMENT);
    assert_int_equal(trigger_link("https://a/b", &long_title, link), ERR_ARGUMENT);
    assert_int_equal(trigger_link("https://a/b", &longest, link), OK);
    /* All parts as long as they may be. */
    memset(url + 8, 'h', TRIGGER_HOST_MAX);
    memset(url + 8 + TRIGGER_HOST_MAX, '/', 1);
    memset(url + 9 + TRIGGER_HOST_MAX, 'u', TRIGGER_URI_MAX - 1);
    assert_int_equal(trigger_link(url, &longest, link), OK);
    assert_true(strlen(link) < sizeof(link));
}

static void other_addresses_are_refused(void **state)
{
    (void)state;
    char link[TRIGGER_LINK_MAX], long_host[400] = "https://";
    memset(long_host + 8, 'a', 300);
    memcpy(long_host + 308, "/b", 3);
    static const char *const bad[] = {"", "http://a/b", "https://a", "https:///b", "a/b"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(trigger_link(bad[i], NULL, link), ERR_ARGUMENT);
    assert_int_equal(trigger_link(long_host, NULL, link), ERR_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sample_is_written),
        cmocka_unit_test(a_link_carries_the_message),
        cmocka_unit_test(what_an_order_is_for_stands_beside_it),
        cmocka_unit_test(orders_that_fit_no_link_are_refused),
        cmocka_unit_test(other_addresses_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
