/* SPDX-License-Identifier: Apache-2.0
 *
 * Key pairs on new cards: options, files, the folder of the other side, and what comes onto the card. */
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

#include <base/limits.h>
#include <support/vectors.h>

#include "certificate.h"
#include "channel_scp11.h"
#include "channel_signed.h"
#include "keyed.h"
#include "keypair.h"
#include "pem.h"
#include "personalise.h"

static char folder[] = "/tmp/ferry-card-keyed-XXXXXX";
static char host[64], path[128];
static struct crypto *crypto;

static int setup(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(host, sizeof host, "%s/host", folder);
    return crypto_new(&crypto) == OK ? 0 : -1;
}

static int teardown(void **state)
{
    static const char *const names[] = {"ca.key",        "ca.pub",       "oce.key",       "oce.pub",
                                        "oce.cert",      "oce.crt",      "card-ca.key",   "card-ca.pub",
                                        "group.key",     "group.pub",    "server-03.key", "server-03.pub",
                                        "server-04.key", "server-04.pub"};
    (void)state;
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
        snprintf(path, sizeof path, "%s/%s", host, names[n]);
        unlink(path);
    }
    rmdir(host);
    vectors_free();
    crypto_free(&crypto);
    return rmdir(folder);
}

static bool option(struct keyed *k, const char *name, const char *value)
{
    size_t count;
    const struct keyed_option *rows = keyed_options(&count);
    for (size_t n = 0; n < count; n++) {
        if (strcmp(rows[n].name, name) == 0)
            return rows[n].read(k, value);
    }
    fail_msg("no option %s", name);
    return false;
}

static struct card_state *new_state(void)
{
    struct card_state *s = calloc(1, sizeof *s);
    struct personal p = {.kind = *card_kind_by_name("modern")};
    struct secret keys[3] = {0};
    struct view isd = vector_hex(p.kind.isd);
    assert_non_null(s);
    memcpy(p.isd, isd.data, isd.len);
    p.isd_len = isd.len;
    for (int n = 0; n < 3; n++)
        keys[n].len = 16;
    assert_int_equal(personal_complete(&p, crypto_random()), OK);
    assert_int_equal(personalise(&p, keys, s), OK);
    return s;
}

static void end_state(struct card_state *s)
{
    card_state_finish(s);
    free(s);
}

static enum err put(const struct keyed *k, struct card_state *s)
{
    char what[KEYED_WHAT_MAX];
    return keyed_personalise(k, s, what);
}

static struct pk *key_of(struct card_state *s, uint8_t kvn, uint8_t kid)
{
    struct pk *k = NULL;
    struct card_key *stored = card_find_key(s, VIEW_NULL, kvn, kid);
    if (stored != NULL)
        assert_int_equal(keypair_load(stored, &k), OK);
    return k;
}

static struct pk *file_key(const char *name)
{
    struct pk *k = NULL;
    snprintf(path, sizeof path, "%s/%s", host, name);
    assert_int_equal(pem_read_key(path, &k), OK);
    return k;
}

static void values_of_options(void **state)
{
    static const struct {
        const char *name, *value;
        bool ok;
    } rows[] = {{"scp11", "abc", true},         {"scp11", "c", true},
                {"scp11", "", false},           {"scp11", "abd", false},
                {"scp11-curve", "P-521", true}, {"scp11-curve", "P-192", false},
                {"scp11-kvn", "7F", true},      {"scp11-kvn", "00", false},
                {"scp11-kvn", "80", false},     {"scp11-kvn", "3", false},
                {"scp11-kvn", "0303", false},   {"scp11-form", "gp", true},
                {"scp11-form", "x509", true},   {"scp11-form", "pem", false},
                {"scp11-mac", "8", true},       {"scp11-mac", "16", true},
                {"scp11-mac", "12", false},     {"scp11-group", "01", true},
                {"scp11-group", "", false},     {"scp11-group", "00112233445566778899AABBCCDDEEFF00", false},
                {"signed", "01", true},         {"signed", "05", true},
                {"signed", "00", false},        {"signed", "06", false},
                {"signed", "x", false},         {"signed-kvn", "40", true},
                {"signed-kvn", "00", false}};
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        struct keyed k;
        keyed_init(&k);
        if (option(&k, rows[n].name, rows[n].value) != rows[n].ok)
            fail_msg("%s %s", rows[n].name, rows[n].value);
    }
}

