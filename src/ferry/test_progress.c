/* SPDX-License-Identifier: Apache-2.0
 *
 * Whoever reports progress never waits: for a server that accepts and says nothing, and for one that is not
 * there. What arrives at a real server is in tests/e2e/test_progress.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "progress.h"

enum { TELLS = 100000, SOON_MS = 20000, NEVER_MS = 700 };

static const struct progress_state state_of_a_card = {.stage = "deliver", .reader = "a reader"};

/* A port of this machine, bound but not listening yet. */
static int bound(uint16_t *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

static bool readable(int fd, int timeout_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, timeout_ms) == 1;
}

static struct progress *to_port(uint16_t port)
{
    struct remote_settings s = {0};
    struct progress *p = NULL;
    char url[64];
    snprintf(url, sizeof(url), "https://127.0.0.1:%u/gp/progress?t=a.b", (unsigned)port);
    assert_int_equal(progress_new(&p, &s, url), OK);
    return p;
}

static void tell_much(struct progress *p)
{
    struct progress_state s = state_of_a_card;
    for (s.total = TELLS; s.done < s.total; s.done++)
        progress_tell(p, &s);
}

static void a_server_that_never_answers(void **unused)
{
    (void)unused;
    uint16_t port;
    uint8_t hello[4096];
    ssize_t n;
    int listener = bound(&port);
    assert_int_equal(listen(listener, 8), 0);
    struct progress *p = to_port(port);
    assert_false(readable(listener, NEVER_MS)); /* nothing to say: no connection */
    tell_much(p);
    assert_true(readable(listener, SOON_MS));
    int fd = accept(listener, NULL, NULL);
    assert_true(fd >= 0);
    tell_much(p); /* while the first report waits for its answer */
    assert_true(readable(fd, SOON_MS));
    progress_free(&p); /* and does not wait for one either: this test has a limit of its own */
    assert_null(p);
    while ((n = recv(fd, hello, sizeof(hello), 0)) > 0)
        continue;
    assert_true(n <= 0);                        /* it was cut off */
    assert_false(readable(listener, NEVER_MS)); /* and there was only the one */
    close(fd);
    close(listener);
}

static void a_server_that_is_not_there(void **unused)
{
    (void)unused;
    uint16_t port;
    int listener = bound(&port);
    struct progress *p = to_port(port);
    tell_much(p);
    /* The refusal takes effect before this ends; from then on nothing is asked any more. */
    struct pollfd nobody = {.fd = -1};
    assert_int_equal(poll(&nobody, 1, NEVER_MS), 0);
    assert_int_equal(listen(listener, 8), 0);
    tell_much(p);
    assert_false(readable(listener, NEVER_MS));
    progress_free(&p);
    assert_false(readable(listener, 0));
    close(listener);
}

static void nobody_to_tell(void **unused)
{
    (void)unused;
    struct progress *p = NULL;
    progress_tell(p, &state_of_a_card);
    progress_free(&p);
    assert_null(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_that_never_answers),
        cmocka_unit_test(a_server_that_is_not_there),
        cmocka_unit_test(nobody_to_tell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
