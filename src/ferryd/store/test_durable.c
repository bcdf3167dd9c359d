/* SPDX-License-Identifier: Apache-2.0
 *
 * What was reported durable is there after a kill, what was refused for want of space left nothing behind,
 * and the log does not grow without end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "store/sqlite.h"
#include "store/test_support.h"

enum { ROUNDS = 8, IN_FLIGHT = 32, KILL_WITHIN_MS = 120, NUMBERS_MAX = 1000000 };

static const struct ledger_row ledger = {.card = "card", .kvn = 1};

/* ---- what is written ---- */

/* One set of two changes: an audit row with this number, and one more failed load. */
static void submit_number(const struct store *s, uint32_t number, void (*done)(void *, enum err, size_t),
                          void *arg)
{
    struct audit_row audit = {.time_ms = 1, .who = "child", .what = "test"};
    snprintf(audit.object, sizeof(audit.object), "%u", number);
    struct change set[] = {{.kind = AUDIT_ADD, .row.audit = &audit},
                           {.kind = LEDGER_LOAD_FAILED, .row.ledger = &ledger}};
    s->ops->submit(s->ctx, set, 2, done, arg);
}

static bool seen[NUMBERS_MAX];
struct page {
    size_t rows;
    uint64_t last;
};

static enum err mark(void *arg, struct audit_row *row)
{
    struct page *p = arg;
    uint32_t number = (uint32_t)strtoul(row->object, NULL, 10);
    assert_true(number < NUMBERS_MAX);
    assert_false(seen[number]);
    seen[number] = true;
    p->rows++;
    p->last = row->number;
    return OK;
}

/* Marks every number that is in the store; gives how many, and checks that their sets are whole. */
static size_t read_numbers(const struct store *s)
{
    struct listing l = {.limit = PAGE_MAX};
    struct page p = {0};
    size_t before;
    memset(seen, 0, sizeof(seen));
    do {
        before = p.rows;
        assert_int_equal(s->ops->list_audit(s->ctx, &l, mark, &p), OK);
        snprintf(l.after, sizeof(l.after), "%llu", (unsigned long long)p.last);
    } while (p.rows > before);
    struct ledger_row counted;
    assert_int_equal(s->ops->get_ledger(s->ctx, ledger.card, ledger.kvn, &counted), OK);
    assert_int_equal(counted.failed_loads, p.rows);
    return p.rows;
}

/* ---- kill -9 ---- */

struct promise {
    uint32_t number, *waiting;
    int fd;
};

static void report(void *arg, enum err e, size_t failed)
{
    struct promise *p = arg;
    (void)failed;
    if (e != OK || write(p->fd, &p->number, sizeof(p->number)) != sizeof(p->number))
        _exit(2);
    --*p->waiting;
}

/* Submits without end, several at a time, and reports each number that is durable. */
static void child_writes(const char *file, uint32_t first, int fd)
{
    struct store s;
    struct promise promises[IN_FLIGHT];
    uint32_t waiting = 0;
    if (store_open_sqlite(&s, file) != OK)
        _exit(3);
    for (uint32_t number = first;; number++) {
        while (waiting == IN_FLIGHT)
            test_dispatch(&s);
        /* Sets complete in order, so the oldest place is free. */
        struct promise *p = &promises[number % IN_FLIGHT];
        *p = (struct promise){number, &waiting, fd};
        waiting++;
        submit_number(&s, number, report, p);
    }
}

static void sleep_ms(unsigned ms)
{
    struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};
    nanosleep(&t, NULL);
}

static bool read_report(int fd, uint32_t *number)
{
    ssize_t n = read(fd, number, sizeof(*number));
    assert_true(n == 0 || n == sizeof(*number));
    return n > 0;
}

/* Kills a writing child at a random moment; gives the highest number that it reported. */
static uint32_t killed_child(const char *file, uint32_t first)
{
    int fds[2];
    unsigned ms = 0;
    uint32_t number = 0, highest = first - 1;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(getrandom(&ms, sizeof(ms), 0), sizeof(ms));
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(fds[0]);
        child_writes(file, first, fds[1]);
    }
    close(fds[1]);
    assert_true(read_report(fds[0], &number)); /* it runs */
    assert_int_equal(number, first);
    sleep_ms(ms % KILL_WITHIN_MS);
    assert_int_equal(kill(pid, SIGKILL), 0);
    do
        highest = number;
    while (read_report(fds[0], &number));
    close(fds[0]);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    return highest;
}