static void what_goes_together(void **state)
{
    static const struct {
        const char *options[8];
        bool ok;
    } rows[] = {{{NULL}, true},
                {{"scp11", "b"}, true},
                {{"scp11", "a"}, false},
                {{"scp11", "bc"}, false},
                {{"scp11", "a", "scp11-ca", "x"}, true},
                {{"scp11", "c", "host-keys", "x"}, true},
                {{"scp11-ca", "x"}, false},
                {{"scp11-key", "x"}, false},
                {{"scp11-card-ca", "x"}, false},
                {{"scp11-certificates", "x"}, false},
                {{"scp11-mac", "16"}, false},
                {{"scp11-trust-b", ""}, false},
                {{"signed", "04"}, false},
                {{"signed", "04", "host-keys", "x"}, true},
                {{"signed", "04", "signed-server", "x"}, true},
                {{"signed-server", "x"}, false},
                {{"signed-key", "x"}, false},
                {{"signed", "04", "host-keys", "x", "signed-kvn", "30"}, false},
                {{"signed", "04", "host-keys", "x", "signed-kvn", "03"}, true},
                {{"signed", "04", "host-keys", "x", "signed-kvn", "03", "scp11", "b"}, false}};
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        struct keyed k;
        keyed_init(&k);
        for (size_t o = 0; o < 8 && rows[n].options[o] != NULL; o += 2)
            assert_true(option(&k, rows[n].options[o], rows[n].options[o + 1]));
        if ((keyed_problem(&k, 0x30) == NULL) != rows[n].ok)
            fail_msg("row %zu", n);
    }
}

static void flags_of_the_profile(void **state)
{
    struct keyed k;
    (void)state;
    keyed_init(&k);
    assert_int_equal(keyed_flags(&k), 0);
    option(&k, "scp11-mac", "16");
    option(&k, "scp11-trust-b", "");
    assert_int_equal(keyed_flags(&k), CARD_SCP11_S16 | CARD_TRUSTS_SCP11B);
}

static void mode_of(const char *name, mode_t want)
{
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", host, name);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, want);
}

/* One folder, two cards: one authority, one key for the group, and keys of their own for all else. */
static void a_folder_serves_many_cards(void **state)
{
    struct keyed k;
    struct card_state *one = new_state(), *two = new_state();
    (void)state;
    keyed_init(&k);
    option(&k, "host-keys", host);
    option(&k, "scp11", "abc");
    option(&k, "signed", "04");
    assert_int_equal(put(&k, one), OK);
    assert_int_equal(put(&k, two), OK);
    static const struct {
        uint8_t kvn, kid;
        bool shared, own;
        const char *file;
    } rows[] = {{0x03, 0x10, true, false, "ca.pub"},
                {0x03, 0x11, false, true, NULL},
                {0x03, 0x13, false, true, NULL},
                {0x03, 0x15, true, true, "group.pub"},
                {0x40, 0x01, true, false, "server-04.pub"},
                {0x40, 0x02, false, true, NULL},
                {0x40, 0x03, false, false, NULL}};
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        struct pk *a = key_of(one, rows[n].kvn, rows[n].kid), *b = key_of(two, rows[n].kvn, rows[n].kid);
        assert_true(a != NULL && b != NULL);
        assert_int_equal(pk_is_private(a), rows[n].own);
        assert_int_equal(pk_same(a, b), rows[n].shared);
        struct pk *file = rows[n].file != NULL ? file_key(rows[n].file) : NULL;
        assert_true(file == NULL || pk_same(a, file));
        pk_free(&a);
        pk_free(&b);
        pk_free(&file);
    }
    mode_of("ca.key", 0600);
    mode_of("server-04.key", 0600);
    mode_of("oce.cert", 0644);
    end_state(one);
    end_state(two);
}

