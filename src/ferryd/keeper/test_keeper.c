/* SPDX-License-Identifier: Apache-2.0
 *
 * The keeper as a process of its own: which key files it refuses, what it answers, how it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "confine.h"
#include "keeper/frame.h"
#include "keeper/keeper.h"
#include "supervisor.h"
#include <base/text.h>
#include <vault/serve.h>

static char folder[64];
static struct config config;
static const uint8_t kek_bytes[KEK_LEN] = {0xCA, 0x7E, 0x01, 0x02};

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/test_keeper.XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(config.kek_file, sizeof(config.kek_file), "%s/kek", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(config.kek_file);
    return rmdir(folder);
}

static void write_kek(size_t len, unsigned mode)
{
    static const uint8_t more[KEK_LEN + 1] = {1};
    unlink(config.kek_file);
    int fd = open(config.kek_file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, len == KEK_LEN ? kek_bytes : more, len), len);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

/* --- the key file --- */

static const struct {
    const char *name;
    size_t len;
    unsigned mode;
    enum err e;
    const char *says; /* behind the path */
} files[] = {
    {"right", KEK_LEN, 0600, OK, ""},
    {"read-only", KEK_LEN, 0400, OK, ""},
    {"group reads", KEK_LEN, 0640, ERR_POLICY, " has mode 0640; it must be 0600 or 0400"},
    {"all read", KEK_LEN, 0604, ERR_POLICY, " has mode 0604; it must be 0600 or 0400"},
    {"group writes", KEK_LEN, 0620, ERR_POLICY, " has mode 0620; it must be 0600 or 0400"},
    {"executable", KEK_LEN, 0700, ERR_POLICY, " has mode 0700; it must be 0600 or 0400"},
    {"set user", KEK_LEN, 04600, ERR_POLICY, " has mode 4600; it must be 0600 or 0400"},
    {"empty", 0, 0600, ERR_FORMAT, " must have exactly 32 bytes"},
    {"short", KEK_LEN - 1, 0600, ERR_FORMAT, " must have exactly 32 bytes"},
    {"long", KEK_LEN + 1, 0600, ERR_FORMAT, " must have exactly 32 bytes"},
};

static void key_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct secret kek = {0};
        char why[KEEPER_WHY_MAX] = "", want[KEEPER_WHY_MAX];
        write_kek(files[i].len, files[i].mode);
        enum err e = keeper_read_kek(&config, &kek, why);
        snprintf(want, sizeof(want), "%s%s", config.kek_file, files[i].says);
        if (e != files[i].e || (e != OK && strcmp(why, want) != 0))
            fail_msg("%s: %s: %s", files[i].name, err_name(e), why);
        if (e == OK)
            assert_true(view_equal(secret_view(&kek), VIEW_OF(kek_bytes)));
        else
            assert_int_equal(kek.len, 0);
        secret_wipe(&kek);
    }
}

static void no_key_file(void **state)
{
    (void)state;
    struct secret kek = {0};
    char why[KEEPER_WHY_MAX], target[80];
    unlink(config.kek_file);
    assert_int_equal(keeper_read_kek(&config, &kek, why), ERR_IO);
    assert_non_null(strstr(why, "No such file"));
    assert_int_equal(mkdir(config.kek_file, 0600), 0);
    assert_int_equal(keeper_read_kek(&config, &kek, why), ERR_POLICY);
    assert_non_null(strstr(why, "not a regular file"));
    assert_int_equal(rmdir(config.kek_file), 0);
    assert_int_equal(mkfifo(config.kek_file, 0600), 0); /* and does not wait for a writer */
    assert_int_equal(keeper_read_kek(&config, &kek, why), ERR_POLICY);
    write_kek(KEK_LEN, 0600);
    snprintf(target, sizeof(target), "%s/real", folder);
    assert_int_equal(rename(config.kek_file, target), 0);
    assert_int_equal(symlink(target, config.kek_file), 0);
    assert_int_equal(keeper_read_kek(&config, &kek, why), ERR_IO);
    assert_non_null(strstr(why, "symbolic link"));
    unlink(target);
}

static void a_file_of_somebody_else(void **state)
{
    (void)state;
    struct secret kek = {0};
    char why[KEEPER_WHY_MAX] = "";
    /* Only root can give files away; for others every file that they can make is their own. */
    write_kek(KEK_LEN, 0600);
    bool given = chown(config.kek_file, 65534, 65534) == 0;
    enum err e = keeper_read_kek(&config, &kek, why);
    assert_int_equal(e, given ? ERR_POLICY : OK);
    assert_int_equal(strstr(why, "another user") != NULL, given);
    if (given) {
        snprintf(config.user, sizeof(config.user), "nobody");
        assert_int_equal(keeper_read_kek(&config, &kek, why), OK);
        config.user[0] = 0;
    }
    secret_wipe(&kek);
}

static void credentials(void **state)
{
    (void)state;
    struct secret kek = {0};
    struct config with = {0};
    char why[KEEPER_WHY_MAX];
    snprintf(with.kek_credential, sizeof(with.kek_credential), "kek");
    unsetenv("CREDENTIALS_DIRECTORY");
    assert_int_equal(keeper_read_kek(&with, &kek, why), ERR_NOT_FOUND);
    setenv("CREDENTIALS_DIRECTORY", folder, 1);
    write_kek(KEK_LEN, 0440);
    assert_int_equal(keeper_read_kek(&with, &kek, why), OK);
    write_kek(KEK_LEN, 0444);
    assert_int_equal(keeper_read_kek(&with, &kek, why), ERR_POLICY);
    unsetenv("CREDENTIALS_DIRECTORY");
    secret_wipe(&kek);
}

