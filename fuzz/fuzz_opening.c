/* links: cf_gp */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Any answer to the opening of any row with card keys: no channel without the card's cryptogram, where the
 * protocol has one; and a counter of two bytes is all that implicit initiation takes. The first byte chooses
 * the row. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <gp/channel/channel_internal.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* One for the whole run. */
static struct crypto *crypto;

static void done(void)
{
    crypto_free(&crypto);
}

static enum err zeros(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx;
    memset(out, 0, len);
    return OK;
}

/* The rows with card keys stand before the others. */
static const struct channel_method *choose(uint8_t byte)
{
    size_t all, count = 0;
    const struct channel_method *m = channel_methods(&all);
    while (count < all && m[count].ops->lengths_ok != NULL)
        count++;
    return m + byte % count;
}

static void expect_open(struct channel *ch, const struct channel_method *m, struct view answer)
{
    static const uint8_t bytes[5] = {1};
    const struct apdu plain = {.cla = 0x80, .ins = 0xF2, .data = VIEW_OF(bytes)};
    struct apdu wrapped;
    struct writer storage;
    assert(!m->authenticates && answer.len == 4);
    wr_heap(&storage, channel_wrapped_max(&plain, 1));
    assert(channel_wrap(ch, crypto, &plain, 1, &wrapped, &storage) == OK);
    wr_free(&storage);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const uint8_t key[16] = {7}, aid[] = {0xA0, 0x00, 0x00, 0x01, 0x51};
    struct card_keys card = {0};
    struct channel_opening opening;
    struct channel *ch = NULL;
    if (len == 0 || len > RAPDU_MAX)
        return 0;
    if (crypto == NULL) {
        if (crypto_new(&crypto) != OK)
            abort();
        atexit(done);
    }
    const struct channel_method *m = choose(data[0]);
    const struct channel_request request = {.method = m, .level = m->levels[0], .aid = VIEW_OF(aid)};
    const struct channel_keys keys = {.card = &card};
    const struct rapdu answer = {view_tail(view_of(data, len), 1), SW_OK};
    card.type = m->key_type;
    if (secret_set(&card.enc, VIEW_OF(key)) != OK)
        abort();
    card.mac = card.dek = card.enc;
    assert(channel_begin(&opening, crypto, (struct random_source){zeros, NULL}, &request, &keys) == OK);
    enum err e = channel_accept(&ch, crypto, &opening, &keys, &answer, 1);
    assert((e == OK) == (ch != NULL));
    if (e == OK)
        expect_open(ch, m, answer.data);
    channel_free(&ch);
    channel_opening_finish(&opening);
    return 0;
}
