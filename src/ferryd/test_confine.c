/* SPDX-License-Identifier: Apache-2.0
 *
 * What a confined process still can and what kills it, each tried in a child of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "confine.h"

static char folder[64];
static struct config config;

/* --- what is tried; 0: it worked --- */

static int try_nothing(void)
{
    return 0;
}

static int try_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) < 0;
}

static int try_unix_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM, 0) < 0;
}

static int try_open(void)
{
    return open("/dev/null", O_RDONLY) < 0;
}

static int try_unlink(void)
{
    return unlink("/nonexistent") != 0;
}

static int try_exec(void)
{
    char *argv[] = {(char *)"true", NULL};
    return execv("/bin/true", argv) != 0;
}

static int try_execveat(void)
{
    return syscall(SYS_execveat, -1, "/bin/true", NULL, NULL, 0) != 0;
}

static int try_fork(void)
{
    return syscall(SYS_fork) < 0;
}

/* As fork() of libc does it. */
static int try_clone(void)
{
    return syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL) < 0;
}

static int try_ptrace(void)
{
    return ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0;
}

static int try_read_other(void)
{
    char byte;
    struct iovec here = {&byte, 1}, there = {&byte, 1};
    return process_vm_readv(getppid(), &here, 1, &there, 1, 0) != 1;
}

static int try_kill(void)
{
    return kill(getppid(), 0) != 0;
}

static int try_prctl(void)
{
    return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0;
}

static int try_code(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
}

static int try_code_later(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED || mprotect(page, 4096, PROT_READ | PROT_EXEC) != 0;
}

static int try_io_uring(void)
{
    return syscall(SYS_io_uring_setup, 1, NULL) < 0;
}

static int try_unshare(void)
{
    return unshare(CLONE_NEWUSER) != 0;
}

static int try_memory(void)
{
    for (size_t size = 16; size < (8U << 20); size *= 4) {
        uint8_t *memory = malloc(size);
        if (memory == NULL)
            return 1;
        memset(memory, 1, size);
        memory = realloc(memory, 2 * size);
        free(memory);
    }
    return 0;
}

static int try_randomness(void)
{
    uint8_t bytes[16];
    return getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes);
}

static int try_clock(void)
{
    struct timespec now;
    return clock_gettime(CLOCK_REALTIME, &now);
}

static int try_write(void)
{
    return write(STDERR_FILENO, "", 0) != 0;
}

static void *in_thread(void *arg)
{
    *(int *)arg = 7;
    return NULL;
}

static int try_thread(void)
{
    pthread_t thread;
    int seen = 0;
    return pthread_create(&thread, NULL, in_thread, &seen) != 0 || pthread_join(thread, NULL) != 0 ||
           seen != 7;
}

static int open_errno(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);
    return fd < 0 ? errno : 0;
}

static int try_certificate(void)
{
    return open_errno(config.certificate, O_RDONLY);
}

static int try_store(void)
{
    char wal[CONFIG_VALUE_MAX + 8];
    snprintf(wal, sizeof(wal), "%s-wal", config.store);
    return open_errno(config.store, O_RDWR | O_CREAT) != 0 || open_errno(wal, O_RDWR | O_CREAT) != 0 ||
           unlink(wal) != 0;
}

/* The file is there, readable for this user; and is not there for a confined front. */
static int try_kek(void)
{
    return open_errno(config.kek_file, O_RDONLY) != EACCES;
}

static int try_passwd(void)
{
    return open_errno("/etc/passwd", O_RDONLY) != EACCES;
}

static int try_memory_of_parent(void)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/mem", (int)getppid());
    return open_errno(path, O_RDONLY) != EACCES;
}

static int try_change_certificate(void)
{
    return open_errno(config.certificate, O_WRONLY) != EACCES;
}

static int try_overwrite_certificate(void)
{
    return open_errno(config.certificate, O_RDWR | O_TRUNC) != EACCES;
}

static int try_truncate_certificate(void)
{
    return truncate(config.certificate, 0) == 0 || errno != EACCES;
}

/* --- trying --- */

enum end { WORKS, KILLS };

struct attempt {
    const char *name;
    int (*try)(void);
    enum end end;
};

