/* links: cf_gp */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as the state of a channel: what is accepted is written again as it was, and can be worked with.
 */
#include <assert.h>
#include <stdlib.h>

#include <gp/channel.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* One for the whole run. */
static struct crypto *crypto;

static void done(void)
{
    crypto_free(&crypto);
}

static void written_again(const struct channel *ch, struct view v)
{
    uint8_t memory[CHANNEL_STATE_MAX];
    struct writer w;
    wr_fixed(&w, memory, sizeof(memory));
    assert(channel_encode(ch, &w) == OK);
    assert(view_equal(wr_view_of(&w), v));
}

static void work(struct channel *ch)
{
    static const uint8_t data[20] = {1};
    static const uint8_t answer[] = {1, 2, 3, 4, 5, 6, 7, 8, 0x90, 0x00};
    const struct apdu plain = {.cla = 0x80, .ins = 0xE2, .data = VIEW_OF(data)};
    uint8_t memory[4096];
    struct apdu wrapped;
    struct writer w;
    uint16_t sw;
    bool proven;
    wr_fixed(&w, memory, sizeof(memory));
    /* The key pairs of a method that has them are bytes until they are used, and may turn out to be none. */
    bool pairs = channel_method_of(ch)->scp == SCP_SIGNED;
    enum err e = channel_external_authenticate(ch, crypto, &w);
    assert(e == OK || e == ERR_STATE || pairs);
    e = channel_wrap(ch, crypto, &plain, 1, &wrapped, &w);
    assert(e == OK || e == ERR_STATE || e == ERR_LIMIT || pairs);
    e = channel_unwrap(ch, crypto, VIEW_OF(answer), &w, &sw, &proven);
    assert(e == OK || e == ERR_STATE || e == ERR_AUTH || pairs);
    assert(channel_dek_encrypt(ch, crypto, view_of(data, 16), &w) == OK || pairs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct channel *ch = NULL, *copy = NULL;
    if (crypto == NULL) {
        if (crypto_new(&crypto) != OK)
            abort();
        atexit(done);
    }
    if (channel_decode(&ch, view_of(data, len)) != OK) {
        assert(ch == NULL);
        return 0;
    }
    written_again(ch, view_of(data, len));
    assert(channel_copy(&copy, ch) == OK);
    work(ch);
    written_again(copy, view_of(data, len));
    channel_free(&copy);
    channel_free(&ch);
    return 0;
}
