/* SPDX-License-Identifier: Apache-2.0
 *
 * The embedded store: SQLite with a write-ahead log. One thread writes: it takes all change sets that wait
 * and commits them in one transaction, so that one fsync serves many; each set has a savepoint of its own, so
 * that a refused one is undone alone. Reads use another connection, on the loop's thread. A third connection
 * copies the log back to the database beside both; when the log passes a limit all the same, the writer stops
 * and empties it. */
#include "store/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <base/log.h>

#include "store/read.h"
#include "store/schema.h"
#include "store/write.h"

const struct sqlite_limits sqlite_limits_default = {
    .batch_sets = 256,
    .checkpoint_pages = 1000, /* 4 MB */
    .restart_pages = 16384,   /* 64 MB */
    .busy_ms = 5000,
};

enum { PROBLEM_MAX = 200 };

enum control { BEGIN, COMMIT, ROLLBACK, SAVEPOINT, UNDO, RELEASE, PROBE, CONTROL_COUNT };
static const char *const control_sql[CONTROL_COUNT] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [SAVEPOINT] = "SAVEPOINT one",
    [UNDO] = "ROLLBACK TO one",
    [RELEASE] = "RELEASE one",
    [PROBE] = "UPDATE probe SET writes = writes + 1",
};

struct queue {
    struct change_set *first, **end;
};

struct sqlite_store {
    struct read_statements reads; /* first: read.c knows the store by it */
    struct store_ops ops;
    struct sqlite_limits limits;
    sqlite3 *reader, *writer, *checkpointer; /* each used by one thread */
    struct write_statements writes;
    struct statement control[CONTROL_COUNT];
    unsigned wal_pages; /* the writer's */

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t work, checkpoint;
    struct queue submitted, completed;
    bool stopping, checkpoint_due;
    struct store_stats stats;
    char problem[PROBLEM_MAX]; /* of the writer; logged on the loop's thread */

    pthread_mutex_t checkpoint_lock; /* held during any checkpoint */
    pthread_t writer_thread, checkpoint_thread;
    bool writer_runs, checkpoint_runs;
    int event_fd;
};

/* ---- queues; the caller holds the lock ---- */

static void queue_init(struct queue *q)
{
    q->first = NULL;
    q->end = &q->first;
}

static void queue_put(struct queue *q, struct change_set *set)
{
    set->next = NULL;
    *q->end = set;
    q->end = &set->next;
}

/* Takes at most count sets off the front; NULL when there are none. */
static struct change_set *queue_take(struct queue *q, size_t count)
{
    struct change_set *first = q->first, *last = first;
    if (first == NULL)
        return NULL;
    while (last->next != NULL && --count > 0)
        last = last->next;
    q->first = last->next;
    last->next = NULL;
    if (q->first == NULL)
        q->end = &q->first;
    return first;
}

/* ---- the writer ---- */

static enum err control(struct sqlite_store *s, enum control what)
{
    int result = sqlite3_step(s->control[what].stmt);
    enum err e = db_outcome(s->writer, result);
    sqlite3_reset(s->control[what].stmt);
    return e;
}

static void note_problem(struct sqlite_store *s, enum err e)
{
    pthread_mutex_lock(&s->lock);
    snprintf(s->problem, sizeof(s->problem), "%s (%s)", sqlite3_errmsg(s->writer), err_text(e));
    pthread_mutex_unlock(&s->lock);
}

static bool transaction_gone(struct sqlite_store *s)
{
    return sqlite3_get_autocommit(s->writer) != 0;
}

static enum err write_changes(struct sqlite_store *s, struct change_set *set)
{
    if (set->count == 0)
        return control(s, PROBE);
    for (set->failed = 0; set->failed < set->count; set->failed++) {
        enum err e = write_change(&s->writes, &set->changes[set->failed]);
        if (e != OK)
            return e;
    }
    set->failed = 0;
    return OK;
}

/* One change set within the transaction. Its own outcome is in set->e; anything but OK is the outcome of the
 * whole transaction, which is lost then. */
static enum err write_set(struct sqlite_store *s, struct change_set *set)
{
    enum err e = control(s, SAVEPOINT);
    if (e != OK)
        return e;
    set->e = write_changes(s, set);
    /* SQLite undoes the whole transaction by itself after some failures: full disk, I/O, no memory. */
    if (transaction_gone(s))
        return set->e != OK ? set->e : ERR_IO;
    if (set->e != OK)
        e = control(s, UNDO);
    return e == OK ? control(s, RELEASE) : e;
}

