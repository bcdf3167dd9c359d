/* SPDX-License-Identifier: Apache-2.0
 *
 * A new server's folder: it is complete, only its owner can read secrets, the check finds nothing; then one
 * thing at a time is spoilt, and the check names it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "check.h"
#include "init.h"
#include <base/text.h>
#include <crypto/crypto.h>

enum { PATH_ROOM = 128, TEXT_ROOM = 4096 };

static char root[64];

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about;
    (void)kind;
    (void)where;
    return remove(path);
}

static int setup(void **state)
{
    (void)state;
    snprintf(root, sizeof(root), "/tmp/test_init.XXXXXX");
    return mkdtemp(root) != NULL ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *path_of(const char *name)
{
    static char path[PATH_ROOM];
    snprintf(path, sizeof(path), "%s/new/%s", root, name);
    return path;
}

static struct view read_text(const char *name, struct writer *w, void *memory)
{
    wr_fixed(w, memory, TEXT_ROOM);
    assert_int_equal(config_read_file(path_of(name), TEXT_ROOM, w), OK);
    return wr_view_of(w);
}

static void make(void)
{
    static char folder[PATH_ROOM];
    char why[INIT_WHY_MAX];
    struct init_settings settings = {
        .folder = folder, .listen = "127.0.0.1:1234", .names = {"cm.example.org"}};
    settings.name_count = 1;
    snprintf(folder, sizeof(folder), "%s/new", root);
    (void)nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    if (init_run(&settings, why) != OK)
        fail_msg("%s", why);
}

static void load(struct config *config)
{
    char why[CONFIG_WHY_MAX];
    if (config_load(path_of("ferryd.conf"), config, why) != OK)
        fail_msg("%s", why);
}

static const struct {
    const char *name;
    unsigned mode;
} expected[] = {
    {"ferryd.conf", 0644}, {"admin.conf", 0644}, {"server.pem", 0644},  {"ca.pem", 0644},
    {"server.key", 0600},  {"ca.key", 0600},     {"admin.token", 0600}, {"admin.sha256", 0600},
    {"keeper", 0700},      {"store", 0700},      {"keeper/kek", 0600},  {"", 0700},
};

static void everything_is_there(void **state)
{
    (void)state;
    struct config config;
    mode_t before = umask(0);
    make();
    umask(before);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        struct stat about;
        if (stat(path_of(expected[i].name), &about) != 0 || (about.st_mode & 07777) != expected[i].mode)
            fail_msg("%s: mode %o", expected[i].name, about.st_mode & 07777);
    }
    load(&config);
    assert_string_equal(config.listen, "127.0.0.1:1234");
    assert_string_equal(config.public_url, "https://cm.example.org:1234");
    assert_string_equal(config.kek_file, path_of("keeper/kek"));
}

/* What the server stores of the token is its digest, and the token has 256 bits. */
static void the_token_and_its_digest(void **state)
{
    (void)state;
    char token_memory[TEXT_ROOM], digest_memory[TEXT_ROOM], hex[65];
    uint8_t digest[32], bytes[40];
    struct writer token_writer, digest_writer, raw;
    struct crypto *c = NULL;
    make();
    struct view token = read_text("admin.token", &token_writer, token_memory);
    struct view stored = read_text("admin.sha256", &digest_writer, digest_memory);
    assert_int_equal(token.len, 44);
    token = view_head(token, 43);
    wr_fixed(&raw, bytes, sizeof(bytes));
    assert_int_equal(base64url_read(token, &raw), OK);
    assert_int_equal(raw.len, 32);
    assert_int_equal(crypto_new(&c), OK);
    assert_int_equal(crypto_digest(c, DIGEST_SHA256, &token, 1, digest), OK);
    crypto_free(&c);
    hex_write(hex, VIEW_OF(digest));
    assert_true(view_equal(view_head(stored, 64), view_str(hex)));
}

static void two_folders_have_nothing_in_common(void **state)
{
    (void)state;
    static const char *const secrets[] = {"keeper/kek", "admin.token", "server.key", "ca.key"};
    for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
        char one_memory[TEXT_ROOM], two_memory[TEXT_ROOM];
        struct writer one, two;
        make();
        struct view first = read_text(secrets[i], &one, one_memory);
        make();
        if (view_equal(first, read_text(secrets[i], &two, two_memory)))
            fail_msg("%s", secrets[i]);
    }
}

static void what_init_refuses(void **state)
{
    (void)state;
    char why[INIT_WHY_MAX], folder[PATH_ROOM], long_folder[300];
    make();
    struct init_settings settings = {.folder = folder};
    snprintf(folder, sizeof(folder), "%s/new", root);
    assert_int_equal(init_run(&settings, why), ERR_EXISTS);
    assert_non_null(strstr(why, "not an empty folder"));
    struct config config;
    load(&config); /* what was there is untouched */

    snprintf(folder, sizeof(folder), "%s/no/such/place", root);
    assert_int_equal(init_run(&settings, why), ERR_IO);
    snprintf(folder, sizeof(folder), "%s/other", root);
    settings.names[0] = "a b";
    settings.name_count = 1;
    assert_int_equal(init_run(&settings, why), ERR_ARGUMENT);
    assert_non_null(strstr(why, "neither a host name nor an address"));
    assert_int_equal(rmdir(folder), 0); /* nothing is left in it */
    settings.names[0] = "x,DNS:evil.example.org";
    assert_int_equal(init_run(&settings, why), ERR_ARGUMENT);
    settings.name_count = 0;
    snprintf(long_folder, sizeof(long_folder), "%s/%0*d", root, 230, 0);
    settings.folder = long_folder;
    assert_int_equal(init_run(&settings, why), ERR_LIMIT);
    settings.folder = folder;
    settings.listen = "localhost";
    assert_int_equal(init_run(&settings, why), ERR_FORMAT);
    assert_non_null(strstr(why, "listen"));
    assert_int_equal(rmdir(folder), 0);
}

