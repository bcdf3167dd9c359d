/* SPDX-License-Identifier: Apache-2.0
 *
 * The memory file: what is written is read; a cut tail never happened; damage is refused; and a process that
 * is killed at any moment leaves the state before or after a command. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "nvm.h"
#include "testing/host.h"

static char folder[] = "/tmp/ferry-card-nvm-XXXXXX";
static char path[64];
static struct crypto *crypto;

static int setup(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/card", folder);
    return crypto_new(&crypto) == OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    crypto_free(&crypto);
    unlink(path);
    /* A rewrite that was killed leaves at most this. */
    char left[96];
    snprintf(left, sizeof left, "%s.new", path);
    unlink(left);
    return rmdir(folder);
}

static struct card_state *new_state(void)
{
    struct card_state *s = calloc(1, sizeof *s);
    assert_non_null(s);
    return s;
}

static void end_state(struct card_state *s)
{
    card_state_finish(s);
    free(s);
}

/* The state of a fresh card, as bytes. */
static void fresh(struct card_state *s)
{
    struct host *h = calloc(1, sizeof *h);
    assert_non_null(h);
    assert_int_equal(host_init(h, crypto, "modern", 0xFF), OK);
    assert_int_equal(card_state_apply(s, wr_view_of(&h->journal)), OK);
    host_finish(h);
    free(h);
}

static void put_step(struct writer *w, uint32_t n)
{
    card_put_counters(w, VIEW_NULL, 0x30, n, 0);
}

/* A file with the fresh state and steps transactions; frame ends are kept in ends. */
static void make_file(struct writer *w, size_t steps, size_t *ends)
{
    struct card_state *s = new_state();
    fresh(s);
    nvm_put(w, s);
    ends[0] = w->len;
    for (uint32_t n = 1; n <= steps; n++) {
        struct writer records;
        wr_heap(&records, 64);
        put_step(&records, n);
        nvm_put_frame(w, n, wr_view_of(&records));
        ends[n] = w->len;
        wr_free(&records);
    }
    assert_true(wr_ok(w));
    end_state(s);
}

static enum err parse(struct view file, uint32_t *counter, size_t *used)
{
    struct card_state *s = new_state();
    uint32_t sequence = 0;
    const char *why = NULL;
    enum err e = nvm_parse(file, s, used, &sequence, &why);
    assert_non_null(why);
    if (e != OK)
        assert_true(why[0] != '\0');
    *counter = s->keyset_count != 0 ? s->keysets[0].counter : 0;
    end_state(s);
    return e;
}

static void every_cut_is_the_state_before(void **state)
{
    enum { STEPS = 5 };
    struct writer w;
    size_t ends[STEPS + 1], used = 0;
    uint32_t counter = 0;
    (void)state;
    wr_heap(&w, CARD_NVM_MAX);
    make_file(&w, STEPS, ends);
    for (size_t len = 0; len <= w.len; len++) {
        enum err e = parse(view_head(wr_view_of(&w), len), &counter, &used);
        size_t whole = 0;
        while (whole < STEPS && ends[whole + 1] <= len)
            whole++;
        if (len < ends[0] ? e != ERR_FORMAT : e != OK || counter != whole || used != ends[whole])
            fail_msg("%zu of %zu bytes: %s, counter %u", len, w.len, err_name(e), counter);
    }
    wr_free(&w);
}

/* File systems may leave zeros where a write did not arrive. */
static void zeros_at_the_end_never_happened(void **state)
{
    struct writer w;
    size_t ends[3], used = 0;
    uint32_t counter = 0;
    (void)state;
    wr_heap(&w, CARD_NVM_MAX);
    make_file(&w, 2, ends);
    memset(w.data + ends[1], 0, ends[2] - ends[1]);
    assert_int_equal(parse(wr_view_of(&w), &counter, &used), OK);
    assert_int_equal(counter, 1);
    assert_int_equal(used, ends[1]);
    wr_free(&w);
}

static void every_changed_bit_is_damage(void **state)
{
    struct writer w;
    size_t ends[4], used = 0;
    uint32_t counter = 0;
    (void)state;
    wr_heap(&w, CARD_NVM_MAX);
    make_file(&w, 3, ends);
    for (size_t at = 0; at < w.len; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            w.data[at] ^= (uint8_t)(1u << bit);
            if (parse(wr_view_of(&w), &counter, &used) != ERR_FORMAT)
                fail_msg("byte %zu bit %u", at, bit);
            w.data[at] ^= (uint8_t)(1u << bit);
        }
    }
    wr_free(&w);
}

