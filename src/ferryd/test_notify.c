/* SPDX-License-Identifier: Apache-2.0
 *
 * What a service manager hears: one datagram, by path or by abstract name, and nothing bad without it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "notify.h"

static int listen_at(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(name);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    memcpy(address.sun_path, name, len);
    if (name[0] == '@')
        address.sun_path[0] = 0;
    assert_int_equal(bind(fd, (const struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
                     0);
    return fd;
}

static void it_is_heard(void **state)
{
    (void)state;
    char path[64], abstract[64], heard[32];
    snprintf(path, sizeof(path), "/tmp/test_notify.%d", (int)getpid());
    snprintf(abstract, sizeof(abstract), "@test_notify.%d", (int)getpid());
    const char *names[] = {path, abstract};
    for (size_t i = 0; i < 2; i++) {
        int fd = listen_at(names[i]);
        setenv("NOTIFY_SOCKET", names[i], 1);
        notify_send("READY=1");
        ssize_t n = recv(fd, heard, sizeof(heard), 0);
        if (n != 7 || memcmp(heard, "READY=1", 7) != 0)
            fail_msg("%s: %zd bytes", names[i], n);
        close(fd);
    }
    unlink(path);
}

static void nobody_listens(void **state)
{
    (void)state;
    char long_path[200];
    memset(long_path, 'a', sizeof(long_path) - 1);
    long_path[0] = '/';
    long_path[sizeof(long_path) - 1] = 0;
    const char *names[] = {"", "/", "relative", "/nonexistent/socket", long_path};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        setenv("NOTIFY_SOCKET", names[i], 1);
        notify_send("READY=1");
    }
    unsetenv("NOTIFY_SOCKET");
    notify_send("READY=1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(it_is_heard), cmocka_unit_test(nobody_listens)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
