/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys as text, good and bad, and certificates as files have them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "keysource.h"

#define A "000102030405060708090A0B0C0D0E0F"
#define B "101112131415161718191a1b1c1d1e1f"
#define C "F0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF"

static const struct {
    const char *text;
    size_t len;               /* 0: refused */
    uint8_t enc0, mac0, dek0; /* first bytes */
    const char *problem;
} rows[] = {
    {A, 16, 0x00, 0x00, 0x00, NULL},
    {A "\n", 16, 0x00, 0x00, 0x00, NULL},
    {A "\r\n" B "\r\n" C "\r\n", 16, 0x00, 0x10, 0xF0, NULL},
    {"# ENC MAC DEK\n\n " A "\t" B " " C, 16, 0x00, 0x10, 0xF0, NULL},
    {A B " # a comment", 32, 0x00, 0x00, 0x00, NULL},
    {A B, 32, 0x00, 0x00, 0x00, NULL},
    {A "1011121314151617", 24, 0x00, 0x00, 0x00, NULL},
    {"", 0, 0, 0, 0, "0 keys"},
    {"# " A, 0, 0, 0, 0, "0 keys"},
    {A "\n" B, 0, 0, 0, 0, "2 keys"},
    {A "\n" B "\n" C "\n" A, 0, 0, 0, 0, "line 4: "},
    {A "\n" B "\n" C "00", 0, 0, 0, 0, "line 3: "},
    {A "\n" B "\n" A B, 0, 0, 0, 0, "differ in length"},
    {A "0", 0, 0, 0, 0, "line 1: "},
    {"\n\nx00102030405060708090A0B0C0D0E0F", 0, 0, 0, 0, "line 3: this is not"},
    {"0001020304050607", 8, 0x00, 0x00, 0x00, NULL},
    {"00010203040506", 0, 0, 0, 0, "line 1: a key has"},
    {"00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F", 0, 0, 0, 0, "line 1: "},
};

static void keys_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct card_keys keys = {.type = KEY_AES};
        struct key_problem why = {""};
        print_message("row %zu\n", i);
        enum err e = key_text_parse(view_str(rows[i].text), &keys, &why);
        assert_int_equal(e, rows[i].len > 0 ? OK : ERR_FORMAT);
        if (rows[i].problem != NULL)
            assert_non_null(strstr(why.text, rows[i].problem));
        if (e != OK) {
            assert_int_equal(keys.enc.len, 0); /* nothing half-read */
            assert_null(strstr(why.text, "0B0C0D"));
            continue;
        }
        assert_int_equal(keys.enc.len, rows[i].len);
        assert_int_equal(keys.mac.len, rows[i].len);
        assert_int_equal(keys.dek.len, rows[i].len);
        assert_int_equal(keys.enc.data[0], rows[i].enc0);
        assert_int_equal(keys.mac.data[0], rows[i].mac0);
        assert_int_equal(keys.dek.data[0], rows[i].dek0);
        card_keys_wipe(&keys);
    }
}

static void only_its_own_option_gives_the_default_key(void **state)
{
    (void)state;
    struct card_keys keys;
    struct key_problem why = {""};
    const struct key_source good = {.origin = KEY_DEFAULT}, none = {.origin = KEY_FROM_NOWHERE};
    assert_int_equal(key_source_read(&good, "key", &keys, &why), OK);
    assert_int_equal(keys.dek.data[15], 0x4F);
    assert_int_equal(key_source_read(&none, "key", &keys, &why), ERR_NOT_FOUND);
}

static void the_environment_is_read(void **state)
{
    (void)state;
    struct card_keys keys;
    struct key_problem why = {""};
    struct key_source s = {.origin = KEY_FROM_ENVIRONMENT, .name = "FERRY_UNIT_TEST_KEY"};
    unsetenv(s.name);
    assert_int_equal(key_source_read(&s, "key", &keys, &why), ERR_NOT_FOUND);
    setenv(s.name, C, 1);
    assert_int_equal(key_source_read(&s, "key", &keys, &why), OK);
    assert_int_equal(keys.enc.data[0], 0xF0);
    setenv(s.name, "F0", 1);
    assert_int_equal(key_source_read(&s, "key", &keys, &why), ERR_FORMAT);
    assert_non_null(strstr(why.text, s.name));
    s.name = A;
    assert_int_equal(key_source_read(&s, "key", &keys, &why), ERR_ARGUMENT);
    assert_null(strstr(why.text, A));
}

/* ---- certificates */

static const struct {
    const char *text;
    size_t len;      /* 0: of the string */
    const char *hex; /* NULL: refused */
} certificates[] = {
    {"\x7F\x21\x01\x41", 4, "7F210141"},
    {"\x30\x01\x41", 3, "300141"},
    {"7f210141\n", 9, "7F210141"},
    {"# CERT.OCE.ECKA\n7F210141", 0, "7F210141"},
    {"-----BEGIN CERTIFICATE-----\nMAP/\n+w==\n-----END CERTIFICATE-----\n", 0, "3003FFFB"},
    {"-----BEGIN CERTIFICATE-----\nMAP!\n-----END CERTIFICATE-----\n", 0, NULL},
    {"-----BEGIN CERTIFICATE-----\nMAP/\n", 0, NULL},
    {"-----BEGIN PRIVATE KEY-----\nMAP/\n-----END PRIVATE KEY-----\n", 0, NULL},
    {"", 0, NULL},
    {"7F2", 0, NULL},
    {"hello", 0, NULL},
};

static void certificates_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(certificates) / sizeof(certificates[0]); i++) {
        char path[] = "/tmp/ferry-test.XXXXXX", hex[64] = "";
        uint8_t memory[16];
        struct writer out;
        struct key_problem why = {""};
        int fd = mkstemp(path);
        print_message("row %zu\n", i);
        assert_true(fd >= 0);
        size_t len = certificates[i].len > 0 ? certificates[i].len : strlen(certificates[i].text);
        assert_int_equal(write(fd, certificates[i].text, len), len);
        close(fd);
        wr_fixed(&out, memory, sizeof(memory));
        enum err e = key_certificate_read(path, &out, &why);
        unlink(path);
        if (certificates[i].hex == NULL) {
            assert_int_not_equal(e, OK);
            assert_non_null(strstr(why.text, "not a certificate"));
            continue;
        }
        assert_int_equal(e, OK);
        for (size_t n = 0; n < out.len; n++)
            snprintf(hex + 2 * n, 3, "%02X", out.data[n]);
        assert_string_equal(hex, certificates[i].hex);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_read),
        cmocka_unit_test(only_its_own_option_gives_the_default_key),
        cmocka_unit_test(the_environment_is_read),
        cmocka_unit_test(certificates_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
