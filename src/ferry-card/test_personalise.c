/* SPDX-License-Identifier: Apache-2.0
 *
 * What a new card is given: what follows from what, what does not go together, and key files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include <support/vectors.h>

#include "keyfile.h"
#include "personalise.h"

static char folder[] = "/tmp/ferry-card-keys-XXXXXX";
static char path[64];

static int setup(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/keys", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    vectors_free();
    unlink(path);
    return rmdir(folder);
}

static enum err fill(void *ctx, uint8_t *out, size_t len)
{
    const enum err *e = ctx;
    memset(out, 0xD1, len);
    return *e;
}

static enum err complete(struct personal *p, enum err e)
{
    return personal_complete(p, (struct random_source){fill, &e});
}

static struct personal blank(const char *kind)
{
    struct personal p = {.kind = *card_kind_by_name(kind)};
    struct view isd = vector_hex(p.kind.isd);
    memcpy(p.isd, isd.data, isd.len);
    p.isd_len = isd.len;
    return p;
}

static void numbers_follow_from_the_serial_number(void **state)
{
    (void)state;
    struct personal p = blank("modern");
    assert_int_equal(complete(&p, OK), OK);
    assert_true(view_equal(VIEW_OF(p.serial), vector_hex("D1D1D1D1")));
    assert_true(view_equal(VIEW_OF(p.kdd), vector_hex("00006001D1D1D1D10001")));
    assert_true(view_equal(view_of(p.cin, p.cin_len), VIEW_OF(p.kdd)));
    assert_true(view_equal(view_head(view_tail(VIEW_OF(p.cplc), 12), 4), vector_hex("D1D1D1D1")));
    /* What is given stays. */
    struct personal q = blank("classic");
    static const uint8_t serial[] = {1, 2, 3, 4}, kdd[] = {9, 8, 7, 6, 5, 4, 3, 2, 1, 0};
    memcpy(q.serial, serial, sizeof serial);
    q.serial_len = sizeof serial;
    memcpy(q.kdd, kdd, sizeof kdd);
    q.kdd_len = sizeof kdd;
    q.cin[0] = 0x77;
    q.cin_len = 1;
    assert_int_equal(complete(&q, ERR_CRYPTO), OK); /* needs no randomness */
    assert_true(view_equal(VIEW_OF(q.kdd), VIEW_OF(kdd)));
    assert_int_equal(q.cin_len, 1);
    assert_true(view_equal(view_head(view_tail(VIEW_OF(q.cplc), 12), 4), VIEW_OF(serial)));
    struct personal r = blank("modern");
    assert_int_equal(complete(&r, ERR_CRYPTO), ERR_CRYPTO);
}

static void lengths_are_checked(void **state)
{
    (void)state;
    for (int n = 0; n < 3; n++) {
        struct personal p = blank("modern");
        size_t *const lens[] = {&p.cplc_len, &p.serial_len, &p.kdd_len};
        *lens[n] = 3;
        assert_int_equal(complete(&p, OK), ERR_ARGUMENT);
    }
}

/* GPCS 2.3.1 E.2: where i has one base key, three different keys are a mistake. */
static void a_base_key_is_one(void **state)
{
    struct card_kind kind = {.scp = 2, .i = 0x1A, .key_bits = 128};
    struct secret keys[3] = {{.len = 16}, {.len = 16}, {.len = 16}};
    (void)state;
    assert_true(card_kind_keys_fit(&kind, keys));
    keys[1].data[15] = 1;
    assert_false(card_kind_keys_fit(&kind, keys));
    kind.i = 0x15;
    assert_true(card_kind_keys_fit(&kind, keys));
    keys[2].len = 24;
    assert_false(card_kind_keys_fit(&kind, keys));
}

