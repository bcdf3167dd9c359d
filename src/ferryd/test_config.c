/* SPDX-License-Identifier: Apache-2.0
 *
 * Configurations good and bad: each refusal names its line and says what is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "config.h"

#define NEEDED                                                                                               \
    "public_url = https://cm.example.org\n"                                                                  \
    "certificate = /etc/ferryd/server.pem\n"                                                                 \
    "private_key = /etc/ferryd/server.key\n"                                                                 \
    "store = /var/lib/ferryd/ferryd.db\n"
#define KEK   "kek_file = /etc/ferryd/kek\n"
#define TOKEN "admin_token_file = /etc/ferryd/admin.sha256\n"

static const struct {
    const char *name, *text;
    unsigned line;
    const char *sentence; /* NULL: it is good */
} rows[] = {
    {"the least", NEEDED KEK TOKEN, 0, NULL},
    {"comments, blanks, empty lines, no newline at the end",
     NEEDED KEK "\n # a comment\n\tlisten=[::1]:0\t\n" TOKEN "log_level = debug", 0, NULL},
    {"a credential", NEEDED TOKEN "kek_credential = ferryd.kek\n", 0, NULL},
    {"certificates instead of a token", NEEDED KEK "client_ca = /etc/ferryd/ca.pem\n", 0, NULL},
    {"users", NEEDED KEK TOKEN "user = ferryd\nkeeper_user = ferryd-keeper\n", 0, NULL},
    {"smallest numbers", NEEDED KEK TOKEN "connections_max = 1\nsession_timeout_s=10\n", 0, NULL},
    {"every weak choice", NEEDED KEK TOKEN "allow_weak = des,scp01,scp02,rsa1024,sha1\n", 0, NULL},
    {"no weak choice", NEEDED KEK TOKEN "allow_weak = none\n", 0, NULL},
    {"texts for pages", NEEDED KEK TOKEN "issuer = Stadtwerke G\xC3\xBCtersloh\nhelp_phone = +49 30 1234\n",
     0, NULL},
    {"an agent and a package", NEEDED KEK TOKEN "agent_port = 28573\nclient_package = /usr/share/ferry.deb\n",
     0, NULL},
    {"text that is none", "issuer = \xC3(\n", 1, "issuer needs text in UTF-8"},
    {"text that turns round",
     "issuer = a\xE2\x80\xAE"
     "b\n",
     1, "issuer needs text in UTF-8"},
    {"help without https", "help_url = http://example.org\n", 1,
     "help_url needs https://HOST or https://HOST:PORT, without a slash at the end"},
    {"no port", "agent_port = 65536\n", 1, "agent_port needs a number within its limits (ferryd(8))"},
    {"empty", "", 0, "public_url is missing"},
    {"a key is missing", "public_url = https://cm.example.org\n", 0, "certificate is missing"},
    {"no key-encryption key", NEEDED TOKEN, 0, "give either kek_file or kek_credential"},
    {"two key-encryption keys", NEEDED TOKEN KEK "kek_credential = kek\n", 0,
     "give either kek_file or kek_credential"},
    {"no administrator", NEEDED KEK, 0, "nobody could administer it: give admin_token_file or client_ca"},
    {"keeper_user alone", NEEDED KEK TOKEN "keeper_user = k\n", 0, "keeper_user needs user as well"},
    {"no line of ours", "# x\nlisten 127.0.0.1:1\n", 2, "this is no line of the form key = value"},
    {"unknown key", "listne = 127.0.0.1:1\n", 1, "there is no such key"},
    {"no key", " = 127.0.0.1:1\n", 1, "there is no such key"},
    {"case matters", "Listen = 127.0.0.1:1\n", 1, "there is no such key"},
    {"doubled key", "listen = 127.0.0.1:1\n\nlisten = 127.0.0.1:1\n", 3, "listen is given twice"},
    {"no value", "listen = \n", 1, "listen has no value"},
    {"control character", "store = /a\x01\n", 1, "the line has a control character"},
    {"carriage return", "store = /a\r\n", 1, "the line has a control character"},
    {"relative path", "store = ferryd.db\n", 1, "store needs an absolute path"},
    {"no port", "listen = 127.0.0.1\n", 1, "listen needs ADDRESS:PORT, as 127.0.0.1:8443 or [::1]:8443"},
    {"port alone", "listen = :1\n", 1, "listen needs ADDRESS:PORT, as 127.0.0.1:8443 or [::1]:8443"},
    {"port too high", "listen = 127.0.0.1:65536\n", 1,
     "listen needs ADDRESS:PORT, as 127.0.0.1:8443 or [::1]:8443"},
    {"host name", "listen = localhost:1\n", 1, "listen needs ADDRESS:PORT, as 127.0.0.1:8443 or [::1]:8443"},
    {"bare version 6", "listen = ::1:1\n", 1, "listen needs ADDRESS:PORT, as 127.0.0.1:8443 or [::1]:8443"},
    {"empty brackets", "listen = []:1\n", 1, "listen needs ADDRESS:PORT, as 127.0.0.1:8443 or [::1]:8443"},
    {"plain text", "public_url = http://a\n", 1,
     "public_url needs https://HOST or https://HOST:PORT, without a slash at the end"},
    {"slash at the end", "public_url = https://a/\n", 1,
     "public_url needs https://HOST or https://HOST:PORT, without a slash at the end"},
    {"no host", "public_url = https://\n", 1,
     "public_url needs https://HOST or https://HOST:PORT, without a slash at the end"},
    {"query", "public_url = https://a?b\n", 1,
     "public_url needs https://HOST or https://HOST:PORT, without a slash at the end"},
    {"credential with a path", "kek_credential = ../kek\n", 1,
     "kek_credential needs a name of letters, digits, - . and _"},
    {"hidden credential", "kek_credential = .kek\n", 1,
     "kek_credential needs a name of letters, digits, - . and _"},
    {"user too long", "user = abcdefghijklmnopqrstuvwxyzabcdefghij\n", 1,
     "user has a value that is too long"},
    {"number below", "session_timeout_s = 9\n", 1,
     "session_timeout_s needs a number within its limits (ferryd(8))"},
    {"number above", "connections_max = 1000001\n", 1,
     "connections_max needs a number within its limits (ferryd(8))"},
    {"number that wraps", "connections_max = 4294967297\n", 1,
     "connections_max needs a number within its limits (ferryd(8))"},
    {"no number", "connections_max = 1x\n", 1,
     "connections_max needs a number within its limits (ferryd(8))"},
    {"negative", "connections_max = -1\n", 1, "connections_max needs a number within its limits (ferryd(8))"},
    {"no such weak choice", "allow_weak = scp02,scp03\n", 1,
     "allow_weak needs none, or some of des, scp01, scp02, rsa1024, sha1 with commas between"},
    {"level", "log_level = loud\n", 1, "log_level needs error, warning, info or debug"},
};