static const struct {
    const char *name;
    bool good;
} names[] = {
    {"localhost", true}, {"cm.example.org", true},
    {"10.0.0.1", true},  {"::1", true},
    {"fe80::1", true},   {"", false},
    {"-a", false},       {".a", false},
    {"a_b", false},      {"a:b", false},
    {"a,b", false},      {"a\nb", false},
};

static void names_for_certificates(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (pki_name_ok(names[i].name) != names[i].good)
            fail_msg("%s", names[i].name);
    }
    struct pki p;
    const char *many[PKI_NAMES_MAX + 1];
    for (size_t i = 0; i < PKI_NAMES_MAX + 1; i++)
        many[i] = "a";
    assert_int_equal(pki_make(many, PKI_NAMES_MAX + 1, &p), ERR_LIMIT);
    assert_int_equal(pki_make(many, 0, &p), ERR_LIMIT);
    many[0] = "a,b";
    assert_int_equal(pki_make(many, 1, &p), ERR_ARGUMENT);
}

/* --- check --- */

struct told {
    unsigned count;
    char last[1000];
};

static void remember(void *arg, const char *sentence)
{
    struct told *told = arg;
    told->count++;
    snprintf(told->last, sizeof(told->last), "%s", sentence);
}

static void overwrite(const char *name, const char *text)
{
    int fd = open(path_of(name), O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void spoil_kek_mode(struct config *c)
{
    assert_int_equal(chmod(c->kek_file, 0640), 0);
}

static void spoil_certificate(struct config *c)
{
    (void)c;
    overwrite("server.pem", "nothing");
}

static void spoil_pair(struct config *c)
{
    snprintf(c->private_key, sizeof(c->private_key), "%s", path_of("ca.key"));
}

static void spoil_ca(struct config *c)
{
    snprintf(c->client_ca, sizeof(c->client_ca), "%s", path_of("admin.conf"));
}

static void spoil_key_mode(struct config *c)
{
    assert_int_equal(chmod(c->private_key, 0644), 0);
}

static void spoil_token(struct config *c)
{
    (void)c;
    overwrite("admin.sha256", "0123\n");
}

static void spoil_token_length(struct config *c)
{
    (void)c;
    overwrite("admin.sha256", "00000000000000000000000000000000000000000000000000000000000000000000000\n");
}

static void spoil_token_file(struct config *c)
{
    unlink(c->admin_token_file);
}

static void spoil_token_mode(struct config *c)
{
    assert_int_equal(chmod(c->admin_token_file, 0640), 0);
}

static void spoil_store(struct config *c)
{
    snprintf(c->store, sizeof(c->store), "%s/nowhere/ferryd.db", root);
}

static void spoil_kek_place(struct config *c)
{
    snprintf(c->store, sizeof(c->store), "%s", path_of("ferryd.db"));
}

static void spoil_user(struct config *c)
{
    snprintf(c->user, sizeof(c->user), "no-such-user-here");
}

static void spoil_keeper_user(struct config *c)
{
    snprintf(c->keeper_user, sizeof(c->keeper_user), "no-such-user-here");
}

static void spoil_package(struct config *c)
{
    snprintf(c->client_package, sizeof(c->client_package), "/no/such/package.deb");
}

static void spoil_package_kind(struct config *c)
{
    snprintf(c->client_package, sizeof(c->client_package), "/");
}

static void leave_alone(struct config *c)
{
    (void)c;
}

static const struct {
    void (*spoil)(struct config *c);
    const char *says; /* part of the sentence; NULL: good */
} spoilt[] = {
    {leave_alone, NULL},
    {spoil_kek_mode, "must be 0600 or 0400"},
    {spoil_certificate, "certificate: "},
    {spoil_pair, "private_key: "},
    {spoil_ca, "client_ca: "},
    {spoil_key_mode, "can be read by everybody"},
    {spoil_token, "does not hold a SHA-256"},
    {spoil_token_length, "does not hold a SHA-256"},
    {spoil_token_file, "admin_token_file: "},
    {spoil_token_mode, "must have mode 0600"},
    {spoil_store, "store: its folder"},
    {spoil_kek_place, "lies in the folder of the store"},
    {spoil_package, "client_package: /no/such"},
    {spoil_package_kind, "is no file of at most 64 MiB"},
    {spoil_user, "user: there is no user"},
    {spoil_keeper_user, "keeper_user: there is no user"},
};

static void the_check_names_what_is_spoilt(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(spoilt) / sizeof(spoilt[0]); i++) {
        struct config config;
        struct told told = {0};
        make();
        load(&config);
        spoilt[i].spoil(&config);
        unsigned count = check_config(&config, remember, &told);
        assert_int_equal(count, told.count);
        if (count != (spoilt[i].says != NULL) || (count > 0 && strstr(told.last, spoilt[i].says) == NULL))
            fail_msg("row %zu: %u problems, the last: %s", i, count, told.last);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_there),
        cmocka_unit_test(the_token_and_its_digest),
        cmocka_unit_test(two_folders_have_nothing_in_common),
        cmocka_unit_test(what_init_refuses),
        cmocka_unit_test(names_for_certificates),
        cmocka_unit_test(the_check_names_what_is_spoilt),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