/* The same folder for every curve. */
static void keys_of_other_curves(void **state)
{
    static const char *const names[] = {"ca", "oce", "card-ca", "group"};
    struct keyed k;
    struct card_state *s = new_state();
    (void)state;
    keyed_init(&k);
    option(&k, "host-keys", host);
    option(&k, "scp11", "ac");
    option(&k, "scp11-curve", "P-384");
    assert_int_equal(put(&k, s), OK);
    struct pk *group = key_of(s, 0x03, 0x15), *file = file_key("group-P-384.key");
    assert_true(pk_same(group, file));
    assert_int_equal(pk_ec_curve(group), CURVE_P384);
    pk_free(&group);
    pk_free(&file);
    for (size_t n = 0; n < 4; n++) {
        char name[32];
        for (int half = 0; half < 2; half++) {
            snprintf(name, sizeof name, "%s-P-384.%s", names[n], half ? "key" : "pub");
            file = file_key(name);
            assert_int_equal(pk_ec_curve(file), CURVE_P384);
            assert_int_equal(pk_is_private(file), half);
            pk_free(&file);
            unlink(path);
        }
    }
    snprintf(path, sizeof path, "%s/oce-P-384.cert", host);
    assert_int_equal(unlink(path), 0);
    end_state(s);
}

/* The certificates hold: the card's under the cards' authority, the host's under its own. */
static void certificates_hold(void **state)
{
    (void)state;
    for (int x509 = 0; x509 < 2; x509++) {
        struct keyed k;
        struct card_state *s = new_state();
        struct card_certificate cert;
        struct pk *found = NULL, *ca = NULL, *own = NULL;
        keyed_init(&k);
        option(&k, "host-keys", host);
        option(&k, "scp11", "abc");
        option(&k, "scp11-form", x509 ? "x509" : "gp");
        assert_int_equal(put(&k, s), OK);
        ca = file_key("card-ca.pub");
        for (uint8_t kid = 0x11; kid <= 0x15; kid += 2) {
            const struct card_object *o =
                card_find_certificate(s, VIEW_NULL, CARD_TAG_CERTIFICATES, 0x03, kid);
            assert_non_null(o);
            assert_int_equal(card_certificate_parse(view_of(o->data, o->len), &cert), OK);
            assert_int_equal(cert.x509, x509);
            assert_int_equal(card_certificate_verify(crypto, &cert, ca, NULL, false, 1781524800000, &found),
                             OK);
            own = key_of(s, 0x03, kid);
            assert_true(pk_same(found, own));
            pk_free(&own);
            pk_free(&found);
        }
        pk_free(&ca);
        struct writer bytes;
        wr_heap(&bytes, CERTIFICATE_MAX);
        snprintf(path, sizeof path, "%s/oce.%s", host, x509 ? "crt" : "cert");
        assert_int_equal(pem_read_certificates(path, &bytes), OK);
        assert_int_equal(card_certificate_parse(wr_view_of(&bytes), &cert), OK);
        ca = file_key("ca.pub");
        assert_int_equal(card_certificate_verify(crypto, &cert, ca, NULL, false, 1781524800000, &found), OK);
        own = file_key("oce.key");
        assert_true(pk_same(found, own));
        pk_free(&own);
        pk_free(&found);
        pk_free(&ca);
        wr_free(&bytes);
        end_state(s);
    }
}

/* Keys of another kind than is asked for, private ones that are none, files that are not there. */
static void wrong_files(void **state)
{
    static char ca_pub[128], server[128], none[128], ca_key[128];
    static const struct {
        const char *name, *more;
        const char *file, *value;
        enum err e;
    } rows[] = {{"scp11", "b", "scp11-key", ca_pub, ERR_UNSUPPORTED},
                {"scp11", "b", "scp11-key", server, ERR_UNSUPPORTED},
                {"scp11", "b", "scp11-key", none, ERR_NOT_FOUND},
                {"scp11", "b", "scp11-key", ca_key, OK},
                {"scp11", "b", "scp11-ca", none, ERR_NOT_FOUND},
                {"scp11", "b", "scp11-certificates", ca_pub, ERR_FORMAT},
                {"scp11", "b", "scp11-card-ca", ca_pub, ERR_STATE},
                {"signed", "05", "signed-server", ca_pub, ERR_UNSUPPORTED},
                {"signed", "03", "signed-key", ca_key, ERR_UNSUPPORTED},
                {"signed", "04", "signed-key", ca_pub, ERR_UNSUPPORTED},
                {"signed", "04", "signed-key", ca_key, OK}};
    struct keyed k;
    struct card_state *s = new_state();
    (void)state;
    snprintf(ca_pub, sizeof ca_pub, "%s/ca.pub", host);
    snprintf(ca_key, sizeof ca_key, "%s/ca.key", host);
    snprintf(server, sizeof server, "%s/server-03.key", host);
    snprintf(none, sizeof none, "%s/none", host);
    keyed_init(&k);
    option(&k, "host-keys", host);
    option(&k, "signed", "03");
    assert_int_equal(put(&k, s), OK);
    end_state(s);
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        s = new_state();
        keyed_init(&k);
        option(&k, "host-keys", host);
        assert_true(option(&k, rows[n].name, rows[n].more));
        assert_true(option(&k, rows[n].file, rows[n].value));
        if (put(&k, s) != rows[n].e)
            fail_msg("row %zu", n);
        assert_int_equal(s->key_count == 0, rows[n].e != OK);
        end_state(s);
    }
}