static void rows_parse_or_say_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct config config;
        struct config_problem why;
        memset(&config, 0x5A, sizeof(config));
        enum err e = config_parse(view_str(rows[i].text), &config, &why);
        if (rows[i].sentence == NULL) {
            if (e != OK)
                fail_msg("%s: %s", rows[i].name, why.text);
            continue;
        }
        if (e != ERR_FORMAT || why.line != rows[i].line || strcmp(why.text, rows[i].sentence) != 0)
            fail_msg("%s: %s, line %u: %s", rows[i].name, err_name(e), why.line, why.text);
        for (size_t at = 0; at < sizeof(config); at++)
            assert_int_equal(((const uint8_t *)&config)[at], 0x5A); /* nothing half-done */
    }
}

static void values_arrive(void **state)
{
    (void)state;
    struct config c;
    struct config_problem why;
    assert_int_equal(config_parse(view_str(NEEDED KEK TOKEN "order_expiry_s = 60\nlog_level = warning\n"
                                                            "allow_weak = des,scp02\n"
                                                            "connections_per_peer_max = 7\n"),
                                  &c, &why),
                     OK);
    assert_string_equal(c.public_url, "https://cm.example.org");
    assert_string_equal(c.kek_file, "/etc/ferryd/kek");
    assert_string_equal(c.listen, "127.0.0.1:8443");
    assert_string_equal(c.client_ca, "");
    assert_int_equal(c.order_expiry_s, 60);
    assert_int_equal(c.connections_per_peer_max, 7);
    assert_int_equal(c.allow_weak, 1U << WEAK_DES | 1U << WEAK_SCP02);
    assert_int_equal(c.connections_max, 10000);
    assert_int_equal(c.session_timeout_s, 600);
    assert_int_equal(c.log_level, LOG_WARNING);
}

static void limits_of_length(void **state)
{
    (void)state;
    struct config c;
    struct config_problem why;
    char text[CONFIG_VALUE_MAX + 64];
    int n = snprintf(text, sizeof(text), "store = /%0*d", CONFIG_VALUE_MAX - 1, 0);
    assert_int_equal(config_parse(view_of(text, (size_t)n), &c, &why), ERR_FORMAT);
    assert_string_equal(why.text, "public_url is missing"); /* the value itself was taken */
    n = snprintf(text, sizeof(text), "store = /%0*d", CONFIG_VALUE_MAX, 0);
    assert_int_equal(config_parse(view_of(text, (size_t)n), &c, &why), ERR_FORMAT);
    assert_string_equal(why.text, "store has a value that is too long");

    char *large = calloc(1, CONFIG_TEXT_MAX + 1);
    assert_non_null(large);
    memset(large, '\n', CONFIG_TEXT_MAX + 1);
    assert_int_equal(config_parse(view_of(large, CONFIG_TEXT_MAX), &c, &why), ERR_FORMAT);
    assert_int_equal(config_parse(view_of(large, CONFIG_TEXT_MAX + 1), &c, &why), ERR_LIMIT);
    free(large);
}

static void file_and_line_are_named(void **state)
{
    (void)state;
    struct config c;
    char why[CONFIG_WHY_MAX], want[CONFIG_WHY_MAX], path[] = "/tmp/test_config.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, NEEDED "x\n", sizeof(NEEDED "x\n") - 1), sizeof(NEEDED "x\n") - 1);
    close(fd);
    assert_int_equal(config_load(path, &c, why), ERR_FORMAT);
    snprintf(want, sizeof(want), "%s:5: this is no line of the form key = value", path);
    assert_string_equal(why, want);
    unlink(path);
    assert_int_equal(config_load(path, &c, why), ERR_IO);
    snprintf(want, sizeof(want), "%s: No such file or directory", path);
    assert_string_equal(why, want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_parse_or_say_why),
        cmocka_unit_test(values_arrive),
        cmocka_unit_test(limits_of_length),
        cmocka_unit_test(file_and_line_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
