/* SPDX-License-Identifier: Apache-2.0
 *
 * A card that is killed while it works: load, install, personalise, delete, over and over, each in a new
 * process that dies at some moment. What it had answered is on the card afterwards; what it was working on is
 * there wholly or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include <support/vectors.h>

#include "nvm.h"
#include "testing/host.h"

enum { ROUNDS = 60, STEPS_MIN = 3 };

static char folder[] = "/tmp/ferry-card-kill-XXXXXX";
static char path[64];

static int setup(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/card", folder);
    return 0;
}

static int teardown(void **state)
{
    char left[96];
    (void)state;
    vectors_free();
    unlink(path);
    snprintf(left, sizeof left, "%s.new", path);
    unlink(left);
    return rmdir(folder);
}

/* The states that the card goes through, in a circle. */
enum step { EMPTY, LOADED, INSTALLED, PERSONALISED, STEP_COUNT };

static enum step step_of(struct card_state *s)
{
    if (s->application_count == 0)
        return s->package_count == 0 ? EMPTY : LOADED;
    return s->applications[0].block_count == 0 ? INSTALLED : PERSONALISED;
}

/* ---- the child ---- */

static struct view read_hello(void)
{
    static uint8_t file[1024] = {0xC4, 0x82, 0x01, 0x1F};
    FILE *f = fopen(CF_DATA "/caps/odd/hello.ijc", "rb");
    if (f == NULL)
        _exit(1);
    size_t len = fread(file + 4, 1, sizeof file - 4, f);
    fclose(f);
    return view_of(file, len + 4);
}

static void must(struct host *h, const char *hex)
{
    struct view v = vector_hex(hex);
    if (host_secure(h, view_head(v, 4), view_tail(v, 5)) != SW_OK)
        _exit(2);
}

static void load(struct host *h, struct view file)
{
    uint8_t header[] = {0x80, 0xE8, 0x00, 0x00};
    must(h, "80E602000A05F00000000100000000");
    for (; file.len != 0; header[3]++) {
        struct view part = view_head(file, 16);
        file = view_tail(file, part.len);
        header[2] = file.len == 0 ? 0x80 : 0x00;
        if (host_secure(h, VIEW_OF(header), part) != SW_OK)
            _exit(2);
    }
}

static void go_on(struct host *h, enum step from)
{
    switch (from) {
    case EMPTY:
        load(h, read_hello());
        break;
    case LOADED:
        must(h, "80E60C001A05F00000000106F0000000010106F00000000101010002C90000");
        break;
    case INSTALLED:
        must(h, "80E620000C000006F00000000101000000");
        must(h, "80E280000401020304");
        break;
    default:
        must(h, "80E40080074F05F000000001");
        break;
    }
}

static enum err commit(void *ctx, struct view records, bool sync)
{
    (void)sync;
    return nvm_append(ctx, records, false);
}

/* Works until it is killed, and says after each step where the card is. */
static void work(int told)
{
    static struct host h;
    struct crypto *crypto = NULL;
    struct nvm *n = NULL;
    const char *why = NULL;
    struct card_state *s = calloc(1, sizeof *s);
    if (s == NULL || crypto_new(&crypto) != OK || host_init(&h, crypto, "modern", 0xFF) != OK ||
        nvm_open(path, &n, s, &why) != OK)
        _exit(1);
    card_finish(&h.card);
    card_init(&h.card, s, crypto, crypto_random(), (struct card_store){commit, n});
    if (host_open(&h, 0, 0x03) != SW_OK)
        _exit(1);
    for (;;) {
        uint8_t step = (uint8_t)step_of(&h.card.state);
        if (write(told, &step, 1) != 1)
            _exit(1);
        go_on(&h, (enum step)step);
        if (nvm_is_long(n) && nvm_compact(n, &h.card.state) != OK)
            _exit(1);
    }
}

/* ---- the parent ---- */

static void create(void)
{
    struct crypto *crypto = NULL;
    struct host *h = calloc(1, sizeof *h);
    assert_non_null(h);
    assert_int_equal(crypto_new(&crypto), OK);
    assert_int_equal(host_init(h, crypto, "modern", 0xFF), OK);
    assert_int_equal(nvm_create(path, &h->card.state), OK);
    host_finish(h);
    free(h);
    crypto_free(&crypto);
}

static enum step read_step(void)
{
    struct card_state *s = calloc(1, sizeof *s);
    const char *why = NULL;
    assert_non_null(s);
    enum err e = nvm_read(path, s, &why);
    if (e != OK)
        fail_msg("the card can't be read: %s", why);
    enum step step = step_of(s);
    if (step == LOADED)
        assert_int_equal(s->packages[0].code_len, 0x11F);
    card_state_finish(s);
    free(s);
    return step;
}

static void pause_us(long us)
{
    struct timespec t = {us / 1000000, us % 1000000 * 1000};
    nanosleep(&t, NULL);
}

/* Some steps and a part of one more; the last step that was told. */
static enum step kill_while_working(int round)
{
    uint8_t step = 0;
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        work(pipes[1]);
    close(pipes[1]);
    /* Wait for it to work, then for a while that differs, however fast the machine is. */
    for (int n = 0; n < STEPS_MIN; n++)
        assert_int_equal(read(pipes[0], &step, 1), 1);
    pause_us(round * 37L % 2000);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    while (read(pipes[0], &step, 1) == 1)
        continue;
    close(pipes[0]);
    return (enum step)step;
}

static void killed_anywhere_it_is_before_or_after(void **state)
{
    (void)state;
    create();
    for (int round = 0; round < ROUNDS; round++) {
        enum step told = kill_while_working(round), found = read_step();
        if (found != told && found != (told + 1) % STEP_COUNT)
            fail_msg("round %d: step %d was told, the card is at %d", round, told, found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(killed_anywhere_it_is_before_or_after)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
