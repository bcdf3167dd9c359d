/* links: cf_crypto */
/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a message sealed to us, and as a sealed blob: nobody without the key makes one that opens,
 * nothing is left in the output when it does not, and what we seal ourselves opens. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <crypto/hpke.h>

enum { TEXT_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct crypto *crypto;
static const uint8_t key[HPKE_KEY] = {7, 7, 7};

static void open_foreign(struct view v)
{
    static const uint8_t nonce[GCM_NONCE];
    struct writer w;
    wr_heap(&w, TEXT_MAX);
    assert(hpke_open(crypto, key, VIEW_NULL, VIEW_NULL, v, &w) != OK && w.len == 0);
    assert(crypto_gcm_open(crypto, VIEW_OF(key), nonce, VIEW_NULL, v, &w) != OK && w.len == 0);
    wr_free(&w);
}

/* To the key that the first bytes are. */
static void seal_to_foreign(struct view v)
{
    uint8_t theirs[HPKE_KEY] = {0};
    struct writer w;
    struct view head = view_head(v, HPKE_KEY);
    if (head.len > 0)
        memcpy(theirs, head.data, head.len);
    wr_heap(&w, TEXT_MAX + HPKE_OVERHEAD);
    enum err e = hpke_seal(crypto, crypto_random(), theirs, VIEW_NULL, VIEW_NULL, v, &w);
    assert(e == OK ? w.len == v.len + HPKE_OVERHEAD : w.len == 0);
    wr_free(&w);
}

static void round_trip(struct view v)
{
    uint8_t public_key[HPKE_KEY];
    struct writer sealed, opened;
    wr_heap(&sealed, TEXT_MAX + HPKE_OVERHEAD);
    wr_heap(&opened, TEXT_MAX);
    assert(hpke_public(key, public_key) == OK);
    assert(hpke_seal(crypto, crypto_random(), public_key, v, v, v, &sealed) == OK);
    assert(hpke_open(crypto, key, v, v, wr_view_of(&sealed), &opened) == OK);
    assert(view_equal(wr_view_of(&opened), v));
    wr_free(&opened);
    wr_free(&sealed);
}

static void forget_all(void)
{
    crypto_free(&crypto);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (crypto == NULL) {
        if (crypto_new(&crypto) != OK)
            abort();
        atexit(forget_all);
    }
    if (len > TEXT_MAX)
        return 0;
    open_foreign(view_of(data, len));
    seal_to_foreign(view_of(data, len));
    round_trip(view_of(data, len));
    return 0;
}