static void what_was_reported_survives_a_kill(void **state)
{
    (void)state;
    struct test_folder f;
    test_folder_make(&f);
    uint32_t first = 1;
    for (int round = 0; round < ROUNDS; round++) {
        struct store s;
        uint32_t reported = killed_child(f.file, first);
        assert_int_equal(store_open_sqlite(&s, f.file), OK);
        size_t rows = read_numbers(&s);
        for (uint32_t number = 1; number <= reported; number++)
            assert_true(seen[number]);
        /* Beyond the reports there may be what was durable when the kill came, without a gap. */
        for (uint32_t number = 1; number <= rows; number++)
            assert_true(seen[number]);
        first = (uint32_t)rows + 1;
        s.ops->close(s.ctx);
    }
    test_folder_remove(&f);
}

/* ---- no space ---- */

enum { BIG = 1024 * 1024 };

static struct app_row big_app(const char *name, uint8_t *memory)
{
    struct app_row row = {.cap = {memory, BIG}, .package = {{{1, 2, 3, 4, 5}, 5}, 1, 0}};
    snprintf(row.name, sizeof(row.name), "%s", name);
    memset(memory, 0x5A, BIG);
    return row;
}

/* A large set that does not fit is refused alone, also when small ones are in the same transaction. */
static void a_full_database_refuses_what_does_not_fit(void **state)
{
    (void)state;
    struct test_folder f;
    struct store s;
    struct sqlite_limits limits = sqlite_limits_default;
    struct test_outcome outcomes[3] = {0};
    uint8_t *memory = malloc(BIG);
    assert_non_null(memory);
    struct app_row app = big_app("big", memory), got;
    struct audit_row audit = {.time_ms = 1, .who = "test", .what = "app.add", .object = "0"};
    struct change set[] = {{.kind = AUDIT_ADD, .row.audit = &audit}, {.kind = APP_ADD, .row.app = &app}};
    limits.pages_max = 100;
    test_folder_make(&f);
    assert_int_equal(store_open_sqlite_limits(&s, f.file, &limits), OK);
    submit_number(&s, 1, test_take_outcome, &outcomes[0]);
    s.ops->submit(s.ctx, set, 2, test_take_outcome, &outcomes[1]);
    submit_number(&s, 2, test_take_outcome, &outcomes[2]);
    while (!outcomes[2].done)
        test_dispatch(&s);
    assert_int_equal(outcomes[0].e, OK);
    assert_int_equal(outcomes[1].e, ERR_DISK_FULL);
    assert_int_equal(outcomes[2].e, OK);
    assert_int_equal(read_numbers(&s), 2);
    assert_int_equal(s.ops->get_app(s.ctx, "big", &got), ERR_NOT_FOUND);
    s.ops->close(s.ctx);
    test_folder_remove(&f);
    free(memory);
}

