/* SPDX-License-Identifier: Apache-2.0
 *
 * The contacts: a card in a process of its own, with this test as the client of its socket, and as the vpcd
 * that it connects to. Frames in pieces, controls, faults, coming back, leaving when told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include <support/vectors.h>

#include "testing/host.h"
#include "transport.h"

enum { WAIT_MS = 5000 };

static char folder[] = "/tmp/ferry-card-socket-XXXXXX";
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
    (void)state;
    vectors_free();
    unlink(path);
    return rmdir(folder);
}

/* ---- the card's process ---- */

static enum err commit(void *ctx, struct view records, bool sync)
{
    const struct card_fault *f = ctx;
    (void)records;
    (void)sync;
    return f->power_lost ? ERR_IO : OK;
}

static void run_card(struct transport *t, struct card_fault *f)
{
    static struct host h;
    struct crypto *crypto = NULL;
    if (crypto_new(&crypto) != OK || host_init(&h, crypto, "modern", 0xFF) != OK)
        _exit(3);
    h.card.store = (struct card_store){commit, f};
    t->fault = f;
    enum err e = transport_run(t, &h.card);
    host_finish(&h);
    crypto_free(&crypto);
    _exit(e == OK ? 0 : 1);
}

/* The child begins with SIGTERM held back, so that it is not lost before the card listens to it. */
static pid_t start(struct transport t, struct card_fault f)
{
    sigset_t term, before;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    assert_int_equal(sigprocmask(SIG_BLOCK, &term, &before), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        run_card(&t, &f);
    assert_int_equal(sigprocmask(SIG_SETMASK, &before, NULL), 0);
    return child;
}

static int end(pid_t child)
{
    int status = 0;
    kill(child, SIGTERM);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- the reader's side ---- */

static void pause_ms(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static int connect_card(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    for (int tries = 0; tries < WAIT_MS / 10; tries++) {
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        assert_true(fd >= 0);
        if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
            return fd;
        close(fd);
        pause_ms(10);
    }
    fail_msg("the card does not listen");
    return -1;
}

static void say(int fd, const char *hex)
{
    struct view v = vector_hex(hex);
    struct writer w;
    wr_heap(&w, 70000);
    wr_view16(&w, v);
    assert_int_equal(write(fd, w.data, w.len), (ssize_t)w.len);
    wr_free(&w);
}

static bool readable(int fd, int timeout_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, timeout_ms) == 1;
}

/* The next answer; an empty view when the connection ends. */
static struct view hear(int fd)
{
    static uint8_t bytes[70000];
    size_t have = 0, want = 2;
    while (have < want) {
        if (!readable(fd, WAIT_MS))
            fail_msg("no answer");
        ssize_t n = read(fd, bytes + have, want - have);
        if (n <= 0)
            return VIEW_NULL;
        have += (size_t)n;
        if (have == 2)
            want = 2 + ((size_t)bytes[0] << 8 | bytes[1]);
    }
    return view_of(bytes + 2, have - 2);
}

static void answers(int fd, const char *command, const char *answer)
{
    say(fd, command);
    if (!view_equal(hear(fd), vector_hex(answer)))
        fail_msg("%s is not answered %s", command, answer);
}

static const char atr[] = "3BF91300008131FE458073C820DB5346433146";

/* ---- tests ---- */

static void a_socket_is_a_reader(void **state)
{
    struct stat st;
    (void)state;
    pid_t child = start((struct transport){.socket = path}, (struct card_fault){0});
    int fd = connect_card();
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    say(fd, "01");
    answers(fd, "04", atr);
    answers(fd, "80CA004200", "42039999999000");
    say(fd, "02"); /* reset: no answer */
    say(fd, "00");
    say(fd, "");   /* nothing at all */
    say(fd, "7F"); /* an unknown control */
    answers(fd, "04", atr);
    answers(fd, "80CA1234", "6A88");
    /* One reader at a time; the next one finds the card as after power on. */
    close(fd);
    fd = connect_card();
    answers(fd, "80CA004200", "42039999999000");
    close(fd);
    assert_int_equal(end(child), 0);
    assert_int_equal(stat(path, &st), -1);
}

static void frames_may_come_in_pieces(void **state)
{
    static const char frame[] = "000580CA004200"
                                "000104";
    (void)state;
    pid_t child = start((struct transport){.socket = path}, (struct card_fault){0});
    int fd = connect_card();
    struct view v = vector_hex(frame);
    for (size_t n = 0; n < v.len; n++) {
        assert_int_equal(write(fd, v.data + n, 1), 1);
        pause_ms(1);
    }
    assert_true(view_equal(hear(fd), vector_hex("42039999999000")));
    assert_true(view_equal(hear(fd), vector_hex(atr)));
    /* Half a frame and gone. */
    assert_int_equal(write(fd, v.data, 4), 4);
    close(fd);
    fd = connect_card();
    answers(fd, "80CA004200", "42039999999000");
    close(fd);
    assert_int_equal(end(child), 0);
}

static void a_session_ends_with_power(void **state)
{
    static const char *const controls[] = {"00", "01", "02"};
    (void)state;
    pid_t child = start((struct transport){.socket = path}, (struct card_fault){0});
    int fd = connect_card();
    for (size_t n = 0; n < 3; n++) {
        say(fd, "8050000008010203040506070800");
        assert_int_equal(hear(fd).len, 34);
        say(fd, controls[n]);
        answers(fd, "8482010010000102030405060708090A0B0C0D0E0F", "6985");
    }
    close(fd);
    assert_int_equal(end(child), 0);
}

static void faults_happen(void **state)
{
    static const char counter[] = "80CA00C100", initialize[] = "8050000008010203040506070800";
    static const struct {
        const char *name;
        bool before;
        const char *after_tear;
    } rows[] = {{"before", true, "C1030000009000"}, {"after", false, "C1030000019000"}};
    (void)state;
    for (size_t n = 0; n < 2; n++) {
        struct card_fault f = {.tear_after = 2, .tear_before = rows[n].before};
        pid_t child = start((struct transport){.socket = path}, f);
        int fd = connect_card();
        answers(fd, counter, "C1030000009000");
        say(fd, initialize);
        assert_int_equal(hear(fd).len, 0); /* the card is gone, without an answer */
        close(fd);
        fd = connect_card();
        answers(fd, counter, rows[n].after_tear);
        say(fd, initialize);
        assert_int_equal(hear(fd).len, 34);
        close(fd);
        assert_int_equal(end(child), 0);
    }
    pid_t child = start((struct transport){.socket = path}, (struct card_fault){.mute = true});
    int fd = connect_card();
    answers(fd, "04", atr);
    say(fd, counter);
    assert_false(readable(fd, 200));
    close(fd);
    assert_int_equal(end(child), 0);
    child = start((struct transport){.socket = path}, (struct card_fault){.slow_ms = 300});
    fd = connect_card();
    say(fd, counter);
    assert_false(readable(fd, 100));
    assert_int_equal(hear(fd).len, 7);
    close(fd);
    assert_int_equal(end(child), 0);
}

static void a_hostile_card_answers_what_it_likes(void **state)
{
    static const struct {
        const char *name, *answer; /* NULL: only its length counts */
        size_t len;
    } rows[] = {{"more", "61FF", 2},
                {"again", "6CFF", 2},
                {"huge", NULL, 65535},
                {"short", "90", 1},
                {"noise", NULL, 7}};
    (void)state;
    assert_int_equal(card_lie_by_name("truth"), LIE_NONE);
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        struct card_fault f = {.lie = card_lie_by_name(rows[n].name), .lie_after = 1};
        pid_t child = start((struct transport){.socket = path}, f);
        int fd = connect_card();
        answers(fd, "80CA004200", "42039999999000");
        for (int times = 0; times < 2; times++) {
            say(fd, "80CA004200");
            struct view answer = hear(fd);
            if (answer.len != rows[n].len ||
                (rows[n].answer != NULL && !view_equal(answer, vector_hex(rows[n].answer))) ||
                view_equal(answer, vector_hex("42039999999000")))
                fail_msg("%s", rows[n].name);
        }
        close(fd);
        assert_int_equal(end(child), 0);
    }
    pid_t child = start((struct transport){.socket = path}, (struct card_fault){.lie = LIE_EMPTY});
    int fd = connect_card();
    say(fd, "80CA004200");
    uint8_t frame[2] = {0xFF, 0xFF};
    assert_true(readable(fd, WAIT_MS));
    assert_int_equal(read(fd, frame, sizeof frame), 2);
    assert_true(view_equal(VIEW_OF(frame), vector_hex("0000")));
    close(fd);
    assert_int_equal(end(child), 0);
}

static void only_a_dead_socket_is_replaced(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int status = 0;
    (void)state;
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    /* Left by a killed card. */
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
    pid_t child = start((struct transport){.socket = path}, (struct card_fault){0});
    fd = connect_card();
    /* A second card does not take it away. */
    pid_t second = start((struct transport){.socket = path}, (struct card_fault){0});
    assert_int_equal(waitpid(second, &status, 0), second);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    answers(fd, "80CA004200", "42039999999000");
    close(fd);
    assert_int_equal(end(child), 0);
    /* Nor is a file of somebody else's. */
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fclose(f);
    second = start((struct transport){.socket = path}, (struct card_fault){0});
    assert_int_equal(waitpid(second, &status, 0), second);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    assert_int_equal(unlink(path), 0);
}

/* ---- as vpcd ---- */

static int listen_vpcd(char port[8])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    snprintf(port, 8, "%u", ntohs(address.sin_port));
    return fd;
}

