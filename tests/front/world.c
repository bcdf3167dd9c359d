/* SPDX-License-Identifier: Apache-2.0
 *
 * Processes and client of front_world. */
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

#include <base/text.h>
#include <vault/serve.h>

#include "front/front.h"
#include "keeper/frame.h"

/* ---- Processes --------------------------------------------------------------------------------------- */

static bool read_all(int fd, uint8_t *out, size_t len)
{
    while (len > 0) {
        ssize_t n = read(fd, out, len);
        if (n <= 0)
            return false;
        out += n;
        len -= (size_t)n;
    }
    return true;
}

static bool write_all(int fd, struct view v)
{
    while (v.len > 0) {
        ssize_t n = write(fd, v.data, v.len);
        if (n <= 0)
            return false;
        v = view_tail(v, (size_t)n);
    }
    return true;
}

/* A vault behind a socket, as the keeper is, without its confinement. */
static void serve_vault(int fd)
{
    struct crypto *crypto = NULL;
    struct vault *vault = NULL;
    static uint8_t memory[FRAME_MAX];
    if (crypto_new(&crypto) != OK || bench_vault(crypto, &vault) != OK)
        _exit(1);
    for (;;) {
        struct frame frame;
        struct writer reply;
        size_t used = 0;
        struct reader head;
        if (!read_all(fd, memory, 4))
            _exit(0);
        rd_init(&head, view_of(memory, 4));
        uint32_t len = rd_u32(&head);
        if (len > KEEPER_FRAME_MAX || !read_all(fd, memory + 4, len) ||
            frame_get(view_of(memory, 4 + (size_t)len), &frame, &used) != OK)
            _exit(1);
        wr_heap(&reply, FRAME_MAX);
        size_t start = frame_begin(&reply, frame.id);
        vault_serve(vault, frame.body, &reply);
        if (frame_end(&reply, start) != OK || !write_all(fd, wr_view_of(&reply)))
            _exit(1);
        wr_free(&reply);
    }
}

static void tell_port(void *arg, unsigned port)
{
    uint16_t p = (uint16_t)port;
    (void)!write(*(int *)arg, &p, sizeof(p));
}

static void no_line(void *ctx, enum log_level level, const char *line)
{
    (void)ctx, (void)level;
    if (getenv("FRONT_LOG") != NULL)
        fprintf(stderr, "%s\n", line);
}

static uint64_t no_time(void *ctx)
{
    (void)ctx;
    return 0;
}

/* Where a child finds what it was given. */
enum { FD_VAULT = 60, FD_CONTROL, FD_READY };

static int run_front(char **argv)
{
    struct config *c = calloc(1, sizeof(*c));
    const struct log_target log = {.line = no_line, .now_ms = no_time, .most = LOG_INFO};
    int ready = FD_READY;
    if (c == NULL)
        return 1;
    *c = (struct config){.connections_max = 40,
                         .connections_per_peer_max = 8,
                         .session_timeout_s = 600,
                         .order_expiry_s = 3600};
    if (getenv("FRONT_TIMEOUT_S") != NULL)
        c->session_timeout_s = (unsigned)atoi(getenv("FRONT_TIMEOUT_S"));
    (void)snprintf(c->listen, sizeof(c->listen), "127.0.0.1:0");
    (void)snprintf(c->public_url, sizeof(c->public_url), "https://127.0.0.1");
    (void)snprintf(c->store, sizeof(c->store), "%s", argv[2]);
    (void)snprintf(c->certificate, sizeof(c->certificate), "%s", argv[3]);
    (void)snprintf(c->private_key, sizeof(c->private_key), "%s", argv[4]);
    log_set_target(&log);
    (void)signal(SIGPIPE, SIG_DFL); /* as a shell starts it */
    const struct front_setup setup = {
        .config = c, .keeper_fd = FD_VAULT, .control_fd = FD_CONTROL, .ready = tell_port, .arg = &ready};
    int code = front_run(&setup);
    free(c);
    return code;
}

bool front_child(int argc, char **argv, int *code)
{
    if (argc == 5 && strcmp(argv[1], "--front") == 0)
        *code = run_front(argv);
    else if (argc == 2 && strcmp(argv[1], "--vault") == 0)
        serve_vault(FD_VAULT);
    else
        return false;
    return true;
}