/* All sets from first to before end in one transaction: all of it durable, or ERR_... and nothing. */
static enum err write_batch(struct sqlite_store *s, struct change_set *first, const struct change_set *end)
{
    enum err e = control(s, BEGIN);
    for (struct change_set *set = first; set != end && e == OK; set = set->next)
        e = write_set(s, set);
    if (e == OK)
        e = control(s, COMMIT);
    if (e == OK)
        return OK;
    note_problem(s, e);
    if (!transaction_gone(s) && control(s, ROLLBACK) != OK)
        note_problem(s, ERR_IO);
    return e;
}

static void count_batch(struct sqlite_store *s, const struct change_set *first, const struct change_set *end,
                        enum err e)
{
    size_t sets = 0;
    pthread_mutex_lock(&s->lock);
    for (; first != end; first = first->next) {
        sets++;
        if (first->e != OK)
            s->stats.sets_refused++;
    }
    s->stats.sets += sets;
    if (e == OK)
        s->stats.commits++;
    else
        s->stats.commits_failed++;
    if (sets > s->stats.batch_max)
        s->stats.batch_max = sets;
    s->stats.last = e;
    pthread_mutex_unlock(&s->lock);
}

/* When a transaction of many is lost, one set may be to blame (a large one on a full disk): each is tried
 * alone. */
static void write_all(struct sqlite_store *s, struct change_set *first)
{
    enum err e = write_batch(s, first, NULL);
    if (e == OK) {
        count_batch(s, first, NULL, OK);
        return;
    }
    bool alone = first->next == NULL;
    for (struct change_set *set = first; set != NULL; set = set->next) {
        enum err one = alone ? e : write_batch(s, set, set->next);
        if (one != OK)
            set->e = one;
        count_batch(s, set, set->next, one);
    }
}

static void run_checkpoint(struct sqlite_store *s, sqlite3 *db, int mode)
{
    pthread_mutex_lock(&s->checkpoint_lock);
    int result = sqlite3_wal_checkpoint_v2(db, NULL, mode, NULL, NULL);
    pthread_mutex_unlock(&s->checkpoint_lock);
    pthread_mutex_lock(&s->lock);
    s->stats.checkpoints++;
    if (mode == SQLITE_CHECKPOINT_RESTART && result == SQLITE_OK)
        s->stats.restarts++;
    pthread_mutex_unlock(&s->lock);
}

static void after_batch(struct sqlite_store *s)
{
    if (s->wal_pages >= s->limits.restart_pages)
        run_checkpoint(s, s->writer, SQLITE_CHECKPOINT_RESTART);
    pthread_mutex_lock(&s->lock);
    s->stats.wal_pages = s->wal_pages;
    s->checkpoint_due = s->wal_pages >= s->limits.checkpoint_pages;
    if (s->checkpoint_due)
        pthread_cond_signal(&s->checkpoint);
    pthread_mutex_unlock(&s->lock);
}

static struct change_set *take_batch(struct sqlite_store *s)
{
    pthread_mutex_lock(&s->lock);
    while (s->submitted.first == NULL && !s->stopping)
        pthread_cond_wait(&s->work, &s->lock);
    struct change_set *first = queue_take(&s->submitted, s->limits.batch_sets);
    pthread_mutex_unlock(&s->lock);
    return first;
}

static void wake_loop(struct sqlite_store *s)
{
    uint64_t one = 1;
    /* It can only fail when the counter is full, and then the loop is awake. */
    ssize_t n = write(s->event_fd, &one, sizeof(one));
    (void)n;
}

static void complete(struct sqlite_store *s, struct change_set *first)
{
    pthread_mutex_lock(&s->lock);
    while (first != NULL) {
        struct change_set *next = first->next;
        queue_put(&s->completed, first);
        first = next;
    }
    pthread_mutex_unlock(&s->lock);
    wake_loop(s);
}

static void *writer_main(void *arg)
{
    struct sqlite_store *s = arg;
    for (struct change_set *batch = take_batch(s); batch != NULL; batch = take_batch(s)) {
        write_all(s, batch);
        complete(s, batch);
        after_batch(s);
    }
    return NULL;
}

static int note_wal(void *arg, sqlite3 *db, const char *name, int pages)
{
    (void)db;
    (void)name;
    struct sqlite_store *s = arg;
    s->wal_pages = (unsigned)pages;
    return SQLITE_OK;
}