static void limit_files(rlim_t bytes)
{
    struct rlimit limit = {bytes, RLIM_INFINITY};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The system itself refuses to write more: everything reported is there, everything refused is not, and when
 * there is space again the store goes on. */
static void a_full_disk_stops_nothing_for_ever(void **state)
{
    (void)state;
    struct test_folder f;
    struct store s;
    uint32_t number = 0;
    struct test_outcome o = {0};
    test_folder_make(&f);
    assert_int_equal(store_open_sqlite(&s, f.file), OK);
    void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
    limit_files((rlim_t)1024 * 1024);
    do {
        o = (struct test_outcome){0};
        submit_number(&s, ++number, test_take_outcome, &o);
        while (!o.done)
            test_dispatch(&s);
    } while (o.e == OK && number < 10000);
    assert_int_equal(o.e, ERR_DISK_FULL);
    assert_true(number > 10);
    assert_int_equal(read_numbers(&s), number - 1);
    assert_false(seen[number]);
    /* The mark that the health check asks for is small: it may fit once or twice where a set did not. */
    enum err mark_written = OK;
    for (int i = 0; i < 16 && mark_written == OK; i++)
        mark_written = test_apply(&s, NULL, 0).e;
    assert_int_equal(mark_written, ERR_DISK_FULL);

    limit_files(RLIM_INFINITY);
    signal(SIGXFSZ, before);
    assert_int_equal(test_apply(&s, NULL, 0).e, OK);
    o = (struct test_outcome){0};
    submit_number(&s, number, test_take_outcome, &o);
    while (!o.done)
        test_dispatch(&s);
    assert_int_equal(o.e, OK);
    assert_int_equal(read_numbers(&s), number);
    s.ops->close(s.ctx);

    assert_int_equal(store_open_sqlite(&s, f.file), OK);
    assert_int_equal(read_numbers(&s), number);
    s.ops->close(s.ctx);
    test_folder_remove(&f);
}

static void an_opening_disk_that_is_full_is_named(void **state)
{
    (void)state;
    struct test_folder f;
    struct store s;
    test_folder_make(&f);
    void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
    limit_files(8 * 1024);
    assert_int_equal(store_open_sqlite(&s, f.file), ERR_DISK_FULL);
    limit_files(RLIM_INFINITY);
    signal(SIGXFSZ, before);
    assert_int_equal(store_open_sqlite(&s, f.file), OK);
    s.ops->close(s.ctx);
    test_folder_remove(&f);
}

/* ---- the log ---- */

static void write_many(const struct store *s, uint32_t count)
{
    struct test_outcome o = {0};
    for (uint32_t number = 1; number <= count; number++) {
        o = (struct test_outcome){0};
        submit_number(s, number, test_take_outcome, &o);
        while (!o.done)
            test_dispatch(s);
        assert_int_equal(o.e, OK);
    }
}

static off_t size_of(const char *file, const char *end)
{
    char name[300];
    struct stat st;
    snprintf(name, sizeof(name), "%s%s", file, end);
    return stat(name, &st) == 0 ? st.st_size : -1;
}

static void write_with(unsigned checkpoint_pages, unsigned restart_pages, struct store_stats *stats,
                       off_t *database, off_t *log)
{
    struct test_folder f;
    struct store s;
    struct sqlite_limits limits = sqlite_limits_default;
    limits.checkpoint_pages = checkpoint_pages;
    limits.restart_pages = restart_pages;
    test_folder_make(&f);
    assert_int_equal(store_open_sqlite_limits(&s, f.file, &limits), OK);
    write_many(&s, 400);
    s.ops->stats(s.ctx, stats);
    *database = size_of(f.file, "");
    *log = size_of(f.file, "-wal");
    s.ops->close(s.ctx);
    assert_int_equal(size_of(f.file, "-wal"), -1); /* gone when all is closed */
    test_folder_remove(&f);
}

/* 400 commits of 4 pages or so: without a copy the database would be an empty file and the log 6 MB. */
static void the_log_is_copied_back_beside_the_writer(void **state)
{
    (void)state;
    struct store_stats stats;
    off_t database, log;
    write_with(20, 1000000, &stats, &database, &log);
    assert_true(stats.checkpoints > 0);
    assert_int_equal(stats.restarts, 0);
    assert_true(database > (off_t)64 * 1024);
}

static void a_long_log_is_emptied_by_force(void **state)
{
    (void)state;
    struct store_stats stats;
    off_t database, log;
    write_with(1000000, 50, &stats, &database, &log);
    assert_true(stats.restarts > 1);
    assert_true(log > 0 && log < (off_t)512 * 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_reported_survives_a_kill),
        cmocka_unit_test(a_full_database_refuses_what_does_not_fit),
        cmocka_unit_test(a_full_disk_stops_nothing_for_ever),
        cmocka_unit_test(an_opening_disk_that_is_full_is_named),
        cmocka_unit_test(the_log_is_copied_back_beside_the_writer),
        cmocka_unit_test(a_long_log_is_emptied_by_force),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