/* PEM and DER of all kinds say the same key. */
static void keys_in_files(void **state)
{
    struct pk *k = file_key("ca.key"), *again = NULL;
    struct writer der;
    (void)state;
    snprintf(path, sizeof path, "%s/der", folder);
    for (int how = 0; how < 2; how++) {
        wr_heap(&der, PK_PRIVATE_MAX);
        assert_int_equal(how == 0 ? pk_put_pkcs8(k, &der) : pk_put_spki(k, &der), OK);
        assert_int_equal(pem_write_bytes(path, wr_view_of(&der)), OK);
        assert_int_equal(pem_read_key(path, &again), OK);
        assert_true(pk_same(k, again));
        assert_int_equal(pk_is_private(again), how == 0);
        assert_int_equal(pem_write_bytes(path, wr_view_of(&der)), ERR_EXISTS);
        pk_free(&again);
        unlink(path);
        wr_free(&der);
    }
    assert_int_equal(pem_write_bytes(path, view_str("nothing of the kind")), OK);
    assert_int_equal(pem_read_key(path, &again), ERR_FORMAT);
    unlink(path);
    pk_free(&k);
}

/* Certificates in PEM, with text around them, one behind the other. */
static void certificates_in_files(void **state)
{
    struct writer der, text, got;
    (void)state;
    wr_heap(&der, CERTIFICATE_MAX);
    wr_heap(&text, 4 * CERTIFICATE_MAX);
    wr_heap(&got, 4 * CERTIFICATE_MAX);
    const json_t *rows = vectors_load("scp11/chain.json");
    wr_view(&der, vector_bytes(json_array_get(rows, 1), "certificate"));
    wr_view(&text, view_str("subject=card\n"));
    pem_put(&text, "CERTIFICATE", wr_view_of(&der));
    wr_view(&text, view_str("and again\n"));
    pem_put(&text, "CERTIFICATE", wr_view_of(&der));
    snprintf(path, sizeof path, "%s/pem", folder);
    assert_int_equal(pem_write_bytes(path, wr_view_of(&text)), OK);
    assert_int_equal(pem_read_certificates(path, &got), OK);
    assert_int_equal(got.len, 2 * der.len);
    assert_true(view_equal(view_head(wr_view_of(&got), der.len), wr_view_of(&der)));
    assert_true(view_equal(view_tail(wr_view_of(&got), der.len), wr_view_of(&der)));
    unlink(path);
    wr_view(&text, view_str("-----BEGIN CERTIFICATE-----\nAAAA\n"));
    assert_int_equal(pem_write_bytes(path, wr_view_of(&text)), OK);
    assert_int_equal(pem_read_certificates(path, &got), ERR_FORMAT);
    unlink(path);
    wr_free(&der);
    wr_free(&text);
    wr_free(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_options),     cmocka_unit_test(what_goes_together),
        cmocka_unit_test(flags_of_the_profile),  cmocka_unit_test(a_folder_serves_many_cards),
        cmocka_unit_test(keys_of_other_curves),  cmocka_unit_test(certificates_hold),
        cmocka_unit_test(wrong_files),           cmocka_unit_test(keys_in_files),
        cmocka_unit_test(certificates_in_files),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