static void frames_keep_their_order(void **state)
{
    struct writer w, records;
    size_t ends[3], used = 0;
    uint32_t counter = 0;
    (void)state;
    static const uint32_t sequences[] = {0, 1, 3};
    for (size_t n = 0; n < 3; n++) {
        wr_heap(&w, CARD_NVM_MAX);
        wr_heap(&records, 64);
        make_file(&w, 1, ends);
        put_step(&records, 9);
        nvm_put_frame(&w, sequences[n], wr_view_of(&records));
        assert_int_equal(parse(wr_view_of(&w), &counter, &used), ERR_FORMAT);
        wr_free(&w);
        wr_free(&records);
    }
}

/* Records with right checksums that don't fit the state. */
static void records_must_fit(void **state)
{
    static const struct {
        const char *name;
        uint8_t bytes[32];
        size_t len;
    } rows[] = {
        {"unknown record", {0x77}, 1},
        {"counters of no key", {0x04, 0, 0x31, 0, 0, 0, 0, 0, 0}, 9},
        {"counters cut", {0x04, 0, 0x30, 0, 0, 0}, 6},
        {"counter too high", {0x04, 0, 0x30, 1, 0, 0, 0, 0, 0}, 9},
        {"life cycle that is none", {0x02, 0x55}, 2},
        {"no such package", {0x11, 0x05, 1, 2, 3, 4, 5}, 7},
        {"no such application", {0x21, 0x05, 1, 2, 3, 4, 5}, 7},
        {"AID too long", {0x11, 0x11, 1}, 3},
        {"block for no application", {0x23, 0x05, 1, 2, 3, 4, 5, 0, 0, 0, 0}, 11},
        {"key set of version 0", {0x03, 0, 0x00, 3, 0x70, 0, 0, 0, 0, 0, 0, 0}, 11},
        {"profile cut", {0x01, 0x00}, 2},
        {"no such key version goes", {0x06, 0, 0x31}, 3},
        {"key version 0 goes", {0x06, 0, 0x00}, 3},
        {"key of a domain that is not there", {0x07, 5, 1, 2, 3, 4, 5, 0x73, 1, 0x88, 0, 0, 1, 9}, 14},
        {"key of version 0", {0x07, 0, 0, 1, 0x88, 0, 0, 1, 9}, 9},
        {"empty key", {0x07, 0, 0x73, 1, 0x88, 0, 0, 0}, 8},
        {"no such key goes", {0x08, 0, 0x73, 1}, 4},
        {"object of no domain", {0x05, 5, 1, 2, 3, 4, 5, 0, 0x42, 0, 0, 0, 1, 9}, 14},
        {"domain of no package", {0x12, 5, 1, 2, 3, 4, 5, 0}, 8},
        {"domain of no application", {0x24, 5, 1, 2, 3, 4, 5, 0}, 8},
        {"name with a quotation mark",
         {0x01, 1, '"', 1, 0, 0, 10, 0, 0, 16, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
         28},
        {"unknown flag",
         {0x01, 0, 1, 0x80, 0, 10, 0, 0, 16, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
         27},
        {"too much memory",
         {0x01, 0, 1, 0, 0, 10, 1, 1, 16, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
         27}};
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        struct writer w;
        size_t ends[1], used = 0;
        uint32_t counter = 0;
        wr_heap(&w, CARD_NVM_MAX);
        make_file(&w, 0, ends);
        nvm_put_frame(&w, 1, view_of(rows[n].bytes, rows[n].len));
        if (parse(wr_view_of(&w), &counter, &used) != ERR_FORMAT)
            fail_msg("%s", rows[n].name);
        wr_free(&w);
    }
}

/* Files of the version that knew one security domain are told from damaged ones. */
static void an_earlier_version_is_named(void **state)
{
    struct writer w;
    size_t ends[1], used = 0;
    uint32_t sequence = 0;
    const char *why = NULL;
    struct card_state *s = new_state();
    (void)state;
    wr_heap(&w, CARD_NVM_MAX);
    make_file(&w, 0, ends);
    w.data[9] = 1;
    assert_int_equal(nvm_parse(wr_view_of(&w), s, &used, &sequence, &why), ERR_FORMAT);
    assert_non_null(strstr(why, "earlier version"));
    end_state(s);
    wr_free(&w);
}

/* A frame that is right, but makes no card. */
static void a_card_has_an_identity(void **state)
{
    static const uint8_t magic[] = {'F', 'E', 'R', 'R', 'Y', 'N', 'V', 'M', 0, 2}, life[] = {0x02, 0x01};
    (void)state;
    for (int frames = 0; frames < 2; frames++) {
        struct writer w;
        size_t used = 0;
        uint32_t counter = 0;
        wr_heap(&w, 256);
        wr_bytes(&w, magic, sizeof magic);
        if (frames != 0)
            nvm_put_frame(&w, 0, VIEW_OF(life));
        assert_int_equal(parse(wr_view_of(&w), &counter, &used), ERR_FORMAT);
        wr_free(&w);
    }
}

/* ---- files ---- */

static void remove_file(void)
{
    unlink(path);
}

static void create(void)
{
    struct card_state *s = new_state();
    remove_file();
    fresh(s);
    assert_int_equal(nvm_create(path, s), OK);
    end_state(s);
}

static void a_file_is_made_once_and_for_its_owner(void **state)
{
    struct stat st;
    (void)state;
    create();
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    struct card_state *s = new_state();
    fresh(s);
    assert_int_equal(nvm_create(path, s), ERR_EXISTS);
    end_state(s);
    remove_file();
}

static uint32_t read_counter(void)
{
    struct card_state *s = new_state();
    const char *why = NULL;
    assert_int_equal(nvm_read(path, s, &why), OK);
    uint32_t counter = s->keysets[0].counter;
    end_state(s);
    return counter;
}

static void append_step(struct nvm *n, uint32_t value)
{
    struct writer w;
    wr_heap(&w, 64);
    put_step(&w, value);
    assert_int_equal(nvm_append(n, wr_view_of(&w), value % 2 == 0), OK);
    wr_free(&w);
}

static void one_process_has_the_card(void **state)
{
    struct card_state *s = new_state(), *other = new_state();
    struct nvm *n = NULL, *second = NULL;
    const char *why = NULL;
    (void)state;
    create();
    assert_int_equal(nvm_open(path, &n, s, &why), OK);
    assert_int_equal(nvm_open(path, &second, other, &why), ERR_CONFLICT);
    append_step(n, 1);
    assert_int_equal(read_counter(), 1);
    append_step(n, 2);
    assert_int_equal(read_counter(), 2);
    /* Rewriting puts a new file there, which is locked as well. */
    s->keysets[0].counter = 2;
    assert_int_equal(nvm_compact(n, s), OK);
    assert_int_equal(nvm_open(path, &second, other, &why), ERR_CONFLICT);
    append_step(n, 3);
    assert_int_equal(read_counter(), 3);
    nvm_close(&n);
    end_state(s);
    s = new_state();
    assert_int_equal(nvm_open(path, &n, s, &why), OK);
    assert_int_equal(s->keysets[0].counter, 3);
    nvm_close(&n);
    end_state(s);
    end_state(other);
    remove_file();
}

static enum err append_big(struct nvm *n, size_t len)
{
    struct writer w;
    struct card_package p = {.major = 1, .code_len = (uint32_t)len, .code = calloc(1, len)};
    static const uint8_t aid[] = {0xF0, 0x00, 0x00, 0x00, 0x01};
    assert_non_null(p.code);
    assert_true(card_aid_set(&p.aid, VIEW_OF(aid)));
    wr_heap(&w, CARD_FRAME_MAX);
    card_put_package(&w, &p);
    enum err e = nvm_append(n, wr_view_of(&w), true);
    wr_free(&w);
    free(p.code);
    return e;
}

/* The disk takes half of a transaction: it never happened, and the next one is not lost behind it. */
static void a_full_disk_takes_nothing_by_halves(void **state)
{
    struct rlimit before, small;
    struct stat st;
    struct card_state *s = new_state();
    struct nvm *n = NULL;
    const char *why = NULL;
    (void)state;
    create();
    assert_int_equal(nvm_open(path, &n, s, &why), OK);
    append_step(n, 1);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN);
    small = (struct rlimit){(rlim_t)st.st_size + 1000, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(append_big(n, 5000), ERR_IO);
    append_step(n, 2);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(read_counter(), 2);
    assert_int_equal(append_big(n, 5000), OK);
    append_step(n, 3);
    assert_int_equal(read_counter(), 3);
    nvm_close(&n);
    end_state(s);
    remove_file();
}

static void what_is_no_card_is_refused(void **state)
{
    struct card_state *s = new_state();
    struct nvm *n = NULL;
    const char *why = NULL;
    (void)state;
    remove_file();
    assert_int_equal(nvm_open(path, &n, s, &why), ERR_NOT_FOUND);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("something else\n", f);
    fclose(f);
    assert_int_equal(nvm_open(path, &n, s, &why), ERR_FORMAT);
    assert_non_null(strstr(why, "not the memory of a card"));
    assert_null(n);
    end_state(s);
    remove_file();
}

static void a_long_journal_is_noticed(void **state)
{
    struct card_state *s = new_state();
    struct nvm *n = NULL;
    const char *why = NULL;
    (void)state;
    create();
    assert_int_equal(nvm_open(path, &n, s, &why), OK);
    uint32_t steps = 0;
    while (!nvm_is_long(n) && steps < 100000)
        append_step(n, ++steps | 1);
    assert_true(steps > 1000 && steps < 100000);
    assert_int_equal(nvm_compact(n, s), OK);
    assert_false(nvm_is_long(n));
    nvm_close(&n);
    end_state(s);
    remove_file();
}

/* ---- killed ---- */

static enum err commit(void *ctx, struct view records, bool sync)
{
    struct nvm *n = ctx;
    (void)sync;
    return nvm_append(n, records, false);
}

/* Loads, installs, sets the card's life cycle, deletes, over and over; after each commit the parent is told
 * how many there were. The child never ends by itself. */
static void work(int told)
{
    static const uint8_t aid[] = {0xF0, 0x00, 0x00, 0x00, 0x01},
                         module[] = {0xF0, 0x00, 0x00, 0x00, 0x01, 0x01};
    struct nvm *n = NULL;
    const char *why = NULL;
    struct card_state *s = calloc(1, sizeof *s);
    uint8_t *code = calloc(1, 60000);
    if (s == NULL || code == NULL || nvm_open(path, &n, s, &why) != OK)
        _exit(1);
    uint32_t first = s->keysets[0].counter;
    for (uint32_t step = first + 1;; step++) {
        struct writer w;
        wr_heap(&w, CARD_FRAME_MAX);
        card_put_counters(&w, VIEW_NULL, 0x30, step, 0);
        if (step % 2 == 1) {
            struct card_package p = {.major = 1, .module_count = 1, .code = code, .code_len = 60000};
            struct card_application a = {.life = STATE_SELECTABLE};
            bool set = card_aid_set(&p.aid, VIEW_OF(aid)) && card_aid_set(&p.modules[0], VIEW_OF(module)) &&
                       card_aid_set(&a.aid, VIEW_OF(module)) && card_aid_set(&a.package, VIEW_OF(aid)) &&
                       card_aid_set(&a.module, VIEW_OF(module));
            if (!set)
                _exit(1);
            card_put_package(&w, &p);
            card_put_application(&w, &a);
        } else {
            card_put_application_gone(&w, VIEW_OF(module));
            card_put_package_gone(&w, VIEW_OF(aid));
        }
        if (commit(n, wr_view_of(&w), false) != OK || card_state_apply(s, wr_view_of(&w)) != OK)
            _exit(1);
        wr_free(&w);
        if (write(told, &step, sizeof step) != sizeof step)
            _exit(1);
        if (nvm_is_long(n) && nvm_compact(n, s) != OK)
            _exit(1);
    }
}

static void pause_us(long us)
{
    struct timespec t = {0, us * 1000};
    nanosleep(&t, NULL);
}

/* Everything that the child was told to be written is there, at most one step more, and never half of one. */
static void check_after_kill(uint32_t told)
{
    struct card_state *s = new_state();
    const char *why = NULL;
    enum err e = nvm_read(path, s, &why);
    if (e != OK)
        fail_msg("after step %u: %s", told, why);
    uint32_t counter = s->keysets[0].counter;
    if (counter != told && counter != told + 1)
        fail_msg("step %u was told, the file has %u", told, counter);
    assert_int_equal(s->package_count, counter % 2);
    assert_int_equal(s->application_count, counter % 2);
    end_state(s);
}

static void a_kill_leaves_before_or_after(void **state)
{
    uint32_t told = 0;
    (void)state;
    create();
    for (int round = 0; round < 40; round++) {
        int pipes[2];
        assert_int_equal(pipe(pipes), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            work(pipes[1]);
        close(pipes[1]);
        /* Every other round the kill comes after a step at least; else it may come while the file is opened.
         */
        uint32_t step;
        if (round % 2 == 0 && read(pipes[0], &step, sizeof step) == sizeof step)
            told = step;
        pause_us(2000 + round * 977L % 9000);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        while (read(pipes[0], &step, sizeof step) == sizeof step)
            told = step;
        close(pipes[0]);
        check_after_kill(told);
        told = read_counter();
    }
    assert_true(told >= 20); /* it did work */
    remove_file();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cut_is_the_state_before),
        cmocka_unit_test(zeros_at_the_end_never_happened),
        cmocka_unit_test(every_changed_bit_is_damage),
        cmocka_unit_test(frames_keep_their_order),
        cmocka_unit_test(records_must_fit),
        cmocka_unit_test(a_file_is_made_once_and_for_its_owner),
        cmocka_unit_test(one_process_has_the_card),
        cmocka_unit_test(an_earlier_version_is_named),
        cmocka_unit_test(a_card_has_an_identity),
        cmocka_unit_test(a_full_disk_takes_nothing_by_halves),
        cmocka_unit_test(what_is_no_card_is_refused),
        cmocka_unit_test(a_long_journal_is_noticed),
        cmocka_unit_test(a_kill_leaves_before_or_after),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