static int accept_card(int listener)
{
    assert_true(readable(listener, WAIT_MS));
    int fd = accept(listener, NULL, NULL);
    assert_true(fd >= 0);
    return fd;
}

static void the_card_comes_to_vpcd_and_comes_back(void **state)
{
    char port[8];
    (void)state;
    int listener = listen_vpcd(port);
    pid_t child = start((struct transport){.host = "127.0.0.1", .port = port}, (struct card_fault){0});
    for (int round = 0; round < 3; round++) {
        int fd = accept_card(listener);
        say(fd, "01");
        answers(fd, "04", atr);
        answers(fd, "80CA004200", "42039999999000");
        close(fd);
    }
    assert_int_equal(end(child), 0);
    close(listener);
}

static void it_stops_also_without_a_reader(void **state)
{
    char port[8];
    (void)state;
    int listener = listen_vpcd(port);
    close(listener);
    pid_t child = start((struct transport){.host = "127.0.0.1", .port = port}, (struct card_fault){0});
    assert_int_equal(end(child), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_socket_is_a_reader),
        cmocka_unit_test(frames_may_come_in_pieces),
        cmocka_unit_test(a_session_ends_with_power),
        cmocka_unit_test(faults_happen),
        cmocka_unit_test(a_hostile_card_answers_what_it_likes),
        cmocka_unit_test(only_a_dead_socket_is_replaced),
        cmocka_unit_test(the_card_comes_to_vpcd_and_comes_back),
        cmocka_unit_test(it_stops_also_without_a_reader),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