/* The program itself, begun anew: a process with threads cannot just be forked. */
static pid_t start_child(char *const argv[], const int *fds, size_t count)
{
    pid_t pid = fork();
    if (pid == 0) {
        for (size_t n = 0; n < count; n++) {
            if (dup2(fds[n], FD_VAULT + (int)n) < 0)
                _exit(99);
        }
        (void)execv("/proc/self/exe", argv);
        _exit(99);
    }
    return pid;
}

void front_start(struct front_world *w)
{
    int vault[2], control[2], ready[2];
    uint16_t port = 0;
    char name[] = "test", vault_word[] = "--vault", front_word[] = "--front";
    char *const vault_args[] = {name, vault_word, NULL};
    char *const front_args[] = {name, front_word, w->store, w->tls.certificate, w->tls.key, NULL};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, vault), 0);
    assert_int_equal(pipe2(control, O_CLOEXEC), 0);
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    w->keeper = start_child(vault_args, &vault[0], 1);
    const int fds[] = {vault[1], control[0], ready[1]};
    w->front = start_child(front_args, fds, 3);
    (void)close(vault[0]);
    (void)close(vault[1]);
    (void)close(control[0]);
    (void)close(ready[1]);
    if (!read_all(ready[0], (uint8_t *)&port, sizeof(port)))
        fail_msg("the front did not start");
    (void)close(ready[0]);
    w->control_fd = control[1];
    w->port = port;
}

static int wait_for(pid_t *pid)
{
    int status = 0;
    if (*pid <= 0)
        return -1;
    while (waitpid(*pid, &status, 0) < 0 && errno == EINTR) {
    }
    *pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void front_kill_keeper(struct front_world *w)
{
    if (w->keeper > 0)
        (void)kill(w->keeper, SIGKILL);
    (void)wait_for(&w->keeper);
}

void front_kill(struct front_world *w)
{
    (void)kill(w->front, SIGKILL);
    (void)wait_for(&w->front);
    (void)close(w->control_fd);
    front_kill_keeper(w);
}

int front_stop(struct front_world *w)
{
    (void)close(w->control_fd);
    int code = wait_for(&w->front);
    front_kill_keeper(w);
    return code;
}

void front_world_open(struct front_world *w, const struct bench_setup *setup)
{
    memset(w, 0, sizeof(*w));
    (void)signal(SIGPIPE, SIG_IGN);
    bench_open(&w->bench, setup);
    (void)snprintf(w->store, sizeof(w->store), "%s", w->bench.folder.file);
    test_tls_make(&w->tls, w->bench.folder.path);
    w->curl = curl_easy_init();
    front_start(w);
}

const uint8_t front_hello_app[] = {0xF0, 0x00, 0x00, 0x00, 0x01, 0x01};

void front_world_open_hello(struct front_world *w)
{
    const struct bench_setup setup = bench_modern();
    front_world_open(w, &setup);
    bench_add_app(&w->bench, "hello", "hello-jc222.cap", NULL);
    bench_add_order(&w->bench, "install", "install", "hello", "", "");
    /* bench_open adds the order inspect. */
}

void exchange_expect(const char *what, const struct exchange *x, long status, const char *outcome,
                     const char *reason)
{
    if (x->status != status || strcmp(x->outcome, outcome) != 0 || strcmp(x->reason, reason) != 0)
        fail_msg("%s: %ld %s %s instead of %ld %s %s", what, x->status, x->outcome, x->reason, status,
                 outcome, reason);
}

void front_world_close(struct front_world *w)
{
    if (w->front > 0)
        (void)front_stop(w);
    curl_easy_cleanup(w->curl);
    test_tls_remove(&w->tls);
    bench_close(&w->bench);
}

/* ---- The client -------------------------------------------------------------------------------------- */

static size_t take_body(char *data, size_t size, size_t count, void *arg)
{
    struct exchange *x = arg;
    wr_bytes(&x->body, data, size * count);
    return size * count;
}

static void take_value(const char *line, size_t len, const char *name, char *out, size_t room)
{
    size_t n = strlen(name);
    if (len < n || strncasecmp(line, name, n) != 0)
        return;
    while (len > n && (line[len - 1] == '\r' || line[len - 1] == '\n'))
        len--;
    (void)snprintf(out, room, "%.*s", (int)(len - n), line + n);
}

static size_t take_header(char *data, size_t size, size_t count, void *arg)
{
    struct exchange *x = arg;
    size_t len = size * count;
    take_value(data, len, "X-Admin-Next-URI: ", x->next, sizeof(x->next));
    take_value(data, len, "X-Ferry-Outcome: ", x->outcome, sizeof(x->outcome));
    take_value(data, len, "X-Ferry-Reason: ", x->reason, sizeof(x->reason));
    take_value(data, len, "X-Ferry-Step: ", x->step, sizeof(x->step));
    take_value(data, len, "X-Ferry-Commands: ", x->commands, sizeof(x->commands));
    take_value(data, len, "X-Ferry-Session: ", x->session, sizeof(x->session));
    take_value(data, len, "X-Ferry-Purpose: ", x->purpose, sizeof(x->purpose));
    take_value(data, len, "X-Ferry-App: ", x->app, sizeof(x->app));
    take_value(data, len, "Content-Type: ", x->type, sizeof(x->type));
    take_value(data, len, "Set-Cookie: ", x->cookie, sizeof(x->cookie));
    return len;
}

void exchange_finish(struct exchange *x)
{
    wr_free(&x->body);
    *x = (struct exchange){0};
}

static void add_header(struct curl_slist **list, const char *name, const char *value)
{
    char line[600];
    if (value == NULL)
        return;
    (void)snprintf(line, sizeof(line), "%s: %s", name, value);
    *list = curl_slist_append(*list, line);
}

void front_ask(struct front_world *w, const struct question *q, struct exchange *out)
{
    char url[400];
    struct curl_slist *headers = NULL;
    CURL *c = w->curl;
    *out = (struct exchange){0};
    wr_heap(&out->body, SCRIPT_MAX);
    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u%s", w->port, q->path);
    curl_easy_reset(c);
    curl_easy_setopt(c, CURLOPT_URL, url);
    test_tls_trust(&w->tls, c);
    curl_easy_setopt(c, CURLOPT_TIMEOUT, 30L);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, out);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, out);
    if (strcmp(q->method, "POST") == 0) {
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, q->body.len > 0 ? (const char *)q->body.data : "");
        curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body.len);
    }
    curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, q->method);
    headers = curl_slist_append(headers, "Expect:");
    add_header(&headers, "X-Admin-Protocol", q->protocol);
    add_header(&headers, "X-Admin-From", q->from);
    add_header(&headers, "X-Admin-Script-Status", q->status);
    add_header(&headers, "X-Admin-Resume", q->resume);
    add_header(&headers, "Content-Type", q->type != NULL ? q->type : "");
    add_header(&headers, "Cookie", q->cookie);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
    if (curl_easy_perform(c) == CURLE_OK)
        curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &out->status);
    curl_slist_free_all(headers);
}

