/* links: cf_gp */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Any answers of a card to an opening with key pairs: certificates, key agreement, signatures; and any bytes
 * as an opening that was kept. What opens must be what a card with the right keys said, and works. The first
 * byte says which opening, and whether the answers or the kept opening follow. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <gp/channel.h>

enum { INPUT_MAX = 16 * 1024, KEPT = 0x80 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* For the whole run: the keys of scp11.json's computed sessions, 11.. and 33.., and an authority's, 55... */
static struct crypto *crypto;
static struct pk *host, *card, *authority;

static const struct {
    uint8_t scp, i;
    bool peer_is_card;
} openings[] = {{SCP11, 0x01, false},
                {SCP11, 0x00, true},
                {SCP11, 0x03, true},
                {SCP11, 0x80, false},
                {SCP_SIGNED, 4, true}};

static void done(void)
{
    pk_free(&host);
    pk_free(&card);
    pk_free(&authority);
    crypto_free(&crypto);
}

static struct pk *pair_of(uint8_t byte)
{
    uint8_t scalar[32];
    struct pk *k = NULL;
    memset(scalar, byte, sizeof(scalar));
    if (pk_ec_private(CURVE_P256, VIEW_OF(scalar), &k) != OK)
        abort();
    return k;
}

static void setup(void)
{
    if (crypto != NULL)
        return;
    if (crypto_new(&crypto) != OK)
        abort();
    host = pair_of(0x11);
    card = pair_of(0x33);
    authority = pair_of(0x55);
    atexit(done);
}

/* The ephemeral key of those sessions. */
static enum err fill(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx;
    memset(out, 0x22, len);
    return OK;
}

/* A channel that was opened goes on, also by way of its bytes. */
static void work(struct channel *ch)
{
    const struct apdu plain = {.cla = 0x80, .ins = 0xF2, .ne = 256};
    uint8_t state[CHANNEL_STATE_MAX];
    struct channel *back = NULL;
    struct writer w;
    wr_fixed(&w, state, sizeof(state));
    assert(channel_encode(ch, &w) == OK);
    assert(channel_decode(&back, wr_view_of(&w)) == OK);
    if (!channel_method_of(back)->authenticates) {
        struct apdu wrapped;
        struct writer storage;
        wr_heap(&storage, channel_wrapped_max(&plain, 1));
        assert(channel_wrap(back, crypto, &plain, 1, &wrapped, &storage) == OK);
        wr_free(&storage);
    }
    channel_free(&back);
}

static void accept(const struct channel_opening *o, const struct channel_keys *keys, struct view answers)
{
    struct rapdu r[OPENING_COMMANDS_MAX];
    struct reader from;
    struct channel *ch = NULL;
    rd_init(&from, answers);
    for (size_t n = 0; n < o->count; n++)
        r[n] = (struct rapdu){.sw = SW_OK};
    if (o->count > 1)
        r[0].data = rd_view16(&from, INPUT_MAX);
    r[o->count - 1].data = rd_rest(&from);
    enum err e = channel_accept(&ch, crypto, o, keys, r, o->count);
    assert((e == OK) == (ch != NULL));
    if (ch != NULL)
        work(ch);
    channel_free(&ch);
}

static void keep(struct view bytes, const struct channel_keys *keys)
{
    struct channel_opening o;
    struct writer again;
    if (channel_opening_decode(&o, bytes) != OK)
        return;
    wr_heap(&again, 2 * OPENING_BYTES_MAX);
    assert(channel_opening_encode(&o, &again) == OK);
    wr_free(&again);
    if (o.count > 0)
        accept(&o, keys, VIEW_NULL);
    channel_opening_finish(&o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const uint8_t bytes[] = {0x30, 0x00};
    const struct view certificate = VIEW_OF(bytes);
    if (len == 0 || len > INPUT_MAX)
        return 0;
    setup();
    const size_t n = (size_t)(data[0] & 0x7F) % (sizeof(openings) / sizeof(openings[0]));
    const struct channel_keys keys = {.host = host,
                                      .peer = openings[n].peer_is_card ? card : authority,
                                      .peer_is_card = openings[n].peer_is_card,
                                      .certificates = &certificate,
                                      .certificate_count = 1};
    const struct channel_request request = {
        .method = channel_method(openings[n].scp, openings[n].i), .level = 0x33, .kvn = 3, .now_ms = 1};
    struct channel_opening o;
    struct view rest = view_tail(view_of(data, len), 1);
    if ((data[0] & KEPT) != 0) {
        keep(rest, &keys);
        return 0;
    }
    if (channel_begin(&o, crypto, (struct random_source){fill, NULL}, &request, &keys) != OK)
        abort();
    accept(&o, &keys, rest);
    channel_opening_finish(&o);
    return 0;
}
