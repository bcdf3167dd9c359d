/* SPDX-License-Identifier: Apache-2.0
 *
 * The channel that a card will open next, from what real cards have answered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <base/text.h>

#include "channel_internal.h"

enum { ANSWER_MAX = 64 };

static const struct {
    const char *row;
    uint8_t scp, i;
    const char *host_challenge, *answer, *enc, *mac, *dek, *aid;
    enum err e;
    bool same; /* the channel that was seen comes again */
} rows[] = {
    {"SCP03 counts", 3, 0x70, "726FA486419E8424",
     "149480576000078C01000103705CB17CF9D29E88CC780408C2550282F900001A",
     "D6CAABD673C7248CD7A9AC45914A9FC1B795C9D1954EF649E30F0D683F0368C6",
     "C9F96A6BA1ED6DE51E0680D3D25C1E05350DC1522B6737EEA886929581D4D2B0",
     "A82C099ED6AF294DF1CA717E0A2CEE1A3415C4AE6387BF2FCC389C8B672FF643", "A0000001510000", OK, false},
    {"for another security domain", 3, 0x70, "726FA486419E8424",
     "149480576000078C01000103705CB17CF9D29E88CC780408C2550282F900001A",
     "D6CAABD673C7248CD7A9AC45914A9FC1B795C9D1954EF649E30F0D683F0368C6",
     "C9F96A6BA1ED6DE51E0680D3D25C1E05350DC1522B6737EEA886929581D4D2B0",
     "A82C099ED6AF294DF1CA717E0A2CEE1A3415C4AE6387BF2FCC389C8B672FF643", "A0000001510001", ERR_UNSUPPORTED,
     false},
    {"a wrong cryptogram", 3, 0x70, "726FA486419E8425",
     "149480576000078C01000103705CB17CF9D29E88CC780408C2550282F900001A",
     "D6CAABD673C7248CD7A9AC45914A9FC1B795C9D1954EF649E30F0D683F0368C6",
     "C9F96A6BA1ED6DE51E0680D3D25C1E05350DC1522B6737EEA886929581D4D2B0",
     "A82C099ED6AF294DF1CA717E0A2CEE1A3415C4AE6387BF2FCC389C8B672FF643", "A0000001510000", ERR_AUTH, false},
    {"SCP02 repeats", 2, 0x55, "D31CC4DE5E586FBC", "0000416804170A325DC801020004B1B79602B1CBE00CF4940C256269",
     "404142434445464748494A4B4C4D4E4F", "404142434445464748494A4B4C4D4E4F",
     "404142434445464748494A4B4C4D4E4F", "A000000003000000", OK, true},
};

static struct view bytes(const char *hex, uint8_t *memory, size_t max)
{
    size_t len = 0;
    assert_int_equal(hex_read_str(hex, memory, max, &len), OK);
    return view_of(memory, len);
}

static void take(const char *hex, struct secret *out)
{
    uint8_t memory[SECRET_MAX];
    assert_int_equal(secret_set(out, bytes(hex, memory, sizeof(memory))), OK);
}

static void put_proof(struct channel *ch, struct crypto *c, struct writer *out)
{
    assert_int_equal(channel_external_authenticate(ch, c, out), OK);
}

static void the_next_channel_is_told(void **state)
{
    (void)state;
    struct crypto *c = NULL;
    assert_int_equal(crypto_new(&c), OK);
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        const struct channel_method *m = channel_method(rows[n].scp, rows[n].i);
        struct channel *seen = NULL, *next = NULL;
        struct card_keys keys = {.type = rows[n].scp == 3 ? KEY_AES : KEY_DES3};
        struct init_update iu;
        uint8_t host[16], answer[ANSWER_MAX], aid[AID_MAX], memory[2][256];
        struct writer proof[2];
        print_message("%s\n", rows[n].row);
        take(rows[n].enc, &keys.enc);
        take(rows[n].mac, &keys.mac);
        take(rows[n].dek, &keys.dek);
        struct view challenge = bytes(rows[n].host_challenge, host, sizeof(host));
        assert_int_equal(init_update_parse(bytes(rows[n].answer, answer, sizeof(answer)), &iu), OK);
        enum err e = channel_open_next(&next, c, m, &keys, challenge, bytes(rows[n].aid, aid, sizeof(aid)),
                                       &iu, LEVEL_C_MAC);
        assert_int_equal(e, rows[n].e);
        if (e != OK) {
            assert_null(next);
            continue;
        }
        assert_int_equal(channel_open(&seen, c, m, &keys, challenge, &iu, LEVEL_C_MAC), OK);
        for (size_t k = 0; k < 2; k++) {
            wr_fixed(&proof[k], memory[k], sizeof(memory[k]));
            put_proof(k == 0 ? seen : next, c, &proof[k]);
        }
        assert_int_equal(view_equal(wr_view_of(&proof[0]), wr_view_of(&proof[1])), rows[n].same);
        channel_free(&seen);
        channel_free(&next);
    }
    crypto_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_next_channel_is_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