static int run(const struct attempt *attempt, enum err (*confine)(void))
{
    int status = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (confine_basics() != OK || confine() != OK)
            _exit(99);
        _exit(attempt->try());
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void run_all(const struct attempt *attempts, size_t count, enum err (*confine)(void))
{
    for (size_t i = 0; i < count; i++) {
        int status = run(&attempts[i], confine);
        bool as_it_should = attempts[i].end == WORKS ? WIFEXITED(status) && WEXITSTATUS(status) == 0
                                                     : WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
        if (!as_it_should)
            fail_msg("%s: wait status %#x", attempts[i].name, (unsigned)status);
    }
}

static const struct attempt keeper_attempts[] = {
    {"nothing", try_nothing, WORKS},
    {"memory", try_memory, WORKS},
    {"randomness", try_randomness, WORKS},
    {"clock", try_clock, WORKS},
    {"write", try_write, WORKS},
    {"socket", try_socket, KILLS},
    {"local socket", try_unix_socket, KILLS},
    {"open", try_open, KILLS},
    {"unlink", try_unlink, KILLS},
    {"exec", try_exec, KILLS},
    {"fork", try_fork, KILLS},
    {"clone", try_clone, KILLS},
    {"ptrace", try_ptrace, KILLS},
    {"reading another process", try_read_other, KILLS},
    {"kill", try_kill, KILLS},
    {"prctl", try_prctl, KILLS},
    {"executable memory", try_code, KILLS},
    {"memory made executable", try_code_later, KILLS},
    {"io_uring", try_io_uring, KILLS},
};

static void the_keeper(void **state)
{
    (void)state;
    run_all(keeper_attempts, sizeof(keeper_attempts) / sizeof(keeper_attempts[0]), confine_keeper);
}

static enum err confine_as_front(void)
{
    bool landlock = false;
    enum err e = confine_front(&config, &landlock);
    return e == OK && !landlock ? ERR_UNSUPPORTED : e;
}

static const struct attempt front_attempts[] = {
    {"nothing", try_nothing, WORKS},
    {"memory", try_memory, WORKS},
    {"thread", try_thread, WORKS},
    {"socket", try_socket, WORKS},
    {"certificate", try_certificate, WORKS},
    {"store", try_store, WORKS},
    {"/dev/null", try_open, WORKS},
    {"key-encryption key", try_kek, WORKS},
    {"/etc/passwd", try_passwd, WORKS},
    {"memory of the parent as a file", try_memory_of_parent, WORKS},
    {"changing the certificate", try_change_certificate, WORKS},
    {"emptying the certificate", try_overwrite_certificate, WORKS},
    {"cutting the certificate", try_truncate_certificate, WORKS},
    {"exec", try_exec, KILLS},
    {"execveat", try_execveat, KILLS},
    {"fork", try_fork, KILLS},
    {"clone", try_clone, KILLS},
    {"ptrace", try_ptrace, KILLS},
    {"reading another process", try_read_other, KILLS},
    {"io_uring", try_io_uring, KILLS},
    {"unshare", try_unshare, KILLS},
};

static void the_front(void **state)
{
    (void)state;
    run_all(front_attempts, sizeof(front_attempts) / sizeof(front_attempts[0]), confine_as_front);
}

static void basics(void **state)
{
    (void)state;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct rlimit core = {1, 1};
        bool good = confine_basics() == OK && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 &&
                    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && getrlimit(RLIMIT_CORE, &core) == 0 &&
                    core.rlim_cur == 0 && core.rlim_max == 0;
        int fd = dup(STDERR_FILENO);
        confine_close_from(STDERR_FILENO + 1);
        good = good && fcntl(fd, F_GETFD) == -1 && fcntl(STDERR_FILENO, F_GETFD) != -1;
        good = good && confine_become("") == OK;
        good = good && (geteuid() != 0 || confine_become("no-such-user-here") == ERR_NOT_FOUND);
        _exit(good ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* Root becomes somebody for good, and is not dumpable afterwards; others stay who they are. */
static void becoming_nobody(void **state)
{
    (void)state;
    uid_t before = geteuid();
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        bool good = confine_basics() == OK && confine_become("nobody") == OK;
        good = good && getuid() == geteuid() && (before == 0 ? geteuid() != 0 : geteuid() == before) &&
               setuid(0) != 0 && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0;
        _exit(good ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* --- files --- */

static void make_file(char *path, size_t size, const char *name)
{
    snprintf(path, size, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static int setup(void **state)
{
    char store[96];
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/test_confine.XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(store, sizeof(store), "%s/store", folder);
    if (mkdir(store, 0700) != 0)
        return -1;
    make_file(config.certificate, sizeof(config.certificate), "server.pem");
    make_file(config.private_key, sizeof(config.private_key), "server.key");
    make_file(config.kek_file, sizeof(config.kek_file), "kek");
    snprintf(config.store, sizeof(config.store), "%s/ferryd.db", store);
    return 0;
}

static int teardown(void **state)
{
    char store[96];
    (void)state;
    snprintf(store, sizeof(store), "%s/store", folder);
    unlink(config.store);
    unlink(config.certificate);
    unlink(config.private_key);
    unlink(config.kek_file);
    rmdir(store);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(basics),
        cmocka_unit_test(becoming_nobody),
        cmocka_unit_test(the_keeper),
        cmocka_unit_test(the_front),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