static const char protocol[] = "globalplatform-remote-admin/1.0";
static const char response[] = "application/vnd.globalplatform.card-content-mgt-response;version=1.0";

void front_begin(struct front_world *w, const char *ticket, struct exchange *out)
{
    char path[128], from[200], digits[2 * ATR_MAX + 1];
    uint8_t memory[ATR_MAX];
    struct writer atr;
    wr_fixed(&atr, memory, sizeof(memory));
    vcard_put_atr(w->bench.card, &atr);
    hex_write(digits, wr_view_of(&atr));
    (void)snprintf(path, sizeof(path), "/gp/adm?t=%s", ticket);
    (void)snprintf(from, sizeof(from), "//se-id/ATR/%s;//aa-id/uuid/test", digits);
    const struct question q = {.method = "POST", .path = path, .protocol = protocol, .from = from};
    front_ask(w, &q, out);
}

void front_post(struct front_world *w, const char *next, struct view body, struct exchange *out)
{
    const struct question q = {
        .method = "POST", .path = next, .protocol = protocol, .type = response, .status = "ok", .body = body};
    front_ask(w, &q, out);
}

void front_resume(struct front_world *w, const char *next, struct exchange *out)
{
    const struct question q = {.method = "POST", .path = next, .protocol = protocol, .resume = "true"};
    vcard_reset(w->bench.card);
    front_ask(w, &q, out);
}

void front_execute(struct front_world *w, struct view packet, struct writer *body)
{
    static const struct bench_client honest = {0};
    struct bench_result result = {0};
    bool torn = false;
    bench_execute(&w->bench, &honest, 0, packet, body, &torn, &result);
}

void front_go_on(struct front_world *w, const struct exchange *last, struct writer *body,
                 struct exchange *out)
{
    struct writer own;
    struct writer *used = body != NULL ? body : &own;
    wr_heap(&own, SCRIPT_MAX);
    front_execute(w, wr_view_of(&last->body), used);
    front_post(w, last->next, wr_view_of(used), out);
    wr_free(&own);
}
