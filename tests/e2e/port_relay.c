/* SPDX-License-Identifier: Apache-2.0
 *
 * port_relay LISTEN TARGET HELD: passes connections of one port of 127.0.0.1 on to another, all but the first
 * HELD ones, which are accepted and never read. Says what happens to each, line by line. */
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in at_port(int port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void say(int number, const char *what)
{
    printf("%d %s\n", number, what);
    fflush(stdout);
}

static void hold(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLRDHUP};
    while (poll(&p, 1, -1) != 1)
        continue;
}

static bool pass_on(int from, int to)
{
    char block[16384];
    ssize_t n = read(from, block, sizeof(block));
    return n > 0 && write(to, block, (size_t)n) == n;
}

static void pass(int fd, int target)
{
    struct sockaddr_in a = at_port(target);
    int out = socket(AF_INET, SOCK_STREAM, 0);
    struct pollfd p[] = {{.fd = fd, .events = POLLIN}, {.fd = out, .events = POLLIN}};
    bool goes_on = connect(out, (struct sockaddr *)&a, sizeof(a)) == 0;
    while (goes_on && poll(p, 2, -1) > 0) {
        if (p[0].revents != 0)
            goes_on = pass_on(fd, out);
        if (goes_on && p[1].revents != 0)
            goes_on = pass_on(out, fd);
    }
}

static void serve(int number, int fd, int target, bool held)
{
    say(number, held ? "held" : "passed");
    if (held)
        hold(fd);
    else
        pass(fd, target);
    say(number, "closed");
}

int main(int argc, char **argv)
{
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    if (argc != 4)
        return 2;
    struct sockaddr_in a = at_port(atoi(argv[1]));
    signal(SIGCHLD, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(listener, (struct sockaddr *)&a, sizeof(a)) != 0 || listen(listener, 16) != 0)
        return 1;
    say(0, "listening");
    for (int number = 1;; number++) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            continue;
        if (fork() == 0) {
            serve(number, fd, atoi(argv[2]), number <= atoi(argv[3]));
            _exit(0);
        }
        close(fd);
    }
}
