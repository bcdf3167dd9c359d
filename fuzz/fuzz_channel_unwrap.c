/* links: cf_gp */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Any answer on any channel with response MACs: nothing is given out unless it was accepted, and a forged one
 * kills the channel. The first byte chooses the row of the table and the level. */
#include <assert.h>
#include <stdlib.h>

#include <gp/channel.h>

enum { ANSWER_MAX = 65538 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* One for the whole run. */
static struct crypto *crypto;

static void done(void)
{
    crypto_free(&crypto);
}

/* Which of the keys enc, mac, rmac, dek a row has at a level. */
static bool has_key(const struct channel_method *m, uint8_t level, int k)
{
    if (m->scp == SCP_SIGNED)
        return k != 1 && (level & LEVEL_C_DECRYPTION) != 0;
    return k != 2 || m->response_mac;
}

static size_t chain_len(const struct channel_method *m)
{
    if (m->scp == SCP_SIGNED)
        return m->i == 5 ? 48 : 32;
    return m->scp == SCP03 || m->scp == SCP11 ? 16 : 8;
}

/* Two key pairs behind their lengths; they are no keys: a signature made with them is never right. */
static void put_pairs(struct writer *w, const struct channel_method *m)
{
    static const uint8_t pairs[] = {0, 1, 0x30, 0, 1, 0x30};
    wr_view16(w, m->scp == SCP_SIGNED ? VIEW_OF(pairs) : VIEW_NULL);
}

/* An open channel with keys of zeros, by way of its state: version 2, protocol, i, level, phase "open", C-MAC
 * length, keys, no cryptogram, chaining value, counter 4, response chain 8, no tail, session of R-MACs,
 * key pairs. */
static struct channel *open_channel(const struct channel_method *m, uint8_t level)
{
    static const uint8_t key[16];
    uint8_t memory[CHANNEL_STATE_MAX];
    struct writer w;
    struct channel *ch = NULL;
    wr_fixed(&w, memory, sizeof(memory));
    wr_u8(&w, 2);
    wr_u8(&w, m->scp);
    wr_u8(&w, m->i);
    wr_u8(&w, level);
    wr_u8(&w, 2);
    wr_u16(&w, m->tag_len);
    for (int k = 0; k < 4; k++)
        wr_view8(&w, has_key(m, level, k) ? VIEW_OF(key) : VIEW_NULL);
    wr_u16(&w, 0);
    bool macs = m->scp == SCP02 && (level & LEVEL_R_MAC) != 0;
    if (wr_reserve(&w, chain_len(m) + 4 + 8 + 1) == NULL)
        abort();
    wr_u24(&w, macs ? 0x020000 : 0); /* answers with R-MACs; the last command was any */
    put_pairs(&w, m);
    if (channel_decode(&ch, wr_view_of(&w)) != OK)
        abort();
    return ch;
}

static void unwrap(struct channel *ch, struct view answer)
{
    struct writer out;
    uint16_t sw = 0;
    bool proven = false;
    wr_heap(&out, ANSWER_MAX);
    enum err e = channel_unwrap(ch, crypto, answer, &out, &sw, &proven);
    if (e == OK) {
        assert(out.len + 2 + (proven ? 8U : 0U) <= answer.len);
        assert(proven || sw != SW_OK || (channel_level(ch) & LEVEL_R_MAC) == 0);
    } else {
        assert(out.len == 0 && sw == 0 && !proven);
        enum err again = channel_unwrap(ch, crypto, answer, &out, &sw, &proven);
        assert(again == (e == ERR_AUTH ? ERR_STATE : e));
    }
    wr_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    size_t count, levels = 0;
    if (len == 0 || len > ANSWER_MAX)
        return 0;
    if (crypto == NULL) {
        if (crypto_new(&crypto) != OK)
            abort();
        atexit(done);
    }
    const struct channel_method *m = channel_methods(&count);
    m += data[0] % count;
    while (m->levels[levels] != 0)
        levels++;
    struct channel *ch = open_channel(m, m->levels[data[0] / count % levels]);
    unwrap(ch, view_tail(view_of(data, len), 1));
    channel_free(&ch);
    return 0;
}
