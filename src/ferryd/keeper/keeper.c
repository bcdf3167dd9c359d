/* SPDX-License-Identifier: Apache-2.0
 *
 * The keeper's life: read the key, give up every right, then one frame after the other. */
#include "keeper/keeper.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "confine.h"
#include "keeper/frame.h"
#include "supervisor.h"
#include <base/log.h>
#include <vault/serve.h>

/* Exactly the bytes that *into still lacks up to len. ERR_CLOSED at the end of file. */
static enum err read_up_to(int fd, struct writer *into, size_t len)
{
    if (len <= into->len)
        return OK;
    size_t want = len - into->len;
    uint8_t *at = wr_reserve(into, want);
    if (at == NULL)
        return ERR_MEMORY;
    while (want > 0) {
        ssize_t n = read(fd, at, want);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0 ? ERR_CLOSED : ERR_IO;
        at += n;
        want -= (size_t)n;
    }
    return OK;
}

/* One whole frame. ERR_CLOSED when the front has closed. */
static enum err read_frame(int fd, struct writer *into, struct frame *frame)
{
    size_t used = 0;
    enum err e;
    wr_clear(into);
    while ((e = frame_get(wr_view_of(into), frame, &used)) == ERR_NOT_FOUND) {
        if ((e = read_up_to(fd, into, used)) != OK)
            return e;
    }
    return e;
}

static enum err write_all(int fd, struct view v)
{
    while (v.len > 0) {
        ssize_t n = write(fd, v.data, v.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EPIPE || errno == ECONNRESET ? ERR_CLOSED : ERR_IO;
        v = view_tail(v, (size_t)n);
    }
    return OK;
}

static enum err serve_one(struct vault *v, int fd, struct writer *in, struct writer *out)
{
    struct frame frame;
    enum err e;
    if ((e = read_frame(fd, in, &frame)) != OK)
        return e;
    wr_clear(out);
    size_t start = frame_begin(out, frame.id);
    vault_serve(v, frame.body, out);
    if ((e = frame_end(out, start)) != OK)
        return e;
    return write_all(fd, wr_view_of(out));
}

static int serve(struct vault *v, int fd)
{
    struct writer in, out;
    enum err e = OK;
    uint64_t requests = 0;
    wr_heap(&in, FRAME_MAX);
    wr_heap(&out, FRAME_MAX);
    while (e == OK) {
        e = serve_one(v, fd, &in, &out);
        requests += e == OK;
    }
    wr_free(&in);
    wr_free(&out);
    LOG(e == ERR_CLOSED ? LOG_INFO : LOG_ERROR, "keeper.stopped", log_u64("requests", requests), log_err(e));
    return e == ERR_CLOSED ? EXIT_GOOD : EXIT_FAILED;
}

/* Neither to the swap space nor into a dump. The second can't fail where the first worked. */
static void pin(struct view memory)
{
    if (mlock(memory.data, memory.len) != 0)
        LOG(LOG_WARNING, "keeper.unlocked",
            log_str("why", "the limit of locked memory is too low (RLIMIT_MEMLOCK)"));
}

/* The vault holds a copy of the key; the one that was read is wiped. */
static enum err make_vault(const struct config *config, struct crypto *c, struct vault **out,
                           char why[KEEPER_WHY_MAX])
{
    struct secret kek = {0};
    pin(view_of(&kek, sizeof(kek)));
    enum err e = keeper_read_kek(config, &kek, why);
    if (e == OK)
        e = vault_new(out, c, crypto_random(), &kek);
    secret_wipe(&kek);
    if (e == OK)
        pin(vault_memory(*out));
    return e;
}

static enum err give_up_rights(const struct config *config)
{
    uint8_t seed[1];
    struct random_source random = crypto_random();
    enum err e;
    if ((e = confine_become(config->keeper_user[0] != 0 ? config->keeper_user : config->user)) != OK)
        return e;
    /* What libraries look up once must be looked up now: the generator's seed, the time zone. */
    tzset();
    if ((e = random.fill(random.ctx, seed, sizeof(seed))) != OK)
        return e;
    return confine_keeper();
}

int keeper_main(const struct config *config, int front_fd, void (*ready)(void *arg), void *arg)
{
    struct crypto *c = NULL;
    struct vault *v = NULL;
    char why[KEEPER_WHY_MAX] = "";
    int code = EXIT_CONFIG_BAD;
    enum err e;

    signal(SIGPIPE, SIG_IGN);
    if ((e = crypto_new(&c)) != OK)
        goto out;
    if ((e = make_vault(config, c, &v, why)) != OK)
        goto out;
    if ((e = give_up_rights(config)) != OK)
        goto out;
    LOG(LOG_INFO, "keeper.started", log_str("store", config->kek_file[0] != 0 ? "file" : "credential"));
    if (ready != NULL)
        ready(arg);
    code = serve(v, front_fd);
out:
    /* For the person who starts the server: a sentence, not an event. */
    if (e != OK)
        fprintf(stderr, "ferryd: keeper: %s\n", why[0] != 0 ? why : err_text(e));
    vault_free(&v);
    crypto_free(&c);
    return code;
}
