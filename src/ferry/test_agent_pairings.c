/* SPDX-License-Identifier: Apache-2.0
 *
 * A token opens its own page's door, and no other; the file is the user's alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "agent_pairings.h"

#define OURS   "https://cm.example.org"
#define OTHER  "https://other.example.org"
#define DIGEST "00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF"

static void a_token_is_its_pages(void **state)
{
    (void)state;
    static struct agent_pairings p;
    struct crypto *c = NULL;
    char token[PAIRING_TEXT + 1], second[PAIRING_TEXT + 1];
    assert_int_equal(crypto_new(&c), OK);
    assert_false(agent_pairings_know(&p, c, OURS, NULL));
    assert_int_equal(agent_pairings_add(&p, c, OURS, token), OK);
    assert_int_equal(agent_pairings_add(&p, c, OURS, second), OK);
    assert_int_equal(strlen(token), PAIRING_TEXT);
    assert_string_not_equal(token, second);
    assert_true(agent_pairings_know(&p, c, OURS, token));
    assert_true(agent_pairings_know(&p, c, OURS, second));
    assert_true(agent_pairings_know(&p, c, OURS, NULL));
    assert_false(agent_pairings_know(&p, c, OTHER, token));
    assert_false(agent_pairings_know(&p, c, OTHER, NULL));
    assert_false(agent_pairings_know(&p, c, OURS, ""));
    for (size_t i = 0; i < PAIRING_TEXT; i++) {
        token[i] ^= 1;
        assert_false(agent_pairings_know(&p, c, OURS, token));
        token[i] ^= 1;
    }
    token[PAIRING_TEXT - 1] = '\0';
    assert_false(agent_pairings_know(&p, c, OURS, token));
    crypto_free(&c);
}

static void the_oldest_makes_way(void **state)
{
    (void)state;
    static struct agent_pairings p;
    struct crypto *c = NULL;
    char first[PAIRING_TEXT + 1], last[PAIRING_TEXT + 1];
    assert_int_equal(crypto_new(&c), OK);
    assert_int_equal(agent_pairings_add(&p, c, OURS, first), OK);
    for (size_t i = 0; i < PAIRINGS_MAX; i++)
        assert_int_equal(agent_pairings_add(&p, c, OURS, last), OK);
    assert_int_equal(p.count, PAIRINGS_MAX);
    assert_false(agent_pairings_know(&p, c, OURS, first));
    assert_true(agent_pairings_know(&p, c, OURS, last));
    crypto_free(&c);
}

static const struct {
    const char *text;
    enum err err;
    size_t count;
} files[] = {
    {"", OK, 0},
    {DIGEST " " OURS "\n", OK, 1},
    {DIGEST " " OURS "\n" DIGEST " " OTHER "\n", OK, 2},
    {DIGEST " " OURS, ERR_FORMAT, 0},
    {DIGEST " \n", ERR_FORMAT, 0},
    {DIGEST "\n", ERR_FORMAT, 0},
    {DIGEST "x" OURS "\n", ERR_FORMAT, 0},
    {"\n", ERR_FORMAT, 0},
    {"0011 " OURS "\n", ERR_FORMAT, 0},
    {DIGEST " a\tb\n", ERR_FORMAT, 0},
};

static void lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        static struct agent_pairings p;
        struct writer w;
        p.count = 0;
        print_message("row %s\n", files[i].text);
        assert_int_equal(agent_pairings_parse(&p, view_str(files[i].text)), files[i].err);
        assert_int_equal(p.count, files[i].count);
        wr_heap(&w, PAIRINGS_BYTES_MAX);
        agent_pairings_put(&w, &p);
        if (files[i].err == OK)
            assert_true(view_equal(wr_view_of(&w), view_str(files[i].text)));
        wr_free(&w);
    }
    static struct agent_pairings p;
    struct writer w;
    wr_heap(&w, PAIRINGS_BYTES_MAX);
    for (size_t i = 0; i <= PAIRINGS_MAX; i++)
        wr_view(&w, view_str(DIGEST " " OURS "\n"));
    assert_int_equal(agent_pairings_parse(&p, wr_view_of(&w)), ERR_LIMIT);
    wr_free(&w);
}

static void the_file(void **state)
{
    (void)state;
    static struct agent_pairings p, again;
    struct crypto *c = NULL;
    struct stat st;
    char folder[] = "/tmp/ferry-pairings.XXXXXX", token[PAIRING_TEXT + 1], path[128];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/a/b", folder);
    setenv("XDG_STATE_HOME", path, 1);
    assert_int_equal(crypto_new(&c), OK);
    assert_int_equal(agent_pairings_load(&p), OK);
    assert_int_equal(p.count, 0);
    assert_int_equal(agent_pairings_add(&p, c, OURS, token), OK);
    assert_int_equal(agent_pairings_save(&p), OK);
    assert_int_equal(agent_pairings_load(&again), OK);
    assert_true(agent_pairings_know(&again, c, OURS, token));
    snprintf(path, sizeof(path), "%s/a/b/cardferry/agent", folder);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    /* What is not such a file is no list of pairings, and not taken for an empty one. */
    assert_int_equal(truncate(path, 10), 0);
    assert_int_equal(agent_pairings_load(&again), ERR_FORMAT);
    unlink(path);
    static const char *const folders[] = {"a/b/cardferry", "a/b", "a", ""};
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, folders[i]);
        assert_int_equal(rmdir(path), 0);
    }
    crypto_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_its_pages),
        cmocka_unit_test(the_oldest_makes_way),
        cmocka_unit_test(lines),
        cmocka_unit_test(the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
