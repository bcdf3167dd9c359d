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
        cmocka_unit_test(other_addresses_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