static void what_does_not_go_together(void **state)
{
    static const struct {
        const char *name, *java_card;
        uint8_t scp, i, kvn;
        uint16_t bits;
        size_t key_len, last_key_len, isd_len;
        enum err e;
    } rows[] = {{"as it is", "3.0.5", 3, 0x70, 0x30, 128, 16, 16, 8, OK},
                {"AES-256", "3.0.5", 3, 0x70, 0x30, 256, 32, 32, 8, OK},
                {"SCP02", "2.2.2", 2, 0x15, 0xFF, 128, 16, 16, 8, OK},
                {"SCP02 with AES lengths", "2.2.2", 2, 0x15, 0xFF, 256, 32, 32, 8, ERR_ARGUMENT},
                {"implicit SCP02", "2.2.2", 2, 0x1A, 0xFF, 128, 16, 16, 8, OK},
                {"SCP02 on the unmodified APDU alone", "2.2.2", 2, 0x17, 0xFF, 128, 16, 16, 8, ERR_ARGUMENT},
                {"SCP02 with one DES", "2.2.2", 2, 0x15, 0xFF, 64, 8, 8, 8, ERR_ARGUMENT},
                {"SCP03 with one DES", "2.2.2", 3, 0x70, 0xFF, 64, 8, 8, 8, ERR_ARGUMENT},
                {"unknown i", "3.0.5", 3, 0x40, 0x30, 128, 16, 16, 8, ERR_ARGUMENT},
                {"SCP01", "2.2.2", 1, 0x05, 0x30, 128, 16, 16, 8, OK},
                {"SCP01 with one DES", "2.2.2", 1, 0x15, 0x30, 64, 8, 8, 8, OK},
                {"SCP01 with AES lengths", "2.2.2", 1, 0x15, 0x30, 192, 24, 24, 8, ERR_ARGUMENT},
                {"version 0", "3.0.5", 3, 0x70, 0x00, 128, 16, 16, 8, ERR_ARGUMENT},
                {"odd bits", "3.0.5", 3, 0x70, 0x30, 160, 20, 20, 8, ERR_ARGUMENT},
                {"keys of another length", "3.0.5", 3, 0x70, 0x30, 256, 16, 16, 8, ERR_ARGUMENT},
                {"one key of another length", "3.0.5", 3, 0x70, 0x30, 128, 16, 24, 8, ERR_ARGUMENT},
                {"no such Java Card", "9.9", 3, 0x70, 0x30, 128, 16, 16, 8, ERR_ARGUMENT},
                {"AID too short", "3.0.5", 3, 0x70, 0x30, 128, 16, 16, 4, ERR_ARGUMENT}};
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        struct personal p = blank("modern");
        struct secret keys[3] = {
            {.len = rows[n].key_len}, {.len = rows[n].key_len}, {.len = rows[n].last_key_len}};
        struct card_state *s = calloc(1, sizeof *s);
        assert_non_null(s);
        assert_int_equal(complete(&p, OK), OK);
        p.kind.java_card = rows[n].java_card;
        p.kind.scp = rows[n].scp;
        p.kind.i = rows[n].i;
        p.kind.kvn = rows[n].kvn;
        p.kind.key_bits = rows[n].bits;
        p.isd_len = rows[n].isd_len;
        enum err e = personalise(&p, keys, s);
        if (e != rows[n].e)
            fail_msg("%s: %s", rows[n].name, err_name(e));
        card_state_finish(s);
        free(s);
    }
}

/* ---- key files ---- */

static void write_file(const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

#define KEY16 "000102030405060708090A0B0C0D0E0F"

static void key_files_are_read(void **state)
{
    static const struct {
        const char *text;
        size_t len; /* 0: refused */
    } rows[] = {{KEY16 "\n", 16},
                {KEY16, 16},
                {KEY16 "\r\n", 16},
                {"# a comment\n\n" KEY16 "\n" KEY16 "\n" KEY16 "\n", 16},
                {KEY16 "1011121314151617\n", 24},
                {KEY16 KEY16 "\n", 32},
                {"", 0},
                {"# nothing\n", 0},
                {KEY16 "\n" KEY16 "\n", 0},
                {KEY16 "\n" KEY16 "\n" KEY16 "\n" KEY16 "\n", 0},
                {"0001\n", 0},
                {KEY16 KEY16 "00\n", 0},
                {"00 01 02\n", 0},
                {KEY16 "0\n", 0},
                {"xx\n", 0}};
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        struct secret keys[3] = {0};
        write_file(rows[n].text);
        enum err e = keyfile_read(path, keys);
        if (e != (rows[n].len != 0 ? OK : ERR_FORMAT) || keys[0].len != rows[n].len ||
            keys[2].len != rows[n].len)
            fail_msg("row %zu: %s", n, err_name(e));
    }
    struct secret keys[3] = {0};
    unlink(path);
    assert_int_equal(keyfile_read(path, keys), ERR_NOT_FOUND);
}

static void key_files_are_made_once_and_for_their_owner(void **state)
{
    enum err e = OK;
    struct random_source random = {fill, &e};
    struct secret made[3] = {0}, read[3] = {0};
    struct stat st;
    (void)state;
    unlink(path);
    assert_int_equal(keyfile_make(path, 24, 3, random, made), OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(keyfile_read(path, read), OK);
    for (int n = 0; n < 3; n++)
        assert_true(view_equal(secret_view(&made[n]), secret_view(&read[n])));
    assert_int_equal(keyfile_make(path, 24, 3, random, made), ERR_EXISTS);
    assert_int_equal(made[0].len, 0); /* not left over */
    unlink(path);
    assert_int_equal(keyfile_make(path, 33, 3, random, made), ERR_ARGUMENT);
    assert_int_equal(keyfile_make(path, 16, 2, random, made), ERR_ARGUMENT);
    assert_int_equal(keyfile_make(path, 8, 1, random, made), OK);
    assert_int_equal(keyfile_read(path, read), OK);
    for (int n = 0; n < 3; n++)
        assert_true(read[n].len == 8 && secret_equal(secret_view(&made[n]), secret_view(&read[0])));
    unlink(path);
    e = ERR_CRYPTO;
    assert_int_equal(keyfile_make(path, 16, 3, random, made), ERR_CRYPTO);
    assert_int_equal(stat(path, &st), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_follow_from_the_serial_number),
        cmocka_unit_test(lengths_are_checked),
        cmocka_unit_test(a_base_key_is_one),
        cmocka_unit_test(what_does_not_go_together),
        cmocka_unit_test(key_files_are_read),
        cmocka_unit_test(key_files_are_made_once_and_for_their_owner),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