/* --- the process --- */

struct keeper {
    pid_t pid;
    int fd;
};

static void tell(void *arg)
{
    ssize_t n = write(*(int *)arg, "R", 1);
    (void)n;
}

static struct keeper start(void)
{
    struct keeper k;
    int fds[2];
    char byte = 0;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    k.pid = fork();
    assert_true(k.pid >= 0);
    if (k.pid == 0) {
        close(fds[0]);
        _exit(confine_basics() == OK ? keeper_main(&config, fds[1], tell, &fds[1]) : 99);
    }
    close(fds[1]);
    k.fd = fds[0];
    /* Its R comes through the same socket here. */
    if (read(k.fd, &byte, 1) == 1)
        assert_int_equal(byte, 'R');
    return k;
}

static int finish(struct keeper *k)
{
    int status = 0;
    close(k->fd);
    assert_int_equal(waitpid(k->pid, &status, 0), k->pid);
    return status;
}

static void send_bytes(const struct keeper *k, struct view v)
{
    assert_int_equal(write(k->fd, v.data, v.len), v.len);
}

static void put_info(struct writer *w, uint32_t id)
{
    size_t start = frame_begin(w, id);
    assert_int_equal(vault_put_info(w), OK);
    assert_int_equal(frame_end(w, start), OK);
}

static void expect_info(const struct keeper *k, uint32_t id)
{
    uint8_t bytes[256], got[32], want[32];
    struct secret kek;
    struct crypto *c = NULL;
    struct vault *v = NULL;
    struct frame frame;
    size_t used = 0;
    enum { REPLY = FRAME_HEAD + 1 + 32 };
    assert_int_equal(recv(k->fd, bytes, REPLY, MSG_WAITALL), REPLY);
    assert_int_equal(frame_get(view_of(bytes, REPLY), &frame, &used), OK);
    assert_int_equal(frame.id, id);
    assert_int_equal(vault_get_info(frame.body, got), OK);
    assert_int_equal(secret_set(&kek, VIEW_OF(kek_bytes)), OK);
    assert_int_equal(crypto_new(&c), OK);
    assert_int_equal(vault_new(&v, c, crypto_random(), &kek), OK);
    vault_import_key(v, want);
    assert_memory_equal(got, want, sizeof(want));
    vault_free(&v);
    crypto_free(&c);
}

static void it_serves_until_the_front_closes(void **state)
{
    (void)state;
    uint8_t memory[256];
    struct writer w;
    write_kek(KEK_LEN, 0600);
    struct keeper k = start();
    wr_fixed(&w, memory, sizeof(memory));
    /* Three at once, then one in pieces. */
    for (uint32_t id = 7; id < 10; id++)
        put_info(&w, id);
    send_bytes(&k, wr_view_of(&w));
    for (uint32_t id = 7; id < 10; id++)
        expect_info(&k, id);
    wr_clear(&w);
    put_info(&w, 0xFFFFFFFF);
    for (size_t i = 0; i < w.len; i++)
        send_bytes(&k, view_of(w.data + i, 1));
    expect_info(&k, 0xFFFFFFFF);
    assert_int_equal(finish(&k), 0);
}

static void a_request_that_is_none_is_answered(void **state)
{
    (void)state;
    uint8_t memory[64], bytes[FRAME_HEAD + 1];
    struct writer w;
    write_kek(KEK_LEN, 0600);
    struct keeper k = start();
    wr_fixed(&w, memory, sizeof(memory));
    size_t start_of = frame_begin(&w, 1);
    wr_u8(&w, 0x66);
    assert_int_equal(frame_end(&w, start_of), OK);
    send_bytes(&k, wr_view_of(&w));
    assert_int_equal(recv(k.fd, bytes, sizeof(bytes), MSG_WAITALL), sizeof(bytes));
    assert_int_equal(bytes[FRAME_HEAD], ERR_UNSUPPORTED);
    wr_clear(&w);
    put_info(&w, 2);
    send_bytes(&k, wr_view_of(&w));
    expect_info(&k, 2);
    assert_int_equal(finish(&k), 0);
}

static const struct {
    const char *name, *hex;
    int code;
} endings[] = {
    {"a length beyond every frame", "FFFFFFFF00000001", EXIT_FAILED},
    {"a length without an id", "0000000300000001", EXIT_FAILED},
    {"the end amid a frame", "00000020000000", EXIT_GOOD},
};

static void how_it_ends(void **state)
{
    (void)state;
    write_kek(KEK_LEN, 0600);
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        uint8_t bytes[16];
        size_t len;
        struct keeper k = start();
        assert_int_equal(hex_read_str(endings[i].hex, bytes, sizeof(bytes), &len), OK);
        send_bytes(&k, view_of(bytes, len));
        int status = finish(&k);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != endings[i].code)
            fail_msg("%s: %#x", endings[i].name, (unsigned)status);
    }
}

static void without_a_good_key_it_does_not_begin(void **state)
{
    (void)state;
    write_kek(KEK_LEN, 0644);
    struct keeper k = start();
    int status = finish(&k);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EXIT_CONFIG_BAD);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_files),
        cmocka_unit_test(no_key_file),
        cmocka_unit_test(a_file_of_somebody_else),
        cmocka_unit_test(credentials),
        cmocka_unit_test(it_serves_until_the_front_closes),
        cmocka_unit_test(a_request_that_is_none_is_answered),
        cmocka_unit_test(how_it_ends),
        cmocka_unit_test(without_a_good_key_it_does_not_begin),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