static void *checkpoint_main(void *arg)
{
    struct sqlite_store *s = arg;
    pthread_mutex_lock(&s->lock);
    while (!s->stopping) {
        if (!s->checkpoint_due) {
            pthread_cond_wait(&s->checkpoint, &s->lock);
            continue;
        }
        s->checkpoint_due = false;
        pthread_mutex_unlock(&s->lock);
        run_checkpoint(s, s->checkpointer, SQLITE_CHECKPOINT_PASSIVE);
        pthread_mutex_lock(&s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* ---- the loop's side ---- */

static void submit(void *ctx, const struct change *changes, size_t count,
                   void (*done)(void *arg, enum err e, size_t failed), void *arg)
{
    struct sqlite_store *s = ctx;
    struct change_set *set = NULL;
    enum err e = change_set_copy(&set, changes, count);
    if (e != OK) {
        /* An empty set carries the bad news, so that it comes from dispatch as any other. */
        if (change_set_copy(&set, NULL, 0) != OK) {
            done(arg, e, 0);
            return;
        }
        set->e = e;
    }
    set->done = done;
    set->arg = arg;
    pthread_mutex_lock(&s->lock);
    queue_put(e == OK ? &s->submitted : &s->completed, set);
    pthread_cond_signal(&s->work);
    pthread_mutex_unlock(&s->lock);
    if (e != OK)
        wake_loop(s);
}

static int event_fd(void *ctx)
{
    return ((struct sqlite_store *)ctx)->event_fd;
}

static void dispatch(void *ctx)
{
    struct sqlite_store *s = ctx;
    uint64_t events;
    char problem[PROBLEM_MAX];
    ssize_t n = read(s->event_fd, &events, sizeof(events));
    (void)n; /* nothing to read: nothing has completed, which the queue says too */

    pthread_mutex_lock(&s->lock);
    struct change_set *set = queue_take(&s->completed, SIZE_MAX);
    memcpy(problem, s->problem, sizeof(problem));
    s->problem[0] = '\0';
    pthread_mutex_unlock(&s->lock);

    if (problem[0] != '\0')
        LOG(LOG_ERROR, "store.write", log_str("why", problem));
    while (set != NULL) {
        struct change_set *next = set->next;
        set->done(set->arg, set->e, set->failed);
        change_set_free(set);
        set = next;
    }
}

static void stats(void *ctx, struct store_stats *out)
{
    struct sqlite_store *s = ctx;
    pthread_mutex_lock(&s->lock);
    *out = s->stats;
    pthread_mutex_unlock(&s->lock);
}

static void stop_threads(struct sqlite_store *s)
{
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_cond_broadcast(&s->work);
    pthread_cond_broadcast(&s->checkpoint);
    pthread_mutex_unlock(&s->lock);
    if (s->writer_runs)
        pthread_join(s->writer_thread, NULL);
    if (s->checkpoint_runs)
        pthread_join(s->checkpoint_thread, NULL);
}

static void close_store(void *ctx)
{
    struct sqlite_store *s = ctx;
    if (s == NULL)
        return;
    stop_threads(s);
    if (s->event_fd >= 0)
        dispatch(s);
    read_finish(&s->reads);
    write_finish(&s->writes);
    for (size_t i = 0; i < CONTROL_COUNT; i++)
        statement_finish(&s->control[i]);
    /* The last one to close copies the log back and removes it. */
    sqlite3_close(s->reader);
    sqlite3_close(s->checkpointer);
    sqlite3_close(s->writer);
    if (s->event_fd >= 0)
        close(s->event_fd);
    pthread_cond_destroy(&s->work);
    pthread_cond_destroy(&s->checkpoint);
    pthread_mutex_destroy(&s->lock);
    pthread_mutex_destroy(&s->checkpoint_lock);
    free(s);
}

static void fill_ops(struct store_ops *ops)
{
    *ops = (struct store_ops){
        .submit = submit, .event_fd = event_fd, .dispatch = dispatch, .stats = stats, .close = close_store};
    read_fill_ops(ops);
}

/* ---- opening ---- */

/* Made before SQLite sees it, so that at no time it can be read by others; the log beside it takes over its
 * mode. */
static enum err prepare_file(const char *path)
{
    struct stat st;
    enum err e = OK;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        e = errno == ENOSPC || errno == EDQUOT ? ERR_DISK_FULL : ERR_IO;
        LOG(LOG_ERROR, "store.open", log_str("path", path), log_str("why", strerror(errno)));
        return e;
    }
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || fchmod(fd, 0600) != 0) {
        LOG(LOG_ERROR, "store.open", log_str("path", path),
            log_str("why", "not a file of ours that can be kept from others"));
        e = ERR_IO;
    }
    close(fd);
    return e;
}

static enum err open_connection(sqlite3 **out, const char *path, const struct sqlite_limits *limits)
{
    int result = sqlite3_open_v2(path, out, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (result != SQLITE_OK)
        return db_outcome(*out, result);
    sqlite3_extended_result_codes(*out, 1);
    sqlite3_busy_timeout(*out, (int)limits->busy_ms);
    sqlite3_db_config(*out, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    return db_exec(*out, "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;"
                         "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;");
}

static int first_line(void *arg, int count, char **values, char **columns)
{
    (void)columns;
    snprintf(arg, PROBLEM_MAX, "%s", count > 0 && values[0] != NULL ? values[0] : "");
    return 0;
}

/* A damaged file is better noticed now than in the middle of a delivery. */
static enum err check_file(sqlite3 *db, const char *path)
{
    char answer[PROBLEM_MAX] = "";
    int result = sqlite3_exec(db, "PRAGMA quick_check(1)", first_line, answer, NULL);
    if (result == SQLITE_OK && strcmp(answer, "ok") == 0)
        return OK;
    enum err e = result == SQLITE_OK ? ERR_FORMAT : db_outcome(db, result);
    LOG(LOG_ERROR, "store.damaged", log_str("path", path),
        log_str("why", result == SQLITE_OK ? answer : sqlite3_errmsg(db)),
        log_str("help", "restore it from a backup"));
    return e;
}

static enum err begin_wal(struct sqlite_store *s)
{
    char answer[PROBLEM_MAX] = "", limits[128];
    int result = sqlite3_exec(s->writer, "PRAGMA journal_mode = WAL", first_line, answer, NULL);
    if (result != SQLITE_OK)
        return db_outcome(s->writer, result);
    if (strcmp(answer, "wal") != 0)
        return ERR_UNSUPPORTED;
    sqlite3_wal_autocheckpoint(s->writer, 0);
    sqlite3_wal_hook(s->writer, note_wal, s);
    snprintf(limits, sizeof(limits), "PRAGMA journal_size_limit = %u; PRAGMA max_page_count = %u",
             s->limits.restart_pages * 4096U, s->limits.pages_max > 0 ? s->limits.pages_max : 0xFFFFFFFEU);
    return db_exec(s->writer, limits);
}

static enum err open_connections(struct sqlite_store *s, const char *path)
{
    enum err e = prepare_file(path);
    if (e == OK)
        e = open_connection(&s->writer, path, &s->limits);
    if (e == OK)
        e = check_file(s->writer, path);
    if (e == OK)
        e = begin_wal(s);
    if (e == OK)
        e = schema_migrate(s->writer);
    if (e == OK)
        e = open_connection(&s->reader, path, &s->limits);
    if (e == OK)
        e = db_exec(s->reader, "PRAGMA query_only = ON");
    if (e == OK)
        e = open_connection(&s->checkpointer, path, &s->limits);
    return e;
}

static enum err prepare_statements(struct sqlite_store *s)
{
    enum err e = write_prepare(&s->writes, s->writer);
    if (e == OK)
        e = read_prepare(&s->reads, s->reader);
    for (size_t i = 0; i < CONTROL_COUNT && e == OK; i++)
        e = statement_prepare(&s->control[i], s->writer, NULL, control_sql[i]);
    return e;
}

/* Signals are the loop's. */
static enum err start_threads(struct sqlite_store *s)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    s->writer_runs = pthread_create(&s->writer_thread, NULL, writer_main, s) == 0;
    s->checkpoint_runs = pthread_create(&s->checkpoint_thread, NULL, checkpoint_main, s) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return s->writer_runs && s->checkpoint_runs ? OK : ERR_MEMORY;
}

enum err store_open_sqlite_limits(struct store *out, const char *path, const struct sqlite_limits *limits)
{
    struct sqlite_store *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return ERR_MEMORY;
    /* The library's account of its memory, which nobody reads, is kept under one lock for all connections:
     * the threads would wait for each other. It can only be refused to a process that has used the library
     * before, and then it is as it was. */
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    s->limits = *limits;
    queue_init(&s->submitted);
    queue_init(&s->completed);
    pthread_mutex_init(&s->lock, NULL);
    pthread_mutex_init(&s->checkpoint_lock, NULL);
    pthread_cond_init(&s->work, NULL);
    pthread_cond_init(&s->checkpoint, NULL);
    s->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    enum err e = s->event_fd >= 0 ? open_connections(s, path) : ERR_IO;
    if (e == OK)
        e = prepare_statements(s);
    if (e == OK)
        e = start_threads(s);
    if (e != OK) {
        LOG(LOG_ERROR, "store.open", log_str("path", path), log_err(e));
        close_store(s);
        return e;
    }
    fill_ops(&s->ops);
    *out = (struct store){&s->ops, s};
    return OK;
}

enum err store_open_sqlite(struct store *out, const char *path)
{
    return store_open_sqlite_limits(out, path, &sqlite_limits_default);
}
